"""Forecast time series from the command line with recurrent neural networks.

The package imports nothing by itself, so that every command loads only what it uses.
"""

__version__ = "0.1.0"
