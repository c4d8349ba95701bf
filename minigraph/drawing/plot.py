"""Plots: matplotlib's axes in the colours of the drawings, and with a text alternative.

plot = Plot("The parabola y = x², with its lowest point at x = 0.")
plot.axes.plot(x, x * x)
plot

This is the one theme of all plots, in lessons too: no text is smaller than what stands in the boxes
of a drawing, lines are as thick as they have to be on a projector, and a dark page repaints the
colours of the palette. So a plot names no size and no colour of its own, or one of `theme.LIGHT`.
"""

from __future__ import annotations

import base64
from html import escape
from io import StringIO
from typing import Any

from .theme import AS_THE_PAGE, DARK, GRADIENT_SIZE, LIGHT

_INK, _LINE = LIGHT.ink, LIGHT.line
_STYLE: Any = {
    "figure.facecolor": LIGHT.ground,
    "axes.facecolor": LIGHT.ground,
    "axes.edgecolor": LIGHT.edge,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LIGHT.soft,
    "ytick.color": LIGHT.soft,
    "xtick.labelsize": GRADIENT_SIZE,
    "ytick.labelsize": GRADIENT_SIZE,
    "axes.labelsize": GRADIENT_SIZE,
    "text.color": _INK,
    "svg.fonttype": "path",  # the same picture whatever fonts the reader has
    "svg.hashsalt": "minigraph",  # the same bytes every time
}
_LINE_WIDTH = 2.2
_PADDING = 0.12  # inches, between texts and the border
_PIXELS = 72  # to matplotlib's inch, which is 72 points; an SVG without units counts in pixels
_ROLES = ("ground", "ink", "soft", "line", "edge", "value", "gradient", "highlight")
_DEFAULTS = {"#000000": DARK.ink, "#cccccc": DARK.line}  # of texts, and around a legend
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class Plot:
    """A plot to draw into, shown by notebooks and widgets as a picture with a text alternative.

    Attributes:
        axes: matplotlib's Axes, with all that they offer.
        alt: the text alternative; it says what there is to see.
    """

    def __init__(self, alt: str, width: float = 480, height: float = 300) -> None:
        """Make empty axes; `width` and `height` are in pixels."""
        from cycler import cycler
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        colours = [LIGHT.value, LIGHT.gradient, LIGHT.highlight, LIGHT.soft]
        lines = cycler(color=colours, linewidth=[_LINE_WIDTH] * len(colours))
        with rc_context(_STYLE | {"axes.prop_cycle": lines}):
            size = width / _PIXELS, height / _PIXELS
            around = ConstrainedLayoutEngine(w_pad=_PADDING, h_pad=_PADDING)
            self.figure = Figure(figsize=size, dpi=_PIXELS, layout=around)
            self.axes: Any = self.figure.add_subplot()
        self.alt = alt

    @property
    def svg(self) -> str:
        """The picture as SVG; as an image it follows the colour scheme of the page."""
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.text import Text

        for label in self.figure.findobj(Text):
            label.set_fontsize(max(label.get_fontsize(), GRADIENT_SIZE))
        text = StringIO()
        with rc_context(_STYLE):  # savefig would draw everything twice
            FigureCanvasSVG(self.figure).print_svg(text, metadata=_NO_METADATA)
        head, _, body = text.getvalue().partition("<svg")[2].partition(">")
        head = head.replace('pt"', '"')
        return f'<svg role="img"{head}><title>{escape(self.alt)}</title>{_DARK_STYLE}{body}'

    @property
    def html(self) -> str:
        """The picture as an `img` element that any page, notebook or widget can hold."""
        data = base64.b64encode(self.svg.encode()).decode()
        wide, high = (round(length * _PIXELS) for length in self.figure.get_size_inches())
        return (
            f'<img class="minigraph" alt="{escape(self.alt)}" width="{wide}" height="{high}"'
            f' style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'
            f"{AS_THE_PAGE}"
        )

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "image/svg+xml": self.svg, "text/plain": repr(self)}


def _dark_style() -> str:
    """Repaint the palette's colours, and matplotlib's own, where the surroundings are dark.

    matplotlib writes a colour into the style of each element, and leaves black text to inherit.
    """
    colours = {getattr(LIGHT, role): getattr(DARK, role) for role in _ROLES}
    rules = "".join(
        f'[style*="{paint}: {light}"]{{{paint}:{colour}!important}}'
        for light, colour in (colours | _DEFAULTS).items()
        for paint in ("fill", "stroke")
    )
    rules = f"svg{{fill:{DARK.ink}}}{rules}"
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"


_DARK_STYLE = _dark_style()
