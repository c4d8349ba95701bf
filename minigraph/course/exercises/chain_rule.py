"""Lesson 04: multiply along a path, add over paths, and do it without going along each of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import prod
from random import Random
from typing import Any

from ..forms import Case
from ..graphs import WORKED_EXAMPLE, Steps, inputs_of, random_graphs
from ..quantities import Gradients, Number
from ..specification import exercise
from .forward_pass import PARTLY, SHARED, SQUARE

LESSON = "04_chain_rule"

Users = dict[str, list[str]]  # node -> the nodes that use it, once for each edge
Edges = dict[str, list[tuple[str, float]]]  # node -> (user, local derivative) for each edge
Values = dict[str, float]

# --- predict a sum over paths ---------------------------------------------------------------------

SHORT, LONG, TOTAL = "a → p → y", "a → p → q → y", "dy/da"


def for_two_paths(rng: Random) -> Case:
    """Three numbers that give short decimals, and no two ways the same: p ≠ q, no path brings 1."""
    a, b, q = rng.choice(
        [
            (a, b, q)
            for a, b in permutations(range(2, 7), 2)
            for q in (2, 4, 5, 10)
            if q not in (b, a * b) and a * b**2 != q**2
        ]
    )
    return float(a), float(b), float(a * b + q)


@exercise(
    points=1,
    value_of=(3.0, 2.0, 10.0),
    others=for_two_paths,
    answer=Gradients("a dictionary with a number for each of the two paths, and for dy/da"),
)
def predict_paths(a: float, b: float, c: float) -> Values:
    r"""Predict a sum over paths

    You know this graph, $p = a \cdot b$, $q = c - p$, $y = p / q$, from the exercises to the lesson
    before. With $a = «a»$, $b = «b»$, $c = «c»$ the forward pass gives $p = «a * b»$,
    $q = «c - a * b»$ and $y = «a * b / (c - a * b)»$, and the local derivatives are
    $\partial p/\partial a = «b»$, $\partial q/\partial p = -1$,
    $\partial y/\partial p = «1 / (c - a * b)»$ and
    $\partial y/\partial q = -«a * b / (c - a * b) ** 2»$.

    ---

    Two paths lead from $a$ to $y$. What does each of them bring, and what is $\partial y/\partial
    a$?

    First step: Write the local derivative on each edge first, as in the exercises to the lesson
    before: dp/da = «b», dq/dp = −1, dy/dp = «1 / (c - a * b)» and
    dy/dq = −«a * b / (c - a * b) ** 2». Then follow the two paths, and replace the dots by your
    numbers.
    Hint: Let a grow by 0.01, and take one path alone: by how much does p change, and by how much
    what comes after it? When both paths have arrived at y, what does y feel?
    Hint: The short path is dp/da · dy/dp. The long one is dp/da · dq/dp · dy/dq. Put in the four
    numbers «b», −1, «1 / (c - a * b)» and −«a * b / (c - a * b) ** 2», and mind the signs.
    Hint: In u = r · s, v = u / r with r = 5, s = 4 two paths lead from r to v. The one through u
    brings du/dr · dv/du = 4 · 0.2 = 0.8, the direct one brings −u / r² = −0.8. So dv/dr = 0: no
    wonder, as v is s.
    Verified: both paths and their sum agree with the formula.
    """
    p, q = a * b, c - a * b
    into_p, into_q, y_by_p, y_by_q = b, -1.0, 1 / q, -p / q**2
    short, long = into_p * y_by_p, into_p * into_q * y_by_q
    return {SHORT: short, LONG: long, TOTAL: short + long}


predict_paths.slip(
    "added along a path",
    """You added the local derivatives along each path. If p changes s times as fast as a, and y t
    times as fast as p, then y changes s · t times as fast as a.""",
    ("into_p * y_by_p, into_p * into_q * y_by_q", "into_p + y_by_p, into_p + into_q + y_by_q"),
)
predict_paths.slip(
    "multiplied over paths",
    """What the two paths bring is right. A nudge of a arrives at y on both of them, and y feels one
    effect and the other. So what happens to the two numbers?""",
    ("short + long", "short * long"),
)
predict_paths.slip(
    "one path only",
    """What the two paths bring is right, and for dy/da you took one of them. y feels a nudge of a
    on both.""",
    ("short + long", "short"),
    ("short + long", "long"),
)
predict_paths.slip(
    "mean over paths",
    """You took the mean of the two paths. They are not two measurements of one thing: each brings
    an effect of its own, and y feels the whole of both.""",
    ("short + long", "(short + long) / 2"),
)
predict_paths.slip(
    "a sign lost",
    """The long path crosses two edges with a minus: p is taken away from c, and q stands in the
    denominator. Is one of the two missing? What is the product of both?""",
    ("into_p * into_q * y_by_q", "into_p * y_by_q"),
)
predict_paths.slip(
    "the first edge forgotten",
    """You have followed the nudge from p on. Before that it crosses the edge from a to p, and it
    does so on both paths.""",
    ("into_p * y_by_p, into_p * into_q * y_by_q", "y_by_p, into_q * y_by_q"),
)


# --- count_paths ----------------------------------------------------------------------------------

DOUBLINGS = 1000  # 2¹⁰⁰⁰ is a number of 302 digits, which a float can still hold
_DEEP = "x0"


def _ladder(doublings: int) -> Users:
    """A graph with 2ⁿ paths, five edges deep for each doubling: deeper than calls can be nested."""
    users: Users = {}
    for n in range(doublings):
        users[f"x{n}"] = [f"p{n}", f"p{n}"]
        steps = [f"p{n}", f"q{n}", f"r{n}", f"s{n}", f"x{n + 1}"]
        users |= {x: [user] for x, user in pairwise(steps)}
    return users | {f"x{doublings}": []}


def _users(graph: Steps) -> Users:
    """Who uses each node, in an order in which the nodes can be computed."""
    users: Users = {name: [] for name in (*inputs_of(graph), *graph)}
    for name, (_, *inputs) in graph.items():
        for x in inputs:
            users[x].append(name)
    return users


def graphs_with_ends(rng: Random) -> list[Case]:
    """Graphs with a source and a target: shared nodes, double edges, dead ends, and no path.

    The source may be the target, or come after it. There are a lone node, a node with many users,
    and at last a graph that is deep.
    """
    diamond: Users = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e", "f"], "e": [], "f": []}
    middle = [f"m{n}" for n in range(12)]
    wide: Users = {"x": [*middle, "y", "y", "y"], **{m: ["y"] for m in middle}, "y": ["z"], "z": []}
    fixed: list[Case] = [
        ({"a": ["y"], "b": ["y"], "y": []}, "a", "y"),
        (_users(SQUARE), "x", "y"),
        ({"a": ["y"], "b": ["y"], "y": []}, "y", "y"),
        ({"a": ["y"], "b": ["y"], "y": []}, "a", "b"),
        ({"a": ["y"], "b": ["y"], "y": []}, "y", "a"),
        ({"x": []}, "x", "x"),
        (diamond, "d", "d"),
        (diamond, "d", "a"),
        (diamond, "a", "d"),
        (wide, "x", "y"),
        (_users(WORKED_EXAMPLE), "b", "y"),
        (diamond, "a", "f"),
        (_users(SHARED), "a", "e"),
        (_users(PARTLY), "p", list(PARTLY)[-1]),
    ]
    for graph in random_graphs(rng, 20, 3, 8):
        users = _users(graph)
        fixed.append((users, rng.choice(inputs_of(graph)), list(graph)[-1]))
    fixed += [(users, source, list(users)[-2]) for users, source, _ in fixed[-3:]]
    fixed.append((_ladder(4), _DEEP, "x4"))
    return [*sorted(fixed, key=lambda case: len(case[0])), (_ladder(DOUBLINGS), _DEEP, "x1000")]


def _users_as_code(users: Users, source: str, target: str) -> str:
    ends = f'source, target = "{source}", "{target}"'
    if len(users) > 100:
        return (
            "users = {}\n"
            f"for n in range({(len(users) - 1) // 5}):\n"
            '    users[f"x{n}"] = [f"p{n}", f"p{n}"]\n'
            '    for name, user in ["pq", "qr", "rs"]:\n'
            '        users[f"{name}{n}"] = [f"{user}{n}"]\n'
            '    users[f"s{n}"] = [f"x{n + 1}"]\n'
            f'users["{target}"] = []\n{ends}'
        )
    lines = "".join(
        f'    "{name}": {_list(map(_quoted, names))},\n' for name, names in users.items()
    )
    return f"users = {{\n{lines}}}\n{ends}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _list(texts: Any) -> str:
    return f"[{', '.join(texts)}]"


@exercise(points=3, cases=graphs_with_ends, answer=Number("a whole number"), code=_users_as_code)
def count_paths(users: Users, source: str, target: str) -> int:
    """Count paths

    For paths it does not matter what the operations are. It matters who uses whom. So here a graph
    is a dictionary that lists the users of each node, in an order in which the nodes can be
    computed. A node that is used twice by the same operation has that user twice in its list, as
    two edges lead there.

    ---

    Write a function that returns the number of paths from a source to a target. In the example
    there are two from `"b"` to `"y"`, one from `"a"` to `"y"`, and none from `"a"` to `"e"`. From a
    node to itself there is one: the path with no edge.

    Your function should also manage a graph with $2^{1000}$ paths, each of them 5,000 edges long.
    (Python lets a function call itself only some thousand times within itself.)

    First step: How many paths lead from the source to the source? Write that number at it, and 0 at
    all other nodes: `counts = dict.fromkeys(users, 0)`. Then let each node hand on its number to
    its users.
    Hint: Do not follow paths; ask each node how many paths lead to it from the source. What must it
    know for that?
    Hint: Go through `users` in its own order. A node that is reached on 3 paths hands on 3 along
    each of its edges, and what arrives at a node is added up.
    Hint: How many ways lead through a town from street to street, with one-way streets and streets
    listed as you come to them:
        ways = {"gate": 1, "market": 0, "bridge": 0}
        ways["market"] += ways["gate"]    # one street from the gate to the market
        ways["bridge"] += ways["gate"]    # one from the gate to the bridge
        ways["bridge"] += ways["market"]  # one from the market to the bridge
    There are two ways from the gate to the bridge.
    Another way: Ask the other way round: in how many ways does one come from a node to the target?
        def count_paths(users, source, target):
            ways = {}
            for name in reversed(users):
                ways[name] = 1 if name == target else sum(ways[user] for user in users[name])
            return ways[source]
    This goes against the arrows, and finds the number for every source at once.
    Verified: it agrees in {cases} cases, one of them with 2^1000 paths, each of them 5,000 edges
    long.
    """
    counts = dict.fromkeys(users, 0)
    counts[source] = 1
    for name in users:
        for user in users[name]:
            counts[user] += counts[name]
    return counts[target]


@count_paths.misconception("path by path")
def _count_by_recursion(users: Users, source: str, target: str) -> int:
    """Your counts are right for small graphs. A function that calls itself for each user goes along
    one path after the other, and its calls are nested as deep as the graph; the second is so
    even if it remembers what it has found. Go through the nodes in a loop instead, each once:
    how many paths lead to it?
    """
    if source == target:
        return 1
    return sum(_count_by_recursion(users, user, target) for user in users[source])


@count_paths.misconception("paths that meet counted as one")
def _count_without_return(users: Users, source: str, target: str) -> int:
    """You enter each node once, and do not go on from it when you come there a second time. But
    each way to a node, together with each way on from it, is a path of its own.
    """
    paths, waiting, seen = 0, [source], {source}
    while waiting:
        for user in users[waiting.pop()]:
            paths += user == target
            if user not in seen:
                seen.add(user)
                waiting.append(user)
    return paths


count_paths.slip(
    "assigned instead of added",
    """Where paths meet you keep the number of the edge that came last. As many paths lead to a
    node as lead to all that it uses, added up.""",
    ("+= counts", "= counts"),
)
count_paths.slip(
    "two edges taken for one",
    """A node may be used twice by the same operation, as in x · x. Then its user stands twice in
    the list, and each of the two edges makes a path.""",
    ("in users[name]:", "in dict.fromkeys(users[name]):"),
)


@count_paths.misconception(
    "edges counted",
    lambda users, source, target: sum(map(len, users.values())),
    lambda users, source, target: len(users[source]),
)
def _count_edges(users: Users, source: str, target: str) -> int:
    """You counted edges. A path is a whole way from the source to the target, and an edge may be
    part of many.
    """
    reached = {source}
    edges = 0
    for name in users:
        if name in reached and name != target:
            reached.update(users[name])
            edges += len(users[name])
    return edges


count_paths.slip(
    "other inputs counted too",
    """You start with a 1 at every input. Only the paths that begin at the source are asked for; to
    the other inputs none of them leads.""",
    (
        "counts = dict.fromkeys(users, 0)",
        "used = {user for names in users.values() for user in names}",
        "counts[source] = 1",
        "counts = {name: int(name not in used or name == source) for name in users}",
    ),
)
count_paths.slip(
    "dead ends counted",
    "Some paths end at another node than the target. They do not count.",
    ("counts[target]", "sum(counts[name] for name in users if not users[name])"),
)
count_paths.slip(
    "users before inputs",
    """You go through the nodes from the last to the first. When it is a node's turn to hand on its
    number to its users, it has not received it yet.""",
    ("in users:", "in reversed(users):"),
)
count_paths.slip(
    "no path to itself",
    """From a node to itself there is one path, the one with no edge. It is what the counting begins
    with.""",
    ("return counts[target]", "return 0 if source == target else counts[target]"),
)


# --- sum_over_paths -------------------------------------------------------------------------------

LOCALS = (-3.0, -2.0, 0.5, 1.5, 2.0, 4.0, 5.0)  # no 0 and no 1, which would hide mistakes
_CANCELLING = {  # two paths whose effects cancel, and one that a local derivative of 0 cuts off
    "a": [("b", 2.0), ("c", 3.0)],
    "b": [("y", 3.0), ("d", 4.0)],
    "c": [("y", -2.0)],
    "d": [("e", 0.0)],
    "e": [("y", 5.0)],
    "y": [],
}


def _with_locals(rng: Random, users: Users) -> Edges:
    return {name: [(user, rng.choice(LOCALS)) for user in names] for name, names in users.items()}


def edges_with_ends(rng: Random) -> list[Case]:
    """The small graphs of the exercise before, with a local derivative on each edge."""
    example: Edges = {
        "a": [("d", 1.0)],
        "b": [("d", 1.0), ("e", 1.0)],
        "c": [("e", -1.0)],
        "d": [("y", 2.0)],
        "e": [("y", 5.0)],
        "y": [],
    }
    cases = [
        (_with_locals(rng, users), source, target)
        for users, source, target in graphs_with_ends(rng)[:-1]
    ]
    ends: list[Case] = [(_CANCELLING, source, "y") for source in "abd"]
    differing = sorted(cases, key=lambda case: case[1] == case[2])  # what shows most goes first
    return [(example, "b", "y"), *differing, *ends]


def paths(edges: Edges, source: str, target: str) -> Iterator[list[float]]:
    """The local derivatives along each path from a source to a target."""
    if source == target:
        yield []
        return
    for user, local in edges[source]:
        for further in paths(edges, user, target):
            yield [local, *further]


def _pushed(edges: Edges, source: str, target: str, join: Callable[..., float]) -> float:
    """Go through the nodes once; `join` puts together what is at a node and what arrives."""
    speeds = dict.fromkeys(edges, 0.0)
    speeds[source] = 1.0
    for name in edges:
        for user, local in edges[name]:
            speeds[user] = join(speeds[user], speeds[name], local)
    return speeds[target]


def _edges_as_code(edges: Edges, source: str, target: str) -> str:
    return f'{_edges_alone(edges)}\nsource, target = "{source}", "{target}"'


def _edges_alone(edges: Edges) -> str:
    if len(edges) > 100:
        return (
            "edges = {}\n"
            f"for n in range({DOUBLINGS}):\n"
            '    edges[f"x{n}"] = [(f"p{n}", -1.0), (f"p{n}", 1.5)]\n'
            '    edges[f"p{n}"] = [(f"q{n}", 2.0)]\n'
            '    edges[f"q{n}"] = [(f"r{n}", 1.0)]\n'
            '    edges[f"r{n}"] = [(f"s{n}", 1.0)]\n'
            '    edges[f"s{n}"] = [(f"x{n + 1}", 1.0)]\n'
            f'edges["x{DOUBLINGS}"] = []'
        )
    lines = "".join(
        f'    "{name}": {_list(f"({_quoted(user)}, {local})" for user, local in leaving)},\n'
        for name, leaving in edges.items()
    )
    return f"edges = {{\n{lines}}}"


@exercise(points=2, cases=edges_with_ends, answer=Number(), code=_edges_as_code)
def sum_over_paths(edges: Edges, source: str, target: str) -> float:
    """Add over paths

    Now each edge has its local derivative: the dictionary lists pairs of the user and a number.
    This is the graph of $y = (a + b)(b - c)$ at $a = 2$, $b = 3$, $c = 1$.

    ---

    Write a function that returns the derivative of the target by the source: multiply along each
    path, and add over the paths. For `"b"` and `"y"` it is 7. The graphs of the check are small, so
    you may go along every path. If no path leads to the target, the derivative is 0; by itself the
    derivative of the target is 1.

    First step: Begin with the simplest question: by how much does the target change for each unit
    of change in itself? Then ask it for the node before. A function that calls itself for each edge
    is a good start here.
    Hint: If you knew the derivative of the target by each user of the source, how would you get the
    one by the source?
    Hint: For the target itself it is 1. For any other node it is a sum over its edges: the local
    derivative, times the derivative of the target by the user. A node without edges that is not the
    target gives 0.
    Hint: How many litres arrive at the sea from a spring, if each pipe passes on a share of what
    enters it:
        def arriving(pipes, place):
            if place == "sea":
                return 1
            return sum(share * arriving(pipes, to) for to, share in pipes[place])
    The shares along a way are multiplied, and what comes by several ways is added.
    Another way: Start at the source and go with the arrows, each edge once:
        def sum_over_paths(edges, source, target):
            speeds = dict.fromkeys(edges, 0.0)
            speeds[source] = 1.0
            for name in edges:
                for user, local in edges[name]:
                    speeds[user] += speeds[name] * local
            return speeds[target]
    This does not go along paths at all. It is forward mode, and lesson 06 comes back to it.
    Verified: the derivative agrees in {cases} cases.
    """
    return sum([prod(local) for local in paths(edges, source, target)])


sum_over_paths.slip(
    "added along a path",
    """Along a path you add the local derivatives. If d changes 2 times as fast as a, and y 5 times
    as fast as d, then y changes 10 times as fast as a, not 7 times.""",
    ("prod(local)", "sum(local)"),
    (
        "sum([prod(local) for local in paths(edges, source, target)])",
        "_pushed(edges, source, target, lambda here, g, local: here + g + local)",
    ),
)
sum_over_paths.slip(
    "multiplied over paths",
    """You multiply what the paths bring. A nudge goes all the paths at the same time, and the
    target feels one effect and the other: they add up.""",
    ("sum(", "prod("),
)
sum_over_paths.slip(
    "one path only",
    """Your derivative comes from a single path. Where several lead to the target, each of them
    brings something.""",
    ("sum(", "(lambda brought: brought[0] if brought else 0.0)("),
    ("sum(", "(lambda brought: brought[-1] if brought else 0.0)("),
    (
        "sum([prod(local) for local in paths(edges, source, target)])",
        "_pushed(edges, source, target, lambda here, g, local: g * local)",
    ),
)
sum_over_paths.slip(
    "the largest path",
    "You took the path that brings most. The others bring something too, and it counts.",
    ("sum(", "max(", "target)])", "target)], key=abs, default=0.0)"),
    ("sum(", "max(", "target)])", "target)], default=0.0)"),
)
sum_over_paths.slip(
    "mean over paths",
    """You took the mean over the paths. Each path brings an effect of its own, and the target feels
    the whole of each.""",
    ("sum(", "(lambda brought: sum(brought) / max(len(brought), 1))("),
)
sum_over_paths.slip(
    "last edge only",
    """Of each path you took the last local derivative alone. What the nudge went through before
    multiplies it.""",
    ("prod(local)", "prod(local[-1:])"),
)
sum_over_paths.slip(
    "first edge only",
    """Of each path you took the first local derivative alone. What the nudge goes through
    afterwards multiplies it.""",
    ("prod(local)", "prod(local[:1])"),
    (
        "sum([prod(local) for local in paths(edges, source, target)])",
        "sum(local for _, local in edges[source])",
    ),
)
sum_over_paths.slip(
    "paths counted",
    "You counted the paths. That would be right if each of them brought 1.",
    ("prod(local)", "1"),
)


@sum_over_paths.misconception("dead ends counted")
def _all_ends(edges: Edges, source: str, target: str) -> float:
    """Your function takes every node that nobody uses for the target. A path that ends elsewhere
    brings nothing.
    """
    if not edges[source]:
        return 1.0
    return sum(local * _all_ends(edges, user, target) for user, local in edges[source])


# --- factor paths ---------------------------------------------------------------------------------

Stages = list[list[float]]
MANY_STAGES = 6000
_REPEATED: Stages = [[0.5, 1.5], [0.25, -0.5, 0.75]]  # sums 2 and ½, so that the product stays near


# A list of all these paths fits into memory, and to go along them takes a moment, even for a function
# that cannot be interrupted on the way. So it is stopped between two of them, and never begins with
# the last case.
_TIRING: Stages = [[0.5, 1.5]] * 15 + [[-1.0]] * 1185
TIMES_TIRED = 40


def stages_of_edges(rng: Random) -> list[Case]:
    """Stages of different lengths: one edge, many, both signs, 0, a sum of 0, and no stage at all.

    Then come long ones with some ten thousand paths, again and again, and at last a very long one.
    """
    fixed: list[Stages] = [
        [[2.0], [3.0, 4.0]],
        [[2.0, 3.0], [4.0, 5.0]],
        [[2.0, 3.0], [0.5, -4.0], [5.0, -2.0]],
        [[-3.0], [-5.0], [-2.0]],
        [[3.0, 3.0], [0.0, 4.0], [2.0]],
        [[3.0, -3.0], [2.0, 5.0]],
        [[-1.0, -2.0, -4.0]],
        [[2.0] * 50, [0.5]],
    ]
    for _ in range(12):
        lengths = [rng.randint(1, 4) for _ in range(rng.randint(2, 5))]
        fixed.append([[rng.choice(LOCALS) for _ in range(length)] for length in lengths])
    fixed.sort(key=lambda stages: sum(map(len, stages)))
    large = [*[_TIRING] * TIMES_TIRED, _REPEATED * (MANY_STAGES // 2)]
    return [(stages,) for stages in [*fixed, [], *large]]


def _stages_as_code(stages: Stages) -> str:
    if len(stages) == len(_TIRING):
        return "stages = [[0.5, 1.5]] * 15 + [[-1.0]] * 1185"
    if len(stages) > 100:
        return f"stages = {stages[:2]} * {len(stages) // 2}"
    return f"stages = {stages}"


@exercise(points=2, cases=stages_of_edges, answer=Number(), code=_stages_as_code)
def factor_paths(stages: Stages) -> float:
    r"""Factor paths

    In this graph every node is used by the next one, once or several times, and by nobody else. The
    edges from one node to the next are a *stage*, and `stages` lists the local derivatives of each
    stage. With `stages = [[2, 3], [4, 5]]` there are four paths, and their sum is $2\cdot 4 +
    2\cdot 5 + 3\cdot 4 + 3\cdot 5 = 45$.

    Return the derivative of the last node by the first. In the last case of the check there are
    6,000 stages and more paths than atoms in the universe, so look for a way with fewer
    multiplications. And in one case there is no stage: then the first node is the last one, and the
    derivative is 1.

    First step: Take one stage alone, with the edges 2 and 3. How many times as fast does the node
    behind it change as the node before it? Then put a second stage behind it.
    Hint: Two stages with the edges a, b and c, d have the four paths ac, ad, bc, bd. Can you write
    their sum with a single multiplication?
    Hint: ac + ad + bc + bd = (a + b) · (c + d). So a stage does the same as one edge that carries
    the sum of its local derivatives.
    Hint: The menus of an inn with 3 starters, 4 mains and 2 desserts need no list to be counted:
        menus = 1
        for course in [3, 4, 2]:
            menus = menus * course
    One factor for each course makes 24, and the menus were never written down.
    Another way: From the last node to the first, as a sweep does:
        def factor_paths(stages):
            gradient = 1.0
            for stage in reversed(stages):
                gradient = sum(gradient * local for local in stage)
            return gradient
    At each stage the gradient is the derivative of the last node by the node before the stage.
    Verified: the derivative agrees in {cases} cases, one of them with more paths than there are
    atoms in the universe.
    """
    return prod(map(sum, stages))


@factor_paths.misconception("a call for each path")
def _by_recursion(stages: Stages) -> float:
    """Your numbers are right for a few stages. But the function calls itself, nested as deep as
    there are stages; and if it does so for each edge, it goes along each path. Think of one
    stage: what does it do to a nudge that comes in? Then take the stages in a loop.
    """
    if not stages:
        return 1.0
    return sum(local * _by_recursion(stages[1:]) for local in stages[0])


factor_paths.slip(
    "edges paired by their place",
    """You follow the first edges of all stages, then the second ones, and so on. But a path may
    take the first edge here and the third one there: every choice is a path.""",
    ("prod(map(sum, stages))", "sum(map(prod, zip(*stages)))"),
)
factor_paths.slip(
    "products within a stage",
    """Within a stage you multiply and over the stages you add. It is the other way round: the
    edges of a stage lie side by side, and the stages one behind the other.""",
    ("prod(map(sum", "sum(map(prod"),
)
factor_paths.slip(
    "everything multiplied",
    "You multiply all the local derivatives. No path goes along two edges of the same stage.",
    ("sum", "prod"),
)
factor_paths.slip(
    "everything added",
    """You add all the local derivatives. Stages come one after the other on each path, and along a
    path one multiplies.""",
    ("prod", "sum"),
)
factor_paths.slip(
    "one edge of each stage",
    "You follow one path. At each stage the nudge takes all the edges.",
    ("map(sum, stages)", "stage[0] for stage in stages"),
    ("map(sum, stages)", "stage[-1] for stage in stages"),
    ("sum", "max"),
)
factor_paths.slip(
    "mean of a stage",
    """You take the mean of each stage. The nudge does not share itself out among the edges: each of
    them passes on its full effect.""",
    ("map(sum, stages)", "sum(stage) / len(stage) for stage in stages"),
)


# --- repair a sweep -------------------------------------------------------------------------------


@dataclass(frozen=True)
class DerivativesByNode(Gradients):
    """A number for each node of a graph that is given by its edges alone."""

    def picture(self, answer: Any, arguments: tuple[Any, ...], case: Case, node: Any) -> Any:
        """Draw nothing: without operations there are no Nodes to draw."""
        return None


def _edges_of_a_ladder() -> Edges:
    """A deep graph with many paths, in which the derivatives neither vanish nor grow."""
    locals_at = {"x": (-1.0, 1.5), "p": (2.0,), "q": (1.0,), "r": (1.0,), "s": (1.0,)}
    users = _ladder(DOUBLINGS)
    return {name: list(zip(names, locals_at[name[0]])) for name, names in users.items()}


def edges_with_a_target(rng: Random) -> list[Case]:
    """Graphs with shared nodes; in some of them the target is not the last node.

    Some effects cancel, some local derivatives are 0, one node is alone, and one graph is deep.
    """
    cases = [(edges, target) for edges, _, target in edges_with_ends(rng)]
    product: Edges = {"a": [("y", 3.0)], "b": [("y", 2.0)], "y": []}
    used: Edges = {"x": [("p", 2.0)], "p": [("q", 3.0), ("y", 5.0)], "q": [("y", 4.0)], "y": []}
    fixed: list[Case] = [(product, "y"), (used, "y"), (used, "q")]
    large: list[Case] = [(_edges_of_a_ladder(), f"x{DOUBLINGS}")]
    return [*fixed, *cases, (_CANCELLING, "y"), (_CANCELLING, "d"), *large]


@exercise(
    points=2,
    kind="repair",
    cases=edges_with_a_target,
    answer=DerivativesByNode("a dictionary with a number for every node"),
    code=lambda edges, target: f'{_edges_alone(edges)}\ntarget = "{target}"',
)
def repair_sweep(edges: Edges, target: str) -> Values:
    """Repair a reverse sweep

    This sweep finds the derivative of the target by every node at once. It begins at the target and
    goes from users to inputs. Its author reports: *"For $a$ and $c$ the numbers are right. For $b$
    I get 5, and it should be 7."*

    ---

    Write a version that is right for every node and every graph, also for one with $2^{1000}$
    paths, each of them 5,000 edges long. One sweep is enough for that.

    First step: Copy the body of `broken_sweep` into your function, and follow b through it by hand.
    It has two edges. What is `gradients["b"]` after the first of them, and what after the second?
    Hint: Which nodes come out right, and which wrong? Count their edges.
    Hint: Each edge brings upstream times local. What has been brought by an earlier edge must stay,
    and must not be multiplied again.
    Hint: A till adds up a bill of several items, each a number times a price:
        bill = 0
        for number, price in [(2, 3.0), (4, 0.5)]:
            bill = bill + number * price
    With `bill = number * price` only the last item would be paid for.
    Another way: Collect before you write, and nothing can be overwritten:
        def repair_sweep(edges, target):
            gradients = {}
            for name in reversed(edges):
                brought = sum(gradients[user] * local for user, local in edges[name])
                gradients[name] = 1.0 if name == target else brought
            return gradients
    Each node is written once, when all of its users are done.
    Verified: every derivative agrees in {cases} graphs.
    """
    gradients = dict.fromkeys(edges, 0.0)
    gradients[target] = 1.0
    for name in reversed(edges):
        for user, local in edges[name]:
            gradients[name] += gradients[user] * local
    return gradients


repair_sweep.slip(
    "overwritten instead of added",
    """A node with several edges still gets what the last of them brings, and that of the others is
    lost. What they bring adds up.""",
    ("+=", "="),
)
repair_sweep.slip(
    "added in the wrong place",
    """You add before you multiply, so what a node had already from one edge is multiplied by the
    local derivative of the next one. Multiply first: each edge brings upstream times local.""",
    ("+= gradients[user] * local", "= (gradients[name] + gradients[user]) * local"),
)
repair_sweep.slip(
    "local derivative added",
    """Along an edge the upstream gradient and the local derivative are multiplied. Adding is for
    what several edges bring.""",
    ("[user] * local", "[user] + local"),
    ("gradients[user] * local", "local"),
)
repair_sweep.slip(
    "upstream gradient only",
    "You hand down the gradient of the user as it is. The edge in between has a local derivative.",
    ("[user] * local", "[user]"),
)
repair_sweep.slip(
    "multiplied over edges",
    "You multiply what the edges of a node bring. They add up.",
    ("+= gradients", "= (gradients[name] or 1.0) * gradients"),
)
repair_sweep.slip(
    "inputs before users",
    """You go from the inputs to the target. When a node's turn comes, the gradients of its users
    are still 0. Users go first.""",
    ("reversed(edges)", "edges"),
)
repair_sweep.slip(
    "handed to the users",
    """A sweep in reverse brings the gradient from a node to what it was computed from. Yours hands
    it on to the users, where it came from.""",
    ("gradients[name] += gradients[user]", "gradients[user] += gradients[name]"),
)
repair_sweep.slip(
    "started at the last node",
    """You begin with a 1 at the last node of the dictionary. The sweep begins at the target, which
    may be another one.""",
    ("gradients[target]", "gradients[list(edges)[-1]]"),
)
