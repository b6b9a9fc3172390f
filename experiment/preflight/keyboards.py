"""Whether keys can be timed: found out in a process of its own, since some lacks kill the process that tries.

That child runs this module, opens the keyboard as a session does, and prints a `KeyboardProbe` as a line of JSON.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from experiment.errors import EquipmentFailure
from experiment.record.finding import Finding
from experiment.screens.clock import STEP_S, SessionClock
from experiment.system.linux import RIGHTS_ADVICE

PATIENCE_S = 12.0  # ioHub needs three seconds to start, on a busy computer more
CHILD = (sys.executable, "-m", "experiment.preflight.keyboards")
LISTENED_S = 0.2
_FIX = {
    "darwin": "Allow the terminal in System Settings, Privacy & Security, Input Monitoring, and restart it.",
    "linux": RIGHTS_ADVICE,
}
FIX = _FIX.get(sys.platform, "Unplug the keyboard, plug it in again, and check again.")
NAMES = {"queue": "psychtoolbox's queue", "iohub": "PsychoPy's ioHub", "poll": "once a frame"}
MARK = "rehearsed "  # before the child's line

Rights = Literal["given", "not needed", "missing", "unknown"]


class KeyboardProbe(msgspec.Struct, frozen=True):
    """What the child found: who times keys, or why nobody; how many keyboards; the right to real-time priority.

    `step_s`: by how much GetSecs moved against the counter meanwhile.
    """

    timed_by: str | None
    failure: str | None = None
    keyboards: int | None = None
    rights: Rights = "unknown"
    step_s: float = 0.0


class Crash(msgspec.Struct, frozen=True):
    """How the child ended instead: its exit status, negative for a signal; None if it had to be ended."""

    status: int | None


def probe_keyboard(command: Sequence[str] = CHILD, patience_s: float = PATIENCE_S) -> KeyboardProbe | Crash:
    """Start the keyboard once in a child."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Crash(None)
    told = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not told:
        return Crash(done.returncode)
    return msgspec.json.decode(told[-1].removeprefix(MARK), type=KeyboardProbe)


def items(found: KeyboardProbe | Crash) -> Iterator[Finding]:
    """Backend, keyboards, rights, and the clock of the stamps."""
    if isinstance(found, Crash):
        yield _crashed(found)
        yield Finding("keyboards", "note", "not known while the keyboard does not start")
        return
    yield _backend(found)
    yield _connected(found.keyboards)
    yield _rights(found.rights)
    yield _stamps(found.step_s)


def _crashed(found: Crash) -> Finding:
    if found.status is None:
        return Finding("keyboard", "error", f"did not start within {PATIENCE_S:.0f} s", FIX, value="none")
    how = f"with exit status {found.status}"
    if found.status < 0:
        how = f"by {signal.Signals(-found.status).name}" if -found.status in set(signal.Signals) else "by a signal"
    return Finding("keyboard", "error", f"starting it crashed the program that tried ({how})", FIX, value="crashed")


def _backend(found: KeyboardProbe) -> Finding:
    if found.timed_by is None:
        why = (found.failure or "for an unknown reason").replace(RIGHTS_ADVICE, "").strip()
        fix = "Start from the desktop of this computer." if found.rights == "unknown" else FIX
        return Finding("keyboard", "error", why, fix, value="none")
    who = f"timed by {NAMES.get(found.timed_by, found.timed_by)}"
    if found.timed_by == "poll":
        return Finding("keyboard", "error", f"{who}, with an error of up to a frame", FIX, value=found.timed_by)
    return Finding("keyboard", "ok", who, value=found.timed_by)


def _connected(number: int | None) -> Finding:
    if number is None:
        return Finding("keyboards", "note", "the number connected could not be determined")
    if not number:
        return Finding("keyboards", "error", "none connected", "Plug in a keyboard, and check again.", 0.0, "keyboards")
    return Finding("keyboards", "ok", f"{number} connected", value=float(number), unit="keyboards")


def _rights(rights: Rights) -> Finding:
    if rights == "unknown":
        return Finding("real-time rights", "note", "not known without a display")
    if rights != "missing":
        return Finding("real-time rights", "ok", rights, value=rights)
    found = "not granted: starting takes three seconds longer, and other programs can delay key presses"
    return Finding("real-time rights", "warning", found, RIGHTS_ADVICE, value=rights)


def _stamps(step_s: float) -> Finding:
    value = round(step_s * 1e3, 3)
    if abs(step_s) > STEP_S:
        fix = "Wait some minutes until the time is set, then check again."
        return Finding(
            "key clock", "warning", f"moved by {value:+.1f} ms against the session's clock", fix, value, "ms"
        )
    found = f"in step with the session's clock ({abs(value):.2f} ms apart)"
    return Finding("key clock", "ok", found, value=value, unit="ms")


def probe() -> KeyboardProbe:
    """In the child: open the best source, listen for a moment, close it."""
    from experiment.screens.key_event import now_s
    from experiment.screens.keyboard import connected_keyboards, lacks_for_queue, open_keys

    clock, lack = SessionClock(now_s), lacks_for_queue()
    rights = _lacking(lack)
    # Without XInput, the first call of PsychHID crashes; lacking the right to real time, only the queue does.
    keyboards = None if rights == "unknown" else connected_keyboards()
    try:
        source = open_keys(allow_poll=False)
    except EquipmentFailure as error:
        return KeyboardProbe(None, str(error), keyboards, rights)
    time.sleep(LISTENED_S)
    source.strokes()
    source.close()
    clock.poll()
    return KeyboardProbe(source.timed_by, None, keyboards, rights, clock.step_s)


def _lacking(lack: str | None) -> Rights:
    """Whether the user has the right to real-time priority, by what the queue lacks."""
    if sys.platform != "linux":
        return "not needed"
    if lack is None:
        return "given"
    return "missing" if RIGHTS_ADVICE in lack else "unknown"


if __name__ == "__main__":
    print(MARK + msgspec.json.encode(probe()).decode(), flush=True)  # noqa: T201 - the answer to whoever started it
