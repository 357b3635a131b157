"""From a model and a panel to a table of forecasts."""
