"""What tests of exercises share: a check that must fail, and right answers to every case."""

from __future__ import annotations

import os

import pytest

from minigraph.course import CheckFailed, check
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES

EXPLORES = os.environ.get("HYPOTHESIS_PROFILE") == "explore"  # with time for more of the same kind


def failure(name, *answer):
    """How a check fails."""
    with pytest.raises(CheckFailed) as caught:
        check(name, *answer)
    return caught.value


def said(name, *answer):
    """What it says when it fails, in one line."""
    return " ".join(str(failure(name, *answer)).split())


def cases_and_answers(name, seed=0):
    """The cases of an exercise, each with the right answer."""
    exercise = EXERCISES[name]
    return [(case, expected(exercise, case)) for case in exercise.cases(seed)]
