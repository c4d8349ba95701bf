"""Lesson 02: what can be computed when, and what has to be computed again."""

from itertools import permutations

from ...core.node import Node
from ...core.order import topological_order
from ...graph.parse import parse
from ..prediction import Boxes, Names, Number, Truth, prediction

LESSON = "02_forward_pass"


@prediction(
    "Three cards are waiting, *d*, *e* and *y*. Which of them could be computed now? And in how "
    "many different orders could all three be computed?",
    ready=Names(
        "could be computed now",
        {
            frozenset("d"): "*d* has both of its inputs, and so has *e*: neither waits for the "
            "other. What is written first need not be first.",
            frozenset("dey"): "*y* needs the numbers of *d* and *e*, and they are not there yet.",
            frozenset("y"): "*y* is what one wants to know, but it needs *d* and *e*.",
        },
        among=("d", "e", "y"),
    ),
    orders=Number(
        "orders that work",
        {
            1: "The order in which the formulas are written is one. The graph knows nothing of it: "
            "*e* may as well come first.",
            6: "Three cards can be laid out in six orders, but in four of them *y* comes before "
            "something that it needs.",
        },
    ),
    told_by=(r"\btwo orders\b", r"'dey'", r"d and e (?:can|could) be computed"),
)
def waiting_cards() -> Truth:
    """*d* and *e* do not need each other, so either may come first. *y* needs both, and has to come
    last.
    """
    y = parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)
    inputs = set(y.leaves())
    cards = [node for node in topological_order(y) if node not in inputs]
    ready = [card.name for card in cards if inputs.issuperset(card.inputs)]

    def works(order: tuple[Node, ...]) -> bool:
        known = [inputs | {*order[:place]} for place in range(len(order))]
        return all(there.issuperset(card.inputs) for there, card in zip(known, order))

    return Truth(ready=frozenset(ready), orders=sum(map(works, permutations(cards))))


def quotient(a: float = 2.0) -> Node:
    """The graph in which there is more to choose."""
    return parse("p = a * b; q = b - c; r = p + q; s = q ** 2; z = r / s", a=a, b=3.0, c=1.0)


@prediction(
    "All numbers of this graph have been computed. Now *a* changes. Which cards have to be "
    "computed again?",
    graph=quotient,
    again=Boxes(
        "computed again",
        {
            frozenset("p"): "*p* uses *a* itself. But *r* is computed from *p*, and *z* from *r*.",
            frozenset("pr"): "The way goes on from *r* to *z*.",
            frozenset(
                "pqrsz"
            ): "*q* and *s* are computed from *b* and *c* alone. Their numbers can stay.",
            frozenset("pz"): "The change gets to *z* by way of *r*.",
        },
        among=tuple("pqrsz"),
    ),
    told_by=(r"must_recompute", r"compute \['p', 'r', 'z'\]"),
)
def computed_again() -> Truth:
    """What a change can reach along the arrows has to be computed again: *p*, then *r*, then *z*.
    No path leads from *a* to *q* or *s*.
    """
    before, after = topological_order(quotient()), topological_order(quotient(10.0))
    changed = [new for old, new in zip(before, after) if new.op and old.value != new.value]
    return Truth(again=frozenset(node.name for node in changed))
