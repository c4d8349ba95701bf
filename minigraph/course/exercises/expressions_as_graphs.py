"""Lesson 01: from an expression to its graph, and what the graph holds."""

from random import Random
from typing import Any

from ...core.node import Node, variable
from ..answers import Members, Numbers, SameGraph, SingleSteps
from ..forms import Case
from ..graphs import WORKED_EXAMPLE, Steps, as_output, build, chain, random_graphs
from ..specification import exercise
from .start_here import first_look

LESSON = "01_expressions_as_graphs"

# --- count the parts of a graph -------------------------------------------------------------------


@exercise(
    points=1,
    value_of=({"d": ("+", "a", "b"), "e": ("*", "d", "d"), "y": ("-", "e", "b")},),
    answer=Numbers('a dictionary with a number for "inputs", "operations" and "edges"', 0, 0),
)
def count_parts(graph: Steps) -> dict[str, int]:
    r"""Count the parts of a graph

    A calculation in three steps:

    $$d = a + b, \qquad e = d \cdot d, \qquad y = e - b$$

    Draw its graph on paper. How many inputs, operations and edges does it have? Replace the dots by
    your numbers.

    First step: Draw the graph on paper first: one box for each of a, b, d, e and y, and one arrow
    for each argument. Then replace the dots by your three counts.
    Hint: Count each kind by itself. Inputs are boxes that no arrow enters. Operations are boxes
    that arrows enter. Edges are the arrows, one for each argument of each operation.
    Hint: Go through the three lines d = …, e = …, y = … one by one and write down the arguments of
    each. Every argument is one arrow, even if the same letter stands there twice.
    Hint: In u = p · p, v = u + q there are two inputs (p and q), two operations (· and +), and four
    edges: two from p to u, one from u to v, and one from q to v.
    Verified: all three numbers agree with the graph.
    """
    return first_look(graph)


count_parts.shares(first_look, "each letter a box")
count_parts.slip(
    "two arrows taken for one",
    """Look for an operation that uses the same box twice. Each of its two arguments is an arrow of
    its own.""",
    {"inputs": 2, "operations": 3, "edges": 5},
)
count_parts.shares(
    first_look,
    "one arrow out of each box",
    "arrow out of the result",
    "inputs counted as operations",
    "result not counted as operation",
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


@exercise(
    points=2,
    kind="build",
    cases=three_numbers,
    as_arguments=three_variables,
    answer=SameGraph("the Node of the result"),
    code=three_lines,
)
def build_quotient(a: Node, b: Node, c: Node) -> Node:
    r"""Build the graph of an expression

    Write a function that builds the graph of

    $$\frac{a - b}{b + c}$$

    It gets the three nodes $a$, $b$ and $c$ and returns the node of the result. The operations and
    the order of their inputs should be those of the expression.

    First step: Write `return`, and after it the expression with a, b and c. They are Nodes, and
    Python's operators on Nodes make new Nodes.
    Hint: Compare the drawing with the expression, operation by operation. Does each have the right
    inputs, in the right order?
    Hint: Build it in three lines, one for each operation: the difference, the sum, and then the
    quotient of the two.
    Hint: The graph of (p + q) · (p − r) is built like this:
        s = p + q
        t = p - r
        return s * t
    or in one line, `return (p + q) * (p - r)`, which records the same three operations.
    Verified: its operations and their inputs are those of (a − b) / (b + c), in the same order.
    """
    return (a - b) / (b + c)


build_quotient.slip(
    "numbers instead of Nodes",
    """With `.value` you took the numbers out of the Nodes and computed with these. The result is
    right, but it no longer knows where it came from. Write the expression with a, b and c
    themselves.""",
    ("(a - b) / (b + c)", "a.value - b.value"),
)
build_quotient.slip(
    "difference swapped",
    """You built b − a where the expression has a − b. The two inputs of − are not alike: the first
    is what you take away from, the second is what you take away.""",
    ("a - b", "b - a"),
    ("a - b) / (b + c", "b - a) / (c + b"),
)
build_quotient.slip(
    "quotient upside down",
    """Your last operation divides the wrong way round. The first input of ÷ is what stands above
    the line, the second is what stands below.""",
    ("a - b) / (b + c", "b + c) / (a - b"),
)
build_quotient.slip(
    "parentheses forgotten",
    """In Python, as in mathematics, / goes before + and −. So `a - b / b + c` is a − (b / b) + c.
    Where the expression has parentheses, your code needs them too.""",
    ("(a - b) / (b + c)", "a - b / b + c"),
    ("(a - b)", "a - b"),
    ("(b + c)", "b + c"),
)
build_quotient.slip(
    "sum turned round",
    """b + c and c + b are the same number, but not the same graph: the edges of a node have an
    order. Keep the order of the expression.""",
    ("b + c", "c + b"),
)
build_quotient.slip(
    "expression transformed",
    """Your expression is equal to the one asked for, but it is a different calculation, with more
    operations. A graph shows how something is computed, not only what comes out. Build the
    expression as it stands.""",
    ("(a - b)", "a / (b + c) - b"),
    ("a - b) / (", "lambda s: a / s - b / s)("),
    ("- b", "+ -b"),
    ("/ (b + c)", "* (b + c) ** -1"),
    ("/ (b + c)", "* (1 / (b + c))"),
)


@exercise(
    points=2,
    kind="build",
    cases=three_numbers,
    as_arguments=three_variables,
    answer=SameGraph("the Node of the result"),
    code=three_lines,
)
def build_shared(a: Node, b: Node, c: Node) -> Node:
    r"""Compute a common part once

    The sum $a + b$ occurs three times in

    $$(a + b) \cdot (a + b) - c \cdot (a + b)$$

    but it has to be computed only once. Written out, the expression has three nodes for it:

    First step: Write the expression as it stands, with Python's operators, and check it. The
    drawing then shows you what has been computed more than once.
    Hint: Count the additions in the drawing. There should be one, with three arrows leaving it.
    Hint: How often does your function compute a + b? Each `+` in your code makes a node when Python
    comes to it. The way to use a node again is to use its name.
    Hint: The graph of (p · q) + (p · q) / r, with a single node for p · q, is built like
    this:
        m = p * q
        return m + m / r
    Verified: the expression as it stands, and a + b is computed once and used three times.
    """
    d = a + b
    return d * d - c * d


build_shared.slip(
    "common part written out",
    """Each time Python comes to `a + b` in your code, it computes the sum and makes a new node. How
    can you come back to the node that it made first?""",
    ("d * d - c * d", "(a + b) * (a + b) - c * (a + b)"),
    ("c * d", "c * (a + b)"),
    ("d * d", "d * (a + b)"),
    ("d * d", "(a + b) * d"),
    ("d * d - c * d", "(a + b) * (a + b) - (a + b) * c"),
    ("d * d - c * d", "(a + b) ** 2 - c * (a + b)"),
)
build_shared.slip(
    "power instead of product",
    """`d ** 2` is the operation power, with the constant 2 as its second input. The expression asks
    for a product, whose two inputs happen to be the same node. Write it as one.""",
    ("d * d", "d**2"),
)
build_shared.slip(
    "factored out",
    """You factored a + b out. That is good algebra and the right number, but another graph: it has
    one multiplication, the expression has two. Build the expression as it stands.""",
    ("d * d - c * d", "d * (d - c)"),
    ("d * d - c * d", "(a + b) * (a + b - c)"),
)
build_shared.slip(
    "product turned round",
    """(a + b) · c and c · (a + b) are the same number, but the edges of a node have an order. Keep
    the order of the expression.""",
    ("c * d", "d * c"),
)
build_shared.slip(
    "difference swapped",
    "You subtracted the wrong way round: the first input of − is what you take away from.",
    ("d * d - c * d", "c * d - d * d"),
)


# --- single steps ---------------------------------------------------------------------------------


@exercise(
    points=2,
    kind="build",
    value_of=("abc",),
    answer=SingleSteps('a text with one step in each line, such as "p = b * c"'),
)
def single_steps(inputs: str) -> str:
    r"""Find the intermediate variables of an expression

    Take the expression

    $$y = (a - b \cdot c) \cdot (b \cdot c + a)$$

    apart. Write it as a list of steps, so that

    - each line gives a name to the result of **one** operation, for example `p = a + b`,
    - the last line computes `y`,
    - nothing is computed twice.

    The names in between are your intermediate variables; choose them as you like.

    First step: Which operation can be computed at once, because it needs inputs only? Write it as
    the first line, with a name of your choice: `p = …`
    Hint: Compare the drawing with the expression. Each box is one of your lines.
    Hint: There are four operations to do, so there are four lines. The last one is `y = … * …`, and
    before it come the values of the two pairs of parentheses.
    Hint: z = (u + v · w) / (v · w) becomes
        m = v * w
        n = u + m
        z = n / m
    with the intermediate variables m and n.
    Verified: four steps, one operation in each, nothing computed twice.
    """
    return "p = b * c; q = a - p; r = p + a; y = q * r"


single_steps.slip(
    "all in one line",
    """A line may do only one operation. Start inside the parentheses: what is computed first? Give
    it a name, and write the name wherever you need the result.""",
    "y = (a - b * c) * (b * c + a)",
)
single_steps.slip(
    "common part computed twice",
    """b · c stands in the expression twice, but it has to be computed only once. Use the name of
    its result a second time.""",
    "p = b * c; q = a - p; r = b * c; s = r + a; y = q * s",
    "p = b * c; q = b * c; r = a - p; s = q + a; y = r * s",
)
single_steps.slip(
    "read from left to right",
    "You computed a − b first. Multiplication goes before subtraction: a − b · c is a − (b · c).",
    "p = a - b; q = p * c; r = b * c; s = r + a; y = q * s",
    "p = a - b; q = p * c; r = b * c; s = a + r; y = q * s",
)
single_steps.slip(
    "difference swapped",
    "In the first pair of parentheses b · c is taken away from a, not the other way round.",
    ("a - p", "p - a"),
)
single_steps.slip(
    "sum turned round",
    """b · c + a and a + b · c are the same number, but the inputs of an operation have an order.
    Keep the order of the expression.""",
    ("p + a", "a + p"),
)
single_steps.slip(
    "last step missing",
    "The last line has to compute y, from the values of both pairs of parentheses.",
    ("; y = q * r", ""),
)


# --- intermediate variables -----------------------------------------------------------------------


DEEP = 250  # deeper than any number of rounds that one would try, and calls can be nested so far


def _reachable(output: Node) -> list[Node]:
    nodes = [output]
    for node in nodes:  # grows while it is gone through
        nodes += [x for x in dict.fromkeys(node.inputs) if x not in nodes]
    return nodes


def _once_for_each_path(node: Node) -> list[Node]:
    return [node, *(below for x in node.inputs for below in _once_for_each_path(x))]


def small_graphs(rng: Random) -> list[Case]:
    """Nothing in between, fan-out, equal values, random graphs; a lone input, and two deep graphs.

    Of these one has many paths, and the other is a chain.
    """
    fan_out: Steps = {
        "p": ("*", "u", "v"),
        "q": ("+", "p", "p"),
        "r": ("-", "q", "p"),
        "s": ("*", "r", "u"),
    }
    one_step: Steps = {"y": ("*", "x", "x")}
    one_argument: Steps = {"p": ("sin", "x"), "q": ("*", "p", "x"), "y": ("sin", "q")}
    equal_values: Steps = {  # with u = 2 and v = 3 the values are 5, 3, 5 and 15
        "d": ("+", "u", "v"),
        "e": ("-", "d", "u"),
        "f": ("+", "e", "u"),
        "y": ("*", "f", "e"),
    }
    fixed = [one_step, WORKED_EXAMPLE, one_argument, fan_out, equal_values]
    squares: Steps = {f"x{n + 1}": ("-", f"x{n}", f"x{n}") for n in range(10)}
    graphs = [*fixed, *random_graphs(rng, 12, 3, 7), {}, squares, chain(DEEP)]
    return [(graph,) for graph in graphs]


def last_node(graph: Steps) -> tuple[Any, ...]:
    """The Node of the last result, or the lone input of a graph without operations."""
    return (build(graph)[list(graph)[-1]] if graph else variable(2.0, name="x"),)


@exercise(
    points=3,
    cases=small_graphs,
    as_arguments=last_node,
    answer=Members("a list of Nodes"),
    code=lambda graph: as_output(graph, "x"),
)
def intermediate_variables(output: Node) -> list[Node]:
    r"""Find the intermediate variables of a graph

    Now the other way round: the graph is there, and a program should find its intermediate
    variables. Write a function that gets the output node of a graph and returns a list of all nodes
    that are neither inputs nor the output itself. Each of them should be in the list once; the
    order does not matter.

    For $y = (a + b)\cdot(b - c)$ these are the nodes $d$ and $e$; for a graph that is a lone input
    there are none. Remember: `node.inputs` holds the nodes that a node was computed from, and
    `node.op` is `None` for an input.

    First step: From output you can walk back: `output.inputs` are the nodes it was computed from.
    Start with a list of nodes still to visit, and visit them one by one.
    Hint: Two questions: does your walk reach every node of the graph, and does it meet each of them
    only once?
    Hint: Keep two things: a list of nodes that you still have to look at, and a set of those that
    you have seen. Take a node from the list, go through its inputs, and add each that is not in the
    set to both. Which of the seen nodes belong in the answer?
    Hint: To find all cities that can be reached from a city:
        seen, to_visit = {city}, [city]
        while to_visit:
            for other in roads_from(to_visit.pop()):
                if other not in seen:
                    seen.add(other)
                    to_visit.append(other)
    A graph of nodes is walked in the same way, with inputs for roads.
    Another way: Sets do the remembering, one level after the other:
        def intermediate_variables(output):
            found, level = set(), {output}
            while level:
                level = {x for node in level for x in node.inputs} - found
                found |= level
            return [node for node in found if node.op]
    No node is its own input, so the output is never found, and need not be left out.
    Verified: the right Nodes in {cases} graphs, each of them once.
    """
    return [node for node in _reachable(output) if node.op and node is not output]


intermediate_variables.slip(
    "a node once for each path",
    """A node that is used twice is reached twice, once from each user, and then everything below
    it is reached again. Remember which nodes you have seen, and skip them.""",
    ("_reachable(output) if node.op and", "_once_for_each_path(output) if node.op and"),
)
intermediate_variables.slip(
    "output included",
    """The output itself is computed, but it does not stand between the inputs and the output.
    Leave it out.""",
    (" and node is not output", ""),
)
intermediate_variables.slip(
    "inputs included",
    "Your list has the inputs in it. An input has no operation: its `op` is `None`.",
    (
        "[node for node in _reachable(output) if node.op and node is not output]",
        "_reachable(output)[1:]",
    ),
)
intermediate_variables.slip(
    "everything",
    """You found all nodes. Now keep only those that are the result of an operation, and leave out
    the output.""",
    _reachable,
)
intermediate_variables.slip(
    "one step back only",
    """You looked at the inputs of the output and stopped there. They have inputs of their own: go
    on until there is nothing new.""",
    ("_reachable(output)", "dict.fromkeys(output.inputs)"),
)
intermediate_variables.slip(
    "inputs instead",
    "You kept the inputs, whose `op` is `None`, and dropped the others. It is the other way round.",
    ("node.op and node is not output", "not node.op"),
)
