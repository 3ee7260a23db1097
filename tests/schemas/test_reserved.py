"""Which sources and attributes are Headrace's own."""

import time
from urllib.parse import quote
from uuid import UUID

import pytest

from app.domain.errors import PoisonError
from schemas.event import Event
from schemas.reserved import check_from_outside, is_reserved, reserved_in
from tests.support.deadlines import scaled
from tests.support.records import cloud_event


def twice_encoded(text: str) -> str:
    """Percent-encode every character, and then the percent signs."""
    return quote("".join(f"%{ord(character):02x}" for character in text))


@pytest.mark.parametrize(
    "source",
    [
        "/headrace", "/headrace/", "/headrace/scheduler", "/headrace/x/y", "//headrace", "//headrace/crm",
        "///headrace/crm",
        "/HEADRACE/crm", "/HeadRace", "headrace", "headrace/crm", "\\headrace\\crm", "/\\headrace", "/./headrace/crm",
        "/shop/../headrace/crm", "../headrace", "/%68eadrace/crm", "/%68%65%61%64%72%61%63%65", "%2fheadrace%2fcrm",
        "/%2568eadrace", twice_encoded("/headrace/crm"), " /headrace/crm", "/headrace /crm", "/head\u200brace/crm",
        "/headrace\ufe0f/crm",
        "/head\u034frace/crm", "/headrace\u3164/crm", "/he\u00e1drace/crm",
        "/headrace\t/crm", "\ufeff/headrace", "/\uff48\uff45\uff41\uff44\uff52\uff41\uff43\uff45/crm",
        "/headrace?x=1", "/headrace#top", "/headrace;v=1",
        "/headrace%2e%2e/../headrace", "/%252525252568eadrace",
    ],
)  # fmt: skip
def test_every_spelling_of_ours_is_reserved(source: str) -> None:
    """Case, encodings, slashes, dots and what cannot be seen do not make another source of it."""
    assert is_reserved(source)


@pytest.mark.parametrize(
    "source",
    [
        "/shop", "/", "", "/headraces/x", "/headrace-shop", "/my-headrace/x", "/shop/headrace", "/headrace/../shop",
        "https://shop.example/headrace/crm", "urn:shop:headrace", "/sources/headrace", "/100%", "/caf%C3%A9",
        "/São Paulo",
        "/command-line",
    ],
)  # fmt: skip
def test_sources_of_others_are_free(source: str) -> None:
    """The word in another place, as a part of another, or on another host is nobody's."""
    assert not is_reserved(source)


def test_each_reserved_attribute_is_named() -> None:
    """By its name, so that a sender can correct it; on a topic of others it is poison with a reason of its own."""
    event = Event.model_validate(cloud_event(source="/headrace/crm", workflowid=str(UUID(int=1))))
    assert [error.path for error in reserved_in(event)] == ["source", "workflowid"]
    with pytest.raises(PoisonError, match=r"source: .*; workflowid: ") as refused:
        check_from_outside(event)
    assert refused.value.reason == "reserved"


@pytest.mark.parametrize("event_type", ["temporal.daily", "temporal.weekly", "temporal.monthly"])
def test_events_of_schedules_are_reserved(event_type: str) -> None:
    """Whoever could send one would run everybody's workflows of that kind before they are due."""
    event = Event.model_validate(cloud_event(type=event_type))
    assert [error.path for error in reserved_in(event)] == ["type"]
    with pytest.raises(PoisonError, match="type: "):
        check_from_outside(event)


def test_an_event_of_others_passes() -> None:
    """Also with extensions, and with the causation that it was handed."""
    event = Event.model_validate(cloud_event(causation=f"{UUID(int=1)}/{UUID(int=2)}", tenant="t-1"))
    assert not reserved_in(event)
    check_from_outside(event)


def test_a_long_source_is_judged_at_once() -> None:
    """Encoded over and over, it costs no more than a few passes."""
    started = time.process_time()
    for number in range(100):
        is_reserved("/%" + "25" * 500 + str(number))
    assert time.process_time() - started < scaled(1)
