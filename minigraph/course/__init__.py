"""The course: checks that explain, exercises as specifications, and what turns them into notebooks.

    from minigraph.course import check, predict

Read `specification.py` (what an exercise is), `exercises/` (the catalogue), `forms.py` and
`answers.py` (what counts as right), `attempt.py` (how a student's function is run), `checking.py`
(what is said) and `own.py` (where exercises of one's own stand). What a learner predicts is in
`prediction.py` (what a prediction is), `predictions/` (the catalogue) and `predicting.py`. The way
through the course is in `lessons.py` (the table of the lessons), `progress.py` (what a learner has
done) and `onwards.py` (what comes next).
"""

from typing import Any

from .checking import CheckFailed, check
from .onwards import finished


def __getattr__(name: str) -> Any:
    """Import `predict` when it is asked for: it brings the widgets, which checks do without."""
    if name == "predict":
        from .predicting import predict

        return predict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["CheckFailed", "check", "finished", "predict"]
