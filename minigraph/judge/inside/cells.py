"""Run a notebook's code: every cell, every statement on its own, whatever else stands in it.

An error in one statement is not the end: what is defined after it still counts. Magics, shell
lines, questions and `input()` are answered harmlessly, and so are plots and widgets, by stand-ins.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import importlib.abc
import importlib.machinery
import inspect
import linecache
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

ABSENT = (  # what draws or shows, and computes no answer
    "IPython", "anywidget", "bokeh", "google", "ipywidgets", "matplotlib", "mpl_toolkits",
    "plotly", "pylab", "seaborn", "traitlets",
)  # fmt: skip
RUN_ITS_BODY = ("time", "timeit", "capture", "prun", "python", "python3")  # %%time and the like
MOST_MENDED = 200  # lines of a cell that are no Python
MOST_AWAITED = 1000
LEAST = 0.02  # seconds that any statement may compute
_LINE = re.compile(
    r"(?P<indent>\s*)(?:%(?:time|timeit)\s+(?P<code>[^-\s].*)"
    r"|(?P<name>[\w, ]+=)\s*[!%].*|[!%?].*|.*\?\s*)$"
)


class Late(BaseException):
    """A statement computes for too long. Not an `Exception`, so that few catch it."""


def last_defined(
    cells: list[str],
    asked: Mapping[str, bool],
    seconds: float,
    budget: float,
    skipped: set[int],
    begin: Callable[[int], None],
) -> dict[str, Any]:
    """Run the cells, and return their names, the asked ones with what they were last defined as.

    Args:
        cells: their sources, in order.
        asked: the names of exercises, and whether a function is asked for; what is none does not
            count then.
        seconds: that each statement may compute.
        budget: seconds for all of them; none takes more than half of what is left, so that after
            long ones there is still enough to define a function.
        skipped: the statements, by number, that are left out since they have ended the process.
        begin: told the number of each statement before it runs.
    """
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    names = vars(module)
    names |= {"__builtins__": builtins, "get_ipython": lambda: Harmless(), "display": _nothing}
    builtins.input = lambda prompt="": ""
    found: dict[str, Any] = {}
    end = time.process_time() + budget
    for n, code in enumerate(_statements(cells)):
        if n in skipped:
            continue
        begin(n)
        before = [(name, names.get(name)) for name in asked]
        run_for(min(seconds, max((end - time.process_time()) / 2, LEAST)), code, names)
        for name, old in before:
            now = names.get(name)
            if now is not old and (not asked[name] or callable(now)):
                found[name] = now
    for name, last in found.items():
        if not asked[name] or not callable(names.get(name)):
            names[name] = last
    return names


def run_for(seconds: float, code: CodeType, names: dict[str, Any]) -> None:
    """Run a statement; what it raises, it raises in vain."""
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.05)
    try:
        result = eval(code, names)
        if inspect.iscoroutine(result):
            _drive(result)
    except BaseException:  # SystemExit and KeyboardInterrupt too
        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _late(number: int, frame: Any) -> None:
    raise Late


def _drive(coroutine: Any) -> None:
    """Run what a cell awaits, without a loop around it."""
    for _ in range(MOST_AWAITED):
        try:
            coroutine.send(None)
        except StopIteration:
            return
    coroutine.close()


# --- from cells to statements ---------------------------------------------------------------------


def _statements(cells: list[str]) -> Iterator[CodeType]:
    """The statements of all cells, compiled one by one."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for number, source in enumerate(cells, start=1):
        file = f"<cell {number}>"
        source = plain_python(source)
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        try:
            body = ast.parse(source, file, "exec").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for statement in body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for alias in statement.names:
                    flags |= getattr(getattr(__future__, alias.name, 0), "compiler_flag", 0)
            try:
                module = ast.Module([statement], [])
                yield compile(module, file, "exec", flags, dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue


def plain_python(source: str) -> str:
    """A cell without what only IPython understands."""
    source = source.replace("\r\n", "\n").encode("utf-8", "replace").decode()  # no half characters
    while (stripped := source.lstrip()).startswith("%%"):
        magic, _, body = stripped.partition("\n")
        words = magic[2:].split()
        if not words or words[0] not in RUN_ITS_BODY:
            return ""
        source = "\n" + body
    lines = _pasted(source).split("\n")
    for _ in range(MOST_MENDED):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            place = (error.lineno or 0) - 1
            if not 0 <= place < len(lines) or not (found := _LINE.match(lines[place])):
                break
            goes_on, n = lines[place].endswith("\\"), place
            while goes_on and (n := n + 1) < len(lines):  # a magic may go on in the next line
                goes_on, lines[n] = lines[n].endswith("\\"), ""
            lines[place] = found["indent"] + (
                found["code"] or (f"{found['name']} None" if found["name"] else "pass")
            )
        except (ValueError, RecursionError, MemoryError):
            break
        else:
            break
    return "\n".join(lines)


def _pasted(source: str) -> str:
    """Code without the indent or the prompts that it was copied with, as IPython takes it."""
    first = source.lstrip("\n").partition("\n")[0]
    if indent := first[: len(first) - len(first.lstrip())]:
        return re.sub(f"^{indent}", "", source, flags=re.M)
    if first.startswith(">>>"):
        return re.sub(r"^(>>>|\.\.\.)( |$)", "", source, flags=re.M)
    return source


# --- stand-ins ------------------------------------------------------------------------------------


class Harmless(ModuleType):
    """Answers whatever it is asked with more of itself: for plots, widgets and IPython."""

    def __init__(self, name: str = "harmless") -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Harmless()

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Used as a decorator it leaves the function as it is."""
        is_decorator = len(args) == 1 and not options and isinstance(args[0], FunctionType)
        return args[0] if is_decorator else Harmless()

    def __getitem__(self, key: Any) -> Any:
        return Harmless()

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __iter__(self) -> Iterator[Any]:
        return iter((Harmless(), Harmless()))  # fig, ax

    def __enter__(self) -> Any:
        return Harmless()

    def __exit__(self, *error: Any) -> None: ...


def _nothing(*args: Any, **options: Any) -> None:
    """Stand for what shows something."""


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for each package that shows something and is not here."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """A stand-in for these packages and what is in them, nothing for others."""
        if name.partition(".")[0] in ABSENT or name == "minigraph.widgets":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        """Make the stand-in."""
        return Harmless(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""
