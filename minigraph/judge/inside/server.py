"""A warm process: imports once, and forks for each time that a notebook is to be tried.

It reads a header on its first pipe, and the cases of exercises that it does not have, and forks.
The child reads the notebook from that pipe, and writes on the second; nothing of a submission is
ever in this process, so no later child can find it in its memory. When the child has ended, how is
written on the third, which the child has closed.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

MARK = b"\0"  # begins a header; JSON has no such byte, so what a child left unread is passed over
HEADER = 1000  # bytes
MOST_QUESTIONS = 60  # exercises whose cases are kept
MOST_TOGETHER = 20  # exercises that are tried in one process
PACKAGE = __name__.partition(".")[0]

# What many notebooks do, so that what it imports and compiles is here already.
WARMING = """
import collections, copy, dataclasses, functools, graphlib, heapq, itertools, math, operator
import random, statistics, string, time, tokenize, typing, io
import numpy as np, numpy.linalg, numpy.ma, numpy.random, numpy.testing
import minigraph as mg
from minigraph import autodiff, compiler, data, nn, recording

list(tokenize.generate_tokens(io.StringIO("x").readline))
y = mg.parse("s = a * b + a; y = sin(s) / b", a=2, b=3)
y.backward()
mg.grad(mg.grad(y, y.leaves())[0], y.leaves())
repr(y), str(mg.record(y)), mg.topological_order(y)
x = mg.variable(np.ones((2, 3)))
(x @ x.T).sum().backward()
"""


def serve() -> None:
    """Fork for each header, until there are no more."""
    from . import cells, trying, walls

    sys.meta_path.append(cells.Finder())
    exec(WARMING, {})
    with suppress(ImportError):  # as text, where there are no widgets
        sys.modules["tqdm.notebook"] = import_module("tqdm")
    for name in ("course_map", "doctor", "draw", "explore", "play"):
        setattr(sys.modules[PACKAGE], name, lambda *args, **options: cells.Harmless())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks says when to end
    gc.collect()
    gc.freeze()  # what is here stays here, and pages stay shared
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # it is waited for
    if filtered := walls.is_filtered():
        walls.program()  # which each child builds in
    _tell({"ready": True, "filtered": filtered})
    questions: list[trying.Question] = []
    while header := _header():
        if header["forget"]:
            questions.clear()
        for size in header["new"]:
            questions.append(trying.Question(json.loads(_bytes(size))))
            gc.freeze()
        child = os.fork()
        if child == 0:
            _try([questions[n] for n in header["asked"]], header)
        _tell(_wait(child, header["wall"]))


def _header() -> dict[str, Any] | None:
    """The next header; None at the end."""
    while (first := os.read(0, 1)) not in (MARK, b""):
        pass
    if not first:
        return None
    text = _bytes(HEADER)
    header: dict[str, Any] | None = json.loads(text) if len(text) == HEADER else None
    return header


def _bytes(size: int) -> bytes:
    """So many bytes; fewer at the end."""
    pieces = []
    while size and (piece := os.read(0, min(size, 2**20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _tell(message: dict[str, Any]) -> None:
    os.write(2, json.dumps(message).encode() + b"\n")


def _wait(child: int, seconds: float) -> dict[str, Any]:
    """Wait until the child has ended, and end it when its time is up."""
    end, late = time.monotonic() + seconds, False
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        left = end - time.monotonic()
        if left <= 0 and not late:
            late = True
            os.kill(child, signal.SIGKILL)
        _pause(max(left, 0.01))
    return {
        "ended": os.waitstatus_to_exitcode(status),
        "late": late,
        "seconds": round(usage.ru_utime + usage.ru_stime, 4),
    }


def _pause(seconds: float) -> None:
    """Wait for the end of a child, or so long."""
    if hasattr(signal, "sigtimedwait"):
        signal.sigtimedwait({signal.SIGCHLD}, seconds)
    else:
        time.sleep(min(seconds, 0.005))


def _try(questions: list[Any], header: dict[str, Any]) -> None:
    """In the child: read what to try, build the walls, try it, and end."""
    from . import trying, walls

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        channel = trying.Channel(os.dup(0), os.dup(1))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for place in range(3):
            os.dup2(nowhere, place)
        job = json.loads(channel.read_bytes(header["notebook"]))
        walls.build(header["memory"], header["cpu"])
        trying.attempt(channel, questions, job)
        os._exit(0)
    finally:
        os._exit(1)
