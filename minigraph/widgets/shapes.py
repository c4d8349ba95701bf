"""The shape lens: two shapes and an operation, what is stretched going forward, and summed back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from ..errors import MinigraphError, NodeTypeError, ShapeError
from ..errors.shapes import Shape
from .base import GraphWidget
from .shape_fit import LETTERS, OPERATIONS, Fit, fit
from .shape_picture import ShapePicture

MOST_AXES, LARGEST = 4, 1_000_000
_CHOICES = dict(zip(("elementwise, such as + or ×", "matmul, @"), OPERATIONS))
_SHAPE = re.compile(r"\(?\s*(\d+(\s*[,×x ]\s*\d+)*)?\s*,?\s*\)?")


class ShapeLens(GraphWidget):
    """Two shapes to type, an operation to choose, and how they fit.

    Attributes:
        shapes: the two `ipywidgets.Text` that hold the shapes.
        operation: the `ipywidgets.Dropdown` that holds the operation.
        fit: what is on show; the last that could be read.
    """

    def __init__(
        self,
        first: Sequence[int] = (3, 1),
        second: Sequence[int] = (4,),
        operation: str = "elementwise",
    ) -> None:
        """Show how two shapes fit, to change and try; the operation is "elementwise" or "matmul".

        Raises:
            NodeTypeError: if a shape is no sequence of sizes.
            MinigraphError: for another operation.
        """
        for shape in (first, second):
            if not isinstance(shape, Sequence) or isinstance(shape, str):
                what = f"not {shape!r:.40}"
                raise NodeTypeError(f"a shape is a tuple of sizes such as (3, 1), {what}")
        if operation not in OPERATIONS:
            known = " or ".join(map(repr, OPERATIONS))
            raise MinigraphError(f"the operation is {known}, not {operation!r:.40}")
        self.shapes = [
            widgets.Text(
                value=str(tuple(shape)),
                description=f"Shape of {letter}",
                layout=widgets.Layout(width="220px"),
            )
            for letter, shape in zip(LETTERS, (first, second))
        ]
        self.operation = widgets.Dropdown(
            options=_CHOICES,
            value=operation,
            description="Operation",
            layout=widgets.Layout(width="auto"),
        )
        self.fit: Fit | None = None
        row = widgets.HBox([*self.shapes, self.operation])
        row.layout.flex_flow = "row wrap"
        super().__init__("Shape lens", [row], lines=4, height=400)
        for control in (*self.shapes, self.operation):
            self.watch(control, "value", self._update)
        self._update()

    def _update(self, _: Any = None) -> None:
        try:
            first, second = (_read(field) for field in self.shapes)
        except MinigraphError as error:
            self.refuse(error)
            return
        self.fit = fit(first, second, self.operation.value)
        told = sentences(self.fit)
        self.show(ShapePicture(self.fit, told), told)
        if self.fit.problem:
            self.say(told, problem=True)


def _read(field: widgets.Text) -> Shape:
    """The shape in a field; the ways to write one are many, and all of them are fine."""
    if not _SHAPE.fullmatch(field.value.strip()):
        raise ShapeError(
            f"the {field.description.lower()} should be whole numbers with commas between them, "
            "such as 3, 4; for a single number write ()"
        )
    shape = tuple(map(int, re.findall(r"\d+", field.value)))
    if len(shape) > MOST_AXES or not all(1 <= n <= LARGEST for n in shape):
        raise ShapeError(f"the lens draws up to {MOST_AXES} axes, each of size 1 to {LARGEST:,}")
    return shape


def sentences(fit: Fit) -> str:
    """Say what happens to either operand going forward and going back, or what does not fit."""
    if fit.out is None:
        x, y = fit.shapes
        return f"{x} and {y} do not fit: {fit.problem}."
    g = (
        "what arrives at the product"
        if fit.operation == "matmul"
        else "upstream × local derivative"
    )
    lines = [f"The result has shape {fit.out}, and so has g, {g}."]
    for i, letter in enumerate(LETTERS):
        used = " and ".join(_use(fit, i, axis.label, axis.out) for axis in fit.stretched(i))
        forward = used or "each element is used once"
        lines.append(f"{letter} {fit.shapes[i]}: {forward}. Its gradient is {fit.rule(i)}.")
    return "\n".join(lines)


def _use(fit: Fit, i: int, label: str, size: int | None) -> str:
    if label in ("rows", "columns"):
        return f"each element is used for all {size} {label} of the result"
    return f"stretched along {label} to {size}"


shape_lens = ShapeLens
