"""Operations, lists and tables in plain text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

INFIX = {"+", "−", "×", "÷", "^", "@", ">", "<", "≥", "≤", "="}


def applied(symbol: str, operation: str, inputs: Sequence[str]) -> str:
    """Write an operation on its inputs: "a + b", "−a", "exp(x)", "hypot(a, b)"."""
    if symbol in INFIX and len(inputs) == 2:
        return f"{inputs[0]} {symbol} {inputs[1]}"
    if operation == "negative" and len(inputs) == 1:
        return f"−{inputs[0]}"
    return f"{operation}({', '.join(inputs)})"


def counted(n: int, what: str) -> str:
    """So many of something, in the singular or the plural."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def joined(items: Sequence[str]) -> str:
    """Write a list as one reads it: "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def aligned(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    most: int | None = None,
    ruled: bool = True,
) -> str:
    """Write rows below their titles, each column as wide as it needs to be.

    Args:
        titles: of the columns.
        rows: their cells.
        numbers: the columns that are flush on the right.
        most: how many rows are written; of more, how many are left out.
        ruled: whether there is a line below the titles.
    """
    shown = [titles, *rows[:most]]
    widths = [max(map(len, column)) for column in zip(*shown)]
    lines = [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in shown
    ]
    if ruled:
        lines.insert(1, "  ".join("─" * width for width in widths))
    if len(rows) > len(shown) - 1:
        lines.append(f"… and {len(rows) - len(shown) + 1:,} more")
    return "\n".join(lines)
