"""The exercises on static graphs, against the engine, counting, and Python's own arithmetic."""

import math
from random import Random

import numpy as np
import pytest
from checks import cases_and_answers, failure

import minigraph as mg
from minigraph.compiler import optimized
from minigraph.course import graphs
from minigraph.course.choices import Choices
from minigraph.course.exercises import EXERCISES, static_graphs
from minigraph.course.forms import WrongForm


def evaluated(graph, rng):
    """The values of all steps, by Python's own arithmetic."""
    names = {"sin": math.sin} | {
        x: rng.uniform(-2, 2) for x in [*"abcdefghijklmnopqrstuvw", "ab", "bc"]
    }
    for name, step in graph.items():
        names[name] = eval(graphs.plain_formula(tuple(step)), names)
    return names


# --- answers --------------------------------------------------------------------------------------


class Counting:
    """A number that counts how often it is multiplied."""

    count = 0

    def __mul__(self, other):
        Counting.count += 1
        return self

    def __add__(self, other):
        return self


def test_predicted_products_agree_with_a_count():
    (((a, b, c, d),), answer) = cases_and_answers("predict_products")[0]
    matrices = {}
    for name, shape in {"A": (a, b), "B": (b, c), "C": (c, d)}.items():
        matrices[name] = np.full(shape, Counting(), dtype=object)
    for text, number in answer.items():
        Counting.count = 0
        eval(text, matrices)
        assert Counting.count == number


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_needed_is_what_the_engine_finds_from_the_outputs(seed):
    for (graph, outputs), answer in cases_and_answers("remove_dead_code", seed):
        nodes = graphs.build(graph)
        found = {x.name for x in mg.topological_order([nodes[y] for y in outputs]) if x.op}
        assert answer.keys() == found
        assert [*answer] == [name for name in graph if name in found]
        assert all(tuple(answer[name]) == graph[name] for name in answer)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_shared_graph_computes_the_same_and_nothing_twice(seed):
    for (graph,), answer in cases_and_answers("share_common_subexpressions", seed):
        values = evaluated(graph, Random(seed))
        shared = evaluated(answer, Random(seed))
        assert all(shared[name] == values[name] for name in answer)
        assert [*answer][-1] == [*graph][-1]
        assert len({*map(tuple, answer.values())}) == len(answer)
        node = graphs.build(graph)[[*graph][-1]]
        inputs = [x for x in mg.topological_order(node) if x.op is None]
        compiled, _ = optimized(mg.Graph(node, inputs), ["share_common_subexpressions"])
        assert sum(x.op is not None for x in compiled.order) == len(answer)


def outcome(code, numbers):
    """What a piece of code really does: define it, run it twice with the same numbers."""
    names = {"mg": mg, "np": np, "x": mg.placeholder("x", (4,))}
    try:
        exec(code, names)
    except mg.MinigraphError:
        return "define"
    feeds = {"x": np.arange(1.0, numbers + 1)}
    try:
        results = [mg.Graph(names["y"]).run(feeds) for _ in range(2)]
    except mg.FeedError:
        return "run"
    return "frozen" if "random" in code and np.array_equal(*results) else "fine"


def test_predictions_are_what_the_library_does():
    ((code,), answer) = cases_and_answers("predict_static")[0]
    assert answer == {name: outcome(code[name], static_graphs.FED[name]) for name in code}
    assert {*answer.values()} == {*static_graphs.WORDS}


# --- what the checks say --------------------------------------------------------------------------


def test_a_step_that_is_used_and_gone_is_named():
    error = failure("remove_dead_code", lambda graph, outputs: {y: graph[y] for y in outputs[:1]})
    assert "`m = s × s` uses s, and nothing computes s any more" in str(error)


def test_a_copy_that_is_left_is_named():
    error = failure("share_common_subexpressions", lambda graph: graph)
    assert "`q = a + b` could have been left out" in str(error)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("remove_dead_code", ["graph", "outputs"]), ("share_common_subexpressions", ["graph"])],
)
def test_the_code_of_a_long_graph_makes_it(name, parameters):
    exercise = EXERCISES[name]
    for case in exercise.cases():
        made: dict = {}
        exec(exercise.as_code(*case), made)
        assert tuple(made[x] for x in parameters) == exercise.as_arguments(*case)


def test_an_invented_step_is_refused():
    error = failure("share_common_subexpressions", lambda graph: {"new": ("+", "a", "b")})
    assert "new is no operation of the graph" in str(error)


@pytest.mark.parametrize(
    ("name", "answer", "word"),
    [
        ("remove_dead_code", ["y"], "a list"),
        ("remove_dead_code", {"y": "a"}, "a text"),
        ("remove_dead_code", {"y": ()}, "tuple"),
        ("predict_static", {"branch": "perhaps"}, "should be one of"),
        ("predict_static", {"branch": ...}, "three dots"),
        ("predict_static", "define", "a text"),
    ],
)
def test_an_answer_of_another_form_is_explained(name, answer, word):
    with pytest.raises(WrongForm, match=word):
        EXERCISES[name].form.read(answer, ())


def test_choices_say_how_many_are_right_and_not_which():
    form = Choices(("yes", "no"))
    right = {"p": "yes", "q": "no", "r": "no"}
    assert form.difference(right, right, ()) is None
    assert form.difference({"p": "no", "q": "no", "r": "no"}, right, ()).text == "2 of 3 are right."
    assert form.difference({"p": "yes"}, right, ()).text == "Its keys should be p, q, r."


def test_a_wrong_step_is_marked_in_the_graph_that_was_given():
    form, case = EXERCISES["remove_dead_code"].form, ({"p": ("+", "a", "b")}, ["p"])
    outputs, marked = form.picture({}, case, case, "p")
    assert [node.name for node in outputs] == [node.name for node in marked] == ["p"]
    assert form.picture({}, case, (graphs.chain(50), ["x50"]), "x1") is None
