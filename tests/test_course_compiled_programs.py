"""The exercises on compiled programs, against the compiler's plans and by trying what can be."""

import numpy as np
import pytest
from checks import cases_and_answers, failure

import minigraph as mg
from minigraph.course import check
from minigraph.course.exercises import EXERCISES, compiled_programs
from minigraph.course.forms import WrongForm

# --- answers --------------------------------------------------------------------------------------


def is_spoiled(code, over):
    """Whether a result is wrong if NumPy writes w over an array, one element at a time."""
    rng = np.random.default_rng(0)
    arrays = {"u": rng.normal(size=(4, 4)), "v": rng.normal(size=(4, 4)), "r": rng.normal(size=4)}
    right: dict = {name: array.copy() for name, array in arrays.items()}
    exec(code, {"mg": np}, right)
    if right["w"].size != arrays[over].size:
        return True
    first, *rest = code.split("\n")
    operation = first.removeprefix("w = ")
    for place in np.ndindex(arrays[over].shape):
        arrays[over][place] = eval(operation, {"mg": np}, arrays)[place]
    arrays["w"] = arrays[over]
    exec("\n".join(rest), {"mg": np}, arrays)
    return not all(np.allclose(arrays[name], right[name]) for name in {*right} - {over, "v", "r"})


def test_what_may_be_written_in_place_spoils_nothing_and_the_compiler_does_it():
    ((code,), answer) = cases_and_answers("predict_in_place")[0]
    assert {*answer.values()} == {*compiled_programs.WORDS}
    for case, lines in code.items():
        over = "r" if case == "spread" else "u"
        assert (answer[case] == "new buffer") == is_spoiled(lines, over), case
        x, z, q = (mg.placeholder(n, s) for n, s in {"x": (4, 4), "z": (4, 4), "q": (4,)}.items())
        names = {"mg": mg, "u": (x + 1).named("u"), "v": (z * 2).named("v"), "r": mg.exp(q)}
        names["r"].named("r")
        exec(lines, names)
        names["w"].named("w")
        y = mg.sum(names.get("k", names["w"])) + mg.sum(names["v"])
        places = mg.Graph(y).compile(passes=[]).memory.places
        written_over = {place.name: place.over for place in places}
        assert (written_over["w"] == over) == (answer[case] == "in place"), case


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_result_can_be_dropped_after_its_last_use_and_not_before(seed):
    def runs_with(graph, outputs, last):
        there = set()
        for step, (name, (_, *inputs)) in enumerate(graph.items()):
            if any(x in graph and x not in there for x in inputs):
                return False
            there = {x for x in {*there, name} if last[x] > step}
        return there == {*outputs}

    for (graph, outputs), last in cases_and_answers("last_uses", seed):
        assert last.keys() == graph.keys()
        assert runs_with(graph, outputs, last)
        for place, name in enumerate(graph):
            if last[name] > place:
                assert not runs_with(graph, outputs, last | {name: last[name] - 1})


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_many_buffers_as_values_that_live_at_one_time(seed):
    for (lifetimes,), plan in cases_and_answers("plan_buffers", seed):
        most = 0
        for step in {first for first, _ in lifetimes.values()}:  # then most have come
            alive = [plan[x] for x, (first, last) in lifetimes.items() if first <= step <= last]
            assert len(alive) == len({*alive})
            most = max(most, len(alive))
        assert len({*plan.values()}) == most


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_has_paid_after_so_many_runs_and_not_one_earlier(seed):
    for (define, optimise, dynamic, compiled), runs in cases_and_answers("runs_until_paid", seed):
        total = np.arange(200_000)
        is_ahead = define + optimise + total * compiled < total * dynamic
        assert runs == (np.argmax(is_ahead) if is_ahead.any() else 0)


# --- what the checks say --------------------------------------------------------------------------


def test_two_values_in_one_buffer_are_named_with_the_step():
    error = failure("plan_buffers", lambda lifetimes: dict.fromkeys(lifetimes, 7))
    assert "p and q are both in buffer 7, and in step 2 both of them are alive" in str(error)


def test_too_many_buffers_are_counted_without_saying_how_many_are_right():
    error = failure("plan_buffers", lambda lifetimes: {x: n for n, x in enumerate(lifetimes)})
    assert "it takes 2 buffers, and fewer will do" in str(error)


def test_other_numbers_for_the_same_plan_are_right(capsys):
    def numbered_from_the_end(lifetimes):
        plan = EXERCISES["plan_buffers"].reference(lifetimes)
        return {name: np.int64(100 - n) for name, n in plan.items()}

    check("plan_buffers", lambda lifetimes: numbered_from_the_end(lifetimes))
    assert "plan_buffers is right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "answer", "word"),
    [
        ("plan_buffers", {"p": 0.5, "q": 1}, "a number"),
        ("plan_buffers", {"p": True, "q": 1}, "True"),
        ("plan_buffers", [0, 1], "a list"),
        ("predict_in_place", {"sum": ...}, "three dots"),
        ("predict_in_place", "in place", "a text"),
        ("last_uses", {"p": ...}, "three dots"),
        ("runs_until_paid", None, "a number of runs"),
    ],
)
def test_an_answer_of_another_form_is_explained(name, answer, word):
    with pytest.raises(WrongForm, match=word):
        EXERCISES[name].form.read(answer, ())
