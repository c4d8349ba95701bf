"""Lesson 11: passes over a graph that is known beforehand, and what it cannot do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ..answers import AboutAGraph, Numbers, kind_of, not_a
from ..choices import Choices
from ..forms import Case, Difference, WrongForm
from ..graphs import (
    WORKED_EXAMPLE,
    Steps,
    as_assignment,
    as_python,
    chain,
    formula,
    inputs_of,
    random_graphs,
)
from ..specification import exercise

LESSON = "11_static_graphs"

# --- predict the cost of products -----------------------------------------------------------------

SIZES = [2, 50, 4, 30]  # A is 2 × 50, B is 50 × 4, C is 4 × 30
Counts = dict[str, float]


@exercise(
    points=1,
    value_of=(SIZES,),
    answer=Numbers("a dictionary with a number for each of the two orders"),
)
def predict_products(sizes: list[int]) -> Counts:
    r"""Predict what a product costs

    Three matrices: $A$ is $2 \times 50$, $B$ is $50 \times 4$ and $C$ is $4 \times 30$. The drawing
    groups them as $(AB)C$.

    ---

    How many multiplications of two numbers does $(AB)C$ take, and how many $A(BC)$?

    First step: What is the shape of A @ B, and how many multiplications does one of its elements
    take? Replace the dots by your numbers.
    Hint: A product of (i × j) and (j × k) has i · k elements. How many multiplications for each?
    Hint: Each element takes j multiplications, so the product takes i · j · k. Write the shape of
    the inner product down, and use it for the outer one.
    Hint: For shapes (3, 5), (5, 2), (2, 7): the first two give (3, 2) and take 3 · 5 · 2 = 30; (3,
    2) times (2, 7) takes 3 · 2 · 7 = 42. Together 72.
    Verified: both numbers agree with a count of the multiplications.
    """
    a, b, c, d = sizes
    return {"(A @ B) @ C": a * b * c + a * c * d, "A @ (B @ C)": b * c * d + a * b * d}


predict_products.slip(
    "elements of the results counted",
    "You counted how many numbers come out. How many multiplications does one of them take?",
    {"(A @ B) @ C": 68, "A @ (B @ C)": 1560},
)
predict_products.slip(
    "last product only",
    "You counted one of the two products. The one in the parentheses has to be paid too.",
    {"(A @ B) @ C": 240, "A @ (B @ C)": 3000},
    {"(A @ B) @ C": 400, "A @ (B @ C)": 6000},
)
predict_products.slip(
    "all sizes multiplied",
    """You multiplied all four sizes. There are two products one after the other. Which sizes does
    the first of them involve?""",
    {"(A @ B) @ C": 12000, "A @ (B @ C)": 12000},
)
predict_products.slip(
    "the costs of the two products multiplied",
    """You multiplied what the two products cost. What do two things cost that are done one after
    the other?""",
    {"(A @ B) @ C": 96000, "A @ (B @ C)": 18000000},
)
predict_products.slip(
    "orders mixed up",
    """Both numbers are right, but they stand at the wrong places. What is in parentheses is
    computed first.""",
    {"(A @ B) @ C": 9000, "A @ (B @ C)": 640},
)


# --- a graph that a pass has made -----------------------------------------------------------------


@dataclass(frozen=True)
class RewrittenGraph(AboutAGraph):
    """A graph as a dictionary, as a pass returns it. The case is (graph, ...)."""

    what: str = "a dictionary that gives each result its step, such as (\"+\", 'a', 'b')"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, list[str]]:
        """Read names and steps."""
        if not isinstance(answer, Mapping):
            raise not_a(self.what, answer)
        steps: dict[str, list[str]] = {}
        for name, step in answer.items():
            plain = isinstance(step, (tuple, list)) and all(isinstance(x, str) for x in step)
            if not isinstance(name, str) or not plain or not step:
                raise WrongForm(
                    f"Each name should have a step such as ('+', 'a', 'b'), and {name!r:.40} has "
                    f"{kind_of(step)}.",
                    "steps",
                )
            steps[name] = list(step)
        return steps

    def difference(
        self, answer: dict[str, list[str]], expected: dict[str, list[str]], case: Case
    ) -> Difference | None:
        """Name the first result that is too much, missing, used without being there, or wrong."""
        graph: Steps = case[0]
        inputs = inputs_of(graph)
        for name, step in answer.items():
            written = f"`{name} = {formula(tuple(step))}`"
            if name not in graph:
                return Difference(f"{name} is no operation of the graph that was given.")
            for x in step[1:]:
                if x not in answer and x not in inputs:
                    text = f"{written} uses {x}, and nothing computes {x} any more."
                    return Difference(text, None, name)
            if name not in expected:
                return Difference(f"{written} could have been left out.", None, name)
            if step != list(expected[name]):
                text = f"{written} does not belong to a graph that computes the same."
                return Difference(text, None, name)
        if missing := [name for name in expected if name not in answer]:
            lost = formula(graph[missing[0]])
            text = f"`{missing[0]} = {lost}` is still needed, and it is missing."
            return Difference(text, None, missing[0])
        if [*answer] != [*expected]:
            return Difference("The steps should stay in the order in which they were given.")
        return None

    def show(self, answer: dict[str, list[str]]) -> str:
        """Write the dictionary as code, or say how large it is."""
        if len(answer) > 12:
            return f"a dictionary of {len(answer):,} steps"
        return as_python({name: tuple(step) for name, step in answer.items()})


def _tuples(graph: Mapping[str, Any]) -> Steps:
    return {name: tuple(step) for name, step in graph.items()}


def _as_tuples(graph: Mapping[str, Any], *others: Any) -> tuple[Any, ...]:
    """Give a function its own copy of the graph, its steps being tuples."""
    return _tuples(graph), *map(list, others)


# --- remove dead code -----------------------------------------------------------------------------

DEEP = 3000
ROW = 150  # steps one after the other: more than rounds that somebody would count out
_DEAD_CHAIN: Steps = {"p": ("+", "a", "b"), "q": ("*", "p", "a"), "y": ("-", "a", "b")}
_TWO_OUTPUTS: Steps = {"s": ("+", "a", "b"), "m": ("*", "s", "s"), "u": ("-", "a", "b")}
_WAVES: Steps = {"s": ("sin", "a"), "t": ("sin", "s"), "u": ("sin", "b"), "y": ("+", "s", "s")}
_LONG: Steps = {
    "p": ("*", "a", "b"),
    "q": ("+", "p", "c"),
    "r": ("*", "q", "q"),
    "s": ("-", "r", "p"),
    "y": ("*", "s", "b"),
}


def _dead_row(length: int) -> Steps:
    """A row of steps that nobody needs, and one step that is needed."""
    return {**chain(length), "y": ("*", "x", "x")}


def graphs_and_outputs(rng: Random) -> list[Case]:
    """Graphs of which some, all or nothing is needed, and at last deep ones."""
    cases: list[Case] = [
        ({"p": ("+", "a", "b"), "y": ("*", "a", "b")}, ["y"]),
        (_DEAD_CHAIN, ["y"]),
        (_TWO_OUTPUTS, ["m", "u"]),
        (_TWO_OUTPUTS, ["s"]),
        (_LONG, ["y"]),
        (_LONG, ["p", "r"]),
        (_LONG, ["r", "p"]),
        (_LONG, ["y"]),
        (_WAVES, ["y"]),
        (_WAVES, ["u", "t"]),
        (_TWO_OUTPUTS, ["m", "s", "u"]),
        (_TWO_OUTPUTS, []),
        ({"y": ("*", "a", "a")}, ["y"]),
        (dict.fromkeys("pqrstuvw", ("+", "a", "b")), ["q", "w", "t"]),
    ]
    for graph in random_graphs(rng, 12, 4, 9):
        names = [*graph]
        cases.append((graph, rng.sample(names, rng.randint(1, 2))))
    return [
        *cases,
        (_dead_row(ROW), ["y"]),
        (_dead_row(ROW), [f"x{ROW}"]),
        (chain(DEEP), [f"x{DEEP - 1}"]),
    ]


def _kept(graph: Steps, needed: set[str]) -> Steps:
    return {name: step for name, step in graph.items() if name in needed}


def _used(graph: Steps) -> set[str]:
    return {x for _, *inputs in graph.values() for x in inputs}


def _unused_until_nothing_is_left(graph: Steps, outputs: list[str]) -> Steps:
    while (left := _kept(graph, _used(graph))) != graph:
        graph = left
    return graph


@exercise(
    points=2,
    cases=graphs_and_outputs,
    as_arguments=_as_tuples,
    answer=RewrittenGraph(),
    code=lambda graph, outputs: f"{as_assignment(_tuples(graph))}\noutputs = {json.dumps(outputs)}",
)
def remove_dead_code(graph: Steps, outputs: list[str]) -> Steps:
    """Remove dead code

    A graph is a dictionary here, as in the lesson. Each name has its operation and the names of its
    inputs, and inputs stand before their users. Names that are not in the dictionary are inputs of
    the graph.

    ---

    Write a function that returns a new dictionary with those steps only that one of the `outputs`
    needs, in the same order. For the example and `["y"]` the steps of $s$ and $y$ are left; for
    `["q", "y"]` all four. The graph may have thousands of steps.

    First step: Begin with a set of the names that are needed for certain: the outputs. When a step
    turns out to be needed, what else is?
    Hint: A step is needed if it is an output, or if a step that is needed uses it. In which order
    do you have to ask, so that one loop is enough?
    Hint: Go through the names in reverse, users before inputs. If a name is in your set, put its
    inputs into the set too. At the end keep the steps whose names are in it.
    Hint: Which rooms stay open, if each open room needs those that it can only be entered through?
    The list is sorted from the street to the attic:
        entered_through = {"hall": [], "cellar": ["hall"], "stairs": ["hall"], "attic": ["stairs"]}
        open_rooms = {"attic"}
        for room in reversed(entered_through):
            if room in open_rooms:
                open_rooms.update(entered_through[room])
    The cellar is closed.
    Another way: A stack of what is still to be followed, as for topological_order:
        def remove_dead_code(graph, outputs):
            needed, waiting = set(), list(outputs)
            while waiting:
                name = waiting.pop()
                if name in graph and name not in needed:
                    needed.add(name)
                    waiting += graph[name][1:]
            return {name: step for name, step in graph.items() if name in needed}
    It works whatever the order of the dictionary, and never looks at a dead step before the end.
    Verified: what is needed is there, and nothing else, in {cases} graphs.
    """
    needed = {*outputs}
    for name in reversed(graph):
        if name in needed:
            needed.update(graph[name][1:])
    return _kept(graph, needed)


@remove_dead_code.misconception("one round only")
def _unused_once(graph: Steps, outputs: list[str]) -> Steps:
    """You leave out what nobody uses. But when it is gone, what it used itself may have no user
    left: dead code comes in chains.
    """
    return _kept(graph, _used(graph) | {*outputs})


@remove_dead_code.misconception("outputs taken for dead", _unused_until_nothing_is_left)
def _unused_forgetting_outputs(graph: Steps, outputs: list[str]) -> Steps:
    """Your function leaves out an output. Nobody in the graph uses it, but somebody outside asked
    for it.
    """
    return _kept(graph, _used(graph))


remove_dead_code.slip(
    "direct inputs only",
    """You keep the outputs and what they use. But what is used by that is needed as well, and so
    on. Is there an order in which one loop is enough?""",
    lambda graph, outputs: _kept(
        graph, {*outputs} | {x for name in outputs for x in graph[name][1:]}
    ),
    ("reversed(graph)", "graph"),
)
remove_dead_code.slip(
    "one output only",
    "There may be several outputs, and you look at one of them.",
    lambda graph, outputs: remove_dead_code(graph, outputs[:1]),
    lambda graph, outputs: remove_dead_code(graph, outputs[-1:]),
)
remove_dead_code.slip(
    "the last step taken for the output",
    """You keep what the last step needs. Which results are asked for is written in `outputs`, and
    it may be others.""",
    lambda graph, outputs: remove_dead_code(graph, [*graph][-1:]),
    lambda graph, outputs: remove_dead_code(graph, [*outputs, [*graph][-1]]),
)


@remove_dead_code.misconception("a call for each step")
def _needed_by_recursion(graph: Steps, outputs: list[str]) -> Steps:
    """Your function is right for small graphs, but it calls itself, nested as deep as the graph.
    The steps stand in an order already. What does a loop know when it comes to one?
    """
    needed: set[str] = set()

    def need(name: str) -> None:
        if name in graph and name not in needed:
            needed.add(name)
            for x in graph[name][1:]:
                need(x)

    for name in outputs:
        need(name)
    return _kept(graph, needed)


# --- share common subexpressions ------------------------------------------------------------------

_TWICE: Steps = {"p": ("+", "a", "b"), "q": ("+", "a", "b"), "y": ("*", "p", "q")}
_TURNED: Steps = {"p": ("-", "a", "b"), "q": ("-", "b", "a"), "y": ("*", "p", "q")}
_OPERATIONS: Steps = {"p": ("+", "a", "b"), "q": ("*", "a", "b"), "y": ("-", "p", "q")}
_LEVELS: Steps = {
    "p": ("*", "a", "b"),
    "q": ("*", "a", "b"),
    "r": ("-", "p", "c"),
    "s": ("-", "q", "c"),
    "y": ("+", "r", "s"),
}
_APART: Steps = {
    "p": ("+", "a", "b"),
    "m": ("*", "p", "c"),
    "q": ("+", "a", "b"),
    "y": ("-", "m", "q"),
}
_THREE: Steps = {
    "p": ("-", "a", "b"),
    "q": ("-", "a", "b"),
    "r": ("*", "q", "c"),
    "s": ("-", "a", "b"),
    "y": ("+", "r", "s"),
}


def _steps_if_sums_commute(graph: Steps) -> int:
    """How many steps are left if a + b and b + a are shared, too."""
    first: dict[tuple[str, ...], str] = {}
    instead: dict[str, str] = {}
    for name, (operation, *inputs) in graph.items():
        names = [instead.get(x, x) for x in inputs]
        step = operation, *(names if operation == "-" else sorted(names))
        instead[name] = first.setdefault(step, name)
    return len(first)


def _copied(rng: Random, graph: Steps) -> Steps:
    """The same graph with some of its steps done a second time, and some users using the copy."""
    made: Steps = {}
    copy: dict[str, str] = {}
    free = iter(f"k{n}" for n in range(len(graph)))
    last = [*graph][-1]
    for name, (operation, *inputs) in graph.items():
        either = [copy[x] if x in copy and rng.random() < 0.6 else x for x in inputs]
        made[name] = operation, *either
        if name != last and rng.random() < 0.6:
            copy[name] = next(free)
            others = [copy[x] if x in copy and rng.random() < 0.6 else x for x in inputs]
            made[copy[name]] = operation, *others
    return made


_RUN_TOGETHER: Steps = {  # different steps, although their letters in a row are the same
    "p": ("+", "ab", "c"),
    "q": ("+", "a", "bc"),
    "y": ("*", "p", "q"),
}
_LATE: Steps = {  # becomes a copy of what was there as it is
    "p": ("+", "a", "b"),
    "q": ("*", "p", "p"),
    "r": ("+", "a", "b"),
    "s": ("*", "p", "r"),
    "y": ("-", "s", "q"),
}
_HALVES: Steps = {"s": ("sin", "a"), "t": ("sin", "b"), "u": ("sin", "a"), "y": ("/", "u", "t")}


def rails(length: int) -> Steps:
    """Two rows of the same steps, and their sum; all of the second row are copies."""
    graph: Steps = {"p0": ("*", "a", "b"), "q0": ("*", "a", "b")}
    for n in range(1, length):
        graph |= {row + str(n): ("-", f"{row}{n - 1}", "c") for row in "pq"}
    return graph | {"y": ("+", f"p{length - 1}", f"q{length - 1}")}


def graphs_with_copies(rng: Random) -> list[Case]:
    """Graphs in which something is computed twice, or only seems to be, and rows of copies."""
    fixed = [_TWICE, _TURNED, _OPERATIONS, _APART, _LEVELS, _THREE]
    fixed += [{"y": ("-", "a", "a")}, WORKED_EXAMPLE, _RUN_TOGETHER, _LATE, _HALVES, _TWICE]
    copied = [_copied(rng, graph) for graph in random_graphs(rng, 80, 3, 6)]
    random = [remove_dead_code(graph, [*graph][-1:]) for graph in copied]
    # Whether a + b and b + a are the same is left open, so no graph asks.
    shared = map(share_common_subexpressions, random)
    plain = [g for g, s in zip(random, shared) if g != s and len(s) == _steps_if_sums_commute(g)]
    return [(graph,) for graph in [*fixed, *sorted(plain[:12], key=len), rails(4), rails(ROW)]]


@exercise(
    points=3,
    cases=graphs_with_copies,
    as_arguments=_as_tuples,
    answer=RewrittenGraph(),
    code=lambda graph: as_assignment(_tuples(graph)),
)
def share_common_subexpressions(graph: Steps) -> Steps:
    """Share common subexpressions

    Write a function that returns a new dictionary that computes the same, but nothing twice. Two
    steps are the same if they have the same operation and the same inputs in the same order. Keep
    the first of them, leave the others out, and let their users use the first. For

    ```python
    {
        "p": ("+", "a", "b"),
        "q": ("+", "a", "b"),
        "r": ("*", "p", "c"),
        "s": ("*", "q", "c"),
        "y": ("-", "r", "s"),
    }
    ```

    three steps are left: those of $p$ and $r$, and `"y": ("-", "r", "r")`. The last step is the
    output, and never a copy of another one.

    First step: Go through the steps and keep a dictionary `seen` from each step to the name of its
    result. What does it mean if a step is in `seen` already?
    Hint: You need two memories: which name has computed this step first, and for each name that was
    left out, which name stands for it.
    Hint: For each step, first replace those inputs that have been left out. Then look whether the
    new step has been seen. If so, note which name stands for this one; if not, keep the new step.
    Hint: In a list of addresses some people are entered twice, and others refer to them:
        people = {1: ("Ada", None), 2: ("Ada", None), 3: ("Bob", 2)}
        seen, instead, kept = {}, {}, {}
        for number, (name, friend) in people.items():
            entry = name, instead.get(friend, friend)
            if entry in seen:
                instead[number] = seen[entry]
            else:
                seen[entry] = number
                kept[number] = entry
    Bob's friend is now number 1.
    Another way: Two dictionaries that are each other's way back:
        def share_common_subexpressions(graph):
            steps, names = {}, {}
            for name, (operation, *inputs) in graph.items():
                step = (operation, *[names.get(x, x) for x in inputs])
                names[name] = steps.setdefault(step, name)
            return {name: step for step, name in steps.items()}
    setdefault looks up and keeps in one go. Compilers know this as value numbering.
    Verified: nothing is computed twice, and nothing is lost, in {cases} graphs.
    """
    kept: Steps = {}
    first: dict[Any, str] = {}
    instead: dict[str, str] = {}
    for name, (operation, *inputs) in graph.items():
        step = operation, *(instead.get(x, x) for x in inputs)
        key: Any = step
        if key in first:
            instead[name] = first[key]
        else:
            first[key] = name
            kept[name] = step
    return kept


share_common_subexpressions.slip(
    "users not told",
    """You leave a copy out, but its users still ask for it by its name. What do you have to
    remember of a copy, so that they can be helped?""",
    ("kept[name] = step", "kept[name] = graph[name]"),
    ("Any = step", "Any = graph[name]", "kept[name] = step", "kept[name] = graph[name]"),
)
share_common_subexpressions.slip(
    "copies of copies missed",
    """You compare the steps as they were given. When q is left out for p, then q − c and p − c have
    become the same. When does that show?""",
    ("Any = step", "Any = graph[name]"),
)
share_common_subexpressions.slip(
    "order of inputs ignored",
    "You share a − b and b − a. The order of the inputs is part of a step.",
    ("Any = step", "Any = operation, *sorted(step[1:])"),
    ("Any = step", "Any = operation, frozenset(step[1:])"),
    ("*(instead.get", "*sorted(instead.get"),
)
share_common_subexpressions.slip(
    "operation ignored",
    "You share steps with the same inputs, whatever they do with them.",
    ("Any = step", "Any = step[1:]"),
)
share_common_subexpressions.slip(
    "inputs ignored",
    "You share steps with the same operation. They are the same only if their inputs are, too.",
    ("Any = step", "Any = operation"),
)
share_common_subexpressions.slip(
    "neighbours only",
    "You compare a step with the one before it. Its copy may stand much earlier.",
    ("first[key] = name", "first = {key: name}"),
)


@share_common_subexpressions.misconception("last one kept")
def _last_kept(graph: Steps) -> Steps:
    """You keep the last of the copies. Users that stand before it would need a result that has not
    been computed yet.
    """
    last = {step: name for name, step in graph.items()}
    instead = {name: last[step] for name, step in graph.items()}
    return {
        name: (step[0], *(instead.get(x, x) for x in step[1:]))
        for name, step in graph.items()
        if instead[name] == name
    }


share_common_subexpressions.slip(
    "nothing shared",
    "Your graph still computes everything that it was given.",
    ("return kept", "return dict(graph)"),
)


# --- predict what a static graph does -------------------------------------------------------------

WORDS = ("define", "run", "frozen", "fine")
CODE: dict[str, str] = {
    "branch": "y = x if x[0] > 0 else -x",
    "where": "y = mg.where(x > 0, x, -x)",
    "matmul": "y = x @ np.ones((3, 2))",
    "length": "y = mg.sum(x)",
    "loop": "y = 0\nfor i in range(4):\n    y = y * 2 + x[i]",
    "noise": "y = x + np.random.normal(size=4)",
}
FED: dict[str, int] = dict.fromkeys(CODE, 4) | {"length": 5}  # how many numbers a run is fed


@exercise(points=1, value_of=(CODE,), answer=Choices(WORDS))
def predict_static(code: dict[str, str]) -> dict[str, str]:
    """Predict what a static graph does

    In each case `x = mg.placeholder("x", (4,))`, then these lines define $y$. The graph
    `mg.Graph(y)` is run twice, each time with new numbers for $x$: with four of them, and in the
    case *length* with five.

    | case | code |
    |---|---|
    | branch | `y = x if x[0] > 0 else -x` |
    | where | `y = mg.where(x > 0, x, -x)` |
    | matmul | `y = x @ np.ones((3, 2))` |
    | length | `y = mg.sum(x)` |
    | loop | `y = 0` and then `for i in range(4): y = y * 2 + x[i]` |
    | noise | `y = x + np.random.normal(size=4)` |

    What happens? `"define"`: an error while the graph is defined. `"run"`: an error when it is run.
    `"frozen"`: no error, but something that should be new in each run stays the same. `"fine"`:
    nothing of this.

    First step: For each piece ask: which of it is done by Python, at once, and which of it becomes
    a node? Replace the dots by words.
    Hint: Python sees each line once, when there are shapes and no numbers. What does it need to
    know there?
    Hint: An `if` needs a number, `range(4)` does not. A shape that does not fit is known while
    defining, if it is the shape of a node, and when running, if it is the shape of what is fed.
    Hint: With a placeholder `t`: `t * time.time()` multiplies by the time at which the graph was
    defined, for ever. `while t > 1: t = t / 2` fails in the first test of its condition.
    Verified: all six agree with what minigraph does.
    """
    return {
        "branch": "define",
        "where": "fine",
        "matmul": "define",
        "length": "run",
        "loop": "fine",
        "noise": "frozen",
    }


predict_static.slip(
    "a branch on numbers that are not there",
    "When does Python come to the `if`, and what does it have to know then?",
    ('"branch": "define"', '"branch": "run"'),
    ('"branch": "define"', '"branch": "fine"'),
    ('"branch": "define"', '"branch": "frozen"'),
)
predict_static.slip(
    "where taken for if",
    "Is `mg.where` something that Python does, or a node? What does it need to know, and when?",
    ('"where": "fine"', '"where": "define"'),
    ('"where": "fine"', '"where": "run"'),
    ('"where": "fine"', '"where": "frozen"'),
)
predict_static.slip(
    "shapes found out at the run",
    """What is known of a placeholder before there are numbers, and what does a matrix product ask
    for?""",
    ('"matmul": "define"', '"matmul": "run"'),
    ('"matmul": "define"', '"matmul": "fine"'),
)
predict_static.slip(
    "any length fits",
    "For how many numbers is the graph of *length* made, and how many come when it is fed?",
    ('"length": "run"', '"length": "fine"'),
    ('"length": "run"', '"length": "define"'),
    ('"length": "run"', '"length": "frozen"'),
)
predict_static.slip(
    "loops forbidden",
    """What does Python have to know to run this loop: the numbers in x, or only how many there are?
    And what stays of the loop in the graph?""",
    ('"loop": "fine"', '"loop": "define"'),
    ('"loop": "fine"', '"loop": "run"'),
    ('"loop": "fine"', '"loop": "frozen"'),
)
predict_static.slip(
    "Python runs at each run",
    """NumPy draws its random numbers when Python comes to that line. How often does Python come to
    it?""",
    ('"noise": "frozen"', '"noise": "fine"'),
    ('"noise": "frozen"', '"noise": "define"'),
    ('"noise": "frozen"', '"noise": "run"'),
)
