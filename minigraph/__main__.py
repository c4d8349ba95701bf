"""`python -m minigraph`: exercises, notebooks, scores, what you have done, the installation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import MinigraphError
from .judge import command as judging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 0
    try:
        return chosen.command(chosen)
    except MinigraphError as error:
        print(f"minigraph {chosen.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"minigraph {chosen.name}: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m minigraph", description="What minigraph does outside of notebooks."
    )
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="", dest="name")

    release = commands.add_parser(
        "release",
        help="write the students' notebooks from the solutions",
        description="Write an exercise notebook, without answers, for each solution notebook, and "
        "into the course's lessons the line that leads through it.",
    )
    release.add_argument(
        "--source", type=Path, default=Path("solutions"), help="default: %(default)s"
    )
    release.add_argument(
        "--destination", type=Path, default=Path("exercises"), help="default: %(default)s"
    )
    release.add_argument(
        "--lessons", type=Path, default=Path("notebooks"), help="default: %(default)s"
    )
    release.add_argument(
        "--students",
        type=Path,
        metavar="ROSTER",
        help="a table with a column `student`: write a folder for each, with numbers of their own",
    )
    release.set_defaults(command=_release)

    run = commands.add_parser(
        "run",
        help="run notebooks and store their outputs",
        description="Run notebooks top to bottom in a fresh kernel, and store their outputs.",
    )
    run.add_argument("notebooks", nargs="+", type=Path, metavar="notebook")
    run.set_defaults(command=_run)

    progress = commands.add_parser(
        "progress",
        help="show what you have done in the course, or forget it",
        description="Show which lessons you have read, and what you have predicted and solved.",
    )
    progress.add_argument("--forget", action="store_true", help="forget it, after a question")
    progress.add_argument("--yes", action="store_true", help="forget it without a question")
    progress.set_defaults(command=_progress)

    judging.add_to(commands)

    doctor = commands.add_parser(
        "doctor",
        help="check the installation",
        description="Look whether everything that the course needs is installed.",
    )
    doctor.set_defaults(command=_doctor)
    return parser


def _release(chosen: argparse.Namespace) -> int:
    if chosen.students:
        from .judge.variants import release_to_students

        release_to_students(chosen.students, chosen.source, chosen.destination, chosen.lessons)
        return 0
    from .course.releasing import release

    release(chosen.source, chosen.destination, chosen.lessons)
    return 0


def _run(chosen: argparse.Namespace) -> int:
    try:
        from .course.run import run_notebooks
    except ImportError as error:
        raise MinigraphError(
            f'running notebooks needs Jupyter ({error}); get it with: pip install "minigraph[lab]"'
        ) from None
    run_notebooks(chosen.notebooks)
    return 0


def _progress(chosen: argparse.Namespace) -> int:
    from .course import progress

    path = progress.progress_file()
    if path is None:
        raise MinigraphError(
            "there is no course in this folder; go to the one that holds notebooks/"
        )
    if not chosen.forget:
        from .course.onwards import overview

        print(f"{overview(progress.read_progress())}\nThis is kept in {path}.")
        return 0
    if chosen.yes or _agreed(f"Forget what is kept in {path}?"):
        progress.forget()
        print("Forgotten.")
        return 0
    print("Nothing was forgotten; to answer beforehand, add --yes.")
    return 1


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # there is nobody to ask
        print()
        return False


def _doctor(chosen: argparse.Namespace) -> int:
    from .course.installation import doctor

    report = doctor()
    print(report)
    return 0 if report.healthy else 1


if __name__ == "__main__":
    sys.exit(main())
