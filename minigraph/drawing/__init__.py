"""Drawings of graphs: `draw` and what it returns.

Read `diagram.py` (what is drawn), then `skeleton.py`, `layout.py` and `route.py` (where it goes),
and `svg.py` (how it looks). What all is called, and what of a big graph is drawn at all, says the
`Reading` that a drawing is made from. `beside.py` puts pictures side by side. `plot.py` is for
curves, `gantt.py` for schedules, `memory.py` for the memory of a plan. `corner.py` draws what an
error is about.
"""

from . import corner, gantt, memory
from .comparing import Comparison, compare
from .drawing import Drawing, draw
from .plot import Plot

__all__ = ["Comparison", "Drawing", "Plot", "compare", "corner", "draw", "gantt", "memory"]
