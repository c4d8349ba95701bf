"""The widget that steps through the passes shows what the compiler does, and no more."""

from itertools import pairwise

import pytest

import minigraph as mg
from minigraph.compiler import PASSES, optimized
from minigraph.widgets import pass_viewer
from minigraph.widgets.passes import stages

TEXTS = ["y = (a + b) * (a + b)", "y = a ** 2 / 4 + a * 1", "y = a * 2 * 3 * (4 - 1)", "y = a - a"]


@pytest.mark.parametrize("text", TEXTS)
def test_each_stage_computes_the_same_and_the_last_is_the_optimized_graph(text):
    graph = mg.Graph(mg.parse(text, a=mg.placeholder("a"), b=mg.placeholder("b")))
    feeds = {x.name: value for x, value in zip(graph.inputs, (0.7, -1.3))}
    found = stages(graph)
    for stage, _ in found:
        assert stage.run(feeds) == pytest.approx(graph.run(feeds), rel=1e-12)
    last, log = optimized(graph)
    assert [step for _, step in found[1:]] == log
    assert len(found[-1][0]) == len(last)
    for (before, _), (after, step) in pairwise(found):
        counts = [sum(x.op is not None for x in stage.order) for stage in (before, after)]
        assert counts == [step.before, step.after]


def test_each_pass_runs_as_often_as_optimizing_takes(monkeypatch):
    runs = []
    for name, run in PASSES.items():

        def counted(graph, name=name, run=run):
            runs.append(name)
            return run(graph)

        counted.__name__ = name
        monkeypatch.setitem(PASSES, name, counted)
    graph = mg.Graph(mg.parse(TEXTS[1], a=mg.placeholder("a"), b=mg.placeholder("b")))
    optimized(graph)
    needed, runs[:] = [*runs], []
    stages(graph)
    assert runs == needed


def test_the_buttons_go_through_the_steps_and_no_further():
    viewer = pass_viewer("y = (a + b) * (a + b) * 1")
    assert "As defined (operations: 4); steps to come: 2" in viewer.message.value
    seen = []
    for button in [viewer.back, viewer.forward, viewer.forward, viewer.forward, viewer.back]:
        button.click()
        drawn = repr(viewer.drawing)
        seen.append(drawn.count("add") + drawn.count("multiply"))
    assert seen == [4, 3, 2, 2, 3]
    viewer.forward.click()
    assert "Step 2 of 2, share_common_subexpressions (operations: 3 → 2)" in viewer.message.value


def test_another_expression_begins_again():
    viewer = pass_viewer("y = a * 1 * 2 * 3")
    viewer.forward.click()
    assert viewer.done == 1
    viewer.text.value = "y = a + b"
    assert viewer.done == 0
    assert "no pass finds anything" in viewer.message.value
    viewer.text.value = "y = a +"
    assert "Not yet" in viewer.message.value
    assert "no pass" not in viewer.message.value
    viewer.text.value = "y = a * 1"
    assert "steps to come: 1" in viewer.message.value


def test_an_expression_without_inputs_is_computed():
    viewer = pass_viewer("y = 2 * 3")
    viewer.forward.click()
    assert "fold_constants" in viewer.message.value
    assert "6" in repr(viewer.drawing)


def test_a_still_shows_where_no_kernel_is():
    data = pass_viewer()._repr_mimebundle_()
    assert "<img" in data["text/html"]
    assert "placeholder" in data["text/plain"]
    assert "alt=" in data["text/html"]
    assert "As defined" in data["text/html"]
