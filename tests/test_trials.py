"""The trial table: what its numbers mean, and that a file gives back what was written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.record import events as ev
from experiment.record.data_dictionary import data_dictionary
from experiment.record.trial_table import table_text
from experiment.storage.atomic_file import write_whole
from tests import strategies
from tests.strategies import CONNECTION, PROTOCOL, eventful_trial, held, session_of, started
from tests.trial_tables import read_table, trial_table

if TYPE_CHECKING:
    from collections.abc import Sequence


COLUMNS = [
    *("trial", "message_id", "message_sha256", "relationship", "message_words", "message_onset", "reading_time"),
    *("connection", "connection_onset", "connection_rt", "connection_confirm_rt", "connection_changes"),
    *("pleasure", "pleasure_onset", "pleasure_rt", "pleasure_confirm_rt", "pleasure_changes"),
    *(
        "question_order",
        "pauses",
        "focus_losses",
        "paused_time",
        "missed_frames",
        "timed_by",
        "answered_with",
        "shown_before",
    ),
]


def row_of(told: Sequence[ev.Event], trial: int = 1) -> dict[str, Any]:
    """A row of the table, by column; None for missing."""
    row = trial_table(told).iloc[trial - 1]
    return {str(name): None if cell is pd.NA else cell for name, cell in row.items()}


def test_every_number_of_a_trial() -> None:
    """Times count from the first onset without pauses, changes from the first choice, missed frames at the message."""
    session = session_of()
    first = session.trials[0]
    assert row_of([started(session), *eventful_trial(session)]) == {
        "trial": 1,
        "message_id": first.message_id,
        "message_sha256": first.message_sha256,
        "relationship": "friend",
        "message_words": 2,
        "message_onset": 11.0,
        "reading_time": 6.5,
        "connection": 5,
        "connection_onset": 24.0,
        "connection_rt": 1.25,
        "connection_confirm_rt": 4.0,
        "connection_changes": 1,
        "pleasure": None,
        "pleasure_onset": 31.0,
        "pleasure_rt": 0.5,
        "pleasure_confirm_rt": None,
        "pleasure_changes": 0,
        "question_order": "connection,pleasure",
        "pauses": 2,
        "focus_losses": 1,
        "paused_time": 8.0,
        "missed_frames": 3,
        "timed_by": "iohub+poll+queue",
        "answered_with": None,
        "shown_before": 0,
    }


@pytest.mark.parametrize(
    ("habit", "expected"), [("quick", {"keyboard"}), ("mouse", {"mouse"}), ("silent", {"keyboard"})]
)
def test_the_mouse_is_told_from_the_keyboard(habit: str, expected: set[str]) -> None:
    """Synthetic participants of either kind, and one who only goes on from messages."""
    timed = replace(PROTOCOL, timing=replace(PROTOCOL.timing, rating_maximum_s=30.0))
    table = trial_table(held(session_of(timed), habit))
    assert set(table["answered_with"]) == expected


def test_answers_by_hand_and_by_key_in_one_trial_are_both_told() -> None:
    """The message was left with the space bar, the scale was clicked; a stray key is nothing."""
    session = session_of()
    told = [started(session), *eventful_trial(session)]
    press, click = (
        ev.Key("space", down=True, time_s=23.5, timed_by="queue"),
        ev.Click(0, 0, down=True, time_s=25.25, timed_by="queue"),
    )
    stray = ev.Key("a", down=True, time_s=22.0, timed_by="queue")
    assert row_of([*told[:2], stray, press, *told[2:]])["answered_with"] == "keyboard"
    assert row_of([*told[:2], stray, press, click, *told[2:]])["answered_with"] == "keyboard+mouse"
    assert row_of([*told[:2], stray, *told[2:]])["answered_with"] is None


def test_a_trial_that_nobody_answered_was_answered_with_nothing() -> None:
    """The cell is missing, as others are."""
    session = session_of()
    assert row_of([started(session), ev.TrialBegan(1)])["answered_with"] is None


def test_a_message_that_was_never_reached_has_a_row() -> None:
    """The plan stands in it, and everything else is missing."""
    session = session_of()
    row = row_of([started(session), *eventful_trial(session)], trial=6)
    planned = {"trial", "message_id", "message_sha256", "relationship", "message_words", "question_order"}
    assert {name for name, cell in row.items() if cell is not None} == planned


def test_a_process_that_died_leaves_what_was_answered() -> None:
    """A story that stops anywhere keeps every answer before, and its table has all rows and columns."""
    session = session_of()
    told = [started(session), *eventful_trial(session)]
    for length in range(1, len(told) + 1):
        table = trial_table(told[:length])
        assert list(table.columns) == COLUMNS
        assert len(table) == len(session.trials)
        rated = any(isinstance(event, ev.Rated) for event in told[:length])
        assert table["connection"].isna()[0] == (not rated)


def test_a_pause_before_the_message_does_not_shorten_its_reading() -> None:
    """It is counted as a pause of the trial, but the message was not on the screen yet."""
    session = session_of()
    began, fixation, *rest = eventful_trial(session)
    pause: list[ev.Event] = [ev.Paused(10.2, "chord"), ev.Resumed(10.7)]
    row = row_of([started(session), began, fixation, *pause, *rest])
    assert (row["reading_time"], row["pauses"], row["paused_time"]) == (6.5, 3, 8.5)


def test_a_trial_that_began_again_counts_from_its_last_beginning() -> None:
    """Only the last time a trial was begun is in its row."""
    session = session_of()
    row = row_of([started(session), *eventful_trial(session)[:12], *eventful_trial(session)])
    assert (row["connection_changes"], row["pauses"], row["reading_time"]) == (1, 2, 6.5)


def test_a_message_that_its_maximum_time_ended_has_no_reading_time() -> None:
    """Nobody pressed, so there is no time of a press."""
    session = session_of()
    first = ev.MessageScene(session.trials[0].message_id)
    left = ev.Read(first.message_id, None, None)
    told: list[ev.Event] = [ev.TrialBegan(1), ev.Shown(first, 11.0), left, ev.Shown(CONNECTION, 71.0)]
    row = row_of([started(session), *told])
    assert (row["message_onset"], row["reading_time"], row["connection_onset"]) == (11.0, None, 71.0)


def test_pages_and_practice_are_not_in_the_table() -> None:
    """Pauses and answers outside of the messages' trials change nothing."""
    session = session_of()
    outside: list[ev.Event] = [ev.Shown(ev.TextScene("Welcome"), 1.0), ev.Paused(2.0, "chord"), ev.Resumed(3.0)]
    practice: list[ev.Event] = [ev.TrialBegan(0), *eventful_trial(session)[1:-1], ev.TrialEnded(0)]
    trial = eventful_trial(session)
    whole = [started(session), *outside, *practice, *outside, *trial, *outside]
    pd.testing.assert_frame_equal(trial_table(whole), trial_table([started(session), *trial]))


def test_columns_are_those_of_the_dictionary_for_every_ending() -> None:
    """Completed, silent or aborted, whatever the order of asking: the same columns in the listed order."""
    asked_anew = replace(PROTOCOL, rating=replace(PROTOCOL.rating, question_order="trial"))
    for habit in ("steady", "silent", "aborting", "mouse"):
        table = trial_table(held(session_of(asked_anew), habit))
        assert list(table.columns) == COLUMNS
    assert set(table["question_order"]) == {"connection,pleasure", "pleasure,connection"}
    assert [name for name in data_dictionary(session_of(asked_anew)) if name.islower()] == COLUMNS


def test_one_press_answers_where_the_first_is_final() -> None:
    """The first choice and the confirmation are then the same press."""
    at_once = replace(PROTOCOL, rating=replace(PROTOCOL.rating, first_press_is_final=True))
    table = trial_table(held(session_of(at_once), "changing"))
    assert table["pleasure_rt"].notna().all()
    pd.testing.assert_series_equal(table["pleasure_rt"], table["pleasure_confirm_rt"], check_names=False)


def test_the_dictionary_tells_units_and_levels() -> None:
    """Times are in seconds, and the ends of a scale carry its labels."""
    columns = data_dictionary(session_of())
    assert {name for name in COLUMNS if columns[name].get("Units") == "s"} == {
        name for name in COLUMNS if name.endswith(("_onset", "_rt", "_time"))
    }
    question = PROTOCOL.rating.questions[0]
    levels = columns[question.id]["Levels"]
    assert list(levels) == ["1", "2", "3", "4", "5", "6", "7"]
    assert (levels["1"], levels["7"]) == (question.low, question.high)
    assert all(columns[name]["Description"] for name in COLUMNS)


def test_a_table_of_something_else_is_refused() -> None:
    """Events without their start are no session."""
    with pytest.raises(BadInput, match="begin with the start of a session"):
        trial_table([ev.TrialBegan(1)])


@given(strategies.held_sessions)
def test_a_table_is_read_back_equal(told: list[ev.Event]) -> None:
    """Values, types, missing cells and all, by our reader; every text by a plain one."""
    table = trial_table(told)
    session = told[0].session if isinstance(told[0], ev.Started) else None
    assert session is not None
    with TemporaryDirectory() as folder:
        path = Path(folder, "table.tsv")
        write_whole(path, table_text(told))
        pd.testing.assert_frame_equal(read_table(path), table)
        plain = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    assert plain["message_id"].tolist() == [trial.message_id for trial in session.trials]
    assert plain["relationship"].tolist() == [trial.relationship for trial in session.trials]
