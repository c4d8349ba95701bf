"""Measure minigraph beside its peers; see the package for what to run, `measuring` for how."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from . import blas, report
from .contenders import (
    CONTENDERS,
    DRAWN_NODES,
    EXPLORED_NODES,
    NETWORKS,
    Contender,
    LeftOutError,
)
from .measuring import Contest, Row, Worker, installed


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        chains: the sizes of scalar graphs that every contender tries, ascending.
        shown: those of them that the table shows.
        mixes: the sizes of the graphs with a number of Python's, all of them shown.
        largest: the size of the largest graph, which minigraph tries whoever else does.
        epochs: of the training on digits.
        memory: the size of the graph whose memory is counted.
        budget: seconds for each contender and piece of work.
        limit: seconds after which a contender is given up.
    """

    chains: tuple[int, ...]
    shown: tuple[int, ...]
    mixes: tuple[int, ...]
    largest: int
    epochs: int
    memory: int
    budget: float
    limit: float


QUICK = Plan((100, 1000), (1000,), (1000,), 4000, 1, 400, 0.01, 20)
DAILY = Plan(
    (1000, 100_000), (1000, 100_000), (1000, 10_000, 100_000), 1_000_000, 20, 10_000, 2, 30
)
CHART_SIZES = (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)


def planned(quick: bool, full: bool, chart: bool) -> Plan:
    """Return the plan that the options ask for."""
    if quick:
        return QUICK
    chains = CHART_SIZES if full or chart else DAILY.chains
    shown = (*DAILY.shown, DAILY.largest) if full else DAILY.shown
    limit = 4 * DAILY.limit if full else DAILY.limit
    return replace(DAILY, chains=chains, shown=shown, limit=limit)


def progress(text: str) -> None:
    """Say on stderr what is being measured, on one line where there is a terminal."""
    start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
    if end and ", turn " in text:
        return
    print(f"{start}{text}", end=end, file=sys.stderr, flush=True)


def measure(
    plan: Plan, kinds: Sequence[type[Contender]]
) -> tuple[list[Row], list[Row], report.Setting]:
    """Return all Rows, those of memory, and what was measured in which setting."""
    kinds, missing = installed(kinds)
    setting = report.Setting(missing + blas.unset({**os.environ}))
    with ExitStack() as stack:
        workers = []
        for worker in [stack.enter_context(Worker(kind, plan.limit)) for kind in kinds]:
            try:
                setting.versions[worker.name] = worker.ask("version")
                setting.kernels.setdefault(worker.ask("kernel"), []).append(worker.name)
                workers.append(worker)
            except LeftOutError as reason:
                setting.messages.append(f"{worker.name} is skipped: {reason}")
        contest = Contest(workers, plan.budget, progress)
        rows = [row for size in plan.chains for row in contest.compare("chain", size)]
        if plan.largest not in plan.chains:
            rows += contest.compare("chain", plan.largest, only=[report.OURS])
        rows += [row for size in plan.mixes for row in contest.compare("mix", size)]
        for kind, network in NETWORKS.items():
            rows += contest.compare(kind, network.batch)
        rows += contest.compare("digits", plan.epochs)
        rows += contest.compare("drawing", DRAWN_NODES, only=[report.OURS])
        for nodes in EXPLORED_NODES:
            rows += contest.compare("sliding", nodes, only=[report.OURS])
        memory = contest.memory("chain", plan.memory)
    progress("")
    return rows, memory, setting


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and report as the options say."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.benchmarks", description=(__doc__ or "").split(";")[0] + "."
    )
    lengths = parser.add_mutually_exclusive_group()
    lengths.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    lengths.add_argument("--full", action="store_true", help="every size, and more patience")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE.svg", help="also draw cost against size (or .png, …)"
    )
    names = [kind.name for kind in CONTENDERS]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}"
    )
    options = parser.parse_args(arguments)

    plan = planned(options.quick, options.full, bool(options.chart))
    kinds = [kind for kind in CONTENDERS if not options.only or kind.name in options.only]
    rows, memory, setting = measure(plan, kinds)
    parts = report.sections(rows, memory, plan.shown, plan.mixes)
    print(report.table(parts, setting))
    if options.json:
        from minigraph.graph.files import write

        figures = report.as_json(rows, memory, setting)
        write(options.json, f"{json.dumps(figures, indent=2)}\n".encode())
    if options.chart:
        chains = [row for row in rows if row.kind == "chain"]
        report.chart(chains, options.chart, plan.limit)


if __name__ == "__main__":
    main()
