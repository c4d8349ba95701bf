"""The forms of an answer: how it is read into plain data, and how closely two must agree.

A form reads whatever a student returns, forgiving where nothing is lost (a tuple for a list, a
NumPy number for a Python one), and explaining where something is. What it reads is plain data, so
an answer can cross to another process and be compared there.
"""

from __future__ import annotations

import math
import numbers
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from inspect import isgenerator
from itertools import islice, zip_longest
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..core.order import topological_order
from ..errors import MinigraphError, SymbolicError
from ..graph.parse import parse
from . import graphs
from .forms import Case, Difference, Form, WrongForm


def not_a(what: str, answer: Any) -> WrongForm:
    """The answer is something else altogether."""
    kind = kind_of(answer)
    return WrongForm(f"It should be {what}, and it is {kind}.", kind)


class AboutAGraph(Form):
    """An answer about the graph that a case starts with."""

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw the graph of the case, if it is small enough, with what is wrong marked."""
        return _graph_of(case, node)


# --- numbers by name ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbers(AboutAGraph):
    """A dictionary of numbers by name."""

    what: str = "a dictionary that gives each name its number"
    rtol: float = 1e-9
    atol: float = 1e-12

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, float]:
        """Read names, or Nodes that bear them, and numbers."""
        if not isinstance(answer, Mapping):
            raise not_a(self.what, answer)
        return {name_of(key): read_number(value, name_of(key)) for key, value in answer.items()}

    def difference(
        self, answer: dict[str, float], expected: dict[str, float], case: Case
    ) -> Difference | None:
        """Name what is missing, what does not belong, or the first number that is wrong."""
        if missing := [name for name in expected if name not in answer]:
            text = f"There is no number for {_listed(missing)}."
            return Difference(text, f"without {missing}", missing[0])
        if extra := [name for name in answer if name not in expected]:
            return Difference(f"{_listed(extra)} should not be in it.", f"with {extra}")
        for name, right in expected.items():
            said = answer[name]
            if not is_close(said, right, self.rtol, self.atol):
                if is_rounded(said, right):
                    return rounded(f'The number for "{name}" is', said, name)
                text = f'The number for "{name}" is not right: yours is {written(said)}.'
                return Difference(text, f"{name}={written(said, 9)}", name)
        return None

    def show(self, answer: dict[str, float]) -> str:
        """Write it as the dictionary that it is."""
        return "{" + ", ".join(f"{k!r}: {written(v)}" for k, v in answer.items()) + "}"


def read_number(value: Any, name: str = "", what: str = "a number") -> float:
    """Read a number of Python's or NumPy's, for a name or as the answer itself."""
    start = f'For "{name}"' if name else f"It should be {what}, and"
    if isinstance(value, Node):
        raise WrongForm(f"{start} there is a Node; take the number in it, its `.value`.", "a Node")
    if name and value is ...:
        raise WrongForm(f"{start} there are still three dots.")
    number = as_number(value)
    if number is not None:
        return number
    if isinstance(value, complex):
        raise WrongForm(f"{start} there is a complex number.", "complex")
    if name:
        raise WrongForm(f"{start} there is {kind_of(value)}, where a number belongs.")
    raise not_a(what, value)


def as_number(value: Any) -> float | None:
    """Read a real number of whatever kind, a whole one as int; None if it is none."""
    if type(value) is float:  # as most are
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.size == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, Decimal)):
        return None
    if isinstance(value, numbers.Integral):
        return int(value)
    try:
        return float(value)
    except OverflowError:  # a fraction of large whole numbers
        return math.inf if str(value)[0] != "-" else -math.inf


def as_whole(value: Any) -> int | None:
    """Read a whole number, also one that is written as 2.0; None if it is none."""
    number = as_number(value)
    return int(number) if number is not None and number % 1 == 0 else None


def is_close(x: float, y: float, rtol: float, atol: float) -> bool:
    """Whether two numbers agree, also whole ones that no float can hold."""
    try:
        return math.isclose(x, y, rel_tol=rtol, abs_tol=atol)
    except OverflowError:
        return x == y


def is_rounded(said: float, right: float) -> bool:
    """Whether a number is the right one with fewer digits, but two at least; or of a float32."""
    if isinstance(said, int) or not math.isfinite(said) or abs(said) >= 1e15:
        return False
    digits = Decimal(repr(said))
    is_long = len(digits.as_tuple().digits) >= 2
    if is_long and abs(digits - Decimal(right)) <= Decimal(5).scaleb(_last_place(digits) - 1):
        return True
    return _is_single(said) and is_close(said, right, 1e-5, 0.0)


def _is_single(said: float) -> bool:
    """Whether a number comes from a float32: it is one, and not because it has few digits."""
    return len(Decimal(repr(said)).as_tuple().digits) > 9 and float(np.float32(said)) == said


def _last_place(digits: Decimal) -> int:
    exponent = digits.as_tuple().exponent
    assert isinstance(exponent, int)  # finite
    return exponent


def rounded(what: str, said: float, name: str | None = None) -> Difference:
    """Say that a number is right, but for digits that are missing."""
    if _is_single(said):
        text = f"{what} right to the seven digits of a float32, and no further. Compute in float64."
    else:
        text = f"{what} rounded: yours is {written(said)}. Keep all of its digits."
    return Difference(text, f"{name} rounded", name, says_all=True)


def name_of(key: Any) -> str:
    """Read a key of a dictionary: a name, or a Node that has one."""
    if isinstance(key, Node) and key.name:
        return key.name
    if isinstance(key, str):
        return str.__str__(key)
    raise WrongForm(f"Its keys should be names, and one of them is {kind_of(key)}.")


# --- several Nodes, or their names, in any order --------------------------------------------------


@dataclass(frozen=True)
class Members(AboutAGraph):
    """A list of Nodes, or of their names, in any order.

    Attributes:
        tells: whether it may say which one is wrong; a prediction of a single graph may not.
    """

    what: str = "a list of Nodes"
    tells: bool = True

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[str]:
        """Read Nodes or names, from a list, tuple or set."""
        return sorted(_names(answer, arguments, self.what, ordered=False))

    def difference(self, answer: list[str], expected: list[str], case: Case) -> Difference | None:
        """Say what is in it twice, too much or too little."""
        if twice := [name for name, times in Counter(answer).items() if times > 1]:
            return Difference(f"{_listed(twice)} is in it more than once.", None, twice[0])
        extra = [name for name in answer if name not in expected]
        missing = [name for name in expected if name not in answer]
        if not self.tells:
            parts = [(len(missing), "missing"), (len(extra), "too many")]
            text = " and ".join(f"{n} {'is' if n == 1 else 'are'} {what}" for n, what in parts if n)
            return Difference(f"Not quite: {text}.", vague=NOT_YET) if text else None
        if extra:
            return Difference(f"{_listed(extra)} should not be in it.", None, extra[0])
        if missing:
            return Difference(f"{_listed(missing)} should be in it too.", None, missing[0])
        return None

    def show(self, answer: list[str]) -> str:
        """Write the names."""
        return _short_list(answer)


# --- an order -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order(AboutAGraph):
    """All Nodes of a graph, or their names, in an order in which they can be computed.

    The case is (graph,) or (graph, name of the output). Many orders are right, so there is nothing
    to compare with: the order is tried.
    """

    what: str = "a list of Nodes"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> list[str]:
        """Read Nodes or names, from a list or tuple."""
        return _names(answer, arguments, self.what, ordered=True)

    def difference(self, answer: list[str], expected: list[str], case: Case) -> Difference | None:
        """Say what is in it twice, missing, or before one of its own inputs."""
        graph: graphs.Steps = case[0]
        place = {name: n for n, name in enumerate(answer)}
        if len(place) < len(answer):
            first = {name: n for n, name in reversed([*enumerate(answer)])}
            name = next(name for n, name in enumerate(answer) if first[name] < n)
            return Difference(f"{name} is in the list more than once.", None, name)
        nodes = set(expected)
        if extra := [name for name in answer if name not in nodes]:
            return Difference(f"{_listed(extra)} is not a node of this graph.")
        if missing := [name for name in expected if name not in place]:
            return Difference(f"{_listed(missing)} should be in the list too.", None, missing[0])
        for n, name in enumerate(answer):
            for x in graph.get(name, ())[1:]:
                if place[x] > n:
                    step = graphs.formula(graph[name])
                    text = f"{name} stands before {x}, but `{name} = {step}` needs {x}."
                    return Difference(text, None, name)
        return None

    def show(self, answer: list[str]) -> str:
        """Write the names in their order."""
        return _short_list(answer)


def _names(answer: Any, arguments: tuple[Any, ...], what: str, ordered: bool) -> list[str]:
    """Read a collection of Nodes or names as a list of names."""
    nodes = [node for x in arguments if isinstance(x, Node) for node in topological_order(x)]
    if isinstance(answer, str) and not nodes:
        answer = answer.replace(",", " ").split()
    if ordered and isinstance(answer, (set, frozenset)):
        raise WrongForm("It is a set, and a set has no order; a list has one.")
    members = items_of(answer)
    if members is None:
        raise not_a(what, answer)
    known = {node: node.name or "" for node in nodes}
    if {*map(type, members)} == {Node} and known.keys() >= {*members}:  # spares a slow way
        return [known[x] for x in members]
    names = []
    for x in members:
        if isinstance(x, Node) and x in known:
            names.append(known[x])
        elif isinstance(x, Node) and nodes:
            raise WrongForm(f"It holds {x!r}, which is not a Node of the graph that was given.")
        elif isinstance(x, Node) and x.name:
            names.append(x.name)
        elif isinstance(x, str):
            names.append(str.__str__(x).strip())
        else:
            raise WrongForm(f"It should be {what}, and it holds {kind_of(x)}.")
    return names


MOST_ITEMS = 1_000_000


def items_of(answer: Any) -> list[Any] | None:
    """The items of a list, or of whatever else goes through items one by one; None for others.

    A generator is refused, since whoever wrote yield meant another thing than whoever wrote return.
    """
    is_row = isinstance(answer, Iterable) and not isinstance(answer, (str, bytes, Mapping, Node))
    if not is_row or isgenerator(answer) or (isinstance(answer, np.ndarray) and answer.ndim != 1):
        return None
    items = list(islice(answer, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise WrongForm(f"It goes on after {MOST_ITEMS:,} items.", "endless")
    return items


def _short_list(names: list[str], most: int = 16) -> str:
    if len(names) > most:
        half = most // 2
        hidden = len(names) - most
        names = [*names[:half], f"… {hidden:,} more …", *names[-half:]]
    return "[" + ", ".join(names) + "]"


# --- a graph --------------------------------------------------------------------------------------


def node_of(answer: Any, what: str) -> Node:
    """An answer that should be a Node.

    Raises:
        WrongForm: if it is something else; a number has lost its graph, which is said.
    """
    if isinstance(answer, (numbers.Real, np.ndarray)):
        raise WrongForm(
            f"It should be {what}, and it is {kind_of(answer)}: a result without the graph that "
            "led to it. Compute with the Nodes themselves, not with their values.",
            "a number",
        )
    if not isinstance(answer, Node):
        raise not_a(what, answer)
    return answer


@dataclass(frozen=True)
class SameGraph(Form):
    """A Node whose graph must be the one asked for, up to names and time of creation.

    Operations, the order of their inputs and what is shared all matter.
    """

    what: str = "a Node"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Read the graph below a Node into rows, and its value."""
        node = node_of(answer, self.what)
        inputs = _named(arguments)
        try:
            return {
                "rows": graphs.rows(node, inputs),
                "names": graphs.names_of(graphs.computed(node), inputs.values()),
                "value": np.asarray(node.value).tolist(),
            }
        except SymbolicError:
            raise WrongForm(
                "It has no value, because something in its graph has none, such as a placeholder. "
                "Begin with the Nodes that are given.",
                "symbolic",
            ) from None

    def difference(
        self, answer: dict[str, Any], expected: dict[str, Any], case: Case
    ) -> Difference | None:
        """Point at the first operation that differs, inputs before their users."""
        mine, right, names = answer["rows"], expected["rows"], answer["names"]
        if mine == right:
            return None
        number = as_number(np.asarray(answer["value"]))
        same_number = number is not None and is_close(number, expected["value"], 1e-9, 0.0)
        start = "The number is right, the graph is another one. " if same_number else ""
        for n, (row, wanted) in enumerate(zip_longest(mine, right)):
            if row == wanted:
                continue
            if row is None:
                text = "Something is still missing after the last of your operations."
                return Difference(start + text, None, len(mine) - 1)
            what = f"{names[n]} = {graphs.written_row(row, names)}"
            if row in mine[:n]:
                text = f"`{what}` computes what `{names[mine.index(row)]}` has computed already."
            elif wanted and row[0] == wanted[0] and set(map(str, row)) == set(map(str, wanted)):
                text = f"`{what}` has its inputs in another order than the expression."
            else:
                text = f"Look at `{what}` first: it is not in the graph that was asked for."
            return Difference(start + text, None, n)
        return None

    def alike(self, one: Any, other: Any) -> bool:
        """Compare the graphs, whatever the names."""
        return bool(one["rows"] == other["rows"])

    def show(self, answer: dict[str, Any]) -> str:
        """Write the graph as the steps of a calculation."""
        steps = graphs.written(answer["rows"], answer["names"])
        return steps or "an input as it is, without any operation"

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw the student's graph, with the first Node marked that differs."""
        return _operation(answer, _named(arguments), node) if isinstance(answer, Node) else None


@dataclass(frozen=True)
class SingleSteps(SameGraph):
    """A calculation as text, with one operation in each line, the last for y; as `SameGraph`.

    The case is (names of the inputs,).
    """

    what: str = 'a text with one operation in each line, such as "d = a + b"'

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Read the lines with minigraph's parser, after a look at each."""
        if isinstance(answer, (list, tuple)) and all(isinstance(line, str) for line in answer):
            answer = "\n".join(answer)
        if not isinstance(answer, str):
            raise not_a(self.what, answer)
        output, leaves = _steps(answer, arguments[0])
        return super().read(output, tuple(leaves.values()))

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw the graph that the lines describe, with the first Node marked that differs."""
        text = answer if isinstance(answer, str) else "\n".join(answer)
        output, leaves = _steps(text, arguments[0])
        return _operation(output, {x: name for name, x in leaves.items()}, node)


def _steps(text: str, letters: str) -> tuple[Node, dict[str, Node]]:
    """Compute the lines one by one; each must name the result of one operation, and be of use."""
    leaves = {x: variable(float(n), name=x) for n, x in enumerate(letters, start=2)}
    nodes = dict(leaves)
    lines: dict[str, str] = {}
    without_comments = re.sub("#.*", "", text)
    for line in filter(None, map(str.strip, re.split("[;\n]", without_comments))):
        name, equals, right = (part.strip() for part in line.partition("="))
        if not equals or not name.isidentifier():
            raise WrongForm(f"Each line should give a name to a result, and one is `{line}`.")
        if name in nodes:
            raise WrongForm(f"{name} has a value already when you come to `{line}`.")
        try:
            result = parse(right, **nodes)
        except MinigraphError as error:
            raise WrongForm(f"minigraph cannot read `{line}`: {error}") from None
        count = sum(node not in nodes.values() for node in graphs.computed(result))
        if count != 1:
            text = f"Each line should do one operation, and `{line}` does {count or 'none'}."
            raise WrongForm(text, "several operations" if count else None)
        nodes[name] = result.named(name)
        lines[name] = line
    if not lines:
        raise WrongForm("There is no line in it that computes something.", "no line")
    used = {x for node in nodes.values() for x in node.inputs}
    for name in list(lines)[:-1]:
        if nodes[name] not in used:
            raise WrongForm(f"Nothing uses the result of `{lines[name]}`.", "unused")
    if (last := list(lines)[-1]) != "y":
        raise WrongForm(f"The last line should compute y, and `{lines[last]}` computes {last}.")
    return result, leaves


# --- what they share ------------------------------------------------------------------------------


def kind_of(answer: Any) -> str:
    """Say what something is: "a text", "a number (float)", "a list"."""
    if isinstance(answer, bool):
        return str(answer)
    for types, words in _KINDS:
        if isinstance(answer, types):
            return words
    if callable(answer):
        return "a function"
    name = type(answer).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


_KINDS: list[tuple[Any, str]] = [
    (str, "a text"),
    (numbers.Integral, "a whole number"),
    (numbers.Real, "a number"),
    (Node, "a Node"),
    (np.ndarray, "an array"),
    (Mapping, "a dictionary"),
    (type(None), "None"),
    (type(...), "still three dots"),
]


def written(x: float, digits: int = 6) -> str:
    """Write a number, a whole one with all of its digits unless they are very many."""
    if isinstance(x, int):
        return str(x) if abs(x) < 10**20 else f"about 10^{round(x.bit_length() * math.log10(2))}"
    return f"{x:.{digits}g}"


NOT_YET = "Not quite. Before the next try, say for each one why it belongs where you put it."


def _listed(names: list[str], most: int = 4) -> str:
    shown = (
        names[:most]
        if len(names) <= most
        else [*names[: most - 1], f"{len(names) - most + 1} more"]
    )
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _graph_of(case: Case, name: Any) -> Any:
    """The graph that a case starts with, if it is small enough to look at."""
    graph = case[0] if case else None
    if not isinstance(graph, dict) or not 0 < len(graph) <= 20:
        return None
    nodes = graphs.build(graph)
    outputs = [nodes[x] for x in graph if not any(x in step[1:] for step in graph.values())]
    return outputs, [nodes[name]] if name in nodes else []


def _named(arguments: tuple[Any, ...]) -> dict[Node, str]:
    return {x: x.name or "" for x in arguments if isinstance(x, Node)}


def _operation(output: Node, inputs: dict[Node, str], row: Any) -> Any:
    """A student's graph, and its operation number `row`."""
    nodes = graphs.as_named(output, inputs)
    marked = nodes[row : row + 1] if isinstance(row, int) and row >= 0 else []
    return nodes[-1:] or [output], marked
