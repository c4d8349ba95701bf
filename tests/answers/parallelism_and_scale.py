"""Lesson 13."""

import heapq
from functools import reduce

import numpy as np

from . import right, wrong

# --- predict makespans ----------------------------------------------------------------------------

right(
    "predict_makespans",
    {"one": 12, "two": 7, "a hundred": 6},
    {"a hundred": 6.0, "two": 7.0, "one": 12.0},
    dict(zip(("one", "two", "a hundred"), np.array([12, 7, 6]))),
)
wrong(
    "predict_makespans",
    {"one": 12, "two": 7, "a hundred": 12},
    {"one": 12, "two": 7, "a hundred": 1},
    {"one": 12, "two": 12, "a hundred": 6},
    {"one": 11, "two": 7, "a hundred": 6},
    {"one": 12, "two": 5, "a hundred": 6},
    {"one": 12, "two": 7, "a hundred": 5},
    {"one": 6, "two": 6, "a hundred": 6},
    {"one": 12, "two": 7, "a hundred": 8},
)
wrong("predict_makespans", {"one": 12, "two": 7}, says="There is no number for a hundred.")
wrong("predict_makespans", [12, 7, 6], says="It should be a dictionary")
wrong("predict_makespans", {"one": 12, "two": 6, "a hundred": 6}, hint="nobody waits")
wrong("predict_makespans", {"one": 12, "two": 6, "a hundred": 0.12}, hint="divided by the workers")

# --- the critical path ----------------------------------------------------------------------------


def before(graph, name):
    return [x for x in graph[name][1:] if x in graph]


@right("find_critical_path")
def remembers_who_was_last(graph, seconds):
    end, late = {}, {}
    for name in graph:
        begin, late[name] = 0, None
        for x in before(graph, name):
            if end[x] > begin:
                begin, late[name] = end[x], x
        end[name] = begin + seconds[name]
    name = max(end, key=end.get)
    path = []
    while name is not None:
        path.insert(0, name)
        name = late[name]
    return path


@right("find_critical_path")
def from_the_end_of_the_dictionary(graph, seconds):
    rest, following = dict(seconds), {}
    for name in reversed(graph):
        for x in before(graph, name):
            if rest[name] + seconds[x] > rest[x] or (x not in following and rest[x] == seconds[x]):
                rest[x] = max(rest[x], rest[name] + seconds[x])
                following[x] = name
    name = max(rest, key=rest.get)
    path = [name]
    while path[-1] in following:
        path.append(following[path[-1]])
    return tuple(path)


@right("find_critical_path")
def with_arrays(graph, seconds):
    names = list(graph)
    number = {name: n for n, name in enumerate(names)}
    end = np.zeros(len(names))
    for n, name in enumerate(names):
        end[n] = seconds[name] + max([end[number[x]] for x in before(graph, name)] or [0])
    n = int(np.argmax(end))
    path = [names[n]]
    while inputs := before(graph, path[-1]):
        begin = end[number[path[-1]]] - seconds[path[-1]]
        path.append(next(x for x in inputs if end[number[x]] == begin))
    return path[::-1]


@right("find_critical_path")
def keeps_whole_paths(graph, seconds):
    best = {}
    for name in graph:
        length, path = max((best[x] for x in before(graph, name)), default=(0, ()))
        best[name] = length + seconds[name], (*path, name)
    return list(max(best.values())[1])


@wrong("find_critical_path")
def most_expensive_ones(graph, seconds):
    dear = sorted(graph, key=lambda x: -seconds[x])[:2]
    return [name for name in graph if name in dear]


@wrong("find_critical_path")
def second_inputs(graph, seconds):
    end = {}
    for name in graph:
        end[name] = seconds[name] + max([end[x] for x in before(graph, name)], default=0)
    path = [max(end, key=end.get)]
    while inputs := before(graph, path[-1]):
        path.append(inputs[-1])
    return path[::-1]


@wrong("find_critical_path")
def seconds_of_the_inputs_only(graph, seconds):
    end = {}
    for name in graph:
        end[name] = max([end[x] + seconds[x] for x in before(graph, name)], default=0)
    path = [max(end, key=end.get)]
    while inputs := before(graph, path[-1]):
        path.append(max(inputs, key=end.get))
    return path[::-1]


@wrong("find_critical_path")
def sums_of_all_inputs(graph, seconds):
    end = {}
    for name in graph:
        end[name] = seconds[name] + sum(end[x] for x in before(graph, name))
    path = [max(end, key=end.get)]
    while inputs := before(graph, path[-1]):
        path.append(max(inputs, key=end.get))
    return path[::-1]


@wrong("find_critical_path")
def shortest_path(graph, seconds):
    end = {}
    for name in graph:
        end[name] = seconds[name] + min([end[x] for x in before(graph, name)], default=0)
    path = [max(end, key=end.get)]
    while inputs := before(graph, path[-1]):
        path.append(min(inputs, key=end.get))
    return path[::-1]


@wrong("find_critical_path")
def a_hundred_steps_back(graph, seconds):
    end = {}
    for name in graph:
        end[name] = seconds[name] + max([end[x] for x in before(graph, name)], default=0)
    path = [max(end, key=end.get)]
    for _ in range(100):
        if inputs := before(graph, path[-1]):
            path.append(max(inputs, key=end.get))
    return path[::-1]


@wrong("find_critical_path", says="KeyError")
def inputs_of_the_graph_too(graph, seconds):
    end = {}
    for name, (_, *inputs) in graph.items():
        end[name] = seconds[name] + max(end[x] for x in inputs)
    return [max(end, key=end.get)]


@wrong("find_critical_path")
def first_of_the_ends(graph, seconds):
    used = {x for step in graph.values() for x in step[1:]}
    end = {}
    for name in graph:
        end[name] = seconds[name] + max([end[x] for x in before(graph, name)], default=0)
    path = [next(name for name in graph if name not in used)]
    while inputs := before(graph, path[-1]):
        path.append(max(inputs, key=end.get))
    return path[::-1]


@wrong("find_critical_path", says="It should be a list of names")
def length_only(graph, seconds):
    return sum(seconds[name] for name in keeps_whole_paths(graph, seconds))


@wrong("find_critical_path", says="a set has no order")
def a_set(graph, seconds):
    return set(keeps_whole_paths(graph, seconds))


@wrong("find_critical_path", hint="backwards")
def from_the_end(graph, seconds):
    return remembers_who_was_last(graph, seconds)[::-1]


# --- a scheduler ----------------------------------------------------------------------------------


@right("start_times")
def second_by_second(graph, seconds, workers, order):
    start, now = {}, 0
    while len(start) < len(graph):
        running = sum(start[x] <= now < start[x] + seconds[x] for x in start)
        for name in order:
            ready = all(x in start and start[x] + seconds[x] <= now for x in before(graph, name))
            if name not in start and ready and running < workers:
                start[name] = now
                running += 1
        now += 1
    return start


@right("start_times")
def with_a_heap_of_ends(graph, seconds, workers, order):
    waiting, done, running, start = list(order), set(), [], {}
    now = 0
    while waiting:
        while len(running) < workers:
            ready = [name for name in waiting if done.issuperset(before(graph, name))]
            if not ready:
                break
            waiting.remove(ready[0])
            start[ready[0]] = now
            heapq.heappush(running, (now + seconds[ready[0]], ready[0]))
        now, name = heapq.heappop(running)
        done.add(name)
        while running and running[0][0] == now:
            done.add(heapq.heappop(running)[1])
    return start


@right("start_times")
def rows_for_workers(graph, seconds, workers, order):
    free = [0.0] * min(workers, len(graph))
    end = {}
    while len(end) < len(graph):
        worker = min(range(len(free)), key=free.__getitem__)
        now = free[worker]
        todo = [x for x in order if x not in end]
        ready = [x for x in todo if all(end.get(y, np.inf) <= now for y in before(graph, x))]
        if ready:
            free[worker] = end[ready[0]] = now + seconds[ready[0]]
        else:
            free[worker] = min(e for e in [*end.values()] if e > now)
    return {name: end[name] - seconds[name] for name in order}


@wrong("start_times", says="AttributeError")
def takes_an_attribute(graph, seconds, workers, order):
    return {name: graph.start(name) for name in order}


def greedy(graph, seconds, workers, order, ready_when=lambda end, now: end <= now, free=None):
    start, end, now = {}, {}, 0
    while len(start) < len(graph):
        for name in order:
            busy = sum(stop > now for stop in end.values())
            ready = all(x in end and ready_when(end[x], now) for x in before(graph, name))
            if name not in start and busy < workers and ready:
                start[name], end[name] = now, now + seconds[name]
        now = min((stop for stop in end.values() if stop > now), default=now)
    return start


@wrong("start_times")
def most_expensive_first(graph, seconds, workers, order):
    return greedy(graph, seconds, workers, sorted(order, key=lambda x: -seconds[x]))


@wrong("start_times")
def list_from_the_end(graph, seconds, workers, order):
    return greedy(graph, seconds, workers, order[::-1])


@wrong("start_times")
def two_workers_always(graph, seconds, workers, order):
    return greedy(graph, seconds, 2, order)


@wrong("start_times")
def one_worker_more(graph, seconds, workers, order):
    return greedy(graph, seconds, workers + 1, order)


@wrong("start_times")
def a_hundred_seconds_only(graph, seconds, workers, order):
    start = {}
    for now in range(100):
        running = sum(start[x] <= now < start[x] + seconds[x] for x in start)
        for name in order:
            ready = all(x in start and start[x] + seconds[x] <= now for x in before(graph, name))
            if name not in start and ready and running < workers:
                start[name] = now
                running += 1
    return start


@wrong("start_times")
def a_second_to_hand_over(graph, seconds, workers, order):
    start, now = {}, 0
    while len(start) < len(graph):
        running = sum(start[x] <= now < start[x] + seconds[x] for x in start)
        for name in order:
            ready = all(x in start and start[x] + seconds[x] < now for x in before(graph, name))
            if name not in start and ready and running < workers:
                start[name] = now
                running += 1
        now += 1
    return start


@wrong("start_times")
def begins_at_1(graph, seconds, workers, order):
    return {name: time + 1 for name, time in greedy(graph, seconds, workers, order).items()}


@wrong("start_times")
def one_start_for_each_end(graph, seconds, workers, order):
    start, now = {}, 0
    while len(start) < len(graph):
        running = sum(start[x] <= now < start[x] + seconds[x] for x in start)
        for name in order:
            ready = all(x in start and start[x] + seconds[x] <= now for x in before(graph, name))
            if name not in start and ready and running < workers:
                start[name] = now
                break
        now += 1
    return start


@wrong("start_times", says="changes order")
def takes_out_of_the_list(graph, seconds, workers, order):
    start, end, now = {}, {}, 0
    while order:
        for name in list(order):
            busy = sum(stop > now for stop in end.values())
            ready = all(x in end and end[x] <= now for x in before(graph, name))
            if busy < workers and ready:
                start[name], end[name] = now, now + seconds[name]
                order.remove(name)
        now = min((stop for stop in end.values() if stop > now), default=now)
    return start


@wrong("start_times", takes_long=True)
def waits_for_ever(graph, seconds, workers, order):
    start, now = {}, 0
    while len(start) < len(graph):
        name = next(x for x in order if x not in start)
        if all(x in start and start[x] + seconds[x] <= now for x in before(graph, name)):
            start[name] = now
        now += 1
    return start


@wrong("start_times", hint="as many workers as you like")
def whenever_ready(graph, seconds, workers, order):
    return greedy(graph, seconds, 1000, order)


# --- gradients over shards ------------------------------------------------------------------------


@right("combine_shards")
def one_after_the_other(sizes, gradients):
    total, count = 0.0, 0
    for n, g in zip(sizes, gradients):
        if n > 0:
            total = total + n * g
            count += n
    return total / count


@right("combine_shards")
def masked_average(sizes, gradients):
    sizes = np.array(sizes)
    return np.average(gradients[sizes > 0], axis=0, weights=sizes[sizes > 0])


@right("combine_shards")
def running_mean(sizes, gradients):
    def join(one, other):
        (n, g), (m, h) = one, other
        return (n + m, g + (h - g) * m / (n + m))

    return reduce(join, [(n, g) for n, g in zip(sizes, gradients) if n])[1].tolist()


@right("combine_shards")
def nothing_for_nan(sizes, gradients):
    shares = np.array(sizes) / sum(sizes)
    return np.tensordot(shares, np.nan_to_num(gradients), axes=1)


@wrong("combine_shards")
def equal_shares_of_the_full_ones(sizes, gradients):
    kept = [g for n, g in zip(sizes, gradients) if n > 1]
    return np.mean(kept or gradients, axis=0)


@wrong("combine_shards")
def largest_shard_only(sizes, gradients):
    return gradients[int(np.argmax(sizes))]


@wrong("combine_shards")
def roots_of_the_sizes(sizes, gradients):
    weights = [n**0.5 for n in sizes]
    return sum(w * g for w, g in zip(weights, gradients) if w) / sum(weights)


@wrong("combine_shards")
def divided_by_the_largest(sizes, gradients):
    return sum(n * g for n, g in zip(sizes, gradients) if n) / max(sizes)


@wrong("combine_shards")
def starts_with_the_first(sizes, gradients):
    total = sizes[0] * gradients[0]
    for n, g in zip(sizes[1:], gradients[1:]):
        if n:
            total = total + n * g
    return total / sum(sizes)


@wrong("combine_shards")
def zeros_like_the_first(sizes, gradients):
    total = 0 * gradients[0]
    for n, g in zip(sizes, gradients):
        if n:
            total = total + n * g
    return total / sum(sizes)


@wrong("combine_shards")
def an_empty_one_counts_as_one(sizes, gradients):
    total = sum(n * g for n, g in zip(sizes, gradients) if n)
    return total / sum(max(n, 1) for n in sizes)


@wrong("combine_shards")
def stops_at_an_empty_one(sizes, gradients):
    total = 0.0
    for n, g in zip(sizes, gradients):
        if not n:
            break
        total = total + n * g
    return total / sum(sizes)


@wrong("combine_shards")
def vectors_only(sizes, gradients):
    total = np.zeros(gradients.shape[-1])
    for n, g in zip(sizes, gradients):
        if n:
            total = total + n * g
    return total / sum(sizes)


@wrong("combine_shards")
def whole_division(sizes, gradients):
    return sum(n * g for n, g in zip(sizes, gradients) if n) // sum(sizes)


@wrong("combine_shards", hint="nothing times NaN")
def weights_for_all(sizes, gradients):
    return sum(n / sum(sizes) * g for n, g in zip(sizes, gradients))


# --- predict checkpoints --------------------------------------------------------------------------

MEMORY = {"kept": 8, "at most": 26, "layers computed": 72, "best number of segments": 6}
right(
    "predict_checkpoints",
    MEMORY,
    {name: float(number) for name, number in reversed(MEMORY.items())},
    dict(zip(MEMORY, np.array(list(MEMORY.values())))),
)
wrong(
    "predict_checkpoints",
    MEMORY | {"kept": 18, "at most": 36},
    MEMORY | {"kept": 6},
    MEMORY | {"kept": 10},
    MEMORY | {"at most": 24},
    MEMORY | {"at most": 34},
    MEMORY | {"layers computed": 108},
    MEMORY | {"layers computed": 45},
    MEMORY | {"best number of segments": 9},
    MEMORY | {"best number of segments": 12},
    MEMORY | {"best number of segments": 6.5},
)
wrong("predict_checkpoints", MEMORY | {"kept": ...}, says="still three dots")
wrong("predict_checkpoints", list(MEMORY.values()), says="It should be a dictionary")
wrong("predict_checkpoints", MEMORY | {"kept": 72, "at most": 72}, hint="everything kept")
