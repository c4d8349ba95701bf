"""Operations of your own: a NumPy function and, for each input, the rule for its gradient.

@mg.custom(lambda g, out, x: g * mg.sigmoid(x))
def softplus(x):
    return np.log1p(np.exp(x))

mg.check_custom(softplus, 0.5)
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce, wraps
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..core.operation import Function
from ..core.stating import stated
from ..core.table import sum as sum_
from ..errors import GradientError, NodeTypeError
from ..errors.shapes import Shape
from ..graph.context import always_recording
from ..graph.symbolic import Unknown
from .check import gradcheck
from .derivatives import grad


def custom(
    *vjps: Function | None, symbol: str | None = None, shape: Function | None = None
) -> Callable[[Function], Function]:
    """Make an operation of a function of arrays; use it as a decorator.

    Write the rules with operators and minigraph's functions (`mg.exp`, not `math.exp`): then they
    can be differentiated again. The JVP follows from what is given; so does the shape of a result
    that waits for placeholders, by running the function on stand-ins: zeros, ones, and matrices
    that have an inverse.

    Args:
        vjps: for each input, in order, (g, out, *inputs, **options) -> its share of the gradient,
            where g is the gradient of the output `out`; None for an input without gradient. The
            function's remaining parameters are options, such as an axis.
        symbol: what the drawn box shows; the function's name if None.
        shape: (*shapes, **options) -> shape of the result, for a function that refuses stand-ins.
    """

    def decorate(forward: Function) -> Function:
        if isinstance(forward, np.ufunc):
            forward = _of_arrays_only(forward)
        parameters = list(inspect.signature(forward).parameters.values())
        required = sum(p.default is p.empty for p in parameters)
        if not vjps or not required <= len(vjps) <= len(parameters):
            raise GradientError(
                f"{forward.__name__} has {required} inputs and {len(vjps)} rules; custom() takes "
                "one rule for each input, and an option needs a default"
            )

        checked = _checked(forward)
        result = partial(_result, checked, shape)

        def shape_rule(*shapes: Shape, **options: Any) -> Shape:
            return result([Unknown(s, np.dtype(np.float64)) for s in shapes], options).shape

        rules = tuple(vjp and _guarded(vjp, forward.__name__, i) for i, vjp in enumerate(vjps))
        name = symbol or forward.__name__
        return stated(checked, name, rules, _transposed(rules), shape_rule, result)

    return decorate


def _result(
    forward: Function, shape: Function | None, inputs: Sequence[Any], options: dict[str, Any]
) -> Unknown:
    """The shape and the dtype of what a function gives: where they are found twice, the same.

    An input that is known stands for itself.
    """
    results: list[np.ndarray] = []
    refusal: Exception | None = None
    for stand_in in _STAND_INS:
        values = [stand_in(x)[()] if isinstance(x, Unknown) else x for x in inputs]
        try:
            with np.errstate(all="ignore"):
                results.append(np.asarray(forward(*values, **options)))
        except Exception as error:
            refusal = refusal or error
        if len(results) == 2 or (results and shape):
            break
    stated = shape and tuple(map(operator.index, shape(*[x.shape for x in inputs], **options)))
    if not results and stated is not None:
        return Unknown(stated, np.result_type(*[x.dtype for x in inputs], np.float16))
    hint = f"state it: @mg.custom(..., shape=lambda {', '.join('xyzuvw'[: len(inputs)])}: ...)"
    if not results:
        raise ValueError(
            "its shape before there are numbers is that of its results for stand-ins such as "
            f"zeros and ones, which it refuses ({type(refusal).__name__}: {refusal}); {hint}"
        ) from refusal
    if stated is None and results[0].shape != results[-1].shape:
        raise ValueError(
            f"its shape depends on values: {results[0].shape} for some and {results[-1].shape} for "
            f"others; if for yours it does not, {hint}"
        )
    return Unknown(results[0].shape if stated is None else stated, results[0].dtype)


def _diagonal(x: Unknown) -> np.ndarray:
    """Positive numbers below 1, in matrices that have an inverse and a Cholesky decomposition."""
    if x.dtype.kind != "f" or x.ndim < 2:
        row = np.linspace(0.25, 0.75, x.shape[-1]) if x.shape else np.array(0.5)
        return np.broadcast_to(row, x.shape)
    return np.broadcast_to(np.eye(x.shape[-2], x.shape[-1]) * 0.75 + 0.125, x.shape)


_STAND_INS: tuple[Callable[[Unknown], np.ndarray], ...] = (
    lambda x: np.zeros(x.shape, x.dtype),
    lambda x: np.ones(x.shape, x.dtype),
    lambda x: _diagonal(x).astype(x.dtype),
    lambda x: np.random.default_rng(0).uniform(2, 3, x.shape).astype(x.dtype),
)


def _of_arrays_only(ufunc: np.ufunc) -> Function:
    """A function of NumPy's without its options, which say where and how it is computed."""

    @wraps(ufunc)
    def function(*arrays: Any) -> Any:
        return ufunc(*arrays)

    kind = inspect.Parameter.POSITIONAL_ONLY
    inputs = [inspect.Parameter(f"x{i}", kind) for i in range(1, ufunc.nin + 1)]
    function.__signature__ = inspect.Signature(inputs)  # type: ignore[attr-defined]
    return function


def _checked(forward: Function) -> Function:
    """A function whose results a Node can hold: real numbers, which nobody changes afterwards."""

    @wraps(forward)
    def checked(*arrays: Any, **options: Any) -> Any:
        if Unknown in map(type, arrays):  # which has a shape, and might be enough for a function
            raise TypeError("there are no numbers here yet")
        out = np.asarray(forward(*arrays, **options))
        if out.dtype.kind not in "fiub":
            raise TypeError(f"it must return real numbers, not {out.dtype}; has it its return?")
        # A view may be one of an array that the function keeps and changes.
        return (out if out.base is None else out.copy())[()]

    return checked


def _guarded(vjp: Function, name: str, i: int) -> Function:
    """A rule that says what is wrong with its result, in terms of what its author wrote."""

    def rule(g: Any, out: Any, *inputs: Any, **options: Any) -> Any:
        whose = f"the rule of {name} for input {i}"
        better = (
            "write it with operators and minigraph's functions (mg.exp, not math.exp), so that it "
            "can be differentiated again"
        )
        try:
            c = vjp(g, out, *inputs, **options)
        except NodeTypeError as error:
            raise GradientError(f"{whose} does not take Nodes: {error}; {better}") from None
        if isinstance(g, Node) and not isinstance(c, Node):
            raise GradientError(f"{whose} made {type(c).__name__} of Nodes; {better}")
        c = c if isinstance(c, Node) else np.asarray(c)
        if c.dtype.kind not in "fiub":
            raise GradientError(
                f"{whose} must return real numbers, not {c.dtype}; has it its return?"
            )
        wanted = inputs[i].shape
        if c.shape not in (wanted, out.shape):
            raise GradientError(f"{whose} gave shape {c.shape}; its input has shape {wanted}")
        return c if isinstance(c, Node) else c[()]

    return rule


def _transposed(vjps: Sequence[Function | None]) -> Function:
    """Derive the JVP. The VJP is linear in g, and the JVP is the transpose of that linear map.

    Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """

    def jvp(tangents: Sequence[Any], out: Any, *inputs: Any, **options: Any) -> Any:
        g = variable(np.zeros(out.shape, out.dtype))
        with always_recording():
            terms = [
                sum_(vjp(g, out, *inputs, **options) * dx)
                for vjp, dx in zip(vjps, tangents)
                if vjp and dx is not None
            ]
            total = reduce(operator.add, terms)
        return grad(total, g)

    return jvp


def check_custom(f: Callable[..., Node], *values: Any) -> bool:
    """Compare the rules of an operation with finite differences, to the second order.

    Args:
        f: the operation.
        values: where to compare; numbers or arrays, not at a kink.

    Returns:
        True.

    Raises:
        GradientError: naming the input and both numbers, or what the rule lacks.
    """
    return gradcheck(f, *values, order=2)
