"""The desk: what it shows is read from register, data and messages, and its buttons run the commands."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from experiment.cli.desk.facts import NO_REGISTER, ParticipantLine, read_facts, states, with_troubles
from experiment.cli.desk.jobs import Outcome
from experiment.cli.desk.places import Places
from experiment.cli.desk.result import acts_after, heading_after
from experiment.cli.desk.troubles import REASON, WHO, Trouble, of_computer
from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.record.closing import record_closing
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.record.rescue import RescueCopy
from experiment.study.register import Register
from experiment.study.status import Urgency
from tests.assistant import ACCENT, PROBLEM, Desk, areas, pixels_of
from tests.lab import SUBJECT, Lab, managed, short_protocol
from tests.registers import consented, enrolled, run_session, started, story, today, write_register
from tests.test_start import interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.xtest import Hands


def places(lab: Lab) -> Places:
    """Where the laboratory's files are."""
    return Places(lab.protocol, lab.folder / "participants", lab.data)


def on_day(lab: Lab, day: int) -> None:
    """A study in which today is this day of the subject's course 1, whose session was, or is, due on day 4."""
    first = today() - timedelta(days=day - 1)
    told = (enrolled(SUBJECT, day=first), consented(SUBJECT, first), started(1, first, SUBJECT))
    write_register(lab.data / "study", story(*told))


def troubles(lab: Lab) -> list[Trouble]:
    """All that the desk says is wrong."""
    return list(with_troubles(read_facts(places(lab)), places(lab)).troubles)


def test_with_a_register_the_desk_lists_what_today_needs(lab: Lab) -> None:
    """A participant on day four needs the session, dose and report, and is told to have no messages."""
    on_day(lab, 4)
    (lab.folder / "participants").mkdir()
    facts = read_facts(places(lab))
    (line,) = facts.lines
    assert (line.subject, line.session, line.messages, line.is_today) == (SUBJECT, 1, "missing", True)
    assert "session 1" in line.needs
    assert "dose" in line.needs
    assert "report" in line.needs
    (missing,) = [one for one in troubles(lab) if "no messages" in one.text]
    assert (missing.command[:2], bool(missing.files)) == (("messages", "import"), True)
    lab.messages()
    assert read_facts(places(lab)).lines[0].messages == "imported"
    assert troubles(lab) == []


def test_an_overdue_session_can_be_closed_as_not_run(lab: Lab) -> None:
    """Where a course is over without its session, a button records that, once it knows by whom."""
    lab.messages()
    on_day(lab, 7)
    (trouble,) = troubles(lab)
    assert (trouble.command[:2], trouble.asks) == (("study", "close"), (WHO,))
    status, said = lab.begins(*trouble.command, "--operator=TA").ends()
    assert (status, "closed as not run" in said) == (0, True), said
    assert troubles(lab) == []


def test_tables_that_are_behind_are_made_again_by_a_button(lab: Lab) -> None:
    """A session whose table is gone is told, and the button's command makes it again."""
    lab.messages()
    transcript = run_session(DataSet(lab.data), Visit(SUBJECT, 1), datetime.now(timezone.utc))
    assert troubles(lab) == []
    table = DataSet(lab.data).table_of(Visit(SUBJECT, 1))
    assert table
    before = table.read_bytes()
    table.unlink()
    (trouble,) = troubles(lab)
    assert lab.begins(*trouble.command).ends()[0] == 0
    assert (table.read_bytes(), troubles(lab)) == (before, [])
    os.utime(transcript)  # newer than its table, which says the same
    assert troubles(lab) == []


@pytest.mark.parametrize("status", [0, 3, 4])
def test_the_page_after_a_session_says_what_its_log_has(lab: Lab, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its end in the log it is complete, also if the program died since; without, it was interrupted."""
    monkeypatch.setenv("HOME", str(lab.folder))
    transcript = run_session(DataSet(lab.data), Visit(SUBJECT, 1), datetime.now(timezone.utc))
    outcome, lines = (
        Outcome(status, told={"transcript": str(transcript)}),
        transcript.read_bytes().splitlines(keepends=True),
    )
    assert (heading_after(transcript), offered(lab, outcome)) == ("The session is complete", [])
    transcript.write_bytes(b"".join(lines[:-1]))
    assert (heading_after(transcript), offered(lab, outcome)) == ("The session was interrupted", ["&Resume or close"])
    RescueCopy(transcript).write(b"".join(lines))
    assert heading_after(transcript) == "The session is complete"
    transcript.write_bytes(b"something else\n")
    assert (heading_after(transcript), offered(lab, outcome)) == ("The log of the session cannot be read", [])


def offered(lab: Lab, outcome: Outcome) -> list[str]:
    """The buttons of the page after a session."""
    heading = heading_after(outcome.transcript)
    return [name for name, _ in acts_after(outcome, heading, places(lab), lambda _: None)]


def test_closing_questions_that_were_left_are_asked_by_a_button(lab: Lab) -> None:
    """Who completed the last session and has not answered is named, with the command that asks."""
    lab.messages()
    short_protocol(lab.protocol, funnel=True)
    for session in (1, 2):
        assert troubles(lab) == []
        run_session(DataSet(lab.data), Visit(SUBJECT, session), datetime.now(timezone.utc))
    (trouble,) = troubles(lab)
    assert trouble.command[:3] == ("funnel", "--subject", SUBJECT)
    funnel = read_protocol(lab.protocol).funnel
    assert funnel
    record_closing(DataSet(lab.data), SUBJECT, "2026-12-01T12:00:00+00:00", funnel.questions, {})
    assert troubles(lab) == []


def test_a_doubtful_clock_is_confirmed_by_a_button(lab: Lab) -> None:
    """A register whose last entry is of tomorrow is told, and the button's command, with who and why, settles it."""
    lab.messages()
    day = today() + timedelta(days=1)
    write_register(lab.data / "study", story(enrolled(SUBJECT, day=day)))
    (trouble,) = troubles(lab)
    assert (trouble.command[:2], trouble.asks) == (("study", "clock"), (WHO, REASON))
    status, said = lab.begins(*trouble.command, "--operator=TA", "--reason=the other clock was ahead").ends()
    assert (status, troubles(lab)) == (0, []), said


def test_what_keeps_a_session_from_this_computer_leads_to_the_check(tmp_path: Path) -> None:
    """A full disk is told with what to do, and its button checks the computer; a warning is not among the problems."""
    found = [Finding("free disk", "error", "0.1 GB free", "Delete files."), Finding("power", "warning", "on battery")]
    (trouble,) = of_computer(found, Places(tmp_path, tmp_path, tmp_path))
    assert (trouble.text, trouble.command[0]) == ("free disk: 0.1 GB free. Delete files.", "check")


def test_without_a_register_the_desk_lists_the_data_folder(lab: Lab) -> None:
    """Everybody with messages or data is there, with the session that comes next."""
    lab.messages()
    facts = read_facts(places(lab))
    assert facts.heading == NO_REGISTER
    assert [(line.subject, line.needs, line.session) for line in facts.lines] == [(SUBJECT, "session 1", 1)]


def test_what_cannot_be_read_is_said(lab: Lab) -> None:
    """A lost register is a trouble with a button, not an error."""
    (lab.data / "study").mkdir(parents=True)
    (lab.data / "study" / "head.json").write_text('{"size": 10, "sha256": "0"}', encoding="utf-8")
    (trouble,) = read_facts(places(lab)).troubles[-1:]
    assert "register" in trouble.text


def test_a_computer_is_judged_in_a_line(tmp_path: Path) -> None:
    """The worst of what was found is named, for the computer and for the data folder."""
    found = [
        Finding("power", "warning", "on battery"),
        Finding("clock", "ok", "right"),
        Finding("free disk", "ok", "3 GB"),
    ]
    of_computer, of_folder = states(found, tmp_path)
    assert (of_computer.severity, of_computer.text) == ("warning", "This computer: look at: power (on battery)")
    assert (of_folder.severity, of_folder.text) == ("ok", f"Data folder {tmp_path}, 3 GB free: no problems found")


@pytest.mark.parametrize("earlier", [None, "openbox"])
@pytest.mark.parametrize("pointer_px", [(640, 360), (1, 1)])
def test_the_desk_opens_the_form_of_who_is_found(
    lab: Lab, hands: Hands, pointer_px: tuple[int, int], earlier: str | None
) -> None:
    """An ID and Return open that participant's form; cancelled, the desk has the keyboard, wherever the pointer is.

    So it has after a window manager that has ended.
    """
    lab.messages()
    with managed(str(lab.display), earlier):
        pass
    with Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        hands.point(*pointer_px)
        desk.type("return")
        desk.waits_for("Day Four")
        desk.type("escape")
        desk.waits_for("Day Four: the desk")


def takes_the_problems_button(desk: Desk, hands: Hands) -> None:
    """By keyboard: one step back from the first field is the button of the last problem."""
    desk.sees(PROBLEM, (300, 30))
    with hands.holding("lshift"):
        desk.type("tab")
    desk.type("space")


def clicks_the_problems_button(desk: Desk) -> None:
    """By mouse: that of the last problem, at the right end of its box."""
    box = desk.sees(PROBLEM, (300, 30))[-1]
    desk.clicks((box.right - 60, box.middle[1]))


def test_a_problem_is_mended_by_keyboard(lab: Lab, hands: Hands) -> None:
    """The button of a missing table makes it again, says so, and leads back to the desk."""
    lab.messages()
    run_session(DataSet(lab.data), Visit(SUBJECT, 1), datetime.now(timezone.utc))
    table = DataSet(lab.data).table_of(Visit(SUBJECT, 1))
    assert table
    table.unlink()
    with Desk(lab, hands) as desk:
        takes_the_problems_button(desk, hands)
        desk.shows(lambda screen: pixels_of(PROBLEM)(screen) == 0)  # but what the command said
        assert table.exists()
        desk.type("return")
        desk.finds(SUBJECT)
    assert troubles(lab) == []


def test_what_a_button_needs_is_asked_in_a_form(lab: Lab, hands: Hands) -> None:
    """Who confirms the clock, and why, is typed in a form; then it is in the register."""
    lab.messages()
    day = today() + timedelta(days=1)
    write_register(lab.data / "study", story(enrolled(SUBJECT, day=day)))
    register = Register(lab.data / "study")
    before = len(register.entries())
    with Desk(lab, hands) as desk:
        takes_the_problems_button(desk, hands)
        desk.waits_for("Day Four")
        desk.type(*"ta", "tab", *"other", "space", *"clock", "return")
        desk.waits_for("Day Four: the desk")
        desk.shows(lambda screen: pixels_of(PROBLEM)(screen) == 0)
    *_, last = register.entries()
    assert (len(register.entries()) - before, last.who) == (1, "ta")


def test_without_a_display_the_desk_says_what_to_do(lab: Lab) -> None:
    """Without a display no window is opened, and the help is named."""
    bare = Lab(None, lab.folder)
    status, said = bare.begins().ends()
    assert (status, "./dayfour --help" in said) == (4, True), said


@pytest.mark.parametrize("urgency", [Urgency.overdue, Urgency.done])
def test_only_what_is_due_is_of_today(urgency: Urgency) -> None:
    """Who is done is not among those of today, who is overdue is."""
    assert ParticipantLine("a", "", "", "", "", urgency).is_today == (urgency is Urgency.overdue)


def test_one_of_a_like_id_is_not_taken_unasked(lab: Lab, hands: Hands) -> None:
    """An ID that nobody has, and Return, open the form of nobody; the participant of a like ID has to be chosen."""
    lab.messages(subject="DF17")
    with Desk(lab, hands) as desk:
        desk.finds("DF71")
        desk.type("return")
        assert "--subject" not in desk.command("run").cmdline()
        desk.waits_for("Day Four")
        desk.type("escape")
        desk.finds("DF17")
        desk.type("return")
        assert "DF17" in desk.command("run").cmdline()


def test_a_click_beside_the_form_does_not_hide_it(lab: Lab, hands: Hands) -> None:
    """The empty page that covers the desktop comes to the front at a click, and gives way to the form again."""
    lab.messages()
    with managed(str(lab.display), "openbox"), Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        desk.sees(ACCENT, (60, 18))
        desk.clicks((60, 400))
        time.sleep(0.5)
        desk.waits_for("Day Four")
        desk.sees(ACCENT, (60, 18))


def test_return_that_is_held_takes_no_offer(lab: Lab, hands: Hands) -> None:
    """Held from the desk on until the form of an interrupted session is there, it leaves the decision to a press."""
    lab.messages()
    interrupted(lab, hands)
    with Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        with hands.holding("return"):
            desk.waits_for("Day Four")
            time.sleep(1.0)
        desk.sees(PROBLEM, (300, 30))


def test_no_problem_is_mended_while_a_command_runs(lab: Lab, hands: Hands) -> None:
    """Its button asks nothing meanwhile, since nothing could be done with the answer; then it does."""
    lab.messages()
    on_day(lab, 7)
    with Desk(lab, hands) as desk:
        desk.sees(PROBLEM, (300, 30))
        with hands.holding("lalt"):
            hands.tap("c")
        check = desk.command("check")
        check.suspend()
        clicks_the_problems_button(desk)
        time.sleep(1.0)
        desk.waits_for("Day Four: the desk")
        check.kill()
        desk.shows(lambda screen: not areas(screen, PROBLEM, (300, 30)))
        desk.type("return")
        clicks_the_problems_button(desk)
        desk.waits_for("Day Four")
