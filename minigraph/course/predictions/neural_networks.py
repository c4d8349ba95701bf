"""Lesson 08: parameters, what a bend is for, losses, and where learning can start."""

import math

import numpy as np

from ...autodiff.derivatives import grad
from ...core.node import constant, variable
from ...core.table import tanh
from ...graph.functions import cross_entropy
from ...nn import Linear, Sequential
from ..prediction import Choice, Names, Number, Truth, prediction

LESSON = "08_neural_networks"


@prediction(
    "A network has 64 inputs, one layer of 32 units and 10 classes, and each layer has a bias. How "
    "many parameters has it?",
    parameters=Number(
        "parameters",
        {
            2368: "These are the weights. Each unit, and each class, has a bias as well.",
            42: "These are the biases. Each unit also has a weight for each of its inputs.",
            106: "Each unit has a weight for *each* of its inputs: 64 · 32 of them in the first "
            "layer.",
            2442: "Each of the 32 units has one bias, and uses it for all of its inputs. Where do "
            "the other 32 come from?",
            2474: "The inputs come from outside. They have no bias.",
        },
    ),
    told_by=(r"together: ", r"64 · 32 \+ 32"),
)
def parameters_for_digits() -> Truth:
    """64 · 32 + 32 in the first layer, and 32 · 10 + 10 in the second: a weight for each pair of an
    input and a unit, and a bias for each unit.
    """
    rng = np.random.default_rng(0)
    model = Sequential(Linear(64, 32, rng=rng), Linear(32, 10, rng=rng))
    return Truth(parameters=sum(p.value.size for p in model.parameters()))


ON_A_LINE = ("4", "5", "9", "it depends on the parameters")


@prediction(
    "Two linear layers, with 50 units between them and no activation: one input, one output, "
    "*f*(0) = 1 and *f*(1) = 3. What is *f*(2)?",
    value=Choice(
        "*f*(2)",
        {
            "4": "From 0 to 1 the output grows by 2. What can it do from 1 to 2, if nothing in the "
            "network bends?",
            "9": "Three times as much at each step would be a curve. Which operation of this "
            "network could bend?",
            "it depends on the parameters": "Many parameters give these two values. But what they "
            "can do together is the same for all of them: put one layer into the other.",
        },
        among=ON_A_LINE,
    ),
    told_by=(r"That is one linear layer", r"Any number of linear layers"),
)
def value_without_activation() -> Truth:
    """5. A linear layer of a linear layer is a linear layer, and for one input and one output that
    is a straight line, whatever the 151 parameters are.
    """
    rng = np.random.default_rng(0)
    model = Sequential(Linear(1, 50, rng=rng), Linear(50, 1, rng=rng))
    zero, one, two = model([[0.0], [1.0], [2.0]]).value[:, 0]
    scaled = 1 + (two - zero) / (one - zero) * (3 - 1)
    return Truth(value=ON_A_LINE[1] if math.isclose(scaled, 5) else ON_A_LINE[3])


LOSSES = ("0", "about 0.1", "about 2.3", "10")


@prediction(
    "A classifier with ten classes gives all of them the same score. How large is its "
    "cross-entropy?",
    loss=Choice(
        "the loss",
        {
            "0": "A loss of 0 means that the right class has the probability 1. Which one has it "
            "here?",
            "about 0.1": "That is the probability of the right class. The loss is −log of it.",
            "10": "The right class has the probability 1/10. The loss is the logarithm of its "
            "reciprocal, not the reciprocal itself.",
        },
        among=LOSSES,
    ),
    told_by=(r"10 classes: ", r"log 10"),
)
def loss_of_knowing_nothing() -> Truth:
    """Each class has the probability 1/10, so the loss is −log 1/10 = log 10 ≈ 2.303. It does not
    matter how large the scores are, as long as they are the same.
    """
    loss = float(cross_entropy(np.zeros((1, 10)), [3]))
    return Truth(loss=LOSSES[2] if math.isclose(loss, 2.3, rel_tol=0.01) else str(loss))


OUTCOMES = ("1000", "infinity", "not a number", "0")


@prediction(
    "The scores are 1000 and 0, and the second class is right. Softmax takes the largest score "
    "away first. What is −log of its second probability, in floats?",
    loss=Choice(
        "−log *p*",
        {
            "1000": "That is what it should be. But the probability is computed first, and it is "
            "e⁻¹⁰⁰⁰. Is there a float that small?",
            "not a number": "Without the shift it would be ∞/∞ for the first class. With it no "
            "exponent is above 0, and both probabilities are finite. Which float is the second?",
            "0": "That would be the loss if the first class were right.",
        },
        among=OUTCOMES,
    ),
    told_by=(r"smaller than any", r"so it became 0"),
)
def log_after_softmax() -> Truth:
    """e⁻¹⁰⁰⁰ is smaller than any positive float, so the probability is 0, and −log 0 is infinite.
    The shift has saved softmax, and not its logarithm.
    """
    s = np.array([1000.0, 0.0])
    p = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
    with np.errstate(divide="ignore"):
        loss = -np.log(p[1])
    return Truth(loss=OUTCOMES[1] if math.isinf(loss) else OUTCOMES[0])


PARAMETERS = ("w1", "b1", "w2", "b2")


@prediction(
    "hidden = tanh(x @ w1 + b1), scores = hidden @ w2 + b2. All weights and biases are 0; three of "
    "four examples are of class 1. Which gradients hold anything but zeros?",
    moved=Names(
        "not all zeros",
        {
            frozenset(): "The scores are equal, and three of four examples want more for class 1. "
            "Something next to the scores can give it to them.",
            frozenset(PARAMETERS): "What comes down to the hidden units is multiplied by w2, and "
            "w2 is 0.",
            frozenset({"w2", "b2"}): "The gradient of w2 is hidden.T @ g. What is in hidden, if "
            "w1 and b1 are 0?",
            frozenset({"b1", "b2"}): "Before something arrives at b1, it passes w2. What is left "
            "of it then?",
        },
        among=PARAMETERS,
    ),
    told_by=(r"last bias\b", r"`hidden` is 0"),
)
def gradients_at_zero() -> Truth:
    """Only b2. For w2 the gradient is multiplied by hidden, which is tanh(0) = 0; for w1 and b1 it
    is multiplied by w2, which is 0. And that is still so after the step.
    """
    x = constant([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    shapes = ((2, 3), (3,), (3, 2), (2,))
    w1, b1, w2, b2 = parameters = [variable(np.zeros(shape)) for shape in shapes]
    loss = cross_entropy(tanh(x @ w1 + b1) @ w2 + b2, [0, 1, 1, 1])
    gradients = zip(PARAMETERS, grad(loss, parameters))
    return Truth(moved=frozenset(name for name, g in gradients if np.any(g.value != 0)))
