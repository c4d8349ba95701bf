"""The answers to the exercises of lesson 06, against minigraph itself and against formulas."""

import math

import pytest

import minigraph as mg
from minigraph.course import graphs
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES


def cases_and_answers(name):
    exercise = EXERCISES[name]
    return [(case, expected(exercise, case)) for case in exercise.cases()]


def nodes_of(graph, values):
    """The Nodes of a graph as plain data, with the same inputs."""
    return graphs.build(graph, {x: value for x, value in values.items() if x not in graph})


def gradients_of(graph, values, output):
    nodes = nodes_of(graph, values)
    nodes[output].backward()
    return {name: float(node.grad or 0.0) for name, node in nodes.items()}  # None: not reached


def test_rules_agree_with_the_engines():
    functions = {"*": "multiply", "/": "divide", "exp": "exp", "tanh": "tanh", "max": "maximum"}
    for (operation, g, out, x, y), answer in cases_and_answers("pull_back"):
        inputs = [mg.variable(v) for v in (x, y) if v is not None]
        result = getattr(mg, functions[operation])(*inputs)
        result.backward(seed=g)
        assert g != 1
        assert out == pytest.approx(float(result.value), rel=1e-12)
        assert [*answer.values()] == pytest.approx([float(v.grad) for v in inputs], rel=1e-12)


def test_gradients_agree_with_the_engines():
    for (graph, values), answer in cases_and_answers("backward"):
        assert answer == pytest.approx(gradients_of(graph, values, list(graph)[-1]), rel=1e-12)


def test_gradients_agree_with_the_engines_whatever_the_order():
    for (graph, values, output), answer in cases_and_answers("repair_backward"):
        assert answer == pytest.approx(gradients_of(graph, values, output), rel=1e-12)


def test_changes_agree_with_the_engines_forward_mode():
    for (graph, values, changes), answer in cases_and_answers("push_forward"):
        nodes = nodes_of(graph, values)
        for name in graph:
            tangents = {nodes[x]: changes.get(x, 0.0) for x in graphs.inputs_of(graph)}
            change = mg.jvp(nodes[name], tangents)
            assert answer[name] == pytest.approx(float(change.value), rel=1e-12, abs=1e-12)


def test_exactly_the_wrong_claims_are_found():
    for (graph, point, claimed), answer in cases_and_answers("gradient_check"):
        exact = gradients_of(graph, point, list(graph)[-1])
        assert answer == sorted(
            x for x in point if abs(claimed[x] - exact[x]) > 0.001 * abs(exact[x])
        )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_claims_stand_on_both_sides_of_the_stated_thousandth(seed):
    off = []
    for graph, point, claimed in EXERCISES["gradient_check"].cases(seed):
        exact = gradients_of(graph, point, list(graph)[-1])
        off += [(claimed[x] - exact[x]) / exact[x] for x in point if exact[x]]
        assert all(abs(claimed[x]) > 0.001 for x in point if not exact[x] and claimed[x])
    for least, most in [(0.0008, 0.001), (0.001, 0.0012)]:
        assert any(least < error < most for error in off)
        assert any(least < -error < most for error in off)


def test_the_derivatives_of_the_distance_are_those_of_the_formula():
    for (x, y), answer in cases_and_answers("distance"):
        r = math.hypot(x, y)
        second = 3 * (r + x * x / r), 3 * x * y / r, 3 * (r + y * y / r)
        assert [*answer.values()] == pytest.approx([r, 3 * r * x, 3 * r * y, *second], rel=1e-12)
