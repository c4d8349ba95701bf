"""A schedule written by hand: a list for each worker, who goes through it and waits where needed.

    plan = by_hand(graph, [["r", "t", "y"], ["q", "w"]], seconds)
    print(plan)                                 # as every Schedule; plan.chart() draws it

Lists that cannot be carried out are refused, with a sentence that says why.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..graph.graph import Graph
from .costs import Costs
from .rewrite import described, names_of
from .schedule import Schedule, Span, costs_of, critical_path

_FEW = 12  # names that an error lists


class ScheduleError(MinigraphError, ValueError):
    """Lists of operations that workers cannot go through."""


def by_hand(
    graph: Graph,
    lists: Iterable[Iterable[str | Node]],
    costs: Costs | Mapping[Node, float] | None = None,
) -> Schedule:
    """Let each worker go through its own list, and wait where an input is not there yet.

    Args:
        graph: to compute.
        lists: for each worker its operations in the order in which it computes them, as Nodes or by
            the names that the picture of the graph shows.
        costs: of the operations, in seconds or any other unit; None for the model's prediction.

    Raises:
        ScheduleError: naming operations that are in no list or in two, names that are no
            operation, or who waits for whom for ever.
    """
    read = _Reader(graph)
    queues = [deque(read.nodes(names, worker)) for worker, names in enumerate(read.lists(lists))]
    read.check_all_there()
    costs = costs_of(graph, costs, len(queues))
    done: dict[Node, Span] = {}
    free = [0.0] * len(queues)  # from when on a worker has nothing to do
    interpreter = 0.0  # until when an operation holds it
    while any(queues):
        next_ones = [
            (max(free[worker], _there(queue[0], worker, done, costs)), worker)
            for worker, queue in enumerate(queues)
            if queue and all(x in done for x in queue[0].inputs if x.op)
        ]
        if not next_ones:
            raise read.stuck(queues, done)
        start, worker = min(next_ones)
        node = queues[worker].popleft()
        if node in costs.holding:
            start = max(start, interpreter)
            interpreter = start + costs.seconds[node]
        free[worker] = start + costs.seconds[node]
        done[node] = Span(node, worker, start, free[worker])
    spans = sorted(done.values(), key=lambda span: (span.start, span.node.seq))
    path = tuple(critical_path(graph, costs)[0])
    return Schedule(tuple(spans), len(queues), costs.total, path, graph=graph)


def _there(node: Node, worker: int, done: Mapping[Node, Span], costs: Costs) -> float:
    """When all inputs of a Node are there for a worker."""
    inputs = [done[x] for x in node.inputs if x.op]
    return max((s.stop + costs.handoff * (s.worker != worker) for s in inputs), default=0.0)


class _Reader:
    """Reads the lists, and says what is wrong with them."""

    def __init__(self, graph: Graph) -> None:
        if not isinstance(graph, Graph):
            raise NodeTypeError(f"a schedule is of a Graph, such as mg.Graph(y), not {graph!r:.40}")
        called = names_of(graph)
        self.names = {x: called.get(x) or described(x) for x in graph.order if x.op}
        self.nodes_by_name = {name: node for node, name in self.names.items()}
        self.worker: dict[Node, int] = {}

    def lists(self, lists: Any) -> list[Any]:
        """The lists, one for each worker."""
        rows = _listed(lists)
        if not rows or any(_listed(names) is None for names in rows):
            raise ScheduleError(
                f'a schedule is a list of names for each worker, such as [["p", "q"], ["r"]], not '
                f"{lists!r:.60}"
            )
        return rows

    def nodes(self, names: Iterable[Any], worker: int) -> list[Node]:
        """The operations of one list, of which none has been in a list before."""
        order = []
        for name in names:
            node = self._node(name, worker)
            if node in self.worker:
                first = self.worker[node]
                who = (
                    f"twice by worker {worker + 1}"
                    if first == worker
                    else f"by worker {first + 1} and again by worker {worker + 1}"
                )
                raise ScheduleError(
                    f"{self.names[node]} is computed {who}; once is enough, so leave one of them "
                    "out",
                    (node,),
                )
            self.worker[node] = worker
            order.append(node)
        return order

    def _node(self, name: Any, worker: int) -> Node:
        node = self.nodes_by_name.get(name) if isinstance(name, str) else name
        if isinstance(node, Node) and node in self.names:
            return node
        near = difflib.get_close_matches(str(name), self.nodes_by_name, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ScheduleError(
            f"worker {worker + 1} has {name!r:.40} in its list, and the graph has no such "
            f"operation; it has {_some([*self.names.values()])}{hint}"
        )

    def check_all_there(self) -> None:
        """Refuse lists from which an operation is missing."""
        missing = [node for node in self.names if node not in self.worker]
        if missing:
            names = _some([self.names[node] for node in missing])
            is_one = len(missing) == 1
            raise ScheduleError(
                f"nobody computes {names}; put {'it' if is_one else 'each of them'} into the list "
                "of a worker",
                (*missing,),
            )

    def stuck(self, queues: list[deque[Node]], done: Mapping[Node, Span]) -> ScheduleError:
        """Say who waits for whom, when nobody can go on."""
        waits: dict[int, Node] = {}  # for each worker the first input that it waits for
        for worker, queue in enumerate(queues):
            if queue:
                waits[worker] = next(x for x in queue[0].inputs if x.op and x not in done)
        worker = min(waits)
        seen: list[int] = []
        while worker not in seen:  # from each worker to the one that it waits for
            seen.append(worker)
            worker = self.worker[waits[worker]]
        circle = seen[seen.index(worker) :]
        told = []
        for worker in circle:
            node, x = queues[worker][0], waits[worker]
            other = self.worker[x]
            where = "comes later in its own list" if other == worker else f"worker {other + 1} has"
            told.append(
                f"worker {worker + 1} is to compute {self.names[node]} and waits for "
                f"{self.names[x]}, which {where}"
            )
        tail = "" if len(circle) == 1 else " behind that"
        nodes = [node for w in circle for node in (queues[w][0], waits[w])]
        return ScheduleError(
            f"these lists never end: {'; '.join(told)}{tail}; put an operation behind its inputs",
            (*dict.fromkeys(nodes),),
        )


def _listed(names: Any) -> list[Any] | None:
    """What is in a list or its like; None if it is none. A text is none."""
    if isinstance(names, str | bytes | Node):
        return None
    try:
        return [*names]
    except TypeError:
        return None


def _some(names: list[str]) -> str:
    """Names in a row, the last with "and", but not too many."""
    if len(names) > _FEW:
        names = [*names[:_FEW], f"{len(names) - _FEW} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
