"""Real data: handwritten digits, penguins, and a book. Each says where it comes from.

The files are compressed arrays, as `prepare.py` has made them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import SettingError
from .sets import Dataset, Split, Text, checked_count

FILES = Path(__file__).parent / "files"


def digits() -> Dataset:
    """1,797 handwritten digits, 1,437 of them to train on.

    x has shape (n, 64): 8 by 8 pixels row by row, from 0 (paper) to 1 (ink); for a convolution,
    `x.reshape(-1, 1, 8, 8)`. y is the digit. The same 13 people wrote in both parts.
    """
    arrays = _arrays("digits")
    return Dataset(
        "digits",
        *_parts(arrays["x"] / 16, arrays["y"].astype(int), test=360),
        classes=tuple("0123456789"),
        source="the test set of Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, as scikit-learn carries it; put in random order",
        licence="Creative Commons Attribution 4.0 International (CC BY 4.0)",
        citation="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI "
        "Machine Learning Repository, 1998, doi:10.24432/C50P49",
    )


def penguins() -> Dataset:
    """342 penguins of three species, measured in the Palmer Archipelago; 274 to train on.

    x has shape (n, 4), in millimetres and grams, as `features` says; y is the species. Networks
    want the columns on one scale: `penguins().standardized()`.
    """
    arrays = _arrays("penguins")
    return Dataset(
        "penguins",
        *_parts(arrays["x"], arrays["y"].astype(int), test=68),
        classes=("Adelie", "Chinstrap", "Gentoo"),
        features=("bill length, mm", "bill depth, mm", "flipper length, mm", "body mass, g"),
        source="palmerpenguins 0.1.6, without the two penguins that were not measured; put in "
        "random order",
        licence="Creative Commons Zero 1.0 (CC0), public domain",
        citation="K. B. Gorman, T. D. Williams and W. R. Fraser, Ecological sexual dimorphism and "
        "environmental variability within a community of Antarctic penguins (genus Pygoscelis), "
        "PLoS ONE 9(3), 2014, e90081, doi:10.1371/journal.pone.0090081",
    )


def alice(length: int = 32) -> Text:
    """Alice's Adventures in Wonderland, cut into pieces of so many characters.

    x and y have shape (n, length), where y holds for each character the one that follows. The last
    tenth of the book is for the test.

    Args:
        length: of a piece.

    Raises:
        SettingError: if the length is no whole number, or makes fewer than ten pieces.
    """
    length = checked_count("the length of a piece", length)
    text = _arrays("alice")["text"].tobytes().decode("ascii")
    characters = "".join(sorted(set(text)))
    codes = np.searchsorted([*characters], [*text])
    n = (len(codes) - 1) // length
    if n < 10:
        raise SettingError(f"pieces of {length:,} characters are too long: there would be {n}")
    x, y = (codes[i : i + n * length].reshape(n, length) for i in (0, 1))
    cut = n - n // 10
    return Text(
        "alice",
        Split(x[:cut], y[:cut]),
        Split(x[cut:], y[cut:]),
        classes=tuple(characters),
        source="alice29.txt of the Canterbury Corpus, as the source of brotli 1.2.1 carries it; "
        "line ends and spaces made plain",
        licence="public domain",
        citation="L. Carroll, Alice's Adventures in Wonderland, Macmillan, London, 1865",
        characters=characters,
    )


def _arrays(name: str) -> dict[str, np.ndarray]:
    with np.load(FILES / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def _parts(x: np.ndarray, y: np.ndarray, test: int) -> tuple[Split, Split]:
    """All examples but the last ones, and these."""
    return Split(x[:-test], y[:-test]), Split(x[-test:], y[-test:])
