"""The loss as a landscape over two numbers, and the paths that optimizers take on it.

The two numbers are weights, or steps along two directions from the weights of a trained network.
The optimizers are those of `nn`, with the gradients that the engine computes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from ..core.node import Node, constant, variable
from ..core.table import matrix_transpose, tanh
from ..data import moons
from ..drawing import theme
from ..drawing.plot import Plot
from ..errors import MinigraphError
from ..graph.functions import cross_entropy
from ..graph.graph import Graph
from ..graph.reductions import mean
from ..graph.symbolic import placeholder
from ..nn import SGD, Adam, Linear, Optimizer, Sequential, Tanh
from ..reading.text import number
from .base import GraphWidget
from .page import module

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOST_STEPS = 100
_GRID = 41  # losses along each side
_LEVELS = 12

RULES: dict[str, Callable[[list[Node], float], Optimizer]] = {
    "SGD": lambda weights, rate: SGD(weights, learning_rate=rate),
    "momentum": lambda weights, rate: SGD(weights, learning_rate=rate, momentum=0.9),
    "Adam": lambda weights, rate: Adam(weights, learning_rate=rate),
}
ALL = "all three"


@dataclass(frozen=True)
class Surface:
    """A loss of two numbers.

    Attributes:
        loss: from the two to the loss.
        start: where descent begins.
        reach: how far the picture goes to both sides of the middle, for each of the two.
        names: what the two are.
        rate: to begin with.
    """

    loss: Callable[[Any, Any], Any]
    start: tuple[float, float]
    reach: tuple[float, float]
    names: tuple[str, str]
    rate: float


@cache
def surfaces() -> dict[str, Surface]:
    """The landscapes there are, by what they are of."""
    return {
        "a valley": Surface(
            lambda a, b: 0.5 * (a * a + 25 * b * b),
            (-9.0, 1.5),
            (10.0, 2.0),
            ("weight along", "weight across"),
            0.03,
        ),
        "two weights": Surface(
            _neuron, (-3.0, 2.0), (4.0, 2.5), ("weight of the input", "weight of the output"), 0.1
        ),
        "a network of 42": Surface(
            _directions(), (-0.9, 0.9), (1.2, 1.2), ("direction 1", "direction 2"), 0.03
        ),
    }


def _neuron(a: Any, b: Any) -> Any:
    """The mean squared miss of b · tanh(a · x), which should say tanh(2 x)."""
    x = np.linspace(-2.0, 2.0, 21)
    return mean((b * tanh(a * constant(x)) - constant(np.tanh(2 * x))) ** 2)


def _directions() -> Callable[[Any, Any], Any]:
    """The loss of a trained network along two random directions, each as long as its weights.

    Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018.
    """
    rng = np.random.default_rng(0)
    x, y = (np.asarray(part) for part in _points())
    model = Sequential(Linear(2, 8, rng=rng), Tanh(), Linear(8, 2, rng=rng))
    optimizer = Adam(model.parameters(), learning_rate=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
    trained = [np.array(p.value) for p in model.parameters()]
    along = []
    for _ in range(2):
        drawn = [rng.normal(size=w.shape) for w in trained]
        along.append([d * np.linalg.norm(w) / np.linalg.norm(d) for d, w in zip(drawn, trained)])

    def loss(a: Any, b: Any) -> Any:
        w1, b1, w2, b2 = (constant(w) + a * c + b * d for w, c, d in zip(trained, *along))
        out = tanh(constant(x) @ matrix_transpose(w1) + b1) @ matrix_transpose(w2) + b2
        return cross_entropy(out, y)

    return loss


def _points() -> tuple[np.ndarray, np.ndarray]:
    part = moons(np.random.default_rng(0), points=160).train
    return part.x, part.y


@cache
def grid(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two numbers along the sides of a landscape, and the loss at each pair of them."""
    surface = surfaces()[name]
    plan = Graph(surface.loss(placeholder("a"), placeholder("b"))).compile()
    a, b = (np.linspace(-reach, reach, _GRID) for reach in surface.reach)
    return a, b, np.array([[float(plan(a=x, b=y)) for x in a] for y in b])


@cache
def path(name: str, rule: str, rate: float) -> np.ndarray:
    """Where an optimizer comes by, with the loss there: a row (a, b, loss) for each step."""
    surface = surfaces()[name]
    at = [variable(value) for value in surface.start]
    optimizer = RULES[rule](at, rate)
    rows = []
    with np.errstate(all="ignore"):
        for _ in range(MOST_STEPS + 1):
            loss = surface.loss(*at)
            rows.append([*(float(weight.value) for weight in at), float(loss.value)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return np.array(rows)


class Pointer(anywidget.AnyWidget):
    """Tells where in the plot of its box one clicks, as shares of the axes."""

    _esm = module("pointer")
    axes = traitlets.List([0.0, 0.0, 1.0, 1.0]).tag(sync=True)
    at: traitlets.List[float] = traitlets.List().tag(sync=True)
    is_on = traitlets.Bool(False).tag(sync=True)


class LossLandscape(GraphWidget):
    """A landscape, and the paths of three optimizers at one rate, or of one at three rates.

    Where it goes can be guessed: then the path of one optimizer stays hidden until it is asked for.

    Attributes:
        surface: the `ipywidgets.ToggleButtons` that chooses the landscape.
        rule: the `ipywidgets.ToggleButtons` that chooses the optimizer, or all three.
        rate: the `ipywidgets.SelectionSlider` that chooses the learning rate.
        steps: the `ipywidgets.IntSlider` that chooses how many steps are shown.
        guessing: the `ipywidgets.ToggleButton` that hides the path until there is a guess.
        guess: two `ipywidgets.FloatText`, for where the path ends; a click into the plot sets them.
        reveal: the `ipywidgets.Button` that shows the path, and how far off the guess is.
        distance: how far off it is; None before.
    """

    def __init__(self, surface: str = "a valley") -> None:
        """Show the paths on a landscape.

        Args:
            surface: "a valley", "two weights" or "a network of 42".

        Raises:
            MinigraphError: if there is no such landscape.
        """
        known = [*surfaces()]
        if surface not in known:
            raise MinigraphError(f"a landscape is one of {', '.join(known)}, not {surface!r:.40}")
        wide = widgets.Layout(width="100%", max_width="560px")
        self.surface = widgets.ToggleButtons(options=known, value=surface, description="Loss of")
        self.rule = widgets.ToggleButtons(options=[ALL, *RULES], description="Optimizer")
        self.rate = widgets.SelectionSlider(
            options=[(f"{rate:g}", rate) for rate in RATES],
            value=surfaces()[surface].rate,
            description="Rate",
            layout=wide,
        )
        self.steps = widgets.IntSlider(
            value=20, min=0, max=MOST_STEPS, description="Steps", layout=wide
        )
        self.guessing = widgets.ToggleButton(description="Guess where it goes")
        narrow = widgets.Layout(width="160px")
        self.guess = tuple(
            widgets.FloatText(description=axis, step=0.1, layout=narrow, disabled=True)
            for axis in ("horizontal", "vertical")
        )
        self.reveal = widgets.Button(description="Show the way", disabled=True)
        self.pointer = Pointer()
        self.distance: float | None = None
        for control in (self.rule, self.rate, self.steps, *self.guess):
            self.watch(control, "value", self._draw)
        self.watch(self.surface, "value", self._other)
        self.watch(self.guessing, "value", self._ask)
        self.watch(self.pointer, "at", self._pointed)
        self.reveal.on_click(lambda _: self._draw(is_told=True))
        guessed = widgets.HBox(
            [self.guessing, *self.guess, self.reveal, self.pointer],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        super().__init__(
            "Loss landscape",
            [self.surface, self.rule, self.rate, self.steps, guessed],
            height=280,
        )
        self._draw()

    @property
    def paths(self) -> dict[str, np.ndarray]:
        """The paths that are shown, by what they are called, as far as they are shown."""
        name, rule, rate = self.surface.value, self.rule.value, self.rate.value
        if rule == ALL:
            paths = {each: path(name, each, rate) for each in RULES}
        else:
            place = RATES.index(rate)
            near = RATES[max(0, place - 1) : place + 2]
            paths = {f"rate {each:g}": path(name, rule, each) for each in near}
        return {each: rows[: self.steps.value + 1] for each, rows in paths.items()}

    def _other(self, _: Any) -> None:
        """Begin on another landscape with a rate that suits it."""
        self.rate.value = surfaces()[self.surface.value].rate
        self._draw()

    def _ask(self, _: Any) -> None:
        """Begin or end guessing; one path is guessed, so one optimizer is chosen."""
        is_on = self.guessing.value
        for control in (*self.guess, self.reveal):
            control.disabled = not is_on
        self.pointer.is_on = is_on
        if is_on and self.rule.value == ALL:
            self.rule.value = "momentum"  # which draws
        else:
            self._draw()

    def _pointed(self, _: Any) -> None:
        """Guess the place that was clicked."""
        reach = surfaces()[self.surface.value].reach
        for field, share, half in zip(self.guess, self.pointer.at, reach):
            field.value = round((2 * share - 1) * half, 2)

    def _guessed(self, is_told: bool) -> tuple[dict[str, np.ndarray], str]:
        """The path that is guessed, as far as it is told, and what is said of it."""
        rule, rate, steps = self.rule.value, self.rate.value, self.steps.value
        rows = path(self.surface.value, rule, rate)[: steps + 1]
        place = np.array([field.value for field in self.guess])
        who = f"{rule} with the rate {rate:g}"
        if not is_told:
            return {}, (
                f"Where is {who} after {steps} step{'s' * (steps != 1)}? Click into the picture, "
                "or type the two numbers; then show the way."
            )
        self.distance = float(np.hypot(*(rows[-1, :2] - place)))
        at = ", ".join(f"{x:.3g}" for x in rows[-1, :2])
        return {who: rows}, (
            f"After {steps} step{'s' * (steps != 1)} {who} is at ({at}): "
            f"{_said(rows[-1], surfaces()[self.surface.value])}. Your guess is "
            f"{number(float(f'{self.distance:.3g}'))} away from there."
        )

    def _draw(self, _: Any = None, is_told: bool = False) -> None:
        surface = surfaces()[self.surface.value]
        a, b, losses = grid(self.surface.value)
        self.distance = None
        if self.guessing.value and self.rule.value == ALL:
            self.guessing.value = False  # which draws
            return
        paths = self.paths
        told = [f"{name}: {_said(rows[-1], surface)}" for name, rows in paths.items()]
        steps = self.steps.value
        with_rate = f" with the rate {self.rate.value:g}" if self.rule.value == ALL else ""
        least = number(float(f"{losses.min():.3g}"))
        sentence = (
            f"After {steps} step{'s' * (steps != 1)}{with_rate}, {'; '.join(told)}. "
            f"The lowest loss in the picture is {least}."
        )
        if self.guessing.value:
            paths, sentence = self._guessed(is_told)
        plot = Plot(f"Lines of equal loss, and paths over them. {sentence}", 640, 340)
        levels = np.geomspace(max(losses.min(), losses.max() * 1e-3), losses.max(), _LEVELS)
        plot.axes.contour(
            a, b, losses, levels=levels, colors=[theme.LIGHT.edge], linewidths=0.9, zorder=1
        )
        for (name, rows), style in zip(paths.items(), ("o-", "s-", "^-")):
            plot.axes.plot(
                *_within(rows, surface), style, label=name, linewidth=1.6, markersize=3.5
            )
        plot.axes.plot(*surface.start, "o", color=theme.LIGHT.ink, markersize=8, label="start")
        if self.guessing.value:
            place = [field.value for field in self.guess]
            plot.axes.plot(*place, "X", color=theme.LIGHT.gradient, markersize=11, label="guess")
        plot.axes.set(
            xlim=(a[0], a[-1]),
            ylim=(b[0], b[-1]),
            xlabel=surface.names[0],
            ylabel=surface.names[1],
        )
        plot.axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        self.show(plot, sentence)
        box = plot.axes.get_position()
        self.pointer.axes = [box.x0, 1 - box.y1, box.width, box.height]


def _said(row: np.ndarray, surface: Surface) -> str:
    """What became of a path."""
    a, b, loss = row
    if not abs(a) <= surface.reach[0] or not abs(b) <= surface.reach[1]:
        return "out of the picture"
    return f"loss {number(float(f'{loss:.3g}'))}"


def _within(rows: np.ndarray, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """A path without what is so far away that nobody can draw it."""
    far = 10 * max(surface.reach)
    near = np.cumprod(np.abs(rows[:, :2]).max(axis=1) < far).astype(bool)
    return rows[near, 0], rows[near, 1]


loss_landscape = LossLandscape
