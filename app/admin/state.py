"""What the handlers work with, put together once by ``app.processes.admin`` (or by a test)."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from app.admin.bodies import Bodies
from app.admin.cookies import Cookies
from app.admin.demo.data import DemoData
from app.admin.identity import Identity
from app.admin.open_streams import Streams
from app.admin.openid import OpenIdIssuer
from app.admin.scraping import Scraping
from app.ports import CrmReads
from app.ports.audit import AuditNotes
from app.ports.sent_messages import SentMessages
from app.ports.systems import Systems
from app.services.access.api_keys import ApiKeyService
from app.services.access.audit import AuditService
from app.services.access.cpu_budget import CpuBudget
from app.services.access.openid import OpenIdUsers
from app.services.access.owner_rights import CallerNotes
from app.services.access.rate_limit import RateLimiter
from app.services.access.secrets import SecretService
from app.services.access.session_list import SessionListService
from app.services.access.sessions import Sessions
from app.services.access.sign_in import SignInService
from app.services.access.standings import StandingLookup
from app.services.access.users import UserService
from app.services.ingest.emitter import EventEmitter
from app.services.messages.channel_tests import ChannelTests
from app.services.messages.channels import ChannelService
from app.services.messages.inbox import NotificationService
from app.services.messages.message_text import TemplateTexts
from app.services.messages.previewing import MessagePreviews
from app.services.messages.templates import MessageTemplateService
from app.services.operations.bulk import BulkService
from app.services.operations.cancelling import Cancelling
from app.services.operations.dead_letter_box import DeadLetterBox
from app.services.operations.dry_run import DryRunner
from app.services.operations.event_finding import EventFinder
from app.services.operations.event_types import EventTypes
from app.services.operations.executions import ExecutionService, WaitingService
from app.services.operations.following import Following
from app.services.operations.health import Health
from app.services.operations.overview import Overview
from app.services.operations.publish_preview import PreviewService
from app.services.operations.queue_status import Queue
from app.services.operations.queue_watch import QueueWatch
from app.services.operations.recent_runs import RecentRunsService
from app.services.operations.retries import Retries
from app.services.workflows.comparing import ComparingService
from app.services.workflows.drafting import DraftService
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.manual_runs import ManualRuns
from app.services.workflows.template_lists import TemplateLists
from app.services.workflows.templates import TemplateService
from app.topics import Topics


@dataclass(frozen=True, slots=True)
class Messages:
    """The services around messages.

    Attributes:
        previews: Shows what templates come to.
        channel_tests: Sends tests through channels.
        template_texts: Gives a workflow's actions the texts of message templates.
    """

    templates: MessageTemplateService
    previews: MessagePreviews
    channels: ChannelService
    channel_tests: ChannelTests
    inboxes: NotificationService
    template_texts: TemplateTexts


@dataclass(frozen=True, slots=True)
class OpenId:
    """What signs people in at an issuer, with the cookie of an attempt."""

    issuer: OpenIdIssuer
    users: OpenIdUsers
    cookie: Cookies


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signs people in and out, and keeps their sessions.

    Attributes:
        by: Proves who somebody is.
        sessions: Opens and ends them.
        listed: Shows them.
        cookie: What a browser has of one, for ``lives_s`` seconds.
        openid: Signs in at an issuer, if there is one.
        standings: Knows what users may now, which their tokens are held to.
    """

    by: SignInService
    users: UserService
    sessions: Sessions
    listed: SessionListService
    cookie: Cookies
    lives_s: int
    standings: StandingLookup
    openid: OpenId | None


@dataclass(frozen=True, slots=True)
class Editing:
    """The services around changing workflows that may be running, and many at once."""

    drafts: DraftService
    comparing: ComparingService
    previews: PreviewService
    bulk: BulkService


@dataclass(frozen=True, slots=True)
class Runs:
    """The services around executions: those that there were, those that wait, those that begin, and trials of them.

    Attributes:
        executions: Shows the log.
        waiting: Shows what waits,
        cancelling: and ends it.
        retries: Begins the next attempt.
        manual_runs: Begins one by hand.
        dry_runs: Tries one without any effect.
        recent: Says how workflows did of late.
        overview: Says what is wrong now, and how the day went.
    """

    executions: ExecutionService
    waiting: WaitingService
    cancelling: Cancelling
    retries: Retries
    manual_runs: ManualRuns
    dry_runs: DryRunner
    recent: RecentRunsService
    overview: Overview


@dataclass(frozen=True, slots=True)
class Access:
    """Who gets in, and how often.

    Attributes:
        notes: Keeps what users may, for the time when their workflows run without them.
        limiter: Bounds the requests of each caller,
        event_requests: those that bring events,
        page_reads: and those with which a session reads.
        events: Bounds the events that each sends.
        trail: Where what callers take away is noted.
        scraping: Lets those in who read metrics.
        cpu: What each caller's templates and conditions take.
    """

    identity: Identity
    sign_in: SignIn
    notes: CallerNotes
    limiter: RateLimiter
    event_requests: RateLimiter
    page_reads: RateLimiter
    cpu: CpuBudget
    events: RateLimiter
    api_keys: ApiKeyService
    audit: AuditService
    trail: AuditNotes
    scraping: Scraping


@dataclass(frozen=True, slots=True)
class Live:
    """The answers that go on: how many are open, and what tells of executions as they end, and of the queue."""

    streams: Streams
    following: Following
    queue: QueueWatch


@dataclass(frozen=True, slots=True)
class OutsideCrm:
    """The user's own CRM, where the built-in one does not serve: its host, and what can be looked up in it."""

    host: str
    reads: CrmReads


@dataclass(frozen=True, slots=True)
class Outside:
    """What pages look at beyond our own systems.

    Attributes:
        crm: None where the built-in one serves.
        sent: What went out, where stand-ins of the embedded default have taken it.
    """

    crm: OutsideCrm | None
    sent: SentMessages | None


@dataclass(frozen=True, slots=True)
class State:
    """The API's services.

    Attributes:
        outside: What this installation has other systems for, or stand-ins of them.
        bodies: What their bodies may take.
        live: What answers that go on need.
        health: What the process stands on, for ``/readyz``.
        metrics: What ``/metrics`` shows.
    """

    access: Access
    bodies: Bodies
    workflows: WorkflowService
    editing: Editing
    templates: TemplateService
    template_lists: TemplateLists
    runs: Runs
    emitter: EventEmitter
    events: EventFinder
    event_types: EventTypes
    messages: Messages
    dead_letters: DeadLetterBox
    queue: Queue
    live: Live
    systems: Systems
    demo: DemoData
    secrets: SecretService
    topics: Topics
    health: Health
    metrics: CollectorRegistry
    outside: Outside


STATE: Final = web.AppKey("state", State)
