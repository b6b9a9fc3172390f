"""Everybody on one screen, and a whole study that nobody was in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.message import read_messages
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_rows
from experiment.study import admission, dates, events, setup, status
from experiment.study.events import Overridden, SessionHeld, Unblinded, Withdrew
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.simulated_study import simulate_study
from experiment.study.snapshot import Snapshot
from experiment.study.status import Urgency
from experiment.study.study_file import Courses
from tests.registers import (
    DAY,
    MONDAY,
    PUBLIC_KEYS,
    STUDY,
    consented,
    dosed,
    enrolled,
    held,
    kits,
    noon,
    one,
    running,
    started,
    story,
)
from tests.strategies import PROTOCOL

EXAMPLE = Path(__file__).parents[1] / "stimuli" / "examples" / "english.csv"
THURSDAY = MONDAY + 3 * DAY
SECOND = MONDAY + 14 * DAY
TAKEN = [dosed(MONDAY + n * DAY) for n in (1, 2, 3)]
OVER = (*running(), *TAKEN, held(1, THURSDAY))
LAST = (*OVER, started(2, SECOND), *(dosed(SECOND + n * DAY) for n in (1, 2, 3)), held(2, SECOND + 3 * DAY))


def row(*told: tuple[date, events.Act], today: date) -> status.StatusRow:
    """The participant's line."""
    entries = story(*told)
    (line,) = status.rows([one(entries)], STUDY, noon(today))
    return line


@pytest.mark.parametrize(
    ("told", "today", "urgency", "now", "then"),
    [
        ([enrolled()], MONDAY, Urgency.waiting, "enrolled", "informed consent"),
        ([enrolled(), consented()], MONDAY, Urgency.waiting, "consented", "start of course 1"),
        (running(), MONDAY, Urgency.due, "course 1, day 1", "today report 20:00"),
        (running(), MONDAY + DAY, Urgency.due, "course 1, day 2", "today dose 08:00, report 20:00"),
        ([*running(), *TAKEN], THURSDAY, Urgency.due, "course 1, day 4", "today session 1 14:00, report 20:00"),
        (running(), MONDAY + 2 * DAY, Urgency.overdue, "course 1, day 3", "record doses of Tue 24 Nov; today dose"),
        (
            [*running(), *TAKEN],
            THURSDAY + DAY,
            Urgency.overdue,
            "washout",
            "session 1 was due Thu 26 Nov: record that it did not take place; start",
        ),
        (OVER, THURSDAY + DAY, Urgency.upcoming, "washout", "start of course 2, Mon 7 Dec or later"),
        (OVER, SECOND - DAY, Urgency.upcoming, "washout", "start of course 2, Mon 7 Dec or later"),
        (OVER, SECOND, Urgency.waiting, "washout over", "start of course 2, since Mon 7 Dec"),
        (OVER, SECOND + DAY, Urgency.waiting, "washout over", "start of course 2, since Mon 7 Dec"),
        ([*OVER, started(2, SECOND)], SECOND, Urgency.due, "course 2, day 1", "today report 20:00"),
        ([*running(), *TAKEN, started(2, SECOND)], SECOND, Urgency.overdue, "course 2, day 1", "session 1 was due Thu"),
        (
            LAST[:-1],
            SECOND + 4 * DAY,
            Urgency.overdue,
            "done",
            "session 2 was due Thu 10 Dec: record that it did not take place",
        ),
        (LAST, SECOND + 4 * DAY, Urgency.done, "done", ""),
        ([*OVER, (MONDAY, Withdrew("DF001", "ill"))], SECOND, Urgency.withdrawn, "withdrew Mon 23 Nov", ""),
    ],
)
def test_where_everybody_is_and_what_comes_next(
    told: list[tuple[date, events.Act]], today: date, urgency: Urgency, now: str, then: str
) -> None:
    """From enrolment to the last day, the screen says where a participant is, what is next, and how urgent it is."""
    line = row(*told, today=today)
    assert (line.urgency, line.now) == (urgency, now)
    assert line.next.startswith(then)
    assert then or not line.next


def test_a_late_session_is_due_within_its_tolerance() -> None:
    """A session that may be a day late is due until then, and overdue only afterwards."""
    study = replace(STUDY, courses=Courses(6, 4, 1, 10))
    person = one(story(*running(), *TAKEN, dosed(THURSDAY + DAY), study=study))
    (line,) = status.rows([person], study, noon(THURSDAY))
    assert "session 1 14:00, until Fri 27 Nov" in line.next
    (after,) = status.rows([person], study, noon(THURSDAY + 2 * DAY))
    assert after.urgency is Urgency.overdue
    assert after.next == "session 1 was due Fri 27 Nov; today dose 08:00, report 20:00"


def test_what_a_participant_needs_today_is_told_by_its_kind() -> None:
    """On the day of the session it, its dose and its report are needed, and what the gate asks a reason for is told."""
    plain = row(*running(), *TAKEN[:2], today=THURSDAY).needs
    assert [(need.kind, need.course, need.at, need.against) for need in plain] == [
        ("session", 1, "14:00", ""), ("dose", 1, "08:00", ""), ("report", 1, "20:00", ""),
    ]  # fmt: skip
    session, *_ = row(*running(), dosed(MONDAY + DAY, taken=False), TAKEN[1], today=THURSDAY).needs
    assert session.against == "sub-DF001 missed the dose of day 2 of course 1."
    (gone,) = (need for need in row(*running(), *TAKEN, today=THURSDAY + DAY).needs if need.is_overdue)
    assert (gone.kind, gone.course) == ("close_session", 1)
    assert row(*OVER, (MONDAY, Withdrew("DF001", "ill")), today=SECOND).needs == ()


def test_what_somebody_should_know_is_noted() -> None:
    """An emergency unblinding, sessions that were missed or not completed, missed doses and overrides are noted."""
    told = [
        *running(), dosed(MONDAY + DAY, taken=False), (THURSDAY, Unblinded("DF001", "seizure")),
        (THURSDAY, Overridden("DF001", 1, "It was refused.", "came")), held(1, THURSDAY, "aborted"),
    ]  # fmt: skip
    assert row(*told, today=THURSDAY).notes == "UNBLINDED (seizure), session 1 aborted, 1 dose missed, 1 override"
    assert row(*running(), held(1, SECOND, "never_held"), today=SECOND).notes == "session 1 never held"


def test_the_most_urgent_stand_first() -> None:
    """Overdue comes before due today, then what waits for somebody, then what comes by date, then who is done."""
    told = [
        *[enrolled(f"P{n}", n) for n in range(1, 7)], *[consented(f"P{n}") for n in range(2, 7)],
        *[started(1, MONDAY, f"P{n}", n) for n in range(3, 7)],
        *[dosed(MONDAY + DAY, "P3"), dosed(MONDAY + 2 * DAY, "P3")],
        (MONDAY, Withdrew("P5", "ill")), (MONDAY, Withdrew("P6", "ill")),
    ]  # fmt: skip
    entries = story(*told)
    lines = status.rows(Snapshot(entries).people.values(), STUDY, noon(THURSDAY))
    assert [line.subject for line in lines] == ["P4", "P3", "P1", "P2", "P5", "P6"]
    assert [line.subject for line in status.only_due(lines)] == ["P4", "P3", "P1", "P2"]
    assert status.summary(lines, STUDY, noon(THURSDAY)).endswith(
        "6 participants, 1 overdue, 1 due, 2 waiting, 2 withdrawn"
    )


def test_the_screen_tells_nothing_that_unblinds() -> None:
    """No kit, no place and no treatment stand on the screen."""
    lines = status.rows([one(story(*LAST))], STUDY, noon(SECOND))
    shown = status.table(lines).plain
    assert "DF001" in shown
    assert not any(word in shown for word in (*kits(), *STUDY.treatments, STUDY.name, "place"))


def test_an_empty_study_has_a_screen() -> None:
    """Before anybody is enrolled, the screen has its heading and says so."""
    assert status.table([]).plain.split() == list(status.HEADER)
    assert status.summary([], STUDY, noon(MONDAY)).endswith("0 participants")


@given(st.integers(-3, 40), st.booleans(), st.booleans())
def test_the_screen_and_the_gate_agree(offset: int, all_taken: bool, has_second: bool) -> None:  # noqa: FBT001 - hypothesis calls it
    """A session is due today exactly when the gate would let in."""
    told = [*running(), *(TAKEN if all_taken else [])] + ([started(2, SECOND)] if has_second else [])
    person, today = one(story(*told)), MONDAY + max(offset, 14 * has_second) * DAY
    (line,) = status.rows([person], STUDY, noon(today))
    try:
        session = admission.session_of(person, STUDY, today)
    except admission.Refused:
        assert "session 1 14:00" not in line.next
        assert "session 2 14:00" not in line.next
    else:
        assert f"session {session} 14:00" in line.next


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Register, DataSet]:
    """A study of ten synthetic participants."""
    root = tmp_path_factory.mktemp("simulated")
    data = DataSet(root)
    return simulate(root, data, 10, seed=3), data


def simulate(root: Path, data: DataSet, subjects: int, seed: int) -> Register:
    """A synthetic study, sealed to keys that nobody has."""

    def begun(now: Callable[[], datetime]) -> Register:
        register = Register(root / "study", now)
        setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
        return register

    messages = read_messages(EXAMPLE)
    return simulate_study(begun, data, subjects, seed=seed, protocol=PROTOCOL, messages=messages)


def test_a_simulated_study_has_all_that_happens(simulated: tuple[Register, DataSet]) -> None:
    """Among ten participants one is late, forgets a dose, misses a session, drops out or is unblinded; nobody else."""
    register, data = simulated
    entries = register.entries()
    people = Snapshot(entries).people
    assert len(people) == 10
    assert sum(person.withdrawn is not None for person in people.values()) == 1
    assert sum(person.unblinded is not None for person in people.values()) == 1
    assert sum(False in person.doses.values() for person in people.values()) == 1
    assert sum(any("too late" in one.refused for one in person.overrides) for person in people.values()) == 1
    assert all(set(person.sessions) == ({1} if person.withdrawn else {1, 2}) for person in people.values())
    with_data = {(path.parts[-3], path.parts[-2]) for path in (data.root / "sourcedata").rglob("*_transcript.jsonl")}
    absent = [(name, 1) for name, person in people.items() if person.sessions[1].day != _came(person)]
    assert len(with_data) == sum(len(person.sessions) for person in people.values()) - len(absent)
    assert len(absent) == 1
    assert set(read_rows(data.root / "participants.tsv", "participant_id")) == {f"sub-{name}" for name in people}


def _came(person: Participant) -> str:
    """The day of session 1, or the day after it for those who were late against the rules."""
    day, _ = dates.session_days(STUDY.courses, person.starts[0])
    late = any("too late" in override.refused for override in person.overrides)
    return (day + DAY * late).isoformat()


def test_a_simulated_study_runs_in_time(simulated: tuple[Register, DataSet]) -> None:
    """The register's moments never go back, and at the end everybody is done or has left."""
    entries = simulated[0].entries()
    moments = [entry.utc for entry in entries]
    assert moments == sorted(moments)
    lines = status.rows(Snapshot(entries).people.values(), STUDY, noon(dates.day_of(STUDY, moments[-1]) + DAY))
    assert {line.urgency for line in lines} == {Urgency.done, Urgency.withdrawn}


def test_the_seed_decides_the_simulated_study(tmp_path: Path) -> None:
    """The same seed gives the same acts and tables but for the kits, which a secret decides; another seed does not."""

    def told(name: str, seed: int) -> tuple[list[object], list[bytes]]:
        data = DataSet(tmp_path / name)
        entries = simulate(tmp_path / name, data, 2, seed).entries()[1:]
        bare = [(entry.utc, entry.who, type(entry.act), getattr(entry.act, "day", None)) for entry in entries]
        return list(bare), [path.read_bytes() for path in sorted(data.root.rglob("*_beh.tsv"))]

    first = told("a", 1)
    assert first == told("b", 1)
    assert first != told("c", 2)
    assert first[1]


def test_a_study_that_is_too_small_is_refused(tmp_path: Path) -> None:
    """More synthetic participants than places are refused before anything is simulated."""
    with pytest.raises(BadInput, match="40 places in each of 2 strata"):
        simulate(tmp_path, DataSet(tmp_path / "data"), 81, seed=1)
    assert not (tmp_path / "data").exists()


def test_sessions_of_the_register_are_those_on_the_disk(simulated: tuple[Register, DataSet]) -> None:
    """Each session that the register has as completed has a table with all its messages."""
    register, data = simulated
    for entry in register.entries():
        if isinstance(entry.act, SessionHeld) and entry.act.status == "completed":
            table = data.table(Visit(entry.act.subject, entry.act.session), PROTOCOL.task)
            assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + PROTOCOL.messages
