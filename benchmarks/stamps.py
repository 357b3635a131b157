"""How often a forecast's stamp is one at which the file really has a row.

    python benchmarks/stamps.py --data DATA [--origins 200]

DATA is a folder with the series (`prices/`, `nonprice/`, `sample_candidates/`). For each file the calendar is learnt
from the rows up to each of the origins, which are spread over the last fifth of its rows, and gives 20 stamps for days,
48 for shorter steps; a stamp counts if any series of the file has a row then. Beside it: the same calendar without
sessions and closures: step and weekdays alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnncast.data.read import read_panel

FILES = (
    "prices/stocks_gafa_ohlcv_2014_2018.parquet",
    "prices/stocks_pypfopt20_adjclose_1989_2017.parquet",
    "prices/stocks_stocknet88_ohlcv_2012_2017.parquet",
    "prices/index_us_ohlcv_1999_2018.parquet",
    "prices/goog_ohlcv_2004_2013.parquet",
    "prices/vix_ohlc_daily_to2018.parquet",
    "prices/energy_eia_daily_to2018.parquet",
    "prices/fx_h10_daily.parquet",
    "prices/crypto8_ohlcv_daily_to2018.parquet",
    "sample_candidates/oil_spot_daily.csv",
    "sample_candidates/eurusd_ohlcv_daily.csv",
    "prices/fx_eurusd_hourly_2017_2018.parquet",
    "prices/fx_mt5_2pairs_hourly.parquet",
    "prices/fx_mt5_5pairs_4hourly.parquet",
    "prices/electricity_epf_de_hourly.parquet",
    "nonprice/vic_elec_halfhourly_2012_2014.parquet",
)
DAYS_AHEAD, SLOTS_AHEAD = 20, 48
LAST_SHARE = 0.2  # of the rows, in which the origins lie


def measure(path: Path, origins: int) -> tuple[float, float]:
    """Mean share with weekdays alone, and with all that is learnt."""
    panel, _ = read_panel([str(path)])
    own = panel.times[panel.rows(panel.reference_series)]
    stamps = np.unique(panel.times)
    ahead = SLOTS_AHEAD if panel.calendar.frequency.family == "clock" else DAYS_AHEAD
    places = np.unique(np.linspace((1 - LAST_SHARE) * len(own), len(own) - 1 - 1.2 * ahead, origins).astype(int))
    plain, learnt = [], []
    for place in places:
        calendar = panel.until(own[place]).calendar
        for found, kind in ((plain, replace(calendar, sessions=(), closures=())), (learnt, calendar)):
            future = kind.future(own[place], ahead)
            found.append(np.isin(future[future <= stamps[-1]], stamps).mean())
    return float(np.mean(plain)), float(np.mean(learnt))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--origins", type=int, default=200)
    arguments = parser.parse_args()
    print(f"{'file':52s} {'weekdays alone':>14s} {'learnt':>7s}")
    for name in FILES:
        plain, learnt = measure(arguments.data / name, arguments.origins)
        print(f"{Path(name).stem:52s} {plain:14.4f} {learnt:7.4f}")


if __name__ == "__main__":
    main()
