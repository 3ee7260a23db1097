"""One running installation for a module's tests, and where its effects can be seen."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from app.domain.ids import execution_id
from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from tests.support.broker import remove_topics
from tests.support.fake_secrets import KEY
from tests.support.providers import LOGIN, variables_of
from tests.support.stack import Stack
from tests.support.waiting import eventually

SOURCE = "/tests"
ROW_WITHIN_S = 30.0

_ROWS = "SELECT * FROM automation_logs WHERE id = ANY(%s)"
Row = dict[str, Any]


@dataclass(slots=True)
class Site:
    """A stack, the receiver, the mailbox and the providers that its actions reach, and its Postgres."""

    stack: Stack
    receiver: WebhookReceiver
    mailbox: Mailbox
    providers: MessageProviders
    database: psycopg.AsyncConnection[Row]
    pids: dict[str, int] = field(default_factory=dict)

    async def workflow(self, *actions: dict[str, Any], settle: bool = True, **fields: Any) -> tuple[UUID, str]:
        """Create an active workflow with a trigger type of its own; returns its id and that type.

        Args:
            actions: Without their ``order``, in the order they run.
            settle: Wait until the matchers know it.
            fields: Further fields of the draft.
        """
        kind = f"custom.t{uuid4().hex[:12]}"
        numbered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"name": kind, "trigger": {"type": kind}, "actions": numbered, **fields}
        made = await self.stack.api.create_workflow(draft)
        if settle:
            await self.stack.settled()
        return made, draft["trigger"]["type"]

    async def rows(self, *executions: UUID) -> list[Row]:
        """Return the log's rows of these executions, of all their attempts and times."""
        return await (await self.database.execute(_ROWS, (list(executions),))).fetchall()

    async def row(self, workflow: UUID, event: dict[str, Any], within: float = ROW_WITHIN_S) -> Row:
        """Wait for the one row of a workflow's execution for an event."""
        wanted = execution_id(workflow, event["source"], event["id"])
        found = await eventually(partial(self.rows, wanted), within=within, what=f"row of {event['id']}")
        (row,) = found
        return row

    async def fetch(self, query: str, *values: Any) -> list[Row]:
        """Run a query as the administrator."""
        return await (await self.database.execute(query.encode(), values)).fetchall()


def event(kind: str, customer: str | None = None, **data: Any) -> dict[str, Any]:
    """Return an event with an id of its own about a customer, by default a new one."""
    customer = customer or f"c-{uuid4().hex[:8]}"
    about = {"id": customer, "name": "Ada", "email": f"{customer}@example.com"}
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": SOURCE,
        "type": kind,
        "subject": customer,
        "data": {"customer": about, **data},
    }


def new_prefix() -> str:
    """Return a prefix that no other installation's topics have."""
    return f"t{uuid4().hex[:10]}."


@asynccontextmanager
async def running_site(
    kafka: str,
    database_url: str,
    home: Path,
    more: Mapping[str, str] | None = None,
    *,
    by_role: Mapping[str, Mapping[str, str]] | None = None,
    roles: Mapping[str, int] | None = None,
    prefix: str | None = None,
) -> AsyncIterator[Site]:
    """Run workers, retrying failed actions after a tenth of a second.

    Args:
        kafka: Bootstrap servers of the tests' own helpers.
        database_url: An administrator's URL.
        home: Folder for logs and workers' files.
        more: Further settings,
        by_role: and those of a role's processes alone.
        roles: How many workers of each role; the default is one of each.
        prefix: Of the topics; a new one by default.
    """
    mailbox, receiver, providers = Mailbox(), WebhookReceiver(), MessageProviders(LOGIN)
    await mailbox.start()
    await receiver.start()
    await providers.start()
    environment = {
        "HEADRACE_SMTP_HOST": "127.0.0.1",
        "HEADRACE_SMTP_PORT": str(mailbox.smtp_port),
        "ACTION_RETRY_INITIAL_DELAY": "100",
        "HEADRACE_SECRETS_KEY": KEY,
        **variables_of(providers),
        **(more or {}),
    }
    prefix = prefix or new_prefix()
    try:
        async with (
            Stack(kafka, database_url, prefix, home, environment=environment, by_role=by_role, roles=roles) as stack,
            await psycopg.AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row) as connection,
        ):
            yield Site(stack, receiver, mailbox, providers, connection, stack.pids())
    finally:
        await providers.stop()
        await receiver.stop()
        await mailbox.stop()
        await remove_topics(kafka, prefix)
