"""The event emitter: the one way in for business events.

It checks an event against the contract, puts it on the topic of its type under the key of its entity, and answers
when Kafka has it for good. The API, the command line and the reference systems all emit through it; services in Python
can also listen with it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import orjson
from pydantic import ValidationError

from app.domain.entities import Entity, entity_of
from app.domain.errors import FieldError, InvalidError, PoisonError
from app.domain.storable import unstorable
from app.ports import Record, Sender, Subscriber
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.listening import Handler, Listening
from app.topics import Topics
from schemas.attributes import fits, unfit
from schemas.base import stored_size
from schemas.event import MAX_EVENT_BYTES, Event
from schemas.field_errors import MAX_ERRORS, field_errors, path_text, under
from schemas.incoming import MAX_ENTITY_BYTES, MAX_NESTING, load_object
from schemas.reading import beside, sound_fields
from schemas.reserved import reserved_attributes, reserved_in

STRUCTURED: Final = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)

AnyEvent = Event | Mapping[str, Any]


class EventEmitter:
    """Emits business events, and calls handlers with them.

    Args:
        sender: Where records go.
        topics: Names of the topics.
        subscriber: What ``listen`` reads with; a caller that only emits needs none.
    """

    def __init__(self, sender: Sender, topics: Topics, subscriber: Subscriber | None = None) -> None:
        self._sender = sender
        self._topics = topics
        self._listening: Listening | None = None
        if subscriber is not None:
            letters = DeadLetters(
                topics=topics,
                sender=sender,
                role="subscriber",
                clock=lambda: datetime.now(UTC),
                reader=subscriber.group,
                to=topics.listener_letters,
            )
            self._listening = Listening(subscriber, topics, letters)

    def on(self, event_type: str, handler: Handler) -> None:
        """Call ``handler`` with each event of a type, at least once, while ``listen`` runs.

        One that raises is called again after 1, 2 and 4 seconds; then the event goes to the dead letters, with the name
        of the error, and the next one is handled.

        Raises:
            InvalidError: There is no such event type.
            TypeError: The emitter was made without a subscriber.
        """
        self._listener().on(event_type, handler)

    def off(self, event_type: str, handler: Handler) -> None:
        """Do not call ``handler`` with events of a type any more; without effect where it was not registered.

        Raises:
            TypeError: The emitter was made without a subscriber.
        """
        self._listener().off(event_type, handler)

    async def listen(self) -> None:
        """Call the handlers until cancelled; ``on`` and ``off`` may change them meanwhile.

        Raises:
            TypeError: The emitter was made without a subscriber.
            UnreachableError: Kafka does not answer; what was not finished comes again at the next start.
        """
        await self._listener().listen()

    def _listener(self) -> Listening:
        if self._listening is None:
            raise TypeError("to listen, make the EventEmitter with a subscriber, such as KafkaSubscriber")
        return self._listening

    async def emit(self, event: AnyEvent) -> str:
        """Emit one event; it is durable when this returns its id.

        Sources that begin with ``/headrace/``, types ``temporal.*`` and ``workflowid`` are Headrace's own
        (``schemas.reserved``).

        Raises:
            InvalidError: It breaks the contract, or holds what is reserved; paths as in ``data.customer.id``.
            UnreachableError: Kafka did not confirm it; it may or may not arrive.
        """
        record, event_id = event_record(self._topics, event)
        await self._sender.send(record)
        return event_id

    async def emit_many(self, events: Sequence[AnyEvent]) -> list[str]:
        """Emit events in order, all or (if one is invalid) none; returns their ids.

        Raises:
            InvalidError: Paths as in ``[3].type``, of all that are wrong.
            UnreachableError: Kafka did not confirm them all; some may have arrived.
        """
        records: list[Record] = []
        ids: list[str] = []
        errors: list[FieldError] = []
        for position, event in enumerate(events):
            try:
                record, event_id = event_record(self._topics, event)
            except InvalidError as error:
                errors.extend(under(f"[{position}]", error.errors))
            else:
                records.append(record)
                ids.append(event_id)
        if errors:
            raise InvalidError(errors)
        await self._sender.send_all(records)
        return ids


def event_record(topics: Topics, event: AnyEvent) -> tuple[Record, str]:
    """Return the record of an event of a system outside, and the event's id.

    Raises:
        InvalidError: It breaks the contract, or says of itself what only Headrace's own events may; paths as in
            ``data.customer.id``.
    """
    attributes = _attributes(event)
    try:
        checked = _checked(attributes)
    except InvalidError as error:
        said = sound_fields(attributes, Event)
        raise InvalidError(beside(error.errors, reserved_attributes(said))) from None
    reserved = reserved_in(checked)
    if reserved:
        raise InvalidError(list(reserved))
    topic = topics.events(checked.type)
    return Record(topic, event_key(checked).encode(), _encoded(attributes), STRUCTURED), checked.id


def valid_event(attributes: Mapping[str, Any]) -> Event:
    """Return the event that attributes make.

    Raises:
        InvalidError: They break the contract, in a value or in what one is called.
    """
    try:
        event = Event.model_validate(attributes)
    except ValidationError as error:
        raise InvalidError(beside(field_errors(error, Event), unfit(attributes))) from None
    if not fits(event):
        raise InvalidError(unfit(attributes))
    return event


def own_event_record(topics: Topics, event: Mapping[str, Any]) -> Record:
    """Return the record of an event that Headrace itself makes: for the internal topic, which only our roles write.

    Raises:
        InvalidError: It breaks the contract, as data that a user gave may.
    """
    checked = _checked(event)
    return Record(topics.internal_events, event_key(checked).encode(), _encoded(event), STRUCTURED)


def event_key(event: Event) -> str:
    """The entity an event is about, which is its record key."""
    return _entity(event).name


def _entity(event: Event) -> Entity:
    return entity_of(event.id, event.partitionkey, event.subject, event.data)


def _attributes(event: AnyEvent) -> dict[str, Any]:
    if isinstance(event, Event):
        return event.model_dump(mode="json", exclude_none=True)
    if not isinstance(event, Mapping):
        raise InvalidError([FieldError("", "an event is a JSON object with CloudEvents attributes")])
    return dict(event)


def _checked(attributes: Mapping[str, Any]) -> Event:
    if "data_base64" in attributes:
        raise InvalidError([FieldError("data_base64", "the data must be a JSON object, in data")])
    event = valid_event(attributes)
    path, entity = _entity(event)
    if len(entity.encode("utf-8", "replace")) > MAX_ENTITY_BYTES:
        raise InvalidError([FieldError(path, f"is the record key, which has at most {MAX_ENTITY_BYTES} bytes")])
    return event


def _encoded(attributes: Mapping[str, Any]) -> bytes:
    try:
        value = orjson.dumps(attributes)
        load_object(value)  # as strict as the matcher, which would dead-letter what it refuses
    except TypeError as error:
        # Nested over 254 deep, an integer over 64 bits, a lone surrogate, or a Python object that is no JSON.
        raise InvalidError(
            _unstorable(attributes) or [FieldError("", f"is not JSON that can be passed on: {error}")]
        ) from None
    except PoisonError as error:
        raise InvalidError(_unstorable(attributes) or [FieldError("", error.detail)]) from None
    size = stored_size(value)
    if size > MAX_EVENT_BYTES:
        raise InvalidError([FieldError("", f"has {size} bytes; at most {MAX_EVENT_BYTES} are allowed")])
    return value


def _unstorable(attributes: Mapping[str, Any]) -> list[FieldError]:
    found = islice(unstorable(dict(attributes), MAX_NESTING), MAX_ERRORS)
    return [FieldError(path_text(one.place), one.message) for one in found]
