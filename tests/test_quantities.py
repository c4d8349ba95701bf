"""Answers that are numbers: what is read, what is explained, and when a step is good."""

import json
import math

import numpy as np
import pytest

import minigraph as mg
from minigraph.course.exercises.local_derivatives import Step, choose_step
from minigraph.course.forms import WrongForm
from minigraph.course.quantities import Number, NumberList


@pytest.mark.parametrize("answer", [2, 2.0, np.float64(2), np.int32(2), np.array([2.0])])
def test_a_number_may_come_in_many_types(answer):
    found = Number().read(answer, ())
    assert found == 2.0
    assert type(found) in (int, float)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (mg.variable(2.0), "take the number in it, its `.value`"),
        ("2", "a text"),
        (True, "True"),
        ([2.0], "a list"),
        (2j, "a complex number"),
        (np.array([1.0, 2.0]), "an array"),
    ],
)
def test_what_is_no_number_is_explained(answer, says):
    with pytest.raises(WrongForm, match=says):
        Number().read(answer, ())


@pytest.mark.parametrize("answer", [[1, 2.0], (1, 2), np.array([1, 2]), [np.float64(1), 2]])
def test_a_list_of_numbers_may_come_in_many_types(answer):
    assert NumberList().read(answer, ()) == [1.0, 2.0]


def test_one_number_will_do_for_a_list_of_one():
    assert NumberList().read(3, ()) == [3.0]


def test_a_wrong_list_is_told_its_place_and_not_the_number():
    form = NumberList()
    assert form.difference([1.0, 2.0], [1.0, 2.0], ()) is None
    assert form.difference([1.0, 2.5], [1.0, 2.0], ()).text == "Number 2 of 2 is not right."
    assert "2 numbers, and yours are 1" in form.difference([1.0], [1.0, 2.0], ()).text


def test_a_formula_written_differently_is_the_same_answer():
    assert Number().alike(0.1 + 0.2, 0.3)
    assert not Number().alike(0.3, 0.3001)
    assert Number().alike(math.nan, math.nan)
    assert not NumberList().alike([1.0], [1.0, 2.0])


def measured_error(x, h):
    """The error of the central difference as it is, in exact arithmetic but for the values of f."""
    slope = ((x + h) ** 3 + (x + h) - ((x - h) ** 3 + (x - h))) / (2 * h)
    return abs(slope / (3 * x * x + 1) - 1)


def test_a_step_that_is_called_good_measures_so_and_a_bad_one_may_be_bad():
    for (x,) in choose_step.cases():
        good = choose_step.reference(x)
        for factor in (1, 2, 0.3):
            assert Step().difference(factor * good, good, (x,)) is None
            assert measured_error(x, factor * good) < 1e-9
        too_large = Step().difference(100 * good, good, (x,))
        assert too_large.symptom == "truncation"
        assert measured_error(x, 100 * good) > 1e-9


def test_a_tiny_step_is_lost_in_rounding():
    assert Step().difference(1e-13, 1e-5, (1.0,)).symptom == "lost in rounding"
    assert measured_error(1.1, 1e-13) > 1e-6
    assert Step().difference(1.5e-8, 1e-5, (1.0,)).symptom == "rounding"
    assert Step().difference(0.0, 1e-5, (0.0,)).symptom == "none"
    assert Step().difference(math.nan, 1e-5, (1.0,)).symptom == "none"


def test_plain_answers_are_json():
    assert json.loads(json.dumps(NumberList().read((1, np.float32(2)), ()))) == [1.0, 2.0]
