"""Lesson 03: how a result answers to a nudge."""

from ...core.node import Node
from ...drawing import draw
from ...graph.parse import parse
from ..prediction import Choice, Number, Truth, prediction

LESSON = "03_local_derivatives"


def sum_of_two(**values: float) -> Node:
    """The graph of the lesson, with other inputs than 3, 2 and 16 where they are given."""
    return parse("u = a * b; v = c / b; y = u + v", **{"a": 3.0, "b": 2.0, "c": 16.0, **values})


@prediction(
    "In *y* = *a* · *b* + *c* / *b* stand *a* = 3, *b* = 2 and *c* = 16. Each input is nudged by "
    "0.1, one at a time. Which of them moves *y* most? And which pushes *y* down?",
    most=Choice(
        "moves *y* most",
        {
            "b": "*b* takes part twice, but the two effects work against each other: a larger *b* "
            "makes the product larger, and the quotient smaller.",
            "c": "*c* is the largest number. But what counts is how much of its nudge arrives, and "
            "dividing by *b* = 2 lets half of it through.",
        },
        among=("a", "b", "c"),
    ),
    down=Choice(
        "pushes *y* down",
        {
            "c": "*c* is divided, but a larger *c* makes *c* / *b* larger.",
            "a": "A larger *a* makes the product larger, as *b* is positive.",
            "none of them": "A larger *b* makes *c* / *b* smaller, and here that is more than what "
            "the product gains.",
        },
        among=("a", "b", "c", "none of them"),
    ),
    told_by=(r"b \+ 0\.1:", r"a moves y most", r"\$a\$ moves \$y\$ most"),
)
def three_nudges() -> Truth:
    """*a* is multiplied by *b* = 2, so its nudge arrives twice as large. *b* takes part twice:
    through the product it pushes *y* up, through the quotient down, and the quotient is stronger.
    """
    at, start = {"a": 3.0, "b": 2.0, "c": 16.0}, sum_of_two().value
    changes = {name: sum_of_two(**{name: x + 0.1}).value - start for name, x in at.items()}
    most = max(changes, key=lambda name: abs(changes[name]))
    (down,) = [name for name, change in changes.items() if change < 0]
    return Truth(most=most, down=down)


@prediction(
    "In *w* = *p* · *q* stand *p* = 7 and *q* = 4. Nudge *p* by 0.1 and leave *q* alone; then, "
    "from the old place, the other way round. How much does *w* change, divided by 0.1?",
    p=Number(
        "for the nudge of *p*",
        {
            7: "You took *p* itself. But *p* is what moves; it is multiplied by what stands still.",
            1: "That would be so for a sum. A product multiplies the nudge by the other factor.",
            28: "That is the product. What is asked for is how much it changes.",
            0.4: "That is the change. Divide it by the nudge, 0.1.",
        },
    ),
    q=Number(
        "for the nudge of *q*",
        {
            4: "You took *q* itself. But *q* is what moves; it is multiplied by what stands still.",
            1: "That would be so for a sum. A product multiplies the nudge by the other factor.",
            28: "That is the product. What is asked for is how much it changes.",
            0.7: "That is the change. Divide it by the nudge, 0.1.",
        },
    ),
    told_by=(r"the other factor", r"by x: y,  by y: x"),
)
def one_product() -> Truth:
    """Each factor finds the other factor: 7.1 · 4 is 0.1 · 4 more than 7 · 4, and 7 · 4.1 is
    7 · 0.1 more.
    """
    w = parse("p * q", p=7.0, q=4.0)
    by_p = (parse("p * q", p=7.1, q=4.0).value - w.value) / 0.1
    by_q = (parse("p * q", p=7.0, q=4.1).value - w.value) / 0.1
    picture = draw(w.named("w"), derivatives=True, gradients=False)
    return Truth(picture, p=round(by_p, 6), q=round(by_q, 6))


@prediction(
    "At *x* = 2 the derivative of *x*² is 4, and that of *x*³ is 12. What is the derivative of "
    "their product, *x*² · *x*³?",
    slope=Number(
        "the derivative",
        {
            48: "That is the product of the derivatives. But where one factor is nudged, the other "
            "one stands there as it is, and not as its derivative.",
            16: "That is the sum of the derivatives, which is right for a sum.",
            32: "That is the value of the product.",
        },
    ),
)
def slope_of_a_product() -> Truth:
    """*x* is nudged in both factors. Through the first, the nudge is multiplied by 4 and then by
    the other factor, 8; through the second by 12 and then by the other factor, 4. Both together are
    32 + 48.
    """
    product = parse("(x ** 2) * (x ** 3)", x=2.0)
    product.backward()
    return Truth(slope=float(product.leaves()[0].grad))


def slope_is_off(step: float) -> float:
    """By how much a central difference misses the derivative of 1/x at 3."""
    return abs((1 / (3 + step) - 1 / (3 - step)) / (2 * step) + 1 / 9)


@prediction(
    "The derivative of 1/*x* at 3 is −1/9. With which of these steps does the central difference "
    "come closest?",
    step=Choice(
        "step",
        {
            "10⁻¹⁵": "As small as possible, one would think. But *f*(*x* + *h*) and *f*(*x* − *h*) "
            "then agree in nearly all digits that a computer keeps, and little is left of their "
            "difference.",
            "10⁻¹⁰": "The curve is straight enough long before. And here ten of the sixteen digits "
            "are lost already.",
            "0.1": "Over such a way the curve still bends.",
        },
        among=("0.1", "10⁻⁵", "10⁻¹⁰", "10⁻¹⁵"),
    ),
    told_by=(r"\bbest (?:step|near)", r"h = 1e-0?[4-6] "),
)
def best_step() -> Truth:
    """Two errors meet. The larger the step, the more the curve bends over it; the smaller the step,
    the fewer digits are left of the difference.
    """
    steps = {"0.1": 1e-1, "10⁻⁵": 1e-5, "10⁻¹⁰": 1e-10, "10⁻¹⁵": 1e-15}
    return Truth(step=min(steps, key=lambda name: slope_is_off(steps[name])))
