"""The catalogue of exercises: its references, its misconceptions, and what it promises."""

import graphlib
import itertools
import json
import math
from random import Random

import numpy as np
import pytest
from checks import EXPLORES
from hypothesis import given
from hypothesis import strategies as st

import minigraph as mg
from minigraph.course import CheckFailed, attempt, check, graphs
from minigraph.course.answers import Order, SameGraph
from minigraph.course.attempt import expected
from minigraph.course.diagnosis import misconception_behind
from minigraph.course.exercises import EXERCISES, forward_pass
from minigraph.course.specification import KINDS, Exercise

pytestmark = pytest.mark.usefixtures("rehearsed")
ALL = list(EXERCISES.values())
drawn = Exercise.cases  # anew, where `rehearsed` keeps what has been drawn
OTHER_SEEDS = (1, 2) if EXPLORES else (1,)
every_exercise = pytest.mark.parametrize("exercise", ALL, ids=list(EXERCISES))
every_wrong_program = pytest.mark.parametrize(
    ("exercise", "misconception", "program"),
    [
        pytest.param(e, m, program, id=f"{e.name}-{m.key}-{number}")
        for e in ALL
        for m in e.misconceptions
        for number, program in enumerate(m.programs)
    ],
)


def handed_in(exercise, program):
    """What a student would hand in: the function, or the value that it gives."""
    return program if exercise.parameters else program(*exercise.as_arguments(*exercise.cases()[0]))


def failure(exercise, answer):
    with pytest.raises(CheckFailed) as caught:
        check(exercise.name, answer)
    return caught.value


def through_json(data):
    return json.loads(json.dumps(data))


# --- every exercise -------------------------------------------------------------------------------


@pytest.fixture
def unrehearsed(monkeypatch):
    """What comes back by itself need not be rehearsed."""
    monkeypatch.setattr(attempt, "rehearse", lambda work, seconds: None)


@every_exercise
def test_the_reference_is_right(exercise, capsys, unrehearsed):
    check(exercise.name, handed_in(exercise, exercise.reference))
    assert capsys.readouterr().out.startswith(f"✓ {exercise.name} is right: ")


@every_wrong_program
def test_a_misconception_is_rejected_with_its_own_hint(
    exercise, misconception, program, unrehearsed
):
    error = failure(exercise, handed_in(exercise, program))
    assert error.key == misconception.key
    labelled = [part.text for part in error.panel.parts if part.label == "Hint"]
    assert labelled == [misconception.hint]


@every_wrong_program
def test_a_misconception_shows_whatever_the_seed(exercise, misconception, program, rehearsed):
    for seed in OTHER_SEEDS:
        found = rehearsed(exercise, program, exercise.cases(seed), 10)
        assert misconception_behind(exercise, found) is misconception


@every_exercise
def test_the_page_of_the_catalogue_is_complete(exercise):
    assert exercise.kind in KINDS
    assert len(exercise.misconceptions) >= 2
    keys = [m.key for m in exercise.misconceptions]
    hints = [m.hint for m in exercise.misconceptions]
    texts = [exercise.title, exercise.task, exercise.first_step, exercise.verified, *exercise.hints]
    assert len(set(keys)) == len(keys)
    assert len({*hints, *texts}) == len(hints) + len(texts)
    assert all(text.strip() for text in texts + hints)
    assert not any("!" in text for text in texts + hints)


@every_exercise
def test_the_same_seed_gives_the_same_cases(exercise):
    cases = drawn(exercise, 7)
    assert cases == drawn(exercise, 7)
    others = drawn(exercise, 8)
    random = [case for case in cases if case not in others]
    assert random or not exercise.parameters


@every_exercise
def test_cases_and_answers_cross_to_another_process_as_plain_data(exercise):
    for case in exercise.cases()[:20]:
        there = expected(exercise, tuple(through_json(case)))
        assert exercise.form.difference(through_json(there), expected(exercise, case), case) is None


@every_exercise
def test_the_reference_leaves_the_case_as_it_was(exercise):
    cases = exercise.cases()
    for case in cases:
        expected(exercise, case)
    assert cases == drawn(exercise)


@given(st.integers(0, 1000))
def test_random_graphs_come_smallest_first_and_use_every_result(seed):
    made = graphs.random_graphs(Random(seed), 5, 2, 8)
    assert [len(graph) for graph in made] == sorted(map(len, made))
    for graph in made:
        used = {x for step in graph.values() for x in step[1:]}
        assert [name for name in graph if name not in used] == [list(graph)[-1]]
        assert is_topological(graph, [*graphs.inputs_of(graph), *graph])


@every_exercise
def test_a_failing_input_is_shown_as_code_that_runs(exercise):
    for case in exercise.cases()[:10]:
        names: dict = {"mg": mg, "np": np}
        exec(exercise.as_code(*case), names)
        assert set(exercise.parameters) <= set(names)


@pytest.mark.parametrize("name", ["first_look", "count_parts", "forward", "repair_forward"])
def test_a_wrong_number_is_named_and_not_corrected(name):
    exercise = EXERCISES[name]
    case = exercise.cases()[0]
    right = expected(exercise, case)
    for key in right:
        wrong = exercise.form.difference(right | {key: 1234}, right, case)
        assert wrong.text == f'The number for "{key}" is not right: yours is 1234.'


# --- against independent sources ------------------------------------------------------------------


def is_topological(graph, order):
    """Ask Python's own sorter whether each node is ready when its turn comes."""
    sorter = graphlib.TopologicalSorter({name: step[1:] for name, step in graph.items()})
    sorter.prepare()
    ready: set = set()
    for name in order:
        ready.update(sorter.get_ready())
        if name not in ready:
            return False
        sorter.done(name)
    return not sorter.is_active()


@pytest.mark.parametrize("graph", [graphs.WORKED_EXAMPLE, forward_pass.LAYER])
def test_exactly_the_topological_orders_are_right(graph):
    nodes = [*graphs.inputs_of(graph), *graph]
    verdicts = {
        order: Order().difference(list(order), nodes, (graph,)) is None
        for order in itertools.permutations(nodes)
    }
    assert sum(verdicts.values()) > 1
    assert verdicts == {order: is_topological(graph, order) for order in verdicts}


def test_the_reference_order_is_one_for_pythons_own_sorter():
    exercise = EXERCISES["topological_order"]
    for case in exercise.cases():
        graph, output = case
        assert is_topological(graph or {output: ("",)}, expected(exercise, case))


@pytest.mark.parametrize("name", ["forward", "repair_forward"])
def test_reference_values_agree_with_python_arithmetic(name):
    exercise = EXERCISES[name]
    for graph, inputs in exercise.cases():
        names = {"sin": math.sin, **inputs}
        sorter = graphlib.TopologicalSorter({x: step[1:] for x, step in graph.items()})
        for x in sorter.static_order():
            if x in graph:
                exec(f"{x} = {graphs.plain_formula(graph[x])}", names)
        computed = expected(exercise, (graph, inputs))
        assert computed == pytest.approx({x: names[x] for x in [*inputs, *graph]}, rel=1e-12)


@pytest.mark.parametrize("name", ["build_quotient", "build_shared"])
def test_reference_graphs_compute_the_expression(name):
    a, b, c = 7.0, 3.0, 2.0
    right = {"build_quotient": (a - b) / (b + c), "build_shared": (a + b) ** 2 - c * (a + b)}
    assert expected(EXERCISES[name], (a, b, c))["value"] == pytest.approx(right[name])


def test_reference_steps_compute_the_expression():
    a, b, c = 2.0, 3.0, 4.0
    right = (a - b * c) * (b * c + a)
    assert expected(EXERCISES["single_steps"], ("abc",))["value"] == pytest.approx(right)


# --- the same graph up to naming and time of creation ---------------------------------------------


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_rows_depend_on_the_graph_alone(seed, operations):
    graph = graphs.random_graph(Random(seed), operations)
    inputs, last = graphs.inputs_of(graph), list(graph)[-1]
    reshuffled = dict(Random(seed + 1).sample(list(graph.items()), len(graph)))
    tables = []
    for version in (graph, reshuffled):
        nodes = graphs.build(version, dict.fromkeys(inputs, 2.0))
        for name in version:
            nodes[name].named(f"{name}_{len(tables)}")
        tables.append(graphs.rows(nodes[last], {nodes[x]: x for x in inputs}))
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a - b", "b - a"),
        ("a + b", "a - b"),
        ("(a + b) * (a + b)", "d = a + b; d * d"),
        ("a * 2", "a * 3"),
        ("a * a", "a * b"),
        ("sum(a, axis=0)", "sum(a, axis=None)"),
    ],
)
def test_rows_tell_different_graphs_apart(one, other):
    a, b = (mg.variable(np.ones(3), name=name) for name in "ab")
    names = {a: "a", b: "b"}
    assert graphs.rows(mg.parse(one, a=a, b=b), names) != graphs.rows(
        mg.parse(other, a=a, b=b), names
    )


def test_rows_are_written_from_the_first_input_to_the_output():
    a, b, c = (mg.variable(float(n), name=name) for n, name in enumerate("abc", 1))
    s = b + c
    table = graphs.rows((a - b) / s, {a: "a", b: "b", c: "c"})
    assert table == [["subtract", "a", "b"], ["add", "b", "c"], ["divide", 0, 1]]
    assert graphs.written(table, ["v₁", "v₂", "y"]) == "v₁ = a − b\nv₂ = b + c\ny = v₁ ÷ v₂"


def test_the_first_wrong_operation_is_marked():
    a, b, c = given = tuple(mg.variable(float(n), name=name) for n, name in enumerate("abc", 1))
    form = SameGraph()
    wrong, right = (b - a) / (b + c), (a - b) / (b + c)
    difference = form.difference(form.read(wrong, given), form.read(right, given), ())
    outputs, marked = form.picture(wrong, given, (), difference.node)
    assert [node.op.name for node in marked] == ["subtract"]
    assert [node.name for node in outputs] == ["v₃"]


def test_a_students_own_names_are_used_where_they_are_clear():
    a, b = mg.variable(2.0, name="a"), mg.variable(3.0, name="b")
    y = (a + b).named("sum") * b
    assert graphs.names_of(graphs.computed(y), ["a", "b"]) == ["sum", "v₂"]
    twice = (a + b).named("a") * b
    assert graphs.names_of(graphs.computed(twice), ["a", "b"]) == ["v₁", "v₂"]
