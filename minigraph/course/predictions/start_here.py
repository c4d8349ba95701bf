"""Lesson 00: a first prediction, to see how predictions work."""

from ...core.node import Node
from ...core.order import topological_order
from ...graph.parse import parse
from ..prediction import Boxes, Truth, prediction

LESSON = "00_start_here"


def first_graph(a: float = 2.0) -> Node:
    """The graph with which the course begins."""
    return parse("d = a + b; e = b - c; y = d * e", a=a, b=3.0, c=1.0)


@prediction(
    "Suppose *a* were 4 instead of 2. Which boxes would show another number? Click on them.",
    graph=first_graph,
    boxes=Boxes(
        "boxes that change",
        {
            frozenset("dy"): "You left out *a* itself, which shows 4 instead of 2.",
            frozenset("ad"): "The change does not stop at *d*: *y* is computed from *d*.",
            frozenset("ay"): "The change gets to *y* by way of *d*, which holds *a* + *b*.",
            frozenset("adey"): "No arrow leads from *a* to *e*: *b* − *c* has no *a* in it.",
            frozenset("abcdey"): "Only what *a* can reach along the arrows can change.",
        },
        among=tuple("abcdey"),
    ),
    told_by=(r"\ba, d,? (?:and )?y\b", r"changed:"),
)
def boxes_that_change() -> Truth:
    """A change runs along the arrows: from *a* to *d*, and from *d* to *y*. No arrow leads from *a*
    to *e*, and *b* and *c* are inputs of their own.
    """
    before, after = topological_order(first_graph()), topological_order(first_graph(4.0))
    changed = [new for old, new in zip(before, after) if old.value != new.value]
    return Truth(boxes=frozenset(node.name for node in changed))
