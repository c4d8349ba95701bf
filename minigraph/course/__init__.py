"""The course: checks that explain, exercises as specifications, and what turns them into notebooks.

    from minigraph.course import check

Read `specification.py` (what an exercise is), `exercises/` (the catalogue), `forms.py` and
`answers.py` (what counts as right), `attempt.py` (how a student's function is run), `checking.py`
(what is said) and `own.py` (where exercises of one's own stand). The way through the course is in
`lessons.py` (the table of the lessons), `progress.py` (what a learner has done) and `onwards.py`
(what comes next).
"""

from .checking import CheckFailed, check
from .onwards import finished

__all__ = ["CheckFailed", "check", "finished"]
