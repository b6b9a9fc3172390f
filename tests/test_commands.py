"""The commands as a person types them: what they say, their exit status, and what lies on disk afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.cli.commands import COMMANDS, Group
from experiment.design.message import read_messages
from experiment.design.visit import Visit
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, ScaleScene, TextScene
from tests.lab import TASK, Eyes, Lab, by_keyboard, finishes, is_message, participates, short_protocol
from tests.places import EXAMPLES
from tests.test_keyboard import HUMBLE
from tests.trial_tables import read_table

if TYPE_CHECKING:
    from tests.xtest import Hands

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")
FAILING = """
from experiment.__main__ import main
from experiment.record.events import MessageScene
from experiment.screens.window import Window
show, begun = Window.show, set()

def failing(window, scene):
    begun.update({scene.message_id} if isinstance(scene, MessageScene) else ())
    if len(begun) == 3:  # the practice and the first message are through
        raise RuntimeError("secret text")
    return show(window, scene)

Window.show = failing
main()
"""


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(lab: Lab, *arguments: object, **options: Any) -> tuple[int, str]:
    """A command that ends by itself: exit status and what it said."""
    return lab.begins(*arguments, **options).ends()


def test_pilots_and_sessions_fill_one_valid_data_set(lab: Lab, tmp_path: Path, hands: Hands) -> None:
    """After a robot's pilot, an aborted and a completed session the validator finds no error and no file a message.

    The session cannot be repeated: a second run is refused and leaves every byte as it was. The robot needs no display.
    """
    messages = lab.messages()
    nowhere = Lab(None, tmp_path)
    lab.sittings.append(pilot := nowhere.pilots("--robot", messages=messages))
    aborted = lab.runs()
    participates(aborted, by_keyboard(hands), is_message)
    assert aborted.leaves(hands)[0] == 3
    status, said = finishes(lab.runs(session=2, anyway="she came back"), by_keyboard(hands))
    assert status == 0
    assert str(lab.table(session=2)) in said
    status, said = pilot.ends()
    assert status == 0
    assert "virtual" in said
    assert "The robot is at message 2 of 2." in said
    assert read_table(DataSet(lab.data).pilot.table(Visit("pilot001", 1), TASK))["timed_by"].to_list() == [
        "robot",
        "robot",
    ]

    before = files(lab.data)
    status, said = lab.runs().ends()
    assert (status, files(lab.data)) == (2, before)
    assert "sub-DF1 ses-1 has data already" in said
    assert_nothing_private(before, *private(messages))
    report = subprocess.run([VALIDATOR, "--json", lab.data], capture_output=True, text=True, check=False)
    issues = json.loads(report.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


def private(messages: Path) -> list[str]:
    """What no file may hold of a message set: texts and writers."""
    return [part for one in read_messages(messages) for part in (one.writer, one.text)]


def assert_nothing_private(found: dict[str, bytes], *texts: str) -> None:
    """No line of these texts, nor part of a line between full stops, is in any file, in any spelling of JSON."""
    parts = {part.strip() for text in texts for line in text.splitlines() for part in line.split(". ")}
    spellings = {spelt for part in parts if len(part) > 2 for spelt in (part, json.dumps(part)[1:-1])}
    assert len(spellings) > 10
    assert [(name, part) for name, content in found.items() for part in spellings if part.encode() in content] == []


def test_a_session_needs_a_display(lab: Lab, tmp_path: Path) -> None:
    """Without a display a real session is refused as an equipment failure, with what to do, and nothing is written."""
    lab.messages()
    status, said = Lab(None, tmp_path).runs().ends()
    assert status == 4
    assert "Start it from the desktop" in said
    assert not lab.data.exists()


def test_the_form_asks_for_what_is_missing(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """A run without a subject shows the form; typed in, the answers start the session and stand in its files."""
    lab.messages(subject="df7")
    given = ("--session", 1, "--operator", "TA", "--answer", "symptoms=none")
    sitting = lab.begins("run", *given, "--override", "no screen here", *lab.places())
    eyes.waits_for_focus()
    for key in ("d", "f", "7", "tab", "tab", "tab", "0", "8", "3", "0", "return"):
        hands.tap(key, 0.005)
    started = sitting.started()
    assert (started.session.subject, started.session.session, started.operator) == ("df7", 1, "TA")
    sitting.shows(lambda scene: isinstance(scene, TextScene) and scene.button is not None)
    assert sitting.interrupts()[0] == 3
    header, row = (line.split("\t") for line in DataSet(lab.data).sessions("df7").read_text().splitlines())
    answers = dict(zip(header, row, strict=True))
    expected = {"session_id": "ses-1", "operator": "TA", "last_dose": "08:30", "symptoms": "none", "notes": "n/a"}
    assert expected.items() <= (answers | {"status": "aborted"}).items()


def test_a_form_ends_when_it_is_told_to(lab: Lab, eyes: Eyes) -> None:
    """Being told to stop ends the program while the assistant fills in the form."""
    lab.messages()
    sitting = lab.begins("run", *lab.places())
    eyes.waits_for_focus()
    sitting.process.terminate()
    assert sitting.process.wait(10) == -signal.SIGTERM


def test_wrong_input_is_told_before_anything_opens(lab: Lab) -> None:
    """ID, session, answers, messages and protocol are checked first: status 2, in words, and no session is begun."""
    messages = lab.messages()
    wrong = short_protocol(lab.folder / "wrong.toml", {"points = 7 ": 'points = "7" '})
    unknown = short_protocol(lab.folder / "unknown.toml", {"blank_s = ": "blanc_s = "})
    short = lab.messages(("english", 0), subject="DF2")
    odd = lab.folder / "participants" / "sub-DF3.csv"
    odd.write_text(messages.read_text(encoding="utf-8").replace(",friend,", ",", 1), encoding="utf-8")
    cases = [
        (lab.runs("a/../b"), ["'a/../b'", "letters and digits"]),
        (lab.runs(session=3), ["session", "from 1 to 2", "you gave 3"]),
        (lab.runs("DF9"), ["sub-DF9.csv", "No such file"]),
        (lab.runs("DF2"), ["asks for 2 messages", "sub-DF2 has 1"]),
        (lab.runs("DF3"), [str(odd), "message 2", "has more or fewer cells"]),
        (lab.begins("run", *lab.places(), "--answer", "dose=1"), ["no question 'dose'", "last_dose"]),
        (
            lab.begins("pilot", "--protocol", wrong, "--data", lab.data),
            [str(wrong), '[rating]: points = "7"', 'a whole number from 2 to 11, or "line"'],
        ),
        (lab.begins("pilot", "--protocol", unknown, "--data", lab.data), [str(unknown), "'blanc_s'", "'blank_s'"]),
        (lab.pilots("--robot", "--participant", "nobody"), ["--participant", "steady", "'nobody'"]),
    ]
    for sitting, expected in cases:
        status, said = sitting.ends()
        assert status == 2, said
        assert [part for part in expected if part not in said] == [], said
        assert "Traceback" not in said
        assert_nothing_private({"what it said": said.encode()}, *private(messages), *private(short))
    assert not list(lab.data.rglob("*_transcript.jsonl"))
    assert not list(lab.data.rglob("sub-*"))


def test_a_data_folder_that_cannot_be_used_is_told(lab: Lab) -> None:
    """A file in the folder's place, or a folder that others own, is an equipment failure with what to do."""
    lab.messages()
    lab.data.write_text("a file")
    assert_refused(lab.runs().ends(), lab.data)
    lab.data.unlink()
    lab.data.mkdir(mode=0o555)
    if os.geteuid() == 0 and shutil.which("setpriv"):
        lab.folder.chmod(0o755)
        nobody = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
        assert_refused(lab.runs(prefix=nobody).ends(), lab.data)


def assert_refused(ended: tuple[int, str], data: Path) -> None:
    """The words and the status of a folder that cannot be used."""
    status, said = ended
    assert status == 4, said
    assert f"Cannot save data in {data}" in said
    assert "Choose another --data." in said


def test_an_unexpected_failure_is_told_without_its_words(lab: Lab, hands: Hands) -> None:
    """Kind and place are told, never an error's own text; what was rated is saved, and the session has failed."""
    lab.messages()
    sitting = lab.runs(script=FAILING)
    participates(sitting, by_keyboard(hands), is_message)
    hands.tap("space")
    for _ in range(2):
        sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker is None)
        hands.tap("3")
        sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker == 3)
        hands.tap("space")
    status, said = sitting.ends()
    assert (status, sitting.ended()) == (4, Ended("failed", "RuntimeError"))
    assert "RuntimeError at <string>:" in said
    assert "secret" not in said
    assert "Traceback" not in said
    assert read_table(lab.table())["pleasure"].to_list() == [3, pd.NA]


def test_a_user_without_real_time_rights_is_heard_by_iohub(lab: Lab, hands: Hands) -> None:
    """A real session where the queue would crash takes ioHub, says so in its first line, and hears every press."""
    lab.messages()
    sitting = lab.runs(prefix=HUMBLE)
    assert sitting.started().screen.timed_by == "iohub"
    participates(sitting, by_keyboard(hands), is_message)
    assert sitting.leaves(hands)[0] == 3


def test_simulated_data_sets_repeat_and_tables_print(lab: Lab) -> None:
    """The same seed gives the same files; `table` prints a session's table, a simulated one's only with --pilot."""
    places = [lab.folder / name for name in ("one", "other")]
    english = ("--messages", EXAMPLES / "english.csv")
    both = [lab.begins("simulate", "--subjects", 3, "--seed", 1, "--out", place, *english) for place in places]
    assert [sitting.ends()[0] for sitting in both] == [0, 0]
    assert files(places[0]) == files(places[1])
    assert len(list(places[0].rglob("*_beh.tsv"))) == 6

    transcript = DataSet(places[0]).transcript(Visit("sim00001", 1), TASK)
    table = DataSet(places[0]).table(Visit("sim00001", 1), TASK)
    printed = lab.begins("table", transcript, "--pilot")
    refused = lab.begins("table", transcript)
    out, _ = printed.process.communicate()
    assert (printed.process.returncode, out) == (0, table.read_text())
    status, said = refused.ends()
    assert status == 2
    assert "--pilot" in said


def test_help_lists_the_commands(lab: Lab) -> None:
    """--help and -h name every command, each in a whole sentence."""
    status, said = told(lab, "--help")
    assert status == 0
    assert [name for name in COMMANDS.commands if f"\n  {name} " not in said] == []
    assert "..." not in said.partition("Commands:")[2]
    assert told(lab, "-h") == (0, said)


@pytest.mark.parametrize("name", COMMANDS.commands)
def test_every_command_is_there(name: str) -> None:
    """Each command's function is where the list says, also within groups, and each explains itself."""
    shown = CliRunner().invoke(app, [name, "--help"])
    assert (shown.exit_code, "--help" in shown.output) == (0, True)
    group = COMMANDS.commands[name]
    for one in group.commands if isinstance(group, Group) else ():
        assert CliRunner().invoke(app, [name, one, "--help"]).exit_code == 0
