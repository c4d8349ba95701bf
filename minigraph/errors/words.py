"""The words in which messages name a Node and its value."""

from __future__ import annotations

from typing import Any

import numpy as np


def describe(node: Any) -> str:
    """Name a Node in a message: "h (add, shape (3, 4))"."""
    what = printable(node.op.name) if node.op else node.kind
    label = (node.name and printable(node.name)) or (
        f"the {what}" if node.op or node.shape else f"the {what} {node._value}"
    )
    shape = f"shape {node.shape}"
    return f"{label} ({what}, {shape})" if node.name else f"{label} ({shape})"


def brief(value: Any) -> str:
    """Write a value in a few characters: the number, a short array, or dtype and shape."""
    if np.ndim(value) == 0:
        return str(value)
    if np.size(value) <= 6:
        return np.array2string(np.asarray(value), precision=4, separator=", ").replace("\n", "")
    return f"{value.dtype} of shape {value.shape}"


def printable(text: str) -> str:
    """A text with escapes for what moves a terminal's cursor, or cannot be seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
