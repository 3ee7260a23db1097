"""Events over HTTP: in every content mode of CloudEvents, durable or refused, never half a batch."""

from io import BytesIO
from typing import Any

import orjson
import pytest

from tests.admin.conftest import Answer, Api, User

PATH = "/api/v1/events"
BATCH = "application/cloudevents-batch+json"


def event(**changes: Any) -> dict[str, Any]:
    """An event; None removes an attribute."""
    complete = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shop",
        "type": "order.paid",
        "subject": "c-1",
        "data": {"order": {"total": 12}},
        **changes,
    }
    return {name: value for name, value in complete.items() if value is not None}


async def post(user: User, body: Any, content_type: str = "application/json", **headers: str) -> Answer:
    """Post a body as a content type; bytes go as they are."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    sent = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await user.call("POST", PATH, data=data, headers=sent)


@pytest.fixture
def sender(api: Api) -> User:
    """Somebody who may send events."""
    return api.user("user", "events:write")


@pytest.mark.parametrize(
    ("body", "content_type", "ids"),
    [
        (event(), "application/json", ["e-1"]),
        (event(), "application/cloudevents+json", ["e-1"]),
        (event(), "application/cloudevents+json; charset=UTF-8", ["e-1"]),
        ([event(), event(id="e-2")], "application/json", ["e-1", "e-2"]),
        ([event(), event(id="e-2")], BATCH, ["e-1", "e-2"]),
    ],
)
async def test_each_structured_mode_is_taken(
    api: Api, sender: User, body: Any, content_type: str, ids: list[str]
) -> None:
    """202 with the ids, in order, and every event is in Kafka by then."""
    answer = await post(sender, body, content_type)
    assert (answer.status, answer.json) == (202, {"ids": ids})
    sent = [orjson.loads(record.value or b"") for record in api.sender.on("t.events.order")]
    assert sent == (body if isinstance(body, list) else [body])


async def test_binary_mode_is_taken(api: Api, sender: User) -> None:
    """Attributes from ``ce-`` headers, percent-decoded, extensions too; the body is the data."""
    answer = await post(
        sender,
        {"order": {"total": 12}},
        ce_specversion="1.0",
        CE_ID="e-9",
        ce_source="/shop/S%C3%A3o%20Paulo",
        ce_type="order.paid",
        ce_subject="c-1",
        ce_region="south",
    )
    assert (answer.status, answer.json) == (202, {"ids": ["e-9"]})
    (record,) = api.sender.on("t.events.order")
    assert orjson.loads(record.value or b"") == event(
        id="e-9", source="/shop/São Paulo", region="south", datacontenttype="application/json"
    )
    assert record.key == b"c-1"


@pytest.mark.parametrize(
    ("body", "content_type", "path"),
    [
        (event(type="order eaten"), "application/json", "type"),
        (event(id=None), "application/cloudevents+json", "id"),
        (event(data=[1]), "application/json", "data"),
        ([event(), event(), event(), event(type="x")], BATCH, "[3].type"),
        ([event(), 3], "application/json", "[1]"),
        (event(), BATCH, ""),
        ([], BATCH, ""),
        ([event()] * 1001, BATCH, ""),
        ([event()], "application/cloudevents+json", ""),
        (b"{", "application/json", ""),
        (b'{"id": NaN}', "application/json", ""),
        (b"\xff", "application/json", ""),
        (b"", "application/json", ""),
        (event(data={"t": "\x00"}), "application/json", "data.t"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "application/json", "a.a.a.a.a"),
        (b'{"id": "\\ud800"}', "application/json", ""),
        (event(data={"t": "x" * 300_000}), "application/json", ""),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_sent(
    api: Api, sender: User, body: Any, content_type: str, path: str
) -> None:
    """400 with the path to what is wrong; of a batch nothing is sent."""
    answer = await post(sender, body, content_type)
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])
    assert api.sender.records == []


async def test_binary_mode_takes_any_json(api: Api, sender: User) -> None:
    """As from Kafka; what is no JSON by its name stays 415."""
    named = {"ce_specversion": "1.0", "ce_id": "e-8", "ce_source": "/s", "ce_type": "order.paid"}
    answer = await post(sender, {"n": 1}, "application/vnd.shop+json", **named)
    assert (answer.status, answer.json) == (202, {"ids": ["e-8"]})
    (record,) = api.sender.records
    assert orjson.loads(record.value or b"")["datacontenttype"] == "application/vnd.shop+json"
    assert (await post(sender, {"n": 1}, "text/plain", **named)).status == 415
    assert (await post(sender, event(), "application/vnd.shop+json")).status == 415


async def test_a_wrong_binary_attribute_is_named(sender: User) -> None:
    """In binary mode as well."""
    answer = await post(sender, {}, ce_specversion="1.0", ce_id="1", ce_source="/s", ce_type="nope")
    assert [error["path"] for error in answer.json["errors"]] == ["type"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/cloudevents+avro"])
async def test_another_content_type_is_refused(sender: User, content_type: str) -> None:
    """415 says what is read."""
    answer = await post(sender, event(), content_type)
    assert answer.status == 415
    assert "application/cloudevents+json" in answer.json["detail"]


async def test_a_body_that_is_too_large_is_refused(sender: User) -> None:
    """Over 8 MiB: 413, as a problem document."""
    body = BytesIO(b" " * (8 * 1024 * 1024 + 1))
    answer = await sender.call("POST", PATH, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["status"]) == (413, 413)


async def test_202_is_only_said_when_durable(api: Api, sender: User) -> None:
    """While Kafka does not confirm, the answer is 503 with Retry-After, and says nothing about our insides."""
    api.sender.reachable = False
    answer = await post(sender, event())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    api.sender.reachable = True
    assert (await post(sender, event())).status == 202


async def test_a_full_batch_is_taken(api: Api, sender: User) -> None:
    """A thousand events in one call."""
    answer = await post(sender, [event(id=str(n)) for n in range(1000)], BATCH)
    assert (answer.status, len(api.sender.records)) == (202, 1000)


WORKFLOW = "5f0c1a34-9a55-4a0c-8e37-1c7f5cbb3c11"
# What a user could do to others with an event: begin before the real one, run and burn what is not theirs.
ATTACKS = {
    "a source and id that the real event will have": event(source="/shop", id="order-1001-paid"),
    "a scheduled workflow, early": event(source="/headrace/scheduler", id=f"{WORKFLOW}/2026-12-01T08:00:00+00:00"),
    "another's workflow, named": event(workflowid=WORKFLOW),
    "a chain that makes it look like a loop": event(causation=",".join([f"{WORKFLOW}/{WORKFLOW}"] * 3)),
    "a thousand runs of one customer": [event(id=str(n)) for n in range(1000)],
    "the one entry of a customer": event(type="customer.created", subject="c-7"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_a_user_without_the_permission_sends_nothing(api: Api, user: User, attack: Any) -> None:
    """An event acts on everybody's workflows: 403 that names the permission, and nothing is in Kafka."""
    answer = await post(user, attack)
    assert (answer.status, "events:write" in answer.json["detail"]) == (403, True)
    assert api.sender.records == []


@pytest.mark.parametrize(
    "source", ["/headrace/scheduler", "/headrace", "//HEADRACE/crm", "/%68eadrace/x", "/a/../headrace"]
)
@pytest.mark.parametrize("binary", [False, True])
async def test_a_source_of_ours_is_refused(api: Api, sender: User, source: str, *, binary: bool) -> None:
    """With the permission too, in each mode and spelling: 400 with ``source`` named, nothing is sent."""
    named = {"ce_specversion": "1.0", "ce_id": "1", "ce_type": "order.paid", "ce_source": source}
    answer = await (post(sender, {}, **named) if binary else post(sender, event(source=source)))
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, ["source"])
    assert api.sender.records == []


@pytest.mark.parametrize("kind", ["temporal.daily", "temporal.weekly", "temporal.monthly"])
@pytest.mark.parametrize("binary", [False, True])
async def test_nobody_runs_schedules_early(api: Api, sender: User, kind: str, *, binary: bool) -> None:
    """An event of a schedule would run everybody's workflows of that kind: 400 with ``type`` named, to all callers."""
    for caller in (sender, api.user("admin")):
        named = {"ce_specversion": "1.0", "ce_id": "x", "ce_type": kind, "ce_source": "/x"}
        sent = {"specversion": "1.0", "id": "x", "source": "/x", "type": kind, "data": {}}
        answer = await (post(caller, {}, **named) if binary else post(caller, sent))
        assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, ["type"])
    assert api.sender.records == []


@pytest.mark.parametrize("name", ["workflowId", "WORKFLOWID", "workflow_id", "ID", "Source", "traceParent"])
async def test_attributes_are_called_as_cloudevents_calls_them(api: Api, sender: User, name: str) -> None:
    """Lower-case letters and digits, else 400 with the attribute named; of ``workflowid`` it says that it is ours."""
    answer = await post(sender, event(**{name: "x"}))
    (error,) = answer.json["errors"]
    assert (answer.status, error["path"]) == (400, name)
    assert ("workflowid is reserved" in error["message"]) == name.lower().startswith("workflow")
    assert api.sender.records == []


async def test_nobody_says_which_workflow_runs(api: Api, sender: User) -> None:
    """``workflowid`` is refused with the permission, and to administrators; of a batch nothing is sent."""
    for caller in (sender, api.user("admin")):
        batch = await post(caller, [event(), event(id="e-2", workflowid=WORKFLOW)], BATCH)
        assert (batch.status, [error["path"] for error in batch.json["errors"]]) == (400, ["[1].workflowid"])
        named = {"ce_specversion": "1.0", "ce_id": "1", "ce_type": "order.paid", "ce_source": "/shop"}
        answer = await post(caller, {}, ce_workflowid=WORKFLOW, **named)
        assert [error["path"] for error in answer.json["errors"]] == ["workflowid"]
    assert api.sender.records == []


async def test_a_system_hands_causation_on(api: Api, sender: User) -> None:
    """Open to whoever may send events: a loop through other systems is seen by it."""
    chain = f"{WORKFLOW}/{WORKFLOW}"
    assert (await post(sender, event(causation=chain))).status == 202
    (record,) = api.sender.on("t.events.order")
    assert orjson.loads(record.value or b"")["causation"] == chain


async def test_a_body_that_is_not_utf_8_is_told_by_its_byte(api: Api) -> None:
    """As a dead letter tells it; the parser would speak of surrogates."""
    sender = api.user("user", "events:write")
    headers = {"Content-Type": "application/json"}
    answer = await sender.call("POST", "/api/v1/events", data='{"id": "é"}'.encode("latin-1"), headers=headers)
    assert (answer.status, "is not UTF-8: byte 0xe9 at position 8" in str(answer.json)) == (400, True), answer
