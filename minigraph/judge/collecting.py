"""Which notebook is whose, and of which lesson: submissions as they come out of a course's system.

    for submission in collected(Path("submissions.zip"), lessons_of(EXERCISES)): …

A folder or a zip archive: one folder a student, nbgrader's `submitted/STUDENT/ASSIGNMENT/`, what
Moodle ("Name_12345_assignsubmission_file_/…") and Canvas ("name_12345_67890_file.ipynb") hand out,
with archives in it. Nothing is unpacked to the disk, no link is followed, and nothing larger than
`MOST_BYTES` is read. The lesson is seen from the exercises that a notebook holds. Whatever a file
is, there is a `Submission` for it, which says why if it cannot be judged.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import stat
import time
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from ..course.specification import Exercise
from ..errors import MinigraphError

MOST_BYTES = 32 * 2**20  # of a notebook
MOST_IN_ARCHIVE = 512 * 2**20  # of an archive in another, and of all that is read of it
MOST_ARCHIVES = 2  # in each other
MOST_CELLS = 5000
MOST_PIECES = 1_000_000  # lists and objects of a notebook; each takes memory when it is read
LONGEST_SHOWN = 400  # characters of a name
MARK = "\ufeff"  # begins a text that some editor has saved
JUDGED, OLDER, UNREADABLE = "judged", "older", "unreadable"
MOODLE, CANVAS = "Moodle", "Canvas"

_PASSED_OVER = re.compile(r"(^|/)(\.ipynb_checkpoints|__MACOSX|\.git)(/|$)|(^|/)(\._|\.DS_Store)")
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_\w+?_(?P<rest>.*)")
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<rest>.+)")
_VERSION = re.compile(r"(?:[ _-]*\((\d+)\)|-(\d+)|-Copy(\d+))$")


class CollectingError(MinigraphError):
    """There are no submissions at this place."""


@dataclass(frozen=True)
class Place:
    """A file in a folder, or in an archive, or in an archive in an archive."""

    path: Path
    members: tuple[str, ...] = ()

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            Unreadable: saying why not.
        """
        if not self.members:
            if self.path.stat().st_size > MOST_BYTES:
                raise Unreadable(_TOO_LARGE)
            return self.path.read_bytes()
        try:
            archive = _opened(self.path, self.members[:-1])
        except zipfile.BadZipFile:  # it was whole a moment ago
            raise Unreadable(_BROKEN) from None
        return _member(archive, self.members[-1], MOST_BYTES)


@lru_cache(maxsize=2)
def _opened(path: Path, members: tuple[str, ...]) -> zipfile.ZipFile:
    """An archive, or one in it; kept open, since its files are read one after another."""
    if not members:
        return zipfile.ZipFile(path)
    inner = _member(_opened(path, members[:-1]), members[-1], MOST_IN_ARCHIVE)
    return zipfile.ZipFile(io.BytesIO(inner))


@dataclass(frozen=True)
class Submission:
    """One file.

    Attributes:
        student: who has handed it in, as folders and results name them.
        file: where it was found, below the folder or archive.
        place: how to read it again.
        lesson: the stem of its lesson; "" if that cannot be told.
        state: "judged", "older" if a newer one counts, or "unreadable".
        note: what there is to say about it.
        system: the course's system that it comes from, `MOODLE` or `CANVAS`, where that is seen.
        name, number: the student's name and number there. Moodle's is another in each hand-in.
        late: whether the system says so.
        digest: of its bytes.
    """

    student: str
    file: str
    place: Place
    lesson: str = ""
    state: str = JUDGED
    note: str = ""
    system: str = ""
    name: str = ""
    number: str = ""
    late: bool = False
    digest: str = ""
    age: tuple[float, int, str] = field(default=(0.0, 0, ""), repr=False)


class Unreadable(Exception):
    """A file that holds no notebook; the message says what it is."""


_BROKEN = "it is a broken archive"
_TOO_LARGE = f"it is larger than {MOST_BYTES // 2**20} MB"


def lessons_of(exercises: Mapping[str, Exercise]) -> dict[str, list[str]]:
    """The names of the exercises of each lesson."""
    lessons: dict[str, list[str]] = {}
    for exercise in exercises.values():
        lessons.setdefault(exercise.lesson, []).append(exercise.name)
    return lessons


def collected(
    root: Path, lessons: Mapping[str, list[str]], results: Path | None = None
) -> list[Submission]:
    """All submissions in a folder or an archive, by student and lesson.

    Args:
        root: the folder or the archive.
        lessons: the names of the exercises of each.
        results: a folder that is passed over, should it stand among the submissions.

    Raises:
        CollectingError: if there is no such folder or archive, or nothing in it.
    """
    _opened.cache_clear()  # an archive of this name may be another one by now
    if root.is_dir():
        files = [*_in_folder(root, results)]
    elif root.is_file() and zipfile.is_zipfile(root):
        files = [*_in_archive(root, Place(root), 0)]
        files = [*_without_common_folder(files, root.stem)]
    else:
        raise CollectingError(f"{root} is neither a folder nor a zip archive of submissions")
    found = [_recognised(x, lessons) for x in _told_apart([*map(_whose, files)])]
    if not found:
        raise CollectingError(f"there are no submissions in {root}")
    return sorted(_newest_first(found), key=lambda x: (x.student, x.lesson, x.state, x.file))


def cells_of(data: bytes, file: str) -> list[str]:
    """The sources of the code cells of a notebook, or of a Python file, which is one.

    Raises:
        Unreadable: saying what it is instead.
    """
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if is_wide else "utf-8").lstrip(MARK)
    except UnicodeDecodeError:
        raise Unreadable("it is no notebook: it is not UTF-8 text") from None
    if file.endswith(".py"):
        return [text]
    try:
        if text.count("[") + text.count("{") > MOST_PIECES:
            raise Unreadable("it holds more than a notebook does")
        notebook = json.loads(text)
        sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        return [
            _text(cell.get("source", cell.get("input", "")))
            for cell in cells[:MOST_CELLS]
            if isinstance(cell, dict) and cell.get("cell_type") == "code"
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError):
        raise Unreadable("it is no notebook") from None


def _text(source: Any) -> str:
    """A source, which is a text or a list of lines; what is neither is empty."""
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str)).lstrip(MARK)


# --- where files are ------------------------------------------------------------------------------


def _in_folder(root: Path, results: Path | None) -> Iterator[Submission]:
    own = results and root / os.path.relpath(results.resolve(), root.resolve())
    for path in sorted(root.rglob("*")):
        file = path.relative_to(root).as_posix()
        if _PASSED_OVER.search(file) or own in (path, *path.parents):
            continue
        kind = path.lstat().st_mode
        if stat.S_ISDIR(kind):
            continue
        submission = Submission("", _shown(file), Place(path))
        if stat.S_ISLNK(kind):
            yield _unreadable(submission, "it is a link, and links are not followed")
        elif not stat.S_ISREG(kind):
            yield _unreadable(submission, "it is no file")
        elif path.suffix.lower() == ".zip":
            yield from _in_archive(path, Place(path), 1, file + "/")
        else:
            yield replace(submission, age=(path.stat().st_mtime, *_version(file)))


def _in_archive(file: Any, place: Place, depth: int, start: str = "") -> Iterator[Submission]:
    """The files of an archive, and of archives in it."""
    whole = Submission("", _shown(start.rstrip("/")) or place.path.name, place)
    try:
        archive = zipfile.ZipFile(file)
        infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield _unreadable(whole, _BROKEN)
        return
    left = MOST_IN_ARCHIVE
    with archive:
        for info in infos:
            name = info.filename
            file = start + name.replace("\\", "/")  # as some programs on Windows write it
            if not name or file.endswith("/") or _PASSED_OVER.search(file):
                continue
            member = replace(place, members=(*place.members, name))
            submission = Submission("", _shown(file), member)
            left -= info.file_size
            if _leads_outside(name):
                yield _unreadable(submission, "its name leads out of the archive")
            elif stat.S_ISLNK(info.external_attr >> 16):
                yield _unreadable(submission, "it is a link, and links are not followed")
            elif left < 0:
                yield _unreadable(submission, "the archive is larger than can be read")
            elif name.lower().endswith(".zip") and depth < MOST_ARCHIVES:
                try:
                    inner = io.BytesIO(_member(archive, name, MOST_IN_ARCHIVE // 8))
                except Unreadable as error:
                    yield _unreadable(submission, str(error))
                else:
                    yield from _in_archive(inner, member, depth + 1, f"{file}/")
            else:
                made = time.mktime((*info.date_time, 0, 0, -1))
                yield replace(submission, age=(made, *_version(file)))


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The bytes of a member, which are counted while they are unpacked, whatever it says."""
    try:
        with archive.open(name) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, KeyError):
        raise Unreadable("it cannot be unpacked") from None
    except Exception as error:  # what a decompressor raises for data that is none
        raise Unreadable(f"it cannot be unpacked ({type(error).__name__})") from None
    if len(data) > most:
        raise Unreadable(_TOO_LARGE)
    return data


def _leads_outside(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or name.startswith(("/", "\\")) or bool(re.match("[A-Za-z]:", name))


def _without_common_folder(files: list[Submission], stem: str) -> Iterator[Submission]:
    """Files of an archive without the folder that was packed, if there is one around all."""
    tops = {x.file.partition("/")[0] for x in files}
    seconds = {x.file.split("/")[1] for x in files if x.file.count("/") > 1}
    is_around = len(tops) == 1 and all("/" in x.file for x in files)
    top = next(iter(tops), "")
    are_students = len(seconds) > 1 and not any(re.search(r"\d\d_", x) for x in seconds)
    if is_around and not _MOODLE.match(top) and (top.lower() == stem.lower() or are_students):
        files = [replace(x, file=x.file.partition("/")[2]) for x in files]
    yield from files


def _shown(file: str) -> str:
    """A name as it can be printed and stored; other names look different."""
    text = unicodedata.normalize("NFC", file.encode("utf-8", "backslashreplace").decode())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)[:LONGEST_SHOWN]


def _unreadable(submission: Submission, note: str) -> Submission:
    return replace(submission, state=UNREADABLE, note=note)


def _version(file: str) -> tuple[int, str]:
    """The number of a copy, as in "name (1).ipynb" and "name-Copy1.ipynb"."""
    found = _VERSION.search(PurePosixPath(file).stem)
    return int(next(filter(None, found.groups()))[:9]) if found else 0, file


# --- whose it is, and of which lesson -------------------------------------------------------------


def _whose(submission: Submission) -> Submission:
    """Say who has handed it in, from where it stands."""
    parts = PurePosixPath(submission.file).parts
    for part in parts:
        if found := _MOODLE.fullmatch(part):
            return _known(submission, MOODLE, found)
    if found := _CANVAS.fullmatch(parts[-1]):
        return replace(_known(submission, CANVAS, found), late=bool(found["late"]))
    if "submitted" in parts[:-2]:
        return replace(submission, student=parts[parts.index("submitted") + 1])
    if len(parts) > 1:
        return replace(submission, student=parts[0])
    stem = PurePosixPath(submission.file).stem
    return replace(submission, student=_VERSION.sub("", stem) or stem)


def _known(submission: Submission, system: str, found: re.Match[str]) -> Submission:
    name, number = found["name"], found["id"]
    return replace(submission, student=name, system=system, name=name, number=number)


def _told_apart(found: list[Submission]) -> Iterator[Submission]:
    """Add their numbers to the names of students who are called the same.

    They are others if they have other numbers in one hand-in. In different ones, Moodle gives the
    same student other numbers.
    """
    numbers: dict[tuple[str, str], set[str]] = {}
    for x in found:
        numbers.setdefault((x.name, _hand_in(x)), set()).add(x.number)
    shared = {name for (name, _), own in numbers.items() if name and len(own) > 1}
    for x in found:
        yield replace(x, student=f"{x.name} {x.number}") if x.name in shared else x


def _hand_in(submission: Submission) -> str:
    """What stands before the part of a path that names a student."""
    return submission.file.partition(f"{submission.name}_")[0] if submission.name else ""


def _recognised(submission: Submission, lessons: Mapping[str, list[str]]) -> Submission:
    """Read the file, and say of which lesson it is."""
    if submission.state == UNREADABLE:
        return submission
    try:
        data = submission.place.read()
        cells = cells_of(data, submission.file)
    except Unreadable as error:
        return _unreadable(submission, str(error))
    except OSError as error:
        return _unreadable(submission, f"it cannot be read ({error.strerror})")
    submission = replace(submission, digest=sha256(data).hexdigest())
    lesson = lesson_in(cells, submission.file, lessons)
    if not lesson:
        return _unreadable(submission, "it holds none of the exercises")
    return replace(submission, lesson=lesson)


def lesson_in(cells: Iterable[str], file: str, lessons: Mapping[str, list[str]]) -> str:
    """The lesson of which a notebook defines most exercises; if it has none, that of its name."""
    text = "\n".join(cells)
    defined = {
        *re.findall(r"^[ \t]*(?:async +)?def +(\w+)|^(\w+) *(?::[^=\n]+)?=(?!=)", text, re.M)
    }
    names = {name for pair in defined for name in pair if name}
    names |= {*re.findall(r"""check\( *["'](\w+)["']""", text)}
    counts = Counter({stem: len(names.intersection(own)) for stem, own in lessons.items()})
    most = max(counts.values(), default=0)
    if not most:
        return next((stem for stem in lessons if stem in file), "")
    best = [stem for stem, count in counts.items() if count == most]
    return next((stem for stem in best if stem in file or stem[:2] in file), best[0])


def _newest_first(found: list[Submission]) -> Iterator[Submission]:
    """Mark all but the newest of a student's versions of a lesson."""
    groups: dict[tuple[str, str], list[Submission]] = {}
    for submission in found:
        if submission.state == UNREADABLE:
            yield submission
        else:
            groups.setdefault((submission.student, submission.lesson), []).append(submission)
    for group in groups.values():
        newest, *others = sorted(group, key=lambda x: x.age, reverse=True)
        count = len(others)
        note = f"the newest of {count + 1} versions" if count else ""
        yield replace(newest, note=note)
        for other in others:
            yield replace(other, state=OLDER, note=f"{newest.file} is newer, and counts")
