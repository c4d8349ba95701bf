"""What surrounds a Node when it is made: its scope, those who watch, and the line that runs.

All of it belongs to one thread (or one asynchronous task) and leaves the others alone.
"""

from __future__ import annotations

import inspect
import io
import linecache
import sys
from collections.abc import Callable, Generator
from functools import partial, wraps
from types import FrameType
from typing import Any

from ..core.node import NO_ATTRS, Node, is_symbolic, surroundings
from ..errors import MinigraphError, NodeTypeError

Watcher = Callable[[Node], None]
Watchers = tuple[Watcher, ...]
Change = Callable[[str, Watchers], tuple[str, Watchers]]
Surroundings = tuple[str, Watchers, tuple[Change, ...]]

PACKAGE = __name__.partition(".")[0]
Line = tuple[str, int]  # a file and a number


class Block(io.IOBase):
    """What `with` opens: a generator that runs to its `yield`, and is closed at the end.

    An interrupt, by Ctrl-C or an alarm, can come before the first instruction of any function that
    is written in Python, and so keep an `__exit__` from ending what it should. That of `IOBase` is
    written in C and calls `close`, which is the generator's: the interrupt meets the generator
    where it waits, and `finally` does the rest. As a decorator a Block is open in each call.
    """

    __slots__ = ("_make", "_steps", "close")

    def __init__(self, make: Callable[[], Generator[Any, None, None]]) -> None:
        self._make = make
        self._renew()

    def _renew(self) -> None:
        self._steps = self._make()
        self.close = self._steps.close  # type: ignore[method-assign]

    def __enter__(self) -> Any:
        state = inspect.getgeneratorstate(self._steps)
        if state == inspect.GEN_CLOSED:
            self._renew()
        elif state != inspect.GEN_CREATED:
            raise MinigraphError("this block is open already; make another one")
        try:
            return next(self._steps)
        except BaseException:
            self.close()
            raise

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function, whose calls are such blocks."""
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise NodeTypeError(
                f"{function.__name__} does not run when it is called, but later and piece by "
                "piece; write `with` inside it"
            )

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with Block(self._make):
                return function(*args, **options)

        return call


def _changed(change: Change) -> Generator[None, None, None]:
    """Change the surroundings for a block; whatever other blocks open and end meanwhile."""
    outer = mine = None
    try:
        outer = surroundings.get()
        mine = (*change(*outer[:2]), (*outer[2], change))
        surroundings.set(mine)
        yield
    finally:
        try:
            _end(change, outer, mine)
        except BaseException:  # an interrupt
            _end(change, outer, mine)
            raise


def _end(change: Change, outer: Surroundings | None, mine: Surroundings | None) -> None:
    now = surroundings.get()
    if now is mine:
        surroundings.set(outer)  # type: ignore[arg-type]
    elif change in now[2]:  # other blocks go on that were opened after this one
        surroundings.set(made_by(tuple(c for c in now[2] if c is not change)))


def made_by(changes: tuple[Change, ...]) -> Surroundings:
    """What the changes of open blocks make of empty surroundings, in their order."""
    path: str = ""
    watchers: Watchers = ()
    for change in changes:
        path, watchers = change(path, watchers)
    return path, watchers, changes


def scope(name: str) -> Block:
    """Put the Nodes made inside under `name`; scopes nest, as in "encoder/layer1"."""
    if not isinstance(name, str) or not name.strip("/ "):
        raise NodeTypeError(f"a scope needs a name such as 'layer1', not {name!r}")
    return _block(lambda outer, watchers: (f"{outer}/{name}" if outer else name, watchers))


def watching(watcher: Watcher, first: bool = False) -> Block:
    """Show each Node that an operation makes inside to `watcher`, before the user sees it.

    Watchers are called in the order in which they came; one that is to be `first` sees the Node
    before the others change it.
    """
    return _block(lambda path, others: (path, (watcher, *others) if first else (*others, watcher)))


def no_grad() -> Block:
    """Compute without recording: operations inside make constants, which hold no inputs.

    Use it as `with mg.no_grad():`, for evaluation or for updating weights.
    """
    return watching(_cut_off)


def always_recording() -> Block:
    """Record even inside `no_grad`, for derivatives that are computed from a graph."""
    return unwatched(_cut_off)


def _cut_off(node: Node) -> None:
    if is_symbolic(node):  # without its inputs it could never have a value
        node.requires_grad = False
        return
    node.op = None
    node.inputs = ()
    node.attrs = NO_ATTRS
    node.requires_grad = False
    node._assigned = None


def inspectors() -> list[Callable[..., None]]:
    """What the watchers have to look at a Node, its value and those of its inputs, in a run."""
    watchers = surroundings.get()[1]
    return [w.inspect for w in watchers if hasattr(w, "inspect")] if watchers else []


def unwatched(*gone: Watcher) -> Block:
    """Send some watchers away until the end of the block."""
    return _block(lambda path, watchers: (path, tuple(w for w in watchers if w not in gone)))


def _block(change: Change) -> Block:
    return Block(partial(_changed, change))


def calling_line() -> Line:
    """The line outside this package that is running now."""
    frame = sys._getframe(2)
    while frame.f_back and is_ours(frame):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def is_ours(frame: FrameType) -> bool:
    """Whether a frame runs code of this package, or a formula of it."""
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
