"""Every solution of the course is right when it is judged, and every stub is not started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from judge_class import AROUND

from minigraph.course.exercises import EXERCISES
from minigraph.judge.collecting import cells_of, lesson_in, lessons_of
from minigraph.judge.judging import Bench, Options, Task

ROOT = Path(__file__).parents[1]
LESSONS = lessons_of(EXERCISES)
NAMES = sorted(path.name.removeprefix("solutions_") for path in ROOT.glob("solutions/*.ipynb"))
SEED = 31


@pytest.fixture(scope="module")
def bench():
    made = Bench(AROUND, Options())
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


CHECKS = """
import sys

opened = set()
sys.addaudithook(lambda event, args: event == "open" and opened.add(str(args[0])))
from minigraph.course import CheckFailed, check
from minigraph.course.exercises import EXERCISES

check("forward", EXERCISES["forward"].reference)
for answer in (len, lambda graph, inputs: {}, EXERCISES["forward"].misconceptions[0].programs[0]):
    try:
        check("forward", answer)
    except CheckFailed as error:
        print(error.panel.state, [part.label for part in error.panel.parts])
assert any("minigraph" in path for path in opened)
print([path for path in opened if "solutions" in path])
"""


def test_checks_and_their_hints_need_no_solutions(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", CHECKS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    *told, opened = ran.stdout.splitlines()
    assert opened == "[]"
    assert sum(line.startswith("wrong") for line in told) == 3
    assert any("'Hint'" in line for line in told)
