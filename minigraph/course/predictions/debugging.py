"""Lesson 14: where NaN begins, what a backward pass makes of it, and what goes wrong in silence."""

import numpy as np

from ...core.node import Node, variable
from ...core.order import topological_order
from ...core.table import log, sqrt, square, tanh
from ...core.table import sum as total
from ...drawing import draw
from ...graph.rows import sigmoid
from ..prediction import Choice, Names, Number, Shape, Truth, prediction

LESSON = "14_debugging"


def likelihood(w: float, x: float = 4.0, t: float = 1.0) -> Node:
    """The loss of a yes-or-no question, each step with a name."""
    z = (variable(w, name="w") * x).named("z")
    p = sigmoid(z).named("p")
    q = (1 - p).named("q")
    yes = (log(p) * t).named("yes")
    no = (log(q).named("l") * (1 - t)).named("no")
    return (-(yes + no)).named("loss")


@prediction(
    "In the second step *z* is 59.2. Which is the first node, from the inputs on, that is NaN?",
    node=Choice(
        "node",
        {
            "p": "σ(59.2) is 1, up to the last digit of a float. That is rounded, and no NaN.",
            "q": "1 − *p* is exactly 0. That will do harm, but it is a number.",
            "l": "The logarithm of 0 is −∞. That is not NaN yet: it can be compared, and added to.",
            "loss": "It is NaN, but it was handed one. Whatever meets a NaN becomes NaN.",
        },
        among=("p", "q", "l", "no", "loss"),
    ),
    told_by=(r"no *\(?multiply[^\n]*nan", r"no, 0 · −∞", r"the product \$no\$"),
)
def where_nan_begins() -> Truth:
    """*no*: it is *l* · (1 − *t*), that is −∞ · 0. A node before it has gone wrong already, since
    *q* has been rounded to 0, but its value can still be defended. To −∞ · 0 none can be given.
    """
    with np.errstate(all="ignore"):
        loss = likelihood(14.8)
        order = topological_order(loss)
        nan = [node for node in order if np.isnan(node.value)]
        (q,) = (node.value for node in order if node.name == "q")
        corner = (log(variable(q, name="q")).named("l") * 0.0).named("no")
        return Truth(draw(corner), node=nan[0].name)


@prediction(
    "*x* is an array of zeros, and *y* is its norm, √(*x*₁² + *x*₂²). The value of *y* is 0. What "
    "is in the gradient of *x* after `backward`?",
    gradient=Choice(
        "gradient",
        {
            "0": "The square has the slope 0 there. And what is the slope of the root at 0?",
            "1": "Away from 0 the gradient is a vector of length 1. Which direction is it here?",
            "∞": "The slope of the root at 0 is infinite. Which slope does it meet next?",
        },
        among=("0", "1", "∞", "NaN"),
    ),
    told_by=(r"its gradient \[nan", r"0 times infinity is not"),
)
def gradient_of_a_norm() -> Truth:
    """NaN. The root hands on 1 / (2 · 0), which is infinite, and the square multiplies that by
    2 · 0. All values of the forward pass were fine.
    """
    x = variable(np.zeros(2), name="x")
    y = sqrt(total(square(x)))
    with np.errstate(all="ignore"):
        y.backward()
    assert x.grad is not None
    words = {True: "NaN", False: "∞"}
    return Truth(draw(y), gradient=words[bool(np.isnan(x.grad).all())])


@prediction(
    "The slope of a sigmoid is nowhere larger than ¼. Five sigmoids stand in a row, with nothing "
    "between them. At most one part in how many of a gradient comes through all five?",
    parts=Number(
        "one part in",
        {
            4: "That is one sigmoid. Slopes along a path are multiplied.",
            20: "Slopes along a path are multiplied, and not added.",
            256: "That is four of them.",
            625: "Five to the power of four: it is the other way round.",
        },
    ),
    told_by=(r"4\^5", r"a thousandth comes through"),
)
def left_of_a_gradient() -> Truth:
    """4 · 4 · 4 · 4 · 4 = 1024. After ten it is one part in a million: the first layers hear next
    to nothing of what the last ones got wrong.
    """
    z = variable(0.0)  # where the slope is largest
    sigmoid(z).backward()
    return Truth(parts=round(1 / float(z.grad)) ** 5)


PARAMETERS = ("w1", "b1", "w2", "b2")


def unconnected() -> tuple[Node, dict[str, Node]]:
    """A network of two layers, in which the second one reads x."""
    given = {
        name: variable(value, name=name) for name, value in zip(PARAMETERS, (0.5, 0.1, 1.5, 0.2))
    }
    w1, b1, w2, b2 = given.values()
    x = 2.0
    tanh(w1 * x + b1)
    return square(w2 * x + b2 - 1.0), given


@prediction(
    "*h* = tanh(*w*₁ · *x* + *b*₁), then *y* = *w*₂ · *x* + *b*₂, and *loss* = (*y* − 1)². Which "
    "of the four have a gradient after `backward`?",
    there=Names(
        "with a gradient",
        {
            frozenset(PARAMETERS): "So it was meant. Read the second formula once more.",
            frozenset(PARAMETERS[:2]): "It is the other way round: begin at the loss, and go back.",
            frozenset(("w2",)): "*y* depends on what is added as well.",
        },
        among=PARAMETERS,
    ),
    told_by=(r"w1: None", r"w₁ and b₁ have none"),
)
def with_a_gradient() -> Truth:
    """Only *w*₂ and *b*₂. *h* was computed, and nothing has used it: the second layer reads *x*.
    From the loss no way leads back to *w*₁ and *b*₁, so `backward` never comes by.
    """
    loss, given = unconnected()
    loss.backward()
    there = frozenset(name for name, node in given.items() if node.grad is not None)
    return Truth(draw(loss), there=there)


@prediction(
    "Predictions have the shape (4, 1), targets the shape (4,). Which shape has their difference?",
    shape=Shape(
        "of the difference",
        {
            (4,): "So it was meant. Write the shapes below each other, aligned at the right.",
            (4, 1): "Aligned at the right, the 1 stands above the 4. What becomes of the 1?",
            (1, 4): "Missing axes are filled up on the left, with 1. Then each 1 is stretched.",
        },
    ),
    told_by=(r"shape \(4, 4\) loss", r"sixteen differences"),
)
def shape_of_an_accident() -> Truth:
    """(4, 4): each prediction with each target. (4,) becomes (1, 4), and then both axes of size 1
    are stretched. It is right for an outer difference, so there is no error.
    """
    predictions, targets = variable(np.zeros((4, 1))), variable(np.zeros(4))
    return Truth(shape=(predictions - targets).shape)
