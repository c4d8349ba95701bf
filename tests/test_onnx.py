"""Models of ONNX: ONNX's own tests of every operator, files that nobody should trust, and so on.

`python -m pytest tests/test_onnx.py -k own_tests -s` prints the table of operators.
"""

from __future__ import annotations

import re
import tracemalloc
import warnings
from collections import Counter, defaultdict
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules

import numpy as np
import pytest
from cases import CASES
from checks import EXPLORES
from examples import drawn, each, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from late import Late, package
from programs import programs, run

import minigraph as mg
from minigraph import bridges
from minigraph.core.operation import OPERATIONS
from minigraph.graph.promises import check_graph

onnx = package("onnx", reason='reads ONNX: pip install "minigraph[onnx]"')
helper, numpy_helper = Late(lambda: onnx.helper), Late(lambda: onnx.numpy_helper)
FLOAT, INT64 = 1, 7  # of onnx.TensorProto


def from_onnx(*args, **options):
    return bridges.onnx.from_onnx(*args, **options)


# --- ONNX's own tests -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases():
    """All tests that ONNX has of its operators: a node, its inputs, and what comes of them.

    Of them it keeps their source, for its manual, and three of 32³ pixels it pools in loops of
    Python: the one is left out here, and of the others there are 6³.
    """
    base, drawn = import_module("onnx.backend.test.case.base"), np.random.randn
    smaller = {(1, 3, 32, 32, 32): (1, 3, 6, 6, 6)}
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setattr(base, "process_snippet", lambda *_: ("", ""))
        patch.setattr(np.random, "randn", lambda *n: drawn(*smaller.get(n, n)))
        node = import_module("onnx.backend.test.case.node")
        for module in iter_modules(node.__path__):
            import_module(f"{node.__name__}.{module.name}")
    return node._NodeTestCases


def array(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x


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
    assert totals[0] > 3 * totals[1]


def test_bits_are_numpys_to_the_last_one():
    rng = np.random.default_rng(0)
    ways = {
        "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor,
        "BitShift": np.right_shift,
    }  # fmt: skip
    for dtype in (np.uint8, np.int16, np.uint64, np.int64):
        info = np.iinfo(dtype)
        x, y = rng.integers(info.min, info.max, (2, 20), dtype=dtype, endpoint=True)
        x[:3], y[:3] = [info.min, info.max, 1], [info.max, info.min, 0]
        for operator, way in ways.items():
            z = np.abs(y % 8) if operator == "BitShift" else y
            code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            infos = [helper.make_tensor_value_info(n, code, (20,)) for n in "xyz"]
            more = {"direction": "RIGHT"} if operator == "BitShift" else {}
            node = helper.make_node(operator, ["x", "y"], ["z"], **more)
            model = helper.make_model(
                helper.make_graph([node], "g", infos[:2], infos[2:]),
                opset_imports=[helper.make_opsetid("", 18)],
            )
            np.testing.assert_array_equal(from_onnx(model).run({"x": x, "y": z}), way(x, z))


@pytest.mark.parametrize("how", ["nearest", "linear", "cubic"])
def test_a_gradient_flows_back_through_other_sizes(how):
    model = net(
        ("Resize", "x  s", "y", {"mode": how}),
        inputs=[("x", (1, 1, 3, 4))],
        weights=[("s", np.array([1, 1, 2, 0.5], "f"))],
    )
    model.graph.node[0].input[:] = ["x", "", "s"]
    graph = from_onnx(model)
    seed = np.random.default_rng(0).normal(size=(1, 1, 6, 2)).astype("f")
    gradient = mg.Graph(mg.sum(graph.outputs[0] * seed), graph.inputs).grad("x")
    x = np.zeros((1, 1, 3, 4), "f")
    wanted = [
        np.sum(graph.run({"x": unit.reshape(x.shape)}) * seed) for unit in np.eye(12, dtype="f")
    ]  # it is linear, so its slopes are what it makes of one element
    np.testing.assert_allclose(np.ravel(gradient.run({"x": x})), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "nearest"])
def test_places_in_an_image_and_their_gradients_are_pytorchs(torch, mode):
    rng = np.random.default_rng(0)
    x, grid = rng.normal(size=(2, 3, 4, 5)), rng.uniform(-1.7, 1.7, (2, 3, 2, 2))
    others = [("border", 1), ("reflection", 0), ("reflection", 1)]
    # Beyond the border a cubic place of PyTorch is not moved first, as ONNX says that it is.
    for padding, corners in [("zeros", 0), ("zeros", 1), *(others if mode != "bicubic" else [])]:
        options = {"padding_mode": padding, "align_corners": corners}
        model = net(
            ("GridSample", "x g", "y", {"mode": mode, **options}),
            inputs=[("x", x.shape), ("g", grid.shape)],
            version=16,
        )
        graph = from_onnx(model)
        feeds = {"x": x.astype("f"), "g": grid.astype("f")}
        ts = [torch.tensor(a, requires_grad=True) for a in feeds.values()]
        options["align_corners"] = bool(corners)
        theirs = torch.nn.functional.grid_sample(*ts, mode=mode, **options)
        np.testing.assert_allclose(graph.run(feeds), theirs.detach(), rtol=1e-4, atol=1e-5)
        theirs.square().sum().backward()
        loss = mg.Graph(mg.sum(mg.square(graph.outputs[0])), graph.inputs)
        wanted = ["x"] if mode == "nearest" else ["x", "g"]
        found = loss.grad(wanted).run(feeds)
        for g, t in zip(found, ts):
            np.testing.assert_allclose(g, t.grad, rtol=1e-3, atol=1e-3)


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
@settings(max_examples=3)
def test_an_operation_and_its_gradient_are_the_same_in_onnx_and_back(runtime, name, data):
    drawing = data.draw(drawn(name))
    makes = [mg.variable if i in drawing.by else mg.constant for i in range(len(drawing.arrays))]
    xs = [make(a, name=f"x{i}") for i, (make, a) in enumerate(zip(makes, drawing.arrays))]
    feeds = {x.name: np.asarray(x.value) for x in xs}
    y = drawing.node(*xs)
    has_all = y.size and all(a.size for a in drawing.arrays)
    flows = y.requires_grad and has_all and name != "stop_gradient"
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
@settings(max_examples=25 if EXPLORES else 12)
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


# --- whole models ---------------------------------------------------------------------------------


def net(*nodes, inputs=(("x", (2, 3)),), outputs=("y",), weights=(), version=18, **options):
    """A model of ONNX of nodes, written as (operator, inputs, output, attributes)."""
    made = [
        helper.make_node(operator, given.split(), made.split(), **{"name": made, **attributes})
        for operator, given, made, attributes in nodes
    ]
    graph = helper.make_graph(
        made,
        "net",
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights],
    )
    imports = [helper.make_opsetid("", version)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, **options)


def dense(version=18):
    """tanh(x @ w + b) for a batch of any size."""
    rng = np.random.default_rng(0)
    return net(
        ("Gemm", "x w b", "h", {"name": "/encoder/dense/Gemm"}),
        ("Softmax", "h", "s", {"name": "/encoder/Softmax"}),
        ("Gelu" if version >= 20 else "Tanh", "s", "y", {}),
        inputs=[("x", ("batch", 3))],
        weights=[("w", rng.normal(size=(3, 4)).astype("f")), ("b", np.ones(4, "f"))],
        version=version,
    )


@pytest.mark.parametrize("version", [18, 20])
def test_a_model_is_a_graph_as_any_other(runtime, tmp_path, version):
    model = dense(version)
    onnx.save(model, tmp_path / "model.onnx")
    graph = from_onnx(tmp_path / "model.onnx", sizes={"batch": 2})
    assert [(x.name, x.kind) for x in graph.inputs] == [
        ("x", "placeholder"), ("w", "variable"), ("b", "variable"),
    ]  # fmt: skip
    x = np.linspace(-1, 1, 6, dtype="f").reshape(2, 3)
    wanted = runtime(model, {"x": x})
    close([graph.run({"x": x})], wanted)
    close([graph.compile()(x=x)], wanted)
    close([graph.optimize().run({"x": x})], wanted)
    graph.save(tmp_path / "graph.json")
    close([mg.Graph.load(tmp_path / "graph.json").run({"x": x})], wanted)
    bridges.onnx.to_onnx(graph, tmp_path / "again.onnx")
    close(runtime(onnx.load(tmp_path / "again.onnx"), {"x": x}), wanted)
    assert "softmax" in mg.draw(graph.outputs).svg
    scopes = {node.scope.split("()")[0] for node in graph.order}
    assert {"encoder/dense/Gemm", "encoder/softmax"} <= scopes


def test_gradients_of_a_model_are_pytorchs(torch):
    graph = from_onnx(dense(), sizes={"batch": 2})
    x, w, b = (by.value if by.name != "x" else None for by in graph.inputs)
    x = np.linspace(-1, 1, 6, dtype="f").reshape(2, 3)
    ts = [torch.tensor(np.array(a), requires_grad=True) for a in (x, w, b)]
    torch.tanh(torch.softmax(torch.addmm(ts[2], ts[0], ts[1]), -1)).square().sum().backward()
    loss = mg.Graph(mg.sum(mg.square(graph.outputs[0])), graph.inputs)
    close(loss.grad(["x", "w", "b"]).run({"x": x}), [t.grad.numpy() for t in ts])


def test_the_sizes_that_a_file_only_names_are_asked_for():
    with pytest.raises(
        mg.TranslationError, match=r"the input x has the shape .*sizes=\{'batch': 1\}"
    ):
        from_onnx(dense())
    assert from_onnx(dense(), sizes={"x": (5, 3)}).inputs[0].shape == (5, 3)
    assert from_onnx(dense(), sizes={"batch": 7}).outputs[0].shape == (7, 4)


def test_names_of_inputs_outputs_and_scopes_come_back():
    with mg.scope("encoder"):
        x, w = mg.placeholder("x", (2, 3), np.float32), mg.variable(np.ones((3, 2), "f"), name="w")
        h = mg.relu(x @ w)
    graph = mg.Graph([mg.sum(h).named("loss"), h.named("h"), x, h], [x, w])
    back = from_onnx(model_of(graph))
    assert [y.name for y in back.outputs][:3] == ["loss", "h", "x"]
    assert [x.name for x in back.inputs] == ["x", "w"]
    assert [n.scope for n in back.order if n.op][:2] == ["encoder", "encoder"]
    feed = {"x": np.ones((2, 3), "f")}
    close(back.run(feed), graph.run(feed))


def test_a_batch_of_any_size_fits_a_file_that_names_it(runtime, tmp_path):
    x, w = mg.placeholder("x", (5, 4), np.float32), mg.variable(np.ones((2, 3), "f"), name="w")
    h = mg.softmax(mg.reshape(x, (-1, 2, 2)) @ w + mg.broadcast_to(x[:, None, :1], (5, 2, 3)))
    graph = mg.Graph([h, mg.mean(h), h[:, 0]], [x, w])
    path = tmp_path / "model.onnx"
    bridges.onnx.to_onnx(graph, path, batch="x")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    feed = np.linspace(-1, 1, 12, dtype="f").reshape(3, 4)
    wide = feed.reshape(3, 2, 2) @ np.ones((2, 3), "f") + feed[:, None, :1]
    share = np.exp(wide) / np.exp(wide).sum(-1, keepdims=True)
    close(runtime(model, {"x": feed}), [share, share.mean(), share[:, 0]])
    close(from_onnx(path, sizes={"batch": 3}).run({"x": feed}), runtime(model, {"x": feed}))


def test_a_graph_for_one_size_of_the_batch_is_refused_for_others(tmp_path):
    x = mg.placeholder("x", (5, 2))
    path = tmp_path / "model.onnx"
    with pytest.raises(mg.ShapeError, match="fits a batch of one size only"):
        bridges.onnx.to_onnx(mg.Graph(x[np.arange(5), [0, 1, 1, 0, 1]]), path, batch="x")
    with pytest.raises(mg.ShapeError, match="fits a batch of 5 only"):
        bridges.onnx.to_onnx(mg.Graph(x[:, [[0, 1], [1, 0]], None]), path, batch="x")
    gradient = mg.grad(mg.mean(mg.square(x)), x)
    with pytest.raises(mg.TranslationError, match=r"10.* may come from the size of the batch, 5"):
        bridges.onnx.to_onnx(mg.Graph(gradient), path, batch="x")
    assert not path.exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"precious")
    kept = mg.checkpoint(mg.sin)(mg.variable(1.0, name="x"))
    with pytest.raises(mg.TranslationError, match="no operation of the table"):
        bridges.onnx.to_onnx(mg.Graph(kept), path)
    with pytest.raises(mg.NodeTypeError, match="to_onnx takes a Graph"):
        bridges.onnx.to_onnx(kept, path)
    assert path.read_bytes() == b"precious"
    with pytest.raises(mg.FileError, match="there is no folder"):
        bridges.onnx.to_onnx(mg.Graph(mg.variable(1.0) * 2), tmp_path / "none" / "model.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    x = mg.variable(np.arange(4.0), name="x")
    with pytest.raises(mg.TranslationError, match=r"mask that is computed.*mg\.where"):
        bridges.onnx.to_onnx(mg.Graph(x[x > 1]), path)


# --- files that nobody should trust ---------------------------------------------------------------


def test_every_part_of_a_file_is_refused_or_read(tmp_path):
    """A file that is cut off anywhere, or whose bytes are others, is an error that names it."""
    path = tmp_path / "model.onnx"
    whole = dense().SerializeToString()
    rng = np.random.default_rng(0)
    broken = [whole[:n] for n in range(0, len(whole), 7)]
    for _ in range(150):
        other = bytearray(whole)
        other[rng.integers(len(whole))] = rng.integers(256)
        broken.append(bytes(other))
    errors = []
    for data in broken:
        path.write_bytes(data)
        try:
            from_onnx(path, sizes={"batch": 2}, most=10_000)
        except mg.MinigraphError as error:
            errors.append(str(error))
    assert len(errors) > len(broken) / 2
    assert [text for text in errors if not text.startswith(f"{path}: ")] == []


WRONG = {
    "no such file": (None, mg.FileError),
    "it is no ONNX file": (b"PK\3\4 not a model", mg.FormatError),
    "it holds no graph": (b"", mg.FormatError),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_model_is_refused(tmp_path, what):
    content, kind = WRONG[what]
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind, match=what) as error:
        from_onnx(path)
    assert str(path) in str(error.value)


BROKEN = {
    r"node 'y' \(Tanh\) takes 'h', which is computed only after it": lambda: net(
        ("Tanh", "h", "y", {}), ("Relu", "x", "h", {})
    ),
    r"node 'h' \(Add\) takes 'y', which is computed only after it.*circle": lambda: net(
        ("Add", "x y", "h", {}), ("Relu", "h", "y", {})
    ),
    r"node 'y' \(Tanh\) takes 'gone', which is computed nowhere": lambda: net(
        ("Tanh", "gone", "y", {})
    ),
    r"computes 'y' a second time": lambda: net(("Tanh", "x", "y", {}), ("Relu", "x", "y", {})),
    r"computes 'x' a second time": lambda: net(("Tanh", "x", "x", {}), ("Relu", "x", "y", {})),
    r"two inputs have the name 'x'": lambda: net(
        ("Relu", "x", "y", {}), inputs=[("x", (2,)), ("x", (3,))]
    ),
    r"two weights have the name 'w'": lambda: net(
        ("Mul", "x w", "y", {}), weights=[("w", np.ones(3, "f")), ("w", np.zeros(3, "f"))]
    ),
    r"the output 'z' is computed nowhere": lambda: net(("Relu", "x", "y", {}), outputs=("z",)),
    r"node 'y' \(Concat\): its attribute axis is missing": lambda: net(("Concat", "x x", "y", {})),
    r"node 'y' \(Relu\): it has no attribute 'speed'": lambda: net(
        ("Relu", "x", "y", {"speed": 1})
    ),
    r"node 'y' \(Softmax\): its attribute axis is of another type": lambda: net(
        ("Softmax", "x", "y", {"axis": 1.0})
    ),
    r"node 'y' \(Add\): it has 1 inputs, and needs 2": lambda: net(("Add", "x", "y", {})),
    r"its graph has no outputs": lambda: net(("Relu", "x", "y", {}), outputs=()),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_model_is_refused_by_the_name_of_the_node(what):
    with pytest.raises(mg.FormatError, match=what):
        from_onnx(BROKEN[what]())


def of_another_domain():
    model = net(("Relu", "x", "y", {}))
    model.graph.node[0].domain = "com.example"
    return model


def of_itself():
    """A function of the model that is made of itself."""
    model = of_another_domain()
    own = helper.make_node("Relu", ["x"], ["y"], domain="com.example")
    plain = helper.make_opsetid("", 18)
    model.functions.append(
        helper.make_function("com.example", "Relu", ["x"], ["y"], [own], [plain])
    )
    return model


def branch():
    z = helper.make_tensor_value_info("z", FLOAT, None)
    return helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "branch", [], [z])


LACKING = {
    r"node 'y' \(Bernoulli\): .*random numbers": lambda: net(("Bernoulli", "x", "y", {})),
    r"node 'y' \(Rellu\): .*no such operator.*near ones are .*Relu": lambda: net(
        ("Rellu", "x", "y", {})
    ),
    r"node 'y' \(If\): .*control flow.*mg\.where": lambda: net(
        ("Greater", "x w", "c", {}),
        ("If", "c", "y", {"then_branch": branch(), "else_branch": branch()}),
        weights=[("w", np.ones(1, "f"))],
    ),
    r"node 'y' \(DynamicQuantizeLinear\).*quantised": lambda: net(
        ("DynamicQuantizeLinear", "x", "y s p", {"name": "y"})
    ),
    r"node 'y' \(Relu\): .*of the domain 'com.example'": of_another_domain,
    r"operators are of version 99, and the newest": lambda: net(("Relu", "x", "y", {}), version=99),
    r"node 'y' \(Add\): its operator is of version 6, and the oldest that can be is 7": lambda: net(
        ("Add", "x x", "y", {}), version=6
    ),
    r"node 'y' \(Cast\): Cast to STRING cannot": lambda: net(("Cast", "x", "y", {"to": 8})),
    r"node 'y' \(ConstantOfShape\): .*1,000,000,000,000 numbers.*most=8_000_000_000_000": lambda: (
        net(("ConstantOfShape", "s", "y", {}), weights=[("s", np.array([10**12]))])
    ),
    r"node 'y' \(Expand\): .*more than": lambda: net(
        ("Expand", "x s", "y", {}), weights=[("s", np.array([10**9, 2, 3]))]
    ),
    r"node 'y' \(Reshape\): .*the shape beforehand.*the input x.*values=": lambda: net(
        ("Cast", "x", "s", {"to": 7}), ("Reshape", "x s", "y", {}), inputs=[("x", (2,))]
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_the_table_lacks_is_refused_by_the_name_of_the_node(what):
    with pytest.raises(mg.TranslationError, match=what):
        from_onnx(LACKING[what]())


def test_a_definition_that_goes_on_without_an_end_is_refused():
    with pytest.raises(mg.FormatError, match="goes on without an end"):
        from_onnx(of_itself())
    with pytest.raises(mg.TranslationError, match=r"'y' \(F40\): .*there are 1,0\d\d nodes"):
        from_onnx(doubling(40), most=1_000_000)


def test_a_branch_whose_condition_is_known_is_taken():
    model = net(
        ("If", "c", "y", {"then_branch": branch(), "else_branch": branch()}),
        weights=[("c", np.array(True))],
    )
    close([from_onnx(model).run({"x": -np.ones((2, 3), "f")})], [np.zeros((2, 3), "f")])


def beside(tmp_path, location, data=bytes(12), **more):
    """A model whose weight lies in another file."""
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    (tmp_path / "secret").write_bytes(data)
    (folder / "weights").write_bytes(data)
    model = net(("Mul", "x w", "y", {}), weights=[("w", np.ones(3, "f"))])
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=str(value))
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_data_beside_a_file_is_read(tmp_path):
    path = beside(tmp_path, "weights", np.arange(5, dtype="<f4").tobytes(), offset=8, length=12)
    graph = from_onnx(path)
    np.testing.assert_array_equal(graph.inputs[1].value, [2, 3, 4])


@pytest.mark.parametrize(
    ("location", "more", "kind", "what"),
    [
        ("../secret", {}, mg.FormatError, "not in the folder"),
        ("{tmp}/secret", {}, mg.FormatError, "not in the folder"),
        ("link", {}, mg.FormatError, "not in the folder"),
        ("", {}, mg.FormatError, "not in the folder"),
        ("none", {}, mg.FileError, "the weight 'w' lies beside it, and .*none cannot be read.*put"),
        ("weights", {"offset": 4}, mg.FormatError, "needs 12 bytes from 4 on"),
        ("weights", {"offset": -4}, mg.FormatError, "needs 12 bytes from -4 on"),
        ("weights", {"offset": "4x"}, mg.FormatError, "no number"),
        ("weights", {"length": 4}, mg.FormatError, "needs 12 bytes"),
    ],
)
def test_data_elsewhere_is_not_read(tmp_path, location, more, kind, what):
    path = beside(tmp_path, location.format(tmp=tmp_path), **more)
    (path.parent / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(kind, match=what):
        from_onnx(path)


def grown(operator, start, times=40, weight=np.float32, **attributes):
    """A model whose results are each a multiple of the one before."""
    more = {"Concat": "{0} {0}", "Tile": "{0} r", "MatMul": "{0} w"}[operator]
    names = [start, *(f"h{i}" for i in range(times - 1)), "y"]
    nodes = [
        (operator, more.format(before), after, attributes) for before, after in pairwise(names)
    ]
    return net(*nodes, weights=[("w", np.ones((2, 3), weight)), ("r", np.array([4, 1]))])


def declared(output=(2, 3), between=(2, 3), dtype=FLOAT, **options):
    """A model that says what shapes it has, which may be wrong."""
    model = net(("Relu", "x", "h", {"name": "first"}), ("Relu", "h", "y", {}), **options)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", dtype, output))
    model.graph.value_info.append(helper.make_tensor_value_info("h", FLOAT, between))
    return model


def holding(field, content, dtype=FLOAT, dims=(3,)):
    """A model whose weight holds other numbers than its shape needs."""
    model = net(("Mul", "x w", "y", {}), weights=[("w", np.ones(3, "f"))])
    tensor = model.graph.initializer[0]
    tensor.Clear()
    tensor.name, tensor.data_type = "w", dtype
    tensor.dims.extend(dims)
    if field == "raw_data":
        tensor.raw_data = content
    else:
        getattr(tensor, field).extend(content)
    return model


def doubling(depth):
    """A model of functions, each of which calls the one before twice."""
    plain = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = net((f"F{depth}", "x", "y", {"domain": "own"}))
    model.opset_import.append(plain[1])
    for i in range(depth + 1):
        call = (f"F{i - 1}", {"domain": "own"}) if i else ("Relu", {})
        body = [helper.make_node(call[0], [x], [y], **call[1]) for x, y in ("xh", "hy")]
        model.functions.append(helper.make_function("own", f"F{i}", ["x"], ["y"], body, plain))
    return model


def long_sequence():
    """A recurrent layer over more steps than anybody unrolls."""
    return net(
        ("RNN", "x w r", "y", {"hidden_size": 1}),
        inputs=[("x", (10**9, 1, 1))],
        weights=[("w", np.ones((1, 1, 1), "f")), ("r", np.ones((1, 1, 1), "f"))],
    )


HOSTILE = {
    r"'h28' \(Concat\): what a run makes grows .* 26\.4 TB .*most=\d": lambda: grown(
        "Concat", "x", axis=0
    ),
    r"'h20' \(Concat\): what is computed .* grows .*most=\d": lambda: grown("Concat", "w", axis=0),
    r"'h\d+' \(Concat\): what is computed .*most=": lambda: grown(
        "Concat", "w", 40, np.int64, axis=0
    ),
    r"'h14' \(Tile\): what a run makes grows .*most=": lambda: grown("Tile", "x"),
    r"'h10' \(Tile\): what is computed .* grows .*most=": lambda: grown("Tile", "w"),
    r"'y' \(MatMul\): what is computed .* 4\.0 TB.*most=": lambda: net(
        ("MatMul", "v w", "y", {}),
        weights=[("v", np.ones((10**6, 1), "f")), ("w", np.ones((1, 10**6), "f"))],
    ),
    r"'y' \(Einsum\): what is computed .*most=": lambda: net(
        ("Einsum", "v v v", "y", {"equation": "i,j,k->"}), weights=[("v", np.ones(10**6, "f"))]
    ),
    r"'y' \(Mul\): what is computed .*most=": lambda: net(
        ("Mul", "v w", "y", {}),
        weights=[("v", np.ones((10**4, 1), int)), ("w", np.ones((1, 10**4), int))],
    ),
    r"'y' \(Trilu\): Trilu makes 1,000,000,000,000 numbers.*most=": lambda: net(
        ("Trilu", "x", "y", {}), inputs=[("x", (10**6, 10**6))]
    ),
    r"'y' \(RNN\): there are 1,000,000,001 nodes .*most=": long_sequence,
    r"'y' \(Relu\) makes 'y', float32 of shape \(2, 3\), and .*float32 of shape \(2, 4\)": lambda: (
        declared((2, 4))
    ),
    r"'y' \(Relu\) makes 'y', float32 of shape \(2, 3\), and .* \(n,\)": lambda: declared(("n",)),
    r"'y' \(Relu\) makes 'y', float32 .* and the file says float64": lambda: declared(
        dtype=onnx.TensorProto.DOUBLE
    ),
    r"'first' \(Relu\) makes 'h', float32 of shape \(2, 3\).*\(3, 2\)": lambda: declared(
        between=(3, 2)
    ),
    r"the input 'x' has float32 of shape \(4,\), and the file says .*\(2, 3\)": lambda: declared(
        weights=[("x", np.ones(4, "f"))]
    ),
    r"the weight 'w' is float32 of shape \(3,\), which is 12 bytes, and it has 13": lambda: holding(
        "raw_data", bytes(13)
    ),
    r"the weight 'w' is int64 of shape \(3,\), which is 24 bytes, and it has 12": lambda: holding(
        "raw_data", bytes(12), INT64
    ),
    r"which is 3 numbers in float_data, and it has 0": lambda: holding("int64_data", [1, 2, 3]),
    r"which is 3 numbers in float_data, and it has 2": lambda: holding("float_data", [1, 2]),
    r"the weight 'w' has the shape \(-3,\)": lambda: holding("raw_data", bytes(12), dims=(-3,)),
    r"the weight 'w' is float32 of shape \(99999999999,\)": lambda: holding(
        "raw_data", bytes(12), dims=(99999999999,)
    ),
    r"the weight 'w' holds FLOAT8E4M3FN, which minigraph has not": lambda: holding(
        "raw_data", bytes(3), onnx.TensorProto.FLOAT8E4M3FN
    ),
    r"the weight 'w' holds type 77, which": lambda: holding("raw_data", bytes(12), 77),
    r"'y' \(Loop\): .*control flow; export": lambda: net(
        ("Loop", "n c x", "y", {"body": branch()}),
        weights=[("n", np.array(3)), ("c", np.array(True))],
    ),
    r"'y' \(Scan\): .*control flow": lambda: net(
        ("Scan", "x", "y", {"body": branch(), "num_scan_inputs": 1})
    ),
    r"'y' \(Gather\): .*index": lambda: net(
        ("Gather", "w i", "y", {}), weights=[("w", np.ones(3, "f")), ("i", np.array([7]))]
    ),
    r"'y' \(Reshape\): ": lambda: net(
        ("Reshape", "x s", "y", {}), weights=[("s", np.array([4, 4]))]
    ),
    r"'y' \(Split\): there are ": lambda: net(("Split", "x", "y", {"num_outputs": 10**12})),
}


def test_a_file_that_asks_for_too_much_or_is_not_what_it_says_is_told_by_name(tmp_path):
    """Each of them in one sentence, with little memory and in little time."""
    path = tmp_path / "model.onnx"
    models = {what: make() for what, make in (HOSTILE | BROKEN | LACKING).items()}
    told = {}
    tracemalloc.start()
    for what, model in models.items():
        path.write_bytes(model.SerializeToString())
        try:
            told[what] = f"read: {from_onnx(path)}"
        except mg.MinigraphError as error:
            told[what] = str(error)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    wrong = [
        f"{what} -> {text}"
        for what, text in told.items()
        if not (re.search(what, text) and text.startswith(f"{path}: ") and "\n" not in text)
    ]
    assert wrong == []
    assert len(told) > 50
    assert most < 250e6


def test_what_grows_is_read_where_it_is_allowed():
    model = grown("Concat", "w", 12, axis=0)  # 2 MB of the 4,096 rows, and those before
    with pytest.raises(mg.TranslationError, match="most=") as error:
        from_onnx(model, most=10_000)
    most = int(re.search(r"most=([\d_]+)", str(error.value))[1])
    assert from_onnx(model, most=most).outputs[0].value.shape == (2 << 12, 3)
    assert from_onnx(declared((2, 3)), sizes={"x": (5, 3)}).outputs[0].shape == (5, 3)


def test_a_large_model_is_refused_with_its_size_until_it_is_allowed(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(200_000_000)  # of which nothing is read
    with pytest.raises(
        mg.TranslationError, match=r"200\.0 MB, more than 100\.0 MB.*most=200_000_000"
    ):
        from_onnx(path)
    path.write_bytes(dense().SerializeToString())
    with pytest.raises(mg.TranslationError, match="most="):
        from_onnx(path, sizes={"batch": 1}, most=100)
    assert from_onnx(path, sizes={"batch": 1}, most=1000)


def test_without_onnx_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "minigraph\[onnx\]"'):
        from_onnx("model.onnx")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"sizes": 8}, TypeError, "sizes are given by name.*not 8"),
        ({"values": [1.0]}, TypeError, r"values are given by name.*not \[1.0\]"),
        ({"most": "1GB"}, TypeError, "most is a number of bytes, not '1GB'"),
        ({"sizes": {"bathc": 3}}, mg.FeedError, "no input or size 'bathc'.*there are x, batch"),
        ({"values": {"y": 3.0}}, mg.FeedError, "no input 'y' for values; there are x$"),
    ],
)
def test_what_is_given_beside_a_file_is_not_blamed_on_the_file(given, error, message):
    x, y = (helper.make_tensor_value_info(name, FLOAT, ["batch"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    with pytest.raises(error, match=message):
        bridges.onnx.from_onnx(helper.make_model(graph), **given)
