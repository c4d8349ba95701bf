"""The chain rule, path by path and in one reverse sweep, with what each of them costs.

A path of a graph of scalars carries the product of the local derivatives on its edges; the sum over
all paths from a source to a target is ∂target/∂source. There may be more paths than anybody can
list, so they are counted without being listed, and listed one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from ..core.node import Node
from ..core.order import topological_order
from ..errors import ShapeError
from ..errors.words import describe
from ..reading.local import contributions


@dataclass(frozen=True)
class PathEdge:
    """Argument number `slot` of `head`, which is `tail`, and the local derivative by it."""

    tail: Node
    head: Node
    slot: int
    local: float


Path = tuple[PathEdge, ...]


@dataclass(frozen=True)
class Step:
    """One node of a reverse sweep: its gradient is the sum of upstream times local."""

    node: Node
    terms: tuple[tuple[float, PathEdge], ...]  # (the gradient at the edge's head, the edge)
    gradient: float


class PathSums:
    """All that leads to one target.

    Both ways of computing a gradient begin with 1 and multiply once for each edge that they go
    along, so that their numbers of multiplications can be compared.

    Attributes:
        target: the Node whose derivatives are asked for.
        nodes: the target and all Nodes that it depends on, inputs before their users.
        count: Node -> the number of paths from it to the target.
        multiplications: Node -> how many it takes to go along all of these paths.
    """

    def __init__(self, target: Node) -> None:
        """Find the edges and count the paths, in time that grows with the edges alone.

        Raises:
            ShapeError: naming the first Node that holds an array.
        """
        self.target = target
        self.nodes = topological_order(target)
        for node in self.nodes:
            if node.shape:
                raise ShapeError(
                    "paths need a graph of scalars, with a number on each edge, and "
                    f"{describe(node)} holds an array; take the graph of a single element",
                    (node,),
                )
        self._leaving: dict[Node, list[PathEdge]] = {node: [] for node in self.nodes}
        for edge in _edges(self.nodes):
            self._leaving[edge.tail].append(edge)
        self.count = dict.fromkeys(self.nodes, 0)
        self.multiplications = dict.fromkeys(self.nodes, 0)
        self.count[target] = 1
        for node in reversed(self.nodes[:-1]):
            heads = [edge.head for edge in self._leaving[node]]
            self.count[node] = sum(self.count[x] for x in heads)
            further = sum(self.multiplications[x] for x in heads)
            self.multiplications[node] = further + self.count[node]

    def paths(self, source: Node) -> Iterator[Path]:
        """Go along the paths from a source to the target, one after another."""
        trail: list[PathEdge] = []
        waiting = [self._onward(source)]
        if source is self.target:
            yield ()
        while waiting:
            edge = next(waiting[-1], None)
            if edge is None:
                waiting.pop()
                del trail[-1:]
            elif edge.head is self.target:
                yield (*trail, edge)
            else:
                trail.append(edge)
                waiting.append(self._onward(edge.head))

    def _onward(self, node: Node) -> Iterator[PathEdge]:
        """The edges that lead on from a node and do not end before the target."""
        return (edge for edge in self._leaving[node] if self.count[edge.head])

    def edges(self, source: Node) -> list[PathEdge]:
        """List the edges on paths from a source to the target, each once."""
        return [edge for step in self.sweep(source) for _, edge in step.terms]

    def sweep(self, source: Node) -> list[Step]:
        """Find ∂target/∂source in one reverse sweep over the nodes between them, users first."""
        between = {source} if self.count.get(source) else set()
        for node in self.nodes:
            if node in between:
                between.update(edge.head for edge in self._onward(node))
        steps = []
        gradients: dict[Node, float] = {}
        for node in reversed(self.nodes):
            if node in between:
                terms = tuple((gradients[edge.head], edge) for edge in self._onward(node))
                total = sum(upstream * edge.local for upstream, edge in terms)
                gradient = 1.0 if node is self.target else total
                gradients[node] = gradient
                steps.append(Step(node, terms, gradient))
        return steps

    def edges_in_all(self) -> int:
        """Count the edges that a sweep for all inputs at once goes along."""
        return sum(1 for node in self.nodes for _ in self._onward(node))


def product(path: Path) -> float:
    """Multiply the local derivatives along a path."""
    return prod((edge.local for edge in path), start=1.0)


def _edges(nodes: list[Node]) -> Iterator[PathEdge]:
    """The edges that carry a derivative: not those from constants, nor those of conditions."""
    for node in nodes:
        if node.op is not None:
            for slot, x, local in contributions(node, node.dtype.type(1)):
                yield PathEdge(x, node, slot, float(local))
