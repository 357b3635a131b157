"""The gate: what is left of a network's weight, by evidence; which simple path it is held against."""

import numpy as np
import pytest

from rnncast.baselines.batch import PATHS
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, groups_of
from rnncast.training.gate import FEWEST_STRETCHES, best_baseline, find_gate, kept
from rnncast.training.outlook import Outlook

WINDOWS = 400
SPREAD = np.array([1.0, 1.4, 1.7])
CLOCK = np.arange(WINDOWS) // 20
CONFIG = NetworkConfig(input_size=20, horizon=3)


def outlook_of(actual, network, clock=CLOCK, context=None, spread=SPREAD, config=CONFIG):
    """Windows whose naive path is zero; histories that stand still unless a context is given."""
    rows = np.zeros((config.context_rows, actual.shape[1])) if context is None else context
    valid = np.full(actual.shape[1], len(rows))
    group = groups_of(config, rows, valid)
    return Outlook(actual, np.zeros_like(actual), network, np.ones_like(actual), rows, valid, group, clock, spread, 1e9)


def judged(*arguments, config=CONFIG, **named):
    gate, records = find_gate(config, outlook_of(*arguments, **named))
    assert len(gate) == len(GROUPS)
    assert len(records) == 1
    assert {(blend.baseline, blend.share) for blend in gate} == {(records[0]["baseline"], records[0]["blend"])}
    return records[0]


def test_a_perfect_network_is_used_whole(rng):
    actual = rng.standard_normal((3, WINDOWS))
    got = judged(actual, actual)
    assert got["blend"] > 0.95
    assert got["blended_relative_mae"] < 0.06
    assert got["network_relative_mae"] == 0.0
    assert (got["windows"], got["blocks"]) == (WINDOWS, 20)


def test_a_network_that_is_too_bold_is_used_in_part(rng):
    signal = rng.standard_normal((3, WINDOWS))
    got = judged(signal + 0.3 * rng.standard_normal((3, WINDOWS)), 2.0 * signal)
    assert 0.4 < got["blend"] < 0.6
    assert got["blended_relative_mae"] < 0.5 < got["network_relative_mae"]


@pytest.mark.parametrize(
    ("held_out", "walks", "most"), [(60, 60, 0.08), (400, 40, 0.05)], ids=["few stretches", "many stretches"]
)
def test_gate_seldom_opens_on_a_random_walk(held_out, walks, most):
    """Overlapping windows of a walk, and a network that says a small fixed drift: there is nothing to find."""
    horizon, opened, others = 10, 0, 0
    config = NetworkConfig(input_size=20, horizon=horizon)
    steps = np.arange(1, horizon + 1)[:, None]
    spread = np.sqrt(2 / np.pi * np.arange(1, horizon + 1))
    for seed in range(walks):
        walk = np.cumsum(np.random.default_rng(seed).standard_normal(config.context_rows + held_out + 1))
        ends = np.arange(config.context_rows, len(walk) - horizon)
        actual = walk[ends + steps] - walk[ends]
        network = 0.1 * steps * np.ones_like(actual)
        context = walk[ends + np.arange(1 - config.context_rows, 1)[:, None]] - walk[ends]
        view = outlook_of(actual, network, (ends - ends[0]) // horizon, context, spread, config)
        gate, _ = find_gate(config, view)
        opened += any(blend.share > 0 for blend in gate)
        others += any(blend.baseline != "last value" for blend in gate)
    assert opened / walks < most
    assert others / walks < 0.05


def test_a_gain_in_one_stretch_of_time_is_no_evidence(rng):
    actual = rng.standard_normal((3, WINDOWS))
    assert judged(actual, np.where(CLOCK == 7, actual, 0.0))["blend"] == 0.0


@pytest.mark.parametrize("count", [1, FEWEST_STRETCHES - 1])
def test_too_few_stretches_shut_the_gate(rng, count):
    actual = rng.standard_normal((3, WINDOWS))
    got = judged(actual, actual, np.arange(WINDOWS) * count // WINDOWS)
    assert got["blend"] == 0.0
    assert got["t_statistic"] is None


def test_too_few_stretches_of_a_season_leave_it_to_holt_winters(rng):
    """A trend and a season: nothing can be judged, and each series bears out by itself what the last season misses."""
    config = NetworkConfig(input_size=20, horizon=4, season_length=4, channels=("level", "seasonal change"))
    rows = config.context_rows
    series = np.arange(rows + 4.0)[:, None] + np.tile([3.0, 1.0, -2.0, -2.0], rows)[: rows + 4, None]
    series = series + 0.3 * rng.standard_normal((rows + 4, 60))
    series -= series[rows - 1]
    naive = series[rows - 4 : rows]
    actual, context = series[rows:], series[:rows]
    group, valid, few = np.full(60, GROUPS.index("seasonal")), np.full(60, rows), np.arange(60) // 20
    ones = np.ones(actual.shape)
    outlook = Outlook(actual, naive, naive, ones, context, valid, group, few, ones[:, 0], 1e9)
    (got,) = find_gate(config, outlook)[1]
    assert (got["baseline"], got["blend"]) == ("Holt-Winters", 0.0)
    assert got["baseline_relative_mae"] < 0.3


def test_naive_path_without_error_stays(rng):
    got = judged(np.zeros((3, WINDOWS)), rng.standard_normal((3, WINDOWS)))
    assert (got["baseline"], got["blend"], got["blended_relative_mae"]) == ("last value", 0.0, 1.0)


def test_stretch_that_holds_few_windows_does_not_count(rng):
    actual = rng.standard_normal((3, WINDOWS))
    assert judged(actual, actual, np.where(np.arange(WINDOWS) == 0, 99, CLOCK))["blocks"] == 20


def test_network_is_held_against_the_simple_path_that_clearly_beats_the_naive_one(rng):
    """Lines with noise: drift is right, and a network that knows half of it adds nothing to it."""
    slopes = rng.choice([-1.0, 1.0], WINDOWS)
    rows = np.arange(-CONFIG.context_rows + 1, 1)[:, None] * slopes + 0.1 * rng.standard_normal(
        (CONFIG.context_rows, WINDOWS)
    )
    context = rows - rows[-1]
    steps = np.arange(1, 4)[:, None]
    actual = steps * slopes + 0.1 * rng.standard_normal((3, WINDOWS))
    got = judged(actual, 0.5 * steps * slopes, context=context)
    assert got["baseline"] in ("drift", "theta", "damped trend")
    assert got["baseline_relative_mae"] < 0.2
    assert got["blend"] < 0.1
    assert got["network_relative_mae"] == pytest.approx(0.5, abs=0.05)


def test_best_baseline_needs_a_clear_gain(rng):
    naive = 1.0 + 0.1 * rng.standard_normal(WINDOWS)
    errors = {"last value": naive, "drift": naive - 0.001 * rng.standard_normal(WINDOWS), "theta": naive - 0.02}
    errors["theta"] += 0.01 * rng.standard_normal(WINDOWS)
    assert best_baseline(errors, "last value", CLOCK) == "theta"
    errors["theta"] = naive - 0.02 + 0.5 * rng.standard_normal(WINDOWS)
    assert best_baseline(errors, "last value", CLOCK) == "last value"


def test_groups_are_judged_each_by_itself(rng):
    """Half of the windows swing with a season that the network knows; the others walk, and it knows nothing of them."""
    config = NetworkConfig(input_size=20, horizon=3, season_length=4, channels=("level", "seasonal change"))
    rows = config.context_rows
    walks = np.cumsum(rng.standard_normal((rows + 3, WINDOWS // 2)), axis=0)
    swings = np.tile([3.0, 1.0, -2.0, -2.0], rows)[: rows + 3, None] + 0.3 * rng.standard_normal(
        (rows + 3, WINDOWS // 2)
    )
    both = np.concatenate((walks, swings), axis=1)
    both -= both[rows - 1]
    clock = np.tile(np.arange(WINDOWS // 2) // 10, 2)
    actual, context = both[rows:], both[:rows]
    network = np.where(np.arange(WINDOWS) < WINDOWS // 2, rng.standard_normal((3, WINDOWS)), actual)
    gate, records = find_gate(config, outlook_of(actual, network, clock, context, config=config))
    blends = dict(zip(GROUPS, gate, strict=True))
    assert blends["seasonal"].share > 0.9
    assert blends["walking"].share < 0.1
    assert [record["group"] for record in records] == ["seasonal", "walking", "all others"]
    assert set(PATHS) >= {record["baseline"] for record in records}


@pytest.mark.parametrize(
    ("statistic", "stretches", "expected"),
    [(None, 9, 0.0), (-5.0, 9, 0.0), (1.0, 9, 0.0), (2.0, 101, 1 - 2 * 1.02 / 4), (1e9, 5, 1.0)],
)
def test_kept_share_by_hand(statistic, stretches, expected):
    assert kept(statistic, stretches) == pytest.approx(expected)


def test_a_baseline_that_is_exactly_right_is_taken(rng):
    """Straight lines: drift is right to the last bit in every stretch of time, and nothing is more certain."""
    slopes = rng.choice([-2.0, 1.0], WINDOWS)
    context = np.arange(-CONFIG.context_rows + 1.0, 1.0)[:, None] * slopes
    got = judged(np.arange(1.0, 4.0)[:, None] * slopes, np.zeros((3, WINDOWS)), context=context)
    assert (got["baseline"], got["baseline_relative_mae"], got["blend"]) == ("drift", 0.0, 0.0)
