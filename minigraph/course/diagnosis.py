"""Recognise a misconception by what it does: the same wrong answers to the same questions."""

from __future__ import annotations

from collections.abc import Sequence

from .attempt import Attempt, alike, attempts
from .specification import Exercise, Misconception, Program

SECONDS = 10.0  # wrong programs of the catalogue come back by themselves


def misconception_behind(exercise: Exercise, tries: Sequence[Attempt]) -> Misconception | None:
    """The first misconception that explains an answer: it goes wrong in the same way, everywhere.

    Where the answer is right, so is the misconception, and where it is wrong, both are alike. What
    agrees in some cases only may have another cause, and a hint that names a wrong one misleads.
    """
    for misconception in exercise.misconceptions:
        if any(_explains(exercise, program, tries) for program in misconception.programs):
            return misconception
    return None


def _explains(exercise: Exercise, program: Program, tries: Sequence[Attempt]) -> bool:
    """Whether a program does the same, case by case: most differ in the first of them already."""
    return all(
        _agree(exercise, mine, theirs)
        for mine in tries
        for theirs in attempts(exercise, program, [mine.case], SECONDS)
    )


def _agree(exercise: Exercise, mine: Attempt, theirs: Attempt) -> bool:
    if not (mine.wrong or theirs.wrong):
        return True
    return _same_symptom(mine, theirs) and alike(exercise, mine, theirs)


def _same_symptom(a: Attempt, b: Attempt) -> bool:
    """Whether both are wrong, and if one could not be read, both could not for the same reason."""
    if not a.wrong or not b.wrong or _symptom(a) != _symptom(b):
        return False
    return _symptom(a) is not None or (a.answer is not None and b.answer is not None)


def _symptom(attempt: Attempt) -> str | None:
    return attempt.wrong.symptom if attempt.wrong else None


def faults_of(exercise: Exercise) -> list[str]:
    """What is wrong with an exercise: in sentences, for whoever writes it."""
    cases = exercise.cases()
    if not cases:
        return ["There is no case to try it on."]
    tries = attempts(exercise, exercise.reference, cases, SECONDS)
    if wrong := next((attempt.wrong for attempt in tries if attempt.wrong), None):
        return [f"The reference itself is wrong: {wrong.text}"]
    faults = []
    for misconception in exercise.misconceptions:
        for number, program in enumerate(misconception.programs, start=1):
            what = f'Way {number} of the misconception "{misconception.key}"'
            tries = attempts(exercise, program, cases, SECONDS)
            if not any(attempt.wrong for attempt in tries):
                faults.append(f"{what} changes no answer.")
            elif (other := misconception_behind(exercise, tries)) is not misconception:
                name = f'for "{other.key}"' if other else "for none"
                faults.append(f"{what} is taken {name}.")
    return faults
