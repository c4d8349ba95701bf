"""What a data set is: examples to train on, examples to test on, and where they come from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import index
from typing import Any

import numpy as np

from ..core.node import Node
from ..errors import NodeTypeError, SettingError, ShapeError


@dataclass(frozen=True, eq=False)
class Split:
    """Examples: `x[i]` is what is known of the i-th, `y[i]` what is to be found out.

    Raises:
        NodeTypeError: if x or y is not made of real numbers.
        ShapeError: if there is no example, not one y for each x, or rows differ in length.
    """

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            array = _as_array(name, getattr(self, name))
            if array.dtype.kind not in "fiub":
                raise NodeTypeError(f"{name} holds real numbers, not {array.dtype}")
            object.__setattr__(self, name, array)
        if not self.x.ndim or not self.y.ndim or len(self.x) != len(self.y):
            raise ShapeError(
                f"x of shape {self.x.shape} and y of shape {self.y.shape} are no pairs of "
                "examples: their first axes must have the same size"
            )
        if not len(self.x):
            raise ShapeError(f"there is no example in x of shape {self.x.shape}")

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"<{len(self):,} examples, x {self.x.shape[1:]}, y {self.y.shape[1:]}>"

    def batches(
        self, size: int, generator: np.random.Generator | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs (x, y) of so many examples each, until every example was there once.

        Args:
            size: examples in a batch; the last batch holds what is left.
            generator: shuffles them; None leaves them in their order.

        Raises:
            SettingError: if the size is no whole number from 1 to the number of examples.
            NodeTypeError: if the generator is none.
        """
        size = checked_size(size, len(self))
        order = self.order(generator)
        return (
            (self.x[order[i : i + size]], self.y[order[i : i + size]])
            for i in range(0, len(self), size)
        )

    def order(self, generator: np.random.Generator | None = None) -> np.ndarray:
        """The places of all examples, in the order that the generator draws."""
        if generator is None:
            return np.arange(len(self))
        return checked_generator(generator).permutation(len(self))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples in two parts, with their source.

    Attributes:
        name: of the data set.
        train, test: what to learn from, and what to keep for the test.
        classes: what the numbers in y mean.
        features: what the columns of x mean, where these have names.
        source, licence, citation: where it comes from, what it may be used for, whom to cite.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    citation: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}: to train on {self.train!r}, to test on {self.test!r}>"

    def standardized(self) -> Dataset:
        """The same set with each column of x moved to mean 0 and scaled to standard deviation 1.

        Both are measured on the examples to train on alone, for the others are not known yet.
        """
        mean, std = self.train.x.mean(axis=0), self.train.x.std(axis=0)
        std = np.where(std > 0, std, 1.0)
        train, test = (Split((part.x - mean) / std, part.y) for part in (self.train, self.test))
        return replace(self, train=train, test=test)


@dataclass(frozen=True, eq=False, repr=False)
class Text(Dataset):
    """A text as numbers: y holds for each character of x the number of the one that follows.

    Attributes:
        characters: all that occur; the number of a character is its place here.
    """

    characters: str = ""

    def encode(self, text: str) -> np.ndarray:
        """The numbers of the characters of a text.

        Raises:
            NodeTypeError: if it is no text.
            SettingError: if the text has a character that this one has not.
        """
        if not isinstance(text, str):
            raise NodeTypeError(f"a text is a string, not {type(text).__name__} {text!r:.40}")
        places = {c: i for i, c in enumerate(self.characters)}
        for c in text:
            if c not in places:
                raise SettingError(f"{c!r} is none of the {len(places)} characters of {self.name}")
        return np.array([places[c] for c in text], int)

    def decode(self, codes: Any) -> str:
        """The text that numbers of characters stand for.

        Raises:
            NodeTypeError: if they are no whole numbers.
            SettingError: if a number is that of no character.
        """
        numbers = _as_array("codes", codes)
        if numbers.size and numbers.dtype.kind not in "iu":
            raise NodeTypeError(f"codes are whole numbers, not {numbers.dtype}")
        wrong = numbers[(numbers < 0) | (numbers >= len(self.characters))]
        if wrong.size:
            raise SettingError(
                f"{wrong.flat[0]} is none of the numbers 0 to {len(self.characters) - 1} of the "
                f"characters of {self.name}"
            )
        return "".join(self.characters[i] for i in numbers.ravel())


def _as_array(what: str, value: Any) -> np.ndarray:
    """What is given as an array, or in a Node."""
    try:
        return np.asarray(value.value if isinstance(value, Node) else value)
    except ValueError:
        raise ShapeError(
            f"{what} is no array: its rows have different lengths; cut or fill them to one length"
        ) from None


def checked_size(size: Any, examples: int) -> int:
    """Return the size of a batch if there are so many examples."""
    number = checked_count("the size of a batch", size)
    if number > examples:
        raise SettingError(
            f"a batch of {number:,} is larger than the data, which have {examples:,} examples"
        )
    return number


def checked_count(what: str, value: Any, least: int = 1) -> int:
    """Return a whole number that is large enough."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise SettingError(f"{what} is a whole number from {least} up, not {value!r:.40}")
    return number


def is_number(value: Any) -> bool:
    """Whether a setting is a real number that a float can hold, or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return not isinstance(value, int) or abs(value) <= sys.float_info.max


def checked_generator(generator: Any) -> np.random.Generator:
    """Return what random numbers are drawn from."""
    if not isinstance(generator, np.random.Generator):
        raise NodeTypeError(
            "random numbers come from a generator such as np.random.default_rng(0), not "
            f"{type(generator).__name__} {generator!r:.40}"
        )
    return generator
