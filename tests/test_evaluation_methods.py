import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.baselines.garch_intervals import REFIT_EVERY
from rnncast.evaluation.methods import Baselines, Terms
from rnncast.evaluation.origin_baselines import OriginBaselines
from rnncast.evaluation.origins import Plan, rolling_origins

TERMS = Terms(horizon=2, gap=1, season_length=1, levels=(0.1, 0.5, 0.9))


def check_same(got, expected):
    assert list(got) == list(expected)
    for name, one in expected.items():
        for kind in ("point", "quantiles"):
            values, others = getattr(got[name], kind), getattr(one, kind)
            assert (values is None) == (others is None), name
            assert values is None or values.tobytes() == others.tobytes(), name


@pytest.fixture
def panel(rng):
    """The second series begins late: its first origin is not that of the backtest."""
    late = make_panel({"a": random_walk(rng, 300), "b": random_walk(rng, 300)})
    return late.keep(~((np.arange(600) >= 300) & (np.arange(600) < 390)))


def test_what_baselines_say_does_not_depend_on_where_a_backtest_goes_on(panel):
    origins = rolling_origins(panel, 2, Plan(n_windows=110, step_size=1, gap=1), fewest_rows=20)
    baselines = Baselines(panel, origins, TERMS)
    in_order = [baselines.at(origin) for origin in range(110)]
    for origins_asked in ([0, 1], [49, 50], [77], [104, 103, 20, 21]):
        fresh = Baselines(panel, origins, TERMS)
        for origin in origins_asked:
            check_same(fresh.at(origin), in_order[origin])
    assert in_order[0]["garch t"].quantiles.shape == (2, 2, 3)


def test_baselines_are_those_of_one_object_from_the_first_origin_of_a_stretch_on(panel):
    """With a gap they are asked for more steps, and the first of them are not scored."""
    origins = rolling_origins(panel, 2, Plan(n_windows=55, step_size=1, gap=1), fewest_rows=20)
    baselines = Baselines(panel, origins, TERMS)
    for first, stop in ((0, REFIT_EVERY), (REFIT_EVERY, 55)):
        oracle = OriginBaselines(3, 1, np.array(TERMS.levels))
        for origin in range(first, stop):
            shown = [panel.target[panel.indptr[s] : origins.ends[origin, s]] for s in range(2)]
            expected = oracle.at([0, 1], shown)
            got = baselines.at(origin)
            for name, one in expected.items():
                if one.point is not None:
                    assert got[name].point.tobytes() == one.point[:, 1:].tobytes()
                if one.quantiles is not None:
                    np.testing.assert_array_equal(got[name].quantiles, one.quantiles[:, 1:])
