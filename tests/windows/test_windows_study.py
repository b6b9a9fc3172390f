"""A study under Windows' Python on the Windows bench: passphrases, the lock, unblinding, daily reports."""

from __future__ import annotations

import os
import shutil
import unicodedata
from typing import TYPE_CHECKING

import pytest

from experiment.reports.log import Sent
from experiment.reports.service import Service
from experiment.reports.table import table_path
from experiment.study import recording
from experiment.study.seals import read_key, write_keys
from tests.daily_reports import DAILY, PROTOCOL, begin, free_port, give, tonight, wait_for_port, withdraw
from tests.registers import DAY, MONDAY
from tests.test_reports_end_to_end import SUBJECT, hold_session
from tests.windows.bench import MAIN, Bench, ends

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daily_reports import Evenings

pytestmark = pytest.mark.windows
PHRASE = "sieben grüne Schäfchen"


def test_a_passphrase_through_a_pipe_is_the_same_on_both_systems(tmp_path: Path) -> None:
    """A key made there opens here; in the encoding of another program of Windows, which is not UTF-8, it is refused."""
    bench, key = Bench(), tmp_path / "holder.key"
    status, _, told = bench.dayfour("study", "key", "--out", key, typed=f"{PHRASE}\n")
    assert status == 0, told
    assert read_key(key, PHRASE)
    for encoding in ("cp1252", "cp850"):
        process = bench.start(*bench.command(MAIN, "study", "key", "--out", tmp_path / encoding))
        assert process.stdin
        os.write(process.stdin.fileno(), f"{PHRASE}\n".encode(encoding))
        status, _, told = ends(process)
        assert (status, "not in UTF-8" in told) == (2, True), told
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["holder.key", "holder.key.public.txt"]


def course_of_one(folder: Path, keys: tuple[str, str]) -> Evenings:
    """A study of one participant, who left after the first session."""
    made = begin(folder, keys=keys)
    for day in range(1, 4):
        made.at(MONDAY + day * DAY, "08:00")
        made.service.register.act(
            "RA", lambda told: recording.record_dose(told, SUBJECT, None, made.service.register.now(), taken=True)
        )
    made.at(MONDAY + 3 * DAY, "14:00")
    hold_session(made, 1)
    withdraw(made)
    return made


def test_a_study_is_locked_and_unblinded(tmp_path: Path) -> None:
    """Locked there, it opens on both systems with the passphrase, in either way to write an umlaut, to the same table.

    What is changed after the lock is found there.
    """
    data, bench = tmp_path / "data", Bench()
    unblinder, pharmacy = (write_keys(tmp_path / f"{name}.key", PHRASE) for name in ("unblinder", "pharmacy"))
    course_of_one(data, (unblinder, pharmacy))
    status, _, told = bench.dayfour("study", "lock", "--operator", "PI", "--data", data, "--pilot")
    assert status == 0, told
    changed = tmp_path / "changed"
    shutil.copytree(data, changed)
    transcript = next(changed.rglob("*_transcript.jsonl"))
    transcript.write_bytes(transcript.read_bytes().replace(b"steady", b"stable"))
    key = ("--operator", "PI", "--key", tmp_path / "unblinder.key")
    given = ("study", "unblind", *key, "--data")
    status, _, told = bench.dayfour(*given, changed, "--out", tmp_path / "none.tsv", typed=f"{PHRASE}\n")
    assert (status, transcript.name in told, (tmp_path / "none.tsv").exists()) == (2, True, False), told
    table, typed = tmp_path / "treatments.tsv", unicodedata.normalize("NFD", PHRASE)
    status, _, told = bench.dayfour(*given, data, "--out", table, typed=f"{typed}\n")
    assert status == 0, told
    treatments = [line.split("\t")[-1] for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    assert sorted(treatments) == ["naltrexone", "placebo"]
    status, packed, told = bench.dayfour(
        "study", "packing", "--key", tmp_path / "pharmacy.key", "--data", data, typed=f"{PHRASE}\n"
    )
    assert (status, all(one in packed for one in treatments)) == (0, True), told


def test_daily_reports_are_served_and_imported(tmp_path: Path) -> None:
    """A report sent to the pages that are served there is kept, a table of a survey program is imported beside it."""
    study, day = tonight()
    made, bench, port = begin(tmp_path, 2, study, monday=day), Bench(), free_port()
    where = ("--data", tmp_path, "--protocol", PROTOCOL)
    server = bench.start(*bench.command(MAIN, "reports", "serve", *where, "--port", port))
    try:
        wait_for_port(server, port)
        assert give(port, made.path("DF001", day)).status == 303
    finally:
        server.kill()
        server.communicate()
    header = ";".join(["participant_id", "submitted", *(item.id for item in DAILY.items)])
    sent = tmp_path / "Fragebögen.csv"
    sent.write_bytes(f"{header}\r\nDF002;{day} 20:30;1;2;3;4;5;6;1\r\n".encode("utf-16"))
    status, out, told = bench.dayfour("reports", "import", sent, *where, "--zone", study.clock.zone)
    assert (status, "1 reports imported" in out) == (0, True), told
    assert [one.event.subject for one in made.entries if isinstance(one.event, Sent)] == ["DF001"]
    there = table_path(tmp_path).read_bytes()
    Service(tmp_path, DAILY, made.service.register).update_table()
    assert there == table_path(tmp_path).read_bytes()
    assert there.count(b"\tin_time\t") == 2
