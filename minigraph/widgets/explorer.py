"""The explorer: sliders on the inputs of a function, and its graph, gradients and tangent live."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from typing import Any

import anywidget
import traitlets

from ..core.node import Node
from ..drawing import Drawing, draw
from ..drawing.beside import beside
from ..drawing.diagram import SCALAR_ROOM
from ..drawing.drawing import Image
from ..drawing.text import width
from ..errors import MinigraphError
from ..reading.formula import derivative_name
from ..reading.text import factor, number
from . import explore_plot as plot
from .explore_function import Curve, inputs_of, is_number, run, value
from .explore_view import Scene
from .lifetime import Released
from .page import module, style

AT_ONCE, WHEN_IDLE, ON_PAPER = 0.002, 0.03, 1.0  # seconds for a curve that takes its time
PLOT_ON_PAPER = 0.75  # of its size, so that it fits a laptop below its graph
_LINE = 24.0  # pixels that a sentence takes below them


class Explorer(Released, anywidget.AnyWidget):
    """A function of scalar Nodes under sliders.

    Attributes:
        values: where the inputs stand. Assign a dict of some of them to move these.
        chosen: the input that is nudged.
        delta: the size of the nudge, δ.
        actual, predicted: the two changes of the output: as it is, and gradient times δ.
        problem: why there is nothing to show at these values; "" if there is.
        inputs, view, axes, shown: what the browser shows.
        asked: what the browser asks for.
    """

    _esm = module("explore")
    _css = style("explore")
    inputs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    axes = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict()
    chosen = traitlets.Unicode()
    delta = traitlets.Float()

    def __init__(self, f: Callable[..., Node], /, **ranges: tuple[float, ...]) -> None:
        """Move the inputs of a function, and see its graph, its gradients and its tangent follow.

        Each input gets a slider and a field for a number. One of them is nudged by δ: the plot and
        the sentence compare what the output does with what the gradient predicts, ∂y/∂x · δ.

        Args:
            f: takes Nodes by the names of the ranges and returns a scalar Node. It may branch in
                Python; where its graph changes, so does the drawing.
            ranges: for each input (low, high), or (low, high, start). The first is nudged first.

        Raises:
            MinigraphError: if f does not take these inputs, or a range is none.
            NodeTypeError: if f returns something else.
        """
        self.f = f
        self._inputs = inputs_of(f, ranges)
        self._is_ready = False
        self.problem, self.actual, self.predicted = "", math.nan, math.nan
        self._stopped = ""  # the error with which f stops at the nudged place
        self._curve_of: Any = None
        self._serial = ""
        first = self._inputs[next(iter(ranges))]
        values = {name: x.start for name, x in self._inputs.items()}
        self._run = run(f, values)
        self._scene = Scene(self._run)
        super().__init__(
            inputs=[asdict(x) for x in self._inputs.values()],
            view=self._scene.view(list(self._inputs)),
            values=values,
            chosen=first.name,
            delta=first.reach / 2,
        )
        self._is_ready = True
        self._show()

    @property
    def output(self) -> Node:
        """What f has returned, with its graph and its gradients; where f stops, the last of it."""
        return self._run.output

    # --- moves ------------------------------------------------------------------------------------

    @traitlets.validate("values")
    def _valid_values(self, proposal: Any) -> dict[str, float]:
        moved = {self._known(name): x for name, x in dict(proposal["value"]).items()}
        for name, x in moved.items():
            low, high = self._inputs[name].low, self._inputs[name].high
            if not is_number(x) or not low <= x <= high:
                raise MinigraphError(f"{name} goes from {low:g} to {high:g}, not to {x!r:.40}")
        return self.values | {name: float(x) for name, x in moved.items()}

    @traitlets.validate("chosen")
    def _valid_chosen(self, proposal: Any) -> str:
        return self._known(proposal["value"])

    @traitlets.validate("delta")
    def _valid_delta(self, proposal: Any) -> float:
        if not math.isfinite(proposal["value"]):
            raise MinigraphError(f"the nudge is a finite number, not {proposal['value']}")
        return float(proposal["value"])

    def _known(self, name: str) -> str:
        if name not in self._inputs:
            raise MinigraphError(f"there is no input {name!r:.60}, only {', '.join(self._inputs)}")
        return name

    @traitlets.observe("values", "chosen", "delta")
    def _moved(self, change: Any) -> None:
        if self._is_ready:
            self._update()

    @traitlets.observe("asked")
    def _told(self, change: Any) -> None:
        """Do what the browser asks for, and answer, whatever comes of it."""
        asked = change["new"]
        self._is_ready = False
        try:
            for name in ("values", "chosen", "delta"):
                if name in asked:
                    setattr(self, name, asked[name])
        finally:
            self._is_ready = True
        self._serial = asked.get("serial", "")
        self._update(WHEN_IDLE if asked.get("more") else AT_ONCE)

    def _update(self, seconds: float = AT_ONCE) -> None:
        """Compute anew, and send what has changed."""
        try:
            self._run = run(self.f, self.values)
        except Exception as error:  # f is the user's, and may stop anywhere
            what = f"{type(error).__name__}: {error}".removesuffix(": ")
            self.problem = f"At these values the function stops with {what:.300}"
            self.shown = self._here()
        else:
            self.problem = ""
            self._show(seconds)

    def _show(self, seconds: float = AT_ONCE) -> None:
        """Send what the last run has given; a drawing only if the graph is another one."""
        with self.hold_sync():
            if not self._scene.fits(self._run):
                self._scene = Scene(self._run)
                self.view = self._scene.view(list(self._inputs))
            self._compare()
            self._plot(seconds)
            slopes = self._run.slopes.items()
            self.shown = self._here() | {
                "texts": self._scene.texts(self._run),
                "marks": self._marks(),
                "slopes": {name: f"{self._derivative(name)} = {number(x)}" for name, x in slopes},
                "complete": self._curve.is_complete,
            }

    def _here(self) -> dict[str, Any]:
        """Where the controls stand, and what there is to say."""
        return {
            "serial": self._serial,
            "values": self.values,
            "chosen": self.chosen,
            "delta": self.delta,
            "lines": self.lines,
        }

    # --- the nudge --------------------------------------------------------------------------------

    def _compare(self) -> None:
        """Nudge the chosen input: what does the output do, and what did the gradient foretell?"""
        x, y = self.values[self.chosen], self._run.value
        self.predicted = self._run.slopes[self.chosen] * self.delta
        self._stopped = ""
        try:
            self.actual = value(self.f, self.values | {self.chosen: x + self.delta}) - y
        except Exception as error:
            self.actual, self._stopped = math.nan, type(error).__name__

    def _derivative(self, name: str) -> str:
        return derivative_name(self._run.of, name)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What the nudge does, in words: its way, the two changes, and their difference."""
        if self.problem:
            return [("problem", self.problem)]
        x, y, of, name = self.values[self.chosen], self._run.value, self._run.of, self.chosen
        way = f"{name} goes from {number(x)} to {number(x + self.delta)}, and {of}"
        slope = self._run.slopes[name]
        predicted = (
            f"predicted change: {self._derivative(name)} · δ = "
            f"{factor(number(slope))} · {factor(number(self.delta))} = {number(self.predicted)}"
        )
        if self._stopped:
            way += f" has no value there: the function stops with {self._stopped}."
            return [("way", way), ("predicted", predicted)]
        difference = self.actual - self.predicted
        if abs(difference) < 1e-12 * max(abs(y), abs(self.actual)):
            difference = 0.0  # rounding alone, which is not what this is about
        return [
            ("way", f"{way} from {number(y)} to {number(y + self.actual)}."),
            ("actual", f"actual change: {number(self.actual)}"),
            ("predicted", predicted),
            ("difference", f"difference: {number(difference)}"),
        ]

    @property
    def sentences(self) -> list[str]:
        """The same without saying which line is which."""
        return [text for _, text in self.lines]

    # --- the plot ---------------------------------------------------------------------------------

    def _plot(self, seconds: float) -> None:
        """Bring the curve and the axes up to date; often they stay as they are."""
        others = {name: x for name, x in self.values.items() if name != self.chosen}
        if self._curve_of != (self.chosen, others):
            self._curve = Curve(self.f, self.values, self._inputs[self.chosen])
            self._curve_of = self.chosen, others
        self._curve.extend(seconds)
        y = self._run.value
        self._frame = plot.frame(self._curve, (y, y + self.actual, y + self.predicted))
        names = [f"{self._derivative(name)} = " for name in self._inputs]
        self.axes = {
            "elements": plot.axes(self._frame, self._curve, self.chosen, self._run.of),
            "alt": self._alt,
            "size": [plot.WIDTH, plot.HEIGHT],
            "room": round(max(width(name, 14) for name in names) + SCALAR_ROOM),
        }

    def _marks(self) -> list[Any]:
        x, y, slope = self.values[self.chosen], self._run.value, self._run.slopes[self.chosen]
        return plot.marks(self._frame, x, y, slope, self.delta, y + self.actual)

    @property
    def _alt(self) -> str:
        return f"{self._run.of} against {self.chosen}, with the tangent."

    # --- the face without a kernel ----------------------------------------------------------------

    @property
    def drawing(self) -> Drawing:
        """The graph as it is now."""
        return draw(self._run.output, gradients=bool(self._run.gradients))

    @property
    def html(self) -> str:
        """Pictures of the graph and the plot, and the sentence, for a page without kernel."""
        pictures = [self.drawing.image]
        if not self.problem:
            self._plot(ON_PAPER)
            image = Image(
                plot.to_svg([*self.axes["elements"], *self._marks()], self._alt),
                f"{self._alt} {'; '.join(self.sentences)}",
                plot.WIDTH * PLOT_ON_PAPER,
                plot.HEIGHT * PLOT_ON_PAPER,
            )
            pictures.append(image)
        lines = "".join(f"<div>{escape(line)}</div>" for line in self.sentences)
        return (
            f"{beside(pictures, taken=_LINE * (len(self.sentences) + 1))}{lines}"
            "<p>Run this cell to move the sliders.</p>"
        )

    def __repr__(self) -> str:
        return "\n".join([repr(self.drawing), "", *self.sentences])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/html": self.html, "text/plain": repr(self)}, metadata


explore = Explorer
