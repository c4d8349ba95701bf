"""The page of algebra: what passes put in place of what, as rules that `patterns.py` reads.

c and d stand for constants, that is for one number in any shape. Capital letters stand for
matrices, or stacks of them, and other letters for anything; the same letter is the same Node. What
commutes is found in both orders. A rule whose right side has another shape or dtype than the left
one has there is not applied, and the numbers of the right side are of the dtype of the result.

`where` gives conditions, with `and` between them:

    float(x)     x holds floats; whole numbers and booleans may wrap around
    wide(x)      x holds floats of more than 16 bits
    scalar(c)    c has no axes
    one_dtype    all operations of the left side compute in the dtype of the result
    normal       what is computed of constants are floats, finite, not 0, and held with all digits
"""

from __future__ import annotations

from textwrap import dedent

# Exact, or wrong by rounding only.
ALGEBRA = {
    "drop_what_does_nothing": """
        x * 1   →  x
        x / 1   →  x
        x ** 1  →  x
        x - 0   →  x        # but not x - -0, which is 0 where x is -0
        --x     →  x
        matrix_transpose(matrix_transpose(x))  →  x
    """,
    "merge_shapes": """
        matrix_transpose(A @ B)  →  matrix_transpose(B) @ matrix_transpose(A)
    """,
    "simplify_signs": """
        x + -y  →  x - y    where float(x, y)
        x - -y  →  x + y    where float(x, y)
        -x * c  →  x * -c   where float(x, c)
        -x / c  →  x / -c   where float(x, c)
    """,
    "reduce_strength": """
        x ** 2   →  x * x        where float(x)
        x ** 3   →  x * x * x    where float(x)
        x ** -1  →  1 / x
        x / c    →  x * (1 / c)  where float(c) and normal
        sigmoid(x)  →  exp(minimum(x, 0)) / (exp(-absolute(x)) + 1)  where wide(x)
    """,
    "gather_factors": """
        x * c * d  →  x * (c * d)  where scalar(c, d) and one_dtype and normal
    """,
}

# Wrong for some numbers.
UNSAFE_ALGEBRA = {
    "zero_products": """
        x * 0   →  0        # NaN and infinity
        x * -0  →  0
    """,
    "cancel": """
        x - x  →  0         # NaN and infinity
        x / x  →  1         # and 0
    """,
    "add_zero": """
        x + 0   →  x        # -0, whose sign gets lost in the sum
        x + -0  →  x
    """,
}

for page in (ALGEBRA, UNSAFE_ALGEBRA):
    page |= {name: dedent(rules).strip() for name, rules in page.items()}
