"""What all tests share: Hypothesis settings, PyTorch as a second opinion, a browser, and so on."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from dataclasses import replace
from functools import cache
from pathlib import Path

import browser
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from late import spared

from minigraph.course import attempt, checking, diagnosis
from minigraph.course.specification import Exercise

ROOT = Path(__file__).parents[1]

# A shell starts what runs in the background with interrupts ignored; some tests send them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every run, so that a red test is red again. Now and then look further with
# HYPOTHESIS_PROFILE=explore, and with another MINIGRAPH_SEED.
os.environ.setdefault(checking.SEED, "0")
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def torch():
    """PyTorch, or a skip that says how to get it."""
    module = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    module.set_num_threads(1)
    return spared(module)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def blank(chromium):
    """A page without network in which one test of a file after the other shows its widgets.

    Beside it what has gone wrong in it, and the kernel of what it shows.
    """
    page, problems, kernel = chromium.new_page(offline=True), [], {}
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page.expose_function("kernel", lambda message: kernel["of this page"](message))
    yield page, problems, kernel
    page.close()


@pytest.fixture(scope="session")
def window(chromium):
    """A window in which all that do not change JupyterLab itself open their notebooks."""
    return browser.window(chromium)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab: the folder that it serves, with all notebooks, and its address."""
    root = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "exercises"):
        shutil.copytree(ROOT / folder, root / folder)
    with browser.jupyterlab(root, tmp_path_factory.mktemp("scratch")) as address:
        yield root, address


@pytest.fixture(autouse=True, scope="session")
def quiet_arithmetic():
    """Infinities and NaN are compared here, not warned about."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module")
def rehearsed():
    """Each wrong program of the catalogue, and each reference, runs once on the same case.

    Else it would run for every answer that it is compared with. If it is checked itself, this run
    counts, too. Cases are drawn once for each seed.
    """
    found, right = {}, {}
    attempt_once, expected = attempt.attempt_once, attempt.expected

    def keep(exercise, program, tried):
        essence = replace(tried, case=(), arguments=(), returned=None)
        found[exercise, program, repr(tried.case)] = pickle.dumps(essence)

    def tried_now(exercise, program, *rest):
        tried = attempt_once(exercise, program, *rest)
        if any(program is way for m in exercise.misconceptions for way in m.programs):
            keep(exercise, program, tried)
        return tried

    def tried_once(exercise, program, case, *seconds):
        key = exercise, program, repr(case)
        if key not in found:
            keep(exercise, program, attempt_once(exercise, program, case, *seconds))
        return replace(pickle.loads(found[key]), case=case)  # a copy, as of another run

    def attempts(*args):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attempt, "attempt_once", tried_once)
            return attempt.attempts(*args)

    def expected_once(exercise, case):
        key = exercise, repr(case)
        if key not in right:
            right[key] = expected(exercise, case)
        return right[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exercise, "cases", cache(Exercise.cases))
        patch.setattr(diagnosis, "attempts", attempts)
        patch.setattr(attempt, "attempt_once", tried_now)
        patch.setattr(attempt, "expected", expected_once)
        yield attempts


@pytest.fixture(autouse=True)
def first_attempt():
    """Whatever failed before, each test makes its first attempt at every exercise."""
    checking.failures.clear()
