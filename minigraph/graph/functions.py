"""Functions composed of operations: they have no derivatives of their own and need none.

Those that take several operations are `composed`: a drawing folds each call into one box. Those
that only find the arguments of a single operation are `arranged`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product_of
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.indexing import getitem, scatter_add
from ..core.node import Node
from ..core.table import (
    astype,
    equal,
    exp,
    matmul,
    multiply,
    negative,
    reshape,
    sqrt,
    square,
    sum,
    transpose,
)
from ..errors import NodeTypeError, ShapeError
from ..errors.shapes import Shape, axis_numbers
from ..errors.words import describe
from .composing import arranged, composed
from .joining import concatenate, stop_gradient, where
from .products import diagonal_of, einsum
from .reductions import argsort, class_numbers, logsumexp, max, mean
from .rows import greater, in_floats, isnan, less, logical_or
from .sliding import windows
from .symbolic import NumberTypeError, may_be_int


def _named(x: Any) -> str:
    return describe(x) if isinstance(x, Node) else f"an array of shape {x.shape}"


# --- other axes -----------------------------------------------------------------------------------


@arranged
def ravel(x: Any) -> Any:
    """The elements in one axis."""
    return reshape(x, -1)


@arranged
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of size 1, at the places that `axis` names in the result."""
    old = list(np.shape(x) if not isinstance(x, Node) else x.shape)
    places = (axis,) if np.ndim(axis) == 0 else tuple(axis)
    for i in sorted(normalize_axis_tuple(places, len(old) + len(places))):
        old.insert(i, 1)
    return reshape(x, tuple(old))


@arranged
def squeeze(x: Any, axis: Any = None) -> Any:
    """The axes of size 1 taken away: all of them, or those that `axis` names."""
    if axis is None:
        return reshape(x, tuple(n for n in x.shape if n != 1))
    gone = normalize_axis_tuple(axis, len(x.shape))
    if any(x.shape[i] != 1 for i in gone):
        raise ShapeError(f"squeeze of {_named(x)}: axis {axis} has not size 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in gone))


@arranged
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    axes = list(range(len(x.shape)))
    i, j = (normalize_axis_index(axis, len(axes)) for axis in (axis1, axis2))
    axes[i], axes[j] = j, i
    return transpose(x, tuple(axes))


@arranged
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes put elsewhere; the others keep their order."""
    from_, to = (normalize_axis_tuple(a, len(x.shape)) for a in (source, destination))
    axes = [i for i in range(len(x.shape)) if i not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        axes.insert(place, axis)
    return transpose(x, tuple(axes))


# --- elements picked and put together -------------------------------------------------------------


@arranged
def flip(x: Any, axis: Any = None) -> Any:
    """The elements in reverse order along `axis` (None: along all)."""
    axes = axis_numbers(len(x.shape), axis)
    return getitem(x, tuple(slice(None, None, -1 if i in axes else 1) for i in range(len(x.shape))))


@arranged
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements, rows … that `indices` name along `axis` (None: of x made flat)."""
    if axis is None:
        x, axis = ravel(x), 0
    if not isinstance(indices, Node):
        indices = np.asarray(indices) if np.size(indices) else np.zeros(np.shape(indices), int)
    if indices.dtype.kind == "b":  # no mask: True is the place 1
        indices = indices.astype(int)
    return getitem(x, (*[slice(None)] * normalize_axis_index(axis, len(x.shape)), indices))


@arranged
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each place of `indices`, the element of x with that index along `axis`."""
    if axis is None:
        x, axis = ravel(x), 0
    indices = indices if isinstance(indices, Node) else np.asarray(indices)
    if len(indices.shape) != len(x.shape):
        raise ShapeError(
            f"take_along_axis of {_named(x)}: the indices have shape {indices.shape}, but need as "
            "many axes"
        )
    if indices.dtype.kind not in "iu":
        raise NodeTypeError(
            f"take_along_axis of {_named(x)}: indices are whole numbers, not {indices.dtype}"
        )
    k = normalize_axis_index(axis, len(x.shape))
    grid = list(np.ix_(*map(np.arange, x.shape)))
    return getitem(x, (*grid[:k], indices, *grid[k + 1 :]))


@composed
def sort(x: Any, axis: int | None = -1) -> Any:
    """The elements along `axis` in rising order (None: of x made flat)."""
    if axis is None:
        x, axis = ravel(x), 0
    return take_along_axis(x, argsort(x, axis), axis)


@composed
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape side by side along a new axis."""
    return concatenate([expand_dims(x, axis) for x in arrays], axis)


@arranged
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """A list of parts: so many equal ones, or those that the given indices cut off."""
    k = normalize_axis_index(axis, len(x.shape))
    n = x.shape[k]
    if np.ndim(indices_or_sections) == 0:
        if indices_or_sections < 1 or n % indices_or_sections:
            raise ShapeError(
                f"split of {_named(x)}: axis {axis} has size {n}, which {indices_or_sections} does "
                "not divide"
            )
        step = n // indices_or_sections
        cuts = [i * step for i in range(1, indices_or_sections)]
    else:
        cuts = list(indices_or_sections)
    before = [slice(None)] * k
    return [getitem(x, (*before, slice(i, j))) for i, j in zip([0, *cuts], [*cuts, None])]


@arranged
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    """x with `constant_values` around it.

    Args:
        x: the array.
        pad_width: how many; a number, (before, after), such a pair for each axis, or a dict of
            axes with a number or a pair.
        mode: "constant", the only one of NumPy's.
        constant_values: a number, (before, after), or such a pair for each axis, taken in the dtype
            of x; or a Node that is one number.
    """
    if mode != "constant":
        raise NodeTypeError(f'pad has the mode "constant" only, not {mode!r}')
    widths = _pad_widths(x, pad_width)
    if not x.shape:
        return x
    sizes = [*zip(x.shape, widths.tolist())]
    is_wider = [bool(before or after) for _, (before, after) in sizes]
    inner = tuple(
        slice(before, before + n) if wide else slice(None)
        for wide, (n, (before, _)) in zip(is_wider, sizes)
    )
    shape = tuple(n + before + after for n, (before, after) in sizes)
    padded = scatter_add(x, inner, shape)
    if isinstance(constant_values, Node):
        if constant_values.shape:
            raise NodeTypeError(
                f"pad of {_named(x)}: constant_values can be a Node that is one number, but not "
                f"{describe(constant_values)}"
            )
        around = astype(constant_values, x.dtype)
    else:
        stretched = [n if wide else 1 for wide, n in zip(is_wider, x.shape)]
        around = np.pad(np.zeros(stretched, x.dtype), widths, constant_values=constant_values)
        if not around.any():
            return padded
    inside = np.zeros([n if wide else 1 for wide, n in zip(is_wider, shape)], bool)
    inside[inner] = True
    return where(inside, padded, around)


def _pad_widths(x: Any, pad_width: Any) -> np.ndarray:
    """The widths before and after each axis, for all forms in which NumPy takes them."""
    ndim = len(x.shape)
    if isinstance(pad_width, dict):
        named, pad_width = pad_width, np.zeros((ndim, 2), int)
        for axis, width in named.items():
            pad_width[normalize_axis_index(axis, ndim)] = width
    if isinstance(pad_width, Node):
        raise NodeTypeError(
            f"pad of {_named(x)}: widths are whole numbers that are known beforehand, not a Node; "
            "call it as pad(x, pad_width, mode, constant_values)",
            (pad_width,),
        )
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise NodeTypeError(f"pad of {_named(x)}: widths are whole numbers, not {pad_width!r:.40}")
    if np.min(widths, initial=0) < 0:
        raise ShapeError(f"pad of {_named(x)}: {pad_width} has a negative width")
    return np.broadcast_to(widths, (ndim, 2))


@arranged
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements x[i, i + offset] over two axes, as a new last axis."""
    cut: list[Any] = [slice(None)] * len(x.shape)
    cut[axis1 if offset < 0 else axis2] = slice(abs(offset), None)
    return diagonal_of(getitem(x, tuple(cut)) if offset else x, axis1, axis2)


@composed
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _matrix_shape(name: str, x: Any) -> Shape:
    if len(x.shape) < 2:
        raise ShapeError(f"{name} of {_named(x)}: it takes a matrix or a stack of them")
    return x.shape[-2:]


@arranged
def tril(x: Any, k: int = 0) -> Any:
    """x with zeros above the k-th diagonal of its last two axes."""
    rows, columns = _matrix_shape("tril", x)
    return where(np.tri(rows, columns, k, dtype=bool), x, x.dtype.type(0))


@arranged
def triu(x: Any, k: int = 0) -> Any:
    """x with zeros below the k-th diagonal of its last two axes."""
    rows, columns = _matrix_shape("triu", x)
    return where(np.tri(rows, columns, k - 1, dtype=bool), x.dtype.type(0), x)


@composed
def clip(x: Any, a_min: Any = None, a_max: Any = None) -> Any:
    """x where it lies between the bounds, a bound elsewhere; the derivative on a bound is 1."""
    out, bounds = x, [a_min, a_max]
    if not isinstance(x, Node):  # np.where lets a number that is too large for a dtype wrap around
        a_min, a_max = (np.asarray(b) if type(b) is int else b for b in bounds)
    if a_min is not None:
        out = where(_or_nan(less(out, a_min), a_min), a_min, out)
    if a_max is not None:
        out = where(_or_nan(greater(out, a_max), a_max), a_max, out)
    if Node in map(type, bounds):
        return out
    dtype = np.clip(np.zeros((), x.dtype), *bounds).dtype
    return out if out.dtype == dtype else astype(out, dtype)


def _or_nan(beyond: Any, bound: Any) -> Any:
    """Whether an element lies beyond a bound, or the bound is no number, as then the result is."""
    if isinstance(bound, Node):
        return logical_or(beyond, isnan(bound)) if bound.dtype.kind == "f" else beyond
    wrong = np.isnan(bound)
    return logical_or(beyond, wrong) if np.any(wrong) else beyond


# --- reductions and products ----------------------------------------------------------------------


def _count(shape: Shape, axis: Any) -> int:
    """How many elements a reduction takes together."""
    return product_of(shape[i] for i in axis_numbers(len(shape), axis))


@composed
def var(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    """The variance over `axis`: squared distances from the mean, summed and divided by n − ddof."""
    if x.dtype == np.float16:  # squares and their sums are too large for it
        wide = var(astype(x, np.float32), axis, ddof=ddof, keepdims=keepdims)
        return astype(wide, x.dtype)
    distances = square(x - mean(x, axis, keepdims=True))
    if ddof == 0:
        return mean(distances, axis, keepdims)
    count = float(_count(x.shape, axis) - ddof)
    return sum(distances, axis, keepdims) / (count if count > 0 else 0.0)  # which is no number


@composed
def std(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    """The standard deviation, √var; its derivatives are taken as 0 where all elements are equal."""
    variance = var(x, axis, ddof=ddof, keepdims=keepdims)
    flat = equal(variance, 0)
    return where(flat, 0, sqrt(where(flat, 1, variance)))  # the root has no slope at 0


@composed
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over `axis` (None: over all), halves multiplied: so zeros need no division."""
    ndim = len(x.shape)
    axes = axis_numbers(ndim, axis)
    wide = np.prod(np.ones(0, x.dtype)).dtype  # NumPy multiplies small integers as int64
    x = x if x.dtype == wide else astype(x, wide)
    others = [i for i in range(ndim) if i not in axes]
    outer = tuple(x.shape[i] for i in others)
    kept = tuple(1 if i in axes else m for i, m in enumerate(x.shape)) if keepdims else outer
    n = product_of(x.shape[i] for i in axes)
    x = reshape(transpose(x, (*others, *axes)), (*outer, n)) if axes else expand_dims(x, -1)
    if n == 0:
        x, n = concatenate([x, np.ones((*outer, 1), x.dtype)], axis=-1), 1
    while n > 1:
        half = n // 2
        product = x[..., :half] * x[..., half : 2 * half]
        x = product if n % 2 == 0 else concatenate([product, x[..., 2 * half :]], axis=-1)
        n = n - half
    return reshape(x, kept)


@arranged
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The sum of products over `axes`: so many last of x and first of y, or a pair of lists."""
    m, n = len(x.shape), len(y.shape)
    if not isinstance(axes, list | tuple | np.ndarray):
        axes = range(m - axes, m), range(axes)
    ours, theirs = (normalize_axis_tuple(a, k) for a, k in zip(axes, (m, n)))
    labels, spare = list(ascii_letters[:m]), list(ascii_letters[m : m + n])
    for i, j in zip(ours, theirs, strict=True):
        spare[j] = labels[i]
    kept = [c for c in labels + spare if (c in labels) != (c in spare)]
    return einsum(f"{''.join(labels)},{''.join(spare)}->{''.join(kept)}", x, y)


@arranged
def dot(x: Any, y: Any) -> Any:
    """NumPy's dot: the product with a scalar, else the sum over the last axis of x and one of y."""
    if not x.shape or not y.shape:
        return multiply(x, y)
    if len(y.shape) < 3 and len(x.shape) < 3:
        return matmul(x, y)
    return tensordot(x, y, ([-1], [-2 if len(y.shape) > 1 else -1]))


@composed
def outer(x: Any, y: Any) -> Any:
    """The products of each element of x with each of y, as a matrix."""
    return reshape(x, (-1, 1)) * reshape(y, (1, -1))


# --- for networks ---------------------------------------------------------------------------------


def _shifted(x: Any, axis: Any) -> Any:
    """x minus its largest elements, so that no digits are lost where all elements are large.

    Nothing depends on the shift but rounding, so it is a constant.
    """
    axis_numbers(len(x.shape), axis)  # so that a wrong axis is an error of the function, not of max
    x = in_floats(x)
    return x - stop_gradient(max(x, axis, keepdims=True)) if x.size else x


@composed
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of `softmax`, without overflow and without log 0."""
    x = _shifted(x, axis)
    return x - logsumexp(x, axis, keepdims=True)


@composed
def softmax(x: Any, axis: Any = -1) -> Any:
    """Positive numbers that add up to 1 over `axis`: eˣ / Σ eˣ."""
    x = _shifted(x, axis)
    return exp(x - logsumexp(x, axis, keepdims=True))


@composed
def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean of −log softmax(logits) at the right classes.

    Args:
        logits: of shape (…, classes).
        labels: the number of the right class for each row, of shape (…); or the probability of
            each class, of shape (…, classes).

    Raises:
        ShapeError: if the shapes do not fit, or a label names no class.
    """
    *rows, classes = logits.shape or (0,)
    labels = labels if isinstance(labels, Node) else np.asarray(labels)
    if isinstance(labels, Node) and may_be_int(labels):
        raise NumberTypeError
    if labels.dtype.kind == "b":
        raise NodeTypeError("labels are numbers of classes or probabilities, not booleans")
    if labels.dtype.kind == "f":
        if labels.shape != logits.shape:
            raise ShapeError(
                f"probabilities of shape {labels.shape} do not fit {_named(logits)}; numbers of "
                "classes are integers"
            )
        return negative(mean(sum(labels * log_softmax(logits), axis=-1)))
    if labels.shape != tuple(rows):
        raise ShapeError(
            f"labels of shape {labels.shape} do not fit {_named(logits)}: they need {tuple(rows)}"
        )
    try:
        labels = class_numbers(labels, classes)
    except ShapeError as error:
        raise ShapeError(f"{error} of {_named(logits)}", error.nodes) from None
    grid = np.ix_(*map(np.arange, rows)) if len(rows) > 1 else map(np.arange, rows)
    logits = _shifted(logits, -1)
    return mean(logsumexp(logits, axis=-1) - getitem(logits, (*grid, labels)))


@composed
def conv2d(x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0) -> Any:
    """Slide filters over images: at each place, the sum of products under the filter.

    Args:
        x: images, (batch, channels, height, width).
        w: filters, (out channels, channels, height, width); not flipped, as in PyTorch.
        bias: (out channels,), or None.
        stride: steps between places, a number or (down, right).
        padding: zeros on each side, a number or (above and below, left and right).

    Returns:
        Shape (batch, out channels, places down, places right).

    Raises:
        ShapeError: if the shapes do not fit.
    """
    if len(x.shape) != 4 or len(w.shape) != 4 or x.shape[1] != w.shape[1]:
        raise ShapeError(
            f"conv2d takes images (batch, channels, height, width) and filters (out channels, "
            f"channels, height, width), not {_named(x)} and {_named(w)}"
        )
    if (
        bias is not None
        and (bias.shape if isinstance(bias, Node) else np.shape(bias)) != w.shape[:1]
    ):
        raise ShapeError(f"the bias of conv2d needs shape {w.shape[:1]}, one for each out channel")
    down, right = (padding, padding) if np.ndim(padding) == 0 else padding
    if down or right:
        x = pad(x, ((0, 0), (0, 0), (down, down), (right, right)))
    out = einsum("nchwij,ocij->nohw", windows(x, w.shape[2:], stride), w)
    return out if bias is None else out + reshape(bias, (-1, 1, 1))


@composed
def max_pool2d(x: Any, size: Any, stride: Any = None) -> Any:
    """The largest element of each window of the last two axes, `stride` (None: a window) apart."""
    shape = (size, size) if np.ndim(size) == 0 else tuple(size)
    return max(windows(x, shape, shape if stride is None else stride), axis=(-2, -1))


@composed
def avg_pool2d(x: Any, size: Any, stride: Any = None) -> Any:
    """The mean of each window of the last two axes, `stride` (None: a window) apart."""
    shape = (size, size) if np.ndim(size) == 0 else tuple(size)
    return mean(windows(x, shape, shape if stride is None else stride), axis=(-2, -1))


@composed
def dropout(x: Any, p: float, generator: np.random.Generator) -> Any:
    """Each element 0 with probability p, else divided by 1 − p, so that the mean stays.

    Args:
        x: the array.
        p: at least 0 and less than 1.
        generator: where the random numbers come from, such as np.random.default_rng(0).
    """
    if not isinstance(generator, np.random.Generator):
        raise NodeTypeError(f"dropout needs np.random.default_rng(0) or such, not {generator!r}")
    if not 0 <= p < 1:
        raise NodeTypeError(f"dropout drops with a probability p from 0 to below 1, not {p!r}")
    kept = (generator.random(x.shape) >= p) / (1 - p)
    return x * (kept.astype(x.dtype) if x.dtype.kind == "f" else kept)
