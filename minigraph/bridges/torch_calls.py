"""A call of a PyTorch function as an operation: run again for its values and its derivatives.

The rules of such an operation are PyTorch's: they run the function on copies of its inputs, and ask
`torch.autograd` what a gradient of the result contributes to each of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.node import NO_ATTRS, Node
from ..core.operation import OPERATIONS, EachInput, Operation
from ..errors import GradientError
from ..errors.shapes import broadcast_shape
from .torch_dtypes import SHARED

# What minigraph has too, by PyTorch's names without underscores.
_OURS = {
    "sub": "subtract", "mul": "multiply", "div": "divide", "truediv": "divide", "pow": "power",
    "neg": "negative", "abs": "absolute", "eq": "equal", "ne": "not_equal", "gt": "greater",
    "ge": "greater_equal", "lt": "less", "le": "less_equal", "mm": "matmul", "bmm": "matmul",
    "t": "transpose", "T": "transpose", "permute": "transpose", "mT": "matrix_transpose",
    "view": "reshape", "cat": "concatenate", "expand": "broadcast_to", "to": "astype",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "round": "rint", "amax": "max",
    "amin": "min", "iadd": "add", "isub": "subtract", "imul": "multiply", "itruediv": "divide",
    "ipow": "power", "radd": "add", "rmul": "multiply", "rsub": "subtract", "rpow": "power",
    "subtract": "subtract", "multiply": "multiply", "divide": "divide", "negative": "negative",
    "absolute": "absolute", "rmatmul": "matmul", "imatmul": "matmul",
}  # fmt: skip
_SWAPPED = {"rsub", "rpow", "rmatmul"}
_ATTRIBUTES = {"data", "T", "mT", "H", "mH", "real", "imag"}  # of a tensor, that are tensors of it
_LET_BE = {
    "backward", "grad", "register_hook", "retain_grad", "register_post_accumulate_grad_hook",
    "__repr__", "__format__", "__deepcopy__", "__reduce_ex__", "__dlpack__", "__array__", "storage",
}  # fmt: skip
_RANDOM = re.compile(
    "drop|rand|normal|bernoulli|multinomial|poisson|binomial|rrelu|lstm|gru|rnn|attention|gumbel"
    "|uniform|exponential|cauchy|geometric|gamma|dirichlet|fractional"
)
WITHOUT_TWIN = dict.fromkeys(  # NumPy has none like them; what they are shown in
    (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2), torch.float32
)


@dataclass(frozen=True)
class Place:
    """Stands, among the arguments of a call, for one of its inputs."""

    number: int


class Kind:
    """What is known of a PyTorch function before it is called.

    Attributes:
        function: what is called.
        name, symbol: minigraph's, where the operation is the same.
        ours: minigraph's elementwise operation, which has formulas for its derivatives.
        is_let_be: whether it makes nothing that is to be shown, as the size of a tensor.
        body: the function as one whose inner calls are seen; None for what is written in C.
        folds: whether its inner calls are one box.
    """

    def __init__(self, function: Callable[..., Any], name: str = "") -> None:
        self.function = function
        is_attribute = getattr(function, "__name__", "") == "__get__"
        owner = getattr(function, "__self__", None) if is_attribute else function
        name = name or getattr(owner, "__name__", "") or type(function).__name__
        stem = name.strip("_") or name
        ours = OPERATIONS.get(_OURS.get(stem, stem))
        self.name, self.symbol = (ours.name, ours.symbol) if ours else (stem, stem)
        self.ours = ours if ours and ours.partials and ours.name not in _SPLIT_TIES else None
        self.is_let_be = name not in _ATTRIBUTES if is_attribute else name in _LET_BE
        self.is_let_be |= getattr(function, "__name__", "") in ("__set__", "__delete__")
        self.is_let_be |= stem.endswith("_like") or stem.startswith("new_")  # a leaf
        self.is_swapped = stem in _SWAPPED
        self.is_random = bool(_RANDOM.search(stem))
        self.changes = (name.endswith("_") and not name.endswith("__")) or (
            name == "__setitem__" or re.fullmatch("__i[a-z]+__", name) is not None
        )
        self.body = None if self.is_let_be else _seen_through(function)
        self.folds = not name.startswith("__") and getattr(function, "__module__", "") in (
            "torch.nn.functional",
            "torch.functional",
        )


_SPLIT_TIES = {"maximum", "minimum"}  # where both are equal PyTorch gives each a half


def _seen_through(function: Any) -> Callable[..., Any] | None:
    """A PyTorch function that is written in Python, without its question who overrides it."""
    code = getattr(function, "__code__", None)
    if code is None or not any(name.startswith("has_torch_function") for name in code.co_names):
        return None
    known = function.__globals__
    answers = {name: _nobody for name in known if name.startswith("has_torch_function")}
    body = FunctionType(
        code, known | answers, function.__name__, function.__defaults__, function.__closure__
    )
    body.__kwdefaults__ = function.__kwdefaults__
    return body


def _nobody(*args: Any) -> bool:
    return False


def tensors_in(x: Any) -> Iterator[Tensor]:
    """The tensors in what a function takes or gives."""
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, tuple | list):
        for item in x:
            yield from tensors_in(item)
    elif type(x) is dict:
        yield from tensors_in([*x.values()])


def with_places(x: Any, inputs: list[Any]) -> Any:
    """Arguments with Places for the tensors in them, which are added to the inputs."""

    def place(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        inputs.append(x)
        return Place(len(inputs) - 1)

    return _mapped(x, place)


def _filled(x: Any, inputs: Sequence[Any]) -> Any:
    """Arguments with inputs in their Places."""
    return _mapped(x, lambda x: inputs[x.number] if type(x) is Place else x)


def _mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """Arguments, with everything changed that is no container of others."""
    kind = type(x)
    if kind in (tuple, list):
        return kind(_mapped(item, change) for item in x)
    if kind is dict:
        return {key: _mapped(item, change) for key, item in x.items()}
    if kind is slice:
        return slice(*(_mapped(item, change) for item in (x.start, x.stop, x.step)))
    return change(x)


@dataclass(slots=True)
class Call:
    """One call, with what is needed to run it again.

    Attributes:
        kind: of function.
        args, options: its arguments, with Places for inputs.
        inputs: what stood there: copies of tensors, and numbers.
        nodes: their Nodes.
        followed: for each input whether it has a gradient.
        changed: the inputs that the call changes in place.
        before: how the random numbers stood.
        settings: what surrounded it: automatic mixed precision.
        values: those of the Nodes when it was made.
    """

    kind: Kind
    args: tuple[Any, ...]
    options: dict[str, Any]
    inputs: list[Any]
    nodes: tuple[Node, ...]
    followed: list[bool]
    changed: list[int]
    before: dict[Any, Tensor]
    settings: tuple[str, torch.dtype] | None
    values: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.values = [node._value for node in self.nodes]  # that of a leaf may be set anew

    def __repr__(self) -> str:
        names = (f"x{i}" for i in range(1, len(self.nodes) + 1))
        return _written(self.kind.name, self.args, self.options, [*names])

    def operation(self, which: int, out: Tensor, saved: Any) -> Operation:
        """The operation that gives one of the call's results."""
        result = Result(self, which, saved, tuple(out.shape))
        slots = range(len(self.nodes))
        ours = self.kind.ours if len(slots) == len(self.args) and not self.options else None
        if ours and len(ours.parameters) != len(slots):
            ours = None
        result.is_elementwise = ours is not None
        return Operation(
            self.kind.name,
            self.kind.symbol,
            ours.parameters if ours else tuple(f"x{i + 1}" for i in slots),
            result.forward,
            EachInput(result.pulled_back),
            result.pushed,
            result.shape_of,
            ours.partials if ours else (),
        )

    @property
    def attrs(self) -> dict[str, Any]:
        """The settings of its Node: how it was called."""
        is_plain = len(self.args) == len(self.nodes) and not self.options
        return NO_ATTRS if is_plain else {"call": self}

    def run(self, values: Sequence[Any], stretched: Any = None) -> tuple[list[Any], Any]:
        """Run it again; give its inputs, where those followed are leaves, and its results.

        With a shape, the inputs that are followed are stretched to it.
        """
        leaves: list[Any] = []
        given: list[Any] = []
        for slot, held in enumerate(self.inputs):
            is_known = _is_that(values[slot], self.values[slot])
            if not isinstance(held, Tensor):
                x: Any = held if is_known else values[slot].item()
            elif is_known:
                x = held.detach()
            else:
                x = as_tensor(values[slot], held)
            if isinstance(held, Tensor):
                if self.followed[slot]:
                    if stretched is not None and x.shape != stretched:
                        x = x.expand(stretched)
                    x.requires_grad_()
                else:
                    x = x.clone()  # a function may change it, as batch_norm does its statistics
            leaves.append(x)
            given.append(x.clone() if slot in self.changed else x)
        out = self.kind.function(*_filled(self.args, given), **_filled(self.options, given))
        results = [t for t in tensors_in(out) if not any(t is x for x in given)]
        return leaves, results + [given[slot] for slot in self.changed]

    def _device(self) -> str:
        return next(x.device.type for x in self.inputs if isinstance(x, Tensor))

    @contextmanager
    def repeated(self, derive: bool) -> Iterator[None]:
        """Surroundings like those of the first time, in which nobody watches."""
        with ExitStack() as stack:
            stack.enter_context(torch._C.DisableTorchFunction())
            stack.enter_context(torch.set_grad_enabled(derive))
            if torch.is_inference_mode_enabled():
                stack.enter_context(torch.inference_mode(False))
            if self.before:
                stack.enter_context(_random_as(self.before))
            if self.settings:
                stack.enter_context(torch.autocast(self.settings[0], self.settings[1]))
            elif torch.is_autocast_enabled(device := self._device()):
                stack.enter_context(torch.autocast(device, enabled=False))
            yield


class Result:
    """One of the results of a call."""

    __slots__ = ("_latest", "call", "is_elementwise", "saved", "shape", "which")

    def __init__(self, call: Call, which: int, saved: Any, shape: tuple[int, ...]) -> None:
        self.call, self.which, self.saved, self.shape = call, which, saved, shape
        self.is_elementwise = False
        self._latest: tuple[Any, Any, dict[int, Any]] | None = None

    def shape_of(self, *shapes: Any, **attrs: Any) -> tuple[int, ...]:
        """The shape of the result, which is known for inputs of the same shapes."""
        if [*shapes] == [x.shape for x in self.call.nodes]:
            return self.shape
        if self.is_elementwise:
            return broadcast_shape(*shapes)
        raise ValueError("its shape is known for the shapes that were watched only")

    def forward(self, *values: Any, **attrs: Any) -> Any:
        """Run the function on other values."""
        with self.call.repeated(derive=False):
            return as_array(self.call.run(values)[1][self.which])

    def pulled_back(self, slot: int, g: Any, out: Any, inputs: Any, **attrs: Any) -> Any:
        """What g contributes to the gradient of an input."""
        self._refuse_nodes(g, *inputs)
        latest = self._latest
        if latest is None or latest[0] is not g or latest[1] is not inputs:
            with self.call.repeated(derive=True):
                latest = self._latest = g, inputs, self._contributions(g, inputs)
        contributions = latest[2]
        if slot == max(contributions, default=slot):
            self._latest = None  # what is asked for once need not stay
        return contributions[slot] if slot in contributions else np.zeros_like(inputs[slot])

    def _contributions(self, g: Any, inputs: Any) -> dict[int, Any]:
        leaves, y = self._repeat(inputs)
        followed = [slot for slot, is_followed in enumerate(self.call.followed) if is_followed]
        if not y.requires_grad:
            return {}
        wanted = [leaves[slot] for slot in followed]
        try:
            found = _pulled_back(y, as_tensor(g, y), wanted)
        except RuntimeError as error:  # it says what it lacks
            raise GradientError(
                f"PyTorch does not differentiate {self.call.kind.name} here: {error}"
            ) from None
        return {
            slot: np.zeros_like(inputs[slot]) if c is None else as_array(c)
            for slot, c in zip(followed, found)
        }

    def pushed(self, tangents: Sequence[Any], out: Any, inputs: Any, attrs: Any) -> Any:
        """What changes of inputs make of the result: the transpose of what g contributes."""
        self._refuse_nodes(*inputs, *(dx for dx in tangents if dx is not None))
        slots = [i for i, dx in enumerate(tangents) if dx is not None and self.call.followed[i]]
        with self.call.repeated(derive=True):
            leaves, y = self._repeat(inputs)
            change = torch.zeros_like(y)
            if y.requires_grad:
                g = torch.zeros_like(y, requires_grad=True)
                wanted = [leaves[slot] for slot in slots]
                found = _pulled_back(y, g, wanted, create_graph=True)
                for slot, c in zip(slots, found):
                    if c is not None and c.requires_grad:
                        dx = as_tensor(tangents[slot], leaves[slot]).expand(c.shape)
                        change = change + _pulled_back(c, dx, [g], retain_graph=True)[0]
            return as_array(change.detach())

    def _repeat(self, inputs: Any) -> tuple[list[Any], Tensor]:
        """Run the call for derivatives; refuse one that gives something else this time."""
        leaves, results = self.call.run(inputs, self.shape if self.is_elementwise else None)
        y = results[self.which] if self.which < len(results) else None
        as_before = all(map(_is_that, inputs, self.call.values))
        if y is None or (as_before and not _is_alike(y, self.saved, inputs)):
            raise GradientError(
                f"{self.call.kind.name} gives something else when it is run again with the same "
                "numbers, so its derivatives cannot be shown: does it keep or count something, or "
                "has a random generator of its own?"
            )
        return leaves, y

    def _refuse_nodes(self, *values: Any) -> None:
        if any(isinstance(x, Node) for x in values):
            raise GradientError(
                f"the derivatives of {self.call.kind.name} are PyTorch's, which are numbers and no "
                "Nodes: use backward() or mg.record; for second derivatives write it with minigraph"
            )


def _pulled_back(y: Tensor, g: Tensor, wanted: Any, **options: bool) -> tuple[Tensor | None, ...]:
    """What g, the gradient of y, contributes to what is wanted.

    The derivative of the sum of y · g by y is g to the last bit. Given g as it is, PyTorch imports
    a system for symbolic algebra, which takes seconds.
    """
    return torch.autograd.grad((y * g).sum(), wanted, allow_unused=True, **options)


# --- values ---------------------------------------------------------------------------------------


def as_array(x: Tensor) -> Any:
    """A tensor as NumPy has it; it shares memory where it can."""
    x = x.detach()
    if x.dtype in WITHOUT_TWIN:
        x = x.to(WITHOUT_TWIN[x.dtype])
    return x.cpu().numpy()[()]


def as_tensor(value: Any, like: Tensor) -> Tensor:
    """A NumPy value as a tensor of the dtype and on the device of another."""
    return torch.from_numpy(np.array(value)).to(like.device, like.dtype)


def _is_that(x: Any, value: Any) -> bool:
    """Whether an array is that of a Node, or a view of all of it, as `node.value` is."""
    if x is value or type(x) is not np.ndarray or type(value) is not np.ndarray:
        return x is value
    place, other = (a.__array_interface__ for a in (x, value))
    return all(place[key] == other[key] for key in ("data", "shape", "strides", "typestr"))


def is_same(x: Tensor, y: Tensor) -> bool:
    """Whether two tensors hold the same; NaN is the same as NaN."""
    if torch.equal(x, y):
        return True
    both = x.shape == y.shape and x.dtype == y.dtype and x.dtype.is_floating_point
    return (
        both and torch.equal(x.isnan(), y.isnan()) and torch.equal(x.nan_to_num(), y.nan_to_num())
    )


def _is_alike(y: Tensor, saved: Tensor, inputs: Sequence[Any]) -> bool:
    """Whether two results of a call on the same numbers are the same, but for rounding.

    Copies of inputs may lie in memory in another way, so that a sum has another order.
    """
    if is_same(y, saved):
        return True
    if y.shape != saved.shape or y.dtype != saved.dtype or not y.dtype.is_floating_point:
        return False
    sizes = [np.abs(x[np.isfinite(x)]) for x in map(np.asarray, (*inputs, as_array(saved)))]
    most = max(float(np.max(size, initial=0.0)) for size in sizes)
    near = 16 * torch.finfo(y.dtype).eps
    return torch.allclose(y.detach().double(), saved.double(), near, near * most, equal_nan=True)


def unfit(t: Tensor) -> str:
    """Why a Node cannot hold a tensor, and what would do; "" if it can."""
    if torch._C._functorch.is_functorch_wrapped_tensor(t):
        return "inside a torch.func transform, where it has no numbers; call the function as it is"
    if t.device.type == "meta":
        return 'on the device "meta", where it has no numbers; make it with device="cpu"'
    if t.is_nested:
        return "a nested tensor; a Node holds one array: take .to_padded_tensor(0) of it"
    if t.layout is not torch.strided:
        return f"{t.layout}; a Node holds a dense array: take .to_dense() of it"
    if t.is_quantized:
        return f"quantized, {t.dtype}; a Node holds real numbers: take .dequantize() of it"
    if t.dtype.is_complex:
        return f"{t.dtype}; a Node holds real numbers: torch.view_as_real outside, or .real"
    if t.dtype not in SHARED and t.dtype not in WITHOUT_TWIN:
        return f"{t.dtype}, which NumPy does not have; take .float() of it"
    return ""


# --- surroundings ---------------------------------------------------------------------------------


def random_states(tensors: Sequence[Tensor], options: dict[str, Any]) -> dict[Any, Tensor]:
    """How the random generators stand that a function may use."""
    states: dict[Any, Tensor] = {"cpu": torch.get_rng_state()}
    for device in {t.device for t in tensors if t.device.type not in ("cpu", "meta")}:
        states[device] = torch.get_device_module(device).get_rng_state(device)
    if isinstance(generator := options.get("generator"), torch.Generator):
        states[generator] = generator.get_state()
    return states


@contextmanager
def _random_as(states: dict[Any, Tensor]) -> Iterator[None]:
    """Let the random generators stand as they did; afterwards, as they do now."""
    now = {which: _state(which) for which in states}
    try:
        for which, state in states.items():
            _state(which, state)
        yield
    finally:
        for which, state in now.items():
            _state(which, state)


def _state(which: Any, new: Tensor | None = None) -> Tensor:
    """Read, or set, how a random generator stands."""
    if isinstance(which, torch.Generator):
        return which.get_state() if new is None else which.set_state(new).get_state()
    if which == "cpu":
        if new is not None:
            torch.set_rng_state(new)
        return torch.get_rng_state()
    module = torch.get_device_module(which)
    if new is not None:
        module.set_rng_state(new, which)
    return module.get_rng_state(which)


def mixed_precision(x: Tensor) -> tuple[str, torch.dtype] | None:
    """The automatic mixed precision that surrounds a call with this input."""
    device = x.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):
        return None
    return device, torch.get_autocast_dtype(device)


def _written(name: str, args: Any, options: Any, inputs: Sequence[str]) -> str:
    """A call as it is written."""

    def text(x: Any) -> str:
        if type(x) is Place:
            return inputs[x.number]
        if type(x) in (tuple, list):
            return f"({', '.join(map(text, x))})"
        return repr(x)

    shown = [text(x) for x in args] + [f"{key}={text(x)}" for key, x in options.items()]
    return f"{name}({', '.join(shown)})"
