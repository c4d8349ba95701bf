"""Run lessons and solutions top to bottom in a fresh kernel, and store their outputs.

What is stored shows everywhere: live widgets leave their picture, not a reference to a kernel that
is gone, and nothing that depends on the machine or the hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

_LIVE = "application/vnd.jupyter.widget-view+json"


def run_notebook(path: Path, seconds_per_cell: int = 60) -> None:
    """Execute one notebook and write it back with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails; the file is left as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=seconds_per_cell,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else it is up to chance how a printed text is split
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output["data"].pop(_LIVE, None)
    nbformat.write(notebook, path)


def run_notebooks(paths: Iterable[Path]) -> None:
    """Execute notebooks one after another, and say so while it lasts."""
    for path in paths:
        print(f"running {path} ...", end=" ", flush=True)
        run_notebook(path)
        print("done", flush=True)
