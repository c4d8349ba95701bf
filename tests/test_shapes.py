"""The shape lens: what it says about shapes is what NumPy and the engine do, and it can be seen."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigraph as mg
from minigraph.widgets import shape_lens
from minigraph.widgets.shape_fit import fit
from minigraph.widgets.shapes import sentences

SVG = "{http://www.w3.org/2000/svg}"
sizes = st.sampled_from([1, 1, 2, 3, 4])
shapes = st.lists(sizes, max_size=4).map(tuple)
MATRICES = [
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3,)),
]


def values(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def gradients_by_the_engine(x, y, g, operation):
    x, y = mg.variable(x), mg.variable(y)
    (x @ y if operation == "matmul" else x + y).backward(seed=g)
    return x.grad, y.grad


def check_rules(first, second, operation):
    found = fit(first, second, operation)
    x, y, g = values(first), values(second, 1), values(found.out, 2)
    for i, expected in enumerate(gradients_by_the_engine(x, y, g, operation)):
        computed = eval(found.rule(i), {"np": np, "g": g, "x": x, "y": y})
        np.testing.assert_allclose(computed, expected, err_msg=found.rule(i))
        assert np.shape(computed) == (first, second)[i]


@given(shapes, shapes)
def test_shapes_fit_exactly_if_numpy_says_so(first, second):
    try:
        expected = np.broadcast_shapes(first, second)
    except ValueError:
        expected = None
    found = fit(first, second)
    assert found.out == expected
    assert bool(found.problem) == (expected is None)
    assert all(axis.fits for axis in found.axes) == (expected is not None)


@given(shapes, shapes)
def test_an_elementwise_rule_is_the_gradient_of_the_engine(first, second):
    if fit(first, second).out is not None:
        check_rules(first, second, "elementwise")


@pytest.mark.parametrize(("first", "second"), MATRICES)
def test_a_matmul_rule_is_the_gradient_of_the_engine(first, second):
    check_rules(first, second, "matmul")


@pytest.mark.parametrize(
    ("first", "second", "operation", "word"),
    [
        ((3, 1), (4, 2), "elementwise", "axis -2 has sizes 3 and 4"),
        ((3, 4), (3, 2), "matmul", "must be equal"),
        ((), (3, 2), "matmul", "scalar"),
        ((3,), (2, 3, 4), "matmul", "one row"),
    ],
)
def test_a_misfit_is_explained_and_drawn(first, second, operation, word):
    lens = shape_lens(first, second, operation)
    assert lens.fit.out is None
    assert word in lens.message.value
    assert "border-left: 3px solid #" in lens.message.value
    assert ("✗" in lens.drawing.svg) == any(not axis.fits for axis in lens.fit.axes)


def test_an_unknown_operation_is_refused_by_name():
    with pytest.raises(ValueError, match="convolve"):
        fit((1,), (1,), "convolve")


def test_copies_differ_from_elements_without_colour():
    cells = [
        rect for rect in ET.fromstring(shape_lens((3, 1), (4,)).drawing.svg).iter(SVG + "rect")
        if rect.get("width") == "23"
    ]  # fmt: skip
    dashed = [cell for cell in cells if cell.get("stroke-dasharray")]
    # x is 3 elements stretched to 12, y is 4 elements stretched to 12.
    assert len(dashed) == 9 + 8
    assert len(cells) == 2 * 12 + 2 * 12 + 3 + 4


def test_the_cells_of_g_say_where_they_are_added():
    svg = ET.fromstring(shape_lens((2, 1), (3,)).drawing.svg)
    digits = [text.text for text in svg.iter(SVG + "text") if text.get("text-anchor") == "middle"]
    cells = [text for text in digits if (text or "").isdigit()]
    x_row = ["0", "0", "0", "1", "1", "1"]
    # After the table of axes: x stretched, then g by the element that each cell is added to.
    assert cells[4:] == [*x_row, *x_row, "0", "1", *["0", "1", "2"] * 5]


@pytest.mark.parametrize("shape", [(), (1,), (6, 7), (1000, 1000), (2, 3, 4, 5), (1, 1, 1, 1)])
@pytest.mark.parametrize("operation", ["elementwise", "matmul"])
def test_any_shape_gives_a_picture_of_bounded_size(shape, operation):
    picture = shape_lens(shape, shape[::-1], operation).drawing
    root = ET.fromstring(picture.svg)
    assert float(root.get("width")) < 1100
    assert float(root.get("height")) < 1400


@pytest.mark.parametrize("text", ["3, 4", "(3, 4)", " 3,4 ", "3 × 4", "3x4", "(3,4,)", "3 4"])
def test_a_shape_may_be_written_in_many_ways(text):
    lens = shape_lens((1,), (1,))
    lens.shapes[0].value = text
    assert lens.fit.shapes[0] == (3, 4)


@pytest.mark.parametrize("text", ["3", "3,", "(3,)"])
def test_one_number_is_a_vector(text):
    lens = shape_lens((2,), (1,))
    lens.shapes[0].value = text
    assert lens.fit.shapes[0] == (3,)


@pytest.mark.parametrize("text", ["", "()", "( )"])
def test_no_numbers_are_a_scalar(text):
    lens = shape_lens((2,), (2,))
    lens.shapes[0].value = text
    assert lens.fit.shapes[0] == ()


@pytest.mark.parametrize("text", ["three", "3..4", "-1, 2", "0, 3", "1,2,3,4,5", "1.5"])
def test_what_is_not_a_shape_leaves_the_picture_and_says_why(text):
    lens = shape_lens((3, 1), (4,))
    before = lens.picture.value
    lens.shapes[1].value = text
    assert lens.picture.value == before
    assert "Not yet" in lens.message.value


def test_choosing_another_operation_changes_the_picture_and_the_words():
    lens = shape_lens((5, 3), (3, 2))
    assert lens.fit.out is None
    lens.operation.value = "matmul"
    assert lens.fit.out == (5, 2)
    assert "g @ y.T" in lens.message.value


def test_controls_are_named_and_the_picture_has_words():
    lens = shape_lens((3, 1), (4,))
    assert [c.description for c in (*lens.shapes, lens.operation)] == [
        "Shape of x", "Shape of y", "Operation",
    ]  # fmt: skip
    assert "alt=" in lens.picture.value
    assert lens.drawing.alt == sentences(lens.fit)


def test_without_a_kernel_a_still_is_left():
    bundle = shape_lens((3, 1), (4,))._repr_mimebundle_()
    assert "<img" in bundle["text/html"]
    assert "g.sum(axis=1, keepdims=True)" in bundle["text/plain"]
