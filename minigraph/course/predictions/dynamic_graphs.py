"""Lesson 10: what a run leaves of `while` and `if`, of a word, of a jump, and of a total."""

from typing import Any

from ...core.node import Node, constant, variable
from ...core.order import topological_order
from ...core.table import tanh
from ...drawing import draw
from ..prediction import Names, Number, Truth, prediction

LESSON = "10_dynamic_graphs"


def operations(y: Node) -> int:
    """How many operations lead to a node."""
    return sum(node.op is not None for node in topological_order(y))


@prediction(
    "While *y* > 1, *y* is halved. How many operations has the graph of *y* that begins with 5, "
    "and how many the one that begins with 50?",
    five=Number(
        "operations for 5",
        {
            1: "There is one division in the code. How often is it run?",
            2: "After two divisions *y* is 1.25, and that is more than 1.",
            4: "The condition is asked four times, and the division is run three times. Does *y* "
            "depend on a comparison?",
            7: "These are three divisions and four comparisons. Does *y* depend on a comparison?",
        },
    ),
    fifty=Number(
        "operations for 50",
        {
            1: "There is one division in the code. How often is it run?",
            7: "The condition is asked seven times, and the division is run six times.",
            30: "Ten times the number, but not ten times the halvings.",
        },
    ),
    told_by=(r"5\.0: 3", r"50\.0: 6", r"three boxes are left"),
)
def boxes_of_a_loop() -> Truth:
    """Three and six: one operation for each time that the division was run. The comparisons have
    made nodes as well, but *y* does not depend on them, so they are not in its graph.
    """

    def halved(number: float) -> Node:
        y = variable(number, name="x")
        while y.value > 1:
            y = y / 2
        return y

    return Truth(draw(halved(5.0)), five=operations(halved(5.0)), fifty=operations(halved(50.0)))


PARTS = ("x > 2", "x · x", "3 · x")


@prediction(
    "*y* is *x* · *x* if *x* > 2, and else 3 · *x*. Which of these are in the graph of *y* for "
    "*x* = 4?",
    there=Names(
        "in the graph of *y*",
        {
            frozenset(PARTS): "The whole text of the function would be a static graph with both "
            "branches. What did this run do?",
            frozenset(PARTS[:2]): "The comparison was run, and Python has read its answer. Which "
            "input of *y* is it?",
            frozenset(PARTS[1:]): "Only one of the two branches was run.",
        },
        among=PARTS,
    ),
    told_by=(r"only the product", r"one box, a product"),
)
def branch_in_the_graph() -> Truth:
    """Only *x* · *x*. The other branch was not run. The comparison was, but its answer went to
    Python's `if` and not into *y*: no arrow leads from it to *y*.
    """
    x: Any = variable(4.0, name="x")
    above = x > 2
    y = (x * x if above else 3 * x).named("y")
    shown = {"x > 2": above in topological_order(y), "x · x": y.inputs == (x, x)}
    return Truth(draw(y), there=frozenset(name for name, is_there in shown.items() if is_there))


@prediction(
    "A recurrent network reads a word of 5 letters: *h* = tanh(*w* · *h* + *u* · *x*) for each "
    "letter *x*. How many operations and how many weights has its graph?",
    operations=Number(
        "operations",
        {
            4: "These are the operations for one letter. The loop runs once for each of five.",
            5: "One for each letter. Count what is written in the line that is run.",
            15: "Count tanh as well.",
        },
    ),
    weights=Number(
        "weights",
        {
            10: "The line names *w* and *u*, and these are the same two nodes for each letter.",
            5: "The line names *w* and *u*, and these are the same two nodes for each letter.",
            7: "The letters and the weights are inputs; only *w* and *u* are weights.",
        },
    ),
    told_by=(r"5 letters: *20", r"each weight is one node"),
)
def graph_of_a_word() -> Truth:
    """Four operations for each of five letters, and two weights: each is one node with five
    arrows, however long the word is. Going back, its gradient is a sum of five contributions.
    """
    w, u = variable(0.5, name="w"), variable(1.0, name="u")
    h: Node = constant(0.0)
    for x in range(5):
        h = tanh(w * h + u * constant(float(x)))
    weights = [node for node in topological_order(h) if node.kind == "variable"]
    return Truth(operations=operations(h), weights=len(weights))


@prediction(
    "Up to 9 tickets cost 3 each, from 10 on 2 each. What does `backward` give for the slope of "
    "the price at 10 tickets?",
    slope=Number(
        "slope",
        {
            -10: "That is the height of the jump, from 30 down to 20. Is the jump in the graph?",
            2.5: "The mean of the two branches. How many of them has this run?",
            3: "At 10 the other branch is run.",
            -7.5: "This is what a finite difference from 9.5 to 10.5 gives. Is the jump in the "
            "graph?",
            -7: "This is the difference from 9 tickets to 10. Is the jump in the graph?",
        },
    ),
    told_by=(r"backward: +2", r"slope of the branch that"),
)
def slope_at_the_jump() -> Truth:
    """2, the slope of the branch that was run. What would have happened with one ticket fewer is
    not in the graph, so `backward` cannot know of the jump.
    """
    n: Any = variable(10.0, name="n")
    (2 * n if n.value >= 10 else 3 * n).backward()
    return Truth(slope=float(n.grad))


@prediction(
    "The loss of one run has 3 operations. After each of 10 runs `total = total + loss`. How many "
    "operations has the graph of *total*?",
    operations=Number(
        "operations",
        {
            1: "One for the last addition. What does that addition have as inputs?",
            10: "These are the additions alone. Each of them has a loss as its second input.",
            4: "The graph of the last run and one addition. What is the other input of that "
            "addition?",
            30: "Each addition is an operation, too.",
            13: "The first run's graph and ten additions. Where are the other nine?",
        },
    ),
    told_by=(r"10 runs: +40",),
)
def graph_of_a_total() -> Truth:
    """40: three for each loss, and an addition for each. As long as somebody holds *total*, it
    holds every run since the beginning, with all arrays in them.
    """
    w = variable(2.0, name="w")
    total: Node = constant(0.0)
    for x in range(10):
        error = w * float(x) - 1.0
        total = total + error * error
    return Truth(operations=operations(total))
