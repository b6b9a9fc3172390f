"""Replay: a session is shown again as the participant saw it, in a window and as a film, with what is not the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.colours import rgb
from experiment.design.message import hide_digests, practice_message, read_messages
from experiment.design.scale import Scale
from experiment.design.session import draw_session
from experiment.drawing.composite import compose_screen
from experiment.drawing.stimuli import draw_pictures
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.store import Folder
from experiment.record import events
from experiment.record import transcript as log
from experiment.replay.player import GAP_S, Player, Playhead
from experiment.replay.redraw import redraw
from experiment.replay.video import FPS, write_film
from experiment.replay.view import BAR_HEIGHT_PX, BAR_TOP_PX, LATE, STRIP_PX, View
from experiment.replay.window import fitting_scale
from experiment.task.layout import Layout
from tests.strategies import PROTOCOL, eventful_trial, held, session_of, started

if TYPE_CHECKING:
    from experiment.record.events import Event
    from experiment.record.finding import Finding

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "stimuli" / "examples" / "english.csv"
EVENTFUL: list[Event] = [started(session_of()), *eventful_trial(session_of())]
BACKGROUND = rgb(PROTOCOL.display.background)
SCALE = events.ScaleScene(PROTOCOL.rating.questions[0].text, "Not at all", "Extremely", 7)


def told(habit: str = "changing") -> list[Event]:
    """A simulated session with the example messages."""
    session = draw_session(PROTOCOL, read_messages(EXAMPLE), subject="DF1", session=1, seed=1)
    return held(session, habit)


def kept(folder: Path, what: list[Event]) -> Path:
    """A transcript's file."""
    path = folder / "a_transcript.jsonl"
    with log.Writer(path) as transcript:
        for event in what:
            transcript.append(event)
    return path


def whats(findings: list[Finding]) -> list[str]:
    """What was found, without where."""
    return [finding.kind for finding in findings]


def test_each_moment_has_the_frame_that_was_on_the_screen() -> None:
    """From a scene's onset until the next one's, also with the marker as it moved."""
    what = told()
    player = Player(what)
    shown = [event for event in what if isinstance(event, events.Shown)]
    for now, after in pairwise(shown):
        assert player.at(now.onset_s).scene == now.scene
        assert player.at((now.onset_s + after.onset_s) / 2).scene == now.scene
    markers = [scene.marker for _, scene in player.shown if isinstance(scene, events.ScaleScene)]
    moved = [event.value for event in what if isinstance(event, events.Marked)]
    assert [marker for marker in markers if marker is not None] == moved


def test_trials_pauses_and_late_frames_stand_at_their_times() -> None:
    """As in the transcript; a flip is late if a refresh was missed before it."""
    player = Player(EVENTFUL)
    assert [(span.trial, span.start_s, span.end_s) for span in player.trials] == [(1, 10.0, 41.0)]
    assert [(span.start_s, span.end_s) for span in player.pauses] == [(14.0, 20.0), (26.0, 28.0)]
    assert player.late_s == pytest.approx([10.51, 13.02, 17.01, 22.01, 25.01])


def test_presses_are_remembered_for_a_while() -> None:
    """A press is told from its own time on, and a release never."""
    what = [EVENTFUL[0], events.Shown(SCALE, 1.0), *(events.Key("5", down, 2.0, "queue") for down in (True, False))]
    player = Player([*what, events.Click(3.0, -4.0, down=True, time_s=3.0, timed_by="queue")])
    assert player.at(1.9).presses == ()
    assert [press.name for press in player.at(2.0).presses] == ["5"]
    assert [(press.name, press.place_px) for press in player.at(7.5).presses] == [("mouse", (3.0, -4.0))]


def test_a_resumed_session_goes_on_after_a_short_gap() -> None:
    """The second sitting's clock begins where the first one's ended."""
    again = replace(EVENTFUL[0], resumes=events.Resumption(1, (), 3600.0, 0))
    player = Player([*EVENTFUL, again, events.Shown(SCALE, 2.0), events.TrialBegan(2)])
    assert player.at(41.0 + GAP_S + 2.0).scene == SCALE
    assert player.end_s == pytest.approx(41.0 + GAP_S + 2.0)
    assert [span.trial for span in player.trials] == [1, 2]


def test_keys_move_about_in_a_session() -> None:
    """Pause, step by screen, jump by trial, and another speed; it ends at the end."""
    head = Playhead(Player(told()), speed=2.0)
    head.pass_time(3.0)
    assert head.time_s == 6.0
    head.press("space")
    head.pass_time(3.0)
    assert head.time_s == 6.0
    head.press("3")
    assert head.player.at(head.time_s).trial == 3
    screens = []
    for _ in range(3):
        head.press("right")
        screens.append(type(head.player.at(head.time_s).scene).__name__)
    assert screens == ["MessageScene", "ScaleScene", "ScaleScene"]
    head.press("left")
    assert type(head.player.at(head.time_s).scene).__name__ == "ScaleScene"
    head.press("pagedown")
    assert head.player.at(head.time_s).trial == 4
    head.press("pageup")
    assert head.player.at(head.time_s).trial == 3
    head.press("up")
    head.press("space")
    head.pass_time(1e6)
    assert (head.speed, head.time_s) == (4.0, head.player.end_s)
    head.press("escape")
    assert head.left


def test_messages_are_shown_only_if_they_are_the_ones_that_were_read(tmp_path: Path) -> None:
    """With the same file nothing is found; without it, or with another text in the set, place and id stand in."""
    what = told()
    assert isinstance(what[0], events.Started)
    session = what[0].session
    assert redraw(what, EXAMPLE)[1] == []
    text = read_messages(EXAMPLE)[0].text.splitlines()[0]
    content = EXAMPLE.read_text(encoding="utf-8")
    assert text in content
    (tmp_path / "sub-DF1.csv").write_text(content.replace(text, text[:-1], 1), encoding="utf-8")
    pictures, findings = redraw(what, Folder(tmp_path))
    assert whats(findings) == ["text"] * 6
    absent, missing = redraw(what, None)
    assert whats(missing) == ["text"] * 6
    usual = redraw(what, EXAMPLE)[0].message_sha256
    assert set(usual.values()) & {absent.message_sha256[trial.message_id] for trial in session.trials} == set()
    assert pictures.message_sha256 == absent.message_sha256


def test_what_was_recorded_before_is_shown_text_by_text(tmp_path: Path) -> None:
    """Where digests are of each text alone, another text in the set leaves the other five on the screen."""
    first, *rest = told()
    assert isinstance(first, events.Started)
    messages = read_messages(EXAMPLE)
    trials = tuple(replace(trial, message_sha256=message.sha256) for trial in first.session.trials
                   for message in messages if message.message_id == trial.message_id)  # fmt: skip
    older = replace(first, session=replace(first.session, trials=trials, message_digests=UNSET))
    assert redraw([older, *rest], EXAMPLE)[1] == []
    Folder(tmp_path).write("DF1", [replace(messages[0], text="another"), *messages[1:]])
    pictures, findings = redraw([older, *rest], Folder(tmp_path))
    assert whats(findings) == ["text"]
    usual = redraw([older, *rest], EXAMPLE)[0].message_sha256
    assert len(set(usual.values()) & set(pictures.message_sha256.values())) == 6


def test_other_pixels_than_those_that_were_shown_are_told() -> None:
    """The digests in the transcript are those of the pictures on the participant's screen."""
    first, *rest = told()
    assert isinstance(first, events.Started)
    drawn = hide_digests(redraw([first, *rest], EXAMPLE)[0].message_sha256, read_messages(EXAMPLE))
    right = replace(first, screen=replace(first.screen, pictures_sha256=drawn))
    assert redraw([right, *rest], EXAMPLE)[1] == []
    other = replace(first, screen=replace(first.screen, pictures_sha256=drawn | {"mother": "0" * 64}))
    (finding,) = redraw([other, *rest], EXAMPLE)[1]
    assert (finding.place, finding.kind) == ("message mother", "pixels")


def test_the_view_holds_the_prepared_pixels() -> None:
    """Every picture stands in its place pixel by pixel, and nothing else is there but the marker."""
    protocol = PROTOCOL
    pictures = draw_pictures(protocol, [practice_message(protocol), *read_messages(EXAMPLE)], Layout(1280, 720))
    for scene, part in list(pictures.scenes.items())[-8:]:
        screen = compose_screen(pictures, BACKGROUND, scene)
        top, left = 360 - part.y_px - part.height_px // 2, 640 + part.x_px - part.width_px // 2
        place = slice(top, top + part.height_px), slice(left, left + part.width_px)
        assert np.array_equal(screen[place], part.picture.pixels)
        screen[place] = BACKGROUND
        assert (screen == BACKGROUND).all()
    scene = next(scene for scene in pictures.scenes if isinstance(scene, events.ScaleScene))
    x_px, y_px = pictures.layout.scale(Scale()).number_place(5)
    marked = compose_screen(pictures, BACKGROUND, replace(scene, marker=5))
    assert tuple(marked[360 - y_px, 640 + x_px]) == rgb(protocol.display.accent)


def test_the_time_line_marks_late_frames_and_moves_its_cursor() -> None:
    """Ticks stand over the bar at their times, and the cursor at the time that is shown."""
    pictures = draw_pictures(PROTOCOL, [practice_message(PROTOCOL)], Layout(1280, 720))
    player = Player([EVENTFUL[0], events.Shown(events.BlankScene(), 0.0), EVENTFUL[-2], events.Elapsed(42.0)])
    view, cursors = View(player, pictures, (255, 255, 255)), []
    for time_s in (0.0, 21.0, 42.0):
        pixels = view.pixels(Playhead(player, time_s=time_s))
        top = pixels.shape[0] - STRIP_PX + BAR_TOP_PX
        cursors.append(int(np.flatnonzero((pixels[top + BAR_HEIGHT_PX + 3] == (236, 234, 228)).all(axis=1)).mean()))
    ticks = np.flatnonzero((pixels[top - 4] == LATE).all(axis=1))
    assert cursors == [16, 640, 1264]
    assert ticks == pytest.approx([16 + late_s / 42 * 1248 for late_s in player.late_s], abs=1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio-ffmpeg leaves a pipe open
def test_a_film_shows_the_session(tmp_path: Path) -> None:
    """30 frames a second of it at its speed, without a display; what was on the screen can be seen in it."""
    import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

    what, film, done = told("quick"), tmp_path / "a.mp4", list[tuple[int, int]]()
    path = kept(tmp_path, what)
    assert write_film(path, film, messages=EXAMPLE, speed=20, pilot=True, progress=lambda *at: done.append(at)) == []
    count = int(Player(what).end_s / 20 * FPS) + 1
    assert done[-1] == (count, count)
    assert os.name != "posix" or film.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    frames = imageio_ffmpeg.read_frames(str(film))
    assert next(frames)["size"] == (1280, 720 + STRIP_PX)
    pixels = [np.frombuffer(frame, np.uint8).reshape(720 + STRIP_PX, 1280, 3) for frame in frames]
    assert len(pixels) == count
    player = Player(what)
    pictures = redraw(what, EXAMPLE)[0]
    at = count // 2
    expected = compose_screen(pictures, BACKGROUND, player.at(at / FPS * 20).scene)
    assert np.abs(pixels[at][:720].astype(int) - expected).mean() < 2
    with pytest.raises(BadInput, match="new file"):
        write_film(path, film, pilot=True)


def test_a_large_session_is_shown_smaller_or_refused() -> None:
    """What fits is shown pixel by pixel, what does not is scaled, and what nobody could read is refused."""
    assert fitting_scale(Layout(1280, 720), (1280, 720 + STRIP_PX)) == 1.0
    assert fitting_scale(Layout(1920, 1080), (1920, 1080)) == pytest.approx((0.9 * 1080 - STRIP_PX) / 1080)
    with pytest.raises(EquipmentFailure, match="--video"):
        fitting_scale(Layout(3840, 2160), (1280, 720))


@pytest.mark.skipif(sys.platform != "linux", reason="a display in memory belongs to X11")
def test_the_window_shows_the_session_and_obeys_its_keys(large_display: str, tmp_path: Path) -> None:
    """After a jump, on a pause, the window holds the pixels of that moment; escape leaves."""
    from tests.lab import screenshot
    from tests.xtest import Hands

    what = told("steady")
    path = kept(tmp_path, what)
    code = (
        "import sys; from pathlib import Path; from experiment.replay.window import show_again\n"
        "show_again(Path(sys.argv[1]), messages=Path(sys.argv[2]), pilot=True)"
    )
    environment = os.environ | {"DISPLAY": large_display, "PYTHONPATH": str(ROOT)}
    player = Player(what)
    pictures = redraw(what, EXAMPLE)[0]
    left, top = (1920 - 1280) // 2, (1080 - 720 - STRIP_PX) // 2

    def shows(scene: events.Scene) -> bool:
        """Within half a minute, as a busy computer starts slowly."""
        expected, until_s = compose_screen(pictures, BACKGROUND, scene), time.monotonic() + 30
        while time.monotonic() < until_s:
            seen = screenshot(large_display)[top : top + 720, left : left + 1280]
            if np.array_equal(seen, expected):
                return True
            time.sleep(0.05)
        return False

    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(EXAMPLE)], cwd=ROOT, env=environment)
    try:
        with Hands(large_display) as hands:
            assert shows(player.shown[0][1])
            hands.tap("space")
            hands.tap("2")
            hands.tap("right")
            start_s = player.trial_s(2)
            assert start_s is not None
            assert shows(player.at(player.next_screen_s(start_s)).scene)
            hands.tap("escape")
            assert process.wait(10) == 0
    finally:
        process.kill()
