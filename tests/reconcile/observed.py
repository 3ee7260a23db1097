"""What did happen: the log, the CRM's tables, what the webhook receiver and the mail server took."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from app.embedded.mail import Mail
from app.embedded.message_providers import Sent
from app.embedded.webhook_receiver import Delivery

_ROWS = """
SELECT id, automation_id, trigger_event, conditions_met, conditions_result, actions_executed, status
FROM automation_logs WHERE automation_id = ANY(%s)
"""
_RECORDS: Final = {
    "task": b"SELECT task_id::text, customer_id, title, description, assignee FROM crm.tasks",
    "appointment": b"SELECT appointment_id::text, customer_id, title,"
    b" to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00'), assignee FROM crm.appointments",
    "conversation": b"SELECT conversation_id, customer_id, assignee FROM crm.conversations",
    "notification": b"SELECT id::text, title, body FROM notifications",
}
_FIELDS: Final = b"SELECT customer_id, key, value FROM crm.customers, jsonb_each_text(profile)"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log."""

    id: UUID
    automation_id: UUID
    trigger_event: dict[str, Any]
    conditions_met: bool
    conditions_result: list[dict[str, Any]] | None
    actions_executed: list[dict[str, Any]]
    status: str


@dataclass(slots=True)
class Observed:
    """Everything a run left behind.

    Attributes:
        rows: The log's rows by execution id: there should be one each.
        tags: (customer, tag).
        notes: (customer, text) by note id.
        webhooks: Path and decoded body by Idempotency-Key: there should be one each.
        mails: By Message-ID: there should be one each.
        records: What each command made in our own tables, by table and id, as text.
        fields: (customer, field, value) of the fields that the CRM's profiles have.
        messages: How many messages of a provider have a text.
    """

    rows: dict[UUID, list[Row]] = field(default_factory=lambda: defaultdict(list))
    tags: set[tuple[str, str]] = field(default_factory=set)
    notes: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    webhooks: dict[str, list[tuple[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    records: dict[tuple[str, str], tuple[str | None, ...]] = field(default_factory=dict)
    fields: set[tuple[str, str, str]] = field(default_factory=set)
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)


def observe(
    database_url: str,
    workflows: Iterable[UUID],
    deliveries: Iterable[Delivery],
    mails: Iterable[Mail],
    messages: Iterable[Sent],
) -> Observed:
    """Read it all, once nothing moves any more."""
    seen = Observed()
    seen.messages.update((message.provider, message.text) for message in messages)
    with psycopg.connect(database_url) as connection:
        with connection.cursor(row_factory=class_row(Row)) as cursor:
            for row in cursor.execute(_ROWS, (list(workflows),)):
                seen.rows[row.id].append(row)
        seen.tags = set(connection.execute("SELECT customer_id, tag FROM crm.tags"))
        for note_id, customer, text in connection.execute("SELECT note_id, customer_id, text FROM crm.notes"):
            seen.notes[note_id] = (customer, text)
        for kind, query in _RECORDS.items():
            seen.records |= {(kind, row[0]): tuple(row[1:]) for row in connection.execute(query)}
        seen.fields = set(connection.execute(_FIELDS))
    for delivery in deliveries:
        seen.webhooks[delivery.key].append((delivery.path, delivery.json()))
    for mail in mails:
        seen.mails[mail.message_id].append(mail)
    return seen
