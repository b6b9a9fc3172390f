"""The architecture's rules: who may import whom, what stays out of a quick start, and how large things may get."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "experiment").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
DRAWING = {"psychopy", "psychtoolbox", "pyglet"}
WITH_QT = {
    *("form_window.py", "form_widgets.py", "held_keys.py"),  # cli/
    *("closing_window.py", "closing_pages.py", "closing_answers.py", "closing_line.py"),
    *("window.py", "front.py", "result.py", "widgets.py", "jobs.py"),  # desk/
}
SLOW = {*DRAWING, "numpy", "pandas", "PyQt6", "PIL", "typst", "uharfbuzz", "pyvirtualdisplay"}


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def tree_of(path: Path) -> ast.Module:
    """A module as Python reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[str]:
    """The dotted names of all modules that are imported, also within functions and for types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the order"
            yield str(node.module)


def test_rooms_import_one_way() -> None:
    """Each room imports only from rooms below it, and every room has its place in that order."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_few_files_stand_beside_the_rooms() -> None:
    """Beside its folders the package has its story, its entry and its errors, and every folder says what it is."""
    assert {path.name for path in (ROOT / "experiment").glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}
    folders = {path.parent for path in MODULES}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_psychopy_and_qt_stay_behind_their_doors(path: Path) -> None:
    """Only screens/ imports PsychoPy, psychtoolbox or pyglet, and only the forms and the desk's windows import Qt."""
    found = {name.partition(".")[0] for name in imports(tree_of(path))}
    assert not found & DRAWING or path.parent.name == "screens"
    assert "PyQt6" not in found or path.name in WITH_QT


def test_the_command_line_starts_without_what_is_slow() -> None:
    """Importing the command line loads neither PsychoPy nor Qt nor numpy, pandas or the typesetter."""
    code = "import sys, experiment.__main__; print(*sorted(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert SLOW.isdisjoint(done.stdout.split())
    assert "typer" in done.stdout.split()


def test_the_desk_opens_without_what_only_sessions_and_tables_need() -> None:
    """Importing the desk's window loads neither numpy nor the typesetter, which would delay it."""
    code = "import sys, experiment.cli.desk.window; sys.exit(any(name in sys.modules for name in sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *(SLOW - {"PyQt6"})], cwd=ROOT, check=True)


def test_the_pure_modules_need_no_libraries() -> None:
    """The task, its rules and a simulated session run without PsychoPy, numpy, pandas or the typesetter."""
    code = "import sys, experiment.screens.simulated_screen; sys.exit(any(n in sys.modules for n in sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *SLOW], cwd=ROOT, check=True)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    """Every module says what it is, none has over 300 lines, and no function over 60."""
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [one.name for one in functions if (one.end_lineno or 0) - one.lineno + 1 > 60] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_global_changes(path: Path) -> None:
    """No function rebinds a module's names."""
    assert not [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Global)]


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_every_test_states_its_fact(path: Path) -> None:
    """Every test file and every test says in a sentence what it holds."""
    tree = tree_of(path)
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert ast.get_docstring(tree)
    assert [one.name for one in tests if not (ast.get_docstring(one) or "").endswith(".")] == []


GLUED = re.compile(r"sub-\{(?!LABEL)|\"sub-\"(?! not in)|ses-\{(?!NUMBER)|parents\[3\]")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_visit_is_named_in_one_place(path: Path) -> None:
    """Only `design/visit.py` knows how subjects and sessions are prefixed, and the data set where a transcript is."""
    if path.name not in ("visit.py", "dataset.py"):
        assert GLUED.findall(path.read_text(encoding="utf-8")) == []


def kept_files() -> list[Path]:
    """The files of the repository: the folders that are in it whole, and what lies beside them."""
    folders = [ROOT / name for name in ("experiment", "tests", "stimuli/examples", "stimuli/fonts", ".ci")]
    beside = [
        *(path for path in ROOT.glob("*") if path.name != ".git"),
        *(ROOT / "stimuli").glob("*"),
        *ROOT.glob("*/README.md"),
    ]
    return [path for path in (*beside, *(path for folder in folders for path in folder.rglob("*"))) if path.is_file()]


# Written in pieces, so that this file does not hold what it looks for.
ELSEWHERE = re.compile(
    "|".join(
        [
            r"https?://[\w.-]*(?:py" + r"pi|python" + r"hosted|ana" + r"conda|artif" + r"actory|nex" + r"us)",
            r"--(?:extra-)?index" + r"-url|^registry" + r" *=",
            r"/(?:ho" + r"me|Us" + r"ers)/\w+/|/ro" + r"ot/|/wo" + r"rk/(?:main|shared)|/tm" + r"p/w/",
            r"https?://(?:\d{1,3}\.){3}\d|local" + r"host:\d",
        ]
    ),
    re.MULTILINE,
)


def test_no_file_names_a_registry_or_this_computer() -> None:
    """No file of the repository holds the address of a package registry or a path of the computer it was made on."""
    found = []
    for path in kept_files():
        data = path.read_bytes()
        if b"\0" not in data:
            at = ELSEWHERE.search(data.decode("utf-8", "replace"))
            found += [f"{path.relative_to(ROOT)}: {at[0]}"] if at else []
    assert found == []
