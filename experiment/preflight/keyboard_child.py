"""The keyboard started once, as a session starts it, in a process of its own that may crash.

`python -m experiment.preflight.keyboard_child` prints what it found as a line of JSON, for
`preflight.keyboards`, which starts it.
"""

import sys
import time

import msgspec

from experiment.errors import EquipmentFailure
from experiment.preflight.keyboards import MARK, KeyboardProbe, Rights
from experiment.screens.clock import SessionClock
from experiment.screens.keyboard import connected_keyboards, lacks_for_queue, now_s, open_keys
from experiment.system.linux import RIGHTS_ADVICE

_LISTENED_S = 0.2


def probe() -> KeyboardProbe:
    """Open the best source, listen for a moment, close it."""
    clock, lack = SessionClock(now_s), lacks_for_queue()
    rights = _rights(lack)
    # Without XInput, the first call of PsychHID crashes; lacking the right to real time, only the queue does.
    keyboards = None if rights == "unknown" else connected_keyboards()
    try:
        source = open_keys(allow_poll=False)
    except EquipmentFailure as error:
        return KeyboardProbe(None, str(error), keyboards, rights)
    time.sleep(_LISTENED_S)
    source.strokes()
    source.close()
    clock.poll()
    return KeyboardProbe(source.timed_by, None, keyboards, rights, clock.step_s)


def _rights(lack: str | None) -> Rights:
    """Whether the user has the right to real-time priority, by what the queue lacks."""
    if sys.platform != "linux":
        return "not needed"
    if lack is None:
        return "given"
    return "missing" if RIGHTS_ADVICE in lack else "unknown"


if __name__ == "__main__":
    print(MARK + msgspec.json.encode(probe()).decode(), flush=True)  # noqa: T201 - the answer to whoever started it
