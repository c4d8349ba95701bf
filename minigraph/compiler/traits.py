"""What the compiler knows about each operation: a table with a row for each of them.

All who ask, ask here: programs how an operation is written, the memory plan whose array a value
lives in, rules of algebra which inputs may change places, the model what it costs. An operation
without a row works as well: an elementwise one gives a new array, which NumPy's functions write
where they are told to; any other gives perhaps a view.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..core.node import Node
from ..core.operation import OPERATIONS, Operation
from ..errors.indices import is_basic

# Where the value of an operation on arrays lives:
OVER = "over"  # in a given array, even in that of an input that dies there, element by element
INTO = "into"  # in a given array, beside the inputs
NEW = "new"  # in an array that the operation makes
VIEW = "view"  # in that of its first input, which it shows otherwise
EITHER = "either"  # in that of an input or in a new one, who knows


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: of the operation.
        python: its text for Python's own numbers, with a place for each input; "" if it has none.
        infix: what stands between two inputs where NumPy makes the array.
        array: where its array lives, one of the words above.
        ufunc: the NumPy function that takes `out=`; for a reduction the one that it repeats.
        costs: the operation that takes as long for an element, or "nothing".
        commutes: whether its two inputs may change places, for all numbers to the bit.
        reduces: whether it takes the elements along axes together.
    """

    name: str
    python: str = ""
    infix: str = ""
    array: str = EITHER
    ufunc: str = ""
    costs: str = "add"
    commutes: bool = False
    reduces: bool = False

    @property
    def functions(self) -> list[str]:
        """The functions of Python's `math` that the text uses."""
        return re.findall(r"\w+(?=\()", self.python)


def elementwise(name: str, python: str = "", infix: str = "", commutes: bool = False) -> Row:
    """A row of which NumPy has the function; it costs what it costs."""
    return Row(name, python, infix, OVER, name, name, commutes)


def reduction(name: str, ufunc: str) -> Row:
    """A row of an operation that repeats another one along axes."""
    return Row(name, array=INTO, ufunc=ufunc, reduces=True)


# fmt: off
ROWS: dict[str, Row] = {row.name: row for row in (
    # An elementwise operation, with Python's numbers, and between arrays.
    elementwise("add",           "{} + {}",    "+",  commutes=True),
    elementwise("subtract",      "{} - {}",    "-"),
    elementwise("multiply",      "{} * {}",    "*",  commutes=True),
    elementwise("divide",        "{} / {}",    "/"),
    elementwise("power",         "pow({}, {})", "**"),
    elementwise("remainder"),
    elementwise("negative",      "-{}"),
    elementwise("absolute",      "fabs({})"),
    elementwise("sign"),
    elementwise("square",        "{0} * {0}"),
    elementwise("reciprocal",    "1.0 / {}"),
    elementwise("sqrt",          "sqrt({})"),
    elementwise("hypot",         "hypot({}, {})",    commutes=True),
    elementwise("exp",           "exp({})"),
    elementwise("exp2",          "exp2({})"),
    elementwise("expm1",         "expm1({})"),
    elementwise("log",           "log({})"),
    elementwise("log1p",         "log1p({})"),
    elementwise("log2",          "log2({})"),
    elementwise("log10",         "log10({})"),
    elementwise("logaddexp"),
    elementwise("sin",           "sin({})"),
    elementwise("cos",           "cos({})"),
    elementwise("tan",           "tan({})"),
    elementwise("arcsin",        "asin({})"),
    elementwise("arccos",        "acos({})"),
    elementwise("arctan",        "atan({})"),
    elementwise("arctan2",       "atan2({}, {})"),
    elementwise("sinh",          "sinh({})"),
    elementwise("cosh",          "cosh({})"),
    elementwise("tanh",          "tanh({})"),
    elementwise("arcsinh",       "asinh({})"),
    elementwise("arccosh",       "acosh({})"),
    elementwise("arctanh",       "atanh({})"),
    elementwise("maximum",       "({0} if {0} > {1} else {1} if {1} >= {0} else nan)"),
    elementwise("minimum",       "({0} if {0} < {1} else {1} if {1} <= {0} else nan)"),
    elementwise("floor"),
    elementwise("ceil"),
    elementwise("rint"),
    elementwise("equal",         "{} == {}",         commutes=True),
    elementwise("not_equal",     "{} != {}",         commutes=True),
    elementwise("greater",       "{} > {}"),
    elementwise("greater_equal", "{} >= {}"),
    elementwise("less",          "{} < {}"),
    elementwise("less_equal",    "{} <= {}"),
    elementwise("logical_and",                       commutes=True),
    elementwise("logical_or",                        commutes=True),
    elementwise("logical_not"),
    elementwise("isnan"),
    elementwise("isfinite"),

    # Elementwise too; NumPy has no function of this name.
    Row("relu",    "({0} if {0} > 0.0 else 0.0 if {0} <= 0.0 else nan)",
                                  array=OVER, costs="relu", ufunc="maximum"),
    Row("sigmoid", "1.0 / (1.0 + exp(-{}))",
                                  array=NEW,  costs="sigmoid"),
    Row("erf",     "erf({})",     array=NEW,  costs="erf"),
    Row("xlogy",                  array=NEW,  costs="xlogy"),

    # What takes the elements along axes together, by this operation.
    reduction("sum",  "add"),
    reduction("mean", "add"),
    reduction("max",  "maximum"),
    reduction("min",  "minimum"),

    # Other new arrays.
    Row("matmul",                 array=INTO, costs="matmul", ufunc="matmul"),
    Row("where",   "({1} if {0} else {2})",
                                  array=INTO),
    Row("astype",                 array=INTO),
    Row("concatenate",            array=INTO),
    Row("scatter_add",            array=INTO),
    Row("overlap_add",            array=INTO),
    Row("cumsum",                 array=NEW),
    Row("logsumexp",              array=NEW,  costs="exp"),
    Row("argmax",                 array=NEW),
    Row("argmin",                 array=NEW),
    Row("argsort",                array=NEW,  costs="log"),

    # Views, which move nothing; of `getitem` only what has a basic index.
    Row("stop_gradient", "{}",    array=VIEW),
    Row("reshape",                array=VIEW),
    Row("transpose",              array=VIEW),
    Row("matrix_transpose",       array=VIEW),
    Row("broadcast_to",           array=VIEW),
    Row("getitem",                array=VIEW),
    Row("windows",                array=VIEW),

    # Views or new arrays.
    Row("einsum",                             costs="matmul"),
    Row("class_numbers"),
)}
# fmt: on
OWN = Row("own")  # an operation that is none of the table's


def row_of(op: Operation) -> Row:
    """What is known about an operation; about one of the user's, nothing."""
    if OPERATIONS.get(op.name) is not op:
        return OWN
    row = ROWS.get(op.name)
    if row is None:  # the table of operations has grown
        row = ROWS[op.name] = _usual_row(op)
    return row


def _usual_row(op: Operation) -> Row:
    if not op.partials:
        return Row(op.name)
    if isinstance(getattr(np, op.name, None), np.ufunc):
        return elementwise(op.name)
    return Row(op.name, array=NEW, costs=op.name)


def known(node: Node) -> Row:
    """What is known about the operation of a Node; about a leaf, nothing."""
    return OWN if node.op is None else row_of(node.op)


def is_view(node: Node) -> bool:
    """Whether NumPy gives a view of the first input, if that is an array."""
    row = known(node)
    return row.array == VIEW and (row.name != "getitem" or is_basic(node.attrs["index"]))
