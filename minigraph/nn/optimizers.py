"""Optimizers: how parameters follow their gradients, with the rules and the defaults of PyTorch.

    optimizer = nn.Adam(model.parameters(), learning_rate=3e-3)
    optimizer.zero_grad(); loss.backward(); optimizer.step()

A rule is written once, with operators. Given numbers it computes, in `step`; given Nodes it builds
the graph of a step, which `nn.fit` compiles. So what an optimizer remembers, such as the velocity
of each parameter, stands in variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from ..core.node import Node, variable
from ..core.table import astype, square
from ..core.table import sqrt as root
from ..errors import GradientError, SettingError
from ..errors.words import describe
from ..graph.leaving import assign_together, places
from .checks import checked_number, checked_parameters

value_of = attrgetter("_value")
_owners: WeakKeyDictionary[Node, ref[Optimizer]] = WeakKeyDictionary()


class Optimizer:
    """What all optimizers share; each states `remembered` and `rule`.

    A parameter belongs to the optimizer that was made last; an older one refuses to step.

    Attributes:
        parameters: the variables that it changes.
        learning_rate: by how much; it may be set at any time.
        steps: a variable that counts the steps taken.

    Raises:
        SettingError: if there are no parameters, one stands there twice, or a setting is out of
            its range.
        NodeTypeError: if a parameter is no variable.
    """

    remembered: tuple[str, ...] = ()  # what is kept for each parameter, 0 at the start

    def __init__(self, parameters: Iterable[Node], learning_rate: float) -> None:
        self.parameters = checked_parameters(parameters)
        self.learning_rate = learning_rate
        self.steps = variable(0.0, name="steps")
        self.memory = {
            p: [variable(np.zeros_like(p._value), name=key) for key in self.remembered]
            for p in self.parameters
        }
        for p in self.parameters:
            _owners[p] = ref(self)

    @property
    def learning_rate(self) -> float:
        """By how much a step changes the parameters."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self._learning_rate = checked_number("a learning rate", rate, "above 0")

    def rule(self, p: Any, g: Any, rate: Any, t: Any, *remembered: Any) -> tuple[Any, ...]:
        """The new value of p, and of what is remembered, in step t with the gradient g."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients, which `backward` would add to."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Change the parameters by their gradients; those without one stay.

        Raises:
            GradientError: if none has a gradient.
            SettingError: if a parameter belongs to another optimizer.
        """
        gradients = [p.grad for p in self.parameters]
        if all(g is None for g in gradients):
            raise GradientError(
                "step() has no gradient to follow: none of the parameters has one; call "
                "loss.backward() before"
            )
        new = self.updates(gradients, self.learning_rate, value_of)
        assign_together(places([*new]), [*new.values()])

    def check_owner(self) -> None:
        """Refuse to change what belongs to an optimizer that was made later."""
        for p in self.parameters:
            owner = _owners[p]()
            if owner is not self:
                raise SettingError(
                    f"{describe(p)} is shared by two optimizers: this {type(self).__name__} and "
                    f"the {type(owner).__name__} that was made later; give each its own parameters"
                )

    def updates(
        self, gradients: Sequence[Any], rate: Any, read: Callable[[Node], Any] = lambda node: node
    ) -> dict[Node, Any]:
        """What a step makes of each variable, parameters and what is remembered.

        Args:
            gradients: one for each parameter, or None where it stays as it is.
            rate: the learning rate.
            read: what the rule takes of a variable: itself, or with `value_of` its value.
        """
        self.check_owner()
        t = read(self.steps) + 1
        new = {self.steps: t}
        for p, g in zip(self.parameters, gradients, strict=True):
            if g is not None:
                memory = self.memory[p]
                values = self.rule(read(p), g, rate, t, *map(read, memory))
                new |= zip([p, *memory], values, strict=True)
        return new


class SGD(Optimizer):
    """Gradient descent: p ← p − rate · v, where v ← momentum · v + g.

    Source of momentum: B. T. Polyak, "Some methods of speeding up the convergence of iteration
    methods", USSR Computational Mathematics and Mathematical Physics 4 (1964) 1-17.
    """

    def __init__(
        self,
        parameters: Iterable[Node],
        learning_rate: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.momentum = checked_number("momentum", momentum, "from 0 to below 1")
        self.weight_decay = checked_number("weight_decay", weight_decay, "from 0 up")
        self.remembered = ("velocity",) if momentum else ()
        super().__init__(parameters, learning_rate)

    def rule(self, p: Any, g: Any, rate: Any, t: Any, *remembered: Any) -> tuple[Any, ...]:
        """Follow the gradient, or the velocity that it pushes."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        v = [self.momentum * velocity + g for velocity in remembered]
        return p - like(p, rate) * (v[0] if v else g), *v


class Adam(Optimizer):
    """p ← p − rate · m̂ / (√v̂ + eps), where m and v are running means of g and g².

    m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g². They start at 0, which m̂ = m / (1 − β₁ᵗ) and
    v̂ = v / (1 − β₂ᵗ) correct.

    Source: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    remembered = ("m", "v")

    def __init__(
        self,
        parameters: Iterable[Node],
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise SettingError(f"betas are two numbers from 0 to below 1, not {betas!r:.40}")
        self.betas = tuple(checked_number("a beta", b, "from 0 to below 1") for b in betas)
        self.eps = checked_number("eps", eps, "from 0 up")
        self.weight_decay = checked_number("weight_decay", weight_decay, "from 0 up")
        super().__init__(parameters, learning_rate)

    def rule(self, p: Any, g: Any, rate: Any, t: Any, *remembered: Any) -> tuple[Any, ...]:
        """Follow the running mean, in units of the running size."""
        p, g = self.decayed(p, g, rate)
        (m, v), (b1, b2) = remembered, self.betas
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * square(g)
        size = root(v) / like(p, root(1 - b2**t)) + self.eps
        return p - like(p, rate / (1 - b1**t)) * m / size, m, v

    def decayed(self, p: Any, g: Any, rate: Any) -> tuple[Any, Any]:
        """The parameter and its gradient after weight decay: that of ½ · decay · p² is added."""
        return p, g + self.weight_decay * p if self.weight_decay else g


class AdamW(Adam):
    """Adam, where weight decay shrinks the parameter itself: p ← p − rate · decay · p.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    def __init__(
        self,
        parameters: Iterable[Node],
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, learning_rate, betas, eps, weight_decay)

    def decayed(self, p: Any, g: Any, rate: Any) -> tuple[Any, Any]:
        """The parameter after weight decay, and its gradient."""
        return (p * like(p, 1 - self.weight_decay * rate) if self.weight_decay else p), g


def like(p: Any, number: Any) -> Any:
    """A number in the dtype of a parameter, which would else be computed in that of the number."""
    return number if type(number) is float or number.dtype == p.dtype else astype(number, p.dtype)
