"""Copy a graph, write it as JSON, and read it back: node by node, so that no depth is too great.

The JSON holds a list of nodes, inputs before their users. A leaf has a value; an operation has a
name and the places of its inputs in the list, and is computed anew when it is read.
"""

from __future__ import annotations

import difflib
import inspect
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Set
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from ..core.applying import apply
from ..core.indexing import Slot
from ..core.node import NO_ATTRS, Node, copied, frozen, is_symbolic, leaf, new_seq
from ..core.operation import OPERATIONS, Function, Operation
from ..core.order import topological_order
from ..errors import FileError, FormatError, NodeTypeError
from ..errors.values import checked_name
from ..errors.words import describe
from .files import file_path, read, shown, write
from .graph import Graph
from .symbolic import placeholder

FORMAT, VERSIONS = "minigraph graph", (1, 2)  # the second may hold arrays beside the nodes
MOST_INLINE = 64  # elements of an array that stand in the JSON, where there is another place
Arrays = dict[str, np.ndarray]
DTYPES = {np.dtype(t).name: np.dtype(t) for t in "?bhilqBHILQefd"}
_ALONE = re.compile("[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")
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
    places = place[outputs] if isinstance(outputs, Node) else [place[y] for y in outputs]
    return _document({"outputs": places}, order, place, None)


def _document(
    ends: dict[str, Any], order: list[Node], place: Mapping[Node, int], stored: Arrays | None
) -> str:
    known = {**OPERATIONS}
    nodes = [dumped(_written(x, place, known, stored)) for x in order]
    head = {"format": FORMAT, "version": VERSIONS[bool(stored)], **ends}
    return json.dumps(head)[:-1] + ', "nodes": [\n' + ",\n".join(nodes) + "\n]}\n"


def dumped(data: Any, separators: tuple[str, str] | None = None) -> str:
    """Write JSON that can be encoded: surrogates of a name that stand alone are escaped."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=separators)
    return _ALONE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _written(
    node: Node, place: Mapping[Node, int], known: dict[str, Operation], stored: Arrays | None
) -> dict[str, Any]:
    """A Node as JSON. `known` collects the operations by name, for each name must mean one.

    Where there is a place to store large arrays, they go there.
    """
    row: dict[str, Any] = {}
    if is_symbolic(node) and node.op is None:
        row |= {"placeholder": True, "shape": list(node.shape), "dtype": node.dtype.name}
    elif node.op is None:
        row |= {"variable": True} if node.requires_grad else {}
        if stored is not None and node.size > MOST_INLINE:
            row["stored"] = f"n{place[node]}"
            stored[row["stored"]] = node.value
        else:
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
    data, nodes = _nodes(text, operations, {})
    try:
        return _ends(nodes, data.get("outputs"))
    except LookupError as error:
        raise FormatError(f"outputs: {error}") from None


def _ends(nodes: list[Node], places: Any) -> Any:
    return [_at(nodes, p) for p in places] if isinstance(places, list) else _at(nodes, places)


def _nodes(
    text: str, operations: Mapping[str, Function] | None, stored: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], list[Node]]:
    """Read a document and make its Nodes."""
    known = OPERATIONS | _operations(operations or {})
    try:
        data = parsed(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FormatError(f'this JSON is no graph: it lacks "format": "{FORMAT}"')
    if data.get("version") not in VERSIONS:
        version = f"version {data.get('version')!r:.40}"
        raise FormatError(f"this graph has {version}; known is {' or '.join(map(str, VERSIONS))}")
    if "arrays" in data:
        stored = _unpacked(data["arrays"])
    rows = data.get("nodes")
    if not isinstance(rows, list):
        raise FormatError('the graph has no list of "nodes"')
    nodes: list[Node] = []
    for i, row in enumerate(rows):
        try:
            nodes.append(_read(row, nodes, known, stored))
        except FileError:
            raise
        except Exception as error:  # whatever a broken or hostile file may cause
            label = f" ({row.get('op', 'leaf')!s:.40})" if isinstance(row, dict) else ""
            raise FormatError(f"node {i}{label}: {error}") from None
    return data, nodes


def _operations(functions: Mapping[str, Function]) -> dict[str, Operation]:
    """The operations of a reader's own functions, by name."""
    if not isinstance(functions, Mapping) or not all(hasattr(f, "op") for f in functions.values()):
        raise NodeTypeError(
            "operations takes functions that were made with mg.custom, by name, such as "
            f"{{'cube': cube}}, not {functions!r:.60}"
        )
    return {name: f.op for name, f in functions.items()}  # type: ignore[attr-defined]


def parsed(text: str) -> Any:
    """Read JSON, and none of the numbers that it does not have."""
    return json.loads(text, parse_constant=_no_number)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"it has no number {text}")


def _read(
    row: Any, nodes: list[Node], known: Mapping[str, Operation], stored: Mapping[str, np.ndarray]
) -> Node:
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
    elif row.get("placeholder") is True:
        shape, dtype = read_shape(row.get("shape")), read_dtype(row.get("dtype"))
        node = placeholder(row.get("name", ""), shape, dtype)
    else:
        value = frozen(_stored(row["stored"], stored) if "stored" in row else _value(row))
        is_variable = row.get("variable", False) is True
        if is_variable and value.dtype.kind != "f":
            raise ValueError(f"a variable holds floating-point numbers, not {value.dtype}")
        node = leaf(value, requires_grad=is_variable)
    node.name = checked_name(row.get("name"))
    node.scope = row.get("scope", "")
    if not isinstance(node.scope, str):
        raise ValueError(f"a scope is a text, not {node.scope!r:.40}")
    return node


def _stored(name: Any, stored: Mapping[str, np.ndarray]) -> np.ndarray:
    try:
        array = stored[name]
    except KeyError:
        raise ValueError(f"its value {name!r:.40} is not among the stored arrays") from None
    read_dtype(array.dtype.name)
    return array


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
    value = np.array(_unspelled(row["value"]), read_dtype(row.get("dtype", "float64")))
    return value.reshape(row.get("shape", value.shape))


def read_dtype(name: Any) -> np.dtype:
    """Read the name of a dtype that a Node may have; anything else is a ValueError."""
    if not isinstance(name, str) or name not in DTYPES:
        raise ValueError(f"there is no dtype {name!r:.40}")
    return DTYPES[name]


def read_shape(sizes: Any) -> tuple[int, ...]:
    """Read a shape from JSON; anything else is a ValueError."""
    if not isinstance(sizes, list) or any(type(n) is not int or n < 0 for n in sizes):
        raise ValueError(f"a shape is a list of sizes, not {sizes!r:.40}")
    return tuple(sizes)


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


# --- whole Graphs: text and arrays, and files -----------------------------------------------------


def graph_to_json(graph: Graph) -> tuple[str, Arrays]:
    """Write a Graph as JSON, and beside it its large arrays by the names that they have there.

    Raises:
        FormatError: naming the first Node that cannot be written, such as a checkpoint.
    """
    stored = Arrays()
    place = {node: i for i, node in enumerate(graph.order)}
    for x in graph.inputs:
        place.setdefault(x, len(place))
    outputs = [place[y] for y in graph.outputs]
    ends = {
        "outputs": graph.unpacked(outputs),
        "inputs": [place[x] for x in graph.inputs],
    }
    return _document(ends, [*place], place, stored), stored


def graph_from_json(
    text: str,
    stored: Mapping[str, np.ndarray],
    operations: Mapping[str, Function] | None = None,
) -> Graph:
    """Read a Graph that `graph_to_json` wrote; nothing in the text is executed.

    Raises:
        FormatError: if the text is no such graph, naming the node that is wrong.
    """
    data, nodes = _nodes(text, operations, stored)
    outputs, inputs = _ends(nodes, data.get("outputs")), data.get("inputs")
    return Graph(outputs, [_at(nodes, p) for p in inputs])  # type: ignore[union-attr]


def save(graph: Graph, path: str | os.PathLike) -> None:
    """Write a graph to a file, as JSON that holds its large arrays too: whole, or not at all.

    Raises:
        FormatError: naming the first Node that cannot be written, such as a checkpoint.
        FileError: naming the file, if it cannot be written; what was there stays.
    """
    text, stored = graph_to_json(graph)
    if stored:
        rows = (f'"{name}": {json.dumps(_packed(array))}' for name, array in stored.items())
        text = text.removesuffix("}\n") + ', "arrays": {\n' + ",\n".join(rows) + "\n}}\n"
    write(path, text.encode("utf-8", "surrogatepass"))


def load(path: str | os.PathLike, operations: Mapping[str, Function] | None = None) -> Graph:
    """Read a graph that `Graph.save` wrote; nothing in the file is executed.

    Args:
        path: of the file.
        operations: your own operations that the graph uses, made with `custom`, by name.

    Raises:
        FormatError: if the file holds no such graph, naming the file and the node that is wrong.
        FileError: naming the file, if it cannot be read.
    """
    path = file_path(path)
    try:
        text = read(path).decode("utf-8", "surrogatepass")
        return graph_from_json(text, _Beside(path), operations)
    except FileError:
        raise
    except Exception as error:  # whatever a broken or hostile file may cause
        raise FormatError(f"{shown(path)} holds no graph: {error}") from None


def _packed(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON, in few characters: its bytes in base64, the lowest of each number first."""
    data = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "base64": b64encode(data.tobytes()).decode(),
    }


def _unpacked(rows: Any) -> Arrays:
    arrays = Arrays()
    if not isinstance(rows, dict):
        raise FormatError("the arrays of a graph are an object, by name")
    for name, row in rows.items():
        try:
            data = b64decode(row["base64"], validate=True)
            flat = np.frombuffer(data, read_dtype(row["dtype"]).newbyteorder("<"))
            flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
            arrays[name] = flat.reshape(read_shape(row["shape"]))
        except Exception as error:  # whatever a broken or hostile file may cause
            raise FormatError(f"array {name!r:.40}: {error}") from None
    return arrays


class _Beside(Arrays):
    """The arrays of a file of version 1, in a .npz beside it; read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __missing__(self, name: str) -> np.ndarray:
        entry = self._archive.getinfo(f"{name}.npy")
        if entry.compress_type != ZIP_STORED:  # a small file could hold a huge array
            raise ValueError("its arrays are compressed")
        with self._archive.open(entry) as file:
            self[name] = np.lib.format.read_array(file, allow_pickle=False)
        return self[name]

    @cached_property
    def _archive(self) -> ZipFile:
        return ZipFile(BytesIO(read(self.path.with_suffix(".npz"))))


# --- copies ---------------------------------------------------------------------------------------


def _deep_copy(self: Node, memo: dict[int, Any]) -> Node:
    """Copy a Node and all that it is computed from; values are shared, for they never change."""
    order = [node for node in topological_order(self) if id(node) not in memo]
    times = {x.seq for x in order} | {x._assigned[0] for x in order if not x.op and x._assigned}
    fresh = {time: next(new_seq) for time in sorted(times)}
    for node in order:
        inputs = tuple(memo[id(x)] for x in node.inputs)
        memo[id(node)] = copy = copied(node, inputs, node._value, fresh[node.seq])
        copy.grad = node.grad
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


Graph.save = save
Graph.load = staticmethod(load)
Node.__deepcopy__ = _deep_copy  # type: ignore[attr-defined]
Node.__reduce_ex__ = _no_pickle  # type: ignore[method-assign, assignment]
