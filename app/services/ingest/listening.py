"""Handlers of events, for services beside Headrace.

At least once: an event is left behind when every handler of its type has returned. A handler that raises is called
again after 1, 2 and 4 seconds; then the event goes to the dead letters with the error, and the next one is handled.
While a handler is tried again, later events of its partition wait, so that one entity's events stay in order.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from app.domain.errors import FieldError, HeadraceError, InvalidError, PoisonError, UnreachableError
from app.domain.retry import Failure, RetryPolicy, Wait, decide
from app.metrics.listeners import EVENTS
from app.ports import Subscriber
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.admission import REASONS, Admission
from app.topics import Topics
from schemas.event import Event
from schemas.event_types import is_event_type
from schemas.incoming import Incoming, decode_event
from schemas.log_ids import of_event

log = logging.getLogger(__name__)


Handler = Callable[[Event], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

# No limit in time: only the events behind it wait for a handler.
_POLICY: Final = RetryPolicy(budget=float("inf"))
_IDLE_S: Final = 0.2


class Listening:
    """Calls the handlers that were registered.

    Args:
        subscriber: What reads the events.
        topics: Names of the topics.
        letters: Where events go that a handler cannot cope with.
        sleep: Waits some seconds between two tries.
    """

    def __init__(
        self, subscriber: Subscriber, topics: Topics, letters: DeadLetters, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._subscriber = subscriber
        self._topics = topics
        self._admission = Admission(topics)
        self._letters = letters
        self._sleep = sleep
        self._handlers: dict[str, list[Handler]] = {}

    def on(self, event_type: str, handler: Handler) -> None:
        """Call ``handler`` with each event of a type; registered twice, it is called once.

        Raises:
            InvalidError: There is no such event type.
        """
        if not is_event_type(event_type):
            raise InvalidError([FieldError("event_type", f"{event_type!r} is no event type")])
        handlers = self._handlers.setdefault(event_type, [])
        if handler not in handlers:
            handlers.append(handler)

    def off(self, event_type: str, handler: Handler) -> None:
        """Do not call ``handler`` with events of a type any more; without effect where it was not registered."""
        handlers = [other for other in self._handlers.pop(event_type, []) if other != handler]
        if handlers:
            self._handlers[event_type] = handlers

    async def listen(self) -> None:
        """Handle events until cancelled.

        Raises:
            UnreachableError: Kafka does not answer; what was not finished comes again at the next start.
        """
        while True:
            await self._subscriber.follow(self._wanted())
            if not self._handlers:
                await self._sleep(_IDLE_S)
                continue
            records = await self._subscriber.fetch()
            await self._handle_all(records)
            await self._subscriber.done(records)

    def _wanted(self) -> set[str]:
        """Topics of what handlers wait for; events of every type that Headrace itself makes are on one of its own."""
        topics = {self._topics.events(event_type) for event_type in self._handlers}
        return {*topics, self._topics.internal_events} if topics else topics

    def _read(self, record: Incoming) -> Event:
        event = decode_event(record).event
        self._admission.check(event, record.topic)
        return event

    async def _handle_all(self, records: Sequence[Incoming]) -> None:
        """Handle partitions side by side, one partition's records in order."""
        by_place: dict[tuple[str, int], list[Incoming]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        try:
            async with asyncio.TaskGroup() as group:
                for partition in by_place.values():
                    group.create_task(self._handle_in_order(partition))
        except ExceptionGroup as errors:
            # Not `except*`: what is raised in one is wrapped in a group again by Python up to 3.11.2.
            unreachable, others = errors.split(UnreachableError)
            if unreachable is None or others is not None:
                raise
            raise unreachable.exceptions[0] from None

    async def _handle_in_order(self, records: Sequence[Incoming]) -> None:
        for record in records:
            try:
                event = self._read(record)
            except PoisonError as error:  # the matcher reads it too, and has it in the dead letters
                EVENTS.labels(error.reason if error.reason in REASONS else "unreadable").inc()
                continue
            handlers = tuple(self._handlers.get(event.type, ()))
            if not handlers:
                EVENTS.labels("no_handler").inc()
            for handler in handlers:
                EVENTS.labels(await self._handle(record, event, handler)).inc()

    async def _handle(self, record: Incoming, event: Event, handler: Handler) -> str:
        """Call a handler until it returns or has to be given up; says what became of it."""
        attempts = 0
        while handler in self._handlers.get(event.type, ()):
            error = await _error_of(handler, event)
            if error is None:
                return "handled"
            attempts += 1
            said = {"event_type": event.type, "attempt": attempts, **of_event(record, event.id, event.source)}
            log.error("a handler failed on an event", exc_info=error, extra=said)
            permanent = isinstance(error, InvalidError)
            decision = decide(_POLICY, Failure(attempts, 0.0, permanent), attempt_timeout=0.0)
            if not isinstance(decision, Wait):
                await self._give_up(record, error, handler)
                return "dead_letter"
            await self._sleep(decision.seconds)
        return "handler_gone"

    async def _give_up(self, record: Incoming, error: BaseException, handler: Handler) -> None:
        # Errors of other people's code may quote anything, secrets too; ours do not.
        said = f"{type(error).__name__}: {error}" if isinstance(error, HeadraceError) else type(error).__name__
        await self._letters.send(record, PoisonError("handler_failed", said), part=_name(handler))


def _name(handler: Handler) -> str:
    return str(getattr(handler, "__qualname__", type(handler).__qualname__))


async def _error_of(handler: Handler, event: Event) -> BaseException | None:
    """Call a handler; returns what it raised."""
    try:
        await handler(event)
    except asyncio.CancelledError as error:
        # Of something that the handler waited for, unless we are to end ourselves. A task group takes a cancelled task
        # for a finished one: the event would be left behind unhandled.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return error
    except Exception as error:  # noqa: BLE001 - the caller logs it
        return error
    return None
