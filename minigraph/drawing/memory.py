"""The chart of a memory plan: for each array, when it lives and in which bytes of the arena.

mg.Graph(loss).compile().memory.chart()
"""

from __future__ import annotations

from typing import Any

from ..compiler.memory import MemoryPlan, Place
from .plot import Plot
from .theme import LIGHT

WIDTH, HEIGHT, MARGIN = 640, 320, 80
MOST_NAMED = 40  # arrays, beyond which names would be too many to read
_LETTER, _LINE = 9.5, 16.0  # pixels that a letter and a line take


def chart(memory: MemoryPlan) -> Plot:
    """Draw when each array lives, from left to right, and where, from the bottom up.

    An array that is written over another one stands beside it. The dashed line is the lower bound,
    below which no arena can go; blank places are bytes that nothing needs at that time.
    """
    plot = Plot(_alternative(memory), WIDTH, HEIGHT)
    axes = plot.axes
    end = max((place.last + 1 for place in memory.places), default=1)
    unit, name = _unit(memory.peak)
    overwritten = {place.over: place.first for place in memory.places if place.over}
    for place in memory.places:
        last = overwritten.get(place.name, place.last + 1)
        _block(axes, place, last, unit)
        wide = (last - place.first) / end * (WIDTH - MARGIN)
        high = place.size / (memory.peak or 1) * (HEIGHT - MARGIN)
        label = place.name
        if len(memory.places) <= MOST_NAMED and wide > _LETTER * len(label) and high > _LINE:
            middle = (place.first + last) / 2, (place.offset + place.size / 2) / unit
            look = {"ha": "center", "va": "center", "parse_math": False}
            axes.annotate(label, middle, **look)
    axes.axhline(memory.lower_bound / unit, color=LIGHT.gradient, linestyle="--", linewidth=1.5)
    axes.set(
        xlim=(0, end),
        ylim=(0, 1.12 * (memory.peak or 1) / unit),
        xlabel="operations, in the order in which they run",
        ylabel=f"place in the arena ({name})",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)  # they are counted
    axes.annotate(
        f"at most {memory.lower_bound / unit:,.4g} {name} live at one time",
        (end, memory.lower_bound / unit),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        color=LIGHT.gradient,
    )
    axes.grid(visible=False)
    return plot


def _block(axes: Any, place: Place, last: int, unit: float) -> None:
    from matplotlib.patches import Rectangle

    corner, wide, high = (place.first, place.offset / unit), last - place.first, place.size / unit
    axes.add_patch(Rectangle(corner, wide, high, color=LIGHT.value, alpha=0.18, linewidth=0))
    axes.add_patch(Rectangle(corner, wide, high, fill=False, edgecolor=LIGHT.value))


def _unit(size: int) -> tuple[float, str]:
    """A unit in which a size is read easily."""
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if size >= 4 * unit:
            return unit, name
    return 1, "bytes"


def _alternative(memory: MemoryPlan) -> str:
    return f"When and where the arrays of a plan live: {memory.summary}."


MemoryPlan.chart = chart
