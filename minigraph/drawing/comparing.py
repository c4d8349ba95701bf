"""`compare`: two graphs side by side, with what only one of them has marked."""

from __future__ import annotations

from html import escape
from typing import Any

from ..core.node import Node
from ..errors import NodeTypeError
from ..graph.graph import Graph
from ..graph.watched import Watched
from ..reading import Reading
from ..reading.matching import Matching
from ..reading.words import applied, counted
from .beside import beside
from .diagram import nodes_of
from .drawing import Drawing, draw

_MOST = 12  # nodes that are written out
_SENTENCE = 48.0  # pixels that the summary takes, in two lines


class Comparison:
    """Two graphs, and which Nodes of them are the same.

    Attributes:
        same: pairs of Nodes that are the same.
        only_one, only_other: what only one of the graphs has.
        edges, other_edges: where a Node that both have is used in another place: edges between
            Nodes of both graphs that only this one has, as (input, user, slot).
        drawings: of the one, and of the other.
        text: the differences, as text.
    """

    def __init__(
        self, outputs: list[Node], other_outputs: list[Node], names: tuple[str, str], **options: Any
    ) -> None:
        """Match two graphs; `compare` does."""
        matching = Matching(outputs, other_outputs)
        self.names = names
        self.same = [*matching.partner.items()]
        self.only_one, self.only_other = matching.only_one, matching.only_other
        self.edges, self.other_edges = matching.edges
        self._readings = [
            Reading(outputs, order=matching.order),
            Reading(other_outputs, order=matching.other_order),
        ]
        self._only = [(self.only_one, self.edges), (self.only_other, self.other_edges)]
        self.drawings: tuple[Drawing, ...] = tuple(
            draw(reading.outputs, highlight=[*only, *edges], **options)
            for reading, (only, edges) in zip(self._readings, self._only)
        )

    @property
    def summary(self) -> str:
        """How much is the same, in a sentence."""
        one, other = self.names
        if not any(map(any, self._only)):
            return f"Both are the same: {counted(len(self.same), 'node')}."
        told = [f"{counted(len(self.same), 'node')} in both"]
        for name, (only, edges) in zip((one, other), self._only):
            sides = [(len(only), "node"), (len(edges), "edge")]
            if parts := [counted(n, what) for n, what in sides if n]:
                told.append(f"{' and '.join(parts)} only in {name}")
        return f"{', '.join(told)}."

    @property
    def text(self) -> str:
        """The differences as text, a line for each."""
        lines = [self.summary]
        alike = set.intersection(
            *({_formula(node, reading) for node in reading.graph.standing_for(only)}
              for reading, (only, _) in zip(self._readings, self._only))
        )  # fmt: skip
        for name, reading, (only, edges) in zip(self.names, self._readings, self._only):
            shown = [*dict.fromkeys(reading.graph.standing_for(only))]
            told = [_formula(node, reading) for node in shown]
            told = [line + _details(node) * (line in alike) for node, line in zip(shown, told)]
            told += [
                f"the edge {_name(x, reading)} → {_name(user, reading)}" for x, user, _ in edges
            ]
            lines += [f"only in {name}: {line}" for line in told[:_MOST]]
            if len(told) > _MOST:
                lines.append(f"only in {name}: and {len(told) - _MOST:,} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text

    @property
    def html(self) -> str:
        """Both drawings beside each other where there is room, else below each other."""
        both = beside([drawing.image for drawing in self.drawings], self.names, _SENTENCE)
        return f'<p style="margin:4px 0">{escape(self.summary)}</p>{both}'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def compare(
    one: Any,
    other: Any,
    *,
    names: tuple[str, str] = ("one", "other"),
    direction: str = "down",
    opened: Any = False,
    theme: str = "auto",
) -> Comparison:
    """Draw two graphs side by side, and mark what only one of them has.

    Nodes are the same that are computed in the same way, or bear one name; and then, in the places
    around them, those of the same operation. Values of variables do not matter.

        mg.compare(graph, graph.optimize())     # before and after the passes
        mg.compare(seen[loss], my_loss)         # a watched PyTorch program, and one of minigraph
        mg.compare(program(5.0), program(40.0)) # two runs of a program

    Args:
        one, other: Nodes, lists of Nodes, or Graphs.
        names: what they are called.
        direction, opened, theme: as in `mg.draw`.

    Raises:
        NodeTypeError: for something else than Nodes and Graphs.
    """
    outputs = [_outputs(x) for x in (one, other)]
    if not all(outputs):
        raise NodeTypeError("there is nothing to compare: a list of Nodes is empty")
    is_pair = isinstance(names, tuple | list) and len(names) == 2
    if not is_pair or not all(isinstance(name, str) for name in names):
        raise NodeTypeError(f"names are two texts, not {names!r:.60}")
    options = {"direction": direction, "opened": opened, "theme": theme}
    return Comparison(outputs[0], outputs[1], (names[0], names[1]), **options)


def _outputs(x: Any) -> list[Node]:
    """The outputs of a graph that is compared."""
    if isinstance(x, Watched):
        raise NodeTypeError(
            "say of which value of the program that was watched: compare(seen[loss], y)"
        )
    taker = "compare takes a Graph, a Node or a list of Nodes"
    return [*x.outputs] if isinstance(x, Graph) else nodes_of(x, taker)


def _name(node: Node, reading: Reading) -> str:
    (stands,) = reading.graph.standing_for([node])
    return reading.names[stands].full


def _formula(node: Node, reading: Reading) -> str:
    """A Node as it is computed: "h = tanh(v₁)"; a leaf by its name or number."""
    if node.op is None:
        return f"{node.kind} {_name(node, reading)}"
    call = reading.graph.calls.get(node)
    name = call.name if call else node.op.name
    inputs = [_name(x, reading) for x in reading.graph.inputs(node)]
    return f"{_name(node, reading)} = {applied('' if call else node.op.symbol, name, inputs)}"


def _details(node: Node) -> str:
    """What a formula leaves out: " (shape (2, 3), float64, axis=0)"."""
    attrs = [f"{name}={value!r:.40}" for name, value in node.attrs.items() if value is not None]
    return f" ({', '.join([f'shape {node.shape}', str(node.dtype), *attrs])})"
