"""No acknowledged report is lost and none is invented: lost answers, two tabs, restarts, kills, and all at once."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from experiment.errors import BadInput
from experiment.reports.log import sendings
from experiment.reports.service import Service
from experiment.reports.table import closed_to_reports, rows, verify
from experiment.study import unblinding
from experiment.study.events import Locked, SessionHeld
from experiment.study.unblinding import check_locked
from tests.daily_reports import (
    DAILY,
    FORM,
    FULL,
    LOCAL,
    HttpAnswer,
    ask,
    begin,
    free_port,
    give,
    served,
    serving,
    start_second,
    tonight,
    withdraw,
    without_a_clock,
)
from tests.registers import DAY, MONDAY
from tests.small_disks import resize, small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from tests.daily_reports import Evenings

Answers = dict[str, str]


@dataclass
class Participant:
    """Somebody's evening: forms that are open in their tabs, what was sent, and what was thanked for last."""

    path: str
    draw: Random
    tabs: list[str] = field(default_factory=list)
    sent: list[tuple[str, Answers]] = field(default_factory=list)
    acknowledged: Answers | None = None
    unsure: list[Answers] = field(default_factory=list)

    def open(self, port: int) -> None:
        """One more tab."""
        self.tabs.append(ask(port, self.path).form)

    def send(self, port: int) -> None:
        """Answer anew in some tab, also one from which something was sent before (the way back), and send it."""
        if self.tabs:
            answers = {f"item_{item.id}": str(self.draw.randint(1, item.points)) for item in DAILY.items}
            self._post(port, self.draw.choice(self.tabs), answers)

    def retry(self, port: int) -> None:
        """Send the last one once more, as a second tap or a reload does."""
        if self.sent:
            self._post(port, *self.sent[-1])

    def lose(self, port: int) -> None:
        """Send without hearing the answer: the connection is lost."""
        if self.tabs:
            form = self.draw.choice(self.tabs)
            answers = {f"item_{item.id}": str(self.draw.randint(1, item.points)) for item in DAILY.items}
            body = urlencode(answers | {"form": form})
            head = (
                f"POST {self.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            cut = self.draw.randrange(len(body)) if self.draw.random() < 0.3 else len(body)
            with socket.create_connection((LOCAL, port)) as phone:
                phone.sendall((head + body[:cut]).encode())
                if cut == len(body):
                    time.sleep(self.draw.choice([0, 0.02]))
            self.sent.append((form, answers))
            self.unsure.append(answers)

    def _post(self, port: int, form: str, answers: Answers) -> None:
        self.sent.append((form, answers))
        answer = ask(port, self.path, answers | {"form": form})
        assert answer.status == 303, answer
        self.acknowledged, self.unsure = answers, []

    def check(self, found: list[Answers]) -> None:
        """The last one that counts was thanked for last, or sent since; nothing was sent that stands there."""
        assert all(one in [answers for _, answers in self.sent] for one in found)
        if found:
            assert found[-1] in [self.acknowledged, *self.unsure]
        else:
            assert self.acknowledged is None


def found_of(evenings: Evenings, subject: str, day: date) -> list[Answers]:
    """What the log has of a report, as it was sent."""
    own = sendings(evenings.entries).get((subject, day), [])
    return [{f"item_{name}": str(answer) for name, answer in one.answers.items()} for one in own]


def play(folder: Path, sequences: int, seed: int, length: int = 8) -> int:
    """So many random sequences, each about a report of its own, in one study; how many reports there are then.

    The server is stopped and started between them, and the clock goes on.
    """
    draw = Random(seed)
    made = begin(folder, -(-sequences // 8))
    dates = [MONDAY + number * DAY for number in range(4)]
    for subject in made.links:
        start_second(made, subject, MONDAY + 14 * DAY)
    dates += [date + 14 * DAY for date in dates]
    reports = 0
    for date in dates:
        made.at(date, "18:30")
        people = {subject: Participant(made.path(subject, date), draw) for subject in made.links}
        for _ in range(2):  # the server is started anew in between
            with served(made) as port:
                for one in people.values():
                    for _ in range(length // 2):
                        getattr(one, draw.choice(["open", "open", "send", "send", "retry", "lose"]))(port)
                    made.clock.moment += DAY / 1440
        for subject, one in people.items():
            found = found_of(made, subject, date)
            one.check(found)
            reports += bool(found)
    roster = made.service.roster()
    made.at(MONDAY + 30 * DAY, "12:00")
    table = rows(roster, made.entries, made.clock.moment)
    assert len({(row.subject, row.date) for row in table}) == len(table) == 8 * len(made.links)
    assert sum(row.submitted is not None for row in table) == reports
    return reports


def test_random_evenings_give_one_report_each(tmp_path: Path) -> None:
    """Opened, sent twice, lost on the way, from two tabs, over a restart: one report a day, none lost or invented."""
    assert play(tmp_path, 80, 1) > 40


def kill_and_check(made: Evenings, day: date, kills: int, seed: int) -> tuple[int, int]:
    """Kill the server so often while participants send; how many sendings were acknowledged, and how many were lost."""
    draw, acknowledged = Random(seed), list[tuple[str, Answers]]()
    for _ in range(kills):
        port = free_port()
        with serving(made.service.data, port) as process:
            ends = threading.Timer(draw.uniform(0, 0.8), process.kill)
            ends.start()
            acknowledged += send_until_it_dies(made, port, day, draw)
            ends.join()
    every = [(subject, answers) for subject in made.links for answers in found_of(without_a_clock(made), subject, day)]
    return len(acknowledged), sum(one not in every for one in acknowledged)


def send_until_it_dies(made: Evenings, port: int, day: date, draw: Random) -> list[tuple[str, Answers]]:
    """What was thanked for."""
    thanked = list[tuple[str, Answers]]()
    while True:
        subject = draw.choice([*made.links])
        answers = {f"item_{item.id}": str(draw.randint(1, item.points)) for item in DAILY.items}
        try:
            answer = give(port, made.path(subject, day), answers)
        except (OSError, HTTPException):
            return thanked
        if answer.status == 303:
            thanked.append((subject, answers))


def test_a_killed_server_has_lost_nothing(tmp_path: Path) -> None:
    """Killed while reports come in, started again: the log is whole, and all that was thanked for is in it."""
    study, day = tonight()
    made = begin(tmp_path, 5, study, monday=day)
    count, lost = kill_and_check(made, day, 3, 1)
    assert count > 0
    assert lost == 0


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_disk_that_takes_nothing_lets_nothing_be_thanked_for(tmp_path: Path, trouble: str) -> None:
    """While the data folder is full or read-only a report is not thanked for; afterwards the same page sends it."""
    with small_disk(tmp_path / "disk", 4000) as disk:
        made = begin(disk / "data")
        made.at(MONDAY, "20:00")
        filler, told = disk / "filler", list[str]()
        with served(made, told.append) as port:
            path = made.path(day=MONDAY)
            form = ask(port, path).form
            if trouble == "full":
                fill(filler)
            else:
                resize(disk, 4000, "ro")
            tries = [FULL | {"item_calm": str(1 + n % 7), "item_happy": str(1 + n // 7)} for n in range(30)]
            answers = [ask(port, path, {**one, "form": form}) for one in tries]
            thanked = [one for one, answer in zip(tries, answers, strict=True) if answer.status == 303]
            refused = [answer for answer in answers if answer.status != 303]  # some still fit into a block
            assert {answer.status for answer in refused} == {503}
            assert ("try again" in refused[0].text, bool(told)) == (True, True)
            resize(disk, 8000)
            assert found_of(made, "DF001", MONDAY) == thanked
            assert ask(port, path, {**FULL, "form": form, "item_symptoms": "1"}).status == 303
        assert found_of(made, "DF001", MONDAY) == [*thanked, FULL | {"item_symptoms": "1"}]
        assert verify(disk / "data", made.service.roster(), made.clock.moment) == []


def fill(path: Path) -> None:
    """Write until no byte more finds room."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 512)


def all_at_once(made: Evenings, port: int, day: date) -> list[float]:
    """Everybody opens the form, then everybody sends within a second; the seconds until each was thanked."""
    forms = {subject: ask(port, made.path(subject, day)).form for subject in made.links}
    start_s = time.perf_counter() + 0.2

    def send(at: int, subject: str) -> float:
        due_s = start_s + at / len(forms)
        time.sleep(max(0.0, due_s - time.perf_counter()))
        answers = {f"item_{item.id}": "1" for item in DAILY.items}
        assert ask(port, made.path(subject, day), answers | {"form": forms[subject]}).status == 303
        return time.perf_counter() - due_s

    with ThreadPoolExecutor(len(forms)) as pool:
        return list(pool.map(send, range(len(forms)), forms))


def test_everybody_may_send_at_once(tmp_path: Path) -> None:
    """Thirty participants within a second: each is thanked, and each has one report."""
    made = begin(tmp_path, 30)
    made.at(MONDAY, "20:00")
    with served(made) as port:
        assert len(all_at_once(made, port, MONDAY)) == 30
    assert [len(of) for of in sendings(made.entries).values()] == [1] * 30


def test_nobody_begins_with_reports_while_a_study_without_them_is_locked(tmp_path: Path) -> None:
    """Whoever starts the server at that moment, or after it, is refused, and no file is added to the locked data."""
    made = begin(tmp_path)
    register = made.service.register
    for folder in ("sourcedata", "phenotype"):
        shutil.rmtree(tmp_path / folder)  # as if nobody had ever begun with them
    withdraw(made)
    with ThreadPoolExecutor() as pool:

        @contextmanager
        def hold() -> Iterator[None]:
            with closed_to_reports(tmp_path, register):
                waiting.append(pool.submit(Service(tmp_path, DAILY, register).begin))
                assert wait(waiting, timeout=0.5).done == set()
                yield

        waiting = list[Future[None]]()
        unblinding.lock(register, tmp_path, "PI", tuple, hold)
        with pytest.raises(BadInput, match="The study is locked"):
            waiting[0].result()
    locked = next(one.act for one in register.entries() if isinstance(one.act, Locked))
    check_locked(tmp_path, register.folder, locked)
    shutil.rmtree(tmp_path / "sourcedata")  # as an earlier version locked it
    with pytest.raises(BadInput, match="The study is locked"):
        Service(tmp_path, DAILY, register).begin()
    assert not (tmp_path / "sourcedata").exists()
    assert verify(tmp_path, register.read(), made.clock.moment) == []


def test_a_report_sent_while_the_study_is_locked_waits_and_is_refused(tmp_path: Path) -> None:
    """It changes nothing of what is locked; nor does a table that is made at that moment."""
    made = begin(tmp_path)
    register, waiting = made.service.register, list[Future[object]]()
    start_second(made, "DF001", MONDAY + 14 * DAY)
    made.at(MONDAY + 14 * DAY, "20:30")
    register.act("RA", lambda _: SessionHeld("DF001", 1, str(MONDAY), "never_held"))
    register.act("RA", lambda _: SessionHeld("DF001", 2, str(MONDAY + 14 * DAY), "never_held"))

    with served(made) as port, ThreadPoolExecutor() as pool:
        form = ask(port, made.path(day=MONDAY + 14 * DAY)).form

        @contextmanager
        def hold() -> Iterator[None]:
            with closed_to_reports(tmp_path, register):
                waiting.append(pool.submit(ask, port, made.path(day=MONDAY + 14 * DAY), {**FULL, "form": form}))
                waiting.append(pool.submit(made.service.update_table))
                assert wait(waiting, timeout=0.5).done == set()
                yield

        unblinding.lock(register, tmp_path, "PI", tuple, hold)
        answer = waiting[0].result()
        assert isinstance(answer, HttpAnswer)
        assert answer.status == 410
    locked = next(one.act for one in register.entries() if isinstance(one.act, Locked))
    check_locked(tmp_path, register.folder, locked)
    assert not sendings(made.entries)
