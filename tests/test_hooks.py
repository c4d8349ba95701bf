"""Hooks see, change and stop gradients as PyTorch's do, in each pass and where passes are shown."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import minigraph as mg
from minigraph.graph.hooks import Hook
from minigraph.recording import Recording, first_difference


def small_graph():
    """y = d² + d with d = w · x: two gradients meet in d."""
    w, x = mg.variable(2.0, name="w"), mg.variable(3.0, name="x")
    d = (w * x).named("d")
    return w, x, d, (d * d + d).named("y")


# --- as PyTorch does ------------------------------------------------------------------------------


def both_with_hooks(hooks):
    """Gradients by w and v and what hooks have seen, here and in PyTorch, hooked at the same."""
    torch = pytest.importorskip("torch", reason="pip install torch compares with it")
    rng = np.random.default_rng(1)
    w, v = rng.normal(size=(4, 3)), rng.normal(size=3)

    def run(w, v, tanh, total, hooked):
        seen = []
        h = w * v  # v is stretched
        u = tanh(h)
        y = total(u * h) + total(u)
        places = {"w": w, "v": v, "h": h, "u": u, "y": y}
        for place, make in hooks:
            hooked(places[place], make(place, seen))
        y.backward()
        total(w * w).backward()  # a second pass, in which only the hooks of w are met
        return seen

    a, b = mg.variable(w), mg.variable(v)
    seen = run(a, b, mg.tanh, mg.sum, lambda x, f: x.hook(f))
    p, q = torch.tensor(w, requires_grad=True), torch.tensor(v, requires_grad=True)
    theirs = run(p, q, torch.tanh, torch.sum, lambda x, f: x.register_hook(f))
    return (a.grad, b.grad, seen), (p.grad.numpy(), q.grad.numpy(), theirs)


def look(name, seen):
    return lambda g: seen.append((name, 1 * np.asarray(g)))


def scale(name, seen):
    def scaled(g):
        seen.append((name, 1 * np.asarray(g)))
        return 3 * g

    return scaled


def zero(name, seen):
    return lambda g: 0 * g


@pytest.mark.parametrize(
    "hooks",
    [
        [("h", look)],
        [("y", scale), ("u", look)],
        [("w", scale), ("v", look)],
        [("h", scale), ("h", look), ("h", scale), ("w", look)],
        [("u", zero), ("h", look), ("v", scale)],
    ],
)
def test_hooks_see_and_change_what_those_of_pytorch_do(hooks):
    (a, b, ours), (p, q, theirs) = both_with_hooks(hooks)
    np.testing.assert_allclose(a, p, rtol=1e-12)
    np.testing.assert_allclose(b, q, rtol=1e-12)
    # PyTorch goes through the operations in another order where both are possible
    by_name = [sorted(seen, key=lambda pair: pair[0]) for seen in (ours, theirs)]
    assert [name for name, _ in by_name[0]] == [name for name, _ in by_name[1]]
    for (_, g), (_, wanted) in zip(*by_name, strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-12)


def test_a_changed_gradient_is_kept_by_the_node_and_handed_on():
    w, x, d, y = small_graph()
    d.hook(lambda g: g / 13)
    y.backward()
    assert (d.grad, w.grad, x.grad) == (1.0, 3.0, 2.0)


def test_a_variable_gets_what_the_hook_has_left_added_to_what_it_has():
    w, _, _, y = small_graph()
    seen = []
    w.hook(seen.append)
    w.hook(lambda g: 1.0)
    y.backward()
    y.backward()
    assert seen == [39.0, 39.0]
    assert w.grad == 2.0


def test_removed_hooks_are_not_called():
    w, _, d, y = small_graph()
    seen = []
    first, second = d.hook(seen.append), d.hook(lambda g: None)
    with w.hook(lambda g: 0.0) as third:
        y.backward()
    assert (seen, w.grad) == ([13.0], 0.0)
    first.remove()
    first.remove()
    y.backward()
    assert (seen, w.grad) == ([13.0], 39.0)
    assert [" removed" in repr(hook) for hook in (first, second, third)] == [True, False, True]
    assert d.inputs == (w, d.inputs[1])


def test_what_a_hook_raises_ends_the_pass():
    w, _, d, y = small_graph()

    def stop(g):
        raise RuntimeError(f"the gradient is {g}")

    with d.hook(stop), pytest.raises(RuntimeError, match=r"the gradient is 13\.0"):
        y.backward()
    assert w.grad is None
    y.backward()
    assert w.grad == 39.0


def test_a_hook_cannot_change_the_array_that_it_sees():
    x = mg.variable([1.0, 2.0])
    x.hook(lambda g: g.__setitem__(0, 5.0))
    with pytest.raises(ValueError, match="read-only"):
        mg.sum(x * x).backward()


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (np.ones(3), r"the hook bad of x \(variable, shape \(2,\)\) returned a gradient of shape"),
        (1.0, r"returned a gradient of shape \(\); a hook returns None"),
        ("big", "returned no gradient: a Node holds real numbers"),
        ([1j, 2], "returned no gradient"),
    ],
)
def test_what_is_no_gradient_of_the_node_is_refused(returned, said):
    def bad(g):
        return returned

    x = mg.variable([1.0, 2.0], name="x")
    x.hook(bad)
    for go in (lambda y: y.backward(), lambda y: mg.grad(y, x)):
        with pytest.raises(mg.GradientError, match=said):
            go(mg.sum(x * x))


def test_what_cannot_have_a_hook_is_refused():
    with pytest.raises(mg.NodeTypeError, match="a hook is a function of the gradient, not int 3"):
        mg.variable(1.0).hook(3)
    with pytest.raises(mg.GradientError, match="depends on no variable"):
        (mg.constant(1.0, name="k") + 1).hook(print)


def test_a_gradient_keeps_the_dtype_of_its_node():
    x = mg.variable(np.float32([1, 2]))
    x.hook(lambda g: g.astype(np.float64) * 2)
    mg.sum(x * x).backward()
    assert x.grad.dtype == np.float32
    assert mg.grad(mg.sum(x * x), x).dtype == np.float32


# --- elsewhere ------------------------------------------------------------------------------------


def test_in_a_graph_of_gradients_a_hook_is_part_of_the_graph():
    w, x, d, y = small_graph()
    d.hook(lambda g: g * g)
    g = mg.grad(y, w)  # (2d + 1)² x
    assert g.value == 169.0 * 3.0
    at_d = 3.0 * 2 * 13.0 * 2  # and there the hook is met again
    assert mg.grad(g, x).value == 169.0 + at_d**2 * 2.0
    s = mg.placeholder("s")
    v = mg.variable(5.0, name="v")
    v.hook(lambda g: mg.minimum(g, 1.0))
    gradient = mg.Graph(s * v * v, [s, v]).grad("v")
    assert [gradient.run({"s": value}) for value in (0.01, 7.0)] == [0.1, 1.0]
    assert gradient.compile()(s=7.0, v=5.0) == 1.0


def test_a_hook_inside_a_checkpoint_sees_what_it_sees_without():
    x, w = mg.variable(3.0), mg.variable(2.0)
    seen = []
    w.hook(lambda g: seen.append(("w", g)))

    def f(x):
        h = x * w
        h.hook(lambda g: seen.append(("h", g)) or 2 * g)
        return mg.sin(h)

    y = f(x) * w
    y.backward()
    plain, seen[:] = [*seen], []
    grads = x.grad, w.grad
    x.grad = w.grad = None
    y = mg.checkpoint(f)(x) * w
    y.backward()
    assert seen == plain
    assert [name for name, _ in seen] == ["h", "w"]
    assert (x.grad, w.grad) == grads


def test_a_node_with_a_hook_that_knows_it_is_freed():
    _, _, d, y = small_graph()

    def knowing(node):
        return lambda g: print(node)

    d.hook(knowing(d))
    gone = weakref.ref(d)
    del d, y
    gc.collect()
    assert gone() is None


def test_a_recording_tells_of_hooks():
    w, x, d, y = small_graph()

    def halve(g):
        return g / 2

    d.hook(halve)
    x.hook(lambda g: None)
    r = mg.record(y)
    said = r.narrate()
    assert "The hook halve of d sees the gradient 13, and puts 6.5 in its place." in said
    assert "The hook lambda of x sees the gradient 13." in said
    y.backward()
    assert [r.gradients[id] for id in ("n0", "n1", "n2", "n4")] == [19.5, 13.0, 6.5, 1.0]
    assert (w.grad, x.grad, d.grad, y.grad) == (19.5, 13.0, 6.5, 1.0)
    assert Recording.from_json(r.to_json()).to_json() == r.to_json()
    assert first_difference(r, r) is None


def test_a_recorded_pass_breaks_off_where_a_hook_stops_it():
    _, _, d, y = small_graph()

    def check(g):
        raise ValueError("too large")

    d.hook(check)
    *_, seen, last = mg.record(y).narrate()
    assert seen == "The hook check of d sees the gradient 13."
    assert last == "The pass breaks off: the hook check of d raised ValueError: too large."


def test_the_player_calls_a_hook_once_and_shows_what_it_did():
    _, _, d, y = small_graph()
    seen = []

    def limited(g):
        seen.append(g)
        return 1.0

    d.hook(limited)
    with mg.scope("part"):
        z = y * y
    player = mg.play(z, folded=False)
    assert len(seen) == 1
    (step,) = [s for s in player.view["steps"] if "The hook limited" in s["say"]]
    assert step["set"][0][:3] == [step["node"], "gradient", "1"]
    player.toggle("fold", "part")
    assert len(seen) == 1
    for kind in (True, "order"):
        asked = mg.play(z, predict=kind)
        while asked.question:
            asked.reveal()
        assert any("The hook limited" in s["say"] for s in asked.view["steps"])


def test_a_hook_within_a_call_keeps_the_call_open():
    x = mg.variable([1.0, 2.0], name="x")
    y = mg.softmax(x)
    inner = y.inputs[0]
    seed = [1.0, 0.0]
    before = len(mg.record(y, seed=seed).nodes)
    with inner.hook(lambda g: None):
        r = mg.record(y, seed=seed)
        assert len(r.nodes) > before
        assert any(event.kind == "hook" for event in r.events)
    assert len(mg.record(y, seed=seed).nodes) == before


def test_a_hook_says_what_it_is():
    x = mg.variable(1.0, name="x")
    assert repr(x.hook(print)) == "<hook print of x (variable, shape ())>"
    assert isinstance(x.hook(np.sqrt), Hook)
