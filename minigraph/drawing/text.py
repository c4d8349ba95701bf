"""How wide a text comes out in a drawing, and how it is made to fit."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

from ..reading.formula import as_word
from ..reading.text import ems


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """Estimate how wide a text is, in pixels, on the safe side."""
    return ems(text) * size * (1.1 if bold else 1.0)


@lru_cache(maxsize=4096)
def elided(text: str, room: float, size: float, bold: bool = False) -> str:
    """Shorten a text in its middle until it fits: "hidden_…_weight"."""
    if width(text, size, bold) <= room:
        return text

    def short(kept: int) -> str:
        return text[: (kept + 1) // 2].rstrip() + "…" + text[len(text) - kept // 2 :].lstrip()

    def measured(kept: int) -> float:
        return width.__wrapped__(short(kept), size, bold)

    most = 8  # the more is kept the wider it is, so twice as much until it is too much
    while most < len(text) and measured(most) <= room:
        most *= 2
    fits = bisect_right(range(3, min(most, len(text))), room, key=measured)
    return short(fits + 2) if fits else text[:1] + "…"


def elided_derivative(of: str, by: str, room: float, size: float) -> str:
    """Write ∂of/∂by, each name shortened where both do not fit into `room`."""
    of, by = as_word(of), as_word(by)
    half = (room - width("∂/∂", size)) / 2
    spare = [max(0.0, half - width(name, size)) for name in (by, of)]
    return f"∂{elided(of, half + spare[0], size)}/∂{elided(by, half + spare[1], size)}"
