"""A PyTorch program that is watched becomes a graph with PyTorch's own values and gradients."""

from __future__ import annotations

import gc
import threading
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from late import Late, package

import minigraph as mg
from minigraph import bridges
from minigraph.graph.promises import check_graph
from minigraph.widgets import zoom

torch = package("torch", reason="watches PyTorch: pip install torch")
nn, F = Late(lambda: torch.nn), Late(lambda: torch.nn.functional)


@pytest.fixture(autouse=True)
def _seeded():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def watch(*args, **options):
    return bridges.torch.watch(*args, **options)


def tensor(*shape, dtype=None):
    return torch.randn(*shape, dtype=dtype).requires_grad_()


def array(t):
    return t.detach().to(torch.float32 if t.dtype == torch.bfloat16 else t.dtype).numpy()


def operations(node):
    return [x.op.name for x in mg.topological_order(node) if x.op]


def assert_agrees(program, *leaves, exact=True, model=None, **options):
    """Values, gradients, random numbers: what is watched equals what is not, and its graph both."""
    state = torch.get_rng_state()
    plain = program(*leaves)
    wanted = torch.autograd.grad(plain, leaves, allow_unused=True)
    after = torch.get_rng_state()
    torch.set_rng_state(state)
    with watch(model, **options) as seen:
        y = program(*leaves)
    assert torch.equal(torch.get_rng_state(), after)
    assert torch.equal(y, plain)
    node = seen[y]
    check_graph(mg.topological_order(node))
    np.testing.assert_array_equal(node.value, array(y))
    got = torch.autograd.grad(y, leaves, allow_unused=True)
    node.backward()
    recording = mg.record(seen, y)
    places = {x: f"n{i}" for i, x in enumerate(mg.topological_order(node))}
    for leaf, theirs, mine in zip(leaves, wanted, got):
        if theirs is None:
            assert mine is None
            assert leaf not in seen or seen[leaf].grad is None
            continue
        assert torch.equal(theirs, mine)
        found = seen[leaf]
        equal = np.testing.assert_array_equal if exact else np.testing.assert_allclose
        tolerance = {} if exact else {"rtol": 1e-5, "atol": 1e-6}
        equal(found.grad, array(theirs), **tolerance)
        if found.size <= 256:  # a recording keeps a summary of what is larger
            equal(recording.gradients[places[found]], array(theirs), **tolerance)
    return seen, node


# --- networks -------------------------------------------------------------------------------------


def assert_model_agrees(model, loss_of, **tensors):
    """Each parameter's gradient is what `loss.backward()` leaves."""
    state = torch.get_rng_state()
    with watch(model, **tensors) as seen:
        loss = loss_of(model)
    mg.draw(seen, loss)
    node = seen[loss]
    node.backward()
    loss.backward()
    for name, p in model.named_parameters():
        assert seen[p].name == name
        np.testing.assert_array_equal(seen[p].grad, p.grad.numpy(), err_msg=name)
    watched = [p.grad for p in model.parameters()]
    model.zero_grad()
    torch.set_rng_state(state)
    plain = loss_of(model)
    plain.backward()
    assert torch.equal(plain, loss)
    assert all(map(torch.equal, watched, [p.grad for p in model.parameters()]))
    return seen, node


def test_a_small_network():
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    x, t = torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1])
    seen, node = assert_model_agrees(model, lambda m: F.cross_entropy(m(x), t), x=x, t=t)
    assert operations(node) == ["linear", "tanh", "linear", "cross_entropy"]
    assert seen[x].name == "x"
    assert not seen[x].requires_grad
    assert seen[model[2].weight].scope == "2"
    assert seen.operations == 4


def test_a_convolutional_network():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)
            self.norm = nn.BatchNorm2d(4)
            self.head = nn.Linear(4 * 3 * 3, 3)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
            return self.head(x.flatten(1))

    model, twin = Net(), Net()
    x, t = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 1])
    _, node = assert_model_agrees(model, lambda m: F.cross_entropy(m(x), t))
    assert "max_pool2d" in operations(node)
    twin(x), twin(x)
    assert torch.equal(twin.norm.num_batches_tracked, model.norm.num_batches_tracked)


def test_statistics_of_a_batch_are_not_changed_by_looking():
    norm = nn.BatchNorm1d(3)
    x = torch.randn(6, 3)
    with watch(norm) as seen:
        loss = norm(x).square().sum()
    before = norm.running_mean.clone()
    node = seen[norm.running_mean]
    shown = np.array(node.value)
    mg.record(seen, loss)
    mg.record(seen, loss)
    assert torch.equal(norm.running_mean, before)
    np.testing.assert_array_equal(node.value, shown)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_recurrent_layers(kind):
    model = getattr(nn, kind)(3, 4, num_layers=2, batch_first=True)
    x = torch.randn(2, 5, 3)
    _, node = assert_model_agrees(model, lambda m: m(x)[0].square().mean())
    assert operations(node)[0] in ("lstm", "gru", "rnn_tanh")


def test_all_results_of_a_lstm_bring_their_gradients():
    model = nn.LSTM(3, 4)
    parameters, x = [*model.parameters()], torch.randn(5, 2, 3)

    def program(*parameters):
        y, (h, c) = model(x)
        return y.sum() + (h * c).sum()

    assert_agrees(program, *parameters, exact=False, model=model)


@Late
def Block():
    class Block(nn.Module):
        """A transformer block in plain PyTorch."""

        def __init__(self, width=8, heads=2):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

        def forward(self, x):
            b, n, d = x.shape
            q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
            q, k, v = (u.view(b, n, self.heads, -1).transpose(1, 2) for u in (q, k, v))
            scores = q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5
            mask = torch.ones(n, n, dtype=torch.bool).tril()
            weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
            x = x + self.out((weights @ v).transpose(1, 2).reshape(b, n, d))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    return Block


@Late
def Transformer():
    class Transformer(nn.Module):
        def __init__(self, blocks=2):
            super().__init__()
            self.embed = nn.Embedding(11, 8)
            self.blocks = nn.ModuleList(Block() for _ in range(blocks))
            self.norm = nn.LayerNorm(8)

        def forward(self, tokens):
            x = self.embed(tokens)
            for block in self.blocks:
                x = block(x)
            return self.norm(x) @ self.embed.weight.T  # tied

    return Transformer


def test_a_transformer_folds_by_module():
    model = Transformer()
    tokens = torch.randint(11, (2, 5))
    _, node = assert_model_agrees(
        model, lambda m: F.cross_entropy(m(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    )
    scopes = {x.scope for x in mg.topological_order(node)}
    assert {"embed", "blocks.0", "blocks.0/qkv", "blocks.1/down", "norm"} <= scopes
    folded = repr(mg.draw(node, folded=True))
    assert "blocks.0" in folded
    assert "gelu" not in folded
    masks = [x for x in node.leaves() if x.dtype == bool]
    assert [x.scope for x in masks] == ["blocks.0", "blocks.1"]
    zoomed = zoom(node)
    assert "blocks.0–1 ×2" in repr(zoomed)


def test_the_layers_of_pytorch():
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    x = torch.randn(2, 5, 8)
    _, node = assert_model_agrees(model, lambda m: m(x).square().mean())
    assert any("multi_head_attention_forward()#" in x.scope for x in mg.topological_order(node))
    mg.draw(node, opened=True)


# --- what a program does --------------------------------------------------------------------------


def test_operations_that_minigraph_has_bear_its_names_and_formulas():
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    with watch(x=x, y=y) as seen:
        z = torch.tanh(1 - x * y) / 2 + (-y).exp() ** 2
    node = seen[z]
    assert operations(node) == [
        "multiply", "subtract", "tanh", "divide", "negative", "exp", "power", "add",
    ]  # fmt: skip
    table = mg.record(seen, z)
    product = next(n for n in table.nodes if n.operation == "multiply")
    assert product.formulas == ("y", "x")
    multiplied = [e for e in table.events if e.kind == "multiply" and e.user == product.id]
    assert [e.local for e in multiplied] == [3.0, 2.0]
    assert mg.record(seen, z, wrong="sign").wrong == "sign"
    difference = next(x for x in mg.topological_order(node) if x.op and x.op.name == "subtract")
    assert [x.value for x in difference.inputs] == [1.0, -5.0 + 11.0]


@pytest.mark.parametrize(
    "program",
    [
        lambda x, w: (x @ w).relu().sum(),
        lambda x, w: (x[:, 0] * w[0]).sum() + x[1, 2],
        lambda x, w: torch.cat([x, w.T], dim=0)[::2].pow(3).mean(),
        lambda x, w: torch.stack([x, w.mT]).amax(),
        lambda x, w: x.max(dim=1).values.sum() * w.sum(),
        lambda x, w: sum((part * part).sum() for part in x.split(2, dim=1)) * w[0, 0],
        lambda x, w: torch.einsum("ij,jk->ik", x, w).square().sum(),
        lambda x, w: x.t().contiguous().view(-1).cumsum(0).sum() * w.norm(),
        lambda x, w: torch.where(x > 0, x, 0.1 * x).sum() + w.clamp(min=0).sum(),
        lambda x, w: x[x > 0].sum() * w[torch.tensor([0, 0, 2])].sum(),
        lambda x, w: F.softmax(x, 1).log().sum() + F.log_softmax(w, 0).sum(),
        lambda x, w: F.mse_loss(x, w.T) + F.smooth_l1_loss(x, w.T),
        lambda x, w: F.normalize(x).sum() + F.pad(w, (1, 1)).square().sum(),
        lambda x, w: torch.linalg.inv(x @ x.T + torch.eye(3)).trace() + w.sum(),
        lambda x, w: sum(row.sum() ** 2 for row in x) + len(w) * w.mean(),
        lambda x, w: x.double().sum().float() * w.half().float().sum(),
        lambda x, w: x.sum() * w.sum() if x.sum() > 0 else x.mean() - w.mean(),
        lambda x, w: (2**x).sum() + (1 / w).sum() + (x % 2).sum() + abs(w).sum(),
        lambda x, w: x.unbind(1)[1].sum() + torch.sort(w, dim=0)[0][1].sum(),
        lambda x, w: torch.addmm(torch.ones(3, 3), x, w, alpha=2).sum(),
    ],
)
def test_programs(program):
    assert_agrees(program, tensor(3, 4), tensor(4, 3))


def test_stretched_inputs_add_up_and_their_local_derivatives_do_not():
    x, b = tensor(5, 3), tensor(3)
    _, node = assert_agrees(lambda x, b: (x * b).sum(), x, b, exact=False, x=x, b=b)
    local = [e.local for e in mg.record(node).events if e.kind == "multiply" and e.slot == 1]
    np.testing.assert_array_equal(local[0], array(x))


def test_changes_in_place_make_other_nodes():
    def program(x):
        y = x * 2
        z = y + 1
        y += 1
        y.mul_(x)
        y[0] = 5
        y[1:, 1] = x[0, 0]
        return (y * y).sum() + z.sum()

    assert_agrees(program, tensor(3, 4))


def test_a_change_through_a_view_is_one_of_the_whole_and_of_other_views():
    def program(x, w):
        y = x * 1
        row, column = y[0], y[:, 1]
        row.add_(w)
        column *= 3
        y.t()[2].zero_()
        return (row * row).sum() + column.sum() + (y * w).sum()

    assert_agrees(program, tensor(3, 4), tensor(4), exact=False)


def test_sums_of_what_lies_apart_in_memory_may_round_in_another_way():
    def program(x):
        left, right = (x * 3).split(5, dim=1)
        return left.sum() + right.sum() * right.norm() + right.softmax(0).mean()

    for n in range(8):
        torch.manual_seed(n)
        assert_agrees(program, tensor(61, 10), exact=False)


def test_a_row_that_is_overwritten_with_the_same_numbers_has_another_gradient():
    def program(w):
        y = torch.zeros(2, 3)
        y[0].copy_(w * 0)
        return (y + 1).square().sum()

    assert_agrees(program, tensor(3))


def test_what_has_no_gradient_is_shown_without():
    def program(x):
        with torch.no_grad():
            scale = x.abs().max()
        return (x / scale * x.detach()).sum()

    _, node = assert_agrees(program, tensor(4), exact=False)
    kinds = {n.op.name: n.requires_grad for n in mg.topological_order(node) if n.op}
    assert kinds["detach"] is kinds["max"] is False


def test_an_optimizer_makes_another_variable_of_the_same_name():
    model = nn.Linear(2, 1)
    x = torch.randn(4, 2)
    with watch(model) as seen:
        first = model(x).square().mean()
        first.backward()
        with torch.no_grad():  # what SGD does
            for p in model.parameters():
                p.add_(p.grad, alpha=-0.1)
                p.grad = None
        second = model(x).square().mean()
    second.backward()
    seen[second].backward()
    np.testing.assert_array_equal(seen[model.weight].grad, model.weight.grad.numpy())
    weights = [next(x for x in seen[y].leaves() if x.name == "weight") for y in (first, second)]
    assert weights[0] is not weights[1]
    assert not np.array_equal(weights[0].value, weights[1].value)


def test_a_parameter_that_is_changed_row_by_row_is_another_variable():
    w = tensor(3, 2)
    with watch() as seen:
        before = (w * w).sum()
        with torch.no_grad():
            row = w[1]
            row.zero_()
            w[0] = row + 1
        after = (w * w).sum()
    for y in (before, after):
        node = seen[y]
        (leaf,) = (x for x in node.leaves() if x.requires_grad)
        node.backward()
        np.testing.assert_array_equal(leaf.grad, 2 * leaf.value)
    np.testing.assert_array_equal(leaf.value, array(w))


def test_what_goes_wrong_in_watching_does_not_disturb_the_program(monkeypatch):
    from minigraph.bridges import torch_watching

    x = tensor(3)
    with watch() as seen:
        a = x * 2
        with monkeypatch.context() as patch:
            patch.setattr(torch_watching.Program, "_call", lambda *args: 1 / 0)
            b = a.sin()
            c = a.clone()
            c += 1
        y = (b * c).sum()
    y.backward()
    assert x.grad is not None
    with pytest.raises(mg.NodeTypeError, match="sin could not be followed: division by zero"):
        seen[y]


def test_what_is_changed_after_the_block_changes_nothing():
    w = tensor(3)
    with watch() as seen:
        loss = (w * w).sum()
    value = loss.item()
    with torch.no_grad():
        w += 100
    recording = mg.record(seen, loss)
    assert recording.values[recording.output] == np.float32(value)


def test_hooks_see_and_change_gradients():
    told = []
    w = tensor(3)
    w.register_hook(lambda g: g * 2)

    def program(w):
        y = w * 3
        z = y * y
        y.register_hook(lambda g: told.append(g.clone()) or g + 1)
        return z.sum() + y.sum()

    assert_agrees(program, w)
    assert all(torch.equal(g, told[0]) for g in told)


def test_a_hook_belongs_to_what_a_tensor_was_when_it_was_registered():
    def after(x):
        y = x * 2
        y[0] = 5
        y.register_hook(lambda g: g * 3)
        return (y * y).sum()

    def before(x):
        y = x * 2
        y.register_hook(lambda g: g * 3)
        y.add_(x)
        y.register_hook(lambda g: g + 1)
        return (y * y).sum()

    assert_agrees(after, tensor(3))
    assert_agrees(before, tensor(3))
    w = tensor(3)
    w.register_hook(lambda g: g * 3)
    with watch() as seen:
        first = (w * 2).sum()
        with torch.no_grad():
            w += 1
        second = (w * w).sum()
    for loss in (first, second):
        (wanted,) = torch.autograd.grad(loss, w)
        node = seen[loss]
        node.backward()
        (leaf,) = (x for x in node.leaves() if x.requires_grad)
        np.testing.assert_array_equal(leaf.grad, wanted.numpy())


@Late
def Doubled():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):
            ctx.scale = scale
            return x.clone() * scale + 0 * x.sum()

        @staticmethod
        def backward(ctx, g):
            return g * 100, None

    return Doubled


def test_a_function_of_ones_own_is_one_node_with_its_own_backward():
    _, node = assert_agrees(lambda x: Doubled.apply(x * 1, 2).sum(), tensor(3))
    assert operations(node) == ["multiply", "Doubled", "sum"]


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_dropout_is_repeated_with_its_random_numbers(p):
    assert_agrees(lambda x: (F.dropout(x, p, training=True) * torch.rand(50)).sum(), tensor(50))


def test_what_gives_something_else_when_it_is_run_again_is_refused_by_name():
    generator = iter(range(1, 100))

    class Counting(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * next(generator)

        @staticmethod
        def backward(ctx, g):
            return g

    x = tensor(3)
    with watch() as seen:
        loss = Counting.apply(x).sum()
    message = "Counting gives something else when it is run again"
    with pytest.raises(mg.GradientError, match=message):
        seen[loss].backward()
    assert message in mg.record(seen, loss).events[-1].note


def test_a_function_that_rounds_by_the_place_in_memory_is_differentiated():
    x = torch.randn(3, 4, requires_grad=True, generator=torch.Generator().manual_seed(0))
    with bridges.torch.watch(x=x) as seen:
        y = torch.linalg.det(x[:, :3])  # another algorithm for a part of an array than for a whole
    seen[y].backward()
    y.backward()
    np.testing.assert_allclose(seen[x].grad, x.grad.numpy(), 1e-5, 1e-5)


def test_a_shared_parameter_is_one_variable():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    x = torch.randn(2, 3)
    _, node = assert_model_agrees(model, lambda m: m(x).square().sum())
    assert [x.name for x in node.leaves() if x.requires_grad] == ["0.weight", "0.bias", "1.bias"]


def test_a_module_that_runs_again_has_a_scope_for_each_run():
    cell = nn.RNNCell(2, 3)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = cell, nn.Linear(3, 1)

        def forward(self, xs):
            h = torch.zeros(1, 3)
            for x in xs:
                h = self.cell(x, h)
            return self.head(h).sum()

    xs = torch.randn(4, 1, 2)
    _, node = assert_model_agrees(Net(), lambda m: m(xs))
    scopes = {x.scope for x in mg.topological_order(node) if x.op and "cell" in x.scope}
    assert scopes == {"cell 1", "cell 2", "cell 3", "cell 4"}
    assert {x.scope for x in node.leaves() if x.name and x.name.startswith("cell")} == {""}


def test_models_that_are_not_named_bear_the_names_of_their_classes():
    x = torch.randn(2, 3)
    model = nn.Sequential(nn.Linear(3, 1))
    with watch() as seen:
        loss = nn.MSELoss()(model(x), torch.zeros(2, 1))
    assert seen[model[0].bias].name == "0.bias"
    assert seen[model[0].bias].scope == "Sequential/0"
    assert seen[loss].scope == "MSELoss"
    with mg.scope("step"), watch() as seen:
        loss = model(x).sum()
    assert seen[model[0].bias].scope == "step/Sequential/0"
    assert seen[loss].scope == "step"


# --- dtypes and tensors of other kinds ------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_dtypes(dtype):
    dtype = getattr(torch, dtype)
    x, w = tensor(3, 4, dtype=dtype), tensor(4, 2, dtype=dtype)
    seen, _ = assert_agrees(lambda x, w: (x @ w).tanh().sum(), x, w)
    assert ("bfloat16" in repr(seen)) == (dtype == torch.bfloat16)


def test_automatic_mixed_precision_is_repeated():
    def program(x, w):
        with torch.autocast("cpu", torch.bfloat16):
            return F.linear(x, w).float().square().sum()

    assert_agrees(program, tensor(3, 4), tensor(2, 4))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda x: torch.fft.fft(x).abs().sum(), "fft_fft gives torch.complex64"),
        (lambda x: (x.to_sparse() * 2).to_dense().sum(), r"to_sparse gives .*to_dense\(\)"),
        (lambda x: x.to("meta").sum(), 'gives on the device "meta".*cpu'),
        (lambda x: x.sum() + torch.func.vmap(lambda r: r * 2)(x).sum(), "torch.func"),
        (lambda x: x.sum() + torch.jit.script(_scripted)(x), "TorchScript"),
        (lambda x: _changed_data(x), "changed in place"),
        (lambda x: torch.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum(), "grad"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_shown_is_refused_by_name_and_disturbs_nothing(program, message):
    x = tensor(4, 4)
    with watch() as seen:
        y = program(x)
    assert y.device.type == "meta" or torch.equal(y, program(x))
    with pytest.raises(mg.NodeTypeError, match=message):
        mg.draw(seen, y)


def _scripted(x):
    return (x * x).sum()


def _changed_data(x):
    y = x * 1
    y.data.add_(1)
    return (y * y).sum()


@pytest.mark.filterwarnings("ignore")
def test_quantized_tensors_are_refused():
    x = tensor(4)
    with watch() as seen:
        y = torch.quantize_per_tensor(x.detach(), 0.1, 0, torch.qint8).dequantize() * x
    with pytest.raises(mg.NodeTypeError, match=r"quantize_per_tensor gives quantized.*dequantize"):
        seen[y]


def test_a_backward_hook_of_a_module_is_refused():
    model = nn.Linear(2, 1)
    model.register_full_backward_hook(lambda module, given, g: None)
    with watch(model) as seen:
        y = model(torch.ones(1, 2)).sum()
    with pytest.raises(mg.NodeTypeError, match="backward hook"):
        seen[y]


def test_what_was_not_seen_is_refused():
    x = tensor(2)
    with watch() as seen:
        y = x.sum()
    with pytest.raises(mg.NodeTypeError, match=r"shape \(2,\)"):
        seen[x * 2]
    with pytest.raises(mg.NodeTypeError, match="takes a tensor, not float"):
        seen[1.0]
    with pytest.raises(mg.NodeTypeError, match=r"record\(seen, loss\)"):
        mg.record(seen)
    with pytest.raises(mg.NodeTypeError, match=r"play\(seen, loss\)"):
        mg.play(seen)
    with pytest.raises(mg.NodeTypeError, match=r"zoom\(seen, loss\)"):
        zoom(seen)
    with pytest.raises(TypeError):
        iter(seen)
    assert y in seen
    assert 3 not in seen
    with pytest.raises(mg.NodeTypeError, match=r"torch\.nn\.Module, not list"), watch([]):
        pass
    with pytest.raises(mg.NodeTypeError, match="a is to be a tensor"), watch(a=1):
        pass


def test_second_derivatives_are_refused():
    x = tensor(2)
    with watch() as seen:
        y = (x**3).sum()
    with pytest.raises(mg.GradientError, match="PyTorch's, which are numbers"):
        mg.grad(seen[y], seen[x])


# --- the block ------------------------------------------------------------------------------------


def modes():
    return len(torch.overrides._get_current_function_mode_stack())


def hooks():
    module = torch.nn.modules.module
    return len(module._global_forward_hooks) + len(module._global_forward_pre_hooks)


def test_the_block_ends_after_an_error():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 3))
    apply = torch.autograd.Function.__dict__["apply"]
    with watch(model) as seen:
        with pytest.raises(RuntimeError):
            model(torch.ones(1, 2))
        y = model[0](torch.ones(1, 2)).sum()
    assert seen[y].scope == ""
    assert seen[y].inputs[0].scope == "0 #2"
    with pytest.raises(ZeroDivisionError), watch(model):
        1 / 0  # noqa: B018
    assert modes() == hooks() == 0
    assert torch.autograd.Function.__dict__["apply"] is apply


def test_blocks_within_one_another_both_see():
    x = tensor(3)
    with watch() as outer:
        a = x * 2
        with watch() as inner:
            b = Doubled.apply(F.gelu(a).sum(), 2)
        c = F.mse_loss(b, torch.zeros(()))
    outer[c].backward()
    c.backward()
    np.testing.assert_array_equal(outer[x].grad, x.grad.numpy())
    assert operations(inner[b]) == ["gelu", "sum", "Doubled"]
    assert c not in inner
    assert modes() == 0


def test_blocks_of_generators_end_in_any_order():
    x = tensor(3)

    def steps():
        with watch() as seen:
            for n in range(3):
                yield seen, x * n

    one, other = steps(), steps()
    seen, _ = next(one)
    next(other)
    one.close()
    assert modes() == 1
    y = x * 3
    assert y not in seen
    _, z = next(other)
    other.close()
    del one, other
    gc.collect()
    assert modes() == hooks() == 0
    assert z.grad_fn is not None


def test_another_thread_is_not_watched():
    model, results = nn.Linear(2, 1), []
    with watch(model) as seen:
        thread = threading.Thread(target=lambda: results.append(model(torch.ones(1, 2))))
        thread.start()
        thread.join()
        y = model(torch.ones(1, 2)).sum()
    assert seen.operations == 2
    assert results[0] not in seen
    assert seen[y].inputs[0].scope == ""


def test_a_block_that_is_open_may_be_looked_at():
    x = tensor(2)
    with watch() as seen:
        y = (x * x).sum()
        before = seen.operations
        mg.record(seen, y)
        seen[y].backward()
        assert seen.operations == before
        y.backward()
    np.testing.assert_array_equal(seen[x].grad, x.grad.numpy())


# --- what shows it --------------------------------------------------------------------------------


def test_everything_that_shows_a_graph_shows_it():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = torch.randn(4, 2)
    with watch(model, x=x) as seen:
        y = model(x)
        loss = F.mse_loss(y, torch.ones(4, 1))
    assert "0.weight" in mg.draw(seen, [y, loss]).svg
    assert zoom(seen, loss).output is seen[loss]
    assert zoom(seen, loss, "2").path == "2"
    player = mg.play(seen, loss, "backward", folded=True)
    assert player.passes == "backward"
    assert len(mg.play(seen[loss]).view["steps"]) == len(mg.play(seen, loss).view["steps"])
    nudged = mg.record(seen, loss, nudge={"0.bias": 0.001})
    done = nudged.events[-1]
    assert done.before == pytest.approx(done.value, rel=1e-2)
    again = mg.Graph(seen[loss], [seen[x]])
    assert again.run({"x": x.numpy()}) == seen[loss].value
    with torch.no_grad():
        other = F.mse_loss(model(x * 2), torch.ones(4, 1)).item()
    assert again.run({"x": 2 * x.numpy()}) == np.float32(other)
    with pytest.raises(mg.FormatError):
        mg.to_json(seen[loss])
    recording = mg.record(seen, loss)
    assert type(recording).from_json(recording.to_json()).gradients.keys() == (
        recording.gradients.keys()
    )


def test_a_long_program_is_folded():
    w = tensor(())
    with watch(w=w) as seen:
        y = w
        for n in range(2_000):
            y = y * 0.999
            if n == 300:
                early = y
    assert seen.operations == 2_000
    assert len(mg.draw(seen, y).svg) < 200_000
    early.backward()
    seen[early].backward()
    assert seen[w].grad == w.grad.numpy()


def test_a_system_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "minigraph\[torch\]"'):
        watch()


# --- random programs ------------------------------------------------------------------------------


def _add(x, y):
    return x.add_(y)


def _write_row(x, y):
    x[1] = y[0]
    return x


def _through_view(x, y):
    x[:, 1].mul_(y[:, 2])
    return x


@cache
def functions():
    """Functions of one array, of two, and those that change their first."""
    return [
        torch.tanh, torch.sin, torch.sigmoid, F.gelu, torch.neg, torch.square, F.softplus,
        lambda x: F.softmax(x, -1), lambda x: x.cumsum(-1), lambda x: x.mT.contiguous().mT,
        lambda x: x[..., [2, 0, 1]], lambda x: x.detach(), lambda x: x * 0.5, lambda x: 1 - x,
        lambda x: torch.cat(x.split([1, 2], -1)[::-1], -1), lambda x: F.layer_norm(x, (3,)),
    ], [
        torch.add, torch.sub, torch.mul, torch.maximum, torch.matmul,
        lambda x, y: torch.lerp(x, y, 0.3), lambda x, y: torch.where(x > y, x, y),
        lambda x, y: x / (y.abs() + 1), lambda x, y: x[0] + y,
    ], [_add, _write_row, _through_view]  # fmt: skip


STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_random_programs(steps):
    torch.manual_seed(1)
    leaves = [tensor(3, 3, dtype=torch.float64) for _ in range(2)]
    unary, binary, changes = functions()
    all_of_them = unary + binary + changes

    def program(*leaves):
        held = [x.clone() for x in leaves]
        for which, one, other in steps:
            f = all_of_them[which % len(all_of_them)]
            x, y = held[one % len(held)], held[other % len(held)]
            if f in changes:
                try:
                    x = f(x.clone() if one % 2 else x * 1, y)
                except RuntimeError:
                    continue
                held.append(x)
            else:
                held.append(f(x) if f in unary else f(x, y))
        return sum(x.sum() for x in held)

    with watch() as seen:
        y = program(*leaves)
    wanted = torch.autograd.grad(y, leaves)
    seen[y].backward()
    for leaf, theirs in zip(leaves, wanted):
        np.testing.assert_allclose(seen[leaf].grad, theirs.numpy(), rtol=1e-9, atol=1e-12)


def test_blocks_that_repeat_are_one_box():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(3, 3), nn.Tanh()) for _ in range(12)))
    with watch(model) as seen:
        y = model(tensor(2, 3)).sum()
    assert [button.description for button in zoom(seen, y).inside.children] == ["0–11 ×12"]
