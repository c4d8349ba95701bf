"""Calls of composed functions, such as `softmax`: each one box of the drawing, unless opened.

The Nodes that a call makes lie in a scope of its own, "softmax()#7". `contracted` lets the output
of each call stand for all of them. It contracts only calls from which one Node alone is used, so
that the box can show that Node's value, and so that no cycle can arise: all that is in such a call
leads to its output, so a way out of the call and back into it would be a cycle of Nodes.

A graph of gradients often uses some Node in a call, but not its output. A Node that is known not to
be the output is marked by "~", as in "softmax()#7~", and never stands for its call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from ..graph.hooks import hooked
from .text import quoted

_MARK = "()#"  # between a function's name and the number of the call, at the end of a path
_INNER = re.compile(r"(?<=[^/]\(\)#)([0-9]+)~(?=/|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is drawn as one box.

    Attributes:
        name: of the function.
        path: of the scope that its Nodes lie in; it can be opened by it.
        scope: the path around the call.
        inputs: the Nodes from outside that are used in it, each once, in the order of their use.
        operations: how many it holds.
    """

    name: str
    path: str
    scope: str
    inputs: tuple[Node, ...]
    operations: int


@dataclass(frozen=True)
class Contraction:
    """A graph in which some calls count as one operation each.

    Attributes:
        order: the Nodes in topological order, of each call only its output.
        calls: the calls by their outputs.
        outputs: for each Node inside a call its output.
        titles: what the paths of opened calls end in, to a reader: "softmax", or "softmax (2)".
        scopes: the paths without marks, for those that lie in calls.
        closable: by the paths of opened calls that could be one operation each, their outputs.
    """

    order: list[Node]
    calls: dict[Node, Call] = field(default_factory=dict)
    outputs: dict[Node, Node] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    closable: dict[str, Node] = field(default_factory=dict)

    def inputs(self, node: Node) -> tuple[Node, ...]:
        """What a Node, or the call that it stands for, uses."""
        return self.calls[node].inputs if node in self.calls else node.inputs

    def scope(self, node: Node) -> str:
        """The path of the scope that a Node, or the call that it stands for, lies in."""
        if node in self.calls:
            return self.calls[node].scope
        return self.scopes.get(node.scope, node.scope)

    def standing_for(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """The Nodes of `order` that stand for these."""
        return tuple(self.outputs.get(node, node) for node in nodes)

    def shown(self, scope: str) -> str:
        """Write the path of a scope without the numbers of calls."""
        if not self.titles:
            return scope
        path, names = "", []
        for name in scope.split("/"):
            path = f"{path}/{name}" if path else name
            names.append(self.titles.get(path, name))
        return "/".join(names)


def contracted(order: list[Node], outputs: list[Node], opened: Iterable[Any] = ()) -> Contraction:
    """Contract the calls of a graph, given in topological order, except those to be opened.

    Args:
        order: the Nodes of the graph.
        outputs: those that are asked for.
        opened: what to open: names of functions, paths of calls, Nodes, or True for all calls.

    Raises:
        MinigraphError: if no call in the graph has such a name, or none has made such a Node.
        NodeTypeError: if something in `opened` is neither.
    """
    around = {s: paths for s in {node.scope for node in order} if (paths := _calls_around(s))}
    is_opened = _opened(opened, around)
    if not around:
        return Contraction(order)
    closable = {
        path: node
        for path, (node, *others) in _used_outside(order, outputs, around).items()
        if not others and _may_be_output(node, path)
    }
    folded = {path: node for path, node in closable.items() if path not in is_opened}
    home = {scope: _outermost(paths, folded) for scope, paths in around.items()}
    inside: dict[str, list[Node]] = {}
    kept = []
    for node in order:
        path = home.get(node.scope)
        if path is None:
            kept.append(node)
        else:
            inside.setdefault(path, []).append(node)
            if node is folded[path]:
                kept.append(node)
    titles = _titles(order, around, home)
    return Contraction(
        kept,
        {folded[path]: _call(path, nodes) for path, nodes in inside.items()},
        {node: folded[path] for path, nodes in inside.items() for node in nodes},
        titles,
        {scope: _unmarked(scope) for scope in around},
        {path: node for path, node in closable.items() if path in titles},
    )


def _calls_around(scope: str) -> tuple[str, ...]:
    """The paths of the calls that a scope lies in, outermost first."""
    if _MARK not in scope:
        return ()
    names = _unmarked(scope).split("/")
    return tuple("/".join(names[: i + 1]) for i, name in enumerate(names) if _is_call(name))


def _unmarked(scope: str) -> str:
    return _INNER.sub(r"\1", scope)


def _may_be_output(node: Node, path: str) -> bool:
    """Whether a Node in a call can be what the call returned: an operation without the mark."""
    name = node.scope.split("/")[path.count("/")]
    return node.op is not None and _unmarked(name) == name


def _is_call(name: str) -> bool:
    function, _, number = name.rpartition(_MARK)
    return bool(function) and number.isdecimal()


def _split(path: str) -> tuple[str, str]:
    """The path around a call, and the name of its function."""
    outer, _, name = path.rpartition("/")
    return outer, name.rpartition(_MARK)[0]


def _used_outside(
    order: list[Node], outputs: list[Node], around: dict[str, tuple[str, ...]]
) -> dict[str, set[Node]]:
    """For each call, the Nodes in it that are used outside, asked for or hooked; one at least."""
    used: dict[str, set[Node]] = {}
    for y in [*outputs, *hooked(order)]:
        for path in around.get(y.scope, ()):
            used.setdefault(path, set()).add(y)
    for node in order:
        for x in node.inputs:
            if x.scope != node.scope:
                still_inside = around.get(node.scope, ())
                for path in around.get(x.scope, ()):
                    if path not in still_inside:
                        used.setdefault(path, set()).add(x)
    return used


def _outermost(paths: tuple[str, ...], folded: dict[str, Node]) -> str | None:
    return next((path for path in paths if path in folded), None)


def _call(path: str, nodes: list[Node]) -> Call:
    members = set(nodes)
    inputs = dict.fromkeys(x for node in nodes for x in node.inputs if x not in members)
    scope, name = _split(path)
    return Call(name, path, scope, tuple(inputs), sum(node.op is not None for node in nodes))


def _titles(
    order: list[Node], around: dict[str, tuple[str, ...]], home: dict[str, str | None]
) -> dict[str, str]:
    """What each opened call is called; several of one function in one scope are numbered."""
    opened: dict[str, tuple[str, str]] = {}
    for scope in dict.fromkeys(node.scope for node in order):
        for path in around.get(scope, ()):
            if path == home[scope]:
                break
            opened[path] = _split(path)
    total, seen = Counter(opened.values()), Counter[tuple[str, str]]()
    titles = {}
    for path, (outer, name) in opened.items():
        seen[outer, name] += 1
        titles[path] = f"{name} ({seen[outer, name]})" if total[outer, name] > 1 else name
    return titles


# --- which calls to open --------------------------------------------------------------------------


def _opened(wanted: Iterable[Any], around: dict[str, tuple[str, ...]]) -> set[str]:
    """The paths of the calls that were asked to be opened."""
    names: dict[str, list[str]] = {}
    for path in {path for paths in around.values() for path in paths}:
        names.setdefault(_split(path)[1], []).append(path)
    opened: set[str] = set()
    for item in wanted:
        if isinstance(item, bool):
            opened.update(path for paths in names.values() for path in paths if item)
        elif isinstance(item, Node):
            if item.scope not in around:
                raise MinigraphError(
                    f"{describe(item)} cannot be opened: it is a single operation or an input, "
                    "not the output of a composed function",
                    (item,),
                )
            opened.update(around[item.scope])
        elif isinstance(item, str) and _is_call(item):
            opened.add(item)
        elif isinstance(item, str):
            if item not in names:
                raise MinigraphError(_unknown(item, sorted(names)))
            opened.update(names[item])
        else:
            raise NodeTypeError(
                "opened takes True, the names of functions such as 'softmax', or Nodes, "
                f"not {type(item).__name__} {item!r:.40}"
            )
    return opened


def listed(wanted: Any) -> list[Any]:
    """List what is to be opened, be it one thing or several."""
    if isinstance(wanted, (str, Node)) or not isinstance(wanted, Iterable):
        return [wanted]
    return list(wanted)


def _unknown(name: str, names: list[str]) -> str:
    if not names:
        return f"there is no {name!r:.60} to open: this graph holds no call of a composed function"
    near = get_close_matches(name, names, 1)
    hint = f"; did you mean {near[0]!r:.60}?" if near else ""
    return f"this graph holds no call of {name!r:.60}, only of {quoted(names)}{hint}"
