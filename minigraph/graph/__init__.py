"""Nodes, the table of operations, and the graphs that they make.

Read `node.py`, then `operation.py` (what an operation states), `ops.py` (the table) and `order.py`.
"""
