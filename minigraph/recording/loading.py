"""Read the JSON of a recording, and refuse what could not be narrated, compared or played.

Whatever a text says, what comes of it is a recording that works, or an error that names its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from ..errors import FormatError
from ..graph.saving import parsed, read_shape
from ..reading.text import one_line
from .data import decoded
from .events import (
    BACKWARD,
    FORWARD,
    KINDS,
    NUDGE,
    NUMBERS,
    SCHEMA,
    VERSION,
    Event,
    RecordedNode,
    Recording,
)
from .sweeps import MISCONCEPTIONS

_KNOWN: dict[type, dict[str, bool]] = {  # the fields, and whether each must be there
    kind: {field.name: field.default is MISSING for field in fields(kind)}
    for kind in (RecordedNode, Event)
}
_ID = re.compile("n(0|[1-9][0-9]{0,17})")
_NODE_KINDS = ("variable", "constant", "operation")
_EVENT_KINDS = {
    FORWARD: {"visit", "compute", "done"},
    BACKWARD: {*KINDS} - {"compute"},
    NUDGE: {*KINDS} - {"compute", "visit", "hook"},
}
_ON_AN_EDGE = ("multiply", "accumulate")  # these name the user and the slot
_WITH_A_VALUE = ("compute", "seed", "hook", *_ON_AN_EDGE)


def from_json(text: str) -> Recording:
    """Read what `to_json` has written.

    Raises:
        FormatError: naming the node or the event that is wrong, if it is something else.
    """
    try:
        document = parsed(text)
        schema, version = document["schema"], document["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FormatError("this is no recording: it has no schema and version") from None
    if (schema, version) != (SCHEMA, VERSION):
        raise FormatError(
            f"this is {schema!r:.40} version {version!r:.40}, and what can be read is {SCHEMA!r} "
            f"version {VERSION}"
        )
    known: dict[str, RecordedNode] = {}
    nodes = _each(document, "nodes", lambda row: _node(row, known))
    values: set[str] = set()
    events = _each(document, "events", lambda row: _event(row, known, values))
    _check_ends(events)
    output, wrong = document.get("output"), document.get("wrong")
    if not isinstance(output, str) or output not in known:
        raise FormatError(f"the output {output!r:.40} is none of the nodes")
    if wrong != "" and (not isinstance(wrong, str) or wrong not in MISCONCEPTIONS):
        raise FormatError(f"there is no misconception {wrong!r:.40}")
    return Recording((*nodes,), (*events,), output, wrong)


def _each(document: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> list[Any]:
    """Read a list, row after row; an error names the row."""
    rows = document.get(name)
    if not isinstance(rows, list):
        raise FormatError(f'the recording has no list of "{name}"')
    made = []
    for place, row in enumerate(rows):
        try:
            made.append(read(row))
        except Exception as error:  # whatever a broken or hostile text may cause
            raise FormatError(f"{name[:-1]} {place}: {error}") from None
    return made


def _fields(row: Any, kind: type) -> dict[str, Any]:
    """The fields of a row, which are those of a dataclass; some may be missing."""
    if not isinstance(row, dict):
        raise ValueError(f"it is an object, not {row!r:.40}")
    known = _KNOWN[kind]
    if strange := row.keys() - known.keys():
        raise ValueError(f"it has no {min(strange)!r:.40}")
    if missing := [name for name, is_needed in known.items() if is_needed and name not in row]:
        raise ValueError(f"its {missing[0]} is missing")
    return row


def _node(row: Any, known: dict[str, RecordedNode]) -> RecordedNode:
    """Read a node, which is known then; its inputs are known before it."""
    row = _fields(row, RecordedNode)
    texts = {name: _text(row[name], name) for name in ("name", "operation", "symbol", "scope")}
    id, kind, inputs, shape = (row[name] for name in ("id", "kind", "inputs", "shape"))
    if not isinstance(id, str) or not _ID.fullmatch(id) or id in known:
        raise ValueError(f'its id is "n" and a number of its own, not {id!r:.40}')
    if kind not in _NODE_KINDS:
        raise ValueError(f"its kind is {', '.join(_NODE_KINDS)}, not {kind!r:.40}")
    if not texts["name"]:
        raise ValueError("its name is empty")
    if not isinstance(inputs, list) or not all(isinstance(x, str) and x in known for x in inputs):
        raise ValueError(f"its inputs are nodes before it, not {inputs!r:.40}")
    if inputs and kind != "operation":
        raise ValueError(f"a {kind} has no inputs")
    formulas = row["formulas"]
    if not isinstance(formulas, list) or len(formulas) not in (0, len(inputs)):
        raise ValueError("it has one formula for each input, or none")
    if not isinstance(row["differentiable"], bool):
        raise ValueError("differentiable is true or false")
    known[id] = RecordedNode(
        id=id,
        kind=kind,
        inputs=tuple(inputs),
        shape=read_shape(shape),
        formulas=tuple(_text(formula, "formula") for formula in formulas),
        differentiable=row["differentiable"],
        **texts,
    )
    return known[id]


def _event(row: Any, known: Mapping[str, RecordedNode], values: set[str]) -> Event:
    """Read an event; `values` are the nodes that have a value so far."""
    row = _fields(row, Event)
    kind, phase, node = (row[name] for name in ("kind", "phase", "node"))
    if not isinstance(phase, str) or kind not in _EVENT_KINDS.get(phase, ()):
        raise ValueError(f"there is no {kind!r:.40} in a pass {phase!r:.40}")
    if not isinstance(node, str) or node not in known:
        raise ValueError(f"there is no node {node!r:.40}")
    numbers = {name: decoded(row[name]) for name in NUMBERS if row.get(name) is not None}
    _check_edge(kind, known[node], row, known)
    event = Event(**{**row, **numbers, "note": _text(row.get("note", ""), "note")})
    if kind in _WITH_A_VALUE and event.value is None:
        raise ValueError(f"{kind} has a value")
    if kind == "hook" and event.before is None:
        raise ValueError("a hook sees a gradient")
    if event.local is not None and event.upstream is None:
        raise ValueError("its local derivative multiplies nothing")
    if (kind, phase) == ("multiply", NUDGE) and event.upstream is None:
        raise ValueError("it has the change that goes along the edge")
    if phase == FORWARD:
        _check_forward(event, known[node], values)
    return event


def _check_edge(
    kind: str, node: RecordedNode, row: Mapping[str, Any], known: Mapping[str, RecordedNode]
) -> None:
    user, slot = row.get("user"), row.get("slot")
    if kind not in _ON_AN_EDGE:
        if user is not None or slot is not None:
            raise ValueError(f"{kind} has no user and no slot")
        return
    if not isinstance(user, str) or user not in known:
        raise ValueError(f"there is no user {user!r:.40}")
    inputs = known[user].inputs
    if type(slot) is not int or not 0 <= slot < len(inputs) or inputs[slot] != node.id:
        raise ValueError(f"{node.id} is not input number {slot!r:.40} of {user}")


def _check_forward(event: Event, node: RecordedNode, values: set[str]) -> None:
    """A leaf is given its value; an operation is visited, and computes its own of its inputs'."""
    is_given = event.kind == "visit" and node.kind != "operation"
    if is_given or event.kind == "compute":
        if not is_given and (node.kind != "operation" or not values.issuperset(node.inputs)):
            raise ValueError(f"{node.id} cannot be computed before its inputs")
        if event.value is None or np.shape(event.value) != node.shape:
            raise ValueError(f"the value of {node.id} has the shape {node.shape}")
        values.add(node.id)
    elif event.value is not None:
        raise ValueError(f"{event.kind} has no value here")


def _check_ends(events: list[Event]) -> None:
    """Each pass ends, once, and the forward pass before another begins."""
    phases = [event.phase for event in events]
    if phases != sorted(phases, key=(FORWARD, BACKWARD, NUDGE).index):
        raise FormatError(
            "the forward pass comes before the backward pass, and that before a nudge"
        )
    for phase in {*phases}:
        *before, last = (event.kind for event in events if event.phase == phase)
        if last != "done" or "done" in before:
            raise FormatError(f"the {phase} pass ends with one event done")


def _text(text: Any, name: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"its {name} is a text, not {text!r:.40}")
    return text if name == "scope" else one_line(text)


Recording.from_json = staticmethod(from_json)
