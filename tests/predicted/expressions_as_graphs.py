"""Lesson 01: what the formula says as Python reads it, and what Python's own names do."""

import ast

PARSED = ast.parse("z = a * b + b * b")
LETTERS = [x.id for x in ast.walk(PARSED) if isinstance(x, ast.Name) and x.id == "b"]


def moved_on():
    """A list holds what a name stood for, too."""
    a, b = [2.0], [3.0]
    d = [a, b]
    a = [100.0]
    assert a not in d
    return str(int(sum(x for (x,) in d)))


TRUTHS = {
    "boxes_for_b": {"boxes": len(set(LETTERS)), "arrows": len(LETTERS)},
    "a_moves_on": {"value": moved_on()},
}
