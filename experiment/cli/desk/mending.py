"""What a command needs before it can mend something: files that are chosen, and options that a form asks for."""

from __future__ import annotations

from PyQt6.QtWidgets import QFileDialog, QWidget

from experiment.cli import form
from experiment.cli.desk.places import Command
from experiment.cli.desk.troubles import Trouble
from experiment.cli.form_problems import Decided, Given, Wrong
from experiment.cli.form_window import FormPage, fill_in
from experiment.design.form_questions import AskedQuestion


def command_of(trouble: Trouble, desk: QWidget) -> Command | None:
    """The command with all that it needs; None if choosing or answering was cancelled."""
    command = trouble.command
    if trouble.files:
        chosen, _ = QFileDialog.getOpenFileNames(desk, trouble.button.rstrip(" ."), "", trouble.files)
        command = (*command, *chosen) if chosen else ()
    if trouble.asks:
        filled = fill_in(_page(trouble))
        command = (*command, *_options(filled.given)) if filled else ()
    return command if command or not trouble.command else None


def _page(trouble: Trouble) -> FormPage:
    def check(given: Given, _: Decided) -> Given:
        form.check_questions(trouble.asks, given)
        return given

    title = trouble.button.rstrip(" .")
    return FormPage(title, trouble.asks, title, check, _check_one, look=lambda _, __: trouble.text)


def _check_one(question: AskedQuestion, given: str) -> Wrong | None:
    try:
        form.check_questions([question], {question.id: given})
    except form.WrongAnswers as wrong:
        return Wrong(wrong.errors[question.id])
    return None


def _options(given: Given) -> Command:
    return tuple(f"--{name}={answer.strip()}" for name, answer in given.items())
