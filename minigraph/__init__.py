"""A computational graph that you can see, step through, question, break, compile and grade."""

from typing import Any

from .autodiff.check import gradcheck
from .autodiff.custom import check_custom, custom
from .autodiff.forward import jvp
from .autodiff.reverse import grad
from .drawing import Drawing, draw
from .graph.errors import GradientError, MinigraphError, NodeTypeError, ParseError, ShapeError
from .graph.node import Node, constant, scope, variable
from .graph.operation import FUNCTIONS as _FUNCTIONS
from .graph.order import topological_order
from .graph.parse import parse

globals().update(_FUNCTIONS)


def __getattr__(name: str) -> Any:
    """Hand on what is seldom needed, and slow to import, when it is asked for."""
    if name == "doctor":
        from .course.installation import doctor

        return doctor
    raise AttributeError(f"module 'minigraph' has no attribute {name!r}")


__all__ = [
    "Drawing",
    "GradientError",
    "MinigraphError",
    "Node",
    "NodeTypeError",
    "ParseError",
    "ShapeError",
    "check_custom",
    "constant",
    "custom",
    "doctor",
    "draw",
    "grad",
    "gradcheck",
    "jvp",
    "parse",
    "scope",
    "topological_order",
    "variable",
    *_FUNCTIONS,
]
