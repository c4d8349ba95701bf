"""The answers to the exercises of lesson 05, against minigraph itself, and what the checks say."""

import graphlib
import itertools

import pytest
from checks import failure

import minigraph as mg
from minigraph.course import check, graphs
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES, backward_pass
from minigraph.recording import Tracer, first_difference, record


def cases_and_answers(name):
    exercise = EXERCISES[name]
    return [(case, expected(exercise, case)) for case in exercise.cases()]


def gradients_of(graph, values, seeds=(1.0,)):
    nodes = graphs.build(graph, values)
    for seed in seeds:
        nodes[[*values, *graph][-1]].backward(seed=seed)
    return {name: float(node.grad) for name, node in nodes.items()}


# --- answers --------------------------------------------------------------------------------------


def test_predicted_gradients_agree_with_the_engines():
    ((case, answer),) = cases_and_answers("predict_gradients")
    engine = gradients_of(backward_pass.FAN_OUT, dict(zip("abc", case)))
    assert answer == pytest.approx({x: engine[x] for x in answer}, rel=1e-12)


def test_exactly_the_orders_with_users_first_are_right():
    exercise = EXERCISES["predict_sweep"]
    ((case, answer),) = cases_and_answers("predict_sweep")
    (graph,) = case
    users = {x: {user for user in graph if x in graph[user]} for x in answer}
    found = 0
    for order in itertools.permutations(answer):
        is_right = exercise.form.difference(list(order), answer, case) is None
        assert is_right == is_topological(users, order)
        found += is_right
    assert found > 1


def is_topological(needs, order):
    """Ask Python's own sorter whether each node is ready when its turn comes."""
    sorter = graphlib.TopologicalSorter(needs)
    sorter.prepare()
    ready = set()
    for name in order:
        ready.update(sorter.get_ready())
        if name not in ready:
            return False
        sorter.done(name)
    return True


def test_swept_gradients_agree_with_the_engines():
    for (graph, values, _), answer in cases_and_answers("sweep"):
        assert answer["gradients"] == pytest.approx(gradients_of(graph, values), rel=1e-12)


def test_gradients_after_several_passes_agree_with_the_engines():
    for (graph, values, seeds), answer in cases_and_answers("leave_gradients"):
        assert answer == pytest.approx(gradients_of(graph, values, [*seeds, 1.0]), rel=1e-12)


def test_the_gradients_with_a_mistake_are_those_that_the_mistake_leaves():
    ((case, answer),) = cases_and_answers("name_mistakes")
    graph, values, found = case
    y = graphs.build(graph, values)[list(graph)[-1]]
    for which, mistake in answer.items():
        recording = record(y, "backward", wrong=mistake)
        left = {recording.by_id[id].name: float(g) for id, g in recording.gradients.items()}
        assert left == found[which]


def test_only_one_mistake_leaves_each_of_these_gradients():
    ((case, _),) = cases_and_answers("name_mistakes")
    graph, values, _ = case
    y = graphs.build(graph, values)[list(graph)[-1]]
    runs = [record(y, "backward", wrong=way) for way in ("", *backward_pass.MISTAKES)]
    left = {way.wrong: tuple(map(float, way.gradients.values())) for way in runs}
    assert len({left[way] for way in ("", "overwrite", "order", "upstream", "stale")}) == 5


# --- what is said of a sweep ----------------------------------------------------------------------


def local_derivative(node, i):
    return float(node.op.vjps[i](1.0, node.value, [x.value for x in node.inputs], {}))


def overwriting(y, tracer):
    gradients = {y: 1.0}
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = gradients[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            gradients[x] = c
            tracer.accumulate(node, i, c)
    return gradients


def test_the_first_wrong_step_of_a_sweep_is_named_and_its_node_marked():
    error = failure("sweep", overwriting)
    assert error.key == "overwritten instead of added"
    # x · x at x = 3: the second contribution replaces the first one.
    assert "With what has arrived, ∂y/∂x is 3; that is not right." in error.panel.text
    assert "data:image/svg+xml;base64," in error.panel.picture


def test_a_right_sweep_in_another_order_is_right():
    def other_order(y, tracer):
        gradients = {y: 1.0}
        tracer.seed(y, 1.0)
        users = dict.fromkeys(mg.topological_order(y), 0)
        for node in users:
            for x in node.inputs:
                users[x] += 1
        ready = [y]
        while ready:
            node = ready.pop(0)
            for i, x in reversed([*enumerate(node.inputs)]):
                c = gradients[node] * local_derivative(node, i)
                tracer.multiply(node, i, c)
                gradients[x] = gradients.get(x, 0.0) + c
                tracer.accumulate(node, i, gradients[x])
                users[x] -= 1
                ready += [x] * (users[x] == 0)
        return gradients

    check("sweep", other_order)


def test_right_gradients_with_a_wrong_report_are_told_apart():
    def silent(y, tracer):
        return EXERCISES["sweep"].reference(y, Tracer(y))

    assert "It was told nothing." in failure("sweep", silent).panel.text


def test_a_stub_plays_as_a_pass_that_has_not_begun():
    y = mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)
    difference = first_difference(record(y), Tracer(y).recording())
    assert difference.text == "The pass ends, and y has not handed on 2 to d."
    (own,) = [
        m for m in mg.play(y, own=Tracer(y).recording()).view["mistakes"] if m["name"] == "own"
    ]
    assert [step.get("wrong") for step in own["steps"]] == [difference.text]


def test_what_is_left_in_the_nodes_is_not_said_to_be_returned():
    def overwriting(y):
        y.grad = 1.0
        for node in reversed(mg.topological_order(y)):
            for i, x in enumerate(node.inputs):
                x.grad = node.grad * local_derivative(node, i)

    error = failure("leave_gradients", overwriting)
    assert error.key == "overwritten instead of added"
    assert "your function left in the nodes" in error.panel.text
    assert "returned" not in error.panel.text
