"""The scope zoom: which scopes are open, what the buttons do, and what is refused."""

import numpy as np
import pytest

import minigraph as mg
from minigraph import nn
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
    assert names(widget) == ["classifier"]
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
