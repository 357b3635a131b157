"""The network's layout and configuration, and the model file."""
