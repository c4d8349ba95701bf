"""The graph that changes: what a run has made, what is new in it, and what is refused."""

import math
import time

import numpy as np
import pytest

import minigraph as mg
from minigraph import nn
from minigraph.widgets import changing_graph


def halved(x):
    while x > 1:
        x = x / 2
    return x * 1


def branched(x):
    return x + 3 if x > 2 else x * 3 + 1


def read(word):
    """A recurrent sum over letters."""
    h = mg.constant(0.0)
    for letter in word:
        h = mg.tanh(WEIGHT * h + mg.variable(float(ord(letter)), name=letter))
    return h


WEIGHT = mg.variable(0.5, name="w")


def operations(widget):
    return sum(node.op is not None for node in mg.topological_order(widget.output))


def test_each_input_is_a_run_of_its_own():
    numbers = [5.0, 40.0, 1.5]
    widget = changing_graph({"halved": (halved, numbers)})
    for n, x in enumerate(numbers):
        widget.input.index = n
        turns = math.ceil(math.log2(x))
        assert operations(widget) == turns + 1
        assert widget.output.value == x / 2**turns
        assert f"{turns + 1} operations" in widget.message.value


def test_what_the_run_before_did_not_have_is_new():
    widget = changing_graph({"halved": (halved, [5.0, 40.0])})
    assert widget.new == []
    widget.input.index = 1  # three more divisions, and the 2 of each; and the last product
    assert [node.op.name for node in widget.new if node.op] == ["divide"] * 3 + ["multiply"]
    assert len(widget.new) == 7
    assert "7 nodes are new and marked, and 1 node is gone" in widget.message.value
    widget.input.index = 0
    assert [node.op.name for node in widget.new if node.op] == ["multiply"]
    assert "1 node is new and marked, and 7 nodes are gone" in widget.message.value


def test_another_branch_is_another_graph():
    widget = changing_graph({"branched": (branched, [1.0, 1.5, 4.0])})
    widget.input.index = 1
    assert widget.new == []  # the same way through the code, with another number
    widget.input.index = 2
    assert [node.op.name for node in widget.new if node.op] == ["add"]


def test_another_number_in_the_code_or_another_setting_is_new():
    def scaled(x):
        return x * (2 if x.value < 2 else 3)

    def turned(x):
        return mg.stack([x, x, x])[:: 1 if x.value < 2 else -1]

    for program, new in ((scaled, [None, "multiply"]), (turned, ["getitem"])):
        widget = changing_graph({"program": (program, [1.0, 4.0])})
        widget.input.index = 1
        assert [node.op and node.op.name for node in widget.new] == new


def test_words_share_their_beginning():
    widget = changing_graph({"words": (read, ["go", "gone", "hi"])})
    widget.input.index = 1
    assert [node.name for node in widget.new if node.name] == ["n", "e"]
    widget.input.index = 2
    assert [node.name for node in widget.new if node.name] == ["h", "i"]


def test_a_tree_is_given_as_it_is():
    table = nn.Embedding(2, 3, rng=np.random.default_rng(0))

    def meaning(tree):
        if isinstance(tree, str):
            return table(["not", "good"].index(tree))
        left, right = map(meaning, tree)
        return mg.tanh(left + right)

    trees = ["good", ("not", "good"), ("not", ("not", "good"))]
    widget = changing_graph({"trees": (meaning, trees)})
    assert widget.input.options[2][0] == "(not (not good))"
    widget.input.index = 2
    assert [n.op.name for n in mg.topological_order(widget.output) if n.op].count("tanh") == 2


def test_another_program_begins_anew():
    widget = changing_graph({"halved": (halved, [5.0, 40.0]), "words": (read, ["go", "hi"])})
    widget.input.index = 1
    widget.program.value = "words"
    assert widget.input.index == 0
    assert widget.new == []
    assert "The run with go" in widget.message.value


@pytest.mark.parametrize("x", [math.nan, math.inf, 3, np.float32(0.5), np.int64(2)])
def test_every_number_is_given_as_a_variable(x):
    widget = changing_graph({"doubled": (lambda x: x * 2, [x])})
    assert [node.name for node in widget.output.leaves()] == ["x", None]
    assert np.array_equal(widget.output.value, 2 * float(x), equal_nan=True)


def test_inputs_may_stand_in_an_array():
    widget = changing_graph({"halved": (halved, np.array([5.0, 40.0]))})
    widget.input.index = 1
    assert operations(widget) == 7


def test_an_input_is_named_in_a_few_characters():
    trees = ["", ("word",) * 40, 10**400]
    widget = changing_graph({"trees": (lambda tree: mg.constant(1.0) * 2, trees)})
    labels = [label for label, _ in widget.input.options]
    assert labels[0] == '""'
    assert labels[1] == f"({'word ' * 11}word…"
    assert len(labels[2]) == 61


def test_costs_are_those_of_the_run_and_of_its_numbers():
    costs = changing_graph({"halved": (halved, [5.0])}).costs.value
    assert "the run, which builds the graph" in costs
    assert "100 %" in costs


def test_a_program_that_fails_is_told_and_what_was_shown_stays():
    widget = changing_graph({"chosen": (lambda x: x * [1, 2][int(x.value)], [1.0, 9.0])})
    shown = widget.picture.value
    widget.input.index = 1
    assert "Not yet: IndexError" in widget.message.value
    assert widget.picture.value == shown
    widget.input.index = 0
    assert "The run with 1" in widget.message.value


def test_a_slow_program_is_not_run_a_hundred_times():
    runs = []

    def slow(x):
        runs.append(x)
        time.sleep(0.02)
        return x * 2

    changing_graph({"slow": (slow, [1.0])})
    assert len(runs) == 2  # to be shown, and to be timed


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({}, "takes programs by name"),
        (halved, "takes programs by name"),
        ({"halved": halved}, "'halved' is a function and a list of inputs"),
        ({"halved": (halved, [])}, "'halved' is a function and a list of inputs"),
        ({"halved": (halved, 5.0)}, "'halved' is a function and a list of inputs"),
        ({"number": (lambda x: 3.0, [1.0])}, "a program returns a Node, not float 3.0"),
    ],
)
def test_what_is_no_program_is_refused(programs, said):
    with pytest.raises(TypeError, match=said):
        changing_graph(programs)
