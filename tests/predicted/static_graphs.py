"""Lesson 11: plain functions for graphs, and Python's and NumPy's own numbers."""

import ast

import numpy as np

LINES = []


def model(x):
    """What a graph would be made of; it is called where a graph is made."""
    LINES.append("Python is here")
    return lambda number: (number + x) * (number - x)


def lines_of(calls):
    LINES.clear()
    made = [model(1.0) for _ in range(calls)]
    assert [made[-1](number) for number in (2.0, 3.0, 4.0)] == [3.0, 8.0, 15.0]
    return len(LINES)


def different_steps(text):
    """The steps of a formula, each written in full; those that read the same are the same."""
    names, steps = {}, set()
    for line in ast.parse(text).body:
        value = line.value

        def written(x):
            if isinstance(x, ast.Name):
                return names.get(x.id, x.id)
            found = f"({written(x.left)} {type(x.op).__name__} {written(x.right)})"
            steps.add(found)
            return found

        names[line.targets[0].id] = written(value)
    return len(steps)


def multiplications(left_first):
    """By the shapes that NumPy gives: each element of a product takes a row times a column."""
    p, q, r = np.zeros((1000, 10)), np.zeros((10, 1000)), np.zeros((1000, 10))
    inner = p @ q if left_first else q @ r
    outer = inner @ r if left_first else p @ inner
    return inner.size * (10 if left_first else 1000) + outer.size * (1000 if left_first else 10)


with np.errstate(invalid="ignore"):
    STAYS = [x - x == 0 for x in np.array([0.0, 0.1, np.inf, np.nan])]
    ROOT = np.sqrt(-1.0)

TRUTHS = {
    "python_comes_by": {"dynamic": lines_of(3), "static": lines_of(1)},
    # sin x, cos x, x · cos x, and their sum with sin x
    "what_is_left": {"left": len({"sin(x)", "cos(x)", "x * cos(x)", "sin(x) + x * cos(x)"})},
    "left_after_sharing": {
        "left": different_steps("p = a + b\nq = p * c\nr = (a + b) * c\ny = q - r")
    },
    "grouping": {"better": "P @ (Q @ R)", "times": multiplications(True) / multiplications(False)},
    "x_minus_x": {
        "numbers": "for infinity and NaN" if STAYS == [True, True, False, False] else "for none"
    },
    "slope_of_where": {
        "value": "0" if np.where(-1.0 > 0, ROOT, 0.0) == 0 else "NaN",
        "slope": "NaN" if np.isnan(0.0 * 0.5 / ROOT) else "0",
    },
}
