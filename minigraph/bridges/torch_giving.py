"""A Graph as a PyTorch module: a rule for each operation of the table, which computes with tensors.

The rules keep to NumPy's conventions where PyTorch has others: the dtype of a result, an index with
gaps, a reduction over no axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module, Parameter

from ..core.indexing import filled
from ..core.node import Node, is_symbolic
from ..errors import FeedError, NodeTypeError
from ..errors.shapes import axis_numbers
from ..graph.graph import Graph, expected
from ..graph.sliding import strides_of, windows
from .torch_dtypes import torch_dtype
from .translating import (
    QUESTIONS,
    Rule,
    Rules,
    batch_axes,
    computing_dtype,
    fed_to,
    names_of,
    resized,
    run,
    size_given,
)

TO = Rules("minigraph")


def given(graph: Graph, batch: str | Iterable[str] | Mapping[str, int]) -> Translated:
    """Translate a Graph into a module of PyTorch; see `to_torch`."""
    if not isinstance(graph, Graph):
        raise NodeTypeError(f"to_torch takes a Graph, not {type(graph).__name__} {graph!r:.40}")
    return Translated(graph, batch_axes(graph, batch))


class Translated(Module):
    """A Graph as a module: its variables are parameters, its constants are buffers.

    It is called with the values of the graph's inputs as `Graph.run` is, in their order or by name:
    a variable or a constant that is given none keeps its own.
    """

    def __init__(self, graph: Graph, axes: dict[Node, int]) -> None:
        super().__init__()
        self._graph, self._axes = graph, axes
        self._plans: dict[int, tuple[Graph, list[Any], dict[Node, Node]]] = {}
        self._steps = TO.of(graph)
        self._places: dict[Node, tuple[Module, str]] = {}
        leaves = [x for x in graph.order if x.op is None and not is_symbolic(x)]
        for x, name in names_of(leaves).items():
            self._places[x] = _stored(self, x, name)

    def forward(self, *values: Any, **named: Any) -> Any:
        """Compute the graph's outputs: a tensor, or a tuple of them for several."""
        fed = fed_to(self._graph, values, named)
        graph, steps, made = self._for_size(fed)
        known = {x: getattr(*place) for x, place in self._places.items()}
        known |= {made.get(x, x): self._tensor(x, made.get(x, x), v) for x, v in fed.items()}
        return graph.unpacked(tuple(run(graph, steps, known)))

    def _for_size(self, fed: Mapping[Node, Any]) -> tuple[Graph, list[Any], dict[Node, Node]]:
        """The graph for the size of the batch that is given, its rules, and its inputs by ours."""
        size = size_given(self._axes, fed)
        if size is None:
            return self._graph, self._steps, {}
        if size not in self._plans:
            graph, made = resized(self._graph, self._axes, size)
            self._plans[size] = graph, TO.of(graph), made
        return self._plans[size]

    def _tensor(self, x: Node, fit: Node, value: Any) -> Tensor:
        """A value for an input, in its dtype and shape."""
        dtype = torch_dtype(x.dtype)
        if not isinstance(value, Tensor):
            value = torch.as_tensor(value, device=self._device)
        if tuple(value.shape) != fit.shape:
            raise FeedError(f"the input {expected(fit)} was given shape {tuple(value.shape)}", (x,))
        if not x.dtype.kind == "f" and value.dtype.is_floating_point:
            raise FeedError(f"the input {expected(x)} was given {value.dtype}", (x,))
        return _cast(value, dtype)

    @property
    def _device(self) -> Any:
        return next((x.device for x in (*self.parameters(), *self.buffers())), None)

    def extra_repr(self) -> str:
        """What stands in the parentheses of its text."""
        return repr(self._graph)[1:-1]


def _stored(root: Module, x: Node, name: str) -> tuple[Module, str]:
    """Keep a leaf in a module: a name with dots lies in modules of these names, as in PyTorch."""
    value = torch.from_numpy(np.array(x.value))
    *path, last = name.split(".") if "" not in name.split(".") else [name.replace(".", "_")]
    owner: Module = root
    for part in path:
        inner = getattr(owner, part, None)
        if inner is None:
            owner.add_module(part, inner := Module())
        if not isinstance(inner, Module):
            owner, last = root, name.replace(".", "_")
            break
        owner = inner
    while hasattr(owner, last):
        last += "_"
    if x.requires_grad:
        owner.register_parameter(last, Parameter(value))
    else:
        owner.register_buffer(last, value, persistent=x.name is not None)
    return owner, last


_SPARSE = (torch.uint16, torch.uint32, torch.uint64)  # of which PyTorch hardly computes anything


def _rule(name: str, widens: bool = True) -> Callable[[Rule], Rule]:
    """State the rule of an operation; it computes in dtypes for which PyTorch has everything."""

    def decorate(rule: Rule) -> Rule:
        def call(node: Node, *inputs: Tensor, **attrs: Any) -> Tensor:
            if widens:
                inputs = tuple(_cast(x, torch.int64) if x.dtype in _SPARSE else x for x in inputs)
            return _cast(rule(node, *inputs, **attrs), torch_dtype(node.dtype))

        return TO.rule(name)(call)

    return decorate


def _cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x in a dtype; PyTorch exports a cast that changes nothing as well, as two operations."""
    return x if x.dtype == dtype else x.to(dtype)


def _working(dtype: np.dtype) -> torch.dtype:
    """The dtype in which PyTorch computes what NumPy computes in this one."""
    found = torch_dtype(dtype)
    return torch.int64 if found in _SPARSE else found


# --- elementwise ----------------------------------------------------------------------------------


def _elementwise(name: str, function: Callable[..., Any]) -> None:
    """State what computes an elementwise operation, in the dtype in which NumPy does."""

    @_rule(name, widens=False)
    def _(node: Node, *inputs: Tensor) -> Tensor:
        dtype = _working(computing_dtype(node))
        if dtype == torch.bool and name not in QUESTIONS:
            dtype = torch.uint8  # in which nothing is lost: whether any is not 0
        return function(*[_cast(x, dtype) for x in inputs])


for _name in (
    "add", "subtract", "multiply", "divide", "negative", "absolute", "square", "sqrt", "exp", "log",
    "sin", "cos", "tanh", "sign", "expm1", "exp2", "log1p", "log2", "log10", "logaddexp",
    "reciprocal", "hypot", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh",
    "arcsinh", "arccosh", "arctanh", "erf", "sigmoid", "relu", "maximum", "minimum", "xlogy",
    "remainder", "floor", "ceil", "not_equal", "greater", "greater_equal", "less", "less_equal",
    "logical_and", "logical_or", "logical_not", "isnan", "isfinite",
):  # fmt: skip
    _elementwise(_name, getattr(torch, _name))
_elementwise("equal", torch.eq)
_elementwise("rint", torch.round)
_elementwise("power", torch.pow)


@_rule("where")
def _(node: Node, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    dtype = _working(node.dtype)
    return torch.where(condition != 0, _cast(x, dtype), _cast(y, dtype))


@_rule("astype")
def _(node: Node, x: Tensor, dtype: Any) -> Tensor:
    return _cast(x, _working(node.dtype))


@_rule("stop_gradient")
def _(node: Node, x: Tensor) -> Tensor:
    return x.detach()


@_rule("class_numbers")
def _(node: Node, x: Tensor, classes: int) -> Tensor:
    return x  # an index that names no class is an error of what it picks from


# --- reductions -----------------------------------------------------------------------------------


def _reduction(name: str, function: Callable[..., Tensor], in_floats: bool = False) -> None:
    """State what reduces over axes; over none at all, elements stay as they are."""

    @_rule(name)
    def _(node: Node, x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        dtype = _working(node.dtype)
        axes = axis_numbers(x.ndim, axis)
        x = _cast(x, dtype)
        if not axes:
            return x if not in_floats else function(x.unsqueeze(0), (0,), False)
        return function(x, axes, keepdims)


_reduction("sum", torch.sum)
_reduction("mean", torch.mean)
_reduction("max", torch.amax)
_reduction("min", torch.amin)
_reduction("logsumexp", torch.logsumexp, in_floats=True)


def _place(name: str, function: Callable[..., Tensor]) -> None:
    @_rule(name)
    def _(node: Node, x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        x = x.to(torch.uint8) if x.dtype == torch.bool else x
        places = function(x.reshape(-1), 0) if axis is None else function(x, axis, keepdims)
        return places.reshape(node.shape) if axis is None else places


_place("argmax", torch.argmax)
_place("argmin", torch.argmin)


def _flat(x: Tensor, axis: int | None) -> tuple[Tensor, int]:
    return (x.reshape(-1), 0) if axis is None or not x.ndim else (x, axis)


@_rule("cumsum")
def _(node: Node, x: Tensor, axis: int | None = None) -> Tensor:
    return torch.cumsum(*_flat(x, axis), dtype=_working(node.dtype))


@_rule("argsort")
def _(node: Node, x: Tensor, axis: int | None = -1) -> Tensor:
    x, axis = _flat(x, axis)
    return torch.argsort(x, dim=axis, stable=True).reshape(node.shape)


# --- shapes ---------------------------------------------------------------------------------------


@_rule("reshape")
def _(node: Node, x: Tensor, shape: Any) -> Tensor:
    return x.reshape(node.shape)


@_rule("broadcast_to")
def _(node: Node, x: Tensor, shape: Any) -> Tensor:
    return x.expand(node.shape)


@_rule("transpose")
def _(node: Node, x: Tensor, axes: Any = None) -> Tensor:
    return x.permute(tuple(range(x.ndim))[::-1] if axes is None else axis_numbers(x.ndim, axes))


@_rule("matrix_transpose")
def _(node: Node, x: Tensor) -> Tensor:
    return x.mT


@_rule("concatenate")
def _(node: Node, *arrays: Tensor, axis: int) -> Tensor:
    dtype = _working(node.dtype)
    return torch.cat([_cast(x, dtype) for x in arrays], axis)


# --- places ---------------------------------------------------------------------------------------


def _picked(x: Tensor, index: Any) -> Tensor:
    """x[index] as NumPy has it: beside arrays, numbers are arrays as well."""
    items = [*index] if isinstance(index, tuple) else [index]
    used = sum(map(_axes_of, items))
    rest = [slice(None)] * (x.ndim - used)
    place = next((k for k, i in enumerate(items) if i is ...), None)
    items = [*items, *rest] if place is None else items[:place] + rest + items[place + 1 :]
    if not any(isinstance(i, np.ndarray | Tensor | list) for i in items):
        return _sliced(x, items)
    around = [i for i in items if i is not None and not isinstance(i, slice)]
    if len(around) == 1 and _is_mask(array := around[0]) and array.ndim:  # exported as it is
        parts = [[slice(None)] * array.ndim if i is array else [i] for i in items]
        slices = [part for each in parts for part in each]
        return _sliced(x, slices)[tuple(array if i is array else slice(None) for i in items)]
    spread = [part for i in items for part in _as_arrays(i, x.device)]
    slices = [_before(i, k) for i in items for k in _as_arrays(i, x.device)]
    places = [k for k, i in enumerate(spread) if isinstance(i, Tensor)]
    numbers = torch.broadcast_tensors(*(spread[k] for k in places))
    is_number = not numbers[0].ndim  # PyTorch would take it as a number, not as an array
    arrays = dict(zip(places, (i.reshape(1) if is_number else i for i in numbers)))
    picked = _sliced(x, slices)[tuple(arrays.get(k, slice(None)) for k in range(len(spread)))]
    is_together = places == [*range(places[0], places[-1] + 1)]
    return picked.squeeze(places[0] if is_together else 0) if is_number else picked


def _before(item: Any, part: Any) -> Any:
    """What of an index comes before its arrays; a mask without axes takes one that is new."""
    if isinstance(part, Tensor):
        return slice(None) if _axes_of(item) else None
    return part


def _is_mask(item: Any) -> bool:
    """Whether it is a mask of which nobody knows yet how many elements it picks."""
    return isinstance(item, Tensor) and item.dtype == torch.bool


def _axes_of(item: Any) -> int:
    """How many axes of an array an item of an index takes."""
    is_mask = isinstance(item, np.ndarray | Tensor) and item.dtype in (torch.bool, np.dtype(bool))
    return item.ndim if is_mask else int(item is not None and item is not ...)


def _as_arrays(item: Any, device: Any) -> list[Any]:
    """An item of an index beside arrays: numbers as arrays, a mask as those of its places."""
    if item is None or isinstance(item, slice):
        return [item]
    if not isinstance(item, Tensor):
        item = np.array(item)
        places = np.atleast_1d(item).nonzero() if item.dtype == bool else [item]  # known beforehand
        return [torch.as_tensor(place, dtype=torch.int64, device=device) for place in places]
    return (
        [*item.nonzero(as_tuple=True)] if item.dtype == torch.bool else [_cast(item, torch.int64)]
    )


def _sliced(x: Tensor, items: Sequence[Any]) -> Tensor:
    """x at numbers, slices and new axes; a slice may go backwards, as PyTorch's do not."""
    turned: list[int] = []
    found: list[Any] = []
    axis = 0
    for i in items:
        if isinstance(i, slice) and i.step is not None and i.step < 0:
            n = x.shape[axis]
            steps = range(*i.indices(n))
            turned.append(axis)
            found.append(
                slice(n - 1 - steps.start, n - 1 - steps.start + len(steps) * -i.step, -i.step)
            )
        else:
            found.append(int(i) if isinstance(i, np.integer) else i)
        axis += i is not None
    return (x.flip(turned) if turned else x)[tuple(found)]


@_rule("getitem")
def _(node: Node, x: Tensor, *indices: Tensor, index: Any) -> Tensor:
    return _picked(x, filled(index, indices))


@_rule("scatter_add")
def _(node: Node, x: Tensor, *indices: Tensor, index: Any, shape: Any) -> Tensor:
    shape = node.shape
    size = int(np.prod(shape))
    numbers = torch.arange(size, device=x.device).reshape(shape)
    places = _picked(numbers, filled(index, indices))
    zeros = torch.zeros(size, dtype=x.dtype, device=x.device)
    return zeros.index_add(0, places.reshape(-1), x.expand(places.shape).reshape(-1)).reshape(shape)


@_rule("windows")
def _(node: Node, x: Tensor, shape: Any, stride: Any = 1) -> Tensor:
    first = x.ndim - len(shape)
    for axis, (size, step) in enumerate(zip(shape, strides_of(shape, stride)), first):
        x = x.unfold(axis, size, step)
    return x


@_rule("overlap_add")
def _(node: Node, x: Tensor, shape: Any, stride: Any = 1) -> Tensor:
    k = len(shape)
    size = int(np.prod(shape))
    numbers = np.arange(size).reshape(tuple(shape))
    places = torch.tensor(windows(numbers, x.shape[-k:], stride).reshape(-1), device=x.device)
    lead = x.shape[: x.ndim - 2 * k]
    zeros = torch.zeros(*lead, size, dtype=x.dtype, device=x.device)
    return zeros.index_add(-1, places, x.reshape(*lead, len(places))).reshape(*lead, *shape)


# --- products -------------------------------------------------------------------------------------


@_rule("matmul")
def _(node: Node, x: Tensor, y: Tensor) -> Tensor:
    dtype = _working(node.dtype)
    inner = torch.int64 if dtype == torch.bool else dtype
    return torch.matmul(_cast(x, inner), _cast(y, inner))


@_rule("einsum")
def _(node: Node, *operands: Tensor, subscripts: str) -> Tensor:
    dtype = _working(node.dtype)
    inner = torch.int64 if dtype == torch.bool else dtype
    return torch.einsum(subscripts, *[_cast(x, inner) for x in operands])
