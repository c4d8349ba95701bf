"""Models of ONNX: ONNX's own tests of every operator, files that nobody should trust, and so on.

`python -m pytest tests/test_onnx.py -k own_tests -s` prints the table of operators.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest
from cases import CASES
from examples import drawn, each, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import programs, run

import minigraph as mg
from minigraph import bridges
from minigraph.core.operation import OPERATIONS
from minigraph.graph.promises import check_graph

onnx = pytest.importorskip("onnx", reason='reads ONNX: pip install "minigraph[onnx]"')
helper, numpy_helper, TensorProto = onnx.helper, onnx.numpy_helper, onnx.TensorProto
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def from_onnx(*args, **options):
    return bridges.onnx.from_onnx(*args, **options)


# --- ONNX's own tests -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases():
    """All tests that ONNX has of its operators: a node, its inputs, and what comes of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = import_module("onnx.backend.test.case.node")
        for module in iter_modules(node.__path__):
            import_module(f"{node.__name__}.{module.name}")
    return node._NodeTestCases


def array(x):
    return numpy_helper.to_array(x) if isinstance(x, TensorProto) else x


def read_with_what_must_be_known(model, feeds):
    """The graph, with those inputs as values that the refusals ask for."""
    values = {}
    while True:
        try:
            return from_onnx(model, values=values)
        except mg.TranslationError as error:
            asked = re.search(r"depends on the input (.*?); give this one with values", str(error))
            new = asked[1].split(" and ") if asked else []
            if not new or values.keys() & {*new}:
                raise
            values |= {name: feeds[name] for name in new}


def passes(case):
    """Run one of ONNX's tests; what differs raises."""
    for inputs, wanted in case.data_sets:
        feeds = dict(zip([x.name for x in case.model.graph.input], map(array, inputs)))
        graph = read_with_what_must_be_known(case.model, feeds)
        results = graph.run({x.name: feeds[x.name] for x in graph.inputs})
        for found, y in zip([results] if graph.is_single else results, map(array, wanted)):
            assert (found.dtype, found.shape) == (y.dtype, y.shape)
            np.testing.assert_allclose(found, y, rtol=case.rtol, atol=case.atol)


def test_onnxs_own_tests_pass_or_are_refused_by_name(cases):
    told = {"passed": defaultdict(Counter), "refused": defaultdict(Counter)}
    failed = []
    for case in cases:
        operator = case.model.graph.node[0].op_type
        if "_expanded" in case.name:
            operator = "definitions"
        try:
            passes(case)
            told["passed"][operator][""] += 1
        except mg.TranslationError as error:
            text = str(error)
            assert re.search(r"node .* \(\w+\)|the input \w+", text), text
            told["refused"][operator][text.partition(": ")[2]] += 1
        except Exception as error:
            failed.append(f"{case.name}: {error!r:.200}")
    table = [f"{'operator':28} passed refused"]
    for operator in sorted({*told["passed"], *told["refused"]}):
        passed, refused = (told[how][operator].total() for how in told)
        why = next(iter(told["refused"][operator]), "")
        table.append(f"{operator:28} {passed:6} {refused:7}  {why[:100]}")
    totals = [sum(c.total() for c in told[how].values()) for how in told]
    print("\n".join([*table, f"{'all':28} {totals[0]:6} {totals[1]:7}; failed: {len(failed)}"]))
    assert failed == []
    rules = {*bridges.onnx.operators()}
    assert [name for name in rules & {*told["refused"]} if not told["passed"][name]] == []
    assert len(cases) > 1800
    assert totals[0] > 2 * totals[1]


# --- every operation to ONNX and back -------------------------------------------------------------


@pytest.fixture(scope="module")
def runtime():
    """Run a model in onnxruntime; None where it has no kernel for a dtype."""
    module = pytest.importorskip("onnxruntime", reason="runs ONNX: pip install onnxruntime")
    options = module.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4

    def run(model, feeds):
        try:
            session = module.InferenceSession(model.SerializeToString(), options)
        except module.capi.onnxruntime_pybind11_state.NotImplemented:
            return None
        return session.run(None, feeds)

    return run


def close(found, wanted):
    """The same shapes and dtypes, and numbers to the precision of the narrowest dtype."""
    for x, y in zip(found, wanted, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        tolerance = {"f": 2e-5, "d": 1e-12}.get(y.dtype.char, 0)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def model_of(graph):
    """The model of a graph, which ONNX's checker has seen."""
    model = import_module("minigraph.bridges.onnx_writing").model_of(graph)
    onnx.checker.check_model(model, full_check=True)
    return model


# onnxruntime computes these in float32 only, and ONNX's own reference takes erf in float32.
SINGLE = {
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cosh", "erf",
    "sinh", "tan",
}  # fmt: skip


@each(sorted(CASES))
@given(data=st.data())
@settings(max_examples=4)
def test_an_operation_and_its_gradient_are_the_same_in_onnx_and_back(runtime, name, data):
    drawing = data.draw(drawn(name))
    makes = [mg.variable if i in drawing.by else mg.constant for i in range(len(drawing.arrays))]
    xs = [make(a, name=f"x{i}") for i, (make, a) in enumerate(zip(makes, drawing.arrays))]
    feeds = {x.name: np.asarray(x.value) for x in xs}
    y = drawing.node(*xs)
    flows = y.requires_grad and y.size and name != "stop_gradient"
    by = [xs[i] for i in drawing.by if flows]

    def with_gradients(y, xs):
        seed = weights(y.shape, y.dtype)
        return [y, *(mg.grad(mg.sum(y * seed), xs) if xs else [])]

    graph = mg.Graph(with_gradients(y, by), xs)
    model = model_of(graph)
    results = runtime(model, feeds)
    if results is None:
        assert name in SINGLE
    else:
        close(results, graph.run())

    back = from_onnx(model)
    assert [(x.name, x.shape, x.dtype) for x in back.inputs] == [
        (x.name, x.shape, x.dtype) for x in xs
    ]
    assert {x.kind for x in back.inputs} <= {"variable", "constant"}
    close(as_tuple(back), graph.run())
    check_graph(back.order)
    by_name = {x.name: x for x in back.inputs}
    again = mg.Graph(with_gradients(back.outputs[0], [by_name[x.name] for x in by]))
    close(as_tuple(again), graph.run())


def test_what_stops_a_gradient_stops_it_when_it_is_back():
    x = mg.variable([1.0, 2.0], name="x")
    back = from_onnx(model_of(mg.Graph(mg.sum(x * mg.stop_gradient(x)), [x])))
    y, (x,) = back.outputs[0], back.inputs
    y.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


def as_tuple(graph, feeds=None):
    results = graph.run(feeds)
    return (results,) if graph.is_single else results


def test_every_operation_of_the_table_has_a_rule():
    rules = import_module("minigraph.bridges.onnx_writing").RULES
    assert {*rules} == {*OPERATIONS}


@given(programs())
@settings(max_examples=40)
def test_a_random_program_is_the_same_in_onnxruntime_and_back(runtime, program):
    inputs, steps = program
    xs = [mg.variable(x.astype(np.float32), name=f"x{i}") for i, x in enumerate(inputs)]
    y = run(mg, xs, steps)
    graph = mg.Graph([y, *mg.grad(y, [x for x in xs if x in y.leaves()])], xs)
    model = model_of(graph)
    tolerance = {"rtol": 1e-3, "atol": 1e-3}  # for steps cancel
    wanted = graph.run()
    results = runtime(model, {x.name: np.asarray(x.value) for x in xs})
    back = from_onnx(model)
    for found in (results, as_tuple(back)):
        for x, z in zip(found, wanted, strict=True):
            np.testing.assert_allclose(x, z, **tolerance)
