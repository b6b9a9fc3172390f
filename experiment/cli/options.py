"""What commands have in common: where things are, shared options, and the exit status for what needs review."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL, DATA, PARTICIPANTS = ROOT / "stimuli" / "protocol.toml", ROOT / "data", ROOT / "stimuli" / "participants"
PLAN = ROOT / "stimuli" / "study.toml"
FOUND_WANTING = 1
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

DataFolder = Annotated[Path, typer.Option("--data", help="The data set's folder.")]
MessagesFolder = Annotated[Path, typer.Option("--messages", help="The folder with sub-<ID>.csv of each participant.")]
ParticipantsFolder = Annotated[Path, typer.Option("--messages", help="The participants' folder.")]
ProtocolFile = Annotated[
    Path, typer.Option("--protocol", help="Wording, timing, scales and keys: a protocol's name (en, de ...) or file.")
]
Sheet = Annotated[str | None, typer.Option(help="The sheet, if a workbook has several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")]
AsTsv = Annotated[bool, typer.Option("--tsv", help="Print tab-separated values, for a spreadsheet or a program.")]
Operator = Annotated[str, typer.Option("--operator", help="Your initials, which are recorded in the register.")]
Subject = Annotated[str, typer.Option("--subject", help="The participant's ID.")]
Pilot = Annotated[bool, typer.Option("--pilot", help="The data set is synthetic.")]
