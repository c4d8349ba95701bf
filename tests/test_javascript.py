"""The scripts of the live graphs: plain modules that import from each other, joined for a page."""

import re
from collections import Counter

import pytest

from minigraph.widgets import page

ENTRIES = ("access", "explore", "player")  # what a widget takes
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:class|const|function\*?|let|var) (\S+?)\b", re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with scripts of our own, which the joiner reads."""
    monkeypatch.setattr(page, "_HERE", tmp_path)
    page.module.cache_clear()

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")

    yield write
    page.module.cache_clear()


def clashes(entry):
    """The names that stand twice at the top of the modules that are joined to one."""
    texts = page.scripts(entry).values()
    names = Counter(name for text in texts for name in DECLARED.findall(text))
    return [name for name, times in names.items() if times > 1]


# --- joined to one text ---------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_name_stands_twice_in_a_joined_module(entry):
    assert DECLARED.findall(page.scripts(entry)[entry])
    assert clashes(entry) == []


def test_a_name_that_stands_twice_would_be_noticed(folder):
    folder(
        user='import { draw } from "./base.js";\n\nclass Size {}\ndraw(new Size());\n',
        base="const Size = 3;\nexport function draw() {}\n",
    )
    assert clashes("user") == ["Size"]


def test_what_is_imported_stands_above_and_once(folder):
    folder(
        user='/** Why. */\n\nimport { f } from "./middle.js";\n'
        'import {\n  a,\n  b,\n} from "./base.js";\n\nf(a, b);\nexport default { f };\n',
        middle='import { a } from "./base.js";\n\nexport function f() {\n  return a;\n}\n',
        base="export const a = 1;\nexport class b {}\n",
    )
    assert page.module("user") == (
        "const a = 1;\nclass b {}\n\nfunction f() {\n  return a;\n}\n\n"
        "/** Why. */\n\nf(a, b);\nexport default { f };\n"
    )


@pytest.mark.parametrize(
    ("user", "base", "says"),
    [
        ('import { b } from "./base.js";', "export const a = 1;", "does not export"),
        ('import { a } from "./base.js";', "const a = 1;", "does not export"),
        ('import { a as b } from "./base.js";', "export const a = 1;", "does not export"),
        ('import { a } from "https://example.org/base.js";', "", "from its own folder"),
        ('import { a } from "../base.js";', "export const a = 1;", "from its own folder"),
        ('import base from "./base.js";', "export default 1;", "from its own folder"),
        ('import * as base from "./base.js";', "export const a = 1;", "from its own folder"),
        ('import "./base.js";', "export const a = 1;", "from its own folder"),
        ('import { a } from "./base.js";', "export const a = 1;\nexport default a;", "not: export"),
        ('import { a } from "./base.js";', "export const a = 1;\nexport { a };", "not: export"),
        (
            'import { a } from "./base.js";\nexport const b = 1;',
            'import { b } from "./user.js";\nexport const a = 1;',
            "user, base, user",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(folder, user, base, says):
    folder(user=f"{user}\n", base=f"{base}\n")
    with pytest.raises(ImportError, match=says):
        page.module("user")


def test_a_module_that_is_not_there_is_named(folder):
    folder(user='import { a } from "./missing.js";\n')
    with pytest.raises(FileNotFoundError, match=r"missing\.js"):
        page.module("user")
