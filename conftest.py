"""How the tests are spread over processes.

Where folders are tested, as in `python3 -m pytest`, each processor gets a process, and there is one
more, for those that look into a browser wait half of the time; four of them at most. Single files,
and tests that are chosen by name, start sooner in the process that is there already. Who says
`-n 3` or `-n 0`, or leaves pytest-xdist out with `-p no:xdist`, gets just that.

A file is the work of one process: a notebook has one kernel, and the tests of a file share what
takes long to make. The files that need JupyterLab are two parts, with one for each.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Whatever who runs the tests has done in the course: to every kernel it is new.
os.environ["MINIGRAPH_PROGRESS"] = "none"
# There is a process for each processor: more threads in each would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
GRAMMAR = "rfc3987_syntax"
MOST = 4  # no more pays: the longest part of the work is about a quarter of all
# What takes longest comes first, so that at the end no process is left alone with it.
FIRST = (
    "tests/test_accessibility.py",
    "tests/test_browser.py",
    "tests/test_fit.py",
    "tests/test_course_conduct.py",
    "tests/test_course_hostile.py",
    "tests/test_course_exercises.py",
    "tests/test_compiler.py",
    "tests/test_drawing.py",
    "tests/test_course_check.py",
    "tests/test_torch_translation.py",
    "tests/test_onnx.py",
)
TOGETHER = {"tests/test_fit.py": "tests/test_browser.py"}  # they share a JupyterLab


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Ask for processes where they pay, unless the user has spoken."""
    options = config.option
    if not hasattr(options, "numprocesses") or hasattr(config, "workerinput"):
        return  # there is no pytest-xdist, or this is one of its processes
    if options.dist == "no":
        options.dist, options.loadscopereorder = "loadfile", False
    chooses = options.keyword or options.markexpr or options.usepdb
    if options.numprocesses is None and not chooses and any(map(is_folder, config.args)):
        options.numprocesses = min(processors() + 1, options.maxprocesses or MOST)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def is_folder(argument: str) -> bool:
    """Whether an argument of pytest is a folder, and no file or test."""
    return Path(argument).is_dir()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the rest stays in its order."""
    places = {file: place for place, file in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(file_of(item.nodeid), len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the garbage collector what stays to the end: all modules, all tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def file_of(nodeid: str) -> str:
    """The file of a test."""
    return nodeid.partition("::")[0]


def part_of(nodeid: str) -> str:
    """What a test is handed out with: its file, or the one that it shares a JupyterLab with."""
    file = file_of(nodeid)
    return TOGETHER.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Spare a process a grammar of addresses, which takes seconds to make.

    jsonschema makes it where the package is installed. What it reads here are notebooks, in which
    no address is checked.
    """
    node.gateway.remote_exec(f"import sys; sys.modules.setdefault({GRAMMAR!r}, None)").waitclose()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out the tests part by part."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Parts(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return part_of(nodeid)

    return Parts(config, log)
