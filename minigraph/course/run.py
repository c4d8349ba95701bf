"""Run lessons and solutions top to bottom in a fresh kernel, and store their outputs.

What is stored shows everywhere: live widgets leave their picture, not a reference to a kernel that
is gone, and nothing that depends on the machine or the hour.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode, from_dict

from ..errors import MinigraphError
from ..graph.files import file_path, shown, write
from ..reading.text import clean
from .notebooks import ANY_PYTHON, first_line, read_notebook, text_of
from .progress import NOTHING, VARIABLE

LIVE = "application/vnd.jupyter.widget-view+json"


class RunError(MinigraphError, RuntimeError):
    """A notebook that does not run to its end, or none at all."""


def run_notebook(path: Path, seconds_per_cell: int = 60) -> None:
    """Execute one notebook and write it back with its outputs.

    Raises:
        RunError: naming the notebook and the cell that fails; the file is left as it was.
        FileError: if the notebook cannot be written.
    """
    path = file_path(path)
    notebook = read_notebook(path, "run", RunError)
    client = NotebookClient(
        notebook,
        timeout=seconds_per_cell,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else it is up to chance how a printed text is split
    )
    try:
        with _as_a_newcomer():
            client.execute()
    except Exception as error:  # a cell's, or a kernel's that is missing, dies or hangs
        raise RunError(f"{shown(path)} cannot be run: {_reason(notebook, error)}") from error
    notebook.metadata = from_dict(ANY_PYTHON)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output["data"].pop(LIVE, None)
    write(path, text_of(notebook).encode("utf-8", "backslashreplace"))  # as JSON escapes


@contextmanager
def _as_a_newcomer() -> Iterator[None]:
    """Let kernels that start inside know nothing of what has been done in the course."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = NOTHING
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def _reason(notebook: NotebookNode, error: Exception) -> str:
    if not isinstance(error, CellExecutionError):
        return first_line(error)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed = [n for n, c in enumerate(code, 1) if any(o.output_type == "error" for o in c.outputs)]
    said = clean(f"{error.ename}: {error.evalue}".removesuffix(": "))
    return f"code cell {failed[-1]} stops with {said}"


def run_notebooks(paths: Iterable[Path]) -> None:
    """Execute notebooks one after another, and say so while it lasts."""
    for path in paths:
        print(f"running {path} ...", end=" ", flush=True)
        run_notebook(path)
        print("done", flush=True)
