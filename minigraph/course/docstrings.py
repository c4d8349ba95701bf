"""Read the page of an exercise from the docstring of its reference.

    Count paths                                          the title

    How many paths lead from source to target? …         the task, in Markdown

    First step: …                                        for a student who has not started
    Hint: …                                              up to three, each a bigger nudge
    Another way: …                                       offered to whoever has solved it
    Verified: …                                          what a right answer has been seen to do

Lines are joined to paragraphs. What is indented by four is code and stays as it is, and so do
fences, lists and tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc

from ..errors import MinigraphError

FIRST_STEP, HINT, ANOTHER_WAY, VERIFIED = "First step", "Hint", "Another way", "Verified"
MOST_HINTS = 3
_LABELLED = re.compile(rf"^({FIRST_STEP}|{HINT}|{ANOTHER_WAY}|{VERIFIED}): *", re.MULTILINE)
_FENCE = "```"
_STANDS = re.compile(r" {4}|[|]|$")  # code, a row of a table, an empty line
_ITEM = re.compile(r"[-*] |\d+\. ")


class SpecificationError(MinigraphError, ValueError):
    """An exercise that is not written as one should be."""


@dataclass(frozen=True)
class Page:
    """What a docstring says; a text that is missing is empty."""

    title: str
    task: str
    first_step: str
    hints: tuple[str, ...]
    another_way: str
    verified: str


def read_page(name: str, docstring: str | None) -> Page:
    """Read a docstring.

    Raises:
        SpecificationError: naming the exercise, and saying what its docstring lacks.
    """
    start, *rest = _LABELLED.split(cleandoc(docstring or ""))
    title, _, task = start.strip().partition("\n")
    texts = list(zip(rest[::2], map(unwrapped, rest[1::2])))
    if not title or (task and not task.startswith("\n")):
        raise SpecificationError(
            f"{name}: its docstring should begin with a title in a line of its own, then an empty "
            "line, then the task"
        )
    hints = tuple(text for label, text in texts if label == HINT)
    once = dict(texts)
    if len(hints) > MOST_HINTS or len(texts) != len(hints) + len(once.keys() - {HINT}):
        raise SpecificationError(
            f"{name}: its docstring should hold up to {MOST_HINTS} hints, and "
            f"{FIRST_STEP}, {ANOTHER_WAY} and {VERIFIED} once at most"
        )
    return Page(
        title,
        unwrapped(task),
        once.get(FIRST_STEP, ""),
        hints,
        once.get(ANOTHER_WAY, ""),
        once.get(VERIFIED, ""),
    )


def unwrapped(text: str) -> str:
    """Join the lines of each paragraph, so that only what is to be a line of its own is one."""
    lines: list[str] = []
    in_fence = goes_on = False
    for line in text.strip("\n").split("\n"):
        at_fence = line.startswith(_FENCE)
        stands = in_fence or at_fence or bool(_STANDS.match(line))
        if goes_on and not stands and not _ITEM.match(line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        goes_on = not stands
        in_fence ^= at_fence
    return "\n".join(lines)
