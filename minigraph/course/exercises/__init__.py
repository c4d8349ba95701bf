"""The catalogue of exercises, by name: one module to a lesson."""

from ..specification import Exercise, exercises_in
from . import (
    automatic_differentiation,
    backward_pass,
    chain_rule,
    compiled_programs,
    debugging,
    dynamic_graphs,
    expressions_as_graphs,
    forward_pass,
    local_derivatives,
    neural_networks,
    parallelism_and_scale,
    real_frameworks,
    start_here,
    static_graphs,
    tensors,
    training,
)

LESSONS = (
    start_here,
    expressions_as_graphs,
    forward_pass,
    local_derivatives,
    chain_rule,
    backward_pass,
    automatic_differentiation,
    tensors,
    neural_networks,
    training,
    dynamic_graphs,
    static_graphs,
    compiled_programs,
    parallelism_and_scale,
    debugging,
    real_frameworks,
)
EXERCISES: dict[str, Exercise] = {}
for lesson in LESSONS:
    EXERCISES |= exercises_in(vars(lesson))

__all__ = ["EXERCISES"]
