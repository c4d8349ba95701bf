"""What a graph that is known before it runs makes possible.

Read `traits.py` (what is known about each operation), `rewrite.py` (how a graph is rebuilt),
`algebra.py` (by which rules; `patterns.py` applies them), `passes.py` (what else is worth
rebuilding), `memory.py` (where the arrays live), `arrays.py` (the program that is left) and
`plan.py` (what runs it); then `costs.py`, `schedule.py` (`handmade.py` for one of your own) and
`parallel.py` (several threads).
"""

from .algebra import ALGEBRA, UNSAFE_ALGEBRA
from .compile import Compiled
from .costs import Costs, measured, predicted
from .handmade import ScheduleError, by_hand
from .memory import MemoryPlan, Place
from .parallel import timed
from .passes import PASSES, UNSAFE, Step, optimized
from .patterns import by_rules
from .plan import Plan
from .rewrite import Rewrite
from .schedule import Schedule, Span, critical_path, levels

__all__ = [
    "ALGEBRA",
    "PASSES",
    "UNSAFE",
    "UNSAFE_ALGEBRA",
    "Compiled",
    "Costs",
    "MemoryPlan",
    "Place",
    "Plan",
    "Rewrite",
    "Schedule",
    "ScheduleError",
    "Span",
    "Step",
    "by_hand",
    "by_rules",
    "critical_path",
    "levels",
    "measured",
    "optimized",
    "predicted",
    "timed",
]
