"""Type an expression, give its letters values, and see its graph."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..core.node import Node
from ..drawing import draw
from ..graph.handwriting import one_name
from ..graph.parse import free_names, parse
from ..reading import Reading
from ..reading.words import counted
from .base import GraphWidget


class ExpressionEditor(GraphWidget):
    """A line to type in, a number for each name in it, and the graph of both.

    Attributes:
        text: the `ipywidgets.Text` that holds the expression.
        numbers: name -> the `ipywidgets.FloatText` that holds its value.
        node: the output of the graph on show; the last one that could be read.
    """

    def __init__(self, expression: str = "y = (a + b) * (b - c)", **values: float) -> None:
        """Show an expression; `values` are the numbers that its names start from."""
        self.text = widgets.Text(
            value=expression,
            description="Expression",
            continuous_update=True,
            layout=widgets.Layout(width="auto", max_width="640px"),
        )
        self.numbers: dict[str, widgets.FloatText] = {}
        self.row = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        self.node: Node | None = None
        super().__init__("Expression editor", [self.text, self.row], lines=3)
        for name, value in values.items():
            self._number(name).value = value
        self.text.observe(self._update, "value")
        self._update()

    def _number(self, name: str) -> widgets.FloatText:
        """The field of a name. It keeps its number while the name is not in the expression."""
        if name not in self.numbers:
            field = widgets.FloatText(
                value=1.0, step=0.5, description=name, layout=widgets.Layout(width="140px")
            )
            field.observe(self._update, "value")
            self.numbers[name] = field
        return self.numbers[name]

    def _update(self, _: Any = None) -> None:
        try:
            names = free_names(self.text.value)
            node = parse(self.text.value, **{name: self._number(name).value for name in names})
            drawing = draw(node)
        except Exception as error:  # whatever is typed, the sentence is about that
            self.refuse(error)
            return
        self.node = node
        fields = tuple(self._number(name) for name in names)
        if fields != self.row.children:
            self.row.children = fields
        words = [words for name in names if (words := one_name(name, self.numbers))]
        self.show(drawing, "; ".join([_count(node), *words]))


def _count(node: Node) -> str:
    """Count what is drawn, where a composed function is one operation."""
    graph = Reading([node]).graph
    nodes = len(graph.order)
    operations = sum(x.op is not None for x in graph.order)
    edges = sum(len(graph.inputs(x)) for x in graph.order)
    return f"{counted(nodes, 'node')}, {counted(operations, 'operation')}, {counted(edges, 'edge')}"


expression_editor = ExpressionEditor
