"""Lesson 04: what two paths bring together, and how many paths there are."""

from ...core.node import Node, variable
from ...core.order import topological_order
from ...core.table import cos, sin
from ...drawing import draw
from ...graph.parse import parse
from ..prediction import Number, Truth, prediction

LESSON = "04_chain_rule"


@prediction(
    "Two paths lead from *m* to *y*. How many times as far as a small nudge of *m* does *y* move?",
    slope=Number(
        "∂y/∂m",
        {
            8: "That is what comes through *p*. The nudge goes through *q* at the same time.",
            12: "That is what comes through *q*. The nudge goes through *p* at the same time.",
            96: "Along a path one multiplies. But the two paths are two effects on *y*, one beside "
            "the other, and effects add up.",
            5: "You added the numbers on the first edges. What comes next multiplies each of them.",
            19: "You added all numbers on the two paths. Along one path they are multiplied.",
        },
    ),
)
def two_paths() -> Truth:
    """Along its first path the nudge is multiplied by 4 and by 2, along the second one by 1 and by
    12. Both arrive at *y*, and there they add up.
    """
    y = parse("p = k * m; q = m - n; y = p * q", k=4, m=3, n=1)
    y.backward()
    m = next(node for node in topological_order(y) if node.name == "m")
    return Truth(draw(y), slope=float(m.grad))


@prediction(
    "Each step turns *w* into sin *w* + cos *w*. How many paths lead from *x* to the result after "
    "3 steps, and how many after 12?",
    at_3=Number(
        "after 3 steps",
        {
            6: "You added two for each step. But each of the paths so far can go on in two ways.",
            12: "Those are the edges. A path takes some of them, one after the other.",
            9: "Three squared? Each step doubles what there is, whatever its number.",
        },
    ),
    at_12=Number(
        "after 12 steps",
        {
            24: "You added two for each step. But each of the paths so far can go on in two ways.",
            48: "Those are the edges. A path takes some of them, one after the other.",
            144: "Twelve squared grows far more slowly than what is doubled twelve times.",
            32: "Four times as many steps are not four times as many paths: each step doubles.",
        },
    ),
)
def number_of_paths() -> Truth:
    """Each path so far can go on through the sine or through the cosine. So each step has twice as
    many paths as the one before.
    """
    return Truth(at_3=_paths(3), at_12=_paths(12))


def _paths(depth: int) -> int:
    """How many paths lead through so many steps."""
    w = variable(0.5)
    for _ in range(depth):
        w = sin(w) + cos(w)
    paths: dict[Node, int] = {}
    for node in topological_order(w):
        paths[node] = sum(paths[x] for x in node.inputs) or 1
    return paths[w]
