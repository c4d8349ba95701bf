"""A graph of scalars as plain arithmetic on Python's numbers, which is faster than NumPy's.

Python refuses what IEEE 754 has an answer for, such as 1 ÷ 0 and log 0. The plan then computes the
graph with NumPy's numbers instead.
"""

from __future__ import annotations

import math

import numpy as np

from ..core.node import Node
from ..graph.graph import Graph
from .program import Program, Writer, known

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/",
    "equal": "==", "not_equal": "!=", "greater": ">", "greater_equal": ">=", "less": "<",
    "less_equal": "<=",
}  # fmt: skip
_MATH = {name: name for name in (
    "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh",
    "cosh", "tanh", "erf", "hypot",
)} | {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "power": "pow", "absolute": "fabs",
}  # fmt: skip
_TEXTS = {
    "negative": "-{}",
    "square": "{0} * {0}",
    "reciprocal": "1.0 / {}",
    "sigmoid": "1.0 / (1.0 + exp(-{}))",
    "relu": "({0} if {0} > 0.0 else 0.0 if {0} <= 0.0 else nan)",
    "maximum": "({0} if {0} > {1} else {1} if {1} >= {0} else nan)",
    "minimum": "({0} if {0} < {1} else {1} if {1} <= {0} else nan)",
    "where": "({1} if {0} else {2})",
    "stop_gradient": "{}",
}


def is_scalar(graph: Graph) -> bool:
    """Whether a graph is made of float64 scalars, and of operations that Python has for them."""
    return all(map(_is_arithmetic, graph.order))


def _is_arithmetic(node: Node) -> bool:
    if node.shape:
        return False
    if node.op is None:
        return node.dtype == np.float64
    name = known(node)
    if node.dtype == np.bool_:
        return name in _INFIX and any(x.dtype == np.float64 for x in node.inputs)
    return node.dtype == np.float64 and (name in _INFIX or name in _MATH or name in _TEXTS)


def scalar_program(graph: Graph, updates: dict[Node, Node], is_single: bool) -> Program:
    """Write a graph of scalars; see `Writer`."""
    writer = Writer(graph, updates, is_single)
    called, names = writer.called, writer.names
    names |= {"nan": math.nan, "inf": math.inf, "exp": math.exp, "float64": np.float64}
    for name in writer.parameters:
        writer.line(f"{name} = float({name})")
    for node in graph.order:
        if node.op is not None:
            writer.line(f"{called[node]} = {_text(node, writer)}", node)
        elif node.requires_grad and node not in called:
            called[node] = writer.spare.own(node, "w")
            variable = writer.spare.new("node")
            names[variable] = node
            writer.line(f"{called[node]} = float({variable}._value)")
        elif node not in called:
            called[node] = _literal(node)
    results = [_boxed(y, writer) for y in writer.outputs]
    new = [_boxed(u, writer) for u in updates.values()]
    return Program(writer.source(results, new), names)


def _text(node: Node, writer: Writer) -> str:
    name, inputs = known(node), [writer.called[x] for x in node.inputs]
    if name in _INFIX:
        return f" {_INFIX[name]} ".join(inputs)
    if name in _MATH:
        writer.names[_MATH[name]] = getattr(math, _MATH[name])
        return f"{_MATH[name]}({', '.join(inputs)})"
    return _TEXTS[name].format(*inputs)


def _literal(node: Node) -> str:
    text = repr(node._value.item())
    return f"({text})" if text.startswith("-") else text


def _boxed(y: Node, writer: Writer) -> str:
    """A result, as NumPy's scalar."""
    if y.dtype == np.bool_:
        writer.names["bool_"] = np.bool_
        return f"bool_({writer.called[y]})"
    return f"float64({writer.called[y]})"
