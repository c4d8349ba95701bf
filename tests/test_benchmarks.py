"""The benchmarks run, agree and report; how long anything takes is not asserted."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from benchmarks import __main__ as program
from benchmarks import blas, contenders, measuring, parallel, report
from benchmarks.contenders import (
    CONTENDERS,
    NETWORKS,
    ByHand,
    LeftOutError,
    Micrograd,
    Minigraph,
    MinigraphPlan,
    PyTorch,
)
from benchmarks.measuring import Bench, DisagreementError, Row, check_agreement, installed

PLAN = replace(
    program.QUICK,
    chains=(40, 400),
    shown=(400,),
    mixes=(40,),
    largest=800,
    epochs=1,
    memory=40,
    budget=0,
)


@pytest.fixture(scope="module")
def measured(request):
    """What a short run gives: minigraph, and PyTorch where it is installed."""
    kinds = [Minigraph]
    if importlib.util.find_spec("torch"):
        request.getfixturevalue("torch")
        kinds += [PyTorch]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "BURST", 0.001)
        patch.setattr(measuring, "FEWEST", 2)
        return program.measure(PLAN, kinds)


def test_the_table_has_all_its_rows(measured):
    rows, memory, setting = measured
    text = report.table(report.sections(rows, memory, PLAN.shown, PLAN.mixes), setting)
    for title in (
        "Scalar graph of 400 operations: µs for each operation",
        "x·b, x + y, z·0.5 and tanh in turn, 40 operations: µs for each operation",
        "Training step, 2-16-16-1, tanh, mean squared error, batch 32: µs",
        "Training step, 64-128-10, tanh, softmax cross-entropy, batch 64: µs",
        "Training step, 28×28, 3×3 of 8, relu, pool 2, linear 10, batch 32: µs",
        "Training on digits, 64-64-10, relu, Adam, 1 × 1,437 in batches of 64: ms",
        "Memory of a scalar graph of 40 operations: bytes",
        "Drawing 50 nodes, warm: ms",
        "The largest graph, 800 operations: s",
    ):
        below = text.partition(title)[2].splitlines()
        assert below[2].startswith("minigraph "), title


def test_the_figures_are_plain_data(measured):
    rows, memory, setting = measured
    figures = json.loads(json.dumps(report.as_json(rows, memory, setting)))
    assert {"python", "numpy", "versions", "blas", "messages", "rows", "memory"} <= figures.keys()
    ours = [row for row in figures["rows"] if row["contender"] == "minigraph"]
    assert {(row["kind"], row["size"]) for row in ours} == {
        ("chain", 40), ("chain", 400), ("chain", 800), ("mix", 40), ("drawing", 50), ("digits", 1),
        ("sliding", 11), ("sliding", 51), ("sliding", 199),
        *((kind, network.batch) for kind, network in NETWORKS.items()),
    }  # fmt: skip
    for row in ours:
        assert row["ratio"] == 1
        assert row["total"] == pytest.approx(sum(row["seconds"].values()))
        assert min(row["seconds"].values()) > 0
    (counted,) = [row for row in figures["memory"] if row["contender"] == "minigraph"]
    assert counted["bytes"]["forward"] > 100


def test_the_chart_shows_every_contender(measured, tmp_path):
    chains = [row for row in measured[0] if row.kind == "chain"]
    report.chart(chains, tmp_path / "cost.svg", 30)
    svg = (tmp_path / "cost.svg").read_text(encoding="utf-8")
    for name in measured[2].versions:
        assert f"{name} " in svg.partition("<title>")[2].partition("</title>")[0]
    report.chart(chains, tmp_path / "cost.png", 30)
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_names_in_the_chart_keep_apart():
    assert report._apart([0.0, 3.0], 1.0) == [0.0, 3.0]
    assert report._apart([0.0, 0.5, 4.0], 1.0) == [-0.25, 0.75, 4.0]
    crowd = report._apart([0.0, 0.1, 0.2, 0.3], 1.0)
    assert np.diff(crowd) == pytest.approx([1, 1, 1])


def test_every_contender_has_its_own_look_in_the_chart():
    looks = [report.look(kind.name) for kind in CONTENDERS]
    assert len({marker for _, marker in looks}) == len(CONTENDERS)


@pytest.mark.parametrize("kind", ["chain", "mix", "digits", *NETWORKS])
def test_minigraph_computes_what_pytorch_computes(kind, torch):
    size = 2 if kind == "digits" else 40
    each = (Minigraph, MinigraphPlan, PyTorch) if kind == "digits" else (Minigraph, PyTorch)
    numbers = {one.name: Bench(one).first(kind, size).numbers for one in each}
    check_agreement(kind, numbers)
    spoiled = [*numbers["minigraph"]]
    spoiled[-1] = spoiled[-1] + 1e-6
    with pytest.raises(DisagreementError, match="other does not compute what minigraph computes"):
        check_agreement(kind, {"minigraph": numbers["minigraph"], "other": spoiled})


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_plan_and_numpy_by_hand_compute_what_minigraph_computes(kind):
    by_hand = [ByHand] * isinstance(NETWORKS[kind], contenders.Network)
    benches = [Bench(each) for each in (Minigraph, MinigraphPlan, *by_hand)]
    first = {bench.contender.name: bench.first(kind, 40).numbers for bench in benches}
    check_agreement(kind, first)
    later = {}
    for bench in benches:
        work = bench.works[kind, 40]
        later[bench.contender.name] = work.outcome(measuring.run(work))
    check_agreement(kind, later)
    assert not np.array_equal(first["minigraph"][1], later["minigraph"][1])


def test_a_training_step_changes_every_parameter():
    before = NETWORKS["small network"].data()[2]
    _, *after = Bench(Minigraph).first("small network", 32).numbers
    assert [p.shape for p in after] == [p.shape for p in before]
    assert all(not np.array_equal(p, q) for p, q in zip(before, after, strict=True))


def test_the_programs_are_what_the_table_calls_them():
    x, w, b = contenders.SCALARS
    y = x
    for _ in range(3):
        y = np.sin(y * w + x) - b
    assert Bench(Minigraph).first("chain", 12).numbers[0] == pytest.approx(y)
    a, y, b = contenders.SCALARS
    for _ in range(3):
        a = np.tanh(0.5 * (a * b + y))
    assert Bench(Minigraph).first("mix", 12).numbers[0] == pytest.approx(a)
    for kind, network in NETWORKS.items():
        x, target, (*hidden, w, b) = network.data()
        if kind == "images":
            x = np.maximum(correlated(x, *hidden), 0)
            x = x.reshape(32, 8, 13, 2, 13, 2).max(axis=(3, 5)).reshape(32, -1)
            hidden = []
        for weight, bias in zip(hidden[::2], hidden[1::2], strict=True):
            x = np.tanh(x @ weight + bias)
        out = x @ w + b
        if network.classifies:
            chosen = np.exp(out)[np.arange(network.batch), target] / np.exp(out).sum(axis=1)
            loss = -np.log(chosen).mean()
        else:
            loss = ((out - target) ** 2).mean()
        assert Bench(Minigraph).first(kind, network.batch).numbers[0] == pytest.approx(loss)


def correlated(x, filters, bias):
    """A convolution with one channel, place by place under the filter."""
    out = np.zeros((len(x), len(filters), x.shape[2] - 2, x.shape[3] - 2))
    for i in range(3):
        for j in range(3):
            under = x[:, :, i : i + out.shape[2], j : j + out.shape[3]]
            out += filters[:, 0, i, j].reshape(-1, 1, 1) * under
    return out + bias.reshape(-1, 1, 1)


def test_a_missing_peer_is_skipped_with_how_to_get_it():
    absent = type("Absent", (Minigraph,), {"name": "Absent", "package": "no_such_library"})
    found, messages = installed([Minigraph, absent])
    assert found == [Minigraph]
    assert messages == [
        'Absent is skipped, it is not installed: python3 -m pip install -e ".[benchmark]"'
    ]
    rows = [Row("minigraph", "chain", 4, {"forward": 1.0})]
    setting = report.Setting(messages, {"minigraph": "1"})
    text = report.table(report.sections(rows, [], [4]), setting)
    assert messages[0] in text.splitlines()


class Stuck:
    """A worker that can do what is small, and says why it cannot do more."""

    name, limit = "stuck", 10.0

    def __init__(self):
        self.asked = []

    def ask(self, request, kind, size, *repeats):
        self.asked.append((request, size))
        if size > 10:
            raise LeftOutError("takes more than 10 s")
        if request == "first":
            return measuring.First([np.float64(1)], seconds=0.1, warm=0.1, note="")
        return {"forward": 0.1, "free": 0.0}


def test_who_cannot_do_one_size_is_not_asked_for_a_larger_one():
    worker = Stuck()
    contest = measuring.Contest([worker], budget=0, say=lambda text: None)
    rows = [contest.compare("chain", size)[0] for size in (10, 100, 200)]
    assert [row.total for row in rows] == [0.1, None, None]
    assert [row.note for row in rows] == ["", *["takes more than 10 s"] * 2]
    assert ("first", 200) not in worker.asked


def test_what_would_take_too_long_is_foreseen():
    worker = Stuck()
    contest = measuring.Contest([worker], budget=0, say=lambda text: None)
    contest.compare("chain", 10)
    assert contest.compare("chain", 100_000)[0].note == "would take about 1000 s at 100,000"
    assert ("first", 100_000) not in worker.asked


def test_a_worker_that_is_too_slow_is_stopped():
    with measuring.Worker(Minigraph, limit=0.0) as worker:
        with pytest.raises(LeftOutError, match="takes more than 0 s"):
            worker.ask("version")
        assert worker.process is None


def test_what_a_contender_cannot_do_is_a_note():
    rows = [Row("minigraph", "chain", 4, note="has scalars only")]
    rows += [Row("minigraph", "chain", 8, note="has scalars only")]
    rows += [Row("JAX jit", "chain", 4, {"compiled": 0.5, "free": 0.0})]
    text = report.table(report.sections(rows, [], [4, 8]), report.Setting())
    assert "minigraph: has scalars only (chain 4, chain 8)" in text
    (line,) = [line for line in text.splitlines() if line.startswith("JAX jit   ")][:1]
    assert line.split()[2:5] == ["–", "–", "–"]


def test_only_names_that_exist_can_be_chosen(capsys):
    with pytest.raises(SystemExit):
        program.main(["--only", "TensorFlow"])
    assert "minigraph" in capsys.readouterr().err
    assert contenders.CONTENDERS[0] is Minigraph


class Telling(Minigraph):
    """A contender that tells what its process has of the environment, instead of working."""

    def __init__(self):
        raise LeftOutError(", ".join(name for name in blas.SLOWING if name in os.environ) or "none")


@pytest.fixture
def slowed(monkeypatch):
    """An environment that has OpenBLAS run the kernel of an old processor."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "64")


def test_what_slows_blas_is_unset_in_the_process_of_a_contender_and_there_only(slowed):
    with measuring.Worker(Telling, limit=60) as worker, pytest.raises(LeftOutError, match="none"):
        worker.ask("version")
    assert os.environ["OPENBLAS_CORETYPE"] == "Prescott"
    assert os.environ["OPENBLAS_L2_SIZE"] == "64"


def test_the_kernel_that_ran_is_the_one_for_the_processor(slowed, monkeypatch):
    pytest.importorskip("threadpoolctl")
    with measuring.Worker(Minigraph, limit=60) as worker:
        ran = worker.ask("kernel")
    command = [sys.executable, "-m", "threadpoolctl", "-i", "numpy"]
    slow = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    for name in blas.SLOWING:
        monkeypatch.delenv(name)
    fast = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    assert ran == " ".join(fast[key] for key in ("internal_api", "version", "architecture"))
    if fast["internal_api"] == "openblas" and platform.machine() in ("x86_64", "AMD64"):
        assert slow["architecture"] != fast["architecture"]


def test_the_table_says_which_kernels_ran_and_what_was_unset(measured, slowed):
    lines = report.heading(measured[2]).splitlines()[2:]
    assert lines
    assert all(line.startswith("BLAS: ") for line in lines)
    one = report.Setting(blas.unset({**os.environ}), kernels={"openblas 1 Zen": ["a", "b"]})
    text = report.table([], one)
    assert "BLAS: openblas 1 Zen" in text.splitlines()
    assert [line.split()[0] for line in text.splitlines()[-2:]] == [*blas.SLOWING]
    two = report.Setting(kernels={"mkl 2": ["a"], "openblas 1 Zen": ["b", "c"]})
    assert "BLAS: openblas 1 Zen (b, c)" in report.heading(two).splitlines()


def test_micrograd_is_given_the_functions_that_it_lacks():
    pytest.importorskip("micrograd")
    for kind in ("chain", "mix"):
        first = {each.name: Bench(each).first(kind, 40).numbers for each in (Minigraph, Micrograd)}
        check_agreement(kind, first)


def test_the_gain_of_a_second_thread_is_a_row_for_each_graph():
    title, *rows = parallel.table(rounds=1, scale=20).splitlines()
    assert title.split() == ["graph", "1", "thread", "2", "threads", "ratio", "predicted"]
    assert len(rows) == len([*parallel.cases(20)])
    assert all(float(number) > 0 for row in rows for number in row.split()[-2:])
