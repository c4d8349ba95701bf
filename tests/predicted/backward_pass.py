"""Lesson 05: finite differences, all orders one by one, and counts by hand."""

from itertools import permutations

USERS = {"u": {"v", "z"}, "v": {"z"}, "z": set()}


def difference(f, *point, by, h=1e-6):
    above, below = ([x + s * (i == by) for i, x in enumerate(point)] for s in (h, -h))
    return (f(*above) - f(*below)) / (2 * h)


def f(r, s, t):
    return (r + s) * (s * t)


def g(m):
    return 5 * m * m + m


INPUTS = 1000
EDGES = 4 * INPUTS + 1  # two into each product, two into each sum, one into tanh
assert (EDGES, EDGES * (2 * INPUTS + 1)) == (4001, 8006001)

TRUTHS = {
    "all_from_the_right": {name: difference(f, 1, 3, 2, by=i) for i, name in enumerate("rst")}
    | {"multiplications": 2 * 3},
    "who_goes_first": {
        "order": [
            order
            for order in permutations("uvz")
            if all(USERS[x] <= {*order[:i]} for i, x in enumerate(order))
        ]
    },
    "one_sweep_or_many_runs": {"one_sweep": "about 4,000", "one_by_one": "about 8,000,000"},
    "after_two_calls": {"m": 2 * difference(g, 3, by=0), "p": 5.0},
}
