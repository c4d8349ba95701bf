"""What is imported into Canvas and Moodle, read by the rules of their importers."""

import csv
import re
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest
from test_judge import SOLVED, results_of, write

from minigraph.judge.judging import Options, judge

FORWARD = "02_forward_pass"
CANVAS_TOTALS = re.compile("(Current|Final|Override) (Score|Points|Grade)|Override Status")


class Pool:
    """Judges nobody: all get the same."""

    room = 4

    def __init__(self, *_):
        pass

    def submit(self, task):
        rows = [
            {"exercise": name, "points": n, "max_points": 3, "verdict": "right", "seconds": 0.0}
            | {"misconception": "", "title": name, "hint": "", "parts": [], "picture": ""}
            for n, name in enumerate(task.names)
        ]
        future = Future()
        future.set_result(rows)
        return future

    def close(self):
        pass


def judged(root, files):
    write(root / "in", dict.fromkeys(files, SOLVED))
    judge(root / "in", root / "out", Options(sandbox="none", quiet=True), Pool)
    return root / "out"


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.reader(file)]


def canvas_takes(path, known):
    """What Canvas reads from a gradebook: points possible, and marks of the students it knows."""
    head, *rows = table(path)
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert re.search(r"SIS\s+User\s+ID", head[2])
    assert re.search(r"SIS\s+Login\s+ID", head[3])
    assert "Section" in head[4]
    assert len({*head}) == len(head)  # a column is found by its title
    columns = {n: x for n, x in enumerate(head) if n > 4 and not CANVAS_TOTALS.search(x)}
    assert "Points Possible" in rows[0][0]
    assert all("Points Possible" not in row[0] for row in rows[1:])
    possible = {x: rows[0][n] for n, x in columns.items() if "read only" not in rows[0][n]}
    marks = {}
    for row in rows[1:]:
        found = [name for name, number in known.items() if row[1] == number]
        found = found or [name for name in known if row[0] == name]
        for name in found:
            marks[name] = {x: row[n].strip() for n, x in columns.items() if x in possible}
    return possible, marks


def moodle_takes(path, column, users):
    """The rows of those whom Moodle's gradebook knows by a column; it refuses unknown ones."""
    head, *rows = table(path)
    place = head.index(column)
    named = [row for row in rows if row[place]]
    assert {row[place] for row in named} <= users
    return {row[place]: dict(zip(head, row)) for row in named}


def worksheet_takes(path, participants):
    """What an assignment of Moodle's reads of its grading worksheet."""
    head, *rows = table(path)
    known, grade, time = map(head.index, ("Identifier", "Grade", "Last modified (grade)"))
    found = {}
    for row in rows:
        assert row[known].startswith("Participant ")
        who = participants[int(row[known].removeprefix("Participant "))]
        assert abs((datetime.now(UTC) - datetime.fromisoformat(row[time])).total_seconds()) < 600
        found[who] = float(row[grade])
    return found


def test_canvas_finds_students_by_their_numbers_and_others_by_their_names(tmp_path):
    out = judged(
        tmp_path,
        ["arendtanna_501_9001_02.ipynb", "boleb_LATE_502_9002_02-1.ipynb", "Carl Cox/02.ipynb"],
    )
    known = {"Arendt, Anna": "501", "Bole, B": "502", "Carl Cox": "503"}
    possible, marks = canvas_takes(out / "gradebook.csv", known)
    assert possible == {"02 forward pass": "11", "Total": "11", "Identifier": ""}
    assert marks.keys() == known.keys()
    assert all(x["02 forward pass"] == x["Total"] == "10" for x in marks.values())
    assert not (out / "moodle").exists()


@pytest.mark.parametrize("names", [("anna", "bob"), ("a@x.edu", "b@x.edu"), ("0012", "0013")])
def test_the_gradebook_of_moodle_knows_whoever_has_a_folder(tmp_path, names):
    out = judged(tmp_path, [f"{name}/02.ipynb" for name in names])
    found = moodle_takes(out / "gradebook.csv", "Identifier", {*names})
    assert {name: row["02 forward pass"] for name, row in found.items()} == dict.fromkeys(
        names, "10"
    )


def test_an_assignment_of_moodle_reads_its_worksheet(tmp_path):
    out = judged(
        tmp_path,
        [
            "02/Anna Arendt_11_assignsubmission_file_/02_forward_pass.ipynb",
            "02/Bob Bole_12_assignsubmission_file_/02_forward_pass.ipynb",
            "again/Anna Arendt_77_assignsubmission_file_/02_forward_pass (1).ipynb",
            "Carl/02.ipynb",
        ],
    )
    assert [x.name for x in (out / "moodle").iterdir()] == [f"{FORWARD}.csv"]
    found = worksheet_takes(out / f"moodle/{FORWARD}.csv", {77: "Anna", 12: "Bob"})
    assert found == {"Anna": 10, "Bob": 10}
    numbers = {x["student"]: x["submissions"][0]["number"] for x in results_of(out)["students"]}
    assert numbers == {"Anna Arendt": "77", "Bob Bole": "12", "Carl": ""}
    assert {row[1] for row in table(out / "gradebook.csv")[1:]} == {""}


def test_a_name_that_is_a_formula_is_none_in_any_table(tmp_path):
    name = '=HYPERLINK("http://x","y")'
    out = judged(tmp_path, [f"{name}_11_assignsubmission_file_/02.ipynb".replace("/", "", 2)])
    cells = [x for path in out.glob("**/*.csv") for row in table(path) for x in row]
    assert any("HYPERLINK" in x for x in cells)
    assert not [x for x in cells if x.lstrip().startswith(("=", "+", "-", "@"))]
