"""Lesson 01: from an expression to its graph, and what the graph holds."""

from random import Random
from typing import Any

from ...core.node import Node, variable
from ..answers import Members, Numbers, SameGraph, SingleSteps
from ..graphs import WORKED_EXAMPLE, Graph, as_call, build, chain, random_graphs
from ..specification import Case, Exercise, Misconception
from . import counting

LESSON = "01_expressions_as_graphs"

# --- count the parts of a graph -------------------------------------------------------------------

count_parts = Exercise(
    name="count_parts",
    title="Count the parts of a graph",
    lesson=LESSON,
    kind="predict",
    points=1,
    task="How many inputs, operations and edges has the graph of d = a + b, e = d · d, y = e − b? "
    "Answer with a dictionary of three numbers.",
    arguments=lambda rng: [({"d": ("+", "a", "b"), "e": ("*", "d", "d"), "y": ("-", "e", "b")},)],
    reference=counting.count,
    form=Numbers('a dictionary with a number for "inputs", "operations" and "edges"', 0, 0),
    misconceptions=(
        counting.LETTERS,
        counting.ARROWS_MERGED,
        counting.TREE,
        counting.RESULT_AS_ARROW,
        counting.ALL_BOXES,
        counting.RESULT_LEFT_OUT,
    ),
    first_step="Draw the graph on paper first: one box for each of a, b, d, e and y, and one arrow for "
    "each argument. Then replace the dots by your three counts.",
    hints=(
        "Count each kind by itself. Inputs are boxes that no arrow enters. Operations are boxes that "
        "arrows enter. Edges are the arrows, one for each argument of each operation.",
        "Go through the three lines d = …, e = …, y = … one by one and write down the arguments of each. "
        "Every argument is one arrow, even if the same letter stands there twice.",
        "In u = p · p, v = u + q there are two inputs (p and q), two operations (· and +), and four "
        "edges: two from p to u, one from u to v, and one from q to v.",
    ),
    verified="all three numbers agree with the graph.",
)

# --- build graphs ---------------------------------------------------------------------------------


def three_numbers(rng: Random) -> list[Case]:
    """Three values, each of them the largest once; two alike; 0, and both signs; random ones."""
    fixed = [
        (7.0, 3.0, 2.0),
        (3.0, 7.0, 2.0),
        (2.0, 3.0, 7.0),
        (3.0, 3.0, 3.0),
        (0.0, 5.0, 0.0),
        (-4.0, 0.0, -1.5),
    ]
    more = [tuple(rng.sample([n / 2 for n in range(3, 20)], 3)) for _ in range(4)]
    return fixed + more


def three_variables(*values: float) -> tuple[Node, ...]:
    """The variables a, b and c."""
    return tuple(variable(value, name=name) for name, value in zip("abc", values))


def three_lines(*values: float) -> str:
    """The variables a, b and c as Python code."""
    return "\n".join(f'{x} = mg.variable({v}, name="{x}")' for x, v in zip("abc", values))


NUMBERS_ONLY = Misconception(
    "numbers instead of Nodes",
    "With `.value` you took the numbers out of the Nodes and computed with these. The result is right, "
    "but it no longer knows where it came from. Write the expression with a, b and c themselves.",
    lambda a, b, c: a.value - b.value,
)

build_quotient = Exercise(
    name="build_quotient",
    title="Build the graph of an expression",
    lesson=LESSON,
    kind="build",
    points=2,
    task="Given the Nodes a, b and c, return the Node of (a − b) / (b + c), with the operations and "
    "their inputs as they stand in the expression.",
    parameters=("a", "b", "c"),
    arguments=three_numbers,
    given=three_variables,
    as_code=three_lines,
    reference=lambda a, b, c: (a - b) / (b + c),
    form=SameGraph("the Node of the result"),
    misconceptions=(
        NUMBERS_ONLY,
        Misconception(
            "difference swapped",
            "You built b − a where the expression has a − b. The two inputs of − are not alike: the "
            "first is what you take away from, the second is what you take away.",
            lambda a, b, c: (b - a) / (b + c),
            lambda a, b, c: (b - a) / (c + b),
        ),
        Misconception(
            "quotient upside down",
            "Your last operation divides the wrong way round. The first input of ÷ is what stands above "
            "the line, the second is what stands below.",
            lambda a, b, c: (b + c) / (a - b),
        ),
        Misconception(
            "parentheses forgotten",
            "In Python, as in mathematics, / goes before + and −. So `a - b / b + c` is a − (b / b) + c. "
            "Where the expression has parentheses, your code needs them too.",
            lambda a, b, c: a - b / b + c,
            lambda a, b, c: a - b / (b + c),
            lambda a, b, c: (a - b) / b + c,
        ),
        Misconception(
            "sum turned round",
            "b + c and c + b are the same number, but not the same graph: the edges of a node have an "
            "order. Keep the order of the expression.",
            lambda a, b, c: (a - b) / (c + b),
        ),
        Misconception(
            "expression transformed",
            "Your expression is equal to the one asked for, but it is a different calculation, with more "
            "operations. A graph shows how something is computed, not only what comes out. Build the "
            "expression as it stands.",
            lambda a, b, c: a / (b + c) - b / (b + c),
            lambda a, b, c: (lambda s: a / s - b / s)(b + c),
            lambda a, b, c: (a + -b) / (b + c),
            lambda a, b, c: (a - b) * (b + c) ** -1,
            lambda a, b, c: (a - b) * (1 / (b + c)),
        ),
    ),
    first_step="Write `return`, and after it the expression with a, b and c. They are Nodes, and "
    "Python's operators on Nodes make new Nodes.",
    hints=(
        "Compare the drawing with the expression, operation by operation. Does each have the right "
        "inputs, in the right order?",
        "Build it in three lines, one for each operation: the difference, the sum, and then the quotient "
        "of the two.",
        "The graph of (p + q) · (p − r) is built like this:\n"
        "    s = p + q\n"
        "    t = p - r\n"
        "    return s * t\n"
        "or in one line, `return (p + q) * (p - r)`, which records the same three operations.",
    ),
    verified="its operations and their inputs are those of (a − b) / (b + c), in the same order.",
)


def _shared(a: Node, b: Node, c: Node) -> Node:
    d = a + b
    return d * d - c * d


build_shared = Exercise(
    name="build_shared",
    title="Compute a common part once",
    lesson=LESSON,
    kind="build",
    points=2,
    task="Given the Nodes a, b and c, return the Node of (a + b) · (a + b) − c · (a + b), with a single "
    "node for a + b.",
    parameters=("a", "b", "c"),
    arguments=three_numbers,
    given=three_variables,
    as_code=three_lines,
    reference=_shared,
    form=SameGraph("the Node of the result"),
    misconceptions=(
        Misconception(
            "common part written out",
            "Each time Python comes to `a + b` in your code, it computes the sum and makes a new node. How "
            "can you come back to the node that it made first?",
            lambda a, b, c: (a + b) * (a + b) - c * (a + b),
            lambda a, b, c: (lambda d: d * d - c * (a + b))(a + b),
            lambda a, b, c: (lambda d: d * (a + b) - c * d)(a + b),
            lambda a, b, c: (lambda d: (a + b) * d - c * d)(a + b),
            lambda a, b, c: (a + b) * (a + b) - (a + b) * c,
            lambda a, b, c: (a + b) ** 2 - c * (a + b),
        ),
        Misconception(
            "power instead of product",
            "`d ** 2` is the operation power, with the constant 2 as its second input. The expression asks "
            "for a product, whose two inputs happen to be the same node. Write it as one.",
            lambda a, b, c: (lambda d: d**2 - c * d)(a + b),
        ),
        Misconception(
            "factored out",
            "You factored a + b out. That is good algebra and the right number, but another graph: it has "
            "one multiplication, the expression has two. Build the expression as it stands.",
            lambda a, b, c: (lambda d: d * (d - c))(a + b),
            lambda a, b, c: (a + b) * (a + b - c),
        ),
        Misconception(
            "product turned round",
            "(a + b) · c and c · (a + b) are the same number, but the edges of a node have an order. Keep "
            "the order of the expression.",
            lambda a, b, c: (lambda d: d * d - d * c)(a + b),
        ),
        Misconception(
            "difference swapped",
            "You subtracted the wrong way round: the first input of − is what you take away from.",
            lambda a, b, c: (lambda d: c * d - d * d)(a + b),
        ),
    ),
    first_step="Write the expression as it stands, with Python's operators, and check it. The drawing "
    "then shows you what has been computed more than once.",
    hints=(
        "Count the additions in the drawing. There should be one, with three arrows leaving it.",
        "How often does your function compute a + b? Each `+` in your code makes a node when Python comes "
        "to it. The way to use a node again is to use its name.",
        "The graph of (p · q) + (p · q) / r, with a single node for p · q, is built like this:\n"
        "    m = p * q\n"
        "    return m + m / r",
    ),
    verified="the expression as it stands, and a + b is computed once and used three times.",
)

# --- single steps ---------------------------------------------------------------------------------

single_steps = Exercise(
    name="single_steps",
    title="Find the intermediate variables of an expression",
    lesson=LESSON,
    kind="build",
    points=2,
    task="Write y = (a − b · c) · (b · c + a) as a text of steps. Each line gives a name to the result of "
    "one operation, the last line computes y, and nothing is computed twice.",
    arguments=lambda rng: [("abc",)],
    reference=lambda names: "p = b * c\nq = a - p\nr = p + a\ny = q * r",
    form=SingleSteps('a text with one step in each line, such as "p = b * c"'),
    misconceptions=(
        Misconception(
            "all in one line",
            "A line may do only one operation. Start inside the parentheses: what is computed first? Give "
            "it a name, and write the name wherever you need the result.",
            lambda names: "y = (a - b * c) * (b * c + a)",
        ),
        Misconception(
            "common part computed twice",
            "b · c stands in the expression twice, but it has to be computed only once. Use the name of "
            "its result a second time.",
            lambda names: "p = b * c\nq = a - p\nr = b * c\ns = r + a\ny = q * s",
            lambda names: "p = b * c\nq = b * c\nr = a - p\ns = q + a\ny = r * s",
        ),
        Misconception(
            "read from left to right",
            "You computed a − b first. Multiplication goes before subtraction: a − b · c is a − (b · c).",
            lambda names: "p = a - b\nq = p * c\nr = b * c\ns = r + a\ny = q * s",
            lambda names: "p = a - b\nq = p * c\nr = b * c\ns = a + r\ny = q * s",
        ),
        Misconception(
            "difference swapped",
            "In the first pair of parentheses b · c is taken away from a, not the other way round.",
            lambda names: "p = b * c\nq = p - a\nr = p + a\ny = q * r",
        ),
        Misconception(
            "sum turned round",
            "b · c + a and a + b · c are the same number, but the inputs of an operation have an order. "
            "Keep the order of the expression.",
            lambda names: "p = b * c\nq = a - p\nr = a + p\ny = q * r",
        ),
        Misconception(
            "last step missing",
            "The last line has to compute y, from the values of both pairs of parentheses.",
            lambda names: "p = b * c\nq = a - p\nr = p + a",
        ),
    ),
    first_step="Which operation can be computed at once, because it needs inputs only? Write it as the "
    "first line, with a name of your choice: `p = …`",
    hints=(
        "Compare the drawing with the expression. Each box is one of your lines.",
        "There are four operations to do, so there are four lines. The last one is `y = … * …`, and "
        "before it come the values of the two pairs of parentheses.",
        "z = (u + v · w) / (v · w) becomes\n"
        "    m = v * w\n"
        "    n = u + m\n"
        "    z = n / m\n"
        "with the intermediate variables m and n.",
    ),
    verified="four steps, one operation in each, nothing computed twice.",
)

# --- intermediate variables -----------------------------------------------------------------------


DEEP = 250  # deeper than any number of rounds that one would try, and calls can be nested so far


def _reachable(output: Node) -> list[Node]:
    found = [output]
    for node in found:  # grows while it is gone through
        found += [x for x in dict.fromkeys(node.inputs) if x not in found]
    return found


def _once_for_each_path(node: Node) -> list[Node]:
    return [node, *(below for x in node.inputs for below in _once_for_each_path(x))]


def _between(output: Node) -> list[Node]:
    return [node for node in _reachable(output) if node.op and node is not output]


def small_graphs(rng: Random) -> list[Case]:
    """Nothing in between, fan-out, equal values, random graphs; a lone input, and two deep graphs.

    Of these one has many paths, and the other is a chain.
    """
    fan_out: Graph = {
        "p": ("*", "u", "v"),
        "q": ("+", "p", "p"),
        "r": ("-", "q", "p"),
        "s": ("*", "r", "u"),
    }
    one_step: Graph = {"y": ("*", "x", "x")}
    one_argument: Graph = {"p": ("sin", "x"), "q": ("*", "p", "x"), "y": ("sin", "q")}
    equal_values: Graph = {  # with u = 2 and v = 3 the values are 5, 3, 5 and 15
        "d": ("+", "u", "v"),
        "e": ("-", "d", "u"),
        "f": ("+", "e", "u"),
        "y": ("*", "f", "e"),
    }
    fixed = [one_step, WORKED_EXAMPLE, one_argument, fan_out, equal_values]
    squares: Graph = {f"x{n + 1}": ("-", f"x{n}", f"x{n}") for n in range(10)}
    graphs = [*fixed, *random_graphs(rng, 12, 3, 7), {}, squares, chain(DEEP)]
    return [(graph,) for graph in graphs]


def last_node(graph: Graph) -> tuple[Any, ...]:
    """The Node of the last result, or the lone input of a graph without operations."""
    return (build(graph)[list(graph)[-1]] if graph else variable(2.0, name="x"),)


intermediate_variables = Exercise(
    name="intermediate_variables",
    title="Find the intermediate variables of a graph",
    lesson=LESSON,
    kind="implement",
    points=3,
    task="Given the output Node of a graph, return a list of its intermediate variables: the Nodes that "
    "are neither inputs nor the output itself, each once, in any order.",
    parameters=("output",),
    arguments=small_graphs,
    given=last_node,
    as_code=lambda graph: f"output = {as_call(graph, next(reversed(graph), 'x'))}",
    reference=_between,
    form=Members("a list of Nodes"),
    misconceptions=(
        Misconception(
            "a node once for each path",
            "A node that is used twice is reached twice, once from each user, and then everything below "
            "it is reached again. Remember which nodes you have seen, and skip them.",
            lambda output: [x for x in _once_for_each_path(output)[1:] if x.op],
        ),
        Misconception(
            "output included",
            "The output itself is computed, but it does not stand between the inputs and the output. "
            "Leave it out.",
            lambda output: [x for x in _reachable(output) if x.op],
        ),
        Misconception(
            "inputs included",
            "Your list has the inputs in it. An input has no operation: its `op` is `None`.",
            lambda output: _reachable(output)[1:],
        ),
        Misconception(
            "everything",
            "You found all nodes. Now keep only those that are the result of an operation, and leave out "
            "the output.",
            _reachable,
        ),
        Misconception(
            "one step back only",
            "You looked at the inputs of the output and stopped there. They have inputs of their own: go "
            "on until there is nothing new.",
            lambda output: [x for x in dict.fromkeys(output.inputs) if x.op],
        ),
        Misconception(
            "inputs instead",
            "You kept the inputs, whose `op` is `None`, and dropped the others. It is the other way round.",
            lambda output: [x for x in _reachable(output) if not x.op],
        ),
    ),
    first_step="From output you can walk back: `output.inputs` are the nodes it was computed from. Start "
    "with a list of nodes still to visit, and visit them one by one.",
    hints=(
        "Two questions: does your walk reach every node of the graph, and does it meet each of them only "
        "once?",
        "Keep two things: a list of nodes that you still have to look at, and a set of those that you "
        "have seen. Take a node from the list, go through its inputs, and add each that is not in the "
        "set to both. Which of the seen nodes belong in the answer?",
        "To find all cities that can be reached from a city:\n"
        "    seen, to_visit = {city}, [city]\n"
        "    while to_visit:\n"
        "        for other in roads_from(to_visit.pop()):\n"
        "            if other not in seen:\n"
        "                seen.add(other)\n"
        "                to_visit.append(other)\n"
        "A graph of nodes is walked in the same way, with inputs for roads.",
    ),
    another_way="Sets do the remembering, one level after the other:\n"
    "    def intermediate_variables(output):\n"
    "        found, level = set(), {output}\n"
    "        while level:\n"
    "            level = {x for node in level for x in node.inputs} - found\n"
    "            found |= level\n"
    "        return [node for node in found if node.op]\n"
    "No node is its own input, so the output is never found, and need not be left out.",
    verified="the right Nodes in {cases} graphs, each of them once.",
)

EXERCISES = (count_parts, build_quotient, build_shared, single_steps, intermediate_variables)
