"""What each primitive of JAX is in minigraph.

Read it as a table: the name of a primitive, and what it is in minigraph's functions. See
https://docs.jax.dev/en/latest/jax.lax.html for what JAX says of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from string import ascii_letters
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.node import Node, constant
from ..core.operation import FUNCTIONS
from ..graph import functions  # noqa: F401  # which enters the last of the functions
from .kernels import convolved, taps
from .translating import Rules, refusal

# What users call `mg.relu` and so on: given arrays these compute, given Nodes they make Nodes.
mg = SimpleNamespace(**FUNCTIONS)
Value = Any  # a Node, or an array that is known

_LINEAR = (
    "minigraph's table has products only: compute it before with jnp.linalg, and give the result "
    "as an argument"
)
_RANDOM = "draw random numbers beforehand, and give them as an argument"
RULES = Rules(
    "JAX",
    {
        **dict.fromkeys(
            ("cholesky", "custom_linear_solve", "eig", "eigh", "householder_product", "lu", "qr",
             "schur", "svd", "triangular_solve", "tridiagonal", "tridiagonal_solve"),
            _LINEAR,
        ),
        **dict.fromkeys(
            ("random_seed", "random_bits", "random_wrap", "random_fold_in", "random_split",
             "random_unwrap", "threefry2x32", "rng_bit_generator", "rng_uniform"),
            _RANDOM,
        ),
    },
)  # fmt: skip
rule = RULES.rule


@dataclass(frozen=True)
class Step:
    """One equation of a jaxpr: its primitive, its settings, and the shapes and dtypes it gives."""

    name: str
    params: Mapping[str, Any]
    results: Sequence[Any]

    def __getitem__(self, name: str) -> Any:
        return self.params.get(name)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the one result."""
        return self.results[0].shape

    def refuse(self, what: str, instead: str = "") -> Any:
        """Refuse what this primitive has and the table has not."""
        raise refusal(f"{self.name} {what} cannot be translated", instead=instead)


def number(value: float, x: Value) -> Any:
    """A number in the dtype of a value beside which it stands."""
    return x.dtype.type(value)


# --- elementwise ----------------------------------------------------------------------------------

_PLAIN = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "add": "add", "add_any": "add",
    "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2",
    "atanh": "arctanh", "ceil": "ceil", "cos": "cos", "cosh": "cosh", "eq": "equal", "erf": "erf",
    "exp": "exp", "exp2": "exp2", "expm1": "expm1", "floor": "floor", "ge": "greater_equal",
    "gt": "greater", "is_finite": "isfinite", "le": "less_equal", "log": "log", "log1p": "log1p",
    "logistic": "sigmoid", "lt": "less", "max": "maximum", "min": "minimum", "mul": "multiply",
    "ne": "not_equal", "neg": "negative", "pow": "power", "sign": "sign", "sin": "sin",
    "sinh": "sinh", "sqrt": "sqrt", "square": "square", "stop_gradient": "stop_gradient",
    "sub": "subtract", "tan": "tan", "tanh": "tanh",
}  # fmt: skip


def _plain(function: Any) -> Any:
    return lambda step, *inputs: function(*inputs)


for _name, _function in _PLAIN.items():
    rule(_name)(_plain(getattr(mg, _function)))


@rule("copy", "copy_p", "name", "optimization_barrier", "device_put", "sharding_constraint")
def _same(step: Step, *inputs: Value) -> Any:
    return inputs


@rule("and", "or", "not", "xor")
def _logical(step: Step, *inputs: Value) -> Value:
    if inputs[0].dtype.kind != "b":
        step.refuse("of whole numbers", "write it with + and *, or with booleans")
    function = {"and": mg.logical_and, "or": mg.logical_or, "not": mg.logical_not}
    return function.get(step.name, mg.not_equal)(*inputs)


@rule("rsqrt")
def _rsqrt(step: Step, x: Value) -> Value:
    return number(1, x) / mg.sqrt(x)


@rule("erfc")
def _erfc(step: Step, x: Value) -> Value:
    return number(1, x) - mg.erf(x)


@rule("div")
def _div(step: Step, x: Value, y: Value) -> Value:
    if x.dtype.kind == "f":
        return mg.divide(x, y)
    # Towards zero. What is divided is a multiple, so the quotient has no rounding to lose.
    top, bottom = mg.absolute(x), mg.absolute(y)
    whole = mg.astype(mg.divide(mg.subtract(top, mg.remainder(top, bottom)), bottom), x.dtype)
    return whole if x.dtype.kind == "u" else whole * mg.sign(x) * mg.sign(y)


@rule("rem")
def _rem(step: Step, x: Value, y: Value) -> Value:
    """What is left, with the sign of what is divided."""
    left = mg.remainder(mg.absolute(x), mg.absolute(y))
    return left if x.dtype.kind == "u" else left * mg.sign(x)


@rule("integer_pow")
def _integer_pow(step: Step, x: Value) -> Value:
    return mg.square(x) if step["y"] == 2 else mg.power(x, number(step["y"], x))


@rule("round")
def _round(step: Step, x: Value) -> Value:
    if int(step["rounding_method"]) == 1:
        return mg.rint(x)
    return mg.sign(x) * mg.floor(mg.absolute(x) + number(0.5, x))


@rule("clamp")
def _clamp(step: Step, low: Value, x: Value, high: Value) -> Value:
    """On a bound the derivative is 0 in JAX."""
    inside = mg.logical_and(mg.greater(x, low), mg.less(x, high))
    bound = mg.where(mg.less_equal(x, low), low, high)
    return mg.where(inside, x, mg.where(mg.isnan(x), x, bound) if x.dtype.kind == "f" else bound)


@rule("select_n")
def _select_n(step: Step, which: Value, *cases: Value) -> Value:
    if which.dtype.kind == "b":
        return mg.where(which, cases[1], cases[0])
    out = cases[-1]
    for i in reversed(range(len(cases) - 1)):
        out = mg.where(mg.equal(which, i), cases[i], out)
    return out


@rule("convert_element_type")
def _convert(step: Step, x: Value) -> Value:
    dtype = np.dtype(step["new_dtype"])
    if dtype.kind not in "fiub":
        step.refuse(f"to {dtype}", "minigraph has float16, float32, float64 and integers")
    return mg.astype(x, dtype)


@rule("reduce_precision")
def _reduce_precision(step: Step, x: Value) -> Value:
    info = np.finfo(x.dtype)
    if (step["exponent_bits"], step["mantissa_bits"]) != (info.iexp, info.nmant):
        step.refuse("to fewer digits than those of a dtype")
    return x


# --- reductions -----------------------------------------------------------------------------------

_REDUCTIONS = {
    "reduce_sum": mg.sum, "reduce_max": mg.max, "reduce_min": mg.min, "reduce_prod": mg.prod,
    "reduce_and": mg.min, "reduce_or": mg.max,
}  # fmt: skip


@rule(*_REDUCTIONS)
def _reduce(step: Step, x: Value) -> Value:
    axes = tuple(step["axes"])
    return _REDUCTIONS[step.name](x, axes) if axes else x


@rule("argmax", "argmin")
def _place(step: Step, x: Value) -> Value:
    (axis,) = step["axes"]
    return (mg.argmax if step.name == "argmax" else mg.argmin)(x, axis)


@rule("cumsum")
def _cumsum(step: Step, x: Value) -> Value:
    axis = step["axis"]
    if not step["reverse"]:
        return mg.cumsum(x, axis)
    return mg.flip(mg.cumsum(mg.flip(x, axis), axis), axis)


_RUNNING = {
    "cumprod": mg.multiply, "cummax": mg.maximum, "cummin": mg.minimum,
    "cumlogsumexp": mg.logaddexp,
}  # fmt: skip
_LONGEST = 1000  # elements that are taken one after another


@rule(*_RUNNING)
def _running(step: Step, x: Value) -> Value:
    """One element after another: the table has a running sum only."""
    axis, n = step["axis"], x.shape[step["axis"]]
    if n > _LONGEST:
        step.refuse(f"over {n:,} elements, one after another,", f"at most {_LONGEST:,} can be")
    parts = [x[(*[slice(None)] * axis, i)] for i in range(n)]
    order = range(n)[:: -1 if step["reverse"] else 1]
    for before, i in pairwise(order):
        parts[i] = _RUNNING[step.name](parts[before], parts[i])
    return mg.stack(parts, axis) if parts else x


@rule("sort")
def _sort(step: Step, *arrays: Value) -> Any:
    if step["num_keys"] != 1:
        step.refuse("by several keys", "sort by one key at a time, the last one first")
    axis = step["dimension"]
    places = mg.argsort(arrays[0], axis)
    return [mg.take_along_axis(x, places, axis) for x in arrays]


@rule("top_k")
def _top_k(step: Step, x: Value) -> Any:
    last = len(x.shape) - 1
    axis = last if step["axis"] is None else step["axis"]
    order = x.shape[axis] - 1 - mg.flip(mg.argsort(mg.flip(x, axis), axis), axis)
    chosen = order[(*[slice(None)] * axis, slice(0, step["k"]))]
    return mg.take_along_axis(x, chosen, axis), chosen


# --- products -------------------------------------------------------------------------------------


@rule("dot_general")
def _dot_general(step: Step, x: Value, y: Value) -> Value:
    (of_x, of_y), (batch_x, batch_y) = step["dimension_numbers"]
    m, n = len(x.shape), len(y.shape)
    k = len(batch_x)
    in_front = tuple(batch_x) == tuple(batch_y) == tuple(range(k))
    if in_front and (m, n) == (k + 2, k + 2) and tuple(of_x) == (m - 1,) and tuple(of_y) == (k,):
        return mg.matmul(x, y)
    if not k and n < 3 and m < 3 and tuple(of_x) == (m - 1,) and tuple(of_y) == (0,):
        return mg.matmul(x, y)
    first, second = list(ascii_letters[:m]), list(ascii_letters[m : m + n])
    for i, j in zip((*of_x, *batch_x), (*of_y, *batch_y)):
        second[j] = first[i]
    kept = [first[i] for i in batch_x]
    kept += [c for i, c in enumerate(first) if i not in (*of_x, *batch_x)]
    kept += [c for j, c in enumerate(second) if j not in (*of_y, *batch_y)]
    return mg.einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", x, y)


@rule("conv_general_dilated")
def _conv(step: Step, x: Value, w: Value) -> Value:
    if step["batch_group_count"] != 1:
        step.refuse("in groups of the batch")
    numbers, groups = step["dimension_numbers"], step["feature_group_count"]
    x, w = mg.transpose(x, numbers.lhs_spec), mg.transpose(w, numbers.rhs_spec)
    inner = [d - 1 for d in step["lhs_dilation"]]
    x = _padded(x, [(0, 0, 0)] * 2 + [(a, b, i) for (a, b), i in zip(step["padding"], inner)], 0)
    seen = taps(x, w.shape[2:], step["window_strides"], step["rhs_dilation"])
    out = convolved(seen, w, groups)
    return mg.transpose(out, tuple(np.argsort(numbers.out_spec).tolist()))


@rule("reduce_window_sum", "reduce_window_max", "reduce_window_min")
def _reduce_window(step: Step, x: Value) -> Value:
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    highest = np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max
    fill, reduce = {
        "reduce_window_sum": (0, mg.sum),
        "reduce_window_max": (lowest, mg.max),
        "reduce_window_min": (highest, mg.min),
    }[step.name]
    inner = [d - 1 for d in step["base_dilation"]]
    x = _padded(x, [(a, b, i) for (a, b), i in zip(step["padding"], inner)], fill)
    shape, strides, dilations = (
        step[f"window_{name}"] for name in ("dimensions", "strides", "dilation")
    )
    out = taps(x, shape, strides, dilations)
    return reduce(out, tuple(range(-len(shape), 0)))


# --- shapes ---------------------------------------------------------------------------------------


@rule("reshape")
def _reshape(step: Step, x: Value) -> Value:
    return mg.reshape(x, step.shape)


@rule("squeeze")
def _squeeze(step: Step, x: Value) -> Value:
    return mg.reshape(x, step.shape)


@rule("transpose")
def _transpose(step: Step, x: Value) -> Value:
    return mg.transpose(x, tuple(step["permutation"]))


@rule("broadcast_in_dim")
def _broadcast_in_dim(step: Step, x: Value) -> Value:
    places = [*step["broadcast_dimensions"]]
    shape = tuple(x.shape[places.index(i)] if i in places else 1 for i in range(len(step.shape)))
    first = len(step.shape) - len(x.shape)
    if places != [*range(first, len(step.shape))]:  # which broadcasting does by itself
        x = mg.reshape(x, shape)
    elif prod(shape) == prod(step.shape):
        return mg.reshape(x, step.shape)
    return x if x.shape == step.shape else mg.broadcast_to(x, step.shape)


@rule("rev")
def _rev(step: Step, x: Value) -> Value:
    return mg.flip(x, tuple(step["dimensions"]))


@rule("concatenate")
def _concatenate(step: Step, *arrays: Value) -> Value:
    return arrays[0] if len(arrays) == 1 else mg.concatenate([*arrays], step["dimension"])


@rule("split")
def _split(step: Step, x: Value) -> Any:
    return mg.split(x, np.cumsum(step["sizes"])[:-1].tolist(), step["axis"])


@rule("stack")
def _stack(step: Step, *arrays: Value) -> Value:
    return mg.stack([*arrays], step["axis"] or 0)


@rule("unstack")
def _unstack(step: Step, x: Value) -> Any:
    axis = step["axis"] or 0
    return [x[(*[slice(None)] * axis, i)] for i in range(x.shape[axis])]


@rule("tile")
def _tile(step: Step, x: Value) -> Value:
    times = step["reps"]
    beside = tuple(size for n in x.shape for size in (1, n))
    wide = tuple(size for n, t in zip(x.shape, times) for size in (t, n))
    return mg.reshape(mg.broadcast_to(mg.reshape(x, beside), wide), step.shape)


@rule("iota")
def _iota(step: Step) -> np.ndarray:
    shape, axis = step["shape"], step["dimension"]
    steps = np.arange(shape[axis], dtype=step["dtype"])
    return np.broadcast_to(
        steps.reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape
    )


@rule("slice")
def _slice(step: Step, x: Value) -> Value:
    strides = step["strides"] or [1] * len(x.shape)
    return x[tuple(map(slice, step["start_indices"], step["limit_indices"], strides))]


@rule("pad")
def _pad(step: Step, x: Value, fill: Value) -> Value:
    if isinstance(fill, Node):
        step.refuse("with a value that is computed", "pad with a number")
    return _padded(x, step["padding_config"], fill)


def _padded(x: Value, widths: Sequence[tuple[int, int, int]], fill: Any) -> Value:
    """x with a number before, after and between its elements along each axis."""
    if any(inner for _, _, inner in widths):
        wide = tuple(n + max(0, n - 1) * i for n, (_, _, i) in zip(x.shape, widths))
        index = tuple(slice(None, None, i + 1) for _, _, i in widths)
        between = mg.scatter_add(x, index, wide)
        if np.any(fill):
            held = np.zeros(wide, bool)
            held[index] = True
            between = mg.where(held, between, number(fill, x))
        x = between
    x = x[tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b, _) in zip(x.shape, widths))]
    around = [(max(0, a), max(0, b)) for a, b, _ in widths]
    return mg.pad(x, around, "constant", number(fill, x)) if np.any(around) else x


# --- elements -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Numbers:
    """How indices and the axes of an array belong together, in a gather or a scatter.

    Attributes:
        sizes: of the part at each index, along each axis of the array.
        inner: the axes of the parts among those of the result.
        without: the axes of the array that the parts do not have.
        batch, of_indices: axes of the array that go with axes of the indices.
        starts: the axis of the array that each number of an index is for.
    """

    sizes: tuple[int, ...]
    inner: tuple[int, ...]
    without: tuple[int, ...]
    batch: tuple[int, ...]
    of_indices: tuple[int, ...]
    starts: tuple[int, ...]


def _index(
    shape: tuple[int, ...], indices: Value, numbers: _Numbers, mode: Any
) -> tuple[tuple[Value, ...], Value]:
    """An index for each axis of an array, and whether each place lies inside (None: all do)."""
    outer = indices.shape[:-1]
    ndim = len(outer) + len(numbers.inner)
    places = [i for i in range(ndim) if i not in numbers.inner]

    def spread(x: Value, at: Sequence[int]) -> Value:
        """An array with its axes at these places of the result."""
        sizes = dict(zip(at, x.shape))
        return mg.reshape(x, tuple(sizes.get(i, 1) for i in range(ndim)))

    clips = "PROMISE" not in str(mode).upper()
    fills = "FILL" in str(mode).upper()
    inside: Value = None
    index: list[Value] = []
    window = iter(sorted(numbers.inner))
    for axis, n in enumerate(shape):
        item: Value = np.zeros([1] * ndim, np.int64)
        if axis not in numbers.without and axis not in numbers.batch:
            item = spread(np.arange(numbers.sizes[axis]), [next(window)])
        if axis in numbers.batch:
            at = places[numbers.of_indices[numbers.batch.index(axis)]]
            item = spread(np.arange(n), [at])
        if axis in numbers.starts:
            start = spread(indices[..., numbers.starts.index(axis)], places)
            start = mg.astype(start, np.int64)
            last = n - numbers.sizes[axis]
            if fills:
                fits = mg.logical_and(mg.greater_equal(start, 0), mg.less_equal(start, last))
                inside = fits if inside is None else mg.logical_and(inside, fits)
            if clips:
                start = mg.clip(start, 0, last)
            item = start + item
        index.append(item)
    if inside is not None and not isinstance(inside, Node) and np.all(inside):
        inside = None
    return tuple(index), inside


def _plain_index(
    shape: tuple[int, ...], index: tuple[Value, ...], numbers: _Numbers
) -> tuple[Value, ...] | None:
    """The index as one writes it, with slices for whole axes, where it gives the same."""
    whole = [
        axis
        for axis, n in enumerate(shape)
        if numbers.sizes[axis] == n and axis not in (*numbers.starts, *numbers.without)
    ]
    others = [axis for axis in range(len(shape)) if axis not in whole]
    outer = len(index[0].shape) - len(numbers.inner)
    is_together = others == [*range(others[0], others[-1] + 1)] if others else False
    before = others[0] if others else 0
    wanted = (
        *range(before),
        *range(before + outer, before + outer + len(shape) - len(others) - before),
    )
    if numbers.batch or not is_together or tuple(sorted(numbers.inner)) != wanted:
        return None
    if any(axis not in numbers.without for axis in others):
        return None
    sizes = [slice(before, before + outer)] * len(shape)
    items: list[Value] = [slice(None)] * len(shape)
    for axis in others:
        items[axis] = mg.reshape(index[axis], index[axis].shape[sizes[axis]])
    return tuple(items)


@rule("gather")
def _gather(step: Step, x: Value, indices: Value) -> Value:
    d = step["dimension_numbers"]
    numbers = _Numbers(
        tuple(step["slice_sizes"]),
        tuple(d.offset_dims),
        tuple(d.collapsed_slice_dims),
        tuple(d.operand_batching_dims),
        tuple(d.start_indices_batching_dims),
        tuple(d.start_index_map),
    )
    index, inside = _index(x.shape, indices, numbers, step["mode"])
    out = mg.getitem(x, _plain_index(x.shape, index, numbers) or index)
    if inside is None:
        return out
    fill = step["fill_value"]
    if fill is None:
        fill = np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    return mg.where(inside, out, number(fill, x))


@rule("scatter", "scatter-add", "scatter-sub")
def _scatter(step: Step, x: Value, indices: Value, updates: Value) -> Value:
    d = step["dimension_numbers"]
    sizes, window = [], iter(sorted(d.update_window_dims))
    for axis in range(len(x.shape)):
        is_kept = axis not in (*d.inserted_window_dims, *d.operand_batching_dims)
        sizes.append(updates.shape[next(window)] if is_kept else 1)
    numbers = _Numbers(
        tuple(sizes),
        tuple(d.update_window_dims),
        tuple(d.inserted_window_dims),
        tuple(d.operand_batching_dims),
        tuple(d.scatter_indices_batching_dims),
        tuple(d.scatter_dims_to_operand_dims),
    )
    index, inside = _index(x.shape, indices, numbers, step["mode"])
    if inside is not None:
        updates = mg.where(inside, updates, number(0, updates))
    change = mg.scatter_add(updates, index, x.shape)
    if step.name != "scatter":
        return x + change if step.name == "scatter-add" else x - change
    if not step["unique_indices"] and prod(indices.shape[:-1]) > 1:
        step.refuse(
            "at several places, of which some may be the same,",
            "say that none is: x.at[i].set(y, unique_indices=True)",
        )
    ones: Value = np.ones(updates.shape, x.dtype)
    if inside is not None:
        ones = mg.where(inside, ones, number(0, x))
    elif any(isinstance(i, Node) for i in index):
        ones = constant(ones)
    return mg.where(mg.greater(mg.scatter_add(ones, index, x.shape), 0), change, x)


@rule("dynamic_slice")
def _dynamic_slice(step: Step, x: Value, *starts: Value) -> Value:
    return mg.getitem(x, _from(x.shape, starts, step["slice_sizes"]))


def _from(shape: Any, starts: Sequence[Value], sizes: Sequence[int]) -> tuple[Value, ...]:
    """The index of a part that begins somewhere, and wholly lies inside."""
    index: list[Value] = []
    if not any(isinstance(s, Node) for s in starts):
        known = [int(np.clip(s, 0, n - size)) for s, n, size in zip(starts, shape, sizes)]
        return tuple(slice(i, i + size) for i, size in zip(known, sizes))
    for axis, (start, n, size) in enumerate(zip(starts, shape, sizes)):
        steps = np.arange(size).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        index.append(
            steps if size == n else mg.clip(mg.astype(start, np.int64), 0, n - size) + steps
        )
    return tuple(index)


@rule("dynamic_update_slice")
def _dynamic_update_slice(step: Step, x: Value, new: Value, *starts: Value) -> Value:
    index = _from(x.shape, starts, new.shape)
    ones = np.ones(new.shape, x.dtype)
    held = constant(ones) if any(isinstance(i, Node) for i in index) else ones
    hit = mg.greater(mg.scatter_add(held, index, x.shape), 0)
    return mg.where(hit, mg.scatter_add(new, index, x.shape), x)
