"""Every widget in JupyterLab, for those who do not see or do not use a mouse: axe-core's audit in
both themes; and what it cannot see: keys, focus, speech, motion, forced colours, zoom."""

import contextlib

import browser
import pytest
from checks import EXPLORES
from test_browser import write

NEEDS = "these tests drive a browser"
pytest.importorskip("playwright.sync_api", reason=f"{NEEDS}: pip install playwright")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="the audit is axe-core's: pip install axe-playwright-python",
)
pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason=f"{NEEDS}: {browser.HOW_TO_GET}"
)

PREPARE = """
import numpy as np
import minigraph as mg
from minigraph.widgets import checkpoint_viewer, expression_editor, pass_viewer, path_explorer
from minigraph import nn
from minigraph.course import predict
from minigraph.widgets import changing_graph, training_bench, zoom
from minigraph.widgets import loss_landscape, schedule_viewer, shape_lens, watch_learning

y = mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)
x = mg.constant(np.arange(12.0).reshape(4, 3) / 7, name="x")
w = mg.variable(np.arange(6.0).reshape(3, 2) - 2, name="w")
loss = mg.sum(mg.softmax(x @ w) ** 2).named("loss")
with mg.scope("square"):
    u = mg.sin(y) ** 2
z = (u + y).named("z")
"""
WIDGETS = {
    "player": "mg.play(y, position=7)",
    "forward": "mg.play(y, 'forward', position=2)",
    "predict": "mg.play(y, predict=True)",
    "wrong": "mg.play(y, wrong='sign', position=11)",
    "arrays": "mg.play(loss, position=10)",
    "nudge": "mg.play(y, nudge='b', position=3)",
    "folds": "mg.play(z, position=5)",
    "folded": "mg.play(z, folded='square', position=5)",
    "order": "mg.play(y, predict='order')",
    "explorer": "mg.explore(lambda a, b: (mg.sin(a) * b + a).named('y'), a=(-3, 3), b=(0, 5))",
    "paths": "path_explorer(y, 'b')",
    "shapes": "shape_lens()",
    "no fit": "shape_lens((2, 3), (4, 5))",
    "editor": "expression_editor('y = (a + b) * (b - c)', a=2, b=3, c=1)",
    "not yet": "expression_editor('y = (a + ')",
    "passes": "pass_viewer()",
    "schedule": "schedule_viewer(mg.Graph(y, []), {u: 1.0 for u in mg.Graph(y, []).order})",
    "checkpoints": "checkpoint_viewer()",
    "landscape": "loss_landscape()",
    "bench": "training_bench(steps=20)",
    "own points": "training_bench(data=[(0, 0, 0), (0.5, 0.5, 1)])",
    "inspector": "mg.inspect(mg.relu(-loss) * loss)",
    "zoom": "zoom(nn.Linear(3, 2, rng=np.random.default_rng(0))(x))",
    "changes": "changing_graph({'double': (lambda x: x + x if x > 1 else x * 3, [1.0, 4.0])})",
    "film": "watch_learning()",
    "prediction": "predict('a_moves_on')",
    "told": "predict('boxes_for_b', 3, 2)",
}
CONTROLS = "button, input, select, textarea, a[href], [tabindex]:not([tabindex='-1'])"
every_widget = pytest.mark.parametrize("name", WIDGETS)
# One of many buttons that stand in a row answers to keys, and shows that it has the focus, as the
# others do: one of a kind is looked at, and each on a run that explores.
KIND = """(it) =>
  [it.tagName, it.type, it.className, it.parentElement.className, it.disabled].join()"""


# JupyterLab's body has no height and cuts off what is beside it, as far as axe can see. A caret
# that comes and goes says nothing about focus.
STYLE = """
body { height: 100vh }
.jp-Cell[hidden] { display: none }
* { caret-color: transparent !important }
.alone { position: fixed }
.alone > * { inset: 0 !important; width: auto !important; height: auto !important }
"""
LEFT_AREA = "window.jupyterapp.commands.execute('application:toggle-left-area')"


@pytest.fixture(scope="module")
def opened(window, lab, tmp_path_factory):
    """All widgets in one notebook, each in the cell below that of the one before."""
    root, address = lab
    write(root / "widgets.ipynb", PREPARE, *WIDGETS.values())
    shots = tmp_path_factory.mktemp("screenshots")
    with browser.notebook(window, address, "widgets.ipynb", shots) as notebook:
        page = notebook.page
        page.set_default_timeout(20_000)
        page.evaluate(LEFT_AREA)
        style = page.add_style_tag(content=STYLE)
        page.evaluate(axe.Axe().axe_script)
        page.evaluate(ALONE, 0)  # or each of them would be laid out with those before it
        notebook.run_all()
        for name in WIDGETS:
            shown(notebook, name).locator(CONTROLS).first.wait_for()
        assert notebook.new_errors() == []
        yield notebook
        resize(page)
        style.evaluate("(it) => it.remove()")
        page.evaluate(LEFT_AREA)
        page.set_default_timeout(browser.MILLISECONDS_TO_APPEAR)


@pytest.fixture
def notebook(opened):
    """The notebook with all widgets, in a window as wide as that of other tests."""
    resize(opened.page)
    return opened


def resize(page, width=browser.SIZE["width"]):
    """Make a window so wide, if it is not: all that is in it is laid out anew."""
    if page.viewport_size["width"] != width:
        page.set_viewport_size(browser.SIZE | {"width": width})


def shown(notebook, name):
    """The widget with this name, alone in the page: no other is laid out, or drawn, with it."""
    notebook.page.evaluate(ALONE, place(name))
    return below(notebook, name)


def place(name):
    """The number of the cell that shows a widget."""
    return [*WIDGETS].index(name) + 1


def below(notebook, name):
    """A widget, in whatever state its cell is."""
    return notebook.output(place(name)).locator(".jp-OutputArea-output").first


# Resolves when what follows its width, such as frames, has been told of it.
ALONE = """async (index) => {
  const cells = window.panel.content.widgets.map((it) => it.node);
  if (cells.every((it, i) => it.hidden === (i !== index))) return;
  cells.forEach((it, i) => { it.hidden = i !== index; });
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  await frame();
}"""
THEME = """async (theme) => {
  if (document.body.dataset.jpThemeName !== theme)
    await window.jupyterapp.commands.execute('apputils:change-theme', { theme });
}"""


@contextlib.contextmanager
def looks(notebook, *, theme="Light", width=1200, **media):
    """Show the notebook in another way for a while."""
    page = notebook.page

    def dress(theme):
        page.evaluate(THEME, f"JupyterLab {theme}")
        page.locator(f"[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")

    if media:  # of which any, even none, has the whole page styled anew
        page.emulate_media(**media)
    resize(page, width)
    if theme != "Light":
        dress(theme)
    try:
        yield page
    finally:
        if media:
            page.emulate_media(**dict.fromkeys(media, "null") | browser.STILL)
        resize(page)
        if theme != "Light":
            dress("Light")


# axe-core looks at all of the page, whatever it is asked about. While it looks at one widget after
# the other there is nothing else in the page: JupyterLab is out of it, and all other cells. At the
# end it is laid out again, as what it measured meanwhile was not there.
AUDIT = """async ([elements, options]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const shown = panel.content.node;
  const before = shown.clientWidth;
  const cells = [...shown.querySelectorAll('.jp-Cell')];
  const hidden = cells.map((it) => it.hidden);
  const take = (it) => {
    const place = document.createComment('');
    it.replaceWith(place);
    return [it, place];
  };
  const back = ([it, place]) => place.replaceWith(it);
  const room = document.createElement('div');
  room.className = 'alone';
  room.style.width = `${shown.offsetWidth}px`;
  room.style.height = `${shown.offsetHeight}px`;
  const out = [take(shown)];
  const kept = 'script, style, link';
  out.push(...[...document.body.children].filter((it) => !it.matches(kept)).map(take));
  out.push(...cells.map(take));
  document.body.append(room);
  room.append(shown);
  const found = [];
  try {
    for (const element of elements) {
      const cell = element.closest('.jp-Cell');
      const place = out.find(([it]) => it === cell)[1];
      cell.hidden = false;
      place.replaceWith(cell);
      await frame();
      await frame(); // what follows its width, such as frames, has been told of it
      if (shown.clientWidth !== before) throw new Error(`${shown.clientWidth}, not ${before}`);
      element.scrollIntoView({ block: 'nearest' });
      found.push((await axe.run(element, { resultTypes: ['violations'], ...options })).violations);
      cell.replaceWith(place);
    }
    return found;
  } finally {
    out.reverse().forEach(back);
    room.remove();
    cells.forEach((it, i) => { it.hidden = hidden[i]; });
    window.jupyterapp.shell.fit();
    await frame();
    await frame();
  }
}"""


# To compare colours takes most of an audit: it is done once in each theme. What else is looked at
# is the same in both, but not in each width.
COLOURS = {"runOnly": ["color-contrast"]}
ALL_BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}


def findings(notebook, names, options):
    """What axe-core finds in each of some widgets, as lines."""
    widgets = [below(notebook, name).element_handle() for name in names]
    found = notebook.page.evaluate(AUDIT, [widgets, options])
    return {
        name: [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html']}"
            for rule in violations
            for node in rule["nodes"]
        ]
        for name, violations in zip(names, found, strict=True)
    }


# --- the audit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theme", "width", "options"),
    [("Light", 1200, {}), ("Dark", 1200, COLOURS), ("Light", 480, ALL_BUT_COLOURS)],
)
def test_the_audit_finds_nothing(notebook, theme, width, options):
    with looks(notebook, theme=theme, width=width):
        found = findings(notebook, WIDGETS, options)
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_audit_can_find_something(notebook):
    play = shown(notebook, "player").get_by_role("button", name="Play")
    say = shown(notebook, "player").get_by_role("status")
    before = [play.evaluate_handle("(it) => it.cloneNode()"), say.get_attribute("style")]
    play.evaluate("(it) => ['aria-label', 'title'].forEach((name) => it.removeAttribute(name))")
    say.evaluate("(it) => { it.style.color = '#999' }")
    found, colours, others = (
        {line.split()[0] for line in findings(notebook, ["player"], options)["player"]}
        for options in ({}, COLOURS, ALL_BUT_COLOURS)
    )
    shown(notebook, "player").locator(".mgp-buttons .mgc-main").evaluate(
        "(it, was) => [...was.attributes].forEach((a) => it.setAttribute(a.name, a.value))",
        before[0],
    )
    say.evaluate("(it) => it.removeAttribute('style')")
    assert found == {"button-name", "color-contrast"}
    assert (colours, others) == ({"color-contrast"}, {"button-name"})
    assert findings(notebook, ["player"], {}) == {"player": []}


# --- the keyboard ---------------------------------------------------------------------------------


@every_widget
def test_tab_goes_through_all_controls_and_shows_where_it_is(notebook, name):
    widget = shown(notebook, name)
    first = widget.locator(CONTROLS).first
    first.scroll_into_view_if_needed()
    page = notebook.page
    first.press("Tab")  # after which focus counts as the keyboard's
    first.focus()
    session = page.context.new_cdp_session(page)
    visited, seen = 0, set()
    while stop := widget.evaluate(PLACE_OF_FOCUS):
        kind, place = stop
        visited += 1
        if EXPLORES or kind not in seen:
            seen.add(kind)
            with_focus = picture(session, place)
            left = page.evaluate(BLUR)
            assert picture(session, place) != with_focus, left
        page.keyboard.press("Tab")
    session.detach()
    stops = """(them) => them
      .filter((it) => it.checkVisibility() && it.tabIndex >= 0 && !it.disabled).length"""
    # of a group Tab visits one
    radios = "(them) => them.length - new Set(them.map((it) => it.name)).size"
    reachable = widget.locator(CONTROLS).evaluate_all(stops)
    assert visited == reachable - widget.locator("[type=radio]").evaluate_all(radios)


# What has the focus, if it is in a widget: its kind, and its place with what is close to it.
PLACE_OF_FOCUS = f"""(widget) => {{
  const kind = {KIND};
  const it = document.activeElement;
  if (!widget.contains(it)) return null;
  it.scrollIntoViewIfNeeded();
  const {{ x, y, width, height }} = it.getBoundingClientRect();
  const [left, top] = [Math.max(0, x - 5), Math.max(0, y - 5)];
  return [kind(it), {{ x: left, y: top, width: width + 10, height: height + 10, scale: 1 }}];
}}"""
BLUR = """() => {
  const it = document.activeElement;
  it.blur();
  return it.outerHTML;
}"""


def picture(session, place):
    """What is seen in a place, packed no smaller than is soon done."""
    options = {"clip": place, "optimizeForSpeed": True}
    return session.send("Page.captureScreenshot", options)["data"]


def test_a_click_into_the_player_gives_it_the_keys(notebook):
    widget = shown(notebook, "player")
    say = widget.get_by_role("status")
    say.click()
    notebook.page.keyboard.press("Home")
    assert say.inner_text().startswith("Start")
    notebook.page.keyboard.press("ArrowRight")
    assert say.inner_text().startswith("Forward 1 of 3")


# --- what is spoken -------------------------------------------------------------------------------

LISTEN = """(element) => {
  window.spoken = [];
  new MutationObserver((records) => {
    const texts = records.filter((it) => it.target.closest('[role=status], [aria-live]'));
    if (texts.length) window.spoken.push(element.innerText.trim());
    window.repeated = texts.length - new Set(texts.map((it) => it.target)).size;
  }).observe(element, { childList: true, characterData: true, subtree: true });
}"""


def test_each_step_is_spoken_once(notebook):
    widget = shown(notebook, "player")
    slider = widget.get_by_role("slider", name="Step")
    slider.press("Home")
    widget.get_by_role("status").evaluate(LISTEN)
    for expected in ("Forward 1 of 3 d = a + b = 2 + 3 = 5.", "Forward 2 of 3 e = b − c"):
        notebook.page.evaluate("window.spoken = []")
        slider.press("ArrowRight")
        notebook.page.wait_for_timeout(300)  # the kernel's echo would come now
        (said,) = notebook.page.evaluate("window.spoken")
        assert said.startswith(expected)
        assert notebook.page.evaluate("window.repeated") == 0
        assert slider.get_attribute("aria-valuetext") == said[: len("Forward 1 of 3")]


@pytest.mark.parametrize(
    ("name", "control", "key", "expected"),
    [("paths", "Paths", "ArrowDown", "Path 2 of 2"), ("shapes", "Shape of x", "5", "3")],
)
def test_the_sentence_is_a_live_region_that_stays(notebook, name, control, key, expected):
    widget = shown(notebook, name)
    status = widget.get_by_role("status").element_handle()
    before = status.inner_text()
    widget.get_by_label(control, exact=True).press(key)
    notebook.page.wait_for_function(
        "([it, was]) => it.isConnected && it.innerText !== was", arg=[status, before]
    )
    assert expected in status.inner_text()


def test_a_question_and_a_verdict_are_spoken(notebook):
    widget = shown(notebook, "predict")
    form = widget.locator("form")
    field = widget.get_by_role("textbox")
    form.evaluate(LISTEN)
    for answer, expected in (("6", "6 is not right."), ("5", "What is e = b − c?")):
        field.fill(answer)
        field.press("Enter")
        notebook.page.wait_for_function(
            "(text) => window.spoken.some((it) => it.includes(text))", arg=expected
        )


def test_groups_and_buttons_have_names_and_states(notebook):
    for name, label in (
        ("paths", "Path explorer"),
        ("shapes", "Shape lens"),
        ("editor", "Expression editor"),
        ("passes", "Passes, step by step"),
        ("explorer", "Explorer"),
        ("player", "Player: Computational graph of y"),
        ("told", "In z = a · b + b · b the letter b is written three times."),
    ):
        assert shown(notebook, name).get_by_role("group", name=label).count() == 1
    ways = shown(notebook, "paths").get_by_role("group", name="Way")
    ways.get_by_role("button", name="one reverse sweep", pressed=False).press("Enter")
    ways.get_by_role("button", name="one reverse sweep", pressed=True).wait_for()
    ways.get_by_role("button", name="path by path", pressed=False).press("Enter")
    ways.get_by_role("button", name="path by path", pressed=True).wait_for()


# --- motion, colours, room ------------------------------------------------------------------------

MOVING = """document.getAnimations().map((it) => it.effect.target)
  .filter((it) => it.closest('.jp-OutputArea-output')).map((it) => it.getAttribute('class'))"""


def test_nothing_moves_for_those_who_ask_for_that(notebook):
    with looks(notebook, reduced_motion="no-preference") as page:
        shown(notebook, "player").get_by_role("slider", name="Step").press("End")
        shown(notebook, "player").get_by_role("slider", name="Step").press("ArrowLeft")
        assert "mgp-pulse mgp-back" in page.evaluate(MOVING)
    assert page.evaluate(MOVING) == []


def test_forced_colours_leave_states_visible(notebook):
    fill = "(it) => getComputedStyle(it).backgroundColor"
    pairs = [
        ("player", ".mgp-tick.mgp-done", ".mgp-tick:not(.mgp-done)"),
        ("explorer", ".mgc-choices :checked + span", ".mgc-choices :not(:checked) + span"),
        ("paths", ".widget-toggle-button.mod-active", ".widget-toggle-button:not(.mod-active)"),
    ]
    shown(notebook, "player").get_by_role("slider", name="Step").press("Home")
    with looks(notebook, forced_colors="active"):
        for name, on, off in pairs:
            widget = shown(notebook, name)
            lit, unlit = (widget.locator(at).first.evaluate(fill) for at in (on, off))
            assert lit != unlit, name


@every_widget
@pytest.mark.parametrize("width", [480, 600])  # 600 is 1200 at a zoom of 200 %
def test_a_narrow_page_need_not_be_scrolled_sideways(opened, name, width):
    resize(opened.page, width)  # for all of them once
    assert shown(opened, name).evaluate(TOO_WIDE) == []


# The controls that reach out of their widget, which would cut them off. Drawings scroll in it.
TOO_WIDE = """(widget) => {
  const { left, right } = widget.getBoundingClientRect();
  const parts = [...widget.querySelectorAll('button, input, select, p, label')];
  return parts.filter((it) => it.checkVisibility()).filter((it) => {
    const place = it.getBoundingClientRect();
    return place.width && (place.right > right + 1 || place.left < left - 1);
  }).map((it) => it.outerHTML.slice(0, 120));
}"""


# --- keys, last: they leave the widgets in another state ------------------------------------------


# After a key; the control has the focus for the next, if it is there: an answer of the kernel to a
# key before may have put another picture in its place.
STATE = """(control) => {
  const { widgets, activeCellIndex, mode } = panel.content;
  control.focus();
  return [control.isConnected, widgets.length, activeCellIndex, mode];
}"""


@every_widget
def test_no_key_meant_for_a_widget_reaches_the_notebook(notebook, name):
    page = notebook.page
    widget = shown(notebook, name)
    widget.scroll_into_view_if_needed()
    tried, seen = 0, set()
    for place in widget.locator(CONTROLS).all():
        if not place.is_visible():
            continue
        control = place.element_handle()
        kind = control.evaluate(KIND)
        if kind in seen and not EXPLORES:
            continue
        seen.add(kind)
        control.evaluate("(it) => it.focus()")
        is_there, *before = control.evaluate(STATE)
        for key in ("b", "Enter", "ArrowDown", "ArrowUp"):  # b adds a cell
            if not is_there:
                break
            page.keyboard.press(key)
            is_there, *after = control.evaluate(STATE)
            assert after == before, control.evaluate("(it) => it.outerHTML")[:200]
            tried += is_there
    for runs in widget.get_by_role("button", name="Pause", exact=True).all():
        runs.click()  # or it would go on beside the next
    assert tried > 3
