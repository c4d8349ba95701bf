"""Stop a call that does not come back.

In the main thread of a system with interval timers the call runs where it is, and an alarm raises
`OutOfTime` inside it. Elsewhere (Windows, other threads) it runs in a thread of its own, into which
the exception is thrown from outside. Either way the exception is thrown again and again until the
call ends, so that `except:` in a loop cannot swallow it for good.

Time is what the call computes, not what the clock shows: on a busy machine it takes longer. Only
where a call goes on and on without computing, the clock counts.

Only Python code can be stopped so. A single call into C, such as `10 ** 10 ** 10`, runs to its end,
which is why a check tries it in another process first. In a thread of Python 3.11 a loop that
catches everything may go on; it is left behind and reported.
"""

from __future__ import annotations

import contextvars
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, cycle
from typing import Any

PATIENCE = 4  # times its seconds may pass on the clock for a call that computes less
SECONDS_BETWEEN_SHOTS = 2e-4
# The first shots leave time: one may fall into a finaliser, which Python reports and goes on from.
FIRST_PAUSES = (0.02, 0.02, 0.02)
SECONDS_TO_GIVE_UP = 2.0  # a thread that is stuck in C is left behind after that
# Later shots come at changing distances, so that one falls into an exception handler too.
DELAYS = [n * 1e-6 for n in range(1, 40)]


class OutOfTime(BaseException):
    """The call took too long. Not an `Exception`, so that `except Exception` does not catch it.

    `still_running` says that it could not be stopped and goes on in a thread of its own.
    """

    still_running = False


class Watch:
    """How long something may still go on, by what this process computes and by the clock."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds
        self.end_of_patience = time.monotonic() + PATIENCE * seconds

    def left(self) -> float:
        """At least so many seconds are left; 0 or less if the time is up."""
        computing = self.end - time.process_time()
        return min(computing, self.end_of_patience - time.monotonic())


class Interrupted(KeyboardInterrupt):
    """The user has pressed Interrupt, which is not the same as a call that raises its exception."""


def call_within(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """Return function(*args), or raise `OutOfTime` if that computes for more than `seconds`."""
    if seconds <= 0:
        raise OutOfTime
    in_main_thread = threading.current_thread() is threading.main_thread()
    call = call_under_alarm if in_main_thread and hasattr(signal, "setitimer") else call_in_thread
    with _finalisers_untold():
        return call(seconds, function, *args)


def call_under_alarm(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """Call in this thread, which must be the main one, with an alarm set."""
    here = sys._getframe()
    expired = is_over = False
    delays = chain(FIRST_PAUSES, cycle(DELAYS))
    watch = Watch(seconds)

    def shoot(signum: int, frame: Any) -> None:
        nonlocal expired
        if is_over:  # the last shot was on its way; another one would hit whatever comes next
            return
        if not expired and (left := watch.left()) > 0:
            signal.setitimer(signal.ITIMER_REAL, left, SECONDS_BETWEEN_SHOTS)
            return
        expired = True
        if frame is not here:  # the call has not come back yet
            signal.setitimer(signal.ITIMER_REAL, next(delays), SECONDS_BETWEEN_SHOTS)
            raise OutOfTime

    def interrupt(signum: int, frame: Any) -> None:
        raise Interrupted

    previous = signal.signal(signal.SIGALRM, shoot)
    on_interrupt = signal.signal(signal.SIGINT, interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, SECONDS_BETWEEN_SHOTS)
    try:
        result = function(*args)
    finally:
        is_over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGINT, on_interrupt)
    if expired:
        raise OutOfTime
    return result


def call_in_thread(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """Call in a thread of its own, and throw the exception into that thread when time is up."""
    call = _Call(function, args)
    call.start()
    expired = True
    watch = Watch(seconds)
    try:
        while not call.is_over and (left := watch.left()) > 0:
            call.join(left)
        expired = not call.is_over
    finally:
        if call.is_over:
            call.join()
        else:
            _shoot_until_it_ends(call)
    if expired:
        late = OutOfTime()
        late.still_running = not call.is_over
        raise late
    if call.error is not None:
        raise call.error
    return call.result


class _Call(threading.Thread):
    """A call in a thread of its own, with the context of its maker."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        super().__init__(name="a student's function", daemon=True)
        self._work = partial(contextvars.copy_context().run, function, *args)
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_over = False
        self.is_shot_at = False

    def run(self) -> None:
        """Call the function, then wait for the last shot, so that it hits nothing but this."""
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        self.is_over = True
        while self.is_shot_at:
            with suppress(OutOfTime):
                time.sleep(SECONDS_BETWEEN_SHOTS)


def _shoot_until_it_ends(call: _Call) -> None:
    target = call.ident or 0
    give_up = time.monotonic() + SECONDS_TO_GIVE_UP
    call.is_shot_at = True
    for pause in FIRST_PAUSES:
        if not call.is_over:
            _shoot(target, OutOfTime)
            call.join(pause)
    with _every_line_raising(call), _threads_taking_short_turns():
        while not call.is_over and time.monotonic() < give_up:
            _shoot(target, OutOfTime)
            call.join(SECONDS_BETWEEN_SHOTS)
    _shoot(target, None)
    call.is_shot_at = False
    call.join(SECONDS_BETWEEN_SHOTS if not call.is_over else None)
    _take_one()


def _shoot(thread: int, exception: type[BaseException] | None) -> None:
    """Let a thread raise an exception as soon as it runs Python code; None takes it back."""
    thrown = exception and ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), thrown)


def _take_one() -> None:
    """Let this thread raise and catch an exception of its own.

    Python notes that one is on its way, and looks for it before each call and each turn of a loop
    until one has been raised. After one that was taken back it would look for ever; under a
    profiler Python 3.11 would not get beyond that.
    """
    with suppress(OutOfTime):
        _shoot(threading.get_ident(), OutOfTime)
        while True:
            pass


@contextmanager
def _every_line_raising(call: _Call) -> Iterator[None]:
    """Let each line that the thread comes to raise, even in exception handlers (Python 3.12)."""
    monitoring: Any = getattr(sys, "monitoring", None)
    tool = next((n for n in (3, 4) if monitoring and not monitoring.get_tool(n)), None)
    if tool is None or call.is_over:
        yield
        return

    def shoot(code: Any, line: int) -> None:
        ours = code.co_filename in (__file__, threading.__file__)
        if threading.get_ident() == call.ident and not ours:
            raise OutOfTime

    event = monitoring.events.LINE
    monitoring.use_tool_id(tool, "minigraph")
    monitoring.register_callback(tool, event, shoot)
    monitoring.set_events(tool, event)
    try:
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)


@contextmanager
def _finalisers_untold() -> Iterator[None]:
    """Let Python say nothing of what a finaliser raises, or a callback of the garbage collector.

    A shot may fall into one, and at the end of the stack each one fails that is written in Python.
    There a hook in Python would fail as well; `callable` is one in C that does nothing.
    """
    usual = sys.unraisablehook
    sys.unraisablehook = callable
    try:
        yield
    finally:
        sys.unraisablehook = usual


@contextmanager
def _threads_taking_short_turns() -> Iterator[None]:
    """Let threads alternate often, so that shots come fast and now and then into a handler."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
