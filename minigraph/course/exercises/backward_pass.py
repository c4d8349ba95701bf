"""Lesson 05: gradients by one sweep, the order of handing on, and what goes wrong in a sweep."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from ...autodiff.derivatives import grad
from ...autodiff.jacobian import jacobian
from ...core.node import Node
from ...core.order import topological_order
from ...recording import Event, Recording, Tracer, diagnose, first_difference, record
from ..answers import Order
from ..choices import Choices
from ..forms import Case, Difference
from ..graphs import WORKED_EXAMPLE, Steps, build, chain, plain_formula, random_graphs
from ..specification import Exercise, Misconception
from .automatic_differentiation import Gradients, Values, doubled, with_signs
from .forward_pass import (
    PARTLY,
    SHARED,
    SQUARE,
    by_distance_from_the_output,
    by_name,
    users_first,
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


def _local(node: Node, i: int) -> float:
    """The local derivative of a node by its input number i."""
    assert node.op
    rule: Any = node.op.vjps[i]
    return float(rule(1.0, node.value, [x.value for x in node.inputs], node.attrs))


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


def _by_hand(a: float, b: float, c: float) -> Values:
    p, q = a * b, a * b + c
    q_bar = p  # the other factor
    p_bar = q + q_bar * 1  # from y, and from q
    return {"q": q_bar, "p": p_bar, "c": q_bar, "b": p_bar * a, "a": p_bar * b}


def _claimed(q: float, p: float, c: float, b: float, a: float) -> Callable[..., Values]:
    return lambda *case: {"q": q, "p": p, "c": c, "b": b, "a": a}


predict_gradients = Exercise(
    name="predict_gradients",
    title="Predict gradients",
    lesson=LESSON,
    kind="predict",
    points=1,
    task="For p = a · b, q = p + c, y = p · q with a = 2, b = 3, c = −2 give the gradients of q, "
    "p, c, b and a, that is, the derivatives of y by them, in a dictionary.",
    arguments=lambda rng: [(2.0, 3.0, -2.0)],
    reference=_by_hand,
    form=Gradients("a dictionary with a number for each of q, p, c, b and a"),
    misconceptions=(
        Misconception(
            "one contribution only",
            "The node p has two users, y and q. You have the contribution of one of them; p gets "
            "one from each.",
            _claimed(6, 4, 6, 8, 12),
            _claimed(6, 6, 6, 12, 18),
        ),
        Misconception(
            "handed on too early",
            "Your gradient of p is right, and those of a and b are not. They were found with the p "
            "that had received the first contribution only. p hands on all that it has in the end.",
            _claimed(6, 10, 6, 8, 12),
            _claimed(6, 10, 6, 12, 18),
        ),
        Misconception(
            "upstream gradient left out",
            "You added up local derivatives. What has arrived at the node at the head of an edge, "
            "the upstream gradient, is multiplied into each of them.",
            _claimed(6, 5, 1, 2, 3),
        ),
        Misconception(
            "multiplied where edges meet",
            "You multiplied the two contributions that arrive at p. They are added: y feels the "
            "one and the other.",
            _claimed(6, 24, 6, 48, 72),
        ),
        Misconception(
            "factors swapped",
            "Nudge one factor of a product and keep the other one. By which of the two is the nudge "
            "multiplied? Look at y = p · q, and at p = a · b.",
            _claimed(4, 10, 4, 30, 20),
            _claimed(6, 10, 6, 30, 20),
            _claimed(4, 10, 4, 20, 30),
        ),
        Misconception(
            "values instead of gradients",
            "These are the values of the forward pass. The backward pass begins at y with a 1.",
            _claimed(4, 6, -2, 3, 2),
        ),
    ),
    first_step="Write the value of each node and the local derivative on each edge first. Then "
    "begin at y with a 1 and go against the arrows, and replace the dots by your numbers.",
    hints=(
        "Go in the order y, q, p. Which edges leave p, and what does each of them bring back?",
        "An edge of a product multiplies by the other factor, an edge of a sum by 1. p has to wait: "
        "it gets something from y, and something from q, and hands on when both have come.",
        "In u = r + s, v = r · u with r = 3, s = 4 the forward pass gives u = 7. Backward u gets "
        "1 · 3 = 3. From v the node r gets 1 · 7, from u it gets 3 · 1, which makes 10. And s gets "
        "3 · 1.",
    ),
    verified="all five gradients agree with the formula.",
)

# --- predict the order of a sweep -----------------------------------------------------------------


@dataclass(frozen=True)
class SweepOrder(Order):
    """All nodes of a graph in an order in which a sweep can visit them: users before inputs."""

    def difference(self, answer: list[str], expected: list[str], case: Case) -> Difference | None:
        """Say what is in it twice, missing, or before one of its own users."""
        found = super().difference(answer[::-1], expected, case)
        if found is None or sorted(answer) != sorted(expected):
            return found
        graph: Steps = case[0]
        early, user = next(
            (name, user)
            for place, name in enumerate(answer)
            for user in answer[place + 1 :]
            if name in graph.get(user, ("",))[1:]
        )
        text = f"When it is {early}'s turn, {user} has not handed on to it yet."
        return Difference(text, f"{early} before {user}", early)


def _names(order: Callable[[Node], Iterable[Node]]) -> Any:
    return lambda graph: [node.name for node in order(_last(graph, {"a": 2.0, "b": 3.0, "c": 0.5}))]


predict_sweep = Exercise(
    name="predict_sweep",
    title="Predict the order of a sweep",
    lesson=LESSON,
    kind="predict",
    points=1,
    task="Give an order in which a backward pass can go through all seven nodes of p = a · b, "
    "m = p · c, q = p + m, y = m · q, as a list of their names.",
    arguments=lambda rng: [(TANGLED,)],
    reference=_names(lambda y: topological_order(y)[::-1]),
    form=SweepOrder('a list of names, such as ["y", "a"]'),
    misconceptions=(
        Misconception(
            "handed on as soon as reached",
            "From y you go on to m at once. But m is used by q as well, and what comes back from q "
            "is still missing. A node waits until all of its users have had their turn.",
            _names(by_distance_from_the_output),
            _names(users_first),
        ),
        Misconception(
            "inputs before users",
            "This is an order for the forward pass. Backward the users of a node come first, "
            "beginning with y, which has none.",
            _names(topological_order),
            _names(lambda y: sorted(topological_order(y), key=lambda node: node.op is not None)),
        ),
        Misconception(
            "sorted by name",
            "This is the order of the alphabet. Names are only labels; who uses whom is written in "
            "the edges.",
            _names(by_name),
        ),
        Misconception(
            "inputs left out",
            "The inputs have gradients too. They hand on to nobody, but they belong in the list, "
            "after their users.",
            _names(lambda y: [node for node in topological_order(y)[::-1] if node.op]),
        ),
    ),
    first_step="Which node has no user, so that the pass begins there? Replace the dots by a list of "
    "all seven names that begins with it.",
    hints=(
        "Count the users of each node: how many contributions does it wait for?",
        "Cross out y, and with it its edges. Which node has no user left now? It is the next one. "
        "Go on in the same way.",
        "For r = s · t, v = r + s, w = v · r an order that works is w, v, r, s, t: r waits for w "
        "and v, and s waits for v and r.",
    ),
    verified="each node comes after all of its users.",
)

# --- a sweep that reports to a tracer -------------------------------------------------------------


@dataclass(frozen=True)
class TracedGradients(Gradients):
    """The gradient of every node, and what a `Tracer` was told while they were found."""

    def read(self, answer: Any, given: tuple[Any, ...]) -> dict[str, Any]:
        """Read the dictionary, and the recording of the tracer among the arguments."""
        _, tracer = given
        told = json.loads(tracer.recording().to_json())
        return {"gradients": super().read(answer, given), "told": told}

    def difference(
        self, answer: dict[str, Any], expected: dict[str, Any], case: Case
    ) -> Difference | None:
        """Name the first step that cannot be right, or else the first gradient that is not."""
        numbers = super().difference(answer["gradients"], expected["gradients"], case)
        right, told = (Recording.from_json(json.dumps(one["told"])) for one in (expected, answer))
        first = first_difference(right, told)
        if numbers and first is None:
            return numbers
        found = (first.event, first.text) if first else _not_told_in_turn(right, told)
        if found is None:
            return None
        event, text = found
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


def _users_first(y: Node) -> list[Node]:
    return topological_order(y)[::-1]


def _sweeping(
    *,
    order: Callable[[Node], list[Node]] = _users_first,
    contribution: Callable[[float, float], float] = lambda g, local: g * local,
    total: Callable[[float, float], float] = lambda before, c: before + c,
    start: Callable[[Node], float] = lambda y: 1.0,
    slots: Callable[[Node], Iterable[int]] = lambda node: range(len(node.inputs)),
    local: Callable[[Node, int], float] = _local,
    tell: Callable[..., None] = lambda tracer, node, i, c, all_of_it: (
        tracer.multiply(node, i, c),
        tracer.accumulate(node, i, all_of_it),
    )[0],
) -> Any:
    """A sweep that reports to a tracer, with one thing or another done differently."""

    def program(y: Node, tracer: Tracer) -> dict[Node, float]:
        gradients = dict.fromkeys(topological_order(y), 0.0)
        gradients[y] = start(y)
        tracer.seed(y, gradients[y])
        for node in order(y):
            for i in slots(node):
                x = node.inputs[i]
                c = contribution(gradients[node], local(node, i))
                gradients[x] = total(gradients[x], c)
                tell(tracer, node, i, c, gradients[x])
        return gradients

    return program


def _told_nothing(y: Node, tracer: Tracer) -> Any:
    return _sweeping()(y, Tracer(y))


def _path_by_path(y: Node, tracer: Tracer) -> dict[Node, float]:
    gradients = dict.fromkeys(topological_order(y), 0.0)

    def push(node: Node, g: float) -> None:
        gradients[node] += g
        for i, x in enumerate(node.inputs):
            tracer.multiply(node, i, g * _local(node, i))
            push(x, g * _local(node, i))
            tracer.accumulate(node, i, gradients[x])

    tracer.seed(y, 1.0)
    push(y, 1.0)
    return gradients


def _without_zeros(order: Callable[[Node], Iterable[Node]]) -> Any:
    """A sweep whose dictionary begins with the output alone."""

    def program(y: Node, tracer: Tracer) -> dict[Node, float]:
        gradients = {y: 1.0}
        tracer.seed(y, 1.0)
        for node in order(y):
            for i, x in enumerate(node.inputs):
                c = gradients[node] * _local(node, i)
                tracer.multiply(node, i, c)
                gradients[x] = gradients.get(x, 0.0) + c
                tracer.accumulate(node, i, gradients[x])
        return gradients

    return program


def _inputs_only(y: Node, tracer: Tracer) -> dict[Node, float]:
    return {x: g for x, g in _sweeping()(y, tracer).items() if x.op is None}


def _each_input_once(node: Node) -> Iterable[int]:
    return [node.inputs.index(x) for x in dict.fromkeys(node.inputs)]


def _totals_told(tracer: Tracer, node: Node, i: int, c: float, total: float) -> None:
    tracer.multiply(node, i, total)
    tracer.accumulate(node, i, total)


def _contributions_told(tracer: Tracer, node: Node, i: int, c: float, total: float) -> None:
    tracer.multiply(node, i, c)
    tracer.accumulate(node, i, c)


def _told_the_other_way_round(tracer: Tracer, node: Node, i: int, c: float, total: float) -> None:
    tracer.accumulate(node, i, total)
    tracer.multiply(node, i, c)


sweep = Exercise(
    name="sweep",
    title="Write a sweep, and watch it run",
    lesson=LESSON,
    kind="implement",
    points=4,
    task="Given the output Node of a graph and a Tracer, return a dictionary with the gradient of "
    "every Node, found in one sweep, and tell the tracer each step: tracer.seed(y, g) for the "
    "start, tracer.multiply(node, i, contribution) for what a node hands on to its input number i, "
    "and tracer.accumulate(node, i, total) for what that input holds then.",
    parameters=("y", "tracer"),
    arguments=graphs_to_sweep,
    given=lambda *case: (y := _after_passes(*case)[0], Tracer(y)),
    as_code=lambda *case: (
        f"from minigraph.recording import Tracer\n\n{_as_code_after_passes(*case)}\n"
        "tracer = Tracer(y)"
    ),
    reference=_sweeping(),
    form=TracedGradients("a dictionary with the gradient of every Node"),
    misconceptions=(
        Misconception(
            "overwritten instead of added",
            "Where a node fans out, a contribution comes back from each of its uses, and you keep "
            "the last one only. Add it to what the node has already.",
            _sweeping(total=lambda before, c: c),
        ),
        Misconception(
            "upstream gradient left out",
            "You hand on the local derivatives alone. Each says how fast the next node changes. How "
            "fast y changes with that node has been found before; what becomes of it here?",
            _sweeping(contribution=lambda g, local: local),
        ),
        Misconception(
            "inputs before users",
            "You go through the nodes in the order of the forward pass. When the first one's turn "
            "comes, nothing has arrived there yet. Users go first.",
            _sweeping(order=topological_order),
            _without_zeros(topological_order),
        ),
        Misconception(
            "handed on too early",
            "A node hands on as soon as it is reached, and what comes later from its other users "
            "stays there. In reverse topological order all users of a node come before it.",
            _sweeping(order=by_distance_from_the_output),
            _sweeping(order=users_first),
            _without_zeros(by_distance_from_the_output),
        ),
        Misconception(
            "path by path",
            "You follow each path to its end, so a node that is reached on several paths hands on "
            "several times. Let each node hand on once, when all that belongs to it has arrived.",
            _path_by_path,
        ),
        Misconception(
            "started from the value",
            "You start from the value of y. Start from its derivative by itself.",
            _sweeping(start=lambda y: float(y.value)),
        ),
        Misconception(
            "no gradient to start from",
            "All gradients are 0, because you begin with nothing but zeros. How fast does y change "
            "with itself?",
            _sweeping(start=lambda y: 0.0),
        ),
        Misconception(
            "two edges taken for one",
            "A node may use the same input twice, as in x · x. Each of the two edges carries a "
            "contribution of its own, with its own number i.",
            _sweeping(slots=_each_input_once),
        ),
        Misconception(
            "local derivatives swapped",
            "You give the first input the local derivative by the second one. "
            "`local_derivative(node, i)` belongs to `node.inputs[i]`.",
            _sweeping(local=lambda node, i: _local(node, len(node.inputs) - 1 - i)),
        ),
        Misconception(
            "added along an edge",
            "You add upstream gradient and local derivative. Along an edge one multiplies; adding "
            "is for what several edges bring.",
            _sweeping(contribution=lambda g, local: g + local),
        ),
        Misconception(
            "inputs only",
            "Your sweep is right. But return all that it has found: the results in between and y "
            "have gradients too.",
            _inputs_only,
        ),
        Misconception(
            "tracer told nothing",
            "Your gradients are right. Now let the tracer know how you find them: three calls, one "
            "where you start, and two for each edge.",
            _told_nothing,
        ),
        Misconception(
            "totals told as contributions",
            "`tracer.multiply` is for what one edge brings, upstream times local. What the input "
            "holds after it was added is for `tracer.accumulate`.",
            _sweeping(tell=_totals_told),
            _sweeping(tell=_contributions_told),
        ),
        Misconception(
            "told in the wrong order",
            "Tell the tracer first what a node hands on, with `multiply`, and then what the input "
            "holds, with `accumulate`.",
            _sweeping(tell=_told_the_other_way_round),
        ),
    ),
    first_step="Begin with `gradients = {y: 1.0}` and `tracer.seed(y, 1.0)`. Then go through "
    "`reversed(mg.topological_order(y))`, and let each node hand on to its inputs.",
    hints=(
        "Go through the graph above by hand, and write down at each edge what it brings. The step "
        "that is named here is the first one to look at.",
        "For each node and each i: the contribution is `gradients[node] * local_derivative(node, "
        "i)`. Tell it to the tracer, add it to what `gradients` holds for `node.inputs[i]`, which "
        "may be nothing yet, and tell the tracer the total.",
        "A shop hands its orders on to its suppliers. Each order needs so many parts:\n"
        '    orders = {"bicycle": 10}\n'
        '    for part, needed in [("wheel", 2), ("frame", 1)]:\n'
        '        more = orders["bicycle"] * needed\n'
        "        orders[part] = orders.get(part, 0) + more\n"
        "Wheels that trailers have ordered before stay on the list: the new ones are added.",
    ),
    another_way="Let a node hand on as soon as nobody keeps it waiting:\n"
    "    def sweep(y, tracer):\n"
    "        waits = {}\n"
    "        for node in mg.topological_order(y):\n"
    "            for x in node.inputs:\n"
    "                waits[x] = waits.get(x, 0) + 1\n"
    "        gradients, ready = {y: 1.0}, [y]\n"
    "        tracer.seed(y, 1.0)\n"
    "        for node in ready:  # grows while it is gone through\n"
    "            for i, x in enumerate(node.inputs):\n"
    "                c = gradients[node] * local_derivative(node, i)\n"
    "                tracer.multiply(node, i, c)\n"
    "                gradients[x] = gradients.get(x, 0.0) + c\n"
    "                tracer.accumulate(node, i, gradients[x])\n"
    "                waits[x] -= 1\n"
    "                if not waits[x]:\n"
    "                    ready.append(x)\n"
    "        return gradients\n"
    "What is in the list and has not had its turn could hand on at the same time.",
    verified="every gradient and every step agree in {cases} graphs.",
    instead_of=(Node.backward, grad, jacobian, record),
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

    def picture(self, answer: Any, given: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw the graph of the passes."""
        graph, values, _ = case
        return _last(graph, values), []


def _diagnosed(graph: Steps, values: Values, found: dict[str, Values]) -> dict[str, str]:
    nodes = build(graph, values)
    y = nodes[list(graph)[-1]]
    names = {}
    for which, gradients in found.items():
        way = diagnose(y, {nodes[x]: g for x, g in gradients.items()})
        names[which] = way.name if way else ""
    return names


def _named(first: str, second: str, third: str) -> Any:
    return lambda *case: {"first": first, "second": second, "third": third}


name_mistakes = Exercise(
    name="name_mistakes",
    title="Name the mistake",
    lesson=LESSON,
    kind="predict",
    points=1,
    task="Three broken backward passes of the same graph have left gradients, some of them wrong. "
    "Give the mistake behind each: overwrite, order, upstream, sign or stale.",
    arguments=lambda rng: [(TANGLED, VALUES, FOUND)],
    reference=_diagnosed,
    form=Mistakes(MISTAKES),
    misconceptions=(
        Misconception(
            "overwrite and order confused",
            "Look at m, which fans out. If contributions replace each other, m itself is wrong. If m "
            "hands on too early, m is right in the end, and what lies below it is wrong.",
            _named("overwrite", "upstream", "order"),
            _named("overwrite", "upstream", "overwrite"),
            _named("order", "upstream", "order"),
        ),
        Misconception(
            "stale gradients suspected",
            "Gradients that were not cleared are added to the new ones: here all but that of y "
            "would be too large. How do these compare with the right ones?",
            _named("stale", "upstream", "overwrite"),
            _named("order", "stale", "overwrite"),
            _named("order", "upstream", "stale"),
        ),
        Misconception(
            "upstream gradient not missed",
            "In one of the passes c got 6, which is the value of p and nothing else. What should "
            "have been multiplied into it?",
            _named("upstream", "order", "overwrite"),
            _named("order", "overwrite", "upstream"),
            _named("order", "overwrite", "overwrite"),
            _named("order", "order", "overwrite"),
        ),
    ),
    first_step="Find the right gradients first, by hand or with `backward`, and mark in each row "
    "what is wrong. Then replace the dots by names of mistakes.",
    hints=(
        "Which nodes are right, and which wrong? Each mistake has its own pattern.",
        "overwrite: wrong at the nodes that fan out. order: right there, and wrong below. upstream: "
        "local derivatives, added up. sign: wrong below the second input of a difference. stale: "
        "everything too large.",
        "For y = s + s · c with s = a · b at a = 2, b = 3, c = 4 the gradient of s is 1 + 4 = 5, "
        "and that of a is 15. If s is 4 and a is 12, the 1 was replaced by the 4. If s is 5 and a "
        "is 3, then s handed on when it had the 1 only.",
    ),
    verified="all three mistakes are found.",
)

# --- repair a backward pass that is run twice -----------------------------------------------------


@dataclass(frozen=True)
class GradientsInNodes(Gradients):
    """The numbers that a function has left in the `grad` of each node of the graph given to it."""

    does = "left in the nodes"

    def read(self, answer: Any, given: tuple[Any, ...]) -> Values:
        """Read `grad` from every node, whatever was returned."""
        (y,) = given
        grads = {node.name: node.grad for node in topological_order(y) if node.grad is not None}
        return super().read(grads, given)

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


def _leaving(
    before: Callable[[Node, Node], float],
    order: Callable[[Node], list[Node]] = _users_first,
    cleared: Callable[[Node], bool] = lambda node: False,
    start: Callable[[Node], float] = lambda y: 1.0,
) -> Any:
    """Leave gradients in the nodes; `before` is what a contribution to x of a node is added to."""

    def program(y: Node) -> None:
        first = start(y)
        for node in topological_order(y):
            if cleared(node):
                node.grad = 0.0
        y.grad = first
        for node in order(y):
            for i, x in enumerate(node.inputs):
                x.grad = before(x, node) + (node.grad or 0.0) * _local(node, i)

    return program


def _adding_to_none(y: Node) -> None:
    y.grad = 1.0
    for node in _users_first(y):
        for i, x in enumerate(node.inputs):
            x.grad = x.grad + node.grad * _local(node, i)


def _adding_in_place_to_none(y: Node) -> None:
    y.grad = 1.0
    for node in _users_first(y):
        for i, x in enumerate(node.inputs):
            x.grad += node.grad * _local(node, i)


def _kept(x: Node, user: Node) -> float:
    return x.grad or 0.0


def _is_operation(node: Node) -> bool:
    return node.op is not None


leave_gradients = Exercise(
    name="leave_gradients",
    title="Repair a backward pass that is run twice",
    lesson=LESSON,
    kind="repair",
    points=3,
    task="Given the output Node of a graph, leave in the grad of every Node the derivative of y by "
    "it. Earlier passes may have left numbers there: inputs add up over several passes, all other "
    "Nodes start afresh. The program that is handed out overwrites. Repair it.",
    parameters=("y",),
    arguments=graphs_run_before,
    given=_after_passes,
    as_code=_as_code_after_passes,
    reference=_leaving(_kept, cleared=_is_operation),
    form=GradientsInNodes("nothing; the gradients belong in the `grad` of each Node"),
    misconceptions=(
        Misconception(
            "overwritten instead of added",
            "Where a node fans out, the last contribution still replaces the others. How do they "
            "come together in the sweep of exercise 3?",
            _leaving(lambda x, user: 0.0),
        ),
        Misconception(
            "old gradients handed on",
            "The first pass is right now, and the second one is not. Look at a node in between when "
            "the second pass begins: what does it hold, and what does it hand on at its turn?",
            _leaving(_kept),
        ),
        Misconception(
            "inputs cleared",
            "Each pass is right by itself. But there are nodes that are to add up over the passes, "
            "as with minigraph's `backward`. Which ones, and what becomes of their numbers in your "
            "function before the sweep?",
            _leaving(_kept, cleared=lambda node: True),
        ),
        Misconception(
            "inputs cleared, the others kept",
            "Some nodes keep what they hold from pass to pass, and some start afresh. Read in the "
            "task which ones do what, and compare with yours.",
            _leaving(_kept, cleared=lambda node: node.op is None),
        ),
        Misconception(
            "inputs overwritten",
            "In the nodes in between contributions add up. In the inputs they still replace each "
            "other.",
            _leaving(lambda x, user: (x.grad or 0.0) if x.op else 0.0, cleared=_is_operation),
        ),
        Misconception(
            "y adds up",
            "You add the 1 to what y holds from an earlier pass. Is y one of the nodes that add up?",
            _leaving(_kept, cleared=_is_operation, start=lambda y: (y.grad or 0.0) + 1.0),
        ),
        Misconception(
            "y left as it was",
            "Your pass starts with what y holds already, if it holds something. That came from an "
            "earlier pass, and need not be what this one starts with.",
            _leaving(
                _kept, cleared=_is_operation, start=lambda y: 1.0 if y.grad is None else y.grad
            ),
        ),
        Misconception(
            "None not counted as nothing",
            "A node to which nothing has come yet holds None, and None cannot be added to. What "
            "should such a node hold after its first contribution?",
            _adding_to_none,
            _adding_in_place_to_none,
        ),
        Misconception(
            "inputs before users",
            "You go through the nodes in the order of the forward pass. When a node hands on, "
            "nothing has arrived there yet. Users go first.",
            _leaving(_kept, order=topological_order, cleared=_is_operation),
        ),
    ),
    first_step="Copy the body of `broken_backward` into your function. Run it on the example, and "
    "look at b, which is used twice. Then mend that, and call it a second time.",
    hints=(
        "Call your function twice, and print the gradient of every node after each call. Which of "
        "them may grow, and which may not?",
        "A contribution is added to what a node holds, where None counts as nothing. So before the "
        "sweep nothing old may be left where it would be handed on once more. `node.op` is None "
        "for an input.",
        "A shop counts what it sells in a day, and adds the days up:\n"
        "    total = {'apples': 7}            # stays from day to day\n"
        "    today = {}                       # begins anew each day\n"
        "    for fruit, sold in [('apples', 2), ('apples', 3)]:\n"
        "        today[fruit] = today.get(fruit, 0) + sold\n"
        "    total['apples'] += today['apples']\n"
        "Without the second line yesterday would be counted again.",
    ),
    another_way="Find the gradients of this pass by themselves, and add them up in the end:\n"
    "    def leave_gradients(y):\n"
    "        found = dict.fromkeys(mg.topological_order(y), 0.0)\n"
    "        found[y] = 1.0\n"
    "        for node in reversed(found):\n"
    "            for i, x in enumerate(node.inputs):\n"
    "                found[x] += found[node] * local_derivative(node, i)\n"
    "        for node, g in found.items():\n"
    "            node.grad = g if node.op or node.grad is None else node.grad + g\n"
    "Nothing old can be handed on, because nothing is read from the Nodes before the sweep is "
    "done.",
    verified="every gradient agrees after a first, a second and a third pass, in {cases} cases.",
    instead_of=(Node.backward, grad, jacobian, record),
)

EXERCISES = (predict_gradients, predict_sweep, sweep, name_mistakes, leave_gradients)
