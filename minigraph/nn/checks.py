"""What layers and optimizers refuse, each in a sentence that says what they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import Any

from ..core.node import Node, is_symbolic
from ..data.sets import checked_count, is_number
from ..errors import NodeTypeError, SettingError, ShapeError
from ..errors.shapes import Shape
from ..errors.words import describe

_SPANS: dict[str, Callable[[float], bool]] = {
    "above 0": lambda x: 0 < x < math.inf,
    "from 0 up": lambda x: 0 <= x < math.inf,
    "from 0 to below 1": lambda x: 0 <= x < 1,
}


def checked_number(what: str, value: Any, span: str, kind: str = "number") -> float:
    """Return a setting that is "above 0", "from 0 up", or "from 0 to below 1"."""
    if not is_number(value) or not _SPANS[span](value):
        raise SettingError(f"{what} is a {kind} {span}, not {value!r:.40}")
    return float(value)


def checked_pair(what: str, value: Any, least: int = 1) -> tuple[int, int]:
    """Return a size for each of two axes, of a pair or of one number for both."""
    sizes = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(sizes) != 2:
        raise SettingError(f"{what} is a number or a pair of them, not {value!r:.40}")
    return checked_count(what, sizes[0], least), checked_count(what, sizes[1], least)


def checked_parameters(parameters: Any) -> list[Node]:
    """Return variables that can be learned, one at least and each of them once."""
    if isinstance(parameters, Node) or not isinstance(parameters, Iterable):
        raise NodeTypeError(
            "parameters are a list of variables, as in model.parameters(), not "
            f"{type(parameters).__name__}"
        )
    found = [*parameters]
    if not found:
        raise SettingError("there are no parameters to learn; give model.parameters()")
    for p in found:
        if not isinstance(p, Node):
            raise NodeTypeError(f"a parameter is a variable, not {type(p).__name__} {p!r:.40}")
        if p.op is not None or is_symbolic(p) or not p.requires_grad:
            raise NodeTypeError(f"{describe(p)} cannot be learned: it is no variable", (p,))
    if len({*found}) < len(found):
        twice = next(p for p in found if found.count(p) > 1)
        raise SettingError(f"{describe(twice)} stands twice among the parameters", (twice,))
    return found


def check_last(x: Any, sizes: Shape) -> None:
    """Refuse an input that has not these sizes at the end of its shape."""
    if tuple(x.shape[len(x.shape) - len(sizes) :]) != sizes or len(x.shape) < len(sizes):
        wanted = ", ".join(map(str, ("…", *sizes)))
        raise ShapeError(f"it takes inputs of shape ({wanted}), not {tuple(x.shape)}")


def check_call(function: Callable[..., Any], inputs: Any, named: Any) -> None:
    """Refuse inputs with which a function cannot be called: too many, too few, or others."""
    try:
        takes = signature(function)
    except (TypeError, ValueError):  # some functions of C do not say what they take
        return
    try:
        takes.bind(*inputs, **named)
    except TypeError:
        plain = [p.replace(annotation=Parameter.empty) for p in takes.parameters.values()]
        wanted = takes.replace(parameters=plain, return_annotation=Parameter.empty)
        given = f"{len(inputs)} input{'' if len(inputs) == 1 else 's'}"
        given += "".join(f" and {name}=…" for name in named)
        raise NodeTypeError(f"it takes the inputs {wanted}, not {given}") from None
