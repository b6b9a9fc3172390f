"""Whatever happens to the computer: killed, stopped, without screen or disk, a session keeps what it was given."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from pyvirtualdisplay.display import Display

from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Rated, ScaleScene, Shown, Started, Storage, TrialBegan
from experiment.record.tsv import read_rows
from experiment.session import plan
from experiment.storage.lock import is_written
from experiment.task.scenes import pause_page
from tests.lab import (
    ASSISTANT,
    SUBJECT,
    TASK,
    Lab,
    by_keyboard,
    chord,
    differing,
    finishes,
    is_message,
    is_paused,
    participates,
    pictures_of,
)
from tests.places import ROOT
from tests.scripted_screen import of
from tests.small_disks import resize, small_disk
from tests.trial_tables import read_table, trial_table
from tests.xtest import Hands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiment.record.events import Scene
    from experiment.record.transcript import Transcript
    from tests.lab import Sitting

IMPATIENT = """
from experiment import __main__
from experiment.record import transcript
transcript.CLOSE_S = 0.5
__main__.main()
"""
ROOM_KB = 120_000


def transcript(lab: Lab) -> Path:
    """Where the session's transcript is expected."""
    return DataSet(lab.data).transcript(Visit(SUBJECT, 1), TASK)


def read(lab: Lab) -> Transcript:
    """The session's transcript."""
    return log.read(transcript(lab))


def resumes(lab: Lab) -> Sitting:
    """The session that was cut off goes on; its sitting tells only what is new."""
    before = read(lab)
    who = ("--subject", SUBJECT, "--session", 1, "--operator", "TB", "--resume", "--override", "no screen here")
    sitting = lab.begins("run", *who, *lab.places())
    sitting._file, sitting._offset = transcript(lab), before.size_bytes
    return sitting


def is_cut_off(lab: Lab) -> bool:
    """Whether the session can go on."""
    return plan.read_interrupted(DataSet(lab.data), Visit(SUBJECT, 1)) is not None


def is_question(scene: Scene) -> bool:
    """Whether this is a scale without a marker."""
    return isinstance(scene, ScaleScene) and scene.marker is None


def to_second_question(sitting: Sitting, hands: Hands) -> None:
    """Through the practice and to the second question about the first message, whose first was rated with 3."""
    participates(sitting, by_keyboard(hands), is_message)
    hands.tap("space")
    sitting.shows(is_question)
    hands.tap("3")
    sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker == 3)
    hands.tap("space")
    sitting.shows(is_question)


def test_a_killed_session_goes_on(lab: Lab, hands: Hands) -> None:
    """SIGKILL at any moment of the second message: the next commands say what happened, and it goes on to its end.

    While it runs, it is told to be running. What was rated stays, and the message that came twice is marked.
    """
    lab.messages()
    sitting = lab.runs()
    participates(sitting, by_keyboard(hands), is_message)
    status, said = lab.runs().ends()
    assert (status, "still running" in said) == (2, True)
    hands.tap("space")
    participates(sitting, by_keyboard(hands), is_message)
    time.sleep(Random().uniform(0, 0.3))
    sitting.process.kill()
    sitting.ends()
    status, said = lab.runs().ends()
    assert (status, "1 of 2 messages have been rated" in said, "--resume" in said, "--close" in said) == (
        2,
        *[True] * 3,
    )
    again = resumes(lab)
    started = again.started()
    assert started.resumes is not None
    assert (started.operator, started.resumes.trial, started.resumes.seen) == ("TB", 2, (2,))
    assert 0 < started.resumes.gap_s < 60
    assert finishes(again, by_keyboard(hands, point=5))[0] == 0
    table = read_table(lab.table())
    assert table["connection"].to_list() == table["pleasure"].to_list() == [3, 5]
    assert table["shown_before"].to_list() == [0, 1]
    assert table["message_onset"].is_monotonic_increasing
    visit = read_rows(DataSet(lab.data).sessions(SUBJECT), "session_id")["ses-1"]
    assert visit.items() >= (ASSISTANT | {"status": "completed"}).items()


def test_a_stopped_session_says_so(lab: Lab, hands: Hands) -> None:
    """SIGTERM ends it as interrupted with status 3, its table is saved, and it can go on; closed, it cannot."""
    lab.messages()
    sitting = lab.runs()
    to_second_question(sitting, hands)
    sitting.process.send_signal(signal.SIGTERM)
    status, said = sitting.ends()
    assert (status, sitting.ended()) == (3, Ended("aborted", "interrupted"))
    assert str(lab.table()) in said
    assert read_table(lab.table())["connection"].to_list()[0] == 3
    assert is_cut_off(lab)
    who = ("--subject", SUBJECT, "--session", 1, "--operator", "TB")
    status, said = lab.begins("run", *who, "--close", *lab.places()).ends()
    assert (status, "closed as incomplete" in said) == (0, True)
    assert read(lab).ended == Ended("aborted", "incomplete")
    status, said = lab.begins("run", *who, "--resume", *lab.places()).ends()
    assert (status, "has data already" in said) == (2, True)


INTERRUPTED = """
import signal, sys
from contextlib import suppress
from pathlib import Path
from random import Random
from experiment.record import transcript
from experiment.record.events import TrialBegan
from tests.scripted_screen import session_of, short, started
random, told = Random(1), 0
signal.signal(signal.SIGALRM, signal.default_int_handler)
with transcript.Writer(Path(sys.argv[1])) as writer:
    writer.append(started(session_of(short())))
    for _ in range(500):
        with suppress(KeyboardInterrupt):
            # Once more after a while: an interrupt that comes in a callback of the garbage collection is lost.
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.001), 0.1)
            while True:
                writer.append(TrialBegan(told))
                told += 1
                writer.settle()
        signal.setitimer(signal.ITIMER_REAL, 0)
print(told)
"""


def test_a_signal_leaves_the_chain_whole(tmp_path: Path) -> None:
    """Ctrl+C at any moment of writing: all that is written before and afterwards is read back in order."""
    path = tmp_path / "transcript"
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, path], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    numbers = [event.trial for event in of(TrialBegan, log.read(path, pilot=True).events)]
    assert sorted(set(numbers)) in (list(range(int(done.stdout))), list(range(int(done.stdout) + 1)))
    assert numbers == sorted(numbers)


def test_a_display_that_crashes_takes_nothing_along(lab: Lab) -> None:
    """The X server dies: every rating that was confirmed is in a readable transcript, and the session can go on."""
    with Display(size=(1280, 720), manage_global_env=False, extra_args=["-noreset"]) as server:
        lab.messages()
        there = Lab(str(server.new_display_var), lab.folder, lab.sittings)
        sitting = there.runs()
        with Hands(there.display) as hands:
            to_second_question(sitting, hands)
        os.kill(server.pid, signal.SIGKILL)
        status, said = sitting.ends()
    assert status in (1, -signal.SIGSEGV)  # Xlib ends the program, or crashes in it
    assert "broken" in said
    rated = [event for event in read(lab).events if isinstance(event, Rated)]
    assert [event.value for event in rated] == [3, 3, 3]
    assert not is_written(transcript(lab))
    assert is_cut_off(lab)


@pytest.fixture
def small(lab: Lab) -> Iterator[Lab]:
    """The laboratory with its data on a disk of its own, which somebody fills during the session."""
    with small_disk(lab.data, ROOM_KB):
        yield lab


def fill(folder: Path) -> None:
    """Somebody's film: no room is left."""
    film = os.open(folder / "film", os.O_CREAT | os.O_WRONLY)
    with suppress(OSError):
        while os.write(film, bytes(1 << 20)):
            pass
    os.close(film)


def test_a_full_disk_stops_nobody(small: Lab, hands: Hands) -> None:
    """The session goes on, the pause page warns for as long as it is full, and then all of it is saved."""
    messages = small.messages()
    sitting = small.runs()
    participates(sitting, by_keyboard(hands), is_message)
    fill(small.data)
    rate_blindly(hands)  # one of two
    chord(hands)
    time.sleep(0.5)
    pictures = pictures_of(small, messages, None)
    warning = pause_page(read_protocol(small.protocol), unsaved="full")
    assert differing(small, pictures, warning) == 0
    (small.data / "film").unlink()
    sitting.next(Storage, lambda event: event.saved)
    sitting.shows(is_paused)
    assert differing(small, pictures, pause_page(read_protocol(small.protocol))) == 0
    assert differing(small, pictures, warning) > 1000
    hands.tap("c")
    assert finishes(sitting, by_keyboard(hands))[0] == 0
    events = read(small).events
    assert [event.saved for event in events if isinstance(event, Storage)] == [False, True]
    assert Shown(warning, next(e.onset_s for e in events if isinstance(e, Shown) and is_paused(e.scene))) in events
    assert read_table(small.table())["pleasure"].to_list() == [3, 3]
    assert read_table(small.table()).equals(trial_table(events))


def rate_blindly(hands: Hands) -> None:
    """Go on from the message and rate it, without the transcript to look at."""
    for key in ("space", "3", "space", "3", "space"):
        hands.tap(key)
        time.sleep(0.3)


def test_a_disk_that_stays_full_has_the_session_rescued(
    small: Lab, hands: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Status 4 names a file that holds all of it; copied to its place, it is the session's transcript."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    small.messages()
    sitting = small.runs(script=IMPATIENT)
    participates(sitting, by_keyboard(hands), is_message)
    fill(small.data)
    rate_blindly(hands)
    time.sleep(1.0)  # blank, fixation, and the least time of a message
    rate_blindly(hands)
    time.sleep(0.5)
    hands.tap("space")
    status, said = sitting.ends()
    assert (status, "No space left" in said) == (4, True)
    (rescued,) = home.rglob("*_transcript.jsonl")
    assert f"\n  {rescued}\n" in said
    (small.data / "film").unlink()
    shutil.copy(rescued, transcript(small))
    assert read(small).ended == Ended("completed", None)
    assert trial_table(read(small).events)["pleasure"].to_list() == [3, 3]


def test_a_folder_that_cannot_be_written_is_told_at_once(small: Lab) -> None:
    """A disk that is read only is an equipment failure before anything begins, with what to do."""
    small.messages()
    assert small.begins("run", "--help").ends()[0] == 0
    resize(small.data, ROOM_KB, "ro")
    status, said = small.runs().ends()
    assert (status, f"Cannot save data in {small.data}" in said, "--data" in said) == (4, True, True)
    assert list(small.data.iterdir()) == []


def test_a_deleted_folder_comes_back(lab: Lab, hands: Hands) -> None:
    """The data folder is deleted during the session: at the end log, table and data set are whole all the same."""
    lab.messages()
    sitting = lab.runs()
    to_second_question(sitting, hands)
    shutil.rmtree(lab.data)
    sitting._offset = 0
    sitting._events.clear()
    deadline_s = time.monotonic() + 10
    hands.tap("4")
    while not transcript(lab).exists():
        assert time.monotonic() < deadline_s
    sitting._told = 0
    sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker == 4)
    hands.tap("space")
    assert finishes(sitting, by_keyboard(hands))[0] == 0
    assert isinstance(read(lab).events[0], Started)
    assert read(lab).ended == Ended("completed", None)
    assert read_table(lab.table())["pleasure"].to_list() == [4, 3]
    assert {"dataset_description.json", ".bidsignore", "README.md"} <= {path.name for path in lab.data.iterdir()}


def test_a_session_ended_on_the_welcome_page_is_begun_again(lab: Lab, hands: Hands) -> None:
    """The wrong session was chosen: nothing was seen, so it is begun again with a reason; after a message it is not."""
    lab.messages()
    first = lab.runs()
    first.shows(lambda scene: getattr(scene, "button", None) is not None)
    assert first.leaves(hands)[0] == 3
    status, said = lab.runs().ends()
    assert (status, "has data already" in said) == (2, True), said
    again = lab.runs(more=("--begin-again", "The wrong session was chosen"))
    aside = transcript(lab).parent / "set-aside"
    while not (aside.exists() and any(aside.iterdir())):
        assert again.process.poll() is None, again.ends()
        time.sleep(0.02)
    again._old = set(aside.iterdir())
    participates(again, by_keyboard(hands), is_message)
    assert again.leaves(hands)[0] == 3
    status, said = lab.runs(more=("--begin-again", "Once more, please")).ends()
    assert (status, "because a message was shown" in said) == (2, True), said
    (kept,) = aside.iterdir()
    assert "wrong session" in kept.read_text(encoding="utf-8")
