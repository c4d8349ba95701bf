"""Run a graph on several threads: `graph.run(feeds, workers=2)`.

NumPy lets go of the interpreter while it works on large arrays, so threads compute at the same time
what the graph leaves independent. The schedule of `schedule.py` is cut into pieces, lists of
operations long enough to be worth handing over. A piece waits for the pieces it depends on; a
worker that is free takes, of those that wait for nothing, the one with the longest remaining path.
The results are those of one thread to the bit, for each operation is computed in the same way.

The first run with so many workers plans. Where the schedule predicts no gain, one thread runs the
graph. Where it does, the first runs try both ways and the faster one stays. While BLAS uses threads
of its own there is seldom a gain; see `costs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from threading import Condition, Thread
from time import perf_counter
from typing import Any

from ..core.node import Node, frozen
from ..errors import MinigraphError
from ..errors.words import describe
from ..graph.graph import Graph, Values, computed
from .costs import Costs, predicted
from .schedule import Schedule, Span, checked_workers, critical_path, remaining, schedule

GRAIN = 20  # times the cost of handing over: then that is lost in a piece's work
GAIN = 1.1  # times as fast must a schedule be to be tried
SMALL = 500  # elements; for an array of up to so many NumPy does not let go of the interpreter
TRIALS = 3  # runs in parallel, and as many serial ones, until the faster way is chosen


# --- pieces ---------------------------------------------------------------------------------------


@dataclass
class Piece:
    """Operations that one worker computes one after another.

    Attributes:
        priority: the longest remaining path from any of them.
        nodes: the operations in their order.
        needs: the pieces that must be done before, by their places in the list of all.
        dies: the values that nobody uses any more after a Node.
        shares: the values that other pieces use or make too; the last one to be done forgets them.
    """

    priority: float
    nodes: list[Node] = field(default_factory=list)
    needs: set[int] = field(default_factory=set)
    dies: dict[Node, list[Node]] = field(default_factory=dict)
    shares: list[Node] = field(default_factory=list)


def pieces(graph: Graph, plan: Schedule, costs: Costs) -> list[Piece]:
    """Cut a schedule where a worker waits for another, or another for it, and at a certain length.

    All that a piece needs is done before it starts, so there is an order in which they can run.
    """
    parts, piece_of = _cut(plan, remaining(graph, costs), GRAIN * costs.handoff)
    touched_by: dict[Node, set[int]] = {}
    for number, piece in enumerate(parts):
        for node in piece.nodes:
            for x in (node, *node.inputs):
                touched_by.setdefault(x, set()).add(number)
            piece.needs |= {piece_of[x] for x in node.inputs if x.op} - {number}
    kept = {*graph.outputs}
    for piece in parts:
        last = {x: node for node in piece.nodes for x in (node, *node.inputs)}
        for x, node in last.items():
            if x in kept:
                continue
            if len(touched_by[x]) == 1:
                piece.dies.setdefault(node, []).append(x)
            else:
                piece.shares.append(x)
    return parts


def _cut(
    plan: Schedule, urgency: Mapping[Node, float], grain: float
) -> tuple[list[Piece], dict[Node, int]]:
    """The pieces with their operations, and the place of each operation's piece."""
    span_of = {span.node: span for span in plan.spans}

    def foreign(span: Span) -> list[Span]:
        inputs = (span_of[x] for x in span.node.inputs if x.op)
        return [source for source in inputs if source.worker != span.worker]

    handed_on = {source.node for span in plan.spans for source in foreign(span)}
    parts: list[Piece] = []
    piece_of: dict[Node, int] = {}
    growing: dict[int, tuple[int, float]] = {}  # by worker its last piece, and when that starts
    for span in plan.spans:
        arrived = max((source.stop for source in foreign(span)), default=0.0)
        number, start = growing.get(span.worker, (0, -1.0))
        if start < 0 or arrived > start or span.start - start >= grain:
            number = len(parts)
            parts.append(Piece(0.0))
            growing[span.worker] = number, span.start
        piece = parts[number]
        piece.nodes.append(span.node)
        piece.priority = max(piece.priority, urgency[span.node])
        piece_of[span.node] = number
        if span.node in handed_on:
            del growing[span.worker]
    return parts, piece_of


# --- running them ---------------------------------------------------------------------------------


class _Run:
    """One run of a graph: the pieces that are ready, and the threads that take them."""

    def __init__(
        self, graph: Graph, values: Values, parts: list[Piece], trace: list[Span] | None = None
    ) -> None:
        self.graph, self.values, self.parts, self.trace = graph, values, parts, trace
        self.waits = [len(piece.needs) for piece in parts]
        self.users: list[list[int]] = [[] for _ in parts]
        self.uses: dict[Node, int] = {}
        for number, piece in enumerate(parts):
            for needed in piece.needs:
                self.users[needed].append(number)
            for x in piece.shares:
                self.uses[x] = self.uses.get(x, 0) + 1
        self.ready = [(-parts[i].priority, i) for i, count in enumerate(self.waits) if not count]
        heapify(self.ready)
        self.left = len(parts)
        self.errors: list[tuple[int, BaseException]] = []  # by the seq of the Node
        self.changed = Condition()  # guards all of the above
        self.begin = perf_counter()

    def run(self, workers: int) -> None:
        """Compute everything; the calling thread is one of the workers."""
        threads = [
            Thread(target=copy_context().run, args=(self._work, i), daemon=True)
            for i in range(1, workers)
        ]
        try:
            for thread in threads:
                thread.start()
            self._work(0)
        except BaseException as error:  # such as KeyboardInterrupt, which may strike anywhere
            self._fail(-1, error)
        for thread in threads:
            if thread.is_alive():  # it may not even have started
                thread.join()
        if self.errors:
            raise min(self.errors, key=lambda pair: pair[0])[1]

    def _work(self, worker: int) -> None:
        done = -1
        while True:
            with self.changed:
                if done >= 0:
                    self._finish(done)
                while not self.ready and self.left and not self.errors:
                    self.changed.wait()
                if self.errors or not self.left:
                    return
                done = heappop(self.ready)[1]
            if not self._compute(self.parts[done], worker):
                return

    def _compute(self, piece: Piece, worker: int) -> bool:
        """Compute the operations of a piece; tell whether there was no error."""
        values, trace = self.values, self.trace
        for node in piece.nodes:
            start = perf_counter() if trace is not None else 0.0
            try:
                values[node] = computed(node, [values[x] for x in node.inputs])
            except BaseException as error:
                if not isinstance(error, MinigraphError):
                    error.add_note(f"while computing {describe(node)}")
                self._fail(node.seq, error)
                return False
            if trace is not None:
                stop = perf_counter()
                trace.append(Span(node, worker, start - self.begin, stop - self.begin))
            for x in piece.dies.get(node, ()):
                del values[x]
        return True

    def _finish(self, number: int) -> None:
        """Count a piece as done, forget what nobody needs, and wake those who can go on."""
        self.left -= 1
        for x in self.parts[number].shares:
            self.uses[x] -= 1
            if not self.uses[x]:
                del self.values[x]
        for user in self.users[number]:
            self.waits[user] -= 1
            if not self.waits[user]:
                heappush(self.ready, (-self.parts[user].priority, user))
        if not self.left:
            self.changed.notify_all()
        elif len(self.ready) > 1:  # this worker takes one itself
            self.changed.notify(len(self.ready) - 1)

    def _fail(self, seq: int, error: BaseException) -> None:
        with self.changed:
            self.errors.append((seq, error))
            self.changed.notify_all()


# --- whether it pays ------------------------------------------------------------------------------


class _Choice:
    """How a graph is run by so many workers.

    Attributes:
        parts: what to run in parallel; None where one thread is faster.
        trials: how long runs took, and whether they ran in parallel, until that is decided.
    """

    __slots__ = ("parts", "trials")

    def __init__(self, graph: Graph, workers: int) -> None:
        self.parts = _worthwhile(graph, workers)
        self.trials: list[tuple[float, bool]] = []


def _worthwhile(graph: Graph, workers: int) -> list[Piece] | None:
    """The pieces to run in parallel; None where that is not predicted to pay."""
    if all(node.size <= SMALL for node in graph.order):
        return None
    alone = predicted(graph)
    held = sum(alone.seconds[node] for node in alone.holding)
    path = max(remaining(graph, alone).values(), default=0.0)
    if alone.total < GAIN * max(path, held, alone.total / workers):
        return None
    costs = predicted(graph, workers)
    plan = schedule(graph, workers, costs)
    if alone.total < GAIN * (plan.makespan + costs.start):
        return None
    return pieces(graph, plan, costs)


def in_parallel(graph: Graph, values: Values, workers: int) -> Values:
    """Compute a graph's operations by several threads, or by one where that is faster.

    Args:
        graph: to compute.
        values: of the leaves; what is computed is added, what nobody needs any more is removed.
        workers: how many threads, of which the calling one is the first.

    Raises:
        MinigraphError: if `workers` is no whole number of at least 1; else whatever an operation
            raises, naming the Node.
    """
    choice = graph._choices.get(workers)
    if choice is None:
        checked_workers(workers)
        choice = graph._choices[workers] = _Choice(graph, workers)
    parts = choice.parts
    if parts is None:
        graph._compute(values)
        return values
    trials = choice.trials
    if len(trials) >= 2 * TRIALS:
        _Run(graph, values, parts).run(workers)
    else:
        is_parallel = len(trials) % 2 == 0
        start = perf_counter()
        _Run(graph, values, parts).run(workers) if is_parallel else graph._compute(values)
        trials.append((perf_counter() - start, is_parallel))
        if len(trials) >= 2 * TRIALS and not min(trials)[1]:
            choice.parts = None
    return values


def timed(
    graph: Graph,
    feeds: Mapping[Any, Any] | None = None,
    workers: int = 2,
    costs: Costs | None = None,
    runs: int = 3,
) -> tuple[Any, Schedule]:
    """Run a graph in parallel, whether it pays or not, and note who computed what and when.

    Args:
        graph, feeds: as for `Graph.run`.
        workers: how many threads.
        costs: by which the graph is cut into pieces; None for the model's prediction.
        runs: how many, of which the fastest counts.

    Returns:
        The outputs, and the Schedule as it was measured; `serial` is the time of one thread, which
        is measured too.
    """
    costs = costs or predicted(graph, workers)
    parts = pieces(graph, schedule(graph, workers, costs), costs)
    serial, best = float("inf"), None
    for _ in range(runs):
        values = graph.fed(feeds or {})
        start = perf_counter()
        graph._compute(values)
        serial = min(serial, perf_counter() - start)
        values, trace = graph.fed(feeds or {}), list[Span]()
        _Run(graph, values, parts, trace).run(workers)
        plan = Schedule(
            tuple(sorted(trace, key=lambda span: span.start)), workers, 0.0, graph=graph
        )
        if best is None or plan.makespan < best.makespan:
            best = plan
    assert best is not None
    path, _ = critical_path(graph, {span.node: span.stop - span.start for span in best.spans})
    outputs = tuple(frozen(values[y]) for y in graph.outputs)
    return (
        graph.unpacked(outputs),
        replace(best, serial=serial, path=tuple(path)),
    )


Graph.in_parallel = in_parallel
