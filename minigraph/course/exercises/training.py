"""Lesson 09: a step of three optimizers, four broken trainings, and digits within a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import numpy as np

from ...autodiff.derivatives import gradients
from ...core.node import Node, variable
from ...core.order import topological_order
from ...core.table import matrix_transpose
from ...data import Split, digits
from ...drawing.plot import Plot
from ...errors import MinigraphError
from ...graph.functions import cross_entropy
from ...graph.rows import relu
from ..answers import items_of, kind_of, not_a
from ..choices import Choices
from ..forms import Case, Difference, Form, WrongForm
from ..quantities import NumberList
from ..specification import exercise

LESSON = "09_training"

# --- a step of gradient descent -------------------------------------------------------------------


def weights_and_gradients(rng: Random) -> list[Case]:
    """Gradients of both signs, none at all, and one that is 0; several weights, and a single one."""
    fixed: list[Case] = [
        ([2.0], [3.0], 0.1),
        ([2.0], [-3.0], 0.1),
        ([1.0, -4.0], [0.5, 0.25], 2.0),
        ([1.0, -4.0, 0.0], [8.0, 0.0, -6.0], 0.5),
        ([3.0, 5.0], [2.0, None], 0.25),
        ([3.0, -5.0], [None, 4.0], 0.25),
        ([7.0], [None], 0.1),
        ([], [], 0.1),
        ([0.0, 0.0], [1e6, -1e-6], 1e-3),
    ]
    for _ in range(12):
        many = rng.randint(1, 6)
        g = [None if rng.random() < 0.15 else rng.uniform(-5, 5) for _ in range(many)]
        fixed.append(([rng.uniform(-3, 3) for _ in range(many)], g, rng.uniform(0.01, 1.5)))
    return fixed


@exercise(
    points=1,
    cases=weights_and_gradients,
    answer=NumberList("a list with the new value of each weight"),
)
def sgd_step(weights: list[float], gradients: list[float | None], rate: float) -> list[float]:
    """Take a step of gradient descent

    Write a function that takes a list of weights, a list with the gradient of each, and the
    learning rate, and returns a new list: each weight after a step of gradient descent. Where the
    gradient is `None`, the loss does not depend on that weight, and it stays as it is. The lists
    that come in are not to be changed.

    First step: Begin with the weights alone: go through both lists at once with zip, and return the
    weights as they are.
    Hint: The gradient says which way is up. How does a weight get down?
    Hint: One weight after the other: weight minus rate times gradient. Ask first whether there is a
    gradient.
    Hint: Prices that fall by a tenth of a discount, where some have none:
        prices, discounts = [10.0, 20.0], [3.0, None]
        [p if d is None else p - 0.1 * d for p, d in zip(prices, discounts)]
    Verified: every weight went where it should, in {cases} cases.
    """
    return [w if g is None else w - rate * g for w, g in zip(weights, gradients)]


sgd_step.slip(
    "up the slope",
    "Your step goes with the gradient, which points up. The loss is to fall.",
    ("w - rate * g", "w + rate * g"),
)
sgd_step.slip(
    "the rate forgotten",
    "Your step is as long as the gradient. How much of it is taken, says the learning rate.",
    ("w - rate * g", "w - g"),
)
sgd_step.slip(
    "steps in place of weights",
    "You return by how much each weight changes. Asked for is what it is afterwards.",
    ("w if g is None else w - rate * g", "0.0 if g is None else -rate * g"),
    ("w if g is None else w - rate * g", "0.0 if g is None else rate * g"),
)
sgd_step.slip(
    "a weight without gradient lost",
    "A weight whose gradient is None is missing from your list. It stays as it is.",
    (
        "[w if g is None else w - rate * g for w, g in zip(weights, gradients)]",
        "[w - rate * g for w, g in zip(weights, gradients) if g is not None]",
    ),
)
sgd_step.slip(
    "all steps of the same length",
    "You take only the sign of the gradient. A steeper slope makes a longer step.",
    ("rate * g", "rate * float(np.sign(g))"),
)


# --- a step with momentum -------------------------------------------------------------------------


def moving_weights(rng: Random) -> list[Case]:
    """A velocity that is 0, that agrees with the gradient, that is against it; no momentum."""
    fixed: list[Case] = [
        (1.0, 2.0, 4.0, 0.1, 0.5),
        (1.0, 2.0, -4.0, 0.1, 0.5),
        (1.0, 0.0, 4.0, 0.1, 0.9),
        (-2.0, 3.0, 0.0, 0.2, 0.9),
        (5.0, -1.5, 2.5, 0.3, 0.0),
        (0.0, 10.0, 1.0, 0.1, 0.9),
        (0.0, -8.0, -3.0, 2.0, 0.25),
    ]
    return fixed + [
        (*(rng.uniform(-3, 3) for _ in range(3)), rng.uniform(0.01, 1.5), rng.uniform(0.1, 0.95))
        for _ in range(12)
    ]


@exercise(
    points=2,
    cases=moving_weights,
    answer=NumberList("the new weight and the new velocity, as (w, v)"),
)
def momentum_step(
    w: float, v: float, g: float, rate: float, momentum: float
) -> tuple[float, float]:
    """Take a step with momentum

    Write a function that takes a weight `w`, its velocity `v`, its gradient `g`, the learning rate
    and the momentum, all of them numbers, and returns the new weight and the new velocity, `(w, v)`.
    The rule is that of the lesson: the velocity loses a part of itself and gains the gradient, and
    the weight follows the new velocity.

    First step: Two lines, one for each formula of the lesson, and a third that returns both.
    Hint: Which of the two changes first? The weight follows the velocity that this gradient has
    already changed.
    Hint: The new velocity is momentum times the old one, plus the gradient. The rate comes in only
    when the weight moves.
    Hint: An account from which a tenth goes into a purse each month, as soon as the payment has come
    in. Nine tenths are left for the next month:
        balance = 0.9 * balance + payment
        purse = purse + 0.1 * balance
    The payment of this month is in the balance when the tenth is taken.
    Verified: weight and velocity agree in {cases} cases.
    """
    v = momentum * v + g
    return w - rate * v, v


momentum_step.slip(
    "a mean in place of a sum",
    """Your velocity takes only a part of the gradient, as a running mean does. The rule of the
    lesson adds the whole gradient.""",
    ("momentum * v + g", "momentum * v + (1 - momentum) * g"),
)
momentum_step.slip(
    "follows the old velocity",
    "Your weight follows the velocity as it was before this gradient came. Change the velocity first.",
    (
        "    v = momentum * v + g\n    return w - rate * v, v",
        "    return w - rate * v, momentum * v + g",
    ),
)
momentum_step.slip(
    "follows the gradient alone",
    "Your velocity is right, and nobody uses it: the weight still follows the gradient.",
    ("w - rate * v, v", "w - rate * g, v"),
)
momentum_step.slip(
    "the rate within the velocity",
    """You multiply by the rate before you add to the velocity. That is a rule too, in other books.
    Here the velocity is made of gradients, and the rate comes in when the weight moves.""",
    (
        "    v = momentum * v + g\n    return w - rate * v, v",
        "    v = momentum * v + rate * g\n    return w - v, v",
    ),
    (
        "    v = momentum * v + g\n    return w - rate * v, v",
        "    v = momentum * v - rate * g\n    return w + v, v",
    ),
)
momentum_step.slip(
    "momentum on the gradient",
    "The momentum says how much is kept of the old velocity, not how much is taken of the gradient.",
    ("momentum * v + g", "v + momentum * g"),
)
momentum_step.slip(
    "up the slope",
    "Your weight goes with the velocity, which is made of gradients and points up.",
    ("w - rate * v", "w + rate * v"),
)
momentum_step.slip(
    "nothing is forgotten",
    "Your velocity keeps all that it had. Then nothing ever slows it down.",
    ("momentum * v + g", "v + g"),
)


# --- a step of Adam -------------------------------------------------------------------------------


def steps_of_adam(rng: Random) -> list[Case]:
    """The first step and later ones; gradients of both signs, none, very small, turned round."""
    fixed: list[Case] = [
        (1.0, 0.0, 0.0, 4.0, 1, 0.1),
        (1.0, 0.0, 0.0, -4.0, 1, 0.1),
        (0.5, 0.4, 0.016, 4.0, 2, 0.1),
        (0.8, 0.76, 0.03198, -2.0, 3, 0.1),
        (-1.0, 0.2, 0.05, 0.0, 7, 0.01),
        (0.0, 0.0, 0.0, 0.0, 1, 0.1),
        (0.0, 0.0, 0.0, 3e-8, 1, 0.1),
        (2.0, -0.3, 0.4, 0.25, 5000, 0.001),
        (3.0, 0.0, 0.0, 1e4, 1, 0.5),
    ]
    return fixed + [
        (
            rng.uniform(-3, 3),
            rng.uniform(-1, 1),
            rng.uniform(0.01, 1),
            rng.uniform(-3, 3),
            rng.randint(2, 60),
            rng.uniform(0.001, 0.5),
        )
        for _ in range(12)
    ]


@exercise(
    points=3,
    cases=steps_of_adam,
    answer=NumberList("the new weight and the two running means, as (w, m, v)"),
)
def adam_step(
    w: float, m: float, v: float, g: float, t: int, rate: float
) -> tuple[float, float, float]:
    r"""Take a step of Adam

    Write a function that takes a weight `w`, the running means `m` and `v` as they are before this
    step, the gradient `g`, the number `t` of the step, which is 1 for the first, and the learning
    rate. It returns `(w, m, v)` after the step. $\beta_1 = 0.9$, $\beta_2 = 0.999$ and
    $\varepsilon = 10^{-8}$, which is added to the root.

    For `adam_step(1.0, 0.0, 0.0, 4.0, 1, 0.1)` the new weight is 0.9, up to eight digits, and the
    means are 0.4 and 0.016.

    First step: Write the two lines for m and v, and return them with the old weight. The example
    shows whether they are right.
    Hint: Five lines, in this order: m, v, m corrected, v corrected, and the weight. Which of them
    are remembered for the next step?
    Hint: The correction divides by 1 minus beta to the power of t. It is used for this step only:
    what you return are the means without it. The square is that of the gradient, and the root is
    taken of the corrected v.
    Hint: A running mean of temperatures that starts at 0, after one day of 20 degrees:
        mean = 0.9 * 0.0 + 0.1 * 20.0     # 2.0, much too cold
        corrected = mean / (1 - 0.9**1)   # 20.0
    Tomorrow it goes on from 2.0, and is divided by 1 - 0.9**2.
    Verified: weight and means agree in {cases} cases, from the first step to the five thousandth.
    """
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return w - rate * m_hat / (v_hat**0.5 + 1e-8), m, v


adam_step.slip(
    "means not corrected",
    """Your step uses the means as they are. They began at 0, so in the first steps they are too
    small.""",
    ("m / (1 - 0.9**t), v / (1 - 0.999**t)", "m, v"),
)
adam_step.slip(
    "corrected means remembered",
    """You return the corrected means. In the next step they would be corrected once more. What is
    remembered are the means themselves.""",
    ("1e-8), m, v", "1e-8), m_hat, v_hat"),
)
adam_step.slip(
    "no root",
    "You divide by the mean of the squares. Which function takes a square back to the size of g?",
    ("v_hat**0.5", "v_hat"),
)
adam_step.slip(
    "the betas exchanged",
    "Look at which mean forgets faster: 0.9 belongs to the gradient, 0.999 to its square.",
    (
        "0.9 * m + (1 - 0.9)",
        "0.999 * m + (1 - 0.999)",
        "0.999 * v + (1 - 0.999)",
        "0.9 * v + (1 - 0.9)",
        "(1 - 0.9**t)",
        "(1 - 0.999**t)",
        "v / (1 - 0.999**t)",
        "v / (1 - 0.9**t)",
    ),
)
adam_step.slip(
    "the square of the mean",
    "Your v is made of m. It is the running mean of the squares of the gradients.",
    ("g**2", "m**2"),
)
adam_step.slip(
    "steps counted from 0",
    "Your correction belongs to another step. In the first step t is 1.",
    ("0.9**t), v / (1 - 0.999**t)", "0.9**(t + 1)), v / (1 - 0.999**(t + 1))"),
)
adam_step.slip(
    "epsilon under the root",
    """With tiny gradients your step is too short. The small number is added to the root, and not
    under it.""",
    ("(v_hat**0.5 + 1e-8)", "(v_hat + 1e-8)**0.5"),
)
adam_step.slip(
    "up the slope",
    "Your weight goes the way of the mean gradient, which points up.",
    ("w - rate", "w + rate"),
)


# --- four broken trainings ------------------------------------------------------------------------

MISTAKES = (
    "gradients are never forgotten",
    "steps are part of the graph",
    "test data in training",
    "labels mixed up",
)
_STEPS, _EXAMPLES, _UNITS, _RATE = 60, 100, 16, 0.8


@dataclass(frozen=True)
class Run:
    """What was written down in each step of a training."""

    losses: list[float]
    accuracies: list[float]
    nodes: list[int]


@cache
def four_runs() -> dict[str, Run]:
    """Train the same network four times, each with one mistake; the names do not say which."""
    return {name: _broken(MISTAKES[place]) for name, place in zip("ABCD", (3, 1, 0, 2))}


def _broken(mistake: str) -> Run:
    """A loop that is right but for one mistake."""
    rng = np.random.default_rng(5)
    parts = digits()
    x, y = parts.train.x[:_EXAMPLES], parts.train.y[:_EXAMPLES]
    test = Split(parts.test.x[:_EXAMPLES], parts.test.y[:_EXAMPLES])
    if mistake == "test data in training":
        x, y = np.concatenate([x, test.x]), np.concatenate([y, test.y])
    if mistake == "labels mixed up":
        y = rng.permutation(y)
    shapes = [(_UNITS, 64), (_UNITS,), (10, _UNITS), (10,)]
    weights = [variable(rng.normal(0, 0.25, shape)) for shape in shapes]
    old: list[Any] = [0.0] * len(weights)
    run = Run([], [], [])
    for _ in range(_STEPS):
        loss = cross_entropy(_scores(x, weights), y)
        run.losses.append(float(loss.value))
        run.accuracies.append(
            float((_scores(test.x, weights).value.argmax(axis=1) == test.y).mean())
        )
        run.nodes.append(len(topological_order([loss])))
        new: list[Any] = [w.value for w in gradients(loss, weights) if w is not None]
        if mistake == "gradients are never forgotten":
            new = old = [was + g for was, g in zip(old, new)]
        steps = [w - _RATE * g for w, g in zip(weights, new)]
        is_recorded = mistake == "steps are part of the graph"
        weights = steps if is_recorded else [variable(w.value) for w in steps]
    return run


def _scores(x: np.ndarray, weights: list[Node]) -> Any:
    w1, b1, w2, b2 = weights
    return relu(x @ matrix_transpose(w1) + b1) @ matrix_transpose(w2) + b2


def draw_runs(what: str) -> Plot:
    """Draw the "losses", the "accuracies" or the "nodes" of the four runs."""
    asked = {
        "losses": "loss on what is trained on",
        "accuracies": "share of test digits right",
        "nodes": "nodes of the graph of the loss",
    }
    if what not in asked:
        raise MinigraphError(f"there are {', '.join(asked)} to draw, not {what!r:.40}")
    told, curves = [], {name: getattr(run, what) for name, run in four_runs().items()}
    for name, curve in curves.items():
        at = ", ".join(f"{curve[step]:.3g}" for step in (0, 20, 40, _STEPS - 1))
        told.append(f"{name}: {at}")
    alt = f"The {asked[what]} in steps 0, 20, 40 and {_STEPS - 1}. {'; '.join(told)}."
    plot = Plot(alt, width=640, height=240)
    for (name, curve), style in zip(curves.items(), ("-", "--", "-.", ":")):
        plot.axes.plot(curve, style, label=name)
    plot.axes.set(xlabel="step", ylabel=asked[what])
    plot.axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return plot


@exercise(points=2, answer=Choices(MISTAKES))
def name_the_mistakes() -> dict[str, str]:
    """Name four mistakes by their curves

    Four people have written a loop that trains the same network on 100 digits, for 60 steps with
    the rate 0.8. Each loop has one mistake, and each of them another one. This is what they wrote
    down: the loss on what is trained on, the share of 100 test digits that are read right, and how
    many nodes the graph of the loss has.

    ---

    The mistakes are:

    - `"gradients are never forgotten"`: `zero_grad` is missing, so each gradient is added to all that
      came before;
    - `"steps are part of the graph"`: `w = w - rate * g` on Nodes, so that the new weight remembers how
      it was computed, and the next one as well;
    - `"test data in training"`: the test digits were among those that it learned from;
    - `"labels mixed up"`: the labels of what is trained on stand in a random order.

    Which one is whose?

    First step: One of the four shows in the third picture alone. Which mistake is it that has to do with
    the size of a graph?
    Hint: Ask for each mistake what it changes: the direction of the steps, what is measured, what
    can be learned, or how much is kept.
    Hint: Whoever learns nonsense does no better than chance on new digits. Whoever has seen the test
    does better than an honest network can, which is at about 0.89 here. And gradients that pile up
    drive past every bottom.
    Hint: A bath that is filled and never emptied; a form that grows by a page with each letter; an
    examination whose questions were known; a book whose pages were mixed by the binder. Which of
    them would you notice by the result, and which by the effort?
    Verified: all four are named as they were made.
    """
    return {
        "A": "labels mixed up",
        "B": "steps are part of the graph",
        "C": "gradients are never forgotten",
        "D": "test data in training",
    }


name_the_mistakes.slip(
    "too good to be suspicious",
    """One of the four is the best on the test digits, and you think that its mistake is one of
    computing. From 100 examples an honest network gets to about 0.89. Where can the rest come
    from?""",
    (
        '"B": "steps are part of the graph"',
        '"B": "test data in training"',
        '"D": "test data in training"',
        '"D": "steps are part of the graph"',
    ),
)
name_the_mistakes.slip(
    "jumps taken for nonsense",
    """Two of the four are bad on the test digits. One has learned something and has lost half of it
    again; the other one is no better than chance from beginning to end. Which of them had nothing to
    learn?""",
    (
        '"A": "labels mixed up"',
        '"A": "gradients are never forgotten"',
        '"C": "gradients are never forgotten"',
        '"C": "labels mixed up"',
    ),
)
name_the_mistakes.slip(
    "a growing graph taken for gradients that pile up",
    """In the third picture one line grows. Gradients that pile up are numbers added to numbers, and
    need no more nodes.""",
    (
        '"B": "steps are part of the graph"',
        '"B": "gradients are never forgotten"',
        '"C": "gradients are never forgotten"',
        '"C": "steps are part of the graph"',
    ),
)


# --- digits within a budget -----------------------------------------------------------------------

GOAL, BUDGET = 0.9, 60
_LEARNED, _KEPT = 400, 700  # examples to learn from, and to judge by
_SHAPE = (65, 10)
_CHANCE = float(np.log(10))  # the loss of weights that are all 0
_HARDLY = 1.5  # a loss that is not much below that


@cache
def _digits_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits in an order of their own: pixels and a 1 for the bias, and the labels."""
    part = digits().train
    order = np.random.default_rng(seed).permutation(len(part))
    pixels = np.concatenate([part.x, np.ones((len(part), 1))], axis=1)
    return pixels[order], part.y[order]


def _loss(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The cross-entropy of a network of one layer, and its gradient."""
    w = variable(weights)
    loss = cross_entropy(x @ w, y)
    g: Any = gradients(loss, [w])[0]
    return float(loss.value), np.array(g.value)


def asker(seed: int) -> Callable[[Any], tuple[float, np.ndarray]]:
    """A function from weights to loss and gradient, which answers as often as the budget allows."""
    x, y = (part[:_LEARNED] for part in _digits_of(seed))
    asked = 0

    def ask(weights: Any) -> tuple[float, np.ndarray]:
        nonlocal asked
        if np.shape(weights) != _SHAPE:
            raise MinigraphError(f"weights have shape {_SHAPE}, not {np.shape(weights)}")
        if asked == BUDGET:
            raise MinigraphError(f"the budget is spent: you may ask {BUDGET} times")
        asked += 1
        with np.errstate(all="ignore"):
            return _loss(np.asarray(weights, float), x, y)

    return ask


@dataclass(frozen=True)
class Reads(Form):
    """Weights that read enough of the digits that were kept apart. The case is (seed,)."""

    compares = False
    what: str = f"an array of weights of shape {_SHAPE}"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[list[float]]:
        """Read an array, nested lists, or a Node's value."""
        answer = answer.value if isinstance(answer, Node) else answer
        if answer is None or isinstance(answer, str | dict) or callable(answer):
            raise not_a(self.what, answer)
        try:
            is_array = hasattr(answer, "__array__") or isinstance(answer, memoryview)
            items = None if is_array else items_of(answer)  # of a list, which may have no end
            array = np.array(answer if items is None else items, float)
        except (TypeError, ValueError):
            raise WrongForm(f"It should be {self.what}, and it is {kind_of(answer)}.") from None
        if array.shape != _SHAPE:
            told = f"{kind_of(answer)} of shape {array.shape}" if array.shape else kind_of(answer)
            raise WrongForm(f"It should be {self.what}, and it is {told}.", "shape")
        rows: list[list[float]] = array.tolist()
        return rows

    def difference(self, answer: Any, expected: Any, case: Case) -> Difference | None:
        """Say how many of the kept digits are read right, and what became of the loss."""
        x, y = _digits_of(case[0])
        weights = np.array(answer)
        with np.errstate(all="ignore"):
            loss, _ = _loss(weights, x[:_LEARNED], y[:_LEARNED])
            kept = slice(_LEARNED, _LEARNED + _KEPT)
            right = float(((x[kept] @ weights).argmax(axis=1) == y[kept]).mean())
        if right >= GOAL:
            return None
        text = f"Your weights read {right:.0%} of the digits that were kept apart; {GOAL:.0%} are asked."
        if not loss <= _CHANCE + 0.01:
            return Difference(f"{text} Their loss is larger than at the start.", "grew")
        return Difference(text, "hardly moved" if loss > _HARDLY else "not there yet")

    def alike(self, one: Any, other: Any) -> bool:
        """Whatever the weights: what became of them is compared."""
        return True

    def show(self, answer: Any) -> str:
        """Write how large the weights are."""
        array = np.array(answer)
        return f"weights of shape {array.shape}, from {array.min():.3g} to {array.max():.3g}"


@exercise(
    points=3,
    kind="train",
    cases=lambda rng: [(0,), *((rng.randrange(1, 10**6),) for _ in range(3))],
    as_arguments=lambda seed: (asker(seed),),
    answer=Reads(),
    code=lambda seed: (
        "from minigraph.course.exercises.training import asker\n\n"
        f"ask = asker({seed})  # answers {BUDGET} times"
    ),
)
def learn_digits(ask: Callable[[Any], tuple[float, np.ndarray]]) -> np.ndarray:
    """Learn to read in 60 steps

    A network of a single layer reads digits: 64 pixels, and a 1 for the bias, times a matrix of
    weights of shape (65, 10). You are given a function. `ask(weights)` returns the loss on 400 digits
    and its gradient, an array of shape (65, 10). It answers 60 times and no more.

    Write a function that returns weights which read at least 90 % of 700 other digits right. Which
    optimizer you write, and with which rate, is up to you. Other digits will be drawn to judge by.

    First step: Begin with np.zeros((65, 10)), ask once, take one step of gradient descent, and
    return what you have. The check says how many digits that reads.
    Hint: Print the losses of your 60 steps. Do they still fall at the end, or do they jump? Which way
    does the rate have to go?
    Hint: 60 steps are few, so they have to be long. Double the rate until the loss begins to jump,
    and go back by half. Momentum or Adam get further in as many steps.
    Hint: A loop that finds where (p − 7)² is least, within a budget of 20:
        p, v = 0.0, 0.0
        for _ in range(20):
            v = 0.8 * v + 2 * (p - 7)
            p = p - 0.1 * v
    Another way: Adam, which needs no search for a rate:
        import minigraph as mg
        from minigraph import nn

        def learn_digits(ask):
            w = mg.variable(np.zeros((65, 10)))
            adam = nn.Adam([w], learning_rate=0.1)
            for _ in range(60):
                loss, w.grad = ask(w.value)
                adam.step()
            return w.value
    Each weight has a rate of its own here: pixels at the border are hardly ever inked, and their
    weights would else learn slowly.
    Verified: at least 90 % of 700 digits that it has never seen, in {cases} draws of them.
    """
    w = v = np.zeros((65, 10))
    for _ in range(60):
        _, g = ask(w)
        v = 0.9 * v + g
        w = w - 0.2 * v
    return w


learn_digits.slip(
    "up the slope",
    """The loss of your weights is larger than at the start. Print it after the first and the second
    step. If it grows at once, whatever the rate, the steps go the wrong way.""",
    ("w - 0.2 * v", "w + 0.2 * v"),
    ("        v = 0.9 * v + g\n        w = w - 0.2 * v", "        w = w + 0.5 * g"),
)
learn_digits.slip(
    "steps too short",
    """The loss of your weights is hardly below that of weights that are all 0. You have no more
    than 60 steps, so take all of them, and make them longer.""",
    ("w - 0.2 * v", "w - 0.0005 * v"),
    ("        v = 0.9 * v + g\n        w = w - 0.2 * v", "        w = w - 0.02 * g"),
)
