"""What the judge hands back: pages for students, without answers, and the page of the class."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import unquote

import browser
import made_up_class
import pytest
from made_up_class import HEAD, exercises_of, judged, random_class, student, unreadable

from minigraph.errors import FileError
from minigraph.graph import files
from minigraph.judge.pages import Pages

LESSON = "02_forward_pass"
WARNING = "Judged without a sandbox: believe nothing."
UNPROTECTED = HEAD | {"sandbox": HEAD["sandbox"] | {"name": "none", "warning": WARNING}}
HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)>"' onclick='x &lt;b&gt; ]]>-->"""
VOID = {"meta", "br", "img", "line", "rect"}


def pages_of(results, students, lessons=made_up_class.LESSONS, head=HEAD):
    """Write the records of students, and then their pages; return the text of the class's page."""
    students = [*students]
    for one in students:
        for submission in one["submissions"]:
            if "record" in submission:
                path = results / submission["record"]
                path.parent.mkdir(parents=True, exist_ok=True)
                record = {"format": "minigraph record", "version": 1, "digest": "", "judged_by": ""}
                path.write_text(json.dumps(record | {"student": one["student"]} | submission))
    pages = Pages(results, head, exercises_of(lessons))
    assert [*pages.passing(students)] == students
    pages.close()
    return (results / "class.html").read_text("utf-8")


class Page(HTMLParser):
    """A page as a browser reads it: its tags with their attributes, its text, and its tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.texts.append(data)
            if "tr" in self.open and {"td", "th"} & {*self.open}:
                self.tables[-1][-1][-1] += data

    @property
    def text(self):
        return "".join(self.texts)

    def all(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


def feedback_files(results):
    return sorted(results.glob("feedback/*/*.html"))


# --- the class ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 120])
def test_the_counts_of_the_class_are_those_of_its_records(tmp_path, count):
    students = [*random_class(count, seed=count)]
    page = Page(pages_of(tmp_path, students))
    exercises = exercises_of(made_up_class.LESSONS)
    given = [
        {x["exercise"]: x for row in one["submissions"] for x in row["exercises"]}
        for one in students
    ]
    by_exercise, misconceptions = page.tables[0], page.tables[1]
    assert by_exercise[0][:6] == [
        "exercise", "points", "right", "not right", "not started", "missing",
    ]  # fmt: skip
    for exercise, row in zip(exercises, by_exercise[1:], strict=True):
        verdicts = Counter(of.get(exercise.name, {"verdict": "missing"})["verdict"] for of in given)
        wrong = verdicts["wrong"] + verdicts["crashed"]
        counts = [verdicts["right"], wrong, verdicts["not started"], verdicts["missing"]]
        assert row[0] == f"{exercise.title} {exercise.name}"
        assert list(map(int, row[1:6])) == [exercise.points, *counts]
    found = Counter(
        (x["exercise"], x["misconception"])
        for of in given
        for x in of.values()
        if x["misconception"]
    )
    known = {(e.name, m.key): m.hint for e in exercises for m in e.misconceptions}
    listed = {}
    for number, exercise, told in misconceptions[1:]:
        key = next((k for e, k in known if e == exercise and told.startswith(k)), None)
        if key and (exercise, key) in found:
            listed[exercise, key] = int(number)
    assert listed == found
    assert len(page.tables[-1]) == count + 1
    for one, row in zip(students, page.tables[-1][1:], strict=True):
        assert row[:2] == [one["student"], str(one["points"])]


def test_each_student_is_named_with_the_hint_they_met(tmp_path):
    students = [*random_class(40, seed=7)]
    text = pages_of(tmp_path, students)
    section = text.split('id="misconceptions"')[1].split("</section>")[0]
    rows = re.findall("<tr>.*?</tr>", section.split("<tbody>")[1])
    rows = [Page(f"<table>{row}</table>") for row in rows]
    who = Counter()
    for row in rows:
        for name in re.findall(r"student-\d+", row.text):
            who[name] += 1
    expected_who = Counter()
    for one in students:
        for submission in one["submissions"]:
            for x in submission["exercises"]:
                expected_who[one["student"]] += x["verdict"] in ("wrong", "crashed")
    assert who == +expected_who


def test_who_has_fewer_than_half_of_the_points_is_named_the_weakest_first(tmp_path):
    rows = exercises_of((LESSON,))
    right = [judged(x, "right") for x in rows]
    none = [judged(x, "not started") for x in rows]
    students = [
        student("good", {LESSON: right}),
        student("weak", {LESSON: [*right[:1], *none[1:]]}),
        student("lost", {}, submissions=[unreadable("lost/essay.pdf")]),
    ]
    text = pages_of(tmp_path, students, (LESSON,))
    section = Page("<section>" + text.split('id="help">')[1].split("</section>")[0] + "</section>")
    assert re.findall("good|weak|lost", section.text) == ["lost", "weak"]
    assert "nothing that could be judged" in section.text
    assert "4 of 5 exercises not started" in section.text
    assert "lost/essay.pdf of lost: it is no notebook" in Page(text).text
    (unread,) = (tmp_path / "feedback/lost").iterdir()
    assert "it is no notebook" in Page(unread.read_text("utf-8")).text


def test_warnings_stand_on_every_page(tmp_path):
    students = [*random_class(3), student("x", {}, submissions=[unreadable("x/y.zip")])]
    pages_of(tmp_path, students, head=UNPROTECTED | {"complete": False})
    pages = [tmp_path / "class.html", *feedback_files(tmp_path)]
    assert len(pages) > 4
    for path in pages:
        assert WARNING in path.read_text("utf-8")
    assert "interrupted" in (tmp_path / "class.html").read_text("utf-8")


def test_what_has_changed_is_listed(tmp_path):
    change = {"student": "anna", "exercise": "forward", "before": "wrong", "after": "right"}
    page = Page(pages_of(tmp_path, random_class(2), head=HEAD | {"changes": [change]}))
    assert ["anna", "forward", "wrong", "right"] in [row for table in page.tables for row in table]


def test_the_same_results_give_the_same_pages_which_are_not_written_again(tmp_path):
    students = [*random_class(4)]
    pages_of(tmp_path, students)
    written = [tmp_path / "class.html", *feedback_files(tmp_path)]
    before = {path: (path.read_bytes(), path.stat().st_ino) for path in written}
    pages_of(tmp_path, students)
    assert {path: (path.read_bytes(), path.stat().st_ino) for path in written} == before


def test_a_page_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    pages_of(tmp_path, random_class(2))
    before = (tmp_path / "class.html").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FileError, match=r"feedback|class\.html"):
        pages_of(tmp_path, random_class(2, seed=5))
    assert (tmp_path / "class.html").read_bytes() == before
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".tmp"] == []


# --- whatever a student writes --------------------------------------------------------------------


def hostile_class():
    rows = [judged(x, "wrong", x.misconceptions[0].key) for x in exercises_of((LESSON,))]
    for row in rows:
        row["parts"] = [
            {"text": HOSTILE, "label": HOSTILE, "code": HOSTILE},
            {"text": "[a link](evil.ipynb) `code` *star* \x1b[31m \u202e \x00 \ud800"},
        ]
        row["hint"] = HOSTILE
    one = student(HOSTILE, {LESSON: rows})
    for submission in one["submissions"]:
        submission |= {"note": HOSTILE, "file": HOSTILE}
    one["submissions"].append(unreadable(HOSTILE, HOSTILE))
    return [one]


def test_no_text_of_a_student_is_markup(tmp_path):
    changes = [dict.fromkeys(("student", "exercise", "before", "after"), HOSTILE)]
    text = pages_of(tmp_path, hostile_class(), (LESSON,), HEAD | {"changes": changes})
    (feedback,) = feedback_files(tmp_path)
    tame = pages_of(tmp_path / "tame", random_class(1), (LESSON,))
    for page, scripts in ((Page(text), 1), (Page(feedback.read_text("utf-8")), 0)):
        assert [tag for tag, _ in page.tags].count("script") == scripts
        assert {*map(str.lower, (k for _, attrs in page.tags for k in attrs))}.isdisjoint(
            {"onclick", "onerror", "srcdoc"}
        )
        assert all(src.startswith("data:image/svg+xml;base64,") for src in page.all("src"))
        assert HOSTILE in page.text
        assert not re.search("[\x00\x1b\u202e\ud800]", page.text)
        for href in page.all("href"):
            assert not re.match(r"[a-z]+:|//|.*evil", href)
    assert text.split("<script>")[1] == tame.split("<script>")[1]


NAMES = (
    "../../etc/passwd", "..", ".", "/root", "a/b", "a\\b", "C:\\x", "con", "CON", "nul.txt", "aux.",
    "", " ", "Anna", "anna", "ANNA", "Ánna", "A\u0301nna", "學生", "🦉" * 200, "x" * 500, "a\x00b",
    "a\nb", "-rf", "=1+1", "anna.", "anna ", "<b>", "%2e%2e", "~", "\ud800",
)  # fmt: skip


def test_every_name_has_a_file_of_its_own_inside_of_the_results(tmp_path):
    rows = [judged(x, "right") for x in exercises_of((LESSON,))]
    results = tmp_path / "results"
    results.mkdir()
    text = pages_of(results, [student(x, {LESSON: rows}) for x in NAMES], (LESSON,))
    written = feedback_files(results)
    assert len(written) == len({str(path).casefold() for path in written}) == len(NAMES)
    assert [*tmp_path.iterdir()] == [results]
    reserved = {"con", "aux", "nul", "prn"}
    for path in written:
        name = path.parent.name
        assert len(name.encode()) <= 255
        assert name.split(".")[0].lower() not in reserved
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|[ .]$', name)
    links = [href for href in Page(text).all("href") if href.startswith("feedback/")]
    assert {results / unquote(link) for link in links} == {*written}


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown(tmp_path_factory, request):
    """Shows a file in a window of some colours and width, and says what went on there."""
    pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")
    if browser.executable() is None:
        pytest.skip(browser.HOW_TO_GET)
    page = browser.window(request.getfixturevalue("chromium")).new_page()
    happened = []
    page.on("request", lambda it: it.url.startswith("data:") or happened.append(it.url))
    page.on("console", lambda it: happened.append(it.text))
    page.on("dialog", lambda it: (happened.append("dialog"), it.dismiss()))

    def show(path, scheme="light", width=1440):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        assert happened == [path.as_uri()]  # nothing was loaded, nothing complained, nothing ran
        happened.clear()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0
        return page

    yield show
    page.context.close()


def a_class_with_everything(results):
    """The page of the class, and one with a picture for a student."""
    students = [*random_class(6, seed=2)]
    students[0]["submissions"][0] |= {"late": True, "note": "the newest of 2 versions"}
    students[1]["submissions"].append(unreadable("essay.pdf"))
    change = {"student": "anna", "exercise": "forward", "before": "wrong", "after": "right"}
    pages_of(results, students, head=UNPROTECTED | {"changes": [change]})
    with_picture = (x for x in feedback_files(results) if "data:image" in x.read_text("utf-8"))
    return results / "class.html", next(with_picture)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(tmp_path, shown, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for path in a_class_with_everything(tmp_path):
        found = axe.Axe().run(shown(path, scheme, 1024)).response["violations"]
        assert [(x["id"], [n["html"] for n in x["nodes"]]) for x in found] == []


def test_pages_load_nothing_run_nothing_of_a_student_and_fit_a_telephone(tmp_path, shown):
    pages_of(tmp_path / "hostile", hostile_class(), (LESSON,))
    paths = [*a_class_with_everything(tmp_path), tmp_path / "hostile/class.html"]
    for path in [*paths, *feedback_files(tmp_path / "hostile")]:
        shown(path, width=400)


def test_a_click_on_a_title_sorts_and_another_turns_it_around(tmp_path, shown):
    students = [*random_class(12, seed=2)]
    pages_of(tmp_path, students)
    page = shown(tmp_path / "class.html")
    rows = "[...document.querySelectorAll('#students tbody tr')]"
    button = page.locator("#students thead button").nth(1)
    button.click()
    in_order = sorted(x["points"] for x in students)
    assert page.evaluate(f"{rows}.map((row) => +row.cells[1].textContent)") == in_order
    button.click()
    assert page.evaluate(f"{rows}.map((row) => +row.cells[1].textContent)") == in_order[::-1]
