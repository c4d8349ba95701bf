"""Measure the contenders: each in a process of its own, in turn, until a budget of time is spent.

What is fair here:

* Each library has a fresh process, so that its live objects do not burden the passes of another's
  garbage collector, nor its threads the processor. Only one process works at a time.
* One thread each; float64; warm: what is compiled or cached at first was so before.
* The contenders take turns, so that a slow minute of the machine is shared. A turn is a burst of
  repeats, after a full garbage collection; the collector stays on during it, as in daily use. A
  figure is the mean of a burst, which counts the collector's passes, and of these the median.
* What the environment says of OpenBLAS's kernels is unset, and the kernel that ran is named.
* Before anything is timed, values and gradients are compared with minigraph's.
* Python's limit of recursion is lifted for a library that runs into it, and a note says so.
"""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import multiprocessing
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np

from . import blas
from .contenders import Contender, LeftOutError, State, Work

INSTALL = 'python3 -m pip install -e ".[benchmark]"'
BURST = 0.05  # seconds
FEWEST, MOST = 5, 100  # turns; who takes very long has fewer
RELATIVE_ERROR = 1e-9
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
) | {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class DisagreementError(Exception):
    """Two contenders computed different things, so their times mean nothing."""


@dataclass(frozen=True)
class Row:
    """What one contender took for one piece of work.

    Attributes:
        contender, kind, size: who did what.
        stages: seconds for each stage, and for freeing what the work left; empty if left out.
        turns: how many bursts the medians are of.
        note: why it was left out, or what was special.
    """

    contender: str
    kind: str
    size: int
    stages: dict[str, float] = field(default_factory=dict)
    turns: int = 0
    note: str = ""

    @property
    def total(self) -> float | None:
        """Seconds for the whole work, and freeing what it left."""
        return sum(self.stages.values()) if self.stages else None


@dataclass(frozen=True)
class First:
    """What doing a piece of work for the first time told.

    Attributes:
        numbers: the values and gradients that it gave.
        seconds: how long it took, with whatever was compiled and cached on the way.
        warm: how long it takes by and by.
        note: what was special.
    """

    numbers: list[np.ndarray]
    seconds: float
    warm: float
    note: str


# --- in the process of a contender ----------------------------------------------------------------


class Bench:
    """Does the work of one contender, as its process is asked to."""

    def __init__(self, kind: type[Contender]) -> None:
        self.contender = kind()
        self.version = version(kind.package)
        self.kernel = blas.kernel()
        self.works: dict[tuple[str, int], Work] = {}

    def first(self, kind: str, size: int) -> First:
        """Do a piece of work for the first time."""
        work = self.works[kind, size] = self.contender.work(kind, size)
        note, start = "", perf_counter()
        try:
            state = run(work)
        except RecursionError:
            sys.setrecursionlimit(10**8)
            note = "Python's recursion limit had to be lifted"
            state = run(work)
        seconds = perf_counter() - start
        numbers = [np.array(number) for number in work.outcome(state)]
        del state
        quick = seconds < 5  # a second time tells more, if it costs little
        warm = sum(self.burst(kind, size, 1).values()) if quick else seconds
        return First(numbers, seconds, warm, note)

    def burst(self, kind: str, size: int, repeats: int) -> dict[str, float]:
        """Time a piece of work, in seconds for each stage, and for freeing what it left."""
        work = self.works[kind, size]
        total = dict.fromkeys([*work.stages, "free"], 0.0)
        gc.collect()
        for _ in range(repeats):
            state, start = None, perf_counter()
            for name, stage in work.stages.items():
                state = stage(state)
                end = perf_counter()
                total[name] += end - start
                start = end
            state = None
            total["free"] += perf_counter() - start
        return {name: seconds / repeats for name, seconds in total.items()}

    def memory(self, kind: str, size: int) -> dict[str, float]:
        """Count the bytes that are held after each stage, for each operation of the work."""
        if not self.contender.in_python:
            raise LeftOutError("keeps its graph where Python cannot count")
        self.first(kind, size)  # so that nothing is counted that is made but once
        work = self.works[kind, size]
        tracemalloc.start()
        try:
            state, held = None, {}
            for name, stage in work.stages.items():
                state = stage(state)
                gc.collect()
                held[name] = tracemalloc.get_traced_memory()[0] / size
            return held
        finally:
            tracemalloc.stop()


def version(package: str) -> str:
    """The version of a package; one that runs from a checkout need not be installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of this checkout"


def run(work: Work) -> State:
    """Do the work once."""
    state = None
    for stage in work.stages.values():
        state = stage(state)
    return state


def serve(connection: Any, kind: type[Contender]) -> None:
    """Answer requests until the connection is closed: (method or attribute of Bench, arguments)."""
    bench: Any = None
    while True:
        try:
            name, arguments = connection.recv()
        except EOFError:
            return
        try:
            bench = bench or Bench(kind)
            asked = getattr(bench, name)
            answer = True, asked(*arguments) if callable(asked) else asked
        except LeftOutError as error:
            answer = False, str(error)
        except Exception as error:
            answer = False, f"{type(error).__name__}: {error}".partition("\n")[0][:160]
        connection.send(answer)


# --- in the process that asks ---------------------------------------------------------------------


class Worker:
    """The process of a contender, as seen by the one that asks; started when it is needed."""

    def __init__(self, kind: type[Contender], limit: float) -> None:
        self.kind, self.name, self.limit = kind, kind.name, limit
        self.process: Any = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process, with one thread and the fastest kernels for what computes in it."""
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, self.kind), daemon=True)
        with patch.dict(os.environ, ONE_THREAD):
            blas.unset(os.environ)
            self.process.start()
        other.close()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self.process:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return what the process answers; a LeftOutError says why it does not."""
        if not self.process:
            self.start()
        try:
            self.connection.send((name, arguments))
            if not self.connection.poll(self.limit):
                self.stop()
                raise LeftOutError(f"takes more than {self.limit:.0f} s")
            well, answer = self.connection.recv()
        except (EOFError, ConnectionError):
            self.stop()
            raise LeftOutError("its process died") from None
        if not well:
            raise LeftOutError(answer)
        return answer


def installed(kinds: Sequence[type[Contender]]) -> tuple[list[type[Contender]], list[str]]:
    """Part the contenders that are installed from messages about those that are not."""
    found = [kind for kind in kinds if importlib.util.find_spec(kind.package)]
    missing = [
        f"{kind.name} is skipped, it is not installed: {INSTALL}"
        for kind in kinds
        if kind not in found
    ]
    return found, missing


class Contest:
    """Workers that take turns, and what is known of them so far."""

    def __init__(self, workers: Sequence[Worker], budget: float, say: Callable[[str], None]):
        """Give each contender `budget` seconds for each piece of work; `say` hears of progress."""
        self.workers, self.budget, self.say = workers, budget, say
        self.before: dict[tuple[str, str], tuple[int, float]] = {}  # size and seconds, last time
        self.given_up: dict[tuple[str, str], str] = {}  # why

    def compare(self, kind: str, size: int, only: Sequence[str] = ()) -> list[Row]:
        """Let all contenders, or some, do a piece of work; a Row each, whether they could or not.

        Ask for small sizes first: who cannot do one is not asked for larger ones.

        Raises:
            DisagreementError: if two computed different things.
        """
        workers = [w for w in self.workers if w.name in only or not only]
        ready: dict[Worker, First] = {}
        for worker in workers:
            self.say(f"{kind} {size:,}: {worker.name}")
            try:
                ready[worker] = self._first(worker, kind, size)
            except LeftOutError as reason:
                self.given_up[worker.name, kind] = str(reason)
        check_agreement(f"{kind} {size:,}", {w.name: first.numbers for w, first in ready.items()})
        bursts = self._turns(kind, size, ready)
        return [self._row(worker, kind, size, ready, bursts) for worker in workers]

    def _first(self, worker: Worker, kind: str, size: int) -> First:
        """Let a contender try, unless a smaller size says that it would take too long."""
        key = worker.name, kind
        if key in self.given_up:
            raise LeftOutError(self.given_up[key])
        before, seconds = self.before.get(key, (size, 0.0))
        foreseen = seconds * size / before
        if foreseen > worker.limit:
            raise LeftOutError(f"would take about {foreseen:.0f} s at {size:,}")
        first = worker.ask("first", kind, size)
        self.before[key] = size, first.seconds
        return first

    def _row(
        self,
        worker: Worker,
        kind: str,
        size: int,
        ready: dict[Worker, First],
        bursts: dict[Worker, list[dict[str, float]]],
    ) -> Row:
        """The medians of a contender's bursts, or why there are none."""
        if not bursts.get(worker):
            return Row(worker.name, kind, size, note=self.given_up[worker.name, kind])
        own = bursts[worker]
        stages = {name: median(burst[name] for burst in own) for name in own[0]}
        return Row(worker.name, kind, size, stages, len(own), ready[worker].note)

    def _turns(
        self, kind: str, size: int, ready: dict[Worker, First]
    ) -> dict[Worker, list[dict[str, float]]]:
        """Let each ready contender have its bursts, in turn, until its budget is spent."""
        bursts: dict[Worker, list[dict[str, float]]] = {worker: [] for worker in ready}
        left = dict.fromkeys(ready, self.budget)
        for turn in range(1, MOST + 1):
            for worker in [*left]:
                self.say(f"{kind} {size:,}: {worker.name}, turn {turn}")
                start = perf_counter()
                repeats = max(1, round(BURST / ready[worker].warm))
                try:
                    bursts[worker].append(worker.ask("burst", kind, size, repeats))
                except LeftOutError as reason:
                    self.given_up[worker.name, kind] = str(reason)
                    del left[worker]
                    continue
                spent = perf_counter() - start
                left[worker] -= spent
                if left[worker] <= 0 and (turn >= FEWEST or spent > worker.limit / FEWEST):
                    del left[worker]
        return bursts

    def memory(self, kind: str, size: int) -> list[Row]:
        """Count bytes for each operation; a Row each, with bytes for seconds."""
        return [*self._memory(kind, size)]

    def _memory(self, kind: str, size: int) -> Iterator[Row]:
        for worker in self.workers:
            self.say(f"memory of {kind} {size:,}: {worker.name}")
            try:
                yield Row(worker.name, kind, size, worker.ask("memory", kind, size), turns=1)
            except LeftOutError as reason:
                yield Row(worker.name, kind, size, note=str(reason))


def check_agreement(what: str, numbers: dict[str, list[np.ndarray]]) -> None:
    """Refuse to go on if a contender differs from the first in a value or a gradient."""
    reference = next(iter(numbers), "")
    for name, own in numbers.items():
        same = len(own) == len(numbers[reference]) and all(
            x.shape == y.shape and np.allclose(x, y, RELATIVE_ERROR, RELATIVE_ERROR)
            for x, y in zip(own, numbers[reference])
        )
        if not same:
            raise DisagreementError(f"{what}: {name} does not compute what {reference} computes")
