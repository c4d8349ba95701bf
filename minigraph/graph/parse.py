"""Read a typed expression into a graph, without ever running it.

Python's own parser makes the syntax tree; the allow-list below turns it into Nodes. Whatever is not
on the list is refused with an error that points at the character.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.node import Node, leaf, variable
from ..core.operation import FUNCTIONS
from ..errors import ParseError, ShapeError
from .handwriting import (
    instead,
    no_function,
    no_value,
    not_allowed,
    power_of_function,
    wrong_inputs,
)

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
_TYPESET = str.maketrans("·⋅∙•∗×÷∕−–—", "******//---")
_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*")


def parse(text: str, /, **values: Any) -> Node:
    """Read an expression such as `"(a + b) * (b - c)"` and compute it as a graph.

    The text may name results on the way, one to a line or separated by `;`, and the last one, which
    alone may be without a name, is returned: `"d = a + b; e = b - c; y = d * e"`. Allowed are
    numbers, `pi`, names, `+ - * / ** @`, parentheses, and the functions of the table,
    such as `sin(a)` or `maximum(a, b)`.

    Args:
        text: the expression.
        values: what each name stands for: a Node, or a number or array to make a variable of.

    Raises:
        ParseError: pointing at the character, for anything else and for unknown names.
    """
    names = {k: v if isinstance(v, Node) else variable(v, name=k) for k, v in values.items()}
    floats = [x.dtype for x in names.values() if x.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(float)
    result = unnamed = None
    for name, tree, error in _statements(text):
        if unnamed:
            refuse, at = unnamed
            raise refuse("this result has no name, so it is lost; name it, as in d = a + b", at)
        unnamed = None if name else (error, tree)
        if name in names:
            raise error(f"{name} has a value already; take another name", tree)
        result = _evaluate(tree, names, dtype, error)
        if name:
            names[name] = result if result.name else result.named(name)
    if result is None:
        raise ParseError("there is no expression; write for example (a + b) * (b - c)", text, 0)
    return result


def free_names(text: str) -> list[str]:
    """List the names that an expression needs values for, in the order in which they appear.

    Raises:
        ParseError: if the text is not an expression at all.
    """
    free: dict[str, None] = {}
    assigned = {"pi"}
    for name, tree, _ in _statements(text):
        called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
        read = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called]
        read.sort(key=lambda node: node.col_offset)
        known = assigned | FUNCTIONS.keys()
        free |= dict.fromkeys(node.id for node in read if node.id not in known)
        assigned.add(name or "")
    return list(free)


_Error = Callable[[str, ast.expr], ParseError]


def _statements(text: str) -> Iterator[tuple[str | None, ast.expr, _Error]]:
    """Yield each statement's name (None without one), its tree, and what makes an error in it."""
    if not isinstance(text, str):
        raise ParseError(f"an expression is a text, not {type(text).__name__}", repr(text)[:60], 0)
    start = 0
    for statement in re.split("[;\r\n]", text):
        if statement.strip():
            assigned = _ASSIGNMENT.match(statement)
            skipped = assigned.end() if assigned else len(statement) - len(statement.lstrip())
            source = statement[skipped:].translate(_TYPESET)
            tree = _tree(source, start + skipped, text)

            def error(
                message: str, at: ast.expr, source: str = source, begin: int = start + skipped
            ):
                column = len(source.encode()[: at.col_offset].decode())  # Python counts bytes
                return ParseError(message, text, begin + column)

            # Python reads names in Unicode's normal form NFKC: µ as μ.
            yield assigned and unicodedata.normalize("NFKC", assigned[1]), tree, error
        start += len(statement) + 1


def _tree(source: str, start: int, text: str) -> ast.expr:
    if not source.strip():
        raise ParseError("an expression is missing after =, as in y = a + b", text, start)
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError as e:
        at = min(max((e.offset or 1) - 1, 0), len(source))
        message, at = instead(source) or (f"this cannot be read: {e.msg}", at)
        raise ParseError(message, text, start + at) from None
    except (RecursionError, MemoryError, ValueError) as e:
        message = f"this is too long or too deep to read: {e}"
        raise ParseError(message, text, start) from None


def _evaluate(tree: ast.expr, names: dict[str, Node], dtype: np.dtype, error: _Error) -> Node:
    """Compute a tree, refusing whatever is not on the list."""
    # What is left to do: a piece of the tree, or a function to apply to the last so many results.
    todo: list[ast.expr | tuple[Callable[..., Any], int, dict[str, Any], ast.expr]] = [tree]
    results: list[Node] = []
    while todo:
        match todo.pop():
            case (function, count, options, at):
                inputs = results[len(results) - count :]
                del results[len(results) - count :]
                try:
                    result = function(*inputs, **options)
                except ShapeError:
                    raise
                except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as e:
                    raise error(str(e) or type(e).__name__, at) from None
                if not isinstance(result, Node):
                    raise error("this gives several arrays, and an expression has one", at)
                results.append(result)
            case ast.BinOp(
                ast.Name(name), ast.BitXor() | ast.Pow(), ast.Call(ast.Constant()) as power
            ) as at if name in FUNCTIONS:
                raise error(power_of_function(name, power), at)
            case ast.BinOp(left, op, right) as at if type(op) in _OPERATORS:
                todo += [(_OPERATORS[type(op)], 2, {}, at), right, left]
            case ast.UnaryOp(op, x) as at if type(op) in _OPERATORS:
                todo += [(_OPERATORS[type(op)], 1, {}, at), x]
            case ast.Call(ast.Name(name), arguments, keywords) as at:
                if name not in FUNCTIONS:
                    raise error(no_function(name, at, names), at)
                if told := wrong_inputs(name, at):
                    raise error(told, at)
                try:
                    options = {k.arg or "**": ast.literal_eval(k.value) for k in keywords}
                except (TypeError, ValueError, RecursionError):
                    raise error(f"an option of {name} must be a plain number", at) from None
                todo += [(FUNCTIONS[name], len(arguments), options, at), *reversed(arguments)]
            case ast.Constant(int() | float() as number) as at if not isinstance(number, bool):
                try:
                    value = dtype.type(number)
                except OverflowError:
                    value = dtype.type(np.inf)
                if not np.isfinite(value):
                    raise error("this number is too large", at)
                results.append(leaf(value, requires_grad=False))
            case ast.Name("pi") if "pi" not in names:
                results.append(leaf(dtype.type(np.pi), requires_grad=False, name="π"))
            case ast.Name(name) as at:
                if name not in names:
                    raise error(no_value(name, names), at)
                results.append(names[name])
            case ast.BinOp(_, ast.BitXor(), at):
                raise error("the ^ before this means no power in Python; write **", at)
            case at:
                raise error(not_allowed(at), at)
    return results[0]
