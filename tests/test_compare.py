"""Two graphs side by side: what only one of them has is marked, and nothing else."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.reading.matching import Matching


def told(nodes):
    """Nodes by what they are: the names of operations, of leaves, or their numbers."""
    return sorted(n.op.name if n.op else n.name or str(n.value) for n in nodes)


def compared(one, other):
    c = mg.compare(one, other)
    return told(c.only_one), told(c.only_other), len(c.edges), len(c.other_edges)


def network(activation=mg.tanh, factor=2.0, before=lambda h: h, swap=False, bias=True):
    x, b = mg.variable(2.0, name="x"), mg.variable(1.0, name="b")
    h = before(x * factor)
    h = h + b if bias else h + 0.5
    h = activation(h) * h
    return b - h if swap else h - b


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ([], [], 0, 0)),
        ({"activation": mg.sigmoid}, (["tanh"], ["sigmoid"], 0, 0)),
        ({"factor": 3.0}, (["2.0"], ["3.0"], 0, 0)),
        ({"before": mg.exp}, ([], ["exp"], 1, 0)),
        ({"before": lambda h: mg.exp(mg.sin(h))}, ([], ["exp", "sin"], 1, 0)),
        ({"swap": True}, ([], [], 2, 2)),
        ({"bias": False}, ([], ["0.5"], 1, 0)),
    ],
)
def test_a_change_is_marked_and_what_comes_after_it_is_not(change, expected):
    one, other = network(), network(**change)
    assert compared(one, other) == expected
    back = compared(other, one)
    assert back == (expected[1], expected[0], expected[3], expected[2])


def test_runs_of_a_dynamic_graph_differ_by_the_turns_of_the_loop():
    def run(x):
        h = mg.variable(x, name="x")
        while h.value > 1:
            h = h / 2.0
        return h + 1.0

    one, other, edges, _ = compared(run(5.0), run(40.0))
    assert (one, other) == ([], ["2.0"] * 3 + ["divide"] * 3)
    assert edges == 1


def test_before_and_after_the_passes():
    p, q = mg.placeholder("p"), mg.placeholder("q")
    graph = mg.Graph((p + q) * (p + q) * 1.0)
    after = graph.optimize()
    one, other, _, _ = compared(graph, after)
    left = [node for node in after.order if node.op]
    assert other == []
    assert len([name for name in one if name in ("add", "multiply")]) == 4 - len(left)


def test_values_of_variables_do_not_matter_and_one_node_is_itself():
    x = mg.variable(1.0, name="x")
    y, z = mg.exp(x), mg.exp(mg.variable(2.0, name="x"))
    assert compared(y, z) == ([], [], 0, 0)
    c = mg.compare(y * 2.0, y + 1.0)
    assert (y, y) in c.same
    assert mg.compare(y, y).summary == "Both are the same: 2 nodes."


def test_numbers_in_a_formula_belong_to_their_operations():
    x = mg.variable(1.0, name="x")

    def chain(*operations):
        h = x
        for operation, number in operations:
            h = operation(h, number)
        return h

    some = [(np.multiply, 2.0), (np.add, 2.0), (np.subtract, 2.0), (np.multiply, 2.0)]
    one, other, _, _ = compared(chain(*some), chain(*some[:2], (np.divide, 2.0), *some[2:]))
    assert (one, other) == ([], ["2.0", "divide"])
    assert compared(x + 7.0, x * 7.0)[:2] == (["7.0", "add"], ["7.0", "multiply"])


UNARY = [mg.sin, mg.cos, mg.tanh, mg.exp, mg.sigmoid]
BINARY = [np.add, np.multiply, np.subtract]


def program(seed, size):
    """A random program as data: for each operation its function and the places of its inputs."""
    random = Random(seed)
    rows = []
    for n in range(3, 3 + size):
        if random.random() < 0.5:
            rows.append((random.choice(UNARY), [random.choice([n - 1, random.randrange(n)])]))
        else:
            rows.append((random.choice(BINARY), [n - 1, random.randrange(n)]))
    return rows


def run(rows, planted=()):
    """Run a program; after or instead of the planted operations stands one that is used nowhere."""
    nodes = [mg.variable(0.5, name=name) for name in "abc"]
    new = []
    for n, (function, places) in enumerate(rows):
        inputs = [nodes[place] for place in places]
        if planted.get(n) == "other" if planted else False:
            nodes.append(mg.arctan(inputs[0]) if len(inputs) == 1 else mg.hypot(*inputs))
            new.append(nodes[-1])
            continue
        node = function(*inputs)
        if planted and planted.get(n) == "after":
            node = mg.square(node)
            new.append(node)
        nodes.append(node)
    outputs = [*nodes[-3:], sum(nodes[3:-3], nodes[0])]  # so that all of them are there
    return outputs, new


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_exactly_the_planted_changes_are_marked(data):
    size = data.draw(st.integers(8, 40))
    rows = program(data.draw(st.integers(0, 10**6)), size)
    places = data.draw(st.lists(st.integers(0, size - 5), unique=True, max_size=3))
    how = {place: data.draw(st.sampled_from(["other", "after"])) for place in places}
    (one, _), (other, new) = run(rows), run(rows, how)
    matching = Matching(one, other)
    changed = sum(way == "other" for way in how.values())
    assert {*matching.only_other} == {*new}
    assert len(matching.only_one) == changed
    assert all(_kind(x) == _kind(y) for x, y in matching.partner.items())
    assert len({*matching.partner.values()}) == len(matching.partner)
    if not how:
        assert matching.edges == ([], [])


def _kind(node):
    return node.op.name if node.op else node.name


def test_a_watched_program_and_one_of_minigraph_are_compared():
    torch = pytest.importorskip("torch", reason="pip install torch to watch its programs")
    from minigraph import bridges

    x = torch.ones(3, requires_grad=True)
    with bridges.torch.watch(x=x) as seen:
        loss = torch.tanh(x * 2.0).sum()
    theirs = seen[loss]
    v = mg.variable(np.ones(3, np.float32), name="x")
    ours = mg.sum(mg.tanh(v * 2.0))
    c = mg.compare(theirs, ours, names=("PyTorch", "minigraph"))
    matched = [(x.op.name, y.op.name) for x, y in c.same if x.op]
    assert {("tanh", "tanh"), ("sum", "sum")} <= {*matched}
    with pytest.raises(mg.NodeTypeError, match=r"say of which value.*compare\(seen\[loss\], y\)"):
        mg.compare(seen, ours)
    with pytest.raises(mg.NodeTypeError, match=r"compare takes a Graph, a Node.*not Tensor"):
        mg.compare(ours, loss)
    assert {x.name for x, _ in c.same if not x.op} >= {"x"}


# --- what is shown --------------------------------------------------------------------------------


def test_both_drawings_mark_what_only_they_have():
    c = mg.compare(network(), network(before=mg.exp), names=("old", "<new>"))
    one, other = (drawing._diagram for drawing in c.drawings)
    assert [box.operation for box in one.boxes if box.highlighted] == []
    assert [box.operation for box in other.boxes if box.highlighted] == ["exp"]
    assert sum(edge.highlighted for edge in one.edges) == 1
    assert c.summary == "8 nodes in both, 1 edge only in old, 1 node only in <new>."
    assert str(c).splitlines()[1:] == [
        "only in old: the edge v₁ → v₂",
        "only in <new>: v₂ = exp(v₁)",
    ]
    assert c._repr_mimebundle_()["text/plain"] == c.text
    assert "&lt;new&gt;" in c.html
    assert "<new>" not in c.html
    assert c.html.count("<img") == 2


def test_a_call_is_marked_as_one():
    x = mg.variable([1.0, 2.0], name="x")
    c = mg.compare(mg.sum(x), mg.sum(mg.softmax(x)))
    assert [b.operation for b in c.drawings[1]._diagram.boxes if b.highlighted] == ["softmax"]
    assert "only in other: v₁ = softmax(x)" in c.text


def test_a_leaf_is_the_same_by_its_name_whatever_it_is():
    shapes = [mg.placeholder("x", (2,)), mg.constant([1.0, 2.0], "x"), mg.variable([3.0, 4.0], "x")]
    for one in shapes:
        for other in shapes:
            assert not mg.compare(mg.sum(mg.exp(one)), mg.sum(mg.exp(other))).only_one


def test_large_graphs_are_compared():
    def chain(n, cut=-1):
        h = mg.variable(1.0, name="x")
        for i in range(n):
            h = mg.cos(h) if i == cut else mg.sin(h)
        return h

    one, other, *edges = compared(chain(5_000), chain(5_000, 2_000))
    assert (one, other, edges) == (["sin"], ["cos"], [0, 0])
    c = mg.compare(chain(100), mg.variable(1.0, name="z") * 2.0)
    assert "only in one: and 89 more" in c.text


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((3, mg.variable(1.0)), {}, "a Node or a list of Nodes, not int 3"),
        (([], mg.variable(1.0)), {}, "there is nothing to compare"),
        ((mg.variable(1.0),) * 2, {"names": "ab"}, "names are two texts, not 'ab'"),
        ((mg.variable(1.0),) * 2, {"names": ("a", 2)}, "names are two texts"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, options, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        mg.compare(*arguments, **options)


def test_lines_that_would_be_the_same_say_what_differs():
    x = mg.variable(np.ones((2, 2)), name="x")
    assert mg.compare(mg.sum(x, axis=0), mg.sum(x, axis=1)).text.splitlines()[1:] == [
        "only in one: v₁ = sum(x) (shape (2,), float64, axis=0, keepdims=False)",
        "only in other: v₁ = sum(x) (shape (2,), float64, axis=1, keepdims=False)",
    ]
    short, long = (mg.exp(mg.variable(np.ones(n), name="x")) for n in (3, 4))
    assert "only in other: variable x (shape (4,), float64)" in mg.compare(short, long).text
