"""What of a program in another system was seen, and how functions of Nodes take it.

mg.play(seen, loss)         # the same as mg.play(seen[loss])
mg.draw(seen, [loss, y])    # several values: mg.draw([seen[loss], seen[y]])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any

from ..core.node import Node
from ..errors import NodeTypeError


class Watched(ABC):
    """A program that was watched while it ran: `watched[x]` is the Node of a value x of it."""

    __iter__ = None  # there is no first value

    @abstractmethod
    def __getitem__(self, value: Any) -> Node: ...

    def made(self) -> list[Node]:
        """All Nodes that were seen, used or not."""
        return []

    def idle(self) -> list[str]:
        """The names of parameters that nothing has used."""
        return []


def takes_watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function or method of a Node take a Watched and a value of its program instead."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        for place, seen in enumerate(args[:2]):  # the second is a method's first
            if isinstance(seen, Watched):
                if len(args) == place + 1:
                    raise NodeTypeError(f"say of which value: {_called(function)}(seen, loss)")
                value = args[place + 1]
                several = isinstance(value, list | tuple)
                node = [seen[x] for x in value] if several else seen[value]
                args = (*args[:place], node, *args[place + 2 :])
                break
        return function(*args, **options)

    return call


def _called(function: Callable[..., Any]) -> str:
    """What a function, or the class of a method, is called by who uses it: "play" for Player."""
    name = function.__qualname__.partition(".")[0]
    around = getattr(function, "__globals__", {}).items()
    return next((k for k, x in around if k != name and getattr(x, "__name__", "") == name), name)
