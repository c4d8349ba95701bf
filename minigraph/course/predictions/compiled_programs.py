"""Lesson 12: buffers, what a program gains and where, and how many plans there will be."""

from math import comb
from typing import Any

import numpy as np

from ...compiler.compile import compile_function
from ...core.node import Node
from ...core.table import sum as total
from ...graph.graph import Graph
from ...graph.reductions import mean
from ...graph.symbolic import placeholder
from ..prediction import Choice, Number, Truth, prediction

LESSON = "12_compiled_programs"


@prediction(
    "*u* = *x* + 1, *v* = exp(*u*) and *w* = *u* · *v* are arrays of the same size; *y* is the sum "
    "of *w*. How many buffers do *u*, *v* and *w* need?",
    buffers=Number(
        "buffers",
        {
            3: "A buffer for each array is what a dynamic graph takes. Is *u* needed once *w* is "
            "there?",
            1: "When *w* is computed, *u* and *v* are both needed, and they are two arrays.",
        },
    ),
    told_by=(r"\b2 buffers", r"\btwo buffers", r"written over", r"two are enough"),
)
def buffers_for_three() -> Truth:
    """Until *w* is there, *u* and *v* have to live side by side. *w* needs no third place: it goes
    where *u* was, element by element, just as each of them has been read.
    """
    x = placeholder("x", (1000,))
    u: Any = (x + 1).named("u")
    v = np.exp(u).named("v")
    w = (u * v).named("w")
    plan = Graph(total(w).named("y")).compile()
    assert plan.memory is not None
    return Truth(buffers=len({place.offset for place in plan.memory.places}))


@prediction(
    "A training step is run as a dynamic graph and as a compiled program. Is the program more "
    "times as fast if the network is small, or if it is large?",
    at=Choice(
        "more times as fast",
        {
            "large": "A large network has more to compute, and NumPy computes it in either way. "
            "What does the program save?",
            "the same": "What the program saves is about the same for each operation, however "
            "large its arrays are. What is it a larger part of?",
        },
        among=("small", "large", "the same"),
    ),
    told_by=(r"the smaller the arrays", r"4 ×   4"),
)
def helps_most() -> Truth:
    """A program saves making nodes and walking a graph: a fixed time for each operation. Where the
    arrays are small there is hardly anything else.
    """
    saved, for_each_number = 10.0, 0.01  # microseconds, for one operation
    times_as_fast = {
        name: (saved + size * for_each_number) / (size * for_each_number)
        for name, size in {"small": 16, "large": 262_144}.items()
    }
    return Truth(at=max(times_as_fast, key=lambda name: times_as_fast[name]))


@prediction(
    "`@mg.compile` makes a plan for each shape. A function under it prints a line, and is called "
    "with arrays of 3, 5, 3, 4, 5 and 3 numbers. How many lines are printed?",
    lines=Number(
        "lines",
        {
            6: "A plan that was made for a length is kept, and used when that length comes again.",
            1: "One plan is made for one shape. When another length comes, it does not fit.",
            2: "A plan is kept for good, not only until another length comes.",
            5: "A plan is kept for good, not only until another length comes.",
        },
    ),
    told_by=(r"plans so far", r"Python is here, with"),
)
def lines_for_lengths() -> Truth:
    """Three lengths, three plans, and Python comes by for each of them once. The other three calls
    run a plan that is there.
    """
    calls: list[Node] = []

    @compile_function
    def mean_square(x: Node) -> Node:
        calls.append(x)
        return mean(x * x)

    for length in [3, 5, 3, 4, 5, 3]:
        mean_square(np.ones(length))
    return Truth(lines=len(calls))


AMOUNTS = ("about 20", "about 400", "about a million", "more than a billion")


@prediction(
    "How many binary trees are there with 20 leaves?",
    trees=Choice(
        "trees",
        {
            "about 20": "That would be one for each leaf. With 4 leaves there are 5 trees, and "
            "with 5 leaves 14.",
            "about 400": "The number grows faster than a square: with one leaf more there are "
            "nearly four times as many trees.",
            "about a million": "Nearly four times as many with each leaf more: that is a million "
            "soon, and a thousand times as much a little later.",
        },
        among=AMOUNTS,
    ),
    told_by=(r"1,767,263,190",),
)
def trees_with_20_leaves() -> Truth:
    """1,767,263,190 trees: the root divides the leaves into two parts, and each part is a tree
    again. These are the Catalan numbers.
    """
    count = comb(38, 19) // 20
    return Truth(trees=AMOUNTS[3] if count > 1e9 else AMOUNTS[2])


@prediction(
    "In the program for *u*, *v* and *w*, somebody writes *v* over *u*, so that one buffer is "
    "enough. What comes out?",
    result=Choice(
        "the sum of *w* is",
        {
            "right": "*w* is *u* · *v*. What is in the buffer when *w* is computed?",
            "wrong, and NumPy warns": "NumPy sees calls that write where they are told to. It does "
            "not know what was meant to be there.",
            "an error": "Each of these calls is allowed. NumPy does not know what was meant to be "
            "there.",
        },
        among=("right", "wrong, and NumPy warns", "wrong, without a word", "an error"),
    ),
    told_by=(r"one buffer:  ", r"A wrong number, and not a word"),
)
def one_buffer() -> Truth:
    """*w* needs *u* and *v*, and *u* is gone: what is computed is *v* · *v*. To see that one has to
    look at the whole graph.
    """
    x = np.array([0.0, 1.0, 2.0])
    u = x + 1
    right, t = (u * np.exp(u)).sum(), u.copy()
    np.exp(t, out=t)
    np.multiply(t, t, out=t)
    return Truth(result="right" if np.isclose(t.sum(), right) else "wrong, without a word")
