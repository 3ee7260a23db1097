"""The reference CRM in our own Postgres, in the schema ``crm``; its events go out through the outbox."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString
from uuid import UUID

import orjson
from psycopg import AsyncConnection
from psycopg.rows import dict_row, tuple_row

from app.adapters.postgres import crm_sql as sql
from app.adapters.postgres import literals
from app.adapters.postgres.announcing import shown
from app.adapters.postgres.outbox_rows import announce
from app.ports import (
    AppointmentRequest,
    AssignmentRequest,
    CustomerUpdate,
    NoteRequest,
    Record,
    TagRequest,
    TaskRequest,
)
from app.ports.crm import SOURCE
from app.services.ingest.announcer import Announcer
from app.topics import Topics
from schemas.stored_json import read_json


class PostgresCrm:
    """The CRM over one connection, in the caller's transaction; implements ``app.ports.Crm``.

    Every method raises ``psycopg.Error``: none of the batch has happened, once the transaction is rolled back.

    Args:
        connection: A connection of the workers' role.
        topics: Names of the topics that its events go to.
    """

    def __init__(self, connection: AsyncConnection[Any], topics: Topics) -> None:
        self._connection = connection
        self._announcer = Announcer(topics, SOURCE)

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags in one statement; True for the first request of each tag that the customer did not have."""
        return await self._tags(sql.APPLY_TAGS, "tag.applied", requests)

    async def remove_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Remove tags in one statement; True for the first request of each tag that the customer had."""
        return await self._tags(sql.REMOVE_TAGS, "tag.removed", requests)

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes in two statements; a ``note_id`` that is there already is left as it is."""
        await self.meet(r.customer_id for r in requests)
        await self._connection.execute(
            sql.CREATE_NOTES,
            (
                literals.uuids(r.note_id for r in requests),
                literals.texts(r.customer_id for r in requests),
                literals.texts(r.text for r in requests),
            ),
        )

    async def update_customers(self, requests: Sequence[CustomerUpdate]) -> list[list[str]]:
        """Change customers one after the other, in four statements for all; the fields that changed."""
        ids = [request.customer_id for request in requests]
        await self.meet(ids)
        locked = await self._rows(sql.LOCK_CUSTOMERS, (literals.texts(ids),))
        profiles: dict[str, dict[str, Any]] = {customer_id: read_json(text) for customer_id, text in locked}
        updates = []
        for request in requests:
            update = _Update(request, profiles[request.customer_id])
            profiles[request.customer_id] = update.after
            updates.append(update)
        effective = [update for update in updates if update.changed]
        if effective:
            touched = sorted({update.request.customer_id for update in effective})
            saved = orjson.dumps([profiles[customer_id] for customer_id in touched]).decode()
            await self._connection.execute(sql.SAVE_CUSTOMERS, {"ids": literals.texts(touched), "profiles": saved})
            known = await self.customers(touched)
            await self._announce(self._updated(update, known) for update in effective)
        return [update.changed for update in updates]

    def _updated(self, update: "_Update", known: Mapping[str, dict[str, Any]]) -> Record:
        customer_id = update.request.customer_id
        customer = {**update.after, "id": customer_id, "tags": known[customer_id]["tags"]}
        data = {"customer": customer, "changed": update.changed, "previous": update.previous}
        return self._announcer.event("customer.updated", customer_id, data, update.request.origin)

    async def create_appointments(self, requests: Sequence[AppointmentRequest]) -> None:
        """Make appointments in a few statements; an ``appointment_id`` that is there already is left as it is."""
        columns = (
            literals.uuids(r.appointment_id for r in requests),
            literals.texts(r.customer_id for r in requests),
            literals.texts(r.title for r in requests),
            [r.starts_at for r in requests],
            [r.ends_at for r in requests],
            literals.texts(r.assignee for r in requests),
        )
        await self.meet(r.customer_id for r in requests)
        made = {row[0] for row in await self._rows(sql.CREATE_APPOINTMENTS, columns)}
        new: dict[UUID, AppointmentRequest] = {}
        for request in requests:
            if request.appointment_id in made:
                new.setdefault(request.appointment_id, request)
        known = await self.customers(sorted({r.customer_id for r in new.values()}))
        await self._announce(
            self._announcer.event(
                "appointment.created",
                r.customer_id,
                {"appointment": _appointment(r), "customer": known[r.customer_id]},
                r.origin,
            )
            for r in new.values()
        )

    async def assign_conversations(self, requests: Sequence[AssignmentRequest]) -> list[bool]:
        """Assign conversations one after the other, in four statements for all."""
        ids = [r.conversation_id for r in requests]
        await self.meet(r.customer_id for r in requests)
        await self._connection.execute(
            sql.MEET_CONVERSATIONS, (literals.texts(ids), literals.texts(r.customer_id for r in requests))
        )
        assignees: dict[str, str | None] = dict(await self._rows(sql.LOCK_CONVERSATIONS, (literals.texts(ids),)))
        new: list[bool] = []
        for request in requests:
            new.append(assignees[request.conversation_id] != request.assignee)
            assignees[request.conversation_id] = request.assignee
        touched = sorted({r.conversation_id for r, is_new in zip(requests, new, strict=True) if is_new})
        if touched:
            wanted = {"ids": literals.texts(touched), "assignees": literals.texts(assignees[one] for one in touched)}
            await self._connection.execute(sql.ASSIGN_CONVERSATIONS, wanted)
        return new

    async def create_tasks(self, requests: Sequence[TaskRequest]) -> None:
        """Make tasks in two statements; a ``task_id`` that is there already is left as it is."""
        columns = (
            literals.uuids(r.task_id for r in requests),
            literals.texts(r.customer_id for r in requests),
            literals.texts(r.title for r in requests),
            literals.texts(r.description for r in requests),
            literals.texts(r.assignee for r in requests),
            [r.due_at for r in requests],
        )
        await self.meet(r.customer_id for r in requests)
        await self._connection.execute(sql.CREATE_TASKS, columns)

    async def _tags(self, statement: LiteralString, event_type: str, requests: Sequence[TagRequest]) -> list[bool]:
        columns = {
            "customers": literals.texts(r.customer_id for r in requests),
            "tags": literals.texts(r.tag for r in requests),
        }
        changed = set(await self._rows(statement, columns))
        answers: list[bool] = []
        first: list[TagRequest] = []
        for request in requests:
            pair = (request.customer_id, request.tag)
            answers.append(pair in changed)
            if pair in changed:
                changed.discard(pair)
                first.append(request)
        if first:
            known = await self.customers(sorted({request.customer_id for request in first}))
            await self._announce(
                self._announcer.event(
                    event_type, r.customer_id, {"tag": r.tag, "customer": known[r.customer_id]}, r.origin
                )
                for r in first
            )
        return answers

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id, in one statement."""
        rows = await self._rows(sql.CUSTOMERS, (literals.texts(ids),)) if ids else []
        return {row[0]: _customer(*row) for row in rows}

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Return a page of customers."""
        return [_customer(*row) for row in await self._rows(sql.CUSTOMERS_AFTER, (after, limit))]

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return orders by id, in one statement."""
        if not ids:
            return {}
        cursor = self._connection.cursor(row_factory=dict_row)
        await cursor.execute(sql.ORDERS, (literals.texts(ids),))
        return {row["id"]: shown({**row, "items": read_json(row["items"])}) for row in await cursor.fetchall()}

    async def meet(self, ids: Iterable[str | None]) -> None:
        """Enter customers that are not known yet."""
        named = [one for one in ids if one is not None]
        if named:
            await self._connection.execute(sql.MEET_CUSTOMERS, (literals.texts(named),))

    async def _announce(self, events: Iterable[Record]) -> None:
        await announce(self._connection, list(events))

    async def _rows(
        self, statement: LiteralString, columns: Sequence[Any] | Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor(row_factory=tuple_row)
        await cursor.execute(statement, columns)
        return await cursor.fetchall()


class _Update:
    """One request's change of a customer, given the profile before it; a field that becomes None goes."""

    def __init__(self, request: CustomerUpdate, before: Mapping[str, Any]) -> None:
        self.request = request
        self.after = {name: value for name, value in {**before, **request.changes}.items() if value is not None}
        names = before.keys() | self.after.keys()
        self.changed = sorted(name for name in names if before.get(name) != self.after.get(name))
        self.previous = {name: before.get(name) for name in self.changed}


def _customer(customer_id: str, profile: str, tags: Sequence[str]) -> dict[str, Any]:
    return {**read_json(profile), "id": customer_id, "tags": list(tags)}


def _appointment(request: AppointmentRequest) -> dict[str, Any]:
    return {
        "id": str(request.appointment_id),
        "title": request.title,
        "starts_at": request.starts_at.isoformat(),
        "ends_at": request.ends_at and request.ends_at.isoformat(),
        "assignee": request.assignee,
        "status": "planned",
    }
