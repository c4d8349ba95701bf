"""The film of a network that learns: what PyTorch learns from the same start, step by step."""

import re

import numpy as np
import pytest

from minigraph.errors import MinigraphError
from minigraph.widgets import watch_learning
from minigraph.widgets.learning import STEPS


@pytest.fixture(scope="module")
def film():
    return watch_learning()


def test_each_moment_is_what_pytorch_comes_to(film, torch):
    rng = np.random.default_rng(0)
    x = torch.linspace(-3, 3, 25, dtype=torch.float64)[:, None]
    noise = torch.tensor(rng.normal(0, 0.08, (25, 1)))
    points = torch.sin(1.3 * x) + 0.25 * x + noise
    starts = [
        rng.normal(0, 1, (1, 4)),
        rng.normal(0, 1, 4),
        rng.normal(0, 0.5, (4, 1)),
        np.zeros(1),
    ]
    w1, b1, w2, b2 = knobs = [torch.tensor(start, requires_grad=True) for start in starts]
    descent = torch.optim.SGD(knobs, lr=0.1, momentum=0.9)
    moments = {moment.step: moment for moment in film.moments}
    assert tuple(moments) == STEPS
    for step in range(STEPS[-1] + 1):
        curve = torch.tanh(x @ w1 + b1) @ w2 + b2
        loss = torch.nn.functional.mse_loss(curve, points)
        if moment := moments.get(step):
            assert moment.loss == pytest.approx(loss.item(), rel=1e-6)
            assert moment.curve == pytest.approx(curve.detach().numpy().ravel(), abs=1e-6)
            turned = torch.cat([knob.detach().ravel() for knob in knobs]).numpy()
            assert moment.knobs == pytest.approx(turned, abs=1e-6)
        descent.zero_grad()
        loss.backward()
        descent.step()


def test_it_learns(film):
    first, last = film.moments[0], film.moments[-1]
    assert last.loss < 0.01 < 0.5 < first.loss
    assert film.loss.value == last.loss


def test_each_frame_shows_its_moment(film):
    for moment, frame in zip(film.moments, film.film["frames"], strict=True):
        hands = re.findall(r"M(\S+) (\S+)L(\S+) (\S+?)(?=M|\")", frame["svg"].split("<path")[-1])
        angles = [np.arctan2(float(x) - float(a), float(b) - float(y)) for a, b, x, y in hands]
        turns = np.array(angles) / (np.pi / 4) - np.array(moment.knobs)
        assert np.abs(turns - 8 * np.round(turns / 8)).max() < 0.02
        assert f"{moment.loss:.3g}"[:4] in frame["say"]
        assert frame["svg"].count("L") == 24 + STEPS.index(moment.step) + len(moment.knobs)
    assert film.film["frames"][1]["say"].startswith("After 1 step the loss")


def test_without_a_kernel_the_first_and_the_last_moment_are_seen(film):
    assert 'alt="A network learns' in film.html
    assert repr(film).startswith("Before the first step the loss")
    assert "After 150 steps" in repr(film)


@pytest.mark.parametrize("position", [-1, len(STEPS)])
def test_a_moment_that_is_not_there_is_refused(film, position):
    with pytest.raises(MinigraphError, match=f"the moments are 0 to 22, not {position}"):
        film.position = position
    assert film.position == 0
