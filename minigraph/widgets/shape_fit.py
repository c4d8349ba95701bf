"""How two shapes fit together: which axes are stretched going forward, and summed going back.

An axis that an operand lacks, or in which it has size 1, is stretched to the size of the result:
its elements fan out. Fan-out adds up, so going back the gradient is summed over that axis. The rule
is the same for elementwise operations and for matmul, in which the first operand lacks the columns
of the result, and the second its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.operation import FUNCTIONS
from ..errors.shapes import Shape, broadcast_shape

OPERATIONS = ("elementwise", "matmul")
LETTERS = ("x", "y")


@dataclass(frozen=True)
class Axis:
    """One axis of the calculation.

    Attributes:
        label: "axis 1"; in matmul "rows", "summed" or "columns".
        sizes: its size in the first and the second operand; None where one lacks it.
        out: its size in the result; None where the result lacks it.
        fits: whether the two sizes go together.
    """

    label: str
    sizes: tuple[int | None, int | None]
    out: int | None
    fits: bool = True

    def is_stretched(self, operand: int) -> bool:
        """Whether an operand is stretched along this axis: it lacks it, or has size 1."""
        return self.out is not None and self.sizes[operand] != self.out


@dataclass(frozen=True)
class Fit:
    """Two shapes under one operation.

    Attributes:
        operation: "elementwise" or "matmul".
        shapes: of the first and the second operand.
        axes: the axes of the calculation, from left to right.
        out: the shape of the result; None if the shapes do not fit.
        problem: what does not fit; "" if all does.
    """

    operation: str
    shapes: tuple[Shape, Shape]
    axes: tuple[Axis, ...]
    out: Shape | None
    problem: str = ""

    def stretched(self, operand: int) -> list[Axis]:
        """The axes along which an operand is stretched, in which its gradient is summed."""
        return [axis for axis in self.axes if axis.is_stretched(operand)]

    def sum_axes(self, operand: int) -> tuple[int, ...]:
        """The numbers of the axes over which NumPy's sum has to go.

        In matmul these are the axes in front of the matrices; the product does the other sums.
        """
        count = len(self.out or ()) if self.operation == "elementwise" else self.stack
        return tuple(i for i, axis in enumerate(self.axes[:count]) if axis.is_stretched(operand))

    @property
    def stack(self) -> int:
        """The number of axes in front of the last two, in either operand."""
        return max(0, *(len(shape) - 2 for shape in self.shapes))

    def rule(self, operand: int) -> str:
        """The gradient of an operand as Python code, with g the gradient of the result."""
        code = self._product(operand) if self.operation == "matmul" else "g"
        shape = self.shapes[operand]
        axes = self.sum_axes(operand)
        if axes:
            code = f"({code})" if " " in code else code
            only_stretched = len(self.axes) == len(shape) and self.operation == "elementwise"
            keep = ", keepdims=True" if only_stretched else ""
            code = f"{code}.sum(axis={axes[0] if len(axes) == 1 else axes}{keep})"
            if not keep and any(self.axes[i].sizes[operand] == 1 for i in axes):
                code += f".reshape({shape})"
        return code

    def _product(self, operand: int) -> str:
        """matmul's rule, where a vector counts as a matrix of one row, or one column."""
        first, second = (len(shape) == 1 for shape in self.shapes)
        if first or second:
            return _VECTOR_RULES[first, second, operand]
        turned = f"{LETTERS[1 - operand]}.{'mT' if len(self.shapes[1 - operand]) > 2 else 'T'}"
        return f"g @ {turned}" if operand == 0 else f"{turned} @ g"


# By whether the first and the second operand are vectors, and whose gradient is asked for.
_VECTOR_RULES = {
    (True, True, 0): "g * y",
    (True, True, 1): "g * x",
    (True, False, 0): "y @ g",
    (True, False, 1): "np.outer(x, g)",
    (False, True, 0): "np.outer(g, y)",
    (False, True, 1): "x.T @ g",
}


def fit(first: Sequence[int], second: Sequence[int], operation: str = "elementwise") -> Fit:
    """Say how two shapes fit together; a problem is in the answer, not raised.

    Raises:
        ValueError: for another operation than "elementwise" or "matmul".
    """
    if operation not in OPERATIONS:
        raise ValueError(f"the operation is {' or '.join(OPERATIONS)}, not {operation!r}")
    shapes = (tuple(first), tuple(second))
    axes = (_elementwise_axes if operation == "elementwise" else _matmul_axes)(*shapes)
    try:
        out = _result(shapes, operation)
    except ValueError as error:
        return Fit(operation, shapes, axes, None, str(error))
    return Fit(operation, shapes, axes, out)


def _result(shapes: tuple[Shape, Shape], operation: str) -> Shape:
    """The engine's own answer, with its own message if there is none."""
    if operation == "elementwise":
        return broadcast_shape(*shapes)
    if min(map(len, shapes)) == 1 and max(map(len, shapes)) > 2:
        raise ValueError(
            "beside a stack of matrices, write a vector as a matrix of one row, (1, n)"
        )
    return FUNCTIONS["matmul"].op.shape(*shapes)  # type: ignore[attr-defined]


def _elementwise_axes(first: Shape, second: Shape) -> tuple[Axis, ...]:
    """Align at the right; in front of the shorter shape there is nothing."""
    ndim = max(len(first), len(second))
    padded = [(None,) * (ndim - len(shape)) + shape for shape in (first, second)]
    axes = []
    for number, sizes in enumerate(zip(*padded)):
        wide = {n for n in sizes if n not in (None, 1)}
        out = max((n for n in sizes if n is not None), default=1)
        axes.append(Axis(f"axis {number}", sizes, out, len(wide) < 2))
    return tuple(axes)


def _matmul_axes(first: Shape, second: Shape) -> tuple[Axis, ...]:
    """The axes in front as elementwise, then rows, the axis that is summed, and columns."""
    axes = list(_elementwise_axes(first[:-2], second[:-2]))
    if len(first) > 1:
        axes.append(Axis("rows", (first[-2], None), first[-2]))
    inner = first[-1] if first else None, second[-2:][0] if second else None
    axes.append(Axis("summed", inner, None, inner[0] == inner[1] is not None))
    if len(second) > 1:
        axes.append(Axis("columns", (None, second[-1]), second[-1]))
    return tuple(axes)
