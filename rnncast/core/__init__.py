"""Recurrent kernels and their NumPy twin: arrays and scalars only, knows nothing of the rest of the package."""
