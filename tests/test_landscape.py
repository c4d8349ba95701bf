"""The landscape of a loss: NumPy's losses, PyTorch's paths, and what is said of them."""

from functools import cache

import numpy as np
import pytest

from minigraph.errors import MinigraphError
from minigraph.widgets import loss_landscape
from minigraph.widgets.landscape import ALL, RATES, RULES, grid, path, surfaces


def formula(name):
    """The loss of two numbers, in NumPy's functions."""
    x = np.linspace(-2, 2, 21)
    return {
        "a valley": lambda a, b: (a**2 + 25 * b**2) / 2,
        "two weights": lambda a, b: np.mean((b * np.tanh(a * x) - np.tanh(2 * x)) ** 2),
    }[name]


@pytest.mark.parametrize("name", ["a valley", "two weights"])
def test_the_height_is_the_loss(name):
    a, b, losses = grid(name)
    assert losses == pytest.approx(
        np.array([[formula(name)(x, y) for x in a] for y in b]), rel=1e-12
    )
    assert (a[0], b[-1]) == (-surfaces()[name].reach[0], surfaces()[name].reach[1])


def test_a_trained_network_is_at_a_low_place_between_its_directions():
    a, b, losses = grid("a network of 42")
    middle = losses[len(b) // 2, len(a) // 2]
    assert middle < 0.1
    assert middle == pytest.approx(losses.min(), abs=0.01)
    assert losses[0, 0] > 1 < losses[-1, -1]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("name", "rate"), [("a valley", 0.03), ("two weights", 0.1)])
def test_a_path_is_the_one_that_pytorch_takes(torch, name, rule, rate):
    at = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in surfaces()[name].start]
    optimizer = {
        "SGD": lambda: torch.optim.SGD(at, lr=rate),
        "momentum": lambda: torch.optim.SGD(at, lr=rate, momentum=0.9),
        "Adam": lambda: torch.optim.Adam(at, lr=rate),
    }[rule]()
    x = torch.linspace(-2, 2, 21, dtype=torch.float64)
    a, b = at
    for mine in path(name, rule, rate):
        if name == "a valley":
            loss = (a**2 + 25 * b**2) / 2
        else:
            loss = ((b * torch.tanh(a * x) - torch.tanh(2 * x)) ** 2).mean()
        assert mine == pytest.approx([a.item(), b.item(), loss.item()], rel=1e-6, abs=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_three_optimizers_at_one_rate_or_one_at_three_rates():
    widget = loss_landscape()
    assert [*widget.paths] == ["SGD", "momentum", "Adam"]
    widget.rule.value = "Adam"
    assert [*widget.paths] == ["rate 0.01", "rate 0.03", "rate 0.1"]
    widget.rate.value = RATES[0]
    assert [*widget.paths] == ["rate 0.001", "rate 0.003"]
    widget.rate.value = RATES[-1]
    assert [*widget.paths] == ["rate 1", "rate 3"]


def test_what_became_of_each_path_is_said():
    widget = loss_landscape("a valley")
    widget.steps.value, widget.rule.value = 1, "SGD"
    told = []
    for rate in (0.01, 0.03):  # the next one, 0.1, goes past the bottom and out of the picture
        a, b = -9 * (1 - rate), 1.5 * (1 - 25 * rate)
        told.append(f"rate {rate}: loss {(a * a + 25 * b * b) / 2:.3g}")
    expected = f"After 1 step, {'; '.join(told)}; rate 0.1: out of the picture. The lowest loss"
    assert expected in widget.message.value
    assert expected in widget.drawing.alt
    widget.steps.value = 0
    assert widget.message.value.count("loss 68.6") == 3


def test_another_landscape_begins_with_a_rate_that_suits_it():
    widget = loss_landscape("two weights")
    assert widget.rate.value == 0.1
    widget.rate.value, widget.surface.value = 3.0, "a valley"
    assert widget.rate.value == 0.03
    assert "with the rate 0.03, SGD" in widget.message.value


@pytest.fixture(scope="module")
def widget_of():
    """One widget for each landscape, after 100 steps: to make it anew costs four pictures."""

    @cache
    def widget_of(name):
        widget = loss_landscape(name)
        widget.steps.value = 100
        return widget

    return widget_of


@pytest.mark.parametrize("name", surfaces())
@pytest.mark.parametrize("rule", [ALL, *RULES])
@pytest.mark.parametrize("rate", [RATES[0], RATES[-1]])
def test_the_slowest_and_the_fastest_can_be_drawn(name, rule, rate, widget_of):
    widget = widget_of(name)
    widget.picture.value = ""
    widget.rate.value, widget.rule.value = rate, rule
    assert "Not yet" not in widget.message.value
    assert "After 100 steps" in widget.drawing.alt
    assert "<img" in widget.picture.value


def test_the_way_is_hidden_until_it_is_guessed_and_then_the_distance_is_told():
    widget = loss_landscape("a valley")
    widget.guessing.value = True
    assert widget.rule.value == "momentum"  # one path is guessed
    widget.rule.value, widget.rate.value, widget.steps.value = "SGD", 0.03, 4
    end = np.array([-9 * (1 - 0.03) ** 4, 1.5 * (1 - 25 * 0.03) ** 4])
    assert "Where is SGD with the rate 0.03 after 4 steps?" in widget.message.value
    assert f"{end[0]:.3g}" not in widget.message.value
    hidden = widget.drawing.svg
    widget.guess[0].value, widget.guess[1].value = -5.0, 1.0
    widget.reveal.click()
    assert widget.distance == pytest.approx(np.hypot(end[0] + 5, end[1] - 1))
    assert f"({end[0]:.3g}, {end[1]:.3g})" in widget.message.value
    assert f"Your guess is {widget.distance:.3g} away" in widget.message.value
    assert len(widget.drawing.svg) > len(hidden)
    widget.rate.value = 0.3  # which leads far away
    widget.reveal.click()
    assert "): out of the picture. Your guess is " in widget.message.value
    widget.rate.value, widget.steps.value = 0.03, 5  # another question
    assert widget.distance is None
    assert "after 5 steps?" in widget.message.value
    widget.rule.value = ALL
    assert not widget.guessing.value
    assert "SGD: loss" in widget.message.value


def test_a_click_is_a_guess_where_the_axes_are():
    widget = loss_landscape("a valley")
    widget.guessing.value = True
    left, top, wide, high = widget.pointer.axes
    assert 0 < left < left + wide < 1
    assert 0 < top < top + high < 1
    widget.pointer.at = [0.25, 0.75]
    assert [field.value for field in widget.guess] == [-5.0, 1.0]


@pytest.mark.parametrize("name", ["a hill", None, 3])
def test_a_landscape_that_is_not_there_is_refused(name):
    with pytest.raises(MinigraphError, match="one of a valley, two weights, a network of 42, not"):
        loss_landscape(name)
