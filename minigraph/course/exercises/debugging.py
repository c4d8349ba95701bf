"""Lesson 14: six programs to repair, each with a symptom, and none with an error message."""

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from ...autodiff.derivatives import grad
from ...core.node import Node, variable
from ...core.table import sqrt, tanh
from ...core.table import sum as total
from ...graph.joining import where
from ...graph.reductions import mean
from ...graph.rows import maximum
from ...nn import clip_gradients
from ..answers import node_of
from ..arrays import Arrays, Plain, as_python, locked
from ..forms import Case
from ..quantities import NumberList
from ..specification import exercise
from .dynamic_graphs import NodeWithSlopes
from .tensors import numbers

LESSON = "14_debugging"


@dataclass(frozen=True)
class NodeWithGradients(Arrays):
    """A Node of any shape, read as its value and its gradients by the Nodes that were given.

    The gradients are those of a sum in which each element has a weight of its own, so that none
    stands for another one.
    """

    what: str = "a Node"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[Plain]:
        """Differentiate what was returned; an input on which it does not depend has gradient 0."""
        node = node_of(answer, self.what)
        weights = np.arange(1.0, node.size + 1).reshape(node.shape)
        inputs = [x for x in arguments if isinstance(x, Node)]
        connected = total(node * weights)
        for x in inputs:
            connected = connected + 0.0 * total(x)
        gradients = [g.value for g in grad(connected, inputs)]
        return super().read([node.value, *gradients], arguments)


# --- a gradient that is NaN -----------------------------------------------------------------------


def arrays_with_both_signs(rng: Random) -> list[Case]:
    """All positive, a zero, negative ones, one number, none; tiny and very large; two axes.

    One is smaller than any number that may be put under a root to keep it away from 0.
    """
    fixed: list[Any] = [
        [4.0],
        [4.0, 0.0],
        [-1.0, 9.0],
        2.25,
        0.0,
        -4.0,
        [],
        [1e-6, 1e-2, -1e-6],
        [1e-30, -1e-30],
        [1e6, -1e6],
        [[4.0, -1.0], [0.0, 0.25]],
        [0.0, 0.0],
        [4.0],
    ]
    fixed += [[rng.randint(-12, 20) / 4 for _ in range(n)] for n in (3, 4, 5, 6, 8)]
    return [(x,) for x in [*fixed, [0.5, -0.5, 0.0] * 40]]


@exercise(
    points=2,
    kind="repair",
    cases=arrays_with_both_signs,
    as_arguments=lambda x: (variable(x, name="x"),),
    answer=NodeWithGradients(
        names=("The value", "The gradient by x of y₁ + 2 y₂ + 3 y₃ + …"), atol=0.0
    ),
    code=lambda x: f'x = mg.variable({x!r}, name="x")',
)
def root_or_zero(x: Any) -> Any:
    """Repair a gradient that is NaN

    A layer takes the root of each element that is above 0, and gives 0 for all others. Its author
    reports: *"All values are right. But the gradient of some elements is NaN, and after one step of
    training so is the whole network."*

    ---

    Write a version with right gradients: those of the root where $x > 0$, and 0 elsewhere. `x` is a
    Node of any shape.

    First step: Copy the body of `broken_root` into your function, and run it with
    `with mg.detect_anomaly():` around it. Which operation is the first with a NaN, and what reached
    it?
    Hint: `mg.where` chooses among values that have all been computed. On the way back it hands 0 to
    what it has not chosen. What does the root make of this 0, where x is 0 or less?
    Hint: 0 times infinity is NaN, and so is 0 times NaN. So the root must not be computed of a
    number that it cannot take: choose first, and take the root of what was chosen.
    Hint: The logarithm, or −5 where there is none:
        fine = mg.where(x > 0, x, 1.0)
        y = mg.where(x > 0, mg.log(fine), -5.0)
    The 1 is never seen: it stands where the second choice takes −5.
    Verified: values and gradients agree for {cases} arrays, with zeros and negative numbers in them.
    """
    positive = x > 0
    safe = where(positive, x, 1.0)
    return where(positive, sqrt(safe), 0.0)


_CHOSEN = "where(positive, sqrt(safe), 0.0)"
root_or_zero.slip(
    "the root of all",
    """The root is still computed of all elements, also of those that are not chosen. Which number is
    its derivative there, and what is 0 times that?""",
    ("sqrt(safe)", "sqrt(x)"),
    ("sqrt(safe)", "sqrt(x + 1e-12)"),
)
root_or_zero.slip(
    "zero taken for positive",
    "At 0 itself the derivative of the root is infinite. To which side does 0 belong?",
    ("x > 0", "x >= 0"),
)
root_or_zero.slip(
    "the absolute value",
    """Negative numbers are out of the way now. What is the derivative of the root at the one number
    that is neither above 0 nor below it?""",
    ("sqrt(safe)", "sqrt(abs(x))"),
)
root_or_zero.slip(
    "cut off at 0",
    """You cut x off at 0, and take the root of what is left, which is 0 for all that is not positive.
    What is the derivative of the root there, and what becomes of it where x was cut off?""",
    lambda x: sqrt(maximum(x, 0.0)),
)
root_or_zero.slip(
    "a threshold above 0",
    "A number that is small, and above 0, has a root, too.",
    ("x > 0", "x > 1e-8"),
    ("x > 0", "x > 1e-12"),
)
root_or_zero.slip(
    "something added under the root",
    """A small number under the root keeps NaN away, and moves every value a little. The values were
    right before; they can stay so.""",
    ("sqrt(safe)", "sqrt(where(positive, x, 0.0) + 1e-8)"),
    ("sqrt(safe)", "sqrt(abs(x) + 1e-8)"),
    (_CHOSEN, "sqrt(where(positive, x, 0.0) + 1e-12)"),
    lambda x: sqrt(maximum(x, 1e-12)),
)
root_or_zero.slip(
    "the gradient thrown away",
    """There is no NaN any more, and no gradient either. Elements above 0 should have the one of the
    root.""",
    ("sqrt(safe)", "sqrt(safe).detach()"),
)
root_or_zero.slip(
    "the stand-in comes out",
    "What you put in place of x, so that the root can be taken, shows in the result.",
    ("sqrt(safe), 0.0", "sqrt(safe), 1.0"),
)


# --- a gradient that explodes ---------------------------------------------------------------------


def gradients_to_clip(rng: Random) -> list[Case]:
    """Short ones, one just as long as allowed, long ones; all 0; a single large element."""
    fixed: list[Case] = [
        ([[3.0, 0.0]], [4.0], 10.0),
        ([[3.0, 0.0]], [4.0], 5.0),
        ([[3.0, 0.0]], [4.0], 1.0),
        ([[3.0, 0.0]], [-4.0], 2.5),
        ([[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0], 1.0),
        ([[0.5, -0.5], [0.5, -0.5]], [0.0, 0.0], 0.75),
        ([[6.0, -8.0]], [0.0], 2.0),
        ([[0.0, 0.0]], [-7.0], 2.0),
        ([[1e6, -2.0]], [0.25], 1.0),
        ([[1e-9, 0.0]], [0.0], 1e-12),
        ([[3.0, 0.0]], [4.0], 10.0),
    ]
    for _ in range(8):
        rows, columns = rng.randint(1, 4), rng.randint(1, 3)
        fixed.append(
            (numbers(rng, rows, columns), numbers(rng, columns), rng.choice((0.5, 2.0, 4.5, 50.0)))
        )
    return [*fixed, (numbers(rng, 40, 10), numbers(rng, 10), 1.5)]


@exercise(
    points=2,
    kind="repair",
    cases=gradients_to_clip,
    as_arguments=lambda weight, bias, limit: (locked(weight), locked(bias), limit),
    answer=Arrays(
        "the gradient of the weights and that of the bias",
        ("The gradient of the weights", "The gradient of the bias"),
        atol=0.0,
    ),
    code=lambda weight, bias, limit: as_python(weight=weight, bias=bias, limit=limit),
    instead_of=(clip_gradients,),
)
def clip_together(weight: Any, bias: Any, limit: float) -> Any:
    """Repair a cure for exploding gradients

    If gradients explode, they are *clipped*: made shorter before the step. The author of this
    program reports: *"The loss does not jump any more. But the steps do not go against the gradient
    either: most of them go equally far along every axis."*

    ---

    Write a version that keeps the direction. `weight` and `bias` are the gradients of the weights and
    of the bias, two NumPy arrays; together they are one long vector, and its norm is the root of the
    sum of all squares. If the norm is larger than `limit`, multiply both gradients by the same number,
    so that the norm becomes `limit`. Else return both as they are. Return the two arrays.

    First step: Write `return weight, bias`. That is right for the first two cases, in which the
    gradients are short enough. Then compute the norm of both together.
    Hint: Draw the vector (3, 4) and what `np.clip` makes of it at 1. Where does it point now, and
    what would be a vector of norm 1 in the old direction?
    Hint: One norm for all: the squares of both arrays in one sum, and then the root. And one number,
    limit / norm, by which both are multiplied, if the norm is too large.
    Hint: A walk of dx and dy that should be no longer than a day's march:
        length = np.hypot(dx, dy)
        share = march / length if length > march else 1.0
        dx, dy = dx * share, dy * share
    Another way: The comparison can be left to `max`:
        def clip_together(weight, bias, limit):
            norm = np.linalg.norm([np.linalg.norm(weight), np.linalg.norm(bias)])
            share = limit / max(norm, limit)
            return weight * share, bias * share
    The norm of two norms is the norm of all.
    Verified: both gradients agree in {cases} cases, short and long ones.
    """
    norm = np.sqrt((weight**2).sum() + (bias**2).sum())
    share = limit / norm if norm > limit else 1.0
    return weight * share, bias * share


clip_together.slip(
    "element by element",
    """Each element is cut off by itself, so the small ones stay and the large ones do not: the
    vector points elsewhere. By how much has each element to shrink?""",
    ("weight * share, bias * share", "weight.clip(-limit, limit), bias.clip(-limit, limit)"),
)
clip_together.slip(
    "each by its own norm",
    """You clip the two gradients one by one. Weights and bias make one step together: what becomes
    of its direction if one of them shrinks more than the other?""",
    lambda weight, bias, limit: (_clipped(weight, limit), _clipped(bias, limit)),
)
clip_together.slip(
    "always as long as the limit",
    "Gradients that are short enough should stay as they are. Yours are made longer.",
    ("if norm > limit", "if norm > 0"),
)
clip_together.slip(
    "something added to the norm",
    """A small number beside the norm makes the gradients a little shorter than the limit. It should
    keep a division by 0 away. Does anything have to be shortened where the norm is 0?""",
    ("limit / norm if norm > limit else 1.0", "min(limit / (norm + 1e-6), 1.0)"),
    ("limit / norm", "limit / (norm + 1e-6)"),
    ("limit / norm", "limit / (norm + 1e-8)"),
)
clip_together.slip(
    "the two norms added",
    "You add two norms. A vector of 3 to the east and 4 to the north is 5 long, and not 7.",
    (
        "np.sqrt((weight**2).sum() + (bias**2).sum())",
        "np.sqrt((weight**2).sum()) + np.sqrt((bias**2).sum())",
    ),
)
clip_together.slip(
    "the largest element for the norm",
    "You measure the largest element. The norm is made of all of them.",
    (
        "np.sqrt((weight**2).sum() + (bias**2).sum())",
        "max(abs(weight).max(), abs(bias).max())",
    ),
)
clip_together.slip(
    "the sum of absolute values",
    "You add up absolute values. The norm of (3, 4) is 5, and not 7.",
    ("np.sqrt((weight**2).sum() + (bias**2).sum())", "abs(weight).sum() + abs(bias).sum()"),
)
clip_together.slip(
    "without the root",
    "You compare the sum of the squares with the limit. The root is missing.",
    ("np.sqrt(", "("),
)
clip_together.slip(
    "a mean in place of a sum",
    "You take a mean of squares. Then the norm would not grow with the number of weights.",
    (
        "(weight**2).sum() + (bias**2).sum()",
        "((weight**2).sum() + (bias**2).sum()) / (weight.size + bias.size)",
    ),
)


def _clipped(g: Any, limit: float) -> Any:
    norm = np.sqrt((g**2).sum())
    return g * (limit / norm) if norm > limit else g


# --- inputs that are not connected ----------------------------------------------------------------


def layers_of_one(rng: Random) -> list[Case]:
    """No layer, one, several; weights of both signs, equal ones, and 0; far more than a few."""
    fixed: list[Case] = [
        (0.5, []),
        (0.5, [1.5]),
        (0.5, [1.5, -0.75]),
        (-1.25, [0.5, 2.0, -1.0]),
        (-1.25, [0.75, 0.75]),
        (2.0, [0.0, 1.5]),
        (0.0, [1.5, -0.5]),
        (0.5, [1.5]),
    ]
    for many in (2, 3, 4, 5, 6, 8):
        weights = [rng.choice((-1, 1)) * rng.randint(3, 14) / 8 for _ in range(many)]
        fixed.append((rng.randint(-12, 12) / 8 or 0.625, weights))
    return [*fixed, (0.25, [0.0078125, -0.015625] * 75)]


@exercise(
    points=2,
    kind="repair",
    cases=layers_of_one,
    as_arguments=lambda x, weights: (
        variable(x, name="x"),
        [variable(w, name=f"w{n}") for n, w in enumerate(weights, 1)],
    ),
    answer=NodeWithSlopes(),
    code=lambda x, weights: (
        f'x = mg.variable({x!r}, name="x")\n'
        f'weights = [mg.variable(w, name=f"w{{n}}") for n, w in enumerate({weights!r}, 1)]'
    ),
)
def deep_output(x: Any, weights: list[Any]) -> Any:
    """Repair a network whose layers do not learn

    A deep network of layers with one number each. Beside each layer there is a way past it, so that
    the gradient does not vanish. Its author reports: *"It learns a little, however many layers I
    take. All weights but the last have no gradient."*

    ---

    Write a version in which all weights have their gradient. It begins with $h = x$. For each weight
    $w$, in their order, $h$ is replaced by

    $$h + \\tanh(w\\, h),$$

    and the last $h$ is returned, as a Node. `x` is a Node, and `weights` is a list of Nodes.

    First step: Draw what `broken_output` returns, with `mg.draw`. How many of the weights are in the
    picture? Then copy its body into your function.
    Hint: Follow the inputs backwards from the result: through the last layer, and then? What is the
    layer before it an input of?
    Hint: A layer has to read what the layer before it has written. Both places of the formula say h,
    and the h of now.
    Hint: Interest on interest, and what it becomes if only the last year counts:
        for rate in rates:
            money = money + money * rate
        for rate in rates:
            money = start + start * rate
    Verified: the value and its slopes by x and by all weights agree in {cases} cases, from no layer
    to 150.
    """
    h = x
    for w in weights:
        h = h + tanh(w * h)
    return h


deep_output.slip(
    "each layer reads x",
    """The layers add to each other now, but each of them still reads the first x. What should the
    second layer bend?""",
    ("tanh(w * h)", "tanh(w * x)"),
)
deep_output.slip(
    "the way past begins at x",
    """The layers read each other now. But the way past a layer leads from what came into *this*
    layer, and not from x.""",
    ("h + tanh", "x + tanh"),
)
deep_output.slip(
    "only the last layer counts",
    "What a layer computes is thrown away by the next one. Where does each of them begin?",
    ("h + tanh(w * h)", "x + tanh(w * x)"),
)
deep_output.slip(
    "no way past",
    "The way past the layer is missing. What stands in the formula before tanh?",
    ("h + tanh", "tanh"),
)
deep_output.slip(
    "the way past is bent",
    "You bend the sum. In the formula h itself is added as it is, outside of tanh.",
    ("h + tanh(w * h)", "tanh(h + w * h)"),
)
deep_output.slip(
    "the last layer first",
    "The weights are taken from the other end.",
    ("in weights", "in weights[::-1]"),
)
deep_output.slip(
    "the past thrown away",
    """The value is right, and slopes are lost: somewhere a Node has been replaced by its value, with
    `detach()` or `.value`, or has not been recorded.""",
    ("tanh(w * h)", "tanh(w * h.detach())"),
    ("tanh(w * h)", "tanh(w.detach() * h)"),
    ("return h", "return h.detach()"),
    ("h + tanh", "h.detach() + tanh"),
    ("h = x", "h = x.detach()"),
)


# --- shapes that fit by accident ------------------------------------------------------------------


def examples_on_lines(rng: Random) -> list[Case]:
    """One example, where nothing shows; two, as many as features; targets that are all equal."""
    fixed: list[Case] = [
        ([[2.0]], [[1.5]], [2.0]),
        ([[2.0], [3.0]], [[1.5]], [2.0, 5.0]),
        ([[2.0, -1.0]], [[1.5], [0.5]], [-2.0]),
        ([[2.0, -1.0], [3.0, 4.0]], [[1.5], [0.5]], [2.0, -5.0]),
        ([[2.0], [-3.0], [4.0]], [[0.5]], [1.0, 1.0, 1.0]),
        ([[2.0], [-3.0], [4.0]], [[0.5]], [1.0, -1.5, 2.0]),
        ([[2.0], [3.0]], [[0.0]], [2.0, 5.0]),
        ([[2.0]], [[1.5]], [2.0]),
    ]
    for count, size in ((2, 3), (3, 3), (4, 2), (6, 1), (8, 3)):
        fixed.append((numbers(rng, count, size), numbers(rng, size, 1), numbers(rng, count)))
    return [*fixed, (numbers(rng, 200, 3), numbers(rng, 3, 1), numbers(rng, 200))]


@exercise(
    points=2,
    kind="repair",
    cases=examples_on_lines,
    as_arguments=lambda x, w, t: (locked(x), variable(w, name="w"), locked(t)),
    answer=NodeWithGradients(names=("The loss", "The gradient by w")),
    code=lambda x, w, t: (
        f'{as_python(x=x)}\nw = mg.variable({w!r}, name="w")\n{as_python(t=t).splitlines()[-1]}'
        if len(t) < 20
        else f'{as_python(x=x, t=t)}\nw = mg.variable({w!r}, name="w")'
    ),
)
def line_loss(x: Any, w: Any, t: Any) -> Any:
    """Repair shapes that fit by accident

    A line is fitted to examples. The author of this program reports: *"No error. The loss falls,
    stops far above 0, and then all predictions are the same: the mean of the targets."*

    ---

    Write a version that returns the mean squared error, a Node of one number, of shape $()$. `x` is an
    array with a row for each example, of shape $(n, d)$. `w` is a Node of shape $(d, 1)$. `t` is an
    array of the $n$ targets, of shape $(n,)$.

    First step: Copy the body of `broken_loss` into your function, and print the shape of each of its
    steps for three examples. Where are there more than three numbers?
    Hint: Write the shapes (3, 1) and (3,) below each other, aligned at the right. Which shape does
    their difference have, and which pairs of an example and a target are in it?
    Hint: Give the predictions the shape of the targets before you subtract: one number for each
    example, and no second axis.
    Hint: The distance of each of n cities from its own river, when heights come as a column:
        heights = heights[:, 0]
        rise = abs(heights - river)
    An index takes the one column, and its axis is gone.
    Another way: Both as columns will do as well, and so does a check that says what you think:
        def line_loss(x, w, t):
            t = t.reshape(-1, 1)
            predicted = x @ w
            assert predicted.shape == t.shape
            return mg.mean((predicted - t) ** 2)
    Verified: the loss and its gradient agree in {cases} cases, from one example to 200.
    """
    predicted = (x @ w)[:, 0]
    return mean((predicted - t) ** 2)


line_loss.slip(
    "each with each",
    """Each prediction is still compared with every target. How many differences are there for three
    examples?""",
    ("[:, 0]", ""),
)
line_loss.slip(
    "the first example for all",
    "You take the first row of the predictions. What is wanted is the one column.",
    ("[:, 0]", "[0]"),
)
line_loss.slip(
    "the mean prediction",
    "You compare the mean of the predictions with each target. Each has a target of its own.",
    ("(predicted - t)", "(mean(predicted) - t)"),
)
line_loss.slip(
    "the mean target",
    "You compare each prediction with the mean of the targets. Each has a target of its own.",
    ("(predicted - t)", "(predicted - t.mean())"),
)
line_loss.slip(
    "added up",
    "You add up the squares. How many examples there are should not matter.",
    ("mean((", "total(("),
)
line_loss.slip(
    "halved",
    "Your loss is half of the one that is asked for.",
    ("** 2)", "** 2) / 2"),
)
line_loss.slip(
    "not squared",
    "You take the absolute difference. The task asks for its square.",
    ("(predicted - t) ** 2", "abs(predicted - t)"),
)
line_loss.slip(
    "the root taken",
    "You take the root of the mean. The mean squared error is the mean itself.",
    ("mean((predicted - t) ** 2)", "sqrt(mean((predicted - t) ** 2))"),
)
line_loss.slip(
    "the weights thrown away",
    "The loss is right, and it has no gradient: the weights have been replaced by their values.",
    ("x @ w", "x @ w.detach()"),
)


# --- gradients that pile up -----------------------------------------------------------------------


def slopes_to_fit(rng: Random) -> list[Case]:
    """No step, one, where nothing has piled up, two, many; one example and several."""
    fixed: list[Case] = [
        ([1.0, 2.0], [2.0, 4.0], 0.5, 0.1, 1),
        ([1.0, 2.0], [2.0, 4.0], 0.5, 0.1, 2),
        ([3.0], [6.0], 1.0, 0.05, 3),
        ([1.0, -2.0, 3.0], [-1.5, 2.0, -5.0], 0.0, 0.02, 4),
        ([1.0, 2.0], [2.0, 4.0], 2.0, 0.1, 3),
        ([1.0, 2.0], [2.0, 4.0], 0.5, 0.1, 0),
        ([1.0, 2.0], [2.0, 4.0], 0.5, 0.1, 2),
    ]
    for steps in (2, 3, 5, 7, 9):
        many = rng.randint(1, 5)
        xs = [rng.choice((-1, 1)) * rng.randint(2, 12) / 4 for _ in range(many)]
        ts = [x * 1.75 + rng.randint(-4, 4) / 8 for x in xs]
        fixed.append((xs, ts, rng.randint(-8, 8) / 4, rng.randint(1, 4) / 100, steps))
    return [*fixed, ([0.5, 1.0, -1.5], [1.0, 1.5, -3.0], -2.0, 0.1, 60)]


@exercise(
    points=2,
    kind="repair",
    cases=slopes_to_fit,
    as_arguments=lambda xs, ts, start, rate, steps: (locked(xs), locked(ts), start, rate, steps),
    answer=NumberList("a list with the weight after each step"),
    code=lambda xs, ts, start, rate, steps: as_python(
        xs=xs, ts=ts, start=start, rate=rate, steps=steps
    ),
)
def fit_slope(xs: Any, ts: Any, start: float, rate: float, steps: int) -> list[float]:
    """Repair steps that grow

    A slope $w$ is fitted by gradient descent. The author of this program reports: *"The first step is
    right. Then the steps grow, although the slope of the loss gets smaller; it overshoots, comes
    back, and never comes to rest."*

    ---

    Write a version that descends. `xs` and `ts` are arrays of inputs and targets. Begin at `start`, a
    plain number. In each of so many `steps`, move $w$ against the derivative of the mean of
    $(w x - t)^2$, times `rate`. Return a list with $w$ after each step, as plain numbers.

    First step: Copy the body of `broken_fit` into your function. Print `w.grad` in each step, and
    beside it the derivative that you compute by hand.
    Hint: Is the gradient of the second step the one that you expect, or is it the sum of two numbers
    that you have seen before?
    Hint: `backward` adds to what is in `grad`. It has to find it empty, in each step, and the step
    needs what it has left there.
    Hint: A counter for each day, read in the evening:
        for day in days:
            counter = 0
            for visitor in day:
                counter += 1
            counts.append(counter)
    With the first line of the loop above the loop, each day would count those of all days before.
    Another way: `mg.grad` gives the derivative and leaves nothing behind that could pile up:
        def fit_slope(xs, ts, start, rate, steps):
            path = []
            for _ in range(steps):
                w = mg.variable(start)
                loss = mg.mean((w * xs - ts) ** 2)
                start = start - rate * float(mg.grad(loss, w).value)
                path.append(start)
            return path
    Verified: the weight after each step agrees in {cases} cases, from no step to 60.
    """
    w = variable(start, name="w")
    path = []
    for _ in range(steps):
        w.grad = None
        mean((w * xs - ts) ** 2).backward()
        w.value = w.value - rate * w.grad
        path.append(float(w.value))
    return path


_CLEARED = "w.grad = None"
fit_slope.slip(
    "never emptied",
    "The gradients of all steps so far are still in the one that you use. Who empties it?",
    (_CLEARED, "pass"),
)
fit_slope.slip(
    "the sum divided",
    """You divide what has piled up by the number of steps. That is a mean of old gradients. The step
    needs the gradient of where w is now.""",
    (_CLEARED, "pass", "for _ in", "for n in", "rate * w.grad", "rate * w.grad / (n + 1)"),
)
fit_slope.slip(
    "emptied every other step",
    "You empty the gradient in some of the steps only.",
    (_CLEARED, "w.grad = w.grad if n % 2 else None", "for _ in", "for n in"),
)
fit_slope.slip(
    "uphill",
    "The steps go the wrong way: the loss grows.",
    ("- rate", "+ rate"),
)
fit_slope.slip(
    "the weight before the step",
    "The list should begin with the weight after the first step, and not with the start.",
    (
        "w.grad = None",
        "w.grad = None\n        path.append(float(w.value))",
        "w.grad\n        path.append(float(w.value))",
        "w.grad",
    ),
    ("path = []", "path = [start]"),
)
fit_slope.slip(
    "added up",
    "Your gradient grows with the number of examples. The loss is a mean.",
    ("mean(", "total("),
)


# --- an array that is changed in place ------------------------------------------------------------


def bowls(rng: Random) -> list[Case]:
    """No step, one, several; one weight and more; a start at 0 and in the minimum."""
    fixed: list[Case] = [
        ([2.0], [1.0], 0.25, 1),
        ([2.0], [1.0], 0.25, 0),
        ([2.0, -4.0], [1.0, 0.5], 0.25, 2),
        ([2.0, -4.0, 1.0], [0.5, 2.0, -1.0], 0.125, 3),
        ([0.0, 3.0], [1.0, 1.0], 0.25, 2),
        ([0.0], [2.0], 0.25, 3),
        ([2.0, -4.0], [1.0, 0.5], 0.25, 2),
    ]
    for size, steps in ((1, 3), (2, 4), (3, 5), (4, 2), (5, 6)):
        curvature = [rng.randint(1, 9) / 4 for _ in range(size)]
        fixed.append((numbers(rng, size), curvature, rng.randint(2, 9) / 32, steps))
    return [*fixed, ([1.0, -2.0], [0.5, 0.25], 0.0625, 100)]


@exercise(
    points=2,
    kind="repair",
    cases=bowls,
    as_arguments=lambda start, curvature, rate, steps: (
        np.array(start),
        np.array(curvature),
        rate,
        steps,
    ),
    answer=Arrays("an array with a row for each place of the way"),
    code=lambda start, curvature, rate, steps: as_python(
        start=start, curvature=curvature, rate=rate, steps=steps
    ),
)
def way_down(start: Any, curvature: Any, rate: float, steps: int) -> Any:
    """Repair a history that forgets

    The way of a gradient descent is kept, to draw it. The author of this program reports: *"The last
    place is right. But all rows of the way are the same, and when I run it again with the same start,
    it begins where it had ended."*

    ---

    Write a version that keeps the way. `start` and `curvature` are NumPy arrays of the same length.
    The gradient at $w$ is 2 · curvature · $w$, element by element. Return an array with a row
    for each place: the start, and then $w$ after each of the steps. What comes in is not to be changed.

    First step: Copy the body of `broken_way` into your function, and print `[id(w) for w in way]`.
    How many arrays are there?
    Hint: `way.append(w)` keeps no copy; it keeps the array itself. What does `w -= …` do to that
    array, and who else holds it?
    Hint: Make a new array in each step in place of changing the old one. Then nobody's array is
    changed: not those in the list, and not that of whoever called you.
    Hint: Two lists, or one with two names:
        monday = prices
        monday.append(3)
    has changed prices, and
        monday = [*prices, 3]
    has not.
    Another way: Copies, one at the door and one for each row, do it as well:
        def way_down(start, curvature, rate, steps):
            w = start.copy()
            way = [w.copy()]
            for _ in range(steps):
                w -= rate * 2 * curvature * w
                way.append(w.copy())
            return np.array(way)
    Frameworks change weights in place to save memory, and copy where something has to be kept.
    Verified: all places agree in {cases} cases, and what came in was left as it was.
    """
    w = start
    way = [w]
    for _ in range(steps):
        w = w - rate * 2 * curvature * w
        way.append(w)
    return np.array(way)


_STEP = "w = w - rate * 2 * curvature * w"
way_down.slip(
    "one array in all rows",
    """All rows are the same array, and it is changed in each step. What could a row hold that
    nobody changes any more?""",
    ("w = start", "w = start.copy()", _STEP, "w -= rate * 2 * curvature * w"),
)
way_down.slip(
    "the first row forgets",
    """From the first step on the rows are kept, and the start is not: its array has been changed
    after it was put into the list.""",
    (
        "w = start",
        "w = start.copy()",
        _STEP,
        "w -= rate * 2 * curvature * w",
        "way.append(w)",
        "way.append(w.copy())",
    ),
)
way_down.slip(
    "the start left out",
    "The way begins at the start, before any step.",
    ("way = [w]", "way = []", "np.array(way)", "np.array(way).reshape(steps, len(start))"),
    ("np.array(way)", "np.array(way[1:])"),
)
way_down.slip(
    "the last place left out",
    "After the last step there is a place, too.",
    ("range(steps)", "range(max(steps - 1, 0))"),
    ("np.array(way)", "np.array(way[:-1])"),
    ("np.array(way)", "np.array(way)[:-1]"),
)
way_down.slip(
    "every step from the start",
    "Each step begins at the start again. Where did the step before end?",
    (_STEP, "w = start - rate * 2 * curvature * start"),
)
way_down.slip(
    "the gradient of the start",
    "Each step uses the gradient of the start. What is it at the place where you are now?",
    (_STEP, "w = w - rate * 2 * curvature * start"),
)
way_down.slip(
    "uphill",
    "The steps go the wrong way.",
    (_STEP, "w = w + rate * 2 * curvature * w"),
)
way_down.slip(
    "half of the gradient",
    "The derivative of a square has a factor 2.",
    (_STEP, "w = w - rate * curvature * w"),
)
