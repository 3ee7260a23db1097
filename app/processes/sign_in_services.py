"""Puts together what signs people in, over a database."""

from collections.abc import Callable
from datetime import timedelta

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.audit import PostgresAuditNotes
from app.adapters.postgres.credentials import PostgresCredentials
from app.adapters.postgres.identities import PostgresIdentities
from app.adapters.postgres.sessions import PostgresSessionList, PostgresSessions
from app.adapters.postgres.users import PostgresUsers
from app.adapters.secrets.argon import Argon2Passwords
from app.admin.cookies import Cookies
from app.admin.openid import OpenIdIssuer
from app.admin.state import OpenId, SignIn
from app.processes.clocks import Clocks
from app.services.access.attempts import Attempts
from app.services.access.openid import OpenIdUsers
from app.services.access.rate_limit import RateLimiter
from app.services.access.session_list import SessionListService
from app.services.access.sessions import Sessions
from app.services.access.sign_in import ADDRESS_SHARE, SignInService
from app.services.access.standings import StandingLookup
from app.services.access.users import UserService
from app.settings import Settings


def sign_in_of(settings: Settings, database: ApiDatabase, clocks: Clocks) -> SignIn:
    """Return what signs people in."""
    clock = clocks.monotonic
    sessions, credentials = sessions_of(settings, database, clocks), PostgresCredentials(database)
    passwords, each = Argon2Passwords(), settings.sign_ins_per_minute
    accounts = RateLimiter(each, clock, what="attempts to sign in to an account")
    addresses = RateLimiter(ADDRESS_SHARE * each, clock, what="attempts to sign in from an address")
    attempts = Attempts(accounts, addresses, PostgresAuditNotes(database), clock)
    return SignIn(
        by=SignInService(credentials, passwords, sessions, attempts),
        users=UserService(PostgresUsers(database), credentials, passwords, clocks.now),
        sessions=sessions,
        listed=SessionListService(PostgresSessionList(database)),
        cookie=Cookies(settings),
        lives_s=settings.session_lifetime_s,
        standings=StandingLookup(credentials, clock),
        openid=_openid(settings, database, clock) if settings.oidc_issuer else None,
    )


def _openid(settings: Settings, database: ApiDatabase, clock: Callable[[], float]) -> OpenId:
    store, create = PostgresIdentities(database), settings.oidc_create_users
    users = OpenIdUsers(store, settings.oidc_role_claim, settings.oidc_admin_values, create=create)
    return OpenId(OpenIdIssuer(settings, clock), users, Cookies(settings, "headrace_oidc"))


def sessions_of(settings: Settings, database: ApiDatabase, clocks: Clocks) -> Sessions:
    """Return what opens and finds sessions."""
    idle, lives = timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_lifetime_s)
    return Sessions(PostgresSessions(database), idle, lives, clocks.monotonic, clocks.now)
