"""What a later start of ./dayfour adds: the launcher against the environment's own Python, in turn, in milliseconds."""

import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPEATS = 30


def duration_ms(command: list[str]) -> float:
    """Wall time of one command."""
    start_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - start_s) * 1000


def main() -> None:
    """Prints the medians and their difference."""
    launcher = [str(ROOT / "dayfour"), "--help"]
    direct = [str(ROOT / ".venv" / "bin" / "python"), "-I", "-m", "experiment", "--help"]
    pairs = [(duration_ms(launcher), duration_ms(direct)) for _ in range(REPEATS)]
    with_launcher, without = (statistics.median(times) for times in zip(*pairs, strict=True))
    added = statistics.median(a - b for a, b in pairs)
    print(f"--help by ./dayfour {with_launcher:.0f} ms, by the environment's Python {without:.0f} ms")
    print(f"a later start adds {added:.0f} ms (median of {REPEATS} pairs; at most 300)")


if __name__ == "__main__":
    main()
