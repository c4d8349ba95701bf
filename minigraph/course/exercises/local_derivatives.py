"""Lesson 03: what a nudge does, measured by differences and foretold by derivatives."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from ...autodiff.derivatives import grad, jvp
from ...autodiff.jacobian import jacobian
from ...core.node import Node
from ...core.operation import FUNCTIONS
from ..forms import Case, Difference
from ..graphs import Steps, build
from ..quantities import Gradients, Number, NumberList
from ..specification import exercise

LESSON = "03_local_derivatives"

Values = dict[str, float]
Derivatives = dict[str, float]

# --- predict local derivatives --------------------------------------------------------------------

QUOTIENT: Steps = {"p": ("*", "a", "b"), "q": ("-", "c", "p"), "y": ("/", "p", "q")}
QUOTIENT_VALUES: Values = {"a": 3.0, "b": 2.0, "c": 10.0}  # p = 6, q = 4, y = 1.5


@exercise(
    points=1,
    value_of=(QUOTIENT, QUOTIENT_VALUES),
    answer=Gradients('a dictionary with a number for each edge, such as {"dp/da": 1.5}'),
)
def predict_derivatives(graph: Steps, values: Values) -> Derivatives:
    r"""Predict the local derivatives on the edges

    This is the graph of $p = a \cdot b$, $q = c - p$, $y = p / q$.

    ---

    The inputs are $a = 3$, $b = 2$, $c = 10$. Which number stands on each of the six edges?
    `"dp/da"` is the local derivative on the edge from $a$ to $p$.

    First step: First compute p, q and y with a = 3, b = 2, c = 10. Then take one operation at a
    time: by how much does its result change, for each unit of change in one of its inputs? Replace
    the dots by your six numbers.
    Hint: Test a number that you doubt: change the input by 0.01 and compute the operation again.
    The change of the result, divided by 0.01, is close to the local derivative.
    Hint: The formulas, with x and y for the first and second input: for x · y they are y and x, for
    x − y they are 1 and −1, for x / y they are 1 / y and −x / y². Put in the values that flow
    there.
    Hint: In u = r · s, v = u / r with r = 5, s = 4: u = 20. Then du/dr = s = 4 and du/ds = r = 5,
    and dv/du = 1 / r = 0.2, dv/dr = −u / r² = −0.8.
    Verified: all six numbers agree with the table of operations.
    """
    nodes = build(graph, values)
    derivatives: Derivatives = {}
    for name, (_, *inputs) in graph.items():
        node = nodes[name]
        assert node.op
        slopes = local_derivatives(
            node.op.name, [float(nodes[x].value) for x in inputs], float(node.value)
        )
        derivatives |= {f"d{name}/d{x}": slope for x, slope in zip(inputs, slopes)}
    return derivatives


predict_derivatives.slip(
    "own factor",
    """On the edge from a to p = a · b stands by how much p grows, for each unit by which a grows.
    Try it with a = 3.1 in place of 3: how many times 0.1 does p gain?""",
    {"dp/da": 3.0, "dp/db": 2.0, "dq/dc": 1.0, "dq/dp": -1.0, "dy/dp": 0.25, "dy/dq": -0.375},
)
predict_derivatives.slip(
    "factors lost",
    """You wrote 1 on both edges of the product, as for a sum. Try it: with a = 3.1 in place of 3,
    by how much does p = a · b change?""",
    {"dp/da": 1.0, "dp/db": 1.0, "dq/dc": 1.0, "dq/dp": -1.0, "dy/dp": 0.25, "dy/dq": -0.375},
)
predict_derivatives.slip(
    "sign of the subtraction",
    """q = c − p. What happens to q when c grows by a little, and what when p does? A local
    derivative says so with its sign.""",
    {"dp/da": 2.0, "dp/db": 3.0, "dq/dc": 1.0, "dq/dp": 1.0, "dy/dp": 0.25, "dy/dq": -0.375},
    {"dp/da": 2.0, "dp/db": 3.0, "dq/dc": -1.0, "dq/dp": -1.0, "dy/dp": 0.25, "dy/dq": -0.375},
    {"dp/da": 2.0, "dp/db": 3.0, "dq/dc": -1.0, "dq/dp": 1.0, "dy/dp": 0.25, "dy/dq": -0.375},
)
predict_derivatives.slip(
    "sign of the quotient",
    """A quotient becomes smaller when its denominator grows. What does that say about the sign of
    dy/dq?""",
    {"dp/da": 2.0, "dp/db": 3.0, "dq/dc": 1.0, "dq/dp": -1.0, "dy/dp": 0.25, "dy/dq": 0.375},
)
predict_derivatives.slip(
    "numerator forgotten",
    """You took −1/q² on the edge from q to y. That is the derivative of 1/q. What changes if
    another number than 1 stands above the line?""",
    {"dp/da": 2.0, "dp/db": 3.0, "dq/dc": 1.0, "dq/dp": -1.0, "dy/dp": 0.25, "dy/dq": -0.0625},
)
predict_derivatives.slip(
    "values instead of slopes",
    """You wrote the value that flows along each edge. The local derivative says something else: by
    how much the result changes for each unit by which that value changes.""",
    {"dp/da": 3.0, "dp/db": 2.0, "dq/dc": 10.0, "dq/dp": 6.0, "dy/dp": 6.0, "dy/dq": 4.0},
)
predict_derivatives.slip(
    "derivatives of y everywhere",
    """You asked each time how y changes. A local derivative asks about one operation only: dp/da is
    the change of p, and whatever happens to p further on does not matter to it.""",
    {
        "dp/da": 1.25,
        "dp/db": 1.875,
        "dq/dc": -0.375,
        "dq/dp": 0.625,
        "dy/dp": 0.625,
        "dy/dq": -0.375,
    },
)


# --- central_difference ---------------------------------------------------------------------------

Curve = Callable[[float], float]
CURVES: dict[str, Curve] = {
    "x * x": lambda x: x * x,
    "x * x * x": lambda x: x * x * x,
    "1 / x": lambda x: 1 / x,
    "x / (x * x + 1)": lambda x: x / (x * x + 1),
    "x * x * x * x - 3 * x": lambda x: x * x * x * x - 3 * x,
}


def curves_and_steps(rng: Random) -> list[Case]:
    """A function, a place and a step; neither the step nor its double is 1, nor are they small.

    Steps and places have both signs, f grows and falls, and x is 0 once. The last step is small,
    and the one before it larger than x.
    """
    fixed: list[Case] = [
        ("x * x", 3.0, 0.375),
        ("x * x * x", 2.0, 0.25),
        ("1 / x", 2.0, -0.375),
        ("x * x * x", -1.5, 0.25),
        ("x * x * x * x - 3 * x", 0.0, 0.125),
        ("x / (x * x + 1)", -3.0, -0.25),
    ]
    places = [(rng.randint(5, 12) / 4, rng.choice([0.125, 0.25, 0.375])) for _ in range(12)]
    drawn = [(rng.choice(list(CURVES)), *place) for place in places]
    return [*fixed, *drawn, ("x * x * x", 0.5, 3.0), ("x * x * x", 2.0, 1e-3)]


def _curve_place_step(formula: str, x: float, h: float) -> str:
    return f"f = lambda x: {formula}\nx = {x}\nh = {h}"


@exercise(
    points=2,
    cases=curves_and_steps,
    as_arguments=lambda formula, x, h: (CURVES[formula], x, h),
    answer=Number(),
    code=_curve_place_step,
)
def central_difference(f: Curve, x: float, h: float) -> float:
    """Write a central difference

    Write a function that gets a function $f$ of one number, a place $x$ and a step $h$, and returns
    the central difference of $f$: the slope between the two points that lie $h$ to the left and $h$
    to the right of $x$.

    First step: f is a function that you can call: f(x + h) is its value a step to the right of x.
    Which other value do you need, and how do two values make a slope?
    Hint: A slope is a change of f divided by a change of x. Which two points, and how far apart?
    Hint: The points are x − h and x + h, which makes them 2h apart. Three lines will do: the value
    on the right, the value on the left, and the slope.
    Hint: The backward difference is written like this:
        here = f(x)
        left = f(x - h)
        return (here - left) / h
    Its two points are x − h and x, which are h apart.
    Verified: it agrees in {cases} cases.
    """
    return (f(x + h) - f(x - h)) / (2 * h)


central_difference.slip(
    "forward difference",
    """This is the forward difference, from x to x + h. It looks to one side only. The central
    difference goes from x − h to x + h.""",
    ("x - h)) / (2 * h)", "x)) / h"),
)
central_difference.slip(
    "backward difference",
    """This is the backward difference, from x − h to x. It looks to one side only. The central
    difference goes from x − h to x + h.""",
    ("(f(x + h) - f(x - h)) / (2 * h)", "(f(x) - f(x - h)) / h"),
)
central_difference.slip(
    "divided by h",
    """Your two points are right. How far apart are they? You divided the change by h, and from x −
    h to x + h it is more than that.""",
    ("(2 * h)", "h"),
)
central_difference.slip(
    "parentheses around 2h forgotten",
    """Python reads `/ 2 * h` from left to right: it divides by 2 and then multiplies by h. Put
    parentheses around what you divide by.""",
    ("(2 * h)", "2 * h"),
)
central_difference.slip(
    "parentheses around the difference forgotten",
    """Division goes before subtraction, so only f(x − h) is divided here. Put parentheses around
    the difference.""",
    ("(f(x + h) - f(x - h))", "f(x + h) - f(x - h)"),
    ("(f(x + h) - f(x - h)) / (2 * h)", "f(x + h) - f(x - h) / 2 * h"),
    ("(f(x + h) - f(x - h)) / (2 * h)", "f(x + h) - f(x - h) / h"),
)
central_difference.slip(
    "not divided",
    "You return the change of f. A slope is the change of f, divided by the change of x.",
    ("(f(x + h) - f(x - h)) / (2 * h)", "f(x + h) - f(x - h)"),
)
central_difference.slip(
    "difference swapped",
    """Your slope has the wrong sign. If the function grows, f(x + h) is the larger one, and the
    slope is positive.""",
    ("+ h) - f(x -", "- h) - f(x +"),
)
central_difference.slip(
    "half the step",
    """You went h / 2 to each side. That is a central difference, but with another step than the one
    asked for: the points are x − h and x + h.""",
    ("h) - f(x - h)) / (2 * h)", "h / 2) - f(x - h / 2)) / h"),
)


# --- local_derivatives ----------------------------------------------------------------------------

OPERANDS: dict[str, list[float]] = {
    "add": [3.0, 5.0],
    "subtract": [7.0, 2.0],
    "multiply": [2.0, 5.0],
    "divide": [6.0, 4.0],
    "exp": [2.0],
    "log": [4.0],
    "sin": [2.0],
    "power": [3.0, 2.0],
}


ELSEWHERE: list[tuple[str, list[float]]] = [
    ("add", [-2.0, -2.0]),
    ("subtract", [0.0, 5.0]),
    ("subtract", [-3.0, -3.0]),
    ("multiply", [0.0, -4.0]),
    ("multiply", [3.0, 0.0]),
    ("multiply", [-1.5, -1.5]),
    ("divide", [0.0, -2.0]),
    ("divide", [-3.0, 0.5]),
    ("divide", [-2.5, -2.5]),
    ("exp", [0.0]),
    ("exp", [-1.5]),
    ("log", [0.25]),
    ("log", [1.0]),
    ("sin", [0.0]),
    ("sin", [-4.0]),
    ("sin", [7.5]),
    ("power", [0.5, 3.0]),
    ("power", [2.0, -1.5]),
    ("power", [3.0, 0.0]),
    ("power", [1.5, 1.5]),
]


def operations_with_inputs(rng: Random) -> list[Case]:
    """Each operation once, at positive inputs that are not 1, where every wrong rule shows.

    Then at inputs of both signs, at 0 and at equal inputs, as far as the operation has a value and
    derivatives there; last at random ones.
    """
    values = [n / 4 for n in range(5, 14)]
    drawn = [(name, rng.sample(values, len(xs))) for name, xs in OPERANDS.items() for _ in "ab"]
    return [*OPERANDS.items(), *ELSEWHERE, *drawn]


def _with_output(name: str, inputs: list[float]) -> tuple[str, list[float], float]:
    return name, list(inputs), float(FUNCTIONS[name](*map(np.float64, inputs)))


def _operation_as_code(name: str, inputs: list[float]) -> str:
    return f'operation = "{name}"\ninputs = {inputs}\nout = {_with_output(name, inputs)[2]}'


@exercise(
    points=3,
    cases=operations_with_inputs,
    as_arguments=_with_output,
    answer=NumberList("a list with a number for each input"),
    code=_operation_as_code,
    instead_of=(Node.backward, grad, jacobian, jvp),
)
def local_derivatives(operation: str, inputs: list[float], out: float) -> list[float]:
    """Write the local derivatives of eight operations

    Write a function that gets the name of an operation, the list of its inputs and its output, and
    returns a list with the local derivative by each input. For example

    - `local_derivatives("add", [3, 5], 8)` is `[1, 1]`, as a sum grows with each of its inputs by
      as much as they do;
    - `local_derivatives("exp", [2], 7.389)` has one number in it, since `exp` has one input.

    The operations are `add`, `subtract`, `multiply`, `divide`, `exp`, `log`, `sin`, and `power`,
    which is $x^y$. `math.log` is the natural logarithm.

    First step: Start with one operation: `if operation == "add": return [1, 1]`. Then go on with
    the next, one `if` for each. `x, y = inputs` gives names to two inputs, `(x,) = inputs` to one.
    Hint: Which operation is it, and which of its inputs? Nudge that input by a little, leave the
    other as it is, and see what the output does.
    Hint: Compare with the table in the lesson, or ask minigraph: `mg.divide(mg.variable(6.0),
    4.0).op.partials` shows the formulas of divide, in x, y and out.
    Hint: Two operations that are not among the eight, x · x · y and 1 / x:
        if operation == "square_times":
            x, y = inputs
            return [2 * x * y, x * x]
        if operation == "reciprocal":
            return [-out * out]
    The derivative of 1 / x is −1 / x², which is −out².
    Another way: A table instead of a row of questions:
        RULES = {
            "add": lambda out, x, y: [1, 1],
            "subtract": lambda out, x, y: [1, -1],
            "multiply": lambda out, x, y: [y, x],
            "divide": lambda out, x, y: [1 / y, -out / y],
            "exp": lambda out, x: [out],
            "log": lambda out, x: [1 / x],
            "sin": lambda out, x: [math.cos(x)],
            "power": lambda out, x, y: [y * x ** (y - 1), out * math.log(x)],
        }

        def local_derivatives(operation, inputs, out):
            return RULES[operation](out, *inputs)
    An operation more is a line more, and out saves a division or a power. minigraph's own table is
    made so.
    Verified: all local derivatives agree with the table of operations, in {cases} cases.
    """
    rules: dict[str, Callable[..., list[float]]] = {
        "add": lambda x, y: [1.0, 1.0],
        "subtract": lambda x, y: [1.0, -1.0],
        "multiply": lambda x, y: [y, x],
        "divide": lambda x, y: [1 / y, -x / y**2],
        "exp": lambda x: [out],
        "log": lambda x: [1 / x],
        "sin": lambda x: [math.cos(x)],
        "power": lambda x, y: [y * x ** (y - 1), out * math.log(x)],
    }
    return rules[operation](*inputs)


local_derivatives.slip(
    "own factor",
    "multiply: take 2 · 5, and let the 2 grow to 2.1. By how many times 0.1 does the product grow?",
    ("[y, x]", "[x, y]"),
)
local_derivatives.slip(
    "product of the derivatives",
    """multiply: you took 1 by both inputs, as if a product changed like a sum. It changes the more,
    the larger the other factor is.""",
    ("[y, x]", "[1.0, 1.0]"),
    ("[y, x]", "[1.0]"),
)
local_derivatives.slip(
    "sum like a product",
    "add: if x grows by 0.1, by how much does x + y grow? It does not matter how large x or y are.",
    ("[1.0, 1.0]", "[x, y]"),
    ("[1.0, 1.0]", "[y, x]"),
)
local_derivatives.slip(
    "sign of the subtraction",
    "subtract: which of the two inputs makes the result larger when it grows, and which smaller?",
    ("[1.0, -1.0]", "[1.0, 1.0]"),
    ("[1.0, -1.0]", "[-1.0, 1.0]"),
)
local_derivatives.slip(
    "sign of the quotient",
    """divide: with a positive numerator, does the quotient become larger or smaller when the
    denominator grows? What does that say about the sign?""",
    ("-x / y**2", "x / y**2"),
)
local_derivatives.slip(
    "numerator forgotten",
    "divide: −1 / y² is the derivative of 1 / y. What changes if x stands above the line?",
    ("-x / y**2", "-1 / y**2"),
)
local_derivatives.slip(
    "quotient of the derivatives",
    """divide: the derivative of a quotient is not the quotient of the derivatives. Write x / y as
    x · (1 / y), and ask what happens when only x changes, and what when only y does.""",
    ("[1 / y, -x / y**2]", "[1.0, 1.0]"),
    ("-x / y**2", "1 / x"),
    ("-x / y**2", "x"),
    ("[1 / y, -x / y**2]", "[y, x]"),
)
local_derivatives.slip(
    "power rule for exp",
    """exp: the rule that lowers the exponent is for x to a fixed power. In eˣ the exponent is what
    changes. How does the slope of eˣ compare with its height?""",
    ("[out]", "[x * math.exp(x - 1)]"),
)
local_derivatives.slip(
    "output instead of input",
    """You put the output where the input belongs. A derivative is taken at the place where the
    nudge happens. On which side of the operation is that?""",
    ("math.cos(x)", "math.cos(out)"),
    ("[1 / x]", "[1 / out]"),
    ("[out]", "[math.exp(out)]"),
    ("math.cos(x)", "math.cos(out)", "[1 / x]", "[1 / out]", "[out]", "[math.exp(out)]"),
    ("math.cos(x)", "math.cos(out)", "[1 / x]", "[1 / out]"),
)
local_derivatives.slip(
    "sign of the cosine",
    """sin: near x = 0 the sine grows, so its derivative is positive there. The minus sign belongs
    to the derivative of cos.""",
    ("math.cos", "-math.cos"),
)
local_derivatives.slip(
    "exponent not lowered",
    """power, by the base: at x = 2 you say that x³ grows 3 · 2³ = 24 times as fast as x. Try it:
    2.01³ is about 8.12.""",
    ("y * x ** (y - 1)", "y * out"),
)
local_derivatives.slip(
    "exponent taken for a constant",
    """power: the exponent is an input too. Nudge it, and the result changes: x to the power y is e
    to the power y · log x, and what changes is y.""",
    ("out * math.log(x)", "0.0"),
)
local_derivatives.slip(
    "logarithm forgotten",
    """power: by the exponent, the derivative of eʸ is eʸ. For another base x it is x to the power
    y, times the natural logarithm of one of the two. Which one makes 1 for base e?""",
    (" * math.log(x)", ""),
    ("math.log(x)", "math.log(y)"),
)
local_derivatives.slip(
    "power rule for both inputs",
    """power: y · x to the power y − 1 is the derivative by the base x. By the exponent y it is
    another formula, as for eˣ.""",
    ("out * math.log(x)", "y * x ** (y - 1)"),
    ("out * math.log(x)", "x * y ** (x - 1)"),
)


# --- choose_step ----------------------------------------------------------------------------------

EPSILON = float(np.finfo(float).eps)  # from 1 to the next larger number
GOOD = 1e-9  # the relative error that is asked for
LOST = 1e-9  # a step, relative to x, below which rounding takes half of the digits or more


@dataclass(frozen=True)
class Step(Number):
    """A step for the central difference of x³ + x at a place x, judged by the error to expect.

    The worst case counts, not the luck of one number: truncation h² |f'''| / 6, and rounding of the
    values and of the places, ε (|f| + |x f'|) / 2h.
    """

    what: str = "a step, which is a number"

    def difference(self, answer: float, expected: float, case: Case) -> Difference | None:
        """Say which of the two errors is too large, and how large it may become."""
        (x,) = case
        if not answer or not math.isfinite(answer):
            return Difference(f"At x = {x:g} your step is {answer:g}, and that is no step.", "none")
        value, slope, step = abs(x) ** 3 + abs(x), 3 * x * x + 1, abs(answer)
        truncation = step * step / slope
        rounding = EPSILON * (value / slope + abs(x)) / (2 * step)
        if max(truncation, rounding) <= GOOD:
            return None
        kind = "truncation" if truncation > rounding else "rounding"
        error = f"At x = {x:g} the {kind} error of your step {answer:.3g} may reach "
        symptom = kind
        if kind == "rounding" and step < LOST * max(1, abs(x)):
            symptom = "lost in rounding"
        worst = max(truncation, rounding)
        amount = f"{worst:.1e}" if worst < 1 else "100 % and more"
        return Difference(f"{error}{amount} of the derivative.", symptom)

    def alike(self, one: Any, other: Any) -> bool:
        """Whether two steps are about as large. What is tiny is tiny, however much so."""
        small, large = sorted(map(abs, (one, other)))
        return large < TINY or large < ABOUT * small


TINY = 1e-11
ABOUT = 5


def places(rng: Random) -> list[Case]:
    """Places at 0, near it and far from it, on both sides, so that no single step serves all.

    There is one of each order of magnitude, so that a rule for near and another for far places show
    where they meet.
    """
    near = [(round(rng.uniform(-3, 3), 2) + 0.005,) for _ in range(4)]
    far = [(rng.choice([-1.0, 1.0]) * round(rng.uniform(1, 9), 2) * 10.0 ** rng.randint(6, 9),)]
    between = [(9.9,), (-99.0,), (990.0,), (-9.9e3,), (9.9e4,), (1e-3,), (-1.0,)]
    ends = [(1e10,), (-1e10,)]
    return [(1.0,), (-2.0,), (0.0,), (2.0e6,), (-1.0e9,), *near, *between, *far, *ends]


def _scaled(x: float) -> float:
    return max(1.0, abs(x))


@exercise(points=2, cases=places, answer=Step(), code=lambda x: f"x = {x!r}")
def choose_step(x: float) -> float:
    """Choose a good step

    Somebody wants the derivative of $f(x) = x^3 + x$ by central differences, at places $x$ anywhere
    between $-10^{10}$ and $10^{10}$, and right to nine digits: with a relative error of at most
    $10^{-9}$. Write a function that gets $x$ and returns the step $h$ to use there. The check asks
    for the error that must be feared in the worst case, from truncation and from rounding.

    First step: Look at the curve of errors in the appendix of the lesson: at which step is the
    central difference best, for an x near 1? Return that number. Then think about an x that is a
    million times larger.
    Hint: Two errors pull in opposite directions. Which of them is it here, and does it want a
    larger or a smaller step? And does your step fit to the size of x?
    Hint: The best step of a central difference is about the cube root of ε = 2.2 · 10⁻¹⁶ near x
    = 1. Far away it grows with |x|, but it must not shrink to 0 where x does.
    Hint: For the forward difference a good choice is
        epsilon = 2.2e-16
        h = epsilon ** 0.5 * (1 + abs(x))
    with the square root, because its truncation error shrinks like h.
    Another way: One formula for near and far:
        def choose_step(x):
            return 6e-6 * math.hypot(1, x)
    √(1 + x²) is about 1 near 0 and about |x| far away, and has no place where a rule ends.
    Verified: the step is good at all {cases} places, from 0 to 10¹⁰.
    """
    return EPSILON ** (1 / 3) * _scaled(x)


choose_step.slip(
    "the smaller the better",
    """Your step is so small that f(x + h) and f(x − h) agree in nearly all of their digits. Their
    difference keeps only the few that are left, and these are rounding. A larger step is better.""",
    ("EPSILON ** (1 / 3) * _scaled(x)", "EPSILON"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "1e-11"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "1e-10"),
    ("** (1 / 3) *", "*"),
    *(("EPSILON ** (1 / 3)", f"1e-{n}") for n in range(10, 16)),
)
choose_step.slip(
    "the step of the forward difference",
    """√ε ≈ 10⁻⁸ is the best step of the forward difference, whose truncation error shrinks like h.
    The central difference's shrinks like h², so it can afford a larger step. Which power of ε
    balances h² with ε / h?""",
    ("EPSILON ** (1 / 3)", "math.sqrt(EPSILON)"),
    ("EPSILON ** (1 / 3)", "1e-8"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "1e-8"),
)
choose_step.slip(
    "the same step everywhere",
    """Near 0 your step is good. But far away the numbers that a computer knows lie further apart,
    and x + h is rounded to one of them. How much is left of your step at x = 10⁹?""",
    (") * _scaled(x)", ")"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "1e-6"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "2e-5"),
)
choose_step.slip(
    "a fraction of x",
    """At x = 0 your step is 0, and the difference quotient divides by it. Far from 0 a share of x
    is what it takes. And near 0?""",
    ("_scaled(x)", "x"),
    ("EPSILON ** (1 / 3) * _scaled", "1e-6 * abs"),
    ("EPSILON ** (1 / 3) * _scaled", "2e-5 * abs"),
)
choose_step.slip(
    "too large",
    """Between x − h and x + h the curve bends, and a step this large sees it: that is truncation.
    Its relative error shrinks with h², so make h smaller; but not as small as you can.""",
    *(("EPSILON ** (1 / 3)", f"1e-{n}") for n in range(5)),
    ("EPSILON ** (1 / 3) * _scaled", "0.001 * abs"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "1.0"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "0.1"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "0.01"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "0.001"),
    ("EPSILON ** (1 / 3) * _scaled(x)", "0.0001"),
)


# --- predict at a kink ----------------------------------------------------------------------------


def near_a_kink(rng: Random) -> Case:
    """A number to the right of 0, and a step that leads across."""
    h = rng.choice((0.2, 0.5))
    return rng.randint(1, round(50 * h) - 1) / 100, h


@exercise(
    points=1,
    value_of=(0.02, 0.1),
    others=near_a_kink,
    answer=Gradients(
        'a dictionary with a number for "forward", "backward", "central" and "derivative"'
    ),
)
def predict_kink(x: float, h: float) -> Derivatives:
    """Predict what happens at a kink

    Take $f(x) = |x|$ at $x = «x»$, with the step $h = «h»$. What are the forward difference (from
    $x$ to $x + h$), the backward difference (from $x - h$ to $x$), the central difference, and the
    derivative?

    First step: Compute |x| at the three points x − h = −«h - x», x = «x» and x + h = «x + h». Then
    replace the dots by the slopes.
    Hint: Sketch |x|, and mark the three points. Which of them lies on the other branch?
    Hint: |x − h| = «h - x», |x| = «x», |x + h| = «x + h». The forward difference is
    («x + h» − «x») / «h», and the others are made in the same way. The derivative at x = «x» is the slope of the
    branch that x lies on.
    Hint: For relu at x = 0.1 with h = 0.2 the values on the left, at x and on the right are 0, 0.1
    and 0.3. So forward is 1, backward is 0.5, central is 0.75, and the derivative is 1.
    Verified: all four numbers are right, and only one of the differences agrees with the
    derivative.
    """
    left, here, right = abs(x - h), abs(x), abs(x + h)
    return {
        "forward": (right - here) / h,
        "backward": (here - left) / h,
        "central": (right - left) / (2 * h),
        "derivative": math.copysign(1.0, x),
    }


predict_kink.slip(
    "all the same",
    "x lies to the right of the kink, but x − h does not. What is |x − h|?",
    {"forward": 1.0, "backward": 1.0, "central": 1.0, "derivative": 1.0},
)
predict_kink.slip(
    "derivative as at the kink",
    """The kink is at 0, and x is not there. However near the kink is, at x itself the curve is a
    straight line.""",
    ("math.copysign(1.0, x)", "0.0"),
)
predict_kink.slip(
    "difference taken for the derivative",
    """A difference looks at points some way off, and here the kink lies between them. The
    derivative looks at x alone. They need not agree.""",
    ("math.copysign(1.0, x)", "(right - left) / (2 * h)"),
    ("math.copysign(1.0, x)", "(here - left) / h"),
)
predict_kink.slip(
    "divided by h",
    "How far is it from x − h to x + h? Divide the change by that.",
    ("(2 * h)", "h"),
)
predict_kink.slip(
    "backward difference swapped",
    """The backward difference goes from x − h to x. Does the curve lie higher or lower at the end
    of this way than at its beginning?""",
    ("here - left", "left - here"),
)
predict_kink.slip(
    "not divided",
    "You gave the changes of f. A slope is the change of f, divided by the change of x.",
    *(
        ("(right - here) / h", "right - here", "(here - left) / h", "here - left", divided, whole)
        for divided, whole in (("(2 * h)", "1"), (" / (2 * h)", " / 2"))
    ),
)
