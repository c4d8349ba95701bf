"""Functions of JAX as graphs, to be drawn, played, differentiated, optimised, compiled; and back.

from minigraph import bridges

graph = bridges.jax.from_jax(loss, params, x)
mg.draw(graph.outputs)
graph.grad("params.w").run()
function = bridges.jax.to_jax(graph)

`from_jax` reads the jaxpr of a call. Calls of `jit` are followed, a function such as `jax.nn.silu`
is one box that opens, and `jax.named_scope` is a scope. Values and gradients agree with JAX's to
the precision of the dtype, which is the one that JAX computes in: float64 is float32 there unless
`jax.config.update("jax_enable_x64", True)` was called.

A loop whose number of steps is known, of `scan`, `fori_loop` or `while_loop`, is unrolled, up to
10,000 operations; of a `cond` or `switch` whose number is known, the branch that it chooses is
taken.

What is refused, with the line of the program: loops and branches that depend on an input, random
numbers, what decides by a value that is computed, derivatives of one's own (`custom_jvp`,
`custom_vjp`), complex numbers and dtypes that NumPy does not have, whole numbers taken as bits,
linear algebra beyond products, and callbacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from ..graph.graph import Graph
from .extras import installed


def from_jax(function: Any, /, *examples: Any, **named: Any) -> Graph:
    """Translate a function of JAX into a Graph.

    graph = bridges.jax.from_jax(lambda w, x: jnp.tanh(x @ w), w, x)

    Args:
        function: what is called with the examples; nothing in it changes.
        examples, named: its arguments: arrays and numbers, also in lists, tuples and dicts; what
            else is given stays as it is. The graph is one for their shapes and dtypes. They become
            the inputs, with their values: floats as variables, anything else as constants. Their
            names are those of the parameters that take them, and the way to them from there, such
            as "params.layers.0.w".

    Returns:
        A Graph with the arrays that the function returns as outputs. Float arrays that it finds
        around it, or that a function finds which it calls, are further inputs, variables by their
        names there, as are those given by `functools.partial`; what it makes itself is constant.

    Raises:
        TranslationError: naming the primitive, the line of the program, and what to write instead.
        NodeTypeError: if there is no function, or it returns no array.
        ImportError: saying what to install.
    """
    return _module("jax_taking").taken(function, examples, named)


def to_jax(
    graph: Graph, *, batch: str | Iterable[str] | Mapping[str, int] = ()
) -> Callable[..., Any]:
    """Translate a Graph into a function of JAX, for every operation of minigraph's table.

    function = bridges.jax.to_jax(graph)
    jax.jit(jax.grad(function))(w, x)

    Args:
        graph: what is to be computed.
        batch: the names of the inputs that hold a batch, along axis 0; or the axis for each name.
            Batches of any size fit then.

    Returns:
        A function, which `jit`, `grad` and `vmap` take. It is called with the values of the graph's
        inputs in their order, or by name; one that has a value may be left out, and keeps it. It
        returns an array, or a tuple of arrays for a graph of several outputs.

    Raises:
        TranslationError: naming an operation that is not in the table, such as one made with
            `custom`; and if the graph computes in float64, and JAX does not.
        FeedError: when it is called, naming the input whose value is missing or does not fit.
        ShapeError: when it is called, naming the operation that fits one size of the batch only.
        ImportError: saying what to install.
    """
    return _module("jax_giving").given(graph, batch)


def _module(name: str) -> Any:
    """A module that needs JAX."""
    installed("jax", "JAX")
    return import_module(f".{name}", __package__)
