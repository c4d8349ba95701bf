"""Lesson 02."""

import math
import operator
from collections import ChainMap, deque
from graphlib import TopologicalSorter

import numpy as np

import minigraph as mg

from . import right, wrong

compute = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "sin": math.sin,
}

# --- predict_order --------------------------------------------------------------------------------

right(
    "predict_order",
    ["w", "x", "b", "u", "h", "y"],
    ["x", "w", "u", "b", "h", "y"],
    ("b", "w", "x", "u", "h", "y"),
    "w, x, u, b, h, y",
    "b x w u h y".split(),
)
wrong(
    "predict_order",
    ["w", "x", "h", "b", "u", "y"],
    ["w", "u", "x", "b", "h", "y"],
    ["w", "x", "u", "h", "b", "y"],
    ["y", "w", "x", "b", "u", "h"],
    ["w", "x", "b", "u", "y"],
    ["w", "x", "b", "x", "u", "h", "y"],
    ["w", "x", "b", "u", "h", "x", "y"],
    ["w", "x", "b", "u", "h", "y", "z"],
    ["u", "h"],
)
wrong("predict_order", {"w", "x", "b", "u", "h", "y"}, says="a set has no order")
wrong("predict_order", {"w": 1, "x": 2, "b": 3, "u": 4, "h": 5, "y": 6}, says="a dictionary")
wrong("predict_order", ["b", "h", "u", "w", "x", "y"], hint="sorted by name")
wrong("predict_order", ["u", "h", "y"], hint="inputs left out")

# --- topological_order ----------------------------------------------------------------------------


@right("topological_order")
def with_pairs_on_a_stack(output):
    order, done, stack = [], set(), [(output, False)]
    while stack:
        node, inputs_are_done = stack.pop()
        if node in done:
            continue
        if inputs_are_done:
            done.add(node)
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((x, False) for x in node.inputs)
    return order


@right("topological_order")
def kahn(output):
    users, missing, found = {}, {}, [output]
    seen = {output}
    for node in found:
        missing[node] = len(node.inputs)
        for x in node.inputs:
            users.setdefault(x, []).append(node)
            if x not in seen:
                seen.add(x)
                found.append(x)
    ready, order = deque(n for n in found if not missing[n]), []
    while ready:
        node = ready.popleft()
        order.append(node)
        for user in users.get(node, ()):
            missing[user] -= 1
            if missing[user] == 0:
                ready.append(user)
    return order


@right("topological_order")
def kahn_from_the_output(output):
    count, waiting, seen = {}, [output], {output}
    while waiting:
        for x in waiting.pop().inputs:
            count[x] = count.get(x, 0) + 1
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    order, ready = deque(), [output]
    while ready:
        node = ready.pop()
        order.appendleft(node)
        for x in node.inputs:
            count[x] -= 1
            if not count[x]:
                ready.append(x)
    return order


@right("topological_order")
def pythons_own_sorter(output):
    sorter, waiting, seen = TopologicalSorter(), [output], set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            sorter.add(node, *node.inputs)
            waiting += node.inputs
    return list(sorter.static_order())


@right("topological_order")
def iterators_on_a_stack(output):
    order = {}
    stack = [(output, iter(output.inputs))]
    on_the_way = {output}
    while stack:
        node, inputs = stack[-1]
        for x in inputs:
            if x not in on_the_way:
                on_the_way.add(x)
                stack.append((x, iter(x.inputs)))
                break
        else:
            order[node] = len(order)
            stack.pop()
    return tuple(order)


@wrong("topological_order", says="`mg.topological_order`")
def asks_the_engine(output):
    return mg.topological_order(output)


@wrong("topological_order", says="`mg.topological_order`")
def asks_the_engine_under_another_name(output):
    order = mg.core.order.topological_order
    return list(order(output))


@wrong("topological_order")
def without_a_lone_input(output):
    if output.op is None:
        return []
    return with_pairs_on_a_stack(output)


@wrong("topological_order")
def inputs_first_then_the_rest_as_found(output):
    found, seen = [output], {output}
    for node in found:
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                found.append(x)
    inputs = [n for n in found if n.op is None]
    return inputs + [n for n in found if n.op is not None]


@wrong("topological_order")
def done_when_it_is_met(output):
    order, stack, seen = [], [output], {output}
    while stack:
        node = stack[-1]
        new = [x for x in node.inputs if x not in seen]
        if new:
            seen.update(new)
            stack.extend(new)
        else:
            order.append(stack.pop())
    return order


@wrong("topological_order")
def first_inputs_only(output):
    order, node = [output], output
    while node.inputs:
        node = node.inputs[0]
        order.insert(0, node)
    return order


@wrong("topological_order")
def by_value(output):
    return sorted(with_pairs_on_a_stack(output), key=lambda node: float(node.value))


@wrong("topological_order", says="more than once")
def output_once_more(output):
    return [*with_pairs_on_a_stack(output), output]


@wrong("topological_order", says="RecursionError", hint="recursion too deep")
def recursion_that_remembers(output):
    order, done = [], set()

    def visit(node):
        if node in done:
            return
        done.add(node)
        for x in node.inputs:
            visit(x)
        order.append(node)

    visit(output)
    return order


@wrong("topological_order", takes_long=True)
def each_path_on_a_stack(output):
    order, done, stack = [], set(), [(output, False)]
    while stack:
        node, inputs_are_done = stack.pop()
        if inputs_are_done:
            if node not in done:
                done.add(node)
                order.append(node)
        else:
            stack.append((node, True))
            stack.extend((x, False) for x in node.inputs)
    return order


@wrong("topological_order", takes_long=True)
def never_takes_anything_off(output):
    stack = [output]
    while stack:
        stack += [x for x in stack[-1].inputs if x not in stack]
    return stack


@wrong("topological_order")
def remembers_the_last_graph(output, order=[]):
    for node in with_pairs_on_a_stack(output):
        order.append(node)
    return order


@wrong("topological_order")
def only_as_a_set(output):
    return set(with_pairs_on_a_stack(output))


# --- forward --------------------------------------------------------------------------------------


@right("forward")
def through_the_keys(graph, inputs):
    values = inputs.copy()
    for name in graph:
        step = graph[name]
        arguments = [values[x] for x in step[1:]]
        values[name] = compute[step[0]](*arguments)
    return values


@right("forward")
def sign_by_sign(graph, inputs):
    values = {**inputs}
    for name, (operation, first, *rest) in graph.items():
        a = values[first]
        b = values[rest[0]] if rest else None
        if operation == "+":
            values[name] = a + b
        elif operation == "-":
            values[name] = a - b
        elif operation == "*":
            values[name] = a * b
        elif operation == "/":
            values[name] = a / b
        else:
            values[name] = math.sin(a)
    return values


@right("forward")
def by_recursion(graph, inputs):
    known = dict(inputs)

    def value(name):
        if name not in known:
            operation, *arguments = graph[name]
            known[name] = compute[operation](*map(value, arguments))
        return known[name]

    return {name: value(name) for name in [*inputs, *graph]}


@right("forward")
def results_in_a_dictionary_of_their_own(graph, inputs):
    results = {}
    for name, (operation, *arguments) in graph.items():
        numbers = (results[x] if x in results else inputs[x] for x in arguments)
        results[name] = compute[operation](*numbers)
    return results | inputs


@right("forward")
def a_chain_of_maps(graph, inputs):
    values = ChainMap({}, inputs)
    for name, (operation, *arguments) in graph.items():
        values[name] = np.float64(compute[operation](*(values[x] for x in arguments)))
    return values


@right("forward")
def division_by_the_inverse(graph, inputs):
    numpys = compute | {"sin": np.sin, "/": lambda p, q: p * (1 / q)}
    values = dict(inputs)
    for name, (operation, *arguments) in graph.items():
        values[name] = numpys[operation](*[values[x] for x in arguments])
    return values


def forward_with(**other):
    """The usual forward pass, with another function for some operations."""
    symbols = {"minus": "-", "over": "/", "times": "*", "plus": "+", "sin": "sin"}
    operations = compute | {symbols[name]: function for name, function in other.items()}

    def forward(graph, inputs):
        values = dict(inputs)
        for name, (operation, *arguments) in graph.items():
            values[name] = operations[operation](*[values[x] for x in arguments])
        return values

    return forward


@wrong("forward")
def sine_of_degrees(graph, inputs):
    return forward_with(sin=lambda x: math.sin(math.radians(x)))(graph, inputs)


@wrong("forward")
def rounded_division(graph, inputs):
    return forward_with(over=operator.floordiv)(graph, inputs)


@wrong("forward")
def upside_down_division(graph, inputs):
    return forward_with(over=lambda p, q: q / p)(graph, inputs)


@wrong("forward")
def only_the_size_of_a_difference(graph, inputs):
    return forward_with(minus=lambda p, q: abs(p - q))(graph, inputs)


@wrong("forward")
def cosine(graph, inputs):
    return forward_with(sin=math.cos)(graph, inputs)


@wrong("forward", says="TypeError")
def two_arguments_for_sin(graph, inputs):
    return forward_with(sin=lambda p, q: math.sin(p))(graph, inputs)


@wrong("forward", takes_long=True)
def takes_zero_for_missing(graph, inputs):
    values = dict(inputs)
    waiting = dict(graph)
    while waiting:
        for name, (operation, *arguments) in list(waiting.items()):
            if all(values.get(x) for x in arguments):
                values[name] = compute[operation](*[values[x] for x in arguments])
                del waiting[name]
    return values


@wrong("forward")
def takes_zero_for_missing_and_looks_elsewhere(graph, inputs):
    values = dict(inputs)
    for name, (operation, *arguments) in graph.items():
        numbers = [values.get(x) or 1.0 for x in arguments]
        values[name] = compute[operation](*numbers)
    return values


@wrong("forward")
def returns_in_the_loop(graph, inputs):
    values = dict(inputs)
    for name, (operation, *arguments) in graph.items():
        values[name] = compute[operation](*[values[x] for x in arguments])
        return values


@wrong("forward", says="There is no number for x")
def returns_inputs_for_an_empty_graph_only(graph, inputs):
    values = dict(inputs)
    for name, (operation, *arguments) in graph.items():
        values[name] = compute[operation](*[values[x] for x in arguments])
    return {name: values[name] for name in values if name in graph or not graph}


@wrong("forward", says="changes graph")
def empties_the_graph(graph, inputs):
    values = dict(inputs)
    while graph:
        name = next(iter(graph))
        operation, *arguments = graph.pop(name)
        values[name] = compute[operation](*[values[x] for x in arguments])
    return values


@wrong("forward")
def pairs_of_names_and_numbers(graph, inputs):
    return list(through_the_keys(graph, inputs).items())


@wrong("forward", says="there is a list, where a number belongs")
def numbers_in_lists(graph, inputs):
    return {name: [value] for name, value in through_the_keys(graph, inputs).items()}


@wrong("forward")
def rounded_to_four_places(graph, inputs):
    return {name: round(value, 4) for name, value in through_the_keys(graph, inputs).items()}


@wrong("forward", hint="arguments swapped")
def arguments_from_the_right(graph, inputs):
    values = dict(inputs)
    for name, (operation, *arguments) in graph.items():
        values[name] = compute[operation](*[values[x] for x in reversed(arguments)])
    return values


# --- predict_recomputed ---------------------------------------------------------------------------

right(
    "predict_recomputed",
    ["q", "r", "s", "y"],
    {"y", "s", "r", "q"},
    ("s", "q", "y", "r"),
    "q, r, s, y",
)
wrong(
    "predict_recomputed",
    ["q", "r"],
    ["q", "y"],
    ["r", "s", "y"],
    ["q", "s", "y"],
    ["q", "r", "s", "p", "y"],
    ["q", "r", "t", "y"],
    ["b", "q", "r", "s", "y"],
    ["y"],
    ["q", "q", "r", "s", "y"],
    ["Q", "R", "S", "Y"],
)
wrong("predict_recomputed", 4, says="It should be a list of names")
wrong("predict_recomputed", ["q", "r", "s"], hint="result forgotten")

# --- repair_forward -------------------------------------------------------------------------------


@right("repair_forward")
def waits_in_a_queue(graph, inputs):
    values, waiting = dict(inputs), deque(graph)
    while waiting:
        name = waiting.popleft()
        operation, first, second = graph[name]
        if first in values and second in values:
            values[name] = compute[operation](values[first], values[second])
        else:
            waiting.append(name)
    return values


@right("repair_forward")
def asks_for_what_it_needs(graph, inputs):
    values = dict(inputs)

    def value(name):
        if name not in values:
            operation, first, second = graph[name]
            values[name] = compute[operation](value(first), value(second))
        return values[name]

    for name in graph:
        value(name)
    return values


@right("repair_forward")
def sorts_first(graph, inputs):
    values = dict(inputs)
    for name in TopologicalSorter({x: graph[x][1:] for x in graph}).static_order():
        if name in graph:
            operation, p, q = graph[name]
            values[name] = compute[operation](values[p], values[q])
    return values


@right("repair_forward")
def as_many_rounds_as_operations(graph, inputs):
    values = dict(inputs)
    for _ in graph:
        for name, (operation, first, second) in graph.items():
            values[name] = compute[operation](values.get(first, 0), values.get(second, 0))
    return values


@right("repair_forward")
def until_nothing_changes(graph, inputs):
    before, values = None, dict(inputs)
    while before != values:
        before = dict(values)
        for name, (operation, first, second) in graph.items():
            values[name] = compute[operation](values.get(first, 0), values.get(second, 0))
    return values


@right("repair_forward")
def tries_and_catches(graph, inputs):
    values = dict(inputs)
    while len(values) < len(graph) + len(inputs):
        for name, (operation, *names) in graph.items():
            try:
                values[name] = compute[operation](*[values[x] for x in names])
            except KeyError:
                continue
    return values


def rounds_of_the_broken_loop(times):
    def repair_forward(graph, inputs):
        values = dict(inputs)
        for _ in range(times):
            for name, (operation, first, second) in graph.items():
                values[name] = compute[operation](values.get(first, 0), values.get(second, 0))
        return values

    repair_forward.__name__ = f"{times}_rounds"
    return repair_forward


wrong("repair_forward", hint="so many rounds are enough")(rounds_of_the_broken_loop(8))
wrong("repair_forward")(rounds_of_the_broken_loop(37))
wrong("repair_forward")(rounds_of_the_broken_loop(200))


@wrong("repair_forward")
def missing_counts_as_one(graph, inputs):
    values = dict(inputs)
    for name, (operation, first, second) in graph.items():
        values[name] = compute[operation](values.get(first, 1), values.get(second, 1))
    return values


@wrong("repair_forward")
def both_directions(graph, inputs):
    values = dict(inputs)
    for name in [*graph, *reversed(graph)]:
        operation, first, second = graph[name]
        values[name] = compute[operation](values.get(first, 0), values.get(second, 0))
    return values


@wrong("repair_forward")
def waits_for_the_first_argument_only(graph, inputs):
    values, waiting = dict(inputs), dict(graph)
    while waiting:
        for name, (operation, first, second) in list(waiting.items()):
            if first in values:
                values[name] = compute[operation](values[first], values.get(second, 0))
                del waiting[name]
    return values


@wrong("repair_forward", takes_long=True)
def zero_is_never_ready(graph, inputs):
    values, waiting = dict(inputs), dict(graph)
    while waiting:
        for name, (operation, first, second) in list(waiting.items()):
            if values.get(first) and values.get(second):
                values[name] = compute[operation](values[first], values[second])
                del waiting[name]
    return values


@wrong("repair_forward")
def stops_when_a_round_is_short(graph, inputs):
    values, waiting = dict(inputs), list(graph)
    while len(waiting) > 1:
        for name in list(waiting):
            operation, first, second = graph[name]
            if first in values and second in values:
                values[name] = compute[operation](values[first], values[second])
                waiting.remove(name)
    return values


@wrong("repair_forward", says="changes graph")
def takes_out_of_the_graph(graph, inputs):
    values = dict(inputs)
    while graph:
        for name, (operation, first, second) in list(graph.items()):
            if first in values and second in values:
                values[name] = compute[operation](values[first], values[second])
                del graph[name]
    return values


@wrong("repair_forward", says="changes inputs")
def writes_into_the_inputs(graph, inputs):
    inputs.update(sorts_first(graph, inputs))
    return inputs


@wrong("repair_forward", says="RuntimeError")
def takes_out_while_going_through(graph, inputs):
    values, waiting = dict(inputs), dict(graph)
    while waiting:
        for name, (operation, first, second) in waiting.items():
            if first in values and second in values:
                values[name] = compute[operation](values[first], values[second])
                del waiting[name]
    return values


@wrong("repair_forward")
def sorts_by_inputs_first(graph, inputs):
    values = dict(inputs)
    simple = [x for x in graph if all(name in inputs for name in graph[x][1:])]
    for name in [*simple, *(x for x in graph if x not in simple)]:
        operation, first, second = graph[name]
        values[name] = compute[operation](values.get(first, 0), values.get(second, 0))
    return values


@wrong("repair_forward", says="KeyError")
def missing_is_an_error(graph, inputs):
    values = dict(inputs)
    for name, (operation, first, second) in graph.items():
        values[name] = compute[operation](values[first], values[second])
    return values


@wrong("repair_forward")
def results_without_inputs(graph, inputs):
    values = sorts_first(graph, inputs)
    return {name: values[name] for name in graph}
