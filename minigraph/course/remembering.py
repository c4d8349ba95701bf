"""What a student's function is made of, and what it remembers from one call to the next.

A list that is a default argument, a dictionary of the notebook in which results are kept, a cache:
they let calls depend on the calls before them. Here such places are found and emptied for a moment,
so that `check` can tell what stands behind an answer that is right on its own and wrong in a row.
"""

from __future__ import annotations

import copy
import dis
import functools
import inspect
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from .attempt import Attempt, alike, attempt_once, short
from .delegation import is_a_library
from .forms import Difference
from .specification import Exercise, Program

MOST_PARTS = 50
COLLECTIONS = (list, dict, set, deque, defaultdict, Counter, OrderedDict)
CACHED = functools._lru_cache_wrapper
Holding = Callable[[], AbstractContextManager[None]]


def parts_of(function: Any) -> list[Any]:
    """A function, what it calls by name, and so on, as far as a student may have written it."""
    parts: list[Any] = []
    waiting = [function]
    while waiting and len(parts) < MOST_PARTS:
        part = waiting.pop()
        if any(part is known for known in parts):
            continue
        if type(part) is CACHED:
            parts.append(part)
        written = inspect.unwrap(part) if callable(part) else part
        if type(written) is not FunctionType or written in parts:
            continue
        if not is_a_library(written.__code__.co_filename):
            parts.append(written)
            waiting += _named_in(written).values()
    return parts


def fingerprint(function: Any) -> str:
    """The same text for the same program, wherever it stands and however it is laid out."""
    functions = [part for part in parts_of(function) if type(part) is FunctionType]
    codes = [code for part in functions for code in _codes(part.__code__)]
    return repr(
        [
            (code.co_code, code.co_names, [x for x in code.co_consts if type(x) is not CodeType])
            for code in codes
        ]
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named_in(function: FunctionType) -> dict[str, Any]:
    """What a function finds outside of itself, by the name under which it does."""
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    used = {name: function.__globals__[name] for name in names & function.__globals__.keys()}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            used[name] = cell.cell_contents
        except ValueError:  # it is not filled yet
            continue
    return used


@dataclass(frozen=True)
class Memory:
    """A place in which something may be kept between calls.

    Attributes:
        words: a sentence that names it, for the student.
        states: contexts in which it is as it was found, and in which it is empty.
    """

    words: str
    states: tuple[Holding, ...]


def memories_of(function: Any) -> list[Memory]:
    """The places that can be seen in a function and in what it calls."""
    memories: list[Memory] = []
    for part in parts_of(function):
        if type(part) is CACHED:
            text = f"The cache of `{part.__name__}` keeps the answers of earlier calls."
            memories.append(Memory(text, (functools.partial(_cleared, part),)))
            continue
        for name, value in _defaults(part).items():
            text = f"`{name}` is a default argument: made once, it keeps what is put into it."
            memories += _collection(text, value)
        for name, value in {**_named_in(part), **vars(part)}.items():
            text = f"`{name}` is made outside of your function, and keeps what is put into it."
            memories += _collection(text, value)
        for name in _assigned_globally(part):
            text = f"`{name}` is global, so it keeps what one call leaves in it for the next."
            now = part.__globals__.get(name)
            values = [now, type(now)()] if type(now) in (int, float, str, tuple) else [now]
            bound = functools.partial(_bound, part.__globals__, name)
            memories.append(Memory(text, tuple(functools.partial(bound, x) for x in values)))
    return memories


def _defaults(function: FunctionType) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _assigned_globally(function: FunctionType) -> set[str]:
    steps = [step for code in _codes(function.__code__) for step in dis.get_instructions(code)]
    return {step.argval for step in steps if step.opname == "STORE_GLOBAL"}


def _collection(text: str, value: Any) -> list[Memory]:
    if type(value) not in COLLECTIONS:
        return []
    full, empty = (functools.partial(_holding, value, x) for x in (copy.copy(value), ()))
    return [Memory(text, (full, empty))]


@contextmanager
def _holding(collection: Any, contents: Any) -> Iterator[None]:
    now = copy.copy(collection)
    _fill(collection, contents)
    try:
        yield
    finally:
        _fill(collection, now)


def _fill(collection: Any, contents: Any) -> None:
    collection.clear()
    add = collection.extend if isinstance(collection, (list, deque)) else collection.update
    add(contents)


@contextmanager
def _cleared(cached: Any) -> Iterator[None]:
    cached.cache_clear()
    yield


@contextmanager
def _bound(names: dict[str, Any], name: str, value: Any) -> Iterator[None]:
    now = names.get(name)
    names[name] = value
    try:
        yield
    finally:
        names[name] = now


# --- is it to blame? ------------------------------------------------------------------------------


def what_is_remembered(
    exercise: Exercise,
    program: Program,
    memories: Sequence[Memory],
    attempt: Attempt,
    seconds: float,
) -> Difference | None:
    """Why a program does not answer a case as it would on its own; None if that is not so."""

    def once_more() -> Attempt:
        return attempt_once(exercise, program, attempt.case, seconds, seconds)

    again = once_more()
    if not (attempt.wrong or again.wrong) or again.stopped:
        return None
    for memory in memories:
        for state in memory.states:
            with state():
                alone = once_more()
            if not alone.wrong:
                return Difference(f"{RIGHT_ALONE} {memory.words} {MAKE_IT_ANEW}", says_all=True)
    if bool(again.wrong) == bool(attempt.wrong) and _is_same(exercise, attempt, again):
        return None
    return Difference(ANOTHER_ANSWER, "another answer", says_all=True)


def _is_same(exercise: Exercise, one: Attempt, other: Attempt) -> bool:
    if one.answer is None or other.answer is None:
        return True  # it raised something, perhaps in other words
    same_words = short(one.answer) == short(other.answer)  # also where NaN is in it
    return same_words or alike(exercise, one, other)


RIGHT_ALONE = (
    "On its own your function answers this input rightly. But it remembers something from earlier "
    "calls."
)
MAKE_IT_ANEW = "Make it anew in each call."
ANOTHER_ANSWER = (
    "Your function gave another answer the second time it was called with this input. Does it "
    "remember something, draw at random, or rely on the order of a set? Only its arguments should "
    "count."
)
