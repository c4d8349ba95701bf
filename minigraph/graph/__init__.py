"""Nodes, the table of operations, and the graphs that they make.

Read `node.py`, then `operation.py` (what an operation states), `ops.py` (the table), `functions.py`
(what is composed of it) and `order.py`.
"""

# Enter the composed functions, give Node its operators, and its copies; let the collector wait.
from . import collecting as collecting
from . import functions as functions
from . import operators as operators
from . import saving as saving
