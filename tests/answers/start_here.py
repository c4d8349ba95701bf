"""Lesson 00."""

import numpy as np

from . import right, wrong

right(
    "first_look",
    {"inputs": 3, "operations": 3, "edges": 6},
    {"edges": 6.0, "operations": 3.0, "inputs": 3.0},
    dict(zip(("inputs", "operations", "edges"), np.array([3, 3, 6]))),
    {"inputs": len("abc"), "operations": 2 + 1, "edges": 3 * 2},
)
wrong(
    "first_look",
    {"inputs": 3, "operations": 3, "edges": 4},  # only those that leave an input
    {"inputs": 2, "operations": 3, "edges": 6},
    {"inputs": 3, "operations": 1, "edges": 6},
    {"inputs": 3, "operations": 3, "edges": 3},
    {"inputs": 6, "operations": 3, "edges": 3},
    {"inputs": 3, "operations": 3, "edges": 6.5},
    {"inputs": 3, "operations": 3, "edges": -6},
    {"inputs": 3, "operations": 3, "edges": float("nan")},
)
wrong("first_look", {"inputs": 3, "operations": 3}, says="There is no number for edges.")
wrong("first_look", {"input": 3, "operations": 3, "edges": 6}, says="no number for inputs")
wrong("first_look", (3, 3, 6), says="It should be a dictionary")
wrong("first_look", {"inputs": "abc", "operations": 3, "edges": 6}, says="there is a text")
wrong("first_look", {"inputs": 3, "operations": ..., "edges": 6}, says="still three dots")
