"""What a student sees: JupyterLab in Chromium, with a kernel behind it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import browser
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
FIRST_LESSON = "notebooks/00_start_here.ipynb"
FIRST_EXERCISES = "exercises/01_expressions_as_graphs.ipynb"

NEEDS = "these tests drive a browser"
expect = pytest.importorskip(
    "playwright.sync_api", reason=f"{NEEDS}: pip install playwright"
).expect
pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason=f"{NEEDS}: {browser.HOW_TO_GET}"
)

COUNTER = """
import ipywidgets as widgets

slider = widgets.IntSlider(value=3, max=9)
square = widgets.HTML()

def show(_=None):
    square.value = f"<b class='square'>{60 // (9 - slider.value)}</b>"

slider.observe(show, "value")
show()
display(slider, square)
"""


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "exercises"):
        shutil.copytree(ROOT / folder, root / folder)
    with browser.jupyterlab(root, tmp_path_factory.mktemp("scratch")) as address:
        yield root, address


@pytest.fixture
def open_notebook(chromium, lab, tmp_path):
    _, address = lab
    return lambda path: browser.notebook(chromium, address, path, tmp_path)


def write(path, *sources):
    cells = [new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def test_an_error_in_a_widget_callback_is_noticed(lab, open_notebook):
    root, _ = lab
    write(root / "counter.ipynb", COUNTER)
    with open_notebook("counter.ipynb") as notebook:
        notebook.run_all()
        handle = notebook.page.locator(".widget-slider .noUi-handle")
        handle.press("ArrowRight")
        notebook.page.get_by_text("12", exact=True).wait_for()
        assert notebook.new_errors() == []
        handle.press("End")
        notebook.page.wait_for_function("window.kernelErrors.length")
        assert notebook.new_errors() == ["ZeroDivisionError: integer division or modulo by zero"]


def test_an_error_in_a_cell_is_noticed(lab, open_notebook):
    root, _ = lab
    write(root / "failing.ipynb", "1 / 0", "import sys; sys.stderr.write('told')")
    with open_notebook("failing.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        assert notebook.new_errors() == ["ZeroDivisionError: division by zero", "told"]
        notebook.type(0, "def f(x):\n    return [x]\n\nf(7)")
        notebook.run(0)
        assert notebook.output(0).inner_text().endswith("[7]")
        assert notebook.new_errors() == []


def test_the_first_lesson_runs_and_its_graph_follows_what_is_typed(open_notebook):
    with open_notebook(FIRST_LESSON) as lesson:
        lesson.run_all()
        assert lesson.new_errors() == []
        field = lesson.page.get_by_label("Expression")
        picture = lesson.page.locator(".jupyter-widgets", has=field).locator("img").first
        before = picture.get_attribute("alt")
        field.press("ControlOrMeta+a")
        field.press_sequentially("u = sin(a); z = u * u + b")
        expect(picture).to_have_attribute("alt", re.compile("sin"))
        assert picture.get_attribute("alt") != before
        assert picture.evaluate("(image) => image.naturalWidth") > 0
        assert lesson.new_errors() == []


def test_the_lesson_leads_to_its_exercises(open_notebook):
    with open_notebook(FIRST_LESSON) as lesson:
        lesson.page.get_by_role("link", name=FIRST_EXERCISES).click()
        tab = lesson.page.get_by_role("tab", name=Path(FIRST_EXERCISES).name)
        expect(tab).to_have_attribute("aria-selected", "true")


def test_the_first_exercises_say_what_is_wrong_and_what_is_right(open_notebook):
    with open_notebook(FIRST_EXERCISES) as exercises:
        answer = exercises.find("def build_quotient(")
        verdict = exercises.find('check("build_quotient"')

        def hand_in(expression):
            exercises.type(answer, f"def build_quotient(a, b, c):\n    return {expression}\n")
            exercises.run(answer)
            exercises.run(verdict)
            return exercises.output(verdict)

        exercises.run(exercises.find("import check"))
        expect(hand_in("(b - a) / (b + c)")).to_contain_text("the second is what you take away")
        (error,) = exercises.new_errors()
        assert error.startswith("CheckFailed: ✗ build_quotient is not right yet")
        expect(hand_in("(a - b) / (b + c)")).to_contain_text("build_quotient is right")
        assert exercises.new_errors() == []


def test_an_untrusted_notebook_shows_its_pictures(open_notebook):
    with open_notebook(FIRST_LESSON) as lesson:
        assert not lesson.trusted()
        stored = browser.pictures(lesson.page.locator(".jp-OutputArea-output"))
        assert stored
        assert all(picture["alt"] and picture["width"] for picture in stored)


def test_an_exported_page_shows_its_pictures(chromium, tmp_path):
    export = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path)]
    subprocess.run([*export, str(ROOT / FIRST_LESSON)], check=True, capture_output=True)
    page = chromium.new_page()
    page.goto((tmp_path / "00_start_here.html").as_uri(), wait_until="domcontentloaded")
    stored = browser.pictures(page.locator(".jp-OutputArea-output"))
    page.close()
    assert stored
    assert all(picture["alt"] and picture["width"] for picture in stored)
