"""Widgets for the lessons: type an expression and see its graph; step through the forward pass;
nudge an input and see what the output does; see how two shapes fit."""

from .expression import ExpressionEditor, expression_editor
from .forward import ForwardStepper, forward_stepper
from .nudge import Nudge, nudge
from .shapes import ShapeLens, shape_lens

__all__ = [
    "ExpressionEditor",
    "ForwardStepper",
    "Nudge",
    "ShapeLens",
    "expression_editor",
    "forward_stepper",
    "nudge",
    "shape_lens",
]
