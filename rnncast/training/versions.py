"""What a training computes with."""

from __future__ import annotations

import platform

import numpy as np


def versions() -> dict[str, str]:
    """Version of each part that decides the bytes of a model."""
    import numba

    return {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__}
