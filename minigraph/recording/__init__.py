"""A pass as a list of small events: what the player, the table and the narration all read.

Read `events.py` (what is written down), `sweeps.py` (the backward pass, and wrong ways to run it),
`nudging.py` (how a change travels forwards), `recorder.py` (how a graph becomes a recording, and
how a program of your own does), `engine.py` (how an engine of your own does), `compare.py` (where
two recordings part), `narration.py` (each event in words) and `loading.py` (a recording from a
file).
"""

from . import loading, narration
from .compare import Divergence, diagnose, first_difference
from .events import Event, Recording
from .recorder import Tracer, record
from .sweeps import MISCONCEPTIONS

__all__ = [
    "MISCONCEPTIONS",
    "Divergence",
    "Event",
    "Recording",
    "Tracer",
    "diagnose",
    "first_difference",
    "loading",
    "narration",
    "record",
]
