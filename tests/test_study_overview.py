"""The coordinator's page: participants by visits, today's list and the table, as the register has them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.qa.findings import qa_finding
from experiment.study import events, overview, overview_page, setup
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot
from experiment.study.status import ReportsIn
from tests.daily_reports import begin, give, served, withdraw
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
    running,
    started,
    story,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from playwright.sync_api import Browser

THURSDAY = MONDAY + 3 * DAY
SECOND = MONDAY + 14 * DAY
TAKEN = [dosed(MONDAY + n * DAY) for n in (1, 2, 3)]
REASONS = ("Krampfanfall, Öffnung nachts", "نوبة صرع، طلبت الطبيبة فتح الظرف")


def shown(*told: tuple[date, events.Act], today: date, **known: object) -> overview.Overview:
    """The overview of these acts at noon of a day."""
    entries = tuple(story(*told))
    return overview.overview(Snapshot(entries, tuple("0" * 64 for _ in entries)), noon(today), **known)  # type: ignore[arg-type]


def states(cells: tuple[overview.Cell, ...]) -> list[str]:
    """Their states."""
    return [cell.state for cell in cells]


def test_each_visit_has_its_state() -> None:
    """Done, due, overdue, missed, ended early, to decide and planned are told apart, each with its day."""
    (row,) = shown(*running(), *TAKEN[:1], dosed(MONDAY + 2 * DAY, taken=False), today=THURSDAY).rows
    first, second = row.courses
    assert (row.consent.state, row.consent.day, first.start.day) == ("done", MONDAY, MONDAY)
    assert states(first.doses) == ["done", "done", "missed", "due"]
    assert (first.session.state, first.session.day, first.session.words) == ("due", THURSDAY, "14:00")
    assert (second.start.state, second.start.day) == ("planned", SECOND)
    (row,) = shown(*running(), today=SECOND).rows
    assert states(row.courses[0].doses) == ["done", "overdue", "overdue", "overdue"]
    assert (row.courses[0].session.state, row.courses[1].start.state) == ("overdue", "waiting")
    (row,) = shown(*running(), *TAKEN, held(1, THURSDAY, "aborted"), today=THURSDAY).rows
    assert (row.courses[0].session.state, row.courses[0].session.words) == ("stopped", "ended early")
    (row,) = shown(*running(), *TAKEN, held(1, THURSDAY + DAY, "never_held"), today=SECOND).rows
    assert row.courses[0].session.state == "missed"
    (row,) = shown(*running(), (MONDAY + DAY, events.Withdrew("DF001", "ill")), today=THURSDAY).rows
    assert states(row.courses[0].doses) == ["done", "none", "none", "none"]
    assert row.courses[0].session.state == row.courses[1].start.state == "none"


def test_each_report_has_its_state() -> None:
    """In, open, missing, straight-lined and too fast; one that opens later today is planned."""
    days = [MONDAY + n * DAY for n in range(4)]
    known = ReportsIn(frozenset(days[:2]), "", frozenset(), frozenset(days[2:3]), frozenset(days[1:2]))
    (row,) = shown(*running(), *TAKEN, today=THURSDAY, reports={"DF001": known}, counts={"in": 2}).rows
    assert states(row.courses[0].reports) == ["done", "doubtful", "missed", "planned"]
    known = ReportsIn(due=frozenset(days[3:]), fast=frozenset(days[:1]))
    (row,) = shown(*running(), *TAKEN, today=THURSDAY, reports={"DF001": known}).rows
    assert states(row.courses[0].reports) == ["doubtful", "none", "none", "due"]


def test_places_and_kits_add_up() -> None:
    """Handed out, set aside and left are all kits, less those of whoever left or whose enrolment was taken back."""
    told = [
        *running(), enrolled("P2", 2), enrolled("P3", 3), (MONDAY, events.Corrected(5, "wrong ID")),
        (MONDAY, events.Withdrew("P3", "moved")),
    ]  # fmt: skip
    north, south = shown(*told, today=MONDAY).strata
    assert (north.enrolled, north.withdrawn, north.places_left) == (2, 1, 37)
    assert (north.kits_given, north.kits_set_aside, north.kits_left) == (1, 1, 74)
    assert (south.enrolled, south.places_left, south.kits_left) == (0, 40, 80)


def test_todays_list_is_in_the_order_of_the_day() -> None:
    """What is overdue, then the sessions, doses and reports of today, then what somebody has to decide."""
    told = [*running(), *TAKEN[:2], enrolled("P2", 2), consented("P2"), started(1, MONDAY, "P2", 2), enrolled("P3", 3)]
    page = overview_page.render(shown(*told, today=THURSDAY), only_today=True)
    titles = [
        "Overdue (1)",
        "Sessions (2)",
        "Doses to record (2)",
        "Daily reports that are not in (2)",
        "To be decided",
    ]
    at = [page.index(title) for title in titles]
    assert at == sorted(at)
    assert "record doses of Tue 24 Nov, Wed 25 Nov" in page
    assert "Consented, not enrolled yet: sub-N1, sub-N2." in overview_page.render(
        shown(consented("N1"), consented("N2"), today=MONDAY), only_today=True
    )
    assert "Nothing is due" in overview_page.render(shown(today=THURSDAY), only_today=True)


def test_the_page_tells_nothing_that_unblinds() -> None:
    """No kit, no treatment and no name of the study stand on the page."""
    page = overview_page.render(shown(*running(), *TAKEN, held(1, THURSDAY), today=SECOND))
    assert "DF001" in page
    assert not any(word in page for word in (*kits(), *STUDY.treatments, STUDY.name))


def test_the_commands_write_page_list_and_table(tmp_path: Path) -> None:
    """One command writes the page, today's list and a table with the same facts, and overwrites nothing else."""
    evenings = begin(tmp_path, subjects=3)
    evenings.at(MONDAY, "21:00")
    with served(evenings) as port:
        give(port, evenings.path(day=MONDAY))
    withdraw(evenings, "DF003")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["study", "overview", "--data", str(tmp_path), *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    page = tmp_path / "derivatives" / "overview" / "overview.html"
    assert str(page) in run().replace("\n", "")
    assert "3 of 80" in page.read_text(encoding="utf-8")
    assert evenings.service.roster().anchor in page.read_text(encoding="utf-8")
    assert "today.html" in run("--today").replace("\n", "")
    rows = list(csv.DictReader(run("--tsv").splitlines(), delimiter="\t"))
    assert [row["participant_id"] for row in rows if row["urgency"] == "withdrawn"] == ["sub-DF003"]
    assert {row["participant_id"]: row["reports_in_1"] for row in rows}["sub-DF001"] == "1"
    log = evenings.service.journal.path
    log.write_bytes(log.read_bytes().replace(b"DF001", b"DF002", 1))
    run()
    assert "Daily reports are not shown" in page.read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, ["study", "overview", "--data", str(tmp_path), "--out", str(tmp_path / "a.tsv")])
    assert "must end in .html" in str(refused.exception)


def test_a_synthetic_study_under_way_can_be_tried(tmp_path: Path) -> None:
    """It ends on a day, nothing in it is from later, and the page shows it as of that day."""
    data = tmp_path / "data"
    plan = Path(__file__).parents[1] / "stimuli" / "study.toml"
    options = ["--study", str(plan), "--subjects", "6", "--until", "2000-01-28", "--out", str(data)]
    assert CliRunner().invoke(app, ["simulate", *options]).exit_code == 0
    page = CliRunner().invoke(app, ["study", "overview", "--pilot", "--data", str(data), "--tsv"])
    rows = list(csv.DictReader(page.stdout.splitlines(), delimiter="\t"))
    assert {row["session_1"] for row in rows} & {"done", "stopped"}
    assert {row["session_2"] for row in rows} & {"planned", "due"}
    assert CliRunner().invoke(app, ["study", "verify", "--data", str(data)]).exit_code == 0


def test_what_was_recorded_is_said_to_be(tmp_path: Path) -> None:
    """Whatever hinders `participants.tsv` from following, the act is in the register, and nobody repeats it."""
    setup.set_up(Register(tmp_path / "study"), STUDY, *PUBLIC_KEYS, "PI")
    (tmp_path / "participants.tsv").mkdir()
    command = ["study", "consent", "--subject", "N1", "--version", "1", "--operator", "RA", "--data", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert "Recorded, but participants.tsv does not show it yet" in done.stderr
    assert Register(tmp_path / "study").read().awaiting_enrolment == ["N1"]


def a_study_of(count: int) -> overview.Overview:
    """Many participants, each on another day, with findings, reports and reasons in other languages."""
    told = [(MONDAY, act) for number in range(1, count + 1) for act in _acts(number)]
    reports = {
        f"DF{number:03}": ReportsIn(frozenset([MONDAY]), "reports 1 of 2", missing=frozenset([MONDAY + DAY]))
        for number in range(1, count + 1)
    }
    counts = {"in": count, "due": 1, "missing": count, "all alike": 2, "too fast": 3}
    findings = [
        qa_finding(
            "let_in",
            f"Assistant ran a session. The reason given: {REASONS[number % 2]}",
            subject=f"DF{number:03}",
            session=1,
        )
        for number in range(1, count, 3)
    ]
    return shown(*told, today=THURSDAY, reports=reports, counts=counts, findings=findings)


def _acts(number: int) -> Iterator[events.Act]:
    subject, start = f"DF{number:03}", MONDAY - (number % 20) * DAY
    pair = (f"K{number:04}", f"L{number:04}")
    yield events.Enrolled(subject, STUDY.strata[number % 2], number, pair)
    if number % 9 == 0:
        return
    yield events.Consented(subject, start.isoformat(), "1.0")
    yield events.CourseStarted(subject, 1, start.isoformat(), pair[0], "under way")
    if number % 4 == 0:
        yield events.Unblinded(subject, REASONS[number // 4 % 2])
    if number % 3 == 0:
        yield events.SessionHeld(subject, 1, (start + 3 * DAY).isoformat(), "completed", "a" * 64)


@pytest.mark.parametrize("count", [80, 500])
def test_the_page_is_legible_at_every_size(browser: Browser, tmp_path: Path, count: int) -> None:
    """On phone, desktop and paper nothing lies beside the page or its frame; axe finds nothing, nothing is loaded."""
    page = tmp_path / "overview.html"
    page.write_text(overview_page.render(a_study_of(count)), encoding="utf-8")
    context = browser.new_context(offline=True)
    tab, asked = context.new_page(), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    for width in (320, 390, 1280, 1920, 3840):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert width < 1280 or tab.evaluate(_HIDDEN) == []
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 1047, "height": 718})  # A4 across, less its margins
    assert tab.evaluate(_HIDDEN) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1047
    tab.emulate_media(media="screen")
    assert tab.locator(".visits tbody tr").count() == count
    if count == 80:
        assert Axe().run(tab).violations_count == 0
        page.write_text(overview_page.render(a_study_of(count), only_today=True), encoding="utf-8")
        tab.reload()
        assert Axe().run(tab).violations_count == 0
        arabic = tab.get_by_text("نوبة صرع").first
        assert arabic.evaluate("one => getComputedStyle(one).direction") in {"ltr", "rtl"}
    assert {*asked} == {page.as_uri()}
    context.close()


_HIDDEN = (
    "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
)
