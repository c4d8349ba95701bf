"""Lesson 15 against the frameworks themselves: the stored graphs, and what the exercises expect."""

import numpy as np
import pytest

import minigraph as mg
from minigraph.course import frameworks
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES


def installed(name):
    return pytest.importorskip(name, reason=f"pip install {name} to compare with it")


@pytest.fixture
def wide():
    """JAX with float64, as it was before afterwards."""
    jax = installed("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


# --- stored graphs --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", frameworks.PROGRAMS)
@pytest.mark.usefixtures("wide")
def test_a_stored_graph_is_the_one_that_the_framework_gives_now(name):
    installed(name)
    assert mg.to_json(frameworks.stored(name)) == mg.to_json(frameworks.taken(name))


@pytest.mark.parametrize("name", frameworks.PROGRAMS)
def test_a_stored_graph_has_the_value_and_the_slope_of_the_formula(name):
    loss = frameworks.stored(name)
    w, x, b, t = frameworks.NUMBERS.values()
    h = np.tanh(w * x + b)
    assert float(loss.value) == pytest.approx((h - t) ** 2, rel=1e-15)
    (leaf,) = (node for node in mg.topological_order(loss) if node.name == "w")
    slope = 2 * (h - t) * (1 - h * h) * x
    assert float(mg.grad(loss, leaf).value) == pytest.approx(slope, rel=1e-12)


def test_the_stored_run_is_that_of_the_installed_torch():
    installed("torch")
    now, then = mg.record(frameworks.running_in_torch()), frameworks.stored_run()
    assert now.nodes == then.nodes
    told = [[(e.kind, e.phase, e.node, e.user, e.slot) for e in run.events] for run in (now, then)]
    assert told[0] == told[1]
    for number in ("upstream", "local", "before", "value"):
        columns = [[getattr(e, number) for e in run.events] for run in (now, then)]
        one, other = (np.array([np.nan if x is None else x for x in xs]) for xs in columns)
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_stored_run_has_the_gradients_that_torch_leaves():
    torch = installed("torch")
    w, b, v, c = weights = [
        torch.tensor(number, dtype=torch.float64, requires_grad=True)
        for number in (0.5, -0.25, 1.5, 0.25)
    ]
    loss = (torch.tanh(v * torch.tanh(w * 2.0 + b) + c) - 1.0) ** 2
    loss.backward()
    run = frameworks.stored_run()
    found = {row.name: run.gradients.get(row.id) for row in run.nodes}
    for name, x in zip(("0.w", "0.b", "1.w", "1.b"), weights):
        assert found[name] == pytest.approx(float(x.grad), rel=1e-12)


def test_the_player_is_the_same_without_torch(monkeypatch):
    installed("torch")
    live = mg.play(frameworks.watched())
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    stored = mg.play(frameworks.watched())
    assert stored.view == live.view
    assert repr(stored) == repr(live)


@pytest.mark.parametrize("name", frameworks.PROGRAMS)
def test_a_framework_that_is_missing_is_named_and_its_graph_is_there(name, monkeypatch):
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    assert f"stored; pip install {name} to run it" in frameworks.where_from()
    assert mg.to_json(frameworks.graph_of(name)) == mg.to_json(frameworks.stored(name))


def test_a_program_is_shown_as_it_runs():
    assert "torch.tanh(w * x + b) - t" in frameworks.program("torch")
    assert 'helper.make_node("Tanh", ["z"], ["h"])' in frameworks.program("onnx")


# --- exercises ------------------------------------------------------------------------------------


def test_python_comes_by_as_often_as_is_said():
    torch, jax = installed("torch"), installed("jax")
    lines = []

    def f(x):
        lines.append(x)
        return x * x

    def counted(run):
        lines.clear()
        run()
        return len(lines)

    def backward():
        for n in range(5):
            f(torch.tensor(float(n), requires_grad=True)).backward()

    def called(g, values):
        for value in values:
            g(value)

    numbers = [0.0, 1.0, 2.0, 3.0, 4.0]
    arrays = [np.zeros(size) for size in (3, 3, 4, 3, 4)]
    seen = {
        "eager": counted(lambda: called(f, [torch.tensor(x) for x in numbers])),
        "backward": counted(backward),
        "jitted": counted(lambda: called(jax.jit(f), numbers)),
        "shapes": counted(lambda: called(jax.jit(f), arrays)),
        "gradient": counted(lambda: called(jax.jit(jax.grad(f)), numbers)),
        "file": 0,
    }
    assert expected(EXERCISES["predict_runs"], ()) == seen


def test_traces_are_kept_as_jax_keeps_them(wide):
    for (calls,) in EXERCISES["count_traces"].cases(0)[:16]:
        traces, counts = [], []
        g = wide.jit(lambda *arguments, traces=traces: traces.append(1) or len(arguments))
        for call in calls:
            g(*(np.zeros(shape, dtype) for shape, dtype in call))
            counts.append(len(traces))
        assert expected(EXERCISES["count_traces"], (calls,)) == counts


def test_a_model_runs_as_in_the_reference_of_onnx():
    onnx = installed("onnx")
    from onnx.reference import ReferenceEvaluator

    double = onnx.TensorProto.DOUBLE
    for nodes, inputs in EXERCISES["run_model"].cases(1)[:-1]:
        results = [result for _, _, result in nodes]
        infos = [
            [onnx.helper.make_tensor_value_info(name, double, []) for name in names]
            for names in (inputs, results)
        ]
        made = [onnx.helper.make_node(op, names, [result]) for op, names, result in nodes]
        model = onnx.helper.make_model(onnx.helper.make_graph(made, "model", *infos))
        feeds = {name: np.float64(value) for name, value in inputs.items()}
        found = ReferenceEvaluator(model).run(None, feeds) if nodes else []
        right = inputs | {name: float(value) for name, value in zip(results, found)}
        assert expected(EXERCISES["run_model"], (nodes, inputs)) == pytest.approx(right, rel=1e-12)


def test_a_scaled_step_is_that_of_torch():
    torch = installed("torch")
    for weights, gradients, scale, rate in EXERCISES["scaled_step"].cases(1):
        half = np.array(gradients, dtype=float)
        p = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
        p.grad = torch.tensor(half).to(torch.float16).double() / scale
        halved = not bool(torch.isfinite(p.grad).all())
        if not halved:
            torch.optim.SGD([p], lr=rate).step()
        new, kept = expected(EXERCISES["scaled_step"], (weights, gradients, scale, rate))
        np.testing.assert_allclose(new["numbers"], p.detach().numpy(), rtol=1e-12, atol=1e-15)
        assert kept["numbers"] == [scale / 2 if halved else scale]
