"""The invented class of `python -m minigraph judge --demo`: each student gets what was invented."""

import csv
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from judge_class import AROUND

from minigraph.__main__ import main
from minigraph.course.attempt import attempts, expected
from minigraph.course.exercises import EXERCISES
from minigraph.judge import judging
from minigraph.judge.asking import Limits
from minigraph.judge.demo import make_class
from minigraph.judge.judging import Options, judge
from minigraph.judge.standalone import code_of

LESSON = "11_static_graphs"
EXERCISES_OF_LESSON = [x for x in EXERCISES.values() if x.lesson == LESSON and x.points]
SEED = 5


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The class of one lesson, judged: its folder, and by student what was invented."""
    folder = tmp_path_factory.mktemp("demo") / "class"
    qualities = make_class(folder, (LESSON,))
    students = [f"student-{n:02}" for n in range(1, len(qualities) + 1)]
    options = Options(workers=1, limits=Limits(1), sandbox=AROUND, quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging.secrets, "randbits", lambda bits: SEED)
        judge(folder / "submissions", folder / "results", options)
    return folder, dict(zip(students, qualities))


def rows_of(folder):
    with (folder / "results/scores.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    return {
        name: {row["exercise"]: row for row in rows if row["student"] == name}
        for name in {row["student"] for row in rows}
    }


def test_each_student_gets_what_was_invented(demo):
    folder, invented = demo
    rows = rows_of(folder)
    names = [x.name for x in EXERCISES_OF_LESSON]
    functions = [x.name for x in EXERCISES_OF_LESSON if x.parameters]
    assert sum(x.startswith("misconceptions") for x in invented.values()) > 3
    for student, quality in invented.items():
        verdicts = {name: rows[student].get(name, {}).get("verdict") for name in names}
        right = dict.fromkeys(names, "right")
        match quality.split(":")[0]:
            case "all right" | "a cell that is no Python, and a right answer below it":
                assert verdicts == right
            case "the first half":
                half = len(names) // 2
                assert [*verdicts.values()] == ["right"] * half + ["not started"] * half
            case "misconceptions":
                thought = dict(x.split(": ", 1) for x in quality.split(": ", 1)[1].split("; "))
                found = {name: rows[student][name]["misconception"] for name in names}
                assert {name: key for name, key in found.items() if key} == thought
            case "not started":
                assert verdicts == dict.fromkeys(names, "not started")
            case "nothing but a heading":
                assert verdicts == dict.fromkeys(names, "missing")
            case "no notebook" | "an empty file":
                assert rows[student][""]["verdict"].startswith("unreadable: it is ")
            case "hostile":
                what = {"prints": "wrong", "never": "too slow"}.get(quality.split()[1])
                assert verdicts == right | ({functions[0]: what} if what else {})
            case other:
                pytest.fail(other)


def test_no_page_of_a_student_holds_an_answer(demo):
    folder, _ = demo
    pages = sorted(folder.glob("results/feedback/*/*.html"))
    assert len(pages) > 10
    by_exercise = {x.name: x for x in EXERCISES_OF_LESSON}
    told = 0
    for path in folder.glob("results/records/*/*.json"):
        record = json.loads(path.read_text("utf-8"))
        page = (folder / "results/feedback" / path.parent.name / f"{LESSON}.html").read_text(
            "utf-8"
        )
        for section, row in zip(page.split("<section")[1:], record["exercises"], strict=True):
            exercise = by_exercise[row["exercise"]]
            text = squeezed(unescape(re.sub("<[^>]*>", "", section.split("</section>")[0])))
            shown = squeezed(" ".join(part["code"] for part in row["parts"]))
            if row["misconception"]:
                hint = {m.key: m.hint for m in exercise.misconceptions}[row["misconception"]]
                assert squeezed(hint) in text
                told += 1
            if row["verdict"] != "right":
                answers = (
                    squeezed(exercise.form.show(expected(exercise, case)))
                    for case in exercise.cases(SEED)
                )
                assert [x for x in answers if len(x) > 5 and x in text and x not in shown] == []
                for line in code_of(exercise, exercise.reference).splitlines():
                    assert len(line.strip()) < 20 or squeezed(line) not in text
    assert told > 5


def squeezed(text):
    return re.sub(r"[\s*`]", "", text)


def test_no_script_of_a_student_is_in_a_page(demo):
    folder, _ = demo
    texts = [path.read_text("utf-8") for path in folder.glob("results/**/*.html")]
    assert sum(text.count("<script") for text in texts) == 1
    assert sum("&lt;script&gt;document.body" in text for text in texts) == 1
    assert not any("<b>all right</b> =HYPERLINK" in text for text in texts)


def test_it_is_as_large_as_those_who_teach_are_told(tmp_path):
    told = (Path(__file__).parents[1] / "TEACHING.md").read_text(encoding="utf-8")
    assert "a class of seventeen in the folder" in told
    assert len(make_class(tmp_path / "class")) == 17


def test_a_class_is_not_mixed_with_other_files(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("my own")
    assert main(["judge", "--demo", str(tmp_path)]) == 1
    assert "thesis.txt; name a new folder" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == [tmp_path / "thesis.txt"]


def test_an_invented_class_takes_no_submissions(tmp_path, capsys):
    assert main(["judge", "some", "--demo", str(tmp_path / "new")]) == 1
    assert "--demo makes its own submissions" in capsys.readouterr().err


@pytest.mark.parametrize("lesson", sorted({x.lesson for x in EXERCISES.values()}))
def test_code_of_the_catalogue_stands_alone(lesson):
    written = 0
    for exercise in EXERCISES.values():
        code = code_of(exercise, exercise.reference) if exercise.lesson == lesson else ""
        if code:
            assert "minigraph.course" not in code
            names = {}
            exec(code, names)
            if exercise.parameters:
                with np.errstate(all="ignore"):
                    (tried,) = attempts(exercise, names[exercise.name], exercise.cases()[:1], 10)
                assert tried.wrong is None
            written += 1
    assert written
