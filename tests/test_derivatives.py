"""Jacobians, Hessians, checkpoints, stops, and what is not recorded: against PyTorch."""

from __future__ import annotations

import threading
import weakref
from functools import partial

import numpy as np
import pytest

import minigraph as mg
from minigraph.core import reverse
from minigraph.core.node import frozen
from minigraph.graph.promises import check_graph

# --- jacobian, hessian, hvp -----------------------------------------------------------------------

POINT = np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])
VECTOR = np.array([0.3, -0.6, 0.9])


def field(lib, x, v):
    """A vector that depends on all elements of x, and on v."""
    return lib.tanh(lib.matmul(x, v)) * lib.exp(x[:, 0])


def bowl(lib, x, v):
    """A number with second derivatives of every kind."""
    return lib.sum(lib.sin(x) * x) * lib.sum(v * v) + lib.sum(lib.exp(lib.matmul(x, v)))


@pytest.mark.parametrize("mode", [None, "reverse", "forward"])
def test_the_jacobian_is_pytorchs_in_both_modes(torch, mode):
    x, v = mg.variable(POINT), mg.variable(VECTOR)
    ours = mg.jacobian(field(mg, x, v), [x, v], mode=mode)
    theirs = torch.autograd.functional.jacobian(
        lambda x, v: field(torch, x, v), (torch.tensor(POINT), torch.tensor(VECTOR))
    )
    for matrix, expected in zip(ours, theirs):
        assert matrix.shape == tuple(expected.shape)
        np.testing.assert_allclose(matrix.value, expected, atol=1e-14)
        check_graph(mg.topological_order(matrix))


def test_the_mode_is_the_one_with_fewer_sweeps():
    few, many = mg.variable([1.0, 2.0]), mg.constant(np.ones((9, 2)))
    forward = mg.jacobian(many @ few, few)
    reverse = mg.jacobian(many @ few, few, mode="reverse")
    assert forward.value.tolist() == reverse.value.tolist() == np.ones((9, 2)).tolist()
    assert len(mg.topological_order(forward)) < len(mg.topological_order(reverse))


def test_the_hessian_is_pytorchs_block_by_block(torch):
    x, v = mg.variable(POINT), mg.variable(VECTOR)
    ours = mg.hessian(bowl(mg, x, v), [x, v])
    theirs = torch.autograd.functional.hessian(
        lambda x, v: bowl(torch, x, v), (torch.tensor(POINT), torch.tensor(VECTOR))
    )
    for row, expected_row in zip(ours, theirs):
        for block, expected in zip(row, expected_row):
            assert block.shape == tuple(expected.shape)
            np.testing.assert_allclose(block.value, expected, rtol=1e-12, atol=1e-13)
    alone = mg.hessian(bowl(mg, x, v), x)
    np.testing.assert_array_equal(alone.value, ours[0][0].value)


def test_the_hessian_of_a_line_is_zero_and_that_of_nothing_is_empty():
    x = mg.variable([1.0, 2.0])
    assert mg.hessian(mg.sum(3 * x), x).value.tolist() == [[0, 0], [0, 0]]
    assert mg.hessian(mg.sum(x * 2 + 1), [x])[0][0].value.tolist() == [[0, 0], [0, 0]]
    empty = mg.variable(np.zeros((0, 2)))
    assert mg.hessian(mg.sum(empty * empty), empty).shape == (0, 2, 0, 2)
    assert mg.jacobian(empty * 2.0, empty).shape == (0, 2, 0, 2)


def test_a_product_with_the_hessian_needs_no_hessian(torch):
    x, v = mg.variable(POINT), mg.variable(VECTOR)
    y = bowl(mg, x, v)
    directions = [np.cos(POINT), np.sin(VECTOR)]
    ours = mg.hvp(y, [x, v], directions)
    _, theirs = torch.autograd.functional.hvp(
        lambda x, v: bowl(torch, x, v),
        (torch.tensor(POINT), torch.tensor(VECTOR)),
        tuple(map(torch.tensor, directions)),
    )
    for product, expected in zip(ours, theirs):
        np.testing.assert_allclose(product.value, expected, rtol=1e-12)
    assert mg.hvp(mg.sum(3 * x), x, POINT).value.tolist() == np.zeros((2, 3)).tolist()
    with pytest.raises(mg.GradientError, match=r"the vector for the variable .* has shape \(3,\)"):
        mg.hvp(y, x, VECTOR)


def test_a_jacobian_can_be_differentiated_and_drawn():
    x = mg.variable([1.0, 2.0, 3.0], name="x")
    trace = mg.trace(mg.jacobian(x**3, x))
    assert mg.grad(trace, x).value.tolist() == [6, 12, 18]
    assert mg.draw(trace).svg


def test_a_jacobian_refuses_what_has_no_derivative():
    x, other = mg.variable([1.0, 2.0]), mg.variable(1.0, name="other")
    with pytest.raises(mg.GradientError, match=r"other .* does not reach"):
        mg.jacobian(x * x, other)
    with pytest.raises(mg.GradientError, match="is not a scalar"):
        mg.hessian(x * x, x)
    with pytest.raises(mg.NodeTypeError, match="must be a Node, not float"):
        mg.jacobian(1.0, x)
    with pytest.raises(mg.GradientError, match="'sideways'"):
        mg.jacobian(x * x, x, mode="sideways")


# --- stops ----------------------------------------------------------------------------------------


def test_a_stop_is_a_constant_for_the_gradient(torch):
    x, t = mg.variable(2.0), torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    h, u = x * x, t * t
    y = h * x + mg.sin(h)
    theirs = u.detach() * t + torch.sin(u.detach())
    expected = torch.autograd.grad(theirs, t)[0].item()
    assert mg.grad(y, x, stop=[h]).value == expected == 4
    y.backward(stop=[h])
    assert x.grad == expected
    assert h.grad == pytest.approx(2 + np.cos(4))


def test_a_stop_among_the_asked_gives_partial_derivatives():
    x = mg.variable(3.0)
    h = x * x
    y = h * x
    assert [g.value for g in mg.grad(y, [x, h], stop=[h])] == [9, 3]
    assert mg.grad(y, x).value == 27
    with pytest.raises(mg.GradientError, match="does not reach"):
        mg.grad(mg.sin(h), x, stop=[h])


# --- what is not recorded -------------------------------------------------------------------------


def test_without_recording_operations_make_constants_that_hold_nothing():
    w = mg.variable([1.0, 2.0])
    with mg.no_grad():
        inner = weakref.ref(hidden := w * 3)
        y = mg.sum(mg.softmax(hidden) * w)
        late = mg.variable(5.0)
    del hidden
    assert (y.op, y.inputs, y.kind, y.requires_grad) == (None, (), "constant", False)
    assert inner() is None
    assert late.requires_grad
    assert (w * 2).requires_grad
    with pytest.raises(mg.GradientError, match="depends on constants only"):
        y.backward()


def test_recording_goes_on_after_an_error_and_in_other_threads():
    w = mg.variable(2.0)
    seen = []

    def fail_while_another_thread_works():
        with mg.no_grad():
            thread = threading.Thread(target=lambda: seen.append((w * w).requires_grad))
            thread.start()
            thread.join()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_another_thread_works()
    assert seen == [True]
    assert (w * w).requires_grad


def test_derivatives_are_the_same_where_nothing_is_recorded():
    @mg.custom(lambda g, out, x: g * 3 * x * x)
    def cube(x):
        return x**3

    x = mg.variable([1.0, 2.0])
    y = mg.sum(cube(x) * mg.sin(x))
    checked = mg.checkpoint(lambda a: mg.sum(mg.checkpoint(cube)(a)))(x)
    asked = {
        "grad": lambda: mg.grad(y, x),
        "hessian": lambda: mg.hessian(y, x),
        "hvp": lambda: mg.hvp(y, x, [1.0, -1.0]),
        "jacobian": lambda: mg.jacobian(y, x),
        "jvp": lambda: mg.jvp(y, {x: [1.0, 2.0]}),
        "checkpoint": lambda: mg.grad(checked, x),
    }
    for ask in asked.values():
        expected = ask()
        with mg.no_grad():
            found = ask()
        assert not found.requires_grad
        np.testing.assert_array_equal(found.value, expected.value)


def test_no_grad_decorates_a_function():
    w = mg.variable(2.0)

    @mg.no_grad()
    def evaluate():
        return w * w

    assert not evaluate().requires_grad
    assert not evaluate().requires_grad


# --- checkpoints ----------------------------------------------------------------------------------


def block(x, w):
    h = mg.tanh(x @ w)
    return mg.sum(h * h, axis=0) + mg.sin(x[0])


def test_a_checkpoint_changes_no_value_and_no_gradient():
    x, w = mg.variable(POINT), mg.variable(np.outer(VECTOR, VECTOR))
    plain, kept = block(x * 2, w), mg.checkpoint(block)(x * 2, w)
    np.testing.assert_array_equal(kept.value, plain.value)
    seed = [1.0, -2.0, 0.5]
    for y in (plain, kept):
        ours = mg.grad(y, [x, w], seed=seed)
        expected = mg.grad(plain, [x, w], seed=seed)
        for g, e in zip(ours, expected):
            np.testing.assert_allclose(g.value, e.value, rtol=1e-14)
        y.backward(seed=seed)
    np.testing.assert_allclose(x.grad, 2 * expected[0].value)
    np.testing.assert_allclose(w.grad, 2 * expected[1].value)
    tangents = {x: np.cos(POINT), w: np.ones((3, 3))}
    np.testing.assert_allclose(mg.jvp(kept, tangents).value, mg.jvp(plain, tangents).value)


def test_a_checkpoint_keeps_its_inputs_only():
    inner = []

    def f(x):
        h = mg.exp(x)
        inner.append(weakref.ref(h))
        return h * h

    x = mg.variable(1.0)
    y = mg.checkpoint(f)(x)
    assert inner[0]() is None
    assert mg.topological_order(y) == [x, y]
    y.backward()
    assert x.grad == pytest.approx(2 * np.exp(2))
    assert len(inner) == 2
    assert inner[1]() is None


def test_weights_that_a_checkpointed_function_only_knows_get_their_gradients():
    a, b = mg.variable(2.0), mg.variable(3.0)
    h = a * b

    def f(x):
        return mg.sin(x * h) + b

    x = mg.variable(0.5)
    plain, kept = f(x) * a, mg.checkpoint(f)(x) * a
    expected = [g.value for g in mg.grad(plain, [x, a, b])]
    assert [g.value for g in mg.grad(kept, [x, a, b])] == pytest.approx(expected, rel=1e-14)
    kept.backward()
    assert [v.grad for v in (x, a, b)] == pytest.approx(expected, rel=1e-14)
    tangents = {x: 1.0, a: -1.0, b: 0.5}
    assert mg.jvp(kept, tangents).value == pytest.approx(mg.jvp(plain, tangents).value)


def test_an_argument_that_is_given_twice_has_both_shares():
    x = mg.variable(3.0)
    y = mg.checkpoint(lambda a, b: a * a * b)(x, x)
    assert mg.grad(y, x).value == 27
    y.backward()
    assert x.grad == 27


def test_checkpoints_nest_and_have_second_derivatives():
    inner = mg.checkpoint(lambda x: mg.sin(x) * x)
    outer = mg.checkpoint(lambda x, k: inner(x * x) + inner(k * x))
    assert mg.gradcheck(lambda x: outer(x, mg.constant(2.0)), 0.7, order=2)
    plain = mg.variable(0.7)
    expected = mg.hessian(mg.sin(plain**2) * plain**2 + mg.sin(2 * plain) * 2 * plain, plain)
    x = mg.variable(0.7)
    assert mg.hessian(outer(x, mg.constant(2.0)), x).value == pytest.approx(expected.value)


def test_a_checkpoint_takes_indices_and_ignores_what_it_does_not_use():
    table, unused = mg.variable(POINT), mg.variable(1.0)
    rows = mg.constant([1, 0, 1])
    y = mg.checkpoint(lambda t, i, u: mg.sum(t[i] ** 2))(table, rows, unused)
    y.backward()
    assert table.grad.tolist() == (2 * POINT * [[1], [2]]).tolist()
    assert unused.grad == 0


def test_a_checkpoint_that_would_give_a_wrong_gradient_is_refused():
    generator = np.random.default_rng(0)
    x = mg.variable(np.ones(20))
    y = mg.sum(mg.checkpoint(lambda a: mg.dropout(a, 0.5, generator))(x))
    with pytest.raises(mg.GradientError, match="draw random numbers outside"):
        y.backward()
    with pytest.raises(mg.NodeTypeError, match="returns one Node, not list"):
        mg.checkpoint(lambda a: [a])(x)
    with pytest.raises(mg.NodeTypeError, match="takes Nodes, not float"):
        mg.checkpoint(lambda a: a)(1.0)


# --- gradcheck ------------------------------------------------------------------------------------


def test_gradcheck_of_order_two_sees_what_order_one_does_not():
    @mg.custom(lambda g, out, x: g * 3 * getattr(x, "value", x) ** 2)  # cut off from x
    def cube(x):
        return x**3

    assert mg.gradcheck(cube, 1.5)
    with pytest.raises(mg.GradientError, match="at the second order, by input 0"):
        mg.gradcheck(cube, 1.5, order=2)
    with pytest.raises(mg.GradientError, match="orders 1 and 2, not 3"):
        mg.gradcheck(cube, 1.5, order=3)


def test_gradcheck_checks_even_where_nothing_is_recorded():
    with mg.no_grad():
        assert mg.gradcheck(mg.sin, 0.5, order=2)
        with pytest.raises(mg.GradientError, match="the gradient is"):
            mg.gradcheck(lambda x: x * x.detach(), 0.5)


def test_gradcheck_nudges_large_inputs_in_random_directions():
    calls = []

    def f(x):
        calls.append(1)
        return mg.sum(x * x * x)

    assert mg.gradcheck(f, np.linspace(-1, 1, 1000))
    assert len(calls) < 100
    with pytest.raises(mg.GradientError, match=r"by input 0 .* along random direction 1 "):
        mg.gradcheck(lambda x: mg.sum(x * x.detach()), np.linspace(-1, 1, 1000))
    with pytest.raises(mg.GradientError, match="along random direction"):
        mg.gradcheck(lambda x: mg.sum(x * x.detach()), [1.0, 2.0], directions=3)


@pytest.mark.parametrize(
    ("f", "at", "slopes"),
    [
        (mg.relu, 0.0, "0 on one side and 1 on"),
        (abs, 0.0, "-1 on one side and 1 on"),
        (lambda x: mg.maximum(x, 2 * x), 0.0, "1 on one side and 2 on"),
    ],
)
def test_gradcheck_warns_at_a_kink_and_takes_any_slope_between(f, at, slopes):
    with pytest.warns(
        mg.KinkWarning, match=f"by input 0 .* there is a kink: the slope is {slopes}"
    ):
        assert mg.gradcheck(f, at)


SCALES = [1e12, 1e-7, -1e100, [1e12, 1e-7], [1e-7, 3e-7], [1.0, 1e-7, -1e5]]
CURVES = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "logarithm": lambda x: mg.log(mg.absolute(x)),
    "small": lambda x: x * 1e-9,
    "large": lambda x: x * 1e20,
    "shifted": lambda x: x + 1,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("at", SCALES, ids=str)
@pytest.mark.parametrize("name", CURVES)
def test_gradcheck_tells_right_from_wrong_whatever_the_scale(name, at):
    f = CURVES[name]
    assert mg.gradcheck(f, at)
    for factor in (0.0, 2.0, -1.0, 1.001):

        @mg.custom(lambda g, out, x, factor=factor: g * factor)
        def wrong(x):
            return np.array(x)

        with pytest.raises(mg.GradientError, match="the gradient is"):
            mg.gradcheck(lambda x, wrong=wrong: f(wrong(x)), at)


def test_gradcheck_looks_at_an_element_that_is_small_beside_another():
    @mg.custom(lambda g, out, x: g * 2 * x * np.array([1.0, 1.01]))
    def square(x):
        return x * x

    with pytest.raises(mg.GradientError, match=r"at \[1\] the gradient is"):
        mg.gradcheck(square, [1e12, 1e-7])


@pytest.mark.filterwarnings("error")
def test_gradcheck_does_not_blame_a_gradient_for_rounding():
    assert mg.gradcheck(lambda x: mg.sum(x * x), [1e12, 1e-7])  # which is lost in the sum
    assert mg.gradcheck(lambda x: (x + 1e8) - 1e8, 1.0)
    assert mg.gradcheck(lambda x: mg.cross_entropy(x, 0), [20.0, 0.0])
    assert mg.gradcheck(lambda x: mg.max(x), [1.0, 2.0, -1.0])
    assert mg.gradcheck(mg.tanh, 1e-7, order=2)


def test_gradcheck_refuses_a_slope_outside_the_kink_and_is_silent_at_curves():
    @mg.custom(lambda g, out, x: g * 2)
    def relu(x):
        return np.maximum(x, 0)

    with pytest.warns(mg.KinkWarning), pytest.raises(mg.GradientError, match="the gradient is 2"):
        mg.gradcheck(relu, 0.0)
    assert mg.gradcheck(lambda x: mg.exp(8 * x), 1.0, atol=1e-3)
    assert mg.gradcheck(mg.sqrt, 1e-3)


def test_a_checkpoint_gives_each_seed_its_own_gradient_even_unrecorded():
    a, b = mg.variable(2.0), mg.variable(3.0)
    y = mg.checkpoint(mg.multiply)(a, b) * 1.0
    seeds = np.arange(1.0, 30.0)
    with mg.no_grad():  # then nothing but the caller holds on to a gradient
        found = [mg.grad(y, a, seed=s).value for s in seeds]
    assert found == [3 * s for s in seeds]


def test_a_constant_that_a_checkpointed_function_knows_may_not_change():
    x, k = mg.variable(0.0), mg.constant(2.0)
    y = mg.checkpoint(lambda x: x * k)(x)
    k.value = 5.0  # y is still 0, but its slope would be another
    with pytest.raises(mg.GradientError, match="was given a new value"):
        y.backward()


def test_a_checkpoint_that_was_captured_runs_with_other_numbers(torch):
    w = mg.variable([[0.5, -1.0], [2.0, 0.25]], name="w")
    x = mg.variable([1.0, 2.0], name="x")
    scale = mg.variable(3.0, name="scale")
    around = mg.exp(scale)  # what the function knows may be computed, too

    def block(x):
        return mg.tanh(x @ w) * around + scale

    y = mg.sum(mg.checkpoint(block)(x * 2) ** 2)
    feeds = {"x": [-1.0, 0.5], "w": [[1.0, 0.0], [0.5, -0.5]], "scale": 0.5}
    t = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in feeds.items()}
    inner = torch.tanh(t["x"] * 2 @ t["w"]) * torch.exp(t["scale"]) + t["scale"]
    theirs = (inner**2).sum()
    graph = mg.Graph(y, [x, w, scale])
    assert graph.run(feeds) == pytest.approx(theirs.item(), rel=1e-14)
    assert graph.compile()(**feeds) == pytest.approx(theirs.item(), rel=1e-14)
    assert graph.run() == y.value
    assert mg.Graph(y, [w]).run({"w": w.value}) == y.value
    theirs.backward()
    gradients = mg.Graph(mg.grad(y, [x]), [x]).run({"x": x.value})
    np.testing.assert_allclose(gradients[0], mg.grad(y, x).value, rtol=1e-14)


def test_any_callable_is_checkpointed():
    y = mg.checkpoint(partial(mg.multiply, mg.constant(3.0)))(mg.variable(2.0))
    assert (y.value, y.op.symbol) == (6, "partial")


# --- anomalies ------------------------------------------------------------------------------------


def test_the_first_node_with_nan_or_infinity_is_named_with_its_line_and_inputs():
    x = mg.variable([1.0, 0.0, 2.0], name="x")

    def compute():
        y = mg.log(x)  # the line to be named
        return mg.exp(y * 2)

    with pytest.raises(mg.AnomalyError) as caught, mg.detect_anomaly():
        compute()
    said = str(caught.value)
    assert "log (shape (3,)) holds -inf at [1]" in said
    assert "test_derivatives.py, line" in said
    assert "y = mg.log(x)  # the line to be named" in said
    assert "x (variable, shape (3,)) = [1., 0., 2.]" in said
    assert caught.value.nodes[1] is x
    assert isinstance(caught.value, FloatingPointError)


def test_a_backward_pass_that_fails_names_the_line_of_the_forward_pass():
    def fail(differentiate):
        x = mg.variable([0.0, 4.0], name="x")
        root = mg.sqrt(x)  # fine forward, not backward
        differentiate(mg.sum(root), x)

    for differentiate in (lambda y, x: y.backward(), mg.grad):
        with pytest.raises(mg.AnomalyError) as caught, mg.detect_anomaly():
            fail(differentiate)
        said = str(caught.value)
        assert "the gradient of x (variable, shape (2,)) holds inf at [0]" in said
        assert "in the derivative of the sqrt" in said
        assert "root = mg.sqrt(x)  # fine forward, not backward" in said
        assert "when the gradient [1., 1.] reached it" in said


def test_infinities_that_were_put_in_may_pass_until_they_make_a_nan():
    mask = mg.constant([0.0, -np.inf])
    x = mg.variable([1.0, 2.0])
    with mg.detect_anomaly():
        weights = mg.softmax(x + mask)
        weights[0].backward()
        assert weights.value.tolist() == [1, 0]
        with pytest.raises(mg.AnomalyError, match=r"holds nan at \[1\]"):
            (x + mask) * 0.0
    broken = mg.variable([1.0, np.nan], name="broken")
    said = r"broken .*, which holds nan at \[1\]"
    with pytest.raises(mg.AnomalyError, match=said), mg.detect_anomaly():
        mg.sin(broken)


def bad_ways():
    """Ways to run log x, or its derivative, at 0; each with what the error must say."""
    x, w = mg.placeholder("x", (2,)), mg.variable([1.0, 2.0], name="w")
    h = mg.log(x).named("h")
    y = mg.sum(h * w).named("y")
    graph, slope = mg.Graph(y), mg.Graph(mg.grad(y, x))
    kept = mg.variable([1.0, 2.0], name="x")
    captured = mg.Graph(mg.sum(mg.log(kept).named("h")), [kept])
    step = graph.compile(updates={w: w - 0.1 * mg.grad(y, w)})
    compiled = mg.compile(lambda x: mg.sum(mg.log(x).named("h")))
    at, log = {"x": [0.0, 1.0]}, "h .log, shape .2,.. holds -inf at .0."
    slope_at_zero = "the divide .* holds inf at .0."
    return {
        "run": (lambda: graph.run(at), log),
        "by two": (lambda: graph.run(at, workers=2), log),
        "captured": (lambda: captured.run(at), log),
        "compiled": (lambda: graph.compile()(**at), log),
        "reused": (lambda: graph.compile(reuse=True)(**at), log),
        "updating": (lambda: step(**at), log),
        "function": (lambda: compiled(np.array(at["x"])), log),
        "gradient": (lambda: slope.run(at), slope_at_zero),
        "gradient compiled": (lambda: slope.compile()(**at), slope_at_zero),
    }, w


@pytest.mark.parametrize("built_inside", [True, False])
@pytest.mark.parametrize("way", bad_ways()[0])
def test_a_graph_is_hunted_through_when_it_runs(way, built_inside):
    ways, w = bad_ways()
    with np.errstate(all="ignore"):
        ways[way][0]()  # nobody hunts
    w.value = [1.0, 2.0]
    with mg.detect_anomaly():
        ways, w = bad_ways() if built_inside else (ways, w)
        run, said = ways[way]
        of_the_user = "gradient" not in way and built_inside
        place = r"test_derivatives\.py, line" if of_the_user else "a gradient, or outside"
        with pytest.raises(mg.AnomalyError, match=rf"^{said}\n  made in {place}"):
            run()
    assert w.value.tolist() == [1, 2]


def test_good_numbers_run_through_a_hunt():
    x, w = mg.placeholder("x", (2,)), mg.variable([1.0, 2.0], name="w")
    with mg.detect_anomaly():
        y = mg.sum(mg.log(x) * w)
        step = mg.Graph(y).compile(updates={w: w - mg.grad(y, w)})
        found = step(x=[1.0, np.e]), mg.Graph(y).run({"x": [1.0, 1.0]})
        gradient = mg.Graph(y).grad("x").run({"x": [1.0, 2.0]})
    np.testing.assert_allclose((*found, *w.value, *gradient), [2, 0, 1, 1, 1, 0.5], rtol=1e-15)


def test_nobody_is_hunted_outside():
    with mg.detect_anomaly(), mg.no_grad():
        y = mg.variable(2.0) * 3
    assert y.op is None
    with np.errstate(divide="ignore"):
        assert mg.log(mg.variable(0.0)).value == -np.inf


def test_the_hunt_sees_the_inputs_that_are_not_recorded():
    mask = mg.constant([0.0, -np.inf])
    with mg.no_grad(), mg.detect_anomaly():
        assert (mask * 2).value.tolist() == [0, -np.inf]  # put in, not computed
        with pytest.raises(mg.AnomalyError, match="which holds -inf"):
            mask - mask


@pytest.mark.parametrize("module", ["minigraphs", None])
def test_the_line_named_is_the_users_whatever_their_module(module):
    source = "import minigraph as mg\n\nmg.log(mg.variable(0.0))"
    names = {"__name__": module} if module else {}
    with pytest.raises(mg.AnomalyError, match=r"made in model\.py, line 3"), mg.detect_anomaly():
        exec(compile(source, "model.py", "exec"), names)


# --- threads --------------------------------------------------------------------------------------


def test_threads_that_share_a_variable_lose_no_gradient():
    w = mg.variable(2.0, name="w")

    def work(k):
        for _ in range(200):
            x = mg.variable(float(k))
            with mg.scope(f"thread{k}"):
                y = mg.sin(x) * w * w
            assert y.scope == f"thread{k}"
            y.backward()
            assert x.grad == np.cos(k) * 4

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = 200 * sum(np.sin(k) * 4 for k in range(8))
    assert w.grad == pytest.approx(expected, rel=1e-12)


def test_no_thread_adds_to_a_gradient_that_another_is_adding_to(monkeypatch):
    w = mg.variable(1.0, name="w")
    (w * 1.0).backward()
    first, second = w * 2.0, w * 4.0
    adding, added = threading.Event(), threading.Event()

    def slowly(value):
        if threading.current_thread() is slow and value == 1 + 2:
            adding.set()
            added.wait(timeout=0.3)  # in vain, for the other thread must wait for this one
        return frozen(value)

    def hurry():
        assert adding.wait(timeout=10)
        second.backward()
        added.set()

    monkeypatch.setattr(reverse, "frozen", slowly)
    slow, quick = threading.Thread(target=first.backward), threading.Thread(target=hurry)
    for thread in (slow, quick):
        thread.start()
    for thread in (slow, quick):
        thread.join()
    assert w.grad == 1 + 2 + 4


# --- composed functions ---------------------------------------------------------------------------


def test_a_value_that_another_thread_changes_during_an_operation_counts_as_changed():
    reading, changed = threading.Event(), threading.Event()

    @mg.custom(lambda g, out, x: 2 * g * x)
    def slow_square(x):
        y = x * x
        reading.set()
        assert changed.wait(timeout=10)
        return y

    x = mg.variable(3.0)
    found = []
    thread = threading.Thread(target=lambda: found.append(slow_square(x)))
    thread.start()
    assert reading.wait(timeout=10)
    x.value = 10.0
    changed.set()
    thread.join()
    with pytest.raises(mg.GradientError, match="was given a new value"):
        found[0].backward()


def test_the_nodes_of_each_call_share_a_scope_of_their_own():
    x = mg.variable([1.0, 2.0])
    with mg.scope("head"):
        p, q = mg.softmax(x), mg.softmax(x)
    calls = {node.scope.removesuffix("~") for node in mg.topological_order([p, q]) if node.op}
    assert len(calls) == 2
    assert all(scope.startswith("head/softmax()#") for scope in calls)
    assert (x * 2).scope == ""
    with pytest.raises(mg.ShapeError):
        mg.conv2d(x, x)
    assert (x * 2).scope == ""


@pytest.mark.parametrize("f", [mg.softmax, mg.var, mg.sort, mg.prod, mg.log_softmax])
def test_composed_functions_compute_arrays_and_lists_too(f):
    assert type(f(np.array([3.0, 1.0, 2.0]))) in (np.ndarray, np.float64)
    expected = f(mg.variable([3.0, 1.0, 2.0])).value
    np.testing.assert_array_equal(f([3.0, 1.0, 2.0]), expected)


def test_dropout_keeps_the_mean_and_its_gradient_is_its_mask():
    x = mg.variable(np.ones((100, 100)))
    y = mg.dropout(x, 0.25, np.random.default_rng(3))
    assert set(np.unique(y.value)) == {0, 1 / 0.75}
    assert np.mean(y.value == 0) == pytest.approx(0.25, abs=0.02)
    mg.sum(y).backward()
    np.testing.assert_array_equal(x.grad, y.value)
    again = mg.dropout(x, 0.25, np.random.default_rng(3))
    np.testing.assert_array_equal(again.value, y.value)
    assert mg.dropout(x, 0.0, np.random.default_rng(0)).value.tolist() == x.value.tolist()
    single = mg.variable(np.ones(3, np.float32))
    assert mg.dropout(single, 0.5, np.random.default_rng(0)).dtype == np.float32
    for wrong in ((0.5, None), (1.0, np.random.default_rng(0)), (-0.1, np.random.default_rng(0))):
        with pytest.raises(mg.NodeTypeError, match="dropout"):
            mg.dropout(x, *wrong)


def test_cross_entropy_takes_probabilities_too(torch):
    logits, labels = POINT, np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    x, t = mg.variable(logits), torch.tensor(logits, requires_grad=True)
    loss = mg.cross_entropy(x, labels)
    theirs = torch.nn.functional.cross_entropy(t, torch.tensor(labels))
    loss.backward()
    theirs.backward()
    assert loss.value == pytest.approx(theirs.item(), rel=1e-14)
    np.testing.assert_allclose(x.grad, t.grad, atol=1e-15)


def test_large_logits_neither_overflow_nor_vanish():
    x = mg.variable([1000.0, 0.0, -1000.0])
    with np.errstate(all="raise", under="ignore"):
        loss = mg.cross_entropy(x, 1)
        loss.backward()
    assert loss.value == 1000
    assert x.grad.tolist() == [1, -1, 0]
    assert mg.logsumexp(mg.variable([-np.inf, -np.inf])).value == -np.inf


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: mg.cross_entropy(x, [0, 3]), "label 3 is none of the 3 classes of scores"),
        (lambda x: mg.cross_entropy(x, [0, -1]), "label -1 is none of the 3"),
        (lambda x: mg.cross_entropy(x, [0]), r"labels of shape \(1,\) .* need \(2,\)"),
        (lambda x: mg.cross_entropy(x, [0.5, 0.5]), "numbers of classes are integers"),
        (lambda x: mg.conv2d(x, x), "conv2d takes images"),
        (lambda x: mg.split(x, 2, axis=1), "axis 1 has size 3, which 2 does not divide"),
        (lambda x: mg.squeeze(x, 0), "squeeze of scores .* axis 0 has not size 1"),
        (lambda x: mg.pad(x, -1), "negative width"),
        (lambda x: mg.concatenate([x, x[0]]), r"array 1 has shape \(3,\)"),
        (lambda x: mg.einsum("ij,jk->ik", x, x), "'j' has sizes 3 and 2"),
        (lambda x: mg.einsum("ijk->i", x), "does not name the 2 axes"),
        (lambda x: mg.einsum("ij->k", x), "no operand has the axis k"),
        (lambda x: mg.einsum("ii->i", x), "'i' has sizes 2 and 3 in one operand"),
        (lambda x: mg.windows(x, (3, 3)), r"a window \(3, 3\) does not fit into shape \(2, 3\)"),
        (lambda x: mg.windows(x, (1,), 0), "sizes and strides are 1 or more"),
        (lambda x: mg.take(x, 6), "index 6 is out of bounds"),
        (lambda x: mg.take_along_axis(x, [0, 1], 1), r"shape \(2,\), but need as many axes"),
        (lambda x: mg.tril(x[0]), r"tril of .*shape \(3,\)\): it takes a matrix"),
        (lambda x: mg.triu(x[0]), r"triu of .*shape \(3,\)\): it takes a matrix"),
        (lambda x: mg.windows(x, ()), "sizes and strides"),
        (lambda x: mg.flip(x, 5), "flip of scores .*: axis 5 is out of bounds"),
        (lambda x: mg.softmax(x, 5), "softmax of scores .*: axis 5 is out of bounds"),
        (lambda x: mg.trace(x[0, 0]), "diagonal of the getitem .*: list"),
        (lambda x: mg.pad(x, (1, 2, 3)), "pad of scores"),
        (
            lambda x: mg.conv2d(x.reshape(1, 1, 2, 3), np.ones((1, 1, 2, 2)), np.ones(3)),
            r"the bias of conv2d needs shape \(1,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(call, said):
    with pytest.raises((mg.ShapeError, ValueError), match=said):
        call(mg.variable(POINT, name="scores"))


@pytest.mark.parametrize(("dtype", "large"), [(np.float32, 1e4), (np.float64, 1e16)])
def test_large_logits_that_are_close_lose_no_digits(dtype, large):
    x = mg.variable(np.array([0, 0, -2], dtype) + dtype(large))
    small = mg.constant(x.value - dtype(large))
    for f in (mg.softmax, mg.log_softmax, lambda x: mg.cross_entropy(x, 1)):
        assert np.array_equal(f(x).value, f(small).value)
    mg.cross_entropy(x, 1).backward()
    share = mg.softmax(small).value
    np.testing.assert_allclose(x.grad, share - [0, 1, 0], rtol=1e-6)


def test_booleans_are_no_labels():
    with pytest.raises(mg.NodeTypeError, match="not booleans"):
        mg.cross_entropy(mg.variable(POINT), [True, False])


def test_an_index_that_is_a_node_stays_an_input():
    table, rows = mg.variable(POINT, name="table"), mg.constant([1, 1, 0], name="rows")
    picked = table[rows]
    assert picked.inputs == (table, rows)
    corner = table[rows, :2][:, mg.constant(1)]
    assert corner.value.tolist() == POINT[[1, 1, 0], 1].tolist()
    mg.sum(picked).backward()
    assert table.grad.tolist() == [[1, 1, 1], [2, 2, 2]]
    check_graph(mg.topological_order(corner))
    mask = table > 0
    assert table[mask].value.tolist() == POINT[POINT > 0].tolist()
    mg.sum(mg.grad(mg.sum(table[mask] ** 2), table)).backward()
    assert table.grad.tolist() == ([[1, 1, 1], [2, 2, 2]] + 2.0 * (POINT > 0)).tolist()


# --- arguments ------------------------------------------------------------------------------------


def test_stops_are_given_as_one_node_or_any_collection():
    x = mg.variable(2.0)
    h = x * x
    y = h * x
    for stop in (h, [h], {h}, (node for node in [h])):
        assert mg.grad(y, x, stop=stop).value == 4
    with pytest.raises(mg.NodeTypeError, match="stop holds Nodes, not str"):
        mg.grad(y, x, stop=["h"])


def test_no_gradient_of_an_earlier_call_is_left_where_none_flows():
    x = mg.variable(2.0)
    h = mg.sin(x)
    y = mg.exp(h)
    z = y * 2
    z.backward()
    z.backward(stop=[y])
    assert y.grad == 2
    assert h.grad is None
    z.backward(keep="leaves")
    assert y.grad is None


def test_a_jacobian_computes_nothing_that_overflows():
    x = mg.variable([400.0, 1.0])
    with np.errstate(over="raise"):
        found = mg.jacobian(mg.exp(x), x)
    assert np.array_equal(found.value, np.diag(np.exp(x.value)))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_number_on_both_sides_does_not_agree():
    with pytest.raises(mg.GradientError, match="nan"):
        mg.gradcheck(mg.sqrt, -1.0)


@pytest.mark.parametrize("tangents", [{"x": 1.0}, [mg.variable(1.0)]])
def test_tangents_are_given_by_node(tangents):
    with pytest.raises(mg.NodeTypeError, match="node: change"):
        mg.jvp(mg.variable(1.0) * 2, tangents)


def test_there_is_a_vector_for_each_node():
    x = mg.variable([1.0, 2.0])
    with pytest.raises(mg.GradientError, match="1 Nodes in wrt, but 2 vectors"):
        mg.hvp(mg.sum(x**3), [x], [[1.0, 0.0], [0.0, 1.0]])


def test_the_first_argument_of_a_composed_function_may_be_named():
    logits = mg.variable([[0.0, 1.0]])
    named = mg.cross_entropy(logits=logits, labels=[0])
    assert named.value == mg.cross_entropy(logits, [0]).value
    assert mg.stack(arrays=[logits, logits]).shape == (2, 1, 2)
    assert mg.var(x=[1.0, 3.0]) == 1
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'labels'"):
        mg.cross_entropy(logits)


def test_counts_may_be_numbers_of_numpy():
    one, two = np.int64(1), np.int64(2)
    x = mg.variable(np.ones((1, 1, 4, 4)))
    assert mg.conv2d(x, np.ones((1, 1, 2, 2)), stride=two, padding=one).shape == (1, 1, 3, 3)
    assert mg.max_pool2d(x, two).shape == mg.avg_pool2d(x, two).shape == (1, 1, 2, 2)
    assert [part.shape for part in mg.split(x, two, axis=-1)] == [(1, 1, 4, 2)] * 2
    assert mg.expand_dims(x, one).shape == (1, 1, 1, 4, 4)
    assert mg.tensordot(x, x[0, 0], one).shape == (1, 1, 4, 4)


def test_dropout_of_integers_gives_floats():
    dropped = mg.dropout(mg.constant([1] * 100), 0.25, np.random.default_rng(0))
    assert {*dropped.value.tolist()} == {0, 1 / 0.75}


@pytest.mark.parametrize(
    ("f", "arguments"),
    [("flip", ()), ("squeeze", ()), ("swapaxes", (0, 1)), ("tril", ()), ("pad", (1,))],
)
def test_functions_that_arrange_elements_take_lists(f, arguments):
    found = getattr(mg, f)(POINT.tolist(), *arguments)
    np.testing.assert_array_equal(found, getattr(np, f)(POINT, *arguments))
