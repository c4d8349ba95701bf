"""Read a typed expression into a graph, without ever running it.

Python's own parser makes the syntax tree; the allow-list below turns it into Nodes. Whatever is not
on the list is refused with an error that points at the character.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import MinigraphError, ParseError
from .node import Node, leaf, variable
from .ops import FUNCTIONS

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: FUNCTIONS["add"],
    ast.Sub: FUNCTIONS["subtract"],
    ast.Mult: FUNCTIONS["multiply"],
    ast.Div: FUNCTIONS["divide"],
    ast.Pow: FUNCTIONS["power"],
    ast.MatMult: FUNCTIONS["matmul"],
    ast.USub: FUNCTIONS["negative"],
    ast.UAdd: lambda x: x,
}
# What books print and keyboards lack, replaced one character for one, so that positions stay.
_TYPESET = str.maketrans({"·": "*", "×": "*", "÷": "/", "−": "-"})
_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*")


def parse(text: str, **values: Any) -> Node:
    """Read an expression such as `"(a + b) * (b - c)"` and compute it as a graph.

    The text may name results on the way, one to a line or separated by `;`, and the last one is
    returned: `"d = a + b; e = b - c; y = d * e"`. Allowed are numbers, `pi`, names, `+ - * / ** @`,
    parentheses, and the functions of `minigraph.graph.ops`, such as `sin(a)` or `maximum(a, b)`.

    Args:
        text: the expression.
        values: what each name stands for: a number or an array, which becomes a variable, or a
        Node.

    Raises:
        ParseError: pointing at the character, for anything else and for unknown names.
    """
    if not isinstance(text, str):
        raise ParseError(f"an expression is a text, not {type(text).__name__}", repr(text)[:60], 0)
    names = {k: v if isinstance(v, Node) else variable(v, name=k) for k, v in values.items()}
    dtype = np.result_type(*(x.dtype for x in names.values())) if names else np.dtype(float)
    result = None
    start = 0
    for statement in re.split("[;\n]", text):
        if statement.strip():
            assigned = _ASSIGNMENT.match(statement)
            skipped = assigned.end() if assigned else len(statement) - len(statement.lstrip())
            result = _read(statement[skipped:], start + skipped, text, names, dtype)
            if assigned:
                name = assigned[1]
                if name in names:
                    at = start + assigned.start(1)
                    raise ParseError(f"{name} has a value already; take another name", text, at)
                names[name] = result if result.name else result.named(name)
        start += len(statement) + 1
    if result is None:
        raise ParseError("there is no expression; write for example (a + b) * (b - c)", text, 0)
    return result


def _read(source: str, start: int, text: str, names: dict[str, Node], dtype: np.dtype) -> Node:
    """Compute the expression `source`, which stands at `start` in `text`."""

    def error(message: str, at: ast.expr | int) -> ParseError:
        if isinstance(at, ast.expr):  # Python counts bytes
            at = len(source.encode()[: at.col_offset].decode())
        return ParseError(message, text, start + min(at, len(source)))

    try:
        tree = ast.parse(source.translate(_TYPESET), mode="eval")
    except SyntaxError as e:
        raise error(f"this is not an expression: {e.msg}", max((e.offset or 1) - 1, 0)) from None
    except (RecursionError, MemoryError, ValueError) as e:
        raise error(f"this is too long or too deep to read: {e}", 0) from None

    # What is left to do: a piece of the tree, or a function to apply to the last so many results.
    todo: list[ast.expr | tuple[Callable[..., Any], int, dict[str, Any], ast.expr]] = [tree.body]
    results: list[Node] = []
    while todo:
        match todo.pop():
            case (function, count, options, at):
                inputs = results[len(results) - count :]
                del results[len(results) - count :]
                try:
                    results.append(function(*inputs, **options))
                except MinigraphError:
                    raise
                except (TypeError, ValueError) as e:
                    raise error(str(e), at) from None
            case ast.BinOp(left, op, right) as at if type(op) in _OPERATORS:
                todo += [(_OPERATORS[type(op)], 2, {}, at), right, left]
            case ast.UnaryOp(op, x) as at if type(op) in _OPERATORS:
                todo += [(_OPERATORS[type(op)], 1, {}, at), x]
            case ast.Call(ast.Name(name), arguments, keywords) as at:
                if name not in FUNCTIONS:
                    near = difflib.get_close_matches(name, FUNCTIONS, n=1)
                    hint = (
                        f"did you mean {near[0]}?"
                        if near
                        else "known are sin, exp, maximum and so on"
                    )
                    raise error(f"there is no function {name}; {hint}", at)
                try:
                    options = {k.arg: ast.literal_eval(k.value) for k in keywords if k.arg}
                except ValueError:
                    raise error(f"an option of {name} must be a plain number", at) from None
                todo += [(FUNCTIONS[name], len(arguments), options, at), *reversed(arguments)]
            case ast.Constant(int() | float() as number) as at if not isinstance(number, bool):
                try:
                    results.append(leaf(dtype.type(number), requires_grad=False))
                except OverflowError:
                    raise error("this number is too large", at) from None
            case ast.Name("pi") if "pi" not in names:
                results.append(leaf(dtype.type(np.pi), requires_grad=False, name="π"))
            case ast.Name(name) as at:
                if name not in names:
                    raise error(f"{name} has no value; give it one: parse(..., {name}=2.0)", at)
                results.append(names[name])
            case ast.BinOp(_, ast.BitXor(), _) as at:
                raise error("^ means something else in Python; write ** for powers", at)
            case at:
                raise error(f"{_WHAT.get(type(at), 'this')} is not allowed in an expression", at)
    return results[0]


_WHAT: dict[type, str] = {
    ast.Attribute: "a dot",
    ast.Call: "calling anything but a function of the table",
    ast.Compare: "a comparison",
    ast.BoolOp: "and/or",
    ast.IfExp: "if/else",
    ast.Subscript: "an index",
    ast.Lambda: "a function definition",
    ast.Constant: "a text or other value that is not a number",
}
