"""Signals out and pulses in: what is lost, how exact it is, and whether any output delays a frame.

    python -m tests.bench.bench_signals pulses [SPEED]   # 300 pulses of a scanner, as a key and on a serial line
    python -m tests.bench.bench_signals frames [ROUNDS]  # sessions with broken outputs beside sessions without
    python -m tests.bench.bench_signals width            # how long a code stays on a serial line
    python -m tests.bench.bench_signals lsl [TRIALS]     # a stream's stamps against the pixels
    python -m tests.bench.bench_signals changes [NUMBER] # single changes of transcripts with signals and pulses

All sessions are the real program on a virtual display. Serial lines are pairs of pseudo-terminals, so no UART's delay
is in the figures. With a SPEED above 1 the scanner's repetition times (0.5 to 2 s) are shorter by that factor.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, stdev
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

import experiment.__main__ as program  # at the top, as the pictures' process imports it too
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Pulse
from experiment.record.events_beside import OutputState, Signal
from experiment.record.refreshes import flips_s
from experiment.timing.session import TimingSession, run_watched
from tests.bench.bench_corruption import change_and_verify
from tests.bench.reporting import ROOT, display, percentile, print_table
from tests.lab import Sitting, short_protocol
from tests.serial_lines import fill
from tests.xtest import Hands

PULSES, STALL_S = 300, 0.2
CODES = "[signals.codes]\nmessage_onset = 10\nscale_onset = 20\nchoice = 30\nconfirmation = 40\nend = 60\n"


def protocol_of(folder: Path, section: str, changes: dict[str, str] | None = None) -> Path:
    """The usual protocol at a pace for tests, with another section."""
    path = short_protocol(folder / "protocol.toml", changes or {})
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{section}\n", encoding="utf-8")
    return path


def outputs(*ports: str) -> str:
    """The section with these serial ports."""
    return CODES + "".join(f'[[signals.outputs]]\nto = "serial"\nport = "{port}"\n' for port in ports)


@contextmanager
def sitting(folder: Path, protocol: Path, name: str, *arguments: str, how: Sequence[str] = ()) -> Iterator[Sitting]:
    """A pilot on this display; `how`: the command line of a program of this benchmark that changes it."""
    where = "--protocol", str(protocol), "--data", str(folder / "data")
    module = ["tests.bench.bench_signals", *how] if how else ["experiment"]
    command = [sys.executable, "-m", *module, "pilot", *where, *arguments]
    one = Sitting(command, name, DataSet(folder / "data").pilot.root)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def end(one: Sitting) -> None:
    """Wait for the session's end, on a busy computer for minutes."""
    out, said = one.process.communicate(timeout=300)
    if one.process.returncode:
        raise RuntimeError(f"the session ended with {one.process.returncode}: {said}{out}")


def pulses(speed: float = 1.0) -> None:
    """Pulses by XTEST, and by bytes."""
    random = Random(17)
    gaps_s = [random.uniform(0.5, 2.0) / speed for _ in range(PULSES)]
    holds_s = [random.uniform(0.001, 0.010) for _ in range(PULSES)]
    rows = []
    with display() as name, Hands(name) as hands, tempfile.TemporaryDirectory() as folder:

        def press(hold_s: float) -> float:
            now_s = time.perf_counter()
            hands.tap("9", hold_s)
            return now_s

        section = '[pulses]\nkey = "9"\ntr_s = 1.0'
        rows.append(_pulsed("as a key", Path(folder, "key"), section, name, gaps_s, holds_s, press))
        scanner, ours = os.openpty()

        def send(_hold_s: float) -> float:
            now_s = time.perf_counter()
            os.write(scanner, b"5")
            return now_s

        section = f'[pulses]\nport = "{os.ttyname(ours)}"\ntr_s = 1.0'
        rows.append(_pulsed("on a serial line", Path(folder, "line"), section, name, gaps_s, holds_s, send))
    rows.append(("goal", "", "0", "0", "", "", "", ""))
    apart = f"{PULSES} pulses {0.5 / speed:g} to {2 / speed:g} s apart"
    title = f"{apart}, held 1 to 10 ms, frames stalled for 200 ms; errors in ms"
    print_table(title, ("", "stalls", "lost", "doubled", "median", "sd", "p99", "max"), rows)


def _pulsed(
    what: str, folder: Path, section: str, name: str, gaps_s: Sequence[float], holds_s: Sequence[float],
    pulse: Callable[[float], float],
) -> tuple[str, ...]:  # fmt: skip
    """A session that stays on its first page while the scanner runs."""
    folder.mkdir()
    with sitting(folder, protocol_of(folder, section), name, how=["stalled"]) as one:
        started = one.started()
        one.shows(lambda scene: getattr(scene, "button", None) is not None)
        made_s = []
        for gap_s, hold_s in zip(gaps_s, holds_s, strict=True):
            made_s.append(pulse(hold_s))
            time.sleep(gap_s)
        time.sleep(1.0)
        events = one.events()
        one.interrupts()
    zero_s = started.zero_count_s or 0.0
    found_s = [event.time_s + zero_s for event in events if isinstance(event, Pulse)]
    belongs = [int(np.searchsorted(made_s, time_s + 0.001)) - 1 for time_s in found_s]
    errors_ms = [(time_s - made_s[at]) * 1e3 for time_s, at in zip(found_s, belongs, strict=True)]
    lost, doubled = len(made_s) - len(set(belongs)), len(found_s) - len(set(belongs))
    stalls = int((np.diff(flips_s(one.events())) > STALL_S).sum())
    figures = (median(errors_ms), stdev(errors_ms), percentile(errors_ms, 99), max(errors_ms))
    return what, str(stalls), str(lost), str(doubled), *(f"{figure:.2f}" for figure in figures)


def frames(rounds: int = 3) -> None:
    """Sessions of a robot in turns: with four broken outputs, without any, and without any once more to compare."""
    kinds = ("no outputs", "broken outputs", "no outputs again")
    gaps_ms: dict[str, list[float]] = {kind: [] for kind in kinds}
    fates: Counter[tuple[str, str]] = Counter()
    owed = news = 0
    with display() as name:
        for _ in range(rounds):
            for kind in kinds:
                with tempfile.TemporaryDirectory() as folder:
                    events = _held(Path(folder), name, broken=kind == kinds[1])
                gaps_ms[kind] += [float(gap) for gap in np.diff(flips_s(events)) * 1e3]
                told = [event for event in events if isinstance(event, Signal)]
                fates.update((one.output, one.failure or "taken") for one in told)
                news += sum(isinstance(event, OutputState) for event in events)
                owed += sum(one.number for one in told if one.name == "end") if told else 0
    rows = [(kind, str(len(gaps)), *(f"{value:.2f}" for value in _spread(gaps))) for kind, gaps in gaps_ms.items()]
    header = ("", "frames", "median", "sd", "p95", "p99", "p99.9", "max", "over 25 ms (%)")
    print_table("gaps between frames, ms", header, rows)
    compared = [(kind, *_compare(gaps_ms[kinds[0]], gaps_ms[kind])) for kind in kinds[1:]]
    tests = ("against no outputs", "Kolmogorov-Smirnov D", "p", *(f"p{share} differs by" for share in (50, 95, 99)))
    print_table("two-sample tests of the gaps, differences in ms", tests, compared)
    names = sorted({output for output, _ in fates})
    print_table(
        f"what became of the signals ({owed} due at all outputs together, {news} changes of state)",
        ("output", "taken", "lost", "late", "full", "unwritten"),
        [(one, *(str(fates[one, why]) for why in ("taken", "lost", "late", "full", "unwritten"))) for one in names],
    )


def _spread(gaps_ms: Sequence[float]) -> tuple[float, ...]:
    shares = [percentile(gaps_ms, share) for share in (95, 99, 99.9)]
    return (median(gaps_ms), stdev(gaps_ms), *shares, max(gaps_ms), 100 * float(np.mean(np.array(gaps_ms) > 25)))


def _compare(gaps_ms: Sequence[float], others_ms: Sequence[float]) -> tuple[str, ...]:
    """Whether both come from one distribution, and by how much their quantiles differ."""
    found = ks_2samp(gaps_ms, others_ms)
    shares = (f"{percentile(others_ms, share) - percentile(gaps_ms, share):.3f}" for share in (50, 95, 99))
    return f"{found.statistic:.4f}", f"{found.pvalue:.3f}", *shares


def _held(folder: Path, name: str, *, broken: bool) -> list[Any]:
    """A robot's session; with a line that is not read for 5 s, one that closes, one that is killed, one never there."""
    lines = [os.openpty() for _ in range(2)] if broken else []
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) if broken else None
    ports = [os.ttyname(ours) for _, ours in lines]
    if holder and holder.stdout:
        ports += [holder.stdout.readline().strip(), str(folder / "never")]
        fill(lines[0][1])
    protocol = protocol_of(folder, outputs(*ports) if broken else "")
    with sitting(folder, protocol, name, "--robot") as one:
        one.shows(lambda scene: "message" in type(scene).__name__.lower())
        if broken and holder:
            os.close(lines[1][1])
            os.close(lines[1][0])
            holder.send_signal(signal.SIGKILL)
            holder.communicate()
            time.sleep(5.0)
            drained = threading.Thread(target=_drain, args=(lines[0][0],), daemon=True)
            drained.start()
        end(one)
        if broken:
            os.close(lines[0][1])
            os.close(lines[0][0])
        return one.events()


HOLDER = """
import os, time
reader, ours = os.openpty()
print(os.ttyname(ours), flush=True)
time.sleep(600)
"""


def _drain(end: int) -> None:
    with suppress(OSError):
        while os.read(end, 4096):
            pass


def width() -> None:
    """How long each code stays, as it was written, and as a reader of the line beside the program has it."""
    reader = subprocess.Popen([sys.executable, "-c", READER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert reader.stdout
    with reader, display() as name, tempfile.TemporaryDirectory() as folder:
        protocol, written = (
            protocol_of(Path(folder), outputs(reader.stdout.readline().strip())),
            Path(folder, "written"),
        )
        with sitting(Path(folder), protocol, name, "--robot", how=["written", str(written)]) as one:
            end(one)
            told = [event for event in one.events() if isinstance(event, Signal)]
            zero_s = one.started().zero_count_s or 0.0
        reader.kill()
        bytes_at = {"as written": written.read_text(encoding="utf-8"), "as read": reader.stdout.read()}
    rows = []
    for what, lines in bytes_at.items():
        seen = [(float(time_s), int(byte)) for time_s, byte in map(str.split, lines.splitlines())]
        codes = [at for at, (_, byte) in enumerate(seen[:-1]) if byte]
        rows.append(_row(f"width, {what}", [(seen[at + 1][0] - seen[at][0]) * 1e3 for at in codes]))
        sent = zip((seen[at][0] - zero_s for at in codes), told, strict=True)
        delays_ms = [(came_s - one.time_s) * 1e3 for came_s, one in sent if one.name.endswith("onset")]
        rows.append(_row(f"since the flip, {what}", delays_ms))
    goal = ("goal: width", "", "", "", "4.00", "6.00")
    print_table("codes on a serial line, ms", ("", "codes", "median", "sd", "least", "most"), [*rows, goal])


READER = """
import os, time
from experiment.system import make_thread_urgent
make_thread_urgent()
reader, ours = os.openpty()
print(os.ttyname(ours), flush=True)
while byte := os.read(reader, 1):
    print(time.perf_counter(), byte[0], flush=True)
"""


def _row(what: str, ms: Sequence[float]) -> tuple[str, ...]:
    return what, str(len(ms)), *(f"{value:.2f}" for value in (median(ms), stdev(ms), min(ms), max(ms)))


RECEIVER = """
import sys, time
from experiment.signals.lsl import load_pylsl
lsl = load_pylsl(())
[info] = lsl.resolve_byprop("name", "DayFour", 1, 120)
inlet = lsl.StreamInlet(info)
inlet.open_stream(30)
print("connected", flush=True)
while True:
    sample, stamp_s = inlet.pull_sample(60)
    now_s = time.perf_counter()
    if sample is None:
        break
    print(sample[0], stamp_s + time.perf_counter() - lsl.local_clock(), now_s, flush=True)
    if sample[0] == "end":
        break
"""


@dataclass(frozen=True)
class Received:
    """A sample of a stream: its name, the stamp on this computer's counter, and when it was received."""

    name: str
    stamp_s: float
    received_s: float


def lsl(trials: int = 60) -> None:
    """A watched session whose message onsets go to a stream, received by a process of its own."""
    with display() as name, tempfile.TemporaryDirectory() as folder:
        section = CODES + '[[signals.outputs]]\nto = "lsl"\nevents = ["message_onset", "end"]\n'
        protocol = protocol_of(Path(folder), section)
        receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        with receiver:
            session = TimingSession(str(Path(folder, "data")), str(protocol), trials, full_screen=False)
            watch = run_watched(session, name)
            said = receiver.stdout.read().split("\n")[1:-1] if receiver.stdout else []
        read = log.read(session.transcript, pilot=True)
    zero_s = read.started.zero_count_s or 0.0
    told = [one for one in read.events if isinstance(one, Signal) and one.name == "message_onset"]
    samples = [Received(word, float(stamp), float(now)) for word, stamp, now in map(str.split, said)]
    onsets = [one for one in samples if one.name == "message_onset"]
    edges_s = [glow.on.latest_s for glow in watch.glows if glow.on]
    if len(onsets) != len(edges_s):
        raise RuntimeError(f"{len(edges_s)} messages were seen, and {len(onsets)} signals received")
    stamps_s, flips_at_s = [one.stamp_s for one in onsets], [one.time_s + zero_s for one in told]
    pairs = {
        "stamp against the pixels": (stamps_s, edges_s),
        "... the flip in the transcript against the pixels": (flips_at_s, edges_s),
        "... stamp against that flip": (stamps_s, flips_at_s),
        "received, against the pixels": ([one.received_s for one in onsets], edges_s),
    }
    rows = [
        _row(what, [(later_s - sooner_s) * 1e3 for later_s, sooner_s in zip(*both, strict=True)])
        for what, both in pairs.items()
    ]
    print_table(
        "signals of a stream on this computer; pixels: their change as the X server tells it; ms",
        ("", "signals", "median", "sd", "least", "most"), [*rows, ("goal: stamp within", "", "1.00", "", "", "")],
    )  # fmt: skip


def changes(number: int = 1000) -> None:
    """Simulated sessions with signals and a scanner."""
    section = CODES + '[[signals.outputs]]\nto = "file"\n[pulses]\nkey = "9"\ntr_s = 2.0\n'
    with tempfile.TemporaryDirectory() as folder:
        protocol = protocol_of(Path(folder), section, {"messages = 6": "messages = 6"})
        change_and_verify(number, protocol)


def written(path: Path) -> None:
    """The real command line, which notes when each byte had been written to a serial line."""
    from experiment.signals.serial_port import SerialLine

    usual: Any = SerialLine.write
    lines: list[str] = []

    def write(line: SerialLine, code: int, name: str, happened_s: float) -> None:
        usual(line, code, name, happened_s)
        lines.append(f"{time.perf_counter()} {code}\n")

    atexit.register(lambda: path.write_text("".join(lines), encoding="utf-8"))
    setattr(SerialLine, "write", write)  # noqa: B010 - as below
    program.main()


def stalled() -> None:
    """The real command line, in whose window a frame takes 200 ms longer about every second."""
    from experiment.screens.window import Window

    usual: Any = Window._refresh
    random = Random(3)

    def slow(window: Window) -> float:
        if random.random() < 1 / 40:
            time.sleep(STALL_S)
        flip_s: float = usual(window)
        return flip_s

    setattr(Window, "_refresh", slow)  # noqa: B010 - the kind of its arguments does not matter here
    program.main()


def main() -> None:
    """The part that the command line names."""
    if sys.argv[1:2] == ["stalled"]:
        del sys.argv[1]
        stalled()
        return
    if sys.argv[1:2] == ["written"]:
        path = Path(sys.argv[2])
        del sys.argv[1:3]
        written(path)
        return
    what, *numbers = sys.argv[1:] or ["pulses"]
    parts: dict[str, Callable[..., None]] = {
        "pulses": pulses, "frames": frames, "width": width, "lsl": lsl, "changes": changes
    }  # fmt: skip
    parts[what](*(float(number) if what == "pulses" else int(number) for number in numbers))


if __name__ == "__main__":
    main()
