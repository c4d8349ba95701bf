"""Lesson 12: NumPy in buffers made by hand, and trees that are counted one by one."""

from functools import cache

import numpy as np


def is_right_with(buffers):
    """Whether exp(x + 1) times x + 1 comes out right in so many buffers."""
    x = np.linspace(0.0, 1.0, 5)
    t = [np.empty(5) for _ in range(buffers)]
    np.add(x, 1, out=t[0])
    np.exp(t[0], out=t[-1])
    np.multiply(t[0], t[-1], out=t[0])
    return bool(np.allclose(t[0], (x + 1) * np.exp(x + 1)))


@cache
def trees(leaves):
    """Divide the leaves into a left and a right part in every way."""
    if leaves == 1:
        return 1
    return sum(trees(left) * trees(leaves - left) for left in range(1, leaves))


assert [trees(n) for n in (3, 4, 5)] == [2, 5, 14]

TRUTHS = {
    "buffers_for_three": {"buffers": next(n for n in (1, 2, 3) if is_right_with(n))},
    "helps_most": {"at": "small"},  # as the lesson's own measurements show
    "lines_for_lengths": {"lines": len({3, 5, 4})},
    "trees_with_20_leaves": {
        "trees": "more than a billion" if trees(20) > 10**9 else "about a million"
    },
    "one_buffer": {"result": "right" if is_right_with(1) else "wrong, without a word"},
}
