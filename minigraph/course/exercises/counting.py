"""How many inputs, operations and edges a graph has: the right counts, and the usual wrong ones."""

from ..graphs import Graph, inputs_of
from ..specification import Misconception

Counts = dict[str, int]


def count(graph: Graph) -> Counts:
    """Count each box once, and each arrow once."""
    edges = sum(len(inputs) for _, *inputs in graph.values())
    return {"inputs": len(inputs_of(graph)), "operations": len(graph), "edges": edges}


def letters(graph: Graph) -> Counts:
    """Count an input as often as its letter is written."""
    written = [x for _, *inputs in graph.values() for x in inputs if x not in graph]
    return count(graph) | {"inputs": len(written)}


def all_boxes(graph: Graph) -> Counts:
    """Count the inputs among the operations."""
    counts = count(graph)
    return counts | {"operations": counts["operations"] + counts["inputs"]}


def result_left_out(graph: Graph) -> Counts:
    """Count only the operations between the inputs and the result."""
    return count(graph) | {"operations": len(graph) - 1}


def result_as_arrow(graph: Graph) -> Counts:
    """Count an arrow that leaves the result."""
    counts = count(graph)
    return counts | {"edges": counts["edges"] + 1}


def arrows_merged(graph: Graph) -> Counts:
    """Count two arrows between the same two boxes as one."""
    pairs = {(x, name) for name, (_, *inputs) in graph.items() for x in inputs}
    return count(graph) | {"edges": len(pairs)}


def arrows_of_a_tree(graph: Graph) -> Counts:
    """Count one arrow out of each box but the last, as in a tree."""
    counts = count(graph)
    return counts | {"edges": counts["inputs"] + counts["operations"] - 1}


LETTERS = Misconception(
    "each letter a box",
    "You counted an input as often as its letter is written. In the graph there is one box for each "
    "input, and as many arrows leave it as there are uses.",
    letters,
)
ALL_BOXES = Misconception(
    "inputs counted as operations",
    "Not every box is an operation. A box that no arrow enters is an input: nothing is computed in it.",
    all_boxes,
)
RESULT_LEFT_OUT = Misconception(
    "result not counted as operation",
    "The result is computed too, so its box is an operation like the others.",
    result_left_out,
)
RESULT_AS_ARROW = Misconception(
    "arrow out of the result",
    "You counted an arrow that leaves the result. An arrow leads from a box to an operation that uses "
    "it, and nothing uses the result.",
    result_as_arrow,
)
ARROWS_MERGED = Misconception(
    "two arrows taken for one",
    "Look for an operation that uses the same box twice. Each of its two arguments is an arrow of its "
    "own.",
    arrows_merged,
)
TREE = Misconception(
    "one arrow out of each box",
    "You counted one arrow out of each box, as in a tree. In a graph a box may be used several times, "
    "and each use is an arrow. Count what arrives instead: how many arguments has each operation?",
    arrows_of_a_tree,
)
