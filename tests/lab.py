"""The laboratory of the tests: a display without a monitor, eyes to look at it, and the program as a person starts it.

The program is a process of its own, so all that is known of it is what a person has too: the screen, the files, what it
says, and its exit status. Tests wait for lines of its transcript, never for a time.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
import numpy as np
from msgspec.structs import replace
from PIL import ImageGrab
from Xlib import X, protocol
from Xlib.display import Display
from Xlib.error import BadWindow
from Xlib.ext import xfixes  # noqa: F401 - teaches Display to ask for the pointer's picture

from experiment.design.colours import rgb
from experiment.design.message import messages_csv, practice_message, read_messages
from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.drawing.stimuli import draw_pictures
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, MessageScene, ScaleScene, Shown, Started, TextScene, decode
from experiment.storage.hash_chain import Line
from experiment.system.linux import is_managed
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from tests.places import EXAMPLES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from experiment.drawing.pictures import Pictures
    from experiment.record.events import Scene
    from tests.xtest import Hands

    Pixels = NDArray[np.uint8]
    Place = tuple[int, int]

Kind = TypeVar("Kind")

STEADY = 5  # looks at a window that has not moved
LIMIT_S = 120.0  # for anything to happen: a busy machine may need a minute
SUBJECT, TASK = "DF1", "lovedones"
ASSISTANT = {"last_dose": "08:30", "symptoms": "none", "notes": "-"}
SHORT = {  # the lab's protocol, at a pace for tests
    "fixation_s = 1.0": "fixation_s = 0.1",
    "blank_s = 2.0": "blank_s = 0.1",
    "page_minimum_s = 1.0": "page_minimum_s = 0.1",
    "message_minimum_s = 5.0": "message_minimum_s = 0.3",
    "gap_minimum_days = 14": "gap_minimum_days = 0",  # a test's sessions follow each other at once
}
FEW = {"messages = 6": "messages = 2"}


def short_protocol(
    path: Path, changes: dict[str, str] | None = None, *, funnel: bool = False, guess: bool = False
) -> Path:
    """The lab's protocol with short times, two messages if nothing else is said, and what is asked after if asked."""
    text = (ROOT / "stimuli" / "protocol.toml").read_text(encoding="utf-8")
    if not funnel:
        text = re.sub(r"\n\[funnel\].*?(?=\n# What )", "", text, flags=re.DOTALL)
    if not guess:
        text = re.sub(r"\n\[guess\].*?(?=\n# Questions )", "", text, flags=re.DOTALL)
    for old, new in (SHORT | (FEW if changes is None else changes)).items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def some_messages(path: Path, *chosen: tuple[str, int]) -> Path:
    """A message set of these rows of the examples, each by its file's name and its place from 0."""
    messages = [read_messages(EXAMPLES / f"{name}.csv")[row] for name, row in chosen]
    numbered = [replace(message, message_id=f"m{number}") for number, message in enumerate(messages, start=1)]
    path.write_bytes(messages_csv(numbered))
    return path


@dataclass(frozen=True)
class Lab:
    """A folder with protocol, messages and data, and a display to start sessions on."""

    display: str | None
    folder: Path
    protocol: Path = field(init=False)
    sittings: list[Sitting] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The protocol lies there from the beginning."""
        object.__setattr__(self, "protocol", short_protocol(self.folder / "protocol.toml"))

    def __enter__(self) -> Self:
        """Itself; whatever it started has ended afterwards."""
        return self

    def __exit__(self, *_: object) -> None:
        for sitting in self.sittings:
            sitting.process.kill()
            sitting.process.communicate()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def messages(self, *chosen: tuple[str, int], subject: str = SUBJECT) -> Path:
        """A message set of the subject; its file."""
        folder = self.folder / "participants"
        folder.mkdir(exist_ok=True)
        return some_messages(folder / f"sub-{subject}.csv", *(chosen or (("english", 0), ("emoji", 1))))

    def begins(self, *arguments: object, prefix: Sequence[str] = (), script: str = "", typed: str = "") -> Sitting:
        """The program, started with these arguments; `script`: Python to run instead of `-m experiment`.

        `typed`: what its standard input holds.
        """
        code = ["-c", script] if script else ["-m", "experiment"]
        data = DataSet(self.data).pilot.root if arguments[:1] == ("pilot",) else self.data
        sitting = Sitting([*prefix, sys.executable, *code, *map(str, arguments)], self.display, data, typed)
        self.sittings.append(sitting)
        return sitting

    def runs(
        self,
        subject: str = SUBJECT,
        session: int = 1,
        override: str = "a virtual screen",
        more: Sequence[str] = (),
        anyway: str = "",
        **options: Any,
    ) -> Sitting:
        """A real session, all that it asks given on the command line.

        `override`: why without a real screen; `anyway`: why though something speaks against this visit.
        """
        given = [f"{name}={value}" for name, value in ASSISTANT.items()]
        answers = [part for pair in given for part in ("--answer", pair)]
        who: tuple[object, ...] = ("--subject", subject, "--session", session, "--operator", "TA")
        who += ("--override", override) if override else ()
        who += ("--override-study", anyway) if anyway else ()
        return self.begins("run", *who, *answers, *self.places(), *more, **options)

    def pilots(self, *arguments: object, messages: Path | None = None, **options: Any) -> Sitting:
        """A pilot with the lab's protocol and messages."""
        where = ("--protocol", self.protocol, "--data", self.data, "--messages", messages or self.messages())
        return self.begins("pilot", *where, *arguments, **options)

    def places(self) -> tuple[object, ...]:
        """The options that name protocol, data and messages."""
        return "--protocol", self.protocol, "--data", self.data, "--messages", self.folder / "participants"

    def table(self, subject: str = SUBJECT, session: int = 1) -> Path:
        """Where the trial table is expected."""
        return DataSet(self.data).table(Visit(subject, session), TASK)


class Sitting:
    """A started program, and its transcript as it grows: each event is told once, in order."""

    def __init__(self, command: list[str], display: str | None, data: Path, typed: str = "") -> None:
        self._folder = data / "sourcedata"
        self._old = set(self._folder.rglob("*_transcript.jsonl"))
        self._file, self._offset = cast("Path | None", None), 0
        self._events, self._told = list[Event](), 0
        environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        environment |= {"PYTHONPATH": str(ROOT)} | ({} if display is None else {"DISPLAY": display})
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        if typed and self.process.stdin:
            self.process.stdin.write(typed)
            self.process.stdin.flush()

    @property
    def transcript(self) -> Path | None:
        """Its transcript's file, once there is one."""
        if self._file is None:
            self._file = next(iter(set(self._folder.rglob("*_transcript.jsonl")) - self._old), None)
        return self._file

    def events(self) -> list[Event]:
        """All events up to now; a line that is still being written is left out."""
        if self.transcript is not None:
            with self.transcript.open("rb") as file:
                file.seek(self._offset)
                *lines, tail = file.read().split(b"\n")
                self._offset = file.tell() - len(tail)
            self._events += [decode(msgspec.json.decode(line, type=Line).event) for line in lines]
        return self._events

    def next(self, kind: type[Kind], wanted: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """The next event of this kind for which `wanted` holds; what comes before it is passed over."""
        deadline_s = time.monotonic() + LIMIT_S
        while True:
            ended = self.process.poll() is not None
            for event in self.events()[self._told :]:
                self._told += 1
                if isinstance(event, kind) and wanted(event):
                    return event
            assert not ended, f"it ended with {self.ends()}"
            assert time.monotonic() < deadline_s, f"no {kind.__name__} came"
            time.sleep(0.005)

    def shows(self, wanted: Callable[[Scene], bool]) -> Shown:
        """The next such scene, once it is on the screen."""
        return self.next(Shown, lambda shown: wanted(shown.scene))

    def started(self) -> Started:
        """Everything known before the start."""
        return self.next(Started)

    def ends(self) -> tuple[int, str]:
        """Its exit status and what it said to the person at the terminal."""
        out, said = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, said + out

    def interrupts(self) -> tuple[int, str]:
        """Ctrl+C at the terminal."""
        self.process.send_signal(signal.SIGINT)
        return self.ends()

    def leaves(self, hands: Hands) -> tuple[int, str]:
        """The assistant ends the session for the participant: chord, reason, chord."""
        chord(hands)
        self.shows(lambda scene: isinstance(scene, TextScene) and scene.text.startswith("# Paused"))
        hands.tap("w")
        self.shows(lambda scene: isinstance(scene, TextScene) and scene.text.startswith("# End the session?"))
        chord(hands)
        return self.ends()

    def ended(self) -> Ended:
        """The transcript's last event."""
        last = self.events()[-1]
        assert isinstance(last, Ended)
        return last


def participates(sitting: Sitting, answer: Callable[[Scene], None], until: Callable[[Scene], bool]) -> Shown:
    """Answer each scene that comes on the screen until such a scene is there."""
    while not until((shown := sitting.next(Shown)).scene):
        answer(shown.scene)
    return shown


def finishes(sitting: Sitting, answer: Callable[[Scene], None]) -> tuple[int, str]:
    """Answer each scene to the end of the session: exit status, and what the program said."""
    answer(participates(sitting, answer, is_closing).scene)
    return sitting.ends()


def by_keyboard(hands: Hands, point: int = 3) -> Callable[[Scene], None]:
    """A participant who goes on with the space bar and rates everything with the same point."""

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            hands.tap(str(point), 0.005)
        elif getattr(scene, "button", None):
            hands.tap("space", 0.005)

    return answer


def by_mouse(hands: Hands, point: int = 3) -> Callable[[Scene], None]:
    """The same by mouse alone, on the smallest screen."""
    layout = Layout(*MINIMUM_SIZE_PX)

    def click(x_px: int, y_px: int) -> None:
        hands.click(layout.width_px // 2 + x_px, layout.height_px // 2 - y_px, 0.005)

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            click(*layout.scale(scene.scale).number_place(point))
        elif getattr(scene, "button", None):
            click(layout.button.x_px, layout.button.y_px)

    return answer


def is_message(scene: Scene) -> bool:
    """Whether this is a message of the set that can be left, not the practice."""
    return isinstance(scene, MessageScene) and scene.message_id != "practice" and scene.button is not None


def is_closing(scene: Scene) -> bool:
    """Whether this is the last page, and can be left."""
    return isinstance(scene, TextScene) and scene.text.startswith("You have read") and scene.button is not None


def is_paused(scene: Scene) -> bool:
    """Whether this is the pause page."""
    return isinstance(scene, TextScene) and scene.text.startswith("# Paused")


def chord(hands: Hands) -> None:
    """The assistant's chord."""
    with hands.holding("lctrl", "lshift"):
        hands.tap("p")


def pictures_of(
    lab: Lab, messages: Path, mark: str | None, size_px: Place = MINIMUM_SIZE_PX, *, square: bool = False
) -> Pictures:
    """The pictures that a session prepares, drawn here once more; `square`: with the photodiode's."""
    protocol = read_protocol(lab.protocol)
    shown = [practice_message(protocol), *read_messages(messages)]
    return draw_pictures(protocol, shown, Layout(*size_px), mark, photodiode=square)


def screen_of(lab: Lab, pictures: Pictures, scene: Scene) -> tuple[Pixels, Pixels]:
    """What the whole screen should show (height, width, 3), and where the marker's edge is mixed with what is below."""
    layout = pictures.layout
    pixels = np.empty((layout.height_px, layout.width_px, 3), np.uint8)
    pixels[:] = rgb(read_protocol(lab.protocol).display.background)
    for part in pictures.parts(scene):
        _part(pixels, part.x_px, part.y_px, part.picture.pixels.shape[:2])[:] = part.picture.pixels
    edge = np.zeros(pixels.shape[:2], bool)
    if (place := pictures.marker_at(scene)) is not None:
        colours, alpha = pictures.marker[..., :3], pictures.marker[..., 3:] / 255
        below = _part(pixels, *place, alpha.shape[:2])
        below[:] = np.rint(colours * alpha + below * (1 - alpha))
        _part(edge, *place, alpha.shape[:2])[:] = (alpha[..., 0] > 0) & (alpha[..., 0] < 1)
    return pixels, edge


def _part(pixels: Any, x_px: int, y_px: int, shape: tuple[int, ...]) -> Any:
    """The rectangle about a place that counts from the middle, y up."""
    top = pixels.shape[0] // 2 - y_px - shape[0] // 2
    left = pixels.shape[1] // 2 + x_px - shape[1] // 2
    return pixels[top : top + shape[0], left : left + shape[1]]


def differing(lab: Lab, pictures: Pictures, scene: Scene) -> int:
    """How many pixels of the screen are not as prepared; the marker's soft edge may be off by the driver's rounding."""
    assert lab.display
    expected, edge = screen_of(lab, pictures, scene)
    deadline_s = time.monotonic() + 1.0  # on a busy machine the X server can be behind
    while not np.array_equal(found := screenshot(lab.display), expected):
        off = np.abs(found.astype(int) - expected).max(axis=2) > edge * 2
        if not off.any() or time.monotonic() > deadline_s:
            return int(off.sum())
    return 0


def screenshot(display: str) -> Pixels:
    """What stands on the display (height, width, 3)."""
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB"))


def find_window(root: Any) -> Any:
    """The program's window that can be seen, or None: at the top, or in a manager's own. Any may be gone by then."""

    def below(window: Any) -> list[Any]:
        with suppress(BadWindow):
            return list(window.query_tree().children)
        return []

    tops = below(root)
    for window in (*tops, *(child for top in tops for child in below(top))):
        with suppress(BadWindow):
            if window.get_wm_name() == "Day Four" and window.get_attributes().map_state == X.IsViewable:
                return window
    return None


def has_focus(display: Display, window: Any) -> bool:
    """Whether a window has the keyboard, which may be nobody's."""
    return window is not None and getattr(display.get_input_focus().focus, "id", None) == window.id


class Eyes:
    """Looks at single pixels of a display, at its windows, and at its pointer, through a connection of its own."""

    def __init__(self, display: str) -> None:
        self._display = Display(display)
        self._root = self._display.screen().root
        self._display.xfixes_query_version()

    def __enter__(self) -> Eyes:
        return self

    def __exit__(self, *_: object) -> None:
        self._display.close()

    def sees(self, place: Place, colour: Sequence[int]) -> float:
        """The time (GetSecs) at which a pixel, by row and column, first had this colour."""
        wanted, deadline_s = tuple(map(int, colour)), time.monotonic() + LIMIT_S
        while self._pixel(place) != wanted:
            assert time.monotonic() < deadline_s, "it was never seen"
        return time.time()

    def sees_pointer(self) -> bool:
        """Whether any of the pointer's picture can be seen."""
        picture = self._display.xfixes_get_cursor_image(self._root)
        return any(pixel >> 24 for pixel in picture.cursor_image)

    def window(self) -> Any:
        """The session's window, once it is there; a window manager may have put it into one of its own."""
        deadline_s = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline_s:
            if (window := find_window(self._root)) is not None:
                return window
        raise AssertionError("there is no window")

    def window_corner(self) -> Place:
        """The place of the window's upper left corner on the display, once it stays there."""
        places: list[Place] = []
        while len(places) < STEADY or len(set(places[-STEADY:])) > 1:
            corner = self._root.translate_coords(self.window(), 0, 0)
            places.append((corner.x, corner.y))
            time.sleep(0.005)
        return places[-1]

    def waits_for_focus(self) -> None:
        """Until the window has the keyboard, as a form takes it."""
        deadline_s = time.monotonic() + LIMIT_S
        while not has_focus(self._display, self.window()):
            assert time.monotonic() < deadline_s, "it never got the keyboard"

    def asks_to_close(self) -> None:
        """What a window manager sends when somebody closes the window."""
        window, atoms = (
            self.window(),
            [self._display.intern_atom(f"WM_{name}") for name in ("PROTOCOLS", "DELETE_WINDOW")],
        )
        data = (32, [atoms[1], X.CurrentTime, 0, 0, 0])
        window.send_event(protocol.event.ClientMessage(window=window, client_type=atoms[0], data=data))
        self._display.sync()

    def gives_focus(self, window: Any) -> None:
        """The keyboard goes to a window."""
        window.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
        self._display.sync()

    def other_window(self) -> Any:
        """Another program's window in a corner, which covers nothing."""
        other = self._root.create_window(0, 0, 40, 40, 0, 0, X.InputOnly, X.CopyFromParent)
        other.map()
        self._display.sync()
        return other

    def _pixel(self, place: Place) -> tuple[int, ...]:
        blue, green, red, _ = self._root.get_image(place[1], place[0], 1, 1, X.ZPixmap, 0xFFFFFFFF).data
        return red, green, blue


@contextmanager
def managed(display: str, manager: str | None) -> Iterator[subprocess.Popen[bytes] | None]:
    """A display whose windows this program manages by now, or nobody; its process."""
    if manager is None:
        yield None
        return
    process = subprocess.Popen([manager], env=os.environ | {"DISPLAY": display})
    try:
        with closing(Display(display)) as server:
            deadline_s = time.monotonic() + LIMIT_S
            while not is_managed(server):
                assert time.monotonic() < deadline_s, "there is no window manager"
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait()


def telling_pixel(before: Pixels, after: Pixels) -> Place:
    """Row and column of a pixel that differs most between two pictures of the screen."""
    difference = np.abs(before.astype(int) - after.astype(int)).sum(axis=2)
    row, column = np.unravel_index(int(difference.argmax()), difference.shape)
    return int(row), int(column)
