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

import minigraph as mg
from minigraph import bridges

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
