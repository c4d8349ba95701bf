"""Whatever is handed in, `check` ends soon, in one of its own sentences."""

import collections
import dataclasses
import decimal
import fractions
import itertools
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from checks import EXPLORES

import minigraph as mg
from minigraph.course import CheckFailed, answers, attempt, check, checking
from minigraph.course.exercises import EXERCISES

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.usefixtures("rehearsed"),
]

DUNDERS = """
    abs array bool call class_getitem contains copy deepcopy eq float format ge getattr getitem gt
    hash index int invert iter le len lt mul ne neg next radd repr reversed rmul round str sub
    truediv trunc
"""


def with_every_dunder(name, behaviour):
    """A class whose every special method does the same."""
    methods = {f"__{dunder}__": lambda self, *args: behaviour() for dunder in DUNDERS.split()}
    return type(name, (), methods)


def fail():
    raise RuntimeError("no")


def go_on_for_ever():
    while True:
        pass


Raising = with_every_dunder("Raising", fail)
Endless = with_every_dunder("Endless", go_on_for_ever)
Liar = with_every_dunder("Liar", lambda: 3)  # what should be a text or an iterator is 3


class Disguised:
    """It says that it is something else."""

    @property
    def __class__(self):
        raise RuntimeError("no class")


class LoudText(str):
    __slots__ = ()

    def __str__(self):
        return LoudText("loud")

    def __eq__(self, other):
        raise RuntimeError("not comparable")

    __hash__ = str.__hash__


class BottomlessDict(dict):
    def items(self):
        return ((f"x{n}", n) for n in itertools.count())

    values = items


class BottomlessList(list):
    def __iter__(self):
        return itertools.count()


class Whole(int):
    def __int__(self):
        raise RuntimeError("no int")

    __float__ = __index__ = __int__


class TupleOfNothing(tuple):
    __slots__ = ()

    def __len__(self):
        return 10**9


def recursive_list():
    found = []
    found.append(found)
    return found


def recursive_dict():
    found = {}
    found["x"] = found
    return found


def deep_list():
    found = []
    for _ in range(2000):
        found = [found]
    return found


def named(value):
    """A number for whatever an exercise may ask for, so that reading gets as far as it can."""
    names = ["inputs", "operations", "edges", "x", "a", "b", "c", "y", "first", "p"]
    return dict.fromkeys(names, value)


HOSTILE = {
    "none": lambda: None,
    "dots": lambda: ...,
    "not implemented": lambda: NotImplemented,
    "object": object,
    "class": lambda: Raising,
    "module": lambda: sys,
    "exception": lambda: ValueError("as a value"),
    "true": lambda: True,
    "huge": lambda: 10**400,
    "gigantic": lambda: 10**5000,
    "nan": lambda: float("nan"),
    "inf": lambda: float("-inf"),
    "complex": lambda: 1 + 2j,
    "decimal": lambda: decimal.Decimal("sNaN"),
    "fraction": lambda: fractions.Fraction(10**400, 3),
    "bytes": lambda: b"\x00\xff" * 1000,
    "text": lambda: "x" * 10**6,
    "surrogate": lambda: "\ud800",
    "markup": lambda: "</div><script>alert(1)</script>",
    "semicolon": lambda: ";",
    "steps": lambda: "p = " + "(" * 500,
    "equals": lambda: "=\n=\n",
    "list of huge": lambda: [10**400, float("nan"), None],
    "ragged": lambda: [[1.0], [2.0, 3.0]],
    "recursive list": recursive_list,
    "recursive dict": recursive_dict,
    "deep list": deep_list,
    "named huge": lambda: named(10**400),
    "named gigantic": lambda: named(-(10**5000)),
    "named nan": lambda: named(float("nan")),
    "named nodes": lambda: named(mg.variable(np.ones((2, 2)))),
    "named raising": lambda: named(Raising()),
    "named text": lambda: named("error"),
    "named array": lambda: named(np.array(["a", "b"])),
    "dict with odd keys": lambda: {None: 1, 2.0: 2, (): 3, mg.variable(1.0): 4},
    "generator": lambda: (x for x in "abc"),
    "endless count": lambda: itertools.count(),
    "endless repeat": lambda: map(str, itertools.repeat(1)),
    "range": lambda: range(10**12),
    "set": lambda: {1, "a", None},
    "deque": lambda: collections.deque([[], {}]),
    "object array": lambda: np.array([None, [], Raising], dtype=object),
    "text array": lambda: np.array([["a"], ["b"]]),
    "empty array": lambda: np.ones((0, 3)),
    "date array": lambda: np.array(["2020-01-01"], dtype="datetime64[D]"),
    "record array": lambda: np.zeros(2, dtype=[("a", int), ("b", float)]),
    "many axes": lambda: np.ones((1,) * 32),
    "memoryview": lambda: memoryview(b"abc"),
    "node": lambda: mg.variable(2.0, name="a"),
    "nameless node": lambda: mg.sin(mg.variable(2.0)) * 2,
    "matrix node": lambda: mg.variable(np.ones((2, 2))) / mg.variable(np.zeros((2, 1))),
    "empty node": lambda: mg.variable(np.ones((0,))) * 2.0,
    "integer node": lambda: mg.constant(np.arange(3)) + 1,
    "boolean node": lambda: mg.constant(np.array([True])),
    "symbolic node": lambda: mg.placeholder("x", (3, 2)) * 2,
    "nodes": lambda: [mg.variable(1.0), mg.placeholder("x", ())],
    "raising": Raising,
    "liar": Liar,
    "disguised": Disguised,
    "raising list": lambda: [Raising(), Raising()],
    "loud text": lambda: LoudText("x"),
    "loud list": lambda: [LoudText("y"), LoudText("x")],
    "bottomless dict": BottomlessDict,
    "bottomless dict with a key": lambda: BottomlessDict(x=1),
    "bottomless list": lambda: BottomlessList("ab"),
    "whole": lambda: Whole(3),
    "named whole": lambda: named(Whole(3)),
    "tuple of nothing": lambda: TupleOfNothing("ab"),
    "lock": threading.Lock,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Little time, no pictures, no diagnosis: what is tried here is whether check comes back."""
    monkeypatch.setattr(checking, "SECONDS", 0.1)
    monkeypatch.setattr(checking, "misconception_behind", lambda *args: None)
    monkeypatch.setattr(checking, "draw", lambda *args, **options: SimpleNamespace(html=""))
    monkeypatch.setattr(attempt, "SECONDS_ASIDE", 0.05)
    monkeypatch.setattr(answers, "MOST_ITEMS", 50_000)
    monkeypatch.setattr(attempt, "rehearse", lambda *args: None)


def short_exercise(monkeypatch, exercise):
    """The same exercise with its first two cases, of which the second calls for a second call."""
    cases = exercise.cases()[:2]
    cut = dataclasses.replace(exercise, arguments=lambda rng: cases)
    monkeypatch.setitem(EXERCISES, exercise.name, cut)


def ends_well(name, answer):
    """A check either succeeds or fails in its own words."""
    panel = None
    try:
        check(name, answer)
    except CheckFailed as error:
        panel = error.panel
    if panel:
        assert panel.title
        assert 0 < len(panel.text) < 30_000
        assert "<script>" not in panel.html


def returning(make, parameters):
    """A function with the right parameters that returns something odd."""
    return eval(f"lambda {', '.join(parameters)}: make()", {"make": make})


def same_form(exercise):
    """All exercises whose answers are read and compared by the same code."""
    return [e for e in EXERCISES.values() if type(e.form) is type(exercise.form)]


def some_odd_values(exercise):
    """A third of the odd values; others for the next exercise of the same form."""
    alike = same_form(exercise)
    share = 1 if EXPLORES else min(len(alike), 3)
    return [*HOSTILE.values()][alike.index(exercise) % share :: share]


FUNCTIONS = [exercise for exercise in EXERCISES.values() if exercise.parameters]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))


@every_exercise
def test_every_odd_value_ends_in_a_sentence(exercise, monkeypatch, capsys):
    makers = some_odd_values(exercise)
    short_exercise(monkeypatch, exercise)
    for make in makers:
        if exercise.parameters:
            ends_well(exercise.name, returning(make, exercise.parameters))
        ends_well(exercise.name, make())


def stop():
    raise StopIteration


def leave():
    sys.exit("so")


def interrupt():
    raise KeyboardInterrupt


def generator_exit():
    raise GeneratorExit


def group():
    raise BaseExceptionGroup("both", [KeyboardInterrupt(), ValueError()])


def unspeakable():
    raise type("Unspeakable", (Exception,), {"__str__": lambda self: fail()})


def recursion():
    return recursion()


def wrong_zip():
    return list(zip([1], [1, 2], strict=True))


def warn_hard():
    return np.log(np.zeros(3)) / np.zeros(3)


def without_builtins():
    import builtins

    for name in ("len", "isinstance", "next", "type", "BaseException", "getattr"):
        delattr(builtins, name)


def with_a_low_limit():
    sys.setrecursionlimit(sys.getrecursionlimit() // 4)


def without_output():
    sys.stdout.close()
    sys.stdout = None


def floods():
    for _ in range(1000):
        print("x" * 1000)


CONDUCT = [
    stop,
    leave,
    interrupt,
    generator_exit,
    group,
    unspeakable,
    recursion,
    wrong_zip,
    warn_hard,
    without_builtins,
    with_a_low_limit,
    without_output,
    floods,
]


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=[exercise.name for exercise in FUNCTIONS])
def test_every_odd_conduct_ends_in_a_sentence(exercise, monkeypatch, capsys):
    short_exercise(monkeypatch, exercise)
    for conduct in CONDUCT:
        ends_well(exercise.name, returning(conduct, exercise.parameters))
    ends_well(exercise.name, lambda *given: [x.clear() for x in given if hasattr(x, "clear")])
    monkeypatch.setattr(checking, "SECONDS", 10)  # what is right may train a network
    check(exercise.name, exercise.reference)


@every_exercise
def test_what_has_no_end_is_stopped(exercise, monkeypatch, capsys):
    monkeypatch.setattr(checking, "SECONDS", 0.02)
    monkeypatch.setattr(attempt, "SECONDS_ASIDE", 0.02)
    short_exercise(monkeypatch, exercise)
    endless = Endless()
    answer = returning(lambda: endless, exercise.parameters) if exercise.parameters else endless
    ends_well(exercise.name, answer)


BY_FORM = {type(exercise.form): exercise for exercise in EXERCISES.values()}
Hidden = {
    dunder: type("Hidden", (base,), {f"__{dunder}__": lambda self, *args: go_on_for_ever()})
    for dunder, base in [
        ("repr", object),
        ("eq", float),
        ("iter", list),
        ("len", list),
        ("array", object),
        ("getattr", object),
        ("float", float),
        ("str", str),
        ("hash", object),
    ]
}


@pytest.mark.parametrize("exercise", BY_FORM.values(), ids=[form.__name__ for form in BY_FORM])
def test_a_single_method_without_end_is_stopped(exercise, monkeypatch, capsys):
    monkeypatch.setattr(checking, "SECONDS", 0.02)
    monkeypatch.setattr(attempt, "SECONDS_ASIDE", 0.02)
    short_exercise(monkeypatch, exercise)
    for cls in Hidden.values():
        odd = cls()
        for value in (odd, [odd], {"x": odd}):
            answer = returning(lambda v=value: v, exercise.parameters)
            ends_well(exercise.name, answer if exercise.parameters else value)
