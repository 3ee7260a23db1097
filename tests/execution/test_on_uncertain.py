"""``on_uncertain`` carried out: messages that the stand-in took and whose receipt is missing, by the real executor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.actions.registry import REGISTRY
from app.adapters.http.client import open_http_client
from app.domain.breaker import BreakerPolicy
from app.embedded.message_providers import MessageProviders
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead
from app.execution.lane import Lane
from app.execution.leased import LeasedExecutor
from app.execution.preparation import Preparer
from app.execution.routing import Router, claim_of
from app.services.delivery.dead_letters import DeadLetters
from app.services.messages.message_text import TemplateTexts
from schemas.command import Command
from schemas.execution import Execution
from schemas.result import ActionResult
from tests.execution.test_leased import FAST, TOPICS
from tests.execution.test_transactional import now
from tests.support.breakers import MemoryBreakers
from tests.support.current import current_over
from tests.support.fake_notifier import FakeNotifier, MemoryInbox
from tests.support.fake_rights import FixedRights
from tests.support.memory_texts import MemoryTexts
from tests.support.providers import ports_of
from tests.support.quotas import no_holding
from tests.support.receipts import MemoryReceipts, ReceiptStore
from tests.support.sender import MemorySender
from tests.support.slips import action, command, command_record

KINDS = ("send_sms", "send_whatsapp")
TOLD = "send_notification"


class World:
    """An executor of one action type over the real HTTP client."""

    def __init__(self, kind: str, providers: MessageProviders, http: Any) -> None:
        made: Any = REGISTRY.find(kind)
        self.kind = kind
        self.sender = MemorySender()
        self.store = ReceiptStore()
        self.receipts = self.process()
        self.executor = LeasedExecutor(
            action=made,
            preparer=Preparer(made, timeout=5, clock=now),
            rights=FixedRights(),
            current=current_over(),
            template_texts=TemplateTexts(MemoryTexts()),
            receipts=self.receipts,
            holding=no_holding(),
            ports=replace(ports_of(http, providers.url), notifier=FakeNotifier(), inbox=MemoryInbox()),
            router=Router(TOPICS, frozenset({*KINDS, TOLD})),
            sender=self.sender,
            dead_letters=DeadLetters(topics=TOPICS, sender=self.sender, role="executor-notification", clock=now),
            policy=FAST,
            breakers=Breakers(MemoryBreakers(), BreakerPolicy()),
            lease=37.0,
        )

    def process(self) -> MemoryReceipts:
        """Return the receipts of one process of the executor."""
        return MemoryReceipts(self.store, "executor-notification/1", timedelta(seconds=37))

    def command(self, **config: Any) -> Command:
        """Return a command that sends a text."""
        return command(action(self.kind, to="+4930123456", text="Hello", **config))

    async def run(self, one: Command) -> ActionResult:
        """Carry it out and return its result."""
        await self.receipts.start()
        lane = Lane(Bulkhead(10, shared=False), lambda _: False)
        assert await self.executor.handle(command_record(one, f"t.actions.{self.kind}"), lane)
        (record,) = self.sender.on("t.executions")
        return Execution.model_validate_json(record.value or b"").results[0]


@asynccontextmanager
async def running(kind: str, providers: MessageProviders) -> AsyncIterator[World]:
    """Open the client and the executor."""
    async with open_http_client(allow_private=True) as http:
        yield World(kind, providers, http)


@pytest.mark.parametrize("kind", KINDS)
async def test_fail_sends_once_and_says_that_it_may_have_been_sent(kind: str, providers: MessageProviders) -> None:
    """The provider took the message and the connection broke: one message, and a failed result marked uncertain."""
    providers.moods.lost = 1
    async with running(kind, providers) as world:
        result = await world.run(world.command())
    assert len(providers.sent) == 1
    assert (result.status, result.uncertain, result.attempts) == ("failed", True, 1)
    assert "on_uncertain" in (result.error or "")


@pytest.mark.parametrize("kind", KINDS)
async def test_retry_sends_until_there_is_an_answer(kind: str, providers: MessageProviders) -> None:
    """Two answers lost: three messages, and a success marked uncertain."""
    providers.moods.lost = 2
    async with running(kind, providers) as world:
        result = await world.run(world.command(on_uncertain="retry"))
    assert len(providers.sent) == 3
    assert (result.status, result.uncertain, result.attempts) == ("success", True, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("choice", "messages", "status"), [("fail", 0, "failed"), ("retry", 1, "success")])
async def test_after_a_crash_the_choice_counts(
    kind: str, choice: str, messages: int, status: str, providers: MessageProviders
) -> None:
    """A process died between claim and receipt: nobody knows whether it had sent, so ``fail`` does not send."""
    async with running(kind, providers) as world:
        one = world.command(on_uncertain=choice)
        crashed = world.process()
        await crashed.start()
        await crashed.claim([claim_of(one)])
        result = await world.run(one)
    assert len(providers.sent) == messages
    assert (result.status, result.uncertain) == (status, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_without_an_effect_is_tried_again_under_fail(kind: str, providers: MessageProviders) -> None:
    """429 and 503 sent nothing: the next attempt may, and does, and nothing is uncertain."""
    providers.moods.first = [(429, {}, "{}"), (503, {"Retry-After": "0"}, "{}")]
    async with running(kind, providers) as world:
        result = await world.run(world.command())
    assert len(providers.sent) == 1
    assert (result.status, result.uncertain, result.attempts) == ("success", False, 3)


@pytest.mark.parametrize(
    ("config", "uncertain"), [({"user": str(UUID(int=7))}, False), ({"channel": "sales-team"}, True)]
)
async def test_only_what_may_have_happened_twice_is_uncertain(
    config: dict[str, Any],
    providers: MessageProviders,
    *,
    uncertain: bool,
) -> None:
    """After a crash a channel may have been told twice; an inbox holds a command's notification once."""
    async with running("send_notification", providers) as world:
        one = command(action("send_notification", title="t", body="b", **config))
        crashed = world.process()
        await crashed.start()
        await crashed.claim([claim_of(one)])
        result = await world.run(one)
    assert (result.status, result.uncertain) == ("success", uncertain)
