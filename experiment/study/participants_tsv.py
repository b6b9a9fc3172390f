"""What `participants.tsv` tells of the register: who is enrolled where and since when; nothing that unblinds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from experiment.record.dataset import DataSet
from experiment.record.tsv import MISSING
from experiment.study import participants
from experiment.study.events import Entry
from experiment.study.participant import Participant

COLUMNS = {
    "stratum": {"Description": "The stratum, such as the site, within which the participant was allocated."},
    "enrolled": {"Description": "The day of enrolment, where the study is: YYYY-MM-DD."},
    "consented": {"Description": "The day of informed consent; n/a if none is recorded."},
    "withdrawn": {"Description": "The day on which the participant left the study; n/a if they did not."},
}


def update_participants_tsv(data: DataSet, entries: Sequence[Entry]) -> None:
    """Bring the data set's `participants.tsv` up to the register; rows and columns that others added stay."""
    people = participants.read_participants(participants.study_of(entries), entries).values()
    data.list_participants({one.name: participant_row(one) for one in people}, COLUMNS)


def participant_row(one: Participant) -> dict[str, str]:
    """The participant's cells in the columns of `COLUMNS`."""
    days = {"enrolled": one.enrolled, "consented": one.consented, "withdrawn": one.withdrawn}
    return {"stratum": one.stratum} | {name: _cell(day) for name, day in days.items()}


def _cell(day: date | None) -> str:
    return MISSING if day is None else day.isoformat()
