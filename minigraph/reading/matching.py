"""Two graphs that have much in common: which Node of one is which of the other.

Nodes that are computed in the same way from the same leaves are the same, and so are those of one
name. From there it goes on to neighbours: the inputs of the same operation in the same place, and
its users. So a change in the middle does not make all that comes after it another graph, and what
is left over is what only one of them has. It takes a time that is linear in the graphs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from ..core.node import Node
from ..core.order import topological_order

_STEPS, _NEAR = 3, 12  # how far, and at how many Nodes, it is looked beyond a change

Slot = tuple[Node, Node, int]  # an edge: input, user, place


def kinds(order: Iterable[Node], known: dict[Hashable, int]) -> dict[Node, int]:
    """A number for each Node; the same as in another graph if it is made in the same way.

    The numbers stand in `known`, which the graphs share.
    """
    numbers: dict[Node, int] = {}
    for node in order:
        made: tuple[Any, ...] = (node.name, node.shape)
        if node.op is not None:
            made = (node.op.name, repr(node.attrs), *(numbers[x] for x in node.inputs))
        elif node.kind == "constant":
            made = (node.name, repr(node.value))
        numbers[node] = known.setdefault(made, len(known))
    return numbers


class Matching:
    """Which Node of one graph is which of another.

    Attributes:
        order, other_order: their Nodes in topological order.
        partner: the Node of the other graph, by that of the one.
        back: the same, the other way.
    """

    def __init__(self, outputs: Sequence[Node], other_outputs: Sequence[Node]) -> None:
        """Match the graphs of some outputs, and the outputs in their order."""
        self.order, self.other_order = map(topological_order, (outputs, other_outputs))
        self.partner: dict[Node, Node] = {}
        self.back: dict[Node, Node] = {}
        self._new: deque[tuple[Node, Node]] = deque()
        self._users, self._other_users = map(_users, (self.order, self.other_order))
        others = {*self.other_order}
        for node in self.order:
            if node in others:
                self._match(node, node)
        known: dict[Hashable, int] = {}
        self._unique(*(kinds(order, known) for order in (self.order, self.other_order)))
        self._unique(*map(_names, (self.order, self.other_order)))
        for x, y in zip(outputs, other_outputs):
            self._try(x, y)
        self._spread(exactly=True)
        for x, y in list(self.partner.items()):
            self._new.append((x, y))
        self._spread(exactly=False)
        self._bridge()

    @property
    def only_one(self) -> list[Node]:
        """What the other graph has not."""
        return [node for node in self.order if node not in self.partner]

    @property
    def only_other(self) -> list[Node]:
        """What the one graph has not."""
        return [node for node in self.other_order if node not in self.back]

    @property
    def edges(self) -> tuple[list[Slot], list[Slot]]:
        """The edges between Nodes of both graphs that only one of these has, for each of them."""
        return _strange(self.order, self.partner), _strange(self.other_order, self.back)

    def _match(self, x: Node, y: Node) -> None:
        self.partner[x], self.back[y] = y, x
        self._new.append((x, y))

    def _try(self, x: Node, y: Node) -> None:
        """Match two Nodes that are alike and have no partners yet."""
        if x not in self.partner and y not in self.back and _label(x) == _label(y):
            self._match(x, y)

    def _unique(self, keys: dict[Node, Any], other_keys: dict[Node, Any]) -> None:
        """Match Nodes whose key no other has in its graph; a number may be in many places."""
        groups, other_groups = _grouped(keys), _grouped(other_keys)
        for key, (x, *more) in groups.items():
            y, *others = other_groups.get(key, (None,))
            if y is not None and not more and not others and not _is_number(x):
                self._try(x, y)

    def _spread(self, exactly: bool) -> None:
        """Go on from what is matched to its inputs and its users, until nothing more is found.

        Of several users that are alike each has a partner; or, unless `exactly`, the first have.
        """
        while self._new:
            x, y = self._new.popleft()
            for a, b in zip(x.inputs, y.inputs):
                self._try(a, b)
            if len(x.inputs) != len(y.inputs) or not exactly:
                for a, b in _alike(x.inputs, y.inputs, self.partner, self.back):
                    self._try(a, b)
            groups = _grouped_users(x, self._users, self.partner)
            other_groups = _grouped_users(y, self._other_users, self.back)
            for key, users in groups.items():
                others = other_groups.get(key, [])
                if len(users) == len(others) or not exactly:
                    for a, b in zip(users, others):
                        self._try(a, b)

    def _bridge(self) -> None:
        """Match what is alike and stands between changes, a few steps after the same Node."""
        waiting: dict[Any, deque[Node]] = {}
        for y in self.only_other:
            if not _is_number(y):
                for near in _before(y, self.back):
                    waiting.setdefault((_label(y), near), deque()).append(y)
        for x in self.only_one:
            for near in _before(x, self.partner) if not _is_number(x) else ():
                alike = waiting.get((_label(x), self.partner[near]), deque())
                while alike and x not in self.partner:
                    self._try(x, alike.popleft())
            self._spread(exactly=False)


def _label(node: Node) -> tuple[Any, ...]:
    """What two Nodes have in common that can be the same, wherever they stand."""
    if node.op is not None:
        # A program that was watched tells no settings that are as they are anyway.
        told = {k: a for k, a in node.attrs.items() if a is not None and a is not False}
        return node.op.name, repr(told)
    if node.name:
        return "leaf", node.name, node.shape
    if node.kind == "constant":
        return node.kind, node.name, repr(node._value)
    return node.kind, node.name, node.shape


def _is_number(node: Node) -> bool:
    """Whether a Node is a number in a formula, which is the same only where its user is."""
    return node.kind == "constant" and not node.name


def _names(order: Iterable[Node]) -> dict[Node, Any]:
    return {node: (node.scope, node.name, _label(node)) for node in order if node.name}


def _grouped(keys: dict[Node, Any]) -> dict[Any, list[Node]]:
    groups: dict[Any, list[Node]] = {}
    for node, key in keys.items():
        groups.setdefault(key, []).append(node)
    return groups


def _users(order: Iterable[Node]) -> dict[Node, list[tuple[Node, int]]]:
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in order:
        for slot, x in enumerate(node.inputs):
            users.setdefault(x, []).append((node, slot))
    return users


def _grouped_users(
    node: Node, users: dict[Node, list[tuple[Node, int]]], matched: dict[Node, Node]
) -> dict[Any, list[Node]]:
    """The users of a Node that have no partners, by what they are and as what they use it."""
    groups: dict[Any, list[Node]] = {}
    for user, slot in users.get(node, ()):
        if user not in matched:
            groups.setdefault((_label(user), slot), []).append(user)
    return groups


def _alike(
    inputs: Iterable[Node],
    others: Iterable[Node],
    partner: dict[Node, Node],
    back: dict[Node, Node],
) -> Iterable[tuple[Node, Node]]:
    """Inputs that are alike but stand in other places, in their order."""
    waiting: dict[Any, deque[Node]] = {}
    for y in others:
        if y not in back:
            waiting.setdefault(_label(y), deque()).append(y)
    for x in inputs:
        if x not in partner and (alike := waiting.get(_label(x))):
            yield x, alike.popleft()


def _before(node: Node, matched: dict[Node, Node]) -> list[Node]:
    """The matched Nodes that are a few steps before a Node."""
    near = list(dict.fromkeys(node.inputs))
    for _ in range(_STEPS):
        further = [x for y in near if y not in matched for x in y.inputs]
        near = list(dict.fromkeys([x for x in near if x in matched] + further))[:_NEAR]
    return [x for x in near if x in matched]


def _strange(order: Iterable[Node], partner: dict[Node, Node]) -> list[Slot]:
    found = []
    for node in order:
        if node in partner:
            inputs = partner[node].inputs
            for slot, x in enumerate(node.inputs):
                there = inputs[slot] if slot < len(inputs) else None
                if x in partner and partner[x] is not there:
                    found.append((x, node, slot))
    return found
