"""The splits of the accuracy benchmark: what is reported, what settings are chosen on, and what training sees."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """`benchmarks/accuracy/panels.py`, under a name that no test module has."""
    spec = importlib.util.spec_from_file_location("accuracy_panels", ROOT / "benchmarks" / "accuracy" / "panels.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def series(bench, rows, name="a"):
    return bench.Series(name, pd.RangeIndex(1, rows + 1), np.arange(float(rows)))


def spec(bench, **more):
    return bench.PanelSpec("file", "y", 2, 1, 3, 4, **more)


def test_origins_end_a_horizon_before_the_end(bench: ModuleType) -> None:
    tasks = bench.split(spec(bench), [series(bench, 30)], before=False)
    assert [task.end for task in tasks] == [20, 24, 28]
    assert [task.actual.tolist() for task in tasks] == [[20, 21], [24, 25], [28, 29]]
    assert [len(task.history) for task in tasks] == [20, 24, 28]
    assert tasks[-1].stamps_ahead.tolist() == [29, 30]


@pytest.mark.parametrize("fewer", [None, 2], ids=["as many origins", "fewer origins"])
def test_settings_are_chosen_on_rows_before_the_reported(bench: ModuleType, fewer: int | None) -> None:
    wanted, whole = spec(bench, origins_before=fewer), [series(bench, 40)]
    first_reported = bench.split(wanted, whole, before=False)[0].end
    tasks = bench.split(wanted, whole, before=True)
    assert len(tasks) == (fewer or 3)
    assert tasks[-1].end + 2 == first_reported
    assert len(tasks[0].series.values) == first_reported


def test_short_series_are_left_out_by_their_whole_length(bench: ModuleType) -> None:
    wanted = spec(bench, fewest=25, tail=20, fewest_history=4)
    whole = [series(bench, 24, "short"), series(bench, 25, "long")]
    tasks = bench.split(wanted, whole, before=False)
    assert {task.series.name for task in tasks} == {"long"}
    assert [task.end for task in tasks] == [10, 14, 18]
    assert tasks[0].history[0] == 5.0


def test_tasks_come_origin_after_origin(bench: ModuleType) -> None:
    tasks = bench.split(spec(bench), [series(bench, 30, "a"), series(bench, 40, "b")], before=False)
    assert [task.tag for task in tasks] == ["a|0", "b|0", "a|1", "b|1", "a|2", "b|2"]
    assert [task.tag for task in bench.first_tasks(tasks)] == ["a|0", "b|0"]


def test_a_panel_without_rows_before_is_refused(bench: ModuleType) -> None:
    assert "airline" in bench.chosen_panels(None, before=False)
    assert "airline" not in bench.chosen_panels(None, before=True)
    with pytest.raises(SystemExit, match="airline has no rows before the reported ones"):
        bench.chosen_panels("taxi,airline", before=True)
    with pytest.raises(SystemExit, match="m4_monthly is not a panel"):
        bench.chosen_panels("m4_monthly", before=False)


@pytest.mark.skipif(not SHARED.exists(), reason="the series of ../shared/data are not there")
@pytest.mark.parametrize(
    ("panel", "before", "tasks", "first", "last"),
    [
        ("m4_weekly", False, 359, None, None),
        ("m4_hourly", True, 414, None, None),
        ("fx_h20", False, 210, "2017-02-16", "2017-12-01"),
        ("power_de", False, 728, "2016-01-04", "2017-12-31 23:00"),
        ("power_de", True, 364, "2015-01-05", "2016-01-03 23:00"),
        ("taxi", False, 28, "2015-01-04", "2015-01-31 23:30"),
        ("airline", False, 25, "1958-01-01", "1960-12-01"),
        ("sunspots", True, 40, "1943-01-01", "1963-06-01"),
    ],
)
def test_real_panels(
    bench: ModuleType, panel: str, before: bool, tasks: int, first: str | None, last: str | None
) -> None:
    got = bench.tasks_of(bench.PANELS[panel], SHARED, before=before)
    assert len(got) == tasks
    assert all(len(task.actual) == task.horizon for task in got)
    if first is not None:
        assert got[0].stamps_ahead[0] == pd.Timestamp(first)
        assert got[-1].stamps_ahead[-1] == pd.Timestamp(last)
