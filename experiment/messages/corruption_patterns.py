"""What programs leave in a text that they spoil, as patterns. Pure."""

from __future__ import annotations

import re

import regex

# The first bytes of emoji, quotes and accents in UTF-8, as other encodings read them, where ftfy cannot undo it since
# bytes were lost or the encoding is East Asian.
MISREAD = regex.compile(
    r"â[€\x80¤œ\x9c\u02DC\x98\x9d]|ðŸ|ï\u00B8|Ã[\u0080-\u00BF]|Â[\u00A0-\u00BF](?![a-z])"  # cp1252
    r"|â[\x80-\x9f]|đź[^\p{L}\s]|đźŠ|ğŸ"  # Latin-1, cp1250, cp1254
    r"|\u201AÄ[ôúùìî¶]|√[©®†°∂ºüñ±≠§¢]|üò|ü[•§]|\u201Aù§"  # Mac
    r"|рџ|вЂ|\u0420[°±µѕѓ]|вќ"  # cp1251
    r"|馃[\p{Han}\p{Co}\uE000-\uF8FF]|鈥|锛|銆|鉂わ|[縺繧繝][｡-ﾟ\p{Han}]|ﾃ[｡-ﾟ]"  # GBK, Shift-JIS
)
ESCAPED_UNIT = re.compile(r"_x[0-9A-Fa-f]{4}_")
ENTITY = re.compile(r"&(#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# An opening tag has attributes or nothing besides its name: "<a huge hug>" and "<i mean it>" are somebody's words.
TAG = re.compile(
    r"</?(?:br|p|div|span|b|i|u|em|strong|a|font|img|li|ul|ol|h[1-6]|table|tr|td|html|body)(?:\s+[\w:-]+=[^<>]*>|\s*/?>)",
    re.IGNORECASE,
)
SHEET_ERROR = re.compile(
    r"#(?:NAME\?|REF!|VALUE!|DIV/0!|N/A|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA|BEZUG!|WERT!|NV|ZAHL!)"
)
LITERAL = re.compile(
    r"\\(?:[nrt]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2})|\bU\+[0-9A-F]{4,6}\b|<U\+[0-9A-F]{4,8}>"
)
# "=" ends a line by itself only where a mail program cut it, at 76 signs; somebody may write "You + me =".
QUOTED_PRINTABLE = re.compile(r"=(?:[89A-F][0-9A-F]=[89AB][0-9A-F]|20\n|3D|\n(?<=[^\n]{65}=\n))")
LINK = re.compile(r"(?<!\S)\(?(?:https?://|www\.|[^\s/]+/)\S+")
IN_WORD = regex.compile(r"\p{L}\?+(?=\p{Ll})")
WORD_OF_MARKS = regex.compile(r"(?<!\S)\?{2,}(?!\S)")
MARKS_BEHIND = regex.compile(r"(?<=[^\s?!¿¡])\?{2,}(?![?!])")
BETWEEN_WORDS = re.compile(r"(?<=[A-Za-z] )\?(?= [a-z])")
BEFORE_WORD = regex.compile(r"(?<![\p{L}\p{M}?!.…'\u2019\")\]])\?(?=\p{L})")
REPLY = re.compile(r"^>+ ?\S", re.MULTILINE)
SIGNATURE = re.compile(
    r"^(?:Sent from my \w+|Get Outlook for \w+|Gesendet von (?:meinem|Mail)|Von meinem \w+ gesendet|Envoyé de mon|"
    r"Enviado desde mi|Inviato da|Verzonden vanaf|-----Original Message-----|On .{6,80} wrote:$|Am .{6,80} schrieb)",
    re.MULTILINE,
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
OLD_CONTROL = re.compile(r"[\x80-\x9f]")
PRIVATE = regex.compile(r"\p{Co}")
NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef\ufffe\uffff]|["
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 17))
    + "]"
)
SURROGATE = re.compile("[\ud800-\udfff]")
# Joiners and direction marks belong to emoji and to many scripts; these stand there by accident.
STRAY = re.compile("[\ufeff\u200b\u2060\u180e]")
# A Mac's apostrophe and quote, read as cp1252; and DOS's letters (cp850), read as a Mac's. Catalan has l·l.
MAC_QUOTES = regex.compile(r"(?<=\p{Ll})\u00D5(?=\p{Ll})|(?<=[\p{Ll}.!?])\u00D3(?!\p{L})")
MAC_LETTERS = regex.compile(
    r"(?<=\p{L})\u00B7(?=\p{Ll})(?<!l\u00B7(?=l)|[ns]\u00B7(?=h))|(?<=\p{Ll})[\u00D1\u00C5\u00C7†§¢£](?=\p{Ll})"
)
MISREADINGS = (MISREAD, MAC_QUOTES, MAC_LETTERS)
UNFILLED = re.compile(r"\$\{[a-z]{1,4}://[^{}\n]{1,80}\}")  # a field of Qualtrics
CHAT_HEAD = re.compile(
    r"^\u200e?(?:\[DATE,? TIME\]|DATE,? TIME -)(?= [^:\n]{1,60}: )".replace(
        "DATE", r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}"
    ).replace("TIME", r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[ap]\.?m\.?)?"),
    re.MULTILINE | re.IGNORECASE,
)
HALF_FLAG = regex.compile(
    r"(?<!\p{Regional_Indicator})(?:\p{Regional_Indicator}{2})*+\K\p{Regional_Indicator}(?!\p{Regional_Indicator})"
)
DIRECTION, ISOLATES = re.compile("[\u202a-\u202e\u2066-\u2069]"), "\u2066\u2067\u2068"
ENDS = {"\u202c": "embedding", "\u2069": "isolate"}
ENDING = regex.compile(
    r"[\p{P}\p{S}\p{Emoji_Presentation}\uFE0F\p{Emoji_Modifier}\p{Co}]\s*$|[\s\p{Thai}\p{Lao}\p{Khmer}\p{Han}\p{Kana}\p{Hira}]$"
)

SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}[-. ](?:[A-Za-z]{3,4})\.?(?:[-. ]\d{2,4})?"
    r"|[A-Za-z]{3}-\d{2,4}"
)
DECIMAL = re.compile(r"\d+[.,]\d+")
