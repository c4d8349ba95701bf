"""Lesson 09: the rules of descent in plain numbers, and a network of NumPy's that overfits."""

import numpy as np

from minigraph import data


def down(w, rate, steps):
    """Gradient descent on (2w − 6)², whose slope is 8w − 24."""
    weights = [w]
    for _ in range(steps):
        weights.append(weights[-1] - rate * (8 * weights[-1] - 24))
    return weights


def last_length(rate, momentum):
    """How long steps become where the gradient is 1: the sum of a geometric series."""
    return rate * sum(momentum**n for n in range(1000))


def first_of_adam(g, rate=0.1):
    """The first step, by the paper's formulas with t = 1."""
    m, v = (1 - 0.9) * g, (1 - 0.999) * g * g
    return rate * (m / (1 - 0.9)) / ((v / (1 - 0.999)) ** 0.5 + 1e-8)


def losses_of_others():
    """Train two layers on 100 digits by hand, and judge them on others."""
    rng = np.random.default_rng(3)
    digits = data.digits().train
    x, y, others, labels = digits.x[:100], digits.y[:100], digits.x[500:700], digits.y[500:700]
    w1, w2 = rng.normal(0, 0.18, (64, 24)), rng.normal(0, 0.18, (24, 10))
    found = []
    for _ in range(400):
        h = np.maximum(x @ w1, 0)
        p = np.exp(h @ w2)
        g = p / p.sum(axis=1, keepdims=True) - np.eye(10)[y]
        w1, w2 = w1 - 0.02 * x.T @ (g @ w2.T * (h > 0)), w2 - 0.02 * h.T @ g
        out = np.maximum(others @ w1, 0) @ w2
        found.append(np.mean(np.log(np.exp(out).sum(axis=1)) - out[np.arange(200), labels]))
    return found


def right_by_squares():
    """The share of points of two circles that a circle between them tells apart."""
    part = data.circles(np.random.default_rng(7), points=1000).test
    return np.mean(((part.x**2).sum(axis=1) < 0.75**2) == part.y)


swing = down(1.0, 0.25, 9)
assert {*swing} == {1.0, 5.0}
others = losses_of_others()
least = int(np.argmin(others))

TRUTHS = {
    "one_step_down": {"w": down(1.0, 0.1, 1)[1], "loss": (2 * 2.6 - 6) ** 2},
    "rate_of_a_quarter": {"weight": "swings for ever"},
    "steps_with_momentum": {"length": last_length(0.1, 0.9)},
    "first_step_of_adam": {
        "moves": "both as far" if abs(first_of_adam(1e3) - first_of_adam(1e-3)) < 1e-5 else "?"
    },
    "circles_without_a_hidden_layer": {"right": "nearly all" if right_by_squares() > 0.9 else "?"},
    "loss_on_validation": {
        "loss": "falls, then rises"
        if others[0] > 2 * others[least] and others[-1] > 1.2 * others[least]
        else "?"
    },
}
