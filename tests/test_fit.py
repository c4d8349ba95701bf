"""Every output of every lesson in JupyterLab on a laptop: what is shown fits the screen.

What stands below a prediction is shown as well.
"""

import browser
import nbformat
import pytest

import minigraph as mg
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
        notebook.unfold()
        folded = notebook.page.locator(".jp-Notebook .jp-Cell:not(:visible)").count()
        before = notebook.page.viewport_size
        try:
            high, narrow = measured(notebook, 1440), measured(notebook, 1024)
        finally:
            notebook.page.set_viewport_size(before)
    assert high
    assert folded == 0
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


def chain(columns, rows):
    """A sum of so many columns, each of so many operations one after the other."""
    a = mg.variable(2.0, name="a")
    y = mg.constant(0.0)
    for _ in range(columns):
        x = a
        for _ in range(rows):
            x = mg.tanh(x)
        y = x + y
    return y


P, R = (mg.placeholder(name, (1000, 10)) for name in "PR")
Q = mg.placeholder("Q", (10, 1000))
COMPARED = {  # two sides, and whether they stand beside each other on a page so wide
    "small": (chain(2, 1), chain(1, 1), {558: True, 950: True}),
    "medium": ((P @ Q) @ R, P @ (Q @ R), {558: False, 950: True}),
    "large": (chain(3, 12), chain(2, 12), {558: True, 950: True}),
}


@pytest.mark.parametrize("size", COMPARED)
def test_two_graphs_fit_a_laptop_beside_or_below_each_other(chromium, size):
    one, other, is_row = COMPARED[size]
    page = chromium.new_page(viewport={"width": 950, "height": 900})
    body = f"<body style='font-size:14px;margin:0'>{mg.compare(one, other).html}</body>"
    page.set_content(f"<!doctype html>{body}")
    for wide, beside in is_row.items():
        page.set_viewport_size({"width": wide, "height": 900})
        seen = page.evaluate("""() => ({
          high: document.body.offsetHeight,
          wide: document.documentElement.scrollWidth,
          tops: [...document.querySelectorAll('figure')].map((it) => it.offsetTop),
          scales: [...document.images].map((it) => it.clientWidth / it.getAttribute('width')),
          scrolls: [...document.querySelectorAll('figure > div')].filter((it) => it.tabIndex < 0
            && (it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight)).length,
        })""")
        assert seen["high"] <= HIGHEST
        assert seen["wide"] <= wide
        assert seen["scrolls"] == 0
        assert (len(set(seen["tops"])) == 1) == beside
        assert seen["scales"] == pytest.approx([seen["scales"][0]] * 2, abs=0.01)
        assert min(seen["scales"]) >= 0.54
    page.close()
