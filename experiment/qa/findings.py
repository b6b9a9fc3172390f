"""What a person should know of a session: a finding for everything that is not as it should be, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from experiment.design.thresholds import Thresholds
from experiment.design.visit import Visit
from experiment.qa.session_summary import SessionSummary, UnreadableSession
from experiment.record.finding import Finding

KINDS = {
    "unreadable": "The log cannot be read",
    "changed": "Log and table disagree or were changed",
    "twice": "Two logs of one session",
    "exchanged": "Not the log that the register recorded",
    "no_register": "The study register is missing",
    "sealed": "Sealed files or kits do not belong to the study",
    "lost_data": "Data of a recorded session are missing",
    "stranger": "Data of a participant who is not in the register",
    "other_day": "Register and log name different days",
    "other_end": "Register and log name different ends",
    "unrecorded": "Session is not in the register",
    "listed": "participants.tsv and the register disagree",
    "register_clock": "Times in the register are inconsistent",
    "misfiled": "Wrong file name",
    "died": "The program or computer crashed",
    "failed": "Stopped with an error",
    "aborted": "Ended early",
    "stray": "Messages or questions not as planned",
    "unrated": "Ratings are missing",
    "alike": "Always the same answer",
    "skimmed": "Faster than anyone can read",
    "unseen": "Answered before the question was seen",
    "standstill": "The display froze",
    "late": "Late frames",
    "unknown_frames": "Screen times are unknown",
    "let_in": "Run against the study rules",
    "begun_again": "Started again",
    "unblinded": "Unblinded in an emergency",
    "overridden": "Run despite a failed computer check",
    "unsynced": "No vertical sync",
    "refresh": "The refresh rate changed",
    "polled": "Key presses were timed by polling",
    "unsaved": "Data could not be saved for a while",
    "clock": "The computer's clock was set",
    "unsent": "Signals were not sent",
    "run_ended": "A pause ended a scanner's run",
    "pulses": "The scanner's pulses are not as they should be",
    "focus": "Another window took the focus",
    "paused": "Paused",
    "resumed": "Continued after an interruption",
    "protocol": "Different protocol from the others",
    "missing": "A session is missing",
    "report_changed": "Daily reports were changed",
    "report_missing": "Daily reports are missing",
    "report_alike": "Daily reports with the same answer throughout",
    "report_fast": "Daily reports completed too fast",
    "unasked": "The closing questions were not answered",
    "copies": "Files that were left out",
    "too_soon": "Too few days between sessions",
    "computer": "Many screen problems on one computer",
    "assistant": "Many unfinished sessions by one assistant",
    "participant": "The same finding in every session of a participant",
    "torn": "The last line is incomplete",
    "windowed": "Run in a window",
    "unproven": "Recorded before logs were sealed in the register",
    "unjudged": "Reading speed cannot be judged",
    "same_rating": "One question always got the same answer",
    "running": "Running now",
}
"""The kinds of findings with their titles, the gravest first."""
INPUTS = {"queue": "hardware queue", "iohub": "ioHub", "poll": "polling", "robot": "synthetic participant"}


def qa_finding(
    kind: str, text: str, subject: str | None = None, session: int | None = None, place: str | None = None,
    *, needs_person: bool = True,
) -> Finding:  # fmt: skip
    """A finding of one of KINDS; subject and session are None where it is about more than one."""
    return Finding(kind, "error" if needs_person else "note", text, subject=subject, session=session, place=place)


Answers = Mapping[tuple[str, str | None, int | None], str]
"""What somebody said of a finding, by its kind, subject and session."""


def with_answers(findings: Iterable[Finding], answers: Answers) -> tuple[Finding, ...]:
    """The findings with what was said of them: one that is answered needs nobody any more."""

    def answered(one: Finding) -> Finding:
        answer = answers.get(one.key)
        return one if answer is None else replace(one, severity="note", text=f"{one.text} Resolved by {answer}")

    return sort_findings(map(answered, findings))


Found = Iterator[tuple[str, bool, str | None, str]]
"""Kind, whether a person has to look, the place in the session, the words."""


def session_findings(
    one: SessionSummary | UnreadableSession, thresholds: Thresholds, changed: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """All findings of a session, the gravest first; `changed`: what its verification found.

    One that is running is not judged: what it lacks may still come.
    """
    if isinstance(one, SessionSummary) and one.ending == "running":
        text = "The session is running now. It is checked once it has ended."
        return (qa_finding("running", text, one.subject, one.session, one.last_place, needs_person=False),)
    found = list(_verified(changed))
    if isinstance(one, UnreadableSession):
        found.append(("unreadable", True, None, one.why))
    else:
        for check in (_end, _content, _ratings, _speed, _frames, _screen, _equipment, _devices, _course):
            found += check(one, thresholds)
    return sort_findings(
        qa_finding(kind, text, one.subject, one.session, place, needs_person=person)
        for kind, person, place, text in found
    )


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, those that need a person before the others."""
    rank = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda one: (not one.needs_person, rank[one.kind])))


def _verified(changed: Sequence[str]) -> Found:
    if changed:
        more = f" (and {len(changed) - 1} more)" if changed[1:] else ""
        yield "changed", True, None, f"{changed[0]}{more}"


def _end(one: SessionSummary, _: Thresholds) -> Found:
    """Complete or not, and why."""
    place, rated = one.last_place, f"{one.rated} of {len(one.asked)} {one.things} rated"
    if one.ending == "died":
        yield "died", True, place, f"The log stops at {place}; {rated}. Start `run` to resume or close the session."
    elif one.ending == "failed":
        yield "failed", True, place, f"Stopped at {place} with the error {one.reason}; {rated}."
    elif one.ending == "aborted":
        yield "aborted", True, place, f"Ended at {place} ({one.reason}); {rated}."
    if one.torn:
        yield "torn", False, None, "The log's last line is incomplete, as the program was stopped while writing it. "
        "All lines before it are intact."


def _content(one: SessionSummary, _: Thresholds) -> Found:
    """The messages and questions of the plan, in its order, all rated."""
    if f"{Visit(one.subject, one.session).stem}_" not in one.path.name:
        words = f"The log belongs to {Visit(one.subject, one.session)}, but the file is {one.path.name}."
        yield "misfiled", True, None, words
    if one.strayed:
        yield "stray", True, one.strayed, f"{one.strayed} was not shown as planned."
    missing = sum(answer.value is None for answer in one.answers)
    if one.ending == "completed" and missing:
        words = f"{missing} of {len(one.answers)} ratings are missing although the session is complete."
        yield "unrated", True, None, words


def _ratings(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Whether the scales were used at all."""
    values = [answer.value for answer in one.answers if answer.value is not None]
    if len(values) >= thresholds.alike_ratings and len(set(values)) == 1:
        yield "alike", True, None, f"All {len(values)} ratings are {values[0]}."
        return
    for question in one.questions:
        same = [answer.value for answer in one.answers if answer.question == question and answer.value is not None]
        if len(same) >= len(one.asked) > 2 and len(set(same)) == 1:
            yield "same_rating", False, None, f"All {len(same)} ratings of {question} are {same[0]}."


def _speed(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Faster than anyone can read or choose."""
    rates = [rated.words_per_minute for rated in one.trials if rated.words_per_minute is not None]
    fast = [rate for rate in rates if rate > thresholds.fastest_reader]
    if fast:
        many = len(fast) >= thresholds.fast_messages
        words = f"{len(fast)} of {len(rates)} messages read at over {thresholds.fastest_reader:g} words a minute"
        yield "skimmed", many, None, f"{words}, the fastest at {max(fast):.0f}."
    first = [answer.first_s for answer in one.answers if answer.first_s is not None]
    unseen = [time_s for time_s in first if time_s < thresholds.rating_minimum_s]
    if unseen:
        many = len(unseen) >= thresholds.fast_ratings
        words = f"{len(unseen)} of {len(first)} first choices came within {thresholds.rating_minimum_s:g} s"
        yield "unseen", many, None, f"{words} after the scale, the fastest after {min(unseen):.2f} s."


def _frames(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Late flips where a message or a scale was on the screen; what happens at pages disturbs nobody."""
    seen = one.refreshes
    longest = max((late for late in seen.late if late.watched), key=lambda late: late.length_s, default=None)
    if longest is None:
        return
    share = seen.missed_watched / seen.due_watched
    stood = longest.length_s >= thresholds.standstill_s
    grave = stood or share >= thresholds.missed_share
    if grave or share >= thresholds.missed_share / 10:  # a frame or two are no finding: the picture shows where
        missed = (
            f"{seen.missed_watched} of {seen.due_watched} refreshes ({share:.2%}) were missed at messages and scales"
        )
        wait = f"the longest wait was {longest.length_s * 1000:.0f} ms, at {longest.place}"
        yield "standstill" if stood else "late", grave, longest.place, f"{missed}; {wait}."


def _screen(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Whether the screen's refreshes are known, steady and waited for."""
    screen, hz = one.screen, one.refreshes.hz
    if screen.kind == "simulated":
        return
    if hz is None and one.ending != "died":
        yield "unknown_frames", True, None, "No refresh of the screen was recorded."
    if hz and screen.vsync and abs(hz / screen.refresh_hz - 1) > thresholds.refresh_deviation:
        words = f"{screen.refresh_hz:.2f} Hz before the session, {hz:.2f} Hz during it."
        yield "refresh", True, None, words
    if screen.vsync is False:
        words = "Flips did not wait for the screen's refresh, so onsets may be one refresh off."
        yield "unsynced", one.mode == "run", None, words
    if not screen.full_screen:
        yield "windowed", False, None, "Not full screen: onsets are less certain."


def _equipment(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Keyboard, disk and clock."""
    polled = sum("poll" in (rated.timed_by or "") for rated in one.trials)
    if one.override is not None:
        yield "overridden", True, None, f"Not fit: {', '.join(one.unfit)}. The reason given: {one.override}"
    if one.begun_before:
        yield "begun_again", True, None, "No message was shown the first time; that log is kept, with the reason."
    for waiver in one.waived:
        yield "let_in", True, None, f"{waiver.refused} The reason given: {waiver.reason}"
    if polled:
        yield "polled", one.mode == "run", None, f"At {polled} messages: key times are up to one refresh late."
    if one.unsaved:
        yield "unsaved", True, None, f"{one.unsaved} times events had to wait in memory. Check the disk."
    for time_s, step_s in one.clock_steps:
        ahead = "forwards" if step_s > 0 else "back"
        words = f"Set {ahead} by {duration(abs(step_s))} after {duration(time_s)}. Check the session's date and time."
        grave = abs(step_s) >= thresholds.clock_step_s
        yield "clock", grave, None, f"{words} No reaction time is affected."


def _devices(one: SessionSummary, _: Thresholds) -> Found:
    """Signals to other devices, and a scanner's pulses."""
    yield from (("unsent", True, None, sent.wrong) for sent in one.signals if sent.wrong)
    for run in one.runs_ended:
        yield "run_ended", True, None, f"Run {run} has no more messages than were shown before the pause."
    if one.pulses and one.pulses.wrong:
        yield "pulses", True, None, one.pulses.wrong


def _course(one: SessionSummary, thresholds: Thresholds) -> Found:
    """Pauses and interruptions."""
    if one.focus_losses:
        places = list(dict.fromkeys(pause.place for pause in one.pauses if pause.cause == "focus_lost"))
        where = places[0] if places else None
        times = "Once" if one.focus_losses == 1 else f"{one.focus_losses} times"
        at = f", at {' and '.join(places)}" if places else ""
        yield "focus", one.focus_losses >= thresholds.focus_losses, where, f"{times}{at}."
    lengths_s = [pause.length_s for pause in one.pauses if pause.length_s is not None]
    if lengths_s:
        many = "once" if len(lengths_s) == 1 else f"{len(lengths_s)} times"
        where = max(one.pauses, key=lambda pause: pause.length_s or 0.0).place
        words = f"{many.capitalize()}, {duration(sum(lengths_s))} in all, the longest at {where}."
        yield "paused", sum(lengths_s) >= thresholds.paused_s, where, words
    if one.gaps_s:
        again = [str(rated.trial) for rated in one.trials if rated.shown_before]
        seen = f" Message {' and '.join(again)} was shown before." if again else ""
        words = f"After {' and '.join(duration(gap_s) for gap_s in one.gaps_s)}.{seen}"
        yield "resumed", True, None, words


def duration(time_s: float) -> str:
    """A length of time for a person."""
    if time_s < 60:
        return f"{time_s:.0f} s" if time_s >= 10 else f"{time_s:.1f} s"
    minutes, seconds = divmod(round(time_s), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
