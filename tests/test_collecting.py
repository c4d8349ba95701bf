"""Python's garbage collector waits while a graph grows, and only then."""

import gc
import importlib

import pytest

import minigraph as mg
from minigraph.graph import collecting
from minigraph.graph.collecting import PATIENCE, Patience

USUAL = (700, 10, 10)


@pytest.fixture
def passes():
    """Every pass of the collector: how long it had waited, and what it was over."""
    before, callbacks = gc.get_threshold(), [*gc.callbacks]
    seen = []
    gc.set_threshold(*USUAL)
    gc.callbacks[:] = [lambda phase, info: phase == "start" and seen.append(info["generation"])]
    gc.callbacks.append(Patience())
    gc.collect()
    seen.clear()
    yield seen
    gc.callbacks[:] = callbacks
    gc.set_threshold(*before)


def grown(operations):
    y = x = mg.variable(0.5)
    for _ in range(operations // 2):
        y = y * 0.5 + x
    return y


def test_while_a_graph_grows_few_passes_are_made_and_none_over_all(passes):
    y = grown(60_000)
    assert y.requires_grad
    assert len(passes) < 25  # where 700 objects at a time would be 200
    assert 2 not in passes
    assert gc.get_threshold() == (PATIENCE, *USUAL[1:])


def test_once_it_has_grown_the_threshold_is_what_it_was(passes):
    grown(60_000)
    kept = [[n] for n in range(PATIENCE + 100)]
    assert len(kept) > PATIENCE
    assert gc.get_threshold() == USUAL


def test_what_makes_garbage_is_collected_as_often_as_ever(passes):
    for _ in range(10_000):
        circle = [mg.variable(0.5)]
        circle.append(circle)
    assert gc.get_threshold() == USUAL
    assert len(passes) > 10


def test_other_objects_leave_the_threshold_alone(passes):
    kept = [[n] for n in range(20_000)]
    assert gc.get_threshold() == USUAL
    assert len(passes) > len(kept) / 1000


def test_who_sets_thresholds_keeps_them(passes):
    gc.set_threshold(500, 5, 5)
    grown(20_000)
    assert gc.get_threshold() == (500, 5, 5)


def test_who_puts_back_what_they_found_does_not_end_the_waiting(passes):
    grown(20_000)
    gc.set_threshold(*USUAL)
    y = grown(20_000)
    assert y.requires_grad
    assert gc.get_threshold() == (PATIENCE, *USUAL[1:])


def test_nothing_happens_while_the_collector_is_disabled(passes):
    gc.disable()
    try:
        y = grown(20_000)
        assert y.requires_grad
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert not passes
    assert gc.get_threshold() == USUAL


def test_the_module_may_be_loaded_again():
    before = [*gc.callbacks]
    importlib.reload(collecting)
    assert gc.callbacks == before
    assert [type(call).__module__ for call in before].count(collecting.__name__) == 1
