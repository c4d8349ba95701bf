"""What the operations of a graph cost in seconds, on this machine.

`predicted` takes a graph that has not run: a fixed cost for each operation, and more for each
element or multiply-add. The rates come from quick measurements, made when they are first needed and
kept as long as the process lives. `measured` runs the graph and times each operation.

BLAS, which multiplies the matrices, may use several threads of its own. Then one product keeps all
cores busy, two at once only disturb each other, and threads over the graph gain nothing. The model
sees this, for it also measures how much slower an operation is while all workers run it. To compare
graphs and schedules set OMP_NUM_THREADS=1 before NumPy is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import prod
from threading import Barrier, Event, Thread
from time import perf_counter
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.operation import OPERATIONS, Operation
from ..graph.graph import Graph, computed
from ..graph.symbolic import placeholder
from .traits import OWN, is_view, known

SIZES = (1, 1 << 12, 1 << 16)  # elements of the arrays whose operations are timed
SIDES = (1, 48, 192)  # of the matrices
REPEATS = 5  # the fastest counts: all that disturbs a measurement makes it longer
CROWDED_REPEATS = 12  # for the cores to be free of other programs at least once
SHORTEST = 1e-3  # seconds; what takes less is repeated within one measurement
HOLDING = 10e-6  # seconds; a shorter operation is mostly the interpreter's work


@dataclass(frozen=True)
class Costs:
    """What a graph costs.

    Attributes:
        seconds: of each operation; leaves cost nothing.
        holding: operations so short that the interpreter runs only one of them at a time.
        handoff: seconds until a worker can go on with what another one has computed.
        start: seconds to set up the workers.
        alone: seconds of all operations for one worker alone, where `seconds` are of several that
            disturb each other; None for the sum of `seconds`.
    """

    seconds: Mapping[Node, float]
    holding: frozenset[Node] = frozenset()
    handoff: float = 0.0
    start: float = 0.0
    alone: float | None = None

    @property
    def total(self) -> float:
        """Seconds of all operations for one worker alone."""
        return sum(self.seconds.values()) if self.alone is None else self.alone


def predicted(graph: Graph, workers: int = 1) -> Costs:
    """Predict the costs of the operations, from their shapes alone.

    Args:
        graph: which need not have run.
        workers: how many threads run at once; they share the caches, the memory and perhaps the
            cores, so that each operation takes longer than alone.
    """
    fixed = _fixed_cost()
    seconds: dict[Node, float] = {}
    holding: list[Node] = []
    total = 0.0
    for node in graph.order:
        if node.op is None:
            continue
        name, amount = _work(node)
        alone = _seconds(name, node.inputs[0].dtype if node.inputs else node.dtype, amount)
        total += fixed + alone
        if fixed + alone < HOLDING:
            holding.append(node)
        elif workers > 1:
            alone *= crowding(name, workers)
        seconds[node] = fixed + alone
    start, handoff = _thread_costs() if workers > 1 else (0.0, 0.0)
    return Costs(seconds, frozenset(holding), handoff, start * (workers - 1), total)


def measured(graph: Graph, feeds: Mapping[Any, Any] | None = None, runs: int = REPEATS) -> Costs:
    """Run a graph and time each operation; the fastest of several runs counts."""
    best: dict[Node, float] = {}
    for _ in range(runs):
        values = graph.fed(feeds or {})
        for node in graph.order:
            if node.op is None:
                continue
            start = perf_counter()
            values[node] = computed(node, [values[x] for x in node.inputs])
            best[node] = min(perf_counter() - start, best.get(node, np.inf))
    return Costs(best)


# --- how much there is to do ----------------------------------------------------------------------


def _work(node: Node) -> tuple[str, int]:
    """The operation whose rate holds for a Node, and how much of it there is to do.

    That is multiply-adds for a matrix product, elements for all others, none for a view.
    """
    row = known(node)
    if is_view(node) or row.costs == "nothing":
        return "add", 0
    if row.name in ("matmul", "einsum"):
        return "matmul", multiply_adds(node)
    return row.costs, node.size if row is not OWN and node.op.partials else _moved(node)


def _moved(node: Node) -> int:
    return max([node.size, *(x.size for x in node.inputs)])


def multiply_adds(node: Node) -> int:
    """Those of a matrix product, or of an einsum: one for each choice of all its indices."""
    if node.op.name == "matmul":
        return node.size * node.inputs[0].shape[-1]
    sizes: dict[str, int] = {}
    for letters, x in zip(node.attrs["subscripts"].partition("->")[0].split(","), node.inputs):
        sizes |= zip(letters, x.shape)
    return prod(sizes.values())


# --- how long that takes here ---------------------------------------------------------------------


def _seconds(name: str, dtype: np.dtype, amount: int) -> float:
    """Between two sizes that were timed as the line between them, beyond as the last line."""
    if not amount:
        return 0.0
    points = _curve(name, "f4" if dtype == np.float32 else "f8")
    (x0, t0), (x1, t1) = next((p for p in pairwise(points) if amount <= p[1][0]), points[-2:])
    return max(0.0, t0 + (t1 - t0) * (amount - x0) / (x1 - x0))


@cache
def _curve(name: str, dtype: str) -> tuple[tuple[int, float], ...]:
    """Amounts of work and the seconds that they take, less what any call takes."""
    sizes = SIDES if name == "matmul" else SIZES
    times = [_fastest(_call(name, size, dtype)) for size in sizes]
    amounts = [size**3 if name == "matmul" else size for size in sizes]
    return tuple((n, max(0.0, t - times[0])) for n, t in zip(amounts, times))


@cache
def crowding(name: str, workers: int) -> float:
    """How many times as long an operation takes while all workers run it at once.

    1 where each has a core of its own; `workers` where they wait for each other.
    """
    call = _call(name, SIDES[-1] if name == "matmul" else SIZES[-1], "f8")
    count = _repetitions(call)
    alone = together = np.inf
    for _ in range(CROWDED_REPEATS):
        alone = min(alone, _together(call, count, 1))
        together = min(together, _together(call, count, workers))
    return max(1.0, together / alone)


def _call(name: str, size: int, dtype: str) -> Callable[[], Any]:
    """An operation on made-up arrays: vectors, or square matrices for a product."""
    op: Operation = OPERATIONS[name]
    shape = (size, size) if name == "matmul" else (size,)
    arrays = [np.linspace(0.25, 0.75, prod(shape)).astype(dtype).reshape(shape)] * len(
        op.parameters
    )

    def call() -> Any:
        with np.errstate(all="ignore"):
            return op.forward(*arrays)

    return call


def _fastest(call: Callable[[], Any]) -> float:
    count = _repetitions(call)
    return min(_together(call, count, 1) for _ in range(REPEATS)) / count


def _repetitions(call: Callable[[], Any]) -> int:
    call()
    start = perf_counter()
    call()
    return max(1, int(SHORTEST / max(perf_counter() - start, 1e-7)))


def _together(call: Callable[[], Any], count: int, workers: int) -> float:
    """Seconds in which each of several threads makes a call so many times."""
    if workers == 1:
        start = perf_counter()
        for _ in range(count):
            call()
        return perf_counter() - start
    gate = Barrier(workers)

    def work() -> None:
        gate.wait()
        for _ in range(count):
            call()

    threads = [Thread(target=work, daemon=True) for _ in range(workers - 1)]
    for thread in threads:
        thread.start()
    gate.wait()
    start = perf_counter()
    for _ in range(count):
        call()
    for thread in threads:
        thread.join()
    return perf_counter() - start


@cache
def _fixed_cost() -> float:
    """Seconds that any operation takes, however small its arrays are."""
    y = x = placeholder("x")
    length = 200
    for _ in range(length):
        y = y + 1.0
    graph = Graph(y)
    return _fastest(lambda: graph.run({x: 1.0})) / length


@cache
def _thread_costs() -> tuple[float, float]:
    """Seconds to start a thread and see it end, and to wake one that waits."""

    def start_one() -> None:
        thread = Thread(target=int, daemon=True)
        thread.start()
        thread.join()

    asked, answered = Event(), Event()

    def answer() -> None:
        while asked.wait() and not over:
            asked.clear()
            answered.set()

    def ask() -> None:
        asked.set()
        answered.wait()
        answered.clear()

    over: list[bool] = []
    thread = Thread(target=answer, daemon=True)
    thread.start()
    handoff = _fastest(ask) / 2
    over.append(True)
    asked.set()
    thread.join()
    return _fastest(start_one), handoff
