"""The Node: one class for every vertex of a computational graph.

A leaf holds a value that somebody gave. Every other Node was recorded by an operation, and knows
the Nodes that it was computed from. That is the whole graph: there is no object around it.

What else a Node can do is bound to it by the module that defines it: `leaves()` by `order.py`, and
by the floors above its operators, `backward()`, and `value`, which is `_value` for users.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float64, generic, ndarray  # what is asked for all the time is looked up once

from ..errors import NodeTypeError
from ..errors.values import array_of_numbers, checked_name
from ..errors.words import brief, describe, printable

NO_ATTRS: dict[str, Any] = {}
new_seq = count()

# What surrounds a Node when it is made: the path of its scope, what is called with each Node that
# an operation makes, and what has changed these. Every thread has surroundings of its own.
surroundings: ContextVar[tuple[str, tuple[Callable[[Node], None], ...], tuple[Any, ...]]] = (
    ContextVar("surroundings", default=("", (), ()))
)


class Node:
    """A vertex: a variable, a constant, a placeholder, or the result of an operation.

    Attributes:
        op: the `Operation` that computed the value; None for a leaf.
        inputs: the Nodes that it was computed from, in order; `x * x` holds x twice.
        attrs: the operation's settings that are not Nodes, such as `axis`.
        value: `np.float64` (or another NumPy scalar) for a scalar, else a read-only `np.ndarray`;
            asking a symbolic Node for it raises a SymbolicError.
        grad: the gradient that `backward()` left here, shaped like the value; None until then.
        requires_grad: whether a variable can be reached from here.
        name, scope: a label of its own, and the path of the `scope` it was made in.
        seq: a counter of creation. Inputs are made before their users, so it sorts topologically.
    """

    __slots__ = (
        "op", "inputs", "attrs", "_value", "grad", "requires_grad",
        "name", "scope", "seq", "_assigned", "__weakref__",
    )  # fmt: skip

    op: Any
    inputs: tuple[Node, ...]
    attrs: dict[str, Any]
    _value: Any
    grad: Any
    requires_grad: bool
    name: str | None
    scope: str
    seq: int
    _assigned: tuple[int, tuple[str, int]] | None  # when and in which line a leaf was given a value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a scalar."""
        return self._value.shape

    @property
    def dtype(self) -> np.dtype:
        """The NumPy dtype of the value."""
        return self._value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size

    @property
    def kind(self) -> str:
        """What this vertex is: "variable", "constant", "placeholder" or "operation"."""
        if self.op is not None:
            return "operation"
        if is_symbolic(self):
            return "placeholder"
        return "variable" if self.requires_grad else "constant"

    def __repr__(self) -> str:
        what = self.op.name if self.op else self.kind
        value = repr(self._value) if is_symbolic(self) else f"= {brief(self._value)}"
        return f"<{printable(what)} {printable(self.name) + ' ' if self.name else ''}{value}>"

    if TYPE_CHECKING:  # what is bound elsewhere

        def _unary(self) -> Node: ...
        def _binary(self, other: Any) -> Node: ...

        __neg__ = __pos__ = __abs__ = _unary
        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __mod__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = _binary
        __rmod__ = __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = _binary
        value: Any
        T: Node
        sum: Callable[..., Node]
        mean: Callable[..., Node]
        reshape: Callable[..., Node]
        transpose: Callable[..., Node]
        named: Callable[[str | None], Node]
        detach: Callable[[], Node]
        leaves: Callable[[], list[Node]]
        backward: Callable[..., None]
        hook: Callable[..., Any]


def is_symbolic(node: Node) -> bool:
    """Whether a Node depends on a placeholder: its value is no number until its graph is run."""
    return not isinstance(node._value, (generic, ndarray))


# --- leaves ---------------------------------------------------------------------------------------


def variable(value: Any, name: str | None = None) -> Node:
    """Make a differentiable leaf.

    Args:
        value: a real number or an array of them, of any shape; copied. Integers become float64.
        name: its label in drawings and messages.

    Raises:
        NodeTypeError: if the value is not made of real numbers.
    """
    value = checked_value(value)
    if value.dtype.kind != "f":
        value = checked_value(value, np.dtype(np.float64))
    return leaf(value, requires_grad=True, name=checked_name(name))


def constant(value: Any, name: str | None = None) -> Node:
    """Make a leaf without gradient; integers and booleans keep their dtype. See `variable`."""
    return leaf(checked_value(value), requires_grad=False, name=checked_name(name))


def checked_value(value: Any, dtype: np.dtype | None = None) -> Any:
    """Copy real numbers into the form that Nodes hold, a NumPy scalar or a read-only array.

    With a dtype, floats are rounded to it; whole numbers must be among those that it holds.
    """
    if isinstance(value, Node):
        raise NodeTypeError(
            f"{describe(value)} is a Node already; use it as it is, or take its .value", (value,)
        )
    return frozen(array_of_numbers(value, dtype))


def frozen(value: Any) -> Any:
    """Return a scalar as a NumPy scalar, and an array locked against changes in place."""
    if type(value) is ndarray:
        if value.ndim == 0:
            return value[()]
        value.setflags(False)  # type: ignore  # write=False; a keyword takes twice as long
    return value


def leaf(value: Any, *, requires_grad: bool, name: str | None = None) -> Node:
    """Make a leaf of a value that has been checked; `variable` and `constant` check it first."""
    node = Node()  # no __init__: a call has its cost
    node.op = node.grad = node._assigned = None
    node.inputs = ()
    node.attrs = NO_ATTRS
    node._value = value
    node.requires_grad = requires_grad
    node.name = name
    node.scope = surroundings.get()[0]
    node.seq = next(new_seq)
    return node


# --- Nodes of operations --------------------------------------------------------------------------


def recorded(
    op: Any, inputs: tuple[Node, ...], seq: int, value: Any, attrs: dict = NO_ATTRS
) -> Node:
    """Make the Node of an operation whose value has just been computed.

    Its `seq` was taken before: so an input that another thread changes meanwhile counts as changed.
    """
    node = Node()
    node.op = op
    node.inputs = inputs
    node.attrs = attrs
    node.grad = node.name = None
    node.scope, watchers, _ = surroundings.get()
    node.seq = seq
    if type(value) is float64:
        is_float = True
    else:
        value = frozen(value)
        is_float = value.dtype.kind == "f"
    node._value = value
    node.requires_grad = False
    for x in inputs:
        if x.requires_grad:
            node.requires_grad = is_float  # integers and booleans change in jumps
            break
    if watchers:
        for watch in watchers:
            watch(node)
    return node


def copied(node: Node, inputs: tuple[Node, ...], value: Any, seq: int) -> Node:
    """Make a Node as another, on other inputs, with a value of its own and no gradient."""
    copy = Node()
    copy.op = node.op
    copy.inputs = inputs
    copy.attrs = node.attrs
    copy._value = value
    copy.requires_grad = node.requires_grad
    copy.name = node.name
    copy.scope = node.scope
    copy.seq = seq
    copy.grad = copy._assigned = None
    return copy
