"""Values as plain data, and back: how arguments and answers cross between two processes.

    pack = Packing()
    message = {"value": pack.packed(value), "nodes": pack.rows}    # JSON
    unpack = Unpacking(message["nodes"])
    value = unpack.unpacked(message["value"])

Numbers, texts, arrays and containers come out as they went in; of a subclass comes what it is a
subclass of. A Node is a row of its graph, with its value: whoever reads it computes nothing. Both
sides may begin with Nodes that both have. Whatever else there is arrives as a `Something`, which
only knows what it was.

The reader trusts nobody: what is no such message is a `MessageError`.
"""

from __future__ import annotations

import numbers
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from fractions import Fraction
from inspect import iscoroutine, isgenerator
from itertools import islice
from types import FunctionType, MappingProxyType
from typing import Any

import numpy as np

from ...core.applying import apply
from ...core.indexing import Slot
from ...core.node import NO_ATTRS, Node, frozen, is_symbolic, leaf, new_seq, recorded
from ...core.operation import OPERATIONS, Operation
from ...core.order import topological_order
from ...graph.symbolic import placeholder

MOST_ITEMS = 300_000  # of containers and arrays, in one message
MOST_DEEP = 60  # containers in containers
MOST_NODES = 200_000
MOST_DIGITS = 100_000  # of a whole number, to the base of 16
SAFE = 2**53  # whole numbers up to this are the same in every JSON
LONGEST_NAME = 60


Row = dict[str, Any] | list[Any]  # a list of an operation, its inputs, its value and its name


class MessageError(ValueError):
    """Something that does not cross: too large, too deep, or not what such a message holds."""


class Something:
    """What an answer is of which nothing but its kind has crossed."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Packing:
    """Writes values as plain data.

    Attributes:
        rows: the Nodes met so far that the reader does not have, inputs before their users.
    """

    def __init__(self, known: Iterable[Node] = ()) -> None:
        self.place: dict[Node, int] = {node: n for n, node in enumerate(known)}
        self.rows: list[Row] = []
        self.functions: list[Callable[..., Any]] = []
        self._left = MOST_ITEMS
        self._rules: dict[Operation, Any] = {}

    def packed(self, x: Any, deep: int = 0) -> Any:
        """A value as plain data.

        Raises:
            MessageError: if it is too large, or goes too deep.
        """
        self._left -= 1
        if deep > MOST_DEEP or self._left < 0:
            raise MessageError("too deep" if deep > MOST_DEEP else "too large")
        kind = type(x)
        if x is None or kind is bool:
            return x
        if isinstance(x, str):
            self._left -= str.__len__(x) // 8
            return str.__str__(x)[: 8 * MOST_ITEMS]
        if kind is float:
            return x
        if kind is int:
            return x if -SAFE < x < SAFE else ["int", _hex(x)]
        if kind is Node:
            return ["node", self._placed(x)]
        for kinds, pack in _PACKERS:
            if isinstance(x, kinds):
                return pack(self, x, deep + 1)
        return self._rest(x, deep + 1)

    def _rest(self, x: Any, deep: int) -> Any:
        if x is ...:
            return ["dots"]
        if isgenerator(x):
            return ["generator"]
        if iscoroutine(x):
            x.close()
            return ["coroutine"]
        if isinstance(x, type) or callable(x):
            return ["function"]
        if isinstance(x, Iterable):
            return ["items", self._all(x, deep)]
        return ["other", type(x).__name__[:LONGEST_NAME]]

    def _all(self, items: Iterable[Any], deep: int) -> list[Any]:
        return [self.packed(x, deep) for x in islice(items, self._left + 1)]

    def _list(self, x: list[Any], deep: int) -> Any:
        if {*map(type, x)} == {Node} and all(node in self.place for node in x):
            self._left -= len(x)
            return ["nodes", [self.place[node] for node in x]]
        return ["list", self._all(x, deep)]

    def _pairs(self, x: Mapping[Any, Any], deep: int) -> list[Any]:
        return [
            [self.packed(k, deep), self.packed(v, deep)]
            for k, v in islice(x.items(), self._left + 1)
        ]

    def _array(self, x: np.ndarray, deep: int) -> Any:
        x = np.asarray(x)
        self._left -= x.size
        if self._left < 0:
            raise MessageError("too large")
        if x.dtype.kind in "biufc":
            data = b64encode(np.ascontiguousarray(x).tobytes()).decode()
            return ["array", x.dtype.str, list(x.shape), data, x.flags.writeable]
        if x.dtype.kind in "OU":
            items = [self.packed(item, deep) for item in x.ravel().tolist()]
            return ["cells", x.dtype.kind, list(x.shape), items]
        return ["other", f"array of {x.dtype.name}"[:LONGEST_NAME]]

    def _scalar(self, x: np.generic, deep: int) -> Any:
        if type(x) is np.float64:
            return ["float64", float(x)]
        if x.dtype.kind in "biufc":
            return ["scalar", x.dtype.str, b64encode(x.tobytes()).decode()]
        return ["other", type(x).__name__[:LONGEST_NAME]]

    # --- Nodes --------------------------------------------------------------------------------

    def _placed(self, node: Node) -> int:
        if node not in self.place:
            for x in _new_below(node, self.place):
                if len(self.rows) >= MOST_NODES:
                    raise MessageError("too many nodes")
                row = self._row(x)
                self.place[x] = len(self.place)
                self.rows.append(row)
        return self.place[node]

    def _row(self, node: Node) -> Row:
        op: Operation | None = node.op
        if (
            op is not None
            and type(node._value) is np.float64
            and node.grad is None
            and not node.attrs
            and OPERATIONS.get(op.name) is op
        ):  # as most are
            return [op.name, [self.place[x] for x in node.inputs], float(node._value), node.name]
        row: dict[str, Any] = {"name": node.name} if node.name else {}
        if node.grad is not None:
            row["grad"] = self.packed(node.grad)
        if is_symbolic(node):
            row["shape"], row["dtype"] = list(node.shape), node.dtype.str
        else:
            row["value"] = self.packed(node._value)
        if op is None:
            row["kind"] = node.kind
            return row
        row["inputs"] = [self.place[x] for x in node.inputs]
        if node.attrs:
            row["attrs"] = self.packed(dict(node.attrs))
        if OPERATIONS.get(op.name) is op:
            row["op"] = op.name
        else:
            row["custom"] = self._rules_of(op, node)
        return row

    def _rules_of(self, op: Operation, node: Node) -> dict[str, Any]:
        """What a student's own operation hands on to each input, as graphs of g, out and inputs."""
        if op in self._rules:
            return self._rules[op]
        self._rules[op] = {"name": op.name[:LONGEST_NAME], "rules": []}
        inputs = [_stand_in(x, f"x{n}") for n, x in enumerate(node.inputs)]
        g, out = _stand_in(node, "g"), _stand_in(node, "out")
        rules = []
        for vjp in islice(op.vjps, len(inputs)):
            inner = Packing([g, out, *inputs])
            inner._rules = self._rules
            try:
                share = inner.packed(vjp and vjp(g, out, tuple(inputs), node.attrs))
                rules.append({"share": share, "nodes": inner.rows})
            except Exception as error:
                rules.append({"error": f"{type(error).__name__}: {error}"[:300]})
        self._rules[op]["rules"] = rules
        return self._rules[op]


def _stand_in(node: Node, name: str) -> Node:
    return leaf(node._value, requires_grad=True, name=name)


def _new_below(node: Node, known: Mapping[Node, int]) -> list[Node]:
    """The Nodes that lead to one and are not known, inputs before their users."""
    if all(x in known for x in node.inputs):  # spares long ways in what is built step by step
        return [node]
    return [x for x in topological_order(node) if x not in known]


def _tagged(tag: str) -> Callable[[Packing, Any, int], Any]:
    return lambda packing, x, deep: [tag, packing._all(x, deep)]


_PACKERS: list[tuple[Any, Callable[[Packing, Any, int], Any]]] = [
    (np.ndarray, Packing._array),
    (np.generic, Packing._scalar),
    (bool, lambda packing, x, deep: bool(x)),
    (numbers.Integral, lambda packing, x, deep: packing.packed(int(x), deep)),
    (float, lambda packing, x, deep: packing.packed(float(x), deep)),
    (complex, lambda packing, x, deep: ["complex", repr(x.real), repr(x.imag)]),
    (Fraction, lambda packing, x, deep: ["ratio", _hex(x.numerator), _hex(x.denominator)]),
    (Decimal, lambda packing, x, deep: ["decimal", str(x)[:1000]]),
    (numbers.Real, lambda packing, x, deep: packing.packed(float(x), deep)),
    (list, Packing._list),
    (tuple, _tagged("tuple")),
    (Set, lambda packing, x, deep: ["set", packing._all(x, deep)]),
    (MappingProxyType, lambda packing, x, deep: ["view", packing._pairs(x, deep)]),
    (Mapping, lambda packing, x, deep: ["dict", packing._pairs(x, deep)]),
    (slice, lambda packing, x, deep: ["slice", packing._all((x.start, x.stop, x.step), deep)]),
    (Slot, lambda packing, x, deep: ["slot", x.number]),
    (np.dtype, lambda packing, x, deep: ["dtype", x.str]),
    (FunctionType, lambda packing, x, deep: _function(packing, x)),
]


def _function(packing: Packing, x: FunctionType) -> list[Any]:
    packing.functions.append(x)
    return ["function", len(packing.functions) - 1]


# --- back -----------------------------------------------------------------------------------------


class Unpacking:
    """Reads what a `Packing` has written.

    Args:
        rows: of the Nodes that the writer has met.
        known: the Nodes that both sides had, in the same order.
        function: makes what stands here for a function of the other side, by its number.
    """

    def __init__(
        self,
        rows: Any,
        known: Sequence[Node] = (),
        function: Callable[[int], Any] | None = None,
    ) -> None:
        self.nodes: list[Node] = list(known)
        self.function = function
        if not isinstance(rows, list) or len(rows) > MOST_NODES:
            raise MessageError("there is no list of nodes")
        guarded(self._read, rows)

    def unpacked(self, plain: Any) -> Any:
        """A value from plain data.

        Raises:
            MessageError: if it is no such data.
        """
        return guarded(self._value, plain)

    def _value(self, plain: Any, deep: int = 0) -> Any:
        if plain is None or isinstance(plain, (bool, str, int, float)):
            return plain
        if deep > 2 * MOST_DEEP or not isinstance(plain, list) or not plain:
            raise MessageError("a value is a number, a text, or a list that begins with its kind")
        tag, *parts = plain
        return _UNPACKERS[tag](self, deep + 1, *parts)

    def _all(self, plain: Iterable[Any], deep: int) -> list[Any]:
        return [self._value(x, deep) for x in plain]

    def _pairs(self, pairs: Any, deep: int) -> dict[Any, Any]:
        return {self._value(k, deep): self._value(v, deep) for k, v in pairs}

    def _function(self, number: Any) -> Any:
        if self.function and type(number) is int:
            return self.function(number)
        return _nothing

    def _read(self, rows: list[Any]) -> None:
        nodes = self.nodes
        for row in rows:
            if type(row) is list:
                name, places, number, label = row
                if places and min(places) < 0:
                    raise MessageError("there is no such node")
                inputs = tuple([nodes[place] for place in places])
                value = np.float64(float(number))
                node = recorded(OPERATIONS[name], inputs, next(new_seq), value)
                node.name = _name(label)
                nodes.append(node)
            else:
                nodes.append(self._node(row))

    def _node(self, row: Any) -> Node:
        value = frozen(self._value(row["value"])) if "value" in row else None
        if value is not None and not (
            isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf"
        ):
            raise MessageError("the value of a node is an array or a number of NumPy's")
        if "kind" in row:
            node = self._leaf(row, value)
        else:
            inputs = tuple(self._at(place) for place in row["inputs"])
            attrs = self._value(row["attrs"]) if "attrs" in row else NO_ATTRS
            op = OPERATIONS[row["op"]] if "op" in row else self._custom(row["custom"], len(inputs))
            if value is None:
                raise MessageError("an operation has a value")
            node = recorded(op, inputs, next(new_seq), value, attrs)
        node.name = _name(row.get("name"))
        if "grad" in row:
            node.grad = self._value(row["grad"])
        return node

    def _leaf(self, row: Any, value: Any) -> Node:
        if value is None:
            return placeholder(
                str(row.get("name") or "x"), tuple(row["shape"]), np.dtype(row["dtype"])
            )
        is_variable = row["kind"] == "variable" and value.dtype.kind == "f"
        return leaf(value, requires_grad=is_variable)

    def _at(self, place: Any) -> Node:
        if type(place) is not int or not 0 <= place < len(self.nodes):
            raise MessageError("there is no such node")
        return self.nodes[place]

    def _several(self, places: Any) -> list[Node]:
        if not {*map(type, places)} <= {int} or min(places, default=0) < 0:
            raise MessageError("there are no such nodes")
        return [*map(self.nodes.__getitem__, places)]

    def _custom(self, told: Any, count: int) -> Operation:
        """An operation of a student's own, whose rules are replayed from what they have built."""
        rules = tuple(_Replayed(told["rules"][i]) for i in range(count))
        return Operation(
            name=str(told["name"])[:LONGEST_NAME],
            symbol="",
            parameters=tuple(f"x{n}" for n in range(count)),
            forward=_refuse,
            vjps=rules,
            jvp=None,
            shape=_refuse,
        )


class _Replayed:
    """A rule for a gradient: builds anew what the student's has built, on other Nodes."""

    def __init__(self, told: Any) -> None:
        self.told = told

    def __call__(self, g: Any, out: Any, inputs: Any, attrs: Any) -> Any:
        if "error" in self.told:
            raise TypeError(str(self.told["error"])[:300])
        nodes: list[Any] = [g, out, *inputs]
        reader = Unpacking([])
        for row in self.told["nodes"]:
            if isinstance(row, list):
                nodes.append(apply(OPERATIONS[row[0]], tuple(nodes[place] for place in row[1])))
                continue
            if "custom" in row:
                raise TypeError("a rule for the gradient cannot use the operation itself")
            if "kind" in row:
                nodes.append(leaf(frozen(reader._value(row["value"])), requires_grad=False))
                continue
            below = tuple(nodes[place] for place in row["inputs"])
            options = reader._value(row["attrs"]) if "attrs" in row else NO_ATTRS
            nodes.append(apply(OPERATIONS[row["op"]], below, options))
        share = self.told["share"]
        is_node = isinstance(share, list) and share[0] == "node"
        return nodes[share[1]] if is_node else reader._value(share)


def _refuse(*args: Any, **options: Any) -> Any:
    raise TypeError("this operation is a student's own, and is not run here")


def _nothing(*args: Any) -> None:
    """Stands for a function of the other side that is not to be called."""


def guarded(read: Callable[..., Any], *args: Any) -> Any:
    """Read what anybody may have written: whatever that raises, it is a MessageError."""
    try:
        return read(*args)
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(f"{type(error).__name__}: {error}"[:200]) from None


def _array(reader: Unpacking, deep: int, dtype: str, shape: Any, data: str, writeable: Any) -> Any:
    array = np.frombuffer(bytearray(b64decode(data)), _dtype(dtype)).reshape(shape)
    array.setflags(write=bool(writeable))
    return array


def _cells(reader: Unpacking, deep: int, kind: str, shape: Any, items: Any) -> np.ndarray:
    found = reader._all(items, deep)
    if kind == "U":
        return np.array([str(x)[:1000] for x in found]).reshape(shape)
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array.reshape(shape)


def _dtype(name: Any) -> np.dtype:
    dtype = np.dtype(str(name))
    if dtype.kind not in "biufc":
        raise MessageError("numbers have another dtype")
    return dtype


def _hex(x: int) -> str:
    if x.bit_length() > 4 * MOST_DIGITS:
        raise MessageError("too large")
    return hex(x)


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS + 3:  # with its sign, and 0x
        raise MessageError("a number is too long")
    return int(text, 16)


def _generator() -> Any:
    yield


def _coroutine() -> Any:
    async def nothing() -> None: ...

    made = nothing()
    made.close()  # nobody will wait for it
    return made


def _other(reader: Unpacking, deep: int, name: Any) -> Something:
    """An object of a class of this name, which knows nothing else."""
    return type(_name(name) or "object", (Something,), {})()


def _name(name: Any) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise MessageError("a name is a text")
    return name[:1000].replace("\0", "")


_UNPACKERS: dict[str, Callable[..., Any]] = {
    "float64": lambda reader, deep, x: np.float64(float(x)),
    "int": lambda reader, deep, text: _whole(text),
    "complex": lambda reader, deep, x, y: complex(float(x), float(y)),
    "ratio": lambda reader, deep, x, y: Fraction(_whole(x), _whole(y)),
    "decimal": lambda reader, deep, text: Decimal(str(text)),
    "array": _array,
    "cells": _cells,
    "scalar": lambda reader, deep, dtype, data: np.frombuffer(b64decode(data), _dtype(dtype))[0],
    "list": lambda reader, deep, items: reader._all(items, deep),
    "items": lambda reader, deep, items: reader._all(items, deep),
    "tuple": lambda reader, deep, items: tuple(reader._all(items, deep)),
    "set": lambda reader, deep, items: set(reader._all(items, deep)),
    "dict": lambda reader, deep, pairs: reader._pairs(pairs, deep),
    "view": lambda reader, deep, pairs: MappingProxyType(reader._pairs(pairs, deep)),
    "slice": lambda reader, deep, parts: slice(*reader._all(parts, deep)),
    "slot": lambda reader, deep, number: Slot(int(number)),
    "dtype": lambda reader, deep, name: _dtype(name),
    "node": lambda reader, deep, place: reader._at(place),
    "nodes": lambda reader, deep, places: reader._several(places),
    "dots": lambda reader, deep: ...,
    "generator": lambda reader, deep: _generator(),
    "coroutine": lambda reader, deep: _coroutine(),
    "function": lambda reader, deep, number=None: reader._function(number),
    "other": _other,
}
