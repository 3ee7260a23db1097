"""Channels of notifications, as administrators keep them: their URLs go in, sealed, and are never answered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError, NotFoundError, StaleVersionError
from app.domain.grants import ALL
from app.domain.versions import Expected, is_expected
from app.ports import ChannelUrls, Cipher
from app.ports.channels import ChannelStore, ChannelTransaction
from schemas.channel import Channel, ChannelDraft
from schemas.reading import read_whole, sound_fields


class ChannelService:
    """The use cases; the API checks who may call them.

    Args:
        store: Where channels are kept.
        cipher: Seals their URLs.
        urls: Knows which URLs there can be.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: ChannelStore,
        cipher: Cipher,
        urls: ChannelUrls,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._urls = urls
        self._now = now

    async def create(self, caller: Caller, raw: Any) -> Channel:
        """Store a new channel.

        Raises:
            InvalidError: The draft is wrong; what it says never holds the URL.
            ConflictError: There is one of that name.
            SecretsKeyError: There is nothing to seal it with.
        """
        now, service = self._now(), await self._service_of(raw)
        draft = read_whole(raw, ChannelDraft, lambda said: _url_errors(said, service, needed=True))
        assert draft.url is not None
        sealed = self._cipher.encrypt(draft.url.get_secret_value())
        channel = Channel(
            id=uuid4(),
            name=draft.name,
            service=service,
            version=1,
            updated_by=caller.user_id,
            created_at=now,
            updated_at=now,
            owners=[str(caller.user_id)] if draft.owners is None else draft.owners,
            workflows=[ALL] if draft.workflows is None else draft.workflows,
        )
        async with self._store.transaction(caller) as transaction:
            await transaction.insert(channel, sealed)
        return channel

    async def all(self, caller: Caller) -> Sequence[Channel]:
        """Return all, by name."""
        return await self._store.all(caller)

    async def get(self, caller: Caller, channel_id: UUID) -> Channel:
        """Return one.

        Raises:
            NotFoundError: There is no such channel.
        """
        return _found(await self._store.get(caller, channel_id))

    async def replace(self, caller: Caller, channel_id: UUID, version: Expected, raw: Any) -> Channel:
        """Replace a channel's name and URL; the URL stays where none is given.

        Args:
            caller: On whose behalf.
            channel_id: Which channel.
            version: The version the caller has read; None for any.
            raw: The new draft.

        Raises:
            InvalidError: The draft is wrong; what it says never holds the URL.
            NotFoundError: There is no such channel.
            StaleVersionError: It has another version by now.
            ConflictError: The name is taken, or workflows use the one that it has.
            SecretsKeyError: There is nothing to seal the URL with.
        """
        service = await self._service_of(raw)
        draft = read_whole(raw, ChannelDraft, lambda said: _url_errors(said, service, needed=False))
        changes: dict[str, Any] = {"name": draft.name, "updated_by": caller.user_id, "updated_at": self._now()}
        changes |= draft.model_dump(include={"owners", "workflows"}, exclude_none=True)
        sealed: bytes | None = None
        if draft.url is not None:
            changes["service"], sealed = service, self._cipher.encrypt(draft.url.get_secret_value())
        async with self._store.transaction(caller) as transaction:
            current = _check(_found(await transaction.get(channel_id)), version)
            if draft.name != current.name:
                await _refuse_used(transaction, current)
            changed = current.model_copy(update={**changes, "version": current.version + 1})
            await transaction.update(changed, sealed)
        return changed

    async def delete(self, caller: Caller, channel_id: UUID, version: Expected) -> None:
        """Remove a channel that no workflow uses. Errors as in ``replace``."""
        async with self._store.transaction(caller) as transaction:
            current = _check(_found(await transaction.get(channel_id)), version)
            await _refuse_used(transaction, current)
            await transaction.delete(channel_id)

    async def _service_of(self, raw: Any) -> str:
        """Return what a draft's URL leads to, also where another field is wrong; empty where that is nothing."""
        url = sound_fields(raw, ChannelDraft).get("url")
        return "" if url is None else await self._urls.service_of(url.get_secret_value()) or ""


def _url_errors(said: Mapping[str, Any], service: str, *, needed: bool) -> list[FieldError]:
    if said.get("url") is None:
        return [FieldError("url", "is needed")] if needed else []
    return [] if service else [FieldError("url", "is no URL that Apprise takes; its documentation lists them")]


async def _refuse_used(transaction: ChannelTransaction, channel: Channel) -> None:
    users = await transaction.workflows_with(channel)
    if users:
        named = ", ".join(repr(name) for name in users)
        raise ConflictError(f"Workflows use it by its name: {named}; change or delete them first")


def _check(channel: Channel, version: Expected) -> Channel:
    if not is_expected(channel.version, version):
        raise StaleVersionError(f"The channel is at version {channel.version} by now; read it again")
    return channel


def _found(channel: Channel | None) -> Channel:
    if channel is None:
        raise NotFoundError("There is no such channel")
    return channel
