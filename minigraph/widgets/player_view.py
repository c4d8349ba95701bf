"""What the player shows, worked out in advance: the drawing, and what each step changes in it.

All texts are made and fitted here. The browser only puts them where they belong, so it steps
without a kernel, and a recording looks the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..drawing import theme
from ..drawing.diagram import Box, Edge, diagram
from ..drawing.route import Picture, picture
from ..drawing.skeleton import label_width, symbol_half
from ..drawing.text import width
from ..reading import Reading, parts
from ..reading.calls import Call
from ..reading.text import UNSET, shape_text
from ..reading.words import applied
from ..recording import MISCONCEPTIONS, Recording, first_difference
from ..recording.compare import Divergence, diagnosed
from ..recording.data import Summary, same, thumbnail, written
from ..recording.events import BACKWARD, FORWARD, NUDGE, Event, RecordedNode
from ..recording.narration import (
    adds_up,
    axes_text,
    computation,
    gradient_name,
    is_product,
    local_text,
    product_text,
    sentence,
    step,
    stretched_axes,
    sum_text,
    summed_axes,
)
from .player_stops import NAN, is_met, numbers_of
from .stage import fold_toggle, number_size, stage_svg, unfold_toggle

OWN = "own"  # the name of a learner's own pass
THUMB = 24.0  # pixels; the side of the picture of an array in its box
SMALLEST = 9.0  # pixels; a sum that would be smaller is shown as its total
MOST_ROOM = 150.0  # for a product on its edge; a longer one is written smaller
UNLABELLED_ROOM = 84.0  # for what flows along an edge that has no label of its own
_MOST_INPUTS = 6  # that the first sentence names

Change = list[Any]  # [box, part, text, size], or for a label [edge, text, size, width, kind]


@dataclass(frozen=True)
class Stage:
    """The drawing, and where the numbers go.

    Attributes:
        picture: the drawing, placed.
        box_of: recorded node -> the id of its box, or of the module that it is folded into.
        edges: the drawn edges by the ids of their ends and the slot.
        opened: the paths of the calls that are open.
        folded: the paths of the scopes that are folded.
        sizes: of every scope how many nodes it holds, by path.
        calls: the closed calls by the ids of their boxes.
        frames: by the path that a reader sees, the id of an open call's output, and its path.
    """

    picture: Picture
    box_of: dict[str, str]
    edges: dict[tuple[str, str, int], Edge]
    opened: frozenset[str]
    folded: frozenset[str]
    sizes: dict[str, int]
    calls: dict[str, Call]
    frames: dict[str, tuple[str, str]]

    def edge(self, tail: str, head: str, slot: int) -> str | None:
        """The id of the drawn edge between two recorded nodes; None inside a module."""
        ends = self.box_of[tail], self.box_of[head]
        if ends[0] == ends[1]:
            return None
        if (*ends, slot) in self.edges and ends[1] == head:
            return f"{ends[0]}-{ends[1]}-{slot}"
        slots = (s for a, b, s in self.edges if (a, b) == ends and b != head)
        return next((f"{ends[0]}-{ends[1]}-{s}" for s in slots), None)

    def to_fold_within(self, path: str) -> frozenset[str]:
        """The scopes in one that is unfolded which stay folded: all if it holds much."""
        if self.sizes[path] <= parts.AIM:
            return frozenset()
        inner = path.count("/") + 1
        return frozenset(
            other
            for other, size in self.sizes.items()
            if size > 1 and within(other, path) and other.count("/") == inner
        )

    @property
    def svg(self) -> str:
        """The drawing without computed numbers and without labels, which the player writes."""
        bare = [replace(e, edge=replace(e.edge, kind="")) for e in self.picture.edges]
        svg = stage_svg(replace(self.picture, edges=bare))
        before, *groups = svg.split("<g data-node=")
        kinds = [p.box.kind for p in self.picture.boxes]
        if self.picture.diagram.shows_changes:
            kinds = ["variable"] * len(kinds)  # all values are known before a nudge
        return "<g data-node=".join([before, *map(_emptied, groups, kinds)])


def _emptied(group: str, kind: str) -> str:
    """The SVG of a box as it is before anything has been computed, or its shape is known."""
    if kind == "operation":
        group = re.sub(
            r"(?<=<title>)[^<]*", lambda t: re.sub(r", shape \([\d, ]*\)", "", t[0]), group
        )
    parts = "value|gradient" if kind == "operation" else "gradient"
    return re.sub(rf'(data-part="(?:{parts})">)[^<]*', rf"\1{UNSET}", group)


def stage(reading: Reading, recording: Recording, direction: str) -> Stage:
    """Draw the graph of a recording, with the room that its numbers need."""
    phases = {event.phase for event in recording.events}
    differentiates = not phases <= {FORWARD}
    full = diagram(reading, gradients=differentiates, derivatives=differentiates)
    is_nudge = NUDGE in phases
    numbers = recording.changes if is_nudge else recording.gradients
    boxes = [
        replace(box, gradient=written(numbers[box.id]) if box.id in numbers else UNSET)
        if box.gradient
        else box
        for box in map(_with_room_for_thumbs, full.boxes)
    ]
    of = full.boxes[full.outputs[0]].label if differentiates else full.of
    ids, graph = reading.ids, reading.graph
    rooms = {
        (event.node, event.user, event.slot): _room(_flowing(event)[0])
        for event in recording.events
        if event.kind == "multiply"
    }
    edges = {
        (boxes[e.tail].id, boxes[e.head].id, e.slot): replace(
            e, room=max(e.room, rooms.get((boxes[e.tail].id, boxes[e.head].id, e.slot), 0.0))
        )
        for e in full.edges
    }
    drawn = replace(full, boxes=boxes, edges=[*edges.values()], of=of, shows_changes=is_nudge)
    return Stage(
        picture(drawn, direction),
        {ids[node]: box.id for part, box in zip(reading.parts, boxes) for node in part.nodes},
        edges,
        opened=frozenset(graph.titles),
        folded=frozenset(graph.shown(part.module) for part in reading.parts if part.module),
        sizes=reading.scopes,
        calls={ids[node]: call for node, call in graph.calls.items()},
        frames={graph.shown(path): (ids[y], path) for path, y in graph.closable.items()},
    )


def _with_room_for_thumbs(box: Box) -> Box:
    """Give a box that shows the shape of an array room for pictures of its numbers."""
    return replace(box, room=box.room + 2 * THUMB + 8) if _has_thumbs(box) else box


def _has_thumbs(box: Box) -> bool:
    return bool(box.value and box.value.startswith("(")) and 0 not in box.shape


def thumbs(on: Stage) -> dict[str, list[float]]:
    """Where the pictures of an array's value and gradient have their middles, by box."""
    places = {}
    for placed in on.picture.boxes:
        if _has_thumbs(placed.box):
            beside = symbol_half(placed.box.symbol) if on.picture.is_right else 0.0
            above = theme.RADIUS if placed.box.symbol and not on.picture.is_right else 0.0
            inset = THUMB / 2 + (14 if placed.box.kind == "variable" else 8)
            x, y = placed.x, placed.y + (placed.height + above) / 2
            ends = [x + beside + inset, x + placed.width - inset]
            places[placed.box.id] = [round(number, 1) for number in (*ends, y)]
    return places


def within(path: str, outer: str) -> bool:
    """Whether a scope is another one or lies in it."""
    return path == outer or path.startswith(f"{outer}/")


def toggles(on: Stage) -> list[dict[str, Any]]:
    """What can be folded or unfolded: frames of scopes and calls, and the boxes they fold into."""
    offered: list[dict[str, Any]] = []
    for group in on.picture.groups:
        path = "/".join(group.path)
        if path in on.frames:
            offered.append(fold_toggle("close", on.frames[path][0], group))
        elif path in on.sizes:
            offered.append(fold_toggle("fold", path, group))
    for placed in on.picture.boxes:
        box = placed.box
        if box.kind == "module" and box.full in on.sizes:
            offered.append(
                unfold_toggle("unfold", box.full, f"{box.label}, {box.operation}", placed)
            )
        elif box.id in on.calls:
            offered.append(unfold_toggle("open", box.id, box.operation, placed))
    return offered


def _room(text: str) -> float:
    """The room that the label of an edge needs, within reason."""
    return min(MOST_ROOM, width(text, theme.LABEL_SIZE, bold=True))


def view(writer: Writer) -> dict[str, Any]:
    """Everything that the player needs, as plain JSON."""
    recording, on = writer.recording, writer.on
    steps = writer.steps()
    labels = writer.first_labels()
    forward = sum(step["phase"] == FORWARD for step in steps)
    told = writer.told(steps)
    return {
        "title": f"Computational graph of {recording.by_id[recording.output].name}",
        "svg": on.svg,
        "places": {
            writer.edge_id(e.edge): [round(e.label[0], 1), round(e.label[1], 1)]
            for e in on.picture.edges
        },
        "labels": labels,
        "carried": {edge: writer.carried_at(edge) for edge, *_ in labels},
        "start": writer.start(),
        "steps": steps,
        "totals": [forward, len(steps) - forward],
        "nodes": {node.id: writer.node(node) for node in recording.nodes if node.id in told},
        "mistakes": [],
        "nudges": [],
        "toggles": toggles(on),
        "thumbs": thumbs(on),
    }


def mistake(
    right: Recording, wrong: Recording, on: Stage, joins: bool = False
) -> dict[str, Any] | None:
    """The backward steps of a pass that is run the wrong way; None if it makes no difference."""
    difference = first_difference(right, wrong)
    if difference is None:
        return None
    way = MISCONCEPTIONS[wrong.wrong]
    names = {"name": way.name, "title": way.title, "why": way.why}
    return names | {"steps": _backward_steps(Writer(wrong, on, joins), difference)}


def up_to(whole: dict[str, Any], known: int) -> dict[str, Any]:
    """What of a view is known after some steps: nothing that comes later is in it."""
    nodes = {}
    for id, node in whole["nodes"].items():
        hidden: set[str] = set()
        if node.get("at", 0) > known:
            hidden |= {"at", "value", "computed", "grid", "shape", "stretched"}
        if known < len(whole["steps"]):
            hidden.add("locals")
        if node.get("gradient_at", 0) > known:
            hidden.add("gradient_grid")
        nodes[id] = {name: x for name, x in node.items() if name not in hidden}
    labels = [label for label in whole["labels"] if whole["carried"][label[0]] <= known]
    seen = {"steps": whole["steps"][:known], "nodes": nodes, "labels": labels, "mistakes": []}
    return whole | seen


def own_pass(reading: Reading, right: Recording, own: Recording, on: Stage) -> dict[str, Any]:
    """The backward steps of a learner's own program, marked where they part from the right ones.

    If a misconception would have left the same gradients, it says which; and if they are right in
    spite of the way there, it says that.
    """
    difference = first_difference(right, own)
    way = diagnosed(reading, own.gradients)
    why = way.why if way else ""
    if not way and all(same(g, own.gradients.get(id)) for id, g in right.gradients.items()):
        why = "In the end its gradients are right all the same."
    names = {"name": OWN, "title": "your own pass", "why": why}
    told = replace(own, wrong=OWN if difference else "")  # its last sentence depends on it
    return names | {"steps": _backward_steps(Writer(told, on), difference)}


def _backward_steps(writer: Writer, difference: Divergence | None) -> list[Any]:
    return [step for step in writer.steps(difference) if step["phase"] == BACKWARD]


class Writer:
    """Writes the steps of one recording for one stage.

    Where it `joins`, what happens within a folded box without a break is one step. Such a step ends
    where a number is strange for the first time, and at a breakpoint, so that it tells of that.
    """

    def __init__(
        self,
        recording: Recording,
        on: Stage,
        joins: bool = False,
        breakpoint: tuple[str, float] | None = None,
    ) -> None:
        self.recording, self.on, self.joins = recording, on, joins
        self.breakpoints = {(NAN, 0.0), breakpoint or (NAN, 0.0)}
        self.placed = {p.box.id: p for p in on.picture.boxes}
        self.edges = {self.edge_id(e.edge): e.edge for e in on.picture.edges}
        self.values: dict[str, Any] = {}
        self.known_at: dict[str, int] = {}
        self.gradient_at: dict[str, int] = {}
        starts = [e for e in recording.events if e.phase == FORWARD and e.kind == "visit"]
        self.given = {e.node: e.value for e in starts if e.value is not None}
        self.locals: dict[str, list[str]] = {}
        for event in recording.events:
            if event.kind == "multiply" and event.local is not None:
                self.locals.setdefault(event.user or "", []).append(local_text(recording, event))

    def edge_id(self, edge: Edge) -> str:
        """The id of a drawn edge."""
        boxes = self.on.picture.diagram.boxes
        return f"{boxes[edge.tail].id}-{boxes[edge.head].id}-{edge.slot}"

    # --- steps ------------------------------------------------------------------------------------

    def steps(self, difference: Divergence | None = None) -> list[dict[str, Any]]:
        """One step for each computed value, for each contribution, and for either end."""
        self.values = dict(self.given)
        self.known_at = dict.fromkeys(self.given, 0)
        steps: list[dict[str, Any]] = []
        joined: dict[int, int] = {}  # how many steps are in one, by its place
        met: set[tuple[str, float]] = set()
        goes_on = False
        for place, event in enumerate(self.recording.events):
            joins = goes_on and self._is_within(event, steps[-1])
            made = self._step(event, place, len(steps) + (not joins))
            if made is not None:
                adding = event
                if event.kind == "multiply" and "hands" in made:
                    adding = self.recording.events[place + 1]
                made |= {"phase": event.phase} | numbers_of(adding)
                if joins:
                    joined[len(steps) - 1] = joined.get(len(steps) - 1, 1) + 1
                    steps[-1] = _joined(steps[-1], made)
                else:
                    steps.append(made)
                new = {point for point in self.breakpoints - met if is_met(made, *point)}
                goes_on = self.joins and not new
                met |= new
            if difference and place == difference.place:
                steps[-1]["wrong"] = difference.text
        for place, many in joined.items():
            self._tell_of(steps[place], many)
        return steps

    def told(self, steps: list[dict[str, Any]]) -> set[str]:
        """The nodes that the lens can be asked for; of those in folded boxes, where steps end."""
        if not self.joins:
            return {*self.recording.by_id}
        ends = {step["node"] for step in steps if "node" in step}
        users = {hand["via"] for step in steps for hand in step.get("hands", ())}
        return {*(id for id, box in self.on.box_of.items() if id == box), *ends, *users}

    def _is_within(self, event: Event, step: dict[str, Any]) -> bool:
        """Whether an event goes on with a step in a folded box."""
        box = self.on.box_of[event.node]
        return (
            step.get("box") == box
            and step["phase"] == event.phase
            and event.kind in ("compute", "multiply", "hook")
            and self.placed[box].box.kind == "module"
        )

    def _tell_of(self, step: dict[str, Any], many: int) -> None:
        """Say of a step that it is several; of what is handed on, keep what the last node gets."""
        what = "values are computed" if step["phase"] == FORWARD else "contributions are handed on"
        box = self.placed[step["box"]].box
        step["say"] = f"{box.full}: {many:,} {what}; the last is this. {step['say']}"
        if "hands" in step:
            step["hands"] = [hand for hand in step["hands"] if hand["to"] == step["node"]]

    def _step(self, event: Event, place: int, number: int) -> dict[str, Any] | None:
        match event.kind:
            case "compute":
                self.values[event.node] = event.value
                self.known_at[event.node] = number
                return self._computed(event)
            case "seed":
                self.gradient_at[event.node] = number
                return self._seeded(event)
            case "hook":
                self.gradient_at[event.node] = number
                return self._said(event) | self._gradient_set(event)
            case "multiply":
                self.gradient_at[event.node] = number
                following = self.recording.events[place + 1]
                if _belong_together(event, following):
                    return self._handed_on(event, following)
                return self._said(event)
            case "accumulate" if not _belong_together(self.recording.events[place - 1], event):
                return self._said(event) | self._gradient_set(event)
            case "done" if event.phase == BACKWARD:
                return {"say": sentence(self.recording, event, self.values)}
        return None

    def _gradient_set(self, event: Event) -> dict[str, Any]:
        return {"set": self._number(event.node, "gradient", written(event.value))}

    def _said(self, event: Event) -> dict[str, Any]:
        """A multiplication or an addition by itself, as a learner's own program may report it."""
        say = sentence(self.recording, event, self.values)
        return {"say": say, "node": event.node, "box": self.on.box_of[event.node]}

    def _computed(self, event: Event) -> dict[str, Any]:
        node = self.recording.by_id[event.node]
        flows = []
        for slot, x in enumerate(node.inputs):
            if edge := self.on.edge(x, node.id, slot):
                flows.append(self._label(edge, written(self.values[x]), kind="value"))
        return {
            "say": sentence(self.recording, event, self.values),
            "node": node.id,
            "box": self.on.box_of[node.id],
            "flow": flows,
            "set": self._number(node.id, "value", written(event.value)),
        }

    def _seeded(self, event: Event) -> dict[str, Any]:
        """The start of the backward pass; from here on the edges show their local derivatives."""
        return {
            "say": sentence(self.recording, event, self.values),
            "node": event.node,
            "box": self.on.box_of[event.node],
            "set": self._number(event.node, "gradient", written(event.value)),
            "labels": self._labels("derivative"),
        }

    def _handed_on(self, multiply: Event, accumulate: Event) -> dict[str, Any]:
        user, slot = multiply.user or "", multiply.slot or 0
        total = written(accumulate.value)
        axes = summed_axes(self.recording, multiply)
        product = f"summed over {axes_text(axes)}" if axes else _product(multiply)
        gives = written(multiply.value)
        edge = self.on.edge(multiply.node, user, slot)
        made: dict[str, Any] = {
            "say": step(self.recording, multiply, accumulate),
            "node": multiply.node,
            "box": self.on.box_of[multiply.node],
            "set": self._number(multiply.node, "gradient", total),
            "hands": [
                {
                    "to": multiply.node,
                    "via": user,
                    "edge": edge,
                    "product": product,
                    "gives": gives,
                    "total": total,
                }
            ],
        }
        adding = accumulate.before is not None
        if adding and adds_up(self.recording, accumulate, multiply.value):
            made["now"] = self._sum(multiply.node, sum_text(accumulate, multiply.value))
        if edge:
            made["flow"] = [self._label(edge, *_flowing(multiply), kind="gradient")]
            made["labels"] = [self._label(edge, *_flowing(multiply), kind="product")]
        return made

    def start(self) -> str:
        """What is known before the first step."""
        texts = {self.recording.by_id[id].name: written(x) for id, x in self.given.items()}
        told = [f"{name} = {x}" for name, x in texts.items() if x != name and x[0] != "("]
        listed_ = f": {', '.join(told)}" if 0 < len(told) <= _MOST_INPUTS else ""
        return f"The inputs have their values{listed_}. Nothing has been computed yet."

    # --- texts that fit ---------------------------------------------------------------------------

    def _number(self, id: str, part: str, text: str) -> list[Change]:
        box = self.placed.get(self.on.box_of[id])
        if box is None or box.box.id != id or (part == "gradient" and box.box.gradient is None):
            return []
        return [[id, part, text, number_size(self.on.picture, box, part, text)]]

    def _sum(self, id: str, text: str) -> list[Change]:
        """A sum as long as it can be read: 2 + 5 = 7, or 2 + 5."""
        for shorter in (text, text.partition(" = ")[0]):
            changes = self._number(id, "gradient", shorter)
            if changes and changes[0][3] >= SMALLEST:
                return changes
        return []

    def _label(self, edge: str, *texts: str, kind: str) -> Change:
        """A label with the first of the texts that can be read in the room of its edge."""
        known = self.edges[edge]
        room = max(label_width(known) if known.kind else 0.0, UNLABELLED_ROOM)
        room -= theme.LABEL_INSET
        bold = kind in ("value", "gradient")  # what flows now
        for text in texts:
            size = theme.LABEL_SIZE * min(1.0, room / width(text, theme.LABEL_SIZE, bold=True))
            if size >= SMALLEST:
                break
        size = max(size, SMALLEST)
        wide = width(text, size, bold) + theme.LABEL_AROUND
        return [edge, text, round(size, 1), round(wide, 1), kind]

    def first_labels(self) -> list[Change]:
        """The labels that are there from the beginning: the shapes of arrays."""
        return self._labels("shape")

    def _labels(self, kind: str) -> list[Change]:
        """The labels of one kind that the drawing would have."""
        return [
            self._label(id, edge.label, kind=kind)
            for id, edge in self.edges.items()
            if edge.kind == kind
        ]

    def carried_at(self, edge: str) -> int:
        """The number of steps after which all that flows along an edge is known."""
        tail = edge.split("-")[0]
        return max(n for id, n in self.known_at.items() if self.on.box_of[id] == tail)

    # --- what the lens shows ----------------------------------------------------------------------

    def node(self, node: RecordedNode) -> dict[str, Any]:
        """A node for the lens: its formula, the numbers put in, and when they are known."""
        values, gradients = self.recording.values, self.recording.gradients
        shown: dict[str, Any] = {
            "name": node.name,
            "box": self.on.box_of[node.id],
            "what": node.operation,
            "gradient": gradient_name(self.recording, node.id),
        }
        if node.shape:
            shown["shape"] = f"({shape_text(node.shape)})"
        if node.id in values:
            shown["value"] = written(values[node.id])
            shown["at"] = self.known_at[node.id]
            shown |= _as_grid("grid", values[node.id])
        if node.kind == "operation":
            names = [self.recording.by_id[x].name for x in node.inputs]
            shown["formula"] = applied(node.symbol, node.operation, names)
            shown["inputs"] = list(node.inputs)
            shown["computed"] = computation(self.recording, node, values)
            shown["locals"] = self.locals.get(node.id, [])
            shown["stretched"] = self._stretched(node)
        if node.id in gradients:
            shown["gradient_at"] = self.gradient_at[node.id]
            shown |= _as_grid("gradient_grid", gradients[node.id])
        return shown

    def _stretched(self, node: RecordedNode) -> list[str]:
        """Which inputs are repeated to fit the others, and along which axes."""
        inputs = [self.recording.by_id[x] for x in dict.fromkeys(node.inputs)]
        return [
            f"{x.name} ({shape_text(x.shape)}) is repeated along {axes_text(axes)}"
            for x in inputs
            if x.shape and (axes := stretched_axes(node, x))
        ]


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two steps in a folded box as one: all that they write, and what the second one says."""
    step = one | other
    for part in ("flow", "labels"):
        written_ = {change[0]: change for x in (one, other) for change in x.get(part, ())}
        if written_:
            step[part] = [*written_.values()]
    if hands := [*one.get("hands", ()), *other.get("hands", ())]:
        step["hands"] = hands
    if one.get("strange") or other.get("strange"):
        return step | {"strange": True, "most": None}
    if "most" in step:
        step["most"] = max(one.get("most", 0.0), other.get("most", 0.0))
    return step


def _belong_together(multiply: Event, accumulate: Event) -> bool:
    """Whether the second event adds up what the first has made."""
    ends = [(e.node, e.user, e.slot) for e in (multiply, accumulate)]
    return (multiply.kind, accumulate.kind) == ("multiply", "accumulate") and ends[0] == ends[1]


def _flowing(multiply: Event) -> tuple[str, str]:
    """What flows back along an edge, and a shorter way to write it."""
    product, gives = _product(multiply), written(multiply.value)
    return f"{product} = {gives}" if product else f"grad {gives}", gives


def _product(multiply: Event) -> str:
    """gradient × local derivative, where both are numbers."""
    return product_text(multiply) if is_product(multiply) else ""


def _as_grid(name: str, value: Any) -> dict[str, Any]:
    rows = grid(value)
    return {name: rows} if rows else {}


def grid(value: Any) -> list[Any]:
    """Up to 8 × 8 numbers of an array, as texts and as shades from −1 to 1; none of a number."""
    if np.ndim(value) == 0:
        return []
    rows: Iterable[Any] = value.thumbnail if isinstance(value, Summary) else thumbnail(value)
    cells = np.asarray(rows, dtype=float)
    finite = np.abs(cells[np.isfinite(cells)])
    most = finite.max() if finite.size and finite.max() > 0 else 1.0
    with np.errstate(invalid="ignore"):
        shades = np.nan_to_num(np.clip(cells / most, -1, 1)).round(2)
    return [
        [[written(np.float64(x)), float(s)] for x, s in zip(row, shade)]
        for row, shade in zip(cells, shades)
    ]
