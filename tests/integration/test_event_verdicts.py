"""What became of events that really ran: each kind of verdict, asked of the API on a running installation."""

import time
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.event_topics import KafkaEventTopics
from app.adapters.kafka.producer import KafkaSender
from app.domain.callers import Caller
from app.domain.kafka_connection import KafkaConnection
from app.ports import Record
from app.services.operations.event_types import EventTypes
from tests.integration.site import Site, event
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

TAG = {"type": "apply_tag", "config": {"tag": "seen"}}
BIG = [{"field": "total", "operator": ">", "value": 100}]


async def found(site: Site, sent: dict[str, Any], **more: str) -> dict[str, Any]:
    """Look an event up, until the matchers have finished it."""

    async def report() -> Any:
        query = urlencode({"source": sent["source"], "id": sent["id"], **more})
        answer, _ = await site.stack.api.call("GET", f"/api/v1/events/lookup?{query}")
        one: dict[str, Any] | None = answer["event"]
        return one if one is not None and one["fate"] not in {"not_matched_yet", "refused"} else None

    matched: dict[str, Any] = await eventually(report, within=30.0, what=f"the event {sent['id']}, matched")
    return matched


async def verdicts(site: Site, sent: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each workflow made of an event, by the workflow's id, once none is under way."""

    async def settled() -> Any:
        told = {one["workflow_id"]: one for one in (await found(site, sent))["workflows"]}
        return None if any(one["verdict"] == "under_way" and not one["until"] for one in told.values()) else told

    told: dict[str, dict[str, Any]] = await eventually(settled, within=30.0, what="verdicts")
    return told


async def test_each_kind_of_verdict_is_told_of_an_event_that_came(site: Site) -> None:
    """One event, a workflow for each way that it may go; the log's words where it has a row, the rule's where not."""
    ran, kind = await site.workflow(TAG)
    same = {"type": kind}
    unmet, _ = await site.workflow(TAG, trigger=same, conditions=BIG)
    again, _ = await site.workflow(TAG, trigger=same, reentry="once")
    keyless, _ = await site.workflow(TAG, trigger=same, reentry={"once": True, "key": "cart.id"})
    waits, _ = await site.workflow({"type": "delay", "config": {"duration": "1h"}}, TAG, trigger=same)
    asleep = await site.stack.api.create_workflow(
        {"name": "asleep", "trigger": same, "actions": [{"order": 1, **TAG}]}, active=False
    )
    await site.stack.settled()
    first = event(kind, total=5)
    await site.stack.emitter.emit(first)
    await site.row(again, first)
    loop = ",".join(f"{ran}/{uuid4()}" for _ in range(3))
    second = {**event(kind, first["subject"], total=5), "causation": loop}
    await site.stack.emitter.emit(second)
    told = await verdicts(site, second)
    later = await site.stack.api.create_workflow({"name": "l", "trigger": same, "actions": [{"order": 1, **TAG}]})
    await site.stack.api.call("POST", f"/api/v1/workflows/{asleep}/activate")
    told = await verdicts(site, second)
    assert {str(key): told[str(key)]["verdict"] for key in (ran, unmet, again, keyless, waits, asleep, later)} == {
        str(ran): "blocked",
        str(unmet): "conditions_not_met",
        str(again): "not_allowed_again",
        str(keyless): "not_allowed_again",
        str(waits): "under_way",
        str(asleep): "activated_later",
        str(later): "no_workflow_then",
    }
    (condition,) = told[str(unmet)]["conditions"]
    assert (condition["expected"], condition["actual"], condition["met"]) == (100, 5, False)
    assert told[str(again)]["since"] is not None
    assert "cart.id" in told[str(keyless)]["why"]
    of_first = (await verdicts(site, first))[str(ran)]
    assert (of_first["verdict"], of_first["status"], of_first["basis"]) == ("ran", "success", "log")
    shown, _ = await site.stack.api.call("GET", f"/api/v1/executions/{of_first['execution_id']}")
    assert shown["event_id"] == first["id"]


async def test_the_triggers_config_and_dead_letters_are_told(site: Site) -> None:
    """An event that its trigger turns away leaves no row; one on the wrong topic, and one too old, run nothing."""
    picky, _ = await site.workflow(TAG, trigger={"type": "tag.applied", "config": {"tag": "vip"}})
    turned = event("tag.applied", tag="other")
    await site.stack.emitter.emit(turned)
    told = await verdicts(site, turned)
    assert (told[str(picky)]["verdict"], told[str(picky)]["basis"]) == ("turned_away", "judged")
    made, kind = await site.workflow(TAG)
    old, astray = event(kind), event(kind)
    topics = site.stack.topics
    eight_days_ago = int((time.time() - 8 * 86_400) * 1000)
    async with KafkaSender(KafkaConnection(site.stack.bootstrap), client_id="tests") as sender:
        await sender.send(Record(topics.events("order.paid"), b"c", orjson.dumps(astray)))
    await produce_at(site, topics.events(kind), old, eight_days_ago)
    letter = await found(site, astray)
    assert (letter["fate"], letter["reason"], letter["workflows"]) == ("dead_lettered", "wrong_topic", [])
    await eventually(partial(numbered_letter, site, astray), within=30.0, what="the letter's number")
    passed = await found(site, old, since="2020-01-01T00:00:00Z")
    # Matchers look at its age first, whichever workflows there are.
    assert [one["verdict"] for one in passed["workflows"] if one["workflow_id"] == str(made)] == ["too_old"]


async def numbered_letter(site: Site, sent: dict[str, Any]) -> int | None:
    """Return the number of the dead letter that an event has become."""
    number: int | None = (await found(site, sent))["dead_letter"]
    return number


async def produce_at(site: Site, topic: str, sent: dict[str, Any], milliseconds: int) -> None:
    """Send an event with a timestamp of its own."""
    producer = AIOKafkaProducer(bootstrap_servers=site.stack.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, orjson.dumps(sent), key=b"c", timestamp_ms=milliseconds)
    finally:
        await producer.stop()


async def test_the_newest_events_come_with_their_verdicts(site: Site) -> None:
    """By type and entity, newest first; an event is there as soon as Kafka has it."""
    made, kind = await site.workflow(TAG, conditions=BIG)
    sent = [event(kind, "c-tail", total=total) for total in (1, 200)]
    for one in sent:
        await site.stack.emitter.emit(one)
        await site.row(made, one)
    answer, _ = await site.stack.api.call("GET", f"/api/v1/events?type={kind}&entity=c-tail")
    assert answer["complete"]
    assert [one["id"] for one in answer["items"]] == [one["id"] for one in sent[::-1]]
    assert [[each["verdict"] for each in one["workflows"]] for one in answer["items"]] == [
        ["ran"],
        ["conditions_not_met"],
    ]
    assert answer["items"][0]["event"]["data"]["total"] == 200


async def test_an_event_is_found_by_its_entity_and_without(site: Site) -> None:
    """And "not found" is said of one that is nowhere, with everything read."""
    made, kind = await site.workflow(TAG)
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    await site.row(made, sent)
    for more in ({}, {"entity": sent["subject"]}, {"entity": "somebody-else"}):
        assert (await found(site, sent, **more))["offset"] >= 0
    answer, _ = await site.stack.api.call("GET", f"/api/v1/events/lookup?source=/tests&id={uuid4().hex}")
    assert (answer["outcome"], answer["next_cursor"]) == ("not_found", None)
    assert answer["partitions_done"] == answer["partitions"] > 0


async def test_a_type_that_nobody_declared_goes_from_end_to_end_and_is_listed(site: Site) -> None:
    """``com.shop.cart.abandoned``: posted, on the topic of the rule, run, logged; what was seen of it is listed."""
    kind = "com.shop.cart.abandoned"
    remind = {"type": "apply_tag", "config": {"tag": "left-{{ cart.items[0].sku }}"}}
    over = [{"field": "cart.total", "operator": ">", "value": 100}]
    made, _ = await site.workflow(remind, trigger={"type": kind}, conditions=over)
    sent = event(kind, cart={"total": "120.50", "items": [{"sku": "kettle"}, {"sku": "mug", "gift": True}]})
    assert (await site.stack.api.call("POST", "/api/v1/events", sent))[0] == {"ids": [sent["id"]]}
    row = await site.row(made, sent)
    assert (row["status"], row["event_type"], row["actions_executed"][0]["output"]) == (
        "success", kind, {"tag": "left-kettle", "applied": True},
    )  # fmt: skip
    topics = site.stack.topics
    assert (await found(site, sent))["topic"] == topics.events(kind) == f"{topics.prefix}events.custom"
    admin = Caller(uuid4(), "admin")
    log = KafkaEventTopics(KafkaConnection(site.stack.bootstrap), topics)
    seen = EventTypes(topics, log, lambda: datetime.now(UTC))
    (listed,) = [one for one in (await seen.listed(admin)).items if not one.known and one.type == kind]
    assert listed.seen is not None
    assert (listed.topic, listed.seen.count) == (topics.events(kind), 1)
    fields = {one.path: (one.types, one.format, one.examples) for one in listed.seen.fields}
    assert fields["cart.total"] == (["string"], "decimal", ["120.50"])
    assert fields["cart.items.0.gift"] == (["boolean"], None, [True])
    assert [one.event for one in listed.seen.samples] == [sent]
    answer, _ = await site.stack.api.call("GET", "/api/v1/event-types")
    assert (len([one for one in answer["items"] if one["known"]]), answer["look"]["complete"]) == (21, True)
