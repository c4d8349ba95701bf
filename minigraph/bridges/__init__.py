"""The same graph in other systems. Each module imports its system when it is first needed.

`dask.py` runs a graph on the cores of this machine or on a cluster. `torch.py` watches a program
that is written in PyTorch, and makes Nodes of what it does; how, is in `torch_watching.py` and in
`torch_calls.py`. It translates as well: `torch_taking.py` follows a program that PyTorch has
exported, `torch_rules.py` says what each of its operations is here, and `torch_giving.py` makes
modules. `onnx.py` makes graphs of the models in ONNX files, and such files of graphs:
`onnx_rules.py` and `onnx_layers.py` say what each operator is here, `onnx_reading.py` follows a
model, `onnx_files.py` reads its file, and `onnx_writing.py` says what each operation is there.
`jax.py` makes graphs of functions of JAX, and such functions of graphs: `jax_rules.py` says what
each primitive is here, `jax_taking.py` follows a jaxpr, and `jax_giving.py` goes the other way.
What those that translate share is in `translating.py`, `boxes.py` and `kernels.py`.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Import a bridge when it is asked for, as in `bridges.torch`."""
    if name in ("dask", "jax", "onnx", "torch"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
