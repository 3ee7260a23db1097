"""Puts together what signs people in, over a database."""

from collections.abc import Callable
from datetime import timedelta

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.sessions import PostgresSessionList, PostgresSessions
from app.admin.cookies import Cookies
from app.admin.state import SignIn
from app.services.access.session_list import SessionListService
from app.services.access.sessions import Sessions
from app.settings import Settings


def sign_in_of(settings: Settings, database: ApiDatabase, clock: Callable[[], float]) -> SignIn:
    """Return what signs people in; ``clock`` is monotonic seconds."""
    return SignIn(
        sessions=sessions_of(settings, database, clock),
        listed=SessionListService(PostgresSessionList(database)),
        cookie=Cookies(settings),
    )


def sessions_of(settings: Settings, database: ApiDatabase, clock: Callable[[], float]) -> Sessions:
    """Return what opens and finds sessions."""
    idle, lives = timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_lifetime_s)
    return Sessions(PostgresSessions(database), idle, lives, clock)
