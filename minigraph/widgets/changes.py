"""Programs whose graph depends on their input: the graph of each run, and what is new in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from timeit import repeat, timeit
from typing import Any

import ipywidgets as widgets
import numpy as np

from ..core.node import Node, variable
from ..core.order import topological_order
from ..data.sets import is_number
from ..drawing import draw
from ..errors import NodeTypeError
from ..reading.matching import kinds
from ..reading.text import number
from ..reading.words import counted
from .base import GraphWidget, table

Program = Callable[[Any], Node]
TRIES = 5  # of which the fastest counts
CALLS = 20  # in each
LONGEST = 60  # characters of an input that are shown
SECONDS = 1.0  # for all of them; a program that takes longer is timed once


class ChangingGraph(GraphWidget):
    """Choose a program and an input: it runs, and what its last run had not is marked.

    Attributes:
        program: the `ipywidgets.Dropdown` of the programs.
        input: the `ipywidgets.SelectionSlider` of the inputs of the program.
        costs: a table of how long the run takes, and the computing in it.
        output: the Node that the last run has returned.
        new: its Nodes that the run before did not have.
    """

    def __init__(self, programs: Mapping[str, tuple[Program, Sequence[Any]]]) -> None:
        """Run the first program with its first input.

        Args:
            programs: by name, a function of one input that returns a Node, and the inputs to choose
                from, or an array of them. A number is given as a variable x; anything else, such
                as a word, as it is.

        Raises:
            NodeTypeError: if there are no programs of this form, or one does not return a Node.
        """
        self._programs = _checked(programs)
        self.program = widgets.Dropdown(options=list(programs), description="Program")
        self.input = widgets.SelectionSlider(options=[""], description="Input")
        self.costs = widgets.HTML()
        row = widgets.HBox([self.program, self.input], layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__("A graph that changes", [row], below=[self.costs], height=330)
        self._before: tuple[str, Counter[int]] | None = None
        self._known: dict[Hashable, int] = {}
        self._is_filling = False
        self._choose()
        self.watch(self.program, "value", self._choose)
        self.watch(self.input, "index", self._run)

    def _choose(self, _: Any = None) -> None:
        """Another program: its inputs, and nothing to compare with."""
        self._before = None
        _, inputs = self._programs[self.program.value]
        self._is_filling = True
        self.input.options = [(_written(x), n) for n, x in enumerate(inputs)]
        self.input.index = 0
        self._is_filling = False
        self._run()

    def _run(self, _: Any = None) -> None:
        if self._is_filling:
            return
        program, inputs = self._programs[self.program.value]
        given = inputs[self.input.index]
        label = _written(given)
        self.output = _result(program, given)
        order = topological_order(self.output)
        made = kinds(order, self._known)
        said = counted(sum(node.op is not None for node in order), "operation")
        sentence = f"The run with {label} has made {said}."
        self.new: list[Node] = []
        if self._before:
            before, left = self._before[0], self._before[1].copy()
            for node in order:
                left[made[node]] -= 1
                if left[made[node]] < 0:
                    self.new.append(node)
            gone = sum(count for count in left.values() if count > 0)
            sentence += (
                f" Against the run with {before}, {_are(len(self.new))} new and marked, and "
                f"{_are(gone)} gone."
            )
        self._before = label, Counter(made.values())
        self.show(draw(self.output, direction="right", highlight=self.new), sentence)
        self.costs.value = _costs(program, given, order)


def _checked(programs: Any) -> dict[str, tuple[Program, Sequence[Any]]]:
    """The programs, if they are any."""
    if not isinstance(programs, Mapping) or not programs:
        raise NodeTypeError(
            'changing_graph takes programs by name, such as {"halved": (halved, [5.0, 40.0])}, not '
            f"{programs!r:.40}"
        )
    for name, pair in programs.items():
        is_pair = isinstance(pair, tuple) and len(pair) == 2 and callable(pair[0])
        if not is_pair or not isinstance(pair[1], Sequence | np.ndarray) or not len(pair[1]):
            raise NodeTypeError(
                f"the program {name!r:.40} is a function and a list of inputs, not {pair!r:.40}"
            )
    return dict(programs)


def _result(program: Program, given: Any) -> Node:
    """Run a program; a number goes in as a variable x."""
    if is_number(given):
        given = variable(float(given), name="x")
    output = program(given)
    if not isinstance(output, Node):
        raise NodeTypeError(f"a program returns a Node, not {type(output).__name__} {output!r:.40}")
    return output


def _costs(program: Program, given: Any, order: Sequence[Node]) -> str:
    """A table of the fastest time of a run, and of what its operations compute."""
    made = [node for node in order if node.op is not None]

    def compute() -> None:
        for node in made:
            node.op.forward(*(x.value for x in node.inputs), **node.attrs)

    run, computing = (_microseconds(work) for work in (lambda: _result(program, given), compute))
    rows = [
        ("measured", "µs", "share"),
        ("the run, which builds the graph", f"{run:.0f}", "100 %"),
        ("computing in it", f"{computing:.0f}", f"{100 * min(computing / run, 1):.0f} %"),
    ]
    return table(rows)


def _microseconds(work: Callable[[], object]) -> float:
    """The fastest time of one call."""
    once = timeit(work, number=1)
    if once * CALLS * TRIES > SECONDS:
        return once * 1e6
    return min(repeat(work, number=CALLS, repeat=TRIES)) / CALLS * 1e6


def _written(given: Any) -> str:
    """An input as text: a number, a word, or the words of a tree."""
    if is_number(given):
        return number(given)
    text = f"({' '.join(map(_written, given))})" if isinstance(given, tuple) else str(given)
    return text[:LONGEST] + "…" * (len(text) > LONGEST) or '""'


def _are(n: int) -> str:
    return f"{counted(n, 'node')} {'is' if n == 1 else 'are'}"


changing_graph = ChangingGraph
