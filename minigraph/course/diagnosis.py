"""Recognise a misconception by what it does: the same wrong answers to the same questions."""

from __future__ import annotations

from collections.abc import Sequence

from .attempt import Attempt, attempts
from .specification import Exercise, Misconception

SECONDS = 10.0  # wrong programs of the catalogue come back by themselves


def diagnose(exercise: Exercise, found: Sequence[Attempt]) -> Misconception | None:
    """The misconception that goes wrong in the same way, wherever the answer is wrong.

    One that agrees in every case, also where the answer is right, goes before one that only
    answers the wrong ones alike, and that before one that merely shows the same symptoms.
    """
    cases = [attempt.case for attempt in found]
    best: tuple[int, Misconception | None] = (0, None)
    for misconception in exercise.misconceptions:
        for program in misconception.programs:
            theirs = attempts(exercise, program, cases, SECONDS)
            strength = _agreement(exercise, found, theirs)
            if strength > best[0]:
                best = strength, misconception
    return best[1]


def _agreement(exercise: Exercise, mine: Sequence[Attempt], theirs: Sequence[Attempt]) -> int:
    pairs = list(zip(mine, theirs))
    failed = [(a, b) for a, b in pairs if a.wrong]
    if len(theirs) < len(mine):
        return 0
    if all(_same_symptom(a, b) and _same_answer(exercise, a, b) for a, b in failed):
        return 3 if all(bool(a.wrong) == bool(b.wrong) for a, b in pairs) else 2
    return int(all(_same_symptom(a, b) and _symptom(a) for a, b in failed))


def _same_symptom(a: Attempt, b: Attempt) -> bool:
    """Whether both are wrong, and if one could not be read, both could not for the same reason."""
    if not a.wrong or not b.wrong or _symptom(a) != _symptom(b):
        return False
    return _symptom(a) is not None or (a.answer is not None and b.answer is not None)


def _same_answer(exercise: Exercise, a: Attempt, b: Attempt) -> bool:
    if a.answer is None or b.answer is None:
        return a.answer is b.answer
    return exercise.form.alike(a.answer, b.answer)


def _symptom(attempt: Attempt) -> str | None:
    return attempt.wrong.symptom if attempt.wrong else None
