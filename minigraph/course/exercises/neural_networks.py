"""Lesson 08: layers, networks, a cross-entropy that does not overflow, starts, a lost gradient."""

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from ...core.node import Node, constant, variable
from ...core.table import tanh
from ...graph.functions import cross_entropy as cross_entropy_
from ...graph.functions import log_softmax, softmax
from ...graph.reductions import logsumexp
from ...graph.rows import relu
from ..answers import node_of
from ..arrays import Arrays, as_python, locked
from ..choices import Choices
from ..forms import Case, Difference, Form, WrongForm
from ..quantities import Number
from ..specification import exercise
from .tensors import numbers

LESSON = "08_neural_networks"

Array = np.ndarray
Layers = list[tuple[Array, Array]]


# --- count parameters -----------------------------------------------------------------------------


def sizes_of_networks(rng: Random) -> list[Case]:
    """One layer, several, none, equal sizes, one unit, with and without biases; then random ones."""
    fixed: list[Case] = [
        ([2, 3], True),
        ([2, 3, 4], True),
        ([2, 3, 4], False),
        ([1, 1], True),
        ([1, 1], False),
        ([4, 4, 4], True),
        ([5], True),
        ([64, 32, 10], True),
        ([3, 1, 7], True),
        ([2, 3, 4], True),
    ]
    for _ in range(8):
        sizes = [rng.randint(1, 20) for _ in range(rng.randint(2, 5))]
        fixed.append((sizes, rng.random() < 0.7))
    return [*fixed, ([1000] * 12, True), ([784, 512, 256, 128, 64, 10], False)]


@exercise(points=1, cases=sizes_of_networks, answer=Number("a whole number"))
def count_parameters(sizes: list[int], bias: bool) -> int:
    """Count parameters

    A network of linear layers is described by its `sizes`: `[64, 32, 10]` has 64 inputs, then a
    layer of 32 units, then one of 10. With `bias=True` each layer has a bias, with `bias=False`
    none of them. Return the number of its parameters: all numbers in its weights and biases.

    First step: Take [2, 3] on paper. Which shapes have the weights and the bias of this one layer,
    and how many numbers are in them?
    Hint: A layer lies between two sizes that follow each other. Go through these pairs; with n
    sizes there are n − 1 of them.
    Hint: A unit has one weight for each number that comes in, and one bias of its own.
    Hint: [5, 2, 4] has two layers. The first has 5 · 2 weights and 2 biases, the second 2 · 4
    weights and 4 biases: 24 together.
    Another way: Every input of a layer, and a 1 for the bias, meets each of its units:
        def count_parameters(sizes, bias):
            return sum((i + bool(bias)) * o for i, o in zip(sizes, sizes[1:]))
    A bias is the weight of an input that is always 1.
    Verified: the number agrees for {cases} networks.
    """
    total = 0
    for inputs, outputs in pairwise(sizes):
        total += inputs * outputs
        if bias:
            total += outputs
    return total


count_parameters.slip(
    "biases left out",
    "You count the weights. Has a layer nothing else that is learned?",
    ("total += outputs", "pass"),
)
count_parameters.slip(
    "biases always",
    "You count biases for networks that have none. What does `bias` say?",
    ("if bias:", "if True:"),
)
count_parameters.slip(
    "a bias for each input",
    "You count a bias for each input of a layer. It is the units to which something is added.",
    ("total += outputs", "total += inputs"),
)
count_parameters.slip(
    "one bias for a layer",
    "You count one number for the bias of a layer. Do all of its units get the same?",
    ("total += outputs", "total += 1"),
)
count_parameters.slip(
    "units counted",
    "You count units. Each unit has a weight for each number that comes in.",
    lambda sizes, bias: sum(sizes),
    lambda sizes, bias: sum(sizes[1:]),
)
count_parameters.slip(
    "from the first size to the last",
    "You have one layer, from the inputs to the end. What lies between are layers of their own.",
    lambda sizes, bias: sizes[0] * sizes[-1] + bias * sizes[-1] if sizes[1:] else 0,
)
count_parameters.slip(
    "weights added up",
    "Between 2 inputs and 3 units there are more than 2 + 3 weights: each is joined with each.",
    ("inputs * outputs", "inputs + outputs"),
)
count_parameters.slip(
    "biases of the inputs",
    "You give biases to the inputs too. They come from outside, as they are.",
    lambda sizes, bias: sum(i * o for i, o in pairwise(sizes)) + bias * sum(sizes),
)


# --- a layer --------------------------------------------------------------------------------------


def layers_with_inputs(rng: Random) -> list[Case]:
    """Inputs, weights and biases: no sizes alike, then square, one example, one unit, none."""
    sizes = [(2, 3, 4), (3, 3, 3), (1, 2, 3), (4, 2, 1), (2, 2, 2), (3, 1, 3), (1, 1, 1), (2, 4, 4)]
    sizes += [(5, 2, 5), (0, 3, 2), (2, 3, 4)]
    sizes += [(rng.randint(1, 5), rng.randint(1, 5), rng.randint(1, 5)) for _ in range(10)]
    sizes += [(20, 15, 10)]
    return [
        (
            numbers(rng, n, i) if n else np.zeros((0, i)).tolist(),
            numbers(rng, o, i),
            numbers(rng, o),
        )
        for n, i, o in sizes
    ]


def _locked_layer(x: Any, weight: Any, bias: Any) -> tuple[Array, Array, Array]:
    weight = locked(weight)
    return locked(x).reshape(-1, weight.shape[1]), weight, locked(bias)


@exercise(
    points=1,
    cases=layers_with_inputs,
    as_arguments=_locked_layer,
    answer=Arrays("an array with a row for each example and a column for each unit"),
    code=lambda x, weight, bias: as_python(
        **dict(zip(("x", "weight", "bias"), _locked_layer(x, weight, bias)))
    ),
)
def dense(x: Array, weight: Array, bias: Array) -> Array:
    """Build a linear layer

    `x` holds an example in each row. `weight` holds a unit in each row, as in PyTorch and in
    `nn.Linear`: its shape is (units, inputs). `bias` has a number for each unit. Return the outputs
    of the layer, an array with a row for each example and a column for each unit. All three are
    NumPy arrays.

    First step: Write the shapes below each other: x is (examples, inputs), weight is (units,
    inputs), and what comes out should be (examples, units). Begin with the product that fits.
    Hint: One number of the result belongs to one example and one unit: the row of x times the row
    of weight, summed, plus the bias of that unit. Which product does that for all of them?
    Hint: A matrix product takes rows of the first and *columns* of the second factor. The units
    stand in rows.
    Hint: For one example [1, 2] and the units [3, 4] and [5, 6] with biases 10 and 20 the result is
    [[1·3 + 2·4 + 10, 1·5 + 2·6 + 20]], that is [[21, 37]].
    Another way: Name the axes, and leave the transposing to NumPy:
        def dense(x, weight, bias):
            return np.einsum("ni,oi->no", x, weight) + bias
    The index that is missing on the right, the inputs, is summed over.
    Verified: shape and numbers agree for {cases} layers.
    """
    return x @ weight.T + bias


dense.slip(
    "weights not transposed",
    """The units stand in the rows of weight. In your product they stand in its columns, which fits
    for square weights only, and then with wrong numbers.""",
    ("weight.T", "weight"),
)
dense.slip(
    "reshaped instead of transposed",
    """A reshape gives weight the shape that fits, but reads its numbers in the old order, so that
    those of a unit are torn apart.""",
    ("weight.T", "weight.reshape(weight.shape[::-1])"),
)
dense.slip(
    "bias left out",
    "Your products are right. What is added to each unit?",
    (" + bias", ""),
)
dense.slip(
    "bias for each example",
    """You add the numbers of the bias down the examples. They belong to the units, which are the
    columns of the result.""",
    ("+ bias", "+ bias[:, None]"),
)
dense.slip(
    "units in rows",
    "Your numbers are right, but with a row for each unit. Asked for is a row for each example.",
    ("x @ weight.T + bias", "weight @ x.T + bias[:, None]"),
)
dense.slip(
    "bias multiplied",
    "You multiply by the bias. It is added.",
    ("+ bias", "* bias"),
)
dense.slip(
    "activation in the layer",
    """Your layer cuts off what is below 0. A linear layer is linear; the activation comes after
    it.""",
    ("x @ weight.T + bias", "np.maximum(x @ weight.T + bias, 0)"),
)


# --- a network ------------------------------------------------------------------------------------


def networks(rng: Random) -> list[Case]:
    """Inputs and layers: two, one, three, square ones, one unit, many layers, and random ones."""
    shapes = [[2, 3, 2], [3, 2], [2, 3, 4, 2], [3, 3, 3], [2, 2, 2, 2], [1, 1, 1], [2, 4, 1]]
    shapes += [[2, 3, 2]]
    shapes += [[rng.randint(1, 4) for _ in range(rng.randint(2, 5))] for _ in range(10)]
    shapes += [[3] * 12]
    return [
        (
            numbers(rng, 4, sizes[0]),
            [[numbers(rng, o, i), numbers(rng, o)] for i, o in pairwise(sizes)],
        )
        for sizes in shapes
    ]


def _locked_network(x: Any, layers: Any) -> tuple[Array, Layers]:
    return locked(x), [(locked(weight), locked(bias)) for weight, bias in layers]


def _network_code(x: Any, layers: Any) -> str:
    names = [(f"weight{n}", f"bias{n}") for n in range(1, len(layers) + 1)]
    arrays = {name: a for pair, layer in zip(names, layers) for name, a in zip(pair, layer)}
    pairs = ", ".join(f"({weight}, {bias})" for weight, bias in names)
    return f"{as_python(x=x, **arrays)}\nlayers = [{pairs}]"


@exercise(
    points=2,
    cases=networks,
    as_arguments=_locked_network,
    answer=Arrays("an array with a row for each example and a column for each class"),
    code=_network_code,
)
def mlp(x: Array, layers: Layers) -> Array:
    """Build a network of any depth

    `layers` is a list of pairs `(weight, bias)`, each for a linear layer as in the last exercise,
    one at least. Return the scores of the network: relu stands between the layers, and nothing
    after the last one, because scores may be negative. All arrays are NumPy arrays, and relu is
    `np.maximum(z, 0)`.

    First step: Begin with one pair: `weight, bias = layers[0]`, and the linear layer that you have
    built. What goes into the second layer?
    Hint: What a layer gives is what the next one gets, so one variable is enough for it. Where in
    the loop does relu stand?
    Hint: With three layers there are two relus. Treat the last layer separately, or apply relu
    before each layer but the first.
    Hint: To double a number n times, and add 1 between:
        for i in range(n):
            if i > 0:
                x = x + 1
            x = 2 * x
    Nothing is added before the first time, and nothing after the last.
    Another way: Unpack the last layer:
        def mlp(x, layers):
            *hidden, (weight, bias) = layers
            for w, b in hidden:
                x = np.maximum(x @ w.T + b, 0)
            return x @ weight.T + bias
    The code has the form of the network: hidden layers, then one that is different.
    Verified: the scores agree for {cases} networks.
    """
    last = len(layers) - 1
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight.T + bias
        if n < last:
            x = np.maximum(x, 0)
    return x


mlp.slip(
    "relu after the last layer",
    """You cut off scores below 0. A class may have a negative score, and a score that is cut off
    gets no gradient.""",
    ("if n < last:", "if True:"),
)
mlp.slip(
    "no activation",
    """Nothing bends in your network, so that all of its layers together are one linear layer. What
    stands between them?""",
    ("if n < last:", "if False:"),
)
mlp.slip(
    "relu of the inputs",
    """You cut off the inputs below 0 before the first layer has seen them. Relu comes after a
    layer.""",
    ("last = len(layers) - 1", "last = len(layers) - 1; x = np.maximum(x, 0)"),
)
mlp.slip(
    "relu after the first layer only",
    "There is one relu in your network, after the first layer. It stands between all layers.",
    ("n < last", "n == 0 < last"),
)
mlp.slip(
    "relu before the bias",
    "You cut off first and add the bias then. The bias shifts the corner, so it has to come before.",
    (
        "x = x @ weight.T + bias",
        "x = np.maximum(x @ weight.T, 0) + bias if n < last else x @ weight.T + bias",
        "x = np.maximum(x, 0)",
        "pass",
    ),
)
mlp.slip(
    "weights not transposed",
    "The units stand in the rows of each weight, as in the last exercise.",
    ("weight.T", "weight"),
)
mlp.slip(
    "one layer only",
    """You compute one layer. What it gives goes into the next one, and what the last one gives is
    the result.""",
    lambda x, layers: x @ layers[-1][0].T + layers[-1][1],
    lambda x, layers: x @ layers[0][0].T + layers[0][1],
    lambda x, layers: np.maximum(x @ layers[0][0].T + layers[0][1], 0),
)
mlp.slip(
    "biases left out",
    "Your layers have no bias.",
    (" + bias", ""),
)
mlp.slip(
    "tanh in place of relu",
    "You bend with tanh. That is a good network, and another one: here relu is asked for.",
    ("np.maximum(x, 0)", "np.tanh(x)"),
)


# --- cross-entropy --------------------------------------------------------------------------------


def scores_and_labels(rng: Random) -> list[Case]:
    """Small scores, very large and very small ones, rows far apart, one row, one class, ties."""
    fixed: list[Case] = [
        ([[2.0, 1.0, -1.0]], [1]),
        ([[2.0, 1.0, -1.0], [0.5, 3.0, 2.0]], [0, 2]),
        ([[1.0, 2.0], [3.0, 1.5], [-2.0, 0.5]], [1, 1, 0]),
        ([[1000.0, 999.0]], [1]),
        ([[-1000.0, -1001.5]], [1]),
        ([[1000.0, 0.0]], [1]),
        ([[0.0, 5000.0, -5000.0]], [1]),
        ([[2.0, 1.0], [1001.0, 1003.0]], [0, 0]),
        ([[-5000.0, -5002.0], [5000.0, 5001.0]], [0, 0]),
        ([[1.5, 1.5, 1.5]], [2]),
        ([[3.0]], [0]),
        ([[40.0, 0.0, -3.0], [0.0, 1.0, 45.0]], [2, 0]),
        ([[2.0, 1.0, -1.0]], [1]),
    ]
    for _ in range(10):
        rows, classes = rng.randint(1, 5), rng.randint(2, 6)
        fixed.append((numbers(rng, rows, classes), [rng.randrange(classes) for _ in range(rows)]))
    return [*fixed, (numbers(rng, 60, 10), [rng.randrange(10) for _ in range(60)])]


@exercise(
    points=3,
    cases=scores_and_labels,
    as_arguments=lambda scores, labels: (locked(scores), np.array(labels)),
    answer=Number(),
    code=lambda scores, labels: f"{as_python(scores=scores)}\nlabels = np.array({labels})",
    instead_of=(cross_entropy_, log_softmax, softmax, logsumexp),
)
def cross_entropy(scores: Array, labels: Array) -> float:
    """A cross-entropy that does not overflow

    `scores` is an array with a row for each example and a column for each class, and `labels` holds
    the number of the right class of each example. Return the mean of $-\\log p$ over the examples,
    where $p$ is the probability that softmax gives to the right class.

    Scores may be as large as 5000, or as small as −5000, and the result should be right to nine
    digits.

    First step: Begin with one row: take its largest score away, and write down the formula of the
    lesson for −log p. For the row [2, 1] and class 0 it should give 0.3133.
    Hint: Compute the logarithm of p without computing p. What does the logarithm make of a
    fraction, and what of an exponential?
    Hint: log p of class k is s_k − m − log Σ exp(s_j − m), where m is the largest score *of that
    row*. `keepdims=True` keeps the shapes in line.
    Hint: One number from each row, the columns being in a list:
        table = np.array([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
        table[np.arange(3), [1, 0, 1]]
    gives 20, 30 and 60.
    Another way: NumPy has a sum of two exponentials that does not overflow, and it can be reduced:
        def cross_entropy(scores, labels):
            totals = np.logaddexp.reduce(scores, axis=1)
            return np.mean(totals - scores[np.arange(len(labels)), labels])
    The shift is still there, inside of logaddexp.
    Verified: the loss agrees for {cases} tables of scores, some of them with scores of 5000.
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean()


def _softmax_of(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _right_ones(p: Array, labels: Array) -> Array:
    return np.asarray(p[np.arange(len(labels)), labels])


cross_entropy.slip(
    "overflow",
    """For small scores your loss is right. For scores of 1000 the exponential is infinite. What may
    be taken away from all scores of a row?""",
    ("scores - scores.max(axis=1, keepdims=True)", "scores"),
    lambda scores, labels: (
        -np.mean(
            np.log(_right_ones(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), labels))
        )
    ),
)
cross_entropy.slip(
    "logarithm of 0",
    """Your softmax does not overflow. But a probability of e⁻¹⁰⁰⁰ is 0 as a float, and its logarithm
    is infinite. Can you have the logarithm without the probability?""",
    lambda scores, labels: -np.log(_right_ones(_softmax_of(scores), labels)).mean(),
)
cross_entropy.slip(
    "propped up by a small number",
    """A small number keeps the logarithm from being infinite, and makes it wrong: where the loss is
    1000, yours is near 30, and going back nothing is left. Can you have the logarithm without the
    probability?""",
    *(
        lambda scores, labels, small=small: (
            -np.log(_right_ones(_softmax_of(scores), labels) + small).mean()
        )
        for small in (1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
    ),
    *(
        lambda scores, labels, small=small: (
            -np.log(np.maximum(_right_ones(_softmax_of(scores), labels), small)).mean()
        )
        for small in (1e-10, 1e-12, 1e-15)
    ),
)
cross_entropy.slip(
    "one maximum for all rows",
    """You take the largest score of the whole table away from all rows. In a row that lies far
    below it every exponential is 0. Which maximum belongs to a row?""",
    ("scores.max(axis=1, keepdims=True)", "scores.max()"),
)
cross_entropy.slip(
    "another score than the largest",
    """You take something away from each row, but not its largest score. That one may still lie so
    far above what you have taken that its exponential is infinite.""",
    ("scores.max(axis=1, keepdims=True)", "scores.mean(axis=1, keepdims=True)"),
    ("scores.max(axis=1, keepdims=True)", "scores.min(axis=1, keepdims=True)"),
    ("scores.max(axis=1, keepdims=True)", "scores[:, :1]"),
)
cross_entropy.slip(
    "sum instead of mean",
    "You add up the examples. With the mean the loss does not grow with their number.",
    (".mean()", ".sum()"),
)
cross_entropy.slip(
    "sign",
    "Your loss has the wrong sign. The logarithm of a probability is negative.",
    ("return -log_p", "return log_p"),
)
cross_entropy.slip(
    "all classes",
    "You take the mean over all classes. Only the right class of each example counts.",
    ("log_p[np.arange(len(labels)), labels]", "log_p"),
)
cross_entropy.slip(
    "every label in every row",
    """`log_p[:, labels]` takes all labels from each row. Each row has a label of its own; pair the
    number of the row with it.""",
    ("np.arange(len(labels))", ":"),
)
cross_entropy.slip(
    "the likeliest class",
    """You take the class with the largest score. What counts is the right class, whatever the
    network thinks of it.""",
    ("log_p[np.arange(len(labels)), labels]", "log_p.max(axis=1)"),
)
cross_entropy.slip(
    "softmax down the columns",
    "Your probabilities add up to 1 down each column. The classes of an example stand in a row.",
    (
        "shifted = scores - scores.max(axis=1, keepdims=True)",
        "shifted = scores - scores.max(axis=0, keepdims=True)",
        "sum(axis=1, keepdims=True)",
        "sum(axis=0, keepdims=True)",
    ),
)
cross_entropy.slip(
    "no logarithm",
    "You have the probability of the right class. The loss is −log of it.",
    lambda scores, labels: _right_ones(_softmax_of(scores), labels).mean(),
    lambda scores, labels: 1 - _right_ones(_softmax_of(scores), labels).mean(),
    lambda scores, labels: -_right_ones(_softmax_of(scores), labels).mean(),
)
cross_entropy.slip(
    "logarithm of the mean",
    "You take the mean of the probabilities first, and then one logarithm. It is the other way round.",
    lambda scores, labels: -np.log(_right_ones(_softmax_of(scores), labels).mean()),
)


# --- predict what a start does --------------------------------------------------------------------

NEITHER, FIRST, SECOND = "neither", "w1 only", "w2 only"
ALIKE, OWN = "both, all units alike", "both, each unit its own"
WORDS = (NEITHER, FIRST, SECOND, ALIKE, OWN)
STARTS: dict[str, str] = {
    "zeros": "everything is 0",
    "w2 zero": "w2 is 0, the others are random",
    "w1 zero": "w1 and b1 are 0, the others are random",
    "halves": "w1, b1 and b2 are 0.5, each row of w2 is (0.5, −0.5)",
    "random": "everything is random",
    "far down": "everything is random, but b1 is −100, and relu stands in place of tanh",
}


@exercise(points=2, value_of=(STARTS,), answer=Choices(WORDS))
def predict_starts(starts: dict[str, str]) -> dict[str, str]:
    """Why zeros do not learn

    A network has three hidden units: `hidden = tanh(x @ w1 + b1)` and `scores = hidden @ w2 + b2`.
    The loss is the cross-entropy of some examples, the inputs are random numbers about as large as
    1, and the classes are mixed. It starts in one of these ways:

    | case | start |
    |---|---|
    | zeros | everything is 0 |
    | w2 zero | `w2` is 0, the others are random |
    | w1 zero | `w1` and `b1` are 0, the others are random |
    | halves | `w1`, `b1` and `b2` are 0.5, each row of `w2` is (0.5, −0.5) |
    | random | everything is random |
    | far down | everything is random, but `b1` is −100, and relu stands in place of tanh |

    Which of the two weights gets a gradient other than 0 in the *first* backward pass? Answer
    `"neither"`, `"w1 only"`, `"w2 only"`, `"both, all units alike"` or `"both, each unit its own"`.

    First step: Write down the two rules: the gradient of w2 is hidden.T @ g, and what goes down
    from there is g @ w2.T. Take the case zeros: what are hidden and w2? Then replace the dots.
    Hint: For each case ask two questions. What is in hidden? And what is in w2, through which the
    gradient of w1 has to pass?
    Hint: The gradient of w1 also passes the slope of the activation at x @ w1 + b1. The slope of
    tanh at 0 is 1; that of relu below 0 is 0.
    Hint: For y = u · v with u = 0 and v = 3, the gradient of u is 3 and that of v is 0. A factor
    that is 0 gets the gradient, and keeps it from the other one.
    Verified: all six agree with a backward pass through such networks.
    """
    return {
        "zeros": NEITHER,
        "w2 zero": SECOND,
        "w1 zero": FIRST,
        "halves": ALIKE,
        "random": OWN,
        "far down": NEITHER,
    }


predict_starts.slip(
    "zeros learn",
    """For one of the cases you let gradients flow where everything is 0. What is hidden then, and
    what is w2?""",
    *(('"zeros": NEITHER', f'"zeros": {word}') for word in ("FIRST", "SECOND", "ALIKE", "OWN")),
)
predict_starts.slip(
    "the factor that is zero gets nothing",
    """You have two cases the wrong way round. A weight that is 0 may get a gradient: it is
    multiplied by the *other* factor. Whose gradient is multiplied by w2?""",
    ('"w2 zero": SECOND', '"w2 zero": FIRST', '"w1 zero": FIRST', '"w1 zero": SECOND'),
    ('"w2 zero": SECOND', '"w2 zero": FIRST'),
    ('"w1 zero": FIRST', '"w1 zero": SECOND'),
)
predict_starts.slip(
    "equal weights taken for different",
    """In one of the cases all units start with the same weights. What could make one of them get
    another gradient than its neighbour?""",
    ('"halves": ALIKE', '"halves": OWN'),
)
predict_starts.slip(
    "relu far down taken for alive",
    """With a bias of −100 the input of relu is negative for every example. What is its value there,
    and what is its slope?""",
    ('"far down": NEITHER', '"far down": OWN'),
    ('"far down": NEITHER', '"far down": FIRST'),
    ('"far down": NEITHER', '"far down": SECOND'),
)
predict_starts.slip(
    "one zero stops everything",
    """Where only one of the weights is 0 you let nothing through. Look at each of the two gradients
    by itself: which factors does it have?""",
    ('"w2 zero": SECOND', '"w2 zero": NEITHER', '"w1 zero": FIRST', '"w1 zero": NEITHER'),
    ('"w2 zero": SECOND', '"w2 zero": NEITHER'),
    ('"w1 zero": FIRST', '"w1 zero": NEITHER'),
)
predict_starts.slip(
    "one zero stops nothing",
    """Where one of the weights is 0 you let both gradients through. One of them is multiplied by
    that weight, or by what has come of it.""",
    ('"w2 zero": SECOND', '"w2 zero": OWN', '"w1 zero": FIRST', '"w1 zero": OWN'),
    ('"w2 zero": SECOND', '"w2 zero": OWN'),
    ('"w1 zero": FIRST', '"w1 zero": OWN'),
)


# --- repair ---------------------------------------------------------------------------------------

PARAMETERS = ("w1", "b1", "w2", "b2")


@dataclass(frozen=True)
class Loss(Form):
    """A Node that is one number, with the gradients that the given variables get from it."""

    what: str = "a Node, the loss"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Read the loss, and run a backward pass from it."""
        loss = node_of(answer, self.what)
        if loss.shape:
            raise WrongForm(
                f"The loss should be one number, and its shape is {loss.shape}.", "shape"
            )
        parameters = {x.name: x for x in arguments if isinstance(x, Node) and x.kind == "variable"}
        for parameter in parameters.values():
            parameter.grad = None
        if loss.requires_grad:
            loss.backward()
        gradients = {
            str(name): None if x.grad is None else np.asarray(x.grad).tolist()
            for name, x in parameters.items()
        }
        return {"loss": float(loss.value), "gradients": gradients}

    def difference(
        self, answer: dict[str, Any], expected: dict[str, Any], case: Case
    ) -> Difference | None:
        """Name a parameter that no gradient reaches, then a wrong loss, then a wrong gradient."""
        lost = [name for name, g in answer["gradients"].items() if g is None]
        if lost:
            return Difference(f"No gradient reaches {', '.join(lost)}.", f"lost {lost}")
        if not _close(answer["loss"], expected["loss"]):
            return Difference(f"The loss is not right: yours is {answer['loss']:.6g}.")
        for name, right in expected["gradients"].items():
            if not _close(answer["gradients"][name], right):
                return Difference(f"The loss is right, and the gradient of {name} is not.")
        return None

    def alike(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Compare losses and gradients, up to rounding."""
        mine, theirs = one["gradients"], other["gradients"]
        return _close(one["loss"], other["loss"]) and all(
            mine[name] is theirs[name]
            or ((None not in (mine[name], theirs[name])) and _close(mine[name], theirs[name]))
            for name in theirs
        )

    def show(self, answer: dict[str, Any]) -> str:
        """Write the loss, and how each gradient looks."""
        lines = [f"loss {answer['loss']:.6g}"]
        for name, g in answer["gradients"].items():
            size = None if g is None else math.sqrt(np.square(g).mean())
            lines.append(f"gradient of {name}: " + ("none" if size is None else f"size {size:.3g}"))
        return "\n".join(lines)


def _close(one: Any, other: Any) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-10, equal_nan=True))


def small_networks(rng: Random) -> list[Case]:
    """Inputs, labels and parameters, from which some units and some scores are below 0."""
    sizes: list[tuple[int, ...]] = [
        (2, 2, 3, 2),
        (3, 2, 4, 3),
        (1, 1, 2, 2),
        (4, 3, 3, 3),
        (2, 2, 3, 2),
    ]
    sizes += [tuple(rng.randint(2, 4) for _ in range(4)) for _ in range(8)]
    return [
        (
            numbers(rng, n, i),
            [rng.randrange(c) for _ in range(n)],
            numbers(rng, i, h),
            numbers(rng, h),
            numbers(rng, h, c),
            [x - 2.0 for x in numbers(rng, c)],
        )
        for n, i, h, c in sizes
    ]


def _as_nodes(x: Any, labels: Any, *parameters: Any) -> tuple[Any, ...]:
    nodes = [variable(p, name=name) for name, p in zip(PARAMETERS, parameters)]
    return constant(x, name="x"), np.array(labels), *nodes


def _nodes_code(x: Any, labels: Any, *parameters: Any) -> str:
    lines = ["import minigraph as mg", "import numpy as np", "", f'x = mg.constant({x}, name="x")']
    lines.append(f"labels = np.array({labels})")
    lines += [f'{n} = mg.variable({p}, name="{n}")' for n, p in zip(PARAMETERS, parameters)]
    return "\n".join(lines)


@exercise(
    points=3,
    kind="repair",
    cases=small_networks,
    as_arguments=_as_nodes,
    answer=Loss(),
    code=_nodes_code,
)
def repair_loss(x: Node, labels: Array, w1: Node, b1: Node, w2: Node, b2: Node) -> Node:
    """Repair a network whose gradient is lost

    `broken_loss` is meant to be the cross-entropy of a network with one hidden layer and relu. It
    runs, and gives a number. But `w1` and `b1` have no gradient at all, and in that of `w2` there
    is a column of zeros.

    ---

    There are two faults. Write a version in which each parameter gets its gradient. `x` and the
    parameters are Nodes, `labels` is a NumPy array, and the answer is the loss, a Node.

    First step: Copy the body of `broken_loss`, and draw its graph with `mg.draw`. Which of the
    parameters are in the picture? Begin with those that are not.
    Hint: A gradient goes back along the arrows of the graph. Where does the arrow from w1 end?
    Hint: `.value` is an array of numbers that does not know where it came from. And relu lets no
    gradient through where it cuts off: after which layer should it stand, and after which not?
    Hint: The same fault in a smaller graph:
        a = mg.variable(2.0)
        b = np.exp(a.value)
        y = b * a
    The graph of y knows nothing of the exponential, so the gradient of a is e² in place of 3 e².
    With mg.exp(a) it is right.
    Verified: loss and all four gradients agree for {cases} networks.
    """
    hidden = relu(x @ w1 + b1)
    scores = hidden @ w2 + b2
    return cross_entropy_(scores, labels)


_OUTSIDE = "constant(np.maximum((x @ w1 + b1).value, 0))"
repair_loss.slip(
    "as it was handed out",
    """This is still the network as it was handed out, with both faults. Draw its graph: is w1 in
    it?""",
    ("relu(x @ w1 + b1)", _OUTSIDE, "hidden @ w2 + b2", "relu(hidden @ w2 + b2)"),
)
repair_loss.slip(
    "still outside the graph",
    """The scores are no longer cut off. But the hidden layer is computed with `.value`, so the
    graph begins after it, and nothing comes back to w1 and b1.""",
    ("relu(x @ w1 + b1)", _OUTSIDE),
)
repair_loss.slip(
    "scores cut off",
    """All parameters are in the graph now. But a score below 0 is cut off, and a class whose score
    is cut off gets no gradient.""",
    ("hidden @ w2 + b2", "relu(hidden @ w2 + b2)"),
)
repair_loss.slip(
    "activation lost",
    """The gradients flow, but the hidden layer does not bend any more: two linear layers are
    one.""",
    ("relu(x @ w1 + b1)", "x @ w1 + b1"),
    ("relu(x @ w1 + b1)", "x @ w1 + b1", "hidden @ w2 + b2", "relu(hidden @ w2 + b2)"),
)
repair_loss.slip(
    "softmax twice",
    "`mg.cross_entropy` takes scores: a softmax is in it already.",
    lambda x, labels, w1, b1, w2, b2: cross_entropy_(softmax(relu(x @ w1 + b1) @ w2 + b2), labels),
)
repair_loss.slip(
    "another activation",
    "You bend with tanh, which lets gradients through. But the network is one with relu.",
    lambda x, labels, w1, b1, w2, b2: cross_entropy_(tanh(x @ w1 + b1) @ w2 + b2, labels),
)
