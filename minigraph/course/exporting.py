"""Pages that need no network: what nbconvert makes of a notebook, with formulas and live players.

nbconvert leaves formulas to a script from the network, and the widgets of a notebook that it has
run as well. `Offline` writes formulas as MathML, and shows each widget as it shows without a
kernel. Its style keeps words whole on a narrow screen, and drawings on paper. The file
etc/jupyter/jupyter_config.json, which comes with the package, names it for pages in HTML.
"""

from __future__ import annotations

import re
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from .mathml import FormulaError, mathml
from .run import LIVE

NO_SCRIPT = "data:text/javascript,"  # for what nothing of the page needs
STYLE = """<style>
.jp-RenderedText pre { overflow-wrap: anywhere; word-break: normal; }
.jp-RenderedHTMLCommon :is(a, code) { overflow-wrap: anywhere; }
math[display="block"] { overflow-x: auto; overflow-y: hidden; }
@media print {
  .jp-RenderedHTMLCommon :is(h1, h2, h3) { break-after: avoid; }
  .jp-RenderedHTMLCommon :is(img, table) { break-inside: avoid; }
  div:has(> img.minigraph) { max-height: none !important; overflow: visible !important; }
  img.minigraph { max-height: 240mm; min-width: 0 !important; }
}
</style>"""

# What is no formula comes first: a block of code, code in a line, a dollar that is meant.
_FORMULA = re.compile(
    r"^ {0,3}(?P<fence>```+|~~~+).*?^ {0,3}(?P=fence)|(?P<ticks>`+).+?(?P=ticks)|\\\$"
    r"|(?P<display>\$\$(?P<block>.+?)\$\$)|\$(?P<line>[^$]+?)\$",
    re.M | re.S,
)


class Offline(Preprocessor):
    """What nbconvert does with a notebook before it writes a page."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Write formulas as MathML, and let widgets leave their pictures and players."""
        unknown: list[str] = []
        outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
        shown = [output.data for output in outputs if "data" in output]
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = _FORMULA.sub(lambda match: _as_mathml(match, unknown), cell.source)
        for data in shown:
            if "text/html" in data:
                data.pop(LIVE, None)
        if not any(LIVE in data for data in shown):
            nb.metadata.pop("widgets", None)
            if not any("require" in str(data) for data in shown):
                resources["require_js_url"] = NO_SCRIPT
        if not unknown and not any("text/latex" in data for data in shown):
            resources["mathjax_url"] = NO_SCRIPT
        nb.cells.append(new_markdown_cell(STYLE))
        return nb, resources


def _as_mathml(match: re.Match[str], unknown: list[str]) -> str:
    """A formula as an element; one that is not known stays as it is, and is noted."""
    tex = match["block"] or match["line"]
    try:
        return mathml(tex, is_display=bool(match["display"])) if tex else match[0]
    except FormulaError:
        unknown.append(tex)
        return match[0]
