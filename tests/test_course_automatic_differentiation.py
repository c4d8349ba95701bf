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
    return graphs.build(graph, {x: values[x] for x in graphs.inputs_of(graph)})


def gradients_of(graph, values, output):
    nodes = nodes_of(graph, values)
    nodes[output].backward()
    return {name: float(node.grad) for name, node in nodes.items()}


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
        off = {x: abs(claimed[x] - exact[x]) / abs(exact[x]) for x in point if exact[x]}
        assert answer == sorted(x for x in off if off[x] > 0.02)
        assert all(error < 1e-9 or error > 0.02 for error in off.values())


def test_the_derivatives_of_the_distance_are_those_of_the_formula():
    for (x, y), answer in cases_and_answers("distance"):
        r = math.hypot(x, y)
        second = 3 * (r + x * x / r), 3 * x * y / r, 3 * (r + y * y / r)
        assert [*answer.values()] == pytest.approx([r, 3 * r * x, 3 * r * y, *second], rel=1e-12)
