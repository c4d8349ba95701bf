"""How numbers, values and names are written for a reader, and how wide they come out."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

LONGEST = 300  # characters of a name; no reader needs more, and all that is measured stays short
LONGEST_VECTOR = 4  # numbers of a vector that is written out
WIDEST_VECTOR = 6.065  # ems that they may take
UNSET = "–"  # nothing has been computed here yet

_MOST_QUOTED = 12  # names in a message
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(x: Any) -> str:
    """Write a number with up to four significant digits: 7, −0.3333, 1.23×10⁻⁹, ∞, NaN.

    Whole numbers below a million are written in full, powers of ten with up to three digits.
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    x = float(x) + 0.0  # no sign on a zero
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == int(x) and abs(x) < 1_000_000:
        digits = f"{x:.0f}"
    elif 1e-4 <= abs(x) < 1_000_000:
        digits = f"{x:.4g}" if abs(x) < 9999.5 else f"{x:.0f}"
    else:
        mantissa, exponent = f"{x:.2e}".split("e")
        digits = f"{mantissa.rstrip('0').rstrip('.')}×10{superscript(int(exponent))}"
    return digits.replace("-", "−")


def factor(text: str) -> str:
    """Write a number as it stands in a product: a negative one in parentheses."""
    return f"({text})" if text.startswith("−") else text


def subscript(n: int) -> str:
    """Write a whole number below the line."""
    return str(n).translate(_SUBSCRIPTS)


def superscript(n: int) -> str:
    """Write a whole number above the line."""
    return str(n).replace("-", "−").translate(_SUPERSCRIPTS)


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as a reader says it: 32 × 4."""
    return " × ".join(map(str, shape))


def value_text(value: Any) -> str:
    """Write a value: a number, the numbers of a short vector, or the shape of any other array."""
    if np.ndim(value) == 0:
        return number(value)
    if value.ndim == 1 and value.size <= LONGEST_VECTOR:
        numbers = f"[{', '.join(map(number, value))}]"
        if ems(numbers) <= WIDEST_VECTOR:
            return numbers
    return f"({shape_text(value.shape)})"


def clean(name: str) -> str:
    """Make a name fit for one line of any picture, page or terminal, of LONGEST characters at most.

    Nothing is left that controls, breaks or turns a line, and of a longer name the two ends.
    """
    if len(name) > LONGEST:
        name = f"{name[: LONGEST // 2]}…{name[-(LONGEST // 2 - 1) :]}"
    return one_line(name) or "�"


def one_line(text: str) -> str:
    """Make a text fit for one line, as `clean` does for names, of whatever length."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (
        " " if c.isspace() else "�" if unicodedata.category(c) in ("Cs", "Cn", "Co") else c
        for c in text
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf") or c == "\u200d"
    )
    return " ".join("".join(kept).split())


def quoted(names: Sequence[str]) -> str:
    """Name what there is to choose from, the first of many."""
    shown = ", ".join(f"{name!r:.60}" for name in names[:_MOST_QUOTED])
    return f"{shown} and {len(names) - _MOST_QUOTED:,} more" if len(names) > _MOST_QUOTED else shown


# Widths of DejaVu Sans in hundredths of the font size, rounded up. It is wider than the other fonts
# of the list in drawing/theme.py, so text that fits in it fits in all of them.
_WIDTHS = {
    char: hundredths / 100
    for hundredths, chars in {
        28: "'ijl′",
        32: " ,.IJ·",
        36: "/:;\\f|",
        40: "()-[]tᵀ",
        44: "!r²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉",
        48: '"',
        52: "*_`∂–",
        56: "?Lcsz⁻ε",
        60: "Fkvxyγλ",
        68: "Kαφ∇",
        72: "ABCRVXZΔ",
        76: "HNU",
        80: "&DGOQ",
        84: "#+<=>^w~×−÷±∞ω≥≤↔",
        88: "M",
        100: "%@Wm…",
    }.items()
    for char in chars
}


def ems(text: str) -> float:
    """Estimate how wide a text is, as a multiple of the font size, on the safe side."""
    return math.fsum(_WIDTHS.get(c) or _other_width(c) for c in text)


def _other_width(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(char) in "WF" else 0.64
