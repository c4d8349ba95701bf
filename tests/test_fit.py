"""Every output of every lesson in JupyterLab on a laptop: what is shown fits the screen."""

import browser
import nbformat
import pytest

from conftest import ROOT
from minigraph.course.predictions import PREDICTIONS

NEEDS = "these tests drive a browser"
pytest.importorskip("playwright.sync_api", reason=f"{NEEDS}: pip install playwright")
pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason=f"{NEEDS}: {browser.HOW_TO_GET}"
)

GUESSES = """
from IPython.display import display
from minigraph.course import predict
from minigraph.course.predictions import PREDICTIONS

def guess(part, truth):
    known = [*part.wrong, truth]
    return known[0][0] if isinstance(known[0], list) else known[0]

def tell(lesson):
    for name, asked in PREDICTIONS.items():
        if asked.lesson == lesson:
            parts = asked.parts.items()
            display(predict(name, **{key: guess(part, asked.truth[key]) for key, part in parts}))
"""
LESSONS = sorted(file.name for file in (ROOT / "notebooks").glob("*.ipynb"))
HIGHEST = 640  # pixels, where the window is 1440 × 900 and a notebook shows 779 of them
# Each output: its cell, its height, and what in it has to be
# scrolled sideways. A frame for a truly large picture is not meant: the keyboard moves it in there.
MEASURE = """() => window.panel.content.widgets.flatMap((cell, number) =>
  [...cell.node.querySelectorAll('.jp-OutputArea-output')]
    .filter((it) => it.clientHeight)
    .map((it) => [number, // a long text may scroll in a box of its own
      Math.min(it.clientHeight, it.closest('.jp-Cell-outputArea').clientHeight),
      [it, ...it.querySelectorAll('*')].filter((part) => {
        const { overflowX } = getComputedStyle(part);
        return /auto|scroll/.test(overflowX) && part.scrollWidth > part.clientWidth + 1
          && part.clientWidth && !part.matches('.mgf-large, [tabindex="0"]');
      }).map((part) => `${part.className || part.tagName}: ${part.scrollWidth}`)]))
"""
PICTURES = """() => [...document.querySelectorAll('.jp-Notebook img')].every((it) => it.complete)
  && !document.querySelector('.jp-Notebook .jp-OutputArea-output .jupyter-widgets-loading')"""


def measured(notebook, width):
    """What stands below the cells of a notebook in a window of a width."""
    page = notebook.page
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(PICTURES)
    page.wait_for_timeout(500)  # frames follow their width
    return page.evaluate(MEASURE)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_picture_and_widget_of_a_lesson_fits_a_laptop(lab, window, tmp_path, lesson):
    with browser.notebook(window, lab[1], f"notebooks/{lesson}", tmp_path) as notebook:
        notebook.run_all()
        before = notebook.page.viewport_size
        try:
            high, narrow = measured(notebook, 1440), measured(notebook, 1024)
        finally:
            notebook.page.set_viewport_size(before)
    assert high
    print(lesson, *(max(size for _, size, _ in seen) for seen in (high, narrow)))
    assert [(cell, size) for cell, size, _ in high + narrow if size > HIGHEST] == []
    assert [(cell, wide) for cell, _, wide in narrow if wide] == []


def test_every_prediction_fits_a_laptop_when_it_has_told_what_is_true(lab, window, tmp_path):
    """Once for all lessons, after a guess that calls for most sentences."""
    cells = [GUESSES, *(f"tell({name.removesuffix('.ipynb')!r})" for name in LESSONS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = [*map(nbformat.v4.new_code_cell, cells)]
    told = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    nbformat.write(told, lab[0] / "told.ipynb")
    with browser.notebook(window, lab[1], "told.ipynb", tmp_path) as notebook:
        notebook.run_all()
        before = notebook.page.viewport_size
        try:
            seen = {width: measured(notebook, width) for width in (1440, 1024)}
        finally:
            notebook.page.set_viewport_size(before)
        assert notebook.new_errors() == []
    assert len(seen[1440]) == len(seen[1024]) == len(PREDICTIONS)
    for width, found in seen.items():
        names = [
            name
            for lesson in LESSONS
            for name, asked in PREDICTIONS.items()
            if asked.lesson == lesson.removesuffix(".ipynb")
        ]
        high = [(name, size) for name, (_, size, _) in zip(names, found) if size > HIGHEST]
        assert (width, high) == (width, [])
        assert [(name, wide) for name, (_, _, wide) in zip(names, found) if wide] == []
