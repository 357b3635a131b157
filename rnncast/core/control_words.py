"""Words that the threads of a run and Python share, see `control`. No Numba here."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Where the words stand; NumPy integers, since Numba compiles a kernel once more for a literal one.
ASKED: Final[Any] = np.int64(0)
ENDED: Final[Any] = np.int64(1)
BROKEN: Final[Any] = np.int64(2)
ARRIVED: Final[Any] = np.int64(3)
ROUND: Final[Any] = np.int64(4)
WORDS: Final = 5

GO_ON: Final = 0
END: Final = 1
ABANDON: Final = 2
"""What Python asks for in `ASKED`: nothing; to end after this update; to stop at once, with nothing of it to be used.

`ENDED` is not 0 once no further update is to be made; `BROKEN` if not all threads could be started, so that nobody
waits for them; the others belong to the place where threads meet.
"""


def new_control() -> NDArray[np.int64]:
    """Words (`WORDS`,) for threads that have not begun."""
    return np.zeros(WORDS, np.int64)
