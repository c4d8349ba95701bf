"""What a program of fuzz_programs.py means in NumPy and in PyTorch.

`NumPy()` stands for `mg`: NumPy's own functions, and a plain definition of those that it lacks.
`PyTorch(torch)` stands for `mg` and `np`, with `Tensor` in the place of Node; how each function is
called there it takes from cases.py.
"""

from __future__ import annotations

import inspect
import math
from contextlib import nullcontext
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from cases import CASES
from numpy.lib.stride_tricks import sliding_window_view

from minigraph.core.operation import FUNCTIONS

# --- NumPy ----------------------------------------------------------------------------------------


def _real(x):
    """Whole numbers as the floats that NumPy's exp makes of them."""
    return np.asarray(x).astype(np.exp(np.zeros((), np.asarray(x).dtype)).dtype)


def sigmoid(x):
    x = _real(x)
    return 1 / (1 + np.exp(-x.astype(np.longdouble))).astype(x.dtype)


def erf(x):
    if np.ndim(x):
        return np.array([erf(a) for a in x.ravel()], np.result_type(x, np.float32)).reshape(x.shape)
    return np.result_type(x, np.float32).type(math.erf(x))


def xlogy(x, y):
    dtype = np.arctan2(x, y).dtype
    x, y = (np.asarray(a, dtype).astype(np.longdouble) for a in (x, y))
    return np.where(x == 0, 0, x * np.log(np.where(x == 0, 1, y))).astype(dtype)


def reduced(name):
    function = getattr(np, name)
    return lambda x, axis=None, keepdims=False, **more: function(
        x, axis=axis, keepdims=keepdims, **more
    )


def logsumexp(x, axis=None, keepdims=False):
    x = _real(x)
    if x.ndim == 0 and axis in (0, -1, ()):
        axis = None
    wide = x.astype(np.longdouble)
    largest = np.max(wide, axis=axis, keepdims=True)  # refuses what has nothing to sum
    largest = np.where(np.isfinite(largest), largest, 0)
    total = np.log(np.sum(np.exp(wide - largest), axis=axis, keepdims=True)) + largest
    if not keepdims:
        total = total.reshape(np.sum(x, axis=axis).shape)
    return total.astype(x.dtype)


def log_softmax(x, axis=-1):
    x = _real(x)
    if not x.size:
        return x + np.sum(x, axis, keepdims=True) * 0
    wide = x.astype(np.longdouble)
    shift = wide - np.max(wide, axis=axis, keepdims=True)
    return (shift - np.log(np.sum(np.exp(shift), axis=axis, keepdims=True))).astype(x.dtype)


def softmax(x, axis=-1):
    return np.exp(log_softmax(x, axis))


def cross_entropy(logits, labels):
    logits, labels = np.asarray(logits), np.asarray(labels)
    parts = log_softmax(logits)
    if labels.dtype.kind == "f":
        if labels.shape != logits.shape:
            raise ValueError("shapes")
        return -np.mean(np.sum(labels * parts, axis=-1))
    if (labels < 0).any() or labels.shape != logits.shape[:-1]:
        raise ValueError("labels")
    picked = np.take_along_axis(parts, labels.astype(int)[..., None], -1)
    return -np.mean(picked[..., 0])


def class_numbers(x, classes):
    if ((x < 0) | (x >= classes)).any():
        raise ValueError("classes")
    return x


def windows(x, shape, stride=1):
    k = len(shape)
    strides = [stride] * k if np.ndim(stride) == 0 else stride
    every = sliding_window_view(x, tuple(shape), tuple(range(x.ndim - k, x.ndim)))
    return every[(..., *[slice(None, None, int(s)) for s in strides], *[slice(None)] * k)]


def overlap_add(x, shape, stride=1):
    k = len(shape)
    out = np.zeros((*x.shape[: x.ndim - 2 * k], *shape), x.dtype)
    for place in product(*map(range, x.shape[-2 * k : -k])):
        spot = [slice(p * stride, p * stride + n) for p, n in zip(place, x.shape[-k:])]
        out[(..., *spot)] += x[(..., *place, *[slice(None)] * k)]
    return out


def scatter_add(x, index, shape):
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


def conv2d(x, w, bias=None, stride=1, padding=0):
    down, right = (padding, padding) if np.ndim(padding) == 0 else padding
    x = np.pad(x, ((0, 0), (0, 0), (down, down), (right, right)))
    found = windows(x, w.shape[2:], stride)
    out = np.einsum("nchwij,ocij->nohw", found, w)
    return out if bias is None else out + bias[:, None, None]


def where(condition, x, y):
    """As NumPy's, but a whole number of Python keeps its value, where NumPy would wrap it."""
    return np.where(condition, *(_that_holds(*pair) for pair in ((x, y), (y, x))))


def _that_holds(number, other):
    kinds = np.asarray(other).dtype
    if type(number) is not int or kinds.kind not in "iu":
        return number
    limits = np.iinfo(kinds)
    return number if limits.min <= number <= limits.max else np.asarray(number)


def pooled(reduce):
    def pool(x, size, stride=None):
        size = (size, size) if np.ndim(size) == 0 else tuple(size)
        return reduce(windows(x, size, size if stride is None else stride), axis=(-2, -1))

    return pool


def dropout(x, p, generator):
    kept = generator.random(x.shape) >= p
    scaled = kept / (1 - p)
    return x * (scaled.astype(x.dtype) if x.dtype.kind == "f" else scaled)


DEFINED = {
    **{f.__name__: f for f in (sigmoid, erf, xlogy, logsumexp, log_softmax, softmax, cross_entropy,
                               class_numbers, windows, overlap_add, scatter_add, conv2d, dropout,
                               where)},
    **{name: reduced(name) for name in ("sum", "mean", "max", "min", "prod", "var", "std",
                                        "argmax", "argmin")},
    "relu": lambda x: np.maximum(x, 0),
    "max_pool2d": pooled(np.max),
    "avg_pool2d": pooled(np.mean),
    "stop_gradient": lambda x: x,
    "getitem": lambda x, index: x[index],
    "astype": lambda x, dtype: np.asarray(x).astype(dtype)[()],
    "argsort": lambda x, axis=-1: np.argsort(x, axis=axis, kind="stable"),
    "sort": lambda x, axis=-1: np.sort(x, axis=axis, kind="stable"),
    "own_cube": lambda x: x * x * x,
    "own_total": lambda x: np.sum(np.sin(x)),
    "own_swap": lambda x: np.swapaxes(np.atleast_2d(x), 0, -1) * 2,
    "checkpoint": lambda f: f,
    "scope": lambda name: nullcontext(),
    "no_grad": nullcontext,
    "detect_anomaly": nullcontext,
}  # fmt: skip


class NumPy:
    """NumPy in the place of minigraph.

    `is_wide` takes all floats as float64, to differentiate a program by finite differences.
    """

    def __init__(self, is_wide: bool = False) -> None:
        self.is_wide = is_wide

    def __getattr__(self, name: str) -> Any:
        if name == "astype" and self.is_wide:
            return lambda x, dtype: DEFINED["astype"](
                x, np.float64 if np.dtype(dtype).kind == "f" else dtype
            )
        return DEFINED.get(name) or getattr(np, name)


# --- PyTorch --------------------------------------------------------------------------------------

_INFIX = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
    "mod": "remainder", "matmul": "matmul",
}  # fmt: skip
_COMPARED = {"gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal"}
_FLOAT = {
    name
    for name in FUNCTIONS
    if name in ("mean", "var", "std", "softmax", "log_softmax", "logsumexp", "avg_pool2d")
}


class Tensor:
    """A tensor of PyTorch that takes NumPy's indices, operators and functions."""

    def __init__(self, lib: PyTorch, value: Any) -> None:
        self.lib, self.value = lib, value

    def __array_ufunc__(self, ufunc, method, *inputs):
        return self.lib.call(ufunc.__name__, *inputs)

    def __array_function__(self, f, types, args, options):
        return self.lib.call(f.__name__, *args, **options)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("shape", "ndim"):
            return getattr(self.value, name)
        return lambda *args, **options: self.lib.call(name, self, *_spread(name, args), **options)

    @property
    def T(self):
        return self.lib.call("transpose", self)

    def __neg__(self):
        return self.lib.call("negative", self)

    def __abs__(self):
        return self.lib.call("absolute", self)

    def __getitem__(self, index):
        return self.lib.call("getitem", self, index)


def _spread(name, args):
    """The arguments of a method as those of the function."""
    if name in ("reshape", "transpose") and (len(args) != 1 or np.ndim(args[0]) == 0):
        return (args,)
    return args


for _name, _function in _INFIX.items():
    setattr(Tensor, f"__{_name}__", lambda x, y, f=_function: x.lib.call(f, x, y))
    setattr(Tensor, f"__r{_name}__", lambda x, y, f=_function: x.lib.call(f, y, x))
for _name, _function in _COMPARED.items():
    setattr(Tensor, f"__{_name}__", lambda x, y, f=_function: x.lib.call(f, x, y))


@cache
def _makes_floats(name):
    """Whether NumPy's function makes floats of whole numbers, as PyTorch does in float32."""
    function = getattr(np, name, None)
    if not isinstance(function, np.ufunc) or function.signature:
        return False
    dtypes = (*[np.dtype(int)] * function.nin, *[None] * function.nout)
    try:
        return function.resolve_dtypes(dtypes)[-1].kind == "f"
    except TypeError:
        return False


@cache
def _signature(name):
    return inspect.signature(FUNCTIONS[name])


class PyTorch:
    """PyTorch in the place of minigraph, and of NumPy where a function is called as NumPy's.

    All floats are float64. What PyTorch cannot compute raises NotImplementedError.
    """

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS:
            return lambda *args, **options: self.call(name, *args, **options)
        if name in ("scope", "checkpoint", "detect_anomaly"):
            return DEFINED[name]
        raise NotImplementedError(name)

    def no_grad(self):
        return self.torch.no_grad()

    def own_cube(self, x):
        return x * x * x

    def own_total(self, x):
        return self.call("sum", self.call("sin", x))

    def own_swap(self, x):
        value = self.torch.atleast_2d(x.value)
        return Tensor(self, self.torch.swapaxes(value, 0, -1) * 2)

    def tensor(self, value: Any, requires_grad: bool = False) -> Tensor:
        """A leaf."""
        value = np.asarray(value)
        if value.dtype.kind == "f":
            return Tensor(self, self.torch.tensor(value, dtype=self.torch.float64,
                                                  requires_grad=requires_grad))  # fmt: skip
        return Tensor(self, self.torch.tensor(value.astype(int if value.dtype != bool else bool)))

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """Call PyTorch's function of that meaning."""
        try:
            found = self._called(name, args, options)
        except Exception as error:
            raise NotImplementedError(f"{name}: {error}") from error
        return found if isinstance(found, list) else Tensor(self, found)

    def _called(self, name: str, args: tuple, options: dict) -> Any:
        t = self.torch
        if name == "overlap_add":  # torch.func takes ten seconds to come
            raise NotImplementedError
        if name == "concatenate" and options.get("axis", 0) is None:
            return t.cat([self._plain(x).reshape(-1) for x in args[0]])
        if name in ("concatenate", "stack"):
            axis = int(options.get("axis", 0))
            return getattr(t, name.replace("concatenate", "cat"))(
                [*map(self._plain, args[0])], axis
            )
        if name == "einsum":
            tensors = [self._floats(self._plain(x)) for x in args[1:]]
            return t.einsum(args[0], *tensors)
        if name == "clip":
            low, high = (*args[1:], None, None)[:2]
            x = self._plain(args[0])
            x = x if low is None else t.where(x < self._plain(low), self._plain(low), x)
            return x if high is None else t.where(x > self._plain(high), self._plain(high), x)
        bound = _signature(name).bind(*args, **options)
        bound.apply_defaults()
        given = dict(bound.arguments)
        if name == "dropout":
            kept = given["generator"].random(tuple(given["x"].shape)) >= given["p"]
            return self._plain(given["x"]) * t.tensor(kept / (1 - given["p"]))
        if name == "stop_gradient":
            return self._plain(given["x"]).detach()
        if name == "expand_dims" and np.ndim(given["axis"]):
            raise NotImplementedError
        if name == "pad" and given.pop("mode") != "constant":
            raise NotImplementedError
        if name == "split":
            x, k = self._plain(given["x"]), int(given["axis"])
            parts = np.split(np.arange(x.shape[k]), given["indices_or_sections"])
            return [Tensor(self, t.index_select(x, k, t.tensor(p))) for p in parts]
        arity = len(CASES[name].domains)
        inputs, settings = [], {}
        for i, (key, value) in enumerate(given.items()):
            if i < arity and not (name == "conv2d" and value is None):
                inputs.append(self._plain(value))
            elif i < arity:
                inputs.append(None)
            else:
                settings[key] = _setting(key, value)
        if (
            name in _FLOAT
            or name in ("matmul", "dot", "tensordot", "conv2d")
            or _makes_floats(name)
        ):
            inputs = [x if x is None else self._floats(x) for x in inputs]
        if name == "cross_entropy" and inputs[1].is_floating_point():
            return -(inputs[1] * t.log_softmax(inputs[0], -1)).sum(-1).mean()
        if name == "where":
            inputs[0] = inputs[0] != 0
        return CASES[name].torch(t, *inputs, **settings)

    def _plain(self, x: Any) -> Any:
        """A Tensor, a number or an array as PyTorch's tensor."""
        return x.value if isinstance(x, Tensor) else self.tensor(x).value

    def _floats(self, x: Any) -> Any:
        return x if x.is_floating_point() else x.to(self.torch.float64)


def _setting(key: str, value: Any) -> Any:
    """A setting as cases.py knows it: whole numbers of Python, an index without Tensors."""
    if isinstance(value, Tensor):
        value = value.value.numpy(force=True)[()]
        return value if key == "index" else value.tolist()
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, tuple):
        return tuple(_setting(key, item) for item in value)
    return value
