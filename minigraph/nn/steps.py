"""A step of training: as one compiled plan where there can be one, else node by node.

The plan computes the loss, its gradients and the new value of every variable. It is made once for
each shape of a batch. Dropout's masks are inputs of it, drawn anew for each step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from ..autodiff.derivatives import gradients
from ..compiler import Plan
from ..core.node import Node
from ..core.table import astype
from ..errors import NodeTypeError, PlanWarning, SettingError, ShapeError
from ..graph.context import no_grad
from ..graph.graph import Graph
from ..graph.leaving import assign_together, places
from ..graph.symbolic import placeholder
from .checks import checked_number
from .clipping import clipped
from .dropout import Dropout, Masks, masks_of_capture
from .history import History, restore, states
from .module import Module
from .optimizers import Optimizer, value_of

Loss = Callable[[Any, Any], Any]
Planned = tuple[Plan, Masks]


class Steps:
    """Takes the steps of a training.

    Attributes:
        variables: all that a step changes, at one moment.
        generators: from which the model's Dropout draws.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        max_norm: float | None,
        history: History,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise NodeTypeError(
                f"an optimizer is made of the model's parameters, as nn.Adam(model.parameters()); "
                f"this is {optimizer!r:.60}"
            )
        self.model, self.loss, self.optimizer = model, checked_function(loss), optimizer
        self.max_norm = max_norm
        if max_norm is not None:
            checked_number("max_norm", max_norm, "above 0")
        self.history = history
        if not {*model.parameters()} & {*optimizer.parameters}:
            raise SettingError(
                "the optimizer has none of the model's parameters; make it with model.parameters()"
            )
        optimizer.check_owner()
        memory = [x for remembered in optimizer.memory.values() for x in remembered]
        self.variables = [*optimizer.parameters, *memory, optimizer.steps, history.last_loss]
        dropouts = [m for m in model.modules().values() if isinstance(m, Dropout)]
        self.generators = {id(m.rng): m.rng for m in dropouts}.values()
        self._plans: dict[Any, Planned] = {}

    def values(self) -> list[Any]:
        """What the variables hold now."""
        return [*map(value_of, self.variables)]

    def restore(self, values: list[Any]) -> None:
        """Let the variables hold what they held before."""
        assign_together(places(self.variables), values)

    def computed(self, x: Any, y: Any) -> Node:
        """The loss of a batch, recorded."""
        return checked_loss(self.loss(self.model(x), y))

    def by_node(self, x: Any, y: Any, rate: float) -> float:
        """Take a step as one does by hand."""
        self.optimizer.zero_grad()
        loss = self.computed(x, y)
        loss.backward(keep="leaves")
        gradients = [p.grad for p in self.optimizer.parameters]
        new = self._updates(loss._value, gradients, rate, value_of)
        assign_together(places([*new]), [*new.values()])
        return float(loss._value)

    def by_plan(self, x: np.ndarray, y: np.ndarray, rate: float) -> float:
        """Take a step by the plan for batches of this shape."""
        plan, masks = self._plan(x, y)
        return float(plan.run([x, y, np.float64(rate), *_drawn(masks)]))

    def _plan(self, x: np.ndarray, y: np.ndarray) -> Planned:
        key = x.shape, y.shape
        if key not in self._plans:
            self._plans[key] = self._planned(x, y)
        return self._plans[key]

    def _updates(self, loss: Any, gradients: list[Any], rate: Any, *read: Any) -> dict[Node, Any]:
        """What a step makes of each variable."""
        if self.max_norm is not None:
            gradients, _ = clipped(gradients, self.max_norm)
        last = loss if loss.dtype == np.float64 else astype(loss, np.float64)
        return self.optimizer.updates(gradients, rate, *read) | {self.history.last_loss: last}

    def _planned(self, x: np.ndarray, y: np.ndarray) -> Planned:
        """Capture the graph of a step for batches of a shape, and compile it."""
        rate = placeholder("learning_rate")
        batch = [placeholder(name, v.shape, v.dtype) for name, v in (("x", x), ("y", y))]
        masks: Masks = []
        token = masks_of_capture.set(masks)
        try:
            loss = self.computed(*batch)
        finally:
            masks_of_capture.reset(token)
        new = self._updates(loss, gradients(loss, self.optimizer.parameters), rate)
        graph = Graph(loss, [*batch, rate, *(mask for mask, _ in masks)])
        return graph.compile(updates=new), masks

    def way(self, x: np.ndarray, y: np.ndarray) -> Callable[[Any, Any, float], float]:
        """How steps are to be taken: by a plan, if it computes of this batch what the model does.

        A plan knows the model as it was when it was captured. What the model does besides, such as
        draw random numbers or count, does not happen when the plan runs; then there is none.
        """
        drawn = states(self.generators)
        before = {module: {**vars(module)} for module in self.model.modules().values()}
        try:
            reason = self._objection(x, y, before)
        except Exception as error:  # whatever a model does that no graph can hold
            reason = str(error) or type(error).__name__
        finally:
            for module, attributes in before.items():
                vars(module).clear()
                vars(module).update(attributes)
            restore(drawn)
        self.history.reason = reason
        if reason:
            warnings.warn(f"fit trains without a plan: {reason}", PlanWarning, stacklevel=4)
            return self.by_node
        self.history.plan, _ = self._plan(x, y)
        return self.by_plan

    def _objection(self, x: np.ndarray, y: np.ndarray, before: dict[Module, Any]) -> str:
        """What speaks against a plan for these batches; "" if nothing does."""
        drawn = states(self.generators)
        plan, masks = self._plan(x, y)
        for module, attributes in before.items():
            for key, value in vars(module).items():
                if attributes.get(key, before) is not value:
                    return f"{module!r} changes its {key} when it is called"
        planned = plan.tried([x, y, np.float64(self.optimizer.learning_rate), *_drawn(masks)])
        restore(drawn)
        with no_grad():
            loss = self.computed(x, y)._value
        if np.isclose(loss, planned, rtol=1e-4, atol=1e-7, equal_nan=True):
            return ""
        return f"a batch has the loss {planned:.6g}, and {loss:.6g} when it is computed again"


def checked_function(loss: Any) -> Loss:
    """Return a loss that can be called with outputs and y.

    Raises:
        NodeTypeError: if it cannot.
    """
    asked = "a loss is a function of the outputs and of y, such as mg.cross_entropy"
    if not callable(loss):
        raise NodeTypeError(f"{asked}, not {type(loss).__name__} {loss!r:.40}")
    try:
        signature(loss.forward if isinstance(loss, Module) else loss).bind("outputs", "y")
    except TypeError as error:
        raise NodeTypeError(f"{asked}; this one cannot be called with two: {error}") from None
    except ValueError:  # some functions of C do not say what they take
        pass
    return loss


def checked_loss(loss: Any) -> Node:
    """Return a loss that can be followed down.

    Raises:
        NodeTypeError, ShapeError: if it is no Node, or more than one number.
    """
    if not isinstance(loss, Node):
        raise NodeTypeError(f"the loss returns {loss!r:.60}, and training follows a Node")
    if loss.shape:
        raise ShapeError(
            f"the loss has shape {loss.shape}, and training follows one number; take mg.mean",
            (loss,),
        )
    return loss


def _drawn(masks: Masks) -> list[np.ndarray]:
    """The masks of a step, in the order in which the model asks for them."""
    return [layer.mask(node.shape, node.dtype) for node, layer in masks]
