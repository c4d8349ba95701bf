"""Folders that one process has for itself, as long as it lives, however it ends."""

from __future__ import annotations

import os
from pathlib import Path


def lock(folder: Path) -> int:
    """Lock a folder; return what `os.close` unlocks it with.

    The kernel keeps the lock, so a process that is killed leaves none in the way, and nothing is
    written for it.

    Raises:
        BlockingIOError: if somebody else has locked it.
        OSError: if it cannot be opened, or its file system knows no locks.
    """
    import fcntl  # not on Windows, where nothing is judged

    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(place)
        raise
    return place
