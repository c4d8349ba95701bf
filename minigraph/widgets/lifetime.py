"""A cell that is run again lets go of the widgets of its last run, so that they can be freed.

ipywidgets keeps every widget until it is closed, and IPython the result of every cell. A widget
that a cell has made or shown is let go when that cell makes or shows another one in a later run,
unless another cell shows it as well. Shown once more, it comes back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets

_last_runs: dict[str, tuple[str, WeakSet[Released]]] = {}  # by cell: which run, and its widgets


class Released(widgets.Widget):
    """What every widget of ours is: freed when nobody holds it and no cell shows it any longer."""

    def __init__(self, *arguments: Any, **traits: Any) -> None:
        self._cells: set[str] = set()
        super().__init__(*arguments, **traits)
        _remember(self)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        _remember(self)
        for part in reversed([*_parts(self)]):
            part.open()
        return super()._repr_mimebundle_(**options)

    def let_go(self) -> None:
        """Close this and all that is in it; where it is shown again it opens again."""
        for part in [*_parts(self)]:
            part.close()
            part.__dict__.pop("_repr_mimebundle_", None)  # ipywidgets means to close for good
        _out_of_history(self)


def _remember(widget: Released) -> None:
    """Note that the cell that runs now has made or shown a widget."""
    cell, run = _running_cell()
    if not cell:
        return
    last_run, shown = _last_runs.get(cell, ("", WeakSet()))
    if run != last_run:
        for old in [*shown]:
            old._cells.discard(cell)
            if not old._cells and old is not widget:
                old.let_go()
        shown = WeakSet()
        _last_runs[cell] = run, shown
    shown.add(widget)
    widget._cells.add(cell)


def _running_cell() -> tuple[str, str]:
    """The cell that runs now and which run it is, as Jupyter says; empty where it does not."""
    kernel = getattr(_shell(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel else {}
    return parent.get("metadata", {}).get("cellId", ""), parent.get("header", {}).get("msg_id", "")


def _shell() -> Any:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget and those in it, with their layouts and styles; each before what is in it."""
    yield widget
    for value in widget.trait_values().values():
        for part in value if isinstance(value, tuple | list) else [value]:
            if isinstance(part, widgets.Widget):
                yield from _parts(part)


def _out_of_history(widget: Released) -> None:
    """Take a widget out of the results of cells, which IPython keeps as Out[3] and as _3."""
    shell = _shell()
    results = shell.user_ns.get("_oh", {}) if shell else {}
    for number in [number for number, result in results.items() if result is widget]:
        del results[number]
        shell.drop_by_id({f"_{number}": widget})
