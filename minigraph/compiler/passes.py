"""The passes: each takes a graph and returns one that computes the same with less work.

`optimized` runs them over and over until none finds anything to do. Each returns the graph and a
log of what it replaced, and leaves the graph that it took as it is.

What `PASSES` may change is rounding, and nothing else where no number overflows on the way: each
result is computed in the dtype in which it was, and NaN, infinities and −0 go through as before.
Two may make a number where there was an overflow, or the reverse: `gather_factors`, as
(x · 1e200) · 1e-200 becomes x, and `reorder_matrix_products`, which may also make NaN of an
infinity, or the reverse, where a matrix holds one. Rules that are wrong for NaN, infinity or zero
stand apart in `UNSAFE`; they run only when they are asked for by name.

A. Aho, M. Lam, R. Sethi and J. Ullman, *Compilers*, 2nd ed., 2006, chapters 8 and 9.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.applying import apply
from ..core.node import Node, is_symbolic
from ..core.operation import FUNCTIONS
from ..core.order import topological_order
from ..errors import MinigraphError
from ..errors.shapes import axis_numbers
from ..graph.graph import Graph, computed
from ..graph.promises import check_graph
from .patterns import Pass, is_wide, of_page
from .rewrite import (
    Rewrite,
    as_symbolic,
    expression,
    folded,
    is_op,
    names_of,
    number,
    operations,
    rebuilt,
    settings_key,
    with_leaves,
)

ops = SimpleNamespace(**FUNCTIONS)  # with which a rule writes what it puts in place

LARGEST_CONSTANT = 100_000  # elements that folding may write down
LONGEST_CHAIN = 64  # matrices whose best order is looked for, which takes the cube of it
MOST_ROUNDS = 100


# --- what changes no result -----------------------------------------------------------------------


def remove_dead_code(graph: Graph) -> tuple[Graph, list[Rewrite]]:
    """Leave out what no output needs."""
    needed = {*topological_order(graph.outputs)}
    dead = [node for node in graph.order if node.op and node not in needed]
    if not dead:
        return graph, []
    called = names_of(graph) if dead else {}
    log = [Rewrite("no output needs it", expression(node, called), "nothing") for node in dead]
    return _outputs_of(graph, graph.outputs), log


def share_common_subexpressions(graph: Graph) -> tuple[Graph, list[Rewrite]]:
    """Compute once what is computed several times from the same inputs."""
    known: dict[Any, Node] = {}

    def first(node: Node) -> Node | None:
        inputs = [_constant_key(x) or x for x in node.inputs]
        same = known.setdefault((node.op, settings_key(node.attrs), *inputs), node)
        return None if same is node else same

    return rebuilt(graph, "computed before", first)


def fold_constants(graph: Graph) -> tuple[Graph, list[Rewrite]]:
    """Compute now what depends on constants only."""

    def compute(node: Node) -> Node | None:
        if node.size > LARGEST_CONSTANT or any(not _is_constant(x) for x in node.inputs):
            return None
        with np.errstate(all="ignore"):
            return folded(computed(node, [x._value for x in node.inputs]), node.name)

    return rebuilt(graph, "constant", compute)


def _without_effect(node: Node) -> Node | None:
    """A reshape to the same shape, two transposes that undo each other, the largest of one …"""
    name, x = node.op.name, node.inputs[0]
    source: Node | None = None
    if name in ("reshape", "broadcast_to", "astype"):
        source = x
    elif name == "transpose" and is_op(x, name):
        order = [_axes(x)[i] for i in _axes(node)]
        source = x.inputs[0] if order == [*range(x.ndim)] else None
    elif name in ("max", "min") and _reduces_nothing(node, x):
        source = x
    return source if source is not None and _alike(source, node) else None


drop_what_does_nothing = of_page("drop_what_does_nothing", "does nothing", _without_effect)


def _merged(node: Node) -> Node | None:
    """A reshape of a reshape is one reshape.

    An array that is stretched, only to meet another of the full shape, need not be.
    """
    name, x = node.op.name, node.inputs[0]
    if name == "reshape" and is_op(x, "reshape"):
        return ops.reshape(x.inputs[0], node.shape)
    if name == "broadcast_to" and is_op(x, "broadcast_to"):
        return ops.broadcast_to(x.inputs[0], node.shape)
    if not node.op.partials or len(node.inputs) != 2:
        return None
    plain = [_before_stretching(y) for y in node.inputs]
    for i, y in enumerate(plain):
        if name == "power" and i == 1 and not y.shape:
            continue  # by one exponent of 0.5 NumPy takes roots: NaN of −∞, where powers give ∞
        mixed = [y if j == i else z for j, z in enumerate(node.inputs)]
        if y is not node.inputs[i] and mixed[1 - i].shape == node.shape:
            return apply(node.op, tuple(mixed), node.attrs)
    return None


def _before_stretching(x: Node) -> Node:
    """What was repeated to make an array, or the array itself."""
    if is_op(x, "broadcast_to"):
        return x.inputs[0]
    return folded(x._value.flat[0]) if x.shape and number(x) is not None else x


merge_shapes = of_page("merge_shapes", "shape", _merged)
simplify_signs = of_page("simplify_signs", "sign")


# --- what changes results by rounding -------------------------------------------------------------


def _written_out(node: Node) -> Node | None:
    """The log of a sum of exponentials, in operations that can work in place; sums of products.

    What has been shifted already, as in a softmax, is not shifted again.
    """
    if is_op(node, "logsumexp") and is_wide(node.inputs[0]):
        return _log_of_sum(node.inputs[0], **node.attrs)
    if is_op(node, "einsum") and len(node.inputs) == 2:
        return _as_matrix_product(node)
    return None


def _as_matrix_product(node: Node) -> Node | None:
    """A sum of products, of which no axis is left out or stays on both sides, by `matmul`.

    The shorter side of each matrix comes first in memory. So images under a filter are laid out
    once for both passes, and what is long is read as it lies.
    """
    x, y = node.inputs
    one, other, result = node.attrs["subscripts"].replace("->", ",").split(",")
    size = {**dict(zip(other, y.shape)), **dict(zip(one, x.shape))}
    summed = "".join(c for c in one if c in other)
    outer = "".join(c for c in one + other if c not in summed)
    fits = all(size[c] == n for c, n in zip(one + other, x.shape + y.shape))
    if not fits or not summed or sorted(outer) != sorted(result):
        return None
    if not all(is_wide(z) and z.dtype == node.dtype for z in (x, y)):
        return None

    def length(axes: Iterable[str]) -> int:
        return prod(size[c] for c in axes)

    def matrix(z: Node, axes: str) -> tuple[Node, str]:
        """An operand as (its own axes) × (those that are summed), and its own axes."""
        own = "".join(c for c in axes if c not in summed)
        turned = length(summed) < length(own)
        order = summed + own if turned else own + summed
        sizes = (length(summed), length(own)) if turned else (length(own), length(summed))
        z = ops.reshape(_transposed(z, axes, order), sizes)
        return (ops.matrix_transpose(z) if turned else z), own

    (left, rows), (right, columns) = matrix(x, one), matrix(y, other)
    if length(rows) > length(columns):
        (left, rows), (right, columns) = (right, columns), (left, rows)
    out = ops.matmul(left, ops.matrix_transpose(right))
    return _transposed(
        ops.reshape(out, tuple(size[c] for c in rows + columns)), rows + columns, result
    )


def _transposed(x: Node, axes: str, order: str) -> Node:
    """x with its axes, which have letters, in another order."""
    return x if axes == order else ops.transpose(x, tuple(axes.index(c) for c in order))


def _log_of_sum(x: Node, axis: Any, keepdims: bool) -> Node:
    """log Σ eˣ, with the largest element taken out of the sum if it may be other than 0."""
    if _is_shifted(x, axis):
        return ops.log(ops.sum(ops.exp(x), axis, keepdims))
    largest = ops.max(x, axis, keepdims=True)
    shift = ops.where(ops.isfinite(largest), largest, 0.0)
    total = ops.log(ops.sum(ops.exp(x - shift), axis, keepdims=True)) + shift
    return total if keepdims else ops.reshape(total, _without_axes(x, axis))


def _without_axes(x: Node, axis: Any) -> tuple[int, ...]:
    gone = axis_numbers(x.ndim, axis)
    return tuple(n for i, n in enumerate(x.shape) if i not in gone)


def _is_shifted(x: Node, axis: Any) -> bool:
    """Whether x is y − max y, which is 0 at its largest, or NaN."""
    if not is_op(x, "subtract"):
        return False
    y, largest = x.inputs
    if is_op(largest, "stop_gradient"):
        largest = largest.inputs[0]
    return (
        is_op(largest, "max")
        and largest.inputs[0] is y
        and largest.attrs["keepdims"]
        and axis_numbers(y.ndim, largest.attrs["axis"]) == axis_numbers(y.ndim, axis)
    )


reduce_strength = of_page("reduce_strength", "cheaper", _written_out)
gather_factors = of_page("gather_factors", "factors")


def reorder_matrix_products(graph: Graph) -> tuple[Graph, list[Rewrite]]:
    """Multiply a chain of matrices in the order that takes the fewest multiplications.

    T. Cormen et al., *Introduction to Algorithms*, 4th ed., 2022, section 14.2.
    """
    users = dict.fromkeys(graph.order, 0)
    for node in graph.order:
        for x in node.inputs:
            users[x] += 1
    counted = {*graph.outputs}
    inner = {
        x
        for node in graph.order
        if _multiplies_matrices(node)
        for x in node.inputs
        if _multiplies_matrices(x) and users[x] == 1 and x not in counted
    }

    # Inner products are offered first; they wait, and the last product of the chain takes them all.
    by_new: dict[Node, bool] = {}
    ends = iter([node for node in graph.order if node.op])

    def best(node: Node) -> Node | None:
        by_new[node] = next(ends) in inner
        if by_new[node] or not _multiplies_matrices(node):
            return None
        chain = _chain(node, by_new)
        if not 3 <= len(chain) <= LONGEST_CHAIN:
            return None
        cost, made = _cheapest(chain)
        return made() if cost < _cost_of(node, by_new) else None

    return rebuilt(graph, "order of products", best)


def _multiplies_matrices(node: Node) -> bool:
    """Whether a Node is a product of matrices of one dtype, in which their chain is computed."""
    return is_op(node, "matmul") and all(x.ndim == 2 and x.dtype == node.dtype for x in node.inputs)


def _chain(node: Node, inner: dict[Node, bool]) -> list[Node]:
    """The matrices whose product a Node is, in order."""
    matrices: list[Node] = []
    stack = [*reversed(node.inputs)]
    while stack:
        x = stack.pop()
        if inner.get(x) and _multiplies_matrices(x):
            stack += reversed(x.inputs)
        else:
            matrices.append(x)
    return matrices


def _cost_of(node: Node, inner: dict[Node, bool]) -> int:
    """The multiplications of a product and the products within it."""
    total, stack = 0, [node]
    while stack:
        x = stack.pop()
        total += x.inputs[0].shape[0] * x.inputs[0].shape[1] * x.inputs[1].shape[1]
        stack += [y for y in x.inputs if inner.get(y) and _multiplies_matrices(y)]
    return total


def _cheapest(chain: list[Node]) -> tuple[int, Callable[[], Node]]:
    """The fewest multiplications for a product, and what builds it so."""
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    n = len(chain)
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )

    def build(i: int, j: int) -> Node:
        if i == j:
            return chain[i]
        k = split[i, j]
        return ops.matmul(build(i, k), build(k + 1, j))

    return cost[0, n - 1], lambda: build(0, n - 1)


# --- what is wrong for some numbers ---------------------------------------------------------------


def _alone(node: Node) -> Node | None:
    """The sum or the mean of one number is that number, but for the sign of −0."""
    is_sum = is_op(node, "sum") or is_op(node, "mean")
    x = node.inputs[0]
    return x if is_sum and _reduces_nothing(node, x) and _alike(x, node) else None


zero_products = of_page("zero_products", "times zero")
cancel = of_page("cancel", "cancels")
add_zero = of_page("add_zero", "plus zero", _alone)


# --- all of them ----------------------------------------------------------------------------------

PASSES: dict[str, Pass] = {
    p.__name__: p
    for p in (
        remove_dead_code,
        drop_what_does_nothing,
        fold_constants,
        share_common_subexpressions,
        merge_shapes,
        simplify_signs,
        reduce_strength,
        gather_factors,
        reorder_matrix_products,
    )
}
UNSAFE: dict[str, Pass] = {p.__name__: p for p in (zero_products, cancel, add_zero)}


@dataclass(frozen=True)
class Step:
    """What one pass has done in one round.

    Attributes:
        name: of the pass.
        before, after: how many operations the graph had.
        rewrites: what was replaced.
    """

    name: str
    before: int
    after: int
    rewrites: list[Rewrite]


def optimized(graph: Graph, passes: Iterable[str | Pass] | None = None) -> tuple[Graph, list[Step]]:
    """Run passes in turn until none of them finds anything to do.

    Args:
        graph: what to optimise; it stays as it is.
        passes: by name, from `PASSES` and `UNSAFE`, or functions of one's own; None for `PASSES`.

    Returns:
        The new graph, and the steps that changed something.

    Raises:
        MinigraphError: if there is no such pass, or if a pass has made something that is no graph.
    """
    log: list[Step] = []
    last = as_symbolic(graph)
    for after, step in stepwise(last, passes):
        last = after
        log.append(step)
    last = with_leaves(last, dict(zip(last.inputs, graph.inputs)))
    for before, y in zip(graph.outputs, last.outputs):
        if y.op is not None and not y.name:
            y.name = before.name
    return last, log


def stepwise(
    graph: Graph, passes: Iterable[str | Pass] | None = None
) -> Iterator[tuple[Graph, Step]]:
    """Yield each graph on the way, with the step that led there; see `optimized`.

    Args:
        graph: symbolic throughout.
        passes: as for `optimized`.
    """
    chosen = [_pass(p) for p in (PASSES if passes is None else passes)]
    settled: dict[Pass, Graph] = {}  # where each pass has nothing to do
    for _ in range(MOST_ROUNDS):
        changed = []
        for run in chosen:
            if settled.get(run) is graph:
                continue
            after, rewrites = run(graph)
            settled[run] = graph
            if rewrites:
                _check(graph, after, run)
                step = Step(run.__name__, operations(graph), operations(after), rewrites)
                graph = after
                changed.append(run.__name__)
                yield graph, step
        if not changed:
            return
    raise MinigraphError(
        f"after {MOST_ROUNDS} rounds there is still something to do for {', '.join(changed)}; "
        "does a pass undo what another one does?"
    )


def _pass(chosen: str | Pass) -> Pass:
    if callable(chosen):
        return chosen
    known = PASSES | UNSAFE
    if chosen not in known:
        near = difflib.get_close_matches(str(chosen), known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise MinigraphError(f"there is no pass {chosen!r}, only {', '.join(known)}{hint}")
    return known[chosen]


def _check(before: Graph, after: Graph, run: Pass) -> None:
    """Assert that a pass has made a graph with the same ends."""
    name = run.__name__
    if before.inputs != after.inputs:
        raise MinigraphError(f"{name} has changed the inputs of the graph")
    if len(before.outputs) != len(after.outputs):
        raise MinigraphError(f"{name} has changed how many outputs the graph has")
    for y, z in zip(before.outputs, after.outputs):
        if not _alike(y, z):
            raise MinigraphError(
                f"{name} has changed an output from {y.dtype} of shape {y.shape} to {z.dtype} of "
                f"shape {z.shape}",
                (y, z),
            )
    check_graph(after.order)


# --- what the rules ask ---------------------------------------------------------------------------


def _outputs_of(graph: Graph, outputs: tuple[Node, ...]) -> Graph:
    return Graph(graph.unpacked(outputs), graph.inputs)


def _is_constant(x: Node) -> bool:
    return x.op is None and not x.requires_grad and not is_symbolic(x)


def _constant_key(x: Node) -> Any:
    """What makes two small constants the same."""
    if not _is_constant(x) or x.size > 64:
        return None
    return x.dtype, x.shape, np.asarray(x._value).tobytes()


def _alike(x: Node, y: Node) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype


def _axes(node: Node) -> list[int]:
    axes = node.attrs["axes"]
    return [*range(node.ndim)][::-1] if axes is None else [*axis_numbers(node.ndim, axes)]


def _reduces_nothing(node: Node, x: Node) -> bool:
    axes = axis_numbers(x.ndim, node.attrs["axis"])
    return prod(x.shape[i] for i in axes) == 1 and x.size > 0
