"""A graph of arrays as NumPy calls that write into an arena.

Two things are decided before a line is written. `homes` says in whose arrays a value may live: a
view in that which it looks at, any other array in its own. The operations run in an order that
keeps few arrays alive, in the places that `memory.py` gives them. What is handed out, an output or
the new value of a variable, lives in an array of its own, so that no later call can change it.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import prod
from operator import index
from typing import Any

import numpy as np

from ..core.indexing import Slot, filled
from ..core.node import Node
from ..errors.indices import index_items, is_basic, names_places_once
from ..errors.shapes import axis_numbers
from ..graph.graph import Graph
from ..graph.sliding import strides_of
from .memory import MemoryPlan, computed_late, planned
from .program import Program, Writer
from .traits import INTO, NEW, OVER, OWN, VIEW, is_view, known

MOST_PLACES = 64  # of a window, up to which each gets a line that lays it back


def array_program(graph: Graph, updates: dict[Node, Node], is_single: bool, reuse: bool) -> Program:
    """Write a graph of arrays; see `Writer`. With `reuse`, the outputs' arrays are used again."""
    return _ArrayWriter(graph, updates, is_single, reuse).program()


class _ArrayWriter(Writer):
    """Writes one program.

    Attributes:
        operations: in the order in which they run.
        buffered: operations whose values live in the arena, as `memory` has planned it.
        handed_out: outputs, and what variables become.
        reused: outputs that are returned in the same array each time.
        written: those of them that are computed right there.
        homes: for each Node, the Nodes in whose arrays its value may live.
        fixed: Nodes whose arrays are the same in every run; `contiguous` are those without gaps.
        window_first: arrays of windows, with how many axes a window has. These come first in
            memory, for NumPy is slow along axes of two or three elements.
    """

    def __init__(
        self, graph: Graph, updates: dict[Node, Node], is_single: bool, reuse: bool
    ) -> None:
        super().__init__(graph, updates, is_single)
        self.operations = [node for node in graph.order if node.op]
        self.handed_out = {*graph.outputs}
        self.reused = {y for y in self.outputs if reuse and y.shape}
        self.written = {y for y in self.reused if y.op is not None and _can_write_into(y)}
        self.window_first = _window_first(graph)
        self.homes, self.buffered = self._homes()
        self.operations, self.memory = self._planned()
        self.constants: dict[Any, str] = {}

    # --- what is decided before -------------------------------------------------------------------

    def _homes(self) -> tuple[dict[Node, frozenset[Node]], set[Node]]:
        """For each Node in whose arrays its value may live, and which arrays the arena holds."""
        homes: dict[Node, frozenset[Node]] = {}
        buffered: set[Node] = set()
        for node in self.graph.order:
            if node.op is None or node in self.written:
                homes[node] = frozenset([node])
            elif not node.shape and known(node).name != "stop_gradient":
                homes[node] = frozenset()  # a number, which is never a view
            elif self._array(node) in (OVER, INTO, NEW):
                homes[node] = frozenset([node])
                if node in self.window_first or (
                    node not in self.handed_out and _can_write_into(node)
                ):
                    buffered.add(node)
            else:
                shown = frozenset().union(*(homes[x] for x in node.inputs))
                homes[node] = shown or frozenset([node])  # an array that is made of a number
        return homes, buffered

    def _array(self, node: Node) -> str:
        """Where the value of a Node lives, as the table says, but for what is copied."""
        copied = node in self.window_first or (_must_copy(node) and node not in self.handed_out)
        return INTO if copied else known(node).array

    def _planned(self) -> tuple[list[Node], MemoryPlan]:
        """The operations in the order in which they run, and where their arrays live."""
        overwriting = {node for node in self.operations if known(node).array == OVER}
        plans = []
        late = computed_late(self.operations, self.buffered, self.homes)
        for order in (late, self.operations):
            memory = planned(
                order, self.buffered, self.homes, self.graph.outputs, overwriting, self.labels
            )
            plans.append((order, memory))
        return min(plans, key=lambda pair: pair[1].peak)

    # --- the text ---------------------------------------------------------------------------------

    def program(self) -> Program:
        """The whole program."""
        self._name_leaves()
        self._name_arrays()
        for node in self.operations:
            self._write(node)
        handed_out: Counter[Node] = Counter()
        texts = []
        for i, y in enumerate(self.graph.outputs):
            texts.append(self._result(y, handed_out[y], i < len(self.outputs)))
            handed_out[y] += 1
        cut = len(self.outputs)
        source = self.source(texts[:cut], texts[cut:])
        return Program(source, self.names, self.memory)

    def _name_leaves(self) -> None:
        for node in self.graph.order:
            if node.op is not None or node in self.called:
                continue
            if node.requires_grad:
                name = self.called[node] = self.spare.own(node, "w")
                self.labels.setdefault(node, name)
                variable = self.spare.new("node")
                self.names[variable] = node
                self.line(f"{name} = {variable}._value")

    def _name_arrays(self) -> None:
        """One name for each array of a shape at a place; what lives there in turn shares it."""
        if self.memory.places:
            empty, byte = self._numpy("empty"), self._numpy("uint8")
            self.made.append(f"arena = {empty}({self.memory.peak}, {byte})")
        known_: dict[Any, str] = {}
        for place in self.memory.places:
            node = place.node
            front = self.window_first.get(node, 0)
            key = place.offset, node.shape, node.dtype, front
            if key not in known_:
                known_[key] = self.spare.new("t")
                shape, turned = node.shape, ""
                if front:
                    axes = [*range(node.ndim)]
                    turned = f".transpose({(*axes[front:], *axes[:front])})"
                    shape = (*shape[-front:], *shape[:-front])
                self.made.append(
                    f"{known_[key]} = {self._numpy('ndarray')}({shape}, "
                    f"{self._dtype(node)}, arena, {place.offset}){turned}"
                )
            self.called[node] = known_[key]
        for y in dict.fromkeys(self.outputs):  # a set's order changes from run to run
            if y in self.written:
                self.called[y] = self._own_array(y)
        self.fixed = {*self.buffered, *self.written}  # the same in every run, and views of them
        self.contiguous = self.fixed - self.window_first.keys()

    def _own_array(self, y: Node) -> str:
        name = self.spare.new("y")
        self.made.append(f"{name} = {self._numpy('empty')}({y.shape}, {self._dtype(y)})")
        return name

    def _numpy(self, name: str) -> str:
        self.names[name] = getattr(np, name)
        return name

    def _dtype(self, node: Node) -> str:
        if not node.dtype.isnative:
            return self._setting(node.dtype)
        return self._numpy("bool_" if node.dtype == bool else node.dtype.name)

    # --- one operation ---

    def _write(self, node: Node) -> None:
        if self._is_view(node):
            self._view(node)
            return
        into = node in self.buffered or node in self.written
        fast = known(node).array == OVER and bool(node.shape)
        inputs = [self._input(x, fast) for x in node.inputs]
        if into:
            first, *others = self._into(node, inputs, self.called[node])
            self.line(first, node)
            self.lines += others
        else:
            self.line(f"{self.called[node]} = {self._expression(node, inputs)}", node)

    def _input(self, x: Node, fast: bool) -> str:
        """What an input is called; ufuncs take a number fastest as an array without axes."""
        if x in self.called:
            return self.called[x]
        value = x._value
        if x.shape:
            name = self.called[x] = self.spare.new("c")
            self.names[name] = value
            return name
        return self._constant(np.asarray(value) if fast else value)

    def _constant(self, value: Any) -> str:
        """A number, which is made once."""
        key = type(value), value.dtype, value.tobytes()
        if key not in self.constants:
            name = self.constants[key] = self.spare.new("c")
            if value.dtype == np.float64 and np.isfinite(value):
                make = self._numpy("array" if type(value) is np.ndarray else "float64")
                self.made.append(f"{name} = {make}({value.item()!r})")
            else:
                self.names[name] = value
                self.made.append(f"# {name} is {value} in {value.dtype}")
        return self.constants[key]

    def _into(self, node: Node, inputs: list[str], out: str) -> list[str]:
        """The calls that leave the value of a Node in its array."""
        row, first = known(node), inputs[0]
        if row.reduces:
            calls = [self._reduced(node, first, f", out={out}")]
            if row.name == "mean":
                count = self._constant(np.array(_count(node), node.dtype))
                calls.append(f"{self._numpy('divide')}({out}, {count}, out={out})")
            return calls
        if row.ufunc:
            if row.name == "relu":
                inputs = [first, self._constant(np.array(0, node.dtype))]
            return [f"{self._numpy(_function(node))}({', '.join(inputs)}, out={out})"]
        match row.name:
            case "where":
                copy = self._numpy("copyto")
                return [f"{copy}({out}, {inputs[2]})", f"{copy}({out}, {inputs[1]}, where={first})"]
            case "astype":
                return [f"{self._numpy('copyto')}({out}, {first}, casting='unsafe')"]
            case "scatter_add":
                return [f"{out}.fill(0)", f"{out}[{self._index(node, inputs)}] = {first}"]
            case "reshape":  # which has to copy
                view = self._once(node, f"{out}.reshape({node.inputs[0].shape})")
                return [f"{self._numpy('copyto')}({view}, {first})"]
            case "windows":
                view = self._windows(node, first)
                if node.inputs[0] in self.fixed:
                    view = self._once(node.inputs[0], view)
                return [f"{self._numpy('copyto')}({out}, {view})"]
            case "overlap_add":
                return self._laid_back(node, first, out)
            case _:
                arrays, axis = f"({', '.join(inputs)},)", index(node.attrs["axis"])
                return [f"{self._numpy('concatenate')}({arrays}, axis={axis}, out={out})"]

    def _once(self, node: Node, text: str) -> str:
        """A name for a view of the array of a Node, made once if the array is always the same."""
        name = self.spare.new("t")
        (self.made if node in self.fixed else self.lines).append(f"{name} = {text}")
        return name

    def _windows(self, node: Node, x: str) -> str:
        settings = [f"{key}={self._setting(value)}" for key, value in node.attrs.items()]
        return f"{self._named(node.op, 'mg_windows')}({', '.join([x, *settings])})"

    def _laid_back(self, node: Node, x: str, out: str) -> list[str]:
        """The calls that add windows where they were taken from."""
        source = node.inputs[0]
        k = len(node.attrs["shape"])
        size, places = source.shape[-k:], source.shape[-2 * k : -k]
        strides = strides_of(size, node.attrs["stride"])
        overlap = any(s < n for s, n in zip(strides, size))
        covered = not overlap and all(n * p == m for n, p, m in zip(size, places, node.shape[-k:]))
        lines = [] if covered else [f"{out}.fill(0)"]
        for inner in product(*map(range, size)):
            spots = [f"{i}:{i + p * s}:{s}" for i, p, s in zip(inner, places, strides)]
            target = self._once(node, f"{out}[..., {', '.join(spots)}]")
            taken = f"{x}[..., {', '.join(map(str, inner))}]"
            if source in self.fixed:
                taken = self._once(source, taken)
            so_far = target if overlap else self._constant(np.array(0, node.dtype))  # 0 + -0 is 0
            lines.append(f"{self._numpy('add')}({so_far}, {taken}, out={target})")
        return lines

    def _expression(self, node: Node, inputs: list[str]) -> str:
        """The call that returns the value of a Node, in an array of its own if it is one."""
        row = known(node)
        name = row.name
        if row.infix:
            return f" {row.infix} ".join(inputs)
        if row.reduces and _can_write_into(node, scalars=True):
            call = self._reduced(node, inputs[0])
            return f"{call} / {_count(node)}" if name == "mean" else call
        if row.ufunc and not row.reduces and name != "relu":
            return f"{self._numpy(_function(node))}({', '.join(inputs)})"
        if name == "astype":  # never the very array that it takes
            scalar = "[()]" * (not node.shape)
            return f"{self._numpy('array')}({inputs[0]}, {self._dtype(node)}){scalar}"
        if name == "getitem":
            return f"{inputs[0]}[{self._index(node, inputs)}]" + "[()]" * (not node.shape)
        function = self._named(node.op, "custom" if row is OWN else f"mg_{name}")
        settings = [f"{key}={self._setting(value)}" for key, value in node.attrs.items()]
        return f"{function}({', '.join(inputs + settings)})" + "[()]" * (not node.shape)

    def _named(self, op: Any, prefix: str) -> str:
        if op not in self.constants:
            self.constants[op] = self.spare.new(prefix)
            self.names[self.constants[op]] = op.forward
        return self.constants[op]

    def _setting(self, value: Any) -> str:
        items = value if type(value) is tuple else (value,)
        if all(item is None or type(item) in (bool, int) for item in items):
            return repr(value)
        name = self.spare.new("k")
        self.names[name] = value
        return name

    def _index(self, node: Node, inputs: list[str]) -> str:
        """An index, with the Nodes that it names and the arrays that it holds."""
        texts = []
        for item in index_items(node.attrs["index"]):
            if isinstance(item, Slot):
                texts.append(inputs[1 + item.number])
            elif is_basic(item):
                texts.append(_item_text(item))
            else:
                name = self.spare.new("k")
                self.names[name] = item
                texts.append(name)
        return ", ".join(texts) or "()"

    def _reduced(self, node: Node, x: str, out: str = "") -> str:
        axis = node.attrs["axis"]
        if axis is not None:
            axes = axis_numbers(node.inputs[0].ndim, axis)
            axis = axes[0] if len(axes) == 1 else axes
            if len(axes) == node.inputs[0].ndim and not node.attrs["keepdims"]:
                axis = None  # which is faster
        kept = ", keepdims=True" * bool(node.attrs["keepdims"])
        return f"{self._numpy(known(node).ufunc)}.reduce({x}, axis={axis}{kept}{out})"

    # --- views ---

    def _is_view(self, node: Node) -> bool:
        """Whether NumPy gives a view for sure, which may be made before there are values."""
        if not is_view(node) or node in self.window_first:
            return False
        match known(node).name:
            case "stop_gradient":
                return True
            case "reshape":
                return node.inputs[0] in self.contiguous and bool(node.shape)  # others it may copy
            case "getitem":
                return bool(node.shape)
            case _:
                return bool(node.inputs[0].shape)

    def _view(self, node: Node) -> None:
        """A view of an array of the plan is made once; one of an input is made each time."""
        x = node.inputs[0]
        of, attrs = self._input(x, fast=False), node.attrs
        match known(node).name:
            case "stop_gradient":
                text = of
            case "matrix_transpose":
                text = f"{of}.T" if node.ndim == 2 else f"{of}.swapaxes(-1, -2)"
            case "transpose":
                axes = attrs["axes"]
                text = f"{of}.transpose({'' if axes is None else axis_numbers(x.ndim, axes)})"
            case "reshape":
                text = f"{of}.reshape({node.shape})"
                self.contiguous.add(node)
            case "broadcast_to":
                text = f"{self._numpy('broadcast_to')}({of}, {node.shape})"
            case "windows":
                text = self._windows(node, of)
            case _:
                text = f"{of}[{self._index(node, [of])}]"
        if x in self.fixed:
            self.fixed.add(node)
            self.made.append(f"{self.called[node]} = {text}")
        else:
            self.line(f"{self.called[node]} = {text}", node if node.name else None)

    # --- results ---

    def _result(self, y: Node, i: int, is_output: bool) -> str:
        """What is handed out for the i-th time; it shares no memory with anything."""
        text = self._input(y, fast=False)
        reused = is_output and y in self.reused
        is_own = y.op is None or known(y) is OWN  # a leaf's, or one that the operation may keep
        is_new = not is_own and self.homes[y] <= {y} and y not in self.reused
        if i == 0 and (is_new or (reused and y in self.written)):
            return text
        if reused:
            name = self._own_array(y)
            self.line(f"{self._numpy('copyto')}({name}, {text})")
            return name
        return f"{self._numpy('array')}({text})" + "[()]" * (not y.shape)


def _count(node: Node) -> int:
    """How many elements a reduction takes together."""
    return node.inputs[0].size // max(node.size, 1)


def _can_write_into(node: Node, scalars: bool = False) -> bool:
    """Whether there is a call that leaves the value of a Node in a given array."""
    row, x = known(node), node.inputs[0]
    if row.array == OVER:
        return bool(node.shape) or scalars
    if row.array == VIEW:
        return _must_copy(node)
    if row.array != INTO or not x.shape or not (node.shape or scalars):
        return False
    match row.name:
        case "where":
            return x.dtype == np.bool_
        case "scatter_add":
            return names_places_once(filled(node.attrs["index"], node.inputs[1:]))
        case "overlap_add":
            return prod(x.shape[-len(node.attrs["shape"]) :]) <= MOST_PLACES
        case "sum":
            return x.dtype != np.float16
        case "mean":
            return x.dtype in (np.float32, np.float64)
        case _:
            return True


def _must_copy(node: Node) -> bool:
    """Whether a Node reshapes what has its axes in another order: the result is copied, mostly."""
    x = node.inputs[0] if node.op else node
    return bool(
        known(node).name == "reshape"
        and node.shape
        and known(x).name in ("transpose", "matrix_transpose", "windows")
    )


def _window_first(graph: Graph) -> dict[Node, int]:
    """Windows that are reduced, with what is computed of them element by element.

    A window has so many axes, which come first in the memory of the array.
    """
    reduced_: set[Node] = set()
    for node in graph.order:
        if node.op and known(node).reduces and known(node.inputs[0]).name == "windows":
            x = node.inputs[0]
            k = len(x.attrs["shape"])
            axis = node.attrs["axis"]
            if axis is not None and {*axis_numbers(x.ndim, axis)} == {*range(x.ndim - k, x.ndim)}:
                reduced_.add(x)
    ranks: dict[Node, int] = {}
    handed_out = {*graph.outputs}
    for node in graph.order:
        if node in handed_out or not node.shape or node.op is None:
            continue
        if node in reduced_:
            ranks[node] = len(node.attrs["shape"])
        elif known(node).array == OVER or known(node).name == "astype":
            like = [x for x in node.inputs if x in ranks and x.shape == node.shape]
            if like:
                ranks[node] = ranks[like[0]]
    return ranks


def _function(node: Node) -> str:
    """The NumPy function that computes a Node; for two matrices `dot`, which is the faster one."""
    name = known(node).ufunc
    return "dot" if name == "matmul" and _is_product_of_matrices(node) else name


def _is_product_of_matrices(node: Node) -> bool:
    return all(x.ndim == 2 and x.dtype in (np.float32, np.float64) for x in node.inputs)


def _item_text(item: Any) -> str:
    if item is ...:
        return "..."
    if not isinstance(item, slice):
        return repr(item)
    start, stop, step = (
        "" if part is None else str(index(part)) for part in (item.start, item.stop, item.step)
    )
    return f"{start}:{stop}" + f":{step}" * bool(step)
