"""What one writes on paper and a typed expression is not: 2a, sin² a, |a|, √a, 1,5.

Where Python does not understand an expression, `instead` says what to write.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable, Collection
from difflib import get_close_matches
from inspect import signature

from ..core.operation import FUNCTIONS

# Names from books and pocket calculators, and those that they have here.
OTHER_NAMES = {"abs": "absolute", "acos": "arccos", "acosh": "arccosh", "arcosh": "arccosh",
               "arctg": "arctan", "arsinh": "arcsinh", "artanh": "arctanh", "asin": "arcsin",
               "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh",
               "ceiling": "ceil", "fabs": "absolute", "lb": "log2", "ld": "log2", "lg": "log10",
               "ln": "log", "logistic": "sigmoid", "mod": "remainder", "pow": "power",
               "round": "rint", "sgn": "sign", "sigma": "sigmoid", "sqr": "square",
               "tg": "tan"}  # fmt: skip

# Functions that are written with others.
WRITTEN = {"cbrt": "{} ** (1 / 3)", "cosec": "1 / sin({})", "cot": "1 / tan({})",
           "cotan": "1 / tan({})", "coth": "1 / tanh({})", "csc": "1 / sin({})",
           "csch": "1 / sinh({})", "ctg": "1 / tan({})", "cube": "{} ** 3",
           "root": "sqrt({})", "sec": "1 / cos({})", "sech": "1 / cosh({})"}  # fmt: skip

# What takes an array, and what a beginner means who gives it two numbers.
OF_TWO = {"max": "maximum({}, {})", "mean": "({} + {}) / 2", "min": "minimum({}, {})",
          "sum": "{} + {}"}  # fmt: skip
CLOSE = 0.7  # how much alike a name and the one that is meant are at least

MOST = 1000  # characters in which it is looked for what to write instead

_NAME, _NUMBER = r"[^\W\d]\w*", r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_THING = rf"(?:{_NAME}|{_NUMBER}|\([^()]*\))"
_HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣ"
_SIGN = r"\*\*|//|[-+*/@]"
_Match = re.Match[str]


def instead(source: str) -> tuple[str, int] | None:
    """What to write in place of an expression that Python does not understand, and where."""
    if len(source) > MOST:
        return None
    matches = [(rule.search(source), say) for rule, say in _RULES]
    told = ((match, say(match)) for match, say in matches if match)
    return next(((text, match.start("at")) for match, text in told if text), _bracket(source))


def not_allowed(tree: ast.expr) -> str:
    """What to say of something that Python understands and an expression may not hold."""
    match tree:
        case ast.Call(function, arguments):
            first = ast.unparse(function)
            first = f"({first})" if isinstance(function, ast.BinOp | ast.UnaryOp) else first
            return _product(first, f"({', '.join(map(ast.unparse, arguments))})")
        case ast.Tuple([]):
            return "there is nothing between these parentheses"
        case ast.Tuple(members):
            text = "a comma is not allowed in an expression, but between the inputs of a function"
            is_decimal = all(isinstance(one, ast.Constant) for one in members)
            return text + "; a decimal has a point, as in 1.5" * is_decimal
        case ast.UnaryOp(ast.Invert() | ast.Not() as op, x):
            sign = "~" if isinstance(op, ast.Invert) else "not"
            return _logical(sign, "not", ast.unparse(x))
        case ast.BinOp(first, ast.BitAnd(), second):
            return _logical("&", "and", ast.unparse(first), ast.unparse(second))
        case ast.BoolOp(op, [first, second]):
            word = "and" if isinstance(op, ast.And) else "or"
            return _logical("and/or", word, ast.unparse(first), ast.unparse(second))
        case ast.Compare(first, [op], [second]) if type(op) in _COMPARED:
            call = f"{_COMPARED[type(op)]}({ast.unparse(first)}, {ast.unparse(second)})"
            return f"a comparison is not allowed in an expression; write {call}"
        case ast.BinOp(_, op) if type(op) in _SIGNS:
            return f"{_SIGNS[type(op)]}, is not allowed in an expression"
    return f"{_WHAT.get(type(tree), 'this')} is not allowed in an expression"


def power_of_function(name: str, power: ast.Call) -> str:
    """What to say of sin^2(a), which Python takes for sin ^ (2(a))."""
    exponent, inside = ast.unparse(power.func), ", ".join(map(ast.unparse, power.args))
    return f"a power of {name} is written {name}({inside}) ** {exponent}"


def wrong_inputs(name: str, call: ast.Call) -> str:
    """What to say of a function of numbers that has more inputs or fewer; "" if it has as many."""
    if len(call.args) == 2 and (told := _of_two(name, *call.args)):
        return told
    parameters = signature(FUNCTIONS[name]).parameters
    has_settings = any(x.kind != x.POSITIONAL_ONLY for x in parameters.values())
    if has_settings or len(parameters) == len(call.args):
        return ""
    has = f"{len(parameters)} input{'s' * (len(parameters) != 1)}"
    return f"{name} has {has}, and here are {len(call.args)}; write {name}({', '.join(parameters)})"


def _of_two(name: str, first: ast.expr, second: ast.expr) -> str:
    """What to say of a function of one array or number that is taken of two."""
    a, b = ast.unparse(first), ast.unparse(second)
    if name == "log":
        return f"a logarithm to another base is written log({a}) / log({b})"
    may_be_axis = isinstance(second, ast.Constant) and name in ("mean", "sum")
    if may_be_axis or name not in OF_TWO:
        return ""
    return f"{name} is taken of one array; of two numbers write {OF_TWO[name].format(a, b)}"


def no_value(name: str, known: Collection[str]) -> str:
    """What to say of a name that stands for nothing, among others that do."""
    if name in FUNCTIONS:
        return f"{name} is a function; write what it is taken of in parentheses, as in {name}(a)"
    told = f"{name} has no value; give it one: parse(..., {name}=2.0)"
    told += "; a power of the number e is written exp(a)" if name == "e" else ""
    return one_name(name, known) or told


def one_name(name: str, known: Collection[str]) -> str:
    """What to say of a name that looks like a product of others; "" if it does not."""
    if len(name) == 1 or any(letter not in known for letter in name):
        return ""
    return f"{name} is one name; to multiply, write {' * '.join(name)}"


def no_function(name: str, call: ast.Call, known: Collection[str]) -> str:
    """What to say of a name with parentheses behind it that is none of a function."""
    inside = _short(", ".join(map(ast.unparse, call.args)))
    if name in WRITTEN and len(call.args) == 1:
        return f"there is no function {name}; write {_written(name, inside)}"
    small = OTHER_NAMES.get(name.lower(), name.lower())
    near = [small] if small in FUNCTIONS else get_close_matches(small, FUNCTIONS, 1, CLOSE)
    hint = f"did you mean {near[0]}?" if near else "known are sin, exp and so on"
    if name in known or len(name) == 1:
        inside = inside or "..."
        hint = f"to multiply, write {name} * ({inside})"
    return f"there is no function {name}; {hint}"


_WHAT: dict[type, str] = {
    ast.Attribute: "a dot",
    ast.Compare: "a comparison",
    ast.BoolOp: "and/or",
    ast.IfExp: "if/else",
    ast.Subscript: "an index",
    ast.Lambda: "a function definition",
    ast.List: "a list (to group, write parentheses)",
    ast.Set: "a set (to group, write parentheses)",
    ast.Constant: "a text or other value that is not a number",
}
_SIGNS: dict[type, str] = {
    ast.FloorDiv: "//, which is floor(a / b) here",
    ast.Mod: "%, which is remainder(a, b) here",
    ast.BitOr: "|, with absolute(a) for |a|",
}


_COMPARED: dict[type, str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}


def _logical(sign: str, word: str, *inputs: str) -> str:
    """Say which function stands for a sign of logic."""
    call = f"logical_{word}({', '.join(map(_short, inputs))})"
    return f"{sign} is not allowed in an expression; write {call}"


def _written(name: str, inside: str) -> str:
    """A function that is written with others, of what is inside."""
    form = WRITTEN[name]
    is_power = form.startswith("{}")
    return form.format(_in_parentheses(inside) if is_power and not inside.isalnum() else inside)


def _product(first: str, second: str) -> str:
    """Say that a sign is missing between two things."""
    first, second = _short(first), _short(second)
    missing = f"between {first} and {second} a sign is missing"
    return f"{missing}; to multiply, write {first} * {second}"


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _in_parentheses(inside: str) -> str:
    return inside if inside.startswith("(") else f"({inside})"


def _root(match: _Match) -> str:
    inside, power = match["inside"], {"√": "", "∛": "3", "∜": "4"}[match["at"]]
    inside = inside or "a"
    if not power:
        return f"a root is written sqrt{_in_parentheses(inside)}"
    return f"a root is written {inside} ** (1 / {power})"


def _power(match: _Match) -> str:
    base, inside = match["base"], match["inside"]
    exponent = unicodedata.normalize("NFKC", match["at"]).replace("−", "-")
    exponent = exponent if exponent.isalnum() else f"({exponent})"
    if base in FUNCTIONS or base in OTHER_NAMES:
        base += _in_parentheses(inside or "a")
    return f"a power is written {_short(base)} ** {exponent}"


def _bars(match: _Match) -> str:
    inside = match["inside"].strip() or "a"
    return f"what stands between two | is written absolute{_in_parentheses(_short(inside))}"


def _call(match: _Match) -> str | None:
    name, inside = match["name"], match["at"]
    if name in WRITTEN:
        return f"there is no function {name}; write {_written(name, inside)}"
    if name not in FUNCTIONS and name not in OTHER_NAMES:
        return None
    name = OTHER_NAMES.get(name, name)
    inside += "(a)" * (inside in FUNCTIONS)
    return f"a function takes its input in parentheses: write {name}{_in_parentheses(inside)}"


def _side_by_side(match: _Match) -> str | None:
    first, second = match["first"], match["at"]
    if first in _WORDS or second in _WORDS:
        return None
    if first[0].isdigit() and second[0].isdigit():
        return f"a number is written without a space: {first}{second}"
    return _product(first.rstrip("."), second)


def _character(match: _Match) -> str:
    sign = match["at"]
    plain = unicodedata.normalize("NFKC", sign)
    if sign == "'":
        return "a name is made of letters, digits and _; write a1 or a_new for a'"
    if sign == "\\":
        return "TeX is not read here; write a * b, a / b, sqrt(a)"
    if "⁄" in plain:
        return f"a fraction is written {plain.replace('⁄', ' / ')}"
    if plain != sign and plain.isascii() and plain.isprintable() and plain.strip():
        return f"write {plain} for {sign}"
    return f"the sign {sign} is not known here; {_MADE_OF}"


_MADE_OF = "an expression is made of names, numbers, + - * / ** and parentheses"
_WORDS = {*keyword.kwlist, "mod"}


def _both(word: str) -> Callable[[_Match], str]:
    """Which function stands for a sign of logic between two things."""
    return lambda m: _logical(m["at"], word, m["first"].strip(), m["second"].strip())


def _says(text: str) -> Callable[[_Match], str]:
    return lambda match: text.format(**match.groupdict())


_RULES: list[tuple[re.Pattern[str], Callable[[_Match], str | None]]] = [
    (re.compile(pattern), say)
    for pattern, say in (
        (rf"(?P<at>[√∛∜])\s*(?P<inside>{_THING})?", _root),
        (rf"(?P<base>{_THING})\s*(?P<at>[{_HIGH}]+)\s*(?P<inside>{_THING})?", _power),
        (rf"(?P<first>{_THING})\s*(?P<at>&&)\s*(?P<second>{_THING})", _both("and")),
        # with one | alone, |a||b| is a product
        (rf"^(?!.*(?<!\|)\|(?!\|)).*?(?P<first>{_THING})\s*(?P<at>\|\|)\s*(?P<second>{_THING})",
         _both("or")),
        (r"\b(?P<at>and|or)\s*\((?P<first>[^(),]+),\s*(?P<second>[^(),]+)\)",
         lambda match: _both(match["at"])(match)),
        (rf"(?<![\w)\s])\s*(?P<at>!)\s*(?P<first>{_THING})",
         lambda match: _logical("!", "not", match["first"])),
        (rf"(?P<first>{_THING})\s*(?P<at>!)(?!\s*[\w(&|])",
         _says("the sign ! is not known here; there is no factorial")),
        (r"(?<=[\w)])\s*(?P<at>~)", _says(f"~ is no sign between two things; {_MADE_OF}")),
        (r"(?P<at>\|)(?P<inside>[^|]*)\|", _bars),
        (r"(?P<at>\|)(?P<inside>)", _bars),
        (r"(?P<at>[¼-¾⅐-⅞])", _character),
        (r"(?P<at>\w*[₀-₉]\w*)", _character),
        (r"(?P<at>[^\w\s.,=()\[\]{}<>^*/@%~&+-])", _character),
        (r"(?P<at>->)", _character),
        (r"^\s*(?P<at>=)", _says("before = a name is missing, as in y = a + b")),
        (r"(?<![=<>!])(?P<at>=)(?!=)",
         _says("one name stands before =, as in y = a + b; each result has a line of its own")),
        (r"(?P<at>%)", _character),
        (rf"(?P<first>{_SIGN})(?P<at>)\s*$",
         _says("something is missing at the end, after {first}")),
        (r"^\s*(?P<at>\*\*|[*/@]|[<>]=?)", _says("before {at} a name or a number is missing")),
        (rf"(?P<first>{_SIGN})\s*(?P<at>\*\*|[*/@])",
         _says("between {first} and {at} a name or a number is missing")),
        (r"(?P<at>(?<![\w.])\d+\.\d*\.[\d.]*)", _says("a number has one point: {at} has more")),
        (rf"\b(?P<base>{'|'.join(sorted(FUNCTIONS))})\s*(?:\^|\*\*)\s*(?P<at>\d+)"
         rf"\s*(?P<inside>{_THING})", _power),
        (rf"(?<![\w.])(?P<first>{_NUMBER})\s*(?P<at>{_NAME})", _side_by_side),
        (rf"\b(?P<name>{_NAME})\s+(?P<at>{_NAME}|{_NUMBER})", _call),
        (rf"(?P<first>{_NAME}|{_NUMBER})\s+(?P<at>{_NAME}|{_NUMBER})", _side_by_side),
        (rf"(?P<first>{_NAME})\.(?P<at>\d+)", _side_by_side),
        (rf"(?P<first>(?:{_NAME})?\([^()]*\))\s*(?P<at>{_NAME}\([^()]*\)|{_THING})",
         _side_by_side),
        (rf"\b(?P<at>{'|'.join(sorted(_WORDS))})\b",
         _says(f"{{at}} is no name that can be used here; {_MADE_OF}")),
    )
]  # fmt: skip


def _bracket(source: str) -> tuple[str, int] | None:
    """The first parenthesis without another one that belongs to it."""
    waiting: list[int] = []
    for at, sign in enumerate(source):
        if sign == "(":
            waiting.append(at)
        elif sign == ")" and not waiting:
            return "this cannot be read: there is no ( before this )", at
        elif sign == ")":
            waiting.pop()
    if waiting:
        return "this cannot be read: the ( is never closed; write ) where it ends", waiting[0]
    return None
