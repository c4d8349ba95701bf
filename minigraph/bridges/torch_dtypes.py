"""Which dtypes of PyTorch are which of NumPy."""

from __future__ import annotations

import numpy as np
import torch

from .translating import refusal

_DTYPES = {
    dtype: np.dtype(str(dtype).removeprefix("torch."))
    for dtype in (
        torch.float16, torch.float32, torch.float64, torch.bool,
        torch.int8, torch.int16, torch.int32, torch.int64,
        torch.uint8, torch.uint16, torch.uint32, torch.uint64,
    )
}  # fmt: skip
SHARED = frozenset(_DTYPES)
_BACK = {ours: dtype for dtype, ours in _DTYPES.items()}


def dtype_of(dtype: torch.dtype) -> np.dtype:
    """NumPy's dtype for one of PyTorch."""
    if dtype not in _DTYPES:
        name = str(dtype).removeprefix("torch.")
        if dtype.is_complex:
            raise refusal(f"{name} cannot be translated", instead="a Node holds real numbers")
        raise refusal(f"NumPy has no {name}", instead="compute in float32: x.float()")
    return _DTYPES[dtype]


def torch_dtype(dtype: np.dtype) -> torch.dtype:
    """PyTorch's dtype for one of NumPy."""
    if dtype not in _BACK:
        raise refusal(f"PyTorch has no {dtype}", instead="compute in float64 or float32")
    return _BACK[dtype]
