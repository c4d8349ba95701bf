"""One small model in PyTorch, JAX and ONNX, for the lesson on real frameworks.

`program("torch")` is the program as text. `graph_of("torch")` takes its graph, if the framework is
there; if not, it is the graph that was taken when the course was made. `watched()` is a network of
PyTorch as it runs, or as it ran then. Each is the same either way. What is stored is written anew
by

    python -m minigraph.course.frameworks
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np

from ..bridges.translating import again
from ..core.node import Node, constant, new_seq, recorded, variable
from ..core.operation import OPERATIONS
from ..graph.graph import Graph
from ..graph.saving import from_json, to_json
from ..reading.words import aligned
from ..recording import Recording, record

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


def running_in_torch() -> Node:
    """Watch a network of PyTorch as it runs."""
    import torch

    from minigraph.bridges.torch import watch

    class Unit(torch.nn.Module):
        def __init__(self, w, b):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor(w))
            self.b = torch.nn.Parameter(torch.tensor(b))

        def forward(self, x):
            return torch.tanh(self.w * x + self.b)

    units = [Unit(0.5, -0.25), Unit(1.5, 0.25)]
    model = torch.nn.Sequential(*units).double()
    x, t = torch.tensor([2.0, 1.0]).double()
    with watch(model, x=x, t=t) as seen:
        error = model(x) - t
        loss = error * error
    return seen[loss]


PROGRAMS: dict[str, Callable[[], Graph]] = {"torch": in_torch, "jax": in_jax, "onnx": in_onnx}
WATCHED = "watched"


def program(name: str) -> str:
    """The program of "torch", "jax" or "onnx", or "watched", without its first line."""
    shown = running_in_torch if name == WATCHED else PROGRAMS[name]
    _, _, *body = inspect.getsource(shown).splitlines()
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
    loss = from_json(_stored_text(name))
    assert isinstance(loss, Node)
    return loss


def _stored_text(name: str) -> str:
    return json.dumps(json.loads(STORED.read_text(encoding="utf-8"))[name])


def watched() -> Node:
    """The loss of a network that PyTorch runs now; as it ran then where that is not installed."""
    loss = running_in_torch() if is_there("torch") else replayed(stored_run())
    return loss.named("loss")


def stored_run() -> Recording:
    """The passes of the network when the course was made."""
    return Recording.from_json(_stored_text(WATCHED))


def replayed(run: Recording) -> Node:
    """Make a graph of numbers of its recording; it holds and hands on what was recorded."""
    slopes = {(e.user, e.slot): e.local for e in run.events if e.kind == "multiply"}
    made: dict[str, Node] = {}
    for row in run.nodes:
        value = np.float64(run.values[row.id])
        if row.inputs:
            rules = [partial(_times, slopes.get((row.id, n))) for n in range(len(row.inputs))]
            op = replace(OPERATIONS[row.operation], vjps=(*rules,))
            node = recorded(op, tuple(made[x] for x in row.inputs), next(new_seq), value)
        else:
            node = (variable if row.differentiable else constant)(value, name=row.name)
        node.scope = row.scope
        made[row.id] = node
    return made[run.output]


def _times(slope: Any, g: Any, *_: Any) -> Any:
    """What a gradient becomes along an edge."""
    return g * slope


def where_from() -> str:
    """A table that says which graphs are taken anew, and how to get what is missing."""
    rows = [
        (name, "runs here" if is_there(name) else f"stored; pip install {name} to run it")
        for name in PROGRAMS
    ]
    return aligned(("framework", "its graph"), rows)


def store() -> None:
    """Take all graphs anew, and the watched run, and write them beside this module."""
    texts = {name: json.dumps(json.loads(to_json(taken(name)))) for name in PROGRAMS}
    texts[WATCHED] = record(running_in_torch()).to_json()
    rows = [f'"{name}": {text}' for name, text in texts.items()]
    STORED.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    store()
