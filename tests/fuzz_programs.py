"""Programs of any kind, drawn at random, as texts that several libraries can run.

A program is a list of leaves and a list of steps; a step is an expression of Python such as
"mg.sum(v3, axis=-1)" over the names before it. `run` evaluates it with minigraph as `mg` and `np`,
or with a reference in their place (fuzz_references.py). While a program is drawn NumPy computes it,
so that each step fits the values that it is given; what NumPy refuses is kept too, for minigraph
must refuse it as well.

`DRAWERS` says for every function of minigraph how a call of it is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import prod
from string import ascii_lowercase
from typing import Any

import numpy as np
from fuzz_references import NumPy

from minigraph.core.operation import FUNCTIONS, OPERATIONS

LARGEST = 64  # elements of a value
HIGHEST = 50.0  # size of a number, but in programs of odd numbers
FLOATS = ["float64"] * 6 + ["float32"] * 2 + ["float16"]
WHOLE = ["int64", "int64", "int8", "int16", "int32", "uint8", "uint8", "uint16", "uint32", "uint64"]
ODD = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e-310, 1e200, -1e-30, 300.0]


@dataclass(frozen=True)
class Leaf:
    """A variable or a constant."""

    name: str
    value: Any
    is_variable: bool


@dataclass(frozen=True)
class Step:
    """One line: what is computed, within which contexts, and whether it needs values at once."""

    name: str
    text: str
    within: tuple[str, ...] = ()
    is_dynamic: bool = False


@dataclass(frozen=True)
class Program:
    """Leaves and steps, and what is asked of them.

    Attributes:
        inputs: the leaves that a graph is fed.
        outputs: names of leaves and steps; one may stand there twice.
        updates: variables, each with the name of its new value.
        refused: steps that NumPy has refused.
        is_odd: whether there are NaN, infinities and other extremes among the numbers.
    """

    leaves: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    updates: tuple[tuple[str, str], ...] = ()
    refused: tuple[Step, ...] = ()
    is_odd: bool = False

    def __str__(self) -> str:
        lines = [f"{x.name} = {made(x)}" for x in self.leaves]
        for step in self.steps:
            indent = ""
            for context in step.within:
                lines.append(f"{indent}with {context}:")
                indent += "    "
            lines.append(f"{indent}{step.name} = {step.text}")
        outputs = ", ".join(self.outputs)
        lines.append(f"graph = mg.Graph([{outputs}], [{', '.join(self.inputs)}])")
        if self.updates:
            changes = ", ".join(f"{w}: {new}" for w, new in self.updates)
            lines.append(f"updates = {{{changes}}}")
        lines += [f"{step.text}  # NumPy refuses it" for step in self.refused]
        return "\n".join(lines)

    @property
    def values(self) -> dict[str, Any]:
        """The numbers of the leaves."""
        return {x.name: x.value for x in self.leaves}


def made(x: Leaf) -> str:
    """How a leaf is made."""
    return f"mg.{'variable' if x.is_variable else 'constant'}({text_of(x.value)}, name={x.name!r})"


def text_of(value: Any) -> str:
    """An array or a scalar of NumPy as an expression."""
    if not isinstance(value, np.ndarray):
        text = repr(value.item())
        return f"np.{type(value).__name__.rstrip('_')}({text})".replace("np.bool(", "np.bool_(")
    if not value.size:
        return f"np.zeros({value.shape}, {value.dtype.name!r})"
    return f"np.array({value.tolist()!r}, {value.dtype.name!r})"


@cache
def _code(text: str) -> Any:
    return compile(text, "<step>", "eval")


def evaluated(text: str, known: Mapping[str, Any]) -> Any:
    """The value of an expression of a program."""
    return eval(_code(text), {"nan": float("nan"), "inf": float("inf"), **known})


def run(
    program: Program,
    leaves: Mapping[str, Any],
    mg: Any,
    np: Any = np,
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Evaluate all steps; return what every name stands for.

    `given` holds the values of steps that are not evaluated.
    """
    known = {"mg": mg, "np": np, **leaves}
    for step in program.steps:
        if given and step.name in given:
            known[step.name] = given[step.name]
            continue
        with ExitStack() as contexts:
            for text in step.within:
                contexts.enter_context(evaluated(text, known))
            known[step.name] = evaluated(step.text, known)
    del known["mg"], known["np"]
    return known


# --- drawing --------------------------------------------------------------------------------------


class Unfit(Exception):
    """Nothing that has been computed so far fits a function."""


@dataclass
class Draw:
    """A program that grows.

    Attributes:
        r: where chance comes from.
        known: every name with its value, as NumPy computes it.
    """

    r: random.Random
    is_odd: bool
    leaves: list[Leaf] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refused: list[Step] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)

    # --- values ---

    def chance(self, p: float) -> bool:
        return self.r.random() < p

    def shape(self, low: int = 0, high: int = 3) -> tuple[int, ...]:
        sides = [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]
        return tuple(self.r.choice(sides) for _ in range(self.r.randint(low, high)))

    def dtype(self) -> str:
        return self.r.choice(self.r.choice([FLOATS, FLOATS, FLOATS, WHOLE, ["bool"]]))

    def array(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Numbers of a dtype: an array, or a scalar for no axes."""
        kind, n = np.dtype(dtype).kind, prod(shape)
        if kind == "f":
            numbers = [self.r.randint(-24, 24) / 8 for _ in range(n)]
            if self.is_odd and n:
                for _ in range(self.r.randint(0, 2)):
                    numbers[self.r.randrange(n)] = self.r.choice(ODD)
        elif kind == "b":
            numbers = [self.chance(0.5) for _ in range(n)]
        else:
            low, high = (0 if kind == "u" else -4), 5
            numbers = [self.r.randint(low, high) for _ in range(n)]
            if self.chance(0.1) and n:
                limits = np.iinfo(dtype)
                numbers[self.r.randrange(n)] = self.r.choice([limits.max, limits.min])
        with np.errstate(all="ignore"):
            return np.array(numbers).astype(dtype).reshape(shape)[()]

    def leaf(self, shape: tuple[int, ...], dtype: str, value: Any = None) -> str:
        """A new leaf; its name."""
        name = f"x{len(self.leaves)}"
        value = self.array(shape, dtype) if value is None else value
        self.leaves.append(Leaf(name, value, value.dtype.kind == "f" and self.chance(0.85)))
        self.known[name] = value
        return name

    def pick(self, fits: Callable[[Any], bool] = lambda x: True) -> str:
        """One of the names so far whose value fits, more often a late one."""
        names = [name for name, value in self.known.items() if fits(value)]
        if not names:
            raise Unfit
        return names[-min(int(self.r.expovariate(0.3)) + 1, len(names))]

    def some(
        self,
        fits: Callable[[Any], bool],
        shape: Callable[[], tuple[int, ...]],
        dtype: Callable[[], str] | None = None,
    ) -> str:
        """A name whose value fits, or a new leaf."""
        try:
            return self.pick(fits)
        except Unfit:
            return self.leaf(shape(), (dtype or self.dtype)())

    # --- texts ---

    def number(self) -> str:
        """A number of Python or NumPy."""
        r = self.r
        whole = r.choice([0, 1, 1, 2, 2, 3, -1, -2])
        real = r.choice([0.0, -0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 0.1, -2.5])
        odd = r.choice(["nan", "inf", "-inf", "1e300", "1e-300"])
        kind = r.choice(["int", "int", "float", "float", "float", "bool", "numpy", "numpy whole"])
        if self.is_odd and self.chance(0.2):
            return odd if self.chance(0.5) else f"np.float64({odd})"
        match kind:
            case "int":
                return repr(whole)
            case "float":
                return repr(real)
            case "bool":
                return repr(self.chance(0.5))
            case "numpy":
                return f"np.{r.choice(FLOATS)}({real!r})"
        dtype = r.choice(WHOLE)
        return f"np.{dtype}({abs(whole) if dtype[0] == 'u' else whole})"

    def literal(self, shape: tuple[int, ...]) -> str:
        """An array, or a list of numbers, that is no Node."""
        value = self.array(shape, self.dtype())
        if self.chance(0.3) and isinstance(value, np.ndarray) and value.size:
            return repr(value.tolist())
        return text_of(value)

    def whole(self, n: int) -> str:
        """A whole number in one of its forms."""
        return self.r.choice([f"{n}", f"{n}", f"{n}", f"np.int64({n})", f"np.int8({n})"])

    def axis(self, ndim: int, none: bool = True, several: bool = True) -> str:
        if none and self.chance(0.3):
            return "None"
        if several and self.chance(0.3):
            axes = self.r.sample(range(ndim), self.r.randint(0, ndim))
            return repr(tuple(i - ndim * self.chance(0.3) for i in axes))
        if not ndim:
            return self.whole(self.r.choice([0, -1])) if several and self.chance(0.3) else "None"
        return self.whole(self.r.randrange(-ndim, ndim))

    def called(self, name: str, *arguments: str, **settings: str) -> str:
        """A call of a function: minigraph's, or NumPy's of that name."""
        lib = "np" if hasattr(np, name) and self.chance(0.3) else "mg"
        texts = [*arguments, *(f"{key}={value}" for key, value in settings.items())]
        return f"{lib}.{name}({', '.join(texts)})"

    # --- steps ---

    def step(self, text: str, within: tuple[str, ...] = (), is_dynamic: bool = False) -> bool:
        """Add a step if NumPy can compute it, and the numbers stay in sight; tell whether."""
        step = Step(f"v{len(self.steps)}", text, within, is_dynamic)
        try:
            with np.errstate(all="ignore"):
                value = evaluated(text, {"mg": NumPy(), "np": np, **self.known})
        except Exception as error:
            if type(error) is not OverflowError:  # a Python number that is too large for a dtype
                self.refused.append(step)
            return False
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fiub":
            return False
        if value.size > LARGEST:
            return False
        if value.dtype.kind == "f" and not self.is_odd:
            small = np.isfinite(value) & (np.abs(value) <= HIGHEST)
            if not small.all() and (self.chance(0.97) or "mg.detect_anomaly()" in within):
                return False
        self.known[step.name] = np.array(value)[()]
        self.steps.append(step)
        return True

    def contexts(self) -> tuple[str, ...]:
        found = []
        if self.chance(0.06):
            found.append(self.r.choice(["mg.scope('a')", "mg.scope('block/b')"]))
        if self.chance(0.03):
            found.append("mg.no_grad()")
        if self.chance(0.02) and not self.is_odd:
            found.append("mg.detect_anomaly()")
        return tuple(found)


def drawn(seed: int) -> Program:
    """The program of a seed."""
    r = random.Random(seed)
    d = Draw(r, is_odd=r.random() < 0.06)
    alike = r.random() < 0.4  # all numbers are float64, as a rule
    few = (
        r.sample(sorted(DRAWERS), 8) if r.random() < 0.3 else None
    )  # the same ones again and again
    for _ in range(r.randint(1, 3)):
        shape = d.shape() if r.random() < 0.85 else ()
        d.leaf(shape, "float64" if alike else d.dtype())
    if r.random() < 0.15:  # scalars only, which compile to plain arithmetic
        d = Draw(r, d.is_odd)
        for _ in range(r.randint(1, 3)):
            d.leaf((), "float64")
        few = r.sample(sorted(n for n in DRAWERS if n in OPERATIONS and OPERATIONS[n].partials), 20)
    wanted = r.randint(1, 10)
    within: tuple[str, ...] = ()
    for _ in range(4 * wanted):
        if r.random() < 0.3:
            within = d.contexts()
        name = r.choice(few or NAMES)
        try:
            text = DRAWERS[name](d)
        except Unfit:
            continue
        is_indexed = "[" in text or "getitem" in text or "scatter_add" in text
        has_mask = any(d.known[n].dtype == bool for n in names_in(text) if n in d.known)
        is_dynamic = "checkpoint" in text or (is_indexed and has_mask)
        d.step(text, within, is_dynamic)
        if len(d.steps) >= wanted:
            break
    return finished(d)


def finished(d: Draw) -> Program:
    """Choose what is fed, what comes out and what is updated."""
    r = d.r
    inputs = [x.name for x in d.leaves if r.random() < 0.7]
    for x in d.leaves:
        if x.is_variable and x.name not in inputs and d.chance(0.6):
            d.step(changed(d, x), d.contexts())
    names = [*d.known]
    used = {n for step in d.steps for n in names_in(step.text)}
    outputs = [n for n in names if n not in used and n[0] == "v"]
    outputs += r.sample(names, min(len(names), r.choice([0, 0, 1, 2])))
    outputs += r.sample(outputs, 1) if outputs and d.chance(0.1) else []
    r.shuffle(outputs)
    r.shuffle(inputs)
    d.leaves = [  # as a placeholder of floats is differentiable, so is what it stands for
        replace(x, is_variable=x.is_variable or (x.name in inputs and x.value.dtype.kind == "f"))
        for x in d.leaves
    ]
    updates = []
    for x in d.leaves:
        if x.is_variable and x.name not in inputs:
            alike = [n for n in names if _alike(d.known[n], x.value)]
            updates.append((x.name, r.choice(alike)))
    return Program(
        tuple(d.leaves),
        tuple(d.steps),
        tuple(inputs),
        tuple(outputs or names[:1]),
        tuple(updates),
        tuple(d.refused),
        d.is_odd,
    )


def changed(d: Draw, x: Leaf) -> str:
    """A new value of a variable, computed from its old one or from others."""
    w, shape = x.name, x.value.shape
    y = d.pick(
        lambda y: _broadcast(y.shape, shape) and np.broadcast_shapes(y.shape, shape) == shape
    )
    texts = [f"{w} - 0.5 * {y}", f"{y} - {w}", f"mg.tanh({w} + {y})", f"mg.maximum({w}, {y})"]
    texts += [f"mg.where({w} > {y}, {w}, {y})", f"{y} * 1", f"mg.broadcast_to({y}, {shape})"]
    if shape:
        texts += [f"{w}[::-1]", f"mg.reshape({w}, {shape}) + 1", f"{w}.T", f"mg.flip({w}) * {y}"]
    return d.r.choice(texts)


@cache
def names_in(text: str) -> set[str]:
    """The names that an expression uses."""
    return _names(_code(text))


def _names(code: Any) -> set[str]:
    inner = (_names(part) for part in code.co_consts if hasattr(part, "co_names"))
    return {*code.co_names}.union(*inner)


def _alike(x: Any, y: Any) -> bool:
    return (x.shape, x.dtype) == (y.shape, y.dtype)


# --- elementwise ----------------------------------------------------------------------------------

_SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "remainder": "%",
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=",
}  # fmt: skip


def unary(name: str, d: Draw) -> str:
    x = d.pick()
    if name == "negative" and d.chance(0.5):
        return f"-{x}"
    if name == "absolute" and d.chance(0.5):
        return f"abs({x})"
    return d.called(name, x)


def beside(d: Draw, x: str) -> str:
    """What can stand beside a value in an operation of two."""
    shape = d.known[x].shape
    match d.r.choice(["known", "known", "known", "number", "number", "literal", "leaf"]):
        case "known":
            return d.pick(lambda y: _broadcast(y.shape, shape))
        case "number":
            return d.number()
        case "literal":
            return d.literal(fitting(d, shape))
    return d.leaf(fitting(d, shape), d.dtype())


def fitting(d: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts with another."""
    some = shape[d.r.randint(0, len(shape)) :]
    return tuple(1 if d.chance(0.25) else n for n in some)


def _broadcast(*shapes: tuple[int, ...]) -> bool:
    try:
        return prod(np.broadcast_shapes(*shapes)) <= LARGEST
    except ValueError:
        return False


def binary(name: str, d: Draw) -> str:
    x = d.pick()
    y = beside(d, x)
    if "logical" in name and "e-3" in y:
        raise Unfit  # NumPy asks whether the number itself is 0, not what a float16 makes of it
    if y[0] == "-" and d.known[x].dtype.kind == "u":
        raise Unfit  # a number that does not fit a dtype brings its own; NumPy goes either way
    is_called = y.startswith("[") or (name == "power" and d.known[x].dtype == bool)  # a whim of **
    if d.chance(0.4):
        x, y = y, x
    if name in _SIGNS and d.chance(0.6) and not is_called:
        return f"({x}) {_SIGNS[name]} ({y})"
    return d.called(name, x, y)


# --- shapes, sums, places -------------------------------------------------------------------------


def reduction(name: str, d: Draw) -> str:
    x = d.pick()
    one = name in ("argmax", "argmin")
    settings = {}
    if d.chance(0.8):
        settings["axis"] = d.axis(d.known[x].ndim, several=not one)
    if d.chance(0.3):
        settings["keepdims"] = repr(d.chance(0.7))
    if name in ("var", "std") and d.chance(0.3):
        settings["ddof"] = "1"
    if name != "logsumexp" and d.chance(0.15) and name not in ("argmax", "argmin"):
        texts = ", ".join(f"{key}={value}" for key, value in settings.items())
        return f"{x}.{name}({texts})"
    if d.chance(0.15) and "axis" in settings:
        axis = settings.pop("axis")
        return d.called(name, x, axis, **settings)
    return d.called(name, x, **settings)


def with_axis(name: str, d: Draw, none: bool = True, low: int = 1) -> str:
    x = d.some(lambda x: x.ndim >= low, lambda: d.shape(low))
    axis = f", axis={d.axis(d.known[x].ndim, none, several=False)}" * d.chance(0.8)
    if name == "argsort":  # NumPy's leaves the order of equal elements open
        return f"mg.argsort({x}{axis})"
    return d.called(name, x + axis)


def reshape(d: Draw) -> str:
    x = d.pick()
    shape = d.known[x].shape
    targets: list[Any] = [shape[::-1], (*shape, 1), (prod(shape),), prod(shape), -1, (-1,), (1, -1)]
    targets += [[*shape], (-1, *shape[1:])] + [(-1, n) for n in shape if n]
    target = d.r.choice(targets)
    if d.chance(0.2) and isinstance(target, tuple):
        return f"{x}.reshape({', '.join(map(str, target)) or '()'})"
    return d.called("reshape", x, repr(target))


def transpose(d: Draw) -> str:
    x = d.pick()
    ndim = d.known[x].ndim
    axes = [i - ndim * d.chance(0.3) for i in d.r.sample(range(ndim), ndim)]
    match d.r.choice(["T", "none", "tuple", "list", "method"]):
        case "T":
            return f"{x}.T"
        case "none":
            return d.called("transpose", x)
        case "method":
            return f"{x}.transpose({', '.join(map(str, axes))})"
        case "list":
            return d.called("transpose", x, repr(axes))
    return d.called("transpose", x, axes=repr(tuple(axes)))


def broadcast_to(d: Draw) -> str:
    x = d.pick()
    lead = d.shape(0, 1)
    shape = (*lead, *(d.r.choice([1, 2, 3]) if n == 1 else n for n in d.known[x].shape))
    return d.called("broadcast_to", x, repr(d.r.choice([shape, [*shape]])))


def astype(d: Draw) -> str:
    x = d.pick(lambda x: bool(np.all(np.isfinite(x))) and bool(np.all(np.abs(x) < 100)))
    dtype = d.dtype()
    if dtype[0] == "u" and (d.known[x] < 0).any():
        raise Unfit  # C leaves open what a negative number becomes
    form = d.r.choice([repr(dtype), f"np.dtype({dtype!r})", f"np.{dtype}".replace("bool", "bool_")])
    return f"mg.astype({x}, {form})"


def matmul(name: str, d: Draw) -> str:
    x = d.some(lambda x: x.ndim > 0, lambda: d.shape(1))
    n = d.known[x].shape[-1]

    def fits(y: Any) -> bool:
        if not y.ndim or y.shape[-2:][0] != n:
            return False
        return name == "dot" or _broadcast(d.known[x].shape[:-2], y.shape[:-2])

    y = d.some(fits, lambda: d.r.choice([(n,), (n, 2), (n, 3), (n, n)]), lambda: "float64")
    if d.chance(0.4) and name == "matmul":
        return f"{x} @ {y}"
    return d.called(name, x, y)


def joined(name: str, d: Draw) -> str:
    x = d.some(lambda x: x.ndim >= (name == "concatenate"), lambda: d.shape(1))
    shape = d.known[x].shape
    k = d.r.randrange(len(shape)) if shape else 0

    def fits(y: Any) -> bool:
        if name == "stack":
            return y.shape == shape
        rest = (*shape[:k], *shape[k + 1 :])
        return y.ndim == len(shape) and (*y.shape[:k], *y.shape[k + 1 :]) == rest

    names = [x, *(d.pick(fits) for _ in range(d.r.randint(0, 2)))]
    if d.chance(0.15):
        names.append(d.literal(shape))
    d.r.shuffle(names)
    arrays = f"[{', '.join(names)}]"
    if name == "concatenate" and d.chance(0.15):
        return d.called(name, arrays, axis="None")
    if name == "stack":
        k = d.r.randrange(-len(shape) - 1, len(shape) + 1)
    return d.called(name, arrays, axis=d.whole(k))


def where(d: Draw) -> str:
    x = d.pick()
    shape = d.known[x].shape
    condition = d.some(
        lambda c: c.dtype == bool and _broadcast(c.shape, shape), lambda: shape, lambda: "bool"
    )
    if d.chance(0.1):
        condition = d.pick(lambda c: _broadcast(c.shape, shape))
    if d.chance(0.1):
        condition = text_of(np.asarray(d.array(fitting(d, shape), "bool")))
    y = beside(d, x)
    if not _broadcast(*(d.known[n].shape for n in (condition, x, y) if n in d.known)):
        raise Unfit
    return d.called("where", condition, *d.r.sample([x, y], 2))


EINSUMS = [
    "ij,jk->ik", "ij,jk", "i,i", "i,j->ji", "bij,bjk->bki", "...ij,...jk->...ik", "...i,...",
    "ij,j->", "ab,cd->ac", "ii,i->i", "iij,ji->j", "i...,i->...", "ij->ji", "ij->", "ii", "ii->i",
    "i->", "ij->i", "i,ij,j->", "ij,kj,k->i", "ij,ij->ij", "i,i,i->i", "...,...",
]  # fmt: skip


def einsum(d: Draw) -> str:
    subscripts = d.r.choice(EINSUMS)
    sizes = {c: d.r.choice([1, 2, 3, 2, 3, 0]) for c in ascii_lowercase}
    wide = d.shape(0, 1)
    names = []
    for term in subscripts.partition("->")[0].split(","):
        shape = tuple(sizes[c] for c in term.replace(".", ""))
        if "..." in term:
            shape = (*wide, *shape) if term.startswith("...") else (*shape, *wide)
        names.append(d.some(lambda x, shape=shape: x.shape == shape, lambda shape=shape: shape))
    text = subscripts.replace("->", " -> ") if d.chance(0.1) else subscripts
    return d.called("einsum", repr(text), *names)


def windows(d: Draw) -> str:
    x = d.some(lambda x: x.ndim and x.size, lambda: (d.r.choice([2, 3, 4]), 3))
    shape = d.known[x].shape
    k = d.r.randint(1, min(2, len(shape)))
    if not prod(shape[-k:]):
        raise Unfit
    frame = tuple(d.r.randint(1, n) for n in shape[-k:])
    stride = d.r.choice(["1", "2", repr(tuple(range(1, k + 1))), "np.int64(2)"])
    return f"mg.windows({x}, {d.r.choice([frame, [*frame]])}, {stride})"


def overlap_add(d: Draw) -> str:
    k = d.r.randint(1, 2)
    frame = [d.r.randint(1, 2) for _ in range(k)]
    stride = d.r.randint(1, 2)
    inner = [w + d.r.randint(0, 2) for w in frame]
    places = [(n - w) // stride + 1 for n, w in zip(inner, frame)]
    x = d.leaf((*d.shape(0, 1), *places, *frame), d.dtype())
    return f"mg.overlap_add({x}, {tuple(inner)}, {stride})"


# --- indices --------------------------------------------------------------------------------------


def index_of(d: Draw, shape: tuple[int, ...]) -> str:
    """An index in one of the many forms that NumPy takes."""
    if d.chance(0.12):
        return d.r.choice(["...", "None", "()", "(..., None)", "True", "False", "(None, ...)"])
    if d.chance(0.1):
        mask = np.asarray(d.array(shape[: d.r.randint(0, len(shape))], "bool"))
        return d.leaf((), "", mask[()]) if d.chance(0.2) else text_of(mask)
    items: list[str] = []
    left = d.r.randint(0, len(shape)) if d.chance(0.6) else len(shape)
    together = d.r.choice([(), (1,), (2,), (3,), (2, 1), (0,)])  # shape of the arrays in it
    axes = [*range(len(shape))]
    if d.chance(0.25) and left < len(shape):
        axes = axes[:1] * (left > 0) + axes[len(axes) - max(left - 1, 0) :]
        dots = 1 if left else 0
    else:
        axes, dots = axes[:left], None
    for place, i in enumerate(axes):
        if dots == place:
            items.append("...")
        if d.chance(0.1):
            items.append("None")
        items.append(item_of(d, shape[i], together))
    if dots is not None and dots >= len(axes):
        items.append("...")
    if not items:
        return "..."
    if len(items) == 1 and d.chance(0.7):
        return items[0]
    return f"({', '.join(items)},)"


def item_of(d: Draw, n: int, together: tuple[int, ...]) -> str:
    r = d.r
    kind = r.choice(["slice"] * 4 + ["int"] * 2 + ["list", "array", "node", "range", "odd"])
    if kind == "slice" or not n:
        ends = [*range(-n - 1, n + 2), None, None, None]
        start, stop, step = r.choice(ends), r.choice(ends), r.choice([None, None, 1, 2, -1, -2])
        parts = ", ".join(
            "None" if p is None else d.whole(p) if d.chance(0.2) else str(p)
            for p in (start, stop, step)
        )
        return f"slice({parts})"
    one = r.randrange(-n, n)
    if kind == "int":
        forms = [f"{one}", f"{one}", f"np.int64({one})", f"np.array({one})"]
        forms += [f"np.uint8({one % n})"]
        return r.choice(forms)
    dtype = r.choice(WHOLE)
    low = 0 if dtype[0] == "u" else -n
    shape = r.choice([together, together[-1:], ()]) if kind != "list" else together[-1:]
    places = np.array([r.randrange(low, n) for _ in range(prod(shape))], dtype).reshape(shape)
    if d.chance(0.3):
        places = np.sort(places.reshape(-1)).reshape(shape)
    match kind:
        case "list":
            return repr(places.tolist()) if places.size else text_of(places)
        case "array":
            return text_of(places)
        case "node":
            return d.leaf((), "", places[()])
        case "range":
            return f"range({r.randint(1, n)})"
    return r.choice([f"{[d.chance(0.5) for _ in range(n)]}", f"({one},)", "True", f"[{one}]"])


def getitem(d: Draw) -> str:
    x = d.pick()
    index = index_of(d, d.known[x].shape)
    return f"mg.getitem({x}, {index})" if d.chance(0.1) else f"{x}[{index}]"


def scatter_add(d: Draw) -> str:
    shape = d.shape(1)
    index = index_of(d, shape)
    try:
        part = np.empty(shape)[evaluated(index, {"np": np, **d.known})].shape
    except Exception as error:
        raise Unfit from error
    x = d.some(lambda x: x.shape == part, lambda: part)
    return f"mg.scatter_add({x}, {index}, {shape})"


def take(d: Draw) -> str:
    x = d.some(lambda x: x.ndim and x.size, lambda: (3, 2))
    ndim = d.known[x].ndim
    axis = d.axis(ndim, several=False)
    n = d.known[x].size if axis == "None" else d.known[x].shape[evaluated(axis, {"np": np})]
    places = np.array(d.r.choices(range(-n, n), k=d.r.randint(0, 3)), int)
    forms = [text_of(places), repr(places.tolist() or [[0]]), str(d.r.randrange(-n, n))]
    index = d.r.choice(forms) if d.chance(0.8) else d.leaf((), "", places.astype("int64")[()])
    return d.called("take", x, index, axis=axis)


def take_along_axis(d: Draw) -> str:
    x = d.some(lambda x: x.ndim and x.size, lambda: (3, 2))
    value = d.known[x]
    k = d.r.randrange(value.ndim)
    shape = list(value.shape)
    shape[k] = d.r.randint(0, 4)
    dtype = d.r.choice(WHOLE[:5])
    numbers = d.r.choices(range(value.shape[k]), k=prod(shape))
    places = np.array(numbers, dtype).reshape(shape)
    index = d.leaf((), "", places) if d.chance(0.3) else text_of(places)
    return d.called("take_along_axis", x, index, axis=d.whole(k - value.ndim * d.chance(0.3)))


# --- composed -------------------------------------------------------------------------------------


def expand_dims(d: Draw) -> str:
    x = d.pick()
    ndim = d.known[x].ndim
    axis = d.r.choice([d.whole(d.r.randint(-ndim - 1, ndim)), "(0, 1)", "[0]"])
    return d.called("expand_dims", x, axis)


def squeeze(d: Draw) -> str:
    x = d.some(lambda x: 1 in x.shape, lambda: (1, 3))
    ones = [i for i, n in enumerate(d.known[x].shape) if n == 1]
    axis = d.r.choice(["None", d.whole(d.r.choice(ones)), repr(tuple(ones))])
    return d.called("squeeze", x, axis=axis)


def two_axes(name: str, d: Draw) -> str:
    x = d.some(lambda x: x.ndim > 1, lambda: d.shape(2))
    ndim = d.known[x].ndim
    i, j = d.r.sample(range(ndim), 2)
    j -= ndim * d.chance(0.3)
    match name:
        case "swapaxes":
            return d.called(name, x, d.whole(i), d.whole(j))
        case "moveaxis":
            pair = [f"({i}, {j})", f"({j}, {i})"] if d.chance(0.4) else [d.whole(i), d.whole(j)]
            return d.called(name, x, *pair)
    settings = {} if d.chance(0.4) else {"axis1": str(i), "axis2": str(j)}
    if d.chance(0.5):
        settings["offset"] = d.whole(d.r.randint(-2, 2))
    return d.called(name, x, **settings)


def triangle(name: str, d: Draw) -> str:
    x = d.some(lambda x: x.ndim > 1, lambda: d.shape(2))
    return d.called(name, x, **({"k": d.whole(d.r.randint(-2, 2))} if d.chance(0.7) else {}))


def split(d: Draw) -> str:
    x = d.some(lambda x: x.ndim, lambda: d.shape(1))
    k = d.r.randrange(d.known[x].ndim)
    n = d.known[x].shape[k]
    cuts = d.r.choice(["1", repr(n or 1), "[1]", "[1, 1]", "(0, 2)", "np.array([1, 2])", "[-1]"])
    part = f"[{d.r.choice([0, -1])}]"
    return d.called("split", x, cuts, axis=d.whole(k)) + part


def pad(d: Draw) -> str:
    x = d.pick()
    widths = [(d.r.randint(0, 2), d.r.randint(0, 1)) for _ in range(d.known[x].ndim)]
    form = d.r.choice([repr(widths), "1", "0", "(1,)", "(1, 2)", repr(tuple(widths)), "((1, 0),)"])
    if d.chance(0.4):
        return d.called("pad", x, form)
    return d.called("pad", x, form, constant_values=d.r.choice(["0", "2", "-1.5", "np.int8(1)"]))


def clip(d: Draw) -> str:
    x = d.pick()
    low = d.r.choice(["None", "-1.0", "0", "0.5", d.number()])
    high = d.r.choice(["None", "1.0", "2", "1.5", d.number()])
    if d.chance(0.2):
        low = d.pick(lambda y: _broadcast(y.shape, d.known[x].shape))
    if d.chance(0.2):
        return f"{x}.clip({low}, {high})"
    return d.called("clip", x, low, high)


def tensordot(d: Draw) -> str:
    x = d.some(lambda x: x.ndim and np.isfinite(x).all(), lambda: d.shape(1))
    shape = d.known[x].shape  # BLAS multiplies nothing by 0, be it NaN
    n = d.r.randint(0, min(2, len(shape)))
    inner = shape[len(shape) - n :]
    y = d.some(lambda y: y.ndim >= n and y.shape[:n] == inner, lambda: (*inner, 2))
    pair = repr(([*range(-n, 0)], [*range(n)]))
    return d.called("tensordot", x, y, axes=d.r.choice([d.whole(n), pair]))


def cross_entropy(d: Draw) -> str:
    x = d.some(
        lambda x: x.ndim and x.size and x.dtype.kind == "f",
        lambda: (2, 3),
        lambda: d.r.choice(FLOATS),
    )
    *rows, classes = d.known[x].shape
    numbers = d.r.choices(range(classes), k=prod(rows))
    labels = np.array(numbers, d.r.choice(WHOLE)).reshape(rows)
    if d.chance(0.3):
        weights = np.array([d.r.randint(0, 8) / 8 for _ in range(d.known[x].size)])
        labels = weights.reshape(d.known[x].shape)
    name = d.leaf((), "", labels[()]) if d.chance(0.3) else text_of(labels)
    return f"mg.cross_entropy({x}, {name})"


def class_numbers(d: Draw) -> str:
    x = d.some(lambda x: x.dtype.kind in "iu", lambda: (3,), lambda: d.r.choice(WHOLE))
    return f"mg.class_numbers({x}, {d.whole(d.r.choice([3, 6, 9]))})"


def conv2d(d: Draw) -> str:
    channels, window = d.r.randint(1, 2), (d.r.randint(1, 2), d.r.randint(1, 3))
    image = tuple(w + d.r.randint(0, 2) for w in window)
    dtype = d.r.choice(FLOATS)
    x = d.some(
        lambda x: x.ndim == 4 and x.shape[1] == channels, lambda: (1, channels, *image), d.dtype
    )
    w = d.leaf((2, channels, *window), dtype)
    texts = [x, w]
    if d.chance(0.4):
        texts.append(f"bias={d.leaf((2,), dtype)}")
    texts.append(f"stride={d.r.choice(['1', '2', '(2, 1)', '[1, 2]'])}")
    texts.append(f"padding={d.r.choice(['0', '1', '(0, 1)', 'np.int64(1)'])}")
    return f"mg.conv2d({', '.join(texts)})"


def pool(name: str, d: Draw) -> str:
    x = d.some(lambda x: x.ndim > 1 and x.size, lambda: (2, 3, 3), d.dtype)
    h, w = d.known[x].shape[-2:]
    size = d.r.choice([(1, w), (h, 1), (min(2, h), min(2, w))])
    forms = [repr(size), repr([*size]), str(min(h, w, 2)), f"np.int64({min(h, w, 2)})"]
    stride = d.r.choice(["", ", None", ", 1", ", stride=2", ", (1, 2)"])
    return f"mg.{name}({x}, {d.r.choice(forms)}{stride})"


def dropout(d: Draw) -> str:
    return f"mg.dropout({d.pick()}, {d.r.choice([0, 0.5, 0.25])}, np.random.default_rng(3))"


def checkpointed(d: Draw) -> str:
    x = d.pick(lambda x: x.dtype.kind == "f")
    y = d.pick(lambda y: _broadcast(y.shape, d.known[x].shape))
    body = d.r.choice(
        ["mg.tanh(a) * b", "a * b + a", "mg.sum(mg.softmax(a * 1.0) * b)", f"a * {y}"]
    )
    if d.known[x].ndim == 0:
        body = body.replace("mg.softmax(a * 1.0)", "a")
    return f"mg.checkpoint(lambda a, b: {body})({x}, {y})"


def customized(d: Draw) -> str:
    x = d.pick(lambda x: x.dtype.kind == "f")
    return f"mg.own_{d.r.choice(['cube', 'total', 'swap'])}({x})"


DRAWERS: dict[str, Callable[[Draw], str]] = {
    **{
        name: partial(unary if len(op.parameters) == 1 else binary, name)
        for name, op in OPERATIONS.items()
        if op.partials
    },
    **{
        name: partial(reduction, name)
        for name in ("sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "argmax",
                     "argmin")
    },
    **{name: partial(with_axis, name) for name in ("argsort", "sort")},
    **{name: partial(with_axis, name, low=0) for name in ("cumsum", "flip")},
    **{name: partial(with_axis, name, none=False) for name in ("softmax", "log_softmax")},
    **{name: partial(matmul, name) for name in ("matmul", "dot")},
    **{name: partial(joined, name) for name in ("concatenate", "stack")},
    **{name: partial(two_axes, name) for name in ("swapaxes", "moveaxis", "diagonal", "trace")},
    **{name: partial(triangle, name) for name in ("tril", "triu")},
    **{name: partial(pool, name) for name in ("max_pool2d", "avg_pool2d")},
    "stop_gradient": lambda d: f"mg.stop_gradient({d.pick()})",
    "ravel": lambda d: d.called("ravel", d.pick()),
    "matrix_transpose": lambda d: d.called("matrix_transpose", d.pick(lambda x: x.ndim > 1)),
    "outer": lambda d: d.called("outer", d.pick(lambda x: x.size < 5), d.pick()),
    **{
        f.__name__: f
        for f in (reshape, transpose, broadcast_to, astype, where, einsum, windows, overlap_add,
                  getitem, scatter_add, take, take_along_axis, expand_dims, squeeze, split, pad,
                  clip, tensordot, cross_entropy, class_numbers, conv2d, dropout)
    },
    "checkpoint": checkpointed,
    "custom": customized,
}  # fmt: skip
NAMES = [
    *DRAWERS,
    *("getitem", "add", "multiply", "subtract", "divide", "where", "sum", "matmul", "tanh") * 4,
]
assert DRAWERS.keys() == FUNCTIONS.keys() | {"checkpoint", "custom"}
