"""Widgets for the lessons: type an expression and see its graph; step through the forward pass."""

from .expression import ExpressionEditor, expression_editor
from .forward import ForwardStepper, forward_stepper

__all__ = ["ExpressionEditor", "ForwardStepper", "expression_editor", "forward_stepper"]
