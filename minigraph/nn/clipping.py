"""Gradients that are too long, and are shortened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from ..core.node import Node
from ..core.table import sqrt as root
from ..core.table import square
from ..core.table import sum as total
from ..errors import GradientError
from ..graph.rows import minimum
from .checks import checked_number, checked_parameters
from .optimizers import like


def clip_gradients(parameters: Iterable[Node], max_norm: float) -> float:
    """Shorten all gradients together, so that their norm is at most `max_norm`; see `clipped`.

    Returns:
        The norm before.

    Raises:
        GradientError: if none of the parameters has a gradient.
    """
    chosen = [p for p in checked_parameters(parameters) if p.grad is not None]
    if not chosen:
        raise GradientError("there is no gradient to clip; call loss.backward() before")
    gradients, norm = clipped([p.grad for p in chosen], max_norm)
    for p, g in zip(chosen, gradients):
        p.grad = g
    return float(norm)


def clipped(gradients: Sequence[Any], max_norm: float) -> tuple[list[Any], Any]:
    """Gradients times max_norm / norm where that is below 1, and their norm, √Σ g².

    Source: R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013.
    """
    max_norm = checked_number("max_norm", max_norm, "above 0")
    norm = root(reduce(add, [total(square(g)) for g in gradients if g is not None]))
    share = minimum(max_norm / (norm + 1e-6), 1.0)  # as PyTorch does, so that 0 is no divisor
    return [g if g is None else g * like(g, share) for g in gradients], norm
