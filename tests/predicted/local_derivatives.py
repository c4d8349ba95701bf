"""Lesson 03: derivatives as school has them, and steps in exact fractions of what floats hold."""

from fractions import Fraction

a, b, c, nudge = Fraction(3), Fraction(2), Fraction(16), Fraction(1, 10)
# What a nudge does to a · b + c / b, worked out by hand.
CHANGES = {"a": nudge * b, "b": nudge * a - c * nudge / (b * (b + nudge)), "c": nudge / b}


def miss(step):
    """The error of a central difference of 1/x at 3, of values that are rounded to floats."""
    high, low = Fraction(1 / (3 + step)), Fraction(1 / (3 - step))
    return abs((high - low) / (2 * Fraction(step)) + Fraction(1, 9))


STEPS = {"0.1": 0.1, "10⁻⁵": 1e-5, "10⁻¹⁰": 1e-10, "10⁻¹⁵": 1e-15}
TRUTHS = {
    "three_nudges": {
        "most": max(CHANGES, key=lambda name: abs(CHANGES[name])),
        "down": "".join(name for name in CHANGES if CHANGES[name] < 0),
    },
    "one_product": {"p": 4, "q": 7},
    "slope_of_a_product": {"slope": 5 * 2**4},
    "best_step": {"step": min(STEPS, key=lambda name: miss(STEPS[name]))},
}
