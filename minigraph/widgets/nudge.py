"""Nudge an input of a function: what does its output do, and what did the derivative foretell?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np

from ..drawing import Plot
from ..drawing.text import number
from ..drawing.theme import LIGHT
from ..graph.errors import NodeTypeError
from ..graph.node import Node, variable
from .base import GraphWidget

POINTS = 121  # of the curve; about one for every four pixels


class Nudge(GraphWidget):
    """A slider for each input, buttons to choose one of them, and a slider for the nudge δ.

    The plot shows the output against the chosen input, and the tangent where the input stands. The
    sentence gives the actual change, the predicted one (derivative times δ), and the difference.

    Attributes:
        inputs: name -> the `ipywidgets.FloatSlider` that holds its value.
        chosen: the `ipywidgets.ToggleButtons` with the name of the input to nudge.
        delta: the `ipywidgets.FloatSlider` with the size of the nudge.
        actual, predicted: the two changes of the output.
    """

    def __init__(self, f: Callable[..., Node], ranges: dict[str, tuple[float, ...]]) -> None:
        self.f = f
        self.inputs = {name: _slider(name, *limits) for name, limits in ranges.items()}
        self.chosen = widgets.ToggleButtons(
            options=list(ranges),
            description="Nudge",
            tooltips=[f"nudge {name}" for name in ranges],
            style={"button_width": "48px"},
        )
        self.delta = _slider("δ", -1.0, 1.0, 0.5)
        self.actual = self.predicted = 0.0
        self._plot = Plot("", 480, 280)
        controls = [*self.inputs.values(), self.chosen, self.delta]
        super().__init__(controls)
        self._update()
        for control in controls:
            control.observe(self._update, "value")

    def _output(self, **changed: float) -> tuple[Node, dict[str, Node]]:
        """The output and the inputs as Nodes, with the sliders' values but for what is changed."""
        values = {name: slider.value for name, slider in self.inputs.items()} | changed
        leaves = {name: variable(float(value), name=name) for name, value in values.items()}
        output = self.f(**leaves)
        if not isinstance(output, Node) or output.shape:
            raise NodeTypeError(f"the function must return a scalar Node, not {output!r:.80}")
        return output, leaves

    def _value(self, **changed: float) -> float:
        return float(self._output(**changed)[0].value)

    def _update(self, _: Any = None) -> None:
        name, delta = self.chosen.value, self.delta.value
        with np.errstate(all="ignore"):  # where the function has no value, the curve has a gap
            output, leaves = self._output()
            output.backward()
            x, y = self.inputs[name].value, float(output.value)
            gradient = leaves[name].grad
            slope = 0.0 if gradient is None else float(gradient)
            self.actual = self._value(**{name: x + delta}) - y
            self.predicted = slope * delta
            of = output.name or "y"
            self._plot.axes.set(xlabel=name, ylabel=of)
            self._draw(name, x, y, slope)
        self._plot.alt = (
            f"The curve of {of} against {name}, with its tangent at {name} = {number(x)}."
        )
        difference = self.actual - self.predicted
        if abs(difference) < 1e-12 * max(abs(y), abs(self.actual)):
            difference = 0.0  # rounding alone, which is not what this is about
        self.show(
            self._plot,
            f"{name} goes from {number(x)} to {number(x + delta)}, "
            f"and {of} from {number(y)} to {number(y + self.actual)}.\n"
            f"actual change: {number(self.actual)}\n"
            f"predicted change: ∂{of}/∂{name} · δ = {factor(slope)} · {factor(delta)}"
            f" = {number(self.predicted)}\n"
            f"difference: {number(difference)}",
        )

    def _draw(self, name: str, x: float, y: float, slope: float) -> None:
        """Put the curve, the tangent and the three points into the plot."""
        axes, nudged = self._plot.axes, x + self.delta.value
        is_first = not axes.lines
        for line in [*axes.lines]:
            line.remove()
        ends = self.inputs[name].min, self.inputs[name].max, nudged
        xs = np.linspace(min(ends), max(ends), POINTS)
        ys = np.array([self._value(**{name: at}) for at in xs.tolist()])
        axes.plot(xs, ys, color=LIGHT.value, label="curve")
        axes.set_xlim(xs[0], xs[-1])
        axes.set_ylim(*_room(ys))
        axes.plot(xs, y + slope * (xs - x), "--", color=LIGHT.gradient, label="tangent")
        axes.plot([x], [y], "o", color=LIGHT.ink, label="now")
        axes.plot([nudged], [y + self.actual], "D", color=LIGHT.value, ms=5, label="actual")
        predicted = {"color": LIGHT.gradient, "mfc": "none", "ms": 9, "label": "predicted"}
        axes.plot([nudged], [y + self.predicted], "s", **predicted)
        if is_first:
            axes.locator_params(nbins=6)
            self._plot.figure.legend(loc="outside upper center", ncols=5, frameon=False)
            self._plot.freeze()


def _slider(name: str, low: float, high: float, start: float | None = None) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value=(low + high) / 2 if start is None else start,
        min=low,
        max=high,
        step=0.05,
        description=name,
        layout=widgets.Layout(width="360px"),
    )


def factor(x: float) -> str:
    """A number in a product: a negative one in parentheses."""
    return number(x) if x >= 0 else f"({number(x)})"


def _room(ys: np.ndarray) -> tuple[float, float]:
    """The limits of an axis that shows a curve, with a little air above and below."""
    finite = ys[np.isfinite(ys)]
    if not finite.size:
        return -1.0, 1.0
    air = 0.08 * (finite.max() - finite.min()) or 1.0
    return float(finite.min() - air), float(finite.max() + air)


def nudge(f: Callable[..., Node], **ranges: tuple[float, ...]) -> Nudge:
    """Show what a nudge of an input does to the output of a function of scalar Nodes.

    Args:
        f: takes Nodes by the names of the ranges and returns a scalar Node.
        ranges: for each input (lowest, highest), or (lowest, highest, where to start).

    Raises:
        NodeTypeError: if f returns something else.
    """
    return Nudge(f, ranges)
