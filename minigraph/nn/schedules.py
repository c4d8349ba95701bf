"""Learning rates that change from step to step: from the number of a step, from 0, to a factor."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

from ..data.sets import checked_count
from .checks import checked_number

Schedule = Callable[[int], float]


def cosine(steps: int, warmup: int = 0) -> Schedule:
    """Rise in a straight line for `warmup` steps, then fall as half a cosine to 0 at `steps`.

    Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts",
    ICLR 2017.
    """
    warmup = checked_count("warmup", warmup, least=0)
    steps = checked_count("the number of steps", steps, least=warmup + 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return (1 + cos(pi * min(1, (step - warmup) / (steps - warmup)))) / 2

    return factor


def stepwise(every: int, factor: float = 0.1) -> Schedule:
    """Multiply by a factor after so many steps, again and again."""
    every = checked_count("the number of steps", every)
    factor = checked_number("the factor", factor, "above 0")
    return lambda step: factor ** (step // every)
