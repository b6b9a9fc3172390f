"""One name for each key, whatever the system and whatever reads it.

The names are PsychoPy's lower-case ones ("a", "1", "space", "return", "left", "lctrl", "num_1", "num_enter"), except
that a key has the same name everywhere: PsychoPy calls the key left of 1 "quoteleft" on Linux and "grave" on macOS,
and the right shift key of Windows "lshift".

What a layout changes. On Linux and macOS a name says where the key lies on a US keyboard, whatever is printed on it:
the ten keys above the letters are "1" to "0" on a French AZERTY keyboard too, with or without shift, but its A reads
"q". On Windows letters and punctuation follow the layout, digits do not. So ask for digits, arrows, space and return.
The numeric pad reads "num_1" whether NumLock is on or off; on Windows its enter key reads "return". Only a polled
window gives what the layout makes of a key: an AZERTY digit is then "ampersand" unless a keypad types it.

X11 and macOS codes were checked against PsychoPy 2026.2.5, `hardware/keyboard.py`, which gives X11 codes plus one, as
psychtoolbox does; the Windows ones against psychtoolbox's source, `PsychHIDOSMapKey`.
"""

import sys
from collections.abc import Iterator, Mapping

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
    "enter": "return",
    "grave": "quoteleft",
    "num_insert": "num_0",
    "num_end": "num_1",
    "num_down": "num_2",
    "num_page_down": "num_3",
    "num_next": "num_3",
    "num_left": "num_4",
    "num_begin": "num_5",
    "num_right": "num_6",
    "num_home": "num_7",
    "num_up": "num_8",
    "num_page_up": "num_9",
    "num_prior": "num_9",
    "num_delete": "num_decimal",
    "loption": "lalt",
    "roption": "ralt",
    "lcommand": "lwindows",
    "rcommand": "rwindows",
}


def _numbered(runs: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    for first, names in runs.items():
        yield from ((first + i, name) for i, name in enumerate(names.split()) if name != "-")


X11_NAMES: Mapping[int, str] = dict(_numbered(_X11))
WINDOWS_NAMES: Mapping[int, str] = dict(_numbered(_WINDOWS))
MACOS_NAMES: Mapping[int, str] = dict(_numbered(_MACOS))

BUTTON_NAMES: Mapping[int, str] = {1: "mouse_1", 2: "mouse_2", 3: "mouse_3"}  # X11's order: left, middle, right


def name_of_x11(code: int) -> str:
    """The name of an X11 key code; "key_N" for a code without one, so that no press vanishes."""
    return X11_NAMES.get(code, f"key_{code}")


def name_of_queue(code: int) -> str:
    """The name of a key code as psychtoolbox gives it on this system."""
    names = {"win32": WINDOWS_NAMES, "darwin": MACOS_NAMES}.get(sys.platform)
    return name_of_x11(code - 1) if names is None else names.get(code, f"key_{code}")


def name_of_pyglet(symbol: str) -> str:
    """The name of a key that pyglet calls `symbol` ("_1", "NUM_END", "RETURN")."""
    name = symbol.lower().removeprefix("_")
    return _PYGLET.get(name, name)
