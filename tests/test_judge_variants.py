"""Other numbers for each student: released with their own, and judged by their own."""

import csv
import json
import re
from pathlib import Path

import nbformat
import pytest
from judge_class import AROUND

from minigraph.__main__ import main
from minigraph.course import CheckFailed, check
from minigraph.course.attempt import attempts
from minigraph.course.diagnosis import misconception_behind
from minigraph.course.docstrings import SpecificationError
from minigraph.course.exercises import EXERCISES
from minigraph.course.own import FOLDER, VARIABLE, own_exercises
from minigraph.course.releasing import exercise_text
from minigraph.judge.asking import Limits
from minigraph.judge.judging import Options, judge

OWN = '''
from random import Random
from minigraph.course.quantities import Number
from minigraph.course.specification import exercise


def two_numbers(rng: Random):
    return rng.randint(2, 10**6), rng.randint(2, 10**6)


@exercise(points=2, value_of=two_numbers, answer=Number())
def slope_at(a, b):
    """The slope of a product

    At $a = «a»$ and $b = «b»$, how fast does $a \\\\cdot b$ change with $a$?

    Hint: Nudge a.
    """
    return b


slope_at.slip("by the other", "That is how it changes with b.", ("return b", "return a"))
'''


def cell(kind, source, number, **nbgrader):
    made = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
    if nbgrader:
        made["metadata"]["nbgrader"] = {"locked": False, "schema_version": 3, "task": False}
        made["metadata"]["nbgrader"] |= nbgrader
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with one solution notebook, its specification, and a roster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / FOLDER))
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "own.py").write_text(OWN)
    cells = [
        cell("markdown", "# Mine\n\nOne exercise, 2 points", 0),
        cell("code", "from minigraph.course import check", 1),
        cell("markdown", "## task", 2),
        cell(
            "code",
            "### BEGIN SOLUTION\nslope_at = 1\n### END SOLUTION",
            3,
            grade=False, solution=True, grade_id="slope_at",
        ),
        cell(
            "code",
            'check("slope_at", slope_at)',
            4,
            grade=True, solution=False, grade_id="check_slope_at", points=2,
        ),
    ]  # fmt: skip
    (tmp_path / "solutions").mkdir()
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "solutions/mine.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "roster.csv").write_text("name,student\nA,anna\nB,../ben\nA,anna\n")
    return tmp_path


def numbers_in(path):
    """What the task of a notebook shows, and the seed of its check."""
    texts = [x.source for x in nbformat.read(path, as_version=4).cells]
    (a, b) = next(found for x in texts if (found := re.findall(r"[ab] = (\d+)", x)))
    seeds = [found[1] for x in texts if (found := re.search(r"slope_at, seed=(\d+)\)", x))]
    return int(a), int(b), int(*seeds) if seeds else 0


def seeds_of(course):
    with (course / "exercises/seeds.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: int(row["seed"]) for row in csv.DictReader(file)}


def folders(course):
    return sorted(x for x in (course / "exercises").iterdir() if x.is_dir())


def test_each_student_of_a_roster_has_numbers_of_their_own(course):
    pytest.importorskip("nbgrader", reason='releases exercises: pip install "nbgrader>=0.9.5"')
    assert main(["release", "--students", "roster.csv"]) == 0
    seeds = seeds_of(course)
    assert [*seeds] == ["anna", "../ben"]
    assert not list(course.parent.glob("ben*"))
    shown = [numbers_in(folder / "mine.ipynb") for folder in folders(course)]
    assert {seed for _, _, seed in shown} == {*seeds.values()}
    assert len({(a, b) for a, b, _ in shown}) == 2
    for a, b, seed in shown:
        check("slope_at", b, seed=seed)
        with pytest.raises(CheckFailed) as caught:
            check("slope_at", a, seed=seed)
        assert caught.value.key == "by the other"
    # Without a roster all have the same, and the solution shows them too.
    assert main(["release", "--destination", "same"]) == 0
    same = numbers_in(course / "same/mine.ipynb")
    assert same == numbers_in(course / "solutions/mine.ipynb")
    assert same[2] == 0
    for _ in range(3):
        check("slope_at", same[1])


def test_a_seed_stays_when_the_roster_grows(course):
    pytest.importorskip("nbgrader", reason='releases exercises: pip install "nbgrader>=0.9.5"')
    main(["release", "--students", "roster.csv"])
    before = seeds_of(course)
    (course / "roster.csv").write_text("student\nclio\n../ben\nanna\n")
    main(["release", "--students", "roster.csv"])
    after = seeds_of(course)
    assert before.items() <= after.items()
    assert {*after} == {"anna", "../ben", "clio"}
    assert len(folders(course)) == 3


def test_a_copied_answer_is_wrong(course):
    exercise = own_exercises(course)["slope_at"]
    seeds = {"anna": 11, "ben": 12}
    (course / "seeds.csv").write_text("student,seed\nanna,11\nben,12\n")
    answers = {name: exercise(*exercise.cases(seed)[0]) for name, seed in seeds.items()}
    answers |= {"copied": answers["anna"], "public": exercise(*exercise.cases()[0])}
    for name, handed in (*answers.items(), ("ben", answers["anna"])):
        folder = course / "submissions" / name
        folder.mkdir(parents=True, exist_ok=True)
        cells = [cell("code", f"slope_at = {handed}", 0)]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (folder / "mine.ipynb").write_text(text)
    options = Options(
        workers=1,
        limits=Limits(2),
        sandbox=AROUND,
        exercises=course / FOLDER,
        seeds=course / "seeds.csv",
        quiet=True,
    )
    judge(course / "submissions", course / "results", options)
    with (course / "results/scores.csv").open(encoding="utf-8", newline="") as file:
        verdicts = {row["student"]: row["verdict"] for row in csv.DictReader(file)}
    assert verdicts == {"anna": "right", "ben": "wrong", "copied": "wrong", "public": "right"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nanna\n", "no column `student`"),
        ("student\n\n", "no students"),
        ("", "no students"),
        (f"student\n{'x' * 200_000}\n", "roster.csv is no table"),
    ],
)
def test_a_roster_that_is_none_is_refused(course, capsys, text, says):
    (course / "roster.csv").write_text(text)
    assert main(["release", "--students", "roster.csv"]) == 1
    assert says in capsys.readouterr().err


def test_a_table_of_seeds_that_is_none_is_refused(course, capsys):
    (course / "seeds.csv").write_text("student,seed\nanna,many\n")
    (course / "submissions/anna").mkdir(parents=True)
    (course / "submissions/anna/mine.py").write_text("slope_at = 1")
    options = ["--results", "results", "--seed-file", "seeds.csv", "--sandbox", "none"]
    assert main(["judge", "submissions", *options, "--exercises", FOLDER]) == 1
    assert "seeds.csv is no table of seeds" in capsys.readouterr().err


def test_a_task_that_shows_what_there_is_not_is_refused(course):
    (course / FOLDER / "own.py").write_text(OWN.replace("«b»", "«c»"))
    with pytest.raises(SpecificationError, match=r"slope_at: its page shows «c».*parameters, a, b"):
        own_exercises(course)


# --- the course's own -----------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]
VARYING = [name for name, exercise in EXERCISES.items() if exercise.varies]
SEEDS = range(1, 25)
every_varying = pytest.mark.parametrize("name", VARYING)


def cells_about(name, seed):
    """The cells of a student's notebook from an exercise's heading to its check."""
    path = next(ROOT.glob(f"solutions/solutions_{EXERCISES[name].lesson}.ipynb"))
    sources = [x.source for x in nbformat.reads(exercise_text(path, seed=seed), 4).cells]
    end = next(n for n, x in enumerate(sources) if x.startswith(f'check("{name}"'))
    start = max(n for n, x in enumerate(sources[:end]) if x.startswith("## "))
    return sources[start : end + 1]


def test_exercises_of_the_course_have_other_numbers_for_each_student():
    assert {"predict_kink", "predict_paths", "predict_gradients"} <= {*VARYING}


@every_varying
def test_what_is_copied_is_wrong_and_each_misconception_is_seen(name):
    exercise = EXERCISES[name]
    answers = [exercise(*exercise.cases(seed)[0]) for seed in (0, *SEEDS)]
    alike = [x == y for n, x in enumerate(answers) for y in answers[:n]]
    assert sum(alike) < len(alike) / 8
    for seed in SEEDS:
        for misconception in exercise.misconceptions:
            for program in misconception.programs:
                found = attempts(exercise, program, exercise.cases(seed), 10)
                assert misconception_behind(exercise, found) is misconception


@every_varying
def test_a_notebook_shows_its_numbers_and_no_others(name):
    pytest.importorskip("nbgrader", reason='releases exercises: pip install "nbgrader>=0.9.5"')
    usual = "\n".join(cells_about(name, 0))
    assert "«" not in usual
    for seed in (3, 4):
        numbers = EXERCISES[name].numbers(seed)
        text = "\n".join(cells_about(name, seed))
        shown = dict(re.findall(r"\b(\w) ?= ?(-?[\d.]+\d|-?\d)", text))
        assert {x: float(shown[x]) for x in numbers} == numbers
        assert text != usual
        assert f"{name}, seed={seed})" in text


@every_varying
def test_an_answer_is_right_for_its_own_numbers_and_hints_speak_of_them(name):
    exercise = EXERCISES[name]
    own, other = (exercise(*exercise.cases(seed)[0]) for seed in (5, 0))
    check(name, own, seed=5)
    check(name, other)
    with pytest.raises(CheckFailed):
        check(name, other, seed=5)
    page = exercise.of(5)
    told = " ".join([page.task, page.first_step, *page.hints, page.verified])
    assert "«" not in told
    assert "«" not in " ".join(x.hint for x in exercise.misconceptions)
    given = {f"{x:.10g}" for x in exercise.cases()[0]} - {f"{x:.10g}" for x in exercise.cases(5)[0]}
    stated = re.findall(r"\b([abcxh]) = (-?[\d.]+\d|\d)", " ".join([page.task, page.first_step]))
    assert not given.intersection(number for _, number in stated)
