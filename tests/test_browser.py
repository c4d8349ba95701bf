"""What a student sees: JupyterLab in Chromium, with a kernel behind it."""

import re
from pathlib import Path

import browser
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from minigraph.course.run import run_notebook

ROOT = Path(__file__).parents[1]
FIRST_LESSON = "notebooks/00_start_here.ipynb"
FIRST_EXERCISES = "exercises/exercises_01_expressions_as_graphs.ipynb"

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


@pytest.fixture
def open_notebook(window, lab, tmp_path):
    _, address = lab
    return lambda path: browser.notebook(window, address, path, tmp_path)


def write(path, *sources):
    cells = [new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def export(path, folder):
    """What `jupyter nbconvert --to html` does."""
    from nbconvert.nbconvertapp import NbConvertApp  # it is large

    app = NbConvertApp()
    app.initialize(["--to", "html", "--output-dir", str(folder), str(path)])
    app.start()


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
        field = lesson.page.get_by_label("Expression", exact=True)
        picture = lesson.page.locator(".jupyter-widgets", has=field).locator("img").first
        before = picture.get_attribute("alt")
        field.press("ControlOrMeta+a")
        field.press_sequentially("u = sin(a); z = u * u + b")
        expect(picture).to_have_attribute("alt", re.compile("sin"))
        assert picture.get_attribute("alt") != before
        assert picture.evaluate("(image) => image.naturalWidth") > 0
        assert lesson.new_errors() == []


def test_a_lesson_keeps_what_is_to_be_predicted_until_there_is_a_guess(open_notebook):
    with open_notebook("notebooks/01_expressions_as_graphs.ipynb") as notebook:
        page = notebook.page
        ask, told = notebook.find('predict("boxes_for_b")'), notebook.find("One box, three arrows")
        other = notebook.find("An edge points to a node.")
        is_shown = "(i) => window.panel.content.widgets[i].node.checkVisibility()"
        page.wait_for_function(f"(i) => !({is_shown})(i)", arg=told)  # folded once it is open
        notebook.run_all()
        card = notebook.output(ask).locator(".minigraph-prediction")
        card.wait_for()
        assert [page.evaluate(is_shown, i) for i in (told, other)] == [False, False]
        assert page.locator(".jp-OutputArea").get_by_text("draws another arrow").count() == 0
        card.get_by_role("textbox").first.fill("3")
        card.get_by_role("textbox").last.fill("two arrows")
        card.get_by_role("textbox").last.press("Enter")
        card.get_by_text("It is not as you said").wait_for()
        page.wait_for_function(is_shown, arg=told)
        assert not page.evaluate(is_shown, other)
        assert (
            notebook.output(told - 1).inner_text().count("'b'") == 3
        )  # it has run with the others
        assert "mgq-answer" in page.evaluate("document.activeElement.className")
        assert notebook.new_errors() == []


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
    export(ROOT / FIRST_LESSON, tmp_path)
    page = chromium.new_page()
    page.goto((tmp_path / "00_start_here.html").as_uri(), wait_until="domcontentloaded")
    stored = browser.pictures(page.locator(".jp-OutputArea-output"))
    page.close()
    assert stored
    assert all(picture["alt"] and picture["width"] for picture in stored)


PLAYER = """
import minigraph as mg

y = mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)
player = mg.play(y)
player
"""


def run_until(notebook, cell, text):
    """Run a cell until it shows a text: what a page does comes to the kernel a moment later."""
    for _ in range(20):
        notebook.run(cell)
        if text in notebook.output(cell).inner_text():
            return
        notebook.page.wait_for_timeout(200)
    expect(notebook.output(cell)).to_contain_text(text)


def test_the_player_steps_in_a_notebook_and_its_notebook_steps_back(lab, open_notebook):
    root, _ = lab
    write(
        root / "player.ipynb",
        PLAYER,
        "player.position = 4",
        "player.wrong = 'sign'",
        "print(f'at {player.position}.')",
    )
    with open_notebook("player.ipynb") as notebook:
        notebook.run(0)
        page = notebook.page
        status = notebook.output(0).get_by_role("status")
        slider = page.get_by_role("slider", name="Step")
        expect(status).to_contain_text("Start")
        active = "window.panel.content.activeCellIndex"
        slider.focus()
        before = page.evaluate(active)
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
        expect(status).to_contain_text("Forward 1 of 3")
        assert page.evaluate(active) == before  # the notebook's own arrow keys stay out of it
        run_until(notebook, 3, "at 1.")
        notebook.run(1)
        expect(status).to_contain_text("Backward 1 of 8")
        notebook.run(2)
        expect(notebook.output(0).get_by_label("run")).to_have_value("sign")
        page.get_by_role("button", name="Last step").click()
        run_until(notebook, 3, "at 11.")
        page.locator('[data-node="n1"]').click()
        expect(page.get_by_role("region", name="Node")).to_contain_text("through d = a + b")
        assert notebook.new_errors() == []


def test_scopes_and_calls_fold_in_a_notebook(lab, open_notebook):
    root, _ = lab
    graph = "with mg.scope('wave'):\n    w = mg.sin(y) ** 2\nz = mg.softmax(w + y).named('z')"
    folds = PLAYER.replace("player = mg.play(y)", f"{graph}\nplayer = mg.play(z)")
    told = "'at the end' if player.position == len(player.view['steps']) else 'not yet'"
    write(root / "fold.ipynb", folds, told, "player.toggle('unfold', 'wave')")
    with open_notebook("fold.ipynb") as notebook:
        notebook.run(0)
        shown = notebook.output(0)
        shown.get_by_role("slider", name="Step").press("End")
        status = shown.get_by_role("status")
        expect(status).to_contain_text("The backward pass is done")
        run_until(notebook, 1, "at the end")
        shown.get_by_role("button", name="fold wave").press("Enter")
        folded = shown.get_by_role("button", name="unfold wave")
        expect(folded).to_be_focused()
        expect(status).to_contain_text("The backward pass is done")
        shown.get_by_role("button", name="open softmax").click()
        expect(shown.get_by_role("button", name="close softmax")).to_be_visible()
        notebook.run(2)
        expect(shown.get_by_role("button", name="fold wave", exact=True)).to_be_visible()
        assert notebook.new_errors() == []


def test_the_player_follows_jupyterlabs_theme(lab, open_notebook):
    root, _ = lab
    write(root / "theme.ipynb", PLAYER)
    with open_notebook("theme.ipynb") as notebook:
        notebook.run(0)
        layout = notebook.page.locator(".mgp-layout")
        colour = "(element) => getComputedStyle(element).backgroundColor"
        assert layout.evaluate(colour) == "rgb(255, 255, 255)"
        change = "window.jupyterapp.commands.execute('apputils:change-theme', {theme: '%s'})"
        notebook.page.evaluate(change % "JupyterLab Dark")
        notebook.page.locator('[data-jp-theme-light="false"]').wait_for(state="attached")
        assert layout.evaluate(colour) == "rgb(21, 24, 29)"
        notebook.page.evaluate(change % "JupyterLab Light")
        assert notebook.new_errors() == []


@pytest.fixture(scope="module")
def exported(chromium, tmp_path_factory):
    """A page made of a notebook that has run, without network."""
    folder = tmp_path_factory.mktemp("exported")
    write(folder / "widgets.ipynb", PLAYER, EXPLORE)
    run_notebook(folder / "widgets.ipynb")
    export(folder / "widgets.ipynb", folder)
    page = chromium.new_page(offline=True)
    page.goto((folder / "widgets.html").as_uri(), wait_until="domcontentloaded")
    yield page
    page.close()


def test_an_exported_player_plays_without_kernel_and_network(exported):
    page = exported.locator(".jp-OutputArea-output").first
    page.get_by_role("slider", name="Step").press("End")
    expect(page.get_by_role("status")).to_contain_text("Backward 8 of 8")


EXPLORE = """
import minigraph as mg

def graph(a, b, c):
    d = (a + b).named("d")
    e = (b - c).named("e")
    if c.value > 4:
        raise ValueError("c is too large")
    return d / e if a.value < 4 else (d * e).named("y")

explorer = mg.explore(graph, b=(-3, 5, 3), a=(-3, 5, 2), c=(-3, 5, 1))
explorer
"""


def test_the_explorer_follows_sliders_and_numbers(lab, open_notebook):
    root, _ = lab
    write(
        root / "explore.ipynb",
        EXPLORE,
        "explorer.values = {'a': 4.5}; explorer.chosen = 'c'",
        "explorer.values, explorer.chosen",
    )
    with open_notebook("explore.ipynb") as notebook:
        notebook.run(0)
        page, shown = notebook.page, notebook.output(0)
        sentence = shown.get_by_role("status").first
        expect(sentence).to_contain_text("b goes from 3 to 3.5, and y from 2.5 to 2.2.")
        now = shown.locator('[data-mark="now"]').last
        before = now.get_attribute("d")
        active = page.evaluate("window.panel.content.activeCellIndex")
        slider = shown.get_by_role("slider", name="b")
        slider.focus()
        for key in ("ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "PageUp"):
            page.keyboard.press(key)
        expect(sentence).to_contain_text("b goes from 3.8 to 4.3")
        assert page.evaluate("window.panel.content.activeCellIndex") == active
        expect(shown.locator('[data-node="n1"] [data-part="value"]')).to_have_text("3.8")
        expect(shown.locator('[data-node="n1"] [data-part="gradient"]')).to_have_text("−0.3827")
        assert now.get_attribute("d") != before
        field = shown.get_by_label("c, as a number")
        field.press("ControlOrMeta+a")
        field.press_sequentially("-2.25")
        expect(shown.locator('[data-node="n2"] [data-part="value"]')).to_have_text("−2.25")
        shown.get_by_role("radio", name="a").check()
        expect(sentence).to_contain_text("a goes from 2 to 2.5")
        notebook.run(1)
        expect(sentence).to_contain_text("c goes from −2.25 to −1.75")
        expect(shown.get_by_role("slider", name="a")).to_have_value("4.5")
        expect(shown.locator('[data-node="n5"]')).to_contain_text("×")  # another graph
        shown.get_by_role("slider", name="a").press("Home")
        expect(shown.locator('[data-node="n5"]')).to_contain_text("÷")
        notebook.run(2)
        expect(notebook.output(2)).to_contain_text("{'a': -3.0, 'b': 3.8, 'c': -2.25}, 'c'")
        shown.get_by_role("slider", name="c").press("End")
        expect(sentence).to_contain_text("the function stops with ValueError: c is too large")
        shown.get_by_role("slider", name="c").press("Home")
        expect(sentence).to_contain_text("c goes from −3 to")
        assert notebook.new_errors() == []


def test_an_exported_explorer_shows_its_pictures(exported):
    shown = exported.locator(".jp-OutputArea-output").last
    graph, plot = browser.pictures(shown)
    assert "y = d ÷ e = 2.5" in graph["alt"]
    assert "actual change: −0.3" in plot["alt"]
    expect(shown.get_by_text("Run this cell to move the sliders.")).to_be_visible()
    for wide in (1280, 700):
        exported.set_viewport_size({"width": wide, "height": 900})
        assert shown.bounding_box()["height"] <= 640
        assert shown.evaluate("(it) => it.scrollWidth - it.clientWidth") == 0


EXPLORER = """
import minigraph as mg
from minigraph.widgets import path_explorer

path_explorer(mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1), "b")
"""


def test_the_path_explorer_is_used_by_keyboard(lab, open_notebook):
    root, _ = lab
    write(root / "paths.ipynb", EXPLORER)
    with open_notebook("paths.ipynb") as notebook:
        notebook.run(0)
        page = notebook.page
        status = notebook.output(0).get_by_role("status")
        expect(status).to_contain_text("Path 1 of 2")
        page.get_by_role("listbox", name="Paths").focus()
        page.keyboard.press("ArrowDown")  # which the notebook would take for itself
        expect(status).to_contain_text("Path 2 of 2")
        page.keyboard.press("End")
        expect(status).to_contain_text("added over 2 paths: 2 + 5 = 7")
        page.get_by_role("button", name="one reverse sweep").press("Space")
        expect(status).to_contain_text("Step 1 of 4")
        page.get_by_role("combobox", name="To").select_option("d")
        expect(status).to_contain_text("∂d/∂d = 1")
        assert notebook.new_errors() == []


DEEP = """
import minigraph as mg
from minigraph.widgets import path_explorer

w = mg.variable(0.5, name="x")
for n in range(1, 5):
    w = (mg.sin(w).named(f"s{n}") + mg.cos(w).named(f"c{n}")).named(f"w{n}")
path_explorer(w)
"""


@pytest.mark.parametrize("way", ["path by path", "one reverse sweep"])
def test_a_full_list_of_paths_is_read_without_scrolling_beside_its_picture(lab, open_notebook, way):
    root, _ = lab
    write(root / "deep.ipynb", DEEP)
    with open_notebook("deep.ipynb") as notebook:
        notebook.run(0)
        card = notebook.output(0)
        card.get_by_role("button", name=way).click()
        listed = card.get_by_role("listbox")
        expect(listed.get_by_role("option")).to_have_count(13)
        size = listed.evaluate(
            "(it) => [it.scrollWidth - it.clientWidth, it.scrollHeight - it.clientHeight]"
        )
        assert max(size) <= 1
        left, right = listed.bounding_box(), card.locator(".minigraph-picture").bounding_box()
        assert left["x"] + left["width"] <= right["x"]
        assert left["y"] + left["height"] <= right["y"] + right["height"]
        before = notebook.page.viewport_size
        notebook.page.set_viewport_size({"width": 1024, "height": 900})
        try:
            assert card.bounding_box()["height"] <= 640
            assert listed.evaluate("(it) => it.scrollWidth - it.clientWidth") <= 1
        finally:
            notebook.page.set_viewport_size(before)
        assert notebook.new_errors() == []


def test_predictions_are_judged_by_the_kernel(lab, open_notebook):
    root, _ = lab
    write(root / "predict.ipynb", PLAYER.replace("play(y)", "play(y, predict=True)"))
    with open_notebook("predict.ipynb") as notebook:
        notebook.run(0)
        shown = notebook.output(0)
        field = shown.get_by_label("What is d = a + b?")
        field.fill("6")
        field.press("Enter")
        expect(shown.get_by_text("6 is not right.")).to_be_visible()
        assert "= 5" not in shown.inner_html()
        field.fill("5")
        field.press("Enter")
        expect(shown.get_by_text("Forward 1 of 3")).to_be_visible()
        expect(shown.get_by_label("What is e = b − c?")).to_have_value("")
        shown.get_by_role("button", name="Show").click()
        expect(shown.get_by_text("Forward 2 of 3")).to_be_visible()
        assert notebook.new_errors() == []


PASSES = """
from minigraph.widgets import pass_viewer

pass_viewer("y = (a + b) * (a + b)")
"""


def test_the_pass_viewer_is_used_by_keyboard(lab, open_notebook):
    root, _ = lab
    write(root / "passes.ipynb", PASSES)
    with open_notebook("passes.ipynb") as notebook:
        notebook.run(0)
        shown = notebook.output(0)
        picture, status = shown.locator("img"), shown.get_by_role("status")
        expect(status).to_contain_text("steps to come: 1")
        expect(picture).to_have_attribute("alt", re.compile("v₂"))
        shown.get_by_role("button", name="Next step").press("Enter")
        expect(status).to_contain_text("Step 1 of 1, share_common_subexpressions")
        expect(picture).not_to_have_attribute("alt", re.compile("v₂"))
        shown.get_by_role("button", name="Step back").press("Enter")
        expect(status).to_contain_text("As defined")
        field = shown.get_by_label("Expression")
        field.fill("y = a + b")
        expect(status).to_contain_text("no pass finds anything")
        assert notebook.new_errors() == []


DEAD = """
import minigraph as mg
from minigraph.widgets import *

y = mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)
with mg.scope("wave"):
    w = mg.sin(y) ** 2
graph = mg.Graph(y)
display(mg.explore(lambda a, b: a * b, a=(-3, 5, 2), b=(-3, 5, 3)))
display(mg.play(y, predict=True))
display(mg.play(y, predict="order"))
display(expression_editor("y = a * b"))
display(path_explorer(y))
display(pass_viewer("y = (a + b) * (a + b)"))
display(schedule_viewer(graph, {node: 1.0 for node in graph.order if node.op}))
display(checkpoint_viewer(8))
display(shape_lens())

from minigraph.course import predict

predict("boxes_for_b")
"""
PLAYS = """
display(mg.play(w))
"""
KERNEL = "window.panel.sessionContext"
GONE = {
    f"{KERNEL}.restartKernel()": "The kernel has been restarted: run this cell again.",
    f"{KERNEL}.shutdown()": "The kernel has been shut down: run this cell again.",
}


@pytest.fixture
def console(window):
    """What the browser's console reports as an error."""
    reported = []

    def heard(message):
        if message.type == "error":
            reported.append(message.text)

    def thrown(error):
        reported.append(str(error.error))

    window.on("console", heard)
    window.on("weberror", thrown)
    yield reported
    window.remove_listener("console", heard)
    window.remove_listener("weberror", thrown)


@pytest.mark.parametrize("end", GONE)
def test_a_widget_without_its_kernel_says_so_and_is_off(lab, open_notebook, console, end):
    root, _ = lab
    write(root / "dead.ipynb", DEAD, PLAYS)
    with open_notebook("dead.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        dead, plays = notebook.output(0), notebook.output(1)
        expect(dead.locator(".minigraph-box")).to_have_count(6)
        expect(plays.get_by_role("button", name="fold wave")).to_be_visible()
        expect(dead.locator(".minigraph-prediction")).to_be_visible()
        pictures = dead.locator("[data-node], img").count()
        console.clear()
        notebook.page.evaluate(end)
        expect(dead.get_by_text(GONE[end])).to_have_count(10)
        assert dead.locator("[data-node], img").count() == pictures
        needed = dead.locator(".minigraph-box, .minigraph-explorer, .minigraph-prediction, form")
        controls = needed.locator("button, input, select, .noUi-handle, [contenteditable]")
        assert controls.count() > 30
        on = "(all) => all.filter((one) => !one.matches(':disabled, [inert], [inert] *')).length"
        assert controls.evaluate_all(on) == 0
        dead.locator(".mgx-input").first.click()  # which chooses what is nudged
        dead.get_by_role("slider", name="Step").first.press("End")

        assert plays.get_by_text("run this cell again").count() == 0
        assert plays.get_by_role("button", name="fold wave").count() == 0
        plays.get_by_role("slider", name="Step").press("End")
        expect(plays.get_by_text("The backward pass is done")).to_be_visible()
        notebook.page.wait_for_timeout(500)
        assert console == []


CHANGED = """async () => {
  const { context } = window.panel;
  const changed = context.model.dirty;
  await context.save(); // as is done by itself after two minutes
  return changed;
}"""


@pytest.mark.parametrize("path", [FIRST_LESSON, FIRST_EXERCISES])
def test_opening_a_notebook_does_not_change_it(lab, open_notebook, path):
    root, _ = lab
    before = (root / path).read_bytes()
    with open_notebook(path) as notebook:
        notebook.page.wait_for_function(
            "window.panel.context.model.getMetadata('language_info').version"
        )
        assert not notebook.page.evaluate(CHANGED)
    assert (root / path).read_bytes() == before
