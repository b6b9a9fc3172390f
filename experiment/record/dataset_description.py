"""What a new data set says of itself; people complete both files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiment.record.tsv import json_text, write_new

BIDS_VERSION = "1.10.0"

README = """\
# Day Four: connection and pleasure after messages from loved ones

A BIDS data set, written by the Day Four program. On the fourth day of each course of a crossover study, a participant
reads messages that loved ones wrote beforehand, and rates each of them.

- `sub-<ID>/ses-<n>/beh/*_beh.tsv`: one row for each message; the `.json` beside it explains every column.
- `sub-<ID>/sub-<ID>_sessions.tsv`: when each visit was, how it ended, and what the assistant noted.
- `phenotype/funnel.tsv`: what each participant thought of the study after the last session.
- `phenotype/daily.tsv`: the daily reports, a row for each day of a course, also for those that did not come.
- `sourcedata/`: the transcripts and the logs of the closing answers, from which the tables can be made again
  (`dayfour table FOLDER --remake`). Never change them.

No file here holds a message's text or tells the drug. Please complete the authors and the license in
`dataset_description.json`.
"""
DESCRIPTION = {
    "Name": "Day Four: connection and pleasure after messages from loved ones",
    "BIDSVersion": BIDS_VERSION,
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
        write_new(root / "README.md", README)
