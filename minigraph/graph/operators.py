"""Give Node its operators and methods, and make NumPy's functions work on Nodes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from .errors import NodeTypeError
from .node import Node, describe
from .operation import FUNCTIONS, Function
from .ops import (
    absolute,
    add,
    divide,
    getitem,
    greater,
    greater_equal,
    less,
    less_equal,
    matmul,
    multiply,
    negative,
    power,
    remainder,
    reshape,
    subtract,
    transpose,
)


def _reflected(function: Function) -> Function:
    def method(self: Node, other: Any) -> Any:
        return function(other, self)

    return method


def _length(self: Node) -> int:
    if not self.shape:
        raise NodeTypeError(f"{describe(self)} is a scalar and has no length", (self,))
    return self.shape[0]


def _iterate(self: Node) -> Iterator[Node]:
    return (self[i] for i in range(len(self)))


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
    return function(*args, **options)


def _unsupported(name: str, options: dict[str, Any]) -> NodeTypeError:
    if options:
        return NodeTypeError(f"np.{name} on a Node takes no {', '.join(options)}")
    near = difflib.get_close_matches(name, FUNCTIONS, n=3)
    hint = f"there is {', '.join(near)}" if near else "compose it, or make it with mg.custom"
    return NodeTypeError(f"np.{name} does not work on Nodes; {hint}")


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
