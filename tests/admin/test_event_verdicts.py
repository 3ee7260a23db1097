"""Events in the topics over the API: who sees which, what is told of them, and how far a look goes."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest

from app.admin.cursors import mark_of
from app.admin.event_models import EventLookupQuery
from app.domain.ids import execution_id
from app.ports.event_topics import TopicPlace
from app.services.operations.event_cursor import Progress
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.support.waiting import eventually

TOPIC = "t.events.custom"


def put(api: Api, kind: str, topic: str = TOPIC, *, at: float | None = None, **changes: Any) -> dict[str, Any]:
    """Put an event into a topic, and return it."""
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": kind, "subject": "c-1", "data": {}}
    event = {name: value for name, value in {**event, **changes}.items() if value is not None}
    api.event_topics.put(topic, b"c-1", orjson.dumps(event), at=time.time() + 1 if at is None else at)
    return event


async def lookup(user: User, event: dict[str, Any], **more: str) -> dict[str, Any]:
    """Look an event up."""
    query = {"source": event["source"], "id": event["id"], "since": "2000-01-01T00:00:00Z", **more}
    answer = await user.call("GET", f"/api/v1/events/lookup?{urlencode(query)}")
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json
    return found


async def workflow(user: User, kind: str, *, active: bool = True, **changes: Any) -> UUID:
    """Create a workflow, active unless it is said otherwise."""
    made = await user.create(**{"trigger": {"type": kind}, "conditions": [], **changes})
    if active:
        assert (await user.call("POST", f"/api/v1/workflows/{made['id']}/activate")).status == 200
    return UUID(made["id"])


def fresh() -> str:
    """A type that no other test has."""
    return f"custom.t{uuid4().hex[:12]}"


async def test_a_user_is_told_of_their_own_workflows_alone(api: Api) -> None:
    """Two users' workflows of a type: each sees theirs, an administrator both."""
    kind = fresh()
    one, other, admin = api.user("user", "crm:read"), api.user("user", "crm:read"), api.user("admin")
    ids = {who.token: str(await workflow(who, kind)) for who in (one, other)}
    event = put(api, kind)
    for who, wanted in (
        (one, {ids[one.token]}),
        (other, {ids[other.token]}),
        (admin, set(ids.values())),
        (api.user("user", "crm:read"), set()),
    ):
        found = (await lookup(who, event))["event"]
        assert {verdict["workflow_id"] for verdict in found["workflows"]} == wanted
        recent = await who.call("GET", f"/api/v1/events?type={kind}")
        assert {verdict["workflow_id"] for verdict in recent.json["items"][0]["workflows"]} == wanted


async def test_a_run_by_hand_of_anothers_workflow_is_not_shown(api: Api) -> None:
    """Its data is what the other made up: it is in no list, and under its id there is nothing."""
    kind = fresh()
    owner, other = api.user("user", "crm:read"), api.user("user", "crm:read")
    theirs = await workflow(owner, kind)
    event = put(api, kind, "t.internal-events", source="/headrace/manual", workflowid=str(theirs))
    assert (await lookup(owner, event))["outcome"] == "found"
    hidden = await lookup(other, event)
    assert (hidden["outcome"], hidden["event"]) == ("not_found", None)
    assert (await other.call("GET", f"/api/v1/events?type={kind}")).json["items"] == []
    assert len((await owner.call("GET", f"/api/v1/events?type={kind}")).json["items"]) == 1


async def test_not_found_is_said_only_where_all_was_read(api: Api) -> None:
    """A search that is cut short says how far it got; followed by its cursor it finds, or says that there is none."""
    user, kind = api.user("user", "crm:read"), fresh()
    for number in range(12):
        put(api, kind, id=f"filler-{number}-{kind}", data={"text": "x" * 200_000})
    event = put(api, kind)
    absent = {**event, "id": "absent"}
    assert (await lookup(user, event))["outcome"] == "found"
    none = await lookup(user, absent)
    assert (none["outcome"], none["partitions_done"]) == ("not_found", none["partitions"])
    assert none["next_cursor"] is None
    for number in range(180):
        put(api, kind, id=f"more-{number}-{kind}", data={"text": "x" * 250_000})
    last = put(api, kind)
    for wanted, outcome in ((last, "found"), (absent, "not_found")):
        found = await lookup(user, wanted)
        assert (found["outcome"], found["event"]) == ("unfinished", None)
        assert "so far" in found["said"]
        for _ in range(9):
            if found["next_cursor"] is None:
                break
            found = await lookup(user, wanted, cursor=found["next_cursor"])
        assert found["outcome"] == outcome


async def test_what_retention_has_deleted_is_not_said_to_be_absent(api: Api) -> None:
    """The answer names the moment from which on the topics still hold everything."""
    user, kind = api.user("user", "crm:read"), fresh()
    gone = put(api, kind, at=1_700_000_000.0)
    put(api, kind, at=1_700_000_100.0)
    api.event_topics.drop(TopicPlace(TOPIC, api.event_topics.home("c-1", 2)), 1)
    found = await lookup(user, gone, since="2023-01-01T00:00:00Z")
    assert found["outcome"] == "not_found"
    assert found["since"] == "2023-11-14T22:15:00Z"
    assert "still hold" in found["said"]


async def test_one_caller_has_one_look_at_a_time(api: Api) -> None:
    """Of lookups at once by one caller one goes through, the others are 429; another caller is not kept out."""
    user, other, kind = api.user("user", "crm:read"), api.user("user", "crm:read"), fresh()
    put(api, kind)
    path = "/api/v1/events/lookup?source=/shop&id=absent"
    api.event_topics.free.clear()
    first = asyncio.create_task(user.call("GET", path))
    await eventually(lambda: api.event_topics.looks == 1, what="the first look")
    refused = await user.call("GET", path)
    second = asyncio.create_task(other.call("GET", path))
    await eventually(lambda: api.event_topics.looks == 2, what="another caller's look")
    api.event_topics.free.set()
    assert [(await first).status, (await second).status, refused.status] == [200, 200, 429]
    assert int(refused.headers["Retry-After"]) >= 1
    assert api.event_topics.most_looks <= 2
    assert (await user.call("GET", path)).status == 200


@pytest.mark.parametrize(
    "cursor",
    ["x", "", "MHww", Progress(1, (1,), 1.0).cursor() + "!", Progress(-1).cursor(), Progress(kept=-1.0).cursor()],
)
async def test_a_cursor_that_is_none_is_refused(api: Api, cursor: str) -> None:
    """400 that names it."""
    path = "/api/v1/events/lookup"
    mark = mark_of(path, EventLookupQuery(source="/s", id="1"))
    for token in (cursor, mark + cursor):
        answer = await api.user("user", "crm:read").call("GET", f"{path}?source=/s&id=1&cursor={token}")
        assert (answer.status, answer.json["errors"][0]["path"]) == (400, "cursor"), token


async def test_kafka_that_is_away_is_said(api: Api) -> None:
    """503, and the next look is taken."""
    user = api.user("user", "crm:read")
    api.event_topics.reachable = False
    for path in ("/api/v1/events", "/api/v1/events/lookup?source=/s&id=1"):
        assert (await user.call("GET", path)).status == 503
    api.event_topics.reachable = True
    assert (await user.call("GET", "/api/v1/events")).status == 200


async def test_a_row_of_the_log_is_the_truth(api: Api, log: Log) -> None:
    """Whatever its rule says now: a workflow that has a row of the event did what the row says."""
    user, kind = api.user("user", "crm:read"), fresh()
    made = {name: await workflow(user, kind) for name in ("ran", "unmet", "again", "loop", "costly")}
    event = put(api, kind)
    since = "2026-03-01T09:00:00.000Z"
    rows: dict[str, dict[str, Any]] = {
        "ran": {"status": "partial", "attempt": 2},
        "unmet": {"status": "skipped", "met": False, "verdicts": [{"path": "total", "operator": ">", "expected": 5,
            "actual": 1, "met": False, "reason": "too little"}]},
        "again": {"status": "skipped", "error": f"this entity entered the workflow at {since}, and may enter it once"},
        "loop": {"status": "blocked", "met": False, "error": "it would start itself a 4th time"},
        "costly": {"status": "skipped", "met": False, "error": "conditions: too much"},
    }  # fmt: skip
    for name, row in rows.items():
        await log.add(
            {"id": str(made[name])}, **{"attempt": 0, **row}, id=execution_id(made[name], "/shop", event["id"]),
            event_id=event["id"], event_type=kind, at=psycopg.TimestampFromTicks(time.time() + 2),
        )  # fmt: skip
    told = {UUID(one["workflow_id"]): one for one in (await lookup(user, event))["event"]["workflows"]}
    said = {name: told[made[name]]["verdict"] for name in made}
    assert said == {
        "ran": "ran", "unmet": "conditions_not_met", "again": "not_allowed_again", "loop": "blocked",
        "costly": "too_costly",
    }  # fmt: skip
    assert {one["basis"] for one in told.values()} == {"log"}
    ran, unmet = told[made["ran"]], told[made["unmet"]]
    assert (ran["status"], ran["attempt"]) == ("partial", 2)
    assert ran["execution_id"] == str(execution_id(made["ran"], "/shop", event["id"]))
    assert [(one["expected"], one["actual"], one["reason"]) for one in unmet["conditions"]] == [(5, 1, "too little")]
    assert told[made["again"]]["since"] == "2026-03-01T09:00:00Z"


async def test_what_has_no_row_is_judged_as_it_was_then(api: Api) -> None:
    """By the revision of the event's time: what came, was activated, or changed its trigger later, is told apart."""
    user, kind = api.user("user", "crm:read"), fresh()
    old = put(api, kind, at=time.time() - 86_400)
    inactive = await workflow(user, kind, active=False)
    later = await workflow(user, kind, active=False)
    other = await workflow(user, fresh())
    picky = await workflow(user, "tag.applied", trigger={"type": "tag.applied", "config": {"tag": "vip"}})
    now = put(api, kind, at=time.time() + 3)
    tagged = put(api, "tag.applied", "t.events.tag", at=time.time() + 3, data={"tag": "new"})
    assert (await user.call("POST", f"/api/v1/workflows/{later}/activate")).status == 200
    before = {one["workflow_id"]: one for one in (await lookup(user, old))["event"]["workflows"]}
    assert before[str(inactive)]["verdict"] == "no_workflow_then"
    after = {one["workflow_id"]: one for one in (await lookup(user, now))["event"]["workflows"]}
    assert after[str(inactive)]["verdict"] == "inactive"
    assert str(other) not in after
    (turned,) = (await lookup(user, tagged))["event"]["workflows"]
    assert (turned["workflow_id"], turned["verdict"]) == (str(picky), "turned_away")
    assert 'tag "vip"' in turned["why"]


async def test_a_dead_letter_is_told_with_its_reason(api: Api, log: Log) -> None:
    """What is no event, or may not be there; and an execution that ended in a letter."""
    user, kind = api.user("user", "crm:read"), fresh()
    odd = put(api, kind, "t.events.order")
    place = (await lookup(user, odd))["event"]
    await log.connection.execute(
        'INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, size, role, reader, failed_at)'
        " VALUES (%s, %s, %s, 'wrong_topic', 'not there', 9, 'matcher', 'x', now())",
        (place["topic"], place["partition"], place["offset"]),
    )
    found = (await lookup(user, odd))["event"]
    assert (found["fate"], found["reason"], found["workflows"]) == ("dead_lettered", "wrong_topic", [])
    # Other tests' topics begin at the same offsets.
    await log.connection.execute("DELETE FROM dead_letters WHERE id = %s", (found["dead_letter"],))
    made = await workflow(user, kind)
    event = put(api, kind)
    command = {"execution_id": str(execution_id(made, "/shop", event["id"])), "event": event}
    await log.connection.execute(
        'INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, value, size, role, reader, event_id,'
        " source, failed_at) VALUES ('t.actions.apply_tag', 0, %s, 'internal_error', 'KeyError', %s, 9, 'executor-crm',"
        " 'x', %s, '/shop', now())",
        (time.time_ns(), orjson.dumps(command), event["id"]),
    )
    (verdict,) = (await lookup(user, event))["event"]["workflows"]
    assert (verdict["verdict"], verdict["dead_letter"] > 0) == ("dead_lettered", True)
    assert "internal_error" in verdict["why"]


async def test_what_no_dead_letter_is_of_is_not_said_to_lie_there(api: Api) -> None:
    """Today's rule refuses it, and that is all that is known: a letter may be on its way, or forgotten."""
    user = api.user("user", "crm:read")
    odd = put(api, fresh(), "t.events.order")
    found = (await lookup(user, odd))["event"]
    assert (found["fate"], found["reason"], found["dead_letter"]) == ("refused", "wrong_topic", None)


async def test_what_an_older_version_took_is_told_with_its_executions(api: Api, log: Log) -> None:
    """Today's rule refuses it, for its topic or for its time; the log knows what became of it."""
    user, kind = api.user("user", "crm:read"), fresh()
    made = await workflow(user, kind)
    for event, reason in (
        (put(api, kind, "t.events.order"), "wrong_topic"),
        (put(api, kind, at=900_000_000.0), "absurd_timestamp"),
    ):
        await log.add(
            {"id": str(made)}, event=event, event_type=kind, event_id=event["id"], at=datetime.now(UTC),
            id=execution_id(made, "/shop", event["id"]),
        )  # fmt: skip
        found = (await lookup(user, event, since="1990-01-01T00:00:00Z"))["event"]
        assert (found["fate"], found["reason"], found["dead_letter"]) == ("read", reason, None)
        assert [(one["verdict"], one["basis"]) for one in found["workflows"]] == [("ran", "log")]


async def test_what_waits_and_what_is_not_matched_yet(api: Api, log: Log) -> None:
    """An execution in a timer is under way until then; an event behind the matchers' place has no verdict yet."""
    user, kind = api.user("user", "crm:read"), fresh()
    made = await workflow(user, kind)
    event = put(api, kind, at=time.time() + 3)
    (verdict,) = (await lookup(user, event))["event"]["workflows"]
    assert verdict["verdict"] == "under_way"
    await log.connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value)"
        " VALUES (gen_random_uuid(), %s, %s, 'c-1', 0, 'delay', 'a delay', now() + interval '3 days', 't', '',"
        " '')",
        (execution_id(made, "/shop", event["id"]), made),
    )
    (verdict,) = (await lookup(user, event))["event"]["workflows"]
    assert (verdict["verdict"], verdict["until"] is not None) == ("under_way", True)
    other = put(api, kind, at=time.time() + 3)
    api.event_topics.finished[TopicPlace(TOPIC, api.event_topics.home("c-1", 2))] = 1
    found = (await lookup(user, other))["event"]
    assert (found["fate"], found["workflows"][0]["verdict"]) == ("not_matched_yet", "not_matched_yet")


async def test_the_newest_come_first_and_filters_narrow(api: Api) -> None:
    """By type and entity; a rare type is found behind many others, on the internal topic too."""
    user, kind, rare = api.user("user", "crm:read"), fresh(), fresh()
    start = time.time()
    wanted = [put(api, rare, at=start), put(api, rare, "t.internal-events", source="/headrace/crm", at=start + 1)]
    for number in range(300):
        put(api, kind, at=start + 2 + number)
    newest = (await user.call("GET", "/api/v1/events?limit=5")).json
    assert [one["received_at"] for one in newest["items"]] == sorted(
        (one["received_at"] for one in newest["items"]), reverse=True
    )
    assert [one["type"] for one in newest["items"]] == [kind] * 5
    found = (await user.call("GET", f"/api/v1/events?type={rare}")).json
    assert ([one["id"] for one in found["items"]], found["complete"]) == ([one["id"] for one in wanted[::-1]], True)
    assert (await user.call("GET", f"/api/v1/events?type={rare}&entity=c-2")).json["items"] == []
    assert len((await user.call("GET", f"/api/v1/events?type={rare}&entity=c-1")).json["items"]) == 2


async def test_a_trigger_of_an_unknown_type_is_taken_with_a_hint(api: Api) -> None:
    """Any dotted type is; one that resembles a known type is asked about; an event of it is taken on its topic."""
    user, sender = api.user(), api.user("user", "events:write")
    meant = await user.create(trigger={"type": "order.payed"}, conditions=[])
    assert meant["hints"] == ["trigger.type: order.payed is no known event type; is order.paid meant?"]
    for kind, topic in (("com.shop.cart.abandoned", "t.events.custom"), ("order.refunded", "t.events.order")):
        assert (await user.create(trigger={"type": kind}, conditions=[]))["hints"] == []
        sent = {"specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": kind, "data": {}}
        assert (await sender.call("POST", "/api/v1/events", sent)).status == 202
        assert len(api.sender.on(topic)) == 1
    refused = await user.call("POST", "/api/v1/workflows", {**meant, "trigger": {"type": "temporal.hourly"}})
    assert refused.status == 400
