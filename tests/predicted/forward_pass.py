"""Lesson 02: the formulas, run by Python in every order and with other numbers."""

from itertools import permutations

FORMULAS = {"d": "a + b", "e": "b - c", "y": "d * e"}
QUOTIENT = {"p": "a * b", "q": "b - c", "r": "p + q", "s": "q ** 2", "z": "r / s"}


def run(formulas, order, **values):
    for name in order:
        values[name] = eval(formulas[name], {}, values)
    return values


def works(*order):
    try:
        run(FORMULAS, order, a=2, b=3, c=1)
    except NameError:
        return False
    return True


one, other = (run(QUOTIENT, QUOTIENT, a=a, b=3, c=1) for a in (2, 5))
TRUTHS = {
    "waiting_cards": {
        "ready": frozenset(filter(works, FORMULAS)),
        "orders": sum(works(*order) for order in permutations(FORMULAS)),
    },
    "computed_again": {"again": frozenset(x for x in QUOTIENT if one[x] != other[x])},
}
