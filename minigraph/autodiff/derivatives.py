"""The derivatives that users ask for: `backward`, `grad` and `jvp`, with all that is refused.

The sweeps that do the work stand in `core/reverse.py` and `core/forward.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ..core.forward import push
from ..core.node import Node, checked_value, constant, is_symbolic
from ..core.order import topological_order
from ..core.reverse import pull_back, sweep
from ..errors import GradientError, NodeTypeError, ShapeError, SymbolicError
from ..errors.words import describe
from ..graph.context import shown, unwatched
from ..graph.graph import Graph
from ..graph.hooks import hooked, passed, passing_hooks
from .anomaly import hunters


def backward(
    y: Node, seed: Any = None, keep: str = "all", stop: Node | Iterable[Node] = ()
) -> None:
    """Leave in every Node that y depends on the gradient of y, in `grad`.

    Variables accumulate: a second call adds to what they hold (set `w.grad = None` to start
    afresh). Other Nodes are overwritten.

    Args:
        y: the output; a scalar, unless `seed` is given.
        seed: the gradient to start from, of y's shape; 1 for a scalar.
        keep: "all", or "leaves" to free the gradients of other Nodes as soon as they are used.
        stop: Nodes, or one, that count as constants: they get their gradient, but nothing flows
            through.

    Raises:
        GradientError: if y is no scalar and has no seed, if no variable reaches y, or if a leaf
            was given a new value after the forward pass.
    """
    if keep not in ("all", "leaves"):
        raise GradientError(f'keep is "all" or "leaves", not {keep!r}')
    if is_symbolic(y):
        raise SymbolicError(
            f"{describe(y)} has no numbers to go back with: it waits for a run. Build the graph of "
            "its gradients with mg.grad(y, [...]), and run that",
            (y,),
        )
    stop = _stops(stop)
    order = topological_order(y)
    check_differentiable(y, order)
    start = passing_hooks({y: checked_seed(y, seed)})
    sweep(order, start, keep == "all", stop, hunters())


def grad(
    y: Node, wrt: Node | Sequence[Node], seed: Any = None, stop: Node | Iterable[Node] = ()
) -> Any:
    """Return ∂y/∂x for each x in `wrt` as Nodes, which can be drawn and differentiated again.

    Args:
        y: the output; a scalar, unless `seed` is given.
        wrt: one Node or several, leaves or not, each requiring a gradient.
        seed: what to start from, a Node or values of y's shape; a constant 1 for a scalar.
        stop: Nodes, or one, that count as constants: no gradient flows through them. Those among
            `wrt` still get theirs.

    Returns:
        A Node for one Node, else a list in the order of `wrt`.

    Raises:
        GradientError: if y is no scalar and has no seed, or some x does not reach y.
    """
    targets = [wrt] if isinstance(wrt, Node) else list(wrt)
    cotangents = gradients(y, targets, seed, stop)
    for x, g in zip(targets, cotangents):
        if g is None:
            raise GradientError(_no_path(x, y, topological_order(y)), (x, y))
    return cotangents[0] if isinstance(wrt, Node) else cotangents


def gradients(
    y: Node,
    targets: Sequence[Node],
    seed: Any = None,
    stop: Node | Iterable[Node] = (),
    at_hooks: Callable[[Node, Node], Node] = passed,
) -> list[Node | None]:
    """Return what `grad` does, and None for each target that does not reach y.

    `at_hooks` is given each Node that has hooks, and its gradient, and returns the gradient after.
    """
    for x in targets:
        if not isinstance(x, Node):
            raise NodeTypeError(f"wrt holds Nodes, not {type(x).__name__} {x!r:.40}")
    stop = _stops(stop)
    order = topological_order(y)
    check_differentiable(y, order)
    start = checked_seed(y, seed._value if isinstance(seed, Node) else seed)
    if not isinstance(seed, Node):
        name = _derivative_name(y.name, y.name) if y.name and seed is None else None
        seed = constant(start, name=name)
    wanted = between(targets, order, stop)
    watched = hunters()
    with_hooks = {*hooked(order)}
    cotangents: dict[Node, Node] = {y: seed}
    with unwatched(*watched):  # for they check what each rule makes, and can say whose rule it was
        for node in reversed(order):
            g = cotangents.get(node)
            if g is None:
                continue
            if node in with_hooks:
                g = cotangents[node] = at_hooks(node, g)
            if y.name and node.name and g.name is None and g is not seed:
                g.name = _derivative_name(y.name, node.name)
            if node.op is not None and node not in stop:
                # Constants enter as numbers: what depends on them alone is folded, not drawn.
                inputs = [
                    x if x.requires_grad or x.op or is_symbolic(x) else x._value
                    for x in node.inputs
                ]
                pull_back(node, g, node, inputs, wanted, cotangents, watched)
    return [cotangents.get(x) for x in targets]


def jvp(y: Node, tangents: dict[Node, Any]) -> Node:
    """Return the change of y, to first order, when each x in `tangents` changes by `tangents[x]`.

    This is the Jacobian times a vector, at the cost of about one more forward pass. The result has
    y's shape and is a Node, so it can be drawn and differentiated again.

    Raises:
        GradientError: if none of the Nodes reaches y, or if one was given a new value since.
        ShapeError: if a tangent has another shape than its Node.
    """
    changes: dict[Node, Node] = {}
    for x in tangents:
        if not isinstance(x, Node) or not isinstance(tangents, dict):
            raise NodeTypeError(f"tangents are given as {{node: change}}, not {tangents!r:.60}")
    for x, dx in tangents.items():
        dx = dx if isinstance(dx, Node) else constant(checked_value(dx, x.dtype))
        if dx.shape != x.shape:
            raise ShapeError(f"the tangent of {describe(x)} has shape {dx.shape}", (x,))
        changes[x] = dx
    order = topological_order(y)
    check_differentiable(y, order)
    push(order, changes)
    if y not in changes:
        raise GradientError(f"none of the given Nodes reaches {describe(y)}", (y, *tangents))
    return changes[y]


def check_differentiable(y: Node, order: list[Node]) -> None:
    """Refuse an output without derivative, and a graph whose leaves have changed since."""
    if not y.requires_grad:
        why = (
            f"its dtype is {y.dtype}, and only floating-point numbers have gradients"
            if any(x.requires_grad for x in order)
            else "it depends on constants only; make an input with mg.variable"
        )
        raise GradientError(f"{describe(y)} has no gradient: {why}", (y,))
    changed = {x: x._assigned for x in order if x.op is None and x._assigned}
    for user in order if changed else ():
        if is_symbolic(user):
            continue  # it has not used any value yet
        for leaf in user.inputs:
            when, line = changed.get(leaf, (0, None))
            if line and when > user.seq:
                raise GradientError(
                    f"{describe(leaf)} was given a new value after {describe(user)} had used the "
                    f"old one (in {shown(line)}); run the forward pass again",
                    (leaf, user),
                )


def checked_seed(y: Node, seed: Any) -> Any:
    """The gradient that a backward pass of y starts from; 1 for a scalar if none is given."""
    if seed is None:
        if y.shape:
            raise GradientError(
                f"{describe(y)} is not a scalar, so there is no single gradient to start from; "
                "reduce it first, for example with mg.sum, or give a seed of its shape",
                (y,),
            )
        return y.dtype.type(1)
    seed = checked_value(seed, y.dtype)
    if seed.shape != y.shape:
        raise GradientError(
            f"the seed has shape {seed.shape}, but {describe(y)} needs its own", (y,)
        )
    return seed


def _stops(stop: Node | Iterable[Node]) -> Collection[Node]:
    """What the user gave as `stop`, as a set: asked once for every Node."""
    stops = frozenset([stop] if isinstance(stop, Node) else stop)
    for x in stops:
        if not isinstance(x, Node):
            raise NodeTypeError(f"stop holds Nodes, not {type(x).__name__} {x!r:.40}")
    return stops


def between(sources: Sequence[Node], order: list[Node], stop: Collection[Node] = ()) -> set[Node]:
    """The differentiable Nodes that depend on a source without passing a stop, and the sources."""
    reached = {x for x in sources if x.requires_grad}
    for node in order:
        if node.requires_grad and node not in stop and not reached.isdisjoint(node.inputs):
            reached.add(node)
    return reached


def _no_path(x: Node, y: Node, order: list[Node]) -> str:
    if x in order and not x.requires_grad:
        return f"{describe(x)} has no gradient; make it with mg.variable if it should have one"
    return (
        f"{describe(x)} does not reach {describe(y)}: no path of differentiable operations leads "
        "from one to the other, so the derivative is zero everywhere; leave it out, or look for "
        "the missing edge with mg.draw"
    )


def _derivative_name(y: str, x: str) -> str:
    """What a derivative is called: "∂y/∂x", and that of one "∂(∂y/∂x)/∂x"."""
    above, below = (f"({name})" if "∂" in name else name for name in (y, x))
    return f"∂{above}/∂{below}"


def _gradients_of_graph(
    graph: Graph, wrt: Node | str | Iterable[Node | str] | None = None
) -> Graph:
    """The graph of the gradients of a graph's output, with the same inputs.

    Args:
        graph: with one output, a scalar.
        wrt: inputs by name, or Nodes; None for all inputs that have gradients.

    Raises:
        GradientError: as `grad` does.
    """
    if len(graph.outputs) != 1:
        raise GradientError(
            f"the graph has {len(graph.outputs)} outputs; gradients are of one", graph.outputs
        )
    if wrt is None:
        wrt = [x for x in graph.inputs if x.requires_grad]
    single = isinstance(wrt, Node | str)
    derivatives = grad(graph.outputs[0], graph.inputs_named(wrt))
    return Graph(derivatives[0] if single else derivatives, graph.inputs)


Node.backward = backward
Graph.grad = _gradients_of_graph
