"""Lesson 04."""

import math
from collections import Counter, defaultdict, deque
from functools import lru_cache, reduce
from itertools import product

import numpy as np

from . import right, wrong

# --- predict_paths --------------------------------------------------------------------------------

SHORT, LONG, TOTAL = "a → p → y", "a → p → q → y", "dy/da"

right(
    "predict_paths",
    {SHORT: 0.5, LONG: 0.75, TOTAL: 1.25},
    {TOTAL: 5 / 4, LONG: 3 / 4, SHORT: 1 / 2},
    {SHORT: 2 / 4, LONG: 2 * -1 * -6 / 16, TOTAL: 20 / 16},
    {SHORT: np.float64(0.5), LONG: np.float64(0.75), TOTAL: np.float64(1.25)},
)
wrong(
    "predict_paths",
    {SHORT: 0.5, LONG: 0.375, TOTAL: 0.875},
    {SHORT: 0.25, LONG: 0.75, TOTAL: 1.0},
    {SHORT: 0.5, LONG: 0.75, TOTAL: 1.5},
    {SHORT: 0.5, LONG: 0.75, TOTAL: 0.25},
    {SHORT: 2, LONG: -2, TOTAL: 0},
    {SHORT: 0.75, LONG: 0.5, TOTAL: 1.25},
    {SHORT: -0.5, LONG: 0.75, TOTAL: 0.25},
    {SHORT: 8, LONG: 0.75, TOTAL: 8.75},
    {SHORT: 1.0, LONG: 1.5, TOTAL: 2.5},
)
wrong("predict_paths", {SHORT: 0.5, LONG: 0.75}, says="There is no number for dy/da")
wrong("predict_paths", {SHORT: 0.5, LONG: 0.75, TOTAL: ...}, says="still three dots")
wrong("predict_paths", [0.5, 0.75, 1.25], says="It should be a dictionary")
wrong("predict_paths", {SHORT: 0.5, LONG: -0.75, TOTAL: -0.25}, hint="a sign lost")
wrong("predict_paths", {SHORT: 0.5, LONG: 0.75, TOTAL: 0.375}, hint="multiplied over paths")

# --- count_paths ----------------------------------------------------------------------------------


@right("count_paths")
def from_the_source(users, source, target):
    counts = Counter({source: 1})
    for name, names in users.items():
        for user in names:
            counts[user] += counts[name]
    return counts[target]


@right("count_paths")
def from_the_target(users, source, target):
    ways = {}
    for name in reversed(list(users)):
        ways[name] = 1 if name == target else sum(ways[user] for user in users[name])
    return ways[source]


@right("count_paths")
def begins_at_the_source_and_ends_at_the_target(users, source, target):
    order = list(users)
    counts = defaultdict(int)
    counts[source] = 1
    for name in order[order.index(source) :]:
        if name == target:
            break
        for user in users[name]:
            counts[user] = counts[user] + counts[name]
    return counts[target]


@right("count_paths")
def stack_that_remembers(users, source, target):
    ways, stack = {target: 1}, [source]
    while stack:
        missing = [user for user in users[stack[-1]] if user not in ways]
        if missing and stack[-1] not in ways:
            stack += missing
        else:
            name = stack.pop()
            if name not in ways:
                ways[name] = sum(map(ways.get, users[name]))
    return ways[source]


@right("count_paths")
def as_a_float(users, source, target):
    counts = {name: float(name == source) for name in users}
    for name in users:
        for user in users[name]:
            counts[user] += counts[name]
    return counts[target]


@wrong("count_paths", hint="path by path")
def recursion(users, source, target):
    if source == target:
        return 1
    return sum(recursion(users, user, target) for user in users[source])


@wrong("count_paths", hint="path by path")
def recursion_that_remembers(users, source, target):
    @lru_cache(None)
    def ways(name):
        return 1 if name == target else sum(map(ways, users[name]))

    return ways(source)


@wrong("count_paths", takes_long=True, says="probably takes too many steps")
def each_path_on_a_stack(users, source, target):
    found, stack = 0, [source]
    while stack:
        name = stack.pop()
        if name == target:
            found += 1
        else:
            stack.extend(users[name])
    return found


@wrong("count_paths", takes_long=True, says="probably takes too many steps")
def all_paths_at_once(users, source, target):
    found, ends = 0, [source]
    while ends:
        found += ends.count(target)
        ends = [user for name in ends if name != target for user in users[name]]
    return found


@wrong("count_paths")
def in_whole_numbers_of_64_bits(users, source, target):
    counts = dict.fromkeys(users, np.int64(0))
    counts[source] = np.int64(1)
    with np.errstate(over="ignore"):
        for name in users:
            for user in users[name]:
                counts[user] += counts[name]
    return counts[target]


@wrong("count_paths")
def whether_there_is_one(users, source, target):
    reached = {source}
    for name in users:
        if name in reached:
            reached.update(users[name])
    return int(target in reached)


@wrong("count_paths")
def length_of_the_shortest(users, source, target):
    queue, seen = deque([(source, 0)]), {source}
    while queue:
        name, length = queue.popleft()
        if name == target:
            return length
        for user in users[name]:
            if user not in seen:
                seen.add(user)
                queue.append((user, length + 1))
    return 0


@wrong("count_paths")
def edges_that_arrive(users, source, target):
    return sum(names.count(target) for names in users.values())


@wrong("count_paths")
def one_more_for_each_edge(users, source, target):
    counts = dict.fromkeys(users, 0)
    counts[source] = 1
    for name in users:
        for user in users[name]:
            if counts[name]:
                counts[user] += 1
    return counts[target]


@wrong("count_paths")
def multiplied(users, source, target):
    ways = 1
    name = source
    while name != target and users[name]:
        ways *= len(users[name])
        name = users[name][0]
    return ways


@wrong("count_paths")
def one_where_there_is_none(users, source, target):
    return max(1, from_the_source(users, source, target))


@wrong("count_paths")
def whichever_way_round(users, source, target):
    return max(from_the_source(users, source, target), from_the_source(users, target, source))


@wrong("count_paths", says="changes users")
def takes_the_edges_away(users, source, target):
    counts = dict.fromkeys(users, 0)
    counts[source] = 1
    for name in users:
        while users[name]:
            counts[users[name].pop()] += counts[name]
    return counts[target]


@wrong("count_paths", hint="no path to itself")
def nothing_to_itself(users, source, target):
    if source == target:
        return 0
    return from_the_target(users, source, target)


# --- sum_over_paths -------------------------------------------------------------------------------


@right("sum_over_paths")
def speeds(edges, source, target):
    speed = dict.fromkeys(edges, 0)
    speed[source] = 1
    for name in edges:
        for user, local in edges[name]:
            speed[user] += speed[name] * local
    return speed[target]


@right("sum_over_paths")
def with_products_on_a_stack(edges, source, target):
    total, stack = 0.0, [(source, 1.0)]
    while stack:
        name, so_far = stack.pop()
        if name == target:
            total += so_far
            continue
        for user, local in edges[name]:
            stack.append((user, so_far * local))
    return total


@right("sum_over_paths")
def listed_paths(edges, source, target):
    def paths(name):
        if name == target:
            return [[]]
        return [[local, *rest] for user, local in edges[name] for rest in paths(user)]

    return sum(math.prod(path) for path in paths(source))


@right("sum_over_paths")
def backwards(edges, source, target):
    gradients = {name: 1.0 if name == target else 0.0 for name in edges}
    for name in reversed(edges):
        if name != target:
            gradients[name] = math.fsum(local * gradients[user] for user, local in edges[name])
    return np.float64(gradients[source])


@right("sum_over_paths")
def remembered(edges, source, target, known=None):
    known = {target: 1.0} if known is None else known
    if source not in known:
        known[source] = sum(g * remembered(edges, x, target, known) for x, g in edges[source])
    return known[source]


@wrong("sum_over_paths")
def nothing_by_itself(edges, source, target):
    if source == target:
        return 0.0
    return speeds(edges, source, target)


@wrong("sum_over_paths")
def sizes(edges, source, target):
    return abs(speeds(edges, source, target))


@wrong("sum_over_paths")
def one_where_paths_cancel(edges, source, target):
    return speeds(edges, source, target) or 1.0


@wrong("sum_over_paths")
def two_edges_taken_for_one(edges, source, target):
    return speeds({x: list(dict(e).items()) for x, e in edges.items()}, source, target)


@wrong("sum_over_paths")
def enters_a_node_once(edges, source, target):
    seen = set()

    def walk(name):
        if name == target:
            return 1.0
        if name in seen:
            return 0.0
        seen.add(name)
        return sum(local * walk(user) for user, local in edges[name])

    return walk(source)


@wrong("sum_over_paths")
def one_or_two_edges(edges, source, target):
    total = sum(local for user, local in edges[source] if user == target)
    for user, local in edges[source]:
        total += local * sum(further for end, further in edges[user] if end == target)
    return total


@wrong("sum_over_paths")
def adds_one_for_each_node(edges, source, target):
    if source == target:
        return 1.0
    return 1.0 + sum(g * adds_one_for_each_node(edges, x, target) for x, g in edges[source])


@wrong("sum_over_paths")
def the_shortest_path(edges, source, target):
    queue, seen = deque([(source, 1.0)]), {source}
    while queue:
        name, so_far = queue.popleft()
        if name == target:
            return so_far
        for user, local in edges[name]:
            if user not in seen:
                seen.add(user)
                queue.append((user, so_far * local))
    return 0.0


@wrong("sum_over_paths")
def target_by_whatever_comes_before_it(edges, source, target):
    return sum(local for pairs in edges.values() for user, local in pairs if user == target)


@wrong("sum_over_paths")
def nothing_for_an_edge_of_zero(edges, source, target):
    speed = dict.fromkeys(edges, 0)
    speed[source] = 1
    for name in edges:
        for user, local in edges[name]:
            speed[user] += speed[name] * (local or 1)
    return speed[target]


@wrong("sum_over_paths")
def remembers_from_case_to_case(edges, source, target, known={}):
    if source == target:
        return 1.0
    if source not in known:
        further = remembers_from_case_to_case
        known[source] = sum(g * further(edges, x, target) for x, g in edges[source])
    return known[source]


@wrong("sum_over_paths", hint="added along a path")
def sums_along(edges, source, target):
    def paths(name):
        if name == target:
            return [[]]
        return [[local, *rest] for user, local in edges[name] for rest in paths(user)]

    return sum(map(sum, paths(source)))


# --- factor_paths ---------------------------------------------------------------------------------


@right("factor_paths")
def in_a_loop(stages):
    derivative = 1
    for stage in stages:
        total = 0
        for local in stage:
            total += local
        derivative = derivative * total
    return derivative


@right("factor_paths")
def product_of_sums(stages):
    return np.prod([np.sum(stage) for stage in stages])


@right("factor_paths")
def reduced(stages):
    return reduce(lambda so_far, stage: so_far * sum(stage), stages, 1.0)


@right("factor_paths")
def from_the_end(stages):
    gradient = 1.0
    for stage in reversed(stages):
        gradient = sum(local * gradient for local in stage)
    return gradient


@wrong("factor_paths", takes_long=True, says="probably takes too many steps")
def every_choice(stages):
    return sum(map(math.prod, product(*stages)))


@wrong("factor_paths", takes_long=True, says="probably takes too many steps")
def every_choice_in_a_list(stages):
    choices = list(product(*stages))
    return sum(math.prod(choice) for choice in choices)


@wrong("factor_paths", takes_long=True, says="probably takes too many steps")
def growing_list_of_paths(stages):
    paths = [1.0]
    for stage in stages:
        paths = [so_far * local for so_far in paths for local in stage]
    return sum(paths)


@wrong("factor_paths", hint="a call for each path")
def calls_itself_once_for_each_stage(stages):
    if not stages:
        return 1.0
    return sum(stages[0]) * calls_itself_once_for_each_stage(stages[1:])


@wrong("factor_paths")
def zero_for_no_stage(stages):
    return in_a_loop(stages) if stages else 0.0


@wrong("factor_paths", says="IndexError")
def begins_with_the_first(stages):
    derivative = sum(stages[0])
    for stage in stages[1:]:
        derivative *= sum(stage)
    return derivative


@wrong("factor_paths")
def skips_sums_of_zero(stages):
    return math.prod(sum(stage) or 1.0 for stage in stages)


@wrong("factor_paths")
def sizes_of_the_locals(stages):
    return math.prod(sum(map(abs, stage)) for stage in stages)


@wrong("factor_paths")
def two_stages(stages):
    first, second = stages[0], stages[-1]
    return sum(x * y for x in first for y in second)


@wrong("factor_paths")
def number_of_paths(stages):
    return math.prod(map(len, stages))


@wrong("factor_paths")
def different_locals_only(stages):
    return math.prod(sum(set(stage)) for stage in stages)


@wrong("factor_paths", hint="mean of a stage")
def mean_of_the_paths(stages):
    return in_a_loop(stages) / math.prod(map(len, stages))


@wrong("factor_paths")
def divides_at_the_end(stages):
    return in_a_loop(stages) / max(1, len(stages))


@wrong("factor_paths", says="changes stages")
def takes_stages_away(stages):
    derivative = 1.0
    while stages:
        derivative *= sum(stages.pop())
    return derivative


@wrong("factor_paths", hint="products within a stage")
def the_other_way_round(stages):
    return sum(math.prod(stage) for stage in stages)


# --- repair_sweep ---------------------------------------------------------------------------------


@right("repair_sweep")
def adds_by_hand(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            brought = gradients[user] * local
            gradients[name] = gradients[name] + brought
    return gradients


@right("repair_sweep")
def sums_over_the_edges(edges, target):
    gradients = {}
    for name in list(edges)[::-1]:
        total = sum(gradients[user] * local for user, local in edges[name])
        gradients[name] = total + (name == target)
    return gradients


@right("repair_sweep")
def only_what_comes_before_the_target(edges, target):
    names = list(edges)
    end = names.index(target)
    gradients = dict.fromkeys(names[end + 1 :], 0.0) | {target: 1.0}
    for name in names[:end][::-1]:
        gradients[name] = math.fsum(gradients[user] * local for user, local in edges[name])
    return gradients


@right("repair_sweep")
def default_of_zero(edges, target):
    gradients = defaultdict(float, {target: 1.0})
    for name, leaving in reversed(edges.items()):
        for user, local in leaving:
            gradients[name] += local * gradients[user]
        gradients[name] += 0.0
    return dict(gradients)


@wrong("repair_sweep")
def every_node_begins_with_one(edges, target):
    gradients = dict.fromkeys(edges, 1.0)
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] += gradients[user] * local
    return gradients


@wrong("repair_sweep")
def the_last_of_the_locals(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            total = gradients[user] * local
        if edges[name]:
            gradients[name] += total
    return gradients


@wrong("repair_sweep")
def adds_where_something_is_already(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            if gradients[user] > 0:
                gradients[name] += gradients[user] * local
    return gradients


@wrong("repair_sweep")
def the_mean_of_the_edges(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] += gradients[user] * local / len(edges[name])
    return gradients


@wrong("repair_sweep")
def two_edges_to_a_user_taken_for_one(edges, target):
    return adds_by_hand({x: list(dict(e).items()) for x, e in edges.items()}, target)


@wrong("repair_sweep")
def only_nodes_that_reach_the_target(edges, target):
    return {name: g for name, g in adds_by_hand(edges, target).items() if g}


@wrong("repair_sweep")
def derivative_of_the_target_left_out(edges, target):
    gradients = adds_by_hand(edges, target)
    gradients[target] = 0.0
    return gradients


@wrong("repair_sweep")
def ends_all_begin_with_one(edges, target):
    gradients = {name: 0.0 if leaving else 1.0 for name, leaving in edges.items()}
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] += gradients[user] * local
    return gradients


@wrong("repair_sweep")
def target_is_always_y(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients["y" if "y" in edges else target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] += gradients[user] * local
    return gradients


@wrong("repair_sweep")
def pairs_of_names_and_numbers(edges, target):
    return sorted(adds_by_hand(edges, target).items())


@wrong("repair_sweep", says="changes edges")
def takes_edges_away(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        while edges[name]:
            user, local = edges[name].pop()
            gradients[name] += gradients[user] * local
    return gradients


@wrong("repair_sweep", says="RecursionError")
def a_recursion_for_each_node(edges, target):
    def derivative(name):
        if name == target:
            return 1.0
        return sum(local * derivative(user) for user, local in edges[name])

    return {name: derivative(name) for name in edges}


@wrong("repair_sweep", takes_long=True, says="probably takes too many steps")
def each_path_for_each_node(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    for name in edges:
        stack = [(name, 1.0)]
        while stack:
            at, so_far = stack.pop()
            if at == target:
                gradients[name] += so_far
            else:
                stack += [(user, so_far * local) for user, local in edges[at]]
    return gradients


@wrong("repair_sweep", hint="overwritten instead of added")
def as_it_was_handed_out(edges, target):
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] = gradients[user] * local
    return gradients
