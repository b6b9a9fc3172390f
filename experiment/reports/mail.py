"""Who still owes today's report, and a mail that says so: once for each day, however often it is asked for."""

from __future__ import annotations

import csv
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from email.message import EmailMessage
from pathlib import Path

from msgspec import Struct

from experiment.design.visit import bare_label
from experiment.errors import BadInput
from experiment.reports.log import LogLine, Reminded, entry, reminded, sendings
from experiment.reports.open_times import ReportWindow, open_windows
from experiment.reports.service import Service
from experiment.reports.words import said
from experiment.storage.read_file import read_file

TIMEOUT_S = 30.0
TLS_PORT = 465  # of mail servers that speak TLS from the start
COLUMNS = ("participant_id", "email", "link")


class Owed(Struct, frozen=True):
    """A report that is open, was due by the study's clock, and has not come."""

    subject: str
    window: ReportWindow


class Address(Struct, frozen=True):
    """Where somebody's mail goes, and the link in it."""

    email: str
    link: str


class MailServer(Struct, frozen=True):
    """The lab's mail server (SMTP)."""

    host: str
    port: int
    user: str = ""
    password: str = ""


def owed(service: Service, entries: Sequence[LogLine]) -> list[Owed]:
    """Today's reports that are still to come, after the time of the reminder; by participant."""
    roster, now, given = service.roster(), service.now(), sendings(entries)
    return [
        Owed(one.subject, window)
        for one in sorted(roster.people.values(), key=lambda one: one.subject)
        for window in open_windows(one, roster.study, service.daily, now)
        if window.reminder <= now < window.closes and (one.subject, window.date) not in given
    ]


def read_addresses(content: bytes, name: str) -> dict[str, Address]:
    """The addresses in a table (CSV) with the columns participant_id, email and link; BadInput names what is wrong."""
    try:
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{name} is not a CSV file in UTF-8: {error}.") from error
    if not rows or not {*COLUMNS} <= {*rows[0]}:
        raise BadInput(f"{name}: the columns must be {', '.join(COLUMNS)}: links.csv with a column for the addresses.")
    for number, row in enumerate(rows, start=2):
        if not row["link"] or "@" not in (row["email"] or ""):
            raise BadInput(f"{name}, row {number}: an address or a link is missing.")
    return {bare_label(row["participant_id"]): Address(row["email"], row["link"]) for row in rows}


def remind(
    service: Service, addresses: Mapping[str, Address], send: Callable[[EmailMessage], None], sender: str
) -> Iterator[tuple[Owed, str | None]]:
    """Mail everybody who owes a report and was not reminded of it; each with what hindered it, or None.

    That somebody is reminded is recorded before the mail goes out, so that no crash makes it two.
    """
    for one in owed(service, service.journal.entries()):
        if one.subject not in addresses:
            yield one, "no address is known"
        elif _is_claimed(service, one.subject, one.window.date):
            yield one, _sent(service, one, addresses[one.subject], send, sender)


def _is_claimed(service: Service, subject: str, day: date) -> bool:
    """Whether this reminder is ours to send: nobody sent it before."""
    claimed = list[bool]()

    def decide(entries: Sequence[LogLine]) -> list[LogLine]:
        claimed.append((subject, day) not in reminded(entries))
        return [entry(service.now(), Reminded(subject, day.isoformat()))] * claimed[0]

    service.append(decide)
    return claimed[0]


def _sent(service: Service, one: Owed, to: Address, send: Callable[[EmailMessage], None], sender: str) -> str | None:
    try:
        send(_message(service, one, to, sender))
    except (OSError, ValueError, smtplib.SMTPException) as error:
        failed = Reminded(one.subject, one.window.date.isoformat(), failed=True)
        service.append(lambda _: [entry(service.now(), failed)])
        if isinstance(error, ValueError):
            return "an address is not valid"
        return getattr(error, "strerror", None) or type(error).__name__
    return None


def _message(service: Service, one: Owed, to: Address, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to.email, service.daily.wording.mail_subject
    message.set_content(said(service.daily, "mail_text", on=one.window.date, link=to.link).strip() + "\n")
    return message


def send_by(server: MailServer) -> Callable[[EmailMessage], None]:
    """What sends a message through this server; OSError or SMTPException if it cannot."""

    def send(message: EmailMessage) -> None:
        with _connected(server) as smtp:
            if server.user:
                smtp.login(server.user, server.password)
            smtp.send_message(message)

    return send


def _connected(server: MailServer) -> smtplib.SMTP:
    """TLS from the start on its own port, else as soon as the server offers it: a password is never sent without."""
    tls = ssl.create_default_context()
    if server.port == TLS_PORT:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=tls)
    smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=tls)
    elif server.user:
        smtp.close()
        raise ConnectionError(0, "the mail server offers no TLS, without which no password is sent")
    return smtp


def read_bytes(path: Path) -> bytes:
    """The file; BadInput if it cannot be read."""
    try:
        return read_file(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
