"""A Graph as a function of JAX: each operation by its rule, in jax.numpy.

Where NumPy computes in another dtype than JAX would, the inputs are cast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core.indexing import filled
from ..core.node import Node, is_symbolic
from ..core.operation import OPERATIONS
from ..errors import FeedError
from ..errors.words import printable
from ..graph.graph import Graph, expected
from ..graph.sliding import strides_of, windows
from .translating import (
    Rules,
    batch_axes,
    computing_dtype,
    fed_to,
    refusal,
    resized,
    run,
    size_given,
)  # fmt: skip

RULES = Rules("minigraph")
rule = RULES.rule
_OTHERS = {
    "erf": jax.scipy.special.erf, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid,
    "xlogy": jax.scipy.special.xlogy,
}  # fmt: skip


def given(graph: Graph, batch: str | Iterable[str] | Mapping[str, int]) -> Callable[..., Any]:
    """The function that computes a graph in JAX; see `to_jax`."""
    axes = batch_axes(graph, batch)
    RULES.of(graph)
    if not jax.config.jax_enable_x64:
        for node in graph.order:
            if node.dtype == np.float64:
                raise refusal(
                    "the graph computes in float64, which JAX takes for float32",
                    instead='call jax.config.update("jax_enable_x64", True) first',
                    nodes=(node,),
                )
    known: dict[int | None, tuple[Graph, dict[Node, Node]]] = {
        None: (graph, {x: x for x in graph.inputs})
    }

    def function(*values: Any, **named: Any) -> Any:
        fed = {x: _array(x, value) for x, value in fed_to(graph, values, named).items()}
        size = size_given(axes, fed)
        if size is not None and size not in known:
            known[size] = resized(graph, axes, size)
        fit, made = known[size]
        feeds = {made.get(x, x): value for x, value in fed.items()}
        for x, value in feeds.items():
            if value.shape != x.shape:
                raise FeedError(f"the input {expected(x)} was given shape {value.shape}", (x,))
        leaves = {x: jnp.asarray(x.value) for x in fit.order if not x.op and not is_symbolic(x)}
        return fit.unpacked(tuple(run(fit, RULES.of(fit), leaves | feeds)))

    names = ", ".join(printable(x.name or "") for x in graph.inputs)
    function.__doc__ = f"Compute a graph of minigraph from {names}."
    return function


def _array(x: Node, value: Any) -> Any:
    """A value for an input, in its dtype."""
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError):
        raise FeedError(f"the input {expected(x)} was given {value!r:.40}", (x,)) from None
    if array.dtype.kind == "c":
        raise FeedError(f"the input {expected(x)} was given complex numbers", (x,))
    return _cast(array, x.dtype)


def _dtype(dtype: np.dtype) -> np.dtype:
    """The dtype that stands for another in JAX, which has int32 for int64 unless told."""
    return jax.dtypes.canonicalize_dtype(dtype)


def _cast(x: Any, dtype: Any) -> Any:
    wanted = _dtype(dtype)
    return x if x.dtype == wanted else x.astype(wanted)


# --- the rules ------------------------------------------------------------------------------------


def _elementwise(node: Node, *inputs: Any) -> Any:
    function = _OTHERS.get(node.op.name) or getattr(jnp, node.op.name)
    dtype = computing_dtype(node)
    return _cast(function(*[_cast(x, dtype) for x in inputs]), node.dtype)


rule(*(name for name, op in OPERATIONS.items() if op.partials))(_elementwise)


@rule("sum", "mean", "max", "min", "argmax", "argmin", "logsumexp")
def _reduced(node: Node, x: Any, axis: Any, keepdims: bool) -> Any:
    name = node.op.name
    if name in ("sum", "mean", "logsumexp"):
        x = _cast(x, node.dtype)
    function = jax.scipy.special.logsumexp if name == "logsumexp" else getattr(jnp, name)
    if not x.ndim and axis is not None:  # NumPy lets a number have the axis 0
        axis = None
    return _cast(function(x, axis=axis, keepdims=keepdims), node.dtype)


@rule("cumsum")
def _cumsum(node: Node, x: Any, axis: Any) -> Any:
    return _cast(jnp.cumsum(_cast(jnp.atleast_1d(x), node.dtype), axis=axis), node.dtype)


@rule("argsort")
def _argsort(node: Node, x: Any, axis: Any) -> Any:
    return jnp.argsort(jnp.atleast_1d(x), axis=axis, stable=True)


@rule("reshape", "broadcast_to")
def _shaped(node: Node, x: Any, shape: Any) -> Any:
    return getattr(jnp, node.op.name)(x, node.shape)


@rule("transpose")
def _transpose(node: Node, x: Any, axes: Any) -> Any:
    return jnp.transpose(x, axes)


@rule("matrix_transpose")
def _matrix_transpose(node: Node, x: Any) -> Any:
    return jnp.matrix_transpose(x)


@rule("astype")
def _astype(node: Node, x: Any, dtype: Any) -> Any:
    return _cast(x, node.dtype)


@rule("matmul")
def _matmul(node: Node, x: Any, y: Any) -> Any:
    return jnp.matmul(_cast(x, node.dtype), _cast(y, node.dtype))


@rule("einsum")
def _einsum(node: Node, *operands: Any, subscripts: str) -> Any:
    return jnp.einsum(subscripts, *[_cast(x, node.dtype) for x in operands])


@rule("concatenate")
def _concatenate(node: Node, *arrays: Any, axis: int) -> Any:
    return jnp.concatenate([_cast(x, node.dtype) for x in arrays], axis=axis)


@rule("where")
def _where(node: Node, condition: Any, x: Any, y: Any) -> Any:
    return jnp.where(condition.astype(bool), _cast(x, node.dtype), _cast(y, node.dtype))


@rule("stop_gradient")
def _stop_gradient(node: Node, x: Any) -> Any:
    return jax.lax.stop_gradient(x)


@rule("class_numbers")
def _class_numbers(node: Node, x: Any, classes: int) -> Any:
    return x


@rule("getitem")
def _getitem(node: Node, x: Any, *indices: Any, index: Any) -> Any:
    return x[filled(index, indices)]


@rule("scatter_add")
def _scatter_add(node: Node, x: Any, *indices: Any, index: Any, shape: Any) -> Any:
    return jnp.zeros(shape, x.dtype).at[filled(index, indices)].add(x)


@rule("windows")
def _windows(node: Node, x: Any, shape: Any, stride: Any) -> Any:
    k = len(shape)
    lead = x.ndim - k
    strides = strides_of(shape, stride)
    for i in reversed(range(k)):
        starts = np.arange(node.shape[lead + i]) * strides[i]
        x = jnp.take(x, starts[:, None] + np.arange(shape[i]), axis=lead + i)
    axes = (*range(lead), *range(lead, lead + 2 * k, 2), *range(lead + 1, lead + 2 * k, 2))
    return jnp.transpose(x, axes)


@rule("overlap_add")
def _overlap_add(node: Node, x: Any, shape: Any, stride: Any) -> Any:
    k = len(shape)
    every = np.arange(prod(node.shape)).reshape(node.shape)
    places = windows(every, x.shape[-k:], stride)
    return jnp.zeros(every.size, x.dtype).at[places].add(x).reshape(node.shape)
