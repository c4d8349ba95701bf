"""Boxes for what another system calls one operation and minigraph several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from ..core.node import Node, new_seq
from ..graph.context import scope


def boxed(
    name: str, path: Iterable[str], inputs: Iterable[Any], rule: Callable[[], Any]
) -> list[Any]:
    """What a rule gives, as a list; several operations lie in a scope of their own.

    That is one box in a drawing, which opens, as a call of `mg.softmax` is. A single operation, or
    a single such call, lies in the path itself.
    """
    if not any(isinstance(x, Node) for x in inputs):
        return listed(rule())
    mark = f"{name}()#{next(new_seq)}"
    first = next(new_seq)
    with ExitStack() as around:
        for part in path:
            around.enter_context(scope(part.replace("()#", " ")))
        around.enter_context(scope(f"{mark}~"))
        results = listed(rule())
    nodes = [y for y in results if isinstance(y, Node)]
    made = _made_since(first, nodes)
    operations = [x for x in made if x.op]
    is_one = len(operations) == 1 or _is_one_call(operations, mark)
    for x in made:
        outer, _, inner = x.scope.partition(f"{mark}~")
        if is_one:
            x.scope = (outer + inner.removeprefix("/")).rstrip("/")
        elif len(nodes) == 1 and x is nodes[0]:
            x.scope = f"{outer}{mark}{inner}"
    return results


def listed(results: Any) -> list[Any]:
    """One result, or several, as a list."""
    return [*results] if isinstance(results, list | tuple) else [results]


def _made_since(first: int, nodes: Sequence[Node]) -> list[Node]:
    found = dict.fromkeys(x for x in nodes if x.seq > first)
    stack = [*found]
    while stack:
        for x in stack.pop().inputs:
            if x.seq > first and x not in found:
                found[x] = None
                stack.append(x)
    return [*found]


def _is_one_call(operations: Sequence[Node], mark: str) -> bool:
    """Whether all lie in one call of a composed function, which is a box already."""
    calls = {x.scope.partition(f"{mark}~/")[2].split("/")[0].removesuffix("~") for x in operations}
    return len(calls) == 1 and "()#" in calls.pop()
