"""Lesson 15: when Python comes by, what a trace is kept for, a model in a file, half precision."""

import math
from random import Random
from typing import Any

import numpy as np

from ..answers import Numbers
from ..arrays import Arrays, as_python, locked
from ..forms import Case
from ..quantities import NumberList
from ..specification import exercise

LESSON = "15_real_frameworks"

# --- when Python comes by -------------------------------------------------------------------------


@exercise(
    points=1,
    answer=Numbers("a dictionary that gives each case its number of lines"),
)
def predict_runs() -> dict[str, float]:
    """Predict when Python comes by

    The body of a function $f$ begins with a `print`, so that it prints a line whenever Python runs
    it. How many lines are printed in each case?

    | case | what is done |
    |---|---|
    | eager | PyTorch: $f$ is called five times |
    | backward | PyTorch: the same, and after each call `backward()` is called on its result |
    | jitted | JAX: `g = jax.jit(f)` is called five times, with five numbers of one type |
    | shapes | JAX: `g` is made anew, and called with arrays of the shapes (3,), (3,), (4,), (3,), (4,) |
    | gradient | JAX: `jax.jit(jax.grad(f))` is called five times, with five numbers of one type |
    | file | ONNX: $f$ was exported to a file yesterday; the file is run five times today |

    First step: Begin with `eager`: nothing is kept from one call to the next. Replace the dots by
    numbers.
    Hint: Ask in each case who is running: Python, which goes through the lines of f, or something that
    was made of them before.
    Hint: `jit` calls f once with stand-ins for the numbers, and keeps what it has seen, for this
    shape and this type. A backward pass goes through a graph, and so does whoever runs a file.
    Hint: A function that is jitted and called with the shapes (2,), (5,), (5,), (7,), (2,) prints
    three lines: one for each shape that it has not met before.
    Verified: the first five agree with what PyTorch and JAX print, and a file has no Python in it.
    """
    return {"eager": 5, "backward": 5, "jitted": 1, "shapes": 2, "gradient": 1, "file": 0}


predict_runs.slip(
    "Python in every call",
    """You let Python come by in every call. What is `jit` for, if the lines of f are run each time?""",
    ('"jitted": 1', '"jitted": 5', '"shapes": 2', '"shapes": 5'),
    ('"jitted": 1', '"jitted": 5'),
    ('"gradient": 1', '"gradient": 5'),
    (
        '"jitted": 1',
        '"jitted": 5',
        '"shapes": 2',
        '"shapes": 5',
        '"gradient": 1',
        '"gradient": 5',
    ),
)
predict_runs.slip(
    "one trace for all shapes",
    "A trace was made for an array of three numbers. Can it be run with four?",
    ('"shapes": 2', '"shapes": 1'),
)
predict_runs.slip(
    "the trace before is forgotten",
    """You let a trace be made whenever the shape is another one than in the call before. Traces are
    kept, all of them.""",
    ('"shapes": 2', '"shapes": 4'),
)
predict_runs.slip(
    "the backward pass runs the function",
    "Is the backward pass made of the lines of f, or of the graph that they have left?",
    ('"backward": 5', '"backward": 10'),
    ('"gradient": 1', '"gradient": 2'),
    ('"backward": 5', '"backward": 10', '"gradient": 1', '"gradient": 2'),
)
predict_runs.slip(
    "a file with Python in it",
    """In a file of ONNX are nodes with operators and names. It may be run by a program in C++, on a
    telephone without Python.""",
    ('"file": 0', '"file": 5'),
    ('"file": 0', '"file": 1'),
)


# --- what a trace is kept for ---------------------------------------------------------------------

_SHAPES: tuple[list[int], ...] = ([], [3], [4], [2, 3], [3, 2], [6])
_TYPES = ("float32", "float64")


def calls_of_functions(rng: Random) -> list[Case]:
    """No call, one, the same twice; another shape, type and order; back to an old one; many.

    Some differ in the last of three arguments only, some in the type of one of them, and some in
    where a shape ends.
    """
    three, four, double = [[3], "float32"], [[4], "float32"], [[3], "float64"]
    number: list[Any] = [[], "float32"]
    fixed: list[Any] = [
        [[three]],
        [[three], [three]],
        [[three], [four]],
        [[three], [double]],
        [[three], [four], [three], [four]],
        [[three, four], [four, three]],
        [[three, four], [three, three]],
        [[[[2, 3], "float32"]], [[[3, 2], "float32"]], [[[6], "float32"]]],
        [[number], [[[1], "float32"]]],
        [[three, double], [double, three], [three, three], [double, double], [three, double]],
        [[three, four, three], [three, four, double], [three, four, four], [three, four, three]],
        [[number, three], [three, number]],
        [[], [three], []],
        [],
        [[three], [three, three]],
        [[three], [three]],
    ]
    for many in (4, 6, 8, 12):
        kinds = [[rng.choice(_SHAPES), rng.choice(_TYPES)] for _ in range(4)]
        fixed.append([[rng.choice(kinds), rng.choice(kinds)] for _ in range(many)])
    large = [[[[n % 97], _TYPES[n % 2]]] for n in range(600)]
    return [(calls,) for calls in [*fixed, large]]


def _as_tuples(calls: Any) -> Any:
    return [[(tuple(shape), dtype) for shape, dtype in call] for call in calls]


@exercise(
    points=2,
    cases=calls_of_functions,
    as_arguments=lambda calls: (_as_tuples(calls),),
    answer=NumberList("a list with a number for each call"),
    code=lambda calls: f"calls = {_as_tuples(calls)!r}",
)
def count_traces(calls: list[Any]) -> list[int]:
    """Keep traces as jit does

    `jit` keeps a trace for each kind of call: for the shapes and the types of all arguments, in
    their order. Only if there is none yet, Python runs the function once more.

    `calls` is a list of calls. Each call is a list of arguments, and each argument is a pair of its
    shape and its type, such as `((3,), "float32")`. Return a list that says after each call how many
    traces have been made so far.

    First step: Make an empty set and an empty list. For each call append the size of the set to the
    list, and return the list.
    Hint: When are two calls of one kind? Write down all that must be equal.
    Hint: A set holds each thing once. What goes into it must not be changeable: a tuple of pairs
    will do, and a list will not.
    Hint: How many different walks have been made after each day:
        walks, counts = set(), []
        for streets in days:
            walks.add(tuple(streets))
            counts.append(len(walks))
    Another way: With a dictionary, as the real cache, which holds what was compiled:
        def count_traces(calls):
            cache, counts = {}, []
            for call in calls:
                cache.setdefault(tuple(call), f"program {len(cache)}")
                counts.append(len(cache))
            return counts
    Verified: the counts agree for {cases} lists of calls, from none to 600.
    """
    traces = set()
    counts = []
    for call in calls:
        traces.add(tuple(call))
        counts.append(len(traces))
    return counts


_KEY = "traces.add(tuple(call))"
count_traces.slip(
    "the type does not count",
    "A program for float32 is another one than for float64. You look at shapes only.",
    (_KEY, "traces.add(tuple(shape for shape, dtype in call))"),
)
count_traces.slip(
    "the shape does not count",
    "You look at types only. A trace for three numbers cannot be run with four.",
    (_KEY, "traces.add(tuple(dtype for shape, dtype in call))"),
)
count_traces.slip(
    "the order does not count",
    "f(a, b) is not f(b, a): a trace knows which argument has which shape.",
    (_KEY, "traces.add(tuple(sorted(call)))"),
    (_KEY, "traces.add(frozenset(call))"),
)
count_traces.slip(
    "the first argument only",
    "You look at one of the arguments. A trace was made for all of them.",
    (_KEY, "traces.add(call[0])"),
    (_KEY, "traces.add(call[-1])"),
)
count_traces.slip(
    "elements in place of shapes",
    "Six numbers in two rows are not six numbers in three: what comes out has another shape.",
    (
        _KEY,
        "traces.add(tuple((math.prod(shape), dtype) for shape, dtype in call))",
    ),
)
count_traces.slip(
    "only the last trace is kept",
    "You forget a trace when another one is made. A kind of call that comes back is known.",
    lambda calls: _changes(calls),
)
count_traces.slip(
    "a trace for each call",
    "You count calls. What has been traced before is not traced again.",
    ("len(traces)", "len(counts) + 1"),
)


def _changes(calls: list[Any]) -> list[int]:
    counts: list[int] = []
    before = None
    for call in calls:
        counts.append((counts or [0])[-1] + (call != before))
        before = call
    return counts


# --- a model in a file ----------------------------------------------------------------------------

_BINARY, _UNARY = ("Add", "Sub", "Mul"), ("Neg", "Tanh", "Relu")


def _random_model(rng: Random, count: int) -> Case:
    inputs = {name: rng.choice((-1, 1)) * rng.randint(2, 9) / 4 for name in ("x", "w", "b")}
    names, nodes = [*inputs], []
    for n in range(count):
        operator = rng.choice((*_BINARY, *_UNARY))
        chosen = [rng.choice(names) for _ in range(2 if operator in _BINARY else 1)]
        nodes.append([operator, chosen, f"v{n}"])
        names.append(f"v{n}")
    return nodes, inputs


def models(rng: Random) -> list[Case]:
    """No node, each operator, both signs at Relu, tanh at its limits, a result used twice, a model far
    too long."""
    x, xy = {"x": 2.0}, {"x": 2.0, "y": -3.0}
    fixed: list[Case] = [
        ([["Add", ["x", "y"], "z"]], xy),
        ([["Sub", ["x", "y"], "z"]], xy),
        ([["Mul", ["x", "y"], "z"]], xy),
        ([["Neg", ["x"], "z"]], x),
        ([["Tanh", ["x"], "z"]], {"x": 0.5}),
        ([["Relu", ["x"], "z"], ["Relu", ["y"], "u"]], xy),
        ([["Relu", ["x"], "z"]], {"x": 0.0}),
        ([["Tanh", ["x"], "z"], ["Neg", ["x"], "u"], ["Tanh", ["u"], "v"]], {"x": 1000.0}),
        ([], xy),
        ([["Sub", ["y", "x"], "z"], ["Mul", ["z", "z"], "u"], ["Sub", ["u", "z"], "v"]], xy),
        ([["Sub", ["x", "y"], "z"]], xy),
    ]
    fixed += [_random_model(rng, n) for n in (3, 4, 5, 6, 8, 10)]
    return [*fixed, (_long_model(), x)]


_LONG = '[["Tanh", ["x" if n == 0 else f"v{n - 1}"], f"v{n}"] for n in range(1200)]'


def _long_model() -> list[Any]:
    made: list[Any] = eval(_LONG)
    return made


def _model_as_code(nodes: list[Any], inputs: dict[str, float]) -> str:
    return f"nodes = {_LONG if nodes == _long_model() else nodes}\ninputs = {inputs}"


@exercise(
    points=2,
    cases=models,
    answer=Numbers("a dictionary of numbers by name"),
    code=_model_as_code,
)
def run_model(nodes: list[Any], inputs: dict[str, float]) -> dict[str, float]:
    """Run a model that was read from a file

    In a file of ONNX a model is a list of nodes. Each has an operator, the names of its inputs and the
    name of its result, as in `["Mul", ["w", "x"], "z"]`. A node stands behind all nodes that it
    needs, and there may be a thousand, each of which needs the one before.

    `nodes` is such a list, and `inputs` gives the inputs of the model their numbers. The operators
    are `Add`, `Sub`, `Mul`, `Neg`, `Tanh` and `Relu`. Return a dictionary with the number of each
    name: those of the inputs, and the results of all nodes. `inputs` is not to be changed.

    First step: Begin with a copy of `inputs`, and return it. That is right for a model without nodes.
    Hint: What is the number of a name that a node mentions? Somebody has put it into your dictionary,
    if nodes are run in their order.
    Hint: A dictionary of functions by their operators saves a long row of `if`. Relu is 0 for what
    is below 0, and else the number itself.
    Hint: A calculator for steps in a row, with names as above:
        doing = {"Half": lambda x: x / 2, "Max": max}
        for operator, names, result in steps:
            known[result] = doing[operator](*[known[name] for name in names])
    Verified: all numbers agree for {cases} models, one of them with 1,200 nodes.
    """
    operators: dict[str, Any] = {
        "Add": lambda x, y: x + y,
        "Sub": lambda x, y: x - y,
        "Mul": lambda x, y: x * y,
        "Neg": lambda x: -x,
        "Tanh": lambda x: math.tanh(x),
        "Relu": lambda x: max(x, 0.0),
    }
    values = dict(inputs)
    for operator, names, result in nodes:
        values[result] = operators[operator](*[values[name] for name in names])
    return values


run_model.slip(
    "inputs in another order",
    "Sub takes the second input from the first. Which of them stands first in the node?",
    ("x - y", "y - x"),
)
run_model.slip(
    "Relu without its kink",
    "What should Relu make of a number below 0?",
    ("max(x, 0.0)", "abs(x)"),
    ("max(x, 0.0)", "x"),
    ("max(x, 0.0)", "min(x, 0.0)"),
)
run_model.slip(
    "the inputs left out",
    "The dictionary should have the inputs of the model in it as well.",
    (
        "return values",
        "return {result: values[result] for _, _, result in nodes}",
    ),
)
run_model.slip(
    "the last result only",
    "The dictionary should have the results of all nodes in it.",
    (
        "return values",
        "return {**inputs, **{n[2]: values[n[2]] for n in nodes[-1:]}}",
    ),
)
run_model.slip(
    "Neg does nothing",
    "Neg turns the sign.",
    ("lambda x: -x", "lambda x: x"),
    ("lambda x: -x", "lambda x: -abs(x)"),
)
run_model.slip(
    "another tangent",
    "Tanh is the hyperbolic tangent, `math.tanh`.",
    ("math.tanh(x)", "math.tan(x)"),
    ("math.tanh(x)", "math.atan(x)"),
)


# --- half precision -------------------------------------------------------------------------------


def gradients_in_half(rng: Random) -> list[Case]:
    """Fine ones, tiny ones that are lost in half precision, one too large, one that is no number.

    The largest that there are, whose sum and whose squares are infinite; a scale below 1.
    """
    fixed: list[Case] = [
        ([1.0], [2.0], 1.0, 0.5),
        ([1.0, -2.0], [8.0, -4.0], 4.0, 0.25),
        ([1.0, -2.0], [1e6, 1.0], 1024.0, 0.25),
        ([1.0, -2.0], [-1e6, 1.0], 1024.0, 0.25),
        ([1.0, -2.0], [None, 1.0], 1024.0, 0.25),
        ([0.0], [0.0001220703125], 65536.0, 1e6),
        ([1.0, -2.0], [65504.0, 65504.0], 32768.0, 0.25),
        ([1.0, -2.0], [40000.0, 40000.0], 0.5, 0.25),
        ([0.5, 0.25], [0.0, 0.0], 8.0, 0.5),
        ([1.0001, 2.0003], [1.0, 1.0], 2.0, 0.0001),
        ([1.0, -2.0], [8.0, -4.0], 4.0, 0.25),
    ]
    for many in (1, 2, 3, 4, 5, 6):
        weights = [rng.randint(-2000, 2000) / 1024 for _ in range(many)]
        gradients: list[float | None] = [rng.randint(-64, 64) / 8 for _ in range(many)]
        if rng.random() < 0.3:
            gradients[rng.randrange(many)] = rng.choice((1e6, None))
        fixed.append((weights, gradients, 2.0 ** rng.randint(1, 15), rng.randint(1, 9) / 16))
    return [*fixed, ([0.5] * 500, [0.25] * 499 + [1e6], 256.0, 0.125)]


def _half(numbers: list[float | None]) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.array(numbers, dtype=float).astype(np.float16)


@exercise(
    points=2,
    kind="repair",
    cases=gradients_in_half,
    as_arguments=lambda weights, gradients, scale, rate: (
        locked(weights),
        _half(gradients),
        scale,
        rate,
    ),
    answer=Arrays("the new weights and the new scale", ("The array of weights", "The scale")),
    code=lambda weights, gradients, scale, rate: (
        f"{as_python(weights=weights)}\n"
        f"gradients = np.array({gradients!r}, dtype=float).astype(np.float16)\n"
        f"scale, rate = {scale!r}, {rate!r}"
    ),
)
def scaled_step(weights: Any, gradients: Any, scale: float, rate: float) -> Any:
    """Repair a step in half precision

    In **mixed precision** the gradients are numbers of 16 bits, `np.float16`, which end at 65,504 and
    are 0 below 0.00000003. So that small gradients are not lost, the loss is multiplied by a
    `scale` before the backward pass, and the gradients are divided by it before the step. The author
    of this program reports: *"Small gradients are lost all the same. And now and then all weights are
    infinite, or NaN, and stay so."*

    ---

    Write a version that works. `weights` is an array of `np.float64`, and `gradients` is an array of
    `np.float16`: those of the loss times `scale`. If all gradients are finite, return the weights
    after a step of gradient descent, and the scale as it is. If any is infinite or NaN, the scale was
    too large: return the weights as they are, and half of the scale.

    First step: Copy the body of `broken_step` into your function, and return `weights` and half of the
    scale if not all of `np.isfinite(gradients)` is true.
    Hint: Of which type is `gradients / scale`, and what becomes of 0.0001 / 65536 there?
    Hint: Make float64 of the gradients first, with `astype(float)`, and divide then. What was too
    large for 16 bits is infinite already, and nothing brings it back.
    Hint: A thermometer that shows ∞ when it is too hot, and sixteenths of a degree:
        if np.isinf(shown).any():
            return guess, range_of_it / 2
        return shown.astype(float) / 16, range_of_it
    Verified: weights and scale agree in {cases} cases, some of them with an overflow.
    """
    if not np.isfinite(gradients).all():
        return weights, scale / 2
    return weights - rate * (gradients.astype(float) / scale), scale


_FOUND, _DIVIDED = "not np.isfinite(gradients).all()", "gradients.astype(float) / scale"
scaled_step.slip(
    "divided in half precision",
    "Small gradients are still lost: you divide numbers of 16 bits. In which type should it be done?",
    ("gradients.astype(float) / scale", "(gradients / np.float16(min(scale, 6e4))).astype(float)"),
    ("gradients.astype(float) / scale", "(gradients.astype(float) / scale).astype(np.float16)"),
)
scaled_step.slip(
    "the scale stays in",
    "Your step is too long: the gradients are those of the loss times the scale.",
    ("gradients.astype(float) / scale", "gradients.astype(float)"),
)
scaled_step.slip(
    "multiplied once more",
    "The gradients have been multiplied by the scale already. How do you get back?",
    ("gradients.astype(float) / scale", "gradients.astype(float) * scale"),
)
scaled_step.slip(
    "infinity taken for a number",
    "An infinite gradient is still used for a step. What is known of the direction then?",
    ("np.isfinite(gradients).all()", "True"),
    ("not np.isfinite(gradients).all()", "np.isnan(gradients).any()"),
    (_FOUND, "False", _DIVIDED, "gradients / np.float16(min(scale, 6e4))"),
)
scaled_step.slip(
    "a step along the rest",
    """You step along the axes whose gradient is finite. Only part of the gradient is known then: its
    direction is not.""",
    lambda weights, gradients, scale, rate: (
        weights - rate * np.where(np.isfinite(gradients), gradients.astype(float), 0.0) / scale,
        scale if np.isfinite(gradients).all() else scale / 2,
    ),
)
scaled_step.slip(
    "the largest number taken for infinity",
    "The largest number of 16 bits is 65,504. It is finite, and a gradient may have it.",
    ("np.isfinite(gradients).all()", "(abs(gradients) < 65504).all()"),
)
scaled_step.slip(
    "looked for after a sum",
    """You look at a number that was computed of the gradients, in 16 bits: it may be infinite where no
    gradient is. Look at the gradients themselves.""",
    ("np.isfinite(gradients).all()", "np.isfinite(gradients.sum())"),
    ("np.isfinite(gradients).all()", "np.isfinite(np.linalg.norm(gradients))"),
    ("np.isfinite(gradients)", "np.isfinite(gradients / np.float16(min(scale, 6e4)))"),
)
scaled_step.slip(
    "NaN taken for a number",
    "Infinity is found. There is something else that is not finite.",
    ("not np.isfinite(gradients).all()", "np.isinf(gradients).any()"),
)
scaled_step.slip(
    "the scale not halved",
    "After an overflow the next pass would overflow again, with the same scale.",
    ("scale / 2", "scale"),
)
scaled_step.slip(
    "doubled in place of halved",
    "The scale was too large, and you make it larger.",
    ("scale / 2", "scale * 2"),
)
scaled_step.slip(
    "uphill",
    "The steps go the wrong way.",
    ("weights - rate", "weights + rate"),
)
