"""Exercises of one's own: Python files in a folder beside the notebooks.

`check` and `python -m minigraph release` look for exercises in the files of a folder
`specifications/`, in the folder of the notebooks or next to it, or of the folder that the
environment variable MINIGRAPH_EXERCISES names. A file that has changed is read anew.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from ..graph.files import shown
from .docstrings import SpecificationError
from .exercises import EXERCISES
from .specification import Exercise, exercises_in

FOLDER = "specifications"
VARIABLE = "MINIGRAPH_EXERCISES"
Stamp = tuple[int, int]  # when a file was changed, and its size

_loaded: dict[Path, tuple[Stamp, dict[str, Exercise]]] = {}


def own_exercises(place: Path) -> dict[str, Exercise]:
    """The exercises by name that belong to the notebooks of a folder; none without files.

    Raises:
        SpecificationError: naming a file that cannot be read, or an exercise that there is twice.
    """
    exercises: dict[str, Exercise] = {}
    for path in sorted(_folder(place).glob("*.py")):
        for name, exercise in _read(path).items():
            if name in EXERCISES or name in exercises:
                other = "in minigraph" if name in EXERCISES else "in another file"
                raise SpecificationError(
                    f"{shown(path)}: there is an exercise {name} {other} already"
                )
            exercises[name] = exercise
    return exercises


def _folder(place: Path) -> Path:
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_dir():
            raise SpecificationError(f"{VARIABLE} is {named!r}, and that is no folder")
        return Path(named).resolve()
    here = place.resolve() / FOLDER
    return here if here.is_dir() else here.parent.parent / FOLDER


def _read(path: Path) -> dict[str, Exercise]:
    state = path.stat()
    stamp = state.st_mtime_ns, state.st_size
    if path not in _loaded or _loaded[path][0] != stamp:
        _loaded[path] = stamp, _run(path)
    return _loaded[path][1]


def _run(path: Path) -> dict[str, Exercise]:
    module = ModuleType(f"{FOLDER}.{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look for what they are made in
    linecache.checkcache(str(path))
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        lines = [
            n
            for frame, n in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename == str(path)
        ]
        line = f", line {lines[-1]}" if lines else ""
        kind = "" if isinstance(error, SpecificationError) else f"{type(error).__name__}: "
        raise SpecificationError(f"{shown(path)}{line}: {kind}{error}") from error
    exercises = exercises_in(vars(module))
    _check_that_none_stands_twice(path, exercises)
    return exercises


def _check_that_none_stands_twice(path: Path, exercises: dict[str, Exercise]) -> None:
    """Refuse an exercise that takes the place of another function of its name."""
    seen: dict[str, int] = {}
    for item in ast.parse(path.read_bytes()).body:
        if isinstance(item, ast.FunctionDef) and item.name in exercises:
            if item.name in seen:
                raise SpecificationError(
                    f"{shown(path)}, line {item.lineno}: {item.name} stands in line "
                    f"{seen[item.name]} already"
                )
            seen[item.name] = item.lineno
