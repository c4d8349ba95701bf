"""Lesson 13: seconds played one by one, sums over examples, and a chain that is walked by hand."""

from itertools import pairwise

import numpy as np

NEEDS = {"p": "", "q": "", "r": "", "w": "", "s": "pq", "t": "qr", "u": "st", "y": "uw"}


def on_the_way(name):
    return 1 + max(map(on_the_way, NEEDS[name]), default=0)


def fewest_seconds(workers):
    """In each second as many as there are workers, in every way; Python's sets remember where."""
    reached, seconds = {frozenset()}, 0
    while frozenset(NEEDS) not in reached:
        seconds += 1
        following = set()
        for done in reached:
            ready = sorted(x for x in NEEDS if x not in done and done.issuperset(NEEDS[x]))
            choices = {frozenset()}
            for _ in range(min(workers, len(ready))):
                choices = {chosen | {x} for chosen in choices for x in ready if x not in chosen}
            following |= {done | chosen for chosen in choices}
        reached = following
    return seconds


def done_at(name):
    takes = {"r": 2, "t": 3, "w": 4}
    return takes.get(name, 1) + max(map(done_at, NEEDS[name]), default=0)


assert on_the_way("y") == 4


def step_of(layers):
    """Products: one forward for each layer; backward one for weights and one that hands on, but
    to the first layer's input nothing is handed. In the chain: forward, and back to the first."""
    products = layers + layers + (layers - 1)
    return products / (layers + layers)


def gradient(part):
    """Of the mean of squares, by finite differences."""
    rng = np.random.default_rng(3)
    x, t, w = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=3)

    def loss(w):
        return np.mean((x[part] @ w - t[part]) ** 2)

    return np.array([(loss(w + h) - loss(w - h)) / 2e-6 for h in 1e-6 * np.eye(3)])


def best_weights():
    parts = [gradient(slice(*ends)) for ends in pairwise((0, 6, 10, 12))]
    found, *_ = np.linalg.lstsq(np.transpose(parts), gradient(slice(0, 12)), rcond=None)
    return ", ".join(f"{weight * 12:.0f}/12" for weight in found)


def walked(segments, size):
    """A stack of results: what is kept, and on top of it a segment that is computed again."""
    kept = [("result", k) for k in range(segments)]
    most = len(kept)
    computed = segments * size
    for k in reversed(range(segments)):
        again = [("layer", k, n) for n in range(size)]
        computed += len(again)
        most = max(most, len(kept) + len(again))
    return {"kept": len(kept), "most": most, "computed": computed}


TRUTHS = {
    "workers_and_seconds": {
        name: fewest_seconds(n)
        for name, n in {"one": 1, "two": 2, "three": 3, "hundred": 100}.items()
    },
    "hundred_workers": {"seconds": done_at("y")},
    "threads_on_four_numbers": {"threads": "several times slower"},  # as the lesson measures
    "times_as_fast_at_best": {"three": step_of(3), "hundred": step_of(100)},
    "weights_of_shards": {"weights": best_weights()},
    "segments_of_a_chain": walked(9, 9),
}
