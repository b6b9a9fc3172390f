"""What systems tell of themselves: recorded output of their tools, doubles of their libraries, and this computer."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from experiment import system
from experiment.errors import EquipmentFailure
from experiment.screens.keynames import MACOS_NAMES, WINDOWS_NAMES, KeyNames, name_keys
from experiment.system import linux, macos, windows
from experiment.system.facts import Power, ScreenMode, Volume, command_output, linked_zone, mounted_volume
from experiment.system.linux import Linux, driven
from experiment.system.macos import Mac
from experiment.system.windows import Windows
from tests.known_computer import Known
from tests.small_disks import small_disk

if TYPE_CHECKING:
    from experiment.system.facts import Computer

ROOT = Path(__file__).parents[1]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")

CPU = "sys/devices/system/cpu/cpu0/cpufreq"
VIDEO_IDLE = """\
    Power Setting GUID: 3c0bc021-c8a8-4e07-a973-6b14cbcb2b7e  (Turn off display after)
      GUID Alias: VIDEOIDLE
      Minimum Possible Setting: 0x00000000
      Maximum Possible Setting: 0xffffffff
      Possible Settings increment: 0x00000001
      Possible Settings units: Seconds
    Current AC Power Setting Index: 0x00000384
    Current DC Power Setting Index: 0x000000b4
"""
SAVER_SCHEME = "Power Scheme GUID: a1841308-3541-4fab-bc81-f71556f20b4a  (Power saver)\n"
GERMAN_SCHEME = "GUID des Energieschemas: 381b4222-f694-41f0-9685-ff5bb260df2e  (Ausbalanciert)\r\n"
TIME_STATUS = """\
Leap Indicator: 0(no warning)
Stratum: 4 (secondary reference - syncd by (S)NTP)
Precision: -23 (119.209ns per tick)
Source: dc01.corp.example.com
"""
PMSET = """\
System-wide power settings:
Currently in use:
 standby              1
 Sleep On Power Button 1
 hibernatefile        /var/vm/sleepimage
 powernap             1
 displaysleep         28
 sleep                1 (sleep prevented by sharingd)
 lowpowermode         1
"""


def tree(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files of the kernel."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n", encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("files", "saves", "setting"),
    [
        ({f"{CPU}/scaling_governor": "performance"}, False, "processor governor performance"),
        ({f"{CPU}/scaling_governor": "powersave", f"{CPU}/scaling_driver": "acpi-cpufreq"}, True,
         "processor governor powersave"),
        ({f"{CPU}/scaling_governor": "powersave", f"{CPU}/scaling_driver": "intel_pstate"}, False,
         "processor governor powersave"),
        ({f"{CPU}/scaling_governor": "powersave", f"{CPU}/scaling_driver": "intel_pstate",
          f"{CPU}/energy_performance_preference": "power"}, True, "energy preference power"),
        ({f"{CPU}/scaling_governor": "powersave", f"{CPU}/scaling_driver": "amd-pstate-epp",
          f"{CPU}/energy_performance_preference": "balance_performance"}, False,
         "energy preference balance_performance"),
        ({"sys/firmware/acpi/platform_profile": "low-power", f"{CPU}/scaling_governor": "performance"}, True,
         "platform profile low-power"),
    ],
)  # fmt: skip
def test_linux_tells_by_its_files_whether_it_saves_power(
    tmp_path: Path, files: dict[str, str], *, saves: bool, setting: str
) -> None:
    """The governor, unless its driver means something else by it; then the energy preference; the profile first."""
    assert Linux(tree(tmp_path, files)).power() == Power(saves, setting)


def test_linux_without_those_files_tells_nothing(tmp_path: Path) -> None:
    """A virtual computer has no governor, and no time zone is none."""
    assert Linux(tmp_path).power() is None
    assert linked_zone(tmp_path / "etc/localtime") is None


def test_a_zone_has_the_name_that_its_link_points_to(tmp_path: Path) -> None:
    """On Linux and macOS, /etc/localtime is a link into the folder of zones; a copied file has no name."""
    link = tmp_path / "localtime"
    link.symlink_to("/var/db/timezone/zoneinfo/America/Argentina/Ushuaia")
    assert linked_zone(link) == "America/Argentina/Ushuaia"
    copy = tmp_path / "copied"
    copy.write_bytes(b"TZif2")
    assert linked_zone(copy) is None


def test_linux_takes_the_zone_of_the_environment_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TZ goes before the link, with or without its colon."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    monkeypatch.delenv("TZ", raising=False)
    assert Linux(tmp_path).zone() == "Europe/Berlin"
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert Linux(tmp_path).zone() == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("shown", "preferred", "scaling"),
    [
        ((1920, 1080), (1920, 1080), 1.0),
        ((1080, 1920), (1920, 1080), 1.0),
        ((3840, 2160), (1920, 1080), 0.5),
        ((1536, 864), (2560, 1440), 1.25),
        ((1920, 1080), None, 1.0),
    ],
)
def test_scaling_is_what_lies_between_the_drawn_and_the_driven_pixels(
    shown: tuple[int, int], preferred: tuple[int, int] | None, scaling: float
) -> None:
    """A screen that stands on its side is not scaled; one that shows fewer pixels than its mode has is."""
    mode = driven(shown, (1920, 1080), preferred)
    assert (mode.width_px, mode.height_px, mode.native_px) == (1920, 1080, preferred)
    assert mode.scaling == pytest.approx(scaling)


@on_linux
def test_an_x_server_tells_its_mode_and_when_it_goes_dark(small_display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the display, no panel behind a virtual one, and the screen saver's time as it is set."""
    from Xlib.display import Display

    monkeypatch.setenv("DISPLAY", small_display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert Linux().screen() == ScreenMode(1280, 720, None, 1.0)
    display = Display(small_display)
    before = display.get_screen_saver()
    try:
        for time_s, told_s in ((120, 120.0), (0, math.inf)):
            display.set_screen_saver(time_s, 0, 1, 1)
            display.sync()
            assert Linux().blanks_after_s() == told_s
    finally:
        display.set_screen_saver(before.timeout, before.interval, before.prefer_blanking, before.allow_exposures)
        display.close()


@on_linux
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib leaves its sockets open
def test_without_a_display_or_behind_wayland_nothing_is_told_of_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """None, rather than a guess."""
    monkeypatch.setenv("DISPLAY", ":4711")
    assert Linux().screen() is None
    assert Linux().blanks_after_s() is None
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert Linux().screen() is None
    assert system.is_wayland()
    gc.collect()


@on_linux
def test_the_kernel_tells_whether_its_clock_is_kept_right() -> None:
    """It answers yes or no, to every user."""
    assert Linux().synchronised() in {True, False}


def test_a_folder_is_on_the_mount_that_is_nearest_above_it(tmp_path: Path) -> None:
    """Of a small disk in memory, its own kind; beneath it too."""
    with small_disk(tmp_path / "disk", 256) as folder:
        (folder / "below").mkdir()
        assert mounted_volume(folder / "below") == Volume("tmpfs", far=False)


@pytest.mark.parametrize(
    ("kind", "far"),
    [("ext4", False), ("apfs", False), ("fuseblk", False), ("nfs4", True), ("cifs", True), ("smbfs", True),
     ("fuse.sshfs", True), ("9p", True), ("fuse.gvfsd-fuse", False), ("overlay", False)],
)  # fmt: skip
def test_file_systems_of_other_computers_are_known_by_name(
    monkeypatch: pytest.MonkeyPatch, kind: str, *, far: bool
) -> None:
    """NFS, SMB under its many names, and SSH; not those that lie on a disk."""
    import psutil

    class Mount:
        mountpoint, fstype = "/", kind

    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [Mount])
    assert mounted_volume(Path("/")) == Volume(kind, far)


class Library:
    """A double of a system's library: what each of its functions answers; a list of all calls."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        for name, answer in answers.items():
            setattr(self, name, self._function(answer))

    @staticmethod
    def _function(answer: Any) -> Any:
        def function(*arguments: Any) -> Any:
            return answer(*arguments) if callable(answer) else answer

        return function


def windows_of(said_by: dict[str, str | None] | None = None, **answers: Any) -> Windows:
    """A Windows that answers so."""
    usual = {
        "GetDC": 1, "ReleaseDC": 1, "GetDeviceCaps": lambda _, what: {8: 1536, 10: 864, 118: 1920, 88: 96}[what],
        "EnumDisplaySettingsW": enumerated((1280, 720), (1920, 1080), (800, 600)), "SystemParametersInfoW": 1,
        "GetSystemPowerStatus": 0, "GetDriveTypeW": 3,
    }  # fmt: skip
    library = Library(**usual | answers)

    class Libraries:
        user32 = gdi32 = kernel32 = library

    return Windows(Libraries(), lambda *words: (said_by or {}).get(words[0]))


def enumerated(*sizes: tuple[int, int]) -> Any:
    """EnumDisplaySettingsW of a driver that offers these modes."""
    import struct

    def enumerate_settings(_: object, number: int, buffer: Any) -> int:
        assert struct.unpack_from("<H", buffer, 68) == (220,)
        if number < len(sizes):
            struct.pack_into("<II", buffer, 172, *sizes[number])
        return int(number < len(sizes))

    return enumerate_settings


def test_windows_tells_the_modes_and_the_scaling() -> None:
    """Of a screen at 125 %: the driven pixels, the largest mode, and the scaling, whoever is scaled, we or not."""
    assert windows_of().screen() == ScreenMode(1920, 1080, (1920, 1080), 1.25)
    aware = windows_of(GetDeviceCaps=lambda _, what: {8: 1920, 10: 1080, 118: 1920, 88: 144}[what])
    assert aware.screen() == ScreenMode(1920, 1080, (1920, 1080), 1.5)
    assert windows_of(EnumDisplaySettingsW=0).screen().native_px is None


def test_windows_tells_when_the_screen_goes_dark() -> None:
    """By the mains value of the power scheme, whatever the language; 0 is never; the screen saver if it is sooner."""
    assert windows_of({"powercfg": VIDEO_IDLE}).blanks_after_s() == 900
    assert windows_of({"powercfg": VIDEO_IDLE.replace("0x00000384", "0x00000000")}).blanks_after_s() == math.inf
    assert windows_of({"powercfg": None}).blanks_after_s() is None

    def parameters(what: int, _: int, pointer: Any, __: int) -> int:
        pointer._obj.value = {0x10: 1, 0x0E: 240}[what]
        return 1

    assert windows_of({"powercfg": VIDEO_IDLE}, SystemParametersInfoW=parameters).blanks_after_s() == 240


def test_windows_tells_its_power_scheme_in_any_language() -> None:
    """The scheme that saves is known by its number; battery saver by the system's status."""
    assert windows_of({"powercfg": SAVER_SCHEME}).power() == Power(saves=True, setting="power scheme Power saver")
    assert windows_of({"powercfg": GERMAN_SCHEME}).power() == Power(saves=False, setting="power scheme Ausbalanciert")
    assert windows_of({"powercfg": None}).power() is None

    def status(buffer: Any) -> int:
        buffer[3] = 1
        return 1

    assert windows_of(GetSystemPowerStatus=status).power() == Power(saves=True, setting="battery saver")


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (TIME_STATUS, True),
        (TIME_STATUS.replace("0(no warning)", "3(not synchronized)"), False),
        ("Sprungindikator: 3(nicht synchronisiert)\r\nStratum: 0 (unspezifiziert)\r\n", False),
        ("The following error occurred: The service has not been started. (0x80070426)", None),
        (None, None),
    ],
)
def test_windows_tells_whether_the_clock_is_kept_right(printed: str | None, *, told: bool | None) -> None:
    """By the leap indicator, which is a number in every language."""
    assert windows_of({"w32tm": printed}).synchronised() is told


def test_windows_knows_a_network_drive(tmp_path: Path) -> None:
    """By the drive's type."""
    assert windows_of().volume(tmp_path) == Volume("a local drive", far=False)
    assert windows_of(GetDriveTypeW=4).volume(tmp_path) == Volume("a network drive", far=True)


@pytest.mark.parametrize(
    ("path", "unfit"),
    [
        (r"C:\Läb Süd\data.v2\..\.hidden", None),
        (r"\\server\share\console", None),
        (r"C:\data\trail. ", "trail. "),
        (r"C:\data.\x", "data."),
        (r"C:\Con.txt\x", "Con.txt"),
        (r"C:\com1", "com1"),
        (r"C:\08:30", "08:30"),
    ],
)
def test_names_that_windows_cannot_have_are_known(path: str, unfit: str | None) -> None:
    """Those that end in a dot or a space, those of devices, and those with a colon; other systems have them all."""
    assert windows.unfit_name(PureWindowsPath(path)) == unfit
    assert system.unfit_name(PureWindowsPath(path)) == (unfit if sys.platform == "win32" else None)


def test_a_mac_tells_its_power_settings() -> None:
    """Low power mode and the display's sleep; a Mac whose tool is silent tells nothing."""
    mac = Mac(None, None, lambda *_: PMSET)
    assert mac.power() == Power(saves=True, setting="low power mode")
    assert mac.blanks_after_s() == 28 * 60
    assert Mac(None, None, lambda *_: PMSET.replace("28", "0")).blanks_after_s() == math.inf
    desktop = Mac(None, None, lambda *_: PMSET.replace(" lowpowermode         1\n", ""))
    assert desktop.power() == Power(saves=False, setting="no low power mode")
    silent = Mac(None, None, lambda *_: None)
    assert (silent.power(), silent.blanks_after_s(), silent.synchronised()) == (None, None, None)


def test_a_mac_tells_its_mode_and_the_scaling() -> None:
    """Of a Retina display: pixels, the panel's own mode by its flag, and two pixels a point."""
    sizes = {1: (1470, 956, 2940, 1912), 2: (1280, 832, 2560, 1664)}
    graphics = Library(
        CGMainDisplayID=7, CGDisplayCopyDisplayMode=1, CGDisplayCopyAllDisplayModes=99,
        CGDisplayModeGetIOFlags=lambda mode: 0x02000003 if mode.value == 2 else 3,
        CGDisplayModeGetWidth=lambda mode: sizes[mode.value][0],
        CGDisplayModeGetHeight=lambda mode: sizes[mode.value][1],
        CGDisplayModeGetPixelWidth=lambda mode: sizes[mode.value][2],
        CGDisplayModeGetPixelHeight=lambda mode: sizes[mode.value][3],
    )  # fmt: skip
    foundation = Library(CFArrayGetCount=2, CFArrayGetValueAtIndex=lambda _, index: index.value + 1)
    assert Mac(graphics, foundation).screen() == ScreenMode(2940, 1912, (2560, 1664), 2.0)


def test_a_tool_that_is_missing_fails_or_hangs_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """None in each case, within its patience."""
    assert command_output(sys.executable, "-c", "print('here')") == f"here{os.linesep}"
    assert command_output("no-such-tool-anywhere") is None
    assert command_output(sys.executable, "-c", "raise SystemExit(3)") is None
    monkeypatch.setattr("experiment.system.facts.PATIENCE_S", 0.2)
    assert command_output(sys.executable, "-c", "import time; time.sleep(60)") is None


def test_every_system_answers_the_same_questions() -> None:
    """The real ones and the double have every method of a computer; this one is asked."""
    computers: list[Computer] = [Linux(), windows_of(), Mac(None, None), Known()]
    questions = {name for name in vars(Known) if not name.startswith(("_", "of_"))}
    assert all(callable(getattr(computer, name)) for computer in computers for name in questions)
    assert type(system.this_computer()) is {"win32": Windows, "darwin": Mac}.get(sys.platform, Linux)


@on_linux
def test_priority_is_raised_for_as_long_as_it_lasts() -> None:
    """The thread's nice value goes down, that of what it starts too, and both are as before in the end."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with system.raised_priority() as got:
        if got is None:
            pytest.skip("this user may not raise a priority")
        assert got == f"nice {os.getpriority(os.PRIO_PROCESS, 0)}"
        assert os.getpriority(os.PRIO_PROCESS, 0) < before
        child = subprocess.run([sys.executable, "-c", "import os; print(os.nice(0))"], stdout=-1, check=True)
        assert f"nice {int(child.stdout)}" == got
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@on_linux
def test_priority_stays_as_it_is_without_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is told, and nothing changes; where only a little is allowed, that is taken."""
    asked = []

    def least(_: int, __: int, nice: int) -> None:
        asked.append(nice)
        if nice < -5:
            raise PermissionError

    monkeypatch.setattr(os, "setpriority", least)
    with system.raised_priority() as got:
        assert got == "nice -5"
    assert asked == [-10, -5, os.getpriority(os.PRIO_PROCESS, 0)]
    monkeypatch.setattr(linux, "NICE", (-10,))
    with system.raised_priority() as got:
        assert got is None


def test_windows_and_macos_raise_priority_through_their_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """High priority where it is given, the next best where not, and back; on a Mac the quality of service."""
    priority = [0x20]

    def set_class(_: object, wanted: int) -> int:
        if wanted != 0x80:
            priority[0] = wanted
        return int(wanted != 0x80)

    kernel32 = Library(GetCurrentProcess=-1, GetPriorityClass=lambda _: priority[0], SetPriorityClass=set_class)
    monkeypatch.setattr(windows, "libraries", lambda: type("Libraries", (), {"kernel32": kernel32}))
    raised = windows.raise_priority()
    assert raised is not None
    assert (raised[0], priority) == ("above normal priority", [0x8000])
    raised[1]()
    assert priority == [0x20]
    classes: list[int] = []

    def set_quality(kind: int, _: int) -> int:
        classes.append(kind)
        return 0

    library = Library(pthread_set_qos_class_self_np=set_quality)
    monkeypatch.setattr("experiment.system.macos.ctypes.CDLL", lambda _: library)
    monkeypatch.setattr(os, "setpriority", lambda *_: (_ for _ in ()).throw(PermissionError))
    monkeypatch.setattr(os, "getpriority", lambda *_: 0)
    raised = macos.raise_priority()
    assert raised is not None
    raised[1]()
    assert (raised[0], classes) == ("user-interactive", [0x21, 0x15])


CRASHING = """
import ctypes, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
if sys.argv[1:]:
    from experiment.system import no_core_dumps
    no_core_dumps()
    print(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
ctypes.string_at(0)
"""


@on_linux
def test_a_crash_leaves_no_memory_on_the_disk(tmp_path: Path) -> None:
    """The process ends by the same signal, and the kernel says that it wrote no core; without the call it does."""
    cores = {}
    for arguments in ([], ["protected"]):
        process = subprocess.Popen(
            [sys.executable, "-c", CRASHING, *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        told = process.stdout.read()
        status = os.waitpid(process.pid, 0)[1]
        process.returncode = 0
        process.stdout.close()
        assert os.WTERMSIG(status) == 11
        cores[bool(arguments)] = os.WCOREDUMP(status)
    assert told.split() == ["0", "0", "0"]
    assert not cores[True]
    if not cores[False]:
        pytest.skip("nothing writes cores here anyway; limits and flag are as they should be")
    assert [path for path in tmp_path.iterdir() if "core" in path.name]


def test_windows_is_given_key_presses_as_a_keyboard_sends_them() -> None:
    """SendInput gets one INPUT of its own size, by scan code, down and up; if it takes none, that is said."""
    from experiment.system import windows

    given = list[tuple[int, ...]]()

    class User:
        """Takes what it is given."""

        taken = 1

        def SendInput(self, count: int, pointer: Any, size: int) -> int:  # noqa: N802 - Windows' name
            """Note it."""
            one = pointer._obj
            given.append((count, size, one.type, one.of.keyboard.key, one.of.keyboard.scan, one.of.keyboard.flags))
            return self.taken

    user = User()
    with windows.key_presser(SimpleNamespace(user32=user)) as press:
        press("space", True)  # noqa: FBT003 - down
        press("7", False)  # noqa: FBT003 - up
    size = 40 if sys.maxsize > 2**32 else 28
    assert given == [(1, size, 1, 0, 0x39, 0x8), (1, size, 1, 0, 0x08, 0xA)]
    user.taken = 0
    with pytest.raises(EquipmentFailure, match="blocked the key press"):
        press("space", True)  # noqa: FBT003 - down


def test_a_mac_is_given_key_presses_and_their_events_are_released() -> None:
    """CGEventPost gets the event of the key's code, and CFRelease gets it afterwards."""
    from experiment.system import macos

    calls = list[tuple[Any, ...]]()

    def create(_source: None, code: int, down: bool) -> int:  # noqa: FBT001 - as the system has it
        calls.append((code, down))
        return 77

    graphics = SimpleNamespace(
        CGEventCreateKeyboardEvent=create, CGEventPost=lambda tap, event: calls.append((tap, event.value))
    )
    foundation = SimpleNamespace(CFRelease=lambda event: calls.append(("released", event.value)))
    with macos.key_presser(graphics, foundation) as press:
        press("5", True)  # noqa: FBT003 - down
    assert calls == [(23, True), (0, 77), ("released", 77)]


FRENCH = {"a": "qQ", "q": "aA", "w": "zZ", "z": "wW", "m": ",?", "semicolon": "mM", "1": "&1", "7": "è7"}
RUSSIAN = {"c": "сС", "w": "цЦ", "p": "зЗ", "t": "еЕ", "o": "щЩ", "1": "1!"}


def typed_on_windows(layout: dict[int, str]) -> Any:
    """ToUnicodeEx of a layout: what its keys type, by their virtual key codes."""

    def to_unicode(code: int, _: int, state: Any, buffer: Any, *__: Any) -> int:
        characters = layout.get(code, "")
        typed = characters[state[0x10] >> 7 :][:1]
        buffer.value = typed
        return len(typed) or -1  # as for a dead key

    return to_unicode


def named_on_windows(layout: dict[int, str]) -> KeyNames:
    """The keys of a Windows with this layout."""
    answers = {"GetForegroundWindow": 7, "GetWindowThreadProcessId": 8, "GetKeyboardLayout": 9, "MapVirtualKeyExW": 10}
    user32 = Library(ToUnicodeEx=typed_on_windows(layout), **answers)
    windll = Library()
    vars(windll)["user32"] = user32
    return name_keys(WINDOWS_NAMES, windows.key_legends(windll))


def test_windows_tells_what_its_keys_type() -> None:
    """Virtual keys follow a Latin layout; where letters are others, keys keep their names and get their labels."""
    latin = named_on_windows({ord("A"): "aA", ord("W"): "wW", ord("1"): "&1", 0xDE: "²"})
    assert [latin.name(code) for code in (ord("A"), ord("W"), ord("1"), 0xDE)] == ["a", "w", "1", "apostrophe"]
    assert latin.labels == {}
    cyrillic = named_on_windows({ord("W"): "цЦ", ord("C"): "сС", ord("1"): "1!"})
    assert [cyrillic.name(code) for code in (ord("W"), ord("C"), ord("1"))] == ["w", "c", "1"]
    assert cyrillic.labels == {"w": "Ц", "c": "С"}
    turkish = named_on_windows({ord("I"): "ıI", 0xDE: "iİ"})
    assert (turkish.name(0xDE), turkish.name(ord("I")), turkish.labels) == ("i", "key_73", {"i": "İ"})


def named_on_a_mac(layout: dict[str, str]) -> KeyNames:
    """The keys of a Mac with this layout, by the key's name on a US keyboard."""
    codes = {
        "a": 0,
        "q": 12,
        "w": 13,
        "z": 6,
        "m": 46,
        "semicolon": 41,
        "1": 18,
        "7": 26,
        "c": 8,
        "p": 35,
        "t": 17,
        "o": 31,
    }
    typed = {codes[name]: characters for name, characters in layout.items()}

    def translate(_: Any, code: Any, __: Any, modifiers: Any, ___: Any, ____: int, *rest: Any) -> int:
        _dead, _size, count, buffer = rest
        characters = typed.get(code.value, "")[modifiers.value >> 1 :][:1]
        count._obj.value = len(characters)
        buffer[0] = ord(characters or "\0")
        return 0

    carbon = Library(
        TISCopyCurrentKeyboardLayoutInputSource=1,
        TISGetInputSourceProperty=2,
        LMGetKbdType=40,
        UCKeyTranslate=translate,
    )
    return name_keys(MACOS_NAMES, macos.key_legends(carbon, Library(CFDataGetBytePtr=3), 4))


def test_a_mac_tells_what_its_keys_type() -> None:
    """The place on the keyboard becomes the letter that is printed there, or keeps its name and gets a label."""
    usages = {name: usage for usage, name in MACOS_NAMES.items()}
    french = named_on_a_mac(FRENCH)
    assert {name: french.name(usages[name]) for name in FRENCH} == {
        "a": "q", "q": "a", "w": "z", "z": "w", "m": "key_16", "semicolon": "m", "1": "1", "7": "7",
    }  # fmt: skip
    russian = named_on_a_mac(RUSSIAN)
    assert {russian.name(usages[name]) for name in RUSSIAN} == set(RUSSIAN)
    assert russian.labels == {"c": "С", "w": "Ц", "p": "З", "t": "Е", "o": "Щ"}


@pytest.mark.skipif(sys.platform == "win32", reason="HOME belongs to POSIX")
@pytest.mark.parametrize("home", ["usable", "not set", "not writable", "not a folder"])
def test_psychopy_is_imported_whatever_the_home(home: str, tmp_path: Path) -> None:
    """Without a home that can be written PsychoPy gets a folder, gone at the end; one that can be written is used."""
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / ".psychopy3").touch()
    homes = {"usable": tmp_path, "not writable": Path("/proc/none"), "not a folder": tmp_path / "file"}
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    environment |= {"HOME": str(homes[home])} if home in homes else {}
    code = """
from experiment.screens.settings_folder import provide_settings_folder
provide_settings_folder()
from psychopy import prefs
print(prefs.paths["userPrefsDir"])
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 0, done.stderr
    used = Path(done.stdout.splitlines()[-1])
    assert (used == tmp_path / ".psychopy3") == used.exists() == (home == "usable")
