"""What bridges that translate share: rules by name, refusals that say where, names, other sizes."""

import numpy as np
import pytest

import minigraph as mg
from minigraph.bridges.translating import (
    Rules,
    batch_axes,
    computing_dtype,
    identifier,
    line_of,
    located,
    names_of,
    resized,
    run,
)

TO_NUMPY = Rules("minigraph", {"arctan2": "write np.arctan(y / x)"})


@TO_NUMPY.rule("add")
def _(node, x, y):
    return x + y


@TO_NUMPY.rule("sum")
def _(node, x, axis, keepdims):
    return x.sum(axis, keepdims=keepdims)


def test_rules_run_a_graph_in_another_system():
    x, w = mg.placeholder("x", (2, 3)), mg.variable(np.ones(3), name="w")
    graph = mg.Graph([mg.sum(x + w, axis=0), x + x], [x])
    steps = TO_NUMPY.of(graph)
    got = run(graph, steps, {x: np.arange(6.0).reshape(2, 3), w: np.ones(3)})
    assert [a.tolist() for a in got] == [[5, 7, 9], [[0, 2, 4], [6, 8, 10]]]


def test_what_has_no_rule_is_refused_by_name_with_what_would_do():
    x = mg.variable(2.0, name="x")
    with pytest.raises(mg.TranslationError, match=r"arctan2 of minigraph.*y \(arctan2.*np.arctan"):
        TO_NUMPY.of(mg.Graph(mg.arctan2(x, 1.0).named("y"), [x]))
    with pytest.raises(NotImplementedError, match=r"sub of minigraph cannot .*; near ones .*: sum"):
        TO_NUMPY.find("sub")

    @mg.custom(lambda g, out, x: 2 * g)
    def add(x):
        return 2 * x

    with pytest.raises(mg.TranslationError, match="no operation of the table") as caught:
        TO_NUMPY.of(mg.Graph(add(x), [x]))
    assert caught.value.nodes[0].inputs == (x,)


def test_errors_of_a_rule_name_the_operation_and_the_line():
    at = line_of("/home/ada/model.py", 12, "  y = x[1]\n")
    assert at == 'model.py, line 12: "y = x[1]"'
    assert line_of(__file__, 1).startswith('test_translating.py, line 1: """"What bridges')
    wrong = r"^aten.add cannot .*: add of .*, in model.py"
    with pytest.raises(mg.TranslationError, match=wrong), located("aten.add", at):
        mg.add(mg.variable([1.0, 2.0]), [1.0, 2.0, 3.0])
    wrong = r"^no complex numbers, in model.py, line 12"
    with pytest.raises(mg.TranslationError, match=wrong), located("aten.add", at):
        raise mg.TranslationError("no complex numbers")


def test_names_are_told_apart_and_spelled_for_the_other_system():
    x, y = mg.variable(1.0, name="layer.0/w"), mg.variable(1.0, name="layer.0.w")
    names = names_of([x, y, x + y, mg.constant(2.0)], identifier)
    assert [*names.values()] == ["layer_0_w", "layer_0_w_2", "add", "constant"]
    assert identifier("0 é") == "_0__"


def test_elementwise_operations_compute_in_the_dtype_that_numpy_takes():
    i, f = mg.constant(np.arange(2)), mg.variable(np.ones(2, np.float32))
    assert computing_dtype(i + f) == (np.arange(2) + np.ones(2, np.float32)).dtype == np.float64
    assert computing_dtype(i > f) == np.float64


def test_a_graph_for_a_batch_of_another_size():
    x = mg.placeholder("x", (4, 2))
    y = mg.sum(mg.reshape(x, (4, 2, 1)), axis=1)
    smaller, made = resized(mg.Graph(y, [x]), {x: 0}, 3)
    assert smaller.run({"x": np.ones((3, 2))}).tolist() == [[2], [2], [2]]
    assert made[y] is smaller.outputs[0]
    with pytest.raises(mg.ShapeError, match="fits a batch of one size only"):
        resized(mg.Graph(mg.reshape(x, (2, 4)), [x]), {x: 0}, 3)


BATCHES = [
    ("z", "no input 'z'"),
    (3, "not 3"),
    ({"x": 2}, "no axis 2"),
    ({"x": "0"}, "no axis '0'"),
    ("s", "no axis 0"),
]


@pytest.mark.parametrize(("batch", "what"), BATCHES)
def test_what_holds_no_batch_is_refused_by_name(batch, what):
    x, s = mg.variable(np.ones((2, 3)), name="x"), mg.variable(2.0, name="s")
    with pytest.raises(mg.MinigraphError, match=what):
        batch_axes(mg.Graph(x * s, [x, s]), batch)


def test_axes_of_a_batch_may_be_counted_from_the_last():
    x = mg.variable(np.ones((2, 3)), name="x")
    assert batch_axes(mg.Graph(x * x, [x]), {"x": -1}) == {x: 1}
    with pytest.raises(mg.NodeTypeError, match="a Graph is translated"):
        batch_axes(x, "x")
