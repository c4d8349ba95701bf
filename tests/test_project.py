"""What holds the project together: pinned requirements, the README's promises, who imports whom."""

import ast
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigraph"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALLED_BY_DEFAULT = {"browser", "lab", "lint", "teach", "test"}
FLOORS = [
    {"graph"},
    {"autodiff"},
    {"compiler"},
    {"drawing"},
    {"recording"},
    {"nn", "data"},
    {"widgets"},
    {"bridges"},
    {"course"},
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


def imported_floors(path):
    """The floors of the house that a module imports from, wherever in the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [above, node.module]))
            modules = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[0] == "minigraph":
                yield parts[1] if len(parts) > 1 else "everything"


@pytest.mark.parametrize("floor", sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py")))
def test_imports_go_down_only(floor):
    height = next(number for number, names in enumerate(FLOORS) if floor in names)
    allowed = set().union(*FLOORS[: height + 1])
    upwards = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in sorted((PACKAGE / floor).rglob("*.py"))
        for imported in imported_floors(path)
        if imported not in allowed
    ]
    assert upwards == []
