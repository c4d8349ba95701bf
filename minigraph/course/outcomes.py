"""What came of a student's code, in words: also where there are no exercises, as in a sandbox."""

from __future__ import annotations

import dis
import io
import linecache
import traceback
from collections.abc import Callable
from types import FunctionType, TracebackType
from typing import Any

from .delegation import is_a_library

MOST_MESSAGE = 300
MOST_PRINTED = 1000  # characters


def told(error: BaseException) -> str:
    """The exception as Python would write it, bounded."""
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be written)"
    if len(message) > MOST_MESSAGE:
        message = message[:MOST_MESSAGE] + " …"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def line_of(trace: TracebackType | None, program: Callable[..., Any]) -> str:
    """The innermost line of the student's own code, in a line of its own: "line 3: ..."."""
    line = ""
    for frame, number in traceback.walk_tb(trace):
        code = frame.f_code
        if not is_a_library(code.co_filename):
            other = code is not getattr(program, "__code__", code) and code.co_name[0] != "<"
            inside = f" of {code.co_name}" if other else ""
            source = linecache.getline(code.co_filename, number).strip()
            line = f"\nline {number}{inside}" + (f": {source}" if source else "")
    return line


def is_unsolved(answer: Any) -> bool:
    """Whether this is still the stub: three dots, None, or a function that does nothing."""
    if answer is ... or answer is None:
        return True
    if isinstance(answer, dict):
        return bool(answer) and all(value is ... for value in answer.values())
    if isinstance(answer, FunctionType):
        return _does_nothing(answer)
    if isinstance(answer, str):
        return not answer.strip()
    return isinstance(answer, (list, tuple)) and len(answer) == 0


def _does_nothing(function: FunctionType) -> bool:
    """Whether the body of a function is empty, but for a docstring, pass or three dots."""
    return all(
        step.opname in _IDLE and (step.opname not in _LOADS or step.argval is None)
        for step in dis.get_instructions(function)
    )


_LOADS = ("LOAD_CONST", "RETURN_CONST")  # their names differ from one Python to the next
_IDLE = ("RESUME", "NOP", "RETURN_VALUE", *_LOADS)


class Printed(io.TextIOBase):
    """Takes what is printed, and keeps the beginning."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        """It takes text."""
        return True

    def write(self, text: str) -> int:
        """Keep the beginning."""
        if len(self.text) <= MOST_PRINTED:
            self.text += text
            if len(self.text) > MOST_PRINTED:
                self.text = self.text[:MOST_PRINTED] + " …"
        return len(text)
