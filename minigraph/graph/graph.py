"""A Graph: what goes in, what comes out, and the operations between, to be run again and again.

Define it before there are numbers, with placeholders; or capture what has been computed already,
with the leaves that shall be fed as inputs:

    x, w = mg.placeholder("x"), mg.variable(2.0, name="w")
    mg.Graph(x * w, [x, w]).run({"x": 3.0})        # 6.0; what is not fed keeps its own value
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..core.node import Node, checked_value, frozen, is_symbolic
from ..core.operation import REFUSALS
from ..core.order import topological_order
from ..errors import FeedError, MinigraphError, NodeTypeError
from ..errors.words import describe, printable
from .context import inspectors
from .refusals import explained

Values = dict[Node, Any]


class Graph:
    """Operations from inputs to outputs, in topological order; it never changes.

    Attributes:
        outputs: the Nodes whose values a run returns.
        inputs: the leaves that a run can be given values for, by name. A placeholder must be given
            one; a variable or a constant that is given none keeps its own.
        order: all Nodes, inputs before their users.
    """

    def __init__(
        self,
        outputs: Node | Iterable[Node],
        inputs: Iterable[Node] | None = None,
        *,
        order: Iterable[Node] = (),
    ) -> None:
        """Make a Graph.

        Args:
            outputs: one Node, or several.
            inputs: leaves with names; None for the placeholders.
            order: Nodes to run besides those that the outputs need, as code does that was captured.

        Raises:
            MinigraphError: if an input is no leaf with a name of its own, or if a placeholder is
                missing among them.
        """
        self.is_single = isinstance(outputs, Node)
        self.outputs: tuple[Node, ...] = (outputs,) if isinstance(outputs, Node) else (*outputs,)
        if not self.outputs:
            raise MinigraphError("a graph has at least one output")
        self.order = topological_order([*self.outputs, *order])
        placeholders = [x for x in self.order if x.kind == "placeholder"]
        self.inputs: tuple[Node, ...] = (*(placeholders if inputs is None else inputs),)
        self._by_name = _names(self.inputs)
        for x in placeholders:
            if x not in self.inputs:
                raise MinigraphError(
                    f"{describe(x)} has no value of its own, so it must be among the inputs", (x,)
                )
        self._last_user = {x: node for node in self.order for x in node.inputs}
        self._choices: dict[int, Any] = {}  # by number of workers, how in_parallel runs this

    def run(self, feeds: Mapping[Any, Any] | None = None, *, workers: int = 1) -> Any:
        """Compute the outputs.

        Args:
            feeds: values by the names of inputs, or by the inputs themselves.
            workers: how many threads may work at once.

        Returns:
            The outputs' values in their order as a tuple; the bare value if a single Node was the
            output. Arrays are read-only.

        Raises:
            FeedError: naming the input whose value is missing or does not fit.
        """
        values = self.fed(feeds or {})
        if workers != 1:
            values = Graph.in_parallel(self, values, workers)
        else:
            self._compute(values)
        return self.unpacked(tuple(frozen(values[y]) for y in self.outputs))

    def unpacked(self, results: Sequence[Any]) -> Any:
        """What there is for each output: all of it, or the one thing bare for a single Node."""
        return results[0] if self.is_single else results

    def _compute(self, values: Values) -> None:
        """Compute all operations, one after another, and forget what is no longer needed."""
        kept = {*self.outputs}
        for node in self.order:
            if node.op is None:
                continue
            values[node] = computed(node, [values[x] for x in node.inputs])
            for x in {*node.inputs}:
                if self._last_user[x] is node and x not in kept:
                    del values[x]
            if node not in self._last_user and node not in kept:
                del values[node]

    def fed(self, feeds: Mapping[Any, Any]) -> Values:
        """The values of the leaves when these are fed; see `run`."""
        values: Values = {}
        for key, value in feeds.items():
            x = self._input(key)
            values[x] = fitted(x, value)
        missing = [x for x in self.inputs if x not in values and is_symbolic(x)]
        if missing:
            wanted = ", ".join(map(expected, missing))
            raise FeedError(f"the graph cannot run without a value for {wanted}", (*missing,))
        return {x: x._value for x in self.order if x.op is None and x not in values} | values

    def _input(self, key: Any) -> Node:
        """The input that a key of `feeds` means."""
        if isinstance(key, Node):
            if key in self._by_name.values():
                return key
            raise FeedError(f"{describe(key)} is no input of this graph", (key,))
        if key in self._by_name:
            return self._by_name[key]
        near = difflib.get_close_matches(str(key), self._by_name, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        wanted = ", ".join(map(expected, self.inputs)) or "none"
        raise FeedError(f"there is no input {key!r:.60}; the inputs are {wanted}{hint}")

    def inputs_named(self, wanted: Node | str | Iterable[Node | str]) -> list[Node]:
        """Find inputs by name; Nodes are taken as they are."""
        keys = [wanted] if isinstance(wanted, Node | str) else list(wanted)
        return [x if isinstance(x, Node) else self._input(x) for x in keys]

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        operations = sum(node.op is not None for node in self.order)
        made = f"{operations:,} operation{'s' * (operations != 1)}"
        inputs = ", ".join(map(expected, self.inputs)) or "nothing"
        outputs = ", ".join(printable(y.name or describe(y)) for y in self.outputs)
        return f"<graph of {made} from {inputs} to {outputs}>"

    in_parallel: ClassVar[Callable[[Graph, Values, int], Values]]

    if TYPE_CHECKING:  # bound at the foot of the modules that define them
        compile: Callable[..., Any]
        grad: Callable[..., Graph]
        save: Callable[..., None]
        load: ClassVar[Callable[..., Graph]]
        optimize: Callable[..., Graph]


def computed(node: Node, values: list[Any]) -> Any:
    """Run the operation of a Node on these values; an error names the Node."""
    try:
        value = node.op.forward(*values, **node.attrs)
    except REFUSALS as error:
        raise explained(node.op, node.inputs, node.attrs, error) from None
    if not node.shape and type(value) is np.ndarray:
        value = value[()]  # a number, as in a Node: NumPy computes some powers of arrays otherwise
    for inspect in inspectors():
        inspect(node, value, values)
    return value


def fitted(x: Node, value: Any) -> Any:
    """A value for an input, of its dtype and shape.

    Raises:
        FeedError: if it has another shape, or a dtype that does not fit without rounding.
    """
    try:
        fit = checked_value(value, x.dtype)
    except NodeTypeError as error:
        raise FeedError(f"the input {expected(x)} cannot take this value: {error}", (x,)) from None
    if fit.shape != x.shape:
        raise FeedError(f"the input {expected(x)} was given shape {fit.shape}", (x,))
    return fit


def expected(x: Node) -> str:
    """What an input takes: "x (float64, shape (4, 3))"."""
    return f"{printable(x.name or '')} ({x.dtype}, shape {x.shape})"


def _names(inputs: tuple[Node, ...]) -> dict[str, Node]:
    """The inputs by name."""
    by_name: dict[str, Node] = {}
    for x in inputs:
        if not isinstance(x, Node):
            raise NodeTypeError(f"an input is a Node, not {type(x).__name__} {x!r:.40}")
        if x.op is not None:
            raise MinigraphError(
                f"{describe(x)} is computed, so it cannot be an input; inputs are leaves", (x,)
            )
        if not x.name:
            raise MinigraphError(
                f"{describe(x)} needs a name to be an input, by which it is fed; use .named('x')",
                (x,),
            )
        if by_name.setdefault(x.name, x) is not x:
            raise MinigraphError(f"two inputs have the name {x.name!r}", (x, by_name[x.name]))
    return by_name
