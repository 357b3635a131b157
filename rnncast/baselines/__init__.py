"""Forecasts that need no network: simple paths, and how far a series has moved of late."""
