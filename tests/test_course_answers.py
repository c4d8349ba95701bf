"""Every exercise accepts right answers in any style, and refuses wrong ones for no false reason."""

import math
import os
import re
import textwrap

import numpy as np
import pytest
from answers import ANSWERS
from answers.automatic_differentiation import local
from answers.backward_pass import local_derivative
from answers.forward_pass import compute
from checks import failure

import minigraph as mg
from minigraph.course import attempt, check, checking
from minigraph.course.exercises import EXERCISES

pytestmark = pytest.mark.usefixtures("rehearsed")
FEWEST_RIGHT, FEWEST_WRONG = 3, 5
FEW_SECONDS = 0.5  # for an answer that goes on for ever
MANY_SECONDS = 60.0  # for the others, so that a busy machine stops none of them


def answers(are_right):
    chosen = [answer for answer in ANSWERS if answer.is_right is are_right]
    return pytest.mark.parametrize("answer", chosen, ids=str)


@pytest.fixture
def patience(answer, monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", FEW_SECONDS if answer.takes_long else MANY_SECONDS)
    if not answer.takes_long:  # what comes back by itself need not be rehearsed
        monkeypatch.setattr(attempt, "rehearse", lambda work, seconds: None)


@answers(are_right=True)
@pytest.mark.usefixtures("patience")
def test_a_right_answer_is_accepted(answer):
    check(answer.exercise, answer.given)


@answers(are_right=False)
@pytest.mark.usefixtures("patience")
def test_a_wrong_answer_is_refused_and_told_no_false_cause(answer):
    error = failure(answer.exercise, answer.given)
    assert error.key == answer.hint
    assert answer.says in " ".join(str(error).split())
    assert not leaked(EXERCISES[answer.exercise], error.panel.parts)


def leaked(exercise, parts):
    """The right numbers that are told, other than those that the student has written."""
    cases = exercise.cases(int(os.environ[checking.SEED]))
    case = next(c for c in cases if exercise.as_code(*c) in ("", parts[0].code))
    right = numbers_in(attempt.expected(exercise, case))
    fractions = {x for x in right if x % 1}  # whole ones may be told for another reason
    shown = written_numbers(part.code for part in parts)
    said = written_numbers(part.text for part in parts if not part.label)
    hinted = written_numbers(part.text for part in parts if part.label)
    return ((fractions if exercise.parameters else right) & said | fractions & hinted) - shown


def numbers_in(answer):
    """All numbers in an answer as plain data, as precisely as messages write them."""
    if isinstance(answer, dict):
        return numbers_in([value for key, value in answer.items() if key != "shape"])
    if isinstance(answer, (list, tuple)):
        return set().union(*map(numbers_in, answer))
    is_number = isinstance(answer, (int, float)) and math.isfinite(answer)
    return {float(f"{answer:.6g}")} if is_number else set()


def written_numbers(texts):
    found = re.findall(r"[-−]?\b\d+(?:\.\d+)?\b", " ".join(texts))
    return {float(number.replace("−", "-")) for number in found}


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_been_tried(name):
    tried = [answer.is_right for answer in ANSWERS if answer.exercise == name]
    assert tried.count(True) >= FEWEST_RIGHT
    assert tried.count(False) >= FEWEST_WRONG


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if e.another_way])
def test_another_way_is_right_too(name, monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", MANY_SECONDS)
    lines = EXERCISES[name].another_way.split("\n")
    code = textwrap.dedent("\n".join(x for x in lines if not x or x.startswith(" ")))
    handed_out = {"compute": compute, "local": local, "local_derivative": local_derivative}
    defined = {"math": math, "np": np, "mg": mg, **handed_out}
    exec(code, defined)
    check(name, defined[name])


PLAIN = [name for name, e in EXERCISES.items() if e.lesson[:2] in ("02", "04") and e.parameters]


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "topological_order"])
def test_the_code_of_an_input_makes_that_input(name):
    exercise = EXERCISES[name]
    for case in exercise.cases():
        made: dict = {}
        exec(exercise.as_code(*case), made)
        assert tuple(made[x] for x in exercise.parameters) == case
