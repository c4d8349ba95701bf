"""How a PyTorch program is watched: which Node each tensor is, at each moment.

PyTorch tells a `TorchFunctionMode` of each function that is called on this thread, above autograd.
A tensor that is not known yet becomes a leaf when it is first used, and what a function makes
becomes a Node of an operation. A tensor that has been changed is no longer the same Node.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock, get_ident
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import (
    TorchFunctionMode,
    _get_current_function_mode_stack,
    _pop_mode,
    _push_mode,
)

from ..core.applying import operand
from ..core.node import NO_ATTRS, Node, copied, frozen, leaf, new_seq, recorded, surroundings
from ..core.operation import Operation
from ..core.order import topological_order
from ..errors import GradientError, NodeTypeError
from ..errors.values import checked_name
from ..errors.words import printable
from ..graph.watched import Watched
from .torch_calls import (
    WITHOUT_TWIN,
    Call,
    Kind,
    Place,
    as_array,
    as_tensor,
    is_same,
    mixed_precision,
    random_states,
    tensors_in,
    unfit,
    with_places,
)

_KINDS: dict[Any, Kind] = {}


def opened(model: Any, tensors: dict[str, Any]) -> Generator[Program, None, None]:
    """Watch until the generator is closed; it gives what has been seen."""
    if model is not None and not isinstance(model, Module):
        raise NodeTypeError(
            f"watch takes a torch.nn.Module, not {type(model).__name__} {model!r:.40}"
        )
    for name, x in tensors.items():
        if not isinstance(x, Tensor):
            raise NodeTypeError(f"{name} is to be a tensor, not {type(x).__name__} {x!r:.40}")
    program = Program(model, tensors)
    mode = _Mode(program)
    hooks: list[Any] = []
    try:
        hooks.append(register_module_forward_pre_hook(program.modules.entered))
        hooks.append(register_module_forward_hook(program.modules.left, always_call=True))
        _APPLIES.begin()
        hooks.append(_APPLIES)
        _push_mode(mode)
        yield program
    finally:
        program.is_over = True  # for a thread that this may not be
        _take_away(mode)
        for hook in hooks:
            hook.remove()


def _take_away(mode: TorchFunctionMode) -> None:
    """Take a mode from among those of this thread, wherever it stands."""
    others = []
    while mode in _get_current_function_mode_stack():
        if (top := _pop_mode()) is mode:
            break
        others.append(top)
    for other in reversed(others):
        _push_mode(other)


class _Mode(TorchFunctionMode):
    """What PyTorch asks instead of running a function."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function, and show it to the program."""
        program, options = self.program, kwargs or {}
        if program.is_over or program.is_paused:
            return function(*args, **options)
        kind = _KINDS.get(function) or _KINDS.setdefault(function, Kind(function))
        if kind.is_let_be:
            return function(*args, **options)
        if kind.body and not (program.running and program.running[-1] is function):
            return program.composed(self, kind, args, options)
        return program.called(kind, args, options)


class _Applies:
    """`torch.autograd.Function.apply`, of which PyTorch does not tell, as one call."""

    def __init__(self) -> None:
        self._lock, self._blocks = Lock(), 0
        self._original: Any = None

    def begin(self) -> None:
        """Watch it, if nobody does yet."""
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self._original = torch.autograd.Function.__dict__["apply"]
                torch.autograd.Function.apply = classmethod(self._applied)

    def remove(self) -> None:
        """End one watch."""
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                torch.autograd.Function.apply = self._original

    def _applied(self, function: Any, *args: Any, **options: Any) -> Any:
        apply = self._original.__get__(None, function)
        run: Callable[..., Any] = apply
        for mode in _get_current_function_mode_stack():
            if isinstance(mode, _Mode) and not mode.program.is_over and not mode.program.is_paused:
                run = partial(mode.program.applied, function.__name__, apply, run)
        return run(*args, **options)


_APPLIES = _Applies()


class Modules:
    """Where the program is: in which modules, which become scopes."""

    def __init__(self, program: Program, model: Module | None) -> None:
        self._program = program
        self._thread = get_ident()
        self.names: dict[int, str] = {}  # of parameters and buffers, by their ids
        self._known: dict[int, tuple[str, str]] = {}  # by ids: the root's title, the name within
        self._roots: list[Module] = []  # so that no id is used twice
        self._inside: list[tuple[Module, str, str]] = []  # module, name, path
        self.times = Counter[str]()
        if model is not None:
            self._learn(model, "")

    @property
    def path(self) -> str:
        """The path of the scope that a Node made now lies in."""
        outer = surroundings.get()[0]
        path = self._inside[-1][2] if self._inside else ""
        return f"{outer}/{path}" if outer and path else outer or path

    def _learn(self, root: Module, title: str) -> None:
        self._roots.append(root)
        for name, module in root.named_modules():
            self._known.setdefault(id(module), (title, name))
        for name, x in [*root.named_parameters(), *root.named_buffers()]:
            self.names.setdefault(id(x), printable(name))

    def entered(self, module: Module, args: Any) -> None:
        """A module begins to run."""
        if self._program.is_over or get_ident() != self._thread:
            return
        if id(module) not in self._known:
            self._learn(module, type(module).__name__)
        title, name = self._known[id(module)]
        around, outer = self._inside[-1][1:] if self._inside else ("", "")
        is_within = bool(self._inside) and (not around or name.startswith(f"{around}."))
        step = name.removeprefix(f"{around}.") if is_within else name or title
        step = step.replace("/", "∕")
        path = f"{outer}/{step}" if outer and step else outer or step
        self.times[path] += 1
        if path and (n := self.times[path]) > 1:
            path = _numbered(path, n)
        self._inside.append((module, name, path))

    def left(self, module: Module, args: Any, out: Any) -> None:
        """A module has run, or failed."""
        if get_ident() == self._thread and any(m is module for m, *_ in self._inside):
            if module._backward_hooks or module._backward_pre_hooks:
                self._program.refuse_hooked(type(module).__name__, out)
            while self._inside.pop()[0] is not module:
                pass


def _numbered(path: str, n: int) -> str:
    """The path of a module that runs again: "cell 2", or "layers.0 #2"."""
    return f"{path} #{n}" if path[-1].isdigit() else f"{path} {n}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a tensor was when it was looked at: its Node, and a copy of its numbers."""

    tensor: Tensor
    node: Node
    saved: Tensor
    version: int
    is_followed: bool


class Program(Watched):
    """What was seen of a program: `seen[tensor]` is the Node of a tensor.

    Attributes:
        operations: how many Nodes of operations there are.
        notes: what a reader of the numbers should know.
    """

    def __init__(self, model: Module | None, tensors: dict[str, Tensor]) -> None:
        self.is_over = self.is_paused = False
        self.modules = Modules(self, model)
        self.running: list[Any] = []  # functions whose inner calls are watched
        self.operations = 0
        self.notes: dict[str, None] = {}
        self._seen: dict[int, _Seen] = {}  # by the ids of tensors, which it keeps alive
        self._hooked: dict[int, Node] = {}  # what stands before their hooks
        self._refused: dict[Node, str] = {}
        self._born: dict[
            int, tuple[weakref.ref[Tensor], str]
        ] = {}  # scopes of what is not used yet
        self._made: list[Node] = []
        self._scope = ""  # that of a call which is open
        self._names = {id(x): checked_name(name) for name, x in tensors.items()}
        self._tensors = [*tensors.values()]  # so that no id is used twice
        first = torch.zeros(1, requires_grad=True).clone().grad_fn
        self._start = first._sequence_nr()

    def __repr__(self) -> str:
        told = "".join(f"; {note}" for note in self.notes)
        return f"<a PyTorch program of {self.operations:,} operations{told}>"

    def __contains__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and id(value) in self._seen

    def __getitem__(self, value: Any) -> Node:
        """Return the Node of a tensor.

        Raises:
            NodeTypeError: for what is no tensor, for one that was not seen, and where something on
                the way to it cannot be shown.
        """
        if not isinstance(value, Tensor):
            raise NodeTypeError(f"seen[…] takes a tensor, not {type(value).__name__} {value!r:.40}")
        if id(value) not in self._seen:
            raise NodeTypeError(
                f"no operation inside the block has made or used this tensor of shape "
                f"{tuple(value.shape)}; put what makes it inside `with watch() as seen:`"
            )
        with _unwatched():
            if not self.is_over:
                self._look(value)
            self._put_in_hooks(self._seen.values())
        self._number_first_runs()
        node = self._seen[id(value)].node
        for x in topological_order(node) if self._refused else ():
            if x in self._refused:
                raise NodeTypeError(self._refused[x], (x,))
        return self._hooked.get(id(value), node) if _is_leaf(value) else node

    def made(self) -> list[Node]:
        """All Nodes that were seen."""
        return [*self._made]

    def idle(self) -> list[str]:
        """The names of parameters and buffers that nothing has used."""
        return [name for id, name in self.modules.names.items() if id not in self._seen]

    # --- calls ------------------------------------------------------------------------------------

    def composed(self, mode: _Mode, kind: Kind, args: Any, options: Any) -> Any:
        """Run a function that is written in Python; what it calls is seen."""
        outer, first = self._scope, len(self._made)
        around = outer or self.modules.path
        if kind.folds:
            name = f"{kind.name}()#{next(new_seq)}"
            self._scope = (f"{around}/{name}" if around else name) + "~"
        inner = self._scope
        self.running.append(kind.function)
        _push_mode(mode)
        try:
            assert kind.body is not None
            out = kind.body(*args, **options)
        finally:
            _take_away(mode)
            self.running.pop()
            self._scope = outer
        if kind.folds:
            self._folded(kind, self._made[first:], inner, around, out)
        return out

    def _folded(self, kind: Kind, made: list[Node], inner: str, around: str, out: Any) -> None:
        """Say of the Nodes of a call which are its outputs; one that is alone needs no call."""
        inside = [node for node in made if node.scope.startswith(inner)]
        operations = [node for node in inside if node.op]
        if len(operations) == 1:
            for node in inside:
                node.scope = around
            (node,) = operations
            if not node.op.partials:
                node.op = replace(node.op, name=kind.name, symbol=kind.symbol)
            return
        for t in tensors_in(out):
            seen = self._seen.get(id(t))
            if seen and seen.node.op and seen.node.scope.startswith(inner):
                seen.node.scope = inner[:-1] + seen.node.scope.removeprefix(inner)

    def applied(self, name: str, apply: Any, run: Any, *args: Any, **options: Any) -> Any:
        """Run a `torch.autograd.Function`, whose inside nobody sees, as one call."""
        kind = Kind(apply, name)
        kind.is_random = kind.changes = True  # for all that is known

        def hidden(*args: Any, **options: Any) -> Any:
            self.is_paused = True
            try:
                return run(*args, **options)
            finally:
                self.is_paused = False

        return self.called(kind, args, options, hidden)

    def called(self, kind: Kind, args: Any, options: Any, run: Any = None) -> Any:
        """Run a function, and make Nodes of what it gives and of what it changes.

        Whatever goes wrong in making them, the program goes on as if nobody watched.
        """
        inputs: list[Any] = []
        places, named = _placed(kind, args, options, inputs)
        tensors = {slot: x for slot, x in enumerate(inputs) if isinstance(x, Tensor)}
        looks: dict[int, _Seen] = {}
        random: dict[Any, Tensor] = {}
        trouble: Exception | None = None
        with _unwatched():
            versions = {slot: _version(t) for slot, t in tensors.items()}
            try:
                if kind.is_random:
                    random = random_states([*tensors.values()], options)
                if kind.changes or "out" in options:  # what is changed is copied before
                    looks = {slot: self._look(t) for slot, t in tensors.items()}
                    self._put_in_hooks(looks.values())
            except Exception as error:
                trouble = error
        out = (run or kind.function)(*args, **options)
        if self.is_over:
            return out
        if not tensors:  # what it makes is a leaf when it is used
            for y in tensors_in(out):
                self._born[id(y)] = weakref.ref(y), self._here
            return out
        with _unwatched():
            results = [y for y in tensors_in(out) if all(y is not t for t in tensors.values())]
            changed = [slot for slot, t in tensors.items() if _version(t) != versions[slot]]
            if not results and not changed:
                return out  # as the size of a tensor
            try:
                if trouble:
                    raise trouble
                looks = looks or {slot: self._look(t) for slot, t in tensors.items()}
                if kind.name == "broadcast_tensors" and not _stretches(tensors.values(), results):
                    for y, look in zip(results, looks.values()):
                        self._remember(y, look.node, look.saved)
                    return out
                call = self._call(kind, places, named, inputs, looks, changed, random)
                for which, y in enumerate(results):
                    self._result(call, which, y)
                for which, slot in enumerate(changed, len(results)):
                    self._changed(call, which, tensors[slot], versions[slot])
            except Exception as error:
                self._lose([*results, *(tensors[slot] for slot in changed)], kind, error)
        return out

    def _lose(self, tensors: list[Tensor], kind: Kind, error: Exception) -> None:
        """Refuse, when they are asked for, tensors of which no Nodes could be made."""
        for t in tensors:
            node = leaf(np.float64("nan"), requires_grad=False)
            self._refused[node] = f"{kind.name} could not be followed: {error}"
            self._seen[id(t)] = _Seen(t, node, torch.zeros(()), _version(t), _is_followed(t))

    def _call(
        self,
        kind: Kind,
        args: Any,
        options: Any,
        inputs: list[Any],
        looks: dict[int, _Seen],
        changed: list[int],
        random: dict[Any, Tensor],
    ) -> Call:
        """Make the call whose results are Nodes; numbers among its inputs become constants."""
        first = next(iter(looks.values()))
        nodes = []
        for slot, x in enumerate(inputs):
            if slot in looks:
                nodes.append(looks[slot].node)
            else:
                nodes.append(operand(x, first.node))
                nodes[-1].scope = self._here
        return Call(
            kind,
            args,
            options,
            [looks[slot].saved if slot in looks else x for slot, x in enumerate(inputs)],
            tuple(nodes),
            [node.requires_grad for node in nodes],
            changed,
            random,
            mixed_precision(first.tensor),
        )

    def _result(self, call: Call, which: int, y: Tensor) -> Node:
        """Make the Node of a result of a call."""
        seq = _reserved()
        value, saved, why = _value(y)
        node = recorded(call.operation(which, y, saved), call.nodes, seq, value, call.attrs)
        node.requires_grad = _is_followed(y) and node.dtype.kind == "f"
        node.scope = self._here
        if why:
            self._refused[node] = f"{call.kind.name} gives {why}"
        self._note(y)
        self._made.append(node)
        self.operations += 1
        self._remember(y, node, saved)
        return node

    def _changed(self, call: Call, which: int, t: Tensor, version: int) -> None:
        """Make the Node of a tensor that a call has changed in place, and of what it is part of."""
        base = t._base
        if _is_variable(t):
            self._leaf(t)  # an optimizer's step: the parameter has another value
            return
        if base is not None and _is_variable(base):
            self._leaf(base)
            self._leaf(t)
            return
        self._result(call, which, t)
        if base is None:
            return
        whole = self._seen.get(id(base))
        if whole is None or whole.version != version:
            whole = self._leaf(base, is_known=True)
        if not _is_plain(base, whole.saved) or t.dtype != base.dtype:
            self._refused[self._leaf(base, is_known=True).node] = _unfollowed(t, "a view")
            return
        part = self._seen[id(t)]
        place = tuple(t.shape), t.stride(), t.storage_offset()
        looks = {0: whole, 1: part}
        inputs = [base, t]
        writing = self._call(_WRITE, (Place(0), Place(1), *place), {}, inputs, looks, [], {})
        self._result(writing, 0, base)

    # --- tensors ----------------------------------------------------------------------------------

    @property
    def _here(self) -> str:
        """The path of the scope of what is made now."""
        return self._scope or self.modules.path

    def _look(self, t: Tensor) -> _Seen:
        """Find out which Node a tensor is now."""
        seen = self._seen.get(id(t))
        if seen is None:
            return self._leaf(t)
        if seen.version == _version(t) and seen.is_followed == _is_followed(t):
            if seen.node in self._refused or is_same(t, seen.saved):
                return seen
        elif t._base is not None and self._is_current(t._base):
            return self._view(t, self._seen[id(t._base)])
        if not _is_leaf(t):
            node = self._leaf(t, is_known=True).node
            self._refused[node] = _unfollowed(t, "a way that was not seen")
            return self._seen[id(t)]
        return self._leaf(t)

    def _is_current(self, t: Tensor) -> bool:
        seen = self._seen.get(id(t))
        return seen is not None and seen.version == _version(t)

    def _view(self, t: Tensor, whole: _Seen) -> _Seen:
        """Look at a view again, of what has been changed meanwhile."""
        base = whole.tensor
        if not _is_plain(base, whole.saved) or t.dtype != base.dtype:
            self._refused[self._leaf(t, is_known=True).node] = _unfollowed(t, "another view")
        else:
            place = tuple(t.shape), t.stride(), t.storage_offset()
            call = self._call(_VIEW, (Place(0), *place), {}, [base], {0: whole}, [], {})
            self._result(call, 0, t)
        return self._seen[id(t)]

    def _leaf(self, t: Tensor, is_known: bool = False) -> _Seen:
        """Make a leaf of a tensor that nothing inside the block has made, as far as was seen."""
        seq = _reserved()
        value, saved, why = _value(t)
        own = self.modules.names.get(id(t))
        name = self._names.get(id(t)) or own
        follows = _is_followed(t) and value.dtype.kind == "f"
        node = leaf(frozen(value), requires_grad=follows, name=name)
        node.seq = seq
        born, scope = self._born.pop(id(t), (None, ""))
        if own or born is None or born() is not t:
            scope = self.modules.path if own else surroundings.get()[0]
        node.scope = scope
        if why:
            self._refused[node] = f"{name or 'an input'} is {why}"
        elif (
            not is_known
            and not _is_leaf(t)
            and (made := t.grad_fn)
            and made._sequence_nr() > self._start
        ):
            self._refused[node] = (
                f"a tensor of shape {tuple(t.shape)} was made by {made.name()} inside the block, "
                "in a way that was not seen: by TorchScript, a torch.func transform, "
                "torch.autograd.grad or another thread; write it with PyTorch's operations, here"
            )
        self._note(t)
        self._made.append(node)
        return self._remember(t, node, saved)

    def _remember(self, t: Tensor, node: Node, saved: Tensor) -> _Seen:
        if (before := self._seen.get(id(t))) is not None:  # whose hooks stay with it
            self._put_in_hooks([before])
            self._hooked.pop(id(t), None)
        seen = self._seen[id(t)] = _Seen(t, node, saved, _version(t), _is_followed(t))
        return seen

    def _note(self, t: Tensor) -> None:
        if t.dtype in WITHOUT_TWIN:
            kind = str(t.dtype).removeprefix("torch.")
            self.notes[f"{kind} is shown in float32, which holds all of its numbers"] = None

    # --- what PyTorch does in the backward pass only ----------------------------------------------

    def refuse_hooked(self, module: str, out: Any) -> None:
        """Refuse what a module has given whose backward hooks may change gradients."""
        for y in tensors_in(out):
            if id(y) in self._seen:
                self._refused[self._seen[id(y)].node] = (
                    f"a module {module} has a backward hook, which may change gradients unseen; "
                    "remove it, or register it on a tensor: y.register_hook(…)"
                )

    def _put_in_hooks(self, looks: Iterable[_Seen]) -> None:
        """Put a Node after each tensor whose gradient is shown to hooks, before all its users."""
        for seen in looks:
            if seen.tensor._backward_hooks and id(seen.tensor) not in self._hooked:
                self._hooked[id(seen.tensor)] = _before_hooks(seen)

    # --- modules that run several times -----------------------------------------------------------

    def _number_first_runs(self) -> None:
        """Call the first run of a module "cell 1" where there is a second one, "cell 2"."""
        again = [path for path, n in self.modules.times.items() if n > 1 and path]
        again.sort(key=lambda path: -path.count("/"))
        renamed: dict[tuple[str, bool], str] = {}
        for node in self._made if again else ():
            key = node.scope, node.op is None
            if key not in renamed:
                renamed[key] = _among_runs(*key, again)
            node.scope = renamed[key]


def _among_runs(scope: str, is_leaf: bool, again: list[str]) -> str:
    """A path where first runs have numbers; what all runs share lies outside of them."""
    for path in again:
        if scope == path or scope.startswith(f"{path}/"):
            if is_leaf:
                scope = path.rpartition("/")[0]
            else:
                scope = _numbered(path, 1) + scope.removeprefix(path)
    return scope


def _before_hooks(seen: _Seen) -> Node:
    """Make the Node of a tensor that of its hooks; return another one, which stands before it."""
    node = seen.node
    before = copied(node, node.inputs, node._value, node.seq - 1)
    node.op = _hook_operation(seen.tensor, seen.tensor._backward_hooks)
    node.inputs, node.attrs, node.name = (before,), NO_ATTRS, None
    return before


def _hook_operation(t: Tensor, hooks: dict[int, Callable[[Tensor], Any]]) -> Operation:
    """The operation that changes nothing, and shows the gradient to the hooks of a tensor."""

    def pulled_back(g: Any, out: Any, inputs: Any, attrs: Any) -> Any:
        if isinstance(g, Node):
            raise GradientError("a hook takes numbers and no Nodes: use backward() or mg.record")
        with _unwatched():
            gradient = as_tensor(g, t)
            for hook in [*hooks.values()]:
                changed = hook(gradient)
                gradient = gradient if changed is None else changed
            return as_array(gradient)

    return Operation(
        "hook",
        "hook",
        ("x",),
        lambda x, **attrs: x,
        (pulled_back,),
        lambda tangents, out, inputs, attrs: tangents[0],
        lambda shape, **attrs: shape,
    )


def _written(base: Tensor, part: Tensor, *place: Any) -> Tensor:
    """A tensor in which a part has other numbers."""
    whole = base.clone()
    torch.as_strided(whole, *place).copy_(part)  # the rule of as_strided_scatter is wrong by base
    return whole


_WRITE, _VIEW = Kind(_written, "write"), Kind(torch.as_strided, "view_of")


def _placed(kind: Kind, args: Any, options: Any, inputs: list[Any]) -> tuple[Any, dict[str, Any]]:
    """Arguments with Places for the inputs, which are collected: tensors, and numbers beside."""
    is_infix = kind.ours is not None and len(kind.ours.parameters) == 2 == len(args) and not options
    if is_infix and all(isinstance(x, Tensor) or type(x) in (int, float) for x in args):
        inputs += reversed(args) if kind.is_swapped else args
        return (Place(1), Place(0)) if kind.is_swapped else (Place(0), Place(1)), {}
    return tuple(with_places(x, inputs) for x in args), with_places(options, inputs)


def _stretches(tensors: Iterable[Tensor], results: list[Tensor]) -> bool:
    """Whether broadcasting changes a shape."""
    return any(t.shape != y.shape for t, y in zip(tensors, results))


def _unwatched() -> Any:
    return torch._C.DisableTorchFunction()


def _reserved() -> int:
    """A number for a Node, behind one for what a hook may put before it."""
    next(new_seq)
    return next(new_seq)


def _version(t: Tensor) -> int:
    try:
        return t._version
    except RuntimeError:  # in inference_mode nobody counts; the numbers are compared
        return 0


# A view that was made without gradients, of a variable that has been changed through it, has none,
# and PyTorch refuses to be asked.


def _is_followed(t: Tensor) -> bool:
    try:
        return t.requires_grad
    except RuntimeError:
        return False


def _is_leaf(t: Tensor) -> bool:
    try:
        return t.is_leaf
    except RuntimeError:
        return True


def _is_variable(t: Tensor) -> bool:
    return _is_leaf(t) and _is_followed(t)


def _is_plain(t: Tensor, copy: Tensor) -> bool:
    """Whether places in the memory of a tensor are the same in a copy of it."""
    return t.storage_offset() == 0 and t.stride() == copy.stride()


def _value(t: Tensor) -> tuple[Any, Tensor, str]:
    """The value of a tensor for a Node, a copy of it, and why there is none."""
    why = unfit(t)
    if not why:
        try:
            saved = t.detach().clone()
            return as_array(saved), saved, ""
        except (RuntimeError, TypeError, NotImplementedError) as error:
            why = f"a {type(t).__name__} without numbers that can be read: {error}"
    return np.float64("nan"), torch.zeros(()), why


def _unfollowed(t: Tensor, way: str) -> str:
    made = "the program" if _is_leaf(t) else t.grad_fn.name()
    return (
        f"a tensor of shape {tuple(t.shape)}, made by {made}, was changed in place through {way}, "
        "such as .data or a NumPy array, and its gradient cannot be followed; write the change "
        "with PyTorch's operations on the tensor itself, or as a new one: y = x + 1"
    )
