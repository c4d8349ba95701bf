"""The training behind a bench: it goes to any step, forwards and back, always by the same way."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..core.node import Node, constant
from ..errors import NodeTypeError, PlanWarning, SettingError, ShapeError
from ..graph.context import no_grad
from ..graph.functions import cross_entropy
from ..graph.graph import Graph
from ..graph.symbolic import placeholder
from ..nn import Dropout, History, Linear, Module, Optimizer, Sequential, Sigmoid, Tanh
from ..nn.history import restore, states
from ..nn.steps import Steps
from .bench_settings import OWN, REACH, Settings

MOST_STEPS = 50_000
_APART = 64  # steps between two marks, from which the steps after them are taken again
_CURVE = 256  # places of a curve, at most about
SIDE, SMALL = 50, 14  # places along each side of the plane, and of the picture of a unit

Making = Callable[[list[Node]], Optimizer]


class Training:
    """A network, its points, and how far it is.

    Attributes:
        train, test: the points; None where there are none.
        model, optimizer: what learns, and how.
        step: how many steps have been taken.
        known: how many at most, so far.
        losses: the loss of the batch of each of these, before the step.
        reason: why steps are not compiled; "" if they are.
    """

    def __init__(
        self, settings: Settings, model: Module | None = None, own: Optimizer | Making | None = None
    ) -> None:
        """Stand before the first step."""
        self.settings = settings
        self._rng = np.random.default_rng(settings.seed)
        self.train, self.test = settings.plane(self._rng)
        self.model = model or settings.network(self._rng)
        self._check_model()
        self.optimizer = self._optimizer(own)
        loss = settings.loss_of(self.model)
        self._steps = Steps(self.model, loss, self.optimizer, None, History())
        self.step = self.known = 0
        self.losses: list[float] = []
        self.reason = ""
        self._curve: dict[int, tuple[float, float]] = {}
        self._order = np.arange(0)
        self.linears = self._linears()
        if self.train is not None:
            self._size = min(settings.batch_size or len(self.train), len(self.train))
            self._each = math.ceil(len(self.train) / self._size)  # steps in an epoch
            self._way = self._way_of_steps()
        self._prepare()
        if self.train is not None:
            self._draw_order()
            self._marks = {0: self._mark()}
            self._note()

    def _prepare(self) -> None:
        """Make ready what computes all that there is to see at a step."""
        parts = [part for part in (self.train, self.test) if part]
        seen = [self.settings.seen(part.x) for part in parts]
        self._said: tuple[int, Any] = -1, None
        self._out_of_all = self._evaluation(np.concatenate([*seen, self._places(SIDE)]), self.model)
        self._measures = [
            self._evaluation(x, partial(self._mean_loss, part.y)) for x, part in zip(seen, parts)
        ]
        small = self._places(SMALL)
        self._inputs = small / np.maximum(np.abs(small).max(axis=0), 1e-12)
        self._hidden = [
            self._evaluation(small, partial(self._entering, layer)) for layer in self.linears[1:]
        ]

    def _mean_loss(self, y: np.ndarray, x: Any) -> Any:
        return cross_entropy(self.model(x), y)

    def _check_model(self) -> None:
        """Refuse a model that does not tell two classes apart by the chosen features."""
        x = np.zeros((3, len(self.settings.features)))
        out = self.evaluated(x, self.model)  # which draws nothing from the model's generators
        if not isinstance(out, Node) or out.shape != (3, 2):
            raise ShapeError(
                f"a bench has two classes: of 3 points with {x.shape[1]} features the model "
                f"is to make numbers of shape (3, 2), and makes "
                f"{out.shape if isinstance(out, Node) else repr(out)[:40]}"
            )

    def _optimizer(self, own: Any) -> Optimizer:
        if own is None:
            return self.settings.optimizer_of(self.model)
        made = own if isinstance(own, Optimizer) else own(self.model.parameters())
        if not isinstance(made, Optimizer):
            raise NodeTypeError(
                f"an optimizer is an nn.Optimizer, or a function that makes one of parameters, not "
                f"{type(made).__name__} {made!r:.40}"
            )
        return made

    def _way_of_steps(self) -> Callable[[Any, Any, float], float]:
        """How steps are taken: as a compiled plan, if there can be one."""
        x, y = self._examples(np.arange(self._size))
        self.model.train()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", PlanWarning)
            way = self._steps.way(x, y)
        self.reason = self._steps.history.reason
        return way

    def _evaluation(self, x: np.ndarray, function: Callable[[Any], Any]) -> Callable[[], Any]:
        """What a function of an input gives in evaluation, with the weights as they are by then."""

        def by_node() -> Any:
            return self.evaluated(x, function).value

        if self.reason or self.train is None:
            return by_node
        symbol = placeholder("x", x.shape)
        self.model.evaluate()
        try:
            plan = Graph(function(symbol), [symbol]).compile()
        except Exception:  # whatever a model does that no graph can hold
            return by_node
        finally:
            self.model.train()
        return lambda: plan.run([x])

    # --- steps ------------------------------------------------------------------------------------

    def go(self, step: int) -> None:
        """Go to a step: on from here, or from the last mark before it.

        Raises:
            SettingError: if there are no points to train on, or it is out of reach.
        """
        if self.train is None:
            raise SettingError("there are no points to train on; draw some into the plane")
        is_whole = isinstance(step, int | np.integer) and not isinstance(step, bool)
        if not is_whole or not 0 <= step <= MOST_STEPS:
            raise SettingError(f"a bench goes to the steps 0 to {MOST_STEPS}, not to {step!r:.40}")
        step = int(step)
        mark = min(step, self.known) // _APART * _APART
        if not mark <= self.step <= step:
            self._back(mark)
        with np.errstate(all="ignore"):
            while self.step < step:
                self._take()

    def cut(self, step: int, known: int) -> None:
        """Go back to a step, and forget those beyond it that were not known before.

        Args:
            step: to go to.
            known: how many steps stay known; all up to `step` do.
        """
        self.go(step)
        self.known = min(self.known, max(step, known))
        del self.losses[self.known :]
        self._marks, self._curve = (
            {step: kept for step, kept in all_kept.items() if step <= self.known}
            for all_kept in (self._marks, self._curve)
        )

    def _take(self) -> None:
        """Take the next step, and note what is not known of it."""
        loss = self._way(*self._examples(self._batch), self.optimizer.learning_rate)
        self.step += 1
        if self.step % self._each == 0:
            self._draw_order()
        if self.step <= self.known:
            return
        self.known = self.step
        self.losses.append(loss)
        if self.step % _APART == 0:
            self._marks[self.step] = self._mark()
        if self.step % _stride(self.step) == 0:
            self._note()

    @property
    def epoch(self) -> int:
        """How many times all examples have been seen."""
        return self.step // self._each

    @property
    def _batch(self) -> np.ndarray:
        """The places of the examples of the next step."""
        start = self.step % self._each * self._size
        return self._order[start : start + self._size]

    def _draw_order(self) -> None:
        self._order = self.train.order(self._rng)  # type: ignore[union-attr]

    def _examples(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network is given of some of the points, and their classes."""
        return self.settings.seen(self.train.x[places]), self.train.y[places]  # type: ignore

    def _mark(self) -> Any:
        """All that the next steps depend on."""
        return self._steps.values(), states([self._rng, *self._steps.generators]), self._order

    def _back(self, step: int) -> None:
        values, drawn, self._order = self._marks[step]
        self._steps.restore(values)
        restore(drawn)
        self.step = step

    # --- what there is to see ---------------------------------------------------------------------

    def _note(self) -> None:
        """Write down the losses of all points at this step."""
        self._curve[self.step] = self.measured()

    def measured(self) -> tuple[float, float]:
        """The loss of the points to train on, and of those for the test; NaN without any."""
        if self.step in self._curve:
            return self._curve[self.step]
        with np.errstate(all="ignore"):
            found = [float(measure()) for measure in self._measures]
        return found[0], found[1] if len(found) > 1 else np.nan

    def curve(self) -> list[tuple[int, float, float]]:
        """The losses at steps that are equally far apart, up to the last that is known."""
        stride = _stride(self.known)
        return [(step, *found) for step, found in self._curve.items() if step % stride == 0]

    def evaluated(self, x: np.ndarray, function: Callable[[Any], Any]) -> Any:
        """What a function of features gives while the model is evaluated."""
        self.model.evaluate()
        try:
            with no_grad(), np.errstate(all="ignore"):
                return function(constant(x))
        finally:
            self.model.train()

    def loss(self) -> Node:
        """The loss of the next batch with its graph, after the backward pass."""
        if self.train is None:
            raise SettingError("there are no points to train on; draw some into the plane")
        x, y = self._examples(self._batch)
        drawn = states(self._steps.generators)
        self.optimizer.zero_grad()
        with np.errstate(all="ignore"):
            loss = self._steps.computed(constant(x, name="points"), y).named("loss")
            loss.backward()
        restore(drawn)
        return loss

    def right(self) -> tuple[float, float]:
        """The shares of training and of test points that get their own class; NaN without any."""
        out, shares = self._out(), []
        for part in (self.train, self.test):
            said, out = out[: len(part or "")].argmax(axis=1), out[len(part or "") :]
            shares.append(float((said == part.y).mean()) if part else np.nan)
        return shares[0], shares[1]

    def extent(self) -> tuple[float, float, float]:
        """The middle of a square that holds the points, and half of its side."""
        if self.settings.data == OWN and not any(
            max(abs(x), abs(y)) > REACH for x, y, _ in self.settings.own
        ):
            return 0.0, 0.0, REACH
        points = np.concatenate([part.x for part in (self.train, self.test) if part])
        low, high = points.min(axis=0), points.max(axis=0)
        x, y = (low + high) / 2
        return float(x), float(y), float((high - low).max() * 0.54) or REACH

    def sure(self) -> np.ndarray:
        """How sure the network is of class 1, from 0 to 1, at places of the plane from above."""
        out = self._out()[-SIDE * SIDE :]
        with np.errstate(all="ignore"):
            share = 1 / (1 + np.exp(out[:, 0] - out[:, 1]))
        return np.nan_to_num(share, nan=0.5)

    def _out(self) -> np.ndarray:
        """What the network makes of all points and of the places of the plane, at this step."""
        if self._said[0] != self.step:
            with np.errstate(all="ignore"):
                self._said = self.step, self._out_of_all()
        return self._said[1]

    def _places(self, side: int) -> np.ndarray:
        """Features of the places of the plane, row by row from above."""
        x, y, half = self.extent()
        across, up = np.meshgrid(
            np.linspace(x - half, x + half, side), np.linspace(y + half, y - half, side)
        )
        return self.settings.seen(np.stack([across.ravel(), up.ravel()], axis=1))

    def _linears(self) -> list[Linear]:
        """The layers of a network that can be drawn unit by unit; empty for another one."""
        if not isinstance(self.model, Sequential):
            return []
        layers = [layer for layer in self.model if isinstance(layer, Linear)]
        others = [layer for layer in self.model if not isinstance(layer, Linear)]
        sizes = [layer.out_features for layer in layers]
        is_plain = all(not isinstance(x, Module) or not x.parameters() for x in others)
        return layers if layers and is_plain and max(sizes) <= 8 and len(sizes) <= 5 else []

    def _entering(self, end: Linear, x: Any) -> Any:
        """What enters a layer of the model."""
        for layer in self.model:  # type: ignore[attr-defined]
            if layer is end:
                return x
            x = layer(x)

    def units(self) -> list[np.ndarray]:
        """What each unit but the last ones says over the plane, from −1 to 1, in layers."""
        if not self.linears:
            return []
        with np.errstate(all="ignore"):
            hidden = [values() for values in self._hidden]
        return [self._inputs, *map(_scaled, hidden, self._activations())]

    def _activations(self) -> list[Any]:
        """The last layer before each linear one but the first that changes what it is given."""
        found: list[Any] = []
        last: Any = None
        for layer in self.model:  # type: ignore[attr-defined]
            if isinstance(layer, Linear):
                found.append(last)
            if not isinstance(layer, Dropout):
                last = layer
        return found[1:]


def _scaled(values: np.ndarray, layer: Any) -> np.ndarray:
    """What a layer says as numbers from −1 to 1; 0 where it says none."""
    if isinstance(layer, Sigmoid):
        values = 2 * values - 1
    elif not isinstance(layer, Tanh):
        values = values / max(np.abs(values).max(), 1e-12)
    return np.nan_to_num(values)


def _stride(steps: int) -> int:
    """How far apart the places of a curve of so many steps are: a power of two."""
    stride = 1
    while steps > _CURVE * stride:
        stride *= 2
    return stride
