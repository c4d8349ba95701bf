"""A drawing as a stage for `stage.js`: its numbers come later, and fit into their places."""

from __future__ import annotations

import re
from typing import Any

from ..drawing import theme
from ..drawing.route import Picture, PlacedBox, PlacedGroup
from ..drawing.skeleton import symbol_half
from ..drawing.svg import second_name, to_svg
from ..drawing.text import width
from ..reading.text import UNSET


def stage_svg(picture: Picture) -> str:
    """The SVG for a page that has the colours, and says what there is to see while it changes."""
    svg = to_svg(picture, "auto").replace(theme.dark_style("auto"), "")
    return re.sub("<desc>.*?</desc>", "", svg, count=1)


def fold_toggle(action: str, path: str, group: PlacedGroup) -> dict[str, Any]:
    """What closes a frame of the drawing, at its corner."""
    corner = [round(group.x + group.width, 1), round(group.y, 1)]
    return {"action": action, "path": path, "label": group.path[-1], "at": corner}


def unfold_toggle(action: str, path: str, label: str, placed: PlacedBox) -> dict[str, Any]:
    """What opens a box of the drawing, at its corner."""
    corner = [round(placed.x + placed.width, 1), round(placed.y, 1)]
    return {"action": action, "path": path, "label": label, "at": corner, "box": placed.box.id}


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
