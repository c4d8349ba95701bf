"""Operations: what they state, what follows from it, and how one is applied to Nodes.

An operation is stated once, in the form that says what it is:

* `elementwise`: the NumPy function and one partial derivative per input, as a formula. The formula
  is what a drawing shows on the edge *and* what runs. VJP: g · ∂ᵢ. JVP: Σ ∂ᵢ · dxᵢ.
* `linear` in each argument: the function and its transpose. VJP: the transpose. JVP: the function.
* `general`: the function, its VJP and its JVP.

Here g is the gradient of the output (the cotangent), dx the change of an input (the tangent). See
Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.

Rules are written with minigraph's own functions. Given arrays these compute; given Nodes they build
Nodes. So one text serves `backward()`, and `grad()`, whose result can be drawn and differentiated.

What can be said with operations that exist is no new row of the table but a `composed` function.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce, wraps
from inspect import Parameter, Signature
from itertools import count
from typing import Any, NoReturn

import numpy as np
from numpy import float64  # what every operation asks for is looked up once

from .context import made_by, surroundings
from .errors import MinigraphError, NodeTypeError, ShapeError, SymbolicError
from .node import NO_ATTRS, NUMBER, Node, Unknown, checked_value, describe, frozen, leaf, new_seq

Shape = tuple[int, ...]
Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Operation:
    """One row of the table of operations.

    Attributes:
        name: NumPy's name where NumPy has the function, else PyTorch's.
        symbol: what a drawn box shows.
        parameters: the names of the inputs, in order; a last one with a star stands for any number.
        forward: (*arrays, **attrs) -> array.
        vjps: per input (g, out, inputs, attrs) -> what g contributes to the gradient of that input,
            before `unbroadcast`; None for an input without derivative, as for those left out.
        jvp: (tangents, out, inputs, attrs) -> tangent of the output; a None tangent is a zero.
        shape: (*shapes, **attrs) -> shape of the output; raises ValueError to say what would fit.
        partials: the local derivative by each input as text, in the parameters and `out`;
            empty unless the operation is elementwise.
        result: (inputs, attrs) -> Unknown, of a user's function, whose shape may depend on more
            than shapes; an input is a value, or Unknown. None if `shape` says all.
    """

    name: str
    symbol: str
    parameters: tuple[str, ...]
    forward: Function
    vjps: tuple[Function | None, ...] | EachInput
    jvp: Function | None
    shape: Function
    partials: tuple[str, ...] = ()
    result: Function | None = None

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


class EachInput:
    """The VJPs of an operation with any number of inputs: one rule, told which input is asked."""

    def __init__(self, rule: Function) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Function:
        return lambda g, out, inputs, attrs: self.rule(i, g, out, inputs, **attrs)

    def __iter__(self) -> Iterator[Function]:
        return map(self.__getitem__, count())


_CHANGEABLE = {list, dict, set, np.ndarray}  # settings that a caller could change afterwards

# Of values that do not fit.
REFUSALS = (ValueError, TypeError, IndexError, AttributeError, OverflowError)
# The dtypes that elementwise operations give, which are those of the table, by what they are given.
_DTYPES: dict[tuple[Any, ...], np.dtype] = {}

OPERATIONS: dict[str, Operation] = {}
FUNCTIONS: dict[str, Function] = {}  # what users call, by name: operations and composed functions


def record(
    op: Operation, inputs: tuple[Node, ...], seq: int, value: Any, attrs: dict = NO_ATTRS
) -> Node:
    """Make the Node of an operation whose value has just been computed.

    Its `seq` was taken before: so an input that another thread changes meanwhile counts as changed.
    """
    node = Node()
    node.op = op
    node.inputs = inputs
    node.attrs = attrs
    node.grad = node.name = None
    node.scope, watchers, _ = surroundings.get()
    node.seq = seq
    if type(value) is float64:
        is_float = True
    else:
        value = frozen(value)
        is_float = value.dtype.kind == "f"
    node._value = value
    node.requires_grad = False
    for x in inputs:
        if x.requires_grad:
            node.requires_grad = is_float  # integers and booleans change in jumps
            break
    if watchers:
        for watch in watchers:
            watch(node)
    return node


def apply(op: Operation, inputs: tuple[Any, ...], attrs: dict[str, Any] = NO_ATTRS) -> Node:
    """Compute an operation on Nodes and numbers, at least one of them a Node, and record it."""
    if {*map(type, inputs)} != {Node}:
        # Arrays first: Python's numbers take the dtype of what stands beside them.
        inputs = tuple(
            x if type(x) in (Node, int, float) else leaf(checked_value(x), requires_grad=False)
            for x in inputs
        )
        like = _leading(x for x in inputs[_conditions(op) :] if type(x) is Node)
        inputs = tuple(x if type(x) is Node else operand(x, like) for x in inputs)
    seq = next(new_seq)
    try:
        value = op.forward(*[x._value for x in inputs], **attrs)
    except REFUSALS as error:
        return waiting(op, inputs, seq, attrs, error)
    return record(op, inputs, seq, value, attrs)


def operand(value: Any, like: Node | None) -> Node:
    """Make a constant of a number beside a Node; a Python number takes the Node's dtype."""
    if like is None:
        return leaf(checked_value(value), requires_grad=False)
    held = like._value
    try:
        if type(held) is float64 and type(value) in (float, int):  # the usual case, fast
            return leaf(float64(value), requires_grad=False)
        kind = held.dtype.kind
        if (type(value) is int and kind in "iuf") or (type(value) is float and kind == "f"):
            found = leaf(held.dtype.type(value), requires_grad=False)
            if type(held) is Unknown and held.number:
                found.attrs = NUMBER
            return found
    except OverflowError:
        pass  # a whole number too large for the dtype brings its own
    return leaf(checked_value(value), requires_grad=False)


def waiting(
    op: Operation,
    inputs: tuple[Node, ...],
    seq: int,
    attrs: dict[str, Any],
    error: Exception,
) -> Node:
    """Record an operation on symbolic Nodes, which NumPy has refused with an error."""
    number: type | None = None
    if stand_ins := [x for x in inputs if stands_for_number(x)]:
        first = _conditions(op)
        others = [x for x in inputs[first:] if x not in stand_ins and x.attrs is not NUMBER]
        like = _leading(others)
        if like is not None:
            given = [x if x in others else _giving_way(x, like) for x in inputs[first:]]
            inputs = (*inputs[:first], *given)
            seq = next(new_seq)
        elif op.name in _ON_NUMBERS and op is OPERATIONS.get(op.name):
            types = {x._value.number for x in stand_ins}
            number = float if types == {float} else object
        elif first and any(x._value.number is object for x in stand_ins):
            raise NumberTypeError
    value = unknown(op, inputs, attrs, error)
    value.number = number
    return record(op, inputs, seq, value, attrs)


# What Python computes of its numbers, with a number as result. NumPy's functions give NumPy's.
_ON_NUMBERS = {
    "add", "subtract", "multiply", "divide", "remainder", "power", "negative", "absolute",
    "stop_gradient",
}  # fmt: skip


class NumberTypeError(Exception):
    """Whether a number is an int or a float decides the dtype of a result; see `mg.compile`."""


def stands_for_number(x: Node) -> bool:
    """Whether a Node stands for a number of Python's, for which it was given in `mg.compile`."""
    return type(x._value) is Unknown and x._value.number is not None


def may_be_int(x: Node) -> bool:
    """Whether a Node stands for a number of which it is open if it is an int or a float."""
    return stands_for_number(x) and x._value.number is object


def _giving_way(x: Node, like: Node) -> Node:
    """What stands for a number, in the dtype that the number has beside a Node; see `operand`."""
    if like.dtype.kind != "f":
        if may_be_int(x):
            raise NumberTypeError
        return x
    if x.attrs is NUMBER:
        return operand(x._value.item(), like)
    return x if x.dtype == like.dtype else FUNCTIONS["astype"](x, like.dtype)


def _leading(nodes: Iterable[Node]) -> Node | None:
    """The Node whose dtype numbers take."""
    return max(nodes, key=lambda x: "buif".index(x.dtype.kind), default=None)


def _conditions(op: Operation) -> int:
    """How many inputs, the first ones, only choose among the others, whatever their dtype."""
    return int(op.parameters[0] == "condition")


def unknown(
    op: Operation, inputs: tuple[Node, ...], attrs: dict[str, Any], error: Exception
) -> Unknown:
    """The value of an operation on symbolic Nodes, which NumPy has refused with an error.

    Where no input is symbolic, the error is raised, in words that name the Nodes.
    """
    if not any(type(x._value) is Unknown for x in inputs):
        if isinstance(error, AttributeError):
            raise error
        raise explained(op, inputs, attrs, error) from None
    if any(x.dtype.kind == "b" for x in inputs[1:]) and "index" in attrs:
        raise SymbolicError(
            f"{op.name} of {' and '.join(map(describe, inputs))}: how many elements a mask chooses "
            "depends on its values, so the result has no shape before the graph is run; choose "
            "with mg.where, which keeps the shape",
            inputs,
        ) from None
    try:
        if op.result:
            return op.result([x._value for x in inputs], attrs)
        shape = op.shape(*[x.shape for x in inputs], **attrs)
        return Unknown(tuple(map(operator.index, shape)), _dtype(op, inputs, attrs))
    except REFUSALS as better:
        raise explained(op, inputs, attrs, better) from None


def _dtype(op: Operation, inputs: tuple[Node, ...], attrs: dict[str, Any]) -> np.dtype:
    """The dtype of a result: that of the operation on zeros, which is seldom computed twice."""
    if not op.partials:
        return _dtype_on_zeros(op, inputs, [x.shape for x in inputs], attrs)
    key = (op, *[x.dtype for x in inputs])
    if key not in _DTYPES:
        _DTYPES[key] = _dtype_on_zeros(op, inputs, [()] * len(inputs), attrs)
    return _DTYPES[key]


def _dtype_on_zeros(
    op: Operation, inputs: tuple[Node, ...], shapes: list[Shape], attrs: dict[str, Any]
) -> np.dtype:
    zeros = [np.broadcast_to(x.dtype.type(0), shape) for x, shape in zip(inputs, shapes)]
    with np.errstate(all="ignore"):
        return np.asarray(op.forward(*zeros, **attrs)).dtype


def explained(
    op: Operation, nodes: tuple[Node, ...], attrs: dict[str, Any], error: Exception
) -> Exception:
    """Turn NumPy's error into one that names the Nodes and says what would fit."""
    reason = error
    try:
        if not op.result:
            op.shape(*[x.shape for x in nodes], **attrs)
    except REFUSALS as better:
        reason = better
    kind = NodeTypeError if isinstance(error, TypeError) else ShapeError
    return kind(f"{op.name} of {' and '.join(map(describe, nodes))}: {reason}", nodes)


# --- the three kinds ------------------------------------------------------------------------------


def elementwise(
    name: str,
    symbol: str,
    computes: str,
    forward: Function,
    *partials: str | tuple[str, str | Function],
) -> Function:
    """State an elementwise operation by its partial derivatives; return the function to call.

    A partial is a formula in the inputs (x, or x and y) and `out`. In a pair the first is shown and
    the second runs, for a formula that needs care at single points; it may be a function of `out`
    and the inputs.
    """
    parameters = ("x", "y")[: len(partials)]
    shown, run = zip(*(p if isinstance(p, tuple) else (p, p) for p in partials), strict=True)
    vjps = tuple(_product(name, parameters, partial) for partial in run)

    def jvp(tangents: Sequence[Any], out: Any, inputs: Sequence[Any], attrs: dict) -> Any:
        return _total(
            vjp(dx, out, inputs, attrs)  # dx · ∂ᵢ, as the VJP is g · ∂ᵢ
            for vjp, dx in zip(vjps, tangents, strict=True)
            if dx is not None
        )

    signature = Signature([Parameter(p, Parameter.POSITIONAL_ONLY) for p in parameters])
    op = Operation(name, symbol, parameters, forward, vjps, jvp, broadcast_shape, shown)
    return entered(function_of(op, signature, f"Compute {computes}, elementwise."))


def linear(symbol: str, *transposes: Function, shape: Function) -> Callable[[Function], Function]:
    """State an operation that is linear in each input: its forward function and its transposes.

    The decorated function computes with arrays. Its first parameters, one for each transpose, are
    the inputs; the others are attrs. A transpose is (g, out, *inputs, **attrs) -> contribution.
    """

    def decorate(forward: Function) -> Function:
        def jvp(tangents: Sequence[Any], out: Any, *inputs: Any, **attrs: Any) -> Any:
            return _total(
                FUNCTIONS[forward.__name__](*inputs[:i], dx, *inputs[i + 1 :], **attrs)
                for i, dx in enumerate(tangents)
                if dx is not None
            )

        return general(symbol, *transposes, jvp=jvp, shape=shape)(forward)

    return decorate


def general(
    symbol: str, *vjps: Function | None, jvp: Function | None = None, shape: Function
) -> Callable[[Function], Function]:
    """State an operation by its forward function, a VJP for each input, and its JVP.

    A VJP is (g, out, *inputs, **attrs), the JVP is (tangents, out, *inputs, **attrs). Where no
    input has a VJP the result is no function of real numbers, and there is no JVP either.
    """

    return lambda forward: entered(stated(forward, symbol, vjps, jvp, shape))


def variadic(
    symbol: str, vjps: Any, *, jvp: Function, shape: Function, called: Function
) -> Callable[[Function], Function]:
    """State an operation with any number of inputs.

    `called` has the signature that users see, and returns the inputs and the attrs.
    """

    def decorate(forward: Function) -> Function:
        name = forward.__name__
        parameters = inspect.signature(forward).parameters.values()
        inputs = tuple(
            "*" * (p.kind is p.VAR_POSITIONAL) + p.name
            for p in parameters
            if p.kind < p.KEYWORD_ONLY
        )
        rules = vjps if isinstance(vjps, EachInput) else tuple(map(_spread_arguments, vjps))
        op = Operation(name, symbol, inputs, forward, rules, _spread_arguments(jvp), shape)

        def function(*args: Any, **options: Any) -> Any:
            try:
                inputs, attrs = called(*args, **options)
            except REFUSALS as error:
                refuse(name, signature, (*args, *options.values()), error)
            if Node in map(type, inputs):
                return apply(op, inputs, attrs)
            return forward(*(np.asarray(x) if type(x) is list else x for x in inputs), **attrs)

        called.__name__ = called.__qualname__ = name  # for Python's message about a wrong call
        signature = inspect.signature(called)
        return entered(_described(function, op, signature, forward.__doc__))

    return decorate


def stated(
    forward: Function,
    symbol: str,
    vjps: tuple[Function | None, ...],
    jvp: Function | None,
    shape: Function,
    result: Function | None = None,
) -> Function:
    """Make the function of an operation that is stated in general form, outside the table."""
    signature = inspect.signature(forward)
    op = Operation(
        forward.__name__,
        symbol,
        tuple(signature.parameters)[: len(vjps)],
        forward,
        tuple(vjp and _spread_arguments(vjp) for vjp in vjps),
        jvp and _spread_arguments(jvp),
        shape,
        result=result,
    )
    return function_of(op, signature, forward.__doc__)


def _product(name: str, parameters: tuple[str, ...], partial: str | Function) -> Function:
    """Make the VJP g · partial. Formulas are compiled: every scalar gradient runs through one."""
    if callable(partial):
        return lambda g, out, inputs, attrs: g * partial(out, *inputs)
    product = {"1": "g", "-1": "-g"}.get(partial, f"g * ({partial})")
    used = [(i, p) for i, p in enumerate(parameters) if re.search(rf"\b{p}\b", product)]
    taken = "".join(f"    {p} = inputs[{i}]\n" for i, p in used)
    source = f"def vjp(g, out, inputs, attrs):\n{taken}    return {product}"
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<derivative of {name}>", "exec"), FUNCTIONS, namespace)
    del FUNCTIONS["__builtins__"]  # exec puts them there
    return namespace["vjp"]


def _spread_arguments(rule: Function) -> Function:
    def spread(g: Any, out: Any, inputs: Sequence[Any], attrs: dict[str, Any]) -> Any:
        return rule(g, out, *inputs, **attrs) if attrs else rule(g, out, *inputs)

    return spread


def _total(terms: Iterable[Any]) -> Any:
    return reduce(operator.add, terms)


def entered(function: Function) -> Function:
    """Enter a function among those that users call, and its operation, if any, in the table."""
    FUNCTIONS[function.__name__] = function
    if op := getattr(function, "op", None):
        OPERATIONS[function.__name__] = op
    return function


def composed(function: Function) -> Function:
    """Enter a function that is made of operations; use it as a decorator.

    The Nodes of each call share a scope of its own: "softmax()#7" for the output, "softmax()#7~"
    for the others. So a drawing can fold them into one box, and tell when the output is missing,
    as in a graph of gradients. The first argument is the array; it may be a list of numbers.
    """
    name = function.__name__

    arrayed = _arrayed(function)

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        around = surroundings.get()
        outer, watchers, changes = around
        path = f"{outer}/{name}()#{next(new_seq)}" if outer else f"{name}()#{next(new_seq)}"
        inner = f"{path}~"
        within = inner, watchers, changes
        try:  # which begins before the change, for an interrupt may come after any call
            surroundings.set(within)
            out = arrayed(*args, **options)
        finally:
            left = surroundings.set(around).old_value
            if left is not within:  # a block was over meanwhile, of a generator that was freed
                surroundings.set(made_by(left[2]))
        if type(out) is Node and out.scope.startswith(inner):  # else it is an argument, handed on
            out.scope = path + out.scope.removeprefix(inner)
        return out

    return entered(call)


def arranged(function: Function) -> Function:
    """Enter a function that only finds the arguments of one operation; use it as a decorator.

    The first argument is the array; it may be a list of numbers.
    """
    return entered(wraps(function)(_arrayed(function)))


def _arrayed(function: Function) -> Function:
    """A function that takes a list as first argument, too, and whose errors name the Nodes."""
    signature = inspect.signature(function)
    first = next(iter(signature.parameters))

    def call(*args: Any, **options: Any) -> Any:
        if args:
            args = (_array_or_nodes(args[0]), *args[1:])
        elif first in options:
            options[first] = _array_or_nodes(options[first])
        try:
            return function(*args, **options)
        except REFUSALS as error:
            refuse(function.__name__, signature, (*args, *options.values()), error)

    return call


def refuse(name: str, signature: Signature, given: Iterable[Any], error: Exception) -> NoReturn:
    """Raise an error that a call has met, in words that name the Nodes which it was given."""
    given = [*given]
    given += [x for x in given if isinstance(x, list | tuple) for x in x]
    nodes = tuple(x for x in given if type(x) is Node)
    if isinstance(error, MinigraphError) or not nodes:
        raise error
    named = " and ".join(map(describe, nodes))
    if isinstance(error, ValueError | IndexError | OverflowError):
        raise ShapeError(f"{name} of {named}: {error}", nodes) from None
    usage = f"call it as {name}({', '.join(signature.parameters)})"
    usage += "; settings are no Nodes" * (len(nodes) > 1)
    reason = f"{error}; {usage}" if isinstance(error, TypeError) else usage
    raise NodeTypeError(f"{name} of {named}: {reason}", nodes) from None


def _array_or_nodes(x: Any) -> Any:
    if type(x) is Node or (isinstance(x, Sequence) and Node in map(type, x)):
        return x
    return np.asarray(x)


def function_of(op: Operation, signature: Signature, doc: str | None) -> Function:
    """Make what users call: given arrays it computes, given Nodes it records."""
    arity = len(op.parameters)
    if len(signature.parameters) == arity <= 2:
        return _described(_plain_function(op), op, signature, doc)
    settings = list(signature.parameters.values())[arity:]
    names = [p.name for p in settings]
    defaults = {p.name: p.default for p in settings if p.default is not Parameter.empty}
    forward = op.forward

    def function(*args: Any, **attrs: Any) -> Any:
        inputs = args[:arity]
        kinds = [*map(type, inputs)]
        if Node not in kinds:
            if list in kinds:
                args = tuple(np.asarray(x) if type(x) is list else x for x in args)
            return forward(*args, **attrs)
        placed = dict(zip(names, args[arity:]))
        twice = placed.keys() & attrs.keys()
        if names:
            attrs = defaults | placed | attrs
            for name, value in attrs.items():
                if type(value) in _CHANGEABLE:
                    attrs[name] = deepcopy(value)  # rules read it in the backward pass
        fit = arity <= len(args) <= arity + len(names) and attrs.keys() == set(names)
        if twice or not fit:
            raise NodeTypeError(f"call it as {op.name}({', '.join(signature.parameters)})")
        if Node in map(type, attrs.values()):
            refuse(op.name, signature, (*inputs, *attrs.values()), AttributeError())
        return apply(op, inputs, attrs or NO_ATTRS)

    return _described(function, op, signature, doc)


def _plain_function(op: Operation) -> Function:
    """The function of an operation with one or two inputs and no settings: the usual case, fast."""
    forward = op.forward

    def unary(x: Any, /) -> Any:
        if type(x) is not Node:
            return forward(np.asarray(x) if type(x) is list else x)
        seq = next(new_seq)
        try:
            value = forward(x._value)
        except REFUSALS as error:
            return waiting(op, (x,), seq, NO_ATTRS, error)
        return record(op, (x,), seq, value)

    def binary(x: Any, y: Any, /) -> Any:
        if type(x) is not Node:
            if type(y) is not Node:
                if type(x) is list or type(y) is list:
                    x, y = np.asarray(x), np.asarray(y)
                return forward(x, y)
            x = operand(x, y)
        elif type(y) is not Node:
            y = operand(y, x)
        seq = next(new_seq)
        try:
            value = forward(x._value, y._value)
        except REFUSALS as error:
            return waiting(op, (x, y), seq, NO_ATTRS, error)
        return record(op, (x, y), seq, value)

    return unary if len(op.parameters) == 1 else binary


def _described(
    function: Function, op: Operation, signature: Signature, doc: str | None
) -> Function:
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = doc
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.op = op  # type: ignore[attr-defined]
    return function


# --- shapes ---------------------------------------------------------------------------------------


def broadcast_shape(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; a ValueError names the axis that does not fit."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(s)) + tuple(s) for s in shapes]
    out = []
    for axis, sizes in enumerate(zip(*padded, strict=True), start=-ndim):
        wide = {n for n in sizes if n != 1}
        if len(wide) > 1:
            raise ValueError(
                f"axis {axis} has sizes {' and '.join(map(str, sizes))}; "
                "they must be equal, or one of them 1"
            )
        out.append(wide.pop() if wide else 1)
    return tuple(out)
