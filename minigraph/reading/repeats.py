"""Scopes that repeat: blocks that are built alike, each of them fed by the one before.

Whoever has read one of the twelve blocks of a network has read them all. A run of them can be one
part of a drawing: nothing outside lies between two of its blocks, so no cycle arises.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from ..core.node import Node
from .calls import Contraction
from .parts import prefixes

Run = list[list[str]]  # blocks that are alike, each of them one scope or a few in a row
_LONGEST = 4  # scopes of a block
_DIGITS = "0123456789"


class _Scope:
    """What a scope holds, and what it takes from outside."""

    def __init__(self, path: str, nodes: list[Node]) -> None:
        self.path, self.nodes = path, nodes
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
            rows.append((*made, node.shape, node.dtype, inputs, scope))
        return rows

    def is_like(self, other: _Scope) -> bool:
        """Whether both are named alike, but for a number at the end, and built alike."""
        is_named = self.stem == other.stem and self.stem not in (self.path, other.path)
        return is_named and len(self.nodes) == len(other.nodes) and self.form == other.form

    def follows(self, last: _Scope, first: _Scope) -> bool:
        """Whether it takes what `last` gives, and else nothing that was made since `first`.

        That could be made of what the scopes between them give, which would be a cycle.
        """
        others = self.taken - last.members
        is_fed = len(others) < len(self.taken)
        return is_fed and not any(x.op and x.seq > first.start for x in others)


def runs(order: Sequence[Node], graph: Contraction, paths: Collection[str]) -> dict[str, list[Run]]:
    """For each scope the ones directly in it, in the order of their work; those alike together.

    Args:
        order: all Nodes of the graph in topological order.
        graph: the same, as it is read.
        paths: of its scopes, as a reader sees them.

    Returns:
        By path, the runs in it: of a single scope, or of several blocks, such as "net/block0" to
        "net/block11". Those in no scope stand under "".
    """
    shown: dict[str, list[str]] = {}
    inside: dict[str, list[Node]] = {}
    for node in order:
        if node.scope not in shown:
            around = map(graph.shown, prefixes(graph.scopes.get(node.scope, node.scope)))
            shown[node.scope] = [path for path in around if path in paths]
        for path in shown[node.scope]:
            inside.setdefault(path, []).append(node)
    within: dict[str, list[_Scope]] = {}
    scopes = [_Scope(path, nodes) for path, nodes in inside.items()]
    for scope in sorted(scopes, key=lambda scope: scope.start):
        within.setdefault(scope.path.rpartition("/")[0], []).append(scope)
    return {path: _in_runs(scopes) for path, scopes in within.items()}


def _in_runs(scopes: list[_Scope]) -> list[Run]:
    """Divide scopes into runs."""
    found = []
    start = 0
    while start < len(scopes):
        size, times = _repeated(scopes, start)
        if size > 1 and _repeated(scopes, start + 1)[1] >= times:
            size = times = 1  # what repeats begins one later
        places = range(start, start + size * times, size)
        found.append([[scope.path for scope in scopes[n : n + size]] for n in places])
        start += size * times
    return found


def _repeated(scopes: list[_Scope], start: int) -> tuple[int, int]:
    """How many scopes make the shortest block that repeats from here, and how often it does."""
    for size in range(1, _LONGEST + 1):
        n = start + 1
        while (
            n < len(scopes)
            and scopes[n].follows(scopes[n - 1], scopes[start])
            and (n < start + size or scopes[n].is_like(scopes[n - size]))
        ):
            n += 1
        if n >= start + 2 * size:
            return size, (n - start) // size
    return 1, 1
