"""The scripts of the live graphs: plain modules that import from each other and whose types fit;
how they are joined for a page; and what they do with a model behind which there is no kernel."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import browser
import numpy as np
import pytest

import minigraph as mg
from minigraph import nn
from minigraph.course import predict
from minigraph.widgets import page, training_bench, watch_learning, zoom
from minigraph.widgets.page import style
from minigraph.widgets.prediction import Field, PredictionCard

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "minigraph" / "widgets"
ENTRIES = [  # what widgets take
    file.stem
    for file in sorted(SCRIPTS.glob("*.js"))
    if "export default" in file.read_text(encoding="utf-8")
]
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:class|const|function\*?|let|var) (\S+?)\b", re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with scripts of our own, which the joiner reads."""
    monkeypatch.setattr(page, "_HERE", tmp_path)
    page.module.cache_clear()

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")

    yield write
    page.module.cache_clear()


def clashes(entry):
    """The names that stand twice at the top of the modules that are joined to one."""
    texts = page.scripts(entry).values()
    names = Counter(name for text in texts for name in DECLARED.findall(text))
    return [name for name, times in names.items() if times > 1]


# --- joined to one text ---------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_name_stands_twice_in_a_joined_module(entry):
    assert DECLARED.findall(page.scripts(entry)[entry])
    assert clashes(entry) == []


def test_a_name_that_stands_twice_would_be_noticed(folder):
    folder(
        user='import { draw } from "./base.js";\n\nclass Size {}\ndraw(new Size());\n',
        base="const Size = 3;\nexport function draw() {}\n",
    )
    assert clashes("user") == ["Size"]


def test_what_is_imported_stands_above_and_once(folder):
    folder(
        user='/** Why. */\n\nimport { f } from "./middle.js";\n'
        'import {\n  a,\n  b,\n} from "./base.js";\n\nf(a, b);\nexport default { f };\n',
        middle='import { a } from "./base.js";\n\nexport function f() {\n  return a;\n}\n',
        base="export const a = 1;\nexport class b {}\n",
    )
    assert page.module("user") == (
        "const a = 1;\nclass b {}\n\nfunction f() {\n  return a;\n}\n\n"
        "/** Why. */\n\nf(a, b);\nexport default { f };\n"
    )


@pytest.mark.parametrize(
    ("user", "base", "says"),
    [
        ('import { b } from "./base.js";', "export const a = 1;", "does not export"),
        ('import { a } from "./base.js";', "const a = 1;", "does not export"),
        ('import { a as b } from "./base.js";', "export const a = 1;", "does not export"),
        ('import { a } from "https://example.org/base.js";', "", "from its own folder"),
        ('import { a } from "../base.js";', "export const a = 1;", "from its own folder"),
        ('import base from "./base.js";', "export default 1;", "from its own folder"),
        ('import * as base from "./base.js";', "export const a = 1;", "from its own folder"),
        ('import "./base.js";', "export const a = 1;", "from its own folder"),
        ('import { a } from "./base.js";', "export const a = 1;\nexport default a;", "not: export"),
        ('import { a } from "./base.js";', "export const a = 1;\nexport { a };", "not: export"),
        (
            'import { a } from "./base.js";\nexport const b = 1;',
            'import { b } from "./user.js";\nexport const a = 1;',
            "user, base, user",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(folder, user, base, says):
    folder(user=f"{user}\n", base=f"{base}\n")
    with pytest.raises(ImportError, match=says):
        page.module("user")


def test_a_module_that_is_not_there_is_named(folder):
    folder(user='import { a } from "./missing.js";\n')
    with pytest.raises(FileNotFoundError, match=r"missing\.js"):
        page.module("user")


# --- types ----------------------------------------------------------------------------------------

VERSION = json.loads((ROOT / "package.json").read_text())["devDependencies"]["typescript"]
PLACES = os.pathsep.join([str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")])
TSC = shutil.which("tsc", path=PLACES)
needs_types = pytest.mark.skipif(
    TSC is None or shutil.which("node") is None,
    reason="checks types: install Node.js, then `npm install` in the project's folder, or "
    f"`npm install --global typescript@{VERSION}`",
)


def faults(root):
    """What the type checker says of the scripts of a project."""
    command = [TSC, "--project", root / "jsconfig.json", "--pretty", "false"]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert not run.stderr
    return run.stdout


@needs_types
def test_the_types_fit():
    assert faults(ROOT) == ""


@needs_types
def test_a_name_that_is_not_imported_does_not_pass(tmp_path):
    shutil.copy(ROOT / "jsconfig.json", tmp_path)
    shutil.copytree(SCRIPTS, tmp_path / "minigraph" / "widgets")
    player = tmp_path / "minigraph" / "widgets" / "player.js"
    text = player.read_text(encoding="utf-8")
    player.write_text(text.replace('import { ownKeys } from "./keys.js";', ""), encoding="utf-8")
    (fault,) = faults(tmp_path).splitlines()
    assert "Cannot find name 'ownKeys'" in fault


# --- with a model of their own --------------------------------------------------------------------

needs_browser = pytest.mark.skipif(
    pytest.importorskip("playwright", reason="pip install playwright") is None
    or browser.executable() is None,
    reason=f"this test drives a browser: {browser.HOW_TO_GET}",
)
SITE = "http://minigraph.test"
BLANK = """<!doctype html><meta charset=utf-8><main class="widget-vbox"><div></div></main>
<script type="module">
import { FakeModel } from "./fake_model.js";
window.passed = []; // the keys that come through to the notebook
document.addEventListener("keydown", ({ key }) => window.passed.push(key));
window.show = async (script, state) => {
  window.model = new FakeModel(state);
  const { default: widget } = await import(`./${script}.js`);
  window.stop = widget.render({ model, el: document.querySelector("div") });
};
</script>"""


class Live:
    """A script that shows a model in a page: its files are the modules as they are."""

    def __init__(self, shown, script, state):
        self.page = shown
        shown.goto(SITE)
        shown.evaluate("([script, state]) => window.show(script, state)", [script, state])

    @staticmethod
    def serve(route):
        """Answer what a page asks for."""
        name = route.request.url.removeprefix(SITE).strip("/")
        if not name:
            return route.fulfill(body=BLANK, content_type="text/html")
        folder = SCRIPTS if (SCRIPTS / name).exists() else ROOT / "tests"
        return route.fulfill(path=folder / name, content_type="text/javascript")

    def told(self):
        """What the script has told the model since it was asked last."""
        return self.page.evaluate("window.model.told.splice(0)")

    def change(self, **changes):
        """Change the model as a kernel does."""
        self.page.evaluate("(changes) => window.model.change(changes)", changes)


@pytest.fixture(scope="module")
def blank(chromium):
    """A page in which one test after the other shows what is its own: it is loaded anew for each.

    Beside it the errors that nobody has caught in it.
    """
    page, problems = chromium.new_page(viewport={"width": 1200, "height": 900}), []
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/*", Live.serve)
    page.clock.install(time=0)
    page.clock.pause_at(3600)  # from then on time passes when a test says so
    yield page, problems
    page.close()


@pytest.fixture
def live(blank):
    """Show a widget, or a state without one."""
    page, problems = blank
    problems.clear()

    def show(script, widget):
        return Live(page, script, widget if isinstance(widget, dict) else state_of(widget))

    yield show
    page.goto("about:blank")  # where nothing runs on
    assert problems == []


def state_of(widget):
    """What a widget and its page share, as the page gets it."""
    names = [name for name in widget.traits(sync=True) if not name.startswith("_")]
    state = {name: getattr(widget, name) for name in names if name not in ("layout", "tabbable")}
    return json.loads(json.dumps(state, default=repr))


def example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def explorer():
    return mg.explore(lambda a, b: (a * b + b).named("y"), a=(-5, 5, 2), b=(-5, 5, 3))


def said(shown):
    return shown.page.get_by_role("status").first.inner_text()


@needs_browser
def test_each_key_of_the_player_sets_the_position_and_saves_it(live):
    shown = live("player", mg.play(example()))
    shown.page.locator(".minigraph-player").focus()
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home"):
        shown.page.keyboard.press(key)
    told = shown.told()
    assert told[0::2] == [["set", "position", position] for position in (1, 2, 1, 11, 0)]
    assert told[1::2] == [["save"]] * 5


@needs_browser
def test_the_player_runs_on_to_what_is_chosen_by_a_button_and_by_a_key(live):
    y = mg.variable(1.0, name="x")
    for n in (1, 2, 3):
        y = (y * float(n + 1)).named(f"h{n}")  # the gradients are 1, 4, 12, 24
    shown = live("player", mg.play(y, until="h2"))
    assert said(shown).endswith("Stopped: h2 is reached.")
    page = shown.page
    page.locator(".minigraph-player").focus()
    page.keyboard.press("r")
    assert said(shown).startswith("Backward 2 of 5")
    page.get_by_label("until").select_option("a gradient over")
    page.get_by_label("size of a gradient").fill("20")
    page.get_by_label("size of a gradient").press("Enter")
    assert "12 × 2 = 24. Stopped: a gradient is larger than 20." in said(shown)
    page.get_by_role("button", name="Run on").click()
    assert said(shown).endswith("To the end, and at no step: a gradient is larger than 20.")
    assert page.evaluate("window.passed") == []


@pytest.fixture
def zoomed(live):
    """The picture of a scope zoom with one scope, and what it would show after a click."""
    with mg.scope("layer"):
        y = mg.tanh(mg.variable(2.0, name="x") * 3)
    widget = zoom(y + 1)
    shown = live("scopes", widget.picture)
    shown.page.add_style_tag(content="div { height: 360px }")
    widget.go("layer")
    return shown, widget.picture.view


OPENED = {"kind": "toggle", "action": "unfold", "path": "layer"}
CLOSED = {"kind": "toggle", "action": "fold", "path": "layer"}


@needs_browser
def test_a_box_of_the_scope_zoom_opens_by_click_and_by_key(zoomed):
    shown, _ = zoomed
    box = shown.page.get_by_role("button", name="open layer, 2 operations", expanded=False)
    box.click()
    assert shown.told() == [["send", OPENED]]
    for key in ("Enter", " "):
        box.press(key)
        assert shown.told() == [["send", OPENED]]
    box.press("x")
    shown.page.locator("[data-node]").last.click()  # which is no scope
    assert shown.told() == []


@needs_browser
def test_what_was_opened_by_hand_has_the_focus_and_closes_again(zoomed):
    shown, opened = zoomed
    page = shown.page
    closed = page.evaluate("window.model.get('view')")
    page.get_by_role("button", name="open layer").press("Enter")
    shown.change(view=opened)
    shown.told()
    frame = page.get_by_role("button", name="fold layer", expanded=True)
    assert frame.evaluate("(it) => it === document.activeElement")
    page.keyboard.press(" ")
    assert shown.told() == [["send", CLOSED]]
    shown.change(view={**closed, "moved": "layer"})
    box = page.get_by_role("button", name="open layer")
    assert box.evaluate("(it) => it === document.activeElement")


@needs_browser
def test_a_change_that_was_not_asked_for_here_leaves_the_focus(zoomed):
    shown, opened = zoomed
    shown.change(view=opened)
    assert shown.page.evaluate("document.activeElement === document.body")


@needs_browser
def test_the_scope_zoom_offers_nothing_when_its_kernel_is_gone(zoomed):
    shown, _ = zoomed
    shown.page.evaluate("window.model.kernel.statusChanged.emit('restarting')")
    assert shown.page.locator(".mgp-toggle").count() == 0
    shown.page.locator("[data-node]").first.dispatch_event("click")
    assert shown.told() == []


@needs_browser
def test_a_nudge_lights_its_wave_and_another_one_can_be_chosen(live):
    shown = live("player", mg.play(example(), nudge="b"))
    page = shown.page
    page.locator(".minigraph-player").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert said(shown).startswith("Nudge 2 of 4")
    lit = page.locator("[data-node].mgp-lit")
    assert [one.get_attribute("data-node") for one in lit.all()] == ["n3", "n4"]
    assert page.locator(".mgp-flow").count() == 2
    assert page.locator('[data-node="n3"] [data-part="gradient"]').text_content() == "0.1"
    shown.told()
    page.get_by_label("nudge").select_option("c by 0.1")
    assert shown.told() == [
        ["set", "nudge", "c by 0.1"],
        ["save"],
        ["set", "position", 0],
        ["save"],
    ]
    page.locator(".minigraph-player").focus()
    page.keyboard.press("End")
    assert page.locator('[data-node="n5"] [data-part="gradient"]').text_content() == "−0.5"
    shown.change(nudge="b by 0.1", position=3)
    rows = page.locator(".mgp-lens tr.mgp-now").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["from", "d", "0.1", "×", "2", "0.2"], ["from", "e", "0.1", "×", "5", "0.5"]
    ]  # fmt: skip


@needs_browser
def test_the_player_follows_its_model_until_it_is_stopped(live):
    shown = live("player", mg.play(example()))
    shown.change(position=4)
    assert said(shown).startswith("Backward 1 of 8")
    shown.change(wrong="overwrite", position=11)
    assert shown.page.locator(".mgp-say.mgp-wrong").count() == 1
    shown.change(passes="forward")
    assert said(shown).startswith("Forward 3 of 3")
    assert shown.told() == []
    shown.page.evaluate("window.stop()")
    shown.change(position=1)
    assert said(shown).startswith("Forward 3 of 3")


@needs_browser
def test_a_fold_is_asked_for_with_the_position_that_the_page_has(live):
    with mg.scope("inner"):
        z = mg.sin(example()) * 2
    shown = live("player", mg.play(z.named("z")))
    shown.page.get_by_role("slider", name="Step").press("ArrowRight")
    shown.page.get_by_role("button", name="fold inner").press("Enter")
    message = {"kind": "toggle", "action": "fold", "path": "inner", "position": 1}
    assert shown.told() == [["set", "position", 1], ["save"], ["send", message]]


@needs_browser
def test_an_answer_is_sent_and_the_step_waits_for_the_kernel(live):
    player = mg.play(example(), predict=True)
    shown = live("player", player)
    field = shown.page.get_by_role("textbox")
    field.fill("7")
    field.press("Enter")
    assert shown.told() == [["send", {"kind": "answer", "text": "7"}]]
    player.answer("7")
    shown.change(**state_of(player))
    assert said(shown).startswith("Start")
    assert shown.page.get_by_text(player.verdict, exact=True).count() == 1
    assert field.input_value() == "7"  # to be corrected
    player.answer("5")
    shown.change(**state_of(player))
    assert said(shown).startswith("Forward 1 of 3")
    assert field.input_value() == ""
    shown.page.get_by_role("button", name="Show").click()
    assert shown.told() == [["send", {"kind": "reveal"}]]


@needs_browser
def test_one_question_is_on_its_way_and_the_last_place_wins(live):
    widget = explorer()
    shown = live("explore", widget)
    slider = shown.page.get_by_role("slider", name="b")
    for _ in range(3):
        slider.press("ArrowRight")
    (_, name, first), save = shown.told()
    assert (name, first["values"], save) == ("asked", {"a": 2, "b": 3.1}, ["save"])
    widget.asked = first
    shown.change(**state_of(widget))
    (_, _, last), _ = shown.told()
    assert last["values"]["b"] == pytest.approx(3.3)
    assert slider.input_value() == "3.3"  # the answer to the first question did not move it
    widget.asked = last
    shown.change(**state_of(widget))
    assert shown.told() == []
    assert shown.page.locator('[data-node="n1"] [data-part="value"]').text_content() == "3.3"


@needs_browser
def test_the_controls_stand_where_the_kernel_stands(live):
    widget = explorer()
    shown = live("explore", widget)
    widget.values, widget.chosen = {"a": -4.0}, "b"
    shown.change(**state_of(widget))
    assert shown.page.get_by_role("slider", name="a").input_value() == "-4"
    assert shown.page.get_by_label("a, as a number").input_value() == "-4"
    assert shown.page.get_by_role("radio", name="b").is_checked()
    assert shown.told() == []


FRAME = 16  # milliseconds: a window of it holds one picture, wherever between two it begins


def asked(shown):
    """What the bench has asked its kernel for since it was asked last, without the serials."""
    told = [message for kind, message in shown.told() if kind == "send"]
    return told, [{k: v for k, v in m.items() if k not in ("serial", "show")} for m in told]


def answered(shown, bench, message):
    """Answer a question as the kernel does."""
    before = bench.board.view
    bench._told(None, message, [])
    new = state_of(bench.board)
    shown.change(**(new if bench.board.view is not before else {"frame": new["frame"]}))


@pytest.fixture
def unhurried(monkeypatch):
    """A kernel that makes all the pictures that it is asked for, however long it takes."""
    monkeypatch.setattr("minigraph.widgets.bench._PATIENCE", 600)


@needs_browser
def test_a_bench_that_runs_shows_each_picture_and_goes_back_to_the_one_seen(live, unhurried):
    bench = training_bench(points=20, hidden=(2,))
    shown = live("bench", bench.board)
    page = shown.page
    page.get_by_role("button", name="Run").click()
    (message,), (question,) = asked(shown)
    assert question == {"kind": "run", "by": 5, "pictures": 4}
    answered(shown, bench, message)
    assert asked(shown) == ([], [])  # a page that nobody sees asks for nothing
    sentences = set()
    for step in (5, 10, 15, 20):
        page.clock.run_for(FRAME)
        assert page.locator(".mgb-step").inner_text() == f"step {step}"
        sentences.add(said(shown))
    assert len(sentences) == 4
    assert said(shown) == bench.sentence
    (message,), (question,) = asked(shown)
    assert question == {"kind": "run", "by": 5, "pictures": 8}  # for no answer had been there
    page.clock.run_for(FRAME)  # nor is it now, so the next film is longer
    answered(shown, bench, message)
    assert bench.step == 60
    page.clock.run_for(2 * FRAME)
    (message,), _ = asked(shown)  # while the film is shown
    page.get_by_role("button", name="Pause").click()
    answered(shown, bench, message)
    assert bench.step > 60
    (message,), (question,) = asked(shown)
    assert question == {"kind": "look", "cut": {"step": 30, "known": 30}}
    answered(shown, bench, message)
    page.clock.run_for(100)
    assert asked(shown) == ([], [])
    assert page.locator(".mgb-step").inner_text() == "step 30"
    assert said(shown) == bench.sentence
    assert bench.step == len(bench.losses) == 30
    page.get_by_role("slider", name="Recorded step").press("Home")
    page.get_by_role("button", name="Step", exact=True).click()  # while the answer is on its way
    (message,), (question,) = asked(shown)
    assert question == {"kind": "go", "step": 0}
    answered(shown, bench, message)
    (_,), (question,) = asked(shown)
    assert question["kind"] == "go"


@needs_browser
def test_a_page_that_is_slow_to_draw_gets_fewer_pictures_of_as_many_steps(live, unhurried):
    bench = training_bench(points=20, hidden=(2,))
    shown = live("bench", bench.board)
    shown.page.get_by_label("Steps between two pictures").select_option("1")
    shown.page.get_by_role("button", name="Run").click()
    strides = []
    for _ in range(5):
        (message,), (question,) = asked(shown)
        strides.append(question["by"])
        answered(shown, bench, message)
        for _ in range(question["pictures"]):
            shown.page.clock.fast_forward(200)  # until it draws again
    assert strides[0] == 1
    assert strides[-1] == 5  # 25 steps a second


@needs_browser
def test_what_is_chosen_while_a_bench_runs_holds_from_the_picture_seen(live, unhurried):
    bench = training_bench(points=20, hidden=(2,))
    shown = live("bench", bench.board)
    shown.page.get_by_role("button", name="Run").click()
    (message,), _ = asked(shown)
    answered(shown, bench, message)
    shown.page.clock.run_for(FRAME)
    (message,), _ = asked(shown)
    shown.page.get_by_label("Steps between two pictures").select_option("25")
    answered(shown, bench, message)
    (message,), (question,) = asked(shown)
    assert question == {"kind": "look", "cut": {"step": 5, "known": 5}}
    answered(shown, bench, message)
    assert bench.step == 5
    shown.page.clock.run_for(2 * FRAME)
    (message,), (question,) = asked(shown)
    assert question["by"] == 25
    shown.page.get_by_label("Seed").fill("7")
    shown.page.get_by_label("Seed").press("Tab")
    answered(shown, bench, message)
    (message,), (question,) = asked(shown)
    assert question == {"kind": "change", "settings": {"seed": 7}}
    answered(shown, bench, message)
    assert bench.settings.seed == 7
    shown.page.clock.run_for(FRAME)
    assert shown.page.locator(".mgb-step").inner_text() == "step 0"
    assert asked(shown)[1][0]["kind"] == "run"  # it goes on


@needs_browser
def test_a_bench_stops_running_where_the_loss_is_no_number(live):
    bench = training_bench(activation="relu", optimizer="SGD", learning_rate=1e200)
    shown = live("bench", bench.board)
    shown.page.get_by_role("button", name="Run").click()
    (message,), _ = asked(shown)
    answered(shown, bench, message)
    shown.page.clock.run_for(100)
    assert asked(shown) == ([], [])
    assert "take a smaller learning rate" in said(shown)
    assert shown.page.get_by_role("button", name="Run").count() == 1


@needs_browser
def test_points_are_drawn_by_the_mouse_and_by_the_keyboard(live):
    bench = training_bench(data="own points")
    shown = live("bench", bench.board)
    shown.page.add_style_tag(content=style("bench"))

    def own():
        (message,), (question,) = asked(shown)
        answered(shown, bench, message)
        assert question == {"kind": "change", "settings": {"own": [*map(list, bench.settings.own)]}}
        return bench.settings.own

    plane = shown.page.get_by_role("application")
    size = plane.bounding_box()["width"]
    plane.click(position={"x": size / 2 - 1, "y": size / 4})
    plane.click(button="right")  # opens a menu
    ((x, y, label),) = own()
    assert (x, y, label) == (pytest.approx(0, abs=0.03), pytest.approx(0.625, abs=0.03), 0)
    shown.page.get_by_label("class 1", exact=True).check(force=True)
    plane.press("ArrowRight")
    plane.press("Enter")
    assert own()[1:] == ((pytest.approx(x + 0.1, abs=0.011), y, 1),)  # the cross has stayed
    for key in ("ArrowRight", "Delete"):
        plane.press(key)
    assert own() == ((x, y, 0),)
    shown.page.get_by_role("button", name="Clear").click()
    assert own() == ()
    assert shown.page.locator(".mgb-plane svg > :not(.mgb-cross)").count() == 0


@needs_browser
def test_changes_that_are_made_before_the_answer_comes_add_up(live):
    bench = training_bench(data="own points")
    shown = live("bench", bench.board)
    page, plane = shown.page, shown.page.get_by_role("application")
    for key in ("Enter", "ArrowRight", "Enter"):
        plane.press(key)
    (message,), _ = asked(shown)
    answered(shown, bench, message)  # of the first point
    (message,), _ = asked(shown)
    for key in ("ArrowRight", "Enter"):
        plane.press(key)
    for feature in ("xy", "x²"):
        page.get_by_label(feature, exact=True).check(force=True)
    page.get_by_label("Hidden layers").fill("3 2")
    page.get_by_role("button", name="Step", exact=True).click()  # the change comes first
    answered(shown, bench, message)  # of the second
    assert page.get_by_label("Hidden layers").input_value() == "3 2"
    assert page.get_by_label("x²", exact=True).is_checked()
    (message,), _ = asked(shown)
    answered(shown, bench, message)
    assert len(bench.settings.own) == 3
    assert bench.settings.features == ("x", "y", "x²", "xy")
    assert bench.settings.hidden == (3, 2)
    assert asked(shown) == ([], [])


@needs_browser
def test_a_bench_says_what_it_cannot_draw(live):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(2, 20, rng=rng), nn.Tanh(), nn.Linear(20, 2, rng=rng))
    for bench, says in [
        (training_bench(data="own points"), "There are no points yet."),
        (training_bench(model=model), "cannot be drawn one by one"),
    ]:
        shown = live("bench", bench.board)
        page = shown.page
        (*first,), _ = asked(shown)  # for the graph of what has no units
        for message in first:
            answered(shown, bench, message)
        asked(shown)
        page.get_by_label("Gradients", exact=True).check(force=True)
        (message,), _ = asked(shown)
        answered(shown, bench, message)
        assert page.locator(".mgb-look").get_by_text(says).count() == 1
        assert page.locator(".mgb-edge").count() == 0
    menu = page.get_by_label("Hidden layers")
    assert menu.locator("option:checked").inner_text() == "your own"


@needs_browser
def test_a_bench_takes_no_focus_from_outside_and_stops_with_its_kernel(live):
    bench = training_bench(points=20, hidden=(2,))
    shown = live("bench", bench.board)
    page = shown.page
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {id: 'o'}))")
    other = page.locator("#o")
    other.evaluate("(it) => it.setAttribute('data-setting', 'seed')")
    page.get_by_label("Seed").fill("7")
    other.focus()  # which commits to the seed
    (message,), (question,) = asked(shown)
    assert question == {"kind": "change", "settings": {"seed": 7}}
    answered(shown, bench, message)
    assert other.evaluate("(it) => it === document.activeElement")
    page.get_by_role("button", name="Run").click()
    (message,), _ = asked(shown)
    answered(shown, bench, message)
    page.evaluate("window.model.kernel.statusChanged.emit('restarting')")
    page.clock.run_for(100)
    assert asked(shown) == ([], [])
    assert page.get_by_role("button", name="Run").is_disabled()


@needs_browser
def test_enter_commits_to_a_guess_and_leads_to_what_is_told(live):
    card = predict("boxes_for_b")
    shown = live("prediction", card)
    boxes, arrows = shown.page.get_by_role("textbox").all()
    boxes.fill("3 boxes")
    boxes.press("Enter")
    said = {"boxes": "3 boxes", "arrows": ""}
    assert shown.told() == [["send", {"kind": "guess", "said": said}]]
    heard(shown, card, said)
    assert shown.page.get_by_text("Give a number for “arrows that leave”").count() == 1
    assert boxes.evaluate("(it) => it === document.activeElement")
    arrows.fill("3")
    arrows.press("Enter")
    heard(shown, card, {"boxes": "3 boxes", "arrows": "3"})
    answer = shown.page.get_by_text("1 of 2 is as you said")
    assert answer.evaluate("(it) => document.activeElement.contains(it)")
    assert shown.page.get_by_role("status").filter(has=answer).count() == 1
    assert shown.page.get_by_role("button").inner_text() == "Guess again"
    assert boxes.input_value() == "3 boxes"


def heard(shown, card, said):
    """Let a card take a guess, and the page hear of it."""
    card.guess(said)
    shown.change(**state_of(card))
    shown.page.evaluate("window.model.heard.get('msg:custom').forEach((act) => act())")


@needs_browser
def test_words_are_chosen_and_boxes_clicked_by_mouse_and_keyboard(live):
    fields = [
        Field("way", "way", "choice", "", ("up", "down")),
        Field("some", "some", "several", "", ("p", "q", "r")),
        Field("on", "on", "boxes", "", ("d", "e", "y")),
    ]
    shown = live("prediction", PredictionCard("", "", fields, example(), "", lambda said: ""))
    page = shown.page
    page.get_by_role("radio", name="up").press("ArrowDown")
    page.get_by_role("checkbox", name="p").press(" ")
    page.get_by_role("checkbox", name="r").check(force=True)
    for name, key in (("d", "Enter"), ("y", " "), ("e", " "), ("d", " ")):
        page.get_by_role("checkbox", name=name, exact=True).press(key)
    page.get_by_role("checkbox", name="e").click()
    page.get_by_role("checkbox", name="d", exact=True).click()
    assert page.get_by_role("checkbox", checked=True).count() == 4
    page.get_by_role("button").click()
    ((_, message),) = shown.told()
    assert message == {
        "kind": "guess",
        "said": {"way": "down", "some": ["p", "r"], "on": ["y", "d"]},
    }


@needs_browser
def test_the_film_plays_to_its_end_and_stops_where_somebody_takes_hold(live):
    film = watch_learning()
    shown = live("learning", film)
    frames = film.film["frames"]
    slider = shown.page.get_by_role("slider", name="Moment")
    shown.page.get_by_role("button", name="Let it learn").click()
    shown.page.clock.run_for(350 * 3 + 50)
    assert said(shown) == frames[3]["say"]
    slider.press("ArrowRight")
    shown.page.clock.run_for(2000)
    assert said(shown) == frames[4]["say"]
    shown.page.get_by_role("button", name="Let it learn").click()
    shown.page.clock.run_for(20_000)
    assert said(shown) == frames[-1]["say"]
    assert shown.page.get_by_role("button").inner_text() == "Let it learn"
    assert shown.told()[-2:] == [["set", "position", len(frames) - 1], ["save"]]
    shown.change(position=2)
    assert (slider.input_value(), said(shown)) == ("2", frames[2]["say"])


@needs_browser
def test_a_kernel_that_is_silent_is_spoken_of_and_asked_again(live):
    shown = live("explore", explorer())
    slider = shown.page.get_by_role("slider", name="a")
    slider.press("ArrowRight")
    shown.page.clock.run_for(3_900)
    silence = shown.page.get_by_text("The kernel is busy, or it is not there.")
    assert (silence.count(), len(shown.told())) == (0, 2)
    shown.page.clock.run_for(200)
    assert silence.count() == 1
    slider.press("ArrowRight")
    assert len(shown.told()) == 2


def emit(shown, signal, value):
    """Tell the page of the kernel, as JupyterLab does."""
    shown.page.evaluate("([to, value]) => window.model.kernel[to].emit(value)", [signal, value])


@needs_browser
def test_a_lost_connection_turns_controls_off_until_it_is_back(live):
    shown = live("explore", explorer())
    slider = shown.page.get_by_role("slider", name="a")
    lost = shown.page.get_by_text("The connection to the kernel is lost.")
    emit(shown, "statusChanged", "busy")
    assert (lost.count(), slider.is_disabled()) == (0, False)
    emit(shown, "connectionStatusChanged", "connecting")
    assert (lost.count(), slider.is_disabled()) == (1, True)
    shown.page.locator(".mgx-input").last.click()
    assert shown.told() == []
    emit(shown, "connectionStatusChanged", "connected")
    assert (lost.count(), slider.is_disabled()) == (0, False)
    slider.press("ArrowRight")
    assert [kind for kind, *_ in shown.told()] == ["set", "save"]


@needs_browser
@pytest.mark.parametrize("end", ["restarting", "autorestarting", "dead", "terminating"])
def test_what_a_kernel_knew_does_not_come_back_with_another_one(live, end):
    shown = live("player", mg.play(example(), predict=True))
    emit(shown, "statusChanged", end)
    emit(shown, "connectionStatusChanged", "connecting")
    emit(shown, "connectionStatusChanged", "connected")
    emit(shown, "statusChanged", "idle")
    how = "restarted" if "restart" in end else "shut down"
    assert shown.page.get_by_text(f"The kernel has been {how}: run this cell again.").count() == 1
    assert shown.page.get_by_role("button", name="Show").is_disabled()
    assert shown.page.get_by_role("textbox").is_disabled()


@needs_browser
def test_what_was_off_before_stays_off_when_the_kernel_is_back(live):
    shown = live("access", {"name": "Controls"})
    add = "(main) => main.insertAdjacentHTML('beforeend', '<button>A</button><input disabled>')"
    shown.page.locator("main").evaluate(add)
    states = []
    for status in ("disconnected", "connected"):
        emit(shown, "connectionStatusChanged", status)
        places = [shown.page.locator(f"main > {name}") for name in ("button", "input")]
        states.append([place.is_disabled() for place in places])
    assert states == [[True, True], [False, True]]


@needs_browser
@pytest.mark.parametrize(
    ("script", "make", "place"),
    [
        ("player", lambda: mg.play(example()), ".minigraph-player"),
        ("explore", explorer, '.minigraph-explorer input[type="range"]'),
        ("access", lambda: {"name": "Controls"}, "main"),
        ("learning", watch_learning, ".minigraph-learning button"),
        ("prediction", lambda: predict("boxes_for_b"), ".minigraph-prediction button"),
    ],
)
def test_keys_do_not_reach_the_notebook_but_its_shortcuts_do(live, script, make, place):
    shown = live(script, make())
    cell = "(main) => { main.tabIndex = -1; main.classList.add('jp-Cell'); }"
    shown.page.locator("main").evaluate(cell)
    shown.page.locator(place).first.focus()
    for key in ("d", "d", "x", "b", "ArrowRight", "Control+b"):
        shown.page.keyboard.press(key)
    assert shown.page.evaluate("window.passed") == ["Control", "b"]
    shown.page.keyboard.press("Escape")
    assert shown.page.evaluate("document.activeElement.localName") == "main"
    assert shown.page.evaluate("window.passed") == ["Control", "b"]
