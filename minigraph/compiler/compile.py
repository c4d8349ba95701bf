"""Compile a Python function: capture its graph once for each kind of arguments, then run the plan.

@mg.compile
def loss(x, w):
    return mg.mean(mg.tanh(x @ w) ** 2)

loss(X, W)          # captured, optimised and run
loss(X2, W2)        # run, if shapes and dtypes are those of X and W
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial, update_wrapper
from threading import RLock
from typing import Any

import numpy as np

from ..core.node import Node, checked_value, is_symbolic, leaf
from ..errors import MinigraphError, NodeTypeError
from ..graph.context import watching
from ..graph.graph import Graph
from ..graph.symbolic import NumberTypeError, Unknown, placeholder
from .passes import Pass
from .plan import Plan

MOST_PLANS = 32
EXACT = 2**53  # the largest int up to which float64 holds them all
_FLOAT = np.dtype(np.float64)
_Captured = tuple[Plan, Any]  # a plan, and the structure of Nodes that the function returned


class Compiled:
    """A function that is captured as a graph once for each kind of arguments, and then only run.

    The shapes and dtypes of arrays, and whatever else the function is given (texts, booleans,
    None …), select the plan. A number takes the dtype of what stands beside it, as in NumPy; alone
    it is a float64 array without axes. Where it matters whether it is an int, as beside integers,
    each int has a plan of its own. Lists, tuples and dicts may hold arrays. Given Nodes it calls
    the function itself, so that a compiled function can be part of a graph.

    The function runs only while it is captured: what it prints, draws at random or reads from
    elsewhere stays as it was then, but for variables, whose values are read at each call.

    Attributes:
        plans: those made so far, the last one used at the end. The eldest are forgotten.
    """

    def __init__(
        self, function: Callable[..., Any], passes: Iterable[str | Pass] | None = None
    ) -> None:
        self._function = function
        self._passes = None if passes is None else [*passes]
        self._signature = inspect.signature(function)
        kinds = {p.kind for p in self._signature.parameters.values()}
        simple = kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD}
        self._arity = len(self._signature.parameters) if simple else -1
        # None where the types of the numbers matter, by which the plan is then found.
        self._captured: OrderedDict[Any, _Captured | None] = OrderedDict()
        self._capturing = RLock()
        update_wrapper(self, function)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans made so far, the last one used at the end."""
        return tuple(captured[0] for captured in self._captured.values() if captured)

    def __call__(self, /, *args: Any, **options: Any) -> Any:
        """Compute what the function computes, as arrays in the structure that it returns.

        Raises:
            SymbolicError: if the function asks for a value, as in `if x > 0:`.
            NodeTypeError: if an argument can select no plan, or the function returns something
                that is not made of Nodes.
        """
        arguments = self._arguments(args, options)
        values: list[Any] = []
        key = tuple([_kind(value, name, values, object) for name, value in arguments.items()])
        if Node in map(type, values):
            return self._function(*args, **options)
        with self._capturing:
            captured = self._kept(key, arguments, object)
            if captured is None:
                values = []
                key = tuple(
                    [_kind(value, name, values, float) for name, value in arguments.items()]
                )
                captured = self._kept(key, arguments, float)
        plan, structure = captured
        results = iter(plan.run(values))
        return _mapped(lambda node, name: next(results), structure)

    def _kept(self, key: Any, arguments: dict[str, Any], numbers: type) -> Any:
        """What was captured for these kinds of arguments; it is captured now if need be."""
        if key not in self._captured:
            try:
                self._captured[key] = self._capture(arguments, numbers)
            except NumberTypeError:
                self._captured[key] = None
            while len(self._captured) > MOST_PLANS:
                self._captured.popitem(last=False)
        self._captured.move_to_end(key)
        return self._captured[key]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self._function.__qualname__}, {len(self.plans)} plans>"

    def _arguments(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """All arguments by name, with defaults."""
        if not options and len(args) == self._arity:  # Python's own way takes twice as long
            return dict(zip(self._signature.parameters, args))
        bound = self._signature.bind(*args, **options)
        bound.apply_defaults()
        return bound.arguments

    def _capture(self, arguments: dict[str, Any], numbers: type) -> _Captured:
        """Call the function with placeholders for its arrays and its numbers.

        Args:
            arguments: by name, as the function was called with them.
            numbers: the type of those that have a placeholder; object for ints and floats, then a
                NumberTypeError says that it matters which of them it is.
        """
        inputs: list[Node] = []

        def symbolic(value: Any, name: str) -> Any:
            if _is_number(value, numbers):
                unknown = Unknown((), _FLOAT, numbers)
                inputs.append(leaf(unknown, requires_grad=True, name=name))
            elif _is_array(value):
                value = checked_value(value)
                inputs.append(placeholder(name, value.shape, value.dtype))
            else:
                return value
            return inputs[-1]

        nodes = {name: _mapped(symbolic, value, name) for name, value in arguments.items()}
        bound = inspect.BoundArguments(self._signature, nodes)
        made: list[Node] = []
        with watching(made.append):
            structure = self._function(*bound.args, **bound.kwargs)
        outputs: list[Node] = []
        _mapped(lambda node, name: outputs.append(self._checked(node, name)), structure)
        if not outputs:
            raise NodeTypeError(f"{self._function.__qualname__} returns nothing to compute")
        # What was computed for no output is captured too, so that the log can say what was dropped.
        ours = {*inputs}
        for node in made:
            if is_symbolic(node) and all(x in ours or not is_symbolic(x) for x in node.inputs):
                ours.add(node)
        return Plan(Graph(outputs, inputs, order=ours), self._passes), structure

    def _checked(self, node: Any, name: str) -> Node:
        if isinstance(node, Node):
            return node
        raise NodeTypeError(
            f"a compiled function returns Nodes, alone or in tuples, lists and dicts; "
            f"{self._function.__qualname__} returns {type(node).__name__} {node!r:.40}"
            + f" at {name}"
            * bool(name)
        )


def compile_function(
    function: Callable[..., Any] | None = None, *, passes: Iterable[str | Pass] | None = None
) -> Any:
    """Compile a function of arrays: capture its graph once for each kind of arguments.

    Use it as `@mg.compile` above the function, or as `mg.compile(f)`.

    Args:
        function: takes arrays, computes with minigraph's functions, and returns Nodes, alone or in
            tuples, lists and dicts.
        passes: as `Graph.optimize` takes them; None for all that are safe.

    Returns:
        A function that takes the same arguments and returns arrays; see `Compiled`.
    """
    if function is None:
        return partial(compile_function, passes=passes)
    if not callable(function):
        raise MinigraphError(f"mg.compile takes a function, not {type(function).__name__}")
    return Compiled(function, passes)


def _kind(value: Any, name: str, values: list[Any], numbers: type) -> Any:
    """What selects a plan; arrays and numbers are appended to `values`, as the plan takes them."""
    kind = type(value)
    if kind is np.ndarray:
        if value.dtype.kind in "fiub" and value.dtype.isnative:
            values.append(value)
            return value.shape, value.dtype
    elif _is_number(value, numbers):
        values.append(np.float64(value))
        return numbers
    if isinstance(value, Node):
        values.append(value)
        return None
    if kind in (tuple, list):
        return kind, *(_kind(x, f"{name}[{i}]", values, numbers) for i, x in enumerate(value))
    if kind is dict:
        items = value.items()
        return kind, *(
            (key, _kind(item, f"{name}[{key!r}]", values, numbers)) for key, item in items
        )
    if _is_array(value):
        values.append(checked_value(value))
        return values[-1].shape, values[-1].dtype
    try:
        hash(value)
    except TypeError:
        raise NodeTypeError(
            f"{name} is {kind.__name__} {value!r:.40}, which can select no plan; a compiled "
            "function takes arrays and numbers, what can be hashed, and lists, tuples and dicts "
            "of these"
        ) from None
    return kind, value


def _is_number(value: Any, numbers: type) -> bool:
    """Whether an argument is a number of Python's that a placeholder stands for."""
    if type(value) is int:
        return numbers is object and abs(value) <= EXACT
    return type(value) is float


def _is_array(value: Any) -> bool:
    if isinstance(value, np.generic):
        return value.dtype.kind in "fiub"  # NumPy has texts too
    return isinstance(value, np.ndarray)


def _mapped(function: Callable[[Any, str], Any], value: Any, name: str = "") -> Any:
    """The same structure of tuples, lists and dicts, with the function of each item."""
    if type(value) in (tuple, list):
        return type(value)(_mapped(function, item, f"{name}[{i}]") for i, item in enumerate(value))
    if type(value) is dict:
        return {key: _mapped(function, item, f"{name}[{key!r}]") for key, item in value.items()}
    return function(value, name)
