"""A function of JAX as a Graph: its jaxpr, equation by equation, each by its rule.

Calls of `jit` and the like are followed; each that makes several operations is one box that opens.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType
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
UNROLLED = 10_000  # operations that loops may make, each step by itself
_unrolled: ContextVar[int] = ContextVar("unrolled", default=0)  # of the program that is read
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
    inputs = []
    for x, var, name in zip(arrays, closed.jaxpr.invars, names):
        with located(name, _used_at(closed.jaxpr, var) or f"the argument {name}"):
            inputs.append(_input(x, var.aval, name))
    around = _surroundings(function)
    weights: list[Node] = []
    consts: list[Value] = []
    for value, var in zip(closed.consts, closed.jaxpr.constvars):
        with located("a value", _used_at(closed.jaxpr, var)):
            array = _array(value)
        if id(value) in around and array.dtype.kind == "f":
            weights.append(weight(array, around[id(value)], True))
            consts.append(weights[-1])
        else:
            consts.append(array)
    _unrolled.set(0)
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
    found: dict[str, Any] = {}
    functions = [function]
    for each in functions:  # it grows while it is walked: by those that a function calls
        around = _around(inspect.unwrap(each))
        for name, value in around.items():
            found.setdefault(name, value)
            if inspect.isroutine(value) and value not in functions:
                functions.append(value)
    names: dict[int, str] = {}
    for name, value in found.items():
        if inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value):
            continue
        try:
            leaves, _ = jax.tree_util.tree_flatten_with_path(value)
        except (TypeError, ValueError):
            continue
        for path, leaf in leaves:
            if isinstance(leaf, jax.Array | np.ndarray):
                names.setdefault(id(leaf), ".".join([name, *map(_part, path)]))
    return names


def _around(function: Any) -> dict[str, Any]:
    """What a function finds around it, by name: beside it, in its object, given before."""
    if isinstance(function, partial):
        try:
            given = inspect.signature(function.func).bind_partial(
                *function.args, **function.keywords
            )
            return {function.func.__name__: function.func, **given.arguments}
        except (TypeError, ValueError, AttributeError):
            return {}
    if isinstance(function, BuiltinFunctionType) or _is_from(function, _HOME):
        return {}
    bound = getattr(function, "__self__", None if inspect.isroutine(function) else function)
    found = dict(getattr(bound, "__dict__", {}))
    if not inspect.isroutine(function):
        function = type(function).__call__
    try:
        variables = inspect.getclosurevars(getattr(function, "__func__", function))
        return found | {**variables.globals, **variables.nonlocals}
    except TypeError:
        return found


def _is_from(function: Any, folder: str) -> bool:
    """Whether a function is written in a file of a folder."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(folder)


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
    if name in _CONTROL:
        return boxed(name, path, inputs, lambda: _CONTROL[name](params, inputs, at))
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


# --- loops and branches whose course is known -----------------------------------------------------


def _inner(closed: ClosedJaxpr, inputs: Sequence[Value], at: str, title: str = "") -> list[Value]:
    """The results of a jaxpr within an equation, in a box if it has a title."""
    known = [_array(c) for c in closed.consts]
    _unrolled.set(_unrolled.get() + len(closed.jaxpr.eqns))
    _check_length(_unrolled.get(), "the loops of this program", at)

    def run() -> list[Value]:
        return _run(closed.jaxpr, known, inputs, at)

    return boxed(title, [], inputs, run) if title else run()


def _scanned(params: Any, inputs: list[Value], at: str) -> list[Value]:
    """A loop of so many steps as its arrays have rows: `scan`, and `fori_loop` over a range."""
    body, length = params["jaxpr"], params["length"]
    _check_length(length * _operations(body.jaxpr), f"scan of {length:,} steps", at)
    held, carried = params["num_consts"], params["num_carry"]
    consts, carry, rows = inputs[:held], inputs[held:][:carried], inputs[held + carried :]
    made: list[list[Value]] = [[None] * length for _ in body.out_avals[carried:]]
    for t in range(length)[:: -1 if params["reverse"] else 1]:
        results = _inner(body, [*consts, *carry, *(x[t] for x in rows)], at, "step")
        carry = results[:carried]
        for column, y in zip(made, results[carried:], strict=True):
            column[t] = y
    stacked = [
        FUNCTIONS["stack"](column) if column else np.zeros((0, *y.shape), y.dtype)
        for column, y in zip(made, body.out_avals[carried:])
    ]
    return [*carry, *stacked]


def _looped(params: Any, inputs: list[Value], at: str) -> list[Value]:
    """A loop as long as a condition holds that does not depend on the inputs."""
    split = params["cond_nconsts"]
    asked, given = inputs[:split], inputs[split:]
    consts, carry = given[: params["body_nconsts"]], given[params["body_nconsts"] :]
    condition, body = params["cond_jaxpr"], params["body_jaxpr"]
    while True:
        (goes_on,) = _inner(condition, [*asked, *carry], at)
        if isinstance(goes_on, Node):
            raise refusal(
                "while goes on by a value that is computed from the inputs",
                at,
                "repeat a known number of times with lax.scan or lax.fori_loop, and keep with "
                "jnp.where what shall no longer change",
            )
        if not goes_on:
            return carry
        carry = _inner(body, [*consts, *carry], at, "step")


def _chosen(params: Any, inputs: list[Value], at: str) -> list[Value]:
    """The branch that a number chooses which does not depend on the inputs."""
    number, *others = inputs
    if isinstance(number, Node):
        raise refusal(
            "cond chooses by a value that is computed from the inputs",
            at,
            "choose elements with jnp.where, which computes both, or give what it chooses by as a "
            "number that is no array: functools.partial(function, flag=True)",
        )
    branches = params["branches"]
    return _inner(branches[min(max(int(number), 0), len(branches) - 1)], others, at)


_CONTROL = {"scan": _scanned, "while": _looped, "cond": _chosen}


def _operations(jaxpr: Any) -> int:
    """How many equations a jaxpr has, with those of the loops in it."""
    count = 0
    for equation in jaxpr.eqns:
        inner = [p for p in equation.params.values() if isinstance(p, ClosedJaxpr)]
        times = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        count += times * sum(_operations(p.jaxpr) for p in inner) if inner else 1
    return max(count, 1)


def _check_length(operations: int, what: str, at: str) -> None:
    """Refuse a loop that would make more operations than a graph is good for."""
    if operations > UNROLLED:
        raise refusal(
            f"{what} would be {operations:,} operations or more, and at most {UNROLLED:,} are "
            "unrolled",
            at,
            "translate fewer steps, or the function of one step, and call its graph in a loop",
        )


# --- lines ----------------------------------------------------------------------------------------


def _used_at(jaxpr: Any, var: Any) -> str:
    """The first line of the learner's code that uses a value."""
    return next((_line_of(e) for e in jaxpr.eqns if any(x is var for x in e.invars)), "")


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
