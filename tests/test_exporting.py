"""Pages that need no network: formulas as MathML, and widgets as they are without a kernel."""

import io
import os
import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import browser
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from minigraph.course.exporting import _FORMULA, Offline
from minigraph.course.mathml import FormulaError, mathml

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "etc" / "jupyter"
NOTEBOOKS = sorted(
    path for folder in ("notebooks", "solutions") for path in (ROOT / folder).glob("*.ipynb")
)
COMMAND = re.compile(r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+|\\.")


def formulas(path):
    """The formulas of a notebook, as they stand between their dollars."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            found = _FORMULA.finditer(cell.source)
            yield from filter(None, (one["block"] or one["line"] for one in found))


def leaves(tex):
    """What the elements of a formula show, one after the other."""
    return [
        (leaf.tag, leaf.text)
        for leaf in ElementTree.fromstring(mathml(tex)).iter()
        if len(leaf) == 0 and leaf.text
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_formula_is_written_with_all_its_letters_and_numbers(path):
    for tex in formulas(path):
        plain = re.sub(r"\\(?:text|math\w+|operatorname)\b", "", tex)
        wanted = re.findall(r"[A-Za-z0-9]", COMMAND.sub(" ", plain))
        named = {"lim", "max", "min", "sin", "cos", "tanh", "exp", "log", "ln"}
        shown = "".join(text for _, text in leaves(tex) if text not in named)
        assert sorted(re.findall(r"[A-Za-z0-9]", shown)) == sorted(wanted), tex


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("a_1 - 2.5", [("mi", "a"), ("mn", "1"), ("mo", "−"), ("mn", "2.5")]),
        (r"\alpha < \Delta", [("mi", "α"), ("mo", "<"), ("mi", "Δ")]),
        (r"\text{if } x", [("mtext", "if\N{NO-BREAK SPACE}"), ("mi", "x")]),
        (r"f'' \{ \| \}", [("mi", "f"), ("mo", "′′"), ("mo", "{"), ("mo", "‖"), ("mo", "}")]),
        (r"\mathbb{R}^{\mathsf T}", [("mi", "ℝ"), ("mi", "T")]),
    ],
)
def test_letters_and_signs_are_those_of_the_formula(tex, shown):
    assert leaves(tex) == shown


@pytest.mark.parametrize(
    ("tex", "tags"),
    [
        ("x^2", "msup mi mrow mn"),
        ("x_i^{2n}", "msubsup mi mi mrow mrow mn mi"),
        (r"\sum_i^n", "munderover mo mi mrow mi"),
        (r"\max_v c", "munder mo mi mi"),
        (r"\frac{1}{n}", "mfrac mrow mn mrow mi"),
        (r"\sqrt[3]\varepsilon", "mroot mi mrow mn"),
        (r"\bar v", "mover mi mo"),
        (r"\left( a \right.", "mrow mo mrow mi"),
    ],
)
def test_elements_stand_as_the_standard_nests_them(tex, tags):
    _, _, *inside = (element.tag for element in ElementTree.fromstring(mathml(tex)).iter())
    assert " ".join(inside) == tags


@pytest.mark.parametrize(
    "tex",
    [r"\unknown", "{a", "a}", r"\frac{a}", "x^", "_", "x'^2'", r"\left( a", r"\begin{array} a",
     r"\begin{matrix} a \end{cases}", r"\text{a", r"\left a", "a & b", r"\sqrt[3"],
)  # fmt: skip
def test_what_is_not_known_is_refused(tex):
    with pytest.raises(FormulaError):
        mathml(tex)


@pytest.mark.parametrize(
    "source",
    ["`$a$` and ``x`$b$``", "```\n$a$\n```", r"\$3 and \$4", "~~~\n$$a$$\n~~~", r"$\unknown$"],
)
def test_code_prices_and_what_is_not_known_stay_as_they_are(source):
    page, _ = Offline().preprocess(new_notebook(cells=[new_markdown_cell(source)]), {})
    assert page.cells[0].source == source


def test_scripts_are_left_out_only_where_nothing_needs_them():
    def asked(*cells):
        resources = {"mathjax_url": "its place", "require_js_url": "its place"}
        return list(Offline().preprocess(new_notebook(cells=list(cells)), resources)[1].values())

    def shown(**data):
        data = {name.replace("_", "/"): text for name, text in data.items()}
        output = nbformat.v4.new_output("display_data", data=data)
        return new_code_cell("", outputs=[output])

    none = "data:text/javascript,"
    assert asked(new_markdown_cell("$a$")) == [none, none]
    assert asked(new_markdown_cell(r"$a$ $\unknown$")) == ["its place", none]
    assert asked(shown(text_latex="$a$")) == ["its place", none]
    assert asked(shown(text_html="<script>require(['x'])</script>")) == [none, "its place"]


def test_the_package_brings_the_setting_along():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    brought = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert brought["etc/jupyter"] == "etc/jupyter"


# --- in a browser ---------------------------------------------------------------------------------

FORMULAS = r"""
Half of it is $\frac{p}{q}$, and

$$\sum_{i=1}^{n} k = k\,n .$$

[exercises/of_a_name_that_no_telephone_has_room_for.ipynb](.)

$$abcdefghijklm + abcdefghijklm + abcdefghijklm + abcdefghijklm$$
"""
SIDEWAYS = """(cells) => cells.map((cell) => cell.scrollWidth - cell.clientWidth)"""
# What stands in each line of a text.
LINES = """(element) => {
  const text = element.firstChild, lines = [], range = document.createRange();
  let top;
  for (let i = 0; i < text.length; i++) {
    range.setStart(text, i);
    range.setEnd(text, i + 1);
    const { y } = range.getBoundingClientRect();
    if (text.data[i].trim() && y !== top) { lines.push(''); top = y; }
    lines[lines.length - 1] += text.data[i];
  }
  return lines.map((line) => line.trim());
}"""
CELLS = [
    'import minigraph as mg\n\ny = mg.parse("d = a + b; y = d * b", a=2, b=3)\nmg.play(y)',
    "mg.explore(lambda a: a * a, a=(-3, 5, 2))",
    "from minigraph.widgets import path_explorer\n\npath_explorer(y)",
    "print('the word at the end of this line stays whole on a page as narrow as a telephone')",
]


@pytest.mark.skipif(
    pytest.importorskip("playwright", reason="pip install playwright") is None
    or browser.executable() is None,
    reason=f"this test drives a browser: {browser.HOW_TO_GET}",
)
def test_a_page_of_a_notebook_that_has_just_run_asks_the_network_for_nothing(chromium, tmp_path):
    cells = [new_markdown_cell(FORMULAS), *map(new_code_cell, CELLS)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    export = [*browser.program("nbconvert.nbconvertapp"), "--to", "html", "--execute"]
    settings = os.environ | {"JUPYTER_CONFIG_PATH": str(CONFIG)}
    subprocess.run([*export, "page.ipynb"], cwd=tmp_path, env=settings, check=True, timeout=120)

    page = chromium.new_page(offline=True, color_scheme="dark")
    wanted, problems = [], []
    page.on("request", lambda request: wanted.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_role("slider", name="Step").press("End")
    status = page.get_by_role("status").inner_text()
    alternatives = [picture["alt"] for picture in browser.pictures(page.locator("body"))]
    top, bottom = (page.locator("mi", has_text=name).first.bounding_box() for name in "pq")
    limit, sign, begin = (
        page.locator("munderover > *").nth(place).bounding_box() for place in (2, 0, 1)
    )
    # The page is light, whatever the system is.
    shots = [picture.screenshot() for picture in page.locator("img.minigraph").all()]
    grounds = [Image.open(io.BytesIO(shot)).convert("L").getpixel((3, 30)) for shot in shots]
    page.set_viewport_size({"width": 400, "height": 900})
    sideways = page.locator(".jp-RenderedMarkdown").evaluate_all(SIDEWAYS)
    printed = page.locator(".jp-RenderedText pre").last
    lines = printed.evaluate(LINES)
    page.emulate_media(media="print")
    stage = page.locator(".mgp-stage")
    is_pressed = page.get_by_role("button", name="Play").is_visible()
    cut = stage.evaluate(
        "(it) => [it.scrollWidth - it.clientWidth, it.scrollHeight - it.clientHeight]"
    )
    page.close()
    assert set(grounds) == {255}
    assert set(sideways) == {0}
    assert " ".join(lines) == CELLS[-1][7:-2]
    assert len(lines) > 1
    assert not is_pressed
    assert cut == [False, False]
    assert "Backward" in status
    assert len(alternatives) == 3  # two of the explorer, one of the paths
    assert all(alternatives)
    assert top["y"] + top["height"] <= bottom["y"]
    assert limit["y"] < sign["y"] < begin["y"]
    assert [url for url in wanted if url.startswith("http")] == []
    assert problems == []
