"""The keyboard started once, as a session starts it, in a process of its own that may crash.

`python -m experiment.screens.rehearsal` prints what it found as a line of JSON, for
`preflight.keyboards`, which starts it.
"""

import sys
import time
from typing import Any

import msgspec

from experiment.errors import EquipmentFailure
from experiment.preflight.keyboards import MARK, Rehearsal, Rights
from experiment.screens.clock import SessionClock
from experiment.screens.keyboard import lacks_for_queue, now_s, open_keys
from experiment.system.linux import RIGHTS_ADVICE

# What X11 and the kernel also list among the keyboards.
NO_KEYBOARDS = ("xtest", "power button", "sleep button", "video bus", "lid switch", "camera", "consumer control")
_LISTENED_S = 0.2


def rehearsed() -> Rehearsal:
    """Open the best source, listen for a moment, close it."""
    clock, lack = SessionClock(now_s), lacks_for_queue()
    rights = _rights(lack)
    # Without XInput, the first call of PsychHID crashes; lacking the right to real time, only the queue does.
    keyboards = None if rights == "unknown" else _connected()
    try:
        source = open_keys(allow_poll=False)
    except EquipmentFailure as error:
        return Rehearsal(None, str(error), keyboards, rights)
    time.sleep(_LISTENED_S)
    source.strokes()
    source.close()
    clock.poll()
    return Rehearsal(source.timed_by, None, keyboards, rights, clock.step_s)


def _rights(lack: str | None) -> Rights:
    """Whether the user has the right to real-time priority, by what the queue lacks."""
    if sys.platform != "linux":
        return "not needed"
    if lack is None:
        return "given"
    return "missing" if RIGHTS_ADVICE in lack else "unknown"


def _connected() -> int | None:
    """How many keyboards a person can type on; None where psychtoolbox lists none though there are (Windows)."""
    from psychtoolbox import hid

    names = typed_on(hid.get_keyboard_indices()[1])
    return None if sys.platform == "win32" and not names else len(names)


def typed_on(names: Any) -> list[str]:
    """Of the names of all that the system calls a keyboard, those of keyboards."""
    return [name for name in names if not any(other in str(name).lower() for other in NO_KEYBOARDS)]


if __name__ == "__main__":
    print(MARK + msgspec.json.encode(rehearsed()).decode(), flush=True)  # noqa: T201 - the answer to whoever started it
