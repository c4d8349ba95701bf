"""Calls that do not come back are stopped, whatever they catch, in every thread."""

import contextvars
import gc
import signal
import subprocess
import sys
import threading

import pytest

from minigraph.recording import stopping
from minigraph.recording.stopping import OutOfTime, call_in_thread, call_under_alarm, call_within

HAS_TIMER = hasattr(signal, "setitimer")
needs_timer = pytest.mark.skipif(not HAS_TIMER, reason="this system has no interval timers")
# What swallows exceptions for ever can be stopped in a thread from Python 3.12 on.
STOPPABLE_IN_THREAD = sys.version_info >= (3, 12)


def plain():
    while True:
        pass


def bare_except():
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def bare_except_with_work():
    while True:
        try:
            for _ in range(10**9):
                sum(range(100))
        except BaseException as error:
            str(error)


def nested():
    while True:
        try:
            try:
                while True:
                    pass
            except BaseException:
                pass
        except BaseException:
            pass


def loop_in_finally():
    try:
        plain()
    finally:
        plain()


def swallows_and_returns():
    try:
        plain()
    except BaseException:
        return "as if nothing had happened"


def generator():
    return [x for x in iter(int, 1) if x]


LOOPS = [plain, loop_in_finally, swallows_and_returns, generator]
STUBBORN = [bare_except, bare_except_with_work, nested]


@needs_timer
@pytest.mark.parametrize("loop", [*LOOPS, *STUBBORN], ids=lambda f: f.__name__)
def test_an_alarm_stops_it(loop):
    with pytest.raises(OutOfTime):
        call_under_alarm(0.05, loop)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda f: f.__name__)
def test_an_exception_from_outside_stops_it(loop):
    with pytest.raises(OutOfTime) as late:
        call_in_thread(0.05, loop)
    assert not late.value.still_running


@pytest.mark.skipif(not STOPPABLE_IN_THREAD, reason="needs sys.monitoring, so Python 3.12")
@pytest.mark.parametrize("loop", STUBBORN, ids=lambda f: f.__name__)
def test_every_line_raising_stops_the_stubborn(loop):
    with pytest.raises(OutOfTime) as late:
        call_in_thread(0.05, loop)
    assert not late.value.still_running


def test_a_thread_that_is_stuck_in_c_is_left_behind_and_reported(monkeypatch):
    monkeypatch.setattr(stopping, "SECONDS_TO_GIVE_UP", 0.1)
    release = threading.Event()
    with pytest.raises(OutOfTime) as late:
        call_in_thread(0.05, release.wait)
    assert late.value.still_running
    release.set()


WAYS = [pytest.param(call_under_alarm, marks=needs_timer), call_in_thread, call_within]


@pytest.mark.parametrize("call", WAYS)
def test_what_comes_back_in_time_is_returned(call):
    assert call(30, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize("call", WAYS)
def test_what_is_raised_comes_through_with_its_own_trace(call):
    def fails():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        call(30, fails)
    assert caught.traceback[-1].name == "fails"


@pytest.mark.parametrize("call", WAYS)
def test_even_what_is_no_exception_comes_through(call):
    def leaves():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        call(30, leaves)


def test_no_time_left_means_no_call():
    with pytest.raises(OutOfTime):
        call_within(0, pytest.fail, "was called")


UNDER_A_PROFILER = """
import sys
from contextlib import suppress
from minigraph.recording.stopping import OutOfTime, call_in_thread

def loop():
    while True:
        pass

for function in (loop, int):
    with suppress(OutOfTime):
        call_in_thread(0.05, function)
    sys.setprofile(lambda *_: None)
    (lambda: 3)()
    sys.setprofile(None)
"""


def test_a_profiler_goes_on_after_a_call_in_a_thread():
    """As long as Python looks for an exception from outside, version 3.11 gets into no function."""
    subprocess.run([sys.executable, "-c", UNDER_A_PROFILER], timeout=60, check=True)


def test_context_is_the_callers():
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    assert call_in_thread(30, variable.get) == "set"


def test_nothing_is_told_of_finalisers_at_the_end_of_the_stack(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def watches(phase, info):
        """Like any callback in Python, it cannot even begin where the stack ends."""

    def falls(depth):
        return falls(depth - 1) if depth else for_ever()

    def for_ever():
        circle = []
        circle.append(circle)
        return for_ever()

    before = gc.get_threshold()
    gc.callbacks.append(watches)
    gc.set_threshold(7, 1, 1)  # so that a pass begins there before long
    try:
        for depth in range(30):
            with pytest.raises(RecursionError):
                call_within(30, falls, depth)
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(watches)
    assert not told
    assert sys.unraisablehook == told.append


@needs_timer
def test_another_alarm_and_its_handler_are_put_back():
    previous = signal.signal(signal.SIGALRM, lambda *_: None)
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with pytest.raises(OutOfTime):
            call_under_alarm(0.05, plain)
        assert signal.getsignal(signal.SIGALRM) is handler
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 1000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@needs_timer
def test_an_alarm_on_its_way_as_the_call_ends_sets_no_other(monkeypatch):
    """Else that one strikes when nobody is there to take it, and ends Python."""
    setitimer = signal.setitimer

    def with_a_late_alarm(which, seconds, *interval):
        before = setitimer(which, seconds, *interval)
        if seconds == 0:
            signal.raise_signal(signal.SIGALRM)
        return before

    taken = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(signal, "setitimer", with_a_late_alarm)
            assert call_under_alarm(1000, lambda: 3) == 3
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, taken)


@needs_timer
def test_the_main_thread_uses_the_alarm_and_others_a_thread(monkeypatch):
    used = []
    monkeypatch.setattr(stopping, "call_under_alarm", lambda *a: used.append("alarm"))
    monkeypatch.setattr(stopping, "call_in_thread", lambda *a: used.append("thread"))
    call_within(1, plain)
    other = threading.Thread(target=call_within, args=(1, plain))
    other.start()
    other.join()
    monkeypatch.delattr(signal, "setitimer")  # as on Windows
    call_within(1, plain)
    assert used == ["alarm", "thread", "thread"]


def test_many_stops_leave_nothing_behind():
    before = set(threading.enumerate()), sys.getswitchinterval()
    for _ in range(20):
        with pytest.raises(OutOfTime):
            call_in_thread(0.01, plain)
    assert set(threading.enumerate()) <= before[0]
    assert sys.getswitchinterval() == before[1]
