"""The form of an answer that picks a word for each of several things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import NOT_YET, name_of, not_a
from .forms import Case, Difference, Form, WrongForm


@dataclass(frozen=True)
class Choices(Form):
    """A dictionary that gives each name one of a few words.

    Attributes:
        words: what there is to choose from.
    """

    words: tuple[str, ...]
    what: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        words = ", ".join(self.words)
        object.__setattr__(self, "what", f"a dictionary that gives each name one of {words}")

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, str]:
        """Read the words."""
        if not isinstance(answer, Mapping):
            raise not_a(self.what, answer)
        return {name_of(name): self._word(word, name_of(name)) for name, word in answer.items()}

    def _word(self, word: Any, name: str) -> str:
        if word is ...:
            raise WrongForm(f'For "{name}" there are still three dots.')
        if isinstance(word, str):
            for known in self.words:
                if known.lower() == word.strip().lower():
                    return known
        text = f'For "{name}" there is {word!r:.40}. It should be one of {self.words}.'
        raise WrongForm(text, "word")

    def difference(
        self, answer: dict[str, str], expected: dict[str, str], case: Case
    ) -> Difference | None:
        """Say how many are right, and not which."""
        if answer.keys() != expected.keys():
            return Difference(f"Its keys should be {', '.join(expected)}.")
        right = sum(answer[name] == word for name, word in expected.items())
        if right == len(expected):
            return None
        text = f"{right} of {len(expected)} {'is' if right == 1 else 'are'} right."
        return Difference(text, vague=NOT_YET)

    def show(self, answer: dict[str, str]) -> str:
        """Write a line for each name."""
        return "\n".join(f"{name}: {word}" for name, word in answer.items())
