"""What speaks against a visit is asked before it, and what was run anyway is recorded with the reason."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.message import read_messages
from experiment.design.session import Waiver, draw_session
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.qa.findings import session_findings
from experiment.qa.session_summary import SessionSummary, read_session
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, Started
from experiment.replay.first_line import between_sessions
from experiment.session.doubts import Doubtful, session_doubts, visit_doubts, waive_doubts
from experiment.session.plan import Plan, plan_session
from experiment.session.run import run_simulated
from tests.lab import SUBJECT, by_keyboard, finishes
from tests.places import EXAMPLES
from tests.strategies import PROTOCOL, held

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab import Lab
    from tests.xtest import Hands

MESSAGES = read_messages(EXAMPLES / "english.csv")
BEGAN = datetime(2026, 11, 2, 9, tzinfo=timezone.utc)
WEEKS = timedelta(days=14)


def planned(data: DataSet, session: int, **changes: Any) -> Plan:
    """A session of subject A1, about to begin."""
    given: dict[str, Any] = {"protocol": PROTOCOL, "messages": MESSAGES} | changes
    return plan_session(
        "run", data=data, subject="A1", session=session, seed=1, operator="TA", participant="quick", **given
    )


def ran(data: DataSet, session: int, end: int | None = None, ended: Ended | None = None) -> Path:
    """The session was run on the day it BEGAN; `end`: after so many events its log ends, or with `ended`."""
    plan = planned(data, session)
    first, *rest = held(plan.session, "quick")
    assert isinstance(first, Started)
    told: list[Event] = [replace(first, mode="run", zero_utc=BEGAN.isoformat()), *rest]
    with log.Writer(plan.transcript) as writer:
        for event in told[:end] + ([ended] if ended else []):
            writer.append(event)
    return plan.transcript


def doubts(data: DataSet, session: int, after: timedelta = WEEKS) -> list[str]:
    """What speaks against this session so long after the other one."""
    return visit_doubts(data, Visit("A1", session), PROTOCOL, BEGAN + after)


def test_nothing_speaks_against_a_visit_in_its_turn(tmp_path: Path) -> None:
    """The first one, and the second one two weeks later."""
    data = DataSet(tmp_path)
    assert doubts(data, 1) == []
    ran(data, 1)
    assert doubts(data, 2) == []


def test_a_visit_without_the_one_before_is_asked_about(tmp_path: Path) -> None:
    """Session 2 of somebody who has no session 1, and session 1 of somebody who has session 2 already."""
    data = DataSet(tmp_path)
    assert doubts(data, 2) == ["sub-A1 ses-1 must come before session 2, but is not in this data folder."]
    ran(data, 2)
    assert doubts(data, 1) == ["sub-A1 ses-2 was run already, on 2026-11-02, and session 1 comes before it."]


@pytest.mark.parametrize(
    ("after", "said"),
    [(timedelta(minutes=3), "3 minutes ago"), (timedelta(hours=30), "30 hours ago"), (WEEKS - timedelta(hours=1),
      "13 days ago"), (-timedelta(hours=1), "in the future by this computer's clock")],
)  # fmt: skip
def test_a_visit_too_soon_is_asked_about(tmp_path: Path, after: timedelta, said: str) -> None:
    """Minutes, hours or days after session 1, or before it by a clock that is wrong."""
    data = DataSet(tmp_path)
    ran(data, 1)
    (doubt,) = doubts(data, 2, after)
    assert said in doubt
    assert "at least 14 days between are usual" in doubt


def test_who_withdrew_is_asked_about(tmp_path: Path) -> None:
    """They may have come back, or it is somebody else; another early end asks nothing."""
    data = DataSet(tmp_path)
    path = ran(data, 1, 30, Ended("aborted", "withdrew"))
    assert doubts(data, 2) == ["sub-A1 withdrew in session 1, on 2026-11-02."]
    path.unlink()
    ran(data, 1, 30, Ended("aborted", "technical"))
    assert doubts(data, 2) == []


def test_an_open_session_is_asked_about(tmp_path: Path) -> None:
    """Session 1 was interrupted, and may still be completed."""
    data = DataSet(tmp_path)
    ran(data, 1, 30)
    assert doubts(data, 2) == ["sub-A1 ses-1 was interrupted, and neither resumed nor closed."]


def test_other_people_are_nobodys_business(tmp_path: Path) -> None:
    """Only the participant's own sessions count."""
    data = DataSet(tmp_path)
    ran(data, 1, 30, Ended("aborted", "withdrew"))
    assert visit_doubts(data, Visit("A2", 1), PROTOCOL, BEGAN) == []


def test_a_reason_lets_it_run_and_is_recorded(tmp_path: Path) -> None:
    """Without one nothing begins; with one the transcript has both, and the quality assurance shows it."""
    data = DataSet(tmp_path)
    plan, told = planned(data, 2), doubts(data, 2)
    with pytest.raises(Doubtful, match=r"not in this data folder(.|\n)*--override-study"):
        waive_doubts(plan, told, None)
    waived = waive_doubts(plan, told, "session 1 was in the other lab")
    run_simulated(waived)
    session = log.read_start(plan.transcript).session
    assert session.waived == (Waiver(told[0], "session 1 was in the other lab"),)
    summary = read_session(plan.transcript)
    assert isinstance(summary, SessionSummary)
    (found,) = [one for one in session_findings(summary, PROTOCOL.qa) if one.kind == "let_in"]
    assert (found.needs_person, "in the other lab" in found.text, told[0] in found.text) == (True, True, True)


def test_what_was_asked_once_is_not_asked_on_resuming(tmp_path: Path) -> None:
    """A session that was run anyway resumes with the reason it began with."""
    data = DataSet(tmp_path)
    plan = waive_doubts(planned(data, 2), doubts(data, 2), "session 1 was elsewhere")
    run_simulated(plan)
    lines = plan.transcript.read_bytes().splitlines(keepends=True)
    plan.transcript.write_bytes(b"".join(lines[:40]))
    again = planned(data, 2, resume=True)
    assert waive_doubts(again, doubts(data, 2), None).session == plan.session


def test_another_relationship_is_asked_about(tmp_path: Path) -> None:
    """The column that was sorted alone between two visits would be in the second table."""
    data = DataSet(tmp_path)
    ran(data, 1)
    assert session_doubts(planned(data, 2)) == []
    changed = [replace(MESSAGES[0], relationship="uncle"), *MESSAGES[1:]]
    (doubt,) = session_doubts(planned(data, 2, messages=changed))
    assert doubt.startswith(f"Message {MESSAGES[0].message_id} now has the relationship 'uncle', but had")


@pytest.mark.parametrize("column", ["writer", "language"])
def test_another_writer_or_language_is_asked_about(tmp_path: Path, column: str) -> None:
    """Names are shown and are not recorded, but whether it is the same name is; the name is not told."""
    data = DataSet(tmp_path)
    ran(data, 1)
    other = {"writer": MESSAGES[1].writer, "language": "de"}[column]
    changed = [replace(MESSAGES[0], **{column: other}), *MESSAGES[1:]]
    (doubt,) = session_doubts(planned(data, 2, messages=changed))
    assert doubt.startswith(f"Message {MESSAGES[0].message_id} has a different writer or language")
    assert MESSAGES[0].writer not in doubt
    assert MESSAGES[1].writer not in doubt


def test_a_sorted_column_is_asked_about(tmp_path: Path) -> None:
    """One column of a spreadsheet sorted between the visits: every message that has another writer now is named."""
    data = DataSet(tmp_path)
    ran(data, 1)
    names = sorted(one.writer for one in MESSAGES)
    changed = [replace(one, writer=name) for one, name in zip(MESSAGES, names, strict=True)]
    moved = {one.message_id for one, other in zip(MESSAGES, changed, strict=True) if one != other}
    assert moved
    doubts_told = session_doubts(planned(data, 2, messages=changed))
    assert {doubt.split()[1] for doubt in doubts_told} == moved


@pytest.mark.parametrize(
    ("changes", "found"),
    [({}, []), ({"writer": "Somebody else"}, ["writer or language"]), ({"language": "de"}, ["writer or language"]),
     ({"relationship": "uncle"}, ["relationship"]), ({"text": "Another text."}, ["text"])],
)  # fmt: skip
def test_verifying_compares_the_messages_of_two_visits(
    tmp_path: Path, changes: dict[str, str], found: list[str]
) -> None:
    """Whatever an older version let pass, or somebody changed in a log, is found; what was waived is not."""
    data, first = DataSet(tmp_path), planned(DataSet(tmp_path), 1)
    other = [replace(MESSAGES[0], **changes), *MESSAGES[1:]]
    second = draw_session(PROTOCOL, other, subject="A1", session=2, seed=1)
    paths = []
    for session in (first.session, second):
        paths.append(data.transcript(session.visit, PROTOCOL.task))
        with log.Writer(paths[-1]) as writer:
            for event in held(session, "quick"):
                writer.append(event)
    told = [str(one) for several in between_sessions(paths).values() for one in several]
    assert len(told) == len(found)
    assert all(f"the {what} of ses-1" in one for what, one in zip(found, told, strict=True))


def test_a_session_does_not_resume_with_another_writer(tmp_path: Path) -> None:
    """The second half would show another name than the first."""
    data = DataSet(tmp_path)
    ran(data, 1, 60)
    changed = [replace(MESSAGES[0], writer="Somebody else"), *MESSAGES[1:]]
    with pytest.raises(BadInput, match="other messages"):
        planned(data, 1, messages=changed, resume=True)


def test_what_an_older_version_did_not_record_is_not_asked_about(tmp_path: Path) -> None:
    """Of a session without digests of labels only texts and relationships are compared."""
    data = DataSet(tmp_path)
    plan = planned(data, 1)
    older = draw_session(PROTOCOL, MESSAGES, subject="A1", session=1, seed=1, digests=UNSET)
    with log.Writer(plan.transcript) as writer:
        for event in held(older, "quick"):
            writer.append(event)
    changed = [replace(MESSAGES[0], writer="Somebody else"), *MESSAGES[1:]]
    assert session_doubts(planned(data, 2, messages=changed)) == []


def test_a_session_too_soon_needs_a_reason_at_the_door(lab: Lab, hands: Hands) -> None:
    """`run` refuses session 2 right after session 1 before a window opens, and takes it with a reason."""
    lab.messages()
    lab.protocol.write_text(lab.protocol.read_text().replace("gap_minimum_days = 0", "gap_minimum_days = 14"))
    assert finishes(lab.runs(), by_keyboard(hands))[0] == 0
    status, said = lab.runs(session=2).ends()
    assert (status, "minutes ago" in said, "--override-study" in said) == (2, True, True), said
    assert not DataSet(lab.data).transcript_of(Visit(SUBJECT, 2))
    second = lab.runs(session=2, anyway="a rehearsal of the day")
    assert second.started().session.waived
    assert finishes(second, by_keyboard(hands))[0] == 0
