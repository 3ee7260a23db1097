"""The reconciliation on generated events: the real stack against hand-written SQL over the raw JSON."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from tests.reconcile.generator import generate
from tests.reconcile.oracle import Oracle
from tests.reconcile.run import table
from tests.reconcile.session import Places, reconcile
from tests.support.postgres import new_database
from tests.support.stack import Stack

EVENTS = 800


@pytest.fixture
def oracle(postgres: str) -> Iterator[Oracle]:
    """An oracle with an empty database of its own."""
    with new_database(postgres) as url:
        yield Oracle(url)


@pytest.fixture
def places(mailbox: Mailbox, receiver: WebhookReceiver, providers: MessageProviders) -> Places:
    """Where the effects go."""
    return Places(receiver, mailbox, providers)


@pytest.fixture
async def stack(kafka: str, database: str, topic_prefix: str, places: Places, tmp_path: Path) -> AsyncIterator[Stack]:
    """One worker of each role."""
    async with Stack(kafka, database, topic_prefix, tmp_path, environment=places.environment()) as running:
        yield running


@pytest.mark.kafka
@pytest.mark.postgres
async def test_every_pair_is_as_sql_computes_it(stack: Stack, places: Places, oracle: Oracle) -> None:
    """What 21 workflows over all action types do and log: none missing, none extra, none different."""
    said: list[str] = []
    outcome = await reconcile(stack, places, oracle, list(generate(EVENTS)), said.append)
    assert sum(line.pairs for line in outcome) > 2000
    assert not any(line.differences for line in outcome), "\n".join([table(outcome), *said])
