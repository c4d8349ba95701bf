"""Models of ONNX as graphs: read, to be drawn, played, differentiated, optimised, compiled.

from minigraph import bridges

graph = bridges.onnx.from_onnx("model.onnx", sizes={"batch": 8})
mg.draw(graph)
graph.run({"x": x})

What comes along: weights, as variables with the names that they have in the file (those that a
batch measured, as constants); modules, as scopes, where a node's name is a path such as
"/encoder/layer1/MatMul"; and each operator that takes several operations as one box that opens. An
operator without a rule here is taken by the definition that ONNX has of it, where it has one.

A Node has one shape. So sizes that have only a name in the file, such as that of a batch, are given
when it is read. An input that decides shapes, as that of a Reshape may, is given as a value.

What is refused, by the name of the node: control flow, random numbers, texts, sequences, quantised
numbers and dtypes that NumPy does not have, sparse weights, operators of other domains than
ONNX's, and operators that the table of operations cannot say. An `If` whose condition is known is
the branch that it chooses.

A file is trusted in nothing. Nothing in it is executed; data that lies in other files is read from
the folder of the file and those below, and from nowhere else; what is larger than allowed is
refused before it is read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..errors import FileError, MinigraphError
from ..graph.graph import Graph

MOST = 100_000_000  # bytes of a model, unless more are allowed


def from_onnx(
    model: str | os.PathLike | Any,
    *,
    sizes: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    most: int = MOST,
) -> Graph:
    """Read a model of ONNX as a Graph.

    Args:
        model: the path of a file, or an `onnx.ModelProto`.
        sizes: the sizes that the file only names, such as {"batch": 8}; or the shape of an input,
            by the input's name.
        values: arrays for inputs that are known, by name; they are constants then.
        most: how many bytes the file and the data beside it may have, and an array that they ask
            for. Reading takes about three times as much memory.

    Raises:
        TranslationError: naming the node whose operator minigraph's operations cannot say, and the
            size or the value that must be given.
        FormatError: if the file is no model of ONNX, or broken, naming the node that is wrong.
        FileError: naming the file, if it cannot be read.
        ImportError: saying what to install.
    """
    files = _module("onnx_files")
    try:
        source = files.Source(model, most)
        return _module("onnx_reading").Reader(source).graph(sizes or {}, values or {})
    except FileError:
        raise
    except MinigraphError as error:
        raise type(error)(f"{files.shown_of(model)}: {error}", error.nodes) from None


def _module(name: str) -> Any:
    try:
        import_module("onnx")
    except ImportError:
        raise ImportError(
            'this reads and writes ONNX, which is not installed: pip install "minigraph[onnx]"'
        ) from None
    return import_module(f".{name}", __package__)


def operators() -> list[str]:
    """The operators of ONNX that have rules of their own here; others may have definitions."""
    _module("onnx_layers")
    return sorted(_module("onnx_call").RULES)
