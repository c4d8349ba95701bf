"""The Gantt chart of a schedule: a row for each worker, a bar for each operation.

schedule(graph, 2).chart()              # the prediction
schedule(graph, 2).chart(measured)      # and what a run has shown, on the same axis of time
"""

from __future__ import annotations

from collections.abc import Mapping

from ..compiler.rewrite import expression
from ..compiler.schedule import Schedule, Span, in_words
from ..core.node import Node
from .plot import Plot
from .theme import LIGHT

ROW = 38  # pixels
AROUND = 124  # above and below the rows: the title, the axis and its name
WIDE = 480  # from where there is room for sentences
LETTER = 9.5  # the width of one, of a bar's label
MOST_NAMED = 6  # operations of the critical path in the text alternative
_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def chart(plan: Schedule, measured: Schedule | None = None, width: float = 720) -> Plot:
    """Draw a schedule, and another one below it; bars of the critical path are filled.

    Args:
        plan: the upper one; the prediction, if there are two.
        measured: the lower one, of the same graph.
        width: in pixels.
    """
    plans = {"predicted": plan, "measured": measured} if measured else {"": plan}
    rows = [(kind, worker) for kind, p in plans.items() for worker in range(p.workers)]
    length = max(p.makespan for p in plans.values()) or 1.0
    between, gain = (" ", " times as fast as one worker") if width >= WIDE else ("\n", "×")
    unit, size = next((u for u in _UNITS if length >= u[1]), _UNITS[-1])
    pixels = width / length
    plot = Plot(_alternative(plans), width, ROW * len(rows) + AROUND)
    for kind, p in plans.items():
        for span in p.spans:
            if span.stop == span.start:
                continue  # a bar without a length would be a line that means nothing
            row = rows.index((kind, span.worker))
            labels = _labels(span.node, p.names)
            _bar(plot, span, labels, row, size, pixels, is_critical=span.node in p.path)
    axes = plot.axes
    axes.set(
        xlim=(0, length / size * 1.01),
        ylim=(len(rows) - 0.4, -0.6),
        xlabel=f"time in {unit}",
        yticks=range(len(rows)),
        yticklabels=[f"{kind}{between}worker {worker + 1}".strip() for kind, worker in rows],
    )
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    for line in range(plan.workers, len(rows), plan.workers):
        axes.axhline(line - 0.5, color=LIGHT.edge, linewidth=0.8)
    titles = [
        f"{kind} {in_words(p.makespan)}, {p.speed_up:.2f}{gain}".lstrip()
        for kind, p in plans.items()
    ]
    axes.set_title("\n".join(titles), loc="left")
    critical = axes.barh(0, 0, color=LIGHT.value, label="critical path")
    axes.legend(
        handles=[critical],
        loc="lower right",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0.2,
        handlelength=1.2,
        frameon=False,
    )
    return plot


def _bar(
    plot: Plot,
    span: Span,
    labels: list[str],
    row: int,
    size: float,
    pixels: float,
    *,
    is_critical: bool,
) -> None:
    """Draw one operation, with the first of its labels for which there is room."""
    long = span.stop - span.start
    plot.axes.barh(
        row,
        long / size,
        0.72,
        span.start / size,
        facecolor=LIGHT.value if is_critical else LIGHT.ground,
        edgecolor=LIGHT.ground if is_critical else LIGHT.value,
        linewidth=0.8,
    )
    room = (long * pixels - 4) / LETTER
    label = next((text for text in labels if len(text) <= room), "")
    if label:
        plot.axes.text(
            (span.start + long / 2) / size,
            row,
            label,
            ha="center",
            va="center",
            color=LIGHT.ground if is_critical else LIGHT.ink,
            parse_math=False,
        )


def _labels(node: Node, names: Mapping[Node, str]) -> list[str]:
    """What may stand on a bar, the best first."""
    return [f"{names[node]} = {expression(node, names)}", names[node]]


def _alternative(plans: dict[str, Schedule]) -> str:
    """Say what the chart shows."""
    texts = [f"{kind}, {p.summary}".removeprefix(", ") for kind, p in plans.items()]
    plan = next(iter(plans.values()))
    path = [plan.names[x] for x in plan.path[:MOST_NAMED]]
    more = f" and {len(plan.path) - MOST_NAMED} more" if len(plan.path) > MOST_NAMED else ""
    return (
        f"Gantt chart of {len(plan.spans)} operations: {'; '.join(texts)}. "
        f"The critical path is {', '.join(path)}{more}."
    )


Schedule.chart = chart
