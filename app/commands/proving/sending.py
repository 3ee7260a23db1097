"""Sends the load at its rate: what the API does not take is sent again until it does."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from app.commands.api_client import ApiClient, ApiRefusedError, ApiUnreachableError, path_of
from app.commands.exit_codes import ExitCode
from app.commands.proving.journal import Journal
from app.domain.errors import SetupError
from app.services.proving.ledger import Sending
from app.services.proving.load import Load

_TICK_S: Final = 0.1
_MOST_AT_ONCE: Final = 500
_AGAIN_S: Final = 0.5
_GIVES_UP_S: Final = 120.0
_BATCH: Final = "application/cloudevents-batch+json"


class ApiAwayError(SetupError):
    """The API took no event for two minutes."""

    exit_code = ExitCode.AWAY


class LoadSender:
    """Sends one run's events, in order.

    Args:
        api: Asked again here, so it need not wait itself.
        load: What is sent.
        journal: Where it is written down.
    """

    def __init__(self, api: ApiClient, load: Load, journal: Journal) -> None:
        self._api = api
        self._load = load
        self._journal = journal

    async def flow(self, seconds: float, rate: float, show: Callable[[float], None]) -> None:
        """Send ``rate`` events a second; what was late is caught up, so that the mean holds."""
        began, sent, count = time.monotonic(), 0, round(seconds * rate)
        while sent < count:
            due = min(count, 1 + int((time.monotonic() - began) * rate))
            batch = range(sent, min(due, sent + _MOST_AT_ONCE))
            if batch:
                at = time.time()
                await self.taken(batch)
                self._journal.note(Sending(batch.start, len(batch), at))
                sent = batch.stop
            show(time.monotonic() - began)
            await asyncio.sleep(_TICK_S)

    async def taken(self, numbers: range) -> None:
        """Send events until the API takes them: sent twice, an event is the same event.

        Raises:
            ApiAwayError: It did not for two minutes.
            ApiRefusedError: It does not let us.
        """
        now, give_up = datetime.now(UTC), time.monotonic() + _GIVES_UP_S
        events = [self._load.event(number, now) for number in numbers]
        while True:
            try:
                await asyncio.to_thread(self._send, events)
            except (ApiUnreachableError, ApiRefusedError) as error:
                if error.exit_code != ExitCode.AWAY:
                    raise
                if time.monotonic() > give_up:
                    raise ApiAwayError(f"the API took no event for {_GIVES_UP_S:.0f} s: {error}") from None
            else:
                return
            await asyncio.sleep(_AGAIN_S)

    def _send(self, events: list[dict[str, Any]]) -> None:
        self._api.call("POST", path_of("events"), events, content_type=_BATCH)
