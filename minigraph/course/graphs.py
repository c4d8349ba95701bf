"""Graphs as plain data: a dictionary from each result to its operation and its inputs.

    {"d": ("+", "a", "b"), "e": ("-", "b", "c"), "y": ("*", "d", "e")}

The lessons write graphs so, and exercises are specified so: it reads like the steps of a
calculation, and it crosses from one process to another as it is. Names that are not results are
inputs. `build` makes Nodes of such a graph, and `rows` reads Nodes back into plain data in a form
that is the same for two graphs exactly if they differ in nothing but names and time of creation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from ..core.applying import apply
from ..core.node import Node, variable
from ..core.operation import FUNCTIONS
from ..reading.text import subscript

Steps = dict[str, tuple[str, ...]]
Row = list[Any]  # the operation's name, then its inputs, then settings such as an axis, if any

FUNCTION = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "sin": "sin"}
TYPESET = {"+": "+", "-": "−", "*": "×", "/": "÷"}

MOST_STEPS = 20  # of a graph that is written step by step

WORKED_EXAMPLE: Steps = {"d": ("+", "a", "b"), "e": ("-", "b", "c"), "y": ("*", "d", "e")}


def inputs_of(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """List the names that the graph uses but does not compute, in the order it uses them."""
    used = [x for _, *names in graph.values() for x in names]
    return [x for x in dict.fromkeys(used) if x not in graph]


def build(graph: Steps, values: Mapping[str, float] | None = None) -> dict[str, Node]:
    """Make the Nodes of a graph, whatever the order of its dictionary.

    Inputs that are given no value get 2, 3, 4 and so on.
    """
    values = values or {x: float(n) for n, x in enumerate(inputs_of(graph), start=2)}
    nodes = {name: variable(value, name=name) for name, value in values.items()}
    waiting = dict(graph)
    while waiting:
        for name, (operation, *inputs) in list(waiting.items()):
            if all(x in nodes for x in inputs):
                made = FUNCTIONS[FUNCTION[operation]](*[nodes[x] for x in inputs])
                nodes[name] = made.named(name)
                del waiting[name]
    return nodes


def formula(step: tuple[str, ...]) -> str:
    """Write one step: "a + b", or "sin(a)"."""
    operation, *inputs = step
    if operation in TYPESET and len(inputs) == 2:
        return f"{inputs[0]} {TYPESET[operation]} {inputs[1]}"
    return f"{operation}({', '.join(inputs)})"


def as_python(graph: Steps) -> str:
    """Write a graph as Python code, one step to a line if there are several."""
    lines = [f'"{name}": ({", ".join(map(_quoted, step))})' for name, step in graph.items()]
    if len(lines) < 2:
        return "{" + "".join(lines) + "}"
    return "{\n" + "".join(f"    {line},\n" for line in lines) + "}"


def as_assignment(graph: Steps) -> str:
    """Write Python code that names a graph `graph`; of a long one, with loops."""
    if len(graph) <= MOST_STEPS:
        return f"graph = {as_python(graph)}"

    def line(name: str, step: tuple[str, ...]) -> str:
        operation, *inputs = step
        return f'graph[{_code(name)}] = ("{operation}", {", ".join(map(_code, inputs))})'

    return "\n".join(["graph = {}", *_with_loops(graph, line)])


def as_output(graph: Steps, output: str) -> str:
    """Write Python code that makes the Nodes of a graph, and names the last of them `output`."""
    if not graph:
        return f'output = mg.variable(2.0, name="{output}")'
    values = ", ".join(f"{x}={n}" for n, x in enumerate(inputs_of(graph), start=2))
    if len(graph) <= MOST_STEPS:
        steps = "; ".join(f"{name} = {plain_formula(step)}" for name, step in graph.items())
        return f'output = mg.parse("{steps}", {values})'

    def line(name: str, step: tuple[str, ...]) -> str:
        return f"steps.append({_code(f'{name} = {plain_formula(step)}')})"

    end = f'output = mg.parse("; ".join(steps), {values})'
    return "\n".join(["steps = []", *_with_loops(graph, line), end])


def _with_loops(graph: Steps, line: Callable[[str, tuple[str, ...]], str]) -> list[str]:
    """Write the lines of a graph, with a loop where steps repeat but for a number in their names.

    Steps such as x7 = x6 + x0 are written with {n} in place of the number, to go into an f-string.
    """
    blocks: list[tuple[int, list[str]]] = []  # steps next to each other with the same number
    for name, (operation, *inputs) in graph.items():
        n = _number(name)
        general = line(_relative(name, n), (operation, *(_relative(x, n) for x in inputs)))
        if blocks and blocks[-1][0] == n >= 0:
            blocks[-1][1].append(general)
        else:
            blocks.append((n, [general]))
    lines: list[str] = []
    while blocks:
        first, steps = blocks[0]
        by = 1 if len(blocks) == 1 or blocks[1][0] > first else -1
        count = 1
        while count < len(blocks) and blocks[count] == (first + by * count, steps):
            count += 1
        if count > 2:
            until = f"{first + by * count}, -1" if by < 0 else f"{first + count}"
            lines.append(f"for n in range({first}, {until}):")
            lines += [f"    {step}" for step in steps]
        else:
            lines += [_at(step, n) for n, same in blocks[:count] for step in same]
        del blocks[:count]
    return lines


def _number(name: str) -> int:
    """The number at the end of a name; -1 if there is none."""
    return int(index[1]) if (index := re.fullmatch(r"[a-z]+(\d+)", name)) else -1


def _relative(name: str, n: int) -> str:
    """A name with {n} for its number n, and {n - 1} for the one before."""
    before = {n: "{n}", n - 1: "{n - 1}"}.get(number := _number(name))
    return name.removesuffix(str(number)) + before if before and number >= 0 else name


def _at(line: str, n: int) -> str:
    """A line without a loop around it, with its numbers put in."""
    line = line.replace("{n}", str(n)).replace("{n - 1}", str(n - 1))
    return line.replace('f"', '"')


def _code(text: str) -> str:
    return f'f"{text}"' if "{" in text else f'"{text}"'


def plain_formula(step: tuple[str, ...]) -> str:
    """Write one step as Python would: "a * b"."""
    operation, *inputs = step
    return f" {operation} ".join(inputs) if operation in TYPESET else f"{operation}({inputs[0]})"


def _quoted(text: str) -> str:
    return f'"{text}"'


def chain(length: int) -> Steps:
    """A graph in which each result adds the input to the one before it: x1 = x + x, x2 = x1 + x."""
    names = ["x", *(f"x{n}" for n in range(1, length + 1))]
    return {new: ("+", old, "x") for old, new in pairwise(names)}


def random_graph(rng: Random, operations: int, symbols: str = "+-*") -> Steps:
    """Make a graph in which every result is used, some twice, with names in no helpful order."""
    names = rng.sample("abcdefghijklmnopqrstuvw", operations + 3)
    known, unused = names[:3], names[:3]
    graph: Steps = {}
    for name in names[3:]:
        x = unused.pop(rng.randrange(len(unused)))
        y = rng.choice(known)
        inputs = (x, y) if rng.random() < 0.5 else (y, x)
        graph[name] = (rng.choice(symbols), *inputs)
        known.append(name)
        unused.append(name)
    total = unused[0]
    for n, x in enumerate(unused[1:], start=1):  # what is left over is added up
        graph[f"z{n}"] = ("+", total, x)
        total = f"z{n}"
    return graph


def random_graphs(
    rng: Random, number: int, least: int, most: int, symbols: str = "+-*"
) -> list[Steps]:
    """Make several random graphs with at least so many operations, the smallest first."""
    made = [random_graph(rng, rng.randint(least, most), symbols) for _ in range(number)]
    return sorted(made, key=len)


# --- from Nodes back to plain data ----------------------------------------------------------------


def computed(output: Node) -> list[Node]:
    """List the operations that lead to an output, found by following inputs in their order.

    The list depends on the graph alone: not on names, and not on which Node was made first.
    """
    nodes: list[Node] = []
    done: set[Node] = set()
    waiting = [output]
    while waiting:
        node = waiting[-1]
        missing = [x for x in node.inputs if x.op is not None and x not in done]
        if missing:
            waiting += reversed(missing)
        else:
            waiting.pop()
            if node.op is not None and node not in done:
                done.add(node)
                nodes.append(node)
    return nodes


def rows(output: Node, inputs: Mapping[Node, str]) -> list[Row]:
    """Write a graph as plain data, one row to an operation, inputs before their users.

    An input is the number of its row, or its name among `inputs`, or {"constant": 2.0}, or
    {"new variable": ...}.
    """
    nodes = computed(output)
    number = {node: n for n, node in enumerate(nodes)}

    def reference(x: Node) -> Any:
        if x in inputs:
            return inputs[x]
        return number[x] if x in number else {_kind(x): x.value.tolist()}

    return [
        [node.op.name, *map(reference, node.inputs), *([repr(node.attrs)] if node.attrs else [])]
        for node in nodes
        if node.op is not None
    ]


def _kind(x: Node) -> str:
    return "constant" if x.kind == "constant" else "new variable"


def names_of(nodes: list[Node], taken: Iterable[str]) -> list[str]:
    """Name results as their Nodes are named, or v₁, v₂ and so on if that is not clear."""
    names = [node.name or f"v{subscript(n)}" for n, node in enumerate(nodes, start=1)]
    if len({*names, *taken}) == len(names) + len(set(taken)):
        return names
    return [f"v{subscript(n)}" for n in range(1, len(nodes) + 1)]


def as_named(output: Node, names: Mapping[Node, str]) -> list[Node]:
    """Copy the operations that lead to an output, for a drawing with the names of `names_of`."""
    nodes = computed(output)
    copies: dict[Node, Node] = {}
    for node, name in zip(nodes, names_of(nodes, names.values())):
        assert node.op
        inputs = [copies.get(x, x) for x in node.inputs]
        copies[node] = apply(node.op, tuple(inputs), node.attrs).named(name)
    return list(copies.values())


def written(table: list[Row], names: Sequence[str]) -> str:
    """Write rows as the steps of a calculation."""
    return "\n".join(f"{name} = {written_row(row, names)}" for name, row in zip(names, table))


def written_row(row: Row, names: Sequence[str]) -> str:
    """Write one row: "v₁ − c"."""
    symbols = {name: symbol for symbol, name in FUNCTION.items()}
    operation, *inputs = row
    written_inputs = [_written_input(x, names) for x in inputs]
    return formula((symbols.get(operation) or operation, *written_inputs))


def _written_input(x: Any, names: Sequence[str]) -> str:
    if isinstance(x, int):
        return names[x]
    if isinstance(x, dict):
        ((_, value),) = x.items()
        return f"{value:g}" if isinstance(value, float) else str(value)
    return str(x)
