"""A function to explore: its inputs and their ranges, its graph at one place, and its curve."""

from __future__ import annotations

import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from numbers import Real
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..core.order import topological_order
from ..errors import MinigraphError, NodeTypeError
from ..graph.context import always_recording, no_grad
from ..reading.text import clean

POINTS = 121  # of a curve; about one for every three pixels
SMALLEST = 1e-305  # of a range, so that its steps are numbers
STEPS = 100  # that a slider has at least
_STRIDES = (24, 8, 4, 2, 1)  # a curve that takes its time is known coarsely first

Function = Callable[..., Any]


@dataclass(frozen=True)
class Input:
    """An input that a slider moves.

    Attributes:
        low, high: the ends of the slider.
        start: where it stands first.
        step: the distance between its places, a round number.
        reach: how far a nudge goes at most, a round number.
    """

    name: str
    low: float
    high: float
    start: float
    step: float
    reach: float


def inputs_of(f: Function, ranges: dict[str, Any]) -> dict[str, Input]:
    """Read the ranges of a function's inputs, in the order in which f takes them.

    Raises:
        MinigraphError: if f does not take these inputs, or a range is none.
    """
    if not callable(f):
        raise NodeTypeError(
            "explore takes a function of its inputs, such as lambda a, b: a * b, "
            f"not {type(f).__name__} {f!r:.40}"
        )
    if not ranges:
        raise MinigraphError("explore needs the range of an input, such as a=(-3, 3)")
    names = sorted(ranges, key=_checked_names(f, list(ranges)).index)
    return {name: _input(name, ranges[name]) for name in names}


def _checked_names(f: Function, names: list[str]) -> list[str]:
    """The names of the inputs in the order in which f takes them."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # some functions written in C do not say
        return names
    taken = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    needed = [p for p in parameters if p.default is p.empty]
    for p in needed:
        if p.kind is p.POSITIONAL_ONLY:
            raise MinigraphError(
                f"the function takes {p.name!r} by its place only, and explore gives inputs by "
                f"their names; wrap it, such as lambda {p.name}: f({p.name})"
            )
    for name in names:
        if name not in taken and not takes_any:
            takes = ", ".join(taken) or "none by its name"
            raise MinigraphError(f"the function has no input {name!r}; it takes {takes}")
    for p in needed:
        if p.name in taken and p.name not in names:
            raise MinigraphError(
                f"the function also takes {p.name!r}; give its range, such as {p.name}=(-3, 3)"
            )
    return [*taken, *names]


def _input(name: str, ends: Any) -> Input:
    wanted = f"the range of {name!r} is (low, high) or (low, high, start), such as (-3, 3)"
    if not isinstance(ends, (tuple, list)) or len(ends) not in (2, 3):
        raise MinigraphError(f"{wanted}, not {ends!r:.60}")
    for x in ends:
        if not is_number(x):
            raise MinigraphError(f"{wanted}; {x!r:.40} is not a finite number")
    low, high = float(ends[0]), float(ends[1])
    if not low < high or not SMALLEST <= high - low < math.inf:
        raise MinigraphError(f"{wanted}; {low:g} is not below {high:g}")
    step = round_below((high - low) / STEPS)
    middle = low + step * round((high - low) / 2 / step)
    start = float(ends[2]) if len(ends) == 3 else float(f"{middle:.12g}")
    if not low <= start <= high:
        raise MinigraphError(
            f"{name!r} starts in its range: {start:g} is not between {low:g} and {high:g}"
        )
    return Input(name, low, high, start, step, round_below((high - low) / 8 * 1.4))


def is_number(x: Any) -> bool:
    """Whether something is a finite number that a slider can stand at."""
    if not isinstance(x, Real) or isinstance(x, (bool, np.bool_)):
        return False
    try:
        return math.isfinite(x)
    except OverflowError:  # a whole number beyond all floats
        return False


def round_below(x: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above x."""
    power = 10.0 ** math.floor(math.log10(x))
    return next(float(f"{m * power:.0e}") for m in (5, 2, 1, 0.5) if m * power <= x * (1 + 1e-9))


@dataclass(frozen=True)
class Run:
    """A function at one place.

    Attributes:
        output: what f returned.
        order: its graph.
        gradients: of the output by each Node that it depends on.
        slopes: the same by each input.
        of: what the output is called.
    """

    output: Node
    order: list[Node]
    gradients: dict[Node, Any]
    slopes: dict[str, float]
    of: str

    @property
    def value(self) -> float:
        """The value of the output."""
        return float(self.output.value)


def run(f: Function, values: dict[str, float]) -> Run:
    """Compute f and its gradients with fresh variables. Nodes that f found elsewhere stay as are.

    Raises:
        NodeTypeError: if f returns something else than a scalar Node.
    """
    with always_recording(), np.errstate(all="ignore"):
        leaves = {name: variable(value, name=name) for name, value in values.items()}
        output = _called(f, leaves)
        first = min(leaf.seq for leaf in leaves.values())
        if output.name is None and output.op is not None and output.seq > first:
            output.named(next(name for name in ("y", "f", "output") if name not in values))
        order = topological_order(output)
        gradients = _gradients(output, order, first) if output.requires_grad else {}
    slopes = {name: float(gradients.get(leaf, 0.0)) for name, leaf in leaves.items()}
    return Run(output, order, gradients, slopes, clean(output.name or "y"))


def value(f: Function, values: dict[str, float]) -> float:
    """Compute f at one place, without its gradients."""
    with np.errstate(all="ignore"):
        return float(_called(f, {n: variable(x, name=n) for n, x in values.items()}).value)


def _called(f: Function, leaves: dict[str, Node]) -> Node:
    output = f(**leaves)
    if isinstance(output, Node) and not output.shape:
        return output
    what = f"a Node of shape {output.shape}" if isinstance(output, Node) else f"{output!r:.60}"
    reduce = "; reduce it, for example with mg.sum" if isinstance(output, Node) else ""
    raise NodeTypeError(f"the function must return a scalar Node, not {what}{reduce}")


def _gradients(output: Node, order: list[Node], first: int) -> dict[Node, Any]:
    """The gradient by each Node; older Nodes get back what they held."""
    foreign = [(node, node.grad) for node in order if node.seq < first]
    for node, _ in foreign:
        node.grad = None
    try:
        output.backward()
        return {node: node.grad for node in order if node.grad is not None}
    finally:
        for node, grad in foreign:
            node.grad = grad


class Curve:
    """The output against one input, the others held still.

    Where f works on arrays as it does on numbers, all points are computed at once. Where it does
    not, they are computed one by one, as far as time allows; what is missing comes with `extend`.

    Attributes:
        xs, ys: the points; NaN where f has no value.
        known: which of them have been computed.
        inside: which of them the slider reaches; a nudge goes beyond.
    """

    def __init__(self, f: Function, values: dict[str, float], along: Input) -> None:
        low, high, reach = along.low, along.high, along.reach
        self.xs = np.linspace(low - reach, high + reach, POINTS)
        self.inside = (self.xs >= low) & (self.xs <= high)
        self._at = lambda x: _value_or_nan(f, values | {along.name: x})
        with _quietly():
            ys = self._at_once(f, values, along.name)
        self.ys = np.full(POINTS, np.nan) if ys is None else ys
        self.known = np.full(POINTS, ys is not None)
        places = dict.fromkeys(i for stride in _STRIDES for i in range(0, POINTS, stride))
        self._missing = [] if ys is not None else [*places][::-1]

    @property
    def is_complete(self) -> bool:
        """Whether every point is known."""
        return not self._missing

    def extend(self, seconds: float) -> None:
        """Compute missing points for a while, one at least."""
        end = time.perf_counter() + seconds
        with _quietly():
            while self._missing:
                i = self._missing.pop()
                self.ys[i], self.known[i] = self._at(float(self.xs[i])), True
                if time.perf_counter() > end:
                    break

    def _at_once(self, f: Function, values: dict[str, float], name: str) -> np.ndarray | None:
        """All points in one run, if it agrees with single runs at either end and in the middle."""
        try:
            with no_grad():
                places = values | {name: self.xs}
                output = f(**{n: variable(x, name=n) for n, x in places.items()})
            ys = np.array(output.value, dtype=float)
        except Exception:  # whatever f makes of an array, single runs will tell
            return None
        if ys.shape != self.xs.shape:
            return None
        some = [0, POINTS // 2, POINTS - 1]
        single = [self._at(float(self.xs[i])) for i in some]
        return ys if np.allclose(ys[some], single, rtol=1e-9, atol=1e-12, equal_nan=True) else None


def _value_or_nan(f: Function, values: dict[str, float]) -> float:
    try:
        return value(f, values)
    except Exception:  # f has no value there
        return math.nan


@contextmanager
def _quietly() -> Iterator[None]:
    """Let f print and warn of the places that were asked for, not of each point of a curve."""
    with redirect_stdout(StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
