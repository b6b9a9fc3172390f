"""Where the project is, and the invented examples that come with it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "stimuli" / "examples"
