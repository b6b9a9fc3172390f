"""Before the enrolment: the screening log, consent that is dated back, and a study that is under way brought in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook
from pyrage import x25519
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.errors import BadInput
from experiment.reports.table import rows
from experiment.study import (
    bring_in,
    events,
    history,
    queries,
    recording,
    setup,
    unblinding,
)
from experiment.study.register import Register, utc_now
from experiment.study.screening import check_eligible, screening_counts, screening_log
from experiment.study.simulated_study import SettableClock
from experiment.study.snapshot import Snapshot
from experiment.study.status import needs_today
from tests.daily_reports import begin
from tests.registers import DAY, MONDAY, PUBLIC_KEYS, STUDY, consented, enrolled, noon, one, running, story

if TYPE_CHECKING:
    from datetime import date

WHY = "began on paper in May"
EXAMPLE = Path(__file__).parents[1] / "stimuli" / "examples" / "under_way.tsv"
PAST = (
    "participant_id;stratum;enrolled;consented;consent_version;kit_1;start_1;missed_1;session_1;session_status_1;"
    "kit_2;start_2;missed_2;session_2;withdrawn;withdrawal_reason;screened;screening_outcome;screening_reason\n"
)
ROWS = (
    "OLD1;north;2026-09-01;2026-08-30;1.0;E01;2026-09-07;none;2026-09-10;;E02;2026-10-05;3;2026-10-08;;;2026-08-20;"
    "eligible;\n"
    "OLD2;south;;2026-11-01;1.0;E03;2026-11-09;;2026-11-12;aborted;E04;;;;2026-11-13;moved away;;;\n"
    "SCR1;;;;;;;;;;;;;;;;2026-08-21;not_eligible;takes opioids\n"
)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A study that has begun, on a Monday at noon."""
    clock = SettableClock()
    clock.moment = noon(MONDAY)
    begun = Register(tmp_path / "data" / "study", clock)
    setup.set_up(begun, STUDY, *PUBLIC_KEYS, "PI")
    return begun


def screened(subject: str, outcome: str, reason: str = "", day: date = MONDAY) -> tuple[date, events.Act]:
    """Somebody who was assessed."""
    return day, events.Screened(subject, day.isoformat(), outcome, reason)  # type: ignore[arg-type]


def test_the_screening_log_counts_everybody_once() -> None:
    """The last assessment counts; whoever was enrolled without one was assessed too; cancelled ones are not there."""
    told = Snapshot(story(
        screened("S1", "not_eligible", "takes opioids"), screened("S1", "eligible", day=MONDAY + DAY),
        screened("S2", "declined", "no time"), screened("S3", "not_eligible", "takes opioids"),
        screened("S4", "eligible"), (MONDAY, events.Corrected(6, "a slip")), screened("DF001", "eligible"), enrolled(),
        enrolled("DF002", 2),
    ))  # fmt: skip
    assert [(row.subject, row.outcome, row.since) for row in screening_log(told)] == [
        ("DF001", "eligible", "enrolled"), ("S2", "declined", ""), ("S3", "not_eligible", ""), ("S1", "eligible", ""),
    ]  # fmt: skip
    counts = screening_counts(told)
    assert counts
    assert (counts.assessed, counts.enrolled, counts.waiting) == (5, 2, 1)
    assert dict(counts.excluded) == {("not_eligible", "takes opioids"): 1, ("declined", "no time"): 1}
    assert screening_counts(Snapshot(story(enrolled()))) is None
    assert set(told.people) == {"DF001", "DF002"}


def test_who_was_found_not_eligible_is_not_enrolled() -> None:
    """Until they are screened again."""
    told = Snapshot(story(screened("S1", "not_eligible", "takes opioids")))
    with pytest.raises(BadInput, match=r"not meeting the criteria \(takes opioids\)"):
        check_eligible("S1", told)
    check_eligible("S1", Snapshot(story(screened("S1", "not_eligible", "x y z"), screened("S1", "eligible"))))
    check_eligible("S2", told)


@pytest.mark.parametrize(
    ("told", "arguments", "found"),
    [
        ([], ("S1", None, "declined", ""), "reason"),
        ([], ("S 1", None, "eligible", ""), "space"),
        ([enrolled()], ("DF001", None, "eligible", ""), "enrolled already"),
        ([enrolled()], ("DF01", None, "eligible", ""), "easily confused"),
        ([screened("S1", "eligible")], ("S1", None, "eligible", ""), "already recorded"),
        ([], ("S1", MONDAY + DAY, "eligible", ""), "in the future"),
    ],
)
def test_a_screening_that_cannot_be_is_refused(
    told: list[tuple[date, events.Act]], arguments: tuple[str, date | None, str, str], found: str
) -> None:
    """No reason, no ID, somebody who is enrolled or nearly so, the same again, tomorrow."""
    with pytest.raises(BadInput, match=found):
        recording.screen(Snapshot(story(*told)), *arguments, noon(MONDAY))  # type: ignore[arg-type]


def test_a_consent_of_long_ago_needs_a_reason() -> None:
    """Forty days are easily a slip of the month: it is asked, and the reason is recorded; a week is not asked."""
    one_there, now = Snapshot(story(enrolled())), noon(MONDAY)
    assert recording.consent(one_there, "DF001", MONDAY - 7 * DAY, "1", now).day == "2026-11-16"
    for told in (one_there, Snapshot(story())):
        with pytest.raises(BadInput, match=r"40 days ago.*--dated-back"):
            recording.consent(told, "DF001", MONDAY - 40 * DAY, "1", now)
        act = recording.consent(told, "DF001", MONDAY - 40 * DAY, "1", now, "found in the folder only now")
        assert (act.day, act.dated_back) == ("2026-10-14", "found in the folder only now")


def test_consent_comes_before_the_enrolment() -> None:
    """Signed first and enrolled later, it counts; who is not enrolled yet is listed."""
    entries = story(consented())
    assert Snapshot(entries).awaiting_enrolment == ["DF001"]
    person = one(story(consented(), enrolled()))
    assert (person.consented, needs_today(person, STUDY, MONDAY)[0].kind) == (MONDAY, "start")


def test_a_withdrawal_may_have_been_before_today() -> None:
    """It has the day on which it was, not that of the entry."""
    entries = story(*running())
    act = recording.withdraw(Snapshot(entries), "DF001", "moved away", noon(MONDAY + 3 * DAY), MONDAY + DAY)
    assert one([*entries, events.Entry(noon(MONDAY + 3 * DAY).isoformat(), "RA", act)]).withdrawn == MONDAY + DAY
    with pytest.raises(BadInput, match="in the future"):
        recording.withdraw(Snapshot(entries), "DF001", "moved away", noon(MONDAY), MONDAY + DAY)


def bring(register: Register, path: Path, reason: str = WHY) -> list[events.Act]:
    """Bring in a table; what was new."""
    acts = bring_in.plan_past(path, bring_in.read_past(path), register.read(), register.kits(), reason, register.now())
    bring_in.record_past(register, "PI", acts)
    return acts


def table(tmp_path: Path, rows: str = ROWS, encoding: str = "utf-8-sig") -> Path:
    """A table as a spreadsheet program saves it."""
    path = tmp_path / "past.csv"
    path.write_bytes((PAST + rows).replace("\n", "\r\n").encode(encoding))
    return path


def test_a_study_under_way_is_brought_in_with_its_past(register: Register, tmp_path: Path) -> None:
    """Dates, doses, sessions and withdrawals are those of the table, marked as such; nobody has a place or kit here."""
    assert len(bring(register, table(tmp_path))) > 15
    told = register.read()
    first, second = told.people["OLD1"], told.people["OLD2"]
    assert (first.place, first.kits, first.enrolled.isoformat()) == (0, ("E01", "E02"), "2026-09-01")
    assert [day.isoformat() for day in first.starts] == ["2026-09-07", "2026-10-05"]
    assert [day.isoformat() for day, taken in first.doses.items() if not taken] == ["2026-10-07"]
    assert {number: held.status for number, held in first.sessions.items()} == {1: "completed", 2: "completed"}
    assert second.withdrawn
    assert second.withdrawn.isoformat() == "2026-11-13"
    said = [row.what for row in history.rows(told, "OLD1")]
    assert sum(WHY in line or "elsewhere" in line for line in said) == 6
    assert queries.integrity_findings(told, tmp_path / "data") == ()
    act = setup.enrol(register, "NEW1", "north", "RA").act
    assert isinstance(act, events.Enrolled)
    assert act.place == 1


def test_reports_of_before_are_not_missing(tmp_path: Path) -> None:
    """Of somebody who was brought in, only reports that could be given here can be missing here."""
    made = begin(tmp_path / "data")
    bring(made.service.register, table(tmp_path))
    made.at(MONDAY + 20 * DAY, "12:00")
    roster = made.service.roster()
    found = rows(roster, made.entries, made.clock.moment)
    assert {row.subject for row in found} == {"DF001"}


def test_the_example_can_be_brought_in(register: Register) -> None:
    """The table that the documentation shows is one."""
    acts = bring(register, EXAMPLE)
    assert sum(isinstance(act, events.Enrolled) for act in acts) == 2
    assert register.participant("DF002").withdrawn


def test_treatments_of_elsewhere_stay_there(register: Register, tmp_path: Path) -> None:
    """The table of treatments says n/a for who was allocated elsewhere; one alone is asked for there."""
    holder, pharmacy = x25519.Identity.generate(), x25519.Identity.generate()
    begun = Register(tmp_path / "other" / "study", register.now)
    setup.set_up(begun, STUDY, str(holder.to_public()), str(pharmacy.to_public()), "PI")
    bring(begun, table(tmp_path, ROWS.splitlines()[0] + "\n"))
    with pytest.raises(BadInput, match="allocated elsewhere"):
        unblinding.unblind_one(begun, holder, "PI", "OLD1", "an emergency")
    unblinding.lock(begun, tmp_path / "other", "PI", tuple)
    assert unblinding.unblind_all(begun, tmp_path / "other", holder, "PI", "end", tmp_path / "out.tsv") == 1
    rows = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert rows[1:] == ["sub-OLD1\tses-1\tnorth\tn/a\tE01\tn/a", "sub-OLD1\tses-2\tnorth\tn/a\tE02\tn/a"]


def test_a_table_that_grew_adds_what_is_new(register: Register, tmp_path: Path) -> None:
    """The same table adds nothing, whatever the reason; further rows and cells do."""
    bring(register, table(tmp_path))
    assert bring(register, table(tmp_path), "the same again") == []
    more = ROWS.replace("2026-10-08;;;", "2026-10-08;2026-11-01;moved away;")
    assert [type(act) for act in bring(register, table(tmp_path, more))] == [events.Withdrew]


def test_a_workbook_brings_in_its_dates(register: Register, tmp_path: Path) -> None:
    """Cells that a spreadsheet program made dates of are those dates."""
    book, path = Workbook(), tmp_path / "past.xlsx"
    sheet = book.active
    assert sheet
    sheet.append(["participant_id", "stratum", "consented", "consent_version", "kit_1", "start_1", "kit_2"])
    sheet.append(["OLD1", "north", MONDAY - 30 * DAY, "1.0", "E01", MONDAY - 20 * DAY, "E02"])
    book.save(path)
    bring(register, path)
    person = register.participant("OLD1")
    assert (person.consented, person.starts) == (MONDAY - 30 * DAY, (MONDAY - 20 * DAY,))


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("OLD1;west;;2026-08-30;1;E1;;;;;E2;;;;;;;;", "not a stratum"),
        ("OLD1;;;2026-08-30;1;E1;;;;;E2;;;;;;;;", "stratum is missing"),
        ("OLD1;north;;30.08.2026;1;E1;;;;;E2;;;;;;;;", "YYYY-MM-DD"),
        ("OLD1;north;;2027-08-30;1;E1;;;;;E2;;;;;;;;", "in the future"),
        ("OLD1;north;;2026-08-30;1;E1;;;;;;;;;;;;;", "kit_2 is missing"),
        ("OLD1;north;;2026-08-30;1;E1;2026-08-20;;;;E2;;;;;;;;", "cannot start before that"),
        ("OLD1;north;;2026-08-30;1;E1;2026-09-01;7;;;E2;;;;;;;;", "not days of a course"),
        ("OLD1;north;;2026-08-30;1;E1;2026-09-01;;2026-08-31;;E2;;;;;;;;", "before the start"),
        ("OLD1;north;;2026-08-30;1;E1;2026-09-01;;2026-09-04;held;E2;;;;;;;;", "session_status_1"),
        ("OLD1;north;;2026-08-30;1;E1;2026-09-01;;;;E2;2026-09-08;;;;;;;", "washout"),
        ("OLD1;north;;2026-08-30;1;E1;;;;;E2;;;;2026-09-09;;;;", "withdrawal_reason"),
        ("OLD1;north;;2026-08-30;1;KIT;;;;;E2;;;;;;;;", "own allocation"),
        ("DF001;north;;2026-08-30;1;E1;;;;;E2;;;;;;;;", "is enrolled here"),
        ("DF01;north;;2026-08-30;1;E1;;;;;E2;;;;;;;;", "easily confused"),
        ("OLD9;;;;;;;;;;;;;;;;2026-08-21;unwell;", "screening_outcome"),
    ],
)
def test_rows_that_cannot_be_so_are_named_and_nothing_is_recorded(
    register: Register, tmp_path: Path, row: str, found: str
) -> None:
    """Each with its number and what to do."""
    setup.enrol(register, "DF001", "north", "RA")
    before = len(register.entries())
    path = table(tmp_path, ROWS + row.replace("KIT", register.kits()[5].kits[0]).replace("OLD1", "OLD7") + "\n")
    with pytest.raises(BadInput, match=found) as error:
        bring(register, path)
    assert "\n  row 5: " in str(error.value)
    assert len(register.entries()) == before


def test_a_table_of_something_else_is_refused(register: Register, tmp_path: Path) -> None:
    """An unknown column, and the same participant twice."""
    path = tmp_path / "t.csv"
    path.write_text("participant_id,shoe_size\nA,42\n")
    with pytest.raises(BadInput, match="'shoe_size' is unknown"):
        bring(register, path)
    with pytest.raises(BadInput, match="twice"):
        bring(register, table(tmp_path, ROWS + ROWS.splitlines()[0] + "\n"))


def test_the_commands_record_and_list(tmp_path: Path) -> None:
    """From the terminal: who was screened, the counts, and a table that is only checked before it is brought in."""
    data, today = ["--data", str(tmp_path)], utc_now().date()
    setup.set_up(Register(tmp_path / "study"), STUDY, *PUBLIC_KEYS, "PI")
    path = tmp_path / "past.csv"
    path.write_text(f"participant_id,screened,screening_outcome,screening_reason\nS9,{today - DAY},declined,no time\n")

    def run(*arguments: str, operator: str = "RA") -> str:
        by = ["--operator", operator] if operator else []
        done = CliRunner().invoke(app, ["study", *arguments, *data, *by])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    run("screen", "--subject", "S1", "--outcome", "not-eligible", "--reason", "takes opioids")
    assert "1 new entries" in run("import", str(path), "--reason", WHY, "--dry-run")
    run("import", str(path), "--reason", WHY)
    listed = run("screening", operator="")
    assert "Assessed: 2. Enrolled: 0." in listed
    assert "Declined to take part: 1 (no time 1)" in listed
    assert "sub-S1\t" in run("screening", "--tsv", operator="")
    assert "takes opioids" in run("history", operator="")
    run("overview", operator="")
    assert "takes opioids 1" in (tmp_path / "derivatives" / "overview" / "overview.html").read_text(encoding="utf-8")
