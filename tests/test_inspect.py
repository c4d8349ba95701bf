"""What mg.inspect finds is there, with the numbers that NumPy and PyTorch have; and only that."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigraph as mg
from minigraph import nn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.fixture
def rng():
    return np.random.default_rng(14)


def kinds(y, **options):
    return [finding.kind for finding in mg.inspect(y, **options).findings]


def found(y, kind, **options):
    """The one finding of a kind."""
    (one,) = [finding for finding in mg.inspect(y, **options).findings if finding.kind == kind]
    return one


def healthy(rng):
    """A network with gradients of ordinary sizes, and its parameters."""
    x, t = mg.constant(rng.normal(size=(16, 3)), name="x"), mg.constant(rng.normal(size=(16, 1)))
    w, v = mg.variable(rng.normal(size=(3, 5)), name="w"), mg.variable(rng.normal(size=(5, 1)))
    return mg.mean((mg.tanh(x @ w) @ v - t) ** 2), [w, v]


def test_nothing_strikes_the_eye_in_a_healthy_network(rng):
    loss, parameters = healthy(rng)
    seen = mg.inspect(loss, beside=parameters)
    assert seen.findings == []
    assert "Nothing strikes the eye." in str(seen)


def test_sizes_are_those_of_numpy_and_gradients_those_of_backward(rng):
    loss, parameters = healthy(rng)
    rows = {row.node: row for row in mg.inspect(loss).rows}
    assert all(p.grad is None for p in parameters)
    loss.backward()
    for node in mg.topological_order(loss):
        value, gradient = rows[node].value, rows[node].gradient
        assert value.norm == pytest.approx(np.linalg.norm(np.ravel(node.value)), rel=1e-12)
        assert value.size == pytest.approx(np.sqrt(np.mean(np.square(node.value))), rel=1e-12)
        assert (gradient is None) == (node.grad is None)
        if gradient is not None:
            np.testing.assert_array_equal(gradient.numbers, node.grad)


def test_very_large_and_very_small_numbers_have_sizes():
    x = mg.variable([3e200, 4e200], name="x")
    (row, *_) = mg.inspect(mg.sum(x)).rows
    assert row.value.norm == pytest.approx(5e200)
    (row, *_) = mg.inspect(mg.sum(mg.variable([3e-300, 4e-300]))).rows
    assert row.value.norm == pytest.approx(5e-300)


# --- what there is to find ------------------------------------------------------------------------


def test_the_first_nan_is_named_with_its_input():
    x = mg.variable([4.0, -1.0, 9.0], name="x")
    y = mg.sum(mg.exp(mg.sqrt(x).named("r"))).named("y")
    one = found(y, "nan")
    assert one.text == "r = sqrt(x) is NaN at [1]; there x is −1. With it 2 more nodes are."
    assert one.nodes[0].name == "r"


def test_the_first_nan_of_the_backward_pass_is_named():
    x = mg.variable([4.0, 0.0], name="x")
    one = found(mg.sum(mg.sqrt(x).named("r")), "nan gradient")
    assert one.text == (
        "the gradient of x is ∞ at [1]; it comes from the derivative of r = sqrt(x), where x is 0."
    )


def test_dead_units_and_zero_gradients(rng):
    x = mg.constant(rng.normal(size=(8, 3)))
    w = mg.variable(rng.normal(size=(3, 4)), name="w")
    b = mg.variable([0.0, -99.0, 0.0, -99.0], name="b")
    h = mg.relu(x @ w + b).named("h")
    one = found(mg.sum(h), "dead units")
    assert one.text.startswith("2 of 4 units of h = relu(v₂) are 0 for each of 8 examples")
    dead = mg.relu(x @ w - 99.0).named("h")
    assert kinds(mg.sum(dead)) == ["zero gradient", "dead units"]
    assert "it is lost in h = relu" in found(mg.sum(dead), "zero gradient").text


def test_saturated_units(rng):
    x = mg.constant(rng.normal(size=(8, 3)))
    w = mg.variable(rng.normal(size=(3, 4)), name="w")
    b = mg.variable([0.0, 50.0, 0.0, 0.0])
    y = mg.sum(mg.sigmoid(x @ w + b))
    assert found(y, "saturated").text.startswith("1 of 4 units")


@pytest.mark.parametrize(
    ("f", "weight", "kind", "guilty"),
    [
        (mg.sigmoid, 0.5, "vanishing", "sigmoid"),
        (mg.sigmoid, 0.1, "vanishing", "multiply"),
        (lambda x: x, 6.0, "exploding", "multiply"),
    ],
)
def test_a_gradient_that_fades_or_explodes_is_named_with_its_cause(f, weight, kind, guilty):
    h = mg.variable(0.3, name="w0")
    for i in range(1, 10):
        h = f(mg.variable(weight, name=f"w{i}") * h)
    one = found(h, kind)
    assert f"Most of it happens in {guilty}" in one.text
    assert one.nodes[0].name in ("w0", "w1")


def test_a_shape_that_broadcasts_silently(rng):
    out, t = mg.variable(rng.normal(size=(6, 1)), name="out"), mg.constant(rng.normal(size=6), "t")
    one = found(mg.mean((out - t) ** 2), "broadcast")
    assert one.text == "v₁ = out − t stretches both of its inputs: 6 × 1 and 6 make 6 × 6."
    assert kinds(mg.mean((out - mg.reshape(t, (6, 1))) ** 2)) == []
    assert kinds(mg.mean(out * 2.0 + mg.variable(1.5))) == []
    assert kinds(mg.mean((mg.variable([0.5], name="b") + out) ** 2)) == []


def test_gradients_that_have_added_up(rng):
    loss, (w, v) = healthy(rng)
    loss.backward()
    assert kinds(loss) == []
    loss.backward()
    loss.backward()
    assert "holds in grad 3 times what one backward pass gives" in found(loss, "accumulated").text
    w.grad = v.grad = None
    assert kinds(loss) == []


def test_what_is_cut_off_reaches_nothing_or_is_used_by_nothing(rng):
    w, unused = mg.variable(rng.normal(size=3), name="w"), mg.variable(1.5, name="unused")
    v = mg.variable(rng.normal(size=3), name="v")

    def program():
        h = mg.tanh(w).named("h")
        return mg.sum(h.detach() * v)

    seen = mg.inspect(program, beside=[w, v, unused])
    assert [finding.kind for finding in seen.findings] == [
        "unused input",
        "unused input",
        "detached",
        "unused",
    ]
    first, second, third, fourth = (finding.text for finding in seen.findings)
    assert first.startswith("w (variable, shape (3,)) does not reach v₂: only h")
    assert second.startswith("unused (variable, shape ()) does not reach v₂: nothing uses it")
    assert "has the numbers of h (tanh, shape (3,))" in third
    assert fourth.startswith("h (tanh, shape (3,))")


def test_a_value_taken_out_as_an_array_is_recognised(rng):
    w = mg.variable(rng.normal(size=3), name="w")

    def program():
        h = mg.tanh(w).named("h")
        return mg.sum(mg.constant(h.value) * w)

    assert "detached" in kinds(program)


def test_numbers_that_are_the_same_by_chance_are_not_cut_off():
    x = mg.variable(0.5, name="x")
    assert kinds((x * 1.0) * 0.5 + mg.sum(mg.variable([1.0, 2.0]) * [1.0, 2.0])) == []
    h = (x * 3.0).named("h")
    assert kinds(h.detach() * h) == ["detached"]


def test_a_path_without_derivative():
    w, x = mg.variable(0.5, name="w"), mg.variable(2.0, name="x")
    y = x * mg.greater(w * 3.0, 1.0)
    one = found(y, "no gradient")
    assert one.text.startswith("w has none: v₂ = v₁ > 3") or "w has none: v₂" in one.text
    assert one.nodes[0] is w


def test_a_leaf_that_was_changed_afterwards():
    w = mg.variable(2.0, name="w")
    y = w * w
    w.value = 3.0
    assert "was given a new value after" in found(y, "stopped").text


def test_an_output_without_gradients_is_inspected_as_far_as_it_goes():
    x = mg.constant([1.0, 0.0], name="x")
    assert kinds(mg.log(x)) == ["nan", "stopped"]
    assert kinds(mg.variable([1.0, 2.0]) * 2.0) == ["stopped"]
    assert kinds(mg.variable([1.0, 2.0]) * 2.0, seed=[1.0, 1.0]) == []


def test_a_hook_that_stops_the_pass_is_told():
    x = mg.variable(2.0, name="x")
    y = x * x

    def stop(g):
        raise ValueError("too large")

    with x.hook(stop):
        assert found(y, "stopped").text == "ValueError('too large') in a hook."


def test_a_rule_that_stops_the_pass_is_told():
    y = mg.custom(lambda g, out, x: 1 / 0)(np.sin)(mg.variable(2.0, name="x"))
    assert found(y, "stopped").text == "ZeroDivisionError('division by zero') in a rule."


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e300, 1.7e308])
def test_numbers_at_the_ends_of_their_range_are_shown(size):
    x, w = mg.variable([size], name="x"), mg.variable(1.0, name="w")
    inspector = mg.inspect(mg.sum(x * w))
    assert inspector._repr_mimebundle_()
    told = {f.kind for f in inspector.findings}
    assert told & {"vanishing", "exploding"} == ({"vanishing"} if size < 1 else {"exploding"})


@pytest.mark.parametrize("held", [np.ones(7), [np.nan, 1.0], [np.inf, 1.0], [1e300, 1e300]])
def test_a_gradient_that_somebody_has_put_there_is_told(held):
    x = mg.variable([1e10, 2e10], name="x")
    x.grad = np.array(held)
    assert "something else than" in found(mg.sum(x * x), "accumulated").text


def test_another_output_of_a_graph_is_used():
    x = mg.variable(2.0, name="x")
    assert "unused" not in " ".join(kinds(mg.Graph([x * 2.0, x * 3.0])))
    with pytest.raises(mg.SymbolicError, match="it waits for a and b; give"):
        mg.inspect(mg.placeholder("a") * mg.placeholder("b"))
    with pytest.raises(mg.NodeTypeError, match="of a compiled plan it takes the graph"):
        mg.inspect(mg.Graph(x * 2.0).compile())


def test_modules_give_their_parameters(rng):
    used, unused = nn.Linear(3, 2, rng=rng), nn.Linear(3, 2, rng=rng)
    loss = mg.sum(used(mg.constant(rng.normal(size=(4, 3)))) ** 2)
    assert kinds(loss, beside=[used]) == []
    assert kinds(loss, beside=[used, unused]) == ["unused input"] * 2


def test_many_findings_of_one_kind_are_counted():
    xs = [mg.variable(1.5, name=f"x{i}") for i in range(12)]
    seen = mg.inspect(xs[0] * 2.0, beside=xs).findings
    assert len(seen) == 6
    assert seen[-1].text == "and the same for 6 more."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((3,), "inspect takes a Node, not int 3"),
        ((lambda: 3,), "inspect takes a Node, not int 3"),
        ((mg.variable(1.0), 2), "a second value goes with a watched program"),
    ],
)
def test_what_is_no_node_is_refused(arguments, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        mg.inspect(*arguments)
    with pytest.raises(mg.NodeTypeError, match="beside takes Nodes or modules"):
        mg.inspect(mg.variable(1.0), beside=[3])
    with pytest.raises(mg.SymbolicError):
        mg.inspect(mg.placeholder("x") * 2.0)


# --- what was watched -----------------------------------------------------------------------------


def test_a_watched_program_is_inspected():
    torch = pytest.importorskip("torch", reason="pip install torch to watch its programs")
    from minigraph import bridges

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = torch.nn.Linear(3, 1), torch.nn.Linear(2, 2)

        def forward(self, x):
            return torch.sigmoid(self.used(x))

    model = Model()
    x, t = torch.linspace(-2, 2, 12).reshape(4, 3), torch.ones(4)
    with bridges.torch.watch(model, x=x) as seen:
        out = model(x)
        loss = ((out - t) ** 2).mean()
        torch.log(out)
    told = mg.inspect(seen, loss)
    by_kind = {finding.kind: finding.text for finding in told.findings}
    assert {*by_kind} == {"unused input", "broadcast", "unused"}
    assert by_kind["unused input"].startswith("idle.bias does not reach")
    loss.backward()
    rows = {row.name: row for row in told.rows}
    gradient = rows["used.weight"].gradient
    np.testing.assert_allclose(gradient.numbers, model.used.weight.grad.numpy(), rtol=1e-5)
    assert rows["used.bias"].gradient.norm == pytest.approx(
        float(torch.linalg.vector_norm(model.used.bias.grad)), rel=1e-5
    )
    with pytest.raises(mg.NodeTypeError, match=r"say of which value: inspect\(seen, loss\)"):
        mg.inspect(seen)
    with pytest.raises(mg.NodeTypeError, match=r"which value: play\(seen, loss\)"):
        mg.play(seen)


# --- the card -------------------------------------------------------------------------------------


def halo_widths(svg, what):
    """By the tooltips of the halos, how thick these are."""
    (group,) = re.findall(rf'<g data-heat="{what}".*?</g>', svg)
    found = re.findall(r'stroke-width="([\d.]+)".*?<title>\w+ about (.*?)</title>', group)
    return {size: float(width) for width, size in found}


def test_the_larger_a_gradient_the_thicker_the_border():
    w = mg.variable(3.0, name="w")
    y = (w * 10.0).named("u") * 1000.0
    view = mg.inspect(y).view
    assert halo_widths(view["svg"], "gradient") == {"1": 1.5, "1000": 9.0, "10000": 11.5}
    assert {*halo_widths(view["svg"], "value")} == {"3", "10", "30", "1000", "30000"}


def test_a_folded_scope_is_as_hot_as_what_is_hottest_in_it(rng):
    x = mg.variable(2.0, name="x")
    with mg.scope("part"):
        h = x * 50.0
        h = h * 0.01
    y = h * 3.0
    seen = mg.inspect(y, folded="part")
    (module,) = [box for box in seen._diagram.boxes if box.kind == "module"]
    gradients = {row.node: row.gradient.size for row in seen.rows if row.gradient}
    assert seen._sizes("gradient")[module.id] == gradients[h]
    assert seen._sizes("value")[module.id] == 100.0


def test_the_card_shows_the_gradients_of_the_inspection_and_leaves_those_in_grad():
    x = mg.variable(2.0, name="x")
    y = (x * x).named("y")
    y.backward()
    y.backward()
    seen = mg.inspect(y)
    assert ">∂y/∂x = </tspan>" in seen.view["svg"]
    assert 'data-part="gradient">4</tspan>' in seen.view["svg"]
    assert x.grad == 8.0


def test_findings_lead_to_boxes_and_rows():
    x = mg.variable([4.0, -1.0], name="x")
    y = mg.sum(mg.sqrt(x).named("r"))
    view = mg.inspect(y).view
    (found,) = [f for f in view["findings"] if f["kind"] == "NaN or infinity"]
    assert [view["rows"][place]["cells"][0] for place in found["rows"]] == ["r", "x"]
    assert [view["rows"][place]["box"] for place in found["rows"]] == found["boxes"]
    assert ">NaN</tspan>" in view["svg"].split("data-marks")[1]


def test_a_large_graph_is_a_small_page():
    with mg.scope("long"):
        h = x = mg.variable(1.0, name="x")
        for _ in range(10_000):
            h = h * 0.999 + 0.001
    dead = mg.log(h - h)
    seen = mg.inspect(h + 0.0 * dead)
    assert len(seen.rows) > 20_000
    assert len(seen.view["rows"]) == 500
    assert "500 of" in seen.view["more"]
    names = [row["cells"][1] for row in seen.view["rows"][:8]]
    assert "log" in names
    assert len(seen.html) < 250_000
    assert x.grad is None


def test_a_page_without_kernel_has_it_all():
    x = mg.variable(-1.0, name="<x>")
    data = mg.inspect(mg.sqrt(x))._repr_mimebundle_()[0]
    assert {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"} <= {*data}
    assert data["text/plain"].startswith("Inspection of v₁")
    page = data["text/html"]
    assert "<li>NaN or infinity: v₁ = sqrt(&lt;x&gt;) is NaN; there &lt;x&gt; is −1.</li>" in page
    assert "<img" in page
    assert "bringToLife(" in page
    assert "<x>" not in page


def test_a_seed_that_is_no_number_is_not_blamed_on_a_hook():
    (finding,) = mg.inspect(mg.variable(1.0, name="x") * 2, seed="a").findings
    assert finding.kind == "stopped"
    assert "not the text 'a'" in finding.text
    assert "hook" not in finding.text
