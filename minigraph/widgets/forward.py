"""Step through a forward pass: one node after another gets its value."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..drawing import draw
from ..drawing.calls import contracted
from ..graph.node import Node
from ..graph.order import topological_order
from .base import GraphWidget


class ForwardStepper(GraphWidget):
    """A slider over the steps of a forward pass, two buttons beside it, and the graph at that step.

    Attributes:
        slider: the `ipywidgets.IntSlider`; step 0 shows the inputs alone.
        operations: the Nodes to compute, in topological order; of a composed function, which is
            one box and so one step, the output.
    """

    def __init__(self, output: Node) -> None:
        self.output = output
        graph = contracted(topological_order(output), [output])
        self.operations = [node for node in graph.order if node.op]
        self.slider = widgets.IntSlider(
            min=0,
            max=len(self.operations),
            description="Step",
            layout=widgets.Layout(width="360px"),
        )
        self.back = widgets.Button(
            description="Back", icon="step-backward", tooltip="One step back"
        )
        self.next = widgets.Button(description="Next", icon="step-forward", tooltip="One step on")
        self.back.on_click(lambda _: self._move(-1))
        self.next.on_click(lambda _: self._move(+1))
        self.slider.observe(self._update, "value")
        super().__init__([widgets.HBox([self.back, self.next, self.slider])])
        self._update()

    def _move(self, by: int) -> None:
        self.slider.value += by  # the slider itself keeps within its ends

    def _update(self, _: Any = None) -> None:
        step = self.slider.value
        self.back.disabled = step == 0
        self.next.disabled = step == len(self.operations)
        computed, waiting = self.operations[:step], self.operations[step:]
        drawing = draw(self.output, gradients=False, hide_values=waiting, highlight=computed[-1:])
        if computed:
            said = drawing.computations or ["an operation in the stacked box that is highlighted"]
            sentence = f"Step {step} of {len(self.operations)}: {said[0]}"
        else:
            sentence = "The inputs are initialised. Nothing has been computed yet."
        self.show(drawing, sentence)


def forward_stepper(output: Node) -> ForwardStepper:
    """Show a forward pass to step through with buttons, the mouse or the arrow keys."""
    return ForwardStepper(output)
