"""What was damaged on the way is named: by its place and code points, in the right grade, and nothing that is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.design.message import read_messages
from experiment.messages import corruption

EXAMPLES = sorted((Path(__file__).parents[1] / "stimuli" / "examples").glob("*.csv"))
HEART = "\u2764\ufe0f"


def grades(text: str) -> list[str]:
    """The grades of all that is found in a text."""
    return [grade for grade, _ in corruption.findings(text)]


def told(text: str) -> str:
    """All that is said of a text."""
    return "\n".join(sentence for _, sentence in corruption.findings(text))


def misread(text: str, encoding: str) -> str:
    """UTF-8 that was read in another encoding; bytes that it lacks are lost."""
    return text.encode().decode(encoding, "ignore")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac_roman", "cp1251", "cp1250", "gb18030"])
@pytest.mark.parametrize("text", ["You are my best friend 😊", "I’m so proud of you"])
def test_wrong_encodings_are_named(text: str, encoding: str) -> None:
    """UTF-8 that was read as any usual encoding is an error, for emoji as for quotes."""
    assert "error" in grades(misread(text, encoding)), ascii(misread(text, encoding))


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("Te quiero, mam\u00c3\u00a1", "U+00C3 U+00A1 at character 15"),
        ("caf\u00c3\u00a9", "U+00C3 U+00A9 at character 4"),
        ("\u00e2\u00a4\u00ef\u00b8", "U+00E2 U+00A4 at character 1"),
        ("love \u00f0\u0178\u02dc\u0160", "U+00F0 U+0178 at character 6"),
        ("a\u00c3\u0192\u00c2\u00a9", "U+00C2 U+00A9"),  # twice
        ("5 \u00c2\u00b0C today", "U+00C2 U+00B0 at character 3"),
        ("love \ufffd\ufffd", "U+FFFD at character 6"),
        ("I\x92m here", "U+0092 at character 2"),
        ("wait\x85", "U+0085 at character 5"),
    ],
)
def test_lost_characters_are_named_by_code_point_and_place(text: str, signs: str) -> None:
    """The finding is an error and says which code points stand where."""
    assert grades(text)[0] == "error"
    assert signs in told(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("line_x000D_\nline", "_x000D_ at character 5"),
        ("a_xD83D__xDE0A_", "_xD83D_ at character 2"),
        ("you &amp; me", "&amp; at character 5"),
        ("love &#128522;", "&#128522; at character 6"),
        ("a&nbsp;b", "&nbsp; at character 2"),
        ("&hearts;", "&hearts; at character 1"),
        ("one<br>two", "4 signs at character 4"),
        ("<p>one</p>", "3 signs at character 1"),
        ("love =E2=9D=A4", "quoted-printable"),
        ("a line that a mail program cut, as it cuts all lines that are so long=\nas this", "quoted-printable"),
        ("<a href='x'>here</a>", "12 signs at character 1"),
        ("love \ufffc", "A picture or sticker was lost here"),
        ("Dear ${m://FirstName}, I", "16 signs at character 6"),
        ("Love \U0001f1e9", "half a flag"),
        ("Love \U0001f1e9\U0001f1ea\U0001f1ea", "The text contains half a flag (U+1F1EA at character 8)"),
        ("it\u00d5s me", "U+00D5 at character 3"),
        ("I don\u00d5t", "U+00D5 at character 6"),
        ("Sch\u00eene Gr\u00e0\u00b7e", "U+00B7 at character 11"),
        ("#NAME?", "spreadsheet error"),
        ("#REF!", "spreadsheet error"),
        ("caf?s and M?tter", "in words"),
        ("???? ?? ????", "replace words"),
    ],
)
def test_what_programs_leave_is_an_error(text: str, code: str) -> None:
    """Escapes, codes, tags, errors and marks in place of letters are errors, named as they are."""
    assert grades(text)[0] == "error"
    assert code in told(text)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("love you ???", "warning"),
        ("love you ??\n", "warning"),
        ("Wirklich???", "note"),
        ("?Cómo estás?", "warning"),
        ("=SUM(A1)", "warning"),
        ("I ? you", "warning"),
        ("[12/03/2026, 10:15:22] Mum: I am so proud", "warning"),
        ("12.03.26, 10:15 - Mum: I am so proud", "warning"),
        ("this \u202e goes on", "warning"),
        ("this ends \u2069 too", "warning"),
        ("\u2067 crossed \u202a over \u2069 \u202c", "warning"),
        ("1.2E+05", "warning"),
        ("one\\ntwo", "warning"),
        ("love \\u2764", "warning"),
        ("love <U+2764>", "warning"),
        ("\ue001", "warning"),
        ("\ufdd0", "warning"),
        ("a\ufeffb", "note"),
        ("hello\n> hello", "note"),
        ("Love, Mum\n\nSent from my iPhone", "note"),
        ("x" * 255, "warning"),
        ("x" * 256, "warning"),
        ("x" * 253 + "😊", "warning"),  # 255 in UTF-16
        ("x" * 32_767, "error"),
    ],
)
def test_what_somebody_might_have_written_is_less(text: str, grade: str) -> None:
    """What may be meant is a warning, and what does no harm is a note."""
    assert grades(text) == [grade]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_whole_messages_give_no_errors(path: Path) -> None:
    """No message of the examples, in twenty scripts and with all kinds of emoji, has anything found in it."""
    found = {message.message_id: grades(message.text) for message in read_messages(path)}
    assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Wirklich?! Ja! Ça va ? Très bien… «café»", "„Spaß“ muss sein, größer – und schöner", "à l’été, où ça ?",
        "SÃO PAULO, CORAÇÃO, AMANHÃ", "ÂNGELA, Â tot", "CRÊPE À L’ÉTÉ", "Việt Nam, mẹ yêu con nhiều lắm",
        "3 < 5 & 5 > 3 <3 <3", "R&D; no", "tom & jerry", "AT&T;", "¯\\_(ツ)_/¯ \\o/", "C3PO & R2D2", "=) =D :=",
        "You + me =\nlove", "<a huge hug> <i mean it>", "col·legi", "SÓ TU, NÕES", "Où vas-tu ? Ici",
        "\u2067x\u2069 \u202bx\u202c", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "At [10:15] Mum: hello", "${5}",
        "- one\n- two", "+1 from me", "@Anna", "50 % ° 20 °C £5 €5 §1", "https://a.org/b?c=d&e=f", "www.a.org/?q",
        "Дорогая Анна, как ты? Целую", "Ѓорѓи, Љубљана, Ђорђе и Џон", "你好吗？妈妈爱你。", "お母さんより。縺れた糸",
        "항상 건강해?", "繰り返し",
        "👨‍👩‍👧‍👦 🏳️‍🌈 1️⃣ 🇵🇱 ❤️‍🔥", "نمی‌دانم می‌خواهم", "שלום! מה שלומך?", "naïve Zoë Øystein Łódź Čeněk",
        "Who? What? Why? Me!", "What?! No... yes??", "Ich liebe dich…", "5'6\" √2 ≈ 1.41 ∞ ♥ ™ ©", "x\u00a0y", "E=mc²",
        "5\u00a0°C et 20\u00a0€", "Ó à é", "ÉTÉ: 30°", "‚so‘ sagt man’s", "Ñandú ¿Qué? ¡Ánimo!", "İyi ki doğdun ağabey",
    ],
)  # fmt: skip
def test_kind_words_are_no_errors(text: str) -> None:
    """Punctuation, accents, emoticons, links and other scripts are at most notes or warnings."""
    assert "error" not in grades(text), told(text)


def test_texts_that_were_cut_alike_are_named() -> None:
    """Three texts of one length that none exceeds are suspect; of 255 characters they are an error; two are chance."""
    texts = {("DF1", f"m{number}"): f"{number} " + "word " * 60 for number in range(9)}

    def found(cut: int, count: int) -> list[tuple[str, str]]:
        shortened = {
            key: text[:cut] if number < count else text[:90] for number, (key, text) in enumerate(texts.items())
        }
        return [(key[1], grade) for key, (grade, _) in corruption.cut(shortened)]

    assert found(200, 3) == [("m0", "warning"), ("m1", "warning"), ("m2", "warning")]
    assert found(255, 3) == [("m0", "error"), ("m1", "error"), ("m2", "error")]
    assert found(200, 2) == []
    ended = {key: text[:199] + "." for key, text in texts.items()}
    assert list(corruption.cut(ended)) == []


@pytest.mark.parametrize(
    ("cell", "made"),
    [
        ("1.2E+05", "a number in scientific notation"), ("1E+10", "a number in scientific notation"),
        ("3-May", "a date"), ("2026-05-03", "a date"), ("03/05/2026", "a date"), ("May-26", "a date"),
        ("17.0", "a number with decimals"), ("#REF!", "a spreadsheet's error"),
        ("DF017", None), ("17", None), ("017", None), ("sub-DF1", None), ("E05", None),
    ],
)  # fmt: skip
def test_ids_that_a_spreadsheet_changed_are_recognised(cell: str, made: str | None) -> None:
    """Dates, numbers and errors in place of an ID are named as such, and IDs are not."""
    assert corruption.of_subject(cell) == made


@pytest.mark.parametrize(
    ("text", "code"),
    [("a\x00b", "U+0000 at character 2"), ("\x07", "U+0007 at character 1"), ("ab\ud83d", "U+D83D at character 3")],
)
def test_what_no_file_can_hold_is_refused_by_name(text: str, code: str) -> None:
    """Control characters and lone surrogates are named; tabs and newlines are none."""
    assert code in "".join(corruption.find_refused(text))
    assert list(corruption.find_refused("a\tb\nc")) == []


def test_names_are_looked_at_too() -> None:
    """A writer's name that was read in a wrong encoding, or lost its letters, is an error."""
    for name in ("Zo\u00c3\u00ab", "J?rgen", "????", "Tom &amp; Anna", "#N/A"):
        assert [grade for grade, _ in corruption.of_label(name)] == ["error"], name
    assert list(corruption.of_label("Zoë & Jürgen 🦊")) == []


@given(st.text(max_size=40))
def test_no_letter_of_a_text_is_told(text: str) -> None:
    """Whatever is found, nothing is said of a text but places, code points and codes."""
    secret = "Qzx" + re.sub(r"[&;\\<>=#_]|U\+", "", text) + "Qzx"
    assert "Qzx" not in told(secret)
