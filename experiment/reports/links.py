"""Secret links: made for participants, handed out as cards with a QR code, a table for mail merge, and calendar files.

A link's secret is kept nowhere but on what is handed out: the log has its digest. Who lost a card gets a new link. The
calendar (RFC 5545) has an alarm and the link for each report: the reminder that needs no server, no vendor and no
address. Every event keeps its UID, so a file that is imported again after course 2 has begun doubles nothing.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import segno
from icalendar import Alarm, Event
from msgspec import Struct

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.reports.log import Linked, LogLine, Revoked, digest, entry, links
from experiment.reports.open_times import ReportWindow, windows
from experiment.reports.replies import Asker
from experiment.reports.service import Service
from experiment.reports.words import direction, said
from experiment.storage.atomic_file import write_whole
from experiment.storage.html import fill_template
from experiment.study.calendar import Appointment, calendar_event, calendar_file, event_uid

HERE = Path(__file__).parent
TOKEN_BYTES = 24
CARDS, TABLE = "cards.html", "links.csv"
COLUMNS = ("participant_id", "link")
LASTS = timedelta(minutes=10)


class Card(Struct, frozen=True):
    """What a participant is handed; `qr` is an SVG of the link."""

    subject: str
    link: str
    qr: str


def make_links(service: Service, url: str, subjects: Collection[str], *, renew: bool) -> dict[str, str]:
    """A link for each of these participants, or for all who take part, by ID; those who have one only with `renew`.

    `url`: where participants find the pages. A new link ends an earlier one. BadInput if the address is none, or if
    nobody needs a link.
    """
    base = _checked(url)
    roster = service.roster()
    chosen = [*map(roster.participant, subjects)] or [one for one in roster.people.values() if not one.is_over]
    tokens: dict[str, str] = {}

    def decide(entries: Sequence[LogLine]) -> list[LogLine]:
        having = {*links(entries).values()}
        tokens.update(
            (one.subject, secrets.token_urlsafe(TOKEN_BYTES)) for one in chosen if renew or one.subject not in having
        )
        return [entry(service.now(), Linked(subject, digest(token))) for subject, token in tokens.items()]

    service.append(decide)
    if not tokens:
        raise BadInput(
            "All participants have a link, and links are not stored. For a lost card, make a new one with --renew "
            "--subject ID."
        )
    return {subject: f"{base}/r/{token}" for subject, token in tokens.items()}


def revoke_links(service: Service, subjects: Collection[str]) -> None:
    """Let the links of these participants be valid no more; BadInput if one has none."""
    names = [service.roster().participant(one).subject for one in subjects]

    def decide(entries: Sequence[LogLine]) -> list[LogLine]:
        if without := [name for name in names if name not in links(entries).values()]:
            raise BadInput(f"{subject_name(without[0])} has no link.")
        return [entry(service.now(), Revoked(name)) for name in names]

    service.append(decide)


def check_out(service: Service, out: Path) -> None:
    """BadInput if `out` lies in the data set, or has links already, which nobody could make again."""
    if out.resolve().is_relative_to(service.data.resolve()):
        raise BadInput(f"{out} is in the data set, but links are secret. Choose --out outside {service.data}.")
    if (out / CARDS).exists() or (out / TABLE).exists():
        raise BadInput(f"{out} already contains links, which are stored nowhere else. Choose another --out.")


def write_handouts(service: Service, out: Path, made: dict[str, str]) -> list[Path]:
    """Cards to print, a table for mail merge, and a calendar file for whoever's course has begun; for their owner only.

    EquipmentFailure if they cannot be written.
    """
    people = service.roster().people
    files: dict[str, str | bytes] = {CARDS: cards(service, made), TABLE: _table(made)}
    for subject, link in made.items():
        if people[subject].starts:
            files[f"{subject_name(subject)}.ics"] = own_calendar(service.asker(people[subject]), link)
    for name, content in files.items():
        write_whole(out / name, content, private=True)
    return [out / name for name in files]


def cards(service: Service, made: dict[str, str]) -> str:
    """The page of cards."""
    daily = service.daily
    text = daily.wording.card.format(opens=daily.opens, closes=daily.closes)
    codes = {link: segno.make(link, micro=False, error="m") for link in made.values()}
    shown = [Card(who, link, codes[link].svg_inline(scale=4, border=2)) for who, link in made.items()]
    return fill_template(
        HERE / "cards.html.jinja", {}, cards=shown, words=daily.wording, text=text, language=daily.language or "en",
        direction=direction(daily),
    )  # fmt: skip


def _table(made: dict[str, str]) -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerows([COLUMNS, *((subject_name(subject), link) for subject, link in made.items())])
    return text.getvalue()


def _checked(url: str) -> str:
    """The address without a slash at its end; BadInput unless it is one, with TLS where others could listen."""
    parts = urlsplit(url)
    is_here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.hostname or parts.query or parts.scheme not in ({"http", "https"} if is_here else {"https"}):
        raise BadInput(f"--url must be an address such as https://daily.example.edu, with https (you wrote {url!r}).")
    return url.rstrip("/")


def own_calendar(asker: Asker, link: str) -> bytes:
    """The calendar's file, with the reports of the courses that have begun; those after a withdrawal are left out."""
    days = windows(asker.one, asker.study, asker.daily)
    return calendar_file("-//Daily report//EN", (_event(asker, window, link) for window in days))


def _event(asker: Asker, window: ReportWindow, link: str) -> Event:
    title = f"{asker.daily.wording.title}: {said(asker.daily, 'about', on=window.date, day=window.day)}"
    uid = event_uid(asker.study, asker.one, f"{window.course}-own-report-{window.day}")
    one = Appointment(uid, title, window.reminder, LASTS, "CONFIRMED")
    event, alarm = calendar_event(one, asker.now.astimezone(timezone.utc), sequence=0), Alarm()
    for name in ("url", "description"):
        event.add(name, link)
    for name, value in (("action", "DISPLAY"), ("description", title), ("trigger", timedelta())):
        alarm.add(name, value)
    event.add_component(alarm)
    return event
