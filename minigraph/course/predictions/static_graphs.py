"""Lesson 11: when Python comes by, what passes leave, and where a shortcut is wrong."""

from typing import Any

import numpy as np

from ...compiler import optimized
from ...core.node import Node, variable
from ...core.order import topological_order
from ...drawing import draw
from ...graph.graph import Graph
from ...graph.joining import where
from ...graph.parse import parse
from ...graph.symbolic import placeholder
from ..prediction import Choice, Number, Truth, prediction

LESSON = "11_static_graphs"


def _operations(graph: Graph) -> int:
    return sum(node.op is not None for node in graph.order)


@prediction(
    "`model` prints a line. First it is called with each of three numbers. Then a static graph is "
    "made with one call, its slope is made of the graph, and both are run with the three numbers. "
    "How many lines are printed?",
    dynamic=Number(
        "by the dynamic graphs",
        {1: "A dynamic graph is made anew for each number, and `model` is what makes it."},
    ),
    static=Number(
        "by the static graph and its slope",
        {
            6: "You let Python come by in each run. A run computes nodes; the line that prints is "
            "none of them.",
            3: "You let `model` be called for each number, as before. What is run now is the "
            "graph, and `model` is not in it.",
            2: "You let the slope be made of `model`. It is made of the graph, which holds all "
            "that a derivative needs.",
            0: "While the graph is defined, somebody has to say which nodes it has: `model` does.",
        },
    ),
    told_by=(r"\bthree times and once\b", r"writes the calculation down"),
)
def python_comes_by() -> Truth:
    """To define the graph, *model* is called once. After that neither the slope nor any of the six
    runs needs it: a graph is all that they ask for.
    """
    calls = [0]

    def model(x: Node) -> Node:
        calls[0] += 1
        return (x + 1) * (x - 1)

    numbers = [2.0, 3.0, 4.0]
    for x in numbers:
        model(variable(x)).backward()
    dynamic, calls[0] = calls[0], 0
    graph = Graph(model(placeholder("x")).named("y"))
    for run in (graph.run, graph.grad("x").run):
        for x in numbers:
            run({"x": x})
    return Truth(dynamic=dynamic, static=calls[0])


@prediction(
    "The slope of *x* sin *x* has six operations. How many of them are left when a pass has "
    "dropped those that do nothing?",
    left=Number(
        "are left",
        {
            6: "Look at what is multiplied by the constant 1. It comes out as it went in.",
            5: "One has gone. Two operations have the constant 1 as an input.",
            3: "A sum of two products stays, and so do the sine and the cosine.",
        },
    ),
    told_by=(r"operations: 6 → 4", r"\bfour (?:of the six )?(?:operations )?are left"),
)
def what_is_left() -> Truth:
    """Two products have the upstream gradient 1 as a factor, and go. The sine, the cosine, one
    product and the sum stay.
    """
    x: Any = placeholder("x")
    after, _ = optimized(Graph(x * np.sin(x)).grad("x"), ["drop_what_does_nothing"])
    return Truth(draw(after.outputs), left=_operations(after))


@prediction(
    "`p = a + b; q = p * c; r = (a + b) * c; y = q - r` has five operations. How many of them are "
    "left when common subexpressions are shared?",
    left=Number(
        "are left",
        {
            4: "The second sum goes. When it has gone, what are the inputs of the two products?",
            5: "*a* + *b* is computed twice, although the second one has no name.",
            2: "The product is one of those that stay: somebody has to compute it.",
            0: "*q* − *r* will be 0, and yet it is no common subexpression. This pass looks for "
            "operations that are computed twice, and not at values.",
        },
    ),
    told_by=(r"operations: 5 → 3",),
)
def left_after_sharing() -> Truth:
    """Two operations go. As soon as the two sums have become one node, the two products have the
    same inputs, and that was not so before.
    """
    a, b, c = (placeholder(name) for name in "abc")
    y = parse("p = a + b; q = p * c; r = (a + b) * c; y = q - r", a=a, b=b, c=c)
    after, _ = optimized(Graph(y), ["share_common_subexpressions"])
    return Truth(draw(after.outputs), left=_operations(after))


GROUPINGS = ("(P @ Q) @ R", "P @ (Q @ R)")


@prediction(
    "*P* is 1000 × 10, *Q* is 10 × 1000 and *R* is 1000 × 10. Which grouping takes fewer "
    "multiplications of two numbers, and how many times fewer?",
    better=Choice(
        "better",
        {GROUPINGS[0]: "In this one the inner product is 1000 × 1000: a million elements."},
        among=GROUPINGS,
    ),
    times=Number(
        "times fewer",
        {
            1: "The result is the same, and the work is not. Write down the shape of the inner "
            "product for both.",
            10: "The inner product of one is 10 × 10. That of the other has many more elements "
            "than ten times as many.",
            10000: "You compared the elements of the inner products. Count the multiplications, "
            "those of the outer product, too.",
        },
    ),
)
def grouping() -> Truth:
    """*QR* is small, 10 × 10, and *PQ* is large, 1000 × 1000. Both products of a grouping cost much
    or little by what stands in the middle.
    """
    shapes = {"P": (1000, 10), "Q": (10, 1000), "R": (1000, 10)}
    matrices = {name: placeholder(name, shape) for name, shape in shapes.items()}
    work = {}
    for text in GROUPINGS:
        nodes = topological_order(parse(text, **matrices))
        work[text] = sum(x.size * x.inputs[0].shape[1] for x in nodes if x.op)
    best = min(work, key=lambda text: work[text])
    return Truth(better=best, times=max(work.values()) / work[best])


CHANGES = ("for none", "for 0", "for infinity and NaN", "for all but whole numbers")


@prediction(
    "A pass puts 0 in place of *x* − *x*. For which numbers *x* does it change the result?",
    numbers=Choice(
        "it changes the result",
        {
            "for none": "For numbers on paper that is so. A computer has a few more.",
            "for 0": "0 − 0 is 0, before the pass and after it.",
            "for all but whole numbers": "A rounded number is rounded the same way each time, so "
            "the difference from itself is 0 exactly.",
        },
        among=CHANGES,
    ),
    told_by=(r"x = inf: before nan", r"is not a number, NaN"),
)
def x_minus_x() -> Truth:
    """∞ − ∞ has no value, and NaN − NaN is NaN. The pass makes 0 of both."""
    x: Any = placeholder("x")
    before = Graph((x - x).named("y"))
    after, _ = optimized(before, ["cancel"])

    def is_changed(number: float) -> bool:
        return bool(before.run({"x": number}) != after.run({"x": number}))

    with np.errstate(invalid="ignore"):
        changed = tuple(map(is_changed, (0.0, 0.1, np.inf, np.nan)))
    words: dict[tuple[bool, ...], str] = {
        (False,) * 4: CHANGES[0],
        (False, False, True, True): CHANGES[2],
    }
    return Truth(numbers=words[changed])


@prediction(
    "`y = mg.where(x > 0, mg.sqrt(x), 0)`. At *x* = −1, what is *y*, and what does the backward "
    "pass give for its slope?",
    value=Choice("y", among=("0", "NaN", "an error")),
    slope=Choice(
        "slope",
        {
            "0": "The side that was not chosen gets the upstream gradient 0. But what is it "
            "multiplied by?",
            "an error": "NumPy goes on with NaN where a number on paper does not exist.",
        },
        among=("0", "NaN", "an error"),
    ),
    told_by=(r"slope nan", r"0 \\cdot \\text\{NaN\}"),
)
def slope_of_where() -> Truth:
    """Both sides are computed, the root of −1 too. *where* leaves that NaN behind. Going back, 0 is
    multiplied by the local derivative of the root, and zero times NaN is no zero.
    """
    x: Any = placeholder("x")
    graph = Graph(where(x > 0, np.sqrt(x), 0))
    with np.errstate(invalid="ignore"):
        results = [float(g.run({"x": -1.0})) for g in (graph, graph.grad("x"))]
    value, slope = ("NaN" if np.isnan(number) else f"{number:g}" for number in results)
    return Truth(value=value, slope=slope)
