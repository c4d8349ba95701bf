"""Breakpoints: where the player stops when it is told to run until something happens."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..reading import Reading
from ..reading.text import number
from ..recording import Recording
from ..recording.data import Summary
from ..recording.events import BACKWARD, Event

NAN, OVER = "nan", "over"  # kinds of breakpoints beside nodes, which have their ids
LONG = 30  # steps, from where on breakpoints are offered
_MOST_NODES = 40  # that can be chosen
_SAID = {NAN: "a number is NaN or infinite", OVER: "a gradient is larger than {most}"}


def numbers_of(event: Event) -> dict[str, Any]:
    """What a breakpoint looks at in a step: NaN and infinity, and how large a gradient is."""
    with np.errstate(all="ignore"):
        most = _most(event.value)
    if not np.isfinite(most):
        return {"strange": True, "most": None}
    return {"most": most} if event.phase == BACKWARD and event.kind != "done" else {}


def _most(value: Any) -> float:
    """The largest absolute number of a value; one that is not finite if there is any."""
    if isinstance(value, Summary):
        return float(np.max(np.abs([value.least, value.most])))
    if value is None or not np.size(value) or np.asarray(value).dtype.kind not in "fiu":
        return 0.0
    return float(np.max(np.abs(np.asarray(value, float))))


def until(wanted: Any, reading: Reading, recording: Recording) -> tuple[str, float]:
    """The breakpoint that is meant: its kind, or the id of a node, and a size for gradients.

    Raises:
        MinigraphError: for something that is none, or a node that is not in the graph.
    """
    if isinstance(wanted, Node):
        reading.check_members([wanted])
        (stands,) = reading.graph.standing_for([wanted])
        return reading.ids[stands], 0.0
    if isinstance(wanted, str):
        if wanted == NAN:
            return NAN, 0.0
        names = {node.name: node.id for node in recording.nodes}
        if wanted in names:
            return names[wanted], 0.0
        spelled = {name.casefold(): name for name in [*names, NAN]}
        spelled |= dict.fromkeys(("inf", "infinity", "-inf"), NAN)  # which are met there as well
        near = get_close_matches(wanted.casefold(), spelled, 1)
        hint = f"; did you mean {spelled[near[0]]!r}?" if near else ""
        raise MinigraphError(f"there is no node {wanted!r:.60} to run to{hint}")
    is_number = isinstance(wanted, int | float | np.number) and not isinstance(wanted, bool)
    if not is_number or not wanted >= 0:
        raise NodeTypeError(
            f'until is "nan", a node or its name, or a size that gradients have, not {wanted!r:.40}'
        )
    return OVER, float(wanted)


def stop_after(steps: list[dict[str, Any]], kind: str, most: float, start: int = 0) -> int | None:
    """How many steps there are to the first after `start` at which to stop; None if there is none.

    The end of a pass is no step of a node.
    """
    places = (n for n, s in enumerate(steps[start:], start + 1) if is_met(s, kind, most))
    return next(places, None)


def is_met(step: dict[str, Any], kind: str, most: float) -> bool:
    """Whether a step is one at which to stop."""
    if kind == NAN:
        return bool(step.get("strange"))
    if kind == OVER:
        is_over = bool(step.get("strange")) or step.get("most", 0.0) > most
        return step["phase"] == BACKWARD and is_over
    return bool(step.get("node") == kind)


def said(recording: Recording, kind: str, most: float) -> str:
    """A breakpoint in words: "a number is NaN or infinite", "d is reached"."""
    if kind in _SAID:
        return _SAID[kind].format(most=number(most))
    return f"{recording.by_id[kind].name} is reached"


def breakpoints(
    recording: Recording, steps: list[dict[str, Any]], chosen: tuple[str, float] | None
) -> dict[str, Any] | None:
    """What can be chosen in the player; None for short passes in which nothing is strange."""
    if chosen is None and len(steps) < LONG and not any(s.get("strange") for s in steps):
        return None
    kind, most = chosen or ("", 0.0)
    return {"kind": kind, "most": most or 1.0, "options": [*_options(recording, steps, kind)]}


def _options(
    recording: Recording, steps: list[dict[str, Any]], kind: str
) -> Iterator[tuple[str, str]]:
    yield NAN, "NaN or ∞"
    if any(step["phase"] == BACKWARD for step in steps):
        yield OVER, "a gradient over"
    ids = dict.fromkeys(step["node"] for step in steps if "node" in step)
    shown = [*ids][:_MOST_NODES]
    for id in shown if kind in shown or kind not in ids else [*shown, kind]:
        yield id, recording.by_id[id].name
