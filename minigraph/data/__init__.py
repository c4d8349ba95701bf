"""Data to learn from: real sets that come with the package, and toy ones drawn at random.

    from minigraph import data

    digits = data.digits()                              # handwritten, 8 by 8 pixels
    digits.train.x, digits.train.y, digits.test.x …
    rng = np.random.default_rng(0)
    for x, y in digits.train.batches(64, rng): …        # shuffled, each example once
    data.moons(rng, points=200, noise=0.1)              # spirals, circles, xor as well

`sets.py` says what a data set is, `real.py` and `toy.py` hold the sets, and `prepare.py` is the
script that made the files in `files/`.
"""

from .real import alice, digits, penguins
from .sets import Dataset, Split, Text
from .toy import circles, moons, spirals, xor

__all__ = [
    "Dataset",
    "Split",
    "Text",
    "alice",
    "circles",
    "digits",
    "moons",
    "penguins",
    "spirals",
    "xor",
]
