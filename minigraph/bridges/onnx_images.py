"""What the operators of ONNX for images are in minigraph: other sizes, places, and boxes.

See https://onnx.ai/onnx/operators for what ONNX says of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil, floor, prod
from typing import Any

import numpy as np

from .onnx_call import RULES, Call, Value, axes_of, like, mg, number

rule = RULES.rule

# --- other sizes ----------------------------------------------------------------------------------


@rule("Upsample")
def _upsample(call: Call, x: Value, scales: Value = None) -> Value:
    factors = call["scales"] if scales is None else call.known(scales, "its scales").tolist()
    sizes = [floor(n * s) for n, s in zip(x.shape, factors, strict=True)]
    for axis, (scale, size) in enumerate(zip(factors, sizes)):
        at = [i / scale for i in range(*call.shape((size,)))]
        x = _taken(call, x, axis, at, scale, "floor")
    return x


@rule("Resize")
def _resize(
    call: Call, x: Value, roi: Value = None, scales: Value = None, sizes: Value = None
) -> Value:
    if call.version < 11:
        return _upsample(call, x, roi)  # which stood there then
    axes = axes_of(x, call["axes"])
    factors, wanted = _factors(call, x, axes, scales, sizes)
    kept = [0.0] * len(axes) + [1.0] * len(axes)
    how = call["coordinate_transformation_mode"]
    if how == "tf_crop_and_resize" and roi is not None:
        kept = call.known(roi, "the region").tolist()
    else:
        call["extrapolation_value"]
    how_near = call["nearest_mode"]
    for i, axis in enumerate(axes):
        n, scale, size = x.shape[axis], factors[i], wanted[i]
        region = kept[i], kept[i + len(axes)]
        if scale == 1 and size == n and region == (0, 1):
            continue
        call.shape((size,))
        at = [_place(how, o, n, scale, size, region) for o in range(size)]
        x = _taken(call, x, axis, at, scale, how_near)
        if how == "tf_crop_and_resize":
            outside = np.array([not 0 <= a <= n - 1 for a in at])
            outside = outside.reshape([-1 if k == axis else 1 for k in range(len(x.shape))])
            x = mg.where(outside, number(call["extrapolation_value"], x), x)
    return x


def _factors(
    call: Call, x: Value, axes: Sequence[int], scales: Value, sizes: Value
) -> tuple[list[float], list[int]]:
    """How much larger each axis becomes, and its size then."""
    policy = call["keep_aspect_ratio_policy"]
    if sizes is None or not np.prod(sizes.shape):
        if scales is None:
            raise ValueError("it has neither scales nor sizes")
        factors = call.known(scales, "its scales").tolist()
        return factors, [floor(s * x.shape[i]) for i, s in zip(axes, factors, strict=True)]
    wanted = [int(n) for n in call.known(sizes, "its sizes")]
    factors = [n / x.shape[i] for i, n in zip(axes, wanted, strict=True)]
    if policy in (None, "stretch"):
        return factors, wanted
    scale = (min if policy == "not_larger" else max)(factors)
    return [scale] * len(axes), [int(scale * x.shape[i] + 0.5) for i in axes]


def _place(how: str, o: int, n: int, scale: float, size: int, region: tuple[float, float]) -> float:
    """Where an element of the result lies on an axis of n elements."""
    width = scale * n
    match how:
        case "align_corners":
            return 0.0 if width == 1 else o * (n - 1) / (width - 1)
        case "asymmetric":
            return o / scale
        case "tf_crop_and_resize":
            part = (region[1] - region[0]) * (n - 1)
            inside = part / 2 if width == 1 else o * part / (width - 1)
            return region[0] * (n - 1) + inside
        case "half_pixel_symmetric":
            return n / 2 * (1 - size / width) + (o + 0.5) / scale - 0.5
        case "pytorch_half_pixel" if width == 1:
            return -0.5
    return (o + 0.5) / scale - 0.5


_NEAREST = {
    "round_prefer_floor": lambda a: ceil(a - 0.5),
    "round_prefer_ceil": lambda a: floor(a + 0.5),
    "floor": floor,
    "ceil": ceil,
}


def _taken(
    call: Call, x: Value, axis: int, at: Sequence[float], scale: float, how_near: str
) -> Value:
    """The elements at places along an axis: the nearest, or a mean of those around."""
    n, mode = x.shape[axis], call["mode"]
    for name in ("exclude_outside", "antialias", "cubic_coeff_a"):
        call[name]
    if mode == "nearest":
        places = np.array([min(max(_NEAREST[how_near](a), 0), n - 1) for a in at], np.int64)
        return x[(*[slice(None)] * axis, places)]
    shares = np.zeros(call.shape((n, len(at))))
    for o, a in enumerate(at):
        first, parts = _shares(call, a, min(scale, 1.0) if call["antialias"] else 1.0)
        around = first + np.arange(len(parts))
        if call["exclude_outside"]:
            parts = np.where((around >= 0) & (around < n), parts, 0)
            parts = parts / parts.sum()
        np.add.at(shares[:, o], np.clip(around, 0, n - 1), parts)
    wide = mg.moveaxis(x, axis, -1)
    return mg.moveaxis(mg.matmul(wide, shares.astype(x.dtype)), -1, axis)


def _shares(call: Call, at: float, scale: float) -> tuple[int, np.ndarray]:
    """The first element around a place that counts, and how much each counts from there on.

    Args:
        call: of the operator.
        at: the place.
        scale: below 1 where a smaller result sees more elements at once, so that none is lost.
    """
    is_linear = call["mode"] in ("linear", "bilinear")
    reach = (1 if is_linear else 2) / scale
    first = ceil(at) - 1 + floor(-reach) + 1
    distance = np.abs(first + np.arange(2 * (1 - floor(-reach) - 1)) - at) * scale
    if is_linear:
        parts = np.clip(1 - distance, 0, 1)
    else:
        a = call["cubic_coeff_a"]
        inner = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        outer = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
        parts = np.where(distance <= 1, inner, np.where(distance < 2, outer, 0))
    return first, parts / parts.sum()


# --- places that are computed ---------------------------------------------------------------------


@rule("GridSample")
def _grid_sample(call: Call, x: Value, grid: Value) -> Value:
    """The image at places between its elements, from -1 to 1 along each axis, the last axis first.

    A mean of the elements around each place, which may lie beyond the border.
    """
    mode, padding = call["mode"].removeprefix("bi"), call["padding_mode"]
    batch, channels, *sizes = x.shape
    k = len(sizes)
    points = mg.reshape(grid, (batch, -1, k))
    around = []
    for axis, n in enumerate(sizes):
        low, high = (0.0, n - 1.0) if call["align_corners"] else (-0.5, n - 0.5)
        share = (points[..., k - 1 - axis] + number(1, grid)) * number(0.5, grid)
        at = number(low, grid) + share * number(high - low, grid)
        at = _inside(padding, mg.rint(at) if mode == "nearest" else at, n, low, high)
        around.append([
            _element(padding, place, part, n, low, high) for place, part in _parts(mode, at)
        ])  # fmt: skip
    flat = mg.reshape(x, (batch, channels, prod(sizes)))
    rows, columns = np.arange(batch)[:, None, None], np.arange(channels)[:, None]
    total: Any = 0
    for chosen in product(*around):
        index: Any = 0
        weight: Any = number(1, x)
        for n, (place, part) in zip(sizes, chosen, strict=True):
            index = place + index * n
            weight = weight * like(part, x)
        seen = mg.getitem(flat, (rows, columns, mg.expand_dims(index, 1)))
        total = total + seen * mg.expand_dims(weight, 1)
    return mg.reshape(total, (batch, channels, *grid.shape[1:-1]))


def _inside(padding: str, at: Value, n: int, low: float, high: float) -> Value:
    """Places, with those beyond the border at it, or as far on this side of it as beyond."""
    if padding == "zeros":
        return at
    beyond = mg.logical_or(mg.less(at, number(low, at)), mg.greater(at, number(high, at)))
    if padding == "border":
        return mg.where(beyond, mg.clip(at, 0.0, n - 1.0), at)
    if high == low:
        return at * number(0, at)
    twice = mg.remainder(at - number(low, at), number(2 * (high - low), at))
    back = mg.minimum(twice, number(2 * (high - low), at) - twice)
    return mg.where(beyond, back + number(low, at), at)


def _parts(mode: str, at: Value) -> list[tuple[Value, Value]]:
    """The elements around places, and how much each counts."""
    first = mg.floor(at)
    r, one = at - first, number(1, at)
    if mode == "nearest":
        return [(at, np.ones((1, 1), at.dtype))]
    if mode == "linear":
        return [(first, one - r), (first + one, r)]
    a = -0.75
    distances = [r + one, r, one - r, one - r + one]
    parts = [
        ((number(a, at) * d - number(5 * a, at)) * d + number(8 * a, at)) * d - number(4 * a, at)
        if i in (0, 3)
        else (number(a + 2, at) * d - number(a + 3, at)) * d * d + one
        for i, d in enumerate(distances)
    ]
    return [(first + number(i - 1, at), part) for i, part in enumerate(parts)]


def _element(
    padding: str, place: Value, part: Value, n: int, low: float, high: float
) -> tuple[Value, Value]:
    """The index of an element, and how much it counts: nothing beyond the border of zeros."""
    if padding == "zeros":
        is_there = mg.logical_and(
            mg.greater_equal(place, number(0, place)), mg.less(place, number(n, place))
        )
        part = mg.where(is_there, part, number(0, part))
    elif padding == "reflection":
        place = mg.rint(_inside(padding, place, n, low, high))
    return mg.astype(mg.clip(place, 0.0, n - 1.0), np.int64), part


# --- boxes ----------------------------------------------------------------------------------------


@rule("NonMaxSuppression")
def _non_max_suppression(
    call: Call, boxes: Value, scores: Value, most: Value = None, overlap: Value = None,
    least: Value = None,
) -> np.ndarray:  # fmt: skip
    """Boxes by their scores, without those that overlap one that was chosen: all must be known."""
    around = call.known(boxes, "the boxes").astype(float)
    by_class = call.known(scores, "the scores")
    limit = 0 if most is None else int(call.known(most, "how many it takes").item())
    allowed = 0.0 if overlap is None else float(call.known(overlap, "the overlap").item())
    lowest = -np.inf if least is None else float(call.known(least, "the lowest score").item())
    if call["center_point_box"]:
        middle, half = around[..., :2], around[..., 2:] / 2
        around = np.concatenate([middle - half, middle + half], -1)
    low = np.minimum(around[..., :2], around[..., 2:])
    high = np.maximum(around[..., :2], around[..., 2:])
    chosen: list[Any] = []
    for batch, classes in enumerate(by_class):
        for kind, values in enumerate(classes):
            kept: list[int] = []
            for i in np.argsort(-values, kind="stable"):
                if len(kept) == limit or values[i] <= lowest:
                    break
                if all(_overlap(low[batch], high[batch], i, j) <= allowed for j in kept):
                    kept.append(int(i))
            chosen += [(batch, kind, i) for i in kept]
    return np.array(chosen, np.int64).reshape(-1, 3)


def _overlap(low: np.ndarray, high: np.ndarray, i: int, j: int) -> float:
    """What two boxes have in common, as a share of what they cover together."""
    sides = np.minimum(high[i], high[j]) - np.maximum(low[i], low[j])
    common = np.prod(np.maximum(sides, 0))
    both = np.prod(high[i] - low[i]) + np.prod(high[j] - low[j]) - common
    return float(common / both) if both else 0.0
