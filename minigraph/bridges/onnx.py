"""Models of ONNX as graphs, to be drawn, played, differentiated, optimised, compiled; and back.

from minigraph import bridges

graph = bridges.onnx.from_onnx("model.onnx", sizes={"batch": 8})
mg.draw(graph.outputs)
graph.run({"x": x})
bridges.onnx.to_onnx(graph, "model.onnx")

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

What is written comes back as it was: variables as variables and constants as constants, under their
names, scopes, and the operations that ONNX has not, each of which the file defines as a function of
the domain "minigraph", which runtimes run. `class_numbers` alone no longer checks its labels.
onnxruntime has no float64 for `erf`, `tan`, and the inverse and the hyperbolic functions.

A file is trusted in nothing. Nothing in it is executed; data that lies in other files is read from
the folder of the file and those below, and from nowhere else; what is larger than allowed is
refused before it is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from ..errors import FileError, FormatError, MinigraphError, NodeTypeError, TranslationError
from ..graph.files import write
from ..graph.graph import Graph
from .extras import installed

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
        most: how many bytes the file and the data beside it may have, and what is computed while
            they are read; an array that only a run makes may have a hundred times as many, and
            there may be a node for each thousand. Reading takes about three times as much memory.

    Raises:
        TranslationError: naming the node whose operator minigraph's operations cannot say, and the
            size or the value that must be given.
        FormatError: if the file is no model of ONNX, or broken, naming the node that is wrong,
            such as one whose result has not the shape that the file declares.
        FileError: naming the file, if it cannot be read.
        ImportError: saying what to install.
    """
    files = _module("onnx_files")
    for name, given in {"sizes": sizes, "values": values}.items():
        if not isinstance(given, Mapping | None):
            raise NodeTypeError(f"{name} are given by name, as in {name}={{…}}, not {given!r:.40}")
    if not isinstance(most, int | float):
        raise NodeTypeError(f"most is a number of bytes, not {most!r:.40}")
    try:
        source = files.Source(model, most)
        return _module("onnx_reading").Reader(source).graph(sizes or {}, values or {})
    except FileError:
        raise
    except MinigraphError as error:
        raise type(error)(f"{files.shown_of(model)}: {error}", error.nodes) from None
    except ImportError:
        raise
    except Exception as error:  # whatever a broken or hostile file may cause
        what = f"{type(error).__name__}: {error}"
        raise FormatError(f"{files.shown_of(model)}: it is broken ({what:.200})") from None


def to_onnx(
    graph: Graph,
    path: str | os.PathLike,
    *,
    batch: str | Iterable[str] | Mapping[str, int] = (),
) -> None:
    """Write a Graph as a model of ONNX, whole or not at all.

    Args:
        graph: of operations of minigraph's table.
        path: of the file; one that is there is replaced when the new one is whole.
        batch: the names of the inputs that hold a batch, along axis 0; or the axis for each name.
            The file names this size "batch" then, and takes any.

    Raises:
        TranslationError: naming the Node that ONNX cannot say.
        ShapeError: if the graph fits one size of the batch only.
        FileError: naming the file, if it cannot be written; what was there stays.
        ImportError: saying what to install.
    """
    if not isinstance(graph, Graph):
        raise NodeTypeError(
            f"to_onnx takes a Graph, such as mg.Graph(y), not {type(graph).__name__}"
        )
    try:
        content = _module("onnx_writing").model_of(graph, batch).SerializeToString()
    except ValueError as error:
        if isinstance(error, MinigraphError):
            raise
        raise TranslationError(f"the graph is too large for a file of ONNX: {error}") from None
    write(path, content)


def _module(name: str) -> Any:
    """A module that needs ONNX."""
    installed("onnx", "ONNX")
    return import_module(f".{name}", __package__)


def operators() -> list[str]:
    """The operators of ONNX that have rules of their own here; others may have definitions."""
    return sorted(_module("onnx_reading").RULES)
