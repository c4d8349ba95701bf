"""Toy data in the plane: two classes that no straight line separates.

Each function draws from a generator, so that the same seed gives the same points, and keeps a
quarter of the points for the test.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SettingError
from .sets import Dataset, Split, checked_count, checked_generator, is_number


def moons(generator: np.random.Generator, points: int = 400, noise: float = 0.1) -> Dataset:
    """Two half circles that reach into each other.

    Args:
        generator: such as np.random.default_rng(0).
        points: how many, half of them in each class.
        noise: the standard deviation of what is added to each coordinate.

    Raises:
        SettingError: if there are fewer than 8 points, or the noise is negative.
        NodeTypeError: if the generator is none.
    """
    y, t = _drawn(generator, points)
    upper = np.stack([np.cos(np.pi * t), np.sin(np.pi * t)], axis=1)
    lower = np.stack([1 - np.cos(np.pi * t), 0.5 - np.sin(np.pi * t)], axis=1)
    return _dataset("moons", np.where(y[:, None] == 0, upper, lower), y, generator, noise)


def circles(generator: np.random.Generator, points: int = 400, noise: float = 0.1) -> Dataset:
    """A circle of radius 1, and one of radius ½ inside it; see `moons`."""
    y, t = _drawn(generator, points)
    radius = np.where(y == 0, 1.0, 0.5)
    return _dataset("circles", _polar(radius, 2 * np.pi * t), y, generator, noise)


def spirals(
    generator: np.random.Generator, points: int = 400, noise: float = 0.02, turns: float = 1.5
) -> Dataset:
    """Two spirals wound around each other, with so many turns from the centre to radius 1.

    See `moons` for what else it takes.
    """
    if not is_number(turns) or not 0 < turns < np.inf:
        raise SettingError(f"a spiral has more than 0 turns, not {turns!r:.40}")
    y, t = _drawn(generator, points)
    return _dataset(
        "spirals", _polar(t, 2 * np.pi * float(turns) * t + np.pi * y), y, generator, noise
    )


def xor(generator: np.random.Generator, points: int = 400, noise: float = 0.0) -> Dataset:
    """Points of a square: class 1 where the signs of the coordinates differ; see `moons`."""
    y, t = _drawn(generator, points)
    sides = generator.choice([-1.0, 1.0], len(y))
    x = np.stack([t * sides, generator.random(len(y)) * sides * (1 - 2 * y)], axis=1)
    return _dataset("xor", x, y, generator, noise)


def _drawn(generator: Any, points: Any) -> tuple[np.ndarray, np.ndarray]:
    """The classes of the points, and for each a number from 0 to 1."""
    points = checked_count("the number of points", points, least=8)
    checked_generator(generator)
    return generator.permutation(np.arange(points) % 2), generator.random(points)


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _dataset(
    name: str, x: np.ndarray, y: np.ndarray, generator: np.random.Generator, noise: Any
) -> Dataset:
    """Add noise to the points, and cut off a quarter of them."""
    if not is_number(noise) or not 0 <= noise < np.inf:
        raise SettingError(f"noise is a standard deviation from 0 up, not {noise!r:.40}")
    x = x + float(noise) * generator.standard_normal(x.shape)
    cut = len(y) - len(y) // 4
    parts = Split(x[:cut], y[:cut]), Split(x[cut:], y[cut:])
    return Dataset(name, *parts, classes=("0", "1"), source="drawn at random")
