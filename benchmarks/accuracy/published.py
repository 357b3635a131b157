"""Published results of the M4 competition, as scores of methods by panel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

FREQUENCIES = {"m4_hourly": "Hourly", "m4_weekly": "Weekly", "m4_daily_sub72": "Daily"}
ALWAYS = ("118", "245", "Theta", "Com", "RNN", "MLP", "Naive2", "sNaive")
"""The winner, the second, and benchmarks; besides, the best of each frequency by sMAPE and by OWA."""


def published_m4(panel: str, data: Path) -> dict[str, dict[str, Any]]:
    """Scores by method; {} for another panel, or where the files are not there.

    The published Daily figures are those of all 4,227 series, of which the panel has 72: their names say so.
    """
    frequency = FREQUENCIES.get(panel)
    results = data / "m4_published_results.csv"
    if frequency is None or not results.exists():
        return {}
    table = _read(results)
    best = [table[f"{score}_{frequency}"].idxmin() for score in ("sMAPE", "OWA")]
    rows = dict.fromkeys([*best, *(user for user in ALWAYS if user in table.index)])
    intervals = _read(data / "m4_published_intervals.csv")
    note = ", all Daily series" if frequency == "Daily" else ""
    return {
        f"{_name(table, user)} (published{note})": {
            "smape": float(table.at[user, f"sMAPE_{frequency}"]),
            "mase": float(table.at[user, f"MASE_{frequency}"]),
            "owa": float(table.at[user, f"OWA_{frequency}"]),
            "interval_score_95": float(intervals.at[user, f"MSIS_{frequency}"]) if user in intervals.index else None,
        }
        for user in rows
    }


def _name(table: pd.DataFrame, user: str) -> str:
    method = str(table.at[user, "method"])
    return f"entry of {str(table.at[user, 'team']).split(',')[0]} et al." if method.isdigit() else method


@lru_cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"user_id": str}).set_index("user_id")
