"""Lesson 07: the shapes and the numbers that come back from operations on arrays."""

import numpy as np

from ...core.node import variable
from ...graph.reductions import max as max_
from ...graph.reductions import mean
from ..prediction import Choice, Number, Shape, Truth, prediction

LESSON = "07_tensors"
_PRODUCTS = ("G Y", "Gᵀ Y", "G Yᵀ", "Y G")
_SIZES = {"about 100 kB": 1e5, "about 100 MB": 1e8, "about 1 GB": 1e9, "about 100 GB": 1e11}


@prediction(
    "*out* = *x* @ *w* + *b*, where *x* @ *w* has the shape (4, 2) and *b* the shape (2,). Which "
    "shape has the gradient of *out*, and which the gradient of *b*?",
    g=Shape(
        "of *out*",
        {
            (): "That is so for one number. Here there is a number for each element of *out*.",
            (2,): "That is the shape of *b*. A nudge of each element of *out* has its own effect.",
        },
    ),
    b=Shape(
        "of *b*",
        {
            (4, 2): "That is what arrives. But *b* has two elements to nudge, not eight.",
            (1, 2): "The axis that *b* does not have has to go: a gradient has its Node's shape.",
            (4,): "One for each row? *b* has an element for each column.",
        },
    ),
    told_by=(
        r"a gradient has the shape of what it is the gradient of",
        r"gradient of b: \(2,\)",
        r"columns of \$g\$ were added up",
    ),
)
def shapes_that_come_back() -> Truth:
    """What is nudged is an element, so there is one number for each element. What arrives at *out*
    has eight, and what *b* gets has two: something is added up on the way.
    """
    x, w = np.ones((4, 3)), variable(np.ones((3, 2)))
    b = variable(np.ones(2))
    out = x @ w + b
    out.backward(np.ones(out.shape))
    return Truth(g=out.grad.shape, b=b.grad.shape)


@prediction(
    "*Z* = *X* @ *Y*, and *G* is the gradient of *Z*. Which product has the shape of *X*?",
    product=Choice(
        "product",
        {
            "G Y": "*G* has as many columns as *Y* has: the rows of *Y* do not fit to them.",
            "Gᵀ Y": "The transpose of *G* has as many columns as *G* has rows, and those are rows "
            "of *X*.",
            "Y G": "The columns of *Y* are columns of *G*, not its rows.",
        },
        among=_PRODUCTS,
    ),
    told_by=(r"G @ Y\.T +\(2, 3\)", r"Shapes alone leave one candidate"),
)
def product_that_fits() -> Truth:
    """Of the four, one product can be formed and has the shape of *X*. That does not prove that
    its numbers are right.
    """
    n, k, m = 2, 3, 4
    G, Y = np.zeros((n, m)), np.zeros((k, m))
    pairs = dict(zip(_PRODUCTS, ((G, Y), (G.T, Y), (G, Y.T), (Y, G))))
    fit = [
        name
        for name, (one, other) in pairs.items()
        if one.shape[1] == other.shape[0] and (one @ other).shape == (n, k)
    ]
    return Truth(product=fit[0])


@prediction(
    "*x* has the rows 1, 5, 2 and 4, 3, 4. Each reduction over axis 1 makes two numbers, and what "
    "comes back to these is 12 and 600. What goes on to *x*?",
    mean=Number(
        "with *mean*, to each of the first row",
        {
            12: "That is what *sum* would give. A nudge of one of three moves their mean by a "
            "third of it.",
            36: "Times three? A nudge of one of three moves their mean by a third of it.",
        },
    ),
    max=Number(
        "with *max*, to the first 4 of the second row",
        {
            600: "There is another 4 with the same claim, and 600 is all there is.",
            0: "It is one of the two largest, so it has a share.",
            200: "The 3 is not among the largest: it gets nothing.",
        },
    ),
)
def back_from_reductions() -> Truth:
    """Each number that comes back meets three elements. With the mean each of them gets a third of
    it; with the maximum only the largest does, and two that are equally large share.
    """
    x = variable([[1.0, 5.0, 2.0], [4.0, 3.0, 4.0]])
    back = {}
    for reduction in (mean, max_):
        x.grad = None
        reduction(x, axis=1).backward([12.0, 600.0])
        back[reduction] = x.grad
    return Truth(mean=float(back[mean][0, 0]), max=float(back[max_][1, 0]))


@prediction(
    "Rows 2, 0 and 2 were picked from a table of four, and [1, 10], [2, 20] and [3, 30] come back. "
    "What is the second number of the gradient of row 1, and of row 2?",
    row_1=Number(
        "of row 1",
        {20: "The second of what comes back belongs to the row that was picked second, and that is "
         "row 0."},
    ),
    row_2=Number(
        "of row 2",
        {
            30: "That is what came last. The first pick of row 2 has its part, too.",
            10: "That is what came first. The second pick of row 2 has its part, too.",
            20: "The average? What comes back along two ways adds up.",
        },
    ),
)  # fmt: skip
def back_to_the_rows() -> Truth:
    """A row that was picked twice gets what comes back along both ways, added up. What was not
    picked had no influence.
    """
    table = variable(np.ones((4, 2)))
    table[[2, 0, 2]].backward([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    return Truth(row_1=float(table.grad[1, 1]), row_2=float(table.grad[2, 1]))


@prediction(
    "(256 × 784) @ (784 × 256): how much memory would the Jacobian by the images take, with 8 "
    "bytes for each number?",
    memory=Choice(
        "it takes",
        {
            "about 1 GB": "It has a row for each of 256 · 256 outputs, and a column for each of "
            "256 · 784 inputs. That is far more.",
            "about 100 MB": "It has a row for each of 256 · 256 outputs, and a column for each of "
            "256 · 784 inputs. That is far more.",
            "about 100 kB": "That is less than the images take themselves.",
        },
        among=tuple(_SIZES),
    ),
    told_by=(r"\b105 GB", r"13 billion"),
)
def memory_of_a_jacobian() -> Truth:
    """A number for each output by each input: the sizes of two arrays are multiplied."""
    size = (256 * 256) * (256 * 784) * 8
    return Truth(memory=min(_SIZES, key=lambda text: abs(_SIZES[text] - size)))


@prediction(
    "*out* has the shape (3, 3) and *b* the shape (3,). Which shape has *b* after "
    "b = b - 0.1 * out?",
    b=Shape(
        "of *b*",
        {
            (3,): "Nothing keeps it so: b is a name, and what stands on the right is a new array.",
            (1, 3): "It is stretched to three rows before it is subtracted from.",
        },
    ),
    told_by=(r"shape of the bias: \(3, 3\)", r"\(7,3\) \(3,3\)"),
)
def bias_after_a_step() -> Truth:
    """NumPy stretches *b* to the shape of what is subtracted, and the name stands for the result
    from then on. Nothing protests.
    """
    b = np.zeros(3) - 0.1 * np.ones((3, 3))
    return Truth(b=b.shape)
