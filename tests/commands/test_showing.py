"""Tables on a terminal: what is pasted is whole, what matters least is left out first, and a pipe gets all."""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from fcntl import ioctl

import pytest

from app.commands.events import _COLUMNS as EVENTS
from app.commands.executions import _COLUMNS as EXECUTIONS
from app.commands.showing import Column, fitting
from app.commands.workflows import _COLUMNS as WORKFLOWS

ID = "2bd891b3-fd36-55ae-bc26-6fa798fdfb4f"
_CODE = f"""
from app.commands.showing import Column, show_table
columns = (Column("ID"), Column("NAME", 8), Column("NOTE", 12, 1), Column("ERROR", 8, 2))
show_table(columns, [("{ID}", "a name that is longer than a line has room for", "", "no \\x1b[2Jroute " * 9)], empty="")
"""


def shown(columns: int, **variables: str) -> str:
    """What the table looks like on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    env = {**clean, "TERM": "xterm-256color", **variables}
    with subprocess.Popen([sys.executable, "-c", _CODE], stdin=theirs, stdout=theirs, stderr=theirs, env=env):  # noqa: S603
        os.close(theirs)
        parts = []
        with suppress(OSError):  # it has ended
            while part := os.read(ours, 65_536):
                parts.append(part)
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_its_terminal(width: int) -> None:
    """The id is whole, no line is longer than the terminal, a column without values is none, and nothing commands."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown(width))
    heads, row, *rest = plain.splitlines()
    assert heads.split() == (["ID", "NAME", "ERROR"] if rest == [] else ["ID", "NAME"])
    assert row.startswith(f"{ID}  a name that is")
    assert max(map(len, plain.splitlines())) <= width
    assert "\x1b" not in plain


def test_colours_are_for_a_terminal_that_wants_them() -> None:
    """NO_COLOR keeps them off, and a pipe gets every column whole."""
    assert re.search(r"\x1b\[[0-9;]*3\dm|\x1b\[1m", shown(80))
    assert not re.search(r"\x1b\[[0-9;]*3\dm", shown(80, NO_COLOR="1"))
    piped = subprocess.run([sys.executable, "-c", _CODE], check=True, capture_output=True, text=True).stdout  # noqa: S603
    assert "\x1b" not in piped
    assert "longer than a line has room for" in piped
    assert piped.splitlines()[0].split() == ["ID", "NAME", "NOTE", "ERROR"]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (WORKFLOWS, (ID, "inactive", "N" * 60, "commission.paid", "2", "17", "2026-11-29 11:21:47")),
        (EXECUTIONS, (ID, "success", "2026-11-29 11:21:55", "N" * 60, "order.paid", "ada", "311 ms", "E" * 90)),
        (EVENTS, ("2026-11-29 11:21:20", "order.created", "/command-line", ID, "ada", "ran (1)")),
    ],
    ids=["workflows", "executions", "events"],
)
def test_what_is_pasted_is_whole_in_eighty_columns(columns: tuple[Column, ...], row: tuple[str, ...]) -> None:
    """Ids, and the source that tells which event is meant."""
    widths = fitting(columns, [row], 80)
    assert widths is not None
    assert sum(widths.values()) + 2 * (len(widths) - 1) <= 80
    pasted = [n for n, column in enumerate(columns) if column.name in {"ID", "SOURCE"}]
    assert [widths[n] for n in pasted] == [max(len(row[n]), len(columns[n].name)) for n in pasted]


def test_room_that_is_left_goes_to_what_matters_most() -> None:
    """And where not even what stays has room, nothing is cut: the terminal breaks the lines."""
    columns = (Column("ID"), Column("LESS", 4, 1), Column("MOST", 4))
    assert fitting(columns, [["1", "l" * 30, "m" * 30]], 50) == {0: 2, 1: 14, 2: 30}
    assert fitting(columns, [["1" * 60, "", "m"]], 50) is None
