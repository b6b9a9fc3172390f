"""The desk's first page: participants, buttons, and how this computer is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from experiment.cli.desk.facts import Facts, ParticipantLine, State
from experiment.cli.desk.troubles import Trouble
from experiment.cli.desk.widgets import COLOURS, Act, Participants, ParticipantsTable, TroubleBox
from experiment.cli.form_widgets import label, push_button
from experiment.design.visit import bare_label
from experiment.study.snapshot import near_ids

MOST_TROUBLES = 2  # so that on the smallest screen all else has its room


class Front(QWidget):
    """The page; `start` is called with the selected participant's line, None for nobody.

    `mend` is called with a trouble, `show_all` with all of them.
    """

    def __init__(
        self, start: Callable[[ParticipantLine | None], None], mend: Callable[[Trouble], None],
        show_all: Callable[[Sequence[Trouble]], None], acts: Sequence[Act], stop: Callable[[], None],
    ) -> None:  # fmt: skip
        """`acts`: the other buttons, each with what it does. `stop`: ends the command that runs."""
        super().__init__()
        self._facts, self._lines, self._mend, self._show_all = Facts("Reading ..."), Participants(), mend, show_all
        self._of_computer: Sequence[Trouble] = ()
        self._boxes, self._all = dict[Trouble, TroubleBox](), tuple[Trouble, ...]()
        self._others = TroubleBox(Trouble("", "Show all"), lambda _: self._show_all(self._all))
        self._is_found = False
        self._start = lambda: start(self.selected)
        self._troubles = QVBoxLayout()
        self._day, self._near = label("", "day"), label("", "day")
        self._find = QLineEdit()
        self._table = ParticipantsTable(self._lines, self._start)
        self._today, self._everybody = push_button("&Today", self._filter), push_button("&Everybody", self._filter)
        self._computer, self._folder = label("This computer: being checked ...", "state"), label("", "state")
        self._buttons = [
            push_button("&Start session", self._start, "start"),
            *(push_button(*act, "act") for act in acts),
        ]
        self._doing, self._bar, self._stop = label("", "doing"), QProgressBar(), push_button("St&op", stop)
        self._build()
        self.working("")

    @property
    def selected(self) -> ParticipantLine | None:
        """The selected participant's line; the only one that was found, else None."""
        index, lines = self._table.currentIndex(), self._lines.lines
        if index.isValid() and index.row() < len(lines):
            return lines[index.row()]
        return lines[0] if self._is_found and len(lines) == 1 else None

    def show_facts(self, facts: Facts) -> None:
        """These facts from now on; who was selected stays so."""
        before = self.selected
        self._facts = facts
        self._day.setText(facts.heading)
        self._show_troubles()
        self._filter()
        if before and before.subject in (names := [line.subject for line in self._lines.lines]):
            self._table.selectRow(names.index(before.subject))

    def show_states(self, computer: State, folder: State, troubles: Sequence[Trouble]) -> None:
        """How this computer and the data folder are, and what is wrong with them."""
        self._of_computer = troubles
        self._show_troubles()
        for shown, state in ((self._computer, computer), (self._folder, folder)):
            shown.setText(state.text)
            shown.setStyleSheet(f"color: {COLOURS[state.severity]}")

    def working(self, title: str) -> None:
        """A command runs, so that no other can be started; "" for none."""
        self._is_working = bool(title)
        for one in (*self._buttons, *(box.button for box in (*self._boxes.values(), self._others))):
            one.setEnabled(not title)
        for part in (self._doing, self._bar, self._stop):
            part.setVisible(bool(title))
        self._bar.setRange(0, 0)
        self._doing.setText(f"{title} ...")

    def progress(self, done: int, of: int) -> None:
        """How far the command is."""
        self._bar.setRange(0, of)
        self._bar.setValue(done)

    def come_back(self) -> None:
        """Ready for the next participant."""
        self._find.setFocus()
        self._find.selectAll()

    def _filter(self) -> None:
        """Show those who are looked for; among all, as soon as somebody is looked for."""
        wanted = bare_label(self._find.text().strip()).casefold()
        everybody = self._facts.lines
        shown = [line for line in everybody if wanted in line.subject.casefold()] if wanted else [
            line for line in everybody if line.is_today or self._everybody.isChecked()
        ]  # fmt: skip
        near = near_ids(wanted, [line.subject for line in everybody]) if wanted and not shown else []
        self._near.setText(_of_nobody(self._find.text(), has_near=bool(near)) if everybody or wanted else "")
        self._near.setVisible(bool(self._near.text()) and not shown)
        self._lines.show(tuple(shown or (line for line in everybody if line.subject in near)))
        self._is_found = bool(wanted and shown)  # one of a like ID has to be chosen
        if self._is_found:
            self._table.selectRow(0)

    def _show_troubles(self) -> None:
        """The first of them, and how many more there are; who is at the button of one that was there stays at it."""
        troubles = (*self._of_computer, *self._facts.troubles)
        shown = troubles if len(troubles) <= MOST_TROUBLES else troubles[: MOST_TROUBLES - 1]
        before, self._boxes = self._boxes, {}
        for place, trouble in enumerate(shown):
            box = before.pop(trouble) if trouble in before else TroubleBox(trouble, self._mend)
            self._boxes[trouble] = box
            box.button.setEnabled(not self._is_working)
            self._troubles.insertWidget(place, box)
        for box in before.values():
            self._troubles.removeWidget(box)
            box.hide()
            box.deleteLater()
        self._all, more = troubles, len(troubles) - len(shown)
        self._others.text.setText(f"{more} more problems.")
        self._others.setVisible(bool(more))
        buttons = [box.button for box in (*self._boxes.values(), self._others)]
        for one, following in pairwise([*buttons, self._find]):
            QWidget.setTabOrder(one, following)

    def _build(self) -> None:
        self._find.setPlaceholderText("Find a participant by ID")
        self._find.setAccessibleName("Find a participant by ID")
        self._find.textChanged.connect(self._filter)
        self._find.returnPressed.connect(self._start)
        down = QShortcut(QKeySequence(Qt.Key.Key_Down), self._find, context=Qt.ShortcutContext.WidgetShortcut)
        down.activated.connect(self._table.setFocus)
        choice = QButtonGroup(self)
        for one in (self._today, self._everybody):
            one.setCheckable(True)
            choice.addButton(one)
        self._today.setChecked(True)
        page = QVBoxLayout(self)
        page.setContentsMargins(28, 16, 28, 16)
        page.setSpacing(10)
        page.addWidget(label("Day Four", "heading"))
        page.addWidget(self._day)
        page.addLayout(_row(self._find, self._today, self._everybody))
        page.addWidget(self._near)
        middle, column = QHBoxLayout(), QVBoxLayout()
        middle.setSpacing(20)
        column.setSpacing(8)
        middle.addWidget(self._table, stretch=1)
        for one in self._buttons:
            one.setMinimumWidth(220)
            column.addWidget(one)
        column.addStretch(1)
        middle.addLayout(column)
        page.addLayout(middle, stretch=1)
        self._others.hide()
        self._troubles.addWidget(self._others)
        page.addLayout(self._troubles)  # below, so that no button moves when one is found
        self._doing.setWordWrap(False)
        page.addLayout(_row(self._bar, self._doing, self._stop))
        page.addWidget(self._computer)
        page.addWidget(self._folder)


def _of_nobody(wanted: str, *, has_near: bool) -> str:
    """What to say where the list has nobody."""
    if not wanted:
        return "Nobody needs anything today."
    return f"Nobody has an ID with {wanted!r}." + " Did you mean:" * has_near


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first, stretch=1)
    for other in others:
        row.addWidget(other)
    return row
