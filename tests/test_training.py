"""`fit`: PyTorch's losses, plans, interrupts, early stopping, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_nn import OPTIMIZERS, model_of, rng, torch_losses

import minigraph as mg
from minigraph import data, nn

DIGITS = data.digits()


@pytest.fixture(autouse=True)
def no_plan_is_an_error():
    """Unless a test says that there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", mg.PlanWarning)
        yield


def trained(model=None, *, part=DIGITS.train, make=nn.Adam, seed=3, epochs=3, size=128, **options):
    """Train a model on digits; return it, its optimizer, and the history."""
    model = model or model_of(64, 16, 10)
    optimizer = options.pop("optimizer", None) or make(model.parameters(), learning_rate=3e-3)
    options.setdefault("rng", rng(seed))
    history = nn.fit(
        model,
        mg.cross_entropy,
        part,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=size,
        **options,
    )
    return model, optimizer, history


def same(model, other):
    ours, theirs = model.state(), other.state()
    return all(np.array_equal(ours[key], theirs[key]) for key in theirs)


def batches_of(seed, epochs, size):
    """The batches that fit takes."""
    generator = rng(seed)
    return [b for _ in range(epochs) for b in DIGITS.train.batches(size, generator)]


# --- it trains ------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_fit_gives_the_losses_of_pytorch(torch, case, compiled):
    make, theirs, settings = OPTIMIZERS[case]
    if not compiled and "," in case:
        return
    rate = 0.2 if make is nn.SGD else 3e-3
    model = model_of(64, 16, 10)
    expected = torch_losses(
        torch, model, theirs, {"lr": rate, **settings}, batches_of(3, 13, 128)[:150],
    )  # fmt: skip
    optimizer = make(model.parameters(), learning_rate=rate, **settings)
    _, _, history = trained(model, optimizer=optimizer, epochs=13, compiled=compiled)
    assert history.losses[:150] == pytest.approx(expected, abs=1e-9, rel=0)
    assert (history.plan is not None) == compiled
    assert len(history.losses) == 13 * 12


@pytest.mark.parametrize("compiled", [True, False])
def test_clipping_and_a_schedule_give_the_losses_of_pytorch(torch, compiled):
    model, factor = model_of(64, 16, 10), nn.cosine(40, warmup=5)
    options = {"lr": 0.5, "momentum": 0.9}
    expected = torch_losses(
        torch, model, "SGD", options, batches_of(3, 3, 128), clip=0.7, factor=factor
    )
    optimizer = nn.SGD(model.parameters(), learning_rate=0.5, momentum=0.9)
    _, _, history = trained(
        model, optimizer=optimizer, max_norm=0.7, schedule=factor, compiled=compiled
    )
    assert history.losses == pytest.approx(expected, abs=1e-9, rel=0)
    assert optimizer.learning_rate == 0.5


def test_an_epoch_is_the_mean_over_its_examples_and_is_validated():
    model, _, history = trained(validation=DIGITS.test, epochs=2)
    sizes = [128] * 11 + [1437 - 11 * 128]
    for i, epoch in enumerate(history.epochs):
        assert epoch.steps == 12 * (i + 1)
        assert epoch.loss == pytest.approx(np.average(history.losses[12 * i :][:12], weights=sizes))
    logits = model(DIGITS.test.x).value
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    last = history.epochs[-1]
    assert last.validation_loss == pytest.approx(-log_p[np.arange(360), DIGITS.test.y].mean())
    assert last.validation_accuracy == (logits.argmax(axis=1) == DIGITS.test.y).mean()
    assert nn.score(model, mg.cross_entropy, DIGITS.test) == last[2:]


def test_the_digits_are_learned_to_97_percent():
    model = nn.Sequential(nn.Linear(64, 64, rng=rng()), nn.ReLU(), nn.Linear(64, 10, rng=rng(1)))
    trained(model, epochs=30, size=64)
    _, accuracy = nn.score(model, mg.cross_entropy, DIGITS.test)
    assert accuracy >= 0.97


def test_a_convolutional_network_learns_by_a_plan():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, rng=rng()), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(36, 10, rng=rng(1)),
    )  # fmt: skip
    part = data.Split(DIGITS.train.x.reshape(-1, 1, 8, 8)[:512], DIGITS.train.y[:512])
    _, _, history = trained(model, part=part, epochs=10, size=16, make=nn.AdamW)
    assert history.plan is not None
    assert history.epochs[-1].loss < history.epochs[0].loss / 2


def test_a_sequence_is_learned_with_embedding_cell_and_attention():
    class Reader(nn.Module):
        def __init__(self, characters):
            self.embedding = nn.Embedding(characters, 6, rng=rng(0))
            self.norm = nn.LayerNorm(6)
            self.head = nn.AttentionHead(6, 6, rng=rng(1))
            self.cell = nn.RNNCell(6, 8, rng=rng(2))
            self.out = nn.Linear(8, characters, rng=rng(3))

        def forward(self, x):
            x = self.embedding(x)
            x = x + self.head(self.norm(x))
            h, states = None, []
            for i in range(x.shape[1]):
                h = self.cell(x[:, i], h)
                states.append(h)
            return self.out(np.stack(states, axis=1))

    book = data.alice(8)
    part = data.Split(book.train.x[:256], book.train.y[:256])
    model = Reader(len(book.characters))
    _, _, history = trained(model, part=part, size=32, epochs=6)
    assert history.plan is not None
    assert history.epochs[-1].loss < history.epochs[0].loss - 0.2
    other = Reader(len(book.characters))
    _, _, again = trained(other, part=part, size=32, epochs=6, compiled=False)
    assert again.losses == pytest.approx(history.losses, abs=1e-9)


def test_float32_stays_float32():
    model = model_of(64, 8, 10)
    for module in model.modules().values():
        for key, value in vars(module).items():
            if isinstance(value, mg.Node):
                setattr(module, key, mg.variable(value.value.astype(np.float32), name=key))
    part = data.Split(DIGITS.train.x.astype(np.float32), DIGITS.train.y)
    model, _, history = trained(model, part=part, epochs=2, max_norm=1.0)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert history.plan is not None
    assert history.losses[-1] < history.losses[0]


def test_the_bar_shows_steps_and_loss():
    training = "import test_training; test_training.trained(epochs=1, progress=True)"
    shown = subprocess.run(  # tqdm chooses once for a process between a terminal and a notebook
        [sys.executable, "-c", training], cwd=Path(__file__).parent, capture_output=True, text=True
    ).stderr
    assert "12/12" in shown
    assert "steps/s" in shown


# --- dropout, and models without a plan -----------------------------------------------------------


def with_dropout(seed=0, drawn=5):
    return nn.Sequential(
        nn.Linear(64, 12, rng=rng(seed)), nn.ReLU(), nn.Dropout(0.3, rng=rng(drawn)),
        nn.Linear(12, 10, rng=rng(seed + 1)),
    )  # fmt: skip


def test_a_plan_draws_what_is_dropped_anew_in_each_step():
    _, _, planned = trained(with_dropout())
    _, _, by_node = trained(with_dropout(), compiled=False)
    assert planned.plan is not None
    assert planned.losses == pytest.approx(by_node.losses, abs=1e-9)
    _, _, other = trained(with_dropout(drawn=6))
    assert other.losses != pytest.approx(planned.losses, abs=1e-3)


def test_modes_are_as_before_after_training():
    model = with_dropout()
    model[2].evaluate()
    trained(model, validation=DIGITS.test, epochs=1)
    assert [m.training for m in model.modules().values()] == [True, True, True, False, True]


class Branching(nn.Module):
    """Its graph depends on values."""

    def __init__(self):
        self.linear = nn.Linear(64, 10, rng=rng())

    def forward(self, x):
        out = self.linear(x)
        return out * 2 if mg.mean(out) > 0 else out


class Counting(Branching):
    """It counts its calls, which a plan would not."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.linear(x)


class Noisy(Branching):
    """It draws, in its own way."""

    def forward(self, x):
        return self.linear(x) * np.random.default_rng().uniform(0.5, 1.5)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Branching, r"bool\(.*\): it has no value yet"),
        (Counting, "changes its calls when it is called"),
        (Noisy, "when it is computed again"),
    ],
)
def test_a_model_without_a_plan_is_trained_by_node_and_told_why(make, reason):
    with pytest.warns(mg.PlanWarning, match=f"fit trains without a plan: .*{reason}") as caught:
        model, _, history = trained(make(), epochs=2)
    assert caught[0].filename == __file__
    assert history.plan is None
    assert history.reason in str(caught[0].message)
    assert history.losses[-1] < history.losses[0]
    if make is Counting:
        assert model.calls > 24
        assert type(model.calls) is int


# --- interrupts -----------------------------------------------------------------------------------


class Interrupting:
    """A loss, a schedule … that is interrupted at its n-th call."""

    def __init__(self, function, n):
        self.function, self.left = function, n

    def __call__(self, *args):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.function(*args)


@cache
def uninterrupted(make, compiled):
    """A model that was trained without an interrupt, and its history."""
    model, _, history = trained(make(), validation=DIGITS.test, compiled=compiled)
    return model, history


@pytest.mark.parametrize("at", [1, 2, 5, 12, 13, 20, 36])
@pytest.mark.parametrize("make", [lambda: model_of(64, 8, 10), with_dropout])
@pytest.mark.parametrize("compiled", [True, False])
def test_an_interrupted_training_ends_as_if_nothing_had_happened(at, make, compiled):
    whole, expected = uninterrupted(make, compiled)
    options = {"validation": DIGITS.test, "compiled": compiled}
    model, generator, history = make(), rng(3), nn.History()
    optimizer = nn.Adam(model.parameters(), learning_rate=3e-3)
    options |= {"optimizer": optimizer, "rng": generator, "history": history}
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(model, schedule=Interrupting(lambda step: 1.0, at), **options)
    assert caught.value.history is history
    assert "Nothing is lost" in caught.value.__notes__[0]
    assert len(history.losses) == at - 1
    trained(model, **options)
    assert same(model, whole)
    assert history.losses == expected.losses
    assert history.epochs == expected.epochs


@pytest.mark.parametrize("place", ["setattr", "append", "permutation", "score", "mask", "backward"])
def test_it_can_be_interrupted_anywhere(monkeypatch, place):
    """Right after the variables have changed, before the loss is noted, and so on."""
    from minigraph.compiler import plan as plans
    from minigraph.nn import steps, training

    whole, expected = uninterrupted(with_dropout, place != "backward")
    model, history = with_dropout(), nn.History()
    options = {
        "optimizer": nn.Adam(model.parameters(), learning_rate=3e-3), "rng": rng(3),
        "history": history, "validation": DIGITS.test, "compiled": place != "backward",
    }  # fmt: skip

    def interrupted_after(function, n):
        calls = iter(range(1, 10**6))

        def call(*args, **more):
            result = function(*args, **more)
            if next(calls) == n:
                raise KeyboardInterrupt
            return result

        return call

    with monkeypatch.context() as patch:
        if place == "setattr":
            patch.setattr(plans, "assign_together", interrupted_after(plans.assign_together, 17))
        elif place == "append":
            patch.setattr(training.math, "isfinite", interrupted_after(np.isfinite, 17))
        elif place == "permutation":
            patch.setattr(data.Split, "order", interrupted_after(data.Split.order, 3))
        elif place == "score":
            patch.setattr(training, "score", interrupted_after(nn.score, 2))
        elif place == "mask":
            patch.setattr(nn.Dropout, "mask", interrupted_after(nn.Dropout.mask, 17))
        else:
            patch.setattr(steps.Steps, "computed", interrupted_after(steps.Steps.computed, 17))
        with pytest.raises(KeyboardInterrupt):
            trained(model, **options)
    trained(model, **options)
    assert same(model, whole)
    assert history.losses == expected.losses
    assert history.epochs == expected.epochs


def test_a_finished_training_goes_on_to_more_epochs():
    whole, _, expected = trained(epochs=4)
    model, optimizer, history = trained(epochs=1, rng=(generator := rng(3)))
    trained(model, optimizer=optimizer, history=history, rng=generator, epochs=4)
    assert same(model, whole)
    assert history.losses == expected.losses
    before = model.state()
    trained(model, optimizer=optimizer, history=history, rng=generator, epochs=4)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def test_a_history_belongs_to_one_training():
    model, _, history = trained(epochs=1)
    with pytest.raises(mg.SettingError, match="the history knows 12 steps, and its optimizer has"):
        trained(model, history=history)
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(
            model,
            schedule=Interrupting(lambda s: 1.0, 3),
            optimizer=(o := nn.SGD(model.parameters())),
        )
    with pytest.raises(mg.SettingError, match="has 1,437 examples, and these data have 360"):
        trained(model, part=DIGITS.test, optimizer=o, history=caught.value.history)


# --- early stopping -------------------------------------------------------------------------------


def test_training_stops_when_the_validation_loss_rises_and_keeps_the_best():
    few = data.Split(DIGITS.train.x[:40], DIGITS.train.y[:40])
    model, _, history = trained(
        part=few, size=10, epochs=400, validation=DIGITS.test, patience=4, make=nn.Adam
    )
    losses = [epoch.validation_loss for epoch in history.epochs]
    best = int(np.argmin(losses))
    assert len(losses) == best + 5 < 400
    assert nn.score(model, mg.cross_entropy, DIGITS.test)[0] == losses[best]


def test_patience_needs_validation_data():
    with pytest.raises(mg.SettingError, match="patience waits for the validation loss"):
        trained(patience=3)
    for patience in (0, 1.5, True):
        with pytest.raises(mg.SettingError, match="patience is a whole number from 1 up"):
            trained(patience=patience, validation=DIGITS.test)


# --- no number any more ---------------------------------------------------------------------------


class Root(nn.Module):
    """√ of a weight that training pushes below 0."""

    def __init__(self):
        self.w = mg.variable(np.full(10, 0.05), name="w")

    def forward(self, x):
        return mg.sqrt(self.w) * np.ones((x.shape[0], 1))


@pytest.mark.parametrize("compiled", [True, False])
def test_the_first_node_that_is_no_number_is_named_and_parameters_stay(compiled):
    model, history = Root(), nn.History()
    optimizer = nn.SGD(model.parameters(), learning_rate=3.0)
    options = {"optimizer": optimizer, "history": history, "compiled": compiled}
    with pytest.raises(
        mg.AnomalyError, match=r"(?s)ended in step \d+: the sqrt .* holds nan.*mg.sqrt\(self.w\)"
    ):
        trained(model, **options)
    assert np.isfinite(model.w.value).all()
    assert np.isfinite(history.losses).all()
    assert int(optimizer.steps.value) == len(history.losses)
    assert model.w.grad is None
    history.resume(optimizer)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_gradient_that_is_no_number_is_named_in_its_own_step(compiled):
    class Kink(nn.Module):
        def __init__(self):
            self.w = mg.variable(np.zeros(10), name="w")

        def forward(self, x):
            return mg.sqrt(mg.square(self.w)) * np.ones((x.shape[0], 1))

    model = Kink()
    with pytest.raises(mg.AnomalyError, match=r"(?s)ended in step 1: the gradient of .*sqrt"):
        trained(model, make=nn.SGD, compiled=compiled)
    assert np.array_equal(model.w.value, np.zeros(10))


def test_a_training_that_diverges_says_so():
    model = nn.Sequential(nn.Linear(64, 16, rng=rng()), nn.ReLU(), nn.Linear(16, 10, rng=rng()))
    optimizer = nn.SGD(model.parameters(), learning_rate=1e150)
    with pytest.raises(mg.AnomalyError, match="training ended in step"):
        trained(model, optimizer=optimizer)
    assert all(np.isfinite(p.value).all() for p in model.parameters())


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [10, -1])
@pytest.mark.parametrize("where", ["train", "validation"])
def test_a_label_out_of_range_is_found_before_training_begins(label, where):
    wrong = DIGITS.train.y.copy()
    wrong[-1] = label
    wrong = data.Split(DIGITS.train.x, wrong)
    model = model_of(64, 10)
    before = model.state()
    options = {"part": wrong} if where == "train" else {"validation": wrong}
    with pytest.raises(mg.ShapeError, match=f"label {label} is none of the 10 classes .* 0 to 9"):
        trained(model, **options)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"part": (np.zeros((0, 64)), np.zeros(0, int))}, mg.ShapeError, "no example in x"),
        ({"size": 1438}, mg.SettingError, "a batch of 1,438 is larger than the data, .* 1,437"),
        ({"size": 0}, mg.SettingError, "the size of a batch is a whole number from 1 up"),
        ({"epochs": 0}, mg.SettingError, "epochs is a whole number from 1 up, not 0"),
        ({"epochs": 2.0}, mg.SettingError, "epochs is a whole number from 1 up, not 2.0"),
        ({"max_norm": 0}, mg.SettingError, "max_norm is a number above 0"),
        ({"rng": 0}, mg.NodeTypeError, "random numbers come from a generator"),
        ({"part": DIGITS}, mg.NodeTypeError, "digits has two parts: give its .train"),
        ({"part": DIGITS.train.x}, mg.NodeTypeError, r"data are a pair \(x, y\)"),
        ({"part": (DIGITS.train.x[:, :63], DIGITS.train.y)}, mg.ShapeError,
         r"sequential/linear0, Linear\(.*\): it takes inputs of shape \(…, 64\)"),
        ({"part": (DIGITS.train.x, DIGITS.train.y[:, None])}, mg.ShapeError, "labels of shape"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_and_nothing_changes(change, kind, message):
    model = model_of(64, 10)
    before = model.state()
    with pytest.raises(kind, match=message):
        trained(model, **change)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def fitted(model, loss, optimizer, **more):
    nn.fit(
        model, loss, DIGITS.test, optimizer=optimizer, epochs=1, batch_size=60, rng=rng(), **more
    )


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (None, "a loss is a function of the outputs and of y, .* not NoneType"),
        ("mse", "a loss is a function .* not str 'mse'"),
        (lambda out: mg.mean(out), "this one cannot be called with two: too many"),
        (nn.ReLU(), "this one cannot be called with two: too many"),
        (nn.Linear(3, 2, rng=np.random.default_rng(0)), "this one cannot be called with two: too"),
        (nn.Sequential(nn.Tanh()), "this one cannot be called with two: too many"),
    ],
)
def test_a_loss_is_a_function_of_outputs_and_y(loss, message):
    model = model_of(64, 10)
    with pytest.raises(mg.NodeTypeError, match=message):
        fitted(model, loss, nn.SGD(model.parameters()))
    with pytest.raises(mg.NodeTypeError, match=message):
        nn.score(model, loss, DIGITS.test)


@pytest.mark.parametrize("factor", [None, "a", float("nan"), -1.0, float("inf")])
def test_a_schedule_gives_factors_of_the_learning_rate(factor):
    model = model_of(64, 10)
    before = model.state()
    with pytest.raises(mg.SettingError, match=r"the schedule gives .* for step 0"):
        fitted(model, mg.cross_entropy, nn.SGD(model.parameters()), schedule=lambda step: factor)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def test_what_fit_is_given_is_told_apart():
    model = model_of(64, 10)
    optimizer = nn.SGD(model.parameters())
    for wrong in (None, nn.SGD):
        with pytest.raises(
            mg.NodeTypeError, match="an optimizer is made of the model's parameters"
        ):
            fitted(model, mg.cross_entropy, wrong)
    with pytest.raises(
        mg.NodeTypeError, match="a schedule is a function from the number of a step"
    ):
        fitted(model, mg.cross_entropy, optimizer, schedule=0.5)
    with pytest.raises(mg.NodeTypeError, match=r"a history is an nn\.History, not dict"):
        fitted(model, mg.cross_entropy, optimizer, history={"losses": []})
    with pytest.raises(mg.NodeTypeError, match="a model is a module, not int 3"):
        nn.score(3, mg.cross_entropy, DIGITS.test)


def test_a_loss_is_one_number_that_depends_on_the_parameters():
    model = model_of(64, 10)
    optimizer = nn.SGD(model.parameters())
    for loss, kind, message in (
        (lambda out, y: out[:, 0], mg.ShapeError, r"the loss has shape \(60,\), .* take mg.mean"),
        (lambda out, y: mg.mean(out).value, mg.NodeTypeError, "and training follows a Node"),
        (lambda out, y: mg.mean(out.detach()), mg.GradientError, "depends on no parameter"),
    ):
        with pytest.raises(kind, match=message):
            fitted(model, loss, optimizer)


def test_optimizer_and_model_belong_together():
    with pytest.raises(mg.SettingError, match="has none of the model's parameters"):
        fitted(model_of(64, 10), mg.cross_entropy, nn.SGD(model_of(64, 10).parameters()))
    model = model_of(64, 10)
    older = nn.SGD(model.parameters())
    newer = nn.SGD(model.parameters())
    with pytest.raises(mg.SettingError, match="is shared by two optimizers"):
        fitted(model, mg.cross_entropy, older)
    fitted(model, mg.cross_entropy, newer)
    with pytest.raises(mg.NodeTypeError, match="a model is a module, not function"):
        fitted(lambda x: x, mg.cross_entropy, newer)
