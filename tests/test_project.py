"""What holds the project together: pinned requirements, the README's promises, who imports whom."""

import ast
import re
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigraph"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALLED_BY_DEFAULT = {"browser", "lab", "lint", "test"}
FLOORS = [  # from the bottom
    {"errors"},
    {"core"},
    {"graph"},
    {"autodiff"},
    {"reading"},
    {"compiler"},
    {"drawing"},
    {"recording"},
    {"nn", "data"},
    {"widgets"},
    {"bridges"},
    {"course"},
    {"judge"},
]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def pins():
    lines = [line for line in text("requirements.txt").splitlines() if not line.startswith("#")]
    return [line for line in lines if line != "-e ."]


def direct_requirements():
    extras = PROJECT["optional-dependencies"]
    chosen = [*PROJECT["dependencies"], *(r for e in INSTALLED_BY_DEFAULT for r in extras[e])]
    return [Requirement(line) for line in chosen]


def all_requirements():
    """The names of every package that the project needs on this machine, directly or not."""
    found, waiting = set(), direct_requirements()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            try:
                lines = requires(name) or []
            except PackageNotFoundError:
                continue
            further = map(Requirement, lines)
            waiting += [r for r in further if not r.marker or r.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def test_requirements_pin_everything_that_is_needed():
    pinned = {canonicalize_name(Requirement(line).name) for line in pins()}
    assert all_requirements() - pinned == set()


def test_requirements_are_exact_versions_and_name_no_place():
    assert [
        line for line in pins() if not re.fullmatch(r"[a-z0-9._-]+==[\w.]+( ; .+)?", line)
    ] == []
    assert "-e ." in text("requirements.txt").splitlines()
    assert "://" not in text("requirements.txt")


def test_pins_satisfy_what_the_package_asks_for():
    versions = {}
    for requirement in map(Requirement, pins()):
        versions.setdefault(canonicalize_name(requirement.name), []).append(requirement.specifier)
    for asked in direct_requirements():
        for specifier in versions[canonicalize_name(asked.name)]:
            assert asked.specifier.contains(str(specifier).removeprefix("==")), asked


def test_what_releases_exercises_is_not_installed_for_those_who_learn():
    """nbgrader would put its menus before them."""
    assert not {Requirement(line).name for line in pins()} & {"nbgrader", "notebook"}
    (asked,) = PROJECT["optional-dependencies"]["teach"]
    (pinned,) = re.findall(r"nbgrader==([\d.]+)", text(".ci/run"))
    assert Requirement(asked).specifier.contains(pinned)


def test_ci_runs_the_readmes_test_command():
    (command,) = re.findall(r"^(python3 -m pip .* -m pytest)$", text("README.md"), re.MULTILINE)
    assert re.search(rf"^{re.escape(command)}( \|\||$)", text(".ci/run"), re.MULTILINE)


def test_the_readmes_first_command_opens_a_lesson_that_exists():
    (path,) = re.findall(r"default_url=/lab/tree/(\S+)", text("README.md"))
    assert (ROOT / path).exists()


def test_the_readme_names_the_supported_versions():
    supported = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    assert f"Python {supported[0]} to {supported[-1]}" in text("README.md")


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists()


# --- the floors of the house ----------------------------------------------------------------------


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(paths):
    """For each module of the package, the modules of it that it imports, wherever in the file.

    `from . import name` is the module of that name, if there is one, and else the package; for
    checkers of types alone is an import like any other.
    """
    modules = {module_name(path): path for path in paths}
    found = {}
    for module, path in modules.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                start = ".".join(above) if node.level else ""
                source = ".".join(filter(None, [start, node.module]))
                inside = {f"{source}.{alias.name}" for alias in node.names}
                names |= {name if name in modules else source for name in inside}
        found[module] = (names & modules.keys()) - {module}
    return found


def cycles(imports):
    """Groups of modules that import each other in a circle, smallest names first."""
    reached = {}
    for module in imports:
        seen, waiting = set(), [module]
        while waiting:
            new = imports[waiting.pop()] - seen
            seen |= new
            waiting += new
        reached[module] = seen
    groups = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in imports
    }
    return sorted(sorted(group) for group in groups if group)


@cache
def package_imports():
    return imports_of(sorted(PACKAGE.rglob("*.py")))


def floor_of(module):
    """The first folder or module below the package; what opens the package is above all floors."""
    return module.split(".")[1] if "." in module else "everything"


@pytest.mark.parametrize("floor", sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py")))
def test_imports_go_down_only(floor):
    height = next(number for number, names in enumerate(FLOORS) if floor in names)
    allowed = set().union(*FLOORS[: height + 1])
    upwards = [
        f"{module} imports {imported}"
        for module, names in package_imports().items()
        if floor_of(module) == floor
        for imported in sorted(names)
        if floor_of(imported) not in allowed
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle():
    assert cycles(package_imports()) == []


def names_of(package):
    """What a package knows; nothing, where it needs another one that is not installed."""
    extras = PROJECT["optional-dependencies"].values()
    optional = {Requirement(line).name for lines in extras for line in lines}
    try:
        return vars(import_module(package))
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
        return {}


def test_no_module_hides_behind_a_name_of_its_package():
    """`import minigraph.recording.record` would give the function of that name, not the module."""
    hidden = []
    for module in package_imports():
        package, _, name = module.rpartition(".")
        if package and name in (known := names_of(package)):
            hidden += [module] * (not isinstance(known[name], ModuleType))
    assert hidden == []


def test_a_circle_of_imports_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("from .top import roof")
    (house / "top.py").write_text("def roof():\n    from . import middle\n    return middle")
    (house / "middle.py").write_text("from .bottom import floor")
    (house / "bottom.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.top\n"
    )
    imports = imports_of(sorted(house.glob("*.py")))
    assert imports["house"] == {"house.top"}
    assert cycles(imports) == [["house.bottom", "house.middle", "house.top"]]


def test_the_core_is_short_enough_to_read_in_one_sitting():
    files = sorted((PACKAGE / "core").glob("*.py"))
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert sum(lines.values()) <= 1_100, lines


def test_the_core_imports_nothing_but_errors():
    outside = {
        floor_of(imported)
        for module, names in package_imports().items()
        if floor_of(module) == "core"
        for imported in names
    }
    assert outside == {"core", "errors"}


def test_the_core_says_in_which_order_its_files_are_read():
    """Each file imports only what was read before it, and none is left out."""
    order = re.findall(r"`(\w+)\.py`", (PACKAGE / "core/__init__.py").read_text(encoding="utf-8"))
    assert sorted(order) == sorted(p.stem for p in (PACKAGE / "core").glob("[!_]*.py"))
    place = {f"minigraph.core.{name}": i for i, name in enumerate(order)}
    for module, names in package_imports().items():
        if module in place:
            assert all(place[x] < place[module] for x in names if x in place), module
