"""The backward pass of an engine of one's own as a recording, with nothing written for it.

An engine is followed that keeps with each number its `value`, the `op` and the `inputs` that made
it, the `local` derivative by each input, and has its backward pass leave gradients in `grad`.

The pass runs on copies of the numbers. What it reads of them are floats that remember which edge
and which gradient they come from, through products and sums, until they arrive in some `grad`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..core.operation import FUNCTIONS, OPERATIONS
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from ..graph.context import always_recording
from .data import same, written
from .events import Recording
from .recorder import Tracer
from .stopping import OutOfTime, call_within

SECONDS = 5.0  # for a pass, which takes milliseconds unless it never ends
MOST = 5_000  # contributions; a pass that goes along every path soon makes more
Edge = tuple[Node, int]  # a user, and the slot of the input
_HELD = ("value", "op", "inputs", "local")


def engine_pass(y: Any, backward: Callable[[Any], Any]) -> tuple[Node, Recording]:
    """Run a backward pass of one's own from the number y; return the graph, and what happened.

    Raises:
        NodeTypeError: if y is no number of such an engine.
        MinigraphError: for an operation or a value that is not minigraph's, and for a pass that
            leaves no gradients in the numbers, or goes on and on.
    """
    numbers = _ordered(y)
    nodes = _as_nodes(numbers)
    watch = _Watch()
    copies: dict[Any, Any] = {}
    for number in numbers:
        copies[number] = _watched(number, copies, watch, nodes[number])
    try:
        call_within(SECONDS, backward, copies[y])
    except OutOfTime:
        raise MinigraphError(
            f"this backward pass was stopped after {SECONDS:g} seconds; look for a loop that never "
            "ends: does each turn bring it nearer to its end?"
        ) from None
    told = watch.recording(nodes[y])
    if not any(event.kind == "seed" for event in told.events):
        raise MinigraphError(
            "the backward pass has left no gradient in the result: it begins with y.grad = 1.0, "
            "and adds to the grad of the numbers that it reaches from y.inputs"
        )
    return nodes[y], told


def _ordered(y: Any) -> list[Any]:
    """The numbers that y was made from, and y: inputs before their users."""
    ordered: dict[Any, None] = {}
    begun: set[Any] = set()
    waiting = [(y, False)]
    while waiting:
        number, is_ready = waiting.pop()
        if is_ready:
            ordered[number] = None
        elif number not in ordered:
            if missing := [name for name in _HELD if not hasattr(number, name)]:
                raise NodeTypeError(
                    f"the number of an engine has {', '.join(_HELD)} and grad, and this "
                    f"{type(number).__name__} has no {missing[0]}"
                )
            if number in begun:
                raise MinigraphError(
                    f"{_called(number)} is among the numbers that it was made from; a number is "
                    "made once, from others"
                )
            _check(number)
            begun.add(number)
            waiting.append((number, True))
            waiting += [(x, False) for x in reversed(number.inputs) if x not in ordered]
    return [*ordered]


def _check(number: Any) -> None:
    """Refuse a value that is no number, and inputs and local derivatives that do not match."""
    if np.asarray(number.value).dtype.kind not in "biuf":
        raise NodeTypeError(f"the value of {_called(number)} is a number, not {number.value!r:.40}")
    held = number.inputs, number.local
    if not all(isinstance(each, tuple | list) for each in held):
        raise NodeTypeError(f"inputs and local of {_called(number)} are a tuple or a list each")
    if len(number.inputs) != len(number.local):
        raise MinigraphError(
            f"{_called(number)} has {len(number.inputs)} inputs and {len(number.local)} local "
            "derivatives; it needs one for each input"
        )


def _called(number: Any) -> str:
    """A number of an engine, for an error."""
    name = getattr(number, "name", None)
    return f"{name}" if name else f"the number {number.value!r:.40} made by {number.op!r:.40}"


def _as_nodes(numbers: list[Any]) -> dict[Any, Node]:
    """The same graph of Nodes, the given numbers first."""
    nodes: dict[Any, Node] = {}
    for number in sorted(numbers, key=lambda number: bool(number.op)):
        name = getattr(number, "name", None)
        if not number.op:
            nodes[number] = variable(number.value, name=name)
            continue
        function = FUNCTIONS.get(number.op) if number.op in OPERATIONS else None
        if function is None:
            raise MinigraphError(f"minigraph has no operation {number.op!r:.40} to compare with")
        with always_recording():
            node = nodes[number] = function(*(nodes[x] for x in number.inputs)).named(name)
        if not same(node.value, number.value):
            raise MinigraphError(
                f"{number.op} gives {written(number.value)} where minigraph gives "
                f"{written(node.value)}; mend the forward pass first"
            )
    return nodes


@dataclass(frozen=True)
class _Part:
    """A summand: its value, the edge of the local derivative in it, or whose gradient it holds."""

    value: float
    edge: Edge | None = None
    of: Node | None = None


@dataclass(frozen=True)
class _Write:
    """A gradient that is left in a number: its Node, what has arrived by edge, and the total."""

    node: Node
    arriving: list[tuple[Edge, float]]
    value: float


class _Traced(float):
    """A float that remembers its summands."""

    parts: tuple[_Part, ...]
    is_local: bool

    def __new__(cls, *parts: _Part, is_local: bool = False) -> _Traced:
        """Make the sum of the parts."""
        made = super().__new__(cls, sum(part.value for part in parts))
        made.parts, made.is_local = parts, is_local
        return made

    def __mul__(self, other: Any) -> _Traced:
        if getattr(other, "is_local", False) and not self.is_local:
            return other * self  # for a local derivative says which edge it is
        factor = float(other)
        return _Traced(*(replace(part, value=part.value * factor) for part in self.parts))

    def __truediv__(self, other: Any) -> _Traced:
        return self * (1 / float(other))

    def __neg__(self) -> _Traced:
        return self * -1.0

    def __add__(self, other: Any) -> _Traced:
        return _Traced(*self.parts, *_parts(other))

    def __sub__(self, other: Any) -> _Traced:
        return self + other * -1.0

    def __rsub__(self, other: Any) -> _Traced:
        return -self + other

    __rmul__, __radd__ = __mul__, __add__


def _parts(x: Any) -> tuple[_Part, ...]:
    return x.parts if isinstance(x, _Traced) else (_Part(float(x)),)


class _Watch:
    """What a pass does to the gradients of the copies."""

    def __init__(self) -> None:
        self.writes: list[_Write] = []
        self.used: set[Edge] = set()

    def written(self, x: Node, value: Any) -> Any:
        """Tell that x has a gradient now; return what reading it gives."""
        if value is None:
            return None
        value = value if isinstance(value, _Traced) else _as_float(value, x)
        parts = [part for part in _parts(value) if part.value or part.edge or part.of]
        others = [part for part in parts if part.edge or part.of is not x]
        arriving = [(edge, part.value) for part in others if (edge := self._edge(part, x))]
        self.used.update(edge for edge, _ in arriving)
        if others:
            self.writes.append(_Write(x, arriving, float(value)))
        if len(self.writes) > MOST:
            raise MinigraphError(
                f"this backward pass has handed on {MOST:,} times and goes on; does it go along an "
                "edge again for every path?"
            )
        return _Traced(_Part(float(value), of=x))

    def recording(self, y: Node) -> Recording:
        """What has been done, in turn; from the end on where each gradient was left but once."""
        tracer, writes = Tracer(y), self.writes
        if len({write.node for write in writes}) == len(writes):
            writes = sorted(writes, key=lambda write: -write.node.seq)
        for write in writes:
            total = write.value - sum(contribution for _, contribution in write.arriving)
            for (user, slot), contribution in write.arriving:
                total += contribution
                tracer.multiply(user, slot, contribution)
                tracer.accumulate(user, slot, total)
            if not write.arriving:
                tracer.seed(write.node, write.value)
        return tracer.recording()

    def _edge(self, part: _Part, x: Node) -> Edge | None:
        """The edge to x along which something comes; where that is not in it, one not used yet."""
        if part.edge:
            user, slot = part.edge
            return part.edge if user.inputs[slot] is x else None
        if part.of is None:
            return None
        edges = [(part.of, slot) for slot, other in enumerate(part.of.inputs) if other is x]
        return next((edge for edge in edges if edge not in self.used), edges[0] if edges else None)


def _as_float(value: Any, node: Node) -> float:
    """What has become of a gradient, as a number."""
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise NodeTypeError(
        f"a gradient is a number, and grad of {describe(node)} has become {type(value).__name__} "
        f"{value!r:.40}",
        (node,),
    ) from None


def _watched(number: Any, copies: dict[Any, Any], watch: _Watch, node: Node) -> Any:
    """A copy of a number whose gradient is watched, with copies for inputs."""
    held = {"grad": None if getattr(number, "grad", 0.0) is None else 0.0}

    def read(_: Any) -> Any:
        return held["grad"]

    def write(_: Any, value: Any) -> None:
        held["grad"] = watch.written(node, value)

    kind = type(number)
    copy: Any = object.__new__(type(kind.__name__, (kind,), {"grad": property(read, write)}))
    local = [_Traced(_Part(float(x), (node, i)), is_local=True) for i, x in enumerate(number.local)]
    inputs = type(number.inputs)(copies[x] for x in number.inputs)
    state = vars(number) | {"inputs": inputs, "local": type(number.local)(local)}
    copy.__dict__.update({name: x for name, x in state.items() if name != "grad"})
    return copy
