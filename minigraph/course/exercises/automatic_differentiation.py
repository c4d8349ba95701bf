"""Lesson 06: the rules of an engine, its backward pass, its forward mode, and how to check it."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from ...autodiff.custom import custom
from ...autodiff.derivatives import grad, jvp
from ...autodiff.jacobian import jacobian
from ...core.node import Node, variable
from ...core.operation import OPERATIONS
from ...errors import MinigraphError
from ..answers import Members, not_a
from ..forms import Case, WrongForm
from ..graphs import (
    MOST_STEPS,
    WORKED_EXAMPLE,
    Steps,
    as_assignment,
    chain,
    random_graph,
    random_graphs,
)
from ..quantities import Gradients
from ..specification import exercise
from .forward_pass import PARTLY, SHARED, SQUARE, Values, doubled, forward, with_signs

LESSON = "06_automatic_differentiation"
ENGINE = (Node.backward, grad, jacobian, jvp)  # what does the work of these exercises


# --- VJP rules ------------------------------------------------------------------------------------

APPLY: dict[str, Callable[..., float]] = {
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "exp": math.exp,
    "tanh": math.tanh,
    "max": max,
}


def operations_to_pull_back(rng: Random) -> list[Case]:
    """Each operation at points where its wrong rules differ; g is never 1.

    Which of two equal numbers max hands g to is left open, so no case asks.
    """
    points = [
        (3.0, 0.5, 4.0),
        (-2.0, 1.5, -0.7),
        (0.5, -6.0, 1.25),  # the larger one in size is not the larger one
        (2.5, 0.75, -5.0),
        (-1.5, -0.5, -3.0),
        (2.0, -4.0, -0.25),
        (-3.0, 0.0, -1.5),
        (4.0, 2.5, 2.5),
        (-0.5, 1.5, 0.0),
        (0.0, 1.5, -2.0),
        (3.0, 0.5, 4.0),
    ]
    points += [
        (rng.choice((-3, 4, 5)) / 2, rng.randint(-7, 7) / 4 or 0.3, rng.randint(8, 20) / 7)
        for _ in range(4)
    ]
    cases: list[Case] = []
    for g, x, y in points:
        for operation, apply in APPLY.items():
            if (operation == "/" and y == 0) or (operation == "max" and x == y):
                continue
            second = None if operation in ("exp", "tanh") else y
            out = apply(*[v for v in (x, second) if v is not None])
            cases.append((operation, g, out, x, second))
    return cases


def _call_of_pull_back(operation: str, g: float, out: float, x: float, y: float | None) -> str:
    return f'operation = "{operation}"\ng, out, x, y = {g:g}, {out:.6g}, {x:.6g}, ' + (
        "None" if y is None else f"{y:.6g}"
    )


@exercise(
    points=2,
    cases=operations_to_pull_back,
    answer=Gradients('a dictionary such as {"x": 1.5, "y": -2.0}'),
    code=_call_of_pull_back,
    instead_of=ENGINE,
)
def pull_back(operation: str, g: float, out: float, x: float, y: float | None) -> Values:
    """Write VJP rules

    An operation has computed `out` from its inputs `x` and `y`, and the upstream gradient `g` has
    arrived. What does it contribute to the gradient of each input? The operations are `"*"`, `"/"`,
    `"exp"`, `"tanh"` and `"max"`, the larger of two numbers. `"exp"` and `"tanh"` have one input,
    and `y` is None for them. You may use `out`; it often makes a rule shorter.

    Return a dictionary, for example `{"x": 1.5, "y": -2.0}`, or `{"x": 1.5}` if there is one input.

    First step: Begin with one operation: `if operation == "*": return {"x": ..., "y": ...}`. How
    many times as fast as x does x · y change, and how much of g goes to x?
    Hint: For each operation ask: how many times as fast as this input does the result change?
    Multiply the answer by g.
    Hint: Keep everything else fixed and nudge one input. x / y is x times 1/y, and 1/y is a power
    of y. For exp and tanh the local derivative is shortest in terms of out.
    Hint: For x − y the local derivatives are 1 and −1:
        if operation == "-":
            return {"x": g, "y": -g}
    The other operations have other local derivatives, and the same g.
    Another way: A table of local derivatives, and one place where g comes in:
        def pull_back(operation, g, out, x, y):
            derivatives = {
                "*": lambda: (y, x),
                "/": lambda: (1 / y, -out / y),
                "exp": lambda: (out,),
                "tanh": lambda: (1 - out * out,),
                "max": lambda: (float(x > y), float(x <= y)),
            }
            return {name: g * d for name, d in zip("xy", derivatives[operation]())}
    No rule can forget g. With arrays a local derivative may be a large matrix, and then rules with
    g are better.
    Verified: every share agrees in {cases} calls, none of them with g = 1.
    """
    rules: dict[str, Callable[..., tuple[float, ...]]] = {
        "*": lambda x, y: (g * y, g * x),
        "/": lambda x, y: (g / y, -g * out / y),
        "exp": lambda x: (g * out,),
        "tanh": lambda x: (g * (1 - out * out),),
        "max": lambda x, y: (g, 0.0) if x > y else (0.0, g),
    }
    shares = rules[operation](*[v for v in (x, y) if v is not None])
    return dict(zip("xy", shares))


pull_back.slip(
    "upstream gradient left out",
    """These are the local derivatives. What arrives from above, g, has to be multiplied into each
    of them; with g = 1 one does not notice.""",
    ("shares = rules", "g = 1.0; shares = rules"),
)
pull_back.slip(
    "local derivative added to upstream",
    """You add g and the local derivative. Along a path they are multiplied; adding is for paths
    that meet.""",
    (
        "shares = rules",
        "upstream, g = g, 1.0; shares = rules",
        'zip("xy", shares)',
        'zip("xy", [upstream + share for share in shares])',
    ),
)
pull_back.slip(
    "inputs of the product swapped",
    """In x · y, how much does the result change when x is nudged? By y times the nudge, not by x
    times.""",
    ("(g * y, g * x)", "(g * x, g * y)"),
)
pull_back.slip(
    "sign of the quotient",
    "When the divisor y grows, does x / y grow or shrink? Try it with 6 / 2 and 6 / 3.",
    ("-g * out / y", "g * x / y**2"),
)
pull_back.slip(
    "divisor not squared",
    """The derivative of 1/y by y has y squared below the line. With out = x / y you can also write
    it without a square.""",
    ("-g * out / y", "-g * x / y"),
    ("-g * out / y", "-g / y**2"),
)
pull_back.slip(
    "quotient like a product",
    """For / you used the rule of the product. How does x / y change when x is nudged? It is x times
    1/y.""",
    ("(g / y, -g * out / y)", "(g * y, g * x)"),
)
pull_back.slip(
    "exp as a power of x",
    """The slope of eˣ is as large as something that has been computed already. The rule of powers
    is for a power of x, and here x stands in the exponent.""",
    ("(g * out,)", "(g * x,)"),
    ("(g * out,)", "(g * x * math.exp(x - 1),)"),
    ("(g * out,)", "(g * math.exp(out),)"),
)
pull_back.slip(
    "tanh with the input in the formula",
    """The local derivative of tanh is between 0 and 1 everywhere, and 1 where x is 0. The formula
    of the lesson is written with tanh itself: which of your arguments is that?""",
    ("out * out", "x * x"),
    ("out * out", "math.tanh(out) ** 2"),
    ("(1 - out * out)", "out * (1 - out)"),
)
pull_back.slip(
    "max sends to both",
    """Nudge the smaller of the two numbers a little: does the maximum change? Only the larger one
    receives g.""",
    ("(g, 0.0) if x > y else (0.0, g)", "(g, g)"),
    ("(g, 0.0) if x > y else (0.0, g)", "(g / 2, g / 2)"),
)
pull_back.slip(
    "max sends to the smaller",
    """Your max hands g to the smaller number. The result is the larger one, so it changes with
    that.""",
    ("x > y", "x <= y"),
)
pull_back.slip(
    "max scaled by the number",
    """Nudge the larger of the two numbers by a little: by how much does the maximum change? Does
    that depend on how large it is?""",
    ("(g, 0.0) if x > y else (0.0, g)", "(g * x, 0.0) if x > y else (0.0, g * y)"),
)


# --- backward -------------------------------------------------------------------------------------

LOCAL: dict[str, Callable[..., tuple[float, ...]]] = {
    "+": lambda x, y: (1.0, 1.0),
    "-": lambda x, y: (1.0, -1.0),
    "*": lambda x, y: (y, x),
    "sin": lambda x: (math.cos(x),),
}


def _edges(graph: Steps, values: Values, name: str) -> list[tuple[str, float]]:
    """The inputs of a node, each with the local derivative by it."""
    symbol, *inputs = graph[name]
    return list(zip(inputs, LOCAL[symbol](*[values[x] for x in inputs])))


def _none_yet(graph: Steps, values: Values, output: str | None = None) -> Values:
    """Gradients before a backward pass: 1 for the output, 0 for the others."""
    output = output or list(graph)[-1]
    return {name: float(name == output) for name in values}


def _seeded_with(seed: Callable[[float], float]) -> Any:
    """Start from another number than 1: all gradients are multiplied by it."""

    def program(graph: Steps, values: Values) -> Values:
        start = seed(values[list(graph)[-1]])
        return {name: start * g for name, g in backward(graph, values).items()}

    return program


def _asking_users(graph: Steps, values: Values) -> Values:
    """Ask the users of a node for their gradients first, and remember each answer."""
    known = _none_yet(graph, values)
    users: dict[str, list[tuple[str, float]]] = {name: [] for name in values}
    for name in graph:
        for x, local in _edges(graph, values, name):
            users[x].append((name, local))
    done = {[*graph][-1]}

    def gradient(name: str) -> float:
        if name not in done:
            known[name] = sum(gradient(user) * local for user, local in users[name])
            done.add(name)
        return known[name]

    return {name: float(gradient(name)) for name in values}


ROW = 40  # operations one after the other: more than rounds that somebody would count out
DOUBLINGS = 3000  # each two operations deep: more than Python's stack has room for


_UNUSED: Steps = {"p": ("*", "a", "b"), "q": ("*", "p", "c"), "y": ("-", "p", "a")}
_WAVE: Steps = {"s": ("sin", "t"), "q": ("*", "s", "r"), "y": ("-", "q", "s")}


def graphs_after_forward(rng: Random) -> list[Case]:
    """Graphs in an order in which they can be computed, and the values of all of their nodes.

    There are zeros, nodes on which the last result does not depend, and last what is long.
    """
    inputs: list[tuple[Steps, Values]] = [
        ({"y": ("-", "a", "b")}, {"a": 2.0, "b": 5.0}),
        ({"y": ("*", "a", "b")}, {"a": 2.0, "b": 5.0}),
        (SQUARE, {"x": 3.0}),
        ({"y": ("sin", "t")}, {"t": -2.0}),
        ({"y": ("*", "a", "b")}, {"a": 0.0, "b": -3.0}),
        ({"y": ("-", "x", "x")}, {"x": 2.0}),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}),
        (WORKED_EXAMPLE, {"a": -1.5, "b": 4.0, "c": 4.0}),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}),
        (_WAVE, {"t": 2.0, "r": 4.0}),
        (_UNUSED, {"a": 2.0, "b": -3.0, "c": 0.5, "k": 4.0}),
    ]
    random = [*random_graphs(rng, 20, 2, 6, "+-+-*"), PARTLY]
    inputs += [with_signs(rng, graph) for graph in sorted(random, key=len)]
    inputs += [
        (doubled(10), {"x0": 3.0, "half": 0.5}),
        (chain(ROW), {"x": -2.5}),
        (doubled(DOUBLINGS), {"x0": 3.0, "half": 0.5}),
    ]
    return [(graph, forward(graph, values)) for graph, values in inputs]


def _graph_and_values(graph: Steps, values: Values) -> str:
    if len(graph) <= MOST_STEPS:
        return f"{as_assignment(graph)}\nvalues = {_as_python_values(values)}"
    inputs = {x: value for x, value in values.items() if x not in graph}
    return (
        f"{as_assignment(graph)}\nvalues = {_as_python_values(inputs)}\n"
        f"while len(values) < {len(values)}:\n"
        "    for name, (operation, p, q) in graph.items():\n"
        "        if p in values and q in values:\n"
        '            values[name] = values[p] + values[q] if operation == "+" else values[p] * values[q]'
    )


def _as_python_values(values: Values) -> str:
    return "{" + ", ".join(f'"{x}": {value:.6g}' for x, value in values.items()) + "}"


@exercise(
    points=3,
    cases=graphs_after_forward,
    answer=Gradients("a dictionary with the gradient of every node"),
    code=_graph_and_values,
    instead_of=ENGINE,
)
def backward(graph: Steps, values: Values) -> Values:
    """Write the backward pass

    Given are a graph, in an order in which it can be computed, and the values of all of its nodes,
    as `forward` returns them. Return a dictionary with the gradient of **every** node, inputs
    included: the derivative of the last result by it, and 0 where the last result does not depend
    on it.

    Your function should also manage a graph that has thousands of operations in a row, deeper than
    calls can be nested in Python, and more paths than there are atoms in the universe.

    First step: Start with `gradients = {name: 0.0 for name in values}`, and set the gradient of the
    last result, `list(graph)[-1]`, to 1. Then let each node hand on its gradient, users before
    their inputs.
    Hint: Do the input above by hand. Write the gradient at each node, beginning with the last one,
    and compare.
    Hint: For each name in `reversed(graph)`: unpack its operation and inputs, get the local
    derivatives from `local`, and add to the gradient of each input: the node's own gradient times
    the local derivative.
    Hint: In y = p · p with p = a + b and p = 5 the node y hands on 1 · 5 along each of its two
    edges:
        gradients["y"] = 1
        gradients["p"] += gradients["y"] * 5   # first edge
        gradients["p"] += gradients["y"] * 5   # second edge
        gradients["a"] += gradients["p"] * 1
    p hands on after both contributions have arrived.
    Another way: Let each node fetch its gradient from its users, instead of letting users hand on:
        def backward(graph, values):
            edges = {name: [] for name in values}
            for name, (operation, *arguments) in graph.items():
                derivatives = local[operation](*[values[x] for x in arguments])
                for x, derivative in zip(arguments, derivatives):
                    edges[x].append((name, derivative))
            last = next(reversed(graph))
            gradients = {}
            for name in [*reversed(graph), *(x for x in values if x not in graph)]:
                handed = sum(gradients[user] * derivative for user, derivative in edges[name])
                gradients[name] = 1.0 if name == last else float(handed)
            return gradients
    Each gradient is written once and complete; for that, all edges are kept in memory.
    Verified: every gradient agrees in {cases} graphs, one of them with 2^3000 paths.
    """
    gradients = _none_yet(graph, values)
    for name in reversed(graph):
        for x, local in _edges(graph, values, name):
            gradients[x] += gradients[name] * local
    return gradients


backward.slip(
    "overwritten instead of added",
    """Where a node is used several times, a contribution arrives from each of its users, and you
    keep the last one only. Start each gradient at 0 and add what arrives.""",
    ("[x] +=", "[x] ="),
)
backward.slip(
    "upstream gradient left out",
    """You add up the local derivatives. Each says how fast the next node changes. How fast the last
    result changes with that node has been found before; what becomes of it?""",
    ("gradients[name] * local", "local"),
)
backward.slip(
    "inputs before users",
    """You go through the graph in the order of the forward pass. When the first node's turn comes,
    its gradient is still 0. A node can hand on only what it has received, so its users go
    first.""",
    ("reversed(graph)", "graph"),
)
backward.slip(
    "no gradient to start from",
    """All gradients are 0, because you begin with nothing but zeros. How fast does the last result
    change with itself?""",
    _seeded_with(lambda y: 0.0),
)
backward.slip(
    "started from the value",
    "You start from the value of the last result. Start from its derivative by itself.",
    _seeded_with(lambda y: y),
)


@backward.misconception("a call for each step", _asking_users)
def _path_by_path(graph: Steps, values: Values) -> Values:
    """Your gradients are right for small graphs. But your function calls itself, nested as deep as
    the graph, and here that is deeper than Python allows. The nodes stand in an order already:
    in which direction could a loop go through them?
    """
    gradients = dict.fromkeys(values, 0.0)

    def push(name: str, g: float) -> None:
        gradients[name] += g
        for x, local in _edges(graph, values, name) if name in graph else []:
            push(x, g * local)

    push(list(graph)[-1], 1.0)
    return gradients


backward.slip(
    "two edges taken for one",
    """A node may use the same input twice, as in x · x. Each of the two edges carries a
    contribution of its own; a dictionary from inputs to local derivatives keeps one of them.""",
    ("_edges(graph, values, name)", "dict(_edges(graph, values, name)).items()"),
)


@backward.misconception("local derivatives swapped")
def _wrong_way_round(graph: Steps, values: Values) -> Values:
    """You hand the first local derivative to the second input, or the other way round.
    `local["*"](x, y)` is (y, x): the derivative by x comes first.
    """
    gradients = _none_yet(graph, values)
    for name in reversed(graph):
        edges = _edges(graph, values, name)
        for (x, _), (_, local) in zip(edges, reversed(edges)):
            gradients[x] += gradients[name] * local
    return gradients


@backward.misconception("inputs only")
def _inputs_only(graph: Steps, values: Values) -> Values:
    """Your gradients are right, and some are missing: the results in between have gradients too."""
    return {x: g for x, g in backward(graph, values).items() if x not in graph}


# --- forward mode ---------------------------------------------------------------------------------


def _of_inputs(graph: Steps, values: Values, changes: Values, unlisted: float = 0.0) -> Values:
    return {x: changes.get(x, unlisted) for x in values if x not in graph}


def _one_input_only(which: int) -> Any:
    def program(graph: Steps, values: Values, changes: Values) -> Values:
        result = _of_inputs(graph, values, changes)
        for name in graph:
            x, local = _edges(graph, values, name)[which]
            result[name] = local * result[x]
        return result

    return program


def graphs_and_changes(rng: Random) -> list[Case]:
    """Graphs with values, and changes of some of their inputs that are neither 1 nor alike."""
    cases: list[Case] = []
    for graph, values in graphs_after_forward(rng)[:-1]:
        names = [x for x in values if x not in graph]
        sizes = rng.sample([-3.0, -2.0, 0.5, 2.0, 3.0, 5.0, 7.0], len(names))
        changes = dict(zip(names, sizes))
        if len(names) > 2:
            del changes[rng.choice(names)]
        cases.append((graph, values, changes))
    still: Case = (WORKED_EXAMPLE, forward(WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}), {})
    again: Case = (*still[:2], {"b": 0.0, "c": -2.0})
    return [*cases, still, again, still]


@exercise(
    points=2,
    cases=graphs_and_changes,
    answer=Gradients("a dictionary with the change of every node"),
    code=lambda graph, values, changes: (
        f"{_graph_and_values(graph, values)}\nchanges = {_as_python_values(changes)}"
    ),
    instead_of=ENGINE,
)
def push_forward(graph: Steps, values: Values, changes: Values) -> Values:
    """Write the forward mode

    The same graph and the same values, in the other direction. `changes` says how fast some of the
    inputs change, for example `{"a": 2.0}`; inputs that are not listed stay as they are. Return a
    dictionary with how fast every node changes, inputs included.

    First step: Start with the inputs: `result = {x: changes.get(x, 0.0) for x in ...}`. Then go
    through the graph in its own order, and compute for each node how fast it changes.
    Hint: A node is told how fast its inputs change. How fast does it change itself? Begin with y =
    a − b.
    Hint: For each name in the graph, in its order: local derivative times change of the input,
    added over its inputs. The inputs of the graph are the names in `values` that are not in
    `graph`.
    Hint: For p = a · b with a = 2, b = 5, where a changes 3 times as fast as the clock and b not at
    all:
        result["a"], result["b"] = 3.0, 0.0
        result["p"] = 5 * result["a"] + 2 * result["b"]
    p changes 15 times as fast as the clock.
    Another way: Rules that take each value together with its change:
        def push_forward(graph, values, changes):
            rules = {
                "+": lambda x, dx, y, dy: dx + dy,
                "-": lambda x, dx, y, dy: dx - dy,
                "*": lambda x, dx, y, dy: dx * y + x * dy,
                "sin": lambda x, dx: math.cos(x) * dx,
            }
            result = {x: changes.get(x, 0.0) for x in values if x not in graph}
            for name, (operation, *arguments) in graph.items():
                pairs = [part for x in arguments for part in (values[x], result[x])]
                result[name] = rules[operation](*pairs)
            return result
    Such pairs are called dual numbers. With them forward mode needs no graph at all.
    Verified: every change agrees in {cases} graphs.
    """
    result = _of_inputs(graph, values, changes)
    for name in graph:
        result[name] = float(sum(local * result[x] for x, local in _edges(graph, values, name)))
    return result


push_forward.slip(
    "change of the input left out",
    "You add up the local derivatives. Each has to be multiplied by the change of its input.",
    (
        "float(sum(local * result[x] for x, local in _edges(graph, values, name)))",
        "sum(local for _, local in _edges(graph, values, name))",
    ),
)


@push_forward.misconception("changes multiplied")
def _product_of_changes(graph: Steps, values: Values, changes: Values) -> Values:
    """The change of a product is not the product of the changes. If only x changes, x · y changes y
    times as fast; if both do, the two effects add up.
    """
    result = _of_inputs(graph, values, changes)
    for name, (symbol, *inputs) in graph.items():
        if symbol == "*":
            result[name] = result[inputs[0]] * result[inputs[1]]
        else:
            result[name] = sum(local * result[x] for x, local in _edges(graph, values, name))
    return result


push_forward.slip(
    "one input only",
    """You use one input of each node. A node changes with all of its inputs, and the effects add
    up.""",
    _one_input_only(0),
    _one_input_only(-1),
)


@push_forward.misconception("local derivatives swapped")
def _own_local_derivative(graph: Steps, values: Values, changes: Values) -> Values:
    """You multiply the change of one input by the local derivative by the other. `local["*"](x, y)`
    is (y, x): the derivative by x comes first.
    """
    result = _of_inputs(graph, values, changes)
    for name in graph:
        edges = _edges(graph, values, name)
        result[name] = sum(local * result[x] for (x, _), (_, local) in zip(edges, reversed(edges)))
    return result


@push_forward.misconception("unlisted inputs change too")
def _unlisted_changes(graph: Steps, values: Values, changes: Values) -> Values:
    """Some inputs are not in `changes`. They stay as they are, so their change is 0, not 1."""
    return push_forward(graph, values, _of_inputs(graph, values, changes, unlisted=1.0))


@push_forward.misconception("the inputs really moved")
def _as_finite_change(graph: Steps, values: Values, changes: Values) -> Values:
    """You add the changes to the inputs and compute the graph again. That gives the difference of
    two values, which follows the curve; asked for is how fast each node changes here, along the
    tangent.
    """
    inputs = {x: values[x] + changes.get(x, 0.0) for x in values if x not in graph}
    return {name: value - values[name] for name, value in forward(graph, inputs).items()}


# --- gradient check -------------------------------------------------------------------------------

Function = Callable[[Values], float]


def _true_gradient(graph: Steps, point: Values) -> Values:
    gradients = backward(graph, forward(graph, point))
    return {x: gradients[x] for x in point}


def _as_function(graph: Steps, point: Values, claimed: Values) -> tuple[Function, Values, Values]:
    """What the student gets: the last result as a function of the inputs."""
    last = list(graph)[-1]
    return lambda inputs: forward(graph, inputs)[last], deepcopy(point), deepcopy(claimed)


def _spoiled(rng: Random, gradient: Values) -> Values:
    """Make some of the numbers wrong, in ways that real mistakes do; none by less than a tenth."""
    return {x: rng.choice((1, 1, -1, 2, 1.15, 0.85)) * g for x, g in gradient.items()}


def claims(rng: Random) -> list[Case]:
    """Functions, points, and gradients of which some numbers are wrong.

    Products and sums are straight along each input, so that any step finds their slopes, and a
    claim may be off by a little more or less than what is allowed.
    """
    cubic: Steps = {"q": ("*", "x", "x"), "y": ("*", "q", "x")}
    product: Steps = {"y": ("*", "a", "b")}
    waves: Steps = {"p": ("*", "a", "b"), "s": ("sin", "p"), "y": ("*", "s", "a")}
    wide: Steps = {
        "p": ("*", "a", "b"),
        "q": ("*", "c", "d"),
        "r": ("*", "e", "f"),
        "s": ("-", "p", "q"),
        "y": ("-", "s", "r"),
    }
    six = dict(zip("abcdef", (2.0, 5.0, -3.0, 0.5, 4.0, -7.0)))
    slopes = dict(zip("abcdef", (5.0, 2.0, -0.5, 3.0, 7.0, -4.0)))
    here, there, steep = {"a": 2.0, "b": 5.0}, {"a": -4.0, "b": 0.5}, {"a": 1.1, "b": 12.7}
    fixed: list[tuple[Steps, Values, Values]] = [
        (product, here, {"a": 5.0, "b": 2.0}),
        (product, here, {"a": 2.0, "b": 5.0}),
        ({"y": ("-", "a", "b")}, {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0}),
        (product, here, {"a": -5.0, "b": 2.0}),
        (product, here, {"a": 5 * 1.0009, "b": 2 * 0.9991}),
        (product, here, {"a": 5 * 1.0011, "b": 2.0}),
        (product, here, {"a": 5.0, "b": 2 * 0.9989}),
        (product, there, {"a": 0.5 * 0.9991, "b": -4 * 1.0009}),
        (product, there, {"a": 0.5 * 0.9989, "b": -4.0}),
        (product, there, {"a": 0.5, "b": -4 * 1.0011}),
        (product, there, {"a": 0.5 * 1.006, "b": -4 * 0.994}),
        (product, there, {"a": 0.5 * 0.96, "b": -4 * 1.04}),
        (product, {"a": 0.0, "b": 4.0}, {"a": 4.0, "b": 0.0}),
        (product, {"a": 0.0, "b": 4.0}, {"a": 4.0, "b": 0.002}),
        (cubic, {"x": 3.0}, {"x": 27.0}),
        (cubic, {"x": 3.0}, {"x": 18.0}),
        (product, {"a": 0.0002, "b": 0.0003}, {"a": 0.0006, "b": 0.0002}),
        (product, {"a": 0.0002, "b": -0.0003}, {"a": -0.0003 * 1.002, "b": 0.0002 * 1.0005}),
        (product, {"a": 3e5, "b": 2e5}, {"a": 2e5 * 1.0005, "b": 3e5 * 0.998}),
        (cubic, {"x": 700.0}, {"x": 3 * 700.0**2}),
        (cubic, {"x": 700.0}, {"x": 2.9 * 700.0**2}),
        (waves, steep, _true_gradient(waves, steep)),
        (wide, six, slopes),
        (wide, six, slopes | {"a": 2.0}),
        (wide, six, slopes | {"f": 4.0}),
        (wide, six, {x: -slope for x, slope in slopes.items()}),
        (product, here, {"a": 5.0, "b": 2.0}),
    ]
    while len(fixed) < 40:
        graph, point = with_signs(rng, random_graph(rng, rng.randint(2, 4), "+-*"))
        gradient = _true_gradient(graph, point)
        if _is_plain(graph, point, gradient):
            fixed.append((graph, point, _spoiled(rng, gradient)))
    return [*sorted(fixed, key=lambda case: len(case[0]))]


def _is_plain(graph: Steps, point: Values, gradient: Values) -> bool:
    """Whether each slope is so large beside the value that any sensible step will find it."""
    least = max(0.05, 1e-3 * abs(list(forward(graph, point).values())[-1]))
    return all(abs(g) > least for g in gradient.values())


def _claim_as_code(graph: Steps, point: Values, claimed: Values) -> str:
    written = {x: f'inputs["{x}"]' for x in point}
    lines = []
    for name, (symbol, *inputs) in graph.items():
        terms = [written.get(x, x) for x in inputs]
        lines.append(
            f"    {name} = "
            + (f"math.sin({terms[0]})" if symbol == "sin" else f" {symbol} ".join(terms))
        )
    return (
        "\n".join(["def f(inputs):", *lines, f"    return {list(graph)[-1]}", ""])
        + f"\npoint = {_as_python_values(point)}\nclaimed = {_as_python_values(claimed)}"
    )


@exercise(
    points=2,
    cases=claims,
    as_arguments=_as_function,
    answer=Members("a list of names"),
    code=_claim_as_code,
)
def gradient_check(f: Function, point: Values, claimed: Values) -> list[str]:
    """Check gradients

    Somebody claims to know the gradient of a function. Do not believe it. You get the function `f`,
    a point, and the claimed gradient there. `f` takes a dictionary of inputs, such as `f({"a": 2.0,
    "b": 5.0})`, and returns a number; you may call it as often as you like.

    Return a list of the names for which the claim is wrong. If it is off by less than a thousandth
    of the right number, let it count as right.

    First step: For one name x: copy the point twice, `above = dict(point)` and `below =
    dict(point)`, nudge x up in one and down in the other, and compare the slope of f between them
    with `claimed[x]`.
    Hint: Take the first input above by hand: nudge it by 0.00001 up and down, and look at how f
    changes.
    Hint: The slope is the change of f from below to above, divided by the way between the two, with
    a step of about 1e-5. The error that you allow should grow with the slope; see `math.isclose`
    and its `rel_tol`.
    Hint: How fast does the area of a square grow with its side, at side 3?
        h = 1e-5
        slope = ((3 + h) ** 2 - (3 - h) ** 2) / (2 * h)
        math.isclose(slope, 6, rel_tol=1e-3)   # True
        math.isclose(slope, 9, rel_tol=1e-3)   # False
    Another way: A step that goes with the size of the input, and two steps that check each other:
        def gradient_check(f, point, claimed):
            def slope(x, h):
                return (f({**point, x: point[x] + h}) - f({**point, x: point[x] - h})) / (2 * h)

            wrong = []
            for x in point:
                h = 1e-4 * max(1.0, abs(point[x]))
                better = (4 * slope(x, h) - slope(x, 2 * h)) / 3
                if not math.isclose(better, claimed[x], rel_tol=1e-3, abs_tol=1e-9):
                    wrong.append(x)
            return wrong
    The two errors of the slopes, which go with the square of the step, cancel (Richardson). So the
    step may be larger, and rounding matters less.
    Verified: all wrong claims found in {cases} gradients, and no right one blamed.
    """
    wrong = []
    h = 1e-5
    for x in point:
        high, low = point | {x: point[x] + h}, point | {x: point[x] - h}
        slope = (f(high) - f(low)) / (2 * h)
        if not math.isclose(slope, claimed[x], rel_tol=1e-3, abs_tol=1e-9):
            wrong.append(x)
    return wrong


CLOSE = "math.isclose(slope, claimed[x], rel_tol=1e-3, abs_tol=1e-9)"
FORWARD = ("point[x] - h", "point[x]", "(2 * h)", "h")  # to one side only

gradient_check.slip(
    "all inputs nudged at once",
    """You nudge all inputs together, which gives the effect of all of them. For a partial
    derivative nudge one input and leave the others where they are.""",
    (
        "{x: point[x] + h}, point | {x: point[x] - h}",
        "{n: v + h for n, v in point.items()}, {n: v - h for n, v in point.items()}",
    ),
)
gradient_check.slip(
    "divided by h instead of 2h",
    "From x − h to x + h it is a way of 2h. Your slopes are twice as large as they should be.",
    ("(2 * h)", "h"),
)
gradient_check.slip(
    "not divided by the step",
    """You compare the change of f with the gradient. Over a step half as wide f would change half
    as much; the slope would be the same.""",
    (" / (2 * h)", ""),
    ("1e-5", "1e-6", " / (2 * h)", ""),
)
gradient_check.slip(
    "step too small",
    """Your step is so small that x + h is x again, or nearly. Computers keep about 16 digits; a
    step near 1e-5 leaves enough of them.""",
    ("1e-5", "1e-15"),
    ("1e-5", "1e-16"),
)
gradient_check.slip(
    "step too large",
    """Over a step as wide as yours a curve bends, and the slope between its ends is not the slope
    at the point. How small can a step be before rounding spoils the difference?""",
    ("1e-5", "0.1", *FORWARD),
    ("1e-5", "1.0", *FORWARD),
    ("1e-5", "0.1"),
    ("1e-5", "0.01", *FORWARD),
)
gradient_check.slip(
    "compared for equality",
    """Finite differences are an approximation, so the two numbers are hardly ever equal to the last
    digit. Ask whether they are close, for example with `math.isclose` and a tolerance.""",
    (CLOSE, "slope == claimed[x]"),
)
gradient_check.slip(
    "tolerance without regard to size",
    """You allow the same error for large gradients and for small ones. An error of 0.01 is nothing
    beside a million, and everything beside 0.0003. Compare the error with the size of the gradient.""",
    (CLOSE, "abs(slope - claimed[x]) < 1e-2"),
    (CLOSE, "abs(slope - claimed[x]) < 1e-3"),
    (CLOSE, "abs(slope - claimed[x]) < 1e-6"),
)
gradient_check.slip(
    "tolerance too wide",
    """You let claims pass that are off by more than a thousandth. How large is the error that you
    allow, beside the right number?""",
    ("1e-3", "0.003"),
    ("1e-3", "0.01"),
    ("1e-3", "0.1"),
)
gradient_check.slip(
    "tolerance too narrow",
    """You blame claims that are off by less than a thousandth, and the task lets them count as
    right. How large is the error that you allow, beside the right number?""",
    ("1e-3", "1e-5"),
)
gradient_check.slip(
    "sign not compared",
    """A claim with the wrong sign passes your check. Compare the numbers themselves, not their
    sizes.""",
    ("slope, claimed[x],", "abs(slope), abs(claimed[x]),"),
)
gradient_check.slip(
    "errors in one direction only",
    "A claim may be too large or too small, and you notice only one of the two.",
    (CLOSE, "slope - claimed[x] < 1e-3 * abs(slope) + 1e-9"),
    (CLOSE, "claimed[x] - slope < 1e-3 * abs(slope) + 1e-9"),
)
gradient_check.slip(
    "the right ones listed",
    "You list the names whose claim is right. Asked for are the others.",
    ("if not", "if"),
)


# --- a custom operation ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Derivatives(Gradients):
    """One operation of two variables; read as its value, and the derivatives of its cube.

    With the cube the upstream gradient is not 1, and not the same everywhere.
    """

    what: str = "a Node made by your operation"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> Values:
        """Differentiate what the operation returned, twice."""
        if not isinstance(answer, Node):
            raise not_a(self.what, answer)
        x, y = arguments
        if answer.op is None or not {x, y}.issuperset(answer.inputs):
            raise WrongForm(
                "The result is composed of several operations. Make it one box of its own: a "
                "function of arrays, with `@mg.custom(...)` above it.",
                "composed",
            )
        if answer.op in OPERATIONS.values():
            raise WrongForm(
                f"The result is made by the engine's own operation {answer.op.name!r}. Make an "
                "operation of yours, with your own rules: a function of arrays, with "
                "`@mg.custom(...)` above it.",
                "built in",
            )
        z = answer * answer * answer
        try:
            first = grad(z, [x, y])
            second = [_slope_or_zero(first[i], by) for i, by in ((0, x), (0, y), (1, y))]
        except MinigraphError as error:
            raise WrongForm(f"It cannot be differentiated twice: {error}.", "no gradient") from None
        except TypeError as error:
            text = f"One of your rules failed ({error}). Each is called with g, out, x and y."
            raise WrongForm(text, "rule") from None
        names = ("distance", "∂z/∂x", "∂z/∂y", "∂²z/∂x²", "∂²z/∂x∂y", "∂²z/∂y²")
        return {name: float(node.value) for name, node in zip(names, (answer, *first, *second))}


def _slope_or_zero(y: Node, x: Node) -> Node:
    return grad(y + 0 * x, x)  # 0 · x connects an input on which y does not depend


def points_in_the_plane(rng: Random) -> list[Case]:
    """Points on both sides of the axes, on an axis, between the axes, and far away."""
    fixed: list[Case] = [
        (3.0, 4.0),
        (-6.0, 2.5),
        (0.3, -0.8),
        (-5.0, -12.0),
        (2.0, 2.0),
        (0.0, 2.5),
        (-1.5, 0.0),
        (300.0, 0.25),
        (3.0, 4.0),
    ]
    return fixed + [(rng.uniform(-4, 4), rng.uniform(1, 6)) for _ in range(5)]


@exercise(
    points=2,
    cases=points_in_the_plane,
    as_arguments=lambda x, y: (variable(x, name="x"), variable(y, name="y")),
    answer=Derivatives(),
    code=lambda x, y: (
        f'x, y = mg.variable({x:.6g}, name="x"), mg.variable({y:.6g}, name="y")\n'
        "# looked at is z = distance(x, y) ** 3"
    ),
)
def distance(x: Node, y: Node) -> Node:
    r"""Make an operation of your own

    NumPy's `np.hypot(x, y)` is $\sqrt{x^2 + y^2}$, the distance of the point $(x, y)$ from the
    origin. Make it an operation of minigraph with the name `distance`: write `@mg.custom(...)`
    above the function, with a rule for each of the two inputs.

    The check uses the result further: it looks at $z = \text{distance}^3$, at its gradient, and at
    the gradient of that.

    First step: Begin with the function, `def distance(x, y): return np.hypot(x, y)`, and write
    `@mg.custom(rule_for_x, rule_for_y)` above it. Each rule is a function of g, out, x and y.
    Hint: How many times as fast as x does √(x² + y²) change? Use the chain rule: the root, then
    what is under it. The root itself is out.
    Hint: The local derivative by x is x divided by the distance. A rule multiplies the local
    derivative by g, for example `lambda g, out, x, y: g * ...`.
    Hint: For the product, with the rules that you know:
        @mg.custom(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
        def product(x, y):
            return x * y
    `mg.check_custom(product, 0.7, -1.3)` compares them with finite differences.
    Another way: custom() takes any function of arrays, also one of NumPy's own:
        distance = mg.custom(
            lambda g, out, x, y: g * x / out,
            lambda g, out, x, y: g * y / out,
        )(np.hypot)
    A decorator is a function like any other, and can be called.
    Verified: value, gradients and second derivatives agree at {cases} points.
    """
    operation = custom(
        lambda g, out, x, y: g * x / out,
        lambda g, out, x, y: g * y / out,
    )(lambda x, y: np.hypot(x, y))
    return operation(x, y)


distance.slip(
    "upstream gradient left out",
    """Your rules are the local derivatives. The result is used further, as here in its cube. Where
    in your rules does it come in how fast that changes with the distance?""",
    ("g * x", "x", "g * y", "y"),
)
distance.slip(
    "rules swapped",
    """On the x axis a nudge of y does not change the distance. Which of your two rules says so, and
    which of them comes first?""",
    ("g * x", "g * (y)", "g * y", "g * x"),
)
distance.slip(
    "root forgotten",
    """These are the rules for x² + y². The square root around it has a derivative as well: 1
    divided by twice the root.""",
    ("x / out", "2 * x", "y / out", "2 * y"),
)
distance.slip(
    "inner derivative forgotten",
    """You have the derivative of the square root. But a nudge of x first moves what is under it.
    How many times as fast as x?""",
    ("x / out", "1 / (2 * out)", "y / out", "1 / (2 * out)"),
)
distance.slip(
    "a factor 2",
    """Your rules are right up to a factor, the same at every point. Walk along the x axis: how many
    times as fast as x does the distance change?""",
    ("g * x", "2 * g * x", "g * y", "2 * g * y"),
    ("x / out", "x / out / 2", "y / out", "y / out / 2"),
)
distance.slip(
    "numbers instead of Nodes",
    """Your gradient is right, but its own derivative is not. You computed the rule with the
    values, so the graph ends there. Write it with x, y and out themselves.""",
    ("x / out", "_value(x) / _value(out)", "y / out", "_value(y) / _value(out)"),
    ("x / out", "(_value(x) / out)", "y / out", "(_value(y) / out)"),
    ("x / out", "x / _value(out)", "y / out", "y / _value(out)"),
)
distance.slip(
    "composed",
    """This is right, and built from several operations; their rules came along by themselves. The
    exercise asks for one operation with rules of your own, made by `mg.custom`.""",
    ("operation(x, y)", "(x * x + y * y) ** 0.5"),
)
distance.slip(
    "no operation yet",
    """np.hypot, given Nodes, hands over to an operation that the engine has already, with the
    engine's rules. Write `@mg.custom(...)` in the line above your function: it takes the arrays
    out, and makes an operation with your rules.""",
    ("operation(x, y)", "np.hypot(x, y)"),
)
distance.slip(
    "the square",
    "Your operation returns x² + y² itself. The distance is its square root.",
    ("x / out", "2 * x", "y / out", "2 * y", "np.hypot(x, y)", "x * x + y * y"),
)


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Node) else x


# --- repair a backward pass -----------------------------------------------------------------------


def _depth_first(graph: Steps, values: Values, output: str) -> Values:
    gradients = _none_yet(graph, values, output)
    waiting, seen = [output], {output}
    while waiting:
        name = waiting.pop()
        for x, local in _edges(graph, values, name) if name in graph else []:
            gradients[x] += gradients[name] * local
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    return gradients


def _recursive(graph: Steps, values: Values, output: str) -> Values:
    gradients = _none_yet(graph, values, output)
    seen = {output}

    def walk(name: str) -> None:
        for x, local in _edges(graph, values, name) if name in graph else []:
            gradients[x] += gradients[name] * local
            if x not in seen:
                seen.add(x)
                walk(x)

    walk(output)
    return gradients


def _users_first(graph: Steps) -> list[str]:
    """The operations, each after all operations that use it."""
    order: list[str] = []
    left = graph
    while left:
        used = {x for step in left.values() for x in step[1:]}
        order += [name for name in left if name not in used]
        left = {name: step for name, step in left.items() if name in used}
    return order


def _mixed(rng: Random, graph: Steps) -> Steps:
    return {x: graph[x] for x in rng.sample(list(graph), len(graph))}


def graphs_in_no_order(rng: Random) -> list[Case]:
    """Graphs with shared nodes and long rows, whose dictionaries are in no particular order.

    In two of them an operation uses a node twice, and another one, further from the output, once.
    """
    short_and_long: Steps = {
        "y": ("+", "s", "t"),
        "s": ("*", "a", "b"),
        "t": ("*", "s", "c"),
    }
    square_and_more: Steps = {
        "y": ("-", "t", "u"),
        "t": ("*", "s", "s"),
        "u": ("+", "v", "c"),
        "v": ("*", "s", "c"),
        "s": ("*", "a", "b"),
    }
    more_and_square: Steps = {**square_and_more, "y": ("-", "u", "t")}
    graphs: list[tuple[Steps, Values, str]] = [
        (short_and_long, {"a": 2.0, "b": 3.0, "c": 4.0}, "y"),
        (short_and_long, {"a": -1.5, "b": 0.0, "c": 4.0}, "y"),
        (short_and_long, {"a": 2.0, "b": 3.0, "c": 4.0}, "y"),
        (SQUARE, {"x": 3.0}, "y"),
        ({"y": ("-", "x", "x")}, {"x": 2.0}, "y"),
        (square_and_more, {"a": 2.0, "b": -3.0, "c": 5.0}, "y"),
        (more_and_square, {"a": 2.0, "b": -3.0, "c": 5.0}, "y"),
        (SHARED, {"a": 2.0, "b": 3.0}, "e"),
        ({x: PARTLY[x] for x in "stpyrq"}, {"a": 2.0, "b": 3.0, "c": 7.0}, "y"),
        (dict(reversed(doubled(4).items())), {"x0": 3.0, "half": 0.5}, "x4"),
        (_mixed(rng, chain(ROW)), {"x": -2.5}, f"x{ROW}"),
        (_mixed(rng, doubled(10)), {"x0": 3.0, "half": 0.5}, "x10"),
        (dict(reversed(chain(4 * ROW).items())), {"x": 0.5}, f"x{4 * ROW}"),
    ]
    for graph in random_graphs(rng, 25, 3, 8, "+-*"):
        _, inputs = with_signs(rng, graph)
        graphs.append((_mixed(rng, graph), inputs, list(graph)[-1]))
    graphs.sort(key=lambda case: len(case[0]))
    return [(graph, _values_of(graph, inputs), output) for graph, inputs, output in graphs]


def _values_of(graph: Steps, inputs: Values) -> Values:
    order = reversed(_users_first(graph))
    return forward({name: graph[name] for name in order}, inputs)


@exercise(
    points=3,
    kind="repair",
    cases=graphs_in_no_order,
    answer=Gradients("a dictionary with the gradient of every node"),
    code=lambda graph, values, output: f'{_graph_and_values(graph, values)}\noutput = "{output}"',
    instead_of=ENGINE,
)
def repair_backward(graph: Steps, values: Values, output: str) -> Values:
    r"""Repair a backward pass

    This backward pass works for a graph whose dictionary is in no particular order. It starts at
    the output and goes down the edges, to each node once. Its author reports: *"In most graphs all
    gradients are right. In some, those below a certain node are too small."* For $y = s + s\,c$
    with $s = a\,b$, $a = 2$, $b = 3$, $c = 4$ the gradient of $a$ should be $b\,(1 + c) = 15$.

    ---

    Which node, and why? Write a version that is right for every graph. There are no cycles, and
    every operation leads to the output.

    First step: Copy the body of `broken_backward` into your function, run it on the example by
    hand, and watch when s hands on its gradient. What has arrived there by then?
    Hint: When is the gradient of a node complete? How can the program know?
    Hint: Count for each node how many edges leave it, that is, how often it is used. Each time a
    contribution arrives, count one down. When none is missing any more, the node may hand on. Or
    put the nodes in a topological order first, and go through it backwards.
    Hint: To empty water tanks that are joined by pipes, each tank only after all that flow into it:
        missing = {"top": 0, "left": 1, "low": 2}   # pipes that still bring water
        flows = {"top": ["left", "low"], "left": ["low"], "low": []}
        ready = ["top"]
        while ready:
            for below in flows[ready.pop()]:
                missing[below] -= 1
                if missing[below] == 0:
                    ready.append(below)
    The low tank waits for the left one, although the top one fills it too.
    Another way: Python has a sorter of its own for graphs:
        from graphlib import TopologicalSorter

        def repair_backward(graph, values, output):
            needs = {name: arguments for name, (_, *arguments) in graph.items()}
            gradients = dict.fromkeys(values, 0.0)
            gradients[output] = 1.0
            for name in reversed([*TopologicalSorter(needs).static_order()]):
                operation, *arguments = graph.get(name, ("an input",))
                derivatives = local[operation](*[values[x] for x in arguments]) if arguments else ()
                for x, derivative in zip(arguments, derivatives):
                    gradients[x] += gradients[name] * derivative
            return gradients
    The order is found first and the sweep is short. Counting users needs no second walk through the
    graph.
    Verified: every gradient agrees in {cases} graphs, whatever their order.
    """
    gradients = _none_yet(graph, values, output)
    for name in _users_first(graph):
        for x, local in _edges(graph, values, name):
            gradients[x] += gradients[name] * local
    return gradients


@repair_backward.misconception("handed on too early", _depth_first, _recursive)
def as_given(graph: Steps, values: Values, output: str) -> Values:
    """A node that is used twice still hands on its gradient when the first contribution has
    arrived; what comes later stays there. What does it have to wait for?
    """
    gradients = _none_yet(graph, values, output)
    waiting, seen = [output], {output}
    while waiting:
        name = waiting.pop(0)
        for x, local in _edges(graph, values, name) if name in graph else []:
            gradients[x] += gradients[name] * local
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    return gradients


@repair_backward.misconception("handed on again and again")
def _everything_again(graph: Steps, values: Values, output: str) -> Values:
    """Without the test whether a node has been seen, it hands on its gradient each time it is
    reached, and what came first is counted again. How often should a node hand on, and when?
    """
    gradients = _none_yet(graph, values, output)
    waiting = [output]
    while waiting:
        name = waiting.pop(0)
        for x, local in _edges(graph, values, name) if name in graph else []:
            gradients[x] += gradients[name] * local
            waiting.append(x)
    return gradients


repair_backward.slip(
    "the dictionary's order",
    """You go through the dictionary, forwards or backwards. Here it is in no particular order, so
    neither works. Which node may hand on follows from the edges alone.""",
    ("_users_first(graph)", "reversed(graph)"),
    ("_users_first(graph)", "graph"),
)
repair_backward.slip(
    "sorted by name",
    "The alphabet does not know which node uses which. Ask the edges.",
    ("_users_first(graph)", "sorted(graph)"),
    ("_users_first(graph)", "sorted(graph, reverse=True)"),
)
repair_backward.slip(
    "overwritten instead of added",
    """The order is right now. But where several contributions arrive at a node you keep the last
    one only; they add up.""",
    ("+=", "="),
)
repair_backward.slip(
    "inputs before users",
    """You found a good order, and go through it in the direction of the forward pass. Backward,
    users come before their inputs.""",
    ("_users_first(graph)", "reversed(_users_first(graph))"),
)
