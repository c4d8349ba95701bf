"""Time a scalar graph of 100,000 operations, minigraph beside PyTorch, and drawing one of 50.

    python -m tests.benchmarks.scalar_graph [--operations N] [--repeats N] [--json FILE]

Both libraries run the same program in turn, in one thread, with Python's garbage collector on as in
daily use. What counts is the ratio, and the median of the repeats.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import minigraph as mg

DRAWN_NODES = 50


def program(sin: Callable, x: Any, w: Any, b: Any, operations: int) -> Any:
    """A chain of four kinds of operations whose leaves are used throughout."""
    y = x
    for _ in range(operations // 4):
        y = sin(y * w + x) - b
    return y


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def passes(leaf: Callable, sin: Callable, operations: int) -> tuple[float, float]:
    """Time one forward and one backward pass, in microseconds for each operation."""
    leaves = [leaf(v) for v in (0.5, 0.75, 0.25)]
    gc.collect()
    forward, y = seconds(lambda: program(sin, *leaves, operations))
    backward, _ = seconds(y.backward)
    assert np.isfinite(float(leaves[1].grad))
    return 1e6 * forward / operations, 1e6 * backward / operations


def peers() -> dict[str, tuple[Callable, Callable]]:
    """What makes a leaf and what computes a sine, for each library that is installed."""
    found: dict[str, tuple[Callable, Callable]] = {"minigraph": (mg.variable, mg.sin)}
    try:
        import torch
    except ImportError:
        print("PyTorch is left out: pip install torch")
    else:
        torch.set_num_threads(1)
        found["PyTorch"] = (
            lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True),
            torch.sin,
        )
    return found


def bytes_per_node(operations: int) -> float:
    """Memory that the graph of a forward pass holds, for each Node."""
    tracemalloc.start()
    y = program(mg.sin, *map(mg.variable, (0.5, 0.75, 0.25)), operations)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / len(mg.topological_order(y))


def drawing(repeats: int) -> float | None:
    """Time drawing a graph of 50 Nodes once everything is loaded, in milliseconds."""
    if not hasattr(mg, "draw"):
        return None

    def draw() -> str:
        y = -program(mg.sin, *map(mg.variable, (0.5, 0.75, 0.25)), DRAWN_NODES - 4)
        for _ in range(DRAWN_NODES - len(mg.topological_order(y))):
            y = -y
        return mg.draw(y).svg

    draw()
    return 1e3 * median(seconds(draw)[0] for _ in range(repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()

    contenders = peers()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(options.repeats):
        for name, (leaf, sin) in contenders.items():
            times[name].append(passes(leaf, sin, options.operations))
    figures = {
        name: dict(zip(("forward", "backward"), map(median, zip(*pairs))))
        for name, pairs in times.items()
    }

    print(f"A scalar graph of {options.operations:,} operations: µs for each")
    print(f"{'':12}{'forward':>10}{'backward':>10}{'both':>10}")
    for name, row in figures.items():
        print(f"{name:12}{row['forward']:10.2f}{row['backward']:10.2f}{sum(row.values()):10.2f}")
    if "PyTorch" in figures:
        ratios = {way: figures["PyTorch"][way] / t for way, t in figures["minigraph"].items()}
        ratios["both"] = sum(figures["PyTorch"].values()) / sum(figures["minigraph"].values())
        print(f"{'ratio':12}" + "".join(f"{ratio:10.2f}" for ratio in ratios.values()))
    memory = bytes_per_node(options.operations)
    print(f"\nMemory of the graph: {memory:.0f} bytes a node")
    drawn = drawing(max(options.repeats, 20))
    if drawn:
        print(f"Drawing {DRAWN_NODES} nodes, warm: {drawn:.1f} ms")

    if options.json:
        report = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "operations": options.operations,
            "microseconds_per_operation": figures,
            "bytes_per_node": memory,
            "draw_50_nodes_milliseconds": drawn,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
