"""What every box of controls has: a picture, a sentence, a still of both where no kernel is, and
what makes it usable without a mouse or without seeing it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, Protocol

import anywidget
import ipywidgets as widgets
import traitlets

from ..errors import MinigraphError
from .lifetime import Released
from .page import module, read


class Picture(Protocol):
    """What a widget can show: a `Drawing`, or another picture. Its `repr` says it in text."""

    @property
    def html(self) -> str:
        """The picture as an element with a text alternative."""


class Access(anywidget.AnyWidget):
    """Nothing to see: it completes the box that it is in for keyboards and screen readers.

    The box gets its name and keeps the notebook's own keys out, its sentence is a live region, and
    its toggle buttons say which of them is pressed.
    """

    _esm = module("access")
    _css = read("access.css")
    name = traitlets.Unicode().tag(sync=True)


class GraphWidget(Released, widgets.VBox):
    """Controls above a drawing with a sentence below it.

    The sentence is a live region, so a screen reader speaks each change. In a notebook that is not
    running, on GitHub and on paper, the drawing and the sentence show as they are.
    """

    def __init__(self, name: str, controls: list[widgets.Widget]) -> None:
        self.picture = widgets.HTML()
        self.message = widgets.HTML()
        self.message.add_class("minigraph-sentence")
        self.drawing: Picture | None = None
        self.access = Access(name=name)
        super().__init__([*controls, self.picture, self.message, self.access])
        self.add_class("minigraph-box")

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
        style = "white-space: pre-wrap; padding: 2px 0 2px 10px; border-left: 3px solid "
        style += "#b34700; font-family: monospace" if problem else "transparent"
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
