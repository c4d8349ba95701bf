"""Rules of algebra: the page holds, a rule of one's own works, and what is no rule is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigraph as mg
from minigraph.compiler import ALGEBRA, PASSES, UNSAFE, UNSAFE_ALGEBRA, by_rules, optimized
from minigraph.compiler.patterns import Term
from minigraph.graph.parse import free_names


def lines(page):
    """Each rule of a page, with the pass that it belongs to."""
    for name, rules in page.items():
        for line in rules.splitlines():
            yield pytest.param(name, line.partition("#")[0].strip(), id=f"{name}: {line}")


RULES = [*lines(ALGEBRA), *lines(UNSAFE_ALGEBRA)]


def sides(rule):
    left, right = rule.split("→")
    return left, right.partition(" where ")[0]


def operations(graph):
    return [node.op.name for node in graph.order if node.op]


def rewritten(rules, y):
    """The operations that a pass of these rules leaves of a graph."""
    return operations(optimized(mg.Graph(y), [by_rules("mine", rules), "remove_dead_code"])[0])


# --- the page -------------------------------------------------------------------------------------


def test_the_page_has_rules_for_passes_and_none_besides():
    assert ALGEBRA.keys() <= PASSES.keys()
    assert UNSAFE_ALGEBRA.keys() <= UNSAFE.keys()
    assert len(RULES) > 20


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_both_sides_of_each_rule_compute_the_same(name, rule):
    """As NumPy computes them, at random numbers and matrices."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        values = {
            x: rng.uniform(0.5, 2) if x in "cd" else rng.uniform(0.5, 2, (2, 2)) for x in "xycdAB"
        }
        left, right = (
            mg.parse(side, **{x: values[x] for x in free_names(side)}) for side in sides(rule)
        )
        np.testing.assert_allclose(left.value, np.broadcast_to(right.value, left.shape), rtol=1e-13)


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_each_rule_of_the_page_is_applied_by_its_pass(name, rule):
    left, _ = sides(rule)
    letters = {
        x: mg.constant(0.75) if x in "cd" else mg.placeholder(x, (2, 2)) for x in free_names(left)
    }
    graph = mg.Graph(mg.parse(left, **letters)).optimize(["fold_constants"])
    found, log = (PASSES | UNSAFE)[name](graph)
    assert len(log) >= 1
    feeds = {x.name: np.array([[0.3, 1.5], [2.5, -0.7]]) for x in graph.inputs}
    np.testing.assert_allclose(found.run(feeds), graph.run(feeds), rtol=1e-13)
    by_itself, _ = by_rules("mine", rule)(graph)
    assert operations(by_itself) == operations(found)


def test_a_pass_tells_its_rules():
    assert "x - -y  →  x + y" in ALGEBRA["simplify_signs"]
    assert PASSES["simplify_signs"].__doc__ == ALGEBRA["simplify_signs"]


# --- rules of one's own ---------------------------------------------------------------------------


def test_a_rule_of_ones_own_is_a_pass():
    x = mg.placeholder("x", (3,))
    undo = by_rules("undo", "log(exp(x)) -> x")
    e = mg.exp(mg.sin(x).named("s")).named("e")
    graph = mg.Graph(mg.log(e) + 1.0)
    found, steps = optimized(graph, [undo])
    assert operations(found) == ["sin", "add"]
    assert [str(rewrite) for step in steps for rewrite in step.rewrites] == ["undo: log(e) → s"]
    assert [step.name for step in steps] == ["undo"]
    values = {"x": np.array([0.1, 0.2, 0.3])}
    np.testing.assert_allclose(found.run(values), graph.run(values), rtol=1e-14)
    assert operations(graph.compile(["drop_what_does_nothing", undo]).graph) == ["sin", "add"]


def test_the_same_letter_is_the_same_node_and_order_matters_only_where_it_does():
    x, y = mg.placeholder("x", (3,)), mg.placeholder("y", (3,))
    factor = "x * y + x * z  →  x * (y + z)"
    s, t = mg.sin(x), mg.cos(y)
    for node in (s * t + s * y, t * s + y * s, s * t + y * s, t * s + s * y):
        assert rewritten(factor, node) in (["sin", "cos", "add", "multiply"],)
    assert rewritten(factor, s * t + x * y).count("multiply") == 2
    assert rewritten("x / y  →  x * reciprocal(y)", s / t)[-2:] == ["reciprocal", "multiply"]
    assert rewritten("exp(x) / exp(y) → exp(x - y)", mg.exp(x) / mg.exp(y)) == ["subtract", "exp"]
    assert rewritten("maximum(x, 0) → relu(x)", mg.maximum(0.0, x)) == ["maximum"]


def test_settings_are_compared():
    x = mg.placeholder("x", (3, 3))
    rule = "sum(exp(x), axis=0)  →  exp(logsumexp(x, axis=0))"
    assert rewritten(rule, mg.sum(mg.exp(x), axis=0)) == ["logsumexp", "exp"]
    for node in (mg.sum(mg.exp(x), axis=1), mg.sum(mg.exp(x)), mg.sum(mg.exp(x), 0, True)):
        assert rewritten(rule, node) == ["exp", "sum"]


def test_constants_are_one_number_and_capital_letters_matrices():
    s, vector, matrix = (
        mg.placeholder(n, shape) for n, shape in (("s", ()), ("v", 2), ("m", (2, 2)))
    )
    scaled = "x * c / d  →  x * (c / d)"
    assert rewritten(scaled, vector * 6.0 / 4.0) == ["multiply"]
    assert rewritten(scaled, vector * np.array([6.0, 6.0]) / 4.0) == ["multiply"]
    for other in (vector * np.array([6.0, 5.0]) / 4.0, vector * s / 4.0):
        assert rewritten(scaled, other) == ["multiply", "divide"]
    turned = "matrix_transpose(A @ B) → matrix_transpose(B) @ matrix_transpose(A)"
    assert rewritten(turned, mg.matrix_transpose(matrix @ matrix))[-1] == "matmul"
    signed = "-(A @ B) → (-A) @ B"
    assert rewritten(signed, -(matrix @ matrix)) == ["negative", "matmul"]
    assert rewritten(signed, -(matrix @ vector)) == ["matmul", "negative"]


def test_a_number_of_a_rule_has_a_sign_even_if_it_is_0():
    x = mg.placeholder("x", (3,))
    for rule, taken in (("x - 0 → x", [True, False]), ("x - -0 → x", [False, True])):
        assert [rewritten(rule, x - zero) == [] for zero in (0.0, -0.0)] == taken
    assert rewritten("x * pi / pi → x", x * np.pi / np.pi) == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, bool])
def test_what_is_put_in_place_has_the_dtype_and_shape_of_what_was_there(dtype):
    x, value = mg.placeholder("x", (3,), dtype), np.array([1, 0, 1]).astype(dtype)
    for rule, y in (
        ("x + x → x * 2", x + x),
        ("x + x → x * 4 * 0.5", x + x),  # which is none of whole numbers
        ("x * 3 → x + x + x", x * np.int64(3)),
        ("x * x → 7", x * x),
        ("x + x → x * 1e5 * 2e-5", x + x),  # which float16 does not hold
        ("x * x → -1 * (-x * x)", x * x),
        ("x * c → x / (1 / c)", x * 2),
    ):
        graph = mg.Graph(y)
        found = graph.optimize([by_rules("mine", rule)])
        assert (found.outputs[0].dtype, found.outputs[0].shape) == (y.dtype, (3,))
        if "7" not in rule:
            np.testing.assert_allclose(found.run({"x": value}), graph.run({"x": value}), rtol=1e-3)
    assert rewritten("sum(x) → x", mg.sum(mg.placeholder("x", (3,)))) == ["sum"]
    assert rewritten("sum(x) → x", mg.sum(mg.sin(mg.placeholder("x")))) == ["sin"]


def test_whole_numbers_are_told_from_floats_by_conditions():
    whole, real = mg.placeholder("x", (3,), np.uint8), mg.placeholder("x", (3,))
    for condition, taken in (
        ("float(x)", [False, True]),
        ("wide(x)", [False, True]),
        ("scalar(x)", [False, False]),
        ("one_dtype", [True, True]),
    ):
        rule = f"x + x → x * 2 where {condition}"
        assert [rewritten(rule, y + y) == ["multiply"] for y in (whole, real)] == taken
    half = mg.placeholder("x", (3,), np.float16)
    assert rewritten("x + x → x * 2 where wide(x)", half + half) == ["add"]
    assert rewritten("x / c → x * (1 / c) where normal", real / 1e-310) == ["divide"]
    assert rewritten("x / c → x * (1 / c) where float(x, c) and normal", real / 3) == ["multiply"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "at", "problem"),
    [
        ("x * 1", 5, "a rule has one arrow, as x * 1 → x"),
        ("x → x → x", 9, "a rule has one arrow"),
        ("x * 2 → x + y", 12, "y is at the right side only, so nothing says what it stands for"),
        ("x + c → x + d", 12, "d is at the right side only"),
        ("exp(x) → exp(p)", 13, "p is at the right side only"),
        (
            "x * x → squeeze(x) * x",
            8,
            "what this does depends on shapes, and a rule is for them all",
        ),
        ("trace(x) → x", 0, "what this does depends on shapes"),
        ("x * ( → x", 4, "this cannot be read"),
        ("x * 2 → x +", 11, "something is missing at the end"),
        ("x * 2 →", 7, "there is no expression"),
        ("x * 2; x → x", 5, "a side of a rule is one expression"),
        ("foo(x) → x", 0, "there is no function foo; did you mean floor?"),
        ("x → x * 1", 0, "the left side is a letter alone, which stands for everything"),
        ("1 + 2 → 3", 0, "the left side is a number"),
        ("x * 1 → x where flot(x)", 16, "there is no condition flot(x); did you mean float?"),
        ("x * 1 → x where x > 0", 16, "there is no condition x > 0; known are float, wide"),
        ("x * 1 → x where float(y)", 16, "float asks about letters of the left side, as in "),
        ("x * 1 → x where float", 16, "float asks about letters of the left side"),
        ("x * 1 → x where", 15, "a condition is missing"),
        ("x * 1 → x where float(x) and", 28, "a condition is missing"),
        ("+".join("xyzuvwabef") + " → x", 0, "a side of a rule has at most 8 operations"),
        # what never ends:
        ("x + y → y + x", 6, "this never ends: in what it makes there is again something to do"),
        ("x * 2 → x * 1 * 2", 6, "this never ends"),
        ("x + (y + z) → (x + y) + z", 12, "this never ends"),
        ("exp(x) → log(x)\nlog(x) → exp(x)", 7, "this never ends"),
        ("x * y → (y * x) + (x * y)", 6, "this never ends"),
        ("x * c → x * (c + 1)", 6, "this never ends"),
    ],
)
def test_what_is_no_rule_is_refused_at_the_character(rule, at, problem):
    with pytest.raises(mg.ParseError, match=re.escape(problem)) as error:
        by_rules("mine", rule)
    assert error.value.position == at


@pytest.mark.parametrize(
    "rules",
    [
        "x * 3 → x + x + x",
        "x + y - y → x",
        "x - (y - z) → (x - y) + z",
        "exp(x) * exp(y) → exp(x + y)",
        "log(x * y) → log(x) + log(y)",
        "x * y + x * z → x * (y + z)",
        "-(x - y) → y - x\n--x → x",
        "sqrt(x) * sqrt(x) → x  # only where x is positive\n\n# and nothing else",
    ],
)
def test_what_ends_is_not_refused(rules):
    assert by_rules("mine", rules).__name__ == "mine"


def test_the_work_grows_as_the_graph_does(monkeypatch):
    """Rules that hold in many orders are tried a fixed number of times for each operation."""
    count, fits = [0], Term.fits

    def counted(self, node, match):
        count[0] += 1
        return fits(self, node, match)

    monkeypatch.setattr(Term, "fits", counted)
    run, tried = by_rules("mine", "x * y + x * z + 0.5 → x * (y + z) + 0.5"), []
    for n in (100, 200, 400):
        y = x = mg.placeholder("x")
        for _ in range(n):
            y = y * x + y
        count[0] = 0
        run(mg.Graph(y))
        tried.append(count[0])
    assert tried[2] - tried[1] == 2 * (tried[1] - tried[0])
