"""What must be true of every run, whatever went wrong in it (docs/design.md#4-receipts)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from app.domain.ids import command_id
from schemas.execution import Execution
from schemas.result import ActionResult
from tests.simulation.world import DELAY_S, NOW_AND_THEN, WINDOW_S, WORKFLOW, Ran

# Kafka's times are whole milliseconds.
_KAFKA_S: Final = 0.001


def wrong(ran: Ran) -> list[str]:
    """Return what is wrong with a run: nothing."""
    return [*_logged(ran), *_webhooks(ran), *_tags(ran), *_order(ran), *_letters(ran), *_timers(ran), *_entries(ran)]


def _logged(ran: Ran) -> Iterator[str]:
    """Each event has its row, which has a result of each step."""
    rows = ran.servers.log.rows
    for execution in ran.sent.executions:
        row = rows.get(execution)
        if row is None:
            yield f"lost: {execution} has no row"
        elif [result.step for result in row.results] != list(range(len(_steps(ran)))):
            yield f"{execution}: steps {[result.step for result in row.results]}"
        elif row.version < ran.sent.versions[execution]:
            yield f"{execution} ran with a revision that was replaced before its event came"
    for execution in rows.keys() - ran.sent.expected:
        yield f"{execution} is of no event"


def _webhooks(ran: Ran) -> Iterator[str]:
    """A webhook that succeeded was carried out; one that may have been twice, or though it failed, says so."""
    known: set[str] = set()
    for row, result in _results(ran, "webhook"):
        key = str(command_id(row.execution_id, 1, result.step))
        known.add(key)
        times = ran.servers.shop.carried_out[key]
        if result.status == "success" and times == 0:
            yield f"lost: step {result.step} of {row.execution_id} says success, nothing happened"
        if result.error is not None and result.error.startswith("circuit_open"):
            yield f"step {result.step} of {row.execution_id} was given up, its destination serves again"
        if not result.uncertain and times != (1 if result.status == "success" else 0):
            yield f"step {result.step} of {row.execution_id} ({result.status}) happened {times} times, unmarked"
    for key in ran.servers.shop.carried_out.keys() - known:
        yield f"an effect that no row tells of: {key}"


def _tags(ran: Ran) -> Iterator[str]:
    """What is in our own Postgres happens exactly once, and is never uncertain."""
    rows = ran.servers.log.rows.values()
    tags = [row.event["id"] for row in rows if row.workflow_id == WORKFLOW]
    tags += [f"entered by {row.event['id']}" for row in rows if row.workflow_id == NOW_AND_THEN and row.results]
    if sorted(tag for _, tag in ran.servers.store.crm.tags) != sorted(tags):
        yield "the tags are not those of the events"
    for row, result in _results(ran, "apply_tag"):
        if result.output.get("applied") is not True or result.uncertain:
            yield f"the tag of {row.execution_id} was put on again: {result.output}"


def _order(ran: Ran) -> Iterator[str]:
    """The first effects of an entity's executions are in the order of its events, where none had to wait elsewhere."""
    if ran.servers.breakers.states:  # some waited for their destination, which their rows do not tell
        return
    by_entity: dict[str, list[tuple[float, UUID]]] = defaultdict(list)
    for execution in ran.sent.executions:
        row = ran.servers.log.rows.get(execution)
        first = row and row.results and row.results[0]
        at = ran.servers.shop.times.get(str(command_id(execution, 1, 0)))
        if first and first.attempts == 1 and at is not None:
            by_entity[ran.sent.entities[execution]].append((at, execution))
    for entity, effects in by_entity.items():
        if effects != sorted(effects):
            yield f"out of order: {entity}"


def _letters(ran: Ran) -> Iterator[str]:
    """Each record that is no event is kept."""
    if len(ran.servers.log.letters) != ran.sent.poison:
        yield f"{ran.sent.poison} records were no events, {len(ran.servers.log.letters)} are kept"


def _timers(ran: Ran) -> Iterator[str]:
    """Nothing waits any more, and what had to wait has."""
    if ran.servers.timers.set_timers:
        yield f"{len(ran.servers.timers.set_timers)} timers are left"
    for row, result in _results(ran, "delay"):
        before = ran.servers.shop.times.get(str(command_id(row.execution_id, 1, result.step - 1)))
        after = ran.servers.shop.times.get(str(command_id(row.execution_id, 1, result.step + 2)))
        if before is not None and after is not None and after - before < DELAY_S:
            yield f"{row.execution_id} did not wait: {after - before:.1f} s"


def _entries(ran: Ran) -> Iterator[str]:
    """An entity is let in again once the time has passed since it was let in last, and not before."""
    last: dict[str, float] = {}
    for event in ran.sent.executions:
        row, entity, at = (
            ran.servers.log.rows.get(ran.sent.watched[event]),
            ran.sent.entities[event],
            ran.sent.times[event],
        )
        if row is None:
            yield f"lost: {ran.sent.watched[event]} has no row"
            continue
        passed = at - last.get(entity, -WINDOW_S)
        if row.status == "skipped" and passed >= WINDOW_S + _KAFKA_S:
            yield f"{row.event['id']} was not let in {passed:.3f} s after the last"
        elif row.status != "skipped":
            if passed < WINDOW_S - _KAFKA_S:
                yield f"{row.event['id']} was let in {passed:.3f} s after the last"
            last[entity] = at


def _results(ran: Ran, action_type: str) -> Iterator[tuple[Execution, ActionResult]]:
    for row in ran.servers.log.rows.values():
        for result in row.results:
            if result.action_type == action_type:
                yield row, result


def _steps(ran: Ran) -> list[str]:
    return [action.type for action in ran.servers.revisions[-1].actions]
