"""The map of the course: a picture with links, and what a learner has done."""

import re
from pathlib import Path
from xml.etree import ElementTree

import browser
import pytest

import minigraph as mg
from minigraph.course import progress
from minigraph.course.lessons import LESSONS, PARTS, Lesson
from minigraph.course.map import CourseMap
from minigraph.course.predictions import PREDICTIONS
from minigraph.course.progress import Progress
from minigraph.drawing.text import width
from minigraph.drawing.theme import DARK

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
SVG = "{http://www.w3.org/2000/svg}"
SOME = Progress(
    read={"00_start_here", "01_expressions_as_graphs"},
    predicted={
        "01_expressions_as_graphs": {"boxes_for_b": True, "a_moves_on": False, "of_old": True}
    },
    solved={"01_expressions_as_graphs": {"build_quotient", "count_paths"}},
)


PREDICTED = sum(x.lesson == "01_expressions_as_graphs" for x in PREDICTIONS.values())


def texts(known=None):
    """For each card its texts, by the number of the lesson."""
    tree = ElementTree.fromstring(CourseMap(known or Progress(), NOTEBOOKS).svg)
    cards = [["".join(t.itertext()) for t in g.iter(f"{SVG}text")] for g in tree.iter(f"{SVG}g")]
    return {card[0][:2]: card for card in cards}


def box_of(course_map, title):
    """The box of the card whose title begins like this."""
    cards = ElementTree.fromstring(course_map.svg).iter(f"{SVG}g")
    (card,) = (card for card in cards if "".join(card.itertext()).startswith(title))
    return card.find(f"{SVG}rect")


def links(course_map):
    return re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', course_map.html)


def test_each_lesson_is_a_card_with_its_question():
    cards = texts()
    assert list(cards) == [lesson.number for lesson in LESSONS.values()]
    for lesson in LESSONS.values():
        words = " ".join(cards[lesson.number])
        assert words.startswith(f"{lesson.number} {lesson.title}")
        assert lesson.plain_question in words
        assert f"{lesson.minutes} min" in words


def test_what_was_done_stands_on_the_cards():
    cards = texts(SOME)
    assert cards["00"][-1] == "✓"
    assert cards["01"][-3:] == [f"2 of {PREDICTED} predicted", "1 of 5 solved", "✓"]
    assert cards["02"][-3:] == ["20 min", "5 exercises", "next"]
    assert "✓" not in cards["03"]
    assert "Read: 00 and 01. Next: 02." in CourseMap(SOME, NOTEBOOKS).alt


def test_there_is_an_arrow_for_each_lesson_that_another_builds_on():
    tree = ElementTree.fromstring(CourseMap(Progress(), NOTEBOOKS).svg)
    heads = [path.get("d") for path in tree.iter(f"{SVG}path") if path.get("d").endswith("z")]
    assert len(heads) == sum(len(lesson.needs) for lesson in LESSONS.values())


def test_the_text_alternative_says_what_leads_to_what():
    assert "05 to 06 and 07" in CourseMap(Progress(), NOTEBOOKS).alt


def seventeen(monkeypatch):
    """A course of five parts, of which two are as long as a part may be."""

    def lesson(number, title, question):
        return Lesson(f"{number}_new", title, question, 45, 0, ("07_tensors",))

    network = "What does a neural network look like as a graph?"
    arrays = [
        lesson("08", "Neural networks", network),
        lesson("09", "Training", "How does the graph learn?"),
        lesson("10", "Dynamic graphs", "What if the graph depends on the data?"),
    ]
    last = [
        lesson("14", "Debugging", "Where did it go wrong?"),
        lesson("15", "Real frameworks", "Is this how PyTorch, JAX and ONNX do it?"),
        lesson("16", "Capstone", "What can I build with it?"),
    ]
    name = "Arrays and networks"
    monkeypatch.setitem(PARTS, name, (LESSONS["07_tensors"], *arrays))
    monkeypatch.setitem(PARTS, "In practice", (*last,))
    for row in (*arrays, *last):
        monkeypatch.setitem(LESSONS, row.stem, row)


@pytest.mark.skipif(browser.executable() is None, reason=browser.HOW_TO_GET)
@pytest.mark.parametrize("room", [572, 1000])  # beside a prompt and the side bar at 1024, at 1440
def test_seventeen_lessons_fit_on_a_laptop_and_can_be_read(chromium, monkeypatch, room):
    seventeen(monkeypatch)
    course_map = CourseMap(SOME, NOTEBOOKS)
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', course_map.svg)]
    page = chromium.new_page(viewport={"width": room, "height": 900})
    page.set_content(f"<body style='margin:0'>{course_map.html}</body>")
    picture = page.locator("img").bounding_box()
    scale = picture["width"] / page.locator("img").evaluate("(it) => it.naturalWidth")
    link = page.get_by_role("link", name="13 Parallelism and scale").bounding_box()
    page.close()
    assert picture["height"] <= 640
    assert picture["width"] <= room
    assert min(sizes) * scale >= 11
    top = scale * float(box_of(course_map, "13 Parallelism").get("y"))
    assert link["y"] == pytest.approx(top, abs=1)


def test_texts_stay_within_their_cards_and_beside_each_other(monkeypatch):
    seventeen(monkeypatch)
    tree = ElementTree.fromstring(CourseMap(SOME, NOTEBOOKS).svg)
    heads = [path.get("d") for path in tree.iter(f"{SVG}path") if path.get("d").endswith("z")]
    for card in tree.iter(f"{SVG}g"):
        box = card.find(f"{SVG}rect")
        left, top = float(box.get("x")), float(box.get("y"))
        right, bottom = left + float(box.get("width")), top + float(box.get("height"))
        rows = [float(text.get("y")) for text in card.iter(f"{SVG}text")]
        assert top + 6 < min(rows)
        assert max(rows) < bottom - 2
        for text in card.iter(f"{SVG}text"):
            words = "".join(text.itertext())
            bold = any(part.get("font-weight") for part in text)
            wide = width(words, float(text.get("font-size")), bold=bold)
            assert wide <= right - left - 12, words
        lines = [y for y in rows if rows.count(y) == 1]
        assert all(y - x > 12 for x, y in zip(sorted(lines), sorted(lines)[1:]))
    titles = [text for text in tree.findall(f"{SVG}text") if "".join(text.itertext()) in PARTS]
    assert len(titles) == len(PARTS)
    for head in heads:
        x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", head).groups())
        for title in titles:
            begin = float(title.get("x"))
            end = begin + width("".join(title.itertext()), float(title.get("font-size")), bold=True)
            is_beside = not begin - 4 < x < end + 4
            assert is_beside or abs(float(title.get("y")) - y) > 24


def test_every_lesson_and_all_exercises_are_links():
    found = dict(links(CourseMap(SOME, NOTEBOOKS)))
    assert found["01_expressions_as_graphs.ipynb"] == "01 Expressions as graphs, read"
    assert found["02_forward_pass.ipynb"] == "02 The forward pass, next"
    assert found.keys() >= {f"{stem}.ipynb" for stem in LESSONS}
    assert all((NOTEBOOKS / target).is_file() for target in found)


def test_links_lead_from_where_the_notebook_is(tmp_path):
    assert links(CourseMap(SOME, ROOT / "exercises"))[0][0] == "../notebooks/00_start_here.ipynb"
    assert links(CourseMap(SOME, tmp_path)) == []


def test_the_map_follows_a_dark_page():
    assert DARK.card in CourseMap(SOME, NOTEBOOKS).svg
    assert 'class="minigraph"' in CourseMap(SOME, NOTEBOOKS).html


def test_the_map_of_a_kernel_shows_its_learner(tmp_path, monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "progress.json"))
    monkeypatch.chdir(NOTEBOOKS)
    progress.note_read("00_start_here")
    shown = mg.course_map()
    assert "Next: notebooks/01_expressions_as_graphs.ipynb" in repr(shown)
    assert "00 Start here, read" in shown.html
    assert shown._repr_mimebundle_().keys() == {"text/html", "image/svg+xml", "text/plain"}


@pytest.mark.skipif(browser.executable() is None, reason=browser.HOW_TO_GET)
def test_links_lie_on_their_cards_at_every_width(chromium):
    page = chromium.new_page()
    for wide in (1200, 700):
        page.set_viewport_size({"width": wide, "height": 900})
        page.set_content(CourseMap(SOME, NOTEBOOKS).html)
        picture = page.locator("img").bounding_box()
        (scale,) = {
            round(picture["width"] / page.locator("img").evaluate("i => i.naturalWidth"), 3)
        }
        link = page.get_by_role("link", name="05 The backward pass").bounding_box()
        box = box_of(CourseMap(SOME, NOTEBOOKS), "05 The")
        assert link["x"] == pytest.approx(picture["x"] + scale * float(box.get("x")), abs=1)
        assert link["y"] == pytest.approx(picture["y"] + scale * float(box.get("y")), abs=1)
        assert link["width"] == pytest.approx(scale * float(box.get("width")), abs=1)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "00 Start here, read"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@pytest.mark.skipif(browser.executable() is None, reason=browser.HOW_TO_GET)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_map(chromium, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="audits pages")
    page = chromium.new_page(color_scheme=theme)
    page.set_content(f"<div id='map'>{CourseMap(SOME, NOTEBOOKS).html}</div>")
    found = axe.Axe().run(page, context="#map").response["violations"]
    page.close()
    assert [(broken["id"], broken["nodes"][0]["html"]) for broken in found] == []
