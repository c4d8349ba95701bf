"""Runs lessons with guesses in them, as a kernel would, and tells what they print.

A line on standard input is a lesson, [folder, [[source, may it fail], …]]; a line on standard
output is what it printed. Each lesson has a process of its own, which is forked from this one, so
that what all of them need is imported once.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import matplotlib.backends.backend_svg  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell

import minigraph.course
import minigraph.nn
import minigraph.widgets  # noqa: F401

Cells = list[tuple[str, bool]]


def run(folder: str, cells: Cells) -> str:
    """What cells print; in its place what went wrong, if one fails."""
    os.chdir(folder)
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        for source, may_fail in cells:
            result = shell.run_cell(source)
            if not (result.success or may_fail):
                error: Any = result.error_before_exec or result.error_in_exec
                return f"{source}\n\n{''.join(traceback.format_exception(error))}"
    return printed.getvalue()


def in_a_child(folder: str, cells: Cells) -> str:
    """The same, and nothing of it stays."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        child = os.fork()
        if child == 0:
            try:
                told.write(run(folder, cells))
                told.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        told.seek(0)
        return told.read()


if __name__ == "__main__":
    run_lesson = in_a_child if hasattr(os, "fork") else run
    for line in sys.stdin:
        print(json.dumps(run_lesson(*json.loads(line))), flush=True)
