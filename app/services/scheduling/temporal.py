"""Temporal triggers at work: keeps due times in step with the workflows, and emits an event for each that has come.

Emitting an event and moving its due time on are one transaction, through the outbox; several schedulers may do this
side by side. After a time in which none ran, the latest run that was missed is made up for, once, with its own due
time. An audience's customers get an event each, a bounded number a second.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import orjson

from app.domain.callers import Permission
from app.domain.conditions import compile_conditions
from app.domain.errors import InvalidError, UnreachableError
from app.domain.penalties import REFUSED_FOR_S
from app.domain.schedules import Schedule, dues_between, latest_due, next_due, read_schedule
from app.metrics.scheduler import TEMPORAL_EMITTED, TEMPORAL_SKIPPED
from app.ports import Record
from app.ports.temporal import Owned, Planned, Release, TemporalStore, TemporalTransaction
from app.services.ingest.emitter import STRUCTURED
from app.services.operations.background import note_failure
from app.services.operations.outages import Outage, same_pauses, serve_for_ever
from app.services.scheduling.audience_shares import Shares
from app.services.scheduling.temporal_refusals import refusal_row, refused
from app.topics import Topics

SOURCE: Final = "/headrace/scheduler"
_EVERY_S: Final = 0.5
_BATCH: Final = 100
_PAGE: Final = 500
_UNREADABLE_REST: Final = timedelta(hours=1)
_FAILED_REST: Final = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class TemporalLoop:
    """Does it until cancelled.

    Args:
        store: Where due times and audiences are.
        topics: Names of the topics.
        rate: Most customers of one audience a second.
        everybodys: What every user may: an audience needs to read customers.
    """

    def __init__(self, store: TemporalStore, topics: Topics, *, rate: int, everybodys: frozenset[Permission]) -> None:
        self._store = store
        self._topics = topics
        self._shares = Shares(rate)
        self._everybodys = everybodys

    async def run(self) -> None:
        """Look twice a second; where Postgres is away, wait and go on by itself."""
        await serve_for_ever(Outage("temporal triggers", logger), self.round, same_pauses(_EVERY_S))

    async def round(self) -> None:
        """Plan what changed, fire what is due, release the next share of each audience."""
        now = await self._store.now()
        if not await self._store.pending(now):
            return  # as nearly always: three transactions twice a second are most of what an idle scheduler costs
        async with self._store.transaction() as transaction:
            for workflow in await transaction.changed(_BATCH):
                planning = partial(self._plan, transaction, workflow, now)
                await _one(transaction, workflow, planning, partial(transaction.plan, workflow, now + _FAILED_REST))
        async with self._store.transaction() as transaction:
            for workflow in await transaction.due(now, _BATCH):
                firing = partial(self._fire, transaction, workflow, now)
                await _one(transaction, workflow, firing, partial(transaction.move, workflow, now + _FAILED_REST))
        async with self._store.transaction() as transaction:
            for release in await transaction.audiences(_BATCH):
                releasing = partial(self._release, transaction, release)
                later = partial(transaction.advance, release, release.after, _FAILED_REST.total_seconds())
                await _one(transaction, release, releasing, later)

    async def _plan(self, transaction: TemporalTransaction, workflow: Planned, now: datetime) -> None:
        schedule = _schedule(workflow)
        await transaction.plan(workflow, next_due(schedule, now) if schedule else now + _UNREADABLE_REST)

    async def _fire(self, transaction: TemporalTransaction, workflow: Planned, now: datetime) -> None:
        schedule = _schedule(workflow)
        if schedule is None:
            TEMPORAL_SKIPPED.labels("unreadable").inc()
            await transaction.move(workflow, now + _UNREADABLE_REST)
            return
        due = latest_due(schedule, now)
        if workflow.due is not None:  # after downtime the latest run is made up for, once
            TEMPORAL_SKIPPED.labels("missed").inc(dues_between(schedule, workflow.due, due))
        audience = workflow.config.get("audience")
        if audience is None:
            await transaction.emit([self._event(workflow, due)])
            TEMPORAL_EMITTED.labels("run").inc()
        else:
            release = Release(
                workflow.workflow_id, workflow.trigger_type, due, audience, after="", nonce=workflow.nonce
            )
            if not await transaction.open_audience(release):
                TEMPORAL_SKIPPED.labels("already_open").inc()
        await transaction.move(workflow, next_due(schedule, now))

    async def _release(self, transaction: TemporalTransaction, release: Release) -> None:
        owned = await transaction.owner(release.workflow_id)
        if owned is not None and refused(owned, self._everybodys):
            await self._refuse(transaction, release, owned)
            return
        owner = release.workflow_id if owned is None else owned.owner.user_id
        if self._shares.rests(owner):
            await transaction.advance(release, release.after, REFUSED_FOR_S)
            return
        try:
            conditions = compile_conditions(release.conditions, "audience", stored=True)
        except InvalidError as error:
            why = {"workflow_id": release.workflow_id, "why": str(error)}
            logger.error("an audience gets no run: its conditions cannot be read", extra=why)  # noqa: TRY400 - a traceback into the compiler says nothing
            TEMPORAL_SKIPPED.labels("audience_unreadable").inc()
            await transaction.advance(release, None, 0.0)
            return
        page = await transaction.customers(release.after, _PAGE)
        share = self._shares.next(
            conditions,
            page,
            release=release,
            owner=owner,
            make=lambda customer: self._event(release, release.due, customer["id"], {"customer": customer}),
        )
        await transaction.emit(share.events)
        TEMPORAL_EMITTED.labels("audience").inc(len(share.events))
        at_end = len(page) < _PAGE and (not page or share.looked_at == page[-1]["id"])
        await transaction.advance(release, None if at_end else share.looked_at, share.pause_s)

    async def _refuse(self, transaction: TemporalTransaction, release: Release, owned: Owned) -> None:
        """End an audience whose owner may not read customers by now, with a row of the log that says why."""
        of = {"workflow_id": release.workflow_id}
        logger.warning("an audience gets no run: its owner may not read customers", extra=of)
        TEMPORAL_SKIPPED.labels("audience_refused").inc()
        run = self._event(release, release.due)
        await transaction.emit([refusal_row(self._topics, release.workflow_id, owned, run, release.due)])
        await transaction.advance(release, None, 0.0)

    def _event(
        self,
        run: Planned | Release,
        due: datetime,
        customer: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> Record:
        entity = customer or str(run.workflow_id)
        event = {
            "specversion": "1.0",
            "type": run.trigger_type,
            "source": SOURCE,
            "id": _event_id(run, due, customer),
            "subject": entity,
            "time": due.isoformat(),
            "datacontenttype": "application/json",
            "workflowid": str(run.workflow_id),
            "data": {**(data or {}), "due": due.isoformat()},
        }
        return Record(self._topics.internal_events, entity.encode(), orjson.dumps(event), STRUCTURED)


async def _one(
    transaction: TemporalTransaction,
    what: Planned | Release,
    carry_out: Callable[[], Awaitable[None]],
    put_off: Callable[[], Awaitable[None]],
) -> None:
    """Carry one out; one that fails is put off, so that it neither ends the others nor stands in front of them."""
    for step in (carry_out, put_off):
        try:
            async with transaction.apart():
                await step()
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            note_failure("temporal", error, workflow_id=what.workflow_id)
        else:
            return


def _schedule(workflow: Planned) -> Schedule | None:
    """Read a workflow's schedule; one that cannot be read, saved under older rules, must not stop the others."""
    try:
        return read_schedule(workflow.trigger_type, workflow.config)
    except (LookupError, TypeError, ValueError) as error:
        why = {"workflow_id": workflow.workflow_id, "why": repr(error)}
        logger.error("a trigger cannot be read", extra=why)  # noqa: TRY400 - the same for every such row
        return None


def _event_id(run: Planned | Release, due: datetime, customer: str | None) -> str:
    """Name a run: the same run, emitted twice, is one event, and who knows when it is due cannot name it before."""
    name = orjson.dumps((str(run.workflow_id), due.isoformat(), customer))
    return hashlib.blake2b(name, key=run.nonce.bytes, digest_size=16).hexdigest()
