"""From solutions to exercises, and the commands of `python -m minigraph`."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

import minigraph as mg
from minigraph.__main__ import main
from minigraph.course import CheckFailed, installation, releasing
from minigraph.course.exercises import EXERCISES
from minigraph.course.lessons import LESSONS, after, before
from minigraph.course.releasing import ReleaseError, exercise_text, lesson_text, release

ROOT = Path(__file__).parents[1]
SOLUTIONS = sorted(ROOT.glob("solutions/*.ipynb"))
LESSON_NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
GRADED = [exercise for exercise in EXERCISES.values() if exercise.points]

needs_nbgrader = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None,
    reason='releases exercises: pip install "nbgrader>=0.9.5"',
)
every_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def lesson_of(path):
    return path.stem.removeprefix("solutions_")


def exercises_of(path):
    return ROOT / "exercises" / f"exercises_{lesson_of(path)}.ipynb"


def cells(path, kind="code"):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def check_cells(path):
    return [c for c in cells(path) if c.metadata.get("nbgrader", {}).get("grade")]


def solution_cells(path):
    return [c for c in cells(path) if c.metadata.get("nbgrader", {}).get("solution")]


def exercise_of(cell):
    return EXERCISES[cell.metadata.nbgrader.grade_id.removeprefix("check_")]


def run(path):
    """Run a notebook's code in one namespace; return what each check said, in its order."""
    names: dict = {}
    said = []
    for number, cell in enumerate(cells(path)):
        try:
            exec(compile(cell.source, f"<cell {number} of {path.name}>", "exec"), names)
        except CheckFailed as error:
            said.append(error)
    return said


# --- the solutions --------------------------------------------------------------------------------


@every_solution
def test_solutions_pass_every_check(path, capsys):
    assert run(path) == []
    assert capsys.readouterr().out.count("is right: ") == len(check_cells(path))


@every_solution
def test_what_a_check_says_of_a_solution_is_stored(path):
    for cell in check_cells(path):
        (panel,) = cell.outputs
        assert panel.data["text/plain"].startswith(f"✓ {exercise_of(cell).name} is right: ")


@every_solution
def test_the_check_cells_are_the_catalogue_of_the_lesson(path):
    catalogue = [e for e in GRADED if e.lesson == lesson_of(path)]
    graded = check_cells(path)
    assert [exercise_of(cell) for cell in graded] == catalogue
    assert [cell.metadata.nbgrader.points for cell in graded] == [e.points for e in catalogue]
    assert [cell.source for cell in graded] == [e.call for e in catalogue]
    assert [cell.metadata.nbgrader.grade_id for cell in solution_cells(path)] == [
        e.name for e in catalogue
    ]


def test_every_exercise_has_a_notebook_and_a_lesson():
    assert {e.lesson for e in GRADED} == set(map(lesson_of, SOLUTIONS))
    assert all((ROOT / "notebooks" / f"{e.lesson}.ipynb").exists() for e in EXERCISES.values())


@every_solution
def test_a_solution_has_the_parameters_of_its_specification(path):
    for cell in solution_cells(path):
        exercise = EXERCISES[cell.metadata.nbgrader.grade_id]
        defined = {
            node.name: tuple(argument.arg for argument in node.args.args)
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.FunctionDef)
        }
        assert defined.get(exercise.name, ()) == exercise.parameters


@every_solution
def test_the_headings_state_the_points(path):
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    stated = [int(points) for points in re.findall(r"^## .*\((\d+) points?\)$", text, re.MULTILINE)]
    assert stated == [cell.metadata.nbgrader.points for cell in check_cells(path)]
    assert f"{sum(stated)} points" in text


@every_solution
@needs_nbgrader
def test_nbgrader_accepts_the_metadata(path):
    from nbgrader.nbgraderformat import MetadataValidator

    for notebook in (path, exercises_of(path)):
        MetadataValidator().validate_nb(nbformat.read(notebook, as_version=4))


# --- the exercises --------------------------------------------------------------------------------


@every_solution
@needs_nbgrader
def test_exercises_are_up_to_date_byte_for_byte(path):
    stored = exercises_of(path).read_bytes()
    assert stored == exercise_text(path).encode(), "run: python -m minigraph release"


@every_solution
def test_an_unsolved_exercise_fails_each_check_with_its_own_first_message(path):
    exercises = [exercise_of(cell) for cell in check_cells(path)]
    said = run(exercises_of(path))
    assert [error.panel.state for error in said] == ["waiting"] * len(exercises)
    assert [[part.text for part in error.panel.parts] for error in said] == [
        [exercise.first_step] for exercise in exercises
    ]


@every_solution
def test_nothing_of_a_solution_is_left_in_the_exercise(path):
    released = exercises_of(path).read_text(encoding="utf-8")
    for cell in solution_cells(path):
        _, _, rest = cell.source.partition("### BEGIN SOLUTION\n")
        secret, _, _ = rest.partition("### END SOLUTION")
        lines = [line.strip() for line in secret.splitlines() if len(line.strip()) > 15]
        assert lines
        # The broken program that is to be repaired shares lines with its repair.
        told = "\n".join(c.source for c in cells(path) if c not in solution_cells(path))
        assert not [line for line in lines if line not in told and line in released]


@every_solution
def test_students_cannot_edit_checks_and_running_goes_on_after_one_fails(path):
    for cell in check_cells(exercises_of(path)):
        assert cell.metadata.editable is False
        assert cell.metadata.deletable is False
        assert cell.metadata.tags == ["raises-exception"]


# --- the way through the notebooks ----------------------------------------------------------------


every_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))


def first_line(path):
    return spaced(cells(path, "markdown")[0].source.splitlines()[0])


def spaced(line):
    """A line in which none of the pieces between its dots breaks, with spaces that do."""
    assert {piece.count(" ") for piece in line.split(" · ")} == {0}
    return line.replace("\u00a0", " ")


@every_lesson
def test_a_lesson_begins_with_the_way_to_the_map_to_its_neighbours_and_its_exercises(lesson):
    line = first_line(ROOT / lesson.notebook)
    assert ("00_start_here.ipynb" in line) == (lesson.number != "00")
    assert f"**{lesson.minutes} minutes**" in line
    assert (f"(../{lesson.exercises})" in line) == bool(lesson.exercises)
    for neighbour, mark in ((before(lesson), "← ["), (after(lesson), ") →")):
        assert bool(neighbour) == (mark in line)
        assert not neighbour or f"{neighbour.title}]({neighbour.stem}.ipynb)" in line


@every_solution
@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_exercises_begin_with_the_way_to_the_map_to_their_lesson_and_to_the_next(path, folder):
    lesson = LESSONS[lesson_of(path)]
    line = first_line(path if folder == "solutions" else exercises_of(path))
    assert line.startswith("[Map of the course](../notebooks/00_start_here.ipynb#")
    assert f"{lesson.title}](../notebooks/{lesson.stem}.ipynb)" in line
    assert f"**{lesson.minutes_of_exercises} minutes**" in line
    assert after(lesson) is None or f"(../notebooks/{after(lesson).stem}.ipynb) →" in line


def test_the_way_to_the_map_leads_to_the_heading_above_it():
    _, _, place = re.search(r"(00_start_here\.ipynb)(#)([\w-]+)", first_line(SOLUTIONS[0])).groups()
    stored = nbformat.read(ROOT / "notebooks/00_start_here.ipynb", as_version=4).cells
    sources = [cell.source for cell in stored]
    (heading,) = (n for n, s in enumerate(sources) if s.startswith(f"## {place.replace('-', ' ')}"))
    assert "mg.course_map()" in sources[heading + 1]


@every_lesson
def test_a_lesson_has_its_first_line_and_its_last_cell(lesson):
    path = ROOT / lesson.notebook
    assert path.read_text(encoding="utf-8") == lesson_text(path), "run: python -m minigraph release"
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    end = next((n for n, x in enumerate(sources) if x.startswith("## Appendix")), len(sources))
    assert sources[end - 1].endswith(f'finished("{lesson.stem}")')
    assert sources[end - 2].startswith("## What you can do now")


@pytest.mark.parametrize("path", [*SOLUTIONS, *LESSON_NOTEBOOKS], ids=lambda path: path.stem)
def test_the_time_that_a_notebook_takes_stands_in_its_first_line_only(path):
    title = cells(path, "markdown")[0].source.partition("\n")[2]
    assert not re.search(r"about (an hour|\d+ minutes)", title)


@every_solution
def test_exercises_lead_on_to_the_next_lesson(path):
    following = after(LESSONS[lesson_of(path)])
    last = cells(path, "markdown")[-1].source
    assert following is None or f"(../notebooks/{following.stem}.ipynb)" in last


# --- the release command --------------------------------------------------------------------------


def written(folder, name="lesson.ipynb", source="x = 1", **nbgrader):
    """Write a notebook of one code cell."""
    cell = nbformat.v4.new_code_cell(source)
    if nbgrader:
        defaults = {"grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**defaults, "schema_version": 3, **nbgrader}
    folder.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / name)


@needs_nbgrader
def test_release_writes_each_notebook_and_says_so(tmp_path, capsys):
    source, destination = tmp_path / "answers", tmp_path / "new" / "tasks"
    solved = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n"
    written(source, "a.ipynb", solved, solution=True, grade_id="a")
    written(source, "b.ipynb")
    assert main(["release", "--source", str(source), "--destination", str(destination)]) == 0
    out = capsys.readouterr().out
    assert f"{source / 'a.ipynb'} -> {destination / 'a.ipynb'}" in out
    assert "2 notebooks released" in out
    assert cells(destination / "a.ipynb")[0].source.strip() == releasing.STUB
    assert b"\r" not in (destination / "a.ipynb").read_bytes()


@needs_nbgrader
@pytest.mark.parametrize(
    ("source", "nbgrader", "reason"),
    [
        ("### BEGIN SOLUTION\nx = 1", {"solution": True, "grade_id": "a"}, "no end solution"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", {}, "Solution region detected in a non-"),
        ("x = 1", {"grade": True, "locked": True, "grade_id": "a"}, "'a' does not have points"),
    ],
)
def test_a_broken_notebook_is_named_and_nothing_is_written(
    tmp_path, capsys, source, nbgrader, reason
):
    written(tmp_path / "in", "a.ipynb")
    written(tmp_path / "in", "broken.ipynb", source, **nbgrader)
    folders = ["--source", str(tmp_path / "in"), "--destination", str(tmp_path / "out")]
    assert main(["release", *folders]) == 1
    error = capsys.readouterr().err
    assert error.startswith("minigraph release: ")
    assert "broken.ipynb cannot be released: " in error
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@needs_nbgrader
def test_a_lesson_gets_its_line_and_its_end_once_and_nothing_else_of_it_changes(tmp_path):
    lesson = LESSONS["02_forward_pass"]
    written(tmp_path / "in")
    title = "# The forward pass\n\nTakes about 99 minutes. You need a pencil."
    appendix = nbformat.v4.new_markdown_cell("## Appendix: more", id="appendix")
    code = nbformat.v4.new_code_cell("# 1", id="code")
    cells = [nbformat.v4.new_markdown_cell(title), code, appendix]
    notebook = nbformat.v4.new_notebook(cells=cells)
    (tmp_path / "lessons").mkdir()
    nbformat.write(notebook, tmp_path / "lessons/02_forward_pass.ipynb")
    written(tmp_path / "lessons", "of_ones_own.ipynb")
    own = (tmp_path / "lessons/of_ones_own.ipynb").read_bytes()
    for _ in range(2):
        release(tmp_path / "in", tmp_path / "out", tmp_path / "lessons")
        first, code, last, more = nbformat.read(tmp_path / "lessons/02_forward_pass.ipynb", 4).cells
        line, _, rest = first.source.partition("\n\n")
        assert f"**{lesson.minutes} minutes**" in spaced(line)
        assert rest == "# The forward pass\n\nYou need a pencil."
        assert code.source == "# 1"
        assert 'finished("02_forward_pass")' in last.source
        assert more.source == "## Appendix: more"
    assert (tmp_path / "lessons/of_ones_own.ipynb").read_bytes() == own


@needs_nbgrader
def test_solutions_become_exercises_by_name(tmp_path):
    written(tmp_path / "in", "solutions_99.ipynb")
    release(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["exercises_99.ipynb"]


@needs_nbgrader
def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "text.ipynb").write_text("not a notebook")
    with pytest.raises(ReleaseError, match=r"text\.ipynb cannot be released"):
        release(tmp_path, tmp_path / "out")


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(ReleaseError, match=r"there are no notebooks in .*--source"):
        release(tmp_path, tmp_path / "out")


def test_solutions_are_never_overwritten(tmp_path):
    written(tmp_path)
    with pytest.raises(ReleaseError, match="release into another folder"):
        release(tmp_path, tmp_path / "." / "")


def test_release_without_nbgrader_says_what_to_install(tmp_path, monkeypatch):
    written(tmp_path)
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    with pytest.raises(ReleaseError, match=r'pip install "nbgrader>=0\.9\.5"'):
        release(tmp_path, tmp_path / "out")


# --- the other commands ---------------------------------------------------------------------------


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("release", "run", "doctor"))


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["relase"])
    assert caught.value.code == 2
    assert "release" in capsys.readouterr().err


def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "minigraph", "--help"]
    assert "release" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_doctor_finds_all_that_the_tests_run_with(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("All is well")
    assert re.search(r"✓ ok +numpy +\d", out)


def test_doctor_says_how_to_get_what_is_missing(monkeypatch, capsys):
    def version(name):
        if name in ("ipywidgets", "torch"):
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "numpy" else "99.0"

    monkeypatch.setattr(installation.metadata, "version", version)
    report = mg.doctor()
    states = {finding.name: finding.state for finding in report.findings}
    assert (states["ipywidgets"], states["numpy"], states["torch"]) == (
        "missing",
        "missing",
        "optional",
    )
    assert not report.healthy
    assert "Something is missing that the lessons need: numpy, ipywidgets." in repr(report)
    assert 'pip install "ipywidgets>=8.1"' in repr(report)
    assert "<code>pip install &quot;ipywidgets" not in report._repr_html_()
    assert '<code>pip install "ipywidgets&gt;=8.1"</code>' in report._repr_html_()
    assert main(["doctor"]) == 1
    capsys.readouterr()


def test_doctor_survives_a_package_that_breaks_on_import(monkeypatch):
    def broken(name):
        raise OSError(f"lib{name}.so: <not found>")

    monkeypatch.setattr(installation.importlib, "import_module", broken)
    report = mg.doctor()
    assert not report.healthy
    assert "cannot be imported (libnumpy.so: <not found>)" in repr(report)
    assert "&lt;not found&gt;" in report._repr_html_()


def test_doctor_asks_for_the_versions_that_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = {r.name: str(r.specifier) for group in groups for r in map(Requirement, group)}
    source = Path(installation.__file__).read_text(encoding="utf-8")
    looked_for = re.findall(r'_package\("([\w-]+)", "([\d.]+)"', source)
    assert len(looked_for) > 8
    for name, oldest in looked_for:
        assert asked.get(name, f">={oldest}") == f">={oldest}"
    oldest = ".".join(map(str, installation.OLDEST_PYTHON))
    assert project["requires-python"] == f">={oldest}"


def test_importing_minigraph_does_not_import_the_course():
    code = (
        "import sys, minigraph; print(any(m.startswith('minigraph.course') for m in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    assert mg.doctor is installation.doctor
    with pytest.raises(AttributeError, match="has no attribute 'nurse'"):
        mg.nurse  # noqa: B018
