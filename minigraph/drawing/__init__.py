"""Drawings of graphs: `draw` and what it returns.

Read `diagram.py` (what is drawn), then `skeleton.py`, `layout.py` and `route.py` (where it goes),
and `svg.py` (how it looks). `fold.py` decides what of a big graph is drawn at all.
"""

from .drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
