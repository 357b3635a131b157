"""Backtests: metrics, simple baselines, tests of significance and the verdict."""
