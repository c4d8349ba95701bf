"""Lesson 05."""

import math
from collections import defaultdict, deque

import numpy as np

import minigraph as mg

from . import right, wrong

# --- predict gradients ----------------------------------------------------------------------------

right(
    "predict_gradients",
    {"q": 6, "p": 10, "c": 6, "b": 20, "a": 30},
    {"a": 30.0, "b": 20.0, "c": 6.0, "p": 10.0, "q": 6.0},
    dict(zip("qpcba", np.array([6.0, 10.0, 6.0, 20.0, 30.0]))),
    dict(q=6, p=4 + 6, c=6 * 1, b=(4 + 6) * 2, a=(4 + 6) * 3),
)
wrong(
    "predict_gradients",
    {"q": 6, "p": 10, "c": 6, "b": 12, "a": 8},  # handed on too early, and swapped
    {"q": 6, "p": 10, "c": 10, "b": 20, "a": 30},
    {"q": 6, "p": 10, "c": 6, "b": 20, "a": 18},
    {"q": 6, "p": 10, "c": 1, "b": 20, "a": 30},
    {"q": 6, "p": 2, "c": 6, "b": 4, "a": 6},  # taken away
    {"q": 6, "p": 10, "c": -12, "b": 20, "a": 30},  # times the value of c
    {"q": 4, "p": 4, "c": 4, "b": 8, "a": 12},
    {"q": 6, "p": 10, "c": 6, "b": -20, "a": -30},
    {"q": 0, "p": 0, "c": 0, "b": 0, "a": 0},
)
wrong("predict_gradients", {"q": 6, "p": 10, "c": 6, "b": 20}, says="There is no number for a.")
wrong(
    "predict_gradients",
    {"y": 1, "q": 6, "p": 10, "c": 6, "b": 20, "a": 30},
    says="y should not be in it",
)
wrong("predict_gradients", [6, 10, 6, 20, 30], says="It should be a dictionary")
wrong("predict_gradients", {"q": 6, "p": "q + 4", "c": 6, "b": 20, "a": 30}, says="a text")
wrong(
    "predict_gradients",
    {"q": 6, "p": 4, "c": 6, "b": 8, "a": 12},
    hint="one contribution only",
)

# --- predict the order of a sweep -----------------------------------------------------------------

right(
    "predict_sweep",
    ["y", "q", "m", "c", "p", "a", "b"],
    ("y", "q", "m", "p", "a", "b", "c"),
    "y q m p b c a",
    list("yqmcpba"),
    "y, q, m, p, c, b, a",
)
wrong(
    "predict_sweep",
    list("yqpmcba"),  # the names backwards by chance: from left to right in the drawing
    list("yqpmcab"),
    list("yqmpcb"),
    list("yqmabpc"),
    list("qmpcbay"),
    list("yqmpcbaa"),
    list("yqmpabcx"),
    list("yqcmpab"),
    ["y", "mq", "p", "cba"],
)
wrong("predict_sweep", {"y", "q", "m", "p", "c", "b", "a"}, says="a set has no order")
wrong("predict_sweep", list("yqpmcba"), says="When it is p's turn, m has not handed on to it yet.")
wrong("predict_sweep", list("ymqpcab"), hint="handed on as soon as reached")
wrong("predict_sweep", list("abcpmqy"), hint="inputs before users")

# --- a sweep that reports to a tracer -------------------------------------------------------------


def local_derivative(node, i):
    """As the notebook hands it out."""
    values = dict(zip(node.op.parameters, [float(x.value) for x in node.inputs]))
    values["out"] = float(node.value)
    return float(eval(node.op.partials[i], vars(math) | values))


@right("sweep")
def all_zeros_first(y, tracer):
    order = mg.topological_order(y)
    order.reverse()
    grads = {}
    for node in order:
        grads[node] = 0.0
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in order:
        for i in range(len(node.inputs)):
            contribution = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, contribution)
            grads[node.inputs[i]] += contribution
            tracer.accumulate(node, i, grads[node.inputs[i]])
    return grads


@right("sweep")
def multiplies_all_then_accumulates_all(y, tracer):
    grads = defaultdict(float)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in mg.topological_order(y)[::-1]:
        contributions = [grads[node] * local_derivative(node, i) for i in range(len(node.inputs))]
        for i, c in enumerate(contributions):
            tracer.multiply(node, i, c)
        for i, c in enumerate(contributions):
            grads[node.inputs[i]] += c
            tracer.accumulate(node, i, grads[node.inputs[i]])
    return grads


@right("sweep")
def adds_up_both_and_then_tells(y, tracer):
    grads = {node: 0.0 for node in mg.topological_order(y)}
    grads[y] = 1.0
    tracer.seed(y, grads[y])
    for node in reversed(list(grads)):
        for i, x in enumerate(node.inputs):
            c = local_derivative(node, i) * grads[node]
            grads[x] += c
            tracer.multiply(node, i, c)
        for i, x in enumerate(node.inputs):
            tracer.accumulate(node, i, grads[x])
    return grads


@right("sweep")
def counts_users(y, tracer):
    waits = defaultdict(int)
    for node in mg.topological_order(y):
        for x in node.inputs:
            waits[x] += 1
    g = {y: np.float64(1)}
    tracer.seed(y, g[y])
    ready = deque([y])
    while ready:
        node = ready.popleft()
        tracer.visit(node)
        for i, x in enumerate(node.inputs):
            c = g[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            g[x] = c if x not in g else g[x] + c
            tracer.accumulate(node, i, g[x])
            waits[x] -= 1
            if waits[x] == 0:
                ready.append(x)
    return g


@right("sweep")
def by_name(y, tracer):
    grads = {node.name: 0.0 for node in mg.topological_order(y)}
    grads[y.name] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        i = 0
        while i < len(node.inputs):
            c = grads[node.name] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[node.inputs[i].name] += c
            tracer.accumulate(node, i, grads[node.inputs[i].name])
            i += 1
    return grads


@right("sweep")
def in_the_nodes_but_cleared_before(y, tracer):
    order = mg.topological_order(y)
    for node in order:
        node.grad = 0.0
    y.grad = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            tracer.multiply(node, i, c)
            x.grad = x.grad + c
            tracer.accumulate(node, i, x.grad)
    return {node: float(node.grad) for node in order}


@wrong("sweep", says="`Node.backward`, which does what your function is to do")
def the_engine_first_then_multiply_only(y, tracer):
    y.backward()
    for node in reversed(mg.topological_order(y)):
        for i in range(len(node.inputs)):
            tracer.multiply(node, i, node.grad * local_derivative(node, i))
    return {node: node.grad for node in mg.topological_order(y)}


@wrong("sweep", says="`mg.grad`")
def the_engine_under_another_name(y, tracer):
    order = mg.topological_order(y)
    gradient_of = mg.grad
    return {node: float(gradient_of(y, node).value) if node is not y else 1.0 for node in order}


@wrong("sweep", says="y hands on to a before the start was told, with `seed`.")
def without_seed(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep", says="what a holds with the contribution of y has not been told, with `accumulate`")
def without_accumulate(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
    return grads


@wrong("sweep", says="p hands on to a, and what p holds with the contribution of y has not been")
def all_accumulate_at_the_end(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    told = []
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            told.append((node, i, grads[x]))
    for node, i, total in told:
        tracer.accumulate(node, i, total)
    return grads


@wrong("sweep", says="before the start was told")
def seed_at_the_end(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    tracer.seed(y, 1.0)
    return grads


@wrong("sweep", says="The start was told twice.")
def every_node_is_a_start(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    for node in reversed(mg.topological_order(y)):
        if node is y or not node.inputs:
            tracer.seed(y, 1.0)
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep", says="y contributes to a −2; that is not right.")
def every_minus_twice(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = -2 * grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep", says="y contributes to b 1; that is not right.")
def size_of_the_derivative(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * abs(local_derivative(node, i))
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep")
def nothing_to_do_for_zeros(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            if c:
                tracer.multiply(node, i, c)
                grads[x] += c
                tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep")
def keeps_what_earlier_passes_left_in_the_nodes(y, tracer):
    order = mg.topological_order(y)
    y.grad = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            tracer.multiply(node, i, c)
            x.grad = c if x.grad is None else x.grad + c
            tracer.accumulate(node, i, x.grad)
    return {node: float(node.grad) for node in order}


@wrong("sweep")
def for_the_first_nodes_only(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    order = mg.topological_order(y)[::-1]
    for _ in range(10):
        if order:
            node = order.pop(0)
            for i, x in enumerate(node.inputs):
                c = grads[node] * local_derivative(node, i)
                tracer.multiply(node, i, c)
                grads[x] += c
                tracer.accumulate(node, i, grads[x])
    return grads


@wrong("sweep", says="There is no number for")
def output_left_out(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])
    del grads[y]
    return grads


@wrong("sweep", says="returns None")
def forgets_to_return(y, tracer):
    grads = dict.fromkeys(mg.topological_order(y), 0.0)
    grads[y] = 1.0
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, c)
            grads[x] += c
            tracer.accumulate(node, i, grads[x])


@wrong("sweep", hint="overwritten instead of added")
def replaces(y, tracer):
    grads = {y: 1.0}
    tracer.seed(y, 1.0)
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            grads[x] = grads[node] * local_derivative(node, i)
            tracer.multiply(node, i, grads[x])
            tracer.accumulate(node, i, grads[x])
    return grads


# --- name the mistake -----------------------------------------------------------------------------

right(
    "name_mistakes",
    {"first": "order", "second": "upstream", "third": "overwrite"},
    {"third": "overwrite", "second": "upstream", "first": "order"},
    dict(zip(("first", "second", "third"), np.array(["order", "upstream", "overwrite"]))),
)
wrong(
    "name_mistakes",
    {"first": "sign", "second": "upstream", "third": "overwrite"},
    {"first": "order", "second": "sign", "third": "overwrite"},
    {"first": "upstream", "second": "stale", "third": "sign"},
    {"first": "stale", "second": "stale", "third": "stale"},
    {"first": "upstream", "second": "upstream", "third": "upstream"},
)
wrong(
    "name_mistakes",
    {"first": "order", "second": "upstream", "third": "overwritten"},
    says="It should be one of",
)
wrong("name_mistakes", {"first": "order", "second": "upstream"}, says="Its keys should be")
wrong("name_mistakes", ["order", "upstream", "overwrite"], says="It should be a dictionary")
wrong(
    "name_mistakes",
    {"first": "overwrite", "second": "upstream", "third": "order"},
    hint="overwrite and order confused",
)

# --- repair a backward pass that is run twice -----------------------------------------------------


@right("leave_gradients")
def zeros_for_operations(y):
    nodes = mg.topological_order(y)
    for n in nodes:
        if n.inputs or n.grad is None:
            n.grad = 0.0
    y.grad = 1.0
    for n in nodes[::-1]:
        for i, x in enumerate(n.inputs):
            x.grad = x.grad + n.grad * local_derivative(n, i)


@right("leave_gradients")
def in_a_dictionary_first(y):
    found = dict.fromkeys(mg.topological_order(y), 0.0)
    found[y] = 1.0
    for node in reversed(list(found)):
        for i, x in enumerate(node.inputs):
            found[x] += found[node] * local_derivative(node, i)
    for node, g in found.items():
        if node.op is None and node.grad is not None:
            g += float(node.grad)
        node.grad = g
    return found


@right("leave_gradients")
def puts_the_old_ones_aside(y):
    order = mg.topological_order(y)
    before = {x: x.grad for x in order if not x.op}
    for node in order:
        node.grad = 0
    y.grad = 1
    while order:
        node = order.pop()
        for i in range(len(node.inputs)):
            node.inputs[i].grad += local_derivative(node, i) * node.grad
    for x, old in before.items():
        x.grad += old or 0


@right("leave_gradients")
def clears_on_the_way(y):
    y.grad = np.array(1.0)
    cleared = {y}
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            first = x.grad is None or (x.op is not None and x not in cleared)
            cleared.add(x)
            x.grad = c if first else x.grad + c


@wrong("leave_gradients", hint="y left as it was")
def starts_y_if_it_has_nothing(y):
    for node in mg.topological_order(y):
        if node.op is not None and node is not y:
            node.grad = None
    if y.grad is None:
        y.grad = 1.0
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            x.grad = c if x.grad is None else x.grad + c


@wrong("leave_gradients", says="`Node.backward`, which does what your function is to do")
def lets_the_engine_do_it(y):
    y.backward()


@wrong("leave_gradients", says="grad is None when your function is done")
def clears_at_the_end(y):
    order = mg.topological_order(y)
    y.grad = 1.0
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            x.grad = c if x.grad is None else x.grad + c
    for node in order:
        if node.op is not None:
            node.grad = None


@wrong("leave_gradients", says="grad is None when your function is done")
def leaves_them_in_a_dictionary(y):
    found = dict.fromkeys(mg.topological_order(y), 0.0)
    found[y] = 1.0
    for node in reversed(list(found)):
        for i, x in enumerate(node.inputs):
            found[x] += found[node] * local_derivative(node, i)
    return found


@wrong("leave_gradients")
def mean_of_old_and_new(y):
    found = dict.fromkeys(mg.topological_order(y), 0.0)
    found[y] = 1.0
    for node in reversed(list(found)):
        for i, x in enumerate(node.inputs):
            found[x] += found[node] * local_derivative(node, i)
    for node, g in found.items():
        node.grad = g if node.op or node.grad is None else (g + node.grad) / 2


@wrong("leave_gradients")
def larger_of_two_contributions(y):
    order = mg.topological_order(y)
    for node in order:
        if node.op is not None:
            node.grad = None
    y.grad = 1.0
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            x.grad = c if x.grad is None else max(x.grad, c)


@wrong("leave_gradients")
def adds_the_old_gradient_at_every_use(y):
    order = mg.topological_order(y)
    old = {x: x.grad or 0.0 for x in order if x.op is None}
    for node in order:
        node.grad = 0.0
    y.grad = 1.0
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            x.grad = x.grad + node.grad * local_derivative(node, i) + old.get(x, 0.0)


@wrong("leave_gradients")
def clears_only_what_y_uses(y):
    for x in y.inputs:
        if x.op is not None:
            x.grad = None
    y.grad = 1.0
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            x.grad = c if x.grad is None else x.grad + c


@wrong("leave_gradients")
def forgets_the_minus_of_old_ones(y):
    order = mg.topological_order(y)
    for node in order:
        if node.op is not None:
            node.grad = 0.0
    y.grad = 1.0
    for node in reversed(order):
        for i, x in enumerate(node.inputs):
            x.grad = abs(x.grad or 0.0) + node.grad * local_derivative(node, i)


@wrong("leave_gradients", hint="old gradients handed on")
def adds_everywhere(y):
    y.grad = 1.0
    for node in reversed(mg.topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = node.grad * local_derivative(node, i)
            x.grad = c if x.grad is None else x.grad + c
