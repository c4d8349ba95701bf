"""Random programs against JAX: values, gradients and second derivatives, float64 and float32.

`HYPOTHESIS_PROFILE=explore python -m pytest tests/test_jax.py -s` tries many more programs, other
ones each time, and says how many were compared and how far apart the two libraries were.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest
from checks import EXPLORES
from hypothesis import assume, given, settings
from programs import Tally, directions, near_a_kink, programs, run

import minigraph as mg

# JAX compiles each program, which makes one dear.
FEW = settings(max_examples=settings.default.max_examples // (6 if EXPLORES else 12))


class NumPyNames:
    """JAX's functions under one roof, as minigraph and PyTorch have them."""

    def __init__(self, jax):
        self.jax = jax

    def __getattr__(self, name):
        return getattr(self.jax.numpy, name, None) or getattr(self.jax.nn, name)


@pytest.fixture(scope="module")
def jax():
    """JAX with float64, or a skip that says how to get it."""
    module = pytest.importorskip("jax", reason="compares with JAX: pip install jax")
    module.config.update("jax_platforms", "cpu")
    module.config.update("jax_enable_x64", True)
    return module


@pytest.fixture(scope="module", params=[np.float64, np.float32], ids=["float64", "float32"])
def tally(request):
    """What the programs of one dtype have shown so far; printed when they are done."""
    # Values are about 1 and steps cancel: JAX and minigraph both lose a few digits, not the same.
    tolerance = float(2**14 * np.finfo(request.param).eps)
    tally = Tally(np.dtype(request.param), rtol=tolerance, atol=tolerance)
    yield tally
    if tally.programs:
        print(f"\n{tally}")


@given(programs())
@FEW
def test_random_programs_have_jaxs_values_gradients_and_hessian_vector_products(
    jax, tally, program
):
    inputs, steps = program
    inputs = [x.astype(tally.dtype) for x in inputs]
    xs = [mg.variable(x) for x in inputs]
    y = run(mg, xs, steps)
    assume(not near_a_kink(y))
    vs = directions(inputs)

    # JAX goes forward over reverse: one pass gives all four.
    f = jax.value_and_grad(
        lambda *ts: run(NumPyNames(jax), ts, steps), argnums=tuple(range(len(inputs)))
    )
    whole = jax.jit(lambda xs, vs: jax.jvp(f, xs, vs))  # which compiles once, not for each step
    (value, gradients), (change, products) = whole(tuple(inputs), tuple(vs))
    tally.agree(y.value, value)
    tally.agree(mg.jvp(y, dict(zip(xs, vs))).value, change)
    y.backward()
    for x, expected in zip(xs, gradients):
        tally.agree(x.grad, expected)

    found = mg.grad(y, xs)
    slope = reduce(add, [mg.sum(g * v) for g, v in zip(found, vs)])
    tally.agree(slope.value, change)
    for x in xs:
        x.grad = None
    if slope.requires_grad:
        slope.backward()
    for x, g, expected in zip(xs, found, products):
        tally.agree(np.zeros_like(x.value) if x.grad is None else x.grad, expected)
        if g.requires_grad:
            tally.agree(mg.jvp(g, dict(zip(xs, vs))).value, expected)
    tally.programs += 1
