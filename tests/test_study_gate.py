"""The gate and the rules of recording: the right session on the right day, and nothing that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.study import admission, events, recording, sessions, setup
from experiment.study import dates as days
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Courses, Study
from tests.registers import (
    DAY,
    MONDAY,
    PUBLIC_KEYS,
    STUDY,
    ZONES,
    begun,
    consented,
    dates,
    dosed,
    enrolled,
    held,
    kits,
    moments,
    noon,
    one,
    running,
    started,
    story,
    studies,
)  # fmt: skip

THURSDAY = MONDAY + 3 * DAY  # day 4
SECOND = MONDAY + 14 * DAY  # the earliest start of course 2
KIT_1, KIT_2 = kits()
LATE = replace(STUDY, courses=Courses(6, 4, 1, 10))


def refused(entries: list[events.Entry], today: date, asked: int | None = None) -> admission.Refused:
    """How the gate refuses."""
    with pytest.raises(admission.Refused) as caught:
        admission.session_of(one(entries), Snapshot(entries).study, today, asked)
    return caught.value


def held_now(entries: list[events.Entry], number: int) -> events.SessionHeld:
    """A session has ended on Thursday."""
    began_utc = noon(THURSDAY).isoformat()
    return recording.record_session(Snapshot(entries), "DF001", number, "completed", began_utc, noon(THURSDAY))


def test_day_four_is_admitted() -> None:
    """On day 4 of each course its session may be held, and the gate says which it is."""
    first = story(*running())
    second = story(*running(), held(1, THURSDAY), started(2, SECOND))
    assert admission.session_of(one(first), STUDY, THURSDAY) == 1
    assert admission.session_of(one(second), STUDY, SECOND + 3 * DAY, asked=2) == 2


@pytest.mark.parametrize(
    ("entries", "today", "session", "words"),
    [
        (story(enrolled(), consented(day=MONDAY + DAY)), MONDAY, None, ["consent"]),
        (story(enrolled()), MONDAY, None, ["consent", "study consent --subject DF001"]),
        (story(enrolled(), consented()), MONDAY, None, ["has not started", "on its day 4", "study start"]),
        (story(*running()), MONDAY, 1, ["day 1 of course 1", "day 4, Thursday 26 November 2026"]),
        (story(*running()), MONDAY + 2 * DAY, 1, ["Wednesday 25 November", "day 3", "Thursday 26 November 2026"]),
        (story(*running(), study=LATE), THURSDAY + 2 * DAY, 1, ["day 6 of course 1", "or until Friday 27"]),
        (story(*running()), THURSDAY + DAY, 1, ["washout", "that was on day 4, Thursday 26", "Monday 7 December"]),
        (story(*running(), held(1, THURSDAY)), THURSDAY, None, ["held on Thursday 26", "Monday 7 December 2026"]),
        (story(*running(), held(1, THURSDAY, "aborted")), THURSDAY, None, ["was held on Thursday 26"]),
        (story(*running(), held(1, THURSDAY), started(2, SECOND)), SECOND, 2, ["day 1 of course 2", "10 December"]),
        (story(*running(), (MONDAY, events.Withdrew("DF001", "ill"))), THURSDAY, None, ["left the study", "Monday 23"]),
        (story(*running(), (MONDAY, events.Locked(2, "0" * 64))), THURSDAY, None, ["locked"]),
        (story(*running(), dosed(MONDAY + DAY, taken=False)), THURSDAY, 1, ["missed the dose of day 2 of course 1"]),
        (story(*running(), (MONDAY, events.Unblinded("DF001", "seizure"))), THURSDAY, 1, ["emergency (seizure)"]),
    ],
)  # fmt: skip
def test_every_refusal_gives_reason_and_date(
    entries: list[events.Entry], today: date, session: int | None, words: list[str]
) -> None:
    """Each wrong moment is refused with its reason and the right date, and only rules about days and doses give way."""
    refusal = refused(entries, today)
    assert refusal.session == session
    assert [word for word in words if word not in str(refusal)] == []
    assert ("--override" in str(refusal)) == (session is not None)


def test_a_session_that_never_began_is_closed() -> None:
    """Once its day is over, a session that nobody came to is closed as never held, and cannot be held any more."""
    entries = story(*running())
    act = recording.record_never_held(Snapshot(entries), "DF001", 1, noon(THURSDAY + DAY))
    assert act.status == "never_held"
    refusal = refused([*entries, *story((THURSDAY + DAY, act))[1:]], THURSDAY + DAY)
    assert refusal.session is None
    assert "was recorded as not run" in refusal.why


def test_the_wrong_course_is_refused() -> None:
    """Who asks for the other course's session is told which one is running, and nothing overrides that."""
    refusal = refused(story(*running()), THURSDAY, asked=2)
    assert refusal.session is None
    assert "is in course 1" in refusal.why
    assert "Monday 7 December 2026" in refusal.why


def test_a_session_that_failed_can_go_on() -> None:
    """A session that failed is no held one: the gate lets it be resumed, and its end be recorded."""
    entries = story(*running(), held(1, THURSDAY, "failed"))
    assert admission.session_of(one(entries), STUDY, THURSDAY) == 1
    assert held_now(entries, 1).status == "completed"


def test_an_override_lets_in_for_its_day_only() -> None:
    """After an override with its reason the gate admits for that refusal and that day, and the register keeps why."""
    entries = story(*running())
    wednesday = MONDAY + 2 * DAY
    act = recording.override_rules(Snapshot(entries), "DF001", "flies home tomorrow", noon(wednesday))
    entries += story((wednesday, act))[1:]
    assert admission.session_of(one(entries), STUDY, wednesday) == 1
    refused(entries, MONDAY + DAY)
    refused([*entries, *story(dosed(wednesday, taken=False))[1:]], wednesday)
    (override,) = one(entries).overrides
    assert (override.day, override.who, override.reason) == (wednesday, "RA", "flies home tomorrow")
    assert "day 3 of course 1" in override.refused


def test_an_override_ends_with_its_day() -> None:
    """A refusal that names no day, as after an emergency, has to be overridden anew on the next one."""
    entries = story(*running(), (MONDAY, events.Unblinded("DF001", "seizure")), study=LATE)
    act = recording.override_rules(Snapshot(entries), "DF001", "the board agreed", noon(THURSDAY))
    entries += story((THURSDAY, act))[1:]
    assert admission.session_of(one(entries), LATE, THURSDAY) == 1
    assert refused(entries, THURSDAY + DAY).session == 1


def test_the_door_records_an_override_once(tmp_path: Path) -> None:
    """Without an override the door stays shut and nothing is written; with one it opens, and one record is enough."""
    moment = [noon(MONDAY)]
    register = Register(tmp_path / "study", lambda: moment[0])
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    setup.enrol(register, "DF001", "north", "RA")
    register.act("RA", lambda told: recording.consent(told, "DF001", None, "1.0", moment[0]))
    kit = register.kits()[0].kits[0]
    register.act("RA", lambda told: recording.start_course(told, "DF001", 1, None, kit.lower(), moment[0]))
    moment[0] = noon(MONDAY + 2 * DAY)
    before = register.path.read_bytes()
    with pytest.raises(admission.Refused, match="day 3 of course 1"):
        sessions.admit(register, "DF001", "RA")
    with pytest.raises(admission.Refused, match="not session 2"):
        sessions.admit(register, "DF001", "RA", asked=2, override="a good reason")
    assert register.path.read_bytes() == before
    for override in ("flies home tomorrow", "flies home tomorrow", ""):
        assert sessions.admit(register, "sub-DF001", "RA", override=override) == 1
    log = tmp_path / "transcript.jsonl"
    log.write_bytes(b"its only line\n")
    sessions.record(register, "DF001", 1, "RA", "completed", moment[0].isoformat(), log)
    assert sha256(b"its only line").hexdigest() == getattr(register.entries()[-1].act, "last_line_sha256", None)
    told = [type(entry.act).__name__ for entry in register.entries()]
    assert told == ["Begun", "Enrolled", "Consented", "CourseStarted", "Overridden", "SessionHeld"]


def test_a_clock_that_is_behind_opens_no_gate() -> None:
    """Where the computer's time is before the register's last entry, the gate says so, and no override lifts it."""
    entries = story(*running(), dosed(THURSDAY))
    assert admission.session_now(Snapshot(entries), "DF001", noon(THURSDAY) - timedelta(minutes=4)) == 1
    early = noon(THURSDAY) - timedelta(minutes=6)
    with pytest.raises(admission.Refused, match="Set the wrong clock") as caught:
        admission.session_now(Snapshot(entries), "DF001", early)
    assert caught.value.session is None
    with pytest.raises(admission.Refused, match="Set the wrong clock"):
        recording.override_rules(Snapshot(entries), "DF001", "the other clock was ahead", early)


def test_a_session_is_of_the_day_on_which_it_began() -> None:
    """Closed or told of a day later, it stands in the register with its own day."""
    entries = story(*running())
    late = noon(THURSDAY + DAY)
    act = recording.record_session(Snapshot(entries), "DF001", 1, "aborted", noon(THURSDAY).isoformat(), late)
    assert act.day == THURSDAY.isoformat()


def test_a_mistaken_entry_is_taken_back() -> None:
    """A start on a wrong day, and a dose after it, count no more, the latest first; then the right ones do."""
    entries = story(enrolled(), consented(), started(), dosed(MONDAY + DAY))
    with pytest.raises(BadInput, match="Cancel those first"):
        recording.correct(Snapshot(entries), 4, "it was Tuesday", noon(THURSDAY))
    for number in (5, 4):
        entries += story((THURSDAY, recording.correct(Snapshot(entries), number, "it was Tuesday", noon(THURSDAY))))[1:]
    assert (one(entries).starts, one(entries).doses) == ((), {})
    entries += story(
        (THURSDAY, recording.start_course(Snapshot(entries), "DF001", 1, MONDAY + DAY, KIT_1, noon(THURSDAY)))
    )[1:]
    assert one(entries).starts == (MONDAY + DAY,)
    with pytest.raises(BadInput, match="already cancelled by entry 7"):
        recording.correct(Snapshot(entries), 4, "it was Tuesday", noon(THURSDAY))


def test_who_left_by_mistake_is_back() -> None:
    """A withdrawal of the wrong participant is taken back, with a reason that stays."""
    assert one(GONE).withdrawn
    act = recording.correct(Snapshot(GONE), 5, "it was DF010 who left", noon(THURSDAY))
    assert one([*GONE, *story((THURSDAY, act))[1:]]).withdrawn is None


@pytest.mark.parametrize("number", [0, 1, 2, 5, 6, 99])
def test_what_happened_is_never_taken_back(number: int) -> None:
    """Kits that were given, a session that was held, treatments that were seen, and what is not there."""
    entries = story(*running(), held(1, THURSDAY), (THURSDAY, events.Unblinded("DF001", "seizure")))
    with pytest.raises(BadInput, match=r"cannot be cancelled. Only|later ones depend on it"):
        recording.correct(Snapshot(entries), number, "a good reason", noon(THURSDAY))


def test_a_site_elsewhere_has_its_own_days() -> None:
    """At half past seven in the evening in New York it is still day 4 there, and day 5 in the study's Berlin."""
    new_york = replace(STUDY, sites={"south": replace(STUDY.clock, zone="America/New_York")})
    moment = datetime(2026, 11, 27, 0, 30, tzinfo=timezone.utc)  # Friday in Berlin, Thursday in New York
    for stratum, place in (("north", 1), ("south", 2)):
        enrolment = (MONDAY, events.Enrolled("DF001", stratum, place, kits()))
        entries = story(enrolment, *running()[1:], study=new_york)
        if stratum == "south":
            assert admission.session_now(Snapshot(entries), "DF001", moment) == 1
        else:
            with pytest.raises(admission.Refused, match="too late for session 1"):
                admission.session_now(Snapshot(entries), "DF001", moment)


def test_overrides_are_not_given_lightly() -> None:
    """An override without a reason, without need, or against what nobody can lift is refused."""
    entries, wednesday = story(*running()), MONDAY + 2 * DAY
    with pytest.raises(BadInput, match="Please give a reason"):
        recording.override_rules(Snapshot(entries), "DF001", " x ", noon(wednesday))
    with pytest.raises(BadInput, match="Leave out --override"):
        recording.override_rules(Snapshot(entries), "DF001", "a good reason", noon(THURSDAY))
    with pytest.raises(admission.Refused, match="consent"):
        recording.override_rules(Snapshot(story(enrolled())), "DF001", "a good reason", noon(MONDAY))


@given(studies(), dates, st.integers(-3, 60), st.integers(-400, 400))
def test_the_gate_agrees_with_a_calendar_on_paper(study: Study, start: date, gap: int, offset: int) -> None:
    """For any courses, starts and days, the gate admits exactly on the days that counting on one's fingers gives."""
    course = study.courses
    second = date.fromordinal(start.toordinal() + course.days + course.washout_days + max(gap, 0))
    told = [enrolled(day=start), consented(day=start), started(1, start)]
    told += [started(2, second)] if gap >= 0 else []
    entries = story(*told, study=study)
    latest_start = second if gap >= 0 else start
    today = max(latest_start + timedelta(days=offset % 40 - 5), start)
    page = {latest_start.toordinal() + course.session_day - 1 + late for late in range(course.tolerance_days + 1)}
    if today.toordinal() in page:
        assert admission.session_of(one(entries), study, today) == len(one(entries).starts)
    else:
        refusal = refused(entries, today)
        right = date.fromordinal(min(page))
        assert refusal.session == len(one(entries).starts)
        assert days.in_words(right) in refusal.why


@given(studies(), dates, st.integers(0, 40))
def test_course_two_waits_for_the_washout(study: Study, start: date, gap: int) -> None:
    """Course 2 starts on no day before `washout_days` whole days have passed, and on every later one."""
    entries = story(enrolled(day=start), consented(day=start), started(1, start), study=study)
    wished = start + gap * DAY
    between = [start + n * DAY for n in range(study.courses.days, gap)]
    if len(between) >= study.courses.washout_days and gap >= study.courses.days:
        assert (
            recording.start_course(Snapshot(entries), "DF001", 2, wished, KIT_2, noon(wished, study)).day
            == wished.isoformat()
        )
    else:
        right = start + (study.courses.days + study.courses.washout_days) * DAY
        with pytest.raises(BadInput, match=f"Start it on {days.in_words(right)} or later"):
            recording.start_course(Snapshot(entries), "DF001", 2, wished, KIT_2, noon(wished, study))


@given(st.sampled_from(ZONES), moments)
def test_today_is_the_date_where_the_study_is(zone: str, moment: datetime) -> None:
    """The gate's day ends at midnight of the study's own zone, wherever the computer is."""
    study = replace(STUDY, clock=replace(STUDY.clock, zone=zone))
    midnight = days.at(study, days.today(study, moment), "00:00")
    tomorrow = days.at(study, days.today(study, moment) + DAY, "00:00")
    assert midnight <= moment < tomorrow


def test_a_moment_without_zone_is_a_mistake() -> None:
    """A clock that does not say its zone is refused, not guessed."""
    with pytest.raises(ValueError, match="time zone"):
        days.today(STUDY, datetime(2026, 11, 23))  # noqa: DTZ001 - that is the mistake


Attempt = Callable[[list[events.Entry]], events.Act]


def start(course: Literal[1, 2], kit: str, today: date, day: date | None = None) -> Attempt:
    """Somebody records a course's start."""
    return lambda entries: recording.start_course(Snapshot(entries), "DF001", course, day, kit, noon(today))


def consent(version: str, day: date | None = None) -> Attempt:
    """Somebody records a consent."""
    return lambda entries: recording.consent(Snapshot(entries), "DF001", day, version, noon(MONDAY))


def dose(today: date, day: date | None = None) -> Attempt:
    """Somebody records a dose."""
    return lambda entries: recording.record_dose(Snapshot(entries), "DF001", day, noon(today), taken=True)


def leave(reason: str, subject: str = "DF001") -> Attempt:
    """Somebody records a withdrawal."""
    return lambda entries: recording.withdraw(Snapshot(entries), subject, reason, noon(MONDAY))


def session(number: int) -> Attempt:
    """A session ended."""
    return lambda entries: held_now(entries, number)


def close(number: int, today: date) -> Attempt:
    """Somebody closes a session that did not begin."""
    return lambda entries: recording.record_never_held(Snapshot(entries), "DF001", number, noon(today))


NEW, READY, RUNNING = story(enrolled()), story(enrolled(), consented()), story(*running())
GONE = story(*running(), (MONDAY, events.Withdrew("DF001", "ill")))
TWO = story(enrolled(), enrolled("DF010", 2))


@pytest.mark.parametrize(
    ("entries", "attempt", "words"),
    [
        (NEW, start(1, KIT_1, MONDAY), "consent"),
        (READY, start(2, KIT_2, MONDAY), "--course 1"),
        (READY, start(1, KIT_1, MONDAY, MONDAY - DAY), "was enrolled on Monday"),
        (story(enrolled(), consented(day=MONDAY + DAY)), start(1, KIT_1, MONDAY + DAY, MONDAY), "consented on Tuesday"),
        (READY, start(1, KIT_1, MONDAY, MONDAY + DAY), "in the future"),
        (READY, start(1, KIT_1, MONDAY + 32 * DAY, MONDAY), "more than 31 days"),
        (RUNNING, start(1, KIT_1, MONDAY), "Monday 23 November 2026 already"),
        (
            RUNNING,
            lambda entries: recording.record_dose(Snapshot(entries), "DF001", MONDAY, noon(MONDAY), taken=False),
            "first dose",
        ),
        (RUNNING, start(2, KIT_2, SECOND - DAY), "Monday 7 December 2026 or later"),
        (RUNNING, start(2, KIT_1, SECOND), "is for course 1 of sub-DF001"),
        (RUNNING, start(2, kits(7)[0], SECOND), "not for sub-DF001"),
        (RUNNING, start(2, KIT_2[:-1] + "0", SECOND), "read the label again"),
        (RUNNING, start(2, KIT_2[1] + KIT_2[0] + KIT_2[2:], SECOND), "the last one checks the others"),
        (NEW, consent("1", MONDAY + DAY), "in the future"),
        (NEW, consent("1", date(2016, 11, 23)), "Check the year"),
        (NEW, consent(" "), "version"),
        (READY, consent("1.0"), "recorded already"),
        (NEW, dose(MONDAY), "have not started"),
        (RUNNING, dose(MONDAY), "already recorded as taken"),
        (RUNNING, dose(THURSDAY + DAY), "Monday 23 November 2026 to Thursday 26"),
        (RUNNING, dose(MONDAY, THURSDAY), "in the future"),
        (GONE, dose(THURSDAY), "left the study"),
        (GONE, leave("again"), "left the study"),
        (RUNNING, leave(""), "Please give a reason"),
        (story(*running(), held(1, THURSDAY)), session(1), "was held on Thursday 26 November 2026 (completed)"),
        (RUNNING, session(2), "has not started"),
        (RUNNING, close(1, THURSDAY), "can be run until Thursday 26"),
        (RUNNING, close(2, SECOND), "has not started"),
        (story(*running(), held(1, THURSDAY, "failed")), close(1, SECOND), "run --close"),
        (story(*running(), (MONDAY, events.Locked(0, "0" * 64))), leave("moved away"), "locked"),
        (TWO, leave("moved away", "df01"), "Did you mean DF0"),
        (NEW, leave("moved away", "zzz"), "not enrolled in this study. Check"),
        ([], leave("moved away"), "study init"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(entries: list[events.Entry], attempt: Attempt, words: str) -> None:
    """Every act that cannot be now is refused in words that help."""
    with pytest.raises(BadInput) as caught:
        attempt(entries)
    assert words in str(caught.value)


def test_what_can_be_is_recorded() -> None:
    """Consent, a start, doses, their correction and a withdrawal become acts that the register can hold."""
    entries = [begun(), *story(enrolled())[1:]]

    def act(made: events.Act, day: date = MONDAY) -> None:
        entries.extend(story((day, made))[1:])

    act(recording.consent(Snapshot(entries), "sub-DF001", MONDAY - 7 * DAY, "1.0", noon(MONDAY)))
    act(
        recording.start_course(
            Snapshot(entries), "DF001", 1, MONDAY, f" {KIT_1[:3]}-{KIT_1[3:]}".lower(), noon(MONDAY + 31 * DAY)
        )
    )
    act(recording.record_dose(Snapshot(entries), "DF001", None, noon(MONDAY + DAY), taken=True))
    act(recording.correct(Snapshot(entries), len(entries), "she did not take it", noon(THURSDAY)))
    act(recording.record_dose(Snapshot(entries), "DF001", MONDAY + DAY, noon(THURSDAY), taken=False))
    act(held_now(entries, 1))
    act(recording.consent(Snapshot(entries), "DF001", None, "2.0", noon(THURSDAY)))
    act(recording.withdraw(Snapshot(entries), "DF001", "moved away", noon(THURSDAY)), THURSDAY)
    act(recording.record_dose(Snapshot(entries), "DF001", MONDAY + 2 * DAY, noon(THURSDAY + DAY), taken=True))
    person = one(entries)
    assert person.consented == MONDAY - 7 * DAY
    assert dict(person.doses) == {MONDAY: True, MONDAY + DAY: False, MONDAY + 2 * DAY: True}
    assert person.withdrawn == THURSDAY


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        (story(enrolled(), enrolled()), 3),
        (story(enrolled(), enrolled("DF002", 1)), 3),
        (story((MONDAY, events.Consented("DF001", "20261123", "1"))), 2),
        (story(enrolled(), started()), 3),
        (story(enrolled(), consented(), started(1, place=2)), 4),
        (story(*running(), started(2, SECOND - DAY)), 5),
        (story(*running(), held(1, THURSDAY), held(1, THURSDAY)), 6),
        (story(*running(), (MONDAY, events.Locked(0, "0" * 64)), held(1, THURSDAY)), 6),
        (story(*running(), (MONDAY, events.Unblinded(None, "end"))), 5),
        (story(enrolled(), (MONDAY, events.Consented("DF001", "20261123", "1"))), 3),
        ([*story(enrolled()), begun()], 3),
        (story(enrolled())[1:], 1),
    ],
)
def test_a_register_that_cannot_be_is_named(entries: list[events.Entry], number: int) -> None:
    """An act that cannot follow what is before it is found when the register is read, with the entry's number."""
    with pytest.raises(BadInput, match=f"^Entry {number} of the study's register is not possible"):
        _ = Snapshot(entries).people


def test_unblinding_after_the_lock_is_possible() -> None:
    """After the lock everybody can be unblinded, and a torn line be taken away, and nothing else happen."""
    locked, unblinded, recovered = events.Locked(0, "0" * 64), events.Unblinded(None, "end"), events.Recovered(7)
    told = (*running(), (MONDAY, locked), (MONDAY, unblinded), (MONDAY, recovered))
    people = Snapshot(story(*told)).people
    assert people["DF001"].locked
    assert people["DF001"].unblinded is None


def test_acts_survive_the_line() -> None:
    """The stories of these tests are what a register can hold: encoded and decoded they stay the same."""
    entries = story(*running(), dosed(MONDAY + DAY), held(1, THURSDAY), (MONDAY, events.Withdrew("DF001", "ill")))
    assert [msgspec.json.decode(msgspec.json.encode(entry), type=events.Entry) for entry in entries] == entries


def test_a_session_that_is_begun_again_counts_as_not_held() -> None:
    """Refused as held before, it can be run on its day once it is begun again, and its next end is recorded."""
    told = story(*running(), held(1, THURSDAY, "aborted"))
    assert "session 1" in str(refused(told, THURSDAY)).lower()
    act = recording.begin_again(Snapshot(told), Visit("DF001", 1), "The wrong session was chosen", noon(THURSDAY))
    again = [*told, events.Entry(noon(THURSDAY).isoformat(), "TA", act)]
    assert admission.session_of(one(again), Snapshot(again).study, THURSDAY, 1) == 1
    assert held_now(again, 1).status == "completed"
    with pytest.raises(BadInput, match="reason"):
        recording.begin_again(Snapshot(told), Visit("DF001", 1), " x ", noon(THURSDAY))
