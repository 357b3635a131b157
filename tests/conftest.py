"""Fixtures for all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices
from hypothesis import settings

# No test fails for a busy machine; all else stays as it is, the fixed seed of a run with CI=true too.
settings.register_profile("rnncast", parent=settings(), deadline=None)
settings.load_profile("rnncast")


def pytest_configure(config: pytest.Config) -> None:
    """Tests side by side (-n) compute in one thread each, unless they ask for more: workers inherit the variables."""
    if config.getoption("tx", None):
        for name in ("RNNCAST_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side the slow tests come first: begun at the end, one of them would keep all the others waiting."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard() -> Iterator[None]:
    """A run in the background begins with SIGINT ignored, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to read from: prices.csv with 150 rows, and prices.npz, trained on those up to 2020-06-01."""
    folder = tmp_path_factory.mktemp("shared")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(5))
    got = call("train", prices, *QUICK, "-q", "--until", "2020-06-01", "-o", folder / "prices.npz")
    assert got.code == 0, got.err
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded generator: the same numbers in every run."""
    return np.random.default_rng(20240229)
