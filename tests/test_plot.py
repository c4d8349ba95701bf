"""Plots: matplotlib's axes as pictures that carry their own text alternative."""

import base64
import re
from xml.etree import ElementTree

import pytest

from minigraph.drawing import Plot
from minigraph.drawing.theme import DARK, LIGHT


@pytest.fixture
def plot():
    made = Plot("A line that <rises> & falls", 400, 250)
    made.axes.plot([0, 1, 2], [0, 2, 1], label="line")
    made.axes.set(xlabel="x")
    return made


def test_the_picture_is_well_formed_and_names_itself(plot):
    root = ElementTree.fromstring(plot.svg)
    assert root.get("role") == "img"
    assert (root.get("width"), root.get("height")) == ("400", "250")
    assert root[0].text == plot.alt


def test_the_same_plot_gives_the_same_bytes(plot):
    again = Plot(plot.alt, 400, 250)
    again.axes.plot([0, 1, 2], [0, 2, 1], label="line")
    again.axes.set(xlabel="x")
    assert plot.svg == plot.svg == again.svg


def test_notebooks_get_an_image_with_a_text_alternative(plot):
    data = plot._repr_mimebundle_()
    assert 'alt="A line that &lt;rises&gt; &amp; falls"' in data["text/html"]
    source = re.search('base64,([^"]+)', data["text/html"])[1]
    assert base64.b64decode(source).decode() == data["image/svg+xml"] == plot.svg
    assert data["text/plain"] == plot.alt


def test_every_colour_of_the_palette_is_repainted_where_it_is_dark(plot):
    plot.axes.legend()
    used = set(re.findall("(?:fill|stroke): (#[0-9a-f]{6})", plot.svg))
    assert LIGHT.value in used
    for colour in used:
        assert f'[style*="stroke: {colour}"]{{stroke:#' in plot.svg
    for role in ("ground", "ink", "value"):
        light, dark = getattr(LIGHT, role), getattr(DARK, role)
        assert plot.svg.count(f'[style*="fill: {light}"]{{fill:{dark}!important}}') == 1


def test_all_text_is_as_large_as_that_of_a_drawing(plot):
    plot.axes.legend()
    plot.axes.annotate("here", (1, 2), fontsize=6)
    plot.axes.set_title("Title")
    sizes = [100 * float(x) for x in re.findall(r"scale\(([\d.]+) -", plot.svg)]
    assert len(sizes) > 10
    assert min(sizes) == 13  # of 100 units to an em, as a gradient in a box


def test_no_text_touches_the_border(plot):
    plot.axes.set_title("Title")
    assert plot.svg
    inner = plot.axes.get_tightbbox()
    wide, high = plot.figure.bbox.size
    assert min(inner.x0, inner.y0, wide - inner.x1, high - inner.y1) >= 6


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    assert Plot("nothing").svg
    assert dict(matplotlib.rcParams) == before
