"""Predict before reveal: what the player asks before a step, and how it judges the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..reading.words import applied
from ..recording import Recording
from ..recording.data import ABSOLUTE, RELATIVE, written
from ..recording.events import BACKWARD, Event
from .typed import is_as_said, typed_number, typed_shape

ORDER = "order"  # what is asked: which node comes next


@dataclass(frozen=True)
class Question:
    """A question, its answer, and what known wrong answers come from.

    Attributes:
        text: the question.
        answer: a number, or the shape of an array.
        wrong: pairs of a wrong answer and what to say about it.
    """

    text: str
    answer: Any
    wrong: tuple[tuple[Any, str], ...] = ()
    choices: ClassVar[tuple[str, ...]] = ()

    def judge(self, text: str) -> tuple[bool, str]:
        """Say whether an answer is right, and if not, what it may come from."""
        is_shape = isinstance(self.answer, tuple)
        answer = typed_shape(text) if is_shape else typed_number(text)
        if answer is None:
            what = "a shape such as 3, 4" if is_shape else "a number"
            return False, f"This is not {what}."
        if is_as_said(answer, self.answer):
            return True, f"{text.strip()} is right{'' if is_shape else self._more_than(answer)}."
        for value, why in self.wrong:
            if is_as_said(answer, value):
                return False, f"{text.strip()} is not right. {why}"
        return False, f"{text.strip()} is not right."

    def _more_than(self, answer: Any) -> str:
        """The digits that were left out, so that nobody takes 6.3 for the whole of 2π."""
        shown = written(self.answer)
        is_whole = np.isclose(answer, self.answer, RELATIVE, ABSOLUTE, equal_nan=True)
        return "" if is_whole or answer == typed_number(shown) else f": it is {shown}, rounded"


@dataclass(frozen=True)
class OrderQuestion:
    """Which node comes next?

    Attributes:
        text: the question.
        answer: the name of the node that comes next in the recording.
        ready: the names of all those that could.
        waiting: the others by name, and what each of them waits for, as a sentence.
    """

    text: str
    answer: str
    ready: frozenset[str]
    waiting: dict[str, str]

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from, in an order that tells nothing."""
        return tuple(sorted([*self.ready, *self.waiting]))

    def judge(self, text: str) -> tuple[bool, str]:
        """Say whether the node could come next, and if not, what it waits for."""
        if text == self.answer:
            return True, f"{text} is right."
        if text in self.ready:
            return True, f"{text} could come next too. Here {self.answer} does."
        if text in self.waiting:
            return False, f"{text} cannot come next. {self.waiting[text]}"
        return False, "Choose a node."


def questions(recording: Recording, kind: Any) -> list[Question | OrderQuestion | None]:
    """The question before each step of the player; None before a step that is not asked for.

    `kind` is "order", or True for values, gradients and shapes.
    """
    if kind == ORDER:
        return [*_about_order(recording)]
    asked: list[Question | OrderQuestion | None] = []
    for place, event in enumerate(recording.events):
        if event.kind == "compute":
            asked.append(_about_value(recording, event))
        elif event.kind == "multiply":
            asked.append(_about_contribution(recording, event, recording.events[place + 1]))
        elif event.kind in ("seed", "hook") or (event.kind == "done" and event.phase == BACKWARD):
            asked.append(None)
    return asked


def _about_order(recording: Recording) -> Iterator[OrderQuestion | None]:
    """Ask for each node that is computed, and for each that begins to hand on its gradient."""
    name = {node.id: node.name for node in recording.nodes}
    inputs = {node.id: node.inputs for node in recording.nodes if node.kind == "operation"}
    users: dict[str, set[str]] = {}  # by node, those that hand on to it
    for event in recording.events:
        if event.kind == "multiply" and event.user:
            users.setdefault(event.user, set())
            users.setdefault(event.node, set()).add(event.user)
    hand_on = dict.fromkeys(e.user for e in recording.events if e.kind == "multiply" and e.user)
    open_forward, open_backward = dict.fromkeys(inputs), dict.fromkeys(hand_on)
    for event in recording.events:
        if event.kind == "compute":
            waits = {
                x: f"It needs {_names(name, missing)}, not computed yet."
                for x in open_forward
                if (missing := [i for i in inputs[x] if i in open_forward])
            }
            text = "Which operation can be computed next?"
            yield _order_question(text, event.node, open_forward, waits, name)
            del open_forward[event.node]
        elif event.kind == "multiply" and event.user in open_backward:
            waits = {
                x: f"Its gradient is not complete: {_names(name, missing)} has not handed on yet."
                for x in open_backward
                if (missing := [user for user in users[x] if user in open_backward])
            }
            text = "Which node can hand on its gradient next?"
            yield _order_question(text, event.user, open_backward, waits, name)
            del open_backward[event.user]
        elif event.kind in ("seed", "hook", "multiply") or (
            event.kind == "done" and event.phase == BACKWARD
        ):
            yield None


def _order_question(
    text: str, answer: str, left: Iterable[str], waits: dict[str, str], name: dict[str, str]
) -> OrderQuestion | None:
    """The question, unless only one node is left."""
    ready = frozenset(name[x] for x in left if x not in waits)
    waiting = {name[x]: why for x, why in waits.items()}
    if len(ready) + len(waiting) == 1:
        return None
    return OrderQuestion(text, name[answer], ready, waiting)


def _names(name: dict[str, str], ids: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(name[x] for x in ids))


def _about_value(recording: Recording, event: Event) -> Question:
    node = recording.by_id[event.node]
    formula = applied(node.symbol, node.operation, [recording.by_id[x].name for x in node.inputs])
    if node.shape:
        return Question(f"Which shape has {node.name} = {formula}?", node.shape)
    return Question(f"What is {node.name} = {formula}?", event.value)


def _about_contribution(recording: Recording, event: Event, total: Event) -> Question:
    user, node = recording.by_id[event.user or ""], recording.by_id[event.node]
    through = f" as its input number {(event.slot or 0) + 1}" * (user.inputs.count(node.id) > 1)
    if node.shape:
        return Question(
            f"The gradient of {user.name} goes on to {node.name}{through}. Which shape has what "
            "arrives there?",
            node.shape,
            ((user.shape, f"{node.name} was stretched to this shape going forward. What is the "
              "rule going back?"),) if user.shape != node.shape else (),
        )  # fmt: skip
    text = (
        f"The gradient {written(event.upstream)} has arrived at {user.name}. How much of it goes "
        f"on to {node.name}{through}?"
    )
    wrong: list[tuple[Any, str]] = []
    if total.before is not None:
        wrong.append((total.value, f"This is what {node.name} has then, all added up."))
    if event.local is not None and np.ndim(event.upstream) == 0:
        g, local = event.upstream, event.local
        wrong += [
            (local, "This is the local derivative alone. What has arrived is multiplied into it."),
            (g, "This is what has arrived. It is still multiplied by the local derivative."),
            (g + local, "Along a path one multiplies; adding is for paths that meet."),
            (-event.value, "Look at the sign."),
        ]
    return Question(text, event.value, tuple(wrong))
