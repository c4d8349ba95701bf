"""Graphs that are drawn in more than one process, so in a module that is imported soon."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count

import numpy as np

import minigraph as mg


def example(a=2.0, b=3.0, c=1.0):
    """The worked example of the course: y = (a + b) · (b − c)."""
    return mg.parse("d = a + b; e = b - c; y = d * e", a=a, b=b, c=c)


def network(width=3):
    """Two layers with scopes, and a loss."""
    x = h = mg.constant(np.ones((4, 2)), name="x")
    for i in (1, 2):
        with mg.scope(f"layer{i}"):
            w = mg.variable(np.full((h.shape[1], width), 0.5), name="W")
            h = mg.tanh(mg.matmul(h, w) + mg.variable(np.zeros(width), name="b")).named("h")
    assert x is not h
    return mg.mean(h).named("L")


def chain(length):
    """The sine of the sine of … x."""
    h = mg.variable(0.5, name="x")
    for _ in range(length):
        h = mg.sin(h)
    return h.named("y")


CALLS = count(1000)  # the numbers of calls, which no reader should meet


@contextmanager
def call_of(function, number=None):
    """The scope of one call of a composed function, as `composed` enters it."""
    with mg.scope(f"{function}()#{next(CALLS) if number is None else number}"):
        yield


def many_calls(calls, blocks=1):
    """A long chain of calls of `f`, five operations each, with marks, divided into scopes."""
    h = mg.variable(0.5, name="x")
    for i in range(calls):
        with mg.scope(f"block{i * blocks // calls}"):
            with call_of("f", f"{i}~"):
                a, b = mg.sin(h), mg.cos(h)
                c = mg.tanh(a + b)
            with call_of("f", i):
                h = c * a
    return h.named("y")


def deep_network(blocks):
    h = mg.variable(np.ones(2), name="x")
    for i in range(blocks):
        with mg.scope(f"block{i}"):
            for _ in range(10):
                h = mg.tanh(h)
    return mg.sum(h).named("y")
