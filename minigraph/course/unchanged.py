"""Notice whether a call has changed what it was given.

That may be a list or dictionary of Nodes and arrays, of other lists, even of itself. What holds
others is unchanged while they are, in the same order; an array, while its type of numbers, its
shape and its bits are the same; a number or text, while it is of the same type and equal; a Node, a
function or whatever else, while it is the same object.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HOLDERS = (dict, list, tuple, set, frozenset, np.ndarray)
PLAIN = (bool, int, float, complex, str, bytes, np.generic)


class Kept:
    """What a value holds at this moment, however deep."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._contents: dict[
            int, tuple[Any, Any]
        ] = {}  # beside each its holder, lest its id pass on
        todo = [value] if isinstance(value, HOLDERS) else []
        while todo:
            holder = todo.pop()
            if id(holder) not in self._contents:
                contents = _contents(holder)
                self._contents[id(holder)] = holder, contents
                if isinstance(contents, list):
                    todo += [x for x in contents if isinstance(x, HOLDERS)]

    def is_unchanged(self) -> bool:
        """Whether the value still holds that."""
        todo, met = [(self._value, self._value)], set()
        while todo:
            old, new = todo.pop()
            if (id(old), id(new)) in met:
                continue
            met.add((id(old), id(new)))
            if old is not new and type(old) is not type(new):
                return False
            if id(old) not in self._contents:
                if not _is_same(old, new):
                    return False
                continue
            before, now = self._contents[id(old)][1], _contents(new)
            if not isinstance(before, list):
                if not _is_same(before, now):
                    return False
            elif len(before) != len(now):
                return False
            else:
                pairs = zip(before, now)  # what is the same thing, and holds none, is unchanged
                todo += [(x, y) for x, y in pairs if x is not y or id(x) in self._contents]
        return True


def _contents(holder: Any) -> Any:
    """What a holder holds, as a list of parts; of an array or a set, a copy that is one part."""
    if isinstance(holder, np.ndarray):
        return holder.copy()
    if isinstance(holder, (set, frozenset)):
        return frozenset(holder)
    return [*holder, *holder.values()] if isinstance(holder, dict) else [*holder]


def _is_same(old: Any, new: Any) -> bool:
    """Whether two things of one type are the same: all that are not lists of parts."""
    if isinstance(old, np.ndarray):
        is_alike = (old.dtype, old.shape) == (new.dtype, new.shape)
        return is_alike and old.tobytes() == new.tobytes()
    if isinstance(old, (*PLAIN, frozenset)):
        return old is new or old == new or (old != old and new != new)
    return old is new
