"""Random programs over all operations, computed in every way that there is; see fuzz.py.

`HYPOTHESIS_PROFILE=explore` judges many more of them, other ones each time; for hours on end run
`python3 tests/fuzz.py --minutes 60`.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter

import numpy as np
import pytest
from fuzz import Fault, Judge, Tally, check, minimised, near, same
from fuzz_programs import DRAWERS, Leaf, Program, Step, drawn, names_in
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.compiler import PASSES
from minigraph.core.operation import OPERATIONS

# NumPy and PyTorch warn of limits, such as the mean of nothing.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")

# A program is made small by fuzz.py itself.
MANY = settings(
    max_examples=25 if settings.default.derandomize else 50 * settings.default.max_examples,
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def tally():
    """What has been judged; printed when all is done, for `pytest -s`."""
    tally = Tally()
    yield tally
    print(f"\n{tally}")


@given(st.integers(0, 2**40))
@MANY
def test_a_random_program_gives_the_same_in_whatever_way_it_is_computed(tally, seed):
    torch = pytest.importorskip("torch") if importlib.util.find_spec("torch") else None
    check(drawn(seed), torch, tally)


# --- whether it would notice ----------------------------------------------------------------------

X = Leaf("x0", np.array([0.5, -0.0, 2.0]), True)


def program(*texts, outputs=None, leaves=(X,), inputs=("x0",), updates=()):
    """A program of these steps, named v0, v1 …"""
    steps = tuple(Step(f"v{i}", text) for i, text in enumerate(texts))
    return Program(leaves, steps, inputs, outputs or (steps[-1].name,), updates)


def kind(*texts, torch=None, **more):
    with pytest.raises(Fault) as caught:
        check(program(*texts, **more), torch)
    return caught.value.kind


def test_all_functions_and_contexts_are_drawn():
    texts = Counter()
    for seed in range(1000):
        found = drawn(seed)
        for step in found.steps:
            texts.update({*names_in(step.text), *step.within})
    own = {"checkpoint", "own_cube", "own_total", "own_swap", "mg.no_grad()", "mg.scope('a')"}
    named = {"getitem", "custom"}  # x[…] has no name, and custom stands for those of our own
    assert own | DRAWERS.keys() - named <= texts.keys()


def test_a_program_is_the_same_each_time():
    assert str(drawn(12)) == str(drawn(12)) != str(drawn(13))


@pytest.mark.parametrize("has_torch", [False, True])
def test_a_wrong_derivative_is_noticed(monkeypatch, request, has_torch):
    torch = request.getfixturevalue("torch") if has_torch else None
    wrong = (lambda g, out, inputs, attrs: g * mg.cos(inputs[0]) * 1.001,)
    monkeypatch.setitem(OPERATIONS["sin"].__dict__, "vjps", wrong)
    monkeypatch.setitem(
        OPERATIONS["sin"].__dict__, "jvp", lambda dxs, out, xs, attrs: wrong[0](dxs[0], out, xs, {})
    )
    assert kind("mg.sin(x0)", torch=torch) == (
        "PyTorch's gradient" if has_torch else "finite differences"
    )


def test_a_wrong_value_is_noticed(monkeypatch):
    monkeypatch.setattr(mg, "square", lambda x: x * (x + 1e-12))
    assert kind("mg.square(x0)") == "values of square"
    monkeypatch.setitem(OPERATIONS["matmul"].__dict__, "forward", lambda x, y: x @ y + 1e-12)
    assert kind("x0 @ x0") == "Graph.run"  # for a function keeps what it was made of


@pytest.mark.parametrize("change", ["dtype", "rounding", "sign"])
def test_a_wrong_pass_is_noticed(monkeypatch, change):
    from minigraph.compiler.rewrite import is_op, rebuilt

    def wrong(node):
        x = node.inputs[0]
        if not is_op(node, "tanh") or is_op(x, "multiply"):
            return None
        match change:
            case "rounding":
                return mg.tanh(x * (1 + 1e-13))
            case "sign":
                return mg.tanh(x * 1.0) + 0.0  # −0 + 0 is 0
        return mg.astype(mg.tanh(mg.astype(x * 1.0, "float32")), "float64")

    def fold_constants(graph):
        return rebuilt(graph, "wrong", wrong)

    monkeypatch.setitem(PASSES, "fold_constants", fold_constants)
    assert re.match(r"optimize|compile", kind("mg.tanh(x0)"))


def test_what_is_near_and_what_is_the_same():
    near("k", np.float64(1.0), np.float64(1.5), 0.5)
    same("k", np.array([np.nan, -0.0]), np.array([np.nan, -0.0]))
    for found, expected in (
        (np.float64(1.0), np.float32(1.0)),
        (np.zeros(1), np.zeros((1, 1))),
        (np.float64(1.0), np.float64(1.6)),
        (np.float64("nan"), np.float64(1.0)),
        (np.float64("inf"), np.float64("-inf")),
        (np.int64(1), np.int64(2)),
    ):
        with pytest.raises(Fault):
            near("k", found, expected, 0.5)
        with pytest.raises(Fault):
            same("k", found, expected)
    with pytest.raises(Fault):
        same("k", np.float64(0.0), np.float64(-0.0))


def test_a_program_is_made_small():
    large = program(
        "mg.sin(x0)",
        "mg.exp(v0)",
        "mg.sum(v1)",
        "v0 * v2",
        "mg.cos(v3)",
        outputs=("v4", "v2", "v1"),
    )

    def fails(smaller):
        return any("sum" in step.text for step in smaller.steps)

    small = minimised(large, fails)
    assert [step.text for step in small.steps] == ["mg.sum(v1)"]
    assert [x.name for x in small.leaves] == ["v1"]
    Judge(small).judge()
