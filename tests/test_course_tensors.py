"""The exercises on tensors against the engine, and the forms of answers that are arrays."""

import json

import numpy as np
import pytest

import minigraph as mg
from minigraph.course import CheckFailed, check
from minigraph.course.arrays import Arrays, Shapes, as_python, locked
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES
from minigraph.course.forms import WrongForm


def arrays(plain):
    return [np.array(x["numbers"]).reshape(x["shape"]) for x in plain]


def engine_unbroadcast(g, shape):
    g = np.array(g)
    x = mg.variable(np.ones(shape))
    mg.broadcast_to(x, g.shape).backward(seed=g)
    return [x.grad]


def engine_matmul(g, x, y):
    x, y = mg.variable(x), mg.variable(y)
    (x @ y).backward(seed=g)
    return [x.grad, y.grad]


def engine_mean(g, x, axis):
    x = mg.variable(x)
    mg.mean(x, axis=axis).backward(seed=g)
    return [x.grad]


def engine_index(g, index, shape):
    x = mg.variable(np.ones(shape))
    x[index].backward(seed=g)
    return [x.grad]


def engine_center(g, x):
    x = mg.variable(x)
    (x - mg.mean(x, axis=1, keepdims=True)).backward(seed=g)
    return [x.grad]


ENGINE = {
    "unbroadcast": engine_unbroadcast,
    "matmul_vjp": engine_matmul,
    "mean_vjp": engine_mean,
    "index_vjp": engine_index,
    "repair_center_vjp": engine_center,
}


@pytest.mark.parametrize("name", ENGINE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_reference_is_the_gradient_of_the_engine(name, seed):
    for case in EXERCISES[name].cases(seed):
        for mine, right in zip(
            arrays(expected(EXERCISES[name], case)), ENGINE[name](*case), strict=True
        ):
            assert mine.shape == np.shape(right)
            np.testing.assert_allclose(mine, right, rtol=1e-12, atol=1e-12)


def test_predicted_shapes_are_those_of_the_engine():
    exercise = EXERCISES["predict_shapes"]
    given = exercise.cases()[0][0]
    names = {name: mg.variable(np.ones(shape)) for name, shape in given.items()}
    answers = expected(exercise, (given,))
    assert answers.pop("gradient of b") == given["b"]
    for text, shape in answers.items():
        if shape == "error":
            with pytest.raises(mg.ShapeError):
                eval(text, {"mean": mg.mean}, names)
        else:
            assert list(eval(text, {"mean": mg.mean}, names).shape) == shape


@pytest.mark.parametrize("name", ENGINE)
def test_no_gradient_that_is_handed_out_is_all_ones(name):
    for case in EXERCISES[name].cases():
        assert not np.all(np.array(case[0]) == 1)


@pytest.mark.parametrize("name", ENGINE)
def test_what_is_handed_out_cannot_be_changed_in_place(name):
    exercise = EXERCISES[name]
    given = exercise.as_arguments(*exercise.cases()[0])

    def spoils_g(g, *others):
        g[...] = 0
        return exercise.reference(g, *others)

    assert given[0].flags.writeable is False
    with pytest.raises(CheckFailed, match="read-only"):
        check(name, as_asked(exercise, spoils_g))


def as_asked(exercise, program):
    names = ", ".join(exercise.parameters)
    return eval(f"lambda {names}: program({names})", {"program": program})


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [np.ones((2, 1)), [[1], [1.0]], ((1.0,), (1.0,))])
def test_an_array_may_be_nested_lists_too(answer):
    assert Arrays().read(answer, ()) == [{"shape": [2, 1], "numbers": [1.0, 1.0]}]


def test_an_empty_array_keeps_its_shape_in_plain_data():
    plain = json.loads(json.dumps(Arrays().read(np.ones((0, 3)), ())))
    assert plain[0]["shape"] == [0, 3]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (mg.variable([1.0, 2.0]), "value"),
        ("text", "a text"),
        ({"x": 1}, "a dictionary"),
        ([[1, 2], [3]], "a list"),
        (len, "a function"),
    ],
)
def test_what_is_no_array_is_told_by_its_kind(answer, word):
    with pytest.raises(WrongForm, match=word):
        Arrays().read(answer, ())


def test_two_arrays_come_in_a_tuple():
    form = Arrays("two arrays", ("first", "second"))
    assert len(form.read((np.ones(2), np.ones(3)), ())) == 2
    with pytest.raises(WrongForm, match="an array"):
        form.read(np.ones((2, 2)), ())
    with pytest.raises(WrongForm, match="3 parts"):
        form.read((1, 2, 3), ())


def test_a_wrong_shape_is_told_before_a_wrong_number_and_the_number_is_not_given_away():
    form = Arrays()
    right = form.read(np.array([[1.0, 2.0], [3.0, 77.0]]), ())
    shape = form.difference(form.read(np.ones(4), ()), right, ())
    assert "(2, 2)" in shape.text
    assert "(4,)" in shape.text
    number = form.difference(form.read([[1, 2], [3, 5]], ()), right, ())
    assert "[1, 1]" in number.text
    assert "yours is 5" in number.text
    assert "77" not in number.text


def test_rounding_is_no_difference_and_not_a_number_is_itself():
    form = Arrays()
    right = form.read([0.3, np.nan], ())
    assert form.difference(form.read([0.1 + 0.2, np.nan], ()), right, ()) is None
    assert form.difference(form.read([0.3, 0.0], ()), right, ()) is not None


@pytest.mark.parametrize(
    ("value", "word"), [(4, r"\(4,\)"), (..., "three dots"), ((2, 1.5), "a shape"), (None, "None")]
)
def test_what_is_no_shape_is_explained(value, word):
    with pytest.raises(WrongForm, match=word):
        Shapes().read({"p": value}, ())


@pytest.mark.parametrize("value", [(2, 3), [2, 3], (np.int64(2), 3)])
def test_a_shape_may_be_a_tuple_or_a_list(value):
    assert Shapes().read({"p": value}, ()) == {"p": [2, 3]}


@pytest.mark.parametrize("value", [[[1.5, -2.0]], [1.5], 2.5, (3, 1), None])
def test_arguments_are_shown_as_code_that_gives_them_back(value):
    names: dict = {}
    exec(as_python(g=value), names)
    assert np.array_equal(names["g"], value)
    assert isinstance(names["g"], np.ndarray) == isinstance(value, list)


@pytest.mark.parametrize("shape", [(0, 3), (0,), (2, 0)])
def test_an_array_without_an_element_is_shown_with_its_shape(shape):
    names: dict = {}
    exec(as_python(x=np.zeros(shape)), names)
    assert names["x"].shape == shape


def test_a_locked_array_is_a_copy():
    numbers = np.ones(2)
    array = locked(numbers)
    numbers[0] = 2
    assert array[0] == 1
