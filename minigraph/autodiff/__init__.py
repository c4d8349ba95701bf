"""Derivatives of a graph: `reverse` (backward, grad), `forward` (jvp), `check` (gradcheck)."""
