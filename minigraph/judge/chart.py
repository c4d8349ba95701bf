"""How points are spread over a class, as a picture in the page: text, and the theme's colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .paper import many

BARS = 10  # of a tenth of the points each; who has all of them has a bar of their own
WIDTH, HEIGHT = 760, 230
BASE, TOP = 178, 30  # where bars stand, and how high the highest reaches
STEP = WIDTH / (BARS + 1)
GAP = 10
LEAST = 2  # pixels of a bar with somebody in it


def histogram(shares: Sequence[float]) -> str:
    """Draw how many students have which share of the points, as SVG.

    Args:
        shares: of each student, from 0 to 1.
    """
    counts = Counter(min(BARS, int(share * BARS + 1e-9)) for share in shares)
    highest = max(counts.values(), default=1)
    labels = [*(f"{10 * n}–{10 * n + 9}" for n in range(BARS)), "100"]
    told = [
        f"{many(counts[n], 'student')} with {label} percent"
        for n, label in enumerate(labels)
        if counts[n]
    ]
    shapes = [_bar(n, counts[n], highest, label) for n, label in enumerate(labels)]
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Points of the class: {"; ".join(told)}.">'
        f'<line class="base" x1="0" x2="{WIDTH}" y1="{BASE}" y2="{BASE}"/>'
        f"{''.join(shapes)}"
        f'<text class="axis" x="{WIDTH / 2:g}" y="{HEIGHT - 8}">percent of the points</text></svg>'
    )


def _bar(number: int, count: int, highest: int, label: str) -> str:
    """A bar with its count above it and its range below."""
    left, middle = number * STEP + GAP / 2, (number + 0.5) * STEP
    shape = ""
    if count:
        height = max(LEAST, (BASE - TOP) * count / highest)
        shape = (
            f'<rect class="column" x="{left:.1f}" y="{BASE - height:.1f}" '
            f'width="{STEP - GAP:.1f}" height="{height:.1f}" rx="3"/>'
            f'<text class="count" x="{middle:.1f}" y="{BASE - height - 8:.1f}">{count:,}</text>'
        )
    return f'{shape}<text class="tick" x="{middle:.1f}" y="{BASE + 20}">{label}</text>'
