"""Try a student's functions: run the notebook, call them once for each case, write what comes.

    {"begin": 3}                                         # before statement 3 of the notebook
    {"question": 0, "defined": true}
    {"question": 0, "case": 0, "returned": …, "nodes": […], …}     # or "raised"
    {"question": 0, "case": 1, "ask": 0, "args": …}      # calls a function that was an argument
    {"question": 0, "done": true}

All of it is written by a process that a student's code has run in.
"""

from __future__ import annotations

import builtins
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from ...course.delegation import noticing
from ...course.outcomes import MOST_MESSAGE, Printed, is_unsolved, line_of, told
from ...course.unchanged import Kept
from ...errors import MinigraphError
from ...recording import Tracer
from . import cells
from .values import MessageError, Packing, Unpacking

# Seconds of computing, and on the clock, that one of several exercises may take.
HURRY = (
    (signal.SIGVTALRM, signal.ITIMER_VIRTUAL, 1.0),
    (signal.SIGALRM, signal.ITIMER_REAL, 4.0),
)
MOST_KEPT = 2**15  # bytes of answers, before they are sent


class Channel:
    """Two pipes to whoever asks: lines of JSON.

    Attributes:
        about: what stands in each line that is written.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.about: dict[str, Any] = {}
        self._kept = b""
        self._file = os.fdopen(reading, "rb")
        self._writing = writing

    def read(self) -> Any:
        """The next line."""
        self._send()
        return json.loads(self._file.readline())

    def read_bytes(self, size: int) -> bytes:
        """So many bytes."""
        return self._file.read(size)

    def write(self, message: dict[str, Any], more: bool = False) -> None:
        """Write one line, whole; with the next ones, if more are to follow."""
        self._kept += json.dumps(self.about | message, ensure_ascii=True).encode() + b"\n"
        if not more or len(self._kept) > MOST_KEPT:
            self._send()

    def _send(self) -> None:
        data, self._kept = self._kept, b""
        while data:
            data = data[os.write(self._writing, data) :]


class Question:
    """An exercise's name and its cases, with arguments that are ready for a function."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.name: str = told["name"]
        self.parameters: list[str] = told["parameters"]
        self.functions = [_named(function) for function in told["instead_of"]]
        self.calls = [Call(n, case, self.parameters) for n, case in enumerate(told["cases"])]


def attempt(channel: Channel, questions: list[Question], job: dict[str, Any]) -> None:
    """Run the notebook, and answer the cases of these exercises, one after another."""
    sys.stdout = sys.stderr = Printed()
    names = cells.last_defined(
        job["cells"],
        {question.name: bool(question.parameters) for question in questions},
        job["seconds"],
        job["budget"],
        {*job["skipped"]},
        lambda n: channel.write({"begin": n}),
    )
    left = []
    for n, question in enumerate(questions):  # before a function is called, which may change names
        answer = names.get(question.name)
        told = {"defined": question.name in names, "unsolved": is_unsolved(answer)}
        channel.about = {"question": n}
        channel.write(told)
        if told["defined"] and not told["unsolved"]:
            left.append((n, question, answer))
        else:
            channel.write({"done": True})
    is_alone = len(questions) == 1
    for n, question, answer in left:
        channel.about = {"question": n}
        if not is_alone:
            _hurry()
        _answer(channel, question, answer, is_alone)
        channel.write({"done": True, "seconds": time.process_time()})


def _answer(channel: Channel, question: Question, answer: Any, is_alone: bool) -> None:
    """Answer the cases of one exercise: each at once if the next may end this process for good.

    One of several is asked again, alone, if it ends it.
    """
    printed = Printed()
    sys.stdout = sys.stderr = printed  # whatever stands there by now
    program = answer if question.parameters else lambda *arguments: answer
    for call in question.calls:
        printed.text = ""
        reply = call.reply(channel, program, question.functions)
        if printed.text:
            reply["printed"] = printed.text
        channel.write({"case": call.n, **reply}, more=not is_alone)
        if "unreadable" in reply or reply.get("raised") == MemoryError.__name__:
            break  # the next would be as large


def _hurry() -> None:
    """Let the kernel end this process if the next exercise takes long: it is asked alone then."""
    for alarm, timer, seconds in HURRY:
        signal.signal(alarm, signal.SIG_DFL)
        signal.setitimer(timer, seconds)


class Call:
    """One call of the function."""

    def __init__(self, n: int, case: Any, parameters: list[str]) -> None:
        self.n, self.parameters = n, parameters
        self.channel: Channel | None = None
        self.tracer: Any = None
        reader = Unpacking(case["nodes"], function=self._asking)
        self.arguments = [self._argument(reader, plain) for plain in case["args"]]
        self.nodes = reader.nodes
        self.kept = [Kept(x) for x in self.arguments]
        self.grads = [node.grad for node in self.nodes]

    def _argument(self, reader: Unpacking, plain: Any) -> Any:
        if isinstance(plain, list) and plain[0] == "tracer":
            self.tracer = Tracer(reader.unpacked(plain[1]))
            return self.tracer
        return reader.unpacked(plain)

    def _asking(self, number: int) -> Callable[..., Any]:
        def function(*args: Any) -> Any:
            assert self.channel
            pack = Packing()
            asked = {"ask": number, "args": pack.packed(args), "nodes": pack.rows}
            self.channel.write({"case": self.n, **asked})
            reply = self.channel.read()
            if "raised" in reply:
                raise MinigraphError(reply["raised"])
            return Unpacking(reply["nodes"]).unpacked(reply["returned"])

        return function

    def reply(self, channel: Channel, program: Any, functions: list[Any]) -> dict[str, Any]:
        """Call the program, and say what happened as plain data."""
        self.channel = channel
        known = dict(vars(builtins))
        called: list[str] = []
        begun = time.process_time()
        try:
            with noticing(tuple(functions)) as called, np.errstate(all="ignore"):
                returned = program(*self.arguments)
            reply = self._written(returned)
        except BaseException as error:
            reply = _raised(error, program)
        builtins.__dict__.update(known)
        reply["seconds"] = round(time.process_time() - begun, 4)
        if called:
            reply["called"] = called[:1]
        return reply

    def _written(self, returned: Any) -> dict[str, Any]:
        pack = Packing(self.nodes)
        try:
            reply: dict[str, Any] = {"returned": pack.packed(returned)}
        except (MessageError, RecursionError) as error:
            return {"unreadable": str(error), "kind": type(returned).__name__[:60]}
        reply["nodes"] = pack.rows
        grads = [
            [n, pack.packed(node.grad)]
            for n, node in enumerate(self.nodes)
            if node.grad is not self.grads[n]
        ]
        if grads:
            reply["grads"] = grads
        if self.tracer is not None:
            reply["told"] = self.tracer.recording().to_json()
        reply["changed"] = next(
            (name for name, x in zip(self.parameters, self.kept) if not x.is_unchanged()), None
        )
        return reply


def _named(name: str) -> Any:
    """The function of minigraph's that a specification names, as "module:qualified.name"."""
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    return found


def _raised(error: BaseException, program: Any) -> dict[str, Any]:
    line = ""
    with suppress(BaseException):
        line = line_of(error.__traceback__, program)[:MOST_MESSAGE]
    return {"raised": type(error).__name__[:60], "told": told(error), "line": line}
