"""One name for each key, whatever the system and whatever reads it.

The names are PsychoPy's lower-case ones ("a", "1", "space", "return", "left", "lctrl", "num_1", "num_enter"), except
that a key has the same name everywhere: PsychoPy calls the key left of 1 "quoteleft" on Linux and "grave" on macOS,
and the right shift key of Windows "lshift".

What a layout changes. Systems give a key's code by its place (Linux, macOS) or half by what is printed on it (Windows).
`name_keys` gives letters and digits the names that are printed on them in the layout in use, with or without shift: the
A of an AZERTY keyboard is "a", wherever it lies. A letter that a layout lacks is the key in its place on a US keyboard:
on a Russian one, "w" is the key with Ц; what is printed there is its label. Other keys are named by their place. The
layout is read once, when a session starts, so that keys keep doing what its pages say. The numeric pad reads "num_1"
whether NumLock is on or off; on Windows its enter key reads "return".

X11 and macOS codes were checked against PsychoPy 2026.2.5, `hardware/keyboard.py`, which gives X11 codes plus one, as
psychtoolbox does; the Windows ones against psychtoolbox's source, `PsychHIDOSMapKey`.
"""

import sys
import unicodedata
from collections.abc import Iterator, Mapping
from string import ascii_lowercase, digits
from typing import NamedTuple

from experiment.system import key_legends
from experiment.system.facts import Legends

_DIGITS = "1 2 3 4 5 6 7 8 9 0"
_ALPHABET = "a b c d e f g h i j k l m n o p q r s t u v w x y z"

# The code of the first key, then the names of it and those that follow; "-" is a code without a key.
_X11 = {
    9: f"escape {_DIGITS} minus equal backspace tab q w e r t y u i o p bracketleft bracketright return lctrl",
    38: "a s d f g h j k l semicolon apostrophe quoteleft lshift backslash z x c v b n m comma period slash rshift",
    63: "num_multiply lalt space capslock f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 numlock scrolllock",
    79: "num_7 num_8 num_9 num_subtract num_4 num_5 num_6 num_add num_1 num_2 num_3 num_0 num_decimal",
    94: "less f11 f12",
    104: "num_enter rctrl num_divide printscreen ralt - home up pageup left right end down pagedown insert delete",
    125: "num_equal - pause - - - - - lwindows rwindows menu",
}
_WINDOWS = {  # virtual key codes
    8: "backspace tab - - - return",
    19: "pause capslock",
    27: "escape",
    32: "space pageup pagedown end home left up right down - - - printscreen insert delete",
    48: "0 1 2 3 4 5 6 7 8 9",
    65: _ALPHABET,
    91: "lwindows rwindows menu",
    96: "num_0 num_1 num_2 num_3 num_4 num_5 num_6 num_7 num_8 num_9 num_multiply num_add - num_subtract num_decimal",
    111: "num_divide f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12",
    144: "numlock scrolllock",
    160: "lshift rshift lctrl rctrl lalt ralt",
    186: "semicolon equal comma minus period slash quoteleft",
    219: "bracketleft backslash bracketright apostrophe",
    226: "less",
}
_MACOS = {  # usages of the USB keyboard page
    4: _ALPHABET,
    30: f"{_DIGITS} return escape backspace tab space minus equal bracketleft bracketright backslash",
    51: "semicolon apostrophe quoteleft comma period slash capslock f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12",
    70: "printscreen scrolllock pause insert home pageup delete end pagedown right left down up",
    83: "numlock num_divide num_multiply num_subtract num_add num_enter num_1 num_2 num_3 num_4 num_5 num_6 num_7",
    96: "num_8 num_9 num_0 num_decimal less menu - num_equal",
    224: "lctrl lshift lalt lwindows rctrl rshift ralt rwindows",
}

# pyglet's names that differ: keys of the numeric pad without NumLock, and of macOS.
_PYGLET = {
    "enter": "return", "grave": "quoteleft", "num_insert": "num_0", "num_end": "num_1", "num_down": "num_2",
    "num_page_down": "num_3", "num_next": "num_3", "num_left": "num_4", "num_begin": "num_5", "num_right": "num_6",
    "num_home": "num_7", "num_up": "num_8", "num_page_up": "num_9", "num_prior": "num_9", "num_delete": "num_decimal",
    "loption": "lalt", "roption": "ralt", "lcommand": "lwindows", "rcommand": "rwindows",
}  # fmt: skip


def _numbered(runs: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    for first, names in runs.items():
        yield from ((first + i, name) for i, name in enumerate(names.split()) if name != "-")


X11_NAMES: Mapping[int, str] = dict(_numbered(_X11))
WINDOWS_NAMES: Mapping[int, str] = dict(_numbered(_WINDOWS))
MACOS_NAMES: Mapping[int, str] = dict(_numbered(_MACOS))

BUTTON_NAMES: Mapping[int, str] = {1: "mouse_1", 2: "mouse_2", 3: "mouse_3"}  # X11's order: left, middle, right


class KeyNames(NamedTuple):
    """The keys of a layout: each one's name by its code, and what is printed on the letters that are printed otherwise.

    Codes are X11's on Linux (psychtoolbox gives one more), virtual key codes on Windows, USB usages on macOS.
    """

    names: Mapping[int, str]
    labels: Mapping[str, str]

    def name(self, code: int) -> str:
        """The name of a key; "key_N" for one without, so that no press vanishes."""
        return self.names.get(code, f"key_{code}")

    def name_of_queue(self, code: int) -> str:
        """The name of a key by the code that psychtoolbox gives it on this system."""
        return self.name(code if sys.platform in {"win32", "darwin"} else code - 1)

    def name_of_window(self, scan_code: int, virtual_key: int) -> str:
        """The name of a key by the codes that Qt gives it; on macOS, where they are neither, a name of no key."""
        return self.name({"win32": virtual_key, "darwin": -1}.get(sys.platform, scan_code))


def read_key_names() -> KeyNames:
    """The keys of this computer in the layout in use now."""
    places = {"win32": WINDOWS_NAMES, "darwin": MACOS_NAMES}.get(sys.platform, X11_NAMES)
    return name_keys(places, key_legends())


def name_keys(places: Mapping[int, str], legends: Legends) -> KeyNames:
    """Keys by what they type (`legends`); those that type no Latin letter or digit by their place on a US keyboard."""
    printed: dict[str, int] = {}
    for code, characters in legends.items():
        if (name := _printed(characters)) and not places.get(code, "").startswith("num_"):
            printed.setdefault(name, code)
    taken = {code: name for name, code in printed.items()}
    names = {code: name for code, name in places.items() if code not in taken and name not in printed} | taken
    letters = {code: name for code, name in names.items() if name in ascii_lowercase}
    labels = {name: _label(legends[code]) for code, name in letters.items() if legends.get(code)}
    return KeyNames(names, {name: label for name, label in labels.items() if label != name.upper()})


def _printed(characters: str) -> str | None:
    """The letter that a key types without shift, or else the digit that it types with or without."""
    if characters[:1].lower() in set(ascii_lowercase):
        return characters[0].lower()
    numbers = (unicodedata.decimal(character, None) for character in characters)
    return next((digits[number] for number in numbers if number is not None), None)


def _label(characters: str) -> str:
    """What stands on a key: the capital letter, unless that is not this letter's alone (as that of the Greek ς)."""
    alone, shifted = characters[0], characters[1:]
    if shifted and shifted.lower().startswith(alone):
        return shifted
    return alone.upper() if alone.upper().lower() == alone else alone


def name_of_pyglet(symbol: str) -> str:
    """The name of a key that pyglet calls `symbol` ("_1", "NUM_END", "RETURN")."""
    name = symbol.lower().removeprefix("_")
    return _PYGLET.get(name, name)
