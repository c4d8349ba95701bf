"""The plan: a graph as a program of NumPy calls that write into arrays made beforehand.

The program is Python that can be read: `plan.source`. Where the arrays live was planned before
(`memory.py`); transposes and other views are made once, with the arrays. A graph of scalars becomes
plain arithmetic on Python's numbers.

    step = graph.compile(updates={w: w - 0.1 * gradient})
    step(x=X, t=T)                      # returns the outputs; w holds its new value
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from ..core.node import Node, is_symbolic
from ..core.operation import REFUSALS
from ..errors import FeedError, MinigraphError, NodeTypeError, ShapeError
from ..errors.words import describe
from ..graph.context import inspectors
from ..graph.graph import Graph, expected, fitted
from ..graph.leaving import assign_together, places
from .arrays import array_program
from .memory import MemoryPlan
from .passes import Pass, Step, optimized
from .program import Program
from .scalars import is_scalar, scalar_program
from .schedule import Schedule
from .schedule import schedule as scheduled

updating = Lock()  # calls that update variables run one after another


class Plan:
    """A compiled graph; call it with the values of its inputs by name.

    The arrays in which it works are its own. Nothing that it is given is changed or kept. What it
    returns is new at each call and shares memory with nothing, unless `reuse` was asked for: then
    the arrays that it returns are its own, and the next call, by whatever thread, overwrites them.

    Constants are taken as they are when the plan is made; variables as they are when it is called.

    **Threads.** Several may call a plan at once: each works in arrays of its own, which are made
    when they are first needed. Calls of plans that update variables run one after another, and
    change all of them at one moment.

    **Updates.** After each call a variable of `updates` holds its new value, computed from the old
    values of all variables. It is a new array: what was taken from the variable earlier stays as it
    was. A call that fails, or is interrupted, has changed no variable. As with every assignment,
    `backward` refuses a graph that used the old value.

    Attributes:
        graph: the optimised graph that it runs; its last outputs are the updates' new values.
        source: its program, which calls Nodes what the picture of `graph` with all calls open does.
        memory: where its arrays live; None for a graph of scalars, which has none.
        log: what the passes have done.
    """

    def __init__(
        self,
        graph: Graph,
        passes: Iterable[str | Pass] | None = None,
        *,
        updates: Mapping[Node, Node] | None = None,
        reuse: bool = False,
    ) -> None:
        """Optimise a graph and write its program; `Graph.compile` says more."""
        self._updates = _checked_updates(graph, updates or {})
        self._original = graph
        if self._updates:
            everything = [*graph.outputs, *self._updates.values()]
            graph = Graph(everything, graph.inputs, order=graph.order)
        self._plain = graph
        self.graph, self.log = optimized(graph, passes)
        outputs = len(self.graph.outputs) - len(self._updates)
        new = dict(zip(self._updates, self.graph.outputs[outputs:]))
        self._is_scalar = is_scalar(self.graph)
        program: Program = (
            scalar_program(self.graph, new, self._original.is_single)
            if self._is_scalar
            else array_program(self.graph, new, self._original.is_single, reuse)
        )
        self.source: str = program.source
        self.memory: MemoryPlan | None = program.memory
        self._make = program.compiled()
        self._inputs = [(x.name, x.shape, x.dtype, x) for x in graph.inputs]
        self._idle: list[Callable[..., Any]] = [self._make()]  # programs that no thread is running
        self._places = places([*self._updates])

    def __call__(self, /, **feeds: Any) -> Any:
        """Compute the outputs: a tuple in their order, or the bare value of a single one.

        Raises:
            FeedError: naming the input whose value is missing or does not fit.
        """
        values = []
        for name, shape, dtype, x in self._inputs:
            if name in feeds:
                value = feeds.pop(name)
                fits = type(value) is np.ndarray and value.shape == shape and value.dtype == dtype
                values.append(value if fits else fitted(x, value))
            elif is_symbolic(x):
                raise FeedError(f"the plan cannot run without a value for {expected(x)}", (x,))
            else:
                values.append(x._value)
        if feeds:
            self._original.inputs_named([*feeds])  # says which input there is not
        return self.run(values)

    @cached_property
    def schedule(self) -> Schedule:
        """How two workers would share the operations, as this machine's rates predict it."""
        return scheduled(self.graph)

    def run(self, values: list[Any]) -> Any:
        """Compute the outputs from values in the order of the inputs, which are not checked."""
        if not self._updates:
            return self._computed(values)
        with updating:
            results, new = self._computed(values)
            assign_together(self._places, new)
            return results

    def tried(self, values: list[Any]) -> Any:
        """The outputs, as `run` computes them; variables keep their values."""
        return self._computed(values)[0] if self._updates else self._computed(values)

    def _computed(self, values: list[Any]) -> Any:
        """What the program returns: the outputs, or a pair of outputs and new values."""
        if inspectors():  # who look at each Node, and know the user's
            return self._by_node(self._plain, values)
        try:  # what a list does is done at once, whatever other threads do
            program = self._idle.pop()
        except IndexError:
            program = self._make()
        try:
            return program(*values)
        except (*REFUSALS, ArithmeticError) as error:
            return self._interpreted(values, error)
        finally:
            self._idle.append(program)

    def _interpreted(self, values: list[Any], error: Exception) -> Any:
        """Compute node by node what the program returns, when it has refused.

        Python's numbers refuse what IEEE 754 has an answer for, and NumPy's do not. Whatever else
        is refused is refused again, in words that name the Node.
        """
        if isinstance(error, FloatingPointError):
            raise error  # as np.errstate asks for
        return self._by_node(self.graph, values)

    def _by_node(self, graph: Graph, values: list[Any]) -> Any:
        """What the program returns, computed by the graph."""
        outputs = graph.run(dict(zip(graph.inputs, values)))
        if graph.is_single:
            return _copied(outputs)
        cut = len(outputs) - len(self._updates)
        results = tuple(map(_copied, outputs[:cut]))
        results = self._original.unpacked(results)
        return (results, outputs[cut:]) if self._updates else results

    def __repr__(self) -> str:
        return f"<plan of {repr(self.graph).removeprefix('<graph of ')}"


def _checked_updates(graph: Graph, updates: Mapping[Node, Node]) -> dict[Node, Node]:
    for w, new in updates.items():
        for node in (w, new):
            if not isinstance(node, Node):
                raise NodeTypeError(
                    f"updates maps variables to Nodes, not {type(node).__name__} {node!r:.40}"
                )
        if w.op is not None or is_symbolic(w) or not w.requires_grad:
            raise MinigraphError(f"{describe(w)} cannot be updated: it is no variable", (w,))
        if w in graph.inputs:
            raise MinigraphError(
                f"{describe(w)} cannot be updated: it is an input, whose value comes with each "
                "call; leave it out of the inputs",
                (w,),
            )
        if new.shape != w.shape:
            raise ShapeError(f"{describe(w)} cannot take the value of {describe(new)}", (w, new))
        if new.dtype != w.dtype:
            raise NodeTypeError(
                f"{describe(w)} is {w.dtype}, and {describe(new)} is {new.dtype}", (w, new)
            )
    return dict(updates)


def _copied(value: Any) -> Any:
    return np.array(value)[()]


def compile_graph(
    graph: Graph,
    passes: Iterable[str | Pass] | None = None,
    *,
    updates: Mapping[Node, Node] | None = None,
    reuse: bool = False,
) -> Plan:
    """Write the graph as a program, to be called again and again.

    Args:
        graph: what to compile; it stays as it is.
        passes: by name, or functions of one's own; None for all that are safe. See `optimize`.
        updates: variables, each with the Node that computes its new value, such as
            `{w: w - 0.1 * gradient}`; a call assigns them after it has computed everything.
        reuse: return the plan's own arrays, which the next call overwrites, and not new ones.

    Returns:
        The Plan; call it as `plan(x=X)`.

    Raises:
        MinigraphError: if there is no such pass, or an update is of no variable.
        ShapeError, NodeTypeError: if a new value does not fit its variable.
    """
    return Plan(graph, passes, updates=updates, reuse=reuse)


def optimize_graph(graph: Graph, passes: Iterable[str | Pass] | None = None) -> Graph:
    """Return a graph that computes the same with less work; this one stays as it is.

    Args:
        graph: what to optimise.
        passes: by name, from `minigraph.compiler.PASSES` and `UNSAFE`, or functions of one's own
            from a graph to a graph and a list of rewrites; None for `PASSES`.

    Raises:
        MinigraphError: if there is no such pass, or if one has made something that is no graph.
    """
    return optimized(graph, passes)[0]


Graph.compile = compile_graph
Graph.optimize = optimize_graph

__all__ = ["Plan", "Step"]
