"""ATen's operations as minigraph's: a rule for each, which makes Nodes.

A rule is given what PyTorch gives, as a tensor without numbers, and then the arguments of the call,
with Nodes for tensors. It may leave the dtype to `torch_taking.py`, which casts where the two
systems differ. Rules that take several operations are folded into one box that opens.
"""

from __future__ import annotations

from . import (  # noqa: F401  # each states its rules
    activations,
    elementwise,
    losses,
    making,
    normalisation,
    places,
    products,
    reductions,
    shapes,
    sliding,
)
from .places import written
from .stating import BY_VALUES, FROM, RANDOM

__all__ = ["BY_VALUES", "FROM", "RANDOM", "written"]
