"""The quality assurance: what it reads from transcripts, what it finds, and the page and table that it writes."""

from __future__ import annotations

import csv
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from msgspec.structs import fields, replace

from experiment.design.thresholds import REASONS, Thresholds
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.qa.findings import KINDS, session_findings, sort_findings
from experiment.qa.page import StudyPage, render
from experiment.qa.report import build_report, judge_all
from experiment.qa.resolutions import COLUMNS
from experiment.qa.session_summary import SessionSummary, UnreadableSession, read_session, summarise
from experiment.qa.study_findings import group_findings
from experiment.record import events as ev
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.screens.personas import HABITS, Persona
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.task import procedure
from experiment.task.layout import Layout
from experiment.task.scenes import pause_page
from tests.strategies import PROTOCOL, eventful_trial, held, held_sessions, session_of, started

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from experiment.design.protocol import Protocol
    from experiment.record.screen_info import ScreenInfo

THRESHOLDS = Thresholds()
ANYWHERE = Path("sub-DF001_ses-1_task-lovedones_transcript.jsonl")
DAY = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
WINDOW = replace(
    started(session_of()).screen, kind="window", vsync=True, full_screen=True, refresh_hz=60.0, timed_by="queue",
    versions={"system": "Windows 11"},
)  # fmt: skip


def real(
    habit: str = "steady",
    *,
    subject: str = "DF001",
    session: int = 1,
    day: datetime = DAY,
    operator: str = "RA",
    screen: ScreenInfo = WINDOW,
    missing: Sequence[float] = (),
    protocol: Protocol = PROTOCOL,
) -> list[ev.Event]:
    """A synthetic participant's session as if it had been real; `missing`: when 10 refreshes passed without a flip."""
    planned = session_of(protocol)
    long = tuple(replace(trial, words=60) for trial in planned.trials)
    drawn = replace(planned, subject=subject, session=session, trials=long)
    first, *rest = held(drawn, habit)
    assert isinstance(first, ev.Started)
    first = replace(first, mode="run", operator=operator, screen=screen, zero_utc=day.isoformat(), participant="person")
    return [first, *_with_flips(rest, missing)]


def _with_flips(story: Sequence[ev.Event], missing: Sequence[float]) -> list[ev.Event]:
    """The events with the flips of a screen of 60 Hz; as simulated, there are none."""
    told: list[ev.Event] = []
    flip, now_s, left = 0, 0.0, sorted(missing)
    for event in story:
        now_s = max(now_s, getattr(event, "onset_s", getattr(event, "time_s", None)) or 0.0)
        if not isinstance(event, ev.Refreshes):
            told.append(event)
            continue
        first_s, intervals_us = flip / 60, []
        while flip / 60 < now_s:
            late = bool(left) and flip / 60 >= left[0]
            left = left[1:] if late else left
            intervals_us.append(round((11 if late else 1) * 1e6 / 60))
            flip += 11 if late else 1
        flip += 1
        told.append(ev.Refreshes(first_s, tuple(intervals_us), 0.0))
    return told


def written(root: Path, events: Sequence[ev.Event]) -> Path:
    """The events in a transcript, where its data set has it."""
    first = events[0]
    assert isinstance(first, ev.Started)
    path = DataSet(root).transcript(first.session.visit, first.session.protocol.task)
    with log.Writer(path) as transcript:
        for event in events:
            transcript.append(event)
    return path


def read_of(root: Path, events: Sequence[ev.Event]) -> SessionSummary:
    """The reading of a transcript that was written and read back."""
    found = read_session(written(root, events))
    assert isinstance(found, SessionSummary)
    return found


def kinds(one: SessionSummary | UnreadableSession, *, person: bool = True) -> list[str]:
    """What was found in a session and needs a person, or does not."""
    return [found.kind for found in session_findings(one, THRESHOLDS) if found.needs_person == person]


def in_message_2_s() -> float:
    """A second after message 2 came, in every session of `real`."""
    message_id = session_of().trials[1].message_id
    shown = (event for event in real() if isinstance(event, ev.Shown))
    return next(event.onset_s for event in shown if getattr(event.scene, "message_id", "") == message_id) + 1.0


def by_hand(*, values: int | None = None, first_rt_s: float | None = None) -> list[ev.Event]:
    """A real session with other ratings, or with first choices a time after the scale."""
    told: list[ev.Event] = []
    onset_s = 0.0
    for event in real():
        if isinstance(event, ev.Shown) and isinstance(event.scene, ev.ScaleScene) and event.scene.marker is None:
            onset_s = event.onset_s
        if isinstance(event, ev.Marked | ev.Rated) and values is not None:
            told.append(replace(event, value=values))
        elif isinstance(event, ev.Marked) and first_rt_s is not None:
            told.append(replace(event, time_s=onset_s + first_rt_s))
        else:
            told.append(event)
    return told


class Page(HTMLParser):
    """What a page loads, where it links to within itself, its places, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads, links to, or is called."""
        known = dict(attrs)
        if "src" in known or tag in {"link", "iframe", "object", "img"}:
            self.loaded.append(tag)
        if (target := known.get("href")) is not None:
            (self.links.add(target[1:]) if target.startswith("#") else self.loaded.append(target))
        self.places.add(known.get("id") or "")

    def handle_data(self, data: str) -> None:
        """Collect the words."""
        self.words += data


def test_a_sound_session_has_no_findings(tmp_path: Path) -> None:
    """A complete session of a steady participant on a sound screen gives nothing that anyone has to know."""
    one = read_of(tmp_path, real())
    assert session_findings(one, THRESHOLDS) == ()
    assert one.ending == "completed"
    assert one.rated == PROTOCOL.messages


def test_the_screens_are_those_of_the_procedure(tmp_path: Path) -> None:
    """The stays on the screen are the protocol's, in its order, without gaps, up to the session's end."""
    one = read_of(tmp_path, real())
    trial = ["fixation", "message", "scale", "scale", "blank"]
    pages = len(PROTOCOL.wording.instructions) + 2
    expected = ["page"] * pages + trial + ["page"] + trial * PROTOCOL.messages + ["page"]
    assert [screen.kind for screen in one.screens] == expected
    assert all(a.end_s == b.start_s for a, b in zip(one.screens, one.screens[1:], strict=False))
    assert one.screens[0].place == "welcome"
    assert one.screens[-1].place == "closing page"


def test_times_are_those_of_the_trial_table() -> None:
    """Reading times, first choices, confirmations and changes of mind leave out pauses, as the trial table does."""
    session = session_of()
    one = summarise(ANYWHERE, [started(session), *eventful_trial(session)])
    first = one.trials[0]
    assert first.reading_s == pytest.approx(6.5)
    assert [(a.value, a.first_s, a.confirm_s, a.changes) for a in first.answers] == [
        (5, 1.25, 4.0, 1),
        (None, 0.5, None, 0),
    ]
    assert [(pause.length_s, pause.cause, pause.place) for pause in one.pauses] == [
        (6.0, "chord", "message 1"),
        (2.0, "focus_lost", "connection of message 1"),
    ]
    assert one.ending == "died"


@given(held_sessions)
@settings(max_examples=25, deadline=None)
def test_whatever_was_held_is_read_and_judged(told: list[ev.Event]) -> None:
    """Any session under any protocol gives a reading, finished and cut off, with only known kinds of findings."""
    for events in (told, told[: len(told) // 2], told[:1]):
        found = session_findings(summarise(ANYWHERE, events), THRESHOLDS)
        assert {one.kind for one in found} <= set(KINDS)
        assert "stray" not in {one.kind for one in found}


@pytest.mark.parametrize(
    ("habit", "expected"),
    [("aborting", ["aborted"]), ("quick", ["skimmed"]), ("silent", ["aborted"]), ("slow", []), ("mouse", [])],
)
def test_habits_are_told_apart(tmp_path: Path, habit: str, expected: list[str]) -> None:
    """Who withdraws, hurries or never answers needs a person; who is slow or uses the mouse does not."""
    assert [kind for kind in kinds(read_of(tmp_path, real(habit))) if kind != "unseen"] == expected


def test_a_session_without_an_end_died_where_it_stopped(tmp_path: Path) -> None:
    """A transcript that stops in message 3 says so, with the messages that were rated until then."""
    told = real()
    at = next(n for n, event in enumerate(told) if isinstance(event, ev.TrialBegan) and event.trial == 3)
    shown = next(
        n for n, e in enumerate(told) if n > at and isinstance(e, ev.Shown) and isinstance(e.scene, ev.MessageScene)
    )
    one = read_of(tmp_path, told[: shown + 1])
    (found,) = session_findings(one, THRESHOLDS)
    assert (found.kind, found.needs_person, found.place) == ("died", True, "message 3")
    assert "2 of 6 messages rated" in found.text


def test_a_running_session_is_called_running(tmp_path: Path) -> None:
    """While its program writes the log a session has not died, needs nobody, and its assistant has lost none."""
    path = DataSet(tmp_path).transcript(Visit("DF001", 1), PROTOCOL.task)
    with log.Writer(path) as transcript:
        for event in real("quick")[:120]:
            transcript.append(event)
        assert transcript.settle(10.0)
        done = build_report(tmp_path, changed={path: ["after line 120: ended: lost"]}, today=DAY)
        one = read_session(path)
    assert not done.needs_person
    assert (kinds(one), kinds(one, person=False)) == ([], ["running"])
    assert "The session is running now." in Page(done.page.read_text(encoding="utf-8")).words
    assert isinstance(one, SessionSummary)
    several = [replace(one, subject=f"R{number}") for number in range(THRESHOLDS.judged_sessions)]
    assert study_of(*several).findings == ()
    assert kinds(read_session(path))[0] == "died"


def test_a_failure_names_its_kind(tmp_path: Path) -> None:
    """A session that the program ended with an error is found with the error's kind."""
    one = read_of(tmp_path, [*real()[:-1], ev.Ended("failed", "RuntimeError")])
    assert kinds(one) == ["failed"]
    assert "RuntimeError" in session_findings(one, THRESHOLDS)[0].text


def test_a_torn_line_is_told(tmp_path: Path) -> None:
    """A transcript whose last line was torn off died, and the torn line is mentioned."""
    path = written(tmp_path, real())
    path.write_bytes(path.read_bytes()[:-20])
    one = read_session(path)
    assert kinds(one) == ["died"]
    assert kinds(one, person=False) == ["torn"]


def test_a_session_that_went_on_is_one_session_in_two_sittings(tmp_path: Path) -> None:
    """Its times follow one another, a message seen before is told, and nothing strayed."""
    told = real()
    read = [n for n, event in enumerate(told) if isinstance(event, ev.Read)][3]
    first = told[0]
    assert isinstance(first, ev.Started)
    again = replace(first, resumes=ev.Resumption(3, (3,), 90.0, 0), zero_utc=(DAY + timedelta(minutes=9)).isoformat())
    participant = Persona(first.session, Layout(1280, 720), HABITS["steady"], "again")
    rest: list[ev.Event] = []
    procedure.run(again, SimulatedScreen(participant, simulated_info()), rest.append)
    one = read_of(tmp_path, [*told[:read], *_with_flips(rest, ())])
    assert kinds(one) == ["resumed"]
    assert session_findings(one, THRESHOLDS)[0].text == "After 1 min 30 s. Message 3 was shown before."
    assert one.rated == PROTOCOL.messages
    starts_s = [screen.start_s for screen in one.screens]
    assert starts_s == sorted(starts_s)


def test_a_changed_log_is_unreadable_with_its_line(tmp_path: Path) -> None:
    """A changed line makes a finding that names the line and neither the folder nor stops the others."""
    path = written(tmp_path, real())
    lines = path.read_bytes().split(b"\n")
    lines[50] = lines[50].replace(b"1", b"2")
    path.write_bytes(b"\n".join(lines))
    one = read_session(path)
    assert isinstance(one, UnreadableSession)
    assert (one.subject, one.session) == ("DF001", 1)
    (found,) = session_findings(one, THRESHOLDS)
    assert found.kind == "unreadable"
    assert found.text.startswith("Line 5")
    assert str(tmp_path) not in found.text


def test_another_order_is_found_at_its_place(tmp_path: Path) -> None:
    """Two messages in each other's place are found at the first of them."""
    told = real()
    ids = [trial.message_id for trial in session_of().trials]
    swapped = {ids[1]: ids[2], ids[2]: ids[1]}
    for n, event in enumerate(told):
        if isinstance(event, ev.Shown) and isinstance(event.scene, ev.MessageScene):
            shown = event.scene.message_id
            told[n] = replace(event, scene=replace(event.scene, message_id=swapped.get(shown, shown)))
    one = read_of(tmp_path, told)
    assert [found.place for found in session_findings(one, THRESHOLDS) if found.kind == "stray"] == ["message 2"]


def test_a_session_under_another_name_is_found(tmp_path: Path) -> None:
    """A transcript that was copied to another participant's name needs a person."""
    path = written(tmp_path, real())
    copy = DataSet(tmp_path).transcript(Visit("DF002", 1), PROTOCOL.task)
    copy.parent.mkdir(parents=True)
    shutil.copy(path, copy)
    assert kinds(read_session(copy)) == ["misfiled"]


def test_missing_ratings_of_a_complete_session_are_counted(tmp_path: Path) -> None:
    """A rating that was not given in time is found, though the session was completed."""
    limited = replace(PROTOCOL, timing=replace(PROTOCOL.timing, rating_maximum_s=30.0))
    one = read_of(tmp_path, real("silent", protocol=limited))
    assert one.ending == "completed"
    assert kinds(one) == ["unrated"]
    assert session_findings(one, THRESHOLDS)[0].text.startswith("12 of 12")


def test_the_same_answer_throughout_needs_a_person(tmp_path: Path) -> None:
    """Twelve times 7 is found; with one of them a 6 only the question that was always answered 7 is mentioned."""
    told = by_hand(values=7)
    assert kinds(read_of(tmp_path / "a", told)) == ["alike"]
    last = max(n for n, event in enumerate(told) if isinstance(event, ev.Rated))
    told[last] = replace(told[last], value=6)
    one = read_of(tmp_path / "b", told)
    assert kinds(one) == []
    assert [found.text for found in session_findings(one, THRESHOLDS)] == ["All 6 ratings of connection are 7."]


def test_choices_faster_than_seeing_need_a_person(tmp_path: Path) -> None:
    """First choices 0.2 s after the scale are found; 0.4 s after it they are not."""
    assert kinds(read_of(tmp_path / "a", by_hand(first_rt_s=0.2))) == ["unseen"]
    assert kinds(read_of(tmp_path / "b", by_hand(first_rt_s=0.4))) == []


def test_missed_refreshes_are_counted_and_placed(tmp_path: Path) -> None:
    """Ten missed refreshes in message 2 are counted there with their length, and ten on a page disturb nobody."""
    seen = read_of(tmp_path, real(missing=[0.5, in_message_2_s()])).refreshes
    assert (seen.missed, seen.missed_watched) == (20, 10)
    assert [late.place for late in seen.late] == ["welcome", "message 2"]
    assert seen.late[1].length_s == pytest.approx(11 / 60, abs=1e-5)
    assert seen.hz == pytest.approx(60.0, abs=0.01)


def test_many_late_frames_need_a_person(tmp_path: Path) -> None:
    """Ten refreshes missed every ten seconds are late frames for a person; ten refreshes once are not worth a word."""
    told = read_of(tmp_path / "a", real(missing=[10.0 * n for n in range(1, 30)]))
    assert kinds(told) == ["late"]
    assert kinds(read_of(tmp_path / "b", real(missing=[in_message_2_s()]))) == []


def test_a_standstill_needs_a_person(tmp_path: Path) -> None:
    """A wait above the threshold is a standstill, whatever the share of late frames."""
    one = read_of(tmp_path, real(missing=[in_message_2_s()]))
    strict = replace(THRESHOLDS, standstill_s=0.1)
    assert [found.kind for found in session_findings(one, strict) if found.needs_person] == ["standstill"]


def test_equipment_is_judged(tmp_path: Path) -> None:
    """A screen without vsync, keys that were polled, and a window are told."""
    weak = replace(WINDOW, vsync=False, full_screen=False)
    told = [
        replace(event, timed_by="poll") if isinstance(event, ev.Read | ev.Marked | ev.Rated) else event
        for event in real(screen=weak)
    ]
    one = read_of(tmp_path, told)
    assert kinds(one) == ["unsynced", "polled"]
    assert kinds(one, person=False) == ["windowed"]


def test_a_screen_that_changed_its_rate_needs_a_person(tmp_path: Path) -> None:
    """Flips at 60 Hz on a screen that was measured at 75 Hz are found with both rates."""
    (found,) = session_findings(read_of(tmp_path, real(screen=replace(WINDOW, refresh_hz=75.0))), THRESHOLDS)
    assert found.kind == "refresh"
    assert found.text.startswith("75.00 Hz before the session, 60.00 Hz")


def test_unknown_flips_need_a_person(tmp_path: Path) -> None:
    """A real session whose refreshes were not recorded is found."""
    told = [ev.Refreshes(None, (), None) if isinstance(event, ev.Refreshes) else event for event in real()]
    assert kinds(read_of(tmp_path, told)) == ["unknown_frames"]


def test_a_clock_that_was_set_is_told_once(tmp_path: Path) -> None:
    """A step of the wall clock by an hour is one finding, with its direction."""
    told = real()
    records = [n for n, event in enumerate(told) if isinstance(event, ev.Refreshes)]
    for n in records[3:]:
        told[n] = replace(told[n], clock_offset_s=-3600.0)
    one = read_of(tmp_path, told)
    (found,) = session_findings(one, THRESHOLDS)
    assert (found.kind, found.needs_person) == ("clock", True)
    assert "back by 1 h" in found.text


def test_losing_the_focus_is_told_with_its_place(tmp_path: Path) -> None:
    """A lost focus pauses the session, and is found at the message where it happened."""
    told = real()
    at = [n for n, event in enumerate(told) if isinstance(event, ev.Read)][4]
    read = told[at]
    assert isinstance(read, ev.Read)
    assert read.time_s is not None
    told[at:at] = [
        ev.Focus(gained=False, time_s=read.time_s - 3.0),
        ev.Shown(pause_page(PROTOCOL), read.time_s - 2.9),
        ev.Paused(read.time_s - 2.9, "focus_lost"),
        ev.Shown(ev.MessageScene(read.message_id, "next"), read.time_s - 0.5),
        ev.Resumed(read.time_s - 0.5),
    ]
    one = read_of(tmp_path, told)
    found = session_findings(one, THRESHOLDS)
    assert [(one.kind, one.needs_person, one.place) for one in found] == [
        ("focus", True, "message 4"),
        ("paused", False, "message 4"),
    ]


def test_findings_for_a_person_come_first() -> None:
    """What needs a person stands before what does not, and among equals the gravest is first."""
    some = [
        Finding(kind, "error" if person else "note", "", subject="DF001", session=1)
        for kind, person in (("died", False), ("paused", True), ("aborted", True))
    ]
    assert [one.kind for one in sort_findings(some)] == ["aborted", "paused", "died"]


def test_what_the_verification_found_comes_first(tmp_path: Path) -> None:
    """Findings of the verification stand before all others, with their number."""
    found = session_findings(read_of(tmp_path, real("quick")), THRESHOLDS, ["line 5: changed", "row 1: changed"])
    assert found[0].kind == "changed"
    assert found[0].text == "line 5: changed (and 1 more)"


def study_of(*sessions: SessionSummary | UnreadableSession, today: datetime = DAY + timedelta(days=20)) -> StudyPage:
    """These sessions, judged."""
    return judge_all("data", sessions, THRESHOLDS, None, today)


def both(root: Path, days: int, habit: str = "steady", subject: str = "DF001") -> list[SessionSummary]:
    """Two sessions of a participant, so many days apart."""
    return [
        read_of(root, real(habit, subject=subject, session=number, day=DAY + timedelta(days=days * (number - 1))))
        for number in (1, 2)
    ]


@pytest.mark.parametrize(("days", "expected"), [(13, ["too_soon"]), (14, [])])
def test_the_washout_is_checked(tmp_path: Path, days: int, expected: list[str]) -> None:
    """Fewer than 14 days between two day fours are found, 14 are not."""
    assert [found.kind for found in study_of(*both(tmp_path, days)).findings] == expected


def test_missing_sessions_are_found(tmp_path: Path) -> None:
    """A second session that is overdue or whose first is not there is found; one that can still come is not."""
    first, second = both(tmp_path, 20)
    assert study_of(first).findings == ()
    overdue = study_of(first, today=DAY + timedelta(days=43)).findings
    assert [(found.kind, found.session) for found in overdue] == [("missing", 2)]
    assert [(found.kind, found.session) for found in study_of(second).findings] == [("missing", 1)]


def test_closing_questions_that_were_not_answered_are_found(tmp_path: Path) -> None:
    """After the last real session of somebody who has not answered them, where the protocol has any."""
    sessions = both(tmp_path, 14)

    def found(answered: Collection[str] | None) -> list[tuple[str, int | None]]:
        study = judge_all("data", sessions, THRESHOLDS, None, DAY + timedelta(days=20), answered=answered)
        return [(one.kind, one.session) for one in study.findings if one.kind == "unasked"]

    assert found(answered=()) == [("unasked", 2)]
    assert found(answered={"DF001"}) == found(answered=None) == []


def test_a_participant_with_a_habit_is_named_once(tmp_path: Path) -> None:
    """Who reads too fast in both sessions is a finding about the participant."""
    found = study_of(*both(tmp_path, 20, "quick")).findings
    assert {(one.kind, one.subject, one.session) for one in found} == {("participant", "DF001", None)}


def ended_by(subject: str, operator: str, reason: str) -> list[ev.Event]:
    """A real session that its assistant ended early."""
    *told, _ = real("aborting", subject=subject, operator=operator)
    return [*told, ev.Ended("aborted", reason)]


def test_a_computer_and_an_assistant_are_named(tmp_path: Path) -> None:
    """The computer with late frames and the assistant with aborted sessions are found, and the others are not.

    That participants withdrew is not held against their assistant.
    """
    slow = replace(WINDOW, computer="cubicle-2")
    late = [10.0 * n for n in range(1, 30)]
    some = [
        *(read_of(tmp_path, real(subject=f"L{n}", screen=slow, missing=late)) for n in range(3)),
        *(read_of(tmp_path, ended_by(f"A{n}", "Jo", "technical")) for n in range(3)),
        *(read_of(tmp_path, ended_by(f"W{n}", "Al", "withdrew")) for n in range(3)),
        *(read_of(tmp_path, real(subject=f"F{n}")) for n in range(3)),
    ]
    found = [one for one in study_of(*some).findings if one.kind in {"computer", "assistant"}]
    assert [(one.kind, one.place) for one in found] == [("computer", "cubicle-2"), ("assistant", "Jo")]


def test_groups_are_counted(tmp_path: Path) -> None:
    """A computer's sessions are counted by how they ended, and its missed refreshes by share."""
    some = [read_of(tmp_path, real(habit, subject=habit)) for habit in ("steady", "aborting")]
    (group,) = group_findings(study_of(*some).sessions, lambda one: one.computer)
    assert (group.sessions, group.completed, group.aborted, group.withdrew, group.died) == (2, 1, 1, 1, 0)
    assert group.missed_share == 0


def test_another_protocol_is_found(tmp_path: Path) -> None:
    """The one session under another protocol than the others is found."""
    other = replace(PROTOCOL, timing=replace(PROTOCOL.timing, blank_s=3.0))
    some = [read_of(tmp_path, real(subject=f"P{n}", protocol=other if n == 2 else PROTOCOL)) for n in range(3)]
    assert [(one.kind, one.subject) for one in study_of(*some).findings] == [("protocol", "P2")]


def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    """The page has a place for every session, links only to its own places, and loads nothing."""
    some = [*both(tmp_path, 20, "quick"), *both(tmp_path, 20, subject="DF002")]
    page = Page(render(study_of(*some)))
    assert page.loaded == []
    assert {"sub-DF001_ses-1", "sub-DF001_ses-2", "sub-DF002_ses-1", "sub-DF002_ses-2"} <= page.places
    assert page.links <= page.places
    assert "2 of 4 sessions need attention" in page.words


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    """An assistant's name with tags in it is shown as it is, also within the details that wait as text."""
    name = "</script><img src=x>"
    page = Page(render(study_of(read_of(tmp_path, real(operator=name)))))
    assert page.loaded == []
    assert name in page.words


def test_report_writes_the_page_and_the_table(tmp_path: Path) -> None:
    """A data set gives a page and a table of findings, those that need a person first, and says whether any does."""
    written(tmp_path, real())
    done = build_report(tmp_path, today=DAY)
    assert (done.sessions, done.wanting, done.needs_person) == (1, 0, False)
    assert done.page == tmp_path / "derivatives" / "qa" / "qa.html"
    written(tmp_path, real("quick", subject="DF002"))
    done = build_report(tmp_path, today=DAY, out=tmp_path / "elsewhere")
    assert (done.sessions, done.wanting, done.needs_person) == (2, 1, True)
    with done.table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert tuple(header) == COLUMNS
    assert rows[0][:4] == ["sub-DF002", "ses-1", "skimmed", "yes"]


def test_a_lost_transcript_is_found(tmp_path: Path) -> None:
    """A session that the verification knows by its table, but whose transcript is gone, is on the page."""
    written(tmp_path, real())
    gone = DataSet(tmp_path).transcript(Visit("DF009", 2), PROTOCOL.task)
    done = build_report(tmp_path, changed={gone: ["expected, as there is a table: missing"]}, today=DAY)
    assert done.needs_person
    assert "sub-DF009_ses-2" in Page(done.page.read_text(encoding="utf-8")).places


def test_pilots_and_simulations_are_refused_unless_asked_for(tmp_path: Path) -> None:
    """A pilot is no data: it takes `pilot` to read it, in its own folder or where it lies."""
    pilot = real("quick")
    pilot[0] = replace(pilot[0], mode="pilot")
    written(tmp_path / "pilot", pilot)
    with pytest.raises(BadInput, match="no session"):
        build_report(tmp_path)
    with pytest.raises(BadInput, match="--pilot"):
        build_report(tmp_path / "pilot")
    assert build_report(tmp_path, pilot=True).page.is_relative_to(tmp_path / "pilot")


def test_many_sessions_are_read_by_several_processes(tmp_path: Path) -> None:
    """More sessions than one process is asked for give the same findings in the same order."""
    first, second = real(), real("quick", subject="B")
    for n in range(80):
        for told, letter in ((first, "A"), (second, "B")):
            head = told[0]
            assert isinstance(head, ev.Started)
            written(tmp_path, [replace(head, session=replace(head.session, subject=f"{letter}{n:03}")), *told[1:]])
    counted: list[int] = []
    done = build_report(tmp_path, today=DAY, progress=lambda number, _: counted.append(number))
    assert (done.sessions, done.wanting) == (160, 80)
    assert counted == list(range(1, 161))


def test_every_threshold_has_a_reason() -> None:
    """No threshold stands without a reason, and each changes what is found by its name only."""
    assert set(REASONS) == {field.name for field in fields(Thresholds)} - {"reading_minimum_s"}
    assert all(reason.endswith(".") for reason in REASONS.values())


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_a_browser_opens_a_rows_details(tmp_path: Path) -> None:
    """In a browser, the link to a session opens its row, and its details are there."""
    page = tmp_path / "qa.html"
    page.write_text(render(study_of(*both(tmp_path, 20, "quick"))), encoding="utf-8")
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        f"{page.as_uri()}#sub-DF001_ses-1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.count('type="text/html"') == 1, "one of two rows is still closed"
    assert done.stdout.count('class="detail"') == 2, "one is text, one is shown"
    assert '<details class="s" id="sub-DF001_ses-1" open="">' in done.stdout
