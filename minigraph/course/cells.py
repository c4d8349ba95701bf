"""Notice that a cell did not run to its end, so that an older answer is checked than it holds."""

from __future__ import annotations

import ast
import re
import sys
from inspect import unwrap
from types import FunctionType
from typing import Any


def older_than_its_cell(name: str, answer: Any) -> str:
    """Say so if the last cell that defines an answer did not; "" if it did, or outside IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return ""
    cells = shell.user_ns.get("In", [])
    if isinstance(answer, FunctionType):
        answer = unwrap(answer)
        name = name if answer.__name__ == "<lambda>" else answer.__name__
    definition = re.compile(rf"^(async +)?def +{name}\b|^{name} *(:.*)?=(?!=)", re.MULTILINE)
    # Where Python does not understand a cell, the definition itself may be what is misspelt.
    attempt = re.compile(rf"^(\w+ +)?{name}\b", re.MULTILINE)
    numbers = [
        n
        for n, cell in enumerate(cells)
        if definition.search(cell) or (attempt.search(cell) and _fault_in(cell))
    ]
    if not numbers:
        return ""
    last = numbers[-1]
    old = f"What is checked here is the older {name}: mend the cell, and run it again."
    if error := _fault_in(cells[last]):
        return (
            f"The last cell that defines {name}, In [{last}], did not run: Python does not "
            f"understand its line {error.lineno} ({error.msg}). {old}"
        )
    if isinstance(answer, FunctionType) and re.search(
        rf"^def +{name}\b", cells[last], re.MULTILINE
    ):
        made_by = shell.compile.format_code_name(answer.__code__.co_filename)
        if made_by and made_by[1] in {f"In[{n}]" for n in numbers[:-1]}:
            return (
                f"The last cell that defines {name}, In [{last}], ended with an error before it "
                f"came to the definition. {old}"
            )
    return ""


def _fault_in(cell: str) -> SyntaxError | None:
    """Why Python does not understand a cell; None if it does."""
    try:
        compile(cell, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return error
    return None
