"""Optimizers: how parameters follow their gradients, with the rules and the defaults of PyTorch.

    optimizer = nn.Adam(model.parameters(), learning_rate=3e-3)
    optimizer.zero_grad(); loss.backward(); optimizer.step()

A rule is written once, with operators. Given numbers it computes, in `step`; given Nodes it builds
the graph of a step, which `nn.fit` compiles. So what an optimizer remembers, such as the velocity
of each parameter, stands in variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from math import cos, pi
from operator import add, attrgetter
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from ..core.node import Node, is_symbolic, variable
from ..core.table import astype, square
from ..core.table import sqrt as root
from ..core.table import sum as total
from ..data.sets import checked_count, is_number
from ..errors import GradientError, NodeTypeError, SettingError
from ..errors.words import describe
from ..graph.leaving import assign_together, places
from ..graph.rows import minimum

Schedule = Callable[[int], float]
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
        self.parameters = _checked(parameters)
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
        if not is_number(rate) or not 0 < rate < np.inf:
            raise SettingError(f"a learning rate is a number above 0, not {rate!r:.40}")
        self._learning_rate = float(rate)

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
        self.momentum = _share("momentum", momentum)
        self.weight_decay = _decay(weight_decay)
        self.remembered = ("velocity",) if momentum else ()
        super().__init__(parameters, learning_rate)

    def rule(self, p: Any, g: Any, rate: Any, t: Any, *remembered: Any) -> tuple[Any, ...]:
        """Follow the gradient, or the velocity that it pushes."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        v = [self.momentum * velocity + g for velocity in remembered]
        return p - _like(p, rate) * (v[0] if v else g), *v


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
        self.betas = _share("a beta", betas[0]), _share("a beta", betas[1])
        if not is_number(eps) or not 0 <= eps < np.inf:
            raise SettingError(f"eps is a number from 0 up, not {eps!r:.40}")
        self.eps = eps
        self.weight_decay = _decay(weight_decay)
        super().__init__(parameters, learning_rate)

    def rule(self, p: Any, g: Any, rate: Any, t: Any, *remembered: Any) -> tuple[Any, ...]:
        """Follow the running mean, in units of the running size."""
        p, g = self.decayed(p, g, rate)
        (m, v), (b1, b2) = remembered, self.betas
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * square(g)
        size = root(v) / _like(p, root(1 - b2**t)) + self.eps
        return p - _like(p, rate / (1 - b1**t)) * m / size, m, v

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
        return (p * _like(p, 1 - self.weight_decay * rate) if self.weight_decay else p), g


# --- gradients that are too long ------------------------------------------------------------------


def clip_gradients(parameters: Iterable[Node], max_norm: float) -> float:
    """Shorten all gradients together, so that their norm is at most `max_norm`; see `clipped`.

    Returns:
        The norm before.

    Raises:
        GradientError: if none of the parameters has a gradient.
    """
    chosen = [p for p in _checked(parameters) if p.grad is not None]
    if not chosen:
        raise GradientError("there is no gradient to clip; call loss.backward() before")
    gradients, norm = clipped([p.grad for p in chosen], max_norm)
    for p, g in zip(chosen, gradients):
        p.grad = g
    return float(norm)


def clipped(gradients: Sequence[Any], max_norm: float) -> tuple[list[Any], Any]:
    """Gradients times max_norm / norm where that is below 1, and their norm, √Σ g².

    Source: R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013.
    """
    checked_norm(max_norm)
    norm = root(reduce(add, [total(square(g)) for g in gradients if g is not None]))
    share = minimum(max_norm / (norm + 1e-6), 1.0)  # as PyTorch does, so that 0 is no divisor
    return [g if g is None else g * _like(g, share) for g in gradients], norm


def checked_norm(max_norm: Any) -> float:
    """Return a norm that gradients can be clipped to."""
    if not is_number(max_norm) or not 0 < max_norm < np.inf:
        raise SettingError(f"max_norm is a number above 0, not {max_norm!r:.40}")
    return max_norm


# --- schedules: from the number of a step, from 0, to a factor of the learning rate ---------------


def cosine(steps: int, warmup: int = 0) -> Schedule:
    """Rise in a straight line for `warmup` steps, then fall as half a cosine to 0 at `steps`.

    Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts",
    ICLR 2017.
    """
    warmup = checked_count("warmup", warmup, least=0)
    steps = checked_count("the number of steps", steps, least=warmup + 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return (1 + cos(pi * min(1, (step - warmup) / (steps - warmup)))) / 2

    return factor


def stepwise(every: int, factor: float = 0.1) -> Schedule:
    """Multiply by a factor after so many steps, again and again."""
    every = checked_count("the number of steps", every)
    if not is_number(factor) or not 0 < factor < np.inf:
        raise SettingError(f"the factor is a number above 0, not {factor!r:.40}")
    return lambda step: factor ** (step // every)


# --- what is refused ------------------------------------------------------------------------------


def _checked(parameters: Any) -> list[Node]:
    if isinstance(parameters, Node) or not isinstance(parameters, Iterable):
        raise NodeTypeError(
            "parameters are a list of variables, as in model.parameters(), not "
            f"{type(parameters).__name__}"
        )
    listed = [*parameters]
    if not listed:
        raise SettingError("there are no parameters to learn; give model.parameters()")
    for p in listed:
        if not isinstance(p, Node):
            raise NodeTypeError(f"a parameter is a variable, not {type(p).__name__} {p!r:.40}")
        if p.op is not None or is_symbolic(p) or not p.requires_grad:
            raise NodeTypeError(f"{describe(p)} cannot be learned: it is no variable", (p,))
    if len({*listed}) < len(listed):
        twice = next(p for p in listed if listed.count(p) > 1)
        raise SettingError(f"{describe(twice)} stands twice among the parameters", (twice,))
    return listed


def _share(what: str, value: Any) -> float:
    if not is_number(value) or not 0 <= value < 1:
        raise SettingError(f"{what} is a number from 0 to below 1, not {value!r:.40}")
    return float(value)


def _decay(value: Any) -> float:
    if not is_number(value) or not 0 <= value < np.inf:
        raise SettingError(f"weight_decay is a number from 0 up, not {value!r:.40}")
    return float(value)


def _like(p: Any, number: Any) -> Any:
    """A number in the dtype of a parameter, which would else be computed in that of the number."""
    return number if type(number) is float or number.dtype == p.dtype else astype(number, p.dtype)
