"""Functions that are composed of operations: how one is entered, and what a drawing sees of it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import wraps
from typing import Any

import numpy as np

from ..core.node import Node, new_seq, surroundings
from ..core.operation import REFUSALS, Function, entered
from .context import made_by
from .refusals import refuse


def composed(function: Function) -> Function:
    """Enter a function that is made of operations; use it as a decorator.

    The Nodes of each call share a scope of its own: "softmax()#7" for the output, "softmax()#7~"
    for the others. So a drawing can fold them into one box, and tell when the output is missing,
    as in a graph of gradients. The first argument is the array; it may be a list of numbers.
    """
    return entered(folding(wraps(function)(_arrayed(function))))


def folding(function: Function) -> Function:
    """Let the Nodes of each call share a scope, as `composed` does; use it as a decorator."""
    name = function.__name__.lstrip("_")

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        around = surroundings.get()
        outer, watchers, changes = around
        path = f"{outer}/{name}()#{next(new_seq)}" if outer else f"{name}()#{next(new_seq)}"
        inner = f"{path}~"
        within = inner, watchers, changes
        try:  # which begins before the change, for an interrupt may come after any call
            surroundings.set(within)
            out = function(*args, **options)
        finally:
            left = surroundings.set(around).old_value
            if left is not within:  # a block was over meanwhile, of a generator that was freed
                surroundings.set(made_by(left[2]))
        if type(out) is Node and out.scope.startswith(inner):  # else it is an argument, handed on
            out.scope = path + out.scope.removeprefix(inner)
        return out

    return call


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


def _array_or_nodes(x: Any) -> Any:
    if type(x) is Node or (isinstance(x, Sequence) and Node in map(type, x)):
        return x
    return np.asarray(x)
