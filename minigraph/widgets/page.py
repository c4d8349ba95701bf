"""What a live graph needs in a page: its ES module and its style, each one text without a build."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

from ..drawing import theme

_HERE = Path(__file__).parent


def module(name: str) -> str:
    """The stage that all live graphs share and a widget's own part, as one ES module."""
    return joined("keys", "stage", name)


@cache
def joined(*names: str) -> str:
    """Scripts by their names, each of which uses what stands before it, as one ES module."""
    return "\n".join(read(f"{name}.js") for name in names)


@cache
def style(name: str) -> str:
    """The colours, the style that all live graphs share, and a widget's own part."""
    return f"{_palette()}\n{read('stage.css')}\n{read(f'{name}.css')}"


def read(name: str) -> str:
    """The text of one file."""
    return (_HERE / name).read_text(encoding="utf-8")


def _palette() -> str:
    """The colours of drawings as CSS, for the page and for the SVG in it."""
    light, dark = asdict(theme.LIGHT), asdict(theme.DARK)
    variables = "".join(f"--mg-{role}:light-dark({light[role]},{dark[role]});" for role in light)
    paints = "".join(
        f".minigraph-live .mg-f-{role}{{fill:var(--mg-{role})}}"
        f".minigraph-live .mg-s-{role}{{stroke:var(--mg-{role})}}"
        for role in light
    )
    return f".minigraph-live{{{variables}}}{paints}"
