"""The exercises on parallelism and scale, against search, the engine, and what it really keeps."""

import itertools
import re
import weakref
from pathlib import Path

import nbformat
import numpy as np
import pytest
from checks import cases_and_answers, failure

import minigraph as mg
from minigraph.compiler import critical_path
from minigraph.course import checking, graphs
from minigraph.course.exercises import EXERCISES, parallelism_and_scale


def operations_before(graph, name):
    return [x for x in graph[name][1:] if x in graph]


# --- answers --------------------------------------------------------------------------------------


def best_makespan(graph, seconds, workers):
    """Try every order in which so many workers can take the operations."""
    best = sum(seconds.values())
    for order in itertools.permutations(graph):
        end, free = {}, [0] * workers
        for name in order:
            inputs = operations_before(graph, name)
            if not all(x in end for x in inputs):
                break
            worker = free.index(min(free))
            start = max([free[worker], *(end[x] for x in inputs)])
            free[worker] = end[name] = start + seconds[name]
        else:
            best = min(best, max(end.values()))
    return best


def test_no_schedule_is_shorter_than_what_is_predicted():
    (((graph, seconds), answer),) = cases_and_answers("predict_makespans")
    crews = parallelism_and_scale.CREWS
    workers = {crew: min(count, len(graph)) for crew, count in crews.items()}
    assert answer == {crew: best_makespan(graph, seconds, n) for crew, n in workers.items()}


def all_paths(graph, name):
    inputs = operations_before(graph, name)
    return [[*path, name] for x in inputs for path in all_paths(graph, x)] or [[name]]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_path_is_longer_than_the_critical_one(seed):
    for (graph, seconds), path in cases_and_answers("find_critical_path", seed)[:-1]:
        length = sum(seconds[name] for name in path)
        paths = [one for name in graph for one in all_paths(graph, name)]
        assert path in paths
        assert length == max(sum(seconds[name] for name in one) for one in paths)
        nodes = graphs.build(graph)
        whole = mg.Graph([nodes[name] for name in graph], ())
        costs = {nodes[name]: float(seconds[name]) for name in graph}
        assert critical_path(whole, costs)[1] == length


def test_any_of_several_critical_paths_is_right():
    form = EXERCISES["find_critical_path"].form
    case = ({"p": ("+", "a", "b"), "q": ("-", "a", "b"), "y": ("*", "p", "q")},
            {"p": 3, "q": 3, "y": 1})  # fmt: skip
    assert form.difference(["p", "y"], ["q", "y"], case) is None
    assert form.difference(["q", "y"], ["p", "y"], case) is None
    assert "a longer one" in form.difference(["y"], ["p", "y"], case).text
    assert "a longer one" in form.difference([], ["p", "y"], case).text
    assert "does not use q" in form.difference(["q", "p", "y"], ["p", "y"], case).text


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_schedule_obeys_the_graph_the_workers_and_the_list(seed):
    for (graph, seconds, workers, order), start in cases_and_answers("start_times", seed):
        end = {name: start[name] + seconds[name] for name in graph}
        for name in graph:
            assert all(end[x] <= start[name] for x in operations_before(graph, name))
        for now in range(max(end.values())):
            running = [name for name in graph if start[name] <= now < end[name]]
            assert len(running) <= workers
            ready = [
                name
                for name in order
                if start[name] >= now and all(end[x] <= now for x in operations_before(graph, name))
            ]
            begun = [name for name in ready if start[name] == now]
            assert begun == ready[: len(begun)]  # nobody is passed over
            assert len(running) == workers or begun == ready  # nobody is idle


def test_shards_together_have_the_gradient_of_the_whole_batch():
    rng = np.random.default_rng(0)
    x, t, w = rng.normal(size=(9, 3)), rng.normal(size=9), rng.normal(size=3)

    def gradient(x, t):
        weights = mg.variable(w)
        mg.mean((mg.constant(x) @ weights - t) ** 2).backward()
        return weights.grad

    parts = [slice(0, 5), slice(5, 8), slice(8, 9), slice(9, 9)]
    gradients = np.array([gradient(x[p], t[p]) for p in parts[:-1]] + [[np.nan] * 3])
    sizes = [len(x[p]) for p in parts]
    found = EXERCISES["combine_shards"].reference(sizes, gradients)
    np.testing.assert_allclose(found, gradient(x, t), rtol=1e-12)


def counted(layers, segments):
    """What a chain of layers with checkpoints keeps and computes, counted while it runs."""
    results, most = [], 0

    def alive():
        return sum(result() is not None for result in results)

    def layer(h):
        nonlocal most
        h = mg.sin(h)
        results.append(weakref.ref(h.value.base))  # each look at a value is a new view
        most = max(most, alive())
        return h

    h = mg.variable(np.ones(4))
    for part in np.array_split(np.arange(layers), segments):

        def segment(h, part=part):
            for _ in part:
                h = layer(h)
            return h

        h = mg.checkpoint(segment)(h)
    kept = alive()
    mg.sum(h).backward()
    return kept, most, len(results)


def test_predicted_memory_is_what_the_engine_keeps():
    (((layers, segments, megabytes), answer),) = cases_and_answers("predict_checkpoints")
    kept, most, computed = counted(layers, segments)
    assert answer["kept"] == kept * megabytes
    assert answer["at most"] == most * megabytes
    assert answer["layers computed"] == computed
    divisors = [k for k in range(1, layers + 1) if layers % k == 0]
    assert answer["best number of segments"] == min(divisors, key=lambda k: counted(layers, k)[1])


# --- what the checks say --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["find_critical_path", "start_times"])
def test_the_code_of_a_long_graph_makes_it(name):
    exercise = EXERCISES[name]
    for case in exercise.cases():
        made: dict = {}
        exec(exercise.as_code(*case), made)
        assert tuple(made[x] for x in exercise.parameters) == exercise.as_arguments(*case)


def test_a_step_that_is_no_edge_is_named():
    error = failure("find_critical_path", lambda graph, seconds: [*graph])
    assert "After p comes q, but `q = a − b` does not use p." in str(error)


def test_a_path_that_is_too_short_is_measured():
    error = failure("find_critical_path", lambda graph, seconds: [[*graph][-1]])
    assert "There is a longer one." in str(error)


def test_a_scheduler_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 0.2)

    def forever(graph, seconds, workers, order):
        while True:
            pass

    assert "Look for a loop that never ends" in str(failure("start_times", forever))


def test_the_empty_shard_is_the_second_fault():
    def weighted(sizes, gradients):
        return sum(n / sum(sizes) * g for n, g in zip(sizes, gradients))

    error = failure("combine_shards", weighted)
    assert error.key == "nothing times NaN"
    assert "np.nan" in str(error)


def test_the_lesson_has_counted_what_its_formula_says():
    lesson = Path(__file__).parents[1] / "notebooks" / "13_parallelism_and_scale.ipynb"
    (table,) = (
        cell.outputs[0].text
        for cell in nbformat.read(lesson, as_version=4).cells
        if cell.id == "memory-table"
    )
    rows = [
        [*map(int, row)] for row in re.findall(r"^ *(\d+) +(\d+) +(\d+) +(\d+) +True", table, re.M)
    ]
    assert [k for k, *_ in rows] == [1, 3, 9, 27, 81]
    assert all(row == [k, k, k + 81 // k, 2 * 81] for row in rows for k in row[:1])
