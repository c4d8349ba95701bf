"""The same graph in other systems. Each module imports its system when it is first needed.

`dask.py` runs a graph on the cores of this machine or on a cluster.
"""
