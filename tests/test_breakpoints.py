"""The player runs to a breakpoint: the first NaN, a node, a gradient that is too large."""

from __future__ import annotations

import json

import numpy as np
import pytest

import minigraph as mg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def chain(factors, x=1.0):
    """y = x · f₁ · f₂ …, each product named h1, h2 …; gradients are products of the later ones."""
    h = mg.variable(x, name="x")
    for n, factor in enumerate(factors, 1):
        h = (h * factor).named(f"h{n}")
    return h


def step(player):
    """The step before which the player stands, after the last one that was done."""
    return player.view["steps"][player.position - 1]


def test_it_stops_at_the_first_nan_and_says_so():
    x = mg.variable(0.25, name="x")
    y = mg.exp(mg.log((x - 0.5).named("b")).named("c"))
    player = mg.play(y, until="nan")
    assert player.position == 2
    assert step(player)["say"].startswith("c = log(b)")
    assert player.stopped == "Stopped: a number is NaN or infinite."


def test_it_stops_at_the_first_nan_of_the_backward_pass():
    x = mg.variable([4.0, 0.0], name="x")
    player = mg.play(mg.sum(mg.sqrt(x)), until="nan")
    assert (step(player)["phase"], step(player)["node"]) == ("backward", "n0")
    assert np.isinf(player.recording.gradients["n0"]).any()


@pytest.mark.parametrize("size", [300, 10_000])
def test_nan_is_seen_in_arrays_that_are_kept_as_summaries(size):
    values = np.ones(size)
    values[size // 2] = -1.0
    x = mg.variable(values, name="x")
    assert step(mg.play(mg.sum(mg.sqrt(x)), until="nan"))["node"] == "n1"


@pytest.mark.parametrize("meant", ["h2", "node"])
def test_it_stops_where_a_node_gets_its_value_and_then_its_gradient(meant):
    y = chain([2.0, 3.0, 4.0])
    node = y.inputs[0]
    player = mg.play(y, until="h2" if meant == "h2" else node)
    assert (player.position, step(player)["phase"]) == (2, "forward")
    again = mg.play(y, until=node, position=player.position)
    assert (step(again)["node"], step(again)["phase"]) == (step(player)["node"], "backward")
    assert again.stopped == "Stopped: h2 is reached."


@pytest.mark.parametrize(("most", "name"), [(3.0, "h2"), (11.0, "h1"), (12.0, "x"), (0, "h3")])
def test_it_stops_at_the_first_gradient_that_is_larger(most, name):
    player = mg.play(chain([2.0, 3.0, 4.0]), until=most)  # gradients 1, 4, 12, 24
    assert player.recording.by_id[step(player)["node"]].name == name


def test_the_largest_element_of_an_array_counts():
    x = mg.variable([1.0, 2.0, 3.0], name="x")
    y = mg.sum((x * [1.0, -50.0, 2.0]).named("h"))
    assert step(mg.play(y, until=20))["node"] == "n0"
    assert mg.play(y, until=50).stopped.startswith("To the end")


def test_it_runs_to_the_end_where_nothing_stops_it():
    y = chain([2.0])
    player = mg.play(y, until="nan")
    assert player.position == len(player.view["steps"])
    assert player.stopped == "To the end, and at no step: a number is NaN or infinite."
    assert player.stopped in player.html


def test_a_node_in_a_call_or_a_folded_scope_is_reached_where_that_is():
    s = mg.softmax(mg.variable([1.0, 2.0], name="x"))
    inner = s.inputs[0]
    y = mg.sum(s * s)
    player = mg.play(y, until=inner)
    assert player.recording.by_id[step(player)["node"]].operation == "softmax"
    with mg.scope("part"):
        h = mg.tanh(mg.variable(0.5, name="w")).named("h")
    player = mg.play((h * 2.0) * 3.0, until="h", folded="part")
    assert "h = tanh(w)" in step(player)["say"]


def test_a_mistaken_pass_stops_by_its_own_gradients():
    a = mg.variable(3.0, name="a")
    d = (a * 1.0).named("d")
    y = d * 2.0 + d * 5.0
    assert mg.play(y, until=6.0).stopped.startswith("Stopped")
    assert mg.play(y, until=6.0, wrong="overwrite").stopped.startswith("To the end")


def test_a_breakpoint_that_is_spelled_in_another_way_is_suggested():
    y = mg.tanh(mg.variable(0.5, name="Weight"))
    for said, meant in {"NaN": "nan", "NAN": "nan", "inf": "nan", "weight": "Weight"}.items():
        with pytest.raises(mg.MinigraphError, match=f"no node '{said}' .*did you mean '{meant}'"):
            mg.play(y, until=said)


def test_breakpoints_are_offered_where_there_is_something_to_run_to():
    short, long = chain([1.5, 1.5]), chain([1.5] * 40)
    assert mg.play(short).view["breakpoints"] is None
    options = mg.play(long).view["breakpoints"]["options"]
    assert [value for value, _ in options[:2]] == ["nan", "over"]
    assert "h40" in [text for _, text in options]
    assert mg.play(short, until=3).view["breakpoints"]["kind"] == "over"
    options = mg.play(long, "forward").view["breakpoints"]["options"]
    assert "over" not in [value for value, _ in options]
    json.dumps(mg.play(mg.log(mg.variable(0.0) * 1.0)).view, allow_nan=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"until": "hh1"}, "there is no node 'hh1' to run to; did you mean 'h1'"),
        ({"until": True}, 'until is "nan", a node or its name, or a size that gradients have'),
        ({"until": -1.0}, "not -1.0"),
        ({"until": float("nan")}, "not nan"),
        ({"until": [3]}, r"not \[3\]"),
        ({"until": mg.variable(1.0, name="other")}, "other .* is not part of the graph"),
        ({"until": "nan", "predict": True}, "leave out predict or until"),
        ({"until": "nan", "nudge": "x"}, "has no until"),
    ],
)
def test_what_is_no_breakpoint_is_refused(options, said):
    with pytest.raises(mg.MinigraphError, match=said):
        mg.play(chain([2.0, 3.0]), **options)
