"""Predictions: asked kindly, told only after a guess, true, and kept by the lessons until then."""

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pytest
from checks import EXPLORES
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from predicted import TRUTHS

import minigraph as mg
from minigraph.course import predict, predicting
from minigraph.course.panel import plain
from minigraph.course.prediction import (
    Boxes,
    Choice,
    Names,
    Number,
    Order,
    Shape,
    Text,
    Truth,
    prediction,
)
from minigraph.course.predictions import PREDICTIONS
from minigraph.errors import MinigraphError
from minigraph.reading.text import number

ROOT = Path(__file__).parents[1]
LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
CALL = re.compile(r'^predict\("(\w+)"\)$', re.M)
COLLAPSED = "jp-MarkdownHeadingCollapsed"
LESSON = "00_of_tests"  # of the predictions that are made here

every_prediction = pytest.mark.parametrize("asked", PREDICTIONS.values(), ids=[*PREDICTIONS])


@pytest.fixture(autouse=True)
def nothing_guessed():
    predicting.guesses.clear()
    yield
    predicting.guesses.clear()


@cache
def cells_of(path):
    """The cells of a notebook, which nobody changes."""
    return nbformat.read(path, as_version=4).cells


def asked_in(path):
    cells = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    return [name for cell in cells for name in CALL.findall(cell.source)]


def a_wrong_guess(asked):
    """A guess of which no part is right."""
    return {name: wrong_for(part, asked.truth[name]) for name, part in asked.parts.items()}


def wrong_for(part, truth):
    if isinstance(part, Number):
        return float(truth + 1 + abs(truth))
    if isinstance(part, Shape):
        return (*truth, 7)
    if isinstance(part, Choice):
        return next(word for word in part.words if word != truth)
    if isinstance(part, Order):
        orders = truth if isinstance(truth, list) else [truth]
        return next(order[::-1] for order in orders if order[::-1] not in orders)
    if isinstance(part, Names):
        return sorted(frozenset(part.words) - truth) or part.words[:1]
    return "another word"


# --- what is true ---------------------------------------------------------------------------------


def test_lessons_and_catalogue_ask_for_the_same():
    asked = {path.stem: asked_in(path) for path in LESSONS}
    in_catalogue = {}
    for name, one in PREDICTIONS.items():
        in_catalogue.setdefault(one.lesson, []).append(name)
    assert {lesson: sorted(names) for lesson, names in asked.items() if names} == {
        lesson: sorted(names) for lesson, names in in_catalogue.items()
    }


WRITTEN = re.compile(r"^\w+ = (?:None *(?:#.*)?|\[\] +#.*)$|you said", re.M)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_guess_is_written_into_a_cell_and_only_echoed(path):
    assert [cell.source for cell in cells_of(path) if WRITTEN.search(shown(cell))] == []


@pytest.mark.parametrize(
    "source", ["boxes = None", "x = 1\nshape = []  # (3, 2)", "print('you said')"]
)
def test_a_guess_that_is_only_echoed_would_be_found(source):
    assert WRITTEN.search(source)
    assert not WRITTEN.search("w.grad = None\nboxes = None or 3")


def test_every_truth_is_worked_out_elsewhere():
    assert TRUTHS.keys() == PREDICTIONS.keys()


@every_prediction
def test_what_is_told_is_true(asked):
    true = TRUTHS[asked.name]
    assert asked.truth.keys() == asked.parts.keys() == true.keys()
    for name, part in asked.parts.items():
        if isinstance(part, Number):
            assert asked.truth[name] == pytest.approx(true[name], rel=1e-4)
        else:
            assert asked.truth[name] == true[name]


@every_prediction
def test_the_truth_can_be_said_and_is_right(asked):
    text = repr(predict(asked.name, **as_said(asked)))
    assert "✓ It is as you said" in text
    for part in asked.parts.values():
        assert not [why for why in part.wrong.values() if why in " ".join(text.split())]


@every_prediction
def test_a_known_wrong_idea_is_answered_by_its_sentence(asked):
    for name, part in asked.parts.items():
        for value, why in part.wrong.items():
            predicting.guesses.clear()
            said = a_wrong_guess(asked) | {name: value}
            text = " ".join(repr(predict(asked.name, **said)).split())
            assert "✗" in text
            assert plain(" ".join(why.split())) in text


# --- kept until it is guessed ---------------------------------------------------------------------


def state_of(card):
    names = [name for name in card.traits(sync=True) if not name.startswith("_")]
    state = {name: getattr(card, name) for name in names if name not in ("layout", "tabbable")}
    return json.dumps(state, default=repr)


@every_prediction
def test_nothing_that_is_shown_or_sent_before_a_guess_depends_on_the_truth(asked, monkeypatch):
    def never():
        raise AssertionError("worked out before the guess")

    card = predict(asked.name)
    monkeypatch.setitem(PREDICTIONS, asked.name, replace(asked, work_out=never))
    other = predict(asked.name)
    mine, others = (re.sub("mg[a-z]*-[0-9a-f]+", "", state_of(x)) for x in (card, other))
    assert (mine, card.html, repr(card)) == (others, other.html, repr(other))
    assert card.told is None
    assert card.answer == ""


@every_prediction
def test_none_is_asked_again(asked):
    for card in (
        predict(asked.name, None),
        predict(asked.name, **dict.fromkeys(asked.parts)),
        predict(asked.name, *[""] * len(asked.parts)),
        predict(asked.name, *[...] * len(asked.parts)),
    ):
        assert card.say.startswith("Nothing is lost by a wrong guess. Give ")
        assert card.told is None
        assert card.answer == ""
        assert card.say in repr(card)
    assert not predicting.guesses


@every_prediction
def test_a_wrong_guess_is_shown_beside_the_truth_and_stays_there(asked):
    first = predict(asked.name, **a_wrong_guess(asked))
    assert "✗ It is not as you said" in repr(first)
    assert plain(" ".join(asked.explanation))[:40] in " ".join(repr(first).split())
    again = predict(asked.name)  # as when the cell is run again
    assert again.answer == first.answer


# --- what is seen in a lesson before the guess ----------------------------------------------------


class Alternatives(HTMLParser):
    """Collects what is read of HTML: its text, and what stands for its pictures."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        self.found += [value for name, value in attributes if name in ("alt", "aria-label")]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.found.append(data)


def shown(cell):
    """All that a cell shows, as text."""
    texts = [cell.source]
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", "")]
        texts += filter(None, Alternatives(data.get("text/html", "")).found)
    return "\n".join(texts)


@cache
def all_shown(path):
    """What each cell of a notebook shows."""
    return [shown(cell) for cell in cells_of(path)]


def level(cell):
    """The level of the heading with which a cell begins; 0 for none."""
    heading = re.match("(#+) ", cell.source) if cell.cell_type == "markdown" else None
    return len(heading[1]) if heading else 0


MINUTES = re.compile(r"\*\*\d+\sminutes\*\*")  # of the lesson, which answer nothing


def seen_before_the_guess(cells, name):
    """What a learner sees who has come to a prediction: all above, and what is not hidden below."""
    (place,) = (i for i, cell in enumerate(cells) if f'predict("{name}")' in cell.source)
    section = max([level(cell) for cell in cells[:place] if level(cell)][-1:], default=1)
    seen, hidden_by = [], 0
    for i, cell in enumerate(cells):
        if hidden_by and 0 < level(cell) <= hidden_by:
            hidden_by = 0
        if i > place and 0 < level(cell) <= section and not cell.metadata.get(COLLAPSED):
            break
        if not hidden_by:
            seen.append(MINUTES.sub("", shown(cell)))
        if not hidden_by and cell.metadata.get(COLLAPSED):
            hidden_by = level(cell)
    return seen


def gives_away(asked, texts):
    """What in these texts gives the truth of a prediction away."""
    patterns = [*asked.told_by, *map(re.escape, sentences(asked))]
    for name, part in asked.parts.items():
        if isinstance(part, Number) and len(digits := number(asked.truth[name])) > 1:
            patterns.append(rf"(?<![\w.]){re.escape(digits)}(?![\w.]*\d)")
    return [
        found[0]
        for text in texts
        for pattern in patterns
        if (found := re.search(pattern, text.replace("-", "−"), re.I | re.S))
    ]


def sentences(asked):
    """What is only said after the guess."""
    said = [
        *asked.explanation,
        *(why for part in asked.parts.values() for why in part.wrong.values()),
    ]
    return [x for text in said for x in re.split(r"(?<=[.?!]) ", text) if len(x.split()) > 4]


@every_prediction
def test_a_lesson_keeps_what_is_to_be_predicted(asked):
    (path,) = (path for path in LESSONS if path.stem == asked.lesson)
    seen = seen_before_the_guess(cells_of(path), asked.name)
    assert any(f'predict("{asked.name}")' in text for text in seen)  # and not folded away
    assert gives_away(asked, seen) == []
    earlier = [text for path in LESSONS if path.stem < asked.lesson for text in all_shown(path)]
    patterns = replace(asked, parts={})  # numbers may come again elsewhere
    assert gives_away(patterns, earlier) == []


@every_prediction
def test_something_is_looked_for(asked):
    numbers = [
        number(x)
        for x, p in zip(asked.truth.values(), asked.parts.values())
        if isinstance(p, Number)
    ]
    assert asked.told_by or max(map(len, numbers), default=0) > 1


@prediction(
    "What is 3 · 5, and which card comes first?",
    told_by=(r"\bp comes first",),
    product=Number("it is"),
    first=Choice("first", among=("p", "q")),
)
def planted():
    """Threes and fives make fifteen, as everybody learns."""
    return Truth(product=15, first="p")


ASK, HIDE = new_code_cell('predict("planted")'), new_markdown_cell("## What happens")
HIDE.metadata[COLLAPSED] = True
TOP, NEXT = new_markdown_cell("## Predict\n\nWhat is it?"), new_markdown_cell("## Next")
DEEPER = new_markdown_cell("### Deeper")


@pytest.mark.parametrize(
    "cell",
    [
        new_code_cell("print(3 * 5)", outputs=[new_output("stream", text="15\n")]),
        new_code_cell("fifteen = 15"),
        new_code_cell(
            "y", outputs=[new_output("display_data", {"text/html": '<img alt="p = 15">'})]
        ),
        new_code_cell("y", outputs=[new_output("execute_result", {"text/plain": "p  15"})]),
        new_markdown_cell("Here P comes first."),
        new_markdown_cell("Threes and fives make fifteen, as everybody learns."),
    ],
)
def test_an_answer_that_can_be_seen_is_found(cell):
    def found(*cells):
        return gives_away(planted, seen_before_the_guess(cells, "planted"))

    assert found(TOP, cell, ASK, HIDE, NEXT)
    assert found(cell, TOP, ASK, HIDE, NEXT)
    assert found(TOP, ASK, cell, HIDE, NEXT)
    assert found(TOP, ASK, DEEPER, cell, NEXT)
    assert found(TOP, ASK, new_markdown_cell("## What happens"), cell) == []  # another section
    assert found(TOP, ASK, HIDE, cell, NEXT) == []
    assert found(TOP, ASK, HIDE, cell, DEEPER, cell, NEXT, cell) == []
    told = new_code_cell('predict("planted")', outputs=[new_output("stream", text="p comes first")])
    assert found(TOP, told, HIDE, cell)


@pytest.fixture(scope="module")
def run_lesson():
    """A function from the cells of a lesson to what they print, without a kernel for each."""
    script = Path(__file__).with_name("guessing.py")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"MPLBACKEND": "agg"},
        text=True,
    ) as process:

        def run(cells):
            may_fail = [
                [cell.source, "raises-exception" in cell.metadata.get("tags", [])] for cell in cells
            ]
            process.stdin.write(json.dumps([str(ROOT / "notebooks"), may_fail]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run
        process.stdin.close()


@pytest.mark.parametrize("path", [p for p in LESSONS if asked_in(p)], ids=lambda path: path.stem)
def test_a_lesson_runs_with_wrong_guesses_and_with_right_ones(path, run_lesson):
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    last = 0
    for place, cell in enumerate(cells):
        if names := CALL.findall(cell.source):
            asked = PREDICTIONS[names[0]]
            guess = f'print(repr(predict("{asked.name}", **%r)))'
            said = [guess % wanted for wanted in (a_wrong_guess(asked), as_said(asked))]
            cell.source = CALL.sub("", cell.source) + "\n".join(said)
            last = place
    printed = run_lesson(cells if EXPLORES else without_measuring(cells[: last + 1]))
    asked = asked_in(path)
    assert printed.count("✗ It is not as you said") == len(asked), printed
    assert printed.count("✓ It is as you said") == len(asked), printed


def without_measuring(cells):
    """Cells without those that only tell how long something takes here: none uses what they make.

    That their output differs from run to run is written in their tags.
    """
    kept, used = [], set()
    for cell in reversed(cells):
        nodes = [*ast.walk(ast.parse(cell.source))]
        names = [node for node in nodes if isinstance(node, ast.Name)]
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.alias)}
        made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        if "nbval-ignore-output" not in cell.metadata.get("tags", []) or made & used:
            kept.append(cell)
            used = (used | {node.id for node in names}) - made
    return kept[::-1]


def as_said(asked):
    """The truth as it is said: where several orders are right, one of them."""
    said = dict(asked.truth)
    for name, part in asked.parts.items():
        if isinstance(part, Order):
            said[name] = said[name][0]
        elif isinstance(part, Number):
            said[name] = float(said[name])
    return said


# --- how a guess is read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "said", "read"),
    [
        (Number("n"), "2 boxes", 2),
        (Number("n"), "two boxes", 2),
        (Number("n"), " −5 ", -5),
        (Number("n"), "1/3", 1 / 3),
        (Number("n"), "0,5", 0.5),
        (Number("n"), "1,000", 1000),
        (Number("n"), "y = 7", 7),
        (Number("n"), "2e-3", 0.002),
        (Number("n"), np.float32(2), 2),
        (Number("n"), "2 or 3", None),
        (Number("n"), "1/0", None),
        (Number("n"), "many", None),
        (Number("n"), True, None),
        (Number("n"), [2], None),
        (Shape("s"), "3 × 4", (3, 4)),
        (Shape("s"), "(3,)", (3,)),
        (Shape("s"), "()", ()),
        (Shape("s"), (3, 4), (3, 4)),
        (Shape("s"), [3, 4], (3, 4)),
        (Shape("s"), [np.int64(3), 4.0], (3, 4)),
        (Shape("s"), (3, 4.5), None),
        (Shape("s"), (-3, 4), None),
        (Shape("s"), 3, (3,)),
        (Shape("s"), np.zeros((2, 2)), None),
        (Shape("s"), "(−1, 2)", None),
        (Shape("s"), "wide", None),
        (Text("t"), "  MatMul ", "matmul"),
        (Text("t"), 3, None),
        (Choice("c", among=("up", "down")), "Down", "down"),
        (Choice("c", among=("up", "down")), "left", None),
        (Order("o", among=("d", "e", "y")), "first d, then e, then y", ("d", "e", "y")),
        (Order("o", among=("d", "e", "y")), ["d", "e"], ("d", "e")),
        (Order("o", among=("d", "e", "y")), "d, q", None),
        (Names("n", among=("d", "e", "y")), "[e, d]", frozenset("de")),
        (Names("n", among=("d", "e", "y")), "d and e can be computed", frozenset("de")),
        (Names("n", among=("d", "e", "y")), {"d", "e"}, frozenset("de")),
        (Boxes("n", among=("a", "b")), mg.variable(1.0, name="a"), frozenset("a")),
        (Boxes("n", among=("a", "b")), "neither of them", None),
    ],
)
def test_a_guess_is_read_kindly(part, said, read):
    assert part.read(said) == read


def test_a_shape_of_one_axis_is_told_from_a_number():
    assert [Shape("s").show(shape) for shape in ((3,), (3, 4))] == ["(3,)", "(3, 4)"]


@pytest.mark.parametrize(
    "said",
    [
        "9" * 10**6,
        -(10**400),
        [10**5000],
        float("nan"),
    ],
    ids=lambda said: type(said).__name__,
)
@every_prediction
def test_a_guess_of_any_size_is_told_the_truth_or_asked_for_again(asked, said):
    card = predict(asked.name, **dict.fromkeys(asked.parts, said))
    assert bool(card.say) != bool(card.answer)
    assert len(repr(card)) < 10**5


def test_a_number_that_is_shown_in_full_has_to_be_said_in_full():
    part = Number("n")
    assert part.same(6, 6.0)
    assert not part.same(6.02, 6.0)
    assert part.same(0.333, 1 / 3)
    assert part.same(0.3333, 1 / 3)
    assert not part.same(0.3, 1 / 3)


def test_the_first_guess_is_still_seen_beside_the_next():
    predict("boxes_for_b", 3, 2)
    text = repr(predict("boxes_for_b", 1, 3))
    assert "3, then 1" in text
    assert "2, then 3" in text
    text = repr(predict("boxes_for_b", 3, 3))  # once more what was said first
    assert ["3", "1", "✗"] in [line.split()[-3:] for line in text.splitlines()]
    assert "2, then 3" in text


def test_no_column_has_an_empty_heading():
    html = predict("boxes_for_b", 3, 2).answer
    assert re.findall(r"<th[^>]*>(.*?)</th>", html) == ["you said", "it is"]


def test_a_guess_from_the_page_is_taken():
    card = predict("boxes_for_b")
    card._handle_custom_msg({"kind": "guess", "said": {"boxes": "3 boxes", "arrows": ""}}, [])
    assert card.say == "Nothing is lost by a wrong guess. Give a number for “arrows that leave”."
    card._handle_custom_msg({"kind": "guess", "said": {"boxes": "3 boxes", "arrows": "3"}}, [])
    assert card.say == ""
    assert "1 of 2 is as you said" in card.answer


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: predict("boxes_for_c"), "no prediction 'boxes_for_c'; did you mean boxes_for_b?"),
        (lambda: predict(3), "no prediction 3"),
        (lambda: predict("boxes_for_b", 1, 2, 3), r'predict\("boxes_for_b", boxes=…, arrows=…\)'),
        (lambda: predict("boxes_for_b", 1, boxes=2), "boxes=…, arrows=…"),
        (lambda: predict("boxes_for_b", boxe=2), "boxes=…, arrows=…"),
    ],
)
def test_what_is_not_asked_for_is_refused(call, says):
    with pytest.raises(MinigraphError, match=says) as refused:
        call()
    assert isinstance(refused.value, ValueError)


def test_a_graph_to_click_on_shows_its_inputs_and_no_value_that_is_computed():
    @prediction(
        "Which?",
        graph=lambda: mg.parse("d = a * b; y = d + a", a=17, b=3),
        which=Boxes("b", among=("d", "y")),
    )
    def clicked():
        return Truth(which=frozenset("d"))

    PREDICTIONS["clicked"] = clicked
    try:
        svg = predict("clicked").view["svg"]
    finally:
        del PREDICTIONS["clicked"]
    assert ">17<" in svg
    assert ">51<" not in svg
    assert ">68<" not in svg
