"""What every pass is made of: rebuild a graph node by node, and write down what was replaced.

A pass is a function from a graph to a graph. Most of them say only what one node becomes, once
its inputs have been rebuilt; `rebuilt` does the rest. Passes work on graphs that are
symbolic throughout (`as_symbolic`), so nothing is computed while they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.indexing import Slot
from ..core.node import NO_ATTRS, Node, copied, frozen, is_symbolic, leaf, new_seq, surroundings
from ..core.operation import OPERATIONS
from ..errors import SymbolicError
from ..errors.words import describe
from ..graph.graph import Graph
from ..graph.promises import masks_of
from ..graph.symbolic import Unknown
from ..reading import Reading
from ..reading import text as texts
from ..reading.words import INFIX, applied

Replace = Callable[[Node], Node | None]
NAMELESS: Mapping[Node, str] = {}
WRITTEN_OUT = 4  # operations inside each other that a log writes out, of those that a rule makes


@dataclass(frozen=True)
class Rewrite:
    """One replacement.

    Attributes:
        rule: what was done.
        before, after: the node as an expression of its inputs' names, and what stands for it now.
    """

    rule: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.before} → {self.after}"


def as_symbolic(graph: Graph) -> Graph:
    """The same graph in Nodes of its own, without values but those of leaves that are no inputs.

    Raises:
        SymbolicError: if a mask that may change between calls decides how large an array is.
    """
    _check_masks(graph)
    return with_leaves(
        graph,
        {
            x: leaf(Unknown(x.shape, x.dtype), requires_grad=x.requires_grad, name=x.name)
            for x in graph.inputs
        },
    )


def _check_masks(graph: Graph) -> None:
    changing = {*graph.inputs}
    for node in graph.order:
        if (node.requires_grad and not node.op) or not changing.isdisjoint(node.inputs):
            changing.add(node)
        if is_op(node, "getitem") and not changing.isdisjoint(masks := masks_of(node)):
            raise SymbolicError(
                f"{describe(node)} has as many elements as the mask {describe(masks[0])} chooses, "
                "which may be others at each call, so nothing can be planned for it; choose with "
                "mg.where, which keeps the shape, or run the graph as it is, with Graph.run",
                (node, *masks),
            )


def with_leaves(graph: Graph, leaves: Mapping[Node, Node]) -> Graph:
    """The same operations in new Nodes, on other leaves in place of these."""
    new = {x: x for x in graph.inputs} | dict(leaves)
    for node in graph.order:
        if node.op is not None:
            new[node] = with_inputs(node, [new[x] for x in node.inputs])
        elif node not in new:
            new[node] = node
    return replaced(graph, new)


def with_inputs(node: Node, inputs: Iterable[Node]) -> Node:
    """The same operation on other inputs of the same shapes and dtypes, symbolic."""
    return copied(node, tuple(inputs), Unknown(node.shape, node.dtype), next(new_seq))


def replaced(graph: Graph, new: dict[Node, Node]) -> Graph:
    """The graph of the Nodes that stand for those of another."""
    return Graph(
        graph.unpacked([new[y] for y in graph.outputs]),
        [new[x] for x in graph.inputs],
        order=[new[node] for node in graph.order],
    )


def rebuilt(graph: Graph, rule: str, replace: Replace) -> tuple[Graph, list[Rewrite]]:
    """Offer each operation, its inputs rebuilt, to `replace`, which returns a Node for it or None.

    What is no longer used is left out.
    """
    new: dict[Node, Node] = {}
    log: list[Rewrite] = []
    called: dict[Node, str] = {}  # needed only if there is something to log
    around = surroundings.get()
    try:
        surroundings.set((scope := "", (), ()))
        for node in graph.order:
            if node.op is None:
                new[node] = node
                continue
            same = node
            if log:  # before that, nothing has changed
                inputs = tuple([new[x] for x in node.inputs])
                if inputs != node.inputs:
                    same = with_inputs(node, inputs)
            if node.scope != scope:
                surroundings.set((scope := node.scope, (), ()))
            after = replace(same)
            if node in called:
                called[same] = called[node]
            if after is None or after is same:
                new[node] = same
                continue
            called = called or names_of(graph)
            if after.seq > same.seq and not after.name:  # made for this; others keep their names
                after.name = node.name
            is_made = after.op is not None and after.seq > same.seq
            text = expression(after, called, WRITTEN_OUT) if is_made else described(after, called)
            log.append(Rewrite(rule, expression(same, called), text))
            new[node] = after
            if node in called and after.op is not None:  # a constant is called by its number
                called.setdefault(after, called[node])
    finally:
        surroundings.set(around)
    if not log:
        return graph, log
    return Graph(graph.unpacked([new[y] for y in graph.outputs]), graph.inputs), log


def folded(value: Any, name: str | None = None) -> Node:
    """A constant of a value that is known while compiling."""
    return leaf(frozen(np.array(value)), requires_grad=False, name=name)


def number(node: Node) -> float | None:
    """The number of a constant that holds one, in any shape; None for anything else."""
    if node.op is not None or node.requires_grad or is_symbolic(node) or not node.size:
        return None
    value = node._value
    if not value.shape:
        return value.item()
    first, last = value.flat[0], value.flat[-1]
    if any(value.strides) and value.size > 1:
        if first != last or not (value == first).all():
            return None
        if first == 0 and np.signbit(value).any() != np.signbit(value).all():
            return None  # 0 and −0 are equal, and yet two numbers
    return first.item()


def operations(graph: Graph) -> int:
    """How many operations a graph has."""
    return sum(node.op is not None for node in graph.order)


def settings_key(attrs: Mapping[str, Any]) -> str:
    """The settings of an operation as a text by which they can be compared."""
    plain = all(map(_is_plain, attrs.values()))
    return repr(sorted(attrs.items())) if plain else f"settings {id(attrs)}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return (
        value is None
        or value is ...
        or isinstance(value, bool | int | float | str | slice | np.dtype | type | Slot)
    )


def is_op(node: Node, name: str) -> bool:
    """Whether a Node is made by this operation of the table."""
    return node.op is not None and node.op is OPERATIONS.get(name)


def names_of(graph: Graph) -> dict[Node, str]:
    """What the Nodes of a graph are called in its picture with all calls open."""
    return dict(Reading(graph.outputs, opened=True).called)


def expression(node: Node, called: Mapping[Node, str] = NAMELESS, within: int = 0) -> str:
    """A Node as an expression of its inputs, by what they are called: "v₁ × e", "exp(x)".

    Inputs that are not called anything, as those that a rule has made on the way, are written out,
    if they lie no deeper than `within`. Settings that are None or False are left out.
    """
    if node.op is None:
        return described(node, called)
    inputs = [_operand(x, called, within) for x in node.inputs]
    attrs = (node.attrs or NO_ATTRS).items()
    chosen = [(key, value) for key, value in attrs if value is not None and value is not False]
    settings = [f"{key}={_short(value)}" for key, value in chosen]
    return applied(texts.clean(node.op.symbol), texts.clean(node.op.name), inputs + settings)


def _operand(x: Node, called: Mapping[Node, str], within: int) -> str:
    if not within or x.op is None or x in called or x.name:
        return described(x, called)
    text = expression(x, called, within - 1)
    return f"({text})" if x.op.symbol in INFIX and len(x.inputs) > 1 else text


def _short(setting: Any) -> str:
    text = str(setting)
    return text if len(text) <= 40 else f"{text[:40].splitlines()[0]}…"


def described(node: Node, called: Mapping[Node, str] = NAMELESS) -> str:
    """What a Node is called in a log: its name, its number, or its operation."""
    name = called.get(node) or (node.name and texts.clean(node.name))
    if name:
        return name
    value = number(node)
    if value is not None:
        return texts.number(value)
    return f"{node.op.name}(…)" if node.op else f"a constant of shape {node.shape}"
