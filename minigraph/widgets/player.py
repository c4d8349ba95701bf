"""The player: a graph that computes and differentiates itself step by step, in the browser."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..drawing import draw, theme
from ..graph.errors import MinigraphError
from ..graph.node import Node
from ..graph.order import topological_order
from ..recording import MISCONCEPTIONS, Recording, record
from ..recording.record import PASSES
from .player_questions import questions
from .player_view import OWN, mistake, own_pass, stage, up_to, view

MOST_STEPS = 80  # up to which every misconception that makes a difference comes along
_HERE = Path(__file__).parent
_MODULE = (_HERE / "player.js").read_text(encoding="utf-8")


def _palette() -> str:
    """The colours of drawings as CSS, for the player and for the SVG in it."""
    light, dark = asdict(theme.LIGHT), asdict(theme.DARK)
    variables = "".join(f"--mg-{role}:light-dark({light[role]},{dark[role]});" for role in light)
    paints = "".join(
        f".minigraph-player .mg-f-{role}{{fill:var(--mg-{role})}}"
        f".minigraph-player .mg-s-{role}{{stroke:var(--mg-{role})}}"
        for role in light
    )
    return f".minigraph-player{{{variables}}}{paints}\n"


_STYLE = _palette() + (_HERE / "player.css").read_text(encoding="utf-8")


class Player(anywidget.AnyWidget):
    """The passes of a graph, to step through with buttons, a scrubber or the keyboard.

    The whole recording is in the widget, so stepping needs no kernel.

    Attributes:
        recording: the events.
        position: how many steps have been done.
        passes: "both", "forward" or "backward", which is what the buttons step through.
        wrong: the misconception that the backward pass is run with, "own" for a program of one's
            own, or "".
        view: all that the browser shows.
        question: what is asked before the next step; "" if nothing is.
        verdict: what is said of the last answer.
    """

    _esm = _MODULE
    _css = _STYLE
    view = traitlets.Dict().tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    passes = traitlets.Enum(PASSES, "both").tag(sync=True)
    wrong = traitlets.Unicode("").tag(sync=True)
    question = traitlets.Unicode("").tag(sync=True)
    verdict = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        y: Node,
        *,
        passes: str = "both",
        wrong: str = "",
        own: Recording | None = None,
        opened: Any = False,
        direction: str = "auto",
        position: int = 0,
        predict: bool = False,
    ) -> None:
        if passes not in PASSES:
            raise MinigraphError(f"passes is {' or '.join(map(repr, PASSES))}, not {passes!r}")
        opened = opened if own is None else True  # a program of one's own opens every call
        self.recording: Recording = record(
            y, "forward" if passes == "forward" else "both", opened=opened
        )
        on = stage(y, self.recording, opened, direction)
        shown = view(self.recording, on)
        if not 0 <= position <= len(shown["steps"]):
            raise MinigraphError(f"position is between 0 and {len(shown['steps'])}, not {position}")
        if passes != "forward":
            names = [*MISCONCEPTIONS] if len(shown["steps"]) <= MOST_STEPS else []
            ways = dict.fromkeys(names + [wrong] * bool(wrong))
            runs = (record(y, wrong=way, opened=opened) for way in ways)
            found = (mistake(self.recording, run, on) for run in runs)
            shown["mistakes"] = [way for way in found if way]
            if own is not None:
                shown["mistakes"].insert(0, own_pass(self.recording, own, on))
                wrong = OWN
        hidden = [node for node in topological_order(y) if node.op] if predict else []
        self._drawing = draw(
            y,
            gradients=False if predict else None,
            opened=opened,
            direction=direction,
            hide_values=hidden,
        )
        self._whole = shown
        self._questions = questions(self.recording) if predict else []
        if predict:
            shown = up_to(shown, position)
        super().__init__(view=shown, position=position, passes=passes, wrong=wrong)
        if predict:
            self._reveal(position)
            self.on_msg(self._told)

    def answer(self, text: str) -> bool:
        """Judge an answer to the question; a right one is followed by the step."""
        asked = self._questions[len(self.view["steps"])] if self.question else None
        if asked is None:
            raise MinigraphError("nothing is asked")
        is_right, self.verdict = asked.judge(text)
        if is_right:
            self._reveal(len(self.view["steps"]) + 1)
        return is_right

    def reveal(self) -> None:
        """Show the next step without an answer."""
        self.verdict = ""
        self._reveal(len(self.view["steps"]) + 1)

    def _reveal(self, known: int) -> None:
        """Show the first steps, and those after them that are not asked for; then ask."""
        while known < len(self._questions) and self._questions[known] is None:
            known += 1
        asked = self._questions[known] if known < len(self._questions) else None
        with self.hold_sync():
            self.view = up_to(self._whole, known)
            self.position = known
            self.question = asked.text if asked else ""

    def _told(self, _: Any, content: Any, buffers: Any) -> None:
        if not self.question:
            return
        if content.get("kind") == "answer":
            self.answer(str(content.get("text", "")))
        elif content.get("kind") == "reveal":
            self.reveal()

    def __repr__(self) -> str:
        return repr(self._drawing)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/html": self.html, "text/plain": repr(self)}, metadata

    @property
    def html(self) -> str:
        """The player for a page without kernel: picture and text, and a script to bring it to life.

        Where scripts are not allowed, the picture and the text stay.
        """
        if self._questions:
            return f"{self._drawing.html}<p>Run this cell to predict what the graph computes.</p>"
        state = {name: getattr(self, name) for name in ("view", "position", "passes", "wrong")}
        data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        id = hashlib.sha256(data.encode()).hexdigest()[:12]
        sentences = "".join(f"<li>{escape(step['say'])}</li>" for step in self.view["steps"])
        return (
            f'<div data-minigraph-player="{id}">{self._drawing.html}'
            f"<details><summary>{len(self.view['steps'])} steps</summary>"
            f"<ol>{sentences}</ol></details></div>"
            f"<style>{_STYLE}</style>"
            f'<script type="module">{_MODULE}\nbringToLife("{id}", {data});</script>'
        )


def play(
    y: Node,
    passes: str = "both",
    *,
    wrong: str = "",
    own: Recording | None = None,
    opened: Any = False,
    direction: str = "auto",
    position: int = 0,
    predict: bool = False,
) -> Player:
    """Play the forward and the backward pass of y step by step.

    Args:
        y: the output, a scalar; of any shape if only the forward pass is played.
        passes: "both", "forward" or "backward".
        wrong: a misconception to run the backward pass with, as in `mg.record`; the step at which
            it goes wrong is marked. For a small graph the player offers those that matter there.
        own: a backward pass of your own, recorded with a `Tracer`, to play instead of the engine's;
            it is marked where it parts from that.
        opened: composed functions to open, as in `mg.draw`.
        direction: "right", "down" or "auto", as in `mg.draw`.
        position: how many steps have been done when it appears.
        predict: ask before each step. What comes later is not in the page until then.
    """
    return Player(
        y,
        passes=passes,
        wrong=wrong,
        own=own,
        opened=opened,
        direction=direction,
        position=position,
        predict=predict,
    )
