"""PyTorch programs become Graphs, and Graphs PyTorch modules: same values, same gradients."""

from __future__ import annotations

import numpy as np
import pytest

import minigraph as mg
from minigraph import bridges

torch = pytest.importorskip("torch", reason="translates PyTorch: pip install torch")
nn, F = torch.nn, torch.nn.functional
leaves_of = torch.utils._pytree.tree_leaves
EPS = {torch.float32: 1.2e-7, torch.float64: 2.2e-16}


@pytest.fixture(autouse=True)
def _seeded():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def tensor(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype).requires_grad_()


def tensors_in(x):
    return [y for y in leaves_of(x) if isinstance(y, torch.Tensor)]


def assert_same(found, tensor, digits=200):
    """Numbers of the same dtype, apart by a small multiple of its precision."""
    wanted = tensor.detach().numpy()
    found = np.asarray(found)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    eps = EPS.get(tensor.dtype, 0) * digits
    scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0) if eps else 0
    np.testing.assert_allclose(found, wanted, rtol=eps, atol=eps * scale)


def translated(program, *examples, digits=200, **named):
    """Translate a program, compare values and gradients with PyTorch's, and return the Graph."""
    graph = bridges.torch.from_torch(program, *examples, **named)
    results = tensors_in(program(*examples, **named))
    found = graph.run()
    for y, wanted in zip([found] if graph.is_single else found, results, strict=True):
        assert_same(y, wanted, digits)
    given = tensors_in((examples, named))
    places = {x.name: x for x in graph.inputs}
    leaves = dict(zip(places, given))
    leaves |= dict(program.named_parameters()) if isinstance(program, nn.Module) else {}
    leaves = {name: x for name, x in leaves.items() if x.requires_grad and name in places}
    weighed = [(y, n) for y, n in zip(results, graph.outputs) if y.requires_grad]
    if not leaves or not weighed:
        return graph
    loss, total = 0.0, 0.0
    for y, n in weighed:
        weights = torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)
        loss, total = loss + (y * weights).sum(), total + mg.sum(n * weights.numpy())
    total.backward()
    wanted = torch.autograd.grad(loss, [*leaves.values()], allow_unused=True)
    for (name, x), g in zip(leaves.items(), wanted):
        found = places[name].grad
        found = np.zeros_like(places[name].value) if found is None else found
        assert_same(found, torch.zeros_like(x) if g is None else g, digits)
    return graph


# --- programs -------------------------------------------------------------------------------------


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.embed = nn.Embedding(11, 8)
        self.blocks = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 11)

    def forward(self, words, mask=None):
        return self.head(self.blocks(self.embed(words), mask=mask, is_causal=False))


def test_a_transformer():
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    model = Transformer().double().eval()
    graph = translated(model, torch.randint(11, (3, 5)), mask=mask)
    assert [x.name for x in graph.inputs[:3]] == ["words", "mask", "embed.weight"]
    scopes = {node.scope.partition("(")[0] for node in graph.order}
    assert {"embed", "head", "blocks/layers.1/norm2/layer_norm", "blocks/layers.0/gelu"} <= scopes


def test_a_convolutional_net_in_float32():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, groups=2, stride=2, dilation=1), nn.GroupNorm(2, 4), nn.SiLU(),
        nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(8, 3),
    ).eval()  # fmt: skip
    model[1].running_mean += 0.5
    translated(model, tensor(2, 1, 14, 14, dtype=torch.float32), digits=2000)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_recurrent_nets(kind):
    model = kind(3, 4, bidirectional=True, batch_first=True).double()
    translated(model, tensor(2, 3, 3))


def test_a_loss_as_a_function_of_what_lies_around_it():
    model, w = nn.Linear(3, 2).double(), tensor(3)

    def loss(x, t):
        return F.cross_entropy(model(x * w), t)

    graph = translated(loss, tensor(4, 3), torch.tensor([0, 1, 1, 0]))
    assert [x.name for x in graph.inputs] == ["x", "t", "model.weight", "model.bias", "w"]
    assert graph.run({"x": np.zeros((4, 3))}) == pytest.approx(
        loss(torch.zeros(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])).item()
    )


def test_changes_in_place_through_views():
    def program(x):
        y = x * 2
        y[0] = 1.0
        column = y[:, 1]
        column += x[:, 0]
        y.T.mul_(3.0)
        y.view(-1)[2:4].zero_()
        copied = y.T.reshape(-1)
        copied[0] = 9.0
        left, right = y[:, :2], y[:, 2:]
        y += x
        return y + column.sum(), copied, left * right

    translated(program, tensor(3, 4))


def test_what_has_no_gradient_has_none():
    def program(x):
        with torch.no_grad():
            y = torch.tanh(x)
        return x * y + x.detach() * x

    translated(program, tensor(3))


def test_shared_parameters_are_one_variable_and_runs_of_a_module_have_numbers():
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    model[2].weight = model[0].weight
    graph = translated(model, tensor(2, 3))
    assert [x.name for x in graph.inputs] == ["input", "0.weight", "0.bias", "2.bias"]
    graph = translated(lambda x: model(model(x)), tensor(2, 3))
    assert {"model 1/0", "model 2/0"} <= {node.scope for node in graph.order}
