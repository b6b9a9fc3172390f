"""The desk, a session from it, the closing questions and the presses' timing, under Windows' Python on the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Key
from experiment.record.tsv import read_rows
from experiment.timing.observations import Observation, read_log
from tests import assistant, test_start
from tests import lab as lab_module
from tests.assistant import Desk
from tests.lab import SUBJECT, managed, short_protocol
from tests.test_desk_problems import stops_a_check
from tests.test_funnel import answers, takes_over, to_the_end
from tests.test_start import sees_problem, types
from tests.windows.bench import LIMIT_S, WindowsLab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab import Eyes
    from tests.xtest import Hands

pytestmark = pytest.mark.windows
NEAR_S = 0.09  # a busy computer; presses of one script are further apart


@pytest.fixture
def windows_lab(small_display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowsLab]:
    """A laboratory on the bench, where a window manager gives windows the keyboard, as on Windows."""
    for module in (lab_module, assistant, test_start):
        monkeypatch.setattr(module, "LIMIT_S", LIMIT_S)
    with managed(small_display, "openbox"), WindowsLab(small_display, tmp_path) as lab:
        yield lab


def test_a_session_from_the_desk(windows_lab: WindowsLab, hands: Hands, eyes: Eyes) -> None:
    """An ID opens the form, a reason starts a session on an unfit computer, and after its end the desk is back."""
    windows_lab.messages()
    with Desk(windows_lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        types(hands, "ta<tab>0830<tab>no<tab><return>")
        sees_problem(windows_lab)
        desk.waits_for("Day Four")
        types(hands, "<tab><tab>too few<return>")
        assert desk.sitting.started().override == "too few"
        to_the_end(desk.sitting, hands)
        takes_over(hands, eyes)
        desk.waits_for("Day Four: the desk")
    assert desk.sitting.ended().status == "completed"
    assert windows_lab.table().is_file()


def test_a_command_is_stopped(windows_lab: WindowsLab, hands: Hands) -> None:
    """Stop ends a command that has no window."""
    stops_a_check(windows_lab, hands)


def test_the_closing_questions(windows_lab: WindowsLab, hands: Hands, eyes: Eyes) -> None:
    """After the last session they are answered by keyboard, and the assistant's chord ends the closing page."""
    windows_lab.messages()
    short_protocol(windows_lab.protocol, funnel=True)
    last = windows_lab.runs(session=2, anyway="session 1 was elsewhere")
    to_the_end(last, hands)
    answers(hands, eyes)
    takes_over(hands, eyes)
    status, said = last.ends()
    assert status == 0, said
    row = read_rows(DataSet(windows_lab.data).funnel, "participant_id")[f"sub-{SUBJECT}"]
    assert (row["purpose"], row["told"], row["drug_course"]) == ("love", "no", "the second")


def test_presses_are_timed(windows_lab: WindowsLab) -> None:
    """`timing --presses-only` presses digits through SendInput, and each one is logged once, when it was pressed."""
    out = windows_lab.folder / "timing"
    status, said = windows_lab.begins("timing", "--presses-only", "--trials", 8, "--out", out).ends()
    assert status in {0, 1}, said  # a busy computer may be found wanting
    watch = msgspec.json.decode((out / "watch.json").read_bytes(), type=Observation)
    pressed = [one for glow in watch.glows for one in glow.presses if one.key.isdigit()]
    events = log.read(next(out.rglob("*_transcript.jsonl")), pilot=True).events
    zero_s = read_log(events).zero_count_s
    assert zero_s
    heard = [event for event in events if isinstance(event, Key) and event.down]
    for one in pressed:
        near = [key for key in heard if key.key == one.key and abs(key.time_s + zero_s - one.down.latest_s) < NEAR_S]
        assert len(near) == 1, one
    assert len(pressed) > 8
