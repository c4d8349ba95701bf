"""What the layers of ONNX are in minigraph: windows and pools, norms, recurrent layers, sizes.

See https://onnx.ai/onnx/operators for what ONNX says of each.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np

from .kernels import convolved, taps
from .onnx_call import RULES, Call, Value, axes_of, like, mg, number

rule = RULES.rule

# --- windows --------------------------------------------------------------------------------------


def _padding(
    call: Call, sizes: tuple[int, ...], frame: list[int], strides: list[int]
) -> tuple[list[int], list[int]]:
    """How much is padded before and after each axis, as auto_pad says."""
    k = len(sizes)
    auto = call["auto_pad"] or "NOTSET"
    given = call["pads"] or [0] * 2 * k
    if auto in ("NOTSET", "VALID"):
        return (given[:k], given[k:]) if auto == "NOTSET" else ([0] * k, [0] * k)
    total = [
        max(0, (-(-n // s) - 1) * s + f - n) for n, f, s in zip(sizes, frame, strides, strict=True)
    ]
    less = [t // 2 for t in total]
    more = [t - half for t, half in zip(total, less)]
    return (less, more) if auto == "SAME_UPPER" else (more, less)


def _frames(call: Call, x: Value, shape: Any, fill: Any) -> tuple[Value, list[int], list[int]]:
    """All windows that a kernel sees: (batch, channels, *places, *kernel), and the padding."""
    k = len(shape)
    strides = call["strides"] or [1] * k
    dilations = call["dilations"] or [1] * k
    frame = [(n - 1) * d + 1 for n, d in zip(shape, dilations, strict=True)]
    sizes = x.shape[2:]
    before, after = _padding(call, sizes, frame, strides)
    extra = [0] * k
    if call["ceil_mode"]:  # a last window may hang over, if it begins inside
        for i, (n, f, s) in enumerate(zip(sizes, frame, strides)):
            whole = n + before[i] + after[i]
            places = -(-(whole - f) // s) + 1
            places -= (places - 1) * s >= n + before[i]
            extra[i] = max(0, (places - 1) * s + f - whole)
    padding = [(0, 0), (0, 0), *zip(before, [a + e for a, e in zip(after, extra)])]
    if any(a or b for a, b in padding):
        x = mg.pad(x, padding, "constant", fill)
    return taps(x, shape, strides, dilations), before, after


@rule("Conv")
def _conv(call: Call, x: Value, w: Value, bias: Value = None) -> Value:
    groups = call["group"] or 1
    shape = tuple(call["kernel_shape"] or w.shape[2:])
    if shape != w.shape[2:] or x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise ValueError(f"filters {w.shape} do not fit {x.shape} in {groups} groups")
    frames, _, _ = _frames(call, x, shape, 0)
    out = convolved(frames, w, groups)
    return out if bias is None else out + mg.reshape(bias, (-1, *[1] * len(shape)))


@rule("ConvTranspose")
def _conv_transpose(call: Call, x: Value, w: Value, bias: Value = None) -> Value:
    groups = call["group"] or 1
    k = len(w.shape) - 2
    shape = tuple(call["kernel_shape"] or w.shape[2:])
    strides, dilations = call["strides"] or [1] * k, call["dilations"] or [1] * k
    more = call["output_padding"] or [0] * k
    frame = [(n - 1) * d + 1 for n, d in zip(shape, dilations)]
    full = [s * (n - 1) + f + e for n, s, f, e in zip(x.shape[2:], strides, frame, more)]
    begin, wanted = _transposed_places(call, x.shape[2:], full, strides)
    places, kernel = ascii_lowercase[:k], ascii_lowercase[k : 2 * k]
    grouped = mg.reshape(x, (x.shape[0], groups, -1, *x.shape[2:]))
    filters = mg.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))
    parts = mg.einsum(f"xwy{places},wyz{kernel}->xwz{places}{kernel}", grouped, filters)
    parts = mg.reshape(parts, (x.shape[0], -1, *parts.shape[3:]))
    if any(d > 1 for d in dilations):
        wide = (*parts.shape[: k + 2], *frame)
        index = (..., *(slice(None, None, d) for d in dilations))
        parts = mg.scatter_add(parts, index, wide)
    covered = tuple(s * (n - 1) + f for n, s, f in zip(x.shape[2:], strides, frame))
    out = mg.overlap_add(parts, covered, tuple(strides))
    padding = [(0, max(0, n + a - c)) for n, a, c in zip(wanted, begin, covered)]
    if any(b for _, b in padding):
        out = mg.pad(out, [(0, 0), (0, 0), *padding])
    out = out[(..., *(slice(a, a + n) for a, n in zip(begin, wanted)))]
    return out if bias is None else out + mg.reshape(bias, (-1, *[1] * k))


def _transposed_places(
    call: Call, sizes: tuple[int, ...], full: list[int], strides: list[int]
) -> tuple[list[int], list[int]]:
    """Where the result begins among all places that the kernels reach, and its sizes."""
    k = len(sizes)
    auto, wanted = call["auto_pad"] or "NOTSET", call["output_shape"]
    if auto in ("SAME_UPPER", "SAME_LOWER") and wanted is None:
        wanted = [n * s for n, s in zip(sizes, strides)]
    if wanted is None:
        pads = (call["pads"] if auto == "NOTSET" else None) or [0] * 2 * k
        return pads[:k], [n - a - b for n, a, b in zip(full, pads[:k], pads[k:])]
    over = [max(0, f - n) for f, n in zip(full, wanted[-k:])]
    return [n // 2 if auto == "SAME_UPPER" else n - n // 2 for n in over], wanted[-k:]


@rule("MaxPool")
def _max_pool(call: Call, x: Value) -> Value:
    if call.outputs > 1:
        call.refuse("that gives the places too")
    call["storage_order"]
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    frames, _, _ = _frames(call, x, call["kernel_shape"], number(lowest, x))
    return mg.max(frames, tuple(range(-len(call["kernel_shape"]), 0)))


@rule("AveragePool")
def _average_pool(call: Call, x: Value) -> Value:
    shape = call["kernel_shape"]
    over = tuple(range(-len(shape), 0))
    frames, before, after = _frames(call, x, shape, 0)
    inside = np.ones(call.shape((1, 1, *x.shape[2:])), x.dtype)
    if call["count_include_pad"]:
        inside = np.pad(inside, [(0, 0), (0, 0), *zip(before, after)], constant_values=1)
        call = _unpadded(call)
    counts, _, _ = _frames(call, inside, shape, 0)
    if counts.shape[2:] != frames.shape[2:]:
        raise ValueError(f"windows {counts.shape[2:]} are not those of {frames.shape[2:]}")
    if np.all(counts == 1):
        return mg.mean(frames, over)
    return mg.sum(frames, over) / np.sum(counts, over)


def _unpadded(call: Call) -> Call:
    """The same call for what has been padded already."""
    attributes = {k: v for k, v in call.attributes.items() if k not in ("pads", "auto_pad")}
    return Call(call.operator, call.version, attributes, call.defaults, call.outputs, call.held)


@rule("LpPool")
def _lp_pool(call: Call, x: Value) -> Value:
    frames, _, _ = _frames(call, x, call["kernel_shape"], 0)
    over = tuple(range(-len(call["kernel_shape"]), 0))
    return _norm(frames, call["p"], over, False)


def _norm(x: Value, p: int, axes: tuple[int, ...], keepdims: bool) -> Value:
    if p == 1:
        return mg.sum(mg.absolute(x), axes, keepdims)
    if p == 2:
        return mg.sqrt(mg.sum(mg.square(x), axes, keepdims))
    return mg.sum(mg.absolute(x) ** number(p, x), axes, keepdims) ** number(1 / p, x)


@rule("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def _global_pool(call: Call, x: Value) -> Value:
    axes = tuple(range(2, len(x.shape)))
    if call.operator == "GlobalLpPool":
        return _norm(x, call["p"], axes, True)
    return (mg.max if call.operator == "GlobalMaxPool" else mg.mean)(x, axes, True)


@rule("Col2Im")
def _col2im(call: Call, x: Value, image: Value, block: Value) -> Value:
    sizes = [int(n) for n in call.known(image, "the shape of the image")]
    shape = [int(n) for n in call.known(block, "the shape of a block")]
    k = len(sizes)
    strides, dilations = call["strides"] or [1] * k, call["dilations"] or [1] * k
    pads = call["pads"] or [0] * 2 * k
    frame = [(n - 1) * d + 1 for n, d in zip(shape, dilations)]
    whole = tuple(n + pads[i] + pads[i + k] for i, n in enumerate(sizes))
    places = [(n - f) // s + 1 for n, f, s in zip(whole, frame, strides)]
    parts = mg.reshape(x, (x.shape[0], -1, *shape, *places))
    order = (0, 1, *range(2 + k, 2 + 2 * k), *range(2, 2 + k))
    parts = mg.transpose(parts, order)
    if any(d > 1 for d in dilations):
        index = (..., *(slice(None, None, d) for d in dilations))
        parts = mg.scatter_add(parts, index, (*parts.shape[: k + 2], *frame))
    out = mg.overlap_add(parts, whole, tuple(strides))
    return out[(..., *(slice(pads[i], pads[i] + n) for i, n in enumerate(sizes)))]


# --- norms ----------------------------------------------------------------------------------------


def _of_channels(x: Value, ndim: int) -> Value:
    """A value for each channel, (channels,), to stand beside (batch, channels, …)."""
    return mg.reshape(x, (-1, *[1] * (ndim - 2)))


@rule("BatchNormalization")
def _batch_norm(
    call: Call, x: Value, scale: Value, bias: Value, mean: Value, variance: Value
) -> Any:
    call["spatial"], call["is_test"]
    momentum = call["momentum"]
    means, variances = mean, variance
    if training := call["training_mode"]:
        over = (0, *range(2, len(x.shape)))
        means, variances = mg.mean(x, over), mg.var(x, over)
    elif call.outputs > 1:
        call.refuse("that trains, of a version before 14,", "export the model in eval mode")
    ndim = len(x.shape)
    slope = scale / mg.sqrt(variances + number(call["epsilon"], variances))
    out = (x - _of_channels(means, ndim)) * _of_channels(slope, ndim) + _of_channels(bias, ndim)
    if not training:
        return like(out, x)
    rest = number(1 - momentum, mean)
    kept = number(momentum, mean)
    return out, mean * kept + means * rest, variance * kept + variances * rest


def _normalized(x: Value, axes: Any, epsilon: float) -> tuple[Value, Value, Value]:
    """x with mean 0 and variance 1 over axes; the mean; and 1 / the standard deviation."""
    mean = mg.mean(x, axes, True)
    distances = x - mean
    inverse = number(1, x) / mg.sqrt(mg.mean(mg.square(distances), axes, True) + number(epsilon, x))
    return distances * inverse, mean, inverse


@rule("InstanceNormalization")
def _instance_norm(call: Call, x: Value, scale: Value, bias: Value) -> Value:
    out, _, _ = _normalized(x, tuple(range(2, len(x.shape))), call["epsilon"])
    ndim = len(x.shape)
    return out * _of_channels(scale, ndim) + _of_channels(bias, ndim)


@rule("GroupNormalization")
def _group_norm(call: Call, x: Value, scale: Value, bias: Value) -> Value:
    groups, ndim = call["num_groups"], len(x.shape)
    call["stash_type"]
    grouped = mg.reshape(x, (x.shape[0], groups, -1))
    out, _, _ = _normalized(grouped, -1, call["epsilon"])
    if scale.shape[0] == x.shape[1]:
        return mg.reshape(out, x.shape) * _of_channels(scale, ndim) + _of_channels(bias, ndim)
    out = out * mg.reshape(scale, (-1, 1)) + mg.reshape(bias, (-1, 1))
    return mg.reshape(out, x.shape)


def _stashed(call: Call, x: Value) -> Value:
    """The value in the dtype that a norm computes in."""
    return mg.astype(x, np.float32) if call["stash_type"] == 1 and x.dtype.char == "e" else x


@rule("LayerNormalization")
def _layer_norm(call: Call, x: Value, scale: Value, bias: Value = None) -> Any:
    (first,) = axes_of(x, call["axis"])
    out, mean, inverse = _normalized(
        _stashed(call, x), tuple(range(first, len(x.shape))), call["epsilon"]
    )
    out = like(out, x) * scale
    return (out if bias is None else out + bias), mean, inverse


@rule("RMSNormalization")
def _rms_norm(call: Call, x: Value, scale: Value) -> Value:
    (first,) = axes_of(x, call["axis"])
    wide = _stashed(call, x)
    squares = mg.mean(mg.square(wide), tuple(range(first, len(x.shape))), True)
    return like(wide / mg.sqrt(squares + number(call["epsilon"], wide)), x) * scale


@rule("MeanVarianceNormalization")
def _mean_variance(call: Call, x: Value) -> Value:
    axes = tuple(call["axes"] if call["axes"] is not None else (0, 2, 3))
    distances = x - mg.mean(x, axes, True)
    deviation = mg.sqrt(mg.mean(mg.square(distances), axes, True))
    return distances / (deviation + number(1e-9, x))


@rule("LRN")
def _lrn(call: Call, x: Value) -> Value:
    size = call["size"]
    before = (size - 1) // 2
    ndim = len(x.shape)
    padding = [(0, 0), (before, size - 1 - before), *[(0, 0)] * (ndim - 2)]
    squares = mg.moveaxis(mg.pad(mg.square(x), padding), 1, -1)
    sums = mg.moveaxis(mg.sum(mg.windows(squares, (size,)), -1), -1, 1)
    return x / (number(call["bias"], x) + number(call["alpha"] / size, x) * sums) ** number(
        call["beta"], x
    )


@rule("LpNormalization")
def _lp_normalization(call: Call, x: Value) -> Value:
    length = _norm(x, call["p"], axes_of(x, call["axis"]), True)
    none = mg.equal(length, 0)
    return mg.where(none, number(0, x), x / mg.where(none, number(1, x), length))


# --- recurrent layers: every step by itself -------------------------------------------------------

_ACTIVATIONS = {
    "sigmoid": mg.sigmoid,
    "tanh": mg.tanh,
    "relu": mg.relu,
    "softsign": lambda x: x / (mg.absolute(x) + number(1, x)),
    "softplus": lambda x: mg.logaddexp(x, number(0, x)),
    "affine": None,
}
_GATES = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}


def _activations(call: Call, directions: int) -> list[Any]:
    """The functions of each direction, one after another."""
    names = call["activations"] or [*_GATES[call.operator]] * directions
    functions = [_ACTIVATIONS.get(name.lower()) for name in names]
    if None in functions or call["activation_alpha"] or call["activation_beta"]:
        call.refuse(f"with the activations {', '.join(names)}")
    return functions


@rule("RNN", "GRU", "LSTM")
def _recurrent(
    call: Call,
    x: Value,
    w: Value,
    r: Value,
    bias: Value = None,
    lengths: Value = None,
    state: Value = None,
    cell: Value = None,
    peephole: Value = None,
) -> Any:
    """Steps over (time, batch, features), for each direction with the weights of its own."""
    if call["clip"] is not None:
        call.refuse("with a clip")
    if call["layout"]:
        x = mg.swapaxes(x, 0, 1)
        state = state if state is None else mg.swapaxes(state, 0, 1)
        cell = cell if cell is None else mg.swapaxes(cell, 0, 1)
    n, batch, _ = x.shape
    hidden, directions = call["hidden_size"] or r.shape[-1], w.shape[0]
    call.held.step(n * directions)
    if lengths is not None and np.any(call.known(lengths, "the lengths") != n):
        call.refuse("over sequences of several lengths", "give it one length at a time")
    functions = _activations(call, directions)
    each = len(functions) // directions
    zeros = np.zeros(call.shape((batch, hidden)), x.dtype)
    outputs, last, cells = [], [], []
    for d in range(directions):
        is_backward = d == 1 or call["direction"] == "reverse"
        weights = [None if v is None else v[d] for v in (w, r, bias, peephole)]
        h = zeros if state is None else state[d]
        c = zeros if cell is None else cell[d]
        ways = functions[d * each : (d + 1) * each]
        steps: list[Any] = [None] * n
        for t in reversed(range(n)) if is_backward else range(n):
            h, c = _STEPS[call.operator](call, x[t], h, c, ways, hidden, *weights)
            steps[t] = h
        outputs.append(mg.stack(steps))
        last.append(h)
        cells.append(c)
    y, y_h, y_c = mg.stack(outputs, 1), mg.stack(last), mg.stack(cells)
    if call["layout"]:
        y, y_h, y_c = mg.transpose(y, (2, 0, 1, 3)), mg.swapaxes(y_h, 0, 1), mg.swapaxes(y_c, 0, 1)
    return (y, y_h, y_c) if call.operator == "LSTM" else (y, y_h)


def _affine(x: Value, w: Value, bias: Value) -> Value:
    out = mg.matmul(x, mg.matrix_transpose(w))
    return out if bias is None else out + bias


def _halves(bias: Value) -> tuple[Value, Value]:
    """The biases of the input and of the state."""
    return (None, None) if bias is None else tuple(mg.split(bias, 2))


def _rnn_step(
    call: Call, x: Value, h: Value, c: Value, ways: Any, hidden: int,
    w: Value, r: Value, bias: Value, peephole: Value,
) -> Any:  # fmt: skip
    of_input, of_state = _halves(bias)
    return ways[0](_affine(x, w, of_input) + _affine(h, r, of_state)), c


def _gru_step(
    call: Call, x: Value, h: Value, c: Value, ways: Any, hidden: int,
    w: Value, r: Value, bias: Value, peephole: Value,
) -> Any:  # fmt: skip
    of_input, of_state = _halves(bias)
    from_x = mg.split(_affine(x, w, of_input), 3, -1)
    update, reset, new = mg.split(r, 3, 0)
    biases = [None] * 3 if of_state is None else mg.split(of_state, 3)
    z = ways[0](from_x[0] + _affine(h, update, biases[0]))
    gate = ways[0](from_x[1] + _affine(h, reset, biases[1]))
    if call["linear_before_reset"]:
        candidate = ways[1](from_x[2] + gate * _affine(h, new, biases[2]))
    else:
        candidate = ways[1](from_x[2] + _affine(gate * h, new, biases[2]))
    return (number(1, x) - z) * candidate + z * h, c


def _lstm_step(
    call: Call, x: Value, h: Value, c: Value, ways: Any, hidden: int,
    w: Value, r: Value, bias: Value, peephole: Value,
) -> Any:  # fmt: skip
    of_input, of_state = _halves(bias)
    gates = _affine(x, w, of_input) + _affine(h, r, of_state)
    i, o, f, new = mg.split(gates, 4, -1)
    to_i, to_o, to_f = (0, 0, 0) if peephole is None else mg.split(peephole, 3)
    if peephole is not None:
        i, f = i + to_i * c, f + to_f * c
    i = ways[0](i)
    f = number(1, x) - i if call["input_forget"] else ways[0](f)
    c = f * c + i * ways[1](new)
    o = ways[0](o if peephole is None else o + to_o * c)
    return o * ways[2](c), c


_STEPS = {"RNN": _rnn_step, "GRU": _gru_step, "LSTM": _lstm_step}
