"""Lesson 15: how often a traced function is run, what an `if` does in it, and how precise it is."""

from typing import Any

import numpy as np

from ...compiler.compile import compile_function
from ...errors import SymbolicError
from ...graph.symbolic import placeholder
from ..prediction import Choice, Number, Truth, prediction

LESSON = "15_real_frameworks"


@prediction(
    "*f* prints a line and returns *x* · *x*. `g = mg.compile(f)`, as `jax.jit(f)` in JAX, and *g* "
    "is called with 1.0, 2.0 and 3.0. How many lines are printed?",
    lines=Number(
        "lines",
        {
            3: "That is so if Python runs *f* in each call. What is called here is *g*.",
            0: "Somebody has to find out what *f* computes. Who, if not Python?",
            2: "For the second and the third call nothing is new.",
        },
    ),
    told_by=(r"Python is here\s+1\.0", r"has seen one line"),
)
def lines_of_a_trace() -> Truth:
    """One, in the first call. Python runs *f* with a stand-in for the number, each operation leaves
    a node, and what is made of the nodes is kept. The other two calls run that.
    """
    lines: list[str] = []

    def f(x: Any) -> Any:
        lines.append("Python is here")
        return x * x

    g = compile_function(f)
    for number in (1.0, 2.0, 3.0):
        g(number)
    return Truth(lines=len(lines))


@prediction(
    "*f* returns *x* · *x* if *x* > 2, and else 3 · *x*. What happens in the first call of "
    "`mg.compile(f)`, or of `jax.jit(f)`, with 4.0?",
    outcome=Choice(
        "outcome",
        {
            "16, as always": "While it is traced, *x* is a stand-in. Is it larger than 2?",
            "both branches are computed": "`if` is Python's, and Python goes one way only.",
            "the first branch for good": "That would be wrong for 1.0, and nobody would see it.",
        },
        among=(
            "16, as always",
            "an error",
            "both branches are computed",
            "the first branch for good",
        ),
    ),
    told_by=(r"refuse to answer",),
)
def branch_of_a_trace() -> Truth:
    """An error. Python's `if` asks whether *x* > 2, and a stand-in has no number to compare. Both
    would have to say yes or no for all numbers to come, and so they raise an error.
    """
    try:
        bool(placeholder("x") > 2)
    except SymbolicError:
        return Truth(outcome="an error")
    return Truth(outcome="16, as always")


@prediction(
    "Numbers are float32 in PyTorch and JAX, unless you say otherwise; in minigraph they are "
    "float64. How many decimal digits of a float32 can be trusted?",
    digits=Choice(
        "digits",
        {
            "3": "That is float16, with 11 bits for the digits.",
            "16": "That is float64, with 53 bits for the digits.",
            "32": "There are 32 bits, of which 24 are for the digits. A digit needs 3.3 of them.",
        },
        among=("3", "7", "16", "32"),
    ),
    told_by=(r"0\.100000001", r"seven digits"),
)
def digits_of_a_float() -> Truth:
    """Seven: 24 bits for the digits, at 3.3 bits for each. A finite difference with a step of
    0.000001, which serves well in this course, is of no use there.
    """
    return Truth(digits=str(round(-np.log10(np.finfo(np.float32).eps / 2))))
