"""Sessions and the register: what it missed it is told later, and what never began is not confused with it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from experiment.cli.check import study_items
from experiment.design.message import read_messages
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record import transcript
from experiment.record.dataset import DataSet
from experiment.study import admission, events, history, queries, recording, setup
from experiment.study import sessions as holding
from experiment.study.register import Register
from tests.places import EXAMPLES
from tests.registers import DAY, MONDAY, PUBLIC_KEYS, STUDY, noon, run_session
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

THURSDAY = MONDAY + 3 * DAY
ENGLISH = read_messages(EXAMPLES / "english.csv")


class Lab:
    """A data set with its register, in which DF001 is in course 1; `moment` is now."""

    def __init__(self, folder: Path) -> None:
        self.moment: datetime = noon(MONDAY)
        self.data, self.register = DataSet(folder), Register(folder / "study", lambda: self.moment)
        setup.set_up(self.register, STUDY, *PUBLIC_KEYS, "PI")
        setup.enrol(self.register, "DF001", "north", "RA")
        kit = self.register.kits()[0].kits[0]
        self.register.act("RA", lambda told: recording.consent(told, "DF001", None, "1", self.moment))
        self.register.act("RA", lambda told: recording.start_course(told, "DF001", 1, None, kit, self.moment))
        self.moment = noon(THURSDAY)

    def holds(self, lines: int | None = None) -> None:
        """A session on Thursday, of which the register is not told; `lines`: as many as a crash left of its log."""
        transcript = run_session(self.data, Visit("DF001", 1), self.moment)
        if lines is not None:
            kept = transcript.read_bytes().splitlines(keepends=True)[:lines]
            transcript.write_bytes(b"".join(kept))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """On the day of session 1."""
    return Lab(tmp_path)


def held(lab: Lab) -> list[events.SessionHeld]:
    """What the register knows of sessions."""
    return [entry.act for entry in lab.register.entries() if isinstance(entry.act, events.SessionHeld)]


def caught_up(lab: Lab) -> list[int]:
    """Which sessions the register is told of now, by RB."""
    return holding.catch_up(lab.register, lab.register.read(), lab.data, "sub-DF001", "RB")[1]


def test_the_register_is_told_later_of_a_session_that_it_missed(lab: Lab) -> None:
    """With the session's own day, once; then the gate refuses to hold it again."""
    lab.holds()
    assert admission.session_now(lab.register.read(), "DF001", lab.moment) == 1
    lab.moment = noon(THURSDAY + DAY)
    assert caught_up(lab) == [1]
    assert caught_up(lab) == []
    last = sha256(lab.data.transcript(Visit("DF001", 1), PROTOCOL.task).read_bytes().splitlines()[-1]).hexdigest()
    assert held(lab) == [events.SessionHeld("DF001", 1, THURSDAY.isoformat(), "completed", last)]
    assert lab.register.entries()[-1].who == "RB"
    with pytest.raises(admission.Refused, match="was held on Thursday 26 November 2026"):
        holding.session_today(lab.register.read(), "DF001", lab.moment, asked=None, override=None)


def test_a_session_that_was_cut_off_is_left_to_go_on(lab: Lab) -> None:
    """The register is not told of it, and nobody can say that it was never held."""
    lab.holds(lines=9)
    assert transcript.has_begun(lab.data.transcript(Visit("DF001", 1), PROTOCOL.task))
    assert caught_up(lab) == []
    with pytest.raises(BadInput, match=r"was interrupted.*--resume.*--close"):
        holding.check_never_held(lab.data, Visit("DF001", 1))


def test_a_session_that_never_began_may_be_closed(lab: Lab) -> None:
    """Without a log, there is nothing to go on with."""
    holding.check_never_held(lab.data, Visit("DF001", 1))


def test_the_register_is_read_once_for_a_start(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before the form serves until somebody adds to it; the end is recorded with one more reading."""
    read, content = list[object](), Register._content

    def noted(register: Register) -> bytes:
        read.append(register.path)
        return content(register)

    monkeypatch.setattr(Register, "_content", noted)
    told = lab.register.read()
    for _ in range(3):
        told, _ = holding.catch_up(lab.register, lab.register.refresh(told), lab.data, "DF001", "the log")
        assert holding.session_today(told, "DF001", lab.moment, asked=None, override=None) == 1
        assert holding.unknown_doses(told, "DF001", lab.moment)
        assert holding.admit(lab.register, "DF001", "RA", told=told) == 1
    assert len(read) == 1
    lab.holds()
    after = holding.record_end(lab.register, lab.data, lab.data.transcript(Visit("DF001", 1), PROTOCOL.task), "RA")
    assert after is not None
    assert len(read) == 1
    assert after.digests == lab.register.read().digests
    assert lab.register.refresh(told).digests == after.digests


def test_doses_that_nobody_recorded_are_named(lab: Lab) -> None:
    """Until today, with their dates; none when all are recorded."""
    assert "Tue 24 Nov, Wed 25 Nov" in str(holding.unknown_doses(lab.register.read(), "DF001", lab.moment))
    for day in (MONDAY + DAY, MONDAY + 2 * DAY):
        lab.register.act("RA", lambda told, day=day: recording.record_dose(told, "DF001", day, lab.moment, taken=True))  # type: ignore[misc]
    assert holding.unknown_doses(lab.register.read(), "DF001", lab.moment) is None


def test_after_the_lock_nothing_is_asked_any_more(lab: Lab) -> None:
    """The closing questions would change tables that were locked."""
    holding.check_open(lab.register, "DF001")
    lab.register.act("PI", lambda _: events.Locked(0, "0" * 64))
    with pytest.raises(BadInput, match="locked"):
        holding.check_open(lab.register, "DF001")


def test_an_answer_is_of_what_was_before_it(lab: Lab) -> None:
    """What is lifted or seen after an answer has to be answered anew."""
    answer = events.Answered("let_in", "DF001", 1, "agreed with the sponsor")
    overridden = events.Overridden("DF001", 1, "It was day 3.", "she flies home")
    for act in (overridden, answer, overridden):
        lab.register.act("RA", lambda _, act=act: act)  # type: ignore[misc]
    found = queries.study_findings(lab.register.read(), lab.data.root)
    assert [(one.kind, one.session, one.needs_person) for one in found] == [
        ("let_in", 1, False),
        ("let_in", 1, True),
    ]
    assert "agreed with the sponsor" in found[0].text


def test_the_history_tells_every_act_in_words(lab: Lab) -> None:
    """Each kind of act has its sentence, and one participant's history leaves the others' out."""
    told: list[events.Act] = [
        events.Screened("DF001", "2026-11-20", "not_eligible", "takes opioids"),
        events.Dosed("DF001", "2026-11-24", taken=False),
        events.SessionHeld("DF001", 1, "2026-11-26", "never_held"),
        events.SessionHeld("DF001", 1, "2026-11-26", "aborted"),
        events.Overridden("DF001", 1, "It was day 3.", "she flies home"),
        events.BegunAgain("DF001", 1, "the wrong session was chosen"),
        events.Withdrew("DF001", "moved away"),
        events.Corrected(5, "it was DF002"),
        events.Answered("computer", None, None, "a new screen"),
        events.Unblinded("DF001", "seizure"),
        events.Unblinded(None, "after the lock"),
        events.Locked(1, "0" * 64),
        events.ClockConfirmed("3 days before the entry before", "the other one was set ahead"),
        events.Recovered(7),
    ]
    every = [*(entry.act for entry in lab.register.entries()), *told]
    assert {type(act) for act in every} == set(events.Act.__args__)
    words = [history.describe(act) for act in every]
    assert len(set(words)) == len(words)
    setup.enrol(lab.register, "DF002", "north", "RA")
    now = lab.register.read()
    rows = len([*history.rows(now, "DF001")]), len([*history.rows(now)])
    assert rows == (3, 5)


def test_check_asks_the_register(lab: Lab, tmp_path: Path) -> None:
    """Whether a register is whole, whether today is the day, and, without a study, nothing."""
    assert study_items(tmp_path / "elsewhere", "DF001", 1) == []
    (whole,) = study_items(lab.data.root, "", 0)
    assert (whole.severity, whole.text) == ("ok", "its register is intact, with 4 entries")
    (refused,) = study_items(lab.data.root, "DF002", 0)
    assert (refused.severity, "not enrolled" in refused.text) == ("error", True)
    lab.register.path.unlink()
    assert [item.severity for item in study_items(lab.data.root, "", 0)] == ["error"]
