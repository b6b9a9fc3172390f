"""What stands above a form's questions: what keeps a session from beginning, and the buttons that decide about it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from experiment.cli.form_problems import Offer, Problem
from experiment.cli.form_widgets import clear, label, push_button

LEAST_WORDS = 2
NO_REASON = "Please give the reason in words. It is recorded with the data and your initials."


class ProblemBox(QFrame):
    """`decide` is called with the offer that is taken and its reason."""

    def __init__(self, decide: Callable[[Offer, str], None]) -> None:
        """Hidden, while there is no problem."""
        super().__init__()
        self.setObjectName("problem")
        self._decide, self._offers = decide, tuple[Offer, ...]()
        self._text, self._wrong = label("", "problem-text"), label(NO_REASON, "error")
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, in words")
        self.reason.setAccessibleName("Reason")
        self.buttons = list[QPushButton]()
        self._row = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        for part in (self._text, self.reason, self._wrong):
            column.addWidget(part)
        column.addLayout(self._row)
        self.show_problem(Problem())

    def show_problem(self, problem: Problem) -> None:
        """This from now on; a reason that was typed stays."""
        self._offers = problem.offers
        self._text.setText(problem.text)
        self.reason.setVisible(any(offer.asks_reason for offer in problem.offers))
        self._wrong.hide()
        clear(self._row)
        self.buttons = [self._button(offer) for offer in problem.offers]
        for button in self.buttons:
            self._row.addWidget(button)
        self._row.addStretch(1)
        self.setVisible(bool(problem.text))

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab goes in it, one after the other."""
        return [self.reason, *self.buttons]

    def take_reason(self) -> bool:
        """Return in the reason takes the only offer that asks for one; whether there was such an offer."""
        asking = [offer for offer in self._offers if offer.asks_reason]
        if not (self.reason.hasFocus() and len(asking) == 1):
            return False
        self._take(asking[0])
        return True

    def _button(self, offer: Offer) -> QPushButton:
        return push_button(offer.button, lambda: self._take(offer))

    def _take(self, offer: Offer) -> None:
        reason = self.reason.text().strip() if offer.asks_reason else ""
        if offer.asks_reason and len(reason.split()) < LEAST_WORDS:
            self._wrong.show()
            self.reason.setFocus()
            return
        self._decide(offer, reason)
