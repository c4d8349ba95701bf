"""Lesson 00: a first exercise, to see how exercises work."""

from ..answers import Numbers
from ..graphs import WORKED_EXAMPLE
from ..specification import Exercise
from . import counting

first_look = Exercise(
    name="first_look",
    title="Count the first graph",
    lesson="00_start_here",
    kind="predict",
    points=0,
    task="How many inputs, operations and edges has the graph of y = (a + b) · (b − c)? "
    "Answer with a dictionary of three numbers.",
    arguments=lambda rng: [(WORKED_EXAMPLE,)],
    reference=counting.count,
    form=Numbers('a dictionary with a number for "inputs", "operations" and "edges"', 0, 0),
    misconceptions=(
        counting.LETTERS,
        counting.ALL_BOXES,
        counting.RESULT_LEFT_OUT,
        counting.RESULT_AS_ARROW,
        counting.TREE,
    ),
    first_step="Look at the drawing, count, and replace the dots by your three numbers.",
    hints=(
        "Inputs are the boxes that no arrow enters, operations the boxes that arrows enter. Edges are "
        "the arrows.",
        "Each operation of this graph has two arguments. So how many arrows arrive, all in all?",
        "In the graph of z = p + p · q there are two inputs, p and q, and two operations, · and +. Each "
        "operation has two arguments, which makes four edges; two of them come from p.",
    ),
    verified="all three numbers agree with the graph.",
)

EXERCISES = (first_look,)
