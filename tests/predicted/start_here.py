"""Lesson 00: the formulas, run by Python."""


def numbers(a, b, c):
    d, e = a + b, b - c
    return {"a": a, "b": b, "c": c, "d": d, "e": e, "y": d * e}


before, after = numbers(2, 3, 1), numbers(4, 3, 1)
TRUTHS = {
    "boxes_that_change": {"boxes": frozenset(x for x in before if before[x] != after[x])},
}
