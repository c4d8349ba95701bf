"""The player: a graph that computes and differentiates itself step by step, in the browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from html import escape
from typing import Any

import anywidget
import traitlets

from ..core.node import Node
from ..core.order import topological_order
from ..drawing.diagram import diagram
from ..drawing.drawing import Drawing
from ..errors import MinigraphError, NodeTypeError
from ..graph.hooks import hooked
from ..graph.watched import takes_watched
from ..reading import Reading
from ..recording import MISCONCEPTIONS, Recording
from ..recording.engine import engine_pass
from ..recording.events import BACKWARD, FORWARD
from ..recording.recorder import PASSES, check_nudge_alone, check_options, recorded
from ..recording.sweeps import AtHooks
from . import player_stops as stops
from .lifetime import Released
from .page import module, style
from .player_nudge import nudge_recordings, nudge_view, still, title
from .player_questions import ORDER, questions
from .player_view import OWN, Writer, mistake, own_pass, stage, up_to, view, within

MOST_STEPS = 80  # up to which every misconception that makes a difference comes along
MOST_SINGLE = 500  # steps; beyond, what happens within a folded box is one step
MOST_PLAYED = 5_000  # steps; the page holds each of them, about a kilobyte
MOST_RECORDED = 200_000  # steps, before those within boxes are joined
MOST_ORDERED = 1_000  # steps, before which it is asked which of all nodes comes next
_MODULE, _STYLE = module("player"), style("player")


class Player(Released, anywidget.AnyWidget):
    """The passes of a graph, or the way of a nudge, to step through with buttons or the keyboard.

    The whole recording is in the widget, so stepping needs no kernel. Where there are more than a
    few hundred steps, what happens within a folded box is one step, until the box is opened.

    Attributes:
        recording: the events.
        position: how many steps have been done.
        passes: "both", "forward" or "backward", which is what the buttons step through.
        wrong: the misconception that the backward pass is run with, "own" for a program of one's
            own, or "".
        nudge: which of the nudges in the view is shown, by name; "" if there is none.
        view: all that the browser shows.
        stopped: why it has stopped where it was told to, with `until`; "" without.
        question: what is asked before the next step; "" if nothing is.
        choices: the answers to choose from; none where a number or a shape is typed.
        verdict: what is said of the last answer.
    """

    _esm = _MODULE
    _css = _STYLE
    view = traitlets.Dict().tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    passes = traitlets.Enum(PASSES, "both").tag(sync=True)
    wrong = traitlets.Unicode("").tag(sync=True)
    nudge = traitlets.Unicode("").tag(sync=True)
    question = traitlets.Unicode("").tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    verdict = traitlets.Unicode("").tag(sync=True)

    @takes_watched
    def __init__(
        self,
        y: Any,
        passes: str = "both",
        *,
        wrong: str = "",
        own: Recording | Callable[[Any], Any] | None = None,
        nudge: Any = None,
        opened: Any = False,
        folded: Any = None,
        direction: str = "auto",
        position: int = 0,
        predict: bool | str = False,
        until: Any = None,
    ) -> None:
        """Play the forward and the backward pass of y step by step, or the way of a nudge.

        Args:
            y: the output, a scalar; of any shape if only the forward pass is played. With a
                function as `own`, a number of your own engine.
            passes: "both", "forward" or "backward".
            wrong: a misconception to run the backward pass with, as in `mg.record`; the step at
                which it goes wrong is marked. For a small graph the player offers those that matter
                there.
            own: a backward pass of your own to play instead of minigraph's; it is marked where it
                parts from that. Either recorded with a `Tracer`; or the function itself, which
                leaves gradients in `y.grad` and in what it reaches from `y.inputs`, numbers with a
                `value`, an `op`, `inputs`, and the `local` derivative by each of them.
            nudge: what to nudge, to see instead of the passes how the change travels forwards: the
                name of a node, a Node, or a dict such as {"b": 0.1}. Of an array all elements are
                nudged, by one number or each by its own. y may have any shape then.
            opened, folded: composed functions to open and scopes to fold, as in `mg.draw`. In a
                running notebook the buttons + and − of the drawing open and fold them as well.
            direction: "right", "down" or "auto", as in `mg.draw`.
            position: how many steps have been done when it appears.
            predict: True asks for the next value, the next gradient or its shape before each step,
                "order" for the node that comes next. What comes later is not in the page until
                then.
            until: where to stop, after `position`: "nan" for the first NaN or infinity; a node or
                its name; or a number, for the first gradient that is larger in some element. The
                player runs on from there to the next, and to what is chosen in it.

        Raises:
            MinigraphError: for an unknown option, and for a graph of more steps than a page holds.
        """
        if callable(own):
            y, own = engine_pass(y, own)
        if not isinstance(y, Node):
            raise NodeTypeError(f"play takes a Node, not {type(y).__name__} {y!r:.40}")
        if predict not in (False, True, ORDER):
            raise MinigraphError(f"predict is True, False or {ORDER!r}, not {predict!r:.60}")
        if not isinstance(wrong, str):
            raise NodeTypeError(f"wrong is the name of a misconception, not {wrong!r:.40}")
        if own is not None and not isinstance(own, Recording):
            raise NodeTypeError(f"own is a Recording, not {type(own).__name__} {own!r:.40}")
        check_options(y, passes, wrong if own is None else "")
        if nudge is not None:
            check_nudge_alone(
                passes=(passes, "both"),
                wrong=(wrong, ""),
                own=(own, None),
                predict=(predict, False),
                until=(until, None),
            )
        if predict and until is not None:
            raise MinigraphError("what is predicted is not known yet: leave out predict or until")
        self._order = topological_order(y)
        self._hooks_met: dict[Node, AtHooks] = {}
        self._recorded: dict[frozenset[str], Recording] = {}  # by the calls that are open
        self._places: dict[str, dict[str, int]] = {}  # by pass, in which step a node was reached
        single = _count(self._order, passes)
        self._joins = single > MOST_SINGLE and not predict and own is None and nudge is None
        most = MOST_RECORDED if self._joins else MOST_ORDERED if predict == ORDER else MOST_PLAYED
        _check_size(single, most)
        self._own, self._direction, self._predict = own, direction, predict
        self._nudge, self._until = nudge, until
        self._arrange(passes, wrong, opened if own is None else True, folded)
        steps = len(self._whole["steps"])
        if type(position) is not int or not 0 <= position <= steps:
            raise MinigraphError(f"position is between 0 and {steps}, not {position!r:.60}")
        self.stopped = ""
        if until is not None:
            position = self._run(position, wrong if own is None else OWN)
        shown = up_to(self._whole, position) if predict else self._whole
        wrong = wrong if own is None else OWN
        nudge = "" if nudge is None else title(self.recording)
        super().__init__(view=shown, position=position, passes=passes, wrong=wrong, nudge=nudge)
        if predict:
            self._reveal(position)
        self.on_msg(self._told)

    def _arrange(self, passes: str, wrong: str, opened: Any, folded: Any) -> None:
        """Record the passes of the graph with these calls open, and draw it with these folds."""
        reading = Reading(self._order[-1:], opened, folded, order=self._order)
        self._questions: list[Any] = []
        if self._nudge is not None:
            return self._arrange_nudge(reading)
        opened_calls = frozenset(reading.graph.titles)
        if opened_calls not in self._recorded:
            which = "forward" if passes == "forward" else "both"
            self._recorded[opened_calls] = recorded(reading, which, hooks_met=self._hooks_met)
        self.recording: Recording = self._recorded[opened_calls]
        self._stage = on = stage(reading, self.recording, self._direction)
        chosen = None
        if self._until is not None:
            chosen = self._breakpoint = stops.until(self._until, reading, self.recording)
        writer = Writer(self.recording, on, self._joins, chosen)
        self._whole = whole = view(writer)
        self._places = {FORWARD: writer.known_at, BACKWARD: writer.gradient_at}
        if self._joins:
            _check_size(len(whole["steps"]), MOST_PLAYED)
        if passes != "forward":
            is_small = not self._joins and len(whole["steps"]) <= MOST_STEPS
            names = [*MISCONCEPTIONS] if is_small and not hooked(self._order) else []
            ways = dict.fromkeys(names + [wrong] * (wrong not in ("", OWN)))
            runs = (recorded(reading, "both", wrong=way) for way in ways)
            mistakes = (mistake(self.recording, run, on, self._joins) for run in runs)
            whole["mistakes"] = [way for way in mistakes if way]
            if self._own is not None:
                whole["mistakes"].insert(0, own_pass(reading, self.recording, self._own, on))
        if self._own is not None or self._predict:  # these are about the nodes that they began with
            scopes = ("fold", "unfold")
            whole["toggles"] = [toggle for toggle in whole["toggles"] if toggle["action"] in scopes]
        if not self._predict:
            whole["breakpoints"] = stops.breakpoints(self.recording, whole["steps"], chosen)
        if self._predict:
            self._questions = questions(self.recording, self._predict)
        drawn = diagram(
            reading,
            gradients=False if self._predict else None,
            hide_values=[node for node in self._order if node.op] if self._predict else [],
        )
        self._drawing = Drawing(drawn, self._direction)

    def _run(self, position: int, way: str) -> int:
        """Go on to the breakpoint, or to the end if it is not met, and say which."""
        steps = self._whole["steps"]
        mistakes = {wrong["name"]: wrong["steps"] for wrong in self._whole["mistakes"]}
        if played := mistakes.get(way):
            steps = [*steps[: self._whole["totals"][0]], *played]
        found = stops.stop_after(steps, *self._breakpoint, position)
        what = stops.said(self.recording, *self._breakpoint)
        self.stopped = f"Stopped: {what}." if found else f"To the end, and at no step: {what}."
        self._whole["breakpoints"]["stopped"] = self.stopped
        return found or len(steps)

    def _arrange_nudge(self, reading: Reading) -> None:
        recordings = nudge_recordings(reading, self._nudge)
        self.recording = recordings[0]
        self._stage = stage(reading, self.recording, self._direction)
        self._whole = nudge_view(recordings, self._stage)
        self._drawing = Drawing(still(self.recording, self._stage), self._direction)

    def toggle(self, action: str, path: str) -> None:
        """Fold or unfold a scope, open or close a call; what has been done stays done.

        Args:
            action: "fold", "unfold", "open" or "close".
            path: of the scope; of a call the id of its output.

        Raises:
            MinigraphError: if that is not one of the view's toggles.
        """
        offered = [(toggle["action"], toggle["path"]) for toggle in self._whole["toggles"]]
        if (action, path) not in offered:
            raise MinigraphError(f"there is nothing to {action!s:.60} at {path!r:.60} now")
        opened, folded = self._stage.opened, self._stage.folded
        match action:
            case "fold":
                folded |= {path}
            case "unfold":
                folded = folded - {path} | self._stage.to_fold_within(path)
            case "open":
                opened |= {self._stage.calls[path].path}
            case "close":
                call = next(call for id, call in self._stage.frames.values() if id == path)
                opened = frozenset(other for other in opened if not within(other, call))
        known, before = self.position, self.view["steps"]
        self._arrange(self.passes, self.wrong, opened, folded)
        if self._predict:
            self.view = up_to(self._whole, len(before))
            return
        with self.hold_sync():
            self.view = self._whole
            self.position = _same_place(before, known, self._whole["steps"], self._places)

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
            self.choices = [*asked.choices] if asked else []
            self.question = asked.text if asked else ""

    def _told(self, _: Any, content: Any, buffers: Any) -> None:
        match content:
            case {"kind": "toggle", "position": int(here), "action": action, "path": path}:
                self.position = min(max(here, 0), len(self.view["steps"]))
                self.toggle(action, path)  # after the position, which may come later than this
            case {"kind": "answer", "text": text} if self.question:
                self.answer(str(text))
            case {"kind": "reveal"} if self.question:
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
        names = ("view", "position", "passes", "wrong", "nudge")
        state = {name: getattr(self, name) for name in names}
        data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        id = hashlib.sha256(data.encode()).hexdigest()[:12]
        sentences = "".join(f"<li>{escape(step['say'])}</li>" for step in self.view["steps"])
        return (
            f'<div data-minigraph-player="{id}">{self._drawing.html}'
            f"{f'<p>{escape(self.stopped)}</p>' if self.stopped else ''}"
            f"<details><summary>{len(self.view['steps'])} steps</summary>"
            f"<ol>{sentences}</ol></details></div>"
            f"<style>{_STYLE}</style>"
            f'<script type="module">{_MODULE}\nbringToLife("{id}", {data});</script>'
        )


def _count(order: list[Node], passes: str) -> int:
    """About how many steps there are: one for a Node, and one for each of its inputs."""
    steps = sum(node.op is not None for node in order)
    if passes != "forward":
        steps += sum(x.requires_grad for node in order for x in node.inputs)
    return steps


def _check_size(steps: int, most: int) -> None:
    """Refuse to play more steps than a page can hold, or than can be recorded in a while."""
    if steps > most:
        raise MinigraphError(
            f"the passes of this graph have about {steps:,} steps, and the player shows up to "
            f"{most:,}; play a part of it, from a Node further up, or see the whole with mg.draw"
        )


def _same_place(
    before: list[Any], position: int, steps: list[Any], places_of: dict[str, dict[str, int]]
) -> int:
    """The position among other steps at which the same node is reached in the same pass."""
    if len(before) == len(steps) or not position:
        return position
    here = [before[position - 1].get(name) for name in ("phase", "node")]
    places = (n for n, s in enumerate(steps, 1) if [s.get(x) for x in ("phase", "node")] == here)
    return next(places, min(places_of.get(here[0], {}).get(here[1], position), len(steps)))


play = Player
