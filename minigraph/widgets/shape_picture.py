"""The picture of a `Fit`: a table of axes, and for each operand its cells, there and back.

An element has a solid border. A stretched copy has a dashed border and a stroke through it, and
bears the number of the element that it copies. The cells of g bear numbers too: each says to which
element of the gradient the cell is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from itertools import product
from math import prod

import numpy as np

from ..drawing import theme
from ..drawing.drawing import as_image
from ..drawing.text import width
from ..errors.shapes import Shape
from .shape_fit import LETTERS, Axis, Fit

CELL, COLUMN = 26.0, 84.0
GAP, GROUP_GAP, SLICE_GAP, ROW_GAP = 14.0, 40.0, 7.0, 22.0
TITLE = 24.0
NOT_DRAWN = "⋯"
MOST_ROWS, MOST_COLUMNS, MOST_SLICES = 5, 6, 3
LEGEND = "solid: an element; dashed: a stretched copy of the element with the same number"

paint = partial(theme.paint, "auto")
Place = tuple[int, ...]  # the index of an element


@dataclass(frozen=True)
class Block:
    """A part of the picture: its size, and what writes its SVG at (x, y)."""

    width: float
    height: float
    draw: Callable[[float, float], str]


class ShapePicture:
    """A `Fit`, drawn.

    Attributes:
        alt: the picture in words.
        svg: the picture.
        html: the picture as an element with its text alternative.
    """

    def __init__(self, fit: Fit, alt: str) -> None:
        self.fit = fit
        self.alt = alt

    def __repr__(self) -> str:
        return self.alt

    @cached_property
    def _block(self) -> Block:
        rows = [_axes_table(self.fit)]
        if self.fit.out is not None:
            rows += [*(_operand(self.fit, i) for i in (0, 1)), _legend()]
        return _stacked(rows)

    @property
    def _size(self) -> tuple[float, float]:
        return self._block.width + 2 * theme.MARGIN, self._block.height + 2 * theme.MARGIN

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        wide, high = self._size
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}"'
            f' viewBox="0 0 {wide:.0f} {high:.0f}" role="img" font-family="{theme.FONTS}">'
            f"<title>How two shapes fit</title><desc>{escape(self.alt)}</desc>"
            f"{theme.dark_style('auto')}"
            f'<rect width="100%" height="100%" rx="10"{paint("ground")}/>'
            f"{self._block.draw(theme.MARGIN, theme.MARGIN)}</svg>"
        )

    @property
    def html(self) -> str:
        """The picture as an `img` element."""
        return as_image(self.svg, self.alt, *self._size)


# --- the table of axes ----------------------------------------------------------------------------


def _axes_table(fit: Fit) -> Block:
    """One column for each axis; what is stretched is dashed, what does not fit is crossed."""
    rows = [_text_row(["", *_headings(fit)])]
    for i, letter in enumerate(LETTERS):
        entries = [_table_entry(axis, i) for axis in fit.axes]
        rows.append(_beside([_text_block(letter, COLUMN), *entries], 0))
    results = ["✗" if not axis.fits else str(axis.out or "Σ") for axis in fit.axes]
    rows.append(_text_row(["result", *results]))
    return _stacked(rows, 4)


def _headings(fit: Fit) -> list[str]:
    """The axes by their labels; numbered axes also counted from the right, as messages do."""
    if fit.operation == "matmul":
        return [axis.label for axis in fit.axes]
    return [f"{axis.label} (−{n})" for n, axis in zip(range(len(fit.axes), 0, -1), fit.axes)]


def _table_entry(axis: Axis, operand: int) -> Block:
    size = "–" if axis.sizes[operand] is None else str(axis.sizes[operand])
    if not axis.fits:
        return _text_block(f"{size} ✗", COLUMN, "highlight", 'stroke-width="2.5"')
    if axis.is_stretched(operand):
        return _text_block(f"{size} → {axis.out}", COLUMN, "value", 'stroke-dasharray="4 3"')
    return _text_block(size, COLUMN)


def _text_row(texts: Sequence[str]) -> Block:
    return _beside([_text_block(text, COLUMN, role="soft") for text in texts], 0)


# --- an operand, forward and back -----------------------------------------------------------------


def _operand(fit: Fit, i: int) -> Block:
    letter, shape = LETTERS[i], fit.shapes[i]
    assert fit.out is not None
    mine, yours = _as_matrix(fit, i), _as_matrix(fit, 1 - i)
    g = fit.out if fit.operation == "elementwise" else _matrix_result(fit)
    stack = g[: len(g) - 2]
    wide = g if fit.operation == "elementwise" else (*stack, *mine[-2:])
    stretched = f" → {wide}" if wide != mine else ""
    forward = _grid(f"forward: {letter} {mine}{stretched}", wide, "value", partial(_source, mine))
    if fit.operation == "elementwise":
        back = [_grid(f"back: g {g}", g, "gradient", partial(_source, mine), copies=False)]
    else:
        turned = (*stack, yours[-1], yours[-2])
        factors = [
            _grid(f"g {g}", g, "gradient"),
            _sign("@"),
            _grid(f"{LETTERS[1 - i]}ᵀ {turned}", turned, "value", partial(_turned_source, yours)),
        ]
        back = factors if i == 0 else factors[::-1]
    axes = ", ".join(map(str, fit.sum_axes(i)))
    names = f"axes {axes}" if "," in axes else f"axis {axes}"
    arrow = _arrow(f"sum over {names}" if axes else "as it is" if len(back) == 1 else "")
    result = _grid(f"gradient of {letter} {shape}", mine, "gradient", partial(_source, mine))
    return _beside([forward, _beside([*back, arrow, result], GAP)], GROUP_GAP)


def _as_matrix(fit: Fit, i: int) -> Shape:
    """The shape of an operand; in matmul a vector is a matrix of one row, or one column."""
    shape = fit.shapes[i]
    if fit.operation == "elementwise" or len(shape) > 1:
        return shape
    return (1, *shape) if i == 0 else (*shape, 1)


def _matrix_result(fit: Fit) -> Shape:
    stack = (fit.out or ())[: fit.stack]
    return (*stack, _as_matrix(fit, 0)[-2], _as_matrix(fit, 1)[-1])


def _source(shape: Shape, place: Place) -> tuple[str, bool]:
    """The number of the element that broadcasting puts in a place, and whether it is a copy."""
    new = len(place) - len(shape)
    number = 0
    for size, n in zip(shape, place[new:]):
        number = number * size + (0 if size == 1 else n)
    is_copy = any(place[:new]) or any(n for size, n in zip(shape, place[new:]) if size == 1)
    return str(number) if number < 1000 else "", is_copy  # no room for more digits


def _turned_source(shape: Shape, place: Place) -> tuple[str, bool]:
    return _source(shape, (*place[:-2], place[-1], place[-2]))


# --- grids ----------------------------------------------------------------------------------------


def _grid(
    title: str,
    shape: Shape,
    role: str,
    source: Callable[[Place], tuple[str, bool]] = lambda place: ("", False),
    copies: bool = True,
) -> Block:
    """The cells of an array: rows and columns, and below each other what is in front of them."""
    rows, columns = (1, 1, *shape)[-2:]
    across, down = _drawn(columns, MOST_COLUMNS), _drawn(rows, MOST_ROWS)
    deep = _drawn(prod(shape[:-2]), MOST_SLICES)
    slice_height = len(down) * CELL + SLICE_GAP
    cells: list[tuple[float, float, tuple[str, bool, str]]] = []
    for (z, depth), (v, row), (h, column) in product(*map(enumerate, (deep, down, across))):
        x, y = h * CELL, TITLE + z * slice_height + v * CELL
        if depth is None or row is None or column is None:
            cells.append((x, y, (NOT_DRAWN, False, "none")))
            continue
        place = (*map(int, np.unravel_index(depth, shape[:-2])), row, column)
        text, is_copy = source(place[len(place) - len(shape) :])
        cells.append((x, y, (text, is_copy and copies, role)))
    wide = max(len(across) * CELL, width(title, theme.LABEL_SIZE))

    def draw(left: float, top: float) -> str:
        parts = [_text(left, top + TITLE / 2 - 3, title, "soft", "start")]
        parts += [_cell(left + x, top + y, *what) for x, y, what in cells]
        return "".join(parts)

    return Block(wide, TITLE + len(deep) * slice_height - SLICE_GAP, draw)


def _drawn(n: int, most: int) -> list[int | None]:
    """The numbers of what is drawn of n; None stands for those that are left out."""
    return [*range(n)] if n <= most else [*range(most - 2), None, n - 1]


def _cell(x: float, y: float, text: str, is_copy: bool, role: str) -> str:
    """A cell; a copy is dashed and struck through, so that it differs without colour too."""
    size = f'x="{x + 1.5:.1f}" y="{y + 1.5:.1f}" width="{CELL - 3:g}" height="{CELL - 3:g}" rx="3"'
    label = _text(x + CELL / 2, y + CELL / 2, text, "soft" if is_copy else "ink")
    if role == "none":
        return label
    if not is_copy:
        return f'<rect {size}{paint("variable", role)} stroke-width="1.8"/>{label}'
    stroke = f"M{x + 3:.1f} {y + CELL - 3:.1f}L{x + CELL - 3:.1f} {y + 3:.1f}"
    return (
        f'<rect {size}{paint("none", role)} stroke-dasharray="3 2.5"/>'
        f'<path d="{stroke}"{paint("none", "line")}/>{label}'
    )


def _arrow(label: str) -> Block:
    """An arrow to the right, with what happens on the way above it."""
    wide = max(width(label, theme.LABEL_SIZE), 40.0)

    def draw(x: float, y: float) -> str:
        end, middle = x + wide, y + TITLE + CELL / 2
        return (
            f"{_text(x + wide / 2, middle - 14, label, 'ink')}"
            f'<path d="M{x:.1f} {middle:.1f}H{end - 7:.1f}"{paint("none", "edge")}'
            f' stroke-width="1.6"/>'
            f'<path d="M{end:.1f} {middle:.1f}l-8 -4.5v9z"{paint("edge")}/>'
        )

    return Block(wide, TITLE + CELL, draw)


def _legend() -> Block:
    wide = width(LEGEND, theme.LABEL_SIZE)
    return Block(wide, CELL, lambda x, y: _text(x, y + CELL / 2, LEGEND, "soft", "start"))


def _sign(sign: str) -> Block:
    """An operation's sign, at the height of the first row of cells."""
    return Block(CELL, TITLE + CELL, lambda x, y: _text(x + 8, y + TITLE + CELL / 2, sign, "ink"))


def _text_block(
    text: str, wide: float, border: str = "none", style: str = "", role: str = "ink"
) -> Block:
    """A text in the middle of its room, with a border if it has to stand out."""

    def draw(x: float, y: float) -> str:
        frame = (
            f'<rect x="{x + 3:.1f}" y="{y + 1:.1f}" width="{wide - 6:.1f}" height="{CELL - 2:g}"'
            f' rx="5"{paint("none", border)} {style}/>'
        )
        label = _text(x + wide / 2, y + CELL / 2, text, role)
        return (frame if border != "none" else "") + label

    return Block(wide, CELL, draw)


def _text(x: float, y: float, text: str, role: str, anchor: str = "middle") -> str:
    """A line of text whose middle is at y."""
    size = theme.LABEL_SIZE
    return (
        f'<text x="{x:.1f}" y="{theme.baseline(y, size):.1f}" font-size="{size:g}"'
        f' text-anchor="{anchor}"{paint(role)}>{escape(text)}</text>'
    )


# --- putting blocks together ----------------------------------------------------------------------


def _beside(blocks: Sequence[Block], gap: float) -> Block:
    def draw(x: float, y: float) -> str:
        parts = []
        for block in blocks:
            parts.append(block.draw(x, y))
            x += block.width + gap
        return "".join(parts)

    wide = sum(block.width for block in blocks) + gap * (len(blocks) - 1)
    return Block(wide, max(block.height for block in blocks), draw)


def _stacked(blocks: Sequence[Block], gap: float = ROW_GAP) -> Block:
    def draw(x: float, y: float) -> str:
        parts = []
        for block in blocks:
            parts.append(block.draw(x, y))
            y += block.height + gap
        return "".join(parts)

    high = sum(block.height for block in blocks) + gap * (len(blocks) - 1)
    return Block(max(block.width for block in blocks), high, draw)
