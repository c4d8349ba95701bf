"""Every solution of the course is right when it is judged, and every stub is not started."""

from pathlib import Path

import pytest

from minigraph.course.exercises import EXERCISES
from minigraph.judge import sandboxes
from minigraph.judge.collecting import cells_of, lesson_in, lessons_of
from minigraph.judge.judging import Bench, Options, Task

ROOT = Path(__file__).parents[1]
LESSONS = lessons_of(EXERCISES)
NAMES = sorted(path.name.removeprefix("solutions_") for path in ROOT.glob("solutions/*.ipynb"))
SEED = 31


@pytest.fixture(scope="module")
def bench():
    made = Bench(sandboxes.chosen(None).name, Options())
    yield made
    made.close()


def verdicts(bench, path):
    cells = cells_of(path.read_bytes(), path.name)
    lesson = lesson_in(cells, "renamed.ipynb", LESSONS)
    assert lesson in path.name
    rows = bench.judged(Task("somebody", lesson, cells, LESSONS[lesson], SEED))
    return {row["exercise"]: row["verdict"] for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_right(bench, name):
    found = verdicts(bench, ROOT / "solutions" / f"solutions_{name}")
    assert found == dict.fromkeys(found, "right")


def test_what_is_handed_out_is_not_started(bench):
    found = verdicts(bench, ROOT / "exercises" / "exercises_05_backward_pass.ipynb")
    assert found == dict.fromkeys(found, "not started")
