"""Files that are written whole or not at all, and errors that name the file.

New content is written beside the old and then takes its place in one step. So a full disk, an
interrupt or a crash leaves what was there.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import FileError, NodeTypeError


class _FileMissing(FileError, FileNotFoundError):
    pass


class _FileForbidden(FileError, PermissionError):
    pass


class _FileIsFolder(FileError, IsADirectoryError):
    pass


_KINDS: tuple[type[FileError], ...] = (_FileMissing, _FileForbidden, _FileIsFolder)
_LONGEST = 300  # characters of a path in a message


def file_path(path: Any) -> Path:
    """The path that a text or a path-like object means.

    Raises:
        NodeTypeError: for anything else.
    """
    try:
        return Path(os.fsdecode(path))
    except TypeError:
        raise NodeTypeError(
            f"a file is named by a text or a path, not {type(path).__name__} {path!r:.40}"
        ) from None


def shown(path: Path) -> str:
    """A path as a message holds it: on one line, without control characters, and not too long."""
    text = repr(str(path))[1:-1]
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"


def read(path: Path) -> bytes:
    """Read a file.

    Raises:
        FileError: naming the file.
    """
    with naming(path, "read"):
        if path.exists() and not (path.is_file() or path.is_dir()):  # it may never come to an end
            raise OSError("It is a pipe or a device, and no file")
        return path.read_bytes()


def write(path: Any, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        FileError: naming the file.
    """
    write_all({file_path(path): content})


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Write several files: all of them whole, or none if there is no room for one of them.

    Raises:
        FileError: naming the file.
    """
    staged: dict[Path, tuple[Path, str]] = {}
    try:
        for path, content in contents.items():
            with naming(path, "written"):
                if path.exists() and not path.is_file():  # a device or a pipe has nothing to keep
                    path.write_bytes(content)
                    continue
                target = os.path.realpath(path)  # a link stays, and what it leads to is written
                folder, name = os.path.split(target)
                beside = Path(folder, f".{name[:40]}.{secrets.token_hex(6)}.tmp")
                staged[path] = beside, target
                _write_beside(beside, target, content)
        for path, (beside, target) in staged.items():
            with naming(path, "written"):
                beside.replace(target)
    except BaseException:
        for beside, _ in staged.values():
            with suppress(OSError):  # what went wrong first is what to say
                beside.unlink()
        raise


def _write_beside(beside: Path, target: str, content: bytes) -> None:
    """Write a new file to the disk, with the permissions and the owner of the one it replaces."""
    old = Path(target).stat() if Path(target).exists() else None
    if old and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only")
    with beside.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if old:
        beside.chmod(old.st_mode & 0o7777)
        if hasattr(os, "chown"):
            with suppress(PermissionError):  # only some may give files away
                os.chown(beside, old.st_uid, old.st_gid)


@contextmanager
def naming(path: Path, done: str) -> Iterator[None]:
    """Let errors name the file that was meant to be read or written, unless they name one."""
    try:
        yield
    except FileError:
        raise
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        kind = next((kind for kind in _KINDS if isinstance(error, kind.__bases__[1])), FileError)
        raise _named(kind, path, done, error) from None


def _named(kind: type[FileError], path: Path, done: str, error: Exception) -> FileError:
    if kind is _FileIsFolder:
        reason = "it is a folder; give the name of a file"
    elif kind is _FileMissing:
        folder = shown(path.parent)
        reason = "there is no such file" if done == "read" else f"there is no folder {folder}"
    else:
        said = getattr(error, "strerror", None) or str(error)
        reason = f"{said[:1].lower()}{said[1:]}"
    named = kind(f"{shown(path)} cannot be {done}: {reason}")
    named.reason, named.errno, named.filename = reason, getattr(error, "errno", None), str(path)
    return named
