"""Training: `fit` takes each step as one compiled plan, and goes on where it was interrupted.

    history = nn.History()
    nn.fit(model, mg.cross_entropy, digits.train, optimizer=optimizer, epochs=40, batch_size=64,
           rng=rng, validation=digits.test, progress=True, history=history)

By hand an epoch is four lines; `minigraph/nn/__init__.py` shows them.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any, NoReturn

import numpy as np

from ..autodiff.anomaly import detect_anomaly
from ..core.node import Node
from ..data.sets import Dataset, Split, checked_count, checked_generator, checked_size, is_number
from ..errors import AnomalyError, GradientError, NodeTypeError, SettingError, ShapeError
from ..graph.context import no_grad
from ..graph.functions import cross_entropy
from ..graph.leaving import assign_together, places
from .history import Epoch, History, restore, states
from .module import Module
from .optimizers import Optimizer, value_of
from .schedules import Schedule
from .steps import Loss, Steps, checked_function, checked_loss

AT_ONCE = 512  # examples that are judged together


def fit(
    model: Module,
    loss: Loss,
    data: Any,
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    validation: Any = None,
    schedule: Schedule | None = None,
    max_norm: float | None = None,
    patience: int | None = None,
    progress: bool = False,
    history: History | None = None,
    compiled: bool = True,
) -> History:
    """Train a model.

    **Interrupted**, it stands as after its last whole step. Called again with the same arguments
    and the same history, it ends as if there had been no interrupt.

    **Without a plan** it trains node by node, with a PlanWarning that says why: the graph depends
    on values, or the model does more when it is called than compute.

    Args:
        model: what to train.
        loss: from outputs and y to one number, such as `mg.cross_entropy`.
        data: a Split, or a pair (x, y).
        optimizer: of the model's parameters.
        epochs: how many times through the data, those counted that the history has.
        batch_size: examples in a step; the last of an epoch takes what is left.
        rng: shuffles the examples of each epoch.
        validation: data that are judged after each epoch, and not learned.
        schedule: from the number of a step to a factor of the learning rate, as `nn.cosine(1000)`.
        max_norm: that gradients are clipped to; see `nn.clip_gradients`.
        patience: stop when the validation loss has not fallen for so many epochs; at the end the
            parameters are those of the best epoch.
        progress: show a bar with the loss and the time that is left.
        history: to write into, and to go on from.
        compiled: whether to look for a plan at all.

    Returns:
        The history.

    Raises:
        AnomalyError: at the first loss that is NaN or infinite, naming the first Node that was.
            The parameters are as before that step.
        SettingError: if a setting is out of its range.
        ShapeError, NodeTypeError: if model, data and loss do not fit together.
    """
    _checked_module(model)
    if not isinstance(history, History | None):
        raise NodeTypeError(f"a history is an nn.History, not {type(history).__name__}")
    data, validation = _split(data), None if validation is None else _split(validation)
    training = _Training(
        steps=Steps(model, loss, optimizer, max_norm, history or History()),
        data=data,
        size=checked_size(batch_size, len(data)),
        rng=checked_generator(rng),
        validation=validation,
        schedule=schedule,
        patience=patience,
    )
    modes = {module: module.training for module in model.modules().values()}
    try:
        with np.errstate(all="ignore"):
            training.run(checked_count("epochs", epochs), progress, compiled)
    except KeyboardInterrupt as error:
        error.history = training.history  # type: ignore[attr-defined]
        error.add_note(
            "Nothing is lost: fit with the same arguments and this training's history goes on. If "
            "you gave none, it is the attribute `history` of this error."
        )
        raise
    finally:
        for module, mode in modes.items():
            module.training = mode
    return training.history


def score(model: Module, loss: Loss, data: Any) -> tuple[float, float | None]:
    """Judge a model in evaluation: the mean loss, and the share of examples that it gets right.

    An example is right where the largest output is that of its class; None if y names no classes.
    """
    loss, data = checked_function(loss), _split(data)
    modes = {module: module.training for module in _checked_module(model).modules().values()}
    total = right = 0.0
    counts = False
    try:
        model.evaluate()
        with no_grad():
            for x, y in data.batches(min(AT_ONCE, len(data))):
                out = model(x)
                total += float(checked_loss(loss(out, y)).value) * len(x)
                counts = y.dtype.kind in "iu" and out.ndim == y.ndim + 1
                if counts:
                    right += float((out.value.argmax(axis=-1) == y).mean()) * len(x)
    finally:
        for module, mode in modes.items():
            module.training = mode
    return total / len(data), right / len(data) if counts else None


class _Training:
    """One call of `fit`."""

    def __init__(
        self,
        steps: Steps,
        data: Split,
        size: int,
        rng: np.random.Generator,
        validation: Split | None,
        schedule: Schedule | None,
        patience: int | None,
    ) -> None:
        self.steps, self.data, self.size, self.rng = steps, data, size, rng
        self.validation, self.schedule, self.patience = validation, schedule, patience
        self.history, self.optimizer = steps.history, steps.optimizer
        if schedule is not None and not callable(schedule):
            raise NodeTypeError(
                "a schedule is a function from the number of a step to a factor, such as "
                f"nn.cosine(1000), not {schedule!r:.40}"
            )
        if patience is not None:
            checked_count("patience", patience)
            if validation is None:
                raise SettingError("patience waits for the validation loss; give validation data")

    def run(self, epochs: int, progress: bool, compiled: bool) -> None:
        """Train until there were so many epochs."""
        history, model = self.history, self.steps.model
        history.resume(self.optimizer)
        model.train()
        x, y = self.data.x[: self.size], self.data.y[: self.size]
        self._check(x, y)
        step = self.steps.way(x, y) if compiled else self.steps.by_node
        each = math.ceil(len(self.data) / self.size)
        with ExitStack() as stack:
            bar = stack.enter_context(_bar(epochs * each, history)) if progress else None
            while len(history.epochs) < epochs and not self._is_over():
                self._epoch(step, bar)
        if self.patience is not None and history.best[1]:
            assign_together(places(self.optimizer.parameters), history.best[1])

    def _is_over(self) -> bool:
        return self.patience is not None and self.history.waited() >= self.patience

    def _epoch(self, step: Any, bar: Any) -> None:
        """Take the steps of an epoch that are not taken yet, and judge what came of it."""
        history, data, size = self.history, self.data, self.size
        order, first = history.order(data, self.rng), history.first
        base, generators = self.optimizer.learning_rate, self.steps.generators
        earlier: list[Any] = []
        for start in range((len(history.losses) - first) * size, len(data), size):
            batch = order[start : start + size]
            x, y = data.x[batch], data.y[batch]
            rate = self._factor(len(history.losses)) * base
            if generators:
                history.draws(generators)
            earlier = [*earlier[-1:], (x, y, self.steps.values())]
            loss = step(x, y, rate)
            if not math.isfinite(loss):
                self._explain(earlier)
            history.losses.append(loss)
            if bar is not None and bar.update():
                bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        if not all(np.isfinite(p._value).all() for p in self.optimizer.parameters):
            self._explain(earlier)
        self._judge(first)

    def _factor(self, step: int) -> float:
        """By what the schedule multiplies the learning rate in a step."""
        if self.schedule is None:
            return 1.0
        factor = self.schedule(step)
        if not is_number(factor) or not 0 <= factor < np.inf:
            raise SettingError(
                f"the schedule gives {factor!r:.40} for step {step}; a factor of the learning rate "
                "is a number from 0 up"
            )
        return float(factor)

    def _judge(self, first: int) -> None:
        """Add the epoch to the history."""
        history, n = self.history, len(self.data)
        sizes = np.minimum(self.size, n - np.arange(0, n, self.size))
        loss = float(np.array(history.losses[first:]) @ sizes / n)
        epoch = Epoch(len(history.losses), loss)
        if self.validation:
            judged = score(self.steps.model, self.steps.loss, self.validation)
            epoch = Epoch(len(history.losses), loss, *judged)
            if all(judged[0] < other.validation_loss for other in history.epochs):  # type: ignore
                history.best = len(history.epochs), [*map(value_of, self.optimizer.parameters)]
        history.epochs.append(epoch)

    def _explain(self, earlier: list[Any]) -> NoReturn:
        """Name the first Node that became NaN or infinite, in the last step or in that before.

        The variables hold again what they held before that step.
        """
        for x, y, values in earlier:
            self.steps.restore(values)
            self.optimizer.zero_grad()
            try:
                with detect_anomaly():
                    self.steps.computed(x, y).backward()
            except AnomalyError as error:
                self.optimizer.zero_grad()
                self.history.cut(self.optimizer)
                taken = int(self.optimizer.steps._value)
                raise AnomalyError(
                    f"training ended in step {taken + 1:,}: {error}", error.nodes
                ) from None
        self.history.cut(self.optimizer)
        raise AnomalyError(
            "training ended: a step makes a parameter infinite; take a smaller learning rate, or "
            "clip the gradients"
        )

    def _check(self, x: np.ndarray, y: np.ndarray) -> None:
        """Refuse what does not fit, before anything has changed."""
        drawn = states(self.steps.generators)
        out = self.steps.model(x)
        if not isinstance(out, Node):
            raise NodeTypeError(f"the model returns {type(out).__name__} {out!r:.40} and no Node")
        if self.steps.loss is cross_entropy and out.shape:
            for part in filter(None, (self.data, self.validation)):
                _check_labels(part.y, out.shape[-1])
        loss = checked_loss(self.steps.loss(out, y))
        if not loss.requires_grad:
            raise GradientError(
                "the loss depends on no parameter, so there is nothing to learn", (loss,)
            )
        restore(drawn)


def _checked_module(model: Any) -> Module:
    if not isinstance(model, Module):
        raise NodeTypeError(f"a model is a module, not {type(model).__name__} {model!r:.40}")
    return model


def _check_labels(y: np.ndarray, classes: int) -> None:
    """Refuse labels beyond the classes that a model tells apart, wherever in the data they are."""
    wrong = y[(y < 0) | (y >= classes)] if y.dtype.kind in "iu" else y[:0]
    if wrong.size:
        raise ShapeError(
            f"label {wrong.flat[0]} is none of the {classes} classes that the model tells apart, "
            f"0 to {classes - 1}"
        )


def _split(data: Any) -> Split:
    """Examples that are a Split already, or a pair (x, y)."""
    if isinstance(data, Split):
        return data
    if isinstance(data, Dataset):
        raise NodeTypeError(f"{data.name} has two parts: give its .train, or its .test")
    if isinstance(data, tuple | list) and len(data) == 2:
        return Split(*data)
    raise NodeTypeError(
        f"data are a pair (x, y) or a part of a data set, such as data.digits().train, not "
        f"{type(data).__name__} {data!r:.40}"
    )


def _bar(steps: int, history: History) -> Any:
    """A bar that shows how far the training is, the loss, and how long the rest will take."""
    from tqdm.auto import tqdm  # slow to import

    return tqdm(total=steps, initial=len(history.losses), unit=" steps")
