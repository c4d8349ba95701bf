"""Ask the process inside: send a notebook and questions, and collect what comes back.

    inside = Inside(sandbox, limits)
    reply, = inside.ask(cells, [question])

What comes back is bounded while it is read, and is nothing but claims: lines of JSON from a process
in which a student's code has run.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from .inside.server import HEADER, MARK, MOST_QUESTIONS
from .sandboxes import Process, Sandbox, SandboxError, World

MOST_BYTES = 32 * 2**20  # that a process may send for one exercise
MOST_PIECES = 4_000_000  # of what it sends: lists, objects, and what stands in them
MOST_ASKED = 20_000  # calls of a function that was an argument
MOST_SKIPPED = 3  # statements that end the process, before the notebook is given up
STATEMENT = 2.0  # seconds that one statement of a notebook may compute
PATIENCE = 4  # times its seconds may pass on the clock
KILLED = (-signal.SIGKILL, -signal.SIGXCPU)  # how a limit of seconds ends a process
SECONDS_TO_START = 60.0
SECONDS_OF_GRACE = 5.0
Function = Callable[[int, Any], dict[str, Any]]


@dataclass(frozen=True)
class Limits:
    """What one exercise of one submission may take."""

    seconds: int = 10  # of computing, for its cases and the notebook around it
    memory: int = 512  # MB beyond what the engine takes


@dataclass
class Reply:
    """What came back to one question.

    Attributes:
        cases: what was claimed for each, as far as they were answered.
        defined, unsolved: whether the notebook defines the name, and as the stub that it was.
        begun: the statement that the notebook has come to.
        done: whether it was answered to the end.
        ending: "" if it ended by itself after its work; "late", "computed", "memory" or "died".
        seconds: that it computed.
        skipped: the statements that had to be left out.
    """

    cases: list[dict[str, Any]] = field(default_factory=list)
    defined: bool | None = None
    unsolved: bool = False
    begun: int | None = None
    done: bool = False
    ending: str = ""
    seconds: float = 0.0
    skipped: tuple[int, ...] = ()

    @property
    def says_nothing(self) -> bool:
        """Whether not even the notebook has been begun."""
        return self.begun is None and self.defined is None and not self.done


class Asked(Protocol):
    """An exercise with its cases, as it is asked."""

    key: str

    @property
    def message(self) -> bytes:
        """What is sent inside."""

    def functions(self) -> Function:
        """What answers calls of functions that were arguments, for one process."""


class Inside:
    """The process inside; it is started when it is needed, and again when it has been lost."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self.sandbox = sandbox
        self.limits = limits
        self.filtered = False  # whether system calls are refused there
        self.world = World()
        self._process: Process | None = None
        self._errors = b""
        self._has: dict[str, int] = {}  # the questions that the process has, by number

    def ask(
        self, cells: list[str], questions: Sequence[Asked], skipped: tuple[int, ...] = ()
    ) -> list[Reply]:
        """Let a fresh process run the notebook and answer; statements that end it are left out.

        Returns:
            A reply to each question. The process answers them one after another: if one of several
            takes long or ends it, that one and those behind it are not `done`.
        """
        while True:
            has_served = self._process is not None
            try:
                replies = self._asked(cells, questions, skipped)
            except BaseException:
                self._stop()  # there may be more to read
                raise
            first = replies[0]
            if has_served and first.ending == "died" and first.says_nothing:
                self._stop()  # whoever was there before may have damaged it
                continue
            if first.done or first.defined is not None or first.begun is None:
                return replies
            if first.begun in skipped or len(skipped) >= MOST_SKIPPED:
                return replies
            skipped = (*skipped, first.begun)

    def close(self) -> None:
        """End the process, and remove what it saw."""
        self._stop()
        self.world.remove()

    # --- the process --------------------------------------------------------------------------

    def _started(self) -> Process:
        if self._process is None:
            process = self.sandbox.start(self.world.command, self.world.folder, self.world.readable)
            self._process, self._errors = process, b""
            self._has.clear()
            for pipe in (process.stdin, process.stdout, process.stderr):
                os.set_blocking(pipe.fileno(), False)
            end = time.monotonic() + SECONDS_TO_START
            while (told := self._told()) is None and time.monotonic() < end:
                self._readable(process, 1.0)
            told = told or {}
            if not told.get("ready"):
                said = self._errors.decode(errors="replace").strip().splitlines()
                self._stop()
                raise SandboxError(
                    f"the process in {self.sandbox.name} does not start: "
                    f"{said[-1] if said else 'it says nothing'}"
                )
            self.filtered = told["filtered"]
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(OSError):
            process.kill()
        with suppress(Exception):
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                pipe.close()

    @staticmethod
    def _readable(process: Process, seconds: float) -> list[Any]:
        return select.select([process.stdout, process.stderr], [], [], seconds)[0]

    def _told(self) -> dict[str, Any] | None:
        """The next line that the server has written on its third pipe; {} if it is gone."""
        assert self._process
        try:
            piece = os.read(self._process.stderr.fileno(), 65536)
            self._errors += piece
        except BlockingIOError:
            piece = b" "
        line, newline, rest = self._errors.partition(b"\n")
        if newline and line.startswith(b"{"):
            self._errors = rest
            told: dict[str, Any] = json.loads(line)
            return told
        return None if piece else {}

    # --- one process --------------------------------------------------------------------------

    def _message(
        self, cells: list[str], questions: Sequence[Asked], skipped: tuple[int, ...]
    ) -> bytes:
        """What is sent for one process: a header, the questions that are new, and the notebook."""
        new = [x for x in questions if x.key not in self._has]
        is_full = len(self._has) + len(new) > MOST_QUESTIONS
        if is_full:
            self._has.clear()
            new = [*questions]
        for question in new:
            self._has[question.key] = len(self._has)
        seconds = self.limits.seconds
        job = {"cells": cells, "skipped": skipped, "seconds": STATEMENT, "budget": seconds / 2}
        notebook = json.dumps(job).encode()
        header = {
            "forget": is_full,
            "new": [len(x.message) for x in new],
            "asked": [self._has[x.key] for x in questions],
            "notebook": len(notebook),
            "memory": self.limits.memory * 2**20,
            "cpu": seconds,
            "wall": PATIENCE * seconds,
        }
        told = MARK + json.dumps(header).encode().ljust(HEADER)
        return b"".join([told, *(x.message for x in new), notebook])

    def _asked(
        self, cells: list[str], questions: Sequence[Asked], skipped: tuple[int, ...]
    ) -> list[Reply]:
        process = self._started()
        seconds = self.limits.seconds
        sending = self._message(cells, questions, skipped)
        conversation = _Conversation([x.functions() for x in questions])
        end = time.monotonic() + PATIENCE * seconds + SECONDS_OF_GRACE
        told: dict[str, Any] | None = None
        while told is None:
            if conversation.answers:
                sending += conversation.answers
                conversation.answers = b""
            sending, alive = self._exchange(process, sending, conversation)
            told = self._told() if alive else {}
            if conversation.too_much or time.monotonic() > end:
                told = {}
        if told:
            self._drain(process, conversation)
        else:
            self._stop()
        computed = told.get("seconds", 0.0)
        ending = "died"
        if told.get("late") or time.monotonic() > end:
            ending = "late"
        elif told.get("ended") in KILLED and computed >= seconds / 2:
            ending = "computed"  # the kernel counts in steps of its own: it may seem to be less
        replies = conversation.replies
        for reply in replies:
            reply.skipped = skipped
            reply.ending = "" if reply.done else ending
        _share(computed, replies)
        if not self.filtered or conversation.too_much:
            self._stop()  # what a student's process may have left behind, or still to be read
        return replies

    def _exchange(
        self, process: Process, sending: bytes, conversation: _Conversation
    ) -> tuple[bytes, bool]:
        """Wait until something can be read or sent; return what is left to send."""
        writing = [process.stdin] if sending else []
        ready, can_send, _ = select.select(
            [process.stdout, process.stderr], writing, [], SECONDS_OF_GRACE
        )
        alive = True
        if can_send:
            try:
                sending = sending[os.write(process.stdin.fileno(), sending[:65536]) :]
            except BrokenPipeError:
                alive = False
        if process.stdout in ready:
            alive = conversation.receive(process) and alive
        return sending, alive

    def _drain(self, process: Process, conversation: _Conversation) -> None:
        """Read what was still under way."""
        with suppress(BlockingIOError):
            while conversation.receive(process, raising=True):
                if conversation.too_much:
                    break


def _share(computed: float, replies: list[Reply]) -> None:
    """Say of each reply what was computed for it, as its process told; for the last, the rest."""
    before = 0.0
    for reply in replies:
        until = min(max(reply.seconds, before), computed) if reply.done else before
        reply.seconds, before = round(until - before, 4), until
    last = next((x for x in replies if not x.done), replies[-1])
    last.seconds = round(last.seconds + computed - before, 4)


class _Conversation:
    """The lines of one process, as they come."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self.replies = [Reply() for _ in functions]
        self.answers = b""
        self.too_much = False
        self._functions = functions
        self._asked = 0
        self._size = 0
        self._pieces = 0
        self._open = bytearray()

    def receive(self, process: Process, raising: bool = False) -> bool:
        """Read what is there; False at the end."""
        try:
            piece = os.read(process.stdout.fileno(), 2**20)
        except BlockingIOError:
            if raising:
                raise
            return True
        self._size += len(piece)
        self._pieces += sum(map(piece.count, (b"[", b"{", b",")))  # each takes memory when read
        self.too_much |= self._size > MOST_BYTES or self._pieces > MOST_PIECES
        if not self.too_much:
            self._open += piece
            if b"\n" in piece:
                *lines, rest = self._open.split(b"\n")
                self._open = bytearray(rest)
                for line in lines:
                    self._line(bytes(line))
        return bool(piece)

    def _line(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(told, dict):
            return
        if type(begun := told.get("begin")) is int:
            for reply in self.replies:
                reply.begun = begun
        question = told.get("question")
        if type(question) is int and 0 <= question < len(self.replies):
            self._about(self.replies[question], self._functions[question], told)

    def _about(self, reply: Reply, function: Function, told: dict[str, Any]) -> None:
        """Note what is told about one question, until it is done."""
        case = told.get("case")
        if reply.done:
            return
        if "defined" in told and reply.defined is None:
            reply.defined = bool(told["defined"])
            reply.unsolved = bool(told.get("unsolved"))
        if type(case) is int and "ask" in told:
            self._asked += 1
            if self._asked > MOST_ASKED:
                self.too_much = True
                return
            self.answers += json.dumps(function(len(reply.cases), told)).encode() + b"\n"
        elif type(case) is int and case == len(reply.cases):  # they come in order, each once
            reply.cases.append(told)
        if told.get("done") is True:
            reply.done = True
            if type(seconds := told.get("seconds")) is float and seconds < inf:
                reply.seconds = seconds
