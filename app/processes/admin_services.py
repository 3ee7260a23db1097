"""Puts the API's services together over a database and a sender, and says what makes it ready."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.adapters.http.address_guard import MayReach, bounds_of
from app.adapters.http.crm import HttpReads
from app.adapters.http.names import Resolve, system_resolve
from app.adapters.http.reach import GuardJudge
from app.adapters.http.stand_ins import StandIns, StandInUrls
from app.adapters.kafka.event_topics import KafkaEventTopics
from app.adapters.messages.notifier import AppriseUrls
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.channels import PostgresChannels
from app.adapters.postgres.dead_letter_box import PostgresDeadLetterBox
from app.adapters.postgres.demo_data import PostgresDemoData
from app.adapters.postgres.event_verdicts import PostgresTraces
from app.adapters.postgres.following import PostgresFeed
from app.adapters.postgres.message_templates import PostgresMessageTemplates
from app.adapters.postgres.message_texts import PostgresTexts
from app.adapters.postgres.notifications import PostgresNotifications
from app.adapters.postgres.previews import PostgresPreviews
from app.adapters.postgres.queue_status import PostgresQueueStatus
from app.adapters.postgres.secrets import PostgresSecretStore
from app.adapters.postgres.systems import PostgresSystems
from app.adapters.postgres.templates import PostgresTemplates
from app.adapters.postgres.workflows import PostgresWorkflows
from app.adapters.secrets.cipher import FernetCipher
from app.admin.bodies import Bodies
from app.admin.demo.data import DemoData
from app.admin.limits import BodyLimits
from app.admin.open_streams import Streams
from app.admin.state import Editing, Live, Messages, Outside, OutsideCrm, Runs, State
from app.domain.errors import NotReadyError
from app.domain.quotas import WorkflowQuotas
from app.metrics.roles import registry_of
from app.ports import Cipher, HttpClient
from app.ports.event_topics import EventTopics
from app.ports.kafka import PingableSender
from app.ports.queue_status import DepthSource
from app.processes.access_services import access_of
from app.processes.clocks import Clocks
from app.processes.crm_choice import crm_server, host_of
from app.processes.role_names import action_types_by_role
from app.processes.run_services import DryRunNeeds, runs_of
from app.services.access.secrets import SecretService
from app.services.ingest.emitter import EventEmitter
from app.services.messages.channel_tests import ChannelTests
from app.services.messages.channels import ChannelService
from app.services.messages.inbox import NotificationService
from app.services.messages.message_text import TemplateTexts
from app.services.messages.previewing import MessagePreviews
from app.services.messages.templates import MessageTemplateService
from app.services.operations.background import PROCESS, Failures
from app.services.operations.bulk import BulkService
from app.services.operations.cancelling import Cancelling
from app.services.operations.dead_letter_box import DeadLetterBox
from app.services.operations.event_finding import EventFinder
from app.services.operations.event_types import EventTypes
from app.services.operations.event_verdicts import EventVerdicts
from app.services.operations.following import Following
from app.services.operations.health import Health
from app.services.operations.publish_preview import PreviewService
from app.services.operations.queue_status import Queue, lanes_of
from app.services.operations.queue_watch import QueueWatch
from app.services.workflows.comparing import ComparingService
from app.services.workflows.drafting import DraftService
from app.services.workflows.drafts import DraftReader
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.template_lists import TemplateLists
from app.services.workflows.templates import TemplateService
from app.services.workflows.writer import WorkflowWriter
from app.settings import Settings
from app.topics import Topics, declare

MAX_RELAY_LAG_S: Final = 30.0
_TYPES: Final = frozenset(REGISTRY.names())
_REAL: Final = Clocks()


def assemble(
    settings: Settings,
    database: ApiDatabase,
    sender: PingableSender,
    depths: DepthSource,
    *,
    clocks: Clocks = _REAL,
    http: HttpClient | None = None,
    failures: Failures = PROCESS,
    event_topics: EventTopics | None = None,
    resolve: Resolve = system_resolve,
) -> State:
    """Return the API's services. Raises ``SettingsError`` where there is no JWT secret."""
    topics, reader = Topics(settings.topic_prefix), DraftReader(REGISTRY.names(), validate_config)
    workflows, lists = _workflows(settings, database, reader, clocks.now), TemplateLists(clocks.monotonic)
    log, judge = event_topics or KafkaEventTopics(settings.kafka_connection, topics), GuardJudge(settings, resolve)
    runs = runs_of(settings, database, sender, workflows, DryRunNeeds(http, judge), clocks=clocks)
    return State(
        access=access_of(settings, database, clocks),
        bodies=Bodies(BodyLimits()),
        workflows=workflows,
        editing=_editing(settings, database, reader, BulkService(workflows, runs.cancelling)),
        templates=TemplateService(PostgresTemplates(database), reader, workflows, lists),
        template_lists=lists,
        runs=runs,
        emitter=EventEmitter(sender, topics),
        events=_events(settings, database, log, clocks.now),
        event_types=EventTypes(topics, log, clocks.now, clocks.monotonic),
        messages=_messages(database, _cipher(settings), bounds_of(settings), workflows, runs),
        dead_letters=DeadLetterBox(PostgresDeadLetterBox(database), _declared(settings), clocks.now),
        queue=(queue := _queue(topics, depths, database, clocks.monotonic)),
        live=_live(settings, database, queue, clocks.now),
        secrets=SecretService(PostgresSecretStore(database), _cipher(settings)),
        systems=PostgresSystems(database.driver, topics),
        demo=_demo(database, topics, workflows, runs.cancelling),
        topics=topics,
        health=_health(database, sender, failures),
        metrics=registry_of("admin"),
        outside=_outside(settings, http),
    )


def _workflows(
    settings: Settings, database: ApiDatabase, reader: DraftReader, now: Callable[[], datetime]
) -> WorkflowService:
    return WorkflowService(PostgresWorkflows(database), reader, now, quotas=quotas_of(settings))


def _demo(database: ApiDatabase, topics: Topics, workflows: WorkflowService, cancelling: Cancelling) -> DemoData:
    systems, comparing = PostgresSystems(database.driver, topics), ComparingService(PostgresWorkflows(database))
    return DemoData(PostgresDemoData(database), systems, workflows, comparing, cancelling)


def _queue(topics: Topics, depths: DepthSource, database: ApiDatabase, clock: Callable[[], float]) -> Queue:
    return Queue(lanes_of(topics, action_types_by_role()), depths, PostgresQueueStatus(database), clock)


def _live(settings: Settings, database: ApiDatabase, queue: Queue, now: Callable[[], datetime]) -> Live:
    streams = Streams(settings.admin_streams, settings.admin_streams_per_caller)
    following = Following(PostgresFeed(database), now=lambda: now().timestamp())
    return Live(streams, following, QueueWatch(queue))


def quotas_of(settings: Settings) -> WorkflowQuotas:
    """Return how many workflows a user may have."""
    return WorkflowQuotas(settings.workflows_per_user, settings.active_per_trigger)


def _editing(settings: Settings, database: ApiDatabase, reader: DraftReader, bulk: BulkService) -> Editing:
    store = PostgresWorkflows(database)
    drafts = DraftService(store, reader, WorkflowWriter(quotas=quotas_of(settings)))
    previews = PreviewService(store, drafts, reader, PostgresPreviews(database))
    return Editing(drafts=drafts, comparing=ComparingService(store), previews=previews, bulk=bulk)


def _events(settings: Settings, database: ApiDatabase, log: EventTopics, now: Callable[[], datetime]) -> EventFinder:
    topics = Topics(settings.topic_prefix)
    verdicts = EventVerdicts(PostgresTraces(database), settings.event_max_age_s, now)
    return EventFinder(topics, log, verdicts, now)


def _outside(settings: Settings, http: HttpClient | None) -> Outside:
    server = crm_server(settings)
    if http is None:
        return Outside(None, None)
    crm = OutsideCrm(host_of(server), HttpReads(http, server)) if server else None
    return Outside(crm, _sent(settings, http))


def _sent(settings: Settings, http: HttpClient) -> StandIns | None:
    """Return what knows what went out; None where it goes to real receivers."""
    if not settings.stand_in_mail_url:
        return None
    found = StandInUrls(settings.stand_in_mail_url, settings.stand_in_messages_url, settings.stand_in_webhooks_url)
    return StandIns(http, found)


def _cipher(settings: Settings) -> Cipher:
    return FernetCipher(settings.secrets_key.get_secret_value())


def _messages(
    database: ApiDatabase, cipher: Cipher, bounds: MayReach, workflows: WorkflowService, runs: Runs
) -> Messages:
    return Messages(
        templates=MessageTemplateService(PostgresMessageTemplates(database)),
        previews=MessagePreviews(runs.dry_runs),
        channels=ChannelService(PostgresChannels(database), cipher, AppriseUrls(bounds)),
        channel_tests=ChannelTests(workflows, runs.manual_runs),
        inboxes=NotificationService(PostgresNotifications(database)),
        template_texts=TemplateTexts(PostgresTexts(database.driver, patient=False)),
    )


def _declared(settings: Settings) -> frozenset[str]:
    return frozenset(spec.name for spec in declare(settings, REGISTRY.names()))


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
