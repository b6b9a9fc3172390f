"""The register at the door: `run` knows the session, refuses the wrong day with the right one, and tells its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from experiment.record.dataset import DataSet
from experiment.record.tsv import read_rows
from experiment.study import dates, events, recording, setup
from experiment.study.anchors import find_record
from experiment.study.register import Register
from tests.lab import SUBJECT, Lab
from tests.places import ROOT
from tests.registers import PUBLIC_KEYS, STUDY

if TYPE_CHECKING:
    from tests.lab import Eyes, Sitting
    from tests.xtest import Hands


def register_of(lab: Lab, day: int, *, consent: bool = True) -> Register:
    """A study in the lab's data set, in which today is this day of the subject's course 1."""
    from experiment.study.register import Register, utc_now

    first = utc_now() - timedelta(days=day - 1)
    then = Register(lab.data / "study", lambda: first)
    setup.set_up(then, STUDY, *PUBLIC_KEYS, "PI")
    place = cast("events.Enrolled", setup.enrol(then, SUBJECT, "north", "RA").act)
    if consent:
        then.act("RA", lambda told: recording.consent(told, SUBJECT, None, "v1", first))
        then.act("RA", lambda told: recording.start_course(told, SUBJECT, 1, None, place.kits[0], first))
    return Register(then.folder)


def comes(lab: Lab, *options: object) -> Sitting:
    """The subject comes to a session whose number nobody names."""
    lab.messages()
    who = ("--subject", SUBJECT, "--operator", "RA", "--answer", "last_dose=08:30", "--answer", "symptoms=none")
    return lab.begins("run", *who, *lab.places(), *options)


def leaves(sitting: Sitting, hands: Hands) -> tuple[int, str]:
    """The assistant ends the session from the pause page."""
    sitting.started()
    return sitting.leaves(hands)


def acts_of(register: Register, kind: type) -> list[Any]:
    """What of this kind stands in the register."""
    return [entry.act for entry in register.entries() if isinstance(entry.act, kind)]


def test_run_knows_the_session_and_tells_how_it_ended(lab: Lab, hands: Hands) -> None:
    """On day 4 session 1 begins without being named, its end stands in the register, and it is not held again."""
    register = register_of(lab, 4)
    sitting = comes(lab, "--override", "no screen here")
    status, said = leaves(sitting, hands)
    assert (status, sitting.events()[0].session.session) == (3, 1), said  # type: ignore[union-attr]
    (held,) = acts_of(register, events.SessionHeld)
    assert (held.subject, held.session, held.status) == (SUBJECT, 1, "aborted")
    told = register.read()
    assert f"Anchor, for the paper form of this visit: {told.anchor}" in said
    assert find_record(told.anchor, told, DataSet(lab.data)) is not None
    assert acts_of(register, events.Overridden) == []
    row = read_rows(lab.data / "participants.tsv", "participant_id")[f"sub-{SUBJECT}"]
    first = dates.today(STUDY, register.now()) - timedelta(days=3)
    assert row["stratum"] == "north"
    assert (row["enrolled"], row["withdrawn"]) == (first.isoformat(), "n/a")
    assert set(row) == set(json.loads((lab.data / "participants.json").read_text(encoding="utf-8")))
    status, said = comes(lab, "--override", "no screen here").ends()
    assert (status, "was held on" in said, "washout" in said) == (2, True, True), said


def test_a_killed_session_is_held_when_it_is_closed(lab: Lab) -> None:
    """The register does not know of a killed session until somebody closes it as incomplete."""
    register = register_of(lab, 4)
    sitting = comes(lab, "--override", "no screen here")
    sitting.started()
    sitting.process.kill()
    sitting.process.wait()
    assert acts_of(register, events.SessionHeld) == []
    status, said = lab.begins("run", "--subject", SUBJECT, "--session", 1, "--close", *lab.places()).ends()
    assert (status, "--operator" in said) == (2, True), said
    closed = ("--subject", SUBJECT, "--session", 1, "--close", "--operator", "RB", *lab.places())
    status, said = lab.begins("run", *closed).ends()
    assert status == 0, said
    assert [held.status for held in acts_of(register, events.SessionHeld)] == ["aborted"]
    assert register.entries()[-1].who == "RB"


@pytest.mark.parametrize("day", [2, 3])
def test_the_wrong_day_is_refused_with_the_right_one(lab: Lab, day: int) -> None:
    """Before day 4 nothing begins, the refusal names the session's day, and nothing is recorded."""
    register = register_of(lab, day)
    before = register.path.read_bytes()
    status, said = comes(lab).ends()
    right = dates.in_words(dates.today(STUDY, register.now()) + timedelta(days=4 - day))
    assert (status, f"day {day}" in said, right in said) == (2, True, True), said
    assert register.path.read_bytes() == before
    assert not list(lab.data.rglob("*_transcript.jsonl"))


def test_without_consent_no_reason_helps(lab: Lab) -> None:
    """Without recorded consent a session is refused, with or without an override."""
    register = register_of(lab, 4, consent=False)
    for options in ((), ("--override", "it was given by telephone")):
        status, said = comes(lab, *options).ends()
        assert (status, "consent" in said) == (2, True), said
    assert acts_of(register, events.Overridden) == []


def test_an_override_is_seen_until_it_is_answered(lab: Lab, hands: Hands) -> None:
    """Held on day 3 with a reason: the register and QA have it, and an answer closes the finding."""
    register = register_of(lab, 3)
    reasons = ("--override", "no screen here", "--override-study", "She flies home tomorrow")
    assert leaves(comes(lab, *reasons), hands)[0] == 3
    (override,) = acts_of(register, events.Overridden)
    assert "She flies home tomorrow" in override.reason
    one = register.participant(SUBJECT)
    assert one.is_held(1)
    findings = lab.data / "derivatives" / "qa" / "qa_findings.tsv"
    where = ("--data", lab.data, "--protocol", lab.protocol)
    assert lab.begins("qa", lab.data, "--protocol", lab.protocol).ends()[0] == 1
    assert kinds(findings.read_text(encoding="utf-8"))["let_in"] == "yes"
    said = ("--subject", SUBJECT, "--session", 1, "--operator", "PI", "--reason", "Agreed with the sponsor")
    status, told = lab.begins("study", "answer", "--finding", "let_in", *said, *where).ends()
    assert status == 0, told
    lab.begins("qa", lab.data, "--protocol", lab.protocol).ends()
    text = findings.read_text(encoding="utf-8")
    assert kinds(text)["let_in"] == "no"
    assert "Resolved by PI: Agreed with the sponsor" in text
    status, told = lab.begins("study", "answer", "--finding", "let_in", *said, *where).ends()
    assert (status, "There is no open finding" in told) == (2, True), told
    assert register.read().people[SUBJECT] == one


def test_a_reason_about_the_computer_opens_no_gate(lab: Lab) -> None:
    """On day 3, the override of what `check` found does not let a session begin, and nothing is recorded."""
    register = register_of(lab, 3)
    before = register.path.read_bytes()
    status, said = comes(lab, "--override", "no screen here").ends()
    assert (status, "--override-study" in said) == (2, True), said
    assert register.path.read_bytes() == before


def test_no_override_is_recorded_for_a_session_that_cannot_begin(lab: Lab) -> None:
    """On day 3, with a reason and without the participant's messages, nothing begins and nothing is recorded."""
    register = register_of(lab, 3)
    before = register.path.read_bytes()
    who = ("--subject", SUBJECT, "--operator", "RA", "--answer", "last_dose=08:30", "--answer", "symptoms=none")
    lab.messages(subject="somebody")
    status, said = lab.begins("run", *who, *lab.places(), "--override-study", "She flies home tomorrow").ends()
    assert (status, "cannot be read" in said) == (2, True), said
    assert register.path.read_bytes() == before


def test_the_form_does_not_ask_what_the_register_knows(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """With a register the form asks for subject and initials, and the session of the day begins."""
    register_of(lab, 4)
    lab.messages()
    answers = ("--answer", "last_dose=08:30", "--answer", "symptoms=none")
    sitting = lab.begins("run", *answers, *lab.places(), "--override", "no screen here")
    eyes.waits_for_focus()
    with hands.holding("lshift"):
        for key in ("d", "f"):
            hands.tap(key, 0.005)
    for key in ("1", "tab", "r", "a", "return"):
        hands.tap(key, 0.005)
    started = sitting.started()
    assert (started.session.subject, started.session.session, started.operator) == (SUBJECT, 1, "ra")
    assert sitting.leaves(hands)[0] == 3


def test_a_synthetic_study_is_piloted_to_its_end_by_the_commands(lab: Lab) -> None:
    """Simulated, its findings answered, locked, unblinded and analysed: each participant's treatments, and a page."""
    out, table = lab.folder / "synthetic", lab.folder / "treatments.tsv"
    plan = ROOT / "stimuli" / "study.toml"
    given = ("--subjects", 3, "--seed", 3, "--out", out, "--protocol", lab.protocol, "--messages", lab.messages())
    status, said = lab.begins("simulate", "--study", plan, *given).ends()
    assert status == 0, said
    where = ("--operator", "PI", "--data", out, "--protocol", lab.protocol, "--pilot")
    lab.begins("qa", out, "--pilot", "--protocol", lab.protocol).ends()
    findings = out / "derivatives" / "qa" / "qa_findings.tsv"
    header, *rows = findings.read_text(encoding="utf-8").splitlines()
    filled = [row.replace("\tn/a\tn/a", "\tseen and discussed\tEVA") if "\tyes\t" in row else row for row in rows]
    findings.write_text("\n".join([header, *filled]), encoding="utf-16")  # as "Unicode text" of a spreadsheet program
    status, said = lab.begins("study", "answer", "--table", findings, *where).ends()
    assert status == 0, said
    entries = Register(out / "study").entries()
    answers = [(entry.who, entry.act.reason) for entry in entries if isinstance(entry.act, events.Answered)]
    assert answers == [("EVA", "seen and discussed")] * sum("\tyes\t" in row for row in rows)
    analysing = ("analyse", "--data", out, "--out", lab.folder / "blinded")
    status, said = lab.begins(*analysing, "--treatments", table).ends()
    assert (status, "not locked" in said) == (2, True), said
    status, said = lab.begins(*analysing, "--blinded").ends()
    assert (status, "random labels" in said) == (0, True), said
    status, said = lab.begins("study", "lock", *where).ends()
    assert status == 0, said
    key = ("--key", out / "study" / "unblinder.key", "--data", out, "--operator", "PI")
    status, said = lab.begins("study", "unblind", *key, "--out", table, typed="simulated study\n").ends()
    assert status == 0, said
    lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    assert {line[-1] for line in lines[1:]} == set(STUDY.treatments)
    assert len({line[0] for line in lines[1:]}) == 3
    status, said = lab.begins("analyse", "--data", out, "--treatments", table, "--out", lab.folder / "results").ends()
    assert (status, "published pattern" in said) == (0, True), said
    assert (lab.folder / "results" / "analysis.html").exists()


def test_a_study_with_open_findings_cannot_be_locked(lab: Lab, hands: Hands) -> None:
    """The lock names the sessions to hold and each finding that nobody answered."""
    register = register_of(lab, 4)
    leaves(comes(lab, "--override", "no screen here"), hands)
    before = register.path.read_bytes()
    where = ("--data", lab.data, "--protocol", lab.protocol)
    status, told = lab.begins("study", "lock", "--operator", "PI", *where).ends()
    assert status == 2
    assert [part for part in (f"sub-{SUBJECT} ses-2: not run", "(overridden)", "(aborted)") if part not in told] == []
    assert register.path.read_bytes() == before


def kinds(table: str) -> dict[str, str]:
    """Each kind of finding in the table of QA, and whether a person has to look at one."""
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    return {row[2]: row[3] for row in reversed(rows)}
