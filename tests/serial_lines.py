"""Serial lines without a device, for tests and benchmarks."""

from __future__ import annotations

import os
import time
from contextlib import suppress


def fill(end: int) -> None:
    """Fill a line until it takes nothing more; the system moves what it took on for some milliseconds."""
    os.set_blocking(end, False)
    for _ in range(20):
        with suppress(BlockingIOError):
            while True:
                os.write(end, b"x" * 64)
        time.sleep(0.005)
