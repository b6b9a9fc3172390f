"""What the tests of whole sessions share: displays without a monitor, hands at their keyboards, and laboratories."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.lab import Eyes, Lab
    from tests.xtest import Hands

# How fast things are is measured by tests/bench/, never by a test that also runs on a busy computer.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# X11 and the limits of POSIX: elsewhere, a test, fixture or file that imports one of these is skipped and says so.
OF_LINUX = {"Xlib", "fcntl", "pyvirtualdisplay", "resource"}


class SkipsWhatIsOfLinux:
    """A finder of modules that skips the test which asks for one of Linux'."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Found elsewhere, unless it is one of those."""
        if name in OF_LINUX:
            pytest.skip(f"needs {name}, which only Linux has", allow_module_level=True)


if sys.platform != "linux":
    sys.meta_path.insert(0, SkipsWhatIsOfLinux)
vars(os).setdefault("mkfifo", lambda _: pytest.skip("needs a pipe in a folder, which Windows has not"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files of few tests first, whose tests are long: no process is left with them when the others have ended."""
    if hasattr(config, "workerinput"):  # one of several processes
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: tests[item.path])


@pytest.fixture(scope="session")
def small_display() -> Iterator[str]:
    """The name of a display of 1280 x 720; it does not start anew when a session leaves it."""
    from pyvirtualdisplay.display import Display

    with Display(size=(1280, 720), manage_global_env=False, extra_args=["-noreset"]) as server:
        yield str(server.new_display_var)


@pytest.fixture(scope="session")
def large_display() -> Iterator[str]:
    """The name of a display of 1920 x 1080."""
    from pyvirtualdisplay.display import Display

    with Display(size=(1920, 1080), manage_global_env=False, extra_args=["-noreset"]) as server:
        yield str(server.new_display_var)


@pytest.fixture
def hands(small_display: str) -> Iterator[Hands]:
    """Hands at the small display's keyboard and mouse."""
    from tests.xtest import Hands

    with Hands(small_display) as hands:
        yield hands


@pytest.fixture
def eyes(small_display: str) -> Iterator[Eyes]:
    """Eyes on the small display."""
    from tests.lab import Eyes

    with Eyes(small_display) as eyes:
        yield eyes


@pytest.fixture
def lab(small_display: str, tmp_path: Path) -> Iterator[Lab]:
    """A laboratory on the small display; whatever it started has ended afterwards."""
    from tests.lab import Lab

    with Lab(small_display, tmp_path) as lab:
        yield lab


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield found
        found.close()
