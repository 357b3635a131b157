import numpy as np
import pytest
from panels import make_panel

from rnncast.data.transform import working_series
from rnncast.model.config import INTERVAL_LOSSES, NetworkConfig, TrainingConfig
from rnncast.training.search import search
from rnncast.training.split import split_windows


@pytest.mark.parametrize("loss", INTERVAL_LOSSES)
def test_intervals_of_a_price_are_learnt_though_its_path_is_not(rng, loss):
    """Returns of mean zero whose volatility comes in calm and stormy spells that the window shows."""
    spells = np.repeat(np.where(rng.random(60) < 0.5, 0.003, 0.03), 50)
    panel = make_panel({"a": 100 * np.exp(np.cumsum(spells * rng.standard_normal(3000)))})
    config = NetworkConfig(cell="gru", hidden_size=8, input_size=20, horizon=5, loss=loss)
    training = TrainingConfig(members=1, max_epochs=12, epoch_updates=30)
    found = search(config, training, working_series(panel), split_windows(panel, config), lambda report: None)
    interval_losses = found.record["search_interval_losses"]
    assert found.blend < 0.2
    assert found.epochs > 0
    assert interval_losses[found.epochs] < interval_losses[0]
    assert found.record["validation"]["relative_mae"] >= 0.97
