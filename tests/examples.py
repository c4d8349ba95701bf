"""One example of a function: arrays in several layouts, some of them variables, and its settings.

`drawn(name)` is a strategy for examples of what cases.py says about a function.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from cases import CASES
from hypothesis import strategies as st

import minigraph as mg
from minigraph.core.operation import FUNCTIONS

LAYOUTS = {
    "as made": lambda x: x,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[..., ::-1] if x.ndim else x,
}


@dataclass
class Drawn:
    """The inputs of one run: `arrays`, those at `by` differentiable."""

    name: str
    arrays: list[np.ndarray]
    attrs: dict[str, Any]
    by: list[int]
    layout: str

    def nodes(self):
        """The inputs as Nodes that are no leaves, so that their values are views where possible."""
        view = LAYOUTS[self.layout]
        makes = [mg.variable if i in self.by else mg.constant for i in range(len(self.arrays))]
        return [view(make(view(a))) for make, a in zip(makes, self.arrays)]

    def tensors(self, torch):
        return [torch.tensor(a).requires_grad_(i in self.by) for i, a in enumerate(self.arrays)]

    def node(self, *inputs):
        return CASES[self.name].ours(FUNCTIONS[self.name], *inputs, **self.attrs)

    def tensor(self, torch, *inputs):
        return CASES[self.name].torch(torch, *inputs, **self.attrs)

    def close(self, ours, theirs):
        """Assert that a value of ours has the shape, the type and the numbers of PyTorch's."""
        theirs = theirs.numpy(force=True)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        single = np.float32 in [*(a.dtype for a in self.arrays), self.attrs.get("dtype")]
        tolerance = 2e-4 if single else 1e-11
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@st.composite
def drawn(draw, name):
    shapes, attrs = draw(CASES[name].examples)
    dtype = draw(DTYPES)
    arrays = [draw(arrays_of(name, i, dtype, shape)) for i, shape in enumerate(shapes)]
    return Drawn(name, arrays, attrs, draw(differentiable(name)), draw(LAYOUT))


DTYPES, LAYOUT = st.sampled_from([np.float64, np.float32]), st.sampled_from(list(LAYOUTS))


@cache  # to make a strategy takes longer than to draw from it
def arrays_of(name, place, dtype, shape):
    elements = st.sampled_from(CASES[name].domains[place])
    return hnp.arrays(CASES[name].dtype(place, dtype), shape, elements=elements)


@cache
def differentiable(name):
    possible = CASES[name].by
    return st.sampled_from([possible, *([i] for i in possible)])


def weights(shape, dtype):
    """Distinct numbers, so that a gradient that lands in the wrong place is seen."""
    return np.linspace(0.5, 1.5, prod(shape)).reshape(shape).astype(dtype)


def each(names):
    return pytest.mark.parametrize("name", names)
