"""Write the students' notebooks from the solutions, with nbgrader's own preprocessors.

No database and no configuration are needed, and the same solutions give the same bytes. A course
that runs nbgrader can use `solutions/` as its source directory instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import MinigraphError
from ..graph.files import naming, shown, write_all

STUB = "# YOUR CODE HERE"
_PREPROCESSORS = (
    "CheckCellMetadata",
    "LockCells",
    "ClearSolutions",
    "ClearOutput",
    "ClearHiddenTests",
    "ComputeChecksums",
    "CheckCellMetadata",
)


class ReleaseError(MinigraphError):
    """A notebook that cannot be released, or nothing to release it with."""


def release(source: Path, destination: Path) -> None:
    """Write an exercise notebook into `destination` for each solution notebook in `source`.

    Raises:
        ReleaseError: naming the notebook that is broken, or saying what to install.
        FileError: naming the file that cannot be written; then none is.
    """
    paths = sorted(source.glob("*.ipynb"))
    if not paths:
        raise ReleaseError(f"there are no notebooks in {source}; name the folder with --source")
    if source.resolve() == destination.resolve():
        raise ReleaseError(f"{destination} holds the solutions; release into another folder")
    preprocessors = _preprocessors()
    texts = {}
    for path in paths:
        print(f"{shown(path)} -> {shown(destination / path.name)}")
        texts[destination / path.name] = exercise_text(path, preprocessors).encode()
    with naming(destination, "made"):
        destination.mkdir(parents=True, exist_ok=True)
    write_all(texts)
    print(f"{len(texts)} notebook{'s' * (len(texts) != 1)} released")


def exercise_text(path: Path, preprocessors: Sequence[Any] = ()) -> str:
    """Return the exercise of a solution notebook as the text of a notebook file.

    Raises:
        ReleaseError: naming the notebook, if it is broken.
    """
    preprocessors = preprocessors or _preprocessors()
    from .notebooks import first_line, read_notebook, text_of

    notebook = read_notebook(path, "released", ReleaseError)
    try:
        resources: dict[str, Any] = {}
        for preprocessor in preprocessors:
            notebook, resources = preprocessor.preprocess(notebook, resources)
    except Exception as error:
        # nbgrader's check of the metadata says what is wrong only in what it raised first.
        reason = first_line(error.__context__ or error)
        raise ReleaseError(f"{shown(path)} cannot be released: {reason}") from None
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            # Running all cells goes on after a check that fails, so that each says its first word.
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "raises-exception"})
    return text_of(notebook)


def _preprocessors() -> list[Any]:
    try:
        from nbgrader import preprocessors
        from traitlets.config import Config
    except ImportError as error:
        raise ReleaseError(
            f"releasing exercises needs nbgrader ({error}); get it with: "
            'pip install "nbgrader>=0.9.5"'
        ) from None
    config = Config()
    config.ClearSolutions.code_stub = {"python": STUB}
    made = [getattr(preprocessors, name)(config=config) for name in _PREPROCESSORS]
    for preprocessor in made:
        preprocessor.enabled = True
        preprocessor.log = logging.getLogger("minigraph.release.quiet")
        preprocessor.log.disabled = True  # what goes wrong is told by ReleaseError
    return made
