import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig
from rnncast.training.split import rows_needed, split_windows, without_short_series


@given(lengths=st.lists(st.integers(15, 80), min_size=1, max_size=4), horizon=st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_search_never_sees_a_target_of_the_validation_part(lengths, horizon):
    panel = make_panel({str(i): np.arange(1.0, n + 1) for i, n in enumerate(lengths)}, dated=False)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=horizon))
    for s in range(len(lengths)):
        search = split.search.ends[split.search.series == s]
        validation = split.validation.ends[split.validation.series == s]
        everything = split.everything.ends[split.everything.series == s]
        assert set(search) | set(validation) <= set(everything)
        assert everything.max(initial=0) + horizon <= panel.indptr[s + 1]
        if len(validation):
            assert search.max() + horizon <= validation.min()
        else:
            assert len(search) == len(everything)


def test_validation_part_is_the_last_share_of_a_long_series():
    panel = make_panel({"a": np.arange(1.0, 1001.0)})
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    assert split.validation.ends.min() == 800
    assert split.validation.ends.max() == 995
    assert split.search.ends.max() == 795


def test_one_short_series_is_an_error_with_figures():
    panel = make_panel({"a": np.arange(1.0, 13.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    assert rows_needed(config) == 15
    with pytest.raises(DataError, match=r"needs 15 rows.*there are 12"):
        without_short_series(panel, config, skip=True)


def test_short_series_of_a_panel_are_counted_and_can_be_left_out():
    panel = make_panel({"WTI": np.arange(1.0, 101.0), "BRENT": np.arange(1.0, 8.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    with pytest.raises(DataError, match='"BRENT" has 7') as caught:
        without_short_series(panel, config, skip=False)
    assert caught.value.where == "1 of 2 series"
    assert "--skip-bad" in caught.value.hint
    kept, left_out = without_short_series(panel, config, skip=True)
    assert kept.ids == ("WTI",)
    assert left_out == ("BRENT",)
