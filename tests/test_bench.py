"""The training bench: PyTorch's losses and gradients, any step again, its code, and bad input."""

import numpy as np
import pytest

import minigraph as mg
from minigraph import data, nn
from minigraph.errors import MinigraphError, NodeTypeError, SettingError, ShapeError
from minigraph.widgets import bench_still, training_bench
from minigraph.widgets.bench import SHOWN
from minigraph.widgets.bench_training import MOST_STEPS, SIDE

OWN = [(0.1, 0.2, 0), (0.5, -0.3, 1), (-0.4, 0.3, 1), (0.2, 0.9, 0), (-0.7, -0.1, 1)]


def by_pytorch(torch, bench, rule, steps, l1=0.0, dropout=0.0):
    """The losses and the last gradients of the same network, from the same start and batches."""
    settings = bench.settings
    rng = np.random.default_rng(settings.seed)
    part = data.spirals(rng, points=settings.points, noise=settings.noise).train
    bench.go(0)
    weights = [
        torch.tensor(np.array(p.value), requires_grad=True) for p in bench.model.parameters()
    ]
    for n_in, n_out in ((3, 6), (6, 4), (4, 2)):  # which the bench draws before the first order
        rng.uniform(size=(n_out, n_in)), rng.uniform(size=n_out)
    optimizer = rule(weights)
    losses, order = [], []
    for _ in range(steps + 1):
        if not len(order):
            order = rng.permutation(len(part))
        places, order = order[:20], order[20:]
        x, y = part.x[places].T
        out = torch.tensor(np.stack([x, x * x, np.sin(np.pi * y)], axis=1))
        for n in (0, 2, 4):
            out = out @ weights[n].T + weights[n + 1]
            out = torch.tanh(out) if n < 4 else out
            if n < 4 and dropout:  # PyTorch's own draws cannot be those of NumPy
                kept = rng.random(tuple(out.shape)) >= dropout
                out = out * torch.tensor(kept) / (1 - dropout)
        loss = torch.nn.functional.cross_entropy(out, torch.tensor(part.y[places]))
        loss = loss + l1 * torch.cat([w.flatten() for w in weights]).abs().sum()
        optimizer.zero_grad()
        loss.backward()
        if len(losses) == steps:
            return losses, [w.grad.numpy() for w in weights]
        optimizer.step()
        losses.append(loss.item())


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("SGD", {}),
        ("momentum", {"l1": 0.003}),
        ("Adam", {"dropout": 0.3}),
        ("AdamW", {"l1": 0.01, "dropout": 0.5}),
    ],
)
def test_the_first_fifty_losses_and_the_gradients_are_those_of_pytorch(torch, name, more):
    bench = training_bench(
        data="spirals",
        points=170,  # so that the last batch of an epoch is smaller
        features=["sin y", "x", "x^2"],
        hidden=(6, 4),
        optimizer=name,
        learning_rate=0.02,
        weight_decay=0.01,
        batch_size=20,
        seed=3,
        **more,
    )
    rule = {
        "SGD": lambda w: torch.optim.SGD(w, 0.02, weight_decay=0.01),
        "momentum": lambda w: torch.optim.SGD(w, 0.02, momentum=0.9, weight_decay=0.01),
        "Adam": lambda w: torch.optim.Adam(w, 0.02, weight_decay=0.01),
        "AdamW": lambda w: torch.optim.AdamW(w, 0.02, weight_decay=0.01),
    }[name]
    losses, gradients = by_pytorch(torch, bench, rule, 50, **more)
    bench.go(50)
    assert bench.losses == pytest.approx(losses, rel=1e-9)
    bench.loss  # noqa: B018 - the backward pass leaves the gradients
    for p, expected in zip(bench.model.parameters(), gradients, strict=True):
        assert p.grad == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_the_losses_of_all_points_are_those_of_numpy():
    bench = training_bench(data="xor", hidden=(), optimizer="SGD", learning_rate=0.5, steps=7)
    plane = data.xor(np.random.default_rng(0), points=400, noise=0.0)
    w, b = (p.value for p in bench.model.parameters())
    for part, loss in zip((plane.train, plane.test), bench._training.measured(), strict=True):
        out = part.x @ w.T + b
        expected = np.log(np.exp(out).sum(axis=1)) - out[np.arange(len(part)), part.y]
        assert loss == pytest.approx(expected.mean(), rel=1e-12)
    places = np.exp(bench._training._places(SIDE) @ w.T + b)
    assert bench._training.sure() == pytest.approx(places[:, 1] / places.sum(axis=1), rel=1e-9)
    x, y, half = bench._training.extent()
    points = np.concatenate([plane.train.x, plane.test.x])
    assert half < np.abs(points - (x, y)).max() * 1.2  # there is not much beside them
    assert (np.abs(points - (x, y)) < half).all()
    assert f"loss {bench._training.measured()[0]:.3g} on 300 training points" in bench.sentence


@pytest.mark.parametrize("optimizer", ["momentum", "Adam"])
def test_any_step_can_be_gone_to_and_on_from_there(optimizer):
    bench = training_bench(optimizer=optimizer, points=60, batch_size=7)
    states = []
    for step in range(200):
        bench.go(step)
        states.append(bench.model.state())
    losses = bench.losses
    for step in (3, 150, 64, 63, 65, 0, 199, 128):
        bench.go(step)
        assert bench.step == step
        for key, value in bench.model.state().items():
            assert np.array_equal(value, states[step][key])
    bench.go(230)
    assert bench.losses[:199] == losses
    straight = training_bench(optimizer=optimizer, points=60, batch_size=7, steps=230)
    assert straight.losses == bench.losses


def test_looking_changes_nothing_of_what_follows():
    dropped = np.random.default_rng(5)

    def model():
        rng = np.random.default_rng(1)
        dropped.bit_generator.state = np.random.default_rng(5).bit_generator.state
        drop = nn.Dropout(0.3, rng=dropped)
        return nn.Sequential(nn.Linear(2, 9, rng=rng), nn.ReLU(), drop, nn.Linear(9, 2, rng=rng))

    plain = training_bench(model=model(), steps=20).losses
    looked = training_bench(model=model())
    for step in range(21):
        looked.go(step)
        assert looked.loss.value >= 0
        assert looked.drawing.svg
        assert looked.html
    assert looked.losses == plain
    looked.reset()
    looked.go(20)
    assert looked.losses == plain


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"data": "circles", "features": ["x²", "y²"], "hidden": (), "batch_size": None},
        {"data": "spirals", "hidden": "8 8", "activation": "relu", "weight_decay": 0.01},
        {"data": OWN, "optimizer": "momentum", "activation": "none", "learning_rate": 0.1},
        {"l1": 0.003, "dropout": 0.25, "hidden": (6, 5), "activation": "relu"},
        {"data": "xor", "noise": 0.3, "points": 20, "optimizer": "SGD", "activation": "sigmoid"},
    ],
)
def test_the_code_takes_the_same_steps(settings):
    bench = training_bench(steps=33, seed=4, **settings)
    names = {"training_bench": training_bench}
    exec(bench.code, names)
    assert names["losses"] == pytest.approx(bench.losses, rel=1e-9)
    assert len(bench.losses) == 33
    again = eval(bench.call, names)
    assert again.settings == bench.settings
    assert again.losses == bench.losses
    assert bench.call in bench.code


def test_a_model_and_an_optimizer_of_ones_own():
    class Slow(nn.Optimizer):
        """Half a step of gradient descent."""

        def rule(self, p, g, rate, t):
            return (p - rate / 2 * g,)

    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(2, 20, rng=rng), mg.tanh, nn.Linear(20, 2, rng=rng))
    start = model.state()
    bench = training_bench(model=model, optimizer=Slow(model.parameters(), 0.4), steps=12)
    assert bench.model is model
    model.load(start)
    same = training_bench(model=model, optimizer="SGD", learning_rate=0.2, steps=12)
    assert bench.losses == pytest.approx(same.losses, rel=1e-12)
    same.change(seed=9)  # begins where the model began
    for key, value in model.state().items():
        assert np.array_equal(value, start[key])
    made = training_bench(optimizer=lambda p: Slow(p, 0.1), steps=5)
    assert isinstance(made.optimizer, Slow)
    assert made.losses == training_bench(optimizer="SGD", learning_rate=0.05, steps=5).losses


def test_a_model_that_no_plan_can_hold_is_trained_node_by_node():
    class Branching(nn.Module):
        def __init__(self, rng):
            self.a, self.b = nn.Linear(2, 2, rng=rng), nn.Linear(2, 2, rng=rng)

        def forward(self, x):
            return self.a(x) if mg.sum(x).value > 0 else self.b(x)

    bench = training_bench(model=Branching(np.random.default_rng(0)), steps=9)
    assert len(bench.losses) == 9
    assert "Steps are not compiled" in bench.sentence


def test_points_are_drawn_and_taken_away():
    bench = training_bench(data=[])
    assert bench.settings == training_bench(data="own points").settings
    assert "Draw points" in bench.sentence
    with pytest.raises(SettingError, match="no points to train on"):
        bench.go(1)
    bench.change(own=[(0.5, 0.5, 1)])
    bench.go(3)
    assert "1 training point, " in bench.sentence
    assert "test point" not in bench.sentence
    bench.change(own=OWN)
    bench.go(2)
    assert "4 training points, " in bench.sentence
    assert "1 test point, " in bench.sentence  # every fourth
    assert bench.board.view["points"][-1] == [0.2, 0.9, 0, 1]
    bench.change(own=[])
    assert "Draw points" in bench.sentence


@pytest.mark.filterwarnings("error")
def test_points_that_lie_all_in_one_place_are_in_the_middle_of_the_plane():
    bench = training_bench(data=[(5.0, -7.0, 1)] * 4, steps=3)
    x, y, half = bench.board.view["extent"]
    assert (x, y) == (5.0, -7.0)
    assert half > 0
    assert "nan" not in bench_still._plane(bench._training)


def test_steps_that_are_too_large_are_said_to_be():
    bench = training_bench(data="spirals", activation="relu", optimizer="SGD", learning_rate=1e200)
    bench.go(5)
    assert "take a smaller learning rate" in bench.sentence
    assert bench.board.frame["isProblem"]
    assert "<img" in bench.html


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "none"])
@pytest.mark.parametrize("steps", [200, 400])
def test_weights_that_grow_beyond_all_numbers_are_shown_without_a_warning(activation, steps):
    bench = training_bench(
        activation=activation, optimizer="AdamW", learning_rate=10.0, weight_decay=1.0, steps=steps
    )  # so that each step multiplies a weight by 9
    for show in SHOWN:
        bench._told(None, {"kind": "look", "show": show, "serial": show}, [])
        assert bench.board.frame["serial"] == show
        assert bench.board.frame["isProblem"] == (not np.isfinite(bench._training.measured()[0]))
    known = ~np.isnan(np.array(bench._training.curve())[:, 1:])
    drawn = bench_still._fall(bench._training)
    assert drawn.count("L") == known.sum() - 2


def test_l1_leads_to_weights_that_are_0_and_is_no_part_of_what_is_reported():
    free, held = (
        training_bench(data="xor", features=["x", "xy"], hidden=(), l1=l1, steps=600, seed=2)
        for l1 in (0.0, 0.03)
    )
    at_x, at_xy = np.abs(held.model[0].weight.value).T
    assert (at_x < 0.03).all()  # a step of Adam: x says nothing of the class
    assert (at_xy > 0.5).all()
    assert (np.abs(free.model[0].weight.value)[:, 1] > 5).all()
    batch_loss = float(held.loss.value)
    penalty = 0.03 * sum(np.abs(p.value).sum() for p in held.model.parameters())
    assert batch_loss - penalty == pytest.approx(held._training.measured()[0], abs=0.2)
    assert held.loss.value > penalty


def test_dropout_leaves_out_units_of_a_step_and_none_of_what_is_shown():
    bench = training_bench(dropout=0.5, hidden=(8, 8), steps=100)
    sure = bench._training.sure()
    units = bench._training.units()
    for _ in range(3):
        assert bench.loss.value > 0
        assert np.array_equal(bench._training.sure(), sure)
    assert [u.shape[1] for u in units] == [2, 8, 8]
    points = bench._training._places(14)
    first = np.tanh(points @ bench.model[0].weight.value.T + bench.model[0].bias.value)
    assert units[1] == pytest.approx(first, abs=1e-12)  # as they are, though dropout follows


# --- while it runs --------------------------------------------------------------------------------


def test_a_film_has_a_picture_of_each_step_on_the_way(monkeypatch):
    monkeypatch.setattr("minigraph.widgets.bench._PATIENCE", 600)
    bench = training_bench(points=40)
    bench._told(None, {"kind": "run", "by": 3, "pictures": 5, "serial": "a", "show": "weights"}, [])
    frame = bench.board.frame
    assert [picture["step"] for picture in frame["film"]] == [3, 6, 9, 12]
    assert frame["step"] == bench.step == 15
    for picture in frame["film"]:
        bench.go(picture["step"])
        for part in ("say", "sure", "units", "weights"):
            assert bench.board.frame[part] == picture[part]
        assert bench.board.frame["film"] == []


def test_a_film_ends_when_there_is_no_time_or_no_finite_loss(monkeypatch):
    monkeypatch.setattr("minigraph.widgets.bench._PATIENCE", 0)
    bench = training_bench(points=40)
    bench._told(None, {"kind": "run", "by": 1, "pictures": 30, "serial": "a"}, [])
    assert bench.step == 1
    monkeypatch.setattr("minigraph.widgets.bench._PATIENCE", 600)
    lost = training_bench(activation="relu", optimizer="SGD", learning_rate=1e200)
    lost._told(None, {"kind": "run", "by": 1, "pictures": 30, "serial": "a"}, [])
    assert lost.board.frame["isProblem"]
    assert not any(picture["isProblem"] for picture in lost.board.frame["film"])


def test_what_was_taken_beyond_the_picture_seen_is_forgotten():
    bench = training_bench(points=40, steps=300)
    straight = bench.losses
    bench._told(None, {"kind": "look", "cut": {"step": 130, "known": 200}, "serial": "a"}, [])
    assert bench.step == 130
    assert bench.losses == straight[:200]
    assert bench.board.frame["known"] == 200
    assert bench._training.curve()[-1][0] == 200
    bench.go(300)
    assert bench.losses == straight
    bench._training.cut(20, MOST_STEPS)  # more than was ever known
    assert (bench.step, bench._training.known) == (20, 300)
    assert bench.losses == straight


def test_each_answer_computes_its_frame_once(monkeypatch):
    bench = training_bench(points=20)
    taken = []
    picture = type(bench)._picture
    monkeypatch.setattr(type(bench), "_picture", lambda self: taken.append(1) or picture(self))
    for content in (
        {"kind": "change", "settings": {"seed": 3}},
        {"kind": "change", "settings": {"seed": -1}},
        {"kind": "reset"},
        {"kind": "go", "step": 2},
        {"kind": "look"},
        {"kind": "play"},
    ):
        bench._told(None, content | {"serial": "a"}, [])
        assert len(taken) == 1
        taken.clear()
    bench.change(seed=4)
    bench.reset()
    assert len(taken) == 2


# --- what is refused ------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
LINEAR = nn.Linear(2, 2, rng=RNG)


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"data": "moon"}, SettingError, "one of moons, .* not 'moon'; did you mean 'moons'"),
        ({"data": None}, MinigraphError, "a name, or rows"),
        ({"data": 3}, NodeTypeError, "rows"),
        ({"data": [(1, 2)]}, NodeTypeError, r"rows \(x, y, class\)"),
        ({"data": [(1, 2, 3)]}, SettingError, "the class 0 or 1"),
        ({"data": [(np.nan, 2, 1)]}, SettingError, "two finite numbers"),
        ({"points": 3}, SettingError, "from 8 up, not 3"),
        ({"points": 10**6}, SettingError, "at most 2000 points"),
        ({"noise": -1}, SettingError, "noise is a number from 0 up"),
        ({"features": []}, SettingError, "sees nothing"),
        ({"features": ["z"]}, SettingError, "a feature is one of x, y, x²"),
        ({"features": 3}, NodeTypeError, "features are names"),
        ({"hidden": (0,)}, SettingError, "from 1 up, not 0"),
        ({"hidden": (9,)}, SettingError, "at most 8 units"),
        ({"hidden": (2,) * 5}, SettingError, "at most 4 hidden layers"),
        ({"hidden": "8 x"}, SettingError, "whole numbers of units"),
        ({"hidden": 2.5}, NodeTypeError, "whole numbers of units"),
        ({"activation": "tan"}, SettingError, "did you mean 'tanh'"),
        ({"activation": None}, SettingError, "an activation is one of"),
        ({"optimizer": "adam"}, SettingError, "one of SGD, momentum, Adam, AdamW, not 'adam'"),
        ({"optimizer": 3}, NodeTypeError, "an nn.Optimizer, or a function"),
        ({"optimizer": lambda p: 3}, NodeTypeError, "not int 3"),
        ({"optimizer": nn.SGD(LINEAR.parameters())}, SettingError, "give the model as well"),
        ({"learning_rate": 0}, SettingError, "above 0, not 0"),
        ({"learning_rate": np.nan}, SettingError, "above 0, not nan"),
        ({"weight_decay": -1}, SettingError, "from 0 up"),
        ({"l1": -0.1}, SettingError, "l1 is a number from 0 up"),
        ({"l1": "much"}, SettingError, "l1 is a number from 0 up"),
        ({"dropout": 1}, SettingError, "dropout is a share from 0 to below 1, not 1"),
        ({"dropout": np.nan}, SettingError, "dropout is a share from 0 to below 1"),
        ({"model": LINEAR, "dropout": 0.1}, SettingError, "dropout cannot be set"),
        ({"batch_size": 0}, SettingError, "from 1 up, not 0"),
        ({"batch_size": 301}, SettingError, "301 is larger than the training data, which have 300"),
        ({"seed": -1}, SettingError, "a seed is a whole number from 0 up"),
        ({"rate": 1}, SettingError, "no setting rate"),
        ({"learning_rat": 1}, SettingError, "did you mean learning_rate"),
        ({"steps": -1}, SettingError, f"0 to {MOST_STEPS}, not to -1"),
        ({"steps": 1.5}, SettingError, "not to 1.5"),
        ({"model": 3}, NodeTypeError, "a model is an nn.Module"),
        ({"model": nn.Linear(2, 3, rng=RNG)}, ShapeError, r"makes \(3, 3\)"),
        ({"model": nn.Linear(5, 2, rng=RNG)}, ShapeError, "5"),
        ({"model": LINEAR, "hidden": (3,)}, SettingError, "hidden cannot be set"),
        ({"model": LINEAR, "activation": "relu"}, SettingError, "activation cannot be set"),
        (
            {"optimizer": nn.SGD, "learning_rate": 1.0},
            SettingError,
            "learning_rate cannot be set: your own optimizer",
        ),
    ],
    ids=lambda given: ", ".join(given) if isinstance(given, dict) else "",
)
def test_what_no_bench_can_take_is_refused(given, kind, says):
    with pytest.raises(kind, match=says) as caught:
        training_bench(**given)
    assert isinstance(caught.value, MinigraphError)


def test_a_setting_that_does_not_fit_changes_nothing_and_is_said():
    bench = training_bench(steps=5)
    before = bench.settings, bench.losses
    bench._told(None, {"kind": "change", "settings": {"hidden": "1 2 x"}, "serial": "a"}, [])
    assert "whole numbers of units" in bench.board.frame["say"]
    assert bench.board.frame["isRefused"]
    assert (bench.settings, bench.losses) == before
    bench._told(None, {"kind": "go", "step": 6, "serial": "b"}, [])
    assert (bench.board.frame["serial"], bench.board.frame["step"]) == ("b", 6)
    assert not bench.board.frame["isRefused"]


def test_a_model_that_takes_no_other_inputs_stays_at_its_step():
    model = nn.Linear(2, 2, rng=np.random.default_rng(0))
    bench = training_bench(model=model, optimizer=nn.Adam(model.parameters()), steps=70)
    weights, settings = model.state(), bench.settings
    with pytest.raises(ShapeError):
        bench.change(features=["x", "y", "xy"])
    assert (bench.step, bench.settings) == (70, settings)
    for key, value in model.state().items():
        assert np.array_equal(value, weights[key])
    bench.go(np.int64(75))
    twin = nn.Linear(2, 2, rng=np.random.default_rng(0))
    straight = training_bench(model=twin, optimizer=nn.Adam(twin.parameters()), steps=75)
    assert bench.losses == straight.losses


def test_fewer_points_than_a_batch_make_one_batch_of_all():
    bench = training_bench(batch_size=100)
    bench.change(points=20)
    assert bench.settings.batch_size is None
    assert training_bench(data="own points", batch_size=30).settings.batch_size == 30


def test_this_step_is_played_below():
    bench = training_bench(points=20, hidden=(2,), steps=3)
    bench._told(None, {"kind": "play", "serial": "a"}, [])
    assert bench.children == (bench.board, bench.player)
    assert bench.player.recording.events
