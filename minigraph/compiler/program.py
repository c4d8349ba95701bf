"""A graph as the text of a Python program: what programs of numbers and of arrays have in common.

`scalars.py` writes arithmetic on Python's numbers, `arrays.py` NumPy calls into planned arrays.
"""

from __future__ import annotations

import builtins
import keyword
import linecache
import math
import unicodedata
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from ..core.node import Node
from ..graph.graph import Graph
from .memory import MemoryPlan
from .rewrite import expression, names_of

COMMENT_COLUMN = 38
_RESERVED = {*keyword.kwlist, *dir(builtins), *dir(math), *dir(np), "make", "run", "arena"}
_ON_THE_LINE = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_programs = count(1)


@dataclass
class Program:
    """A program that makes another one: `make()` makes the arrays, and returns what runs in them.

    What runs takes the inputs in order and returns the outputs. If there are variables to update,
    it returns a pair: the outputs, and the new values of those.

    Attributes:
        source: its text.
        names: what it uses, by name.
        memory: where its arrays live.
    """

    source: str
    names: dict[str, Any]
    memory: MemoryPlan | None = None

    def compiled(self) -> Callable[[], Callable[..., Any]]:
        """Compile the text; errors show its lines."""
        file = f"<plan {next(_programs)}>"
        linecache.cache[file] = len(self.source), None, self.source.splitlines(True), file
        namespace = dict(self.names)
        exec(compile(self.source, file, "exec"), namespace)
        make = namespace["make"]
        weakref.finalize(make, linecache.cache.pop, file, None)
        return make


class Names:
    """Gives out names that are neither Python's nor NumPy's own, each of them once."""

    def __init__(self) -> None:
        self._taken = {*_RESERVED}
        self._counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        """The prefix with the next number that makes a new name."""
        while True:
            self._counts[prefix] += 1
            name = f"{prefix}{self._counts[prefix]}"
            if name not in self._taken:
                self._taken.add(name)
                return name

    def own(self, node: Node, prefix: str) -> str:
        """A Node's own name if Python reads it as a name and nothing else has it."""
        return self.free(node.name or "", prefix)

    def free(self, name: str, prefix: str) -> str:
        """A name if Python reads it as one and nothing else has it, or else a new one."""
        as_read = unicodedata.normalize("NFKC", name)  # Python takes "ﬁ" and "fi" for the same
        if name != as_read or not name.isidentifier() or name in self._taken:
            return self.new(prefix)
        self._taken.add(name)
        return name


class Writer:
    """Collects the lines of a program, and names for all Nodes and values.

    Attributes:
        graph: what is written; its last outputs are the new values of `updates`.
        updates: variables that change, each with its new value, a Node of the graph.
        outputs: what is returned.
        called: what the value of a Node is called in the program.
        labels: what it is called in the comments, as in the picture with all calls open.
        made: lines that run once, to make the arrays; `lines` run each time.
        names: what the program uses, by name.
    """

    def __init__(self, graph: Graph, updates: dict[Node, Node], is_single: bool) -> None:
        self.graph, self.updates, self.is_single = graph, updates, is_single
        self.outputs = graph.outputs[: len(graph.outputs) - len(updates)]
        self.spare = Names()
        self.labels = names_of(graph)
        self.called = {x: self.spare.own(x, "x") for x in graph.inputs}
        self.parameters = [*self.called.values()]
        for node in graph.order:
            if node.op is not None:
                name = self.labels.get(node, "").translate(_ON_THE_LINE)  # v1 is v₁
                self.called[node] = self.spare.free(name, "value")
        for node, name in self.called.items():
            self.labels.setdefault(node, name)
        self.made: list[str] = []
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}

    def line(self, text: str, node: Node | None = None) -> None:
        """Add a line that runs each time, and say which Node it computes."""
        if node is not None:
            label = self.labels[node]
            text = (
                f"{text:{COMMENT_COLUMN}}  # {plain(f'{label} = {expression(node, self.labels)}')}"
            )
        self.lines.append(text)

    def source(self, results: list[str], new: list[str]) -> str:
        """The whole text, which returns these results and new values of variables."""
        returned = results[0] if self.is_single else f"({', '.join(results)},)"
        if new:
            returned = f"{returned}, ({', '.join(new)},)"
        head = "".join(f"    {line}\n" for line in self.made)
        body = "".join(f"        {line}\n" for line in [*self.lines, f"return {returned}"])
        return (
            f"{_title(self.outputs, self.labels)}def make():\n{head}"
            f"    def run({', '.join(self.parameters)}):\n{body}    return run\n"
        )


def plain(text: str) -> str:
    """A text in one line, without what could end a comment or be read otherwise than it looks."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)


def _title(outputs: Iterable[Node], labels: Mapping[Node, str]) -> str:
    names = [labels[y] if y.name else expression(y, labels) for y in outputs]
    return f"# {plain(', '.join(names[:6]))}{' …' if len(names) > 6 else ''}\n"
