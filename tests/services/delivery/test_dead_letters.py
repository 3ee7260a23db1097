"""Dead letters as they are built: who read the record, which record it was, and what it is about."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.errors import PoisonError
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.dead_letter import DeadLetter
from tests.support.records import FakeRecord, event_record
from tests.support.sender import MemorySender
from tests.support.slips import NOW

TOPICS = Topics("t.")
RECORD = FakeRecord(b"{", b"k", timestamp=1_772_359_200.5, headers=[("h", b"1")])


def letter(record: FakeRecord, role: str = "matcher", part: str | None = None, **more: Any) -> DeadLetter:
    """The dead letter of a record, as its readers see it."""
    letters = DeadLetters(topics=TOPICS, sender=MemorySender(), role=role, clock=lambda: NOW, **more)
    return DeadLetter.model_validate_json(letters.build(record, PoisonError("not_json", "no"), part=part).value or b"")


def test_a_letter_names_who_read_it() -> None:
    """The consumer group: the role's, or the one it is told; and for which of its parts."""
    assert letter(RECORD).reader == "t.matcher"
    assert letter(RECORD, "sources", "shop").reader == "t.sources/shop"
    assert letter(RECORD, "subscriber", reader="billing").reader == "billing"


def test_a_letter_names_the_record_that_it_is_of() -> None:
    """Read again it is the same; another time, key, value or header at the same place is another record."""
    digest = letter(RECORD).digest
    assert letter(replace(RECORD)).digest == digest
    others: list[dict[str, Any]] = [
        {"timestamp": 1_772_359_200.501},
        {"timestamp": None},
        {"key": None},
        {"value": b"{{"},
        {"value": None},
        {"key": b"k{", "value": b""},
        {"headers": [("h", b"2")]},
        {"headers": [("h", None)]},
        {"headers": []},
    ]
    digests = {letter(replace(RECORD, **change)).digest for change in others}
    assert len(digests - {digest}) == len(others)


def test_a_letter_names_what_it_is_about() -> None:
    """Event id, source and entity, made out of the record."""
    made = letter(event_record())
    assert (made.event_id, made.source, made.entity) == ("e-1", "/shop", "c1")


@pytest.mark.parametrize("name", ["\udcff", "\x00", "x" * 5000])
def test_odd_names_of_headers_are_no_obstacle(name: str) -> None:
    """Whatever a record is made of, there is a letter of it."""
    assert letter(replace(RECORD, headers=[(name, None)])).digest


def test_letters_of_older_writers_are_read() -> None:
    """What they do not say is empty."""
    old = letter(RECORD).model_dump(mode="json")
    for name in ("reader", "digest", "event_id", "source", "entity"):
        del old[name]
    read = DeadLetter.model_validate(old)
    assert (read.reader, read.digest, read.event_id, read.source, read.entity) == ("", "", None, None, None)
