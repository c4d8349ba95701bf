"""A computational graph that you can see, step through, question, break, compile and grade."""

import difflib
from importlib import import_module
from typing import Any

import numpy as np

from .autodiff.anomaly import detect_anomaly
from .autodiff.check import gradcheck
from .autodiff.checkpoint import checkpoint
from .autodiff.custom import check_custom, custom
from .autodiff.derivatives import grad, jvp
from .autodiff.jacobian import hessian, hvp, jacobian
from .compiler import Plan
from .compiler.compile import compile_function as compile
from .core.node import Node, constant, variable
from .core.operation import FUNCTIONS as _FUNCTIONS
from .core.order import topological_order
from .drawing import Drawing, compare, draw
from .errors import (
    AnomalyError,
    FeedError,
    FileError,
    FormatError,
    GradientError,
    KinkWarning,
    MinigraphError,
    NodeTypeError,
    ParseError,
    PlanWarning,
    SettingError,
    ShapeError,
    SymbolicError,
    TranslationError,
)
from .graph.context import no_grad, scope
from .graph.graph import Graph
from .graph.parse import parse
from .graph.saving import from_json, to_json
from .graph.symbolic import placeholder
from .recording import record

globals().update(_FUNCTIONS)

_LATE = {  # seldom needed, and slow to import
    "course_map": ".course.map",
    "doctor": ".course.installation",
    "explore": ".widgets",
    "inspect": ".widgets",
    "play": ".widgets",
}


def __getattr__(name: str) -> Any:
    """Import what is seldom needed when it is asked for; explain what does not exist."""
    if name in _LATE:
        return getattr(import_module(_LATE[name], __name__), name)
    near: list[str] = []
    if not name.startswith("_"):  # those are names that tools ask every module for
        alias = getattr(getattr(np, name, None), "__name__", "")  # np.abs is np.absolute
        near = [alias] if alias in __all__ else difflib.get_close_matches(name, __all__, n=1)
    hint = f"; did you mean mg.{near[0]}?" if near else ""
    raise AttributeError(f"module 'minigraph' has no attribute {name!r}{hint}")


__all__ = [
    "AnomalyError",
    "Drawing",
    "FeedError",
    "FileError",
    "FormatError",
    "GradientError",
    "Graph",
    "KinkWarning",
    "MinigraphError",
    "Node",
    "NodeTypeError",
    "ParseError",
    "Plan",
    "PlanWarning",
    "SettingError",
    "ShapeError",
    "SymbolicError",
    "TranslationError",
    "check_custom",
    "checkpoint",
    "compare",
    "compile",
    "constant",
    "course_map",
    "custom",
    "detect_anomaly",
    "doctor",
    "draw",
    "explore",
    "from_json",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "inspect",
    "jacobian",
    "jvp",
    "no_grad",
    "parse",
    "placeholder",
    "play",
    "record",
    "scope",
    "to_json",
    "topological_order",
    "variable",
    *_FUNCTIONS,
]
