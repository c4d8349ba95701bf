"""The plot of an exploration: the output against one input, as elements that a page draws.

An element is [tag, attributes, content], its content a text or a list of elements. All places are
worked out here, so that the picture in a page and the one on paper are the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from ..drawing import theme
from ..drawing.text import elided, width
from ..reading.text import number
from .explore_function import Curve, round_below

WIDTH, HEIGHT = 400, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 44, 42  # margins
_TICKS = 6  # at most, on either axis
_SIZE = theme.LABEL_SIZE
DASHED, DOTTED = "6 4", "2 3"

Element = list[Any]


@dataclass(frozen=True)
class Frame:
    """What part of the plane is shown, from the lower left to the upper right."""

    left: float
    bottom: float
    right: float
    top: float

    def x(self, x: float) -> float:
        """The pixel of an input."""
        part = (x - self.left) / (self.right - self.left)
        return round(_LEFT + part * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, y: float) -> float:
        """The pixel of an output; far outside it stays just outside."""
        part = min(max((y - self.bottom) / (self.top - self.bottom), -9.0), 10.0)
        return round(HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM), 1)


def frame(curve: Curve, points: Iterable[float]) -> Frame:
    """Choose what to show: the whole curve, and these outputs unless they are far away."""
    ys = curve.ys[curve.inside & np.isfinite(curve.ys)]
    low, high = _limits(ys)
    span = high - low
    for y in points:
        if low - span <= y <= high + span:
            low, high = min(low, y), max(high, y)
    step = _tick_step(low, high)
    bottom, top = math.floor(low / step + 0.05) * step, math.ceil(high / step - 0.05) * step
    air = 0.04 * (top - bottom)
    return Frame(float(curve.xs[0]), bottom - air, float(curve.xs[-1]), top + air)


def _limits(ys: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest output; near a pole, those that most of the curve lies between."""
    ys = np.clip(ys, -1e300, 1e300)
    if not ys.size:
        return -1.0, 1.0
    low, high = float(ys.min()), float(ys.max())
    near, far = np.percentile(ys, [5, 95])
    if high - low > 8 * (far - near) > 0:
        low, high = max(low, near - (far - near)), min(high, far + (far - near))
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    air = abs(low) / 2 or 1.0
    return low - air, high + air


def _tick_step(low: float, high: float) -> float:
    """The smallest round step that does not crowd an axis."""
    step = round_below((high - low) / _TICKS)
    while (high - low) / step > _TICKS:
        step = round_below(step * 2.5)
    return step


def _ticks(low: float, high: float) -> list[float]:
    step = _tick_step(low, high)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, math.floor(high / step + 1e-9) + 1)]


# --- elements -------------------------------------------------------------------------------------


def axes(shown: Frame, curve: Curve, name: str, of: str) -> list[Element]:
    """The grid, the numbers, the names, a legend, and the curve."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    made = []
    for tick in _ticks(shown.left, shown.right):
        x = shown.x(tick)
        made.append(_line(f"M{x} {_TOP}V{bottom}", "line", 1))
        made.append(_text(x, bottom + 16, number(tick), "middle"))
    for tick in _ticks(shown.bottom, shown.top):
        y, text = shown.y(tick), number(tick)
        size = round(_SIZE * min(1.0, (_LEFT - 12) / width(text, _SIZE)), 1)
        made.append(_line(f"M{_LEFT} {y}H{right}", "line", 1))
        made.append(_text(_LEFT - 7, theme.baseline(y, size), text, "end", size))
    made.append(_line(f"M{_LEFT} {_TOP}V{bottom}H{right}", "edge", 1.2))
    made.append(_name(right, HEIGHT - 8, name, 160))
    made.append(_name(_LEFT - 7, _TOP - 8, of, 44))
    return [*made, *_legend(), _inside([_line(_path(shown, curve), "value", 2.4)])]


def marks(
    shown: Frame, x: float, y: float, slope: float, delta: float, actual: float
) -> list[Element]:
    """The tangent at x, the point now, and the nudged point: as it is and as it was predicted.

    Args:
        y: the output at x.
        actual: the output at x + delta.
    """
    nudged, predicted = x + delta, y + slope * delta
    lines = []
    if math.isfinite(predicted):
        ends = (
            f"{shown.x(at)} {shown.y(y + slope * (at - x))}" for at in _ends(shown, x, y, slope)
        )
        lines.append(_line(f"M{'L'.join(ends)}", "gradient", 2, DASHED))
        corner = f"M{shown.x(x)} {shown.y(y)}H{shown.x(nudged)}"
        lines.append(_line(f"{corner}V{shown.y(predicted)}", "soft", 1.2, DOTTED))
        if math.isfinite(actual):
            gap = f"M{shown.x(nudged)} {shown.y(predicted)}V{shown.y(actual)}"
            lines.append(_line(gap, "soft", 1.2))
    points = (("predicted", nudged, predicted), ("actual", nudged, actual), ("now", x, y))
    return [
        _inside(lines),
        *(_point(kind, shown.x(at), shown.y(y)) for kind, at, y in points if math.isfinite(y)),
    ]


def _ends(shown: Frame, x: float, y: float, slope: float) -> list[float]:
    """Where a line through a point enters the frame and leaves it, or somewhat outside."""
    if not slope:
        return [shown.left, shown.right]
    air = shown.top - shown.bottom
    crossings = (x + (limit - y) / slope for limit in (shown.bottom - air, shown.top + air))
    return sorted(min(max(at, shown.left), shown.right) for at in crossings)


def _path(shown: Frame, curve: Curve) -> str:
    """The known points of the curve as an SVG path, with gaps where there is no value."""
    path, pen = [], "M"
    for x, y in zip(curve.xs[curve.known].tolist(), curve.ys[curve.known].tolist()):
        if math.isfinite(y):
            path.append(f"{pen}{shown.x(x)} {shown.y(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(path)


def _legend() -> list[Element]:
    made, x = [], float(_LEFT + 10)
    for kind in ("now", "actual", "predicted"):
        made.append(_mark(kind, x, 14))
        made.append(_text(x + 13, 18, kind, "start"))
        x = round(x + 35 + width(kind, _SIZE), 1)
    made.append(_line(f"M{x - 8} 14h22", "gradient", 2, DASHED))
    made.append(_text(x + 20, 18, "tangent", "start"))
    return made


def _point(kind: str, x: float, y: float) -> Element:
    """A point of the plot; at the border an arrowhead says that it lies beyond."""
    if _TOP - 4 <= y <= HEIGHT - _BOTTOM + 4:
        return _mark(kind, x, y)
    border, way = (_TOP - 4, 1) if y < _TOP else (HEIGHT - _BOTTOM + 4, -1)
    return _mark(kind, x, border, f"m0 {-7 * way}l7 {12 * way}h-14z")


_SHAPES = {
    "now": "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
    "actual": "m0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z",
    "predicted": "m-7 -7h14v14h-14z",
}


def _mark(kind: str, x: float, y: float, shape: str = "") -> Element:
    """The sign of a kind of point."""
    look = {
        "now": _colours("ink", "ground"),
        "actual": _colours("value", "ground"),
        "predicted": _colours("none", "gradient"),
    }[kind] | {"stroke-width": 2.4 if kind == "predicted" else 1.5, "data-mark": kind}
    return ["path", {"d": f"M{x} {y}{shape or _SHAPES[kind]}", **look}, ""]


def _inside(content: list[Element]) -> Element:
    """Elements of which only what lies within the frame is seen."""
    x, y, wide, high = _LEFT, _TOP - 4, WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM + 8
    box = {"x": x, "y": y, "width": wide, "height": high, "viewBox": f"{x} {y} {wide} {high}"}
    return ["svg", box, content]


def _line(path: str, role: str, thickness: float, dashes: str = "none") -> Element:
    look = {"stroke-width": thickness, "stroke-linejoin": "round", "stroke-dasharray": dashes}
    return ["path", {"d": path, **look, **_colours("none", role)}, ""]


def _text(x: float, y: float, text: str, anchor: str, size: float = _SIZE) -> Element:
    """What is said in passing: a number on an axis."""
    place = {"x": round(x, 1), "y": round(y, 1), "font-size": size, "text-anchor": anchor}
    return ["text", {**place, **_colours("soft")}, text]


def _name(x: float, y: float, text: str, room: float) -> Element:
    """The name of an axis, written as names are in the drawing."""
    look = {"font-style": "italic", **_colours("ink")}
    place = {"x": x, "y": y, "font-size": theme.NAME_SIZE, "text-anchor": "end"}
    return ["text", {**place, **look}, elided(text, room, theme.NAME_SIZE)]


def _colours(fill: str, stroke: str = "none") -> dict[str, str]:
    """A fill and a stroke by their roles; the classes let a page repaint them."""
    made = {}
    for paint, role in (("fill", fill), ("stroke", stroke)):
        made[paint] = "none" if role == "none" else getattr(theme.LIGHT, role)
    names = [f"mg-{p}-{role}" for p, role in (("f", fill), ("s", stroke)) if role != "none"]
    return made | {"class": " ".join(names)}


def to_svg(elements: list[Element], alt: str) -> str:
    """Write the plot as an image that stands by itself."""
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{theme.FONTS}">'
        f"<title>{escape(alt)}</title>{theme.dark_style('auto')}"
        f'<rect width="100%" height="100%" rx="10"{theme.paint("auto", "ground")}/>'
        f"{''.join(map(_written, elements))}</svg>"
    )


def _written(element: Element) -> str:
    tag, attributes, content = element
    named = "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items())
    inner = escape(content) if isinstance(content, str) else "".join(map(_written, content))
    return f"<{tag}{named}>{inner}</{tag}>"
