"""What the Nodes of a graph are called."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import NamedTuple

from ..core.node import Node
from .calls import Contraction
from .text import clean, subscript, value_text


class Name(NamedTuple):
    """What a Node is called.

    Attributes:
        label: in a picture; "" for a constant without a name.
        full: in words: different for each Node, but for constants, which may be their value.
    """

    label: str
    full: str


def node_names(graph: Contraction) -> dict[Node, Name]:
    """Give each Node of a graph a label, and a full name that no other has.

    Operations without a name are v₁, v₂ … in topological order, after Wengert; constants without a
    name are their number, so their label is empty.
    """
    labels = {node: clean(node.name) if node.name else "" for node in graph.order}
    taken = set(labels.values())
    operations, variables = count(1), count(1)
    for node in graph.order:
        if node.name:
            continue
        if node.op is not None:
            label = f"v{subscript(next(operations))}"
            while label in taken:
                label = f"v{subscript(next(operations))}"
            labels[node] = label
        elif node.kind == "variable":
            labels[node] = f"x{subscript(next(variables))}"
    return _told_apart(labels, graph)


def _told_apart(labels: dict[Node, str], graph: Contraction) -> dict[Node, Name]:
    """Add what distinguishes Nodes of the same name: the scope, where that does, else a number."""
    by_name = Counter(labels.values())
    if all(n == 1 for label, n in by_name.items() if label):
        return {x: Name(label, label or value_text(x.value)) for x, label in labels.items()}
    paths = {scope: graph.shown(scope) for scope in {graph.scope(node) for node in labels}}
    paths = {scope: clean(path) if path else "" for scope, path in paths.items()}
    scopes = {node: paths[graph.scope(node)] for node in labels}
    by_path = Counter((label, scopes[node]) for node, label in labels.items())
    numbers = {path: count(1) for path, nodes in by_path.items() if nodes > 1}
    names: dict[Node, Name] = {}
    taken = {""}
    for node, label in labels.items():
        start, scope = label, scopes[node]
        if label and (label, scope) in numbers:
            while by_path[label, scope]:
                label = f"{start} ({next(numbers[start, scope])})"
        path = full = f"{scope}/{label}" if label and by_name[start] > 1 and scope else label
        further = count(2)
        while label and full in taken:  # by another's own name, such as "scope/a"
            full = f"{path} ({next(further)})"
        taken.add(full)
        names[node] = Name(label, full or value_text(node.value))
    return names
