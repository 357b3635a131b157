"""From a panel to a trained model."""
