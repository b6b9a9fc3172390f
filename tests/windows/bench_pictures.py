"""Which pictures of the messages in many writings differ between Windows' Python on the bench and this one.

`python -m tests.windows.bench_pictures`.
"""

from __future__ import annotations

import json

from tests.bench.reporting import print_table
from tests.test_writings import MESSAGES, SCREENS, facts
from tests.windows.bench import Bench

DRAWS = """
import json
from tests.test_writings import golden
print(json.dumps(golden()))
"""


def main() -> None:
    """Draw all of them on both, and compare their digests."""
    status, out, told = Bench(limit_s=3600).python(DRAWS)
    assert status == 0, told
    there = json.loads(out.splitlines()[-1])
    places = [(f"{layout.width_px}x{layout.height_px}", layout, name) for layout in SCREENS for name in MESSAGES]
    differ = [f"{name} {size}" for size, layout, name in places if there[size][name] != facts(name, layout).sha256]
    print_table("Pictures on two systems", ("pictures", "differ"), [(f"{len(places)}", ", ".join(differ) or "none")])


if __name__ == "__main__":
    main()
