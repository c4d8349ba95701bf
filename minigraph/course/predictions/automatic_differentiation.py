"""Lesson 06: a pass that forgets to clear, and how many passes each mode needs."""

from ...core.node import variable
from ..prediction import Choice, Number, Truth, prediction

LESSON = "06_automatic_differentiation"
_PASSES = ("one", "two", "a million", "a million million")


@prediction(
    "*d* = *a* + *b* and *z* = *d* · *d* − *b* · *c*. One backward pass leaves 10 in a.grad. What "
    "is there after a second one, if nothing is set back to 0 in between?",
    grad=Number(
        "a.grad",
        {
            20: "It is more than twice as much: what the first pass has left in *d* is handed on "
            "once more, too.",
            10: "That is what a pass gives that begins afresh. This one adds to what it finds.",
            30: "That is what the second pass hands on to *a*. What *a* holds already is added.",
        },
    ),
)
def nothing_set_back() -> Truth:
    """The second pass finds 10 in *d*, adds the 20 that arrive now, and hands on all 30; and *a*
    holds 10 already. In the middle of the graph leftovers multiply.
    """
    a, b, c = (variable(value) for value in (2.0, 3.0, 1.0))
    d = a + b
    z = d * d - b * c
    held = dict.fromkeys((a, b, c, d, *z.inputs), 0.0)
    for _ in range(2):
        held[z] = 1.0
        for user in (z, *z.inputs[::-1], d):
            for slot, x in enumerate(user.inputs):
                rule = user.op.vjps[slot]
                values = [other.value for other in user.inputs]
                held[x] += float(rule(held[user], user.value, values, user.attrs))
    return Truth(grad=held[a])


@prediction(
    "A network has a million parameters, and its loss is one number. How many passes does each "
    "mode need for all derivatives of the loss?",
    forward=Choice(
        "forward",
        {
            "one": "One pass forward says what one change of the inputs does to the result. Each "
            "parameter is a change of its own.",
            "a million million": "For each parameter a pass, and a pass costs about as much as "
            "computing the network once.",
        },
        among=_PASSES,
    ),
    backward=Choice(
        "backward",
        {
            "a million": "One pass back brings a gradient to every parameter at once.",
            "two": "The values come from the forward pass, which is there anyway. Going back takes "
            "a single pass.",
        },
        among=_PASSES,
    ),
    told_by=(r"\ba million forward passes\b", r"one backward pass\. This is why"),
)
def passes_for_a_million() -> Truth:
    """Forward, each pass follows one change. Backward, each pass follows one result, and the loss
    is the only one.
    """
    columns, rows = 1_000_000, 1  # of the table of all derivatives
    counts = {1: "one", 1_000_000: "a million"}
    return Truth(forward=counts[columns], backward=counts[rows])
