"""How often something may happen: so many times a minute for each name."""

from __future__ import annotations

import time
from collections import deque

MINUTE_S = 60.0
MAX_NAMES = 10_000  # those that have been quiet for a minute are forgotten when there are more


class RateLimit:
    """`times` a minute by the monotonic clock."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._seen: dict[str, deque[float]] = {}

    def allows(self, name: str) -> bool:
        """Whether it may happen once more now; it counts if so."""
        now_s = time.monotonic()
        if len(self._seen) > MAX_NAMES:
            self._seen = {one: seen for one, seen in self._seen.items() if seen and seen[-1] > now_s - MINUTE_S}
        seen = self._seen.setdefault(name, deque())
        while seen and seen[0] <= now_s - MINUTE_S:
            seen.popleft()
        if len(seen) >= self._times:
            return False
        seen.append(now_s)
        return True
