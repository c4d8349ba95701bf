"""Lesson 12."""

import heapq
import itertools
import math
from collections import defaultdict
from decimal import Decimal

import numpy as np

from . import right, wrong

WHERE = {"in place": "new buffer", "new buffer": "in place"}

# --- predict what may be written in place ---------------------------------------------------------

PLACES = {
    "sum": "in place",
    "square": "in place",
    "kept": "new buffer",
    "matmul": "new buffer",
    "turned": "new buffer",
    "spread": "new buffer",
}
right(
    "predict_in_place",
    PLACES,
    dict(reversed(PLACES.items())),
    {case: place.upper() for case, place in PLACES.items()},
)
wrong(
    "predict_in_place",
    dict.fromkeys(PLACES, "in place"),
    {case: WHERE[place] for case, place in PLACES.items()},
    PLACES | {"sum": "new buffer"},
    PLACES | {"kept": "in place", "turned": "in place"},
    PLACES | {"matmul": "in place", "square": "new buffer"},
)
wrong("predict_in_place", PLACES | {"sum": "over u"}, says="It should be one of")
wrong("predict_in_place", list(PLACES.values()), says="It should be a dictionary")
wrong("predict_in_place", PLACES | {"turned": "in place"}, hint="other elements of the same array")
wrong("predict_in_place", dict.fromkeys(PLACES, "new buffer"), hint="never in place")

# --- find the last use ----------------------------------------------------------------------------


@right("last_uses")
def backwards(graph, outputs):
    last = {y: len(graph) for y in outputs}
    for step, name in reversed(list(enumerate(graph))):
        for x in (name, *graph[name][1:]):
            if x in graph and x not in last:
                last[x] = step
    return last


@right("last_uses")
def the_largest_of_all_uses(graph, outputs):
    steps = list(graph.values())
    found = {}
    for own, name in enumerate(graph):
        uses = [own] + [n for n, step in enumerate(steps) if name in step[1:]]
        found[name] = len(steps) if name in outputs else max(uses)
    return found


@right("last_uses")
def in_floats_with_a_step_for_the_return(graph, outputs):
    steps = [(name, step[1:]) for name, step in graph.items()] + [(None, tuple(outputs))]
    last = {}
    for number, (name, inputs) in enumerate(steps):
        for x in inputs:
            if x in graph:
                last[x] = float(number)
        if name is not None:
            last[name] = float(number)
    return last


@wrong("last_uses")
def the_operation_taken_for_an_input(graph, outputs):
    last = {}
    for step, (name, (*_, x)) in enumerate(graph.items()):
        last[name] = step
        if x in graph:
            last[x] = step
    return last | dict.fromkeys(outputs, len(graph))


@wrong("last_uses")
def the_first_input_only(graph, outputs):
    last = {}
    for step, (name, (_, x, *_rest)) in enumerate(graph.items()):
        last[name] = step
        if x in graph:
            last[x] = step
    return last | dict.fromkeys(outputs, len(graph))


@wrong("last_uses")
def the_last_output_only(graph, outputs):
    last = backwards(graph, [])
    if outputs:
        last[outputs[-1]] = len(graph)
    return last


@wrong("last_uses")
def how_long_it_lives(graph, outputs):
    last = backwards(graph, outputs)
    return {name: last[name] - step for step, name in enumerate(graph)}


@wrong("last_uses")
def nothing_dies_in_the_first_step(graph, outputs):
    return {name: max(step, 1) for name, step in backwards(graph, outputs).items()}


@wrong("last_uses", says="IndexError")
def there_is_an_output(graph, outputs):
    last = backwards(graph, outputs)
    last[outputs[0]] = len(graph)
    return last


@wrong("last_uses", says="unpack")
def two_inputs_in_each_step(graph, outputs):
    last = {}
    for step, (name, (_, x, y)) in enumerate(graph.items()):
        last |= {z: step for z in (name, x, y) if z in graph}
    return last | dict.fromkeys(outputs, len(graph))


@wrong("last_uses", says="It should be a dictionary")
def a_list_of_steps(graph, outputs):
    return list(backwards(graph, outputs).values())


@wrong("last_uses", hint="outputs let go")
def forgets_what_is_returned(graph, outputs):
    return backwards(graph, [])


@wrong("last_uses", hint="uses counted")
def counts(graph, outputs):
    return {name: sum(step.count(name) for step in graph.values()) for name in graph}


# --- plan buffers ---------------------------------------------------------------------------------


@right("plan_buffers")
def with_a_heap(lifetimes):
    plan, busy, free, made = {}, [], [], itertools.count()
    for name, (first, last) in sorted(lifetimes.items(), key=lambda item: item[1][0]):
        while busy and busy[0][0] < first:
            heapq.heappush(free, heapq.heappop(busy)[1])
        plan[name] = heapq.heappop(free) if free else next(made)
        heapq.heappush(busy, (last, plan[name]))
    return plan


@right("plan_buffers")
def step_by_step(lifetimes):
    begins, ends = defaultdict(list), defaultdict(list)
    for name, (first, last) in lifetimes.items():
        begins[first].append(name)
        ends[last].append(name)
    plan, free, made = {}, [], 0
    for step in sorted({*begins, *ends}):
        for name in begins[step]:
            if not free:
                free.append(made)
                made += 1
            plan[name] = free.pop()
        free += [plan[name] for name in ends[step]]
    return plan


@right("plan_buffers")
def first_that_meets_nobody(lifetimes):
    buffers = []
    for name in sorted(lifetimes, key=lifetimes.get):
        first, last = lifetimes[name]
        for buffer in buffers:
            if all(lifetimes[x][1] < first or last < lifetimes[x][0] for x in buffer):
                buffer.append(name)
                break
        else:
            buffers.append([name])
    return {name: Decimal(n) for n, buffer in enumerate(buffers) for name in buffer}


@right("plan_buffers")
def numbers_of_another_kind(lifetimes):
    return {name: float(n) * 10 for name, n in with_a_heap(lifetimes).items()}


def in_this_order(names, lifetimes):
    plan, until = {}, []
    for name in names:
        first, last = lifetimes[name]
        free = [n for n, end in enumerate(until) if end < first]
        if free:
            until[free[0]] = last
            plan[name] = free[0]
        else:
            until.append(last)
            plan[name] = len(until) - 1
    return plan


@wrong("plan_buffers")
def by_name(lifetimes):
    return in_this_order(sorted(lifetimes), lifetimes)


@wrong("plan_buffers", hint="a buffer each")
def latest_first(lifetimes):
    return in_this_order(sorted(lifetimes, key=lambda x: -lifetimes[x][0]), lifetimes)


@wrong("plan_buffers")
def two_buffers(lifetimes):
    return {name: n % 2 for n, name in enumerate(sorted(lifetimes, key=lifetimes.get))}


@wrong("plan_buffers")
def one_for_each_step(lifetimes):
    return {name: first for name, (first, last) in lifetimes.items()}


@wrong("plan_buffers")
def one_for_each_length(lifetimes):
    return {name: last - first for name, (first, last) in lifetimes.items()}


@wrong("plan_buffers")
def given_back_a_step_too_late(lifetimes):
    plan, until = {}, []
    for name in sorted(lifetimes, key=lambda name: lifetimes[name][0]):
        first, last = lifetimes[name]
        free = [n for n, end in enumerate(until) if end < first - 1]
        if free:
            until[free[0]] = last
            plan[name] = free[0]
        else:
            until.append(last)
            plan[name] = len(until) - 1
    return plan


@wrong("plan_buffers")
def four_at_most(lifetimes):
    return {name: n % 4 for name, n in with_a_heap(lifetimes).items()}


@wrong("plan_buffers")
def every_buffer_used_twice(lifetimes):
    plan, until, used = {}, [], []
    for name in sorted(lifetimes, key=lambda name: lifetimes[name][0]):
        first, last = lifetimes[name]
        free = [n for n, end in enumerate(until) if end < first and used[n] < 2]
        if free:
            until[free[0]] = last
            used[free[0]] += 1
            plan[name] = free[0]
        else:
            until.append(last)
            used.append(1)
            plan[name] = len(until) - 1
    return plan


@wrong("plan_buffers", says="The buffer of 'p' should be a whole number, and it is a text.")
def letters_for_buffers(lifetimes):
    return {name: "ABCDEFGH"[n] for name, n in with_a_heap(lifetimes).items()}


@wrong("plan_buffers", says="has no buffer")
def only_those_that_share(lifetimes):
    plan = with_a_heap(lifetimes)
    numbers = list(plan.values())
    return {name: n for name, n in plan.items() if numbers.count(n) > 1}


@wrong("plan_buffers", hint="buffer given back a step too early")
def in_place(lifetimes):
    plan, until = {}, []
    for name in sorted(lifetimes, key=lambda name: lifetimes[name][0]):
        first, last = lifetimes[name]
        free = [n for n, end in enumerate(until) if end <= first]
        if free:
            until[free[0]] = last
            plan[name] = free[0]
        else:
            until.append(last)
            plan[name] = len(until) - 1
    return plan


# --- say when compiling has paid ------------------------------------------------------------------


@right("runs_until_paid")
def counting(define, optimise, dynamic, compiled):
    if dynamic <= compiled:
        return 0
    n = 1
    while define + optimise + n * compiled >= n * dynamic:
        n += 1
    return n


@right("runs_until_paid")
def by_rounding(define, optimise, dynamic, compiled):
    gain = dynamic - compiled
    return math.floor((define + optimise) / gain) + 1.0 if gain > 0 else 0


@right("runs_until_paid")
def with_a_remainder(define, optimise, dynamic, compiled):
    if not dynamic > compiled:
        return 0
    runs, _ = divmod(define + optimise, dynamic - compiled)
    return np.int64(runs + 1)


@wrong("runs_until_paid")
def one_more_to_be_safe(define, optimise, dynamic, compiled):
    return by_rounding(define, optimise, dynamic, compiled) + 1


@wrong("runs_until_paid")
def never_without_end(define, optimise, dynamic, compiled):
    n = by_rounding(define, optimise, dynamic, compiled)
    return n or math.inf


@wrong("runs_until_paid")
def optimising_forgotten(define, optimise, dynamic, compiled):
    return by_rounding(define, 0, dynamic, compiled)


@wrong("runs_until_paid")
def what_n_runs_take(define, optimise, dynamic, compiled):
    n = by_rounding(define, optimise, dynamic, compiled)
    return define + optimise + n * compiled


@wrong("runs_until_paid")
def rounded_to_the_nearest(define, optimise, dynamic, compiled):
    gain = dynamic - compiled
    return round((define + optimise) / gain) + 1 if gain > 0 else 0


@wrong("runs_until_paid", says="ZeroDivisionError")
def always_something_gained(define, optimise, dynamic, compiled):
    return (define + optimise) // (dynamic - compiled) + 1


@wrong("runs_until_paid", says="It should be a number of runs")
def both_totals(define, optimise, dynamic, compiled):
    return [dynamic, define + optimise + compiled]


@wrong("runs_until_paid", hint="a tie taken for a gain")
def rounded_up(define, optimise, dynamic, compiled):
    gain = dynamic - compiled
    return math.ceil((define + optimise) / gain) if gain > 0 else 0
