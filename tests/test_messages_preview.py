"""The preview shows a participant's messages as a session will, to whoever may see them and to nobody else."""

from __future__ import annotations

import base64
import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.cli import check_messages
from experiment.design.colours import rgb
from experiment.design.message import Message, hide_digests, messages_csv, practice_message, read_messages
from experiment.design.protocol import read_protocol
from experiment.design.session import draw_session
from experiment.drawing.stimuli import draw_pictures
from experiment.messages.legibility import sizes_of
from experiment.messages.preview import preview, screens
from experiment.messages.store import PREVIEW, Folder
from experiment.record.dataset import DataSet
from experiment.record.events import MessageScene
from experiment.session import run as sessions
from experiment.session.plan import Plan
from experiment.task.layout import Layout
from tests.strategies import PROTOCOL

EXAMPLES = Path(__file__).resolve().parents[1] / "stimuli" / "examples"
ENGLISH = read_messages(EXAMPLES / "english.csv")
ENDLESS = "a" + "\u0301" * 900
SCRIPTS = read_messages(EXAMPLES / "scripts.csv")
LAYOUT = Layout(1280, 720)
BUTTON = PROTOCOL.wording.next_button


def shown_pixels(page: Path) -> list[NDArray[np.uint8]]:
    """The full-size pictures in a page, decoded."""
    found = re.findall(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"', page.read_text(encoding="utf-8"))
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def test_the_pixels_are_those_that_a_window_draws(tmp_path: Path) -> None:
    """Every full-size picture of the page is the session's own: background, message and button, pixel by pixel."""
    _, page, _ = preview("DF001", SCRIPTS, PROTOCOL, LAYOUT, tmp_path)
    pictures = draw_pictures(PROTOCOL, (practice_message(PROTOCOL), *SCRIPTS), LAYOUT)
    shown = shown_pixels(page)
    assert len(shown) == 6
    for pixels, message in zip(shown, SCRIPTS, strict=True):
        expected = np.full((720, 1280, 3), rgb(PROTOCOL.display.background), np.uint8)
        for part in pictures.parts(MessageScene(message.message_id, BUTTON)):
            top = 360 - part.y_px - part.height_px // 2
            left = 640 + part.x_px - part.width_px // 2
            expected[top : top + part.height_px, left : left + part.width_px] = part.picture.pixels
        assert np.array_equal(pixels, expected)
        digests = hide_digests(pictures.message_sha256, SCRIPTS)
        assert digests[message.message_id] in page.read_text(encoding="utf-8")


def test_what_is_said_of_a_screen_is_so() -> None:
    """Digest, words and type size under a screen are those of the session's picture."""
    one = screens(ENGLISH, PROTOCOL, LAYOUT, ENGLISH)[0]
    pictures = draw_pictures(PROTOCOL, (practice_message(PROTOCOL), *ENGLISH), LAYOUT)
    assert one.sha256 == hide_digests(pictures.message_sha256, ENGLISH)["mother"]
    assert (one.message_id, one.words) == ("mother", 102)
    assert one.size_px == LAYOUT.size(sizes_of(ENGLISH, PROTOCOL, LAYOUT).together)


def test_the_files_are_private_and_can_be_forgotten(tmp_path: Path) -> None:
    """Only the owner can read what a preview writes, and forgetting a participant removes it."""
    folder = Folder(tmp_path)
    folder.write("DF001", ENGLISH)
    *written, _ = preview("DF001", ENGLISH, PROTOCOL, LAYOUT, tmp_path / PREVIEW)
    assert [path.name for path in written] == ["sub-DF001.png", "sub-DF001.html"]
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    folder.forget("DF001")
    assert not any(path.exists() for path in written)


class Links(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, and addresses that are no data."""
        outside = [value for name, value in attrs if name in ("src", "href") and not (value or "").startswith("data:")]
        self.found += [tag] if tag in ("script", "link", "iframe") else [str(one) for one in outside]


def test_a_message_that_cannot_be_shown_is_named(tmp_path: Path) -> None:
    """It is not on the page, which says so, as does the command, with status 1."""
    folder = Folder(tmp_path)
    folder.path.joinpath("sub-DF001.csv").write_bytes(messages_csv([replace(ENGLISH[0], text=ENDLESS), *ENGLISH[1:]]))
    done = CliRunner().invoke(app, ["messages", "preview", "--messages", str(tmp_path), "--subject", "DF001"])
    said = " ".join(done.output.split())
    assert (done.exit_code, f"because it cannot be shown: {ENGLISH[0].message_id}." in said) == (1, True), said
    page = (tmp_path / PREVIEW / "sub-DF001.html").read_text(encoding="utf-8")
    assert f"Not shown, as they cannot be drawn: {ENGLISH[0].message_id}." in page


def test_the_page_says_that_it_is_private_and_loads_nothing(tmp_path: Path) -> None:
    """The notice stands before all else, the findings are told, and nothing is loaded or run."""
    messages = [replace(ENGLISH[0], text=ENGLISH[1].text, message_id="<b>&"), *ENGLISH[1:]]
    _, page, _ = preview("DF001", messages, PROTOCOL, LAYOUT, tmp_path)
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found == []
    body = text[text.index("<body>") :]
    assert body.index("Private: these messages are for sub-DF001 only") < body.index("<img")
    assert "of message &lt;b&gt;&amp; again" in body
    assert "<b>&<" not in body


def test_the_sheet_holds_all_screens_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The picture has a screen for each message, three in a row, and the order is not that of a session."""
    sheet, page, _ = preview("DF001", ENGLISH, PROTOCOL, LAYOUT, tmp_path)
    with Image.open(sheet) as image:
        pixels = np.asarray(image.convert("RGB"))
    background = (pixels == rgb(PROTOCOL.display.background)).all(axis=2)
    assert background.sum() > 6 * 0.7 * 640 * 360
    ids = re.findall(r'alt="Message (\w+)"', page.read_text(encoding="utf-8"))
    session = draw_session(PROTOCOL, ENGLISH, subject="DF001", session=1, seed=1)
    assert ids == [message.message_id for message in ENGLISH] != [trial.message_id for trial in session.trials]


def test_a_split_shows_each_set_as_its_session_will(tmp_path: Path) -> None:
    """Sets stand apart without their sessions' numbers, each in the type size of its own session."""
    protocol = replace(PROTOCOL, message_sets="split", messages=2)
    long, short = ENGLISH[0], replace(ENGLISH[1], text="I am so glad that you are here with us again.")
    messages: list[Message] = [long, short, replace(long, message_id="b"), replace(short, message_id="c")]
    sets = (("c", "friend"), ("b", "mother"))
    _, page, _ = preview("DF001", messages, protocol, LAYOUT, tmp_path, sets)
    text = page.read_text(encoding="utf-8")
    assert re.findall(r'alt="Message (\w+)"', text) == ["mother", "b", "friend", "c"]
    for group in (messages[::2], messages[1::2]):
        pictures = draw_pictures(protocol, (practice_message(protocol), *group), LAYOUT)
        digests = hide_digests(pictures.message_sha256, messages)
        assert all(digest in text for name, digest in digests.items() if name != "practice")
    assert "not shared out" not in text
    _, page, _ = preview("DF001", messages, protocol, LAYOUT, tmp_path)
    assert "not shared out" in page.read_text(encoding="utf-8")


def test_a_split_that_a_session_recorded_is_shown(tmp_path: Path) -> None:
    """Before the first session its seed decides what belongs together; from then on what that session recorded."""
    protocol, folder, data = tmp_path / "protocol.toml", Folder(tmp_path / "participants"), DataSet(tmp_path / "data")
    written = (EXAMPLES.parent / "protocol.toml").read_text(encoding="utf-8").replace("messages = 6 ", "messages = 3 ")
    protocol.write_text(written.replace('message_sets = "same"', 'message_sets = "split"'), encoding="utf-8")
    folder.path.mkdir()
    folder.write("DF001", ENGLISH)
    recorded = (("friend", "mother", "sister"), ("grandfather", "partner", "teacher"))

    def shown() -> list[set[str]]:
        """The ids of each set on the page."""
        check_messages.preview("DF001", folder.path, "1280x720", tmp_path, 1, data.root, protocol)
        ids = re.findall(r'alt="Message (\w+)"', (tmp_path / "sub-DF001.html").read_text(encoding="utf-8"))
        return [set(ids[:3]), set(ids[3:])]

    assert set(recorded[0]) not in shown()
    read = read_protocol(protocol)
    drawn = draw_session(read, ENGLISH, subject="DF001", session=2, seed=1, sets=recorded)
    shown_then = (practice_message(read), *ENGLISH)
    sessions.run_simulated(Plan("run", drawn, shown_then, "RA", {}, data, participant="quick"))
    assert sorted(map(sorted, shown())) == sorted(map(sorted, recorded))


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "\u0f40"},
        {"text": "\u200b"},
        {"text": "so long " * 900},
        {"language": "English!"},
        {"writer": "\u3164"},
    ],
    ids=["glyph", "empty", "long", "language", "inkless"],
)
def test_only_what_cannot_be_drawn_is_left_out(tmp_path: Path, wrong: dict[str, str]) -> None:
    """Of an incomplete set with a message that cannot be drawn the others are shown, and that one is named."""
    messages = [replace(ENGLISH[0], **wrong), *ENGLISH[1:4]]
    _, page, _ = preview("DF001", messages, PROTOCOL, LAYOUT, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert re.findall(r'alt="Message (\w+)"', text) == [one.message_id for one in ENGLISH[1:4]]
    assert "as they cannot be drawn: mother." in text
    assert "There are 4 messages; 6 are needed" in text


def test_a_set_of_which_nothing_can_be_drawn_has_a_page_of_findings(tmp_path: Path) -> None:
    """Where no message can be drawn, the page says why."""
    folder = Folder(tmp_path / "participants")
    folder.write("DF001", [replace(ENGLISH[0], text="\u0f40")])
    with pytest.raises(typer.Exit):
        check_messages.preview(
            "DF001", folder.path, "1280x720", tmp_path, 1, tmp_path, EXAMPLES.parent / "protocol.toml"
        )
    assert "U+0F40" in (tmp_path / "sub-DF001.html").read_text(encoding="utf-8")
