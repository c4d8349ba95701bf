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
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType
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
    block = sys._getframe(2)  # which is left to call what is to be tried, and be it ours
    inner = _named(functions)
    before = [function.__code__ for function in inner]
    try:
        for function, name in inner.items():
            function.__code__ = _noting(function, name, called, block)
        yield called
    finally:
        for function, code in zip(inner, before):
            function.__code__ = code


@cache
def _named(functions: tuple[Callable[..., Any], ...]) -> dict[Any, str]:
    """The functions within whatever they are wrapped in, and what a student calls them."""
    return {inspect.unwrap(function): _name(function) for function in functions}


def _noting(function: Any, name: str, called: list[str], block: FrameType) -> CodeType:
    """Code for a function that notes who calls it, and goes on as before.

    Nothing else becomes slower, as all of a student's function would under a profiler.
    """
    as_before = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    as_before.__kwdefaults__ = function.__kwdefaults__

    def noted(*args: Any, **options: Any) -> Any:
        caller = sys._getframe(2)  # beyond the code that is made here
        while caller.f_code.co_filename == composing.__file__ and caller.f_back:
            caller = caller.f_back
        if caller is block or not caller.f_code.co_filename.startswith(PACKAGE):
            called.append(name)
        return as_before(*args, **options)

    code = _call.__code__
    constants = tuple(noted if x is ... else x for x in code.co_consts)
    return code.replace(co_consts=constants, co_freevars=function.__code__.co_freevars)


def _call(*args: Any, **options: Any) -> Any:
    function: Any = ...  # a constant of this code, which is another in each copy
    return function(*args, **options)


def told_of(names: list[str]) -> str:
    """Say kindly that this is the work that was asked for."""
    return (
        f"Your function calls `{names[0]}`, which does what your function is to do. "
        "Good to know that it exists; in this exercise its work is yours."
    )


def _name(function: Any) -> str:
    """The function as a student writes it: `mg.topological_order`, or `Node.backward`."""
    name = function.__name__
    if vars(Node).get(name) is function:
        return f"Node.{name}"
    package = sys.modules[__package__.partition(".")[0]]
    return f"mg.{name}" if getattr(package, name, None) is function else name


def is_a_library(file: str) -> bool:
    """Whether code is Python's own, of an installed package, of minigraph, or made by one."""
    if file.startswith("<"):  # what is typed in, or run by exec, is a student's
        return file.startswith(GENERATED)
    folders = Path(file).parts
    return file.startswith(LIBRARIES) or "site-packages" in folders or "dist-packages" in folders
