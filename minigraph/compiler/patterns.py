"""Rules of algebra, such as "x - -y → x + y": how they are read, found in a graph and applied.

`algebra.py` says what the letters stand for and which conditions there are. `parse` reads both
sides. The left one becomes a pattern, in all the orders that inputs of its commuting operations may
have. A Node is compared with the patterns of its own operation only, and each of them is small, so
the time that a pass takes grows as the graph does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from math import copysign
from typing import Any

import numpy as np

from ..core.applying import apply
from ..core.node import Node, is_symbolic
from ..core.operation import REFUSALS, Operation
from ..core.order import topological_order
from ..errors import MinigraphError, ParseError
from ..graph.graph import Graph
from ..graph.parse import free_names, parse
from ..graph.symbolic import placeholder
from .algebra import ALGEBRA, UNSAFE_ALGEBRA
from .rewrite import Replace, Rewrite, folded, number, operations, rebuilt, settings_key
from .traits import row_of

Pass = Callable[[Graph], tuple[Graph, list[Rewrite]]]

CONSTANTS = ("c", "d")  # the letters that stand for one number
LARGEST = 8  # operations on one side of a rule
MOST_ROUNDS = 2 * LARGEST  # until a rule has nothing to do for what it has made itself
MOST_MADE = 20 * LARGEST  # operations that it may have made of its left side by then
_ARROW = re.compile(r"(?:→|->)\s*")
_CONDITION = re.compile(r"(\w+)(?:\(([\w\s,]*)\))?")


# --- conditions -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Match:
    """Where a left side has been found.

    Attributes:
        node: what shall be replaced.
        letters: the Node that each letter stands for.
        inner: all operations of the left side.
        computed: what the right side computes of constants, by its term.
    """

    node: Node
    letters: dict[str, Node] = field(default_factory=dict)
    inner: list[Node] = field(default_factory=list)
    computed: dict[Term, Any] = field(default_factory=dict)


def _is_float(x: Node) -> bool:
    return x.dtype.kind == "f"


def is_wide(x: Node) -> bool:
    """Whether a Node holds floats of more than 16 bits, so that a sum may be held on the way."""
    return x.dtype.kind == "f" and x.dtype != np.float16


def _is_scalar(x: Node) -> bool:
    return not x.shape


def _is_of_one_dtype(match: Match) -> bool:
    return all(x.dtype == match.node.dtype for x in match.inner)


def _is_normal(match: Match) -> bool:
    return all(
        x.dtype.kind == "f" and np.all(np.isfinite(x) & (np.abs(x) >= np.finfo(x.dtype).tiny))
        for x in match.computed.values()
    )


OF_LETTERS = {"float": _is_float, "wide": is_wide, "scalar": _is_scalar}
OF_MATCHES = {"one_dtype": _is_of_one_dtype, "normal": _is_normal}


# --- terms ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Term:
    """A part of a rule: a letter, a number, or an operation on terms.

    Attributes:
        letter, number: of a leaf, one of them.
        op, inputs, attrs: of an operation.
    """

    letter: str = ""
    number: float | None = None
    op: Operation | None = None
    inputs: tuple[Term, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def is_anything(self) -> bool:
        """Whether it stands for results of operations, too."""
        return bool(self.letter) and self.letter not in CONSTANTS

    @cached_property
    def is_constant(self) -> bool:
        """Whether it can be computed while compiling."""
        leaves = [x for x in self.parts() if x.op is None]
        return all(x.number is not None or x.letter in CONSTANTS for x in leaves)

    def parts(self) -> Iterator[Term]:
        """The term and all terms within it."""
        yield self
        for x in self.inputs:
            yield from x.parts()

    def orders(self) -> Iterator[Term]:
        """The term with the inputs of commuting operations in every order, its own one first."""
        if self.op is None:
            yield self
            return
        swapped = [self.inputs[::-1]] if row_of(self.op).commutes else []
        for inputs in [self.inputs, *swapped]:
            for chosen in product(*[[*x.orders()] for x in inputs]):
                yield Term(op=self.op, inputs=chosen, attrs=self.attrs)

    def fits(self, node: Node, match: Match) -> bool:
        """Whether a Node has this form; then the match knows its letters."""
        if self.letter:
            known = match.letters.setdefault(self.letter, node)
            if self.letter in CONSTANTS and number(node) is None:
                return False
            return known is node and (node.ndim > 1 or not self.letter.isupper())
        if self.number is not None:
            value = number(node)
            return value == self.number and copysign(1, value) == copysign(1, self.number)
        if node.op is not self.op or len(node.inputs) != len(self.inputs):
            return False
        if self.attrs and settings_key(node.attrs) != settings_key(self.attrs):
            return False
        for term, x in zip(self.inputs, node.inputs):
            if term.op is not x.op and not term.is_anything:
                return False  # which is what happens most
        match.inner.append(node)
        return all(term.fits(x, match) for term, x in zip(self.inputs, node.inputs))

    def value(self, match: Match) -> Any:
        """What a constant term is in the dtype of the result; a ValueError says that it is not."""
        if self.op is not None:
            return self.op.forward(*[x.value(match) for x in self.inputs], **self.attrs)
        exact = match.letters[self.letter]._value if self.letter else np.array(self.number)[()]
        value = exact.astype(match.node.dtype)
        holds = np.isfinite if value.dtype.kind == "f" else np.asarray
        if not np.array_equal(holds(value), holds(exact)):
            raise ValueError(f"{value.dtype} does not hold {exact}")
        return value

    def made(self, match: Match) -> Node:
        """The term as a Node."""
        if self.letter:
            return match.letters[self.letter]
        if self.op is None:
            return folded(self.value(match))
        if self in match.computed:
            return folded(match.computed[self])
        return apply(self.op, tuple([x.made(match) for x in self.inputs]), self.attrs)


def _term(text: str, rule: str, start: int) -> Term:
    """Read one side of a rule."""
    try:
        if ";" in text:
            raise ParseError("a side of a rule is one expression", text, text.index(";"))
        node = _with_shape(text, (2, 2))
        if sum(x.op is not None for x in topological_order(node)) > LARGEST:
            raise ParseError(f"a side of a rule has at most {LARGEST} operations", text, 0)
        term = _term_of(node)
        if any(x.attrs for x in term.parts()):
            _check_settings(term, _term_of(_with_shape(text, (3, 3, 3))), text)
    except ParseError as error:
        message = str(error).partition("\n")[0]
        raise ParseError(message, rule, start + error.position) from None
    except MinigraphError as error:
        raise ParseError(str(error), rule, start) from None
    return term


def _with_shape(text: str, shape: tuple[int, ...]) -> Node:
    """An expression of arrays of one shape, and of constants."""
    names = free_names(text)
    return parse(text, **{x: placeholder(x, () if x in CONSTANTS else shape) for x in names})


def _check_settings(x: Term, y: Term, text: str) -> None:
    """Refuse an expression that becomes other operations for other shapes."""
    a, b = (
        [(z.op, z.letter, z.number, settings_key(z.attrs)) for z in term.parts()] for term in (x, y)
    )
    if a != b:
        raise ParseError("what this does depends on shapes, and a rule is for them all", text, 0)


def _term_of(node: Node) -> Term:
    if not is_symbolic(node):
        if node.shape:
            raise MinigraphError("a rule holds for all shapes, so it has numbers and no arrays")
        return Term(number=node._value.item())
    if node.op is None:
        return Term(letter=node.name or "")
    return Term(op=node.op, inputs=tuple(map(_term_of, node.inputs)), attrs=node.attrs)


# --- rules ----------------------------------------------------------------------------------------


class Rule:
    """One rule, as it is written in a line; see `by_rules`."""

    def __init__(self, text: str) -> None:
        self.text = text
        arrows = [*_ARROW.finditer(text)]
        if len(arrows) != 1:
            raise ParseError("a rule has one arrow, as x * 1 → x", text, len(text.rstrip()))
        self.arrow, start = arrows[0].span()
        right, where, conditions = f"{text[start:]} ".partition(" where ")
        left = _term(text[: self.arrow], text, 0)
        self.right = _term(right, text, start)
        if left.op is None:
            what = "a letter alone, which stands for everything" if left.letter else "a number"
            raise ParseError(f"the left side is {what}; it has to be an operation", text, 0)
        self._letters = {x.letter for x in left.parts() if x.letter}
        for x in self.right.parts():
            if x.letter and x.letter not in self._letters:
                raise ParseError(
                    f"{x.letter} is at the right side only, so nothing says what it stands for",
                    text,
                    start + re.search(rf"\b{x.letter}\b", right).start(),  # type: ignore
                )
        self.left = (*left.orders(),)
        self._computed = [*_largest_constants(self.right)]
        self._of_letters: list[tuple[Callable[[Node], bool], str]] = []
        self._of_matches: list[Callable[[Match], bool]] = []
        for condition in conditions.split(" and ") if where else ():
            if not condition.strip():
                raise ParseError("a condition is missing", text, len(text.rstrip()))
            self._add(condition.strip())

    def _add(self, text: str) -> None:
        """Read one condition."""
        read = _CONDITION.fullmatch(text)
        name, names = read.groups() if read else (text, None)
        letters = [x.strip() for x in (names or "").split(",")]
        at = self.text.rindex(text)
        if name in OF_LETTERS and self._letters.issuperset(letters):
            self._of_letters += [(OF_LETTERS[name], x) for x in letters]
        elif name in OF_MATCHES and names is None:
            self._of_matches.append(OF_MATCHES[name])
        elif name in OF_LETTERS:
            problem = f"{name} asks about letters of the left side, as in {name}(x)"
            raise ParseError(problem, self.text, at)
        else:
            known = [*OF_LETTERS, *OF_MATCHES]
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise ParseError(f"there is no condition {text}; {hint}", self.text, at)

    def __repr__(self) -> str:
        return f"<rule {self.text}>"

    def applied(self, node: Node) -> Node | None:
        """What the rule puts in place of a Node; None if it says nothing about it."""
        for left in self.left:
            match = Match(node)
            if not left.fits(node, match):
                continue
            try:
                with np.errstate(all="ignore"):
                    made = self._made(match) if self._holds(match) else None
            except (*REFUSALS, ArithmeticError):  # shapes or numbers that the right side refuses
                continue
            if made is not None and (made.shape, made.dtype) == (node.shape, node.dtype):
                return made
        return None

    def _holds(self, match: Match) -> bool:
        if not all(holds(match.letters[letter]) for holds, letter in self._of_letters):
            return False
        match.computed = {x: x.value(match) for x in self._computed}
        return all(holds(match) for holds in self._of_matches)

    def _made(self, match: Match) -> Node:
        if not self.right.is_constant:
            return self.right.made(match)
        value = match.computed.get(self.right)
        value = self.right.value(match) if value is None else value
        return folded(np.broadcast_to(value, match.node.shape))

    def sample(self) -> Node:
        """A Node of the form of the left side."""
        match = Match(folded(0.0))
        for i, letter in enumerate(sorted(self._letters)):
            is_number = letter in CONSTANTS
            match.letters[letter] = folded(0.7 + i) if is_number else placeholder(letter, (2, 2))
        return self.left[0].made(match)


def _largest_constants(term: Term) -> Iterable[Term]:
    """The operations on constants, without those that are part of another one."""
    if term.op is not None and term.is_constant:
        yield term
    else:
        for x in term.inputs:
            yield from _largest_constants(x)


def by_rules(name: str, rules: str) -> Pass:
    """Make a pass of rules of algebra.

    Args:
        name: of the pass, which the log says with each replacement.
        rules: one to a line, such as "x - -y → x + y where float(x, y)"; `->` is an arrow too, and
            what follows a # is not read. `algebra.py` says what letters and conditions mean. The
            first rule that applies to a Node is taken.

    Raises:
        ParseError: pointing at the character, for what is no rule; and for rules that would find
            something to do in what they have made, for ever.
    """
    read = _rules(rules)
    run = _pass(name, rules, name, lambda: read)
    for rule in read:
        _check_that_it_ends(rule, run)
    return run


def of_page(name: str, says: str, besides: Replace | None = None) -> Pass:
    """Make a pass of the rules that stand under its name in `algebra.py`.

    They are read when it runs for the first time: importing minigraph shall not wait for that.

    Args:
        name: of the pass.
        says: what the log says with each replacement.
        besides: what replaces Nodes that no rule applies to, as `rebuilt` takes it.
    """
    rules = (ALGEBRA | UNSAFE_ALGEBRA)[name]
    return _pass(name, rules, says, lambda: _rules(rules), besides)


def _rules(text: str) -> list[Rule]:
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [Rule(line) for line in lines if line]


def _pass(
    name: str,
    text: str,
    says: str,
    rules: Callable[[], list[Rule]],
    besides: Replace | None = None,
) -> Pass:
    @cache
    def by_operation() -> dict[Operation | None, list[Rule]]:
        table: dict[Operation | None, list[Rule]] = {}
        for rule in rules():
            table.setdefault(rule.left[0].op, []).append(rule)
        return table

    def run(graph: Graph) -> tuple[Graph, list[Rewrite]]:
        known = by_operation()

        def replace(node: Node) -> Node | None:
            for rule in known.get(node.op, ()):
                made = rule.applied(node)
                if made is not None:
                    return made
            return besides(node) if besides else None

        return rebuilt(graph, says, replace)

    run.__name__ = run.__qualname__ = name
    run.__doc__ = text
    return run


def _check_that_it_ends(rule: Rule, run: Pass) -> None:
    """Refuse a rule whose own left side keeps the rules busy for ever."""
    graph = Graph(rule.sample())
    for _ in range(MOST_ROUNDS):
        graph, log = run(graph)
        if not log:
            return
        if operations(graph) > MOST_MADE:
            break
    raise ParseError(
        "this never ends: in what it makes there is again something to do",
        rule.text,
        rule.arrow,
    )
