"""Recordings: the engine's own numbers as events, and the wrong passes that part from them."""

import json
from contextlib import suppress
from itertools import product
from random import Random

import numpy as np
import programs
import pytest
from checks import EXPLORES
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated

import minigraph as mg
from minigraph.errors import FormatError, GradientError, MinigraphError, NodeTypeError
from minigraph.recording import (
    MISCONCEPTIONS,
    Recording,
    Tracer,
    diagnose,
    first_difference,
    record,
)
from minigraph.recording.data import LARGEST, Summary, decoded, same
from minigraph.widgets import play


def worked_example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def classifier():
    X = mg.constant(np.arange(12.0).reshape(4, 3) / 7, name="X")
    W = mg.variable(np.arange(6.0).reshape(3, 2) - 2, name="W")
    b = mg.variable([0.5, -1.0], name="b")
    h = mg.softmax(X @ W + b)
    return mg.sum(h * h * h).named("L")


def by_node(y, recording):
    """The gradients of a recording by Node, found by their place in topological order."""
    order = mg.topological_order(y)
    return {order[int(id[1:])]: g for id, g in recording.gradients.items()}


@st.composite
def scalar_graphs(draw):
    """A graph of +, −, × over a few variables, with much sharing."""
    numbers = st.floats(-3, 3).filter(lambda x: abs(x) > 0.1)
    nodes = [mg.variable(draw(numbers)) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 10))):
        x, y = (nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
        nodes.append(draw(st.sampled_from([mg.add, mg.subtract, mg.multiply]))(x, y))
    return nodes[-1]


# --- what is recorded -----------------------------------------------------------------------------


def test_the_kinds_come_in_the_order_of_the_passes():
    events = record(worked_example()).events
    kinds = [event.kind for event in events]
    assert kinds[:4] == ["visit", "visit", "visit", "visit"]
    assert kinds.count("compute") == 3
    assert kinds.count("multiply") == kinds.count("accumulate") == 6
    assert [e.phase for e in events if e.kind in ("seed", "done")] == [
        "forward",
        "backward",
        "backward",
    ]


@pytest.mark.parametrize("passes", ["forward", "backward"])
def test_one_pass_alone_is_that_part_of_both(passes):
    y = worked_example()
    both = [event for event in record(y).events if event.phase == passes]
    assert list(record(y, passes).events) == both


def test_events_do_not_change():
    event = record(worked_example()).events[0]
    with pytest.raises(AttributeError):
        event.value = 3.0


def test_a_recording_leaves_the_nodes_alone():
    y = worked_example()
    record(y)
    assert all(node.grad is None for node in mg.topological_order(y))


@given(programs.programs())
@settings(max_examples=60, deadline=None)
def test_recorded_gradients_are_the_engines_to_the_last_bit(program):
    arrays, steps = program
    y = programs.run(mg, [mg.variable(x) for x in arrays], steps)
    recording = record(y)
    y.backward()
    found = by_node(y, recording)
    for node in mg.topological_order(y):
        if node in found:
            assert np.array_equal(found[node], node.grad, equal_nan=True), node
        elif not node.scope:
            assert node.grad is None


def test_a_composed_function_adds_up_in_the_engines_order():
    for value in np.random.default_rng(0).uniform(-3, 3, 40):
        x = mg.variable([value, 0.3, -1.7], name="x")
        y = mg.sum(mg.std(x) * x + x / 3)
        recording = record(y)
        y.backward()
        assert np.array_equal(recording.gradients["n0"], x.grad)


@given(programs.programs())
@settings(max_examples=25, deadline=None)
def test_recorded_gradients_are_pytorchs(program):
    torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    arrays, steps = program
    y = programs.run(mg, [mg.variable(x) for x in arrays], steps)
    if programs.near_a_kink(y):
        return
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    programs.run(torch, leaves, steps).backward()
    found = by_node(y, record(y))
    variables = [node for node in y.leaves() if node.kind == "variable"]
    for node, leaf in zip(variables, leaves):
        np.testing.assert_allclose(found[node], leaf.grad.numpy(), rtol=1e-9, atol=1e-9)


@given(scalar_graphs())
def test_every_frame_is_consistent(y):
    recording = record(y)
    values, gradients, contribution = {}, {}, None
    for event in recording.events:
        node = recording.by_id[event.node]
        match event.kind:
            case "compute":
                assert values.keys() >= set(node.inputs)
                values[event.node] = event.value
            case "visit" if event.phase == "forward":
                if node.kind != "operation":
                    values[event.node] = event.value
            case "seed":
                gradients[event.node] = event.value
            case "visit":
                assert same(event.value, gradients[event.node])
            case "multiply":
                assert recording.by_id[event.user].inputs[event.slot] == event.node
                assert same(event.upstream, gradients[event.user])
                assert event.value == pytest.approx(event.upstream * event.local)
                contribution = event.value
            case "accumulate":
                assert event.before == gradients.get(event.node)
                assert event.value == pytest.approx((event.before or 0.0) + contribution)
                gradients[event.node] = event.value
    assert values == recording.values
    assert gradients == recording.gradients


@given(scalar_graphs())
def test_a_node_hands_on_after_all_of_its_users(y):
    events = [e for e in record(y, "backward").events if e.kind in ("visit", "accumulate")]
    visited = set()
    for event in events:
        if event.kind == "visit":
            visited.add(event.node)
        else:
            assert event.node not in visited


def test_a_composed_function_is_one_step_unless_opened():
    y = classifier()
    recording = record(y)
    names = [node.operation for node in recording.nodes]
    assert names.count("softmax") == 1
    assert "exp" not in names
    assert "exp" in [node.operation for node in record(y, opened="softmax").nodes]


def test_a_sum_back_over_stretched_axes_is_recorded_in_the_shape_of_the_input():
    recording = record(classifier())
    (b,) = (node for node in recording.nodes if node.name == "b")
    (event,) = (e for e in recording.events if e.kind == "multiply" and e.node == b.id)
    assert (np.shape(event.upstream), np.shape(event.value)) == ((4, 2), (2,))
    assert "summed over axis 0" in recording.narrate()[recording.events.index(event)]


def test_options_are_checked():
    y = worked_example()
    with pytest.raises(MinigraphError, match="passes is 'both' or 'forward' or 'backward'"):
        record(y, "sideways")
    with pytest.raises(MinigraphError, match="did you mean 'overwrite'"):
        record(y, wrong="overwrit")
    with pytest.raises(NodeTypeError, match="record takes a Node, not int"):
        record(3)
    with pytest.raises(GradientError, match="not a scalar"):
        record(mg.variable([1.0, 2.0]) * 2)
    with pytest.raises(GradientError, match="the seed has shape"):
        record(mg.variable([1.0, 2.0]) * 2, seed=[1.0, 2.0, 3.0])
    with pytest.raises(GradientError, match="depends on constants only"):
        record(mg.constant(2.0) * 3)


def test_what_has_no_gradient_can_still_be_recorded_forward():
    recording = record(mg.constant(2.0) * 3, "forward")
    assert recording.values[recording.output] == 6.0


# --- JSON -----------------------------------------------------------------------------------------


def test_json_names_its_schema_and_version():
    document = json.loads(record(worked_example()).to_json())
    assert (document["schema"], document["version"]) == ("minigraph recording", 1)


@pytest.mark.parametrize("build", [worked_example, classifier])
def test_json_comes_back_the_same(build):
    recording = record(build())
    back = Recording.from_json(recording.to_json())
    assert back.nodes == recording.nodes
    assert back.to_json() == recording.to_json()
    assert back.narrate() == recording.narrate()


def test_numbers_are_the_same_as_for_numpy():
    near = [x * (1 + r) for x in (1e-12, -3.0, 2e300) for r in (0, 9e-7, -9e-7, 1.1e-6)]
    numbers = [*near, 0.0, -0.0, 9e-10, 1.1e-9, np.inf, -np.inf, np.nan, 2, np.float64(-3), True]
    for a, b in product(numbers, repeat=2):
        assert same(a, b) == np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True)


def test_nan_and_infinity_survive_json():
    x = mg.variable(np.array([np.inf, -np.inf, np.nan, 1.0]), name="x")
    recording = record(mg.sum(x * x))
    text = recording.to_json()
    json.loads(text, parse_constant=pytest.fail)
    back = Recording.from_json(text)
    np.testing.assert_array_equal(back.values["n0"], x.value)


def test_other_json_is_refused():
    for text in ("[]", "{", '{"schema": "minigraph recording", "version": 99}'):
        with pytest.raises(FormatError):
            Recording.from_json(text)


def large():
    return mg.mean(mg.variable(np.arange(300.0).reshape(20, -1), name="x") * 2).named("m")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("build", [worked_example, classifier, large])
def test_changed_json_is_a_recording_that_works_or_is_refused(build, seed):
    rng, y = Random(seed), build()
    right = record(y, opened=True)
    told = [right, record(y, "backward", wrong="overwrite", opened=True)]
    told.append(record(y, nudge=next(node for node in y.leaves() if node.requires_grad)))
    documents = [recording.to_json() for recording in told]
    accepted, changes = 0, 120 if EXPLORES else 60
    for _ in range(changes):
        text = mutated(rng.choice(documents), rng)
        recording = None
        with suppress(FormatError):
            recording = Recording.from_json(text)
        if recording is None:
            continue
        accepted += 1
        assert Recording.from_json(recording.to_json()).to_json() == recording.to_json()
        assert len(recording.narrate()) == len(recording.events)
        shown = [*recording.narrate(), *recording.table().splitlines()]
        assert all(text.isprintable() for text in shown)
        for one, other in ((right, recording), (recording, right)):
            with suppress(MinigraphError):
                first_difference(one, other)
        if accepted % 5 == 1:
            with suppress(MinigraphError):
                play(y, own=recording).close()
    assert 0 < accepted < changes


NODE = {
    "id": "n1", "name": "y", "kind": "operation", "operation": "sin", "symbol": "sin",
    "inputs": ["n0"], "shape": [], "scope": "", "formulas": ["cos(x)"], "differentiable": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wrong": "unknown"}, "there is no misconception 'unknown'"),
        ({"wrong": None}, "there is no misconception None"),
        ({"output": "n9"}, "the output 'n9' is none of the nodes"),
        ({"output": ["n0"]}, "the output .* is none of the nodes"),
        ({"nodes": {}}, 'no list of "nodes"'),
        ({"events": None}, 'no list of "events"'),
        ({"node": 5}, "node 1: it is an object, not 5"),
        ({"node": {**NODE, "extra": 1}}, "node 1: it has no 'extra'"),
        ({"node": {"id": "n1"}}, "node 1: its name is missing"),
        ({"node": {**NODE, "id": "n0"}}, "node 1: its id is .* of its own, not 'n0'"),
        ({"node": {**NODE, "id": "x"}}, "node 1: its id is"),
        ({"node": {**NODE, "kind": "magic"}}, "node 1: its kind is"),
        ({"node": {**NODE, "kind": "variable"}}, "node 1: a variable has no inputs"),
        ({"node": {**NODE, "inputs": ["n1"]}}, "node 1: its inputs are nodes before it"),
        ({"node": {**NODE, "inputs": "n0"}}, "node 1: its inputs are nodes before it"),
        ({"node": {**NODE, "name": " "}}, "node 1: its name is empty"),
        ({"node": {**NODE, "name": 5}}, "node 1: its name is a text, not 5"),
        ({"node": {**NODE, "shape": [-1]}}, "node 1: a shape is a list of sizes"),
        ({"node": {**NODE, "formulas": []}}, None),
        ({"node": {**NODE, "formulas": ["1", "1"]}}, "node 1: it has one formula for each"),
        ({"node": {**NODE, "differentiable": 1}}, "node 1: differentiable is true or false"),
        ({"event": {"kind": "jump"}}, "there is no 'jump' in a pass"),
        ({"event": {"phase": "sideways"}}, "in a pass 'sideways'"),
        ({"event": {"phase": ["x"]}}, "in a pass"),
        ({"event": {"node": "n7"}}, "there is no node 'n7'"),
        ({"event": {"slot": 1}}, "n0 is not input number 1 of n1"),
        ({"event": {"slot": True}}, "n0 is not input number True of n1"),
        ({"event": {"user": "n0"}}, "n0 is not input number 0 of n0"),
        ({"event": {"user": None}}, "there is no user None"),
        ({"event": {"value": None}}, "multiply has a value"),
        ({"event": {"value": "many"}}, "there is no number 'many'"),
        ({"event": {"value": 10**40}}, "there is no number 1000"),
        ({"event": {"upstream": None}}, "its local derivative multiplies nothing"),
        ({"event": {"note": 5}}, "its note is a text"),
        ({"compute": {"value": {"shape": [1], "dtype": "float64", "data": [1]}}}, "has the shape"),
        ({"compute": {"node": "n0"}}, "n0 cannot be computed before its inputs"),
        ({"compute": {"user": "n0"}}, "compute has no user and no slot"),
        ({"given": {"value": None}}, "the value of n0 has the shape"),
    ],
)
def test_what_a_recording_cannot_hold_is_named(change, said):
    document = json.loads(record(mg.sin(mg.variable(2.0, name="x")).named("y")).to_json())
    kinds = {"given": 0, "compute": 2, "event": 6}
    assert document["events"][6]["kind"] == "multiply"
    for name, value in change.items():
        if name == "node":
            document["nodes"][1] = value
        elif name in kinds:
            document["events"][kinds[name]] |= value
        else:
            document[name] = value
    if said is None:
        assert Recording.from_json(json.dumps(document)).narrate()
    else:
        with pytest.raises(FormatError, match=said):
            Recording.from_json(json.dumps(document))


def test_each_pass_ends_once_and_forward_comes_first():
    document = json.loads(record(worked_example()).to_json())
    events = document["events"]
    backward = [event for event in events if event["phase"] == "backward"]
    for wrong in (events[:-1], events[1:3], [*backward, *events], [*events, events[-1]]):
        with pytest.raises(FormatError, match="pass"):
            Recording.from_json(json.dumps({**document, "events": wrong}))
    assert Recording.from_json(json.dumps({**document, "events": []})).narrate() == []


@pytest.mark.parametrize(
    "value",
    [
        {"shape": [2], "dtype": "float64", "data": [1.0]},
        {"shape": [], "dtype": "float64", "data": [1.0]},
        {"shape": [300], "dtype": "float64", "data": [1.0] * 300},
        {"shape": [2], "dtype": "object", "data": [1.0, 2.0]},
        {"shape": [2], "dtype": "float64", "data": [1.0, [2.0]]},
        {"shape": [1], "dtype": "uint8", "data": [300]},
        {"shape": [1], "dtype": "int8", "data": ["nan"]},
        {"shape": [2], "dtype": "float64", "data": "12"},
        {"shape": [10**9], "dtype": "float64", "data": []},
        {"shape": [9], "dtype": "float64", "least": 0, "most": 1, "mean": 1, "thumbnail": [[0]]},
        {"shape": [300], "dtype": "float64", "least": 0, "most": 1, "thumbnail": [[0] * 8]},
        {"shape": [300], "dtype": "float64", "least": 0, "most": 1, "mean": 1, "thumbnail": [[0]]},
    ],
)
def test_arrays_that_do_not_fit_together_are_no_values(value):
    with pytest.raises((ValueError, OverflowError)):
        decoded(value)


def test_recordings_of_two_graphs_are_not_compared():
    one, two = record(worked_example()), record(mg.sin(mg.variable(1.0)))
    with pytest.raises(KeyError, match="these recordings are of two graphs") as caught:
        first_difference(one, two)
    assert str(caught.value).startswith("these")
    with pytest.raises(MinigraphError, match="two graphs"):
        play(worked_example(), own=two)
    with pytest.raises(MinigraphError, match="no backward pass"):
        first_difference(record(worked_example(), "forward"), one)
    with pytest.raises(NodeTypeError, match="own is a Recording, not dict"):
        play(worked_example(), own={})
    with pytest.raises(MinigraphError, match="is not part of the graph"):
        diagnose(worked_example(), {mg.variable(1.0, name="stranger"): 1.0})


def test_large_arrays_are_kept_as_a_summary():
    x = mg.variable(np.arange(LARGEST + 44.0).reshape(20, -1), name="x")
    recording = record(mg.mean(x * 2))
    summary = recording.values["n0"]
    assert isinstance(summary, Summary)
    assert (summary.least, summary.most, summary.shape) == (0.0, LARGEST + 43.0, x.shape)
    assert len(summary.thumbnail) == len(summary.thumbnail[0]) == 8
    assert Recording.from_json(recording.to_json()).values["n0"] == summary
    assert len(recording.to_json()) < 20_000


# --- in words -------------------------------------------------------------------------------------


def test_every_event_is_said_in_one_sentence():
    for y in (worked_example(), classifier()):
        recording = record(y)
        said = recording.narrate()
        assert len(said) == len(recording.events)
        assert all(text.endswith(".") and ".." not in text and "  " not in text for text in said)


def test_narration_gives_the_numbers():
    said = record(worked_example()).narrate()
    assert "y = d × e = 5 × 2 = 10." in said
    assert "The gradient 1 arriving at y is multiplied by ∂y/∂d = e = 2, which gives 2." in said
    assert "This is added to the 5 that b already has: 5 + 2 = 7." in said


def test_an_input_that_is_used_twice_is_told_apart():
    x = mg.variable(3.0, name="x")
    said = " ".join(record((x * x).named("y")).narrate())
    assert "by its first input (x = 3)" in said
    assert "by its second input (x = 3)" in said
    assert "∂y/∂x = x" not in said


def test_the_table_has_a_line_for_each_event():
    recording = record(worked_example())
    lines = recording.table().splitlines()
    assert len(lines) == len(recording.events) + 2
    (line,) = (line for line in lines if line.startswith("25 "))
    assert line.split() == ["25", "backward", "accumulate", "b", "d,", "input", "1", "5", "7"]


def test_the_table_of_one_pass_does_not_repeat_its_name_in_each_line():
    lines = record(worked_example(), "backward").table().splitlines()
    assert lines[0].split() == ["event", "node", "from", "upstream", "local", "before", "value"]
    (line,) = (line for line in lines if line.startswith("15 "))
    assert line.split() == ["15", "accumulate", "b", "d,", "input", "1", "5", "7"]


# --- wrong passes ---------------------------------------------------------------------------------


def test_a_recording_does_not_differ_from_itself():
    for y in (worked_example(), classifier()):
        assert first_difference(record(y), record(y)) is None


def part(y, wrong):
    found = first_difference(record(y), record(y, wrong=wrong))
    return found and (found.event.kind, name(y, found.event.node), name(y, found.event.user))


def name(y, id):
    return record(y, "forward").by_id[id].name


def test_overwriting_differs_at_the_second_contribution():
    assert part(worked_example(), "overwrite") == ("accumulate", "b", "d")


def test_a_forgotten_upstream_gradient_differs_where_it_is_not_1():
    assert part(worked_example(), "upstream") == ("multiply", "b", "e")


def test_a_wrong_sign_differs_at_the_difference():
    assert part(worked_example(), "sign") == ("multiply", "c", "e")


def test_stale_gradients_differ_at_the_first_addition():
    assert part(worked_example(), "stale") == ("accumulate", "d", "y")


def test_a_missing_sum_differs_at_the_stretched_input():
    assert part(classifier(), "broadcast") == ("multiply", "b", "v₂")


def test_without_topological_order_an_incomplete_gradient_is_handed_on():
    y = mg.parse("s = a * b; u = s * c; v = u * u; y = s + v", a=2, b=3, c=4)
    found = first_difference(record(y), record(y, wrong="order"))
    assert (found.event.kind, name(y, found.event.user)) == ("multiply", "s")
    assert "before its own gradient is complete" in found.text


@pytest.mark.parametrize("wrong", ["overwrite", "order"])
def test_without_fan_out_these_are_no_mistakes(wrong):
    y = mg.parse("y = (a + b) * (c - d)", a=2, b=3, c=4, d=5)
    assert first_difference(record(y), record(y, wrong=wrong)) is None


@given(scalar_graphs(), st.sampled_from([*MISCONCEPTIONS]))
def test_a_difference_is_found_where_the_gradients_differ(y, wrong):
    right, other = record(y), record(y, wrong=wrong)
    differ = any(not same(g, other.gradients[id]) for id, g in right.gradients.items())
    found = first_difference(right, other)
    if differ:
        assert found is not None
    if found:
        before = other.events[: found.place]
        assert all(
            first_difference(right, Recording(other.nodes, (event,), other.output)) is None
            for event in before
            if event.kind == "multiply"
        )


def test_another_right_order_is_no_difference():
    y = worked_example()
    assert first_difference(record(y), traced(y, order=lambda nodes: nodes)) is None
    assert (
        first_difference(record(y), traced(y, order=lambda nodes: sorted(nodes, key=repr))) is None
    )


# --- a program of one's own -----------------------------------------------------------------------


def traced(y, order, keep=lambda before, c: before + c):
    """A student's backward pass, which tells a tracer what it does."""
    tracer = Tracer(y)
    gradients = {y: 1.0}
    tracer.seed(y, 1.0)
    waiting = [y]
    while waiting:
        ready = [n for n in waiting if not any(n in other.inputs for other in waiting)]
        node = order(ready)[0]
        waiting.remove(node)
        tracer.visit(node)
        for slot, x in enumerate(node.inputs):
            values = [v.value for v in node.inputs]
            c = node.op.vjps[slot](gradients[node], node.value, values, node.attrs)
            tracer.multiply(node, slot, c)
            gradients[x] = keep(gradients[x], c) if x in gradients else c
            tracer.accumulate(node, slot, gradients[x])
            if x not in waiting:
                waiting.append(x)
    return tracer.recording()


def test_ones_own_pass_is_compared_event_by_event():
    y = worked_example()
    theirs = traced(y, order=lambda nodes: nodes, keep=lambda before, c: c)
    found = first_difference(record(y), theirs)
    assert (found.event.kind, found.expected) == ("accumulate", 7.0)
    assert "∂y/∂b" in found.text


def test_ones_own_right_pass_is_told_as_the_engines_is():
    y = worked_example()
    mine = traced(y, order=lambda nodes: sorted(nodes, key=lambda node: -node.seq))
    assert mine.narrate() == record(y, "backward").narrate()


def test_what_replaces_a_gradient_is_not_said_to_be_added():
    y = worked_example()
    mine = traced(y, order=lambda nodes: nodes, keep=lambda before, c: c)
    assert [said for said in mine.narrate() if "put in the place" in said] == [
        "This is put in the place of the 2 that b had: 5."
    ]
    mine = traced(y, order=lambda nodes: nodes, keep=lambda before, c: before * c)
    assert "This is given to b, which had 2 and has 10 now." in mine.narrate()


def test_a_node_may_hand_on_what_it_does_not_have():
    y = worked_example()
    d = y.inputs[0]
    tracer = Tracer(y)
    tracer.visit(d)
    tracer.multiply(d, 0, 0.0)
    tracer.accumulate(d, 0, 0.0)
    assert tracer.recording().narrate()[:2] == [
        "The backward pass reaches d, which has no gradient yet.",
        "What d hands on to a, although nothing has arrived at d, is 0.",
    ]
    (way, *_) = mg.play(y, own=tracer.recording()).view["mistakes"]
    assert way["steps"][0]["say"] == (
        "What d hands on to a, although nothing has arrived at d, is 0. It is given to a, which "
        "had nothing yet: 0."
    )


def test_of_arrays_too_an_overwritten_gradient_is_told_as_that():
    X, w = (mg.variable(np.ones((3, 2)), name=name) for name in "Xw")
    y = mg.sum(X * w + X)
    right, wrong = ("\n".join(record(y, wrong=way).narrate()) for way in ("", "overwrite"))
    assert "This is added to the gradient that X already has." in right
    assert "in the place of" not in right
    assert "This is put in the place of the (3 × 2) that X had: (3 × 2)." in wrong
    assert "added" not in wrong


def test_a_zero_that_is_overwritten_is_told_as_that():
    x = mg.variable(0.0, name="x")
    y = x * mg.constant(0.0) + x * mg.constant(3.0)
    told = record(y, wrong="overwrite").narrate()
    assert sum("put in the place of the" in text for text in told) == 1
    assert any("put in the place of the 0 that x had: 3" in text for text in told) or any(
        "put in the place of the 3 that x had: 0" in text for text in told
    )


@pytest.mark.parametrize("wrong", ["", "overwrite", "order"])
def test_only_a_right_pass_ends_with_complete_gradients(wrong):
    last = record(worked_example(), wrong=wrong).narrate()[-1]
    assert last == "The backward pass is done" + ("." if wrong else ": every gradient is complete.")


def test_a_pass_that_ends_too_early_is_noticed():
    y = worked_example()
    tracer = Tracer(y)
    tracer.seed(y, 1.0)
    tracer.multiply(y, 0, 2.0)
    tracer.accumulate(y, 0, 2.0)
    found = first_difference(record(y), tracer.recording())
    assert found.event.kind == "done"
    assert found.text == "The pass ends, and y has not handed on 5 to e."
    assert found.vague == "The pass ends, and y has not handed on to e."


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        ((3.0, 6.0), None),
        ((6.0, 6.0), None),  # told when both have been added
        ((3.0, 3.0), "With what has arrived, ∂y/∂x is 3"),
        ((0.0, 6.0), "With what has arrived, ∂y/∂x is 0"),
    ],
)
def test_a_node_may_hand_on_along_all_of_its_edges_before_anything_is_added(totals, text):
    x = mg.variable(3.0, name="x")
    y = (x * x).named("y")
    tracer = Tracer(y)
    tracer.seed(y, 1.0)
    for slot in range(2):
        tracer.multiply(y, slot, 3.0)
    for slot, total in enumerate(totals):
        tracer.accumulate(y, slot, total)
    found = first_difference(record(y), tracer.recording())
    assert (found and found.text) == (text and f"{text}; it should be 6.")
    assert (found and found.vague) == (text and f"{text}; that is not right.")


def test_a_contribution_that_is_made_twice_is_noticed():
    y = worked_example()
    tracer = Tracer(y)
    tracer.seed(y, 1.0)
    for _ in range(2):
        tracer.multiply(y, 0, 2.0)
    assert first_difference(record(y), tracer.recording()).text == "y hands on to d a second time."


def test_a_tracer_knows_its_graph_only():
    y = worked_example()
    tracer = Tracer(y)
    for stranger in (mg.variable(1.0), None, "y", 3):
        for tell in (
            lambda: tracer.seed(stranger, 1.0),  # noqa: B023
            lambda: tracer.visit(stranger),  # noqa: B023
            lambda: tracer.multiply(stranger, 0, 1.0),  # noqa: B023
            lambda: tracer.accumulate(stranger, 0, 1.0),  # noqa: B023
        ):
            with pytest.raises(MinigraphError, match="not part of the graph"):
                tell()
    for slot, said in ((2, "has 2 inputs, and none with number 2"), (-1, "none with number -1"),
                       ("a", "is a number, not str"), (True, "is a number, not bool")):  # fmt: skip
        with pytest.raises(MinigraphError, match=said):
            tracer.multiply(y, slot, 1.0)
    with pytest.raises(MinigraphError, match="has 0 inputs, and none with number 0"):
        tracer.accumulate(y.leaves()[0], 0, 1.0)
    assert len(tracer.recording().events) == 1  # of all that, nothing was written down


@pytest.mark.parametrize("wrong", ["1", None, 1j, object(), [[1], [1, 2]], {}])
def test_a_tracer_is_told_numbers(wrong):
    y = worked_example()
    tracer = Tracer(y)
    for tell in (
        lambda: tracer.seed(y, wrong),
        lambda: tracer.multiply(y, 0, wrong),
        lambda: tracer.accumulate(y, 0, wrong),
    ):
        with pytest.raises(NodeTypeError):
            tell()
    assert tracer.recording().gradients == {}


def test_whatever_shapes_a_tracer_is_told_there_is_a_sentence():
    y = worked_example()
    kinds = [2.0, np.ones(3), np.ones((20, 20)), np.int8(3), True]
    for g, c, total in product(kinds, repeat=3):
        tracer = Tracer(y)
        tracer.seed(y, g)
        tracer.visit(y)
        tracer.accumulate(y, 0, g)
        tracer.multiply(y, 0, c)
        tracer.accumulate(y, 0, total)
        recording = tracer.recording()
        assert len(recording.narrate()) == 6
        assert Recording.from_json(recording.to_json()).table() == recording.table()
        first_difference(record(y), recording)


@pytest.mark.parametrize("wrong", ["overwrite", "upstream", "sign", "stale"])
def test_gradients_are_traced_to_the_misconception_that_gives_them(wrong):
    y = worked_example()
    theirs = by_node(y, record(y, wrong=wrong))
    assert diagnose(y, theirs).name == wrong


def test_right_gradients_and_unknown_ones_have_no_misconception():
    y = worked_example()
    right = by_node(y, record(y))
    assert diagnose(y, right) is None
    assert diagnose(y, {y.leaves()[0]: 17.0}) is None
