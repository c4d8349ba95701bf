"""Lesson 05: gradients in one sweep, the order of handing on, what it costs, and a second call."""

from ...core.node import Node, variable
from ...core.order import topological_order
from ...core.table import tanh
from ...drawing import draw
from ...graph.parse import parse
from ...recording import record
from ..prediction import Choice, Number, Order, Truth, prediction

LESSON = "05_backward_pass"
_COUNTS = ("about 1,000", "about 4,000", "about 2,000,000", "about 8,000,000")
_WIDE = 1000  # inputs of a neuron


@prediction(
    "What are the gradients of *r*, *s* and *t*, and how many multiplications does it take to find "
    "all five, from the right to the left?",
    r=Number(
        "of *r*", {1: "That is the number on the edge. What has arrived at *p* multiplies it."}
    ),
    s=Number(
        "of *s*",
        {
            6: "That is what comes back through *p*. Something comes back through *q*, too.",
            8: "That is what comes back through *q*. Something comes back through *p*, too.",
            48: "The two uses of *s* are two effects, one beside the other: they add up.",
            3: "You added the numbers on the edges. What has arrived on the right multiplies them.",
        },
    ),
    t=Number(
        "of *t*", {3: "That is the number on the edge. What has arrived at *q* multiplies it."}
    ),
    multiplications=Number(
        "multiplications",
        {
            18: "That would be 6 for each input, as if each had to be asked alone. But what has "
            "been found at *p* serves *r* and *s*.",
            5: "One for each gradient? Two of them come to *s*, one along each of its edges.",
        },
    ),
)
def all_from_the_right() -> Truth:
    """Each edge is used once, against its arrow: what has arrived at its head, times the number on
    it, goes to its tail. Where two edges bring something back, it is added.
    """
    y = parse("p = r + s; q = s * t; y = p * q", r=1, s=3, t=2)
    y.backward()
    gradients = {node.name: float(node.grad) for node in topological_order(y)}
    edges = sum(len(node.inputs) for node in topological_order(y))
    return Truth(draw(y), **{name: gradients[name] for name in "rst"}, multiplications=edges)


@prediction(
    "In which order can the three operations hand on their gradients, each when its own is "
    "complete?",
    order=Order(
        "order",
        {
            ("z", "u", "v"): "When *z* has handed on, *u* holds a part of its gradient only: *v* "
            "uses it, too, and has not handed on yet.",
            ("u", "v", "z"): "That is the order of the forward pass. Going back, users come first.",
        },
        among=("u", "v", "z"),
    ),
    told_by=(r"\bu\b has to wait", r"backward:.{0,5}z.{1,4}v.{1,4}u"),
)
def who_goes_first() -> Truth:
    """Going back, a node waits for everybody who uses it. So the order of the forward pass, turned
    round, is one that is right.
    """
    z = parse("u = a * b; v = u - c; z = u * v", a=2, b=3, c=4)
    operations = [node for node in topological_order(z) if node.op]
    return Truth(order=[*_right_orders([], operations)])


def _right_orders(begun: list[Node], left: list[Node]) -> list[tuple[str, ...]]:
    """The orders of handing on in which each operation comes after its users."""
    if not left:
        return [tuple(node.name or "" for node in begun)]
    free = [node for node in left if not any(node in user.inputs for user in left)]
    rest = [(node, [other for other in left if other is not node]) for node in free]
    return [order for node, others in rest for order in _right_orders([*begun, node], others)]


@prediction(
    "A neuron with 1,000 inputs has 2,001 derivatives. How many multiplications does one sweep "
    "take, and how many one run forward for each derivative?",
    one_sweep=Choice(
        "one sweep",
        {
            "about 8,000,000": "A sweep uses each edge once, and there are four for each input.",
            "about 2,000,000": "A sweep uses each edge once, and there are four for each input.",
        },
        among=_COUNTS,
    ),
    one_by_one=Choice(
        "one by one",
        {
            "about 4,000": "That is a single run. The next derivative needs another one.",
            "about 2,000,000": "Each of about 2,000 runs goes along about 4,000 edges.",
        },
        among=_COUNTS,
    ),
    told_by=(r"4,001", r"8,006,001"),
)
def one_sweep_or_many_runs() -> Truth:
    """One sweep takes a multiplication for each edge. A run forward takes as many, and finds a
    single derivative.
    """
    total = variable(0.5)
    for _ in range(_WIDE):
        total = total + variable(0.1) * variable(1.0)
    y = tanh(total)
    sweep = sum(event.kind == "multiply" for event in record(y, "backward").events)
    runs = sum(node.op is None for node in topological_order(y))
    return Truth(one_sweep=_about(sweep), one_by_one=_about(sweep * runs))


def _about(count: int) -> str:
    """The choice that comes nearest."""
    return min(_COUNTS, key=lambda text: abs(int(text[6:].replace(",", "")) - count))


@prediction(
    "*p* = *m* · *m* and *y* = 5 · *p* + *m*, with *m* = 3. What do *m* and *p* hold after two "
    "calls of y.backward()?",
    m=Number(
        "*m* holds",
        {31: "That is its gradient. But nobody has cleared it after the first call."},
    ),
    p=Number(
        "*p* holds",
        {
            10: "Variables add up over several calls. What lies between starts afresh in each: "
            "what it holds is handed on again."
        },
    ),
)
def after_two_calls() -> Truth:
    """An input adds what a second pass finds to what it holds. What is computed on the way starts
    afresh.
    """
    y = parse("p = m * m; y = 5 * p + m", m=3)
    y.backward()
    y.backward()
    nodes = {node.name: node for node in topological_order(y)}
    return Truth(draw(y), m=float(nodes["m"].grad), p=float(nodes["p"].grad))
