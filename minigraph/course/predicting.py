"""`predict`: a learner commits to a guess, and only then is told what is true.

    from minigraph.course import predict
    predict("boxes_for_b")  # a card that asks
    predict("boxes_for_b", boxes=2, arrows=2)  # a guess; the same card, with the truth beside it

What is true stands neither in a notebook nor in what a page is sent before the guess. Nothing here
is a score: a wrong guess is as good as a right one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..errors import MinigraphError
from ..widgets.prediction import Field, PredictionCard, Told
from .forms import WrongForm
from .panel import SIGN, Panel, inline, plain
from .panel import Part as Paragraph
from .prediction import Part, Prediction
from .predictions import PREDICTIONS
from .progress import note_prediction

Guess = dict[str, Any]  # what was said of each part, as plain data
guesses: dict[str, tuple[Guess, Guess]] = {}  # the first and the last, by prediction
KIND = "Nothing is lost by a wrong guess."


class PredictionError(MinigraphError, ValueError):
    """There is no prediction of this name, or it asks for other parts."""


def predict(name: str, /, *guess: Any, **parts: Any) -> PredictionCard:
    """Ask for a prediction on a card; tell the truth once there is a guess.

    Args:
        name: the prediction's name.
        guess: what you expect, in the order in which it is asked for. Without it the card asks.
        parts: the same by name. None is no guess, and is asked for again.

    Raises:
        PredictionError: if there is no such prediction, or it does not ask for this.
    """
    asked = _found(name)
    card = PredictionCard(
        plain(asked.question),
        inline(asked.question),
        [_field(key, part) for key, part in asked.parts.items()],
        asked.graph() if asked.graph else None,
        asked.call,
        partial(_answered, asked),
    )
    if guess or parts:
        card.guess(_said(asked, guess, parts))
    elif name in guesses:
        card.told = _told(asked)
    return card


def _field(name: str, part: Part) -> Field:
    return Field(name, inline(part.label), part.kind, part.asked_for, part.words)


def _found(name: Any) -> Prediction:
    if isinstance(name, str) and name in PREDICTIONS:
        return PREDICTIONS[name]
    near = difflib.get_close_matches(str(name), PREDICTIONS, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else "see the lesson for its name"
    raise PredictionError(f"there is no prediction {name!r:.60}; {hint}")


def _said(asked: Prediction, guess: tuple[Any, ...], parts: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of each part."""
    said = {**dict(zip(asked.parts, guess)), **parts}
    fits = len(guess) <= len(asked.parts) and len(said) == len(guess) + len(parts)
    if not fits or said.keys() - asked.parts.keys():
        raise PredictionError(f"this prediction is called {asked.call}")
    return said


def _answered(asked: Prediction, said: Mapping[str, Any]) -> Told | str:
    """Take a guess: the truth, or what is still to be said."""
    guess = {name: _read(part, said.get(name)) for name, part in asked.parts.items()}
    missing = [asked.parts[name] for name in guess if guess[name] is None]
    if missing:
        wanted = " and ".join(f"{part.asked_for} for “{plain(part.label)}”" for part in missing)
        return f"{KIND} Give {wanted}."
    guesses[asked.name] = guesses.get(asked.name, (guess, guess))[0], guess
    right = all(part.same(guess[name], asked.truth[name]) for name, part in asked.parts.items())
    note_prediction(asked.lesson, asked.name, right)
    return _told(asked)


def _read(part: Part, said: Any) -> Any:
    """A guess as plain data, None if it is none."""
    if said is None or said is ... or (isinstance(said, str | list) and not said):
        return None
    try:
        return part.read(said)
    except WrongForm:
        return None


def _told(asked: Prediction) -> Told:
    """The truth beside what was said, first and last, and why."""
    made, truth = guesses[asked.name], asked.truth
    last = made[1]
    rows, ideas, right = [["", "you said", "it is", ""]], [], 0
    for name, part in asked.parts.items():
        is_right = part.same(last[name], truth[name])
        right += is_right
        said = ", then ".join(dict.fromkeys(part.show(guess[name]) for guess in made))
        sign = SIGN["right" if is_right else "wrong"]
        rows.append([part.label, said, part.show(truth[name]), sign])
        if not is_right:
            ideas += [why for value, why in part.wrong.items() if part.same(last[name], value)]
    explained = [*dict.fromkeys(ideas), *asked.explanation]
    panel = Panel(
        "right" if right == len(asked.parts) else "wrong",
        _title(right, len(asked.parts)),
        [Paragraph(rows=rows), *map(Paragraph, explained)],
        truth.picture.html if truth.picture else "",
    )
    return Told(panel.html, panel.text)


def _title(right: int, of: int) -> str:
    if right in (0, of):
        return "It is as you said" if right else "It is not as you said"
    return f"{right} of {of} {'is' if right == 1 else 'are'} as you said"
