"""One small model in PyTorch, JAX and ONNX, for the lesson on real frameworks.

`program("torch")` is the program as text. `graph_of("torch")` takes its graph, if the framework is
there; if not, it is the graph that was taken when the course was made. Both are the same. The
stored graphs are written anew by

    python -m minigraph.course.frameworks
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

from ..bridges.translating import again
from ..core.node import Node, variable
from ..graph.graph import Graph
from ..graph.saving import from_json, to_json
from ..reading.words import aligned

STORED = Path(__file__).with_name("frameworks.json")
NUMBERS = {"w": 0.5, "x": 2.0, "b": -0.25, "t": 1.0}


def in_torch() -> Graph:
    """Take the graph of a function of PyTorch."""
    import torch

    from minigraph.bridges.torch import from_torch

    def loss(w, x, b, t):
        error = torch.tanh(w * x + b) - t
        return error * error

    numbers = [0.5, 2.0, -0.25, 1.0]
    examples = [torch.tensor(v, dtype=torch.float64) for v in numbers]
    return from_torch(loss, *examples)


def in_jax() -> Graph:
    """Take the graph of a function of JAX."""
    import jax
    import jax.numpy as jnp

    from minigraph.bridges.jax import from_jax

    def loss(w, x, b, t):
        error = jnp.tanh(w * x + b) - t
        return error * error

    jax.config.update("jax_enable_x64", True)
    return from_jax(loss, 0.5, 2.0, -0.25, 1.0)


def in_onnx() -> Graph:
    """Take the graph of a model of ONNX, which is a list of nodes in a file."""
    from onnx import TensorProto, helper

    from minigraph.bridges.onnx import from_onnx

    nodes = [
        helper.make_node("Mul", ["w", "x"], ["wx"]),
        helper.make_node("Add", ["wx", "b"], ["z"]),
        helper.make_node("Tanh", ["z"], ["h"]),
        helper.make_node("Sub", ["h", "t"], ["e"]),
        helper.make_node("Mul", ["e", "e"], ["loss"]),
    ]
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, []) for name in names]
        for names in ("wxbt", ["loss"])
    )
    graph = helper.make_graph(nodes, "model", inputs, outputs)
    opset = helper.make_opsetid("", 21)
    return from_onnx(helper.make_model(graph, opset_imports=[opset]))


PROGRAMS: dict[str, Callable[[], Graph]] = {"torch": in_torch, "jax": in_jax, "onnx": in_onnx}


def program(name: str) -> str:
    """The program of "torch", "jax" or "onnx", without its first line."""
    _, _, *body = inspect.getsource(PROGRAMS[name]).splitlines()
    return dedent("\n".join(body))


def is_there(name: str) -> bool:
    """Whether a framework is installed."""
    return find_spec(name) is not None


def graph_of(name: str) -> Node:
    """The loss that a program computes; the stored one where its framework is not installed."""
    return taken(name) if is_there(name) else stored(name)


def taken(name: str) -> Node:
    """The loss of a program that runs now, of variables with the numbers of the lesson."""
    graph = PROGRAMS[name]()
    made: dict[Node, Node] = {x: variable(NUMBERS[x.name or ""], name=x.name) for x in graph.inputs}
    for node in graph.order:
        if node not in made:
            made[node] = again(node, made)
    return made[graph.outputs[0]].named("loss")


def stored(name: str) -> Node:
    """The loss of a program that ran when the course was made."""
    graphs = json.loads(STORED.read_text(encoding="utf-8"))
    loss = from_json(json.dumps(graphs[name]))
    assert isinstance(loss, Node)
    return loss


def where_from() -> str:
    """A table that says which graphs are taken anew, and how to get what is missing."""
    rows = [
        (name, "runs here" if is_there(name) else f"stored; pip install {name} to run it")
        for name in PROGRAMS
    ]
    return aligned(("framework", "its graph"), rows)


def store() -> None:
    """Take all graphs anew, and write them beside this module."""
    graphs = {name: json.loads(to_json(taken(name))) for name in PROGRAMS}
    rows = [f'"{name}": {json.dumps(graph)}' for name, graph in graphs.items()]
    STORED.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    store()
