"""Text becomes the same pixels everywhere: direction, wrapping, fonts, missing glyphs, and nothing cut off."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from experiment.design.message import Message, read_messages
from experiment.design.scale import Scale
from experiment.drawing import fonts, scripts
from experiment.drawing.controls import draw_button, draw_marker, draw_scale
from experiment.drawing.message import draw_message, draw_messages, message_sizes_px
from experiment.drawing.scripts import blank_glyphs, missing_glyphs, needs_language
from experiment.drawing.typeset import Picture, Style, draw_text
from experiment.errors import BadInput, EquipmentFailure
from experiment.task.layout import Layout
from tests.type_size import fitting_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
STYLE = Style(28, (0x26, 0x23, 0x1F), (0xF5, 0xF2, 0xEC), 920, quiet=(0x6E, 0x67, 0x5D), accent=(0x2F, 0x5D, 0x62))
NARROW = replace(STYLE, width_px=None)
PITCH_PX = 42  # 1.5 times 28
SCALE = Layout(1280, 720).scale(Scale(labels=("Not at all", "Extremely")))
TICKS_PX = [SCALE.tick_px(point) for point in range(1, 8)]
SIZES_PX = (32, 30, 28, 26, 24, 22, 20, 18)
EXAMPLES = {path.stem: read_messages(path) for path in sorted((ROOT / "stimuli" / "examples").glob("*.csv"))}
EVERY = [message for six in EXAMPLES.values() for message in six]
MESSAGES = [
    pytest.param(message, id=f"{name}-{message.message_id}") for name, six in EXAMPLES.items() for message in six
]
SCRIPTS = {
    "Greek": "Σε σκέφτομαι κάθε μέρα",
    "Cyrillic": "Я тебя очень люблю",
    "Vietnamese": "Con yêu, mẹ nhớ con lắm",
    "Arabic": "أنا فخورة بك",
    "Persian": "دلم برایت تنگ شده عزیزم",
    "Urdu": "مجھے تم پر فخر ہے",
    "Hebrew": "אני אוהבת אותך",
    "Devanagari": "मुझे तुम पर गर्व है।",
    "Bengali": "তোমাকে খুব মনে পড়ে।",
    "Gujarati": "મને તારા પર ગર્વ છે",
    "Gurmukhi": "ਮੈਨੂੰ ਤੇਰੇ ਤੇ ਮਾਣ ਹੈ",
    "Tamil": "நான் உன்னை நேசிக்கிறேன்",
    "Telugu": "నేను నిన్ను ప్రేమిస్తున్నాను",
    "Kannada": "ನಾನು ನಿನ್ನನ್ನು ಪ್ರೀತಿಸುತ್ತೇನೆ",
    "Malayalam": "ഞാൻ നിന്നെ സ്നേഹിക്കുന്നു",
    "Sinhala": "මම ඔයාට ආදරෙයි",
    "Thai": "คิดถึงเธอเสมอ",
    "Lao": "ຂ້ອຍຮັກເຈົ້າ",
    "Khmer": "ខ្ញុំស្រឡាញ់អ្នក",
    "Burmese": "မင်းကိုချစ်တယ်",
    "Chinese": "我们都很想你",
    "Japanese": "いつもありがとう、元気でね",
    "Korean": "항상 고마워요",
    "Ethiopic": "እወድሃለሁ",
    "Georgian": "მიყვარხარ",
    "Armenian": "Ես քեզ սիրում եմ",
}


def ink(picture: Picture) -> NDArray[np.bool_]:
    """Where a picture (height, width) differs from its background."""
    return np.asarray(np.any(picture.pixels != STYLE.background, axis=2))


def ink_x(picture: Picture) -> NDArray[np.intp]:
    """The columns of a picture that hold ink."""
    return np.flatnonzero(ink(picture).any(axis=0))


def rows(picture: Picture) -> int:
    """How many lines of text of 28 px a picture has room for."""
    return (picture.height_px - 2 * STYLE.side_px) // PITCH_PX


def assert_whole(picture: Picture) -> None:
    """Check what every picture keeps: sides, type, edges."""
    pixels = picture.pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == (picture.height_px, picture.width_px, 3)
    assert pixels.flags.c_contiguous
    assert not pixels.flags.writeable
    assert (picture.height_px % 2, picture.width_px % 2) == (0, 0)
    edges = ink(picture)
    assert not edges[[0, -1]].any()
    assert not edges[:, [0, -1]].any()


@pytest.mark.parametrize("message", MESSAGES)
def test_every_example_message_is_drawn_whole(message: Message) -> None:
    """Every example message fits the reading area with its writer, lacks no glyph and leaves the edges free."""
    assert missing_glyphs(message.text + message.writer, message.language) == []
    picture = draw_message(message.text, message.writer, STYLE, message.language)
    assert_whole(picture)
    assert picture.width_px == 920
    assert picture.height_px <= 560
    assert not needs_language(message.text, message.language)


def test_the_examples_are_three_sets_of_six_and_a_scan_s() -> None:
    """There are three example sets of six messages, each with ids and relationships of its own, and one for a scan."""
    assert {name: len(some) for name, some in EXAMPLES.items()} == {"emoji": 6, "english": 6, "scripts": 6, "scan": 24}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_has_its_glyphs_and_ink(text: str) -> None:
    """In every script no glyph is missing, and every cluster that is not white space leaves ink of its own."""
    assert missing_glyphs(text) == []
    assert_whole(draw_text(text, STYLE))
    box = draw_text("\U0010fffd", NARROW).sha256
    for cluster in set(scripts.CLUSTER.findall(text)) - {" "}:
        drawn = draw_text(cluster, NARROW)
        assert ink(drawn).any(), cluster
        assert drawn.sha256 != box, cluster


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Hello שלום", "left"),
        ("שלום Hello", "right"),
        ("123 مرحبا", "right"),
        ("😀 !! Hello", "left"),
        ("❤️ שלום", "right"),
        ("…", "left"),
    ],
)
def test_the_first_strong_character_gives_the_direction(text: str, begins: str) -> None:
    """A line begins on the side that its first strong character tells, past digits, signs and emoji."""
    columns = ink_x(draw_text(text, STYLE))
    assert (columns[0] < 20) == (begins == "left")
    assert (columns[-1] > 900) == (begins == "right")


def test_each_line_has_its_own_direction() -> None:
    """An English line below a Hebrew one begins on the left; a line of emoji alone follows the message."""
    drawn = ink(draw_text("שלום\nHello\n❤️", STYLE))
    first, second, third = (
        np.flatnonzero(drawn[STYLE.side_px + line * PITCH_PX :][:PITCH_PX].any(axis=0)) for line in range(3)
    )
    assert first[-1] > 900
    assert second[0] < 20
    assert third[-1] > 900


def test_the_words_of_a_line_stand_in_the_order_of_reading() -> None:
    """Hebrew words are laid from right to left: what is added later stands on the left."""
    one, two = (ink(draw_text(text, STYLE)) for text in ("אב", "אב גד"))
    begin = np.flatnonzero(one.any(axis=0))[0]
    assert (two[:, begin:] == one[:, begin:]).all()
    assert two[:, :begin].any()


def test_line_breaks_blank_lines_and_indents_stay_as_typed() -> None:
    """A poem keeps its lines, its empty lines and its indents, whatever characters end the lines."""
    poem = draw_text("one\n    two\n\nthree", STYLE)
    assert rows(poem) == 4
    assert poem.sha256 == draw_text("one\r\n    two\r\r\nthree\n", STYLE).sha256
    assert poem.sha256 == draw_text("\n\none\u2028\ttwo\n \nthree  \n\n", STYLE).sha256
    indented = np.flatnonzero(ink(poem)[STYLE.side_px + PITCH_PX :][:PITCH_PX].any(axis=0))
    assert indented[0] > STYLE.side_px + 20


def test_multiple_spaces_stay() -> None:
    """Every space that was typed widens the line by the same amount."""
    once, twice, thrice = (ink_x(draw_text(f"a{' ' * count}b", NARROW))[-1] for count in (1, 2, 3))
    assert twice - once > 5
    assert abs((thrice - twice) - (twice - once)) <= 1


@pytest.mark.parametrize("text", ["word " * 60, "语" * 200, "ความรักของแม่" * 30, "मेरी प्यारी " * 40, "❤️" * 100])
def test_long_lines_wrap_inside_the_width(text: str) -> None:
    """Text with and without spaces wraps, and the picture keeps the width that was asked for."""
    picture = draw_text(text, STYLE)
    assert_whole(picture)
    assert picture.width_px == 920
    assert rows(picture) > 3


@pytest.mark.parametrize("word", ["a" * 300, "W" * 41, "https://example.org/" + "long-path/" * 30, "ﷺ" * 40, "ਕ" * 90])
def test_a_word_longer_than_a_line_breaks(word: str) -> None:
    """A link or a word without end breaks instead of leaving the picture, and none of it is lost."""
    picture = draw_text(word, STYLE)
    assert_whole(picture)
    assert picture.width_px == 920
    assert rows(picture) > 1


def test_a_link_breaks_behind_its_signs() -> None:
    """A long link is cut behind a slash, not within a name."""
    link = "https://example.org/" + "holidays/" * 8 + "holidays"
    at_slashes = [
        draw_text(f"{link[: cut.end()]}\n{link[cut.end() :]}", STYLE).sha256 for cut in re.finditer("/", link)
    ]
    assert at_slashes.count(draw_text(link, STYLE).sha256) == 1


def test_words_that_fit_are_never_cut() -> None:
    """A long word that fits a line by itself is not broken in it."""
    word = "Donaudampfschifffahrtsgesellschaft"
    assert draw_text(f"{'word ' * 9}\n{word}", STYLE).height_px == draw_text(f"{'word ' * 9}{word}", STYLE).height_px
    assert draw_text(word, STYLE).sha256 == draw_text(f"{word}\n", STYLE).sha256


def test_korean_lines_break_between_words() -> None:
    """A Korean word stays whole, and so do the sign and the Latin letters that cling to it."""
    words = ["한국어문장은", "“보통”이라고", "2호선에서", "띄어쓰기로", "(나뉜다)라고", "KBS방송에서"] * 2
    for count in range(1, len(words) + 1):
        text = " ".join(words[:count])
        drawn = draw_text(text, replace(STYLE, width_px=400), "ko").sha256
        breaks = [" ".join(words[:at]) + "\n" + " ".join(words[at:count]) for at in range(1, count)]
        if rows(draw_text(text, replace(STYLE, width_px=400), "ko")) == 2:
            assert [draw_text(one, replace(STYLE, width_px=400), "ko").sha256 for one in breaks].count(drawn) == 1
    assert rows(draw_text("띄어쓰기" * 40, STYLE, "ko")) == 5
    assert draw_text("띄어쓰기로", NARROW).sha256 == draw_text("띄어쓰기로", NARROW, "ko").sha256


def test_words_tied_by_no_break_spaces_break_only_where_they_must() -> None:
    """No-break spaces, which word processors put in, hold words together, but push none out of the picture."""
    tied = draw_text("word\u00a0" * 60, STYLE)
    assert_whole(tied)
    assert tied.width_px == 920
    for count in range(1, 13):
        before, after = "word " * count, "10\u00a0000\u00a0km"
        drawn = draw_text(before + after, STYLE)
        assert rows(drawn) == 1 or drawn.sha256 == draw_text(f"{before}\n{after}", STYLE).sha256
    assert rows(drawn) == 2


def test_no_space_is_added_between_scripts() -> None:
    """Latin letters beside Chinese and Japanese ones stand as near as they were typed."""
    together, apart = (ink_x(draw_text(text, NARROW, "ja"))[-1] for text in ("夜OK夜", "夜 OK 夜"))
    assert apart - together > 12


@pytest.mark.parametrize("text", ["a", "ä", "❤️", "👨‍👩‍👧 ok", "漢字", "हिन्दी", "ที่", "1️⃣"])
def test_a_line_is_as_high_with_emoji_as_without(text: str) -> None:
    """Every line has the same pitch, whatever stands in it."""
    assert rows(draw_text(f"{text}\n{text}\n{text}", STYLE)) == 3


def test_marks_stacked_high_are_not_cut_off() -> None:
    """Where marks rise above the first line, the picture grows until no edge holds ink."""
    picture = draw_text("Z" + "\u0301" * 12, STYLE)
    assert_whole(picture)
    assert picture.height_px > draw_text("Z", STYLE).height_px


@pytest.mark.parametrize(
    "sign", ["#", "$", "*", "=", "\\", "@", "_", "`", "<", "~", "[", "]", "//", "/*", '"', "'", "--"]
)
def test_markup_stays_text(sign: str) -> None:
    """Signs that mean something to the typesetter are drawn as what they are, and count as what they are."""
    drawn = draw_text(f"{sign} a {sign}", NARROW)
    assert ink_x(drawn)[-1] > ink_x(draw_text("a", NARROW))[-1] + 5
    assert missing_glyphs(sign) == []


def test_code_for_the_typesetter_has_no_effect() -> None:
    """A message that is a program is drawn as its own source, in one line a line."""
    code = '#panic("no") #include "/etc/passwd" $x^2$ \\ #sys.inputs'
    assert rows(draw_text(code, replace(STYLE, width_px=2000))) == 1


@pytest.mark.parametrize(
    "cluster",
    ["\U0010fffd", "\ue000", "😀\u200d🍕", "🇽🇽", "ދި", "Ꮳ", "\ufffe", "😀🏽\u200d🍕", "\x07"],
)
def test_a_missing_glyph_is_found(cluster: str) -> None:
    """Private, unassigned and unsupported characters and impossible emoji and flags are reported, once each."""
    assert missing_glyphs(f"Dear {cluster} and {cluster}!") == [cluster]


@pytest.mark.parametrize(
    "text",
    [
        "❤️ ❤ ♥ ☺️ ☕",
        "👨‍👩‍👧‍👦 👩🏽‍🦰 🫶🏾 👍🏿 🏳️‍🌈 🏴‍☠️ 👩‍❤️‍💋‍👨",
        "🇬🇧 🇩🇪 🇺🇳 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "1️⃣ #️⃣ *️⃣ 🔟",
        "“quotes” ‘single’ — … • € ™ © ½ ° ★ ♪ ✓ → ∞",
        "a\u0301 e\u0302\u0323 n\u0303",
        "می\u200cخواهم \u200f \u2067x\u2069 \ufeff \u00ad \u200b \ufe0f",
        "¯\\_(ツ)_/¯",
        "(｡◕‿◕｡) ʕ•ᴥ•ʔ ᕦ(ò_óˇ)ᕤ ✧ ❥ ✗ ✿",
        "𝓵𝓸𝓿𝓮 𝐲𝐨𝐮 𝖘𝖔 𝕞𝕦𝕔𝕙 𝘢𝘭𝘸𝘢𝘺𝘴 𝙵𝚘𝚛𝚎𝚟𝚎𝚛 𝗯𝗼𝗹𝗱 𝟟",
    ],
)
def test_what_is_there_is_not_reported(text: str) -> None:
    """Emoji in all their forms, quotes, signs, marks and invisible characters are no false alarm."""
    assert missing_glyphs(text) == []
    assert_whole(draw_text(text, STYLE))


@pytest.mark.parametrize("cluster", ["\u3164", "\u115f", "\u1160", "\uffa0"])
def test_letters_without_ink_are_found(cluster: str) -> None:
    """Blank letters are reported as inkless, once each; they lack no glyph."""
    assert missing_glyphs(cluster) == []
    assert blank_glyphs(f"Dear {cluster} and {cluster}!") == [cluster]
    assert not ink(draw_text(cluster, NARROW)).any()


@pytest.mark.parametrize(
    "text", ["a b\tc\n\u3000\u00a0\u202f", "\u200d\u200e\u2067x\u2069\ufeff\u00ad\u200b\ufe0f", "ღ . '", ""]
)
def test_white_space_and_marks_of_direction_may_leave_no_ink(text: str) -> None:
    """What is no writing, and what leaves ink, however little, is not reported as inkless."""
    assert blank_glyphs(text) == []


def test_fancy_letters_are_drawn_in_a_name_too() -> None:
    """Mathematical letters have their glyphs in the heavier type of names, where the bold font lacks most of them."""
    bold = replace(NARROW, weight=600)
    box = ink(draw_text("\U0010fffd", bold))
    assert all(draw_text(one, bold).sha256 == draw_text(one, NARROW).sha256 for one in "𝓵𝐲𝖘𝕞𝘢𝙵𝗯𝟟")
    assert not any(np.array_equal(ink(draw_text(one, bold)), box) for one in "𝓵𝐲𝖘𝕞𝘢𝙵𝗯𝟟✗✧ᕦ")


def test_emoji_are_coloured_and_digits_are_text() -> None:
    """A heart is red with and without its selector, a keycap is coloured, and digits have the colour of the text."""

    def is_coloured(text: str) -> bool:
        pixels = draw_text(text, NARROW).pixels.astype(int)
        return bool((pixels.max(axis=2) - pixels.min(axis=2) > 60).any())

    assert all(is_coloured(text) for text in ("❤️", "❤", "1️⃣", "🇬🇧", "a😀"))
    assert not any(is_coloured(text) for text in ("0123456789#*", "©®™", "a b", "❤\ufe0e", "☎\ufe0e ☀\ufe0e"))
    assert missing_glyphs("❤\ufe0e ☎\ufe0e ☀\ufe0e") == []


def test_a_joined_emoji_is_one_picture() -> None:
    """A family, a skin tone and a flag are as wide as one emoji."""
    one = draw_text("😀", NARROW).width_px
    assert {draw_text(text, NARROW).width_px for text in ("👨‍👩‍👧‍👦", "👍🏽", "🇬🇧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣")} == {one}


def test_chinese_japanese_and_korean_have_their_own_forms() -> None:
    """The same code points are drawn in the form of the language, declared or told by kana and hangul."""
    drawn = {language: draw_text("直骨誤", STYLE, language).sha256 for language in ("zh", "zh-Hant", "ja")}
    assert len(set(drawn.values())) == 3
    assert draw_text("直骨誤かな", STYLE, "en").sha256 == draw_text("直骨誤かな", STYLE, "ja").sha256
    assert draw_text("直骨誤", STYLE, "en").sha256 == drawn["zh"]


@pytest.mark.parametrize(
    ("text", "language", "needed"),
    [
        ("我很想你", "en", True),
        ("我很想你", "", True),
        ("我很想你", "zh-Hant", False),
        ("元気でね", "en", False),
        ("사랑해 愛", "en", False),
        ("Hello ★", "en", False),
    ],
)
def test_a_language_is_asked_for_only_where_it_matters(text: str, language: str, *, needed: bool) -> None:
    """Chinese characters without kana, hangul or a declared language are ambiguous; all else is not."""
    assert needs_language(text, language) is needed


@pytest.mark.parametrize("language", ["english!", "zh_CN", "en en", "Dear Lena"])
def test_a_language_that_is_none_is_refused(language: str) -> None:
    """A tag that no language can have is bad input, for drawing and for checking."""
    with pytest.raises(BadInput, match="language"):
        draw_text("Hello", STYLE, language)
    with pytest.raises(BadInput, match="language") as refused:
        missing_glyphs("Hello", language)
    assert language not in str(refused.value).replace("zh-Hant", "")


def test_nothing_is_a_picture_too() -> None:
    """An empty text is an empty picture, in a set width and without one."""
    for style in (STYLE, NARROW):
        for text in ("", "\n", "  \n "):
            picture = draw_text(text, style)
            assert_whole(picture)
            assert not ink(picture).any()


def test_a_name_stands_above_its_message() -> None:
    """The name is drawn where the message begins, and the message below is the same as alone."""
    body = draw_text("Hello there", STYLE)
    named = draw_message("Hello there", "Mum", STYLE)
    assert_whole(named)
    assert (named.pixels[-body.height_px :] == body.pixels).all()
    assert draw_message("Hello there", None, STYLE).sha256 == body.sha256
    above_hebrew = ink(draw_message("שלום", "Mum", STYLE))[: PITCH_PX // 2]
    assert np.flatnonzero(above_hebrew.any(axis=0))[0] > 800


def test_several_messages_are_drawn_as_each_by_itself() -> None:
    """Messages that are drawn at the same time have the pixels that each has alone, in their order."""
    for names in (True, False):
        alone = [draw_message(one.text, one.writer if names else None, STYLE, one.language) for one in EVERY]
        assert [one.sha256 for one in draw_messages(EVERY, STYLE, with_writer=names)] == [one.sha256 for one in alone]


def message(text: str, message_id: str = "mother") -> Message:
    """Write a message of a mother."""
    return Message(message_id, "Mum", "mother", "en", text)


def test_the_largest_fitting_size_is_found() -> None:
    """Every message fits with the size found, and one does not with the next larger."""
    messages = [message("A short one."), message("She walked along the river and thought of you. " * 18)]
    size_px = fitting_size(messages, 920, 560, SIZES_PX)
    assert SIZES_PX[-1] < size_px < SIZES_PX[0]
    larger_px = min(size for size in SIZES_PX if size > size_px)
    heights = {
        size: max(draw_message(one.text, one.writer, replace(STYLE, size_px=size)).height_px for one in messages)
        for size in (size_px, larger_px)
    }
    assert heights[size_px] <= 560 < heights[larger_px]
    assert fitting_size(messages[:1], 920, 560, SIZES_PX) == SIZES_PX[0]


@pytest.mark.parametrize("name", ["english", "emoji", "scripts"])
def test_sizes_are_known_without_drawing(name: str) -> None:
    """Measured without drawing, a message has the size that it has when it is drawn."""
    for size_px in (*SIZES_PX, 26.7, 40):
        style = replace(STYLE, size_px=size_px)
        drawn = [draw_message(one.text, one.writer, style, one.language) for one in EXAMPLES[name]]
        assert message_sizes_px(EXAMPLES[name], style) == [(one.width_px, one.height_px) for one in drawn]


@pytest.mark.parametrize(
    "text",
    ["Z" + "\u0301" * 12, "g" + "\u0323" * 9, "W" * 200, "\u0b94" * 90, "a\u00a0" * 90, "❤️" + "!" * 99, "", "ﷺ" * 90],
)
def test_sizes_of_what_leaves_its_line_are_known(text: str) -> None:
    """A text that makes its picture grow, by marks stacked high or words without end, is measured as it is drawn."""
    for width_px in (920, 180, 60):
        style = replace(STYLE, width_px=width_px)
        drawn = draw_message(text, "Mum", style)
        assert message_sizes_px([message(text)], style) == [(drawn.width_px, drawn.height_px)]
    body = draw_text(text, STYLE)
    assert message_sizes_px([message(text)], STYLE, with_writer=False) == [(body.width_px, body.height_px)]


REACHING = [
    "\u0633\u06d6\u0644\u0627\u0645 \u0645\u0646 \u0623\u0645\u064a",
    "Z\u0303\u0308\u0344 and five more words",
    "\u0301 begins with it",
]


@pytest.mark.parametrize("text", REACHING)
def test_a_picture_keeps_its_width_when_marks_reach_an_edge(text: str) -> None:
    """Marks above the first line make a picture higher, and one over a side makes its lines shorter, not it wider."""
    for size_px in SIZES_PX:
        picture = draw_text(text, replace(STYLE, size_px=size_px))
        assert_whole(picture)
        assert picture.width_px == 920
    assert fitting_size([message(text)], 920, 560, SIZES_PX) == SIZES_PX[0]


def test_marks_without_end_fit_nowhere() -> None:
    """A letter with thousands of marks is drawn by nobody: it fits no room, which is soon known."""
    endless = "Z" + "\u0301" * 3000
    with pytest.raises(BadInput, match="message mother"):
        fitting_size([message(endless)], 920, 560, SIZES_PX)
    with pytest.raises(BadInput, match="so many marks"):
        draw_text(endless, STYLE)


def test_usual_letters_stay_in_their_lines() -> None:
    """The letters that are measured without a look have room in a line of every font that has them."""
    usual = [chr(code) for code in range(0x3200) if scripts.USUAL.fullmatch(chr(code))] + list("一永龍한글")
    for letter in usual:
        found = [one for one in (fonts.LATIN_FAMILY, fonts.CJK_FAMILY) if fonts.draws_text(letter, one)]
        if found and (box := fonts.box(letter, found[0])):
            assert box.top < 1.2, letter
            assert box.bottom > -0.55, letter
            assert box.left > -0.15, letter
            assert box.right < box.advance + 0.15, letter
            assert box.advance < scripts.USUAL_EM, letter


def test_a_message_that_cannot_fit_is_named_without_its_text() -> None:
    """The error names the message's id and says what to do; none of the text stands in it."""
    with pytest.raises(BadInput, match="message grandmother") as caught:
        fitting_size([message("short"), message("Secret words. " * 400, "grandmother")], 920, 560, SIZES_PX)
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_ticks_lie_on_the_pixels_that_were_asked_for() -> None:
    """Each tick covers exactly the two columns about its position, and the line the two rows about its height."""
    picture = draw_scale("How connected do you feel?", SCALE, STYLE)
    assert_whole(picture)
    assert picture.pixels.shape == (340, 900, 3)
    above_line = ink(picture)[SCALE.line_px - 8]
    assert np.flatnonzero(above_line).tolist() == [x + side for x in TICKS_PX for side in (-1, 0)]
    middle = TICKS_PX[0] + 55
    on_line = np.flatnonzero(ink(picture)[170:200, middle]) + 170
    assert on_line.tolist() == [189, 190]


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_low_is_on_the_left_unless_mirrored(is_mirrored: bool) -> None:  # noqa: FBT001 - pytest gives it
    """The label of the low end stands about the first tick from the left, or from the right."""
    places = Layout(1280, 720).scale(Scale(labels=("I", ""), is_mirrored=is_mirrored))
    label = np.flatnonzero(ink(draw_scale("", places, STYLE))[places.labels_px :].any(axis=0))
    assert abs(label.mean() - TICKS_PX[-1 if is_mirrored else 0]) < 3


def test_a_centred_question_is_balanced() -> None:
    """A question of two lines has no single word left on its second line."""
    question = "How connected do you feel to the person who wrote this message?"
    drawn = ink(draw_text(question, replace(STYLE, size_px=28, width_px=800, align="center")))
    first, second = (
        np.ptp(np.flatnonzero(drawn[STYLE.side_px + line * PITCH_PX :][:PITCH_PX].any(axis=0))) for line in range(2)
    )
    assert second > 0.7 * first


def test_a_button_has_its_size_and_its_label_inside() -> None:
    """A button is as large as asked, of the accent colour, and a long label is made smaller."""
    for label in ("Continue", "A label that is much too long for this button", "متابعة", "👍"):
        picture = draw_button(label, 300, 56, STYLE)
        assert picture.pixels.shape == (56, 300, 3)
        assert tuple(picture.pixels[28, 2]) == STYLE.accent
        assert tuple(picture.pixels[0, 0]) == STYLE.background
        assert (picture.pixels != np.array(STYLE.accent)).any(axis=2)[20:36, 20:280].any()
        assert (picture.pixels[:, 1:4] == picture.pixels[:, -2:-5:-1]).all()


def test_a_marker_is_round() -> None:
    """The marker is the same in every mirror image, opaque in its middle and clear in its corners."""
    marker = draw_marker(36, STYLE)
    assert marker.shape == (36, 36, 4)
    assert marker.dtype == np.uint8
    assert (marker == marker[::-1]).all()
    assert (marker == marker[:, ::-1]).all()
    assert (marker == marker.transpose(1, 0, 2)).all()
    assert tuple(marker[18, 18]) == (*(STYLE.accent or ()), 255)
    assert marker[0, 0, 3] == 0
    assert draw_marker(35, STYLE).shape == (36, 36, 4)


GOLDEN = {
    "emoji": "0aef57e0635b878cf693118d9eec80013d25af22b7ba9edb1c8c3420b6833228",
    "english": "f01473cbe0bc2e0dc50f3d54e15dc9c82aeddb179dbd4f91e043a80e19f54979",
    "scripts": "3289ff6746fa655b71e731a4dcce529b78a82ce0b65962f97fffc502555f4f06",
    "scale": "f3b96bda0410f6a5eaa849582fe86055f6c201f15a5f0cc0e19a0f809467e4ab",
    "button": "53adc0147e64b9b7ebc343d2759118769153b309abaf5c0144ccf5d9c28f053b",
}


def golden() -> dict[str, str]:
    """Digests of one picture of each kind."""
    pictures = {
        name: draw_message(one.text, one.writer, STYLE, one.language)
        for name, one in ((name, six[0]) for name, six in EXAMPLES.items())
        if name in GOLDEN
    }
    pictures["scale"] = draw_scale("How good did it feel?", SCALE, STYLE)
    pictures["button"] = draw_button("Continue", 300, 56, STYLE)
    return {name: picture.sha256 for name, picture in pictures.items()}


def test_pictures_equal_those_that_were_looked_at() -> None:
    """The digests are those of pictures that people looked at; if not, a font, the typesetter or a style changed."""
    assert golden() == GOLDEN


def test_another_process_draws_the_same() -> None:
    """Another process, with no system fonts to find and another hash seed, draws the same pixels."""
    code = "import sys; sys.path[:0] = sys.argv[1:]; import test_text; print(*test_text.golden().values())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), str(ROOT / "tests")],
        env=os.environ | {"PYTHONHASHSEED": "7", "FONTCONFIG_FILE": "nowhere", "HOME": "nowhere", "LANG": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == list(golden().values())


def test_the_digest_is_of_shape_and_pixels() -> None:
    """Pictures with equal bytes and other shapes have other digests."""
    row = np.zeros((2, 6, 3), dtype=np.uint8)
    assert Picture(row).sha256 == hashlib.sha256(b"2x6x3" + bytes(36)).hexdigest()
    assert Picture(row).sha256 != Picture(row.reshape(6, 2, 3)).sha256


def test_a_damaged_emoji_font_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font file that is not the one of the SHA-256 file is an equipment failure that names the file."""
    fonts.check_emoji_font()
    (tmp_path / fonts.EMOJI_FONT).write_bytes(b"\0")
    digest = (fonts.EMOJI_FOLDER / f"{fonts.EMOJI_FONT}.sha256").read_bytes()
    (tmp_path / f"{fonts.EMOJI_FONT}.sha256").write_bytes(digest)
    monkeypatch.setattr(fonts, "EMOJI_FOLDER", tmp_path)
    with pytest.raises(EquipmentFailure, match=r"NotoColorEmoji\.ttf"):
        fonts.check_emoji_font.__wrapped__()
    with pytest.raises(EquipmentFailure, match="Noto Color Emoji"):
        fonts.fonts.__wrapped__()


def test_the_versions_that_decide_the_pixels_are_known() -> None:
    """The transcript can name the typesetter, the font packages and the emoji font by its digest."""
    found = fonts.versions()
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["typst"])
    assert found["NotoColorEmoji.ttf"].startswith("sha256:e5899ed3")
    assert found["DejaVuSans.ttf"].startswith("sha256:3fdf69ca")
    assert found["STIXGeneral.ttf"].startswith("sha256:16737803")
    assert set(fonts.FONT_PACKAGES) < set(found)


def test_drawing_needs_no_import_before_the_first_text() -> None:
    """Importing the module loads neither the typesetter nor the shaper, so that every command starts at once."""
    slow = "{'typst', 'uharfbuzz', 'PIL', 'psychopy'}"
    code = f"import sys, experiment.drawing.message; sys.exit(bool({slow} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


any_text = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Cc")),
        st.sampled_from(
            ["\n", "\t", " ", "\u200d", "\ufe0f", "\u20e3", "\u0301", "🏽", "🇬", "א", "ع", "語", "क", "ः", "ﷺ"]
        ),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(text=any_text)
def test_any_text_is_drawn_whole(text: str) -> None:
    """No text raises, none leaves ink on an edge, and each has the size that was measured."""
    style = replace(STYLE, width_px=300)
    drawn = draw_message(text, text[:5], style)
    assert_whole(drawn)
    assert message_sizes_px([structs.replace(message(text), writer=text[:5])], style) == [
        (drawn.width_px, drawn.height_px)
    ]
    assert set(missing_glyphs(text)) <= set(scripts.CLUSTER.findall(text))
