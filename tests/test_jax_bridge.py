"""Graphs to JAX and back, and functions of JAX as graphs: the same values and gradients."""

from __future__ import annotations

import re
from functools import cache, partial

import numpy as np
import pytest
from cases import CASES
from examples import drawn, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from late import Late, package
from programs import programs, run

import minigraph as mg
from minigraph import bridges
from minigraph.core.operation import OPERATIONS
from minigraph.graph.promises import check_graph

jax = package("jax", reason='translates JAX: pip install "minigraph[jax]"')
jnp = Late(lambda: jax.numpy)


@pytest.fixture(autouse=True, scope="module")
def _in_float64():
    """JAX with float64, as minigraph has it."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def from_jax(*args, **options):
    return bridges.jax.from_jax(*args, **options)


def close(found, wanted):
    """The same shape and dtype, and numbers to the precision of the dtype."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    tolerance = {"f": 5e-5, "d": 1e-10}.get(wanted.dtype.char, 0)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def summed(y, seed):
    return (jnp if isinstance(y, jax.Array) else mg).sum(y * seed)


# --- every operation to JAX and back --------------------------------------------------------------


def test_every_operation_of_the_table_has_a_rule():
    bridges.jax.to_jax(mg.Graph(mg.variable(1.0, name="x") * 2))
    from minigraph.bridges.jax_giving import RULES

    assert {*RULES} == {*OPERATIONS}


@given(data=st.data())
@settings(max_examples=1)  # for JAX takes seconds to compile all of it
def test_every_operation_and_its_gradient_are_the_same_in_jax_and_back(data):
    functions, arrays, wanted = {}, {}, {}
    for name in sorted(CASES):
        drawing = data.draw(drawn(name))
        makes = [
            mg.variable if i in drawing.by else mg.constant for i in range(len(drawing.arrays))
        ]
        xs = [make(a, name=f"x{i}") for i, (make, a) in enumerate(zip(makes, drawing.arrays))]
        y = drawing.node(*xs)
        seed = weights(y.shape, y.dtype)
        flows = y.requires_grad and y.size and all(a.size for a in drawing.arrays)
        by = drawing.by if flows and name != "stop_gradient" else []
        gradients = mg.grad(mg.sum(y * seed), [xs[i] for i in by]) if by else []
        wanted[name] = [y.value, *(g.value for g in gradients)]
        arrays[name] = drawing.arrays
        function = bridges.jax.to_jax(mg.Graph(y, xs))

        back = from_jax(function, *drawing.arrays)
        check_graph(back.order)
        close(back.run(), y.value)
        if by:
            ends = mg.grad(mg.sum(back.outputs[0] * seed), [back.inputs[i] for i in by])
            for found, g in zip(ends, wanted[name][1:], strict=True):
                close(found.value, g)

        def both(*values, function=function, by=tuple(by), seed=seed):
            def loss(*values):
                y = function(*values)
                return summed(y, seed), y

            if not by:
                return [function(*values)]
            (_, y), gradients = jax.value_and_grad(loss, by, has_aux=True)(*values)
            return [y, *gradients]

        functions[name] = both

    @jax.jit  # all at once, for JAX compiles each program anew
    def everything(arrays):
        return {name: functions[name](*values) for name, values in arrays.items()}

    for name, results in everything(arrays).items():
        for found, expected in zip(results, wanted[name], strict=True):
            close(found, expected)


@given(programs())
@settings(max_examples=25)
def test_a_random_program_comes_back_from_jax_with_its_values_and_gradients(program):
    inputs, steps = program
    xs = [mg.variable(x, name=f"x{i}") for i, x in enumerate(inputs)]
    y = run(mg, xs, steps)
    back = from_jax(bridges.jax.to_jax(mg.Graph(y, xs)), *inputs)
    close(back.run(), y.value)
    reached = [i for i, x in enumerate(xs) if x in y.leaves()]
    ours = mg.grad(y, [xs[i] for i in reached])
    theirs = mg.grad(back.outputs[0], [back.inputs[i] for i in reached])
    for g, h in zip(ours, theirs, strict=True):
        close(h.value, g.value)


def test_a_function_of_jax_takes_names_batches_and_transformations():
    x, w = mg.placeholder("x", (2, 3)), mg.variable(np.ones((3, 2)), name="w")
    function = bridges.jax.to_jax(mg.Graph(mg.tanh(x @ w), [x, w]), batch="x")
    big = np.linspace(-1, 1, 12).reshape(4, 3)
    close(function(big), np.tanh(big @ np.ones((3, 2))))
    close(function(x=big[:2], w=np.eye(3)[:, :2]), np.tanh(big[:2, :2]))
    slope = jax.grad(lambda w: function(big[:2], w).sum())(np.zeros((3, 2)))
    close(slope, np.repeat(big[:2].sum(0)[:, None], 2, 1))
    with pytest.raises(mg.FeedError, match=r"without a value for x"):
        function()
    with pytest.raises(mg.FeedError, match=r"x .* is given twice"):
        function(big, x=big)
    with pytest.raises(mg.FeedError, match=r"x .* was given 'a'"):
        function("a")
    with pytest.raises(mg.FeedError, match=r"x .* was given complex numbers"):
        function(big * 1j)
    with pytest.raises(mg.FeedError, match=r"w .* was given shape \(2,\)"):
        function(big, np.ones(2))


def test_float64_is_refused_where_jax_has_none():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(mg.TranslationError, match=r"float64.*jax_enable_x64"):
            bridges.jax.to_jax(mg.Graph(mg.variable(1.0, name="x") * 2))
    finally:
        jax.config.update("jax_enable_x64", True)


# --- programs of JAX ------------------------------------------------------------------------------


def agrees(function, *examples):
    """Values and gradients of a function of JAX, by all of its floats, are those of its graph."""
    graph = from_jax(function, *examples)
    check_graph(graph.order)
    value, gradients = jax.jit(
        jax.value_and_grad(function, argnums=tuple(range(len(examples))), allow_int=True)
    )(*examples)
    close(graph.run(), value)
    floats = [g for g in jax.tree_util.tree_leaves(gradients) if g.dtype.kind == "f"]
    xs = [x for x in graph.inputs if x.requires_grad]
    for found, wanted in zip(mg.grad(graph.outputs[0], xs), floats, strict=True):
        close(found.value, wanted)
    return graph


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def attention(params, x, mask):
    """A block of a transformer, as one writes it."""
    mean = x.mean(-1, keepdims=True)
    h = (x - mean) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    with jax.named_scope("attention"):
        q, k, v = jnp.split(h @ params["qkv"], 3, axis=-1)
        scores = jnp.einsum("btc,bsc->bts", q, k) / jnp.sqrt(q.shape[-1])
        share = jax.nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
        x = x + jnp.einsum("bts,bsc->btc", share, v)
    with jax.named_scope("mlp"):
        h = jax.nn.gelu(x @ params["layers"][0]["w"]) + jax.nn.silu(x[..., :1])
        x = x + h @ params["layers"][1]["w"]
    return jax.nn.logsumexp(x)


def test_a_block_of_a_transformer_has_jaxs_value_and_gradients():
    params = {"qkv": numbers(4, 12), "layers": [{"w": numbers(4, 8)}, {"w": numbers(8, 4)}]}
    graph = agrees(attention, params, numbers(2, 3, 4), np.tri(3, dtype=bool))
    names = ["params.layers.0.w", "params.layers.1.w", "params.qkv", "x", "mask"]
    assert [x.name for x in graph.inputs] == names
    scopes = {x.scope.split("/")[0] for x in graph.order}
    assert {"attention", "mlp"} <= scopes


def image(params, x):
    """A convolutional net, and a pool."""
    dimensions = ("NHWC", "HWIO", "NHWC")
    h = jax.lax.conv_general_dilated(
        x, params, (2, 1), ((2, 1), (1, 0)), (1, 2), (2, 1), dimensions
    )
    h = jax.nn.relu(h)
    h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 1, 2, 1), "SAME")
    return jnp.sum(h**3) + jnp.mean(jax.nn.softplus(h)) + jnp.linalg.norm(h)


def test_a_convolutional_net_has_jaxs_value_and_gradients():
    agrees(image, numbers(3, 3, 2, 3), numbers(1, 6, 5, 2))


def elements(x, i):
    """Elements picked by numbers that are known and that are computed, set, sorted, and padded."""
    y = x[i] + x[jnp.array([2, 0]), 1:3].sum() + x[::-2, 1].sum() + x[-1]
    y = y.at[1].set(x[0, 0]).at[jnp.array([0, 0])].add(x[1, 1])
    z = jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1) * jnp.sort(x, axis=0)
    z = jnp.pad(z, ((1, 0), (0, 2)), constant_values=2.0).T @ jnp.concatenate([x, x[:1]])
    z = z + jnp.cumsum(x, axis=0)[0] + jnp.clip(x, -0.5, 0.4).sum() + jnp.prod(x[0])
    z = jax.lax.dynamic_update_slice(z, x[:1, :2], (i, 1)) + jnp.roll(x, 1, axis=0)[0]
    top, places = jax.lax.top_k(x, 2)
    z = z + (top * places).sum() + jnp.where(x > 0, jnp.log1p(jnp.abs(x)), x % 0.7).sum()
    return (y.sum() ** 2 + z.max() + jnp.tril(x).sum() + jnp.std(x) + x[i, 1] // 0.3).sum()


def test_elements_have_jaxs_value_and_gradients():
    agrees(elements, numbers(3, 4), np.int64(1))


def test_arrays_around_a_function_are_variables_with_their_names():
    weight = jnp.asarray(numbers(3))

    def loss(x):
        return jnp.sum(weight * x * jnp.array([1.0, 2.0, 3.0]))

    graph = from_jax(loss, np.ones(3))
    x, w = graph.inputs
    assert (x.name, w.name, w.kind) == ("x", "weight", "variable")
    close(mg.grad(graph.outputs[0], w).value, [1.0, 2.0, 3.0])


SHARED = {}


def layer(i, x):
    return jnp.tanh(x * SHARED[i]["w"])


def scaled(params, x):
    return params["scale"] * layer(1, layer(0, x))


def test_arrays_around_what_a_function_calls_or_is_given_keep_their_names():
    SHARED.update({i: {"w": jnp.asarray(numbers(3))} for i in range(2)})
    graph = from_jax(partial(scaled, {"scale": jnp.ones(3)}), np.ones(3))
    found = {x.name: x.kind for x in graph.inputs}
    assert found == dict.fromkeys(["x", "params.scale", "SHARED.0.w", "SHARED.1.w"], "variable")


LOOPS = {
    "scan": lambda x: jax.lax.scan(
        lambda h, row: (jnp.tanh(h + row), h * row), jnp.zeros(3), x, reverse=True
    ),
    "fori": lambda x: jax.lax.fori_loop(1, 5, lambda i, c: jnp.sin(c) * i + x[i % 2], x),
    "while": lambda x: jax.lax.while_loop(
        lambda c: c[0] < 4, lambda c: (c[0] + 1, c[1] * x[c[0] % 2]), (0, x[0])
    )[1],
    "cond": lambda x: jax.lax.scan(
        lambda c, i: (jax.lax.cond(i > 1, jnp.sin, jnp.cos, c), i), x, jnp.arange(4)
    )[0],
    "switch": lambda x: jax.lax.switch(7, [jnp.sin, jnp.exp], x),
    "cumprod": lambda x: jnp.cumprod(x.at[0, 1].set(0.0), axis=1) * x,
    "cummax": lambda x: jax.lax.cummax(x, axis=1, reverse=True) * x,
    "cumlogsumexp": lambda x: jax.lax.cumlogsumexp(x, axis=0) * x,
}


def test_loops_and_branches_whose_course_is_known_have_jaxs_value_and_gradients():
    x = jnp.asarray(numbers(2, 3))
    totals = {
        what: lambda x, loop=loop: sum(y.sum() for y in jax.tree_util.tree_leaves(loop(x)))
        for what, loop in LOOPS.items()
    }
    # Forwards, since JAX has no gradient backwards for `while_loop`; all at once are compiled once.
    wanted = jax.jit(lambda x: {w: (f(x), jax.jacfwd(f)(x)) for w, f in totals.items()})(x)
    for what, total in totals.items():
        graph = from_jax(total, x)
        value, gradient = wanted[what]
        close(graph.run({"x": x}), value)
        close(mg.grad(graph.outputs[0], graph.inputs[0]).value, gradient)


@cache
def doubled():
    @jax.custom_jvp
    def doubled(x):
        return 2 * x

    doubled.defjvp(lambda x, dx: (doubled(*x), 5 * dx[0]))
    return doubled


def chooses(x):
    if x.sum() > 0:
        return x
    return -x


REFUSED = {
    "scan of 90,000 steps .* 180,000 operations or more, and at most 10,000": (
        lambda x: jax.lax.scan(lambda c, y: (c * y, None), 1.0, jnp.ones(90_000))[0],
        "the function of one step",
    ),
    "the loops of this program would be 10,00. operations": (
        lambda x: jax.lax.while_loop(lambda c: c >= 0, lambda c: c + 1, 0) * x,
        "fewer steps",
    ),
    "while": (lambda x: jax.lax.while_loop(lambda c: c[0] < 9, lambda c: 2 * c, x), "fori_loop"),
    "cumprod over 2,000 elements": (lambda x: jnp.cumprod(jnp.tile(x, 1000)), "at most 1,000"),
    "cond": (lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), "jnp.where"),
    "the program decides": (chooses, "if x.sum\\(\\) > 0:.*jnp.where"),
    "random_seed": (lambda x: x * jax.random.normal(jax.random.key(0)), "give them as"),
    "doubled has a derivative of its own": (lambda x: doubled()(x), "mg.custom"),
    "lu": (lambda x: jnp.linalg.inv(jnp.outer(x, x)), "compute it before.*as an argument"),
    "cholesky": (lambda x: jnp.linalg.cholesky(jnp.outer(x, x)), "as an argument"),
    "convert_element_type to bfloat16": (lambda x: x.astype(jnp.bfloat16), "float16"),
    "scatter at several places": (lambda x: x.at[x.astype(int)].set(x), "unique_indices"),
    "and of whole numbers": (lambda x: x.astype(int) & 1, "booleans"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_table_lacks_is_refused_by_name_and_line(what):
    function, instead = REFUSED[what]
    with pytest.raises(mg.TranslationError) as error:
        from_jax(function, np.ones(2))
    assert re.search(rf"{what}.*test_jax_bridge.py, line \d+: ", str(error.value))
    assert re.search(instead, str(error.value))


def test_a_key_of_random_numbers_is_refused_with_the_line_that_uses_it():
    key = jax.random.key(0)
    line = r"keys of random numbers.*test_jax_bridge.py, line \d+: .*normal\(key.*give them as"
    with pytest.raises(mg.TranslationError, match=line):
        from_jax(lambda x: x * jax.random.normal(key), 1.0)
    with pytest.raises(mg.TranslationError, match=line):
        from_jax(lambda key, x: x * jax.random.normal(key), key, 1.0)
    with pytest.raises(mg.TranslationError, match="in the argument key; draw"):
        from_jax(lambda key, x: x, key, 1.0)


def test_what_is_no_function_or_returns_nothing_is_refused():
    with pytest.raises(mg.NodeTypeError, match="from_jax takes a function, not int"):
        from_jax(3)
    with pytest.raises(mg.NodeTypeError, match="returns no array"):
        from_jax(lambda x: None, 1.0)


UNTRACEABLE = {
    "mask": lambda x: x[x > 0],
    "numpy": np.sin,
    "shape": lambda x, n=1: x.reshape(int(x[0, 0]), -1),
    "attribute": lambda x: x.nothing,
    "text": lambda x: "nothing",
}


@pytest.mark.parametrize("what", UNTRACEABLE)
def test_what_jax_cannot_trace_is_refused(what):
    message = "JAX cannot follow" if what in ("attribute", "text") else "decides by a value"
    with pytest.raises(mg.TranslationError, match=message):
        bridges.jax.from_jax(UNTRACEABLE[what], np.ones((2, 3), np.float32))
