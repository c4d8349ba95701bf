"""Derivatives of a graph: `derivatives` (backward, grad, jvp), and what is made of them."""
