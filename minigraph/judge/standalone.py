"""A program of the catalogue as code that stands alone, as a student would have written it.

    code_of(exercise, exercise.misconceptions[0].ways[0])

The functions and the tables that it uses stand above it; what comes from minigraph's engine or from
Python is imported. Annotations are left out, and so is all that the course alone knows.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..course.slips import Slip, source_of
from ..course.specification import Exercise, Program

COURSE = "minigraph.course"
MOST_LINES = 80


class _Entangled(Exception):
    """A program that uses what cannot be written down."""


def code_of(exercise: Exercise, way: Program | Slip) -> str:
    """A notebook's code for an exercise; "" for a program that cannot be written down."""
    try:
        code = _function(exercise, way) if exercise.parameters else _value(exercise, way)
    except _Entangled:
        return ""
    return code if code.count("\n") < MOST_LINES else ""


def _value(exercise: Exercise, way: Program | Slip) -> str:
    program = way.made() if isinstance(way, Slip) else way
    text = repr(program(*exercise.as_arguments(*exercise.cases()[0])))
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise _Entangled from None
    return f"{exercise.name} = {text}"


def _function(exercise: Exercise, way: Program | Slip) -> str:
    function = way.function if isinstance(way, Slip) else way
    if not _is_plain(function):
        raise _Entangled
    tree = _tree(way.source() if isinstance(way, Slip) else source_of(function))
    writer = _Writer(own=function.__name__)
    writer.need(tree, function.__globals__)
    program = ast.unparse(tree)
    if function.__name__ != exercise.name:
        program += f"\n\n{exercise.name} = {function.__name__}"
    if exercise.name not in writer.written:
        return "\n\n".join([*sorted(writer.imports), *writer.pieces, program])
    # What it uses has the name of what it is: the one stands inside, the other outside.
    inside = "\n\n".join([*writer.pieces, ast.unparse(tree), f"return {function.__name__}"])
    made = f"def made():\n{textwrap.indent(inside, '    ')}\n\n{exercise.name} = made()"
    return "\n\n".join([*sorted(writer.imports), made])


def _is_plain(function: Any) -> bool:
    """Whether it is a function with a name, which holds nothing of another function's."""
    is_named = isinstance(function, FunctionType) and function.__name__ != "<lambda>"
    return is_named and not function.__closure__


def _tree(source: str) -> ast.FunctionDef:
    """A function without annotations."""
    (tree,) = ast.parse(textwrap.dedent(source)).body
    if not isinstance(tree, ast.FunctionDef):
        raise _Entangled
    tree.decorator_list = []
    return _Plain().visit(tree)


class _Plain(ast.NodeTransformer):
    """Leaves out annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        node.returns = None
        if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], node.value, lineno=node.lineno)


@dataclass
class _Writer:
    """Collects what a program uses, each thing below what it uses itself."""

    own: str
    imports: set[str] = field(default_factory=set)
    pieces: list[str] = field(default_factory=list)
    written: dict[str, Any] = field(default_factory=dict)

    def need(self, tree: ast.AST, names: dict[str, Any]) -> None:
        """Write down all that a function uses of its module."""
        for name in dict.fromkeys(_names_in(tree)):
            if name == self.own or name not in names:
                continue
            thing = names[name]
            if name in self.written:
                if self.written[name] is not thing:
                    raise _Entangled
                continue
            self.written[name] = thing
            self._write(name, thing)

    def _write(self, name: str, thing: Any) -> None:
        if isinstance(thing, Exercise):
            thing = thing.reference
        if isinstance(thing, FunctionType) and thing.__module__.startswith(COURSE):
            if not _is_plain(thing):
                raise _Entangled
            tree = _tree(source_of(thing))
            self.need(tree, thing.__globals__)
            self.pieces.append(ast.unparse(tree))
            if thing.__name__ != name:
                self.pieces.append(f"{name} = {thing.__name__}")
        elif isinstance(thing, ModuleType) or getattr(thing, "__module__", None):
            self.imports.add(_imported(thing, name))
        else:
            self.pieces.append(f"{name} = {self._literal(thing)}")

    def _literal(self, thing: Any) -> str:
        """A table as code."""
        if type(thing) is dict:
            pairs = (f"{self._literal(k)}: {self._literal(v)}" for k, v in thing.items())
            return f"{{{', '.join(pairs)}}}"
        if type(thing) in (list, tuple):
            items = [*map(self._literal, thing)]
            if type(thing) is list:
                return f"[{', '.join(items)}]"
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        if type(thing) in (bool, int, float, str, type(None)):
            return repr(thing)
        if isinstance(thing, BuiltinFunctionType) and thing.__module__:
            self.imports.add(f"import {thing.__module__.lstrip('_')}")
            return f"{thing.__module__.lstrip('_')}.{thing.__qualname__}"
        raise _Entangled


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
            yield node.id


def _imported(thing: Any, name: str) -> str:
    """The line that imports a module, a class or a function under a name."""
    if isinstance(thing, ModuleType):
        return f"import {thing.__name__}" + (f" as {name}" if thing.__name__ != name else "")
    known = getattr(thing, "__name__", "")
    places = ["minigraph", thing.__module__.lstrip("_"), thing.__module__]
    for place in places:
        if not place.startswith(COURSE) and getattr(import_module(place), known, None) is thing:
            return f"from {place} import {known}" + (f" as {name}" if known != name else "")
    raise _Entangled
