"""What a new data set says of itself; people complete both files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiment.record.tsv import json_text, write_new

DESCRIPTION = {
    "Name": "Day Four: connection and pleasure after messages from loved ones",
    "BIDSVersion": "1.10.0",
    "DatasetType": "raw",
    "Authors": [],
    "GeneratedBy": [{"Name": "Day Four"}],
}


def describe_dataset(root: Path, left_out: Iterable[str]) -> None:
    """Make a folder a BIDS data set, of which these folders are no part; what is there of it stays."""
    write_new(root / "dataset_description.json", json_text(DESCRIPTION))
    # Without a slash after it: the validator looks at a folder's bare name.
    write_new(root / ".bidsignore", "".join(f"/{folder}\n" for folder in left_out))
    if not any(root.glob("README*")):
        write_new(root / "README.md", Path(__file__).with_name("dataset_readme.md").read_text(encoding="utf-8"))
