"""How the desk looks, and the small parts it is made of."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QWidget

from experiment.cli.desk.facts import ParticipantLine
from experiment.cli.desk.troubles import Trouble
from experiment.cli.form_widgets import ACCENT, ERROR, INK, LINE, PAPER, QUIET, STYLE, label, push_button
from experiment.record.finding import Severity
from experiment.study.status import Urgency

AMBER, GREEN = "#8A5A00", "#2E6B3A"
COLOURS: dict[Severity, str] = {"ok": GREEN, "note": QUIET, "warning": AMBER, "error": ERROR}
DESK_STYLE = f"""{STYLE}
#desk {{ background: {PAPER}; }}
#anchor {{ font-size: 22pt; font-weight: 600; }}
#day {{ color: {QUIET}; }}
#trouble {{ background: #FBE9E7; border: 1px solid #E6B8B3; border-radius: 6px; }}
#trouble QLabel {{ color: {ERROR}; background: transparent; }}
QTableView {{ background: white; border: 1px solid {LINE}; border-radius: 5px; gridline-color: transparent; }}
QTableView:focus {{ border: 2px solid {ACCENT}; }}
QTableView::item {{ padding: 6px 8px; border-bottom: 1px solid #ECE8E0; }}
QTableView::item:selected {{ background: #DCE8E9; color: {INK}; }}
QHeaderView::section {{ background: white; color: {QUIET}; border: none; padding: 8px 11px; }}
QPushButton {{ padding: 8px 16px; min-width: 64px; }}
#act {{ text-align: left; }}
QPushButton:focus {{ padding: 7px 15px; }}
QPushButton#start {{ padding: 12px 16px; }}
QPushButton#start:focus {{ padding: 11px 15px; }}
QPushButton:disabled, QPushButton#start:disabled {{ color: {QUIET}; background: #ECE8E0; border-color: #D8D2C6; }}
QPushButton:checked {{ background: #DCE8E9; border-color: {ACCENT}; }}
QProgressBar {{ background: white; border: 1px solid {LINE}; border-radius: 5px; text-align: center; }}
QProgressBar::chunk {{ background: #BFD5D7; }}
"""
Act = tuple[str, Callable[[], object]]
"""A button's words, and what it does."""

HEADER = ("Participant", "Today", "Messages", "Where", "Notes")
WIDTHS_PX, WIDEST_PX, CELL_AIR_PX = (130, 200, 110, 150), 460, 20


class TroubleBox(QWidget):
    """What is wrong, and the button that mends it."""

    def __init__(self, trouble: Trouble, mend: Callable[[Trouble], None]) -> None:
        """`mend` is called with the trouble."""
        super().__init__()
        self.setObjectName("trouble")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        self.text = label(trouble.text, "")
        row.addWidget(self.text, stretch=1)
        self.button = push_button(trouble.button, lambda: mend(trouble))
        row.addWidget(self.button)


class Cover(QWidget):
    """An empty page over the whole screen."""

    def __init__(self, make_way: Callable[[], object]) -> None:
        """`make_way` is called at each click, which brings this page to the front."""
        super().__init__()
        self._make_way = make_way

    def mouseReleaseEvent(self, _: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """A click beside what is asked in front."""
        self._make_way()


class Participants(QAbstractTableModel):
    """The participants' lines as a table."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.lines: tuple[ParticipantLine, ...] = ()

    def show(self, lines: tuple[ParticipantLine, ...]) -> None:
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
            columns.setResizeContentsPrecision(0)  # only rows that are seen
        lines.modelReset.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        """Columns as wide as what is seen in them, the last one with what is left."""
        for column, least_px in enumerate(WIDTHS_PX):
            needed_px = self.sizeHintForColumn(column) + CELL_AIR_PX
            self.setColumnWidth(column, max(least_px, min(needed_px, WIDEST_PX)))

    def keyPressEvent(self, e: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Return starts a session of the selected participant."""
        if e is not None and e.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._start()
        else:
            super().keyPressEvent(e)
