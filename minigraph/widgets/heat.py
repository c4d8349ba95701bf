"""Heat over a drawn graph: the larger a number of a node, the thicker the halo around its box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from math import isfinite, log10

from ..drawing import theme
from ..drawing.route import Picture, PlacedBox
from ..drawing.svg import rect, span, text_line
from ..drawing.text import width
from ..reading.measures import size_text

_DECADES = 4  # of numbers that are told apart by their heat
_MARK = 11.0  # the font size of a mark


def heat(sizes: Mapping[str, float]) -> dict[str, float]:
    """How hot each of some numbers is, from 0 to 1; one that is not finite has no heat."""
    most = max((size for size in sizes.values() if isfinite(size)), default=0.0) or 1.0
    return {
        id: max(0.0, 1 + (log10(size) - log10(most)) / _DECADES) if size > 0 else 0.0
        for id, size in sizes.items()
        if isfinite(size)
    }


def halos(picture: Picture, sizes: Mapping[str, float], what: str) -> str:
    """The halos of boxes by their sizes, for `what` they are: "value" or "gradient".

    A box with a number that is not finite has a broken line around it.
    """
    hot = heat(sizes)
    drawn = "".join(
        _halo(placed, hot.get(placed.box.id), what, sizes[placed.box.id])
        for placed in picture.boxes
        if placed.box.id in sizes
    )
    return f'<g data-heat="{what}" fill="none">{drawn}</g>'


def _halo(placed: PlacedBox, hot: float | None, what: str, size: float) -> str:
    radius = placed.height / 2 if placed.box.kind in ("variable", "placeholder") else 8
    x, y, wide, high = placed.x, placed.y, placed.width, placed.height
    line = (
        'stroke-width="6" stroke-dasharray="7 4"'
        if hot is None
        else f'stroke-width="{1.5 + 10 * hot:.1f}" stroke-opacity="{0.25 + 0.6 * hot:.2f}"'
    )
    said = f"{what} about {size_text(size)}"
    return (
        f"{rect(x, y, wide, high, radius)}{theme.paint('auto', 'none', what)} {line}>"
        f"<title>{escape(said)}</title></rect>"
    )


def marks(picture: Picture, said: Mapping[str, Iterable[str]]) -> str:
    """Short words at the corners of boxes."""
    drawn = []
    for placed in picture.boxes:
        x = placed.x + 6
        for word in said.get(placed.box.id, ()):
            wide = width(word, _MARK, bold=True) + 12
            drawn.append(
                f"{rect(x, placed.y - 13, wide, 17, 8.5)}"
                f'{theme.paint("auto", "highlight_ground", "highlight")} stroke-width="1.4"/>'
                + text_line(
                    x + wide / 2, placed.y - 4.5, _MARK, [span(word, "auto", "ink", "bold")]
                )
            )
            x += wide + 3
    return f'<g data-marks="" pointer-events="none">{"".join(drawn)}</g>'


def with_heat(svg: str, below: str, above: str = "") -> str:
    """The SVG of a drawing with something below its boxes, and something above them."""
    start, first, boxes = svg.partition("<g data-node=")
    return f"{start}{below}{first}{boxes.removesuffix('</svg>')}{above}</svg>"
