"""Operations that users make: their rules are used, drawn, and checked."""

import math

import numpy as np
import pytest

import minigraph as mg
from minigraph.graph.operation import OPERATIONS


@mg.custom(lambda g, out, x: g * mg.sigmoid(x), symbol="soft+")
def softplus(x):
    return np.log1p(np.exp(x))


@mg.custom(lambda g, out, x, w: g * w, lambda g, out, x, w: g * x)
def times(x, w):
    return x * w


def cube_with(*rules):
    @mg.custom(*rules)
    def cube(x):
        return x**3

    return cube


def test_a_custom_operation_computes_arrays_and_records_nodes():
    assert softplus(0.0) == np.log(2)
    node = softplus(mg.variable([0.0, 1.0]))
    assert node.op.name == "softplus"
    assert node.op.symbol == "soft+"
    assert node.op.shape((2, 3)) == (2, 3)
    np.testing.assert_allclose(node.value, np.log1p(np.exp([0.0, 1.0])))


def test_its_derivatives_of_every_kind_follow_from_one_rule():
    x = mg.variable(0.5)
    y = softplus(x)
    s = 1 / (1 + np.exp(-0.5))
    first = mg.grad(y, x)
    assert first.value == pytest.approx(s)
    assert mg.grad(first, x).value == pytest.approx(s * (1 - s))
    assert mg.jvp(y, {x: 2.0}).value == pytest.approx(2 * s)
    assert mg.check_custom(softplus, [[0.5, -1.0], [2.0, 3.0]])


def test_inputs_that_broadcast_get_gradients_of_their_own_shape():
    assert mg.check_custom(times, np.arange(6.0).reshape(2, 3), [1.0, -2.0, 3.0])
    x, w = mg.variable(np.ones((2, 3))), mg.variable([1.0, -2.0, 3.0])
    assert mg.jvp(times(x, w), {w: [1.0, 1.0, 1.0]}).value.shape == (2, 3)


def test_it_stays_out_of_the_table():
    assert "softplus" not in OPERATIONS


def test_an_option_is_no_input():
    @mg.custom(lambda g, out, x, factor: g * factor)
    def scaled(x, factor=2.0):
        return x * factor

    x = mg.variable(1.5)
    assert mg.grad(scaled(x, factor=3.0), x).value == 3.0


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (lambda g, out, x: 3 * x * x, "input 0 .* finite differences give"),
        (lambda g, out, x: g * 2 * x * x, "input 0 .* finite differences give"),
        (lambda g, out, x: g * np.ones(3), r"rule of cube for input 0 gave shape \(3,\)"),
        (
            lambda g, out, x: g * 3 * getattr(x, "value", x) ** 2,
            "at the second order, .* finite differences give",
        ),
        (
            lambda g, out, x: 3 * (getattr(g, "value", g) * getattr(x, "value", x) ** 2).item(),
            "made float of Nodes; write it with operators and minigraph's functions",
        ),
        (
            lambda g, out, x: g * 3 * math.pow(x, 2),
            "rule of cube for input 0 does not take Nodes: .* write it with operators",
        ),
    ],
)
def test_a_wrong_rule_is_named(rule, says):
    with pytest.raises(mg.GradientError, match=says):
        mg.check_custom(cube_with(rule), 1.5)


@pytest.mark.parametrize("rules", [(), (None, None)])
def test_there_is_a_rule_for_each_input(rules):
    with pytest.raises(mg.GradientError, match=r"cube has 1 inputs and . rules"):
        cube_with(*rules)


def test_what_it_returns_becomes_a_value_that_nobody_changes():
    kept = np.zeros(2)

    @mg.custom(lambda g, out, x: g * out)
    def exp(x):
        return np.exp(x, out=kept)[:]

    first = exp(mg.variable([0.0, 0.0]))
    exp(mg.variable([1.0, 1.0]))
    assert first.value.tolist() == [1, 1]


@pytest.mark.parametrize("result", [3, 3.0, np.float32(3), np.array(3.0)])
def test_it_may_return_any_number(result):
    times_three = mg.custom(lambda g, out, x: 3 * g)(lambda x: result)
    assert times_three(mg.variable(1.0)).value == 3


@pytest.mark.parametrize("result", [None, 1j, "3"])
def test_what_is_no_real_number_is_refused(result):
    broken = mg.custom(lambda g, out, x: g)(lambda x: result)
    with pytest.raises(mg.NodeTypeError, match="must return real numbers"):
        broken(mg.variable(1.0))


def test_a_rule_without_its_return_is_named():
    forgetful = cube_with(lambda g, out, x: None)
    with pytest.raises(mg.GradientError, match=r"the rule of cube for input 0.*its return"):
        forgetful(mg.variable(2.0)).backward()


def test_it_may_be_a_function_of_numpys_own():
    distance = mg.custom(lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out)
    made = distance(np.hypot)(mg.variable([3.0, 5.0]), mg.variable([4.0, 12.0]))
    assert made.op.name == "hypot"
    assert made.value.tolist() == [5, 13]
    assert mg.check_custom(mg.custom(lambda g, out, x: g * out)(np.exp), 0.3)
    with pytest.raises(mg.GradientError, match="hypot has 2 inputs and 1 rules"):
        mg.custom(lambda g, out, x, y: g)(np.hypot)
