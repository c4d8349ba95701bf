"""Packages that a bridge leads to, which need not be installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def installed(module: str, title: str, extra: str = "") -> ModuleType:
    """Import a module of another system; the extra that brings it may have another name.

    Raises:
        ImportError: saying what to install.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(
            f"this needs {title}, which is not installed: "
            f'pip install "minigraph[{extra or module}]"'
        ) from None
