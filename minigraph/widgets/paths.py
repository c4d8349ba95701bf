"""The path explorer: one gradient, path by path and by one reverse sweep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import islice
from math import log10
from typing import Any

import ipywidgets as widgets

from ..core.node import Node
from ..core.order import topological_order
from ..drawing import Drawing, draw
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from ..reading import Reading
from ..reading.formula import derivative_name
from ..reading.text import factor, number, superscript
from .base import GraphWidget, table
from .path_sums import Path, PathEdge, PathSums, Step, product

BY_PATHS, BY_SWEEP = "path by path", "one reverse sweep"
MOST = 12  # paths that are listed
FEW = 4  # lines of the list that a page without kernel shows at once
MOST_MULTIPLICATIONS = 100_000  # that are done to add up all paths
# How many factors and terms are written out; and how many at each end of more, with dots between.
_LONGEST, _IN_LIST = (10, 5), (4, 1)
_ROUTE_IN_LIST = (6, 3)  # and nodes of a path


class PathExplorer(GraphWidget):
    """Two nodes to choose, what leads from one to the other, and what it adds up to.

    The list holds the paths with the products of their local derivatives, and their sum; or the
    steps of one reverse sweep. What is chosen in it is highlighted in the drawing.

    Attributes:
        source, target: the `ipywidgets.Dropdown` with the two nodes.
        way: the `ipywidgets.ToggleButtons`: path by path, or one reverse sweep.
        list: the `ipywidgets.Select` with the paths or the steps.
        costs: the table with the multiplications of each way.
        sums: the `PathSums` of the target.
    """

    def __init__(
        self, output: Node, source: Node | str | None = None, target: Node | str | None = None
    ) -> None:
        """Show the paths from a node to another, their products, their sum, and what they cost.

        Args:
            output: a scalar, computed from scalars.
            source: the Node to start from, or its name in the drawing; by default the first
                variable.
            target: the Node to arrive at, or its name; the output by default.

        Raises:
            ShapeError: naming the first Node that holds an array.
            MinigraphError: for a source or target that is not in the graph.
        """
        if not isinstance(output, Node):
            raise NodeTypeError(f"paths lead to a Node, not {type(output).__name__} {output!r:.40}")
        self.output = output
        self.sums = PathSums(output)
        self._names = _names(output, self.sums.nodes)
        options = [(self._names[node], node) for node in self.sums.nodes if node.requires_grad]
        if not options:
            raise MinigraphError("there is no variable in this graph, so nothing can be nudged")
        if target is None and not output.requires_grad:
            raise MinigraphError(f"{describe(output)} does not depend on a variable", (output,))
        first, last = options[0][1], output
        if source is not None:
            first = _chosen(source, options)
        if target is not None:
            last = _chosen(target, options)
            self.sums = PathSums(last)
        self.source = widgets.Dropdown(
            options=options, value=first, description="From", layout=widgets.Layout(width="auto")
        )
        self.target = widgets.Dropdown(
            options=options, value=last, description="To", layout=widgets.Layout(width="auto")
        )
        self.way = widgets.ToggleButtons(
            options=[BY_PATHS, BY_SWEEP],
            description="Way",
            tooltips=["multiply along each path, add", "hand on from user to input, adding"],
        )
        self.list = widgets.Select(rows=10, layout=widgets.Layout(width="auto"))
        self.costs = widgets.HTML()
        ends = widgets.HBox([self.source, self.target, self.way])
        ends.layout.flex_flow = "row wrap"
        super().__init__(
            "Path explorer", [ends], beside=[self.list], below=[self.costs], height=360
        )
        self._rows: list[Path | Step | None] = []  # None is the sum of all paths
        self._is_filling = False
        self.watch(self.list, "index", self._choose)
        self._fill()
        self.watch(self.target, "value", self._aim)
        for control in (self.source, self.way):
            self.watch(control, "value", self._fill)

    def _aim(self, _: Any) -> None:
        self.sums = PathSums(self.target.value)
        self._fill()

    def _fill(self, _: Any = None) -> None:
        """List the paths, or the steps of the sweep, and choose the first."""
        source = self.source.value
        is_reached = self._count(source) > 0
        if self.way.value == BY_SWEEP:
            self._rows = [*self.sums.sweep(source)]
        else:
            self._rows = [*islice(self._paths(source), MOST), *([None] * is_reached)]
        self._is_filling = True  # one drawing is enough
        try:
            self.list.options = [(self._label(i), i) for i in range(len(self._rows))]
            self.list.index = 0 if is_reached else None
        finally:
            self._is_filling = False
        self.list.description = "Steps" if self.way.value == BY_SWEEP else "Paths"
        self.costs.value = self._costs()
        self._update()

    def _count(self, source: Node) -> int:
        return self.sums.count.get(source, 0)

    def _paths(self, source: Node) -> Iterator[Path]:
        return self.sums.paths(source) if self._count(source) else iter(())

    # --- what is chosen ---------------------------------------------------------------------------

    def _choose(self, _: Any) -> None:
        if not self._is_filling:
            self._update()

    def _update(self) -> None:
        """Show what is chosen in the list."""
        index = self.list.index
        if index is None:
            to, source = self._names[self.target.value], self._names[self.source.value]
            self.show(
                self._draw([self.source.value, self.target.value]),
                f"No path leads from {source} to {to}. A nudge of {source} never gets there: "
                f"{self._gradient_name(self.source.value)} = 0.",
            )
            return
        row = self._rows[index]
        if isinstance(row, Step):
            done = {x.node: x.gradient for x in self._rows[: index + 1] if isinstance(x, Step)}
            edges = [edge for _, edge in row.terms]
            self.show(self._draw([row.node, *map(_drawn, edges)], done), self._say_step(index, row))
        elif row is None:
            edges = self.sums.edges(self.source.value)
            lit = [*map(_drawn, edges), self.source.value, self.target.value]
            total = self._sum(self.source.value)
            known = {} if total is None else {self.source.value: total}
            self.show(self._draw(lit, {self.target.value: 1.0} | known), self._say_sum())
        else:
            along = [self.source.value, *(edge.head for edge in row)]
            self.show(self._draw([*along, *map(_drawn, row)]), self._say_path(index, row))

    def _draw(self, highlight: list[Any], gradients: dict[Node, float] | None = None) -> Drawing:
        with _showing(self.output, gradients or {self.target.value: 1.0}):
            return draw(
                self.output,
                gradients=True,
                derivatives=True,
                opened=True,
                highlight=highlight,
            )

    def _say_path(self, index: int, path: Path) -> str:
        of = many(self._count(self.source.value))
        if not path:
            return f"Path {index + 1} of {of}: no edge at all. A nudge is its own effect, 1."
        names = _shortened([self._local_name(edge) for edge in path], " · ")
        said = f"Path {index + 1} of {of}, multiplied along its edges"
        return f"{said}: {names} = {_written_product(path)}"

    def _say_sum(self) -> str:
        source = self.source.value
        name, paths = self._gradient_name(source), _counted(self._count(source), "path")
        if self._sum(source) is None:
            return (
                f"{paths} lead from {self._names[source]} to {self._names[self.target.value]}. "
                "Nobody adds up so many. The reverse sweep need not."
            )
        return f"{name}, added over {paths}: {self._written_sum(source)}"

    def _say_step(self, index: int, step: Step) -> str:
        start = f"Step {index + 1} of {len(self._rows)}: {self._gradient_name(step.node)} = "
        if not step.terms:
            return f"{start}1. The sweep begins here."
        names = [
            f"{self._gradient_name(edge.head)} · {self._local_name(edge)}" for _, edge in step.terms
        ]
        return f"{start}{_shortened(names, ' + ')} = {_written_step(step)}"

    # --- rows and numbers -------------------------------------------------------------------------

    def _label(self, index: int) -> str:
        """One row of the list."""
        row = self._rows[index]
        if isinstance(row, Step):
            return f"{self._gradient_name(row.node)} = {_written_step(row, _IN_LIST)}"
        if row is None:
            return self._label_of_sum()
        return f"{self._route(row, _ROUTE_IN_LIST)}:   {_written_product(row, _IN_LIST)}"

    def _label_of_sum(self) -> str:
        source = self.source.value
        hidden = self._count(source) - MOST
        if hidden <= 0:
            return f"sum:   {self._written_sum(source, _IN_LIST)}"
        more = f"… and {many(hidden)} more"
        if self._sum(source) is None:
            return more
        return f"{more}; sum:   {self._written_sum(source, _IN_LIST)}"

    def _written_sum(self, source: Node, room: tuple[int, int] = _LONGEST) -> str:
        terms = [_factor(product(path)) for path in self._paths(source)]
        total = number(self._sum(source))
        return f"{_shortened(terms, ' + ', room)} = {total}" if len(terms) > 1 else total

    def _sum(self, source: Node) -> float | None:
        """Add up all paths; None if there are too many."""
        if self.sums.multiplications.get(source, 0) > MOST_MULTIPLICATIONS:
            return None
        return float(sum(map(product, self._paths(source))))

    def _route(self, path: Path, room: tuple[int, int]) -> str:
        """The nodes along a path; the argument is said where one Node is several arguments."""
        names = [self._names[self.source.value]]
        for edge in path:
            uses = sum(x is edge.tail for x in edge.head.inputs)
            place = f" (argument {edge.slot + 1})" if uses > 1 else ""
            names.append(self._names[edge.head] + place)
        return _shortened(names, " → ", room)

    def _gradient_name(self, node: Node) -> str:
        return derivative_name(self._names[self.target.value], self._names[node])

    def _local_name(self, edge: PathEdge) -> str:
        return derivative_name(self._names[edge.head], self._names[edge.tail])

    # --- costs ------------------------------------------------------------------------------------

    def _costs(self) -> str:
        """A table: the multiplications of each way, for this source and for all inputs."""
        source, sums = self.source.value, self.sums
        inputs = [node for node in sums.nodes if node.op is None and sums.count[node]]
        total = self._sum(source)
        gradient = sums.sweep(source)[-1].gradient if self._count(source) else 0.0
        alone = f"multiplications for {self._names[source]}"
        together = f"for {'all ' * (len(inputs) > 1)}{_counted(len(inputs), 'input')}"
        rows = [
            ("way", self._gradient_name(source), alone, together),
            (
                f"{BY_PATHS} ({_counted(self._count(source), 'path')})",
                "–" if total is None else number(total),
                many(sums.multiplications.get(source, 0)),
                many(sum(sums.multiplications[node] for node in inputs)),
            ),
            (
                BY_SWEEP,
                number(gradient),
                many(len(sums.edges(source)) if self._count(source) else 0),
                many(sums.edges_in_all()),
            ),
        ]
        return table(rows) + "<small>Counted: one multiplication for each edge gone along.</small>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = super()._repr_mimebundle_(**options)
        rows = "".join(f"<li>{escape(label)}</li>" for label, _ in self.list.options)
        few = " open" * (len(self.list.options) <= FEW)
        told = f"<details{few}><summary>the paths</summary><ul>{rows}</ul></details>"
        # What is told stands beside the picture where there is room: a tall one leaves none below.
        said = f"{self.message.value}{told}{self.costs.value}"
        data["text/html"] = (
            '<div style="display:flex;flex-wrap:wrap;gap:0 10px">'
            f'<div style="flex:0 1 auto;min-width:0">{self.picture.value}</div>'
            f'<div style="flex:1 1 220px;min-width:0">{said}</div></div>'
        )
        return data


def _names(output: Node, nodes: list[Node]) -> dict[Node, str]:
    """Name the Nodes as the drawing does."""
    names = Reading([output], opened=True, order=nodes).names
    return {node: names[node].full for node in nodes}


def _chosen(wanted: Node | str, options: list[tuple[str, Node]]) -> Node:
    """The Node that is meant by a name, or by itself."""
    for name, node in options:
        if wanted is node or wanted == name:
            return node
    known = ", ".join(name for name, _ in options)
    raise MinigraphError(f"paths lead from and to {known}, not {wanted!r:.80}")


@contextmanager
def _showing(output: Node, gradients: dict[Node, float]) -> Iterator[None]:
    """Let the Nodes hold these gradients, for a drawing, and then what they held before."""
    nodes = topological_order(output)
    before = [node.grad for node in nodes]
    try:
        for node in nodes:
            node.grad = gradients.get(node)
        yield
    finally:
        for node, grad in zip(nodes, before):
            node.grad = grad


def _drawn(edge: PathEdge) -> tuple[Node, Node, int]:
    return edge.tail, edge.head, edge.slot


def _written_product(path: Path, room: tuple[int, int] = _LONGEST) -> str:
    result = number(product(path))
    factors = _shortened([_factor(edge.local) for edge in path], " · ", room)
    return f"{factors} = {result}" if len(path) > 1 else result


def _written_step(step: Step, room: tuple[int, int] = _LONGEST) -> str:
    if not step.terms:
        return "1"
    terms = [f"{_factor(upstream)} · {_factor(edge.local)}" for upstream, edge in step.terms]
    return f"{_shortened(terms, ' + ', room)} = {number(step.gradient)}"


def _factor(x: float) -> str:
    return factor(number(x))


def _shortened(texts: list[str], joint: str, room: tuple[int, int] = _LONGEST) -> str:
    """Join texts, with dots for the middle of many."""
    most, kept = room
    if len(texts) > most:
        texts = [*texts[:kept], "…", *texts[-kept:]]
    return joint.join(texts)


def _counted(n: int, what: str) -> str:
    return f"{many(n)} {what}{'' if n == 1 else 's'}"


def many(n: int) -> str:
    """Write a count, rounded where it has more digits than anybody reads."""
    if n < 10**15:
        return f"{n:,}"
    exponent = int(log10(n)) - 6
    mantissa, further = f"{float(n // 10**exponent):.2e}".split("e")
    return f"{float(mantissa):g}×10{superscript(exponent + int(further))}"


path_explorer = PathExplorer
