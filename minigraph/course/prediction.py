"""What a prediction is: a question, the parts of its answer, and the truth, which is computed.

A row of the catalogue is a function that works out the truth; its docstring is what is explained
once the learner has committed to a guess:

    @prediction("How many boxes has the graph of a + a for a?", boxes=Number("boxes", {2: "..."}))
    def boxes_of_a_sum() -> Truth:
        '''One box: a letter that is written twice is one box with two arrows.'''
        a = variable(1.0, name="a")
        return Truth(boxes=len((a + a).leaves()))

Each part says how a guess is read. Reading is kind: "2 boxes" is a number, and "[d, e]" are names.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any, ClassVar

from ..core.node import Node
from ..drawing import Drawing
from ..reading.text import number
from ..widgets.typed import is_as_said, typed_names, typed_number, typed_shape
from .answers import as_number, as_whole, items_of

MOST = 1e300  # what is larger is not told apart


@dataclass(frozen=True)
class Part(ABC):
    """One thing that is asked for.

    Attributes:
        label: what it is, in a word or two; *stars* make names of nodes italic.
        wrong: sentences about known wrong ideas, by the guess that each leads to.
    """

    label: str
    wrong: Mapping[Any, str] = field(default_factory=dict)
    kind: ClassVar[str] = "text"

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return "a word"

    @abstractmethod
    def read(self, said: Any) -> Any:
        """Return a guess, a text or a Python value, as plain data; None if it cannot be read."""

    def same(self, guess: Any, other: Any) -> bool:
        """Whether two guesses that were read are the same."""
        return bool(guess == other)

    def show(self, guess: Any) -> str:
        """Write a guess or the truth for the learner."""
        return str(guess)

    @property
    def words(self) -> tuple[str, ...]:
        """What there is to choose from, if anything."""
        return ()


@dataclass(frozen=True)
class Number(Part):
    """A number."""

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return "a number"

    def read(self, said: Any) -> float | None:
        """Read a number, or a text with one number in it."""
        read = typed_number(said) if isinstance(said, str) else as_number(said)
        # a whole number may be larger than any float, which the truth is compared as
        return read if read is None or abs(read) < MOST else inf if read > 0 else -inf

    def same(self, guess: float, other: float) -> bool:
        """Compare, as a drawing rounds."""
        return is_as_said(guess, other)

    def show(self, guess: float) -> str:
        """Write the number."""
        return number(guess)


@dataclass(frozen=True)
class Shape(Part):
    """The shape of an array; () is that of a single number."""

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return "a shape such as (3, 4)"

    def read(self, said: Any) -> tuple[int, ...] | None:
        """Read a shape as it is typed, or a tuple or list of whole numbers."""
        if isinstance(said, str):
            return typed_shape(said)
        sizes = items_of(said)
        if sizes is None:
            sizes = [said]
        whole = [n for size in sizes if (n := as_whole(size)) is not None and 0 <= n < MOST]
        return tuple(whole) if len(whole) == len(sizes) else None

    def show(self, guess: tuple[int, ...]) -> str:
        """Write the shape as NumPy does, which tells (3,) from a number."""
        return str(guess) if guess else "(), one number"


@dataclass(frozen=True)
class Text(Part):
    """A word; capitals and spaces make no difference."""

    def read(self, said: Any) -> str | None:
        """Read a text that is not empty."""
        return " ".join(said.lower().split()) or None if isinstance(said, str) else None


@dataclass(frozen=True)
class Choice(Part):
    """One of a few words."""

    among: tuple[str, ...] = ()
    kind: ClassVar[str] = "choice"

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return f"one of {', '.join(self.words)}"

    def read(self, said: Any) -> str | None:
        """Read one of the words, whatever its capitals."""
        said = said.name if isinstance(said, Node) else said
        known = {word.lower(): word for word in self.words}
        return known.get(" ".join(said.lower().split())) if isinstance(said, str) else None

    @property
    def words(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return self.among


@dataclass(frozen=True)
class Order(Part):
    """Names in an order. The truth is the list of all orders that are right."""

    among: tuple[str, ...] = ()

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return "names, in order"

    def read(self, said: Any) -> tuple[str, ...] | None:
        """Read names from a text, a list of names or a list of Nodes; at least one."""
        return _names(said, self.among) or None

    def same(self, guess: tuple[str, ...], other: Any) -> bool:
        """Compare with a guess, or with all that are right."""
        return guess in other if isinstance(other, list) else guess == other

    def show(self, guess: Any) -> str:
        """Write the names in their order."""
        orders = guess if isinstance(guess, list) else [guess]
        return " or ".join(", ".join(order) for order in orders)


@dataclass(frozen=True)
class Names(Part):
    """A set of names, in any order."""

    among: tuple[str, ...] = ()
    kind: ClassVar[str] = "several"

    @property
    def asked_for(self) -> str:
        """What a guess looks like."""
        return f"some of {', '.join(self.words)}"

    def read(self, said: Any) -> frozenset[str] | None:
        """Read names as `Order` does, and forget their order."""
        names = _names(said, self.among)
        return None if names is None else frozenset(names)

    def show(self, guess: frozenset[str]) -> str:
        """Write the names as they are offered."""
        return ", ".join(name for name in self.words if name in guess) or "none"

    @property
    def words(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return self.among


@dataclass(frozen=True)
class Boxes(Names):
    """Nodes of the prediction's graph, on which the learner clicks."""

    kind: ClassVar[str] = "boxes"


class Truth(dict[str, Any]):
    """The truth of each part, and a picture that makes it plain."""

    def __init__(self, picture: Drawing | None = None, /, **parts: Any) -> None:
        super().__init__(parts)
        self.picture = picture


@dataclass(frozen=True)
class Prediction:
    """A question, and what is said about a guess.

    Attributes:
        name: what a lesson calls it by.
        lesson: the name of the lesson's notebook.
        question: the question in short.
        parts: what is asked for, by name.
        work_out: computes the truth.
        graph: makes the Node whose graph is shown with the question, without what was computed.
        told_by: patterns of a text that would give the truth away, for the tests.
    """

    name: str
    lesson: str
    question: str
    parts: dict[str, Part]
    work_out: Callable[[], Truth]
    graph: Callable[[], Node] | None
    told_by: tuple[str, ...]

    @cached_property
    def truth(self) -> Truth:
        """The truth, computed when it is needed first."""
        return self.work_out()

    @property
    def explanation(self) -> list[str]:
        """What is explained below the truth, paragraph by paragraph."""
        paragraphs = (inspect.getdoc(self.work_out) or "").split("\n\n")
        return [" ".join(paragraph.split()) for paragraph in paragraphs]

    @property
    def call(self) -> str:
        """How a guess is made in Python."""
        return f'predict("{self.name}", {", ".join(f"{part}=…" for part in self.parts)})'


def prediction(
    question: str,
    *,
    graph: Callable[[], Node] | None = None,
    told_by: Iterable[str] = (),
    **parts: Part,
) -> Callable[[Callable[[], Truth]], Prediction]:
    """Make a prediction of a function that works out the truth of each part.

    Args:
        question: the question in short; the lesson asks it in full above the card.
        graph: makes the output of a graph that the card shows; values of operations stay out.
        told_by: patterns of what gives the truth away, if it stands in the lesson above the card or
            in an earlier one. Numbers of more than one digit are looked for without.
        parts: what is asked for.
    """

    def made(work_out: Callable[[], Truth]) -> Prediction:
        lesson = work_out.__globals__["LESSON"]
        name = work_out.__name__
        return Prediction(name, lesson, question, parts, work_out, graph, tuple(told_by))

    return made


def predictions_in(module: Mapping[str, Any]) -> dict[str, Prediction]:
    """The predictions that a module of the catalogue holds, by name."""
    return {x.name: x for x in module.values() if isinstance(x, Prediction)}


def _names(said: Any, among: tuple[str, ...]) -> tuple[str, ...] | None:
    if isinstance(said, str):
        named = typed_names(said)
        # "d can be first": what is no name here, and does not look like one, is a word
        said = [name for name in named if name in among or len(name) == 1 or name[-1].isdigit()]
        if named and not said:
            return None
    names = items_of(said if not isinstance(said, Node) else [said])
    if names is None:
        return None
    names = [name.name if isinstance(name, Node) else name for name in names]
    return tuple(names) if all(name in among for name in names) else None
