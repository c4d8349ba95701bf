"""What a learner has done: lessons read, predictions made, exercises solved.

It is kept in one file in the course's folder, `.minigraph/progress.json`, for the learner alone.
The environment variable MINIGRAPH_PROGRESS names another file, or says "none": then nothing is
kept. What cannot be written, as in a folder that is read-only, is known as long as Python runs.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import MinigraphError
from ..graph.files import naming, read, shown, write
from .lessons import LESSONS, Lesson, course_folder, here

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

VARIABLE = "MINIGRAPH_PROGRESS"
NOTHING = "none"
FILE = ".minigraph/progress.json"
FORMAT = "minigraph progress 1"
MOST_BYTES = 10**6
SECONDS = 3.0  # for which another kernel may keep the file
SECONDS_BETWEEN_TRIES = 0.01


class ProgressError(MinigraphError, ValueError):
    """A file that holds something else than progress, or no place to keep it."""


@dataclass
class Progress:
    """What has been done, by the stems of lessons.

    Attributes:
        read: the lessons that were finished.
        predicted: by lesson, the keys of predictions, and whether the first guess was right.
        solved: by lesson, the names of exercises.
    """

    read: set[str] = field(default_factory=set)
    predicted: dict[str, dict[str, bool]] = field(default_factory=dict)
    solved: dict[str, set[str]] = field(default_factory=dict)

    def add(self, other: Progress) -> None:
        """Add what is known otherwise; of predictions the one that is here stays."""
        self.read |= other.read
        for lesson, guesses in other.predicted.items():
            self.predicted[lesson] = guesses | self.predicted.get(lesson, {})
        for lesson, names in other.solved.items():
            self.solved[lesson] = names | self.solved.get(lesson, set())

    def clear(self) -> None:
        """Forget all of it."""
        for kept in (self.read, self.predicted, self.solved):
            kept.clear()

    @property
    def next(self) -> Lesson | None:
        """The lesson to read next: the first after all that were read, or one that was left out."""
        lessons = list(LESSONS.values())
        last = max((n for n, lesson in enumerate(lessons) if lesson.stem in self.read), default=-1)
        in_turn = lessons[last + 1 :] + lessons[: last + 1]
        return next((lesson for lesson in in_turn if lesson.stem not in self.read), None)

    @property
    def text(self) -> str:
        """What its file holds."""
        stems = sorted(self.read | self.predicted.keys() | self.solved.keys())
        lessons = {
            stem: {
                "read": stem in self.read,
                "predicted": {
                    key: "right" if right else "wrong"
                    for key, right in sorted(self.predicted.get(stem, {}).items())
                },
                "solved": sorted(self.solved.get(stem, ())),
            }
            for stem in stems
        }
        return json.dumps({"format": FORMAT, "lessons": lessons}, indent=2) + "\n"


_unwritten = Progress()
_noting = threading.RLock()  # threads of this kernel share what is not yet written


# --- noting ---------------------------------------------------------------------------------------


def note_read(lesson: str) -> None:
    """Note that a lesson has been read to its end."""
    _note(Progress(read={lesson}))


def note_prediction(lesson: str, key: str, right: bool) -> None:
    """Note that a prediction was made, and whether it was right; the first guess counts."""
    _note(Progress(predicted={lesson: {key: bool(right)}}))


def note_solved(lesson: str, name: str) -> None:
    """Note that an exercise was solved."""
    _note(Progress(solved={lesson: {name}}))


def _note(news: Progress) -> None:
    """Add to the file what is new; whatever may be wrong with it, a lesson goes on."""
    if os.environ.get(VARIABLE) == NOTHING:
        return
    with _noting:
        _unwritten.add(news)
        path = progress_file()
        if path is None:
            return
        with suppress(MinigraphError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone_with(path):
                known = _read(path)
                before = known.text
                known.add(_unwritten)
                if known.text != before:
                    write(path, known.text.encode())
                _unwritten.clear()


@contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """Let one kernel at a time change a file; the lock ends with the process that holds it.

    Raises:
        OSError: if the file stays locked.
    """
    with path.with_suffix(".lock").open("ab") as file:
        give_up = time.monotonic() + SECONDS
        while True:
            try:
                _lock(file.fileno())
                break
            except OSError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(SECONDS_BETWEEN_TRIES)
        yield  # closing the file unlocks it


def _lock(file: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


# --- reading --------------------------------------------------------------------------------------


def progress_file() -> Path | None:
    """The file that belongs to the notebooks of the current folder; None if there is no course."""
    named = os.environ.get(VARIABLE)
    if named == NOTHING:
        return None
    if named:
        return Path(named)
    folder = course_folder(here())
    return folder / FILE if folder else None


def progress() -> Progress:
    """What this learner has done, as far as it can be read."""
    try:
        return read_progress()
    except MinigraphError:
        known = Progress()
        known.add(_unwritten)
        return known


def read_progress() -> Progress:
    """What this learner has done.

    Raises:
        ProgressError: if there is something else in the file.
        FileError: if it cannot be read.
    """
    path = progress_file()
    with _noting:
        known = _read(path) if path else Progress()
        known.add(_unwritten)
    return known


def _read(path: Path) -> Progress:
    with naming(path, "read"):
        if not path.exists():
            return Progress()
        is_file, is_folder = path.is_file(), path.is_dir()
        size = path.stat().st_size if is_file else 0
    try:
        if size > MOST_BYTES:
            raise ValueError("it is too large")
        if not is_file and not is_folder:
            raise ValueError("a pipe or a device, which may never come to its end")
        return _understood(json.loads(read(path)))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ProgressError(
            f"{shown(path)} holds no progress in this course; move it away, or begin anew with "
            "`python -m minigraph progress --forget`"
        ) from None


def _understood(data: Any) -> Progress:
    """Progress from the data of its file; anything else raises what Python has for it."""
    if data["format"] != FORMAT:
        raise ValueError(data["format"])
    known = Progress()
    for lesson, done in data["lessons"].items():
        if done.get("read") is True:
            known.read.add(lesson)
        if guesses := done.get("predicted"):
            known.predicted[lesson] = {key: _RIGHT[said] for key, said in guesses.items()}
        if names := done.get("solved"):
            known.solved[lesson] = set(map(_name, names))
    return known


_RIGHT = {"right": True, "wrong": False}


def _name(text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError(text)
    return text


def forget() -> None:
    """Forget all that was done.

    Raises:
        FileError: if the file cannot be removed.
    """
    _unwritten.clear()
    path = progress_file()
    if path is not None:
        with naming(path, "removed"):
            path.unlink(missing_ok=True)
