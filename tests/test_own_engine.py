"""An engine of one's own: its backward pass is played as it runs, right or wrong."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.errors import MinigraphError, NodeTypeError
from minigraph.recording import engine, first_difference, record
from minigraph.recording.engine import engine_pass


class Number:
    """A number as the lesson on automatic differentiation has it."""

    made = 0

    def __init__(self, value, op=None, inputs=(), local=()):
        self.value, self.op, self.inputs, self.local = value, op, inputs, local
        self.grad, self.name = 0.0, None
        Number.made += 1
        self.seq = Number.made

    def __add__(self, other):
        return Number(self.value + other.value, "add", (self, other), (1.0, 1.0))

    def __sub__(self, other):
        return Number(self.value - other.value, "subtract", (self, other), (1.0, -1.0))

    def __mul__(self, other):
        local = (other.value, self.value)
        return Number(self.value * other.value, "multiply", (self, other), local)


def sin(x):
    return Number(math.sin(x.value), "sin", (x,), (math.cos(x.value),))


def order(y):
    found, waiting = {y}, [y]
    while waiting:
        for x in waiting.pop().inputs:
            if x not in found:
                found.add(x)
                waiting.append(x)
    return sorted(found, key=lambda node: node.seq)


def example():
    a, b, c = Number(2.0), Number(3.0), Number(1.0)
    d = a + b
    z = d * d - b * c
    for number, name in zip((a, b, c, d, z), "abcdz"):
        number.name = name
    return z


# --- ways to go back ------------------------------------------------------------------------------


def right(y):
    for node in order(y):
        node.grad = 0.0
    y.grad = 1.0
    for node in reversed(order(y)):
        for x, local in zip(node.inputs, node.local):
            x.grad += node.grad * local


def the_other_way_round(y):
    for node in order(y):
        node.grad = 0.0
    y.grad = 1.0
    for node in reversed(order(y)):
        for i in reversed(range(len(node.inputs))):
            x = node.inputs[i]
            x.grad = node.local[i] * node.grad + x.grad


def in_a_dictionary_first(y):
    gradients = dict.fromkeys(order(y), 0.0)
    gradients[y] = 1.0
    for node in reversed(order(y)):
        for x, local in zip(node.inputs, node.local):
            gradients[x] += gradients[node] * local
    for node, g in gradients.items():
        node.grad = g


def overwriting(y):
    y.grad = 1.0
    for node in reversed(order(y)):
        for x, local in zip(node.inputs, node.local):
            x.grad = node.grad * local


def forgetful(y):
    y.grad = 1.0
    for node in reversed(order(y)):
        for x, local in zip(node.inputs, node.local):
            x.grad += local


def without_local(y):
    y.grad = 1.0
    for node in reversed(order(y)):
        for x in node.inputs:
            x.grad += node.grad


def always_to_the_first(y):
    y.grad = 1.0
    for node in reversed(order(y)):
        for local in node.local:
            node.inputs[0].grad += node.grad * local


def unordered(y):
    def walk(node, visited):
        visited.add(node)
        for x, local in zip(node.inputs, node.local):
            x.grad += node.grad * local
            if x not in visited:
                walk(x, visited)

    y.grad = 1.0
    walk(y, set())


def along_every_path(y):
    def push(node, g):
        node.grad += g
        for x, local in zip(node.inputs, node.local):
            push(x, g * local)

    push(y, 1.0)


def with_the_wrong_sign(y):
    y.grad = 1.0
    for node in reversed(order(y)):
        for x, local in zip(node.inputs, node.local):
            x.grad -= node.grad * -abs(local)


@st.composite
def expressions(draw):
    numbers = [Number(draw(st.floats(-2, 2))) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 9))):
        x, y = (numbers[draw(st.integers(0, len(numbers) - 1))] for _ in range(2))
        numbers.append(draw(st.sampled_from([x + y, x - y, x * y, sin(x)])))
    return numbers[-1] * Number(1.0)


# --- what is followed -----------------------------------------------------------------------------


@given(expressions())
@settings(max_examples=60, deadline=None)
def test_a_right_pass_is_told_as_right_whatever_the_graph(y):
    for backward in (right, the_other_way_round, in_a_dictionary_first):
        node, told = engine_pass(y, backward)
        assert first_difference(record(node, opened=True), told) is None
        backward(y)
        assert told.gradients[told.output] == y.grad == 1.0
        leaves = [x for x in order(y) if x.op is None]
        found = [told.gradients[f"n{place}"] for place in range(len(leaves))]
        assert sorted(found) == pytest.approx(sorted(x.grad for x in leaves), abs=1e-12)


def test_each_contribution_is_a_step_with_its_factor():
    _, told = engine_pass(example(), right)
    steps = [(e.upstream, e.local, e.value) for e in told.events if e.kind == "multiply"]
    assert steps[:2] == [(1.0, 1.0, 1.0), (1.0, -1.0, -1.0)]
    assert steps[-2:] == [(10.0, 1.0, 10.0), (10.0, 1.0, 10.0)]
    assert [told.gradients[f"n{n}"] for n in (0, 1, 2)] == [10.0, 9.0, -3.0]  # 2d, 2d − c, −b


@pytest.mark.parametrize(
    ("backward", "says", "why"),
    [
        (overwriting, "given? d 5|d is 5; it should be 10", "keeps the last contribution"),
        (forgetful, "contributes to b 1; it should be −1", "local derivative is handed on"),
        (without_local, "z contributes to v₂ 1; it should be −1", ""),
        (always_to_the_first, "The pass starts at v₁, not at the output", ""),
        (unordered, "before its own gradient is complete: it has 5, and needs 10", ""),
        (along_every_path, "before its own gradient is complete", "right all the same"),
        (with_the_wrong_sign, "z contributes to v₂ 1; it should be −1", "local derivative"),
    ],
)
def test_a_wrong_pass_is_played_and_marked_where_it_differs(backward, says, why):
    player = mg.play(example(), own=backward)
    way = player.view["mistakes"][0]
    assert (player.wrong, way["name"]) == ("own", "own")
    (marked,) = (step["wrong"] for step in way["steps"] if "wrong" in step)
    assert re.search(says, marked), marked
    assert why in way["why"]


def test_two_edges_from_one_number_are_told_apart_also_without_their_derivatives():
    a = Number(3.0)
    _, told = engine_pass(a * a, without_local)
    assert [e.slot for e in told.events if e.kind == "multiply"] == [0, 1]


def test_gradients_that_are_left_at_the_end_are_told_from_the_result_on():
    _, told = engine_pass(example(), in_a_dictionary_first)
    assert told.events[0].kind == "seed"
    assert all(e.upstream is not None for e in told.events if e.kind == "multiply")


def test_a_rule_that_is_wrong_is_played_as_it_is():
    a, b = Number(2.0), Number(3.0)
    y = Number(a.value - b.value, "subtract", (a, b), (1.0, 1.0))
    way = mg.play(y, own=right).view["mistakes"][0]
    assert way["why"] == "In x − y the local derivative by y is −1."


def test_the_numbers_and_their_names_stay_as_they_were():
    z = example()
    right(z)
    before = [(number.grad, number.inputs, number.local) for number in order(z)]
    player = mg.play(z, own=overwriting)
    assert [(number.grad, number.inputs, number.local) for number in order(z)] == before
    assert [node["name"] for node in player.view["nodes"].values()][:3] == ["a", "b", "c"]


# --- what is refused ------------------------------------------------------------------------------


def test_what_cannot_be_followed_is_named():
    z = example()
    with pytest.raises(MinigraphError, match="has left no gradient in the result"):
        mg.play(z, own=lambda y: None)
    with pytest.raises(NodeTypeError, match="this float has no value"):
        mg.play(2.0, own=right)
    with pytest.raises(MinigraphError, match="no operation 'cube'"):
        mg.play(Number(8.0, "cube", (Number(2.0),), (12.0,)), own=right)
    with pytest.raises(MinigraphError, match="add gives 6 where minigraph gives 5"):
        mg.play(Number(6.0, "add", (Number(2.0), Number(3.0)), (1.0, 1.0)), own=right)


def test_a_pass_that_goes_along_every_path_is_stopped():
    y = Number(1.0)
    for _ in range(40):
        y = y + y
    with pytest.raises(MinigraphError, match="along an edge again for every path"):
        mg.play(y, own=along_every_path)


def never_ends(y):
    y.grad = 1.0
    while True:
        pass


def catches_everything(y):
    while True:
        try:
            y.grad = 1.0
        except BaseException:
            y.grad = 2.0


@pytest.mark.parametrize("endless", [never_ends, catches_everything])
def test_a_pass_that_never_ends_is_stopped(endless, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.05)
    monkeypatch.setattr(engine, "MOST", 10**9)
    with pytest.raises(MinigraphError, match=r"stopped after 0\.05 seconds; look for a loop"):
        mg.play(example(), own=endless)
    assert mg.play(example(), own=right).position == 0


def test_an_error_of_the_pass_is_its_own():
    def broken(y):
        y.grad = 1.0
        return y.nothing

    with pytest.raises(AttributeError, match="nothing"):
        mg.play(example(), own=broken)


@pytest.mark.parametrize("left", ["1", 1j, 10**400, [1.0], np.ones(3), mg.variable(1.0)])
def test_a_gradient_that_is_no_number_is_refused(left):
    def backward(y):
        y.grad = left

    with pytest.raises(NodeTypeError, match="a gradient is a number, and grad of z"):
        mg.play(example(), own=backward)


def test_a_number_that_was_made_from_itself_is_refused():
    z = example()
    z.inputs[0].inputs[0].inputs = (z, z)
    z.inputs[0].inputs[0].local = (1.0, 1.0)
    with pytest.raises(MinigraphError, match="is among the numbers that it was made from"):
        mg.play(z, own=lambda y: None)


@pytest.mark.parametrize(
    ("held", "value", "said"),
    [
        ("local", (1.0,), "z has 2 inputs and 1 local derivatives"),
        ("inputs", None, "inputs and local of z are a tuple or a list"),
        ("local", 3, "inputs and local of z are a tuple or a list"),
        ("value", "x", "the value of z is a number, not 'x'"),
    ],
)
def test_a_number_that_cannot_be_played_is_refused(held, value, said):
    z = example()
    setattr(z, held, value)
    with pytest.raises(MinigraphError, match=said):
        mg.play(z, own=lambda y: None)
