"""Poison on every kind of topic: each record gets its reason, its neighbours are processed, nothing stalls."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import orjson
import pytest

from app.domain.ids import execution_id
from app.ports import Record
from schemas.workflow import Revision
from tests.integration.poison import (
    COMMAND,
    EXECUTION,
    Document,
    Poison,
    Reasons,
    command,
    event_poisons,
    execution,
    poisons,
    produce,
    produce_odd_names,
)
from tests.integration.site import Row, Site, event
from tests.support.topic_records import read_all
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PARTITION = 3
ODD_HEADERS = (("trace", b"\xff\xfe"), ("trace", b"\x00"), ("", b""))


async def run(
    site: Site, topic: str, bad: Sequence[Poison], workflow: UUID, good: Callable[[], tuple[Document, Document]]
) -> dict[str, Row]:
    """Produce ``bad`` with a good record before, between and after, all on one partition.

    Returns:
        The dead letters by the poison's name, once every good record has its row.
    """
    records: list[Record] = []
    events: list[Document] = []
    for each in (*bad, None):
        sent, document = good()
        events.append(sent)
        records.append(Record(topic, sent["subject"].encode(), orjson.dumps(document), ODD_HEADERS))
        records += [each.record] if each else []
    offsets = await produce(site.stack.bootstrap, records, PARTITION)
    wanted = [execution_id(workflow, sent["source"], sent["id"]) for sent in events]
    await eventually(partial(_all_there, site, wanted), within=60, every=0.2, what=f"neighbours on {topic}")
    places = dict(zip(offsets[1::2], bad, strict=True))
    await eventually(partial(_none_missing, site, topic, places), within=30, every=0.2, what=f"dead letters of {topic}")
    return {places[letter["offset"]].name: letter for letter in await _letters(site, topic)}


async def _all_there(site: Site, executions: list[UUID]) -> bool:
    return len(await site.rows(*executions)) == len(executions)


async def _letters(site: Site, topic: str) -> list[Row]:
    return await site.fetch("SELECT * FROM dead_letters WHERE topic = %s", topic)


async def _none_missing(site: Site, topic: str, places: dict[int, Poison]) -> bool:
    stored = {letter["offset"] for letter in await _letters(site, topic)}
    return not (places.keys() - stored)


def check(letters: dict[str, Row], bad: Sequence[Poison]) -> None:
    """Every dead letter gives its poison's reason and holds its bytes, as much of them as is kept."""
    assert {name: letter["reason"] for name, letter in letters.items()} == {each.name: each.reason for each in bad}
    for each in bad:
        letter, value = letters[each.name], each.record.value
        assert letter["detail"]
        assert letter["partition"] == PARTITION
        assert letter["key"] == each.record.key
        assert letter["value"] == (value if value is None else value[: 64 * 1024])
        assert (letter["size"], letter["cut"]) == (len(value or b""), len(value or b"") > 64 * 1024)


async def test_on_an_event_topic(site: Site) -> None:
    """What is no event ends in the dead letters, by the matcher."""
    workflow, kind = await site.workflow({"type": "apply_tag", "config": {"tag": "good"}})
    topic = site.stack.topics.events(kind)
    wrong = {"id": 5, "data": [1]}
    bad = [
        *poisons(topic, event(kind), wrong, lambda document: document["data"], Reasons()),
        *event_poisons(topic, event(kind)),
    ]

    def good() -> tuple[Document, Document]:
        sent = event(kind)
        return sent, sent

    check(await run(site, topic, bad, workflow, good), bad)


async def test_a_header_name_that_is_no_text_stalls_nothing(site: Site) -> None:
    """Events with such a header run, each once and in their order; what is no event is a dead letter that shows it."""
    workflow, kind = await site.workflow({"type": "create_note", "config": {"text": "{{ n }}"}})
    topic = site.stack.topics.events(kind)
    customer = f"c-{uuid4().hex[:8]}"
    sent = [event(kind, customer, n=number) for number in range(1, 7)]
    good = [Record(topic, customer.encode(), orjson.dumps(each)) for each in sent]
    await produce(site.stack.bootstrap, good[:2], PARTITION)
    offsets = await produce_odd_names(site.stack.bootstrap, [good[2], Record(topic, b"k", b"{"), good[3]], PARTITION)
    await produce(site.stack.bootstrap, good[4:], PARTITION)
    for each in sent:
        assert (await site.row(workflow, each))["status"] == "success"
    places = {offsets[1]: Poison("odd", good[0], "not_json")}
    await eventually(partial(_none_missing, site, topic, places), within=30, what="the dead letter")
    (letter,) = [one for one in await _letters(site, topic) if one["offset"] == offsets[1]]
    assert letter["headers"] == [["\\xff\\xfex", "MQ=="]]
    notes = await site.fetch("SELECT text FROM crm.notes WHERE customer_id = %s ORDER BY created_at, text", customer)
    assert [note["text"] for note in notes] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("action", ["webhook", "apply_tag"])
async def test_on_an_action_topic(site: Site, action: str) -> None:
    """What is no command ends in the dead letters, by the executor: of effects outside, and of our own."""
    config = {"webhook": {"url": f"{site.receiver.url}/poison"}, "apply_tag": {"tag": "good"}}[action]
    step = {"type": action, "config": config}
    workflow, kind = await site.workflow(step, settle=False)
    topic = site.stack.topics.actions(action, "normal")
    slip = command(workflow, event(kind), step)
    wrong = {"attempt": "first", "workflow": [], "event": 1}
    other = {**slip["workflow"], "actions": [{"type": "create_note", "order": 1}]}
    bad = [
        *poisons(topic, slip, wrong, lambda document: document["event"]["data"], COMMAND),
        Poison("past the last step", Record(topic, b"k", orjson.dumps({**slip, "step": 7})), "invalid_command"),
        Poison("another type", Record(topic, b"k", orjson.dumps({**slip, "workflow": other})), "invalid_command"),
        Poison("key not UTF-8", Record(topic, b"\xff", b"{"), "not_json"),
    ]

    def good() -> tuple[Document, Document]:
        sent = event(kind)
        return sent, command(workflow, sent, step)

    check(await run(site, topic, bad, workflow, good), bad)


async def test_on_the_topic_of_executions(site: Site) -> None:
    """What Postgres cannot hold ends in the dead letters, by the sink; the rest of its batch is written."""
    workflow, kind = await site.workflow({"type": "stop_workflow"}, settle=False)
    topic = site.stack.topics.executions
    done = execution(workflow, event(kind))
    wrong = {"attempt": "first", "executed_at": "yesterday-ish"}
    stranger = {**done, "execution_id": str(uuid4()), "workflow_id": str(uuid4())}
    bad = [
        *poisons(topic, done, wrong, lambda document: document["event"]["data"], EXECUTION),
        Poison("of no workflow", Record(topic, b"k", orjson.dumps(stranger)), "refused"),
        Poison("key not UTF-8", Record(topic, b"\xff", b"{"), "not_json"),
    ]

    def good() -> tuple[Document, Document]:
        sent = event(kind)
        return sent, execution(workflow, sent)

    check(await run(site, topic, bad, workflow, good), bad)


async def test_what_is_no_dead_letter_stays_in_kafka_and_stalls_nothing(site: Site) -> None:
    """The sink goes on with the dead letters behind it."""
    topic = site.stack.topics.dead_letters
    values = [b"{", b"\xff", None, b"[]", b"{}", b"x" * 300_000]
    await produce(site.stack.bootstrap, [Record(topic, b"\xff", value) for value in values], 0)
    mine = f"elsewhere-{uuid4().hex}"
    letter = {
        "v": 1,
        "topic": mine,
        "partition": 0,
        "offset": 1,
        "reason": "r",
        "detail": "d",
        "size": 0,
        "cut": False,
        "role": "t",
    }
    letter["failed_at"] = datetime.now(UTC).isoformat()
    await produce(site.stack.bootstrap, [Record(topic, b"k", orjson.dumps(letter))], 0)
    assert await eventually(partial(_letters, site, mine), within=30)


async def test_every_letter_of_the_table_is_on_the_topic(site: Site) -> None:
    """The topic holds what the table holds, under who read it and the place that it came from."""
    records = await read_all(site.stack.bootstrap, site.stack.topics.dead_letters)
    keys = {record.key for record in records}
    of_ours = "SELECT reader, topic, partition, \"offset\" FROM dead_letters WHERE topic NOT LIKE 'elsewhere%%'"
    rows = await site.fetch(of_ours)
    assert rows
    assert {f"{row['reader']}:{row['topic']}/{row['partition']}/{row['offset']}".encode() for row in rows} <= keys


FAILING: dict[str, tuple[Document, str]] = {
    "config that holds no more": (
        {"type": "apply_tag", "config": {"tag": 5}},
        "config.tag: input should be a valid string",
    ),
    "config with an unknown field": ({"type": "stop_workflow", "config": {"nonsense": 1}}, "config.nonsense:"),
    "template that does not compile": ({"type": "create_note", "config": {"text": "{{ a"}}, "config.text: line 1"),
    "template that fails": (
        {"type": "create_note", "config": {"text": "{{ customer.age }}"}},
        "text: line 1: customer.age is undefined",
    ),
    "template without end": (
        {
            "type": "apply_tag",
            "config": {"tag": "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"},
        },
        "tag: line 1: takes more than 250000 steps",
    ),
    "conditions that do not compile": (
        {"type": "apply_tag", "config": {"tag": "x"}, "conditions": [{"field": "a", "operator": "~", "value": 1}]},
        "conditions[0].operator: must be one of",
    ),
    "no such action type": ({"type": "launch_rocket"}, "this installation has no action type launch_rocket"),
    "a destination that is none": (
        {"type": "webhook", "config": {"url": "http://{{ customer.name }}:99999/"}},
        "url: is no URL",
    ),
    "an address that is none": (
        {"type": "send_email", "config": {"to": ["{{ customer.name }}"], "subject": "s", "text": "t"}},
        "to[0]:",
    ),
}


@pytest.fixture(scope="module")
async def failing(site: Site) -> dict[str, UUID]:
    """Workflows whose newest revision came to the matchers past every check: straight on the changelog."""
    made: dict[str, UUID] = {}
    records = []
    for name, (action, _) in FAILING.items():
        kind = f"custom.{name.replace(' ', '-')}"
        draft = {"name": name, "trigger": {"type": kind}, "actions": [{"type": "stop_workflow", "order": 1}]}
        made[name] = await site.stack.api.create_workflow(draft)
        after = {"type": "apply_tag", "order": 9, "config": {"tag": "after"}}
        revision = Revision.model_validate(
            {**draft, "id": made[name], "version": 99, "active": True, "actions": [{"order": 1, **action}, after]}
            | {"owner": uuid4(), "updated_at": datetime.now(UTC)}
        )
        key = str(made[name]).encode()
        records.append(Record(site.stack.topics.workflows_changelog, key, revision.encode()))
    await produce(site.stack.bootstrap, records, 0)
    await site.stack.settled()
    return made


@pytest.mark.parametrize("name", FAILING)
async def test_a_handler_that_raises_is_a_failed_result(site: Site, failing: dict[str, UUID], name: str) -> None:
    """The step fails with what was wrong, and the step behind it runs."""
    sent = event(f"custom.{name.replace(' ', '-')}")
    await site.stack.emitter.emit(sent)
    row = await site.row(failing[name], sent)
    assert row["status"] == "partial"
    assert [result["status"] for result in row["actions_executed"]] == ["failed", "success"]
    assert FAILING[name][1] in row["actions_executed"][0]["error"]


async def test_a_changelog_that_cannot_be_read_leaves_the_workflows_as_they_are(site: Site) -> None:
    """Rubbish between two revisions is passed over; the workflow behind it runs."""
    topic = site.stack.topics.workflows_changelog
    rubbish = [Record(topic, key, value) for key in (b"\xff", b"x", b"a\x00") for value in (b"{", b"\xff", None, b"[]")]
    await produce(site.stack.bootstrap, rubbish, 0)
    workflow, kind = await site.workflow({"type": "apply_tag", "config": {"tag": "good"}})
    sent = event(kind)
    await site.stack.emitter.emit(sent)
    assert (await site.row(workflow, sent))["status"] == "success"


async def test_every_process_lives_on(site: Site) -> None:
    """All of this ended no process and started none again."""
    assert site.stack.pids() == site.pids
