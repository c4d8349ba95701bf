"""One place for the colours, the fonts and the sizes of drawings.

Blue values against orange-brown gradients keep apart for the common kinds of colour blindness
(Okabe and Ito's palette, darkened until text reaches a contrast of 4.5 to 1 on its ground). Shape
tells the kind of a node; colour only supports it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, by their role."""

    ground: str  # behind everything
    panel: str  # quiet surfaces: constants, scopes
    card: str  # the ground of an operation
    ink: str  # names
    soft: str  # what is said in passing
    line: str  # borders
    edge: str  # edges: 3 to 1 on the ground, so that the structure is plain to see
    value: str  # forward
    gradient: str  # backward
    highlight: str
    highlight_ground: str
    variable: str  # the ground of a variable


LIGHT = Palette(
    ground="#ffffff",
    panel="#f6f7f9",
    card="#ffffff",
    ink="#1b1f24",
    soft="#57606a",
    line="#c9d1d9",
    edge="#8a949e",
    value="#0b63a5",
    gradient="#b34700",
    highlight="#e69f00",
    highlight_ground="#fff6e0",
    variable="#eef6fc",
)
DARK = Palette(
    ground="#15181d",
    panel="#1d2127",
    card="#22272f",
    ink="#e6edf3",
    soft="#9aa4af",
    line="#3a424c",
    edge="#69737e",
    value="#6cb8f0",
    gradient="#ff9a5c",
    highlight="#f0b429",
    highlight_ground="#352a10",
    variable="#17293a",
)
THEMES = ("auto", "light", "dark")
# Where the page around a picture is light or dark, whatever the system is, this tells the image,
# which has the colours for both. Untrusted notebooks drop the rules.
AS_THE_PAGE = (
    '<style>body[data-jp-theme-light="true"] img.minigraph,body.vscode-light img.minigraph'
    '{color-scheme:light}body[data-jp-theme-light="false"] img.minigraph,'
    "body.vscode-dark img.minigraph{color-scheme:dark}</style>"
)

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
NAME_SIZE = 15.0  # "d = 5"
GRADIENT_SIZE = 13.0  # "∂y/∂d = 2"
LABEL_SIZE = 12.0  # on edges and scopes
SYMBOL_SIZE, WORD_SIZE = 18.0, 12.0  # "+" in its circle; "exp"
GRADIENT_PART = 0.7  # of the room for a value; so much is kept for its gradient, in smaller type
_MIDDLE = 0.36  # of the font size: how far the middle of a line lies above its baseline

# Lengths in pixels. "Along" is the direction in which data flows, "across" the other one.
BOX_INSET, CONSTANT_INSET = 20.0, 12.0  # of the width of a box, beside its texts
ROW = 42.0  # the height of a box with one line
TWO_ROWS = 58.0
CONSTANT = 34.0
MIN_WIDTH, MAX_WIDTH = 116.0, 232.0
RADIUS = 15.0  # of the circle with the operation's symbol
ARROW = 9.0
LABEL_HEIGHT = 20.0
LABEL_INSET, LABEL_AROUND = 10.0, 14.0  # what a label's ground is wider: at least, and as a rule
MARGIN = 18.0  # around the drawing
GAP, GAP_DOWN = 62.0, 50.0  # along, between boxes
GROUP_PADDING = 14.0
GROUP_TITLE = 20.0


def baseline(middle: float, size: float) -> float:
    """The y at which SVG writes a line of text of this size, for its middle to be at `middle`."""
    return middle + _MIDDLE * size


@cache
def paint(theme: str, fill: str = "none", stroke: str = "none") -> str:
    """Write the SVG attributes that fill and stroke a shape in the colours of two roles.

    They are right by themselves. In the theme "auto" a class beside them lets `dark_style` repaint.
    """
    palette = asdict(DARK if theme == "dark" else LIGHT) | {"none": "none"}
    names = [f"mg-{p}-{role}" for p, role in (("f", fill), ("s", stroke)) if role != "none"]
    classes = f' class="{" ".join(names)}"' if theme == "auto" and names else ""
    strokes = f' stroke="{palette[stroke]}"' if stroke != "none" else ""
    return f'{classes} fill="{palette[fill]}"{strokes}'


@cache
def dark_style(theme: str) -> str:
    """Write the SVG element that repaints a drawing where its surroundings are dark."""
    if theme != "auto":
        return ""
    rules = "".join(
        f".mg-f-{role}{{fill:{colour}}}.mg-s-{role}{{stroke:{colour}}}"
        for role, colour in asdict(DARK).items()
    )
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
