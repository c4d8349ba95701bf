"""What a learner types, read kindly: a number, a shape, names; and when it counts as right."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ..recording.data import ABSOLUTE, RELATIVE

MOST = 200  # characters of what a learner types; patterns are slow on very long texts
TOLERANCE = 5e-3  # relative: what a drawing shows rounded may be said rounded
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.I)
_RATIO = re.compile(rf"({_NUMBER.pattern})\s*/\s*({_NUMBER.pattern})", re.I)
_NAME = re.compile(r"[^\W\d]\w*[′']*")
_BETWEEN = {"and", "then", "both", "only", "none"}  # words that stand around names


def typed_number(text: str) -> float | None:
    """The only number in a text, "2 boxes" or "−1/3"; None if there is none, or another one."""
    if len(text) > MOST:
        return None
    text = text.replace("−", "-").replace("–", "-").lower()
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    text = text.rpartition("=")[2]
    if ratio := _RATIO.search(text):
        above, below = map(float, ratio.groups())
        rest = text[: ratio.start()] + text[ratio.end() :]
        return above / below if below and not _NUMBER.search(rest) else None
    numbers = [float(digits) for digits in _NUMBER.findall(text)]
    numbers += [float(_WORDS.index(word)) for word in re.findall(r"[a-z]+", text) if word in _WORDS]
    return numbers[0] if len(numbers) == 1 else None


def typed_shape(text: str) -> tuple[int, ...] | None:
    """The shape in a text, "(3, 4)" or "3 × 4"; "()" and "scalar" are that of one number."""
    if len(text) > MOST:
        return None
    if re.search(r"\d", text):
        return None if re.search(r"[-−.]\s*\d", text) else tuple(map(int, re.findall(r"\d+", text)))
    is_empty = re.fullmatch(r"\(\s*\)|a?\s*scalar", text.strip().lower())
    return () if is_empty else None


def typed_names(text: str) -> list[str]:
    """The names in a text in their order: "d, e", "[d, e]" or "first d, then e"."""
    return [name for name in _NAME.findall(text) if name.lower() not in _BETWEEN]


def is_as_said(said: Any, true: Any) -> bool:
    """Whether a number or a shape is the true one: to the last digit, or as a drawing rounds it.

    What a drawing shows in full, as 6 or 0.25, has to be said in full.
    """
    if isinstance(said, tuple) or isinstance(true, tuple):
        return bool(said == true)
    is_short = not math.isfinite(true) or float(f"{true:.4g}") == true
    tolerance = RELATIVE if is_short else TOLERANCE
    return bool(np.isclose(said, true, rtol=tolerance, atol=ABSOLUTE, equal_nan=True))
