"""Layers, with the names, the shapes and the defaults of PyTorch.

Weights are drawn from the generator that each layer is given: `nn.Linear(64, 10, rng=rng)`. `init`
names how; see `initial.py`.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np

from ..core.node import Node, constant
from ..core.table import matrix_transpose, tanh
from ..data.sets import checked_count
from ..errors import NodeTypeError, ShapeError
from ..graph.functions import conv2d, max_pool2d
from ..graph.rows import erf, relu, sigmoid
from .checks import check_last, checked_pair
from .initial import initial, uniform
from .module import Module


class Layer(Module):
    """A module whose first input is an array: it becomes a constant, if it is no Node.

    Raises:
        NodeTypeError: when it is called with something that is no array.
    """

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Run `forward` in a scope, on Nodes."""
        return super().__call__(*map(self._as_array, inputs[:1]), *inputs[1:], **named)

    def _as_array(self, x: Any) -> Node:
        if x is None:
            raise NodeTypeError(f"{self!r} takes an array, not None; does what made it return it?")
        try:
            return x if isinstance(x, Node) else constant(x)
        except NodeTypeError as error:
            raise NodeTypeError(f"{self!r} takes an array: {error}", error.nodes) from None


class Linear(Layer):
    """y = x Wᵀ + b, from (…, in_features) to (…, out_features)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        init: str = "fan_in",
    ) -> None:
        self.in_features = checked_count("in_features", in_features)
        self.out_features = checked_count("out_features", out_features)
        self.weight = initial("weight", (out_features, in_features), rng, init)
        self.bias = uniform("bias", (out_features,), rng, in_features) if bias else None

    def forward(self, x: Any) -> Any:
        """Compute x Wᵀ + b."""
        check_last(x, (self.in_features,))
        out = x @ matrix_transpose(self.weight)
        return out if self.bias is None else out + self.bias


class Conv2d(Layer):
    """Filters over images, (batch, in_channels, h, w) to (batch, out_channels, h', w').

    Each size becomes (h + 2 · padding − kernel) // stride + 1; see `mg.conv2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        init: str = "fan_in",
    ) -> None:
        self.in_channels = checked_count("in_channels", in_channels)
        self.out_channels = checked_count("out_channels", out_channels)
        self.kernel_size = checked_pair("kernel_size", kernel_size)
        self.stride = checked_pair("stride", stride)
        self.padding = checked_pair("padding", padding, least=0)
        shape = (out_channels, in_channels, *self.kernel_size)
        self.weight = initial("weight", shape, rng, init)
        fan_in = prod(shape[1:])
        self.bias = uniform("bias", (out_channels,), rng, fan_in) if bias else None

    def forward(self, x: Any) -> Any:
        """Slide the filters over the images."""
        return conv2d(x, self.weight, self.bias, self.stride, self.padding)


class MaxPool2d(Layer):
    """The largest element of each window of the last two axes, `stride` (a window) apart."""

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None
    ) -> None:
        self.kernel_size = checked_pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else checked_pair("stride", stride)

    def forward(self, x: Any) -> Any:
        """Take the largest elements."""
        return max_pool2d(x, self.kernel_size, self.stride)


class Flatten(Layer):
    """All axes from `start_dim` on as one."""

    def __init__(self, start_dim: int = 1) -> None:
        self.start_dim = checked_count("start_dim", start_dim, least=0)

    def forward(self, x: Any) -> Any:
        """Lay the axes side by side."""
        if len(x.shape) <= self.start_dim:
            raise ShapeError(f"it takes more than {self.start_dim} axes, not shape {x.shape}")
        return x.reshape((*x.shape[: self.start_dim], -1))


class ReLU(Layer):
    """x where it is positive, else 0."""

    def forward(self, x: Any) -> Any:
        """Compute max(x, 0)."""
        return relu(x)


class Tanh(Layer):
    """The hyperbolic tangent, from −1 to 1."""

    def forward(self, x: Any) -> Any:
        """Compute tanh x."""
        return tanh(x)


class Sigmoid(Layer):
    """1 / (1 + e⁻ˣ), from 0 to 1."""

    def forward(self, x: Any) -> Any:
        """Compute the sigmoid."""
        return sigmoid(x)


class GELU(Layer):
    """x · Φ(x), where Φ is the distribution function of the standard normal distribution.

    Source: D. Hendrycks and K. Gimpel, "Gaussian error linear units", arXiv 1606.08415, 2016.
    """

    def forward(self, x: Any) -> Any:
        """Compute x (1 + erf(x / √2)) / 2."""
        return x * (erf(x * sqrt(0.5)) + 1) * 0.5
