"""The same graph on Dask: on local threads, on a cluster, and on a cluster that loses a worker."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from checks import EXPLORES
from hypothesis import given, settings
from hypothesis import strategies as st
from late import package
from programs import programs
from programs import run as run_program

import minigraph as mg
from minigraph.bridges import dask as bridge
from minigraph.bridges.dask import gradients_over_shards, run

dask = package("dask", reason="runs graphs with Dask: pip install -e .[dask]")
distributed = package("distributed", reason="runs graphs on a cluster: pip install -e .[dask]")
FEW = settings(max_examples=15 if EXPLORES else 8)


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of its own."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 5}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as made,
    ):
        yield made


def classifier(count=12, features=5):
    """A small network, its loss on a batch, and values for all its inputs."""
    rng = np.random.default_rng(1)
    x = mg.placeholder("x", (count, features))
    labels = mg.placeholder("labels", (count,), int)
    w, b = mg.placeholder("w", (features, 7)), mg.placeholder("b", (7,))
    v = mg.placeholder("v", (7, 3))
    loss = mg.cross_entropy(mg.tanh(x @ w + b) @ v, labels).named("loss")
    values = {
        "x": rng.normal(size=(count, features)),
        "labels": rng.integers(0, 3, count),
        "w": rng.normal(size=(features, 7)),
        "b": rng.normal(size=7),
        "v": rng.normal(size=(7, 3)),
    }
    return mg.Graph(loss, [x, labels, w, b, v]), values


def assert_whole_batch(graph, values, found, wrt=("w", "b", "v")):
    loss, gradients = found
    np.testing.assert_allclose(loss, graph.run(values), rtol=1e-13)
    for ours, whole in zip(gradients, graph.grad(list(wrt)).run(values), strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-11, atol=1e-14)


# --- whole graphs ---------------------------------------------------------------------------------


@given(programs(), st.integers(1, 4), st.sampled_from([0.0, 2e-6]))
@FEW
def test_random_programs_have_the_same_results_to_the_bit(program, workers, handoff):
    inputs, steps = program
    xs = [mg.placeholder(f"x{i}", x.shape) for i, x in enumerate(inputs)]
    y = run_program(mg, xs, steps)
    graph = mg.Graph([y, *mg.grad(y, xs), y], xs)
    feeds = {f"x{i}": x for i, x in enumerate(inputs)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "HANDOFF", handoff)  # or all of it would be one task
        found = run(graph, feeds, workers=workers)
    for ours, theirs in zip(found, graph.run(feeds), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_graph_runs_on_a_cluster_by_address_and_by_client(cluster, monkeypatch):
    graph, values = classifier()
    monkeypatch.setattr(bridge, "HANDOFF", 0.0)
    slopes = graph.grad(["w", "b"])
    expected = slopes.run(values)
    for client in (cluster.scheduler_address, distributed.Client(cluster)):
        for ours, theirs in zip(run(slopes, values, client), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert run(graph, values, client) == graph.run(values)
    client.close()


def test_leaves_and_several_uses_of_a_leaf_come_along():
    x, w = mg.placeholder("x", (2,)), mg.variable([3.0, 4.0], name="w")
    graph = mg.Graph([w, w * x, x, mg.sum(w * w)], [x])
    found = run(graph, {"x": [1.0, 2.0]})
    assert [y.tolist() for y in found] == [[3.0, 4.0], [3.0, 8.0], [1.0, 2.0], 25.0]
    assert run(mg.Graph(x), {"x": [1.0, 2.0]}).tolist() == [1.0, 2.0]


def test_operations_of_ones_own_are_given_by_name():
    @mg.custom(lambda g, out, x: 2.0 * g)
    def doubled(x):
        return 2.0 * x

    x = mg.placeholder("x", (3,))
    graph = mg.Graph(mg.sum(doubled(x)))
    with pytest.raises(mg.FormatError, match="there is no operation 'doubled'"):
        run(graph, {"x": np.ones(3)})
    assert run(graph, {"x": np.ones(3)}, operations={"doubled": doubled}) == 6.0


def test_errors_name_the_node_on_threads_and_on_a_cluster(cluster):
    x, i = mg.placeholder("x", (3,)), mg.placeholder("i", (), int)
    graph = mg.Graph(mg.exp(x)[i])
    for client in (None, cluster.scheduler_address):
        with pytest.raises(mg.ShapeError, match=r"getitem of .* out of bounds"):
            run(graph, {"x": np.ones(3), "i": 3}, client)
    with pytest.raises(mg.FeedError, match="without a value for x"):
        run(graph, {"i": 3})


def test_without_dask_one_line_says_what_to_install(monkeypatch):
    graph, values = classifier()
    for name, client in (("dask", None), ("distributed", "tcp://localhost:1")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(ImportError, match=r'^[^\n]*pip install "minigraph\[dask\]"$'):
                run(graph, values, client)


# --- shards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 2, 3, 5, 12])
def test_shards_of_any_size_give_the_gradient_of_the_whole_batch(shards):
    graph, values = classifier()
    assert_whole_batch(graph, values, gradients_over_shards(graph, values, shards, ["x", "labels"]))


def test_pytorch_agrees(torch):
    graph, values = classifier()
    loss, gradients = gradients_over_shards(graph, values, 5, ["x", "labels"])
    x, w, b, v = (torch.tensor(values[n], requires_grad=True) for n in ("x", "w", "b", "v"))
    out = torch.tanh(x @ w + b) @ v
    theirs = torch.nn.functional.cross_entropy(out, torch.tensor(values["labels"]))
    theirs.backward()
    np.testing.assert_allclose(loss, theirs.item(), rtol=1e-12)
    for ours, leaf in zip(gradients, (w, b, v), strict=True):
        np.testing.assert_allclose(ours, leaf.grad, rtol=1e-10, atol=1e-14)


def test_a_batch_may_lie_along_another_axis_and_one_gradient_comes_bare():
    x, w = mg.placeholder("x", (3, 10), np.float32), mg.placeholder("w", (3,), np.float32)
    graph = mg.Graph(mg.mean(mg.tanh(w @ x) ** 2), [x, w])
    values = {"x": np.linspace(-1, 2, 30, dtype="f").reshape(3, 10), "w": np.ones(3, "f")}
    loss, slope = gradients_over_shards(graph, values, 4, {"x": -1}, wrt="w")
    np.testing.assert_allclose(loss, graph.run(values), rtol=1e-6)
    np.testing.assert_allclose(slope, graph.grad("w").run(values), rtol=1e-5)
    assert slope.dtype == loss.dtype == np.float32


def test_weights_that_are_variables_need_not_be_fed():
    x, w = mg.placeholder("rows", (8, 2)), mg.variable([0.5, -1.0], name="w")
    graph = mg.Graph(mg.mean((x @ w - 1.0) ** 2), [x, w])
    values = {"rows": np.arange(16.0).reshape(8, 2) / 8}
    assert_whole_batch(graph, values, gradients_over_shards(graph, values, 3, "rows"), ["w"])


def test_shapes_that_name_the_size_of_the_batch_follow_it():
    x, t = mg.placeholder("x", (6, 2, 2)), mg.placeholder("t", (6, 2), int)
    w, b = mg.variable(np.ones((4, 6)) / 7, name="w"), mg.variable(np.zeros(6), name="b")
    hidden = mg.reshape(x, (6, -1)) @ w + b
    loss = mg.cross_entropy(mg.reshape(mg.tanh(hidden), (6, 2, 3)), t)
    graph = mg.Graph(loss, [x, t, w, b])
    values = {"x": np.arange(24.0).reshape(6, 2, 2) / 9, "t": np.arange(12).reshape(6, 2) % 3}
    assert_whole_batch(
        graph, values, gradients_over_shards(graph, values, 4, ["x", "t"]), ["w", "b"]
    )


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda x: mg.sum(x), "is no mean over the examples"),
        (lambda x: mg.sum(x) / 6.0, "is no mean over the examples"),
        (lambda x: mg.mean(mg.exp(x)) ** 2, "is no mean over the examples"),
        (lambda x: mg.mean(x, axis=0), "a loss is one output, and a scalar"),
        (lambda x: mg.mean(mg.reshape(x, (3, 4))), r"reshape.*fits a batch of one size only"),
        (lambda x: mg.mean(x[np.arange(6)[::-1]]), r"getitem.*fits a batch of one size only"),
        (lambda x: mg.mean(x * np.ones((6, 2))), r"multiply.*fits a batch of one size only"),
    ],
)
def test_what_shards_would_get_wrong_is_refused(make, problem):
    x, w = mg.placeholder("x", (6, 2)), mg.placeholder("w")
    graph = mg.Graph(make(x * w), [x, w])
    with pytest.raises(mg.MinigraphError, match=problem):
        gradients_over_shards(graph, {"x": np.arange(12.0).reshape(6, 2), "w": 0.5}, 2, "x")


def test_batches_and_shards_are_checked():
    graph, values = classifier()
    for shards in (0, 13, 2.0, True):
        with pytest.raises(mg.FeedError, match="a batch of 12 is split into 1 to 12 shards"):
            gradients_over_shards(graph, values, shards, ["x", "labels"])
    for batch, problem in (
        (["x", "b"], "12 examples in x, 7 examples in b"),
        (["X"], "there is no input 'X'"),
        ({"labels": 1}, "has no axis 1"),
        ([], "there are none"),
    ):
        with pytest.raises(mg.FeedError, match=problem):
            gradients_over_shards(graph, values, 2, batch)
    with pytest.raises(mg.GradientError, match="wrt names what all shards share"):
        gradients_over_shards(graph, values, 2, ["x", "labels"], wrt=["x"])


# --- a cluster that loses a worker ----------------------------------------------------------------


def test_the_loss_of_a_worker_changes_nothing(cluster, tmp_path, monkeypatch):
    """One of two processes is killed while it computes, and no other one comes."""

    async def stays_lost(nanny):
        """The other process does it all."""

    monkeypatch.setattr(distributed.Nanny, "instantiate", stays_lost)
    here = os.getpid()

    @mg.custom(lambda g, out, x: g)
    def napping(x):
        if os.getpid() != here:  # where two examples are tried first
            has_a_result = tmp_path / str(os.getpid())
            while has_a_result.exists() and not (tmp_path / "killed").exists():
                time.sleep(0.02)
            has_a_result.touch()
        return x * 1.0

    graph, values = classifier(count=24)
    x, labels, w, b, v = graph.inputs
    loss = mg.cross_entropy(mg.tanh(napping(x) @ w + b) @ v, labels)
    graph = mg.Graph(loss, graph.inputs)
    with distributed.Client(cluster) as client:
        processes = client.run(os.getpid)
        killed = []

        def kill_one_at_work():
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not killed:
                done = [t for t in client.who_has().values() if t]
                for address, keys in client.processing().items():
                    if keys and done:  # it works, and it or the other has results already
                        os.kill(processes[address], getattr(signal, "SIGKILL", signal.SIGTERM))
                        killed.append(address)
                        break
                time.sleep(0.02)
            (tmp_path / "killed").touch()

        killer = threading.Thread(target=kill_one_at_work)
        killer.start()
        found = gradients_over_shards(
            graph, values, 8, ["x", "labels"], client=client, operations={"napping": napping}
        )
        killer.join()
        assert killed
        assert processes[killed[0]] not in client.run(os.getpid).values()
    assert_whole_batch(graph, values, found)
