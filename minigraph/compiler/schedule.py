"""Which worker computes what, and when: levels, the critical path, and list scheduling.

    costs = measured(graph, feeds)              # or predicted(graph)
    critical_path(graph, costs)                 # no number of workers is faster than this
    print(schedule(graph, 2, costs))            # a table; .chart() draws it

T. C. Hu, "Parallel sequencing and assembly line problems", Operations Research 9, 1961; R. L.
Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17, 1969; Y.-K. Kwok and
I. Ahmad, "Static scheduling algorithms for allocating directed task graphs to multiprocessors", ACM
Computing Surveys 31, 1999, where the method used here is HLFET, "highest level first with estimated
times".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from ..graph.graph import Graph
from ..reading.words import aligned
from .costs import Costs, predicted
from .rewrite import described, expression, names_of

_ROWS = 60  # of a table
_TITLES = ("worker", "start", "stop", "node")


@dataclass(frozen=True)
class Span:
    """When a worker computes a Node, in seconds from the start; workers count from 0."""

    node: Node
    worker: int
    start: float
    stop: float


@dataclass(frozen=True)
class Schedule:
    """What each worker computes, predicted or measured.

    Attributes:
        spans: in the order of their starts.
        workers: how many there are.
        serial: seconds that one worker takes.
        path: the critical path, the operations that wait for each other the longest.
        graph: whose operations they are.
    """

    spans: tuple[Span, ...]
    workers: int
    serial: float
    path: tuple[Node, ...] = ()
    graph: Graph = field(repr=False, compare=False, kw_only=True)

    @cached_property
    def names(self) -> Mapping[Node, str]:
        """What the Nodes are called, as in the picture of the graph with all calls open."""
        called = names_of(self.graph)
        return {node: called.get(node) or described(node) for node in self.graph.order}

    @property
    def makespan(self) -> float:
        """Seconds from the start to the end of the last operation."""
        return max((span.stop for span in self.spans), default=0.0)

    @property
    def speed_up(self) -> float:
        """How many times as fast as one worker."""
        return self.serial / self.makespan if self.makespan else 1.0

    @property
    def efficiency(self) -> float:
        """The part of the workers' time in which they compute."""
        return self.speed_up / self.workers

    def __str__(self) -> str:
        rows = [
            (
                str(span.worker + 1),
                in_words(span.start),
                in_words(span.stop),
                f"{self.names[span.node]} = {expression(span.node, self.names)}",
            )
            for span in self.spans
        ]
        return f"{aligned(_TITLES, rows, most=_ROWS)}\n{self.summary}"

    @property
    def summary(self) -> str:
        """One sentence: how long it takes, and how much faster that is."""
        return (
            f"{self.workers} worker{'s' * (self.workers != 1)}: {in_words(self.makespan)} in place "
            f"of {in_words(self.serial)}, {self.speed_up:.2f} times as fast"
        )

    if TYPE_CHECKING:  # bound at the foot of drawing/gantt.py
        chart: ClassVar[Callable[..., Any]]


def levels(graph: Graph) -> list[list[Node]]:
    """Sort the Nodes into levels: leaves are level 0, others lie one above their highest input.

    Nodes of one level do not depend on each other, so they may be computed at the same time.
    """
    level: dict[Node, int] = {}
    waves: list[list[Node]] = []
    for node in graph.order:
        level[node] = 1 + max((level[x] for x in node.inputs), default=-1)
        if level[node] == len(waves):
            waves.append([])
        waves[level[node]].append(node)
    return waves


def remaining(graph: Graph, costs: Costs | Mapping[Node, float]) -> dict[Node, float]:
    """For each Node the length of the longest path from its start to the end of the graph."""
    seconds = _seconds(costs)
    after = dict.fromkeys(graph.order, 0.0)
    for node in reversed(graph.order):
        after[node] += seconds.get(node, 0.0) if node.op else 0.0
        for x in node.inputs:
            after[x] = max(after[x], after[node])
    return after


def critical_path(
    graph: Graph, costs: Costs | Mapping[Node, float] | None = None
) -> tuple[list[Node], float]:
    """The operations that wait for each other the longest, and how long that is in all.

    Args:
        graph: to look at.
        costs: of the operations, in seconds or any other unit; None for the model's prediction.
    """
    after = remaining(graph, predicted(graph) if costs is None else costs)
    users: dict[Node, list[Node]] = {}
    for node in graph.order:
        for x in node.inputs:
            users.setdefault(x, []).append(node)
    path: list[Node] = []
    ahead = [node for node in graph.order if node.op]
    while ahead:
        path.append(max(ahead, key=lambda node: (after[node], -node.seq)))
        ahead = users.get(path[-1], [])
    return path, after[path[0]] if path else 0.0


def schedule(
    graph: Graph, workers: int = 2, costs: Costs | Mapping[Node, float] | None = None
) -> Schedule:
    """Give each operation a worker and a time.

    Whenever a worker is free it takes, of all operations whose inputs are there, the one with the
    longest remaining path. With costs alone, where nothing is lost in handing over, that takes at
    most 2 − 1/workers times as long as the best schedule there is (Graham 1969).

    Args:
        graph: to compute.
        workers: how many.
        costs: of the operations, in seconds or any other unit; None for the model's prediction.

    Raises:
        MinigraphError: if `workers` is no whole number of at least 1, or an operation has no cost.
    """
    checked_workers(workers)
    return _Simulation(graph, workers, costs_of(graph, costs, workers)).run()


def costs_of(graph: Graph, costs: Costs | Mapping[Node, float] | None, workers: int) -> Costs:
    """The costs of all operations; None stands for the model's prediction.

    Raises:
        MinigraphError: naming an operation that has no cost, or one that is no time.
    """
    if costs is None:
        return predicted(graph, workers)
    if not isinstance(costs, Costs | Mapping):
        raise NodeTypeError(
            f"costs are a dict from each operation to its seconds, not {costs!r:.40}"
        )
    seconds = _seconds(costs)
    for node in graph.order:
        if node.op and node not in seconds:
            raise MinigraphError(
                f"there is no cost for {describe(node)}; give every operation its seconds, 0 if it "
                "takes no time",
                (node,),
            )
        if node.op and not _is_time(seconds[node]):
            raise MinigraphError(
                f"the cost of {describe(node)} is a number of seconds from 0 on, not "
                f"{seconds[node]!r:.40}",
                (node,),
            )
    if isinstance(costs, Costs):
        return costs
    return Costs({node: costs[node] for node in graph.order if node.op})


def _is_time(seconds: Any) -> bool:
    """Whether something is a finite number that is not below 0."""
    try:
        return bool(seconds >= 0) and float(seconds) < inf
    except (TypeError, ValueError, OverflowError):
        return False


class _Simulation:
    """Plays the workers in the order of time."""

    def __init__(self, graph: Graph, workers: int, costs: Costs) -> None:
        self.graph, self.workers, self.costs = graph, workers, costs
        self.priority = remaining(graph, costs)
        self.users: dict[Node, list[Node]] = {}
        self.waits: dict[Node, int] = {}
        for node in graph.order:
            if node.op:
                inputs = {x for x in node.inputs if x.op}
                self.waits[node] = len(inputs)
                for x in inputs:
                    self.users.setdefault(x, []).append(node)
        self.done: dict[Node, Span] = {}
        self.free = [0.0] * workers  # from when on a worker has nothing to do
        self.events: list[tuple[float, int]] = []  # when a worker looks for work
        # For each worker what it may take, by priority, and what it may take later, by time.
        self.ready: list[list[tuple[float, int, Node]]] = [[] for _ in range(workers)]
        self.coming: list[list[tuple[float, int, Node]]] = [[] for _ in range(workers)]
        self.interpreter = 0.0  # until when an operation holds it

    def run(self) -> Schedule:
        for node, count in self.waits.items():
            if not count:
                self._offer(node)
        while self.events:
            now, worker = heappop(self.events)
            if now >= self.free[worker]:
                self._work(worker, now)
        spans = sorted(self.done.values(), key=lambda span: (span.start, span.node.seq))
        path = tuple(critical_path(self.graph, self.costs)[0])
        return Schedule(tuple(spans), self.workers, self.costs.total, path, graph=self.graph)

    def _work(self, worker: int, now: float) -> None:
        """Let a worker take the most urgent operation, if there is one."""
        coming, ready = self.coming[worker], self.ready[worker]
        while coming and coming[0][0] <= now:
            _, seq, node = heappop(coming)
            heappush(ready, (-self.priority[node], seq, node))
        while ready:
            node = heappop(ready)[2]
            if node not in self.done:
                self._take(worker, node, now)
                return

    def _take(self, worker: int, node: Node, now: float) -> None:
        if node in self.costs.holding:
            now = max(now, self.interpreter)
        stop = now + self.costs.seconds[node]
        if node in self.costs.holding:
            self.interpreter = stop
        self.done[node] = Span(node, worker, now, stop)
        self.free[worker] = stop
        heappush(self.events, (stop, worker))
        for user in self.users.get(node, ()):
            self.waits[user] -= 1
            if not self.waits[user]:
                self._offer(user)

    def _offer(self, node: Node) -> None:
        """Tell all workers when they may take a Node; what others computed comes a bit later."""
        inputs = [self.done[x] for x in {*node.inputs} if x.op]
        for worker in range(self.workers):
            time = max(
                (s.stop + self.costs.handoff * (s.worker != worker) for s in inputs), default=0.0
            )
            heappush(self.coming[worker], (time, node.seq, node))
            heappush(self.events, (max(time, self.free[worker]), worker))


def checked_workers(workers: int) -> None:
    """Raise a MinigraphError unless this is a number of workers."""
    if type(workers) is not int or workers < 1:
        raise MinigraphError(f"workers is a whole number of at least 1, not {workers!r:.40}")


def in_words(seconds: float) -> str:
    """Write a time with a unit: "12.3 µs"; no time at all has none."""
    if not seconds:
        return "0"
    rounded = float(f"{seconds:.3g}")  # 999.6 ms are 1 s, and not 1e+03 ms
    units = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
    unit = next((unit for unit, length in units.items() if rounded >= length), "ns")
    return f"{float(f'{rounded / units.get(unit, 1e-9):.3g}'):g} {unit}"


def _seconds(costs: Costs | Mapping[Node, float]) -> Mapping[Node, float]:
    return costs.seconds if isinstance(costs, Costs) else costs
