"""The Node: one class for every vertex of a computational graph.

Make leaves with `variable` and `constant`, and with `placeholder` if the graph is to be defined
before there are numbers: then all that depends on it is symbolic, it has a shape and a dtype, and a
value only when a `Graph` is run. Everything else about a Node, its operators,
`backward()`, `leaves()`, is bound to it by the module that defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from math import prod
from numbers import Number
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy import ndarray

from .context import Block, Line, calling_line, surroundings, unwatched, watching
from .errors import MinigraphError, NodeTypeError, ShapeError, SymbolicError

if TYPE_CHECKING:
    from .operation import Operation

NO_ATTRS: dict[str, Any] = {}
NUMBER: dict[str, Any] = {}  # the attrs of a constant that stands for a number beside another one
new_seq = count()


class Unknown:
    """The value of a symbolic Node: its shape and dtype, and no numbers.

    NumPy's functions refuse it with a TypeError, which tells an operation that it is symbolic.

    Attributes:
        shape, dtype: of the value.
        number: what stands for a number of Python has a type here, float, or object where it may
            be an int as well; its dtype then gives way to that of what stands beside it.
    """

    __slots__ = ("dtype", "number", "shape")
    __array_ufunc__ = None

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, number: type | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.number = number

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("there are no numbers here yet")

    def __array_function__(self, *call: Any) -> Any:
        raise TypeError("there are no numbers here yet")

    def __repr__(self) -> str:
        return f"{self.dtype} of shape {self.shape}"


class Identity:
    """What `a == b` of two Nodes gives: whether they are the same Node.

    It is true or false where Python asks, as in `if a == b` and `b in [a, b]`, but no boolean: so
    nobody computes with it who meant to compare elements, which `mg.equal(a, b)` does.
    """

    __slots__ = ("_same",)

    def __init__(self, same: bool) -> None:
        self._same = same

    def __bool__(self) -> bool:
        return self._same

    def __eq__(self, other: object) -> bool:
        return self._same == other if isinstance(other, bool | Identity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._same)

    def __repr__(self) -> str:
        return f"<{'the same Node' if self._same else 'two Nodes'}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # which Python and IPython look for
            raise AttributeError(name)
        self._refuse()

    def _refuse(self, *others: Any, **options: Any) -> NoReturn:
        raise NodeTypeError(f"== and != of two Nodes ask whether they are the same one; {_COMPARE}")

    for _name in (
        "abs", "add", "and", "array", "array_function", "array_ufunc", "float", "index", "int",
        "invert", "mul", "neg", "or", "radd", "rand", "rmul", "ror", "rsub", "rtruediv", "rxor",
        "sub", "truediv", "xor",
    ):  # fmt: skip
        vars()[f"__{_name}__"] = _refuse
    del _name


_COMPARE = "write mg.equal(a, b) or mg.not_equal(a, b) to compare their elements"


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

    Nodes are hashed by identity, and `a == b` asks whether two are the same Node, as lists and
    tuples do that look for one: two Nodes with equal values are still two Nodes. What `==` gives is
    an `Identity`, which no operation takes; with a number or an array `==` is refused. Elements are
    compared with `mg.equal` and `mg.not_equal`, or with `<`, `<=`, `>` and `>=`.

    A value leaves the graph as `.value`. What would take it out without a word and lose its
    gradient, such as `math.exp(x)` or `array[0] = x`, is refused; `if x > 0` and `f"{x:.3f}"` are
    not.
    """

    __slots__ = (
        "op", "inputs", "attrs", "_value", "grad", "requires_grad",
        "name", "scope", "seq", "_assigned", "__weakref__",
    )  # fmt: skip

    op: Operation | None
    inputs: tuple[Node, ...]
    attrs: dict[str, Any]
    _value: Any
    grad: Any
    requires_grad: bool
    name: str | None
    scope: str
    seq: int
    _assigned: tuple[int, Line] | None  # when and where a leaf last took a new value

    @property
    def value(self) -> Any:
        """The number or array held here."""
        if type(self._value) is Unknown:
            raise SymbolicError(
                f"{describe(self)} has no value: it waits for {_placeholders(self)}; run the graph "
                "with numbers, as in mg.Graph(y).run({'x': 1.0})",
                (self,),
            )
        # A view, for the shape and the dtype of an array can be set where its elements cannot.
        return self._value.view() if type(self._value) is ndarray else self._value

    @value.setter
    def value(self, new: Any) -> None:
        if self.op is not None:
            raise NodeTypeError(
                f"{describe(self)} is computed from its inputs, so its value cannot be set; "
                "give a leaf a new value and run the forward pass again",
                (self,),
            )
        if type(self._value) is Unknown:
            raise SymbolicError(
                f"{describe(self)} gets its value when the graph is run, as in "
                "mg.Graph(y).run({'x': 1.0})",
                (self,),
            )
        try:
            new = checked_value(new, self.dtype)
        except NodeTypeError as error:
            raise NodeTypeError(f"{describe(self)} cannot take this value: {error}") from None
        if new.shape != self.shape:
            raise ShapeError(
                f"{describe(self)} cannot take a value of shape {new.shape}; make a new leaf",
                (self,),
            )
        self._value = new
        self._assigned = next(new_seq), calling_line()

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
        if type(self._value) is Unknown:
            return "placeholder"
        return "variable" if self.requires_grad else "constant"

    def named(self, name: str | None) -> Node:
        """Give this Node a name and return it: `y = (d * e).named("y")`."""
        self.name = checked_name(name)
        return self

    def detach(self) -> Node:
        """Return a constant with the same value, cut off from how it was computed."""
        if type(self._value) is Unknown:
            raise SymbolicError(
                f"{describe(self)} has no value that a constant could keep; use "
                "mg.stop_gradient, which lets the value through and no gradient",
                (self,),
            )
        return leaf(self._value, requires_grad=False, name=self.name)

    def __repr__(self) -> str:
        what = self.op.name if self.op else self.kind
        is_unknown = type(self._value) is Unknown
        value = repr(self._value) if is_unknown else f"= {brief(self._value)}"
        return f"<{printable(what)} {printable(self.name) + ' ' if self.name else ''}{value}>"

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Node):
            return Identity(self is other)
        return self._compared(other)

    def __ne__(self, other: object) -> Any:
        if isinstance(other, Node):
            return Identity(self is not other)
        return self._compared(other)

    __hash__ = object.__hash__

    def _compared(self, other: object) -> Any:
        """Refuse numbers and arrays; anything else is no Node, and Python says so."""
        if isinstance(other, Number | list | tuple) or hasattr(other, "__array__"):
            raise NodeTypeError(
                f"{describe(self)} is not compared with {str(other)[:40]} by == or !=, which ask "
                f"whether two are the same Node; {_COMPARE}",
                (self,),
            )
        return NotImplemented

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __bool__(self) -> bool:
        return bool(self._one_element("bool"))

    def __format__(self, spec: str) -> str:
        return format(self._one_element("a format"), spec) if spec else repr(self)

    def _number(self, what: str) -> Any:
        """The one element as a number of Python, if no gradient is lost by that."""
        number = self._one_element(what)
        if self.requires_grad:
            raise self._leaving("a plain number, as in math.exp or an element of an array")
        return number

    def _leaving(self, what: str) -> NodeTypeError:
        lost = ", and lose its gradient" * self.requires_grad
        return NodeTypeError(
            f"{describe(self)} would leave the graph by becoming {what}{lost}; "
            "write .value if that is what you want",
            (self,),
        )

    def _one_element(self, what: str) -> Any:
        if type(self._value) is Unknown:
            raise SymbolicError(
                f"{what}({describe(self)}): it has no value yet, for it waits for "
                f"{_placeholders(self)}. A static graph is built before there are numbers, so "
                "Python cannot branch or loop on them; choose between two values with mg.where, or "
                "make the graph anew for each input, with mg.variable in place of mg.placeholder",
                (self,),
            )
        if self.size != 1:
            raise NodeTypeError(
                f"{describe(self)} has {self.size} elements, and {what} takes one; "
                "reduce it first, for example with mg.sum",
                (self,),
            )
        return self._value.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._leaving("an array")

    if TYPE_CHECKING:  # bound at the foot of ops.py, order.py and autodiff/reverse.py
        T: Node

        # fmt: off
        def __add__(self, other: Any) -> Node: ...
        def __radd__(self, other: Any) -> Node: ...
        def __sub__(self, other: Any) -> Node: ...
        def __rsub__(self, other: Any) -> Node: ...
        def __mul__(self, other: Any) -> Node: ...
        def __rmul__(self, other: Any) -> Node: ...
        def __truediv__(self, other: Any) -> Node: ...
        def __rtruediv__(self, other: Any) -> Node: ...
        def __pow__(self, other: Any) -> Node: ...
        def __rpow__(self, other: Any) -> Node: ...
        def __matmul__(self, other: Any) -> Node: ...
        def __rmatmul__(self, other: Any) -> Node: ...
        def __neg__(self) -> Node: ...
        def __pos__(self) -> Node: ...
        def __abs__(self) -> Node: ...
        def __lt__(self, other: Any) -> Node: ...
        def __le__(self, other: Any) -> Node: ...
        def __gt__(self, other: Any) -> Node: ...
        def __ge__(self, other: Any) -> Node: ...
        def __getitem__(self, index: Any) -> Node: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Node]: ...
        sum: Callable[..., Node]
        mean: Callable[..., Node]
        reshape: Callable[..., Node]
        transpose: Callable[..., Node]
        leaves: Callable[[], list[Node]]
        backward: Callable[..., None]
        # fmt: on


def leaf(value: Any, *, requires_grad: bool, name: str | None = None) -> Node:
    """Make a leaf of a value that has been checked; `variable` and `constant` check it first."""
    node = Node()  # no __init__: operations fill their Nodes themselves, and a call has its cost
    node.op = node.grad = node._assigned = None
    node.inputs = ()
    node.attrs = NO_ATTRS
    node._value = value
    node.requires_grad = requires_grad
    node.name = name
    node.scope = surroundings.get()[0]
    node.seq = next(new_seq)
    return node


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


def placeholder(name: str, shape: Any = (), dtype: Any = np.float64) -> Node:
    """Make a leaf whose value comes when the graph is run; what depends on it is symbolic.

    Args:
        name: by which `Graph.run` is given the value.
        shape: of the value; () for a scalar.
        dtype: of real numbers or booleans.

    Raises:
        NodeTypeError: if the name, the shape or the dtype cannot be one.
    """
    if checked_name(name) is None:
        raise NodeTypeError("a placeholder needs a name, by which it is given its value")
    try:
        shape = np.broadcast_to(np.False_, shape).shape
    except (TypeError, ValueError):
        raise NodeTypeError(f"a shape is a tuple of sizes such as (32, 4), not {shape!r}") from None
    dtype = np.dtype(dtype).newbyteorder("=")
    if dtype.kind not in "fiub":
        raise NodeTypeError(f"a Node holds real numbers, not {dtype}")
    return leaf(Unknown(shape, dtype), requires_grad=dtype.kind == "f", name=name)


def is_symbolic(node: Node) -> bool:
    """Whether a Node depends on a placeholder, so that it has no value of its own."""
    return type(node._value) is Unknown


def _placeholders(node: Node) -> str:
    """Name the placeholders that a symbolic Node waits for."""
    found: dict[Node, None] = {node: None}
    for x in (stack := [node]):  # it grows while it is walked
        for y in x.inputs:
            if y not in found and type(y._value) is Unknown:
                found[y] = None
                stack.append(y)
    names = sorted(printable(x.name or "") for x in found if x.op is None)
    return " and ".join([*names[:3], f"{len(names) - 3} more"] if len(names) > 4 else names)


def no_grad() -> Block:
    """Compute without recording: operations inside make constants, which hold no inputs.

    Use it as `with mg.no_grad():`, for evaluation or for updating weights.
    """
    return watching(_cut_off)


def recording() -> Block:
    """Record even inside `no_grad`, for derivatives that are computed from a graph."""
    return unwatched(_cut_off)


def _cut_off(node: Node) -> None:
    if type(node._value) is Unknown:  # without its inputs it could never have a value
        node.requires_grad = False
        return
    node.op = None
    node.inputs = ()
    node.attrs = NO_ATTRS
    node.requires_grad = False
    node._assigned = None


def checked_value(value: Any, dtype: np.dtype | None = None) -> Any:
    """Copy real numbers into the form that Nodes hold: NumPy scalar or read-only array.

    With a dtype, floats are rounded to it; whole numbers must be among those that it holds.
    """
    if isinstance(value, Node):
        raise NodeTypeError(
            f"{describe(value)} is a Node already; use it as it is, or take its .value", (value,)
        )
    if isinstance(value, np.ma.MaskedArray):
        raise NodeTypeError("a Node has no masked elements; take .filled(0) or such, and mg.where")
    try:
        array = np.array(value)
    except MinigraphError:
        raise
    except (ValueError, TypeError) as error:
        raise NodeTypeError(f"cannot make an array of {type(value).__name__}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise NodeTypeError(f"a Node holds real numbers, not {_not_real(value, array)}")
    if not array.dtype.isnative:  # as in files of other machines, for which dtypes are two
        array = array.astype(array.dtype.newbyteorder("="))
    if dtype is None or dtype == array.dtype:
        return frozen(array)
    return frozen(_fitted(array, dtype))


def _fitted(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An array in another dtype, where no number wraps around or becomes infinite."""
    are_whole = array.dtype.kind in "iu" and dtype.kind in "iu"
    if not are_whole and not np.can_cast(array.dtype, dtype, "same_kind"):
        raise NodeTypeError(f"{array.dtype} does not fit into {dtype} without rounding")
    with np.errstate(all="ignore"):
        found = array.astype(dtype, copy=False)
    wrong = found != array if are_whole else np.isinf(found) & np.isfinite(array)
    if wrong.any():
        limits: Any = np.iinfo(dtype) if are_whole else np.finfo(dtype)
        raise NodeTypeError(
            f"{array[wrong][0]} does not fit into {dtype}, "
            f"which holds numbers from {limits.min} to {limits.max}"
        )
    return found


def frozen(value: Any) -> Any:
    """Return a scalar as a NumPy scalar, and an array locked against changes in place."""
    if type(value) is ndarray:
        if value.ndim == 0:
            return value[()]
        value.setflags(False)  # type: ignore  # write=False; a keyword takes twice as long
    return value


def _not_real(value: Any, array: np.ndarray) -> str:
    if value is None:
        return "None; does a function here lack its return?"
    if isinstance(value, str):
        return f"the text {value[:40]!r}; to read an expression use mg.parse"
    if array.dtype.kind == "c":
        return f"the complex {brief(array)}; keep its real and imaginary part in two Nodes"
    if array.dtype.kind == "O" and any(isinstance(item, Node) for item in array.flat):
        return "an array of Nodes; keep them as separate Nodes, or make one variable of an array"
    return f"{type(value).__name__} {str(value)[:40]}"


def checked_name(name: str | None) -> str | None:
    """Return the name if it can be one."""
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise NodeTypeError(f"a name is a text such as 'w', not {name!r}")
    return name


def brief(value: Any) -> str:
    """Write a value in a few characters: the number, a short array, or dtype and shape."""
    if np.ndim(value) == 0:
        return str(value)
    if np.size(value) <= 6:
        return np.array2string(np.asarray(value), precision=4, separator=", ").replace("\n", "")
    return f"{value.dtype} of shape {value.shape}"


def printable(text: str) -> str:
    """A text with escapes for what moves a terminal's cursor, or cannot be seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def describe(node: Node) -> str:
    """Name a Node in a message: "h (add, shape (3, 4))"."""
    what = printable(node.op.name) if node.op else node.kind
    label = (node.name and printable(node.name)) or (
        f"the {what}" if node.op or node.shape else f"the {what} {node._value}"
    )
    shape = f"shape {node.shape}"
    return f"{label} ({what}, {shape})" if node.name else f"{label} ({shape})"
