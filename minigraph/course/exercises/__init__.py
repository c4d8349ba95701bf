"""The catalogue of exercises, by name: one module to a lesson."""

from ..specification import Exercise
from . import expressions_as_graphs, forward_pass, start_here

LESSONS = (start_here, expressions_as_graphs, forward_pass)
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for lesson in LESSONS for exercise in lesson.EXERCISES
}

__all__ = ["EXERCISES"]
