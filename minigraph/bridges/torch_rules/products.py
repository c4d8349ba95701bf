"""Products of matrices, and attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.node import constant
from ...core.operation import FUNCTIONS
from ...core.table import matmul, sum, transpose
from ...graph.composing import folding
from ...graph.functions import outer, softmax, swapaxes, take
from ...graph.joining import where
from ...graph.products import einsum
from ..translating import refusal
from .stating import FROM, RANDOM, plain, scaled


@FROM.rule("aten.addmm", "aten.baddbmm", "aten.addmv", "aten.addbmm")
def _(out: Any, x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    product = matmul(a, b)
    if len(product.shape) > len(out.shape):  # addbmm adds up the batch
        product = sum(product, 0)
    return scaled(product, alpha) + scaled(x, beta)


@FROM.rule("aten.linear")
def _(out: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    product = matmul(x, transpose(weight))
    return product if bias is None else product + bias


@FROM.rule("aten.bilinear")
@folding
def _bilinear(out: Any, x: Any, y: Any, weight: Any, bias: Any = None) -> Any:
    product = einsum("...i,oij,...j->...o", x, weight, y)
    return product if bias is None else product + bias


@FROM.rule("aten.einsum")
def _(out: Any, equation: str, tensors: Sequence[Any], **_: Any) -> Any:
    return einsum(equation, *tensors)


plain(lambda x, y: outer(x, y), "outer", "ger")
plain(lambda x, y: matmul(x, y), "inner", "vdot", "linalg_vecdot")


@FROM.rule("aten.tensordot")
def _(out: Any, x: Any, y: Any, ours: Any, theirs: Any) -> Any:
    return FUNCTIONS["tensordot"](x, y, (tuple(ours), tuple(theirs)))


@FROM.rule("aten.scaled_dot_product_attention")
@folding
def _attention(
    out: Any, q: Any, k: Any, v: Any, mask: Any = None, p: float = 0.0, is_causal: bool = False,
    *, scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if p:
        raise refusal("attention with dropout cannot be translated", instead=RANDOM)
    if enable_gqa:
        times = q.shape[-3] // k.shape[-3]
        k, v = (take(x, np.repeat(np.arange(x.shape[-3]), times), -3) for x in (k, v))
    scores = matmul(q, swapaxes(k, -1, -2)) * (
        1 / math.sqrt(q.shape[-1]) if scale is None else scale
    )
    if is_causal:
        mask = constant(np.tri(*scores.shape[-2:], dtype=bool))
    if mask is not None:
        scores = where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask
    return matmul(softmax(scores, -1), v)
