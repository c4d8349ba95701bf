"""What all rules share: where they are stated, and how the plain ones are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ...core.table import astype
from ..torch_dtypes import dtype_of
from ..translating import Rules

RANDOM = (
    "it draws random numbers, and a graph has none: call model.eval() first if it is a layer such "
    "as dropout; else draw them outside, and give them as an example"
)
BY_VALUES = (
    "its shape or number depends on values, and a graph has shapes that are known beforehand: "
    "choose with torch.where, which keeps the shape, or give the number as an example"
)
FROM = Rules(
    "PyTorch",
    {
        "aten.median": "take torch.sort(x, dim)[0] and its middle",
        "aten.cumprod": "take torch.exp(torch.cumsum(torch.log(x), dim)) of positive numbers",
        "aten.as_strided": "take x[…], x.unfold(…) or x.reshape(…)",
    },
)


def plain(function: Callable[..., Any], *names: str) -> None:
    """State that an operation is a function of minigraph with the same arguments."""

    @FROM.rule(*(f"aten.{name}" for name in names))
    def _(out: Any, x: Any, *args: Any, dtype: torch.dtype | None = None) -> Any:
        return function(cast(x, dtype), *args)


def cast(x: Any, dtype: torch.dtype | None) -> Any:
    """x in the dtype in which an operation is to compute, if it names one."""
    return x if dtype is None else astype(x, dtype_of(dtype))


def scaled(x: Any, alpha: Any) -> Any:
    """x times a factor, which is 1 nearly always."""
    return x if alpha == 1 else x * alpha
