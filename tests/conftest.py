"""Fixtures for all tests."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded generator: the same numbers in every run."""
    return np.random.default_rng(20240229)
