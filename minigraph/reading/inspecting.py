"""What goes wrong in a graph: how large values and gradients are, and what strikes the eye."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..autodiff.derivatives import check_differentiable, checked_seed
from ..core.node import Node
from ..errors import MinigraphError
from ..errors.words import describe
from ..graph.hooks import hooks_of
from .local import contributions
from .measures import Measure, gradients_of, size_text
from .reading import Reading
from .text import number, shape_text
from .words import aligned, applied, joined

# What is found, in the order in which it is told: what makes everything else wrong comes first.
KINDS = {
    "nan": "NaN or infinity",
    "nan gradient": "NaN or infinity in a gradient",
    "stopped": "the backward pass ends early",
    "no gradient": "no gradient arrives",
    "unused input": "an input that reaches nothing",
    "detached": "cut off from how it was computed",
    "zero gradient": "a gradient that is 0",
    "vanishing": "a gradient that vanishes",
    "exploding": "a gradient that explodes",
    "accumulated": "gradients of several passes",
    "broadcast": "both inputs are stretched",
    "dead units": "units that are 0",
    "saturated": "units at their limit",
    "unused": "computed and never used",
}
FADING = 1e3  # times smaller or larger than the gradient of the variable next to the output
FADED = 1e5  # and than that of the output itself
SATURATED = 0.02  # the local derivative below which a unit lets nearly nothing through
_MOST = 5  # of one kind that are told one by one
_LONGEST = 60  # nodes of a way that are shown
_ROWS = 40  # of the table, in text


@dataclass(frozen=True)
class Finding:
    """Something that strikes the eye.

    Attributes:
        kind: one of `KINDS`.
        text: what it is, in a sentence or two.
        nodes: the Nodes that it is about, the first above all.
    """

    kind: str
    text: str
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{KINDS[self.kind]}: {self.text}"


@dataclass(frozen=True, eq=False)
class Row:
    """A node with the sizes of its value and of its gradient; None where it has no gradient."""

    node: Node
    name: str
    operation: str
    shape: tuple[int, ...]
    value: Measure
    gradient: Measure | None

    @property
    def cells(self) -> list[str]:
        """The texts of a table: node, operation, shape, value, zeros, gradient, zeros."""
        told = [self.name, self.operation, shape_text(self.shape)]
        for measure in (self.value, self.gradient):
            told += [str(measure), share(measure.zeros)] if measure else ["", ""]
        return told


class Inspection:
    """A graph with its gradients, and what there is to find in it.

    Attributes:
        reading: the graph as it is shown: a call that is not open is one node.
        gradients: of the output by each Node that has one.
        made: Nodes that are known beside those of the graph.
        beside: leaves that somebody expects to have a part in it.
        idle: the names of parameters that nothing uses.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        seed: Any = None,
        made: Iterable[Node] = (),
        beside: Iterable[Node] = (),
        idle: Sequence[str] = (),
    ) -> None:
        (self.y,) = reading.outputs
        self.reading, self.graph = reading, reading.graph
        self.made, self.beside, self.idle = [*made], [*dict.fromkeys(beside)], idle
        self._inside = {*reading.order}
        self.gradients: dict[Node, Any] = {}
        self.trouble: Finding | None = None
        try:
            check_differentiable(self.y, reading.order)
            self.gradients = gradients_of(reading.order, checked_seed(self.y, seed))
        except Exception as error:  # one of minigraph's, or what a hook of the user's raises
            whose = "hook" if any(map(hooks_of, reading.order)) else "rule"
            said = str(error) if isinstance(error, MinigraphError) else f"{error!r} in a {whose}"
            self.trouble = Finding("stopped", f"{said}.", getattr(error, "nodes", ()) or (self.y,))

    @cached_property
    def rows(self) -> list[Row]:
        """One row for each node that is shown, in topological order."""
        return [
            Row(
                node,
                self.name(node),
                self._operation(node),
                node.shape,
                Measure(node._value),
                Measure(self.gradients[node]) if node in self.gradients else None,
            )
            for node in self.graph.order
        ]

    @cached_property
    def by_node(self) -> dict[Node, Row]:
        """The rows by their Nodes."""
        return {row.node: row for row in self.rows}

    @cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Who uses each node that is shown."""
        users: dict[Node, list[Node]] = {node: [] for node in self.graph.order}
        for node in self.graph.order:
            for x in dict.fromkeys(self.graph.inputs(node)):
                users[x].append(node)
        return users

    @cached_property
    def findings(self) -> list[Finding]:
        """All that strikes the eye, in the order of `KINDS`."""
        found = [self.trouble] if self.trouble else []
        for search in _SEARCHES:
            several = [*search(self)]
            found += several[:_MOST]
            if more := several[_MOST:]:
                nodes = tuple(x for finding in more for x in finding.nodes)
                text = f"and the same for {len(more):,} more."
                found.append(Finding(more[0].kind, text, nodes))
        return sorted(found, key=lambda finding: [*KINDS].index(finding.kind))

    @property
    def text(self) -> str:
        """The findings, and below them the table."""
        told = [f"• {finding}" for finding in self.findings] or ["Nothing strikes the eye."]
        titles = ("node", "operation", "shape", "value", "zeros", "gradient", "zeros")
        rows = [row.cells for row in self.rows]
        table = aligned(titles, rows, numbers=range(3, 7), most=_ROWS)
        return "\n".join([f"Inspection of {self.name(self.y)}", *told, "", table])

    # --- words ------------------------------------------------------------------------------------

    def name(self, node: Node) -> str:
        """What a reader calls a Node, in the graph or beside it."""
        if node not in self._inside:
            return describe(node)
        return self.reading.names[self.graph.standing_for([node])[0]].full

    def formula(self, node: Node) -> str:
        """A node and what it is computed by: "h = tanh(v₁)"."""
        if node.op is None:
            return self.name(node)
        call = self.graph.calls.get(node)
        inputs = [self.name(x) for x in self.graph.inputs(node)]
        symbol = call.name if call else node.op.symbol
        return f"{self.name(node)} = {applied(symbol, self._operation(node), inputs)}"

    def _operation(self, node: Node) -> str:
        call = self.graph.calls.get(node)
        return call.name if call else node.op.name if node.op else node.kind


def listed(names: Sequence[str]) -> str:
    """Name the first few."""
    if len(names) <= _MOST:
        return joined(names)
    return joined([*names[: _MOST - 1], f"{len(names) - _MOST + 1:,} more"])


def share(part: float) -> str:
    """Write a share: "25 %", and nothing for none."""
    return f"{max(round(100 * part), 1)} %" if part else ""


def _strange(measure: Measure) -> str:
    """Say what is strange: "holds NaN at [2] (3 such numbers)"."""
    place, x = measure.first
    where = f" at [{', '.join(map(str, place))}]" if place else ""
    count = f" ({measure.strange:,} such numbers)" if measure.strange > 1 else ""
    return f"{number(x)}{where}{count}"


# --- what there is to find ------------------------------------------------------------------------


def _values(it: Inspection) -> Iterator[Finding]:
    """Where NaN and infinity begin."""
    strange = {row.node for row in it.rows if row.value.strange}
    for row in it.rows:
        node, inputs = row.node, [*dict.fromkeys(it.graph.inputs(row.node))]
        if node not in strange or not strange.isdisjoint(inputs):
            continue
        told = f"{it.formula(node)} is {_strange(row.value)}"
        place = row.value.first[0]
        given = [f"{it.name(x)} is {at}" for x in inputs if (at := _number_at(x, place, row.shape))]
        told += f"; there {joined(given)}" if given else ""
        if further := len(strange) - 1:
            told += f". With it {further:,} more node{'s are' if further > 1 else ' is'}"
        yield Finding("nan", f"{told}.", (node, *inputs))


def _number_at(x: Node, place: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The number of an input that stands where one of an elementwise result does."""
    try:
        return number(np.broadcast_to(x._value, shape)[place])
    except ValueError:
        return ""  # of another shape, as that of a matrix product


def _gradients(it: Inspection) -> Iterator[Finding]:
    """Where NaN and infinity begin in the backward pass."""
    strange = {row.node for row in it.rows if row.gradient and row.gradient.strange}
    for row in reversed(it.rows):
        node, measured = row.node, row.gradient
        if measured is None or not measured.strange:
            continue
        users = [u for u in it.users[node] if u in it.gradients]
        if not strange.isdisjoint(users):
            continue
        guilty = [u for u in users if _makes_strange(it, u, node)] or users
        if any(it.by_node[u].value.strange for u in guilty):
            continue  # which is told of the value
        told = f"the gradient of {it.name(node)} is {_strange(measured)}"
        if guilty:
            told += f"; it comes from the derivative of {it.formula(guilty[0])}"
            if at := _number_at(node, measured.first[0], row.shape):
                told += f", where {it.name(node)} is {at}"
        yield Finding("nan gradient", f"{told}.", (node, *guilty))


def _makes_strange(it: Inspection, user: Node, x: Node) -> bool:
    """Whether what a user hands on to an input is NaN or infinite."""
    if user in it.graph.calls:
        return False
    handed = contributions(user, it.gradients[user])
    return any(other is x and Measure(c).strange for _, other, c in handed)


def _missing(it: Inspection) -> Iterator[Finding]:
    """Variables of the graph at which no gradient arrives."""
    if not it.gradients:
        return
    for node in it.graph.order:
        if node.op is not None or not node.requires_grad or node in it.gradients:
            continue
        cuts = _cuts(it, node)
        why = f": {joined([it.formula(u) for u in cuts[:3]])} lets none through" if cuts else ""
        yield Finding("no gradient", f"{it.name(node)} has none{why}.", (node, *cuts))


def _cuts(it: Inspection, node: Node) -> list[Node]:
    """Where the ways from a node to the output stop to have gradients."""
    cuts, reached = [], [node]
    seen = {node}
    for x in reached:
        for user in it.users[x]:
            if user not in seen:
                seen.add(user)
                if user in it.gradients or not user.requires_grad:
                    cuts.append(user)
                else:
                    reached.append(user)
    return cuts


def _unused_inputs(it: Inspection) -> Iterator[Finding]:
    """What was expected to have a part, and has none."""
    where = it.name(it.y)
    for x in it.beside:
        if x in it._inside:
            continue
        users = [node for node in it.made if any(i is x for i in node.inputs)]
        why = "nothing uses it"
        if users:
            use = f"{listed([describe(u) for u in users])} use{'s' * (len(users) == 1)}"
            why = f"only {use} it, on no way to {where}"
        yield Finding("unused input", f"{describe(x)} does not reach {where}: {why}.", (x,))
    for name in it.idle:
        yield Finding("unused input", f"{name} does not reach {where}: nothing uses it.", ())


def _detached(it: Inspection) -> Iterator[Finding]:
    """Constants with the numbers of something that was computed, and stop_gradient."""
    ends = [node for node in it.made if node not in it._inside]
    sources = [x for x in [*ends, *it.reading.order] if x.requires_grad]
    known = {shared: x for x in sources for shared in _fingerprints(x)}
    for node in it.graph.order:
        if node.op is None and not node.requires_grad:
            source = next((known[s] for s in _fingerprints(node) if s in known), None)
            if source is not None:
                yield Finding(
                    "detached",
                    f"{it.name(node)} has the numbers of {it.name(source)}, and is a constant: no "
                    "gradient goes back.",
                    (node, source),
                )
        elif node.op is not None and node.op.name == "stop_gradient":
            (x,) = node.inputs
            if x.requires_grad:
                yield Finding("detached", f"{it.formula(node)} lets no gradient back.", (node, x))


def _fingerprints(node: Node) -> Iterator[Any]:
    """What a Node shares with a constant that was made of its value: the object, or the numbers.

    Single numbers and whole ones may be the same by chance.
    """
    value = node._value
    yield id(value)
    if value.dtype.kind == "f" and np.size(value) > 1 and np.any(value != np.round(value)):
        yield value.shape, value.dtype.char, value.tobytes()


def _zero_gradients(it: Inspection) -> Iterator[Finding]:
    """Variables whose gradient is 0 everywhere."""
    for row in it.rows:
        if row.node.op is not None or not (row.gradient and row.gradient.is_zero):
            continue
        lost = [
            user
            for x in _zeros_above(it, row.node)
            for user in it.users[x]
            if (g := it.by_node[user].gradient) and not g.is_zero
        ]
        lost = [*dict.fromkeys(lost)]
        where = f"; it is lost in {joined([it.formula(u) for u in lost[:3]])}" if lost else ""
        yield Finding("zero gradient", f"that of {row.name} is 0{where}.", (row.node, *lost))


def _zeros_above(it: Inspection, node: Node) -> list[Node]:
    """A node with those on its ways to the output whose gradients are 0 as well."""
    reached = [node]
    seen = {node}
    for x in reached:
        for user in it.users[x]:
            g = it.by_node[user].gradient
            if user not in seen and g and g.is_zero:
                seen.add(user)
                reached.append(user)
    return reached


def _fading(it: Inspection) -> Iterator[Finding]:
    """A gradient that is far smaller, or larger, at the end of its way than at its beginning.

    It is compared with that of the variable next to the output, and with that of the output.
    """
    hops = _hops(it)
    norms = {
        row.node: row.gradient.norm
        for row in it.rows
        if row.gradient and not row.gradient.strange and row.gradient.norm
    }
    leaves = [node for node in norms if node.op is None]
    if not leaves or it.y not in norms:
        return
    logs = {x: float(np.log(norm)) for x, norm in norms.items()}  # whose differences are ratios
    near = min(leaves, key=lambda x: hops[x])
    for kind, verb, sign in (("vanishing", "shrinks", -1), ("exploding", "grows", 1)):
        for start, most in ((near, FADING), (it.y, FADED)):
            ratios = {x: sign * (logs[x] - logs[start]) for x in leaves if hops[x] > hops[start]}
            far = [x for x in ratios if ratios[x] > np.log(most)]
            if not far:
                continue
            worst = max(far, key=lambda x: ratios[x])
            others = f" and of {len(far) - 1:,} more" if len(far) > 1 else ""
            way = _way(it, worst, norms)
            yield Finding(
                kind,
                f"that of {it.name(worst)}{others} {verb}: its norm is {size_text(norms[start])} "
                f"at {it.name(start)} and {size_text(norms[worst])} at {it.name(worst)}."
                f"{_guilty(it, way, logs, sign)}",
                (worst, start, *way[:_LONGEST]),
            )
            break


def _hops(it: Inspection) -> dict[Node, int]:
    """How many steps back from the output each node is."""
    hops = {it.y: 0}
    reached = [it.y]
    for node in reached:
        for x in it.graph.inputs(node):
            if x not in hops:
                hops[x] = hops[node] + 1
                reached.append(x)
    return hops


def _way(it: Inspection, leaf: Node, norms: dict[Node, float]) -> list[Node]:
    """From a leaf to the output, by the user with the largest gradient each time."""
    way = [leaf]
    while users := [u for u in it.users[way[-1]] if u in norms]:
        way.append(max(users, key=lambda u: norms[u]))
    return way


def _guilty(it: Inspection, way: list[Node], logs: dict[Node, float], sign: int) -> str:
    """Which operation on a way changes the gradient most, all of its kind together."""
    changes: dict[str, list[float]] = {}
    for x, user in pairwise(way):
        changes.setdefault(it.by_node[user].operation, []).append(logs[x] - logs[user])
    name = max(changes, key=lambda name: sign * sum(changes[name]))
    if sign * sum(changes[name]) <= 0:
        return ""
    with np.errstate(over="ignore"):
        mean, times = size_text(float(np.exp(np.mean(changes[name])))), len(changes[name])
    how = f"{times} times, by {mean} each time on the average" if times > 1 else f"by {mean}"
    return f" Most of it happens in {name}, which multiplies it {how}."


def _accumulated(it: Inspection) -> Iterator[Finding]:
    """Variables that hold another gradient than one backward pass gives."""
    alike: dict[int, list[Node]] = {}
    for node in it.graph.order:
        g = it.gradients.get(node)
        if node.op is not None or g is None or node.grad is None:
            continue
        held, g = np.asarray(node.grad, float), np.asarray(g, float)
        if held.shape != g.shape or not np.allclose(held, g, rtol=1e-5, atol=1e-12, equal_nan=True):
            alike.setdefault(_multiple(held, g), []).append(node)
    for times, nodes in alike.items():
        names = [it.name(node) for node in nodes]
        several = f"each of {listed(names)} holds" if len(names) > 1 else f"{names[0]} holds"
        yield Finding(
            "accumulated",
            f"{several} in grad {f'{times} times' if times else 'something else than'} what one "
            "backward pass gives. backward() adds to what is there: set grad = None before.",
            (*nodes,),
        )


def _multiple(held: np.ndarray, g: np.ndarray) -> int:
    """The whole number of times that g is in what is held; 0 if there is none."""
    if held.shape != g.shape:
        return 0
    with np.errstate(over="ignore", invalid="ignore"):
        norm, common = float(np.vdot(g, g)), float(np.vdot(held, g))
    if not np.isfinite([norm, common]).all() or norm == 0:
        return 0
    times = round(common / norm)
    return times if times > 1 and np.allclose(held, times * g, rtol=1e-5, atol=1e-12) else 0


def _stretched(it: Inspection) -> Iterator[Finding]:
    """Elementwise operations that stretch both of their inputs, as of (n, 1) and (n,)."""
    for node in it.graph.order:
        if node in it.graph.calls or node.op is None or len(node.inputs) != 2:
            continue
        x, y = node.inputs
        if not node.op.partials or not x.shape or not y.shape:
            continue
        if x.size < node.size > y.size:
            yield Finding(
                "broadcast",
                f"{it.formula(node)} stretches both of its inputs: {shape_text(x.shape)} and "
                f"{shape_text(y.shape)} make {shape_text(node.shape)}.",
                (node, x, y),
            )


def _idle_units(it: Inspection) -> Iterator[Finding]:
    """Units that are 0 for all examples, or at a limit where their derivative is nearly 0."""
    for row in it.rows:
        name = row.operation
        node = row.node
        if not (node.op and node.size and name in ("relu", "tanh", "sigmoid")):
            continue
        if row.value.strange:
            continue
        out = np.asarray(node._value)
        local = {"relu": out, "tanh": 1 - out * out, "sigmoid": out * (1 - out)}[name]
        axis = 1 if out.ndim > 3 else max(out.ndim - 1, 0)
        others = tuple(i for i in range(out.ndim) if i != axis)
        idle = np.asarray((local <= (0 if name == "relu" else SATURATED)).all(axis=others))
        count, examples = int(idle.sum()), node.size // max(idle.size, 1)
        if not count or (examples == 1 and count < idle.size):
            continue
        which = f"{count} of {idle.size} units" if idle.size > 1 else "the only unit"
        all_of = f" for each of {examples:,} examples" if examples > 1 else ""
        are = "are" if count > 1 and idle.size > 1 else "is"
        if name == "relu":
            yield Finding(
                "dead units",
                f"{which} of {it.formula(node)} {are} 0{all_of}, and no gradient goes through.",
                (node,),
            )
        else:
            yield Finding(
                "saturated",
                f"{which} of {it.formula(node)} {are} at a limit{all_of}: the local derivative is "
                f"below {number(SATURATED)}.",
                (node,),
            )


def _unused(it: Inspection) -> Iterator[Finding]:
    """What was computed beside the graph, and is used by nothing."""
    outside = [node for node in it.made if node not in it._inside and node.op is not None]
    used = {x for node in outside for x in node.inputs}
    for node in outside:
        if node not in used:
            yield Finding("unused", f"{describe(node)} is on no way to {it.name(it.y)}.", (node,))


_SEARCHES = (
    _values,
    _gradients,
    _missing,
    _unused_inputs,
    _detached,
    _zero_gradients,
    _fading,
    _accumulated,
    _stretched,
    _idle_units,
    _unused,
)
