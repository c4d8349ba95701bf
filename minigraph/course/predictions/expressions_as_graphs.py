"""Lesson 01: what is shared in a graph, and what a name in Python has to do with a node."""

from ...core.node import variable
from ...core.order import topological_order
from ...drawing import draw
from ...graph.parse import parse
from ..prediction import Choice, Number, Truth, prediction

LESSON = "01_expressions_as_graphs"


@prediction(
    "In *z* = *a* · *b* + *b* · *b* the letter *b* is written three times. How many boxes does the "
    "graph have for *b*, and how many arrows leave them?",
    boxes=Number(
        "boxes for *b*",
        {
            3: "You gave each letter of the formula a box of its own. But all three mean the same "
            "number, and a graph holds it once.",
            2: "You gave each product a box of its own for *b*. A box can be used by many.",
        },
    ),
    arrows=Number(
        "arrows that leave",
        {
            1: "One arrow for one box would make it a chain. Each use of *b* is an arrow.",
            2: "You counted the product *b* · *b* once. It has two arguments, and each of them is "
            "an arrow, although both come from the same box.",
        },
    ),
    told_by=(r"\b(?:one|1) box(?:es)?\b.*\b(?:three|3) arrows", r"a box for each input"),
)
def boxes_for_b() -> Truth:
    """A formula has to write a letter again each time it needs the value. A graph does not: it
    draws another arrow from the same box.
    """
    z = parse("p = a * b; q = b * b; z = p + q", a=2, b=3)
    nodes = topological_order(z)
    boxes = [node for node in nodes if node.name == "b"]
    arrows = [x for node in nodes for x in node.inputs if x.name == "b"]
    return Truth(boxes=len(boxes), arrows=len(arrows))


@prediction(
    "`d = a + b` was computed while `a` stood for a node with the value 2. Now `a` stands for "
    "another node, with the value 100. What is `d.value`?",
    value=Choice(
        "*d* is",
        {
            "103": "You let *d* follow the letter. A spreadsheet does; a node holds other nodes, "
            "not letters.",
            "nothing any more": "The old node is still there, as *d* holds it, though no name of "
            "Python's leads to it.",
        },
        among=("5", "103", "nothing any more"),
    ),
    told_by=(r"\bpoints to the node\b", r"still points to"),
)
def a_moves_on() -> Truth:
    """An edge is a pointer to a node. The name `a` was only a way to get at that node when *d* was
    made; what the name stands for later makes no difference to *d*.
    """
    a, b = variable(2.0, name="a"), variable(3.0, name="b")
    d = a + b
    a = variable(100.0, name="a")
    return Truth(draw([d, a]), value=f"{d.value:g}")
