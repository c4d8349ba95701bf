"""Each event in one plain sentence, and all of them as a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reading.formula import derivative_name, is_number
from ..reading.text import factor
from ..reading.words import aligned, applied, joined
from .data import Summary, same, written
from .events import FORWARD, NUDGE, Event, RecordedNode, Recording
from .sweeps import Overwrite

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_MOST_TOLD = 3  # changes in one sentence
_COLUMNS = ("", "pass", "event", "node", "from", "upstream", "local", "before", "value")


def narrate(recording: Recording) -> list[str]:
    """Say each event of a recording in one sentence."""
    values: dict[str, Any] = {}
    contribution = None
    said = []
    for event in recording.events:
        if event.kind == "multiply":
            contribution = event.value
        if event.phase == FORWARD and event.value is not None:
            values[event.node] = event.value
        said.append(sentence(recording, event, values, contribution))
    return said


def sentence(
    recording: Recording, event: Event, values: dict[str, Any], contribution: Any = None
) -> str:
    """Say one event.

    `values` are those that the forward pass has computed so far; `contribution` is what an
    accumulation adds.
    """
    if event.phase == NUDGE:
        return _of_a_nudge(recording, event)
    node = recording.by_id[event.node]
    match event.kind:
        case "visit" if event.phase == FORWARD and node.kind != "operation":
            return f"{node.name} is given{_being(event.value, node)}."
        case "visit" if event.phase == FORWARD:
            return f"The forward pass reaches {node.name}: all of its inputs are known."
        case "visit" if event.value is None:
            return f"The backward pass reaches {node.name}, which has no gradient yet."
        case "visit":
            return f"The backward pass reaches {node.name}, with the {_gradient(event.value)}."
        case "compute":
            return f"{computation(recording, node, values)}."
        case "seed":
            name = gradient_name(recording, node.id)
            return f"The backward pass starts at {node.name}: {name} = {written(event.value)}."
        case "hook" if same(event.before, event.value):
            return f"The hook {event.note} of {node.name} sees the {_gradient(event.value)}."
        case "hook":
            put = _gradient(event.value).removeprefix("gradient ")
            return (
                f"The hook {event.note} of {node.name} sees the {_gradient(event.before)}, and "
                f"puts {put} in its place."
            )
        case "multiply" if event.upstream is None:
            return f"{_from_nothing(recording, event)}."
        case "multiply":
            return f"{_arriving(recording, event)}, which gives {written(event.value)}."
        case "accumulate":
            return f"This is {_adding(recording, event, contribution)}."
        case _:
            return _ending(event, is_right=not recording.wrong)


def step(recording: Recording, multiply: Event, accumulate: Event) -> str:
    """Say a multiplication and the adding up that follows it in one sentence."""
    product = ""
    if multiply.local is not None and np.ndim(multiply.local) == 0:
        product = f"{product_text(multiply)} = "
    adding = _adding(recording, accumulate, multiply.value, product)
    if multiply.upstream is None:
        return f"{_from_nothing(recording, multiply)}. It is {adding}."
    return f"{_arriving(recording, multiply)} and {adding}."


def wave(recording: Recording, arrivals: dict[str, list[Event]]) -> str:
    """Say what a nudge brings to some nodes at once: by node, what came along each of its edges."""
    told = [_change(recording, id, parts) for id, parts in arrivals.items()]
    if len(told) > _MOST_TOLD:
        told = [*told[: _MOST_TOLD - 1], f"{len(told) - _MOST_TOLD + 1} more nodes change as well."]
    return " ".join(told)


def _change(recording: Recording, id: str, parts: list[Event]) -> str:
    """Say how a node changes, and why: "d changes by 0.1 × 1 = 0.1"."""
    name, total = recording.by_id[id].name, change_text(recording.changes[id])
    start = f"{name} changes by"
    if len(parts) > 1:
        start = f"What arrives at {name} along {len(parts)} edges adds up: {start}"
    products = [product_text(part) if is_product(part) else "" for part in parts]
    return f"{start} {' + '.join(products)} = {total}." if all(products) else f"{start} {total}."


def is_product(multiply: Event) -> bool:
    """Whether a contribution is one number times another."""
    return multiply.local is not None and not any(map(np.ndim, (multiply.local, multiply.upstream)))


def change_text(change: Any) -> str:
    """Write a change: a number, and of an array the largest of its elements."""
    if np.ndim(change) == 0:
        return written(change)
    if isinstance(change, Summary):
        return f"up to {written(max(abs(change.least), abs(change.most)))}"
    return f"up to {written(np.max(np.abs(change)))}" if change.size else written(change)


def _of_a_nudge(recording: Recording, event: Event) -> str:
    name = recording.by_id[event.node].name
    match event.kind:
        case "seed":
            return f"{name} is nudged by {change_text(event.value)}."
        case "multiply":
            user = recording.by_id[event.user or ""]
            through = f"goes through {user.operation}"
            if event.local is not None:
                through = f"is multiplied by {local_text(recording, event)}"
            return (
                f"The change {change_text(event.upstream)} of {name} {through}, and brings "
                f"{change_text(event.value)} to {user.name}."
            )
        case "accumulate":
            user_name = recording.by_id[event.user or ""].name
            if event.before is None:
                return f"{user_name} changes by {change_text(event.value)} so far."
            before, total = change_text(event.before), change_text(event.value)
            return f"Added to the {before} that {user_name} already changes by, it makes {total}."
        case _:
            return _compared(event, name, recording.values.get(event.node))


def _compared(event: Event, name: str, value: Any) -> str:
    """Say what a nudge has made of the output, by the edges and when it is computed again."""
    if event.before is None:
        return f"No path leads to {name}: the nudge does not change it."
    told = f"By the edges, {name} changes by {change_text(event.before)}"
    if event.value is None:
        return f"{told}; it could not be computed again with what is nudged."
    if same(event.value, event.before):
        return f"{told}. Computed again, it changes by just that."
    again = f"it changes by {change_text(event.value)}"
    if value is not None and not np.ndim(value) and not np.ndim(event.value):
        again = f"it goes from {written(value)} to {written(value + event.value)}, a change of "
        again += written(event.value)
    return f"{told}. Computed again, {again}."


def product_text(multiply: Event) -> str:
    """Write a multiplication of numbers: 5 × 1."""
    return " × ".join(factor(written(x)) for x in (multiply.upstream, multiply.local))


def computation(recording: Recording, node: RecordedNode, values: dict[str, Any]) -> str:
    """Write what an operation computes: d = a + b = 2 + 3 = 5."""
    inputs = [recording.by_id[x] for x in node.inputs]
    text = f"{node.name} = {applied(node.symbol, node.operation, [x.name for x in inputs])}"
    numbers = [factor(written(values[x.id])) for x in inputs if x.id in values]
    if len(numbers) == len(inputs) and not any(x.shape for x in inputs):
        with_numbers = applied(node.symbol, node.operation, numbers)
        text += f" = {with_numbers}" if text != f"{node.name} = {with_numbers}" else ""
    if node.id not in values:
        return text
    result = written(values[node.id])
    return f"{text}, of shape {result}" if result.startswith("(") else f"{text} = {result}"


def gradient_name(recording: Recording, id: str) -> str:
    """Write the name of a gradient: ∂y/∂a."""
    return derivative_name(recording.by_id[recording.output].name, recording.by_id[id].name)


def local_text(recording: Recording, event: Event) -> str:
    """Write a local derivative: "∂y/∂d = e = 2"; without a name where that would be ambiguous."""
    user, node = recording.by_id[event.user or ""], recording.by_id[event.node]
    formula = user.formulas[event.slot or 0] if user.formulas else ""
    value = written(event.local)
    parts = [derivative_name(user.name, node.name)] * (user.inputs.count(node.id) == 1)
    if np.ndim(event.local):
        parts.append(formula)
    else:
        parts += [formula] * (bool(formula) and not is_number(formula)) + [value]
    return " = ".join(parts)


def _from_nothing(recording: Recording, event: Event) -> str:
    """Say what a node hands on that has no gradient yet, in a program that goes wrong."""
    user, node = recording.by_id[event.user or ""].name, recording.by_id[event.node].name
    return (
        f"What {user} hands on to {node}, although nothing has arrived at {user}, is "
        f"{written(event.value)}"
    )


def _arriving(recording: Recording, event: Event) -> str:
    user, node = recording.by_id[event.user or ""], recording.by_id[event.node]
    start = f"The {_gradient(event.upstream)} arriving at {user.name} is"
    which = ""
    if user.inputs.count(node.id) > 1:
        which = f"its {_ordinal(event.slot or 0)} input"
    if event.local is None:
        return f"{start} taken back through {user.operation}{' to ' * bool(which)}{which}"
    factor, axes = local_text(recording, event), summed_axes(recording, event)
    if which:
        factor = f"the local derivative by {which} ({factor})"
    each = "element by element " if np.ndim(event.local) else ""
    return f"{start} multiplied {each}by {factor}" + (
        f", summed over {axes_text(axes)}" if axes else ""
    )


def _ordinal(slot: int) -> str:
    return _ORDINALS[slot] if slot < len(_ORDINALS) else f"{slot + 1}th"


def summed_axes(recording: Recording, multiply: Event) -> list[int]:
    """The axes over which a contribution was summed, to have the shape of its input."""
    user, node = recording.by_id[multiply.user or ""], recording.by_id[multiply.node]
    return stretched_axes(user, node) if np.shape(multiply.value) == node.shape else []


def stretched_axes(user: RecordedNode, node: RecordedNode) -> list[int]:
    """The axes of an elementwise operation along which one of its inputs is repeated."""
    if not user.formulas or user.shape == node.shape:
        return []
    new = len(user.shape) - len(node.shape)
    padded = (1,) * new + node.shape
    return [i for i, (n, m) in enumerate(zip(padded, user.shape)) if i < new or n != m]


def axes_text(axes: list[int]) -> str:
    """Name axes: "axis 0", "axes 0 and 2"."""
    return f"{'axis' if len(axes) == 1 else 'axes'} {joined([str(i) for i in axes])}"


def _adding(recording: Recording, event: Event, contribution: Any, product: str = "") -> str:
    node = recording.by_id[event.node]
    total = written(event.value)
    if not adds_up(recording, event, contribution):
        had = "nothing yet" if event.before is None else written(event.before)
        if event.before is not None and same(event.value, contribution):
            return f"put in the place of the {had} that {node.name} had: {total}"
        return f"given to {node.name}, which had {had} and has {total} now"
    if event.before is None:
        result = f"shape {total}" if total.startswith("(") else f"{product}{total}"
        return f"given to {node.name}, which had nothing yet: {result}"
    before = written(event.before)
    if before.startswith("("):
        return f"added to the gradient that {node.name} already has"
    return f"added to the {before} that {node.name} already has: {sum_text(event, contribution)}"


def adds_up(recording: Recording, accumulate: Event, contribution: Any) -> bool:
    """Whether a node has afterwards what it had before and the contribution; told for numbers."""
    before, value = accumulate.before, accumulate.value
    if recording.wrong == Overwrite.name:
        return before is None
    if contribution is None or any(map(np.ndim, (before, contribution, value))):
        return True
    return same(value, contribution if before is None else before + contribution)


def sum_text(event: Event, contribution: Any) -> str:
    """Write an addition of numbers: 2 + 5 = 7."""
    if contribution is None or any(map(np.ndim, (event.before, contribution, event.value))):
        return written(event.value)
    sign = "−" if contribution < 0 else "+"
    return f"{written(event.before)} {sign} {written(abs(contribution))} = {written(event.value)}"


def _ending(event: Event, is_right: bool) -> str:
    if event.note:
        return f"The pass breaks off: {event.note}."
    if event.phase == FORWARD:
        return "The forward pass is done: every value is known."
    return "The backward pass is done" + (": every gradient is complete." if is_right else ".")


def _being(value: Any, node: RecordedNode) -> str:
    text = written(value)
    if text == node.name:
        return ""
    return f", of shape {text}" if text.startswith("(") else f": {text}"


def _gradient(value: Any) -> str:
    text = written(value)
    return f"gradient of shape {text}" if text.startswith("(") else f"gradient {text}"


def table(recording: Recording) -> str:
    """Write the events as an aligned table, with the pass of each where there are several."""
    rows = []
    for place, e in enumerate(recording.events):
        numbers = [
            "" if x is None else written(x) for x in (e.upstream, e.local, e.before, e.value)
        ]
        user = f"{recording.by_id[e.user].name}, input {e.slot}" if e.user else ""
        name = recording.by_id[e.node].name
        rows.append((str(place), e.phase, e.kind, name, user, *numbers))
    titles: tuple[str, ...] = _COLUMNS
    if len({e.phase for e in recording.events}) == 1:
        titles, *rows = [(place, *others) for place, _, *others in (titles, *rows)]
    return aligned(titles, rows)


Recording.narrate = narrate
Recording.table = table
