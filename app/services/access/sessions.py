"""Sessions: opened at sign-in, looked up at each request, ended.

What was read of a session counts for two seconds, so that a page's requests cost no query each; one that was ended,
or whose user was disabled or given another role, is noticed within those, in every process.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from app.domain.errors import UnreachableError
from app.domain.sessions import MAX_ADDRESS, MAX_AGENT, How, new_session_token, token_digest
from app.domain.storable import marked
from app.ports.sessions import Session, SessionStore, SignedIn
from app.services.access.recent import Recent

FRESH_S: Final = 2.0
# Of one user: more are of scripts that sign in each time, and their oldest end.
MAX_SESSIONS: Final = 50
_NOTED_EVERY: Final = timedelta(minutes=1)


class Sessions:
    """Opens, finds and ends them.

    Args:
        store: Where they are kept.
        idle: How long one holds without being used.
        lives: How long one holds, however much it is used.
        clock: Seconds, monotonic.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: SessionStore,
        idle: timedelta,
        lives: timedelta,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._idle = idle
        self._lives = lives
        self._now = now
        self._recent: Recent[bytes, SignedIn | None] = Recent(self._read, FRESH_S, clock)
        self._noted: dict[UUID, datetime] = {}

    async def open(self, user_id: UUID, how: How, address: str = "", agent: str = "") -> tuple[Session, str]:
        """Open one for a user who has proved who they are, and return its token beside what is kept of it.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        token, now = new_session_token(), self._now()
        digest = token_digest(token)
        assert digest is not None
        said = (marked(address)[:MAX_ADDRESS], marked(agent)[:MAX_AGENT])
        session = Session(uuid4(), user_id, how, *said, now, now, now + self._lives)
        await self._store.open(session, digest, MAX_SESSIONS)
        return session, token

    async def found(self, token: str) -> SignedIn | None:
        """Return the session of a token; None where there is none, or it has ended.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        digest = token_digest(token)
        if digest is None:
            return None
        found = (await self._recent.get([digest]))[digest]
        if found is None or not self._holds(found.session):
            return None
        await self._note(found.session)
        return found

    async def end(self, token: str, signed_in: SignedIn) -> None:
        """End one: in this process at once, in the others within two seconds.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        await self._store.end(signed_in.caller, signed_in.session.id)
        digest = token_digest(token)
        if digest is not None:
            self._recent.forget(digest)

    def _holds(self, session: Session) -> bool:
        now, seen = self._now(), self._noted.get(session.id, session.seen_at)
        return now < session.expires_at and now - max(seen, session.seen_at) < self._idle

    async def _read(self, digests: Sequence[bytes]) -> Mapping[bytes, SignedIn | None]:
        found = await self._store.find(digests)
        return {digest: found.get(digest) for digest in digests}

    async def _note(self, session: Session) -> None:
        now = self._now()
        if now - max(self._noted.get(session.id, session.seen_at), session.seen_at) < _NOTED_EVERY:
            return
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()  # the worst of it is a note more each
        self._noted[session.id] = now  # first, so that requests at the same time do not note it too
        with suppress(UnreachableError):  # it does hold
            await self._store.note_seen(session.id)


_MOST_NOTED: Final = 10_000
