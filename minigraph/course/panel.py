"""What a check says, as a quiet panel in a notebook and as plain text elsewhere.

Whether an answer is right is said in words and by a sign; the colour only supports it. The panel
takes its text colour and its ground from the page, so it is legible on light and dark pages, and
uses inline styles alone, so notebooks that are not trusted show it too.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

SIGN = {"right": "✓", "wrong": "✗", "waiting": "○"}
COLOUR = {"right": "#009e73", "wrong": "#d55e00", "waiting": "#808a94"}  # 3 to 1 on light and dark
WIDTH = 88
_STARRED = re.compile(r"(?<![\w*`])\*([^\s*`]+)\*(?![a-zA-Z0-9_*`])")


@dataclass(frozen=True)
class Part:
    """A paragraph of a panel: a label, prose, what keeps its line breaks, and a table.

    In prose, indented lines are code, and so is what stands between `backquotes`; *stars* are for
    the names of nodes; a link leads to another notebook, as
    [The chain rule](../notebooks/04_chain_rule.ipynb). The first row of a table is its head.
    """

    text: str = ""
    label: str = ""
    code: str = ""
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Panel:
    """What a check says.

    Attributes:
        state: "right", "wrong" or "waiting".
        title: one line.
        parts: what follows it.
        picture: HTML of a drawing, if there is one.
        folded: what can be unfolded below it in a notebook, and is left out elsewhere.
        fold: the line to click on.
    """

    state: str
    title: str
    parts: Sequence[Part] = ()
    picture: str = ""
    folded: Sequence[Part] = ()
    fold: str = ""

    @property
    def headline(self) -> str:
        """The title with its sign."""
        return f"{SIGN[self.state]} {self.title}"

    @property
    def text(self) -> str:
        """The panel as plain text."""
        paragraphs = [self.headline]
        for part in self.parts:
            prose = (
                f"{part.label}: {part.text}"
                if part.label and part.text
                else part.label or part.text
            )
            prose = _LINK.sub(r"\1 (\2)", prose)
            lines = [
                line if _is_code(line) else textwrap.fill(plain(line), WIDTH)
                for line in prose.splitlines()
            ]
            lines += _lined_up(part.rows)
            if part.code:
                lines.append(textwrap.indent(part.code, "    "))
            paragraphs.append("\n".join(lines))
        return "\n\n".join(paragraphs)

    @property
    def html(self) -> str:
        """The panel for a notebook."""
        colour = COLOUR[self.state]
        rows = [
            f'<div><span style="color:{colour};font-weight:bold">{SIGN[self.state]}</span> '
            f"<b>{escape(self.title)}</b></div>"
        ]
        rows += map(_html_of, self.parts)
        if self.picture:
            rows.append(f'<div style="margin-top:8px">{self.picture}</div>')
        if self.folded:
            summary = f'<summary style="cursor:pointer">{escape(self.fold)}</summary>'
            inside = "".join(map(_html_of, self.folded))
            rows.append(f'<details style="margin-top:6px">{summary}{inside}</details>')
        style = f"border-left:4px solid {colour};padding:4px 0 4px 12px;margin:4px 0;max-width:52em"
        return f'<div style="{style}">{"".join(rows)}</div>'

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def _html_of(part: Part) -> str:
    label = f"<b>{escape(part.label)}</b> " if part.label else ""
    pieces = []
    text_lines = part.text.splitlines() or [""] * (not part.rows)
    for is_code, lines in groupby(text_lines, _is_code):
        text = "\n".join(lines)
        pieces.append(_block(text) if is_code else _paragraph(label + inline(text)))
        label = ""
    if part.rows:
        pieces.append(_table(part.rows))
    if part.code:
        pieces.append(_block(part.code))
    return "".join(pieces)


def _is_code(line: str) -> bool:
    return line.startswith("    ")


_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([\w./]+\.ipynb)\)")


def inline(text: str) -> str:
    """A paragraph of prose as HTML."""
    html = _STARRED.sub(r"<em>\1</em>", escape(text))
    html = re.sub("`([^`\n]+)`", r"<code>\1</code>", html)
    return _LINK.sub(r'<a href="\2">\1</a>', html).replace("\n", "<br>")


def plain(text: str) -> str:
    """Prose without the stars around names."""
    return _STARRED.sub(r"\1", text)


def _paragraph(html: str) -> str:
    return f'<div style="margin-top:6px">{html}</div>'


def _block(code: str) -> str:
    style = "margin:4px 0 0 16px;padding:0;background:transparent;white-space:pre-wrap"
    return f'<pre style="{style}">{escape(textwrap.dedent(code))}</pre>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    style = "text-align:left;padding:2px 20px 2px 0;border:0"
    lines = []
    for n, row in enumerate(rows):
        tags = ["th" if n == 0 and x else "td" for x in row]
        cells = [f'<{tag} style="{style}">{inline(x)}</{tag}>' for tag, x in zip(tags, row)]
        lines.append(f'<tr style="background:none">{"".join(cells)}</tr>')
    table = "border-collapse:collapse;margin:6px 0 0;font:inherit;color:inherit"
    return f'<table style="{table}">{"".join(lines)}</table>'


def _lined_up(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = [[*map(plain, column)] for column in zip(*rows)]
    widths = [max(map(len, column)) for column in columns]
    cells = [[x.ljust(width) for x in column] for column, width in zip(columns, widths)]
    return ["  ".join(row).rstrip() for row in zip(*cells)]
