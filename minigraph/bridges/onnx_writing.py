"""A graph as a model of ONNX: each operation by its rule, in ONNX's operators.

Where NumPy takes other dtypes than ONNX does, a Cast says so. Names stay: those of inputs, outputs
and variables, and scopes as paths in the names of nodes. What ONNX has no operator for, but can
say, is written out so that no digits are lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ..core.indexing import Slot, filled
from ..core.node import Node, is_symbolic
from ..errors import ShapeError
from ..errors.words import describe
from ..graph.graph import Graph
from ..graph.sliding import strides_of, windows
from .onnx_call import CODES, DOMAIN
from .translating import Rules, batch_axes, computing_dtype, refusal, resized

VERSION, IR_VERSION = 18, 8  # of ONNX's operators, and of the files, which onnx 1.13 reads
RULES = Rules("minigraph")
rule = RULES.rule
_CALL = re.compile(r"\(\)#[0-9]+~?(?=/|$)")


@dataclass(frozen=True)
class Tensor:
    """A value in the model: its name and its dtype."""

    name: str
    dtype: np.dtype


class Writer:
    """Collects the nodes of a model.

    Attributes:
        nodes, weights: what has been written so far.
        functions: what the model defines itself, by name.
        at: the path that the names of nodes begin with.
        open_axes: by Node, the axes whose size is that of the batch.
    """

    def __init__(self, open_axes: Mapping[Node, set[int]] | None = None) -> None:
        self.open_axes = open_axes or {}
        self.nodes: list[Any] = []
        self.weights: list[TensorProto] = []
        self.at = ""
        self.functions: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._known: dict[tuple, Tensor] = {}

    def fresh(self, name: str) -> str:
        """A name that no other value has."""
        number, spelled = 1, name
        while spelled in self._taken:
            number += 1
            spelled = f"{name}_{number}"
        self._taken.add(spelled)
        return spelled

    def __call__(
        self,
        operator: str,
        *inputs: Tensor | None,
        dtype: Any = None,
        outputs: int = 1,
        domain: str = "",
        **attributes: Any,
    ) -> Any:
        """Write a node and return its result, of the dtype of its first input unless told."""
        name = self.fresh(f"{self.at}/{operator}" if self.at else operator)
        names = [self.fresh(name) for _ in range(outputs)]
        given = [x.name if x else "" for x in inputs]
        self.nodes.append(
            helper.make_node(operator, given, names, name, domain=domain, **attributes)
        )
        dtypes = dtype if isinstance(dtype, list) else [dtype or inputs[0].dtype] * outputs  # type: ignore[union-attr]
        made = [Tensor(n, np.dtype(d)) for n, d in zip(names, dtypes)]
        return made[0] if outputs == 1 else made

    def array(self, value: Any, dtype: Any = np.int64, name: str = "") -> Tensor:
        """Numbers: a constant, and so no weight that is trained when the model is read."""
        value = np.asarray(value, dtype)
        key = (value.dtype, value.shape, value.tobytes()) if value.size < 100 else ()
        if key in self._known and not name:
            return self._known[key]
        spelled = self.fresh(name or "constant")
        if value.dtype.kind == "f":
            tensor = numpy_helper.from_array(value)
            self.nodes.append(helper.make_node("Constant", [], [spelled], spelled, value=tensor))
        else:
            self.weights.append(numpy_helper.from_array(value, spelled))
        made = Tensor(spelled, value.dtype)
        if key and not name:
            self._known[key] = made
        return made

    def weight(self, node: Node) -> Tensor:
        """A variable."""
        spelled = self.fresh(node.name or "variable")
        self.weights.append(numpy_helper.from_array(np.asarray(node.value), spelled))
        return Tensor(spelled, node.dtype)

    def number(self, value: float, like: Tensor) -> Tensor:
        """A number in the dtype of a value beside which it stands."""
        return self.array(value, like.dtype)

    def cast(self, x: Tensor, dtype: Any) -> Tensor:
        """A value in a dtype."""
        dtype = np.dtype(dtype)
        return x if x.dtype == dtype else self("Cast", x, dtype=dtype, to=CODES[dtype])

    def sizes(self, node: Node) -> list[int]:
        """The shape of a Node, with -1 for an axis that holds the batch."""
        return [-1 if i in self.open_axes.get(node, ()) else n for i, n in enumerate(node.shape)]

    def shaped(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """A value in a shape."""
        return self("Reshape", x, self.array([*shape]), allowzero=int(0 in shape))


def defined(*names: str) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """State what ONNX has no operator for, in its operators: a function that the model defines.

    So it comes back as the operation that it was, with its derivative, and others see the whole.
    """

    def decorate(body: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def write(w: Writer, node: Node, *inputs: Tensor) -> Tensor:
            name, dtype = node.op.name, computing_dtype(node)
            called = f"{name}_{dtype.name}"
            if called not in w.functions:
                inner = Writer()
                outer = [Tensor(inner.fresh(p), dtype) for p in node.op.parameters]
                out = body(inner, name, *outer)
                w.functions[called] = helper.make_function(
                    DOMAIN,
                    called,
                    [x.name for x in outer],
                    [out.name],
                    inner.nodes,
                    [helper.make_opsetid("", VERSION)],
                )
            return w(called, *[w.cast(x, dtype) for x in inputs], domain=DOMAIN)

        rule(*names)(write)
        return body

    return decorate


# --- elementwise ----------------------------------------------------------------------------------

_PLAIN = {
    "absolute": "Abs", "add": "Add", "arccos": "Acos", "arccosh": "Acosh", "arcsin": "Asin",
    "arcsinh": "Asinh", "arctan": "Atan", "arctanh": "Atanh", "ceil": "Ceil", "cos": "Cos",
    "cosh": "Cosh", "divide": "Div", "erf": "Erf", "exp": "Exp", "floor": "Floor", "log": "Log",
    "multiply": "Mul", "negative": "Neg", "power": "Pow", "reciprocal": "Reciprocal",
    "relu": "Relu", "rint": "Round", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin",
    "sinh": "Sinh", "sqrt": "Sqrt", "subtract": "Sub", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
_COMPARING = {
    "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
    "less_equal": "LessOrEqual", "not_equal": "Equal",
}  # fmt: skip


def _computing(w: Writer, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The inputs in the dtype that NumPy computes in."""
    dtype = computing_dtype(node)
    return [w.cast(x, dtype) for x in inputs]


@rule(*_PLAIN)
def _plain(w: Writer, node: Node, *inputs: Tensor) -> Tensor:
    dtype = node.dtype
    if dtype.kind == "b":  # sums and products of booleans, absolute and sign
        logical = {"add": "Or", "multiply": "And"}.get(node.op.name)
        return w(logical, *inputs) if logical else w("Identity", *inputs)
    inputs = tuple(w.cast(x, dtype) for x in inputs)
    if dtype.kind in "iu" and node.op.name in ("ceil", "floor", "rint"):
        return w("Identity", *inputs)
    if dtype.kind == "u" and node.op.name == "negative":
        return w("Sub", w.number(0, inputs[0]), *inputs)
    if dtype.kind in "iu" and node.op.name == "reciprocal":
        return w("Div", w.number(1, inputs[0]), *inputs)
    return w(_PLAIN[node.op.name], *inputs)


@rule(*_COMPARING)
def _comparing(w: Writer, node: Node, *inputs: Tensor) -> Tensor:
    dtype = computing_dtype(node)
    if dtype.kind in "iub" and dtype.itemsize < 8:
        dtype = np.dtype(np.int64)  # which holds them all, and which every runtime compares
    out = w(_COMPARING[node.op.name], *[w.cast(x, dtype) for x in inputs], dtype=bool)
    return w("Not", out) if node.op.name == "not_equal" else out


@rule("logical_and", "logical_or", "logical_not")
def _logical(w: Writer, node: Node, *inputs: Tensor) -> Tensor:
    operator = {"and": "And", "or": "Or", "not": "Not"}[node.op.name.removeprefix("logical_")]
    return w(operator, *[w.cast(x, bool) for x in inputs])


@rule("isnan", "isfinite")
def _isnan(w: Writer, node: Node, x: Tensor) -> Tensor:
    is_finite = node.op.name == "isfinite"
    if x.dtype.kind != "f":
        same = w("Equal", w.cast(x, np.int64), w.cast(x, np.int64), dtype=bool)
        return same if is_finite else w("Not", same)
    if not is_finite:
        return w("IsNaN", x, dtype=bool)
    return w("Less", w("Abs", x), w.number(np.inf, x), dtype=bool)


@rule("maximum", "minimum")
def _larger(w: Writer, node: Node, x: Tensor, y: Tensor) -> Tensor:
    is_max = node.op.name == "maximum"
    if node.dtype.kind == "b":
        return w("Or" if is_max else "And", x, y)
    return w("Max" if is_max else "Min", *_computing(w, node, (x, y)))


@rule("square")
def _square(w: Writer, node: Node, x: Tensor) -> Tensor:
    x = w.cast(x, node.dtype)
    return w("And", x, x) if node.dtype.kind == "b" else w("Mul", x, x)


@defined("expm1")
def _expm1(w: Writer, name: str, x: Tensor) -> Tensor:
    """tanh(x / 2) · (eˣ + 1), which loses no digits near 0."""
    half = w("Tanh", w("Mul", x, w.number(0.5, x)))
    return w("Mul", half, w("Add", w("Exp", x), w.number(1, x)))


@defined("log1p")
def _log1p(w: Writer, name: str, x: Tensor) -> Tensor:
    """log u · x / (u − 1) with u = 1 + x rounded, after Kahan, which loses no digits near 0."""
    one = w.number(1, x)
    u = w("Add", x, one)
    rest = w("Sub", u, one)
    is_plain = w(
        "Or",
        w("Equal", rest, w.number(0, x), dtype=bool),
        w("Equal", u, w.number(np.inf, x), dtype=bool),
    )
    scaled = w("Mul", w("Log", u), w("Div", x, w("Where", is_plain, one, rest, dtype=x.dtype)))
    return w("Where", is_plain, x, scaled, dtype=x.dtype)


@defined("exp2")
def _exp2(w: Writer, name: str, x: Tensor) -> Tensor:
    return w("Pow", w.number(2, x), x)


@defined("log2", "log10")
def _log2(w: Writer, name: str, x: Tensor) -> Tensor:
    return w("Div", w("Log", x), w.number(np.log(float(name[3:])), x))


@defined("logaddexp")
def _logaddexp(w: Writer, name: str, x: Tensor, y: Tensor) -> Tensor:
    """The larger one and log(1 + e^−distance); two that are equal may be infinite."""
    same = w("Equal", x, y, dtype=bool)
    distance = w("Where", same, w.number(0, x), w("Abs", w("Sub", x, y)), dtype=x.dtype)
    return w("Add", w("Max", x, y), _log1p(w, name, w("Exp", w("Neg", distance))))


@defined("hypot")
def _hypot(w: Writer, name: str, x: Tensor, y: Tensor) -> Tensor:
    """The larger one times √(1 + ratio²), so that no square overflows."""
    x, y = w("Abs", x), w("Abs", y)
    large, small = w("Max", x, y), w("Min", x, y)
    zero, one = w.number(0, x), w.number(1, x)
    is_plain = w(
        "Or",
        w("Equal", large, zero, dtype=bool),
        w("Equal", large, w.number(np.inf, x), dtype=bool),
    )
    ratio = w("Div", small, w("Where", is_plain, one, large, dtype=x.dtype))
    root = w("Mul", large, w("Sqrt", w("Add", one, w("Mul", ratio, ratio))))
    return w("Where", is_plain, large, root, dtype=x.dtype)


@defined("arctan2")
def _arctan2(w: Writer, name: str, y: Tensor, x: Tensor) -> Tensor:
    """The angle of (x, y) in its quadrant; a zero has the sign that its reciprocal has."""
    zero, one = w.number(0, x), w.number(1, x)

    def chosen(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
        return w("Where", condition, yes, no, dtype=x.dtype)

    def is_negative(v: Tensor) -> Tensor:
        at_zero = w("Equal", v, zero, dtype=bool)
        return w("Less", chosen(at_zero, w("Reciprocal", v), v), zero, dtype=bool)

    infinite = w("And", *(w("IsInf", v, dtype=bool) for v in (y, x)))
    tall, wide = (chosen(infinite, w("Sign", v), v) for v in (y, x))
    neither = w("And", *(w("Equal", v, zero, dtype=bool) for v in (tall, wide)))
    slope = w("Div", chosen(neither, zero, w("Abs", tall)), chosen(neither, one, w("Abs", wide)))
    angle = w("Atan", slope)
    angle = chosen(is_negative(x), w("Sub", w.number(np.pi, x), angle), angle)
    return chosen(is_negative(y), w("Neg", angle), angle)


@defined("xlogy")
def _xlogy(w: Writer, name: str, x: Tensor, y: Tensor) -> Tensor:
    zero = w.number(0, x)
    none = w("Equal", x, zero, dtype=bool)
    logarithm = w("Log", w("Where", none, w.number(1, x), y, dtype=x.dtype))
    return w("Where", none, zero, w("Mul", x, logarithm), dtype=x.dtype)


@defined("remainder")
def _remainder(w: Writer, name: str, x: Tensor, y: Tensor) -> Tensor:
    """What is left has the sign of the divisor; in ONNX, for floats, that of what is divided."""
    if x.dtype.kind != "f":
        return w("Mod", x, y)
    left, zero = w("Mod", x, y, fmod=1), w.number(0, x)
    signs = (w("Less", v, zero, dtype=bool) for v in (left, y))
    is_other = w("And", w("Not", w("Equal", left, zero, dtype=bool)), w("Xor", *signs))
    return w("Where", is_other, w("Add", left, y), left, dtype=x.dtype)


# --- shapes, dtypes, choices ----------------------------------------------------------------------


@rule("reshape")
def _reshape(w: Writer, node: Node, x: Tensor) -> Tensor:
    return w.shaped(x, w.sizes(node))


@rule("transpose", "matrix_transpose")
def _transpose(w: Writer, node: Node, x: Tensor) -> Tensor:
    axes = [*range(node.ndim)]
    if node.op.name == "matrix_transpose":
        axes[-2:] = axes[:-3:-1]
    elif node.attrs["axes"] is None:
        axes.reverse()
    else:
        axes = [axis % node.ndim for axis in node.attrs["axes"]]
    return w("Transpose", x, perm=axes) if axes else w("Identity", x)


@rule("broadcast_to")
def _broadcast_to(w: Writer, node: Node, x: Tensor) -> Tensor:
    if node.size:
        return w("Expand", x, w.array(_stretched(w, node)))
    wide = np.broadcast_shapes(node.inputs[0].shape, [n or 1 for n in node.shape])
    empty = [axis for axis, (n, m) in enumerate(zip(node.shape, wide)) if n != m]
    out = w("Expand", x, w.array([*wide]))  # which not every runtime makes empty
    nothing = w.array([0] * len(empty))
    return w("Slice", out, nothing, nothing, w.array(empty)) if empty else out


def _stretched(w: Writer, node: Node) -> list[int]:
    """The shape to which a Node stretches its input; 1 where this has the size of the batch."""
    x, more = node.inputs[0], node.ndim - node.inputs[0].ndim
    held = {axis + more for axis in w.open_axes.get(x, ())}
    return [1 if axis in held else n for axis, n in enumerate(node.shape)]


@rule("astype")
def _astype(w: Writer, node: Node, x: Tensor) -> Tensor:
    return w("Cast", x, dtype=node.dtype, to=CODES[node.dtype])


@rule("concatenate")
def _concatenate(w: Writer, node: Node, *arrays: Tensor) -> Tensor:
    axis = node.attrs["axis"] % node.ndim
    return w("Concat", *[w.cast(x, node.dtype) for x in arrays], axis=axis)


@rule("where")
def _where(w: Writer, node: Node, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    chosen = (w.cast(v, node.dtype) for v in (x, y))
    return w("Where", w.cast(condition, bool), *chosen, dtype=node.dtype)


@defined("stop_gradient")
def _stop_gradient(w: Writer, name: str, x: Tensor) -> Tensor:
    return w("Identity", x)


@rule("class_numbers")
def _class_numbers(w: Writer, node: Node, x: Tensor) -> Tensor:
    return w("Identity", x)


# --- reductions and products ----------------------------------------------------------------------


def _axes_of(node: Node) -> list[int]:
    """The axes that a reduction takes together."""
    ndim, axis = node.inputs[0].ndim, node.attrs["axis"]
    if axis is None or not ndim:  # NumPy lets a number have the axis 0
        return [*range(ndim)]
    return [int(i) % ndim for i in np.ravel(axis)]


def _reduced(w: Writer, operator: str, x: Tensor, axes: list[int], keepdims: bool) -> Tensor:
    if not axes:
        return w("Identity", x)
    return w(operator, x, w.array(axes), keepdims=int(keepdims))


@rule("sum", "mean", "logsumexp")
def _sum(w: Writer, node: Node, x: Tensor) -> Tensor:
    wide = np.dtype(np.float32) if node.dtype == np.float16 else node.dtype
    is_mean, is_empty = node.op.name == "mean", not node.inputs[0].size
    operator = "ReduceMean" if is_mean and not is_empty else "ReduceSum"
    operator = "ReduceLogSumExp" if node.op.name == "logsumexp" else operator
    out = _reduced(w, operator, w.cast(x, wide), _axes_of(node), node.attrs["keepdims"])
    if is_mean and is_empty:
        out = w("Div", out, w.number(0, out))  # the mean of nothing is no number
    return w.cast(out, node.dtype)


@rule("max", "min")
def _max(w: Writer, node: Node, x: Tensor) -> Tensor:
    operator = "ReduceMax" if node.op.name == "max" else "ReduceMin"
    held = np.dtype(np.int32) if x.dtype.kind == "b" else x.dtype
    out = _reduced(w, operator, w.cast(x, held), _axes_of(node), node.attrs["keepdims"])
    return w.cast(out, node.dtype)


@rule("cumsum")
def _cumsum(w: Writer, node: Node, x: Tensor) -> Tensor:
    wide = np.float32 if node.dtype == np.float16 else node.dtype
    x, axis = w.cast(x, wide), node.attrs["axis"]
    if axis is None or not node.inputs[0].shape:
        x, axis = w.shaped(x, node.shape), 0
    return w.cast(w("CumSum", x, w.array(axis % node.ndim)), node.dtype)


def _along(w: Writer, node: Node, x: Tensor) -> tuple[Tensor, int]:
    """A value that is ordered, and the axis along which it is."""
    axis, inner = node.attrs["axis"], node.inputs[0]
    x = w.cast(x, np.int32) if x.dtype.kind == "b" else x
    if axis is None or not inner.shape:
        return w.shaped(x, (inner.size,)), 0
    return x, axis % inner.ndim


@rule("argmax", "argmin")
def _argmax(w: Writer, node: Node, x: Tensor) -> Tensor:
    flat, axis = _along(w, node, x)
    operator = "ArgMax" if node.op.name == "argmax" else "ArgMin"
    keepdims = int(node.attrs["keepdims"])
    out = w(operator, flat, axis=axis, keepdims=keepdims, dtype=np.int64)
    is_flat = node.attrs["axis"] is None or not node.inputs[0].shape
    return w.shaped(out, node.shape) if is_flat and keepdims else out


@rule("argsort")
def _argsort(w: Writer, node: Node, x: Tensor) -> Tensor:
    flat, axis = _along(w, node, x)
    count = node.shape[axis]
    _, places = w(
        "TopK", flat, w.array([count]), axis=axis, largest=0, outputs=2, dtype=[x.dtype, np.int64]
    )
    return places


@rule("matmul")
def _matmul(w: Writer, node: Node, x: Tensor, y: Tensor) -> Tensor:
    return w("MatMul", *(w.cast(v, node.dtype) for v in (x, y)))


@rule("einsum")
def _einsum(w: Writer, node: Node, *operands: Tensor) -> Tensor:
    wide = np.dtype(np.float32) if node.dtype == np.float16 else node.dtype
    if not all(x.size for x in node.inputs):  # which not every runtime survives
        return w.array(np.zeros(node.shape), node.dtype)
    inputs = [w.cast(x, wide) for x in operands]
    return w.cast(w("Einsum", *inputs, equation=node.attrs["subscripts"]), node.dtype)


# --- elements -------------------------------------------------------------------------------------


def _items(index: Any, ndim: int) -> list[Any] | None:
    """An index as an item for each axis; None if there are new axes or masks in it."""
    items = _listed(index)
    if any(i is None or (not isinstance(i, slice | Slot) and np.asarray(i).dtype == bool)
           for i in items):  # fmt: skip
        return None
    places = [k for k, i in enumerate(items) if i is ...]
    for k in places:
        items[k : k + 1] = [slice(None)] * (ndim - len(items) + 1)
    return items + [slice(None)] * (ndim - len(items))


@rule("getitem")
def _getitem(w: Writer, node: Node, x: Tensor, *indices: Tensor) -> Tensor:
    source, index = node.inputs[0], node.attrs["index"]
    _refuse_masks(node)
    plain = tuple(i for i in _listed(index) if i is not None)
    if all(i is ... or isinstance(i, slice) or type(i) in (int, np.int64) for i in plain):
        return _sliced(w, node, x, _items(plain, source.ndim) or [])
    items = _items(index, source.ndim)
    if items is not None:
        others = [k for k, i in enumerate(items) if not isinstance(i, slice)]
        is_whole = all(i == slice(None) for i in items if isinstance(i, slice))
        if len(others) == 1 and is_whole and len(_listed(index)) <= source.ndim:
            (axis,) = others
            return w("Gather", x, _places(w, items[axis], source.shape[axis], indices), axis=axis)
    flat = w.shaped(x, (source.size,))
    return w("Gather", flat, _flat(w, node, source.shape, indices), axis=0)


def _listed(index: Any) -> list[Any]:
    return [*index] if isinstance(index, tuple) else [index]


def _refuse_masks(node: Node) -> None:
    for x in node.inputs[1:]:
        if x.dtype.kind == "b":
            raise refusal(
                f"{describe(node)} chooses by a mask that is computed, and so has no shape "
                "beforehand",
                instead="choose with mg.where, which keeps the shape",
                nodes=(node,),
            )


def _places(w: Writer, item: Any, size: int, indices: Sequence[Tensor]) -> Tensor:
    """Indices along an axis, none below 0."""
    if isinstance(item, Slot):
        return w("Mod", w.cast(indices[item.number], np.int64), w.array(size or 1))
    return w.array(np.asarray(item, np.int64) % (size or 1))


def _sliced(w: Writer, node: Node, x: Tensor, items: Sequence[Any]) -> Tensor:
    """Basic indexing: slices and single elements, and then new axes."""
    shape = node.inputs[0].shape
    starts, ends, axes, steps = [], [], [], []
    for axis, (item, n) in enumerate(zip(items, shape)):
        if item == slice(None):
            continue
        if isinstance(item, slice):
            start, stop, step = item.indices(n)
        else:
            start, stop, step = int(item) % n, int(item) % n + 1, 1
        starts.append(start)
        ends.append(stop if stop >= 0 else -n - 1)  # before the first element
        axes.append(axis)
        steps.append(step)
    if axes:
        x = w("Slice", x, *map(w.array, (starts, ends, axes, steps)))
    sliced = tuple(
        len(range(*i.indices(n))) if isinstance(i, slice) else 1 for i, n in zip(items, shape)
    )
    return w("Identity", x) if sliced == node.shape else w.shaped(x, w.sizes(node))


def _flat(w: Writer, node: Node, shape: tuple[int, ...], indices: Sequence[Tensor]) -> Tensor:
    """For each element of what an index chooses, its place in an array of a shape made flat.

    Each axis adds its share. That of an index that is known only when the model runs is gathered
    from it: for each element, which of its numbers counts is known.
    """
    index = node.attrs["index"]
    known = [np.zeros(x.shape, int) for x in node.inputs[1:]]
    total = np.arange(prod(shape)).reshape(shape)[filled(index, known)]
    out = w.array(total)
    slots = [i for i in _listed(index) if isinstance(i, Slot)]
    items = _items(index, len(shape))
    if not slots:
        return out
    if items is None:
        raise refusal(
            f"{describe(node)} mixes new axes or masks with indices that are computed",
            instead="index first, and reshape then",
            nodes=(node,),
        )
    for slot in slots:
        axis = next(k for k, i in enumerate(items) if i is slot)
        x = node.inputs[1 + slot.number]
        wide = (*shape[:axis], x.size, *shape[axis + 1 :])
        which = np.broadcast_to(
            np.arange(x.size).reshape([-1 if k == axis else 1 for k in range(len(shape))]), wide
        )
        probes = [*known]
        probes[slot.number] = np.arange(x.size).reshape(x.shape)
        chosen = which[filled(index, probes)]
        places = _places(w, slot, shape[axis], indices)
        share = w("Gather", w.shaped(places, (x.size,)), w.array(chosen), axis=0)
        stride = prod(shape[axis + 1 :])
        out = w("Add", out, share if stride == 1 else w("Mul", share, w.array(stride)))
    return out


@rule("scatter_add")
def _scatter_add(w: Writer, node: Node, x: Tensor, *indices: Tensor) -> Tensor:
    _refuse_masks(node)
    shape, source = node.shape, node.inputs[0]
    widths = _widths(node.attrs["index"], shape)
    known = [np.zeros(i.shape, int) for i in node.inputs[1:]]
    chosen = np.empty(shape, bool)[filled(node.attrs["index"], known)].shape
    if widths and source.shape == chosen:
        return w("Pad", x, w.array(widths))
    wide = np.dtype(np.float32) if node.dtype == np.float16 else node.dtype
    x = w.cast(x, wide)
    if source.shape != chosen:
        x = w("Expand", x, w.array([*chosen]))
    out = w(
        "ScatterND",
        w.array(np.zeros(prod(shape)), wide),
        w.shaped(_flat(w, node, shape, indices), (prod(chosen), 1)),
        w.shaped(x, (prod(chosen),)),
        reduction="add",
    )
    return w.cast(w.shaped(out, shape), node.dtype)


def _widths(index: Any, shape: tuple[int, ...]) -> list[int]:
    """How many zeros are around what an index of plain slices chooses; [] for any other."""
    items = _items(index, len(shape)) or []
    if not all(isinstance(i, slice) for i in items):
        return []
    ranges = [range(*i.indices(n)) for i, n in zip(items, shape)]
    if any(r.step != 1 for r in ranges):
        return []
    return [r.start for r in ranges] + [n - r.stop for r, n in zip(ranges, shape)]


@rule("windows")
def _windows(w: Writer, node: Node, x: Tensor) -> Tensor:
    shape = node.attrs["shape"]
    k = len(shape)
    lead = node.inputs[0].ndim - k
    strides = strides_of(shape, node.attrs["stride"])
    for i in reversed(range(k)):
        starts = np.arange(node.shape[lead + i]) * strides[i]
        x = w("Gather", x, w.array(starts[:, None] + np.arange(shape[i])), axis=lead + i)
    axes = [*range(lead), *range(lead, lead + 2 * k, 2), *range(lead + 1, lead + 2 * k, 2)]
    return w("Transpose", x, perm=axes)


@rule("overlap_add")
def _overlap_add(w: Writer, node: Node, x: Tensor) -> Tensor:
    """Every window's elements added where `windows` takes them from."""
    k = len(node.attrs["shape"])
    every = np.arange(prod(node.shape)).reshape(node.shape)
    places = windows(every, node.inputs[0].shape[-k:], node.attrs["stride"])
    out = w(
        "ScatterND",
        w.array(np.zeros(prod(node.shape)), node.dtype),
        w.array(places.reshape(-1, 1)),
        w.shaped(x, (places.size,)),
        reduction="add",
    )
    return w.shaped(out, node.shape)


# --- whole graphs ---------------------------------------------------------------------------------


def model_of(graph: Graph, batch: str | Iterable[str] | Mapping[str, int] = ()) -> ModelProto:
    """The model that says what a graph computes.

    Raises:
        TranslationError: naming the first Node that has no rule, or a constant that may be the size
            of the batch.
        ShapeError: if the graph fits one size of the batch only.
    """
    axes = batch_axes(graph, batch)
    if not axes:
        return _written(graph, {})
    size = {x.shape[axis] for x, axis in axes.items()}.pop()
    _check_constants(graph, size)
    # What is written is for any size if it is the same for two.
    larger, made = resized(graph, axes, size + 1)
    for node, twin in made.items():
        twin.scope = node.scope
    open_axes = {
        node: {i for i, (n, m) in enumerate(zip(node.shape, made[node].shape)) if n != m}
        for node in graph.order
    }
    model = _written(graph, open_axes)
    again = _written(larger, {made[node]: places for node, places in open_axes.items()})
    if model != again:
        raise ShapeError(
            f"the graph fits a batch of {size} only: a shape or an index in it holds this size; "
            "write it for any, for example mg.reshape(x, (-1, 3))"
        )
    return model


def _check_constants(graph: Graph, size: int) -> None:
    """Refuse numbers that may come from the size of the batch, as that which a mean divides by."""
    for x in graph.order:
        is_number = x.kind == "constant" and not x.shape and x not in graph.inputs
        if is_number and (size < 2 or (x.value and x.value % size == 0)):
            raise refusal(
                f"{describe(x)} may come from the size of the batch, {size}",
                instead="make the graph for a batch of another size, such as 7",
                nodes=(x,),
            )


def _written(graph: Graph, open_axes: Mapping[Node, set[int]]) -> ModelProto:
    needed = Graph(graph.outputs, graph.inputs)  # without what is run besides
    steps = RULES.of(needed)
    w = Writer(open_axes)
    values: dict[Node, Tensor] = {}
    inputs = []
    for x in graph.inputs:
        values[x] = Tensor(w.fresh(x.name or ""), _dtype(x))
        inputs.append(_value_info(w, x, values[x].name))
        if not is_symbolic(x):  # its own value, unless it is given another
            w.weights.append(numpy_helper.from_array(np.asarray(x.value), values[x].name))
    for x in needed.order:
        if x.op is None and x not in values:
            _dtype(x)
            values[x] = w.weight(x) if x.requires_grad else w.array(x.value, x.dtype, x.name or "")
    for node, write in steps:
        _dtype(node)
        w.at = _CALL.sub("", node.scope)
        values[node] = write(w, node, *[values[x] for x in node.inputs])
    outputs = []
    for y in graph.outputs:
        name = w.fresh(y.name or (y.op.name if y.op else "output"))
        w.nodes.append(helper.make_node("Identity", [values[y].name], [name], name))
        outputs.append(_value_info(w, y, name))
    own = [helper.make_opsetid(DOMAIN, 1)] if w.functions else []
    return helper.make_model(
        helper.make_graph(w.nodes, "graph", inputs, outputs, w.weights),
        opset_imports=[helper.make_opsetid("", VERSION), *own],
        functions=[*w.functions.values()],
        producer_name="minigraph",
        ir_version=IR_VERSION,
    )


def _value_info(w: Writer, node: Node, name: str) -> Any:
    sizes = ["batch" if n == -1 else n for n in w.sizes(node)]
    return helper.make_tensor_value_info(name, CODES[node.dtype], sizes)


def _dtype(node: Node) -> np.dtype:
    if node.dtype not in CODES:
        raise refusal(
            f"{describe(node)} has the dtype {node.dtype}, which ONNX has not", nodes=(node,)
        )
    return node.dtype
