"""The parts of each role, opened on its event loop and closed at its end; the only place where ports meet adapters."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from app.actions.base import Family, Ports
from app.actions.registry import REGISTRY
from app.adapters.http.address_guard import bounds_of
from app.adapters.http.client import AiohttpClient, open_http_client
from app.adapters.kafka import batches as ledger
from app.adapters.kafka.persistent import PersistentSender
from app.adapters.kafka.producer import KafkaSender
from app.adapters.mail.smtp import SmtpServer, open_mailer
from app.adapters.messages.notifier import open_notifier
from app.adapters.postgres.breakers import PostgresBreakers
from app.adapters.postgres.channel_urls import PostgresChannelUrls
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.dead_letters import DeadLetterTable
from app.adapters.postgres.entries import PostgresEntries
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.inbox import PostgresInbox
from app.adapters.postgres.message_texts import PostgresTexts
from app.adapters.postgres.pool import Pool, open_pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.sealed_secrets import PostgresSealedSecrets
from app.adapters.postgres.workflow_versions import PostgresVersions
from app.adapters.secrets.cipher import FernetCipher
from app.domain.loops import RunBudget
from app.domain.mailboxes import domain_of
from app.execution.agent_parts import ExecutorParts, MatcherParts, SinkParts, SourceParts
from app.execution.breakers import Breakers
from app.execution.current_values import Current
from app.execution.executors import LeasedOnly, Shared, executor_of
from app.execution.log_writing import DeadLetterSink, Sink
from app.execution.matching import Matcher
from app.execution.routing import Router
from app.execution.source_conversion import SourceConversion
from app.ports import HttpClient, Sender
from app.processes.blotting import BLOTTED
from app.processes.crm_choice import on_the_crm, reads_of
from app.processes.policies import breaker_policy, retry_policy
from app.processes.provider_accounts import twilio_account, whatsapp_account
from app.processes.quotas import execution_quota, parker, step_holding
from app.services.access.owner_rights import RecentRights
from app.services.access.secret_cache import SecretCache
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.ingest.source_settings import load_sources
from app.services.ingest.sources import SourceTurner
from app.services.messages.message_text import RecentTexts, TemplateTexts
from app.services.operations.background import running_beside
from app.services.operations.table_check import TableAge, TableCheck
from app.services.workflows.index import WorkflowIndex
from app.settings import Settings
from app.topics import Topics


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_sender(settings: Settings, role: str) -> AsyncIterator[Sender]:
    """Open a sender that waits outages out."""
    async with KafkaSender(settings.kafka_connection, client_id=f"{role}-{settings.instance}") as sender:
        yield PersistentSender(sender)


@asynccontextmanager
async def open_matcher(settings: Settings, index: WorkflowIndex, age: TableAge) -> AsyncIterator[MatcherParts]:
    """Open the matcher; ``index`` is what the workflow table feeds, ``age`` how old that is."""
    topics = Topics(settings.topic_prefix)
    async with open_sender(settings, "matcher") as sender, open_pool(settings, DatabaseRole.MATCHER) as pool:
        check = TableCheck(index, PostgresVersions(pool), age=age, every_s=settings.workflow_check_s)
        router = Router(topics, frozenset(REGISTRY.names()))
        letters = DeadLetters(topics=topics, sender=sender, role="matcher", clock=utc_now)
        matcher = Matcher(
            index=index,
            router=router,
            dead_letters=letters,
            topics=topics,
            max_age=settings.event_max_age_s,
            clock=utc_now,
            budget=RunBudget(settings.run_budget, settings.run_budget_window_s),
            entries=PostgresEntries(pool),
            quota=execution_quota(settings, topics, pool),
        )
        async with running_beside("table_check", check.run):
            yield MatcherParts(matcher, letters, Delivery(sender, letters, router.refused))


@asynccontextmanager
async def open_sink(settings: Settings) -> AsyncIterator[SinkParts]:
    """Open the sink."""
    topics = Topics(settings.topic_prefix)
    async with open_sender(settings, "sink") as sender, open_pool(settings, DatabaseRole.SINK) as pool:
        letters = DeadLetters(topics=topics, sender=sender, role="sink", clock=utc_now)
        executions, dead_letters = Sink(ExecutionLog(pool), letters), DeadLetterSink(DeadLetterTable(pool), topics)
        yield SinkParts(executions, dead_letters, letters, Delivery(sender, letters))


@asynccontextmanager
async def open_sources(settings: Settings) -> AsyncIterator[SourceParts]:
    """Open the sources."""
    topics = Topics(settings.topic_prefix)
    async with open_sender(settings, "sources") as sender:
        letters = DeadLetters(topics=topics, sender=sender, role="sources", clock=utc_now)
        configured = load_sources(settings.sources, settings.topic_prefix)
        turners = [SourceTurner(source, topics, settings.event_max_age_s) for source in configured]
        yield SourceParts(SourceConversion(turners, letters), letters, Delivery(sender, letters))


@asynccontextmanager
async def following_breakers(role: str, settings: Settings, pool: Pool) -> AsyncIterator[Breakers]:
    """Open the worker's circuit breakers, which follow those of the other workers."""
    url = settings.database_url.get_secret_value()
    breakers = Breakers(PostgresBreakers(pool, url, name=f"headrace breakers {role}"), breaker_policy(settings))
    async with running_beside("breakers", breakers.run):
        yield breakers


@asynccontextmanager
async def action_ports(settings: Settings, pool: Pool, trusted: HttpClient) -> AsyncIterator[Ports]:
    """Open the outside world of one worker; ``trusted`` reaches addresses that an administrator chose."""
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    channels = SecretCache(PostgresChannelUrls(pool.connection), cipher, time.monotonic, BLOTTED.add, noun="channel")
    async with (
        http_client(settings) as http,
        open_mailer(smtp_server(settings)) as mail,
    ):
        with open_notifier(channels, bounds_of(settings)) as notifier:
            yield Ports(
                http=http,
                mail=mail,
                mail_from=settings.mail_from,
                sms=twilio_account(settings, trusted),
                whatsapp=whatsapp_account(settings, trusted),
                secrets=secret_cache(settings, pool),
                notifier=notifier,
                inbox=PostgresInbox(pool.connection),
            )


@asynccontextmanager
async def open_executor(role: str, family: Family, settings: Settings) -> AsyncIterator[ExecutorParts]:
    """Open the executors of one family; they share the process's pool, sender and clients."""
    topics = Topics(settings.topic_prefix)
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(open_sender(settings, role))
        pool = await stack.enter_async_context(open_pool(settings, DatabaseRole.EXECUTOR))
        receipts = PostgresReceipts(
            pool,
            f"{settings.topic_prefix}{role}/{settings.instance}",
            settings.lease,
            partial(PostgresCrm, topics=topics),
        )
        await receipts.start()
        trusted = await stack.enter_async_context(open_http_client(allow_private=True))
        built_in = PostgresReads(pool.connection, partial(PostgresCrm, topics=topics), patient=True)
        breakers = await stack.enter_async_context(following_breakers(role, settings, pool))
        reads = reads_of(settings, trusted, built_in, breakers)
        router = Router(topics, frozenset(REGISTRY.names()))
        letters = DeadLetters(topics=topics, sender=sender, role=role, clock=utc_now)
        shared = Shared(
            current=Current(reads, retry_policy(settings), timeout=settings.action_timeout),
            rights=RecentRights(PostgresCallers(pool.connection, patient=True), settings.everybodys_permissions),
            receipts=receipts,
            router=router,
            holding=step_holding(pool, router, utc_now),
            dead_letters=letters,
            timeout=settings.action_timeout,
            clock=utc_now,
        )
        ports = await stack.enter_async_context(action_ports(settings, pool, trusted))
        leased = _leased_only(settings, pool, ports, sender, breakers)
        actions = [on_the_crm(action, settings, trusted) for action in REGISTRY.of_family(family)]
        made = {action.name: executor_of(action, shared, leased) for action in actions}
        waiting = parker(pool, topics, REGISTRY.names(), letters)
        yield ExecutorParts(made, waiting, letters, Delivery(sender, letters, router.refused))


def _leased_only(settings: Settings, pool: Pool, ports: Ports, sender: Sender, breakers: Breakers) -> LeasedOnly:
    return LeasedOnly(
        ports,
        sender,
        breakers,
        TemplateTexts(RecentTexts(PostgresTexts(pool.connection, patient=True))),
        policy=retry_policy(settings),
        lease=settings.lease.total_seconds(),
        is_closing=ledger.is_closing,
    )


def secret_cache(settings: Settings, pool: Pool) -> SecretCache:
    """Return where executors get secrets; the log blots out each that has been read."""
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    return SecretCache(PostgresSealedSecrets(pool), cipher, time.monotonic, BLOTTED.add)


def http_client(settings: Settings) -> AbstractAsyncContextManager[AiohttpClient]:
    """Return what opens the client for addresses that users name, with the guard that the settings ask for."""
    return open_http_client(allow_private=settings.webhook_allow_private, allow_networks=settings.allowed_networks)


def smtp_server(settings: Settings) -> SmtpServer:
    """Return the mail server's settings."""
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        ehlo_name=domain_of(settings.mail_from),
    )
