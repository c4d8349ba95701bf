"""Notice that a student's function lets another one do what it is to do itself.

Where an exercise asks for one's own work, its specification names the functions that do the same.
A call is noticed however the function was come by: as `mg.topological_order`, imported under
another name, as a method, or handed in as it is. What minigraph calls for itself does not count.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from cProfile import Profile
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from ..core.node import Node
from ..graph import composing

PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
PYTHON = {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")}
LIBRARIES = (PACKAGE, *PYTHON)
GENERATED = ("<frozen ", "<derivative of ", "<plan ", "<__array_function__", "<decorator-gen")


@contextmanager
def noticing(functions: tuple[Callable[..., Any], ...]) -> Iterator[list[str]]:
    """Note in a list which of the functions are called in the block from outside minigraph."""
    called: list[str] = []
    if not functions:
        yield called
        return
    names = _names_by_code(functions)
    is_wrapped = any(hasattr(function, "__wrapped__") for function in functions)
    if is_wrapped or sys.getprofile():
        block = sys._getframe(2)  # which is left to call what is to be tried, and be it ours
        with _looking(names, called, block):
            yield called
    else:
        with _counting(names, called):
            yield called


@contextmanager
def _looking(
    names: dict[CodeType, str], called: list[str], block: FrameType | None
) -> Iterator[None]:
    """Look who calls, at each call: also through what composed functions are wrapped in."""

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in names:
            caller = frame.f_back
            while caller is not None and caller.f_code.co_filename == composing.__file__:
                caller = caller.f_back
            if caller is block or caller is None or not _is_ours(caller.f_code):
                called.append(names[frame.f_code])

    previous = sys.getprofile()
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(previous)


@contextmanager
def _counting(names: dict[CodeType, str], called: list[str]) -> Iterator[None]:
    """Let Python's profiler count who calls whom, which costs little: it is written in C."""
    profile = Profile(builtins=False)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        entries = profile.getstats()
        calls = {x.code: x.callcount for x in entries if x.code in names}
        for caller in entries:
            if _is_ours(caller.code):
                for x in caller.calls or ():
                    if x.code in calls:
                        calls[x.code] -= x.callcount
        called += [name for code, name in names.items() if calls.get(code)]


def told_of(names: list[str]) -> str:
    """Say kindly that this is the work that was asked for."""
    return (
        f"Your function calls `{names[0]}`, which does what your function is to do. "
        "Good to know that it exists; in this exercise its work is yours."
    )


@cache
def _names_by_code(functions: tuple[Callable[..., Any], ...]) -> dict[CodeType, str]:
    """What the functions are called, by the code that is seen to run."""
    return {_code_of(function): _name(function) for function in functions}


def _code_of(function: Any) -> CodeType:
    return inspect.unwrap(function).__code__


def _name(function: Any) -> str:
    """The function as a student writes it: `mg.topological_order`, or `Node.backward`."""
    name = function.__name__
    if vars(Node).get(name) is function:
        return f"Node.{name}"
    package = sys.modules[__package__.partition(".")[0]]
    return f"mg.{name}" if getattr(package, name, None) is function else name


def _is_ours(code: CodeType | str) -> bool:
    """Whether code is minigraph's, but for what stands between a composed function and others."""
    file = getattr(code, "co_filename", "")
    return file.startswith(PACKAGE) and file != composing.__file__


def is_a_library(file: str) -> bool:
    """Whether code is Python's own, of an installed package, of minigraph, or made by one."""
    if file.startswith("<"):  # what is typed in, or run by exec, is a student's
        return file.startswith(GENERATED)
    folders = Path(file).parts
    return file.startswith(LIBRARIES) or "site-packages" in folders or "dist-packages" in folders
