"""Bytes of a file become text: exactly where that is certain, else with a finding that names what was assumed."""

from __future__ import annotations

import codecs

import regex

from experiment.errors import BadInput
from experiment.record.finding import Finding

# The longer ones first, as that of UTF-32 begins like that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets and editors save without saying so. Latin-1 is not among them: it has no quotes and dashes, so it
# is read as cp1252, which is the same but for those.
LATIN = ("cp1252", "mac_roman", "cp1250", "cp1254", "cp1257", "cp850", "cp437")
OTHERS = (
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
NULS = 0.3  # of the bytes: UTF-16 without a mark, if most is Latin

# What hardly stands in a text that was read in its own encoding: controls, capitals and signs within a word, low
# quotes behind one, a capital alone.
ODD = regex.compile(
    r"[\x80-\x9f\p{Co}\p{Cn}]|\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}|\p{L}[^\p{L}\p{M}\p{N}\s'\u2019.·\-_,;:/()\"?!]\p{L}"
    r"|(?![€+<>=^~|])[\p{S}¶§†‡•‰ªº¬ƒ]|\p{L}[\u201A\u201E]|\p{Lm}|(?<!\p{L})(?![\x00-\x7fÀÉÓ])\p{Lu}(?!\p{L})"
)
# Two letters in a row, as one between Latin ones is a Latin letter that was misread.
OTHER_SCRIPT = regex.compile(r"(?:(?!\p{Script=Latin}|\p{Script=Common})\p{L}){2}")


def decode_text(data: bytes, name: str, encoding: str | None = None) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file, and a warning if its encoding was only assumed.

    A byte order mark says what it is, and valid UTF-8 that has other than ASCII letters is no accident (its rules make
    that nearly impossible); all else is a guess, unless `encoding` says it. BadInput if nothing fits.
    """
    mark = next((codec for begin, codec in MARKS if data.startswith(begin)), None)
    if certain := mark or encoding or _unmarked(data):
        return _strictly(data, certain, name, is_given=mark is None).removeprefix("\ufeff"), ()
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        byte = error.start + 1
    fitting = {} if _is_damaged_utf8(data) else _fitting(data)
    if not fitting:
        raise BadInput(
            f"{name}: the encoding is not known, and byte {byte} is not UTF-8. Save it as 'CSV UTF-8' in its program, "
            "or give --encoding."
        )
    assumed = _likeliest(data, fitting)
    return fitting[assumed], (_told(name, assumed, fitting),)


def _unmarked(data: bytes) -> str | None:
    """UTF-16 that lacks its mark, told by the zero bytes of its Latin letters, commas and line ends."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < NULS * len(head) / 2:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 but for some bytes that were cut or mixed in, or for lone surrogates."""
    lossy = data.decode("utf-8", "replace")
    lost = lossy.count("\ufffd")
    whole = sum(character > "\x7f" for character in lossy) - lost
    return whole > lost or _tried(data, "utf-8", "surrogatepass") is not None


def _strictly(data: bytes, encoding: str, name: str, *, is_given: bool) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise BadInput(
            f"--encoding {encoding!r} is not known. Please give a name such as cp1252, mac_roman or utf-8."
        ) from None
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} does not fit"
    who = "as --encoding says" if is_given else "as its first bytes say"
    raise BadInput(f"{name}: not {encoding} {who}: {found}. Save it again, or correct --encoding.")


def _fitting(data: bytes) -> dict[str, str]:
    """Every usual encoding in which the bytes mean something, and what."""
    tried = {encoding: _tried(data, encoding) for encoding in (*LATIN, *OTHERS)}
    return {encoding: text for encoding, text in tried.items() if text is not None}


def _tried(data: bytes, encoding: str, errors: str = "strict") -> str | None:
    try:
        return data.decode(encoding, errors)
    except UnicodeDecodeError:
        return None


def _likeliest(data: bytes, fitting: dict[str, str]) -> str:
    """By charset-normalizer where that finds another script; else the Latin one with the fewest oddities."""
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=[*fitting]).best()
    if best is not None and best.encoding in fitting and OTHER_SCRIPT.search(fitting[best.encoding]):
        return best.encoding
    latin = [encoding for encoding in LATIN if encoding in fitting] or list(fitting)
    return min(latin, key=lambda encoding: len(ODD.findall(fitting[encoding], overlapped=True)))


def _told(name: str, assumed: str, fitting: dict[str, str]) -> Finding:
    alike = LATIN if assumed in LATIN else OTHERS  # whoever reads it sees whether it is Latin
    others = [encoding for encoding in alike if encoding in fitting and fitting[encoding] != fitting[assumed]]
    also = f" ({', '.join(others)} are possible too, with other letters)" if others else ""
    what = f"{name}: the file is not UTF-8 and does not say what it is; it was read as {assumed}{also}."
    return Finding("", "warning", f"{what} Check accented letters in the preview, or give --encoding.")
