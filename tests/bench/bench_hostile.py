"""Five hundred hostile files, each read in a process of its own with 2 GiB of memory and 10 s: what becomes of them."""

from __future__ import annotations

import io
import os
import resource
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.errors import DayFourError
from experiment.messages.check import check_set
from experiment.messages.importing.run import plan
from experiment.messages.store import Folder
from experiment.record import transcript as log
from experiment.task.layout import Layout
from tests.message_files import ROWS, separated, workbook
from tests.strategies import PROTOCOL
from tests.test_recorded import TRANSCRIPTS

pytestmark = pytest.mark.bench
COUNT, LIMIT_S, MEMORY_BYTES = 500, 10, 2 * 2**30
PUMPS = (*'a ",;\t\n=-\0é[{가🇩\u0301\u200d', "<p a=", "a.")
SHEET = "xl/worksheets/sheet1.xml"


def hostile(draw: Random, kind: str, whole: bytes) -> bytes:
    """A file of this kind: cut, mixed with noise, or with one thing repeated far too often."""
    pump = draw.choice(PUMPS) * draw.choice((10, 1_000, 100_000, 3_000_000))
    match draw.randrange(5):
        case 0:
            return whole[: draw.randrange(len(whole))]
        case 1:
            noise = bytearray(whole)
            for _ in range(draw.choice((1, 20, 500))):
                noise[draw.randrange(len(noise))] = draw.randrange(256)
            return bytes(noise)
        case 2:
            return bytes(draw.randbytes(draw.choice((10, 10_000, 1_000_000))))
        case 3 if kind == "xlsx":
            return packed(draw, whole)
    at = draw.randrange(len(whole))
    return b"".join((whole[:at], pump.encode(), whole[at:]))


def packed(draw: Random, whole: bytes) -> bytes:
    """A workbook whose sheet has far too much of something."""
    far = "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"
    tags = ("<row/>", far, "<c/>", "<a>", "<row><c t='s'><v>9</v></c></row>")
    within = draw.choice(tags) * draw.choice((1, 1_000, 300_000))
    area = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>' * draw.choice((0, 1, 50_000))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as parts, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            content = parts.read(name)
            if name == SHEET:
                content = content.replace(b"</sheetData>", f"{within}</sheetData>{area}".encode())
            out.writestr(name, content)
    return file.getvalue()


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files, by what they pretend to be."""
    draw, root = Random(11), Path(__file__).parents[2]  # the same at each run
    wholes = {
        "csv": separated(ROWS).encode(), "txt": b"A kind word.\n" * 9,
        "toml": (root / "stimuli/protocol.toml").read_bytes(),
        "jsonl": TRANSCRIPTS[0].read_bytes(), "xlsx": workbook(folder / "whole.xlsx", {"a": ROWS}).read_bytes(),
        "messages": (root / "stimuli/examples/english.csv").read_bytes(),
    }  # fmt: skip
    for number in range(COUNT):
        kind = draw.choice(sorted(wholes))
        path = folder / f"{number}.{'csv' if kind == 'messages' else kind}"
        path.write_bytes(hostile(draw, kind, wholes[kind]))
        yield kind, path


def read(kind: str, path: Path) -> None:
    """What the program does with such a file."""
    match kind:
        case "toml":
            read_protocol(path)
        case "jsonl":
            log.read(path, pilot=True)
        case "messages":
            check_set("DF1", read_messages(path), PROTOCOL, Layout(1920, 1080))
        case "txt":
            said = {"subject": "DF1", "writer": "A", "relationship": "b"}
            for one in plan([path], Folder(path.parent / "into"), "en", constants=said).subjects:
                check_set("DF1", one.messages, PROTOCOL, Layout(1920, 1080))
        case _:
            plan([path], Folder(path.parent / "into"), "en")


def outcome(kind: str, path: Path) -> str:
    """How a process of its own ended that read it."""
    if not (child := os.fork()):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        signal.alarm(LIMIT_S)
        try:
            read(kind, path)
            os._exit(0)
        except DayFourError:
            os._exit(3)
        except BaseException as error:  # noqa: BLE001 - that is what is counted
            os.write(2, f"{path.name}: {type(error).__name__}: {error}\n"[:300].encode())
            os._exit(9)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "read", 3: "refused", -signal.SIGALRM: "too slow"}.get(status, f"failed ({status})")


def test_hostile_files(tmp_path: Path) -> None:
    """None of the files crashes, hangs, takes more memory or ends in an error that nobody foresaw."""
    counts, slowest = Counter[str](), 0.0
    for kind, path in files(tmp_path):
        start = time.perf_counter()
        found = outcome(kind, path)
        took_s = time.perf_counter() - start
        slowest = max(slowest, took_s)
        counts[found] += 1
        if found not in {"read", "refused"}:
            print(f"{path.name} ({kind}): {found} after {took_s:.1f} s")
        path.unlink()
    print(f"{COUNT} files: {dict(counts)}; slowest {slowest:.1f} s")
    assert set(counts) <= {"read", "refused"}
