"""What a live graph needs in a page: its ES module and its style, each one text without a build.

Its scripts are ES modules that import from each other, as `import { make } from "./stage.js";`. A
page takes one module, so they are joined: what is imported stands above, without `export`.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ..drawing import theme

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{([^{}]*)\} from "\./(\w+)\.js";\n+', re.M)
_EXPORT = re.compile(r"^export (?=(?:class|const|function) (\w+))", re.M)


@cache
def module(name: str) -> str:
    """A script and all that it imports, as one ES module that exports what the script does.

    Raises:
        ImportError: for an import or an export of another form, one in a circle, and one of what
            is not exported.
    """
    *needed, (_, last) = scripts(name).items()
    return "\n".join([*(_plain(*script) for script in needed), last])


def scripts(name: str, users: tuple[str, ...] = ()) -> dict[str, str]:
    """A script and all that it imports by their names, each above its users, without imports."""
    if name in users:
        raise ImportError(f"scripts import each other: {', '.join([*users, name])}")
    text = read(f"{name}.js")
    above: dict[str, str] = {}
    for names, source in _IMPORT.findall(text):
        above |= scripts(source, (*users, name))
        wanted = {word.strip() for word in names.split(",")} - {""}
        if missing := wanted - {*_EXPORT.findall(above[source])}:
            raise ImportError(f"{source}.js does not export {missing}, which {name}.js imports")
    alone = _IMPORT.sub("", text)
    if other := re.search("^import.*", alone, re.M):
        raise ImportError(f"{name}.js may import {{ names }} from its own folder, not: {other[0]}")
    return above | {name: alone}


def _plain(name: str, text: str) -> str:
    """A script without its exports, for those who stand below it."""
    alone = _EXPORT.sub("", text)
    if other := re.search("^export.*", alone, re.M):
        raise ImportError(f"{name}.js may export a class, const or function, not: {other[0]}")
    return alone


@cache
def style(name: str) -> str:
    """The colours, the card and the drawing that all widgets share, and a widget's own part."""
    return "\n".join(
        [palette(), *(read(f"{part}.css") for part in ("card", "stage", "kernel", name))]
    )


def read(name: str) -> str:
    """The text of one file."""
    return (_HERE / name).read_text(encoding="utf-8")


def palette() -> str:
    """The colours of drawings as CSS, for the page and for the SVG in it."""
    light, dark = asdict(theme.LIGHT), asdict(theme.DARK)
    variables = "".join(f"--mg-{role}:light-dark({light[role]},{dark[role]});" for role in light)
    paints = "".join(
        f".minigraph-live .mg-f-{role}{{fill:var(--mg-{role})}}"
        f".minigraph-live .mg-s-{role}{{stroke:var(--mg-{role})}}"
        for role in light
    )
    return f".minigraph-live{{{variables}}}{paints}"
