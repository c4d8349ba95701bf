"""Hunt NaN and infinity: name the first Node where one appears, its line and its inputs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..core.node import Node, is_symbolic, surroundings
from ..errors import AnomalyError
from ..errors.words import brief, describe
from ..graph.context import Block, calling_line, shown, watching
from ..graph.symbolic import Unknown


def detect_anomaly() -> Block:
    """Raise an AnomalyError at the first NaN, or infinity out of finite numbers, computed inside.

    That is when Nodes are made, in a backward pass, and when a Graph is run. A plan computes as its
    graph does, operation by operation.

    Infinities that you put into a leaf, such as a mask of −∞, may pass as long as no NaN comes of
    them. Put the backward pass inside, too: then an error in it names the line of the forward pass
    whose derivative failed. Everything inside takes several times as long.

    with mg.detect_anomaly():
        loss = model(x)
        loss.backward()

    Raises:
        AnomalyError: naming the Node, the line that made it, and its inputs.
    """
    return Block(_hunting)


def _hunting() -> Generator[None, None, None]:
    # First, for no_grad takes the inputs away. The error says more than NumPy's warning.
    with watching(Hunter(), first=True), np.errstate(all="ignore"):
        yield


class Hunter:
    """Looks at each Node as it is made, and remembers the line that made it."""

    def __init__(self) -> None:
        self.lines: WeakKeyDictionary[Node, str] = WeakKeyDictionary()

    def __call__(self, node: Node) -> None:
        """Check a Node that an operation has just made."""
        self.lines[node] = shown(calling_line())
        if not is_symbolic(node):
            self.inspect(node, node._value, [x._value for x in node.inputs])

    def inspect(self, node: Node, value: Any, inputs: Sequence[Any]) -> None:
        """Check what has been computed for a Node from these values of its inputs."""
        if place := _anomaly(value, inputs):
            raise AnomalyError(
                f"{describe(node)} {place}\n  made in {self._line(node)}\n"
                f"  from {_listed(node.inputs, inputs)}",
                (node, *node.inputs),
            )

    def check_contribution(self, node: Node, x: Node, g: Any, c: Any) -> None:
        """Check what the rule of a Node has just made, for its input x, of the gradient g."""
        g, c = (v._value if isinstance(v, Node) else v for v in (g, c))
        inputs = [x._value for x in node.inputs]
        if type(c) is Unknown:
            return  # until the graph is run
        if place := _anomaly(c, [g, node._value, *inputs]):
            raise AnomalyError(
                f"the gradient of {describe(x)} {place}\n"
                f"  in the derivative of {describe(node)}, which was made in "
                f"{self._line(node)}\n"
                f"  from {_listed(node.inputs, inputs)}, when the gradient {brief(g)} reached it",
                (node, *node.inputs),
            )

    def _line(self, node: Node) -> str:
        return self.lines.get(node, "a gradient, or outside detect_anomaly()")


def hunters() -> list[Hunter]:
    """Those who watch over the code that runs now."""
    return [watcher for watcher in surroundings.get()[1] if isinstance(watcher, Hunter)]


def _anomaly(value: Any, sources: Iterable[Any]) -> str:
    """Say where a value has a NaN, or an infinity though its sources are finite; "" if nowhere."""
    if type(value) is Unknown or value.dtype.kind != "f":
        return ""
    wrong = ~np.isfinite(value)
    if not wrong.any():
        return ""
    if not all(np.isfinite(x).all() for x in sources if type(x) is not Unknown):
        wrong = np.isnan(value)
        if not wrong.any():
            return ""
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    count = f" ({wrong.sum():,} such elements)" if wrong.sum() > 1 else ""
    return f"holds {value[first]}{f' at {list(first)}' if first else ''}{count}"


def _listed(inputs: Iterable[Node], values: Iterable[Any]) -> str:
    """Inputs with their values, or where these are not finite."""
    said = []
    for x, value in dict(zip(inputs, values)).items():
        where = _anomaly(value, ())
        said.append(describe(x) + (f", which {where}" if where else f" = {brief(value)}"))
    return " and ".join(said)
