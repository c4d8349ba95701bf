"""The training bench: a network that learns points of the plane, with every setting at hand."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict
from time import perf_counter
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from ..core.node import Node
from ..core.order import topological_order
from ..drawing import Drawing, draw
from ..drawing.diagram import diagram
from ..drawing.route import picture
from ..drawing.words import title
from ..errors import MinigraphError, NodeTypeError, SettingError
from ..nn import Module, Optimizer
from ..reading import Reading
from ..reading.measures import Measure
from ..reading.text import number
from ..reading.words import counted
from .bench_settings import (
    ACTIVATIONS,
    FEATURES,
    NOISE,
    OPTIMIZERS,
    OWN,
    Settings,
    split_settings,
)
from .bench_still import still
from .bench_training import MOST_STEPS, SIDE, SMALL, Making, Training
from .heat import halos, with_heat
from .lifetime import Released
from .page import module, style
from .player import Player
from .stage import stage_svg

_RATES = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_OF_OPTIMIZER = ("optimizer", "learning_rate", "weight_decay")
_OF_MODEL = ("hidden", "activation", "dropout")
_PATIENCE = 0.2  # seconds, after which pictures are sent that are taken while training runs
SHOWN = ("weights", "gradients", "graph", "code")


class BenchBoard(Released, anywidget.AnyWidget):
    """The card of a training bench, in the browser.

    Attributes:
        settings: where the controls stand.
        view: what stays until a setting changes: the controls, the points, the network's size.
        frame: what a step changes, and what is said of it.
    """

    _esm = module("bench")
    _css = style("bench")
    settings = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)


class TrainingBench(Released, widgets.VBox):
    """A network that learns, step by step: its points, its settings, its graph, its gradients.

    Attributes:
        settings: the `Settings` that hold now.
        model, optimizer: what learns, and how.
        losses: the loss of the batch of each step taken so far.
        player: of the step that was played last; None before.
    """

    def __init__(
        self,
        *,
        steps: int = 0,
        model: Module | None = None,
        optimizer: str | Optimizer | Making | None = None,
        **settings: Any,
    ) -> None:
        """Make a bench, and train for some steps.

        Args:
            steps: how many to take before it is shown.
            model: a network of your own, from the features to two numbers a point, instead of one
                with `hidden` layers.
            optimizer: "SGD", "momentum", "Adam" or "AdamW"; or your own, an `nn.Optimizer` of your
                model's parameters or a function that makes one of parameters.
            settings: those of `Settings`: data, which may be your own points as rows (x, y, class),
                points, noise, features, hidden, activation, learning_rate, weight_decay, l1,
                dropout, batch_size, seed.

        Raises:
            SettingError: if a setting is unknown, out of its range, or one of the others replaces
                it.
            NodeTypeError, ShapeError: if the model or the optimizer does not fit.
        """
        self._model, self._optimizer = model, None
        given = split_settings(settings)
        start = Settings()
        if model is not None:
            if not isinstance(model, Module):
                raise NodeTypeError(f"a model is an nn.Module, not {model!r:.40}")
            _refuse(given, _OF_MODEL, "the model is your own and has its own")
            start = Settings(activation=None)
        if optimizer is not None and not isinstance(optimizer, str):
            self._optimizer = self._checked(optimizer)
            _refuse(given, ("learning_rate", "weight_decay"), "your own optimizer has its own")
            start = Settings(activation=start.activation, optimizer=None)
        elif optimizer is not None:
            given["optimizer"] = optimizer
        self.settings = start.changed(**{"data": "moons"} | given)
        self._training = Training(self.settings, model, self._optimizer)
        self._training.go(steps) if steps else None
        self.board = BenchBoard()
        self.player: Player | None = None
        self._shown, self._serial, self._problem = SHOWN[0], "", ""
        self._film: list[dict[str, Any]] = []  # pictures of the steps before the one that is shown
        self._sent: Training | None = None  # whose settings the browser has
        super().__init__([self.board])
        self._send()
        self.board.on_msg(self._told)

    def _checked(self, optimizer: Any) -> Any:
        if isinstance(optimizer, Optimizer) and self._model is None:
            raise SettingError(
                "an optimizer belongs to the parameters of a model; give the model as well, or a "
                "function such as lambda parameters: nn.SGD(parameters, 0.1)"
            )
        if not callable(optimizer) and not isinstance(optimizer, Optimizer):
            raise NodeTypeError(
                "an optimizer is one of "
                f"{', '.join(OPTIMIZERS)}, an nn.Optimizer, or a function of parameters, not "
                f"{optimizer!r:.40}"
            )
        return optimizer

    # --- what it knows ----------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """How many steps have been taken at the place that is shown."""
        return self._training.step

    @property
    def model(self) -> Module:
        """The network, with its weights at this step."""
        return self._training.model

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of its weights."""
        return self._training.optimizer

    @property
    def losses(self) -> list[float]:
        """The loss of the batch of each step, before the step."""
        return [*self._training.losses]

    @property
    def loss(self) -> Node:
        """The loss of the next batch, with its graph and its gradients at this step."""
        return self._training.loss()

    @property
    def drawing(self) -> Drawing:
        """The graph of this step, with its gradients."""
        return draw(self.loss)

    @property
    def code(self) -> str:
        """A program in plain minigraph that does the same, with the call of this bench above it."""
        return f"# The bench itself: {self.call}\n{self.settings.code(self._training.known)}"

    @property
    def call(self) -> str:
        """The call that makes this bench again, as far as it stands."""
        own = {"model": "model"} if self._model else {}
        own |= {"optimizer": "optimizer"} if self._optimizer else {}
        steps = {"steps": str(self.step)} if self.step else {}
        return self.settings.call(**own, **steps)

    # --- what it does -----------------------------------------------------------------------------

    def go(self, step: int) -> None:
        """Go to a step: one that was recorded, or further on.

        Raises:
            SettingError: if it is out of reach, or there are no points.
        """
        self._training.go(step)
        self._send()

    def change(self, **settings: Any) -> None:
        """Change settings, and begin anew.

        Raises:
            SettingError, NodeTypeError: as when a bench is made; then nothing changes.
        """
        self._change(settings)
        self._send()

    def reset(self) -> None:
        """Begin anew with the same settings."""
        self._begin(self.settings)
        self._send()

    def _change(self, settings: dict[str, Any]) -> None:
        given = split_settings(settings)
        if self._model:
            _refuse(given, _OF_MODEL, "the model is your own and has its own")
        if self._optimizer:
            _refuse(given, _OF_OPTIMIZER, "your own optimizer has its own")
        self._begin(self.settings.changed(**given))

    def _begin(self, settings: Settings) -> None:
        """Begin with settings; the learner's own model and optimizer as they were at first."""
        before, step = self._training, self.step
        if before.known:
            before.go(0)
        try:
            self._training = Training(settings, self._model, self._optimizer)
        except Exception:
            if step:
                before.go(step)
            raise
        self.settings = settings

    def play(self) -> Player:
        """Show a player of exactly this step, the next batch forward and backward, below.

        Raises:
            SettingError: if there are no points.
        """
        self.player = Player(self.loss)
        self.children = [self.board, self.player]
        return self.player

    # --- to the browser and from it ---------------------------------------------------------------

    def _told(self, _: Any, content: Any, buffers: Any) -> None:
        """Do what the browser asks for, and answer, whatever comes of it."""
        self._serial, self._problem = str(content.get("serial", "")), ""
        self._shown = content.get("show", self._shown)
        try:
            self._do(content)
        except Exception as error:  # a setting that does not fit, or a model that stops
            known = isinstance(error, MinigraphError)
            self._problem = str(error) if known else f"{type(error).__name__}: {error}"
        self._send()

    def _do(self, content: Any) -> None:
        match content:
            case {"cut": {"step": step, "known": known}}:
                self._training.cut(step, known)
        match content:
            case {"kind": "go", "step": step}:
                self._training.go(min(step, MOST_STEPS))
            case {"kind": "run", "by": by, "pictures": pictures}:
                self._run(by, pictures)
            case {"kind": "change", "settings": settings}:
                self._change(settings)
            case {"kind": "reset"}:
                self._begin(self.settings)
            case {"kind": "play"}:
                self.play()

    def _run(self, by: int, pictures: int) -> None:
        """Go on by some steps for each picture, until there are enough or they take too long."""
        end = perf_counter() + _PATIENCE
        while True:
            self._training.go(min(self.step + by, MOST_STEPS))
            is_last = self.step == MOST_STEPS or not self._is_finite
            if is_last or len(self._film) + 1 >= pictures or perf_counter() > end:
                return
            self._film.append(self._picture())

    def _send(self) -> None:
        """Send what the browser has not got yet."""
        with self.board.hold_sync():
            if self._sent is not self._training:
                self._sent = self._training
                self.board.settings = asdict(self.settings)
                self.board.view = self._view()
            self.board.frame = self._frame()
        self._film = []

    def _view(self) -> dict[str, Any]:
        """What stays until a setting changes."""
        training = self._training
        parts = [(part, i) for i, part in enumerate((training.train, training.test)) if part]
        points = [
            [round(float(x), 3), round(float(y), 3), int(label), kept]
            for part, kept in parts
            for (x, y), label in zip(part.x, part.y)
        ]
        linears = training.linears
        sizes = [layer.in_features for layer in linears[:1]]
        sizes += [layer.out_features for layer in linears]
        return {
            "controls": _controls(self.settings),
            "features": [*FEATURES],
            "points": points,
            "extent": training.extent(),
            "sizes": sizes,
            "biases": [layer.bias is not None for layer in linears],
            "side": SIDE,
            "small": SMALL,
            "most": MOST_STEPS,
            "isOwn": self.settings.data == OWN,
        }

    def _frame(self) -> dict[str, Any]:
        """What there is at this step, and on the way to it."""
        training = self._training
        return self._picture() | {
            "serial": self._serial,
            "isRefused": bool(self._problem),
            "curve": _packed([np.array(training.curve())], np.float32) if training.train else "",
            "film": self._film,
        }

    def _picture(self) -> dict[str, Any]:
        """What a step changes, and what is said of it."""
        training = self._training
        made: dict[str, Any] = {
            "step": training.step,
            "known": training.known,
            "say": self._problem or self.sentence,
            "isProblem": bool(self._problem) or not self._is_finite,
            "sure": _packed([training.sure() * 255], np.uint8),
            "units": _packed([127.5 * (1 + u.T.ravel()) for u in training.units()], np.uint8),
            "weights": _packed(self._numbers(lambda p: p.value), np.float32),
            "show": self._shown,
        }
        if training.train and self._shown in ("gradients", "graph"):
            loss = training.loss()
            made["gradients"] = _packed(self._numbers(lambda p: p.grad), np.float32)
            if self._shown == "graph":
                made["graph"] = _heated(loss)
        if self._shown == "code":
            made["code"] = self.code
        return made

    def _numbers(self, read: Callable[[Node], Any]) -> list[np.ndarray]:
        """Numbers of the layers that are drawn: weights row by row, then biases."""
        return [
            np.zeros(p.shape) if read(p) is None else np.asarray(read(p))
            for layer in self._training.linears
            for p in (layer.weight, layer.bias)
            if p is not None
        ]

    @property
    def _is_finite(self) -> bool:
        training = self._training
        return not training.train or bool(np.isfinite(training.measured()[0]))

    @property
    def sentence(self) -> str:
        """What there is to say of this step."""
        training = self._training
        if not training.train:
            return (
                "Draw points: click into the plane, or move the cross with the arrow keys and "
                "press Enter."
            )
        loss, test_loss = training.measured()
        steps, epochs = counted(training.step, "step"), counted(training.epoch, "epoch")
        when = f"After {steps}, {epochs}" if training.step else "Before the first step"
        if not np.isfinite(loss):
            return (
                f"{when}: the loss is no finite number any longer. The steps were too large; take "
                "a smaller learning rate."
            )
        many, (right, test_right) = counted(len(training.train), "training point"), training.right()
        told = f"{when}: loss {_short(loss)} on {many}, {right:.0%} right"
        if training.test:
            test = counted(len(training.test), "test point")
            told += f"; {_short(test_loss)} on {test}, {test_right:.0%} right"
        return told + "." + f" Steps are not compiled: {training.reason}." * bool(training.reason)

    # --- the face without a page that runs it -----------------------------------------------------

    @property
    def html(self) -> str:
        """The plane, the losses and the network at this step, as a picture."""
        return still(self._training, self.sentence)

    def __repr__(self) -> str:
        return f"{self.call}\n{self.sentence}"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = super()._repr_mimebundle_(**options)
        data["text/html"], data["text/plain"] = self.html, repr(self)
        return data


def _refuse(given: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if name in given:
            raise SettingError(f"{name} cannot be set: {why}")


def _short(loss: float) -> str:
    return number(float(f"{loss:.3g}"))


def _packed(numbers: Any, dtype: Any) -> str:
    """Numbers as a text that the browser reads into an array of their kind."""
    parts = [np.asarray(part).ravel() for part in numbers]
    together = np.concatenate(parts) if parts else np.zeros(0)
    with np.errstate(all="ignore"):  # what is too large is infinite
        return base64.b64encode(together.astype(dtype).tobytes()).decode()


def _heated(loss: Node) -> dict[str, Any]:
    """The drawing of a graph, with a halo around each box: how large its gradient is."""
    order = topological_order(loss)
    made = picture(diagram(Reading([loss], order=order), gradients=True), "right")
    sizes = {}
    for placed in made.boxes:
        node = order[int(placed.box.id[1:])] if placed.box.kind != "module" else None
        if node is not None and node.grad is not None:
            sizes[placed.box.id] = Measure(node.grad).size
    svg = with_heat(stage_svg(made), halos(made, sizes, "gradient"))
    return {"svg": svg, "title": title(made.diagram), "places": {}}


def _controls(settings: Settings) -> list[dict[str, Any]]:
    """What can be chosen, by menus with [value, text] and by fields without."""
    is_own = settings.data == OWN
    sizes = [size for size in (1, 5, 10, 30, 100) if size <= settings.examples]
    menus: list[tuple[str, str, list[tuple[Any, str]] | None]] = [
        ("data", "Data", [(name, name) for name in [*NOISE, OWN]]),
        ("points", "Points", [(n, str(n)) for n in (20, 50, 100, 200, 400, 1000)]),
        ("noise", "Noise", [(n, f"{n:g}") for n in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)]),
        ("batch_size", "Batch", [*((n, str(n)) for n in sizes), (None, "all")]),
        ("hidden", "Hidden layers", None),
        ("activation", "Activation", [(name, name) for name in ACTIVATIONS]),
        ("optimizer", "Optimizer", [(name, name) for name in OPTIMIZERS]),
        ("learning_rate", "Learning rate", [(rate, f"{rate:g}") for rate in _RATES]),
        ("weight_decay", "Weight decay", [(d, f"{d:g}") for d in (0.0, 0.001, 0.01, 0.1, 1.0)]),
        ("l1", "L1", [(d, f"{d:g}") for d in (0.0, 0.0001, 0.001, 0.003, 0.01, 0.03)]),
        ("dropout", "Dropout", [(p, f"{p:g}") for p in (0.0, 0.1, 0.2, 0.3, 0.5)]),
        ("seed", "Seed", None),
    ]
    made = []
    for name, label, options in menus:
        value = getattr(settings, name)
        is_off = (
            (is_own and name in ("points", "noise"))
            or (settings.activation is None and name in _OF_MODEL)
            or (settings.optimizer is None and name in _OF_OPTIMIZER)
        )
        if is_off:
            options = [(value, "–" if is_own and name in ("points", "noise") else "your own")]
        elif options and value not in [known for known, _ in options]:
            options = [*options, (value, str(value))]
        made.append({"name": name, "label": label, "options": options, "isOff": is_off})
    return made


training_bench = TrainingBench
