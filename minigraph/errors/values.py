"""Which values a Node can hold, and what is said of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import MinigraphError, NodeTypeError
from .words import brief


def array_of_numbers(value: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """Copy real numbers or booleans into an array, of a dtype if one is named.

    Floats are rounded to it; whole numbers must be among those that it holds.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise NodeTypeError("a Node has no masked elements; take .filled(0) or such, and mg.where")
    try:
        array = np.array(value)
    except MinigraphError:
        raise
    except (ValueError, TypeError) as error:
        raise NodeTypeError(f"cannot make an array of {type(value).__name__}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise NodeTypeError(f"a Node holds real numbers, not {_not_real(value, array)}")
    if not array.dtype.isnative:  # as in files of other machines, for which dtypes are two
        array = array.astype(array.dtype.newbyteorder("="))
    return array if dtype is None or dtype == array.dtype else _fitted(array, dtype)


def _fitted(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An array in another dtype, where no number wraps around or becomes infinite."""
    are_whole = array.dtype.kind in "iu" and dtype.kind in "iu"
    if not are_whole and not np.can_cast(array.dtype, dtype, "same_kind"):
        raise NodeTypeError(f"{array.dtype} does not fit into {dtype} without rounding")
    with np.errstate(all="ignore"):
        fitted = array.astype(dtype, copy=False)
    wrong = fitted != array if are_whole else np.isinf(fitted) & np.isfinite(array)
    if wrong.any():
        limits: Any = np.iinfo(dtype) if are_whole else np.finfo(dtype)
        raise NodeTypeError(
            f"{array[wrong][0]} does not fit into {dtype}, "
            f"which holds numbers from {limits.min} to {limits.max}"
        )
    return fitted


def _not_real(value: Any, array: np.ndarray) -> str:
    if value is None:
        return "None; does a function here lack its return?"
    if isinstance(value, str):
        return f"the text {value[:40]!r}; to read an expression use mg.parse"
    if array.dtype.kind == "c":
        return f"the complex {brief(array)}; keep its real and imaginary part in two Nodes"
    if array.dtype.kind == "O" and any(type(item).__name__ == "Node" for item in array.flat):
        return "an array of Nodes; keep them as separate Nodes, or make one variable of an array"
    return f"{type(value).__name__} {str(value)[:40]}"


def checked_name(name: str | None) -> str | None:
    """Return the name if it can be one."""
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise NodeTypeError(f"a name is a text such as 'w', not {name!r}")
    return name
