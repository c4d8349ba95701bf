"""Random programs: whole graphs with fan-out and reuse, to run in minigraph, PyTorch and JAX.

A program is a list of input arrays and a list of steps over them. `run` runs it in any library
with NumPy's function names. Every value broadcasts to (2, 3), so that any step fits after any
other, and passes through tanh, so that nothing grows. The last value gathers all that no step used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

import minigraph as mg

SHAPES = [(), (1,), (3,), (2, 1), (2, 3)]


def named(name):
    return lambda lib, *xs: getattr(lib, name)(*xs)


def matrix(lib, x):
    return lib.broadcast_to(x, (2, 3))


def flat(lib, x):
    return lib.reshape(x, (-1,))


def joined(lib, x, y):
    return lib.concatenate((flat(lib, x), flat(lib, y), flat(lib, x)))[:3]


def largest_of_rows(lib, x):
    amax = getattr(lib, "amax", lib.max)  # PyTorch's max gives places too
    return amax(matrix(lib, x), axis=1, keepdims=True)


# By name, the number of arguments and what is computed of them.
UNARY = {
    name: (1, named(name))
    for name in ("sin", "cos", "exp", "tanh", "sigmoid", "relu", "absolute", "square", "negative")
}
BINARY = {
    name: (2, named(name)) for name in ("add", "subtract", "multiply", "maximum", "minimum")
} | {
    "divide": (2, lambda lib, x, y: x / (2.0 + y * y)),
    # The exponent is never 0, where PyTorch loses the derivative by base and exponent.
    "power": (2, lambda lib, x, y: (1.5 + x * x) ** (2.5 + y)),
    "where": (2, lambda lib, x, y: lib.where(x > y, x * x, y)),
}
ROOT = {
    "sqrt": (1, lambda lib, x: lib.sqrt(1.5 + x * x)),
    "log": (1, lambda lib, x: lib.log(1.5 + x * x)),
}
TOGETHER = {
    "sum": (2, lambda lib, x, y: lib.sum(x) * y),
    "mean": (2, lambda lib, x, y: lib.mean(x * y)),
    "sum of columns": (1, lambda lib, x: lib.sum(matrix(lib, x), axis=0)),
    "mean of rows": (1, lambda lib, x: lib.mean(matrix(lib, x), axis=-1, keepdims=True)),
    "max of rows": (1, largest_of_rows),
    "dot": (2, lambda lib, x, y: lib.matmul(flat(lib, x) * flat(lib, y)[:1], flat(lib, x))),
    "matmul": (2, lambda lib, x, y: lib.matmul(matrix(lib, x), matrix(lib, y).T)[:, 1:]),
    "concatenate": (2, joined),
    "cumsum": (1, lambda lib, x: lib.cumsum(matrix(lib, x), axis=1)),
    "softmax": (1, lambda lib, x: lib.softmax(matrix(lib, x), axis=1)),
    "prod of columns": (1, lambda lib, x: lib.prod(matrix(lib, x), axis=0)),
    "repeated row": (1, lambda lib, x: matrix(lib, x)[np.array([1, 1])]),
    "swapped elements": (
        1,
        lambda lib, x: matrix(lib, x)[np.array([[1], [0]]), np.array([0, 2, 0])],
    ),
}
STEPS = UNARY | BINARY | ROOT | TOGETHER


@st.composite
def programs(draw):
    """Input arrays and a list of (step, places of its arguments) over them, with reuse."""
    eighths = st.integers(-16, 16).map(lambda i: i / 8 + 0.03)  # inputs lie at no kink
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    inputs = [draw(hnp.arrays(np.float64, s, elements=eighths)) for s in shapes]
    steps = []
    for length in range(len(inputs), len(inputs) + draw(st.integers(1, 12))):
        kind = draw(st.sampled_from([UNARY, BINARY, BINARY, ROOT, TOGETHER]))
        name = draw(st.sampled_from(list(kind)))
        places = st.integers(max(0, length - 4), length - 1)
        steps.append((name, [draw(places) for _ in range(STEPS[name][0])]))
    return inputs, steps


def run(lib, inputs, steps):
    """Run a program in a library; return one scalar that depends on every input."""
    values, unused = list(inputs), set(range(len(inputs)))
    for name, places in steps:
        unused -= {*places}
        unused.add(len(values))
        out = STEPS[name][1](lib, *[values[i] for i in places])
        values.append(lib.tanh(0.5 * out))
    return reduce(add, [lib.sum(values[i] * (1.0 + 0.1 * i)) for i in sorted(unused)])


def near_a_kink(y, margin=1e-3):
    """Whether rounding could put some step of a graph on the other side of its kink.

    A tie that is exact is none: it is exact in every library.
    """
    return any(np.any((gap != 0) & (gap < margin)) for gap in map(_gap, mg.topological_order(y)))


def _gap(node):
    name = node.op.name if node.op else None
    if node.scope:
        return np.inf  # inside a composed function, which is smooth here
    if name in ("relu", "absolute"):
        return np.abs(node.inputs[0].value)
    if name in ("maximum", "minimum", "greater"):
        return np.abs(node.inputs[0].value - node.inputs[1].value)
    if name == "max":
        return np.diff(np.sort(node.inputs[0].value, axis=1), axis=1)
    return np.inf


def directions(inputs):
    """A direction for each input, with no element like another."""
    return [np.linspace(0.5, 1.5, x.size, dtype=x.dtype).reshape(x.shape) for x in inputs]


@dataclass
class Tally:
    """Compares numbers, and keeps how many programs were compared and the largest disagreement.

    Attributes:
        dtype: that of the programs.
        rtol, atol: two numbers may be apart by atol + rtol · |expected|.
        largest: the largest distance found, as a fraction of what is tolerated.
    """

    dtype: np.dtype
    rtol: float
    atol: float
    programs: int = 0
    largest: float = 0.0

    def agree(self, found, expected):
        assert np.asarray(found).dtype == self.dtype
        np.testing.assert_allclose(found, expected, rtol=self.rtol, atol=self.atol)
        far = np.abs(np.subtract(found, expected)) / (self.atol + self.rtol * np.abs(expected))
        self.largest = max(self.largest, float(np.max(far, initial=0)))

    def __str__(self):
        tolerated = f"rtol {self.rtol:.0e} + atol {self.atol:.0e}"
        return (
            f"{self.programs} random programs in {self.dtype} agree; "
            f"largest disagreement {self.largest:.1e} of {tolerated}"
        )
