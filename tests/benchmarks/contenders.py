"""The libraries that are compared, and what each of them does: one program, in its own idiom.

A contender imports its library when it is made, so that a process holds no library but its own.
All compute in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

SCALARS = (0.5, 0.75, 0.25)  # the leaves of a scalar graph
LEARNING_RATE = 0.1
DRAWN_NODES = 50
EXPLORED_NODES = (11, 51, 199)
State = Any


class LeftOutError(Exception):
    """What a contender cannot do, and why."""


@dataclass(frozen=True)
class Work:
    """A piece of work in stages.

    Attributes:
        stages: by name; each takes what the one before returned, and the first takes None.
        outcome: the numbers to compare, from what the last stage returned.
    """

    stages: dict[str, Callable[[State], State]]
    outcome: Callable[[State], list[Any]]


@dataclass(frozen=True)
class Network:
    """A network with tanh between its layers, and a batch to train it on."""

    batch: int
    widths: tuple[int, ...]
    classifies: bool  # softmax cross-entropy; else the mean squared error

    @property
    def title(self) -> str:
        """What the table calls it."""
        loss = "softmax cross-entropy" if self.classifies else "mean squared error"
        return f"{'-'.join(map(str, self.widths))}, tanh, {loss}, batch {self.batch}"

    def out(self, library: Contender, x: Any, parameters: Sequence[Any]) -> Any:
        """Compute what the last layer gives, with the functions of a library."""
        return forward_network(library.tanh, x, parameters)

    def data(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return the inputs, the targets and the parameters: weights and biases in turn."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=(self.batch, self.widths[0]))
        if self.classifies:
            target = rng.integers(self.widths[-1], size=self.batch)
        else:
            target = rng.normal(size=(self.batch, self.widths[-1]))
        parameters = []
        for inputs, outputs in zip(self.widths, self.widths[1:]):
            parameters.append(rng.normal(size=(inputs, outputs)) / np.sqrt(inputs))
            parameters.append(np.zeros(outputs))
        return x, target, parameters


@dataclass(frozen=True)
class Images:
    """A small convolutional network, and a batch of images of one channel to train it on."""

    batch: int
    size: int
    filters: int
    classes: int
    classifies = True

    @property
    def title(self) -> str:
        """What the table calls it."""
        return (
            f"{self.size}×{self.size}, 3×3 of {self.filters}, relu, pool 2, linear "
            f"{self.classes}, batch {self.batch}"
        )

    def out(self, library: Contender, x: Any, parameters: Sequence[Any]) -> Any:
        """Compute what the last layer gives, with the functions of a library."""
        filters, bias, w, b = parameters
        return library.flat(library.pooled(x, filters, bias)) @ w + b

    def data(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return the inputs, the targets and the parameters: weights and biases in turn."""
        rng = np.random.default_rng(0)
        pooled = self.filters * ((self.size - 2) // 2) ** 2
        parameters = [
            rng.normal(size=(self.filters, 1, 3, 3)) / 3,
            np.zeros(self.filters),
            rng.normal(size=(pooled, self.classes)) / np.sqrt(pooled),
            np.zeros(self.classes),
        ]
        x = rng.normal(size=(self.batch, 1, self.size, self.size))
        return x, rng.integers(self.classes, size=self.batch), parameters


@dataclass(frozen=True)
class Digits:
    """Training on real digits: 64-64-10, relu, by Adam; so many times through the data."""

    epochs: int
    batch = 64
    rate = 3e-3

    def data(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return the images, the digits and the parameters, whose weights are (out, in)."""
        from minigraph import data

        train = data.digits().train
        rng = np.random.default_rng(0)
        parameters = [rng.normal(size=(64, 64)) / 8, np.zeros(64)]
        parameters += [rng.normal(size=(10, 64)) / 8, np.zeros(10)]
        return train.x, train.y, parameters


NETWORKS = {
    "small network": Network(32, (2, 16, 16, 1), classifies=False),
    "classifier": Network(64, (64, 128, 10), classifies=True),
    "wide classifier": Network(256, (784, 256, 10), classifies=True),
    "images": Images(32, 28, filters=8, classes=10),
}


def chain(sin: Callable, operations: int, x: Any, w: Any, b: Any) -> Any:
    """Compute a chain of four kinds of scalar operations whose leaves are used throughout."""
    y = x
    for _ in range(operations // 4):
        y = sin(y * w + x) - b
    return y


def mix(tanh: Callable, operations: int, x: Any, y: Any, b: Any) -> Any:
    """Compute a chain of four scalar operations, one of them with a number of Python's."""
    for _ in range(operations // 4):
        x = tanh((x * b + y) * 0.5)
    return x


def forward_network(tanh: Callable, x: Any, parameters: Sequence[Any]) -> Any:
    """Compute what the last layer gives."""
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = tanh(x @ weight + bias)
    return x @ w + b


class Contender:
    """A library and how it does each kind of work.

    `sin`, `tanh` and `mean` are its functions, `constant` what it wants a batch to be,
    `cross_entropy` its loss of (logits, labels), `number` turns a result of its own into NumPy's,
    and `pooled` is the largest of 2×2 of relu of a convolution.
    """

    name: str
    package: str  # as it is imported and as it is installed: all of them agree
    constant: Callable = staticmethod(np.asarray)
    number: Callable = staticmethod(np.asarray)
    sin: Callable
    tanh: Callable
    mean: Callable
    cross_entropy: Callable
    in_python = True  # all that a graph holds is allocated by Python or NumPy, and can be counted

    def chain(self, operations: int) -> Work:
        """Differentiate a chain of scalar operations."""
        return self.scalars(partial(chain, self.sin, operations))

    def mix(self, operations: int) -> Work:
        """Differentiate a chain of others, some with a number of Python's."""
        return self.scalars(partial(mix, self.tanh, operations))

    def scalars(self, program: Callable) -> Work:
        """Differentiate a program by its three inputs, all of them scalars."""
        raise NotImplementedError

    def training(self, network: Network | Images) -> Work:
        """Train a network by gradient descent, a step each time."""
        raise NotImplementedError

    def pooled(self, x: Any, filters: Any, bias: Any) -> Any:
        """Compute the convolutional layer of a small network."""
        raise LeftOutError("has no convolution, or a slow one")

    def flat(self, x: Any) -> Any:
        """Put all axes but the first into one."""
        return x.reshape((x.shape[0], -1))

    def digits(self, epochs: int) -> Work:
        """Train a classifier of digits, so many epochs each time."""
        raise LeftOutError("would be trained as PyTorch is, in a loop")

    def drawing(self, nodes: int) -> Work:
        """Draw a graph."""
        raise LeftOutError("draws no graphs")

    def sliding(self, nodes: int) -> Work:
        """Move the inputs of a graph."""
        raise LeftOutError("has no sliders")

    def work(self, kind: str, size: int) -> Work:
        """Return the work of a kind: "chain", "mix", "digits" … or a network's name."""
        if kind in NETWORKS:
            return self.training(NETWORKS[kind])
        return getattr(self, kind)(size)

    def loss(
        self, network: Network | Images, x: Any, target: Any, parameters: Sequence[Any]
    ) -> Any:
        """Compute how wrong a network is about a batch."""
        out = network.out(self, x, parameters)
        if network.classifies:
            return self.cross_entropy(out, target)
        wrong = out - target
        return self.mean(wrong * wrong)


# --- libraries whose variables record what happens to them ----------------------------------------


class Recording(Contender):
    """A library with variables, `y.backward()` and `x.grad`."""

    leaf: Callable

    def scalars(self, program: Callable) -> Work:
        def forward(_: State) -> State:
            leaves = [self.leaf(value) for value in SCALARS]
            return program(*leaves), leaves

        def backward(state: State) -> State:
            state[0].backward()
            return state

        def outcome(state: State) -> list[Any]:
            return [self.number(state[0]), *(self.number(x.grad) for x in state[1])]

        return Work({"forward": forward, "backward": backward}, outcome)

    def training(self, network: Network | Images) -> Work:
        *batch, values = network.data()
        x, target = map(self.constant, batch)
        parameters = [self.leaf(value) for value in values]

        def backward(loss: State) -> State:
            loss.backward()
            return loss

        def update(loss: State) -> State:
            self.update(parameters)
            return loss

        stages = {
            "forward": lambda _: self.loss(network, x, target, parameters),
            "backward": backward,
            "update": update,
        }
        return Work(stages, lambda loss: [*map(self.number, (loss, *parameters))])

    def update(self, parameters: Sequence[Any]) -> None:
        """Take a step down the gradients, and clear them."""
        raise NotImplementedError


class Minigraph(Recording):
    """This library."""

    name = package = "minigraph"

    def __init__(self) -> None:
        import minigraph as mg

        self.draw, self.explore = mg.draw, mg.explore
        self.leaf, self.constant = mg.variable, mg.constant
        self.sin, self.tanh, self.mean = mg.sin, mg.tanh, mg.mean
        self.cross_entropy = mg.cross_entropy
        self.mg = mg

    @staticmethod
    def number(x: Any) -> np.ndarray:
        return np.asarray(getattr(x, "value", x))

    def pooled(self, x: Any, filters: Any, bias: Any) -> Any:
        return self.mg.max_pool2d(self.mg.relu(self.mg.conv2d(x, filters, bias)), 2)

    def digits(self, epochs: int, compiled: bool = False) -> Work:
        from minigraph import nn

        work = Digits(epochs)
        x, y, values = work.data()
        rng = np.random.default_rng(0)
        layers = nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng)
        model = nn.Sequential(*layers)
        for p, value in zip(model.parameters(), values, strict=True):
            p.value = value
        optimizer = nn.Adam(model.parameters(), learning_rate=work.rate)
        history, orders = nn.History(), np.random.default_rng(1)

        def train(_: State) -> State:
            return nn.fit(
                model, self.cross_entropy, (x, y), optimizer=optimizer, rng=orders,
                epochs=len(history.epochs) + epochs, batch_size=work.batch, history=history,
                compiled=compiled,
            )  # fmt: skip

        return Work(
            {"training": train},
            lambda history: [*map(self.number, (history.losses[-1], *model.parameters()))],
        )

    def update(self, parameters: Sequence[Any]) -> None:
        for p in parameters:
            p.value = p.value - LEARNING_RATE * p.grad
            p.grad = None

    def drawing(self, nodes: int) -> Work:
        def build(_: State) -> State:
            leaves = [self.leaf(value) for value in SCALARS]
            return chain(self.sin, nodes - len(leaves), *leaves)

        return Work({"build": build, "draw": lambda y: self.draw(y).svg}, lambda svg: [])

    def sliding(self, nodes: int) -> Work:
        explorer = self.explore(
            lambda x, w, b: chain(self.sin, nodes - 3, x, w, b), x=(-3, 3), w=(-3, 3), b=(-3, 3)
        )
        places = cycle(np.linspace(-3, 3, 61).tolist())

        def move(name: str) -> Callable[[State], State]:
            def moved(_: State) -> State:
                explorer.values = {name: next(places)}

            return moved

        return Work({"nudged": move("x"), "another": move("w")}, lambda _: [])


class MinigraphPlan(Minigraph):
    """This library, with all of the work compiled into one plan, beforehand."""

    name = "minigraph plan"

    def digits(self, epochs: int, compiled: bool = True) -> Work:
        return super().digits(epochs, compiled)

    def scalars(self, program: Callable) -> Work:
        leaves = [self.mg.placeholder(name) for name in "xwb"]
        y = program(*leaves)
        plan = self.mg.Graph([y, *self.mg.grad(y, leaves)], leaves).compile()
        values = dict(zip("xwb", SCALARS))
        return Work({"compiled": lambda _: plan(**values)}, list)

    def training(self, network: Network | Images) -> Work:
        x, target, values = network.data()
        parameters = [self.leaf(value) for value in values]
        inputs = [self.mg.placeholder(n, a.shape, a.dtype) for n, a in (("x", x), ("t", target))]
        loss = self.loss(network, *inputs, parameters)
        gradients = self.mg.grad(loss, parameters)
        updates = {p: p - LEARNING_RATE * g for p, g in zip(parameters, gradients)}
        plan = self.mg.Graph(loss, inputs).compile(updates=updates)
        stages = {"compiled": lambda _: plan(x=x, t=target)}
        return Work(stages, lambda loss: [loss, *map(self.number, parameters)])


class ByHand(Contender):
    """NumPy as one writes it who wants it fast: every array is made before, and used again."""

    name, package = "NumPy by hand", "numpy"

    sin, tanh = np.sin, np.tanh

    def scalars(self, program: Callable) -> Work:
        raise LeftOutError("is written out for networks only")

    def training(self, network: Network | Images) -> Work:
        if not isinstance(network, Network):
            raise LeftOutError("is written out for networks of matrices only")
        x, target, parameters = network.data()
        weights, biases = parameters[::2], parameters[1::2]
        layers = [np.empty((network.batch, w.shape[1])) for w in weights]
        gradients = [np.empty_like(layer) for layer in layers]
        changes = [np.empty_like(p) for p in parameters]
        rows, last = np.arange(network.batch), gradients[-1]
        best, total = np.empty((network.batch, 1)), np.empty((network.batch, 1))

        def squared_error(out: np.ndarray) -> Any:
            np.subtract(out, target, out=out)
            np.multiply(out, out, out=last)
            loss = np.add.reduce(last, axis=None) / last.size
            np.multiply(out, 2 / out.size, out=last)
            return loss

        def cross_entropy(out: np.ndarray) -> Any:
            np.maximum.reduce(out, axis=1, keepdims=True, out=best)
            np.subtract(out, best, out=out)
            np.exp(out, out=last)
            np.add.reduce(last, axis=1, keepdims=True, out=total)
            np.divide(last, total, out=last)
            np.log(total, out=total)
            loss = (np.add.reduce(total, axis=None) - out[rows, target].sum()) / len(out)
            last[rows, target] -= 1
            np.multiply(last, 1 / len(out), out=last)
            return loss

        loss_of = cross_entropy if network.classifies else squared_error

        def step(_: State) -> State:
            below = x
            for w, b, layer in zip(weights, biases, layers):
                np.dot(below, w, out=layer)
                np.add(layer, b, out=layer)
                if layer is not layers[-1]:
                    np.tanh(layer, out=layer)
                below = layer
            loss = loss_of(layers[-1])
            for i in reversed(range(len(layers))):
                g, below = gradients[i], layers[i - 1] if i else x
                np.dot(below.T, g, out=changes[2 * i])
                np.add.reduce(g, axis=0, out=changes[2 * i + 1])
                if i:
                    np.dot(g, weights[i].T, out=gradients[i - 1])
                    np.multiply(below, below, out=below)
                    np.subtract(1, below, out=below)
                    np.multiply(gradients[i - 1], below, out=gradients[i - 1])
            for p, change in zip(parameters, changes):
                np.multiply(change, LEARNING_RATE, out=change)
                np.subtract(p, change, out=p)
            return loss

        return Work({"compiled": step}, lambda loss: [loss, *parameters])


class PyTorch(Recording):
    """PyTorch, eager."""

    name, package = "PyTorch eager", "torch"
    in_python = False

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        self.no_grad = torch.no_grad
        self.leaf = partial(torch.tensor, dtype=torch.float64, requires_grad=True)
        self.constant = torch.from_numpy
        self.sin, self.tanh, self.mean = torch.sin, torch.tanh, torch.mean
        self.cross_entropy = torch.nn.functional.cross_entropy

    @staticmethod
    def number(x: Any) -> np.ndarray:
        return x.detach().numpy()

    def pooled(self, x: Any, filters: Any, bias: Any) -> Any:
        of = self.torch.nn.functional
        return of.max_pool2d(self.torch.relu(of.conv2d(x, filters, bias)), 2)

    def digits(self, epochs: int) -> Work:
        torch, work = self.torch, Digits(epochs)
        x, y, values = work.data()
        x, y, orders = torch.tensor(x), torch.tensor(y), np.random.default_rng(1)
        layers = torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
        model = torch.nn.Sequential(*layers).double()
        with torch.no_grad():
            for p, value in zip(model.parameters(), values, strict=True):
                p.copy_(torch.tensor(value))
        optimizer = torch.optim.Adam(model.parameters(), lr=work.rate)

        def train(_: State) -> State:
            losses = []
            for _ in range(epochs):
                for chosen in torch.tensor(orders.permutation(len(x))).split(work.batch):
                    loss = self.cross_entropy(model(x[chosen]), y[chosen])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
            return losses

        def outcome(losses: State) -> list[Any]:
            return [np.float64(losses[-1]), *map(self.number, model.parameters())]

        return Work({"training": train}, outcome)

    def update(self, parameters: Sequence[Any]) -> None:
        with self.no_grad():
            for p in parameters:
                p -= LEARNING_RATE * p.grad
                p.grad = None


class MyGrad(Recording):
    """MyGrad."""

    name, package = "MyGrad", "mygrad"

    def __init__(self) -> None:
        import mygrad
        from mygrad.nnet.losses import softmax_crossentropy

        self.leaf = mygrad.tensor
        self.sin, self.tanh, self.mean = mygrad.sin, mygrad.tanh, mygrad.mean
        self.cross_entropy = softmax_crossentropy

    @staticmethod
    def number(x: Any) -> np.ndarray:
        return np.asarray(getattr(x, "data", x))

    def update(self, parameters: Sequence[Any]) -> None:
        for p in parameters:
            p.data -= LEARNING_RATE * p.grad
            p.null_grad()


class Micrograd(Recording):
    """micrograd, with a sine and a tanh added in the manner of its own operations."""

    name = package = "micrograd"

    def __init__(self) -> None:
        from math import cos, sin, tanh

        from micrograd.engine import Value

        def sine(x: Value) -> Value:
            out = Value(sin(x.data), (x,), "sin")

            def _backward() -> None:
                x.grad += cos(x.data) * out.grad

            out._backward = _backward
            return out

        def hyperbolic_tangent(x: Value) -> Value:
            t = tanh(x.data)
            out = Value(t, (x,), "tanh")

            def _backward() -> None:
                x.grad += (1 - t * t) * out.grad

            out._backward = _backward
            return out

        self.leaf, self.sin, self.tanh = Value, sine, hyperbolic_tangent

    @staticmethod
    def number(x: Any) -> np.ndarray:
        return np.asarray(getattr(x, "data", x))

    def training(self, network: Network | Images) -> Work:
        raise LeftOutError("has scalars only")


# --- libraries that differentiate functions -------------------------------------------------------


class Functional(Contender):
    """A library that turns a function of arrays into one that gives its gradients."""

    array: Callable = staticmethod(np.asarray)

    def vjp(self, function: Callable, values: Sequence[Any]) -> tuple[Any, Callable]:
        """Return the value, and what turns the gradient of it into those of the inputs."""
        raise NotImplementedError

    def scalars(self, program: Callable) -> Work:
        values = [self.array(value) for value in SCALARS]
        seed = self.array(1.0)

        def backward(state: State) -> State:
            value, pull = state
            return value, *pull(seed)

        stages = {"forward": lambda _: self.vjp(program, values), "backward": backward}
        return Work(stages, lambda state: [*map(self.number, state)])

    def training(self, network: Network | Images) -> Work:
        *batch, values = network.data()
        x, target = map(self.constant, batch)
        parameters = [self.array(value) for value in values]
        seed = self.array(1.0)

        def backward(state: State) -> State:
            value, pull = state
            return value, pull(seed)

        def update(state: State) -> State:
            value, gradients = state
            parameters[:] = self.descend(parameters, gradients)
            return value

        def loss(*parameters: Any) -> Any:
            return self.loss(network, x, target, parameters)

        stages = {
            "forward": lambda _: self.vjp(loss, parameters),
            "backward": backward,
            "update": update,
        }
        return Work(stages, lambda value: [*map(self.number, (value, *parameters))])

    def descend(self, parameters: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        """Return the parameters a step down their gradients."""
        return [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]


class Autograd(Functional):
    """autograd, of HIPS."""

    name = package = "autograd"

    def __init__(self) -> None:
        import autograd
        import autograd.numpy as anp
        from autograd.scipy.special import logsumexp

        def cross_entropy(logits: Any, labels: np.ndarray) -> Any:
            rows = np.arange(len(labels))
            return anp.mean(logsumexp(logits, axis=1) - logits[rows, labels])

        self.make_vjp = autograd.make_vjp
        self.sin, self.tanh, self.mean = anp.sin, anp.tanh, anp.mean
        self.cross_entropy = cross_entropy

    def vjp(self, function: Callable, values: Sequence[Any]) -> tuple[Any, Callable]:
        pull, value = self.make_vjp(function, argnum=tuple(range(len(values))))(*values)
        return value, pull


class Jax(Functional):
    """JAX without compilation."""

    name, package = "JAX eager", "jax"
    in_python = False

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def cross_entropy(logits: Any, labels: Any) -> Any:
            right = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
            return -jnp.mean(right)

        def pooled(x: Any, filters: Any, bias: Any) -> Any:
            out = jax.lax.conv(x, filters, (1, 1), "VALID") + bias[:, None, None]
            places = (1, 1, 2, 2)
            return jax.lax.reduce_window(
                jax.nn.relu(out), -jnp.inf, jax.lax.max, places, places, "VALID"
            )

        self.jax, self.pooled = jax, pooled
        self.array = self.constant = jnp.asarray
        self.sin, self.tanh, self.mean = jnp.sin, jnp.tanh, jnp.mean
        self.cross_entropy = cross_entropy

    def vjp(self, function: Callable, values: Sequence[Any]) -> tuple[Any, Callable]:
        value, pull = self.jax.vjp(function, *values)
        return value.block_until_ready(), lambda seed: self.jax.block_until_ready(pull(seed))

    def descend(self, parameters: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        return self.jax.block_until_ready(super().descend(parameters, gradients))


class JaxJit(Jax):
    """JAX with all of the work compiled into one function, beforehand."""

    name = "JAX jit"

    def gradient(self, function: Callable, count: int) -> Callable:
        """Return what gives the value of a function and its gradients by all inputs."""
        return self.jax.value_and_grad(function, argnums=tuple(range(count)))

    def scalars(self, program: Callable) -> Work:
        values = [self.array(value) for value in SCALARS]
        run = self.jax.jit(self.gradient(program, len(values)))
        stages = {"compiled": lambda _: self.jax.block_until_ready(run(*values))}
        return Work(stages, lambda state: [*map(self.number, (state[0], *state[1]))])

    def training(self, network: Network | Images) -> Work:
        *batch, values = network.data()
        x, target = map(self.constant, batch)
        parameters = [self.array(value) for value in values]

        def loss(*parameters: Any) -> Any:
            return self.loss(network, x, target, parameters)

        @self.jax.jit
        def step(parameters: list[Any]) -> tuple[Any, list[Any]]:
            value, gradients = self.gradient(loss, len(parameters))(*parameters)
            return value, Functional.descend(self, parameters, gradients)

        def run(_: State) -> State:
            value, parameters[:] = self.jax.block_until_ready(step(parameters))
            return value

        return Work({"compiled": run}, lambda value: [*map(self.number, (value, *parameters))])


CONTENDERS = (Minigraph, MinigraphPlan, ByHand, PyTorch, MyGrad, Autograd, Micrograd, Jax, JaxJit)
