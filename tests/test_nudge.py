"""The nudge widget: actual against predicted change, for whatever the sliders say."""

import re

import numpy as np
import pytest

import minigraph as mg
from minigraph.graph.errors import NodeTypeError
from minigraph.widgets import nudge


def worked_example(a, b, c):
    return (a + b) * (b - c)


@pytest.fixture
def widget():
    return nudge(worked_example, a=(-3, 5, 2), b=(-3, 5, 3), c=(-3, 5, 1))


def lines(widget):
    return re.sub("<[^>]+>", "", widget.message.value).splitlines()


def curve(widget):
    return widget.drawing.axes.lines[0].get_data()


def tangent(widget):
    return widget.drawing.axes.lines[1].get_data()


def test_a_linear_input_changes_the_output_as_predicted(widget):
    widget.delta.value = -0.75
    assert widget.actual == pytest.approx(2 * -0.75)  # e = 2
    assert widget.predicted == pytest.approx(widget.actual)


def test_the_difference_shrinks_with_the_square_of_the_nudge(widget):
    widget.chosen.value = "b"
    misses = []
    for delta in (1.0, 0.5, -0.25):
        widget.delta.value = delta
        assert widget.predicted == pytest.approx(7 * delta)  # d + e
        misses.append(widget.actual - widget.predicted)
    assert misses == pytest.approx([1, 1 / 4, 1 / 16])


def test_the_other_sliders_move_the_place(widget):
    widget.inputs["b"].value = 4.0
    widget.inputs["c"].value = 4.0
    widget.delta.value = 1.0
    assert widget.actual == widget.predicted == 0
    widget.chosen.value = "c"
    assert widget.predicted == -6


def test_the_sentence_says_what_the_numbers_are(widget):
    widget.chosen.value = "b"
    assert lines(widget) == [
        "b goes from 3 to 3.5, and y from 10 to 13.75.",
        "actual change: 3.75",
        "predicted change: ∂y/∂b · δ = 7 · 0.5 = 3.5",
        "difference: 0.25",
    ]
    widget.chosen.value = "c"
    widget.delta.value = -0.5
    assert lines(widget)[2] == "predicted change: ∂y/∂c · δ = (−5) · (−0.5) = 2.5"


def test_rounding_is_not_reported_as_a_difference(widget):
    widget.inputs["b"].value = 2.9
    widget.delta.value = 0.55
    assert widget.actual != widget.predicted
    assert lines(widget)[3] == "difference: 0"


def test_the_output_is_called_by_its_name():
    widget = nudge(lambda a: (a * a).named("area"), a=(0, 2))
    assert lines(widget)[0] == "a goes from 1 to 1.5, and area from 1 to 2.25."
    assert widget.drawing.axes.get_ylabel() == "area"


def test_the_plot_holds_the_curve_and_its_tangent(widget):
    widget.chosen.value = "b"
    b, y = curve(widget)
    assert (b[0], b[-1]) == (-3, 5)
    np.testing.assert_allclose(y, (2 + b) * (b - 1))
    _, straight = tangent(widget)
    np.testing.assert_allclose(straight, 10 + 7 * (b - 3))
    assert widget.drawing.axes.get_xlabel() == "b"


def test_the_plot_reaches_to_the_nudged_input(widget):
    widget.inputs["a"].value = 5.0
    assert curve(widget)[0][-1] == 5.5


def test_updates_do_not_pile_up_in_the_plot(widget):
    before = len(widget.drawing.axes.lines)
    for value in (0.5, 1.0, 1.5):
        widget.inputs["a"].value = value
    assert len(widget.drawing.axes.lines) == before


def test_a_kink_has_the_tangent_of_the_convention():
    widget = nudge(lambda a: mg.relu(a), a=(-2, 2, 0))
    assert (widget.actual, widget.predicted) == (0.5, 0)


def test_an_input_without_influence_has_a_flat_tangent():
    widget = nudge(lambda a, b: a * 2, b=(0, 1), a=(0, 1))
    assert (widget.actual, widget.predicted) == (0, 0)


def test_a_branch_in_python_is_followed():
    widget = nudge(lambda a: a * 3 if a.value > 0 else a * 1, a=(-1, 1, -0.25))
    assert widget.actual == pytest.approx(0.25 * 3 + 0.25)
    assert widget.predicted == pytest.approx(0.5)


@pytest.mark.filterwarnings("error")
def test_where_the_function_has_no_value_the_curve_has_a_gap():
    widget = nudge(lambda a: mg.log(a), a=(-1, 3, -0.5))
    assert lines(widget)[1] == "actual change: NaN"
    assert np.isnan(curve(widget)[1][0])
    widget.inputs["a"].value = 2.0
    assert widget.predicted == pytest.approx(0.25)


def test_every_control_has_a_name_and_answers_to_the_keyboard(widget):
    controls = [*widget.inputs.values(), widget.chosen, widget.delta]
    assert [control.description for control in controls] == ["a", "b", "c", "Nudge", "δ"]
    assert len(widget.chosen.tooltips) == len(widget.chosen.options)


def test_without_a_kernel_the_picture_and_the_sentence_remain(widget):
    data = widget._repr_mimebundle_()
    assert f'alt="{widget.drawing.alt}"' in data["text/html"]
    assert "actual change: 1" in data["text/html"]
    assert data["text/plain"] == "The curve of y against a, with its tangent at a = 2."


def test_a_function_that_gives_no_scalar_node_is_refused():
    with pytest.raises(NodeTypeError, match="must return a scalar Node, not 1"):
        nudge(lambda a: 1, a=(0, 1))
    with pytest.raises(NodeTypeError, match="scalar Node"):
        nudge(lambda a: a * mg.constant([1.0, 2.0]), a=(0, 1))
