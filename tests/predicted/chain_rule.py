"""Lesson 04: a finite difference, and the paths one by one."""

from itertools import product


def f(k, m, n):
    return k * m * (m - n)


TRUTHS = {
    "two_paths": {"slope": (f(4, 3 + 1e-6, 1) - f(4, 3 - 1e-6, 1)) / 2e-6},
    "number_of_paths": {
        f"at_{depth}": len([*product(("sin", "cos"), repeat=depth)]) for depth in (3, 12)
    },
}
