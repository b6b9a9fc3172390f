"""The timed task: a schedule drawn beforehand, held to the frame from a scanner's pulse on, and BIDS events from it."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.protocol import read_protocol
from experiment.design.session import draw_session
from experiment.errors import BadInput
from experiment.qa.findings import session_findings
from experiment.qa.report import build_report
from experiment.qa.session_summary import summarise
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import (
    Ended,
    Event,
    Key,
    MessageScene,
    Paused,
    Pulse,
    Rated,
    ScaleScene,
    Shown,
    Started,
    TextScene,
    TrialEnded,
)
from experiment.record.events_of_tasks import RunBegan, RunEnded
from experiment.record.remake import remake
from experiment.record.resume import resume_point
from experiment.record.session_files import run_dictionary
from experiment.record.trial_table import trial_rows
from experiment.replay.verify import verify
from experiment.screens.personas import HABITS, Persona
from experiment.screens.simulated_screen import REFRESH_HZ, SimulatedScreen, simulated_info
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.task import procedure
from experiment.task.layout import Layout
from tests.strategies import held
from tests.test_bids import faults
from tests.test_protocol_files import refused, written

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol
    from experiment.design.scan import Scan
    from experiment.design.scanner import Pulses
    from experiment.design.session import SessionPlan
    from experiment.record.events import Input, Scene

PROTOCOL = read_protocol(Path("scan"))
SCAN = cast("Scan", PROTOCOL.scan)
TICK_S = 3 / REFRESH_HZ  # times that are multiples of it are whole numbers of refreshes


def messages_of(protocol: Protocol) -> list[Message]:
    """As many invented messages of each source as a session needs."""
    assert protocol.scan
    sources = protocol.scan.sources
    return [
        Message(f"m{number}", "Ada", "friend", "en", f"Text {number}", source=sources[number % len(sources)])
        for number in range(protocol.messages)
    ]


def session_of(protocol: Protocol = PROTOCOL, *, session: int = 1, seed: int = 1) -> SessionPlan:
    """A session of these messages."""
    return draw_session(protocol, messages_of(protocol), subject="S01", session=session, seed=seed)


def with_scan(messages: int | None = None, **changes: Any) -> Protocol:
    """The example protocol with another schedule."""
    scan = replace(SCAN, **changes)
    return replace(PROTOCOL, scan=scan, messages=messages or scan.multiple)


def ticks(draw: Random, least: int, most: int) -> float:
    """A time that is a whole number of refreshes."""
    return round(draw.randint(least, most) * TICK_S, 3)


def random_design(draw: Random) -> Protocol:
    """Any schedule whose times are whole numbers of refreshes."""
    sources = draw.sample(["close", "stranger", "neutral"], draw.randint(1, 3))
    scan = replace(
        SCAN, runs=draw.randint(1, 3), sources=tuple(sources), block_messages=draw.randint(1, 4),
        first_pulse=draw.randint(1, 6), message_s=ticks(draw, 20, 200), rest_s=ticks(draw, 10, 300),
        interval_s=(0.5, 0.5), rating_s=ticks(draw, 20, 80),
    )  # fmt: skip
    pulses = replace(cast("Pulses", PROTOCOL.pulses), tr_s=ticks(draw, 10, 60), volumes=None)
    return replace(PROTOCOL, scan=scan, pulses=pulses, messages=scan.multiple * draw.randint(1, 2))


def begun(session: SessionPlan) -> Started:
    """The first event of a simulated session."""
    started = held(session, "steady")[0]
    assert isinstance(started, Started)
    return started


def onset_errors_s(told: list[Event], session: SessionPlan) -> list[float]:
    """How much later than planned each message came."""
    slots = {trial.message_id: trial.slot for trial in session.trials}
    zero_s, errors_s = 0.0, list[float]()
    for event in told:
        if isinstance(event, RunBegan):
            zero_s = event.time_s
        elif isinstance(event, Shown) and isinstance(event.scene, MessageScene):
            slot = slots[event.scene.message_id]
            assert slot
            errors_s.append(event.onset_s - zero_s - slot.onset_s)
    return errors_s


def saved(folder: Path, protocol: Protocol = PROTOCOL, habit: str = "steady", session: int = 1) -> tuple[DataSet, Path]:
    """A simulated session with all its files."""
    data = DataSet(folder)
    data.prepare()
    plan = plan_session(
        "simulate", protocol, messages_of(protocol), data, subject="S01", session=session, seed=1, operator="RA",
        participant=habit,
    )  # fmt: skip
    run_simulated(plan)
    return data, plan.transcript


# The schedule


@pytest.mark.parametrize("seed", range(40))
def test_every_onset_is_the_one_that_was_planned(seed: int) -> None:
    """On the virtual clock, whatever the design: to the refresh, with nothing added up."""
    session = session_of(random_design(Random(seed)), seed=seed)
    told = held(session, "steady")
    errors_s = onset_errors_s(told, session)
    assert len(errors_s) == len(session.trials)
    assert max(map(abs, errors_s)) < 1e-6
    assert isinstance(told[-1], Ended)
    assert told[-1].status == "completed"


def test_times_between_refreshes_come_with_the_nearest_one() -> None:
    """The example's intervals are no whole numbers of refreshes: no onset is off by more than half of one."""
    session = session_of()
    errors_s = onset_errors_s(held(session, "steady"), session)
    assert max(map(abs, errors_s)) <= 0.5 / REFRESH_HZ + 0.0005  # schedules are kept to the millisecond


@pytest.mark.parametrize("sources", [("close", "stranger"), ("close", "stranger", "neutral")])
def test_sources_are_balanced_over_places_and_sessions(sources: tuple[str, ...]) -> None:
    """Each run has as many blocks of each; over as many runs as sources each begins once; the next session differs."""
    protocol = with_scan(sources=sources, runs=len(sources), messages=len(sources) ** 2 * 2 * 2)
    first, second = (session_of(protocol, session=number) for number in (1, 2))
    for session in (first, second):
        blocks = {trial.slot.block: (trial.slot.run, trial.source) for trial in session.trials if trial.slot}
        by_run = [[source for run, source in blocks.values() if run == number] for number in range(1, len(sources) + 1)]
        assert all(set(Counter(run).values()) == {len(run) // len(sources)} for run in by_run)
        assert {run[0] for run in by_run} == {run[-1] for run in by_run} == set(sources)
    orders = [[trial.source for trial in session.trials] for session in (first, second)]
    assert orders[0] != orders[1]


def test_intervals_are_spread_evenly_and_all_runs_last_equally_long() -> None:
    """Each run has the same intervals, from the shortest to the longest, each session in an order of its own."""
    drawn = []
    for number in (1, 2):
        session = session_of(session=number)
        for run in (1, 2):
            slots = [trial.slot for trial in session.trials if trial.slot and trial.slot.run == run]
            ends_s = [SCAN.rest_s, *(
                one.onset_s + SCAN.message_s + (SCAN.after_block_s(1) if one.block != after.block else 0.0)
                for one, after in pairwise(slots)
            )]  # fmt: skip
            intervals_s = [slot.onset_s - end_s for slot, end_s in zip(slots, ends_s, strict=True)]
            assert sorted(intervals_s) == pytest.approx(SCAN.intervals_s(12), abs=0.0011)
            assert slots[-1].onset_s + SCAN.message_s + SCAN.after_block_s(1) == pytest.approx(SCAN.run_s(12, 1))
            drawn.append(intervals_s)
    assert len({tuple(round(one, 2) for one in intervals) for intervals in drawn}) == 4


def test_questions_follow_each_block_and_none_if_there_is_no_time_for_them() -> None:
    """They are asked after the last message of a block."""
    assert [bool(trial.questions) for trial in session_of().trials] == [False, True] * 12
    without = replace(PROTOCOL, scan=replace(SCAN, rating_s=UNSET))
    assert not any(trial.questions for trial in session_of(without).trials)


def test_messages_of_other_sources_than_the_protocol_names_are_refused() -> None:
    """With how many there are of each."""
    messages = [replace(one, source="close") for one in messages_of(PROTOCOL)]
    with pytest.raises(BadInput, match=r"needs 8 close and 8 stranger and 8 neutral messages .* there are 24 close, 0"):
        draw_session(PROTOCOL, messages, subject="S01", session=1, seed=1)


# A run


class _LateScreen(SimulatedScreen):
    """Each frame may come up to 30 refreshes late."""

    def show(self, scene: Scene) -> float:
        self._passed += Random(self._passed).choice([0, 0, 0, 30])
        return super().show(scene)


def test_late_frames_shift_nothing_that_follows() -> None:
    """However many came late, one that comes in time comes at its planned time."""
    session, told = session_of(), list[Event]()
    info = simulated_info()
    person = Persona(session, Layout(info.width_px, info.height_px), HABITS["steady"], "1")
    procedure.run(begun(session), _LateScreen(person, info), told.append)
    errors_s = onset_errors_s(told, session)
    late = [error_s for error_s in errors_s if error_s > 0.02]
    assert len(late) > 2
    assert max(abs(error_s) for error_s in errors_s if error_s not in late) <= 0.5 / REFRESH_HZ + 0.0005
    assert max(late) < 31 / REFRESH_HZ


def test_a_run_starts_with_the_pulse_that_the_protocol_says() -> None:
    """Counted from when the assistant was ready: pulses before do not count."""
    told = held(session_of(), "steady")
    for at, event in enumerate(told):
        if isinstance(event, RunBegan):
            waiting = max(n for n in range(at) if isinstance(told[n], Shown) and "begins in a moment" in str(told[n]))
            pulses = [one for one in told[waiting:at] if isinstance(one, Pulse)]
            assert len(pulses) == SCAN.first_pulse
            assert pulses[-1].time_s == event.time_s
    assert any(isinstance(event, Pulse) for event in told[:20])  # before anybody was ready


class _Scripted:
    """A synthetic participant who also does what a script says at a scene."""

    def __init__(self, session: SessionPlan, script: dict[str, list[Input]]) -> None:
        info = simulated_info()
        self._persona = Persona(session, Layout(info.width_px, info.height_px), HABITS["silent"], "1")
        self._script = script

    def see(self, scene: Scene, onset_s: float) -> None:
        shows = scene.message_id if isinstance(scene, MessageScene) else type(scene).__name__
        if isinstance(scene, TextScene) and scene.text.startswith("Paused"):
            given: list[Input] = [press("c", 3.0)]
        else:
            self._persona.see(scene, onset_s)
            given = self._script.pop(shows, [])
        for one in given:
            self._persona._plan(replace(one, time_s=onset_s + one.time_s))

    def due(self, until_s: float) -> Input | None:
        return self._persona.due(until_s)


def scripted(session: SessionPlan, script: dict[str, list[Input]]) -> list[Event]:
    """The events of a session in which this is done, each once, after the onset of a scene."""
    told, info = list[Event](), simulated_info()
    procedure.run(begun(session), SimulatedScreen(_Scripted(session, script), info), told.append)  # type: ignore[arg-type]
    return told


def press(key: str, time_s: float) -> Key:
    """A key goes down."""
    return Key(key, down=True, time_s=time_s, timed_by="robot")


def test_the_last_button_in_time_is_the_answer() -> None:
    """Other keys mean nothing; the scale stays for its time; a press after it answers nothing."""
    script: dict[str, list[Input]] = {
        "ScaleScene": [press("2", 1.0), press("7", 1.2), press("4", 2.0), press("1", 4.5)]
    }
    told = scripted(session_of(), script)
    first, second = [event for event in told if isinstance(event, Rated)][:2]
    assert (first.value, second.value) == (4, None)
    shown = [event for event in told if isinstance(event, Shown) and isinstance(event.scene, ScaleScene)]
    assert [event.scene.marker for event in shown[:4]] == [None, 2, 4, None]  # type: ignore[union-attr]
    row = next(row for row in trial_rows(told) if row["connection"])
    assert (row["connection_rt"], row["connection_confirm_rt"], row["connection_changes"]) == (1.0, 2.0, 1)


def test_a_pause_ends_the_run_and_the_next_one_begins() -> None:
    """What was left of the run never comes; the pause page comes at once; nothing of the pause is time of the next."""
    session = session_of()
    fifth = session.trials[4].message_id
    chord: list[Input] = [press("lctrl", 1.0), press("lshift", 1.0), press("p", 1.1)]
    told = scripted(session, {fifth: chord})
    ended = [(event.run, event.whole) for event in told if isinstance(event, RunEnded)]
    assert ended == [(1, False), (2, True)]
    seen = {event.trial for event in told if isinstance(event, TrialEnded)}
    assert seen == {1, 2, 3, 4, *range(13, 25)}
    assert sum(isinstance(event, Paused) for event in told) == 1
    rows = trial_rows(told)
    assert rows[4]["shown_time"] == pytest.approx(1.1, abs=0.05)
    assert rows[5]["message_onset"] is None
    errors_s = onset_errors_s(told, session)
    assert max(map(abs, errors_s)) <= 0.5 / REFRESH_HZ + 0.0005
    assert isinstance(told[-1], Ended)
    assert told[-1].status == "completed"
    found = session_findings(summarise(Path("sub-S01_ses-1_task-x_transcript.jsonl"), told), PROTOCOL.qa)
    assert {"run_ended", "paused"} <= {one.kind for one in found}
    assert "stray" not in {one.kind for one in found}


# The files


def test_quality_assurance_has_nothing_to_say_of_a_whole_session() -> None:
    """Neither of messages without a question nor of the pulses that come in time."""
    summary = summarise(Path("sub-S01_ses-1_task-x_transcript.jsonl"), held(session_of(), "steady"))
    assert (summary.rated, len(summary.asked), len(summary.trials)) == (12, 12, 24)
    assert [one.text for one in session_findings(summary, PROTOCOL.qa) if one.needs_person] == []


def test_each_row_of_the_page_has_a_cell_for_each_column(tmp_path: Path) -> None:
    """Messages without a question too; the details say how many pulses came in each run."""
    saved(tmp_path)
    page = build_report(tmp_path, pilot=True).page.read_text(encoding="utf-8")
    [details] = [part for part in page.split("<table>") if part.startswith("<tr><th>Message")]
    header, *rows = details.split("</table>")[0].split("<tr>")[1:]
    spans = [sum(int(span or 1) for span in re.findall(r'<td(?: colspan="(\d+)")?', row)) for row in rows]
    assert spans == [header.count("<th")] * 24
    assert re.search(r"<dt>Pulses<dd>\d+, in run 1 (\d+) of \1, in run 2 (\d+) of \2<dt>", page)


def test_a_session_verifies_and_its_run_tables_follow_from_the_log(tmp_path: Path) -> None:
    """Each change of an events table or its dictionary is found, a lost one is made again."""
    data, transcript = saved(tmp_path)
    assert verify(transcript, pilot=True).findings == ()
    tables = sorted((tmp_path / "sub-S01/ses-1/func").iterdir())
    named = [path.name.split("_", 3)[3] for path in tables]
    assert named == [f"run-{run}_events.{end}" for run in (1, 2) for end in ("json", "tsv")]
    for path in tables:
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"close", b"other", 1))
        assert verify(transcript, pilot=True).findings
        path.unlink()
        assert verify(transcript, pilot=True).findings
        assert [one for one in remake(data) if not one.failed]
        assert path.read_bytes() == whole
    assert verify(transcript, pilot=True).findings == ()


def test_events_count_from_the_first_pulse_kept(tmp_path: Path) -> None:
    """In order, without overlap, each message with its source, each question with its answer."""
    _, transcript = saved(tmp_path)
    started = log.read(transcript, pilot=True).started
    for run in (1, 2):
        path = tmp_path / f"sub-S01/ses-1/func/sub-S01_ses-1_task-lovedonesscan_run-{run}_events.tsv"
        table = pd.read_csv(path, sep="\t", na_values="n/a")
        planned = [trial for trial in started.session.trials if trial.slot and trial.slot.run == run]
        messages = table[table["trial_type"] != "rating"]
        assert list(messages["trial_type"]) == [trial.source for trial in planned]
        assert list(messages["onset"]) == pytest.approx([one.slot.onset_s for one in planned if one.slot], abs=0.01)
        assert all(messages["duration"].between(7.99, 8.01))
        assert (table["onset"].diff().iloc[1:] >= table["duration"].iloc[:-1].to_numpy() - 1e-6).all()
        ratings = table[table["trial_type"] == "rating"]
        assert len(ratings) == 6
        assert ratings["rating"].between(1, 4).all()


def test_a_run_s_dictionary_names_the_scales_of_its_questions() -> None:
    """From where to where each goes, as the question itself may have it."""
    first, other = PROTOCOL.rating.questions[0], replace(PROTOCOL.rating.questions[0], id="warm", first=0)
    several = replace(PROTOCOL, rating=replace(PROTOCOL.rating, questions=(first, other)))
    for protocol, extent in ((PROTOCOL, "from 1 to 4"), (several, "from 1 to 4 or from 0 to 3")):
        entry = run_dictionary(session_of(protocol))["rating"]
        assert entry["Description"] == f"The answer, {extent}; n/a if there was none in time."


def test_an_interrupted_session_goes_on_with_the_next_run(tmp_path: Path) -> None:
    """A run that had begun is over, as after a pause; one for which the scanner had not begun yet comes."""
    _, path = saved(tmp_path)
    events = list(log.read(path, pilot=True).events)
    begins = [at for at, event in enumerate(events) if isinstance(event, RunBegan)]
    whole = log.read(path, pilot=True)

    def first_trial(end: int) -> int:
        return resume_point(replace(whole, events=tuple(events[:end])), "2000-01-01T10:00:00+00:00").trial

    assert [first_trial(at) for at in begins] == [1, 13]
    assert [first_trial(at + 1) for at in begins] == [13, 25]
    data = DataSet(tmp_path / "again")
    data.prepare()
    plan = plan_session(
        "simulate", PROTOCOL, messages_of(PROTOCOL), data, subject="S01", session=1, seed=1, operator="RA",
        participant="steady",
    )  # fmt: skip
    with log.Writer(plan.transcript) as cut:
        for event in events[: begins[0] + 100]:
            cut.append(event)
    resumed = plan_session(
        "simulate", PROTOCOL, messages_of(PROTOCOL), data, subject="S01", session=1, seed=1, operator="RA",
        participant="steady", resume=True,
    )  # fmt: skip
    assert run_simulated(resumed).status == "completed"
    assert verify(plan.transcript, pilot=True).findings == ()
    runs = [event.run for event in log.read(plan.transcript, pilot=True).events if isinstance(event, RunBegan)]
    assert runs == [1, 2]


def test_self_paced_sessions_name_sources_only_where_not_all_are_close() -> None:
    """A message without a source is from somebody close; the table has the column once there is another one."""
    lab = read_protocol(Path("en"))
    close = [Message(f"m{n}", "Ada", "friend", "en", f"Text {n}", source="" if n else "close") for n in range(6)]
    mixed = [*close[:-1], replace(close[-1], source="stranger")]
    plain, other = (draw_session(lab, several, subject="S01", session=1, seed=1) for several in (close, mixed))
    assert not plain.has_sources
    assert Counter(trial.source for trial in other.trials) == {"close": 5, "stranger": 1}
    assert {row["source"] for row in trial_rows(held(other, "steady"))} == {"close", "stranger"}
    assert "source" not in trial_rows(held(plain, "steady"))[0]


def test_a_split_shares_out_the_messages_of_each_source() -> None:
    """Each session has its half of each; what cannot be halved is refused."""
    protocol = replace(with_scan(runs=1), message_sets="split")
    assert protocol.scan
    twice = [Message(f"m{n}", "Ada", "friend", "en", f"Text {n}", source=SCAN.sources[n % 3]) for n in range(12)]
    for session in (1, 2):
        drawn = draw_session(protocol, twice, subject="S01", session=session, seed=1)
        assert Counter(trial.source for trial in drawn.trials) == dict.fromkeys(SCAN.sources, 2)
    uneven = [replace(twice[0], source="stranger"), *twice[1:]]
    with pytest.raises(BadInput, match="Messages of each source must divide"):
        draw_session(protocol, uneven, subject="S01", session=1, seed=1)


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("messages = 23", "need 12 messages or a multiple of that, but 'messages' is 23"),
        ("[scan]\nbuttons = ['1', '2']", "the scales have 4 points. Please give as many 'buttons'"),
        ("[scan]\nbuttons = ['c', '2', '3', '4']", "button 'c' is also in"),
        ("[scan]\ninterval_s = [2.0, 1.0]", "write the shorter time first"),
        ("[scan]\nready = '{seconds}'", "'ready'"),
        ("without = ['pulses']", "needs a section [pulses]"),
        ("[scan]\nbuttons = ['5', '2', '3', '4']", "key = '5' is also a button"),
        ("[pulses]\nvolumes = 50", "volumes = 50 are too few. A run needs 110"),
        ("[scan]\nsources = ['close', 'foe']", "sources"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(line: str, mistake: str, tmp_path: Path) -> None:
    """With what is wrong, before anything opens."""
    assert mistake in refused(written(tmp_path / "ours.toml", f'extend = "scan"\n{line}\n'))


def test_the_validator_finds_no_error_in_either_task(tmp_path: Path) -> None:
    """A scan with the events of its runs, beside a session with objects."""
    data, _ = saved(tmp_path)
    plan = plan_session(
        "simulate", read_protocol(Path("objects")), [], data, subject="S02", session=1, seed=1, operator="RA",
        participant="steady",
    )  # fmt: skip
    run_simulated(plan)
    data.list_participants()
    assert faults(tmp_path)["error"] == []
