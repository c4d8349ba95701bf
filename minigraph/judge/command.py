"""`python -m minigraph judge`: its options, and what it prints."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import MinigraphError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of minigraph."""
    judge = commands.add_parser(
        "judge",
        help="score a folder of submissions",
        usage="%(prog)s SUBMISSIONS --results RESULTS [options]\n"
        "       %(prog)s --demo [FOLDER]\n"
        "       %(prog)s --selftest",
        description="Score students' notebooks in a sandbox: a folder or a zip archive, as Moodle, "
        "Canvas or nbgrader hand it out. What has been judged already is not judged again.",
    )
    judge.add_argument(
        "submissions",
        nargs="?",
        type=Path,
        metavar="SUBMISSIONS",
        help="a folder or a zip archive",
    )
    judge.add_argument("--results", type=Path, help="the folder to write into")
    judge.add_argument(
        "--exercises", type=Path, metavar="FOLDER", help="with exercises of your own"
    )
    judge.add_argument(
        "--seed-file",
        type=Path,
        metavar="TABLE",
        help="the students and the seeds of their numbers, as `release --students` writes it",
    )
    judge.add_argument(
        "--again", nargs="*", metavar="STUDENT", help="judge these students again, or all"
    )
    judge.add_argument(
        "--seconds",
        type=_positive,
        help="of computing, for each exercise; default: 10",
    )
    judge.add_argument("--memory", type=_positive, default=512, help="in MB; default: %(default)s")
    judge.add_argument("--sandbox", help="bubblewrap, sandlock or none; default: the strongest")
    judge.add_argument(
        "--workers", type=_positive, default=0, help="processes; default: one a processor"
    )
    judge.add_argument(
        "--cluster", metavar="ADDRESS", help="judge on a Dask cluster, such as tcp://host:8786"
    )
    judge.add_argument(
        "--demo",
        nargs="?",
        type=Path,
        const=Path("judge-demo"),
        metavar="FOLDER",
        help="invent a small class in a new folder (default: %(const)s), and judge it",
    )
    judge.add_argument(
        "--selftest", action="store_true", help="try what a hostile program would, and report"
    )
    judge.set_defaults(command=_judge)


def _positive(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")


def _judge(chosen: argparse.Namespace) -> int:
    if chosen.selftest:
        return _selftest(chosen)
    if chosen.demo:
        _invent(chosen)
    if chosen.submissions is None or chosen.results is None:
        raise MinigraphError(
            "name a folder or an archive of submissions, and a folder for the results: "
            "python -m minigraph judge SUBMISSIONS --results RESULTS"
        )
    from .asking import Limits
    from .judging import Options, judge

    options = Options(
        workers=chosen.workers,
        limits=Limits(chosen.seconds or Limits.seconds, chosen.memory),
        sandbox=chosen.sandbox,
        exercises=chosen.exercises,
        seeds=chosen.seed_file,
        again=None if chosen.again is None else tuple(chosen.again),
    )
    pool = _cluster(chosen.cluster) if chosen.cluster else None
    summary = judge(chosen.submissions, chosen.results, options, pool)
    print(summary)
    print(f"The results are in {chosen.results}. Open first: {chosen.results / 'class.html'}")
    return 0 if summary.complete else 130


def _cluster(address: str) -> Callable[..., Any]:
    from .cluster import Cluster

    return lambda sandbox, options, workers: Cluster(address, sandbox, options)


def _invent(chosen: argparse.Namespace) -> None:
    """Make a class, and choose to judge it."""
    from .demo import RESULTS, SECONDS, SUBMISSIONS, make_class

    if chosen.submissions or chosen.results:
        raise MinigraphError("--demo makes its own submissions and results; name no others")
    qualities = make_class(chosen.demo)
    print(f"{len(qualities)} students were invented in {chosen.demo}:")
    for number, quality in enumerate(qualities, start=1):
        print(f"  student-{number:02}  {textwrap.shorten(quality, 84, placeholder=' …')}")
    chosen.submissions, chosen.results = chosen.demo / SUBMISSIONS, chosen.demo / RESULTS
    chosen.seconds = chosen.seconds or SECONDS


def _selftest(chosen: argparse.Namespace) -> int:
    from .asking import Limits
    from .judging import Options
    from .selftest import report, selftest

    sandbox, found = selftest(chosen.sandbox, Options(limits=Limits(1, chosen.memory)))
    print(report(sandbox, found))
    return 0 if all(finding.protected for finding in found) else 1
