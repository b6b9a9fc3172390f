"""From `study init` to `analyse`: eight reports through the page in a real browser, and two sessions."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from statistics import fmean
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_records
from experiment.reports.service import Service
from experiment.reports.table import files, table_path
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.study.register import Register
from experiment.study.seals import write_keys
from experiment.study.sessions import admit, record
from experiment.study.simulated_study import SettableClock
from tests.daily_reports import BASE, DAILY, LOCAL, PROTOCOL, ROOT, Evenings, served
from tests.registers import DAY

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

SUBJECT, MONDAY, PASSPHRASE = "DF001", date(2026, 9, 14), "three small words"
MESSAGES = ROOT / "stimuli" / "examples" / "english.csv"


def run(*arguments: object, typed: str = "", status: int = 0) -> str:
    """What a command prints and says."""
    command = [sys.executable, "-I", "-m", "experiment", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input=typed)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def record_by_command(*arguments: object) -> None:
    """A command that records something now, by the study's clock."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.exception


def begin(folder: Path, clock: SettableClock) -> Evenings:
    """A study as a lab begins it: keys, register, a participant whose course 1 begins now, and their link."""
    data, who = folder / "data", ("--subject", SUBJECT, "--operator", "RA", "--data", folder / "data")
    for holder in ("unblinder", "pharmacy"):
        (folder / f"{holder}.txt").write_text(write_keys(folder / f"{holder}.key", PASSPHRASE), encoding="utf-8")
    keys = ("--unblinder", folder / "unblinder.txt", "--pharmacy", folder / "pharmacy.txt")
    record_by_command("study", "init", "--operator", "PI", *keys, "--data", data)
    register = Register(data / "study", clock)
    record_by_command("study", "enrol", *who, "--stratum", "north")
    record_by_command("study", "consent", *who, "--version", "v1")
    record_by_command("study", "start", *who, "--course", 1, "--kit", register.participant(SUBJECT).kits[0])
    record_by_command("reports", "links", "--url", BASE, "--out", folder / "links", "--data", data)
    (row,) = csv.DictReader((folder / "links" / "links.csv").read_text(encoding="utf-8").splitlines())
    return Evenings(Service(data, DAILY, register), clock, {SUBJECT: row["link"]})


def hold_session(made: Evenings, session: int) -> None:
    """The session of a course, by a synthetic participant, on the day that the register allows."""
    register, data = made.service.register, DataSet(made.service.data)
    data.prepare()
    assert admit(register, SUBJECT, "RA") == session
    plan = plan_session(
        "simulate", read_protocol(PROTOCOL), read_messages(MESSAGES), data, subject=SUBJECT, session=session, seed=1,
        operator="RA", participant="steady",
    )  # fmt: skip
    began_utc = register.now().isoformat(timespec="milliseconds")
    status = run_simulated(plan, began_utc).status
    record(register, SUBJECT, session, "RA", status, began_utc, plan.transcript)


def give_report(made: Evenings, page: Page, port: int, point: int) -> None:
    """One evening on the phone, half a minute long."""
    page.goto(f"http://{LOCAL}:{port}{made.path(SUBJECT)}")
    for at, item in enumerate(DAILY.items):
        page.locator(f"input[name=item_{item.id}][value='{1 + (point - 1 + at) % item.points}']").check()
    made.clock.moment += timedelta(seconds=30)
    page.get_by_role("button").tap()
    page.wait_for_url("**/received")


def live_course(made: Evenings, page: Page, port: int, course: int, first: date) -> None:
    """Four days: a dose in the morning, a session on day 4, a report every evening."""
    who = ("--subject", SUBJECT, "--operator", "RA", "--data", made.service.data)
    for day in range(1, 5):
        made.at(first + (day - 1) * DAY, "08:00")
        if day > 1:
            record_by_command("study", "dosed", *who)
        elif course == 2:
            kit = made.service.register.participant(SUBJECT).kits[1]
            record_by_command("study", "start", *who, "--course", 2, "--kit", kit)
        if day == 4:
            made.at(first + 3 * DAY, "14:00")
            hold_session(made, course)
        made.at(first + (day - 1) * DAY, "20:10")
        give_report(made, page, port, day + course)


def check_analysis(data: Path, folder: Path, treatments: list[str]) -> None:
    """What was tapped on the phone is what is modelled, under the treatment of its course; one person shows nothing."""
    out = folder / "results"
    said = run("analyse", "--data", data, "--treatments", folder / "treatments.tsv", "--out", out)
    assert "could not be estimated" in said
    assert (out / "analysis.html").is_file()
    rows = read_records(out / "daily_rows.tsv", "participant", "session", "item")
    items = [(at, item) for at, item in enumerate(DAILY.items) if item.block == "connection"]
    for row in rows:
        course, day = int(row["session"]), int(row["item"])
        tapped = [(1 + (day + course - 1 + at) % item.points, item) for at, item in items]
        mean = fmean(1 + item.points - point if item.reversed else point for point, item in tapped)
        assert row["treatment"] == treatments[course - 1]
        assert float(row["connection"]) == pytest.approx(mean)
    assert len(rows) == 8


def test_a_study_from_its_beginning_to_the_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight evenings on a phone and both sessions; all are in the table; verified, locked, unblinded, analysed."""
    data, clock = tmp_path / "data", SettableClock()
    clock.moment = datetime.combine(MONDAY, time(8), ZoneInfo("Europe/Berlin"))
    monkeypatch.setattr(Register.__init__, "__defaults__", (clock,))  # the computer's clock, for every command
    made = begin(tmp_path, clock)
    with served(made) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(**playwright.devices["Pixel 7"])
        live_course(made, page, port, 1, MONDAY)
        live_course(made, page, port, 2, MONDAY + 14 * DAY)
        browser.close()
    rows = [line.split("\t") for line in table_path(data).read_text(encoding="utf-8").splitlines()[1:]]
    assert [(row[1], row[2], row[7], row[10]) for row in rows] == [
        (f"ses-{course}", str(day), "in_time", str(day + course)) for course in (1, 2) for day in range(1, 5)
    ]
    assert "reports 8 of 8" in run("study", "status", "--data", data)
    assert "8 came (100.0 %): 8 in time" in run("reports", "methods", "--data", data)
    run("replay", data, "--verify", "--pilot")
    run("study", "lock", "--operator", "PI", "--data", data, "--pilot")
    locked = {path: path.read_bytes() for path in files(data)}
    assert "locked" in run("reports", "serve", "--data", data, status=2)
    assert "locked" in run("reports", "links", "--data", data, "--url", BASE, "--out", tmp_path / "more", status=2)
    run("reports", "table", "--data", data)
    assert locked == {path: path.read_bytes() for path in files(data)}
    given = ("--key", tmp_path / "unblinder.key", "--data", data, "--operator", "PI")
    run("study", "unblind", *given, "--out", tmp_path / "treatments.tsv", typed=f"{PASSPHRASE}\n")
    treatments = [line.split("\t")[-1] for line in (tmp_path / "treatments.tsv").read_text().splitlines()[1:]]
    assert sorted(treatments) == ["naltrexone", "placebo"]
    check_analysis(data, tmp_path, treatments)
