"""Other numbers for each student, where an exercise has such: so a copied answer is wrong.

    python -m minigraph release --students roster.csv
    python -m minigraph judge SUBMISSIONS --results RESULTS --seed-file exercises/seeds.csv

A roster is a table with a column `student`. Each student of it gets a seed, which stays when the
table grows, and a folder of notebooks. `seeds.csv`, beside the folders, says whose seed is which.
"""

from __future__ import annotations

import csv
import secrets
from pathlib import Path

from ..course.releasing import release
from ..errors import MinigraphError
from ..graph.files import naming
from .results import folder_of, whole

SEEDS = "seeds.csv"
STUDENT, SEED = "student", "seed"
LARGEST = 10**9


def release_to_students(
    roster: Path, source: Path, destination: Path, lessons: Path | None = None
) -> None:
    """Write a folder of exercises for each student, and the table of their seeds.

    Raises:
        MinigraphError: if the roster is no table of students, or something cannot be released.
    """
    students = [row[STUDENT].strip() for row in _rows(roster, (STUDENT,))]
    students = [*dict.fromkeys(filter(None, students))]
    if not students:
        raise MinigraphError(f"there are no students in {roster}")
    table = destination / SEEDS
    known = seeds_in(table) if table.is_file() else {}
    seeds = known | {x: 1 + secrets.randbelow(LARGEST) for x in students if x not in known}
    release(source, destination, lessons, {folder_of(x): seeds[x] for x in students})
    with whole(table, newline="") as file:
        writer = csv.writer(file)
        writer.writerow((STUDENT, SEED))
        writer.writerows(seeds.items())
    print(f"Their seeds are in {table}; keep it for the judge: --seed-file {table}")


def seeds_in(path: Path) -> dict[str, int]:
    """Seeds by student.

    Raises:
        MinigraphError: if the file is no such table.
    """
    try:
        return {row[STUDENT]: int(row[SEED]) for row in _rows(path, (STUDENT, SEED))}
    except ValueError:
        raise MinigraphError(
            f"{path} is no table of seeds: in its column `{SEED}` are whole numbers"
        ) from None


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a table that has certain columns."""
    with naming(path, "read"), path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = [*csv.DictReader(file)]
        except csv.Error as error:
            raise MinigraphError(f"{path} is no table: {error}") from None
    if missing := [x for x in columns if any(row.get(x) is None for row in rows)]:
        raise MinigraphError(f"{path} has no column `{missing[0]}` with something in each row")
    return rows
