"""Errors that name the nodes, say what is wrong, and say what would fit.

Each one subclasses the builtin that a Python user would expect, so `except ValueError` keeps
working, and `MinigraphError`, so `except mg.MinigraphError` catches them all.
"""

from __future__ import annotations

from .words import printable


class MinigraphError(Exception):
    """Anything that minigraph itself reports. `nodes` holds the Nodes that the message names.

    Where an operation on them was refused, `refused` holds its name and its symbol.
    """

    refused: tuple[str, str] | None = None

    def __init__(self, message: str, nodes: tuple = ()) -> None:
        super().__init__(message)
        self.nodes = nodes

    def __reduce__(self) -> tuple:
        """Cross to another process by the message alone: Nodes stay where they are."""
        return _without_nodes, (type(self), str(self))


def _without_nodes(kind: type[MinigraphError], message: str) -> MinigraphError:
    error = kind.__new__(kind)
    MinigraphError.__init__(error, message)
    return error


class NodeTypeError(MinigraphError, TypeError):
    """A value that no Node can hold, or an operation that no Node has."""


class SymbolicError(NodeTypeError):
    """A number that was asked of a Node which has none until its graph is run."""


class ShapeError(MinigraphError, ValueError):
    """Shapes that do not fit together."""


class FeedError(MinigraphError, ValueError):
    """A value that an input of a graph cannot take, or one that is missing."""


class GradientError(MinigraphError, ValueError):
    """A derivative that was asked for where there is none, or one that would be wrong."""


class AnomalyError(MinigraphError, FloatingPointError):
    """A NaN or an infinity that `detect_anomaly` found."""


class FormatError(MinigraphError, ValueError):
    """A text that is no saved graph, or one of a graph that cannot be."""


class FileError(MinigraphError, OSError):
    """A file that cannot be read or written. `reason` says why, without the name of the file.

    It is of Python's own kind too: for a file that is missing, a FileNotFoundError.
    """

    reason = ""

    def __str__(self) -> str:
        return self.args[0]  # Python's own would put the name of the file in once more


class TranslationError(MinigraphError, NotImplementedError):
    """A part of a program or of a graph that another system has, and this one has not.

    `what` is refused, and `instead` is what would do; the message may name the place between them.
    """

    what = instead = ""


class SettingError(MinigraphError, ValueError):
    """A setting with which a layer, an optimizer, a training or a data set cannot work."""


class PlanWarning(UserWarning):
    """A training that takes its steps node by node, for there can be no plan of it."""


class KinkWarning(UserWarning):
    """A derivative was asked for where there is none: the slopes on the two sides differ."""


class ParseError(MinigraphError, ValueError):
    """A typed expression that minigraph does not read. `position` counts characters from 0."""

    def __init__(self, message: str, text: str, position: int) -> None:
        start = text.rfind("\n", 0, position) + 1
        line = text[start:].split("\n", 1)[0]
        line = "".join(c if c.isprintable() else " " for c in line)  # place for place
        column = position - start
        left = max(0, column - 40)
        clipped = (
            ("…" if left else "") + line[left : left + 80] + ("…" if line[left + 80 :] else "")
        )
        caret = " " * (column - left + (left > 0)) + "^"
        super().__init__(f"{printable(message)}\n    {clipped}\n    {caret}")
        self.text = text
        self.position = position
