"""Judge a whole class: each notebook once, on several processes, in a way that can be interrupted.

    judge(Path("submissions"), Path("results"), Options(workers=4))

A notebook's record is written as soon as it is judged, whole or not at all. What has a record is
not judged again while the notebook, its exercises and the limits stay what they were. The tables
are made from the records, student by student, so memory does not grow with the class.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from threading import get_ident
from typing import Any, Protocol

from tqdm import tqdm

from ..course.own import VARIABLE, own_exercises
from ..course.specification import Exercise
from ..errors import MinigraphError
from ..graph.files import naming, write
from . import collecting
from .asking import Inside, Limits, Reply
from .collecting import CollectingError, Submission, cells_of, collected, lessons_of
from .inside.server import MOST_TOGETHER
from .locking import lock
from .results import BESIDE, FORMAT, RECORD, VERSION, read_record, record_path, write_tables
from .sandboxes import BY_NAME, NONE, Sandbox, chosen
from .variants import seeds_in
from .verdicts import FAULT, MISSING, NOT_STARTED, RIGHT, Question, Verdict

LATEST = 1  # raised when verdicts change though exercises do not
MOST_TRIES = 3  # of a notebook whose judge was lost with it
UNPROTECTED = (
    "Judged without a sandbox: a program could read every file on this machine, and write its own "
    "results. Believe these scores only as far as you trust every submission."
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How to judge."""

    workers: int = 0  # as many as there are processors
    limits: Limits = field(default_factory=Limits)
    sandbox: str | None = None  # the strongest
    exercises: Path | None = None  # a folder of one's own
    seeds: Path | None = None  # a table of students and seeds
    again: tuple[str, ...] | None = None  # these students, or all of them if it is empty
    quiet: bool = False


@dataclass(frozen=True)
class Task:
    """A notebook that is to be judged: everything that a worker has to know."""

    student: str
    lesson: str
    cells: list[str] = field(repr=False)
    names: list[str]
    seed: int
    variant: int = 0  # the seed of this student's own numbers


@dataclass(frozen=True)
class Summary:
    """What has been done."""

    sandbox: Sandbox
    judged: int
    kept: int
    unreadable: int
    complete: bool
    changes: tuple[Row, ...]

    def __str__(self) -> str:
        files = f"{self.judged} notebook{'s' * (self.judged != 1)} judged in {self.sandbox.name}"
        parts = [files, f"{self.kept} unchanged", f"{self.unreadable} not readable"]
        lines = [", ".join(parts) + ("" if self.complete else ", interrupted")]
        lines += [
            f"  {x['student']}: {x['exercise']} was {x['before']}, and is {x['after']}"
            for x in self.changes[:MOST_LISTED]
        ]
        if len(self.changes) > MOST_LISTED:
            lines.append(f"  and {len(self.changes) - MOST_LISTED} changes more, in results.json")
        return "\n".join(lines + ([UNPROTECTED] if self.sandbox is NONE else []))


MOST_LISTED = 40


class Pool(Protocol):
    """Where tasks are judged."""

    @property
    def room(self) -> int:
        """How many tasks to hand in ahead."""

    def submit(self, task: Task) -> Future[list[Row]]:
        """Hand in a task."""

    def close(self) -> None:
        """End what still runs."""


def judge(
    submissions: Path, results: Path, options: Options, pool: Callable[..., Pool] | None = None
) -> Summary:
    """Judge all submissions, and write the results.

    Raises:
        MinigraphError: if there are no submissions, there is no sandbox, or nothing can be written.
    """
    exercises = _exercises(options.exercises)
    sandbox = chosen(options.sandbox)
    if results.resolve() == submissions.resolve():
        raise CollectingError(f"{results} holds the submissions; name another folder for results")
    found = collected(submissions, lessons_of(exercises), results)
    if unknown := {*(options.again or ())} - {x.student for x in found}:
        raise CollectingError(
            f"there is no student {min(unknown)!r} in {submissions} to judge again; write names as "
            "they stand in scores.csv"
        )
    with naming(results, "made"):
        results.mkdir(parents=True, exist_ok=True)
    with _alone_in(results):
        for path in results.glob(f"**/{BESIDE}"):  # what a judge that was killed has half written
            with naming(path, "removed"):
                path.unlink(missing_ok=True)
        work = _Work(results, options, exercises, sandbox, found)
        made = pool or (_Here if work.workers == 1 else _Processes)
        complete = work.run(made)
        work.write(complete)
    bad = sum(x.state == collecting.UNREADABLE for x in found)
    return Summary(sandbox, work.judged, work.kept, bad, complete, tuple(work.changes))


@contextmanager
def _alone_in(results: Path) -> Iterator[None]:
    """Let no other judge write into a folder meanwhile."""
    place = None
    try:
        place = lock(results)
    except BlockingIOError:
        raise MinigraphError(
            f"another judge is writing into {results}; wait until it has ended, or name another "
            "folder with --results"
        ) from None
    except OSError:
        pass  # there are no locks in this file system
    try:
        yield
    finally:
        if place is not None:
            os.close(place)


def _exercises(folder: Path | None) -> dict[str, Exercise]:
    """The course's exercises, and those of a folder.

    Raises:
        MinigraphError: if there are none in the folder.
    """
    from ..course.exercises import EXERCISES

    if folder is None:
        return EXERCISES
    if not folder.is_dir():
        raise MinigraphError(f"there is no folder {folder} of exercises")
    os.environ[VARIABLE] = str(folder.resolve())  # which workers inherit
    own = own_exercises(folder)
    if not own:
        raise MinigraphError(
            f"there are no exercises in {folder}; name the folder that holds their Python files"
        )
    return EXERCISES | own


class _Work:
    """One run of the judge."""

    def __init__(
        self,
        results: Path,
        options: Options,
        exercises: Mapping[str, Exercise],
        sandbox: Sandbox,
        found: list[Submission],
    ) -> None:
        self.results = results
        self.options = options
        self.exercises = exercises
        self.sandbox = sandbox
        self.found = found
        self.lessons = lessons_of(exercises)
        self.workers = options.workers or os.cpu_count() or 1
        self.seed = secrets.randbits(48)  # nobody who has handed in has seen these questions
        self.seeds = seeds_in(options.seeds) if options.seeds else {}
        self.judged = self.kept = 0
        self.changes: list[Row] = []
        self._digests: dict[str, str] = {}

    def run(self, pool: Callable[..., Pool]) -> bool:
        """Judge what has no record; return whether all is done."""
        readable = [x for x in self.found if x.state == collecting.JUDGED]
        todo = [x for x in readable if self._is_new(x)]
        self.kept = len(readable) - len(todo)
        if not todo:
            return True
        workers = pool(self.sandbox.name, self.options, min(self.workers, len(todo)))
        bar = tqdm(total=len(todo), unit="notebook", disable=self.options.quiet, file=sys.stderr)
        try:
            self._judge(todo, workers, bar)
        except KeyboardInterrupt:
            return False
        finally:
            bar.close()
            workers.close()
        return True

    def _judge(self, todo: list[Submission], pool: Pool, bar: tqdm) -> None:
        waiting = iter(todo)
        running: dict[Future[list[Row]], Submission] = {}
        while True:
            while len(running) < pool.room and (submission := next(waiting, None)):
                running[pool.submit(self._task(submission))] = submission
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                self._record(running.pop(future), future.result())
                bar.update()

    def _task(self, submission: Submission) -> Task:
        try:
            cells = cells_of(submission.place.read(), submission.file)
        except (OSError, collecting.Unreadable):  # it was there a moment ago
            cells = []
        variant = self.seeds.get(submission.student, 0)
        names = self.lessons[submission.lesson]
        return Task(submission.student, submission.lesson, cells, names, self.seed, variant)

    # --- records ------------------------------------------------------------------------------

    def _is_new(self, submission: Submission) -> bool:
        again = self.options.again
        if again is not None and (not again or submission.student in again):
            return True
        record = self._read(submission)
        return record is None or not self._is_of(record, submission) or _has_fault(record)

    def _is_of(self, record: Row, submission: Submission) -> bool:
        return (record["digest"], record["judged_by"]) == (
            submission.digest,
            self._judged_by(submission),
        )

    def _read(self, submission: Submission) -> Row | None:
        return read_record(record_path(self.results, submission.student, submission.lesson))

    def _judged_by(self, submission: Submission) -> str:
        """A digest of all that a verdict depends on beside the notebook."""
        exercises = [self.exercises[name] for name in self.lessons[submission.lesson]]
        files = sorted({x.reference.__code__.co_filename for x in exercises})
        limits, seed = self.options.limits, self.seeds.get(submission.student)
        settings = [LATEST, self.sandbox.name, asdict(limits), seed, *map(self._digest, files)]
        return sha256(json.dumps(settings).encode()).hexdigest()

    def _digest(self, file: str) -> str:
        if file not in self._digests:
            with suppress(OSError):
                self._digests[file] = sha256(Path(file).read_bytes()).hexdigest()
        return self._digests.get(file, "")

    def _record(self, submission: Submission, rows: list[Row]) -> None:
        before = self._read(submission)
        record = {
            "format": RECORD,
            "version": VERSION,
            "student": submission.student,
            "file": submission.file,
            "lesson": submission.lesson,
            "digest": submission.digest,
            "judged_by": self._judged_by(submission),
            "exercises": rows,
        }
        path = record_path(self.results, submission.student, submission.lesson)
        with naming(path.parent, "made"):
            path.parent.mkdir(parents=True, exist_ok=True)
        write(path, json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
        self.judged += 1
        if before:
            self._note_changes(submission, before, rows)

    def _note_changes(self, submission: Submission, before: Row, rows: list[Row]) -> None:
        verdicts = {x["exercise"]: x["verdict"] for x in before["exercises"]}
        for row in rows:
            old = verdicts.get(row["exercise"], "not judged")
            if old != row["verdict"]:
                change = {"student": submission.student, "exercise": row["exercise"]}
                self.changes.append({**change, "before": old, "after": row["verdict"]})

    # --- tables -------------------------------------------------------------------------------

    def write(self, complete: bool) -> None:
        """Write the tables and the pages from the records."""
        from .pages import Pages  # with what pictures need, which no worker does

        here = {x.lesson for x in self.found if x.state == collecting.JUDGED}
        exercises = [x for x in self.exercises.values() if x.lesson in here]
        head = {
            "format": FORMAT,
            "version": VERSION,
            "complete": complete,
            "judged": datetime.now(UTC).isoformat(timespec="seconds"),
            "sandbox": {
                "name": self.sandbox.name,
                "version": self.sandbox.version,
                "warning": UNPROTECTED if self.sandbox is NONE else "",
                "open": self.sandbox.open,
            },
            "settings": asdict(self.options.limits),
            "changes": self.changes,
        }
        pages = Pages(self.results, head, exercises)
        write_tables(self.results, head, exercises, pages.passing(self._students()))
        pages.close()

    def _students(self) -> Iterator[Row]:
        for student, group in groupby(self.found, key=lambda x: x.student):
            files = [*group]
            rows = [self._row(x) for x in files]
            judged = [x for row in rows for x in row.get("exercises", ())]
            first = next((x for x in files if x.name or x.number), files[0])
            folder = record_path(self.results, student, "").parent.name
            yield {
                "student": student,
                "system": first.system,
                "name": first.name,
                "number": first.number,
                "folder": folder,
                "points": sum(x["points"] for x in judged),
                "max_points": sum(x["max_points"] for x in judged),
                "submissions": rows,
            }

    def _row(self, submission: Submission) -> Row:
        row: Row = {
            "file": submission.file,
            "number": submission.number,
            "lesson": submission.lesson,
            "state": submission.state,
            "note": submission.note,
            "late": submission.late,
        }
        if submission.state != collecting.JUDGED:
            return row
        record = self._read(submission)
        if not record or not self._is_of(record, submission):
            return {**row, "state": "waiting", "note": "judging was interrupted before it"}
        path = record_path(self.results, submission.student, submission.lesson)
        row["record"] = path.relative_to(self.results).as_posix()
        row["exercises"] = [{k: x[k] for k in SHORT} for x in record["exercises"]]
        return row


def _has_fault(record: Row) -> bool:
    """Whether something could not be judged, which may be no fault of the notebook's."""
    return any(row["verdict"] == FAULT for row in record["exercises"])


SHORT = ("exercise", "points", "max_points", "verdict", "misconception", "seconds")


# --- one notebook ---------------------------------------------------------------------------------


class Bench:
    """Judges one notebook after another, with one process inside a sandbox.

    The exercises of a notebook are answered in one process, for it takes as long to run a notebook
    as to answer an exercise. What is right there is right, and what a misconception explains is
    explained. Whatever else comes of an exercise may come of the one before it, so it is asked
    again in a process of its own.
    """

    def __init__(self, sandbox: str, options: Options) -> None:
        self.exercises = _exercises(options.exercises)
        self.inside = Inside(BY_NAME[sandbox], options.limits)
        self._questions: dict[tuple[str, int], Question] = {}

    def judged(self, task: Task) -> list[Row]:
        """The rows of a notebook: one for each exercise of its lesson."""
        verdicts: dict[str, Verdict] = {}
        questions: dict[str, Question] = {}
        for name in task.names:
            with _faults_to(verdicts, name):
                questions[name] = self._question(self.exercises[name], task)
        together, alone = [*questions], list[str]()
        skipped: tuple[int, ...] = ()
        while asked := together[:MOST_TOGETHER] or alone[:1]:
            del (together or alone)[: len(asked)]
            replies: list[Reply] = []
            with _faults_to(verdicts, *asked):
                replies = self.inside.ask(task.cells, [questions[x] for x in asked], skipped)
                skipped = replies[0].skipped
            has_ended = False
            for n, (name, reply) in enumerate(zip(asked, replies)):
                if reply.defined and not reply.done and len(asked) > 1:
                    (together if has_ended else alone).append(name)
                    has_ended = True
                    continue
                with _faults_to(verdicts, name):
                    verdict = questions[name].judged(reply, self.inside.limits)
                    if n == 0 or _is_sure(verdict, reply):
                        verdicts[name] = verdict
                    else:
                        alone.append(name)
        return [_row_of(self.exercises[name], verdicts[name]) for name in task.names]

    def _question(self, exercise: Exercise, task: Task) -> Question:
        key = exercise.name, task.variant if exercise.varies else task.seed
        if key not in self._questions:
            if len(self._questions) >= MOST_QUESTIONS:
                self._questions.clear()
            self._questions[key] = Question(exercise, key[1])
        return self._questions[key]

    def close(self) -> None:
        """End the process."""
        self.inside.close()


MOST_QUESTIONS = 100


@contextmanager
def _faults_to(verdicts: dict[str, Verdict], *names: str) -> Iterator[None]:
    """Note what fails in judging these; an exercise of one's own may fail in any way."""
    try:
        yield
    except MinigraphError:
        raise
    except Exception as error:
        fault = Verdict(FAULT, hint=f"{type(error).__name__}: {error}"[:300])
        verdicts |= dict.fromkeys(names, fault)


def _is_sure(verdict: Verdict, reply: Reply) -> bool:
    """Whether nothing that came before in the same process can be behind a verdict."""
    is_left = reply.defined is None or verdict.state in (RIGHT, MISSING, NOT_STARTED)
    return is_left or bool(verdict.misconception)


def _row_of(exercise: Exercise, verdict: Verdict) -> Row:
    return {
        "exercise": exercise.name,
        "points": exercise.points if verdict.state == RIGHT else 0,
        "max_points": exercise.points,
        "verdict": verdict.state,
        "misconception": verdict.misconception,
        "seconds": verdict.seconds,
        "title": exercise.title,
        "hint": verdict.hint,
        "parts": [asdict(part) for part in verdict.parts],
        "picture": verdict.picture,
    }


# --- where it is judged ---------------------------------------------------------------------------


class _Here:
    """Judges in this process."""

    room = 1

    def __init__(self, sandbox: str, options: Options, workers: int) -> None:
        self._bench = Bench(sandbox, options)

    def submit(self, task: Task) -> Future[list[Row]]:
        future: Future[list[Row]] = Future()
        future.set_result(self._bench.judged(task))
        return future

    def close(self) -> None:
        self._bench.close()


_bench: Bench | None = None  # of a worker


def _begin(sandbox: str, options: Options) -> None:
    global _bench
    import atexit

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began says when to end
    end_with_parent()
    _bench = Bench(sandbox, options)
    atexit.register(_bench.close)


def _judged(task: Task) -> list[Row]:
    assert _bench
    return _bench.judged(task)


def end_with_parent() -> None:
    """Let this process end when the one that has started it does, even if that is killed."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


class _Processes:
    """Judges in several processes of this machine; one that is lost is replaced.

    Each has a thread that waits for it, so what is lost with it is one notebook, and a known one.
    """

    def __init__(self, sandbox: str, options: Options, workers: int) -> None:
        self.room = 2 * workers
        self._made = sandbox, options
        self._threads = ThreadPoolExecutor(workers)
        self._processes: dict[int, ProcessPoolExecutor] = {}  # by the thread that waits
        self._open: set[Future[list[Row]]] = set()

    def submit(self, task: Task) -> Future[list[Row]]:
        """Hand in a task; it is tried again if its process is lost, and then given up."""
        future = self._threads.submit(self._tried, task)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def _tried(self, task: Task) -> list[Row]:
        for _ in range(MOST_TRIES):
            try:
                return self._process().submit(_judged, task).result()
            except BrokenProcessPool:
                del self._processes[get_ident()]
        return lost(task, self._made[1])

    def _process(self) -> ProcessPoolExecutor:
        """The process of this thread."""
        thread = get_ident()
        if thread not in self._processes:
            context = multiprocessing.get_context("spawn")
            self._processes[thread] = ProcessPoolExecutor(1, context, _begin, self._made)
        return self._processes[thread]

    def close(self) -> None:
        """Give up what waits, and end the processes when they are through with what they judge."""
        for future in [*self._open]:
            future.cancel()
        wait([*self._open])
        # Before the threads: a process is ended at once when the thread that has started it ends.
        for process in self._processes.values():
            process.shutdown()
        self._threads.shutdown()


def lost(task: Task, options: Options) -> list[Row]:
    """The rows of a notebook that took its judge with it, again and again."""
    exercises = _exercises(options.exercises)
    verdict = Verdict(FAULT, hint="The judge itself was lost with this notebook, several times.")
    return [_row_of(exercises[name], verdict) for name in task.names]
