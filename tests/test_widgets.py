"""Whatever is typed into a widget or asked of it, it answers in a sentence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minigraph as mg
from minigraph.core.operation import FUNCTIONS
from minigraph.recording import record
from minigraph.widgets import (
    checkpoint_viewer,
    expression,
    expression_editor,
    pass_viewer,
    passes,
    path_explorer,
    play,
    player,
    schedule_viewer,
    shape_lens,
)


def worked_example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def chain(length):
    y = mg.variable(0.5, name="x")
    for _ in range(length):
        y = mg.sin(y)
    return y


def seconds_of(graph, each=1.0):
    return {node: each for node in graph.order if node.op}


TYPED = [
    *[f"{name}({', '.join('ab'[:n])})" for name in sorted(FUNCTIONS) for n in (0, 1, 2)],
    "", "  ", "\n;\n",
    "a +", "a.b", "a[0]", "y = y", "einsum(a, b)", "pad(a, b)", "10**400", "1e999",
    "(" * 300 + "a" + ")" * 300, "a" * 5000, "\x00", "a\x1b[31m", "\ud800", "class", "pi(2)", "'a'",
    "reshape(a, shape=(2, 3))", "sum(a, axis=99)", "__import__('os')", "lambda: 1", "None",
    "1j * a",
]  # fmt: skip


@pytest.mark.parametrize("make", [expression_editor, pass_viewer])
def test_whatever_is_typed_the_sentence_is_about_that(make):
    widget = make()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for text in TYPED:
            widget.text.value = "a * b"
            assert "Not yet" not in widget.message.value
            widget.say("of before")
            widget.text.value = text
            assert "of before" not in widget.message.value, text
            assert widget.drawing is not None


@pytest.mark.parametrize("error", [AttributeError, KeyError, RecursionError, ZeroDivisionError])
@pytest.mark.parametrize(
    ("make", "module"), [(expression_editor, expression), (pass_viewer, passes)]
)
def test_an_error_that_nobody_has_foreseen_is_told_and_the_drawing_stays(
    make, module, error, monkeypatch
):
    widget = make()
    drawing = widget.drawing

    def fails(*_, **__):
        raise error("something odd")

    monkeypatch.setattr(module, "parse", fails)
    widget.text.value = "a * c"
    assert f"Not yet: {error.__name__}: " in widget.message.value
    assert "something odd" in widget.message.value
    assert widget.drawing is drawing
    monkeypatch.undo()
    widget.text.value = "a * b"
    assert "Not yet" not in widget.message.value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, 5e-324, -0.0])
def test_any_number_can_stand_in_the_editor(value):
    editor = expression_editor("a / b + a ** b", a=value, b=-0.5)
    for field in editor.numbers.values():
        field.value = value
    assert "Not yet" not in editor.message.value
    assert "<img" in editor._repr_mimebundle_()["text/html"]


def test_letters_in_a_row_are_said_to_be_one_name():
    editor = expression_editor("y = a + b")
    editor.text.value = "y = ab + b"
    assert "; ab is one name; to multiply, write a * b<" in editor.message.value
    assert editor.node is not None
    editor.text.value = "y = loss + b"
    assert "one name" not in editor.message.value


def test_a_slider_whose_picture_cannot_be_drawn_says_so(monkeypatch):
    graph = mg.Graph(worked_example())
    for widget, slider in (
        (schedule_viewer(graph, seconds_of(graph)), "workers"),
        (checkpoint_viewer(), "segments"),
    ):
        monkeypatch.setattr(widget, "show", lambda *_: 1 / 0)
        getattr(widget, slider).value = 5
        assert "Not yet: ZeroDivisionError: division by zero" in widget.message.value


def test_paths_from_a_node_that_the_target_does_not_use():
    a, b = mg.variable(2.0, name="a"), mg.variable(3.0, name="b")
    p, q = (a * a).named("p"), (b * b).named("q")
    paths = path_explorer(p + q)
    for way in paths.way.options:
        paths.way.value = way
        paths.target.value, paths.source.value = p, q
        assert "No path leads from q to p" in paths.message.value
        paths.source.value = b
        assert "No path leads from b to p" in paths.message.value
        paths.source.value = a
        assert "∂p/∂a" in paths.costs.value


X = mg.variable(2.0, name="x")
GRAPH = mg.Graph(X * X)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: shape_lens(5, (3,)), r"a shape is a tuple of sizes such as \(3, 1\), not 5"),
        (lambda: shape_lens((3,), "3"), "a shape is a tuple of sizes"),
        (lambda: shape_lens((3,), (3,), "plus"), "the operation is 'elementwise' or 'matmul'"),
        (lambda: checkpoint_viewer(0), "layers is a number from 1 to 10000, not 0"),
        (lambda: checkpoint_viewer(10**6), "layers is a number from 1 to 10000, not 1000000"),
        (lambda: checkpoint_viewer("many"), "layers is a number"),
        (lambda: checkpoint_viewer(8, 9), "segments is a number from 0 to 8, not 9"),
        (lambda: checkpoint_viewer(8, 2.0), "segments is a number"),
        (lambda: checkpoint_viewer(8, 2, 0), "budget is a number from 1 on, not 0"),
        (lambda: schedule_viewer(X * X, {}), "a schedule is of a Graph, such as"),
        (lambda: schedule_viewer(GRAPH, {}), r"multiply.* takes a number of seconds, not None"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH, np.nan)), "takes a number of seconds"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH, np.inf)), "takes a number of seconds"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH, -1.0)), "takes a number of seconds"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH, "1")), "takes a number of seconds"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH), 9), "there are 1 to 8 workers, not 9"),
        (lambda: schedule_viewer(GRAPH, seconds_of(GRAPH), "2"), "there are 1 to 8 workers"),
        (lambda: path_explorer([X]), "paths lead to a Node, not list"),
        (lambda: path_explorer(X > 1), "greater.* does not depend on a variable"),
        (lambda: mg.explore(lambda a: a, a=(0, 5e-324)), "is not below"),
        (lambda: mg.explore(lambda a: a, a=(10**400, 1)), "is not a finite number"),
        (lambda: play(X * X, position="a"), "position is between 0 and 5, not 'a'"),
        (lambda: play(X * X, position=1.5), "position is between 0 and 5, not 1.5"),
        (lambda: play(X * X, wrong=5), "wrong is the name of a misconception, not 5"),
        (lambda: play(X * X, wrong=[]), "wrong is the name of a misconception"),
        (lambda: record(X * X, wrong=5), "there is no misconception 5"),
        (lambda: record(X * X, wrong=["sign"]), "there is no misconception"),
    ],
)
def test_what_a_widget_cannot_show_is_refused_by_name(make, said):
    with pytest.raises(mg.MinigraphError, match=said):
        make()


@pytest.mark.parametrize(
    "message",
    [None, [], "x", 5, {}, {"kind": 5}, {"kind": "toggle"}, {"kind": "toggle", "position": "x"},
     {"kind": "answer"}, {"kind": "answer", "text": None}, {"kind": "reveal", "more": 1}],
)  # fmt: skip
def test_a_message_that_is_none_changes_nothing(message):
    shown = play(worked_example())
    before = shown.get_state()
    shown._told(None, message, [])
    assert shown.get_state() == before


def test_a_fold_that_is_gone_is_refused_and_the_place_is_one_that_exists():
    shown = play(worked_example())
    for action, path in (("fold", "layer9"), (None, None), (["fold"], {})):
        message = {"kind": "toggle", "position": 10**9, "action": action, "path": path}
        with pytest.raises(mg.MinigraphError, match="there is nothing to"):
            shown._told(None, message, [])
    assert shown.position == len(shown.view["steps"])


# --- graphs that are too large --------------------------------------------------------------------


def test_a_graph_of_more_steps_than_a_page_can_hold_is_refused(monkeypatch):
    assert len(play(chain(40)).view["steps"]) == 82
    monkeypatch.setattr(player, "MOST_PLAYED", 80)
    assert play(chain(40)).view["steps"]  # 40 operations, and 40 inputs
    with pytest.raises(mg.MinigraphError, match="have about 82 steps"):
        play(chain(41))
    assert play(chain(80), "forward").view["steps"]
    with pytest.raises(mg.MinigraphError, match="have about 81 steps"):
        play(chain(81), "forward")
    monkeypatch.setattr(player, "MOST_ORDERED", 10)
    with pytest.raises(mg.MinigraphError, match="shows up to 10;"):
        play(chain(6), predict="order")


def test_a_graph_that_takes_minutes_to_record_is_refused(monkeypatch):
    monkeypatch.setattr(player, "MOST_SINGLE", 80)
    assert len(play(chain(100)).view["steps"]) < 80
    monkeypatch.setattr(player, "MOST_RECORDED", 190)
    with pytest.raises(mg.MinigraphError, match="about 200 steps, and the player shows up to 190"):
        play(chain(100))


def test_a_page_with_as_much_as_is_played_has_a_size_that_can_be_sent(monkeypatch):
    monkeypatch.setattr(player, "MOST_SINGLE", player.MOST_PLAYED)  # of which none are joined
    shown = play(chain(player.MOST_PLAYED // 2))
    assert len(shown.view["steps"]) > player.MOST_PLAYED
    assert len(shown.html) < 8_000_000


def test_thousands_of_operations_play_in_a_small_page():
    assert len(play(chain(3_000)).html) < 250_000


def test_recording_a_huge_graph_says_that_it_takes_its_time(monkeypatch):
    module = __import__("minigraph.recording.recorder", fromlist=["x"])
    monkeypatch.setattr(module, "LARGEST_AT_ONCE", 40)
    with pytest.warns(UserWarning, match="recording 42 nodes takes minutes") as caught:
        record(chain(41))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record(chain(39))
