"""Puts together who gets into the API, how often, and what is kept of it."""

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_keys import PostgresApiKeys
from app.adapters.postgres.audit import PostgresAuditNotes, PostgresAuditTrail
from app.adapters.postgres.rights import PostgresCallers
from app.admin.auth import Authenticator
from app.admin.identity import Identity
from app.admin.scraping import Scraping
from app.admin.state import Access
from app.processes.clocks import Clocks
from app.processes.sign_in_services import sign_in_of
from app.services.access.api_keys import ApiKeyService
from app.services.access.audit import AuditService
from app.services.access.cpu_budget import SECONDS_A_MINUTE, CpuBudget
from app.services.access.key_lookup import KeyLookup
from app.services.access.owner_rights import CallerNotes
from app.services.access.rate_limit import RateLimiter
from app.settings import Settings


def access_of(settings: Settings, database: ApiDatabase, clocks: Clocks) -> Access:
    """Return it. Raises ``SettingsError`` where there is no JWT secret."""
    clock, now = clocks.monotonic, clocks.now
    keys, sign_in = PostgresApiKeys(database), sign_in_of(settings, database, clocks)
    failures = RateLimiter(settings.failed_tokens_per_minute, clock, what="tokens that do not hold")
    identity = Identity(
        Authenticator(settings, api_keys=KeyLookup(keys, clock, now)),
        failures,
        settings,
        sign_in.sessions,
        sign_in.standings,
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
        api_keys=ApiKeyService(keys, now),
        audit=AuditService(PostgresAuditTrail(database)),
        trail=PostgresAuditNotes(database),
        scraping=Scraping(settings, identity),
    )
