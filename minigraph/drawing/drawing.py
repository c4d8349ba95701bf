"""`draw`: a graph as a picture that notebooks show, and that can be saved."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from functools import cached_property
from html import escape
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..graph.files import file_path, shown, write
from ..graph.watched import takes_watched
from ..reading import Reading
from . import words
from .diagram import Diagram, diagram, nodes_of
from .route import Picture, picture
from .svg import to_svg
from .theme import AS_THE_PAGE, THEMES

SMALLEST = 0.55  # of its size; where there is less room, a drawing scrolls
HIGHEST = 600  # pixels that one is shown; JupyterLab shows 779 on a laptop
NEARLY = 1.02  # of these: a few pixels more are shown, and do not make a drawing scroll
NARROWEST = 558  # what is beside a prompt in a window 1024 wide
DIRECTIONS = ("auto", "right", "down")


@takes_watched
def draw(
    outputs: Node | Iterable[Node],
    *,
    values: bool = True,
    gradients: bool | None = None,
    derivatives: bool = False,
    direction: str = "auto",
    highlight: Any = (),
    hide_values: Any = (),
    opened: Any = False,
    folded: Any = None,
    theme: str = "auto",
) -> Drawing:
    """Draw the graph of one output or of several.

    A variable is a pill, an operation a card with its symbol where the edges arrive, a constant is
    plain. Where the order of the arguments matters, the first one arrives above (or left). A graph
    of more than 60 nodes is folded: scopes into modules, of which ten or more in a row that are
    built alike are one, such as "block0–11 ×12"; then the middle of what is left.

    A call of a function that is composed of operations, such as `mg.softmax`, is one operation in
    the drawing: a card with another behind it. Opened, it is a frame around the operations that it
    is made of. A call is also shown open if some other Node in it than its output is used outside.

    Args:
        outputs: a Node, or a list of Nodes.
        values: show the value of each node, or the shape of an array.
        gradients: show the gradient of each node; None shows them if there are any.
        derivatives: show on each edge the local derivative, as formula and as number.
        direction: "right", "down", or "auto", which takes what fits into a notebook.
        highlight: Nodes, or edges as pairs (input, user) in a list; where a Node is several
            arguments of one operation, (input, user, 1) means the second of these edges.
        hide_values: Nodes that show – instead of a number or a shape, as if not computed yet.
            Nothing moves.
        opened: True opens all calls of composed functions; a name such as "softmax" opens the calls
            of that function, a Node the call that made it, a list several of them. A call within a
            call shows when both are opened.
        folded: the scopes to fold into one box each, by path, such as "layer1" or ["a/b", "c"];
            True folds all of them, False none. None folds graphs of more than 60 nodes.
        theme: "light", "dark", or "auto", which follows the page where the page says.

    Raises:
        NodeTypeError: if there is something else than Nodes among the outputs.
        MinigraphError: for a highlighted or hidden Node outside the graph, a function to open that
            the graph does not call, a scope to fold that it does not have, or an unknown option.
    """
    nodes = nodes_of(outputs)
    if not nodes:
        raise NodeTypeError("there is nothing to draw: the list of Nodes is empty")
    snapshot = diagram(
        Reading(nodes, opened, folded, joins_alike=True),
        values=values,
        gradients=gradients,
        derivatives=derivatives,
        highlight=highlight,
        hide_values=hide_values,
    )
    return Drawing(snapshot, direction, theme)


class Drawing:
    """A drawn graph: shown by notebooks, printed as a table, saved as SVG, PNG or DOT.

    It shows the graph as it was when it was drawn.

    Attributes:
        svg: the picture.
        dot: the graph for Graphviz and its kin.
        html: the picture as an element with a text alternative, for a web page or a widget.
        alt: the text alternative.
    """

    def __init__(self, snapshot: Diagram, direction: str = "auto", theme: str = "auto") -> None:
        for name, chosen, known in (("direction", direction, DIRECTIONS), ("theme", theme, THEMES)):
            if chosen not in known:
                among = " or ".join(map(repr, known))
                raise MinigraphError(f"{name} is {among}, not {chosen!r:.60}")
        self._diagram = snapshot
        self._direction = direction
        self._theme = theme

    @cached_property
    def _picture(self) -> Picture:
        return picture(self._diagram, self._direction)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return to_svg(self._picture, self._theme)

    @property
    def dot(self) -> str:
        """The graph as DOT."""
        from .dot import to_dot  # seldom needed, and slow to import

        return to_dot(self._diagram, "right" if self._picture.is_right else "down")

    @property
    def alt(self) -> str:
        """The graph in a sentence."""
        return words.sentence(self._diagram)

    @property
    def html(self) -> str:
        """The picture as an `img` element that any page, notebook or widget can hold."""
        return as_image(*self.image)

    @property
    def image(self) -> Image:
        """The picture, and what a page has to know of it."""
        return Image(self.svg, self.alt, self._picture.width, self._picture.height)

    def save(self, path: str | os.PathLike) -> None:
        """Write the drawing to a file; its suffix says how: .svg, .png or .dot.

        Raises:
            MinigraphError: for another suffix, or if .png lacks the package that it needs.
            FileError: naming the file, if it cannot be written; what was there stays.
        """
        path = file_path(path)
        match path.suffix.lower():
            case ".svg":
                content = self.svg.encode()
            case ".dot":
                content = self.dot.encode()
            case ".png":
                content = _png(self.svg)
            case other:
                suffix = shown(Path(other)) if other else "without a suffix"
                raise MinigraphError(
                    f"a drawing is saved as .svg, .png or .dot, not {suffix}; "
                    f"write for example '{shown(Path(path.stem or 'graph'))}.svg'"
                )
        write(path, content)

    def __repr__(self) -> str:
        return words.table(self._diagram)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/html": self.html,
            "image/svg+xml": self.svg,
            "text/plain": repr(self),
        }


class Image(NamedTuple):
    """A picture as SVG, its text alternative, and its size in pixels."""

    svg: str
    alt: str
    width: float
    height: float


def as_image(
    svg: str,
    alt: str,
    width: float,
    height: float,
    highest: float = HIGHEST,
    room: float = NARROWEST,
) -> str:
    """Write an SVG as an `img` that shrinks to fit, then scrolls, and follows a dark page.

    A frame that scrolls can be reached with the keyboard.

    Args:
        svg, alt, width, height: as in `Image`.
        highest: how high it is shown at most.
        room: how wide the place for it is where a window is narrow.
    """
    wide, high = round(width), round(height)
    least, fitting = wide * SMALLEST, wide * highest / high
    style = f"display:block;max-width:100%;min-width:{least:.0f}px;height:auto"
    if fitting < wide:
        wide = round(max(fitting, least))
        style = f"width:{wide}px;{style}"
    tall = high * wide / round(width)
    if highest < tall < NEARLY * highest:
        highest = ceil(tall)
    reached = ' tabindex="0"' if tall > highest or least > room else ""
    image = image_element(svg, alt, width, height, style)
    return (
        f'<div style="overflow:auto;max-height:{highest:.0f}px"{reached}>{image}</div>{AS_THE_PAGE}'
    )


def image_element(svg: str, alt: str, width: float, height: float, style: str) -> str:
    """Write an SVG as an `img` element in a style of one's own."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="minigraph" alt="{escape(alt)}" width="{round(width)}"'
        f' height="{round(height)}" style="{style}" src="data:image/svg+xml;base64,{data}">'
    )


def _png(svg: str) -> bytes:
    """Render SVG at twice its size, in the font that matplotlib brings, whatever the system has."""
    try:
        import resvg_py
    except ImportError:
        raise MinigraphError(
            "saving as .png needs the package resvg-py: pip install resvg-py; "
            "or save as .svg, which needs nothing"
        ) from None
    import matplotlib

    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    faces = ["", "-Bold", "-Oblique", "-BoldOblique"]
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=2,
            skip_system_fonts=True,
            font_files=[str(fonts / f"DejaVuSans{face}.ttf") for face in faces],
            font_family="DejaVu Sans",
            sans_serif_family="DejaVu Sans",
        )
    )
