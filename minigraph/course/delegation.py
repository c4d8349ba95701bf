"""Notice that a student's function lets another one do what it is to do itself.

Where an exercise asks for one's own work, its specification names the functions that do the same.
A call is noticed however the function was come by: as `mg.topological_order`, imported under
another name, as a method. What minigraph calls for itself does not count.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    names = {_code_of(function): _name(function) for function in functions}

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in names and not _is_ours(_caller(frame)):
            called.append(names[frame.f_code])

    previous = sys.getprofile()
    sys.setprofile(look)
    try:
        yield called
    finally:
        sys.setprofile(previous)


def told_of(names: list[str]) -> str:
    """Say kindly that this is the work that was asked for."""
    return (
        f"Your function calls `{names[0]}`, which does what your function is to do. "
        "Good to know that it exists; in this exercise its work is yours."
    )


def _code_of(function: Any) -> CodeType:
    return inspect.unwrap(function).__code__


def _name(function: Any) -> str:
    """The function as a student writes it: `mg.topological_order`, or `Node.backward`."""
    name = function.__name__
    if vars(Node).get(name) is function:
        return f"Node.{name}"
    package = sys.modules[__package__.partition(".")[0]]
    return f"mg.{name}" if getattr(package, name, None) is function else name


def _caller(frame: FrameType) -> FrameType | None:
    """Who calls a function, and be it through what all composed functions are wrapped in."""
    caller = frame.f_back
    while caller is not None and caller.f_code.co_filename == composing.__file__:
        caller = caller.f_back
    return caller


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(PACKAGE)


def is_a_library(file: str) -> bool:
    """Whether code is Python's own, of an installed package, of minigraph, or made by one."""
    if file.startswith("<"):  # what is typed in, or run by exec, is a student's
        return file.startswith(GENERATED)
    folders = Path(file).parts
    return file.startswith(LIBRARIES) or "site-packages" in folders or "dist-packages" in folders
