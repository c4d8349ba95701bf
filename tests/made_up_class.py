"""Results of a class that never was, in the form that `minigraph/judge/results.py` states."""

from random import Random

from minigraph.course.exercises import EXERCISES
from minigraph.drawing import draw
from minigraph.graph.parse import parse
from minigraph.judge.results import folder_of

HEAD = {
    "complete": True,
    "judged": "2026-09-01T12:00:00+00:00",
    "sandbox": {
        "name": "bubblewrap",
        "version": "0.11.0",
        "warning": "",
        "open": ["A program may compute whatever it likes about its questions."],
    },
    "settings": {"seconds": 10, "memory": 512},
    "changes": [],
}
VERDICTS = ("right", "right", "right", "wrong", "wrong", "not started", "missing", "crashed")
LESSONS = ("02_forward_pass", "04_chain_rule")


def exercises_of(lessons):
    return [x for x in EXERCISES.values() if x.lesson in lessons and x.points]


def judged(exercise, verdict, misconception=""):
    """One exercise of a record."""
    known = {m.key: m.hint for m in exercise.misconceptions}
    picture = draw(parse("a * b", a=2, b=3)).html if verdict == "wrong" else ""
    return {
        "exercise": exercise.name,
        "points": exercise.points if verdict == "right" else 0,
        "max_points": exercise.points,
        "verdict": verdict,
        "misconception": misconception,
        "seconds": 0.1,
        "title": exercise.title,
        "hint": known.get(misconception, ""),
        "parts": [] if verdict == "right" else [{"text": "What happened", "code": "y = 3"}],
        "picture": picture,
    }


def student(name, records, **more):
    """A row of `results.json`: of `records`, by their lessons, the exercises."""
    submissions = [
        {
            "file": f"{name}/{lesson}.ipynb",
            "number": "",
            "lesson": lesson,
            "state": "judged",
            "note": "",
            "late": False,
            "record": f"records/{folder_of(name)}/{lesson}.json",
            "exercises": rows,
        }
        for lesson, rows in records.items()
    ]
    everything = [row for rows in records.values() for row in rows]
    return {
        "student": name,
        "system": "",
        "name": "",
        "number": "",
        "folder": folder_of(name),
        "points": sum(x["points"] for x in everything),
        "max_points": sum(x["max_points"] for x in everything),
        "submissions": submissions,
        **more,
    }


def unreadable(file, note="it is no notebook"):
    return {
        "file": file,
        "number": "",
        "lesson": "",
        "state": "unreadable",
        "note": note,
        "late": False,
    }


def random_class(count, lessons=LESSONS, seed=0):
    """Students who know more or less."""
    rng = Random(seed)
    for n in range(1, count + 1):
        ability = rng.random()
        records = {}
        for lesson in lessons:
            rows = []
            for exercise in exercises_of((lesson,)):
                verdict = "right" if rng.random() < ability else rng.choice(VERDICTS)
                thought = ""
                if verdict == "wrong" and rng.random() < 0.8:
                    keys = [m.key for m in exercise.misconceptions]
                    thought = keys[min(int(rng.expovariate(0.7)), len(keys) - 1)]
                rows.append(judged(exercise, verdict, thought))
            records[lesson] = rows
        if rng.random() < 0.05:
            records.popitem()
        yield student(f"student-{n:03}", records)
