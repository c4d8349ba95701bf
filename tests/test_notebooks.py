"""What must be true of every notebook as it is stored, before anyone runs it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
RUN = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*.ipynb")])
EXERCISES = sorted(ROOT.glob("exercises/*.ipynb"))
PAGES = [*RUN, *EXERCISES, *sorted(ROOT.glob("*.md"))]

LINK = re.compile(r"(!?)\[([^\]]*)\]\(\s*<?([^)>\s]+)[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)
MACHINE_PATH = re.compile(
    r"/(?:home|root|tmp|Users|usr|opt|private|var)/\w|\b[A-Z]:\\\\|site-packages"
)


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


every_run = pytest.mark.parametrize("path", RUN, ids=names(RUN))
every_notebook = pytest.mark.parametrize("path", RUN + EXERCISES, ids=names(RUN + EXERCISES))
every_page = pytest.mark.parametrize("path", PAGES, ids=names(PAGES))


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def prose(path):
    """The Markdown of a page, without code and formulas."""
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
    else:
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return CODE.sub("", text)


class Images(HTMLParser):
    """Collects the attributes of every <img>, and whether an <svg> names itself."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes))

    def without_alternative(self):
        return [image for image in self.found if not (image.get("alt") or "").strip()]


def test_the_course_has_lessons():
    assert RUN


@every_run
def test_every_cell_was_run_once_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every_run
def test_outputs_are_stored(path):
    assert any(cell.outputs for cell in code_cells(path))


@every_run
def test_only_cells_that_mean_to_fail_do(path):
    failed = [
        cell.source
        for cell in code_cells(path)
        if "raises-exception" not in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert failed == []


@every_run
def test_pictures_in_outputs_have_a_text_alternative(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            images = Images(data.get("text/html", ""))
            assert not images.without_alternative(), cell.source
            if any(kind.startswith("image/") for kind in data):
                assert images.found, f"an image without an <img alt=...> beside it:\n{cell.source}"


@every_run
def test_no_output_waits_for_a_kernel_that_is_gone(path):
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    live = "application/vnd.jupyter.widget-view+json"
    assert not [
        cell.source
        for cell in code_cells(path)
        for output in cell.outputs
        if live in output.get("data", {})
    ]


WIDEST = 71  # characters of a cell that are seen in a window of 1,024 pixels


@every_notebook
def test_code_is_not_cut_at_the_right_in_a_narrow_window(path):
    lines = [line for cell in code_cells(path) for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > WIDEST] == []


@every_notebook
def test_the_kernel_is_any_python_3(path):
    kernel = nbformat.read(path, as_version=4).metadata.kernelspec
    assert (kernel.name, kernel.language) == ("python3", "python")


@every_notebook
def test_nothing_points_into_the_machine_it_was_written_on(path):
    assert not MACHINE_PATH.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", EXERCISES, ids=names(EXERCISES))
def test_exercises_are_stored_without_answers(path):
    assert "BEGIN SOLUTION" not in path.read_text(encoding="utf-8")
    assert not any(cell.outputs for cell in code_cells(path))


@every_page
def test_links_lead_to_files_that_exist(path):
    targets = [unquote(target.partition("#")[0]) for _, _, target in LINK.findall(prose(path))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


@every_page
def test_pictures_in_prose_have_a_text_alternative(path):
    text = prose(path)
    assert [
        target for image, label, target in LINK.findall(text) if image and not label.strip()
    ] == []
    assert not Images(text).without_alternative()
