"""A module: parameters in attributes, a forward pass, and a scope of its own in the graph.

    class Classifier(nn.Module):
        def __init__(self, rng):
            self.hidden = nn.Linear(64, 32, rng=rng)
            self.out = nn.Linear(32, 10, rng=rng)

        def forward(self, x):
            return self.out(mg.relu(self.hidden(x)))

Names are PyTorch's: the state of this classifier begins with "hidden.weight".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.node import Node, constant, surroundings
from ..errors import NodeTypeError, ShapeError
from ..graph.context import scope
from .checks import check_call
from .saving import load, save


class Module:
    """A part of a network; subclasses set parameters and modules in attributes, and `forward`.

    Attributes:
        training: whether it is trained now, which matters to Dropout; see `train` and `evaluate`.
        name: of its scope; the attribute that it stands in, unless it is set before.
    """

    training = True
    name: str | None = None

    def forward(self, *inputs: Any) -> Any:
        """Compute the outputs from the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no method forward")

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Run `forward` in a scope, on Nodes: arrays and lists become constants.

        What does not fit is an error that names this module.
        """
        with scope(self.name or type(self).__name__.lower()):
            path = surroundings.get()[0]
            for _, part in self._parts():
                if isinstance(part, Node):
                    part.scope = path
            try:
                more = {key: _as_node(x) for key, x in named.items()}
                return called(self.forward, *map(_as_node, inputs), **more)
            except (ShapeError, NodeTypeError) as error:
                if hasattr(error, "module"):
                    raise
                given = tuple(x for x in (*inputs, *named.values()) if isinstance(x, Node))
                told = type(error)(f"{path}, {self!r}: {error}", error.nodes or given)
                told.refused = error.refused
                if isinstance(error, ShapeError) and given and not error.nodes:
                    told.refused = (type(self).__name__,) * 2
                told.module = self  # type: ignore[union-attr]
                raise told from None

    def __setattr__(self, key: str, value: Any) -> None:
        for sub, part in _items(value):
            if isinstance(part, Module) and part.name is None:
                part.name = f"{key}{sub}"
        object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        settings = [
            f"{key}={value!r}"
            for key, value in vars(self).items()
            if isinstance(value, int | float | tuple) and key not in ("training", "name")
        ]
        return f"{type(self).__name__}({', '.join(settings)})"

    # --- what it is made of -----------------------------------------------------------------------

    def _parts(self) -> Iterator[tuple[str, Node | Module]]:
        """The variables and modules in its attributes, also those in lists, tuples and dicts."""
        for key, value in vars(self).items():
            for sub, part in _items(value):
                if isinstance(part, Module) or (isinstance(part, Node) and part.kind == "variable"):
                    yield f"{key}.{sub}" if sub else key, part

    def modules(self) -> dict[str, Module]:
        """This module, whose path is "", and all within it by their paths; each of them once."""
        paths: dict[Module, str] = {}
        waiting: list[tuple[str, Module]] = [("", self)]
        while waiting:
            path, module = waiting.pop()
            if module not in paths:
                paths[module] = path
                within = [(k, m) for k, m in module._parts() if isinstance(m, Module)]
                waiting += [(f"{path}.{k}" if path else k, m) for k, m in reversed(within)]
        return {path: module for module, path in paths.items()}

    def named_parameters(self) -> dict[str, Node]:
        """The variables that are learned, by their paths; a shared one has its first path."""
        paths: dict[Node, str] = {}
        for path, module in self.modules().items():
            for key, part in module._parts():
                if isinstance(part, Node):
                    paths.setdefault(part, f"{path}.{key}" if path else key)
        return {path: parameter for parameter, path in paths.items()}

    def parameters(self) -> list[Node]:
        """The variables that are learned, in order."""
        return [*self.named_parameters().values()]

    def train(self) -> None:
        """Say that what follows is training."""
        self._set(True)

    def evaluate(self) -> None:
        """Say that what follows is no training: Dropout lets everything through."""
        self._set(False)

    def _set(self, training: bool) -> None:
        for module in self.modules().values():
            module.training = training

    # --- its state --------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Copies of the values of all parameters, by their paths."""
        return {path: np.array(p._value) for path, p in self.named_parameters().items()}

    def load(self, state: Any) -> None:
        """Give all parameters the values of a state, or of a file that `save` wrote; or none.

        Args:
            state: arrays by the paths of parameters, or the path of a file.

        Raises:
            FormatError: if it is the state of another model, or the file holds none.
            FileError: if the file cannot be read.
        """
        load(self.named_parameters(), state)

    def save(self, path: Any) -> None:
        """Write the state into a file of NumPy's format .npz, whole or not at all.

        Raises:
            FileError: if it cannot be written.
        """
        save(self.state(), path)


class Sequential(Module):
    """Modules, or functions, one after another; `model[0]` is the first."""

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer) or isinstance(layer, type):
                raise NodeTypeError(f"a layer is a module or a function, not {layer!r:.60}")
            if isinstance(layer, Module) and layer.name is None:
                layer.name = f"{type(layer).__name__.lower()}{i}"
            setattr(self, str(i), layer)
        self._count = len(layers)

    def forward(self, x: Any) -> Any:
        """Compute what the last layer gives."""
        for layer in self:
            x = layer(x) if isinstance(layer, Module) else called(layer, x)
        return x

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(self._count))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: int) -> Any:
        return [*self][i]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(getattr(x, '__name__', repr(x)) for x in self)})"


def called(function: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
    """Call a function; inputs that it does not take are told in a sentence."""
    try:
        return function(*inputs, **named)
    except TypeError:
        check_call(function, inputs, named)
        raise


def _as_node(x: Any) -> Any:
    return constant(x) if isinstance(x, list | np.ndarray | np.generic) else x


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """What an attribute holds, each with its place in it."""
    if isinstance(value, list | tuple):
        return ((str(i), part) for i, part in enumerate(value))
    if isinstance(value, dict):
        return ((str(key), part) for key, part in value.items())
    return iter([("", value)])
