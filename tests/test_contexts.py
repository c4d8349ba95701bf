"""Blocks of `with` that change how Nodes are made end right: in any order, and interrupted."""

import asyncio
import contextlib
import contextvars
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np
import pytest

import minigraph as mg
from minigraph.core.node import surroundings
from minigraph.graph.context import Block, unwatched, watching


def state():
    """What a Node made here is told: its scope, and whether it is recorded."""
    node = mg.variable(2.0) * 3.0
    return node.scope, node.requires_grad


def steps(*blocks):
    """A generator that is inside blocks from its first step to its last."""
    with contextlib.ExitStack() as stack:
        for block in blocks:
            stack.enter_context(block)
        yield
        yield


def started(*blocks):
    generator = steps(*blocks)
    next(generator)
    return generator


# --- any order ------------------------------------------------------------------------------------


def test_a_block_ends_what_it_began_whatever_began_since():
    a, b = started(mg.no_grad()), started(mg.scope("b"))
    assert state() == ("b", False)
    a.close()
    assert state() == ("b", True)
    c = started(mg.scope("c"), mg.no_grad())
    assert state() == ("b/c", False)
    b.close()
    assert state() == ("c", False)
    c.close()
    assert state() == ("", True)


def test_a_generator_that_ends_in_another_block_leaves_that_block_alone():
    generator = started(mg.no_grad())
    with mg.scope("layer"):
        for _ in generator:
            pass
        assert state() == ("layer", True)
    assert state() == ("", True)


def test_the_same_block_twice_is_two_blocks():
    a, b = started(mg.no_grad()), started(mg.no_grad())
    a.close()
    assert state() == ("", False)
    b.close()
    assert state() == ("", True)


def test_watchers_come_back_in_their_order():
    seen = []
    first, second = (lambda node, k=k: seen.append(k) for k in (1, 2))
    outer, inner = started(watching(first)), started(watching(second))
    away = started(unwatched(first))
    state()
    inner.close()
    state()
    away.close()
    state()
    outer.close()
    state()
    assert seen == [2, 1]


def test_a_generator_that_is_freed_inside_a_function_ends_its_block():
    generator = started(mg.no_grad())
    with mg.scope("outer"):
        freed = [generator]
        del generator
        x = mg.variable([1.0, 2.0])

        class Frees(list):
            def __iter__(self):
                freed.clear()
                return super().__iter__()

        mg.stack(Frees([x, x]))
        assert state() == ("outer", True)
    assert state() == ("", True)


def test_an_anomaly_is_not_hunted_after_the_block_that_ends_first():
    hunt, other = started(mg.detect_anomaly()), started(mg.scope("s"))
    hunt.close()
    with np.errstate(all="ignore"):
        assert mg.log(mg.variable(0.0)).value == -np.inf
    other.close()


def run(coroutine):
    """Run it in a thread of its own: in this one the browser of other tests has its loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def test_threads_and_tasks_have_blocks_of_their_own():
    async def worker(name, evaluate):
        with mg.scope(name), mg.no_grad() if evaluate else contextlib.nullcontext():
            for _ in range(5):
                await asyncio.sleep(0)
                assert state() == (name, not evaluate)
        assert state() == ("", True)

    async def all_of_them():
        await asyncio.gather(*(worker(f"task{i}", i % 2) for i in range(4)))

    run(all_of_them())
    found = []
    with mg.scope("here"), mg.no_grad():
        thread = threading.Thread(target=lambda: found.append(state()))
        thread.start()
        thread.join()
        inherited = contextvars.copy_context()
    assert found == [("", True)]
    assert inherited.run(state) == ("here", False)  # as a task made inside would
    assert state() == ("", True)


def test_an_asynchronous_generator_ends_its_block():
    async def batches():
        with mg.no_grad():
            yield 1
            yield 2

    async def main():
        batch = batches()
        async for _ in batch:
            break
        with mg.scope("s"):
            await batch.aclose()
            assert state() == ("s", True)

    run(main())


def test_a_block_is_used_again_but_not_twice_at_once():
    block = mg.no_grad()
    for _ in range(2):
        with block:
            assert state() == ("", False)
            with pytest.raises(mg.MinigraphError, match="open already"), block:
                pass
            assert state() == ("", False)
        assert state() == ("", True)


def test_a_decorated_function_is_a_block_at_each_call():
    @mg.no_grad()
    def evaluated(depth):
        return [state()] + (evaluated(depth - 1) if depth else [])

    assert evaluated(2) == [("", False)] * 3
    assert evaluated.__name__ == "evaluated"
    assert state() == ("", True)


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_a_function_that_runs_later_is_not_decorated(kind):
    def generator():
        yield state()

    async def coroutine():
        return state()

    with pytest.raises(mg.NodeTypeError, match=f"{kind} does not run when it is called"):
        mg.no_grad()({"generator": generator, "coroutine": coroutine}[kind])


def test_errors_pass_through_a_block():
    for block in (mg.no_grad(), mg.scope("s"), mg.detect_anomaly()):
        with pytest.raises(ZeroDivisionError, match="zero"), block:
            1 / 0  # noqa: B018
        assert state() == ("", True)


# --- interrupts -----------------------------------------------------------------------------------


class Interrupt(BaseException):
    """What an alarm raises."""


def tight():
    with mg.no_grad():
        pass


def nested():
    w = mg.variable(3.0)
    with mg.scope("a"), mg.no_grad(), mg.scope("b"):
        w * w


def composed():
    mg.softmax(mg.variable([1.0, 2.0]))


def derivatives():
    w = mg.variable(2.0)
    mg.hessian(w * w, w)


def interleaved():
    a, b = started_plainly("a"), started_plainly("b")
    a.close()
    b.close()


def started_plainly(name):
    def generator():
        with mg.scope(name), mg.no_grad():
            yield

    found = generator()
    next(found)
    return found


decorated = mg.no_grad()(composed)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs alarms")
@pytest.mark.parametrize("piece", [tight, nested, composed, derivatives, interleaved, decorated])
def test_an_interrupt_leaves_no_block_open(piece):
    fired = []

    def interrupt(*_):
        fired.append(1)
        raise Interrupt

    before, rng = surroundings.get(), np.random.default_rng(0)
    handler = signal.signal(signal.SIGALRM, interrupt)
    left, end = 0, monotonic() + 0.5
    try:
        while monotonic() < end:
            fired.clear()
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(2e-5, 4e-4))
                while not fired:  # Python ignores what is raised while something is freed
                    piece()
            except Interrupt:
                pass
            left += surroundings.get() != before
            surroundings.set(before)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert left == 0


def test_the_end_of_a_block_is_no_function_of_python():
    """For an interrupt can come before the first instruction of one."""
    exit_ = type(mg.no_grad()).__exit__
    assert exit_ is Block.__exit__
    assert not hasattr(exit_, "__code__")
