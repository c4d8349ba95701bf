"""Notebook files: read, with errors that name the file, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..errors import FileError, MinigraphError
from ..graph.files import read, shown
from ..reading.text import clean

# What a stored notebook says of Python: that any will do.
ANY_PYTHON = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read_notebook(path: Path, done: str, refusal: type[MinigraphError]) -> NotebookNode:
    """Read a notebook that is to be "run" or "released".

    Raises:
        MinigraphError: of the kind `refusal`, if there is no notebook in the file.
    """
    try:
        notebook = nbformat.reads(read(path).decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except FileError as error:
        reason = error.reason
    except UnicodeDecodeError:
        reason = "it is no notebook: it is not UTF-8 text"
    except Exception as error:  # whatever nbformat may raise for what is not one
        reason = f"it is no notebook: {first_line(error)}"
    else:
        return notebook
    raise refusal(f"{shown(path)} cannot be {done}: {reason}")


def first_line(error: BaseException) -> str:
    """What an error says first; the name of its type where it says nothing."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return clean(lines[0])


def text_of(notebook: NotebookNode) -> str:
    """A notebook as the text of its file."""
    return f"{nbformat.writes(notebook)}\n"
