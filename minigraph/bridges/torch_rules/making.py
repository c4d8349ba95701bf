"""New tensors, and copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.node import Node, constant
from ...core.table import astype, broadcast_to
from ...graph.joining import stop_gradient
from ..torch_dtypes import dtype_of
from .stating import FROM


def _full(out: Any, value: Any) -> Node:
    return constant(np.full(tuple(out.shape), value, dtype_of(out.dtype)))


@FROM.rule("aten.full", "aten.full_like", "aten.new_full")
def _(out: Any, first: Any, *args: Any, **_: Any) -> Any:
    value = args[-1]
    if isinstance(value, Node):
        return broadcast_to(value, tuple(out.shape))
    return _full(out, value)


@FROM.rule(
    "aten.zeros", "aten.zeros_like", "aten.new_zeros", "aten.empty", "aten.empty_like",
    "aten.new_empty", "aten.empty_permuted", "aten.zero", "aten.empty_strided",
)  # fmt: skip
def _(out: Any, *_: Any, **__: Any) -> Any:
    return _full(out, 0)


@FROM.rule("aten.ones", "aten.ones_like", "aten.new_ones")
def _(out: Any, *_: Any, **__: Any) -> Any:
    return _full(out, 1)


@FROM.rule("aten.scalar_tensor")
def _(out: Any, value: Any, **_: Any) -> Any:
    return _full(out, value)


@FROM.rule("aten.fill")
def _(out: Any, x: Any, value: Any) -> Any:
    if isinstance(value, Node):
        return broadcast_to(value, x.shape) if x.shape != value.shape else value
    return _full(out, value)


@FROM.rule("aten.copy")
def _(out: Any, x: Any, source: Any, *_: Any) -> Any:
    source = source if source.dtype == x.dtype else astype(source, x.dtype)
    return source if source.shape == x.shape else broadcast_to(source, x.shape)


@FROM.rule(
    "aten.clone", "aten.alias", "aten.contiguous", "aten.lift_fresh_copy", "aten.lift_fresh",
    "aten.resolve_conj", "aten.resolve_neg", "aten.positive", "aten.real", "aten.conj",
    "aten.type_as", "aten.to", "aten._to_copy",
)  # fmt: skip
def _(out: Any, x: Any, *_: Any, **__: Any) -> Any:
    dtype = dtype_of(out.dtype)
    return x if x.dtype == dtype else astype(x, dtype)


@FROM.rule("aten.detach", "aten.detach_")
def _(out: Any, x: Any) -> Any:
    return stop_gradient(x)
