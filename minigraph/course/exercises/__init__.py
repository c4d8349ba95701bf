"""The catalogue of exercises, by name: one module to a lesson."""

from ..specification import Exercise
from . import (
    automatic_differentiation,
    chain_rule,
    expressions_as_graphs,
    forward_pass,
    local_derivatives,
    start_here,
    tensors,
)

LESSONS = (
    start_here,
    expressions_as_graphs,
    forward_pass,
    local_derivatives,
    chain_rule,
    automatic_differentiation,
    tensors,
)
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for lesson in LESSONS for exercise in lesson.EXERCISES
}

__all__ = ["EXERCISES"]
