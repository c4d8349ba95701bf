"""Choose a number of workers and a price of handing over, and see the schedule of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from ..compiler.costs import Costs
from ..compiler.schedule import critical_path, in_words, schedule
from ..core.node import Node
from ..errors import MinigraphError, NodeTypeError
from ..errors.words import describe
from ..graph.graph import Graph
from .base import GraphWidget
from .explore_function import is_number

MOST_WORKERS = 8


class ScheduleViewer(GraphWidget):
    """A slider for the workers, one for the price of handing over, and the Gantt chart.

    Attributes:
        workers: the `ipywidgets.IntSlider` that chooses how many there are.
        handoff: the `ipywidgets.FloatSlider` that chooses how long a worker waits for what another
            one has computed.
        graph, seconds: what is scheduled, and what its operations cost.
    """

    def __init__(self, graph: Graph, seconds: Mapping[Node, float], workers: int = 2) -> None:
        """Show the schedule of a graph, for any number of workers and any price of handing over.

        Args:
            graph: to schedule.
            seconds: what each operation costs.
            workers: to begin with, 1 to 8.

        Raises:
            MinigraphError: if an operation has no cost, or one that is no time.
        """
        if not isinstance(graph, Graph):
            raise NodeTypeError(f"a schedule is of a Graph, such as mg.Graph(y), not {graph!r:.40}")
        for node in graph.order:
            if node.op and not (is_number(seconds.get(node)) and seconds[node] >= 0):
                raise MinigraphError(
                    f"{describe(node)} takes a number of seconds, not {seconds.get(node)!r:.40}",
                    (node,),
                )
        if isinstance(workers, bool) or workers not in range(1, MOST_WORKERS + 1):
            raise MinigraphError(f"there are 1 to {MOST_WORKERS} workers, not {workers!r:.40}")
        self.graph = graph
        self.seconds = {node: float(seconds[node]) for node in graph.order if node.op}
        longest = max(self.seconds.values(), default=1.0)
        wide = widgets.Layout(width="100%", max_width="560px")
        self.workers = widgets.IntSlider(
            value=workers,
            min=1,
            max=MOST_WORKERS,
            description="Workers",
            layout=wide,
        )
        self.handoff = widgets.FloatSlider(
            value=0.0,
            min=0.0,
            max=4 * longest,
            step=longest / 4,
            readout_format=".3g",
            description="Handing over",
            layout=wide,
        )
        for slider in (self.workers, self.handoff):
            self.watch(slider, "value", self._draw)
        super().__init__("Schedule of a graph", [self.workers, self.handoff], height=400)
        self._draw()

    def _draw(self, _: Any = None) -> None:
        costs = Costs(self.seconds, handoff=self.handoff.value)
        plan = schedule(self.graph, self.workers.value, costs)
        length = critical_path(self.graph, self.seconds)[1]
        handoff = in_words(costs.handoff) if costs.handoff else "no time"
        told = [
            plan.summary,
            f"workers compute in {plan.efficiency:.0%} of their time",
            f"handing over takes {handoff}",
            f"the critical path takes {in_words(length)}",
        ]
        self.show(plan.chart(), "; ".join(told))


schedule_viewer = ScheduleViewer
