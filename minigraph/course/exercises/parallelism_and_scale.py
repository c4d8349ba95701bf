"""Lesson 13: what can run at the same time, gradients over shards, and checkpoints."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from ...compiler import critical_path
from ..answers import Numbers, Order
from ..arrays import Arrays, locked
from ..forms import Case, Difference
from ..graphs import MOST_STEPS, Steps, as_assignment, chain, formula, random_graphs
from ..specification import exercise

LESSON = "13_parallelism_and_scale"

Seconds = dict[str, int]
ROW = 150  # operations one after the other: more than rounds that somebody would count out
DEEP = 3000  # operations of a chain in which calls cannot be nested


def _as_tuples(graph: Mapping[str, Any], seconds: Seconds, *others: Any) -> tuple[Any, ...]:
    """Give a function its own copies, the steps of the graph being tuples."""
    copies = (list(x) if isinstance(x, list) else x for x in others)
    return {name: tuple(step) for name, step in graph.items()}, dict(seconds), *copies


def _as_code(graph: Mapping[str, Any], seconds: Seconds, **others: Any) -> str:
    """Python code for the arguments; of a long chain, whose steps are alike, with a loop."""
    lines = [as_assignment({name: tuple(step) for name, step in graph.items()})]
    if len(graph) <= MOST_STEPS:
        inputs = {"seconds": seconds, **others}
        return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in inputs.items())])
    lines.append(f"seconds = dict.fromkeys(graph, {max(seconds.values())})")
    if "order" in others:
        lines.append(f"workers, order = {others['workers']}, [*reversed(graph)]")
    return "\n".join(lines)


def _inputs(graph: Steps, name: str) -> list[str]:
    """The operations that one of them waits for."""
    return [x for x in graph[name][1:] if x in graph]


# --- predict makespans ----------------------------------------------------------------------------

GRAPH: Steps = {
    "p": ("*", "a", "b"),
    "q": ("+", "a", "c"),
    "s": ("-", "b", "c"),
    "r": ("*", "p", "q"),
    "t": ("*", "s", "s"),
    "y": ("+", "r", "t"),
}
SECONDS: Seconds = {"p": 3, "q": 1, "s": 4, "r": 2, "t": 1, "y": 1}
CREWS = {"one": 1, "two": 2, "a hundred": 100}
Makespans = dict[str, float]


def _makespan(graph: Steps, seconds: Seconds, workers: int) -> float:
    starts = start_times(graph, seconds, workers, [*graph])
    return max(starts[name] + seconds[name] for name in graph)


@exercise(
    points=1,
    value_of=(GRAPH, SECONDS),
    as_arguments=_as_tuples,
    answer=Numbers("a dictionary with a number of seconds for one, two and a hundred workers"),
)
def predict_makespans(graph: Steps, seconds: Seconds) -> Makespans:
    """Predict makespans

    The operations of this graph do not take equally long: $p$ takes 3 seconds, $q$ 1, $s$ 4, $r$ 2,
    $t$ 1 and $y$ 1.

    ---

    How many seconds does it take, at the least, with one worker, with two, and with a hundred? To
    hand over takes no time.

    First step: Begin with one worker, who does everything: add up the seconds. Replace the dots by
    your numbers.
    Hint: With a hundred workers nobody waits for a worker, only for inputs. For two, draw a row for
    each worker, and fill in bars.
    Hint: There are three paths to y, over p, over q and over s. How long is each of them, and which
    two should begin first, if there are only two workers?
    Hint: For u = f(a), v = g(b), w = h(u, v) with 2, 5 and 1 seconds one worker takes 8 seconds,
    two take 6, and so do a hundred: w has to wait for v, and together they take 6.
    Verified: all three agree with a schedule that nobody can beat.
    """
    return {crew: _makespan(graph, seconds, workers) for crew, workers in CREWS.items()}


predict_makespans.slip(
    "divided by the workers",
    """You divided the work by the number of workers. That is a bound, and it is reached only if
    nobody ever waits. When y is computed, all but one have nothing to do.""",
    {"one": 12.0, "two": 6.0, "a hundred": 0.12},
    {"one": 12, "two": 7, "a hundred": 0.12},
)
predict_makespans.slip(
    "nobody waits",
    """Your number for two workers is a bound: half of the work, and the longest path. Fill in the
    bars: who has nothing to do, and when?""",
    {"one": 12, "two": 6, "a hundred": 6},
)
predict_makespans.slip(
    "level by level",
    """That is what it takes if each level ends before the next one begins. Which operations does r
    really wait for?""",
    {"one": 12, "two": 7, "a hundred": 7},
)
predict_makespans.slip(
    "operations counted",
    "You counted operations. They do not take equally long; add up their seconds.",
    {"one": 6, "two": 4, "a hundred": 3},
    {"one": 6, "two": 7, "a hundred": 6},
    {"one": 12, "two": 7, "a hundred": 3},
)
predict_makespans.slip(
    "the most expensive operation only",
    """With many workers each operation starts at once if its inputs are there. But they must be
    there: does anything wait for the most expensive operation?""",
    {"one": 12, "two": 7, "a hundred": 4},
    {"one": 12, "two": 4, "a hundred": 4},
)
predict_makespans.slip(
    "one worker too slow",
    "One worker computes one operation after the other. How long is that in all?",
    {"one": 7, "two": 7, "a hundred": 6},
    {"one": 14, "two": 7, "a hundred": 6},
)
predict_makespans.slip(
    "the second worker sent for too late",
    """For two workers there is a better way. From which two operations is the way to y the longest,
    and when do they start in yours?""",
    {"one": 12, "two": 8, "a hundred": 6},
    {"one": 12, "two": 9, "a hundred": 6},
    {"one": 12, "two": 10, "a hundred": 6},
)


# --- the critical path ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Path(Order):
    """A longest path through a graph. The case is (graph, seconds); several may be longest."""

    what: str = "a list of names"

    def difference(self, answer: list[str], expected: list[str], case: Case) -> Difference | None:
        """Name the first step that is none, or say that there is a longer path."""
        graph, seconds = case
        for name in answer:
            if name not in graph:
                return Difference(f"{name} is not an operation of this graph.", "no operation")
        for x, name in pairwise(answer):
            if x not in graph[name][1:]:
                text = f"After {x} comes {name}, but `{name} = {formula(tuple(graph[name]))}` does "
                return Difference(text + f"not use {x}.", None, name)
        length, longest = (sum(seconds[name] for name in path) for path in (answer, expected))
        if length < longest:
            text = f"This is a path, and it takes {length} seconds. There is a longer one."
            return Difference(text, None, answer[-1] if answer else None)
        return None


def _ends(graph: Steps, seconds: Seconds) -> Seconds:
    """For each operation when it is done at the earliest."""
    end: Seconds = {}
    for name in graph:
        end[name] = seconds[name] + max((end[x] for x in _inputs(graph, name)), default=0)
    return end


_SIDES: Steps = {
    "p": ("*", "a", "b"),
    "q": ("+", "a", "b"),
    "r": ("-", "q", "a"),
    "y": ("*", "p", "r"),
}
_LURE: Steps = {  # the most expensive input is not the last one to come
    "p": ("*", "a", "b"),
    "q": ("+", "p", "b"),
    "r": ("-", "a", "b"),
    "y": ("*", "q", "r"),
}
_WAVES: Steps = {
    "s": ("sin", "a"),
    "t": ("sin", "s"),
    "u": ("*", "s", "s"),
    "y": ("-", "u", "b"),
}
_TWO_ENDS: Steps = {
    "p": ("*", "a", "b"),
    "q": ("+", "p", "a"),
    "u": ("-", "a", "b"),
    "v": ("*", "u", "b"),
}


def graphs_with_seconds(rng: Random) -> list[Case]:
    """Graphs with unequal costs, some with several ends, and at last a deep one."""
    cases: list[Case] = [
        ({"p": ("+", "a", "b"), "q": ("-", "a", "b"), "y": ("*", "p", "q")},
         {"p": 2, "q": 5, "y": 1}),
        (_SIDES, {"p": 7, "q": 2, "r": 1, "y": 1}),
        (_SIDES, {"p": 4, "q": 3, "r": 2, "y": 1}),
        (_LURE, {"p": 6, "q": 1, "r": 4, "y": 2}),
        (_TWO_ENDS, {"p": 4, "q": 5, "u": 3, "v": 1}),
        (_TWO_ENDS, {"p": 1, "q": 2, "u": 6, "v": 3}),
        (GRAPH, SECONDS | {"t": 4}),
        ({"y": ("sin", "a")}, {"y": 3}),
        (_WAVES, {"s": 2, "t": 9, "u": 4, "y": 3}),
        (_WAVES, {"s": 2, "t": 1, "u": 7, "y": 3}),
        (_SIDES, {"p": 1, "q": 1, "r": 1, "y": 1}),
        (_SIDES, {"p": 7, "q": 2, "r": 1, "y": 1}),
        (dict.fromkeys("pqrstuvw", ("+", "a", "b")), dict(zip("pqrstuvw", (4, 2, 9, 1, 3, 8, 7, 5)))),
    ]  # fmt: skip
    for graph in random_graphs(rng, 16, 4, 10):
        cases.append((graph, {name: rng.randint(1, 9) for name in graph}))
    for length in (ROW, DEEP):
        row = chain(length)
        cases.append((row, dict.fromkeys(row, 1)))
    return cases


@exercise(
    points=3,
    cases=graphs_with_seconds,
    as_arguments=_as_tuples,
    answer=Path(),
    code=_as_code,
    instead_of=(critical_path,),
)
def find_critical_path(graph: Steps, seconds: Seconds) -> list[str]:
    """Find the critical path

    A graph is a dictionary here: each name has its operation and the names of its inputs, and
    inputs stand before their users. Names that are not in the dictionary are inputs of the graph,
    and cost nothing. A second dictionary has the seconds of each operation.

    ---

    Write a function that returns the names of the operations of the critical path, in the order in
    which they are computed. For the example that is `["q", "r", "y"]`. If several paths are
    longest, any of them will do. A graph may have several ends, and thousands of steps.

    First step: Go through the steps and note for each operation when it is done at the earliest:
    its own seconds, after the last of its inputs. What then is at the end of the critical path?
    Hint: If you know for each operation when it is done, which of its inputs has it been waiting
    for?
    Hint: In a first loop find `end[name]`. Then begin with the name that has the largest end, and
    go back to that input whose end is the largest, until there is none in the graph. Turn the list
    round.
    Hint: A train leaves when the last of its feeders is there. Who made the last one late?
        waits_for = {"bus": [], "tram": [], "train": ["bus", "tram"]}
        minutes = {"bus": 20, "tram": 35, "train": 60}
        arrival = {}
        for name, feeders in waits_for.items():
            arrival[name] = minutes[name] + max((arrival[x] for x in feeders), default=0)
        latest = max(waits_for["train"], key=arrival.get)
    It was the tram.
    Another way: Remember on the way forward which input came last:
        def find_critical_path(graph, seconds):
            end, waited_for = {}, {}
            for name, (_, *inputs) in graph.items():
                waited_for[name] = max((x for x in inputs if x in graph), key=end.get, default=None)
                end[name] = seconds[name] + end.get(waited_for[name], 0)
            path = [max(end, key=end.get)]
            while waited_for[path[-1]] is not None:
                path.append(waited_for[path[-1]])
            return path[::-1]
    The way back then asks no more questions.
    Verified: no path takes longer, in {cases} graphs.
    """
    end = _ends(graph, seconds)
    path = [max(graph, key=lambda x: end[x])]
    while inputs := _inputs(graph, path[-1]):
        path.append(max(inputs, key=lambda x: end[x]))
    return path[::-1]


find_critical_path.slip(
    "operations counted instead of seconds",
    """Your path has the most operations. But a few slow ones can take longer than many fast ones:
    add up seconds.""",
    ("_ends(graph, seconds)", "_ends(graph, dict.fromkeys(graph, 1))"),
)
find_critical_path.slip(
    "the most expensive input followed",
    """Going back you follow the input that takes the longest itself. Is it the one that the
    operation has been waiting for?""",
    ("max(inputs, key=lambda x: end[x])", "max(inputs, key=lambda x: seconds[x])"),
)


@find_critical_path.misconception("the most expensive next step")
def _forwards(graph: Steps, seconds: Seconds) -> list[str]:
    """You begin at the inputs and go on to what is most expensive next. A cheap step may lead to
    expensive ones. What would you have to know of a step before you take it?
    """
    ahead = [name for name in graph if not _inputs(graph, name)]
    path: list[str] = []
    while ahead:
        path.append(max(ahead, key=lambda x: seconds[x]))
        ahead = [name for name in graph if path[-1] in graph[name][1:]]
    return path


find_critical_path.slip(
    "the last step taken for the end",
    """Your path ends in the last step of the dictionary. With several ends another one may be done
    later.""",
    ("max(graph, key=lambda x: end[x])", "[*graph][-1]"),
)
find_critical_path.slip(
    "the first input only",
    """You follow the first input of each operation. Any of its inputs may be the one that it waits
    for.""",
    ("max(inputs, key=lambda x: end[x])", "inputs[0]"),
)
find_critical_path.slip(
    "backwards",
    """This is a critical path, but from its end to its start. What is computed first should stand
    first.""",
    ("path[::-1]", "path"),
)
find_critical_path.slip(
    "an end missing",
    """An end of the path is missing. Does somebody wait for your last operation, and does the first
    one wait for another?""",
    ("path[::-1]", "path[:0:-1]"),
    ("path[::-1]", "path[-2::-1]"),
)


@find_critical_path.misconception("a call for each step")
def _by_recursion(graph: Steps, seconds: Seconds) -> list[str]:
    """Your function is right for small graphs, but it calls itself, nested as deep as the graph.
    The steps stand in an order already. What is known when a loop comes to one?
    """
    known: dict[str, tuple[int, list[str]]] = {}

    def longest(name: str) -> tuple[int, list[str]]:
        if name not in known:
            length, path = max(map(longest, _inputs(graph, name)), default=(0, []))
            known[name] = length + seconds[name], [*path, name]
        return known[name]

    return max(map(longest, reversed(graph)))[1]


# --- a scheduler ----------------------------------------------------------------------------------


def _ways(graph: Steps, seconds: Seconds) -> Seconds:
    """For each operation the seconds from its start to the end of the graph."""
    way = dict.fromkeys(graph, 0)
    for name in reversed(graph):
        way[name] += seconds[name]
        for x in _inputs(graph, name):
            way[x] = max(way[x], way[name])
    return way


def graphs_to_schedule(rng: Random) -> list[Case]:
    """Graphs with unequal costs, few and many workers, and orders that help more or less."""
    eight: Steps = {
        "p": ("*", "a", "b"),
        "q": ("+", "a", "c"),
        "r": ("-", "b", "c"),
        "w": ("*", "c", "c"),
        "s": ("*", "p", "q"),
        "t": ("*", "q", "r"),
        "u": ("+", "s", "t"),
        "y": ("*", "u", "w"),
    }
    costs: Seconds = {"p": 1, "q": 1, "r": 2, "w": 4, "s": 1, "t": 3, "u": 1, "y": 1}
    two: Steps = {"p": ("+", "a", "b"), "q": ("-", "a", "b"), "y": ("*", "p", "q")}
    apart: Steps = dict.fromkeys("pqrstuvw", ("+", "a", "b"))
    cases: list[Case] = [
        (two, {"p": 2, "q": 3, "y": 1}, 1, ["p", "q", "y"]),
        (two, {"p": 2, "q": 3, "y": 1}, 2, ["p", "q", "y"]),
        (two, {"p": 2, "q": 3, "y": 1}, 2, ["y", "q", "p"]),
        (_SIDES, {"p": 5, "q": 2, "r": 1, "y": 1}, 2, ["q", "r", "p", "y"]),
        (_LURE, {"p": 4, "q": 1, "r": 2, "y": 2}, 2, ["p", "q", "r", "y"]),
        (_TWO_ENDS, {"p": 4, "q": 5, "u": 3, "v": 1}, 2, ["u", "v", "p", "q"]),
        (eight, costs, 2, ["r", "q", "w", "t", "p", "s", "u", "y"]),
        (eight, costs, 2, ["y", "w", "u", "s", "t", "r", "p", "q"]),
        (eight, costs, 3, ["r", "q", "w", "t", "p", "s", "u", "y"]),
        (eight, costs, 2, ["r", "q", "w", "t", "p", "s", "u", "y"]),
        (eight, costs, 1, ["y", "u", "t", "s", "w", "r", "q", "p"]),
        (eight, costs, 20, ["y", "u", "t", "s", "w", "r", "q", "p"]),
        (
            eight,
            {name: 100 * n for name, n in costs.items()},
            2,
            ["r", "q", "w", "t", "p", "s", "u", "y"],
        ),
        ({"y": ("sin", "a")}, {"y": 3}, 2, ["y"]),
        (_WAVES, {"s": 2, "t": 9, "u": 4, "y": 3}, 2, ["t", "s", "y", "u"]),
        (apart, dict(zip(apart, (4, 2, 9, 1, 3, 8, 7, 5))), 3, [*"wpsqtrvu"]),
        (apart, dict.fromkeys(apart, 2), 4, [*"wpsqtrvu"]),
    ]
    for graph in random_graphs(rng, 16, 4, 9):
        seconds = {name: rng.randint(1, 6) for name in graph}
        ways = _ways(graph, seconds)
        urgent = sorted(graph, key=lambda name: -ways[name])
        order = rng.choice([urgent, rng.sample([*graph], len(graph))])
        cases.append((graph, seconds, rng.randint(2, 3), order))
    row = chain(ROW)
    return [*cases, (row, dict.fromkeys(row, 2), 2, [*row][::-1])]


def _scheduled(
    graph: Steps,
    seconds: Seconds,
    workers: int,
    order: list[str],
    *,
    wait: Callable[[Iterable[int]], int] = max,
    strict: bool = False,
) -> Seconds:
    """Let workers take operations; `strict` ones wait for the next in the list, come what may."""
    start: Seconds = {}
    end: Seconds = {}
    now = 0
    while len(start) < len(order):
        running = [stop for stop in end.values() if stop > now]
        for name in order:
            if name in start:
                continue
            if len(running) == workers:
                break
            inputs = _inputs(graph, name)
            arrived = all if wait is max else any
            if not inputs or arrived(x in end and end[x] <= now for x in inputs):
                start[name], end[name] = now, now + seconds[name]
                running.append(end[name])
            elif strict:
                break
        now = min(running, default=now)
    return start


@exercise(
    points=3,
    cases=graphs_to_schedule,
    as_arguments=_as_tuples,
    answer=Numbers("a dictionary that gives each operation the second in which it starts"),
    code=lambda graph, seconds, workers, order: _as_code(
        graph, seconds, workers=workers, order=order
    ),
)
def start_times(graph: Steps, seconds: Seconds, workers: int, order: list[str]) -> Seconds:
    """Write a scheduler

    Now there are `workers`, and a list `order` that says which operation is more urgent than which.
    Time begins at 0. Whenever a worker is free, it takes the first operation of the list that has
    not started yet and whose inputs are all done. If there is none, it waits. To hand over takes no
    time.

    Write a function that returns a dictionary with the second in which each operation starts. For
    the example, two workers and the order `["q", "r", "p", "y"]` that is

    ```python
    {"q": 0, "p": 0, "r": 3, "y": 5}
    ```

    At 0 the first worker takes $q$. $r$ would be next in the list, but it has to wait for $q$; so
    the second worker takes $p$.

    First step: Begin at `now = 0` with empty dictionaries `start` and `end`. Which operations of
    the list may start now, and how many workers are free to take them? Then go on to the next time
    at which something ends.
    Hint: At any time you need two things: how many operations are running, and which operations are
    ready. Both can be read off the ends that you know.
    Hint: In a loop: go through `order`; if fewer than `workers` operations have an end after `now`,
    and this one has not started, and each of its inputs in the graph has an end of at most `now`,
    start it. Then set `now` to the next end, and go round again.
    Hint: Two cooks, and dishes by urgency; who is done when?
        minutes = {"rice": 20, "soup": 30, "cake": 40}
        now, end = 0, {}
        while len(end) < len(minutes):
            for dish in minutes:
                busy = sum(stop > now for stop in end.values())
                if dish not in end and busy < 2:
                    end[dish] = now + minutes[dish]
            now = min(stop for stop in end.values() if stop > now)
    The cake starts at 20, when the rice is done. Here no dish waits for another one.
    Another way: Go from end to end with a heap, and keep what is still to be done in a list:
        import heapq

        def start_times(graph, seconds, workers, order):
            start, done, running, waiting, now = {}, set(), [], list(order), 0
            while waiting:
                for name in list(waiting):
                    ready = all(x in done for x in graph[name][1:] if x in graph)
                    if ready and len(running) < workers:
                        start[name] = now
                        heapq.heappush(running, (now + seconds[name], name))
                        waiting.remove(name)
                now = running[0][0]
                while running and running[0][0] == now:
                    done.add(heapq.heappop(running)[1])
            return start
    The heap knows the next end without looking at all of them; simulators work so.
    Verified: each operation starts when it should, in {cases} schedules.
    """
    return _scheduled(graph, seconds, workers, order)


start_times.slip(
    "inputs not waited for",
    """An operation of yours starts before its inputs are done. What may a worker take that is free?""",
    ("_scheduled(graph,", "_scheduled(dict.fromkeys(graph, ('+',)),"),
)
start_times.slip(
    "as many workers as you like",
    """Each operation starts as soon as its inputs are done. But there are only so many workers: how
    many are busy at that time?""",
    ("workers, order)", "len(graph), order)"),
)


@start_times.misconception("waiting for the first in the list")
def _in_order_only(graph: Steps, seconds: Seconds, workers: int, order: list[str]) -> Seconds:
    """A worker of yours waits until the first operation of the list is ready. If it is not, the
    next one in the list may be.
    """
    needed = {name: n for n, name in enumerate(order)}
    if any(needed[x] > needed[name] for name in graph for x in _inputs(graph, name)):
        raise ValueError("nothing to do, and not done")
    return _scheduled(graph, seconds, workers, order, strict=True)


start_times.slip(
    "one input is enough",
    """You start an operation when one of its inputs is done. It needs all of them.""",
    ("workers, order)", "workers, order, wait=min)"),
)


@start_times.misconception("level by level")
def _by_level(graph: Steps, seconds: Seconds, workers: int, order: list[str]) -> Seconds:
    """You begin a level when the one before is done. An operation has to wait for its own inputs
    only.
    """
    level: Seconds = {}
    for name in graph:
        level[name] = 1 + max((level[x] for x in _inputs(graph, name)), default=-1)
    start: Seconds = {}
    begin = 0
    for number in range(max(level.values()) + 1):
        names = [name for name in order if level[name] == number]
        apart: Steps = dict.fromkeys(names, ("+",))
        within = start_times(apart, seconds, workers, names)
        start |= {name: begin + time for name, time in within.items()}
        begin += max(within[name] + seconds[name] for name in names)
    return start


@start_times.misconception("in rounds")
def _in_rounds(graph: Steps, seconds: Seconds, workers: int, order: list[str]) -> Seconds:
    """Your workers begin together, and the fast ones wait for the slowest. Who is done takes the
    next operation at once.
    """
    start: Seconds = {}
    now = 0
    while len(start) < len(order):
        ready = [
            name
            for name in order
            if name not in start and all(x in start for x in _inputs(graph, name))
        ]
        start |= dict.fromkeys(ready[:workers], now)
        now += max(seconds[name] for name in ready[:workers])
    return start


start_times.slip(
    "list ignored",
    """You take the operations in the order of the dictionary. Which is the most urgent is said by
    `order`.""",
    ("workers, order)", "workers, [*graph])"),
)


@start_times.misconception("ends given")
def _ends_instead(graph: Steps, seconds: Seconds, workers: int, order: list[str]) -> Seconds:
    """These are the times at which the operations are done. When do they start?"""
    starts = start_times(graph, seconds, workers, order)
    return {name: start + seconds[name] for name, start in starts.items()}


start_times.slip(
    "one worker only",
    """One worker does everything in your schedule, whatever `workers` is.""",
    ("workers, order)", "1, order)"),
)


# --- gradients over shards ------------------------------------------------------------------------

Array = np.ndarray


def _given_shards(sizes: list[int], gradients: list[Any]) -> tuple[list[int], Array]:
    return list(sizes), locked(gradients)  # None becomes NaN


def _shards_as_code(sizes: list[int], gradients: list[Any]) -> str:
    numbers = repr(gradients).replace("None", "np.nan")
    return f"import numpy as np\n\nsizes = {sizes}\ngradients = np.array({numbers})"


def shards(rng: Random) -> list[Case]:
    """Shards of equal and of unequal sizes, for vectors and matrices, some without examples."""
    cases: list[Case] = [
        ([3, 1], [[2.0, -1.0], [6.0, 3.0]]),
        ([4, 4], [[1.5, 2.0], [2.5, -3.0]]),
        ([6, 4, 2], [[2.0, 1.0], [-3.0, 0.5], [5.0, -2.0]]),
        ([5, 2], [[[1.0, 2.0], [3.0, 4.0]], [[-1.0, 0.5], [2.5, 8.0]]]),
        ([2, 0, 4], [[3.0, 1.5], [None, None], [-1.5, 2.0]]),
        ([7], [[2.5, -0.5, 3.0]]),
        ([3, 1], [2.0, 6.0]),
        ([0, 3, 1], [[None, None], [2.0, -1.0], [6.0, 3.0]]),
        ([4, 0, 0, 4], [[1.5, 2.0], [None, None], [None, None], [2.5, -3.0]]),
        ([0, 5], [[None], [0.5]]),
        ([1000, 1], [[0.0, -2.0], [4.0, 1.0]]),
        ([1, 1, 1], [[0.5, -2.0], [4.0, 1.0], [-1.5, 2.5]]),
        ([3, 1], [[2.0, -1.0], [6.0, 3.0]]),
    ]
    for _ in range(10):
        count, long = rng.randint(2, 5), rng.randint(1, 4)
        sizes = [rng.randint(1, 9) for _ in range(count)]
        gradients: list[Any] = [
            [rng.randint(-40, 40) / 8 for _ in range(long)] for _ in range(count)
        ]
        if rng.random() < 0.3:
            sizes[-1], gradients[-1] = 0, [None] * long
        cases.append((sizes, gradients))
    return cases


@exercise(
    points=2,
    kind="repair",
    cases=shards,
    as_arguments=_given_shards,
    answer=Arrays("an array of the shape of the gradients"),
    code=_shards_as_code,
)
def combine_shards(sizes: list[int], gradients: Array) -> Array:
    """Repair a gradient over shards

    A batch is split into shards. `sizes` has the number of examples in each of them, and
    `gradients[k]` is the gradient of the *mean* loss over the examples of shard $k$. This function
    makes one gradient of them. Its author reports: *"With two equal shards it is right. With three
    examples and one, it should be 3 and is 4."*

    ---

    Write a version that is right for shards of any sizes. Some of them may have no examples at all.
    The mean over nothing is NaN, and so is the gradient of such a shard.

    First step: Take two shards, of three examples and of one. By how much does each of the four
    examples count in the mean of all, and by how much in the mean of the two means?
    Hint: How much does a single example of shard k count in gradients[k], and how much should it
    count in the mean over all?
    Hint: From the mean over a shard you can find the sum again that it came from. Do that for each
    shard, and make the mean over all of the sums. Then look at a shard of size 0.
    Hint: Three people earn 2, 2 and 5 on average 3, and one earns 7:
        (3 * 3 + 1 * 7) / 4   # 4.0, the mean of all four
        (3 + 7) / 2           # 5.0, the mean of the means
    Another way: NumPy has a mean with weights:
        def combine_shards(sizes, gradients):
            weights = np.array(sizes)
            full = weights > 0
            return np.average(gradients[full], axis=0, weights=weights[full])
    The mask leaves out the shards without examples, before anything is multiplied.
    Verified: it is the gradient of the whole batch, in {cases} cases.
    """
    parts = [n / sum(sizes) * g for n, g in zip(sizes, gradients) if n]
    return np.sum(parts, axis=0)


combine_shards.slip(
    "all shards alike",
    """Each shard still counts the same. An example in a small shard then counts more than one in a
    large shard; all examples should count alike.""",
    ("n / sum(sizes)", "1 / sum(n > 0 for n in sizes)"),
    ("n / sum(sizes)", "1 / len(sizes)", " if n", ""),
)
combine_shards.slip(
    "added up only",
    """You add the gradients of the shards. Each of them is a mean already, so the sum grows with
    the number of shards.""",
    ("n / sum(sizes) * g", "g"),
    ("n / sum(sizes) * g", "g", " if n", ""),
)
combine_shards.slip(
    "not divided by all examples",
    "That is the gradient of the sum of all losses. What is asked for is that of their mean.",
    ("n / sum(sizes)", "n"),
    ("n / sum(sizes)", "n", " if n", ""),
)
combine_shards.slip(
    "divided by the number of shards",
    """You multiply by the sizes, and divide by the number of shards. How many summands has the sum
    that you have made?""",
    ("sum(sizes)", "sum(n > 0 for n in sizes)"),
    ("sum(sizes)", "len(sizes)", " if n", ""),
)
combine_shards.slip(
    "divided twice",
    """Try it with equal gradients in all shards: the mean of all should be the same. To what do
    your weights add up?""",
    ("n / sum(sizes)", "n / sum(sizes) / sum(n > 0 for n in sizes)"),
    ("n / sum(sizes)", "n / sum(sizes) / len(sizes)", " if n", ""),
)
combine_shards.slip(
    "small shards count more",
    """In your mean a small shard counts more than a large one. Which of the two stands for more
    examples?""",
    ("n / sum(sizes)", "1 / n"),
    ("n / sum(sizes)", "1 / n / sum(1 / m for m in sizes if m)"),
)
combine_shards.slip(
    "nothing times NaN",
    """Where every shard has examples, your gradient is right. What is 0 times NaN, and what should
    a shard without examples contribute?""",
    (" if n", ""),
)


# --- predict checkpoints --------------------------------------------------------------------------

LAYERS, SEGMENTS, MEGABYTES = 36, 4, 2
Memory = dict[str, float]


@exercise(
    points=1,
    value_of=(LAYERS, SEGMENTS, MEGABYTES),
    answer=Numbers("a dictionary with four numbers"),
)
def predict_checkpoints(layers: int, segments: int, megabytes: int) -> Memory:
    """Predict what checkpoints cost

    A chain has 36 layers, and the result of each layer takes 2 megabytes. It is cut into 4
    checkpointed segments of 9 layers each. Count the results of the layers only.

    - `"kept"`: how many megabytes are kept after the forward pass?
    - `"at most"`: how many at most, at any time in the two passes?
    - `"layers computed"`: how many layers are computed in both passes together, those that are
      computed again counted again?
    - `"best number of segments"`: for which number of segments of equal length would `"at most"` be
      the smallest?

    First step: How many results are kept after the forward pass, if each segment keeps its last
    one? Replace the dots by your numbers.
    Hint: Draw the chain, and mark what is kept. Then go back to the last segment, and mark what is
    there while it is computed again.
    Hint: Cut n layers into k segments. How many results are kept after the forward pass, and how
    many come on top while one segment is computed again? Which of the two grows with k?
    Hint: For 16 layers of 1 megabyte and 2 segments 2 megabytes are kept, and at most 2 + 8 = 10.
    Computed are 16 layers going forward, and the 8 and 8 of the segments once more. With 4 segments
    it would be 4 + 4 = 8 at most, and that is the best.
    Verified: all four agree with what minigraph keeps and computes.
    """
    return {
        "kept": segments * megabytes,
        "at most": (segments + layers // segments) * megabytes,
        "layers computed": 2 * layers,
        "best number of segments": min(range(1, layers + 1), key=lambda k: k + layers / k),
    }


predict_checkpoints.slip(
    "everything kept",
    """Without checkpoints the results of all layers are kept. A checkpointed segment keeps only its
    last result.""",
    {"kept": 72, "at most": 26, "layers computed": 72, "best number of segments": 6},
    {"kept": 72, "at most": 72, "layers computed": 72, "best number of segments": 6},
    {"kept": 64, "at most": 26, "layers computed": 72, "best number of segments": 6},
)
predict_checkpoints.slip(
    "results counted, not megabytes",
    "You counted results. Asked for are megabytes.",
    {"kept": 4, "at most": 13, "layers computed": 72, "best number of segments": 6},
    {"kept": 4, "at most": 26, "layers computed": 72, "best number of segments": 6},
    {"kept": 8, "at most": 13, "layers computed": 72, "best number of segments": 6},
)
predict_checkpoints.slip(
    "the segment that is computed again forgotten",
    """When the backward pass comes to a segment, its layers are computed again, and for a while
    their results are there besides those of the segments.""",
    {"kept": 8, "at most": 8, "layers computed": 72, "best number of segments": 6},
)
predict_checkpoints.slip(
    "the results of the segments forgotten",
    "While one segment is computed again, the results of all segments are kept as well.",
    {"kept": 8, "at most": 18, "layers computed": 72, "best number of segments": 6},
    {"kept": 18, "at most": 26, "layers computed": 72, "best number of segments": 6},
)
predict_checkpoints.slip(
    "segments computed again and kept",
    """When the backward pass has gone through a segment, its results are forgotten again, before
    the next segment is computed.""",
    {"kept": 8, "at most": 80, "layers computed": 72, "best number of segments": 6},
    {"kept": 8, "at most": 72, "layers computed": 72, "best number of segments": 6},
)
predict_checkpoints.slip(
    "nothing computed again",
    "What was forgotten has to be computed again before the backward pass can use it.",
    {"kept": 8, "at most": 26, "layers computed": 36, "best number of segments": 6},
    {"kept": 8, "at most": 26, "layers computed": 0, "best number of segments": 6},
)
predict_checkpoints.slip(
    "each segment begun at the first layer",
    """Where does a segment begin when it is computed again? The result of the segment before it has
    been kept.""",
    {"kept": 8, "at most": 26, "layers computed": 126, "best number of segments": 6},
    {"kept": 8, "at most": 26, "layers computed": 180, "best number of segments": 6},
    {"kept": 8, "at most": 26, "layers computed": 144, "best number of segments": 6},
)
predict_checkpoints.slip(
    "the more segments the better",
    """With a segment for each layer, all results of segments are kept, and that is all there is.
    Look for the number where both parts together are smallest.""",
    {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 36},
    {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 18},
)
predict_checkpoints.slip(
    "the fewer segments the better",
    """With one segment, all its layers are computed again at once, and then everything is there.
    Look for the number where both parts together are smallest.""",
    {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 1},
    {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 2},
    {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 4},
)
