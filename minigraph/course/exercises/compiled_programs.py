"""Lesson 12: lifetimes, buffers, what may be written in place, and when compiling pays."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ..answers import Numbers, kind_of, not_a
from ..choices import Choices
from ..forms import Case, Difference, Form, WrongForm
from ..graphs import Steps, as_assignment, chain, random_graphs
from ..quantities import Number
from ..specification import exercise

LESSON = "12_compiled_programs"

ROW = 150  # steps one after the other: more than rounds that somebody would count out

# --- predict what may be written in place ---------------------------------------------------------

WORDS = ("in place", "new buffer")
CODE: dict[str, str] = {
    "sum": "w = u + v",
    "square": "w = u * u",
    "kept": "w = mg.exp(u)\nk = w - u",
    "matmul": "w = u @ v",
    "turned": "w = u + u.T",
    "spread": "w = r + v",
}


@exercise(points=1, value_of=(CODE,), answer=Choices(WORDS))
def predict_in_place(code: dict[str, str]) -> dict[str, str]:
    """Predict what may be written in place

    `u` and `v` are matrices of 4 × 4 numbers and `r` is a row of 4; earlier operations of the graph
    have computed them. Each case goes on with these lines, and nothing after them uses $u$ or $r$.

    | case | code |
    |---|---|
    | sum | `w = u + v` |
    | square | `w = u * u` |
    | kept | `w = mg.exp(u)` and then `k = w - u` |
    | matmul | `w = u @ v` |
    | turned | `w = u + u.T` |
    | spread | `w = r + v` |

    May $w$ be written over $u$, and in the case *spread* over $r$? Answer `"in place"` if it may,
    and `"new buffer"` if that would spoil a result.

    First step: Take the first case and imagine that the elements of w are written one by one. What
    is lost with each of them, and who still needs it? Replace the dots by words.
    Hint: Two questions for each case. Does anybody read u later? And for one element of w: which
    elements of u does it need?
    Hint: In place is right if u dies in this operation, if w has as many elements as what it is
    written over, and if each element of w needs only the element of u at its own place.
    Hint: Think of a row of numbers on a blackboard. "Double each" can be done over the old numbers.
    "Turn the row round" cannot: when the first is written, the last has not been read.
    Verified: all six agree with where the compiler puts the results.
    """
    return {
        "sum": "in place",
        "square": "in place",
        "kept": "new buffer",
        "matmul": "new buffer",
        "turned": "new buffer",
        "spread": "new buffer",
    }


predict_in_place.slip(
    "a user that comes later",
    "In one of the cases u is read once more, after w has been written. What does it find there?",
    ('"kept": "new buffer"', '"kept": "in place"'),
)
predict_in_place.slip(
    "a matrix product taken for elementwise",
    """For one element of a matrix product, how many elements of u are read? And how often is each
    of them read?""",
    ('"matmul": "new buffer"', '"matmul": "in place"'),
)
predict_in_place.slip(
    "other elements of the same array",
    """A sum is elementwise. But u.T is the same memory, read in another order. When the element in
    the first row and last column is written, who still has to read it?""",
    ('"turned": "new buffer"', '"turned": "in place"'),
)
predict_in_place.slip(
    "an array that is too small",
    "How many elements does w have in the case *spread*, and how many has a row?",
    ('"spread": "new buffer"', '"spread": "in place"'),
)
predict_in_place.slip(
    "two uses in one operation",
    """One operation may read the same element twice and then write it. Who reads it after
    that?""",
    ('"square": "in place"', '"square": "new buffer"'),
)
predict_in_place.slip(
    "never in place",
    "You allow nothing. Which of these operations need each element of u for one element of w only?",
    ('"sum": "in place"', '"sum": "new buffer"', '"square": "in place"', '"square": "new buffer"'),
)


# --- find lifetimes -------------------------------------------------------------------------------

_USED_TWICE: Steps = {"p": ("+", "a", "b"), "q": ("*", "p", "p"), "y": ("-", "q", "p")}
_UNUSED: Steps = {"p": ("+", "a", "b"), "q": ("sin", "p"), "r": ("*", "a", "b"), "y": ("sin", "q")}
_TWO_ENDS: Steps = {"p": ("*", "a", "b"), "q": ("+", "p", "a"), "u": ("-", "p", "b")}
_LATE_USER: Steps = {
    "u": ("+", "a", "b"),
    "v": ("sin", "u"),
    "w": ("*", "v", "c"),
    "z": ("-", "w", "v"),
    "y": ("*", "z", "u"),
}


def graphs_and_what_is_returned(rng: Random) -> list[Case]:
    """Graphs with results that wait, that nobody uses, that are returned; then random ones."""
    cases: list[Case] = [
        ({"p": ("+", "a", "b"), "y": ("*", "p", "b")}, ["y"]),
        (_USED_TWICE, ["y"]),
        (_UNUSED, ["y"]),
        (_LATE_USER, ["y"]),
        (_LATE_USER, ["v", "y"]),
        (_TWO_ENDS, ["u", "q"]),
        (_TWO_ENDS, ["p"]),
        (_UNUSED, ["r", "p"]),
        ({"y": ("*", "a", "a")}, ["y"]),
        (_USED_TWICE, []),
        (_USED_TWICE, ["y"]),
        (dict.fromkeys("pqrstuvw", ("+", "a", "b")), ["q", "w", "t"]),
    ]
    for graph in random_graphs(rng, 12, 4, 9):
        names = [*graph]
        cases.append((graph, rng.sample(names, rng.randint(1, 2))))
    return [*cases, (chain(ROW), [f"x{ROW}"])]


@exercise(
    points=2,
    cases=graphs_and_what_is_returned,
    as_arguments=lambda graph, outputs: ({k: tuple(step) for k, step in graph.items()}, [*outputs]),
    answer=Numbers("a dictionary that gives each result the number of a step"),
    code=lambda graph, outputs: (
        f"{as_assignment({k: tuple(step) for k, step in graph.items()})}\n"
        f"outputs = {json.dumps(outputs)}"
    ),
)
def last_uses(graph: Steps, outputs: list[str]) -> dict[str, float]:
    """Find the last use

    A graph is a dictionary, as in the last lesson. Its steps run in the order of the dictionary and
    are numbered from 0, as in the table of a plan. The `outputs` are returned to whoever has run
    the graph.

    Write a function that gives each result the number of the step that uses it last. A result that
    nobody uses dies in the step that computes it. An output has to be there until the end, so its
    number is that of the step after the last one. Inputs of the graph have no number.

    For `{"p": ("+", "a", "b"), "q": ("*", "p", "p"), "y": ("-", "q", "p")}` and `["y"]` the answer
    is `{"p": 2, "q": 2, "y": 3}`.

    First step: Go through the steps with enumerate. Of which results do you learn something when
    you come to a step?
    Hint: When you come to a step, its inputs are in use. Which of two uses of the same result is
    the one that you want to remember, if you go forward?
    Hint: Note for each result the step that computes it. Then overwrite the note of an input each
    time a step uses it. At the end, overwrite the notes of the outputs.
    Hint: When does the last guest leave whom somebody comes to see, day by day?
        visits = [["Ada"], ["Ada", "Bob"], ["Cem"], ["Bob"]]
        last = {}
        for day, guests in enumerate(visits):
            for guest in guests:
                last[guest] = day
    Ada is seen last on day 1, Bob on day 3, Cem on day 2.
    Another way: Backwards, where the first use that you meet is the last one:
        def last_uses(graph, outputs):
            last = dict.fromkeys(outputs, len(graph))
            for step, name in reversed([*enumerate(graph)]):
                last.setdefault(name, step)
                for x in graph[name][1:]:
                    if x in graph:
                        last.setdefault(x, step)
            return last
    Nothing is overwritten: what is in the dictionary is final. Compilers call this liveness.
    Verified: every result lives as long as it is needed, and no longer, in {cases} graphs.
    """
    last: dict[str, float] = {}
    for step, (name, (_, *inputs)) in enumerate(graph.items()):
        last[name] = step
        last.update((x, step) for x in inputs if x in graph)
    last.update((name, len(graph)) for name in outputs)
    return last


def _first_uses(graph: Steps, outputs: list[str]) -> dict[str, float]:
    last: dict[str, float] = {}
    for step, (_, *inputs) in enumerate(graph.values()):
        for x in inputs:
            if x in graph:
                last.setdefault(x, step)
    own = {name: step for step, name in enumerate(graph)}
    return own | last | dict.fromkeys(outputs, len(graph))


last_uses.slip(
    "outputs let go",
    """In your answer an output may die before the end. Then another array can be written over it
    before it is returned.""",
    ("last.update((name, len(graph)) for name in outputs)", "pass"),
)
last_uses.slip(
    "first use in place of the last",
    "You give the first use of a result. Somebody may come to read it again.",
    _first_uses,
)
last_uses.slip(
    "steps counted from one",
    "Your steps are counted from 1. In a plan the first step has the number 0.",
    ("enumerate(graph.items())", "enumerate(graph.items(), 1)", "len(graph)", "len(graph) + 1"),
    ("enumerate(graph.items())", "enumerate(graph.items(), 1)"),
)
last_uses.slip(
    "outputs until the last step only",
    """An output is needed after the last step, when it is returned. In the last step it could still
    be written over.""",
    ("len(graph)", "len(graph) - 1"),
)
last_uses.slip(
    "results that nobody uses left out",
    """A result that nobody uses is computed all the same, and needs a place while it is. In which
    step does it come and go?""",
    ("last[name] = step", "pass"),
)
last_uses.slip(
    "inputs of the graph counted",
    """You give numbers to inputs of the graph, too. What is fed lies in arrays of whoever fed it,
    and the plan has no say in them.""",
    (" for x in inputs if x in graph)", " for x in inputs)"),
)
last_uses.slip(
    "when it is computed",
    "You give the step that computes a result. Its life begins there. When does it end?",
    ("last.update((x, step) for x in inputs if x in graph)", "pass"),
)
last_uses.slip(
    "uses counted",
    "You count how often a result is used. Asked for is when it is used for the last time.",
    lambda graph, outputs: {
        name: sum(name in step[1:] for step in graph.values()) for name in graph
    },
    lambda graph, outputs: {
        name: sum(step[1:].count(name) for step in graph.values()) for name in graph
    },
)


# --- plan buffers ---------------------------------------------------------------------------------

Lifetimes = dict[str, Any]  # name -> (the step that computes it, the last step that uses it)


@dataclass(frozen=True)
class BufferPlan(Form):
    """A dictionary that gives each value the number of its buffer. The case is (lifetimes,)."""

    what: str = "a dictionary that gives each value the number of its buffer"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, int]:
        """Read names and whole numbers, also those that are written as 2.0."""
        if not isinstance(answer, Mapping):
            raise not_a(self.what, answer)
        return {str(name): _whole(buffer, name) for name, buffer in answer.items()}

    def difference(
        self, answer: dict[str, int], expected: dict[str, int], case: Case
    ) -> Difference | None:
        """Name two values that live in the same buffer at the same time; count the buffers."""
        lifetimes: Lifetimes = case[0]
        for name in lifetimes:
            if name not in answer:
                return Difference(f"{name} has no buffer.", "missing")
        for name in answer:
            if name not in lifetimes:
                return Difference(f"There is no value {name}.", "extra")
        for one, other in _pairs([*lifetimes]):
            (first, last), (begin, end) = lifetimes[one], lifetimes[other]
            if answer[one] == answer[other] and first <= end and begin <= last:
                text = (
                    f"{one} and {other} are both in buffer {answer[one]}, and in step "
                    f"{max(first, begin)} both of them are alive."
                )
                return Difference(text)
        used, enough = len({*answer.values()}), len({*expected.values()})
        if used > enough:
            return Difference(
                f"No two values meet. But it takes {used} buffers, and fewer will do."
            )
        return None

    def alike(self, one: dict[str, int], other: dict[str, int]) -> bool:
        """Compare who shares with whom, whatever the numbers."""
        return _sharers(one) == _sharers(other)

    def show(self, answer: dict[str, int]) -> str:
        """Write it as the dictionary that it is."""
        return json.dumps(answer)


def _whole(buffer: Any, name: Any) -> int:
    """The number of a buffer; what is no whole number is refused."""
    try:
        if not isinstance(buffer, (bool, str)) and int(buffer) == buffer:
            return int(buffer)
    except (TypeError, ValueError, OverflowError):
        pass
    text = f"The buffer of {name!r:.40} should be a whole number, and it is {kind_of(buffer)}."
    raise WrongForm(text, "numbers")


def _written(lifetimes: Lifetimes) -> str:
    spans = [f'"{name}": ({first}, {last})' for name, (first, last) in lifetimes.items()]
    return "{" + ", ".join(spans) + "}"


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for n, one in enumerate(names) for other in names[n + 1 :]]


def _sharers(plan: dict[str, int]) -> set[frozenset[str]]:
    by_buffer: dict[int, set[str]] = {}
    for name, buffer in plan.items():
        by_buffer.setdefault(buffer, set()).add(name)
    return {*map(frozenset, by_buffer.values())}


def _first_gap(in_order: Callable[[Lifetimes], list[str]]) -> Any:
    """Take the first buffer in which nothing lives at the same time, in some order of values."""

    def program(lifetimes: Lifetimes) -> dict[str, int]:
        plan: dict[str, int] = {}
        for name in in_order(lifetimes):
            first, last = lifetimes[name]
            taken = {plan[x] for x in plan if lifetimes[x][0] <= last and first <= lifetimes[x][1]}
            plan[name] = next(n for n in range(len(plan) + 1) if n not in taken)
        return plan

    return program


def _by_length(sign: int) -> Callable[[Lifetimes], list[str]]:
    return lambda lifetimes: sorted(
        lifetimes, key=lambda name: sign * (lifetimes[name][1] - lifetimes[name][0])
    )


def lifetimes_to_plan(rng: Random) -> list[Case]:
    """Lifetimes in no helpful order: chains, values that stay, gaps, and what random ones bring."""
    fixed: list[Lifetimes] = [
        {"p": [1, 2], "q": [3, 4]},
        {"p": [1, 2], "q": [2, 3]},
        {"u": [1, 2], "v": [2, 3], "w": [3, 4], "y": [4, 5]},
        {"y": [4, 5], "v": [2, 3], "u": [1, 2], "w": [3, 4]},
        {"a": [1, 6], "b": [2, 3], "c": [4, 5], "d": [3, 4]},
        {"d": [1, 1], "c": [2, 5], "b": [3, 4], "a": [1, 3], "e": [5, 6], "f": [6, 6]},
        {"r": [1, 2], "s": [6, 7], "t": [2, 5], "u": [4, 6], "v": [1, 1], "w": [7, 8]},
        {"a": [5, 7], "b": [3, 4], "c": [4, 5], "d": [1, 3]},  # the longest first takes one more
        {"a": [2, 5], "b": [5, 6], "c": [6, 6], "d": [2, 2]},  # so does the shortest first
        {"a": [3, 5], "b": [5, 7], "c": [1, 4], "d": [6, 6]},  # and by the end
        {"k": [6, 7], "l": [1, 2], "m": [3, 5], "n": [2, 3], "o": [5, 6], "p": [1, 7]},
        {"y": [1, 1]},
        {},
        {"p": [1, 2], "q": [2, 3]},
        {name: [1, 4] for name in "abcdef"},
        {name: [n, 9] for n, name in enumerate("fabdec", 1)},
        {"p": [1, 900], "q": [901, 2000], "r": [900, 901], "s": [2001, 2001]},
    ]
    for _ in range(16):
        names = rng.sample("abcdefghijklmnopqrstuvw", rng.randint(5, 10))
        firsts = [1 + n // 2 if rng.random() < 0.3 else 1 + n for n in range(len(names))]
        spans = [[first, first + rng.choice([0, 1, 1, 2, 3, 5])] for first in firsts]
        rng.shuffle(spans)
        fixed.append(dict(zip(names, spans)))
    row = [[n, n + 1] for n in range(1, ROW)]
    rng.shuffle(row)
    fixed.append({f"x{first}": [first, last] for first, last in row})
    return [(lifetimes,) for lifetimes in fixed]


@exercise(
    points=3,
    cases=lifetimes_to_plan,
    as_arguments=lambda lifetimes: ({name: tuple(span) for name, span in lifetimes.items()},),
    answer=BufferPlan(),
    code=lambda lifetimes: f"lifetimes = {_written(lifetimes)}",
)
def plan_buffers(lifetimes: Lifetimes) -> dict[str, int]:
    """Plan buffers

    Given is the lifetime of each value: the step that computes it, and the last step that uses it.
    All values have the same size. Here is an example, with a bar for each lifetime.

    ---

    Write a function that gives each value the number of a buffer, 0, 1 and so on. Values that are
    alive in the same step must not share one; the step of the last use counts, for nothing is
    written in place here. Take as few buffers as possible. The dictionary need not be in the order
    of the steps.

    For the example two buffers are enough: one for $u$ and $y$, the other one for $v$ and $w$.

    First step: Sort the names by the step that computes them. For each buffer remember the last
    step of the value that lives in it now. When is it free?
    Hint: Draw the lifetimes as bars, one below the other. How many bars does a vertical line cross
    at most? So many buffers are enough.
    Hint: Go through the values in the order of their first step. Take a buffer whose value has died
    in an earlier step, and if there is none, a new one. Note until when the buffer is taken.
    Hint: Guests share rooms of a hostel, each from one night to another, both included:
        nights = {"Ada": (1, 3), "Bob": (2, 2), "Cem": (3, 5)}
        taken_until = []
        for guest, (arrives, leaves) in sorted(nights.items(), key=lambda stay: stay[1]):
            free = [room for room, night in enumerate(taken_until) if night < arrives]
    Ada gets room 0, Bob room 1. Cem arrives in night 3, when Ada still sleeps in room 0, and gets
    room 1.
    Another way: A heap gives the buffer that is free first, without looking at all of them:
        import heapq

        def plan_buffers(lifetimes):
            plan, taken = {}, []  # (last step, buffer)
            for name, (first, last) in sorted(lifetimes.items(), key=lambda item: item[1]):
                if taken and taken[0][0] < first:
                    plan[name] = taken[0][1]
                    heapq.heapreplace(taken, (last, plan[name]))
                else:
                    plan[name] = len(taken)
                    heapq.heappush(taken, (last, plan[name]))
            return plan
    For thousands of buffers that is faster: only the one that ends first has to be asked.
    Verified: no two values meet, and no buffer is too many, in {cases} plans.
    """
    plan: dict[str, int] = {}
    until: list[int] = []  # for each buffer the last step of what lives in it
    for name in sorted(lifetimes, key=lambda name: lifetimes[name][0]):
        first, last = lifetimes[name]
        free = [n for n, end in enumerate(until) if end < first]
        if free:
            until[free[0]] = last
        else:
            until.append(last)
        plan[name] = free[0] if free else len(until) - 1
    return plan


plan_buffers.slip(
    "buffer given back a step too early",
    """You give a buffer to a new value in the step in which the old one is used for the last time.
    What does the operation of that step read, and where does it write?""",
    ("end < first", "end <= first"),
)
plan_buffers.slip(
    "a buffer each",
    """Every value has a buffer of its own. When a value has been used for the last time, its
    buffer is free for another one.""",
    ("return plan", "return {name: n for n, name in enumerate(lifetimes)}"),
)
plan_buffers.slip(
    "one buffer for all",
    "All values share one buffer, also those that are alive at the same time.",
    ("return plan", "return dict.fromkeys(lifetimes, 0)"),
)
plan_buffers.slip(
    "in the order of the dictionary",
    """You take the values in the order of the dictionary, which is not the order of the steps.
    Begin with the value that is computed first.""",
    ("sorted(lifetimes, key=lambda name: lifetimes[name][0])", "lifetimes"),
    _first_gap(list),
)
plan_buffers.slip(
    "sorted by the end",
    "You take the values by the step in which they die. From which step on is a buffer needed?",
    ("lifetimes[name][0]", "lifetimes[name][1]"),
    _first_gap(lambda lifetimes: sorted(lifetimes, key=lambda name: lifetimes[name][1])),
)
plan_buffers.slip(
    "sorted by length",
    """You take the values by how long they live. That may split the gaps so that a buffer more is
    needed. In which order do the values come when the graph runs?""",
    _first_gap(_by_length(-1)),
    _first_gap(_by_length(1)),
)
plan_buffers.slip(
    "newest buffer only",
    "You ask only whether the newest buffer is free. One of the others may be.",
    ("enumerate(until)", "[*enumerate(until)][-1:]"),
)
plan_buffers.slip(
    "first buffer only",
    """You ask only whether the first buffer is free, and make a new one if it is not. One of the
    others may be free.""",
    ("enumerate(until)", "[*enumerate(until)][:1]"),
)


# --- when compiling pays --------------------------------------------------------------------------


def prices(rng: Random) -> list[Case]:
    """Times in whole microseconds: exact multiples, one run, many runs, and no gain at all."""
    fixed: list[Case] = [
        (100, 400, 60, 10),
        (100, 410, 60, 10),
        (0, 49, 60, 10),
        (0, 50, 60, 10),
        (30, 30, 100, 20),
        (80, 20, 300, 20),
        (7, 8000, 13, 12),
        (100, 400, 60, 60),
        (100, 400, 60, 61),
        (10, 0, 5, 9),
        (0, 0, 8, 3),
        (100, 400, 60, 10),
        (50, 100_000, 40, 3),
        (5, 10, 90, 30),
    ]
    for _ in range(16):
        compiled = rng.randint(5, 400)
        gain = rng.choice([-20, 0, *[rng.randint(1, 300)] * 6])
        define, optimise = rng.randint(1, 500), rng.randint(50, 20_000)
        fixed.append((define, optimise, max(compiled + gain, 1), compiled))
    return fixed


@exercise(points=2, cases=prices, answer=Number("a number of runs"))
def runs_until_paid(define: int, optimise: int, dynamic: int, compiled: int) -> float:
    """Say when compiling has paid

    A static graph takes `define` microseconds to define and `optimise` to optimise and compile,
    both once. Then each run takes `compiled` microseconds. Without it each run takes `dynamic`
    microseconds, in which the graph is made anew. All four are whole numbers.

    Write a function that returns the smallest number of runs for which the static graph takes less
    time in all. If there is no such number, return 0. For 100, 400, 60 and 10 it is 11: ten runs
    take 600 microseconds either way.

    First step: Write down what n runs take either way. By how much does each run bring the two
    closer together?
    Hint: The price is paid once, and each run saves the same. How many savings are more than the
    price? And what if nothing is saved?
    Hint: Each run saves `dynamic - compiled`. If that is not positive, the answer is 0. Else look
    for the first n with n times the saving greater than the price, and not equal to it.
    Hint: A yearly ticket costs 90 and each ride without it 4. After 22 rides, 88, it has not paid;
    after 23, 92, it has. If the rides were 5 each, 18 rides would cost just as much, and the 19th
    makes the difference.
    Another way: Counting, when the numbers are small:
        from itertools import count

        def runs_until_paid(define, optimise, dynamic, compiled):
            if dynamic <= compiled:
                return 0
            return next(n for n in count(1) if define + optimise + n * compiled < n * dynamic)
    The condition stands there as the task says it, and no rounding has to be thought about.
    Verified: one run fewer has not paid, in {cases} settings.
    """
    once, saved = define + optimise, dynamic - compiled
    if saved <= 0:
        return 0
    return once // saved + 1


runs_until_paid.slip(
    "a tie taken for a gain",
    "For your number of runs both ways may take the same time. Asked for is the first with less.",
    ("once // saved + 1", "-(-once // saved)"),
    ("once // saved + 1", "max(1, -(-once // saved))"),
)
runs_until_paid.slip(
    "rounded down",
    """You round down. With your number of runs, the price has not been paid in full. Which run
    pays the rest?""",
    ("once // saved + 1", "once // saved"),
)
runs_until_paid.slip(
    "a part of a run",
    "Your answer is not a whole number. How many whole runs does it take?",
    ("once // saved + 1", "once / saved"),
)
runs_until_paid.slip(
    "definition forgotten",
    "A static graph has to be defined, too, before it is compiled. Where is that in your price?",
    ("define + optimise", "optimise"),
)
runs_until_paid.slip(
    "runs for nothing",
    "You let the compiled runs take no time. What does each of them really save?",
    ("dynamic - compiled", "dynamic"),
)
runs_until_paid.slip(
    "the graph defined in each run",
    """A static graph is defined once. In your calculation each of its runs pays for it again, or
    each dynamic run pays twice.""",
    ("define + optimise", "optimise", "dynamic - compiled", "dynamic - compiled - define"),
    ("define + optimise", "optimise", "dynamic - compiled", "dynamic + define - compiled"),
    ("dynamic - compiled", "dynamic + define - compiled"),
)
runs_until_paid.slip(
    "paid although nothing is saved",
    "What if a compiled run takes as long as a dynamic one, or longer? Does it ever pay?",
    ("saved <= 0", "saved == 0"),
    (
        "if saved <= 0:\n        return 0\n    return once // saved + 1",
        "return once // saved + 1 if saved else 1",
    ),
    ("saved <= 0", "saved < 0", "once // saved + 1", "once // max(saved, 1) + 1"),
)
