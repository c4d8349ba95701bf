"""Scopes that repeat: blocks that are built alike, each of them fed by the one before.

Whoever has read one of the twelve blocks of a network has read them all. A run of them can be one
part of a drawing: nothing outside lies between two of its blocks, so no cycle arises. Operations in
no scope that follow each block alike, such as the sum of a way around it, belong to the run.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from ..core.node import Node
from .calls import Contraction
from .parts import prefixes

Run = list[list[str]]  # blocks that are alike, each of them one scope or a few in a row
Loose = list[list[Node]]  # operations in no scope, each with the leaves that it alone uses
_LONGEST = 4  # scopes of a block
_MOST_LOOSE = 16  # operations between two scopes
_DIGITS = "0123456789"


class _Scope:
    """What a scope holds, and what it takes from outside; the loose operations after it."""

    def __init__(self, path: str, nodes: list[Node], loose: Loose, many: int = 0) -> None:
        self.path, self.nodes = path, nodes
        self.loose, self.many = loose, many  # of which so many are among the nodes
        self._wider: dict[int, _Scope] = {0: self}
        self.stem = path.rstrip(_DIGITS)
        self.members = set(nodes)
        self.taken = {x for node in nodes for x in node.inputs if x not in self.members}
        self.start = next((node.seq for node in nodes if node.op), nodes[0].seq)

    @cached_property
    def form(self) -> list[tuple[Any, ...]]:
        """Its operations and leaves, and how they hang together; the same for what is alike."""
        place = {node: n for n, node in enumerate(self.nodes)}
        scopes: dict[str, int] = {}
        rows = []
        for node in self.nodes:
            made = (node.op.name, repr(node.attrs)) if node.op else (node.kind, "")
            if node.kind == "constant" and not node.shape:
                made = node.kind, repr(node.value)
            inputs = tuple(place.setdefault(x, len(place)) for x in node.inputs)
            scope = scopes.setdefault(node.scope, len(scopes))
            depth = node.scope.count("/") - self.path.count("/")
            rows.append((*made, node.shape, node.dtype, inputs, scope, depth))
        return rows

    def with_loose(self, many: int) -> _Scope:
        """The scope together with the first loose operations after it."""
        many = min(many, len(self.loose))
        if many not in self._wider:
            nodes = [*self.nodes, *chain(*self.loose[:many])]
            self._wider[many] = _Scope(self.path, nodes, self.loose, many)
        return self._wider[many]

    def is_like(self, other: _Scope) -> bool:
        """Whether both are named alike, but for a number at the end, and built alike."""
        is_named = self.stem == other.stem and self.stem not in (self.path, other.path)
        return is_named and len(self.nodes) == len(other.nodes) and self.form == other.form

    def follows(self, block: Sequence[_Scope], first: _Scope) -> bool:
        """Whether it takes what the last of a block gives, and else nothing made since `first`.

        That could be made of what the scopes between them give, which would be a cycle. What the
        others of the block before it give is no such thing.
        """
        is_fed = not self.taken.isdisjoint(block[-1].members)
        others = self.taken.difference(*(scope.members for scope in block))
        return is_fed and not any(x.op and x.seq > first.start for x in others)


def runs(
    order: Sequence[Node], graph: Contraction, paths: Collection[str]
) -> tuple[dict[str, list[Run]], dict[str, list[Node]]]:
    """For each scope the ones directly in it, in the order of their work; those alike together.

    Args:
        order: all Nodes of the graph in topological order.
        graph: the same, as it is read.
        paths: of its scopes, as a reader sees them.

    Returns:
        By path, the runs in it: of a single scope, or of several blocks, such as "net/block0" to
        "net/block11". Those in no scope stand under "". Then, by the path of a scope in a run of
        several, the loose Nodes after it that belong to the run.
    """
    shown: dict[str, list[str]] = {}
    inside: dict[str, list[Node]] = {}
    direct: dict[str, list[Node]] = {}
    for node in order:
        if node.scope not in shown:
            around = map(graph.shown, prefixes(graph.scopes.get(node.scope, node.scope)))
            shown[node.scope] = [path for path in around if path in paths]
        for path in shown[node.scope]:
            inside.setdefault(path, []).append(node)
        direct.setdefault(shown[node.scope][-1] if shown[node.scope] else "", []).append(node)
    uses = Counter(x for node in order for x in {*node.inputs})
    within: dict[str, list[_Scope]] = {}
    scopes = [_Scope(path, nodes, []) for path, nodes in inside.items()]
    for scope in sorted(scopes, key=lambda scope: scope.start):
        within.setdefault(scope.path.rpartition("/")[0], []).append(scope)
    found: dict[str, list[Run]] = {}
    belonging: dict[str, list[Node]] = {}
    for path, beside in within.items():
        _spread(direct.get(path, []), beside, uses)
        found[path], loose = _in_runs(beside)
        belonging |= loose
    return found, belonging


def alike(
    order: Sequence[Node], graph: Contraction, paths: Collection[str], fewest: int = 10
) -> dict[Any, str]:
    """What is one part, by the scopes and the loose Nodes that make it: "net/block0–11 ×12".

    Of a run in a block of another one the outer shows, and none of fewer blocks than `fewest`.
    """
    found, loose = runs(order, graph, paths)
    called: dict[Any, str] = {}
    for path in sorted(found, key=lambda path: len(prefixes(path))):
        for run in found[path] if called.keys().isdisjoint(prefixes(path)) else ():
            if len(run) >= fewest:
                scopes = [*chain(*run)]
                nodes = chain(*(loose[scope] for scope in scopes))
                called |= dict.fromkeys([*scopes, *nodes], run_name(scopes, len(run)))
    return called


def run_name(scopes: Sequence[str], times: int) -> str:
    """What some scopes in a row are called together, such as "net/block0–11 ×12"."""
    first, last = scopes[0], scopes[-1].rpartition("/")[2]
    if len(scopes) == 1:
        return first
    if times == len(scopes):
        last = last[len(last.rstrip(_DIGITS)) :]
    return f"{first}–{last} ×{times}"


def _spread(nodes: list[Node], scopes: list[_Scope], uses: Counter[Node]) -> None:
    """Give each loose operation to the scope after which it was made."""
    starts = [scope.start for scope in scopes]
    beside = {*nodes}
    for node in nodes:
        if node.op and (place := bisect(starts, node.seq)):
            leaves = [x for x in {*node.inputs} & beside if not x.op and uses[x] == 1]
            scopes[place - 1].loose.append([*sorted(leaves, key=lambda x: x.seq), node])


def _in_runs(scopes: list[_Scope]) -> tuple[list[Run], dict[str, list[Node]]]:
    """Divide scopes into runs; by path, the loose Nodes that belong to those of several blocks."""
    found: list[Run] = []
    loose: dict[str, list[Node]] = {}
    start = 0
    while start < len(scopes):
        size, run = _repeated(scopes, start)
        if size > 1:
            later, other = _repeated(scopes, start + 1)
            if len(other) // later >= len(run) // size:
                size, run = 1, scopes[start : start + 1]  # what repeats begins one later
        found.append([[x.path for x in run[n : n + size]] for n in range(0, len(run), size)])
        for scope, whole in zip(scopes[start:], run):
            loose[scope.path] = whole.nodes[len(scope.nodes) :]
        start += len(run)
    return found, loose


def _repeated(scopes: list[_Scope], start: int) -> tuple[int, list[_Scope]]:
    """How many scopes make the shortest block that repeats from here, and the scopes of all.

    Where they do not feed each other alone, they may with the loose operations between them.
    """
    for size in range(1, _LONGEST + 1):
        for most in (0, _MOST_LOOSE):
            run = _chain(scopes, start, size, most)
            if len(run) >= 2 * size:
                return size, run[: len(run) // size * size]
    return 1, [scopes[start]]


def _chain(scopes: list[_Scope], start: int, size: int, most: int) -> list[_Scope]:
    """The scopes from here on that feed each other, each like the one that is a block before it.

    Each comes with the loose operations after it, at most so many. The last one may have more of
    them, which stay outside; where they are not like those of two blocks before, all of them do.
    """
    run: list[_Scope] = []
    for n in range(len(scopes) - start):
        scope = scopes[start + n]
        many = len(scope.loose) if most else 0
        ways = [scope.with_loose(many)] if many <= most else []
        if n >= size:
            like, bare = run[n - size], scopes[start + n - size]
            ways = []
            if scope.is_like(bare):
                ways = [way for way in [scope.with_loose(like.many)] if way.is_like(like)]
                ways += [scope] if n >= 2 * size else []
        whole = next((way for way in ways if not run or way.follows(run[-size:], run[0])), None)
        if whole is None:
            break
        run.append(whole)
        if whole.many < many or (n >= size and whole.many < like.many):
            break
    return run
