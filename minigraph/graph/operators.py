"""Give Node its operators and methods, and make NumPy's functions work on Nodes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ..core.indexing import getitem
from ..core.node import Node
from ..core.operation import FUNCTIONS, Function
from ..core.table import (
    absolute,
    add,
    divide,
    matmul,
    multiply,
    negative,
    power,
    reshape,
    subtract,
    transpose,
)
from ..errors import NodeTypeError
from ..errors.words import describe
from .rows import greater, greater_equal, less, less_equal, remainder


def _reflected(function: Function) -> Function:
    def method(self: Node, other: Any) -> Any:
        return function(other, self)

    return method


def _length(self: Node) -> int:
    if not self.shape:
        raise NodeTypeError(f"{describe(self)} is a scalar and has no length", (self,))
    return self.shape[0]


def _iterate(self: Node) -> Iterator[Node]:
    return (self[i] for i in range(_length(self)))


def _no_item_assignment(self: Node, index: Any, new: Any) -> NoReturn:
    raise NodeTypeError(
        f"the elements of {describe(self)} cannot be set in place: gradients need the value that "
        "was used; make a new Node, for example with mg.where or mg.concatenate",
        (self,),
    )


def _array_ufunc(self: Node, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    function = FUNCTIONS.get(ufunc.__name__)
    if function is None or method != "__call__" or options:
        raise _unsupported(
            ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", options
        )
    return function(*inputs)


def _array_function(self: Node, f: Any, types: Any, args: tuple, options: dict) -> Any:
    function = FUNCTIONS.get(f.__name__)
    if function is None or getattr(np, f.__name__, None) is not f:
        raise _unsupported(f.__name__, {})
    if len(args) > 1 or options:
        args, options = _as_ours(f, function, args, options)
    return function(*args, **options)


# A signature takes long to find. NumPy's functions in C have none before 2.4; their arguments are
# taken as they are.
@cache
def _signature(f: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(f)
    except ValueError:
        return None


_OTHER_NAMES = {"min": "a_min", "max": "a_max"}  # of clip


def _as_ours(f: Any, function: Function, args: tuple, options: dict) -> tuple[tuple, dict]:
    """Say with our parameters what a call of NumPy's f says, without what it leaves as it is."""
    theirs, ours = _signature(f), _signature(function)
    if theirs is None or ours is None:
        return args, options
    inputs: list[Any] = []
    settings: dict[str, Any] = {}
    for name, value in theirs.bind(*args, **options).arguments.items():
        parameter = theirs.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            return args, options
        if parameter.kind is parameter.VAR_KEYWORD:
            settings |= value
        elif parameter.default is parameter.empty or parameter.kind is parameter.POSITIONAL_ONLY:
            inputs.append(value)
        elif value is not parameter.default and not (
            isinstance(value, str | int) and value == parameter.default
        ):
            settings[_OTHER_NAMES.get(name, name) if name not in ours.parameters else name] = value
    if strange := [name for name in settings if name not in ours.parameters]:
        usage = f"call it as {f.__name__}({', '.join(ours.parameters)})"
        raise NodeTypeError(f"np.{f.__name__} on a Node takes no {', '.join(strange)}; {usage}")
    return tuple(inputs), settings


def _unsupported(name: str, options: dict[str, Any]) -> NodeTypeError:
    if options:
        return NodeTypeError(f"np.{name} on a Node takes no {', '.join(options)}")
    near = difflib.get_close_matches(name, FUNCTIONS, n=3)
    hint = f"there is {', '.join(near)}" if near else "compose it, or make it with mg.custom"
    return NodeTypeError(
        f"np.{name} does not work on Nodes; {hint}; .value is an array, and has no gradient"
    )


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul,
    "mod": remainder,
}.items():  # fmt: skip
    setattr(Node, f"__{_name}__", _function)
    setattr(Node, f"__r{_name}__", _reflected(_function))
for _name, _method in {
    "__gt__": greater,
    "__lt__": less,
    "__ge__": greater_equal,
    "__le__": less_equal,
    "__neg__": negative,
    "__pos__": lambda self: self,
    "__abs__": absolute,
    "__getitem__": getitem,
    "__setitem__": _no_item_assignment,
    "__len__": _length,
    "__iter__": _iterate,
    "__array_ufunc__": _array_ufunc,
    "__array_function__": _array_function,
    "T": property(transpose),
    "reshape": lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda self, *axes: transpose(self, axes[0] if len(axes) == 1 else axes or None),
}.items():
    setattr(Node, _name, _method)
for _name in (
    "argmax", "argmin", "astype", "clip", "cumsum", "diagonal", "dot", "max", "mean", "min", "prod",
    "ravel", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var",
):  # fmt: skip
    setattr(Node, _name, FUNCTIONS[_name])
