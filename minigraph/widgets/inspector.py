"""The inspector: what goes wrong in a graph, over its drawing and in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.node import Node
from ..drawing import Drawing, draw
from ..errors import NodeTypeError
from ..graph.context import watching
from ..graph.graph import Graph
from ..graph.watched import Watched
from ..reading import Reading
from ..reading.inspecting import Finding, Inspection, Row
from ..recording.recorder import check_options


class Inspector:
    """A graph with what was found in it.

    Attributes:
        inspection: the numbers behind it.
        findings: what strikes the eye, as data: each with its `kind`, its `text` and its `nodes`.
        rows: for each node the sizes of its value and its gradient.
        text: both as text.
    """

    def __init__(self, inspection: Inspection, drawing: Drawing) -> None:
        self.inspection, self.drawing = inspection, drawing

    @property
    def findings(self) -> list[Finding]:
        """What strikes the eye, what is worst first."""
        return self.inspection.findings

    @property
    def rows(self) -> list[Row]:
        """One row for each node, in topological order."""
        return self.inspection.rows

    @property
    def text(self) -> str:
        """The findings and the table, as text."""
        return self.inspection.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.drawing.html, "text/plain": self.text}


def inspect(
    y: Any,
    value: Any = None,
    *,
    beside: Any = (),
    seed: Any = None,
    opened: Any = False,
    folded: Any = None,
    direction: str = "auto",
) -> Inspector:
    """Look for what goes wrong in a graph, in the values and in the gradients of y.

    The gradients are computed anew; what a backward pass has left in `grad` stays, and is compared.

    Args:
        y: the output, a Node; a function without arguments that computes it, of which then all is
            known that it computes and does not use; or what was watched of a PyTorch program, and
            as `value` the tensor.
        beside: leaves that should have a part in y: Nodes, or a module with `parameters()`.
        seed: the gradient to start from, of y's shape; 1 for a scalar.
        opened, folded, direction: as in `mg.draw`.

    Raises:
        NodeTypeError: for something else than Nodes.
        SymbolicError: if y waits for placeholders.
    """
    made: list[Node] = []
    idle: list[str] = []
    if isinstance(y, Watched):
        if value is None:
            raise NodeTypeError("say of which value: inspect(seen, loss)")
        made, idle = y.made(), y.idle()
        y = y[value]
    elif value is not None:
        raise NodeTypeError("a second value goes with a watched program: inspect(seen, loss)")
    elif callable(y) and not isinstance(y, Node):
        y = _computed(y, made)
    if isinstance(y, Graph):
        made, y = y.order, y.outputs[0]
    if not isinstance(y, Node):
        raise NodeTypeError(f"inspect takes a Node, not {type(y).__name__} {y!r:.40}")
    check_options(y, "both", "")
    reading = Reading([y], opened, folded)
    inspection = Inspection(reading, seed=seed, made=made, beside=_leaves(beside), idle=idle)
    lit = {x for finding in inspection.findings for x in finding.nodes[:1]} & {*reading.order}
    drawing = draw(y, opened=opened, folded=folded, direction=direction, highlight=lit)
    return Inspector(inspection, drawing)


def _computed(f: Callable[[], Any], made: list[Node]) -> Any:
    """What a function computes; all that it makes is put into `made`."""
    with watching(made.append):
        return f()


def _leaves(beside: Any) -> list[Node]:
    """The Nodes that are meant: those given, and the parameters of modules."""
    items = [beside] if isinstance(beside, Node) or hasattr(beside, "parameters") else beside
    if not isinstance(items, Iterable):
        raise NodeTypeError(f"beside takes Nodes or modules, not {items!r:.40}")
    found: list[Node] = []
    for item in items:
        found += item.parameters() if hasattr(item, "parameters") else [item]
    for x in found:
        if not isinstance(x, Node):
            raise NodeTypeError(f"beside takes Nodes or modules, not {x!r:.40}")
    return found
