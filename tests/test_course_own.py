"""How an exercise is written: its docstring, its slips, and where those of one's own stand."""

import dataclasses
import os
import re
import textwrap
from pathlib import Path

import nbformat
import numpy as np
import pytest
from checks import failure, said
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import minigraph as mg
from minigraph.course import CheckFailed, check, graphs
from minigraph.course.diagnosis import faults_of
from minigraph.course.docstrings import SpecificationError, read_page, unwrapped
from minigraph.course.exercises import EXERCISES, LESSONS
from minigraph.course.own import FOLDER, VARIABLE, own_exercises
from minigraph.course.quantities import Number
from minigraph.course.releasing import ReleaseError, release
from minigraph.course.specification import exercise
from minigraph.errors import MinigraphError

ROOT = Path(__file__).parents[1]
TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
OWN = next(
    text for text in re.findall(r"```python\n(.*?)```", TEACHING, re.DOTALL) if "slip(" in text
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of notebooks with the exercise of TEACHING.md beside them, in which one works."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, OWN)
    return tmp_path


def write(folder, text, name="own.py"):
    path = folder / FOLDER / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9 * len(text)))


# --- the page in a docstring ----------------------------------------------------------------------


def test_a_docstring_is_read_as_a_page():
    page = read_page(
        "f",
        """Find it

        A task
        in two lines.

        - one,
        - two, which goes
          on.

        First step: Begin.
        Hint: A nudge, that
        goes on:
            x = 1

            y = 2
        and ends.
        Hint: Another.
        Another way: Or so.
        Verified: it is.
        """,
    )
    assert page.title == "Find it"
    assert page.task == "A task in two lines.\n\n- one,\n- two, which goes on."
    assert page.hints == ("A nudge, that goes on:\n    x = 1\n\n    y = 2\nand ends.", "Another.")
    assert (page.first_step, page.another_way, page.verified) == ("Begin.", "Or so.", "it is.")


def test_code_in_fences_and_tables_keeps_its_lines():
    text = "Words\nand\n```python\na\n  b\n```\nmore\nwords\n| a |\n| b |\n1. one\n2. two"
    assert unwrapped(text) == (
        "Words and\n```python\na\n  b\n```\nmore words\n| a |\n| b |\n1. one\n2. two"
    )


@pytest.mark.parametrize(
    ("docstring", "message"),
    [
        (None, "should begin with a title"),
        ("A title\nthat goes on", "should begin with a title"),
        ("T\n\nHint: a\nHint: b\nHint: c\nHint: d", "up to 3 hints"),
        ("T\n\nVerified: a\nVerified: b", "Verified once at most"),
    ],
)
def test_a_docstring_that_is_no_page_is_refused(docstring, message):
    with pytest.raises(SpecificationError, match=rf"^f: .*{message}"):
        read_page("f", docstring)
    assert issubclass(SpecificationError, MinigraphError)
    assert issubclass(SpecificationError, ValueError)


# --- slips ----------------------------------------------------------------------------------------


@exercise(points=1, cases=[(2.0, 5), (-3.0, 2)], answer=Number())
def power(x, n):
    """Compute a power: x * x

    No task.
    """
    return 1.0 if n == 0 else x * power(x, n - 1)


def programs(name, *ways):
    """The programs of a slip of `power`, which itself stays as it is."""
    fresh = dataclasses.replace(power)
    fresh.slip(name, "A hint.", *ways)
    return fresh, fresh.misconceptions[0].programs


def test_a_slip_is_the_reference_with_an_edit_also_where_it_calls_itself():
    _, (doubled, minus) = programs("k", ("1.0", "2.0"), ("x *", "-x *", "1.0", "1"))
    assert power(2.0, 5) == 32
    assert doubled(2.0, 5) == 64
    assert minus(2.0, 5) == -32


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("y", "x"),
            "power: an edit replaces 'y', which should stand .* once, .* 0 times",
        ),
        (("x", "y"), "and stands there [23] times"),
        (("Compute", "y"), "stands there 0 times"),  # the docstring is no code
        (("1.0",), "an edit is what stands there and what to put there"),
        (3.0, "power: a wrong way is an edit or a function, and one is 3.0"),
    ],
)
def test_an_edit_that_does_not_apply_is_refused_at_once(edit, message):
    with pytest.raises(SpecificationError, match=message):
        programs("k", edit)


@pytest.mark.parametrize(
    ("key", "hint", "message"),
    [
        ("k", " ", "power: the misconception 'k' has no hint"),
        ("k", None, "power: the misconception 'k' has no hint"),
        ("known", "Hint.", "power: two misconceptions are named 'known'"),
    ],
)
def test_a_misconception_without_a_hint_or_a_name_of_its_own_is_refused(key, hint, message):
    fresh, _ = programs("known", ("1.0", "2.0"))
    with pytest.raises(SpecificationError, match=message):
        fresh.slip(key, hint, ("1.0", "3.0"))


@pytest.mark.parametrize("points", [-1, 1.5, "two", True, None])
def test_points_are_a_whole_number(points):
    with pytest.raises(SpecificationError, match="power: points are a whole number, not "):
        exercise(points=points, cases=[(2.0, 5)], answer=Number())(power.reference)


def test_an_edit_that_makes_no_python_is_told():
    with pytest.raises(SpecificationError, match=r"power: with the edits \[\('1.0', '\('\)\]"):
        programs("k", ("1.0", "("))


def test_what_changes_no_answer_or_is_taken_for_another_is_found():
    spoilt, _ = programs("one", ("1.0", "2.0"))
    assert faults_of(spoilt) == []
    spoilt.slip("two", "Hint.", ("1.0", "1"), ("1.0", "(1 + 1)"))
    assert faults_of(spoilt) == [
        'Way 1 of the misconception "two" changes no answer.',
        'Way 2 of the misconception "two" is taken for "one".',
    ]


def test_without_parameters_a_value_is_asked_for_and_a_wrong_one_will_do():
    @exercise(points=1, answer=Number())
    def root():
        """Give a root

        The positive root of 4."""
        return 2

    root.slip("square", "A hint.", 16)
    assert (root.kind, root.parameters, root.cases(), root()) == ("predict", (), [()], 2)
    assert root.misconceptions[0].programs[0]() == 16
    assert faults_of(root) == []


def test_the_lines_of_a_slip_are_those_of_its_file():
    _, (wrong,) = programs("k", ("1.0", "1 / 0"))
    with pytest.raises(ZeroDivisionError) as caught:
        wrong(1.0, 0)
    line = caught.traceback[-1].lineno
    assert "return 1.0 if n == 0" in Path(__file__).read_text(encoding="utf-8").split("\n")[line]


# --- exercises of one's own -----------------------------------------------------------------------


def test_the_exercise_of_the_readme_is_checked(folder, capsys):
    check("sigmoid_slope", lambda y: y - y * y)
    assert capsys.readouterr().out.startswith("✓ sigmoid_slope is right: it agrees in 3 cases.")
    error = failure("sigmoid_slope", lambda y: 1 - y * y)
    assert error.key == "slope of tanh"
    assert "This is how tanh finds its slope." in str(error)
    assert failure("sigmoid_slope", lambda y: 1.0 - y).key == "one factor only"
    assert "y = 0.5" in said("sigmoid_slope", lambda y: 7.0)
    assert len(OWN.strip().split("\n")) <= 25


def test_it_is_found_from_the_folder_next_to_it_and_from_the_one_that_is_named(
    folder, monkeypatch, tmp_path_factory
):
    (folder / "exercises").mkdir()
    assert [*own_exercises(folder / "exercises")] == ["sigmoid_slope"]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert own_exercises(elsewhere) == {}
    monkeypatch.setenv(VARIABLE, str(folder / FOLDER))
    assert [*own_exercises(elsewhere)] == ["sigmoid_slope"]
    assert own_exercises(elsewhere)["sigmoid_slope"].lesson == "own"
    monkeypatch.setenv(VARIABLE, str(folder / "nowhere"))
    assert "nowhere', and that is no folder" in said("sigmoid_slope", 1)


def test_a_file_that_has_changed_is_read_anew(folder):
    before = own_exercises(folder)["sigmoid_slope"]
    assert own_exercises(folder)["sigmoid_slope"] is before
    write(folder, OWN.replace("slope of tanh", "tanh"))
    assert own_exercises(folder)["sigmoid_slope"].misconceptions[0].key == "tanh"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace('("y * (1 - y)",', '("y * (2 - y)",'),
            r"own\.py, line 16: sigmoid_slope: an edit",
        ),
        (lambda text: text + "\n1 / 0", r"own\.py, line \d+: ZeroDivisionError: division by zero"),
        (lambda text: text + "\nwhile", r"own\.py: SyntaxError: .*line \d+"),
        (lambda text: text.replace("sigmoid_slope", "forward"), "an exercise forward in minigraph"),
        (lambda text: text.replace("(0.5,)", "0.5"), r"own\.py, line 5: .* cases are tuples"),
        (
            lambda text: text.replace("Number())", "Number)"),
            r"own\.py.* 5: .*answer is a form",
        ),
        (lambda text: text + text, r"own\.py, line \d+: sigmoid_slope stands in line 6 already"),
        (lambda text: text + "\nraise SystemExit(3)", r"own\.py, line \d+: SystemExit: 3"),
        (
            lambda text: text + '\nsigmoid_slope.slip("none", "A hint.")',
            r"own\.py, line \d+: sigmoid_slope: a misconception has a name and a wrong way",
        ),
        (
            lambda text: text.replace('misconception("one factor only")', "misconception"),
            r"own\.py, line \d+: sigmoid_slope: a misconception has a name and a wrong way",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(folder, change, message):
    write(folder, change(OWN))
    with pytest.raises(SpecificationError, match=message):
        own_exercises(folder)
    assert re.search(message, said("sigmoid_slope", 1))
    with pytest.raises(CheckFailed, match="forward is not right yet"):
        check("forward", lambda graph, inputs: {})  # the course goes on


def test_a_reference_that_raises_is_not_held_against_the_student(folder):
    write(folder, OWN.replace("return y * (1 - y)", "return y * (1 - y) / 0"))
    told = " ".join(said("sigmoid_slope", lambda y: y - y * y).split())
    assert "This exercise has a fault of its own, and your answer cannot be judged" in told
    assert "ZeroDivisionError: float division by zero" in told
    assert "Hint" not in told


def test_an_exercise_that_stands_in_two_files_is_refused(folder):
    write(folder, OWN, "zweite.py")
    with pytest.raises(SpecificationError, match=r"zweite\.py: .* sigmoid_slope in another file"):
        own_exercises(folder)


def solution(folder, exercise="sigmoid_slope", task=1):
    marks = {"schema_version": 3, "task": False}
    answer = new_code_cell(
        "### BEGIN SOLUTION\ndef sigmoid_slope(y):\n    return y * (1 - y)\n### END SOLUTION",
        metadata={
            "nbgrader": marks
            | {"grade": False, "solution": True, "locked": False, "grade_id": exercise}
        },
    )
    checked = new_code_cell(
        f'check("{exercise}", sigmoid_slope)',
        metadata={
            "nbgrader": marks
            | {"grade": True, "solution": False, "locked": True, "points": 99}
            | {"grade_id": f"check_{exercise}"}
        },
    )
    texts = [new_markdown_cell("## Whatever"), *[new_markdown_cell("more")] * (task - 1)]
    title = new_markdown_cell("# Mine\n\nSeven exercises, 99 points.")
    cells = [title, *texts, answer, checked]
    (folder / "solutions").mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), folder / "solutions" / "mine.ipynb")


def test_release_writes_title_points_and_task_from_the_specification(folder):
    pytest.importorskip("nbgrader")
    solution(folder)
    release(folder / "solutions", folder / "exercises")
    for name in ("solutions", "exercises"):
        cells = nbformat.read(folder / name / "mine.ipynb", as_version=4).cells
        assert cells[0].source == "# Mine\n\nOne exercise, 2 points."
        assert cells[1].source == (
            "## 1. Find the slope of a sigmoid (2 points)\n\nThe sigmoid of some $x$ is $y$. "
            "Return its slope at that $x$, found from $y$ alone."
        )
        assert cells[3].metadata.nbgrader.points == 2
    assert "return y" not in cells[2].source
    before = (folder / "solutions" / "mine.ipynb").read_bytes()
    release(folder / "solutions", folder / "exercises")
    assert (folder / "solutions" / "mine.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "notebook", "message"),
    [
        (lambda text: text, {"exercise": "sigmoid"}, "it checks sigmoid, and there is no such"),
        (lambda text: text, {"task": 2}, "has 1 part, and the notebook has 2 cells of text"),
        (
            lambda text: text.replace("1 - y**2", "y - y**2"),
            {},
            "tanh. changes no answer",
        ),
    ],
)
def test_release_refuses_what_does_not_hold_and_writes_nothing(folder, change, notebook, message):
    pytest.importorskip("nbgrader")
    write(folder, change(OWN))
    solution(folder, **notebook)
    with pytest.raises(ReleaseError, match=message):
        release(folder / "solutions", folder / "exercises")
    assert not (folder / "exercises").exists()


# --- the catalogue --------------------------------------------------------------------------------

FUNCTIONS = [e for e in EXERCISES.values() if e.parameters]


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.name)
def test_every_input_is_shown_as_code_that_makes_it(exercise):
    for case in exercise.cases():
        made: dict = {"mg": mg, "np": np}
        exec(exercise.as_code(*case), made)
        for name, right in zip(exercise.parameters, exercise.as_arguments(*case)):
            if isinstance(right, mg.Node):
                assert same_graph(made[name], right)
            elif name in ("graph", "users", "edges", "stages"):
                assert made[name] == right
                assert [*made[name]] == [*right]


def same_graph(one, other):
    nodes = mg.topological_order(one), mg.topological_order(other)
    return [(x.name, x.op, len(x.inputs)) for x in nodes[0]] == [
        (x.name, x.op, len(x.inputs)) for x in nodes[1]
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("topological_order", lambda graph, output: f"{len(graph):,} operations deep"),
        ("count_paths", lambda users, *ends: f"{len(users) - 1:,} edges"),
        ("count_paths", lambda users, *ends: f"2^{(len(users) - 1) // 5} paths"),
        ("factor_paths", lambda stages: f"{len(stages):,} stages"),
        ("backward", lambda graph, values: f"2^{len(graph) // 2} paths"),
    ],
)
def test_the_sizes_that_an_exercise_speaks_of_are_those_of_its_largest_case(name, written):
    exercise = EXERCISES[name]
    largest = max(exercise.cases(), key=lambda case: len(case[0]))
    assert written(*largest) in f"{exercise.task} {exercise.verified}"


def test_long_graphs_are_written_with_loops():
    steps = graphs.chain(30)
    assert graphs.as_assignment(dict(reversed(steps.items()))) == (
        "graph = {}\n"
        "for n in range(30, 1, -1):\n"
        '    graph[f"x{n}"] = ("+", f"x{n - 1}", "x")\n'
        'graph["x1"] = ("+", "x", "x")'
    )
    assert graphs.as_output(steps | {"y": ("sin", "x30")}, "y") == (
        "steps = []\n"
        'steps.append("x1 = x + x")\n'
        "for n in range(2, 31):\n"
        '    steps.append(f"x{n} = x{n - 1} + x")\n'
        'steps.append("y = sin(x30)")\n'
        'output = mg.parse("; ".join(steps), x=2)'
    )


def test_no_lesson_imports_a_later_one():
    names = [lesson.__name__.rpartition(".")[2] for lesson in LESSONS]
    for place, lesson in enumerate(LESSONS):
        text = Path(lesson.__file__).read_text(encoding="utf-8")
        imported = set(re.findall(r"^from \.(\w+) import", text, re.MULTILINE))
        assert imported <= {*names[:place]}
