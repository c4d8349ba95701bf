"""Copy a graph, write it as JSON, and read it back: node by node, so that no depth is too great.

The JSON holds a list of nodes, inputs before their users. A leaf has a value; an operation has a
name and the places of its inputs in the list, and is computed anew when it is read.
"""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterable, Mapping, Set
from typing import Any, NoReturn

import numpy as np

from .errors import FormatError, NodeTypeError
from .node import NO_ATTRS, Node, checked_name, describe, frozen, leaf, new_seq
from .operation import OPERATIONS, Function, Operation, apply
from .ops import Slot
from .order import topological_order

FORMAT, VERSION = "minigraph graph", 1
DTYPES = {np.dtype(t).name: np.dtype(t) for t in "?bhilqBHILQefd"}
SPECIAL = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}  # numbers that JSON does not have


# --- to JSON --------------------------------------------------------------------------------------


def to_json(outputs: Node | Iterable[Node]) -> str:
    """Write the graph of one or several outputs as JSON, with the values of its leaves.

    Gradients and the values of operations are left out.

    Raises:
        FormatError: naming the first Node that cannot be written, such as a checkpoint.
    """
    if not isinstance(outputs, Node) and isinstance(outputs, Iterable):
        outputs = list(outputs)
    order = topological_order(outputs)
    place = {node: i for i, node in enumerate(order)}
    known = {**OPERATIONS}
    places = place[outputs] if isinstance(outputs, Node) else [place[y] for y in outputs]
    head = {"format": FORMAT, "version": VERSION, "outputs": places}
    nodes = (
        json.dumps(_written(x, place, known), ensure_ascii=False, allow_nan=False) for x in order
    )
    return json.dumps(head)[:-1] + ', "nodes": [\n' + ",\n".join(nodes) + "\n]}\n"


def _written(node: Node, place: Mapping[Node, int], known: dict[str, Operation]) -> dict[str, Any]:
    """A Node as JSON. `known` collects the operations by name, for each name must mean one."""
    row: dict[str, Any] = {}
    if node.op is None:
        row |= {"variable": True} if node.requires_grad else {}
        row |= _written_value(node.value, node)
    else:
        if not node.op.name.isidentifier():
            raise FormatError(f"{describe(node)} runs a function, which cannot be written", (node,))
        if known.setdefault(node.op.name, node.op) is not node.op:
            raise FormatError(
                f"{describe(node)} is an operation with the name of another, so it could be read "
                "as that; give it a name of its own",
                (node,),
            )
        row["op"] = node.op.name
        row["inputs"] = [place[x] for x in node.inputs]
        if node.attrs:
            row["attrs"] = {name: _plain(a, node) for name, a in node.attrs.items()}
    if node.name:
        row["name"] = node.name
    if node.scope:
        row["scope"] = node.scope
    return row


def _written_value(value: Any, node: Node) -> dict[str, Any]:
    """Numbers as JSON; the dtype unless it is float64, the shape unless the lists tell it."""
    if value.dtype.name not in DTYPES:
        raise FormatError(f"{describe(node)} has the dtype {value.dtype}, which JSON cannot keep")
    row: dict[str, Any] = {"value": _spelled(value.tolist())}
    if value.dtype != np.float64:
        row["dtype"] = value.dtype.name
    if not value.size:
        row["shape"] = list(value.shape)
    return row


def _spelled(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_spelled(x) for x in numbers]
    return numbers if np.isfinite(numbers) else str(numbers)


def _plain(attr: Any, node: Node) -> Any:
    """An attribute as JSON: what JSON has as it is, the rest in an object that says what it is."""
    match attr:
        case float() if not np.isfinite(attr):
            return {"number": str(float(attr))}
        case None | bool() | int() | float() | str():
            return attr
        case np.generic():
            return _plain(attr.item(), node)
        case tuple():
            return {"tuple": [_plain(a, node) for a in attr]}
        case list():
            return [_plain(a, node) for a in attr]
        case slice(start=start, stop=stop, step=step):
            return {"slice": [_plain(a, node) for a in (start, stop, step)]}
        case Slot(number):
            return {"slot": number}
        case np.ndarray():
            return {"array": _written_value(attr, node)}
    if attr is ...:
        return {"ellipsis": True}
    if isinstance(attr, np.dtype | type) and np.dtype(attr).name in DTYPES:
        return {"dtype": np.dtype(attr).name}
    raise FormatError(f"{describe(node)} has an option of the type {type(attr).__name__}", (node,))


# --- from JSON ------------------------------------------------------------------------------------


def from_json(text: str, operations: Mapping[str, Function] | None = None) -> Any:
    """Read a graph that `to_json` wrote, and compute it.

    Nothing in the text is executed but operations of the table. Computing them takes the time and
    the memory that they ask for, so read no text from strangers in a process that must not fail.

    Args:
        text: the JSON.
        operations: your own operations that the graph uses, made with `custom`, by name.

    Returns:
        The output, or a list of the outputs if a list of them was written.

    Raises:
        FormatError: if the text is no such graph, naming the node that is wrong.
    """
    known = OPERATIONS | {n: f.op for n, f in (operations or {}).items()}  # type: ignore[attr-defined]
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FormatError(f'this JSON is no graph: it lacks "format": "{FORMAT}"')
    if data.get("version") != VERSION:
        raise FormatError(f"this graph has version {data.get('version')!r}; known is {VERSION}")
    rows, places = data.get("nodes"), data.get("outputs")
    if not isinstance(rows, list):
        raise FormatError('the graph has no list of "nodes"')
    nodes: list[Node] = []
    for i, row in enumerate(rows):
        try:
            nodes.append(_read(row, nodes, known))
        except Exception as error:  # whatever a broken or hostile file may cause
            label = f" ({row.get('op', 'leaf')})" if isinstance(row, dict) else ""
            raise FormatError(f"node {i}{label}: {error}") from None
    try:
        return [_at(nodes, p) for p in places] if isinstance(places, list) else _at(nodes, places)
    except LookupError as error:
        raise FormatError(f"outputs: {error}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"it has no number {text}")


def _read(row: Any, nodes: list[Node], known: Mapping[str, Operation]) -> Node:
    if not isinstance(row, dict):
        raise ValueError(f"a node is an object, not {row!r:.40}")
    if "op" in row:
        op = _known(row["op"], known)
        inputs = tuple(_at(nodes, p) for p in row.get("inputs", ()))
        attrs = {str(k): _unplain(a) for k, a in row.get("attrs", {}).items()}
        if attrs.keys() != _settings(op):
            raise ValueError(f"it has the options {[*attrs]}, not {[*_settings(op)]}")
        fixed = [p for p in op.parameters if not p.startswith("*")]
        if len(inputs) < len(fixed) or (len(inputs) > len(fixed) and fixed == [*op.parameters]):
            raise ValueError(f"it has {len(inputs)} inputs, not {len(fixed)}")
        node = apply(op, inputs, attrs or NO_ATTRS)
    else:
        value = frozen(_value(row))
        is_variable = row.get("variable", False) is True
        if is_variable and value.dtype.kind != "f":
            raise ValueError(f"a variable holds floating-point numbers, not {value.dtype}")
        node = leaf(value, requires_grad=is_variable)
    node.name = checked_name(row.get("name"))
    node.scope = str(row.get("scope", ""))
    return node


def _settings(op: Operation) -> Set[str]:
    """The names of an operation's options."""
    if op.partials:  # elementwise: NumPy's functions have options of their own, which are none here
        return set()
    inputs = {p.removeprefix("*") for p in op.parameters}
    return inspect.signature(op.forward).parameters.keys() - inputs


def _known(name: Any, known: Mapping[str, Operation]) -> Operation:
    if isinstance(name, str) and name in known:
        return known[name]
    near = difflib.get_close_matches(str(name), known, n=3)
    hint = f"; near ones are {', '.join(near)}" if near else ""
    raise ValueError(
        f"there is no operation {name!r:.40}; give your own as operations={{name: function}}{hint}"
    )


def _at(nodes: list[Node], place: Any) -> Node:
    if type(place) is not int or not 0 <= place < len(nodes):
        raise LookupError(f"there is no node {place!r:.40} before it")
    return nodes[place]


def _value(row: Mapping[str, Any]) -> Any:
    if "value" not in row:
        raise ValueError("it has neither an op nor a value")
    dtype = row.get("dtype", "float64")
    if dtype not in DTYPES:
        raise ValueError(f"there is no dtype {dtype!r:.40}")
    value = np.array(_unspelled(row["value"]), DTYPES[dtype])
    return value.reshape(row.get("shape", value.shape))


def _unspelled(numbers: Any) -> Any:
    match numbers:
        case list():
            return [_unspelled(x) for x in numbers]
        case bool() | int() | float():
            return numbers
        case "nan" | "inf" | "-inf":
            return SPECIAL[numbers]
    raise ValueError(f"a value is made of numbers, not {numbers!r:.40}")


def _unplain(attr: Any) -> Any:
    match attr:
        case None | bool() | int() | float() | str():
            return attr
        case list():
            return [_unplain(a) for a in attr]
        case {"tuple": list(items)}:
            return tuple(_unplain(a) for a in items)
        case {"slice": [start, stop, step]}:
            return slice(*map(_unplain, (start, stop, step)))
        case {"slot": int(number)}:
            return Slot(number)
        case {"array": dict(row)}:
            return _value(row)
        case {"ellipsis": True}:
            return ...
        case {"number": str(name)} if name in SPECIAL:
            return SPECIAL[name]
        case {"dtype": str(name)} if name in DTYPES:
            return DTYPES[name]
    raise ValueError(f"there is no option {attr!r:.40}")


# --- copies ---------------------------------------------------------------------------------------


def _deep_copy(self: Node, memo: dict[int, Any]) -> Node:
    """Copy a Node and all that it is computed from; values are shared, for they never change."""
    order = [node for node in topological_order(self) if id(node) not in memo]
    times = {x.seq for x in order} | {x._assigned[0] for x in order if not x.op and x._assigned}
    fresh = {time: next(new_seq) for time in sorted(times)}
    for node in order:
        copy = memo[id(node)] = Node()
        copy.op, copy.attrs = node.op, node.attrs
        copy.inputs = tuple(memo[id(x)] for x in node.inputs)
        copy._value, copy.grad, copy.requires_grad = node._value, node.grad, node.requires_grad
        copy.name, copy.scope, copy.seq = node.name, node.scope, fresh[node.seq]
        copy._assigned = None
        if not node.op and node._assigned:
            when, line = node._assigned
            copy._assigned = fresh[when], line
    return memo[id(self)]


def _no_pickle(self: Node, protocol: int) -> NoReturn:
    raise NodeTypeError(
        f"{describe(self)} is not pickled or copied alone; write its graph with mg.to_json, or "
        "copy it with copy.deepcopy",
        (self,),
    )


Node.__deepcopy__ = _deep_copy  # type: ignore[attr-defined]
Node.__reduce_ex__ = _no_pickle  # type: ignore[method-assign, assignment]
