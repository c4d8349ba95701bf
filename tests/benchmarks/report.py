"""Report the figures: one table for the terminal, JSON, and a chart of cost against graph size."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from .contenders import DRAWN_NODES, EXPLORED_NODES, NETWORKS
from .measuring import Row

OURS = "minigraph"
NAME, COLUMN = 15, 10  # widths in the table


@dataclass(frozen=True)
class Section:
    """A part of the table: what the contenders took for one piece of work.

    `scale` turns a Row's seconds (or bytes) into the unit that the title names.
    """

    title: str
    rows: list[Row]
    columns: tuple[str, ...]
    scale: float
    totals: bool = True


@dataclass
class Setting:
    """What was measured, and where.

    Attributes:
        messages: who is missing, and what was changed for the benchmarks.
        versions: of the contenders, by name.
        kernels: those of BLAS that ran, and the names of the contenders in whose processes.
    """

    messages: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    kernels: dict[str, list[str]] = field(default_factory=dict)


def sections(
    rows: Sequence[Row], memory: Sequence[Row], chains: Sequence[int], mixes: Sequence[int] = ()
) -> list[Section]:
    """Arrange the Rows: scalar graphs of the sizes given, networks, memory, pictures, and more."""
    parts = []
    for size in chains:
        chosen = [r for r in rows if (r.kind, r.size) == ("chain", size)]
        title = f"Scalar graph of {size:,} operations: µs for each operation"
        parts.append(Section(title, chosen, ("forward", "backward", "free"), 1e6 / size))
    for size in mixes:
        chosen = [r for r in rows if (r.kind, r.size) == ("mix", size)]
        title = f"x·b, x + y, z·0.5 and tanh in turn, {size:,} operations: µs for each operation"
        parts.append(Section(title, chosen, ("forward", "backward", "free"), 1e6 / size))
    for kind, network in NETWORKS.items():
        chosen = [r for r in rows if r.kind == kind]
        title = f"Training step, {network.title}: µs"
        parts.append(Section(title, chosen, ("forward", "backward", "update", "free"), 1e6))
    for epochs in {r.size: None for r in rows if r.kind == "digits"}:
        trained = [r for r in rows if r.kind == "digits"]
        title = f"Training on digits, 64-64-10, relu, Adam, {epochs} × 1,437 in batches of 64: ms"
        parts.append(Section(title, trained, ("training", "free"), 1e3))
    for size in {r.size: None for r in memory}:
        title = f"Memory of a scalar graph of {size:,} operations: bytes held for each, after"
        parts.append(Section(title, list(memory), ("forward", "backward"), 1, totals=False))
    drawn = [r for r in rows if r.kind == "drawing"]
    title = f"Drawing {DRAWN_NODES} nodes, warm: ms"
    parts.append(Section(title, drawn, ("build", "draw"), 1e3))
    for nodes in EXPLORED_NODES:
        moved = [r for r in rows if (r.kind, r.size) == ("sliding", nodes)]
        title = f"Moving a slider, {nodes} nodes, the input that is nudged or another: ms"
        parts.append(Section(title, moved, ("nudged", "another"), 1e3, totals=False))
    largest = max((r.size for r in rows if r.kind == "chain" and r.stages), default=0)
    chosen = [r for r in rows if (r.kind, r.size) == ("chain", largest) and r.stages]
    title = f"The largest graph, {largest:,} operations: s"
    parts.append(Section(title, chosen, ("forward", "backward", "free"), 1))
    return [part for part in parts if part.rows]


def table(parts: Sequence[Section], setting: Setting) -> str:
    """Write the table, and notes below it: what was left out and why."""
    lines = [heading(setting)]
    notes: dict[str, list[str]] = {}
    for part in parts:
        compared = part.totals and len(part.rows) > 1 and OURS in {r.contender for r in part.rows}
        names = [*part.columns, *(["total"] if part.totals else [])]
        header = "".join(f"{name:>{COLUMN}}" for name in names)
        lines += ["", part.title]
        lines.append(" " * NAME + header + (f"{'÷ ' + OURS:>14}" if compared else ""))
        for row in part.rows:
            if row.stages:
                lines.append(_line(row, part, compared))
            if row.note:
                notes.setdefault(f"{row.contender}: {row.note}", []).append(_what(row))
    lines += ["", *setting.messages]
    lines += [f"{note} ({', '.join(dict.fromkeys(where))})" for note, where in notes.items()]
    return "\n".join(lines).rstrip()


def heading(setting: Setting) -> str:
    """Name what was measured, and where."""
    peers = ", ".join(f"{name} {version}" for name, version in setting.versions.items())
    python = f"Python {platform.python_version()}, NumPy {np.__version__}"
    lines = [peers, f"{python}, {platform.machine()}; one thread, float64, medians"]
    one = len(setting.kernels) == 1
    for kernel, names in setting.kernels.items():
        lines.append(f"BLAS: {kernel}" + ("" if one else f" ({', '.join(names)})"))
    return "\n".join(lines)


def _line(row: Row, part: Section, compared: bool) -> str:
    """A contender's figures. What was compiled into one piece has a total only."""
    cells = [row.stages.get(column) for column in part.columns]
    if "compiled" in row.stages:
        cells = [None] * len(cells)
    if part.totals:
        cells.append(row.total)
    text = "".join(f"{_number(cell, part.scale):>{COLUMN}}" for cell in cells)
    if compared:
        share = ratio(row, part.rows)
        text += f"{'' if share is None else f'{share:.2f}':>14}"
    return f"{row.contender:{NAME}}{text}"


def _number(value: float | None, scale: float) -> str:
    if value is None:
        return "–"
    value *= scale
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _what(row: Row) -> str:
    return f"{row.kind} {row.size:,}" if row.kind in ("chain", "mix") else row.kind


def ratio(row: Row, rows: Sequence[Row]) -> float | None:
    """How many times as long as minigraph a contender took for the same work."""
    for other in rows:
        if (other.contender, other.kind, other.size) == (OURS, row.kind, row.size):
            return row.total / other.total if row.total and other.total else None
    return None


def as_json(rows: Sequence[Row], memory: Sequence[Row], setting: Setting) -> dict[str, Any]:
    """Gather all figures as plain data: seconds for the whole work, bytes for each operation."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "versions": setting.versions,
        "blas": setting.kernels,
        "messages": setting.messages,
        "rows": [
            {
                "contender": row.contender,
                "kind": row.kind,
                "size": row.size,
                "seconds": row.stages,
                "total": row.total,
                "ratio": ratio(row, rows),
                "turns": row.turns,
                "note": row.note,
            }
            for row in rows
        ],
        "memory": [
            {
                "contender": row.contender,
                "operations": row.size,
                "bytes": row.stages,
                "note": row.note,
            }
            for row in memory
        ],
    }


# --- the chart ------------------------------------------------------------------------------------


def chart(rows: Sequence[Row], path: Path, limit: float) -> None:
    """Draw the cost of an operation against the size of the graph; the suffix says the format.

    Args:
        rows: those of the scalar graphs.
        path: what to write, as `cost.svg` or `cost.png`.
        limit: the seconds after which a contender was given up; the chart says so.
    """
    from minigraph.drawing.plot import Plot
    from minigraph.graph.files import write

    curves = {
        name: [(r.size, 1e6 * r.total / r.size) for r in rows if r.contender == name and r.total]
        for name in dict.fromkeys(r.contender for r in rows)
    }
    curves = {name: sorted(points) for name, points in curves.items() if points}
    plot = Plot(_alternative(curves), width=760, height=480)
    for name, points in curves.items():
        _curve(plot.axes, name, points)
    _axes(plot.axes, curves)
    _titles(plot.axes, limit)
    _labels(plot.axes, curves)
    if path.suffix == ".svg":
        content = plot.svg.encode()
    else:
        picture = BytesIO()
        plot.figure.savefig(picture, format=path.suffix[1:] or "png", dpi=144)
        content = picture.getvalue()
    write(path, content)


def _alternative(curves: dict[str, list[tuple[int, float]]]) -> str:
    ends = "; ".join(
        f"{name} {points[0][1]:.3g} at {points[0][0]:,} and {points[-1][1]:.3g} at "
        f"{points[-1][0]:,} operations"
        for name, points in curves.items()
    )
    return (
        f"Microseconds for each operation of a scalar graph, forward, backward and freed: {ends}."
    )


def look(name: str) -> tuple[str, str]:
    """The colour and the marker of a contender; each can be told by the marker alone."""
    from minigraph.drawing.theme import LIGHT

    return {
        OURS: (LIGHT.value, "o"),
        "minigraph plan": (LIGHT.value, "*"),
        "NumPy by hand": (LIGHT.ink, "h"),
        "PyTorch eager": (LIGHT.gradient, "s"),
        "MyGrad": ("#a87200", "D"),
        "autograd": ("#b0609a", "v"),
        "micrograd": (LIGHT.soft, "P"),
        "JAX eager": ("#0f8f6a", "^"),
        "JAX jit": ("#0f8f6a", "X"),
    }[name]


def _curve(axes: Any, name: str, points: list[tuple[int, float]]) -> None:
    colour, marker = look(name)
    ours = name == OURS
    axes.plot(
        *zip(*points),
        color=colour,
        marker=marker,
        linewidth=3 if ours else 1.6,
        markersize=8 if ours else 6,
        markeredgewidth=0,
        linestyle="--" if name in ("JAX jit", "minigraph plan") else "-",
        zorder=4 if ours else 3,
    )


def _axes(axes: Any, curves: dict[str, list[tuple[int, float]]]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.7g}"))
        axis.set_minor_formatter(NullFormatter())
        axis.set_tick_params(which="both", length=0)
    axes.grid(which="minor", visible=False)
    axes.set_xlabel("operations in the graph")
    costs = [cost for points in curves.values() for _, cost in points]
    axes.set_ylim(min(costs) / 1.6, max(costs) * 1.6)


def _titles(axes: Any, limit: float) -> None:
    from minigraph.drawing.theme import LIGHT

    title = "What an operation of a scalar graph costs: µs, forward, backward and freed"
    axes.set_title(title, loc="left", fontsize=13, pad=30)
    below = f"Float64, one thread. A line ends where one run would take more than {limit:.0f} s"
    below += ", or compiling would, which is not counted."
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(below, (0, 1), xytext=(0, 12), fontsize=9.5, color=LIGHT.soft, **place)


def _labels(axes: Any, curves: dict[str, list[tuple[int, float]]]) -> None:
    """Write each name at the end of its curve, apart from the names of its neighbours."""
    ends = {name: points[-1] for name, points in curves.items()}
    axes.set_xlim(right=max(size for size, _ in ends.values()) * 7)  # room for the names
    low, high = np.log(axes.get_ylim())
    for size in {size for size, _ in ends.values()}:
        names = sorted((name for name in ends if ends[name][0] == size), key=lambda n: ends[n][1])
        heights = _apart([np.log(ends[name][1]) for name in names], 0.05 * (high - low))
        for name, height in zip(names, heights):
            axes.annotate(
                name,
                (size, np.exp(height)),
                xytext=(10, 0),
                textcoords="offset points",
                va="center",
                fontsize=11,
                bbox={"facecolor": axes.get_facecolor(), "edgecolor": "none", "pad": 1},
                zorder=2.5,  # above the grid, below the curves
                color=look(name)[0],
                weight="bold" if name == OURS else "normal",
            )


def _apart(heights: list[float], gap: float) -> list[float]:
    """Move ascending heights until neighbours are a gap apart, each as far as the other."""
    heights = [*heights]
    for _ in range(100):
        for i in range(len(heights) - 1):
            one, other = heights[i : i + 2]
            push = max(0.0, gap - (other - one)) / 2
            heights[i : i + 2] = one - push, other + push
    return heights
