"""Puts the texts of named message templates where actions name them, as they are when the step runs."""

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from app.actions.message_text import TEMPLATE, template_named, with_text
from app.actions.registry import REGISTRY
from app.ports import MessageText, MessageTexts
from app.services.access.recent import Recent
from schemas.message_template import MessageKind
from schemas.workflow import Action

MAX_AGE_S: Final = 1.0
MAX_KEPT: Final = 256

_Key = tuple[UUID, MessageKind, str]


class RecentTexts:
    """Implements ``app.ports.MessageTexts`` over another: what is older than a second is read again, at the next use.

    Args:
        source: Where texts are stored.
        clock: Seconds, monotonic.
    """

    def __init__(self, source: MessageTexts, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._recent: Recent[_Key, MessageText | None] = Recent(self._read, MAX_AGE_S, clock, most=MAX_KEPT)

    async def find(self, owner: UUID, kind: MessageKind, name: str) -> MessageText | None:
        """Return a template's texts, at most a second old.

        Raises:
            UnreachableError: They cannot be looked up.
        """
        key = (owner, kind, name)
        return (await self._recent.get((key,)))[key]

    async def _read(self, keys: Sequence[_Key]) -> dict[_Key, MessageText | None]:
        return {key: await self._source.find(*key) for key in keys}


class TemplateTexts:
    """Gives actions their words.

    Args:
        texts: Where message templates are.
    """

    def __init__(self, texts: MessageTexts) -> None:
        self._texts = texts

    async def of(self, owner: UUID, actions: Sequence[Action]) -> list[Action]:
        """Return the actions with the texts of the owner's templates; one whose template is not there stays as it is.

        Raises:
            UnreachableError: They cannot be looked up.
        """
        return [await self.one(owner, action) if names_template(action) else action for action in actions]

    async def one(self, owner: UUID, action: Action) -> Action:
        """Return an action as if it had been written with its template's texts; for preparing it only.

        What travels on is the action itself, so that slips stay small and each step reads what its template says then.

        Raises:
            UnreachableError: They cannot be looked up.
        """
        kind = REGISTRY.find(action.type)
        name = template_named(kind, action.config) if kind is not None else None
        if kind is None or kind.message_text is None or name is None:
            return action
        found = await self._texts.find(owner, kind.message_text.kind, name)
        if found is None:
            return action
        return action.model_copy(update={"config": with_text(kind.message_text, action.config, found)})


def names_template(action: Action) -> bool:
    """Tell whether an action's words are a message template's."""
    if TEMPLATE not in action.config:
        return False
    kind = REGISTRY.find(action.type)
    return kind is not None and template_named(kind, action.config) is not None
