"""Formulas in TeX as MathML, which every browser shows by itself.

This knows the part of TeX that the lessons are written in, and a little more. A formula with
something else in it is refused as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

from ..errors import MinigraphError

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.S)
_SIGNS = {
    "cdot": "⋅", "times": "×", "div": "÷", "pm": "±", "ast": "∗", "circ": "∘", "odot": "⊙",
    "oplus": "⊕", "otimes": "⊗", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "ll": "≪", "gg": "≫", "approx": "≈", "equiv": "≡", "sim": "∼", "propto": "∝",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "mapsto": "↦",
    "Rightarrow": "⇒", "iff": "⇔", "in": "∈", "notin": "∉", "subset": "⊂", "cup": "∪", "cap": "∩",
    "mid": "∣", "dots": "…", "ldots": "…", "cdots": "⋯", "vdots": "⋮", "top": "⊤", "colon": ":",
    "{": "{", "}": "}", "|": "‖", "%": "%", "#": "#", "&": "&", "_": "_", "$": "$",
    "lbrace": "{", "rbrace": "}", "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖",
    "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
}  # fmt: skip
_LETTERS = {
    "partial": "∂", "nabla": "∇", "infty": "∞", "ell": "ℓ", "varepsilon": "ε", "epsilon": "ϵ",
    "varphi": "φ", "phi": "ϕ", "lambda": "λ", "emptyset": "∅", "forall": "∀", "exists": "∃",
}  # fmt: skip
_SUMS = {"sum": "∑", "prod": "∏", "bigcup": "⋃", "bigcap": "⋂", "int": "∫"}
_LIMITS = {"lim", "max", "min", "sup", "inf", "argmax", "argmin"}
_NAMES = {"sin", "cos", "tan", "tanh", "cosh", "sinh", "exp", "ln", "log", "det", "dim", "deg"}
_SPACES = {
    ",": 0.17, ":": 0.22, ";": 0.28, "!": -0.17, " ": 0.25, "quad": 1, "qquad": 2,
}  # fmt: skip
_ACCENTS = {
    "bar": "¯", "overline": "¯", "hat": "^", "tilde": "~", "dot": "˙", "ddot": "¨", "vec": "→",
}  # fmt: skip
_FONTS = {
    "mathrm": "normal", "mathsf": "normal", "operatorname": "normal", "mathbf": "bold",
    "boldsymbol": "bold", "mathbb": "double-struck", "mathcal": "script",
}  # fmt: skip
_STYLES = {"bold": "font-weight:bold", "script": "font-family:cursive"}
_TEXTS = {"text", "textbf", "textit", "mbox"}
_TABLES = {
    "aligned": "", "matrix": "", "pmatrix": "()", "bmatrix": "[]", "vmatrix": "||", "cases": "{",
}  # fmt: skip


class FormulaError(MinigraphError, ValueError):
    """TeX that is not among what can be written as MathML."""


def mathml(tex: str, *, is_display: bool = False) -> str:
    r"""Write a formula, the TeX between the dollars, as a `math` element on one line.

    Raises:
        FormulaError: naming what is not known, or not closed.
    """
    reader = _Reader(tex)
    inside = reader.row(ends=(None,))
    display = ' display="block"' if is_display else ""
    return f'<math{display} alttext="{escape(" ".join(tex.split()))}">{inside}</math>'


class _Reader:
    """Goes through the tokens of a formula, and gives what it has read as elements."""

    def __init__(self, tex: str) -> None:
        self.tokens = _TOKEN.findall(tex)
        self.at = 0

    def row(self, ends: tuple[str | None, ...]) -> str:
        """Elements up to one of these tokens, which is left to be read; None is the end."""
        elements = []
        while (token := self.peek()) not in ends:
            if token is None:
                raise FormulaError(f"the formula ends before {' or '.join(map(str, ends))}")
            elements.append(self.scripted())
        return f"<mrow>{''.join(elements)}</mrow>"

    def peek(self) -> str | None:
        """The next token that is no space; None at the end."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        """Go past the next token that is no space."""
        token = self.peek()
        if token is None:
            raise FormulaError("the formula ends too early")
        self.at += 1
        return token

    def expect(self, wanted: str) -> None:
        """Go past this token, or refuse the formula."""
        if (token := self.take()) != wanted:
            raise FormulaError(f"{wanted} is expected where {token} stands")

    def scripted(self) -> str:
        """An element with what stands below and above it."""
        has_limits = (self.peek() or "")[1:] in _SUMS.keys() | _LIMITS
        base = self.element()
        below = above = ""
        while (mark := self.peek()) in ("_", "^", "'"):
            if mark == "_" and not below:
                self.take()
                below = self.element()
            elif not above:
                above = self.primes() if mark == "'" else ""
                if self.peek() == "^":
                    self.take()
                    above = f"<mrow>{above}{self.element()}</mrow>"
            else:
                raise FormulaError(f"two {mark} stand at one place")
        if not below and not above:
            return base
        places = ("under", "over") if has_limits else ("sub", "sup")
        name = "m" + "".join(place for place, part in zip(places, (below, above)) if part)
        return _in(name, base + below + above)

    def primes(self) -> str:
        """As many primes as stand here."""
        count = 0
        while self.peek() == "'":
            self.take()
            count += 1
        return _leaf("mo", "′" * count)

    def element(self) -> str:
        """One letter, number, sign, group or command with all that belongs to it."""
        token = self.take()
        if token == "{":
            inside = self.row(ends=("}",))
            self.expect("}")
            return inside
        if token[0] == "\\":
            return self.command(token[1:])
        if token[0].isdigit():
            return _leaf("mn", token)
        if token.isalpha():
            return _leaf("mi", token)
        if token in "_^}&~$":
            raise FormulaError(f"{token} has nothing to stand at")
        return _sign(
            {"-": "−", "*": "∗", "'": "′"}.get(token, token), stretchy=token not in "()[]|"
        )

    def command(self, name: str) -> str:
        """What a command stands for, with its arguments."""
        if name in _SIGNS:
            return _sign(_SIGNS[name], stretchy=name.isalpha())
        if name in _LETTERS:
            return _leaf("mi", _LETTERS[name])
        if name in _SUMS:
            return f'<mo movablelimits="true">{_SUMS[name]}</mo>'
        if name in _LIMITS | _NAMES:
            return _leaf("mi" if name in _NAMES else "mo", name)
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}em"></mspace>'
        if name in _ACCENTS:
            return f'<mover accent="true">{self.element()}<mo>{_ACCENTS[name]}</mo></mover>'
        if name in _FONTS:
            return self.in_font(_FONTS[name])
        if name in _TEXTS:
            return _leaf("mtext", self.words())
        if name in ("frac", "dfrac", "tfrac"):
            return _in("mfrac", self.element() + self.element())
        if name == "sqrt":
            return self.root()
        if name == "left":
            return self.fenced()
        if name == "begin":
            return self.table()
        return _leaf("mi", _greek(name))

    def in_font(self, font: str) -> str:
        """The letters of a group in another font."""
        letters = self.words()
        if font == "double-struck":
            names = [f"DOUBLE-STRUCK CAPITAL {letter}" for letter in letters]
            return _leaf("mi", "".join(map(_character, names)))
        style = f' style="{_STYLES[font]}"' if font in _STYLES else ""
        return f'<mi mathvariant="normal"{style}>{_text(letters)}</mi>'

    def words(self) -> str:
        """The text of a group with its spaces, or the one letter that stands for it."""
        if self.peek() != "{":
            return self.take()
        self.expect("{")
        begin = self.at
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            if self.tokens[self.at] in ("{", "\\", "$"):
                raise FormulaError("a text holds letters alone")
            self.at += 1
        text = "".join(self.tokens[begin : self.at])
        self.expect("}")
        return re.sub(r"^\s|\s$", "\N{NO-BREAK SPACE}", text)

    def root(self) -> str:
        """A square root, or another one."""
        if self.peek() != "[":
            return _in("msqrt", self.element())
        self.take()
        degree = self.row(ends=("]",))
        self.expect("]")
        return _in("mroot", self.element() + degree)

    def fenced(self) -> str:
        r"""What stands between \left and \right, with both signs as high as it is."""
        before = self.fence()
        inside = self.row(ends=(r"\right",))
        self.expect(r"\right")
        return _in("mrow", before + inside + self.fence())

    def fence(self) -> str:
        """A sign that grows; a dot is none."""
        token = self.take()
        sign = _SIGNS.get(token[1:], "") if token[0] == "\\" else token
        if not sign:
            raise FormulaError(f"{token} is no bracket")
        return "" if sign == "." else f'<mo stretchy="true">{_text(sign)}</mo>'

    def table(self) -> str:
        """Rows and columns of formulas."""
        kind = self.words()
        if kind not in _TABLES:
            raise FormulaError(f"{kind} is no table that is known")
        rows: list[str] = []
        cells: list[str] = []
        ends = ("&", r"\\", r"\end")
        while True:
            side = ("right", "left")[len(cells) % 2] if kind == "aligned" else "center"
            cells.append(f'<mtd style="text-align:{side}">{self.row(ends)}</mtd>')
            end = self.take()
            if end == "&":
                continue
            rows.append(_in("mtr", "".join(cells)))
            cells = []
            if end == r"\end":
                break
        if self.words() != kind:
            raise FormulaError(f"{kind} is not closed")
        style = ' displaystyle="true"' if kind == "aligned" else ""
        table = f"<mtable{style}>{''.join(rows)}</mtable>"
        signs = [f'<mo stretchy="true">{sign}</mo>' for sign in _TABLES[kind]]
        return _in("mrow", "".join([*signs[:1], table, *signs[1:]]))


def _greek(name: str) -> str:
    """A Greek letter, by the name that TeX and Unicode have for it."""
    return _character(f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER {name.upper()}")


def _character(name: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        raise FormulaError(f"there is no {name.lower()}") from None


def _sign(sign: str, *, stretchy: bool) -> str:
    return _leaf("mo", sign) if stretchy else f'<mo stretchy="false">{_text(sign)}</mo>'


def _in(name: str, elements: str) -> str:
    return f"<{name}>{elements}</{name}>"


def _leaf(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>"


def _text(text: str) -> str:
    """Text that neither HTML nor Markdown takes for a mark of its own."""
    return re.sub(r"[^\w\s]|_", lambda sign: f"&#{ord(sign[0])};", text)
