"""Layers, with the names, the shapes and the defaults of PyTorch.

Weights are drawn from the generator that each layer is given: `nn.Linear(64, 10, rng=rng)`. `init`
names how; see `initial.py`.
"""

from __future__ import annotations

from contextvars import ContextVar
from math import prod, sqrt
from typing import Any

import numpy as np

from ..core.node import Node, constant, is_symbolic, variable
from ..core.table import matrix_transpose, square, tanh
from ..core.table import sqrt as root
from ..data.sets import checked_count, checked_generator
from ..errors import NodeTypeError, SettingError, ShapeError, SymbolicError
from ..errors.shapes import Shape
from ..graph.functions import conv2d, max_pool2d, softmax
from ..graph.joining import where
from ..graph.reductions import mean
from ..graph.rows import erf, relu, sigmoid
from ..graph.symbolic import placeholder
from .initial import initial, uniform
from .module import Module

Masks = list[tuple[Node, "Dropout"]]
# Where a graph that is captured collects the masks that each run of it is to draw.
masks_of_capture: ContextVar[Masks | None] = ContextVar("masks_of_capture", default=None)


class Layer(Module):
    """A module whose inputs are arrays."""

    def __call__(self, x: Any, *more: Any) -> Any:
        """Run `forward` in a scope, on Nodes: all else becomes a constant, if it can.

        Raises:
            NodeTypeError: if an input is no array.
        """
        if x is None:
            raise NodeTypeError(f"{self!r} takes an array, not None; does what made it return it?")
        try:
            x = x if isinstance(x, Node) else constant(x)
        except NodeTypeError as error:
            raise NodeTypeError(f"{self!r} takes an array: {error}", error.nodes) from None
        return super().__call__(x, *more)


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
        _check_last(x, (self.in_features,))
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
        self.kernel_size = _pair("kernel_size", kernel_size)
        self.stride = _pair("stride", stride)
        self.padding = _pair("padding", padding, least=0)
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
        self.kernel_size = _pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else _pair("stride", stride)

    def forward(self, x: Any) -> Any:
        """Take the largest elements."""
        return max_pool2d(x, self.kernel_size, self.stride)


class Embedding(Layer):
    """A row of numbers for each of so many words, (…) to (…, embedding_dim)."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, rng: np.random.Generator
    ) -> None:
        self.num_embeddings = checked_count("num_embeddings", num_embeddings)
        self.embedding_dim = checked_count("embedding_dim", embedding_dim)
        rows = checked_generator(rng).normal(size=(num_embeddings, embedding_dim))
        self.weight = variable(rows, name="weight")

    def forward(self, x: Any) -> Any:
        """Pick the rows that whole numbers name."""
        if x.dtype.kind not in "iu":
            raise NodeTypeError(f"it takes whole numbers, which name rows, not {x.dtype}")
        if not is_symbolic(x):
            wrong = x._value[(x._value < 0) | (x._value >= self.num_embeddings)]
            if wrong.size:
                raise ShapeError(f"{wrong.flat[0]} is none of the {self.num_embeddings} rows")
        return self.weight[x]


class LayerNorm(Layer):
    """(x − mean) / √(variance + eps) over the last axes, times a weight, plus a bias.

    Source: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv 1607.06450, 2016.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        sizes = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
        self.normalized_shape = tuple(checked_count("a size", n) for n in sizes)
        self.eps = eps
        self.weight = variable(np.ones(self.normalized_shape), name="weight")
        self.bias = variable(np.zeros(self.normalized_shape), name="bias")

    def forward(self, x: Any) -> Any:
        """Normalise, then stretch and shift."""
        _check_last(x, self.normalized_shape)
        axes = tuple(range(-len(self.normalized_shape), 0))
        distances = x - mean(x, axes, keepdims=True)
        variance = mean(square(distances), axes, keepdims=True)
        return distances / root(variance + self.eps) * self.weight + self.bias


class Dropout(Layer):
    """In training, each element is 0 with probability p, else divided by 1 − p.

    Source: N. Srivastava et al., "Dropout", Journal of Machine Learning Research 15, 2014.
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator) -> None:
        if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p < 1:
            raise SettingError(f"p is a probability from 0 to below 1, not {p!r:.40}")
        self.p = p
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


class RNNCell(Layer):
    """h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh), one step of a recurrent network.

    Source: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
    """

    weight_ih: Node
    weight_hh: Node
    bias_ih: Node
    bias_hh: Node

    def __init__(self, input_size: int, hidden_size: int, *, rng: np.random.Generator) -> None:
        self.input_size = checked_count("input_size", input_size)
        self.hidden_size = checked_count("hidden_size", hidden_size)
        shapes = {
            "weight_ih": (hidden_size, input_size),
            "weight_hh": (hidden_size, hidden_size),
            "bias_ih": (hidden_size,),
            "bias_hh": (hidden_size,),
        }
        for key, shape in shapes.items():
            setattr(self, key, uniform(key, shape, rng, fan_in=hidden_size))

    def forward(self, x: Any, h: Any = None) -> Any:
        """Compute the next state from inputs (…, input_size) and a state (…, hidden_size)."""
        _check_last(x, (self.input_size,))
        out = x @ matrix_transpose(self.weight_ih) + self.bias_ih + self.bias_hh
        if h is not None:  # else it is 0
            _check_last(h, (self.hidden_size,))
            out = out + h @ matrix_transpose(self.weight_hh)
        return tanh(out)


class AttentionHead(Layer):
    """softmax(Q Kᵀ / √size) V, from (…, places, features) to (…, places, size).

    Queries, keys and values are linear in the input. With `causal`, no place sees later ones.

    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    def __init__(
        self, features: int, size: int, causal: bool = True, *, rng: np.random.Generator
    ) -> None:
        self.causal = bool(causal)
        self.query, self.key, self.value = (
            Linear(features, size, bias=False, rng=rng) for _ in range(3)
        )

    def forward(self, x: Any) -> Any:
        """Mix the values, by how well queries and keys agree."""
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ matrix_transpose(k) / sqrt(q.shape[-1])
        if self.causal:
            places = x.shape[-2]
            scores = where(np.tri(places, dtype=bool), scores, -np.inf)
        return softmax(scores) @ v


def _check_last(x: Any, sizes: Shape) -> None:
    """Refuse an input that has not these sizes at the end of its shape."""
    if tuple(x.shape[len(x.shape) - len(sizes) :]) != sizes or len(x.shape) < len(sizes):
        wanted = ", ".join(map(str, ("…", *sizes)))
        raise ShapeError(f"it takes inputs of shape ({wanted}), not {tuple(x.shape)}")


def _pair(what: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A size for each of two axes."""
    sizes = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(sizes) != 2:
        raise SettingError(f"{what} is a number or a pair of them, not {value!r:.40}")
    return checked_count(what, sizes[0], least), checked_count(what, sizes[1], least)
