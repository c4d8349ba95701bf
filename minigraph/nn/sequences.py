"""Layers for words and sequences: embeddings, a recurrent cell, an attention head."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..core.node import Node, is_symbolic, variable
from ..core.table import matrix_transpose, square, tanh
from ..core.table import sqrt as root
from ..data.sets import checked_count, checked_generator
from ..errors import NodeTypeError, ShapeError
from ..graph.functions import softmax
from ..graph.joining import where
from ..graph.reductions import mean
from .checks import check_last
from .initial import uniform
from .layers import Layer, Linear


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
        check_last(x, self.normalized_shape)
        axes = tuple(range(-len(self.normalized_shape), 0))
        distances = x - mean(x, axes, keepdims=True)
        variance = mean(square(distances), axes, keepdims=True)
        return distances / root(variance + self.eps) * self.weight + self.bias


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
        check_last(x, (self.input_size,))
        out = x @ matrix_transpose(self.weight_ih) + self.bias_ih + self.bias_hh
        if h is not None:  # else it is 0
            check_last(h, (self.hidden_size,))
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
