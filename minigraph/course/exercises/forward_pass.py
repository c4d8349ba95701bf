"""Lesson 02: in which order a graph can be computed, and computing it."""

import math
import operator
from collections.abc import Callable
from graphlib import TopologicalSorter
from random import Random
from typing import Any

from ...core.node import Node
from ...core.order import topological_order as engine_order
from ..answers import Members, Numbers, Order
from ..forms import Case
from ..graphs import (
    WORKED_EXAMPLE,
    Steps,
    as_assignment,
    as_output,
    build,
    chain,
    inputs_of,
    random_graphs,
)
from ..specification import Program, exercise

LESSON = "02_forward_pass"

# --- orders: a right one, and the usual wrong ones ------------------------------------------------


def inputs_first_without_memory_from_the_right(node: Node) -> list[Node]:
    """The same, with the last input first."""
    below = inputs_first_without_memory_from_the_right
    return [found for x in reversed(node.inputs) for found in below(x)] + [node]


def users_first_from_the_right(output: Node) -> list[Node]:
    """The same, with the last input first."""
    order: list[Node] = []
    stack = [output]
    while stack:
        node = stack.pop()
        if node not in order:
            order.append(node)
            stack += node.inputs
    return order


def by_distance_from_the_output(output: Node) -> list[Node]:
    """List a node, then all of its inputs, then all of theirs."""
    order = [output]
    for node in order:  # grows while it is gone through
        order += [x for x in dict.fromkeys(node.inputs) if x not in order]
    return order


# --- predict an order -----------------------------------------------------------------------------

LAYER: Steps = {"u": ("*", "w", "x"), "h": ("+", "u", "b"), "y": ("*", "h", "x")}


def _last(graph: Steps, output: str | None = None) -> tuple[Node]:
    """The Node of a result, the last one unless it is named."""
    nodes = build(graph, None if graph else {output or "a": 2.0})
    return (nodes[output or list(graph)[-1]],)


@exercise(points=1, value_of=(LAYER,), answer=Order('a list of names, such as ["a", "b"]'))
def predict_order(graph: Steps) -> list[str]:
    r"""Predict an order

    This is the graph of $u = w \cdot x$, $h = u + b$, $y = h \cdot x$.

    ---

    In which order can its six nodes be computed? There are several; give one. The inputs are nodes
    too and belong in the list: they are computed by putting a number in.

    First step: Which nodes can come first, because they wait for nothing? Replace the dots by a
    list of all six names in an order that works.
    Hint: Go through your list from the left. At each name ask: are all the arguments of this node
    in the list already?
    Hint: Cross out what is done. In the beginning only w, x and b have nothing to wait for. Which
    of u, h and y has all of its arguments then?
    Hint: For m = p · q, n = m − p an order that works is p, q, m, n: m needs p and q, and n needs m
    and p.
    Verified: every node comes after its inputs.
    """
    return ["w", "x", "u", "b", "h", "y"]


# --- topological_order ----------------------------------------------------------------------------

SQUARE: Steps = {"y": ("*", "x", "x")}
SHARED: Steps = {
    "s": ("+", "b", "a"),
    "q": ("*", "s", "s"),
    "p": ("-", "q", "s"),
    "e": ("*", "p", "a"),
}
ONE_ARGUMENT: Steps = {"s": ("sin", "t"), "y": ("/", "s", "t")}
DEEP = 10_000
DOUBLINGS = 100  # of the number of paths


def _deep() -> Steps:
    """A long chain that begins with two edges at each step, x1 = x0 − x0 and so on: many paths."""
    doubled: Steps = {f"x{n + 1}": ("-", f"x{n}", f"x{n}") for n in range(DOUBLINGS)}
    long: Steps = {f"x{n + 1}": ("+", f"x{n}", "x0") for n in range(DOUBLINGS, DEEP)}
    return doubled | long


def graphs_to_order(rng: Random) -> list[Case]:
    """Small graphs for every misconception, random ones, a lone input, and a very deep one.

    The deep one has more paths than one can follow.
    """
    small = [SQUARE, WORKED_EXAMPLE, LAYER, SHARED, *random_graphs(rng, 30, 3, 9), ONE_ARGUMENT]
    return [
        *((graph, list(graph)[-1]) for graph in small),
        ({}, "a"),
        (_deep(), f"x{DEEP}"),
    ]


@exercise(
    points=3,
    cases=graphs_to_order,
    as_arguments=_last,
    answer=Order("a list of Nodes"),
    code=as_output,
    instead_of=(engine_order,),
)
def topological_order(output: Node) -> list[Node]:
    """Put a graph in order

    Now let a program find the order. Write a function that gets the output node of a graph and
    returns a list of all its nodes, inputs and output included: each of them once, and each after
    all of its own inputs.

    Your function should also manage a graph that is 10,000 operations deep and has $2^{100}$ paths,
    within a few seconds.

    First step: Begin with an empty list for the order, and a list of nodes that wait, with output
    in it. Then look at a node that waits: are all of its inputs in the order already?
    Hint: Which nodes can be computed at once? And which become possible after that?
    Hint: Look at the last node of your waiting list. If some of its inputs are not done, put them
    on the list too; they come first. If all are done, take the node off the list and append it to
    the order, unless it is there already. A set of the nodes that are done makes this question
    quick.
    Hint: To get dressed, with `needs[x]` listing what must be on before x:
        waiting, worn = ['shoes'], []
        while waiting:
            missing = [x for x in needs[waiting[-1]] if x not in worn]
            if missing:
                waiting += missing
            else:
                piece = waiting.pop()
                if piece not in worn:
                    worn.append(piece)
    Shoes wait for socks, and socks go on first.
    Another way: Begin with what waits for nothing, and count for each node how many inputs it still
    lacks:
        def topological_order(output):
            users, lacks, found = {}, {}, [output]
            for node in found:  # grows while it is gone through
                lacks[node] = len(node.inputs)
                for x in node.inputs:
                    if x not in users:
                        users[x] = []
                        found.append(x)
                    users[x].append(node)
            order = [node for node in found if not lacks[node]]
            for node in order:  # grows too
                for user in users.get(node, []):
                    lacks[user] -= 1
                    if not lacks[user]:
                        order.append(user)
            return order
    At each moment this knows all nodes that are ready, so that they could be computed side by side.
    Verified: {cases} graphs put in order, one of them 10,000 operations deep.
    """
    order: list[Node] = []
    done: set[Node] = set()
    stack = [output]
    while stack:
        waiting_for = [x for x in stack[-1].inputs if x not in done]
        if waiting_for:
            stack += waiting_for
        else:
            node = stack.pop()
            if node not in done:
                done.add(node)
                order.append(node)
    return order


@topological_order.misconception("a shared node twice", inputs_first_without_memory_from_the_right)
def inputs_first_without_memory(node: Node) -> list[Node]:
    """A node that several arrows leave is met several times, once along each, and you list it every
    time. Remember which nodes are done already, and do not visit them again.
    """
    return [below for x in node.inputs for below in inputs_first_without_memory(x)] + [node]


@topological_order.misconception(
    "users before inputs",
    users_first_from_the_right,
    by_distance_from_the_output,
    lambda output: engine_order(output)[::-1],
)
def users_first(output: Node) -> list[Node]:
    """You start at the result and go back to what it needs. That is a good way to find the nodes,
    but an order for computing runs the other way: a node comes after all of its inputs.
    """
    order: list[Node] = []
    stack = [output]
    while stack:
        node = stack.pop()
        if node not in order:
            order.append(node)
            stack += reversed(node.inputs)
    return order


@topological_order.misconception("recursion too deep")
def by_recursion(output: Node) -> list[Node]:
    """Your order is right for small graphs. But a function that calls itself for each input needs
    one call inside another for every step, and Python allows only a few thousand. Here there are
    10,000. Keep the nodes that wait in a list of your own, a stack, and go through it in a while
    loop.
    """
    order: list[Node] = []

    def visit(node: Node) -> None:
        for x in node.inputs:
            visit(x)
        if node not in order:
            order.append(node)

    visit(output)
    return order


topological_order.slip(
    "breadth-first, turned round",
    """You listed the nodes by their distance from the output and turned the list round. That fails
    where two ways of different length lead to the same node: it is met early by the short way,
    although the long way needs it too. Let a node wait until its inputs are in the list.""",
    lambda output: by_distance_from_the_output(output)[::-1],
)


@topological_order.misconception("not waiting for all inputs")
def by_distance_from_the_inputs(output: Node) -> list[Node]:
    """You let a node follow as soon as one of its inputs is there. It has to wait for all of them:
    the other one may take a longer way.
    """
    nodes = engine_order(output)
    order = [node for node in nodes if node.op is None]
    for node in order:  # grows while it is gone through
        order += [user for user in nodes if node in user.inputs and user not in order]
    return order


@topological_order.misconception("sorted by name")
def by_name(output: Node) -> list[Node]:
    """This is the order of the alphabet. Names are only labels; which node needs which is written
    in the edges.
    """
    return sorted(engine_order(output), key=lambda node: node.name or "")


topological_order.slip(
    "inputs left out",
    """Your order has the operations only. The inputs are nodes too, and they belong in the list,
    before whatever uses them.""",
    lambda output: [node for node in engine_order(output) if node.op],
)
topological_order.slip(
    "output left out",
    "The output is missing. It is a node of its graph like the others, and comes last.",
    lambda output: engine_order(output)[:-1],
)


def _of_names(program: Program) -> Program:
    """A program for a graph as plain data, which gives an order of names."""
    return lambda graph: [node.name for node in program(*_last(graph))]


predict_order.shares(
    topological_order,
    "users before inputs",
    "not waiting for all inputs",
    "sorted by name",
    "inputs left out",
    "output left out",
    "breadth-first, turned round",
    by=_of_names,
)

# --- forward --------------------------------------------------------------------------------------

COMPUTE: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "sin": math.sin,
}
Values = dict[str, float]


def graphs_with_values(rng: Random) -> list[Case]:
    """Graphs in an order in which they can be computed, with every operation; then random ones.

    First no value is 0 or 1, and no two are alike. Then come negative values, 0, equal values, whole
    numbers, a lone input, and a node of many users.
    """
    quotients: Steps = {
        "p": ("/", "a", "b"),
        "q": ("sin", "p"),
        "r": ("/", "q", "p"),
        "y": ("-", "r", "a"),
    }
    wide: Steps = {f"u{n}": (symbol, "x", "w") for n, symbol in enumerate("+-*/" * 3)}
    fixed: list[Case] = [
        (SQUARE, {"x": 3.0}),
        ({"y": ("-", "a", "b")}, {"a": 2.0, "b": 5.0}),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}),
        ({"s": ("sin", "t"), "y": ("/", "s", "r")}, {"t": 2.0, "r": 4.0}),
        (WORKED_EXAMPLE, {"a": -2.5, "b": 0.0, "c": -7.0}),
        (WORKED_EXAMPLE, {"a": 3, "b": 3, "c": 3}),
        (quotients, {"a": -3.0, "b": 0.5}),
        (quotients, {"a": 7.0, "b": -2.0}),
        ({"s": ("sin", "t"), "y": ("*", "s", "t")}, {"t": 0.0}),
    ]
    drawn = [with_values(rng, graph) for graph in random_graphs(rng, 20, 2, 6, "+-+-*")]
    return [*fixed, *drawn, ({}, {"x": 2.0}), (wide, {"x": 1.5, "w": -4.0})]


def with_values(rng: Random, graph: Steps) -> Case:
    """A graph and a different value for each of its inputs."""
    names = inputs_of(graph)
    return graph, dict(zip(names, [n / 2 for n in rng.sample(range(3, 40), len(names))]))


def doubled(times: int) -> Steps:
    """Halve and double a number again and again: its value stays, and there are 2ⁿ paths."""
    graph: Steps = {}
    for n in range(1, times + 1):
        graph[f"h{n}"] = ("*", f"x{n - 1}", "half")
        graph[f"x{n}"] = ("+", f"h{n}", f"h{n}")
    return graph


def with_signs(rng: Random, graph: Steps) -> Case:
    """A graph and a different value for each of its inputs, about half of them negative."""
    graph, values = with_values(rng, graph)
    return graph, {x: rng.choice((1, -1)) * value for x, value in values.items()}


def _graph_and_inputs(graph: Steps, inputs: Values) -> str:
    values = ", ".join(f'"{x}": {value:g}' for x, value in inputs.items())
    return f"{as_assignment(graph)}\ninputs = {{{values}}}"


@exercise(
    points=3,
    cases=graphs_with_values,
    answer=Numbers("a dictionary with the value of every node"),
    code=_graph_and_inputs,
)
def forward(graph: Steps, inputs: Values) -> Values:
    """Run a forward pass

    Here is a graph as a dictionary, as in the lesson. It is in an order in which it can be
    computed.

    ```python
    graph = {"d": ("+", "a", "b"), "e": ("sin", "d"), "y": ("*", "e", "a")}
    inputs = {"a": 2, "b": 3}
    ```

    Write a function that gets such a graph and the values of its inputs, and returns a **new**
    dictionary with the value of every node, the inputs included. There are five operations, `+`,
    `-`, `*`, `/` and `sin`; the dictionary `compute` from the first cell has a function for each,
    for example `compute["-"](7, 3)` is 4.

    First step: Start with `values = dict(inputs)`, a copy of the inputs' values. Then go through
    the graph and add one result after another.
    Hint: Do the input above by hand, step by step, and compare each number with yours.
    Hint: For each name in the graph: unpack its operation and its arguments, look up the arguments'
    values in `values`, compute, and store the result in `values` under the name.
    Hint: For a list of shopping steps, where each price is the sum of two others:
        prices = dict(known)
        for name, (first, second) in {"set": ("cup", "plate")}.items():
            prices[name] = prices[first] + prices[second]
    A forward pass does the same, with several operations.
    Another way: Ask for what is needed, and remember the answers:
        def forward(graph, inputs):
            values = dict(inputs)

            def value(name):
                if name not in values:
                    operation, *arguments = graph[name]
                    values[name] = compute[operation](*map(value, arguments))
                return values[name]

            for name in graph:
                value(name)
            return values
    It is right whatever the order of the dictionary, and computes only what it is asked for; but
    calls are nested as deep as the graph.
    Verified: every value agrees in {cases} graphs.
    """
    values = dict(inputs)
    for name, (symbol, *arguments) in graph.items():
        values[name] = COMPUTE[symbol](*[values[x] for x in arguments])
    return values


forward.slip(
    "arguments swapped",
    """You computed with the arguments the wrong way round. For + and · it makes no difference, but
    `("-", "a", "b")` means a − b.""",
    ("in arguments", "in arguments[::-1]"),
)
forward.slip(
    "inputs left out",
    """Your dictionary has the results, but not the inputs. Start from a copy of them, and
    everything that follows finds its arguments there.""",
    ("return values", "return {name: values[name] for name in graph}"),
)
forward.slip(
    "only the output",
    """You return the last value alone. The values in between are part of the answer; the backward
    pass will need each of them.""",
    ("return values", "return {name: values[name] for name in list(graph)[-1:]}"),
    ("return values", "return list(values.values())[-1]"),
)
forward.slip(
    "arguments looked up among the inputs only",
    """An argument need not be an input. It may be the result of an earlier operation, so look it
    up in the dictionary into which you write your results.""",
    ("values[x]", "inputs[x]"),
)
forward.slip(
    "every operation has two arguments",
    """sin has one argument, the others have two. A star before a name, as in `first, *rest = step`,
    takes however many there are.""",
    ("(symbol, *arguments)", "(symbol, first, second)", "in arguments", "in (first, second)"),
)
forward.slip(
    "inputs overwritten",
    """You write your results into the dictionary of your caller. Note that `values = inputs` copies
    nothing: it gives the same dictionary a second name.""",
    ("dict(inputs)", "inputs"),
)

# --- what has to be computed again ----------------------------------------------------------------

PARTLY: Steps = {
    "p": ("*", "a", "b"),
    "q": ("-", "b", "c"),
    "r": ("*", "q", "q"),
    "s": ("+", "p", "r"),
    "t": ("*", "p", "a"),
    "y": ("*", "s", "t"),
}


@exercise(
    points=1,
    value_of=(PARTLY, "c"),
    answer=Members('a list of names, such as ["p", "q"]', tells=False),
)
def predict_recomputed(graph: Steps, changed: str) -> list[str]:
    """Predict what must be computed again

    A forward pass through this graph is done, and all values are known. Then the input $c$ gets a
    new value.

    ---

    Which results must be computed again? List their names.

    First step: Start at c and follow the arrows forward. Which result uses c? Replace the dots by a
    list of all names that the change reaches.
    Hint: Follow the arrows from c forward, step by step, and mark each result on the way.
    Hint: Go through the six lines from the top. A result must be computed again if one of its
    arguments is c, or a result that must be computed again.
    Hint: In m = u + v, n = m · m, k = u · w, z = n − k a change of v reaches m, then n, then z. k
    does not depend on v, so it may stay.
    Verified: these results depend on c, and no others.
    """
    reached = {changed}
    for name, (_, *arguments) in graph.items():
        if reached.intersection(arguments):
            reached.add(name)
    return [name for name in graph if name in reached]


predict_recomputed.slip(
    "only direct users",
    """q uses c, that is right. But when q changes, whatever uses q changes too, and so on to the
    end.""",
    ["q"],
)
predict_recomputed.slip(
    "everything",
    """Some results do not depend on c, neither directly nor through others. They may stay as they
    are.""",
    ["p", "q", "r", "s", "t", "y"],
)
predict_recomputed.slip(
    "everything further down",
    "What stands after q in the list need not depend on it. Follow the arrows, not the lines.",
    ["q", "r", "s", "t", "y"],
)
predict_recomputed.slip(
    "the input itself",
    "c gets its new value from outside. It is not computed, so it is not computed again.",
    ["c", "q", "r", "s", "y"],
)
predict_recomputed.slip(
    "result forgotten",
    "You followed the change almost to the end. Does it reach y?",
    ["q", "r", "s"],
)
predict_recomputed.slip(
    "against the arrows",
    """You listed what does not depend on c. Those are the results that may stay; asked for are the
    others.""",
    ["p", "t"],
)


# --- repair a forward pass ------------------------------------------------------------------------


def as_given(graph: Steps, inputs: Values) -> Values:
    """The broken program that the notebook hands out: what is missing counts as 0."""
    values = dict(inputs)
    for name, (symbol, first, second) in graph.items():
        values[name] = COMPUTE[symbol](values.get(first, 0), values.get(second, 0))
    return values


TRIED_ROUNDS = (2, 3, 4, 5, 8, 10, 20, 100)


def _several_times(times: int, once: Any = as_given) -> Any:
    def program(graph: Steps, inputs: Values) -> Values:
        values = dict(inputs)
        for _ in range(times):
            values = once(graph, values)
        return values

    return program


def _first_to_last(key: Any) -> Any:
    """The broken program on the graph in another order."""
    return lambda graph, inputs: as_given({x: graph[x] for x in key(graph)}, inputs)


def _skipping(graph: Steps, inputs: Values) -> Values:
    values = dict(inputs)
    for name, (symbol, *arguments) in graph.items():
        if all(x in values for x in arguments):
            values[name] = COMPUTE[symbol](*[values[x] for x in arguments])
    return values


STEPS = 201  # more than the rounds that one would try; calls can be nested so far
UPSIDE_DOWN: Steps = {f"x{n}": ("+", f"x{n - 1}", "x0") for n in range(STEPS, 0, -1)}


def graphs_in_any_order(rng: Random) -> list[Case]:
    """Graphs whose dictionaries are in no particular order: backwards, mixed, random.

    Values are positive, negative and 0; a lone input, and a deep graph, come last.
    """
    y, d, e = "yde"
    small: Steps = {x: WORKED_EXAMPLE[x] for x in (y, d, e)}
    mixed: Steps = {x: PARTLY[x] for x in "stpyrq"}
    fixed: list[Case] = [
        (small, {"a": 2.0, "b": 3.0, "c": 7.0}),
        (WORKED_EXAMPLE, {"a": 5.0, "b": 3.0, "c": 7.0}),
        (mixed, {"a": 2.0, "b": 3.0, "c": 7.0}),
        (mixed, {"a": -2.0, "b": 0.0, "c": 0.0}),
        (small, {"a": 3.0, "b": 3.0, "c": 3.0}),
        (dict(reversed(chain(6).items())), {"x": 3.0}),
    ]
    shuffled = [
        {x: graph[x] for x in rng.sample(list(graph), len(graph))}
        for graph in random_graphs(rng, 20, 3, 8, "+-+-*")
    ]
    drawn = [with_values(rng, graph) for graph in shuffled]
    return [*fixed, *drawn, ({}, {"x": 2.0}), (UPSIDE_DOWN, {"x0": 0.5})]


@exercise(
    points=3,
    kind="repair",
    cases=graphs_in_any_order,
    answer=Numbers("a dictionary with the value of every node"),
    code=_graph_and_inputs,
)
def repair_forward(graph: Steps, inputs: Values) -> Values:
    r"""Repair a forward pass

    This forward pass should work in whatever order the dictionary lists the operations. It does
    not: with $a = 2$, $b = 3$ and $c = 7$ the result should be $y = (a + b)\cdot(b - c) = -20$.

    ---

    What goes wrong? Write a version that is right for every order. The graphs of the check have a
    few hundred operations at most. You need not worry about cycles, nor about inputs that have no
    value.

    First step: Copy the body of `broken_forward` into your function. Then let it compute a node
    only when the node's arguments are in `values`, and keep the others for later.
    Hint: When is a node ready to be computed? And what should happen to one that is not?
    Hint: Keep a dictionary of the nodes that wait, at first all of them. As long as there are any,
    go through them, compute those whose arguments are all in `values`, and take them out.
    Hint: To load boxes that may only stand on boxes that are loaded already:
        waiting = list(boxes)
        while waiting:
            for box in list(waiting):
                if below[box] in loaded:
                    loaded.append(box)
                    waiting.remove(box)
    The inner `list(waiting)` is a copy, because the loop takes boxes out of waiting.
    Another way: Python has a sorter of its own for this:
        from graphlib import TopologicalSorter

        def repair_forward(graph, inputs):
            needs = {name: arguments for name, (_, *arguments) in graph.items()}
            values = dict(inputs)
            for name in TopologicalSorter(needs).static_order():
                if name in graph:
                    operation, *arguments = graph[name]
                    values[name] = compute[operation](*[values[x] for x in arguments])
            return values
    Each edge is looked at once, while waiting in rounds may look at it once in each. A cycle is
    told as a CycleError.
    Verified: every value agrees in {cases} graphs, whatever their order.
    """
    order = TopologicalSorter({name: arguments for name, (_, *arguments) in graph.items()})
    return forward({name: graph[name] for name in order.static_order() if name in graph}, inputs)


repair_forward.slip(
    "what is missing counts as 0",
    """This is still the fault of the program as it was handed out: a node is computed before its
    arguments are there, with 0 in their place. Find the line that lets it, with `values.get(…, 0)`.
    An operation whose arguments are missing should wait instead.""",
    as_given,
)
repair_forward.slip(
    "turned round",
    """Going through the dictionary backwards mends this one example and breaks others. Nothing is
    known about the order, in either direction.""",
    _first_to_last(lambda graph: list(graph)[::-1]),
)
repair_forward.slip(
    "sorted by name",
    """The alphabet does not know which node needs which. Ask each node whether its arguments are
    there.""",
    _first_to_last(sorted),
)
repair_forward.slip(
    "so many rounds are enough",
    """Going through the graph again helps nodes that had to wait. But however often you do so,
    there is a graph in which some node has to wait longer. When can you be sure that none
    waits?""",
    *(_several_times(n) for n in TRIED_ROUNDS),
    *(_several_times(n, _skipping) for n in TRIED_ROUNDS),
)
repair_forward.slip(
    "what has to wait is dropped",
    """You skip a node whose arguments are missing, which is right, but then nobody comes back to
    it. Keep the nodes that wait, and try them again.""",
    _skipping,
)
