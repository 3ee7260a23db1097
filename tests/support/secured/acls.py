"""What `headrace topics --acls` prints, read as ``kafka-acls.sh`` reads it, and granted or taken away on a broker."""

import shlex
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

_RESOURCES: Final = {"topic": 2, "group": 3}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8, "DescribeConfigs": 10}
_PATTERNS: Final = {"literal": 3, "prefixed": 4}
_ALLOW: Final = 3
_ANY_HOST: Final = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """One ACL."""

    principal: str
    operation: str
    resource: str
    name: str
    pattern: str


def grants(script: Iterable[str]) -> list[Grant]:
    """Read the lines that `headrace topics --acls` prints."""
    return [grant for line in script if line.startswith("acl ") for grant in _of_line(shlex.split(line)[1:])]


def _of_line(words: Sequence[str]) -> list[Grant]:
    principal, *rest = words
    options = list(zip(rest[::2], rest[1::2], strict=True))
    pattern = next((value for name, value in options if name == "--resource-pattern-type"), "literal")
    operations = [value for name, value in options if name == "--operation"]
    return [
        Grant(principal, operation, name.removeprefix("--"), value, pattern)
        for operation in operations
        for name, value in options
        if name in {"--topic", "--group"}
    ]


async def give(bootstrap: str, wanted: Iterable[Grant]) -> None:
    """Grant these, as an administrator."""
    async with _client(bootstrap) as client:
        for grant in wanted:
            answer = await client.send(client.get_random_node(), CreateAclsRequest(*_fields(grant), _ALLOW))
            assert answer.creation_responses[0][0] == 0, answer


async def take(bootstrap: str, unwanted: Iterable[Grant]) -> None:
    """Take these away, as an administrator."""
    async with _client(bootstrap) as client:
        for grant in unwanted:
            await client.send(client.get_random_node(), DeleteAclsRequest(*_fields(grant), _ALLOW))


def _fields(grant: Grant) -> tuple[int, str, int, str, str, int]:
    resource, pattern = _RESOURCES[grant.resource], _PATTERNS[grant.pattern]
    return (resource, grant.name, pattern, grant.principal, _ANY_HOST, _OPERATIONS[grant.operation])


@asynccontextmanager
async def _client(bootstrap: str) -> Any:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()
