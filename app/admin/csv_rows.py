"""Rows as CSV (RFC 4180) that a spreadsheet may open: no cell of it is a formula.

What begins like a formula gets an apostrophe in front, as OWASP's page on CSV injection says: names, errors and ids are
written by others than who opens the file.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as lines of CSV in UTF-8, each ended by CRLF."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_BEGINS_A_FORMULA) else text
