"""JSON that has been changed at random, as files are by accident and by attackers."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

VALUES = (
    None, True, False, 0, 1, -1, 2, 7, 10**30, 1.5, -0.0, "", "nan", "-inf", "n0", "n1", "n99",
    "x" * 500, "\x1b[31m", "\ud800", "visit", "done", "forward", "add", "float64", "object",
    [], {}, [[]], [1], [1, 2], [10**9], [-1], ["n0"], {"a": 1}, {"tuple": [1]}, {"slot": 0},
    {"shape": [], "dtype": "float64", "data": [1.0]},
    {"shape": [2], "dtype": "float64", "data": [1.0, "nan"]},
    {"shape": [2], "dtype": "int8", "data": [1, "nan"]},
    {"shape": [10**9], "dtype": "float64", "data": []},
    {"shape": [300], "dtype": "float64", "least": 0, "most": 1, "mean": 0.5, "thumbnail": [[1.0]]},
)  # fmt: skip


def places(document: Any) -> list[tuple[Any, Any]]:
    """All places in a document: what holds each, and the key or number there."""
    found, holders = [], [document]
    for holder in holders:
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, value in items:
            found.append((holder, key))
            if isinstance(value, dict | list):
                holders.append(value)
    return found


def mutated(text: str, rng: Random) -> str:
    """A document in which a few things are replaced, removed, exchanged or added."""
    document = json.loads(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        holder, key = rng.choice(places(document))
        match rng.choice(["replace", "replace", "copy", "remove", "exchange", "add"]):
            case "replace":
                holder[key] = copy.deepcopy(rng.choice(VALUES))
            case "copy":
                other, place = rng.choice(places(document))
                holder[key] = copy.deepcopy(other[place])
            case "remove":
                del holder[key]
            case "exchange":
                other = rng.choice([*(holder if isinstance(holder, dict) else range(len(holder)))])
                holder[key], holder[other] = holder[other], holder[key]
            case "add" if isinstance(holder, dict):
                name = rng.choice(["x", "user", "local", "name", "shape"])
                holder[name] = copy.deepcopy(rng.choice(VALUES))
            case "add":
                holder.insert(key, copy.deepcopy(rng.choice(VALUES)))
        if not document:
            break
    text = json.dumps(document)
    if rng.random() < 0.1:
        text = text[: rng.randrange(len(text) + 1)]
    if text and rng.random() < 0.1:
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice('{}[]",:0a\\') + text[place + 1 :]
    return text
