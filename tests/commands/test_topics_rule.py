"""What ``headrace topics`` says of where events flow is how they do."""

import re
from pathlib import Path

import pytest

from app.adapters.kafka.admin import TopicReport
from app.commands.topics import report_lines
from app.topics import Topics
from schemas.event_types import EVENT_GROUPS

DOCS = Path(__file__).parents[2] / "docs" / "kafka.md"


def said() -> str:
    """The line with the rule."""
    (line,) = [one for one in report_lines(TopicReport(total=1)) if one.startswith("Events: ")]
    return line


def test_the_rule_that_is_said_is_the_rule() -> None:
    """A word that it names has its topic, ``message`` the one that is said, every other word that of custom types."""
    match = re.fullmatch(
        r"Events: events\.<first word of the type> for (?P<own>[a-z, ]+) \(message\.\* with (?P<message>\w+)\), "
        r"every other dotted type on (?P<other>[\w.]+)",
        said(),
    )
    assert match is not None
    own, topics = match["own"].split(", "), Topics("acme.")
    assert [topics.events(f"{word}.anything") for word in own] == [f"acme.events.{word}" for word in own]
    assert topics.events("message.received") == f"acme.events.{match['message']}"
    for kind in ("com.shop.cart.abandoned", "custom.signup", "orders.paid", "Order.paid", "invoice.sent"):
        assert topics.events(kind) == f"acme.{match['other']}", kind
    assert {*own, match["other"].removeprefix("events.")} == set(EVENT_GROUPS)


@pytest.mark.parametrize("group", EVENT_GROUPS)
def test_the_docs_name_every_topic_of_the_rule(group: str) -> None:
    """In the table of what a topic holds."""
    table = DOCS.read_text().partition("## A topic holds events of its own group")[2].partition("\n\nTypes are open")[0]
    assert f"`events.{group}`" in table
