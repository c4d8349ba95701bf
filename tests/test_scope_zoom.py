"""The scope zoom: which scopes are open, what the buttons do, and what is refused."""

import re

import numpy as np
import pytest

import minigraph as mg
from minigraph import nn
from minigraph.reading import Reading
from minigraph.reading.repeats import runs
from minigraph.widgets import zoom


@pytest.fixture
def loss():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(2, 3, rng=rng), nn.ReLU(), nn.Linear(3, 2, rng=rng))
    model.name = "classifier"
    return mg.cross_entropy(model(np.ones((4, 2))), [0, 1, 1, 0]).named("loss")


def rows(widget):
    """The first column of the drawn graph as a table, without its head."""
    lines = repr(widget.drawing).split("\n")[2:]
    return [line.split()[0] for line in lines if line and " of " not in line]


def names(widget):
    return [button.description for button in widget.inside.children]


def test_a_network_is_one_box_at_first(loss):
    widget = zoom(loss)
    assert "classifier" in rows(widget)
    assert names(widget) == ["classifier", "cross_entropy"]
    widget.out.click()  # there is nothing further out
    assert widget.path == ""
    assert "The whole graph" in widget.message.value


def test_buttons_lead_to_layers_to_operations_and_back(loss):
    widget = zoom(loss)
    widget.inside.children[0].click()
    assert widget.path == "classifier"
    assert sorted(names(widget)) == ["linear0", "linear2", "relu1"]
    assert {"classifier/linear0", "classifier/linear2"} <= set(rows(widget))
    widget.inside.children[0].click()
    assert widget.path == "classifier/linear0"
    shown = repr(widget.drawing)
    assert "matmul" in shown
    assert shown.count("matrix_transpose") == 1  # the other layer stays folded
    assert "nothing in it to open" in widget.message.value
    widget.out.click()
    widget.out.click()
    assert widget.path == ""
    assert rows(widget) == rows(zoom(loss))


def test_it_may_begin_in_a_scope(loss):
    assert zoom(loss, "classifier/linear2").path == "classifier/linear2"


def test_what_has_no_scopes_is_refused(loss):
    with pytest.raises(mg.NodeTypeError, match="takes a Node"):
        zoom(3)
    with pytest.raises(mg.MinigraphError, match="no scopes"):
        zoom(mg.variable(1.0) + 1)
    with pytest.raises(mg.MinigraphError, match="no scope 'hidden' to open, only classifier"):
        zoom(loss, "hidden")
    for path in (None, ["classifier"], ("classifier",), 0):
        with pytest.raises(mg.MinigraphError, match="there is no scope"):
            zoom(loss).go(path)


# --- clicks on the drawing ------------------------------------------------------------------------


def toggles(widget):
    return {(x["action"], x["path"]): x["label"] for x in widget.picture.view["toggles"]}


def click(widget, action, path):
    """What the page sends for a click."""
    assert (action, path) in toggles(widget)
    widget._told(widget.picture, {"kind": "toggle", "action": action, "path": path}, [])


def test_boxes_open_and_frames_close(loss):
    widget = zoom(loss)
    assert toggles(widget) == {
        ("unfold", "classifier"): "classifier, 7 operations",
        ("unfold", "cross_entropy"): "cross_entropy, 7 operations → 1.02",
    }
    click(widget, "unfold", "classifier")
    click(widget, "unfold", "classifier/linear2")
    assert widget.path == widget.picture.view["moved"] == "classifier/linear2"
    assert set(toggles(widget)) == {
        ("fold", "classifier"),
        ("fold", "classifier/linear2"),
        ("unfold", "classifier/linear0"),
        ("unfold", "cross_entropy"),
    }
    click(widget, "fold", "classifier/linear2")
    assert widget.path == "classifier"
    assert widget.picture.view["moved"] == "classifier/linear2"  # which is a box again
    click(widget, "unfold", "classifier/linear0")
    click(widget, "fold", "classifier")
    assert (widget.path, widget.picture.view["moved"]) == ("", "classifier")


def test_what_the_page_cannot_have_sent_changes_nothing(loss):
    widget = zoom(loss)
    for sent in ({}, {"kind": "toggle", "action": "unfold", "path": "hidden"}, {"kind": "toggle"}):
        widget._told(widget.picture, sent, [])
    assert widget.path == ""


def test_the_box_of_what_is_asked_for_is_closed_too():
    """So a network is one box, whether one asks for its scores or for the loss after them."""
    model = nn.Sequential(nn.Linear(2, 3, rng=np.random.default_rng(0)), nn.ReLU())
    model.name = "classifier"
    widget = zoom(model(mg.constant(np.ones((4, 2)), name="x")))
    assert rows(widget) == ["x", "classifier"]
    assert "4 operations → (4 × 3)" in repr(widget.drawing)
    assert "4 operations → (4 × 3)" in widget.picture.view["svg"]
    widget.go("classifier")
    assert "classifier/linear0" in rows(widget)


def test_shapes_stand_on_the_edges(loss):
    svg = zoom(loss, "classifier").picture.view["svg"]
    for shape in ("4 × 2", "4 × 3"):
        assert f">{shape}</tspan>" in svg


# --- composed functions ---------------------------------------------------------------------------


def test_composed_functions_open_as_scopes_do(loss):
    widget = zoom(loss)
    click(widget, "unfold", "cross_entropy")
    assert widget.path == "cross_entropy"
    assert {"classifier", "loss"} <= set(rows(widget))
    assert "logsumexp" in repr(widget.drawing)
    click(widget, "fold", "cross_entropy")
    assert widget.path == ""


def test_composed_functions_in_layers_open_too_and_several_are_numbered():
    head = nn.AttentionHead(4, 3, rng=np.random.default_rng(0))
    widget = zoom(head(np.ones((5, 4))), "attentionhead")
    assert "softmax" in names(widget)
    click(widget, "unfold", "attentionhead/softmax")
    assert "logsumexp" in repr(widget.drawing)
    assert "attentionhead/query" in repr(widget.drawing)
    twice = zoom(mg.softmax(mg.softmax(mg.variable(np.ones(3), name="x")) * 2))
    assert names(twice) == ["softmax (1)", "softmax (2)"]
    twice.go("softmax (2)")
    assert rows(twice)[:2] == ["x", "softmax"]


def test_a_graph_that_is_one_call_opens():
    assert names(zoom(mg.softmax(mg.variable(np.ones(3))))) == ["softmax"]


# --- blocks that repeat ---------------------------------------------------------------------------


class Block(nn.Module):
    """Two layers, and a way around them."""

    def __init__(self, size, rng):
        self.up, self.down = nn.Linear(size, 2 * size, rng=rng), nn.Linear(2 * size, size, rng=rng)

    def forward(self, x):
        return x + self.down(mg.relu(self.up(x)))


class Deep(nn.Module):
    """Blocks, with something else before and behind."""

    def __init__(self, blocks):
        rng = np.random.default_rng(0)
        self.first = nn.Linear(2, 3, rng=rng)
        self.blocks = [Block(3, rng) for _ in range(blocks)]
        self.last = nn.Linear(3, 2, rng=rng)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


@pytest.fixture(scope="module")
def deep():
    return Deep(12)(mg.constant(np.ones((4, 2)), name="x"))


def grouped(y):
    """The runs of several blocks in a graph, as lists of their paths."""
    reading = Reading([y])
    within, _ = runs(reading.order, reading.graph, reading.scopes)
    return [run for found in within.values() for run in found if len(run) > 1]


def test_repeated_blocks_are_one_box_with_their_number(deep):
    widget = zoom(deep, "deep")
    assert names(widget) == ["first", "blocks0–11 ×12", "last"]
    assert rows(widget) == ["x", "deep/first", "deep/blocks0–11", "deep/last"]
    assert "deep/blocks0–11 ×12  96 operations" in repr(widget.drawing)  # each has 8


def test_the_first_of_repeated_blocks_opens_and_the_others_stay_one_box(deep):
    widget = zoom(deep, "deep")
    widget.inside.children[1].click()
    assert widget.path == "deep/blocks0"
    assert "one of 12 in a row" in widget.message.value
    assert names(widget) == ["up", "down"]
    assert ("unfold", "deep/blocks1") in toggles(widget)
    assert "deep/blocks1–11 ×11" in repr(widget.drawing)
    click(widget, "unfold", "deep/blocks1")  # and each of them on demand
    assert widget.path == widget.picture.view["moved"] == "deep/blocks1"
    assert "deep/blocks2–11 ×10" in repr(widget.drawing)
    click(widget, "fold", "deep/blocks1")
    assert widget.picture.view["moved"] == "deep/blocks0"  # the box that holds all of them


def test_any_of_repeated_blocks_can_be_open(deep):
    widget = zoom(deep, "deep/blocks5/up")
    shown = repr(widget.drawing)
    assert "deep/blocks0–4 ×5" in shown
    assert "deep/blocks6–11 ×6" in shown
    assert shown.count("matrix_transpose") == 1


def test_a_block_may_be_several_scopes_in_a_row():
    rng = np.random.default_rng(0)
    first = [nn.Linear(2, 3, rng=rng), nn.ReLU()]
    pairs = [layer for _ in range(5) for layer in (nn.Linear(3, 3, rng=rng), nn.ReLU())]
    y = nn.Sequential(*first, *pairs, nn.Linear(3, 2, rng=rng))(np.ones((4, 2)))
    widget = zoom(y, "sequential")
    assert names(widget) == ["linear0", "relu1", "linear2–relu11 ×5", "linear12"]
    widget.go("sequential/linear6")
    assert "linear2–relu5 ×2" in repr(widget.drawing)
    assert "linear8–relu11 ×2" in repr(widget.drawing)


def layered(*layers):
    """A chain of scopes, each with what a function computes; named layer0, layer1, …"""
    y = mg.variable(np.ones(3), name="x")
    for n, layer in enumerate(layers):
        with mg.scope(f"layer{n}"):
            y = layer(y)
    return y


def doubled(y):
    return mg.tanh(y * 2)


def tripled(y):
    return mg.tanh(y * 3)


def test_only_what_is_built_alike_repeats():
    assert grouped(layered(doubled, doubled, doubled)) == [[["layer0"], ["layer1"], ["layer2"]]]
    assert grouped(layered(doubled, tripled)) == []
    assert grouped(layered(doubled, mg.scope("inner")(doubled))) == []
    assert grouped(layered(doubled, lambda y: mg.sum(y * 2))) == []
    assert grouped(layered(lambda y: mg.softmax(y), doubled)) == []
    assert grouped(layered(lambda y: mg.tanh(y[::-1]), lambda y: mg.tanh(y[::1]))) == []
    assert grouped(layered(doubled, doubled, tripled, tripled)) == [
        [["layer0"], ["layer1"]],
        [["layer2"], ["layer3"]],
    ]


def test_scopes_beside_each_other_do_not_repeat():
    """As the queries, keys and values of attention, which are alike and mean other things."""
    x = mg.variable(np.ones(3), name="x")
    made = []
    for n in range(3):
        with mg.scope(f"head{n}"):
            made.append(doubled(x))
    assert grouped(made[0] + made[1] + made[2]) == []


def test_names_without_a_number_do_not_repeat():
    x = mg.variable(np.ones(3), name="x")
    for name in ("encoder", "decoder", "block1", "block"):
        with mg.scope(name):
            x = doubled(x)
    assert grouped(x) == []


def chained(blocks, between, start=None):
    """Blocks of tanh, with loose operations after each: what the next takes, of x and the block."""
    x = mg.variable(np.ones(3), name="x") if start is None else start
    for n in range(blocks):
        with mg.scope(f"block{n}"):
            y = doubled(x)
        x = between(x, y, n)
    return x


@pytest.mark.parametrize(
    ("between", "operations"),
    [
        (lambda x, y, n: mg.relu(y), 1),
        (lambda x, y, n: x + y, 1),  # a way around each block
        (lambda x, y, n: y * 0.5 + mg.exp(y), 3),  # with a constant that nothing else uses
        (lambda x, y, n: mg.tanh(x) - y, 2),
    ],
)
def test_operations_that_follow_each_block_alike_belong_to_the_run(between, operations):
    y = chained(12, between)
    widget = zoom(y)
    assert rows(widget) == ["x", "block0–11"]
    assert f"block0–11 ×12  {12 * (2 + operations)} operations" in repr(widget.drawing)
    widget.go("block4")
    assert "one of 12 in a row" in widget.message.value
    shown = repr(widget.drawing)
    assert "block0–3 ×4" in shown
    assert "block5–11 ×7" in shown
    alone = [line for line in shown.split("\n") if "block" not in line.split()[0] + line]
    assert len(alone) > operations  # those after the open one are seen


def test_a_large_drawing_has_repeated_blocks_as_one_box_too(deep):
    shown = repr(mg.draw(deep))
    assert "deep/blocks0–11 ×12  96 operations" in shown
    assert "deep/blocks1" not in shown.replace("blocks0–11", "")
    assert "block0–23 ×24  71 operations" in repr(mg.draw(chained(24, lambda x, y, n: x + y)))
    assert " ×" not in repr(mg.draw(chained(9, lambda x, y, n: mg.exp(x) * y + x)))  # nine are seen
    named = repr(mg.draw(deep, folded=["deep/blocks0", "deep/blocks1", "deep/blocks2"]))
    assert "deep/blocks1  8 operations" in re.sub(" {3,}", "  ", named)
    with mg.scope("wide"):
        inner = chained(12, lambda x, y, n: x + y)
        for n in range(30):  # so many beside them that the scope around is one box
            inner = mg.tanh(inner) + n
    assert "wide" in repr(mg.draw(inner * 2))
    assert " ×" not in repr(mg.draw(inner * 2))


def test_what_follows_the_last_block_otherwise_stays_outside():
    behind = mg.log(chained(3, lambda x, y, n: mg.relu(y)) + 3)
    assert rows(zoom(behind)) == ["x", "block0–2", "3", "v₁₀", "v₁₁"]
    last = chained(3, lambda x, y, n: mg.relu(y) if n < 2 else mg.exp(y))
    assert grouped(last) == [[["block0"], ["block1"], ["block2"]]]
    assert repr(zoom(last).drawing).count(" exp ") == 1
    bare = chained(3, lambda x, y, n: mg.relu(y) if n < 2 else y)
    assert rows(zoom(bare)) == ["x", "block0–2"]
    fewer = chained(4, lambda x, y, n: mg.relu(y) if n < 2 else y)
    assert grouped(fewer) == [[["block0"], ["block1"], ["block2"]]]


def test_operations_between_blocks_that_are_not_alike_keep_them_apart():
    odd = chained(3, lambda x, y, n: mg.relu(y) if n else mg.exp(y))
    assert grouped(odd) == [[["block1"], ["block2"]]]
    assert grouped(chained(2, lambda x, y, n: y * 3 if n else y + 1)) == []
    grown = chained(4, lambda x, y, n: y * float(n))
    assert grouped(grown) == []
    assert "block3" in repr(zoom(grown).drawing)


def test_a_way_around_some_of_the_blocks_leads_into_no_run():
    """In one box with the blocks before it, the last one would make a circle with exp."""
    y = mg.variable(np.ones(3), name="x")
    around = [mg.variable(np.ones(3)), mg.variable(np.ones(3))]
    for n in range(3):
        with mg.scope(f"block{n}"):
            y = mg.tanh(y) * around[n]
        if n == 0:
            around.append(mg.exp(y))
    assert grouped(y) == [[["block0"], ["block1"]]]
    assert {"block0–1", "block2"} <= set(rows(zoom(y)))


def test_blocks_that_pass_two_things_on_are_a_run():
    between, y = mg.variable(1.0), mg.variable(np.ones(3))
    for n in range(3):
        with mg.scope(f"block{n}"):
            y = mg.tanh(y) * between
        between = between + mg.sum(y)
    assert [len(run) for run in grouped(y)] == [3]
    assert [len(run) for run in grouped(y + between)] == [3]
    assert "block0–2 ×3" in repr(zoom(y + between).drawing)


def test_a_block_of_several_scopes_with_loose_operations_is_a_run():
    rng = np.random.default_rng(0)
    layers = [nn.Linear(3, 3, rng=rng) for _ in range(8)]
    y = mg.constant(np.ones((4, 3)), name="x")
    for n in range(4):
        with mg.scope(f"up{n}"):
            up = mg.relu(layers[2 * n](y))
        with mg.scope(f"down{n}"):
            down = layers[2 * n + 1](mg.sin(up))
        y = y + mg.tanh(down)
    widget = zoom(y)
    assert grouped(y) == [[[f"up{n}", f"down{n}"] for n in range(4)]]
    assert rows(widget) == ["x", "up0–down3"]


def test_what_is_drawn_never_flows_in_a_circle():
    """Random chains of blocks: each box that is drawn uses only those above it."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        ways = [
            lambda x, y: mg.relu(y),
            lambda x, y: x + y,
            lambda x, y: mg.exp(x) * y,
            lambda x, y: y,
        ]
        few = rng.choice(4, 2)
        plan = [few[int(rng.random() < 0.2)] for _ in range(8)]
        y = chained(8, lambda x, y, n: ways[plan[n]](x, y))  # noqa: B023
        widget = zoom(y)
        boxes = [name for name in rows(widget) if "block" in name]
        assert len({*boxes}) == len(boxes)  # none had to be split
        links = {(e.tail, e.head) for e in widget.drawing._diagram.edges}
        assert all(tail < head for tail, head in links)


def test_what_all_blocks_take_from_before_them_is_no_hindrance():
    mask = mg.exp(mg.variable(0.0, name="mask"))
    y = mg.variable(np.ones(3), name="x")
    for n in range(4):
        with mg.scope(f"block{n}"):
            y = mg.tanh(y * mask)
    assert rows(zoom(y)) == ["mask", "v₁", "x", "block0–3"]


def test_weights_that_are_made_between_blocks_are_no_hindrance():
    y = mg.variable(np.ones(3), name="x")
    for n in range(4):
        weight = mg.variable(2.0)
        with mg.scope(f"block{n}"):
            y = mg.tanh(y * weight)
    assert [len(run) for run in grouped(y)] == [4]


def test_a_thousand_blocks_are_one_box():
    y = layered(*[doubled] * 1000)
    assert rows(zoom(y)) == ["x", "layer0–999"]
