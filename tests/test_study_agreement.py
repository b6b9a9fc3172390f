"""Register and data held against each other: of an earlier version, of shared registers, and by the commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.cli.simulate import SIMULATED_PASSPHRASE
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.study import queries, setup, unblinding
from experiment.study.agreement import check_nothing_is_there, disagreements
from experiment.study.location import FOLDER, join, register_in
from experiment.study.register import Register
from experiment.study.sessions import record_end, update_participants_tsv
from tests.places import ROOT
from tests.registers import DAY, MONDAY, PUBLIC_KEYS, STUDY, noon, one_in_course, run_session

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORDED = Path(__file__).parent / "recorded" / "study"
VISIT = Visit("DF001", 1)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A study with its data as an earlier version recorded them."""
    return Path(shutil.copytree(RECORDED, tmp_path / "old"))


def kinds(data: Path, *, is_shared: bool = False) -> list[tuple[str, bool]]:
    """What register and data tell differently, and whether a person has to look."""
    found = disagreements(register_in(data).read(), DataSet(data), is_shared=is_shared)
    return [(one.kind, one.needs_person) for one in found]


def test_what_an_earlier_version_cannot_prove_is_said_once(old: Path) -> None:
    """Its eleven sessions agree in day and end; that their logs have no digests is one note for all of them."""
    assert kinds(old) == [("unproven", False)]
    (found,) = disagreements(register_in(old).read(), DataSet(old))
    assert found.text.startswith("11 of 12 sessions were recorded by an earlier version")


def test_what_an_earlier_version_can_prove_is_compared(old: Path) -> None:
    """A day, an end and a log that is gone are found in its records too."""
    shutil.rmtree(old / "sourcedata" / "sub-sim00001")
    assert kinds(old).count(("lost_data", True)) == 2


def test_a_study_of_an_earlier_version_is_locked_and_unblinded(old: Path, tmp_path: Path) -> None:
    """Its keys, its register and its data go on being used."""
    from experiment.study.seals import read_key

    register = register_in(old)
    unblinding.lock(register, old, "PI", tuple)
    key = read_key(register.folder / "unblinder.key", SIMULATED_PASSPHRASE)
    assert unblinding.unblind_all(register, old, key, "PI", "end", tmp_path / "treatments.tsv") == 6


def test_study_verify_repeats_every_session(old: Path) -> None:
    """It draws each order again and compares each line, as `qa` and `replay --verify` do, beside register and data."""
    done = CliRunner().invoke(app, ["study", "verify", "--data", str(old)])
    assert done.exit_code == 0, done.output
    assert "11 of 11 sessions passed the check." in done.stdout
    one, two = DataSet(old).transcripts_of_all()[:2]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    done = CliRunner().invoke(app, ["study", "verify", "--data", str(old)])
    assert done.exit_code == 1
    assert "9 of 11 sessions passed the check." in done.stdout


def test_a_register_that_is_gone_is_noticed(old: Path) -> None:
    """Who deletes the whole folder is told by qa, is let into no session, and starts no new study by mistake."""
    update_participants_tsv(DataSet(old), register_in(old).read())  # as every act does since
    shutil.rmtree(old / FOLDER)
    (found,) = queries.findings_of(None, old)
    assert (found.kind, "6 enrolled participants, such as sub-sim00001" in found.text) == ("no_register", True)
    for meant in (True, False):
        with pytest.raises(BadInput, match="Restore the folder `study`"):
            check_nothing_is_there(DataSet(old), is_meant=meant)
    refused = CliRunner().invoke(app, ["run", "--close", "--subject", "X1", "--session", "1", "--data", str(old)])
    assert "no study register" in str(refused.exception)
    (old / "participants.tsv").unlink()
    assert queries.findings_of(None, old) == ()
    with pytest.raises(BadInput, match=r"11 recorded sessions.*--with-sessions"):
        check_nothing_is_there(DataSet(old), is_meant=False)
    check_nothing_is_there(DataSet(old), is_meant=True)


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Path, Path]:
    """Two data sets of one register; the session of DF001 was held at the first."""
    folder, one, two = tmp_path / "share", tmp_path / "one", tmp_path / "two"
    one_in_course(folder, VISIT.subject)
    for data in (one, two):
        join(data, folder)
        DataSet(data).prepare()
    thursday = noon(MONDAY + 3 * DAY)
    path = run_session(DataSet(one), VISIT, thursday)
    record_end(Register(folder, lambda: thursday), DataSet(one), path, "RA")
    return one, two


def test_a_session_of_another_computer_is_no_loss_until_the_lock(shared: tuple[Path, Path]) -> None:
    """Where a register is shared, other data sets' sessions are a note; at the lock all data must be together."""
    one, two = shared
    assert kinds(one, is_shared=True) == []
    assert kinds(two, is_shared=True) == [("lost_data", False)]
    told = register_in(two).read()
    assert [found.kind for found in queries.open_disagreements(told, two)] == ["lost_data"]
    shutil.copytree(one / "sourcedata", two / "sourcedata")
    assert kinds(two) == []


def test_nobody_is_enrolled_by_a_register_that_forgot_somebody(shared: tuple[Path, Path]) -> None:
    """A data set that knows of a participant keeps a rolled-back register from giving their kits again."""
    from experiment.study.agreement import check_nobody_is_lost

    one, _ = shared
    check_nobody_is_lost(register_in(one).read(), DataSet(one))
    fresh = Register(one.parent / "fresh")
    setup.set_up(fresh, STUDY, *PUBLIC_KEYS, "PI")
    with pytest.raises(BadInput, match="lists sub-DF001 as enrolled, but they are not in the register"):
        check_nobody_is_lost(fresh.read(), DataSet(one))


def command(*arguments: object, typed: str = "") -> tuple[int, str]:
    """A command as a person gives it; its exit status and all it says."""
    whole = [sys.executable, "-m", "experiment", *map(str, arguments)]
    done = subprocess.run(whole, cwd=ROOT, input=typed, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def anchor_in(said: str) -> str:
    """The anchor that a command shows."""
    (anchor,) = set(re.findall(r"\b(?:[2-9A-Z]{4}-){3}[2-9A-Z]{4}\b", said))
    return str(anchor)


def test_an_anchor_goes_from_the_status_to_verification(old: Path) -> None:
    """The status shows it with both keys; `study verify` and `replay --verify` say whether records lead to it."""
    status, said = command("study", "status", "--data", old)
    anchor = anchor_in(said)
    begun = register_in(old).begun()
    assert (status, begun.unblinder in said, begun.pharmacy in said) == (0, True, True)
    expected: Sequence[tuple[int, str, tuple[object, ...]]] = [
        (0, "The anchor fits the register up to entry", ("study", "verify", "--data", old, "--anchor", anchor.lower())),
        (0, "The anchor fits", ("replay", old, "--verify", "--pilot", "--anchor", anchor)),
        (2, "not a valid anchor", ("study", "verify", "--data", old, "--anchor", anchor[:-1])),
        (1, "No record leads to this anchor", ("study", "verify", "--data", old, "--anchor", "2222-2222-2222-2222")),
    ]
    for status, words, arguments in expected:
        assert (status, True) == ((done := command(*arguments))[0], words in done[1]), done
    shutil.rmtree(old / "sourcedata" / "sub-sim00001")
    status, said = command("study", "verify", "--data", old)
    assert (status, "2 problems found" in said) == (1, True), said
    assert "2 problems found" in command("study", "status", "--data", old)[1]


def test_a_copy_of_a_log_is_verified_where_it_lies(old: Path, tmp_path: Path) -> None:
    """Outside of a data set there are no tables, and the anchor of the log itself still leads to its line."""
    from experiment.storage.anchor import anchor_of
    from experiment.storage.hash_chain import line_digests

    copy = tmp_path / "copy.jsonl"
    shutil.copy(next(old.rglob("*_transcript.jsonl")), copy)
    anchor = anchor_of(line_digests(copy.read_bytes())[-1])
    status, said = command("replay", copy, "--verify", "--pilot", "--anchor", anchor)
    assert (status, "The anchor fits copy.jsonl up to line" in said, "An unexpected" in said) == (1, True, False), said


def test_keys_are_shown_in_the_history_and_tried(old: Path) -> None:
    """Whose keys a study has stands in its history; each opens its own file, and trying one records nothing."""
    before = (old / "study" / "register.jsonl").read_bytes()
    begun = register_in(old).begun()
    said = command("study", "history", "--data", old)[1].replace("\n", "")
    assert re.sub(r"\s+", "", begun.unblinder) in re.sub(r"\s+", "", said)
    for name, opens in (("unblinder", "allocation.age"), ("pharmacy", "packing.age")):
        key = old / "study" / f"{name}.key"
        status, said = command("study", "key", "--try", key, "--data", old, typed=f"{SIMULATED_PASSPHRASE}\n")
        assert (status, f"This key opens {opens}" in said) == (0, True), said
    assert (old / "study" / "register.jsonl").read_bytes() == before


def test_a_clock_is_confirmed_by_a_command(tmp_path: Path) -> None:
    """After a clock that was days ahead, an act is refused with the command that helps, which is recorded."""
    from datetime import timedelta

    from experiment.study.register import utc_now

    ahead = utc_now() + timedelta(days=3)
    register = Register(tmp_path / "study", lambda: ahead)
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    enrol = ("study", "enrol", "--subject", "DF1", "--stratum", "north", "--operator", "RA", "--data", tmp_path)
    status, said = command(*enrol)
    assert (status, "study clock" in said) == (2, True), said
    reason = ("--reason", "this laptop was three days ahead", "--operator", "RA", "--data", tmp_path)
    assert command("study", "clock", *reason)[0] == 0
    status, said = command(*enrol)
    assert status == 0, said
    assert "RA confirmed that the clock is right" in command("study", "verify", "--data", tmp_path)[1]
