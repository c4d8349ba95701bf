"""The judge: which file is whose, what crosses between the processes, and a small class judged."""

import io
import json
import math
import os
import sys
import tempfile
import time
import zipfile
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
from judge_class import AROUND

import minigraph as mg
from minigraph.__main__ import main
from minigraph.core.node import Node
from minigraph.course.exercises import EXERCISES
from minigraph.judge import asking, collecting, sandboxes, verdicts
from minigraph.judge.asking import Limits, Reply, _Conversation
from minigraph.judge.collecting import collected, lessons_of
from minigraph.judge.inside.cells import plain_python
from minigraph.judge.inside.values import MessageError, Packing, Something, Unpacking
from minigraph.judge.judging import Options, judge
from minigraph.judge.locking import lock
from minigraph.judge.results import folder_of, guarded, read_record, record_path
from minigraph.judge.verdicts import Question, address_of

LESSONS = lessons_of(EXERCISES)
FORWARD = """
def forward(graph, inputs):
    values = dict(inputs)
    for name, (operation, *names) in graph.items():
        values[name] = compute[operation](*[values[x] for x in names])
    return values
"""
FIRST_CELL = """
import math, operator
import minigraph as mg
from minigraph.course import check
compute = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
compute["sin"] = math.sin
"""


def notebook(*cells):
    """The text of a notebook with these cells of code."""
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def zipped(files):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return memory.getvalue()


def seen(root):
    """By file: whose, of which lesson, and whether it counts."""
    found = collected(root, LESSONS)
    return {x.file: (x.student, x.lesson[:2], x.state) for x in found}


# --- collecting -----------------------------------------------------------------------------------

SOLVED = notebook(FIRST_CELL, FORWARD)


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("anna/02_forward_pass.ipynb", "anna"),
        ("anna/deep/er/renamed beyond recognition.ipynb", "anna"),
        ("submitted/anna/02/forward.ipynb", "anna"),
        ("course/submitted/anna/02/forward.ipynb", "anna"),
        ("Anna Arendt_12345_assignsubmission_file_/02 (1).ipynb", "Anna Arendt"),
        ("Anna Arendt_12345_assignsubmission_file_02.ipynb", "Anna Arendt"),
        ("arendtanna_12345_67890_02_forward_pass-1.ipynb", "arendtanna"),
        ("arendtanna_LATE_12345_67890_02_forward_pass.ipynb", "arendtanna"),
        ("anna.ipynb", "anna"),
        ("anna-Copy1.ipynb", "anna"),
        ("Ánna 🦉/02.ipynb", "Ánna 🦉"),
        ("anna/homework.json", "anna"),
        ("anna/homework.py", "anna"),
    ],
)
def test_whose_a_file_is_follows_from_where_it_stands(tmp_path, file, student):
    text = FIRST_CELL + FORWARD if file.endswith(".py") else SOLVED
    assert seen(write(tmp_path, {file: text})) == {file: (student, "02", "judged")}


def test_numbers_names_and_lateness_of_course_systems_are_kept(tmp_path):
    write(
        tmp_path,
        {
            "Anna Arendt_12345_assignsubmission_file_/a.ipynb": SOLVED,
            "boleb_LATE_678_90_b.ipynb": SOLVED,
        },
    )
    found = {x.student: x for x in collected(tmp_path, LESSONS)}
    assert (found["Anna Arendt"].number, found["Anna Arendt"].late) == ("12345", False)
    assert (found["boleb"].number, found["boleb"].late) == ("678", True)


@pytest.mark.parametrize("lesson", [*LESSONS])
def test_the_lesson_is_seen_from_what_a_notebook_defines(tmp_path, lesson):
    names = LESSONS[lesson][:2]
    text = notebook(*(f"{name} = ..." for name in names))
    assert seen(write(tmp_path, {"anna/x.ipynb": text}))["anna/x.ipynb"][1] == lesson[:2]


def test_the_newest_version_counts_and_says_so(tmp_path):
    files = ["a/02.ipynb", "a/02 (1).ipynb", "a/02-Copy2.ipynb"]
    write(tmp_path, dict.fromkeys(files, SOLVED))
    for file in files:
        os.utime(tmp_path / file, (1e9, 1e9))
    found = {x.file: x for x in collected(tmp_path, LESSONS)}
    assert [found[x].state for x in files] == ["older", "older", "judged"]
    assert found[files[2]].note == "the newest of 3 versions"
    os.utime(tmp_path / files[0], (2e9, 2e9))
    found = {x.file: x.state for x in collected(tmp_path, LESSONS)}
    assert [found[x] for x in files] == ["judged", "older", "older"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.ipynb", b""),
        ("essay.docx", b"PK\x03\x04 and then something else"),
        ("binary.ipynb", bytes(range(256)) * 10),
        ("text.ipynb", b"def forward(graph, inputs): ..."),
        ("list.ipynb", b"[1, 2]"),
        ("number.ipynb", b"3"),
        ("cells.ipynb", b'{"cells": 3}'),
        ("deep.ipynb", b"[" * 200_000),
        ("none.ipynb", notebook("x = 1").encode()),
        ("broken.zip", b"PK\x03\x04broken"),
    ],
)
def test_a_file_that_cannot_be_judged_has_a_row_that_says_why(tmp_path, name, content):
    write(tmp_path, {f"anna/{name}": content})
    (found,) = collected(tmp_path, LESSONS)
    assert (found.student, found.state) == ("anna", "unreadable")
    assert found.note


def test_links_and_what_is_no_file_are_not_followed(tmp_path):
    write(tmp_path, {"secret.ipynb": SOLVED, "class/bob/02.ipynb": SOLVED})
    (tmp_path / "class/anna").mkdir()
    (tmp_path / "class/anna/02.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "class/anna/03.ipynb").symlink_to(tmp_path / "class/bob/02.ipynb")
    os.mkfifo(tmp_path / "class/anna/pipe.ipynb")
    found = {x.file: x for x in collected(tmp_path / "class", LESSONS)}
    assert {f: x.state for f, x in found.items()} == {
        "anna/02.ipynb": "unreadable",
        "anna/03.ipynb": "unreadable",
        "anna/pipe.ipynb": "unreadable",
        "bob/02.ipynb": "judged",
    }
    assert "link" in found["anna/02.ipynb"].note


def test_an_archive_is_read_in_memory_whatever_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_BYTES", 2**20)
    link = zipfile.ZipInfo("class/carl/02.ipynb")
    link.external_attr = 0o120777 << 16
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("class/anna/02.ipynb", SOLVED)
        archive.writestr("class/bob/work.zip", zipped({"hand in/02.ipynb": SOLVED}))
        archive.writestr("class/bob/__MACOSX/._02.ipynb", "x")
        archive.writestr("class/../../slip.ipynb", SOLVED)
        archive.writestr("class/dora/bomb.ipynb", b" " * 2**22)
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "hand-in.zip").write_bytes(memory.getvalue())
    found = seen(tmp_path / "hand-in.zip")
    assert found["anna/02.ipynb"] == ("anna", "02", "judged")
    assert found["bob/work.zip/hand in/02.ipynb"] == ("bob", "02", "judged")
    assert found["dora/bomb.ipynb"][2] == found["carl/02.ipynb"][2] == "unreadable"
    assert found["../../slip.ipynb"][2] == "unreadable"
    assert len(found) == 5
    assert [*tmp_path.iterdir()] == [tmp_path / "hand-in.zip"]


@pytest.mark.parametrize(
    "file", ["Anna Arendt_{}_assignsubmission_file_/02.ipynb", "anna_{}_9_02.ipynb"]
)
def test_students_of_the_same_name_are_told_apart_by_their_numbers(tmp_path, file):
    for number in (1, 2):
        write(tmp_path, {file.format(number): SOLVED})
    found = collected(tmp_path, LESSONS)
    assert len({x.student for x in found}) == 2
    assert [x.state for x in found] == ["judged", "judged"]


def test_a_student_with_another_number_in_each_hand_in_is_one(tmp_path):
    for lesson, number in (("02", 1), ("03", 2)):
        write(tmp_path, {f"{lesson}/Anna Arendt_{number}_assignsubmission_file_/x.ipynb": SOLVED})
    assert {x.student for x in collected(tmp_path, LESSONS)} == {"Anna Arendt"}


def test_results_among_submissions_are_none(tmp_path, monkeypatch):
    write(tmp_path, {"in/anna/02.ipynb": SOLVED, "in/marks/records/anna/02.json": SOLVED})
    monkeypatch.chdir(tmp_path)
    for root, results in (
        ("in", "in/marks"),
        (".", tmp_path / "in/marks"),
        ("in", "elsewhere/../in/marks"),
    ):
        (found,) = collected(Path(root), LESSONS, Path(results))
        assert found.file.endswith("anna/02.ipynb")
    assert len(collected(tmp_path / "in", LESSONS, tmp_path / "marks")) == 2


def test_a_notebook_of_a_million_empty_lists_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_PIECES", 100)
    write(tmp_path, {"anna/02.ipynb": '{"cells": [' + "[]," * 100 + "[]]}"})
    (found,) = collected(tmp_path, LESSONS)
    assert (found.state, found.note) == ("unreadable", "it holds more than a notebook does")


def test_an_old_notebook_is_read_whole_and_so_is_one_with_an_empty_cell(tmp_path):
    sheets = [{"cells": [{"cell_type": "code", "input": [cell]}]} for cell in ("x = 1", FORWARD)]
    cells = [{"cell_type": "code", "source": cell} for cell in (None, FORWARD)]
    write(
        tmp_path,
        {
            "anna/old.ipynb": json.dumps({"nbformat": 3, "worksheets": sheets}),
            "bob/empty.ipynb": json.dumps({"nbformat": 4, "cells": cells}),
        },
    )
    assert [x.lesson[:2] for x in collected(tmp_path, LESSONS)] == ["02", "02"]


def test_a_nameless_file_in_an_archive_is_passed_over(tmp_path):
    nameless = zipfile.ZipInfo("n")
    nameless.filename = ""
    write(tmp_path, {"anna/x.zip": zipped({"02.ipynb": SOLVED, nameless: "x"})})
    (found,) = collected(tmp_path, LESSONS)
    assert found.state == "judged"


def test_students_whose_names_cannot_be_shown_alike_stay_apart(tmp_path):
    """Names of an old code page, and ones that turn the line around."""
    for name in (b"M\xfcller", b"M\xe4ller", b"M\x01ller", "M\u202eller".encode()):
        write(tmp_path / os.fsdecode(name), {"02.ipynb": SOLVED})
    found = collected(tmp_path, LESSONS)
    assert len({x.student for x in found}) == 4
    assert {x.state for x in found} == {"judged"}
    assert all(x.file.isprintable() and x.file.isascii() for x in found)


def test_an_archive_of_windows_has_folders_as_well(tmp_path):
    files = {r"hand-in\anna\02.ipynb": SOLVED, r"hand-in\bob\02.ipynb": SOLVED, "hand-in\\": ""}
    write(tmp_path, {"hand-in.zip": zipped(files | {r"hand-in\..\..\out.ipynb": SOLVED})})
    found = seen(tmp_path / "hand-in.zip")
    assert found["anna/02.ipynb"] == ("anna", "02", "judged")
    assert found["bob/02.ipynb"] == ("bob", "02", "judged")
    assert found["../../out.ipynb"][2] == "unreadable"
    assert len(found) == 3


def test_no_submissions_are_told_so(tmp_path):
    with pytest.raises(collecting.CollectingError, match="no submissions in"):
        collected(tmp_path, LESSONS)
    with pytest.raises(collecting.CollectingError, match="neither a folder nor a zip"):
        collected(tmp_path / "nowhere", LESSONS)


# --- values ---------------------------------------------------------------------------------------


def crossed(value, known=()):
    pack = Packing(known)
    message = json.dumps({"value": pack.packed(value), "nodes": pack.rows})
    told = json.loads(message)
    return Unpacking(told["nodes"], known).unpacked(told["value"])


class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Array(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -1, 2**200, -(2**64), 0.1, -0.0, math.inf, "text", "\0\ud800<b>", 3 + 4j,
        Fraction(1, 3), Decimal("0.1"), [1, [2.5, None]], (1, (2,)), {1, 2}, {"a": {"b": [1]}},
        {("a", 1): 2}, MappingProxyType({"a": 1}), np.float32(0.1), np.int8(-3), np.bool_(True),
        slice(1, None, 2), ...,
    ],
)  # fmt: skip
def test_plain_values_cross_as_they_are(value):
    there = crossed(value)
    assert type(there) is type(value)
    assert there == value


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "bool", "complex128", ">f8"])
def test_arrays_cross_bit_by_bit(shape, dtype):
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    there = crossed(array)
    assert (there.dtype, there.shape) == (array.dtype, array.shape)
    assert there.tobytes() == array.tobytes()


def test_of_a_subclass_comes_what_it_is_a_subclass_of():
    assert type(crossed(Text("a"))) is str
    assert type(crossed(np.zeros(2).view(Array))) is np.ndarray
    assert type(crossed(type("L", (list,), {})([1]))) is list


def test_a_nan_stays_one():
    assert math.isnan(crossed(math.nan))


def test_what_knows_more_than_its_value_arrives_as_something():
    class Evil:
        def __eq__(self, other):
            return True

        def __reduce__(self):
            return os._exit, (1,)

    there = crossed(Evil())
    assert isinstance(there, Something)
    assert type(there).__name__ == "Evil"
    assert there != 1
    assert callable(crossed(print))


def test_a_graph_crosses_with_its_values_and_shares_what_both_sides_have():
    x, y = mg.variable(2.0, name="x"), mg.variable([1.0, 2.0], name="y")
    z = (mg.sin(x) * y).sum(axis=0).named("z")
    there = crossed([z, x], known=[x, y])
    assert there[1] is x
    assert isinstance(there[0], Node)
    assert (there[0].name, there[0].value) == ("z", z.value)
    assert [n.op.name for n in mg.topological_order(there[0]) if n.op] == ["sin", "multiply", "sum"]
    gradients = mg.grad(there[0], [x, y])
    wanted = [np.cos(2.0) * 3.0, np.full(2, np.sin(2.0))]
    for gradient, right in zip(gradients, wanted):
        np.testing.assert_allclose(gradient.value, right)


def test_a_deep_graph_crosses_without_recursion():
    y = x = mg.variable(1.0)
    for _ in range(20_000):
        y = y + x
    assert crossed(y, known=[x]).value == 20_001


def test_what_is_too_deep_too_large_or_endless_does_not_cross():
    own = []
    own.append(own)
    with pytest.raises(MessageError, match="too deep"):
        Packing().packed(own)
    with pytest.raises(MessageError, match="too large"):
        Packing().packed(np.zeros(2_000_000))
    with pytest.raises(MessageError, match="too large"):
        Packing().packed(iter(int, 1))
    assert crossed(-(16**99_999)) == -(16**99_999)
    for number in (16**100_001, Fraction(16**100_001, 3)):
        with pytest.raises(MessageError, match="too large"):
            Packing().packed(number)


@pytest.mark.parametrize(
    "message",
    [
        {}, [], [[]], ["unknown", 1], ["array", "O", [1], "AAAA"], ["array", "<f8", [10**12], ""],
        ["node", 0], ["node", -1], ["dict", [[["list", []], 1]]], ["int", "f" * 200_000],
        ["scalar", "<f8", "AA"], ["float64", "x"], ["nodes", [0]], ["slot"], ["list", 3],
        [["list"], 1],
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_and_not_believed(message):
    with pytest.raises(MessageError):
        Unpacking([]).unpacked(message)


@pytest.mark.parametrize(
    "row",
    [
        3, {}, [], ["add", [0], 1.0], ["add", [-1, -1], 1.0, None], ["sin", [9], 1.0, None],
        {"kind": "variable"}, {"kind": "variable", "value": "x"},
        {"op": "add", "inputs": [0, 1], "value": ["scalar", "<f8", "AAAAAAAAAAA="]},
        {"op": "nonsense", "inputs": [], "value": ["scalar", "<f8", "AAAAAAAAAAA="]},
    ],
)  # fmt: skip
def test_a_node_that_is_none_is_refused(row):
    with pytest.raises(MessageError):
        Unpacking([row])


def test_functions_that_are_not_to_be_called_are_found_inside():
    functions = {f for exercise in EXERCISES.values() for f in exercise.instead_of}
    for function in functions:
        module, _, path = address_of(function).partition(":")
        assert attrgetter(path)(import_module(module)) is function


# --- a conversation -------------------------------------------------------------------------------


def heard(*lines, function=lambda answered, told: {}):
    """A conversation in which a process has written these lines."""
    reading, writing = os.pipe()
    conversation = _Conversation([function, function])
    os.write(writing, b"".join(line.encode() + b"\n" for line in lines))
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as file:
        while conversation.receive(SimpleNamespace(stdout=file)):
            pass
    return conversation


def test_cases_are_answered_in_order_and_each_once():
    pairs = [(1, 0), (0, 1), (0, 2), (10**30, 3), (1, 4)]
    lines = [json.dumps({"question": 0, "case": case, "n": n}) for case, n in pairs]
    assert [case["n"] for case in heard(*lines).replies[0].cases] == [1, 4]


def test_a_question_is_answered_by_what_is_told_of_it_until_it_is_done():
    told = [(1, {"case": 0}), (0, {"done": True}), (0, {"case": 0}), (0, {"defined": True})]
    told += [(x, {"done": True, "case": 0}) for x in (2, -1, "1", None, True, 10**30, 1.0)]
    lines = [json.dumps({"question": n, **rest}) for n, rest in told]
    first, second = heard(*lines).replies
    assert (first.done, first.cases, first.defined) == (True, [], None)
    assert (second.done, len(second.cases)) == (False, 1)


@pytest.mark.parametrize("claim", [-5, 1e9, math.nan, math.inf, "x", None, 10**400])
def test_the_seconds_of_all_questions_are_those_that_the_process_has_computed(claim):
    lines = [json.dumps({"question": n, "done": True, "seconds": claim}) for n in (0, 1)]
    replies = heard(*lines).replies
    asking._share(0.75, replies)
    assert sum(x.seconds for x in replies) == 0.75
    assert all(x.seconds >= 0 for x in replies)


def test_what_would_take_much_memory_is_not_read(monkeypatch):
    monkeypatch.setattr(asking, "MOST_PIECES", 1000)
    assert not heard("[" + "[]," * 300 + "0]").too_much
    assert heard("[" + "[]," * 600 + "0]").too_much


def test_functions_that_are_arguments_begin_anew_for_each_process():
    question = Question(EXERCISES["learn_digits"], 3)
    weights = Packing().packed([np.zeros((65, 10))])
    for _ in range(2):
        ask = question.functions()
        replies = [ask(0, {"case": 0, "ask": 0, "args": weights, "nodes": []}) for _ in range(61)]
        assert ["raised" in reply for reply in replies] == [False] * 60 + [True]
        assert "raised" in ask(0, {"case": 1, "ask": 0, "args": weights, "nodes": []})
        assert "returned" in ask(1, {"case": 1, "ask": 0, "args": weights, "nodes": []})
        assert "raised" in ask(1, {"case": 0, "ask": 0, "args": weights, "nodes": []})


@pytest.mark.parametrize(
    "name", ["called", "changed", "printed", "raised", "told", "line", "grads"]
)
@pytest.mark.parametrize("value", [5, {}, [5], [[]], {"a": 1}, 1e999])
def test_whatever_is_claimed_beside_an_answer_is_no_fault(name, value):
    question = Question(EXERCISES["forward"], 3)
    reply = Reply([{"case": 0, "returned": 7, name: value}], defined=True)
    assert question.judged(reply, Limits()).state == "wrong"


@pytest.mark.skipif(sys.platform != "linux", reason="where memory can be limited")
def test_what_looks_for_a_cause_or_draws_takes_no_more_memory_than_what_compares(monkeypatch):
    def greedy(*_):
        return SimpleNamespace(key="much", hint="", memory=bytearray(2**31))

    question = Question(EXERCISES["forward"], 3)
    reply = Reply([{"case": 0, "returned": 7}], defined=True)
    for name in ("misconception_behind", "what_happened", "picture_of"):
        monkeypatch.setattr(verdicts, name, greedy)
    verdict = question.judged(reply, Limits())
    assert (verdict.state, verdict.misconception, verdict.picture) == ("wrong", "", "")
    assert verdict.parts


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("%%time\nx = 1", "\nx = 1"),
        ("%%bash\nrm -rf /", ""),
        ("x = 1\n%matplotlib inline\ny = 2", "x = 1\npass\ny = 2"),
        ("!pip install numpy", "pass"),
        ("def f():\n    %time g()\n    return 1", "def f():\n    g()\n    return 1"),
        ("files = !ls", "files = None"),
        ("forward?\nx = 1", "pass\nx = 1"),
        ("?forward", "pass"),
        ("!pip install \\\n  numpy \\\n  tqdm\nx = 1", "pass\n\n\nx = 1"),
        ("\n  x = 1\n  if x:\n    y = 2", "\nx = 1\nif x:\n  y = 2"),
        (">>> def f():\n...     return 1\n...\n>>> x = 1", "def f():\n    return 1\n\nx = 1"),
        ("x = 7 %\\\n 3", "x = 7 %\\\n 3"),
        ('x = """\n%time\n!ls\n"""', 'x = """\n%time\n!ls\n"""'),
    ],
)
def test_what_only_ipython_understands_is_left_out(cell, plain):
    assert plain_python(cell) == plain


# --- results --------------------------------------------------------------------------------------


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "|cmd", " =1", "\t=1", "%x", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_of_a_spreadsheet(text):
    assert guarded(text).startswith("'")
    within = f"anna;{text}"  # where a semicolon ends a cell
    assert guarded(within).split(";")[1].lstrip().startswith("'")
    assert guarded("anna; bob-1") == "anna; bob-1"


def test_every_student_has_a_folder_of_their_own():
    names = [
        "anna",
        "Anna",
        "ANNA",
        "../etc",
        "a/b",
        "a_b",
        "",
        ".",
        "con",
        "x" * 300,
        "🦉",
        "a\0b",
    ]
    folders = [folder_of(name) for name in names]
    assert len({x.lower() for x in folders}) == len(names)
    assert not any(set("/\\\0") & {*x} or x in ("", ".", "..") for x in folders)


# --- a class --------------------------------------------------------------------------------------


def results_of(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def verdicts_of(folder):
    """By student and exercise."""
    return {
        (student["student"], x["exercise"]): x["verdict"]
        for student in results_of(folder)["students"]
        for submission in student["submissions"]
        for x in submission.get("exercises", ())
    }


def test_a_second_run_judges_only_what_is_new_or_changed(tmp_path):
    submissions, results = tmp_path / "in", tmp_path / "out"
    write(
        submissions,
        {
            "anna/02.ipynb": SOLVED,
            "bob/02.ipynb": notebook(FIRST_CELL, 'check("forward", forward)'),
        },
    )
    options = Options(workers=1, sandbox=AROUND, quiet=True)
    first = judge(submissions, results, options)
    assert (first.judged, first.kept, first.complete) == (2, 0, True)
    assert verdicts_of(results)["anna", "forward"] == "right"
    assert results_of(results)["sandbox"]["name"] == AROUND
    write(submissions, {"bob/02.ipynb": notebook(FIRST_CELL, FORWARD.replace("*names", "a, b"))})
    second = judge(submissions, results, options)
    assert (second.judged, second.kept) == (1, 1)
    assert verdicts_of(results)["bob", "forward"] == "wrong"
    assert {"student": "bob", "exercise": "forward", "before": "missing", "after": "wrong"} in (
        results_of(results)["changes"]
    )
    third = judge(submissions, results, Options(1, sandbox=AROUND, quiet=True, again=("anna",)))
    assert (third.judged, third.kept, third.changes) == (1, 1, ())
    path = record_path(results, "anna", "02_forward_pass")
    whole = json.loads(path.read_bytes())
    no_rows = (json.dumps({**whole, "exercises": x}) for x in (None, [None], [[]], [{}]))
    for damaged in ("", "null", "[" * 10**5, "{}", *no_rows):
        path.write_text(damaged, encoding="utf-8")
        assert read_record(path) is None
    fourth = judge(submissions, results, options)
    assert (fourth.judged, fourth.kept) == (1, 1)
    assert verdicts_of(results)["anna", "forward"] == "right"


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["nowhere"], "nowhere is neither a folder nor a zip archive"),
        (["empty"], "there are no submissions in empty"),
        (["in", "--results", "in"], "in holds the submissions"),
        (["in", "--results", "file"], "file cannot be made: file exists"),
        (["in", "--results", "file/out"], "file/out cannot be made: not a directory"),
        (["in", "--again", "anna", "bob"], "there is no student 'bob' in in to judge again"),
        (["in", "--exercises", "nowhere"], "there is no folder nowhere of exercises"),
        (["in", "--exercises", "empty"], "there are no exercises in empty"),
        (["in", "--seed-file", "nowhere"], "nowhere cannot be read: there is no such file"),
        (["in", "--seed-file", "table.csv"], "table.csv has no column `student`"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIGRAPH_EXERCISES", "")
    write(tmp_path, {"in/anna/02.ipynb": SOLVED, "file": "x", "table.csv": "who,seed\nanna,1\n"})
    (tmp_path / "empty").mkdir()
    assert main(["judge", "--results", "out", "--sandbox", "none", *options]) == 1
    told = capsys.readouterr().err
    assert told.startswith("minigraph judge: ")
    assert says in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_that_is_none_is_told_so(capsys, number):
    with pytest.raises(SystemExit):
        main(["judge", "in", "--results", "out", f"--workers={number}"])
    assert f"'{number}' is no whole number above 0" in capsys.readouterr().err


# --- what is left behind --------------------------------------------------------------------------


def test_worlds_of_judges_that_were_killed_are_removed_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folders = {name: tmp_path / f"minigraph-judge-{name}" for name in ("left", "used", "new")}
    for folder in (*folders.values(), tmp_path / "mine"):
        write(folder, {"minigraph/__init__.py": ""})
        if folder.name != "minigraph-judge-new":
            os.utime(folder, (time.time() - 1000,) * 2)
    (tmp_path / "minigraph-judge-link").symlink_to(tmp_path / "mine")
    used = lock(folders["used"])
    sandboxes.remove_stale()
    left = {path.name.removeprefix("minigraph-judge-") for path in tmp_path.iterdir()}
    assert left == {"used", "new", "mine", "link"}
    os.close(used)
    sandboxes.remove_stale()
    assert not folders["used"].exists()
    assert folders["new"].exists()


def test_a_world_is_locked_until_it_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sandboxes, "_copy_engine", lambda target: None)
    world = sandboxes.World()
    os.utime(world.folder, (1e9, 1e9))
    sandboxes.remove_stale()
    assert world.folder.exists()
    world.remove()
    assert [*tmp_path.iterdir()] == []
