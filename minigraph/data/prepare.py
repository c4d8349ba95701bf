"""The script that made the files of the real data, from packages that carry them.

python3 -m pip download --no-deps --dest FOLDER scikit-learn palmerpenguins==0.1.6
python3 -m pip download --no-deps --dest FOLDER --no-binary :all: brotli==1.2.1
python3 -m minigraph.data.prepare FOLDER
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from ..errors import FileError
from ..graph.files import write
from .real import FILES


def from_wheel(folder: Path, package: str, name: str) -> bytes:
    """A file of a wheel in the folder."""
    with zipfile.ZipFile(_the_only(folder, f"{package}-*.whl")) as wheel:
        return wheel.read(name)


def from_source(folder: Path, package: str, name: str) -> bytes:
    """A file of a package's source in the folder, named without the folder that it is in."""
    path = _the_only(folder, f"{package}-*.tar.gz")
    with tarfile.open(path) as source:
        file = source.extractfile(f"{path.name.removesuffix('.tar.gz')}/{name}")
        assert file is not None
        return file.read()


def _the_only(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise FileError(f"{folder} holds {len(paths)} files {pattern}, and one is needed")
    return paths[0]


def digits(folder: Path) -> dict[str, np.ndarray]:
    """Pixels from 0 to 16 and the digit, in random order."""
    packed = from_wheel(folder, "scikit_learn", "sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",").astype(np.uint8)
    table = _shuffled(table)
    return {"x": table[:, :-1], "y": table[:, -1]}


def penguins(folder: Path) -> dict[str, np.ndarray]:
    """Four measurements and the species, in random order, of penguins that were measured."""
    text = from_wheel(folder, "palmerpenguins", "palmerpenguins/data/penguins.csv").decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["body_mass_g"] != "NA"]
    columns = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    species = sorted({row["species"] for row in rows})
    order = _shuffled(np.arange(len(rows)))
    x = np.array([[float(row[column]) for column in columns] for row in rows])
    y = np.array([species.index(row["species"]) for row in rows], np.uint8)
    return {"x": x[order], "y": y[order]}


def alice(folder: Path) -> dict[str, np.ndarray]:
    """The text with plain line ends, no spaces at the ends of lines, and one empty line at most."""
    text = from_source(folder, "brotli", "tests/testdata/alice29.txt").decode("ascii")
    lines = [line.strip() for line in text.replace("\x1a", "").splitlines()]
    plain = re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return {"text": np.frombuffer(plain.encode("ascii"), np.uint8)}


def _shuffled(rows: np.ndarray) -> np.ndarray:
    return rows[np.random.default_rng(0).permutation(len(rows))]


def main(folder: str) -> None:
    """Write all files."""
    for make in (digits, penguins, alice):
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **make(Path(folder)))
        write(FILES / f"{make.__name__}.npz", file.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
