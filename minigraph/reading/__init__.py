"""How a graph is read: what counts as one operation, what everything is called, how it is written.

A `Reading` is made once for a graph, and handed on to all that show it: the drawing, the recording,
the player, the plan and the schedule. So the node that the picture calls v₁ is v₁ everywhere.

Read `text.py` (numbers, values and names as texts), `words.py` (operations and tables),
`formula.py` and `local.py` (local derivatives as formulas and as numbers), `calls.py` (composed
functions as one operation each), `parts.py` (what of a big graph is shown), `names.py`, and
`reading.py`, which puts them together.
"""

from .reading import Reading

__all__ = ["Reading"]
