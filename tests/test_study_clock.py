"""Time in the register: it only goes forward, no further than the plan explains; a wrong clock is told with a fix."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.study import admission, clock, events, queries, recording, setup
from experiment.study.clock import CLOCKS_APART, clock_steps, confirm_clock
from experiment.study.register import Register, utc_now
from experiment.study.snapshot import Snapshot
from experiment.system.boot import this_boot
from tests.registers import DAY, MONDAY, PUBLIC_KEYS, STUDY, dosed, noon, running, story

if TYPE_CHECKING:
    from pathlib import Path

THURSDAY = MONDAY + 3 * DAY
NOW = noon(THURSDAY)
YEARS = timedelta(days=365)
STORY = [replace(one, utc=noon(MONDAY).isoformat()) for one in story(*running())]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A study that began on Monday, and now is Thursday."""
    folder = tmp_path / "study"
    setup.set_up(Register(folder, lambda: noon(MONDAY)), STUDY, *PUBLIC_KEYS, "PI")
    setup.enrol(Register(folder, lambda: NOW), "DF001", "north", "RA")
    return Register(folder, lambda: NOW)


def at(register: Register, moment: datetime) -> Register:
    """The register on a computer whose clock says so."""
    return Register(register.folder, lambda: moment)


def test_an_entry_dated_ahead_is_a_finding_at_once(tmp_path: Path) -> None:
    """Before anything else is recorded, status and verify tell of it; long after the study they do not."""
    folder = tmp_path / "study"
    setup.set_up(Register(folder), STUDY, *PUBLIC_KEYS, "PI")
    told = Register(folder).read()
    assert queries.integrity_findings(told, tmp_path) == ()
    last = replace(told.entries[-1], utc=(utc_now() + timedelta(days=3)).isoformat())
    (found,) = queries.integrity_findings(replace_entries(told, last), tmp_path)
    assert (found.kind, found.needs_person, "Set the wrong clock" in found.text) == ("register_clock", True, True)
    assert clock.future_entry(told.entries, utc_now() + 3 * YEARS) is None


def replace_entries(told: Snapshot, last: events.Entry) -> Snapshot:
    """The register with another last entry."""
    return Snapshot((*told.entries[:-1], last), told.digests, told.size_bytes)


def entry(utc: datetime, computer: str = "", boot: str = "", uptime_s: float | None = None) -> events.Entry:
    """An entry of a moment and a computer."""
    act = events.Dosed("DF001", "2026-11-24", taken=True)
    return events.Entry(utc.isoformat(), "RA", act, computer, boot, uptime_s)


@pytest.mark.parametrize(
    ("clock_says", "words"),
    [
        (NOW - timedelta(days=40), "40 days before"),
        (NOW - timedelta(minutes=6), "6 minutes before"),
        (NOW - timedelta(hours=3), "3.0 hours before"),
        (NOW + timedelta(days=200), "200 days after"),
        (datetime(2099, 1, 1, tzinfo=timezone.utc), "days after"),
    ],
)
def test_a_clock_that_cannot_be_right_records_nothing(register: Register, clock_says: datetime, words: str) -> None:
    """Forty days back, six minutes back, or in 2099, no act is recorded, and the refusal says what to set or record."""
    before = register.path.read_bytes()
    for use in (
        lambda one: setup.enrol(one, "DF002", "north", "RA"),
        lambda one: one.act("RA", lambda told: recording.consent(told, "DF001", None, "1", clock_says)),
        lambda one: one.act("RA", lambda told: recording.withdraw(told, "DF001", "moved away", clock_says)),
    ):
        with pytest.raises(BadInput, match=f"{words}(?s:.*)Set the wrong clock(?s:.*)study clock"):
            use(at(register, clock_says))
    assert register.path.read_bytes() == before


@pytest.mark.parametrize("apart", [-CLOCKS_APART, timedelta(), timedelta(days=100)])
def test_a_clock_that_can_be_right_records(register: Register, apart: timedelta) -> None:
    """Five minutes between computers, and a quiet summer, are no trouble."""
    setup.enrol(at(register, NOW + apart), "DF002", "north", "RA")
    assert list(clock_steps(register.entries())) == []


def test_a_session_and_an_emergency_are_recorded_whatever_the_clock_says(register: Register) -> None:
    """What has happened is a fact; the time it is recorded with is a finding."""
    early = at(register, NOW - timedelta(days=40))
    early.act("PI", lambda _: events.Unblinded("DF001", "seizure"))
    assert [one.text for one in clock_steps(register.entries())] == ["Entry 3 was recorded 40 days before entry 2."]


def test_a_right_clock_is_confirmed_and_stays_a_finding(register: Register) -> None:
    """After a clock was set ahead by mistake, the right one is confirmed once; then acts go on, and QA shows it."""
    early = at(register, NOW - timedelta(days=2))
    early.act("RA", lambda told: confirm_clock(told.entries, "lab 2 was two days ahead", early.now()))
    setup.enrol(early, "DF002", "north", "RA")
    (step,) = clock_steps(register.entries())
    assert "2 days before" in step.text
    assert "RA confirmed that the clock is right: lab 2 was two days ahead" in step.text


def test_nothing_is_confirmed_that_is_not_in_doubt(register: Register) -> None:
    """Neither a clock with which nothing is wrong, nor one that is decades ahead."""
    with pytest.raises(BadInput, match="is not in doubt"):
        confirm_clock(register.entries(), "to be sure", NOW)
    with pytest.raises(BadInput, match="cannot be right"):
        confirm_clock(register.entries(), "it is", NOW + 70 * YEARS)


@given(st.timedeltas(-2 * YEARS, 2 * YEARS))
def test_what_records_is_no_finding_and_what_does_not_is_one(apart: timedelta) -> None:
    """The refusal and the finding follow from one rule, at any distance."""
    entries = [*STORY, entry(NOW)]
    refused = clock.clock_trouble(entries, NOW + apart)
    found = [one.number for one in clock_steps([*entries, entry(NOW + apart)])]
    assert (refused is not None) == (found == [len(entries) + 1])


def test_the_gate_stays_shut_behind_the_register() -> None:
    """No session begins by a clock that is days behind, and no override helps."""
    entries = story(*running(), dosed(THURSDAY))
    with pytest.raises(admission.Refused) as refused:
        admission.session_now(Snapshot(entries), "DF001", NOW - 3 * DAY)
    assert refused.value.session is None


@pytest.mark.parametrize(("step", "words"), [(3 * DAY, "ahead by 3 days"), (-timedelta(minutes=30), None)])
def test_a_clock_set_between_two_entries_is_found_by_how_long_the_computer_runs(
    step: timedelta, words: str | None
) -> None:
    """Set ahead by three days so that session 1 opens on day 1: the computer ran for an hour only."""
    hour = timedelta(hours=1)
    entries = [*STORY, entry(NOW, "lab-1", "a1", 100.0), entry(NOW + hour + step, "lab-1", "a1", 3700.0)]
    found = [one.text for one in clock_steps(entries)]
    expected = f"the clock of lab-1 was set {words or 'back by 30 minutes'}"
    assert [expected in text for text in found] == [True]
    rebooted = [*entries[:-1], replace(entries[-1], boot="b2", uptime_s=10.0)]
    assert list(clock_steps(rebooted)) == []


def test_clocks_that_disagree_are_named() -> None:
    """Two computers of which one is an hour behind: both by their names."""
    entries = [*STORY, entry(NOW, "lab-1"), entry(NOW - timedelta(hours=1), "lab-2")]
    assert ["the clocks of lab-2 and lab-1 disagree" in one.text for one in clock_steps(entries)] == [True]
    entries[-1] = replace(entries[-1], computer="lab-1")
    assert ["both on lab-1" in one.text for one in clock_steps(entries)] == [True]


def test_a_simulated_study_may_be_of_any_year() -> None:
    """It can be locked today; going back is a finding there too."""
    entries = list(STORY)
    entries[0] = replace(entries[0], who=clock.SIMULATOR)
    assert clock.clock_trouble(entries, NOW + 30 * YEARS) is None
    assert clock.clock_trouble(entries, NOW - YEARS) is not None


def test_an_entry_names_its_computer(tmp_path: Path) -> None:
    """By the real clock an entry has the computer's name and how long it has been running, which grows."""
    register = Register(tmp_path / "study")
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    entry = register.entries()[0]
    assert (entry.computer, entry.boot) == this_boot()[:2]
    assert entry.uptime_s is not None
    assert entry.uptime_s <= (this_boot().uptime_s or 0)
