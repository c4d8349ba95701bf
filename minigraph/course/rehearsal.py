"""Run what may never come back in a process of its own first, where it can be ended.

A call inside C (`sum(map(prod, product(*stages)))`) hears neither an alarm nor an interrupt, one
that takes all memory or ends Python takes the notebook with it. So the work is done in a forked
child first. It reports after each piece, and what it did not get through is not tried here.

Linux only. Elsewhere a fork may not go on safely; there the alarm of `stopping.py` has to do.
"""

from __future__ import annotations

import builtins
import faulthandler
import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ..recording.stopping import PATIENCE

if sys.platform == "linux":
    import resource

MOST_MEMORY = 2**30  # bytes that a student's function may take beyond what is in use
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_OF_GRACE = 0.5  # in which the child's own alarm may end the work by itself
Report = dict[str, Any]


@dataclass
class Rehearsal:
    """How far the work went.

    Attributes:
        reports: what the child said, one report for each piece of work.
        ending: "" if all was done, "stuck" if it had to be ended, "died" if it ended by itself.
        busy: for how many seconds the child was computing.
    """

    reports: list[Report] = field(default_factory=list)
    ending: str = ""
    busy: float = 0.0


def rehearse(work: Callable[[], Iterable[Report]], seconds: float) -> Rehearsal | None:
    """Let a child do the work; None where that is impossible."""
    if sys.platform != "linux":
        return None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _play(work, writing)
    os.close(writing)
    try:
        rehearsal = Rehearsal()
        rehearsal.ending = _listen(child, reading, rehearsal.reports, seconds + SECONDS_OF_GRACE)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        _, _, usage = os.wait4(child, 0)
    rehearsal.busy = usage.ru_utime + usage.ru_stime
    return rehearsal


def _play(work: Callable[[], Iterable[Report]], pipe: int) -> None:
    """Do the work in the child, and end it without any of the kernel's leave-taking."""
    with suppress(BaseException):
        gc.freeze()  # what the parent has left to collect is not ours to finalise
        faulthandler.disable()  # the parent tells of a crash
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        builtins.input = _no_input
        for report in work():
            os.write(pipe, json.dumps(report).encode() + b"\n")
        os.write(pipe, b"\n")
    os._exit(0)


def _no_input(*prompt: Any) -> str:
    raise EOFError("there is nobody to answer input() while a function is checked")


def _listen(child: int, pipe: int, reports: list[Report], seconds: float) -> str:
    """Collect reports until the empty one, which is the last; say how it ended."""
    end_of_patience = time.monotonic() + PATIENCE * seconds
    text = b""
    while _computed(child) < seconds and time.monotonic() < end_of_patience:
        if not select.select([pipe], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            continue
        piece = os.read(pipe, 1 << 16)
        *lines, text = (text + piece).split(b"\n")
        reports += [json.loads(line) for line in lines if line]
        if b"" in lines:
            return ""
        if not piece:
            return "died"
    return "stuck"


def _computed(child: int) -> float:
    """For how many seconds a child has been computing."""
    numbers = _read(f"/proc/{child}/stat").rpartition(b")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _read(path: str) -> bytes:
    """A short file of the system's, in a single call, since each case reads one."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let what runs inside take so much memory and no more, where the system can say so."""
    if sys.platform != "linux":
        yield
        return
    pages = int(_read("/proc/self/statm").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MOST_MEMORY
    for limit in (soft, hard):
        if limit != resource.RLIM_INFINITY:
            most = min(most, limit)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
