"""The commands of the daily reports as a lab types them: serve, links, remind, import, table, methods, overviews."""

from __future__ import annotations

import csv
import shutil
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from msgspec.structs import replace

from experiment.reports.links import own_calendar
from experiment.reports.log import Reminded, Sent, journal, questions
from experiment.reports.mail import Address, MailServer, owed, remind, send_by
from experiment.reports.table import files, rows, table_path
from tests.daily_reports import (
    BASE,
    DAILY,
    FULL,
    LOCAL,
    PROTOCOL,
    ROOT,
    ask,
    begin,
    free_port,
    give,
    served,
    serving,
    start_second,
    tonight,
)
from tests.registers import DAY, MONDAY, STUDY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from tests.daily_reports import Evenings

CANARY = "Canary"


@pytest.fixture(scope="module")
def tonights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evenings, date]:
    """Three participants on this very evening, by the real clock, in a study whose name and drug are canaries."""
    study, day = tonight()
    named = replace(study, name=f"{CANARY} study", treatments=(f"{CANARY}one", "placebo"))
    return begin(tmp_path_factory.mktemp("data"), 3, named, monday=day), day


def run(*arguments: object, status: int = 0) -> tuple[str, str]:
    """What a command prints and says."""
    command = [sys.executable, "-I", "-m", "experiment", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


def events_of(content: bytes) -> list[Any]:
    """The events of a calendar's file."""
    return [*Calendar.from_ical(content).walk("VEVENT")]


def test_the_pages_are_served_here_only(tonights: tuple[Evenings, date]) -> None:
    """Another address is refused without a web server in front; what is served says its log, and no link or answer."""
    made, day = tonights
    data = made.service.data
    assert "--behind-proxy" in run("reports", "serve", "--data", data, "--host", "0.0.0.0", status=2)[1]  # noqa: S104
    port = free_port()
    with serving(data, port) as process:
        second = run("reports", "serve", "--data", data, "--port", port, status=4)[1]
        assert ("another --port" in second, "are served on" in second) == (True, False)
        fields = FULL | {"item_calm": CANARY, "asked": CANARY, "extra": CANARY}
        form = ask(port, made.path("DF003", day)).form
        pages = [ask(port, made.path("DF003", day), fields | {"form": form}), ask(port, made.path("DF003"))]
        pages.append(ask(port, f"{made.path('DF003')}/calendar.ics"))
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert "reports.jsonl" in said
    kept = [path.read_text(encoding="utf-8") for path in files(data)]
    assert [text for text in (said, *kept, *(page.text + str(page.headers) for page in pages)) if CANARY in text] == []
    secret = made.links["DF003"].rpartition("/")[2]
    assert [text for text in (said, *kept) if secret in text] == []


def test_links_are_handed_out_once(tonights: tuple[Evenings, date], tmp_path: Path) -> None:
    """Cards with a QR code, a table and a calendar for each; not in the data set, and anew only on demand."""
    made, _ = tonights
    where = ("--data", made.service.data, "--url", BASE)
    assert "data set" in run("reports", "links", *where, "--out", made.service.data / "x", "--renew", status=2)[1]
    assert (
        "https"
        in run("reports", "links", "--data", made.service.data, "--url", "daily", "--out", tmp_path, status=2)[1]
    )
    assert "have a link" in run("reports", "links", *where, "--out", tmp_path / "a", status=2)[1]
    run("reports", "links", *where, "--out", tmp_path / "b", "--renew", "--subject", "DF002")
    text = (tmp_path / "b" / "links.csv").read_text(encoding="utf-8")
    ((name, link),) = [(row["participant_id"], row["link"]) for row in csv.DictReader(text.splitlines())]
    card = (tmp_path / "b" / "cards.html").read_text(encoding="utf-8")
    assert (name, link in card, "<svg" in card, CANARY in card) == ("sub-DF002", True, True, False)
    assert (tmp_path / "b" / "links.csv").stat().st_mode & 0o077 == 0
    events = events_of((tmp_path / "b" / "sub-DF002.ics").read_bytes())
    assert {str(event["url"]) for event in events} == {link}
    assert "already contains links" in run("reports", "links", *where, "--out", tmp_path / "b", "--renew", status=2)[1]
    run("reports", "links", "--data", made.service.data, "--revoke", "--subject", "DF002")


def test_links_may_be_made_before_the_pages_are_served(tmp_path: Path) -> None:
    """Links begin the log with what is asked, so that nothing is found wrong; until then there is no table to show."""
    made = begin(tmp_path / "data")
    data = made.service.data
    for folder in ("sourcedata", "phenotype"):
        shutil.rmtree(data / folder)  # as if nobody had ever begun with reports
    assert "serve" in run("reports", "table", "--data", data, status=2)[1]
    assert not (data / "phenotype").exists()
    run("reports", "links", "--data", data, "--url", BASE, "--out", tmp_path / "links")
    assert "not shown" not in "".join(run("study", "status", "--data", data))
    assert "no problems found" in "".join(run("study", "verify", "--data", data))


def test_what_is_served_is_what_links_and_reminders_say(tonights: tuple[Evenings, date], tmp_path: Path) -> None:
    """Served in German, cards are in German though no protocol is named; serving other questions is pointed out."""
    made, _ = tonights
    data = tmp_path / "data"
    shutil.copytree(made.service.data, data)
    german = ROOT / "stimuli" / "protocols" / "de.toml"
    port = free_port()
    with serving(data, port, german) as process:
        process.terminate()
        assert process.stderr is not None
        assert "have changed" in process.stderr.read().decode()
    run("reports", "links", "--data", data, "--url", BASE, "--out", tmp_path / "links", "--renew")
    assert '<html lang="de"' in (tmp_path / "links" / "cards.html").read_text(encoding="utf-8")
    run("reports", "remind", "--data", data)
    assert questions(journal(data).entries()).latest.language == "de"


def test_reminders_for_the_phones_own_calendar(tmp_path: Path) -> None:
    """An alarm at each report's hour with the link; when course 2 has begun, its days are added, with the same UIDs."""
    made = begin(tmp_path, study=replace(STUDY, name=CANARY))

    def reminders() -> dict[str, tuple[Any, int, str]]:
        one = made.service.roster().people["DF001"]
        token = made.links["DF001"].rpartition("/")[2]
        asker = made.service.asker_with(token, made.entries)
        assert asker is not None
        assert asker.one == one
        text = own_calendar(asker, made.links["DF001"])
        assert CANARY.encode() not in text
        return {
            str(event["uid"]): (event["dtstart"].dt, len(event.walk("VALARM")), str(event["url"]))
            for event in events_of(text)
        }

    first = reminders()
    assert [
        (f"{when.astimezone(ZoneInfo(STUDY.clock.zone)):%d %H:%M}", alarms) for when, alarms, _ in first.values()
    ] == [(f"{day} 20:00", 1) for day in (23, 24, 25, 26)]
    start_second(made, "DF001", MONDAY + 14 * DAY)
    assert len(reminders()) == 8
    assert first.items() <= reminders().items()


class Mailbox(socketserver.StreamRequestHandler):
    """As much of a mail server as one mail needs."""

    def handle(self) -> None:
        """Take in a mail."""
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(mail.decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Its port, and the mails that came."""
    with socketserver.ThreadingTCPServer((LOCAL, 0), Mailbox) as server:
        server.mails = mails = list[str]()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


def test_everybody_is_reminded_once(tmp_path: Path) -> None:
    """Who owes today's report gets one mail, however often it is asked for; a failure is tried again."""
    made = begin(tmp_path / "data", 3)
    made.at(MONDAY, "20:30")
    with served(made) as port:
        give(port, made.path("DF002", MONDAY))
    assert [one.subject for one in owed(made.service, made.entries)] == ["DF001", "DF003"]
    addresses = {"DF001": Address("anna@example.edu", made.links["DF001"])}
    away = send_by(MailServer(LOCAL, free_port()))
    failed = [hindered for _, hindered in remind(made.service, addresses, away, "lab@example.edu")]
    assert (len(failed), failed[1]) == (2, "no address is known")
    assert failed[0]
    two_lines = "lab@example.edu\nBcc: everybody@example.edu"
    wrong = next(hindered for _, hindered in remind(made.service, addresses, away, two_lines))
    assert wrong == "an address is not valid"
    with mail_server() as (port, mails):
        send = send_by(MailServer(LOCAL, port))
        for _ in range(3):
            list(remind(made.service, addresses, send, "lab@example.edu"))
        locked = send_by(MailServer(LOCAL, port, "lab", "canary"))
        hindered = dict(remind(made.service, {"DF003": addresses["DF001"]}, locked, "lab@example.edu"))
        assert [text for text in hindered.values() if text and "no TLS" in text]
    (mail,) = mails
    assert made.links["DF001"] in mail.replace("=\r\n", "")
    assert "Monday 23 November" in mail
    assert [one.event.failed for one in made.entries if isinstance(one.event, Reminded)] == [
        *(False, True, False, True),
        *(False,),
        *(False, True),
    ]
    made.at(MONDAY, "19:00")
    assert owed(made.service, made.entries) == []


def test_who_still_owes_is_printed(tonights: tuple[Evenings, date]) -> None:
    """Without addresses `remind` prints a line for each."""
    made, day = tonights
    lines = run("reports", "remind", "--data", made.service.data)[0].splitlines()
    assert all(line.split("\t")[1] == str(day) for line in lines)


def test_the_overviews_show_the_reports(tmp_path: Path) -> None:
    """Status, verification, table and methods of a simulated study; a changed row is found, and made anew."""
    out = tmp_path / "study"
    given = ("--subjects", 4, "--seed", 3, "--out", out, "--messages", ROOT / "stimuli" / "examples" / "english.csv")
    run("simulate", "--study", ROOT / "stimuli" / "study.toml", *given)
    assert "reports 8 of 8" in "".join(run("study", "status", "--data", out))
    run("replay", out, "--verify", "--pilot")
    paragraph = run("reports", "methods", "--data", out)[0]
    assert "7 items (3 on connection, 3 on mood, 1 on symptoms)" in paragraph
    assert "SD" in paragraph
    path = table_path(out)
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"\tin_time\t", b"\tlate\t", 1))
    assert "not as the log has it" in "".join(run("replay", out, "--verify", "--pilot", status=1))
    run("reports", "table", "--data", out)
    assert path.read_bytes() == kept
    run("qa", out, "--pilot", status=1)
    page = out / "derivatives" / "qa" / "qa.html"
    assert "daily reports missing" in page.read_text(encoding="utf-8")


def test_the_zone_of_an_import_is_asked(tonights: tuple[Evenings, date], tmp_path: Path) -> None:
    """Without --zone and a person to ask, nothing is imported; with it, a report is."""
    made, day = tonights
    path = tmp_path / "reports.csv"
    header = ",".join(["participant_id", "submitted", *(item.id for item in DAILY.items)])
    path.write_text(f"{header}\nDF001,{day} 20:30,1,2,3,4,5,6,1\n", encoding="utf-8")
    where = ("--data", made.service.data, "--protocol", PROTOCOL)
    assert "--zone" in run("reports", "import", path, *where, status=2)[1]
    zone = made.service.roster().study.clock.zone
    assert "1 reports imported" in run("reports", "import", path, *where, "--zone", zone)[0]
    assert "1 were there already" in run("reports", "import", path, *where, "--zone", zone)[0]


def test_habits_are_seen(tmp_path: Path) -> None:
    """One answer everywhere, seconds after the page was opened, is counted and named; a single one needs nobody."""
    from experiment.reports.standings import counts, findings, standings

    made = begin(tmp_path)
    made.at(MONDAY, "20:30")
    with served(made) as port:
        give(port, made.path(day=MONDAY), dict.fromkeys(FULL, "4"))
    made.at(MONDAY + DAY, "20:30")
    roster = made.service.roster()
    of = standings(roster, made.entries, made.clock.moment)
    assert counts(of) == {"in": 1, "due": 1, "missing": 0, "all alike": 1, "too fast": 1}
    assert [(one.kind, one.needs_person) for one in findings(of)] == [("report_alike", False), ("report_fast", False)]
    assert of[0].note == "reports 1 of 2, Tue 24 Nov open since 18:00, 1 all alike, 1 too fast"


def test_changed_questions_keep_what_was_asked(tmp_path: Path) -> None:
    """Other items and hours from a day on: older reports keep their answers and count by the hours of their day."""
    made = begin(tmp_path)
    made.at(MONDAY + DAY, "00:30")
    with served(made) as port:
        give(port, made.path(day=MONDAY))
    made.at(MONDAY + DAY, "12:00")
    other = replace(DAILY, closes="23:00", items=(*DAILY.items[1:], replace(DAILY.items[0], id="warm")))
    service = type(made.service)(tmp_path, other, made.service.register)
    service.begin()
    names = [item.id for item in questions(service.journal.entries()).items]
    assert names == [*(item.id for item in other.items), "connected"]
    roster = service.roster()
    (row,) = rows(roster, service.journal.entries(), made.clock.moment)
    assert (row.status, row.answers["connected"], row.answers.get("warm")) == ("in_time", 1, None)
    assert isinstance(made.entries[-2].event, Sent)
