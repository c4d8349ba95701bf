"""Lesson 01."""

import operator
from collections import deque
from functools import reduce

import numpy as np

import minigraph as mg

from . import right, wrong

# --- count_parts ----------------------------------------------------------------------------------

right(
    "count_parts",
    {"inputs": 2, "operations": 3, "edges": 6},
    {"operations": np.int64(3), "inputs": np.int64(2), "edges": np.int64(6)},
    {"inputs": 2.0, "operations": 3.0, "edges": 6.0},
    {"edges": 2 + 2 + 2, "operations": len(["d", "e", "y"]), "inputs": len({"a", "b"})},
)
wrong(
    "count_parts",
    {"inputs": 2, "operations": 3, "edges": 3},
    {"inputs": 5, "operations": 3, "edges": 6},
    {"inputs": 2, "operations": 1, "edges": 6},  # + and · and −, taken for kinds
    {"inputs": 3, "operations": 4, "edges": 5},
    {"inputs": 6, "operations": 3, "edges": 2},
    {"inputs": 2, "operations": 3, "edges": 12},
    {"inputs": -2, "operations": 3, "edges": 6},
    {"inputs": 2, "operations": 3, "edges": 10**400},
)
wrong("count_parts", {"inputs": 2, "operations": 3, "arrows": 6}, says="no number for edges")
wrong("count_parts", {"inputs": "ab", "operations": 3, "edges": 6}, says="there is a text")
wrong("count_parts", [2, 3, 6], says="It should be a dictionary")

# --- build_quotient -------------------------------------------------------------------------------


@right("build_quotient")
def in_three_lines(a, b, c):
    above = a - b
    below = b + c
    return above / below


@right("build_quotient")
def below_first(a, b, c):
    below = b + c
    return (a - b) / below


@right("build_quotient")
def with_functions(a, b, c):
    return mg.divide(mg.subtract(a, b), mg.add(b, c))


@right("build_quotient")
def with_pythons_operators(a, b, c):
    return operator.truediv(operator.sub(a, b), operator.add(b, c))


@right("build_quotient")
def from_a_formula(a, b, c):
    return mg.parse("(a - b) / (b + c)", a=a, b=b, c=c)


@right("build_quotient")
def with_names(a, b, c):
    a -= b
    c = (b + c).named("below")
    return (a / c).named("y")


@wrong("build_quotient")
def takes_the_sum_of_a_and_c(a, b, c):
    return (a - b) / (a + c)


@wrong("build_quotient")
def takes_a_difference_below(a, b, c):
    return (a - b) / (b - c)


@wrong("build_quotient")
def adds_above(a, b, c):
    return (a + b) / (b + c)


@wrong("build_quotient")
def multiplies(a, b, c):
    return (a - b) * (b + c)


@wrong("build_quotient")
def divides_rounded_down(a, b, c):
    return (a - b) // (b + c)


@wrong("build_quotient")
def larger_minus_smaller(a, b, c):
    return (a - b) / (b + c) if a.value > b.value else (b - a) / (b + c)


@wrong("build_quotient")
def spares_the_division_of_zero(a, b, c):
    if a.value == b.value:
        return a - b
    return (a - b) / (b + c)


@wrong("build_quotient")
def adds_zero(a, b, c):
    return (a - b) / (b + c) + 0


@wrong("build_quotient")
def a_vector(a, b, c):
    return (a - b) / (b + c) * np.ones(2)


@wrong("build_quotient")
def two_in_a_row(a, b, c):
    return mg.stack([a - b, b + c])


@wrong("build_quotient")
def stops_before_the_quotient(a, b, c):
    return a - b


@wrong("build_quotient", says="It should be the Node of the result")
def both_parts(a, b, c):
    return (a - b), (b + c)


@wrong("build_quotient")
def new_variables(a, b, c):
    a, b, c = (mg.variable(x.value) for x in (a, b, c))
    return (a - b) / (b + c)


@wrong("build_quotient")
def part_as_a_number(a, b, c):
    return (a - b) / float((b + c).value)


@wrong("build_quotient", hint="numbers instead of Nodes")
def only_numbers(a, b, c):
    return (a.value - b.value) / (b.value + c.value)


# --- build_shared ---------------------------------------------------------------------------------


@right("build_shared")
def named_in_one_line(a, b, c):
    return (s := a + b) * s - c * s


@right("build_shared")
def in_four_lines(a, b, c):
    common = mg.add(a, b)
    square = mg.multiply(common, common)
    third = mg.multiply(c, common)
    return mg.subtract(square, third)


@right("build_shared")
def second_product_first(a, b, c):
    a += b
    last = c * a
    return a * a - last


@right("build_shared")
def folded(a, b, c):
    d = sum_of(a, b)
    return reduce(operator.sub, [d * d, c * d])


def sum_of(a, b):
    return a + b


@right("build_shared")
def parsed(a, b, c):
    return mg.parse("d = a + b; y = d * d - c * d", a=a, b=b, c=c)


@wrong("build_shared", hint="common part written out")
def named_but_for_the_last(a, b, c):
    d = a + b
    return d * d - c * (a + b)


@wrong("build_shared", hint="common part written out")
def named_but_for_one_factor(a, b, c):
    d = a + b
    return d * (a + b) - c * d


@wrong("build_shared", hint="common part written out")
def two_names(a, b, c):
    d = a + b
    e = a + b
    return d * e - c * d


@wrong("build_shared")
def adds_the_products(a, b, c):
    d = a + b
    return d * d + c * d


@wrong("build_shared")
def last_product_without_the_sum(a, b, c):
    d = a + b
    return d * d - c * a


@wrong("build_shared")
def doubles(a, b, c):
    d = a + b
    return d + d - c * d


@wrong("build_shared")
def sum_turned_round(a, b, c):
    d = b + a
    return d * d - c * d


@wrong("build_shared")
def wrong_sum(a, b, c):
    d = a + c
    return d * d - b * d


@wrong("build_shared")
def expanded(a, b, c):
    return a * a + 2 * a * b + b * b - c * a - c * b


@wrong("build_shared")
def sum_without_its_graph(a, b, c):
    d = mg.stop_gradient(a + b)
    return d * d - c * d


@wrong("build_shared", says="It should be the Node of the result")
def as_a_number(a, b, c):
    d = (a + b).value
    return d * d - c.value * d


# --- single_steps ---------------------------------------------------------------------------------

right(
    "single_steps",
    "p = b * c\nq = a - p\nr = p + a\ny = q * r",
    "p = b * c\nr = p + a\nq = a - p\ny = q * r",
    "\n    bc = b*c\n    left = a-bc\n    right = bc+a\n    y = left*right\n",
    "m = b·c; l = a − m; r = m + a; y = l · r",
    ["v1 = b * c", "v2 = a - v1", "v3 = v1 + a", "y = v2 * v3"],
    ("p = (b * c)", "q = (a - p)", "r = (p + a)", "y = (q * r)"),
    "p = b * c  # both parentheses need it\nq = a - p\nr = p + a\ny = q * r",
    "# from the inside\np = b * c\n\nq = a - p\nr = p + a\n\ny = q * r",
)
wrong(
    "single_steps",
    "p = b * c\nq = a + p\nr = p + a\ny = q * r",
    "p = b * c\nq = a - p\nr = p + a\ny = q + r",
    "p = b * c\nq = a - p\nr = p + a\ny = r * q",
    "p = c * b\nq = a - p\nr = p + a\ny = q * r",
    "p = b * c\nq = a - p\nr = p + b\ny = q * r",
    "p = b * c\nq = a - p\ny = q * q",
    "p = a + b\nq = p * c\ny = a - q",
    "p = b / c\nq = a - p\nr = p + a\ny = q * r",
)
wrong("single_steps", "p = b * c\nq = a - p\nr = p + a\nz = q * r", says="The last line")
wrong("single_steps", "y = b * c\nq = a - y\nr = y + a\nz = q * r", says="The last line")
wrong("single_steps", "p = b * c\nq = a - p\nr = p + a\nq * r", says="give a name to a result")
wrong("single_steps", "p = b * c, q = a - p, r = p + a, y = q * r", says="cannot read")
wrong("single_steps", "p = b * c\np = a - p\nr = p + a\ny = p * r", says="p has a value already")
wrong("single_steps", "p = b * c\nq = p\nr = a - p\ny = q * r", says="one operation")
wrong("single_steps", ";")
wrong("single_steps", 42, says="It should be a text")

# --- intermediate_variables -----------------------------------------------------------------------


@right("intermediate_variables")
def by_recursion_that_remembers(output):
    found = []

    def visit(node):
        for x in node.inputs:
            if x.op is not None and x not in found:
                found.append(x)
                visit(x)

    visit(output)
    return found


@right("intermediate_variables")
def level_by_level(output):
    seen, level = set(), {output}
    while level:
        level = {x for node in level for x in node.inputs} - seen
        seen |= level
    return {node for node in seen if node.op}


@right("intermediate_variables")
def with_a_queue(output):
    queue, answer = deque(output.inputs), deque()
    while queue:
        node = queue.popleft()
        if node.inputs and node not in answer:
            answer.append(node)
            queue.extend(node.inputs)
    return answer


@right("intermediate_variables")
def values_of_a_dictionary(output):
    found = {}
    waiting = list(output.inputs)
    while waiting:
        node = waiting.pop()
        if node.op is not None and id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.inputs)
    return found.values()


@right("intermediate_variables")
def filtered(output):
    nodes = mg.topological_order(output)[:-1]
    return filter(lambda node: node.op, nodes)


@right("intermediate_variables")
def names_only(output):
    return [node.name for node in level_by_level(output)]


@right("intermediate_variables")
def helper_with_a_set(output, seen=None):
    seen = set() if seen is None else seen
    for x in output.inputs:
        if x.op and x not in seen:
            seen.add(x)
            helper_with_a_set(x, seen)
    return list(seen)


@wrong("intermediate_variables")
def two_levels(output):
    found = set()
    for x in output.inputs:
        found |= {x, *x.inputs}
    return [node for node in found if node.op]


@wrong("intermediate_variables")
def eight_rounds(output):
    found = {output}
    for _ in range(8):
        found |= {x for node in found for x in node.inputs}
    return [node for node in found if node.op and node is not output]


@wrong("intermediate_variables")
def a_hundred_rounds(output):
    found = {output}
    for _ in range(100):
        found |= {x for node in found for x in node.inputs}
    return [node for node in found if node.op and node is not output]


@wrong("intermediate_variables")
def follows_first_inputs(output):
    found, node = [], output
    while node.inputs:
        node = node.inputs[0]
        if node.op:
            found.append(node)
    return found


@wrong("intermediate_variables", says="ValueError")
def expects_two_inputs(output):
    found, waiting = set(), [output]
    while waiting:
        node = waiting.pop()
        if node.op:
            x, y = node.inputs
            waiting += {x, y} - found
            found.add(node)
    return found - {output}


@wrong("intermediate_variables")
def tells_nodes_apart_by_value(output):
    found, waiting = {}, [output]
    while waiting:
        node = waiting.pop()
        if float(node.value) not in found:
            found[float(node.value)] = node
            waiting += node.inputs
    return [node for node in found.values() if node.op and node is not output]


@wrong("intermediate_variables", says="more than once")
def leaves_out_neighbours_only(output):
    found, waiting = [], [output]
    while waiting:
        node = waiting.pop()
        for x in set(node.inputs):
            if x.op:
                found.append(x)
                waiting.append(x)
    return found


@wrong("intermediate_variables")
def remembers_from_case_to_case(output, found=[]):
    for x in output.inputs:
        if x.op and x not in found:
            found.append(x)
            remembers_from_case_to_case(x)
    return found


@wrong("intermediate_variables")
def shared_ones_only(output):
    users, waiting, seen = {}, [output], {output}
    while waiting:
        node = waiting.pop()
        for x in node.inputs:
            users[x] = users.get(x, 0) + 1
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    return [node for node, count in users.items() if count > 1 and node.op]


@wrong("intermediate_variables")
def all_but_the_first(output):
    nodes = mg.topological_order(output)
    return nodes[1:-1]


@wrong("intermediate_variables")
def how_many(output):
    return len(level_by_level(output))


@wrong("intermediate_variables")
def leaves_out_what_only_inputs_make(output):
    return [node for node in level_by_level(output) if any(x.op for x in node.inputs)]
