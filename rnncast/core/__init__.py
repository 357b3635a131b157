"""The recurrent core: Numba kernels and their NumPy twin; plain arrays and scalars only.

This package knows nothing of panels, models or the command line. Importing it loads NumPy alone: `engine` and
`optimiser` load Numba, `layout`, `loss_table` and `twin` do not.
"""
