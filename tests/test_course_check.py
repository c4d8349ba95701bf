"""What `check` says: to wrong answers, to half-written ones, and to whatever else is handed in."""

import dataclasses
import gc
import inspect
import os
import re
import subprocess
import sys
import textwrap
import threading
from functools import partial

import nbformat
import numpy as np
import pytest
from checks import failure, said
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import minigraph as mg
from minigraph.course import check, checking
from minigraph.course.attempt import attempts
from minigraph.course.delegation import noticing
from minigraph.course.diagnosis import misconception_behind
from minigraph.course.exercises import EXERCISES, forward_pass
from minigraph.course.specification import Misconception

pytestmark = pytest.mark.usefixtures("rehearsed")
RIGHT = EXERCISES["topological_order"].reference
SWAPPED = EXERCISES["forward"].misconceptions[0].programs[0]


@pytest.fixture(autouse=True)
def first_attempt(monkeypatch):
    checking.failures.clear()
    monkeypatch.setattr(checking, "SECONDS", 2.0)


def labels(error):
    return [part.label for part in error.panel.parts if part.label]


# --- right ----------------------------------------------------------------------------------------


def test_success_is_one_line_that_says_what_was_verified(capsys):
    check("topological_order", RIGHT)
    assert capsys.readouterr().out == (
        "✓ topological_order is right: "
        "37 graphs put in order, one of them 10,000 operations deep.\n"
    )


SAY_EVERYTHING = """
from minigraph.course import attempt, check
from minigraph.course.exercises import EXERCISES
attempt.rehearse = lambda work, seconds: None  # what comes back by itself need not be rehearsed
for e in EXERCISES.values():
    check(e.name, e.reference if e.parameters else e.reference(*e.as_arguments(*e.cases()[0])))
"""


def test_success_is_told_in_the_same_words_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SAY_EVERYTHING],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(outputs) == 1
    assert outputs.pop().decode().count("✓") == len(EXERCISES)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("predict_order", ("w", "x", "u", "b", "h", "y")),
        ("predict_order", "x, b, w, u, h, y"),
        ("predict_recomputed", {"y", "s", "q", "r"}),
        ("predict_recomputed", np.array(["y", "s", "q", "r"]).tolist()),
        ("count_parts", {"edges": np.int64(6), "inputs": 2.0, "operations": np.array(3)}),
        ("single_steps", ["m = b * c", "l = a - m", "r = m + a", "y = l * r"]),
        (
            "single_steps",
            "m = b·c; l = a − m; r = m + a; y = l × r",
        ),
    ],
)
def test_values_are_taken_in_whatever_sensible_form(name, answer):
    check(name, answer)


def test_functions_may_return_tuples_sets_and_numpy_numbers():
    check("topological_order", lambda output: tuple(RIGHT(output)))
    check("intermediate_variables", lambda y: {n for n in RIGHT(y) if n.op} - {y})
    reference = EXERCISES["forward"].reference
    check("forward", lambda g, i: {k: np.float64(v) for k, v in reference(g, i).items()})


def test_defaults_and_other_parameter_names_are_no_obstacle():
    check("topological_order", lambda y, unused=None, *more: RIGHT(y))


def test_a_function_that_is_right_but_talks_is_right(capsys):
    def talks(output):
        print("visiting", output.name)
        return RIGHT(output)

    check("topological_order", talks)
    out = capsys.readouterr().out
    assert out.startswith("✓ topological_order is right")
    assert out.count("visiting") == 1


# --- hints ----------------------------------------------------------------------------------------


def wrong_order(output):
    """Wrong in no way that is known: a right order with its last two nodes swapped."""
    *order, x, y = [None, *RIGHT(output)]
    return [node for node in [*order, y, x] if node]


def wrong_orders():
    """Programs that do the same in other words, as somebody would write who tries again."""
    yield wrong_order
    yield lambda output: wrong_order(output)
    yield lambda output: [*wrong_order(output)]
    yield lambda output: list(wrong_order(output))


def folded(error):
    return [part.text for part in error.panel.folded]


def test_hints_grow_with_each_failure_and_start_again_after_success():
    exercise = EXERCISES["topological_order"]
    for label, hint, answer in zip(checking.HINT_LABELS, exercise.hints, wrong_orders()):
        error = failure("topological_order", answer)
        assert labels(error) == [label]
        assert error.panel.parts[-1].text == hint
        assert folded(error) == list(exercise.hints[: exercise.hints.index(hint)])
    assert labels(failure("topological_order", list(wrong_orders())[3])) == ["A similar case"]
    check("topological_order", RIGHT)
    assert labels(failure("topological_order", wrong_order)) == ["Hint"]


def test_an_unchanged_answer_gets_the_same_hint_again():
    again: dict = {"RIGHT": RIGHT}
    exec(f"# the same in another cell\n\n{inspect.getsource(wrong_order)}", again)
    for answer in (wrong_order, wrong_order, again["wrong_order"]):
        assert labels(failure("topological_order", answer)) == ["Hint"]
        assert labels(failure("predict_order", ["y", "h", "u", "b", "w", "x"])) == ["Hint"]


def test_a_helper_that_is_changed_makes_another_answer():
    def topological_order(output):
        return helper(output)

    answers = wrong_orders()
    for label in checking.HINT_LABELS:
        helper = next(answers)
        assert labels(failure("topological_order", topological_order)) == [label]


def test_a_known_misconception_keeps_its_hint_while_others_are_added():
    ways = EXERCISES["predict_order"].misconceptions[0].programs
    answers = [way(forward_pass.LAYER) for way in ways[:3]]
    assert labels(failure("predict_order", answers[0])) == ["Hint"]
    assert labels(failure("predict_order", answers[1])) == ["Hint", "Another hint"]
    error = failure("predict_order", answers[2])
    assert labels(error) == ["Hint", "A similar case"]
    assert folded(error) == [EXERCISES["predict_order"].hints[1]]


def test_a_new_mistake_begins_at_the_first_hint():
    for answer in wrong_orders():
        failure("topological_order", answer)
    error = failure("topological_order", forward_pass.users_first)
    assert error.key == "users before inputs"
    assert labels(error) == ["Hint"]
    raises = failure("topological_order", lambda output: output.nothing)
    assert labels(raises) == []
    assert labels(failure("topological_order", lambda output: [output.nothing])) == ["Hint"]


def test_after_success_the_hints_and_another_way_can_be_read(monkeypatch, capsys):
    exercise = dataclasses.replace(EXERCISES["predict_order"], another_way="Begin at the end.")
    monkeypatch.setitem(EXERCISES, "predict_order", exercise)
    shown = []
    monkeypatch.setattr(checking, "_show", shown.append)
    check("predict_order", "w x u b h y")
    (panel,) = shown
    assert [part.text for part in panel.folded] == [*exercise.hints, "Begin at the end."]
    assert "<summary" in panel.html
    assert "The hints, and another way</summary>" in panel.html
    assert "Begin at the end" not in panel.text


def test_hints_of_one_exercise_do_not_count_for_another():
    failure("predict_order", ["y"])
    assert labels(failure("topological_order", wrong_order)) == ["Hint"]


def test_an_unknown_error_shows_the_smallest_failing_input_and_the_first_fault():
    text = said("topological_order", wrong_order)
    assert 'output = mg.parse("y = x * x", x=2)' in text
    assert "[y, x]" in text
    assert "y stands before x, but `y = x × x` needs x." in text


def test_two_mistakes_at_once_still_find_the_one_that_shows():
    def forward(graph, inputs):  # swapped, and NumPy numbers, and another order of keys
        values = EXERCISES["forward"].misconceptions[0].programs[0](graph, inputs)
        return {name: np.float32(values[name]).item() for name in reversed(values)}

    assert failure("forward", forward).key is None  # float32 is not close enough to be the same
    error = failure("forward", lambda g, i: dict(reversed(SWAPPED(g, i).items())))
    assert error.key == "arguments swapped"


def test_the_misconception_that_agrees_where_the_answer_is_right_goes_first():
    exercise = dataclasses.replace(
        EXERCISES["forward"],
        arguments=lambda rng: [(1,), (7,)],
        parameters=("x",),
        reference=lambda x: {"y": x},
        misconceptions=(
            Misconception("always 0", "", lambda x: {"y": 0}),
            Misconception("0 for large x", "", lambda x: {"y": 0 if x > 5 else x}),
        ),
    )
    for misconception in exercise.misconceptions:
        found = attempts(exercise, misconception.programs[0], exercise.cases(), 10)
        assert misconception_behind(exercise, found) is misconception


def test_a_key_error_of_another_kind_is_not_taken_for_a_misconception():
    def forward(graph, inputs):
        compute = {name: f for name, f in forward_pass.COMPUTE.items() if name != "sin"}
        values = dict(inputs)
        for name, (operation, *arguments) in graph.items():
            values[name] = compute[operation](*[values[x] for x in arguments])
        return values

    error = failure("forward", forward)
    assert error.key is None
    assert "KeyError: 'sin'" in str(error)


def test_a_misconception_is_recognised_whatever_the_nodes_are_called():
    def build_shared(a, b, c):
        return ((a + b).named("p") * (a + b).named("q") - c * (a + b)).named("y")

    error = failure("build_shared", build_shared)
    assert error.key == "common part written out"
    told = " ".join(str(error).split())
    assert "`q = a + b` computes what `p` has computed already." in told


@pytest.mark.parametrize(("error", "is_right"), [(1e-13, True), (1e-6, False)])
def test_rounding_is_forgiven_and_more_is_not(error, is_right):
    def forward(graph, inputs):
        values = EXERCISES["forward"].reference(graph, inputs)
        return {name: value * (1 + error) for name, value in values.items()}

    if is_right:
        check("forward", forward)
    else:
        assert failure("forward", forward).key is None


def test_a_wrong_graph_is_drawn_with_its_first_wrong_node_marked():
    html = failure("build_quotient", lambda a, b, c: (b - a) / (b + c)).panel.html
    assert '<img class="minigraph" alt="' in html


def test_pictures_of_wrong_values_do_not_show_the_right_ones():
    error = failure("forward", SWAPPED)
    assert "<img" in error.panel.picture
    assert not re.search(r'alt="[^"]*\d', error.panel.picture)


# --- not started, or not finished -----------------------------------------------------------------


def empty(output):
    """Return the order."""


def dots(output): ...


def passes(output):
    pass


def raises_not_implemented(output):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [empty, dots, passes, raises_not_implemented, ..., None])
def test_a_stub_is_told_its_first_step(stub):
    for _ in range(3):  # and it does not count as a failure
        error = failure("topological_order", stub)
        assert error.panel.state == "waiting"
        assert [part.text for part in error.panel.parts] == [
            EXERCISES["topological_order"].first_step
        ]
    assert "topological_order" not in checking.failures


@pytest.mark.parametrize(
    ("name", "stub"),
    [
        ("predict_order", ...),
        ("predict_order", []),
        ("single_steps", "\n\n"),
        ("count_parts", {"inputs": ..., "operations": ..., "edges": ...}),
    ],
)
def test_a_value_that_is_not_filled_in_is_told_its_first_step(name, stub):
    assert EXERCISES[name].first_step in [p.text for p in failure(name, stub).panel.parts]


def test_a_value_that_is_half_filled_in_says_what_is_left():
    text = said("count_parts", {"inputs": 2, "operations": ..., "edges": 6})
    assert 'For "operations" there are still three dots.' in text


def test_a_function_that_returns_a_constant_is_not_a_stub():
    assert failure("topological_order", lambda output: "order").panel.state == "wrong"


# --- what else may be handed in -------------------------------------------------------------------


def test_an_unknown_name_suggests_near_ones():
    assert "Did you mean topological_order" in said("topological_ordr", RIGHT)
    assert "There are first_look, count_parts," in said("xyz", RIGHT)
    assert said("x" * 5000, RIGHT).count("x") < 100
    assert "<script>" not in failure("<script>", RIGHT).panel.html


def test_the_call_itself_is_explained():
    assert 'Write `check("users_first", users_first)`' in said(forward_pass.users_first)
    assert '`check("forward", forward)`' in said("forward")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1, 2], "check() needs the function itself, and this is a list."),
        (lambda: [], "topological_order takes 1 argument (output); yours takes 0."),
        (lambda a, b: [], "topological_order takes 1 argument (output); yours takes 2."),
        (dict, "This is the class dict. Write a function: `def topological_order(output):`"),
        (lambda y: print(end=""), "Your function returns None. Did you forget return?"),
        (lambda y: 3, "It should be a list of Nodes, and it is a whole number."),
        (lambda y: (x for x in [y]), "Your function is a generator, as it has yield in it."),
        (lambda y: {y}, "It is a set, and a set has no order; a list has one."),
        (lambda y: [3], "It should be a list of Nodes, and it holds a whole number."),
        (lambda y: [mg.variable(1.0)], "which is not a Node of the graph that was given."),
        (lambda y: y.nothing, "AttributeError: 'Node' object has no attribute 'nothing'"),
        (lambda y: exit(), "Your function raised SystemExit"),
        (lambda y: [y.value], "It should be a list of Nodes, and it holds a number."),
    ],
)
def test_what_is_not_an_order_is_told_what_it_is(answer, message):
    assert message in said("topological_order", answer)


async def asynchronous(output):
    return [output]


def test_an_async_function_is_told_so(recwarn):
    assert "Your function is defined with async def." in said("topological_order", asynchronous)
    gc.collect()
    assert not recwarn.list  # nobody is told that something "was never awaited"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda g, i: [1.0], "It should be a dictionary with the value of every node, and it is a"),
        (lambda g, i: dict.fromkeys([*i, *g], "2"), "there is a text, where a number belongs."),
        (lambda g, i: dict.fromkeys([*i, *g], True), "there is True, where a number belongs."),
        (lambda g, i: dict.fromkeys([*i, *g], 1j), "there is a complex number."),
        (lambda g, i: dict.fromkeys([*i, *g], mg.variable(1.0)), "take the number in it, its"),
        (lambda g, i: {1: 2}, "Its keys should be names, and one of them is a whole number."),
        (lambda g, i: i | dict.fromkeys([*g, "extra"], 0.0), "extra should not be in it."),
        (
            lambda g, i: dict.fromkeys([*i, *g], float("nan")),
            'number for "x" is not right: yours is nan',
        ),
    ],
)
def test_what_is_not_a_dictionary_of_numbers_is_told_what_it_is(answer, message):
    assert message in said("forward", answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (12, "It should be a text with one step in each line"),
        ("p = b * c\nq", "Each line should give a name to a result, and one is `q`."),
        ("p = b", "Each line should do one operation, and `p = b` does none."),
        ("p = b *", "minigraph cannot read `p = "),
        ("p = b * z", "z has no value"),
        ("p = __import__('os')", "minigraph cannot read `p = "),
        ("p = b * c\np = a - p", "p has a value already"),
    ],
)
def test_steps_that_cannot_be_read_are_explained(answer, message):
    assert message in said("single_steps", answer)


def test_a_function_where_a_value_is_asked_for():
    assert "This exercise asks for a value" in said("predict_order", RIGHT)


def helper(values):
    return values["nothing"]


def test_an_exception_is_told_with_the_students_own_line():
    def topological_order(output):
        print("so far")
        return helper({"something": 1})

    error = failure("topological_order", topological_order)
    text = str(error)
    assert "Your function raised KeyError: 'nothing'" in text
    assert re.search(r'line \d+ of helper: return values\["nothing"\]', text)
    assert "Your function printed" in text
    assert "attempt.py" not in text


def test_an_exception_that_cannot_be_written_is_told_all_the_same():
    class Unspeakable(Exception):
        def __str__(self):
            raise RuntimeError

    def topological_order(output):
        raise Unspeakable

    assert "raised Unspeakable" in said("topological_order", topological_order)


def test_an_answer_that_cannot_be_written_is_told_all_the_same():
    class Unspeakable:
        def __repr__(self):
            raise RuntimeError

    assert "it is an Unspeakable" in said("topological_order", lambda y: Unspeakable())
    assert len(str(failure("topological_order", lambda y: "x" * 10**6))) < 3000


def test_what_is_printed_is_bounded(capsys):
    def topological_order(output):
        for number in range(10_000):
            print(number)
        print("x" * 1_000_000)
        print("a warning", file=sys.stderr)
        return [output]

    text = str(failure("topological_order", topological_order))
    assert "Your function printed" in text
    assert len(text) < 8_000
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_single_long_print_is_bounded_too():
    text = str(failure("topological_order", lambda output: print("x" * 1_000_000)))
    assert "xxx …" in text
    assert len(text) < 8_000


def test_changing_an_argument_is_noticed():
    def forward(graph, inputs):
        values = EXERCISES["forward"].reference(graph, inputs)
        graph.clear()
        return values

    assert "your function changes graph" in said("forward", forward)


def test_values_of_nodes_may_be_changed_without_harm():
    def topological_order(output):
        order = RIGHT(output)
        for node in order:
            node.name = None if node.op else node.name
            node.grad = 5.0
        return order

    assert "topological_order is right" not in said("topological_order", topological_order)
    check("topological_order", RIGHT)


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_an_endless_loop_is_stopped_and_told(monkeypatch, in_main_thread):
    monkeypatch.setattr(checking, "SECONDS", 0.2)

    def topological_order(output):
        while True:
            print("again")

    found = []
    if in_main_thread:
        found.append(failure("topological_order", topological_order))
    else:
        target = lambda: found.append(failure("topological_order", topological_order))  # noqa: E731
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert "stopped after 0.2 seconds. Look for a loop that never ends" in str(found[0])
    assert "again" in str(found[0])


def test_too_slow_for_a_large_input_is_told_apart_from_a_loop(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 0.5)

    def topological_order(output):
        order = RIGHT(output)
        while len(order) > 1000:
            pass
        return order

    error = failure("topological_order", topological_order)
    assert "It was right for small inputs" in str(error)
    assert "for n in range(101, 10001):" in str(error)
    assert error.key is None  # what fails for small inputs already is another matter


# --- how it shows ---------------------------------------------------------------------------------


def test_a_plain_terminal_shows_one_clean_message(tmp_path):
    script = tmp_path / "answer.py"
    script.write_text(
        textwrap.dedent(
            """
            from minigraph.course import check

            check("predict_order", ["b", "h", "u", "w", "x", "y"])
            """
        )
    )
    run = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    trace, _, message = run.stderr.partition("minigraph.course.CheckFailed: ")
    assert trace.count("File ") == 2  # the student's line and check itself
    assert message.startswith("✗ predict_order is not right yet\n")
    assert "This is the order of the alphabet." in message


@pytest.fixture(scope="module")
def notebook():
    """A notebook run in a kernel: a right answer, a wrong one, a loop, and what comes after."""
    sources = [
        "from minigraph.course import check, checking; checking.SECONDS = 1.0",
        'check("predict_order", ["w", "x", "u", "b", "h", "y"])',
        'check("predict_order", ["b", "h", "u", "w", "x", "<y>"])',
        "def forward(graph, inputs):\n    while True:\n        try:\n            while True:\n"
        "                pass\n        except:\n            pass",
        'check("forward", forward)',
        "def forward(graph, inputs):\n    return helper(inputs)",
        "def helper(inputs):\n    return inputs[5]",
        'check("forward", forward)',
        "'still alive'",
        "def forward(graph, inputs):\n    return {}",
        "def forward(graph, inputs):\n    return {'x': 1}}",
        'check("forward", forward)  # the cell above did not run',
        "undefined\n\ndef forward(graph, inputs):\n    return dict(inputs)",
        'check("forward", forward)  # nor did this one',
        "def forward(graph, inputs):\n    return dict(inputs)",
        'check("forward", forward)  # but this one did',
        "predict_order = ['w', 'x'",
        'check("predict_order", [])  # a value',
        "dfe forward(graph, inputs):\n    return {}",
        'check("forward", forward)  # a misspelt def',
        "forward = lambda graph, inputs: inputs",
        "forward = lambda graph, inputs: {}}",
        'check("forward", forward)  # a lambda',
        "assert forward({}, {}) == {}",
        'check("forward", lambda graph, inputs: inputs)  # a use',
    ]
    cells = [new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    NotebookClient(made, timeout=60, allow_errors=True).execute()
    nbformat.validate(made)
    return made


def outputs(notebook, source):
    return [cell.outputs for cell in notebook.cells if cell.source == source]


def test_a_right_answer_is_a_panel_in_a_notebook(notebook):
    (panel,) = notebook.cells[1].outputs
    assert panel.output_type == "display_data"  # nbgrader would take a result for a partial score
    assert panel.data["text/plain"].startswith("✓ predict_order is right")
    assert "<b>predict_order is right" in panel.data["text/html"]


def test_a_wrong_answer_is_a_panel_and_one_line_of_error_in_a_notebook(notebook):
    panel, error = notebook.cells[2].outputs
    assert "✗ predict_order is not right yet" in panel.data["text/plain"]
    assert "&lt;y&gt;" in panel.data["text/html"]
    assert "<y>" not in panel.data["text/html"]
    assert error.ename == "CheckFailed"
    assert error.traceback == ["CheckFailed: predict_order is not right yet"]


def test_a_loop_with_a_bare_except_is_stopped_in_a_notebook(notebook):
    panel, _ = notebook.cells[4].outputs
    assert "Your function was stopped after 1 seconds" in panel.data["text/plain"]
    (alive,) = outputs(notebook, "'still alive'")
    assert alive[0].data["text/plain"] == "'still alive'"


def test_a_cell_that_did_not_run_is_told(notebook):
    texts = {
        cell.source.partition("# ")[2]: " ".join(cell.outputs[0].data["text/plain"].split())
        for cell in notebook.cells
        if "# " in cell.source
    }
    text = texts["the cell above did not run"]
    assert "The last cell that defines forward, In [11], did not run: Python does not" in text
    assert "understand its line 2 (unmatched '}')" in text
    assert "For this input" in text
    text = texts["nor did this one"]
    assert "forward, In [13], ended with an error before it came to the definition" in text
    assert "The last cell" not in texts["but this one did"]
    assert "The last cell that defines predict_order, In [17], did not run" in texts["a value"]
    assert "The last cell that defines forward, In [19], did not run" in texts["a misspelt def"]
    assert "The last cell that defines forward, In [22], did not run" in texts["a lambda"]
    assert "In [24]" not in texts["a use"]


def test_a_helper_in_another_cell_is_told_with_its_line(notebook):
    panel, _ = notebook.cells[7].outputs
    assert "Your function raised KeyError: 5\n" in panel.data["text/plain"]
    assert "line 2 of helper: return inputs[5]" in panel.data["text/plain"]


def test_the_panel_needs_no_style_sheet_and_no_ground_of_its_own():
    html = failure("predict_order", ["y"]).panel.html
    frame = html.split("<img")[0]
    assert "class=" not in frame
    assert "background:transparent" in frame
    assert not re.search(r"background(-color)?:(?!transparent)", frame)


def test_the_text_of_a_panel_keeps_code_as_it_is():
    for answer in wrong_orders():
        error = failure("topological_order", answer)
    assert "\n    while waiting:\n        missing = [" in str(error)
    assert "<pre" in error.panel.html
    assert "    missing = [x for x in needs" in error.panel.html


# --- work that was to be one's own ----------------------------------------------------------------


def by_the_package(output):
    return mg.topological_order(output)


def by_another_name(output, order=mg.topological_order):
    return next(map(order, [output]))


HANDED_ON = [by_the_package, by_another_name, mg.topological_order, partial(mg.topological_order)]


@pytest.mark.parametrize("answer", HANDED_ON)
def test_work_that_is_handed_to_minigraph_is_noticed(monkeypatch, answer):
    exercise = EXERCISES["topological_order"]
    asks_for_it = dataclasses.replace(exercise, instead_of=(mg.topological_order,))
    monkeypatch.setitem(EXERCISES, "topological_order", asks_for_it)
    check("topological_order", RIGHT)
    text = said("topological_order", answer)
    assert "calls `mg.topological_order`, which does what your function is to do" in text


@pytest.mark.parametrize("function", [mg.softmax, mg.log_softmax, mg.cross_entropy])
def test_a_composed_function_that_does_the_work_is_noticed_and_those_in_it_are_not(function):
    """Though it is wrapped, so that the one who calls its code is minigraph."""
    arguments = ([[1.0, 2.0]], [0])[: 1 + (function is mg.cross_entropy)]
    with noticing((mg.softmax, mg.log_softmax, mg.logsumexp, mg.cross_entropy)) as called:
        function(*arguments)
    assert called == [f"mg.{function.__name__}"]


def test_a_method_that_does_the_work_is_noticed_and_what_it_calls_is_not(monkeypatch):
    exercise = EXERCISES["leave_gradients"]
    functions = (mg.Node.backward, mg.topological_order)
    asks_for_it = dataclasses.replace(exercise, instead_of=functions)
    monkeypatch.setitem(EXERCISES, "leave_gradients", asks_for_it)
    text = said("leave_gradients", lambda y: y.backward())
    assert "calls `Node.backward`, which" in text
    check("leave_gradients", exercise.reference)  # which asks minigraph for the order
