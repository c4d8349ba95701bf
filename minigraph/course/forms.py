"""What an answer looks like: the base of all forms, and the words that they share.

A form reads whatever a student returns into plain data, and compares two answers. Write one of your
own as a subclass of `Form` with `read`, `difference` and `show`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

Case = tuple[Any, ...]  # the arguments of one call, as plain data


class WrongForm(Exception):
    """The answer cannot be read; the message says what it is, and what was asked for.

    `symptom` is what answers share that cannot be read for the same reason.
    """

    def __init__(self, message: str, symptom: str | None = None) -> None:
        super().__init__(message)
        self.symptom = symptom


@dataclass(frozen=True)
class Difference:
    """The first thing that is wrong with an answer.

    Attributes:
        text: a sentence that says it without giving the right answer away.
        symptom: what two answers share that go wrong in the same way; None if that says little.
        node: the Node to look at, by its name, or by its row in the student's own graph.
        vague: what to say instead to somebody who is trying one answer after another.
        says_all: whether nothing is left for a hint to say.
    """

    text: str
    symptom: str | None = None
    node: str | int | None = None
    vague: str = ""
    says_all: bool = False


class Form(ABC):
    """What an answer looks like, and how closely two must agree.

    Attributes:
        what: what is asked for, to complete "it should be ...".
        does: what the student's function does with it, to complete "your function ...".
        compares: whether an answer is compared with the reference's, which is else not asked for.
    """

    what: str
    does: ClassVar[str] = "returned"
    compares: ClassVar[bool] = True

    @abstractmethod
    def read(self, answer: Any, arguments: tuple[Any, ...]) -> Any:
        """Return the answer as plain data, or raise WrongForm."""

    @abstractmethod
    def difference(self, answer: Any, expected: Any, case: Case) -> Difference | None:
        """Return the first thing that is wrong with a plain answer, None if it is right."""

    @abstractmethod
    def show(self, answer: Any) -> str:
        """Write an answer in plain data, for the student to look at."""

    def alike(self, one: Any, other: Any) -> bool:
        """Whether two plain answers are the same, right or wrong."""
        return bool(one == other)

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Return (Nodes to draw, Nodes to highlight), or None where there is nothing to draw."""
        return None
