"""The object task: which object when, what the assistant types, how long it is held, and what participants see."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.design.protocol import read_protocol
from experiment.design.session import draw_session
from experiment.errors import BadInput
from experiment.qa.findings import session_findings
from experiment.qa.session_summary import summarise
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, Rated, Shown, Started, TextScene, TrialBegan
from experiment.record.events_of_tasks import Handed, Measured, TakenBack
from experiment.record.resume import resume_point
from experiment.record.trial_table import trial_rows
from experiment.replay.verify import verify
from experiment.screens.personas import HABITS
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.task import procedure, scenes
from experiment.task.objects import typed_after
from tests.scripted_screen import obliging, screen, tap
from tests.strategies import held
from tests.test_protocol_files import refused, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiment.design.objects import Objects
    from experiment.design.session import SessionPlan
    from experiment.record.events import Input, Scene

PROTOCOL = read_protocol(Path("objects"))
OBJECTS = cast("Objects", PROTOCOL.objects)
NAMES = [one.name for one in OBJECTS.things]


def session_of(session: int = 1, seed: int = 1) -> SessionPlan:
    """A session of the example."""
    return draw_session(PROTOCOL, [], subject="S01", session=session, seed=seed)


def order(session: SessionPlan) -> list[str]:
    """The objects in the order of holding."""
    return [one.object for one in session.holdings or ()]


def with_typed(*keys: str) -> list[Event]:
    """The events of a session in which the assistant types this on the first page that asks for a number."""
    left, last = [keys], [""]

    def script(scene: Scene) -> Iterable[Input]:
        before = last.pop()
        last.append(scene.text if isinstance(scene, TextScene) else "")
        if isinstance(scene, TextScene) and scene.typed == "" and scene.text != before:
            typed = left.pop() if left else ("2", "0", "return")
            return [one for place, name in enumerate(typed) for one in tap(name, 0.5 * (place + 1))]
        if isinstance(scene, TextScene) and scene in scenes.pages_for_assistant(PROTOCOL):
            return tap("c", 2.0)
        return obliging(scene)

    told = list[Event]()
    start = held(session_of(), "steady")[0]
    assert isinstance(start, Started)
    procedure.run(start, screen(script), told.append)
    return told


def saved(folder: Path, *, resume: bool = False) -> Path:
    """A simulated session with all its files; its transcript."""
    data = DataSet(folder)
    data.prepare()
    plan = plan_session(
        "simulate", PROTOCOL, [], data, subject="S01", session=1, seed=1, operator="RA", participant="steady",
        resume=resume,
    )  # fmt: skip
    assert run_simulated(plan).status == "completed"
    return plan.transcript


@pytest.mark.parametrize("seed", range(20))
def test_each_object_comes_once_in_each_place(seed: int) -> None:
    """Three repeats of three objects are a Latin square, without one twice in a row, and another one in session 2."""
    first, second = order(session_of(1, seed)), order(session_of(2, seed))
    assert first != second
    for drawn in (first, second):
        rows = [drawn[at : at + 3] for at in (0, 3, 6)]
        assert all(len(set(row)) == 3 for row in (*rows, *zip(*rows, strict=True)))
        assert all(one != after for one, after in pairwise(drawn))


def test_what_participants_read_names_no_object() -> None:
    """Only pages for the assistant do, and they say that they are."""
    for page in scenes.pages(PROTOCOL):
        if any(name in page.text for name in NAMES):
            assert page.text.startswith("FOR THE ASSISTANT\nThe participant must not see this page.")
    assert not any(name in question.text for question in PROTOCOL.rating.questions for name in NAMES)


def test_an_object_is_held_from_the_assistants_key_on() -> None:
    """For the protocol's time; then the page comes that asks for it back."""
    told = held(session_of(), "steady")
    handed = [event for event in told if isinstance(event, Handed)]
    back = scenes.assistant_page(PROTOCOL, OBJECTS.take_back)
    asked_s = [event.onset_s for event in told if isinstance(event, Shown) and event.scene == back]
    assert [event.object for event in handed] == order(session_of())
    times_s = [asked - event.time_s for asked, event in zip(asked_s, handed, strict=True)]
    assert times_s == pytest.approx([OBJECTS.hold_s] * 9, abs=0.01)
    assert len([event for event in told if isinstance(event, TakenBack)]) == 9
    assert len([event for event in told if isinstance(event, Rated)]) == 18
    rows = trial_rows(told)
    assert Counter(row["object"] for row in rows) == {"warm": 3, "neutral": 3, "cold": 3}
    assert all(cast("float", row["held_time"]) > OBJECTS.hold_s for row in rows)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("3", "6", "period", "4", "return"), 36.4),
        (("3", "6", "comma", "5", "num_enter"), 36.5),
        (("3", "num_decimal", "num_decimal", "2", "5", "return"), 3.25),
        (("4", "5", "backspace", "1", "return"), 41.0),
        (("9", "9", "return", "2", "1", "return"), 21.0),  # 99 is not allowed, and goes
        (("return", "a", "5", "return"), 5.0),
        (("period", "return", "5", "return"), 5.0),
    ],
)
def test_a_number_is_typed_as_on_paper(keys: tuple[str, ...], value: float) -> None:
    """With a point or a comma, corrected with the backspace key; only what the measure allows is recorded."""
    told = with_typed(*keys)
    first = next(event for event in told if isinstance(event, Measured))
    assert (first.measure, first.value) == ("object_temperature", value)
    assert trial_rows(told)[0]["object_temperature"] == value


def test_no_number_is_longer_than_its_field() -> None:
    """What is typed beyond it is not there."""
    typed = ""
    for key in "1234567":
        typed = typed_after(typed, key)
    assert typed == "12345"


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_every_synthetic_participant_comes_to_an_end(habit: str) -> None:
    """Completed, or ended by the assistant for one who leaves or never answers."""
    ended = held(session_of(), habit)[-1]
    assert isinstance(ended, Ended)
    assert ended.status == ("aborted" if habit in {"silent", "aborting"} else "completed")


def test_an_interrupted_session_goes_on_with_the_object_that_is_not_rated(tmp_path: Path) -> None:
    """It is handed over again, and the table says so; the session verifies with all its files."""
    events = list(log.read(saved(tmp_path / "whole"), pilot=True).events)
    third = next(at for at, event in enumerate(events) if event == TrialBegan(3))
    rated = next(at for at, event in enumerate(events) if at > third and isinstance(event, Rated))
    data = DataSet(tmp_path / "cut")
    data.prepare()
    started = events[0]
    assert isinstance(started, Started)
    path = data.transcript(started.session.visit, PROTOCOL.task)
    with log.Writer(path) as cut:
        for event in events[: rated + 1]:
            cut.append(event)
    point = resume_point(log.read(path, pilot=True), "2000-01-01T10:00:00+00:00")
    assert (point.trial, point.seen) == (3, (3,))
    assert saved(tmp_path / "cut", resume=True) == path
    assert verify(path, pilot=True).findings == ()
    rows = trial_rows(log.read(path, pilot=True).events)
    assert [row["shown_before"] for row in rows] == [0, 0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("messages = 6", "Please write messages = 0"),
        ("[objects]\nhand_over = 'Give the {thing}'", "'hand_over'"),
        ("[[objects.measures]]\nid = 'connection'\nwhen = 'before'\ntext = 'T'\nminimum = 0\nmaximum = 9", "a measure"),
        ("[[objects.measures]]\nid = 't'\nwhen = 'before'\ntext = 'T'\nminimum = 9\nmaximum = 0", "above 'maximum'"),
        ("[[objects.measures]]\nid = 't'\nwhen = 'before'\ntext = 'T'\nminimum = -9\nmaximum = 0", "only digits"),
    ],
)
def test_a_task_that_cannot_be_is_refused(line: str, mistake: str, tmp_path: Path) -> None:
    """With what is wrong, before anything opens."""
    assert mistake in refused(written(tmp_path / "ours.toml", f'extend = "objects"\n{line}\n'))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("check --no-press --subject S01 --session 1 --data {folder}", "the task shows none"),
        ("messages check", "The task of this protocol shows no messages."),
        ("messages preview --subject S01", "The task of this protocol shows no messages."),
        ("simulate --subjects 1 --out {folder}", "2 sessions"),
    ],
)
def test_no_command_asks_for_messages(command: str, said: str, tmp_path: Path) -> None:
    """That their folder is not there is nobody's business where the task shows none."""
    nowhere = ("--protocol", "objects", "--messages", str(tmp_path / "nowhere"))
    done = CliRunner().invoke(app, [*command.format(folder=tmp_path).split(), *nowhere])
    assert said in f"{done.output}{done.exception}"


def test_two_tasks_in_one_protocol_and_none_without_messages_are_refused(tmp_path: Path) -> None:
    """Each is a protocol of its own."""
    path = tmp_path / "ours.toml"
    path.write_text('extend = "en"\nmessages = 0\n', encoding="utf-8")
    with pytest.raises(BadInput, match="'messages' must be at least 1"):
        read_protocol(path)


def test_quality_assurance_has_nothing_to_say_of_a_whole_session() -> None:
    """Objects and questions are as planned; what was held stands where messages do."""
    summary = summarise(Path("sub-S01_ses-1_task-x_transcript.jsonl"), held(session_of(), "steady"))
    assert [one.message_id for one in summary.trials] == order(session_of())
    assert (summary.rated, summary.things) == (9, "objects")
    assert [one.text for one in session_findings(summary, PROTOCOL.qa) if one.needs_person] == []
