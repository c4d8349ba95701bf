"""Where learning starts: random weights whose size keeps signals and gradients alive.

A weight has shape (out, in, …). Its fan-in is how many numbers each output sums, in · …, and its
fan-out is out · …: for a convolution the sizes of the filter stand in place of the dots.

| name | drawn from | source |
|---|---|---|
| "fan_in" | uniform, ±1/√fan-in; what PyTorch's layers take | LeCun et al., *Efficient BackProp*, 1998 |
| "glorot_uniform" | uniform, ±√(6 / (fan-in + fan-out)) | Glorot and Bengio, AISTATS 2010 |
| "glorot_normal" | normal, variance 2 / (fan-in + fan-out) | the same |
| "he_uniform" | uniform, ±√(6 / fan-in) | He et al., *Delving deep into rectifiers*, ICCV 2015 |
| "he_normal" | normal, variance 2 / fan-in | the same |
| "zeros" | all 0, from where hidden layers learn nothing | |
"""  # noqa: E501

from __future__ import annotations

import difflib
from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from ..core.node import Node, variable
from ..data.sets import checked_generator
from ..errors import SettingError
from ..errors.shapes import Shape

Draw = Callable[[np.random.Generator, Shape, int, int], np.ndarray]


def _uniform(bound: Callable[[int, int], float]) -> Draw:
    return lambda rng, shape, i, o: rng.uniform(-bound(i, o), bound(i, o), shape)


def _normal(std: Callable[[int, int], float]) -> Draw:
    return lambda rng, shape, i, o: rng.normal(0, std(i, o), shape)


INITIAL: dict[str, Draw] = {
    "fan_in": _uniform(lambda i, o: 1 / sqrt(i)),
    "glorot_uniform": _uniform(lambda i, o: sqrt(6 / (i + o))),
    "glorot_normal": _normal(lambda i, o: sqrt(2 / (i + o))),
    "he_uniform": _uniform(lambda i, o: sqrt(6 / i)),
    "he_normal": _normal(lambda i, o: sqrt(2 / i)),
    "zeros": lambda rng, shape, i, o: np.zeros(shape),
}


def initial(name: str, shape: Shape, rng: Any, init: str = "fan_in") -> Node:
    """Draw a parameter of shape (out, in, …).

    Raises:
        SettingError: if there is no initialisation of that name.
        NodeTypeError: if `rng` is no generator.
    """
    if init not in INITIAL:
        near = difflib.get_close_matches(str(init), INITIAL, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"there is no initialisation {init!r}, only {', '.join(INITIAL)}{hint}")
    fan_in, fan_out = prod(shape[1:]), shape[0] * prod(shape[2:])
    return variable(INITIAL[init](checked_generator(rng), shape, fan_in, fan_out), name=name)


def uniform(name: str, shape: Shape, rng: Any, fan_in: int) -> Node:
    """Draw a parameter uniformly, ±1/√fan-in, as PyTorch draws each bias."""
    return variable(INITIAL["fan_in"](checked_generator(rng), shape, fan_in, 0), name=name)
