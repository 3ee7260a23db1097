"""Puts the API's services together over a database and a sender, and says what makes it ready."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.adapters.http.address_guard import MayReach, bounds_of
from app.adapters.http.reach import GuardJudge, Resolve, system_resolve
from app.adapters.kafka.event_topics import KafkaEventTopics
from app.adapters.messages.notifier import AppriseUrls
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_keys import PostgresApiKeys
from app.adapters.postgres.audit import PostgresAuditTrail
from app.adapters.postgres.cancelling import PostgresCancelling
from app.adapters.postgres.channel_urls import PostgresChannelGrants
from app.adapters.postgres.channels import PostgresChannels
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.dead_letter_box import PostgresDeadLetterBox
from app.adapters.postgres.event_verdicts import PostgresTraces
from app.adapters.postgres.executions import PostgresExecutions, PostgresWaiting
from app.adapters.postgres.following import PostgresFeed
from app.adapters.postgres.message_templates import PostgresMessageTemplates
from app.adapters.postgres.message_texts import PostgresTexts
from app.adapters.postgres.notifications import PostgresNotifications
from app.adapters.postgres.previews import PostgresPreviews
from app.adapters.postgres.queue_status import PostgresQueueStatus
from app.adapters.postgres.retries import PostgresRetries
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.sealed_secrets import PostgresSecretGrants
from app.adapters.postgres.secrets import PostgresSecretStore
from app.adapters.postgres.systems import PostgresSystems
from app.adapters.postgres.templates import PostgresTemplates
from app.adapters.postgres.workflows import PostgresWorkflows
from app.adapters.secrets.cipher import FernetCipher
from app.admin.auth import Authenticator
from app.admin.bodies import Bodies
from app.admin.identity import Identity
from app.admin.limits import BodyLimits
from app.admin.open_streams import Streams
from app.admin.scraping import Scraping
from app.admin.state import Access, Editing, Live, Messages, State
from app.domain.errors import NotReadyError
from app.domain.quotas import WorkflowQuotas
from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.execution.preparation import DryRunPreparer
from app.execution.routing import Router
from app.metrics.roles import registry_of
from app.ports import Cipher, HttpClient
from app.ports.event_topics import EventTopics
from app.ports.kafka import PingableSender
from app.ports.queue_status import DepthSource
from app.ports.reach import ReachJudge
from app.processes.crm_choice import reads_of
from app.processes.role_names import action_types_by_role
from app.processes.sign_in_services import sign_in_of
from app.services.access.api_keys import ApiKeyService
from app.services.access.audit import AuditService
from app.services.access.cpu_budget import SECONDS_A_MINUTE, CpuBudget
from app.services.access.key_lookup import KeyLookup
from app.services.access.owner_rights import CallerNotes
from app.services.access.rate_limit import RateLimiter
from app.services.access.secrets import SecretService
from app.services.ingest.emitter import EventEmitter
from app.services.messages.channels import ChannelService
from app.services.messages.inbox import NotificationService
from app.services.messages.message_text import TemplateTexts
from app.services.messages.templates import MessageTemplateService
from app.services.operations.background import PROCESS, Failures
from app.services.operations.bulk import BulkService
from app.services.operations.cancelling import Cancelling
from app.services.operations.dead_letter_box import DeadLetterBox
from app.services.operations.dry_run import DryRunner
from app.services.operations.event_finding import EventFinder
from app.services.operations.event_verdicts import EventVerdicts
from app.services.operations.executions import ExecutionService, WaitingService
from app.services.operations.following import Following
from app.services.operations.health import Health
from app.services.operations.publish_preview import PreviewService
from app.services.operations.queue_status import Queue, lanes_of
from app.services.operations.retries import Retries
from app.services.workflows.comparing import ComparingService
from app.services.workflows.drafting import DraftService
from app.services.workflows.drafts import DraftReader
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.manual_runs import ManualRuns
from app.services.workflows.template_lists import TemplateLists
from app.services.workflows.templates import TemplateService
from app.services.workflows.writer import WorkflowWriter
from app.settings import Settings
from app.topics import Topics, declare

MAX_RELAY_LAG_S: Final = 30.0
_TYPES: Final = frozenset(REGISTRY.names())


def assemble(
    settings: Settings,
    database: ApiDatabase,
    sender: PingableSender,
    depths: DepthSource,
    *,
    clock: Callable[[], float] = time.monotonic,
    http: HttpClient | None = None,
    failures: Failures = PROCESS,
    event_topics: EventTopics | None = None,
    resolve: Resolve = system_resolve,
) -> State:
    """Return the API's services; ``clock`` is monotonic. Raises ``SettingsError`` where there is no JWT secret."""
    topics, reader = Topics(settings.topic_prefix), DraftReader(REGISTRY.names(), validate_config)
    workflows, lists = _workflows(settings, database, reader), TemplateLists(clock)
    return State(
        access=_access(settings, database, clock),
        bodies=Bodies(BodyLimits()),
        workflows=workflows,
        editing=_editing(settings, database, reader, BulkService(workflows, _cancelling(database, workflows, topics))),
        templates=TemplateService(PostgresTemplates(database), reader, workflows, lists),
        template_lists=lists,
        executions=_executions(settings, database),
        waiting=WaitingService(PostgresWaiting(database)),
        cancelling=_cancelling(database, workflows, topics),
        retries=Retries(PostgresRetries(database), topics, _TYPES),
        emitter=EventEmitter(sender, topics),
        events=_events(settings, database, event_topics),
        manual_runs=ManualRuns(workflows, sender, topics),
        dry_runs=_dry_runner(settings, database, http, GuardJudge(settings, resolve)),
        messages=_messages(database, _cipher(settings), bounds_of(settings)),
        dead_letters=DeadLetterBox(PostgresDeadLetterBox(database), _declared(settings)),
        queue=Queue(lanes_of(topics, action_types_by_role()), depths, PostgresQueueStatus(database), clock),
        live=_live(settings, database),
        secrets=SecretService(PostgresSecretStore(database), _cipher(settings)),
        systems=PostgresSystems(database.driver, topics),
        topics=topics,
        health=_health(database, sender, failures),
        metrics=registry_of("admin"),
    )


def _workflows(settings: Settings, database: ApiDatabase, reader: DraftReader) -> WorkflowService:
    return WorkflowService(PostgresWorkflows(database), reader, quotas=quotas_of(settings))


def _executions(settings: Settings, database: ApiDatabase) -> ExecutionService:
    return ExecutionService(PostgresExecutions(database, timedelta(settings.log_retention_days)))


def _live(settings: Settings, database: ApiDatabase) -> Live:
    streams = Streams(settings.admin_streams, settings.admin_streams_per_caller)
    return Live(streams, Following(PostgresFeed(database)))


def quotas_of(settings: Settings) -> WorkflowQuotas:
    """Return how many workflows a user may have."""
    return WorkflowQuotas(settings.workflows_per_user, settings.active_per_trigger)


def _cancelling(database: ApiDatabase, workflows: WorkflowService, topics: Topics) -> Cancelling:
    return Cancelling(PostgresCancelling(database), workflows, Router(topics, _TYPES).cancelled)


def _editing(settings: Settings, database: ApiDatabase, reader: DraftReader, bulk: BulkService) -> Editing:
    store = PostgresWorkflows(database)
    drafts = DraftService(store, reader, WorkflowWriter(quotas=quotas_of(settings)))
    previews = PreviewService(store, drafts, reader, PostgresPreviews(database))
    return Editing(drafts=drafts, comparing=ComparingService(store), previews=previews, bulk=bulk)


def _access(settings: Settings, database: ApiDatabase, clock: Callable[[], float]) -> Access:
    keys, sign_in = PostgresApiKeys(database), sign_in_of(settings, database, clock)
    failures = RateLimiter(settings.failed_tokens_per_minute, clock, what="tokens that do not hold")
    identity = Identity(
        Authenticator(settings, api_keys=KeyLookup(keys, clock)), failures, settings, sign_in.sessions, sign_in.disabled
    )
    return Access(
        identity=identity,
        sign_in=sign_in,
        notes=CallerNotes(PostgresCallers(database.driver, patient=False), clock),
        limiter=RateLimiter(settings.rate_limit_per_minute, clock),
        event_requests=RateLimiter(settings.event_requests_per_minute, clock, what="requests with events"),
        page_reads=RateLimiter(settings.page_reads_per_minute, clock, what="reads of pages"),
        cpu=CpuBudget(SECONDS_A_MINUTE, clock),
        events=RateLimiter(settings.events_per_minute, clock, what="events"),
        api_keys=ApiKeyService(keys),
        audit=AuditService(PostgresAuditTrail(database)),
        scraping=Scraping(settings, identity),
    )


def _events(settings: Settings, database: ApiDatabase, event_topics: EventTopics | None) -> EventFinder:
    topics = Topics(settings.topic_prefix)
    verdicts = EventVerdicts(PostgresTraces(database), settings.event_max_age_s, _now)
    log = event_topics or KafkaEventTopics(settings.kafka_connection, topics)
    return EventFinder(topics, log, verdicts, _now)


def _now() -> datetime:
    return datetime.now(UTC)


def _cipher(settings: Settings) -> Cipher:
    return FernetCipher(settings.secrets_key.get_secret_value())


def _messages(database: ApiDatabase, cipher: Cipher, bounds: MayReach) -> Messages:
    return Messages(
        templates=MessageTemplateService(PostgresMessageTemplates(database)),
        channels=ChannelService(PostgresChannels(database), cipher, AppriseUrls(bounds)),
        inboxes=NotificationService(PostgresNotifications(database)),
        template_texts=TemplateTexts(PostgresTexts(database.driver, patient=False)),
    )


def _declared(settings: Settings) -> frozenset[str]:
    return frozenset(spec.name for spec in declare(settings, REGISTRY.names()))


def _dry_runner(settings: Settings, database: ApiDatabase, http: HttpClient | None, judge: ReachJudge) -> DryRunner:
    preparers = {
        action.name: DryRunPreparer(action, timeout=settings.action_timeout, clock=_now) for action in REGISTRY
    }
    crm = partial(PostgresCrm, topics=Topics(settings.topic_prefix))
    reads = reads_of(settings, http, PostgresReads(database.driver, crm, patient=False))
    return DryRunner(
        preparers,
        Current(reads, RetryPolicy(max_retries=0), timeout=settings.action_timeout),
        PostgresSecretGrants(database.driver),
        PostgresChannelGrants(database.driver),
        judge,
    )


def _health(database: ApiDatabase, sender: PingableSender, failures: Failures) -> Health:
    async def kafka() -> str:
        await sender.ping()
        return "answers"

    async def postgres() -> str:
        await database.ping()
        return "answers"

    async def relay() -> str:
        age = await database.outbox_age()
        if age > MAX_RELAY_LAG_S:
            raise NotReadyError(f"the outbox's oldest record has waited {age:.0f} s for the relay")
        return f"{age:.1f} s behind"

    health = Health(failures)
    for name, probe in {"kafka": kafka, "postgres": postgres, "relay": relay}.items():
        health.watch(name, probe)
    return health
