"""Lesson 09."""

import math
from fractions import Fraction

import numpy as np

import minigraph as mg
from minigraph import nn

from . import right, wrong

# --- a step of gradient descent -------------------------------------------------------------------


@right("sgd_step")
def with_a_loop(weights, gradients, rate):
    new = list(weights)
    for i in range(len(new)):
        if gradients[i] is not None:
            new[i] -= gradients[i] * rate
    return new


@right("sgd_step")
def with_an_array(weights, gradients, rate):
    return np.array(weights) - rate * np.array([g or 0.0 for g in gradients])


@right("sgd_step")
def as_a_tuple(weights, gradients, rate):
    return tuple(w + (0 if g is None else -g * rate) for w, g in zip(weights, gradients))


@wrong("sgd_step")
def the_rate_divides(weights, gradients, rate):
    return [w if g is None else w - g / rate for w, g in zip(weights, gradients)]


@wrong("sgd_step")
def only_the_first(weights, gradients, rate):
    return [w - rate * g if i == 0 and g else w for i, (w, g) in enumerate(zip(weights, gradients))]


@wrong("sgd_step")
def the_weight_shrinks(weights, gradients, rate):
    return [w if g is None else w * (1 - rate * g) for w, g in zip(weights, gradients)]


@wrong("sgd_step", says="TypeError")
def none_is_a_number(weights, gradients, rate):
    return [w - rate * g for w, g in zip(weights, gradients)]


@wrong("sgd_step")
def the_old_weights(weights, gradients, rate):
    return weights


@wrong("sgd_step", hint="up the slope")
def climbs(weights, gradients, rate):
    return [w + rate * (g or 0.0) for w, g in zip(weights, gradients)]


# --- a step with momentum -------------------------------------------------------------------------


@right("momentum_step")
def in_two_lines(w, v, g, rate, momentum):
    v = g + v * momentum
    return [w - v * rate, v]


@right("momentum_step")
def written_out(w, v, g, rate, momentum):
    return w - rate * momentum * v - rate * g, momentum * v + g


@right("momentum_step")
def by_an_optimizer(w, v, g, rate, momentum):
    p = mg.variable(w)
    optimizer = nn.SGD([p], learning_rate=rate, momentum=momentum)
    if optimizer.memory[p]:
        optimizer.memory[p][0].value = v
    p.grad = np.float64(g)
    optimizer.step()
    return p.value, momentum * v + g


@wrong("momentum_step", says="2 numbers")
def the_weight_alone(w, v, g, rate, momentum):
    return w - rate * (momentum * v + g)


@wrong("momentum_step")
def in_the_other_order(w, v, g, rate, momentum):
    v = momentum * v + g
    return v, w - rate * v


@wrong("momentum_step")
def against_the_velocity(w, v, g, rate, momentum):
    v = momentum * v - g
    return w - rate * v, v


@wrong("momentum_step")
def looks_ahead(w, v, g, rate, momentum):
    v = momentum * v + g
    return w - rate * (momentum * v + g), v


@wrong("momentum_step")
def the_velocity_stays(w, v, g, rate, momentum):
    return w - rate * (momentum * v + g), v


@wrong("momentum_step", hint="a mean in place of a sum")
def mixes(w, v, g, rate, momentum):
    v += (1 - momentum) * (g - v)
    return w - rate * v, v


# --- a step of Adam -------------------------------------------------------------------------------


@right("adam_step")
def line_by_line(w, m, v, g, t, rate):
    m += (1 - 0.9) * (g - m)
    v += (1 - 0.999) * (g * g - v)
    size = math.sqrt(v / (1 - 0.999**t)) + 1e-8
    return [w - rate / (1 - 0.9**t) * m / size, m, v]


@right("adam_step")
def as_an_array(w, m, v, g, t, rate):
    b = np.array([0.9, 0.999])
    means = b * [m, v] + (1 - b) * [g, g**2]
    corrected = means / (1 - b**t)
    return np.array([w - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8), *means])


@right("adam_step")
def with_fractions(w, m, v, g, t, rate):
    b1, b2 = Fraction(9, 10), Fraction(999, 1000)
    m = float(b1) * m + float(1 - b1) * g
    v = float(b2) * v + float(1 - b2) * g * g
    down = float(1 - b1**t) * (math.sqrt(v / float(1 - b2**t)) + 1e-8)
    return w - rate * m / down, m, v


@wrong("adam_step")
def only_the_first_corrected(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - rate * m / (1 - 0.9**t) / (v**0.5 + 1e-8), m, v


@wrong("adam_step")
def only_the_second_corrected(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - rate * m / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8), m, v


@wrong("adam_step")
def the_gradient_itself(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - rate * g / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8), m, v


@wrong("adam_step", says="ZeroDivisionError")
def no_epsilon(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - rate * m / (1 - 0.9**t) / (v / (1 - 0.999**t)) ** 0.5, m, v


@wrong("adam_step", says="3 numbers")
def nothing_remembered(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - rate * m / (1 - 0.9**t) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)


@wrong("adam_step", hint="means not corrected")
def as_they_are(w, m, v, g, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return w - rate * m / (math.sqrt(v) + 1e-8), m, v


# --- four broken trainings ------------------------------------------------------------------------

NAMED = {
    "A": "labels mixed up",
    "B": "steps are part of the graph",
    "C": "gradients are never forgotten",
    "D": "test data in training",
}
right(
    "name_the_mistakes",
    NAMED,
    dict(reversed(NAMED.items())),
    {name: mistake.upper() for name, mistake in NAMED.items()},
)
wrong(
    "name_the_mistakes",
    dict.fromkeys(NAMED, "labels mixed up"),
    dict(zip(NAMED, reversed(NAMED.values()))),
    NAMED | {"A": "test data in training", "D": "labels mixed up"},
    NAMED | {"C": "labels mixed up"},
)
wrong("name_the_mistakes", {"A": "labels mixed up"}, says="Its keys should be A, B, C, D")
wrong("name_the_mistakes", NAMED | {"A": "zero_grad"}, says="It should be one of")
wrong(
    "name_the_mistakes",
    NAMED | {"B": "test data in training", "D": "steps are part of the graph"},
    hint="too good to be suspicious",
)

# --- digits within a budget -----------------------------------------------------------------------


def descent(ask, rate, steps=60):
    w = np.zeros((65, 10))
    for _ in range(steps):
        w = w - rate * ask(w)[1]
    return w


@right("learn_digits")
def plain_descent(ask):
    return descent(ask, 2.0)


@right("learn_digits")
def adam_by_hand(ask):
    w, m, v = np.zeros((65, 10)), 0.0, 0.0
    for t in range(1, 61):
        _, g = ask(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.05 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w.tolist()


@right("learn_digits")
def a_node_that_learns(ask):
    w = mg.variable(np.zeros((65, 10)))
    optimizer = nn.SGD([w], learning_rate=0.2, momentum=0.9)
    for _ in range(50):
        _, w.grad = ask(w.value)
        optimizer.step()
    return w


@wrong("learn_digits", says="of the digits that were kept apart", hint="steps too short")
def nothing_learned(ask):
    return np.random.default_rng(0).normal(0, 1e-3, (65, 10))


@wrong("learn_digits", says="the budget is spent")
def one_step_too_many(ask):
    return descent(ask, 2.0, steps=61)


@wrong("learn_digits", says="of shape (64, 10)")
def without_the_bias(ask):
    return descent(ask, 2.0)[:64]


@wrong("learn_digits", says="Did you forget return")
def nothing_returned(ask):
    descent(ask, 2.0)


@wrong("learn_digits", says="weights have shape (65, 10), not (10, 65)")
def turned_round(ask):
    return ask(np.zeros((10, 65)))[1]


@wrong("learn_digits", says="larger than at the start", hint="up the slope")
def climbs_for_good(ask):
    return descent(ask, -1.0)


@wrong("learn_digits", says="of the digits that were kept apart", hint="steps too short")
def a_timid_rate(ask):
    return descent(ask, 0.01)
