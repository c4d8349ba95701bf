"""Run a graph with Dask: on threads of this machine, or on a `distributed` cluster of several.

run(graph, feeds)                                    # local threads
run(graph, feeds, client="tcp://192.168.1.2:8786")   # a cluster, by the address of its scheduler
loss, gradients = gradients_over_shards(graph, feeds, shards=4, batch=["x", "t"])

A graph travels as JSON, never as a pickle, and the workers need minigraph installed. Operations of
your own, made with `custom`, are given by name as for `from_json`; Dask pickles these.

Every value that a task needs is part of the task or the result of another one. So when a worker is
lost, with what it had computed, Dask computes that again elsewhere, and the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from os import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autodiff.derivatives import grad
from ..compiler.costs import predicted
from ..compiler.parallel import Piece, pieces
from ..compiler.schedule import schedule
from ..core.node import Node, frozen
from ..core.operation import Function
from ..errors import FeedError, GradientError
from ..errors.words import describe
from ..graph.graph import Graph, Values, expected
from ..graph.saving import graph_from_json, graph_to_json
from ..graph.symbolic import placeholder
from .extras import installed
from .translating import again, resized

if TYPE_CHECKING:
    from dask.delayed import Delayed
    from distributed import Client

HANDOFF = 1e-3  # seconds; Dask's documentation puts what a task costs it between 0.2 and 1 ms
RETRIES = 3  # of a task that failed or was lost
Operations = Mapping[str, Function]


def run(
    graph: Graph,
    feeds: Mapping[Any, Any] | None = None,
    client: Client | str | None = None,
    *,
    workers: int | None = None,
    operations: Operations | None = None,
) -> Any:
    """Compute a graph's outputs as Dask tasks; what belongs together is one task.

    Args:
        graph, feeds: as for `Graph.run`.
        client: a Client of `distributed`, or the address of a scheduler; None for local threads.
        workers: how many compute at once; None for the cores of this machine or of the cluster.
        operations: operations of your own that the graph uses, by name.

    Returns:
        What `Graph.run` returns, to the bit if the machines compute alike.

    Raises:
        ImportError: saying what to install.
        FormatError: naming the first Node that cannot be written as JSON, such as a checkpoint.
        SymbolicError: if a shape depends on values, as with a mask as index.
    """
    values: dict[Node, Any] = {**graph.fed(feeds or {})}
    with _connected(client) as cluster:
        workers = workers or _cores(cluster)
        costs = replace(predicted(graph), handoff=HANDOFF)
        parts = pieces(graph, schedule(graph, workers, costs), costs)
        tasks = _tasks(graph, parts, values, operations)
        gathered = dict(zip(tasks, _gathered([*tasks.values()], cluster, workers)))
    results = tuple(frozen(gathered[y] if y in gathered else values[y]) for y in graph.outputs)
    return graph.unpacked(results)


def gradients_over_shards(
    graph: Graph,
    feeds: Mapping[Any, Any],
    shards: int,
    batch: str | Iterable[str] | Mapping[str, int],
    wrt: Node | str | Iterable[Node | str] | None = None,
    client: Client | str | None = None,
    *,
    workers: int | None = None,
    operations: Operations | None = None,
) -> tuple[Any, Any]:
    """Compute a loss and its gradients with the batch split over tasks: data parallelism.

    The loss must be a mean over the examples of the batch. Then it is the mean of the shards'
    losses, weighted by their sizes, and so are the gradients. Two examples are tried first.

    Args:
        graph: with the loss as its only output, a scalar.
        feeds: values for the whole batch, as for `Graph.run`.
        shards: into how many parts the batch is split, of sizes that differ by one at most.
        batch: the names of the inputs that hold a batch, along axis 0; or the axis for each name.
        wrt: inputs by name, or Nodes; None for all inputs that have gradients and hold no batch.
        client, workers, operations: as for `run`.

    Returns:
        The loss, and a tuple of gradients in the order of `wrt`; the bare gradient of a single one.

    Raises:
        GradientError: if the loss is no mean over the examples.
        FeedError: if the inputs hold batches of several sizes, or fewer examples than shards.
        ShapeError: naming the operation that fits one size of the batch only.
    """
    axes = _axes(graph, batch)
    values = graph.fed(feeds)
    size = _batch_size(axes, values, shards)
    single = isinstance(wrt, Node | str)
    chosen = (
        [x for x in graph.inputs if x.requires_grad and x not in axes]
        if wrt is None
        else graph.inputs_named(wrt)
    )
    if not chosen or not axes.keys().isdisjoint(chosen):
        raise GradientError(
            "wrt names what all shards share, such as weights: inputs that have gradients and hold "
            "no batch"
        )
    _check_mean(graph, axes, values, size)
    bounds = np.linspace(0, size, shards + 1).astype(int)
    from_to = [(int(start), int(stop)) for start, stop in pairwise(bounds)]
    delayed = installed("dask", "Dask").delayed
    with _connected(client) as cluster:
        known = _data(operations)
        whole = {x: _data(values.get(x, x._value)) for x in graph.inputs if x not in axes}
        by_size: dict[int, Any] = {}
        tasks = []
        for start, stop in from_to:
            if (long := stop - start) not in by_size:
                text, stored = graph_to_json(_with_gradients(graph, axes, long, chosen))
                by_size[long] = text, _data(stored)
            sent = [
                _sliced(values[x], axes[x], start, stop) if x in axes else whole[x]
                for x in graph.inputs
            ]
            tasks.append(delayed(_computed, pure=False)(*by_size[long], known, *sent))
        by_part = _gathered(tasks, cluster, workers or _cores(cluster))
    weights = [(stop - start) / size for start, stop in from_to]
    loss, *gradients = (
        frozen(sum(weight * part for weight, part in zip(weights, parts)))
        for parts in zip(*by_part)
    )
    return loss, gradients[0] if single else tuple(gradients)


# --- tasks ----------------------------------------------------------------------------------------


def _computed(
    text: str, stored: Mapping[str, np.ndarray], operations: Operations | None, *values: Any
) -> tuple:
    """What a worker does: read a graph and run it on the values of its inputs."""
    graph = graph_from_json(text, stored, operations)
    return graph.run(dict(zip(graph.inputs, values)))


def _tasks(
    graph: Graph, parts: list[Piece], values: dict[Node, Any], operations: Operations | None
) -> dict[Node, Delayed]:
    """The Dask tasks of the operations among a graph's outputs."""
    delayed = installed("dask", "Dask").delayed
    home = {node: i for i, piece in enumerate(parts) for node in piece.nodes}
    wanted = {y for y in graph.outputs if y.op}
    wanted |= {x for n in home for x in n.inputs if x.op and home[x] != home[n]}
    made: dict[Node, Delayed] = {}
    known = _data(operations)
    for piece in parts:  # those that a piece needs stand before it
        if wanted.isdisjoint(piece.nodes):
            continue
        part, outside, outputs = _graph_of(piece, wanted)
        for x in outside:
            if x not in made:
                made[x] = _data(values[x])
        text, stored = graph_to_json(part)
        task = delayed(_computed, pure=False, nout=len(outputs))(
            text, stored, known, *(made[x] for x in outside)
        )
        made |= zip(outputs, task)
    return {y: made[y] for y in graph.outputs if y.op}


def _graph_of(piece: Piece, wanted: set[Node]) -> tuple[Graph, list[Node], list[Node]]:
    """A piece as a Graph of its own, what it takes from outside, and what it gives."""
    made: dict[Node, Node] = {}
    own, names = {*piece.nodes}, set[str]()
    outside: list[Node] = []
    for node in piece.nodes:
        for x in node.inputs:
            if x not in own and x not in made:
                name = x.name or (x.op.name if x.op else x.kind)
                name = name if name not in names else f"{name} {len(names)}"
                names.add(name)
                made[x] = placeholder(name, x.shape, x.dtype)
                outside.append(x)
        made[node] = again(node, made)
    outputs = [node for node in piece.nodes if node in wanted]
    return Graph([made[y] for y in outputs], [made[x] for x in outside]), outside, outputs


def _data(value: Any) -> Delayed:
    """A value that several tasks share."""
    return installed("dask", "Dask").delayed(value, pure=False, traverse=False)


# --- shards ---------------------------------------------------------------------------------------


def _axes(graph: Graph, batch: str | Iterable[str] | Mapping[str, int]) -> dict[Node, int]:
    """The axis along which each input holds the batch."""
    batch = [batch] if isinstance(batch, str) else batch
    by_name = batch if isinstance(batch, Mapping) else dict.fromkeys(batch, 0)
    axes = dict(zip(graph.inputs_named(by_name), by_name.values()))
    for x, axis in axes.items():
        if not -x.ndim <= axis < x.ndim:
            raise FeedError(f"the input {expected(x)} has no axis {axis} that holds a batch", (x,))
    if not axes:
        raise FeedError("batch names the inputs that hold a batch, and there are none")
    return axes


def _batch_size(axes: Mapping[Node, int], values: Values, shards: int) -> int:
    sizes = {x: values[x].shape[axis] for x, axis in axes.items()}
    if len({*sizes.values()}) > 1:
        sizes_told = ", ".join(f"{n} examples in {x.name}" for x, n in sizes.items())
        raise FeedError(f"the inputs hold batches of several sizes: {sizes_told}", (*sizes,))
    (size,) = {*sizes.values()}
    if type(shards) is not int or not 1 <= shards <= size:
        raise FeedError(f"a batch of {size} is split into 1 to {size} shards, not {shards!r}")
    return size


def _sliced(value: np.ndarray, axis: int, start: int, stop: int) -> np.ndarray:
    return value.take(range(start, stop), axis)


def _with_gradients(graph: Graph, axes: Mapping[Node, int], size: int, wrt: list[Node]) -> Graph:
    """The loss and its gradients for a batch of this size."""
    part, made = resized(graph, axes, size)
    loss = part.outputs[0]
    return Graph([loss, *grad(loss, [made.get(x, x) for x in wrt])], part.inputs)


def _check_mean(graph: Graph, axes: Mapping[Node, int], values: Values, size: int) -> None:
    """Raise unless the loss of two examples is the mean of their losses."""
    if len(graph.outputs) != 1 or graph.outputs[0].shape:
        raise GradientError("a loss is one output, and a scalar", graph.outputs)
    if size == 1:
        return

    def loss(start: int, stop: int) -> Any:
        part, made = resized(graph, axes, stop - start)
        sliced = {x: value for x, value in values.items() if x in graph.inputs}
        sliced |= {x: _sliced(values[x], axes[x], start, stop) for x in axes}
        loss = part.run({made.get(x, x): value for x, value in sliced.items()})
        return loss if part.is_single else loss[0]

    together, apart = loss(0, 2), (loss(0, 1) + loss(1, 2)) / 2
    tolerance = np.sqrt(np.finfo(graph.outputs[0].dtype).eps)
    if not np.isclose(together, apart, tolerance, tolerance, equal_nan=True):
        raise GradientError(
            f"{describe(graph.outputs[0])} is no mean over the examples of the batch: for the "
            f"first two it is {together:.6g} together, and {apart:.6g} on average if each is "
            "alone; so the losses of shards cannot be combined. Write it with mg.mean, and without "
            "what looks at the batch as a whole",
            graph.outputs,
        )


# --- Dask -----------------------------------------------------------------------------------------


@contextmanager
def _connected(client: Client | str | None) -> Iterator[Client | None]:
    """The cluster to use; a connection by address is closed at the end."""
    installed("dask", "Dask")
    if not isinstance(client, str):
        yield client
        return
    with installed("distributed", "Dask", "dask").Client(client, set_as_default=False) as made:
        yield made


def _cores(cluster: Client | None) -> int:
    """How many tasks can run at once."""
    return sum(cluster.nthreads().values()) if cluster else cpu_count() or 1


def _gathered(tasks: list[Delayed], cluster: Client | None, workers: int) -> list[Any]:
    """Compute tasks and return their results."""
    if cluster is None:
        return [
            *installed("dask", "Dask").compute(*tasks, scheduler="threads", num_workers=workers)
        ]
    return cluster.gather(cluster.compute(tasks, retries=RETRIES, optimize_graph=False))
