"""What all tests share: Hypothesis settings, PyTorch as a second opinion, quiet arithmetic."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from minigraph.course import checking

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
    return module


@pytest.fixture(autouse=True, scope="session")
def quiet_arithmetic():
    """Infinities and NaN are compared here, not warned about."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(autouse=True)
def first_attempt():
    """Whatever failed before, each test makes its first attempt at every exercise."""
    checking.failures.clear()
