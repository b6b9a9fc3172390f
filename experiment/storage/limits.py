"""What a file from outside may ask of this computer: looked at before any pattern, parser or typesetter sees it.

Each limit is far above what a study needs and far below what stops a computer with 2 GiB of memory. What exceeds one is
refused by its name, and the rest of its folder is read as usual.
"""

from __future__ import annotations

MEBIBYTE = 2**20

FILE_BYTES = 256 * MEBIBYTE
"""Of any file that is read whole. A transcript of an hour at 240 Hz, the largest file of a study, has 6 MiB."""

TABLE_BYTES = 16 * MEBIBYTE
"""Of a table or text file with messages: 10,000 messages of 200 words have 12 MiB. It is decoded in 18 encodings."""

UNPACKED_BYTES = 24 * MEBIBYTE
"""Of a workbook's XML, which is compressed a thousandfold at most: 10,000 messages of 200 words have 14 MiB."""

PARTS = 1_000
"""Files in a workbook: sheets, drawings, comments. A usual one has twenty."""

ROWS = 100_000
"""Of a sheet, also by number. Something in the last row that Excel has makes a million; copy it first."""

COLUMNS_OF_EXCEL = 16_384
"""Cells that a row of a workbook can have."""

CELL_TAGS, OTHER_TAGS = 1_000_000, 200_000
"""XML elements within a sheet's cells, of which each cell has three, and all others in one file of a workbook: a text
that cells share has two."""

CELLS = 1_000_000
"""Of a sheet, those between filled ones included: 10,000 rows of 100 columns."""

COLUMNS = 4_000
"""Of a table. Exports of survey programs have a few hundred columns, the longest about 3,000."""

LETTERS = 32_767
"""Characters of a cell, which is what Excel keeps. A screen has room for a tenth of them."""

LETTERS_SHOWN, LINES_SHOWN = 8_000, 200
"""Characters and typed lines that are tried for size. In the smallest type a screen has 35 lines of at most 200."""

MARKS = 64
"""Characters that make one letter with its accents. Languages stack five, a family of emoji has ten; more than sixty
reach beyond the free margin of a picture, and thousands exhaust the memory of the typesetter."""

MESSAGES = 1_000
"""Of one participant. They are compared each with each."""

TOML_BYTES = MEBIBYTE // 4
"""Of a protocol or a study file: twenty times the longest that comes with the program."""
