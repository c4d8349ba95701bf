"""Layers, initial weights, optimizers and schedules: PyTorch's numbers, and what is refused."""

from __future__ import annotations

import gc
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigraph as mg
from minigraph import data, nn

small = st.integers(1, 5)


def rng(seed=0):
    return np.random.default_rng(seed)


def model_of(*sizes, seed=0):
    """A network with tanh between its linear layers."""
    layers = [nn.Linear(m, n, rng=rng(seed + i)) for i, (m, n) in enumerate(pairwise(sizes))]
    return nn.Sequential(*[part for x in layers[:-1] for part in (x, nn.Tanh())], layers[-1])


# --- each layer, beside PyTorch's -----------------------------------------------------------------


def agree(torch, ours, theirs, *inputs, number=None):
    """Output, and gradients by inputs and parameters, of a layer with its weights in PyTorch's."""
    theirs = theirs.double()
    state = {key: torch.tensor(value) for key, value in ours.state().items()}
    theirs.load_state_dict(state)
    xs = [mg.variable(x) if x.dtype.kind == "f" else x for x in inputs]
    ts = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    y, t = ours(*xs), theirs(*ts)
    t = t if number is None else t[number]
    assert y.shape == tuple(t.shape)
    assert y.value == pytest.approx(t.detach().numpy(), abs=1e-11)
    seed = rng(9).normal(size=y.shape)
    y.backward(seed)
    t.backward(torch.tensor(seed))
    for x, reference in zip(xs, ts):
        if isinstance(x, mg.Node):
            assert x.grad == pytest.approx(reference.grad.numpy(), abs=1e-10)
    gradients = {key: p.grad for key, p in theirs.named_parameters()}
    assert list(gradients) == list(ours.named_parameters())
    for key, p in ours.named_parameters().items():
        assert p.grad == pytest.approx(gradients[key].numpy(), abs=1e-10), key


@settings(max_examples=25)
@given(small, small, st.lists(small, max_size=2), st.booleans())
def test_linear_is_that_of_pytorch(torch, inputs, outputs, leading, bias):
    ours = nn.Linear(inputs, outputs, bias, rng=rng())
    agree(
        torch, ours, torch.nn.Linear(inputs, outputs, bias), rng(1).normal(size=(*leading, inputs))
    )


@settings(max_examples=25)
@given(st.data())
def test_conv2d_is_that_of_pytorch(torch, data):
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride = data.draw(st.integers(1, 3) | pair), data.draw(st.integers(1, 3) | pair)
    padding = data.draw(st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2)))
    batch, channels, filters = data.draw(small), data.draw(small), data.draw(small)
    x = rng(1).normal(size=(batch, channels, data.draw(st.integers(3, 7)), 5))
    bias = data.draw(st.booleans())
    ours = nn.Conv2d(channels, filters, kernel, stride, padding, bias, rng=rng())
    agree(torch, ours, torch.nn.Conv2d(channels, filters, kernel, stride, padding, bias=bias), x)


@settings(max_examples=25)
@given(st.integers(1, 3), st.none() | st.integers(1, 3), st.integers(3, 7), small)
def test_max_pool2d_is_that_of_pytorch(torch, kernel, stride, height, channels):
    x = rng(1).normal(size=(2, channels, height, 6))
    agree(torch, nn.MaxPool2d(kernel, stride), torch.nn.MaxPool2d(kernel, stride), x)


@settings(max_examples=25)
@given(small, small, st.lists(small, max_size=3))
def test_embedding_is_that_of_pytorch(torch, rows, size, shape):
    x = rng(1).integers(rows, size=shape)
    agree(torch, nn.Embedding(rows, size, rng=rng()), torch.nn.Embedding(rows, size), np.array(x))


@settings(max_examples=25)
@given(
    st.lists(st.integers(2, 4), min_size=1, max_size=3),
    st.integers(1, 2),
    st.sampled_from([1e-5, 0.1]),
)
def test_layer_norm_is_that_of_pytorch(torch, shape, axes, eps):
    sizes = tuple(shape[-axes:])
    ours = nn.LayerNorm(sizes if len(sizes) > 1 else sizes[0], eps)
    for p in ours.parameters():
        p.value = rng(2).normal(size=p.shape)
    agree(torch, ours, torch.nn.LayerNorm(sizes, eps), rng(1).normal(size=shape))


@pytest.mark.parametrize("name", ["ReLU", "Tanh", "Sigmoid", "GELU"])
@settings(max_examples=15)
@given(st.lists(small, max_size=3))
def test_activations_are_those_of_pytorch(torch, name, shape):
    x = 3 * rng(1).normal(size=shape)
    agree(torch, getattr(nn, name)(), getattr(torch.nn, name)(), np.array(x))


@settings(max_examples=15)
@given(st.lists(small, min_size=2, max_size=4), st.integers(0, 1))
def test_flatten_is_that_of_pytorch(torch, shape, start):
    agree(torch, nn.Flatten(start), torch.nn.Flatten(start), rng(1).normal(size=shape))


@settings(max_examples=15)
@given(small, small, small, st.booleans())
def test_a_recurrent_cell_is_that_of_pytorch(torch, batch, inputs, hidden, has_state):
    x, h = rng(1).normal(size=(batch, inputs)), rng(2).normal(size=(batch, hidden))
    ours = nn.RNNCell(inputs, hidden, rng=rng())
    if has_state:
        agree(torch, ours, torch.nn.RNNCell(inputs, hidden), x, h)
    else:
        t = torch.nn.RNNCell(inputs, hidden).double()
        t.load_state_dict({key: torch.tensor(value) for key, value in ours.state().items()})
        assert ours(x).value == pytest.approx(t(torch.tensor(x)).detach().numpy())


@pytest.mark.parametrize("causal", [False, True])
@settings(max_examples=15)
@given(st.lists(small, min_size=2, max_size=3), small, small)
def test_an_attention_head_is_that_of_pytorch(torch, causal, leading, features, size):
    class Head(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for key in ("query", "key", "value"):
                setattr(self, key, torch.nn.Linear(features, size, bias=False))

        def forward(self, x):
            return torch.nn.functional.scaled_dot_product_attention(
                self.query(x), self.key(x), self.value(x), is_causal=causal
            )

    ours = nn.AttentionHead(features, size, causal, rng=rng())
    agree(torch, ours, Head(), rng(1).normal(size=(*leading, features)))


def test_the_state_of_a_network_is_pytorchs(torch):
    ours = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, rng=rng()), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48, 5, rng=rng()),
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(48, 5),
    )  # fmt: skip
    agree(torch, ours, theirs, rng(1).normal(size=(2, 1, 8, 8)))


# --- dropout --------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_lets_all_through_in_evaluation():
    layer = nn.Dropout(0.25, rng=rng())
    x = np.ones((200, 300))
    y = layer(mg.variable(x)).value
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    layer.evaluate()
    assert np.array_equal(layer(mg.variable(x)).value, x)
    layer.train()
    assert not np.array_equal(layer(mg.variable(x)).value, x)


def test_dropout_draws_from_its_generator_alone():
    x = mg.variable(np.ones(50))
    first = [nn.Dropout(0.5, rng=rng(3))(x).value for _ in range(2)]
    assert np.array_equal(*first)
    layer = nn.Dropout(rng=rng(3))
    assert not np.array_equal(layer(x).value, layer(x).value)
    assert nn.Dropout(0, rng=rng())(x) is x


def test_dropout_with_one_mask_for_all_runs_is_refused():
    layer = nn.Dropout(rng=rng())
    with pytest.raises(mg.SymbolicError, match=r"dropout, Dropout\(p=0.5\): .* evaluate\(\)"):
        layer(mg.placeholder("x", (3,)))
    layer.evaluate()
    assert layer(mg.placeholder("x", (3,))).shape == (3,)


# --- where learning starts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("init", "reference"),
    [("glorot_uniform", "xavier_uniform_"), ("glorot_normal", "xavier_normal_"),
     ("he_uniform", "kaiming_uniform_"), ("he_normal", "kaiming_normal_")],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(300, 200), (60, 40, 3, 5)])
def test_initial_weights_have_the_size_of_pytorchs(torch, init, reference, shape):
    if len(shape) == 2:
        weight = nn.Linear(shape[1], shape[0], rng=rng(), init=init).weight.value
    else:
        weight = nn.Conv2d(shape[1], shape[0], shape[2:], rng=rng(), init=init).weight.value
    torch.manual_seed(0)
    options = {"nonlinearity": "relu"} if "kaiming" in reference else {}
    theirs = getattr(torch.nn.init, reference)(torch.empty(shape), **options).numpy()
    assert weight.std() == pytest.approx(theirs.std(), rel=0.02)
    assert abs(weight).max() == pytest.approx(
        abs(theirs).max(), rel=0.02 if "unif" in init else 0.2
    )


@pytest.mark.parametrize("fan_in", [25, 400])
def test_weights_and_biases_are_drawn_as_in_pytorch_unless_named(torch, fan_in):
    torch.manual_seed(0)
    theirs = torch.nn.Linear(fan_in, 4000)
    ours = nn.Linear(fan_in, 4000, rng=rng())
    for key in ("weight", "bias"):
        drawn, reference = ours.state()[key], getattr(theirs, key).detach().numpy()
        assert abs(drawn).max() == pytest.approx(1 / sqrt(fan_in), rel=1e-3)
        assert drawn.std() == pytest.approx(reference.std(), rel=0.03)


def test_zeros_learn_nothing_in_hidden_layers():
    model = nn.Sequential(
        nn.Linear(2, 5, bias=False, rng=rng(), init="zeros"), nn.Tanh(),
        nn.Linear(5, 2, bias=False, rng=rng(), init="zeros"),
    )  # fmt: skip
    d = data.xor(rng(), 40)
    mg.cross_entropy(model(d.train.x), d.train.y).backward()
    assert all(not p.grad.any() for p in model.parameters())


def test_the_same_generator_draws_the_same_network():
    first, again, other = (model_of(3, 4, 2, seed=s).state() for s in (1, 1, 2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not all(np.array_equal(first[key], other[key]) for key in first)


# --- modules --------------------------------------------------------------------------------------


class Tower(nn.Module):
    """Modules in lists and dicts, a variable of its own, and one module twice."""

    def __init__(self):
        self.scale = mg.variable(2.0)
        self.blocks = [nn.Linear(3, 3, rng=rng(i)) for i in range(2)]
        self.heads = {"a": nn.Linear(3, 1, rng=rng(5)), "b": nn.Linear(3, 2, rng=rng(6))}
        self.again = self.blocks[0]
        self.fixed = mg.constant(3.0)

    def forward(self, x):
        for block in (*self.blocks, self.again):
            x = mg.tanh(block(x))
        return self.scale * self.heads["a"](x), self.heads["b"](x)


def test_parameters_are_found_in_attributes_lists_and_dicts_each_once():
    tower = Tower()
    assert list(tower.named_parameters()) == [
        "scale",
        "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias",
        "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias",
    ]  # fmt: skip
    assert tower.parameters() == list(tower.named_parameters().values())
    a, b = tower(np.ones((4, 3)))
    assert (a.shape, b.shape) == ((4, 1), (4, 2))


def test_each_module_opens_a_scope_that_holds_its_parameters():
    model = nn.Sequential(nn.Linear(2, 3, rng=rng()), nn.ReLU(), model_of(3, 4, 1))
    y = model(np.ones((5, 2)))
    scopes = {node.scope for node in mg.topological_order(y) if node.op}
    assert scopes == {
        "sequential/linear0", "sequential/relu1",
        "sequential/sequential2/linear0", "sequential/sequential2/tanh1",
        "sequential/sequential2/linear2",
    }  # fmt: skip
    assert model[0].weight.scope == "sequential/linear0"
    assert len(model) == 3
    assert "linear0" in mg.draw(y).svg


def test_a_module_in_an_attribute_is_called_as_the_attribute():
    tower = Tower()
    out = tower(mg.variable(np.ones((2, 3))))[0]
    scopes = {node.scope for node in mg.topological_order(out) if node.op}
    assert {"tower/blocks0", "tower/blocks1", "tower/headsa", "tower"} <= scopes


def test_train_and_evaluate_reach_all_modules():
    model = nn.Sequential(nn.Dropout(rng=rng()), nn.Sequential(nn.Dropout(rng=rng())))
    model.evaluate()
    assert {m.training for m in model.modules().values()} == {False}
    model[1].train()
    assert [m.training for m in model.modules().values()] == [False, False, True, True]


def test_a_state_is_a_copy_and_goes_back():
    model = model_of(3, 4, 2)
    before = model.state()
    other = model_of(3, 4, 2, seed=5)
    x = np.ones((1, 3))
    assert not np.allclose(model(x).value, other(x).value)
    other.load(before)
    assert np.array_equal(model(x).value, other(x).value)
    before["0.weight"][...] = 7
    assert not (model[0].weight.value == 7).any()


def test_a_file_keeps_the_state_and_holds_no_pickle(tmp_path):
    model = Tower()
    model.save(tmp_path / "tower.npz")
    with np.load(tmp_path / "tower.npz", allow_pickle=False) as file:
        assert set(file) == set(model.named_parameters())
        assert np.array_equal(file["blocks.1.weight"], model.blocks[1].weight.value)
    other = Tower()
    for p in other.parameters():
        p.value = p.value + 1
    other.load(tmp_path / "tower.npz")
    assert all(
        np.array_equal(a.value, b.value) for a, b in zip(model.parameters(), other.parameters())
    )


def test_a_function_can_be_a_layer():
    model = nn.Sequential(nn.Linear(2, 2, rng=rng()), mg.tanh, lambda x: x * 2)
    x = np.ones((1, 2))
    assert model(x).value == pytest.approx(2 * np.tanh(model[0](x).value))
    assert list(model.state()) == ["0.weight", "0.bias"]


# --- optimizers, beside PyTorch's -----------------------------------------------------------------

OPTIMIZERS = {
    "SGD": (nn.SGD, "SGD", {}),
    "SGD, decay": (nn.SGD, "SGD", {"weight_decay": 0.03}),
    "momentum": (nn.SGD, "SGD", {"momentum": 0.9}),
    "momentum, decay": (nn.SGD, "SGD", {"momentum": 0.8, "weight_decay": 0.03}),
    "Adam": (nn.Adam, "Adam", {}),
    "Adam, decay": (nn.Adam, "Adam", {"weight_decay": 0.03}),
    "Adam, betas": (nn.Adam, "Adam", {"betas": (0.8, 0.95), "eps": 1e-6}),
    "AdamW": (nn.AdamW, "AdamW", {}),
    "AdamW, decay": (nn.AdamW, "AdamW", {"weight_decay": 0.1}),
}


def torch_model(torch, model):
    """The same network with tanh in PyTorch."""
    layers = []
    for x in model:
        layers.append(
            torch.nn.Linear(x.in_features, x.out_features)
            if hasattr(x, "weight")
            else torch.nn.Tanh()
        )
    theirs = torch.nn.Sequential(*layers).double()
    theirs.load_state_dict({key: torch.tensor(value) for key, value in model.state().items()})
    return theirs


def torch_losses(torch, model, kind, options, batches, clip=None, factor=None):
    """The losses of training in PyTorch."""
    theirs = torch_model(torch, model)
    optimizer = getattr(torch.optim, kind)(theirs.parameters(), **options)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor) if factor else None
    losses = []
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    return losses


def digit_batches(steps, size=32, seed=4):
    batches = []
    while len(batches) < steps:
        batches += data.digits().train.batches(size, rng(seed + len(batches)))
    return batches[:steps]


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_150_steps_of_training_give_the_losses_of_pytorch(torch, case):
    ours, theirs, options = OPTIMIZERS[case]
    rate = 0.2 if ours is nn.SGD else 3e-3
    model = model_of(64, 16, 10)
    batches = digit_batches(150)
    expected = torch_losses(torch, model, theirs, {"lr": rate, **options}, batches)
    optimizer = ours(model.parameters(), learning_rate=rate, **options)
    losses = []
    for x, y in batches:
        loss = mg.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.value)
    assert losses == pytest.approx(expected, abs=1e-9, rel=0)
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(("ours", "theirs"), [("SGD", "SGD"), ("Adam", "Adam"), ("AdamW", "AdamW")])
def test_defaults_are_those_of_pytorch(torch, ours, theirs):
    w = torch.zeros(1, requires_grad=True)
    defaults = getattr(torch.optim, theirs)([w]).defaults
    optimizer = getattr(nn, ours)([mg.variable(1.0)])
    assert optimizer.learning_rate == defaults["lr"]
    for key in ("momentum", "weight_decay", "betas", "eps"):
        assert getattr(optimizer, key, None) == defaults.get(key)


@pytest.mark.parametrize("make", [nn.SGD, lambda p: nn.SGD(p, momentum=0.9), nn.Adam, nn.AdamW])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_parameters_keep_their_dtype_and_shape(make, dtype, shape):
    w = mg.variable(np.ones(shape, dtype))
    optimizer = make([w])
    for _ in range(2):
        optimizer.zero_grad()
        mg.sum(w * w).backward()
        optimizer.step()
    assert (w.dtype, w.shape) == (dtype, shape)
    assert np.all(w.value < 1)


def test_a_parameter_without_a_gradient_stays_as_it_is():
    used, unused = mg.variable(1.0), mg.variable(1.0)
    optimizer = nn.Adam([used, unused], learning_rate=0.1)
    (used * used).backward()
    optimizer.step()
    assert used.value == pytest.approx(0.9)
    assert unused.value == 1


@pytest.mark.parametrize("max_norm", [0.05, 1e6])
def test_clipped_gradients_are_those_of_pytorch(torch, max_norm):
    model = model_of(64, 8, 10)
    (x, y), *_ = digit_batches(1)
    theirs = torch_model(torch, model)
    torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y)).backward()
    norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm)
    mg.cross_entropy(model(x), y).backward()
    assert nn.clip_gradients(model.parameters(), max_norm) == pytest.approx(norm.item())
    for p, reference in zip(model.parameters(), theirs.parameters()):
        assert p.grad == pytest.approx(reference.grad.numpy(), abs=1e-12)


def factors(torch, make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_schedules_are_those_of_pytorch(torch):
    lr = torch.optim.lr_scheduler
    ours = nn.cosine(20)
    reference = factors(torch, lambda o: lr.CosineAnnealingLR(o, 20), 21)
    assert [ours(i) for i in range(21)] == pytest.approx(reference, abs=1e-12)
    ours = nn.stepwise(7, 0.3)
    reference = factors(torch, lambda o: lr.StepLR(o, 7, 0.3), 30)
    assert [ours(i) for i in range(30)] == pytest.approx(reference)


def test_warmup_rises_in_a_straight_line_and_the_cosine_follows():
    factor = nn.cosine(14, warmup=4)
    assert [factor(i) for i in range(4)] == [0.25, 0.5, 0.75, 1]
    assert [factor(4 + i) for i in range(10)] == pytest.approx(
        [nn.cosine(10)(i) for i in range(10)]
    )
    assert factor(99) == 0


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0, -1e-3, float("nan"), float("inf"), "0.1", None, True, [0.1]])
@pytest.mark.parametrize("make", [nn.SGD, nn.Adam, nn.AdamW])
def test_a_learning_rate_is_a_number_above_0(make, rate):
    w = mg.variable(1.0)
    with pytest.raises(mg.SettingError, match="a learning rate is a number above 0, not "):
        make([w], learning_rate=rate)
    optimizer = make([w])
    with pytest.raises(mg.SettingError, match="a learning rate is a number above 0, not "):
        optimizer.learning_rate = rate
    assert optimizer.learning_rate == make([w]).learning_rate


def test_an_optimizer_without_parameters_is_refused():
    for none in ([], nn.ReLU().parameters(), iter(())):
        with pytest.raises(mg.SettingError, match=r"no parameters to learn; give model.parameters"):
            nn.SGD(none)


def test_what_is_no_variable_cannot_be_learned():
    w = mg.variable(1.0, name="w")
    for wrong, message in (
        ([mg.constant(1.0)], "cannot be learned: it is no variable"),
        ([(w * 2).named("twice")], "twice .* cannot be learned"),
        ([mg.placeholder("x")], "cannot be learned"),
        ([1.0], "a parameter is a variable, not float 1.0"),
        (w, "are a list of variables, .* not Node"),
        (model_of(2, 2)[0], "are a list of variables, .* not Linear"),
    ):
        with pytest.raises(mg.NodeTypeError, match=message):
            nn.Adam(wrong)
    with pytest.raises(mg.SettingError, match=r"w .* stands twice"):
        nn.Adam([w, w])


def test_a_step_before_backward_is_refused():
    model = model_of(2, 2)
    for optimizer in (nn.SGD(model.parameters()), nn.Adam(model.parameters())):
        with pytest.raises(mg.GradientError, match=r"call loss.backward\(\) before"):
            optimizer.step()
    mg.sum(model(np.ones((1, 2)))).backward()
    optimizer.step()
    optimizer.zero_grad()
    with pytest.raises(mg.GradientError, match=r"call loss.backward\(\) before"):
        optimizer.step()
    with pytest.raises(mg.GradientError, match="no gradient to clip"):
        nn.clip_gradients(model.parameters(), 1.0)


def test_a_parameter_of_two_optimizers_is_refused_and_nothing_changes():
    free, shared = mg.variable(1.0, name="free"), mg.variable(1.0, name="shared")
    older = nn.SGD([free, shared])
    newer = nn.Adam([shared])
    (free * shared).backward()
    with pytest.raises(
        mg.SettingError, match=r"shared .* by two optimizers: this SGD and the Adam"
    ):
        older.step()
    assert free.value == shared.value == 1
    newer.step()
    assert shared.value < 1


def test_an_optimizer_that_is_made_anew_takes_over():
    """As when a cell runs again: the older one is only forgotten when the name is bound anew."""
    w = mg.variable(1.0)
    for _ in range(2):
        optimizer = nn.SGD([w], learning_rate=0.1)
        gc.collect()
        w.grad = None
        (w * w).backward()
        optimizer.step()
    assert w.value == pytest.approx(0.64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: nn.SGD([w], momentum=1.0), "momentum is a number from 0 to below 1, not 1.0"),
        (lambda w: nn.SGD([w], momentum=float("nan")), "momentum is a number"),
        (lambda w: nn.Adam([w], betas=(0.9, 1.0)), "a beta is a number from 0 to below 1"),
        (lambda w: nn.Adam([w], betas=(0.9,)), r"betas are two numbers .* not \(0.9,\)"),
        (lambda w: nn.Adam([w], betas=0.9), "betas are two numbers"),
        (lambda w: nn.SGD([w], 10**400), "a learning rate is a number above 0"),
        (lambda w: nn.SGD([w], weight_decay=10**400), "weight_decay is a number from 0 up"),
        (lambda w: nn.Adam([w], eps=-1.0), "eps is a number from 0 up"),
        (lambda w: nn.AdamW([w], weight_decay=-0.1), "weight_decay is a number from 0 up"),
        (lambda w: nn.cosine(0), "the number of steps is a whole number from 1 up"),
        (lambda w: nn.cosine(5, warmup=5), "the number of steps is a whole number from 6 up"),
        (lambda w: nn.stepwise(0), "the number of steps is a whole number"),
        (lambda w: nn.stepwise(3, 0.0), "the factor is a number above 0"),
        (lambda w: nn.Dropout(1.0, rng=rng()), "p is a probability from 0 to below 1, not 1.0"),
        (lambda w: nn.Dropout(float("nan"), rng=rng()), "p is a probability"),
        (lambda w: nn.Linear(0, 3, rng=rng()), "in_features is a whole number from 1 up, not 0"),
        (lambda w: nn.Linear(3, 2.5, rng=rng()), "out_features is a whole number"),
        (lambda w: nn.Conv2d(1, 1, (3, 3, 3), rng=rng()), "kernel_size is a number or a pair"),
        (lambda w: nn.Conv2d(1, 1, 3, padding=-1, rng=rng()), "padding is a whole number from 0"),
        (lambda w: nn.MaxPool2d(2, 0), "stride is a whole number from 1 up"),
        (lambda w: nn.Flatten(-1), "start_dim is a whole number from 0 up"),
        (lambda w: nn.LayerNorm(0), "a size is a whole number from 1 up"),
        (lambda w: nn.Linear(2, 2, rng=rng(), init="he_norm"), "'he_norm', .* mean 'he_normal'"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(mg.SettingError, match=message):
        make(mg.variable(1.0))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "not None"),
        ("abc", "not the text 'abc'"),
        ({"a": 1}, "not dict"),
        ([[1], [2, 3]], ""),
    ],
)
@pytest.mark.parametrize(
    "layer", [nn.Linear(2, 3, rng=rng()), nn.Embedding(2, 3, rng=rng()), nn.ReLU()]
)
def test_a_layer_takes_arrays(layer, wrong, said):
    with pytest.raises(
        mg.NodeTypeError, match=rf"{type(layer).__name__}\(.*\) takes an array.*{said}"
    ):
        layer(wrong)


@pytest.mark.parametrize("wrong", [None, [3], 3.0])
def test_gradients_that_are_clipped_are_those_of_parameters(wrong):
    with pytest.raises(mg.NodeTypeError, match="parameter"):
        nn.clip_gradients(wrong, 1.0)


@pytest.mark.parametrize("wrong", [0, None, np.random.RandomState(0)])
@pytest.mark.parametrize(
    "make",
    [
        lambda g: nn.Linear(2, 2, rng=g), lambda g: nn.Conv2d(1, 1, 1, rng=g),
        lambda g: nn.Embedding(2, 2, rng=g), lambda g: nn.Dropout(rng=g),
        lambda g: nn.RNNCell(2, 2, rng=g), lambda g: nn.AttentionHead(2, 2, rng=g),
    ],
)  # fmt: skip
def test_layers_draw_from_a_generator(make, wrong):
    with pytest.raises(mg.NodeTypeError, match="random numbers come from a generator such as"):
        make(wrong)


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        (lambda: nn.Linear(4, 2, rng=rng()), np.ones((3, 5)), r"\(…, 4\), not \(3, 5\)"),
        (lambda: nn.Linear(1, 2, rng=rng()), np.ones((3, 5)), r"\(…, 1\), not \(3, 5\)"),
        (lambda: nn.Linear(4, 2, rng=rng()), np.float64(3), r"\(…, 4\), not \(\)"),
        (lambda: nn.LayerNorm((3, 4)), np.ones(4), r"\(…, 3, 4\), not \(4,\)"),
        (lambda: nn.LayerNorm(4), np.ones((4, 1)), r"\(…, 4\), not \(4, 1\)"),
        (lambda: nn.Conv2d(2, 1, 3, rng=rng()), np.ones((1, 1, 5, 5)), "conv2d takes images"),
        (lambda: nn.Conv2d(1, 1, 9, rng=rng()), np.ones((1, 1, 5, 5)), "does not fit into shape"),
        (lambda: nn.MaxPool2d(4), np.ones((1, 1, 3, 3)), "does not fit into shape"),
        (lambda: nn.Flatten(2), np.ones((3, 3)), "more than 2 axes"),
        (lambda: nn.Embedding(4, 2, rng=rng()), np.array([1, 4]), "4 is none of the 4 rows"),
        (lambda: nn.Embedding(4, 2, rng=rng()), np.array([-1]), "-1 is none of the 4 rows"),
        (lambda: nn.RNNCell(4, 2, rng=rng()), np.ones((3, 5)), r"\(…, 4\), not \(3, 5\)"),
        (lambda: nn.AttentionHead(4, 2, rng=rng()), np.ones((3, 5)), r"\(…, 4\), not \(3, 5\)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["array", "variable", "symbolic"])
def test_what_does_not_fit_names_the_layer(layer, x, message, kind):
    layer = layer()
    model = nn.Sequential(lambda x: x, layer)
    where = rf"^sequential/{type(layer).__name__.lower()}1(/query)?, \w+\(.*"
    if x.dtype.kind == "i":
        if kind == "symbolic":
            return
        given = mg.constant(x) if kind == "variable" else x
    else:
        given = {"array": x, "variable": mg.variable(x)}.get(kind)
        given = mg.placeholder("x", x.shape) if given is None else given
    with pytest.raises(mg.ShapeError, match=where + message):
        model(given)


def test_an_embedding_takes_whole_numbers():
    with pytest.raises(
        mg.NodeTypeError, match=r"embedding, Embedding\(.*\): it takes whole numbers"
    ):
        nn.Embedding(3, 2, rng=rng())(np.ones(2))


def test_the_state_of_another_model_is_refused_and_nothing_changes(tmp_path):
    model = model_of(3, 4, 2)
    before = model.state()
    narrow, short, odd = model_of(3, 5, 2), model_of(3, 2), dict(model.state())
    odd["0.bias"] = np.array(["a"] * 4)
    for other, message in (
        (narrow.state(), r"this state is of another model: its 0.weight has shape \(5, 3\)"),
        (short.state(), "this state is of another model: it has no 2.bias, 2.weight, and this"),
        (model_of(3, 4, 4, 2).state(), "it has 4.bias, 4.weight, and this model has not"),
        (odd, "0.bias cannot take its value: a Node holds real numbers"),
    ):
        with pytest.raises(mg.FormatError, match=message):
            model.load(other)
    narrow.save(tmp_path / "narrow.npz")
    with pytest.raises(mg.FormatError, match=r"narrow.npz is of another model: its 0.weight"):
        model.load(tmp_path / "narrow.npz")
    (tmp_path / "text.npz").write_text("no state")
    np.save(tmp_path / "one.npy", np.ones((3, 4)))
    for name in ("text.npz", "one.npy"):  # NumPy would advise to load it unsafely
        with pytest.raises(
            mg.FormatError, match=rf"{name} holds no state of a model: its format is not .npz$"
        ):
            model.load(tmp_path / name)
    np.savez(tmp_path / "pickled.npz", **{"0.weight": np.array([object()])})
    with pytest.raises(mg.FormatError, match=r"pickled.npz holds no state of a model"):
        model.load(tmp_path / "pickled.npz")
    with pytest.raises(FileNotFoundError, match=r"missing.npz cannot be read"):
        model.load(tmp_path / "missing.npz")
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


class Twice(nn.Module):
    """A module of one's own, with a layer that it calls in the wrong way."""

    def __init__(self):
        self.layer = nn.Linear(2, 2, rng=rng())

    def forward(self, x):
        return self.layer(x, x)


def two_at_once(a, b):
    return a + b


X = np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nn.ReLU()(), r"^relu, ReLU\(\): it takes the inputs \(x\), not 0 inputs$"),
        (lambda: nn.ReLU()(X, X), r"^relu, ReLU\(\): it takes the inputs \(x\), not 2 inputs$"),
        (lambda: nn.ReLU()(X, out=X), r"not 1 input and out=…$"),
        (lambda: Twice()(X), r"^twice/layer, Linear\(.*\): .* \(x\), not 2 inputs$"),
        (
            lambda: nn.RNNCell(2, 4, rng=rng())(X, X, X),
            r"^rnncell, RNNCell\(.*\): it takes the inputs \(x, h=None\), not 3 inputs$",
        ),
        (lambda: model_of(2, 3)(X, X), r"^sequential, Sequential\(.*\): .* \(x\), not 2 inputs$"),
        (
            lambda: nn.Sequential(nn.ReLU(), two_at_once)(X),
            r"^sequential, .*two_at_once\): it takes the inputs \(a, b\), not 1 input$",
        ),
    ],
)
def test_inputs_that_a_layer_does_not_take_are_told_with_its_name(call, said):
    with pytest.raises(mg.NodeTypeError, match=said):
        call()


def test_an_input_may_be_given_by_its_name():
    cell = nn.RNNCell(2, 2, rng=rng())
    assert np.array_equal(cell(X, h=X).value, cell(X, X).value)


def test_an_error_of_a_modules_own_is_not_taken_for_a_wrong_call():
    class Odd(nn.Module):
        def forward(self, x):
            return x + len(3)

    with pytest.raises(TypeError, match=r"object of type 'int' has no len") as raised:
        Odd()(X)
    assert not isinstance(raised.value, mg.MinigraphError)


def test_a_layer_is_called_and_not_a_class():
    with pytest.raises(mg.NodeTypeError, match="a layer is a module or a function, not <class"):
        nn.Sequential(nn.ReLU)
    with pytest.raises(NotImplementedError, match="Module has no method forward"):
        nn.Module()(1.0)
