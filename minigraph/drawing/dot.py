"""The graph as DOT, for Graphviz and the many tools that read it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from graphviz import Digraph, escape, nohtml

from .diagram import Box, Diagram
from .theme import LIGHT
from .words import second_name, title

_SHAPES = {
    "variable": {"shape": "box", "style": "rounded,filled", "fillcolor": LIGHT.variable},
    "placeholder": {"shape": "box", "style": "rounded,dashed"},
    "constant": {"shape": "plaintext", "style": ""},
    "operation": {"shape": "box"},
    "module": {"shape": "box3d"},
}


def to_dot(diagram: Diagram, direction: str = "right") -> str:
    """Write a diagram as DOT: scopes are clusters, edges arrive in the order of the arguments."""
    graph = Digraph(comment=title(diagram))
    graph.attr(rankdir="TB" if direction == "down" else "LR", ordering="in")
    graph.attr("node", fontname="sans-serif", style="rounded", color=LIGHT.edge)
    graph.attr("edge", fontname="sans-serif", fontsize="11", color=LIGHT.edge)
    _add_scope(graph, (), diagram, count())
    for edge in diagram.edges:
        tail, head = diagram.boxes[edge.tail].id, diagram.boxes[edge.head].id
        graph.edge(tail, head, **({"label": _escaped([edge.label])} if edge.label else {}))
    return graph.source


def _add_scope(
    graph: Digraph, path: tuple[str, ...], diagram: Diagram, numbers: Iterator[int]
) -> None:
    """Add the boxes of one scope, and the scopes inside it."""
    for box in diagram.boxes:
        if box.scope == path:
            doubled = {"peripheries": "2"} if box.operations else {}
            graph.node(box.id, _escaped(_lines(box, diagram)), **_SHAPES[box.kind], **doubled)
    depth = len(path)
    for scope in dict.fromkeys(box.scope[: depth + 1] for box in diagram.boxes):
        if len(scope) > depth and scope[:-1] == path:
            with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
                cluster.attr(label=_escaped([scope[-1]]), color=LIGHT.line, style="rounded")
                _add_scope(cluster, scope, diagram, numbers)


def _lines(box: Box, diagram: Diagram) -> list[str]:
    """The texts of a box, line by line."""
    lines = [f"{box.symbol}  {box.label}".strip() if box.symbol else box.label]
    if box.value is not None:
        joint = "" if not box.label else " " if box.value.startswith("(") else " = "
        lines[0] += joint + box.value
    if box.gradient is not None:
        lines.append(f"{second_name(diagram, box.label)} = {box.gradient}")
    if box.kind == "module":
        lines.append(box.operation)
    return [line for line in lines if line]


def _escaped(lines: list[str]) -> str:
    """Write lines as one text that DOT takes literally."""
    return nohtml("\\n".join(escape(line) for line in lines))
