"""The command that runs the test suite."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from experiment.cli.options import HELP_OPTIONS, ROOT
from experiment.cli.terminal import say

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, **HELP_OPTIONS})
def run_tests(
    context: typer.Context,
    windows: Annotated[
        bool, typer.Option("--windows", help="The tests of the Windows bench (Wine), which is made first.")
    ] = False,
) -> None:
    """The whole test suite: ruff, mypy, pytest. With arguments (`-k NAME`, a file) only pytest, which gets them."""
    checks = [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]]
    # A few files at a time, one more than processors since tests also wait, and then alone those that measure times.
    # Their order is that of tests/conftest.py, and not xdist's, which leaves the long files for the end.
    # A test that hangs ends its process, and with it the run: xdist would wait for what that process still had to do.
    side_by_side = ["pytest", "-n", str(1 + (os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"]
    side_by_side += ["--max-worker-restart", "0", "-m", "not bench and not alone and not windows"]
    commands = [["pytest", *context.args]] if context.args else [*checks, side_by_side, ["pytest", "-m", "alone"]]
    if windows:
        subprocess.run([ROOT / "tests" / "windows" / "set-up", ROOT / ".venv-windows"], check=True)  # noqa: S603 - ours
        commands = [["pytest", "-m", "windows", "tests/windows", *context.args]]
    # Compiled modules are kept: hundreds of processes read the same ones.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for command in commands:
        say(" ".join(command), "bold")
        done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False)  # noqa: S603 - our own tools
        if done.returncode:
            raise typer.Exit(done.returncode)
