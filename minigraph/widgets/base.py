"""What every box of controls has: a picture, a sentence, a still of both where no kernel is, and
what makes it usable without a mouse or without seeing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Protocol

import anywidget
import ipywidgets as widgets
import traitlets

from ..errors import MinigraphError
from .lifetime import Released
from .page import module, style


class Picture(Protocol):
    """What a widget can show: a `Drawing`, or another picture. Its `repr` says it in text."""

    @property
    def html(self) -> str:
        """The picture as an element with a text alternative."""


class Access(anywidget.AnyWidget):
    """The title of the box that it is in, which it completes for keyboards and screen readers.

    The box gets its name and keeps the notebook's own keys out, its sentence is a live region, and
    its toggle buttons say which of them is pressed. With it comes the style of the box.
    """

    _esm = module("access")
    _css = style("access")
    name = traitlets.Unicode().tag(sync=True)


class GraphWidget(Released, widgets.VBox):
    """A card: a title, controls, a sentence, and a picture below or beside them.

    The sentence is a live region, so a screen reader speaks each change. It stands above the
    picture, close to what is typed. Both have as much room as they may take, so that nothing moves
    when they change. In a notebook that is not running, on GitHub and on paper, the picture and the
    sentence show as they are.
    """

    def __init__(
        self,
        name: str,
        controls: list[widgets.Widget],
        *,
        beside: Sequence[widgets.Widget] = (),
        below: Sequence[widgets.Widget] = (),
        picture: widgets.DOMWidget | None = None,
        lines: int = 2,
        height: int = 360,
    ) -> None:
        """Make the card around the controls.

        Args:
            name: the title.
            controls: one below the other.
            beside: what stands on the left of the picture, where there is room.
            below: what stands below the picture.
            picture: what shows it in a page, if that is more than an image.
            lines: how many the sentence has room for; a longer one scrolls.
            height: of the picture, in pixels; a larger one shrinks, and then scrolls.
        """
        self.message = widgets.HTML(layout=widgets.Layout(height=f"{1.45 * lines:g}em"))
        self.message.add_class("minigraph-sentence")
        self.picture = widgets.HTML() if picture is None else picture
        self.picture.layout.height = f"{height}px"
        self.picture.add_class("minigraph-picture")
        self.drawing: Picture | None = None
        self.access = Access(name=name)
        middle: widgets.Widget = self.picture
        if beside:
            side = widgets.VBox([*beside])
            side.add_class("minigraph-side")
            middle = widgets.HBox([side, self.picture])
            middle.add_class("minigraph-beside")
        for more in below:
            more.add_class("minigraph-below")
        super().__init__([self.access, *controls, self.message, middle, *below])
        for look in ("minigraph-live", "minigraph-box", "mgc-card"):
            self.add_class(look)

    def show(self, drawing: Picture, sentence: str) -> None:
        """Show a drawing or a plot, and say what it shows."""
        self.drawing = drawing
        self.picture.value = drawing.html
        self.say(sentence)

    def watch(self, control: widgets.Widget, name: str, change: Callable[[Any], None]) -> None:
        """Call `change` when a control moves, and say what goes wrong: else nobody would see it."""

        def told(event: Any) -> None:
            try:
                change(event)
            except Exception as error:  # whatever may be typed, and come of it
                self.refuse(error)

        control.observe(told, name)

    def refuse(self, error: Exception) -> None:
        """Say why what is typed or chosen cannot be shown; what was shown stays."""
        said = str(error) if isinstance(error, MinigraphError) else _in_words(error)
        self.say(f"Not yet: {said}", problem=True)

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """Replace the sentence; a problem is marked by a word and a rule, not by colour alone."""
        style = "white-space: pre-wrap"
        if problem:
            style += "; padding-left: 10px; border-left: 3px solid #b34700; font-family: monospace"
        self.message.value = f'<div style="{style}">{escape(sentence)}</div>'

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = super()._repr_mimebundle_(**options)
        if self.drawing is not None:
            data["text/html"] = self.picture.value + self.message.value
            data["text/plain"] = repr(self.drawing)
        return data


def _in_words(error: Exception) -> str:
    """An error that is not of our own making: what kind it is, and what it says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of texts as a table of a page; the first one is its head."""
    head, *body = rows
    style = 'style="text-align:left; padding:2px 14px 2px 0"'
    top = "".join(f'<th scope="col" {style}>{escape(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row" {style}>{escape(first)}</th>'
        + "".join(f"<td {style}>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in body
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
