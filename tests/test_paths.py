"""Paths: their number, their products, their sum, one reverse sweep, and the path explorer."""

import html
import itertools
import re
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigraph as mg
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES
from minigraph.drawing.theme import LIGHT
from minigraph.errors import MinigraphError, ShapeError
from minigraph.widgets import path_explorer
from minigraph.widgets.path_sums import PathSums, product
from minigraph.widgets.paths import BY_SWEEP, MOST, many


def example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def ladder(depth):
    """A graph with 2ⁿ paths from x to the result."""
    v = x = mg.variable(0.5, name="x")
    for n in range(depth):
        v = (mg.sin(v) + mg.cos(v)).named(f"w{n + 1}")
    return x, v


def random_scalars(seed, lib=mg):
    """The inputs and the output of a random graph of +, −, × and functions, with repeated use."""
    rng = Random(seed)
    make = (
        mg.variable if lib is mg else lambda v: lib.tensor(v, dtype=lib.float64, requires_grad=True)
    )
    inputs = [make(rng.uniform(-1.5, 1.5)) for _ in range(3)]
    known = [*inputs]
    for _ in range(rng.randint(1, 9)):
        x, y = rng.choices(known[-4:], k=2)
        kind = rng.randrange(5)
        known.append([x + y, x - y, x * y, lib.sin(x), lib.tanh(x) * y][kind])
    return inputs, known[-1]


def walks(source, target):
    """All paths, by the plainest enumeration there is: edge by edge against the arrows."""
    if source is target:
        return [()]
    return [
        (*walk, (target, slot)) for slot, x in enumerate(target.inputs) for walk in walks(source, x)
    ]


# --- the computations -----------------------------------------------------------------------------


@given(st.integers(0, 100_000))
def test_paths_are_counted_and_listed_as_by_brute_force(seed):
    _, y = random_scalars(seed)
    sums = PathSums(y)
    for source in sums.nodes:
        plain = walks(source, y)
        listed = [tuple((edge.head, edge.slot) for edge in path) for path in sums.paths(source)]
        assert sorted(map(str, listed)) == sorted(map(str, plain))
        assert len(set(listed)) == len(listed) == sums.count[source]
        assert sums.multiplications[source] == sum(map(len, plain))
        assert {(e.head, e.slot) for e in sums.edges(source)} == {*itertools.chain(*plain)}


@given(st.integers(0, 100_000))
def test_sums_over_paths_and_sweeps_are_the_engines_gradient(seed):
    _, y = random_scalars(seed)
    y.backward()
    sums = PathSums(y)
    for source in sums.nodes:
        if source.requires_grad:
            gradient = pytest.approx(float(source.grad), rel=1e-9, abs=1e-12)
            assert sum(map(product, sums.paths(source))) == gradient
            assert sums.sweep(source)[-1].gradient == gradient


@given(st.integers(0, 100_000))
def test_sums_over_paths_are_the_gradient_of_pytorch(seed):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    inputs, y = random_scalars(seed)
    theirs, result = random_scalars(seed, torch)
    if result.grad_fn is not None:
        result.backward()
    sums = PathSums(y)
    for x, there in zip(inputs, theirs):
        if x in sums.count:
            total = sum(map(product, sums.paths(x)))
            assert total == pytest.approx(float(there.grad), rel=1e-9, abs=1e-12)


def test_every_step_of_a_sweep_has_what_it_needs():
    x, y = ladder(4)
    done = {}
    for step in PathSums(y).sweep(x):
        assert all(done[edge.head] == upstream for upstream, edge in step.terms)
        assert all(edge.tail is step.node for _, edge in step.terms)
        done[step.node] = step.gradient
    assert len(done) == 13


def test_counting_does_not_list():
    x, y = ladder(3000)
    sums = PathSums(y)
    assert sums.count[x] == 2**3000
    assert sums.multiplications[x] == 6000 * 2**3000
    assert len(sums.edges(x)) == sums.edges_in_all() == 12_000
    first = next(sums.paths(x))
    assert len(first) == 6000


def test_constants_and_conditions_carry_no_path():
    x = mg.variable(2.0)
    sums = PathSums(mg.where(x * x > 1, 3.0 * x, 5.0))
    assert sums.count[x] == 1
    assert [edge.local for edge in next(sums.paths(x))] == [3.0, 1.0]
    assert sums.edges_in_all() == len(sums.edges(x)) == 2  # those into x · x end there
    assert not any(sums.count[node] for node in sums.nodes if not node.requires_grad)


def test_a_node_that_is_used_twice_by_one_operation_has_two_edges_there():
    x = mg.variable(3.0)
    paths = [*PathSums(x * x).paths(x)]
    assert [[(edge.slot, edge.local) for edge in path] for path in paths] == [
        [(0, 3.0)],
        [(1, 3.0)],
    ]


def test_no_path_leads_back():
    y = example()
    sums = PathSums(y.inputs[0])
    assert y not in sums.count
    *_, d = sums.nodes
    assert [*sums.paths(d)] == [()]
    assert product(()) == 1


def test_an_array_is_named():
    w = mg.variable([1.0, 2.0], name="W")
    with pytest.raises(
        ShapeError, match=r"scalars, .* W \(variable, shape \(2,\)\) holds an array"
    ):
        path_explorer(mg.sum(w * w))


# --- the explorer ---------------------------------------------------------------------------------


def text(widget):
    return html.unescape(re.sub("<[^>]+>", "", widget.message.value))


def rows(widget):
    return [label for label, _ in widget.list.options]


def cells(widget):
    lines = re.findall("<tr>(.*?)</tr>", widget.costs.value)
    return [[html.unescape(cell) for cell in re.findall("<t[hd][^>]*>(.*?)</t", x)] for x in lines]


def boxes(widget):
    return sorted(re.findall(r'<rect x="[^"]+" y="[^"]+" width="[^"]+"', widget.drawing.svg))


def lit_edges(widget):
    groups = re.findall(r'<g [^>]*data-edge="([^"]+)".*?</g>', widget.drawing.svg, re.S)
    parts = re.split('data-edge="', widget.drawing.svg)[1:]
    lit = [part.split('"')[0] for part in parts if LIGHT.highlight in part.split("</g>")[0]]
    assert set(lit) <= set(groups)
    return sorted(lit)


def test_paths_are_listed_with_their_products_and_their_sum():
    widget = path_explorer(example(), "b")
    assert rows(widget) == ["b → d → y:   1 · 2 = 2", "b → e → y:   1 · 5 = 5", "sum:   2 + 5 = 7"]
    assert text(widget) == "Path 1 of 2, multiplied along its edges: ∂d/∂b · ∂y/∂d = 1 · 2 = 2"
    assert cells(widget) == [
        ["way", "∂y/∂b", "multiplications for b", "for all 3 inputs"],
        ["path by path (2 paths)", "7", "4", "8"],
        ["one reverse sweep", "7", "4", "6"],
    ]


def test_what_is_chosen_is_highlighted():
    widget = path_explorer(example(), "b")
    assert lit_edges(widget) == ["n1-n3-1", "n3-n5-0"]
    assert "Highlighted: b, d and y" in widget.drawing.alt
    widget.list.index = 1
    assert lit_edges(widget) == ["n1-n4-0", "n4-n5-1"]
    widget.list.index = 2
    assert lit_edges(widget) == ["n1-n3-1", "n1-n4-0", "n3-n5-0", "n4-n5-1"]
    assert text(widget) == "∂y/∂b, added over 2 paths: 2 + 5 = 7"
    assert "∂y/∂b = 7" in widget.drawing.alt


def test_the_sweep_goes_from_users_to_inputs_and_nothing_moves():
    widget = path_explorer(example(), "b")
    places = boxes(widget)
    widget.way.value = BY_SWEEP
    assert rows(widget) == [
        "∂y/∂y = 1",
        "∂y/∂e = 1 · 5 = 5",
        "∂y/∂d = 1 · 2 = 2",
        "∂y/∂b = 2 · 1 + 5 · 1 = 7",
    ]
    assert text(widget) == "Step 1 of 4: ∂y/∂y = 1. The sweep begins here."
    assert "∂y/∂e" not in widget.drawing.alt
    widget.list.index = 3
    assert text(widget) == (
        "Step 4 of 4: ∂y/∂b = ∂y/∂d · ∂d/∂b + ∂y/∂e · ∂e/∂b = 2 · 1 + 5 · 1 = 7"
    )
    assert "Gradients: ∂y/∂b = 7, ∂y/∂d = 2, ∂y/∂e = 5 and ∂y/∂y = 1" in widget.drawing.alt
    assert boxes(widget) == places


def test_other_ends_can_be_chosen():
    y = example()
    widget = path_explorer(y, "a", "d")
    assert rows(widget) == ["a → d:   1", "sum:   1"]
    widget.target.value = y.inputs[1]
    assert rows(widget) == []
    assert text(widget) == ("No path leads from a to e. A nudge of a never gets there: ∂e/∂a = 0.")
    assert cells(widget)[1:] == [
        ["path by path (0 paths)", "0", "0", "2"],
        ["one reverse sweep", "0", "0", "2"],
    ]
    widget.source.value = y.inputs[1]
    assert text(widget) == "Path 1 of 1: no edge at all. A nudge is its own effect, 1."
    widget.target.value = y
    assert rows(widget) == ["e → y:   5", "sum:   5"]


def test_the_gradients_of_the_nodes_stay_as_they_were():
    y = example()
    y.backward(seed=10.0)
    before = [node.grad for node in mg.topological_order(y)]
    widget = path_explorer(y)
    widget.way.value = BY_SWEEP
    widget.list.index = 2
    assert [node.grad for node in mg.topological_order(y)] == before


def test_two_arguments_of_one_operation_are_told_apart():
    x = mg.variable(-3.0, name="x")
    widget = path_explorer((x * x).named("y"))
    assert rows(widget) == [
        "x → y (argument 1):   −3",
        "x → y (argument 2):   −3",
        "sum:   (−3) + (−3) = −6",
    ]
    assert lit_edges(widget) == ["n0-n1-0"]
    widget.list.index = 1
    assert lit_edges(widget) == ["n0-n1-1"]


def test_many_paths_are_not_all_listed_and_still_added():
    x, y = ladder(5)
    widget = path_explorer(y)
    assert len(rows(widget)) == MOST + 1
    y.backward()
    start, end = "… and 20 more; sum:   ", f" = {x.grad:.4g}".replace("-", "−")
    assert rows(widget)[-1].startswith(start)
    assert rows(widget)[-1].endswith(end)
    assert cells(widget)[1][0] == "path by path (32 paths)"
    assert [row[2] for row in cells(widget)] == ["multiplications for x", "320", "20"]


def test_as_many_paths_as_fit_are_all_listed():
    y = x = mg.variable(2.0, name="x")
    for _ in range(MOST - 1):
        y = y + x
    labels = rows(path_explorer(y))
    assert len(labels) == MOST + 1
    assert labels[-1] == "sum:   1 + … + 1 = 12"


def test_more_paths_than_anybody_adds_up():
    _, y = ladder(200)
    widget = path_explorer(y)
    assert rows(widget)[-1] == "… and 1.61×10⁶⁰ more"
    widget.list.index = MOST
    assert text(widget) == (
        "1.61×10⁶⁰ paths lead from x to w200. Nobody adds up so many. The reverse sweep need not."
    )
    assert cells(widget)[1][1] == "–"
    assert cells(widget)[2][2] == "800"
    widget.way.value = BY_SWEEP
    assert len(rows(widget)) == 601


def test_long_paths_are_shortened_in_the_middle():
    v = mg.variable(1.0, name="x")
    for n in range(20):
        v = (2.0 * v).named(f"v{n}")
    assert rows(path_explorer(v)) == [
        "x → v0 → v1 → … → v17 → v18 → v19:   2 · … · 2 = 1.05×10⁶",
        "sum:   1.05×10⁶",
    ]


def test_composed_functions_are_opened():
    x = mg.variable(0.5, name="x")
    widget = path_explorer(mg.softmax(x) * x)
    assert len(rows(widget)) == widget.sums.count[x] + 1
    assert "→ v₃" in rows(widget)[0]  # v₁ and v₂ find the largest element


def test_unknown_ends_are_named():
    y = example()
    with pytest.raises(MinigraphError, match="from and to a, b, c, d, e, y, not 'z'"):
        path_explorer(y, "z")
    with pytest.raises(MinigraphError, match="nothing can be nudged"):
        path_explorer(mg.constant(1.0) + 2.0)


def test_where_no_kernel_runs_the_picture_and_the_list_show():
    widget = path_explorer(example(), "b")
    bundle = widget._repr_mimebundle_()
    assert 'src="data:image/svg+xml' in bundle["text/html"]
    assert "<li>sum:   2 + 5 = 7</li>" in bundle["text/html"]
    assert "one reverse sweep" in bundle["text/html"]
    assert bundle["text/plain"] == repr(widget.drawing)


def test_undefined_numbers_are_shown_as_such():
    x = mg.variable(0.0, name="x")
    with np.errstate(all="ignore"):
        y = mg.log(x) * x
    assert "∞" in " ".join(rows(path_explorer(y)))


def test_counts_are_written_for_readers():
    assert many(0) == "0"
    assert many(12_345) == "12,345"
    assert many(2**50) == "1.13×10¹⁵"
    assert many(2**3000) == "1.23×10⁹⁰³"
    assert many(10**5000) == "1×10⁵⁰⁰⁰"


# --- the exercises --------------------------------------------------------------------------------


def nodes_of(edges):
    """A graph of Nodes with these local derivatives on its edges."""
    entering = {name: [] for name in edges}
    for name, leaving in edges.items():
        for user, local in leaving:
            entering[user].append((name, local))
    nodes = {}
    for name, terms in entering.items():
        nodes[name] = mg.variable(1.0)
        if terms:
            nodes[name] = sum((local * nodes[x] for x, local in terms), start=mg.constant(0.0))
    return nodes


def gradients(nodes, target):
    """The derivative of a node by each, from one backward pass."""
    for node in nodes.values():
        node.grad = None
    target.backward()
    found = {name: 0.0 if node.grad is None else float(node.grad) for name, node in nodes.items()}
    return {name: 1.0 if node is target else found[name] for name, node in nodes.items()}


def test_counts_agree_with_the_path_sums():
    exercise = EXERCISES["count_paths"]
    for users, source, target in exercise.cases()[:-1]:
        nodes = nodes_of({name: [(user, 1.0) for user in names] for name, names in users.items()})
        count = PathSums(nodes[target]).count.get(nodes[source], 0)
        assert expected(exercise, (users, source, target)) == count
    assert expected(exercise, exercise.cases()[-1]) == 2**1000


@pytest.mark.parametrize("name", ["sum_over_paths", "repair_sweep"])
def test_derivatives_agree_with_the_engines(name):
    exercise = EXERCISES[name]
    for case in exercise.cases():
        edges, *ends = case
        nodes = nodes_of(edges)
        answer = expected(exercise, case)
        wanted = gradients(nodes, nodes[ends[-1]])
        assert answer == pytest.approx(wanted if name == "repair_sweep" else wanted[ends[0]])


def test_factored_paths_agree_with_the_engine():
    exercise = EXERCISES["factor_paths"]
    for (stages,) in exercise.cases():
        v = x = mg.variable(1.0)
        for stage in stages:
            v = sum(local * v for local in stage)
        v.backward()
        assert expected(exercise, (stages,)) == pytest.approx(float(x.grad))


def test_the_predicted_paths_are_those_of_the_graph():
    exercise = EXERCISES["predict_paths"]
    ((a, b, c),) = exercise.cases()
    y = mg.parse("p = a * b; q = c - p; y = p / q", a=a, b=b, c=c)
    short, long = map(product, PathSums(y).paths(y.leaves()[0]))
    answer = expected(exercise, (a, b, c))
    assert sorted([*answer.values()]) == pytest.approx(sorted([short, long, short + long]))


def test_random_graphs_of_the_exercises_have_shared_nodes():
    counts = [
        expected(EXERCISES["count_paths"], case) for case in EXERCISES["count_paths"].cases()[:-1]
    ]
    assert {0, 1, 2} < set(counts)
