"""The rows of ``headrace sources preview``: fit for a terminal, whatever the records hold."""

import pytest

from app.commands.showing import clean
from app.commands.sources import preview_row
from app.services.ingest.sources import SourceTurner
from app.topics import Topics
from tests.support.sources import record, shop, source


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        ({"no": "\x1b[2J17", "amount": "1\n2", "buyer": {"id": "a\r\n\tb\x07"}}, ["a b\\x07", "\\x1b[2J17"]),
        ({"no": "n" * 300, "buyer": {"id": 1}}, ["dead letter", "id: no has more than 256 characters"]),
    ],
    ids=["commands", "dead letter"],
)
def test_a_terminal_is_given_nothing_to_obey(order: dict[str, object], shown: list[str]) -> None:
    """Escape sequences, line breaks and tabs of a record are shown, in one line; of a dead letter, why it is one."""
    turner = SourceTurner(source(shop(id="no")), Topics("t."))
    line = " ".join(map(clean, preview_row(turner, record(order))))
    assert line.isprintable()
    assert [part for part in shown if part not in line] == []
