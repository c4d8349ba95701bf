"""Cut a chain of layers into checkpointed segments, and see how much is kept at each moment.

T. Chen, B. Xu, C. Zhang and C. Guestrin, "Training deep nets with sublinear memory cost",
arXiv:1604.06174, 2016.
"""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets

from ..drawing import Plot
from ..drawing.theme import LIGHT
from ..errors import MinigraphError
from .base import GraphWidget


def kept_over_time(layers: int, segments: int) -> list[int]:
    """How many results of layers are kept after each layer is computed, or used going back.

    A chain of `layers` is cut into so many segments, the first ones longer by one where it does
    not come out even; each segment is one call of `mg.checkpoint`. With 0 segments nothing is
    checkpointed. Results of segments stay; the layers of a segment are there while it is computed,
    in the forward pass, and again in the backward pass.
    """
    if not segments:
        return [*range(1, layers + 1)] + [layers] * layers
    short, longer = divmod(layers, segments)
    lengths = [short + (i < longer) for i in range(segments)]
    forward = [n + i for i, long in enumerate(lengths) for n in range(1, long + 1)]
    backward = []
    for long in reversed(lengths):
        backward += [segments + n for n in range(1, long + 1)]  # once more, and then back
        backward += [segments + long] * long
    return forward + backward


MOST_LAYERS = 10_000


class CheckpointViewer(GraphWidget):
    """A slider for the segments, one for the memory that there is, and what is kept over time.

    Attributes:
        segments: the `ipywidgets.IntSlider` that cuts the chain; 0 is without checkpoints.
        budget: the `ipywidgets.IntSlider` for the number of results that memory has room for.
        layers: how long the chain is.
    """

    def __init__(self, layers: int = 64, segments: int = 0, budget: int = 24) -> None:
        """Show what a chain of layers keeps over time, for any number of segments and any budget.

        Raises:
            MinigraphError: for a number that is none of layers, of segments, or of results.
        """
        for name, n, least, most in (
            ("layers", layers, 1, MOST_LAYERS),
            ("segments", segments, 0, layers),
            ("budget", budget, 1, math.inf),
        ):
            if isinstance(n, bool) or not isinstance(n, int) or not least <= n <= most:
                end = f" to {most}" if most < math.inf else " on"
                raise MinigraphError(f"{name} is a number from {least}{end}, not {n!r:.40}")
        self.layers = layers
        wide = widgets.Layout(width="100%", max_width="560px")
        self.segments = widgets.IntSlider(
            value=segments, min=0, max=layers, description="Segments", layout=wide
        )
        self.budget = widgets.IntSlider(
            value=budget, min=1, max=layers + 1, description="Budget", layout=wide
        )
        for slider in (self.segments, self.budget):
            self.watch(slider, "value", self._draw)
        super().__init__(
            "Memory of a chain with checkpoints", [self.segments, self.budget], height=280
        )
        self._draw()

    def _draw(self, _: Any = None) -> None:
        kept = kept_over_time(self.layers, self.segments.value)
        budget, sentence = self.budget.value, self._sentence(kept)
        plot = Plot(f"Results kept over time. {sentence}", 720, 260)
        axes = plot.axes
        axes.fill_between(range(len(kept) + 1), [0, *kept], step="pre", color=LIGHT.line)
        axes.step(range(len(kept) + 1), [0, *kept], where="pre", color=LIGHT.value)
        axes.axhline(budget, color=LIGHT.gradient, linestyle="--")
        axes.axvline(self.layers, color=LIGHT.edge, linewidth=0.8)
        by = {"textcoords": "offset points"}
        axes.annotate("budget", (0, budget), (4, 4), color=LIGHT.gradient, **by)
        for words, middle in {"forward pass": 0.5, "backward pass": 2}.items():
            at = middle * self.layers, self.layers + 5
            axes.annotate(words, at, (0, 0), ha="center", **by)
        axes.set(
            xlim=(0, 3 * self.layers),
            ylim=(0, self.layers + 12),
            xlabel="layers computed, or gone back through",
            ylabel="results kept",
        )
        self.show(plot, sentence)

    def _sentence(self, kept: list[int]) -> str:
        segments, budget = self.segments.value, self.budget.value
        cut = f"{segments} segment{'s' * (segments != 1)}" if segments else "no checkpoints"
        again = self.layers if segments else 0
        over = next((n for n, count in enumerate(kept, 1) if count > budget), None)
        fits = f"does not fit from step {over} on" if over else "fits"
        return (
            f"{self.layers} layers, {cut}: at most {max(kept)} results kept, and {again} layers "
            f"computed again; into a budget of {budget} this {fits}."
        )


checkpoint_viewer = CheckpointViewer
