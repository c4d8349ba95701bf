"""Lesson 05: gradients by one sweep, the order of handing on, and what goes wrong in a sweep."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from ...autodiff.derivatives import grad
from ...autodiff.jacobian import jacobian
from ...core.node import Node
from ...core.order import topological_order
from ...reading.local import local_derivative
from ...recording import Event, Recording, Tracer, diagnose, first_difference, record
from ..answers import Order
from ..choices import Choices
from ..forms import Case, Difference
from ..graphs import WORKED_EXAMPLE, Steps, build, chain, plain_formula, random_graphs
from ..quantities import Gradients
from ..specification import exercise
from .forward_pass import (
    PARTLY,
    SHARED,
    SQUARE,
    Values,
    by_distance_from_the_output,
    doubled,
    users_first,
    with_signs,
)

LESSON = "05_backward_pass"

FAN_OUT: Steps = {"p": ("*", "a", "b"), "q": ("+", "p", "c"), "y": ("*", "p", "q")}
TANGLED: Steps = {
    "p": ("*", "a", "b"),
    "m": ("*", "p", "c"),
    "q": ("+", "p", "m"),
    "y": ("*", "m", "q"),
}
DIVIDED: Steps = {"s": ("sin", "t"), "q": ("/", "s", "r"), "y": ("-", "q", "s")}


def _last(graph: Steps, values: Values) -> Node:
    """The Node of the last result; of the only input, if there is no result."""
    return build(graph, values)[[*values, *graph][-1]]


def _after_passes(graph: Steps, values: Values, seeds: list[float]) -> tuple[Node]:
    """The output Node, after a backward pass from each of these seeds."""
    y = _last(graph, values)
    for seed in seeds:
        y.backward(seed=seed)
    return (y,)


def _as_code_after_passes(graph: Steps, values: Values, seeds: list[float]) -> str:
    lines = [
        f"y.backward(seed={seed:g})  # an earlier pass, which leaves numbers" for seed in seeds
    ]
    return "\n".join([_as_parsed(graph, values), *lines])


def _as_parsed(graph: Steps, values: Values) -> str:
    """Python code that makes the graph, and names its output y."""
    if not graph:
        ((name, value),) = values.items()
        return f'y = mg.variable({value:g}, name="{name}")'
    steps = "; ".join(f"{name} = {plain_formula(step)}" for name, step in graph.items())
    inputs = ", ".join(f"{x}={value:g}" for x, value in values.items())
    return f'y = mg.parse("{steps}", {inputs})'


# --- predict gradients ----------------------------------------------------------------------------


def for_a_sweep(rng: Random) -> Case:
    """Three numbers such that no value of the graph is 0, and no two gradients are confused."""
    a, b = rng.sample(range(2, 7), 2)
    return float(a), float(b), float(rng.choice((-3, -2, -1, 2, 3, 4)))


@exercise(
    points=1,
    value_of=(2.0, 3.0, -2.0),
    others=for_a_sweep,
    answer=Gradients("a dictionary with a number for each of q, p, c, b and a"),
)
def predict_gradients(a: float, b: float, c: float) -> Values:
    """Predict gradients

    In this graph $p$ is used twice.

    ---

    Run a backward pass by hand. What are the gradients of $q$, $p$, $c$, $b$ and $a$, the
    derivatives of $y$ by them?

    First step: Write the value of each node and the local derivative on each edge first. Then begin
    at y with a 1 and go against the arrows, and replace the dots by your numbers.
    Hint: Go in the order y, q, p. Which edges leave p, and what does each of them bring back?
    Hint: An edge of a product multiplies by the other factor, an edge of a sum by 1. p has to wait:
    it gets something from y, and something from q, and hands on when both have come.
    Hint: In u = r + s, v = r · u with r = 3, s = 4 the forward pass gives u = 7. Backward u gets 1
    · 3 = 3. From v the node r gets 1 · 7, from u it gets 3 · 1, which makes 10. And s gets 3 · 1.
    Verified: all five gradients agree with the formula.
    """
    p, q = a * b, a * b + c
    q_bar = p  # the other factor
    p_bar = q + q_bar * 1  # from y, and from q
    return {"q": q_bar, "p": p_bar, "c": q_bar, "b": p_bar * a, "a": p_bar * b}


predict_gradients.slip(
    "one contribution only",
    """The node p has two users, y and q. You have the contribution of one of them; p gets one from
    each.""",
    ("q + q_bar * 1", "q"),
    ("q + q_bar * 1", "q_bar * 1"),
)
predict_gradients.slip(
    "handed on too early",
    """Your gradient of p is right, and those of a and b are not. They were found with the p that
    had received the first contribution only. p hands on all that it has in the end.""",
    ("p_bar * a", "q * a", "p_bar * b", "q * b"),
    ("p_bar * a", "q_bar * a", "p_bar * b", "q_bar * b"),
)
predict_gradients.slip(
    "upstream gradient left out",
    """You added up local derivatives. What has arrived at the node at the head of an edge, the
    upstream gradient, is multiplied into each of them.""",
    ("q_bar * 1", "1", '"c": q_bar', '"c": 1.0', "p_bar * a", "a", "p_bar * b", "b"),
)
predict_gradients.slip(
    "multiplied where edges meet",
    """You multiplied the two contributions that arrive at p. They are added: y feels the one and
    the other.""",
    ("q + q_bar * 1", "q * q_bar"),
)
OTHER_FACTORS = ('"b": p_bar * a, "a": p_bar * b', '"b": p_bar * b, "a": p_bar * a')
predict_gradients.slip(
    "factors swapped",
    """Nudge one factor of a product and keep the other one. By which of the two is the nudge
    multiplied? Look at y = p · q, and at p = a · b.""",
    ("q_bar = p", "q_bar = q", "q + q_bar", "p + q_bar", *OTHER_FACTORS),
    OTHER_FACTORS,
    ("q_bar = p", "q_bar = q", "q + q_bar", "p + q_bar"),
)
predict_gradients.slip(
    "values instead of gradients",
    "These are the values of the forward pass. The backward pass begins at y with a 1.",
    lambda a, b, c: {"q": a * b + c, "p": a * b, "c": c, "b": b, "a": a},
)


# --- predict the order of a sweep -----------------------------------------------------------------


@dataclass(frozen=True)
class SweepOrder(Order):
    """All nodes of a graph in an order in which a sweep can visit them: users before inputs."""

    def difference(self, answer: list[str], expected: list[str], case: Case) -> Difference | None:
        """Say what is in it twice, missing, or before one of its own users."""
        difference = super().difference(answer[::-1], expected, case)
        if difference is None or sorted(answer) != sorted(expected):
            return difference
        graph: Steps = case[0]
        early, user = next(
            (name, user)
            for place, name in enumerate(answer)
            for user in answer[place + 1 :]
            if name in graph.get(user, ("",))[1:]
        )
        text = f"When it is {early}'s turn, {user} has not handed on to it yet."
        return Difference(text, f"{early} before {user}", early)


@exercise(points=1, value_of=(TANGLED,), answer=SweepOrder('a list of names, such as ["y", "a"]'))
def predict_sweep(graph: Steps) -> list[str]:
    """Predict the order of a sweep

    Here two nodes are used twice. The drawing has no numbers, because the order does not depend on
    them.

    ---

    In which order can a backward pass go through the seven nodes, so that each has its complete
    gradient when its turn comes? Give a list of their names. There are several right ones.

    First step: Which node has no user, so that the pass begins there? Replace the dots by a list of
    all seven names that begins with it.
    Hint: Count the users of each node: how many contributions does it wait for?
    Hint: Cross out y, and with it its edges. Which node has no user left now? It is the next one.
    Go on in the same way.
    Hint: For r = s · t, v = r + s, w = v · r an order that works is w, v, r, s, t: r waits for w
    and v, and s waits for v and r.
    Verified: each node comes after all of its users.
    """
    return ["y", "q", "m", "p", "c", "b", "a"]


predict_sweep.slip(
    "handed on as soon as reached",
    """From y you go on to m at once. But m is used by q as well, and what comes back from q is
    still missing. A node waits until all of its users have had their turn.""",
    ["y", "m", "q", "p", "c", "a", "b"],
    ["y", "m", "p", "a", "b", "c", "q"],
)
predict_sweep.slip(
    "inputs before users",
    """This is an order for the forward pass. Backward the users of a node come first, beginning
    with y, which has none.""",
    ["a", "b", "c", "p", "m", "q", "y"],
)
predict_sweep.slip(
    "sorted by name",
    """This is the order of the alphabet. Names are only labels; who uses whom is written in the
    edges.""",
    ["a", "b", "c", "m", "p", "q", "y"],
)
predict_sweep.slip(
    "inputs left out",
    """The inputs have gradients too. They hand on to nobody, but they belong in the list, after
    their users.""",
    ["y", "q", "m", "p"],
)


# --- a sweep that reports to a tracer -------------------------------------------------------------


@dataclass(frozen=True)
class TracedGradients(Gradients):
    """The gradient of every node, and what a `Tracer` was told while they were found."""

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Read the dictionary, and the recording of the tracer among the arguments."""
        _, tracer = arguments
        told = json.loads(tracer.recording().to_json())
        return {"gradients": super().read(answer, arguments), "told": told}

    def difference(
        self, answer: dict[str, Any], expected: dict[str, Any], case: Case
    ) -> Difference | None:
        """Name the first step that cannot be right, or else the first gradient that is not."""
        numbers = super().difference(answer["gradients"], expected["gradients"], case)
        right, told = (Recording.from_json(json.dumps(one["told"])) for one in (expected, answer))
        first = first_difference(right, told)
        if numbers and first is None:
            return numbers
        first_wrong = (first.event, first.vague) if first else _not_told_in_turn(right, told)
        if first_wrong is None:
            return None
        event, text = first_wrong
        node = right.by_id[(event.kind == "multiply" and event.user) or event.node].name
        if numbers:
            return Difference(text, numbers.symptom, node)
        start = "Your gradients are right, but not what the tracer was told. "
        if len(told.events) == 1:  # that the pass has ended
            return Difference(start + "It was told nothing.", "told nothing", node)
        return Difference(start + text, f"told {_by_edge(told)}", node)

    def alike(self, one: Any, other: Any) -> bool:
        """Compare the gradients; a tracer can be told the same in many orders."""
        return super().alike(one["gradients"], other["gradients"])

    def show(self, answer: dict[str, Any]) -> str:
        """Write the gradients."""
        return super().show(answer["gradients"])


def _by_edge(told: Recording) -> list[Any]:
    """What was told, edge by edge, whatever the order of the edges."""
    steps = [(event.edge, event.kind, f"{event.value}") for event in told.events]
    return sorted(steps, key=lambda step: step[0])


def _not_told_in_turn(right: Recording, told: Recording) -> tuple[Event, str] | None:
    """The first step that comes before what it needs, or a second time, and the step in words."""

    def name(id: str | None) -> str:
        return right.by_id[id or ""].name

    needed = [event.edge for event in right.events if event.kind == "multiply"]
    started = False
    handed_on: set[tuple[str, str, int]] = set()
    added: set[tuple[str, str, int]] = set()
    for event in told.events:
        edge = event.edge
        x, user = name(event.node), name(event.user) if event.user else ""
        if event.kind == "seed":
            if started:
                return event, "The start was told twice."
            started = True
        elif event.kind == "multiply":
            if not started:
                text = f"{user} hands on to {x} before the start was told, with `seed`."
                return event, text
            for other in needed:
                if other[0] == event.user and other not in added:
                    held = f"what {user} holds with the contribution of {name(other[1])}"
                    text = (
                        f"{user} hands on to {x}, and {held} has not been told, with `accumulate`."
                    )
                    return event, text
            handed_on.add(edge)
        elif event.kind == "accumulate":
            if edge not in handed_on:
                text = f"What {x} holds with the contribution of {user} is told before `multiply`."
                return event, text
            if edge in added:
                return event, f"What {x} holds with the contribution of {user} was told twice."
            added.add(edge)
    if not started:
        return told.events[-1], "The start was not told, with `seed`."
    for edge in needed:
        if edge not in added:
            held = f"what {name(edge[0])} holds with the contribution of {name(edge[1])}"
            last = next(event for event in right.events if event.edge == edge)
            return last, f"The pass ends, and {held} has not been told, with `accumulate`."
    return None


_FALSE_START: Steps = {"p": ("*", "a", "b"), "y": ("-", "p", "p")}  # what arrives at p adds up to 0


def graphs_to_sweep(rng: Random) -> list[Case]:
    """Graphs, values, and the seeds of passes that have been run before.

    There are shared nodes, double edges, zeros, a graph without operations, and long ones.
    """
    fixed: list[Case] = [
        ({"y": ("-", "a", "b")}, {"a": 2.0, "b": 5.0}, []),
        ({"y": ("/", "a", "b")}, {"a": 3.0, "b": -4.0}, []),
        (SQUARE, {"x": 3.0}, []),
        ({}, {"y": 2.5}, []),
        ({"y": ("*", "a", "b")}, {"a": 0.0, "b": -3.0}, []),
        ({"y": ("-", "x", "x")}, {"x": 2.0}, []),
        (_FALSE_START, {"a": 2.5, "b": 2.5}, []),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}, []),
        (FAN_OUT, {"a": 2.0, "b": 3.0, "c": -2.5}, []),
        (DIVIDED, {"t": 2.0, "r": 4.0}, []),
        (TANGLED, {"a": 2.0, "b": 3.0, "c": 0.5}, []),
        (SHARED, {"b": 3.0, "a": 2.0}, []),
    ]
    random = [
        (*with_signs(rng, graph), []) for graph in [*random_graphs(rng, 10, 2, 6, "+-*"), PARTLY]
    ]
    again: list[Case] = [
        (FAN_OUT, {"a": -1.5, "b": 4.0, "c": 0.5}, []),
        (FAN_OUT, {"a": 2.0, "b": 3.0, "c": -2.5}, []),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}, [1.0]),
        (FAN_OUT, {"a": 2.0, "b": 3.0, "c": -2.5}, [-2.5, 1.0]),
    ]
    long: list[Case] = [
        (doubled(8), {"x0": 3.0, "half": 0.5}, []),
        (chain(ROW), {"x": 2.0}, []),
    ]
    return [*fixed, *random, *again, *long]


ROW = 40  # operations one after the other: more than rounds that somebody would count out


@exercise(
    points=4,
    cases=graphs_to_sweep,
    as_arguments=lambda *case: (y := _after_passes(*case)[0], Tracer(y)),
    answer=TracedGradients("a dictionary with the gradient of every Node"),
    code=lambda *case: (
        f"from minigraph.recording import Tracer\n\n{_as_code_after_passes(*case)}\n"
        "tracer = Tracer(y)"
    ),
    instead_of=(Node.backward, grad, jacobian, record),
)
def sweep(y: Node, tracer: Tracer) -> dict[Node, float]:
    """Write a sweep, and watch it run

    Write a function that returns a dictionary with the gradient of every Node, those of the inputs
    and of $y$ included. It gets the output Node `y`, and a `Tracer`. Tell the tracer each step when
    you do it:

    - `tracer.seed(y, g)`: the sweep starts at `y` with the gradient `g`.
    - `tracer.multiply(node, i, contribution)`: a node hands on a contribution to its input number
      `i`, which is `node.inputs[i]`.
    - `tracer.accumulate(node, i, total)`: this is what that input holds now. Tell it before the
      input hands on in its turn.

    `mg.topological_order(y)` gives all Nodes, inputs before their users.

    First step: Begin with `gradients = {y: 1.0}` and `tracer.seed(y, 1.0)`. Then go through
    `reversed(mg.topological_order(y))`, and let each node hand on to its inputs.
    Hint: Go through the graph above by hand, and write down at each edge what it brings. The step
    that is named here is the first one to look at.
    Hint: For each node and each i: the contribution is `gradients[node] * local_derivative(node,
    i)`. Tell it to the tracer, add it to what `gradients` holds for `node.inputs[i]`, which may be
    nothing yet, and tell the tracer the total.
    Hint: A shop hands its orders on to its suppliers. Each order needs so many parts:
        orders = {"bicycle": 10}
        for part, needed in [("wheel", 2), ("frame", 1)]:
            more = orders["bicycle"] * needed
            orders[part] = orders.get(part, 0) + more
    Wheels that trailers have ordered before stay on the list: the new ones are added.
    Another way: Let a node hand on as soon as nobody keeps it waiting:
        def sweep(y, tracer):
            waits = {}
            for node in mg.topological_order(y):
                for x in node.inputs:
                    waits[x] = waits.get(x, 0) + 1
            gradients, ready = {y: 1.0}, [y]
            tracer.seed(y, 1.0)
            for node in ready:  # grows while it is gone through
                for i, x in enumerate(node.inputs):
                    c = gradients[node] * local_derivative(node, i)
                    tracer.multiply(node, i, c)
                    gradients[x] = gradients.get(x, 0.0) + c
                    tracer.accumulate(node, i, gradients[x])
                    waits[x] -= 1
                    if not waits[x]:
                        ready.append(x)
            return gradients
    What is in the list and has not had its turn could hand on at the same time.
    Verified: every gradient and every step agree in {cases} graphs.
    """
    gradients = dict.fromkeys(topological_order(y), 0.0)
    gradients[y] = 1.0
    tracer.seed(y, gradients[y])
    for node in reversed(topological_order(y)):
        for i, x in enumerate(node.inputs):
            c = gradients[node] * local_derivative(node, i)
            gradients[x] += c
            tracer.multiply(node, i, c)
            tracer.accumulate(node, i, gradients[x])
    return gradients


WITHOUT_ZEROS = (  # a dictionary that begins with the output alone
    "dict.fromkeys(topological_order(y), 0.0)",
    "{y: 1.0}",
    "+= c",
    "= gradients.get(x, 0.0) + c",
)
sweep.slip(
    "overwritten instead of added",
    """Where a node fans out, a contribution comes back from each of its uses, and you keep the last
    one only. Add it to what the node has already.""",
    ("+= c", "= c"),
)
sweep.slip(
    "upstream gradient left out",
    """You hand on the local derivatives alone. Each says how fast the next node changes. How fast y
    changes with that node has been found before; what becomes of it here?""",
    ("gradients[node] * local_derivative", "local_derivative"),
)
sweep.slip(
    "inputs before users",
    """You go through the nodes in the order of the forward pass. When the first one's turn comes,
    nothing has arrived there yet. Users go first.""",
    ("reversed(topological_order(y))", "topological_order(y)"),
    ("reversed(topological_order(y))", "topological_order(y)", *WITHOUT_ZEROS),
)
sweep.slip(
    "handed on too early",
    """A node hands on as soon as it is reached, and what comes later from its other users stays
    there. In reverse topological order all users of a node come before it.""",
    ("reversed(topological_order(y))", f"{by_distance_from_the_output.__name__}(y)"),
    ("reversed(topological_order(y))", f"{users_first.__name__}(y)"),
    (
        "reversed(topological_order(y))",
        f"{by_distance_from_the_output.__name__}(y)",
        *WITHOUT_ZEROS,
    ),
)


@sweep.misconception("path by path")
def _path_by_path(y: Node, tracer: Tracer) -> dict[Node, float]:
    """You follow each path to its end, so a node that is reached on several paths hands on several
    times. Let each node hand on once, when all that belongs to it has arrived.
    """
    gradients = dict.fromkeys(topological_order(y), 0.0)

    def push(node: Node, g: float) -> None:
        gradients[node] += g
        for i, x in enumerate(node.inputs):
            tracer.multiply(node, i, g * local_derivative(node, i))
            push(x, g * local_derivative(node, i))
            tracer.accumulate(node, i, gradients[x])

    tracer.seed(y, 1.0)
    push(y, 1.0)
    return gradients


sweep.slip(
    "started from the value",
    "You start from the value of y. Start from its derivative by itself.",
    ("[y] = 1.0", "[y] = float(y.value)"),
)
sweep.slip(
    "no gradient to start from",
    """All gradients are 0, because you begin with nothing but zeros. How fast does y change with
    itself?""",
    ("[y] = 1.0", "[y] = 0.0"),
)
sweep.slip(
    "two edges taken for one",
    """A node may use the same input twice, as in x · x. Each of the two edges carries a
    contribution of its own, with its own number i.""",
    ("enumerate(node.inputs)", "((node.inputs.index(x), x) for x in dict.fromkeys(node.inputs))"),
)
sweep.slip(
    "local derivatives swapped",
    """You give the first input the local derivative by the second one. `local_derivative(node, i)`
    belongs to `node.inputs[i]`.""",
    ("local_derivative(node, i)", "local_derivative(node, len(node.inputs) - 1 - i)"),
)
sweep.slip(
    "added along an edge",
    """You add upstream gradient and local derivative. Along an edge one multiplies; adding is for
    what several edges bring.""",
    ("gradients[node] * local_derivative", "gradients[node] + local_derivative"),
)
sweep.slip(
    "inputs only",
    """Your sweep is right. But return all that it has found: the results in between and y have
    gradients too.""",
    ("return gradients", "return {x: g for x, g in gradients.items() if x.op is None}"),
)
sweep.slip(
    "tracer told nothing",
    """Your gradients are right. Now let the tracer know how you find them: three calls, one where
    you start, and two for each edge.""",
    ("tracer.seed(y, gradients[y])", "(tracer := Tracer(y)).seed(y, 1.0)"),
)
sweep.slip(
    "totals told as contributions",
    """`tracer.multiply` is for what one edge brings, upstream times local. What the input holds
    after it was added is for `tracer.accumulate`.""",
    ("multiply(node, i, c)", "multiply(node, i, gradients[x])"),
    ("accumulate(node, i, gradients[x])", "accumulate(node, i, c)"),
)
sweep.slip(
    "told in the wrong order",
    """Tell the tracer first what a node hands on, with `multiply`, and then what the input holds,
    with `accumulate`.""",
    (
        "tracer.multiply(node, i, c)\n            tracer.accumulate(node, i, gradients[x])",
        "tracer.accumulate(node, i, gradients[x])\n            tracer.multiply(node, i, c)",
    ),
)


# --- name the mistake -----------------------------------------------------------------------------

MISTAKES = ("overwrite", "order", "upstream", "sign", "stale")
VALUES: Values = {"a": 2.0, "b": 3.0, "c": 0.5}
FOUND: dict[str, Values] = {
    "first": {"y": 1, "q": 3, "m": 12, "p": 7.5, "c": 54, "b": 15, "a": 22.5},
    "second": {"y": 1, "q": 3, "m": 10, "p": 1.5, "c": 6, "b": 2, "a": 3},
    "third": {"y": 1, "q": 3, "m": 3, "p": 1.5, "c": 18, "b": 3, "a": 4.5},
}


@dataclass(frozen=True)
class Mistakes(Choices):
    """A dictionary that gives each pass the name of a mistake."""

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw the graph of the passes."""
        graph, values, _ = case
        return _last(graph, values), []


@exercise(points=1, value_of=(TANGLED, VALUES, FOUND), answer=Mistakes(MISTAKES))
def name_mistakes(graph: Steps, values: Values, claimed: dict[str, Values]) -> dict[str, str]:
    """Name the mistake

    The same graph again, with $a = 2$, $b = 3$ and $c = 0.5$, so that $p = 6$, $m = 3$, $q = 9$ and
    $y = 27$. Three broken backward passes have left these gradients:

    | pass | y | q | m | p | c | b | a |
    |---|---|---|---|---|---|---|---|
    | first | 1 | 3 | 12 | 7.5 | 54 | 15 | 22.5 |
    | second | 1 | 3 | 10 | 1.5 | 6 | 2 | 3 |
    | third | 1 | 3 | 3 | 1.5 | 18 | 3 | 4.5 |

    Each has one of the mistakes of the lesson: `"overwrite"` (the last contribution replaces the
    others), `"order"` (a node hands on as soon as it is reached), `"upstream"` (the local
    derivative alone is handed on), `"sign"` (the minus of a difference is lost) or `"stale"` (what
    an earlier pass has left is not cleared). Which is which?

    First step: Find the right gradients first, by hand or with `backward`, and mark in each row
    what is wrong. Then replace the dots by names of mistakes.
    Hint: Which nodes are right, and which wrong? Each mistake has its own pattern.
    Hint: overwrite: wrong at the nodes that fan out. order: right there, and wrong below. upstream:
    local derivatives, added up. sign: wrong below the second input of a difference. stale:
    everything too large.
    Hint: For y = s + s · c with s = a · b at a = 2, b = 3, c = 4 the gradient of s is 1 + 4 = 5,
    and that of a is 15. If s is 4 and a is 12, the 1 was replaced by the 4. If s is 5 and a is 3,
    then s handed on when it had the 1 only.
    Verified: all three mistakes are found.
    """
    nodes = build(graph, values)
    y = nodes[list(graph)[-1]]
    names = {}
    for which, gradients in claimed.items():
        way = diagnose(y, {nodes[x]: g for x, g in gradients.items()})
        names[which] = way.name if way else ""
    return names


name_mistakes.slip(
    "overwrite and order confused",
    """Look at m, which fans out. If contributions replace each other, m itself is wrong. If m
    hands on too early, m is right in the end, and what lies below it is wrong.""",
    {"first": "overwrite", "second": "upstream", "third": "order"},
    {"first": "overwrite", "second": "upstream", "third": "overwrite"},
    {"first": "order", "second": "upstream", "third": "order"},
)
name_mistakes.slip(
    "stale gradients suspected",
    """Gradients that were not cleared are added to the new ones: here all but that of y would be
    too large. How do these compare with the right ones?""",
    {"first": "stale", "second": "upstream", "third": "overwrite"},
    {"first": "order", "second": "stale", "third": "overwrite"},
    {"first": "order", "second": "upstream", "third": "stale"},
)
name_mistakes.slip(
    "upstream gradient not missed",
    """In one of the passes c got 6, which is the value of p and nothing else. What should have been
    multiplied into it?""",
    {"first": "upstream", "second": "order", "third": "overwrite"},
    {"first": "order", "second": "overwrite", "third": "upstream"},
    {"first": "order", "second": "overwrite", "third": "overwrite"},
    {"first": "order", "second": "order", "third": "overwrite"},
)


# --- repair a backward pass that is run twice -----------------------------------------------------


@dataclass(frozen=True)
class GradientsInNodes(Gradients):
    """The numbers that a function has left in the `grad` of each node of the graph given to it."""

    does = "left in the nodes"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> Values:
        """Read `grad` from every node, whatever was returned."""
        (y,) = arguments
        grads = {node.name: node.grad for node in topological_order(y) if node.grad is not None}
        return super().read(grads, arguments)

    def difference(self, answer: Values, expected: Values, case: Case) -> Difference | None:
        """Name a node without a gradient, or the first one that is wrong."""
        if missing := [name for name in expected if name not in answer]:
            text = f"{missing[0]}.grad is None when your function is done."
            return Difference(text, f"without {missing}", missing[0])
        return super().difference(answer, expected, case)


def graphs_run_before(rng: Random) -> list[Case]:
    """Graphs and values, and the seeds of the backward passes that have been run before."""
    fixed: list[tuple[Steps, Values]] = [
        ({"y": ("*", "a", "b")}, {"a": 2.0, "b": 5.0}),
        (SQUARE, {"x": 3.0}),
        (_FALSE_START, {"a": 2.5, "b": 2.5}),
        (WORKED_EXAMPLE, {"a": 2.0, "b": 3.0, "c": 7.0}),
        (FAN_OUT, {"a": 2.0, "b": 3.0, "c": -2.5}),
        (DIVIDED, {"t": 2.0, "r": -4.0}),
    ]
    cases = [(*case, list(seeds)) for case in fixed for seeds in _EARLIER]
    for graph in random_graphs(rng, 8, 3, 6, "+-*"):
        cases.append((*with_signs(rng, graph), list(rng.choice(_EARLIER))))
    single: Case = ({}, {"y": 2.5}, [])
    long: Case = (chain(ROW), {"x": 2.0}, [1.0])
    return [*cases, single, cases[0], (doubled(8), {"x0": 3.0, "half": 0.5}, []), long]


_EARLIER: tuple[tuple[float, ...], ...] = ((), (1.0,), (1.0, 1.0), (-2.5,), (3.0, 1.0))


@exercise(
    points=3,
    kind="repair",
    cases=graphs_run_before,
    as_arguments=_after_passes,
    answer=GradientsInNodes("nothing; the gradients belong in the `grad` of each Node"),
    code=_as_code_after_passes,
    instead_of=(Node.backward, grad, jacobian, record),
)
def leave_gradients(y: Node) -> None:
    """Repair a backward pass that is run twice

    This backward pass leaves each gradient in its Node, as `grad`, like minigraph's own. Its author
    reports: *"The gradient of b is 2, and it should be 7."*

    ---

    Write a version that is right, also when it is called again, when the Nodes hold what an earlier
    pass has left: inputs add up over the passes, as with `y.backward()`, and all other Nodes start
    afresh. After two passes over this graph $a$, $b$ and $c$ should hold 4, 14 and −10, and $d$,
    $e$ and $y$ should hold 2, 5 and 1. In a new graph every `grad` is None.

    First step: Copy the body of `broken_backward` into your function. Run it on the example, and
    look at b, which is used twice. Then mend that, and call it a second time.
    Hint: Call your function twice, and print the gradient of every node after each call. Which of
    them may grow, and which may not?
    Hint: A contribution is added to what a node holds, where None counts as nothing. So before the
    sweep nothing old may be left where it would be handed on once more. `node.op` is None for an
    input.
    Hint: A shop counts what it sells in a day, and adds the days up:
        total = {'apples': 7}            # stays from day to day
        today = {}                       # begins anew each day
        for fruit, sold in [('apples', 2), ('apples', 3)]:
            today[fruit] = today.get(fruit, 0) + sold
        total['apples'] += today['apples']
    Without the second line yesterday would be counted again.
    Another way: Find the gradients of this pass by themselves, and add them up in the end:
        def leave_gradients(y):
            found = dict.fromkeys(mg.topological_order(y), 0.0)
            found[y] = 1.0
            for node in reversed(found):
                for i, x in enumerate(node.inputs):
                    found[x] += found[node] * local_derivative(node, i)
            for node, g in found.items():
                node.grad = g if node.op or node.grad is None else node.grad + g
    Nothing old can be handed on, because nothing is read from the Nodes before the sweep is done.
    Verified: every gradient agrees after a first, a second and a third pass, in {cases} cases.
    """
    start = 1.0
    for node in topological_order(y):
        if node.op is not None:
            node.grad = 0.0
    y.grad = start
    for node in reversed(topological_order(y)):
        for i, x in enumerate(node.inputs):
            x.grad = (x.grad or 0.0) + (node.grad or 0.0) * local_derivative(node, i)


leave_gradients.slip(
    "overwritten instead of added",
    """Where a node fans out, the last contribution still replaces the others. How do they come
    together in the sweep of exercise 3?""",
    ("node.grad = 0.0", "pass", "(x.grad or 0.0) + ", ""),
)
leave_gradients.slip(
    "old gradients handed on",
    """The first pass is right now, and the second one is not. Look at a node in between when the
    second pass begins: what does it hold, and what does it hand on at its turn?""",
    ("node.grad = 0.0", "pass"),
)
leave_gradients.slip(
    "inputs cleared",
    """Each pass is right by itself. But there are nodes that are to add up over the passes, as with
    minigraph's `backward`. Which ones, and what becomes of their numbers in your function before
    the sweep?""",
    ("if node.op is not None", "if True"),
)
leave_gradients.slip(
    "inputs cleared, the others kept",
    """Some nodes keep what they hold from pass to pass, and some start afresh. Read in the task
    which ones do what, and compare with yours.""",
    ("is not None", "is None"),
)
leave_gradients.slip(
    "inputs overwritten",
    "In the nodes in between contributions add up. In the inputs they still replace each other.",
    ("(x.grad or 0.0)", "(x.grad if x.op else 0.0)"),
)
leave_gradients.slip(
    "y adds up",
    "You add the 1 to what y holds from an earlier pass. Is y one of the nodes that add up?",
    ("start = 1.0", "start = (y.grad or 0.0) + 1.0"),
)
leave_gradients.slip(
    "y left as it was",
    """Your pass starts with what y holds already, if it holds something. That came from an earlier
    pass, and need not be what this one starts with.""",
    ("start = 1.0", "start = 1.0 if y.grad is None else y.grad"),
)
leave_gradients.slip(
    "None not counted as nothing",
    """A node to which nothing has come yet holds None, and None cannot be added to. What should
    such a node hold after its first contribution?""",
    (
        "node.grad = 0.0",
        "pass",
        "x.grad = (x.grad or 0.0) + (node.grad or 0.0)",
        "x.grad = x.grad + node.grad",
    ),
    (
        "node.grad = 0.0",
        "pass",
        "x.grad = (x.grad or 0.0) + (node.grad or 0.0)",
        "x.grad += node.grad",
    ),
)
leave_gradients.slip(
    "inputs before users",
    """You go through the nodes in the order of the forward pass. When a node hands on, nothing has
    arrived there yet. Users go first.""",
    ("reversed(topological_order(y))", "topological_order(y)"),
)
