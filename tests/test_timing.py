"""The timing self-test: known errors are found again, what was not measured is not claimed, and a real run adds up."""

from __future__ import annotations

import csv
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from statistics import median, stdev

import msgspec
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.cli import timing
from experiment.cli.options import PROTOCOL
from experiment.design.protocol import read_protocol
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.events import BlankScene, Key, MessageScene, Read, Refreshes, Shown, Started, TrialBegan
from experiment.record.screen_info import ScreenInfo
from experiment.timing.align import by_pattern, by_time
from experiment.timing.capture import BBTK_LINES, read_capture
from experiment.timing.device import device_errors, lacks_outside_view
from experiment.timing.errors import UNMARKED_S, watched_errors
from experiment.timing.observations import Glow, Log, LoggedTrial, Observation, OutsidePress, Span, read_log
from experiment.timing.presser import draw_schedules
from experiment.timing.report import TimingReport, build_report, render, write
from experiment.timing.session import TimingSession, timing_messages, timing_protocol

POLL_S = 0.0001
ZERO_S = 5000.0
COUNT = 40
OUTSIDE = {"onset": 0.0004, "response": 0.0002, "jitter": 0.0001}

on_x11 = pytest.mark.skipif(sys.platform != "linux", reason="only X11 lets another program look and press")
offsets = st.floats(-0.02, 0.02, allow_nan=False)
jitters = st.floats(0.0, 0.001, allow_nan=False)
seeds = st.integers(0, 10**6)


@dataclass(frozen=True)
class Truth:
    """What a session logged, what an onlooker saw of it, and the jitter of each trial's onset in seconds."""

    log: Log
    watch: Observation
    jitters_s: list[float]


def truth(
    seed: int = 1, onset_s: float = 0.0, press_s: float = 0.0, jitter_s: float = 0.0, count: int = COUNT
) -> Truth:
    """Trials whose logged onsets are `onset_s` (and some jitter) late, and whose logged presses are `press_s` late."""
    random, at_s = Random(seed), 3.0
    trials, glows, jitters_s = [], [], []
    for number in range(count):
        true_s, length_s, press_at_s = at_s, random.uniform(0.3, 0.7), random.uniform(0.08, 0.25)
        jitters_s.append(random.uniform(-jitter_s, jitter_s))
        onset = true_s + onset_s + jitters_s[-1]
        pressed = true_s + press_at_s
        trials.append(
            LoggedTrial(number, onset, true_s + length_s, pressed + press_s, (("space", pressed + press_s),), 0)
        )
        glows.append(Glow(seen(true_s), seen(true_s + length_s), (OutsidePress("space", about(pressed)),)))
        at_s += length_s + random.uniform(0.3, 0.6)
    return Truth(
        Log(tuple(trials), (0.0, 1 / 60, 2 / 60), 60.0, ZERO_S), Observation(tuple(glows), 1000, 0.1, 0.0002), jitters_s
    )


def seen(time_s: float) -> Span:
    """A change that a look saw at this time of the log's clock."""
    return Span(ZERO_S + time_s - POLL_S, ZERO_S + time_s)


def about(time_s: float) -> Span:
    """A press at this time of the log's clock."""
    return Span(ZERO_S + time_s - POLL_S, ZERO_S + time_s + POLL_S)


@given(seeds, offsets, offsets, jitters)
@settings(max_examples=40, deadline=None)
def test_known_errors_are_found_again(seed: int, onset_s: float, press_s: float, jitter_s: float) -> None:
    """Onset, duration, press and response errors come out as they were put in, with their sd."""
    made = truth(seed, onset_s, press_s, jitter_s)
    found = watched_errors(made.log, made.watch)
    assert found.onset
    assert found.response
    assert found.press
    assert found.duration
    late_s = [onset_s + one for one in made.jitters_s]
    assert found.onset.median_s == pytest.approx(median(late_s), abs=1e-9)
    assert found.onset.sd_s == pytest.approx(stdev(late_s), abs=1e-9)
    assert found.onset.largest_s == pytest.approx(max(map(abs, late_s)), abs=1e-9)
    assert found.response.median_s == pytest.approx(median(press_s - one for one in late_s), abs=1e-9)
    assert found.duration.median_s == pytest.approx(median(-one for one in late_s), abs=1e-9)
    assert found.press.median_s == pytest.approx(press_s, abs=1e-9)
    assert (found.press.count, found.lost, found.doubled, found.unseen, found.stray) == (COUNT, 0, 0, (), 0)


@given(seeds, offsets, st.floats(0.0001, 0.001))
@settings(max_examples=20, deadline=None)
def test_without_a_common_clock_no_absolute_onset_is_claimed(seed: int, onset_s: float, jitter_s: float) -> None:
    """A log without its clock zero gives durations, responses and the onsets' variation, and no median of onsets."""
    made = truth(seed, onset_s, 0.0, jitter_s)
    found = watched_errors(replace(made.log, zero_count_s=None), made.watch)
    assert found.onset
    assert found.response
    assert found.onset.median_s is None
    assert found.press is None
    assert found.onset.sd_s == pytest.approx(stdev(made.jitters_s), rel=0.1)
    assert found.response.count == COUNT


def test_a_lost_and_a_doubled_press_are_found() -> None:
    """A key that the log lacks is lost, one that it has twice is doubled, and neither gives a time."""
    made = truth()
    trials = list(made.log.trials)
    trials[3] = replace(trials[3], presses=(), response_s=None)
    trials[7] = replace(trials[7], presses=trials[7].presses * 2)
    found = watched_errors(replace(made.log, trials=tuple(trials)), made.watch)
    assert (found.trials[3].lost, found.trials[7].doubled) == (("space",), ("space",))
    assert (found.lost, found.doubled) == (1, 1)
    assert found.response
    assert found.press
    assert (found.response.count, found.press.count) == (COUNT - 1, COUNT - 2)
    assert any("lost: 1; doubled: 1" in one for one in found.wanting)


def test_an_onset_that_nobody_saw_and_a_stray_one_are_named() -> None:
    """A white square without a logged message, and a logged message without a white square, are no errors of others."""
    made = truth()
    stray = Glow(seen(2.0), seen(2.3))
    glows = (stray, *made.watch.glows[:5], *made.watch.glows[6:])
    found = watched_errors(made.log, replace(made.watch, glows=glows))
    assert (found.unseen, found.stray) == ((5,), 1)
    assert found.onset
    assert found.onset.largest_s < 1e-6


def test_only_a_large_error_that_the_transcript_does_not_mark_is_wanting() -> None:
    """A trial that is off is named unless the transcript itself says that a refresh was missed in it."""
    made = truth()
    late = [replace(one, onset_s=one.onset_s + 2 * UNMARKED_S) if one.trial == 9 else one for one in made.log.trials]
    found = watched_errors(replace(made.log, trials=tuple(late)), made.watch)
    assert [one.trial for one in found.unmarked_beyond] == [9]
    assert any("(9)" in one for one in found.wanting)
    marked = [replace(one, missed=1) if one.trial == 9 else one for one in late]
    found = watched_errors(replace(made.log, trials=tuple(marked)), made.watch)
    assert found.unmarked_beyond == ()
    assert [one.trial for one in found.marked] == [9]


@given(seeds, st.floats(-3000, 3000), st.floats(-2e-4, 2e-4), st.sets(st.integers(0, COUNT - 1), max_size=5))
@settings(max_examples=30, deadline=None)
def test_the_pattern_of_onsets_tells_offset_and_drift(
    seed: int, offset_s: float, drift: float, missing: set[int]
) -> None:
    """A device's clock is fitted, whatever its zero and with some edges missing and a false one before."""
    onsets_s = [one.onset_s for one in truth(seed).log.trials]
    edges_s = [offset_s + (1 + drift) * one for number, one in enumerate(onsets_s) if number not in missing]
    match = by_pattern(onsets_s, [edges_s[0] - 0.5, *edges_s])
    assert match.onsets_alone == tuple(sorted(missing))
    assert match.rate - 1 == pytest.approx(drift, abs=1e-9)
    assert len(match.edges_alone) == 1
    assert all(
        match.of_onset(onsets_s[one]) == pytest.approx(edges_s[other - 1], abs=1e-6) for one, other in match.pairs
    )


@given(seeds, st.integers(0, 6), st.floats(-50, 50), st.floats(-1e-4, 1e-4))
def test_a_session_of_six_messages_can_be_read(seed: int, missing: int, offset_s: float, drift: float) -> None:
    """A capture of a real session fits at its own place, one edge missing and some of a pause among them."""
    random = Random(seed)
    onsets_s = list(accumulate(random.lognormvariate(3, 0.4) for _ in range(7)))
    edges_s = [offset_s + (1 + drift) * one for one in onsets_s]
    pause_s = [edges_s[3] + random.uniform(3, 4), edges_s[3] + random.uniform(5, 6)]
    match = by_pattern(onsets_s, sorted([*edges_s[:missing], *edges_s[missing + 1 :], *pause_s]))
    assert match.onsets_alone == (missing,)
    assert match.rate - 1 == pytest.approx(drift, abs=1e-9)
    assert [match.of_onset(one) for one in onsets_s] == pytest.approx(edges_s, abs=1e-6)


def test_records_that_do_not_belong_together_are_refused() -> None:
    """Another session's record, too few edges, and regular times that fit everywhere end with what to do."""
    first, other = truth(1), truth(2)
    onsets_s, edges_s = ([one.onset_s for one in made.log.trials] for made in (first, other))
    with pytest.raises(BadInput, match="do not belong together"):
        by_pattern(onsets_s, edges_s)
    with pytest.raises(BadInput, match="do not belong together"):
        by_time(onsets_s, onsets_s, 77.0)
    with pytest.raises(BadInput, match="Too few to compare"):
        by_pattern(onsets_s, onsets_s[:4])
    with pytest.raises(BadInput, match="more than one place"):
        by_pattern([float(one) for one in range(COUNT)], [float(one) for one in range(COUNT)])


def events_of(made: Log, screen: ScreenInfo, started: Started) -> list[object]:
    """A transcript that says what a log says."""
    events: list[object] = [replace(started, screen=screen, zero_count_s=made.zero_count_s)]
    for one in made.trials:
        events += [TrialBegan(one.trial), Shown(MessageScene("m"), one.onset_s)]
        events += [Key(key, down=True, time_s=time_s, timed_by="queue") for key, time_s in one.presses]
        events += [Read("m", one.response_s, "queue"), Shown(BlankScene(), one.offset_s or 0.0)]
        events.append(Refreshes(one.onset_s, (16667, 50000, 16667), 0.0))
    return events


def test_a_log_is_read_from_a_transcript() -> None:
    """Onsets, offsets, presses and missed refreshes come from the transcript's lines as they stand there."""
    made = truth(count=10).log
    found = read_log(events_of(made, screen(), started()))  # type: ignore[arg-type]
    assert [replace(one, missed=0) for one in found.trials] == list(made.trials)
    assert [one.missed for one in found.trials] == [2] * 10
    assert found.zero_count_s == ZERO_S


def screen() -> ScreenInfo:
    """A laboratory's screen."""
    versions = {"system": "Linux 6", "psychopy": "2026.2.5"}
    return ScreenInfo(
        kind="window",
        computer="lab-3",
        width_px=1920,
        height_px=1080,
        refresh_hz=60.0,
        vsync=True,
        full_screen=True,
        timed_by="queue",
        versions=versions,
        pictures_sha256={},
        photodiode=True,
    )


def started() -> Started:
    """A timing session's first line."""
    from experiment.design.session import draw_session

    protocol = timing_protocol(read_protocol(PROTOCOL), 9)
    session = draw_session(protocol, timing_messages(9), subject="timing", session=1, seed=1)
    return Started(1, "pilot", session, "0" * 64, "timing", "person", screen(), "2026-01-01T09:00:00.000+00:00")


def a_report(made: Truth) -> TimingReport:
    """The report of a watched session."""
    errors = watched_errors(made.log, made.watch)
    return build_report(started(), made.log, Path("t.jsonl"), how="outside", errors=errors, watch=made.watch)


def test_the_page_holds_the_measured_numbers_and_what_is_not_measured(tmp_path: Path) -> None:
    """Page, sentence and JSON have the same numbers; the page names monitor and keyboard as not measured."""
    made = truth(onset_s=0.00042, press_s=0.00017, jitter_s=0.0001)
    report = a_report(made)
    page = write(report, tmp_path).read_text(encoding="utf-8")
    assert report.errors
    assert report.errors.response
    assert report.errors.onset
    for one in (report.errors.response, report.errors.onset):
        assert one.median_s is not None
        number = f"{1e3 * one.median_s:.2f}".replace("-", "\N{MINUS SIGN}")
        assert f">{number}<" in page
        assert f"median {number} ms" in report.sentence
    assert report.sentence.replace("'", "&#39;") in page
    assert "lab-3" in page
    assert "The monitor's own delay" in page
    assert "The keyboard's own delay" in page
    assert "http" not in page
    assert "<script" not in page
    assert msgspec.json.decode((tmp_path / "timing.json").read_bytes(), type=TimingReport) == report
    shown = page[page.index("<h2>Errors") :]
    assert shown.count('class="dots" d="M') == 3


def test_a_page_without_a_measurement_shows_no_error() -> None:
    """Where nobody could look, the page says why, and neither page nor sentence holds an error."""
    made = truth()
    report = build_report(started(), made.log, Path("t.jsonl"), how="none", errors=None, why_not="no such screen")
    page = render(report)
    assert "responses was measured: no such screen" in page
    assert "<h2>Errors" not in page
    assert "SD" not in report.sentence
    assert "photodiode-run" in page


@pytest.mark.parametrize(
    ("platform", "environment", "why"),
    [
        ("win32", {}, "Windows"),
        ("darwin", {}, "macOS"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland"),
        ("linux", {"XDG_SESSION_TYPE": "wayland"}, "Wayland"),
        ("linux", {}, "no X11 display"),
    ],
)
def test_where_nobody_can_look_from_outside_it_is_said(platform: str, environment: dict[str, str], why: str) -> None:
    """Each system without an outside view is told by its name."""
    assert why in str(lacks_outside_view(environment, platform))


@pytest.mark.skipif(sys.platform != "linux", reason="a display in memory belongs to X11")
@pytest.mark.parametrize("extension", ["XTEST", "DAMAGE"])
def test_a_display_that_lacks_what_the_onlooker_needs_is_named(extension: str) -> None:
    """Without either extension nothing is measured from outside, and the missing one is told."""
    from pyvirtualdisplay.display import Display

    options = ["-noreset", "-extension", extension]
    with Display(size=(320, 240), manage_global_env=False, extra_args=options) as server:
        why = lacks_outside_view({"DISPLAY": str(server.new_display_var)}, "linux")
    assert f"no {extension} extension" in str(why)


def test_a_run_for_a_light_sensor_claims_nothing_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command holds the session with the robot, claims nothing of errors, and explains the light sensor."""
    held: list[TimingSession] = []

    def stand_in(session: TimingSession) -> None:
        """Writes the transcript that the session would have written."""
        held.append(session)
        with log.Writer(session.transcript) as transcript:
            for event in events_of(truth(count=9).log, screen(), started()):
                transcript.append(event)  # type: ignore[arg-type]

    monkeypatch.setattr("experiment.cli.timing.run_alone", stand_in)
    timing.timing(trials=9, out=tmp_path / "out", photodiode_run=True)
    said = capsys.readouterr().err
    report = msgspec.json.decode((tmp_path / "out" / "timing.json").read_bytes(), type=TimingReport)
    assert (report.how, report.errors) == ("none", None)
    assert held[0].participant != "person"
    assert "Not measured: this run was for a light sensor" in said
    assert "--photodiode-run" in said


# What devices write.


def write_capture(path: Path, made: Truth, kind: str, *, late_s: float = 1234.5, flicker: bool = False) -> Path:
    """The file of a device that saw the light 8 ms late, and whose clock is 20 parts in a million fast."""
    changes = []
    for glow in made.watch.glows:
        assert glow.on
        assert glow.off
        for line, span, press in (("Opto1", (glow.on, glow.off), 0.008), ("Keypad1", pressed(glow), 0.0)):
            on_s, off_s = ((one.middle_s - ZERO_S + press) * 1.00002 + late_s for one in span)
            changes += [(on_s, line, 1), (off_s, line, 0)]
            if flicker and line == "Opto1":
                changes += [(on_s + 0.1, line, 0), (on_s + 0.104, line, 1)]
    changes.sort()
    WRITERS[kind](path, changes)
    return path


def pressed(glow: Glow) -> tuple[Span, Span]:
    """The press, and its release."""
    down = glow.presses[0].down
    return down, Span(down.earliest_s + 0.05, down.latest_s + 0.05)


def write_raw(path: Path, changes: list[tuple[float, str, int]]) -> None:
    """As the device sends it."""
    state, rows = dict.fromkeys(BBTK_LINES, 0), []
    for time_s, line, on in changes:
        state[line] = on
        rows.append("".join(map(str, state.values())) + f"{round(time_s * 1e6):012};\r\n")
    path.write_text(f"\nSDAT;\n{len(rows)};\n29999999;\n120000;\n{''.join(rows)}EDAT;\n", encoding="ascii")


def write_events(path: Path, changes: list[tuple[float, str, int]]) -> None:
    """A row for each stay, in milliseconds."""
    begun: dict[str, float] = {}
    rows = []
    for time_s, line, on in changes:
        if on:
            begun[line] = time_s
        else:
            rows.append((line, f"{1e3 * begun[line]:.3f}", f"{1e3 * (time_s - begun[line]):.3f}"))
    write_rows(path, [("Type", "Onset", "Duration"), *sorted(rows, key=lambda row: float(row[1]))])


def write_columns(path: Path, changes: list[tuple[float, str, int]]) -> None:
    """A column for each line, in milliseconds."""
    state, rows = dict.fromkeys(BBTK_LINES, 0), []
    for time_s, line, on in changes:
        state[line] = on
        rows.append((f"{1e3 * time_s:.3f}", *state.values()))
    write_rows(path, [("timestamp", *BBTK_LINES), *rows])


def write_plain(path: Path, changes: list[tuple[float, str, int]]) -> None:
    """Any device's edges, in microseconds."""
    named = [(f"{1e6 * time_s:.0f}", line, "rising" if on else "falling") for time_s, line, on in changes]
    write_rows(path, [("time_us", "channel", "edge"), *named])


def write_rows(path: Path, rows: list[tuple[object, ...]]) -> None:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


WRITERS = {"raw": write_raw, "events": write_events, "columns": write_columns, "plain": write_plain}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("flicker", [False, True])
def test_a_devices_file_is_matched_and_measured(tmp_path: Path, kind: str, flicker: bool) -> None:  # noqa: FBT001
    """Each format gives the light's line, durations, responses and the clock's drift; a flickering backlight too."""
    made = truth()
    capture = read_capture(write_capture(tmp_path / "device.csv", made, kind, flicker=flicker))
    found = device_errors(made.log, capture)
    assert (found.light, found.keys, found.stray_s) == ("Opto1", ("Keypad1",), ())
    assert found.errors.drift == pytest.approx(2e-5, abs=1e-6)
    assert found.errors.onset
    assert found.errors.response
    assert found.errors.duration
    assert found.errors.onset.median_s is None
    assert found.errors.onset.largest_s < 3e-6
    assert found.errors.response.median_s == pytest.approx(0.008, abs=1e-4)  # the monitor's delay, which it holds
    assert found.errors.duration.largest_s < 1e-4
    assert found.errors.response.count == COUNT
    assert found.errors.wanting == ()  # nobody blames the program for the monitor's delay


def test_edges_that_belong_to_nothing_are_named(tmp_path: Path) -> None:
    """A light outside of any message is told with its time on the device's clock."""
    made = truth()
    more = replace(
        made.watch, glows=(*made.watch.glows, Glow(seen(90.0), seen(90.2), (OutsidePress("space", about(90.1)),)))
    )
    capture = read_capture(write_capture(tmp_path / "d.csv", Truth(made.log, more, []), "plain"))
    found = device_errors(made.log, capture)
    assert found.errors.stray == 1
    assert found.stray_s[0] == pytest.approx(90.008 + 1234.5, abs=0.01)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "must be a capture"),
        ("a,b\n1,2\n", "unknown columns (a, b"),
        ("time,line,value\n1,x,1\n", "unknown columns"),
        ("time_ms,line,value\n1,x,perhaps\n", "row 1: unknown value 'perhaps'"),
        ("time_ms,line,value\n1,x,0\n2,x,0\n", "no line ever switched on"),
        ("time_ms,line,value\nsoon,x,1\n", "soon"),
        ("time_ms,line,value\n5,x,1\n2,x,0\n", "times are not in order: 2.00 ms comes after 5.00 ms"),
        ("Type,Onset,Duration\nOpto1,1.0\n", "row 1: the number of cells differs"),
        ("\nSDAT;\n2;\n00000001000000000000000000000000;\nEDAT;", None),
    ],
)
def test_a_file_that_is_no_capture_is_refused(tmp_path: Path, content: str, why: str | None) -> None:
    """The message says what was expected and found; one edge alone can be read, and fits nothing."""
    path = tmp_path / "device.csv"
    path.write_text(content, encoding="utf-8")
    if why is not None:
        with pytest.raises(BadInput) as refused:
            read_capture(path)
        assert why in str(refused.value)
        return
    with pytest.raises(BadInput, match="Opto1 1"):
        device_errors(truth().log, read_capture(path))


def test_read_and_transcript_belong_together(tmp_path: Path) -> None:
    """One without the other is refused before anything is opened."""
    with pytest.raises(BadInput, match="give both --read"):
        timing.timing(read=tmp_path / "x.csv")


def test_scripts_press_when_keys_are_up_again() -> None:
    """Each key is released before the next is pressed, and the same seed gives the same presses."""
    protocol = read_protocol(PROTOCOL)
    final = replace(protocol, rating=replace(protocol.rating, first_press_is_final=True))
    scripts = draw_schedules(50, "seed", protocol)
    assert scripts == draw_schedules(50, "seed", protocol)
    for script in (*scripts, *draw_schedules(50, "seed", final)):
        confirming = [one.key for one in script if one.key == "space"]
        assert (len(script), len(confirming)) == ((5, 3) if script in scripts else (3, 1))
        assert all(one.key in "1234567" for one in script if one.key != "space")
        assert all(earlier.hold_s < later.delay_s for earlier, later in pairwise(script))


@pytest.fixture
def on_display(small_display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small display is this process's own."""
    monkeypatch.setenv("DISPLAY", small_display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)


@pytest.mark.alone
@on_x11
@pytest.mark.usefixtures("on_display")
def test_presses_are_measured_where_nobody_can_look(tmp_path: Path) -> None:
    """Each press is logged once and compared; onsets, durations and responses stay unmeasured, and the page says so."""
    out = tmp_path / "timing"
    with suppress(typer.Exit):  # a busy computer may be found wanting, and says so
        timing.timing(trials=8, out=out, presses_only=True)
    report = msgspec.json.decode((out / "timing.json").read_bytes(), type=TimingReport)
    errors = report.errors
    assert errors
    assert report.how == "presses"
    assert (errors.onset, errors.duration, errors.response) == (None, None, None)
    assert errors.press
    assert (errors.press.count, errors.lost, errors.doubled) == (45, 0, 0)
    assert errors.press.largest_s < 0.05
    page = (out / "timing.html").read_text(encoding="utf-8")
    assert "Onset, duration and response errors: only the presses were asked for." in page
    assert "were not measured" in report.sentence


@on_x11
@pytest.mark.usefixtures("on_display")
def test_presses_that_nobody_hears_give_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system lets no press through, the session answers itself, and the page has no errors."""
    monkeypatch.setattr("experiment.timing.session.key_presser", lambda _: nullcontext(lambda _key, _down: None))
    monkeypatch.setattr("experiment.timing.presser.IDLE_PRESSES", 1)
    out = tmp_path / "timing"
    timing.timing(trials=8, out=out, presses_only=True)
    report = msgspec.json.decode((out / "timing.json").read_bytes(), type=TimingReport)
    assert (report.how, report.errors) == ("none", None)
    assert "none of 2 simulated presses" in str(report.why_not)
    assert "not measured" in (out / "timing.html").read_text(encoding="utf-8")


@on_x11
@pytest.mark.usefixtures("on_display")
@pytest.mark.parametrize("name", ["scan", "objects"])
def test_the_protocol_of_another_task_is_timed_by_its_name(name: str, tmp_path: Path) -> None:
    """With messages to read and its own scales; nothing is lost or doubled."""
    with suppress(typer.Exit):  # a busy computer may be found wanting, and says so
        timing.timing(trials=8, out=tmp_path / "timing", protocol=Path(name))
    report = msgspec.json.decode((tmp_path / "timing" / "timing.json").read_bytes(), type=TimingReport)
    assert report.how == "outside"
    assert report.errors
    assert (len(report.errors.trials), report.errors.lost, report.errors.doubled) == (9, 0, 0)


@pytest.mark.alone
@on_x11
@pytest.mark.usefixtures("on_display")
def test_a_real_session_is_measured_from_outside(tmp_path: Path) -> None:
    """On a virtual display every onset is seen, every press logged once, and the errors stay within a few frames."""
    out = tmp_path / "timing"
    with suppress(typer.Exit):  # a busy computer may be found wanting, and says so
        timing.timing(trials=8, out=out)
    report = msgspec.json.decode((out / "timing.json").read_bytes(), type=TimingReport)
    assert (report.how, report.screen.photodiode) == ("outside", True)
    errors = report.errors
    assert errors
    assert errors.onset
    assert errors.response
    assert errors.press
    assert [one.trial for one in errors.trials] == list(range(9))
    assert (errors.unseen, errors.stray, errors.lost, errors.doubled) == ((), 0, 0, 0)
    assert errors.press.count == 45
    assert [(one.screen, one.count) for one in errors.screens] == [("message", 9), ("scale 1", 18), ("scale 2", 18)]
    assert errors.onset.largest_s < 0.05
    assert errors.response.largest_s < 0.05
    assert report.changes_seen
    assert report.changes_seen > 300
    assert report.latency_s
    assert report.latency_s < 0.02
    read = log.read(next(out.glob("sourcedata/*/*/*_transcript.jsonl")), pilot=True)
    watch = msgspec.json.decode((out / "watch.json").read_bytes(), type=Observation)
    assert watched_errors(read_log(read.events), watch) == errors
    with pytest.raises(BadInput, match="already contains a measurement"):
        timing.timing(trials=8, out=out)
