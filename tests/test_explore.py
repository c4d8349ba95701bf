"""The explorer: at every place the right numbers, in the drawing, in the plot and in the words."""

import json
import math
import re

import browser
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph.widgets import explore_plot, page
from minigraph.widgets.explore_function import Curve, inputs_of, round_below

SYNCED = ("inputs", "view", "axes", "shown")


def worked_example(a, b, c):
    d = (a + b).named("d")
    e = (b - c).named("e")
    return d * e


def on_worked_example():
    return mg.explore(worked_example, b=(-3, 5, 3), a=(-3, 5, 2), c=(-3, 5, 1))


@pytest.fixture
def explorer():
    return on_worked_example()


def texts(explorer):
    """What the boxes show, by the name in front of it: {"d": ("5", "2"), …}."""
    parts = {(box, part): text for box, part, text, _ in explorer.shown["texts"]}
    names = re.findall(
        r'<g data-node="(.*?)">.*?<tspan[^>]*>(.*?)</tspan>', explorer.view["svg"], re.DOTALL
    )
    return {name: (parts[id, "value"], parts.get((id, "gradient"))) for id, name in names}


def marks(explorer):
    return {
        attributes["data-mark"]: attributes["d"]
        for _, attributes, _ in explorer.shown["marks"]
        if "data-mark" in attributes
    }


def number(text):
    """Read a number as the drawing writes it: −1.23×10⁻⁹."""
    digits, _, exponent = text.replace("−", "-").partition("×10")
    plain = exponent.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return float(f"{digits}e{plain or 0}")


# --- the numbers ----------------------------------------------------------------------------------


def chained(library, w, x, b):
    """A function of three numbers for minigraph and for PyTorch."""
    z = w * x + b
    return library.tanh(z) * library.exp(x / 4) + z * z / (x * x + 1)


RANGES = {"w": (-3, 3), "x": (-2, 2, 0.5), "b": (-1e3, 1e3, 0.1)}
places = st.fixed_dictionaries(
    {name: st.floats(low, high) for name, (low, high, *_) in RANGES.items()}
)


@settings(max_examples=60, deadline=None)
@given(places, st.sampled_from(list(RANGES)), st.floats(-0.2, 0.2))
def test_at_every_place_values_and_gradients_are_pytorchs(values, chosen, delta):
    torch = pytest.importorskip("torch", reason="pip install torch")
    explorer = mg.explore(lambda w, x, b: chained(mg, w, x, b), **RANGES)
    explorer.values = values
    explorer.chosen = chosen
    explorer.delta = delta
    at = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in values.items()}
    y = chained(torch, **at)
    y.backward()
    assert float(explorer.output.value) == pytest.approx(y.item(), rel=1e-9, abs=1e-12)
    slope = float(at[chosen].grad)
    assert explorer.predicted == pytest.approx(slope * delta, rel=1e-9, abs=1e-12)
    nudged = {n: t.detach() + (delta if n == chosen else 0) for n, t in at.items()}
    change = float(chained(torch, **nudged)) - y.item()
    assert explorer.actual == pytest.approx(change, rel=1e-9, abs=1e-9 * (1 + abs(y.item())))
    shown = texts(explorer)
    for name, leaf in at.items():
        read = [*map(number, shown[name])]
        assert read == pytest.approx([leaf.item(), leaf.grad.item()], rel=6e-3, abs=1e-300)


def test_the_drawing_shows_the_values_and_the_gradients(explorer):
    assert texts(explorer) == {
        "a": ("2", "2"),
        "b": ("3", "7"),
        "c": ("1", "−5"),
        "d": ("5", "2"),
        "e": ("2", "5"),
        "y": ("10", "1"),
    }
    explorer.values = {"a": -3, "c": 0.5}
    assert texts(explorer)["e"] == ("2.5", "0")
    assert explorer.values == {"a": -3.0, "b": 3.0, "c": 0.5}


def test_the_difference_shrinks_with_the_square_of_the_nudge(explorer):
    misses = []
    for delta in (1.0, 0.5, -0.25):
        explorer.delta = delta
        assert explorer.predicted == pytest.approx(7 * delta)
        misses.append(explorer.actual - explorer.predicted)
    assert misses == pytest.approx([1, 1 / 4, 1 / 16])


def test_the_sentence_says_what_the_numbers_are(explorer):
    assert explorer.sentences == [
        "b goes from 3 to 3.5, and y from 10 to 13.75.",
        "actual change: 3.75",
        "predicted change: ∂y/∂b · δ = 7 · 0.5 = 3.5",
        "difference: 0.25",
    ]
    explorer.chosen, explorer.delta = "c", -0.5
    assert explorer.sentences[2] == "predicted change: ∂y/∂c · δ = (−5) · (−0.5) = 2.5"


def test_rounding_is_not_reported_as_a_difference(explorer):
    explorer.chosen = "a"
    explorer.values, explorer.delta = {"b": 2.9}, 0.55
    assert explorer.actual != explorer.predicted
    assert explorer.sentences[3] == "difference: 0"


def test_the_output_keeps_its_name_and_an_input_keeps_its_own():
    assert (
        "area from 1 to 1.2" in mg.explore(lambda a: (a * a).named("area"), a=(0, 2)).sentences[0]
    )
    explorer = mg.explore(lambda x, y: x * y, x=(0, 2), y=(0, 2))
    assert explorer.sentences[2].startswith("predicted change: ∂f/∂x")


def test_a_kink_has_the_tangent_of_the_convention():
    explorer = mg.explore(lambda a: mg.relu(a), a=(-2, 2, 0))
    assert (explorer.actual, explorer.predicted) == (0.25, 0)


def test_an_input_without_influence_has_gradient_0():
    explorer = mg.explore(lambda a, b: a * 2, b=(0, 1), a=(0, 1))
    assert (explorer.actual, explorer.predicted) == (0, 0)
    assert explorer.shown["slopes"] == {"a": "∂y/∂a = 2", "b": "∂y/∂b = 0"}


def test_a_constant_output_has_gradient_0():
    explorer = mg.explore(lambda a: a if a.value > 0 else mg.constant(1.0), a=(-1, 1, -0.5))
    assert (explorer.predicted, explorer.shown["slopes"]) == (0, {"a": "∂y/∂a = 0"})


def test_gradients_are_there_inside_no_grad():
    with mg.no_grad():
        explorer = mg.explore(lambda a: a * a, a=(0, 2))
    assert explorer.shown["slopes"] == {"a": "∂y/∂a = 2"}


def test_variables_from_elsewhere_keep_their_gradients():
    w = mg.variable(3.0, name="w")
    h = mg.sin(w)
    explorer = mg.explore(lambda a: a * w * h, a=(0, 2, 1))
    explorer.values = {"a": 2}
    assert (w.grad, h.grad, h.name) == (None, None, None)
    assert texts(explorer)["w"][1] == "−5.658"  # 2 · (sin 3 + 3 cos 3)
    w.grad = 7.0
    explorer.values = {"a": 1}
    assert (w.grad, texts(explorer)["w"][1]) == (7.0, "−2.829")
    assert mg.explore(lambda a: h, a=(0, 1)).predicted == 0
    assert h.name is None


# --- the drawing ----------------------------------------------------------------------------------


def changes(explorer, act):
    """What is sent to the browser when something happens."""
    before = {name: getattr(explorer, name) for name in SYNCED}
    act()
    return {name: x for name in SYNCED if (x := getattr(explorer, name)) != before[name]}


def test_a_move_sends_texts_and_no_drawing(explorer):
    scene = explorer._scene
    sent = changes(explorer, lambda: setattr(explorer, "values", {"b": 2.5}))
    assert set(sent) == {"shown"}
    assert explorer._scene is scene
    written = json.dumps(sent, allow_nan=False)
    assert "<" not in written
    assert len(written) < 4000


def test_another_structure_sends_another_drawing():
    explorer = mg.explore(lambda a: a * 3 if a.value > 0 else mg.sin(a) * 3, a=(-1, 1, 0.5))
    sent = changes(explorer, lambda: setattr(explorer, "values", {"a": 0.25}))
    assert "view" not in sent
    sent = changes(explorer, lambda: setattr(explorer, "values", {"a": -0.5}))
    assert sent["view"]["svg"].count("data-node") == 4
    assert "sin" in sent["view"]["svg"]


def scoped(a, name="part"):
    with mg.scope(name):
        return a * a


@pytest.mark.parametrize(
    ("f", "g"),
    [
        (lambda a: a + 1.0, lambda a: a - 1.0),
        (lambda a: a * a - a, lambda a: a - a * a),
        (lambda a: (a * a).named("u") + 1, lambda a: (a * a).named("v") + 1),
        (lambda a: mg.sum(a * np.ones(2)), lambda a: mg.sum(a * np.ones(3))),
        (lambda a: a * mg.variable(2.0, name="k"), lambda a: a * mg.constant(2.0, name="k")),
        (lambda a: a * a, scoped),
        (lambda a: scoped(a, "whole"), scoped),
    ],
)
def test_graphs_differ_in_anything_that_is_drawn(f, g):
    explorer = mg.explore(lambda a: f(a) if a.value > 0 else g(a), a=(-1, 1, 0.5))
    assert "view" not in changes(explorer, lambda: setattr(explorer, "values", {"a": 0.25}))
    assert "view" in changes(explorer, lambda: setattr(explorer, "values", {"a": -0.5}))


def test_calls_of_composed_functions_are_the_same_in_every_run():
    explorer = mg.explore(
        lambda a: mg.softmax(np.stack([a, a * 2]))[0] * mg.softmax(np.stack([a, a]))[1], a=(0, 1)
    )
    scene = explorer._scene
    explorer.values = {"a": 0.75}
    assert explorer._scene is scene


def test_numbers_of_constants_follow_too():
    explorer = mg.explore(lambda a: a * (2 * a.value), a=(-3, 3, 1))
    assert ("constant", "2") in [(kind, text) for kind, text in _constants(explorer)]
    explorer.values = {"a": -1.5}
    assert ("constant", "−3") in [(kind, text) for kind, text in _constants(explorer)]


def _constants(explorer):
    order = mg.topological_order(explorer.output)
    shown = {(box, part): text for box, part, text, _ in explorer.shown["texts"]}
    return [(node.kind, shown[f"n{i}", "value"]) for i, node in enumerate(order)]


def test_a_large_graph_is_folded():
    def deep(a):
        for _ in range(200):
            a = mg.sin(a) + a
        return a

    explorer = mg.explore(deep, a=(0, 1))
    assert explorer.view["svg"].count("data-node") <= 60
    explorer.values = {"a": 0.75}
    assert float(explorer.output.value) == pytest.approx(math.pi)


# --- the plot -------------------------------------------------------------------------------------


def test_the_plot_shows_the_point_now_and_both_nudged_points(explorer):
    explorer.delta = 1.0
    points = {"now": (3, 10), "actual": (4, 18), "predicted": (4, 17)}
    frame = explorer._frame
    for kind, (x, y) in points.items():
        assert marks(explorer)[kind].startswith(f"M{frame.x(x)} {frame.y(y)}m")
    assert frame.x(3) < frame.x(4)
    assert frame.y(18) < frame.y(17) < frame.y(10)  # pixels count downwards


def test_the_curve_is_the_function(explorer):
    curve = explorer._curve
    assert (curve.xs[0], curve.xs[-1], len(curve.xs)) == (-4, 6, 121)
    np.testing.assert_allclose(curve.ys, (2 + curve.xs) * (curve.xs - 1), atol=1e-12)


def test_a_curve_is_computed_once_for_all_places_on_it(explorer):
    curve = explorer._curve
    explorer.values, explorer.delta = {"b": 1.0}, -0.25
    assert explorer._curve is curve
    explorer.values = {"a": 1.0}
    assert explorer._curve is not curve


def counted(f):
    def counting(**inputs):
        counting.calls += 1
        return f(**inputs)

    counting.calls = 0
    return counting


@pytest.mark.parametrize(
    ("f", "at_once"),
    [
        (lambda a: mg.sin(a) / a, True),
        (lambda a: a if a.value > 0 else -a * 2, False),
        (lambda a: mg.sum(a * mg.constant([1.0, 2.0])), False),
        (lambda a: a * float(a.value), False),
        (lambda a: a if np.all(a.value > -0.5) else -a * 2, False),
        (lambda a: mg.variable(5.0) * 1, False),
        (lambda a: mg.log(a), True),
    ],
)
def test_a_curve_on_an_array_is_the_one_of_single_places(f, at_once):
    (along,) = inputs_of(f, {"a": (-3, 3)}).values()
    counting = counted(f)
    curve = Curve(counting, {"a": 1.0}, along)
    assert curve.is_complete == at_once
    assert counting.calls <= 4
    while not curve.is_complete:
        curve.extend(0.0)
    with np.errstate(all="ignore"):
        single = [float(f(mg.variable(float(x), name="a")).value) for x in curve.xs]
    np.testing.assert_allclose(curve.ys, single, rtol=1e-12)


def test_a_slow_curve_is_coarse_first_and_completed_when_nothing_else_is_asked():
    explorer = mg.explore(lambda a: a * float(a.value), a=(-3, 3))
    explorer._curve_of = None
    explorer._update(seconds=0.0)
    assert explorer.shown["complete"] is False
    known = [int(explorer._curve.known.sum())]
    while not explorer.shown["complete"]:
        explorer.asked = {"more": True, "serial": str(len(known))}
        known.append(int(explorer._curve.known.sum()))
    assert known[0] == 1
    assert known[-1] == 121
    np.testing.assert_allclose(explorer._curve.ys, explorer._curve.xs**2)


def test_a_function_that_prints_does_so_once_a_place(capsys):
    def talking(a):
        print("here")
        return a * float(a.value)

    mg.explore(talking, a=(0, 1))
    assert capsys.readouterr().out == "here\n" * 2  # now, and nudged


@pytest.mark.filterwarnings("error")
def test_where_the_function_has_no_value_the_curve_has_a_gap():
    explorer = mg.explore(lambda a: mg.log(a), a=(-1, 3, -0.5))
    assert explorer.sentences[1] == "actual change: NaN"
    *_, (_, _, [(_, line, _)]) = explorer.axes["elements"]
    first = re.match(r"M(\S+) ", line["d"]).group(1)
    assert float(first) >= explorer._frame.x(0)
    assert marks(explorer) == {}
    json.dumps([getattr(explorer, name) for name in SYNCED], allow_nan=False)
    explorer.values = {"a": 2}
    assert explorer.predicted == pytest.approx(explorer.delta / 2)
    assert set(marks(explorer)) == {"now", "actual", "predicted"}


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1 / x,
        lambda x: x * 1e300 * x,
        lambda x: x * 0 + 5,
        lambda x: x * 0 + np.nan,
        lambda x: mg.exp(x * 300),
        lambda x: x * 1e-30,
        lambda x: x * 1e-9 + 1e6,
    ],
)
def test_any_curve_has_axes_with_a_few_numbers_and_what_is_in_the_frame(f):
    explorer = mg.explore(f, x=(-3, 3))
    json.dumps([getattr(explorer, name) for name in SYNCED], allow_nan=False)
    frame = explorer._frame
    assert all(map(math.isfinite, (frame.left, frame.bottom, frame.right, frame.top)))
    assert frame.bottom < frame.top
    for low, high in ((frame.left, frame.right), (frame.bottom, frame.top)):
        assert 2 <= len(explore_plot._ticks(low, high)) <= 7


def test_what_is_far_away_is_an_arrowhead_at_the_border():
    explorer = mg.explore(lambda x: x * x * x, x=(-1, 1, 0.5))
    explorer.delta = 50.0
    path = marks(explorer)["actual"]
    assert "l7" in path
    assert float(re.match(r"M\S+ (-?[\d.]+)", path).group(1)) == explore_plot._TOP - 4


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "ranges", "message"),
    [
        (lambda a: a, {}, "needs the range of an input"),
        (lambda a: a, {"a": 3}, r"the range of 'a' is \(low, high\).*not 3"),
        (lambda a: a, {"a": (3,)}, r"not \(3,\)"),
        (lambda a: a, {"a": (3, -3)}, "3 is not below -3"),
        (lambda a: a, {"a": (1, 1)}, "1 is not below 1"),
        (lambda a: a, {"a": ("x", 1)}, "'x' is not a finite number"),
        (lambda a: a, {"a": (0, np.inf)}, "inf is not a finite number"),
        (lambda a: a, {"a": (0, True)}, "True is not a finite number"),
        (lambda a: a, {"a": (0, 1, 2)}, "'a' starts in its range: 2 is not between 0 and 1"),
        (lambda a, b: a, {"a": (0, 1)}, r"also takes 'b'; give its range, such as b=\(-3, 3\)"),
        (lambda a: a, {"a": (0, 1), "z": (0, 1)}, "has no input 'z'; it takes a"),
        (lambda a, /: a, {"a": (0, 1)}, "takes 'a' by its place only"),
        (lambda a: 1, {"a": (0, 1)}, "must return a scalar Node, not 1"),
        (lambda a: a * mg.constant([1.0, 2.0]), {"a": (0, 1)}, r"shape \(2,\); reduce it"),
        (3, {"a": (0, 1)}, "takes a function of its inputs"),
    ],
)
def test_what_cannot_be_explored_is_refused_by_name(f, ranges, message):
    with pytest.raises(mg.MinigraphError, match=message):
        mg.explore(f, **ranges)


def test_functions_may_take_any_names_and_have_defaults():
    assert mg.explore(lambda **inputs: inputs["p"] * inputs["q"], p=(0, 1), q=(0, 1)).output
    assert set(mg.explore(lambda f, b=2.0: f * b, f=(0, 1)).values) == {"f"}


def test_moves_that_make_no_sense_are_refused(explorer):
    for name, value, message in [
        ("values", {"b": 7}, "b goes from -3 to 5, not to 7"),
        ("values", {"b": "high"}, "b goes from -3 to 5, not to 'high'"),
        ("values", {"z": 1}, "no input 'z', only a, b, c"),
        ("chosen", "z", "no input 'z'"),
        ("delta", math.nan, "a finite number"),
    ]:
        with pytest.raises(mg.MinigraphError, match=message):
            setattr(explorer, name, value)
    assert (explorer.values["b"], explorer.chosen, explorer.delta) == (3.0, "b", 0.5)


def fragile(a):
    if a.value > 1:
        raise ZeroDivisionError("too far")
    return a * a if a.value > -1 else 5


def test_a_function_that_stops_says_so_and_the_widget_goes_on():
    explorer = mg.explore(fragile, a=(-2, 2, 0.5))
    explorer.values = {"a": 1.5}
    assert explorer.sentences == [
        "At these values the function stops with ZeroDivisionError: too far"
    ]
    assert "texts" not in explorer.shown
    assert "too far" in explorer.html
    explorer.values = {"a": -1.5}
    assert "NodeTypeError: the function must return a scalar Node, not 5" in explorer.problem
    explorer.values = {"a": 0.9}
    assert (explorer.problem, texts(explorer)["a"]) == ("", ("0.9", "1.8"))
    assert explorer.sentences[0].endswith(
        "y has no value there: the function stops with ZeroDivisionError."
    )


def test_an_error_at_the_start_is_the_functions_own():
    with pytest.raises(ZeroDivisionError, match="too far"):
        mg.explore(fragile, a=(0, 9))


# --- sliders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "step", "reach", "start"),
    [
        (-3, 3, 0.05, 1, 0),
        (0, 5, 0.05, 0.5, 2.5),
        (-3, 5, 0.05, 1, 1),
        (0, 1, 0.01, 0.1, 0.5),
        (0, 100, 1, 10, 50),
        (1e-6, 2e-6, 1e-8, 1e-7, 1.5e-6),
        (0, 0.3, 0.002, 0.05, 0.15),
    ],
)
def test_steps_are_round_and_reach_the_start(low, high, step, reach, start):
    (found,) = inputs_of(lambda a: a, {"a": (low, high)}).values()
    assert (found.step, found.reach, found.start) == (step, reach, start)


@given(st.floats(1e-12, 1e12))
def test_a_round_number_below_is_1_2_or_5_times_a_power_of_ten(x):
    below = round_below(x)
    assert f"{below:.5e}"[0] in "125"
    assert x / 2.5 * (1 - 1e-9) <= below <= x * (1 + 1e-8)


def test_inputs_come_in_the_functions_order_and_the_first_range_is_nudged_first(explorer):
    assert [x["name"] for x in explorer.inputs] == ["a", "b", "c"]
    assert explorer.chosen == "b"


# --- without a kernel -----------------------------------------------------------------------------


def test_without_a_kernel_the_pictures_and_the_sentence_remain(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].count("<img") == 2
    assert 'alt="y = d × e = 10' in data["text/html"]
    assert "predicted change: ∂y/∂b · δ = 7 · 0.5 = 3.5" in data["text/html"]
    assert "Run this cell" in data["text/html"]
    assert data["text/plain"].endswith("difference: 0.25")


def test_the_still_is_the_same_every_time():
    assert on_worked_example().html == on_worked_example().html


def test_no_name_becomes_markup():
    explorer = mg.explore(lambda **inputs: inputs["<b>&"] * 2, **{"<b>&": (0, 1)})
    assert "<b>" not in explorer.html
    json.dumps(explorer.view)


# --- in a browser ---------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(
    pytest.importorskip("playwright", reason="pip install playwright") is None
    or browser.executable() is None,
    reason=f"this test drives a browser: {browser.HOW_TO_GET}",
)

PAGE = """<!doctype html><meta charset=utf-8><style>%s</style><main></main><script type="module">
%s
const state = JSON.parse(%s), heard = {};
window.asked = 0;
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes: async () => {
    window.asked += 1;
    const changed = JSON.parse(await window.kernel(JSON.stringify(state.asked)));
    Object.assign(state, changed);
    for (const name of Object.keys(changed)) for (const act of heard[`change:${name}`]) act();
  },
  on: (name, act) => { (heard[name] ??= []).push(act); },
  off: (name, act) => { heard[name] = heard[name].filter((other) => other !== act); },
};
window.stop = render({ model, el: document.querySelector("main") });
</script>"""


@pytest.fixture
def open_explorer(blank, tmp_path):
    """Open an explorer with this process as its kernel and without network."""
    shown, problems, kernels = blank

    def open(explorer, viewport=None, color_scheme="null"):
        shown.set_viewport_size(viewport or {"width": 1000, "height": 900})
        shown.emulate_media(color_scheme=color_scheme)

        def kernel(asked):
            return json.dumps(
                changes(explorer, lambda: setattr(explorer, "asked", json.loads(asked))),
                allow_nan=False,
            )

        kernels["of this page"] = kernel
        state = json.dumps({name: getattr(explorer, name) for name in SYNCED})
        text = json.dumps(state).replace("<", "\\u003c")
        file = tmp_path / "explorer.html"
        file.write_text(
            PAGE % (page.style("explore"), page.module("explore"), text), encoding="utf-8"
        )
        shown.goto(file.as_uri())
        shown.locator(".minigraph-explorer").wait_for()
        return shown

    yield open
    shown.goto("about:blank")  # where nothing runs on
    found = problems.copy()
    problems.clear()
    assert found == []


def said(shown):
    return shown.get_by_role("status").first


def part(shown, box, name):
    return shown.locator(f'[data-node="{box}"] [data-part="{name}"]')


@pytest.fixture(scope="session")
def expect():
    return pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect


@needs_browser
def test_the_arrow_keys_move_a_slider_and_all_else_follows(open_explorer, explorer, expect):
    shown = open_explorer(explorer)
    slider = shown.get_by_role("slider", name="b")
    before = shown.locator('[data-mark="now"]').last.get_attribute("d")
    for _ in range(10):
        slider.press("ArrowRight")
    expect(part(shown, "n1", "value")).to_have_text("3.5")
    expect(part(shown, "n1", "gradient")).to_have_text("8")
    expect(said(shown)).to_contain_text("b goes from 3.5 to 4, and y from 13.75 to 18.")
    expect(shown.get_by_label("b, as a number")).to_have_value("3.5")
    assert shown.locator('[data-mark="now"]').last.get_attribute("d") != before
    assert explorer.values["b"] == 3.5


@needs_browser
def test_a_number_can_be_typed(open_explorer, explorer, expect):
    shown = open_explorer(explorer)
    field = shown.get_by_label("a, as a number")
    field.fill("-1.234")
    expect(part(shown, "n0", "value")).to_have_text("−1.234")
    assert explorer.values["a"] == -1.234
    field.fill("77")  # beyond the slider: nothing yet
    field.press("Enter")
    expect(part(shown, "n0", "value")).to_have_text("5")
    expect(field).to_have_value("5")
    field.fill("")
    field.press("Tab")
    expect(field).to_have_value("5")


@needs_browser
def test_another_input_is_nudged_by_key_and_by_click(open_explorer, explorer, expect):
    shown = open_explorer(explorer)
    shown.get_by_role("radio", name="b").press("ArrowRight")
    expect(said(shown)).to_contain_text("c goes from 1 to 1.5, and y from 10 to 7.5.")
    expect(shown.get_by_role("img", name="y against c, with the tangent.")).to_be_visible()
    shown.locator('[data-node="n0"]').click()
    expect(said(shown)).to_contain_text("a goes from 2 to 2.5")
    expect(shown.get_by_role("radio", name="a")).to_be_checked()
    shown.get_by_label("δ, as a number").fill("0.001")
    expect(said(shown)).to_contain_text("actual change: 0.002")


@needs_browser
def test_on_another_scale_the_nudge_keeps_its_share(open_explorer, expect):
    explorer = mg.explore(lambda a, b: a * b, a=(0, 1), b=(0, 100))
    shown = open_explorer(explorer)
    shown.get_by_role("radio", name="b").check()
    expect(shown.get_by_label("δ, as a number")).to_have_value("5")
    assert (explorer.chosen, explorer.delta) == ("b", 5.0)


@needs_browser
def test_fast_dragging_asks_one_thing_at_a_time_and_the_last_one_wins(open_explorer, expect):
    explorer = on_worked_example()
    shown = open_explorer(explorer)
    shown.evaluate(
        """() => {
          const slider = document.querySelector('input[type="range"]');
          for (let n = 0; n <= 60; n++) {
            slider.value = -3 + n / 10;
            slider.dispatchEvent(new Event("input"));
          }
        }"""
    )
    expect(part(shown, "n0", "value")).to_have_text("3")
    assert explorer.values["a"] == 3
    assert shown.evaluate("window.asked") == 2  # the first one, and the last


@needs_browser
def test_another_graph_is_another_drawing(open_explorer, expect):
    explorer = mg.explore(lambda a: a * 3 if a.value > 0 else mg.sin(a) * 3, a=(-1, 1, 0.5))
    shown = open_explorer(explorer)
    expect(shown.locator("[data-node]")).to_have_count(3)
    shown.get_by_role("slider", name="a").press("Home")
    expect(shown.locator("[data-node]")).to_have_count(4)
    expect(part(shown, "n0", "value")).to_have_text("−1")


@needs_browser
def test_a_function_that_stops_leaves_the_drawing_and_says_why(open_explorer, expect):
    shown = open_explorer(mg.explore(fragile, a=(-2, 2, 0.5)))
    shown.get_by_role("slider", name="a").press("End")
    expect(said(shown)).to_have_text(
        "At these values the function stops with ZeroDivisionError: too far"
    )
    expect(part(shown, "n0", "value")).to_have_text("0.5")
    expect(shown.locator(".mgp-stage")).to_have_css("opacity", "0.4")  # it is not of here
    shown.get_by_label("a, as a number").fill("0.25")
    expect(part(shown, "n0", "value")).to_have_text("0.25")
    expect(said(shown)).to_contain_text("a goes from 0.25")
    expect(shown.locator(".mgp-stage")).to_have_css("opacity", "1")


@needs_browser
def test_a_coarse_curve_completes_itself(open_explorer):
    explorer = mg.explore(lambda a: a * float(a.value), a=(-3, 3))
    explorer._curve_of = None
    explorer._update(seconds=0.0)
    asked = []
    explorer.observe(lambda change: asked.append({*change["new"]}), "asked")
    shown = open_explorer(explorer)
    shown.wait_for_function("window.asked > 0")
    deadline = 200
    while not explorer._curve.is_complete and deadline:
        shown.wait_for_timeout(50)
        deadline -= 1
    assert explorer._curve.is_complete
    assert {*map(frozenset, asked)} == {frozenset({"more", "serial"})}  # and moves nothing back


@needs_browser
@pytest.mark.parametrize("width", [1250, 900, 420])
def test_boxes_and_controls_never_move(open_explorer, expect, width):
    explorer = on_worked_example()
    shown = open_explorer(explorer, viewport={"width": width, "height": 900})
    where = """() => [...document.querySelectorAll("[data-node] > rect, input")].map((element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    })"""
    before = shown.evaluate(where)
    for b, text in (("-2.99987", "−3"), ("1e-5", "1×10⁻⁵"), ("5", "5")):
        shown.get_by_label("b, as a number").fill(b)
        expect(part(shown, "n1", "value")).to_have_text(text)
        assert shown.evaluate(where) == before


@needs_browser
def test_numbers_stay_in_their_boxes(open_explorer, expect):
    explorer = mg.explore(
        lambda weight, b: mg.exp(weight * b) / 3 - weight, weight=(-9, 9, 1), b=(-9, 9, 1)
    )
    shown = open_explorer(explorer)
    wider = """() => [...document.querySelectorAll("[data-node]")].filter((box) => {
        const room = box.querySelector("rect").getBoundingClientRect().width;
        return [...box.querySelectorAll("text")].some((line) =>
          line.getBoundingClientRect().width > room - 4);
    }).map((box) => box.textContent)"""
    for weight, b in (("-8.98765", "8.98765"), ("8.98765", "8.98765"), ("-0.000123456", "0.1")):
        shown.get_by_label("weight, as a number").fill(weight)
        shown.get_by_label("b, as a number").fill(b)
        expect(said(shown)).to_contain_text("weight goes from")
        shown.wait_for_timeout(200)
        assert shown.evaluate(wider) == []


@needs_browser
def test_every_control_has_a_name_and_the_boxes_say_what_they_show(open_explorer, explorer):
    shown = open_explorer(explorer)
    names = shown.locator("input").evaluate_all(
        "(all) => all.map((e) => e.ariaLabel || e.labels[0].textContent)"
    )
    sliders = [f"{name}{field}" for name in "abcδ" for field in ("", ", as a number")]
    assert names == [*sliders[:6], "a", "b", "c", *sliders[6:]]
    assert shown.get_by_role("radiogroup", name="Nudge").count() == 1
    assert shown.get_by_role("img", name="d = 5 ∂y/∂d = 2 +").count() == 1


@needs_browser
def test_the_page_may_be_dark(open_explorer, explorer):
    shown = open_explorer(explorer, color_scheme="dark")
    colour = "(e) => getComputedStyle(e).backgroundColor"
    layout = shown.locator(".mgx-layout")
    assert layout.evaluate(colour) == "rgb(21, 24, 29)"
    shown.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert layout.evaluate(colour) == "rgb(255, 255, 255)"


@needs_browser
def test_a_kernel_that_does_not_answer_is_reported(open_explorer, explorer, expect):
    shown = open_explorer(explorer)
    shown.evaluate("() => { window.kernel = () => new Promise(() => {}); }")
    shown.get_by_role("slider", name="a").press("ArrowRight")
    expect(shown.get_by_text("run this cell again")).to_be_visible()
    shown.evaluate("window.stop()")
