"""Incremental fetch sessions (KIP-227), which aiokafka lacks: a fetch names only what changed since the last one.

An executor reads dozens of partitions, most of them empty, and aiokafka names each in every fetch and reads each in
every answer: half of what a fetch of a few records costs us. In a session the broker keeps the list.

Fetches have a connection of their own, because a broker answers one request of a connection after the other: what is
asked beside them does not wait until a fetch that finds nothing has been held to its end, and one that nobody wants any
more can be ended with its connection.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiokafka.protocol.fetch import FetchRequest

from app.adapters.kafka import aiokafka_private

_MAX_EPOCH: Final = 2**31 - 1
_FIRST_SESSION_VERSION: Final = 7
_OF_FETCHES: Final = 2  # a group of connections beside aiokafka's two

_Partitions = dict[tuple[str, int], tuple[int, int]]


class SessionClient:
    """aiokafka's client as the fetcher uses it, with its fetches in sessions, one a node.

    Args:
        client: ``AIOKafkaClient``; all that is no fetch goes straight to it.
        hold_ms: Given how long aiokafka would have a fetch held that finds nothing, returns how long it is to be.
    """

    def __init__(self, client: Any, hold_ms: Callable[[int], int] = int) -> None:
        self._client = client
        self._hold_ms = hold_ms
        self._sessions: dict[Any, _Session] = {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is the client's."""
        return getattr(self._client, name)

    async def send(self, node: Any, request: Any, **options: Any) -> Any:
        """Send a request; a fetch's answer may leave out partitions that have nothing new."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node, request, **options)
        session = self._sessions.setdefault(node, _Session())
        response = await self._in_session(session, node, request, options)
        if not session.took(response):  # the broker forgot the session, as it may: a new one
            response = await self._in_session(session, node, request, options)
            session.took(response)
        return response

    async def _in_session(self, session: "_Session", node: Any, request: Any, options: dict[str, Any]) -> Any:
        fetch = session.ask(request)
        fetch.hold(self._hold_ms)
        try:
            return await self._client.send(node, fetch, group=_OF_FETCHES, **options)
        except BaseException as error:  # whether the broker has counted this fetch is not known
            session.reset()
            if isinstance(error, asyncio.CancelledError) and fetch.held_long:
                aiokafka_private.hang_up(self._client, node, _OF_FETCHES)
            raise


class _Session:
    """What the broker knows of this consumer's fetches."""

    def __init__(self) -> None:
        self._id = 0
        self._epoch = 0
        self._known: _Partitions = {}

    def reset(self) -> None:
        """Begin anew: the next fetch names everything and asks for a new session."""
        self._id = self._epoch = 0
        self._known = {}

    def ask(self, request: FetchRequest) -> "_SessionFetch":
        """Return the fetch to send in place of ``request``."""
        wanted: _Partitions = {
            (topic, partition): (offset, max_bytes)
            for topic, partitions in request.topics
            for partition, offset, max_bytes in partitions
        }
        changed = {key: value for key, value in wanted.items() if self._known.get(key) != value}
        forgotten = self._known.keys() - wanted.keys()
        self._known = wanted
        return _SessionFetch(request, self._id, self._epoch, changed, forgotten)

    def took(self, response: Any) -> bool:
        """Take the answer in; False: there is no such session, the answer holds nothing."""
        if getattr(response, "error_code", 0):
            self.reset()
            return False
        self._id = getattr(response, "session_id", 0)
        if self._id:
            self._epoch = self._epoch + 1 if self._epoch < _MAX_EPOCH else 1
        else:
            self.reset()
        return True


class _SessionFetch(FetchRequest):
    """A fetch of the changed partitions, in a session."""

    _max_wait_ms: int
    held_long = False

    def __init__(
        self, whole: FetchRequest, session: int, epoch: int, changed: _Partitions, forgotten: set[tuple[str, int]]
    ) -> None:
        self.__dict__.update(whole.__dict__)
        self._topics = [
            (topic, [(partition, *changed[topic, partition]) for partition in partitions])
            for topic, partitions in _by_topic(changed)
        ]
        self._session = (session, epoch)
        self._forgotten = _by_topic(forgotten)

    def hold(self, hold_ms: Callable[[int], int]) -> None:
        """Have the broker hold it for another time than aiokafka said."""
        usual_ms = self._max_wait_ms
        self._max_wait_ms = hold_ms(usual_ms)
        self.held_long = self._max_wait_ms > usual_ms

    def build(self, request_struct_class: Any) -> Any:
        """Build aiokafka's fetch, then name the session in it; brokers before Kafka 1.1 know none."""
        built = super().build(request_struct_class)
        if request_struct_class.API_VERSION >= _FIRST_SESSION_VERSION:
            built.session_id, built.session_epoch = self._session
            built.forgotten_topics_data = self._forgotten
        return built


def _by_topic(partitions: Any) -> list[tuple[str, list[int]]]:
    found: dict[str, list[int]] = {}
    for topic, partition in partitions:
        found.setdefault(topic, []).append(partition)
    return list(found.items())
