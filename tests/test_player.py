"""The player: its view says at every step what the recording says, and the browser shows it."""

import json
import re
import sys
from collections import Counter

import browser
import numpy as np
import pytest

import minigraph as mg
from minigraph.errors import GradientError, MinigraphError
from minigraph.reading.calls import contracted
from minigraph.reading.names import node_names
from minigraph.recording import MISCONCEPTIONS, Tracer, record
from minigraph.recording.data import written
from minigraph.widgets import play
from minigraph.widgets.page import module, style


def worked_example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def classifier():
    X = mg.constant(np.arange(12.0).reshape(4, 3) / 7, name="X")
    W = mg.variable(np.arange(6.0).reshape(3, 2) - 2, name="W")
    b = mg.variable([0.5, -1.0], name="b")
    h = mg.softmax(X @ W + b).named("h")
    return mg.sum(h * h * h).named("L")


def chain(nodes):
    y = mg.variable(1.0, name="x")
    for _ in range(nodes - 1):
        y = mg.sin(y)
    return y.named("y")


def texts(view, position):
    """What the boxes show after some steps, by box and part."""
    shown = {}
    for step in view["steps"][:position]:
        for box, part, text, _ in step.get("set", []):
            shown[box, part] = text
    for box, part, text, _ in view["steps"][position - 1].get("now", []) if position else []:
        shown[box, part] = text
    return shown


# --- a graph is read once -------------------------------------------------------------------------


def counted(run, *functions):
    """How often each of these functions is called while something runs."""
    names = {function.__code__: function.__name__ for function in functions}
    calls = Counter()
    sys.setprofile(
        lambda frame, event, _: calls.update(
            [names[frame.f_code]] if event == "call" and frame.f_code in names else []
        )
    )
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("build", [worked_example, classifier])
def test_a_graph_is_walked_contracted_and_named_once(build):
    reading = (mg.topological_order, contracted, node_names)
    once = {function.__name__: 1 for function in reading}
    y = build()
    mg.play(y)  # imports what it needs
    assert counted(lambda: mg.play(y), *reading) == once
    assert counted(lambda: mg.draw(y, derivatives=True).svg, *reading) == once
    assert counted(lambda: mg.record(y).narrate(), *reading) == once


def test_another_state_of_the_folds_contracts_and_names_once_more():
    player = play(classifier())
    toggle = player.view["toggles"][0]
    calls = counted(
        lambda: player.toggle(toggle["action"], toggle["path"]),
        mg.topological_order,
        contracted,
        node_names,
    )
    assert calls == {"contracted": 1, "node_names": 1}


# --- what is shown --------------------------------------------------------------------------------


def test_there_is_a_step_for_each_value_and_each_contribution():
    steps = play(worked_example()).view["steps"]
    assert [step["phase"] for step in steps] == ["forward"] * 3 + ["backward"] * 8


@pytest.mark.parametrize("build", [worked_example, classifier])
def test_at_the_end_every_number_is_the_recordings(build):
    y = build()
    player = play(y)
    shown = texts(player.view, len(player.view["steps"]))
    recording = record(y)
    for node in recording.nodes:
        text = {"value": recording.values[node.id]}
        if node.differentiable:
            text["gradient"] = recording.gradients[node.id]
        for part, number in text.items():
            if part == "value" and node.kind != "operation":
                continue
            expected = mg.draw(mg.variable(number), gradients=False)
            assert shown[node.id, part] in expected.alt


def test_nothing_is_shown_before_it_is_computed():
    player = play(worked_example())
    svg = player.view["svg"]
    assert re.findall('data-part="value">([^<]*)', svg) == ["2", "3", "1", "–", "–", "–"]
    assert set(re.findall('data-part="gradient">([^<]*)', svg)) == {"–"}
    assert texts(player.view, 1) == {("n3", "value"): "5"}


def test_adding_up_is_shown_as_adding_up():
    player = play(worked_example())
    shown = [texts(player.view, p).get(("n1", "gradient")) for p in range(12)]
    assert [*dict.fromkeys(shown)] == [None, "5", "5 + 2 = 7", "7"]


def test_what_flows_is_on_its_edge():
    steps = play(worked_example()).view["steps"]
    assert [label[:2] for label in steps[0]["flow"]] == [["n0-n3-0", "2"], ["n1-n3-1", "3"]]
    assert [step["flow"][0][:2] for step in steps[6:8]] == [
        ["n1-n4-0", "5 × 1 = 5"],
        ["n2-n4-1", "5 × (−1) = −5"],
    ]


def test_the_steps_speak_the_narrations_words():
    steps = play(worked_example()).view["steps"]
    assert steps[9]["say"] == (
        "The gradient 2 arriving at d is multiplied by ∂d/∂b = 1 and added to the 5 that b already "
        "has: 5 + 2 = 7."
    )


def test_numbers_stay_in_their_boxes():
    y = mg.parse("s = a / b; y = s * s + s", a=-12345.678, b=0.0000123)
    for step in play(y).view["steps"]:
        for change in step.get("set", []) + step.get("now", []):
            assert 5 < change[3] <= 15


def test_every_change_has_a_place_in_the_drawing():
    for y in (worked_example(), classifier(), chain(200)):
        view = play(y).view
        for step in view["steps"]:
            for box, part, *_ in step.get("set", []):
                group = re.search(f'<g data-node="{box}">.*?</g>', view["svg"]).group()
                assert f'data-part="{part}"' in group
            for edge, *_ in step.get("flow", []):
                assert f'data-edge="{edge}"' in view["svg"]
                assert edge in view["places"]


def test_a_folded_graph_plays_on_its_modules():
    view = play(chain(200)).view
    boxes = set(re.findall('data-node="(.*?)"', view["svg"]))
    assert len(boxes) < 70
    assert {step["box"] for step in view["steps"] if "box" in step} <= boxes
    assert len(view["steps"]) > 390


def blocks(count, size=10):
    h = mg.variable(0.5, name="x")
    for i in range(count):
        with mg.scope(f"block{i}"):
            for _ in range(size):
                h = mg.sin(h) * 0.75
    return (h * 2.0).named("y")


def test_of_many_steps_those_in_a_folded_box_are_one():
    y = blocks(20)
    player = play(y)
    steps = player.view["steps"]
    assert player.view["totals"] == [21, 23]  # the boxes and y; seed, y, the boxes, x, the end
    sizes = [int(s["say"].split(": ")[1].split(" ")[0]) for s in steps if ": " in s["say"][:9]]
    assert sizes == [20] * 40
    right = record(y)
    for step in steps[:20]:
        assert written(right.values[step["node"]]) in step["say"]
    assert player.view["nodes"].keys() >= {step["node"] for step in steps[:-1]}
    assert len(player.view["nodes"]) < 100
    assert player.recording.gradients["n0"] == right.gradients["n0"]


def test_a_box_that_opens_among_many_steps_shows_each_of_its_own():
    player = play(blocks(20), position=5)
    here = player.view["steps"][4]["node"]
    player.toggle("unfold", "block4")
    assert player.view["totals"] == [40, 42]
    assert (player.position, player.view["steps"][player.position - 1]["node"]) == (24, here)
    player.position -= 10
    player.toggle("fold", "block4")
    assert player.position == 5


def test_a_player_runs_to_what_lies_in_a_folded_box():
    y = blocks(20)
    inner = mg.topological_order(y)[100]
    assert inner.op
    player = play(y, until=inner)
    assert player.stopped.startswith("Stopped")
    step = player.view["steps"][player.position - 1]
    assert step["node"] == "n100"
    h = mg.variable(1.0, name="x")
    for n in range(400):
        with mg.scope(f"block{n // 40}"):
            h = mg.sqrt(h - 2.0 * (n == 250)).named(f"h{n}")
    with np.errstate(all="ignore"):
        player = play(h, until="nan")
    assert "h250 = " in player.view["steps"][player.position - 1]["say"]
    assert player.view["steps"][player.position - 1]["say"].startswith("block6: ")


def test_the_forward_pass_alone_needs_no_gradient():
    player = play(mg.constant(2.0) * 3, "forward")
    assert [step["phase"] for step in player.view["steps"]] == ["forward"]
    assert "gradient" not in re.findall('data-part="(.*?)"', player.view["svg"])
    with pytest.raises(GradientError):
        play(mg.constant(2.0) * 3)


def test_options_are_checked():
    y = worked_example()
    with pytest.raises(MinigraphError, match="passes is"):
        play(y, "sideways")
    with pytest.raises(MinigraphError, match="no misconception"):
        play(y, wrong="everything")
    with pytest.raises(MinigraphError, match="position is between 0 and 11, not 12"):
        play(y, position=12)


def test_the_nodes_stay_as_they_were():
    y = worked_example()
    play(y)
    assert all(node.grad is None for node in mg.topological_order(y))


def test_mistakes_come_along_where_they_make_a_difference():
    found = {way["name"]: way for way in play(worked_example()).view["mistakes"]}
    assert set(found) == {"overwrite", "upstream", "sign", "stale"}
    (wrong,) = (step for step in found["overwrite"]["steps"] if "wrong" in step)
    assert wrong["hands"][0]["to"] == "n1"
    assert wrong["hands"][0]["total"] == "2"
    assert "it should be 7" in wrong["wrong"]


def test_a_large_graph_brings_the_mistake_that_is_asked_for():
    assert play(chain(100)).view["mistakes"] == []
    (way,) = play(chain(100), wrong="upstream").view["mistakes"]
    assert way["title"] == MISCONCEPTIONS["upstream"].title


def test_ones_own_pass_is_played_and_marked():
    y = worked_example()
    tracer = Tracer(y)
    tracer.seed(y, 1.0)
    tracer.multiply(y, 0, 2.0)
    tracer.accumulate(y, 0, 2.0)
    tracer.multiply(y, 1, 2.0)
    player = play(y, own=tracer.recording())
    way = player.view["mistakes"][0]
    assert (player.wrong, way["title"]) == ("own", "your own pass")
    assert ["wrong" in step for step in way["steps"]] == [False, False, True, False]
    assert way["steps"][2]["wrong"] == "y contributes to e 2; it should be 5."


def test_ones_own_mistake_is_named_where_it_is_known():
    y = worked_example()
    tracer, gradients = Tracer(y), {y: 1.0}
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        values = [x.value for x in node.inputs]
        for slot, x in enumerate(node.inputs):
            gradients[x] = node.op.vjps[slot](gradients[node], node.value, values, node.attrs)
            tracer.multiply(node, slot, gradients[x])
            tracer.accumulate(node, slot, gradients[x])
    way = play(y, own=tracer.recording()).view["mistakes"][0]
    assert way["why"] == MISCONCEPTIONS["overwrite"].why
    assert sum("wrong" in step for step in way["steps"]) == 1


def test_heat_maps_of_arrays_hold_numbers_and_shades():
    nodes = play(classifier()).view["nodes"]
    (b,) = (node for node in nodes.values() if node["name"] == "b")
    assert b["grid"] == [[["0.5", 0.5], ["−1", -1.0]]]
    assert len(b["gradient_grid"][0]) == 2


def test_large_arrays_play_as_summaries():
    T = mg.variable(np.linspace(-1, 1, 900).reshape(30, 30), name="T")
    view = play(mg.sum(T * T + T).named("y")).view
    (node,) = (node for node in view["nodes"].values() if node["name"] == "T")
    assert (node["value"], len(node["grid"]), len(node["grid"][0])) == ("(30 × 30)", 8, 8)
    assert "30 × 30" in view["steps"][-2]["say"]


# --- fold and unfold ------------------------------------------------------------------------------


def layers(count=3):
    h = mg.constant(np.arange(8.0).reshape(4, 2) / 8, name="x")
    for i in range(count):
        with mg.scope(f"layer{i + 1}"):
            W = mg.variable(np.eye(2) + i / 4, name=f"W{i + 1}")
            h = mg.tanh(h @ W + mg.variable([0.1, 0.2], name=f"b{i + 1}"))
    p = mg.softmax(h).named("p")
    return mg.sum(p * p * p).named("L")


def offered(player):
    return {(toggle["action"], toggle["path"]) for toggle in player.view["toggles"]}


def test_scopes_and_calls_can_be_folded_and_unfolded():
    player = play(layers())
    call = next(path for action, path in offered(player) if action == "open")
    scopes = {("fold", f"layer{i}") for i in (1, 2, 3)}
    assert offered(player) == {*scopes, ("open", call)}
    player.toggle("open", call)
    assert offered(player) == {*scopes, ("close", call)}
    player.toggle("fold", "layer2")
    assert ("unfold", "layer2") in offered(player)
    player.toggle("close", call)
    player.toggle("unfold", "layer2")
    assert offered(player) == {*scopes, ("open", call)}
    assert player.view == play(layers()).view
    with pytest.raises(MinigraphError, match="there is nothing to fold at 'layer9' now"):
        player.toggle("fold", "layer9")


def test_whatever_is_folded_the_numbers_stay_those_of_the_recording():
    rng = np.random.default_rng(0)
    y = layers()
    player = play(y)
    for _ in range(12):
        choices = sorted(offered(player))
        player.toggle(*choices[rng.integers(len(choices))])
        shown = texts(player.view, len(player.view["steps"]))
        boxes = {node["box"] for node in player.view["nodes"].values()}
        assert boxes == set(re.findall(r'data-node="(\w+)"', player.view["svg"]))
        right = record(y, opened=player._stage.opened)
        for (box, what), text in shown.items():
            found = right.values[box] if what == "value" else right.gradients[box]
            assert text == written(found)


def test_folding_keeps_the_place():
    player = play(layers(), position=6)
    here = player.view["steps"][5]
    player.toggle("fold", "layer1")
    assert player.view["steps"][player.position - 1]["say"] == here["say"]
    (call,) = (path for action, path in offered(player) if action == "open")
    player.position = len(player.view["steps"]) - 3
    node = player.view["steps"][player.position - 1]["node"]
    player.toggle("open", call)
    assert player.view["steps"][player.position - 1]["node"] == node


def test_a_large_scope_unfolds_with_what_is_in_it_folded():
    h = mg.variable(1.0)
    with mg.scope("net"):
        for i in range(4):
            with mg.scope(f"block{i}"):
                for _ in range(20):
                    h = mg.sin(h)
    player = play((h * 2).named("y"))
    player.toggle("fold", "net")
    assert offered(player) == {("unfold", "net")}
    player.toggle("unfold", "net")
    assert offered(player) == {
        ("fold", "net"), *(("unfold", f"net/block{i}") for i in range(4))
    }  # fmt: skip


def test_folds_tell_nothing_that_is_to_be_predicted():
    player = play(layers(), predict=True)
    player.toggle("fold", "layer1")
    assert player.question == "Which shape has v₁ = x @ W1?"
    assert player.view["steps"] == []
    assert {action for action, _ in offered(player)} == {"fold", "unfold"}
    assert not any("value" in node for node in player.view["nodes"].values() if "inputs" in node)


# --- predict before reveal ------------------------------------------------------------------------


def everything(player):
    """All that the browser gets, and all that the page without kernel holds."""
    return json.dumps(player.get_state(), ensure_ascii=False, default=str) + player.html


def test_what_has_not_been_predicted_is_nowhere_in_the_page():
    y = mg.parse("d = a + b; e = b - c; y = d * e", a=2.125, b=3.5, c=1.75)
    player = play(y, predict=True)
    computed = ["5.625", "9.844"]  # d, y; and the gradient of b
    assert not any(number in everything(player) for number in [*computed, "7.375"])
    assert "5.625" in everything(play(y))
    assert player.question == "What is d = a + b?"
    assert player.answer("5.625")
    assert computed[0] in everything(player)
    assert not any(number in everything(player) for number in [computed[1], "7.375"])


def test_answers_are_judged_and_the_step_follows():
    player = play(worked_example(), predict=True)
    assert not player.answer("perhaps")
    assert player.verdict == "This is not a number."
    assert not player.answer("6")
    assert (player.position, player.verdict) == (0, "6 is not right.")
    for right in ("5", "2.0", "20/2"):
        assert player.answer(right)
    assert player.question.startswith("The gradient 1 has arrived at y. How much of it goes on to")
    assert player.position == 4  # the seed is not asked for


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("1", "the local derivative alone"),
        ("6", "Along a path one multiplies"),
        ("-5", "Look at the sign"),
    ],
)
def test_a_wrong_contribution_is_told_by_what_it_comes_from(answer, why):
    player = play(worked_example(), predict=True, position=6)
    assert player.question == "The gradient 5 has arrived at e. How much of it goes on to b?"
    assert not player.answer(answer)
    assert why in player.verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("0.91", "0.91 is right: it is 0.9093, rounded."),
        ("0.9093", "0.9093 is right."),
        ("0.9092974268", "0.9092974268 is right."),
        ("0.95", "0.95 is not right."),
    ],
)
def test_what_was_rounded_is_told_in_full(answer, verdict):  # sin(2) = 0.909297…
    player = play(mg.parse("y = sin(a)", a=2.0), predict=True)
    player.answer(answer)
    assert player.verdict == verdict


def test_a_whole_number_is_not_right_when_it_is_nearly_so():
    player = play(mg.parse("y = a * b", a=2.0, b=3.0), predict=True)
    assert not player.answer("6.02")
    assert player.answer("6")


def test_a_whole_graph_can_be_predicted():
    player = play(worked_example(), predict=True)
    for right in (5, 2, 10, 2, 5, 5, -5, 2, 2):
        assert player.answer(str(right))
    assert player.question == ""
    assert player.view["steps"] == play(worked_example()).view["steps"]
    with pytest.raises(MinigraphError, match="nothing is asked"):
        player.answer("3")


def test_a_number_that_the_drawing_shows_in_full_is_to_be_said_in_full():
    a, b = mg.variable(2.0, name="a"), mg.variable(3.0, name="b")
    product = play(mg.sin((a * b).named("p")).named("s"), "forward", predict=True)
    for wrong in ("6.02", "5.98", "6 or 7"):
        assert not product.answer(wrong)
    assert product.answer("p = 6")
    assert not product.answer("-0.29")
    assert product.answer("-0.279")  # the drawing shows −0.2794


def test_of_arrays_the_shape_is_asked_for():
    player = play(classifier(), predict=True)
    assert player.question == "Which shape has v₁ = X @ W?"
    assert not player.answer("3, 2")
    assert player.answer("(4, 2)")


def test_a_shape_that_is_asked_for_is_nowhere_in_the_page():
    player = play(classifier(), predict=True)
    shapes = ("4 × 2", "4, 2")  # of v₁, v₂ and h; X has 4 × 3
    assert not any(shape in everything(player) for shape in shapes)
    assert "4 × 3" in everything(player)
    player.answer("4, 2")
    assert "4 × 2" in everything(player)


def test_the_order_is_asked_for_and_any_node_that_is_ready_is_right():
    y = worked_example()
    b, c = y.leaves()[1:]
    y = (y + mg.exp(b) * c).named("z")
    player = play(y, predict="order")
    recorded = {node.name: node for node in player.recording.nodes}
    operations = {name for name, node in recorded.items() if node.kind == "operation"}
    users = {n: {u for u in operations if recorded[n].id in recorded[u].inputs} for n in recorded}
    done, backward = set(), set()
    while player.question:
        steps, choices = player.view["steps"], player.choices
        asked = player._questions[len(steps)]
        if "computed" in player.question:
            needs = {n: {x for x in operations if n in users[x]} for n in choices}
            known, left = done, operations - done
        else:
            needs = {n: users[n] for n in choices}
            known, left = backward, operations - backward
        assert set(choices) == left
        assert {n for n in choices if asked.judge(n)[0]} == {
            n for n in choices if needs[n] <= known
        }
        known.add(asked.answer)
        assert player.answer(asked.answer)
    assert len(operations - done) == len(operations - backward) == 1  # the last is not asked for


def test_a_node_that_is_not_ready_is_told_what_it_waits_for():
    player = play(worked_example(), predict="order")
    assert not player.answer("y")
    assert player.verdict == "y cannot come next. It needs d and e, not computed yet."
    assert not player.answer("nothing")
    assert player.answer("e")
    assert player.verdict == "e could come next too. Here d does."
    with pytest.raises(MinigraphError, match="predict is True, False or 'order', not 'all'"):
        play(worked_example(), predict="all")


def test_a_step_can_be_shown_without_an_answer():
    player = play(worked_example(), predict=True)
    player.reveal()
    assert (player.position, player.question) == (1, "What is e = b − c?")


# --- the face without a kernel --------------------------------------------------------------------


def test_the_still_has_a_picture_the_sentences_and_the_whole_player():
    player = play(worked_example())
    data, _ = player._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert '<img class="minigraph" alt="y = d × e = 10' in data["text/html"]
    assert data["text/html"].count("<li>") == len(player.view["steps"])
    assert data["text/plain"].startswith("node")


def test_the_still_is_the_same_every_time():
    assert play(worked_example()).html == play(worked_example()).html


def test_a_name_cannot_end_the_script():
    y = (mg.variable(2.0, name="</script><img src=x>") * 3).named("y")
    html = play(y).html
    assert html.count("</script>") == 1
    json.dumps(play(y).view)


# --- in a browser ---------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(
    pytest.importorskip("playwright", reason="pip install playwright") is None
    or browser.executable() is None,
    reason=f"this test drives a browser: {browser.HOW_TO_GET}",
)


@pytest.fixture
def dressed(blank):
    """The page in a size and in colours that the next test does not meet."""
    page, problems, _ = blank

    def dress(viewport=None, **media):
        page.set_viewport_size(viewport or {"width": 1200, "height": 900})
        if media:
            page.emulate_media(**media)
            worn.update(dict.fromkeys(media, "null"))
        return page

    worn = {}
    yield dress
    page.goto("about:blank")  # where nothing runs on
    if worn:
        page.emulate_media(**worn)
    found = problems.copy()
    problems.clear()
    assert found == []


@pytest.fixture
def open_player(dressed, tmp_path):
    """Open players, without kernel and without network."""

    def open(*players, **options):
        page = dressed(**options)
        file = tmp_path / "players.html"
        bodies = "".join(f"<section>{player.html}</section>" for player in players)
        file.write_text(f"<!doctype html><meta charset=utf-8><body>{bodies}", encoding="utf-8")
        page.goto(file.as_uri())
        page.locator(".minigraph-player").first.wait_for()
        return page

    return open


def said(page):
    return page.get_by_role("status").first.inner_text()


def part(page, box, name):
    return page.locator(f'[data-node="{box}"] [data-part="{name}"]').text_content()


@needs_browser
def test_the_keyboard_steps(open_player):
    page = open_player(play(worked_example()))
    assert said(page).startswith("Start The inputs have their values: a = 2")
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("Forward 1 of 3 d = a + b = 2 + 3 = 5.")
    assert part(page, "n3", "value") == "5"
    page.keyboard.press("End")
    assert said(page).startswith("Backward 8 of 8 The backward pass is done")
    assert part(page, "n1", "gradient") == "7"
    page.keyboard.press("ArrowLeft")
    assert part(page, "n1", "gradient") == "5 + 2 = 7"
    page.keyboard.press("Home")
    assert (part(page, "n1", "gradient"), part(page, "n3", "value")) == ("–", "–")


@needs_browser
def test_the_buttons_step_and_say_when_they_cannot(open_player):
    page = open_player(play(worked_example()))
    back = page.get_by_role("button", name="One step back")
    assert back.get_attribute("aria-disabled") == "true"
    page.get_by_role("button", name="One step on").click()
    assert said(page).startswith("Forward 1 of 3")
    assert back.get_attribute("aria-disabled") == "false"
    page.get_by_role("button", name="Last step").click()
    assert said(page).startswith("Backward 8 of 8")
    page.get_by_role("button", name="First step").click()
    assert said(page).startswith("Start")


@needs_browser
def test_space_plays_and_pauses(open_player):
    page = open_player(play(worked_example()))
    page.get_by_role("slider", name="Step").press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_text("Forward 2 of 3").wait_for()
    page.get_by_role("slider", name="Step").press("Space")
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_label("speed").select_option("8")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("Backward 8 of 8").wait_for()
    page.get_by_role("button", name="Play").wait_for()


@needs_browser
def test_playing_at_the_end_begins_anew(open_player):
    page = open_player(play(worked_example(), position=11))
    page.get_by_label("speed").select_option("0.5")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("Forward 1 of 3").wait_for()


@needs_browser
def test_the_scrubber_goes_anywhere_with_the_mouse(open_player):
    page = open_player(play(worked_example()))
    slider = page.get_by_role("slider", name="Step")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert said(page).startswith("Backward 8 of 8")
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    assert said(page).startswith("Start")
    assert slider.get_attribute("aria-valuetext") == "Start"


@needs_browser
@pytest.mark.parametrize("width", [1200, 700])
def test_boxes_and_controls_never_move(open_player, width):
    page = open_player(play(worked_example()), viewport={"width": width, "height": 900})
    what = "[data-node] > rect, button, select, input"
    place = f"""() => [...document.querySelectorAll("{what}")].map((element) => {{
        const {{ x, y, width, height }} = element.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    }})"""
    before = page.evaluate(place)
    for _ in range(11):
        page.get_by_role("slider", name="Step").press("ArrowRight")
        assert page.evaluate(place) == before


@needs_browser
def test_the_lens_says_where_a_gradient_comes_from(open_player):
    page = open_player(play(worked_example(), position=10))
    lens = page.get_by_role("region", name="Node")
    rows = [row.split("\t") for row in lens.locator("tr").all_inner_texts()]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["through e = b − c", "5 × 1", "5"],
        ["through d = a + b", "2 × 1", "2"],
        ["∂y/∂b", "7"],
    ]
    page.locator('[data-node="n4"]').click()
    assert "e = b − c = 3 − 1 = 2" in lens.inner_text()
    page.get_by_role("slider", name="Step").press("ArrowLeft")
    assert "e = b − c" in lens.inner_text()  # it is kept
    page.keyboard.press("Escape")
    assert "e = b − c = 3" not in lens.inner_text()


@needs_browser
def test_nodes_are_reached_with_the_keyboard(open_player):
    page = open_player(play(worked_example(), position=2))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.node") == "n0"
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-label") == "e = 2 ∂y/∂e = – −, subtract"
    page.keyboard.press("Enter")
    assert focused.get_attribute("aria-pressed") == "true"
    assert "e = b − c = 3 − 1 = 2" in page.get_by_role("region", name="Node").inner_text()
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("Forward 3 of 3")


@needs_browser
def test_one_pass_can_be_chosen(open_player):
    page = open_player(play(worked_example()))
    page.get_by_label("passes").select_option("backward")
    assert said(page).startswith("Forward 3 of 3")
    assert part(page, "n5", "value") == "10"
    page.get_by_role("button", name="One step on").click()
    assert said(page).startswith("Backward 1 of 8")
    page.get_by_label("passes").select_option("forward")
    page.get_by_role("button", name="Last step").click()
    assert said(page).startswith("Forward 3 of 3")


@needs_browser
def test_a_wrong_pass_is_run_and_marked_where_it_goes_wrong(open_player):
    page = open_player(play(worked_example(), position=10))
    page.get_by_label("run").select_option(label="overwrite instead of add")
    assert "Here it goes wrong" in said(page)
    assert part(page, "n1", "gradient") == "2"
    page.get_by_label("run").select_option("")
    assert part(page, "n1", "gradient") == "5 + 2 = 7"


@needs_browser
def test_two_players_on_one_page_do_not_disturb_each_other(open_player):
    page = open_player(play(worked_example()), play(worked_example()))
    players = page.locator(".minigraph-player")
    assert players.count() == 2
    players.nth(1).get_by_role("button", name="Last step").click()
    assert players.nth(0).get_by_role("status").inner_text().startswith("Start")
    assert players.nth(1).get_by_role("status").inner_text().startswith("Backward 8 of 8")


FAKE_KERNEL = """
const state = %s;
const heard = {};
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes() {},
  on: (name, act) => { heard[name] = act; },
  off() {},
  async send(message) {
    const next = await window.kernel(message);
    const changed = Object.keys(next).filter(
      (name) => JSON.stringify(next[name]) !== JSON.stringify(state[name]));
    Object.assign(state, next);
    for (const name of changed) heard[`change:${name}`]?.();
  },
};
widget.render({ model, el: document.body });
"""


@pytest.fixture
def open_live(blank, dressed):
    """Open a player whose messages a kernel, which is this process, answers."""
    _, _, kernels = blank

    def open(player, **options):
        names = ("view", "position", "passes", "wrong", "question", "choices", "verdict")

        def state():
            return {name: getattr(player, name) for name in names}

        def kernel(message):
            player._told(None, message, None)
            return state()

        page = dressed(**options)
        kernels["of this page"] = kernel
        text = module("player").replace("export default", "const widget =")
        script = text.replace("export { bringToLife };", "") + FAKE_KERNEL % json.dumps(state())
        body = f"<style>{style('player')}</style><body><script type=module>{script}</script>"
        page.set_content(f"<!doctype html><meta charset=utf-8>{body}")
        page.locator(".minigraph-player").wait_for()
        return page

    return open


@needs_browser
def test_a_scope_folds_where_it_is_and_unfolds_again(open_live):
    page = open_live(play(layers()), reduced_motion="reduce")
    layer = page.get_by_role("button", name="fold layer2")
    assert layer.get_attribute("aria-expanded") == "true"
    layer.focus()
    stage = page.locator(".mgp-stage")
    stage.evaluate("(stage) => { stage.scrollTop = 400; }")
    before = layer.bounding_box()["y"]
    page.keyboard.press("Enter")
    folded = page.get_by_role("button", name="unfold layer2, 3 operations")
    folded.wait_for()
    assert folded.get_attribute("aria-expanded") == "false"
    assert folded.bounding_box()["y"] == pytest.approx(before, abs=2)
    assert page.evaluate("document.activeElement.dataset.path") == "layer2"
    assert page.locator('[data-node="n7"]').count() == 0
    page.get_by_text("layer2", exact=True).click()  # the box itself unfolds too
    page.locator('[data-node="n7"]').wait_for()
    page.get_by_role("button", name="open softmax").press("Space")
    page.get_by_role("button", name="close softmax").wait_for()
    page.get_by_role("slider", name="Step").press("End")
    assert said(page).startswith("Backward")


@needs_browser
def test_a_fold_keeps_a_step_that_the_kernel_has_not_heard_of(open_live):
    page = open_live(play(layers()))  # nothing but messages reaches this kernel
    page.get_by_role("slider", name="Step").press("End")
    done = said(page)
    page.get_by_role("button", name="fold layer2").press("Enter")
    page.get_by_role("button", name="unfold layer2, 3 operations").wait_for()
    assert said(page) == done


@needs_browser
@pytest.mark.parametrize("wide", [1034, 622])  # what notebooks have at 1440 and at 1024
def test_a_card_fits_a_laptop_whatever_the_graph(open_player, wide):
    players = [play(y) for y in (worked_example(), classifier(), layers(), chain(40))]
    page = open_player(*players, viewport={"width": wide + 16, "height": 900})
    for card in page.locator(".mgc-card").all():
        size = card.bounding_box()
        assert size["height"] <= 640
        assert size["width"] <= wide
        text = card.locator("svg [data-node] text").first
        assert text.bounding_box()["height"] > 9  # a line of 15 pixels, at 0.6 of its size


@needs_browser
def test_a_player_that_opens_at_a_stop_in_a_large_graph_shows_where_it_is(open_live):
    x = mg.variable(1.0, name="x")
    y = x
    for _ in range(14):
        y = mg.tanh(y)
    page = open_live(play(mg.log(y - y) + y, until="nan"))
    tools = page.locator(".mgf-tools")
    tools.wait_for()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    stopped = page.locator("svg .mgp-lit").bounding_box()
    assert page.locator(".mgp-stage").bounding_box()["y"] < stopped["y"]
    assert stopped["y"] + stopped["height"] < tools.bounding_box()["y"]


@needs_browser
def test_a_large_graph_can_be_enlarged_and_moved_by_mouse_and_by_keys(open_player):
    page = open_player(play(chain(40)))
    view, svg = page.locator(".mgp-stage"), page.locator(".mgp-stage > svg")
    moved = "(view) => view.scrollTop"
    seen = "(view) => view.scrollHeight <= view.clientHeight + 1"
    before = svg.bounding_box()["width"]
    page.get_by_role("button", name="Larger").click()
    assert svg.bounding_box()["width"] == pytest.approx(1.25 * before, rel=0.01)
    view.press("-")
    assert svg.bounding_box()["width"] == pytest.approx(before, rel=0.01)
    view.evaluate("(view) => view.scrollTo(0, 0)")
    view.press("ArrowDown")
    assert view.evaluate(moved) > 0
    assert said(page).startswith("Start")  # the arrows move the picture, not the passes
    place = view.bounding_box()
    page.mouse.move(place["x"] + 30, place["y"] + 200)
    page.mouse.down()
    page.mouse.move(place["x"] + 30, place["y"] + 100)
    page.mouse.up()
    assert view.evaluate(moved) == pytest.approx(160, abs=2)
    assert not view.evaluate(seen)
    view.press("0")
    assert view.evaluate(seen)
    assert view.get_attribute("tabindex") is None  # there is nothing to move


@needs_browser
def test_a_graph_wider_than_its_place_can_be_enlarged_and_all_of_it_be_reached(open_player):
    page = open_player(play(worked_example()), viewport={"width": 400, "height": 900})
    view, svg = page.locator(".mgp-stage"), page.locator(".mgp-stage > svg")
    before = svg.bounding_box()["width"]
    page.get_by_role("button", name="Larger").click()
    assert svg.bounding_box()["width"] == pytest.approx(1.25 * before, rel=0.01)
    for key in ["ArrowRight"] * 20:
        view.press(key)
    place, last = view.bounding_box(), page.locator("[data-node] > rect").last.bounding_box()
    assert place["x"] <= last["x"]
    assert last["x"] + last["width"] <= place["x"] + place["width"]


@needs_browser
def test_a_small_graph_has_no_tools(open_player):
    page = open_player(play(worked_example()))
    assert not page.get_by_role("button", name="Larger").is_visible()
    page.locator(".mgp-stage [data-node]").first.press("-")
    assert page.locator(".mgp-stage > svg").bounding_box()["width"] > 600


@needs_browser
def test_without_a_kernel_nothing_offers_to_fold(open_player):
    assert open_player(play(layers())).locator(".mgp-toggle").count() == 0


@needs_browser
def test_boxes_show_arrays_as_small_pictures_once_they_are_known(open_player):
    page = open_player(play(classifier()))
    page.get_by_role("button", name="whole picture").click()
    values, gradients = (
        page.locator(".mgp-thumb.mgp-value"),
        page.locator(".mgp-thumb.mgp-gradient"),
    )
    assert (values.count(), gradients.count()) == (2, 0)  # X and W are given
    assert values.first.locator("rect").count() == 12
    page.get_by_role("slider", name="Step").press("End")
    assert (values.count(), gradients.count()) == (7, 6)  # not b and L, which show their numbers
    for box in page.locator(".mgp-thumb").all():
        inner = box.bounding_box()
        centre = [inner["x"] + inner["width"] / 2, inner["y"] + inner["height"] / 2]
        at = f"document.elementFromPoint({centre[0]}, {centre[1]})?.closest('[data-node]')?.dataset"
        assert page.evaluate(at)
        assert not page.evaluate(
            """([x, y, width, height]) => [...document.querySelectorAll('.mgp-stage text')].some(
              (text) => { const place = text.getBoundingClientRect();
                return place.left < x + width && x < place.right
                  && place.top < y + height && y < place.bottom; })""",
            [inner["x"], inner["y"], inner["width"], inner["height"]],
        )


@needs_browser
def test_the_lens_says_along_which_axes_arrays_are_repeated_and_summed(open_player):
    page = open_player(play(classifier()))
    page.get_by_role("slider", name="Step").press("End")
    page.locator('[data-node]:has-text("v₂")').first.click()
    lens = page.get_by_role("region", name="Node")
    assert "b (2) is repeated along axis 0" in lens.inner_text()
    page.locator('[data-node]:has-text("b = [0.5, −1]")').click()
    assert "summed over axis 0" in lens.inner_text()


@needs_browser
def test_an_order_is_chosen_from_a_list(open_live):
    page = open_live(play(worked_example(), predict="order"))
    field = page.get_by_label("Which operation can be computed next?")
    assert field.locator("option").all_inner_texts() == ["choose", "d", "e", "y"]
    field.select_option("y")
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("It needs d and e").wait_for()
    field.select_option("e")
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("e could come next too. Here d does.").wait_for()
    assert field.locator("option").all_inner_texts() == ["choose", "e", "y"]
    assert field.input_value() == ""


@needs_browser
def test_motion_is_still_where_that_is_asked_for(open_player):
    page = open_player(play(worked_example(), position=1), reduced_motion="reduce")
    assert page.locator(".mgp-flow").count() == 2
    assert not page.locator(".mgp-pulse").first.is_visible()


@needs_browser
def test_the_page_may_be_dark(open_player):
    page = open_player(play(worked_example()), color_scheme="dark")
    colour = "(e) => getComputedStyle(e).backgroundColor"
    layout = page.locator(".mgp-layout")
    assert layout.evaluate(colour) == "rgb(21, 24, 29)"
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert layout.evaluate(colour) == "rgb(255, 255, 255)"


@needs_browser
def test_every_control_has_a_name(open_player):
    page = open_player(play(classifier()))
    names = page.locator("button, input, select, [tabindex='0']").evaluate_all(
        "(all) => all.map((e) => e.ariaLabel || e.labels?.[0]?.textContent || '')"
    )
    assert all(names)


@needs_browser
@pytest.mark.parametrize("nodes", [50, 500])
def test_a_large_graph_plays_to_its_end(open_player, nodes):
    player = play(chain(nodes))
    page = open_player(player)
    page.get_by_role("slider", name="Step").press("End")
    behind = player.view["totals"][1]
    assert behind == nodes + 1 if nodes == 50 else 15 < behind < 30
    assert said(page).startswith(f"Backward {behind} of {behind}")
    page.get_by_role("slider", name="Step").press("ArrowLeft")
    assert part(page, "n0", "gradient") != "–"
