"""Static graphs: defined before there are numbers, they compute what dynamic ones compute."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from programs import near_a_kink, programs, run

import minigraph as mg
from minigraph.core.operation import OPERATIONS
from minigraph.graph.promises import check_graph

FEW = settings(max_examples=60)


def symbolic(inputs):
    return [mg.placeholder(f"x{i}", x.shape, x.dtype) for i, x in enumerate(inputs)]


def feeds(inputs):
    return {f"x{i}": x for i, x in enumerate(inputs)}


def regression():
    x, t = mg.placeholder("x", (4, 2)), mg.placeholder("t", (4,))
    w = mg.variable([0.5, -1.0], name="w")
    return mg.mean((x @ w - t) ** 2).named("loss"), x, t, w


# --- what is symbolic -----------------------------------------------------------------------------


@given(programs())
@FEW
def test_a_symbolic_program_has_the_dynamic_ones_values_and_gradients(program):
    inputs, steps = program
    xs = [mg.variable(x) for x in inputs]
    y = run(mg, xs, steps)
    assume(not near_a_kink(y))
    z = run(mg, symbolic(inputs), steps)
    assert (z.shape, z.dtype) == (y.shape, y.dtype)
    check_graph(mg.topological_order(z))
    graph = mg.Graph(z)
    np.testing.assert_array_equal(graph.run(feeds(inputs)), y.value)
    y.backward()
    for found, x in zip(graph.grad().run(feeds(inputs)), xs):
        np.testing.assert_allclose(found, x.grad, rtol=1e-12, atol=1e-13)


@given(programs())
@FEW
def test_a_captured_program_runs_again_with_other_numbers(program):
    inputs, steps = program
    others = [x[::-1] * 0.75 + 0.1 if x.ndim else x * 0.75 + 0.1 for x in inputs]
    graph = mg.Graph(
        run(mg, [mg.variable(x, name=f"x{i}") for i, x in enumerate(inputs)], steps),
    )
    graph = mg.Graph(graph.outputs[0], [x for x in graph.order if x.name])
    expected = run(mg, [mg.variable(x) for x in others], steps)
    named = {x.name for x in graph.inputs}
    given_ = {name: x for name, x in feeds(others).items() if name in named}
    np.testing.assert_array_equal(graph.run(given_), expected.value)


def test_gradients_of_gradients_are_graphs_too():
    x = mg.placeholder("x")
    y = mg.Graph(x**3)
    assert y.grad("x").grad("x").run({"x": 2.0}) == pytest.approx(12.0)


@pytest.mark.parametrize("name", [n for n, op in OPERATIONS.items() if op.partials])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_elementwise_dtypes_are_inferred_as_numpy_computes_them(name, dtype):
    function = getattr(mg, name)
    count = len(OPERATIONS[name].parameters)
    try:
        with np.errstate(all="ignore"):
            known = function(*[mg.constant(np.ones((2, 1), dtype)) for _ in range(count)])
    except TypeError:
        pytest.skip(f"{name} does not take {dtype.__name__}")
    made = function(*[mg.placeholder(f"x{i}", (2, 1), dtype) for i in range(count)])
    assert (made.shape, made.dtype) == (known.shape, known.dtype)


def test_a_symbolic_node_says_what_it_waits_for():
    loss, x, _, _ = regression()
    for ask in (bool, float, int, lambda y: y.value, lambda y: y.backward(), mg.record, mg.play):
        with pytest.raises(
            mg.SymbolicError, match=r"it waits for t and x|it waits for a run|no numb"
        ):
            ask(loss)
    with pytest.raises(mg.SymbolicError, match=r"Python cannot branch .* mg\.where"):
        assert loss > 1
    with pytest.raises(mg.SymbolicError, match=r"gets its value when the graph is run"):
        x.value = np.zeros((4, 2))
    with pytest.raises(mg.SymbolicError, match=r"mg\.stop_gradient"):
        loss.detach()
    with pytest.raises(mg.SymbolicError, match=r"how many elements a mask chooses"):
        x[x > 0]
    with pytest.raises(mg.ShapeError, match=re.escape("x (placeholder, shape (4, 2))")):
        x @ np.ones((3, 2))
    assert repr(x) == "<placeholder x float64 of shape (4, 2)>"


def test_labels_may_come_later():
    x, labels = mg.placeholder("x", (4, 3)), mg.placeholder("labels", (4,), int)
    graph = mg.Graph(mg.cross_entropy(x, labels))
    values = {"x": np.arange(12.0).reshape(4, 3) % 5, "labels": [0, 2, 1, 1]}
    expected = mg.cross_entropy(mg.variable(values["x"]), np.array(values["labels"]))
    assert graph.run(values) == expected.value
    assert graph.grad("x").run(values) == pytest.approx(
        mg.grad(mg.cross_entropy(v := mg.variable(values["x"]), [0, 2, 1, 1]), v).value
    )


def test_a_label_of_a_compiled_function_may_be_a_number():
    scores = np.array([0.5, -1.0, 2.0])
    loss = mg.compile(lambda scores, label: mg.cross_entropy(scores, label))
    for label in (2, 0, 2):
        assert loss(scores, label) == pytest.approx(np.log(np.exp(scores).sum()) - scores[label])


@pytest.mark.parametrize("wrong", [-1, 3])
@pytest.mark.parametrize("shape", [(2,), (1, 2), ()])
def test_labels_that_come_later_are_checked_as_those_that_are_there(wrong, shape):
    scores = mg.variable(np.zeros((*shape, 3)), name="scores")
    right, bad = np.ones(shape, int), np.full(shape, wrong)
    said = f"label {wrong} is none of the 3 classes"
    for make in (lambda: bad, lambda: mg.constant(bad)):
        with pytest.raises(mg.ShapeError, match=f"{said} of scores"):
            mg.cross_entropy(scores, make())
    fed = mg.placeholder("labels", shape, np.int64)
    captured = mg.constant(right, name="labels")
    logits = mg.placeholder("logits", (*shape, 3))
    for graph in (
        mg.Graph(mg.cross_entropy(scores, fed)),
        mg.Graph(mg.cross_entropy(scores, captured), [captured]),
        mg.Graph(mg.grad(mg.cross_entropy(scores, fed), scores)),
        mg.Graph(mg.cross_entropy(logits, fed)),
    ):
        feeds = {x.name: np.zeros(x.shape) for x in graph.inputs if x.name == "logits"}
        plan = graph.compile()
        for way in (graph.run, lambda f, g=graph: g.run(f, workers=2), lambda f, p=plan: p(**f)):
            assert np.isfinite(way(feeds | {"labels": right})).all()
            with pytest.raises(mg.ShapeError, match=f"of labels .*{said}"):
                way(feeds | {"labels": bad})


def test_no_grad_leaves_a_symbolic_graph_whole():
    x = mg.placeholder("x")
    with mg.no_grad():
        y = mg.exp(x)
    assert not y.requires_grad
    assert mg.Graph(y).run({"x": 0.0}) == 1.0


# --- running --------------------------------------------------------------------------------------


def test_a_graph_runs_by_names_and_by_nodes():
    loss, x, t, w = regression()
    values = {"x": np.ones((4, 2)), "t": np.zeros(4)}
    graph = mg.Graph(loss, [x, t, w])
    assert graph.run(values) == 0.25
    assert graph.run({x: np.ones((4, 2)), t: np.zeros(4), w: [1, 1]}) == 4.0
    w.value = [1.0, 1.0]
    assert graph.run(values) == 4.0  # what is not fed keeps its own value, whatever that is now
    assert mg.Graph([loss, w], [x, t]).run(values)[1].tolist() == [1.0, 1.0]
    assert "5 operations" in repr(graph) or "4 operations" in repr(graph)


def test_results_cannot_be_changed_in_place():
    x = mg.placeholder("x", (3,))
    found = mg.Graph(x * 2).run({"x": np.ones(3)})
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "without a value for x (float64, shape (4, 2)), t (float64, shape (4,))"),
        ({"X": 1}, "there is no input 'X'; the inputs are x (float64, shape (4, 2)), "),
        ({"x": np.ones(3)}, "the input x (float64, shape (4, 2)) was given shape (3,)"),
        ({"x": "many"}, "the input x (float64, shape (4, 2)) cannot take this value"),
        ({"x": np.ones((4, 2)) * 1j}, "cannot take this value: a Node holds real numbers"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values, problem):
    with pytest.raises(mg.FeedError, match=re.escape(problem)):
        mg.Graph(regression()[0]).run(values)


def test_inputs_are_leaves_with_names_of_their_own():
    loss, x, t, w = regression()
    for inputs, problem in (
        ([x, t, loss], "loss (mean, shape ()) is computed, so it cannot be an input"),
        ([x, t, mg.variable(1.0)], "needs a name to be an input"),
        ([x, t, mg.variable(1.0, name="t")], "two inputs have the name 't'"),
        ([x, w], "t (placeholder, shape (4,)) has no value of its own"),
        ([x, t, 3], "an input is a Node, not int 3"),
    ):
        with pytest.raises(mg.MinigraphError, match=re.escape(problem)):
            mg.Graph(loss, inputs)
    with pytest.raises(mg.MinigraphError, match="at least one output"):
        mg.Graph([])
    for arguments in (("",), ("x", "wide"), ("x", (2,), "complex128"), ("x", (-1,))):
        with pytest.raises(mg.NodeTypeError):
            mg.placeholder(*arguments)


def test_an_error_in_a_run_names_the_node():
    x, i = mg.placeholder("x", (3,)), mg.placeholder("i", (), int)
    graph = mg.Graph(x[i])
    assert graph.run({"x": [1.0, 2.0, 3.0], "i": 2}) == 3.0
    with pytest.raises(mg.ShapeError, match=r"getitem of x \(placeholder.* out of bounds"):
        graph.run({"x": [1.0, 2.0, 3.0], "i": 3})


def test_a_long_graph_runs_without_recursion_and_forgets_what_it_does_not_need():
    y = x = mg.placeholder("x", (1000,))
    for _ in range(5_000):
        y = y * 0.5 + 1.0
    graph = mg.Graph(mg.sum(y))
    values = graph.fed({"x": np.zeros(1000)})
    graph._compute(values)
    assert len(values) < 5 + 2 * 5_000 + 2  # the leaves, and the output
    assert sum(np.size(v) > 1 for v in values.values()) <= 1
    assert graph.run({x: np.zeros(1000)}) == pytest.approx(2000.0)


# --- files ----------------------------------------------------------------------------------------


def test_a_graph_comes_back_from_its_files(tmp_path):
    x = mg.placeholder("x", (20, 10), np.float32)
    w = mg.variable(np.linspace(-1, 1, 200, dtype=np.float32).reshape(10, 20), name="w")
    loss = mg.mean(mg.softmax(x @ w + mg.constant(np.float32(2.0))) ** 2).named("loss")
    graph = mg.Graph([loss, *mg.grad(loss, [w])], [x, w])
    graph.save(tmp_path / "net.json")
    again = mg.Graph.load(tmp_path / "net.json")
    assert {p.name for p in tmp_path.iterdir()} == {"net.json"}
    assert [i.name for i in again.inputs] == ["x", "w"]
    values = {"x": np.arange(200, dtype=np.float32).reshape(20, 10) / 50}
    for ours, theirs in zip(graph.run(values), again.run(values), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    small = mg.Graph(mg.placeholder("y") * 2.0)
    small.save(tmp_path / "small.json")
    assert mg.Graph.load(tmp_path / "small.json").run({"y": 3}) == 6.0


def test_a_broken_file_is_refused_by_name(tmp_path):
    graph = mg.Graph(mg.placeholder("x", (3,)) + mg.constant(np.ones((30, 3))))
    path = tmp_path / "net.json"
    graph.save(path)
    text = path.read_text()
    for broken in (text[: len(text) // 2], "[]", text.replace('"add"', '"eval"'), "{}",
                   text.replace('"inputs": [0]', '"inputs": [9]'),
                   text.replace('"inputs": [0]', '"inputs": 0'),
                   text.replace('"shape": [3]', '"shape": [-3]'),
                   text.replace('"float64"', '"object"'),
                   text.replace('"stored": "n1"', '"stored": "n7"')):  # fmt: skip
        assert broken != text
        path.write_text(broken)
        with pytest.raises(mg.FormatError, match=r"net\.json holds no graph"):
            mg.Graph.load(path)
    with pytest.raises(FileNotFoundError):
        mg.Graph.load(tmp_path / "nothing.json")


# --- values that a dtype cannot hold --------------------------------------------------------------

UNFIT = [
    (np.int8, 128),
    (np.int8, -129),
    (np.int16, [0, 40_000, 1]),
    (np.int32, 2**31),
    (np.uint8, 256),
    (np.uint8, np.int8(-1)),
    (np.uint64, [[-1]]),
    (np.int64, np.uint64(2**63)),
    (np.int64, np.nan),
    (np.int64, 1.0),
    (np.bool_, 2),
    (np.float16, 65_520.0),
    (np.float16, 100_000),
    (np.float32, [1.0, -4e38]),
    (np.float32, np.longdouble("1e300")),
    (np.float64, np.longdouble("1e4000")),
]


@pytest.mark.parametrize(("dtype", "value"), UNFIT)
def test_a_value_that_would_wrap_or_overflow_is_refused_by_name(dtype, value):
    if np.longdouble is np.float64 and np.ndim(value) == 0 and np.isinf(value):
        pytest.skip("the platform's long double is a double")
    n = mg.placeholder("n", np.shape(value), dtype)
    graph = mg.Graph(mg.logical_not(n))
    c = mg.constant(np.zeros(np.shape(value), dtype), name="n")
    captured = mg.Graph(mg.logical_not(c), [c])
    plan = graph.compile()
    with pytest.raises(mg.NodeTypeError, match=r"^n \(constant.*cannot take this value") as caught:
        c.value = value
    for way in (
        lambda: graph.run({"n": value}),
        lambda: captured.run({"n": value}),
        lambda: plan(n=value),
    ):
        with pytest.raises(mg.FeedError, match=f"input n .{np.dtype(dtype)}, .* cannot take this"):
            way()
    assert np.dtype(dtype).name in str(caught.value)
    assert not c.value.any()


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (np.int8, [-128, 127]),
        (np.uint8, 255),
        (np.uint64, 2**64 - 1),
        (np.int64, np.uint64(2**63 - 1)),
        (np.int16, True),
        (np.float16, [65_504.0, -np.inf, np.nan]),
        (np.float16, 65_504),
        (np.float32, 1e-50),
        (np.float64, 2**60 + 1),
    ],
)
def test_a_value_that_fits_is_taken_as_numpy_converts_it(dtype, value):
    n = mg.placeholder("n", np.shape(value), dtype)
    found = mg.Graph(n).run({"n": value})
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.asarray(value).astype(dtype))
