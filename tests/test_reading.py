"""A graph is read in one way: what the picture calls a node, everything else calls it too."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import minigraph as mg
from minigraph.compiler import optimized
from minigraph.reading.words import aligned, applied
from minigraph.widgets import play
from minigraph.widgets.passes import stages

SVG = "{http://www.w3.org/2000/svg}"

ON_THE_LINE = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def scalars():
    a, b = mg.placeholder("a"), mg.placeholder("b")
    d = (a + b).named("d")
    return d * (d - b / 3.0) + mg.hypot(a * a, b) ** 2


def layers():
    h = mg.placeholder("X", (16, 8))
    for i in range(2):
        with mg.scope(f"layer{i}"):
            w = mg.variable(np.full((8, 8), 0.1), name="W")
            h = mg.tanh(h @ w + mg.variable(np.zeros(8))).named("h")
    return mg.mean(mg.sigmoid(h) * 2.0 * 3.0)


def softmaxes():
    x = mg.placeholder("x", (4, 6))
    p = mg.softmax(x * 1.0)
    return mg.sum(p * mg.softmax(p))


def names_taken():
    v = mg.placeholder("v₁")
    return mg.exp(v) * mg.sin(v) / 4.0 + mg.exp(v)


EXAMPLES = [scalars, layers, softmaxes, names_taken]


def in_picture(outputs):
    """For each Node of a graph what the picture of it says in the tooltip, and its operation."""
    svg = mg.draw(outputs, opened=True, folded=False).svg
    order = mg.topological_order(outputs)
    titles = {
        group.get("data-node"): group.find(f"{SVG}title").text
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        if group.get("data-node")
    }
    return {node: titles[f"n{i}"].split(": ")[0] for i, node in enumerate(order)}


def formula(node, names):
    x, *others = [names[x] for x in node.inputs]
    if node.op.symbol in "+−×÷^@" and others:
        return f"{x} {node.op.symbol} {others[0]}"
    return f"−{x}" if node.op.name == "negative" else f"{node.op.name}({', '.join([x, *others])}"


@pytest.mark.parametrize("build", EXAMPLES)
def test_a_plan_calls_its_nodes_what_the_picture_calls_them(build):
    y = build()
    plan = mg.Graph(y).compile()
    names = in_picture(plan.graph.outputs)
    comments = re.findall(r"  # (.+?) = (.*)$", plan.source, re.M)
    assert len(comments) >= 5
    written = {name: formula(node, names) for node, name in names.items() if node.op}
    assert all(text.startswith(written[name].rstrip(")")) for name, text in comments)
    if plan.memory is None:  # and so does the program itself, in its alphabet
        for code, name in re.findall(r"^ *(\S+) = .*  # (.+?) = ", plan.source, re.M):
            assert code == name.translate(ON_THE_LINE)
    for place in plan.memory.places if plan.memory else ():
        assert place.name == names[place.node]


@pytest.mark.parametrize("build", EXAMPLES)
def test_a_schedule_calls_nodes_what_the_picture_calls_them(build):
    schedule = mg.Graph(build()).compile().schedule
    rows = str(schedule).splitlines()[2:-1]
    names = in_picture(schedule.graph.outputs)
    for span, row in zip(schedule.spans, rows, strict=True):
        text = f"  {names[span.node]} = {formula(span.node, names).rstrip(')')}"
        assert text in row, (text, row)
    assert f"The critical path is {names[schedule.path[0]]}, " in schedule.chart().alt


@pytest.mark.parametrize("build", EXAMPLES)
def test_the_log_of_a_pass_speaks_of_the_picture_before_it(build):
    graph = mg.Graph(build())
    steps = stages(graph)
    assert len(steps) > 1
    for (before, _), (_, step) in pairwise(steps):
        names = in_picture(before.outputs)
        written = [formula(node, names) for node in names if node.op]
        first = step.rewrites[0].before
        assert any(first.startswith(text.rstrip(")")) for text in written), (first, written)


def test_what_a_rule_makes_on_the_way_is_written_out():
    x = mg.placeholder("x", (2,))
    _, (step, *_) = optimized(mg.Graph(mg.sigmoid(x), [x]), ["reduce_strength"])
    assert str(step.rewrites[0]) == (
        "cheaper: sigmoid(x) → exp(minimum(x, 0)) ÷ (exp(−absolute(x)) + 1)"
    )


def test_a_table_is_as_wide_as_its_cells():
    text = aligned(("a", "n"), [("long", "5"), ("b", "1,000")], numbers=[1])
    assert text.splitlines() == ["a         n", "────  ─────", "long      5", "b     1,000"]
    assert aligned(("a",), [("b",)] * 3, most=1).splitlines()[2:] == ["b", "… and 2 more"]


def test_only_signs_stand_between_two_inputs():
    assert applied("hypot", "hypot", ["a", "b"]) == "hypot(a, b)"
    assert applied("+", "add", ["a", "b"]) == "a + b"
    assert applied("−", "negative", ["a"]) == "−a"
    a, b = mg.variable(3.0, name="a"), mg.variable(4.0, name="b")
    y = mg.hypot(a, b).named("y")
    assert "y = hypot(a, b)" in mg.Graph(y, [a, b]).compile().source
    assert any("y = hypot(a, b) = hypot(3, 4) = 5" in text for text in mg.record(y).narrate())


def test_recording_and_player_call_nodes_what_the_picture_calls_them():
    h = mg.variable(0.5, name="h")
    for i in range(3):
        with mg.scope(f"step{i}"):
            h = mg.sin(h * mg.variable(1.0 + i, name="w")).named("h")
    names = [*in_picture(h).values()]
    assert [node.name for node in mg.record(h).nodes] == names
    player = play(h, folded="step0")  # what is folded away makes no difference to the others
    assert [node["name"] for node in player.view["nodes"].values()] == names
    titles = re.findall(r'<g data-node="n\d+"><title>(.*?): ', player.view["svg"])
    assert {*titles} <= {*names}


def test_operations_that_no_output_needs_are_compiled_all_the_same():
    x = mg.placeholder("x", (2,))
    unused = mg.exp(x * 1.0) * 1.0
    graph = mg.Graph((x * 1.0).named("y"), [x], order=[unused])
    plan = graph.compile(["drop_what_does_nothing"])
    assert "does nothing: exp(…) × 1 → exp(…)" in [str(r) for r in plan.log[0].rewrites]
    np.testing.assert_array_equal(plan(x=[1.0, 2.0]), [1.0, 2.0])
    assert len(str(plan.schedule).splitlines()) == 3 + sum(
        n.op is not None for n in plan.graph.order
    )
