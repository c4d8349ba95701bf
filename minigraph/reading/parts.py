"""Fold a graph into parts that can be read: single nodes, modules, and the rest.

A scope becomes one part, if the graph is too big or if that is asked for. Where it is not enough,
the first and the last operations stay, and what lies between becomes one part that says how much it
holds. Parts never form a cycle, so the drawing of the parts flows in one direction, as the graph
does. Everything is linear in the graph.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..core.node import Node
from .calls import Contraction

Inputs = Callable[[Node], tuple[Node, ...]]

LIMIT = 60  # nodes are drawn one by one up to here
MOST = 200  # and up to here, where it is said which scopes to fold
AIM = 24  # parts that are easy to read, where scopes allow it
FIRST, LAST, LEAVES = 4, 12, 24  # what stays of a longer graph


@dataclass(slots=True)
class Part:
    """One box of the drawing: a Node by itself, or the Nodes that were folded into one."""

    nodes: list[Node]
    module: str | None = None  # the path of the folded scope; "" for the rest of the graph


def parts(
    graph: Contraction,
    outputs: list[Node],
    folded: Collection[str] | None = None,
    called: Mapping[Any, str] = MappingProxyType({}),
) -> list[Part]:
    """Divide a graph into parts, in topological order. A contracted call counts as one Node.

    `folded` are the scopes to fold, as in `scopes`; None leaves it to the size of the graph. Those
    that are `called` by one name are one part, with the Nodes that are. The outputs are always
    seen.
    """
    if folded is None and len(graph.order) <= LIMIT:
        return [Part([node]) for node in graph.order]
    kept = set(outputs[-LAST:])
    if folded is None:
        modules, called = _modules_by_depth(graph, called)
    else:
        modules = _modules_by_name(graph, folded, called)
    parts = _folded_scopes(graph, kept, modules, called)
    if len(parts) < len(graph.order):
        parts = _ordered(_without_cycles(parts, graph.inputs), graph.inputs)
    most = LIMIT if folded is None else MOST
    return parts if len(parts) <= most else _folded_middle(parts, kept, graph.inputs)


def scopes(graph: Contraction) -> dict[str, int]:
    """How many Nodes each scope holds, and the scopes in it, by its path as a reader sees it."""
    sizes = Counter[str]()
    for scope, size in Counter(graph.scope(node) for node in graph.order).items():
        for path in prefixes(scope):
            sizes[graph.shown(path)] += size
    return dict(sizes)


def prefixes(scope: str) -> list[str]:
    """A path and those around it, outermost first."""
    names = scope.split("/") if scope else []
    return ["/".join(names[: i + 1]) for i in range(len(names))]


def homes(parts: list[Part]) -> dict[Node, int]:
    """For each Node, the position of its part."""
    return {node: i for i, part in enumerate(parts) for node in part.nodes}


def links(
    parts: list[Part], home: dict[Node, int], inputs: Inputs
) -> dict[tuple[int, int], dict[Node, None]]:
    """For each pair of parts, by position, the Nodes of the first that the second uses."""
    between: dict[tuple[int, int], dict[Node, None]] = {}
    for head, part in enumerate(parts):
        for node in part.nodes:
            for x in inputs(node):
                tail = home[x]
                if tail != head:
                    between.setdefault((tail, head), {})[x] = None
    return between


def _modules_by_depth(
    graph: Contraction, called: Mapping[Any, str]
) -> tuple[dict[str, str | None], dict[Any, str]]:
    """Fold the scopes below the greatest depth at which the parts are easy to read.

    Scopes that are `called` by one name are one wherever they are; so are the Nodes, which are
    called by what they fold into.
    """
    sizes = Counter(graph.scope(node) for node in graph.order if node not in called)
    paths: dict[str, list[str]] = {}
    closed = set[str]()
    for scope in {graph.scope(node) for node in graph.order}:
        run = next((called[p] for p in map(graph.shown, prefixes(scope)) if p in called), "")
        paths[scope] = (run or scope).split("/") if scope else []
        closed |= {scope} if run else set()
    depth = max(map(len, paths.values()))
    while True:
        modules = {
            scope: "/".join(path[: depth + 1]) if len(path) > depth or scope in closed else None
            for scope, path in paths.items()
        }
        boxes = {*modules.values()} - {None}
        visible = len(boxes) + sum(n for scope, n in sizes.items() if modules[scope] is None)
        if not depth or visible <= AIM:
            break
        depth -= 1
    return modules, {x: "/".join(name.split("/")[: depth + 1]) for x, name in called.items()}


def _modules_by_name(
    graph: Contraction, folded: Collection[str], called: Mapping[Any, str]
) -> dict[str, str | None]:
    """Fold the scopes that were named; of one in another, the outer one shows."""
    outer = {
        scope: next((path for path in prefixes(scope) if graph.shown(path) in folded), None)
        for scope in {graph.scope(node) for node in graph.order}
    }
    return {scope: called.get(path or "", path) for scope, path in outer.items()}


def _folded_scopes(
    graph: Contraction,
    kept: set[Node],
    modules: dict[str, str | None],
    called: Mapping[Any, str],
) -> list[Part]:
    """Put the Nodes of each module into one part, with those that are called like it."""
    parts: list[Part] = []
    open_parts: dict[str, Part] = {}
    for node in graph.order:
        module = called.get(node, modules[graph.scope(node)])
        if module is None or node in kept:
            parts.append(Part([node]))
        elif module in open_parts:
            open_parts[module].nodes.append(node)
        else:
            parts.append(Part([node], module))
            open_parts[module] = parts[-1]
    return _plain(parts)


def _plain(parts: list[Part]) -> list[Part]:
    """Show a Node that was folded alone as itself."""
    return [Part(p.nodes) if p.module and len(p.nodes) == 1 else p for p in parts]


def _without_cycles(parts: list[Part], inputs: Inputs) -> list[Part]:
    """Split the parts that lie on cycles into runs of Nodes that were made one after another.

    A scope can be left and entered again, with something outside depending on it and feeding it.
    Runs are intervals of one topological order, so among them there is no cycle.
    """
    edges = links(parts, homes(parts), inputs)
    caught = set(range(len(parts)))
    for tails, heads in ((0, 1), (1, 0)):  # peel off what no cycle leads to; what leads to none
        waiting = Counter(e[heads] for e in edges if e[0] in caught and e[1] in caught)
        users: dict[int, list[int]] = {}
        for e in edges:
            users.setdefault(e[tails], []).append(e[heads])
        ready = [i for i in caught if not waiting[i]]
        while ready:
            i = ready.pop()
            caught.discard(i)
            for j in users.get(i, ()):
                waiting[j] -= 1
                if j in caught and not waiting[j]:
                    ready.append(j)
    if not caught:
        return parts
    runs: list[Part] = []
    previous = None
    inner = [(node, i) for i in caught for node in parts[i].nodes]
    for node, i in sorted(inner, key=lambda pair: pair[0].seq):
        if i == previous:
            runs[-1].nodes.append(node)
        else:
            runs.append(Part([node], parts[i].module))
        previous = i
    return [part for i, part in enumerate(parts) if i not in caught] + _plain(runs)


def _ordered(parts: list[Part], inputs: Inputs) -> list[Part]:
    """Sort the parts topologically; of several that could come next, the oldest does."""
    users: dict[int, list[int]] = {}
    waiting = [0] * len(parts)
    for tail, head in links(parts, homes(parts), inputs):
        users.setdefault(tail, []).append(head)
        waiting[head] += 1
    age = [part.nodes[0].seq for part in parts]
    ready = [(age[i], i) for i, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, i = heapq.heappop(ready)
        order.append(parts[i])
        for j in users.get(i, ()):
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(ready, (age[j], j))
    return order


def _folded_middle(parts: list[Part], kept: set[Node], inputs: Inputs) -> list[Part]:
    """Keep the first and last parts, the outputs, and the leaves that these use; fold the rest.

    What lies between two kept parts becomes one: an interval of a topological order, so there is
    no cycle.
    """
    sources = [part for part in parts if all(node.op is None for node in part.nodes)]
    inner = [part for part in parts if any(node.op for node in part.nodes)]
    shown = [
        i < FIRST or i >= len(inner) - LAST or not kept.isdisjoint(part.nodes)
        for i, part in enumerate(inner)
    ]
    used = {
        x for part, stays in zip(inner, shown) if stays for node in part.nodes for x in inputs(node)
    }
    asked = [p for p in sources if not kept.isdisjoint(p.nodes)]
    others = [p for p in sources if kept.isdisjoint(p.nodes) and not used.isdisjoint(p.nodes)]
    others = others[max(len(asked) + len(others) - LEAVES, 0) :]
    staying = set(map(id, asked + others if len(sources) > LEAVES else sources))
    folded = Part([node for p in sources if id(p) not in staying for node in p.nodes], "")
    result = [p for p in sources if id(p) in staying] + ([folded] if folded.nodes else [])
    previous = True
    for part, stays in zip(inner, shown):
        if stays:
            result.append(part)
        elif previous:
            result.append(Part(list(part.nodes), ""))
        else:
            result[-1].nodes.extend(part.nodes)
        previous = stays
    return result
