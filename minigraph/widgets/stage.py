"""A drawing as a stage for `stage.js`: its numbers come later, and fit into their places."""

from __future__ import annotations

import re

from ..drawing import theme
from ..drawing.route import Picture, PlacedBox
from ..drawing.skeleton import symbol_half
from ..drawing.svg import second_name, to_svg
from ..drawing.text import width
from ..reading.text import UNSET


def stage_svg(picture: Picture) -> str:
    """The SVG for a page that has the colours, and says what there is to see while it changes."""
    svg = to_svg(picture, "auto").replace(theme.dark_style("auto"), "")
    return re.sub("<desc>.*?</desc>", "", svg, count=1)


def number_size(picture: Picture, placed: PlacedBox, part: str, text: str) -> float:
    """The font size at which a number fits into its part of a box, "value" or "gradient"."""
    if part == "value":
        room, size = max(placed.box.room, width(UNSET, theme.NAME_SIZE)), theme.NAME_SIZE
    else:
        room, size = _gradient_room(picture, placed), theme.GRADIENT_SIZE
    return round(size * min(1.0, room / max(width(text, size, bold=part == "value"), 1.0)), 1)


def _gradient_room(picture: Picture, placed: PlacedBox) -> float:
    """What the line "∂y/∂name = " leaves for the number, as the drawing writes it."""
    box, size = placed.box, theme.GRADIENT_SIZE
    beside = symbol_half(box.symbol) if box.symbol and picture.is_right else 0.0
    room = placed.width - beside - theme.BOX_INSET
    left = room - width(" = ", size) - box.room * theme.GRADIENT_PART
    name = second_name(picture.diagram, box, left)
    return room - width(f"{name} = ", size)
