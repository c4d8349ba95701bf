"""PyTorch programs become Graphs, and Graphs PyTorch modules: same values, same gradients."""

from __future__ import annotations

import fuzz
import fuzz_programs
import numpy as np
import pytest
from cases import CASES
from examples import drawn, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from late import Late, package

import minigraph as mg
from minigraph import bridges
from minigraph.core.operation import OPERATIONS

torch = package("torch", reason="translates PyTorch: pip install torch")
nn, F = Late(lambda: torch.nn), Late(lambda: torch.nn.functional)
leaves_of = Late(lambda: torch.utils._pytree.tree_leaves)
EPS = {"float32": 1.2e-7, "float64": 2.2e-16}


@pytest.fixture(autouse=True)
def _seeded():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def tensor(*shape, dtype=None):
    return torch.randn(*shape, dtype=dtype or torch.float64).requires_grad_()


def tensors_in(x):
    return [y for y in leaves_of(x) if isinstance(y, torch.Tensor)]


def assert_same(found, tensor, digits=200):
    """Numbers of the same dtype, apart by a small multiple of its precision."""
    wanted = tensor.detach().numpy()
    found = np.asarray(found)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    eps = EPS.get(found.dtype.name, 0) * digits
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


@Late
def Transformer():
    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
            self.embed = nn.Embedding(11, 8)
            self.blocks = nn.TransformerEncoder(layer, 2)
            self.head = nn.Linear(8, 11)

        def forward(self, words, mask=None):
            return self.head(self.blocks(self.embed(words), mask=mask, is_causal=False))

    return Transformer


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


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_nets(kind):
    model = getattr(nn, kind)(3, 4, bidirectional=True, batch_first=True).double()
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


def written_numbers(x):
    with torch.no_grad():
        scales = torch.tensor([1.0, 2.0, 4.0])
    offsets = torch.tensor([0.5, 0.25, 0.125])
    offsets[1:] *= 3
    offsets[0] = x.sum()
    return x * scales.to(x.dtype) + offsets.to(x.dtype)


def through_the_same(x):
    is_large = x > 0
    is_large.contiguous()[0] = True
    y = x * 1
    y.to(x.dtype)[1:] += 1
    return y * y * is_large


@pytest.mark.parametrize("program", [written_numbers, through_the_same])
def test_numbers_that_a_program_writes_and_views_of_all_of_a_tensor(program):
    translated(program, tensor(2, 3, dtype=torch.float32))


def test_written_numbers_are_one_constant():
    graph = bridges.torch.from_torch(lambda x: x * torch.tensor([1.0, 2.0, 4.0]), torch.ones(3))
    assert [node.op.name for node in graph.order if node.op] == ["multiply"]


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


# --- every operation of the table, to PyTorch and back --------------------------------------------


def random_programs():
    """Graphs of programs of any kind: all functions, dtypes, and indices that go backwards."""
    for seed in range(150):
        program = fuzz_programs.drawn(seed)
        if program.is_odd or "own_" in str(program) or "checkpoint" in str(program):
            continue
        makes = [mg.variable if x.is_variable else mg.constant for x in program.leaves]
        leaves = {
            x.name: make(x.value, name=f"{x.name} {seed}") for x, make in zip(program.leaves, makes)
        }
        try:
            known = fuzz_programs.run(program, leaves, fuzz.Minigraph())
        except mg.ShapeError:  # what the largest of no elements is
            continue
        nodes = [known[y] for y in program.outputs if isinstance(known[y], mg.Node)]
        if nodes:
            yield mg.Graph(nodes, [])


def digits_of(graph):
    kinds = {x.dtype.type for x in graph.order}
    return 2e-2 if np.float16 in kinds else 1e-4 if np.float32 in kinds else 1e-10


def gradients(outputs):
    """What a loss that weighs all outputs leaves in the variables, by name."""
    loss = 0.0
    for y in outputs:
        if y.requires_grad:
            loss = loss + mg.sum(mg.astype(y, np.float64) * weights(y.shape, np.float64))
    leaves = mg.topological_order(loss) if isinstance(loss, mg.Node) else []
    for x in leaves:
        x.grad = None
    if leaves:
        loss.backward()
    return {x.name: x.grad for x in leaves if x.op is None and x.grad is not None}


def close(found, wanted, digits):
    """The same dtype and shape, and numbers to a precision; what overflows in one may not there."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_allclose(found, wanted, digits, digits)


def close_gradients(found, wanted, digits):
    """The same numbers by name; none is the same as zeros."""
    for name, g in wanted.items():
        if np.isfinite(g).all():
            other = np.zeros_like(g) if found.get(name) is None else np.asarray(found[name])
            scale = np.max(np.abs(g), initial=1.0)
            np.testing.assert_allclose(other, g, digits, digits * scale, err_msg=name)


def same_in_pytorch(graph):
    """Compare a graph with the module made of it, in values and gradients; return the module."""
    module, digits = bridges.torch.to_torch(graph), digits_of(graph)
    results = module()
    for found, y in zip(results, graph.run(), strict=True):
        close(found.detach().numpy(), y, digits)
    weighed = [
        (y.double() * torch.from_numpy(weights(tuple(y.shape), np.float64))).sum()
        for y in results
        if y.requires_grad
    ]
    if wanted := gradients(graph.outputs):
        sum(weighed).backward()
        close_gradients({k: x.grad for k, x in module.named_parameters()}, wanted, digits)
    return module


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs_to_pytorch():
    seen, ran = set(), 0
    for graph in random_programs():
        same_in_pytorch(graph)
        seen |= {x.op.name for x in graph.order if x.op}
        ran += 1
    assert ran > 50
    assert seen == {*OPERATIONS}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_operation_and_its_gradient_are_the_same_in_pytorch_and_back():
    latest = []

    @given(data=st.data())
    @settings(max_examples=3)
    def to_pytorch(data):
        nodes = []
        for name in sorted(CASES):
            drawing = data.draw(drawn(name))
            makes = [mg.variable if i in drawing.by else mg.constant for i in range(9)]
            xs = [make(a, f"{name} {i}") for i, (make, a) in enumerate(zip(makes, drawing.arrays))]
            nodes.append(drawing.node(*xs))
        graph = mg.Graph(nodes, [])
        latest[:] = graph, same_in_pytorch(graph)

    to_pytorch()
    graph, module = latest
    back = bridges.torch.from_torch(module)  # once, for PyTorch takes long to export
    for found, y in zip(back.outputs, graph.outputs, strict=True):
        close(found.value, y.value, digits_of(mg.Graph(y)))
    close_gradients(gradients(back.outputs), gradients(graph.outputs), digits_of(graph))


def test_a_mask_goes_to_pytorch_and_back():
    """One that is written, one that is an input, and one that is computed."""
    x, rows = mg.variable(np.arange(6.0).reshape(2, 3), name="x"), np.array([False, True])
    mask = mg.constant(np.array([[True, False, True], [False, False, True]]), name="mask")
    picked = [x[rows], x[mask] * 2.0, x[:, mask[0]], x[np.array(True)], x[x > 4.0]]
    graph = mg.Graph(picked, [x, mask])
    back = bridges.torch.from_torch(same_in_pytorch(graph))
    wanted = [[[3.0, 4.0, 5.0]], [0.0, 4.0, 10.0], [[0.0, 2.0], [3.0, 5.0]], [x.value], [5.0]]
    for found, numbers in zip(back.run(), wanted, strict=True):
        np.testing.assert_array_equal(found, numbers)
    close_gradients(gradients(back.outputs), gradients(graph.outputs), 1e-12)


def test_what_a_mask_picks_has_the_size_that_the_examples_give():
    def program(x, t):
        chosen = x[t > 0]
        return torch.cat([chosen.softmax(0), x.masked_select(x > 0)]) / chosen.size(0)

    x, t = tensor(2, 3), torch.tensor([[1, 0, 1], [0, 0, 1]])
    graph = translated(program, x, t)
    with pytest.raises(mg.ShapeError, match=r"shape \(3,\)"):
        graph.run({"t": np.ones((2, 3), np.int64)})


# --- modules --------------------------------------------------------------------------------------


def test_a_module_that_came_from_pytorch_goes_back_with_its_names():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh()).eval()
    x = tensor(2, 3, dtype=torch.float32)
    module = bridges.torch.to_torch(bridges.torch.from_torch(model, x.detach()))
    names = {*module.state_dict()} - {"input"}
    assert names == {*model.state_dict()} - {"1.num_batches_tracked"}
    assert [name for name, _ in module.named_parameters()] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
    ]
    assert_same(module(x).detach().numpy(), model(x))
    module.load_state_dict({"0.weight": torch.zeros(4, 3)}, strict=False)
    assert not torch.equal(module(x), model(x))
    module(x).sum().backward()
    assert module.get_parameter("0.bias").grad is not None


def test_a_module_takes_a_batch_of_any_size():
    x, w = mg.placeholder("x", (4, 2)), mg.variable(np.ones((2, 3)), name="w")
    graph = mg.Graph(mg.mean(mg.softmax(x @ w) ** 2, axis=1), [x, w])
    module = bridges.torch.to_torch(graph, batch="x")
    for n in (4, 1, 7, 7):
        values = torch.randn(n, 2, dtype=torch.float64)
        assert_same(module(values).detach().numpy(), torch.full((n,), 1 / 9, dtype=torch.float64))
        assert module(x=values, w=torch.zeros(2, 3)).shape == (n,)
    with pytest.raises(
        mg.FeedError, match=r"x \(float64, shape \(4, 2\)\) was given shape \(3, 2\)"
    ):
        bridges.torch.to_torch(graph)(torch.ones(3, 2))
    with pytest.raises(mg.FeedError, match="cannot run without a value for x"):
        module()
    with pytest.raises(mg.FeedError, match=r"x .* is given twice"):
        module(values, x=values)
    with pytest.raises(mg.FeedError, match="no input 'X'"):
        module(X=values)
    with pytest.raises(mg.FeedError, match="has 2 inputs, and is given 3"):
        module(values, values, values)
    flat = mg.Graph([mg.reshape(x, -1), mg.broadcast_to(x[0, 0], 4)], [x])
    assert [y.shape for y in bridges.torch.to_torch(flat, batch="x")(values)] == [(14,), (7,)]
    fixed = mg.Graph(mg.reshape(x, (2, 4)), [x])
    with pytest.raises(mg.ShapeError, match=r"fits a batch of one size only.* translate .* again"):
        bridges.torch.to_torch(fixed, batch={"x": 0})(torch.ones(3, 2))


@pytest.mark.parametrize("size", [3, 5])
def test_a_batch_of_any_size_is_no_size_of_a_kernel_that_happens_to_be_equal(size):
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(2, 2, 3, groups=2), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(8, 2),
    ).double()  # fmt: skip
    graph = bridges.torch.from_torch(model, torch.randn(size, 1, 8, 8, dtype=torch.float64))
    module = bridges.torch.to_torch(graph, batch="input")
    for n in (1, 2, 7):
        x = torch.randn(n, 1, 8, 8, dtype=torch.float64)
        assert_same(module(x).detach().numpy(), model(x))


def test_a_batch_of_one_is_refused_where_no_other_size_fits():
    x = mg.placeholder("x", (3, 2))
    module = bridges.torch.to_torch(mg.Graph(x + np.ones((3, 2)), [x]), batch="x")
    for n in (1, 2):
        with pytest.raises(mg.ShapeError, match=r"the add .* fits a batch of one size only"):
            module(torch.ones(n, 2))


def test_an_imported_graph_is_saved_optimised_and_compiled():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)).double()
    x = tensor(5, 3)
    graph = bridges.torch.from_torch(model, x.detach())
    fed = {"input": 2 * x.detach().numpy()}
    for found in (graph.optimize().run(fed), graph.compile()(**fed)):
        assert_same(found, model(2 * x))
    again = mg.from_json(mg.to_json(graph.outputs[0]))
    assert_same(again.value, model(x))
    assert {node.name for node in again.leaves()} >= {"input", *dict(model.named_parameters())}


def test_only_the_table_goes_to_pytorch():
    @mg.custom(lambda g, out, x: g)
    def own(x):
        return x

    with pytest.raises(mg.TranslationError, match="no operation of the table"):
        bridges.torch.to_torch(mg.Graph(own(mg.variable(1.0)), []))
    with pytest.raises(mg.NodeTypeError, match="takes a Graph, not Node"):
        bridges.torch.to_torch(mg.variable(1.0))


# --- what is refused ------------------------------------------------------------------------------


def by_branch(x):
    if x.sum() > 0:
        return x
    return -x


def in_place(x):
    x += 1
    return x


def mixed(x):
    with torch.autocast("cpu", torch.bfloat16):
        return x @ x


@Late
def Straight():
    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sign()

        @staticmethod
        def backward(ctx, g):
            return g

    return Straight


BAD = {
    "a branch": (by_branch, "depends on values, in .*if x.sum.* torch.where"),
    "a number": (lambda x: x * x.sum().item(), "_local_scalar_dense.* in .*as an example"),
    "places": (lambda x: torch.nonzero(x), r"aten.nonzero .* in .*nonzero\(x\).* torch.where"),
    "random numbers": (lambda x: x + torch.rand(3), r"aten.rand .* in .*rand\(3\).* as an example"),
    "an unknown operator": (lambda x: torch.linalg.svd(x)[1], "_linalg_svd .* in .*svd"),
    "complex numbers": (lambda x: torch.fft.fft(x).real, "complex64 .* in .*fft.* real numbers"),
    "numbers that NumPy lacks": (
        lambda x: x.bfloat16() * 2,
        "no bfloat16, in .*compute in float32",
    ),
    "sparse tensors": (lambda x: x.to_sparse() * 2, "to_sparse gives torch.sparse_coo, in .*dense"),
    "a transform": (
        lambda x: torch.func.vmap(lambda a: a * 2)(x),
        r"torch.func cannot .* in .*vmap.* mg.grad",
    ),
    "a gradient inside": (
        lambda x: torch.func.grad(lambda a: (a * a).sum())(x),
        r"inside a torch.func transform.* in .*grad\(lambda",
    ),
    "two dtypes": (
        lambda x: x.double() @ x,
        r"matmul is given float64 and float32.* in .*@ x.*model.double\(\)",
    ),
    "two dtypes of a kernel": (
        lambda x: nn.Conv1d(3, 2, 2, dtype=torch.float64)(x),
        r"should be the same.* in .*Conv1d.*model.double\(\)",
    ),
    "autocast": (mixed, r"autocast.* outside torch.autocast"),
    "quantized numbers": (
        lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8).dequantize(),
        "quantize_per_tensor",
    ),
    "a changed example": (in_place, "the example x is changed in place, in .*x [+]= 1.*y = x"),
    "a function's own backward": (
        lambda x: Straight.apply(x),
        "Straight .* backward .* in .*apply",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_refused_is_named_with_its_line_and_what_to_write(kind):
    program, message = BAD[kind]
    with pytest.raises(mg.TranslationError, match=message):
        bridges.torch.from_torch(program, torch.ones(3, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Dropout(), r"dropout in training .* model.eval\(\)"),
        (lambda: nn.BatchNorm1d(3), r"the buffer .* model.eval\(\)"),
    ],
    ids=["dropout", "a batch's statistics"],
)
def test_layers_in_training_are_refused(make, message):
    with pytest.raises(mg.TranslationError, match=message):
        bridges.torch.from_torch(make(), torch.ones(3, 3))


def test_examples_that_no_node_holds_are_refused():
    for x, message in (
        (torch.ones(3, device="meta"), 'the example x is on the device "meta".*device="cpu"'),
        (torch.eye(3).to_sparse(), "the example x is torch.sparse_coo.*to_dense"),
        (torch.ones(3, dtype=torch.complex64), "the example x is torch.complex64.*view_as_real"),
    ):
        with pytest.raises(mg.TranslationError, match=message):
            bridges.torch.from_torch(lambda x: x * 2, x)
    with pytest.raises(mg.NodeTypeError, match=r"no arguments of the function: .* 'y'"):
        bridges.torch.from_torch(lambda x, y: x, torch.ones(3))
    for x, message in (
        (np.ones(3), r"not ndarray array\(.*torch.as_tensor\(x\) makes one"),
        ([mg.variable(2.0, name="w")], r"not Node <variable w.*torch.as_tensor\(x.value\)"),
    ):
        with pytest.raises(mg.NodeTypeError, match=message):
            bridges.torch.from_torch(lambda x: x, x)
    with pytest.raises(mg.NodeTypeError, match=r"no dynamic_shapes.*to_torch\(graph, batch="):
        bridges.torch.from_torch(lambda x: x, torch.ones(3), dynamic_shapes={"x": {0: None}})
    with pytest.raises(mg.NodeTypeError, match=r"a function or a torch.nn.Module, not int"):
        bridges.torch.from_torch(3)


def test_what_cannot_be_exported_is_told_by_the_error_alone(capfd):
    with pytest.raises(mg.TranslationError, match="depends on values"):
        bridges.torch.from_torch(by_branch, torch.ones(3))
    assert capfd.readouterr() == ("", "")
    with pytest.raises(mg.TranslationError, match='weight is on the device "meta"'):
        bridges.torch.from_torch(nn.Linear(3, 2, device="meta"), torch.ones(1, 3))


def test_operations_that_are_near_are_near_by_their_own_names():
    with pytest.raises(mg.TranslationError) as caught:
        bridges.torch.from_torch(torch.linalg.svd, torch.eye(3))
    assert "logical_and" not in str(caught.value)
