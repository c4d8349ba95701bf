"""A picture as SVG: accessible, right without any style sheet, the same bytes every time.

Every node is a group with its `data-node` id; the texts that change have a `data-part`. In the
theme "auto" the drawing follows the colour scheme of the page that holds it as an image.
"""

from __future__ import annotations

from functools import partial
from html import escape as _escape

from . import theme, words
from .diagram import Box, Diagram
from .route import Picture, PlacedBox, PlacedEdge, PlacedGroup
from .skeleton import label_width, symbol_half, symbol_size
from .text import elided, elided_derivative, width
from .theme import paint

escape = partial(_escape, quote=False)  # xml.sax has it, too, and takes long to import
_ABOVE, _BELOW = 10.5, 11.5  # pixels from the middle of a box to those of its two lines
_LEAST_NAME = 30.0  # pixels that a name has at least, whatever its value takes


def to_svg(picture: Picture, colours: str) -> str:
    """Write a picture in the theme "light", "dark", or "auto"."""
    diagram = picture.diagram
    size = f'width="{picture.width:.0f}" height="{picture.height:.0f}"'
    box = f'viewBox="0 0 {picture.width:.0f} {picture.height:.0f}"'
    edges = sorted(picture.edges, key=lambda e: e.edge.highlighted)  # the lit ones on top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img"'
        f' font-family="{theme.FONTS}" style="font-variant-numeric:tabular-nums">',
        f"<title>{escape(words.title(diagram))}</title>",
        f"<desc>{escape(words.sentence(diagram))}</desc>",
        theme.dark_style(colours),
        f'<rect width="100%" height="100%" rx="10"{paint(colours, "ground")}/>',
        *(_group(group, colours) for group in picture.groups),
        *(_edge(edge, diagram, colours) for edge in edges),
        *(_title(group, colours) for group in picture.groups),
        *(_label(edge, colours) for edge in edges if edge.edge.kind),
        *(_box(placed, picture, colours) for placed in picture.boxes),
        _caption(picture, colours),
        "</svg>",
    ]
    return "".join(parts)


def _group(group: PlacedGroup, colours: str) -> str:
    return (
        f"{rect(group.x, group.y, group.width, group.height, 10)}"
        f'{paint(colours, "panel", "line")} stroke-dasharray="2 3"/>'
    )


def _title(group: PlacedGroup, colours: str) -> str:
    """The name of a scope, with a ground that keeps edges off it."""
    label = elided(group.path[-1], group.width - 24, theme.LABEL_SIZE)
    return (
        f'<text x="{group.x + 12:.1f}" y="{group.y + 17:.1f}" font-size="{theme.LABEL_SIZE:g}"'
        f'{paint(colours, "soft", "panel")} stroke-width="5" paint-order="stroke"'
        f' stroke-linejoin="round">{escape(label)}</text>'
    )


def _edge(placed: PlacedEdge, diagram: Diagram, colours: str) -> str:
    edge = placed.edge
    colour, thickness = ("highlight", 3) if edge.highlighted else ("edge", 1.6)
    tail, head = diagram.boxes[edge.tail], diagram.boxes[edge.head]
    return (
        f'<g data-edge="{tail.id}-{head.id}-{edge.slot}">'
        f"<title>{escape(f'{tail.full} → {head.full}')}</title>"
        f'<path d="{placed.curve}"{paint(colours, "none", colour)} stroke-width="{thickness}"/>'
        f'<path d="{placed.arrow}"{paint(colours, colour)}/></g>'
    )


def _label(placed: PlacedEdge, colours: str) -> str:
    """A label on its own ground: a pill around a derivative, nothing around a shape."""
    edge, (x, y) = placed.edge, placed.label
    room = label_width(edge)
    size = _fitted(edge.label, room - theme.LABEL_INSET, theme.LABEL_SIZE)
    wide = min(room, width(edge.label, size) + theme.LABEL_AROUND)
    high = theme.LABEL_HEIGHT - 1
    border = "soft" if edge.kind == "derivative" else "none"
    ground = "panel" if placed.is_in_group and edge.kind == "shape" else "ground"
    return (
        f"<g>{rect(x - wide / 2, y - high / 2, wide, high, high / 2)}"
        f'{paint(colours, ground, border)} stroke-width="0.8"/>'
        f"{text_line(x, y, size, [span(edge.label, colours, 'soft')])}</g>"
    )


def _box(placed: PlacedBox, picture: Picture, colours: str) -> str:
    box = placed.box
    return (
        f'<g data-node="{box.id}"><title>{escape(_tooltip(box))}</title>'
        f"{_ground(placed, colours)}{_texts(placed, picture, colours)}"
        f"{_symbol(placed, picture.is_right, colours) if box.symbol else ''}</g>"
    )


def _tooltip(box: Box) -> str:
    """What hovering over a box says: the whole name, and what it is."""
    shape = f", shape {box.shape}" if box.shape else ""
    made = f", made of {box.operations} operation" if box.operations else ""
    return f"{box.full}: {box.operation}{shape}{made}{'s' * (box.operations > 1)}"


def _ground(placed: PlacedBox, colours: str) -> str:
    """The shape of a box tells its kind: a pill, a card, a stack of cards, or nearly nothing.

    A placeholder is a pill with a dashed border. One card behind another is an operation that can
    be opened.
    """
    box = placed.box
    fill, border, thickness = {
        "variable": ("variable", "line", 1.3),
        "placeholder": ("ground", "soft", 1.3),
        "operation": ("card", "line", 1.3),
        "module": ("card", "line", 1.3),
        "constant": ("panel", "none", 0),
    }[box.kind]
    if box.highlighted:
        fill, border, thickness = "highlight_ground", "highlight", 2.5
    elif box.kind == "constant" and box.scope:
        fill = "ground"  # to stand out from its scope
    radius = placed.height / 2 if box.kind in ("variable", "placeholder") else 8
    dashes = ' stroke-dasharray="4 3"' if box.kind == "placeholder" else ""
    colour = f'{paint(colours, fill, border)} stroke-width="{thickness}"{dashes}/>'
    x, y, wide, high = placed.x, placed.y, placed.width, placed.height
    stack = "".join(
        f"{rect(x + d, y + d, wide, high, radius)}{colour}"
        for d in ((8, 4) if box.kind == "module" else (4,) if box.operations else ())
    )
    return f"{stack}{rect(x, y, wide, high, radius)}{colour}"


def _texts(placed: PlacedBox, picture: Picture, colours: str) -> str:
    """The one or two lines of a box, in the room that its symbol leaves."""
    box = placed.box
    beside = symbol_half(box.symbol) if box.symbol and picture.is_right else 0.0
    above = theme.RADIUS if box.symbol and not picture.is_right else 0.0
    x = placed.x + (placed.width + beside) / 2
    y = placed.y + (placed.height + above) / 2
    inset = theme.CONSTANT_INSET if box.kind == "constant" else theme.BOX_INSET
    room = placed.width - beside - inset
    lines = [line for line in _lines(box, picture.diagram, room, colours) if line]
    if len(lines) == 1:
        return text_line(x, y, *lines[0])
    return text_line(x, y - _ABOVE, *lines[0]) + text_line(x, y + _BELOW, *lines[1])


Line = tuple[float, list[str]]  # a font size, and spans


def _lines(box: Box, diagram: Diagram, room: float, colours: str) -> list[Line | None]:
    if box.kind == "module":
        name = elided(box.label, room, theme.NAME_SIZE, bold=True)
        size = theme.GRADIENT_SIZE
        return [
            (theme.NAME_SIZE, [span(name, colours, "ink", "bold")]) if name else None,
            (size, [span(elided(box.operation, room, size), colours, "soft")]),
        ]
    return [_first_line(box, room, colours), _second_line(box, diagram, room, colours)]


def _first_line(box: Box, room: float, colours: str) -> Line:
    """The line "name = value", or "name (shape)"."""
    size, value = theme.NAME_SIZE, box.value or ""
    joint = "" if not (box.label and value) else " " if value.startswith("(") else " = "
    after = width(joint, size) + (box.room if value else 0)
    name = elided(box.label, max(room - after, _LEAST_NAME), size)
    taken = width(name + joint, size) + width(value, size, bold=True)
    size *= min(1.0, room / taken)
    spans = [span(name, colours, "ink", "italic")] if name else []
    if value:
        spans.append(span(joint, colours, "value", "bold"))
        spans.append(span(value, colours, "value", "bold", part="value"))
    return size, spans


def _second_line(box: Box, diagram: Diagram, room: float, colours: str) -> Line | None:
    """The line "∂y/∂name = gradient", "grad" where it is not known of what, or "Δname = change"."""
    if box.gradient is None:
        return None
    size = theme.GRADIENT_SIZE
    joint = " " if box.gradient.startswith("(") else " = "
    left = room - width(joint, size) - box.room * theme.GRADIENT_PART
    name = second_name(diagram, box, left)
    size *= min(1.0, room / width(name + joint + box.gradient, size))
    colour = "value" if diagram.shows_changes else "gradient"
    return size, [
        span(name + joint, colours, colour),
        span(box.gradient, colours, colour, part="gradient"),
    ]


def second_name(diagram: Diagram, box: Box, room: float) -> str:
    """What the second line of a box names, in as much room."""
    size = theme.GRADIENT_SIZE
    if diagram.shows_changes:
        return elided(diagram.second(box.label), room, size)
    return elided_derivative(diagram.of, box.label, room, size) if diagram.of else "grad"


def _symbol(placed: PlacedBox, is_right: bool, colours: str) -> str:
    """The symbol of an operation in its circle, where the edges arrive."""
    box, (x, y) = placed.box, placed.symbol
    half, radius = symbol_half(box.symbol), theme.RADIUS
    border, thickness = ("highlight", 2) if box.highlighted else ("line", 1.3)
    return (
        f"{rect(x - half, y - radius, 2 * half, 2 * radius, radius)}"
        f'{paint(colours, "card", border)} stroke-width="{thickness}"/>'
        f"{text_line(x, y, symbol_size(box.symbol), [span(box.symbol, colours, 'ink')])}"
    )


def _caption(picture: Picture, colours: str) -> str:
    if not picture.diagram.caption:
        return ""
    y = picture.height - theme.MARGIN
    spans = [span(picture.diagram.caption, colours, "soft")]
    return text_line(theme.MARGIN, y, theme.LABEL_SIZE, spans, anchor="start")


# --- elements -------------------------------------------------------------------------------------


def rect(x: float, y: float, wide: float, high: float, radius: float) -> str:
    """The beginning of a rectangle; its colours and its end follow."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{radius:g}"'


def text_line(x: float, y: float, size: float, spans: list[str], anchor: str = "middle") -> str:
    """A line of text whose middle is at y."""
    return (
        f'<text x="{x:.1f}" y="{theme.baseline(y, size):.1f}" font-size="{size:.4g}"'
        f' text-anchor="{anchor}">{"".join(spans)}</text>'
    )


_STYLES = {"": "", "bold": ' font-weight="bold"', "italic": ' font-style="italic"'}


def span(text: str, colours: str, role: str, style: str = "", part: str = "") -> str:
    """A piece of a line in the colour of a role; its style is "bold", "italic" or none."""
    marked = f' data-part="{part}"' if part else ""
    return f"<tspan{paint(colours, role)}{_STYLES[style]}{marked}>{escape(text)}</tspan>"


def _fitted(text: str, room: float, size: float) -> float:
    """The font size at which a text fits."""
    return size * min(1.0, room / max(width(text, size), 1.0))
