"""The history of a training: its losses, and all that it needs to go on after an interrupt.

An interrupt may come between any two instructions. What a step changes, it changes at one moment:
parameters, what the optimizer remembers, the count of steps, and the loss. So the count says where
a training stands, and what was to be written after that moment can be completed from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..compiler import Plan
from ..core.node import variable
from ..data.sets import Split
from ..errors import SettingError
from .optimizers import Optimizer


class Epoch(NamedTuple):
    """What came of one time through the data.

    `steps` were taken until its end, `loss` is the mean over its examples. The others are of the
    validation data: None without them, and where there is nothing to count as right.
    """

    steps: int
    loss: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


class History:
    """What happened in a training, and where it stands.

    Attributes:
        losses: of each step.
        epochs: an `Epoch` for each that is complete.
        plan: the program that computed the last whole batch; None if there was none.
        reason: why there was none.
    """

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.epochs: list[Epoch] = []
        self.plan: Plan | None = None
        self.reason = ""
        self.last_loss = variable(0.0, name="loss")  # which a step sets together with all else
        self._start: int | None = None  # how many steps the optimizer had taken before
        # Each with the epoch or the step to which it belongs, so that one cannot be taken for
        # another: the state of the generator before the order was drawn, the order, the states of
        # the generators of Dropout before a step, and the parameters of the best epoch.
        self._before: tuple[int, Any] = (-1, None)
        self._order: tuple[int, Any] = (-1, None)
        self._drawn: tuple[int, list[Any]] = (-1, [])
        self.best: tuple[int, list[Any]] = (-1, [])

    def __repr__(self) -> str:
        last = f", the last one {self.epochs[-1]}" if self.epochs else ""
        return f"<history of {len(self.losses):,} steps, {len(self.epochs):,} epochs{last}>"

    @property
    def first(self) -> int:
        """The number of the step that begins this epoch."""
        return self.epochs[-1].steps if self.epochs else 0

    def resume(self, optimizer: Optimizer) -> None:
        """Complete what an interrupt left half written.

        Raises:
            SettingError: if it is the history of a training with another optimizer.
        """
        taken = int(optimizer.steps._value)
        if self._start is None:
            self._start = taken
        done = taken - self._start
        if done == len(self.losses) + 1:
            self.losses.append(float(self.last_loss._value))
        if done != len(self.losses):
            raise SettingError(
                f"the history knows {len(self.losses):,} steps, and its optimizer has taken "
                f"{done:,}; give the optimizer of that training, or a new nn.History()"
            )
        if self._drawn[0] == done:
            restore(self._drawn[1])

    def cut(self, optimizer: Optimizer) -> None:
        """Forget the steps that the optimizer has taken no longer."""
        del self.losses[int(optimizer.steps._value) - (self._start or 0) :]

    def order(self, data: Split, rng: np.random.Generator) -> np.ndarray:
        """The order in which this epoch takes the examples."""
        epoch = len(self.epochs)
        if self._order[0] != epoch:
            if self._before[0] == epoch:  # the draw was interrupted
                restore(self._before[1])
            self._before = epoch, states([rng])
            self._order = epoch, data.order(rng)
        elif len(self._order[1]) != len(data):
            raise SettingError(
                f"the epoch that was interrupted has {len(self._order[1]):,} examples, and these "
                f"data have {len(data):,}; give the data of that training"
            )
        return self._order[1]

    def draws(self, generators: Iterable[np.random.Generator]) -> None:
        """Remember what the generators are about to draw for the next step."""
        self._drawn = len(self.losses), states(generators)

    def waited(self) -> int:
        """For how many epochs the validation loss has not fallen below its least."""
        losses = [epoch.validation_loss for epoch in self.epochs]
        return len(losses) - 1 - int(np.argmin(np.array(losses, float))) if losses else 0


def states(generators: Iterable[np.random.Generator]) -> list[Any]:
    """Generators with their states, for `restore`."""
    return [(generator, generator.bit_generator.state) for generator in generators]


def restore(saved: list[Any]) -> None:
    """Let generators draw again what they drew since."""
    for generator, state in saved:
        generator.bit_generator.state = state
