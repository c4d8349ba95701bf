"""A nudge: its way through a graph is the derivative's, and the player shows it wave by wave."""

import json

import numpy as np
import programs
import pytest
from hypothesis import given, settings
from test_player import chain, classifier, texts

import minigraph as mg
from minigraph.errors import FormatError, GradientError, MinigraphError, NodeTypeError, ShapeError
from minigraph.recording import Recording, record
from minigraph.widgets import play


def crossing():
    return mg.parse("p = u * v; q = v * w + u; y = p / q", u=3, v=0.5, w=4)


def changes(recording):
    """The changes by the names of the nodes."""
    return {recording.by_id[id].name: change for id, change in recording.changes.items()}


# --- the numbers ----------------------------------------------------------------------------------


@given(programs.programs())
@settings(max_examples=40, deadline=None)
def test_the_output_changes_as_pytorchs_gradients_say(program):
    torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    arrays, steps = program
    y = programs.run(mg, [mg.variable(x) for x in arrays], steps)
    if programs.near_a_kink(y):
        return
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    programs.run(torch, leaves, steps).backward()
    rng = np.random.default_rng(0)
    variables = [node for node in y.leaves() if node.kind == "variable"]
    nudge = {node: rng.normal(size=node.shape) for node in variables}
    expected = sum(np.sum(nudge[x] * leaf.grad.numpy()) for x, leaf in zip(variables, leaves))
    recording = record(y, nudge=nudge)
    np.testing.assert_allclose(recording.changes[recording.output], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("opened", [False, True])
def test_every_node_changes_as_a_finite_difference_says(opened):
    size, W = 1e-6, mg.variable(np.arange(6.0).reshape(3, 2) - 2, name="W")
    h = mg.tanh(np.arange(12.0).reshape(4, 3) / 7 @ W)
    y = (mg.std(h) * mg.sum(h * h)).named("y")
    recording = record(y, nudge={"W": size}, opened=opened)
    assert len(recording.changes) == (13 if opened else 7)

    def moved(by):
        W.value = W.value + by
        order = mg.topological_order(y)
        values = {}
        for node in order:
            inputs = [values[x] for x in node.inputs]
            values[node] = node.op.forward(*inputs, **node.attrs) if node.op else node.value
        W.value = W.value - by
        return {f"n{place}": values[node] for place, node in enumerate(order)}

    above, below = moved(size / 2), moved(-size / 2)
    for id, change in recording.changes.items():
        np.testing.assert_allclose(change, above[id] - below[id], rtol=1e-4, atol=1e-13)


def test_where_paths_meet_what_they_bring_adds_up():
    found = changes(record(crossing(), nudge={"v": 0.2}))
    assert found["p"] == pytest.approx(0.2 * 3)
    assert found["q"] == pytest.approx(0.2 * 4)
    # y = p/q: 1/q = 1/5 along one path, −p/q² = −1.5/25 along the other
    assert found["y"] == pytest.approx(0.6 * 0.2 - 0.8 * 0.06)
    assert set(found) == {"v", "p", "v₁", "q", "y"}  # v₁ is v × w


def test_an_input_that_is_used_twice_brings_its_change_twice():
    x = mg.variable(3.0, name="x")
    recording = record((x * x).named("y"), nudge={x: 0.5})
    assert [e.value for e in recording.events if e.kind == "multiply"] == [1.5, 1.5]
    assert recording.events[-1].before == 3.0
    assert recording.events[-1].value == 3.5**2 - 9


def test_several_nodes_can_be_nudged_at_once_also_in_the_middle():
    recording = record(crossing(), nudge={"u": 0.1, "p": -0.3})
    found = changes(recording)
    assert found["p"] == pytest.approx(0.1 * 0.5 - 0.3)
    p, q = 3.1 * 0.5 - 0.3, 0.5 * 4 + 3.1
    assert recording.events[-1].value == pytest.approx(p / q - 1.5 / 5)


def test_what_really_happens_is_computed_again():
    end = record(mg.parse("y = x * x", x=4), nudge={"x": 0.5}).events[-1]
    assert (end.kind, end.before, end.value) == ("done", 4.0, 4.25)


def test_the_nodes_stay_as_they_were():
    y = crossing()
    before = [(node.value, node.grad) for node in mg.topological_order(y)]
    record(y, nudge="u")
    play(y, nudge="u")
    assert [(node.value, node.grad) for node in mg.topological_order(y)] == before


def test_an_output_of_any_shape_can_be_reached():
    x = mg.variable([1.0, 2.0, 3.0], name="x")
    recording = record((x * x).named("y"), nudge={"x": [0.1, 0.0, 0.2]})
    np.testing.assert_allclose(recording.changes[recording.output], [0.2, 0.0, 1.2])


# --- what is asked for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nudge", "kind", "says"),
    [
        ("x", MinigraphError, "there is no node 'x', only 'u', 'v', 'w'"),
        ({"uu": 1}, MinigraphError, "did you mean 'u'"),
        (0.1, NodeTypeError, "nudge is the name of a node, a Node, or a dict .* not float 0.1"),
        ({1: 0.1}, NodeTypeError, "nudge is the name"),
        ({}, MinigraphError, "nothing is nudged"),
        ({"u": [1.0, 2.0]}, ShapeError, "the nudge of u .* has shape \\(2,\\)"),
        ({"u": float("nan")}, MinigraphError, "u .* is nudged by a finite number, not nan"),
        ({"u": "much"}, TypeError, "much"),
        (mg.variable(1.0, name="z"), MinigraphError, "z .* is not part of the graph"),
    ],
)
def test_what_cannot_be_nudged_is_named(nudge, kind, says):
    for show in (record, play):
        with pytest.raises(kind, match=says):
            show(crossing(), nudge=nudge)


def test_a_constant_is_not_nudged():
    c = mg.constant(2.0, name="c")
    with pytest.raises(GradientError, match=r"c .* cannot be nudged.*mg\.variable"):
        record((mg.variable(1.0) * c).named("y"), nudge="c")


def test_a_node_within_a_closed_call_is_nudged_once_that_is_open():
    x = mg.variable([1.0, 2.0], name="x")
    y = mg.sum(mg.softmax(x) * [1.0, 3.0]).named("y")
    inner = next(node for node in mg.topological_order(y) if node.op and node.op.name == "max")
    with pytest.raises(MinigraphError, match="lies in a call that is drawn as one box"):
        record(y, nudge=inner)
    assert record(y, nudge=inner, opened=True).changes


@pytest.mark.parametrize(
    "option", [{"passes": "backward"}, {"wrong": "sign"}, {"predict": True}, {"seed": 1.0}]
)
def test_a_nudge_goes_forwards(option):
    (name,) = option
    show = record if name == "seed" else play
    with pytest.raises(MinigraphError, match=f"a nudge goes forwards, and has no {name}"):
        show(crossing(), nudge="u", **option)


# --- in words and as JSON -------------------------------------------------------------------------


def test_json_comes_back_the_same_and_is_refused_where_it_cannot_be():
    recording = record(classifier(), nudge="b")
    text = recording.to_json()
    back = Recording.from_json(text)
    assert (back.to_json(), back.narrate()) == (text, recording.narrate())
    assert len(back.narrate()) == len(back.events)
    document = json.loads(text)
    place = next(n for n, e in enumerate(document["events"]) if e["kind"] == "multiply")
    document["events"][place].pop("upstream")
    with pytest.raises(FormatError, match="multiplies nothing"):
        Recording.from_json(json.dumps(document))


def test_a_nudge_is_said_in_sentences():
    said = record(mg.parse("d = a * b; y = d - a", a=2, b=3), nudge={"a": 0.5}).narrate()
    assert said[-7:] == [
        "The change 0.5 of a is multiplied by ∂d/∂a = b = 3, and brings 1.5 to d.",
        "d changes by 1.5 so far.",
        "The change 1.5 of d is multiplied by ∂y/∂d = 1, and brings 1.5 to y.",
        "y changes by 1.5 so far.",
        "The change 0.5 of a is multiplied by ∂y/∂a = −1, and brings −0.5 to y.",
        "Added to the 1.5 that y already changes by, it makes 1.",
        "By the edges, y changes by 1. Computed again, it changes by just that.",
    ]


def test_a_nudge_that_leads_nowhere_says_so():
    x, z = mg.variable(1.0, name="x"), mg.variable(2.0, name="z")
    y = mg.where(x > 0, z, 2 * z).named("y")
    said = record(y, nudge="x").narrate()
    assert said[-1] == "No path leads to y: the nudge does not change it."


# --- in the player --------------------------------------------------------------------------------


def test_a_step_is_a_wave_and_all_edges_of_it_flow_at_once():
    steps = play(crossing(), nudge="v").view["steps"]
    assert [step["boxes"] for step in steps] == [["n1"], ["n3", "n4"], ["n5"], ["n6"], ["n6"]]
    assert [len(step.get("flow", [])) for step in steps] == [0, 2, 1, 2, 0]
    assert {step["phase"] for step in steps} == {"nudge"}
    assert [label[1] for label in steps[1]["flow"]] == ["0.1 × 3 = 0.3", "0.1 × 4 = 0.4"]


def test_adding_up_is_shown_as_adding_up_and_the_end_compares():
    y = mg.parse("p = x * k; q = x + 1; y = p * q", x=2, k=3)
    view = play(y, nudge={"x": 0.5}).view
    shown = [texts(view, n).get(("n5", "gradient")) for n in range(len(view["steps"]) + 1)]
    # ∂y/∂p = 3 with Δp = 1.5, ∂y/∂q = 6 with Δq = 0.5; really 7.5 · 3.5 − 18
    assert [text for text in shown if text] == ["4.5 + 3 = 7.5", "7.5, really 8.25"]
    assert view["steps"][-1]["say"] == (
        "By the edges, y changes by 7.5. "
        "Computed again, it goes from 18 to 26.25, a change of 8.25."
    )


def test_all_values_are_known_before_a_nudge():
    view = play(crossing(), nudge="v").view
    assert 'data-part="value">0.3<' in view["svg"]
    assert 'data-part="value">–<' not in view["svg"]
    assert {label[4] for label in view["labels"]} == {"derivative"}


def test_a_small_graph_offers_a_nudge_of_each_variable():
    player = play(crossing(), nudge={"v": 0.25})
    names = [nudge["name"] for nudge in player.view["nudges"]]
    assert names == ["u by 0.1", "v by 0.25", "v by 0.1", "w by 0.1"]
    assert player.nudge == "v by 0.25"
    chosen = player.view["nudges"][1]
    assert chosen["steps"] == player.view["steps"]
    assert len(play(chain(100), nudge="x").view["nudges"]) == 1


def test_the_still_shows_where_the_nudge_has_been():
    player = play(crossing(), nudge="v")
    assert "Δv = 0.1" in player._drawing.alt
    assert "change" in repr(player).splitlines()[0]
    svg = player._drawing.svg
    assert "0.1 × 3 = 0.3" in svg
    assert "∂p/∂v" not in svg
    assert "∂p/∂u" in svg  # not on the way
    assert player.view["steps"][-1]["say"] in player.html


def test_arrays_change_by_up_to_their_largest_element():
    view = play(classifier(), nudge={"b": [0.1, -0.3]}).view
    assert view["steps"][0]["say"] == "b is nudged by up to 0.3."
    assert view["steps"][0]["grids"]["n2"] == [[["0.1", 0.33], ["−0.3", -1.0]]]
    assert all("boxes" in step for step in view["steps"])


def test_a_nudge_goes_on_when_a_call_is_opened():
    player = play(classifier(), nudge="b", position=2)
    before = player.view["steps"]
    (path,) = (t["path"] for t in player.view["toggles"] if t["action"] == "open")
    player.toggle("open", path)
    assert len(player.view["steps"]) > len(before)
    assert player.view["steps"][-1]["say"] == before[-1]["say"]
