"""What a broker lets this client do, asked for before anything is read or sent: a denial comes late otherwise.

A consumer that may not read ends when it fetches first; a producer that may not write finds out with a record in its
hands, which then fails though nothing is wrong with it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError, KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.reachability import problem
from app.domain.errors import UnreachableError
from app.domain.kafka_access import Access
from app.domain.kafka_connection import KafkaConnection

log = logging.getLogger(__name__)

_WITHIN_S: Final = 6.0
_REQUEST_MS: Final = 5_000
_LOOKS: Final = 10
_LOOK_AGAIN_S: Final = 0.2
# Kafka's numbers of operations; the answer has a bit for each that is allowed.
_BITS: Final = {"Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8, "DescribeConfigs": 10}
_MISSING_TOPIC: Final = 3
_DENIED: Final = {29, 30}


async def denied(connection: KafkaConnection, accesses: Iterable[Access]) -> list[Access]:
    """Return those that Kafka would deny; a topic that does not exist is not one of them.

    Brokers before 2.3 do not tell, nor do those that are too busy to answer in time: nothing is denied then.

    Args:
        connection: Where Kafka is and how it lets us in.
        accesses: Operations on topics and groups by name, none of them prefixed.

    Raises:
        UnreachableError: Kafka does not answer, or does not let us in.
    """
    wanted = list(accesses)
    try:
        async with asyncio.timeout(_WITHIN_S), _client(connection) as client:
            allowed = await _of_topics(client, [one.name for one in wanted if one.resource == "topic"])
            for group in sorted({one.name for one in wanted if one.resource == "group"}):
                allowed["group", group] = await _of_group(client, group)
    except NotImplementedError:  # how aiokafka says that the broker is too old for a request
        return []
    except (KafkaError, TimeoutError, OSError) as error:
        why = await problem(connection)
        if why is not None:
            raise UnreachableError(why) from error
        # It answers, though not to this: too busy, or about to move groups. What is denied shows when it is done.
        log.warning("Kafka does not say what it allows: %s", type(error).__name__)
        return []
    return [one for one in wanted if not _allows(allowed.get((one.resource, one.name)), one)]


def _allows(bits: int | None, access: Access) -> bool:
    return bits is None or bool(bits >> _BITS[access.operation] & 1)


@asynccontextmanager
async def _client(connection: KafkaConnection) -> AsyncIterator[Any]:
    client = AIOKafkaClient(client_id="headrace-check", request_timeout_ms=_REQUEST_MS, **client_options(connection))
    try:
        await client.bootstrap()
        yield client
    finally:
        await client.close()


async def _of_topics(client: Any, names: Sequence[str]) -> dict[tuple[str, str], int | None]:
    answer = await client.send(client.get_random_node(), _TopicsRequest(sorted(set(names))))
    return {
        ("topic", name): 0 if error in _DENIED else None if error == _MISSING_TOPIC else bits
        for error, name, _internal, _partitions, bits in answer.topics
    }


async def _of_group(client: Any, group: str) -> int | None:
    """Ask for a group; None where no broker answers for it in time, as in a new cluster that has no groups yet."""
    for _ in range(_LOOKS):
        try:
            node = await client.coordinator_lookup(CoordinationType.GROUP, group)
            await client.ready(node)
            answer = await client.send(node, _GroupsRequest([group]))
        except GroupAuthorizationFailedError:
            return 0
        except GroupCoordinatorNotAvailableError:
            pass
        else:
            error, *_, bits = answer.groups[0]
            if error in _DENIED:
                return 0
            if not error:  # else it is loading, or has moved
                return int(bits)
        await asyncio.sleep(_LOOK_AGAIN_S)
    return None


class _TopicsResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _TopicsRequest_v8(RequestStruct):  # noqa: N801 - as aiokafka names versions
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _TopicsRequest(Request[_TopicsRequest_v8]):
    """Metadata of topics by name, with what this client may do; aiokafka's own is too old to ask for that."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._topics, False, False, True)


class _GroupsRequest_v3(DescribeGroupsRequest_v3):  # noqa: N801 - as aiokafka names versions
    RESPONSE_TYPE = DescribeGroupsResponse_v3  # aiokafka reads the answer as version 2, without the operations


class _GroupsRequest(Request[_GroupsRequest_v3]):
    """Groups by name, with what this client may do."""

    API_KEY = 15

    def __init__(self, groups: list[str]) -> None:
        self._groups = groups

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._groups, True)
