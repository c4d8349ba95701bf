"""A function of JAX as a Graph: its jaxpr, equation by equation, each by its rule.

Calls of `jit` and the like are followed; each that makes several operations is one box that opens.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

from ..core.node import Node, constant
from ..core.operation import FUNCTIONS
from ..errors import MinigraphError, NodeTypeError
from ..graph.graph import Graph
from .boxes import boxed, listed
from .jax_rules import RULES, Step, Value
from .translating import line_of, located, refusal, weight

_HOME = str(Path(jax.__file__).parent)
_OURS = str(Path(__file__).parent)
# Primitives that call a jaxpr, which is followed; those that only tell something are left out.
_CALLS = {
    "jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint", "custom_jvp_call",
    "custom_vjp_call", "composite",
}  # fmt: skip
_SAID = {"debug_callback", "debug_print"}
# Functions of JAX's own with a derivative of their own, which minigraph has too.
_SAME = {"relu": "relu", "xlogy": "xlogy", "logaddexp": "logaddexp"}


def taken(function: Any, examples: tuple[Any, ...], named: dict[str, Any]) -> Graph:
    """The graph of a call; see `from_jax`."""
    if not callable(function):
        raise NodeTypeError(f"from_jax takes a function, not {type(function).__name__}")
    leaves, tree = jax.tree_util.tree_flatten_with_path((examples, named))
    is_array = [_is_numbers(x) for _, x in leaves]
    names = _names(function, [path for path, _ in leaves])
    names = [name for name, holds in zip(names, is_array) if holds]
    arrays = [x for (_, x), holds in zip(leaves, is_array) if holds]
    kept = [x for _, x in leaves]
    result: list[Any] = []

    def called(*values: Any) -> Any:
        given = iter(values)
        flat = [next(given) if holds else x for x, holds in zip(kept, is_array)]
        args, options = jax.tree_util.tree_unflatten(tree, flat)
        outputs, structure = jax.tree_util.tree_flatten_with_path(function(*args, **options))
        result[:] = [structure, [path for path, _ in outputs]]
        return [x for _, x in outputs]

    try:
        closed = jax.make_jaxpr(called)(*arrays)
    except Exception as error:
        raise _explained(error) from None
    inputs = [_input(x, var.aval, name) for x, var, name in zip(arrays, closed.jaxpr.invars, names)]
    around = _surroundings(function)
    weights: list[Node] = []
    consts: list[Value] = []
    for value in closed.consts:
        array = _array(value)
        if id(value) in around and array.dtype.kind == "f":
            weights.append(weight(array, around[id(value)], True))
            consts.append(weights[-1])
        else:
            consts.append(array)
    with np.errstate(all="ignore"):
        outputs = _run(closed.jaxpr, consts, inputs, "")
    structure, paths = result
    if not outputs:
        raise NodeTypeError("the function returns no array, so there is no graph of it")
    nodes = [_output(y, ".".join(map(_part, path)) or None) for y, path in zip(outputs, paths)]
    is_bare = jax.tree_util.treedef_is_leaf(structure)
    return Graph(nodes[0] if is_bare else nodes, _apart([*inputs, *weights]))


def _explained(error: Exception) -> Exception:
    """What a call that JAX could not trace says, with the line of the learner's code."""
    if isinstance(error, MinigraphError):
        return error
    at = _line_of_traceback(error)
    if isinstance(error, jax.errors.JAXTypeError | jax.errors.JAXIndexError):
        return refusal(
            "the program decides by a value that is computed, so its graph would be another for "
            "other values",
            at,
            "choose elements with jnp.where, compute with jnp instead of np, or pass what decides "
            "as a number that is no array: functools.partial(function, flag=True)",
        )
    message = str(error).strip().partition("\n")[0]
    what = "" if isinstance(error, TypeError | ValueError) else f"{type(error).__name__}: "
    return refusal(f"JAX cannot follow the program: {what}{message:.300}", at)


def _is_numbers(x: Any) -> bool:
    """Whether an example becomes an input; anything else stays as it is."""
    return isinstance(x, jax.Array | np.ndarray | np.generic | float | int) and not isinstance(
        x, bool
    )


def _apart(inputs: list[Node]) -> list[Node]:
    """The inputs, with a number behind a name that another has already."""
    taken: set[str] = set()
    for x in inputs:
        first, number = x.name, 1
        while x.name in taken:
            number += 1
            x.name = f"{first}_{number}"
        taken.add(x.name or "")
    return inputs


def _part(key: Any) -> str:
    """A key of a path, as it is written in a name."""
    for attribute in ("key", "idx", "name"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


def _names(function: Callable[..., Any], paths: Sequence[Any]) -> list[str]:
    """The names of the examples: those of the parameters that take them, and their places there."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    positional = [p.name for p in parameters if p.kind < p.VAR_POSITIONAL]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    names = []
    for kind, place, *path in paths:
        if kind.idx:
            first = [_part(place)]
        elif place.idx < len(positional):
            first = [positional[place.idx]]
        else:
            first = [rest, str(place.idx - len(positional))]
        names.append(".".join([*first, *map(_part, path)]))
    return names


def _array(value: Any) -> np.ndarray:
    """The numbers of an array of JAX."""
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        raise refusal(
            "keys of random numbers cannot be translated",
            instead="draw random numbers beforehand, and give them as an argument",
        )
    if np.dtype(value.dtype).kind not in "fiub":
        raise refusal(
            f"arrays of {value.dtype} cannot be translated",
            instead="minigraph has float16, float32, float64, integers and booleans",
        )
    return np.asarray(value)


def _input(example: Any, aval: Any, name: str) -> Node:
    """An example as an input, in the dtype in which JAX takes it."""
    array = np.asarray(example) if isinstance(example, float | int) else _array(example)
    _array(aval)
    return weight(array.astype(aval.dtype), name, True)


def _output(value: Value, name: str | None) -> Node:
    if not isinstance(value, Node):
        return constant(value, name)
    return value.named(name) if value.op and name and not value.name else value


def _surroundings(function: Any) -> dict[int, str]:
    """The names of the arrays that a function finds around it, by their identities."""
    function = inspect.unwrap(function)
    found: dict[str, Any] = {}
    bound = getattr(function, "__self__", None)
    if bound is not None:
        found |= getattr(bound, "__dict__", {})
    try:
        variables = inspect.getclosurevars(getattr(function, "__func__", function))
        found |= {**variables.globals, **variables.nonlocals}
    except TypeError:
        pass
    names: dict[int, str] = {}
    for name, value in found.items():
        if inspect.ismodule(value) or callable(value):
            continue
        try:
            leaves, _ = jax.tree_util.tree_flatten_with_path(value)
        except (TypeError, ValueError):
            continue
        for path, leaf in leaves:
            if isinstance(leaf, jax.Array | np.ndarray):
                names.setdefault(id(leaf), ".".join([name, *map(_part, path)]))
    return names


# --- equations ------------------------------------------------------------------------------------


def _run(jaxpr: Any, consts: Sequence[Value], inputs: Sequence[Value], at: str) -> list[Value]:
    """The results of a jaxpr."""
    values: dict[Any, Value] = {
        **dict(zip(jaxpr.constvars, consts)),
        **dict(zip(jaxpr.invars, inputs)),
    }

    def value(x: Any) -> Value:
        if isinstance(x, Literal):
            return np.asarray(x.val, x.aval.dtype)[()]
        return values[x]

    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in _SAID:
            continue
        here = _line_of(equation) or at
        with located(name, here):
            results = _results(equation, name, [value(x) for x in equation.invars], here)
            for var, result in zip(equation.outvars, results, strict=True):
                if result.shape != var.aval.shape:
                    raise ValueError(f"it has shape {result.shape}, not {var.aval.shape}")
                values[var] = (
                    result
                    if result.dtype == var.aval.dtype
                    else FUNCTIONS["astype"](result, var.aval.dtype)
                )
    return [value(y) for y in jaxpr.outvars]


def _results(equation: Any, name: str, inputs: list[Value], at: str) -> list[Value]:
    path = [part for part in str(equation.source_info.name_stack).split("/") if part]
    params = equation.params
    if name not in _CALLS:
        step = Step(name, params, [y.aval for y in equation.outvars])
        rule = RULES.find(name, at)
        return boxed(name, path, inputs, lambda: listed(rule(step, *inputs)))
    inner = next(
        params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if params.get(key) is not None
    )
    jaxpr, consts = (inner.jaxpr, inner.consts) if isinstance(inner, ClosedJaxpr) else (inner, ())
    called, _, file = (jaxpr.debug_info.func_src_info or "").partition(" at ")
    title = (params.get("name") or called or name).strip("_<>") or name
    if name.startswith("custom_"):
        if not file.startswith(_HOME):
            raise refusal(
                f"{called or 'a function'} has a derivative of its own, which would be lost",
                at,
                "make it of operations whose derivatives are known, or with mg.custom",
            )
        if called in _SAME:
            return [FUNCTIONS[_SAME[called]](*inputs)]
    known = [_array(c) for c in consts]
    return boxed(title, path, inputs, lambda: _run(jaxpr, known, inputs, at))


def _line_of(equation: Any) -> str:
    """The line of the learner's code that an equation comes from."""
    traceback = equation.source_info.traceback
    for frame in traceback.frames if traceback else ():
        if not frame.file_name.startswith((_HOME, _OURS)):
            return line_of(frame.file_name, frame.line_num)
    return ""


def _line_of_traceback(error: BaseException) -> str:
    """The last line outside of JAX and of minigraph that an error has passed."""
    step, line = error.__traceback__, ""
    while step:
        code = step.tb_frame.f_code
        if not code.co_filename.startswith((_HOME, _OURS)):
            line = line_of(code.co_filename, step.tb_lineno)
        step = step.tb_next
    return line
