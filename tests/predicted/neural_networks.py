"""Lesson 08: parameters that are laid out and counted, and derivatives from differences."""

import decimal
import math
from itertools import pairwise

import numpy as np


def laid_out(*sizes):
    """All numbers of a network in one list."""
    arrays = [np.zeros(shape) for i, o in pairwise(sizes) for shape in ((i, o), o)]
    return np.concatenate([array.ravel() for array in arrays])


def smallest_power():
    """Whether e⁻¹⁰⁰⁰, which decimal numbers can hold, is a float other than 0."""
    return float(decimal.Decimal(-1000).exp())


def loss(w1, b1, w2, b2):
    """Cross-entropy, class 1 right in three of four examples, from the definition."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    scores = np.exp(np.tanh(x @ w1 + b1) @ w2 + b2)
    p = scores / scores.sum(axis=1, keepdims=True)
    return -np.log(p[[0, 1, 2, 3], [0, 1, 1, 1]]).mean()


def moves(name):
    """Whether a nudge of any number of a parameter changes the loss at zero."""
    shapes = {"w1": (2, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}
    start = {key: np.zeros(shape) for key, shape in shapes.items()}
    for place in np.ndindex(shapes[name]):
        nudged = {key: value.copy() for key, value in start.items()}
        nudged[name][place] = 1e-6
        if abs(loss(**nudged) - loss(**start)) > 1e-9:
            return True
    return False


TRUTHS = {
    "parameters_for_digits": {"parameters": len(laid_out(64, 32, 10))},
    "value_without_activation": {"value": str(3 + (3 - 1))},
    "loss_of_knowing_nothing": {"loss": f"about {-math.log(1 / 10):.1f}"},
    "log_after_softmax": {"loss": "1000" if smallest_power() else "infinity"},
    "gradients_at_zero": {"moved": {name for name in ("w1", "b1", "w2", "b2") if moves(name)}},
}
