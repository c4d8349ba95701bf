"""Cases of other people's tests, against values and derivatives from NumPy.

tests/third_party holds the numerical cases of autograd's and JAX's own tests, as data. README.md
there says what a record means, and how many of the cases apply and hold. Count again with
`python -m pytest tests/test_third_party.py -s`.

The derivatives come from values of NumPy alone. Along a straight line through the inputs a function
is one of a single number t, and central differences of its values at a few t give its first, second
and third derivative by t. minigraph must find the same numbers with reverse and forward mode, one
after the other in every order.
"""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import cache, reduce
from itertools import chain, product
from operator import add
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import minigraph as mg
from minigraph.core.operation import FUNCTIONS

HOME = Path(__file__).parent / "third_party"
SUITES = {
    name: json.loads((HOME / f"{name}.json").read_text("utf-8"))["cases"]
    for name in ("autograd", "jax")
}
RECORDS = [record for records in SUITES.values() for record in records]
INPUTS = "xyz"

# By dtype, how far values, first and higher derivatives may be off.
TOLERANCE = {
    "float16": (1e-2, 5e-2, 5e-2),
    "float32": (1e-5, 1e-4, 1e-3),
    "float64": (1e-12, 1e-8, 1e-6),
}

# What the cases use and minigraph does not have: functions, and methods of a Node.
LACKING = {
    ".flatten", "angle", "append", "array", "array_split",
    "atleast_1d", "atleast_2d", "atleast_3d", "c_", "cbrt", "column_stack", "complex", "conj",
    "conjugate", "conv1d", "cross", "cumprod", "deg2rad", "degrees", "diag", "diff", "dsplit",
    "erfc", "erfinv", "fabs", "fliplr", "flipud", "fmax", "fmin", "fmod", "gradient", "hsplit",
    "hstack", "i0e", "i1e", "imag", "inner", "int64", "kron", "linspace", "logaddexp2",
    "make_diagonal", "nan_to_num", "partition", "r_", "rad2deg", "radians", "real",
    "real_if_close", "repeat", "roll", "rollaxis", "rot90", "select", "sinc", "tile", "vsplit",
    "vstack",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One record of the data with one choice for each of its names."""

    record: dict[str, Any]
    chosen: dict[str, Any]

    def __str__(self):
        return f"{self.record['computes']} with {self.chosen}"

    def reason_not_to_apply(self):
        """Why minigraph does not offer what the case asks for; None if it does."""
        given = self.record.get("not applicable")
        missing = sorted(LACKING & names_in(self.record["computes"]))
        if given or missing:
            return given or f"minigraph has no {missing[0]}"
        if any(str(value).startswith("complex") for value in self.chosen.values()):
            return "complex numbers"
        if "bfloat16" in self.chosen.values():
            return "bfloat16, which NumPy does not have"
        return None

    def drawn(self, rng):
        """The inputs, by name, and what is held constant."""
        made = {"normal": lambda *s: rng.normal(size=s), "uniform": lambda *s: rng.uniform(size=s)}
        inputs, constants = {}, {}
        for name, value in self.chosen.items():
            if name in INPUTS:
                x = np.asarray(computed(str(value), NUMPY | made))
                inputs[name] = x.astype(self.chosen.get("dtype", x.dtype))[()]
            else:
                constants[name] = tuples(value)
        for name, value in self.record.get("constants", {}).items():
            constants[name] = computed(value, NUMPY | made)
        return inputs, constants


def cases(record):
    """Every combination of the choices; names with a comma between them are chosen together."""
    names = [name for key in record["choices"] for name in key.split(", ")]
    each = [
        [chosen if ", " in key else [chosen] for chosen in choices]
        for key, choices in record["choices"].items()
    ]
    return [Case(record, dict(zip(names, chain(*values)))) for values in product(*each)]


CASES = {}
for _record in RECORDS:
    CASES.setdefault(_record["test"], []).extend(cases(_record))


@cache
def names_in(text):
    """The functions that a text calls by name, and the attributes that it reads, with a dot."""
    nodes = list(ast.walk(ast.parse(text or "0")))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    from_numpy = {f"np.{name}" for name in vars(np)}
    attributes = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    return names | {"." + text.split(".")[-1] for text in attributes - from_numpy}


def conv2d(x, w, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("bihwkl,oikl->bohw", windows[:, :, :: stride[0], :: stride[1]], w)


# What NumPy does not have itself.
NUMPY = vars(np) | {
    "conv2d": conv2d,
    "erf": lambda x: np.vectorize(math.erf)(x).astype(x.dtype)[()],
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def tuples(value):
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def computed(text, names):
    return eval(text, {"np": np, **names})


def pieces(out):
    return list(out) if isinstance(out, (list, tuple)) else [out]


# --- derivatives along a line ---------------------------------------------------------------------

# For each order, the weights of the values at -3, -2, ... 3 steps, and the step. Errors of the
# fourth order. Source: B. Fornberg, Mathematics of Computation 51 (1988) 699-706, table 1.
STENCILS = {
    1: (np.array([0, 1 / 12, -2 / 3, 0, 2 / 3, -1 / 12, 0]), 1e-3),
    2: (np.array([0, -1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12, 0]), 1e-3),
    3: (np.array([1 / 8, -1, 13 / 8, 0, -13 / 8, 1, -1 / 8]), 1e-2),
}


def derivative(curve, order, stretch=1):
    """The derivative at 0 of a function of one number, from its values."""
    weights, step = STENCILS[order]
    step *= stretch
    values = [w * curve(step * k) for k, w in zip(range(-3, 4), weights) if w]
    return sum(values) / step**order


@dataclass(frozen=True)
class Line:
    """A straight line through drawn inputs, and the outputs' weights in one number."""

    text: str
    inputs: dict[str, Any]
    constants: dict[str, Any]
    outputs: list[Any]
    us: list[Any]
    vs: list[Any]
    derivatives: list[float]


def line(case, attempt=0):
    """Draw a line, away from kinks and jumps: there the size of the step would matter."""
    rng = np.random.default_rng(crc32(f"{case} {attempt}".encode()))
    text = case.record["computes"]
    inputs, constants = case.drawn(rng)
    outputs = pieces(computed(text, NUMPY | inputs | constants))
    us = [rng.normal(size=y.shape) for y in outputs]
    vs = [rng.normal(size=np.shape(x)) for x in inputs.values()]

    def curve(t):
        moved = {name: np.float64(x) + t * v for (name, x), v in zip(inputs.items(), vs)}
        values = pieces(computed(text, NUMPY | moved | constants))
        return sum(np.sum(u * value) for u, value in zip(us, values))

    orders = () if untaken(case) else range(1, case.record.get("order", 2) + 1)
    narrow, wide = ([derivative(curve, k, stretch) for k in orders] for stretch in (1, 2))
    if attempt < 10 and not np.allclose(narrow, wide, rtol=1e-4, atol=1e-4):
        return line(case, attempt + 1)
    better = [(16 * n - w) / 15 for n, w in zip(narrow, wide)]  # the errors are as 1 to 2⁴
    return Line(text, inputs, constants, outputs, us, vs, better)


def untaken(case):
    """Whether the derivatives of a case are known without differences, or not there."""
    return "derivatives" in case.record or "differs" in case.record


def change(s, xs, vs, mode):
    """The derivative of a scalar Node along vs, as a Node that can be differentiated again."""
    s = reduce(add, [mg.sum(0 * x) for x in xs], s)  # zero by an input that s does not depend on
    if mode == "forward":
        return mg.jvp(s, dict(zip(xs, vs)))
    return reduce(add, [mg.sum(g * v) for g, v in zip(mg.grad(s, xs), vs)])


def check(case):
    """Compare a case's values and derivatives with NumPy's."""
    on = line(case)
    xs = [mg.variable(x) for x in on.inputs.values()]
    ys = pieces(computed(on.text, FUNCTIONS | dict(zip(on.inputs, xs)) | on.constants))
    ys = [y if isinstance(y, mg.Node) else mg.constant(y) for y in ys]
    assert [y.shape for y in ys] == [y.shape for y in on.outputs]
    assert [y.dtype for y in ys] == [y.dtype for y in on.outputs]
    dtypes = [case.chosen.get("dtype", "float64"), *(x.dtype.name for x in xs)]
    near, first, far = max(TOLERANCE[dtype] for dtype in dtypes)
    for y, expected in zip(ys, on.outputs):
        np.testing.assert_allclose(y.value, expected, rtol=near, atol=near / 100)

    s = reduce(add, [mg.sum(u * y) for u, y in zip(on.us, ys)])
    if "differs" in case.record:
        with pytest.raises(mg.GradientError):
            mg.grad(s, xs)
    elif "derivatives" in case.record:
        check_exact(mg.sum(ys[0]), xs[0], case.record["derivatives"])
    elif on.derivatives:
        check_derivatives(s, xs, on, case.record.get("modes", ["reverse", "forward"]), (first, far))
        check_backward(s, xs)


def check_exact(y, x, derivatives):
    for expected in derivatives:
        y = mg.grad(y, x)
        assert y.value == pytest.approx(expected, rel=1e-14, abs=0)


def check_derivatives(s, xs, on, modes, tolerances):
    found = {(): s}
    for order, numeric in enumerate(on.derivatives, start=1):
        tolerance = tolerances[order > 1]
        found = {
            (*sequence, mode): change(d, xs, on.vs, mode)
            for (sequence, d), mode in product(found.items(), modes)
        }
        for sequence, d in found.items():
            assert d.value == pytest.approx(numeric, rel=tolerance, abs=tolerance), sequence


def check_backward(s, xs):
    """Compare what backward leaves with what grad returns, and look at shapes and dtypes."""
    s = reduce(add, [mg.sum(0 * x) for x in xs], s)
    s.backward()
    for x, g in zip(xs, mg.grad(s, xs)):
        np.testing.assert_array_equal(x.grad, g.value)
        assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)


# --- the tests ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counts():
    """How the cases went; printed when they are done."""
    counts = Counter()
    yield counts
    apply = counts["holds"] + counts["differs"]
    print(
        f"\n{counts['holds']} of {apply} applicable cases hold; {apply} of {counts.total()} apply"
    )


@pytest.mark.parametrize("test", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_cases_of(test, counts):
    for case in CASES[test]:
        status = status_of(case)
        if status in ("holds", "differs"):
            try:
                check(case)
            except Exception as error:
                error.add_note(f"in {case}")
                raise
        counts[status] += 1


def status_of(case):
    reason = case.reason_not_to_apply()
    if reason:
        return f"not applicable: {reason}"
    return "differs" if "differs" in case.record else "holds"


def test_what_minigraph_lacks_is_listed():
    used = set().union(*(names_in(record["computes"]) for record in RECORDS))
    known = {*FUNCTIONS, *INPUTS, "abs", "len", "np"}
    for record in RECORDS:
        known |= {*record["choices"], *record.get("constants", {})}
    known |= {name for key in known for name in key.split(", ")}
    methods = {f".{name}" for name in dir(mg.Node)}
    assert used - known - methods == LACKING


def table():
    """The counts as README.md gives them."""
    counts = {
        suite: Counter(status_of(case) for record in records for case in cases(record))
        for suite, records in SUITES.items()
    }
    missing = "not applicable: minigraph has no "
    reasons = sorted({key for found in counts.values() for key in found if key[:3] == "not"})
    rows = {
        "recorded": [found.total() for found in counts.values()],
        "applicable": [found["holds"] + found["differs"] for found in counts.values()],
        "... of these hold": [found["holds"] for found in counts.values()],
        "... of these differ by decision": [found["differs"] for found in counts.values()],
    }
    for reason in reasons:
        row = rows.setdefault(
            "not applicable: minigraph lacks it" if missing in reason else reason, [0, 0]
        )
        row[:] = [n + found[reason] for n, found in zip(row, counts.values())]
    lines = [f"| cases | {' | '.join(SUITES)} |", "|---|---|---|"]
    lines += [f"| {key} | {' | '.join(map(str, row))} |" for key, row in rows.items()]
    lacks = [
        f"{reason.removeprefix(missing)} ({sum(found[reason] for found in counts.values())})"
        for reason in reasons
        if missing in reason
    ]
    return "\n".join([*lines, "", f"Lacking, with the number of cases: {', '.join(lacks)}."])


def test_the_readme_gives_the_counts():
    assert table() in (HOME / "README.md").read_text("utf-8"), f"write there:\n{table()}"
