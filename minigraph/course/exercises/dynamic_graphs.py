"""Lesson 10: what runs leave, Newton's method, trees, a gradient that is cut short, a repair."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ...autodiff.derivatives import grad
from ...core.node import Node, constant, variable
from ...core.table import tanh
from ..answers import Numbers, node_of
from ..forms import Case, WrongForm
from ..quantities import Gradients
from ..specification import exercise

LESSON = "10_dynamic_graphs"


@dataclass(frozen=True)
class NodeWithSlopes(Gradients):
    """A Node of one number, read as its value and its slopes by the variables that were given."""

    what: str = "a Node"

    def read(self, answer: Any, arguments: tuple[Any, ...]) -> dict[str, float]:
        """Differentiate what was returned; an input on which it does not depend has slope 0."""
        node = node_of(answer, self.what)
        if node.shape:
            raise WrongForm("The Node should hold one number, and it holds an array.", "array")
        inputs = dict.fromkeys(_nodes(arguments))
        connected = node
        for x in inputs:
            connected = connected + 0.0 * x
        slopes = zip(inputs, grad(connected, [*inputs]))
        return {
            "value": float(node.value),
            **{f"slope by {x.name}": float(slope.value) for x, slope in slopes},
        }


def _nodes(arguments: Any) -> Iterator[Node]:
    """The Nodes in arguments, also those in lists and dictionaries."""
    if isinstance(arguments, Node):
        yield arguments
    elif isinstance(arguments, Mapping):
        yield from _nodes([*arguments.values()])
    elif isinstance(arguments, (list, tuple)):
        for part in arguments:
            yield from _nodes(part)


def _code(**values: Any) -> str:
    """Variables as Python code; what is no float stands as it is."""
    return "\n".join(
        f'{name} = mg.variable({x!r}, name="{name}")' if isinstance(x, float) else f"{name} = {x}"
        for name, x in values.items()
    )


# --- predict the number of operations -------------------------------------------------------------

RUNS: dict[str, tuple[str, float]] = {
    "loop": ("y = x\nwhile y < 20:\n    y = y * 2", 3.0),
    "branch": ("y = x * x + 1 if x > 0 else -x", -1.0),
    "turns": ("y = x\nfor n in range(4):\n    y = y + x * n", 2.0),
    "decision": ("y = x * x\nif y.value > 5:\n    y = y / 2", 3.0),
    "powers": (
        "def power(x, n):\n"
        "    if n == 1:\n"
        "        return x\n"
        "    half = power(x, n // 2)\n"
        "    return half * half * x if n % 2 else half * half\n"
        "y = power(x, 6)",
        2.0,
    ),
    "unused": ("d = x * 3\ny = x + 1", 2.0),
}


@exercise(
    points=1,
    value_of=(RUNS,),
    answer=Numbers("a dictionary that gives each case its number of operations"),
)
def predict_operations(runs: dict[str, tuple[str, float]]) -> dict[str, float]:
    """Predict the number of operations

    `x` is a variable. Each case runs the code once, with the value of `x` that stands beside it.

    | case | code | x |
    |---|---|---|
    | loop | `y = x` and then `while y < 20: y = y * 2` | 3 |
    | branch | `y = x * x + 1 if x > 0 else -x` | −1 |
    | turns | `y = x` and then `for n in range(4): y = y + x * n` | 2 |
    | decision | `y = x * x` and then `if y.value > 5: y = y / 2` | 3 |
    | powers | `y = power(x, 6)`, with the function of the lesson, by squaring | 2 |
    | unused | `d = x * 3` and then `y = x + 1` | 2 |

    How many operations has the graph of $y$, that is how many lead to it?

    First step: Take the first case and write down each product that is computed, with its numbers,
    until the loop ends. Replace the dots by numbers.
    Hint: Be Python: go through the code line by line and make a stroke for each operation on nodes
    that is run. Then ask of each stroke whether y depends on it.
    Hint: A comparison leads to an answer for Python, and not to y. A branch that is not run makes
    nothing. A product with the plain number 0 is run as any other one.
    Hint: For `y = x`, `while y > 3: y = y - x / 4` and x = 4 the values are 4, 3. The loop is run
    once, and there are two operations, the division and the subtraction.
    Verified: all six agree with graphs that were made by running the code.
    """
    return {"loop": 3, "branch": 1, "turns": 8, "decision": 2, "powers": 3, "unused": 1}


predict_operations.slip(
    "comparisons counted",
    """You count comparisons. They are run, but to what do they lead: to y, or to a decision of
    Python's?""",
    ('"loop": 3, "branch": 1', '"loop": 7, "branch": 2'),
    ('"loop": 3', '"loop": 7'),
    ('"branch": 1', '"branch": 2'),
    ('"decision": 2', '"decision": 3'),
)
predict_operations.slip(
    "code counted instead of runs",
    """You count what is written in a loop. How often is it run, and what does each run of a line
    leave?""",
    ('"loop": 3', '"loop": 1', '"turns": 8', '"turns": 2'),
    ('"loop": 3', '"loop": 1'),
    ('"turns": 8', '"turns": 2'),
)
predict_operations.slip(
    "branch that was not run",
    "One branch was run. What of the other one can be in the graph, if nothing was computed there?",
    ('"branch": 1', '"branch": 3'),
    ('"branch": 1', '"branch": 4'),
)
predict_operations.slip(
    "nothing is done for zero",
    """When n is 0, Python still runs x · n and the sum: a dynamic graph holds what was run, not what
    would have been enough.""",
    ('"turns": 8', '"turns": 6'),
    ('"turns": 8', '"turns": 7'),
)
predict_operations.slip(
    "a product for each factor",
    """You count one product for each factor of x⁶. The function computes a half of the power once,
    and uses that node twice.""",
    ('"powers": 3', '"powers": 5'),
    ('"powers": 3', '"powers": 6'),
)
predict_operations.slip(
    "what y does not need",
    "d has been computed as well. Which way leads from there to y?",
    ('"unused": 1', '"unused": 2'),
)


# --- Newton's method ------------------------------------------------------------------------------


def roots(rng: Random) -> list[Case]:
    """Both signs, starts that are good enough, one turn, few turns, very many, and random ones."""
    fixed: list[Case] = [
        (8.0, 2.0, 0.5),
        (8.0, 1.5, 0.5),
        (2.0, 1.0, 0.25),
        (-8.0, -3.0, 0.5),
        (-27.0, -2.0, 1e-3),
        (27.0, 5.0, 2.0),
        (0.5, 2.0, 1e-6),
        (3.0, 1.4, 0.3),
        (2.0, 1.0, 1e-9),
        (8.0, 1.5, 0.5),
    ]
    for _ in range(8):
        root = rng.choice((-1, 1)) * rng.randint(5, 40) / 7
        fixed.append(
            (round(root**3, 3), round(root * rng.uniform(0.6, 1.9), 3), 10.0 ** -rng.randint(1, 6))
        )
    return [*fixed, (1e9, 1.0, 1e-3)]


@exercise(
    points=2,
    cases=roots,
    as_arguments=lambda a, start, tolerance: (
        variable(a, name="a"),
        variable(start, name="start"),
        tolerance,
    ),
    answer=NodeWithSlopes(),
    code=lambda a, start, tolerance: f"{_code(a=a, start=start)}\ntolerance = {tolerance!r}",
)
def cube_root(a: Any, start: Any, tolerance: float) -> Any:
    """Differentiate through Newton's method

    `a` and `start` are Nodes, `tolerance` is a plain number. Begin with $x$ = start. As long as $x^3$
    is farther from $a$ than the tolerance, replace $x$ by

    $$x - \\frac{x^3 - a}{3 x^2}.$$

    Return the last $x$ as a Node, so that its slopes by `a` and by `start` are those of the turns
    that were run. If the start is good enough, return it.

    First step: Write `x = start` and `return x`. That is right for the first case, where the start is
    good enough. Then comes the loop.
    Hint: The condition is asked before each turn, also before the first. Which of its numbers are
    Nodes, and does it matter to a comparison?
    Hint: Farther from a on either side: the distance is an `abs`. And everything that is assigned to
    x should be a Node that was computed of Nodes.
    Hint: Here is Newton's method for 1 / a, which needs no division:
        x = start
        while abs(x * a - 1) > tolerance:
            x = x * (2 - a * x)
        return x
    Another way: A recursion does without a loop, and leaves the same graph:
        def cube_root(a, start, tolerance):
            if abs(start * start * start - a) <= tolerance:
                return start
            return cube_root(a, start - (start**3 - a) / (3 * start**2), tolerance)
    With very many turns Python's stack would end it, and the loop has no such limit.
    Verified: value and both slopes agree in {cases} cases, from no turn to more than forty.
    """
    x = start
    while abs(x * x * x - a) > tolerance:
        x = x - (x * x * x - a) / (3 * x * x)
    return x


_LOOP = "while abs(x * x * x - a) > tolerance:"
cube_root.slip(
    "a turn before the question",
    """You make a turn before you ask whether it is needed. What should come back if the start is
    good enough?""",
    ("x = start", "x = start - (start * start * start - a) / (3 * start * start)"),
)
cube_root.slip(
    "the values leave the graph",
    """Your value is right, and a slope is lost. Somewhere a plain number, such as `.value`, goes on
    into x. What was its graph?""",
    ("x = start", "x = start.detach()"),
    ("x = start", "x, a = start, a.detach()"),
    ("x = start", "x, a = start.detach(), a.detach()"),
    ("x = x - (x", "x = x.detach(); x = x - (x"),
    ("(x * x * x - a) / (3 * x * x)", "((x * x * x - a) / (3 * x * x)).detach()"),
    ("/ (3 * x * x)", "/ (3 * x * x).detach()"),
    ("return x", "return x.detach()"),
)
cube_root.slip(
    "always the same number of turns",
    "You go round a fixed number of times. How many turns are needed depends on the numbers.",
    (_LOOP, "for _ in range(10):"),
    (_LOOP, "for _ in range(20):"),
    (_LOOP, "for _ in range(100):"),
    (_LOOP, "for _ in range(5):"),
)
cube_root.slip(
    "one side only",
    """x³ may lie above a or below it. Your condition ends the loop on one of the sides, however far
    away it is.""",
    (_LOOP, "while x * x * x - a > tolerance:"),
    (_LOOP, "while a - x * x * x > tolerance:"),
)
cube_root.slip(
    "the step compared",
    """You compare the length of a step with the tolerance. The task compares the distance of x³ from
    a.""",
    (_LOOP, "while abs((x * x * x - a) / (3 * x * x)) > tolerance:"),
)
cube_root.slip(
    "one turn at most",
    "After your turn it may not be close enough yet. Who asks again?",
    (_LOOP, "if abs(x * x * x - a) > tolerance:"),
)


# --- a network over trees -------------------------------------------------------------------------

Tree = Any  # a word, or a pair of trees
WORDS = {"good": 0.75, "bad": -1.25, "not": -0.5, "very": 1.5, "dull": 0.0}


def _left(depth: int) -> Tree:
    return "bad" if depth == 0 else [_left(depth - 1), "very"]


def _right(depth: int) -> Tree:
    return "good" if depth == 0 else ["not", _right(depth - 1)]


def _random_tree(rng: Random, leaves: int) -> Tree:
    if leaves == 1:
        return rng.choice([*WORDS])
    left = rng.randint(1, leaves - 1)
    return [_random_tree(rng, left), _random_tree(rng, leaves - left)]


def trees_to_read(rng: Random) -> list[Case]:
    """A word, pairs, both forms of three words, words that come again; deep to either side."""
    trees: list[Tree] = [
        "bad",
        ["very", "good"],
        ["good", "very"],
        ["not", ["very", "good"]],
        [["not", "very"], "good"],
        ["dull", "dull"],
        [["not", "good"], ["not", "bad"]],
        "bad",
    ]
    trees += [_random_tree(rng, n) for n in (3, 4, 5, 6, 8, 10, 12)]
    trees += [_left(25), _right(25)]
    weights = [(0.5, -1.5), (1.25, 0.75), (-0.75, 1.0)]
    return [(tree, WORDS, *weights[n % 3]) for n, tree in enumerate(trees)]


def _as_tuples(tree: Tree) -> Tree:
    return tree if isinstance(tree, str) else tuple(map(_as_tuples, tree))


def _tree_code(tree: Tree, words: dict[str, float], left: float, right: float) -> str:
    return (
        f"tree = {_as_tuples(tree)!r}\n"
        f"words = {{w: mg.variable(x, name=w) for w, x in {words!r}.items()}}\n"
        f"{_code(wl=left, wr=right)}"
    )


@exercise(
    points=3,
    cases=trees_to_read,
    as_arguments=lambda tree, words, left, right: (
        _as_tuples(tree),
        {word: variable(x, name=word) for word, x in words.items()},
        variable(left, name="wl"),
        variable(right, name="wr"),
    ),
    answer=NodeWithSlopes(),
    code=_tree_code,
)
def read_tree(tree: Tree, words: dict[str, Any], wl: Any, wr: Any) -> Any:
    """Write a network over trees

    A tree is a word, such as `"good"`, or a pair of trees, such as `("not", ("very", "good"))`. The
    meaning of a word is the Node `words[word]`, as it is. The meaning of a pair is

    $$\\tanh(w_l\\, l + w_r\\, r),$$

    where $l$ and $r$ are the meanings of its left and its right part, and `wl` and `wr` are Nodes.
    Return the meaning of the tree.

    First step: Write what a word means: `if isinstance(tree, str): return words[tree]`. That is right
    for the first case. Then unpack a pair: `left, right = tree`.
    Hint: The meaning of a pair needs the meanings of two trees. Which function gives the meaning of
    a tree?
    Hint: Let the function call itself for the left part and for the right part, with the same words
    and the same two weights, and combine what comes back with one line.
    Hint: The depth of a tree is found in the same way:
        def depth(tree):
            if isinstance(tree, str):
                return 0
            left, right = tree
            return 1 + max(depth(left), depth(right))
    Another way: With a pile of results in place of recursion, no tree is too deep:
        def read_tree(tree, words, wl, wr):
            todo, done = [tree], []
            while todo:
                part = todo.pop()
                if part is None:
                    right, left = done.pop(), done.pop()
                    done.append(mg.tanh(wl * left + wr * right))
                elif isinstance(part, str):
                    done.append(words[part])
                else:
                    todo += [None, part[1], part[0]]
            return done.pop()
    Verified: the meaning and its slopes by all words and both weights agree for {cases} trees.
    """
    if isinstance(tree, str):
        return words[tree]
    left, right = tree
    return tanh(wl * read_tree(left, words, wl, wr) + wr * read_tree(right, words, wl, wr))


read_tree.slip(
    "left and right swapped",
    """You give the weight of the left part to the right one. Try a pair of two different words by
    hand.""",
    ("left, right = tree", "right, left = tree"),
    ("wl * read_tree", "wr * read_tree", "+ wr * read_tree", "+ wl * read_tree"),
)
read_tree.slip(
    "words bent as well",
    "The meaning of a word is its Node as it is. You have sent it through tanh first.",
    ("return words[tree]", "return tanh(words[tree])"),
)
read_tree.slip(
    "bent at the root only",
    """Each pair is bent, also one within another. You bend the result once, at the end. Where does
    tanh stand in the formula?""",
    lambda tree, words, wl, wr: (
        words[tree] if isinstance(tree, str) else tanh(_straight(tree, words, wl, wr))
    ),
)
read_tree.slip(
    "not bent",
    "The formula for a pair has a tanh around the sum.",
    lambda tree, words, wl, wr: _straight(tree, words, wl, wr),
)
read_tree.slip(
    "words in a row",
    """You read the words one after the other. Then "not (very good)" and "(not very) good" mean the
    same. Which of them is a part of which?""",
    lambda tree, words, wl, wr: _in_a_row(_leaves(tree), words, wl, wr),
    lambda tree, words, wl, wr: _in_a_row(_leaves(tree)[::-1], words, wr, wl),
)
read_tree.slip(
    "one weight for both",
    "There are two weights, one for the left part and one for the right part. You use one of them.",
    ("+ wr * read_tree", "+ wl * read_tree"),
    ("wl * read_tree", "wr * read_tree"),
)
read_tree.slip(
    "the values leave the graph",
    """Your value is right, and a slope is lost. Somewhere a plain number, such as `.value`, has been
    taken out of a Node and computed with.""",
    ("return words[tree]", "return words[tree].detach()"),
    ("wl * read_tree", "wl.detach() * read_tree"),
    ("+ wr * read_tree", "+ wr.detach() * read_tree"),
    ("+ wr * read_tree(right, words, wl, wr)", "+ wr * read_tree(right, words, wl, wr).detach()"),
)


def _straight(tree: Tree, words: dict[str, Any], wl: Any, wr: Any) -> Any:
    if isinstance(tree, str):
        return words[tree]
    left, right = tree
    return wl * _straight(left, words, wl, wr) + wr * _straight(right, words, wl, wr)


def _leaves(tree: Tree) -> list[str]:
    return [tree] if isinstance(tree, str) else [*_leaves(tree[0]), *_leaves(tree[1])]


def _in_a_row(leaves: list[str], words: dict[str, Any], wl: Any, wr: Any) -> Any:
    state = words[leaves[0]]
    for word in leaves[1:]:
        state = tanh(wl * state + wr * words[word])
    return state


# --- a gradient that is cut short -----------------------------------------------------------------


def sequences(rng: Random) -> list[Case]:
    """Nothing to read, one step, all steps, more than there are; a weight of 0, and a long one."""
    fixed: list[Case] = [
        ([2.0, 3.0, 5.0], 0.5, 2),
        ([2.0, 3.0, 5.0, -1.0], -1.5, 1),
        ([2.0, 3.0, 5.0, -1.0], -1.5, 3),
        ([2.0, 3.0, 5.0, -1.0], -1.5, 4),
        ([2.0, 3.0, 5.0, -1.0], 2.0, 6),
        ([4.0], 0.5, 1),
        ([4.0, -2.5], 0.0, 2),
        ([4.0, -2.5, 3.0], 0.0, 1),
        ([], 0.5, 2),
        ([2.0, 3.0, 5.0], 0.5, 2),
    ]
    for length in (4, 5, 6, 7, 8, 9):
        xs = [rng.randint(-9, 9) / 2 or 1.25 for _ in range(length)]
        fixed.append((xs, rng.choice((-0.75, 0.5, 1.25)), rng.randint(1, length)))
    return [*fixed, ([0.5, -1.0, 2.0] * 400, 0.9, 700)]


@exercise(
    points=2,
    cases=sequences,
    as_arguments=lambda xs, w, steps: ([*xs], variable(w, name="w"), steps),
    answer=NodeWithSlopes(),
    code=lambda xs, w, steps: f"xs = {xs}\n{_code(w=w)}\nsteps = {steps}",
)
def last_state(xs: list[float], w: Any, steps: int) -> Any:
    """Cut a gradient short

    A recurrent sum reads the numbers `xs`: it begins with $h = 0$, and replaces $h$ by $w h + x$ for
    each of them. `w` is a Node. For long sequences the backward pass is cut short: it goes back
    through the last few steps only. This is called *truncated* backpropagation through time.

    Return the last $h$ as a Node. Its value is that of the whole sequence. Its slope by $w$ goes back
    through the last `steps` steps, and takes the $h$ before them for a constant. `steps` is at least
    1; if there are fewer numbers than that, nothing is cut. With nothing to read $h$ is 0.

    First step: Write the loop without a cut, beginning with `h = mg.constant(0.0)`. Then `h.detach()`
    is a Node with the same value and without a past; where does it belong?
    Hint: Write down h for xs = [2, 3, 5] with its formula. Which h should be a plain number if two
    steps count?
    Hint: Cut once, just before the first of the last steps. With `enumerate` you know which step you
    are in; `len(xs) - steps` have gone by before it.
    Hint: Here the first half is read without a past:
        for n, x in enumerate(xs):
            if n == len(xs) // 2:
                h = h.detach()
            h = h + w * x
    Another way: Read the first numbers without making a graph at all:
        def last_state(xs, w, steps):
            first = max(0, len(xs) - steps)
            h = 0.0
            for x in xs[:first]:
                h = w.value * h + x
            h = mg.constant(h)
            for x in xs[first:]:
                h = w * h + x
            return h
    That is faster, for nothing is built in order to be cut off.
    Verified: value and slope agree in {cases} cases, one of them with 1200 numbers.
    """
    h = constant(0.0)
    for n, x in enumerate(xs):
        if n == len(xs) - steps:
            h = h.detach()
        h = w * h + x
    return h


last_state.slip(
    "never cut",
    "Your slope goes back to the first number. Where does it have to end?",
    ("h = h.detach()", "pass"),
)
last_state.slip(
    "cut in each step",
    "You cut before each step, so that one step is left, however many are asked for.",
    ("if n == len(xs) - steps:", "if True:"),
)
last_state.slip(
    "counted from the beginning",
    """You cut after the first steps, counted from the beginning. Those that count are the last
    ones.""",
    ("len(xs) - steps", "steps"),
)
last_state.slip(
    "a step too many",
    "You let one step too many count. With steps = 1, which h is a constant?",
    ("len(xs) - steps", "len(xs) - steps - 1"),
)
last_state.slip(
    "a step too few",
    "You let one step too few count. With steps = 1, which h is a constant?",
    ("len(xs) - steps", "len(xs) - steps + 1"),
)
last_state.slip(
    "the beginning forgotten",
    """The value of h has to come from the whole sequence. You cut off its past, and its value as
    well.""",
    ("h = h.detach()", "h = constant(0.0)"),
)
last_state.slip(
    "cut again and again",
    """You cut each time that so many steps have gone by. Then what is left after the last cut is
    seldom as long as it should be.""",
    ("n == len(xs) - steps", "n % steps == 0"),
    ("n == len(xs) - steps", "n and n % steps == 0"),
)
last_state.slip(
    "nothing left",
    "Your result has no slope at all. Which h may be detached, and which may not?",
    ("return h", "return h.detach()"),
    ("h = constant(0.0)", "h, w = constant(0.0), w.detach()"),
)


# --- repair a program that leaves its graph -------------------------------------------------------


def levels(rng: Random) -> list[Case]:
    """No hour, one, several; a limit that is met exactly; and so many that nobody would count."""
    fixed: list[Case] = [
        (8.0, 0.5, 3.0),
        (8.0, 0.5, 2.0),
        (5.0, 0.25, 5.0),
        (5.0, 0.25, 9.0),
        (6.0, 0.75, 5.0),
        (100.0, 0.125, 20.0),
        (8.0, 0.5, 3.0),
    ]
    for _ in range(7):
        fixed.append((rng.randint(10, 90) / 2, rng.randint(5, 60) / 100, rng.randint(5, 40) / 9))
    return [*fixed, (1000.0, 0.0078125, 0.75)]


@exercise(
    points=2,
    kind="repair",
    cases=levels,
    as_arguments=lambda level, rate, limit: (
        variable(level, name="level"),
        variable(rate, name="rate"),
        limit,
    ),
    answer=NodeWithSlopes(),
    code=lambda level, rate, limit: f"{_code(level=level, rate=rate)}\nlimit = {limit!r}",
)
def fall_below(level: Any, rate: Any, limit: float) -> Any:
    """Repair a program that leaves its graph

    The level of a medicine falls by a share in each hour, the `rate`, until it is not above a limit
    any more. The author of this program reports: *"The level is right. But both gradients are
    None."*

    ---

    Write a version with right gradients. `level` and `rate` are Nodes, `limit` is a plain number. If
    the level is not above the limit at once, return it as it is.

    First step: Copy the body of `broken_fall` into your function, and look for the lines in which
    `.value` is read. Which of them decides something, and which ones compute something?
    Hint: Call your function with level 8, rate 0.5 and limit 3, and follow the inputs of the result
    backwards. Where do you get stuck, and at which line was that node made?
    Hint: There are two leaks: the rate goes out in one line, and the level in another one. Nodes can
    be subtracted from numbers and multiplied by each other.
    Hint: This loses the price and keeps the number of pieces:
        cost = pieces * price.value
    This decides by the value and keeps both:
        cost = pieces * price if price.value > 2 else pieces * 2
    Verified: level and slopes agree in {cases} cases, from no hour to more than 900.
    """
    while level.value > limit:
        level = level * (1 - rate)
    return level


fall_below.slip(
    "the rate still leaves",
    "The slope by the level is right now. The rate is still read as a plain number somewhere.",
    ("(1 - rate)", "(1 - rate).detach()"),
)
fall_below.slip(
    "the level still leaves",
    "The level of each hour begins anew as a plain number. Only the last hour is in your graph.",
    ("level * (1", "level.detach() * (1"),
)
fall_below.slip(
    "both still leave",
    "What you return has no past. At which line was its Node made, and of what?",
    ("level * (1 - rate)", "(level * (1 - rate)).detach()"),
    ("return level", "return level.detach()"),
)
fall_below.slip(
    "an hour too many",
    """The level falls as long as it is above the limit. You let it fall once more when it is just on
    the limit, or before you have asked.""",
    ("level.value > limit", "level.value >= limit"),
    ("return level", "return level * (1 - rate)"),
)
fall_below.slip(
    "one hour at most",
    "After an hour the level may still be above the limit.",
    ("while", "if"),
)
fall_below.slip(
    "the same share of the first level",
    """In each hour the level falls by a share of what is left. Yours falls by a share of what was
    there at first.""",
    (
        "while level.value",
        "fall = level * rate\n    while level.value",
        "level * (1 - rate)",
        "level - fall",
    ),
)
