"""PyTorch's programs as graphs, watched while they run or translated; and graphs as its modules.

`from_torch` makes a Graph of a function or module, and `to_torch` a module of a Graph. `watch`
looks on: what runs becomes a graph of Nodes, with its numbers.

from minigraph import bridges

with bridges.torch.watch(model, x=x) as seen:
    loss = loss_function(model(x), t)

mg.play(seen, loss)    # or draw, record, zoom; seen[loss] is the Node
seen[loss].backward()  # seen[p].grad of a parameter is what loss.backward() leaves in p.grad

Each call of a PyTorch function is a Node. Its value is PyTorch's, and so is what it contributes to
the gradients of its inputs: the function is run again on copies of these, and PyTorch's autograd
does the rest. So nothing in the learner's program changes: no value, no `.grad`, no random number.
What each module does lies in a scope of its name, and parameters bear the names that
`named_parameters` gives. A function of torch.nn.functional that makes several operations is one
box that opens, as `mg.softmax` is.

What is shown as what it is:

* A change in place, as `x += 1` or `x[0] = 2`, makes another Node, which later uses of x mean; a
  change through a view is one of what it is a view of, and of its other views.
* `detach`, and what runs in `no_grad`: Nodes without gradient. A parameter that an optimizer has
  changed is another variable of the same name.
* A function with several results makes a Node for each.
* A `torch.autograd.Function` is one Node, with its own backward.
* A hook of a tensor is a Node after it, and is called again in the backward pass.
* Dropout and other randomness is repeated with the random numbers of the first time.
* Numbers that NumPy does not have, as bfloat16, are shown in float32, which holds them all.

What cannot be shown does not disturb the program; `seen[loss]` refuses it, and names it, when it is
in the way: complex, sparse and quantized tensors, those without numbers (device "meta"), calls
inside `torch.func` transforms, code that PyTorch does not run operation by operation (TorchScript),
backward hooks of modules, and changes in place that were not seen.

Gradients agree to the last bit, but where an elementwise operation stretches an input: there
minigraph adds up, so that the local derivative on the edge is that of each element; and but for
rounding where an input is a view with gaps, whose copy PyTorch may add up in another order.

Cost: a copy of each value, which stays as long as `seen` does, and 0.4 ms of computing for each
operation, where PyTorch takes 0.01 ms for a number and much more for large arrays; the backward
pass takes about 0.5 ms for each (400 transformer blocks of 25 operations with small arrays, on one
core). Watch a step or two of a training, not the whole. The time grows with the number of
operations, not faster: 10,000 were watched in 4 s, and `play` took 11 more for a page of 300 KB, in
which each block that is folded is one step of each pass, until it is opened. `draw` and `zoom` show
blocks that repeat once, as "0–11 ×12".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..graph.context import Block
from ..graph.graph import Graph
from .extras import installed

if TYPE_CHECKING:
    import torch


def from_torch(program: Any, /, *examples: Any, **named: Any) -> Graph:
    """Translate a function or a module of PyTorch into a Graph.

    graph = bridges.torch.from_torch(model, x)
    graph.run({"input": X})                    # as forward(self, input); the weights come along
    mg.play(graph.outputs[0])                  # drawn, optimized, compiled, saved as any other

    `torch.export` says which operations of ATen the program calls, and each of them becomes
    minigraph's. Nothing in the program changes, and no number of it is used but the weights. Each
    module is a scope; a function such as `gelu` is one box that opens. Values and gradients agree
    with PyTorch's to the precision of the dtype.

    Args:
        program: what is called with the examples.
        examples, named: its arguments: tensors, also in lists, tuples and dicts; what else is given
            stays as it is. The graph is one for their shapes and dtypes, without the
            `dynamic_shapes` of torch.export: for a batch of another size translate again, or let
            `to_torch(graph, batch="x")`, `to_jax` or `to_onnx` take any; they refuse a graph that
            fits one size only. So is what `x[mask]` picks: as many elements as in the examples.
            They become the first inputs, by the names of the parameters that take them: variables
            where the tensor requires a gradient, otherwise constants, with its numbers.

    Returns:
        A Graph with the tensors that the program returns as outputs. Parameters are further
        inputs, by the names that `named_parameters` gives, so that a run can be given others.

    Raises:
        ImportError: saying what to install.
        TranslationError: naming the operation, the line of the program, and what to write instead:
            for random numbers (call model.eval() first), steps that depend on values, what
            changes its inputs or statistics, a `torch.autograd.Function`, complex, sparse and
            quantized tensors, other devices than the CPU, and what has no rule.
        NodeTypeError: if the program cannot be called so.
    """
    return _module("torch_taking").taken(program, examples, named)


def to_torch(
    graph: Graph, *, batch: str | Iterable[str] | Mapping[str, int] = ()
) -> torch.nn.Module:
    """Translate a Graph into a module of PyTorch, for every operation of minigraph's table.

    module = bridges.torch.to_torch(graph)
    module(x).backward()                       # p.grad of each parameter
    bridges.torch.to_torch(graph, batch="x")   # for a batch of any size along axis 0 of x

    The graph's variables are the module's parameters and its constants are buffers, by their names:
    of a graph that `from_torch` made, `state_dict` has the names of the module it was made of.
    Values and gradients agree with minigraph's to the precision of the dtype.

    Args:
        graph: what is to be computed.
        batch: the names of the inputs that hold a batch, along axis 0; or the axis for each name.

    Returns:
        A module, which is called with the values of the graph's inputs in their order, or by name.
        An input that is a variable or a constant may be left out, and keeps its own value. It
        returns a tensor, or a tuple of tensors for a graph of several outputs.

    Raises:
        ImportError: saying what to install.
        TranslationError: naming an operation that is not in the table, such as one made with
            `custom`.
        FeedError: when it is called, naming the input whose value is missing or does not fit.
        ShapeError: when it is called, naming the operation that fits one size of the batch only.
    """
    return _module("torch_giving").given(graph, batch)


def watch(model: Any = None, /, **tensors: Any) -> Block:
    """Watch what PyTorch computes inside, as `with watch(model) as seen:`.

    Args:
        model: a module, whose parameters and submodules bear the names that they have in it. One
            that is not given bears the name of its class.
        tensors: what to call some tensors, such as x=x.

    Returns:
        A block, which gives a `Watched`: seen[tensor] is the Node of a tensor that was computed or
        used inside.

    Raises:
        ImportError: saying what to install.
        NodeTypeError: if the model is no module, or a tensor is none.
    """
    return Block(partial(_module("torch_watching").opened, model, tensors))


def _module(name: str) -> Any:
    """A module that needs PyTorch."""
    installed("torch", "PyTorch")
    return import_module(f".{name}", __package__)
