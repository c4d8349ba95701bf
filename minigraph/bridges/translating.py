"""What all bridges share that translate: rules by name, refusals, names, dtypes and sizes.

A bridge states a rule for each operation of the other system, which makes Nodes of its inputs, and
one for each operation of minigraph's table, which says it in the other system:

    FROM = Rules("PyTorch")

    @FROM.rule("aten.add", "aten.add_")
    def _(x, y): return x + y

    with located("aten.add", 'model.py, line 12: "z = x + y"'):
        z = FROM.find("aten.add")(x, y)

What has no rule, and what a rule refuses, is a TranslationError: it names the operation and the
line of the learner's code, and says what to write instead.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from ..core.applying import apply
from ..core.node import Node, constant, is_symbolic, variable
from ..core.operation import OPERATIONS, Operation
from ..errors import FeedError, MinigraphError, NodeTypeError, ShapeError, TranslationError
from ..errors.words import describe, printable
from ..graph.graph import Graph, expected
from ..graph.symbolic import placeholder

Rule = Callable[..., Any]
_SHAPED = {
    "reshape",
    "broadcast_to",
    "scatter_add",
}  # whose option is a result's shape
QUESTIONS = {  # their results are booleans, whatever is compared
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "isnan", "isfinite",
    "logical_and", "logical_or", "logical_not",
}  # fmt: skip


# --- refusals -------------------------------------------------------------------------------------


def refusal(
    what: str, at: str = "", instead: str = "", nodes: tuple[Node, ...] = ()
) -> TranslationError:
    """Make the error that says what is refused, in which line, and what would do instead."""
    message = what + f", in {at}" * bool(at) + f"; {instead}" * bool(instead)
    error = TranslationError(message, nodes)
    error.what, error.instead = what, instead
    return error


def line_of(file: str, number: int, code: str = "") -> str:
    """A line of the learner's code as an error names it: 'model.py, line 12: "z = x + y"'."""
    code = printable((code or linecache.getline(file, number)).strip())
    name = file if file.startswith("<") else Path(file).name
    return f"{name}, line {number}" + (f': "{code:.80}"' if code else "")


@contextmanager
def located(what: str, at: str = "") -> Iterator[None]:
    """Turn errors that come inside into refusals of an operation, in a line."""
    try:
        yield
    except TranslationError as error:
        if at and at not in str(error):
            what = error.what or str(error)
            raise refusal(what, at, error.instead, error.nodes) from None
        raise
    except MinigraphError as error:
        raise refusal(f"{what} cannot be translated: {error}", at, nodes=error.nodes) from None
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise refusal(f"{what} cannot be translated: {error}", at) from None


# --- rules ----------------------------------------------------------------------------------------


class Rules:
    """How operations are translated: a function for each, by name.

    Attributes:
        title: of the system whose operations are named, such as "PyTorch" or "minigraph".
        instead: by names of operations without a rule, what to write instead.
    """

    def __init__(self, title: str, instead: Mapping[str, str] | None = None) -> None:
        self.title = title
        self.instead = dict(instead or {})
        self._rules: dict[str, Rule] = {}

    def rule(self, *names: str) -> Callable[[Rule], Rule]:
        """State the rule of one or several operations; use it as a decorator."""

        def decorate(rule: Rule) -> Rule:
            self._rules |= dict.fromkeys(names, rule)
            return rule

        return decorate

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, name: str) -> bool:
        return name in self._rules

    def find(self, name: str, at: str = "", nodes: tuple[Node, ...] = ()) -> Rule:
        """Return the rule of an operation, or refuse it by name.

        Raises:
            TranslationError: naming the operation, the line, and what to write instead.
        """
        if name in self._rules:
            return self._rules[name]
        instead = self.instead.get(name, "")
        if not instead:
            words = {each.rpartition(".")[2]: each for each in self._rules}
            near = get_close_matches(name.rpartition(".")[2], words, 3)
            instead = f"near ones that can be: {', '.join(words[x] for x in near)}" * bool(near)
        raise refusal(f"{name} of {self.title} cannot be translated", at, instead, nodes)

    def of(self, graph: Graph) -> list[tuple[Node, Rule]]:
        """The operations of a graph in their order, each with its rule.

        Raises:
            TranslationError: naming the first Node whose operation has none.
        """
        steps = []
        for node in graph.order:
            op: Operation | None = node.op
            if op is None:
                continue
            if OPERATIONS.get(op.name) is not op:
                raise refusal(
                    f"{describe(node)} is no operation of the table, so it cannot be translated",
                    instead="compute it with minigraph's own operations",
                    nodes=(node,),
                )
            steps.append((node, self.find(op.name, describe(node), (node,))))
        return steps


def run(graph: Graph, steps: Iterable[tuple[Node, Rule]], values: dict[Node, Any]) -> list[Any]:
    """Compute a graph's outputs in another system from its leaves' values there.

    A rule is called with the Node, its inputs' values, and its attrs.
    """
    kept = {*graph.outputs}
    for node, rule in steps:
        values[node] = rule(node, *[values[x] for x in node.inputs], **node.attrs)
        for x in {*node.inputs}:
            if graph._last_user[x] is node and x not in kept:
                del values[x]
    return [values[y] for y in graph.outputs]


# --- dtypes, names, weights -----------------------------------------------------------------------


def computing_dtype(node: Node) -> np.dtype:
    """The dtype in which an elementwise operation computes; other systems have rules of their own.

    NumPy adds an int64 and a float32 as float64, for example, and a comparison takes its inputs in
    the dtype that both have in common.
    """
    if node.op and node.op.name in QUESTIONS:
        return np.result_type(*[x.dtype for x in node.inputs])
    return node.dtype


def names_of(nodes: Iterable[Node], spelled: Callable[[str], str] = printable) -> dict[Node, str]:
    """A name for each Node, no two alike: its own, or what it is, with a number where needed.

    Args:
        nodes: what is to be named.
        spelled: what makes of a text one that the other system takes as a name.
    """
    names: dict[Node, str] = {}
    taken: set[str] = set()
    for node in nodes:
        name = first = spelled(node.name or (node.op.name if node.op else node.kind))
        number = 1
        while name in taken:
            number += 1
            name = f"{first}_{number}"
        taken.add(name)
        names[node] = name
    return names


def identifier(name: str) -> str:
    """A name made of letters, digits and underscores, as in Python."""
    spelled = re.sub(r"\W", "_", name, flags=re.ASCII)
    return spelled if not spelled[:1].isdigit() and spelled else f"_{spelled}"


def weight(value: Any, name: str | None, trains: bool) -> Node:
    """A number or array of another system as a variable, or as a constant if it is not trained."""
    return (variable if trains and value.dtype.kind == "f" else constant)(value, name)


# --- sizes ----------------------------------------------------------------------------------------


def batch_axes(graph: Graph, batch: str | Iterable[str] | Mapping[str, int]) -> dict[Node, int]:
    """The axis along which each of a graph's inputs holds a batch.

    Raises:
        NodeTypeError: if there is no graph, or what is said of the batch names no axes.
        FeedError: if a name is that of no input, or an input has no such axis.
    """
    if not isinstance(graph, Graph):
        raise NodeTypeError(
            f"a Graph is translated, such as mg.Graph(y, [x]), not {type(graph).__name__}"
        )
    names = [batch] if isinstance(batch, str) else batch
    if not isinstance(names, Iterable):
        raise NodeTypeError(
            f'batch names the inputs that hold a batch, as batch="x", not {batch!r:.40}'
        )
    named = dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, 0)
    axes = dict(zip(graph.inputs_named(named), named.values()))
    for x, axis in axes.items():
        is_axis = isinstance(axis, int) and -len(x.shape) <= axis < len(x.shape)
        if not is_axis:
            raise FeedError(
                f"the input {expected(x)} has no axis {axis!r:.40} that could hold a batch", (x,)
            )
    return {x: axis % len(x.shape) for x, axis in axes.items()}


def fed_to(graph: Graph, values: Sequence[Any], named: Mapping[str, Any]) -> dict[Node, Any]:
    """What a call gives a graph: values by inputs, in their order or by name.

    Raises:
        FeedError: naming the input that is given twice, or whose value is missing.
    """
    if len(values) > len(graph.inputs):
        raise FeedError(f"the graph has {len(graph.inputs)} inputs, and is given {len(values)}")
    fed = dict(zip(graph.inputs, values))
    for x, value in zip(graph.inputs_named(named), named.values()):
        if x in fed:
            raise FeedError(f"the input {expected(x)} is given twice", (x,))
        fed[x] = value
    if missing := [x for x in graph.inputs if is_symbolic(x) and x not in fed]:
        wanted = ", ".join(map(expected, missing))
        raise FeedError(f"the graph cannot run without a value for {wanted}", (*missing,))
    return fed


def size_given(axes: Mapping[Node, int], fed: Mapping[Node, Any]) -> int | None:
    """The size of the batch in the values of a call; None where it is that of the graph.

    Raises:
        FeedError: if the inputs hold batches of several sizes.
    """
    sizes = {
        x: int(np.shape(fed[x])[axis])
        for x, axis in axes.items()
        if x in fed and np.ndim(fed[x]) == len(x.shape)
    }
    if len({*sizes.values()}) > 1:
        told = ", ".join(f"{n} examples in {x.name}" for x, n in sizes.items())
        raise FeedError(f"the inputs hold batches of several sizes: {told}", (*sizes,))
    size = next(iter(sizes.values()), None)
    return None if all(x.shape[axes[x]] == size for x in sizes) else size


def again(node: Node, made: Mapping[Node, Node], attrs: dict[str, Any] | None = None) -> Node:
    """The operation of a Node on other inputs, those made of its own."""
    assert node.op is not None
    inputs = tuple(made[x] for x in node.inputs)
    return apply(node.op, inputs, node.attrs if attrs is None else attrs).named(node.name)


def resized(graph: Graph, axes: Mapping[Node, int], size: int) -> tuple[Graph, dict[Node, Node]]:
    """The same graph for a batch of another size, and its Nodes by those that they stand for.

    Args:
        graph: whose inputs hold a batch.
        axes: the axis along which each of these inputs holds it.
        size: the number of examples.

    Raises:
        ShapeError: naming the operation that fits one size only.
    """
    made: dict[Node, Node] = {}
    whole = 0
    for x, axis in axes.items():
        shape = [*x.shape]
        whole, shape[axis] = shape[axis], size
        made[x] = placeholder(x.name or "", shape, x.dtype)
    if size == 1 and whole > 1:
        resized(graph, axes, whole + 1)  # one example would be stretched where others do not fit
    for node in graph.order:
        if node in made:
            continue
        if node.op is None or all(made[x] is x for x in node.inputs):
            made[node] = node
            continue
        try:
            shaped = "shape" if node.op.name in _SHAPED else ""
            attrs = {
                key: _resized_attr(a, whole, size, key == shaped) for key, a in node.attrs.items()
            }
            made[node] = again(node, made, attrs)
        except MinigraphError as error:
            raise ShapeError(
                f"{describe(node)} fits a batch of one size only, not one of {size}: {error}; "
                "write it for any size, for example mg.reshape(x, (-1, 3)), or translate the "
                "program that it was made of again, with examples of that size",
                (node,),
            ) from None
    outputs = [made[y] for y in graph.outputs]
    return Graph(
        outputs[0] if graph.is_single else outputs, [made.get(x, x) for x in graph.inputs]
    ), made


def _resized_attr(attr: Any, whole: int, size: int, is_shape: bool = False) -> Any:
    """An option of an operation for another size: of a shape the first axis, and numbers of rows.

    So `reshape(x, (whole, -1))` is followed, and `x[np.arange(whole), labels]`.
    """
    if is_shape and isinstance(attr, int):
        return size if attr == whole else attr
    if is_shape and attr and attr[0] == whole:
        return (size, *attr[1:])
    if isinstance(attr, tuple):
        return tuple(_resized_attr(a, whole, size) for a in attr)
    if isinstance(attr, np.ndarray) and np.array_equal(attr.ravel(), np.arange(whole)):
        return np.arange(size).reshape([size if n == whole else n for n in attr.shape])
    return attr
