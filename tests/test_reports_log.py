"""The log of daily reports: every change is found, no line is lost, whoever writes to it and dies."""

from __future__ import annotations

import multiprocessing
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from experiment.errors import BadInput
from experiment.reports.log import LogLine, Opened, entry, journal
from experiment.reports.table import files, table_path, verify
from experiment.study.register import utc_now
from experiment.study.snapshot import Snapshot
from tests.daily_reports import DAILY, FULL, begin, give, served
from tests.registers import DAY, MONDAY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daily_reports import Evenings


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory) -> Evenings:
    """Two participants with two reports each, one of them corrected."""
    made = begin(tmp_path_factory.mktemp("data"), 2)
    with served(made) as port:
        for day in (MONDAY, MONDAY + DAY):
            made.at(day, "20:30")
            for subject in made.links:
                assert give(port, made.path(subject, day)).status == 303
        assert give(port, made.path("DF001", MONDAY + DAY), FULL | {"item_calm": "7"}).status == 303
    return made


def changed(content: bytes, draw: Random) -> bytes:
    """The file with one thing changed: a byte, a line lost, doubled or moved, or the end cut off."""
    lines = content.splitlines(keepends=True)
    kind, at = draw.choice(["byte", "lost", "doubled", "moved", "cut"]), draw.randrange(len(lines))
    if kind == "byte":
        place = draw.randrange(len(content))
        return content[:place] + bytes([content[place] ^ draw.randrange(1, 256)]) + content[place + 1 :]
    if kind == "cut":
        return content[: draw.randrange(1, len(content))] if len(content) > 1 else b""
    if kind == "lost":
        return b"".join(lines[:at] + lines[at + 1 :])
    if kind == "doubled":
        return b"".join([*lines[: at + 1], *lines[at:]])
    other = draw.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


def check_changes(evenings: Evenings, count: int, seed: int) -> int:
    """So many random changes of log, head, table and dictionary, each found and put back; how many were none."""
    data, draw, same = evenings.service.data, Random(seed), 0
    assert verify(data, evenings.service.roster(), evenings.clock.moment) == []
    for _ in range(count):
        path = draw.choice(files(data)[:1] * 3 + files(data))
        before = path.read_bytes()
        after = changed(before, draw)
        path.write_bytes(after)
        found = verify(data, evenings.service.roster(), evenings.clock.moment)
        path.write_bytes(before)
        same += after == before
        assert found or after == before, (path.name, after)
    return same


def test_every_change_is_found(evenings: Evenings) -> None:
    """Random changes of bytes and lines of the log, its head, the table and its dictionary are all found."""
    assert check_changes(evenings, 150, 1) < 30


def test_a_lost_file_is_found(evenings: Evenings) -> None:
    """Without the log, its head, or both, something is found, and nothing is written to the log any more."""
    data = evenings.service.data
    log, head, *_ = files(data)
    for gone in ((log,), (head,), (log, head)):
        kept = {path: path.read_bytes() for path in gone}
        for path in gone:
            path.unlink()
        assert verify(data, evenings.service.roster(), evenings.clock.moment) != []
        if gone != (log, head):
            with pytest.raises(BadInput):
                journal(data).append(lambda _: [entry(utc_now(), Opened("DF001", "2026-11-23", "f"))])
        for path, content in kept.items():
            path.write_bytes(content)
    assert verify(data, evenings.service.roster(), evenings.clock.moment) == []


def test_a_data_set_without_reports_has_nothing_to_verify(tmp_path: Path) -> None:
    """No files, nothing found."""
    assert (files(tmp_path), verify(tmp_path, Snapshot(()), utc_now())) == ((), [])


def write_many(data: Path, name: str) -> None:
    """Twenty lines, by a process of its own."""
    log = journal(data)
    for number in range(20):
        line = entry(utc_now(), Opened("DF001", "2026-11-23", f"{name}{number}"))
        log.append(partial(written, line))


def written(line: LogLine, _: tuple[LogLine, ...]) -> list[LogLine]:
    """The line, whatever is there."""
    return [line]


def test_several_processes_write_one_log(tmp_path: Path) -> None:
    """Four processes at once add twenty lines each: all are there, each process's in its order."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(tmp_path, name)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    forms = [one.event.form for one in journal(tmp_path).entries() if isinstance(one.event, Opened)]
    assert len(forms) == 80
    for name in "abcd":
        assert [form for form in forms if form[0] == name] == [f"{name}{number}" for number in range(20)]


def test_a_torn_last_line_is_no_loss(tmp_path: Path) -> None:
    """What a crash left of a line is left out, and the next line takes its place."""
    log = journal(tmp_path)
    log.append(lambda _: [entry(utc_now(), Opened("DF001", "2026-11-23", "f"))])
    with log.path.open("ab") as file:
        file.write(b'{"previous":"12')
    assert len(log.entries()) == 1
    log.append(lambda _: [entry(utc_now(), Opened("DF001", "2026-11-23", "g"))])
    assert [one.event.form for one in journal(tmp_path).entries() if isinstance(one.event, Opened)] == ["f", "g"]


def test_the_table_has_the_items_as_they_were_asked(evenings: Evenings) -> None:
    """The dictionary says of each item its block, its levels and whether it is reversed."""
    text = table_path(evenings.service.data).with_suffix(".json").read_text(encoding="utf-8")
    assert all(f'"{item.id}"' in text for item in DAILY.items)
    assert text.count('"Reversed": true') == 1
    assert text.count('"Block": "connection"') == 3
    assert '"3": "Moderate"' in text
