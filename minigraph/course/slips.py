"""A slip: a wrong program that is the right one, but for an edit of its source."""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any

from .docstrings import SpecificationError

Edit = tuple[str, ...]  # what stands in the source, what to put there, and so on


@dataclass(frozen=True)
class Slip:
    """An edit of a function, which is made when it is asked for.

    Raises:
        SpecificationError: if what is to be replaced does not stand in the source exactly once.
    """

    function: FunctionType
    edit: Edit

    def __post_init__(self) -> None:
        self.source()

    def made(self) -> Callable[..., Any]:
        """The wrong function; if it calls itself, that is the wrong one too."""
        code = self.function.__code__
        lines = "\n" * (code.co_firstlineno - 1) + self.source()
        flags = code.co_flags & __future__.annotations.compiler_flag
        names = dict(self.function.__globals__)
        try:
            exec(compile(lines, code.co_filename, "exec", flags, dont_inherit=True), names)
        except SyntaxError as error:
            raise SpecificationError(
                f"{self.function.__name__}: with the edits {self._pairs()} it is no Python: "
                f"{error.msg}"
            ) from None
        made: Callable[..., Any] = names[self.function.__name__]
        return made

    def source(self) -> str:
        """The source of the function with the edit."""
        source = source_of(self.function)
        if len(self.edit) % 2 or not self.edit:
            raise SpecificationError(
                f"{self.function.__name__}: an edit is what stands there and what to put there, "
                f"and one is {self.edit}"
            )
        for old, new in self._pairs():
            if (times := source.count(old)) != 1:
                raise SpecificationError(
                    f"{self.function.__name__}: an edit replaces {old!r}, which should stand in "
                    f"its code once, and stands there {times} times"
                )
            source = source.replace(old, new)
        return source

    def _pairs(self) -> list[tuple[str, str]]:
        return list(zip(self.edit[::2], self.edit[1::2]))


@cache
def source_of(function: FunctionType) -> str:
    """A function's source without decorators and docstring, each line where it stands.

    Raises:
        SpecificationError: if it cannot be read.
    """
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    lines = lines[code.co_firstlineno - 1 : _last_line(code)]
    text = dedent("".join(lines))
    try:
        (tree,) = ast.parse(text).body
    except (SyntaxError, ValueError):  # another text than the one that has run, or none
        raise SpecificationError(
            f"{function.__name__}: its source cannot be read; write it in a file, or in a cell"
        ) from None
    assert isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef))
    lines = text.split("\n")
    lines[: tree.lineno - 1] = [""] * (tree.lineno - 1)
    if ast.get_docstring(tree, clean=False) is not None:
        first, last = tree.body[0].lineno, tree.body[0].end_lineno or 0
        lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines)


def _last_line(code: CodeType) -> int:
    """The last line of a function; `inspect` finds it too, and takes a hundred times as long."""
    inner = [_last_line(const) for const in code.co_consts if isinstance(const, CodeType)]
    return max([end or 0 for _, end, _, _ in code.co_positions()] + inner)
