"""What each operator of ONNX is in minigraph: numbers, reductions, shapes, elements, choices.

Read it as a table: the name of an operator, and what it is in minigraph's functions. See
https://onnx.ai/onnx/operators for what ONNX says of each. Layers are in `onnx_layers.py`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core.node import Node
from .onnx_call import DTYPES, RULES, Call, Value, axes_of, like, mg, number

rule = RULES.rule

# --- elementwise ----------------------------------------------------------------------------------

_PLAIN = {
    "Abs": "absolute", "Acos": "arccos", "Acosh": "arccosh", "Add": "add", "And": "logical_and",
    "Asin": "arcsin", "Asinh": "arcsinh", "Atan": "arctan", "Atanh": "arctanh", "Ceil": "ceil",
    "Cos": "cos", "Cosh": "cosh", "Equal": "equal", "Erf": "erf", "Exp": "exp", "Floor": "floor",
    "Greater": "greater", "GreaterOrEqual": "greater_equal", "IsNaN": "isnan", "Less": "less",
    "LessOrEqual": "less_equal", "Log": "log", "MatMul": "matmul", "Mul": "multiply",
    "Neg": "negative", "Not": "logical_not", "Or": "logical_or", "Reciprocal": "reciprocal",
    "Relu": "relu", "Round": "rint", "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin",
    "Sinh": "sinh", "Sqrt": "sqrt", "Sub": "subtract", "Tan": "tan", "Tanh": "tanh",
    "Where": "where", "Xor": "not_equal",
}  # fmt: skip


def _plain(function: Any) -> Any:
    return lambda call, *inputs: function(*inputs)


for _name, _function in _PLAIN.items():
    rule(_name)(_plain(getattr(mg, _function)))


@rule("Identity")
def _identity(call: Call, x: Value) -> Value:
    return x


@rule("Div")
def _div(call: Call, x: Value, y: Value) -> Value:
    if x.dtype.kind == "f":
        return mg.divide(x, y)
    # Towards zero. What is divided is a multiple, so the quotient has no rounding to lose.
    top, bottom = (x, y) if x.dtype.kind == "u" else (mg.absolute(x), mg.absolute(y))
    whole = like(mg.divide(mg.subtract(top, mg.remainder(top, bottom)), bottom), x)
    return whole if x.dtype.kind == "u" else whole * mg.sign(x) * mg.sign(y)


@rule("Mod")
def _mod(call: Call, x: Value, y: Value) -> Value:
    if not call["fmod"]:
        return mg.remainder(x, y)
    left = mg.remainder(mg.absolute(x), mg.absolute(y))
    return left if x.dtype.kind == "u" else left * mg.sign(x)


@rule("Pow")
def _pow(call: Call, x: Value, y: Value) -> Value:
    return like(mg.power(x, y), x)


@rule("IsInf")
def _isinf(call: Call, x: Value) -> Value:
    up, down = call["detect_positive"], call["detect_negative"]
    found = [mg.equal(x, number(np.inf, x))] * bool(up)
    found += [mg.equal(x, number(-np.inf, x))] * bool(down)
    if not found:
        return np.zeros(call.shape(x.shape), bool)
    return found[0] if len(found) == 1 else mg.logical_or(*found)


# --- bits -----------------------------------------------------------------------------------------


@rule("BitwiseNot")
def _bitwise_not(call: Call, x: Value) -> Value:
    top = np.iinfo(x.dtype).max if x.dtype.kind == "u" else -1
    return number(top, x) - x


@rule("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def _bitwise(call: Call, x: Value, y: Value) -> Value:
    """Bit by bit along a further axis, of which the last of a signed number is its sign."""
    ways = {"And": mg.logical_and, "Or": mg.logical_or, "Xor": mg.not_equal}
    count, is_signed = 8 * x.dtype.itemsize, x.dtype.kind == "i"
    powers = np.array([1 << k for k in range(count - is_signed)], x.dtype)
    both = ways[call.operator.removeprefix("Bitwise")](_bits(x, powers), _bits(y, powers))
    steps = np.append(powers, np.iinfo(x.dtype).min).astype(x.dtype) if is_signed else powers
    return like(mg.sum(mg.where(both, steps, number(0, x)), -1), x)


def _bits(x: Value, powers: np.ndarray) -> Value:
    """Whether each bit is set, the lowest first; a signed number has one more than powers."""
    wide = mg.expand_dims(x, -1)
    lower = wide if len(powers) == 1 else mg.remainder(wide, powers[1:])
    bits = mg.greater_equal(lower, powers[:-1])
    last = mg.remainder(wide, powers[-1:]) if x.dtype.kind == "i" else wide
    if x.dtype.kind == "u":
        return mg.concatenate([bits, mg.greater_equal(last, powers[-1:])], -1)
    # Above the rest are -2, -1, 0 or 1 times the highest power: it is set where this is odd.
    high = mg.equal(mg.absolute(wide - last), powers[-1:])
    return mg.concatenate([bits, high, mg.less(wide, 0)], -1)


@rule("BitShift")
def _bit_shift(call: Call, x: Value, by: Value) -> Value:
    """By a power of two; by all the bits and more, nothing is left, or -1 of a negative number."""
    count, is_signed = 8 * x.dtype.itemsize, x.dtype.kind == "i"
    fits = mg.logical_and(mg.greater_equal(by, 0), mg.less(by, count))
    by = mg.where(fits, by, number(0, by))
    if call["direction"] == "LEFT":
        return mg.where(fits, x * mg.power(number(2, x), by), number(0, x))
    places = np.arange(count - is_signed).astype(x.dtype)
    is_below = mg.less(x, 0)
    plain = mg.where(is_below, number(-1, x) - x, x) if is_signed else x
    left = mg.greater_equal(places, mg.expand_dims(by, -1))
    lower = mg.where(left, places - mg.expand_dims(by, -1), number(0, x))
    bits = _bits(plain, np.array([1 << int(k) for k in places], x.dtype))[..., : len(places)]
    kept = mg.logical_and(bits, mg.logical_and(left, mg.expand_dims(fits, -1)))
    shifted = like(mg.sum(mg.where(kept, mg.power(number(2, x), lower), number(0, x)), -1), x)
    return mg.where(is_below, number(-1, x) - shifted, shifted) if is_signed else shifted


# --- of several -----------------------------------------------------------------------------------


def _folded(function: Any) -> Any:
    def fold(call: Call, *inputs: Value) -> Value:
        total, *others = inputs
        for x in others:
            total = function(total, x)
        return total

    return fold


rule("Sum")(_folded(mg.add))
rule("Max")(_folded(mg.maximum))
rule("Min")(_folded(mg.minimum))


@rule("Mean")
def _mean_of(call: Call, *inputs: Value) -> Value:
    return _folded(mg.add)(call, *inputs) / number(len(inputs), inputs[0])


@rule("Clip")
def _clip(call: Call, x: Value, low: Value = None, high: Value = None) -> Value:
    bounds = [
        number(attribute, x) if bound is None and attribute is not None else bound
        for bound, attribute in ((low, call["min"]), (high, call["max"]))
    ]
    out = x if bounds[0] is None else mg.maximum(x, bounds[0])
    if isinstance(x, Node) and not any(isinstance(b, Node) for b in bounds):
        low, high = bounds
        if low is None or high is None or np.all(low <= high):
            return mg.clip(x, low, high)
    return out if bounds[1] is None else mg.minimum(out, bounds[1])


# --- activations ----------------------------------------------------------------------------------


@rule("LeakyRelu")
def _leaky(call: Call, x: Value) -> Value:
    return mg.where(mg.less(x, 0), x * number(call["alpha"], x), x)


@rule("PRelu")
def _prelu(call: Call, x: Value, slope: Value) -> Value:
    return mg.where(mg.less(x, 0), x * slope, x)


@rule("ThresholdedRelu")
def _thresholded(call: Call, x: Value) -> Value:
    return mg.where(mg.greater(x, number(call["alpha"], x)), x, number(0, x))


@rule("Elu")
def _elu(call: Call, x: Value) -> Value:
    # In exp goes nothing above 0, which could overflow where it is not chosen.
    negative = mg.expm1(mg.minimum(x, number(0, x))) * number(call["alpha"], x)
    return mg.where(mg.less(x, 0), negative, x)


@rule("Selu")
def _selu(call: Call, x: Value) -> Value:
    return _elu(call, x) * number(call["gamma"], x)


@rule("Celu")
def _celu(call: Call, x: Value) -> Value:
    alpha = number(call["alpha"], x)
    negative = mg.expm1(mg.minimum(x, number(0, x)) / alpha) * alpha
    return mg.where(mg.less(x, 0), negative, x)


@rule("HardSigmoid")
def _hard_sigmoid(call: Call, x: Value) -> Value:
    return mg.clip(x * number(call["alpha"], x) + number(call["beta"], x), 0.0, 1.0)


@rule("HardSwish")
def _hard_swish(call: Call, x: Value) -> Value:
    return x * mg.clip(x * number(1 / 6, x) + number(0.5, x), 0.0, 1.0)


@rule("Softplus")
def _softplus(call: Call, x: Value) -> Value:
    return mg.logaddexp(x, number(0, x))


@rule("Softsign")
def _softsign(call: Call, x: Value) -> Value:
    return x / (mg.absolute(x) + number(1, x))


@rule("Mish")
def _mish(call: Call, x: Value) -> Value:
    return x * mg.tanh(mg.logaddexp(x, number(0, x)))


@rule("Swish")
def _swish(call: Call, x: Value) -> Value:
    return x * mg.sigmoid(x * number(call["alpha"], x))


@rule("Gelu")
def _gelu(call: Call, x: Value) -> Value:
    if call["approximate"] == "tanh":
        cubic = x + number(0.044715, x) * x * x * x
        share = mg.tanh(number(np.sqrt(2 / np.pi), x) * cubic)
    else:
        share = mg.erf(x * number(np.sqrt(0.5), x))
    return number(0.5, x) * x * (share + number(1, x))


@rule("Shrink")
def _shrink(call: Call, x: Value) -> Value:
    edge, bias = number(call["lambd"], x), number(call["bias"], x)
    above = mg.where(mg.greater(x, edge), x - bias, number(0, x))
    return mg.where(mg.less(x, -edge), x + bias, above)


@rule("Softmax", "LogSoftmax", "Hardmax")
def _softmax(call: Call, x: Value) -> Value:
    """Before version 13 over all axes from one on, since then over one."""
    axis = call["axis"]
    if call.version < 13:
        (axis,) = axes_of(x, axis)
        flat = mg.reshape(x, (*x.shape[:axis], prod(x.shape[axis:])))
        return mg.reshape(_over_axis(call, flat, -1), x.shape)
    return _over_axis(call, x, axis)


def _over_axis(call: Call, x: Value, axis: int) -> Value:
    if call.operator != "Hardmax":
        function = mg.softmax if call.operator == "Softmax" else mg.log_softmax
        if x.dtype.char == "e" and call.operator == "Softmax":
            # The logarithm of the sum would have too few digits; so ONNX says it itself.
            e = mg.exp(x - mg.stop_gradient(mg.max(x, axis, True)))
            return e / mg.sum(e, axis, True)
        return function(x, axis)
    (axis,) = axes_of(x, axis)
    places = np.arange(*call.shape((x.shape[axis],)))
    places = places.reshape([-1 if i == axis else 1 for i in range(len(x.shape))])
    return like(mg.equal(places, mg.argmax(x, axis, keepdims=True)), x)


# --- reductions -----------------------------------------------------------------------------------

_REDUCTIONS = {
    "ReduceSum": mg.sum,
    "ReduceMean": mg.mean,
    "ReduceProd": mg.prod,
    "ReduceL1": lambda x, *options: mg.sum(mg.absolute(x), *options),
    "ReduceL2": lambda x, *options: mg.sqrt(mg.sum(mg.square(x), *options)),
    "ReduceSumSquare": lambda x, *options: mg.sum(mg.square(x), *options),
    "ReduceLogSum": lambda x, *options: mg.log(mg.sum(x, *options)),
    "ReduceLogSumExp": mg.logsumexp,
    "ReduceMax": mg.max,
    "ReduceMin": mg.min,
}


@rule(*_REDUCTIONS)
def _reduce(call: Call, x: Value, axes: Value = None) -> Value:
    over = call.setting("axes", axes, "its axes")
    if not over and call["noop_with_empty_axes"]:
        over = []
    wanted = axes_of(x, over if over or call["noop_with_empty_axes"] else None)
    keepdims = bool(call["keepdims"])
    if call.operator in ("ReduceMax", "ReduceMin", "ReduceLogSumExp"):
        if 0 in (x.shape[i] for i in wanted):
            return _nothing(call, x, wanted, keepdims)
        if not wanted:
            return x
    return like(_REDUCTIONS[call.operator](x, wanted, keepdims), x)


def _nothing(call: Call, x: Value, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """What an extremum of no elements is: the number that loses against every other."""
    sizes = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
    least: Any
    most: Any
    match x.dtype.kind:
        case "b":
            least, most = False, True
        case "f":
            least, most = -np.inf, np.inf
        case _:
            least, most = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    return np.full(call.shape(sizes), most if call.operator == "ReduceMin" else least, x.dtype)


@rule("ArgMax", "ArgMin")
def _place(call: Call, x: Value) -> Value:
    (axis,) = axes_of(x, call["axis"])
    find = mg.argmax if call.operator == "ArgMax" else mg.argmin
    keepdims = bool(call["keepdims"])
    if not call["select_last_index"]:
        return find(x, axis, keepdims)
    last = x.shape[axis] - 1
    return number(last, np.zeros(0, int)) - find(mg.flip(x, axis), axis, keepdims)


@rule("CumSum")
def _cumsum(call: Call, x: Value, axis: Value) -> Value:
    (along,) = axes_of(x, call.setting("axis", axis, "its axis"))
    if call["reverse"]:
        x = mg.flip(x, along)
    total = like(mg.cumsum(x, along), x)
    if call["exclusive"]:
        total = total - x
    return mg.flip(total, along) if call["reverse"] else total


@rule("CumProd")
def _cumprod(call: Call, x: Value, axis: Value) -> Value:
    """One element after another: the table has a running sum only."""
    (along,) = axes_of(x, call.setting("axis", axis, "its axis"))
    n = x.shape[along]
    call.held.step(n)
    parts = [x[(*[slice(None)] * along, i)] for i in range(n)]
    parts = parts[::-1] if call["reverse"] else parts
    for i in range(1, n):
        parts[i] = parts[i - 1] * parts[i]
    if call["exclusive"]:
        parts = [np.ones(call.shape(part.shape), x.dtype) for part in parts[:1]] + parts[:-1]
    return mg.stack(parts[::-1] if call["reverse"] else parts, along) if parts else x


# --- products -------------------------------------------------------------------------------------


@rule("Gemm")
def _gemm(call: Call, x: Value, y: Value, bias: Value = None) -> Value:
    x = mg.transpose(x) if call["transA"] else x
    y = mg.transpose(y) if call["transB"] else y
    out = mg.matmul(x, y)
    if call["alpha"] != 1:
        out = out * number(call["alpha"], x)
    if bias is None:
        call["beta"]
        return out
    return out + (bias if call["beta"] == 1 else bias * number(call["beta"], x))


@rule("Einsum")
def _einsum(call: Call, *inputs: Value) -> Value:
    return mg.einsum(call["equation"], *inputs)


# --- shapes ---------------------------------------------------------------------------------------


@rule("Reshape")
def _reshape(call: Call, x: Value, shape: Value = None) -> Value:
    sizes = call.setting("shape", shape, "the shape") or []
    if not call["allowzero"]:
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return mg.reshape(x, tuple(sizes))


@rule("Flatten")
def _flatten(call: Call, x: Value) -> Value:
    axis = call["axis"]
    axis = axis + len(x.shape) if axis < 0 else axis
    return mg.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))


@rule("Transpose")
def _transpose(call: Call, x: Value) -> Value:
    axes = call["perm"]
    return mg.transpose(x, axes and tuple(axes))


@rule("Squeeze")
def _squeeze(call: Call, x: Value, axes: Value = None) -> Value:
    gone = call.setting("axes", axes, "its axes")
    return mg.squeeze(x, gone and tuple(gone))


@rule("Unsqueeze")
def _unsqueeze(call: Call, x: Value, axes: Value = None) -> Value:
    return mg.expand_dims(x, tuple(call.setting("axes", axes, "its axes") or ()))


@rule("Expand")
def _expand(call: Call, x: Value, shape: Value) -> Value:
    sizes = call.known(shape, "the shape").ravel().tolist()
    wide = np.broadcast_shapes(x.shape, tuple(sizes))
    return x if wide == tuple(x.shape) else mg.broadcast_to(x, wide)


@rule("Shape")
def _shape(call: Call, x: Value) -> np.ndarray:
    return np.array(x.shape[call["start"] or 0 : call["end"]], np.int64)


@rule("Size")
def _size(call: Call, x: Value) -> np.ndarray:
    return np.array(prod(x.shape), np.int64)


@rule("Concat")
def _concat(call: Call, *arrays: Value) -> Value:
    return arrays[0] if len(arrays) == 1 else mg.concatenate([*arrays], call["axis"])


@rule("Split")
def _split(call: Call, x: Value, sizes: Value = None) -> list[Value]:
    (axis,) = axes_of(x, call["axis"])
    parts = call.setting("split", sizes, "the sizes of its parts")
    if parts is None:
        count = call["num_outputs"] or call.outputs
        call.held.step(count)
        step = -(-x.shape[axis] // count)
        parts = [step] * (count - 1) + [x.shape[axis] - step * (count - 1)]
    if sum(parts) != x.shape[axis] or min(parts) < 0:
        raise ValueError(f"parts {parts} do not make up the {x.shape[axis]} of axis {axis}")
    return mg.split(x, np.cumsum(parts)[:-1].tolist(), axis)


@rule("Tile")
def _tile(call: Call, x: Value, repeats: Value) -> Value:
    times = [int(n) for n in call.known(repeats, "how often it repeats").ravel()]
    whole = tuple(n * t for n, t in zip(x.shape, times, strict=True))
    beside = [size for n in x.shape for size in (1, n)]
    wide = tuple(size for n, t in zip(x.shape, times) for size in (t, n))
    return mg.reshape(mg.broadcast_to(mg.reshape(x, tuple(beside)), wide), whole)


@rule("DepthToSpace")
def _depth_to_space(call: Call, x: Value) -> Value:
    n, c, h, w = x.shape
    b = call["blocksize"]
    if call["mode"] == "CRD":
        parts = mg.transpose(mg.reshape(x, (n, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    else:
        parts = mg.transpose(mg.reshape(x, (n, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
    return mg.reshape(parts, (n, c // b**2, h * b, w * b))


@rule("SpaceToDepth")
def _space_to_depth(call: Call, x: Value) -> Value:
    n, c, h, w = x.shape
    b = call["blocksize"]
    if call["mode"] == "CRD":
        order, inner = (0, 1, 3, 5, 2, 4), c * b * b
    else:
        order, inner = (0, 3, 5, 1, 2, 4), c * b * b
    parts = mg.transpose(mg.reshape(x, (n, c, h // b, b, w // b, b)), order)
    return mg.reshape(parts, (n, inner, h // b, w // b))


# --- dtypes and constants -------------------------------------------------------------------------


def dtype_of(call: Call, code: int) -> np.dtype:
    """The dtype that ONNX gives a number."""
    if code not in DTYPES:
        call.refuse(f"to {type_name(code)}", "minigraph has float16, float32, float64 and integers")
    return np.dtype(DTYPES[code])


def type_name(code: int) -> str:
    """What ONNX calls a type of numbers."""
    from onnx import TensorProto

    named = {number: name for name, number in TensorProto.DataType.items()}
    return named.get(code, f"type {code}")


@rule("Cast")
def _cast(call: Call, x: Value) -> Value:
    call["saturate"], call["round_mode"]  # which concern float8 only
    return mg.astype(x, dtype_of(call, call["to"]))


@rule("CastLike")
def _cast_like(call: Call, x: Value, other: Value) -> Value:
    call["saturate"], call["round_mode"]
    return like(x, other)


@rule("Constant")
def _constant(call: Call) -> np.ndarray:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        value = call[name]
        if value is not None:
            return (
                value if name == "value" else np.array(value, f"{name[6]}{8 - 4 * ('f' in name)}")
            )
    return call.refuse("of texts or of sparse numbers")


@rule("ConstantOfShape")
def _constant_of_shape(call: Call, shape: Value) -> np.ndarray:
    value = call["value"]
    sizes = call.shape(call.known(shape, "the shape").ravel().tolist())
    return np.full(sizes, np.float32(0) if value is None else value.reshape(()))


@rule("EyeLike")
def _eye_like(call: Call, x: Value) -> np.ndarray:
    dtype = x.dtype if call["dtype"] is None else dtype_of(call, call["dtype"])
    return np.eye(*call.shape(x.shape), k=call["k"], dtype=dtype)  # type: ignore[call-overload]


@rule("Range")
def _range(call: Call, start: Value, limit: Value, delta: Value) -> np.ndarray:
    first, end, step = (call.known(x, "its bounds").reshape(()) for x in (start, limit, delta))
    call.shape([max(0, int(np.ceil((float(end) - float(first)) / float(step))))])
    return np.arange(first, end, step, first.dtype)  # type: ignore[call-overload]


@rule("OneHot")
def _one_hot(call: Call, indices: Value, depth: Value, values: Value) -> Value:
    n = int(call.known(depth, "how many classes there are").reshape(()))
    axis = call["axis"]
    axis = axis + len(indices.shape) + 1 if axis < 0 else axis
    places = np.arange(*call.shape((n,))).reshape([-1, *[1] * (len(indices.shape) - axis)])
    place = mg.expand_dims(mg.astype(indices, np.int64), axis)
    place = mg.where(mg.less(place, 0), place + n, place)
    return mg.where(mg.equal(places, place), values[1], values[0])


@rule("Dropout")
def _dropout(call: Call, x: Value, ratio: Value = None, training: Value = None) -> Any:
    call["seed"], call["ratio"], call["is_test"]
    if training is not None and call.known(training, "whether it trains").item():
        p = 0.5 if ratio is None else float(call.known(ratio, "the ratio").item())
        if p:
            call.refuse("that trains draws random numbers and", "export the model in eval mode")
    return (x, np.ones(call.shape(x.shape), bool)) if call.outputs > 1 else x


# --- elements -------------------------------------------------------------------------------------


@rule("Slice")
def _slice(
    call: Call,
    x: Value,
    starts: Value = None,
    ends: Value = None,
    axes: Value = None,
    steps: Value = None,
) -> Value:
    first = call.setting("starts", starts, "where it begins") or []
    last = call.setting("ends", ends, "where it ends") or []
    along = call.setting("axes", axes, "its axes")
    by = [1] * len(first) if steps is None else call.setting("steps", steps, "its steps") or []
    index = [slice(None)] * len(x.shape)
    where = range(len(first)) if along is None else axes_of(x, along)
    for axis, start, stop, step in zip(where, first, last, by, strict=True):
        n = x.shape[axis]
        # Bounds beyond the axis are cut; -n - 1 is before its first element, for steps backwards.
        start, stop = (int(np.clip(i + n if i < 0 else i, -1, n)) for i in (start, stop))
        start = min(start, n - 1) if step < 0 else max(start, 0)
        end = None if step < 0 and stop < 0 else max(stop, 0)
        if step < 0 and start < 0:
            start, end = 0, 0
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


@rule("Gather")
def _gather(call: Call, x: Value, indices: Value) -> Value:
    (axis,) = axes_of(x, call["axis"])
    return mg.getitem(x, (*[slice(None)] * axis, indices))


@rule("GatherElements")
def _gather_elements(call: Call, x: Value, indices: Value) -> Value:
    return mg.getitem(x, _places_along(call, x, indices))


def _places_along(call: Call, x: Value, indices: Value) -> tuple:
    """An index for each element of `indices`, which goes along one axis."""
    (axis,) = axes_of(x, call["axis"])
    grid = list(np.ix_(*(np.arange(*call.shape((n,))) for n in indices.shape)))
    return (*grid[:axis], indices, *grid[axis + 1 :])


@rule("GatherND")
def _gather_nd(call: Call, x: Value, indices: Value) -> Value:
    b, k = call["batch_dims"] or 0, indices.shape[-1]
    outer = indices.shape[:-1]
    grid = np.ix_(*(np.arange(*call.shape((n,))) for n in outer[:b])) if b else ()
    batch = [g.reshape([*g.shape, *[1] * (len(outer) - b)]) for g in grid]
    return mg.getitem(x, (*batch, *(indices[..., i] for i in range(k))))


def _scattered(call: Call, x: Value, index: tuple, updates: Value) -> Value:
    """x with elements at an index replaced, or added to."""
    how = call["reduction"] or "none"
    if how == "add":
        return like(x + mg.scatter_add(updates, index, x.shape), x)
    if how != "none":
        return call.refuse(f'with the reduction "{how}"')
    ones = np.ones(call.shape(updates.shape), x.dtype)
    hit = mg.greater(mg.scatter_add(_leaf_like(index, ones), index, x.shape), 0)
    return mg.where(hit, mg.scatter_add(updates, index, x.shape), x)


def _leaf_like(index: tuple, array: np.ndarray) -> Any:
    """An array, as a Node if a Node is in the index it goes to."""
    from ..core.node import constant

    return constant(array) if any(isinstance(i, Node) for i in index) else array


@rule("Scatter", "ScatterElements")
def _scatter_elements(call: Call, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(call, x, _places_along(call, x, indices), updates)


@rule("ScatterND")
def _scatter_nd(call: Call, x: Value, indices: Value, updates: Value) -> Value:
    index = tuple(indices[..., i] for i in range(indices.shape[-1]))
    return _scattered(call, x, index, updates)


@rule("Trilu")
def _trilu(call: Call, x: Value, k: Value = None) -> Value:
    diagonal = 0 if k is None else int(call.known(k, "its diagonal").item())
    rows, columns = call.shape(x.shape[-2:])
    inside = np.tri(rows, columns, diagonal - bool(call["upper"]), dtype=bool)
    inside = ~inside if call["upper"] else inside
    return mg.where(inside, x, number(0, x))


@rule("TopK")
def _top_k(call: Call, x: Value, k: Value = None) -> tuple[Value, Value]:
    count = (call.setting("k", k, "how many it takes") or [0])[0]
    (axis,) = axes_of(x, call["axis"])
    largest = call["largest"]
    call["sorted"]
    if largest is None or largest:  # of equal ones the first comes first
        order = x.shape[axis] - 1 - mg.flip(mg.argsort(mg.flip(x, axis), axis), axis)
    else:
        order = mg.argsort(x, axis)
    chosen = order[(*[slice(None)] * axis, slice(0, count))]
    return mg.take_along_axis(x, chosen, axis), chosen


@rule("Compress")
def _compress(call: Call, x: Value, condition: Value) -> Value:
    (places,) = np.nonzero(call.known(condition, "its condition").ravel())
    if call["axis"] is None:
        return mg.ravel(x)[places]
    (axis,) = axes_of(x, call["axis"])
    return x[(*[slice(None)] * axis, places)]


@rule("NonZero")
def _nonzero(call: Call, x: Value) -> np.ndarray:
    return np.array(np.nonzero(call.known(x, "all elements")), np.int64)


@rule("ReverseSequence")
def _reverse_sequence(call: Call, x: Value, lengths: Value) -> Value:
    batch, time = call["batch_axis"], call["time_axis"]
    n, _ = call.shape((x.shape[time], x.shape[batch]))
    steps = np.arange(n)
    length = call.known(lengths, "the lengths").reshape(-1, 1)
    places = np.where(steps < length, length - 1 - steps, steps)  # (batch, time)
    shaped = places if batch < time else places.T
    rows = np.arange(x.shape[batch])
    return x[(rows[:, None], shaped) if batch < time else (shaped, rows)]


@rule("Pad")
def _pad(
    call: Call, x: Value, pads: Value = None, value: Value = None, axes: Value = None
) -> Value:
    widths = call.setting("pads", pads, "how much it pads") or []
    along = axes_of(x, None if axes is None else call.setting("axes", axes, "its axes"))
    mode = call["mode"]
    around = call["value"] if value is None else value
    if not isinstance(around, Node):
        around = number(0 if around is None else np.asarray(around).item(), x)
    k = len(along)
    both = [(0, 0)] * len(x.shape)
    for i, axis in enumerate(along):
        both[axis] = (widths[i], widths[i + k])
    x = x[tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, both))]
    both = [(max(0, a), max(0, b)) for a, b in both]
    if mode in (None, "constant"):
        around = around.reshape(()) if isinstance(around, Node) else around
        return mg.pad(x, both, "constant", around)
    # The other modes repeat elements that are there: those of an axis that is padded alike.
    how: Any = mode
    for axis, (a, b) in enumerate(both):
        if a or b:
            call.shape((a + x.shape[axis] + b,))
            places = np.pad(np.arange(x.shape[axis]), (a, b), how)
            x = x[(*[slice(None)] * axis, places)]
    return x
