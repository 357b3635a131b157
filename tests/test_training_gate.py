import numpy as np
import pytest

from rnncast.training.gate import gate

WINDOWS = 400
SPREAD = np.array([1.0, 1.4, 1.7])
BLOCKS = np.arange(WINDOWS) // 20


def test_a_perfect_correction_is_used_whole(rng):
    targets = rng.standard_normal((3, WINDOWS))
    got = gate(targets, targets, SPREAD, BLOCKS)
    assert got.blend > 0.95
    assert got.relative_error < 0.06
    assert got.network_error == 0.0
    assert got.blocks == 20


def test_a_correction_that_is_too_bold_is_used_in_part(rng):
    signal = rng.standard_normal((3, WINDOWS))
    got = gate(signal + 0.3 * rng.standard_normal((3, WINDOWS)), 2.0 * signal, SPREAD, BLOCKS)
    assert 0.4 < got.blend < 0.6
    assert got.relative_error < 0.5 < got.network_error


@pytest.mark.parametrize(("held_out", "most"), [(60, 0.08), (400, 0.03)], ids=["few blocks", "many blocks"])
def test_gate_seldom_opens_on_a_random_walk(held_out, most):
    """Overlapping windows of a walk, and a correction that is a small fixed drift: there is nothing to find."""
    horizon, opened = 10, 0
    steps = np.arange(1, horizon + 1)[:, None]
    spread = np.sqrt(2 / np.pi * np.arange(1, horizon + 1))
    for seed in range(300):
        walk = np.cumsum(np.random.default_rng(seed).standard_normal(held_out + 1))
        ends = np.arange(held_out - horizon + 1)
        targets = walk[ends + steps] - walk[ends]
        got = gate(targets, 0.1 * steps * np.ones_like(targets), spread, ends // horizon)
        assert got.relative_error <= 1.0 + 1e-12
        opened += got.blend > 0
    assert opened / 300 < most


def test_a_gain_in_one_block_of_time_is_no_evidence(rng):
    targets = rng.standard_normal((3, WINDOWS))
    correction = np.where(BLOCKS == 7, targets, 0.0)
    assert gate(targets, correction, SPREAD, BLOCKS).blend == 0.0


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_blocks_shut_the_gate(rng, count):
    targets = rng.standard_normal((3, WINDOWS))
    got = gate(targets, targets, SPREAD, np.arange(WINDOWS) * count // WINDOWS)
    assert got.blend == 0.0
    assert got.statistic is None


def test_naive_path_without_error_stays(rng):
    got = gate(np.zeros((3, WINDOWS)), rng.standard_normal((3, WINDOWS)), SPREAD, BLOCKS)
    assert got.blend == 0.0
    assert got.relative_error == 1.0


def test_block_that_holds_few_windows_does_not_count(rng):
    targets = rng.standard_normal((3, WINDOWS))
    blocks = np.where(np.arange(WINDOWS) == 0, 99, BLOCKS)
    assert gate(targets, targets, SPREAD, blocks).blocks == 20
