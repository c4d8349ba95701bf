"""A small network that learns, as a film: its curve, how far off it is, and its knobs as they turn.

The engine trains it, by its gradients alone: a layer of `tanh` with four units, and 13 numbers to
turn. What is recorded needs no kernel to be shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..core.node import Node, constant, variable
from ..core.table import tanh
from ..drawing import theme
from ..drawing.drawing import as_image
from ..errors import MinigraphError
from ..graph.context import scope
from ..graph.functions import mean
from ..reading.text import number
from .lifetime import Released
from .page import module, style

STEPS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 22, 26, 30, 36, 42, 50, 60, 70, 85, 100, 120, 150)
_UNITS, _POINTS, _SEED = 4, 25, 0
_RATE, _MOMENTUM = 0.1, 0.9
_REACH = 3.0  # of the inputs, to both sides
_WIDTH, _HEIGHT = 760, 330
_PLOT, _FALL = (46, 34, 390, 262), (506, 34, 236, 122)  # left, top, width, height
_KNOBS, _RADIUS = (518, 208), 13
_HIGHEST = 2.0  # of the curve's plot


@dataclass(frozen=True)
class Moment:
    """What is recorded at one step: the numbers that are turned, and how far off the network is."""

    step: int
    knobs: tuple[float, ...]
    loss: float
    curve: tuple[float, ...]


def network(x: np.ndarray, knobs: dict[str, Node]) -> Node:
    """A network of two layers, from a column of inputs to a column of outputs."""
    with scope("layer 1"):
        hidden = tanh(constant(x, name="x") @ knobs["W1"] + knobs["b1"])
    with scope("layer 2"):
        return hidden @ knobs["W2"] + knobs["b2"]


def trained() -> tuple[list[Moment], np.ndarray, np.ndarray, Node]:
    """Train the network: the moments of STEPS, the points to meet, and the last loss."""
    rng = np.random.default_rng(_SEED)
    x = np.linspace(-_REACH, _REACH, _POINTS)[:, None]
    points = np.sin(1.3 * x) + 0.25 * x + rng.normal(0, 0.08, x.shape)
    knobs = {
        "W1": rng.normal(0, 1, (1, _UNITS)),
        "b1": rng.normal(0, 1, _UNITS),
        "W2": rng.normal(0, 0.5, (_UNITS, 1)),
        "b2": np.zeros(1),
    }
    speed = {name: np.zeros_like(value) for name, value in knobs.items()}
    moments = []
    for step in range(STEPS[-1] + 1):
        nodes = {name: variable(value, name=name) for name, value in knobs.items()}
        curve = network(x, nodes)
        loss = mean((curve - constant(points, name="points")) ** 2).named("loss")
        loss.backward()
        if step in STEPS:
            turned = np.concatenate([value.ravel() for value in knobs.values()])
            values = (turned, loss.value, curve.value.ravel())
            moments.append(Moment(step, *(_plain(value) for value in values)))
        for name, node in nodes.items():
            speed[name] = _MOMENTUM * speed[name] - _RATE * node.grad
            knobs[name] = knobs[name] + speed[name]
    return moments, x.ravel(), points.ravel(), loss


def _plain(value: Any) -> Any:
    return tuple(value.tolist()) if np.ndim(value) else float(value)


class Learning(Released, anywidget.AnyWidget):
    """A film of a network that learns.

    Attributes:
        loss: the Node at the end of the trained network's graph.
        moments: what was recorded.
        position: the moment that is shown.
        film: what the page shows.
    """

    _esm = module("learning")
    _css = style("learning")
    film = traitlets.Dict().tag(sync=True)
    position = traitlets.Int().tag(sync=True)

    def __init__(self) -> None:
        """Train the network, and show it before its first step."""
        self.moments, self._x, self._points, self.loss = trained()
        frames = [{"svg": self._frame(m), "say": self._said(m)} for m in self.moments]
        super().__init__(film={"ground": self._ground(), "alt": _ALT, "frames": frames})

    def _said(self, moment: Moment) -> str:
        many = f"{moment.step} step{'s' * (moment.step > 1)}"
        when = f"After {many}" if moment.step else "Before the first step"
        return f"{when} the loss, the mean of the squared misses, is {number(moment.loss)}."

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self.moments):
            last = len(self.moments) - 1
            raise MinigraphError(f"the moments are 0 to {last}, not {proposal['value']}")
        return int(proposal["value"])

    # --- the picture ------------------------------------------------------------------------------

    def _ground(self) -> str:
        """What stays: axes, points, names, and the dials of the knobs."""
        left, top, wide, high = _PLOT
        plots = [
            f'<path d="M{x} {y}v{h}h{w}" stroke-width="1.2"{theme.paint("auto", "none", "edge")}/>'
            for x, y, w, h in (_PLOT, _FALL)
        ]
        points = [
            f'<circle cx="{_across(x)}" cy="{_up(y)}" r="3.6"{theme.paint("auto", "soft")}/>'
            for x, y in zip(self._x, self._points)
        ]
        texts = [
            _text(left, top - 14, "the points, and what the network says"),
            _text(_FALL[0], _FALL[1] - 14, "loss: how far off it is"),
            _text(_KNOBS[0] - _RADIUS, _KNOBS[1] - 26, f"its {len(self.moments[0].knobs)} knobs"),
            _text(left + wide / 2, top + high + 20, "input x", "middle"),
            _text(_FALL[0] + _FALL[2], _FALL[1] + _FALL[3] + 16, "step", "end"),
        ]
        dials = [
            f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" stroke-width="1.2"'
            f"{theme.paint('auto', 'card', 'edge')}/>"
            for x, y in map(_knob, range(len(self.moments[0].knobs)))
        ]
        return "".join([*plots, *points, *texts, *dials])

    def _frame(self, moment: Moment) -> str:
        """What moves: the curve, the loss so far, and the hands of the knobs."""
        curve = _path((_across(x), _up(y)) for x, y in zip(self._x, moment.curve))
        so_far = [m for m in self.moments if m.step <= moment.step]
        falls = [(_along(m.step), self._loss_at(m.loss)) for m in so_far]
        x, y = falls[-1]
        hands = []
        for place, turned in enumerate(moment.knobs):
            across, down = _knob(place)
            angle = turned * math.pi / 4  # a turn of the hand is a change by 8
            tip = f"{across + 11 * math.sin(angle):.1f} {down - 11 * math.cos(angle):.1f}"
            hands.append(f"M{across} {down}L{tip}")
        line = theme.paint("auto", "none", "value")
        hand = theme.paint("auto", "none", "gradient")
        return (
            f'<path d="{curve}" stroke-width="3" stroke-linejoin="round"{line}/>'
            f'<path d="{_path(falls)}" stroke-width="2"{line}/>'
            f'<circle cx="{x}" cy="{y}" r="4.5"{theme.paint("auto", "value")}/>'
            f'<path d="{"".join(hands)}" stroke-width="2.6" stroke-linecap="round"{hand}/>'
        )

    def _loss_at(self, loss: float) -> float:
        _, top, _, high = _FALL
        return round(top + high * (1 - loss / max(m.loss for m in self.moments)), 1)

    # --- the face without a page that runs it -----------------------------------------------------

    @property
    def html(self) -> str:
        """The last moment, with the curve of the first one, as a picture."""
        first, last = self.moments[0], self.moments[-1]
        curve = _path((_across(x), _up(y)) for x, y in zip(self._x, first.curve))
        before = theme.paint("auto", "none", "soft")
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"'
            f' viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-family="{theme.FONTS}">'
            f"<title>{escape(_ALT)}</title>{theme.dark_style('auto')}"
            f'<rect width="100%" height="100%" rx="10"{theme.paint("auto", "ground")}/>'
            f'{self._ground()}<path d="{curve}" stroke-width="2" stroke-dasharray="5 4"{before}/>'
            f"{self._frame(last)}</svg>"
        )
        image = as_image(svg, f"{_ALT} {self}", _WIDTH, _HEIGHT)
        return f"{image}<p>{escape(str(self))} Run this cell to see the steps between.</p>"

    def __repr__(self) -> str:
        return f"{self._said(self.moments[0])} {self._said(self.moments[-1])}"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/html": self.html, "text/plain": repr(self)}, metadata


_ALT = "A network learns: its curve bends towards 25 points, its loss falls, its knobs turn."


def _across(x: float) -> float:
    left, _, wide, _ = _PLOT
    return round(left + 12 + (x + _REACH) / (2 * _REACH) * (wide - 24), 1)


def _up(y: float) -> float:
    _, top, _, high = _PLOT
    return round(top + high * (0.5 - y / 2 / _HIGHEST), 1)


def _along(step: int) -> float:
    return round(_FALL[0] + step / STEPS[-1] * _FALL[2], 1)


def _knob(place: int) -> tuple[int, int]:
    """The middle of a dial: seven in a row."""
    x, y = _KNOBS
    return x + place % 7 * 35, y + 8 + place // 7 * 38


def _path(points: Any) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    paint = theme.paint("auto", "soft")
    return f'<text x="{x}" y="{y}" font-size="13" text-anchor="{anchor}"{paint}>{text}</text>'


watch_learning = Learning
