"""What a second thread gains, and what asking for it costs where it gains nothing.

python3 -m tests.benchmarks.parallel

BLAS gets one thread, unless OMP_NUM_THREADS says otherwise. Runs by one thread and by two take
turns; the median of each counts. Let no other program run meanwhile.
"""

from __future__ import annotations

import os

from . import blas

if __name__ == "__main__":  # before NumPy is imported, which reads it then
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for message in blas.unset(os.environ):
        print(message)

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import minigraph as mg
from minigraph.compiler import parallel
from minigraph.compiler.schedule import schedule

Case = tuple[str, mg.Graph, dict[str, Any]]
SHORTEST = 0.005  # seconds; what takes less is repeated within one measurement


def branches(count: int, size: int, length: int, step: Callable[[Any, Any], Any]) -> Any:
    """Independent chains on square matrices, whose means are added."""
    xs = [mg.placeholder(f"x{i}", (size, size)) for i in range(count)]
    total: Any = 0.0
    for x in xs:
        y = x
        for _ in range(length):
            y = step(y, x)
        total = total + mg.mean(y)
    rng = np.random.default_rng(0)
    return mg.Graph(total, xs), {x.name: rng.random((size, size)) / size for x in xs}


def network(batch: int, width: int) -> Any:
    """The gradients of a network with three layers."""
    x, labels = mg.placeholder("x", (batch, width)), mg.placeholder("labels", (batch,), int)
    rng = np.random.default_rng(0)
    weights = [
        mg.variable(rng.normal(size=(width, width)) / width**0.5, name=f"w{i}") for i in range(3)
    ]
    y = x
    for w in weights:
        y = mg.tanh(y @ w)
    graph = mg.Graph(mg.cross_entropy(y, labels), [x, labels, *weights])
    feeds = {"x": rng.random((batch, width)), "labels": np.zeros(batch, int)}
    return graph.grad([w.name for w in weights]), feeds


def scalars(length: int) -> Any:
    """A chain of operations on numbers."""
    y = x = mg.placeholder("x")
    for _ in range(length // 2):
        y = mg.sin(y) * x
    return mg.Graph(y, [x]), {"x": 0.5}


def cases(scale: int = 1) -> Iterator[Case]:
    """The graphs by name; a scale divides their sizes."""
    product, curve = (lambda y, x: y @ x), (lambda y, x: mg.tanh(y))
    yield "4 branches of 5 products, 400×400", *branches(4, 400 // scale, 5, product)
    yield "2 branches of 5 products, 800×800", *branches(2, 800 // scale, 5, product)
    yield "4 branches of 20 tanh, 300×300", *branches(4, 300 // scale, 20, curve)
    yield "gradients of a network, 256×512", *network(256 // scale, 512 // scale)
    yield "gradients of a network, 32×16", *network(32, 16)
    yield "1 branch of 5 products, 400×400", *branches(1, 400 // scale, 5, product)
    yield "4 branches of 5 products, 24×24", *branches(4, 24, 5, product)
    yield "a chain of 2,000 scalars", *scalars(2000 // scale)
    yield "2 scalars", *scalars(2)


def compared(graph: mg.Graph, feeds: dict[str, Any], rounds: int) -> tuple[float, float]:
    """Seconds of a run by one thread, and of one by two."""
    for _ in range(2 * parallel.TRIALS):
        graph.run(feeds, workers=2)
    start = perf_counter()
    graph.run(feeds)
    count = max(1, int(SHORTEST / (perf_counter() - start)))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, found in seconds.items():
            start = perf_counter()
            for _ in range(count):
                graph.run(feeds, workers=workers)
            found.append((perf_counter() - start) / count)
    return median(seconds[1]), median(seconds[2])


def table(rounds: int = 30, scale: int = 1) -> str:
    """Measure all graphs and write a row for each."""
    lines = [f"{'graph':34}  {'1 thread':>10}  {'2 threads':>10}  ratio  predicted"]
    for name, graph, feeds in cases(scale):
        one, two = compared(graph, feeds, rounds)
        gain = schedule(graph, 2).speed_up
        times = f"{one * 1e3:8.3f}ms  {two * 1e3:8.3f}ms"
        lines.append(f"{name:34}  {times}  {one / two:5.2f}  {gain:9.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"BLAS: {blas.kernel()}")
    print(table())
