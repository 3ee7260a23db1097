"""The table of ``headrace sources preview``: fit for a terminal, whatever the records hold."""

from app.commands.sources import columns, preview_row
from app.services.ingest.sources import SourceTurner
from app.topics import Topics
from tests.support.sources import record, shop, source

HEADER = ("record", "becomes", "entity", "time", "id", "data")


def table(*values: object, width: int) -> list[str]:
    """Return the lines of the records' table."""
    turner = SourceTurner(source(shop(id="no")), Topics("t."))
    return columns([HEADER, *(preview_row(turner, record(value)) for value in values)], width)


def test_a_terminal_is_given_nothing_to_obey() -> None:
    """Escape sequences, line breaks and tabs of a record are shown, in one line."""
    order = {"no": "\x1b[2J17", "amount": "1\n2", "buyer": {"id": "a\r\n\tb\x07"}}
    _, line = table(order, width=200)
    assert line.isprintable()
    assert "a b\\x07" in line
    assert "\\x1b[2J17" in line


def test_columns_stand_under_each_other_and_what_is_too_long_is_cut() -> None:
    """But for reasons, which are the point of them."""
    order = {"no": 1, "amount": "1", "buyer": {"id": "c" * 200}}
    head, good, bad = table(order, {"no": "n" * 300, "buyer": {"id": 1}}, width=120)
    assert head.index("entity") == good.index("ccc")
    assert good.endswith("…")
    assert f"{'c' * 23}…" in good
    assert bad.endswith("id: no has more than 256 characters")
    assert max(len(head), len(good)) <= 120
