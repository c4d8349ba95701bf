"""A graph of scalars as plain arithmetic on Python's numbers, which is faster than NumPy's.

Python refuses what IEEE 754 has an answer for, such as 1 ÷ 0 and log 0. The plan then computes the
graph with NumPy's numbers instead.
"""

from __future__ import annotations

import math

import numpy as np

from ..core.node import Node
from ..graph.graph import Graph
from .program import Program, Writer
from .traits import known


def is_scalar(graph: Graph) -> bool:
    """Whether a graph is made of float64 scalars, and of operations that Python has for them."""
    return all(map(_is_arithmetic, graph.order))


def _is_arithmetic(node: Node) -> bool:
    if node.shape:
        return False
    if node.op is None:
        return node.dtype == np.float64
    if not known(node).python:
        return False
    if node.dtype == np.bool_:  # of a comparison
        return any(x.dtype == np.float64 for x in node.inputs)
    return node.dtype == np.float64


def scalar_program(graph: Graph, updates: dict[Node, Node], is_single: bool) -> Program:
    """Write a graph of scalars; see `Writer`."""
    return _ScalarWriter(graph, updates, is_single).program()


class _ScalarWriter(Writer):
    """Writes one program."""

    def program(self) -> Program:
        """The whole program."""
        self.names |= {"nan": math.nan, "inf": math.inf, "float64": np.float64}
        for name in self.parameters:
            self.line(f"{name} = float({name})")
        for node in self.graph.order:
            if node.op is not None:
                self.line(f"{self.called[node]} = {self._text(node)}", node)
            elif node.requires_grad and node not in self.called:
                name = self.called[node] = self.spare.own(node, "w")
                variable = self.spare.new("node")
                self.names[variable] = node
                self.line(f"{name} = float({variable}._value)")
            elif node not in self.called:
                self.called[node] = _literal(node)
        results = [self._boxed(y) for y in self.outputs]
        new = [self._boxed(u) for u in self.updates.values()]
        return Program(self.source(results, new), self.names)

    def _text(self, node: Node) -> str:
        row = known(node)
        for function in row.functions:
            self.names[function] = getattr(math, function)
        return row.python.format(*[self.called[x] for x in node.inputs])

    def _boxed(self, y: Node) -> str:
        """A result, as NumPy's scalar."""
        if y.dtype == np.bool_:
            self.names["bool_"] = np.bool_
            return f"bool_({self.called[y]})"
        return f"float64({self.called[y]})"


def _literal(node: Node) -> str:
    text = repr(node._value.item())
    return f"({text})" if text.startswith("-") else text
