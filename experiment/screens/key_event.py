"""What a keyboard says, and the one clock it is timed by: psychtoolbox's GetSecs, in seconds."""

import sys
import types
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from experiment.errors import EquipmentFailure
from experiment.record.screen_info import TimedBy


def _psychtoolbox() -> Any:
    """psychtoolbox, also where the sound library is missing that it wants on import and that we never use."""
    try:
        import psychtoolbox
    except ImportError as error:
        if "libjack" not in str(error):
            raise EquipmentFailure(
                f"The keyboard library psychtoolbox cannot be loaded: {error}. Run `./dayfour check` to see what is "
                "missing."
            ) from error
        audio: Any = types.ModuleType("psychtoolbox.PsychPortAudio")
        audio.PsychPortAudio = None
        sys.modules[audio.__name__] = audio
        import psychtoolbox
    return psychtoolbox


now_s: Callable[[], float] = _psychtoolbox().GetSecs
"""The time now. Import it before PsychoPy, which takes another clock without a word if psychtoolbox does not load."""


class KeyEvent(msgspec.Struct, frozen=True):
    """A key or mouse button that went down or up.

    `key` is a name of `keynames`, or "mouse_1" (left), "mouse_2" (middle), "mouse_3" (right). `time_s` is on GetSecs.
    A key that repeats because it is held gives one press.
    """

    key: str
    down: bool
    time_s: float


class KeySource(Protocol):
    """What the window needs of a keyboard."""

    @property
    def timed_by(self) -> TimedBy:
        """Who takes the times: "queue", "iohub" or "poll"."""

    @property
    def hears_buttons(self) -> bool:
        """Whether mouse buttons are among the strokes, wherever on the screen they were pressed.

        If not, the window's own mouse events are all there is.
        """

    def strokes(self) -> list[KeyEvent]:
        """All since the last call, in order of time, none lost or doubled."""

    def close(self) -> None:
        """Stop listening."""
