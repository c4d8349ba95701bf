"""Lesson 09: a step down, a rate too large, momentum, Adam, circles, and what validation shows."""

from typing import Any

import numpy as np

from ...core.node import Node, variable
from ...data import Split, circles, digits
from ...graph.functions import cross_entropy
from ...nn import SGD, Adam, Linear, ReLU, Sequential, fit, score
from ..prediction import Choice, Number, Truth, prediction

LESSON = "09_training"


def _loss(w: Node) -> Any:
    """The squared miss of a model that says w · 2 where it should say 6."""
    return (w * 2.0 - 6.0) ** 2


def _weights(optimizer: type[SGD] | type[Adam], steps: int, **settings: Any) -> list[float]:
    """The weights on the way down from 1."""
    w = variable(1.0, name="w")
    rule = optimizer([w], **settings)
    weights = [float(w.value)]
    for _ in range(steps):
        rule.zero_grad()
        _loss(w).backward()
        rule.step()
        weights.append(float(w.value))
    return weights


@prediction(
    "A model says *w* · 2 and should say 6; its loss is the square of what is missing. At *w* = 1 "
    "the gradient is −16. What is *w* after a step of gradient descent with the rate 0.1, and what "
    "is the loss then?",
    w=Number(
        "*w*",
        {
            -0.6: "You added the gradient times the rate: that goes up. A step goes *against* the "
            "gradient.",
            17: "The rate says which part of the gradient the step is. Here it is a tenth.",
            1.6: "This is the length of the step. It is taken from where *w* is.",
            3: "There the loss is least. How far towards it does this one step go?",
        },
    ),
    loss=Number(
        "the loss",
        {
            14.4: "The loss does not fall by a tenth of itself: it is computed anew from the new "
            "*w*.",
            0.8: "So much is missing between what the model says and 6. The loss is its square.",
        },
    ),
)
def one_step_down() -> Truth:
    """The step is −0.1 · (−16) = 1.6, upwards, as the gradient is negative: *w* = 2.6. The model
    says 5.2, which misses 6 by 0.8, and the square of that is 0.64.
    """
    w = _weights(SGD, 1, learning_rate=0.1)[-1]
    return Truth(w=w, loss=float(_loss(variable(w)).value))


RESTS, SWINGS, LEAVES, STAYS = "comes to rest at 3", "swings for ever", "runs away", "hardly moves"


@prediction(
    "The same model from *w* = 1, where the gradient is −16; the best weight is 3. What does *w* "
    "do if the learning rate is 0.25?",
    weight=Choice(
        "*w*",
        {
            RESTS: "Work out the first step: from 1, by 0.25 · 16. Where is it then, and what is "
            "the gradient there?",
            LEAVES: "It does go too far. But work out the second step as well: does it end further "
            "from 3 than the first one?",
            STAYS: "The first step is 0.25 · 16 = 4 long.",
        },
        among=(RESTS, SWINGS, LEAVES, STAYS),
    ),
    told_by=(r"5\.000", r"swings between"),
)
def rate_of_a_quarter() -> Truth:
    """The first step is 4 long and leads from 1 to 5: past 3, to the same height on the other side.
    There the gradient is 16, and the second step leads back to 1.
    """
    *_, before, last = np.abs(np.subtract(_weights(SGD, 40, learning_rate=0.25), 3.0))
    words = {SWINGS: np.isclose(last, before), LEAVES: last > before, STAYS: False, RESTS: True}
    return Truth(weight=next(word for word, is_so in words.items() if is_so))


@prediction(
    "The gradient is 1 in every step. With momentum 0.9 and the learning rate 0.1, how long do the "
    "steps become?",
    length=Number(
        "a step, after many",
        {
            0.1: "This is the first step. The second one has the velocity 0.9 · 1 + 1.",
            0.19: "This is the second step. The third has the velocity 0.9 · 1.9 + 1, and so on.",
            10: "So large becomes the velocity. A step is the rate times the velocity.",
            0.9: "0.9 is what stays of the velocity. Which velocity is the same after it has lost "
            "a tenth and gained 1?",
        },
    ),
    told_by=(r"ten times as long", r"length 0\.998", r"1 / \(1 - 0\.9\)"),
)
def steps_with_momentum() -> Truth:
    """The velocity grows until it loses as much as it gains: a tenth of it is 1. So it comes to 10,
    and 0.1 times 10 is 1: ten times as long as without momentum.
    """
    w = variable(0.0, name="w")
    optimizer = SGD([w], learning_rate=0.1, momentum=0.9)
    for _ in range(500):
        before = float(w.value)
        w.grad = np.float64(1.0)
        optimizer.step()
    return Truth(length=before - float(w.value))


FIRST, SECOND, BOTH = "the first", "the second", "both as far"


@prediction(
    "Two weights have the gradients 1000 and 0.001. Adam takes its first step. Which weight moves "
    "further?",
    moves=Choice(
        "further moves",
        {
            FIRST: "So it is with gradient descent. Adam divides by the root of the mean square: "
            "how large is that for the first weight?",
            SECOND: "Its divisor is smaller, and so is what is divided.",
        },
        among=(FIRST, SECOND, BOTH),
    ),
    told_by=(r"whatever the gradient", r"move by \["),
)
def first_step_of_adam() -> Truth:
    """Both move by the learning rate. In the first step the corrected means are *g* and *g*², and
    *g* / √*g*² is 1 or −1, however large *g* is.
    """
    two = variable([0.0, 0.0], name="two")
    optimizer = Adam([two], learning_rate=0.1)
    two.grad = np.array([1000.0, 0.001])
    optimizer.step()
    first, second = np.abs(two.value)
    words = {BOTH: np.isclose(first, second, rtol=1e-4), FIRST: first > second, SECOND: True}
    return Truth(moves=next(word for word, is_so in words.items() if is_so))


HALF, MOST, ALL = "about half", "about three quarters", "nearly all"


@prediction(
    "One class of points lies around a circle, the other around a smaller circle inside it. A "
    "network without a hidden layer is given *x*² and *y*² of each point, in place of *x* and *y*. "
    "How many points does it get right when it has learned?",
    right=Choice(
        "right are",
        {
            HALF: "So it is with *x* and *y*: a layer draws a straight line, and none parts the "
            "circles. What is a straight line in *x*² and *y*², such as *x*² + *y*² = ½?",
            MOST: "With *x*² alone there would be two lines. Which curve is *x*² + *y*² = ½?",
        },
        among=(HALF, MOST, ALL),
    ),
    told_by=(r"a circle\*\*", r"\d+% right"),
)
def circles_without_a_hidden_layer() -> Truth:
    """The layer weighs what it is given: *w*₁ · *x*² + *w*₂ · *y*² + *b*. Where that is 0 lies its
    border: with equal weights a circle. A straight line in other coordinates is a curve.
    """
    rng = np.random.default_rng(0)
    plane = circles(rng)
    model = Sequential(Linear(2, 2, rng=rng))
    fit(
        model,
        cross_entropy,
        Split(plane.train.x**2, plane.train.y),
        optimizer=Adam(model.parameters(), learning_rate=0.1),
        epochs=30,
        batch_size=30,
        rng=rng,
    )
    _, right = score(model, cross_entropy, Split(plane.test.x**2, plane.test.y))
    words = {ALL: right > 0.9, MOST: right > 0.6, HALF: True}  # type: ignore[operator]
    return Truth(right=next(word for word, is_so in words.items() if is_so))


FALLS, LEVEL, TURNS = "falls as well", "stays where it was", "falls, then rises"


@prediction(
    "A network with 5,000 weights learns 100 digits for 120 epochs, and its loss on them falls all "
    "the time. What does its loss on other digits do?",
    loss=Choice(
        "on other digits the loss",
        {
            FALLS: "It does at first. What is there to learn in 100 pictures once all of them are "
            "read right?",
            LEVEL: "What makes one 3 a 3 helps to read another one, so at first it gains from "
            "learning.",
        },
        among=(FALLS, LEVEL, TURNS),
    ),
    told_by=(r"rises from there", r"by heart"),
)
def loss_on_validation() -> Truth:
    """What all threes have in common is learned first, and helps everywhere. What is learned after
    that belongs to these 100 pictures alone, and makes the network surer of its mistakes on others.
    """
    x, y = digits().train.x, digits().train.y
    rng = np.random.default_rng(0)
    model = Sequential(Linear(64, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng))
    history = fit(
        model,
        cross_entropy,
        Split(x[:100], y[:100]),
        optimizer=Adam(model.parameters(), learning_rate=2e-2),
        epochs=40,
        batch_size=20,
        rng=rng,
        validation=Split(x[-200:], y[-200:]),
    )
    losses = [epoch.validation_loss for epoch in history.epochs]
    least = min(losses)  # type: ignore[type-var]
    if losses[-1] > 1.05 * least < losses[0] / 1.05:  # type: ignore[operator]
        return Truth(loss=TURNS)
    return Truth(loss=FALLS if losses[-1] < 0.95 * losses[0] else LEVEL)  # type: ignore[operator]
