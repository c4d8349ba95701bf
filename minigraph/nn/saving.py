"""The state of a model in a file, and back into a model of the same form."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.node import Node, checked_value
from ..errors import FormatError, NodeTypeError
from ..graph.files import file_path, read, shown, write
from ..graph.leaving import assign_together, places


def load(parameters: Mapping[str, Node], state: Any) -> None:
    """Give parameters the values of a state, or of a file; see `Module.load`."""
    given, source = (state, "this state") if isinstance(state, Mapping) else _read(state)
    for word, names in (("has no", parameters.keys() - given), ("has", given.keys() - parameters)):
        if names:
            raise FormatError(
                f"{source} is of another model: it {word} {_listed(names)}, and this model "
                f"{'has' if word == 'has no' else 'has not'}"
            )
    values = []
    for path, p in parameters.items():
        try:
            value = checked_value(given[path], p.dtype)
        except NodeTypeError as error:
            raise FormatError(f"{source}: {path} cannot take its value: {error}") from None
        if value.shape != p.shape:
            raise FormatError(
                f"{source} is of another model: its {path} has shape {value.shape}, and that "
                f"of this model {p.shape}"
            )
        values.append(value)
    assign_together(places([*parameters.values()]), values)


def save(state: Mapping[str, np.ndarray], path: Any) -> None:
    """Write a state into a file, whole or not at all; see `Module.save`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in state.items():
            with archive.open(f"{key}.npy", "w") as entry:
                np.lib.format.write_array(entry, value, allow_pickle=False)
    write(path, file.getvalue())


def _read(path: Any) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of a file by their names, and what the file is called in messages."""
    file = file_path(path)
    content = read(file)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise FormatError(f"{shown(file)} holds no state of a model: its format is not .npz")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays), shown(file)
    except Exception as error:  # zipfile and NumPy have many kinds for what is damaged
        raise FormatError(f"{shown(file)} holds no state of a model: {error}") from None


def _listed(names: Any) -> str:
    first = sorted(names)
    return ", ".join(first[:3]) + f" and {len(first) - 3} more" * (len(first) > 3)
