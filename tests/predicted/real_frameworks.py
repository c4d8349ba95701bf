"""Lesson 15: what JAX and PyTorch document, and the digits of a float by counting bits."""

import struct
from math import log10

BITS = struct.calcsize("f") * 8 - 1 - 8 + 1  # without sign and exponent, with the leading 1

TRUTHS = {
    "lines_of_a_trace": {"lines": len({("float64", ()) for _ in (1.0, 2.0, 3.0)})},  # of one kind
    "branch_of_a_trace": {"outcome": "an error"},  # in JAX a TracerBoolConversionError
    "digits_of_a_float": {"digits": str(round(BITS * log10(2)))},
}
