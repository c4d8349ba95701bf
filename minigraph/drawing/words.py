"""A graph in words: the sentence that stands for its picture, and a table for plain text."""

from __future__ import annotations

from ..reading.text import UNSET
from ..reading.words import aligned, applied, joined
from .diagram import Diagram

_MOST = 700  # characters of a text alternative; a screen reader reads all of it in one breath
_ROWS, _WIDEST = 60, 40  # of a table, and the characters of its cells


def title(diagram: Diagram) -> str:
    """Name the drawing in a few words."""
    outputs = [diagram.boxes[i].full for i in diagram.outputs]
    shown = outputs[:3] + ([f"{len(outputs) - 3} more"] if len(outputs) > 3 else [])
    return f"Computational graph of {joined(shown)}"


def sentence(diagram: Diagram) -> str:
    """Say what the picture shows: "y = d × e = 10, with d = a + b = 5 and …; a = 2, b = 3 …"."""
    expressions = _expressions(diagram)
    outputs = [expressions[i] for i in diagram.outputs if i in expressions]
    others = [text for i, text in expressions.items() if i not in diagram.outputs]
    leaves = [
        _equation(box.full, box.value)
        for box in diagram.boxes
        if box.kind in ("variable", "constant", "placeholder") and box.label
    ]
    gradients = [
        _equation(second_name(diagram, box.full), box.gradient)
        for box in diagram.boxes
        if box.gradient not in (None, UNSET) and not box.gradient.startswith("(")
    ]
    lit = [box.full for box in diagram.boxes if box.highlighted]
    start = _listed(outputs or [diagram.boxes[i].full for i in diagram.outputs], 200)
    text = f"{start}, with {_listed(others, 300)}" if others else start
    if leaves:
        text += f"; {_listed(leaves, 150)}"
    text += "."
    if gradients:
        what = "Changes" if diagram.shows_changes else "Gradients"
        text += f" {what}: {_listed(gradients, 200)}."
    if lit:
        text += f" Highlighted: {_listed(lit, 100)}."
    text = f"{text} {diagram.caption}".rstrip()
    return text if len(text) <= _MOST else text[: _MOST - 1].rstrip() + "…"


def second_name(diagram: Diagram, name: str) -> str:
    """Name a gradient or a change: ∂y/∂a, Δa, "gradient of a" where it is not known of what."""
    is_known = diagram.of or diagram.shows_changes
    return diagram.second(name) if is_known else f"gradient of {name}"


def _expressions(diagram: Diagram) -> dict[int, str]:
    """For each operation and module, by position, what it computes from what."""
    inputs: dict[int, list[str]] = {}
    for edge in diagram.edges:
        inputs.setdefault(edge.head, []).append(diagram.boxes[edge.tail].full)
    texts = {}
    for i, box in enumerate(diagram.boxes):
        names = inputs.get(i, [])
        if box.kind == "operation":
            formula = applied(box.symbol, box.operation, names)
            texts[i] = _equation(f"{box.full} = {formula}", box.value)
        elif box.kind == "module" and names:
            what = f"{box.full} ({box.operation})" if box.label else box.full
            texts[i] = f"{what} on {_listed(names, 80)}"
    return texts


def _equation(left: str, value: str | None) -> str:
    if value is None or value == UNSET:
        return left
    return f"{left} {value}" if value.startswith("(") else f"{left} = {value}"


def _listed(items: list[str], most: int) -> str:
    """Join items with commas and "and", leaving out those beyond `most` characters, counted."""
    length, shown = 0, 0
    for item in items:
        length += len(item) + 2
        if length > most and shown:
            break
        shown += 1
    left = len(items) - shown
    return joined(items[:shown] + ([f"{left:,} more"] if left else []))


def table(diagram: Diagram) -> str:
    """Write the graph as an aligned table: node, operation, inputs, value, gradient."""
    inputs: dict[int, list[str]] = {}
    for edge in diagram.edges:
        inputs.setdefault(edge.head, []).append(diagram.boxes[edge.tail].full)
    of = f"∂{diagram.of}/∂node" if diagram.of else "gradient"
    if diagram.shows_changes:
        of = "change"
    titles = ["node", "operation", "inputs", "value"] + [of] * diagram.shows_gradients
    rows = []
    for i, box in enumerate(diagram.boxes):
        name = box.full if box.label or box.kind != "module" else "…"
        row = [name, box.operation, ", ".join(inputs.get(i, [])), box.value or ""]
        row += [box.gradient or ""] * diagram.shows_gradients
        rows.append([_cell(text) for text in row])
    text = aligned([_cell(title) for title in titles], rows, most=_ROWS)
    return f"{text}\n{diagram.caption}" if diagram.caption else text


def _cell(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
