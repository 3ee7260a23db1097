"""The queue's status through the API, and the installation's gauges."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.domain.breaker import circuit_of
from app.domain.callers import Caller
from app.ports.queue_status import AtWork, Lane, OwnerMark, OwnStatus, RecentRuns, StoreStatus, WorkflowCounts
from app.services.operations.queue_status import Queue, lanes_of
from app.topics import Topics
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.support.depths import MemoryDepths

TOPIC = "t.actions.webhook.high"


class Store:
    """Knows of nothing that waits."""

    async def status(self) -> StoreStatus:
        """Return that."""
        return StoreStatus(
            parked=1,
            dead_letters=2,
            outbox=3,
            outbox_oldest_s=0.5,
            failed_executions=4,
            failed_actions=5,
            breakers=[],
            set_aside=[],
        )

    async def at_work(self) -> Mapping[str, AtWork]:
        """Return that nobody is."""
        return {}

    async def own(self, caller: Caller) -> OwnStatus:
        """Return what is nobody's."""
        return OwnStatus(parked=0, failed_executions=0, failed_actions=0)

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Return that nothing of anybody's waits."""
        return {owner: OwnerMark(0, 0, None) for owner in owners}

    async def workflows(self) -> WorkflowCounts:
        """Return none."""
        return WorkflowCounts(0, 0)

    async def recent(self) -> RecentRuns:
        """Return that none ran."""
        return RecentRuns(0.0, 1.0, 0.0)


@pytest.fixture
async def fresh(api: Api) -> Api:
    """The API, with a status that nobody has asked for within the last second."""
    api.now[0] += 10
    return api


async def test_the_depth_is_told_by_role_and_lane(fresh: Api, user: User) -> None:
    """Every role is listed, topics that have something in them, and the sum."""
    fresh.depths.known.update({TOPIC: 7, "t.actions.webhook": 5, "t.events.order": 2})
    status = (await user.call("GET", "/api/v1/queue")).json
    roles = {role["role"]: role for role in status["roles"]}
    assert {"matcher", "executor-system", "executor-crm", "sink"} <= roles.keys()
    assert (status["depth"], roles["executor-system"]["depth"], roles["sink"]["topics"]) == (14, 12, [])
    assert {(lane["topic"], lane["lane"], lane["depth"]) for lane in roles["executor-system"]["topics"]} == {
        (TOPIC, "high", 7),
        ("t.actions.webhook", "normal", 5),
    }


async def test_what_roles_have_in_hand_is_told(fresh: Api, admin: User, log: Log) -> None:
    """Of processes that live, all together: records, the longest at one of them; and the pace between two looks."""
    beat = (
        "INSERT INTO heartbeats (role, instance, host, pid, version, started_at, ready, problems, figures, starts,"
        " seen_at, stopped_at) VALUES ('sink', %s, 'h', 1, '1', now(), true, '{}', %s, '{}', now() - %s::interval, %s)"
    )
    for records, still, ago, stopped in (
        (3, 1.5, "5 s", None),
        (4, 20, "0 s", None),
        (9, 99, "1 min", None),
        (9, 99, "0 s", "now"),
    ):
        figures = {"headrace_worker_unfinished_records": records, "headrace_partition_still_seconds": still}
        await log.connection.execute(beat, (uuid4().hex, Jsonb(figures), ago, stopped))
    fresh.now[0] += 100
    fresh.depths.at["t.executions"] = 1000
    await admin.call("GET", "/api/v1/queue")
    fresh.now[0] += 10
    fresh.depths.at["t.executions"] = 1250
    roles = {one["role"]: one for one in (await admin.call("GET", "/api/v1/queue")).json["roles"]}
    sink = roles["sink"]
    assert (sink["processes"], sink["in_flight"], sink["oldest_s"], sink["rate"]) == (2, 7, 20.0, 25.0)
    assert (roles["matcher"]["processes"], roles["matcher"]["in_flight"]) == (0, None)
    await log.connection.execute("DELETE FROM heartbeats WHERE role = 'sink'")


async def test_destinations_that_are_left_alone_are_listed(fresh: Api, admin: User, log: Log) -> None:
    """With the owner, the reason, when they are tried again, and how many commands wait.

    Closed breakers are not, nor those that the next command would probe while none waits.
    """
    fresh.now[0] += 10
    failing, owner = f"https://{uuid4().hex}.example:443", uuid4()
    circuit = circuit_of(failing, owner)
    await log.connection.execute(
        "INSERT INTO breakers (destination, closed, until, reason) VALUES (%s, false, now() + interval '1 hour',"
        " 'answered 503'), (%s, true, now(), '')",
        (circuit, f"{circuit}0"),
    )
    await log.connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due,"
        " deadline, topic, key, value) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0,"
        " 'circuit', '', %s, now(), now(), 't', '', '' FROM generate_series(1, 3)",
        (circuit,),
    )
    half, quiet = (f"https://{uuid4().hex}.example:443" for _ in range(2))
    await log.connection.execute(
        "INSERT INTO breakers (destination, closed, until, reason) SELECT d, false, now() - interval '9 min', 'x'"
        " FROM unnest(ARRAY[%s, %s]) AS d",
        (half, quiet),
    )
    await log.connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due,"
        " deadline, topic, key, value) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0,"
        " 'circuit', '', %s, now(), now(), 't', '', ''",
        (half,),
    )
    listed = (await admin.call("GET", "/api/v1/queue")).json["breakers"]
    told = {one["destination"]: (one["half_open"], one["waiting"]) for one in listed}
    assert [told.get(one) for one in (failing, half, quiet)] == [(False, 3), (True, 1), None]
    (mine,) = [breaker for breaker in listed if breaker["destination"].startswith(failing)]
    assert (mine["destination"], mine["owner"], mine["reason"]) == (failing, str(owner), "answered 503")
    assert mine["waiting"] == 3
    assert datetime.fromisoformat(mine["until"]) > datetime.now(UTC) + timedelta(minutes=59)
    # Nobody sends what waits here, and every later test's API would tell of it.
    mess = [circuit, f"{circuit}0", half, quiet]
    await log.connection.execute("DELETE FROM timers WHERE destination = ANY(%s)", (mess,))
    await log.connection.execute("DELETE FROM breakers WHERE destination = ANY(%s)", (mess,))


async def test_what_kafka_did_not_take_is_listed(fresh: Api, admin: User, log: Log) -> None:
    """By topic and reason, with the error and how many; it does not make the outbox look late."""
    topic = uuid4().hex
    await log.connection.execute(
        "INSERT INTO outbox (topic, key, set_aside, error, created_at) SELECT %s, '', 'no_topic', 'not there',"
        " now() - interval '1 year' FROM generate_series(1, 3)",
        (topic,),
    )
    await log.connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, due, topic, key, value,"
        " set_aside, error) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0, 'delay', '',"
        " now() + interval '1 day', %s, '', '', 'too_large', 'too large')",
        (topic,),
    )
    fresh.now[0] += 10
    status = (await admin.call("GET", "/api/v1/queue")).json
    mine = [found for found in status["set_aside"] if found["topic"] == topic]
    assert [(found["kind"], found["reason"], found["error"], found["count"]) for found in mine] == [
        ("outbox", "no_topic", "not there", 3),
        ("timer", "too_large", "too large", 1),
    ]
    assert status["outbox_oldest_s"] < 86_400


async def test_what_waits_in_postgres_is_counted(fresh: Api, user: User, log: Log) -> None:
    """Open dead letters, the outbox and how old it is, and what failed within the last hour."""
    operator = fresh.user("user", "operate")
    before = (await operator.call("GET", "/api/v1/queue")).json
    workflow = await user.create()
    failed = {"step": 0, "action_type": "webhook", "status": "failed"}
    now = datetime.now(UTC)
    await log.add(workflow, status="partial", at=now, results=[failed, {**failed, "status": "success"}, failed])
    await log.add(workflow, status="failed", at=now - timedelta(hours=2), results=[failed])
    await log.add(workflow, status="success", at=now)
    await log.connection.execute(
        'INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, size, role, failed_at)'
        " VALUES (%s, 0, 0, 'r', 'd', 0, 'sink', now())",
        (uuid4().hex,),
    )
    fresh.now[0] += 10
    after = (await operator.call("GET", "/api/v1/queue")).json
    grown = {name: after[name] - before[name] for name in ("failed_executions", "failed_actions", "dead_letters")}
    assert grown == {"failed_executions": 1, "failed_actions": 2, "dead_letters": 1}
    assert after["outbox"] > before["outbox"]  # the created workflow's revision: no relay runs here
    assert after["outbox_oldest_s"] > 0


async def test_a_user_is_told_nothing_of_others(fresh: Api, user: User, log: Log) -> None:
    """Depths and lag are nobody's; what waits or failed is their own; destinations, errors and letters are not told."""
    other = fresh.user()
    now = datetime.now(UTC)
    for owner, count in ((user, 2), (other, 3)):
        workflow = await owner.create()
        for _ in range(count):
            failed = {"step": 0, "action_type": "webhook", "status": "failed"}
            await log.add(workflow, status="failed", at=now, results=[failed])
        await log.connection.execute(
            "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due,"
            " deadline, topic, key, value) SELECT gen_random_uuid(), gen_random_uuid(), %s, 'c', 0, 'circuit', '',"
            " 'https://theirs.example:443', now(), now(), 't', '', '' FROM generate_series(1, %s)",
            (workflow["id"], count),
        )
    await log.connection.execute(
        "INSERT INTO breakers (destination, closed, until, reason) VALUES ('https://theirs.example:443', false,"
        " now() + interval '1 hour', 'answered 503') ON CONFLICT DO NOTHING"
    )
    fresh.now[0] += 10
    answer = await user.call("GET", "/api/v1/queue")
    told = {name: answer.json[name] for name in ("counted", "parked", "failed_executions", "failed_actions")}
    assert told == {"counted": "own", "parked": 2, "failed_executions": 2, "failed_actions": 2}
    assert [answer.json[name] for name in ("dead_letters", "outbox", "breakers", "set_aside")] == [None] * 4
    assert "theirs" not in str(answer.json)
    operator = (await fresh.user("user", "operate").call("GET", "/api/v1/queue")).json
    assert operator["counted"] == "installation"
    assert (operator["parked"] >= 5, "https://theirs.example:443" in str(operator["breakers"])) == (True, True)


async def test_kafka_is_asked_once_a_second_however_many_ask() -> None:
    """A hundred at once are one question; a second later it is asked again."""
    now = [0.0]
    depths = MemoryDepths()
    queue = Queue([Lane("sink", "t.sink", "t.executions")], depths, Store(), lambda: now[0])
    first = await asyncio.gather(*(queue.status() for _ in range(100)))
    assert depths.asked == 1
    assert all(status is first[0] for status in first)
    now[0] = 1.5
    await queue.status()
    assert depths.asked == 2


async def test_without_kafka_there_is_no_status(fresh: Api, user: User) -> None:
    """503 that may be repeated; when Kafka is back, so is the status."""
    fresh.depths.reachable = False
    assert (await user.call("GET", "/api/v1/queue")).status == 503
    fresh.depths.reachable = True
    assert (await user.call("GET", "/api/v1/queue")).status == 200


async def scraped(api: Api) -> dict[str, float]:
    """The page for Prometheus, by sample."""
    async with api.client.get("/metrics") as response:
        lines = [line for line in (await response.text()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_prometheus_sees_the_installations_counts(fresh: Api, user: User, api_database: str) -> None:
    """Workflows created and active as the table has them, and the depth by topic; a deleted one still counts."""
    kept, gone = await user.create(), await user.create()
    await user.call("POST", f"/api/v1/workflows/{kept['id']}/activate")
    await user.call("DELETE", f"/api/v1/workflows/{gone['id']}")
    fresh.depths.known[TOPIC] = 3
    samples = await scraped(fresh)
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        query = "SELECT count(*), count(*) FILTER (WHERE active AND deleted_at IS NULL) FROM automations"
        counted = await (await connection.execute(query)).fetchone()
    assert (samples["headrace_workflows_created"], samples["headrace_workflows_active"]) == counted
    assert samples[f'headrace_queue_depth{{role="executor-system",topic="{TOPIC}"}}'] == 3


async def test_prometheus_sees_how_executions_went_of_late(fresh: Api, user: User, log: Log) -> None:
    """Of five minutes, what ran: how many a minute, the share that succeeded, the average time; 0, 1 and 0 of none."""
    await log.connection.execute("DELETE FROM automation_logs")
    none = await scraped(fresh)
    names = ("executions_per_minute", "success_rate", "execution_seconds_average")
    assert [none[f"headrace_{name}"] for name in names] == [0, 1, 0]
    workflow, now = await user.create(), datetime.now(UTC)
    for status in ("success", "stopped", "success", "failed", "partial"):
        await log.add(workflow, status=status, at=now - timedelta(seconds=10))
    await log.add(workflow, status="failed", at=now - timedelta(minutes=6))
    await log.connection.execute("UPDATE automation_logs SET execution_duration_ms = 250")
    await log.add(workflow, status="skipped", at=now - timedelta(seconds=10))
    samples = await scraped(fresh)
    assert [samples[f"headrace_{name}"] for name in names] == [1.0, 0.6, 0.25]


async def test_topics_in_which_nothing_waits_have_a_depth_of_0(fresh: Api) -> None:
    """Every topic that a role reads has a sample, so that an alert sees it grow from nothing."""
    samples = await scraped(fresh)
    depths = {name: value for name, value in samples.items() if name.startswith("headrace_queue_depth")}
    assert len(depths) > 30
    assert set(depths.values()) == {0}


async def test_what_is_not_known_is_no_number(fresh: Api) -> None:
    """While Kafka is away the page still comes, without a depth: an old value would pass for a new one."""
    fresh.depths.known[TOPIC] = 3
    await scraped(fresh)
    fresh.now[0] += 10
    fresh.depths.reachable = False
    samples = await scraped(fresh)
    assert not any(name.startswith("headrace_queue_depth{") for name in samples)
    assert samples["headrace_parked"] != samples["headrace_parked"]


def test_every_declared_topic_has_its_reader() -> None:
    """Both lanes of each action type belong to its family's group; events to the matcher, the rest to the sink."""
    lanes = {lane.topic: lane for lane in lanes_of(Topics("t."), {"executor-system": ["webhook"]})}
    assert (lanes[TOPIC].group, lanes[TOPIC].lane) == ("t.executor-system", "high")
    assert (lanes["t.actions.webhook"].lane, lanes["t.events.tag"].group) == ("normal", "t.matcher")
    assert (lanes["t.executions"].group, lanes["t.dead-letters"].group) == ("t.sink", "t.sink")
