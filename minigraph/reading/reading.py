"""The reading of a graph: its order, its calls, its parts and its names, each worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from operator import attrgetter
from typing import Any

from ..core.node import Node
from ..core.order import topological_order
from ..errors import MinigraphError
from ..errors.words import describe
from .calls import contracted, listed
from .names import Name, node_names
from .parts import LIMIT, Part, parts, scopes
from .repeats import alike
from .text import quoted


class Reading:
    """A graph as a reader sees it; whatever shows it is given this.

    Attributes:
        outputs: what is read.
        order: all of its Nodes in topological order.
        graph: the same, where each call of a composed function that is not open is one operation.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        opened: Any = False,
        folded: Any = None,
        *,
        order: list[Node] | None = None,
        kept: Sequence[Node] | None = None,
        joins_alike: bool = False,
    ) -> None:
        """Read a graph.

        Args:
            outputs: the Nodes that are asked for, one at least.
            opened: what to open, as in `mg.draw`.
            folded: the scopes to fold, as in `mg.draw`; or by path what each is called then, and
                so by Node those in no such scope that are folded with them.
            order: the Nodes in topological order, where they are known.
            kept: the outputs that are seen in whatever scope they lie; all of them where None.
            joins_alike: whether ten or more blocks in a row that are built alike are one part,
                where it is left to the size of the graph what is folded.

        Raises:
            MinigraphError: if something to open is not in the graph.
            NodeTypeError: if it is nothing that could be.
        """
        self.outputs = list(outputs)
        self.order = topological_order(self.outputs) if order is None else order
        to_open = listed(opened)
        self.check_members(item for item in to_open if isinstance(item, Node))
        self.graph = contracted(self.order, self.outputs, to_open)
        self._folded = folded
        self._called: Mapping[Any, str] = folded if isinstance(folded, Mapping) else {}
        self._joins_alike = joins_alike
        self._kept = self.outputs if kept is None else [*kept]

    @cached_property
    def ids(self) -> dict[Node, str]:
        """The id of each Node: "n" and its place in topological order."""
        return {node: f"n{place}" for place, node in enumerate(self.order)}

    @cached_property
    def names(self) -> dict[Node, Name]:
        """What each Node of `graph` is called."""
        return node_names(self.graph)

    @cached_property
    def called(self) -> dict[Node, str]:
        """The full names of Nodes that have a label; a constant without one is its value."""
        return {node: name.full for node, name in self.names.items() if name.label}

    @cached_property
    def parts(self) -> list[Part]:
        """What is shown, in topological order: Nodes, and what is folded.

        Raises:
            MinigraphError: for a scope to fold that the graph does not have.
        """
        called = self._called
        if self._joins_alike and self._folded is None and len(self.graph.order) > LIMIT:
            called = alike(self.order, self.graph, self.scopes)
        return parts(self.graph, self._kept, self._to_fold(), called)

    @cached_property
    def scopes(self) -> dict[str, int]:
        """How many Nodes each scope holds, by its path as a reader sees it."""
        return scopes(self.graph)

    def check_members(self, nodes: Iterable[Node]) -> None:
        """Raise a MinigraphError that names a Node which is not in the graph."""
        for node in sorted({*nodes}.difference(self.order), key=attrgetter("seq")):
            raise MinigraphError(f"{describe(node)} is not part of the graph", (node,))

    def _to_fold(self) -> set[str] | None:
        """The paths of the scopes to fold; None where that is left to the size of the graph."""
        if self._folded is None:
            return None
        paths = set[str]()
        for item in listed(self._folded):
            if isinstance(item, Node) and item in self._called:
                continue
            if isinstance(item, bool):
                paths.update(path for path in self.scopes if item and "/" not in path)
            elif isinstance(item, str) and item in self.scopes:
                paths.add(item)
            else:
                raise MinigraphError(_no_such_scope(item, [*self.scopes]))
        return paths


def _no_such_scope(wanted: Any, known: list[str]) -> str:
    if not isinstance(wanted, str):
        return f"folded takes True, False or the paths of scopes, not {wanted!r:.40}"
    if not known:
        return f"there is no scope {wanted!r:.60} to fold: this graph has no scopes"
    near = get_close_matches(wanted, known, 1)
    hint = f"; did you mean {near[0]!r:.60}?" if near else ""
    return f"there is no scope {wanted!r:.60} to fold, only {quoted(known)}{hint}"
