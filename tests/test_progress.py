"""What a learner has done in the course is kept beside the notebooks, and nothing is lost."""

import io
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

import minigraph as mg
import minigraph.widgets
from minigraph.__main__ import main
from minigraph.course import CheckFailed, check, finished, progress
from minigraph.course.exercises import EXERCISES
from minigraph.course.headings import APPENDIX
from minigraph.course.lessons import LESSONS, PARTS, after, before
from minigraph.course.onwards import standing
from minigraph.course.predictions import PREDICTIONS
from minigraph.course.progress import Progress, note_prediction, note_read, note_solved

ROOT = Path(__file__).parents[1]
FIRST_QUESTIONS = "01_expressions_as_graphs"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course's folder with empty notebooks, in which a kernel for exercises runs."""
    for lesson in LESSONS.values():
        for path in filter(None, (lesson.notebook, lesson.exercises)):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).touch()
    monkeypatch.delenv(progress.VARIABLE)
    monkeypatch.chdir(tmp_path / "exercises")
    yield tmp_path
    progress._unwritten.clear()


def kept(course):
    return json.loads((course / progress.FILE).read_text(encoding="utf-8"))


# --- the table of lessons -------------------------------------------------------------------------


def test_the_table_has_the_lessons_that_there_are():
    assert [f"{stem}.ipynb" for stem in LESSONS] == sorted(
        path.name for path in ROOT.glob("notebooks/*.ipynb")
    )


def test_lessons_with_exercises_say_how_long_these_take():
    graded = {exercise.lesson for exercise in EXERCISES.values() if exercise.points}
    assert {x.stem for x in LESSONS.values() if x.minutes_of_exercises} == graded


@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_takes_as_long_as_it_says(stem):
    widgets = "|".join(name for name in minigraph.widgets.__all__ if name.islower())
    predictions = [p for p in PREDICTIONS.values() if p.lesson == stem]
    minutes = sum(1 + words(" ".join(p.explanation)) / 200 for p in predictions)
    for cell in nbformat.read(ROOT / LESSONS[stem].notebook, as_version=4).cells:
        if cell.source.startswith(APPENDIX):
            break
        if cell.cell_type == "markdown":
            minutes += words(cell.source) / 200
        else:
            minutes += len(re.findall(r"\w+", cell.source)) / 70
            minutes += len(re.findall(rf"\b(?:{widgets})\(", cell.source)) * 1.5
    assert LESSONS[stem].minutes == 5 * round(minutes / 5) <= 45


def words(markdown):
    """How many words are read: a formula is one, and a link is its text."""
    return len(re.sub(r"\$[^$]*\$", "x", re.sub(r"\]\([^)]*\)", "]", markdown)).split())


def test_the_readme_has_the_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [
        f"| [`{x.stem}`]({x.notebook}) | {x.question} | {x.minutes}"
        f"{f' + {x.minutes_of_exercises}' * bool(x.minutes_of_exercises)} |"
        for x in LESSONS.values()
    ]
    assert "\n".join(["|---|---|---|", *rows, "\n"]) in text, "\n".join(rows)


def test_a_lesson_builds_on_the_one_before_it_or_on_one_of_the_part_before():
    parts = list(PARTS.values())
    for above, part in zip([(), *parts], parts):
        for place, lesson in enumerate(part):
            beside = part[place - 1 : place] if place else ()
            assert set(lesson.needs) <= {x.stem for x in (*above, *beside)}, lesson
            assert bool(lesson.needs) == (lesson.number != "00")


def test_each_lesson_is_between_its_neighbours():
    lessons = list(LESSONS.values())
    assert [after(x) for x in lessons] == [*lessons[1:], None]
    assert [before(x) for x in lessons] == [None, *lessons[:-1]]


# --- keeping --------------------------------------------------------------------------------------


def test_what_was_done_is_kept_in_one_readable_file(course):
    note_read("02_forward_pass")
    note_prediction("02_forward_pass", "order", right=False)
    note_prediction("02_forward_pass", "order", right=True)
    note_prediction("02_forward_pass", "value", right=True)
    note_solved("02_forward_pass", "predict_order")
    assert kept(course)["lessons"] == {
        "02_forward_pass": {
            "read": True,
            "predicted": {"order": "wrong", "value": "right"},
            "solved": ["predict_order"],
        }
    }
    assert {path.suffix for path in (course / ".minigraph").iterdir()} == {".json", ".lock"}


def test_a_new_kernel_knows_what_an_earlier_one_has_noted(course):
    code = "from minigraph.course.progress import note_read; note_read('03_local_derivatives')"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    note_read("04_chain_rule")
    assert progress.progress().read == {"03_local_derivatives", "04_chain_rule"}


def test_git_ignores_the_file():
    ignored = subprocess.run(["git", "check-ignore", progress.FILE], cwd=ROOT, capture_output=True)
    if ignored.returncode == 128:
        pytest.skip("this is no working copy of git's")
    assert ignored.returncode == 0


def _notes(kernel, count):
    for number in range(count):
        note_solved("07_tensors", f"exercise_{kernel}_{number}")


def test_kernels_that_note_at_the_same_time_lose_nothing(course):
    kernels = [multiprocessing.Process(target=_notes, args=(k, 20)) for k in range(3)]
    threads = [threading.Thread(target=_notes, args=(f"thread_{k}", 20)) for k in range(2)]
    for worker in [*kernels, *threads]:
        worker.start()
    for worker in [*kernels, *threads]:
        worker.join()
    names = {f"exercise_{k}_{n}" for k in (0, 1, 2, "thread_0", "thread_1") for n in range(20)}
    assert set(kept(course)["lessons"]["07_tensors"]["solved"]) == names


FOREIGN = {
    "cut off": '{"format": "minigraph progress 1", "lessons": {"01_',
    "something else": "[1, 2, 3]",
    "of a later version": '{"format": "minigraph progress 2", "lessons": {}}',
    "lessons in a list": '{"format": "minigraph progress 1", "lessons": []}',
    "a lesson that is a number": '{"format": "minigraph progress 1", "lessons": {"01": 1}}',
    "a guess that is neither": (
        '{"format": "minigraph progress 1", "lessons": {"01": {"predicted": {"a": [1]}}}}'
    ),
    "names that are none": (
        '{"format": "minigraph progress 1", "lessons": {"01": {"solved": [["a"]]}}}'
    ),
    "nested without end": "[" * 100_000,
    "no text": b"\xff\xfe\x00".decode("latin-1"),
    "nothing": "",
    "too much": '{"format": "minigraph progress 1", "lessons": {}}' + " " * 10**6,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_stops_nothing_and_stays_as_it_is(course, content):
    path = course / progress.FILE
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    note_read("01_expressions_as_graphs")
    assert path.read_text(encoding="latin-1") == content
    assert progress.progress().read == {"01_expressions_as_graphs"}
    with pytest.raises(progress.ProgressError, match=r"progress\.json holds no progress.*--forget"):
        progress.read_progress()


def test_a_folder_that_cannot_be_written_stops_nothing(course):
    (course / ".minigraph").write_text("a file where a folder should be")
    note_read("01_expressions_as_graphs")
    assert progress.progress().read == {"01_expressions_as_graphs"}


def test_what_could_not_be_written_is_written_when_it_can_be(course):
    (course / ".minigraph").write_text("in the way")
    note_read("01_expressions_as_graphs")
    (course / ".minigraph").unlink()
    note_solved("02_forward_pass", "predict_order")
    assert kept(course)["lessons"].keys() == {"01_expressions_as_graphs", "02_forward_pass"}


def test_a_kernel_that_keeps_the_file_to_itself_stops_nothing(course, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.05)
    (course / ".minigraph").mkdir()
    with progress._alone_with(course / progress.FILE):
        note_read("01_expressions_as_graphs")
    assert not (course / progress.FILE).exists()
    assert progress.progress().read == {"01_expressions_as_graphs"}


def test_a_pipe_in_place_of_the_file_is_not_waited_for(course):
    (course / ".minigraph").mkdir()
    os.mkfifo(course / progress.FILE)
    note_read("01_expressions_as_graphs")
    assert progress.progress().read == {"01_expressions_as_graphs"}
    with pytest.raises(progress.ProgressError, match="holds no progress"):
        progress.read_progress()


def test_a_folder_that_was_removed_stops_nothing(course, capsys):
    (course / "gone").mkdir()
    os.chdir(course / "gone")
    (course / "gone").rmdir()
    note_read("01_expressions_as_graphs")
    assert progress.progress().read == {"01_expressions_as_graphs"}
    assert "Expressions as graphs" in repr(mg.course_map())
    finished("01_expressions_as_graphs")
    with pytest.raises(CheckFailed, match="There is no exercise"):
        check("no_such_exercise", None)
    assert main(["progress"]) == 1
    assert "there is no course in this folder" in capsys.readouterr().err


def test_outside_of_a_course_nothing_is_written(course, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    note_read("01_expressions_as_graphs")
    assert list(elsewhere.iterdir()) == []


def test_the_variable_names_another_file_or_none(course, tmp_path, monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "mine" / "done.json"))
    note_read("01_expressions_as_graphs")
    assert "01_expressions_as_graphs" in (tmp_path / "mine" / "done.json").read_text()
    monkeypatch.setenv(progress.VARIABLE, progress.NOTHING)
    note_read("02_forward_pass")
    assert progress.progress() == Progress()
    assert not (course / progress.FILE).exists()


# --- what comes next ------------------------------------------------------------------------------


def test_the_next_lesson_is_the_first_after_those_that_were_read():
    assert Progress().next.stem == "00_start_here"
    assert Progress(read={"03_local_derivatives"}).next.stem == "04_chain_rule"
    stems = set(LESSONS)
    assert Progress(read=stems - {"01_expressions_as_graphs"}).next.number == "01"
    assert Progress(read=stems).next is None


def solve(name):
    check(name, EXERCISES[name].reference if EXERCISES[name].parameters else answer_to(name))


def answer_to(name):
    exercise = EXERCISES[name]
    return exercise(*exercise.as_arguments(*exercise.cases(0)[0]))


def test_a_check_says_when_a_set_is_complete_and_what_comes_next(course, capsys):
    names = [x.name for x in EXERCISES.values() if x.lesson == FIRST_QUESTIONS]
    for name in names[1:]:
        solve(name)
    assert "are solved" not in capsys.readouterr().out
    solve(names[0])
    said = " ".join(capsys.readouterr().out.split())
    assert "All 5 exercises on Expressions as graphs (../notebooks/01_expressions_as" in said
    assert "Next: The forward pass (../notebooks/02_forward_pass.ipynb)" in said
    assert kept(course)["lessons"][FIRST_QUESTIONS]["solved"] == sorted(names)


def test_an_answer_that_is_wrong_is_not_noted(course):
    with pytest.raises(AssertionError):
        check("first_look", {"inputs": 1, "operations": 1, "edges": 1})
    assert progress.progress() == Progress()


def test_a_lesson_is_read_when_its_end_is_run(course, monkeypatch):
    monkeypatch.chdir(course / "notebooks")
    panel = finished(FIRST_QUESTIONS)
    assert progress.progress().read == {FIRST_QUESTIONS}
    assert f'<a href="../exercises/exercises_{FIRST_QUESTIONS}.ipynb">Its exercises' in panel.html
    assert '<a href="02_forward_pass.ipynb">The forward pass</a>' in panel.html
    last = list(LESSONS)[-1]
    assert "last lesson of the course" in finished(last).text
    with pytest.raises(mg.MinigraphError, match=r"no lesson '99'; there are 00_start_here, 01"):
        finished("99")


def test_links_are_left_out_where_they_would_lead_nowhere(course, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert "<a " not in finished(FIRST_QUESTIONS).html


def test_what_a_learner_has_not_heard_of_does_not_count_as_solved():
    known = Progress(solved={FIRST_QUESTIONS: {"an exercise of old", "build_quotient"}})
    assert standing(LESSONS[FIRST_QUESTIONS], known).solved == 1


# --- the command ----------------------------------------------------------------------------------


def test_progress_is_shown_as_a_table(course, capsys):
    note_read("00_start_here")
    note_solved(FIRST_QUESTIONS, "build_quotient")
    note_prediction(FIRST_QUESTIONS, "boxes_for_b", True)
    assert main(["progress"]) == 0
    out = capsys.readouterr().out
    (row,) = (line for line in out.splitlines() if line.startswith("01 "))
    assert re.search(r" 1 of \d+ +1 of 5$", row)
    assert "Next: notebooks/01_expressions_as_graphs.ipynb" in out
    assert str(course / progress.FILE) in out


@pytest.mark.parametrize(("said", "forgotten"), [("y", True), ("", False), ("no", False)])
def test_progress_is_forgotten_after_a_question(course, capsys, monkeypatch, said, forgotten):
    note_read("00_start_here")
    monkeypatch.setattr("builtins.input", lambda question: said)
    assert main(["progress", "--forget"]) == (0 if forgotten else 1)
    assert progress.progress() == (Progress() if forgotten else Progress({"00_start_here"}))


def test_nobody_is_asked_who_has_answered_beforehand(course, capsys, monkeypatch):
    note_read("00_start_here")
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    assert main(["progress", "--forget", "--yes"]) == 0
    assert main(["progress", "--forget", "--yes"]) == 0  # what is not there is forgotten
    assert progress.progress() == Progress()


def test_without_anybody_to_ask_nothing_is_forgotten(course, capsys, monkeypatch):
    note_read("00_start_here")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["progress", "--forget"]) == 1
    assert "--yes" in capsys.readouterr().out
    assert progress.progress() == Progress({"00_start_here"})


def test_a_broken_file_is_named_and_forgotten(course, capsys):
    (course / ".minigraph").mkdir()
    (course / progress.FILE).write_text("broken")
    assert main(["progress"]) == 1
    assert "holds no progress in this course" in capsys.readouterr().err
    assert main(["progress", "--forget", "--yes"]) == 0
    assert main(["progress"]) == 0


def test_outside_of_a_course_the_command_says_where_to_go(course, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main(["progress"]) == 1
