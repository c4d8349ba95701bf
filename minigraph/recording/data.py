"""Values in a recording: numbers and small arrays as they are, large arrays as a summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.node import frozen
from ..graph.saving import SPECIAL, read_dtype, read_shape
from ..reading.text import shape_text, value_text

LARGEST = 256  # elements that are written out
THUMBNAIL = 8  # rows and columns of a summary
RELATIVE, ABSOLUTE = 1e-6, 1e-9  # within which two values are the same but for rounding


@dataclass(frozen=True)
class Summary:
    """What is kept of a large array: its extremes, its mean, and some of its rows and columns."""

    shape: tuple[int, ...]
    dtype: str
    least: float
    most: float
    mean: float
    thumbnail: tuple[tuple[float, ...], ...]

    @property
    def ndim(self) -> int:
        """The number of axes of the array; `np.ndim` reads it."""
        return len(self.shape)


def summarised(value: Any) -> Any:
    """Return a value as a recording keeps it."""
    if np.size(value) <= LARGEST or isinstance(value, Summary):
        return value
    grid = thumbnail(value)
    with np.errstate(all="ignore"):
        least, most, mean = (float(f(value)) for f in (np.min, np.max, np.mean))
    rows = tuple(tuple(map(float, row)) for row in grid)
    return Summary(value.shape, value.dtype.name, least, most, mean, rows)


def thumbnail(value: Any) -> np.ndarray:
    """Take up to 8 × 8 elements, evenly spread, of the first matrix in an array."""
    matrix = np.atleast_2d(value)
    matrix = matrix.reshape(-1, *matrix.shape[-2:])[0] if matrix.size else np.zeros((0, 0))
    rows, columns = (
        np.linspace(0, n - 1, min(n, THUMBNAIL)).round().astype(int) for n in matrix.shape
    )
    return matrix[np.ix_(rows, columns)]


def encoded(value: Any) -> Any:
    """Write a value in what JSON has; "nan", "inf" and "-inf" stand for what it has not."""
    if isinstance(value, Summary):
        return {
            "shape": list(value.shape),
            "dtype": value.dtype,
            "least": _plain(value.least),
            "most": _plain(value.most),
            "mean": _plain(value.mean),
            "thumbnail": [[_plain(x) for x in row] for row in value.thumbnail],
        }
    if np.ndim(value) == 0:
        return _plain(np.asarray(value).item())
    return {
        "shape": list(value.shape),
        "dtype": value.dtype.name,
        "data": [_plain(x) for x in value.ravel().tolist()],
    }


def decoded(written: Any) -> Any:
    """Read what `encoded` has written.

    Raises:
        ValueError: if it is something else.
    """
    if not isinstance(written, dict):
        return _number(written)
    shape, dtype = read_shape(written.get("shape")), read_dtype(written.get("dtype"))
    size = math.prod(shape)
    if "data" in written:
        flat = [_number(x) for x in _listed(written["data"])]
        if not shape or len(flat) != size or size > LARGEST:
            raise ValueError(f"an array of shape {shape} does not have {len(flat)} elements")
        with np.errstate(all="ignore"):
            return frozen(np.array(flat, dtype).reshape(shape))
    if size <= LARGEST:
        raise ValueError(f"an array of shape {shape} is small enough to be written out")
    least, most, mean = (_number(written.get(name)) for name in ("least", "most", "mean"))
    rows = tuple(tuple(map(_number, _listed(row))) for row in _listed(written.get("thumbnail")))
    tall, wide = (min(n, THUMBNAIL) for n in (1, *shape)[-2:])
    if [*map(len, rows)] != [wide] * tall:
        raise ValueError(f"the thumbnail of shape {shape} has {tall} × {wide} numbers")
    return Summary(shape, dtype.name, least, most, mean, rows)


def _number(written: Any) -> Any:
    if isinstance(written, str) and written in SPECIAL:
        return SPECIAL[written]
    if isinstance(written, float) or (isinstance(written, int) and abs(written) < 2**64):
        return written
    raise ValueError(f"there is no number {written!r:.40}")


def _listed(written: Any) -> list[Any]:
    if not isinstance(written, list):
        raise ValueError(f"numbers are in a list, not {written!r:.40}")
    return written


def _plain(x: Any) -> Any:
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    return x


def same(a: Any, b: Any) -> bool:
    """Whether two values agree but for rounding; NaN agrees with NaN."""
    if a is None or b is None:
        return a is b
    if isinstance(a, Summary) or isinstance(b, Summary):
        return (
            isinstance(a, Summary)
            and isinstance(b, Summary)
            and a.shape == b.shape
            and _close(a.thumbnail, b.thumbnail)
            and _close(a.mean, b.mean)
        )
    return np.shape(a) == np.shape(b) and _close(a, b)


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isfinite(a) and math.isfinite(b):
        return bool(abs(a - b) <= ABSOLUTE + RELATIVE * abs(b))  # as allclose does, but faster
    return bool(np.allclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True))


def written(value: Any) -> str:
    """Write a value for a reader: the number, the numbers of a short vector, or the shape."""
    if isinstance(value, Summary):
        return f"({shape_text(value.shape)})"
    return value_text(value)
