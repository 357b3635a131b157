"""Groups of series and the blend of their medians."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, Blend, blended_median, describe_gate, groups_of, same_for_all, simple_path

CONFIG = NetworkConfig(input_size=20, horizon=5)
SEASONAL = NetworkConfig(input_size=20, horizon=5, season_length=4, channels=("level", "seasonal change"))
ROWS = CONFIG.context_rows


def series(rng, kind, count=40):
    noise = rng.standard_normal((ROWS, count))
    steps = np.arange(ROWS)[:, None]
    return {
        "standing still": np.cumsum(np.where(rng.random((ROWS, count)) < 0.4, 0.0, noise), axis=0),
        "seasonal": np.tile([2.0, 0.0, -2.0, 0.0], ROWS // 4)[:, None] + 0.5 * noise,
        "reverting": noise,
        "trending": steps + 0.3 * np.cumsum(noise, axis=0),
        "walking": np.cumsum(noise, axis=0),
    }[kind]


@pytest.mark.parametrize("kind", GROUPS)
def test_series_of_each_kind_are_told_apart(rng, kind):
    context = series(rng, kind)
    config = SEASONAL if kind == "seasonal" else CONFIG
    got = groups_of(config, context, np.full(context.shape[1], ROWS))
    assert np.mean(got == GROUPS.index(kind)) > 0.9


@given(st.integers(2, ROWS), st.sampled_from(GROUPS), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_group_depends_on_the_rows_that_count_and_on_no_unit(rows, kind, seed):
    context = series(np.random.default_rng(seed), kind, 3)
    padded = np.where(np.arange(ROWS)[:, None] < ROWS - rows, context[ROWS - rows], context)
    valid = np.full(3, rows)
    got = groups_of(SEASONAL, padded, valid)
    np.testing.assert_array_equal(got, groups_of(SEASONAL, 1024.0 * padded, valid))
    np.testing.assert_array_equal(got[:1], groups_of(SEASONAL, padded[:, :1], valid[:1]))


def test_each_window_gets_the_blend_of_its_group(rng):
    context = np.concatenate((series(rng, "reverting", 2), series(rng, "trending", 2)), axis=1)
    context -= context[-1]
    network = rng.standard_normal((5, 4))
    blends = {**dict.fromkeys(GROUPS, Blend("last value", 0.0)), "reverting": Blend("last value", 1.0)}
    blends["trending"] = Blend("drift", 0.25)
    valid = np.full(4, ROWS)
    gate, group = tuple(blends[name] for name in GROUPS), groups_of(CONFIG, context, valid)
    got = blended_median(gate, CONFIG, context, valid, group, network)
    np.testing.assert_array_equal(got[:, :2], network[:, :2])
    drift = simple_path("drift", CONFIG, context, np.full(4, ROWS))
    np.testing.assert_allclose(got[:, 2:], (0.25 * network + 0.75 * drift)[:, 2:])


def test_without_weight_the_last_value_comes_back_to_the_bit(rng):
    context = rng.standard_normal((ROWS, 3))
    gate, valid = same_for_all(Blend("last value", 0.0)), np.full(3, ROWS)
    got = blended_median(gate, CONFIG, context, valid, np.arange(3), np.full((5, 3), np.nan))
    np.testing.assert_array_equal(got, np.repeat(context[-1:], 5, axis=0))


def test_simple_paths_look_at_the_last_rows_alone(rng):
    context = rng.standard_normal((ROWS, 3))
    other = context.copy()
    other[: -CONFIG.baseline_rows] = 1e6
    for name in ("drift", "theta", "damped trend"):
        got = [simple_path(name, CONFIG, rows, np.full(3, ROWS)) for rows in (context, other)]
        np.testing.assert_array_equal(*got)


@pytest.mark.parametrize("blend", [("magic", 0.5), ("drift", 1.5), ("drift", float("nan"))])
def test_blend_that_is_none_is_refused(blend):
    with pytest.raises(ValueError, match="expected 0 to 1, one of last value"):
        Blend(*blend)


def test_gate_in_words():
    assert describe_gate(same_for_all(Blend("theta", 0.0))) == "theta alone"
    assert describe_gate(same_for_all(Blend("last value", 0.25))) == "25% network, 75% last value"
    mixed = (Blend("drift", 0.0), *same_for_all(Blend("last value", 1.0))[1:])
    assert describe_gate(mixed) == (
        "drift alone for series standing still; 100% network, 0% last value for series seasonal, reverting, trending, "
        "walking"
    )
