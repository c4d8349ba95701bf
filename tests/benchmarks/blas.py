"""Which BLAS computes, and what of the environment would slow it.

It imports NumPy only when asked for the kernel: variables are to be unset before that.
"""

from __future__ import annotations

from collections.abc import MutableMapping

# They choose another kernel of OpenBLAS, or other blocks, than those made for the processor.
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def unset(environment: MutableMapping[str, str]) -> list[str]:
    """Remove what would slow BLAS, and return a message for each variable that was set."""
    found = [name for name in SLOWING if environment.pop(name, None) is not None]
    return [f"{name} is set, but not for the benchmarks: it may slow NumPy" for name in found]


def kernel() -> str:
    """Name the BLAS of this process, its version, and the kernel that it runs."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown, threadpoolctl is not installed"
    import numpy as np

    np.dot(np.ones(2), np.ones(2))
    libraries = [each for each in threadpool_info() if each["user_api"] == "blas"]
    keys = ("internal_api", "version", "architecture")
    names = [" ".join(str(each.get(key) or "") for key in keys).strip() for each in libraries]
    return ", ".join(dict.fromkeys(names)) or "unknown to threadpoolctl"
