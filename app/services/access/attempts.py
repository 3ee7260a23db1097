"""Attempts to sign in: bounded by account and by address, and those that fail told to the audit trail.

What is judged is bounded by the limits, and so is what is written of it, one by one. What is refused for an address'
limit is not: of it there is a line an hour, written at most once a minute, however many come. A name that is tried is
told only where it is an e-mail address: people type their passwords into any field.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.mailboxes import parse_mailbox
from app.domain.storable import is_storable
from app.ports.audit import AuditNotes, FailedSignIn, Why
from app.services.access.rate_limit import RateLimitedError, RateLimiter

HELD_S: Final = 60.0
MOST_ADDRESSES: Final = 10_000
_MOST_EMAIL: Final = 254


@dataclass(slots=True)
class _Held:
    since: float
    attempts: int = 0


class Attempts:
    """Counts them; every method raises UnreachableError where the trail is not told, without Postgres.

    Args:
        accounts: Bounds the attempts at one account.
        addresses: Bounds those of one address.
        trail: The audit trail.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, accounts: RateLimiter, addresses: RateLimiter, trail: AuditNotes, clock: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._addresses = addresses
        self._trail = trail
        self._clock = clock
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def of_address(self, address: str) -> None:
        """Count one of an address.

        Raises:
            RateLimitedError: There were too many.
        """
        try:
            self._addresses.take(address)
        except RateLimitedError:
            await self._hold(address)
            raise

    async def at_account(self, email: str, address: str) -> None:
        """Count one at an account, whether there is such a one or not.

        Raises:
            RateLimitedError: There were too many.
        """
        try:
            self._accounts.take(email.casefold())
        except RateLimitedError:
            await self.failed(email, address, "too_many")
            raise

    async def failed(self, email: str, address: str, why: Why) -> None:
        """Tell of one that failed; without an e-mail: at nobody can tell which account."""
        await self._trail.note_failed(FailedSignIn(_account(email), address, why))

    async def _hold(self, address: str) -> None:
        now, held = self._clock(), self._held.get(address)
        if held is not None and now - held.since < HELD_S:
            held.attempts += 1
            return
        attempts = 1 if held is None else held.attempts + 1
        self._held[address] = _Held(now)  # first, so that others of this moment are counted and not written
        self._held.move_to_end(address)
        if len(self._held) > MOST_ADDRESSES:
            self._held.popitem(last=False)
        await self._trail.note_failed(FailedSignIn("", address, "too_many", attempts))


def _account(email: str) -> str:
    mailbox = parse_mailbox(email) if is_storable(email) and len(email) <= _MOST_EMAIL else None
    return email.lower() if mailbox is not None and mailbox[1] == email else ""
