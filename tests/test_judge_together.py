"""The exercises of a notebook are tried together, and each is worth what it is worth alone."""

import pytest
from judge_class import AROUND, FIRST, HONEST

from minigraph.course.exercises import EXERCISES
from minigraph.judge.asking import Limits
from minigraph.judge.judging import Bench, Options, Task
from minigraph.judge.standalone import code_of

LESSON = "02_forward_pass"
NAMES = ["predict_order", "topological_order", "forward", "repair_forward"]
ORDER = code_of(EXERCISES["topological_order"], EXERCISES["topological_order"].reference)
FORWARD = HONEST.replace("honest", "forward")
REPAIRED = code_of(EXERCISES["repair_forward"], EXERCISES["repair_forward"].reference)
CELLS = [FIRST, "predict_order = ['w', 'x', 'u', 'b', 'h', 'y']", ORDER, FORWARD, REPAIRED]


@pytest.fixture(scope="module")
def bench():
    made = Bench(AROUND, Options(limits=Limits(seconds=1)))
    yield made
    made.close()


@pytest.fixture
def asked(bench, monkeypatch):
    """How many exercises each process was asked for."""
    counts = []
    ask = bench.inside._asked

    def counted(cells, questions, skipped):
        counts.append(len(questions))
        return ask(cells, questions, skipped)

    monkeypatch.setattr(bench.inside, "_asked", counted)
    return counts


def judged(bench, *more, cells=CELLS):
    rows = bench.judged(Task("somebody", LESSON, [*cells, *more], NAMES, 8))
    assert [row["exercise"] for row in rows] == NAMES
    return {row["exercise"]: row for row in rows}


def verdicts(bench, *more):
    return {name: row["verdict"] for name, row in judged(bench, *more).items()}


def test_what_is_right_is_asked_once(bench, asked):
    assert verdicts(bench) == dict.fromkeys(NAMES, "right")
    assert asked == [4]


def test_what_is_missing_not_begun_or_explained_is_asked_once(bench, asked):
    stub = "def forward(graph, inputs):\n    # YOUR CODE HERE\n    ..."
    twice = EXERCISES["topological_order"].misconceptions[0]
    known = code_of(EXERCISES["topological_order"], twice.ways[0])
    rows = judged(bench, stub, known, cells=CELLS[:-1])
    found = [rows[name]["verdict"] for name in NAMES]
    assert found == ["right", "wrong", "not started", "missing"]
    assert rows["topological_order"]["misconception"] == twice.key
    assert asked == [4]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("import os\nos._exit(0)", "crashed"),
        ("import ctypes\nctypes.string_at(0)", "crashed"),
        ("while True: pass", "too slow"),
        ("return bytearray(2 ** 40)", "out of memory"),
    ],
)
def test_what_ends_an_exercise_costs_it_alone(bench, asked, code, verdict):
    body = code.replace("\n", "\n    ")
    found = verdicts(bench, f"def topological_order(output):\n    {body}")
    assert found == dict.fromkeys(NAMES, "right") | {"topological_order": verdict}
    if verdict != "out of memory":  # which Python survives
        assert asked == [4, 2, 1]


@pytest.mark.parametrize(
    "mischief",
    [
        "globals().pop('forward', 0)",
        "globals().update(forward=len)",
        "np.float64 = np.ndarray = None",
        "import json; json.dumps = str",
        "import builtins; builtins.isinstance = len",
        "import sys; sys.stdout = None",
    ],
)
def test_what_an_exercise_does_to_its_process_is_not_done_to_the_next(bench, mischief):
    spoilt = ORDER.replace("topological_order", "honest_order")
    body = ["order = honest_order(output)", mischief, "return order"]
    spoilt += "\n\ndef topological_order(output):\n    " + "\n    ".join(body)
    found = verdicts(bench, spoilt)
    assert all(found[name] == "right" for name in NAMES if name != "topological_order")
