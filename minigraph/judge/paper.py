"""What all pages of the judge are written on: one file each, without network, light and dark.

A page tells the browser to load nothing and to run no script but the one that is named here by its
digest. So even a text that was not escaped could do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..widgets import page as widgets

_HERE = Path(__file__).parent
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\([^()\n]*\)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def page(title: str, body: Iterable[str], script: str = "") -> str:
    """A whole page; `script` is the name of a file beside this one."""
    code = f"\n{_read(script)}" if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; " if script else ""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            f"{allowed}img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
            "form-action 'none'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{text(title)}</title>",
            f"<style>{_style()}</style>",
            "</head>",
            '<body class="minigraph-live">',
            "<main>",
            *body,
            "</main>",
            *([f"<script>{code}</script>"] if script else []),
            "</body>",
            "</html>\n",
        ]
    )


def text(words: object) -> str:
    """Anybody's text as HTML: what would be markup, or turn the line around, is shown instead."""
    return escape(cleaned(str(words)))


def cleaned(words: str) -> str:
    """A text without characters that cannot be seen, or cannot be written."""
    return _SURROGATE.sub("�", _UNSEEN.sub("�", words))


def name(words: str) -> str:
    """Somebody's name or the name of a file, whatever the direction in which it is written."""
    return f"<bdi>{text(words)}</bdi>"


def link(path: str, words: str) -> str:
    """A link to a file beside the page, whatever its name holds."""
    return f'<a href="{escape(quote(path, safe="/"))}">{name(words)}</a>'


def card(title: str, body: Iterable[str], key: str = "") -> Iterable[str]:
    """A card with a heading; there is none if it would be empty."""
    inside = [*body]
    if inside:
        named = f' id="{key}"' if key else ""
        yield f'<section class="mgc-card"{named}><h2>{title}</h2>'
        yield from inside
        yield "</section>"


def warning(words: str) -> Iterable[str]:
    """A warning that cannot be missed; there is none if it says nothing."""
    if words:
        yield f'<p class="warning" role="note"><strong>Careful.</strong> {text(words)}</p>'


def unlinked(prose: str) -> str:
    """Prose of the course without its links, which would lead from here to nowhere."""
    return _LINK.sub(r"\1", prose)


def many(count: int, what: str, plural: str = "") -> str:
    """ "1 student", "2 students"."""
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


@cache
def _style() -> str:
    return "\n".join([widgets.palette(), widgets.read("card.css"), _read("pages.css")])


def _read(file: str) -> str:
    return (_HERE / file).read_text(encoding="utf-8")
