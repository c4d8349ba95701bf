"""Lesson 06."""

import math
import operator
from collections import Counter, defaultdict, deque
from functools import cache
from graphlib import TopologicalSorter

import numpy as np

import minigraph as mg

from . import right, wrong

compute = {"+": operator.add, "-": operator.sub, "*": operator.mul, "sin": math.sin}
local = {
    "+": lambda x, y: (1, 1),
    "-": lambda x, y: (1, -1),
    "*": lambda x, y: (y, x),
    "sin": lambda x: (math.cos(x),),
}

# --- VJP rules ------------------------------------------------------------------------------------


@right("pull_back")
def computes_everything_again(operation, g, out, x, y):
    match operation:
        case "*":
            return {"x": y * g, "y": x * g}
        case "/":
            return {"x": g * y**-1, "y": g * -x * y**-2}
        case "exp":
            return {"x": g * math.exp(x)}
        case "tanh":
            return {"x": g / math.cosh(x) ** 2}
        case "max":
            return {"x": g * (x >= y), "y": g * (y > x)}


@right("pull_back")
def a_table_of_rules(operation, g, out, x, y):
    table = {
        "*": lambda: (y, x),
        "/": lambda: (1 / y, -out / y),
        "exp": lambda: (out,),
        "tanh": lambda: (1 - out**2,),
        "max": lambda: (1.0, 0.0) if out == x else (0.0, 1.0),
    }
    return {name: g * d for name, d in zip("xy", table[operation]())}


@right("pull_back")
def with_numpy(operation, g, out, x, y):
    if operation in ("exp", "tanh"):
        return {"x": np.float64(g) * (out if operation == "exp" else (1 + out) * (1 - out))}
    if operation == "max":
        larger = np.sign(x - y)
        return {"x": np.maximum(larger, 0) * g, "y": np.maximum(-larger, 0) * g}
    shares = np.array([1 / y, -x / y / y] if operation == "/" else [y, x]) * g
    return {"x": shares[0], "y": shares[1]}


def rules(operation, g, out, x, y):
    """Right rules, for those who get one of them wrong."""
    return computes_everything_again(operation, g, out, x, y)


@wrong("pull_back")
def max_by_size(operation, g, out, x, y):
    if operation == "max":
        return {"x": g, "y": 0} if abs(x) > abs(y) else {"x": 0, "y": g}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def max_of_positive_ones(operation, g, out, x, y):
    if operation == "max":
        return {"x": g, "y": 0} if x > max(y, 0) else {"x": 0, "y": g}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def max_to_neither_below_zero(operation, g, out, x, y):
    if operation == "max":
        return {"x": g * (x > y and x > 0), "y": g * (y > x and y > 0)}
    return rules(operation, g, out, x, y)


@wrong("pull_back", says="should not be in it")
def no_second_input_if_it_is_zero(operation, g, out, x, y):
    if operation in ("exp", "tanh"):
        return {**rules(operation, g, out, x, y), "y": None or 0.0}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def zero_counts_as_nothing(operation, g, out, x, y):
    if not y and operation == "*":
        return {"x": g * x}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def quotient_with_x_squared(operation, g, out, x, y):
    if operation == "/":
        return {"x": g / y, "y": -g / x**2 if x else 0}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def quotient_with_absolute_divisor(operation, g, out, x, y):
    if operation == "/":
        return {"x": g / abs(y), "y": -g * x / y**2}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def tanh_without_the_square(operation, g, out, x, y):
    if operation == "tanh":
        return {"x": g * (1 - out)}
    return rules(operation, g, out, x, y)


@wrong("pull_back")
def tanh_without_the_sign_of_g(operation, g, out, x, y):
    if operation == "tanh":
        return {"x": abs(g) * (1 - out * out)}
    return rules(operation, g, out, x, y)


@wrong("pull_back", says="KeyError")
def no_rule_for_max(operation, g, out, x, y):
    table = {"*": (y, x), "exp": (out,), "tanh": (1 - out**2,), "/": (y and 1 / y, y and -out / y)}
    return {name: g * d for name, d in zip("xy", table[operation])}


@wrong("pull_back", says="It should be a dictionary")
def a_tuple(operation, g, out, x, y):
    return tuple(rules(operation, g, out, x, y).values())


@wrong("pull_back", hint="max sends to both")
def shares_the_maximum(operation, g, out, x, y):
    if operation == "max":
        return {"x": g / 2, "y": g / 2}
    return rules(operation, g, out, x, y)


# --- backward -------------------------------------------------------------------------------------


@right("backward")
def from_the_end_by_number(graph, values):
    names = list(graph)
    gradients = {x: 0 for x in values}
    gradients[names[-1]] = 1
    for k in range(len(names) - 1, -1, -1):
        name = names[k]
        op, args = graph[name][0], graph[name][1:]
        for i, d in enumerate(local[op](*(values[a] for a in args))):
            gradients[args[i]] = gradients[args[i]] + d * gradients[name]
    return gradients


@right("backward")
def pulls_from_the_users(graph, values):
    users = defaultdict(list)
    for name, (op, *args) in graph.items():
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            users[a].append((name, d))
    gradients = {}
    last = next(reversed(graph))
    for name in [*reversed(graph), *(x for x in values if x not in graph)]:
        if name == last:
            gradients[name] = 1.0
        else:
            gradients[name] = sum((gradients[u] * d for u, d in users[name]), 0.0)
    return gradients


@right("backward")
def pops_from_a_list(graph, values):
    order = list(graph.items())
    result = defaultdict(float)
    result[order[-1][0]] = 1.0
    while order:
        name, (op, *args) = order.pop()
        for a, d in zip(args, local[op](*map(values.get, args))):
            result[a] += result[name] * d
    return {name: result[name] for name in values}


@right("backward")
def as_arrays(graph, values):
    place = {name: i for i, name in enumerate(values)}
    g = np.zeros(len(values))
    g[place[list(graph)[-1]]] = 1
    for name in reversed(list(graph)):
        op, *args = graph[name]
        np.add.at(
            g,
            [place[a] for a in args],
            g[place[name]] * np.array(local[op](*[values[a] for a in args])),
        )
    return {name: g[i] for name, i in place.items()}


@wrong("backward", hint="a call for each step", says="calls itself, nested as deep as the graph")
def recursion_that_remembers(graph, values):
    users = {x: [] for x in values}
    for name, (op, *args) in graph.items():
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            users[a].append((name, d))
    last = list(graph)[-1]

    @cache
    def gradient(name):
        if name == last:
            return 1.0
        return sum(gradient(user) * d for user, d in users[name])

    return {name: float(gradient(name)) for name in values}


@wrong("backward", hint="a call for each step")
def recursion_along_every_path(graph, values):
    gradients = dict.fromkeys(values, 0)

    def give(name, g):
        gradients[name] += g
        if name in graph:
            op, *args = graph[name]
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                give(a, g * d)

    give(list(graph)[-1], 1)
    return gradients


@wrong("backward", takes_long=True)
def every_path_in_a_loop(graph, values):
    gradients = dict.fromkeys(values, 0.0)
    waiting = [(list(graph)[-1], 1.0)]
    while waiting:
        name, g = waiting.pop()
        gradients[name] += g
        if name in graph:
            op, *args = graph[name]
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                waiting.append((a, g * d))
    return gradients


@wrong("backward")
def twelve_rounds(graph, values):
    last = list(graph)[-1]
    gradients = dict.fromkeys(values, 0.0)
    for _ in range(12):
        new = dict.fromkeys(values, 0.0)
        new[last] = 1.0
        for name, (op, *args) in graph.items():
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                new[a] += gradients[name] * d
        gradients = new
    return gradients


@wrong("backward", says="There is no number for")
def only_what_is_reached(graph, values):
    gradients = {list(graph)[-1]: 1.0}
    for name in reversed(graph):
        if name in gradients:
            op, *args = graph[name]
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                gradients[a] = gradients.get(a, 0.0) + gradients[name] * d
    return gradients


@wrong("backward", says="unpack")
def two_arguments_always(graph, values):
    gradients = dict.fromkeys(values, 0.0)
    gradients[list(graph)[-1]] = 1.0
    for name in reversed(graph):
        op, a, b = graph[name]
        da, db = local[op](values[a], values[b])
        gradients[a] += gradients[name] * da
        gradients[b] += gradients[name] * db
    return gradients


@wrong("backward")
def minus_lost(graph, values):
    rules = local | {"-": lambda x, y: (1, 1)}
    gradients = dict.fromkeys(values, 0.0)
    gradients[list(graph)[-1]] = 1.0
    for name in reversed(graph):
        op, *args = graph[name]
        for a, d in zip(args, rules[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("backward")
def largest_contribution(graph, values):
    gradients = dict.fromkeys(values, 0.0)
    gradients[list(graph)[-1]] = 1.0
    for name in reversed(graph):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] = max(gradients[a], gradients[name] * d, key=abs)
    return gradients


@wrong("backward")
def every_result_starts_with_1(graph, values):
    gradients = {name: float(name in graph) for name in values}
    for name in reversed(graph):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("backward")
def sine_instead_of_cosine(graph, values):
    rules = local | {"sin": lambda x: (-math.sin(x),)}
    gradients = dict.fromkeys(values, 0.0)
    gradients[list(graph)[-1]] = 1.0
    for name in reversed(graph):
        op, *args = graph[name]
        for a, d in zip(args, rules[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("backward", says="does what your function is to do")
def as_nodes(graph, values):
    nodes = {x: mg.variable(v) for x, v in values.items() if x not in graph}
    functions = {"+": mg.add, "-": mg.subtract, "*": mg.multiply, "sin": mg.sin}
    for name, (op, *args) in graph.items():
        nodes[name] = functions[op](*[nodes[a] for a in args])
    nodes[list(graph)[-1]].backward()
    return {name: float(node.grad or 0.0) for name, node in nodes.items()}


# --- forward mode ---------------------------------------------------------------------------------


@right("push_forward")
def by_name_and_rule(graph, values, changes):
    speed = {}
    for name in values:
        if name not in graph:
            speed[name] = changes[name] if name in changes else 0
    for name in graph:
        op, *args = graph[name]
        speed[name] = 0
        for i in range(len(args)):
            speed[name] += local[op](*[values[a] for a in args])[i] * speed[args[i]]
    return speed


@right("push_forward")
def rules_of_its_own(graph, values, changes):
    speed = defaultdict(float, changes)
    for name, (op, a, *b) in graph.items():
        if op == "sin":
            speed[name] = math.cos(values[a]) * speed[a]
        elif op == "*":
            speed[name] = speed[a] * values[b[0]] + values[a] * speed[b[0]]
        else:
            speed[name] = speed[a] + (speed[b[0]] if op == "+" else -speed[b[0]])
    return {name: speed[name] for name in values}


@right("push_forward")
def asks_back(graph, values, changes):
    @cache
    def speed(name):
        if name not in graph:
            return changes.get(name, 0.0)
        op, *args = graph[name]
        return sum(d * speed(a) for a, d in zip(args, local[op](*[values[a] for a in args])))

    return {name: speed(name) for name in values}


@right("push_forward")
def dot_products(graph, values, changes):
    result = dict.fromkeys(values, 0.0) | dict(changes)
    for name, (op, *args) in graph.items():
        result[name] = np.dot(local[op](*[values[a] for a in args]), [result[a] for a in args])
    return result


@wrong("push_forward")
def only_a_quarter_of_the_way(graph, values, changes):
    result = dict.fromkeys(values, 0.0) | dict(changes)
    for name, (op, *args) in list(graph.items())[:16]:
        result[name] = sum(
            d * result[a] for a, d in zip(args, local[op](*[values[a] for a in args]))
        )
    return result


@wrong("push_forward")
def minus_lost_forward(graph, values, changes):
    result = dict.fromkeys(values, 0.0) | dict(changes)
    for name, (op, *args) in graph.items():
        result[name] = sum(
            abs(d) * result[a] for a, d in zip(args, local[op](*[values[a] for a in args]))
        )
    return result


@wrong("push_forward")
def difference_quotient(graph, values, changes):
    h = 1e-4
    moved = {x: v + h * changes.get(x, 0.0) for x, v in values.items() if x not in graph}
    for name, (op, *args) in graph.items():
        moved[name] = compute[op](*[moved[a] for a in args])
    return {name: (moved[name] - values[name]) / h for name in values}


@wrong("push_forward", says="There is no number for")
def listed_inputs_only(graph, values, changes):
    result = dict(changes)
    for name, (op, *args) in graph.items():
        result[name] = sum(
            d * result.get(a, 0.0) for a, d in zip(args, local[op](*[values[a] for a in args]))
        )
    return result


@wrong("push_forward", says="KeyError")
def forgets_that_inputs_may_be_missing(graph, values, changes):
    result = dict(changes)
    for name, (op, *args) in graph.items():
        result[name] = sum(
            d * result[a] for a, d in zip(args, local[op](*[values[a] for a in args]))
        )
    return result


@wrong("push_forward")
def average_of_the_effects(graph, values, changes):
    result = dict.fromkeys(values, 0.0) | dict(changes)
    for name, (op, *args) in graph.items():
        effects = [d * result[a] for a, d in zip(args, local[op](*[values[a] for a in args]))]
        result[name] = sum(effects) / len(effects)
    return result


@wrong("push_forward", says="but your function changes changes")
def writes_into_changes(graph, values, changes):
    for x in values:
        changes.setdefault(x, 0.0)
    for name, (op, *args) in graph.items():
        changes[name] = sum(
            d * changes[a] for a, d in zip(args, local[op](*[values[a] for a in args]))
        )
    return dict(changes)


@wrong("push_forward", says="should be a dictionary")
def last_change_only(graph, values, changes):
    return list(by_name_and_rule(graph, values, changes).values())[-1]


@wrong("push_forward", hint="unlisted inputs change too")
def ones_for_the_others(graph, values, changes):
    return by_name_and_rule(graph, values, {x: 1.0 for x in values if x not in graph} | changes)


# --- gradient check -------------------------------------------------------------------------------


def slope(f, point, x, above=1e-5, below=1e-5):
    return (f({**point, x: point[x] + above}) - f({**point, x: point[x] - below})) / (above + below)


@right("gradient_check")
def forward_with_a_small_step(f, point, claimed):
    return [
        x for x in point if not math.isclose(slope(f, point, x, 1e-6, 0), claimed[x], rel_tol=1e-3)
    ]


@right("gradient_check")
def numpys_isclose(f, point, claimed):
    h = 1e-6
    wrong_ones = []
    for x in claimed:
        above = point.copy()
        above[x] += h
        below = point.copy()
        below[x] -= h
        if not np.isclose((f(above) - f(below)) / (2 * h), claimed[x], rtol=1e-3):
            wrong_ones.append(x)
    return wrong_ones


@right("gradient_check")
def step_by_the_size_of_the_input(f, point, claimed):
    def is_off(x):
        h = 1e-5 * max(abs(point[x]), 1.0)
        found = slope(f, point, x, h, h)
        return abs(found - claimed[x]) > 1e-3 * abs(found)

    return set(filter(is_off, point))


@right("gradient_check")
def four_points(f, point, claimed):
    h = 1e-3
    found = {}
    for x in point:
        near, far = slope(f, point, x, h, h), slope(f, point, x, 2 * h, 2 * h)
        found[x] = (4 * near - far) / 3
    return tuple(x for x, s in found.items() if abs(s - claimed[x]) > abs(s) / 1000)


@right("gradient_check")
def puts_the_point_back(f, point, claimed):
    names = []
    for x in sorted(point):
        here = point[x]
        point[x] = here + 1e-5
        above = f(point)
        point[x] = here - 1e-5
        below = f(point)
        point[x] = here
        if not math.isclose((above - below) / 2e-5, claimed[x], rel_tol=1e-3, abs_tol=1e-9):
            names += [x]
    return names


def with_tolerance(share):
    return lambda f, point, claimed: [
        x for x in point if not math.isclose(slope(f, point, x), claimed[x], rel_tol=share)
    ]


@wrong("gradient_check", hint="tolerance too wide")
def a_tenth(f, point, claimed):
    return with_tolerance(0.1)(f, point, claimed)


@wrong("gradient_check", hint="tolerance too wide")
def three_hundredths(f, point, claimed):
    return with_tolerance(0.03)(f, point, claimed)


@wrong("gradient_check", hint="tolerance too wide")
def two_thousandths(f, point, claimed):
    return with_tolerance(0.002)(f, point, claimed)


@wrong("gradient_check")
def a_fifth(f, point, claimed):
    return with_tolerance(0.2)(f, point, claimed)


@wrong("gradient_check", hint="tolerance too narrow")
def a_ten_thousandth(f, point, claimed):
    return with_tolerance(1e-4)(f, point, claimed)


@wrong("gradient_check")
def almost_no_tolerance(f, point, claimed):
    return with_tolerance(1e-9)(f, point, claimed)


@wrong("gradient_check", hint="step too large")
def forward_with_a_large_step(f, point, claimed):
    return [
        x for x in point if not math.isclose(slope(f, point, x, 0.05, 0), claimed[x], rel_tol=1e-3)
    ]


@wrong("gradient_check", hint="step too large")
def forward_with_a_whole_step(f, point, claimed):
    return [
        x for x in point if not math.isclose(slope(f, point, x, 0, 1.0), claimed[x], rel_tol=1e-3)
    ]


@wrong("gradient_check", says="ZeroDivisionError")
def divides_by_the_claim(f, point, claimed):
    return [x for x in point if abs(slope(f, point, x) / claimed[x] - 1) > 1e-3]


@wrong("gradient_check", says="ZeroDivisionError")
def step_that_may_be_zero(f, point, claimed):
    return [
        x
        for x in point
        if not math.isclose(
            slope(f, point, x, 1e-5 * point[x], 1e-5 * point[x]), claimed[x], rel_tol=1e-3
        )
    ]


@wrong("gradient_check")
def large_gradients_only(f, point, claimed):
    return [
        x for x in point if abs(slope(f, point, x) - claimed[x]) > 1e-3 * max(1, abs(claimed[x]))
    ]


@wrong("gradient_check")
def first_wrong_one(f, point, claimed):
    return with_tolerance(1e-3)(f, point, claimed)[:1]


@wrong("gradient_check", says="but your function changes point")
def leaves_the_point_elsewhere(f, point, claimed):
    names = []
    for x in point:
        here = f(point)
        point[x] += 1e-6
        if not math.isclose((f(point) - here) / 1e-6, claimed[x], rel_tol=1e-3):
            names.append(x)
    return names


@wrong("gradient_check")
def all_or_none(f, point, claimed):
    return list(point) if with_tolerance(1e-3)(f, point, claimed) else []


@wrong("gradient_check", says="should be a list of names")
def a_yes_or_no(f, point, claimed):
    return not with_tolerance(1e-3)(f, point, claimed)


@wrong("gradient_check", hint="sign not compared")
def sizes_only(f, point, claimed):
    return [
        x
        for x in point
        if not math.isclose(abs(slope(f, point, x)), abs(claimed[x]), rel_tol=1e-3, abs_tol=1e-9)
    ]


# --- a custom operation ---------------------------------------------------------------------------

right(
    "distance",
    mg.custom(lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out)(np.hypot),
)


@right("distance")
@mg.custom(lambda g, out, x, y: g * (x / out), lambda g, out, x, y: y * g / out, symbol="r")
def root_of_squares(x, y):
    return np.sqrt(x**2 + y**2)


@right("distance")
@mg.custom(
    lambda g, out, x, y: g * x * (x * x + y * y) ** -0.5,
    lambda g, out, x, y: g * y / mg.sqrt(x * x + y * y),
)
def without_out(x, y):
    return np.hypot(x, y)


def rule(which):
    def back(g, out, *inputs):
        return inputs[which] / out * g

    return back


@right("distance")
def calls_an_operation(a, b):
    return mg.custom(rule(0), rule(1))(lambda x, y: np.hypot(x, y))(a, b)


@wrong("distance")
@mg.custom(lambda g, out, x, y: g * out / x, lambda g, out, x, y: g * out / y)
def upside_down(x, y):
    return np.hypot(x, y)


@wrong("distance")
@mg.custom(
    lambda g, out, x, y: g * mg.absolute(x) / out, lambda g, out, x, y: g * mg.absolute(y) / out
)
def never_negative(x, y):
    return np.hypot(x, y)


@wrong("distance")
@mg.custom(lambda g, out, x, y: g * x / (x + y), lambda g, out, x, y: g * y / (x + y))
def sum_instead_of_distance(x, y):
    return np.hypot(x, y)


@wrong("distance")
@mg.custom(lambda g, out, x, y: g * x / out, lambda g, out, x, y: g * y / out)
def sum_of_the_sides(x, y):
    return np.abs(x) + np.abs(y)


@wrong("distance")
@mg.custom(lambda g, out, x, y: -g * x / out, lambda g, out, x, y: -g * y / out)
def towards_the_origin(x, y):
    return np.hypot(x, y)


@wrong("distance")
@mg.custom(lambda g, out, x, y: g * x / out**2, lambda g, out, x, y: g * y / out**2)
def by_the_squared_distance(x, y):
    return np.hypot(x, y)


@wrong("distance", says="x")
@mg.custom(lambda g, out, x, y: g * x / out, None)
def one_rule_only(x, y):
    return np.hypot(x, y)


@wrong("distance", says="It should be a Node")
def a_number(x, y):
    return math.hypot(x.value, y.value)


@wrong("distance", hint="upstream gradient left out")
@mg.custom(lambda g, out, x, y: x / out, lambda g, out, x, y: y / out)
def without_g(x, y):
    return np.hypot(x, y)


@wrong("distance", hint="no operation yet")
def engines_own(x, y):
    return mg.hypot(x, y)


# --- repair a backward pass -----------------------------------------------------------------------


@right("repair_backward")
def counts_down(graph, values, output):
    missing = Counter(a for _, *args in graph.values() for a in args)
    gradients = dict.fromkeys(values, 0.0)
    gradients[output] = 1.0
    ready = deque([output])
    while ready:
        name = ready.popleft()
        if name not in graph:
            continue
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
            missing[a] -= 1
            if not missing[a]:
                ready.append(a)
    return gradients


@right("repair_backward")
def pythons_own_sorter(graph, values, output):
    order = TopologicalSorter({name: args for name, (_, *args) in graph.items()}).static_order()
    gradients = {name: float(name == output) for name in values}
    for name in reversed(list(order)):
        if name in graph:
            op, *args = graph[name]
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                gradients[a] += gradients[name] * d
    return gradients


@right("repair_backward")
def asks_the_users(graph, values, output):
    known = {output: 1.0}

    def gradient(name):
        if name not in known:
            total = 0.0
            for user, (op, *args) in graph.items():
                ds = local[op](*[values[a] for a in args])
                for a, d in zip(args, ds):
                    if a == name:
                        total += gradient(user) * d
            known[name] = total
        return known[name]

    return {name: gradient(name) for name in values}


@right("repair_backward")
def until_nothing_changes(graph, values, output):
    gradients = dict.fromkeys(values, 0.0)
    while True:
        new = {name: float(name == output) for name in values}
        for name, (op, *args) in graph.items():
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                new[a] += gradients[name] * d
        if new == gradients:
            return gradients
        gradients = new


def after_rounds(times, graph, values, output):
    gradients = dict.fromkeys(values, 0.0)
    for _ in range(times):
        new = {name: float(name == output) for name in values}
        for name, (op, *args) in graph.items():
            for a, d in zip(args, local[op](*[values[a] for a in args])):
                new[a] += gradients[name] * d
        gradients = new
    return gradients


@wrong("repair_backward")
def ten_rounds(graph, values, output):
    return after_rounds(10, graph, values, output)


@wrong("repair_backward")
def a_hundred_rounds(graph, values, output):
    return after_rounds(100, graph, values, output)


def waits_for_users(next_place, graph, values, output):
    waits = Counter(a for _, *args in graph.values() for a in set(args))
    gradients = {name: float(name == output) for name in values}
    ready = [output]
    while ready:
        name = ready.pop(next_place)
        op, *args = graph.get(name, ("an input",))
        for a, d in zip(args, local[op](*[values[a] for a in args]) if args else ()):
            gradients[a] += gradients[name] * d
            waits[a] -= 1  # for each edge, while users were counted
            if waits[a] == 0:
                ready.append(a)
    return gradients


@wrong("repair_backward")
def two_edges_as_one_user_first_come_first_served(graph, values, output):
    return waits_for_users(0, graph, values, output)


@wrong("repair_backward")
def two_edges_as_one_user_on_a_stack(graph, values, output):
    return waits_for_users(-1, graph, values, output)


@wrong("repair_backward")
def by_distance(graph, values, output):
    distance = {output: 0}
    for name in (names := [output]):
        for a in graph.get(name, ("",))[1:]:
            if a not in distance:
                distance[a] = distance[name] + 1
                names.append(a)
    gradients = {name: float(name == output) for name in values}
    for name in sorted(graph, key=distance.get):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("repair_backward")
def by_number_of_users(graph, values, output):
    uses = Counter(a for _, *args in graph.values() for a in args)
    gradients = {name: float(name == output) for name in values}
    for name in sorted(graph, key=lambda name: uses[name]):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("repair_backward")
def waits_for_two(graph, values, output):
    arrived = Counter()
    uses = Counter(a for _, *args in graph.values() for a in args)
    gradients = {name: float(name == output) for name in values}
    waiting = [output]
    while waiting:
        name = waiting.pop(0)
        op, *args = graph.get(name, ("input",))
        for a, d in zip(args, local[op](*[values[a] for a in args]) if args else ()):
            gradients[a] += gradients[name] * d
            arrived[a] += 1
            if arrived[a] == min(uses[a], 2):
                waiting.append(a)
    return gradients


@wrong("repair_backward")
def by_value(graph, values, output):
    gradients = {name: float(name == output) for name in values}
    for name in sorted(graph, key=lambda name: -abs(values[name])):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients


@wrong("repair_backward")
def counts_a_double_edge_once(graph, values, output):
    missing = Counter(a for _, *args in graph.values() for a in set(args))
    gradients = {name: float(name == output) for name in values}
    ready = [output]
    while ready:
        name = ready.pop()
        if name in graph:
            op, *args = graph[name]
            for a, d in dict(zip(args, local[op](*[values[a] for a in args]))).items():
                gradients[a] += gradients[name] * d
                missing[a] -= 1
                if missing[a] == 0:
                    ready.append(a)
    return gradients


@wrong("repair_backward", says="There is no number for")
def operations_only(graph, values, output):
    return {name: g for name, g in counts_down(graph, values, output).items() if name in graph}


@wrong("repair_backward", says="calls `Node.backward`")
def engine_of_minigraph(graph, values, output):
    waiting, nodes = dict(graph), {x: mg.variable(v) for x, v in values.items() if x not in graph}
    functions = {"+": mg.add, "-": mg.subtract, "*": mg.multiply, "sin": mg.sin}
    while waiting:
        for name, (op, *args) in list(waiting.items()):
            if all(a in nodes for a in args):
                nodes[name] = functions[op](*[nodes[a] for a in args])
                del waiting[name]
    nodes[output].backward()
    return {name: float(node.grad) for name, node in nodes.items()}


@wrong("repair_backward", hint="sorted by name")
def alphabet(graph, values, output):
    gradients = {name: float(name == output) for name in values}
    for name in sorted(graph):
        op, *args = graph[name]
        for a, d in zip(args, local[op](*[values[a] for a in args])):
            gradients[a] += gradients[name] * d
    return gradients
