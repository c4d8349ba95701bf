"""What is true of each prediction, worked out without minigraph: a module to a lesson."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

TRUTHS: dict[str, dict[str, Any]] = {}
for found in iter_modules(__path__):
    TRUTHS |= import_module(f"{__name__}.{found.name}").TRUTHS
