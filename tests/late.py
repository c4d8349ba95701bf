"""What tests make late: every process collects all tests, and few import a large package."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest


class Late:
    """Stands for what a function makes, once something public of it is used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._made = cache(make)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # as pytest asks of all that a file holds
            raise AttributeError(name)
        return getattr(self._made(), name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._made()(*args, **options)


def package(name: str, *, reason: str) -> Any:
    """A package that is imported late; where it is not installed, the file's tests are skipped."""
    __tracebackhide__ = True
    if find_spec(name) is None:
        pytest.skip(reason, allow_module_level=True)
    return Late(lambda: spared(import_module(name)))


def spared(module: Any) -> Any:
    """Spare the garbage collector a package that stays to the end; with PyTorch it looks longer."""
    gc.collect()
    gc.freeze()
    return module
