import numpy as np
import pytest
from panels import make_panel

from rnncast.data.transform import working_series
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.training.search import gate, search
from rnncast.training.split import split_windows

WINDOWS = 400
SPREAD = np.array([1.0, 1.4, 1.7])
BLOCKS = np.arange(WINDOWS) // 20


def test_a_perfect_correction_is_used_whole(rng):
    targets = rng.standard_normal((3, WINDOWS))
    got = gate(targets, targets, SPREAD, BLOCKS)
    assert got.blend > 0.95
    assert got.relative_error < 0.05
    assert got.network_error == 0.0
    assert got.blocks == 20


def test_a_correction_that_is_too_bold_is_used_in_part(rng):
    signal = rng.standard_normal((3, WINDOWS))
    got = gate(signal + 0.3 * rng.standard_normal((3, WINDOWS)), 2.0 * signal, SPREAD, BLOCKS)
    assert 0.4 < got.blend < 0.6
    assert got.relative_error < 0.5 < got.network_error


def test_noise_is_mostly_shut_out_and_never_costs_anything_on_these_rows():
    blends = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        targets, correction = rng.standard_normal((3, WINDOWS)), 0.3 * rng.standard_normal((3, WINDOWS))
        got = gate(targets, correction, SPREAD, BLOCKS)
        assert got.relative_error <= 1.0 + 1e-12
        blends.append(got.blend)
    assert np.mean(np.array(blends) == 0.0) > 0.85
    assert np.mean(blends) < 0.01


def test_a_gain_in_one_block_of_time_is_no_evidence(rng):
    targets = rng.standard_normal((3, WINDOWS))
    correction = np.where(BLOCKS == 7, targets, 0.0)
    assert gate(targets, correction, SPREAD, BLOCKS).blend == 0.0


@pytest.mark.parametrize("blocks", [np.zeros(WINDOWS, dtype=int)], ids=["one block"])
def test_too_few_blocks_shut_the_gate(rng, blocks):
    targets = rng.standard_normal((3, WINDOWS))
    got = gate(targets, targets, SPREAD, blocks)
    assert got.blend == 0.0
    assert got.statistic is None


def test_naive_path_without_error_stays(rng):
    got = gate(np.zeros((3, WINDOWS)), rng.standard_normal((3, WINDOWS)), SPREAD, BLOCKS)
    assert got.blend == 0.0
    assert got.relative_error == 1.0


def test_intervals_of_a_price_are_learnt_though_its_path_is_not(rng):
    """Returns of mean zero whose volatility comes in calm and stormy spells that the window shows."""
    spells = np.repeat(np.where(rng.random(60) < 0.5, 0.003, 0.03), 50)
    panel = make_panel({"a": 100 * np.exp(np.cumsum(spells * rng.standard_normal(3000)))})
    config = NetworkConfig(cell="gru", hidden_size=8, input_size=20, horizon=5)
    training = TrainingConfig(members=1, max_epochs=12, epoch_updates=30)
    found = search(config, training, working_series(panel), split_windows(panel, config), lambda report: None)
    interval_losses = found.record["search_interval_losses"]
    assert found.blend < 0.2
    assert found.epochs > 0
    assert interval_losses[found.epochs] < interval_losses[0]
    assert found.record["validation"]["relative_mae"] >= 0.97
