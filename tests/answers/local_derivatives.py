"""Lesson 03."""

import math
import sys

import numpy as np

import minigraph as mg

from . import right, wrong

# --- predict_derivatives --------------------------------------------------------------------------

RIGHT = {"dp/da": 2, "dp/db": 3, "dq/dc": 1, "dq/dp": -1, "dy/dp": 1 / 4, "dy/dq": -6 / 16}

right(
    "predict_derivatives",
    RIGHT,
    dict(reversed(RIGHT.items())),
    {name: np.float64(value) for name, value in RIGHT.items()},
    RIGHT | {"dy/dq": -1.5 / 4, "dp/da": 2.0},
    RIGHT | {"dy/dp": 0.1 + 0.15},
)
wrong(
    "predict_derivatives",
    RIGHT | {"dy/dp": 4},
    RIGHT | {"dy/dp": 1},
    RIGHT | {"dy/dp": -0.25},
    RIGHT | {"dy/dq": -1.5},
    RIGHT | {"dy/dq": -0.375 * 6},
    RIGHT | {"dq/dc": 0},
    RIGHT | {"dp/da": 5, "dp/db": 5},
    RIGHT | {"dp/da": 6, "dp/db": 6},
    RIGHT | {"dy/dp": 0.2500001},
)
wrong("predict_derivatives", RIGHT | {"dy/dq": -0.38})
wrong("predict_derivatives", {"dp/da": 2}, says="There is no number for")
wrong("predict_derivatives", RIGHT | {"dy/da": 1.25}, says="dy/da should not be in it")
wrong("predict_derivatives", RIGHT | {"dy/dp": "1/4"}, says="there is a text")
wrong("predict_derivatives", list(RIGHT.values()), says="It should be a dictionary")
wrong("predict_derivatives", RIGHT | {"dp/da": 3, "dp/db": 2}, hint="own factor")
wrong("predict_derivatives", RIGHT | {"dq/dc": -1}, hint="sign of the subtraction")

# --- central_difference ---------------------------------------------------------------------------


@right("central_difference")
def between_two_points(f, x, h):
    left, right = x - h, x + h
    return (f(right) - f(left)) / (right - left)


@right("central_difference")
def mean_of_both_sides(f, x, h):
    forward = (f(x + h) - f(x)) / h
    backward = (f(x) - f(x - h)) / h
    return (forward + backward) / 2


@right("central_difference")
def half_and_half(f, x, h):
    return 0.5 * f(x + h) / h - 0.5 * f(x - h) / h


@right("central_difference")
def in_two_divisions(f, x, h):
    return np.subtract(f(x + h), f(x - h)) / 2 / h


@right("central_difference")
def to_both_sides_whatever_the_sign(f, x, h):
    h = abs(h)
    change = f(x + h) - f(x - h)
    return change / (2 * h)


@wrong("central_difference")
def divides_by_the_size_of_the_step(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * abs(h))


@wrong("central_difference")
def size_of_the_change(f, x, h):
    return abs(f(x + h) - f(x - h)) / (2 * h)


@wrong("central_difference")
def adds_the_values(f, x, h):
    return (f(x + h) + f(x - h)) / (2 * h)


@wrong("central_difference")
def a_step_of_its_own(f, x, h):
    h = 1e-6
    return (f(x + h) - f(x - h)) / (2 * h)


@wrong("central_difference")
def twice_the_step(f, x, h):
    return (f(x + 2 * h) - f(x - 2 * h)) / (4 * h)


@wrong("central_difference")
def divides_by_the_square(f, x, h):
    return (f(x + h) - f(x - h)) / h**2


@wrong("central_difference")
def second_difference(f, x, h):
    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2


@wrong("central_difference")
def at_zero(f, x, h):
    return (f(h) - f(-h)) / (2 * h)


@wrong("central_difference")
def steps_by_a_share(f, x, h):
    return (f(x * (1 + h)) - f(x * (1 - h))) / (2 * h * (x or 1))


@wrong("central_difference")
def of_the_steps(f, x, h):
    return f((x + h) - (x - h)) / (2 * h)


@wrong("central_difference")
def divides_by_x(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h * x) if x else 0.0


@wrong("central_difference")
def rounds_to_three_places(f, x, h):
    return round((f(x + h) - f(x - h)) / (2 * h), 3)


@wrong("central_difference")
def as_a_list(f, x, h):
    return [(f(x + h) - f(x - h)) / (2 * h)]


@wrong("central_difference", says="TypeError")
def multiplies_instead_of_calling(f, x, h):
    return (f * (x + h) - f * (x - h)) / (2 * h)


@wrong("central_difference", hint="forward difference")
def one_side(f, x, h):
    return f(x + h) / h - f(x) / h


# --- local_derivatives ----------------------------------------------------------------------------


@right("local_derivatives")
def from_a_table(operation, inputs, out):
    table = {
        "add": lambda x, y: (1.0, 1.0),
        "subtract": lambda x, y: (1.0, -1.0),
        "multiply": lambda x, y: (y, x),
        "divide": lambda x, y: (1 / y, -out / y),
        "exp": lambda x: (out,),
        "log": lambda x: (x**-1,),
        "sin": lambda x: (math.sin(x + math.pi / 2),),
        "power": lambda x, y: (y * out / x, math.log(x) * out),
    }
    return table[operation](*inputs)


@right("local_derivatives")
def matched(operation, inputs, out):
    match operation, inputs:
        case "add", _:
            return [1, 1]
        case "subtract", _:
            return [1, -1]
        case "multiply", (x, y):
            return [y, x]
        case "divide", (x, y):
            return [1 / y, -x / (y * y)]
        case "exp", (x,):
            return math.exp(x)
        case "log", (x,):
            return 1 / x
        case "sin", (x,):
            return math.cos(x)
        case "power", (x, y):
            return [y * x ** (y - 1), x**y * math.log(x)]


@right("local_derivatives")
def with_numpy(operation, inputs, out):
    x, y = np.array(inputs * 2, dtype=float)[:2]
    rules = {
        "add": np.ones(2),
        "subtract": np.array([1, -1]),
        "multiply": np.array(inputs)[::-1],
        "divide": np.array([1, -out]) / y,
        "exp": np.exp(inputs),
        "sin": np.cos(inputs),
    }
    if operation in rules:
        return rules[operation]
    if operation == "log":
        return np.reciprocal(x)
    return np.array([y * x ** (y - 1), out * np.log(x)])


@right("local_derivatives")
def by_a_complex_step(operation, inputs, out):
    """The slope of each operation itself, by a step into the complex plane."""
    functions = {
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y,
        "exp": np.exp,
        "log": np.log,
        "sin": np.sin,
        "power": lambda x, y: np.exp(y * np.log(x)),
    }
    slopes = []
    for place in range(len(inputs)):
        moved = [complex(x, 1e-30 * (n == place)) for n, x in enumerate(inputs)]
        slopes.append(functions[operation](*moved).imag / 1e-30)
    return slopes


def but(**rules):
    """The right table, but for some operations."""

    def local_derivatives(operation, inputs, out):
        if operation in rules:
            return rules[operation](*inputs, out)
        return matched(operation, inputs, out)

    return local_derivatives


@wrong("local_derivatives")
def multiply_by_way_of_the_output(operation, inputs, out):
    if operation == "multiply":
        x, y = inputs
        return [out / x, out / y]
    return matched(operation, inputs, out)


@wrong("local_derivatives")
def sine_by_pythagoras(operation, inputs, out):
    return but(sin=lambda x, out: [math.sqrt(1 - out**2)])(operation, inputs, out)


@wrong("local_derivatives")
def negative_logarithm(operation, inputs, out):
    return but(log=lambda x, out: [-1 / x])(operation, inputs, out)


@wrong("local_derivatives")
def logarithm_of_ten(operation, inputs, out):
    return but(log=lambda x, out: [1 / (x * math.log(10))])(operation, inputs, out)


@wrong("local_derivatives")
def sine_itself(operation, inputs, out):
    return but(sin=lambda x, out: [out])(operation, inputs, out)


@wrong("local_derivatives")
def exponential_times_input(operation, inputs, out):
    return but(exp=lambda x, out: [x * out])(operation, inputs, out)


@wrong("local_derivatives")
def size_of_the_inputs(operation, inputs, out):
    return but(multiply=lambda x, y, out: [abs(y), abs(x)])(operation, inputs, out)


@wrong("local_derivatives")
def quotient_by_the_size_of_the_denominator(operation, inputs, out):
    return but(divide=lambda x, y, out: [1 / abs(y), -x / y**2])(operation, inputs, out)


@wrong("local_derivatives")
def quotient_without_the_square(operation, inputs, out):
    return but(divide=lambda x, y, out: [1 / y, -x / y])(operation, inputs, out)


@wrong("local_derivatives")
def quotient_swapped(operation, inputs, out):
    return but(divide=lambda x, y, out: [-x / y**2, 1 / y])(operation, inputs, out)


@wrong("local_derivatives")
def power_swapped(operation, inputs, out):
    return but(power=lambda x, y, out: [out * math.log(x), y * out / x])(operation, inputs, out)


@wrong("local_derivatives")
def power_with_a_whole_exponent(operation, inputs, out):
    def rule(x, y, out):
        return [y * x ** int(y - 1), out * math.log(x)]

    return but(power=rule)(operation, inputs, out)


@wrong("local_derivatives")
def logarithm_of_the_size(operation, inputs, out):
    def rule(x, y, out):
        return [y * out / x, out * abs(math.log(x))]

    return but(power=rule)(operation, inputs, out)


@wrong("local_derivatives")
def sum_of_three_numbers(operation, inputs, out):
    return but(add=lambda x, y, out: [1, 1, 1])(operation, inputs, out)


@wrong("local_derivatives", says="Your function returns None")
def forgets_power(operation, inputs, out):
    if operation != "power":
        return matched(operation, inputs, out)


@wrong("local_derivatives", says="`Node.backward`")
def lets_the_engine_do_it(operation, inputs, out):
    nodes = [mg.variable(x) for x in inputs]
    getattr(mg, operation)(*nodes).backward()
    return [float(node.grad) for node in nodes]


@wrong("local_derivatives", says="`mg.grad`")
def asks_for_gradients(operation, inputs, out):
    nodes = [mg.variable(x) for x in inputs]
    return [float(g.value) for g in mg.grad(getattr(mg, operation)(*nodes), nodes)]


@wrong("local_derivatives")
def measures(operation, inputs, out):
    """Forward differences, which are not as close as a formula."""
    slopes = []
    for place in range(len(inputs)):
        moved = [x + 1e-6 * (n == place) for n, x in enumerate(inputs)]
        slopes.append((float(getattr(np, operation)(*moved)) - out) / 1e-6)
    return slopes


@wrong("local_derivatives", hint="sign of the quotient")
def quotient_grows(operation, inputs, out):
    return but(divide=lambda x, y, out: [1 / y, out / y])(operation, inputs, out)


# --- choose_step ----------------------------------------------------------------------------------

EPSILON = sys.float_info.epsilon


@right("choose_step")
def share_of_size_and_one(x):
    return 1e-5 * (1 + abs(x))


@right("choose_step")
def in_two_cases(x):
    if -1 < x < 1:
        return 6e-6
    return 6e-6 * x


@right("choose_step")
def with_numpys_root(x):
    return np.cbrt(np.finfo(float).eps) * np.hypot(1, x)


@right("choose_step")
def by_the_distance_of_numbers(x):
    return math.ulp(max(abs(x), 1.0)) ** (1 / 3) * max(abs(x), 1.0) ** (2 / 3)


@right("choose_step")
def as_large_as_truncation_allows(x):
    return 3.1e-5 * max(1, abs(x))


@right("choose_step")
def as_small_as_rounding_allows(x):
    return 1.8e-7 * max(1, abs(x))


@wrong("choose_step")
def a_little_larger_than_truncation_allows(x):
    return 3.2e-5 * max(1, abs(x))


@wrong("choose_step")
def a_little_smaller_than_rounding_allows(x):
    return 1.6e-7 * max(1, abs(x))


@wrong("choose_step")
def grows_like_the_root(x):
    return 1e-5 * max(1, math.sqrt(abs(x)))


@wrong("choose_step")
def grows_like_the_square(x):
    return 1e-5 * max(1, x * x)


@wrong("choose_step")
def grows_on_the_right_only(x):
    return 1e-5 * max(1, x)


@wrong("choose_step")
def zero_at_minus_one(x):
    return 1e-5 * (x + 1)


@wrong("choose_step")
def grows_beyond_a_hundred(x):
    return 1e-5 if abs(x) <= 100 else 1e-5 * abs(x)


@wrong("choose_step")
def grows_beyond_a_million(x):
    return 1e-5 * abs(x) if abs(x) > 1e6 else 1e-5


@wrong("choose_step", hint="too large")
def the_fourth_root(x):
    return EPSILON ** (1 / 4) * max(1, abs(x))


@wrong("choose_step")
def shrinks_far_away(x):
    return 1e-5 / max(1, abs(x))


@wrong("choose_step", says="that is no step")
def without_an_end(x):
    return math.inf if x > 1e9 else 1e-5 * max(1, abs(x))


@wrong("choose_step", says="It should be a step, which is a number")
def two_steps(x):
    return 1e-5, 1e-5 * abs(x)


@wrong("choose_step", hint="the smaller the better")
def as_small_as_can_be(x):
    return sys.float_info.min


@wrong("choose_step", hint="the same step everywhere")
def always_the_cube_root(x):
    return 2.2e-16 ** (1 / 3)


@wrong("choose_step", hint="a fraction of x")
def nothing_at_zero(x):
    return abs(x) * 5e-6


@wrong("choose_step", hint="too large")
def a_tenth(x):
    return 0.1


@wrong("choose_step", hint="the step of the forward difference")
def the_square_root(x):
    return 2.2e-16**0.5 * (1 + abs(x))


# --- predict_kink ---------------------------------------------------------------------------------

KINK = {"forward": 1, "backward": -0.6, "central": 0.2, "derivative": 1}

right(
    "predict_kink",
    KINK,
    {"forward": (0.12 - 0.02) / 0.1, "backward": -3 / 5, "central": 1 / 5, "derivative": 1.0},
    {"derivative": 1, "central": (1 - 0.6) / 2, "backward": (0.02 - 0.08) / 0.1, "forward": 1},
    {name: np.float64(value) for name, value in KINK.items()},
)
wrong(
    "predict_kink",
    KINK | {"backward": -1},
    KINK | {"backward": 0},
    KINK | {"central": 0},
    KINK | {"central": 0.8},
    KINK | {"central": -0.2},
    KINK | {"derivative": -1},
    KINK | {"forward": 1.2},
    KINK | {"forward": 0.1},
    KINK | {"derivative": float("nan")},
    {"forward": -1, "backward": 0.6, "central": -0.2, "derivative": -1},
)
wrong("predict_kink", KINK | {"derivative": "none"}, says="there is a text")
wrong("predict_kink", KINK | {"derivative": None}, says="there is None")
wrong("predict_kink", KINK | {"central": (0.12 - 0.08) / 0.1}, hint="divided by h")
wrong("predict_kink", KINK | {"backward": 0.6}, hint="backward difference swapped")
