"""How a PyTorch program becomes a Graph: PyTorch exports it, and each operation is said again.

`torch.export` gives the operations of ATen as the program calls them, without running it on
numbers. Each has a rule in `torch_rules.py`; one without is taken apart into simpler ones first.

A program may change tensors in place, and look at them through views. Here a view knows its places
in the whole that it is a view of: what is written through it is written there, and who looks at
these places afterwards finds it.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from threading import get_ident
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind
from torch.fx import GraphModule
from torch.fx import Node as Step
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.proxy import TracerBase
from torch.nn import Module
from torch.utils import _pytree as pytree

from ..core.indexing import getitem
from ..core.node import Node, constant
from ..core.table import astype, reshape
from ..errors import MinigraphError, NodeTypeError, TranslationError
from ..graph.context import scope
from ..graph.graph import Graph
from ..graph.joining import stop_gradient
from .torch_calls import as_array, unfit
from .torch_dtypes import dtype_of, torch_dtype
from .torch_rules import BY_VALUES, FROM, RANDOM, written
from .translating import line_of, located, names_of, refusal, weight

_LIBRARIES = tuple(f"{Path(file).resolve().parent}{os.sep}" for file in (torch.__file__, __file__))
_FRAME = re.compile(r'^  File "(.+?)", line (\d+), in .*\n?(?:    (.*))?', re.MULTILINE)
_TAGS = {
    torch.Tag.nondeterministic_seeded: RANDOM,
    torch.Tag.data_dependent_output: BY_VALUES,
    torch.Tag.dynamic_output_shape: BY_VALUES,
}
_BRANCH = (
    "a graph has no branches: compute both, and choose with torch.where(condition, a, b); or give "
    "the number as an example"
)
_HIGHER = {
    "cond": _BRANCH,
    "while_loop": _BRANCH,
    "wrap_with_autocast": "take it outside torch.autocast",
}

_UNTRANSFORMED = (
    "call the function itself: write what vmap maps over as an axis, and take gradients of the "
    "graph, with mg.grad"
)
_CAST = "cast one of them: x.float(), or model.double()"
_OF_ONE_DTYPE = {  # PyTorch exports these for tensors of several dtypes, but does not run them
    "aten.linear", "aten.bilinear", "aten.matmul", "aten.mm", "aten.bmm", "aten.mv", "aten.dot",
    "aten.addmm", "aten.addmv", "aten.addbmm", "aten.baddbmm", "aten.einsum", "aten.inner",
    "aten.tensordot", "aten.conv1d", "aten.conv2d", "aten.conv3d",
    "aten.scaled_dot_product_attention",
}  # fmt: skip


def taken(program: Any, examples: tuple[Any, ...], named: dict[str, Any]) -> Graph:
    """Translate a function or a module of PyTorch, called with examples; see `from_torch`."""
    if not callable(program):
        raise NodeTypeError(
            f"from_torch takes a function or a torch.nn.Module, not {type(program).__name__} "
            f"{program!r:.40}"
        )
    for x in pytree.tree_leaves((examples, named)):
        if isinstance(x, Node | np.ndarray | np.generic):
            raise NodeTypeError(
                f"from_torch takes tensors as examples, not {type(x).__name__} {x!r:.40}; "
                f"torch.as_tensor(x{'.value' * isinstance(x, Node)}) makes one"
            )
    for name, x in _labelled(program, examples, named):
        if why := unfit(x):
            raise refusal(f"the example {name} is {why}")
        if x.device.type != "cpu":
            raise refusal(
                f"the example {name} is on the device {str(x.device)!r}, and a Node holds NumPy's "
                "arrays",
                instead="move it, and the module: x.cpu(), model.cpu()",
            )
    module = program if isinstance(program, Module) else _Function(program)
    for name, x in (*module.named_parameters(), *module.named_buffers()):
        if x.device.type == "meta":
            raise refusal(f"{name} is {unfit(x)}")
    exported = _exported(module, examples, named)
    return _Taking(exported, module).graph(_labelled(program, examples, named))


# --- export ---------------------------------------------------------------------------------------


class _Function(Module):
    """A function as a module; the modules that it uses lie in it, by the names they have there."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.free = _free(function)
        for name, x in self.free.items():
            if isinstance(x, Module):
                self.add_module(name, x)
        self.forward = function if _has_signature(function) else lambda *xs, **o: function(*xs, **o)


def _has_signature(function: Any) -> bool:
    try:
        return bool(inspect.signature(function))
    except ValueError:  # of a function that is written in C
        return False


def _free(function: Any) -> dict[str, Any]:
    """What a function uses that it does not make: from around it, by name."""
    found: dict[str, Any] = {}
    if isinstance(owner := getattr(function, "__self__", None), Module):
        found["self"] = owner
    while isinstance(function, partial):
        found |= {f"args_{i}": x for i, x in enumerate(function.args)} | function.keywords
        function = function.func
    function = inspect.unwrap(getattr(function, "__func__", function))
    if inspect.isfunction(function):
        around = inspect.getclosurevars(function)
        found |= {**around.globals, **around.nonlocals}
    return {name: x for name, x in found.items() if isinstance(x, Module | Tensor)}


def _labelled(program: Any, examples: Any, named: Any) -> list[tuple[str, Tensor]]:
    """The tensors among the examples, with the names of the parameters that take them."""
    function = program.forward if isinstance(program, Module) else program
    arguments: dict[str, Any] = {f"x{i}": x for i, x in enumerate(examples, 1)} | named
    if _has_signature(function):
        try:
            bound = inspect.signature(function).bind(*examples, **named).arguments
        except TypeError as error:
            if "dynamic_shapes" in named:
                raise NodeTypeError(
                    "from_torch takes no dynamic_shapes, for a Graph has one shape; leave them "
                    'out: to_torch(graph, batch="x") takes batches of other sizes'
                ) from None
            raise NodeTypeError(f"the examples are no arguments of the function: {error}") from None
        arguments = {}
        for name, x in bound.items():
            kind = inspect.signature(function).parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                arguments |= x
            else:
                arguments[name] = x
    found = []
    for name, x in arguments.items():
        for path, leaf in pytree.tree_flatten_with_path(x)[0]:
            if isinstance(leaf, Tensor):
                keys = [getattr(k, "key", getattr(k, "idx", getattr(k, "name", ""))) for k in path]
                found.append(("_".join([name, *map(str, keys)]), leaf))
    return found


def _exported(module: Module, examples: tuple[Any, ...], named: dict[str, Any]) -> ExportedProgram:
    logger = logging.getLogger("torch")
    level, own = logger.level, get_ident()
    apply = torch.autograd.Function.__dict__["apply"]
    kept = TracerBase._filter_traceback_frames

    def of_learners(self: TracerBase, lines: traceback.StackSummary) -> traceback.StackSummary:
        return traceback.StackSummary.from_list([x for x in lines if _is_learners(x.filename)])

    def refused(function: Any, *args: Any, **options: Any) -> Any:
        if get_ident() != own or function.__module__.partition(".")[0] == "torch":
            return apply.__get__(None, function)(*args, **options)
        raise refusal(
            f"{function.__name__} is a torch.autograd.Function, whose backward PyTorch does not "
            "export",
            instead="write it with PyTorch's operations and .detach(), or as mg.custom",
        )

    try:
        logger.setLevel(logging.CRITICAL)
        torch.autograd.Function.apply = classmethod(refused)
        TracerBase._filter_traceback_frames = of_learners  # PyTorch keeps those of forward alone
        # PyTorch prints the graph of a program that it cannot export.
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            return torch.export.export(module, examples, named or None, strict=False)
    except Exception as error:
        raise _explained(error) from None
    finally:
        torch.autograd.Function.apply = apply
        TracerBase._filter_traceback_frames = kept
        logger.setLevel(level)


def _explained(error: Exception) -> TranslationError:
    """What an export that failed says, with the line of the learner's code."""
    at = _line_of_traceback(error.__traceback__)
    if isinstance(error, TranslationError):
        return refusal(error.what, at, error.instead)
    message = str(error).strip().partition("\n")[0]
    if "data-dependent" in message or "Dynamo" in message or ".numpy()" in message:
        return refusal("what the program does next depends on values", at, _BRANCH)
    cast = _CAST if re.search("type.* same|same dtype", message) else ""
    return refusal(f"PyTorch does not export it: {message:.300}", at, cast)


def _line_of_traceback(trace: TracebackType | None) -> str:
    """The innermost line that belongs neither to PyTorch nor to minigraph."""
    lines = [frame for frame in traceback.extract_tb(trace) if _is_learners(frame.filename)]
    return line_of(lines[-1].filename, lines[-1].lineno or 0, lines[-1].line or "") if lines else ""


def _line_of_step(step: Step) -> str:
    """The line of the learner's code that called an operation."""
    frames = _FRAME.findall(step.meta.get("stack_trace") or "")
    lines = [(file, number, code) for file, number, code in frames if _is_learners(file)]
    return line_of(lines[-1][0], int(lines[-1][1]), lines[-1][2]) if lines else ""


def _is_learners(file: str) -> bool:
    return (
        not file.startswith((*_LIBRARIES, "<string>", "<frozen "))
        and f"{os.sep}contextlib.py" not in file
    )


# --- tensors --------------------------------------------------------------------------------------


@dataclass
class _Whole:
    """A tensor with memory of its own: its Node now, and how often it was changed.

    Attributes:
        origin: what it is, if a change of it can be seen outside of the program.
    """

    node: Node
    origin: str = ""
    version: int = 0


class _Tensor:
    """A tensor: a whole, or some places in one."""

    def __init__(self, whole: _Whole, node: Node, places: np.ndarray | None = None) -> None:
        self.whole, self.places = whole, places
        self.stops = False  # whether it is detached
        self._node, self._version = node, whole.version

    @property
    def node(self) -> Node:
        """Its Node, after what was written meanwhile."""
        if self._version != self.whole.version:
            node = self.whole.node
            if self.places is not None:
                node = getitem(reshape(node, -1), (self.places,))
            self._node = stop_gradient(node) if self.stops else node
            self._version = self.whole.version
        return self._node

    def write(self, node: Node, is_recorded: bool) -> None:
        """Change it in place."""
        if self.whole.origin:
            raise refusal(
                f"{self.whole.origin} is changed in place",
                instead="call model.eval() first if it is a statistic of a layer; else write the "
                "change as a new tensor: y = x + 1",
            )
        if self.stops or not is_recorded:
            raise refusal(
                "a change in place through .detach() or inside torch.no_grad() has no gradient "
                "that can be followed",
                instead="write it as a new tensor",
            )
        if node.dtype != self.node.dtype:
            node = astype(node, self.node.dtype)
        whole = self.whole
        if self.places is not None:
            flat = written(reshape(whole.node, -1), (self.places,), node)
            node = reshape(flat, whole.node.shape)
        whole.node, whole.version = node, whole.version + 1


class _Taking:
    """One program that is translated."""

    def __init__(self, exported: ExportedProgram, module: Module) -> None:
        self.exported, self.module = exported, module
        self.leaves: dict[int, Node] = {}  # by the ids of the tensors they stand for
        self.is_recorded = True
        parts = [m for m in exported.graph_module.modules() if isinstance(m, GraphModule)]
        self.writes = any(map(_writes, parts))
        self.sizes: dict[Any, int] = {}  # that depend on values, by PyTorch's names for them
        self.runs: dict[str, int] = {}  # how often each module is run
        for call in (call for m in parts for step in m.graph.nodes for call in _calls(step)):
            self.runs[call[0]] = max(self.runs.get(call[0], 0), call[1] + 1)

    def graph(self, examples: list[tuple[str, Tensor]]) -> Graph:
        """The Graph of the program."""
        signature = self.exported.graph_signature
        given: list[Node] = []
        names = iter(examples)
        values: list[Any] = []
        for spec in signature.input_specs:
            if spec.kind is InputKind.USER_INPUT:
                if isinstance(spec.arg, ConstantArgument):
                    values.append(spec.arg.value)
                    continue
                name, x = next(names)
                given.append(weight(as_array(x.detach().clone()), name, x.requires_grad))
                values.append(_Tensor(_Whole(given[-1], f"the example {name}"), given[-1]))
            else:
                values.append(self._stored(spec))
        outputs = self._run(self.exported.graph_module, values)
        nodes = [y.node for y in outputs if isinstance(y, _Tensor)]
        if not nodes:
            raise refusal("the program returns no tensor, so there is nothing to translate")
        self._name_outputs(nodes, outputs)
        weights = [x for x in self.leaves.values() if x.requires_grad and x.name]
        unique = names_of([*given, *weights])
        for x in given:
            x.name = unique[x]
        is_single = len(outputs) == 1 and self._is_bare()
        return Graph(nodes[0] if is_single else nodes, [*given, *weights])

    def _is_bare(self) -> bool:
        spec = self.exported.call_spec.out_spec
        return spec is not None and spec.is_leaf()

    def _name_outputs(self, nodes: list[Node], outputs: list[Any]) -> None:
        """Name results that come in a dict by its keys."""
        spec = self.exported.call_spec.out_spec
        if spec is None or len(nodes) != len(outputs):
            return
        found = pytree.tree_unflatten(outputs, spec)
        if isinstance(found, dict):
            for key, y in found.items():
                if isinstance(y, _Tensor) and y.node.op and y.node.name is None:
                    y.node.name = str(key)

    def _stored(self, spec: Any) -> Any:
        """A parameter, a buffer, or another tensor that the program uses."""
        name, exported = spec.target, self.exported
        if spec.kind is InputKind.PARAMETER:
            x, what = exported.state_dict[name], f"the parameter {name}"
        elif spec.kind is InputKind.BUFFER:
            held = exported.state_dict if name in exported.state_dict else exported.constants
            x, what = held[name], f"the buffer {name}"
        elif spec.kind is InputKind.CONSTANT_TENSOR:
            x = exported.constants[name]
            free = getattr(self.module, "free", {})
            name = next((key for key, value in free.items() if value is x), None)
            what = f"the tensor {name}" if name else ""
        else:
            raise refusal(f"{spec.target} is {spec.kind.name.lower()}, which no Node can hold")
        if why := unfit(x):
            raise refusal(f"{what or 'a tensor'} is {why}", self._line_of_use(spec.arg.name))
        if x.device.type != "cpu":
            raise refusal(
                f"{what} is on the device {str(x.device)!r}, and a Node holds NumPy's arrays",
                instead="move the module first: model.cpu()",
            )
        key = x.data_ptr() if x.numel() else id(x)
        node = self.leaves.get(key)
        if node is None or node.shape != tuple(x.shape):
            node = weight(as_array(x.detach().clone()), name, x.requires_grad)
            self.leaves[key] = node
        return _Tensor(_Whole(node, what), node)

    def _line_of_use(self, name: str) -> str:
        """The line of the learner's code that uses an input of the exported graph first."""
        steps = self.exported.graph.nodes
        users = [user for step in steps if step.name == name for user in step.users]
        return next(filter(None, map(_line_of_step, users)), "")

    # --- operations -------------------------------------------------------------------------------

    def _run(self, module: GraphModule, values: Sequence[Any]) -> list[Any]:
        """Say the operations of an exported graph again; return its results."""
        known: dict[Step, Any] = {}
        given = iter(values)
        for step in module.graph.nodes:
            if step.op == "placeholder":
                known[step] = next(given)
            elif step.op == "get_attr":
                known[step] = self._attribute(module, step.target)
            elif step.op == "call_function":
                at = _line_of_step(step)
                path = self._path(step)
                with located(_name(step.target), at), scope(path) if path else nullcontext():
                    known[step] = self._step(module, step, known, at)
            else:
                return [
                    known[x] if isinstance(x, Step) else x for x in pytree.tree_leaves(step.args[0])
                ]
        raise AssertionError("a graph ends with its output")

    def _path(self, step: Step) -> str:
        """The scope of what calls an operation, as "encoder/layers.0", or "cell 2" in its 2nd run.

        A module that each run of the one around it runs once has no number of its own.
        """
        names: list[str] = []
        outer, times = "", 1
        for path, run in _calls(step):
            name = path.removeprefix(f"{outer}.") if outer else path
            again = self.runs[path] != times
            number = f" #{run + 1}" if name[-1].isdigit() else f" {run + 1}"
            names.append(name.replace("/", "∕") + number * again)
            outer, times = path, self.runs[path]
        return "/".join(names)

    def _attribute(self, module: GraphModule, target: str) -> Any:
        x = module
        for part in target.split("."):
            x = getattr(x, part)
        if isinstance(x, Tensor):
            node = constant(as_array(x))
            return _Tensor(_Whole(node), node)
        return x

    def _step(self, module: GraphModule, step: Step, known: Mapping[Step, Any], at: str) -> Any:
        target, out = step.target, step.meta.get("val")

        def of(x: Any) -> Any:
            return known[x] if isinstance(x, Step) else x

        args = pytree.tree_map(of, step.args, is_leaf=lambda x: isinstance(x, Step))
        options = pytree.tree_map(of, step.kwargs, is_leaf=lambda x: isinstance(x, Step))
        if not isinstance(target, torch._ops.OpOverload):
            return self._higher(target, args, options, at)
        name = _name(target)
        if "assert" in name or name == "aten.sym_constrain_range_for_size":
            return None
        if name == "aten.sym_size":
            return args[0].node.shape[args[1]]
        out = pytree.tree_map_only(Tensor, self._sized, out)
        if name == "aten.detach_" and not args[0].node.requires_grad:
            return args[0]  # as PyTorch detaches what torch.tensor([1.0, 2.0]) makes
        held = [x for x in pytree.tree_leaves((args, options)) if isinstance(x, _Tensor)]
        if not held and not any(tag in target.tags for tag in _TAGS):
            return _wrapped(constant(as_array(target(*args, **options))))
        self._check(out, name, at)
        changed = _changed(target)
        rule_name = name.removesuffix("_") if changed and name not in FROM else name
        if rule_name not in FROM:
            if changed:
                self._refuse(target, name, at)
            return self._apart(target, args, options, at)
        if name in _OF_ONE_DTYPE:
            _check_dtypes(name, held)
        plain = self._aligned(target, args, out)
        node = FROM.find(rule_name, at)(out, *_nodes(plain), **_nodes(options))
        if name in ("aten.index", "aten.masked_select"):
            self._learn_sizes(out, node)
            out = self._sized(out)
        if changed:
            if changed != [0]:
                raise refusal(f"{name} with out=… cannot be translated", at, "take what it returns")
            args[0].write(_fitted(node, out, name), self.is_recorded)
            return args[0]
        is_several = isinstance(out, tuple | list)
        views = self._views(step, args, options, out) if self.writes else None
        made = [
            None if y is None else self._made(y, shape, views and views[i], name)
            for i, (y, shape) in enumerate(zip(node, out) if is_several else [(node, out)])
        ]
        return made if is_several else made[0]

    def _learn_sizes(self, out: Tensor, node: Node) -> None:
        """Note how many elements a mask has picked, which PyTorch leaves open."""
        for size, n in zip(out.shape, node.shape):
            if not isinstance(size, int):
                self.sizes[size.node.expr] = n

    def _sized(self, out: Tensor) -> Tensor:
        """What PyTorch gives, with the sizes that are known by now."""
        if all(isinstance(size, int) for size in out.shape):
            return out
        sizes = [n if isinstance(n, int) else n.node.expr.subs(self.sizes) for n in out.shape]
        if not all(getattr(n, "is_number", True) for n in sizes):
            return out
        return out.new_empty([int(n) for n in sizes])

    def _made(self, node: Any, out: Any, view: Any, name: str) -> _Tensor:
        node = _fitted(node, out, name)
        if view is None:
            return _wrapped(node)
        whole, places, stops = view
        made = _Tensor(whole, node, places)
        made.stops = stops
        return made

    def _views(self, step: Step, args: Any, options: Any, out: Any) -> list[Any] | None:
        """For each result that is a view: its whole, its places there, and whether it is detached.

        Its places are what the rule makes of those of what it is a view of.
        """
        x = args[0] if args else None
        first = out[0] if isinstance(out, tuple | list) else out
        if not isinstance(x, _Tensor) or _memory(first) != _memory(step.args[0].meta["val"]):
            return None
        size = x.whole.node.shape
        here = np.arange(int(np.prod(size))).reshape(size) if x.places is None else x.places
        name = _name(step.target)
        if name == "aten.detach":
            return [(x.whole, here, True)]
        if name == "aten.lift_fresh_copy":  # numbers that the program writes, made anew in each run
            return None
        whole = pytree.tree_map_only(Tensor, Tensor.long, out)  # a place is no number of the tensor
        places = FROM.find(name)(whole, here, *_nodes(args[1:]), **_nodes(options))
        several = places if isinstance(out, tuple | list) else [places]
        return [(x.whole, np.asarray(p), x.stops) for p in several]

    def _aligned(self, target: Any, args: Any, out: Any) -> Any:
        """The arguments of an elementwise operation in the dtype in which PyTorch computes."""
        if torch.Tag.pointwise not in target.tags or not isinstance(out, Tensor):
            return args
        dtypes = {x.node.dtype for x in args if isinstance(x, _Tensor)} - {np.dtype(bool)}
        if out.dtype == torch.bool:
            if len(dtypes) < 2:
                return args
            wide = [torch.zeros(1 if x.node.shape else (), dtype=torch_dtype(x.node.dtype))
                    for x in args if isinstance(x, _Tensor)]  # fmt: skip
            wanted = dtype_of(torch.result_type(*wide[:2]))
        else:
            wanted = dtype_of(out.dtype)
        return tuple(
            _wrapped(astype(x.node, wanted))
            if isinstance(x, _Tensor) and x.node.dtype != wanted and x.node.dtype != bool
            else x
            for x in args
        )

    def _check(self, out: Any, name: str, at: str) -> None:
        for y in pytree.tree_leaves(out):
            if not isinstance(y, Tensor):
                continue
            if y.device.type not in ("cpu",):
                raise refusal(
                    f"{name} gives a tensor on the device {str(y.device)!r}",
                    at,
                    "leave the device alone: device=None",
                )
            if y.layout is not torch.strided:
                raise refusal(f"{name} gives {y.layout}", at, "a Node holds dense arrays")
            dtype_of(y.dtype)

    def _higher(self, target: Any, args: Any, options: Any, at: str) -> Any:
        """What is no operation of ATen: picking a result, or a block in which others run."""
        name = getattr(target, "__name__", str(target))
        if name == "getitem":
            return args[0][args[1]]
        if name == "wrap_with_set_grad_enabled":
            before, self.is_recorded = self.is_recorded, bool(args[0])
            try:
                results = self._run(args[1], args[2:])
            finally:
                self.is_recorded = before
            return results if args[0] else [_stopped(y) for y in results]
        if getattr(target, "__module__", "") == "_operator" or not args:
            return target(*args, **options)
        if name.startswith(("_vmap_", "_grad_", "_jvp_")):
            raise refusal("a transform of torch.func cannot be translated", at, _UNTRANSFORMED)
        raise refusal(f"torch.{name} cannot be translated", at, _HIGHER.get(name, ""))

    def _refuse(self, target: Any, name: str, at: str) -> None:
        """Refuse an operation without a rule."""
        for tag, instead in _TAGS.items():
            if tag in target.tags:
                raise refusal(f"{name} of PyTorch cannot be translated", at, instead)
        FROM.find(name, at)

    def _apart(self, target: Any, args: Any, options: Any, at: str) -> Any:
        """Take an operation without a rule apart into simpler ones."""
        name = _name(target)
        flat, spec = pytree.tree_flatten((args, options))
        slots = [i for i, x in enumerate(flat) if isinstance(x, _Tensor)]

        def call(*tensors: Tensor) -> Any:
            filled = [*flat]
            for slot, x in zip(slots, tensors):
                filled[slot] = x
            args, options = pytree.tree_unflatten(filled, spec)
            return target(*args, **options)

        stand_ins = [
            torch.from_numpy(np.zeros(flat[i].node.shape, flat[i].node.dtype)) for i in slots
        ]
        table = {
            op: rule
            for op, rule in torch.export.default_decompositions().items()
            if _name(op) not in FROM
        }
        try:
            with warnings.catch_warnings(), torch.backends.mkldnn.flags(enabled=False):
                warnings.simplefilter("ignore")
                parts = make_fx(call, decomposition_table=table, tracing_mode="fake")(*stand_ins)
        except Exception:
            parts = None
        if parts is None or any(step.target is target for step in parts.graph.nodes):
            self._refuse(target, name, at)
        self.writes |= _writes(parts)
        results = self._run(parts, [flat[i] for i in slots])
        is_bare = not isinstance(parts.graph.output_node().args[0], tuple | list)
        return results[0] if is_bare else results


def _name(target: Any) -> str:
    """The name of an operation without its overload: "aten.add"."""
    schema = getattr(target, "_schema", None)
    return schema.name.replace("::", ".") if schema else getattr(target, "__name__", str(target))


def _calls(step: Step) -> list[tuple[str, int]]:
    """The modules inside which an operation is called, and in which of their runs."""
    stack = step.meta.get("nn_module_stack") or {}
    return [
        (path.partition("@")[0], int(key.rpartition("@")[2]) if "@" in key else 0)
        for key, (path, _) in stack.items()
        if path
    ]


def _check_dtypes(name: str, tensors: Sequence[_Tensor]) -> None:
    kinds = dict.fromkeys(str(x.node.dtype) for x in tensors if x.node.dtype != bool)
    if len(kinds) > 1:
        raise refusal(
            f"{name} is given {' and '.join(kinds)}, and PyTorch runs it in one dtype only",
            instead=_CAST,
        )


def _nodes(arguments: Any) -> Any:
    return pytree.tree_map(
        lambda x: x.node if isinstance(x, _Tensor) else x,
        arguments,
        is_leaf=lambda x: isinstance(x, _Tensor),
    )


def _wrapped(node: Node) -> _Tensor:
    return _Tensor(_Whole(node), node)


def _stopped(y: Any) -> Any:
    return _wrapped(stop_gradient(y.node)) if isinstance(y, _Tensor) and y.node.op else y


def _fitted(node: Any, out: Tensor, name: str) -> Node:
    """What a rule made, in the dtype that PyTorch gives; its shape must be PyTorch's."""
    if not isinstance(node, Node):
        node = constant(node)
    if node.shape != tuple(out.shape):
        raise MinigraphError(f"{name} has shape {tuple(out.shape)}, not {node.shape}", (node,))
    wanted = dtype_of(out.dtype)
    return node if node.dtype == wanted else astype(node, wanted)


def _memory(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def _changed(target: Any) -> list[int]:
    """The arguments that an operation changes in place."""
    return [
        i
        for i, a in enumerate(target._schema.arguments)
        if a.alias_info is not None and a.alias_info.is_write
    ]


def _writes(module: GraphModule) -> bool:
    """Whether it changes numbers in place; detach_ does not, which comes with torch.tensor(1)."""
    return any(
        isinstance(step.target, torch._ops.OpOverload)
        and _changed(step.target)
        and _name(step.target) != "aten.detach_"
        for step in module.graph.nodes
    )
