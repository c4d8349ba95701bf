"""Lesson 13: what workers gain, what a network lets them gain, shards, and memory for time."""

from math import inf
from typing import Any
from weakref import ref

import numpy as np

from ...autodiff.checkpoint import checkpoint
from ...autodiff.derivatives import grad
from ...compiler import Costs, critical_path
from ...compiler.schedule import schedule
from ...core.node import Node, constant, variable
from ...drawing import draw
from ...graph.graph import Graph
from ...graph.parse import parse
from ...graph.reductions import mean
from ...graph.symbolic import placeholder
from ..prediction import Choice, Number, Truth, prediction

LESSON = "13_parallelism_and_scale"

WAKING = 50.0  # microseconds until a thread has woken up
EIGHT = "p = a * b; q = a + c; r = b - c; w = c * c; s = p * q; t = q * r; u = s + t; y = u * w"


def _eight() -> Graph:
    a, b, c = (placeholder(name) for name in "abc")
    return Graph(parse(EIGHT, a=a, b=b, c=c))


@prediction(
    "Eight operations of a second each. How many seconds do one, two, three and a hundred workers "
    "take?",
    one=Number("one worker"),
    two=Number(
        "two workers",
        {
            4: "Half of the time, if both were busy in each second. In the last second there is "
            "only *y* to compute.",
        },
    ),
    three=Number(
        "three workers",
        {
            3: "Eight divided by three, rounded up. But *y* waits for *u*, *u* for *s* and *t*, "
            "and these for others.",
        },
    ),
    hundred=Number(
        "a hundred workers",
        {
            1: "If nobody waited. How many operations stand one behind the other on the way to "
            "*y*?",
            3: "Count the operations on a way from *a* to *y*, *y* itself too.",
        },
    ),
    told_by=(r"Eight, five, four, four", r"workers   1: "),
)
def workers_and_seconds() -> Truth:
    """The second worker saves three seconds, the third one, and the other ninety-seven nothing."""
    graph = _eight()
    seconds = {node: 1.0 for node in graph.order if node.op}
    crews = {"one": 1, "two": 2, "three": 3, "hundred": 100}
    return Truth(**{name: schedule(graph, n, seconds).makespan for name, n in crews.items()})


@prediction(
    "Now *r* takes two seconds, *t* three, *w* four, and the others one. When is *y* done, if "
    "there are a hundred workers?",
    seconds=Number(
        "seconds",
        {
            4: "So long takes the most expensive operation, and so many operations stand in a row. "
            "Add up the seconds of a row, and take the longest.",
            5: "That is *w*, and then *y*. Is *u* there by then?",
            14: "That is what one worker takes, who does one thing after the other.",
            6: "Then *u* is done. *y* comes after it.",
        },
    ),
    told_by=(r"'y': 7", r"\bSeven seconds\b"),
)
def hundred_workers() -> Truth:
    """*y* waits for *u*, *u* for *t*, *t* for *r*: 2 + 3 + 1 + 1 seconds. *w* is done by then,
    although it takes longest of all.
    """
    graph = _eight()
    takes = {"r": 2.0, "t": 3.0, "w": 4.0}
    seconds = {node: takes.get(node.name or "", 1.0) for node in graph.order if node.op}
    path, length = critical_path(graph, seconds)
    return Truth(draw(graph.outputs, highlight=path), seconds=length)


@prediction(
    "Four branches work on arrays of four numbers each. What do two threads make of it, compared "
    "with one?",
    threads=Choice(
        "two threads are",
        {
            "nearly twice as fast": "The branches do not wait for each other. But a thread has to "
            "be told what to do, and that takes longer than an operation on four numbers.",
            "about as fast": "There is little to gain, and something to pay: a thread has to be "
            "woken for its part.",
        },
        among=("nearly twice as fast", "about as fast", "several times slower"),
    ),
    told_by=(r"0\.\d+ times as fast, you", r"small: 2 workers"),
)
def threads_on_four_numbers() -> Truth:
    """An operation on four numbers takes about a microsecond. To wake a thread takes many times as
    long, and so does waiting for it at the end.
    """
    xs: list[Any] = [placeholder(f"x{i}", (4,)) for i in range(4)]
    one, two, three, four = (mean(np.exp(np.sin(x))) for x in xs)
    graph = Graph((one + two) + (three + four))
    micro = {node: 1.0 for node in graph.order if node.op}
    gain = _micro_seconds(graph, micro, 1) / (WAKING + _micro_seconds(graph, micro, 2))
    words = {"nearly twice as fast": 1.5, "about as fast": 0.7, "several times slower": -inf}
    return Truth(threads=next(word for word, least in words.items() if gain >= least))


def _micro_seconds(graph: Graph, micro: dict[Node, float], workers: int) -> float:
    """What a schedule takes, handing over taking as long as a thread takes to wake up."""
    return schedule(graph, workers, Costs(micro, handoff=WAKING * (workers > 1))).makespan


def _products(layers: int) -> tuple[int, int]:
    """How many products a training step has, and how many of them wait for each other."""
    x, t = (placeholder(name, (32, 16)) for name in "xt")
    weights = [placeholder(f"w{i}", (16, 16)) for i in range(1, layers + 1)]
    out: Any = x
    for w in weights[:-1]:
        out = np.tanh(out @ w)
    loss = mean((out @ weights[-1] - t) ** 2)
    step = Graph([loss, *grad(loss, weights)]).optimize()
    costs = {node: float(node.op.name == "matmul") for node in step.order if node.op}
    return int(sum(costs.values())), int(critical_path(step, costs)[1])


@prediction(
    "A training step with two layers has five products, of which four wait for each other. With as "
    "many workers as you like, how many times as fast as with one can a step with three layers be, "
    "and one with a hundred?",
    three=Number(
        "three layers",
        {
            1.25: "That is what it is for two layers. A third one adds three products, and two of "
            "them are in the chain.",
            3: "A worker for each layer would have to wait for the layer before.",
        },
    ),
    hundred=Number(
        "a hundred layers",
        {
            100: "Layers wait for each other, forward and backward. More of them make the chain "
            "longer, too.",
            1.25: "It becomes a little better with each layer. With each of them come three "
            "products, and how many of these wait?",
            1: "Backward there are two products for each layer, and these two do not wait for each "
            "other.",
        },
    ),
)
def times_as_fast_at_best() -> Truth:
    """Each layer adds three products: one forward, and backward one for its weights and one that
    hands the gradient on. Only the one for the weights keeps nobody waiting. So it becomes nearly
    three halves, however many layers there are.
    """
    speeds = (count / path for count, path in map(_products, (3, 100)))
    return Truth(**dict(zip(("three", "hundred"), speeds)))


WEIGHTS = ("1/3, 1/3, 1/3", "6/12, 4/12, 2/12", "2/12, 4/12, 6/12", "1, 1, 1")


@prediction(
    "Shards of 6, 4 and 2 examples have each given the gradient of their own mean loss. With which "
    "weights do the three add up to the gradient of the whole batch?",
    weights=Choice(
        "weights",
        {
            WEIGHTS[0]: "Then the two examples of the last shard would count as much as the six of "
            "the first.",
            WEIGHTS[2]: "The fewer examples, the larger the weight? Each example should count the "
            "same.",
            WEIGHTS[3]: "Each shard has divided by its own size already. The sum of three means is "
            "about three times the mean.",
        },
        among=WEIGHTS,
    ),
    told_by=(r"by size", r"counts by its size"),
)
def weights_of_shards() -> Truth:
    """A shard has divided its sum by its own size. Multiplied by that size, the sums add up, and
    what comes out is divided by 12.
    """
    rng = np.random.default_rng(0)
    x, t, w = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=3)

    def gradient(part: slice) -> np.ndarray:
        weights = variable(w)
        mean((constant(x[part]) @ weights - t[part]) ** 2).backward()
        return np.asarray(weights.grad)

    parts = [gradient(slice(*ends)) for ends in ((0, 6), (6, 10), (10, 12))]
    for text in WEIGHTS:
        numbers = [float(top) / float(low or 1) for top, _, low in
                   (each.partition("/") for each in text.split(", "))]  # fmt: skip
        if np.allclose(sum(n * part for n, part in zip(numbers, parts)), gradient(slice(0, 12))):
            return Truth(weights=text)
    raise AssertionError("one of them is right")


@prediction(
    "A chain of 81 layers is cut into 9 segments of 9 layers, and each is a checkpoint. How many "
    "results of layers are kept after the forward pass, how many are alive at most at any time, "
    "and how many layers are computed in both passes?",
    kept=Number(
        "kept after the forward pass",
        {
            81: "A checkpoint forgets what lies within it. What does it keep?",
            72: "You counted what is forgotten.",
        },
    ),
    most=Number(
        "alive at most",
        {
            9: "In the backward pass a segment is computed again, and while it is its own results "
            "are there as well.",
            81: "When a segment has been walked back, what was computed again for it is forgotten.",
            17: "All results of the segment are there when its backward pass begins, the last one "
            "too.",
        },
    ),
    computed=Number(
        "layers computed",
        {
            81: "To come by, the backward pass needs the values that were forgotten.",
            90: "Not each segment once more, but each layer in it.",
            729: "Each segment is computed again once, when the backward pass comes to it.",
        },
    ),
)
def segments_of_a_chain() -> Truth:
    """The result of each segment is kept. Going back, one segment at a time is computed again, and
    its layers are alive on top of that. So each layer is computed twice, and no more often.
    """
    results: list[ref[Any]] = []
    alive: list[int] = []
    h = constant(np.ones((2, 2)))
    w = variable(np.eye(2) / 2)

    def segment(h: Any) -> Any:
        for _ in range(9):
            h = np.tanh(h @ w)
            results.append(ref(np.asarray(h.value).base))
            alive.append(sum(result() is not None for result in results))
        return h

    for _ in range(9):
        h = checkpoint(segment)(h)
    kept = sum(result() is not None for result in results)
    mean(h).backward()
    return Truth(kept=kept, most=max(alive), computed=len(results))
