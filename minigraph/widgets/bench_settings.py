"""The settings of a training bench: what there is to choose, what is refused, and the same as code.

Everything is drawn from one generator, in this order: the points, the weights, and in each epoch
the order of the examples, then what dropout leaves out in each step. So a seed repeats a training,
in the bench and in the program that it gives.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np

from .. import data as sets
from ..core.node import Node
from ..core.table import absolute
from ..core.table import sum as total
from ..data.sets import Split, checked_count, is_number
from ..errors import MinigraphError, NodeTypeError, SettingError
from ..graph.context import scope
from ..graph.functions import cross_entropy
from ..nn import (
    SGD,
    Adam,
    AdamW,
    Dropout,
    Linear,
    Module,
    Optimizer,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from ..nn.checks import checked_number

OWN = "own points"
NOISE = {"moons": 0.1, "spirals": 0.02, "circles": 0.1, "xor": 0.0}  # where none is given
REACH = 1.25  # of the plane for points of one's own, to all sides
MOST_POINTS, MOST_LAYERS, MOST_UNITS = 2000, 4, 8
KEPT = 4  # of so many points of one's own the last is kept for the test

FEATURES: dict[str, tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], str]] = {
    "x": (lambda x, y: x, "x"),
    "y": (lambda x, y: y, "y"),
    "x²": (lambda x, y: x * x, "x * x"),
    "y²": (lambda x, y: y * y, "y * y"),
    "xy": (lambda x, y: x * y, "x * y"),
    "sin πx": (lambda x, y: np.sin(np.pi * x), "np.sin(np.pi * x)"),
    "sin πy": (lambda x, y: np.sin(np.pi * y), "np.sin(np.pi * y)"),
}
_SPELLINGS = {"x^2": "x²", "x**2": "x²", "y^2": "y²", "y**2": "y²", "x*y": "xy", "yx": "xy"} | {
    f"sin {p}{n}": f"sin π{n}" for p in ("", "pi ", "pi*") for n in "xy"
}
ACTIVATIONS: dict[str, type[Module] | None] = {
    "tanh": Tanh,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "none": None,
}
OPTIMIZERS: dict[str, tuple[type[Optimizer], dict[str, float]]] = {
    "SGD": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "Adam": (Adam, {}),
    "AdamW": (AdamW, {}),
}


@dataclass(frozen=True)
class Settings:
    """What a training depends on, and nothing else does.

    Attributes:
        data: "moons", "spirals", "circles", "xor" or "own points".
        own: the rows (x, y, class) of the last.
        points, noise: of the others; a noise of None is the set's own.
        features: what the network is given of a point.
        hidden: the units of each hidden layer.
        activation, optimizer: by name; None where they are the learner's own.
        learning_rate, weight_decay: of the optimizer.
        l1: by what the sum of all |w| is multiplied that is added to the loss of a batch.
        dropout: the share of hidden units that a step leaves out.
        batch_size: examples in a step; None takes all.
        seed: of the generator.
    """

    data: str = "moons"
    own: tuple[tuple[float, float, int], ...] = ()
    points: int = 400
    noise: float | None = None
    features: tuple[str, ...] = ("x", "y")
    hidden: tuple[int, ...] = (8,)
    activation: str | None = "tanh"
    optimizer: str | None = "Adam"
    learning_rate: float = 0.03
    weight_decay: float = 0.0
    l1: float = 0.0
    dropout: float = 0.0
    batch_size: int | None = 30
    seed: int = 0

    def changed(self, **given: Any) -> Settings:
        """The same settings but for some, checked.

        Raises:
            SettingError: if there is none of that name, or one is out of its range.
            NodeTypeError: if one is of another kind.
        """
        known = [f.name for f in fields(self)]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f", only {', '.join(known)}"
                raise SettingError(f"a training bench has no setting {name}{hint}")
        made = {name: _CHECKS[name](value) for name, value in given.items()}
        if made.get("own"):
            made["data"] = OWN
        if made.get("data", self.data) != self.data and "noise" not in given:
            made["noise"] = None  # that of the other set
        new = replace(self, **made)
        if new.noise is None:
            new = replace(new, noise=NOISE.get(new.data, 0.0))
        size = new.examples
        if new.batch_size is not None and new.batch_size > size and new.data != OWN:
            if "batch_size" in given:
                raise SettingError(
                    f"a batch of {new.batch_size} is larger than the training data, which have "
                    f"{size} points; None takes all"
                )
            new = replace(new, batch_size=None)
        return new

    @property
    def examples(self) -> int:
        """How many points there are to train on."""
        return (
            len(self.own) - len(self.own) // KEPT
            if self.data == OWN
            else (self.points - self.points // 4)
        )

    # --- what they stand for ----------------------------------------------------------------------

    def plane(self, rng: np.random.Generator) -> tuple[Split | None, Split | None]:
        """The points to train on and those for the test; None where there are none yet."""
        if self.data != OWN:
            drawn = getattr(sets, self.data)(rng, points=self.points, noise=self.noise)
            return drawn.train, drawn.test
        rows = np.array(self.own).reshape(-1, 3)
        is_kept = np.arange(len(rows)) % KEPT == KEPT - 1
        train, test = (
            Split(rows[part, :2], rows[part, 2].astype(int)) if part.any() else None
            for part in (~is_kept, is_kept)
        )
        return train, test

    def seen(self, points: np.ndarray) -> np.ndarray:
        """What the network is given of points: a column for each feature."""
        return np.stack([FEATURES[name][0](*points.T) for name in self.features], axis=1)

    def network(self, rng: np.random.Generator) -> Sequential:
        """A network of linear layers; activation and dropout come before each but the first."""
        sizes = [len(self.features), *self.hidden, 2]
        activation = ACTIVATIONS[self.activation or "none"]
        layers: list[Module] = []
        for n_in, n_out in pairwise(sizes):
            if layers:
                layers += [activation()] if activation else []
                layers += [Dropout(self.dropout, rng=rng)] if self.dropout else []
            layers.append(Linear(n_in, n_out, rng=rng))
        return Sequential(*layers)

    def loss_of(self, model: Module) -> Callable[[Any, Any], Node]:
        """The loss of a batch, of the model's outputs and the classes."""

        def loss(out: Any, y: Any) -> Node:
            data_loss = cross_entropy(out, y)
            if not self.l1:
                return data_loss
            with scope("l1"):
                penalty = self.l1 * reduce(add, [total(absolute(p)) for p in model.parameters()])
            return data_loss + penalty

        return loss

    def optimizer_of(self, model: Module) -> Optimizer:
        """An optimizer of the model's parameters."""
        made, more = OPTIMIZERS[self.optimizer or "SGD"]
        rest = more | {"weight_decay": self.weight_decay}
        return made(model.parameters(), self.learning_rate, **rest)

    # --- as code ----------------------------------------------------------------------------------

    def call(self, **more: str) -> str:
        """The call that makes this bench again; `more` as it is to be written."""
        plain = Settings().changed(data=self.data)
        given = {
            f.name: repr(value)
            for f in fields(self)
            if (value := getattr(self, f.name)) not in (getattr(plain, f.name), None)
            and f.name != "own"
        }
        if self.data == OWN and self.own:
            given = {"data": repr([*self.own])} | given
        elif self.data != Settings.data:
            given = {"data": repr(self.data)} | given
        if self.batch_size is None:
            given["batch_size"] = "None"
        return f"training_bench({', '.join(f'{k}={v}' for k, v in (given | more).items())})"

    def code(self, steps: int) -> str:
        """A program in plain minigraph that takes the same steps; it leaves `losses`."""
        if self.data == OWN and not self.own:
            return "# There are no points to train on yet."
        size = self.examples
        batch = min(self.batch_size or size, size)
        return "\n".join([
            "import numpy as np",
            "",
            "import minigraph as mg",
            "from minigraph import data, nn",
            "",
            f"rng = np.random.default_rng({self.seed})",
            *self._data_lines(),
            "",
            "",
            "def seen(points):",
            "    x, y = points.T",
            f"    return np.stack([{', '.join(FEATURES[f][1] for f in self.features)}], axis=1)",
            "",
            "",
            *self._model_lines(),
            *self._optimizer_lines(),
            "losses = []",
            f"while len(losses) < {steps}:",
            f"    for points, y in train.batches({batch}, rng):",
            f"        if len(losses) == {steps}:",
            "            break",
            "        loss = mg.cross_entropy(model(seen(points)), y)",
            *self._penalty_lines(),
            "        optimizer.zero_grad()",
            "        loss.backward()",
            "        optimizer.step()",
            "        losses.append(float(loss.value))",
        ])  # fmt: skip

    def _data_lines(self) -> list[str]:
        if self.data != OWN:
            given = f"rng, points={self.points}, noise={self.noise}"
            return [f"plane = data.{self.data}({given})", "train, test = plane.train, plane.test"]
        rows = [f"    {row}," for row in self.own]
        kept = f"np.arange(len(rows)) % {KEPT} == {KEPT - 1}"
        return [
            "rows = np.array([",
            *rows,
            "])",
            f"kept = {kept}  # for the test",
            "train = data.Split(rows[~kept, :2], rows[~kept, 2].astype(int))",
        ]

    def _model_lines(self) -> list[str]:
        if self.activation is None:
            return ["# `model` is your own, as it was when you gave it to the bench."]
        layers = []
        for layer in self.network(np.random.default_rng(0)):
            is_linear = isinstance(layer, Linear)
            given = f"{layer.in_features}, {layer.out_features}, rng=rng" if is_linear else ""
            given = f"{layer.p}, rng=rng" if isinstance(layer, Dropout) else given
            layers.append(f"    nn.{type(layer).__name__}({given}),")
        return ["model = nn.Sequential(", *layers, ")"]

    def _penalty_lines(self) -> list[str]:
        penalty = f"{self.l1} * sum(mg.sum(mg.absolute(p)) for p in model.parameters())"
        return [f"        loss = loss + {penalty}"] if self.l1 else []

    def _optimizer_lines(self) -> list[str]:
        if self.optimizer is None:
            return ["# `optimizer` is your own, of this model's parameters."]
        made, more = OPTIMIZERS[self.optimizer]
        given = {"learning_rate": self.learning_rate, **more, "weight_decay": self.weight_decay}
        written = ", ".join(f"{k}={v}" for k, v in given.items())
        return [f"optimizer = nn.{made.__name__}(model.parameters(), {written})"]


# --- what is refused ------------------------------------------------------------------------------


def _one_of(what: str, known: Iterable[str]) -> Callable[[Any], str]:
    names = [*known]

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            near = difflib.get_close_matches(str(value), names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingError(f"{what} is one of {', '.join(names)}, not {value!r:.40}{hint}")
        return value

    return check


def _own(rows: Any) -> tuple[tuple[float, float, int], ...]:
    """Points as rows (x, y, class)."""
    try:
        made = [(float(x), float(y), label) for x, y, label in rows]
    except (TypeError, ValueError):
        raise NodeTypeError(
            f"points of your own are rows (x, y, class), such as [(0.5, -0.2, 1)], not {rows!r:.60}"
        ) from None
    for x, y, label in made:
        if not np.isfinite([x, y]).all() or label not in (0, 1):
            raise SettingError(
                f"a point has two finite numbers and the class 0 or 1, not {(x, y, label)!r:.60}"
            )
    if len(made) > MOST_POINTS:
        raise SettingError(f"a bench has at most {MOST_POINTS} points, not {len(made)}")
    return tuple((x, y, int(label)) for x, y, label in made)


def _points(value: Any) -> int:
    points = checked_count("the number of points", value, least=8)
    if points > MOST_POINTS:
        raise SettingError(f"a bench has at most {MOST_POINTS} points, not {points}")
    return points


def _noise(value: Any) -> float | None:
    return None if value is None else _number("noise", value, 0.0)


def _features(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Sequence):
        raise NodeTypeError(f'features are names, such as ["x", "y", "x²"], not {value!r:.40}')
    check = _one_of("a feature", FEATURES)
    found = {check(_SPELLINGS.get(name, name) if isinstance(name, str) else name) for name in names}
    if not found:
        raise SettingError("without a feature the network sees nothing; choose one at least")
    return tuple(name for name in FEATURES if name in found)


def _hidden(value: Any) -> tuple[int, ...]:
    """Sizes of layers, or a text with them, such as "8 8"."""
    asked = "hidden layers are whole numbers of units, such as (8, 8)"
    if isinstance(value, str):
        value = value.replace(",", " ").split()
        if not all(word.isdecimal() for word in value):
            raise SettingError(f"{asked}, or 8 8; not {' '.join(value)!r:.40}")
        value = [int(word) for word in value]
    value = [value] if isinstance(value, int | np.integer) else value
    if not isinstance(value, Sequence | np.ndarray):
        raise NodeTypeError(f"{asked}, not {value!r:.40}")
    sizes = tuple(checked_count("the number of units", units) for units in value)
    if len(sizes) > MOST_LAYERS or max(sizes, default=0) > MOST_UNITS:
        raise SettingError(
            f"a bench has at most {MOST_LAYERS} hidden layers of at most {MOST_UNITS} units, which "
            f"can still be seen, not {sizes!r:.60}; a larger network can be given as model=…"
        )
    return sizes


def _number(what: str, value: Any, least: float, is_open: bool = False) -> float:
    if not is_number(value) or not least <= value < np.inf or (is_open and value == least):
        raise SettingError(
            f"{what} is a number {'above' if is_open else 'from'} {least:g}"
            f"{'' if is_open else ' up'}, not {value!r:.40}"
        )
    return float(value)


def _seed(value: Any) -> int:
    return checked_count("a seed", value, least=0)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "data": _one_of("data", [*NOISE, OWN]),
    "own": _own,
    "points": _points,
    "noise": _noise,
    "features": _features,
    "hidden": _hidden,
    "activation": _one_of("an activation", ACTIVATIONS),
    "optimizer": _one_of("an optimizer", OPTIMIZERS),
    "learning_rate": lambda value: _number("a learning rate", value, 0.0, is_open=True),
    "weight_decay": lambda value: _number("weight decay", value, 0.0),
    "l1": lambda value: _number("l1", value, 0.0),
    "dropout": lambda value: checked_number("dropout", value, "from 0 to below 1", "share"),
    "batch_size": lambda v: None if v is None else checked_count("the size of a batch", v),
    "seed": _seed,
}


def split_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Settings as keyword arguments say them: `data` may be rows of points."""
    if "data" in given and not isinstance(given["data"], str):
        rows = given.pop("data")
        if isinstance(rows, Module | Optimizer) or rows is None:
            raise MinigraphError(f"data is a name, or rows (x, y, class), not {rows!r:.40}")
        given |= {"data": OWN, "own": rows}
    return given
