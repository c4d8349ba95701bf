"""Widgets for the lessons: type an expression and see its graph; step through the forward pass;
nudge an input and see what the output does; follow the paths of the chain rule; see how two shapes
fit."""

from .expression import ExpressionEditor, expression_editor
from .forward import ForwardStepper, forward_stepper
from .nudge import Nudge, nudge
from .paths import PathExplorer, path_explorer
from .player import Player, play
from .shapes import ShapeLens, shape_lens

__all__ = [
    "ExpressionEditor",
    "ForwardStepper",
    "Nudge",
    "PathExplorer",
    "Player",
    "ShapeLens",
    "expression_editor",
    "forward_stepper",
    "nudge",
    "path_explorer",
    "play",
    "shape_lens",
]
