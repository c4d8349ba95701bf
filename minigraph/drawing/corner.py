"""Errors that draw: in a notebook, an error shows the corner of the graph that it is about.

A ShapeError, a GradientError, an AnomalyError, and whatever else names Nodes that are joined, is
shown as a drawing in which the edge at fault is marked, then by the lines of the reader's own code
and one sentence. An operation that was refused, and so is no Node, is drawn with its operands.
Elsewhere, in a terminal or a test, an error is the text that it always is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from ..core.node import Node, copied, leaf
from ..core.operation import Operation
from ..errors import MinigraphError
from ..graph.context import is_ours
from ..graph.symbolic import Unknown
from ..reading import Reading
from .diagram import diagram
from .drawing import Drawing

REFUSED = "does not fit"  # what stands in the box of an operation that was refused
_DEPTH = 2  # operations before those that an error names
_MOST = 14  # boxes


def corner(error: MinigraphError) -> Drawing | None:
    """Draw what an error is about, with the edges at fault marked; None where nothing is joined."""
    named = [x for x in error.nodes if isinstance(x, Node)]
    if not named:
        return None
    copies = _copies(named)
    ends = list(dict.fromkeys(copies[x] for x in named))
    lit: list[Any] = [ends[0]]
    if error.refused:
        refused = _refused(*error.refused, tuple(copies[x] for x in named))
        lit, ends = [refused, *((x, refused) for x in refused.inputs)], [*ends, refused]
    else:
        lit += [(x, user) for user in ends for x in user.inputs if x in ends] or ends[1:]
    if not any(x.inputs for x in copies.values()) and not error.refused:
        return None
    used = {x for copy in [*copies.values(), *ends] for x in copy.inputs}
    outputs = [x for x in dict.fromkeys([*ends, *copies.values()]) if x not in used]
    drawn = diagram(Reading(outputs, True, False), gradients=False, highlight=lit)
    boxes = [replace(x, value=None) if x.label == REFUSED else x for x in drawn.boxes]
    return Drawing(replace(drawn, boxes=boxes), "right")


def _copies(named: Sequence[Node]) -> dict[Node, Node]:
    """The Nodes around those that an error names, as a graph of its own.

    Those at its border are shown without what they were computed from.
    """
    around = dict.fromkeys(named)
    border = list(around)
    for _ in range(_DEPTH):
        inputs = dict.fromkeys(x for node in border for x in node.inputs if x not in around)
        border = list(inputs)[: _MOST - len(around)]
        around |= dict.fromkeys(border)
    copies: dict[Node, Node] = {}
    for node in sorted(around, key=lambda x: x.seq):
        whole = all(x in copies for x in node.inputs)
        inputs_ = tuple(copies[x] for x in node.inputs) if whole else ()
        copy = copies[node] = copied(node, inputs_, node._value, node.seq)
        copy.scope = ""  # what a call returns is not all of it
    return copies


def _refused(name: str, symbol: str, inputs: tuple[Node, ...]) -> Node:
    """A Node for an operation that was refused: one without a value."""
    node = leaf(Unknown((), np.dtype(float)), requires_grad=False, name=REFUSED)
    node.op = Operation(name, symbol, ("*inputs",), _never, (), None, _never)
    node.inputs, node.scope = inputs, ""
    return node


def _never(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def _render_traceback(self: MinigraphError) -> list[str]:
    """The lines of the reader's own code, and one sentence; IPython asks for this.

    In a notebook the corner of the graph is shown before, once for a cell: IPython asks a second
    time, for what it keeps of the cell.
    """
    shell = sys.modules["IPython"].get_ipython()
    if getattr(shell, "kernel", None) is not None and (
        vars(self).get("_drawn_in") != shell.execution_count
    ):
        vars(self)["_drawn_in"] = shell.execution_count
        if drawing := corner(self):
            sys.modules["IPython.display"].display(drawing)
    own = _without_ours(self.__traceback__)
    return shell.InteractiveTB.structured_traceback(type(self), self, own, tb_offset=0)


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package, and of what runs the cells."""
    kept: list[TracebackType] = []
    while trace:
        module = trace.tb_frame.f_globals.get("__name__") or ""
        if not is_ours(trace.tb_frame) and module.partition(".")[0] != "IPython":
            kept.append(trace)
        trace = trace.tb_next
    following = None
    for each in reversed(kept):
        following = TracebackType(following, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return following


MinigraphError._render_traceback_ = _render_traceback  # type: ignore[attr-defined]
