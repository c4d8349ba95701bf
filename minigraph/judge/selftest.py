"""Try what a hostile program would: what the sandbox of this machine protects, and what not.

    python -m minigraph judge --selftest

Each probe runs inside a student's function. The function answers rightly only if the probe fails,
so "right" says that it was held off. The tests use the same probes, among many submissions more.
"""

from __future__ import annotations

import socket
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..course.exercises import forward_pass
from .judging import Bench, Options, Task
from .sandboxes import NONE, Sandbox, chosen
from .verdicts import CRASHED, OUT_OF_MEMORY, RIGHT, TOO_SLOW, WRONG

FIRST = """
import math, operator
import numpy as np
import minigraph as mg
from minigraph.course import check
compute = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
compute["sin"] = math.sin
"""
HONEST = """
def honest(graph, inputs):
    values = dict(inputs)
    for name, (operation, *names) in graph.items():
        values[name] = compute[operation](*[values[x] for x in names])
    return values
"""
READ = (
    "/etc/passwd", "/etc/shadow", "{secret}", "{solutions}", "/proc/1/environ",
    "/proc/self/environ", "/root/.bashrc", "/sys/kernel/notes",
)  # fmt: skip
LISTED = ("{folder}", "{course}", "/home", "/etc", "/proc", "/sys")
# What is tried, by what it is about. The names in braces are put in when it is known what they are.
PROBES: dict[str, dict[str, str]] = {
    "files": {
        **{f"reads {place}": f"open({place!r}).read()" for place in READ},
        **{f"lists {place}": f"import os\nassert os.listdir({place!r})" for place in LISTED},
        "imports the exercises": """
            import minigraph.course.exercises
        """,
        "imports a specification": """
            from minigraph.course.specification import Exercise
        """,
        "loads the exercises from a file": """
            import importlib.util
            spec = importlib.util.spec_from_file_location("x", "{exercises}")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        """,
        "writes beside": """
            open("x.txt", "w").write("x")
        """,
        "writes to /tmp": """
            open("/tmp/minigraph-was-here", "w").write("x")
        """,
        "writes to the secret's folder": """
            open("{secret}" + ".new", "w").write("x")
        """,
        "changes the engine": """
            open(mg.__file__, "a").write("x")
        """,
        "removes the engine": """
            import os
            os.remove(mg.__file__)
        """,
        "makes a folder": """
            import os
            os.mkdir("/tmp/minigraph-was-here")
        """,
        "links": """
            import os
            os.symlink("/etc/passwd", "/tmp/minigraph-link")
        """,
        "makes memory that is a file": """
            import os
            os.memfd_create("x")
        """,
    },
    "network": {
        "reaches the network": """
            import socket
            socket.create_connection(("127.0.0.1", {port}), 2)
        """,
        "reaches the network by datagrams": """
            import socket
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {port}))
        """,
        "opens a raw socket": """
            import socket
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        """,
        "opens a socket of this machine": """
            import socket
            socket.socket(socket.AF_UNIX)
        """,
        "asks a web server": """
            import urllib.request
            urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=2)
        """,
    },
    "processes": {
        "starts a program": """
            import subprocess
            subprocess.run(["/bin/sh", "-c", "echo"], check=True)
        """,
        "starts a shell": """
            import os
            assert os.system("true") == 0
        """,
        "becomes another program": """
            import os
            os.execv("/bin/true", ["true"])
        """,
        "forks": """
            import os
            if os.fork() == 0: os._exit(0)
        """,
        "leaves a daemon": """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(1000)
                os._exit(0)
        """,
        "forks by a number": """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            pid = libc.syscall(57)
            if pid == 0: libc._exit(0)
            assert pid > 0
        """,
        "clones by a number": """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            pid = libc.syscall(56, 17, 0, 0, 0, 0)
            if pid == 0: libc._exit(0)
            assert pid > 0
        """,
        "a process of multiprocessing": """
            import multiprocessing
            p = multiprocessing.get_context("fork").Process(target=print)
            p.start(); p.join()
        """,
        "ends whoever judges": """
            import os, signal
            os.kill(os.getppid(), signal.SIGKILL)
        """,
        "ends all that it may": """
            import os, signal
            os.kill(-1, signal.SIGKILL)
        """,
        "ends its group": """
            import os, signal
            os.killpg(0, signal.SIGKILL)
        """,
        "stops whoever judges": """
            import os, signal
            os.kill(os.getppid(), signal.SIGSTOP)
        """,
        "traces whoever judges": """
            import ctypes, os
            assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0
        """,
        "puts whoever judges behind all others": """
            import os
            os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0))
        """,
        "keeps whoever judges to one processor": """
            import os
            os.sched_setaffinity(os.getppid(), {0})
        """,
        "lets nobody wait at the pipes": """
            import os
            changed = 0
            for place in range(3, 64):
                try: os.set_blocking(place, False); changed += 1
                except OSError: pass
            assert changed
        """,
        "lets the pipes send a signal": """
            import fcntl, os
            changed = 0
            for place in range(3, 64):
                try: fcntl.fcntl(place, fcntl.F_SETOWN, os.getppid()); changed += 1
                except OSError: pass
            assert changed
        """,
        "reads the memory of whoever judges": """
            import os
            open(f"/proc/{os.getppid()}/mem", "rb").read(1)
        """,
    },
    "kernel": {
        "raises its limits": """
            import resource
            resource.setrlimit(resource.RLIMIT_CPU, (10 ** 6, 10 ** 6))
        """,
        "raises its limits by a number": """
            import ctypes
            limits = (ctypes.c_ulong * 2)(10 ** 6, 10 ** 6)
            assert ctypes.CDLL(None).prlimit(0, 0, limits, None) == 0
        """,
        "makes a user namespace": """
            import ctypes
            assert ctypes.CDLL(None).unshare(0x10000000) == 0
        """,
        "mounts": """
            import ctypes
            assert ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0
        """,
        "loads a program into the kernel": """
            import ctypes
            assert ctypes.CDLL(None).syscall(321, 0, 0, 0) >= 0
        """,
        "uses io_uring": """
            import ctypes
            assert ctypes.CDLL(None).syscall(425, 8, (ctypes.c_char * 120)()) >= 0
        """,
        "shares memory": """
            import ctypes
            assert ctypes.CDLL(None).shmget(1234, 4096, 0o1600) >= 0
        """,
        "opens a hundred files": """
            import os
            files = [os.open(os.devnull, os.O_RDONLY) for _ in range(100)]
        """,
    },
}
# What is without bounds, and what is to become of it.
BOUNDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "computes for ever": ("while True: pass", (TOO_SLOW,)),
    "waits for ever": ("import time\ntime.sleep(10 ** 6)", (TOO_SLOW,)),
    "takes all memory": ("return [bytearray(2 ** 30) for _ in range(99)]", (OUT_OF_MEMORY, WRONG)),
    "prints without end": ("while True: print('x' * 1000)", (TOO_SLOW,)),
    "ends Python": ("import os\nos._exit(0)", (CRASHED,)),
    "makes Python crash": ("import ctypes\nctypes.string_at(0)", (CRASHED,)),
    "equals everything": (
        "class A(float):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "return {k: A() for k in honest(graph, inputs)}",
        (WRONG,),
    ),
}
NAME, LESSON = forward_pass.forward.name, forward_pass.LESSON


@dataclass(frozen=True)
class Finding:
    """One probe: what it is about, what it tries, and whether it was held off."""

    about: str
    title: str
    protected: bool


def probing(code: str) -> str:
    """A notebook's cell with a probe; its function answers rightly if the probe raises."""
    lines = textwrap.indent(textwrap.dedent(code).strip(), " " * 8)
    return (
        f"{HONEST}\ndef forward(graph, inputs):\n    try:\n{lines}\n"
        "    except BaseException:\n        return honest(graph, inputs)\n    return {}\n"
    )


def selftest(sandbox: str | None, options: Options) -> tuple[Sandbox, list[Finding]]:
    """Run all probes in a sandbox, the strongest unless it is named.

    Raises:
        SandboxError: if there is none.
    """
    found = []
    around = chosen(sandbox)
    bench = Bench(around.name, options)
    try:
        with _places() as places:
            for about, probes in PROBES.items():
                for title, code in probes.items():
                    verdict = _verdict(bench, _filled(probing(code), places))
                    found.append(Finding(about, _filled(title, places), verdict == RIGHT))
        for title, (code, deserved) in BOUNDS.items():
            lines = textwrap.indent(code, "    ")
            verdict = _verdict(bench, f"{HONEST}\ndef forward(graph, inputs):\n{lines}\n")
            found.append(Finding("bounds", title, verdict in deserved))
    finally:
        bench.close()
    return around, found


def _verdict(bench: Bench, cell: str) -> str:
    (row,) = bench.judged(Task("selftest", LESSON, [FIRST, cell], [NAME], 0))
    verdict: str = row["verdict"]
    return verdict


@contextmanager
def _places() -> Iterator[Mapping[str, str]]:
    """A secret in a folder, a server, and where the exercises stand."""
    course = Path(forward_pass.__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        secret = Path(folder, "secret")
        secret.write_text("secret")
        yield {
            "{secret}": str(secret),
            "{folder}": folder,
            "{course}": str(course),
            "{exercises}": forward_pass.__file__,
            "{solutions}": str(course.parents[1] / "solutions" / f"solutions_{LESSON}.ipynb"),
            "{port}": str(server.getsockname()[1]),
        }


def _filled(text: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        text = text.replace(name, place)
    return text


def report(sandbox: Sandbox, found: list[Finding]) -> str:
    """What was found, as text."""
    lines = [f"{sandbox.name} {sandbox.version}".strip(), ""]
    for finding in found:
        state = "protected" if finding.protected else "NOT PROTECTED"
        lines.append(f"{state:14} {finding.about:10} {finding.title}")
    open_ = [finding for finding in found if not finding.protected]
    lines += [
        "",
        f"{len(found) - len(open_)} of {len(found)} held off.",
        "",
        "What it leaves open:",
    ]
    lines += [f"- {sentence}" for sentence in sandbox.open]
    if sandbox is NONE:
        lines += ["", "Without a sandbox no score counts for more than you trust every submission."]
    return "\n".join(lines)
