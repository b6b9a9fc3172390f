"""What an assistant records of a participant: consent before enrolment, courses that are dated back, IDs and doses."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from experiment.errors import BadInput
from experiment.study import events, recording
from experiment.study.events import Act, Consented, CourseStarted
from experiment.study.history import describe
from experiment.study.register import Register
from experiment.study.setup import SimilarId, enrol, set_up
from experiment.study.snapshot import Snapshot
from tests.registers import DAY, MONDAY, PUBLIC_KEYS, STUDY, dosed, enrolled, kits, noon, one, running, started, story

NOW = noon(MONDAY + 3 * DAY)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A study that has just begun."""
    register = Register(tmp_path / "study", lambda: NOW)
    set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    return register


def act(register: Register, decided: Act) -> None:
    """Record something."""
    register.act("RA", lambda _: decided)


def consents(register: Register, subject: str, version: str = "1.0", *, is_new: bool = False) -> Consented:
    """Consent of today, recorded."""
    told = register.act(
        "RA", lambda told: recording.consent(told, subject, None, version, register.now(), is_new=is_new)
    )
    act = told.entries[-1].act
    assert isinstance(act, Consented)
    return act


def test_consent_may_come_before_the_enrolment(register: Register) -> None:
    """It is kept until the participant is enrolled, and then a course can start."""
    consents(register, "DF001")
    consents(register, "DF002")
    entries = register.entries()
    assert Snapshot(entries).awaiting_enrolment == ["DF001", "DF002"]
    assert Snapshot(entries).people == {}
    enrol(register, "DF001", "north", "RA")
    entries = register.entries()
    assert Snapshot(entries).awaiting_enrolment == ["DF002"]
    person = one(entries)
    assert (person.consented, person.consent_version) == (MONDAY + 3 * DAY, "1.0")
    begins = recording.start_course(Snapshot(entries), "DF001", 1, None, person.kits[0], NOW)
    assert begins.day == (MONDAY + 3 * DAY).isoformat()


def test_consent_is_recorded_once_and_can_be_taken_back(register: Register) -> None:
    """A second time it is refused; a new version, and a correction of the first, are not."""
    consents(register, "DF001")
    with pytest.raises(BadInput, match="already recorded"):
        consents(register, "DF001")
    act(register, recording.correct(register.read(), 2, "signed by somebody else", NOW))
    assert register.read().awaiting_enrolment == []
    consents(register, "DF001", "1.1")
    enrol(register, "DF001", "north", "RA")
    assert one(register.entries()).consent_version == "1.1"


@pytest.mark.parametrize("similar", ["DF1", "DF0001", "df01", "DFO01", "DF00l", "DF00I"])
def test_a_similar_id_is_asked_about(register: Register, similar: str) -> None:
    """Leading zeros, capital letters, O for 0 and l or I for 1: it may be the same person, unless somebody says no."""
    enrol(register, "DF001", "north", "RA")
    with pytest.raises(BadInput, match="sub-DF001 is"):
        enrol(register, similar, "north", "RA")
    with pytest.raises(BadInput, match="sub-DF001 is"):
        consents(register, similar)
    if similar.casefold() != "df001":
        assert consents(register, similar, is_new=True).subject == similar
        enrol(register, similar, "north", "RA", is_new=True)
        assert set(register.read().people) == {"DF001", similar}


@pytest.mark.parametrize("other", ["DF002", "DF010", "DF011", "DF100", "EF001", "DF001b", "1DF001"])
def test_another_id_is_not_asked_about(register: Register, other: str) -> None:
    """The next number and the like are other people, as every study has them."""
    enrol(register, "DF001", "north", "RA")
    enrol(register, other, "north", "RA")
    assert len(register.read().people) == 2


def test_an_id_that_consented_is_similar_too(register: Register) -> None:
    """A typing error at the enrolment would leave a consent without a participant."""
    consents(register, "DF001")
    with pytest.raises(SimilarId, match="sub-DF001"):
        enrol(register, "DF01", "north", "RA")


def test_an_enrolment_can_be_taken_back(register: Register) -> None:
    """Before anything was done with it; its place and kits are not given again, and the ID is free."""
    consents(register, "DF001")
    first = enrol(register, "DF001", "north", "RA").act
    act(register, recording.correct(register.read(), 3, "the wrong stratum", NOW))
    assert register.read().people == {}
    again = enrol(register, "DF001", "south", "RA").act
    north = enrol(register, "DF002", "north", "RA").act
    assert isinstance(first, events.Enrolled)
    assert isinstance(again, events.Enrolled)
    assert isinstance(north, events.Enrolled)
    assert (again.stratum, again.place, north.place) == ("south", 1, 2)
    assert not {*first.kits} & {*north.kits}
    assert one(register.entries()).consented == MONDAY + 3 * DAY
    begins = recording.start_course(register.read(), "DF001", 1, None, again.kits[0], NOW)
    act(register, begins)
    with pytest.raises(BadInput, match="depend on it"):
        recording.correct(register.read(), 5, "the wrong stratum", NOW)


def began(day: date, reason: str | None, moment: datetime = NOW) -> CourseStarted:
    """Course 1 of somebody who was enrolled on Monday, and consented a year before."""
    told = Snapshot(story(enrolled(), (MONDAY, Consented("DF001", (MONDAY - 365 * DAY).isoformat(), "1.0"))))
    return recording.start_course(told, "DF001", 1, day, kits()[0], moment, reason)


def test_a_course_is_dated_back_with_a_reason() -> None:
    """A study that was under way is brought in: the reason is in the register and its history."""
    day = MONDAY - 40 * DAY
    with pytest.raises(BadInput, match="--dated-back"):
        began(day + 20 * DAY, None)
    with pytest.raises(BadInput, match="--dated-back"):
        began(day, None)
    act = began(day, "on paper until now")
    assert (act.day, act.dated_back) == (day.isoformat(), "on paper until now")
    assert describe(act).endswith("Dated back: on paper until now")
    told = Snapshot(story(enrolled(), (MONDAY, Consented("DF001", day.isoformat(), "1.0")), (MONDAY, act)))
    assert told.people["DF001"].starts == (day,)
    later = recording.start_course(told, "DF001", 2, day + 20 * DAY, kits()[1], NOW, "on paper until now")
    assert later.course == 2
    doses = [recording.record_dose(told, "DF001", day + number * DAY, NOW, taken=True) for number in (1, 2, 3)]
    assert len(doses) == 3


@pytest.mark.parametrize(
    ("day", "reason", "why"),
    [(MONDAY, "on paper until now", "Leave out --dated-back"), (MONDAY - 9 * DAY, "ok", "reason"),
     (MONDAY - 400 * DAY, "on paper until now", "consented on"),
     (MONDAY - 2000 * DAY, "on paper until now", "days ago"),
     (MONDAY + 9 * DAY, "on paper until now", "in the future")],
)  # fmt: skip
def test_what_cannot_be_dated_back_is_refused(day: date, reason: str, why: str) -> None:
    """A day after the enrolment, before the consent, in the future or too long ago, and a reason that is none."""
    with pytest.raises(BadInput, match=why):
        began(day, reason)


def test_the_washout_holds_for_what_is_dated_back() -> None:
    """Also a course that was on paper cannot begin within it."""
    first = MONDAY - 40 * DAY
    told = story(enrolled(), (MONDAY, Consented("DF001", first.isoformat(), "1.0")), (MONDAY, began(first, "on paper")))
    with pytest.raises(BadInput, match="washout"):
        recording.start_course(Snapshot(told), "DF001", 2, first + 9 * DAY, kits()[1], NOW, "on paper until now")


def test_a_register_without_a_word_about_it_is_as_it_was() -> None:
    """A course that was not dated back is written as before."""
    _, plain = started()
    assert b"dated_back" not in msgspec.json.encode(events.Entry(NOW.isoformat(), "RA", plain))


@pytest.mark.parametrize("taken", [True, False])
def test_a_dose_is_not_contradicted_without_a_correction(taken: bool) -> None:  # noqa: FBT001 - a parameter
    """Taken after missed, or missed after taken: the first has to be taken back, and is named by its number."""
    day = MONDAY + DAY
    told = Snapshot(story(*running(), dosed(day, taken=not taken)))
    with pytest.raises(BadInput, match=r"entry 5.*study correct 5"):
        recording.record_dose(told, "DF001", day, NOW, taken=taken)
    corrected = told.followed_by(NOW, recording.correct(told, 5, "the wrong participant", NOW))
    assert recording.record_dose(corrected, "DF001", day, NOW, taken=taken).taken == taken


def test_an_older_register_with_a_contradiction_is_read() -> None:
    """There the last word on a day counts, as it did."""
    told = story(*running(), dosed(MONDAY + DAY, taken=False), dosed(MONDAY + DAY))
    assert one(told).doses[MONDAY + DAY] is True
