"""Random programs over all that minigraph can do, each computed in every way that there is.

    python3 tests/fuzz.py --minutes 60 --seed 7

draws programs (fuzz_programs.py), judges each, and prints how many there were and each fault as a
small program. `judge` compares NumPy, dynamic Nodes, `Graph.run`, captured graphs, each pass, plans
with and without updates, compiled functions, threads, files and copies; and gradients with PyTorch,
finite differences and one another.

Two ways to compute may differ by rounding, and how far a program carries rounding differs from
program to program. So `Spread` runs a graph several times with every result off by a few units in
the last place: as far as that moves an output, so far apart may it be.
"""

from __future__ import annotations

import argparse
import copy
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_programs import Draw, Leaf, Program, drawn, evaluated, names_in, run
from fuzz_references import NumPy, PyTorch

import minigraph as mg
from minigraph.autodiff.derivatives import gradients
from minigraph.compiler import PASSES, UNSAFE
from minigraph.compiler.parallel import timed
from minigraph.graph.graph import computed
from minigraph.graph.promises import check_graph

# --- operations of one's own ----------------------------------------------------------------------


@mg.custom(lambda g, out, x: g * 3 * x * x)
def own_cube(x):
    return x * x * x


@mg.custom(lambda g, out, x: g * mg.cos(x))
def own_total(x):
    return np.sum(np.sin(x))


@mg.custom(lambda g, out, x: mg.reshape(mg.swapaxes(g * 2, 0, -1), x.shape))
def own_swap(x):
    return np.swapaxes(np.atleast_2d(x), 0, -1) * 2


OWN = {f.__name__: f for f in (own_cube, own_total, own_swap)}


class Minigraph:
    """minigraph, with operations of one's own."""

    def __getattr__(self, name: str) -> Any:
        return OWN.get(name) or getattr(mg, name)


# --- comparing ------------------------------------------------------------------------------------


class Fault(AssertionError):
    """Two ways to compute that should agree do not; `kind` says which, and how."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@contextmanager
def asking(kind: str) -> Iterator[None]:
    """Whatever is raised inside is a fault of this kind."""
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        lines = traceback.format_exception(error)[-6:]
        raise Fault(f"{kind}, {type(error).__name__}", "".join(lines)) from error


def same(kind: str, found: Any, expected: Any) -> None:
    """Assert that two values are the same to the bit, in type and shape too."""
    alike(kind, found, expected)
    x, y = np.asarray(found), np.asarray(expected)
    if x.dtype.kind == "f":
        equal = (x == y) & (np.signbit(x) == np.signbit(y)) | np.isnan(x) & np.isnan(y)
    else:
        equal = x == y
    if not np.all(equal):
        raise Fault(kind, f"found\n{x}\nexpected\n{y}")


def alike(kind: str, found: Any, expected: Any) -> None:
    """Assert that two values have one type and one shape."""
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        raise Fault(
            f"{kind}, dtype or shape",
            f"found {found.dtype} {found.shape}, expected {expected.dtype} {expected.shape}",
        )


def near(kind: str, found: Any, expected: Any, tolerance: Any, excused: Any = False) -> None:
    """Assert that two values are apart by no more than is tolerated, NaN and infinities alike."""
    x, y = np.asarray(found), np.asarray(expected)
    alike(kind, x, y)
    if x.dtype.kind != "f":
        wrong = (x != y) & ~np.asarray(excused)
    else:
        x, y = x.astype(np.longdouble), y.astype(np.longdouble)
        finite = np.isfinite(x) & np.isfinite(y)
        apart = np.abs(np.where(finite, x, 0) - np.where(finite, y, 0)) > tolerance
        wrong = np.where(finite, apart, ~((x == y) | np.isnan(x) & np.isnan(y))) & ~excused
    if wrong.any():
        raise Fault(kind, f"found\n{found}\nexpected\n{expected}\nwithin {tolerance}")


PLAIN = ("float64", "int64", "bool")  # dtypes whose scalars may be given as Python's numbers
SUMS = {"sum", "mean", "matmul", "einsum", "cumsum", "overlap_add", "scatter_add"}
EXACT = {
    "negative", "absolute", "relu", "maximum", "minimum", "sign", "floor", "ceil", "rint", "max",
    "min", "reshape", "transpose", "matrix_transpose", "broadcast_to", "getitem", "concatenate",
    "windows", "where", "stop_gradient", "astype",
}  # fmt: skip


class Spread:
    """The outputs of a graph, and how far rounding may move each.

    Attributes:
        values: the outputs as `Graph.run` computes them.
        tolerances: of each, how far another way to compute it may be off.
        excused: of each, where rounding decides what it is at all.
        overflows: whether some number became infinite on the way, or nearly.
        has_sums: whether the sign of a zero may depend on the order in which numbers are added.
    """

    def __init__(self, graph: mg.Graph, feeds: dict[str, Any]) -> None:
        self.values = graph.run(feeds)
        self.overflows = False
        self.has_sums = any(x.op and x.op.name in SUMS for x in graph.order)
        given = graph.fed(feeds)
        rng = np.random.default_rng(0)
        runs = [self._run(graph, given, rng) for _ in range(3)]
        self.tolerances: list[Any] = []
        self.excused: list[Any] = []
        for i, value in enumerate(self.values):
            others = [found[i] for found in runs]
            if value.dtype.kind != "f":
                self.tolerances.append(0.0)
                self.excused.append(reduce(np.logical_or, [x != value for x in others]))
                continue
            limits = np.finfo(value.dtype)
            with np.errstate(all="ignore"):
                wide = np.asarray(value).astype(np.longdouble)
                off = reduce(np.maximum, [np.abs(x - wide) for x in others])
                odd = reduce(np.logical_or, [np.isfinite(x) != np.isfinite(value) for x in others])
                tiny = float(limits.smallest_subnormal)
                self.tolerances.append(6 * off + 4 * float(limits.eps) * np.abs(wide) + 8 * tiny)
                self.excused.append(odd)

    def agree(self, kind: str, found: Any, more: str = "", has_nan: bool = True) -> None:
        """Assert that these are the outputs, too, computed in another way.

        Args:
            kind: of the fault that it would be.
            found: the outputs.
            more: what the fault shows besides.
            has_nan: whether they must have NaN, infinities and zeros of either sign as ours.
        """
        columns = self.values, self.tolerances, self.excused
        for x, y, tolerance, excused in zip(found, *columns, strict=True):
            if not has_nan:
                excused = excused | ~np.isfinite(y)
            try:
                near(kind, x, y, tolerance, excused)
                if y.dtype.kind == "f" and has_nan and not self.has_sums:
                    zero = (x == 0) & (y == 0) & (tolerance < 1e-6) & ~excused
                    if (zero & (np.signbit(x) != np.signbit(y))).any():
                        raise Fault(f"{kind}, sign of zero", f"found\n{x}\nexpected\n{y}")
            except Fault as fault:
                raise Fault(fault.kind, f"{fault}{more}") from None

    def _run(self, graph: mg.Graph, given: dict, rng: np.random.Generator) -> list[Any]:
        values = dict(given)
        for node in graph.order:
            if node.op is None:
                continue
            inputs = [values[x] for x in node.inputs]
            value = computed(node, inputs)
            if value.dtype.kind == "f":
                finite = all(np.isfinite(x).all() for x in inputs)
                limit = 1e-3 * float(np.finfo(value.dtype).max)
                if finite and (~np.isfinite(value) | (np.abs(value) > limit)).any():
                    self.overflows = True
                narrows = (
                    node.op.name == "astype" and node.inputs[0].dtype.itemsize > value.itemsize
                )
                if node.op.name not in EXACT or narrows:
                    value = _off(node, value, inputs, rng)
            values[node] = value
        return [values[y] for y in graph.outputs]


def _off(node: mg.Node, value: Any, inputs: list[Any], rng: np.random.Generator) -> Any:
    """A value, each number off by some units in the last place of what it was summed from."""
    size = np.abs(value)
    if node.op.name in SUMS:
        size = computed(node, [np.abs(x) if x.dtype.kind == "f" else x for x in inputs])
    elif node.op.name == "logsumexp":
        size = size + 1
    limits = np.finfo(value.dtype)
    moved = 2 * limits.eps * rng.uniform(-1, 1, value.shape).astype(value.dtype) * size
    moved = moved + np.where(size == 0, 0, limits.smallest_subnormal).astype(value.dtype)
    return np.where(np.isfinite(value), value + moved.astype(value.dtype), value)[()]


# --- one program ----------------------------------------------------------------------------------


@dataclass
class Tally:
    """What has been judged.

    Attributes:
        programs: how many.
        steps: by the name of a function, how often it was drawn.
        ways: by name, how many programs were compared in that way.
        refused: what minigraph refused though NumPy computes it, by what it said.
    """

    programs: int = 0
    steps: Counter = field(default_factory=Counter)
    ways: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        ways = ", ".join(f"{name} {count}" for name, count in self.ways.most_common())
        return f"{self.programs} programs of {self.steps.total()} steps; compared: {ways}"


class Judge:
    """Computes one program in every way; raises a Fault where two of them disagree."""

    def __init__(self, program: Program, torch: Any = None, tally: Tally | None = None) -> None:
        self.torch = torch
        self.tally = tally or Tally()
        self.program = self.accepted(program)
        self.r = random.Random(str(program))

    def judge(self) -> None:
        """Compare everything."""
        with np.errstate(all="ignore"), asking("comparing"):
            self.values()
            self.refusals()
            if self.program.steps:
                self.graphs()
                self.gradients()
                self.updates()
                self.functions()
        self.tally.programs += 1
        for step in self.program.steps:
            self.tally.steps.update(n for n in names_in(step.text) if n in mg.__all__)

    def accepted(self, program: Program) -> Program:
        """The program without the steps that minigraph refuses by name."""
        known = self.leaves(program)
        steps = []
        with np.errstate(all="ignore"):
            for step in program.steps:
                if any(
                    n not in known and n[0] == "v" and n[1:].isdigit() for n in names_in(step.text)
                ):
                    continue
                try:
                    found = run(replace(program, steps=(step,)), known, Minigraph())[step.name]
                except mg.MinigraphError as error:
                    self.tally.refused[re.sub(r"\d+", "#", str(error))[:90]] += 1
                    continue
                except Exception as error:
                    raise Fault(
                        f"{type(error).__name__} of a step", f"{step.text}: {error}"
                    ) from error
                if not isinstance(found, mg.Node):
                    raise Fault("a step is no Node", f"{step.text} gives {type(found)}")
                known[step.name] = found
                steps.append(step)
        return replace(
            program,
            steps=tuple(steps),
            outputs=tuple(y for y in program.outputs if y in known) or program.inputs[:1]
            or (program.leaves[0].name,),
            updates=tuple((w, y) for w, y in program.updates if y in known),
        )  # fmt: skip

    # --- worlds ---

    def leaves(self, program: Program, values: dict[str, Any] | None = None) -> dict[str, mg.Node]:
        values = values or program.values
        return {
            x.name: (mg.variable if x.is_variable else mg.constant)(values[x.name], name=x.name)
            for x in program.leaves
        }

    def dynamic(self, values: dict[str, Any] | None = None) -> dict[str, mg.Node]:
        """All Nodes, computed at once."""
        return run(self.program, self.leaves(self.program, values), Minigraph())

    def static(self) -> dict[str, mg.Node]:
        """All Nodes, those that depend on inputs symbolic."""
        fed = {
            x.name: mg.placeholder(x.name, x.value.shape, x.value.dtype)
            for x in self.program.leaves
            if x.name in self.program.inputs
        }
        return run(self.program, self.leaves(self.program) | fed, Minigraph())

    @property
    def is_static(self) -> bool:
        return not any(step.is_dynamic for step in self.program.steps)

    def feeds(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in self.program.inputs}

    def others(self) -> dict[str, Any]:
        """Other numbers for the inputs."""
        d = Draw(random.Random(1), is_odd=self.program.is_odd)
        return {
            x.name: d.array(x.value.shape, x.value.dtype.name)
            if x.name in self.program.inputs
            else x.value
            for x in self.program.leaves
        }

    def graph(self, nodes: dict[str, mg.Node], more: Sequence[mg.Node] = ()) -> mg.Graph:
        outputs = [nodes[y] for y in self.program.outputs]
        return mg.Graph([*outputs, *more], [nodes[x] for x in self.program.inputs])

    # --- values ---

    def values(self) -> None:
        """Each step computes from minigraph's values what NumPy computes from them."""
        nodes = self.dynamic()
        known = {name: node.value for name, node in nodes.items()}
        for step in self.program.steps:
            found = known[step.name]
            expected = np.asarray(evaluated(step.text, {"mg": NumPy(), "np": np, **known}))[()]
            inputs = [known[n] for n in names_in(step.text) if n in known]
            tolerance: Any = 0.0
            if found.dtype.kind == "f" and expected.dtype.kind == "f":
                sizes = [np.abs(x[np.isfinite(x)]).max(initial=0) for x in map(np.asarray, inputs)]
                size = 1 + np.square(np.longdouble(max(sizes, default=0.0)))
                floats = [expected, *(x for x in inputs if x.dtype.kind == "f")]
                eps = max(float(np.finfo(x.dtype).eps) for x in floats)
                tolerance = 32 * eps * (np.abs(expected.astype(np.longdouble)) + size)
            near(f"values of {_function(step.text)}", found, expected, tolerance)
            if isinstance(found, np.ndarray) and found.flags.writeable:
                raise Fault("a value can be written to", step.text)
        check_graph(mg.topological_order([nodes[y] for y in self.program.outputs]))

    def refusals(self) -> None:
        """What NumPy refuses is refused."""
        nodes = self.dynamic()
        for step in self.program.refused:
            if any(
                n not in nodes and n[0] in "vx" and n[1:].isdigit() for n in names_in(step.text)
            ):
                continue
            try:
                found = run(replace(self.program, steps=(step,)), nodes, Minigraph())[step.name]
            except Exception as error:
                if not isinstance(error, mg.MinigraphError | TypeError | ValueError | IndexError):
                    raise Fault(f"{type(error).__name__} of a refusal", step.text) from error
                continue
            raise Fault(f"NumPy refuses {_function(step.text)}", f"{step.text} gives {found!r}")

    # --- graphs ---

    def graphs(self) -> None:
        """Graphs that are run, optimised, compiled, stored and copied."""
        values, others = self.program.values, self.others()
        nodes = self.dynamic()
        if self.is_static:
            self.way("static")
            with asking("a symbolic step"):
                symbolic = self.static()
            for step in self.program.steps:
                alike(f"a symbolic {_function(step.text)}", symbolic[step.name], nodes[step.name])
            graph = self.graph(symbolic)
        else:
            graph = self.graph(nodes)
        check_graph(graph.order)
        expected = [nodes[y].value for y in self.program.outputs]
        with asking("Graph.run"):
            found = graph.run(self.feeds(values))
        for x, y in zip(found, expected, strict=True):
            same("Graph.run", x, y)
        if self.is_static or not any("mg.no_grad()" in x.within for x in self.program.steps):
            self.again(graph, others)
        self.every_way(graph, values, others)
        if self.is_static and self.r.random() < 0.3:
            self.way("captured")
            graph = self.graph(nodes)
            with asking("a captured graph"):
                found = graph.run(self.feeds(values))
            for x, y in zip(found, expected, strict=True):
                same("a captured graph", x, y)
            if not any("mg.no_grad()" in step.within for step in self.program.steps):
                self.again(graph, others)  # else it holds constants
            self.every_way(graph, values, others)

    def again(self, graph: mg.Graph, others: dict[str, Any]) -> None:
        """Other numbers give what the program computes of them, or are refused."""
        try:
            nodes = self.dynamic(others)
        except mg.MinigraphError:
            return  # such as an index that is out of bounds now; every_way asks for a refusal
        if self.r.random() < 0.5 or not self.is_static:
            shapes = {name: node.shape for name, node in nodes.items()}
            first = {name: node.shape for name, node in self.dynamic().items()}
            if shapes != first:
                return  # a mask chooses another number of elements
        with asking("Graph.run again"):
            found = graph.run(self.feeds(others))
        for x, y in zip(found, [nodes[y].value for y in self.program.outputs], strict=True):
            same("Graph.run again", x, y)

    def every_way(self, graph: mg.Graph, values: dict, others: dict) -> None:
        """The same graph optimised, compiled, in threads, stored and copied."""
        feeds = self.feeds(values)
        with asking("a run that is off by rounding"):
            spread = Spread(graph, feeds)
        try:
            second = Spread(graph, self.feeds(others))
        except mg.MinigraphError:
            second = None
        if self.r.random() < 0.4:  # the graph of gradients holds it too
            self.passes(graph, feeds, spread)
            self.plans(graph, [(feeds, spread), (self.feeds(others), second)])
        if self.r.random() < 0.15:
            self.way("threads")
            with asking("threads"):
                found, _ = timed(graph, feeds, runs=1)
            for x, y in zip(found, spread.values, strict=True):
                same("threads", x, y)
        if self.r.random() < 0.25:
            self.files(graph, feeds, spread.values)

    def can_be_planned(self, graph: mg.Graph) -> bool:
        """Whether no mask that may change decides how large an array is."""
        if self.is_static:
            return True
        try:
            graph.optimize([])
        except mg.SymbolicError as error:
            if "as the mask" in str(error):
                return False
            raise
        return True

    def usable(self, spread: Spread | None) -> list[str]:
        """The passes that may run for these numbers."""
        names = [*PASSES]
        if spread is None or spread.overflows:
            names = [n for n in names if n not in ("gather_factors", "reorder_matrix_products")]
        return names

    def passes(self, graph: mg.Graph, feeds: dict, spread: Spread) -> None:
        """Passes, alone and all of them, keep what a graph computes."""
        if not self.can_be_planned(graph):
            return
        names = self.usable(spread)
        finite = not spread.overflows and not self.program.is_odd
        chosen = [[self.r.choice(names)], names]
        if finite and all(np.isfinite(x).all() for x in spread.values):
            chosen.append([self.r.choice([*UNSAFE]), *names])
        for passes in chosen:
            kind = f"optimize({passes[0] if len(passes) < 9 else 'all'})"
            if passes[0] in UNSAFE:
                kind = f"optimize({passes[0]}, …)"
            with asking(kind):
                better = graph.optimize(passes)
                check_graph(better.order)
                found = better.run(feeds)
            self.way("optimize")
            if self.r.random() < 0.3:
                self.twice(kind, better, passes, feeds, spread)
            spread.agree(kind, found, has_nan=passes[0] not in UNSAFE)

    def twice(self, kind: str, better: mg.Graph, passes: list[str], feeds: dict, spread: Spread):
        """Passes find nothing more in what they have made."""
        kind = f"{kind} twice"
        with asking(kind):
            again = better.optimize(passes)
            found = again.run(feeds)
        if len(passes) > 1 and len(again.order) != len(better.order):
            raise Fault(kind, f"{len(better.order)} nodes, then {len(again.order)}")
        spread.agree(kind, found, has_nan=passes[0] not in UNSAFE)

    def plans(self, graph: mg.Graph, runs: list[tuple[dict, Spread | None]]) -> None:
        """Plans compute what a graph computes, call after call, and change nothing of others."""
        if not self.can_be_planned(graph):
            return
        spreads = [spread for _, spread in runs]
        names = self.usable(None if any(s is None or s.overflows for s in spreads) else spreads[0])
        others = self.r.choice([[], [], [self.r.choice(names)]])
        for passes in (names, others) if self.r.random() < 0.5 else (names,):
            reuse = self.r.random() < 0.4
            kind = "compile" + " with reuse" * reuse
            with asking(kind):
                plan = graph.compile(passes, reuse=reuse)
            self.way("compile")
            kept: list[tuple[list[Any], list[Any]]] = []
            for feeds, spread in (*runs, runs[0]):
                given = {name: self.laid_out(value) for name, value in feeds.items()}
                before = {name: np.array(value) for name, value in given.items()}
                try:
                    found = plan(**given)
                except mg.MinigraphError as error:
                    if spread is None:
                        continue
                    raise Fault(f"{kind}, refused", str(error)) from error
                except Exception as error:
                    raise Fault(
                        f"{kind}, {type(error).__name__}", f"{error}\n{plan.source}"
                    ) from error
                if spread is None:
                    raise Fault(f"{kind}, accepted", "Graph.run refuses these numbers")
                text = f"\n{plan.source}"
                spread.agree(kind, found, text)
                for name, value in given.items():
                    same(f"{kind} changes an input", np.asarray(value)[()], before[name][()])
                self.apart(kind, found, [*given.values(), *(x._value for x in graph.order)], text)
                for value in given.values():  # what the caller does with it later is his own affair
                    if isinstance(value, np.ndarray) and value.flags.writeable:
                        value.fill(0)
                for old, copies in kept:
                    for x, y in zip(old, copies):
                        if not reuse:
                            same(f"{kind} changes what it returned", x, y)
                kept.append(([*found], [np.array(x)[()] for x in found]))

    def laid_out(self, value: Any) -> Any:
        """An array of its own in some layout."""
        if not np.ndim(value):
            return self.r.choice([value, np.array(value)])
        layout = self.r.choice(["C", "F", "reversed", "strided"])
        if layout == "reversed":
            return np.array(value[::-1])[::-1]
        if layout == "strided":
            return np.repeat(value, 2, axis=-1)[..., ::2]
        return np.array(value, order=layout)

    def apart(self, kind: str, found: Any, others: list[Any], text: str) -> None:
        """What a plan returns shares memory with nothing."""
        arrays = [x for x in found if isinstance(x, np.ndarray)]
        for i, x in enumerate(arrays):
            for y in [*arrays[:i], *(y for y in others if isinstance(y, np.ndarray))]:
                if np.may_share_memory(x, y):
                    raise Fault(f"{kind} shares memory", f"output {i}{text}")
        if any(np.ndim(x) == 0 and not isinstance(x, np.generic) for x in found):
            raise Fault(f"{kind} returns an array without axes", text)

    def files(self, graph: mg.Graph, feeds: dict, expected: Any) -> None:
        """A graph comes back from a file, from JSON and from a copy."""
        has_functions = any(x.op and not x.op.name.isidentifier() for x in graph.order)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.json"
            try:
                graph.save(path)
            except mg.FormatError:
                if has_functions:
                    return
                raise
            with asking("a file"):
                self.way("files")
                again = mg.Graph.load(path, OWN)
                found = again.run(feeds)
            for x, y in zip(found, expected, strict=True):
                same("a file", x, y)
        with asking("a copy"):
            found = copy.deepcopy(graph).run(feeds)
        for x, y in zip(found, expected, strict=True):
            same("a copy", x, y)
        with asking("JSON"):
            text = mg.to_json(graph.outputs)
            outputs = mg.from_json(text, OWN)
            if mg.to_json(outputs) != text:
                raise Fault("JSON", "another text the second time")
        for x, y in zip(outputs, graph.outputs, strict=True):
            alike("JSON", x, y)

    # --- gradients ---

    def loss(self, nodes: dict[str, Any], lib: Any = mg) -> Any:
        """One number of all outputs that are differentiable; None if there are none."""
        terms = []
        for name in dict.fromkeys(self.program.outputs):
            y = nodes[name]
            if self.weights.get(name) is not None:
                terms.append(lib.sum(y * self.weights[name]))
        return reduce(add, terms) if terms else None

    def gradients(self) -> None:
        """Gradients, their products with vectors, and second derivatives."""
        nodes = self.dynamic()
        self.weights = {
            name: np.linspace(0.5, 1.5, y.size).reshape(y.shape).astype(y.dtype)[()]
            for name in self.program.outputs
            if (y := nodes[name]).requires_grad
        }
        loss = self.loss(nodes)
        variables = [x.name for x in self.program.leaves if x.is_variable]
        if loss is None or not np.isfinite(loss.value):
            return
        with asking("backward"):
            loss.backward()
        grads = {name: nodes[name].grad for name in variables if nodes[name].grad is not None}
        if not all(np.isfinite(g).all() for g in grads.values()) or not grads:
            return
        self.way("gradients")
        for name, g in grads.items():
            alike("a gradient", g, nodes[name])
        wanted = [*grads]
        full, labels = self.with_gradients(self.static() if self.is_static else nodes, wanted)
        feeds = self.feeds(self.program.values)
        with asking("a graph of gradients"):
            spread = Spread(full, feeds)
        skip = len(self.program.outputs)
        by_label = {
            label: (spread.values[skip + i], spread.tolerances[skip + i], spread.excused[skip + i])
            for i, label in enumerate(labels)
        }
        for name in wanted:
            value, t, e = by_label[f"gradient by {name}"]
            near("grad and backward", value, grads[name], t, e)
        slope, jvp = by_label["slope"], by_label["jvp"]
        if np.isfinite(jvp[0]):  # 0 · ∞ on the way is no number, which may be left out backwards
            near("jvp", float(jvp[0]), float(slope[0]), jvp[1] + slope[1], jvp[2] | slope[2])
        self.passes(full, feeds, spread)
        others = self.feeds(self.others())
        try:
            second = Spread(full, others)
        except mg.MinigraphError:
            second = None
        self.plans(full, [(feeds, spread), (others, second)])
        doubles = all(x.dtype == np.float64 for x in full.order if x.dtype.kind == "f")
        judged = self.pytorchs(by_label, wanted, doubles)
        if doubles and not self.program.is_odd and (not judged or self.r.random() < 0.2):
            self.differences(grads, by_label)

    def with_gradients(
        self, nodes: dict[str, mg.Node], wanted: list[str]
    ) -> tuple[mg.Graph, list[str]]:
        """The graph with its gradients, their products with a vector, both ways, and twice."""
        loss = self.loss(nodes)
        xs = [nodes[name] for name in wanted]
        vs = [np.linspace(0.5, 1.5, x.size).reshape(x.shape).astype(x.dtype)[()] for x in xs]
        with asking("grad"):
            found = gradients(loss, xs)
            if any(g is None for g in found):
                raise Fault("grad finds no path", f"{wanted}")
            slope = reduce(add, [mg.sum(g * v) for g, v in zip(found, vs)])
        more = [*found, slope]
        labels = [*(f"gradient by {name}" for name in wanted), "slope"]
        with asking("jvp"):
            more.append(mg.jvp(loss, dict(zip(xs, vs))))
            labels.append("jvp")
        if slope.requires_grad:
            with asking("grad of grad"):
                for name, g in zip(wanted, gradients(slope, xs)):
                    if g is not None:
                        more.append(g)
                        labels.append(f"second by {name}")
        return self.graph(nodes, more), labels

    def pytorchs(self, by_label: dict, wanted: list[str], doubles: bool) -> bool:
        """Compare with PyTorch, in float64; tell whether it has a say."""
        if self.torch is None:
            return False
        lib = PyTorch(self.torch)
        leaves = {
            x.name: lib.tensor(x.value, requires_grad=x.is_variable) for x in self.program.leaves
        }
        try:
            tensors = run(self.program, leaves, lib, _Both(lib))
        except (NotImplementedError, TypeError, RuntimeError):
            return False
        nodes = self.dynamic()
        for name, x in tensors.items():
            mine = nodes[name].value.astype(float)
            theirs = x.value.numpy(force=True).astype(float)
            eps = 1e-12 if doubles else 1e-2
            if mine.shape != theirs.shape:
                return False
            if not np.allclose(mine, theirs, rtol=eps, atol=eps, equal_nan=True):
                return False  # whole numbers that wrap, or a float16 that overflows
        loss = self.loss(tensors, lib).value
        xs = [leaves[name].value for name in wanted]
        try:
            found = self.torch.autograd.grad(
                loss, xs, create_graph=True, allow_unused=True, materialize_grads=True
            )
        except RuntimeError:  # as of in-place changes, or a rule that takes no booleans
            return False
        self.way("PyTorch")
        for name, g in zip(wanted, found):
            value, t, e = by_label[f"gradient by {name}"]
            theirs = g.numpy(force=True)
            self.torchs("PyTorch's gradient", value, theirs, t, e)
        if not doubles:
            return True
        vs = [np.linspace(0.5, 1.5, x.numel()).reshape(tuple(x.shape)) for x in xs]
        slope = reduce(add, [(g * self.torch.tensor(v)).sum() for g, v in zip(found, vs)])
        if slope.requires_grad:
            second = self.torch.autograd.grad(slope, xs, allow_unused=True, materialize_grads=True)
        else:
            second = [self.torch.zeros_like(x) for x in xs]
        for name, x, g in zip(wanted, xs, second):
            zero = np.zeros(tuple(x.shape))[()], 0.0, np.False_
            value, t, e = by_label.get(f"second by {name}", zero)
            self.torchs("PyTorch's second derivative", value, g.numpy(force=True), t, e)
        return True

    def torchs(self, kind: str, value: Any, theirs: Any, t: Any, e: Any) -> None:
        """Compare with PyTorch where both are numbers: limits are conventions."""
        finite = np.isfinite(theirs) & np.isfinite(value)
        slack = 1e-9 * (1 + np.abs(theirs)) if value.dtype == np.float64 else 0.0
        near(kind, value.astype(float), theirs.astype(float)[()], t + slack, e | ~finite)

    def differences(self, grads: dict, by_label: dict) -> None:
        """Compare gradients with finite differences of NumPy's program."""
        base = run(self.program, self.program.values, NumPy(is_wide=True))
        held = {
            step.name: base[step.name]
            for step in self.program.steps
            if "stop_gradient" in step.text or "mg.no_grad()" in step.within
        }

        def f(values: dict[str, Any]) -> float:
            found = run(self.program, values, NumPy(is_wide=True), given=held)
            return float(self.loss(found, np))

        self.way("finite differences")
        for name, g in grads.items():
            x = self.program.values[name]
            tolerance = float(np.sum(by_label[f"gradient by {name}"][1]))

            def along(
                v: Any, g: Any = g, name: str = name, x: Any = x, tolerance: float = tolerance
            ) -> str:
                """What is wrong along a direction: nothing, where there is a kink."""
                slope = float(np.sum(g * v))

                def at(h: float) -> float:
                    return f({**self.program.values, name: x + h * v})

                try:
                    slopes = [(at(h) - at(-h)) / (2 * h) for h in (2e-5, 1e-5)]
                    sides = [(at(h) - at(0.0)) / h for h in (1e-5, -1e-5)]
                except Exception:
                    return ""
                size = 1e-4 * (1 + abs(slopes[1]) + abs(slope))
                if not np.isfinite([*slopes, *sides, tolerance]).all():
                    return ""
                if abs(slopes[0] - slopes[1]) > size / 4 or abs(sides[0] - sides[1]) > size:
                    return ""  # a kink, or a curve too narrow for the step
                if abs(slope - slopes[1]) <= size + tolerance:
                    return ""
                return f"by {name}: {slope}, but {slopes[1]}"

            v = np.linspace(0.5, 1.5, x.size).reshape(x.shape)[()]
            # Two kinks may hide each other along one direction, and hardly along another as well.
            if (wrong := along(v)) and along(1 / v):
                raise Fault("finite differences", wrong)

    # --- updates ---

    def updates(self) -> None:
        """A plan that updates variables does what is done by hand, step after step."""
        if not self.program.updates or not self.is_static:
            return
        self.way("updates")
        ours, theirs = self.static(), self.static()
        updates = {ours[w]: ours[new] for w, new in self.program.updates}
        graph = self.graph(ours)
        by_hand = self.graph(theirs, [theirs[new] for _, new in self.program.updates])
        reuse = self.r.random() < 0.4
        runs = [self.feeds(self.program.values), self.feeds(self.others())]
        kind = "updates"
        passes = None
        with asking(kind):
            plan = graph.compile(passes, updates=updates, reuse=reuse)
        text = f"\n{plan.source}"
        for feeds in (*runs, runs[0]):
            for w, _ in self.program.updates:
                theirs[w].value = ours[w].value
            before = {w: np.array(ours[w].value)[()] for w, _ in self.program.updates}
            held = {w: ours[w].detach() for w, _ in self.program.updates}
            try:
                spread = Spread(by_hand, feeds)
            except mg.MinigraphError:
                try:
                    plan(**feeds)
                except mg.MinigraphError:
                    for w, old in before.items():
                        same(f"{kind}: a refused call changes a variable", ours[w].value, old)
                    continue
                raise Fault(f"{kind}, accepted", "Graph.run refuses these numbers") from None
            if spread.overflows:
                return
            with asking(kind):
                found = plan(**feeds)
            found = [*found] if isinstance(found, tuple) else [found]
            results = [*found, *(ours[w].value for w, _ in self.program.updates)]
            spread.agree(kind, results, text)
            for w, old in before.items():
                same(f"{kind}: a detached value changes", held[w].value, old)
            self.apart(kind, found, [*(ours[w]._value for w in before), *feeds.values()], text)
            if self.r.random() < 0.3:
                w = self.r.choice([w for w, _ in self.program.updates])
                ours[w].value = before[w]

    # --- functions ---

    def functions(self) -> None:
        """A compiled function returns what the function returns, of arrays and of numbers."""
        if not self.is_static or not self.program.inputs or self.r.random() < 0.5:
            return
        self.way("functions")
        fed = [x for x in self.program.leaves if x.name in self.program.inputs]
        scalars = [x.name for x in fed if not x.value.shape and x.value.dtype.name in PLAIN]
        numbers = {name for name in scalars if self.r.random() < 0.6}
        leaves = self.leaves(self.program)

        def f(*given: Any) -> Any:
            inputs = dict(zip(self.program.inputs, given))
            nodes = run(self.program, leaves | inputs, Minigraph())
            return [nodes[y] for y in self.program.outputs]

        compiled = mg.compile(f)
        for values in (self.program.values, self.others()):
            given = [v.item() if n in numbers else v for n, v in self.feeds(values).items()]
            plain = {n: v for n, v in zip(self.program.inputs, given) if n in numbers}
            nodes = self.leaves(self.program, values)
            inputs = [nodes[name] for name in self.program.inputs if name not in numbers]
            try:
                found = run(self.program, nodes | plain, Minigraph())
                graph = mg.Graph([found[y] for y in self.program.outputs], inputs)
                spread = Spread(graph, {x.name: x.value for x in inputs})
            except (mg.MinigraphError, AttributeError, TypeError, ArithmeticError):
                return  # a number has no methods, computes as Python does, and makes no Node alone
            if spread.overflows:
                return
            for _ in range(2):
                with asking("a compiled function"):
                    found = compiled(*given)
                spread.agree("a compiled function", found)

    def way(self, name: str) -> None:
        self.tally.ways[name] += 1


class _Both:
    """NumPy for arrays and types, PyTorch for functions."""

    def __init__(self, lib: PyTorch) -> None:
        self.lib = lib

    def __getattr__(self, name: str) -> Any:
        if name in mg.__all__:
            return getattr(self.lib, name)
        return getattr(np, name)


def _function(text: str) -> str:
    """What an expression computes, for the kind of a fault."""
    if found := re.match(r"(mg|np)\.(\w+)\(", text):
        return found[2]
    if found := re.match(r"\w+\.(\w+)", text):
        return found[1]
    return "getitem" if re.match(r"\w+\[", text) else "an operator"


# --- making a program small -----------------------------------------------------------------------


def minimised(program: Program, fails: Callable[[Program], bool], most: int = 300) -> Program:
    """The smallest program that still fails, found by leaving out and putting numbers in."""
    left = most
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(program):
            left -= 1
            if left < 0:
                return program
            try:
                if fails(smaller):
                    program, shrunk = smaller, True
                    break
            except Exception:
                continue
    return program


def _smaller(program: Program) -> Iterator[Program]:
    used = {n for step in program.steps for n in names_in(step.text)}
    used |= {*program.inputs, *program.outputs} | {n for pair in program.updates for n in pair}
    used |= {n for step in program.refused for n in names_in(step.text)}
    if len(program.steps) > 1:
        half = program.steps[: len(program.steps) // 2]
        yield from _up_to(program, half[-1].name)
    if program.refused:
        yield replace(program, refused=())
        for step in program.refused:
            if len(program.refused) > 1:
                yield replace(program, refused=(step,))
    if program.updates:
        yield replace(program, updates=())
        for i in range(len(program.updates)):
            yield replace(program, updates=(*program.updates[:i], *program.updates[i + 1 :]))
    for i in range(len(program.outputs) * (len(program.outputs) > 1)):
        yield replace(program, outputs=(*program.outputs[:i], *program.outputs[i + 1 :]))
    for step in program.steps[::-1]:
        if step.name not in used:
            yield replace(program, steps=tuple(s for s in program.steps if s is not step))
        if step.within:
            steps = tuple(replace(s, within=()) if s is step else s for s in program.steps)
            yield replace(program, steps=steps)
    for x in program.leaves:
        if x.name not in used and len(program.leaves) > 1:
            yield replace(program, leaves=tuple(y for y in program.leaves if y is not x))
    for i in range(len(program.inputs)):
        yield replace(program, inputs=(*program.inputs[:i], *program.inputs[i + 1 :]))
    try:
        values = run(program, program.values, NumPy())
    except Exception:
        return
    for step in program.steps:
        value = np.asarray(values[step.name])[()]
        leaf = Leaf(step.name, value, value.dtype.kind == "f")
        yield replace(
            program,
            leaves=(*program.leaves, leaf),
            steps=tuple(s for s in program.steps if s is not step),
            inputs=(*program.inputs, step.name),
        )


def _up_to(program: Program, name: str) -> Iterator[Program]:
    """The first half of a program, with its last step as output."""
    steps = program.steps[: [s.name for s in program.steps].index(name) + 1]
    yield replace(program, steps=steps, outputs=(name,), updates=(), refused=())


def check(
    program: Program,
    torch: Any = None,
    tally: Tally | None = None,
    known: Counter | None = None,
) -> None:
    """Judge a program; a Fault shows the smallest program that has it.

    Faults of a kind that is `known` three times are not made small.
    """
    try:
        Judge(program, torch, tally).judge()
    except Fault as fault:
        kind = fault.kind
        if known and known[kind] > 2:
            raise

        def fails(smaller: Program) -> bool:
            try:
                Judge(smaller, torch).judge()
            except Fault as other:
                return other.kind == kind
            return False

        small = minimised(program, fails)
        try:
            Judge(small, torch).judge()
        except Fault as last:
            fault = last
        raise Fault(kind, f"{fault}\n{small}") from None


# --- for long -------------------------------------------------------------------------------------


def main() -> None:
    """Judge programs until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--count", type=int, default=10**9, help="programs at most")
    arguments = parser.parse_args()
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        torch = None
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, lambda *signals: sys.exit(1))  # says first what was done
    stop = time.monotonic() + 60 * arguments.minutes
    tally, faults = Tally(), Counter[str]()
    seed = arguments.seed
    try:
        while time.monotonic() < stop and seed < arguments.seed + arguments.count:
            try:
                check(drawn(seed), torch, tally, faults)
            except Fault as fault:
                faults[fault.kind] += 1
                if faults[fault.kind] <= 3:
                    print(f"--- seed {seed}: {fault}\n", flush=True)
            seed += 1
            if seed % 500 == 0:
                print(f"seed {seed}: {tally}; {faults.total()} faults", flush=True)
    finally:
        print(f"up to seed {seed}: {tally}; {faults.total()} faults")
        print("steps:", dict(tally.steps.most_common()))
        for said, count in tally.refused.most_common(60):
            print(f"refused {count} times: {said}")
        for kind, count in faults.most_common():
            print(f"fault {count} times: {kind}")


if __name__ == "__main__":
    main()
