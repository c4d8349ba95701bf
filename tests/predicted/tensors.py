"""Lesson 07: finite differences, lists and counts instead of rules."""

import numpy as np


def difference(f, at, place, h=1e-6):
    nudge = np.zeros_like(at)
    nudge[place] = h
    return (f(at + nudge) - f(at - nudge)) / (2 * h)


ROWS = np.array([[1.0, 5.0, 2.0], [4.0, 3.0, 4.0]])
BACK = np.array([12.0, 600.0])
PICKED, COMES = [2, 0, 2], [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]


def of_row(row):
    return sum(back[1] for place, back in zip(PICKED, COMES) if place == row)


assert 1e11 < 256 * 256 * 256 * 784 * 8 < 1.1e11  # bytes
TRUTHS = {
    "shapes_that_come_back": {"g": (4, 2), "b": (2,)},
    "product_that_fits": {"product": "G Yᵀ"},
    "back_from_reductions": {
        "mean": difference(lambda x: BACK @ x.mean(axis=1), ROWS, (0, 0)),
        # up by h moves the maximum by h, down by h does not move it: half of the slope above
        "max": difference(lambda x: BACK @ x.max(axis=1), ROWS, (1, 0)),
    },
    "back_to_the_rows": {"row_1": of_row(1), "row_2": of_row(2)},
    "memory_of_a_jacobian": {"memory": "about 100 GB"},
    "bias_after_a_step": {"b": np.broadcast_shapes((3,), (3, 3))},
}
