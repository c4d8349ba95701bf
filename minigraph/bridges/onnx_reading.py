"""A model of ONNX as a Graph: node by node, each by its rule, or by the definition ONNX has of it.

What is known beforehand, such as a shape, is computed at once; the rest becomes Nodes. A node that
takes several operations is one box that opens, as `mg.softmax` is.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from difflib import get_close_matches
from functools import cache, partial
from typing import Any

import numpy as np
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    NodeProto,
    TypeProto,
    ValueInfoProto,
    defs,
    helper,
)

from ..core.node import Node, constant, variable
from ..core.operation import OPERATIONS, REFUSALS
from ..core.order import topological_order
from ..errors import FeedError, FormatError, TranslationError
from ..errors.words import printable
from ..graph.graph import Graph, fitted
from ..graph.symbolic import placeholder
from . import onnx_images, onnx_layers  # noqa: F401  # which state their rules
from .boxes import boxed, listed
from .onnx_call import CODES, DOMAIN, DTYPES, RULES, Call, mg
from .onnx_files import Source
from .onnx_held import Held, Value
from .onnx_rules import type_name
from .translating import refusal

OLDEST, NEWEST = 7, 28  # of the operator sets whose meaning the rules know
DEEPEST = 50  # definitions within definitions
_PLAIN = ("", "ai.onnx")  # the domain of ONNX itself, which has two names
_KINDS = {
    "Sequence": "sequences of arrays", "Optional": "values that may be missing",
    "String": "texts", "Regex": "texts", "TfIdf": "texts", "Random": "random numbers",
    "Bernoulli": "random numbers", "Multinomial": "random numbers", "Loop": "control flow",
    "Scan": "control flow", "Quantize": "quantised numbers", "QLinear": "quantised numbers",
    "Dequantize": "quantised numbers", "Integer": "quantised numbers",
    "BitCast": "the bits of numbers", "ImageDecoder": "files",
}  # fmt: skip
_INSTEAD = {
    "control flow": "export the model with its steps one after another, each a node of its own",
    "random numbers": "export the model in eval mode, or draw the numbers before it as an input",
    "quantised numbers": "export the model before it is quantised",
}
Environment = MutableMapping[str, Value]


class Reader:
    """Translates one model.

    Attributes:
        source: the model and its data.
        version: of the operator set.
        functions: those that the model defines itself, by domain and name.
        fed: the inputs that have values until they are given others.
        held: the numbers that are known, until all is read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.version = _version(source.model.opset_import)
        self.fed: tuple[Node, ...] = ()
        self.held = Held(source.most)
        self.functions = {(f.domain, f.name): f for f in source.model.functions}

    def graph(self, sizes: Mapping[str, Any], values: Mapping[str, Any]) -> Graph:
        """The graph of the model, with sizes for those that have only names."""
        proto = self.source.model.graph
        if proto.sparse_initializer:
            raise refusal("sparse weights cannot be translated")
        env: dict[str, Value] = self._weights(proto)
        # Before version 4 of the format all weights stood among the inputs.
        has_defaults = self.source.model.ir_version >= 4
        inputs = [x for x in proto.input if has_defaults or x.name not in env]
        names = [x.name for x in inputs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise FormatError(f"two inputs have the name {printable(twice[0])!r}")
        _known_among(values, names, "values")
        sizes_named = {d.dim_param for x in inputs for d in x.type.tensor_type.shape.dim} - {""}
        _known_among(sizes, [*names, *sorted(sizes_named)], "sizes", "input or size")
        nodes: list[Node] = []
        for x in inputs:
            if x.name in env and x.name not in values:
                if not isinstance(env[x.name], Node):
                    env[x.name] = self.held.hold(constant(env[x.name], x.name))
                nodes.append(env[x.name])
                self.fed += (env[x.name],)
                _check_declared(x, env[x.name], f"the input {printable(x.name)[:80]!r} has")
                continue
            leaf = placeholder(x.name, *_type_of(x, sizes))
            if x.name in values:
                env[x.name] = np.asarray(fitted(leaf, values[x.name]))
            else:
                env[x.name] = leaf
                nodes.append(leaf)
        told = {x.name: x for x in [*proto.value_info, *proto.output]}
        if not all(_fits(x, env[x.name]) for x in inputs):  # other sizes than the file's were given
            told = {}
        with np.errstate(all="ignore"):
            self._compute(proto.node, env, {}, 0, told)
        self.held.check()
        self.held.release()
        outputs = [self._output(env, y, told) for y in proto.output]
        if not outputs:
            raise FormatError("its graph has no outputs")
        needed = topological_order(outputs)
        weights = [x for x in needed if x.kind == "variable" and x.name and x not in nodes]
        return Graph(outputs[0] if len(outputs) == 1 else outputs, [*nodes, *weights])

    def _weights(self, proto: GraphProto) -> dict[str, Value]:
        """What the file gives numbers: floats are variables, unless a batch measured them."""
        measured = {
            name
            for node in proto.node
            if node.op_type == "BatchNormalization"
            for name in node.input[3:5]
        }
        env: dict[str, Value] = {}
        for tensor in proto.initializer:
            if tensor.name in env:
                raise FormatError(f"two weights have the name {printable(tensor.name)!r}")
            array = self.source.array(tensor)
            if array.dtype.kind == "f":
                make = constant if tensor.name in measured else variable
                env[tensor.name] = self.held.hold(make(array, tensor.name or None))
            else:
                env[tensor.name] = array
        return env

    def _output(self, env: Environment, y: ValueInfoProto, told: Mapping[str, Any]) -> Node:
        name = y.name
        if name not in env:
            raise FormatError(f"the output {printable(name)!r} is computed nowhere")
        value = env[name]
        if told:
            _check_declared(y, value, f"the output {printable(name)[:80]!r} is")
        if not isinstance(value, Node):
            return constant(value, name)
        return value.named(name) if value.op and not value.name else value

    # --- nodes ------------------------------------------------------------------------------------

    def _compute(
        self,
        nodes: Sequence[NodeProto],
        env: Environment,
        settings: Mapping[str, AttributeProto],
        depth: int,
        told: Mapping[str, ValueInfoProto] | None = None,
    ) -> None:
        """Compute nodes in their order, each from what was computed before it.

        Args:
            nodes: in their order.
            env: values by name.
            settings: the attributes of what is defined, if these nodes define it.
            depth: how many definitions these nodes lie in.
            told: what the file says of results, by name.
        """
        waiting = {name for node in nodes for name in node.output if name}
        for number, node in enumerate(nodes):
            label = f"node {printable(node.name)[:80]!r}" if node.name else f"node {number}"
            what = f"{label} ({printable(node.op_type)[:40]})"
            inputs = []
            for name in node.input:
                if name and name not in env:
                    shown = printable(name)[:80]
                    raise FormatError(
                        f"{what} takes {shown!r}, which "
                        + (
                            "is computed only after it: the nodes are not sorted, or in a circle"
                            if name in waiting
                            else "is computed nowhere"
                        )
                    )
                inputs.append(env[name] if name else None)
            results = self._located(what, node, inputs, env, settings, depth)
            for name, value in zip(node.output, results):
                if not name:
                    continue
                if told and name in told and value is not None:
                    if not _fits(told[name], value):
                        self.held.check()
                    _check_declared(told[name], value, f"{what} makes {printable(name)[:80]!r},")
                if name in (env.maps[0] if isinstance(env, ChainMap) else env):
                    raise FormatError(f"{what} computes {printable(name)[:80]!r} a second time")
                env[name] = value
                waiting.discard(name)

    def _located(
        self,
        what: str,
        node: NodeProto,
        inputs: list[Value],
        env: Environment,
        settings: Mapping[str, AttributeProto],
        depth: int,
    ) -> Sequence[Value]:
        """The results of a node; errors name it."""
        at = f"{what}: " if depth < 2 else ""  # deeper inside a definition nobody knows the way
        if at:
            self.held.place = what
        try:
            self.held.step(1 + depth)
            return self._fitting(self._results(node, inputs, env, settings, depth))
        except (FormatError, TranslationError) as error:
            self.held.check()  # what had no room may be the cause
            raise type(error)(f"{at}{error}", error.nodes) from None
        except MemoryError:
            self.held.check()
            raise refusal(f"{at}{node.op_type} asks for more memory than there is") from None
        except REFUSALS as error:
            self.held.check()
            nodes = getattr(error, "nodes", ())
            raise refusal(
                f"{at}{node.op_type} cannot be translated: {error}", nodes=nodes
            ) from None

    def _fitting(self, results: Sequence[Value]) -> Sequence[Value]:
        """Results for which there is room, with numbers where these are known."""
        for y in results:
            if isinstance(y, Node) and not self.held.is_known(y):
                self.held.fit(y)
        return results

    def _results(
        self,
        node: NodeProto,
        inputs: list[Value],
        env: Environment,
        settings: Mapping[str, AttributeProto],
        depth: int,
    ) -> Sequence[Value]:
        given = _settled(node, settings)
        if node.domain == DOMAIN and (name := node.op_type.rpartition("_")[0]) in OPERATIONS:
            return [getattr(mg, name)(*inputs)]
        own = self.functions.get((node.domain, node.op_type))
        if own:
            return self._defined(own, node.op_type, inputs, given, depth)
        if node.domain not in _PLAIN:
            raise refusal(
                f"its operator is of the domain {printable(node.domain)[:60]!r}, not of ONNX",
                instead="export the model without operators of its own",
            )
        _check_age(node.op_type, self.version)
        if not defs.has(node.op_type, self.version):
            near = get_close_matches(node.op_type, RULES, 3)
            raise refusal(
                f"ONNX has no such operator in version {self.version}",
                instead=f"near ones are {', '.join(near)}" if near else "",
            )
        schema = defs.get_schema(node.op_type, self.version)
        _check(schema, inputs, given)
        if node.op_type == "If":
            return self._branch(inputs[0], given, env, settings, depth)
        call = Call(
            node.op_type,
            self.version,
            {name: self._setting(a) for name, a in given.items()},
            _defaults(node.op_type, self.version),
            sum(map(bool, node.output)),
            self.held,
            self.fed,
        )
        if node.op_type in RULES:
            results = self._ruled(call, _path(node), inputs)
            _check_asked(call)
            return results
        body = _definition(schema, node, given, inputs, self.version)
        if body is None:
            kind = next((what for name, what in _KINDS.items() if name in node.op_type), "")
            raise refusal(
                f"{node.op_type} cannot be translated" + (f": {kind}" if kind else ""),
                instead=_INSTEAD.get(kind, ""),
            )
        return self._defined(body, node.op_type, inputs, given, depth, schema)

    def _ruled(self, call: Call, path: list[str], inputs: list[Value]) -> list[Value]:
        """The results of an operator by its rule; arrays, if all inputs are."""
        rule = RULES.find(call.operator)
        if any(isinstance(x, Node) for x in inputs):
            return boxed(call.operator, path, inputs, partial(rule, call, *inputs))
        # They stand as Nodes, so that what comes of them has a shape before it has numbers.
        nodes = [None if x is None else self.held.stand_in(x) for x in inputs]
        return [
            self.held.numbers(y) if isinstance(y, Node) and not self.held.is_lacking(y) else y
            for y in listed(rule(call, *nodes))
        ]

    def _setting(self, attribute: AttributeProto) -> Any:
        if attribute.type == AttributeProto.TENSOR:
            return self.source.array(attribute.t)
        return _plain(attribute)

    # --- definitions and branches -----------------------------------------------------------------

    def _defined(
        self,
        body: FunctionProto,
        name: str,
        inputs: list[Value],
        given: Mapping[str, AttributeProto],
        depth: int,
        schema: Any = None,
    ) -> Sequence[Value]:
        """The results of an operator by its definition."""
        if depth > DEEPEST:
            raise FormatError("its definition goes on without an end")
        settings = {a.name: a for a in body.attribute_proto}
        if schema is not None:
            own = schema.attributes.items()
            settings |= {name: a.default_value for name, a in own if a.default_value.name}
        settings |= given
        outer = self.version
        if body.opset_import:
            self.version = _version(body.opset_import, outer)
        env: dict[str, Value] = dict(zip(body.input, [*inputs, *[None] * len(body.input)]))

        def compute() -> list[Value]:
            self._compute(body.node, env, settings, depth + 1)
            return [env.get(y) for y in body.output]

        try:
            return boxed(name, [], inputs, compute)
        finally:
            self.version = outer

    def _branch(
        self,
        condition: Value,
        given: Mapping[str, AttributeProto],
        env: Environment,
        settings: Mapping[str, AttributeProto],
        depth: int,
    ) -> Sequence[Value]:
        """The branch of an If whose condition is known; the other is left out."""
        if isinstance(condition, Node):
            self.held.check()
            raise refusal(
                "If chooses by a value that is computed, which is control flow",
                instead="choose elements with Where (mg.where)",
            )
        branch = given["then_branch" if np.all(condition) else "else_branch"].g
        inner: Environment = ChainMap({}, env)
        for tensor in branch.initializer:
            inner[tensor.name] = self.source.array(tensor)
        self._compute(branch.node, inner, settings, depth + 1)
        return [inner[y.name] for y in branch.output]


def _path(node: NodeProto) -> list[str]:
    """The modules that a node lies in, as in "/encoder/layer1/MatMul"."""
    return [part for part in node.name.split("/") if part.strip()][:-1]


def _plain(attribute: AttributeProto) -> Any:
    """An attribute in Python's types; what these do not have stays as it is."""
    match attribute.type:
        case AttributeProto.FLOAT:
            return attribute.f
        case AttributeProto.INT:
            return attribute.i
        case AttributeProto.STRING:
            return attribute.s.decode("utf-8", "replace")
        case AttributeProto.FLOATS:
            return [*attribute.floats]
        case AttributeProto.INTS:
            return [*attribute.ints]
        case AttributeProto.STRINGS:
            return [s.decode("utf-8", "replace") for s in attribute.strings]
    return attribute


@cache
def _defaults(operator: str, version: int) -> dict[str, Any]:
    """What the attributes of an operator are where a node has none."""
    attributes = defs.get_schema(operator, version).attributes
    return {n: _plain(a.default_value) for n, a in attributes.items() if a.default_value.name}


def _version(imports: Iterable[Any], otherwise: int = 1) -> int:
    """The version of ONNX's operators that a model means."""
    versions = [o.version for o in imports if o.domain in _PLAIN] or [otherwise]
    newest = min(NEWEST, defs.onnx_opset_version())
    version = max(versions)
    if version > newest:
        raise refusal(
            f"its operators are of version {version}, and the newest that can be is {newest}",
            instead=f"export it with opset_version={newest}",
        )
    return version


def _check_age(operator: str, version: int) -> None:
    """Refuse an operator of a version before the oldest, if it was another one then."""
    if version < OLDEST and (
        not (defs.has(operator, version) and defs.has(operator, OLDEST))
        or defs.get_schema(operator, version).since_version
        != defs.get_schema(operator, OLDEST).since_version
    ):
        raise refusal(
            f"its operator is of version {version}, and the oldest that can be is {OLDEST}",
            instead=f"convert it: onnx.version_converter.convert_version(model, {OLDEST})",
        )


def _known_among(
    given: Mapping[str, Any], names: Sequence[str], what: str, kind: str = "input"
) -> None:
    for name in given:
        if name not in names:
            wanted = ", ".join(map(printable, names)) or "none"
            raise FeedError(f"there is no {kind} {name!r:.60} for {what}; there are {wanted}")


def _type_of(x: ValueInfoProto, sizes: Mapping[str, Any]) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and the dtype of an input."""
    name = printable(x.name)[:80]
    kind = x.type.WhichOneof("value")
    if kind != "tensor_type":
        raise refusal(f"the input {name} is a {(kind or 'nothing').removesuffix('_type')}")
    tensor = x.type.tensor_type
    if tensor.elem_type not in DTYPES:
        raise refusal(
            f"the input {name} holds {type_name(tensor.elem_type)}, which minigraph has not"
        )
    dtype = np.dtype(DTYPES[tensor.elem_type])
    if x.name in sizes and np.ndim(sizes[x.name]) == 1:
        return tuple(sizes[x.name]), dtype
    told = [d.dim_param or (str(d.dim_value) if d.HasField("dim_value") else "?")
            for d in tensor.shape.dim]  # fmt: skip
    if not tensor.HasField("shape") or "?" in told:
        raise refusal(
            f"the input {name} has no shape" if "?" not in told else
            f"the input {name} has the shape ({', '.join(told)})",
            instead=f"say it as sizes={{{x.name!r}: (…)}}",
        )  # fmt: skip
    missing = {d.dim_param: 1 for d in tensor.shape.dim if d.dim_param and d.dim_param not in sizes}
    if missing:
        raise refusal(
            f"the input {name} has the shape ({', '.join(told)}), and a Node has a size for "
            "each axis",
            instead=f"say which, as in sizes={missing}",
        )
    shape = tuple(sizes[d.dim_param] if d.dim_param else d.dim_value for d in tensor.shape.dim)
    return shape, dtype


def _fits(told: ValueInfoProto, value: Value) -> bool:
    """Whether a value is what the file says of it; what it leaves open is so anyway."""
    tensor = told.type.tensor_type
    if not told.type.HasField("tensor_type"):
        return True
    sizes = [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else None
             for d in tensor.shape.dim]  # fmt: skip
    return (
        DTYPES.get(tensor.elem_type, value.dtype) == value.dtype
        and (not tensor.HasField("shape") or len(sizes) == len(value.shape))
        and all(n in (None, size) for n, size in zip(sizes, value.shape))
    )


def _check_declared(told: ValueInfoProto, value: Value, what: str) -> None:
    """Refuse what is not as the file says.

    Raises:
        FormatError: with both shapes and dtypes.
    """
    if _fits(told, value):
        return
    tensor = told.type.tensor_type
    sizes = [d.dim_param or str(d.dim_value) if d.WhichOneof("value") else "?"
             for d in tensor.shape.dim]  # fmt: skip
    dtype = DTYPES.get(tensor.elem_type, type_name(tensor.elem_type))
    shape = f" of shape ({', '.join(sizes)}{',' * (len(sizes) == 1)})"
    shape *= tensor.HasField("shape")
    raise FormatError(
        f"{what} {value.dtype} of shape {tuple(value.shape)!s:.100}, and the file says "
        f"{dtype}{printable(shape):.100}; correct what it says, or export the model again"
    )


def _settled(node: NodeProto, settings: Mapping[str, AttributeProto]) -> dict[str, AttributeProto]:
    """The attributes of a node; in a definition some are those of what is defined."""
    given = {}
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            if attribute.ref_attr_name in settings:
                given[attribute.name] = own = AttributeProto()
                own.CopyFrom(settings[attribute.ref_attr_name])
                own.name = attribute.name
        else:
            given[attribute.name] = attribute
    return given


def _check(schema: Any, inputs: Sequence[Value], given: Mapping[str, AttributeProto]) -> None:
    """Refuse a node that is none of its operator."""
    if schema.deprecated:
        raise FormatError("this version of ONNX has the operator no longer")
    if not schema.min_input <= len(inputs) <= schema.max_input:
        raise FormatError(f"it has {len(inputs)} inputs, and needs {schema.min_input} or more")
    for x, formal in zip(inputs, schema.inputs):
        if x is None and formal.option == defs.OpSchema.FormalParameterOption.Single:
            raise FormatError(f"its input {formal.name} is missing")
    for name, attribute in given.items():
        if name not in schema.attributes:
            raise FormatError(f"it has no attribute {printable(name)[:60]!r}")
        if int(schema.attributes[name].type) != attribute.type:
            raise FormatError(f"its attribute {name} is of another type")
    for name, wanted in schema.attributes.items():
        if wanted.required and name not in given:
            raise FormatError(f"its attribute {name} is missing")


def _check_asked(call: Call) -> None:
    """Refuse a setting that the rule knows nothing of, unless it is what is so anyway."""
    for name, value in call.attributes.items():
        if name not in call.asked and value != call.defaults.get(name):
            call.refuse(f"with {name}={value!r:.40}")


def _definition(
    schema: Any,
    node: NodeProto,
    given: Mapping[str, AttributeProto],
    inputs: Sequence[Value],
    version: int,
) -> FunctionProto | None:
    """What ONNX itself says an operator is made of, if it does."""
    fits = [v for v in schema.function_opset_versions if v <= version]
    if fits:
        return FunctionProto.FromString(schema.get_function_with_opset_version(max(fits)))
    fits = [v for v in schema.context_dependent_function_opset_versions if v <= version]
    if not fits:
        return None
    types = [
        (helper.make_tensor_type_proto(CODES[x.dtype], x.shape) if x is not None
         else TypeProto()).SerializeToString()
        for x in inputs
    ]  # fmt: skip
    plain = NodeProto()
    plain.CopyFrom(node)
    del plain.attribute[:]
    plain.attribute.extend(given.values())
    data = schema.get_context_dependent_function_with_opset_version(
        max(fits), plain.SerializeToString(), types
    )
    body = FunctionProto.FromString(data)
    return body if body.node else None
