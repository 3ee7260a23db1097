"""Deterministic ids, so that the same event delivered twice is one execution (docs/design.md#4-receipts)."""

from hashlib import sha1
from json.encoder import encode_basestring
from typing import Final
from uuid import UUID

_NOT_VERSION_NOR_VARIANT: Final = ~(0xF << 76 | 0x3 << 62)
_VERSION_5_RFC_VARIANT: Final = 0x5 << 76 | 0x2 << 62


def execution_id(workflow_id: UUID, source: str, event_id: str) -> UUID:
    """Id of the execution of one workflow for one event; CloudEvents 1.0 makes (source, id) unique per event."""
    # A JSON array: no two different pairs give the same name, for all the characters that they may hold. By hand, as an
    # encoder takes 3 us for it, for each workflow of each event.
    return _uuid5(workflow_id, f"[{encode_basestring(source)},{encode_basestring(event_id)}]")


def command_id(execution: UUID, attempt: int, step: int) -> UUID:
    """Id of one step of one attempt at an execution: what its receipt is keyed by."""
    return _uuid5(execution, f"[{attempt},{step}]")


def _uuid5(namespace: UUID, name: str) -> UUID:
    # RFC 9562, 5.5; the standard library's uuid5 imports hashlib anew on each call, and this is called per command.
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16]) & _NOT_VERSION_NOR_VARIANT | _VERSION_5_RFC_VARIANT)
