"""Other numbers for each student: released with their own, and judged by their own."""

import csv
import json
import re

import nbformat
import pytest

from minigraph.__main__ import main
from minigraph.course import CheckFailed, check
from minigraph.course.docstrings import SpecificationError
from minigraph.course.own import FOLDER, VARIABLE, own_exercises
from minigraph.judge import sandboxes
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
    works = any(not sandbox.refusal() for sandbox in sandboxes.SANDBOXES)
    options = Options(
        workers=1,
        limits=Limits(2),
        sandbox=None if works else "none",
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
    with pytest.raises(SpecificationError, match=r"slope_at: its task shows «c».*but a, b"):
        own_exercises(course)["slope_at"].task_of()
