"""Lesson 14: floats in plain Python and NumPy, and slopes that were worked out by hand."""

import math

import numpy as np

p = 1 / (1 + math.exp(-59.2))
assert (p, 1 - p) == (1.0, 0.0)
VALUES = {"p": p, "q": 1 - p, "l": -math.inf, "no": -math.inf * (1 - 1.0)}
VALUES["loss"] = -(math.log(p) * 1.0 + VALUES["no"])

SLOPE_OF_THE_ROOT = math.inf  # the limit of 1 / (2 √s) for s towards 0
SLOPE_OF_A_SIGMOID = max(s * (1 - s) for s in np.linspace(0, 1, 101))

TRUTHS = {
    "where_nan_begins": {"node": next(name for name, x in VALUES.items() if math.isnan(x))},
    "gradient_of_a_norm": {"gradient": {True: "NaN"}[math.isnan(SLOPE_OF_THE_ROOT * 2 * 0.0)]},
    "left_of_a_gradient": {"parts": (1 / SLOPE_OF_A_SIGMOID) ** 5},
    "with_a_gradient": {"there": frozenset({"w2", "b2"})},  # the letters of the second formula
    "shape_of_an_accident": {"shape": np.subtract.outer(np.zeros(4), np.zeros(4)).shape},
}
