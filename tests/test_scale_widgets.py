"""The widgets for schedules and checkpoints show what the compiler plans and the engine keeps."""

import weakref

import numpy as np
import pytest

import minigraph as mg
from minigraph.compiler import Costs
from minigraph.compiler.schedule import schedule
from minigraph.widgets import checkpoint_viewer, schedule_viewer
from minigraph.widgets.checkpoints import kept_over_time


def eight_operations():
    text = "p = a * b; q = a + c; r = b - c; w = c * c; s = p * q; t = q * r; u = s + t; y = u * w"
    graph = mg.Graph(mg.parse(text, **{name: mg.placeholder(name) for name in "abc"}))
    return graph, {node: 1.0 for node in graph.order if node.op}


@pytest.mark.parametrize(("workers", "handoff"), [(1, 0.0), (2, 0.0), (3, 1.0), (8, 4.0)])
def test_the_sliders_choose_the_schedule_that_is_shown(workers, handoff):
    graph, seconds = eight_operations()
    viewer = schedule_viewer(graph, seconds)
    viewer.workers.value, viewer.handoff.value = workers, handoff
    plan = schedule(graph, workers, Costs(seconds, handoff=handoff))
    assert plan.summary in viewer.message.value
    assert "the critical path takes 4 s" in viewer.message.value
    assert viewer.drawing.alt == plan.chart().alt


def alive_while_running(layers, segments):
    """Count the results of layers that are alive whenever one of them is computed."""
    results, counts = [], []

    def layer(h):
        h = mg.sin(h)
        results.append(weakref.ref(h.value.base))
        counts.append(sum(result() is not None for result in results))
        return h

    h = mg.variable(np.ones(4))
    for part in np.array_split(np.arange(layers), segments or 1):

        def segment(h, part=part):
            for _ in part:
                h = layer(h)
            return h

        h = (mg.checkpoint(segment) if segments else segment)(h)
    mg.sum(h).backward()
    return counts


@pytest.mark.parametrize("layers", [1, 7, 12])
@pytest.mark.parametrize("segments", [0, 1, 2, 3, 5, 7])
def test_the_curve_is_what_the_engine_keeps(layers, segments):
    if segments > layers:
        return
    curve = kept_over_time(layers, segments)
    counts = alive_while_running(layers, segments)
    forward, backward = curve[:layers], curve[layers:]
    assert forward == counts[:layers]
    assert max(curve) == max(counts)
    for part in reversed(np.array_split(np.arange(layers), segments) if segments else []):
        again, gone_back_through = backward[: len(part)], backward[len(part) : 2 * len(part)]
        assert again == [counts.pop(layers) for _ in part]
        assert set(gone_back_through) == {again[-1]}
        backward = backward[2 * len(part) :]
    assert len(counts) == layers
    assert backward == ([] if segments else [layers] * layers)


def test_the_sentence_says_whether_it_fits():
    viewer = checkpoint_viewer(layers=64, segments=8, budget=16)
    said = viewer.message
    assert "8 segments: at most 16 results kept, and 64 layers computed again" in said.value
    assert "into a budget of 16 this fits." in said.value
    viewer.budget.value = 15
    assert "into a budget of 15 this does not fit from step " in said.value
    viewer.segments.value = 0
    assert "no checkpoints: at most 64 results kept, and 0 layers computed again" in said.value
    assert "does not fit from step 16 on" in said.value


def test_the_stills_show_where_no_kernel_is():
    graph, seconds = eight_operations()
    for viewer, words in [
        (schedule_viewer(graph, seconds), "Gantt"),
        (checkpoint_viewer(), "kept"),
    ]:
        data = viewer._repr_mimebundle_()
        assert "<img" in data["text/html"]
        assert words in data["text/plain"]
