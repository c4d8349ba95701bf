"""The forms in which an operation is stated, once; what the table needs follows from them.

* `elementwise`: the NumPy function and one partial derivative per input, as a formula. The formula
  is what a drawing shows on the edge *and* what runs. VJP: g · ∂ᵢ. JVP: Σ ∂ᵢ · dxᵢ.
* `linear` in each argument: the function and its transpose. VJP: the transpose. JVP: the function.
* `general`: the function, its VJP and its JVP.
* `variadic`: the same, with any number of inputs.

What can be said with operations that exist is no new row of the table but a `composed` function.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from ..errors.shapes import broadcast_shape
from .applying import apply, described, function_of
from .node import Node
from .operation import FUNCTIONS, REFUSALS, EachInput, Function, Operation, entered


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
                op.misused(signature, (*args, *options.values()), error)
            if Node in map(type, inputs):
                return apply(op, inputs, attrs)
            return forward(*(np.asarray(x) if type(x) is list else x for x in inputs), **attrs)

        called.__name__ = called.__qualname__ = name  # for Python's message about a wrong call
        signature = inspect.signature(called)
        return entered(described(function, op, signature, forward.__doc__))

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
