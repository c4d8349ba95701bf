"""Lesson 10: loops counted in plain Python, and what PyTorch has recorded, written out."""

from math import ceil, log2

HALVINGS = {x: ceil(log2(x)) for x in (5, 50)}  # the least n with x / 2ⁿ at most 1
assert all(x / 2**n <= 1 < x / 2 ** (n - 1) for x, n in HALVINGS.items())

LETTERS, LINE = 5, "tanh(w * h + u * x)"
IN_A_LINE = LINE.count("*") + LINE.count("+") + LINE.count("tanh")

RUNS = 10
IN_A_LOSS = len(["w * x", "− 1", "square"])

TRUTHS = {
    "boxes_of_a_loop": {"five": HALVINGS[5], "fifty": HALVINGS[50]},
    "branch_in_the_graph": {"there": frozenset({"x · x"})},  # a line that was not run made nothing
    "graph_of_a_word": {"operations": LETTERS * IN_A_LINE, "weights": len({"w", "u"})},
    "slope_at_the_jump": {"slope": (2 * 10.5 - 2 * 10) / 0.5},  # on the side that is run
    "graph_of_a_total": {"operations": RUNS * (IN_A_LOSS + 1)},
}
