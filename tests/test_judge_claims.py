"""Whatever a process claims to have answered, the judge reads it, is not harmed, and says wrong."""

import json
from base64 import b64encode

import numpy as np
import pytest

from minigraph.course.exercises import EXERCISES
from minigraph.judge.asking import Limits, Reply
from minigraph.judge.verdicts import FAULT, RIGHT, Question

NAMES = (
    "forward",
    "build_shared",
    "sweep",
    "leave_gradients",
    "repair_loss",
    "cube_root",
    "distance",
)
X = {"kind": "variable", "value": ["float64", 1.0]}


def array(*shape):
    return ["array", "<f8", list(shape), b64encode(np.zeros(shape).tobytes()).decode(), True]


def node(*rows):
    return {"returned": ["node", len(rows) - 1], "nodes": list(rows)}


def sized(op, name, shape):
    """A node whose setting asks for more than there is memory."""
    attrs = ["dict", [[name, ["tuple", shape]]]]
    return node(X, {"op": op, "inputs": [0], "attrs": attrs, "value": ["float64", 1.0]})


CLAIMS = {
    "nothing": {},
    "nesting": {"returned": json.loads('["list", [' * 300 + "1" + "]]" * 300)},
    "a name that is none": {"returned": ["other", 3]},
    "a function": {"returned": ["function"]},
    "a generator": {"returned": ["generator"]},
    "a coroutine": {"returned": ["coroutine"]},
    "a variable": node(X),
    "a node of a number that is none": node(X, ["add", [0, 0], float("nan"), None]),
    "an operation with too few inputs": node(X, ["add", [0], 1.0, "x"]),
    "a node that is its own input": node(["add", [0, 0], 1.0, None]),
    "a node from behind": node(X, ["add", [-1, -1], 1.0, None]),
    "values that do not fit": node(
        {"kind": "variable", "value": array(1, 30000)},
        {"kind": "variable", "value": array(30000, 1)},
        {"op": "multiply", "inputs": [0, 1], "value": ["float64", 1.0]},
        ["add", [2, 2], 1.0, "y"],
    ),
    "a shape beyond memory": sized("reshape", "shape", [10**9, 10**9]),
    "broadcast beyond memory": sized("broadcast_to", "shape", [10**5, 10**5]),
    "an operation of one's own without rules": node(
        X, {"custom": {"name": "x", "rules": []}, "inputs": [0], "value": ["float64", 1.0]}
    ),
    "a placeholder": node({"kind": "placeholder", "shape": [], "dtype": "<f8"}),
    "nodes that are no list": {"returned": ["list", []], "nodes": 3},
    "a key that cannot be one": {"returned": ["dict", [[["list", []], 1]]]},
    "a number of many digits": {"returned": ["int", "f" * 90_000]},
    "a fraction by zero": {"returned": ["ratio", "0x1", "0x0"]},
    "a decimal that signals": {"returned": ["decimal", "sNaN"]},
    "a very large decimal": {"returned": ["decimal", "1E+999999999"]},
    "gradients of no node": {"returned": None, "grads": [[10**9, 1]]},
    "gradients that are none": {"returned": None, "grads": [[0, "x"]]},
    "gradients without a list": {"returned": None, "grads": 3},
    "a recording that is none": {"returned": ["dict", []], "told": "{}"},
    "a call that is none": {"returned": 1, "called": 3},
    "a change that is none": {"returned": 1, "changed": ["x"]},
    "a very long error": {"raised": "x" * 10**6, "told": {}, "line": 3},
    "an error that is none": {"raised": 3},
    "unreadable": {"unreadable": "too large"},
    "print that is none": {"returned": 1, "printed": {"a": 1}},
    "points": {"returned": None, "points": 100, "verdict": "right"},
}


@pytest.fixture(scope="module")
def questions():
    return {name: Question(EXERCISES[name], 5) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_wrong_and_does_no_harm(questions, name, claim):
    reply = Reply(cases={0: CLAIMS[claim]}, defined=True, done=True)
    verdict = questions[name].judged(reply, Limits())
    assert verdict.state not in (RIGHT, FAULT)
    assert len(json.dumps([part.text + part.code for part in verdict.parts])) < 10_000


def test_an_answer_that_was_given_before_does_not_count_for_the_next(questions):
    """Gradients that one student left in the judge's own nodes are gone for the next."""
    question = questions["leave_gradients"]
    right = [[n, ["float64", 1.0]] for n in range(len(question.cases[0].nodes))]
    first = Reply(cases={0: {"returned": None, "grads": right}}, defined=True, done=True)
    question.judged(first, Limits())
    second = question.judged(
        Reply(cases={0: {"returned": None}}, defined=True, done=True), Limits()
    )
    assert "grad is None" in " ".join(part.text for part in second.parts)
