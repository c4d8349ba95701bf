"""Whole graphs: backward, grad, jvp and gradcheck against PyTorch and finite differences."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import assume, given, settings
from programs import Tally, directions, near_a_kink, programs, run

import minigraph as mg
from minigraph.core.operation import OPERATIONS
from minigraph.graph.promises import check_graph


def diamond():
    """y = (a + b) · (b − c) at 2, 3, 1: b is used twice, once with a minus."""
    a, b, c = (mg.variable(v, name=n) for n, v in {"a": 2.0, "b": 3.0, "c": 1.0}.items())
    return a, b, c, ((a + b) * (b - c)).named("y")


# --- backward -------------------------------------------------------------------------------------


def test_fan_out_gradients_add_up():
    a, b, c, y = diamond()
    y.backward()
    assert (a.grad, b.grad, c.grad) == (2, 7, -5)


def test_every_node_between_keeps_its_gradient_and_constants_have_none():
    x, k = mg.variable(3.0), mg.constant(2.0)
    h = x * k
    y = h * h
    y.backward()
    assert (y.grad, h.grad, x.grad, k.grad) == (1, 12, 24, None)


def test_a_second_backward_adds_up_in_the_leaves_only():
    x = mg.variable(3.0)
    h = x * 2
    y = h * h
    for times in (1, 2, 3):
        y.backward()
        assert (y.grad, h.grad, x.grad) == (1, 12, 24 * times)
    x.grad = None
    y.backward()
    assert x.grad == 24


def test_two_outputs_that_share_nodes_add_up_in_the_leaves():
    x = mg.variable([1.0, 2.0])
    h = x * x
    mg.sum(h).backward()
    mg.sum(h * 3).backward()
    assert x.grad.tolist() == [8, 16]
    assert h.grad.tolist() == [3, 3]


def test_keep_leaves_leaves_gradients_in_the_leaves_only():
    x = mg.variable(3.0)
    h = x * 2
    y = h * h
    y.backward(keep="leaves")
    assert (y.grad, h.grad, x.grad) == (None, None, 24)
    with pytest.raises(mg.GradientError, match="'none'"):
        y.backward(keep="none")


def test_a_seed_weighs_the_elements_of_the_output():
    x = mg.variable([1.0, 2.0, 3.0])
    (x * x).backward(seed=[1, 0, 10])
    assert x.grad.tolist() == [2, 0, 60]
    s = mg.variable(2.0)
    (s * s).backward(seed=-1)
    assert s.grad == -4


def test_the_gradient_of_a_variable_by_itself_is_one():
    x = mg.variable(5.0)
    x.backward()
    assert x.grad == 1
    assert mg.grad(x, x).value == 1


def test_gradients_have_the_shape_and_the_type_of_their_node():
    x, s = mg.variable(np.ones((2, 1), np.float32)), mg.variable(2.0)
    mg.sum(x * np.ones(3) * s).backward()
    assert (x.grad.shape, x.grad.dtype) == ((2, 1), np.float32)
    assert type(s.grad) is np.float64


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda x, k: (x * k).named("h").backward(), r"h \(multiply, .* is not a scalar.*mg\.sum"),
        (lambda x, k: mg.grad(x * k, x), "is not a scalar"),
        (lambda x, k: (x * k).backward(seed=1.0), r"the seed has shape \(\)"),
        (lambda x, k: mg.grad(x * k, x, seed=np.ones((1, 2))), r"the seed has shape \(1, 2\)"),
        (lambda x, k: mg.grad(x * k, x, seed=mg.constant(1.0)), r"the seed has shape \(\)"),
        (lambda x, k: mg.sum(k).backward(), "constants only; make an input with mg.variable"),
        (lambda x, k: mg.sum(x > 1).backward(), "int64"),
        (lambda x, k: mg.grad(mg.sum(x), k), r"k \(constant.*does not reach"),
        (lambda x, k: mg.grad(mg.sum(x * k), k), r"k \(constant.* has no gradient"),
        (lambda x, k: mg.grad(mg.sum(x), [x, mg.variable(1.0, name="z")]), r"z .*does not reach"),
        (lambda x, k: mg.grad(mg.sum(mg.variable([1.0, 2.0]) * (x > 1)), x), "does not reach"),
        (lambda x, k: mg.jvp(mg.sum(x), {mg.variable(1.0): 1.0}), "none of the given Nodes"),
    ],
)
def test_a_derivative_that_is_not_there_is_refused_naming_the_node(ask, said):
    with pytest.raises(mg.GradientError, match=said) as caught:
        ask(mg.variable([1.0, 2.0], name="x"), mg.constant([1.0, 2.0], name="k"))
    assert all(isinstance(node, mg.Node) for node in caught.value.nodes)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: mg.grad(3.0, x),
        lambda x: mg.grad(x, [3.0]),
        lambda x: mg.grad(x, [np.ones(2)]),
        lambda x: mg.jvp(None, {x: 1.0}),
        lambda x: mg.gradcheck(lambda x: x.value, 1.0),
        lambda x: mg.gradcheck(lambda x: None, 1.0),
        lambda x: x.backward(seed="one"),
    ],
)
def test_what_is_no_node_is_refused_by_its_type(ask):
    with pytest.raises(mg.NodeTypeError):
        ask(mg.variable(1.0))


# --- a leaf that changes after it was used --------------------------------------------------------


@pytest.mark.parametrize(
    "ask", [lambda y, x: y.backward(), mg.grad, lambda y, x: mg.jvp(y, {x: 1.0})]
)
def test_a_value_that_changed_after_its_use_gives_no_derivative(ask):
    x = mg.variable(2.0, name="x")
    y = (x * x).named("y")
    x.value = 5.0
    with pytest.raises(mg.GradientError, match=r"x .*new value after y .*forward pass again") as e:
        ask(y, x)
    assert set(e.value.nodes) == {x, y}


def test_a_changed_value_is_welcome_before_its_next_use():
    x = mg.variable(2.0)
    assert (x * x).value == 4
    x.value = 5.0
    y = x * x
    y.backward()
    assert (y.value, x.grad) == (25, 10)


def test_a_graph_that_used_the_old_and_the_new_value_is_refused():
    x = mg.variable(2.0)
    old = x * 3
    x.value = 5.0
    with pytest.raises(mg.GradientError, match="new value"):
        (old + x).backward()


def test_a_change_of_a_constant_or_of_a_gradient_graph_is_seen_too():
    x, k = mg.variable(2.0), mg.constant(3.0)
    y = x * k * x
    slope = mg.grad(y, x)
    k.value = 4.0
    with pytest.raises(mg.GradientError, match="new value"):
        y.backward()
    x.value = 1.0
    with pytest.raises(mg.GradientError, match="new value"):
        mg.grad(slope, x)


# --- grad: gradients that are graphs --------------------------------------------------------------


def test_gradients_come_as_asked_one_or_several_leaves_or_not():
    a, b, c, y = diamond()
    d = y.inputs[0]
    assert mg.grad(y, a).value == 2
    assert [g.value for g in mg.grad(y, (b, c, d, y, b))] == [7, -5, 2, 1, 7]
    assert mg.grad(y, []) == []
    assert (a.grad, y.grad) == (None, None)


def test_gradient_nodes_are_named_after_what_they_are():
    a, b, _, y = diamond()
    by_a, by_b = mg.grad(y, [a, b])
    assert (by_a.name, by_b.name) == ("∂y/∂a", "∂y/∂b")
    v = mg.variable([1.0, 1.0])
    x = mg.variable([1.0, 2.0], name="x")
    seeded = mg.grad((x * x).named("z"), x, seed=v)
    assert (seeded.name, v.name) == ("∂z/∂x", None)
    assert mg.grad(mg.sum(seeded), v).value.tolist() == [2, 4]


@pytest.mark.parametrize("at", [0.5, 1.5, 2.5])
def test_first_second_and_third_derivatives_are_pytorchs(torch, at):
    def f(lib, x):
        return lib.exp(lib.sin(x)) * x**3 / (1 + lib.sigmoid(x)) + lib.tanh(x * x) * lib.log(x)

    x, t = mg.variable(at), torch.tensor(at, dtype=torch.float64, requires_grad=True)
    ours, theirs = f(mg, x), f(torch, t)
    for _ in range(3):
        ours = mg.grad(ours, x)
        (theirs,) = torch.autograd.grad(theirs, t, create_graph=True)
        assert ours.value == pytest.approx(theirs.item(), rel=1e-10)
        check_graph(mg.topological_order(ours))


def test_all_derivatives_of_a_polynomial_are_right_at_zero():
    x = mg.variable(0.0)
    y = x**4 + 2 * x**3 + 3 * x**2 + 4 * x + 5
    for expected in (4, 6, 12, 24):
        y = mg.grad(y, x)
        assert y.value == expected


def test_backward_runs_through_a_gradient_graph():
    x = mg.variable([1.0, 2.0, 3.0])
    slope = mg.grad(mg.sum(x**3), x)
    mg.sum(slope * slope).backward()
    np.testing.assert_allclose(x.grad, 2 * 3 * x.value**2 * 6 * x.value)


# --- random programs ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tally():
    """What the random programs have shown; printed when they are done, for `pytest -s`."""
    tally = Tally(np.dtype(np.float64), rtol=1e-10, atol=1e-12)
    yield tally
    if tally.programs:
        print(f"\n{tally}")


@given(programs())
@settings(max_examples=settings.default.max_examples * 3 // 2)
def test_random_programs_have_pytorchs_values_gradients_and_hessian_vector_products(
    torch, tally, program
):
    inputs, steps = program
    xs = [mg.variable(x) for x in inputs]
    ts = [torch.tensor(x, requires_grad=True) for x in inputs]
    y, t = run(mg, xs, steps), run(torch, ts, steps)
    check_graph(mg.topological_order(y))
    assume(not near_a_kink(y))

    def agree(found, expected):
        tally.agree(found, expected.numpy(force=True))

    agree(y.value, t)
    y.backward()
    gradients = mg.grad(y, xs)
    expected = torch.autograd.grad(t, ts, create_graph=True)
    for x, g, e in zip(xs, gradients, expected):
        agree(x.grad, e)
        agree(g.value, e)

    # Hessian times a vector in two ways: reverse over reverse, and forward over reverse.
    vs = directions(inputs)
    slope = reduce(add, [mg.sum(g * v) for g, v in zip(gradients, vs)])
    slope_t = reduce(add, [(e * torch.tensor(v)).sum() for e, v in zip(expected, vs)])
    products = [torch.zeros_like(x) for x in ts]
    for x in xs:
        x.grad = None
    if slope.requires_grad:
        slope.backward()
        products = torch.autograd.grad(slope_t, ts, materialize_grads=True)
    for x, g, e in zip(xs, gradients, products):
        agree(np.zeros_like(x.value) if x.grad is None else x.grad, e)
        if g.requires_grad:
            agree(mg.jvp(g, dict(zip(xs, vs))).value, e)

    # And the directional derivative from either end.
    agree(mg.jvp(y, dict(zip(xs, vs))).value, slope_t)
    agree(slope.value, slope_t)
    tally.programs += 1


def test_a_small_network_has_pytorchs_gradients(torch):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((32, 2), (2, 16), (16,), (16, 1), (1,), (32, 1))]

    def loss(lib, x, w1, b1, w2, b2, y):
        return lib.mean((lib.matmul(lib.tanh(lib.matmul(x, w1) + b1), w2) + b2 - y) ** 2)

    nodes = [mg.variable(a) for a in arrays]
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    loss(mg, *nodes).backward()
    loss(torch, *tensors).backward()
    for node, tensor in zip(nodes, tensors):
        np.testing.assert_allclose(node.grad, tensor.grad.numpy(), rtol=1e-10)


def test_grad_builds_only_what_leads_to_the_asked_inputs():
    x, w = mg.variable(2.0), mg.variable(np.ones((5, 5)))
    y = mg.sum(w @ w) * x

    def made(by):
        before = mg.constant(0).seq
        mg.grad(y, by)
        return mg.constant(0).seq - before - 1

    assert made(x) < made(w)


# --- forward mode ---------------------------------------------------------------------------------


def test_tangents_flow_from_inner_nodes_and_from_nodes():
    a, b, _, y = diamond()
    d = y.inputs[0]
    assert mg.jvp(y, {d: 1.0}).value == 2
    assert mg.jvp(y, {a: 1.0, b: 10.0}).value == 2 + 70
    v = mg.variable(4.0)
    change = mg.jvp(y, {b: v})
    assert change.value == 28
    assert mg.grad(change, v).value == 7
    assert mg.jvp(y, {y: 3.0}).value == 3
    assert mg.jvp(y, {d: 1.0, a: 10.0}).value == 2  # what is given is not computed
    with pytest.raises(mg.ShapeError, match=r"tangent of a \(variable.* has shape \(2,\)"):
        mg.jvp(y, {a: [1.0, 2.0]})


def test_a_tangent_does_not_pass_a_comparison():
    x = mg.variable([1.0, 3.0])
    y = mg.where(x > 2, x * x, 0.0) * (x > 0)
    assert mg.jvp(y, {x: [1.0, 1.0]}).value.tolist() == [0, 6]


# --- gradcheck ------------------------------------------------------------------------------------


def test_gradcheck_accepts_right_rules_whatever_the_shapes():
    assert mg.gradcheck(lambda x, y: mg.tanh(x @ y) * y[0], np.ones((2, 3)) / 7, [0.1, 0.2, 0.3])
    assert mg.gradcheck(lambda x, unused: x * x, 3.0, 1.0)
    assert mg.gradcheck(lambda x: x * 2, np.zeros((0, 3)))


def flipped(vjp):
    return lambda g, out, inputs, attrs: -vjp(g, out, inputs, attrs)


@pytest.mark.parametrize("name", ["multiply", "sin", "matmul"])
def test_gradcheck_catches_a_wrong_rule_and_says_where(name):
    right = OPERATIONS[name]
    wrong = replace(right, vjps=(*right.vjps[:-1], flipped(right.vjps[-1])))

    def f(*xs):
        y = getattr(mg, name)(*xs)
        y.op = wrong
        return y

    points = [np.array([0.5, 0.25])] * len(right.vjps)
    last = f"input {len(points) - 1}"
    with pytest.raises(mg.GradientError, match=rf"{last} .* at \[0\] the gradient is") as caught:
        mg.gradcheck(f, *points)
    assert caught.value.nodes[0].name == last


def test_gradcheck_catches_a_forgotten_path():
    with pytest.raises(mg.GradientError, match="by input 0"):
        mg.gradcheck(lambda x: x * x.detach(), 3.0)
