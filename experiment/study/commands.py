"""The commands about the study around the sessions: set up, enrolled, under way, locked and unblinded."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from experiment import review
from experiment.errors import BadInput
from experiment.review import DATA, PROTOCOL, ROOT, ProtocolFile
from experiment.terminal import ask_passphrase, console, new_passphrase, say

if TYPE_CHECKING:
    from experiment.study.register import Register

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The study: who takes part, which day it is; never which drug."
)
STUDY, PLAN = DATA / review.STUDY, ROOT / "stimuli" / "study.toml"

StudyFolder = Annotated[Path, typer.Option("--study", help="The folder of the study's register.")]
DataFolder = Annotated[Path, typer.Option("--data", help="Where the data set lies.")]
KeyFile = Annotated[Path, typer.Option("--key", help="The private key's file; its passphrase is asked for.")]
Operator = Annotated[str, typer.Option("--operator", help="Your initials, which stand in the register.")]
Subject = Annotated[str, typer.Option("--subject", help="The participant's ID.")]
Pilot = Annotated[bool, typer.Option("--pilot", help="The data set is a synthetic one.")]
Day = Annotated[str, typer.Option("--day", help="YYYY-MM-DD, if it was not today.")]


@app.command()
def key(out: Annotated[Path, typer.Option(help="The private key's new file, on your own computer or stick.")]) -> None:
    """Make the keys of whoever may unblind, or of the pharmacy: on their own computer, by themselves."""
    from experiment.study.keys import PUBLIC_SUFFIX, write_keys

    public = write_keys(out, new_passphrase())
    say(
        f"Your private key is {out}: keep it and the passphrase, at two places, and give neither to anybody. Without "
        "them nobody can ever open what is sealed for you.\n"
        f"For whoever sets up the study, in {out.name}{PUBLIC_SUFFIX}:"
    )
    sys.stdout.write(f"{public}\n")


@app.command()
def init(
    operator: Operator,
    unblinder: Annotated[str, typer.Option(help="The public key, or its file, of whoever may unblind.")],
    pharmacy: Annotated[str, typer.Option(help="The public key, or its file, of the pharmacy.")],
    plan: Annotated[Path, typer.Option(help="The study file.")] = PLAN,
    study: StudyFolder = STUDY,
) -> None:
    """Begin a study: the allocation is drawn, sealed for these two keys, and known to nobody here."""
    from experiment.study.keys import read_public
    from experiment.study.plan import read_study
    from experiment.study.register import ALLOCATION, PACKING
    from experiment.study.setting_up import begin

    read = read_study(plan)
    begin(_register(study), read, read_public(unblinder), read_public(pharmacy), operator)
    say(
        f"{read.name!r} has begun in {study}: {read.participants} places in each stratum ({', '.join(read.strata)}).\n"
        f"{ALLOCATION} opens only with the key of whoever may unblind, {PACKING} only with the pharmacy's. Keep a copy "
        "of this folder elsewhere."
    )


@app.command()
def packing(key: KeyFile, study: StudyFolder = STUDY) -> None:
    """Print the packing list (CSV), for the pharmacy only: which kit holds which treatment."""
    from experiment.study.keys import read_key
    from experiment.study.unblinding import packing_list

    kits = packing_list(_register(study), read_key(key, ask_passphrase("Passphrase of the pharmacy's key")))
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerows(
        [("kit", "stratum", "course", "treatment"), *((k.kit, k.stratum, k.course, k.treatment) for k in kits)]
    )


@app.command()
def enrol(
    subject: Subject,
    operator: Operator,
    stratum: Annotated[str, typer.Option(help="Of the study file, such as the site.")],
    study: StudyFolder = STUDY,
) -> None:
    """Take a participant into the study: the next place of the stratum, and with it two kits."""
    from experiment.study import setting_up
    from experiment.study.acts import Enrolled

    act = cast("Enrolled", setting_up.enrol(_register(study), subject, stratum, operator).act)
    say(
        f"sub-{act.subject} is enrolled in {act.stratum}: kit {act.kits[0]} in course 1, kit {act.kits[1]} in course 2."
    )


@app.command()
def consent(
    subject: Subject,
    operator: Operator,
    version: Annotated[str, typer.Option(help="Of the form that was signed, as it stands on it.")],
    day: Day = "",
    study: StudyFolder = STUDY,
) -> None:
    """Record that informed consent was given."""
    from experiment.study import recording

    register, on, now = _when(study, day)
    register.act(operator, lambda entries: recording.consented(entries, subject, on, version, now))
    say(f"Consent of sub-{subject} is recorded.")


@app.command()
def start(
    subject: Subject,
    operator: Operator,
    course: Annotated[int, typer.Option(min=1, max=2, help="1 or 2.")],
    kit: Annotated[str, typer.Option(help="As it stands on the kit that was handed out.")],
    day: Day = "",
    study: StudyFolder = STUDY,
) -> None:
    """Record that a course began: its day 1 is the day of the first dose."""
    from experiment.study import recording
    from experiment.study.allocation import check_kit

    register, on, now = _when(study, day)
    number, typed = cast("Literal[1, 2]", course), check_kit(kit)
    register.act(operator, lambda entries: recording.started(entries, subject, number, on, typed, now))
    say(f"Course {course} of sub-{subject} has begun. `dayfour study status` shows what comes when.")


@app.command()
def dosed(
    subject: Subject,
    operator: Operator,
    missed: Annotated[bool, typer.Option("--missed", help="It was not taken.")] = False,
    day: Day = "",
    study: StudyFolder = STUDY,
) -> None:
    """Record that a dose was taken, or missed."""
    from experiment.study import recording

    register, on, now = _when(study, day)
    register.act(operator, lambda entries: recording.dosed(entries, subject, on, now, taken=not missed))
    say(f"The dose of sub-{subject} is recorded as {'missed' if missed else 'taken'}.")


@app.command()
def withdraw(
    subject: Subject,
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why.")],
    study: StudyFolder = STUDY,
) -> None:
    """Record that a participant leaves the study, now."""
    from experiment.study import recording

    register, _, now = _when(study, "")
    register.act(operator, lambda entries: recording.withdrew(entries, subject, reason, now))
    say(f"sub-{subject} has left the study.")


@app.command()
def status(
    due: Annotated[bool, typer.Option("--due", help="Only those for whom there is something to do today.")] = False,
    study: StudyFolder = STUDY,
) -> None:
    """Everybody on one screen: due today, overdue, done, withdrawn."""
    from experiment.study import days, state
    from experiment.study import status as standing

    register = _register(study)
    entries = register.entries()
    plan = state.study_of(entries)
    today = days.today(plan, register.now())
    lines = standing.rows(state.of(plan, entries).values(), plan, today)
    console().print(standing.table(standing.only_due(lines) if due else lines))
    say(standing.summary(lines, plan, today))


@app.command()
def calendar(
    out: Annotated[Path, typer.Option(help="The calendar's file, ending in .ics.")],
    subject: Annotated[str, typer.Option(help="Only this participant's; else everybody's.")] = "",
    study: StudyFolder = STUDY,
) -> None:
    """Write all appointments to a file for calendar programs."""
    from experiment.study import calendar as appointments
    from experiment.study import days, state

    register = _register(study)
    entries = register.entries()
    plan = state.study_of(entries)
    people = state.of(plan, entries)
    some = [state.found(people, subject)] if subject else people.values()
    appointments.save(out, some, entries, plan, days.today(plan, register.now()))
    say(f"The appointments:\n  {out}")


@app.command()
def answer(
    finding: Annotated[str, typer.Option(help="Its kind, as the table of findings has it.")],
    reason: Annotated[str, typer.Option(help="What it turned out to be.")],
    operator: Operator,
    subject: Annotated[str, typer.Option(help="The participant, if it is about one.")] = "",
    session: Annotated[int, typer.Option(help="The session, if it is about one.")] = 0,
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    pilot: Pilot = False,
) -> None:
    """Say what something turned out to be that the quality assurance found: then nobody has to look any more."""
    from experiment.study import quality

    found = review.looked(data, protocol, pilot=pilot).open_findings
    given = quality.answered(found, finding, subject.removeprefix("sub-") or None, session or None, reason)
    _register(data / review.STUDY).act(operator, lambda _: given)
    say("The answer stands in the register, and on the page of `dayfour qa`.")


@app.command()
def lock(operator: Operator, data: DataFolder = DATA, protocol: ProtocolFile = PROTOCOL, pilot: Pilot = False) -> None:
    """End the study: nothing of it changes any more, and it may be unblinded."""
    from experiment.bids import DataSet
    from experiment.study import unblinding
    from experiment.study.listing import list_participants

    register = _register(data / review.STUDY)
    unblinding.lock(register, data, operator, lambda: _open_issues(data, protocol, pilot=pilot))
    list_participants(DataSet(data), register.entries())
    say("The study is locked. `dayfour study unblind` shows all treatments to whoever has the key.")


@app.command()
def unblind(
    operator: Operator,
    key: KeyFile,
    subject: Annotated[str, typer.Option(help="In an emergency: this participant only.")] = "",
    reason: Annotated[str, typer.Option(help="Of the emergency, for everybody to read.")] = "",
    out: Annotated[Path | None, typer.Option(help="The table of all, outside of the data set.")] = None,
    data: DataFolder = DATA,
    study: StudyFolder = STUDY,
) -> None:
    """Show the treatments to whoever has the key: all after the lock, or one participant's in an emergency."""
    from experiment.study import unblinding
    from experiment.study.keys import read_key

    if bool(subject) == bool(out):
        raise BadInput("Expected --out FILE for everybody after the lock, or --subject ID in an emergency.")
    opened = read_key(key, ask_passphrase("Passphrase of the key"))
    if out:
        count = unblinding.unblind_all(_register(study), data, opened, operator, reason or "after the lock", out)
        say(f"The treatments of {count} participants:\n  {out}")
        return
    for course, treatment in enumerate(unblinding.unblind_one(_register(study), opened, operator, subject, reason), 1):
        sys.stdout.write(f"{subject}\tcourse {course}\t{treatment}\n")
    say("This stands in the register now, for everybody to see. Tell nobody who does not need to know.")


def _open_issues(data: Path, protocol: Path, *, pilot: bool) -> Sequence[str]:
    """What the quality assurance found and nobody answered."""
    found = review.looked(data, protocol, pilot=pilot).open_findings
    places = [
        " ".join(f"{name}-{of}" for name, of in (("sub", one.subject), ("ses", one.session)) if of) for one in found
    ]
    return [f"{place or 'the study'}: {one.title} ({one.kind})" for place, one in zip(places, found, strict=True)]


def _register(folder: Path) -> Register:
    from experiment.study.register import Register

    return Register(folder)


def _when(folder: Path, day: str) -> tuple[Register, date | None, datetime]:
    """The register, the day that was typed, and now."""
    from experiment.study import days

    register = _register(folder)
    return register, days.parsed(day) if day else None, register.now()
