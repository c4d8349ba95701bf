"""Type an expression, and step through what the compiler's passes make of its graph."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..compiler.passes import Step, stepwise
from ..compiler.rewrite import as_symbolic, operations
from ..drawing import draw
from ..graph.graph import Graph
from ..graph.parse import free_names, parse
from ..graph.symbolic import placeholder
from .base import GraphWidget


class PassViewer(GraphWidget):
    """A line to type in, two buttons to go through the steps of the passes, and the graph then.

    Attributes:
        text: the `ipywidgets.Text` that holds the expression.
        back, forward: the `ipywidgets.Button`s that go to another step.
        stages: the graph as it was defined, and the graph after each step.
        done: how many steps have been done in the graph on show.
    """

    def __init__(self, expression: str = "y = (a + b) * (a + b)") -> None:
        """Show an expression to edit, and its graph after each step of the passes."""
        wide = widgets.Layout(width="auto", max_width="640px")
        self.text = widgets.Text(
            value=expression, description="Expression", continuous_update=True, layout=wide
        )
        self.back = widgets.Button(description="Step back", icon="arrow-left")
        self.forward = widgets.Button(description="Next step", icon="arrow-right")
        self.stages: list[tuple[Graph, Step | None]] = []
        self.done = 0
        row = widgets.HBox([self.back, self.forward], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__("Passes, step by step", [self.text, row], lines=4)
        self.text.observe(self._read, "value")
        self.back.on_click(lambda _: self.go(self.done - 1))
        self.forward.on_click(lambda _: self.go(self.done + 1))
        self._read()

    def _read(self, _: Any = None) -> None:
        """Read the expression anew, and begin again before the first step."""
        try:
            names = free_names(self.text.value)
            node = parse(self.text.value, **{name: placeholder(name) for name in names})
            self.stages = stages(Graph(node))
        except Exception as error:  # whatever is typed, the sentence is about that
            self.refuse(error)
            return
        self.go(0)

    def go(self, done: int) -> None:
        """Show the graph after so many steps, or as many as there are."""
        self.done = min(max(done, 0), len(self.stages) - 1)
        graph, step = self.stages[self.done]
        self.show(draw(graph.outputs), self._sentence(graph, step))

    def _sentence(self, graph: Graph, step: Step | None) -> str:
        """Say what the last step has done, one replacement to a line."""
        steps = len(self.stages) - 1
        if step is None:
            to_come = f"steps to come: {steps}" if steps else "no pass finds anything"
            return f"As defined (operations: {operations(graph)}); {to_come}"
        head = f"Step {self.done} of {steps}, {step.name}"
        lines = [f"{head} (operations: {step.before} → {step.after})"]
        return "\n".join([*lines, *(f"    {rewrite}" for rewrite in step.rewrites)])


def stages(graph: Graph) -> list[tuple[Graph, Step | None]]:
    """List a graph, and what it is after each step of the passes."""
    return [(graph, None), *stepwise(as_symbolic(graph))]


pass_viewer = PassViewer
