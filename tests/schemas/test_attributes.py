"""What attributes may hold: the same through Kafka, in both content modes, and through the emitter, so the API."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.domain.errors import InvalidError, PoisonError
from app.services.ingest.emitter import event_record
from app.topics import Topics
from schemas.attributes import declares_json, fits, unfit
from schemas.event import Event
from schemas.incoming import decode_event
from tests.domain.strategies import json_values
from tests.support.records import FakeRecord, cloud_event

TOPICS = Topics("t.")
TAKEN: list[dict[str, Any]] = [
    {"datacontenttype": "application/json"},
    {"datacontenttype": "application/json; charset=utf-8"},
    {"datacontenttype": 'Application/JSON;Charset="UTF-8";v=1'},
    {"datacontenttype": "application/vnd.shop.order.v1+json"},
    {"datacontenttype": "text/json"},
    {"datacontenttype": None},
    {"source": "shop"},
    {"source": "urn:shop:orders"},
    {"source": "https://shop.example:8080/a/b?c=d&e=f#g"},
    {"source": "mailto:orders@shop.example"},
    {"source": "/São Paulo/100%"},
    {"source": "/caf%C3%A9/~x!$&'()*+,;=:@[::1]"},
    {"dataschema": "https://shop.example/schemas/order.json#/v1"},
    {"dataschema": "order-v1"},
    {"dataschema": None},
    {"tenant": "t9", "count": 5, "test": True, "nothing": None, "share": 0.5},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"datacontenttype": "text/plain"}, "datacontenttype"),
    ({"datacontenttype": "application/xml"}, "datacontenttype"),
    ({"datacontenttype": "application/jsonp"}, "datacontenttype"),
    ({"datacontenttype": "application/cloudevents+avro"}, "datacontenttype"),
    ({"datacontenttype": "json"}, "datacontenttype"),
    ({"datacontenttype": "application/json; charset=iso-8859-1"}, "datacontenttype"),
    ({"datacontenttype": "application/json" + " " * 300}, "datacontenttype"),
    ({"source": "<shop>"}, "source"),
    ({"source": '{"name": "shop"}'}, "source"),
    ({"source": "/shop\n"}, "source"),
    ({"source": "/shop\t1"}, "source"),
    ({"source": " /shop"}, "source"),
    ({"source": "c:\\shop"}, "source"),
    ({"dataschema": ""}, "dataschema"),
    ({"dataschema": "a|b"}, "dataschema"),
]
# What only JSON can write.
REFUSED_AS_JSON: list[tuple[dict[str, Any], str]] = [
    ({"datacontenttype": ""}, "datacontenttype"),
    ({"datacontenttype": 5}, "datacontenttype"),
    ({"dataschema": 5}, "dataschema"),
    ({"dataschema": {}}, "dataschema"),
    ({"tenant": {"id": 9}}, "tenant"),
    ({"tenant": ["t9"]}, "tenant"),
    ({"Tenant": "t9"}, "Tenant"),
]


def binary(changes: dict[str, Any]) -> FakeRecord:
    """The same event in binary mode."""
    event = {name: value for name, value in cloud_event(**changes).items() if value is not None}
    data, content_type = event.pop("data"), event.pop("datacontenttype", None)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items()]
    headers += [("content-type", content_type.encode())] if content_type is not None else []
    return FakeRecord(orjson.dumps(data), headers=headers)


@pytest.mark.parametrize("changes", TAKEN)
def test_what_is_right_is_taken_every_way(changes: dict[str, Any]) -> None:
    """Charsets, suffixes and parameters too; spaces and letters of any alphabet in a source."""
    decode_event(FakeRecord(orjson.dumps(cloud_event(**changes))))
    decode_event(binary(changes))
    event_record(TOPICS, cloud_event(**changes))


@pytest.mark.parametrize(("changes", "path"), REFUSED + REFUSED_AS_JSON)
def test_what_is_wrong_is_refused_by_both(changes: dict[str, Any], path: str) -> None:
    """By its name, in the same words."""
    with pytest.raises(InvalidError) as ours:
        event_record(TOPICS, cloud_event(**changes))
    with pytest.raises(PoisonError) as theirs:
        decode_event(FakeRecord(orjson.dumps(cloud_event(**changes))))
    assert [one.path for one in ours.value.errors] == [path]
    assert (theirs.value.reason, theirs.value.detail.partition(":")[0]) == ("invalid_event", path)


@pytest.mark.parametrize(("changes", "path"), REFUSED)
def test_what_is_wrong_is_refused_in_binary_mode(changes: dict[str, Any], path: str) -> None:
    """A header says it as the member of the JSON does."""
    with pytest.raises(PoisonError) as caught:
        decode_event(binary(changes))
    assert (caught.value.reason, caught.value.detail.partition(":")[0]) == ("invalid_event", path)


def test_a_source_that_could_be_ours_stays_reserved() -> None:
    """Whatever else is wrong with it: the reason tells an attempt from a mistake."""
    for source in ("\\headrace\\crm", "/headrace\t/crm", " /headrace/crm"):
        assert decode_event(FakeRecord(orjson.dumps(cloud_event(source=source)))).event.source == source
        with pytest.raises(InvalidError, match="Headrace's own"):
            event_record(TOPICS, cloud_event(source=source))


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.shop+json; charset=UTF-8", None, ""])
def test_a_whole_event_may_come_as_any_json(content_type: str | None) -> None:
    """Without attributes in headers the value is the event, whatever JSON it is called."""
    headers = [] if content_type is None else [("content-type", content_type.encode())]
    assert decode_event(FakeRecord(orjson.dumps(cloud_event()), headers=headers)).event.id == "e-1"


@pytest.mark.parametrize(
    "content_type", ["Application/CloudEvents+JSON; charset=UTF-8", "application/cloudevents+JSON"]
)
def test_structured_mode_is_known_in_any_case(content_type: str) -> None:
    """Names of media types have no case; the attributes in headers are copies then."""
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"other"), ("content-type", content_type.encode())]
    assert decode_event(FakeRecord(orjson.dumps(cloud_event()), headers=headers)).event.id == "e-1"


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/cloudevents+avro"])
def test_a_whole_event_of_another_content_type_is_refused(content_type: str) -> None:
    """As the API answers 415; what is no JSON either keeps that reason."""
    headers = [("content-type", content_type.encode())]
    for value, reason in ((orjson.dumps(cloud_event()), "invalid_event"), (b"\x00avro", "not_json")):
        with pytest.raises(PoisonError) as caught:
            decode_event(FakeRecord(value, headers=headers))
        assert caught.value.reason == reason


NAMES = st.sampled_from(["source", "dataschema", "datacontenttype", "tenant", "Tenant", "x_y", "subject"])
TEXTS = st.sampled_from(["/shop", "<", "text/plain", "application/json", "", "\\headrace", "a b"]) | st.text(max_size=5)


@given(st.dictionaries(NAMES, TEXTS | json_values, max_size=3))
def test_the_quick_look_and_the_names_agree(changes: dict[str, Any]) -> None:
    """An event that keeps its types fits where nothing is named, and nowhere else."""
    attributes = cloud_event(**changes)
    try:
        event = Event.model_validate(attributes)
    except ValidationError:
        return
    assert fits(event) is not bool(unfit(attributes))


def test_a_long_content_type_is_not_remembered() -> None:
    """What is remembered is bounded in bytes, too."""
    assert not declares_json("application/json;" + "x" * 1000)
