"""Channels of notifications: where administrators keep them."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.grants import Grant
from schemas.channel import Channel


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """What a trial may know of a channel: who may use it, and which service it leads to, such as ``Slack``."""

    grant: Grant
    service: str


class ChannelDirectory(Protocol):
    """What tells dry runs of channels, without a URL, which no role but executors reads."""

    async def of(self, names: Collection[str]) -> Mapping[str, KnownChannel]:
        """Return those that there are, by their names.

        Raises:
            UnreachableError: The store does not answer.
        """


class ChannelTransaction(Protocol):
    """One transaction on channels, on an administrator's behalf."""

    async def get(self, channel_id: UUID) -> Channel | None:
        """Return a channel, locked until the transaction ends."""

    async def insert(self, channel: Channel, sealed: bytes) -> None:
        """Store a new channel.

        Raises:
            ConflictError: There is one of that name.
        """

    async def update(self, channel: Channel, sealed: bytes | None) -> None:
        """Store a channel's new version, its URL as it was where ``sealed`` is None; raises as ``insert``."""

    async def delete(self, channel_id: UUID) -> None:
        """Remove a channel."""

    async def workflows_with(self, channel: Channel) -> Sequence[str]:
        """Return names of some of the workflows that use it, whosever they are."""


class ChannelStore(Protocol):
    """Where channels are kept."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[ChannelTransaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""

    async def all(self, caller: Caller) -> Sequence[Channel]:
        """Return all, by name."""

    async def get(self, caller: Caller, channel_id: UUID) -> Channel | None:
        """Return one."""
