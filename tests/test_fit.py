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
FORGET = """
%reset -f
import timeit

# What is timed runs once: how long it takes is not looked at.
timeit.repeat = lambda run, **options: [timeit.timeit(run, number=1)]
"""
LESSONS = sorted(file.name for file in (ROOT / "notebooks").glob("*.ipynb"))
HIGHEST = 640  # pixels, where the window is 1440 × 900 and a notebook shows 779 of them
# Resolves when every cell has run, and all that it shows is there and has followed the width. To
# have all cells run ends early where one raises an error, as is meant.
SETTLE = """async (milliseconds) => {
  const frame = () => new Promise(requestAnimationFrame);
  const all = (what) => [...document.querySelectorAll(`.jp-OutputArea-output ${what}`)];
  const heights = () => String(all('').map((it) => it.clientHeight));
  const { content, sessionContext } = window.panel;
  const isThere = () => sessionContext.session.kernel.status === 'idle'
    && content.widgets.every((it) => it.model.executionCount) // has been begun, at least
    && all('img').every((it) => it.complete)
    && !all('.jupyter-widgets-loading, .jupyter-widgets:empty').length;
  const end = performance.now() + milliseconds;
  for (let before; !isThere() || before !== heights();) {
    if (performance.now() > end) throw new Error('waited in vain for all that the cells show');
    before = heights();
    await frame();
    await frame();
  }
}"""
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
REPLACE = "(content) => window.panel.context.model.fromJSON(content)"


def made_of(cells):
    """A notebook whose kernel forgets what it knew; of its own code it shows what comes of it."""
    for cell in cells:
        cell.metadata.jupyter = {"source_hidden": True}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    forget = nbformat.v4.new_code_cell(FORGET)
    return nbformat.v4.new_notebook(cells=[forget, *cells], metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def running(lab, window, tmp_path_factory):
    """A notebook whose content is replaced: of all lessons the imports are made once."""
    nbformat.write(made_of([]), lab[0] / "notebooks" / "running.ipynb")
    shots = tmp_path_factory.mktemp("screenshots")
    with browser.notebook(window, lab[1], "notebooks/running.ipynb", shots) as notebook:
        before = notebook.page.viewport_size
        yield notebook
        notebook.page.set_viewport_size(before)


def measured(notebook, cells):
    """What stands below the cells in a wide and in a narrow window."""
    notebook.page.set_viewport_size({"width": 1440, "height": 900})
    notebook.page.evaluate(REPLACE, made_of(cells))
    notebook.run_all()
    for width in (1440, 1024):
        notebook.page.set_viewport_size({"width": width, "height": 900})
        notebook.page.evaluate(SETTLE, browser.MILLISECONDS_TO_APPEAR)
        yield notebook.page.evaluate(MEASURE)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_picture_and_widget_of_a_lesson_fits_a_laptop(running, lesson):
    """The text of a lesson, and what was stored of it, take time and are not measured here."""
    cells = nbformat.read(ROOT / "notebooks" / lesson, as_version=4).cells
    stored = [cell for cell in cells if cell.cell_type == "code"]
    showing = [number for number, cell in enumerate(stored, 1) if cell.outputs]
    bare = [nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata) for cell in stored]
    high, narrow = measured(running, bare)
    for seen in (high, narrow):
        assert sorted({cell for cell, *_ in seen}) == showing
    print(lesson, *(max(size for _, size, _ in seen) for seen in (high, narrow)))
    assert [(cell, size) for cell, size, _ in high + narrow if size > HIGHEST] == []
    assert [(cell, wide) for cell, _, wide in narrow if wide] == []


def test_every_prediction_fits_a_laptop_when_it_has_told_what_is_true(running):
    """Once for all lessons, after a guess that calls for most sentences."""
    running.new_errors()
    tell = [f"tell({name.removesuffix('.ipynb')!r})" for name in LESSONS]
    high, narrow = measured(running, [*map(nbformat.v4.new_code_cell, [GUESSES, *tell])])
    assert running.new_errors() == []
    names = [
        name
        for lesson in LESSONS
        for name, asked in PREDICTIONS.items()
        if asked.lesson == lesson.removesuffix(".ipynb")
    ]
    assert len(high) == len(narrow) == len(names) == len(PREDICTIONS)
    for found in (high, narrow):
        assert [(name, size) for name, (_, size, _) in zip(names, found) if size > HIGHEST] == []
        assert [(name, wide) for name, (_, _, wide) in zip(names, found) if wide] == []


ONLY_WHAT_LESSONS_NEED = """
import os
import shutil
from importlib import metadata
from unittest.mock import patch

import minigraph as mg
from minigraph.drawing import layout

NEEDED = ("numpy", "ipywidgets", "anywidget", "matplotlib", "graphviz", "jupyterlab")
version = metadata.version

def needed(name):
    if name in NEEDED:
        return version(name)
    raise metadata.PackageNotFoundError(name)

def broken(source):
    raise RuntimeError("the engine that lays out graphs was built for a machine of another kind")

with (
    patch.object(metadata, "version", needed),
    patch.object(shutil, "which", lambda name: None),
    patch.object(layout, "graphviz", broken),
    patch.dict(os.environ, CHROMIUM=""),
):
    report = mg.doctor()
report
"""


def test_what_doctor_misses_fits_a_laptop(running):
    """Whatever is installed here, in a sentence for each of what is optional."""
    for ((_, size, wide),) in measured(
        running, [nbformat.v4.new_code_cell(ONLY_WHAT_LESSONS_NEED)]
    ):
        assert running.output(1).get_by_text("– optional").count() == 10
        assert (size <= HIGHEST, wide) == (True, [])


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
