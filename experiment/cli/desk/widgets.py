"""How the desk looks, and the small parts it is made of."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor, QKeyEvent
from PyQt6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QPushButton, QTableView, QWidget

from experiment.cli.desk.facts import Line, Trouble
from experiment.cli.form_widgets import ACCENT, ERROR, INK, LINE, PAPER, QUIET, STYLE, label
from experiment.record.finding import Severity
from experiment.study.status import Urgency

AMBER, GREEN = "#8A5A00", "#2E6B3A"
COLOURS: dict[Severity, str] = {"ok": GREEN, "note": QUIET, "warning": AMBER, "error": ERROR}
DESK_STYLE = f"""{STYLE}
#desk {{ background: {PAPER}; }}
#anchor {{ font-size: 22pt; font-weight: 600; }}
#day {{ color: #6E675D; }}
#trouble {{ background: #FBE9E7; border: 1px solid #E6B8B3; border-radius: 6px; }}
#trouble QLabel {{ color: {ERROR}; background: transparent; }}
QTableView {{ background: white; border: 1px solid {LINE}; border-radius: 5px; gridline-color: transparent; }}
QTableView:focus {{ border: 2px solid {ACCENT}; }}
QTableView::item {{ padding: 6px 8px; border-bottom: 1px solid #ECE8E0; }}
QTableView::item:selected {{ background: #DCE8E9; color: {INK}; }}
QHeaderView::section {{ background: white; color: #6E675D; border: none; padding: 8px; }}
QPushButton {{ padding: 8px 16px; text-align: left; }}
QPushButton:focus {{ padding: 7px 15px; }}
QPushButton#start {{ text-align: center; padding: 12px 16px; }}
QPushButton#start:focus {{ padding: 11px 15px; }}
QPushButton:disabled, QPushButton#start:disabled {{ color: {QUIET}; background: #ECE8E0; border-color: #D8D2C6; }}
QPushButton:checked {{ background: #DCE8E9; border-color: {ACCENT}; }}
QProgressBar {{ background: white; border: 1px solid {LINE}; border-radius: 5px; text-align: center; }}
QProgressBar::chunk {{ background: #BFD5D7; }}
"""
HEADER = ("Participant", "Today", "Messages", "Where", "Notes")
WIDTHS_PX = (130, 290, 100, 170)


def button(text: str, act: Callable[[], object], name: str = "") -> QPushButton:
    """A button; Return presses it where it has the focus, as space does."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAutoDefault(True)
    made.clicked.connect(act)
    return made


class TroubleBox(QWidget):
    """What is wrong, and the button that mends it."""

    def __init__(self, trouble: Trouble, mend: Callable[[Trouble], None]) -> None:
        """`mend` is called with the trouble."""
        super().__init__()
        self.setObjectName("trouble")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.addWidget(label(trouble.text, ""), stretch=1)
        row.addWidget(button(trouble.button, lambda: mend(trouble)))


class Participants(QAbstractTableModel):
    """The participants' lines as a table."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        """These lines from now on."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """One for each participant."""
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: ARG002, N802 - Qt's name
        """As the header has."""
        return len(HEADER)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell's text, also as its hint; red where something is overdue or missing."""
        line = self.lines[index.row()]
        cells = (line.subject, line.needs, line.messages, line.now, line.notes)
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return cells[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            is_wrong = (index.column() == 1 and line.urgency is Urgency.overdue) or (
                index.column() == 2 and line.messages == "missing" and line.session
            )
            return QColor(ERROR) if is_wrong else None
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The columns' names."""
        is_name = role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return HEADER[section] if is_name else None


class ParticipantsTable(QTableView):
    """The table, from which a session is started with Return or a double click."""

    def __init__(self, lines: Participants, start: Callable[[], None]) -> None:
        """One row can be selected."""
        super().__init__()
        self._start = start
        self.setModel(lines)
        self.setAccessibleName("Participants")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.doubleClicked.connect(start)
        if (rows := self.verticalHeader()) is not None:
            rows.hide()
            rows.setDefaultSectionSize(38)
        if (columns := self.horizontalHeader()) is not None:
            columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            columns.setStretchLastSection(True)
            columns.setHighlightSections(False)
        for column, width_px in enumerate(WIDTHS_PX):
            self.setColumnWidth(column, width_px)

    def keyPressEvent(self, e: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Return starts a session of the selected participant."""
        if e is not None and e.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._start()
        else:
            super().keyPressEvent(e)
