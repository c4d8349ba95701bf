"""Local derivatives as a reader writes them: "∂y/∂d = e = 2".

The table of operations states each partial derivative as a formula in x, y and out. Here the names
of the drawn nodes take their places.
"""

from __future__ import annotations

import ast
import re
from functools import cache

from .text import superscript

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)  # how tightly a piece of a formula binds
_COMPARISONS: dict[type, str] = {ast.Gt: ">", ast.Lt: "<"}
Piece = tuple[str, int]


def derivative_name(of: str, by: str) -> str:
    """Write ∂of/∂by; names that are more than a word get parentheses."""
    return f"∂{as_word(of)}/∂{as_word(by)}"


def local_formula(formula: str, names: dict[str, str]) -> str:
    """Write the formula of a partial derivative with `names` in the places of x, y and out."""
    return _write(_parsed(formula), names)[0]


@cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def as_word(name: str) -> str:
    """A name as it stands in a formula: in parentheses, if it is more than a word."""
    return f"({name})" if set(name) & set(" /+−-×÷·^=") else name


def _write(piece: ast.expr, names: dict[str, str]) -> Piece:
    """Write a piece of a formula, and say how tightly it binds."""
    match piece:
        case ast.Name(name):
            name = names.get(name, "π" if name == "pi" else name)
            return (name, _SIGN) if name.startswith("−") else (as_word(name), _ATOM)
        case ast.Constant(value):
            return str(value), _ATOM
        case ast.UnaryOp(ast.USub(), x):
            return "−" + _within(_write(x, names), _PRODUCT), _PRODUCT
        case ast.Call(ast.Name(function), arguments):
            return f"{function}({', '.join(_write(x, names)[0] for x in arguments)})", _ATOM
        case ast.IfExp(test, x, y):
            parts = [_write(p, names)[0] for p in (x, test, y)]
            return "({} if {} else {})".format(*parts), _ATOM
        case ast.Compare(x, [comparison], [y]):
            sign = _COMPARISONS[type(comparison)]
            return f"{_write(x, names)[0]} {sign} {_write(y, names)[0]}", _SUM
        case ast.BinOp(x, op, y):
            return _binary(_write(x, names), op, _write(y, names))
    raise AssertionError(f"no way to write {ast.dump(piece)}")


def _binary(x: Piece, op: ast.operator, y: Piece) -> Piece:
    match op:
        case ast.Add() | ast.Sub() if is_whole(x[0]) and is_whole(y[0]):
            second = _whole(y[0])
            total = _whole(x[0]) + (second if isinstance(op, ast.Add) else -second)
            return str(total).replace("-", "−"), _ATOM if total >= 0 else _SIGN
        case ast.Add() | ast.Sub():
            sign = "+" if isinstance(op, ast.Add) else "−"
            right = _within(y, _POWER if y[0].startswith("−") else _PRODUCT)
            return f"{_within(x, _SUM)} {sign} {right}", _SUM
        case ast.Mult() if y[0] == "1":
            return x
        case ast.Mult() if x == y:
            return _within(x, _ATOM) + superscript(2), _POWER
        case ast.Mult():
            return f"{_within(x, _PRODUCT)}·{_within(y, _SIGN + 1)}", _PRODUCT
        case ast.Div():
            return f"{_within(x, _PRODUCT)} / {_within(y, _POWER)}", _PRODUCT
        case ast.Pow() if y[0] in ("0", "1"):
            return x if y[0] == "1" else ("1", _ATOM)
        case ast.Pow() if is_whole(y[0]):
            return _within(x, _ATOM) + superscript(_whole(y[0])), _POWER
        case ast.Pow():
            return f"{_within(x, _ATOM)}^{_within(y, _ATOM)}", _POWER
    raise AssertionError(f"no way to write {op}")


def _within(piece: Piece, at_least: int) -> str:
    return piece[0] if piece[1] >= at_least else f"({piece[0]})"


def is_whole(text: str) -> bool:
    """Whether a piece of a formula is a whole number."""
    return re.fullmatch("−?[0-9]{1,6}", text) is not None


def is_number(text: str) -> bool:
    """Whether a formula is a number by itself, so that its value needs no repeating."""
    return re.fullmatch("−?[0-9].*|−?∞|NaN", text) is not None and not set(text) & set("·/^ x")


def _whole(text: str) -> int:
    return int(text.replace("−", "-"))
