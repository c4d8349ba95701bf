"""Lesson 00: a first exercise, to see how exercises work."""

from ..answers import Numbers
from ..graphs import WORKED_EXAMPLE, Steps, inputs_of
from ..specification import exercise

LESSON = "00_start_here"


@exercise(
    points=0,
    value_of=(WORKED_EXAMPLE,),
    answer=Numbers('a dictionary with a number for "inputs", "operations" and "edges"', 0, 0),
)
def first_look(graph: Steps) -> dict[str, int]:
    """Count the first graph

    How many inputs, operations and edges has the graph of y = (a + b) · (b − c)? Answer with a
    dictionary of three numbers.

    First step: Look at the drawing, count, and replace the dots by your three numbers.
    Hint: Inputs are the boxes that no arrow enters, operations the boxes that arrows enter. Edges
    are the arrows.
    Hint: Each operation of this graph has two arguments. So how many arrows arrive, all in all?
    Hint: In the graph of z = p + p · q there are two inputs, p and q, and two operations, · and +.
    Each operation has two arguments, which makes four edges; two of them come from p.
    Verified: all three numbers agree with the graph.
    """
    inputs, operations = len(inputs_of(graph)), len(graph)
    edges = sum(len(arguments) for _, *arguments in graph.values())
    return {"inputs": inputs, "operations": operations, "edges": edges}


first_look.slip(
    "each letter a box",
    """You counted an input as often as its letter is written. In the graph there is one box for
    each input, and as many arrows leave it as there are uses.""",
    ("len(inputs_of(graph))", "sum(x not in graph for _, *xs in graph.values() for x in xs)"),
)
first_look.slip(
    "inputs counted as operations",
    """Not every box is an operation. A box that no arrow enters is an input: nothing is computed in
    it.""",
    ('"operations": operations', '"operations": operations + inputs'),
)
first_look.slip(
    "result not counted as operation",
    "The result is computed too, so its box is an operation like the others.",
    ('"operations": operations', '"operations": operations - 1'),
)
first_look.slip(
    "arrow out of the result",
    """You counted an arrow that leaves the result. An arrow leads from a box to an operation that
    uses it, and nothing uses the result.""",
    ('"edges": edges', '"edges": edges + 1'),
)
first_look.slip(
    "one arrow out of each box",
    """You counted one arrow out of each box, as in a tree. In a graph a box may be used several
    times, and each use is an arrow. Count what arrives instead: how many arguments has each
    operation?""",
    ('"edges": edges', '"edges": inputs + operations - 1'),
)
