"""What goes where: results to standard output, all else to standard error, a passphrase asked for until it is right."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.design.message import messages_csv, read_messages
from experiment.messages.store import Folder

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals belong to POSIX")

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "stimuli" / "examples" / "english.csv"
PASSPHRASE = "four plain words here"  # noqa: S105 - of an invented folder


def dayfour(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command, its standard output and error read by another program; there is no display."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    command = [sys.executable, "-m", "experiment", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated study of three."""
    folder = tmp_path_factory.mktemp("study") / "data"
    made = dayfour("simulate", "--subjects", 3, "--out", folder, "--study", ROOT / "stimuli" / "study.toml")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A participants' folder with one file, in which one message is there twice."""
    folder = tmp_path_factory.mktemp("participants")
    shown = read_messages(EXAMPLE)
    (folder / "sub-DF1.csv").write_bytes(messages_csv(shown[:5]))
    return folder


@pytest.fixture
def commands(study: Path, messages: Path) -> dict[str, tuple[list[object], str, str]]:
    """Each command that prints a result, with a word of it and the first column of its table."""
    return {
        "status": (["study", "status", "--data", study], "3 participants", "subject"),
        "history": (["study", "history", "--data", study], "The study began", "entry"),
        "qa": (["qa", study, "--pilot"], "sessions need attention", "participant_id"),
        "messages check": (["messages", "check", "--messages", messages], "5 messages of 1 participant", "severity"),
        "table": (["table", study, "--pilot"], "reading_time", "participant_id"),
        "check": (["check", "--no-press", "--data", study], "NOT FIT", "name"),
    }


NAMES = ("status", "history", "qa", "messages check", "table", "check")


@pytest.mark.parametrize("name", NAMES)
def test_results_go_to_standard_output(name: str, commands: dict[str, tuple[list[object], str, str]]) -> None:
    """What a command was asked for can be saved, searched and paged, in whole lines; nothing else is among it."""
    arguments, word, _ = commands[name]
    done = dayfour(*arguments)
    assert word in done.stdout
    assert word not in done.stderr
    assert "\x1b" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("name", NAMES[:-1])
def test_results_can_be_read_by_programs(name: str, commands: dict[str, tuple[list[object], str, str]]) -> None:
    """With --json or --tsv standard output is that and nothing else, with the same rows in both."""
    arguments, _, first = commands[name]
    as_json, as_tsv = (CliRunner().invoke(app, [*map(str, arguments), form]) for form in ("--json", "--tsv"))
    listed = json.loads(as_json.stdout)
    rows = list(csv.DictReader(as_tsv.stdout.splitlines(), delimiter="\t"))
    assert len(listed) == len(rows) > 0
    assert next(iter(rows[0])) == first
    assert [list(row) for row in listed] == [list(row) for row in rows]
    assert as_json.exit_code == as_tsv.exit_code


@pytest.mark.parametrize("form", [(), ("--json",), ("--tsv",)])
def test_who_reads_no_further_changes_no_status(
    form: tuple[str, ...], commands: dict[str, tuple[list[object], str, str]]
) -> None:
    """As `| head` does: the command says nothing of it, and ends as it would have."""
    command = [sys.executable, "-m", "experiment", *map(str, commands[NAMES[0]][0]), *form]
    whole = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (whole.returncode, whole.stderr)


@pytest.mark.parametrize("name", ["status", "qa", "table"])
def test_a_disk_without_room_for_a_result_is_named(
    name: str, commands: dict[str, tuple[list[object], str, str]]
) -> None:
    """Status 4 and why, in words alone, however long the result is."""
    command = [sys.executable, "-I", "-m", "experiment", *map(str, commands[name][0])]  # as the launcher starts it
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    assert (done.returncode, b"No space left on device" in done.stderr) == (4, True)
    assert b"Exception ignored" not in done.stderr


def test_quality_assurance_says_why(study: Path, tmp_path: Path) -> None:
    """A session that needs attention is named with the reason, and nothing promises a list that is empty."""
    copy = Path(shutil.copytree(study, tmp_path / "data"))
    min(copy.rglob("*_beh.tsv")).write_text("nothing", encoding="utf-8")
    said = dayfour("qa", copy, "--pilot").stdout
    assert " need attention" in said
    assert "\n- sub-sim" in said
    assert "changed: " in said
    assert "attention:" not in said


def test_pilots_are_asked_for(study: Path, tmp_path: Path) -> None:
    """A folder of pilots or simulations is named as such by each command, above an empty screen; an empty one too."""
    for command in (["replay", study, "--verify"], ["qa", study], ["table", study]):
        done = dayfour(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"All sessions in {study} are pilots or simulations. Add --pilot to include them.\n"
    empty = dayfour("table", tmp_path, "--remake")
    assert (empty.returncode, "There are no sessions in" in empty.stderr) == (2, True)


def test_a_folder_without_messages_is_not_called_right(tmp_path: Path) -> None:
    """Nothing is counted where nothing is there, and the status is 1."""
    done = dayfour("messages", "check", "--messages", tmp_path)
    assert (done.returncode, done.stdout, "There are no messages to check" in done.stderr) == (1, "", True)


def test_an_error_goes_to_standard_error(tmp_path: Path) -> None:
    """A refusal leaves standard output empty."""
    done = dayfour("study", "status", "--data", tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


@pytest.fixture
def encrypted(tmp_path: Path) -> Path:
    """An encrypted participants' folder."""
    folder = tmp_path / "participants"
    folder.mkdir()
    (folder / "sub-DF1.csv").write_bytes(messages_csv(read_messages(EXAMPLE)))
    Folder(folder).encrypt(PASSPHRASE)
    return folder


@pytest.mark.parametrize(
    ("typed", "status", "asked"),
    [([PASSPHRASE], 0, 1), (["wrong", PASSPHRASE], 0, 2), (["wrong", "", PASSPHRASE], 0, 3), (["a", "b", "c"], 2, 3)],
)
def test_a_passphrase_is_asked_for_three_times(encrypted: Path, typed: list[str], status: int, asked: int) -> None:
    """At a terminal a wrong passphrase is asked for again, so that the next try is not typed into the shell."""
    ended, shown = at_terminal(["messages", "decrypt", "--messages", str(encrypted)], typed)
    assert (ended, shown.count("Passphrase of the messages: ")) == (status, asked)
    assert shown.count("Wrong passphrase") == asked - (status == 0)
    assert PASSPHRASE not in shown


def at_terminal(arguments: Sequence[str], typed: Sequence[str]) -> tuple[int, str]:
    """Exit status and screen of a command at a terminal of its own, at which a line is typed for each question."""
    import pty

    process_id, terminal = pty.fork()
    if process_id == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "experiment", *arguments])  # noqa: S606 - our own program
    shown, waiting = "", list(typed)
    while True:
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:  # it has ended
            break
        if shown.endswith(": ") and waiting:
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]), shown


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_a_passphrase_comes_through_a_pipe_in_utf8(messages: Path, tmp_path: Path, mark: bytes) -> None:
    """In whatever language the system is, with the mark of Windows' programs or without; other bytes are refused."""
    (tmp_path / "sub-DF1.csv").write_bytes((messages / "sub-DF1.csv").read_bytes())
    command = [sys.executable, "-m", "experiment", "messages", "encrypt", "--messages", str(tmp_path)]
    in_latin1 = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    for given, status in (("grüne Schäfchen".encode("cp1252"), 2), (mark + "grüne Schäfchen".encode(), 0)):
        done = subprocess.run(command, cwd=ROOT, env=in_latin1, input=given, capture_output=True, check=False)
        assert done.returncode == status, done.stderr
        assert (b"not in UTF-8" in done.stderr) == bool(status)
    assert len(Folder(tmp_path).unlocked("grüne Schäfchen").read("DF1")) == 5
