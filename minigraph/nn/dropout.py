"""Dropout: a layer that draws random numbers whenever it is called in training."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np

from ..core.node import Node, is_symbolic
from ..data.sets import checked_generator
from ..errors import SymbolicError
from ..errors.shapes import Shape
from ..graph.symbolic import placeholder
from .checks import checked_number
from .layers import Layer

Masks = list[tuple[Node, "Dropout"]]
# Where a graph that is captured collects the masks that each run of it is to draw.
masks_of_capture: ContextVar[Masks | None] = ContextVar("masks_of_capture", default=None)


class Dropout(Layer):
    """In training, each element is 0 with probability p, else divided by 1 − p.

    Source: N. Srivastava et al., "Dropout", Journal of Machine Learning Research 15, 2014.
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        self.p = checked_number("p", p, "from 0 to below 1", kind="probability")
        self.rng = checked_generator(rng)

    def mask(self, shape: Shape, dtype: np.dtype) -> np.ndarray:
        """Draw by what elements are multiplied: 0 or 1 / (1 − p)."""
        return ((self.rng.random(shape) >= self.p) / (1 - self.p)).astype(dtype)

    def forward(self, x: Any) -> Any:
        """Drop elements while the module is trained."""
        if not self.training or not self.p:
            return x
        if not is_symbolic(x):
            return x * self.mask(x.shape, x.dtype)
        masks = masks_of_capture.get()
        if masks is None:
            raise SymbolicError(
                "a graph that is captured once would drop the same elements in each run; call "
                "evaluate() on the model before",
                (x,),
            )
        masks.append((placeholder(f"mask{len(masks) + 1}", x.shape, x.dtype), self))
        return x * masks[-1][0]
