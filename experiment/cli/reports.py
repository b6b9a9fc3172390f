"""The commands of the daily reports: the pages for phones, their links and reminders, imports, methods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, PROTOCOL, DataFolder, ProtocolFile, Sheet
from experiment.cli.terminal import ask_passphrase, hand_over, say, show, unlock
from experiment.design.protocol import read_daily
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.reports import http, mail
from experiment.reports.importing import plan_import, write_import
from experiment.reports.links import check_out, make_links, revoke_links, write_handouts
from experiment.reports.log import asked_last, journal, questions
from experiment.reports.mail import Address, MailServer, read_addresses, read_bytes
from experiment.reports.methods import paragraph
from experiment.reports.server import build_app
from experiment.reports.service import Service
from experiment.reports.table import rows, table_path
from experiment.storage.encryption import decrypt
from experiment.study.seals import read_key

AskedProtocol = Annotated[
    Path | None, typer.Option("--protocol", help="The protocol, if its daily reports are not yet being served.")
]
Subjects = Annotated[list[str] | None, typer.Option("--subject", help="Only this participant; may be repeated.")]


def serve(
    data: DataFolder = DATA,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8460,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A web server with TLS passes the pages on.")
    ] = False,
    protocol: ProtocolFile = PROTOCOL,
) -> None:
    """Serve the pages until Ctrl+C. Only this computer can reach them, unless a web server with TLS passes them on."""
    service = Service(data, read_daily(protocol))
    with http.listen(host, port, behind_proxy=behind_proxy) as listener:
        if asked_last(service.journal.entries()) not in {None, service.daily}:
            say("Questions, hours or words have changed. From now on the new ones are asked.", "yellow")
        service.begin()
        where = f"{host}, port {port}. Reports go to {service.journal.path}"
        say(f"The daily reports are served on {where}. Ctrl+C ends it.")
        app = build_app(service, lambda text: say(text, "red"))
        http.web_server(app, behind_proxy=behind_proxy).run(sockets=[listener])


def links(
    url: Annotated[
        str, typer.Option(help="Where participants find the pages, such as https://daily.example.edu.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="A new folder for cards, table and calendars, outside the data set.")
    ] = None,
    subject: Subjects = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make new links even for those who have one; the old ones end.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Only revoke the links of these participants.")] = False,
    data: DataFolder = DATA,
    protocol: AskedProtocol = None,
) -> None:
    """Make a secret link for each participant: cards with a QR code, a table for mail merge, and calendar files."""
    service = _service(data, protocol)
    if revoke:
        if not subject:
            raise BadInput("--revoke needs --subject ID.")
        revoke_links(service, subject)
        say("The links of these participants are no longer valid.")
        return
    if not (url and out):
        raise BadInput("Please give --url, the address of the pages, and --out, a folder for what is handed out.")
    check_out(service, out)
    if not service.journal.entries():
        service.begin()
    made = make_links(service, url, subject or [], renew=renew)
    files = write_handouts(service, out, made)
    listed = "".join(f"\n  {path}" for path in files[:3]) + ("\n  ..." if len(files) > 3 else "")
    say(f"New links: {len(made)}. They are secret and cannot be looked up later:{listed}")


def remind(
    addresses: Annotated[
        Path | None, typer.Option(help="CSV, or CSV encrypted with age: participant_id, email, link.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The private key of an encrypted table of addresses.")] = None,
    smtp: Annotated[str, typer.Option(help="The mail server, such as smtp.example.edu:587.")] = "",
    sender: Annotated[str, typer.Option("--from", help="The sender's e-mail address.")] = "",
    user: Annotated[str, typer.Option(help="The user name at the mail server; you are asked for the password.")] = "",
    data: DataFolder = DATA,
) -> None:
    """List whose report of today is missing; with addresses and a mail server, e-mail each once a day."""
    service = _begun(data)
    if addresses is None:
        for one in mail.owed(service, service.journal.entries()):
            hand_over(f"{subject_name(one.subject)}\t{one.window.date}\t{one.window.closes:%Y-%m-%dT%H:%M%z}\n")
        return
    if not (smtp and sender):
        raise BadInput("Please give --smtp, the mail server, and --from, the sender's address.")
    known, server = _addresses(addresses, key), _mail_server(smtp, user)
    results = list(mail.remind(service, known, mail.send_by(server), sender))
    for one, hindered in results:
        show(f"{subject_name(one.subject)}: " + (f"not reminded, {hindered}" if hindered else "reminded"))
    if any(hindered for _, hindered in results):
        raise typer.Exit(FOUND_WANTING)


def import_reports(
    files: Annotated[list[Path], typer.Argument(help="Tables (CSV, TSV, XLSX) of REDCap, Qualtrics or any program.")],
    zone: Annotated[str, typer.Option(help="Time zone of the files' times, e.g. Europe/Berlin.")] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="NAME=COLUMN, such as submitted=EndDate; # for a number: calm=calm_#.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of tables that are not Unicode, e.g. cp1252.")] = None,
    sheet: Sheet = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be imported.")] = False,
    data: DataFolder = DATA,
    protocol: AskedProtocol = None,
) -> None:
    """Import reports from another program. Rows that fit no study day are listed, with exit status 1."""
    service = _service(data, protocol)
    given = dict(_pair(one) for one in column or [])
    planned = plan_import(service, files, zone or _asked_zone(), given, encoding, sheet)
    for problem in planned.problems:
        show(problem)
    if not dry_run:
        write_import(service, planned)
    done = "would be imported" if dry_run else "imported"
    show(
        f"{len(planned.new)} reports {done}, {planned.known} were there already, {len(planned.problems)} rows left out."
    )
    if planned.problems:
        raise typer.Exit(FOUND_WANTING)


def table(data: DataFolder = DATA) -> None:
    """Make phenotype/daily.tsv and its dictionary again from the log."""
    _begun(data).update_table()
    say(f"The table of daily reports:\n  {table_path(data)}")


def methods(data: DataFolder = DATA) -> None:
    """Print the methods paragraph from the data: window, items, compliance, delay, missing reports."""
    service = _begun(data)
    roster = service.roster()
    of = rows(roster, service.journal.entries(), roster.as_of(service.now()))
    hand_over(paragraph(of, service.daily, roster.study) + "\n")


def _begun(data: Path) -> Service:
    """The daily reports as they are asked for now; BadInput if they have not begun."""
    return Service(data, questions(journal(data).entries()).latest)


def _service(data: Path, protocol: Path | None) -> Service:
    """The daily reports with this protocol; without one, as they are asked for now, or will be by the usual one."""
    asked = None if protocol else asked_last(journal(data).entries())
    return Service(data, asked or read_daily(protocol or PROTOCOL))


def _pair(option: str) -> tuple[str, str]:
    name, equals, column = option.partition("=")
    if not equals or not column:
        raise BadInput('--column: please write NAME="COLUMN", such as submitted="EndDate".')
    return name.strip(), column.strip()


def _asked_zone() -> str:
    """The zone of the file's times, which is never guessed."""
    if not sys.stdin.isatty():
        raise BadInput("The files' times have no zone. Please give --zone, such as --zone Europe/Berlin.")
    return str(typer.prompt("Time zone of the files' times (e.g. Europe/Berlin)", err=True))


def _addresses(path: Path, key: Path | None) -> dict[str, Address]:
    content = read_bytes(path)
    if key:
        content = decrypt(content, unlock("Passphrase of the key", lambda typed: read_key(key, typed)))
    return read_addresses(content, path.name)


def _mail_server(smtp: str, user: str) -> MailServer:
    host, _, port = smtp.partition(":")
    if port and not port.isdecimal():
        raise BadInput("--smtp: please write HOST or HOST:PORT.")
    password = ask_passphrase(f"Password of {user} at {host}") if user else ""
    return MailServer(host, int(port or 587), user, password)
