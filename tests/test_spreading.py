"""Which tests are spread over processes, and what stays together."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("xdist", reason="spreads tests: pip install pytest-xdist")
ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("spreading", ROOT / "conftest.py")
spreading = importlib.util.module_from_spec(spec)
spec.loader.exec_module(spreading)


def settled(*args, **said):
    """What becomes of pytest's options."""
    options = {"numprocesses": None, "maxprocesses": None, "dist": "no", "keyword": "",
               "markexpr": "", "usepdb": False, "loadscopereorder": True}  # fmt: skip
    config = SimpleNamespace(option=SimpleNamespace(**options | said), args=[*args])
    spreading.pytest_cmdline_main(config)
    return config.option


FOLDERS = [str(ROOT / name) for name in ("tests", "notebooks", "solutions")]


@pytest.mark.parametrize(("there", "expected"), [(1, 2), (2, 3), (16, 4)])
def test_folders_are_spread_over_the_processors_and_one_more(monkeypatch, there, expected):
    monkeypatch.setattr(spreading, "processors", lambda: there)
    for args in (FOLDERS, FOLDERS[:1], [FOLDERS[1], __file__]):
        options = settled(*args)
        assert options.numprocesses == expected
        assert (options.dist, options.loadscopereorder) == ("loadfile", False)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([__file__], {}),
        ([f"{__file__}::test_files_that_are_put_first_exist"], {}),
        (FOLDERS, {"keyword": "typed"}),
        (FOLDERS, {"usepdb": True}),
    ],
)
def test_what_starts_sooner_in_one_process_stays_there(args, said):
    assert settled(*args, **said).numprocesses is None


def test_what_the_user_says_is_done():
    assert settled(*FOLDERS, numprocesses=0).numprocesses == 0
    three = settled(__file__, numprocesses=3)
    assert (three.numprocesses, three.dist) == (3, "loadfile")  # or notebooks would be torn apart
    assert settled(*FOLDERS, numprocesses=3, dist="load").dist == "load"
    assert settled(*FOLDERS, maxprocesses=1).numprocesses == 1


def test_a_process_among_others_starts_none_of_its_own():
    config = SimpleNamespace(
        option=SimpleNamespace(numprocesses=None), args=FOLDERS, workerinput={}
    )
    spreading.pytest_cmdline_main(config)
    assert config.option == SimpleNamespace(numprocesses=None)


def test_without_xdist_nothing_is_asked_for():
    config = SimpleNamespace(option=SimpleNamespace(), args=FOLDERS)
    spreading.pytest_cmdline_main(config)
    assert config.option == SimpleNamespace()


def test_files_that_are_put_first_exist():
    assert [name for name in spreading.FIRST if not (ROOT / name).is_file()] == []


def test_a_notebook_and_what_shares_a_jupyterlab_stay_together():
    parts = [
        spreading.part_of(test)
        for test in (
            "notebooks/00_start_here.ipynb::Cell 0",
            "notebooks/00_start_here.ipynb::Cell 1",
            "tests/test_browser.py::test_an_error_in_a_cell_is_noticed",
            "tests/test_fit.py::test_every_prediction_fits_a_laptop",
            "tests/test_plot.py::test_any",
        )
    ]
    assert len({*parts}) == 3
    assert parts[0] == parts[1]
    assert parts[2] == parts[3]


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="alone in its process: -n 2")
def test_a_process_among_others_makes_no_grammar_of_addresses():
    assert "jsonschema" in sys.modules  # it is what would
    assert sys.modules[spreading.GRAMMAR] is None
