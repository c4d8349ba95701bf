"""What surrounds a Node when it is made: its scope, those who watch, and the line that runs.

All of it belongs to one thread (or one asynchronous task) and leaves the others alone.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING

from .errors import NodeTypeError

if TYPE_CHECKING:
    from .node import Node

Watcher = Callable[["Node"], None]
Surroundings = tuple[str, tuple[Watcher, ...]]

# The path of the scope, and what is called with each Node that an operation makes. They share one
# variable because every operation reads it.
surroundings: ContextVar[Surroundings] = ContextVar("surroundings", default=("", ()))

PACKAGE = __name__.partition(".")[0]
Line = tuple[str, int]  # a file and a number


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Put the Nodes made inside under `name`; scopes nest, as in "encoder/layer1"."""
    if not isinstance(name, str) or not name.strip("/ "):
        raise NodeTypeError(f"a scope needs a name such as 'layer1', not {name!r}")
    outer, watchers = surroundings.get()
    token = surroundings.set((f"{outer}/{name}" if outer else name, watchers))
    try:
        yield
    finally:
        surroundings.reset(token)


@contextmanager
def watching(watcher: Watcher, first: bool = False) -> Iterator[None]:
    """Show each Node that an operation makes inside to `watcher`, before the user sees it.

    Watchers are called in the order in which they came; one that is to be `first` sees the Node
    before the others change it.
    """
    path, watchers = surroundings.get()
    token = surroundings.set((path, (watcher, *watchers) if first else (*watchers, watcher)))
    try:
        yield
    finally:
        surroundings.reset(token)


@contextmanager
def unwatched(*gone: Watcher) -> Iterator[None]:
    """Send some watchers away until the end of the block."""
    path, watchers = surroundings.get()
    token = surroundings.set((path, tuple(w for w in watchers if w not in gone)))
    try:
        yield
    finally:
        surroundings.reset(token)


def calling_line() -> Line:
    """The line outside this package that is running now."""
    frame = sys._getframe(2)
    while frame.f_back and _is_ours(frame):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _is_ours(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    if module is None:  # as in code that exec runs: a user's, or a formula's
        return frame.f_code.co_filename.startswith("<derivative of ")
    return module == PACKAGE or module.startswith(PACKAGE + ".")


def shown(line: Line) -> str:
    """A line as a reader looks for it: "model.py, line 12: y = mg.log(x)", or with "In[3]"."""
    file, number = line
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cell = shell.compile.format_code_name(file) if shell else None
    place = cell[1] if cell else file.replace("\\", "/").rpartition("/")[2]
    text = linecache.getline(file, number).strip()
    return f"{place}, line {number}" + (f": {text}" if text else "")
