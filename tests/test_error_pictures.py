"""Errors draw the corner of the graph that they are about in notebooks; elsewhere they are text."""

from __future__ import annotations

import re
import sys
import traceback
from itertools import product

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import minigraph as mg
from minigraph import nn
from minigraph.core.operation import FUNCTIONS
from minigraph.drawing.corner import REFUSED, corner

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture
def nodes():
    x, w = mg.variable(np.ones((3, 2)), name="x"), mg.variable(np.ones((3, 2)), name="w")
    return x, w, mg.tanh(x * 2.0).named("h")


def refused(f):
    with pytest.raises(mg.MinigraphError) as caught:
        f()
    return caught.value


def lit(drawing):
    """The names of the boxes that are marked, and the ends of the edges that are."""
    drawn = drawing._diagram
    names = [box.full for box in drawn.boxes]
    boxes = {box.full for box in drawn.boxes if box.highlighted}
    return boxes, [(names[e.tail], names[e.head]) for e in drawn.edges if e.highlighted]


@pytest.mark.parametrize(
    ("operation", "ends"),
    [
        (lambda x, w, h: h @ w, ["h", "w"]),
        (lambda x, w, h: h + mg.variable(np.ones(4), name="b"), ["h", "b"]),
        (lambda x, w, h: h - np.ones(4), ["h", "[1, 1, 1, 1]"]),
        (lambda x, w, h: h + h @ h, ["h", "h"]),
        (lambda x, w, h: mg.reshape(h, (5,)), ["h"]),
        (lambda x, w, h: np.concatenate([h, w[0]]), ["h", "v₂"]),
        (lambda x, w, h: h[5], ["h"]),
        (lambda x, w, h: mg.softmax(h, axis=9), ["h"]),
        (lambda x, w, h: h @ mg.placeholder("p", (3, 2)), ["h", "p"]),
    ],
)
def test_a_refused_operation_is_drawn_with_the_edges_that_do_not_fit(nodes, operation, ends):
    error = refused(lambda: operation(*nodes))
    assert isinstance(error, mg.ShapeError)
    boxes, edges = lit(corner(error))
    assert boxes == {REFUSED}
    assert edges == [(end, REFUSED) for end in ends]


def _arguments():
    """Arguments that fit few functions: indices, axes, shapes, and Nodes of other shapes."""
    y, z = mg.variable(np.ones((4, 7)), name="y"), mg.variable(np.ones(5), name="z")
    labels = mg.constant(np.array([5, 5, 5]), "labels")
    return [(), (0,), (7,), (-9,), ((9, 9),), (((1, 2),),), (np.array([5, 6]),), (y,), (labels,),
            (y, z), (3, 9), ((2, 2), 0), (labels, 9)]  # fmt: skip


def test_every_shape_that_a_function_refuses_names_its_nodes_and_is_drawn():
    """Each function of the table and each composed one, with arguments that fit few of them."""
    shapes = [(3,), (2, 3), (2, 3, 4, 5), (), (0, 3)]
    told = {}
    with np.errstate(all="ignore"):
        for name, function in FUNCTIONS.items():
            for shape, more in product(shapes, _arguments()):
                given = (mg.variable(np.ones(shape), name="x"), *more)
                given = ("ij,jk->ik", *given) if name == "einsum" else given
                try:
                    function(*given)
                except mg.ShapeError as error:
                    told[name, str(error)] = error
                except (mg.MinigraphError, TypeError):
                    continue
    assert [key for key, error in told.items() if not error.nodes] == []
    assert len({name for name, _ in told}) > 60
    first = {name: error for (name, _), error in told.items()}
    assert [name for name, error in first.items() if corner(error) is None] == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: mg.cross_entropy(x, np.array([0, 1])),
        lambda x: mg.cross_entropy(x, np.array([0, 1, 9])),
        lambda x: nn.Linear(4, 2, rng=np.random.default_rng(0))(x),
        lambda x: nn.Flatten(5)(x),
        lambda x: nn.Embedding(3, 2, rng=np.random.default_rng(0))(
            mg.constant(np.array([7]), "rows")
        ),
        lambda x: mg.custom(lambda g, out, v: np.ones(7))(np.sin)(x).backward(),
    ],
)
def test_errors_of_layers_losses_and_rules_are_drawn_as_well(wrong):
    h = mg.tanh(mg.variable(np.ones((3, 2)), name="x")).named("h")
    error = refused(lambda: wrong(h))
    assert error.nodes
    assert corner(error) is not None


def test_the_value_of_what_was_refused_is_not_shown(nodes):
    _, w, h = nodes
    svg = corner(refused(lambda: h @ w)).svg
    assert f">{REFUSED}</tspan></text>" in svg


def test_an_edge_that_carries_a_changed_value_is_marked(nodes):
    x, _, h = nodes
    y = mg.sum(h)
    x.value = np.zeros((3, 2))
    assert lit(corner(refused(y.backward))) == ({"x"}, [("x", "v₁")])


def test_an_input_that_does_not_reach_stands_beside_the_output(nodes):
    _, w, h = nodes
    drawing = corner(refused(lambda: mg.grad(mg.sum(h).named("y"), w)))
    assert lit(drawing) == ({"w", "y"}, [])


def test_an_anomaly_is_marked_where_it_begins():
    def forward():
        with mg.detect_anomaly():
            a = mg.variable(-1.0, name="a")
            mg.exp(mg.log((a * 2.0).named("b")))

    def back():
        a = mg.variable(0.0, name="a")
        with mg.detect_anomaly():
            mg.sqrt((a * 1.0).named("b")).named("c").backward()

    assert lit(corner(refused(forward))) == ({"v₁"}, [("b", "v₁")])
    assert lit(corner(refused(back))) == ({"c"}, [("b", "c")])


def test_of_a_large_graph_only_the_corner_is_drawn():
    h = mg.variable(np.ones(3), name="x")
    for _ in range(5_000):
        h = h * 1.0
    drawing = corner(refused(lambda: h + np.ones(2)))
    assert len(drawing._diagram.boxes) <= 15
    many = [mg.variable(np.ones(2)) * 2.0 for _ in range(200)]
    drawing = corner(refused(lambda: np.concatenate([*many, mg.variable(1.0)])))
    assert len(lit(drawing)[1]) == 201


def test_what_is_drawn_leaves_the_graph_as_it_is(nodes):
    _, w, h = nodes
    with mg.scope("part"):
        s = mg.softmax(h)
    before = [(n.scope, n.name, n.grad, n.inputs) for n in mg.topological_order(s)]
    corner(refused(lambda: s @ w))
    assert [(n.scope, n.name, n.grad, n.inputs) for n in mg.topological_order(s)] == before


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mg.parse("a +"),
        lambda: bool(mg.variable([1.0, 2.0])),
        lambda: mg.variable("text"),
        lambda: mg.draw(3),
    ],
)
def test_an_error_about_nothing_that_is_joined_is_not_drawn(wrong):
    assert corner(refused(wrong)) is None


# --- in a notebook, and elsewhere -----------------------------------------------------------------

PROGRAM = """import numpy as np, minigraph as mg
def layer(x, w):
    return mg.relu(x @ w)
x = mg.variable(np.ones((3, 2)), name="x")
layer(x, x)
"""


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    shell.colors = "nocolor"
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    yield shell
    shell.history_manager.end_session()


def output(shell):
    with capture_output() as captured:
        result = shell.run_cell(PROGRAM)
    assert isinstance(result.error_in_exec, mg.ShapeError)
    return captured


def test_a_notebook_shows_the_corner_and_the_lines_of_its_own_code(shell):
    shell.kernel = object()
    captured = output(shell)
    (picture,) = captured.outputs
    assert "does not fit = x @ x" in picture.data["text/html"]
    assert "Highlighted: does not fit." in picture.data["text/html"]
    said = captured.stdout
    assert "layer(x, x)" in said
    assert "return mg.relu(x @ w)" in said
    assert said.count("ShapeError") == 2
    assert "they must be equal" in said.splitlines()[-1]
    assert not re.search(r"minigraph[/\\](core|graph)|applying|refused", said)


def test_a_cell_shows_the_corner_once_and_a_later_cell_again(shell):
    shell.kernel = object()
    shown = []
    for cell in (PROGRAM, "import sys; raise sys.last_value"):
        with capture_output() as captured:
            shell.run_cell(cell, store_history=True)
        shown.append(len(captured.outputs))
    assert shown == [1, 1]


def test_a_terminal_shows_text(shell):
    captured = output(shell)
    assert captured.outputs == []
    assert "return mg.relu(x @ w)" in captured.stdout


def test_python_itself_shows_its_usual_traceback(nodes):
    _, w, h = nodes
    error = refused(lambda: h @ w)
    told = "".join(traceback.format_exception(error))
    assert "they must be equal" in told
    assert "refusals.py" in told or "applying.py" in told
